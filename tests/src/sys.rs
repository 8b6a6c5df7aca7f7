//! What the harness asks of the kernel and neither std nor nix gives: raw signal masks (the C library hides 32–34),
//! raw wait statuses (nix refuses real-time signals), pidfds, fork. All `unsafe` of this package stands here.

#![allow(unsafe_code)] // The one module where it is allowed.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libc::{c_char, c_int, c_long, pid_t};

/// A set of signals as the kernel's `rt_` calls take it: bit n-1 is signal n.
pub type Mask = u64;

/// Every signal; KILL and STOP cannot be blocked whatever is asked.
pub const ALL_SIGNALS: Mask = Mask::MAX;

/// The mask word of one signal, 1–64.
#[must_use]
pub const fn bit(signal: c_int) -> Mask {
    1 << (signal - 1)
}

/// The numbers that a program can receive: 1–64 but KILL and STOP.
pub fn catchable() -> impl Iterator<Item = c_int> {
    (1..=64).filter(|&signal| signal != libc::SIGKILL && signal != libc::SIGSTOP)
}

/// The error of a call that returned `value`, or the value.
fn checked(value: c_long) -> io::Result<c_long> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// `rt_sigprocmask(2)`, SIG_SETMASK, for the calling thread; returns the old mask.
pub fn set_mask(mask: Mask) -> Mask {
    let mut old: Mask = 0;
    // SAFETY: two pointers to live words of the 8 bytes that the last argument names.
    let done = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut old, size_of::<Mask>())
    };
    assert_eq!(done, 0, "rt_sigprocmask");
    old
}

/// The calling thread's mask.
#[must_use]
pub fn mask() -> Mask {
    let mut old: Mask = 0;
    // SAFETY: a null new mask changes nothing; the old one is a live word of 8 bytes.
    let done = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            std::ptr::null::<Mask>(),
            &raw mut old,
            size_of::<Mask>(),
        )
    };
    assert_eq!(done, 0, "rt_sigprocmask");
    old
}

/// The kernel's `struct sigaction`, as large as any architecture's: the handler stands first; flags, restorer and mask
/// are 0 here, in whatever order they follow.
#[repr(C)]
struct KernelAction([usize; 6]);

/// `rt_sigaction(2)`: the disposition of `signal` becomes SIG_IGN or SIG_DFL.
///
/// # Errors
/// EINVAL for KILL and STOP.
pub fn ignore(signal: c_int, ignored: bool) -> io::Result<()> {
    set_handler(signal, if ignored { libc::SIG_IGN } else { libc::SIG_DFL })
}

/// `rt_sigaction(2)`: a handler for `signal`, which the caller keeps blocked: without a restorer it could not return.
///
/// # Errors
/// EINVAL for KILL and STOP.
pub fn catch(signal: c_int) -> io::Result<()> {
    extern "C" fn handler(_: c_int) {}
    set_handler(signal, handler as *const () as usize)
}

/// A handler for `signal` that runs `action`, which may do what a handler may (signal-safety(7)), and no more.
///
/// # Errors
/// EINVAL.
pub fn on_signal(signal: c_int, action: fn()) -> io::Result<()> {
    // SAFETY: by the contract above; a function lives as long as the program.
    unsafe { signal_hook::low_level::register(signal, action) }.map(drop)
}

/// The nanoseconds of CLOCK_MONOTONIC (`clock_gettime(2)`), which all processes of a machine share. A handler may ask for them.
#[must_use]
pub fn now() -> u64 {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("every Linux has it");
    time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
}

/// Waits until the process behind a pidfd has been reaped. Its end alone is not waited for.
///
/// # Errors
/// It has not been within the limit, or the kernel does not tell: before Linux 6.9 it does not.
pub fn wait_until_reaped(process: &OwnedFd, limit: Duration) -> Result<(), String> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let limit = PollTimeout::try_from(limit).expect("a limit below 24 days");
    // A hang-up is told of unasked.
    let told = poll(&mut [PollFd::new(process.as_fd(), PollFlags::empty())], limit);
    match (told, signal_process(process.as_fd(), 0, None)) {
        (Ok(1), _) => Ok(()),
        (_, Err(_)) => Err("this kernel does not tell when a process is reaped; 6.9 does".to_owned()),
        _ => Err("it is not reaped".to_owned()),
    }
}

