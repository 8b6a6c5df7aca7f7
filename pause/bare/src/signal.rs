//! Signal masks, dispositions, and the taking of pending signals.

use crate::{Errno, syscall};
use core::ffi::{c_int, c_long};

/// A set of signals as the kernel's `rt_` calls take it: bit n-1 is signal n (`sigset_t` of 64 signals).
/// Not the C library's `sigset_t`: that one hides 32 to 34.
pub type Mask = u64;

/// Every signal. KILL and STOP stay deliverable all the same (kernel/signal.c, `set_current_blocked`).
pub const ALL_SIGNALS: Mask = Mask::MAX;

/// For [`crate::program!`]: SIG_SETMASK and the number of `rt_sigprocmask(2)`.
pub const SET_MASK: (c_int, c_long) = (libc::SIG_SETMASK, libc::SYS_rt_sigprocmask);

/// The mask of one signal, 1 to 64.
#[must_use]
pub const fn bit(signal: c_int) -> Mask {
    1 << (signal - 1)
}

/// `rt_sigprocmask(2)`, SIG_SETMASK: replaces the signal mask and returns the old one. It cannot fail with valid pointers.
#[inline(never)]
pub fn set_mask(mask: Mask) -> Mask {
    let mut old: Mask = 0;
    let words = [libc::SIG_SETMASK as usize, &raw const mask as usize, &raw mut old as usize, size_of::<Mask>()];
    // SAFETY: both pointers are to live words of the 8 bytes that the last argument names.
    let _ = unsafe { syscall(libc::SYS_rt_sigprocmask, words) };
    old
}

/// The kernel's `struct sigaction`: the handler comes first on every architecture that we build for; flags, restorer and mask
/// are 0 here, so their order does not matter. Six words are enough for each of them.
#[repr(C)]
struct KernelAction([usize; 6]);

/// `rt_sigaction(2)`: sets the disposition of `signal` to SIG_DFL or SIG_IGN and returns the old handler word.
pub fn set_disposition(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    let new = KernelAction([handler, 0, 0, 0, 0, 0]);
    // An address of its own: an emulator may write the old action before it reads the new one (qemu-user does).
    let mut old = KernelAction([0; 6]);
    let words = [signal as usize, &raw const new as usize, &raw mut old as usize, size_of::<Mask>()];
    // SAFETY: both structs are as large as the largest `struct sigaction`; no handler of ours is installed.
    let _ = unsafe { syscall(libc::SYS_rt_sigaction, words) };
    old.0[0]
}

/// `rt_sigtimedwait(2)` without a timeout: takes one pending signal of `set` and returns its number.
///
/// # Errors
/// EINTR when a stop, a tracer or the freezer woke it.
#[inline(always)]
pub fn take_signal(set: Mask) -> Result<c_int, Errno> {
    // SAFETY: `set` is a live word of 8 bytes; null for siginfo and timeout means none.
    unsafe { syscall(libc::SYS_rt_sigtimedwait, [&raw const set as usize, 0, 0, size_of::<Mask>()]) }
        .map(|signal| signal as c_int)
}

/// Drops a pending SIGPIPE or SIGXFSZ: a failed write to a broken stderr, or to a file at its size limit, raises it in the
/// writer (pipe(7), setrlimit(2)).
pub fn drop_write_signals() {
    let set = bit(libc::SIGPIPE) | bit(libc::SIGXFSZ);
    // Two words of 0 are a zero timeout, in the `timespec` of every architecture.
    let zero: [c_long; 2] = [0; 2];
    let words = [&raw const set as usize, 0, &raw const zero as usize, size_of::<Mask>()];
    // SAFETY: pointers to a live word of 8 bytes and to a live timespec; null for siginfo means none.
    while unsafe { syscall(libc::SYS_rt_sigtimedwait, words) }.is_ok() {}
}
