//! The system calls of `init`, cut by what they act on: signals, processes, the start of a program, descriptors, the terminal.
//! All `unsafe` of `init` stands here and in `bare`.

#![allow(unsafe_code)] // The one file of this program where it is allowed.

use bare::{Errno, Mask, syscall};
use core::ffi::{c_char, c_int, c_long, c_void};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use init_core::message::CString;
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
pub struct Info(MaybeUninit<libc::siginfo_t>);

impl Info {
    /// For [`wait_signal`] to fill. Nothing else is to be asked of it before.
    pub const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// The whole.
    const fn get(&self) -> &libc::siginfo_t {
        // SAFETY: only asked when the kernel has filled it, to the last byte (kernel/signal.c, `copy_siginfo_to_user`).
        unsafe { self.0.assume_init_ref() }
    }

    /// What the decision depends on. `own_pid` is init's.
    pub fn received(&self, own_pid: Pid) -> Received {
        let info = self.get();
        // SAFETY: `si_pid` is the sender as seen from here, 0 if it is outside this PID namespace; where there is no sender
        // something else stands there, as defined as this.
        Received { number: info.si_signo, code: info.si_code, own: unsafe { info.si_pid() } == own_pid }
    }

    /// Its number.
    pub const fn number(&self) -> SignalNumber {
        self.get().si_signo
    }

    /// Makes it another signal.
    pub const fn set_number(&mut self, number: SignalNumber) {
        // SAFETY: a field of memory of our own.
        unsafe { (*self.0.as_mut_ptr()).si_signo = number };
    }

    /// May it be sent on with all that it carries? The kernel lets a process pass on only what no kernel and no `kill(2)`
    /// sent: a negative `si_code` other than SI_TKILL (rt_sigqueueinfo(2)).
    pub const fn can_be_queued(&self) -> bool {
        let code = self.get().si_code;
        code < 0 && code != libc::SI_TKILL
    }
}

/// Milliseconds. As a timeout, [`FOREVER`] is none.
pub type Time = u64;

/// No timeout.
pub const FOREVER: Time = Time::MAX;

/// `struct timespec`: seconds and nanoseconds, each one word, as every architecture's first calls of these names take them.
#[repr(C)]
struct Timespec([c_long; 2]);

impl Timespec {
    /// Of a time that fits.
    const fn of(time: Time) -> Self {
        Self([(time / 1000) as c_long, (time % 1000 * 1_000_000) as c_long])
    }

    /// Its address; null for [`FOREVER`].
    fn pointer(&self, time: Time) -> usize {
        if time == FOREVER { 0 } else { &raw const *self as usize }
    }
}

/// `clock_gettime(2)`, CLOCK_MONOTONIC. It cannot fail.
pub fn now() -> Time {
    let mut time = Timespec([0; 2]);
    // SAFETY: a live timespec for the answer.
    let _ = unsafe { syscall(libc::SYS_clock_gettime, [libc::CLOCK_MONOTONIC as usize, &raw mut time as usize]) };
    time.0[0] as Time * 1000 + time.0[1] as Time / 1_000_000
}

/// `rt_sigtimedwait(2)`: takes one pending signal of `set` into `info`, waiting for `timeout`.
///
/// # Errors
/// EAGAIN when the time is up, EINTR after a stop, a trace or the freezer.
pub fn wait_signal(set: Mask, info: &mut Info, timeout: Time) -> Result<c_int, Errno> {
    let time = Timespec::of(timeout);
    let words = [&raw const set as usize, &raw mut info.0 as usize, time.pointer(timeout), size_of::<Mask>()];
    // SAFETY: pointers to a live set of 8 bytes, to a siginfo of the kernel's 128 bytes, and to a timespec or null.
    unsafe { syscall(libc::SYS_rt_sigtimedwait, words) }
}

/// `signalfd4(2)`: becomes readable when any signal is pending. Negative if it cannot be made.
pub fn signal_descriptor() -> c_int {
    let all = bare::ALL_SIGNALS;
    let words = [usize::MAX, &raw const all as usize, size_of::<Mask>(), libc::SFD_CLOEXEC as usize];
    // SAFETY: a live set of 8 bytes.
    unsafe { syscall(libc::SYS_signalfd4, words) }.unwrap_or(-1)
}