/// The handler of `signal`, without flags, restorer and mask.
fn set_handler(signal: c_int, handler: libc::sighandler_t) -> io::Result<()> {
    let new = KernelAction([handler, 0, 0, 0, 0, 0]);
    // SAFETY: a live struct of sufficient size; a handler that is a function lives as long as the program.
    checked(unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            &raw const new,
            std::ptr::null_mut::<KernelAction>(),
            size_of::<Mask>(),
        )
    })
    .map(drop)
}

/// What the program at the other end of an exec shall find: exactly `ignored` ignored, all else default, `mask` blocked.
/// std ignores SIGPIPE at start and the C library keeps 32 and 33 to itself: therefore raw calls for every number.
pub fn set_inherited_signals(ignored: Mask, mask: Mask) {
    for signal in catchable() {
        ignore(signal, ignored & bit(signal) != 0).expect("rt_sigaction takes 1-64 but KILL and STOP");
    }
    set_mask(mask);
}

/// A signal as it was received (`siginfo_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub signal: c_int,
    pub code: c_int,
    pub pid: pid_t,
    pub uid: u32,
    /// The value of `sigqueue(3)`; 0 in other signals.
    pub value: isize,
}

/// `rt_sigtimedwait(2)`: takes one signal of `set`, which is blocked; None without end.
///
/// # Errors
/// EAGAIN after the timeout, EINTR after a stop.
pub fn take_signal(set: Mask, timeout: Option<Duration>) -> io::Result<Received> {
    // SAFETY: siginfo_t is plain data, for which zeros are valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let timeout = timeout.map(|t| libc::timespec { tv_sec: t.as_secs() as _, tv_nsec: t.subsec_nanos() as _ });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: live pointers, or null for no timeout; the set has the 8 bytes that the last argument names.
    let signal = checked(unsafe {
        libc::syscall(libc::SYS_rt_sigtimedwait, &raw const set, &raw mut info, timeout, size_of::<Mask>())
    })?;
    debug_assert_eq!(signal, c_long::from(info.si_signo));
    Ok(received(&info))
}

/// The words of a siginfo that the kernel has filled.
#[must_use]
pub fn received(info: &libc::siginfo_t) -> Received {
    // SAFETY: the union's words are plain data in every layout.
    let (pid, uid, value) = unsafe { (info.si_pid(), info.si_uid(), info.si_value().sival_ptr as isize) };
    // Only a queued signal has a value; in SIGCHLD those bytes are the status.
    let value = if info.si_code == libc::SI_QUEUE { value } else { 0 };
    Received { signal: info.si_signo, code: info.si_code, pid, uid, value }
}

/// `rt_sigaction(2)`: the handler of `signal`, or SIG_DFL, SIG_IGN.
#[must_use]
pub fn handler(signal: c_int) -> libc::sighandler_t {
    let mut old = KernelAction([0; 6]);
    // SAFETY: a null new action changes nothing; the old one is a live struct of sufficient size.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, std::ptr::null::<KernelAction>(), &raw mut old, size_of::<Mask>())
    };
    old.0[0]
}

/// `fcntl(2)`, F_GETFL: None for a descriptor that is not open.
#[must_use]
pub fn status_flags(fd: RawFd) -> Option<c_int> {
    // SAFETY: no pointer.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    (flags >= 0).then_some(flags)
}

/// A siginfo as `sigqueue(3)` makes it.
fn queued(signal: c_int, value: isize) -> libc::siginfo_t {
    // SAFETY: no pointers, and they cannot fail.
    let (pid, uid) = unsafe { (libc::getpid(), libc::getuid()) };
    forged(Received { signal, code: libc::SI_QUEUE, pid, uid, value })
}

