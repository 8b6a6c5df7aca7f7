//! Processes: the caller's own number and end, and its dead children.

use crate::{Errno, set_disposition, syscall};
use core::ffi::c_int;

/// `getpid(2)`.
#[must_use]
pub fn own_pid() -> c_int {
    // SAFETY: no argument. It cannot fail.
    unsafe { syscall(libc::SYS_getpid, []) }.unwrap_or(0) as c_int
}

/// `exit_group(2)`: ends the program with `status`.
#[inline(always)]
pub fn exit(status: u8) -> ! {
    loop {
        // SAFETY: no pointer. It does not return; the loop tells the compiler that.
        let _ = unsafe { syscall(libc::SYS_exit_group, [status as usize]) };
    }
}

/// `wait4(2)`, WNOHANG: reaps one child and returns its pid, with its wait status in `status`; 0 if no child is dead. `pid` is
/// the child to reap; −1 is any.
///
/// # Errors
/// ECHILD if there is no such child at all.
pub fn reap(pid: c_int, status: &mut c_int) -> Result<c_int, Errno> {
    let words = [pid as isize as usize, &raw mut *status as usize, libc::WNOHANG as usize, 0];
    // SAFETY: a live int for the status; null for the resource usage.
    unsafe { syscall(libc::SYS_wait4, words) }.map(|pid| pid as c_int)
}

/// Lets the kernel reap from now on, by ignoring SIGCHLD (wait(2), NOTES). Children that are dead already are reaped here.
pub fn let_the_kernel_reap() {
    set_disposition(libc::SIGCHLD, libc::SIG_IGN);
    let mut status = 0;
    while reap(-1, &mut status).is_ok_and(|pid| pid != 0) {}
}
