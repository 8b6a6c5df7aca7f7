//! The system calls of `init`, cut by what they act on. All `unsafe` of `init` is here; what `pause` needs as well is in `bare`.

#![allow(unsafe_code)] // The one folder of this program where it is allowed.

mod descriptor;
mod exec;
mod process;
mod signal;
mod terminal;

pub use descriptor::*;
pub use exec::*;
pub use process::*;
pub use signal::*;
pub use terminal::*;

use core::ffi::c_int;

/// A process id of the kernel: at most 2^22.
pub type Pid = c_int;

/// A signed word as the kernel takes it.
const fn word(value: c_int) -> usize {
    (value as isize).cast_unsigned()
}