/// `ppoll(2)`: waits for `timeout` until one of two descriptors is readable. Is the second one? A negative one never is.
///
/// # Errors
/// ENOMEM, or what a seccomp filter says; not EINTR, which is no answer.
pub fn poll(one: c_int, two: c_int, timeout: Time) -> Result<bool, Errno> {
    let polled = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut polled = [polled(one), polled(two)];
    let time = Timespec::of(timeout);
    // SAFETY: two live pollfds, a live timespec or null, no mask.
    match unsafe { syscall(libc::SYS_ppoll, [polled.as_mut_ptr() as usize, 2, time.pointer(timeout), 0]) } {
        Err(error) if error != Errno::EINTR => Err(error),
        _ => Ok(polled[1].revents != 0),
    }
}

/// `kill(2)`: `target` is a pid, or the negative id of a process group.
///
/// # Errors
/// EPERM, ESRCH.
#[inline(never)]
pub fn kill(target: Pid, signal: SignalNumber) -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_kill, [word(target), word(signal)]) }.map(drop)
}

/// `rt_sigqueueinfo(2)`: sends the signal, with all that `info` carries, to the process `pid`.
///
/// # Errors
/// EAGAIN beyond the receiving user's RLIMIT_SIGPENDING; EPERM, ESRCH.
pub fn queue(pid: Pid, info: &Info) -> Result<(), Errno> {
    // SAFETY: a live siginfo; the kernel only reads it.
    unsafe { syscall(libc::SYS_rt_sigqueueinfo, [word(pid), word(info.number()), info.0.as_ptr() as usize]) }.map(drop)
}

/// `pidfd_send_signal(2)` with PIDFD_SIGNAL_PROCESS_GROUP: as [`queue`], to the group that `leader` leads.
///
/// # Errors
/// EINVAL on kernels before 6.9, ENOSYS before 5.3; EAGAIN, EPERM, ESRCH as above.
pub fn queue_group(leader: Pid, info: &Info) -> Result<(), Errno> {
    const PIDFD_SIGNAL_PROCESS_GROUP: usize = 1 << 2;
    let pidfd = open_process(leader)?;
    let words = [word(pidfd), word(info.number()), info.0.as_ptr() as usize, PIDFD_SIGNAL_PROCESS_GROUP];
    // SAFETY: a live siginfo that the kernel only reads; it wants the number in it to be the one that is sent.
    let sent = unsafe { syscall(libc::SYS_pidfd_send_signal, words) };
    close(pidfd);
    sent.map(drop)
}

/// `prlimit(2)`: lowers init's own RLIMIT_SIGPENDING by one. What is queued counts for the user, and against the receiver's
/// limit (kernel/signal.c, `__sigqueue_alloc`): so whatever init's own queue holds, there is a place left in the child's.
#[inline(always)]
pub fn reserve_place() {
    let mut limit = [0_u64; 2];
    let words = [0, libc::RLIMIT_SIGPENDING as usize, 0, &raw mut limit as usize];
    // SAFETY: null for the new limit; a live `struct rlimit64` for the old one.
    let _ = unsafe { syscall(libc::SYS_prlimit64, words) };
    limit[0] = limit[0].wrapping_sub(1);
    let words = [0, libc::RLIMIT_SIGPENDING as usize, &raw const limit as usize, 0];
    // SAFETY: the opposite. A limit of 0 becomes one above the hard limit, which the kernel refuses.
    let _ = unsafe { syscall(libc::SYS_prlimit64, words) };
}

/// `pidfd_send_signal(2)`: plainly, to the process behind `pidfd`. Errors are ignored: who has ended needs no signal, and of who may not
/// be signalled [`kill`] with 0 tells.
#[inline(always)]
pub fn signal_process(pidfd: c_int, signal: SignalNumber) {
    // SAFETY: null for the siginfo.
    let _ = unsafe { syscall(libc::SYS_pidfd_send_signal, [word(pidfd), word(signal), 0, 0]) };
}

// ---- Processes -----------------------------------------------------------------------------------------------------

/// `rt_sigprocmask(2)`: as [`bare::set_mask`], one copy for all.
#[inline(never)]
pub fn set_mask(mask: Mask) {
    bare::set_mask(mask);
}

/// `rt_sigpending(2)`: the blocked signals that wait.
pub fn pending() -> Mask {
    let mut set: Mask = 0;
    // SAFETY: a live set of 8 bytes for the answer.
    let _ = unsafe { syscall(libc::SYS_rt_sigpending, [&raw mut set as usize, size_of::<Mask>()]) };
    set
}

/// `pidfd_open(2)`, closed on exec.
///
/// # Errors
/// ESRCH; ENOSYS before 5.3, EMFILE, ENFILE, or what a seccomp filter says.
#[inline(always)]
pub fn open_process(pid: Pid) -> Result<c_int, Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_pidfd_open, [word(pid), 0]) }
}

