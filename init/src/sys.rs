//! The system calls of `init`, cut by what they act on: signals, processes, the start of a program, descriptors, the terminal.
//! All `unsafe` of `init` stands here and in `bare`.

#![allow(unsafe_code)] // The one file of this program where it is allowed.

use bare::{Errno, Mask, syscall};
use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use init_core::signal::SignalNumber;
use init_core::supervisor::Received;

/// A process id of the kernel: at most 2^22, so that it fits every word.
pub type Pid = c_int;

/// A signed word as the kernel takes it.
const fn word(value: c_int) -> usize {
    (value as isize).cast_unsigned()
}

// ---- Signals -------------------------------------------------------------------------------------------------------

/// What the kernel says of a signal that was taken (`siginfo_t`, sigaction(2)).
#[derive(Clone, Copy)]
pub struct Info(libc::siginfo_t);

impl Info {
    /// All zero, for [`wait_signal`] to fill.
    pub const fn new() -> Self {
        // SAFETY: all-zero is valid for this plain struct.
        Self(unsafe { MaybeUninit::zeroed().assume_init() })
    }

    /// What the decision depends on. `own_pid` is init's.
    pub fn received(&self, own_pid: Pid) -> Received {
        Received { number: self.0.si_signo, code: self.0.si_code, own: self.sender() == own_pid }
    }

    /// `si_pid`: the sender as seen from here; 0 if it is outside this PID namespace.
    fn sender(&self) -> Pid {
        // SAFETY: the whole struct was zeroed before the kernel wrote it, so that the union member is always initialised.
        unsafe { self.0.si_pid() }
    }

    /// May it be sent on with all that it carries? The kernel lets a process pass on only what no kernel and no `kill(2)`
    /// sent: a negative `si_code` other than SI_TKILL (rt_sigqueueinfo(2)).
    pub const fn can_be_queued(&self) -> bool {
        self.0.si_code < 0 && self.0.si_code != libc::SI_TKILL
    }
}

/// A relative timeout: seconds and nanoseconds, each one word, as every architecture's first `rt_sigtimedwait` takes them.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Timeout(pub c_long, pub c_long);

/// `rt_sigtimedwait(2)`: takes one pending signal of `set` into `info`, waiting for ever or for `timeout`.
///
/// # Errors
/// EAGAIN when the time is up, EINTR after a stop, a trace or the freezer.
pub fn wait_signal(set: Mask, info: &mut Info, timeout: Option<&Timeout>) -> Result<c_int, Errno> {
    let timeout = timeout.map_or(0, |timeout| &raw const *timeout as usize);
    let words = [&raw const set as usize, &raw mut info.0 as usize, timeout, size_of::<Mask>()];
    // SAFETY: pointers to a live set of 8 bytes, to a siginfo of the kernel's 128 bytes, and to a timespec or null.
    unsafe { syscall(libc::SYS_rt_sigtimedwait, words) }
}

/// Sleeps for `time`, by `ppoll(2)` of nothing.
pub fn sleep(time: &Timeout) {
    // SAFETY: no descriptors, a live timespec, no mask.
    let _ = unsafe { syscall(libc::SYS_ppoll, [0, 0, &raw const *time as usize, 0, size_of::<Mask>()]) };
}

/// `kill(2)`: `target` is a pid, or the negative id of a process group.
///
/// # Errors
/// EPERM, ESRCH.
pub fn kill(target: Pid, signal: SignalNumber) -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_kill, [word(target), word(signal)]) }.map(drop)
}

/// `rt_sigqueueinfo(2)`: sends `signal` to the process `pid` with what `info` carries.
///
/// # Errors
/// EAGAIN beyond the receiving user's RLIMIT_SIGPENDING; EPERM, ESRCH.
pub fn queue(pid: Pid, signal: SignalNumber, info: &Info) -> Result<(), Errno> {
    // SAFETY: a live siginfo; the kernel only reads it.
    unsafe { syscall(libc::SYS_rt_sigqueueinfo, [word(pid), word(signal), &raw const info.0 as usize]) }.map(drop)
}

