//! The terminal.

use super::{Pid, word};
use bare::{Errno, syscall};
use core::ffi::c_int;

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
/// SIGTTIN is blocked (drivers/tty/tty_jobctrl.c, `__tty_check_change`). Numbers do not tell where both groups lie outside this
/// PID namespace: then both are 0. The descriptor must be non-blocking: a read waits for the one of another process, even for no
/// byte. (Then the answer is EAGAIN, and the terminal's foreground was checked before.)
pub fn may_read(terminal: c_int) -> bool {
    !matches!(super::read(terminal, &mut []), Err(Errno::EIO))
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

/// `TIOCGWINSZ` (ioctl_tty(2)): is the descriptor a terminal?
pub fn is_terminal(descriptor: c_int) -> bool {
    let mut size = [0_u16; 4];
    // SAFETY: a live `struct winsize` of four shorts for the answer.
    unsafe { syscall(libc::SYS_ioctl, [word(descriptor), libc::TIOCGWINSZ as usize, &raw mut size as usize]) }.is_ok()
}