/// A siginfo that says what its maker wants.
fn forged(words: Received) -> libc::siginfo_t {
    /// The head of `siginfo_t` in the layout of queued signals, 64-bit and 32-bit alike.
    #[repr(C)]
    struct Queued {
        signo: c_int,
        errno: c_int,
        code: c_int,
        #[cfg(target_pointer_width = "64")]
        pad: c_int,
        pid: pid_t,
        uid: u32,
        value: isize,
    }
    let Received { signal, code, pid, uid, value } = words;
    // SAFETY: plain data, for which zeros are valid, and larger than `Queued`, whose layout is the kernel's `_rt`.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        (&raw mut info).cast::<Queued>().write(Queued {
            signo: signal,
            errno: 0,
            code,
            #[cfg(target_pointer_width = "64")]
            pad: 0,
            pid,
            uid,
            value,
        });
        info
    }
}

/// `rt_sigqueueinfo(2)` with whatever siginfo: the kernel takes it as it is, if only its code is negative and not SI_TKILL.
///
/// # Errors
/// ESRCH, EPERM, EINVAL, EAGAIN.
pub fn forge(pid: pid_t, words: Received) -> io::Result<()> {
    let info = forged(words);
    // SAFETY: the siginfo lives until the call returns; the kernel copies it.
    checked(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid, words.signal, &raw const info) }).map(drop)
}

/// `tgkill(2)` to the first thread of a process.
///
/// # Errors
/// ESRCH, EPERM, EINVAL, EAGAIN.
pub fn kill_thread(pid: pid_t, signal: c_int) -> io::Result<()> {
    // SAFETY: no pointer.
    checked(unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, signal) }).map(drop)
}