/// `pidfd_send_signal(2)` with PIDFD_SIGNAL_PROCESS_GROUP: as [`queue`], to the group that `leader` leads.
///
/// # Errors
/// EINVAL on kernels before 6.9, ENOSYS before 5.3; EAGAIN, EPERM, ESRCH as above.
pub fn queue_group(leader: Pid, signal: SignalNumber, info: &Info) -> Result<(), Errno> {
    const PIDFD_SIGNAL_PROCESS_GROUP: usize = 1 << 2;
    // This call wants the number in the siginfo to be the one that is sent.
    let mut info = info.0;
    info.si_signo = signal;
    // SAFETY: no pointer. The descriptor is closed on exec, and again below.
    let pidfd = unsafe { syscall(libc::SYS_pidfd_open, [word(leader), 0]) }?;
    let words = [word(pidfd), word(signal), &raw const info as usize, PIDFD_SIGNAL_PROCESS_GROUP];
    // SAFETY: a live siginfo that the kernel only reads.
    let sent = unsafe { syscall(libc::SYS_pidfd_send_signal, words) };
    close(pidfd);
    sent.map(drop)
}

// ---- Processes -----------------------------------------------------------------------------------------------------

/// `waitid(2)`, WSTOPPED: the signal that this child is stopped by now; 0 if it is not. With WNOWAIT in `flags` the answer is
/// the present state, and stays so; without it a stop is told only once (kernel/exit.c, `wait_task_stopped`).
pub fn stopped_by(pid: Pid, flags: c_int) -> SignalNumber {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WSTOPPED | libc::WNOHANG | flags;
    let words = [libc::P_PID as usize, word(pid), info.as_mut_ptr() as usize, word(options), 0];
    // SAFETY: a siginfo of the kernel's size; null for the resource usage.
    let found = unsafe { syscall(libc::SYS_waitid, words) }.is_ok();
    // SAFETY: zeroed before the call; where there was no event it stays so, the status included.
    if found { unsafe { info.assume_init().si_status() } } else { 0 }
}

/// `getppid(2)`; 0 if the parent is outside this PID namespace.
pub fn parent_pid() -> Pid {
    // SAFETY: no pointer. It cannot fail.
    unsafe { syscall(libc::SYS_getppid, []) }.unwrap_or(0)
}

/// `getpgid(2)` of the caller.
pub fn own_group() -> Pid {
    // SAFETY: no pointer. It cannot fail for the caller itself.
    unsafe { syscall(libc::SYS_getpgid, [0]) }.unwrap_or(0)
}

/// `getsid(2)` of the caller.
pub fn own_session() -> Pid {
    // SAFETY: no pointer. It cannot fail for the caller itself.
    unsafe { syscall(libc::SYS_getsid, [0]) }.unwrap_or(0)
}

/// `setpgid(2)`: moves `pid` into a group of its own; 0 means the caller.
///
/// # Errors
/// EACCES if that child has executed its program already.
pub fn make_group(pid: Pid) -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_setpgid, [word(pid), word(pid)]) }.map(drop)
}

/// `PR_SET_CHILD_SUBREAPER`(2const): orphans among the descendants become init's children.
///
/// # Errors
/// EINVAL before Linux 3.4, or what a seccomp filter says.
pub fn become_subreaper() -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_prctl, [libc::PR_SET_CHILD_SUBREAPER as usize, 1, 0, 0, 0]) }.map(drop)
}

/// `PR_SET_PDEATHSIG`(2const): `signal` comes when the parent dies.
///
/// # Errors
/// What a seccomp filter says.
pub fn ask_parent_death(signal: SignalNumber) -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, word(signal), 0, 0, 0]) }.map(drop)
}

// ---- The start of a program ----------------------------------------------------------------------------------------

/// A vector of C strings as execve(2) takes it: the kernel's own, on init's stack, ended by a null word.
/// `'w` is how long the words that are put into it live.
pub struct Vector<'w>(*mut *const c_char, PhantomData<&'w [u8]>);

// SAFETY: a pointer to memory that lives as long as the program; see `hand_over` for who writes to it.
unsafe impl Sync for Vector<'_> {}

impl<'w> Vector<'w> {
    /// The arguments of init, its own name first.
    pub const fn arguments(start: bare::Start) -> Self {
        Self(start.arguments(), PhantomData)
    }

    /// The environment of init.
    pub const fn environment(start: bare::Start) -> Self {
        Self(start.environment(), PhantomData)
    }

