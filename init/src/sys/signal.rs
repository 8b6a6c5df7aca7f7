//! Signals: what was taken, waiting, sending.

use super::{Pid, word};
use bare::{Errno, Mask, syscall};
use core::ffi::{c_int, c_long};
use core::mem::MaybeUninit;
use init_core::cli::Milliseconds;
use init_core::signal::{SignalNumber, SignalSet};
use init_core::supervise::{Received, Time};

/// What the kernel says of a signal that was taken (`siginfo_t`, sigaction(2)).
#[derive(Clone, Copy)]
pub struct Info(MaybeUninit<libc::siginfo_t>);

impl Info {
    /// For [`wait_signal`] to fill. Nothing else may be asked of it before.
    pub const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// The whole.
    const fn get(&self) -> &libc::siginfo_t {
        // SAFETY: only asked after the kernel has filled it, to the last byte (kernel/signal.c, `copy_siginfo_to_user`).
        unsafe { self.0.assume_init_ref() }
    }

    /// What decisions depend on. `own_pid` is init's.
    pub fn received(&self, own_pid: Pid) -> Received {
        let info = self.get();
        Received {
            number: info.si_signo,
            by_kernel: info.si_code == libc::SI_KERNEL,
            // SAFETY: `si_pid` is the sender as seen from here, 0 if it is outside this PID namespace; where there is no sender
            // something else stands there, as defined as this.
            by_init: unsafe { info.si_pid() } == own_pid,
            // The kernel lets a process pass on only what neither the kernel nor kill(2) sent: a negative `si_code` other than
            // SI_TKILL (rt_sigqueueinfo(2)).
            is_queued: info.si_code < 0 && info.si_code != libc::SI_TKILL,
        }
    }

    /// Makes it another signal.
    pub const fn set_number(&mut self, number: SignalNumber) {
        // SAFETY: a field of memory of our own.
        unsafe { (*self.0.as_mut_ptr()).si_signo = number };
    }
}

/// `struct timespec`: seconds and nanoseconds, each one word, as every architecture's first calls of these names take them.
#[repr(C)]
struct Timespec([c_long; 2]);

/// Calls `call` with the address of a timeout: null for none.
#[inline(always)]
fn with_timeout<R>(timeout: Option<Milliseconds>, call: impl FnOnce(usize) -> R) -> R {
    let span = timeout.unwrap_or_default().0;
    // It fits any word.
    let time = Timespec([(span / 1000) as c_long, (span % 1000 * 1_000_000) as c_long]);
    call(if timeout.is_some() { &raw const time as usize } else { 0 })
}

/// `clock_gettime(2)`, CLOCK_MONOTONIC. It cannot fail.
pub fn now() -> Time {
    let mut time = Timespec([0; 2]);
    // SAFETY: a live timespec for the answer.
    let _ = unsafe { syscall(libc::SYS_clock_gettime, [libc::CLOCK_MONOTONIC as usize, &raw mut time as usize]) };
    Time(time.0[0] as u64 * 1000 + time.0[1] as u64 / 1_000_000)
}

/// `rt_sigtimedwait(2)`: takes one pending signal of `set` into `info`, waiting for `timeout` at most.
///
/// # Errors
/// EAGAIN when the time is up, EINTR after a stop, by a tracer or the freezer.
pub fn wait_signal(set: SignalSet, info: &mut Info, timeout: Option<Milliseconds>) -> Result<(), Errno> {
    let set: Mask = set.bits();
    with_timeout(timeout, |timeout| {
        let words = [&raw const set as usize, &raw mut info.0 as usize, timeout, size_of::<Mask>()];
        // SAFETY: pointers to a live set of 8 bytes, to a siginfo of the kernel's 128 bytes, and to a timespec or null.
        unsafe { syscall(libc::SYS_rt_sigtimedwait, words) }
    })
    .map(drop)
}

/// `signalfd4(2)`: becomes readable when any signal is pending. `None` if it cannot be made.
pub fn signal_descriptor() -> Option<c_int> {
    let all = bare::ALL_SIGNALS;
    let words = [usize::MAX, &raw const all as usize, size_of::<Mask>(), libc::SFD_CLOEXEC as usize];
    // SAFETY: a live set of 8 bytes.
    unsafe { syscall(libc::SYS_signalfd4, words) }.ok().map(|descriptor| descriptor as c_int)
}