/// `waitid(2)`, WSTOPPED: the signal that this child is stopped by now; 0 if it is not. With WNOWAIT in `flags` the answer is
/// the present state, and stays so; without it a stop is told only once (kernel/exit.c, `wait_task_stopped`).
#[inline(always)]
pub fn stopped_by(pid: Pid, flags: c_int) -> SignalNumber {
    wait_status(pid, libc::WSTOPPED | flags).max(0)
}

/// Has this child ended? It is not reaped for the question.
#[inline(always)]
pub fn has_ended(pid: Pid) -> bool {
    wait_status(pid, libc::WEXITED | libc::WNOWAIT) >= 0
}

/// `waitid(2)` of one child, WNOHANG: what there is to be told: an exit status or a signal; negative if there is nothing.
#[inline(never)]
fn wait_status(pid: Pid, options: c_int) -> c_int {
    let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
    let words = [libc::P_PID as usize, word(pid), info.as_mut_ptr() as usize, word(options | libc::WNOHANG), 0];
    // SAFETY: a siginfo of the kernel's size; null for the resource usage.
    if unsafe { syscall(libc::SYS_waitid, words) }.is_err() {
        return -1;
    }
    // SAFETY: the kernel has written all that is read; where there was no event, zeroes (kernel/exit.c, `waitid`).
    unsafe {
        let info = info.assume_init_ref();
        if info.si_signo == 0 { -1 } else { info.si_status() }
    }
}

/// `sched_yield(2)`: whoever waits for this processor comes first. It cannot fail.
#[inline(always)]
pub fn give_way() {
    // SAFETY: no argument.
    let _ = unsafe { syscall(libc::SYS_sched_yield, []) };
}

/// `getppid(2)`; 0 if the parent is outside this PID namespace.
#[inline(never)]
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
#[inline(never)] // The other caller asks only when it stops.
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

/// `setsid(2)`: a new session, and a group of the same number. A child that has just been cloned leads no group: no error.
pub fn make_session() {
    // SAFETY: no pointer.
    let _ = unsafe { syscall(libc::SYS_setsid, []) };
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
pub struct Vector<'w>(NonNull<*const c_char>, PhantomData<&'w [u8]>);

// SAFETY: a pointer to memory that lives as long as the program; only the child writes to it.
unsafe impl Sync for Vector<'_> {}

impl<'w> Vector<'w> {
    /// The arguments of init, its own name first.
    pub const fn arguments(start: bare::Start) -> Self {
        // SAFETY: on the stack, not at 0.
        Self(unsafe { NonNull::new_unchecked(start.arguments()) }, PhantomData)
    }

    /// The environment of init.
    pub const fn environment(start: bare::Start) -> Self {
        // SAFETY: as above.
        Self(unsafe { NonNull::new_unchecked(start.environment()) }, PhantomData)
    }

    /// The words of it.
    pub const fn words(&self) -> bare::Words<'w> {
        // SAFETY: the kernel made it (see the type), and `replace_first` and `remove_first` keep it whole.
        unsafe { bare::Words::new(self.0.as_ptr()) }
    }

    /// Those that may be an option's variable.
    pub const fn variables(&self) -> Variables<'w> {
        Variables(self.0.as_ptr(), PhantomData)
    }

    /// The first word, if there is one.
    pub fn first(&self) -> Option<&'w [u8]> {
        self.words().next()
    }

    /// Does the first word begin with `prefix`? `None` if there is no word.
    #[inline(always)]
    pub fn begins_with(&self, prefix: &[u8]) -> Option<bool> {
        // SAFETY: as for `words`. The comparison ends with the word, for no prefix has a null byte.
        unsafe {
            let word = *self.0.as_ptr();
            let begins = |word: *const u8| prefix.iter().enumerate().all(|(i, byte)| *word.add(i) == *byte);
            if word.is_null() { None } else { Some(begins(word.cast())) }
        }
    }

    /// The words from one on that is there.
    pub const fn from(&self, index: usize) -> Self {
        // SAFETY: the caller has found a word there.
        Self(unsafe { self.0.add(index) }, PhantomData)
    }

    /// Puts `word` in place of the first one. There must be one.
    pub const fn replace_first(&mut self, word: CString<'w>) {
        // SAFETY: the place is in the vector.
        unsafe { *self.0.as_ptr() = word.address().cast() };
    }

    /// Takes the first word out. There must be one.
    pub const fn remove_first(&mut self) {
        let mut place = self.0.as_ptr();
        // SAFETY: behind each word there is another one or the null word, which is moved last.
        unsafe {
            while !(*place).is_null() {
                *place = *place.add(1);
                place = place.add(1);
            }
        }
    }
}