    /// The words of it.
    pub const fn words(&self) -> bare::Words<'w> {
        // SAFETY: the kernel made it (see the type), and `replace` and `remove` keep it whole.
        unsafe { bare::Words::new(self.0) }
    }

    /// The words from one on that is there.
    pub const fn from(&self, index: usize) -> Self {
        // SAFETY: the caller has found a word there.
        Self(unsafe { self.0.add(index) }, PhantomData)
    }

    /// Puts `word`, which ends with its null byte, in place of the first one. There must be one.
    pub fn replace_first(&mut self, word: &'w [u8]) {
        if word.last() == Some(&0) {
            // SAFETY: the place is in the vector; the word is a C string.
            unsafe { *self.0 = word.as_ptr().cast() };
        }
    }

    /// Takes the first word out. There must be one.
    pub fn remove_first(&mut self) {
        let mut place = self.0;
        // SAFETY: behind each word there is another one or the null word, which is moved last.
        unsafe {
            while !(*place).is_null() {
                *place = *place.add(1);
                place = place.add(1);
            }
        }
    }
}

/// `execve(2)`; `path` ends with its null byte. Returns only if it failed.
pub fn execute(path: &[u8], arguments: &Vector, environment: &Vector) -> Errno {
    if path.last() != Some(&0) {
        return Errno(libc::ENAMETOOLONG);
    }
    let words = [path.as_ptr() as usize, arguments.0 as usize, environment.0 as usize];
    // SAFETY: a C string, and two vectors that are whole (see the type).
    unsafe { syscall(libc::SYS_execve, words) }.err().unwrap_or(Errno(libc::EINVAL))
}

unsafe extern "C" {
    /// musl's clone(2) for every architecture: the raw call, and `function(argument)` on `stack` in the child, whose end is
    /// the child's. Returns the pid or `-errno`, and touches no thread-local state (musl `src/thread/*/clone.s`).
    /// Private to musl, as `__syscall_cp` in `bare`.
    fn __clone(
        function: extern "C" fn(*mut c_void) -> c_int,
        stack: *mut u8,
        flags: c_int,
        argument: *mut c_void,
        ...
    ) -> c_int;
}

/// Bytes for the child between clone and exec: its deepest frame holds one path of PATH_MAX bytes.
const CHILD_STACK: usize = 8192;

/// The stack of the child, in the parent's memory. Its pages are touched only as far as the child comes.
#[repr(align(16))]
struct ChildStack([MaybeUninit<u8>; CHILD_STACK]);

/// What the child gets through clone's one word.
struct Entry<'p, P> {
    /// What the child is to do.
    plan: &'p P,
    /// Its life.
    child: fn(&P) -> !,
}

/// `clone(2)` with CLONE_VM: runs `child(plan)` in a new process that shares this memory until it executes its program; then
/// goes on with `parent` and ends the program with what that returns.
///
/// No page and no page table is copied, which makes it faster than fork. CLONE_VFORK is left out, so that init is never held
/// up by a child that is stopped, or that waits for a slow file system, before its exec. (Before Linux 5.16 a core dump of
/// the child before its exec takes init along, as it does every process that shares the memory: fs/coredump.c.)
///
/// `parent` gets the child's pid, or the error: EAGAIN (a limit on processes), ENOMEM, what a seccomp filter says.
pub fn spawn<P: Sync>(plan: &P, child: fn(&P) -> !, parent: impl FnOnce(Result<Pid, Errno>) -> u8) -> ! {
    extern "C" fn enter<P>(entry: *mut c_void) -> c_int {
        // SAFETY: the entry stands in the frame of `spawn`, which is never left, and nobody writes to it.
        let entry = unsafe { &*entry.cast::<Entry<P>>() };
        (entry.child)(entry.plan)
    }
    let mut stack = ChildStack([MaybeUninit::uninit(); CHILD_STACK]);
    let mut entry = Entry { plan, child };
    let top = stack.0.as_mut_ptr_range().end.cast::<u8>();
    let flags = libc::CLONE_VM | libc::SIGCHLD;
    // SAFETY: the stack is the child's own; it, the entry and the plan stand in frames that are never left, for this
    // function does not return. Both processes may read the plan at once (it is `Sync`). `child` never returns.
    let pid = unsafe { __clone(enter::<P>, top, flags, (&raw mut entry).cast()) };
    bare::exit(parent(if pid < 0 { Err(Errno(-pid)) } else { Ok(pid) }))
}

// ---- Descriptors and files -----------------------------------------------------------------------------------------

