//! `bare`: what both programs need from the kernel, without a C library: the entry point, the words that the kernel leaves on
//! the stack, the raw system call, signal masks, and a standard error that can never hold PID 1 up.
//!
//! No C library is linked. Its start-up makes system calls and writes a data page before `main`, and both programs promise
//! that their own first call blocks signals (contract I6, P4).

#![no_std]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unsafe_code)] // The layer below both programs: where it talks to the kernel.

mod arch;
mod errno;
mod memory;
mod output;
mod process;
mod signal;
mod start;

pub use errno::Errno;
pub use output::{close, print, say, write};
pub use process::{exit, let_the_kernel_reap, own_pid, reap};
pub use signal::{ALL_SIGNALS, Mask, SET_MASK, bit, drop_write_signals, set_disposition, set_mask, take_signal};
pub use start::{Start, Words};

use core::ffi::c_long;

/// What `init --version` prints (contract I3). dockerd parses this line: it wants `tini version `, and after ` - ` `git.` and a hash.
pub const INIT_VERSION: &str =
    concat!("tini version ", env!("CARGO_PKG_VERSION"), "_bitts - git.", env!("BITTS_GIT_HASH"), "\n");

/// What `pause -v` prints (contract P5).
pub const PAUSE_VERSION: &str = concat!("pause ", env!("CARGO_PKG_VERSION"), " (git ", env!("BITTS_GIT_HASH"), ")\n");

/// `syscall(2)`: one system call with at most six argument words.
///
/// # Errors
/// The kernel's `-errno` as [`Errno`]. No call that is used returns another negative value.
///
/// # Safety
/// As for the call itself: each pointer among `words` must be valid for what the call does with it.
#[inline(always)]
pub unsafe fn syscall<const N: usize>(number: c_long, words: [usize; N]) -> Result<isize, Errno> {
    // SAFETY: the caller answers for the pointers.
    let value = unsafe { arch::raw_call(number, words) };
    if value < 0 { Err(Errno::of(value)) } else { Ok(value) }
}
