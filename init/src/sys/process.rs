//! Processes: their birth, their state, their groups.

use super::{Pid, word};
use bare::{Errno, syscall};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use init_core::signal::SignalNumber;

/// `pidfd_open(2)`, closed on exec.
///
/// # Errors
/// ESRCH; ENOSYS before 5.3, EMFILE, ENFILE, or what a seccomp filter says.
pub fn open_process(pid: Pid) -> Result<c_int, Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_pidfd_open, [word(pid), 0]) }.map(|descriptor| descriptor as c_int)
}

/// `waitid(2)`, WSTOPPED and WNOWAIT: the signal that this child is stopped by now, if it is.
pub fn stopped_by(pid: Pid) -> Option<SignalNumber> {
    wait_for(libc::P_PID, pid, libc::WSTOPPED | libc::WNOWAIT).map(|(_, signal)| signal)
}

/// `waitid(2)`, WSTOPPED: takes the child's stop as told. The kernel tells of it only once so (kernel/exit.c,
/// `wait_task_stopped`).
pub fn consume_stop(pid: Pid) {
    let _ = wait_for(libc::P_PID, pid, libc::WSTOPPED);
}

/// `waitid(2)`, WEXITED and WNOWAIT: a dead child, which stays a zombie; 0 if there is none.
pub fn dead_child() -> Pid {
    wait_for(libc::P_ALL, 0, libc::WEXITED | libc::WNOWAIT).map_or(0, |(pid, _)| pid)
}

/// `waitid(2)`, WNOHANG: the child that there is something to tell of, and its exit status or signal.
fn wait_for(which: libc::idtype_t, pid: Pid, options: c_int) -> Option<(Pid, c_int)> {
    let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
    let words = [which as usize, word(pid), info.as_mut_ptr() as usize, word(options | libc::WNOHANG), 0];
    // SAFETY: a siginfo of the kernel's size; null for the resource usage.
    unsafe { syscall(libc::SYS_waitid, words) }.ok()?;
    // SAFETY: the kernel has written all that is read; where there is nothing to tell, zeroes (kernel/exit.c, `waitid`).
    unsafe {
        let info = info.assume_init_ref();
        (info.si_signo != 0).then(|| (info.si_pid(), info.si_status()))
    }
}

/// `sched_yield(2)`: a process that waits for this processor comes first. It cannot fail.
pub fn give_way() {
    // SAFETY: no argument.
    let _ = unsafe { syscall(libc::SYS_sched_yield, []) };
}

/// `fork(2)`: clone(2) with SIGCHLD alone, which shares no memory; returns 0 in the child, where every signal is still blocked.
///
/// # Errors
/// EAGAIN (a limit on processes), ENOMEM, what a seccomp filter says.
pub fn fork() -> Result<Pid, Errno> {
    let words = [libc::SIGCHLD as usize, 0, 0, 0, 0];
    // SAFETY: no pointer; no stack is given, so the child goes on where the parent does, on a copy.
    unsafe { syscall(libc::SYS_clone, words) }.map(|pid| pid as Pid)
}

/// `getppid(2)`; 0 if the parent is outside this PID namespace.
pub fn parent_pid() -> Pid {
    // SAFETY: no pointer. It cannot fail.
    unsafe { syscall(libc::SYS_getppid, []) }.unwrap_or(0) as Pid
}

/// `getpgid(2)`: the process group of `pid`; 0 means the caller. The answer is 0 if the group lies outside the PID namespace.
///
/// # Errors
/// ESRCH.
pub fn group_of(pid: Pid) -> Result<Pid, Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_getpgid, [word(pid)]) }.map(|group| group as Pid)
}

/// `getsid(2)` of the caller.
pub fn own_session() -> Pid {
    // SAFETY: no pointer. It cannot fail for the caller itself.
    unsafe { syscall(libc::SYS_getsid, [0]) }.unwrap_or(0) as Pid
}

/// `setpgid(2)`: moves `pid` into a group of its own; 0 means the caller.
///
/// # Errors
/// EACCES if that child has executed its program already.
pub fn make_group(pid: Pid) -> Result<(), Errno> {
    // SAFETY: no pointer.
    unsafe { syscall(libc::SYS_setpgid, [word(pid), word(pid)]) }.map(drop)
}

/// `setsid(2)`: a new session, and a group of the same number. A child that has just been forked leads no group: no error.
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