/// What [`poll`] finds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// Neither is readable: time is up, or a signal came that stops, traces or freezes.
    Neither,
    /// The first one is.
    First,
    /// Only the second one is.
    Second,
    /// The call failed: ENOMEM, or what a seccomp filter says.
    Failed,
}

/// `ppoll(2)`: waits for `timeout` at most until one of two descriptors is readable. A negative one never is.
pub fn poll(first: c_int, second: c_int, timeout: Option<Milliseconds>) -> Polled {
    let polled = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut polled = [polled(first), polled(second)];
    let outcome = with_timeout(timeout, |timeout| {
        // SAFETY: two live pollfds, a live timespec or null, no mask.
        unsafe { syscall(libc::SYS_ppoll, [polled.as_mut_ptr() as usize, 2, timeout, 0, 0]) }
    });
    match outcome {
        Err(error) if error != Errno::EINTR => Polled::Failed,
        _ if polled[0].revents != 0 => Polled::First,
        _ if polled[1].revents != 0 => Polled::Second,
        _ => Polled::Neither,
    }
}

/// `kill(2)`: `target` is a pid, or the negative id of a process group.
///
/// # Errors
/// EPERM, ESRCH.
pub fn kill(target: Pid, signal: SignalNumber) -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_kill, [word(target), word(signal)]) }.map(drop)
}

/// `rt_sigqueueinfo(2)`: sends the signal, with all that `info` carries, to the process `pid`.
///
/// # Errors
/// EAGAIN beyond the receiving user's RLIMIT_SIGPENDING; EPERM, ESRCH.
pub fn queue(pid: Pid, info: &Info) -> Result<(), Errno> {
    let words = [word(pid), word(info.get().si_signo), info.0.as_ptr() as usize];
    // SAFETY: a live siginfo; the kernel only reads it.
    unsafe { syscall(libc::SYS_rt_sigqueueinfo, words) }.map(drop)
}

/// `pidfd_send_signal(2)` with PIDFD_SIGNAL_PROCESS_GROUP: as [`queue`], to the group that `leader` leads.
///
/// # Errors
/// EINVAL before Linux 6.9, ENOSYS before 5.3; EAGAIN, EPERM, ESRCH as above.
pub fn queue_group(leader: Pid, info: &Info) -> Result<(), Errno> {
    const PIDFD_SIGNAL_PROCESS_GROUP: usize = 1 << 2;
    let pidfd = super::open_process(leader)?;
    let words = [word(pidfd), word(info.get().si_signo), info.0.as_ptr() as usize, PIDFD_SIGNAL_PROCESS_GROUP];
    // SAFETY: a live siginfo that the kernel only reads; it wants the number in it to be the one that is sent.
    let sent = unsafe { syscall(libc::SYS_pidfd_send_signal, words) };
    bare::close(pidfd);
    sent.map(drop)
}

/// `pidfd_send_signal(2)`: to the process that `pidfd` refers to, whatever its number is by now. Before Linux 5.1, and without a
/// pidfd, its number must do. With all that `info` carries, if there is any.
///
/// # Errors
/// EAGAIN beyond the receiving user's RLIMIT_SIGPENDING; EPERM, ESRCH.
pub fn signal_process(pidfd: c_int, pid: Pid, signal: SignalNumber, info: Option<&Info>) -> Result<(), Errno> {
    // A filter that refuses both calls gives no pidfd, and EPERM for the second one as well: it is not tried.
    if pidfd >= 0 {
        let address = info.map_or(0, |info| info.0.as_ptr() as usize);
        // SAFETY: a live siginfo that the kernel only reads, or null.
        let sent = unsafe { syscall(libc::SYS_pidfd_send_signal, [word(pidfd), word(signal), address, 0]) };
        if sent != Err(Errno::ENOSYS) {
            return sent.map(drop);
        }
    }
    info.map_or_else(|| kill(pid, signal), |info| queue(pid, info))
}

/// `prlimit(2)`: lowers init's own RLIMIT_SIGPENDING by one. What is queued counts for the user, and against the receiver's
/// limit (kernel/signal.c, `__sigqueue_alloc`): whatever init's own queue holds, there is a place left in the child's.
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

/// `rt_sigpending(2)`: the blocked signals that wait.
pub fn pending() -> Mask {
    let mut set: Mask = 0;
    // SAFETY: a live set of 8 bytes for the answer.
    let _ = unsafe { syscall(libc::SYS_rt_sigpending, [&raw mut set as usize, size_of::<Mask>()]) };
    set
}