/// `openat(2)` of a path that ends with its null byte: closed on exec, never becoming the controlling terminal, and never one of the descriptors 0–2:
/// where one of these is closed, the new file would pass for it.
///
/// # Errors
/// As open(2).
pub fn open(path: &[u8], flags: c_int) -> Result<c_int, Errno> {
    if path.last() != Some(&0) {
        return Err(Errno(libc::ENAMETOOLONG));
    }
    let flags = flags | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: a C string, by the check.
    let opened = unsafe { syscall(libc::SYS_openat, [word(libc::AT_FDCWD), path.as_ptr() as usize, word(flags)]) }?;
    if opened > 2 {
        return Ok(opened);
    }
    // SAFETY: no pointer.
    let moved = unsafe { syscall(libc::SYS_fcntl, [word(opened), libc::F_DUPFD_CLOEXEC as usize, 3]) };
    close(opened);
    moved
}

/// `read(2)`, once, from the present position.
///
/// # Errors
/// As read(2).
pub fn read(descriptor: c_int, buffer: &mut [u8]) -> Result<c_int, Errno> {
    // SAFETY: the slice is writable for its length.
    unsafe { syscall(libc::SYS_read, [word(descriptor), buffer.as_mut_ptr() as usize, buffer.len()]) }
}

/// `close(2)`. An error leaves nothing to do: the descriptor is gone all the same.
pub fn close(descriptor: c_int) {
    // SAFETY: no pointer; nobody else uses a descriptor of ours.
    let _ = unsafe { syscall(libc::SYS_close, [word(descriptor)]) };
}

/// `close_range(2)`: closes the descriptors `first` to `last`, both included.
/// Before Linux 5.9, and where a filter forbids it, one by one as far as RLIMIT_NOFILE allows any.
pub fn close_range(first: c_int, last: c_int) {
    // SAFETY: no pointer.
    if first > last || unsafe { syscall(libc::SYS_close_range, [word(first), word(last), 0]) }.is_ok() {
        return;
    }
    let mut limit = [0, 1_u64 << 20];
    let words = [0, libc::RLIMIT_NOFILE as usize, 0, &raw mut limit as usize];
    // SAFETY: null for the new limit; a live `struct rlimit64` for the old one.
    let _ = unsafe { syscall(libc::SYS_prlimit64, words) };
    // The hard limit: the soft one may have been lowered below an open descriptor. 2^20 is the kernel's own default for it.
    let bound = limit[1].min(1 << 20) as c_int;
    (first..=last.min(bound)).for_each(close);
}

/// `chdir(2)`.
///
/// # Errors
/// As chdir(2).
pub fn change_directory(path: &CStr) -> Result<(), Errno> {
    // SAFETY: a C string.
    unsafe { syscall(libc::SYS_chdir, [path.as_ptr() as usize]) }.map(drop)
}

// ---- The terminal --------------------------------------------------------------------------------------------------

/// `TIOCGPGRP` (ioctl_tty(2)): the foreground process group of the terminal behind `descriptor`.
///
/// # Errors
/// ENOTTY if that is not the caller's controlling terminal.
pub fn foreground(descriptor: c_int) -> Result<Pid, Errno> {
    let mut group: Pid = 0;
    // SAFETY: a live int for the answer.
    unsafe { syscall(libc::SYS_ioctl, [word(descriptor), libc::TIOCGPGRP as usize, &raw mut group as usize]) }?;
    Ok(group)
}

/// `read(2)` of no byte: is the caller's group the terminal's foreground one? In the background it is an error: EIO, as
/// SIGTTIN is blocked (drivers/tty/tty_jobctrl.c, `__tty_check_change`). Numbers do not tell where both groups are outside
/// this PID namespace: then both are 0.
pub fn may_read(terminal: c_int) -> bool {
    !matches!(read(terminal, &mut []), Err(Errno(libc::EIO)))
}

/// `TIOCSPGRP` (ioctl_tty(2)): makes `group` the foreground process group. SIGTTOU is blocked here, so that a caller in
/// the background is not stopped for it.
///
/// # Errors
/// ENOTTY, EPERM (the group is in another session), ESRCH.
pub fn set_foreground(descriptor: c_int, group: Pid) -> Result<(), Errno> {
    // SAFETY: a live int that the kernel reads.
    unsafe { syscall(libc::SYS_ioctl, [word(descriptor), libc::TIOCSPGRP as usize, &raw const group as usize]) }
        .map(drop)
}