/// The variables of an environment that may be an option's, by their first letter. Most are not, and their lengths are not asked.
#[derive(Clone)]
pub struct Variables<'w>(*const *const c_char, PhantomData<&'w [u8]>);

impl<'w> Iterator for Variables<'w> {
    type Item = &'w [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'w [u8]> {
        // SAFETY: as `Vector::words`; this stops at the null word.
        unsafe {
            while let Some(first) = (*self.0).cast::<u8>().as_ref() {
                if matches!(first, b'B'..=b'D' | b'T') {
                    break;
                }
                self.0 = self.0.add(1);
            }
            let mut words = bare::Words::new(self.0);
            self.0 = self.0.add(1);
            words.next()
        }
    }
}

/// `execve(2)`. Returns only if it failed.
#[inline(always)]
pub fn execute(path: CString, arguments: Vector, environment: &Vector) -> Errno {
    let words = [path.address() as usize, arguments.0.as_ptr() as usize, environment.0.as_ptr() as usize];
    // SAFETY: a C string, and two vectors that are whole (see the type).
    unsafe { syscall(libc::SYS_execve, words) }.err().unwrap_or(Errno::EINVAL)
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

/// Bytes for the child between clone and exec.
const CHILD_STACK: usize = 800;

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
/// up by a child that is stopped, or that waits for a slow file system, before its exec; unless it is to be `held` until then. (Before Linux 5.16 a core dump of
/// the child before its exec takes init along, as it does every process that shares the memory: fs/coredump.c.)
///
/// `parent` gets the child's pid, or the error: EAGAIN (a limit on processes), ENOMEM, what a seccomp filter says.
#[inline(never)]
pub fn spawn<P: Sync>(plan: &P, held: bool, child: fn(&P) -> !, parent: impl FnOnce(Result<Pid, Errno>) -> u8) -> ! {
    extern "C" fn enter<P>(entry: *mut c_void) -> c_int {
        // SAFETY: the entry stands in the frame of `spawn`, which is never left, and nobody writes to it.
        let entry = unsafe { &*entry.cast::<Entry<P>>() };
        (entry.child)(entry.plan)
    }
    let mut stack = ChildStack([MaybeUninit::uninit(); CHILD_STACK]);
    let mut entry = Entry { plan, child };
    let top = stack.0.as_mut_ptr_range().end.cast::<u8>();
    let flags = libc::CLONE_VM | libc::SIGCHLD | if held { libc::CLONE_VFORK } else { 0 };
    // SAFETY: the stack is the child's own; it, the entry and the plan stand in frames that are never left, for this
    // function does not return. Both processes may read the plan at once (it is `Sync`). `child` never returns.
    let pid = unsafe { __clone(enter::<P>, top, flags, (&raw mut entry).cast()) };
    bare::exit(parent(if pid < 0 { Err(Errno::from_kernel(pid)) } else { Ok(pid) }))
}

/// The number of mmap(2), whose last word is 0 here in any unit.
#[cfg(not(target_arch = "x86"))]
const MMAP: c_long = libc::SYS_mmap;
#[cfg(target_arch = "x86")]
const MMAP: c_long = libc::SYS_mmap2;

// ---- Descriptors and files -----------------------------------------------------------------------------------------

/// `openat(2)`: closed on exec, never becoming the controlling terminal, and never one of the descriptors 0–2:
/// where one of these is closed, the new file would pass for it.
///
/// # Errors
/// As open(2).
pub fn open(path: CString, flags: c_int) -> Result<c_int, Errno> {
    let flags = flags | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: a C string.
    let opened = unsafe { syscall(libc::SYS_openat, [word(libc::AT_FDCWD), path.address() as usize, word(flags)]) }?;
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
#[inline(always)]
pub fn read(descriptor: c_int, buffer: &mut [u8]) -> Result<c_int, Errno> {
    // SAFETY: the slice is writable for its length.
    unsafe { syscall(libc::SYS_read, [word(descriptor), buffer.as_mut_ptr() as usize, buffer.len()]) }
}

/// The file `path`, as far as `memory` has room for it; `None` if it cannot be read. It stays open: the child alone asks, and
/// its exec or its end closes it.
#[inline(never)]
pub fn read_file<'m>(path: CString, memory: &'m mut [u8]) -> Option<&'m [u8]> {
    let length = read(open(path, libc::O_RDONLY).ok()?, memory).ok()?;
    memory.get(..length as usize)
}