/// `capset(2)`: no capability is left, neither permitted nor effective nor inheritable.
///
/// # Errors
/// EPERM.
pub fn drop_capabilities() -> io::Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3` and the pid 0, the caller's.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    let none = [0_u32; 6];
    // SAFETY: a live header, and two live structures of three words each.
    checked(unsafe { libc::syscall(libc::SYS_capset, HEADER.as_ptr(), none.as_ptr()) }).map(drop)
}

/// `prlimit(2)`: a limit of another process.
///
/// # Errors
/// EPERM, EINVAL, ESRCH.
pub fn set_limit_of(pid: pid_t, resource: u32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = [soft, hard];
    // SAFETY: a live structure of two words of 64 bits; null for the old one.
    checked(unsafe {
        libc::syscall(libc::SYS_prlimit64, pid, resource, limit.as_ptr(), std::ptr::null_mut::<libc::rlimit>())
    })
    .map(drop)
}

/// `pidfd_open(2)`; the descriptor closes on exec.
///
/// # Errors
/// ESRCH.
pub fn open_process(pid: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = checked(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just made it, so nobody else closes it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Waits until the process behind a pidfd has ended; false after the limit.
#[must_use]
pub fn wait_for_end(process: &OwnedFd, limit: Duration) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let limit = PollTimeout::try_from(limit).expect("a limit below 24 days");
    poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], limit).is_ok_and(|ready| ready == 1)
}

/// `pidfd_send_signal(2)`, as `kill(2)` (no value) or as `sigqueue(3)`; numbers 0–64.
///
/// # Errors
/// ESRCH, EPERM, EINVAL, EAGAIN.
pub fn signal_process(process: BorrowedFd, signal: c_int, value: Option<isize>) -> io::Result<()> {
    let info = value.map(|value| queued(signal, value));
    let info = info.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: null, or a live siginfo.
    checked(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, info, 0) }).map(drop)
}

/// `kill(2)`, or `rt_sigqueueinfo(2)` where there is a value.
///
/// # Errors
/// ESRCH, EPERM, EINVAL, EAGAIN.
pub fn kill(pid: pid_t, signal: c_int, value: Option<isize>) -> io::Result<()> {
    checked(match value {
        // SAFETY: no pointer.
        None => unsafe { libc::kill(pid, signal) }.into(),
        Some(value) => {
            let info = queued(signal, value);
            // SAFETY: the siginfo lives until the call returns; the kernel copies it.
            unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid, signal, &raw const info) }
        }
    })
    .map(drop)
}

/// `wait4(2)`: one child's end with its raw wait status; None where `WNOHANG` found nobody.
///
/// # Errors
/// ECHILD, EINTR.
pub fn wait(pid: pid_t, flags: c_int) -> io::Result<Option<(pid_t, c_int)>> {
    let mut status = 0;
    // SAFETY: a live int; null for no usage.
    let pid = checked(unsafe { libc::wait4(pid, &raw mut status, flags, std::ptr::null_mut()) }.into())?;
    Ok((pid != 0).then_some((pid as pid_t, status)))
}

/// Kills and reaps all children, and, where the caller is a subreaper, what comes to it from them, until nobody is left.
pub fn end_all_children() {
    let own = std::process::id();
    loop {
        let children = std::fs::read_to_string(format!("/proc/self/task/{own}/children")).unwrap_or_default();
        let children: Vec<_> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        for &child in &children {
            let _ = kill(child, libc::SIGKILL, None);
        }
        // As many ends are sure to come. To look again after each would take a thousand children a thousand looks.
        for _ in 0..children.len().max(1) {
            if wait(-1, 0).is_err() {
                return;
            }
        }
    }
}

/// No child that `running::spawn` starts is between fork and exec while this is held; so never hold it while starting one.
/// Until its exec a child has copies of our descriptors, and the kernel executes no file that is open for writing anywhere (ETXTBSY):
/// who writes a program holds this until the file is closed.
pub fn no_forks() -> MutexGuard<'static, ()> {
    static FORKS: Mutex<()> = Mutex::new(());
    FORKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `fork(2)`: None in the child. Only for single-threaded programs: the witness, the launcher, pid1.
///
/// # Errors
/// EAGAIN, ENOMEM.
pub fn fork() -> io::Result<Option<pid_t>> {
    // SAFETY: the callers have one thread, so the child may do all that its parent may.
    let pid = checked(unsafe { libc::fork() }.into())?;
    Ok((pid != 0).then_some(pid as pid_t))
}

/// `_exit(2)`: ends a forked child without running its parent's clean-up.
pub fn exit_now(status: c_int) -> ! {
    // SAFETY: it has no preconditions.
    unsafe { libc::_exit(status) }
}

/// `execve(2)` with the environment as it is; returns only on failure.
pub fn exec(program: &CStr, arguments: &[&CStr]) -> io::Error {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    let mut vector: Vec<*const c_char> = arguments.iter().map(|word| word.as_ptr()).collect();
    vector.push(std::ptr::null());
    // SAFETY: strings that live, in a vector ended by null; the environment is not changed by another thread.
    unsafe { libc::execve(program.as_ptr(), vector.as_ptr(), environ) };
    io::Error::last_os_error()
}

/// `close_range(2)`: every descriptor from `first` on closes on exec.
pub fn close_on_exec_from(first: RawFd) {
    // SAFETY: changes flags only.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    assert_eq!(done, 0, "close_range: {}", io::Error::last_os_error());
}

/// `fcntl(2)`, F_SETFD: this descriptor closes on exec.
///
/// # Errors
/// EBADF.
pub fn close_on_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: no pointer.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }.into()).map(drop)
}

/// `close(2)` by number, for descriptors that the caller was given by number.
pub fn close(fd: RawFd) {
    // SAFETY: the single-threaded callers own their whole table.
    unsafe { libc::close(fd) };
}

/// `dup2(2)`: `to` is the same open file as `from` and stays open on exec.
///
/// # Errors
/// EBADF, EMFILE.
pub fn duplicate(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: the single-threaded callers own their whole table.
    checked(unsafe { libc::dup2(from, to) }.into()).map(drop)
}

/// Takes a descriptor that was inherited by number.
#[must_use]
pub fn inherited(fd: RawFd) -> OwnedFd {
    // SAFETY: the starter passed it for this purpose, and it is taken once.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Makes the command's process keep `fds` open, under their own numbers.
pub fn pass_on(command: &mut Command, fds: Vec<OwnedFd>) {
    let keep = move || {
        for fd in &fds {
            // SAFETY: no pointer; the descriptor is open, for the closure owns it.
            if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec it calls nothing but fcntl, which is async-signal-safe.
    unsafe { command.pre_exec(keep) };
}

/// Makes the command's process stop at its first instruction, traced by the thread that spawns it (`ptrace(2)`).
pub fn stop_at_start(command: &mut Command) {
    // SAFETY: between fork and exec it makes one system call, which is async-signal-safe.
    unsafe { command.pre_exec(|| Ok(nix::sys::ptrace::traceme()?)) };
}

/// Makes the command's process die with the thread that spawns it.
pub fn die_with_parent(command: &mut Command) {
    // SAFETY: between fork and exec it makes one system call, which is async-signal-safe.
    unsafe { command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?)) };
}

/// A duplicate that closes on exec, with a number from `FIRST_PASSED` on, out of the way of the numbers that tests ask for.
pub fn duplicate_high(fd: BorrowedFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointer.
    let copy = checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_PASSED) }.into())?;
    // SAFETY: the kernel has just made it, so nobody else closes it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as RawFd) })
}

/// The lowest number of a descriptor that the library passes to the launcher.
pub const FIRST_PASSED: RawFd = 200;

/// `mount_setattr(2)`: every mount from `/` down becomes read-only (in the caller's own mount namespace).
///
/// # Errors
/// EPERM; ENOSYS before Linux 5.12.
pub fn make_all_read_only() -> io::Result<()> {
    /// `struct mount_attr`.
    #[repr(C)]
    struct Attributes([u64; 4]);
    let attributes = Attributes([libc::MOUNT_ATTR_RDONLY, 0, 0, 0]);
    // SAFETY: a C string and a live structure of the size named.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            c"/".as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    })
    .map(drop)
}

/// `prctl(PR_SET_PTRACER)`: Yama lets any process of the user trace this one (strace attaches from outside the tree).
pub fn allow_tracing() {
    // SAFETY: no pointers. Without Yama it fails with EINVAL, and is not needed.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY) };
}

/// Reads from a page that may not be read: the kernel sends SIGSEGV for a fault of the caller's own.
pub fn fault() {
    // SAFETY: a fresh mapping of our own; the read of it ends the process or comes back from a handler, and its value is not used.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0);
        page.cast::<u8>().read_volatile();
    }
}

/// `shmget(2)`, `shmat(2)`: runs `look` on the System V shared memory `key` of the caller's IPC namespace, made if `make`.
///
/// # Errors
/// ENOENT, EEXIST, ENOMEM.
pub fn shared_memory<T>(key: i32, make: bool, look: impl FnOnce(&mut [u8; 4096]) -> T) -> io::Result<T> {
    let flags = if make { libc::IPC_CREAT | libc::IPC_EXCL | 0o600 } else { 0 };
    // SAFETY: no pointer.
    let number = checked(unsafe { libc::shmget(key, 4096, flags) }.into())?;
    // SAFETY: the kernel chooses the place.
    let place = unsafe { libc::shmat(number as c_int, std::ptr::null(), 0) };
    if place.addr() == usize::MAX {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has mapped the 4096 bytes; no other process of a test writes to them at the same time.
    let result = look(unsafe { &mut *place.cast() });
    // SAFETY: mapped above, and no longer borrowed.
    unsafe { libc::shmdt(place) };
    Ok(result)
}

/// Brings the loopback interface of the caller's network namespace up and gives it this address (`netdevice(7)`).
///
/// # Errors
/// EPERM.
pub fn set_loopback(address: std::net::Ipv4Addr) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: plain data, for which zeros are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[..2].copy_from_slice(&[b'l' as c_char, b'o' as c_char]);
    request.ifr_ifru.ifru_flags = libc::IFF_UP as _;
    // SAFETY: a live request of the kind that the call reads, twice; an IPv4 address fits into the general one.
    unsafe {
        checked(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request).into())?;
        let mut place: libc::sockaddr_in = std::mem::zeroed();
        place.sin_family = libc::AF_INET as _;
        place.sin_addr.s_addr = u32::from(address).to_be();
        request.ifr_ifru.ifru_addr = (&raw const place).cast::<libc::sockaddr>().read();
        checked(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFADDR as _, &raw const request).into())?;
    }
    Ok(())
}

/// `nice(2)`, relative.
///
/// # Errors
/// EPERM.
pub fn change_nice(by: c_int) -> io::Result<()> {
    // SAFETY: `priority` is process-wide state, no pointers.
    checked(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, libc::getpriority(libc::PRIO_PROCESS, 0) + by) }.into())
        .map(drop)
}

/// `getpriority(2)` of the calling process.
#[must_use]
pub fn nice() -> c_int {
    // SAFETY: no pointers.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// `sched_setscheduler(2)` of the calling thread: SCHED_FIFO of the lowest rank, ahead of all that has none; or as usual.
///
/// # Errors
/// EPERM.
pub fn take_precedence(ahead: bool) -> io::Result<()> {
    let policy = if ahead { libc::SCHED_FIFO } else { libc::SCHED_OTHER };
    // The kernel's `struct sched_param` is one number; musl's has more.
    let parameter = c_int::from(ahead);
    // SAFETY: a live number.
    checked(unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, &raw const parameter) }).map(drop)
}

/// `setrlimit(2)` by the kernel's number of the resource.
///
/// # Errors
/// EPERM, EINVAL.
pub fn set_limit(resource: u32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: soft as _, rlim_max: hard as _ };
    // SAFETY: a live structure.
    checked(unsafe { libc::setrlimit(resource as _, &raw const limit) }.into()).map(drop)
}

/// `getrlimit(2)`: soft and hard limit.
#[must_use]
#[allow(clippy::unnecessary_cast)] // rlim_t is 32 bits wide on some targets.
pub fn limit(resource: u32) -> (u64, u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a live structure.
    unsafe { libc::getrlimit(resource as _, &raw mut limit) };
    (limit.rlim_cur as u64, limit.rlim_max as u64)
}

/// `ioctl(TIOCSCTTY)`: the terminal `fd` becomes the controlling terminal of the caller, a session leader without one.
///
/// # Errors
/// EPERM, ENOTTY.
pub fn take_terminal(fd: RawFd) -> io::Result<()> {
    // SAFETY: no pointer.
    checked(unsafe { libc::ioctl(fd, libc::TIOCSCTTY, 0) }.into()).map(drop)
}

/// `tcgetpgrp(3)`: -1 where `fd` is not the controlling terminal.
#[must_use]
pub fn foreground_group(fd: RawFd) -> pid_t {
    // SAFETY: no pointer that we own.
    unsafe { libc::tcgetpgrp(fd) }
}

/// `tcsetpgrp(3)`.
///
/// # Errors
/// ENOTTY, EPERM.
pub fn set_foreground_group(fd: RawFd, group: pid_t) -> io::Result<()> {
    // SAFETY: no pointer that we own.
    checked(unsafe { libc::tcsetpgrp(fd, group) }.into()).map(drop)
}

/// The words that the C runtime hands to a `main` of ours.
///
/// # Safety
/// `count` and `vector` are those of `main`.
#[must_use]
pub unsafe fn words_of_main(count: c_int, vector: *const *const c_char) -> Vec<std::ffi::OsString> {
    use std::os::unix::ffi::OsStringExt;
    (0..count as usize)
        // SAFETY: by the caller's promise there are `count` C strings.
        .map(|i| unsafe { CStr::from_ptr(*vector.add(i)) })
        .map(|word| std::ffi::OsString::from_vec(word.to_bytes().to_vec()))
        .collect()
}

/// Makes `$run: fn(Vec<OsString>) -> i32` the program, past std's start-up, which would ignore SIGPIPE, open closed
/// descriptors and install handlers: the witness must find what it inherited.
#[macro_export]
macro_rules! main_without_runtime {
    ($run:path) => {
        #[unsafe(no_mangle)]
        #[allow(unsafe_code)]
        pub unsafe extern "C" fn main(count: ::libc::c_int, vector: *const *const ::libc::c_char) -> ::libc::c_int {
            // SAFETY: called by the C runtime only, with the program's own words.
            $run(unsafe { $crate::sys::words_of_main(count, vector) })
        }
    };
}