/// `mmap(2)`: `N` bytes of 0 that are kept for ever. There is one such place, behind the program, where nothing else lies.
///
/// # Errors
/// ENOMEM, or what a seccomp filter says.
pub fn memory<const N: usize>() -> Result<&'static mut [u8; N], Errno> {
    const PLACE: usize = 0x1000_0000;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let words = [PLACE, N, word(libc::PROT_READ | libc::PROT_WRITE), word(flags), usize::MAX, 0];
    // SAFETY: the program is loaded far below, and the kernel puts all else where the address space ends. Only the child asks,
    // once.
    unsafe { syscall(MMAP, words) }?;
    // SAFETY: that is as large as asked for, and zeroed.
    Ok(unsafe { &mut *(PLACE as *mut [u8; N]) })
}

/// `getdents64(2)` of /proc: visits every process, by its number. What is no process is 0. An error ends it.
pub fn each_process(visit: &mut dyn FnMut(Pid)) {
    let Ok(directory) = open(CString::literal(b"/proc\0"), libc::O_RDONLY) else { return };
    let mut memory = [0_u64; 128];
    loop {
        let start = memory.as_mut_ptr().cast::<u8>();
        let words = [word(directory), start as usize, size_of_val(&memory)];
        // SAFETY: the array is writable for its length.
        let Ok(length) = (unsafe { syscall(libc::SYS_getdents64, words) }) else { break };
        if length == 0 {
            break;
        }
        let mut at = 0;
        while at < length as usize {
            // SAFETY: the kernel has filled the array up to there with whole entries, `struct linux_dirent64` (getdents64(2)):
            // the length of each, a multiple of 8, at 16, and at 19 its name, which a null byte ends.
            unsafe {
                let entry = start.add(at);
                at += usize::from(entry.add(16).cast::<u16>().read());
                let mut name = entry.add(19);
                let mut pid = 0;
                while (*name).is_ascii_digit() {
                    pid = pid * 10 + Pid::from(*name - b'0');
                    name = name.add(1);
                }
                visit(pid);
            }
        }
    }
    close(directory);
}

/// `close(2)`. An error leaves nothing to do: the descriptor is gone all the same.
#[inline(never)]
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

/// `dup2(2)`: `descriptor` as `number`, too; nothing if it is the same, or not open.
pub fn duplicate(descriptor: c_int, number: c_int) {
    // SAFETY: no pointer. dup2 is not everywhere; dup3 refuses two equal numbers.
    let _ = unsafe { syscall(libc::SYS_dup3, [word(descriptor), word(number), 0]) };
}

/// The root directory.
pub const ROOT: CString = CString::literal(b"/\0");

/// `chdir(2)`.
///
/// # Errors
/// As chdir(2).
#[inline(always)]
pub fn change_directory(path: CString) -> Result<(), Errno> {
    // SAFETY: a C string.
    unsafe { syscall(libc::SYS_chdir, [path.address() as usize]) }.map(drop)
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
    !matches!(read(terminal, &mut []), Err(Errno::EIO))
}

/// `TIOCSPGRP` (ioctl_tty(2)): makes `group` the foreground process group. SIGTTOU is blocked here, so that a caller in
/// the background is not stopped for it.
///
/// # Errors
/// ENOTTY, EPERM (the group is in another session), ESRCH.
#[inline(never)]
pub fn set_foreground(descriptor: c_int, group: Pid) -> Result<(), Errno> {
    // SAFETY: a live int that the kernel reads.
    unsafe { syscall(libc::SYS_ioctl, [word(descriptor), libc::TIOCSPGRP as usize, &raw const group as usize]) }
        .map(drop)
}

/// `TIOCNOTTY` (ioctl_tty(2)): gives the controlling terminal up. The leader's session loses it, and its foreground group gets
/// SIGHUP and SIGCONT.
pub fn leave_terminal(descriptor: c_int) {
    // SAFETY: no pointer. Where it fails the terminal stays.
    let _ = unsafe { syscall(libc::SYS_ioctl, [word(descriptor), libc::TIOCNOTTY as usize]) };
}

/// `TIOCSCTTY` (ioctl_tty(2)): makes it the controlling terminal of the session that the caller leads, whose group is then the
/// foreground one. It stays without if another session has it.
pub fn take_terminal(descriptor: c_int) {
    // SAFETY: no pointer: 0, not to steal it.
    let _ = unsafe { syscall(libc::SYS_ioctl, [word(descriptor), libc::TIOCSCTTY as usize, 0]) };
}
