//! How a program is found and told from a script (contract I9, I10).

use crate::bytes::{after, take};
use core::ffi::c_int;

/// Where programs are looked up if PATH is unset.
pub const DEFAULT_PATH: &[u8] = b"/usr/local/bin:/bin:/usr/bin";

/// Room for any path that the kernel takes, at most 4,096 bytes with its null byte (limits.h, PATH_MAX), and for one byte more:
/// a path that does not fit is still too long for the kernel when it is cut.
pub const PATH_ROOM: usize = 4096 + 1;

/// Does a file that begins with `head`, and that the kernel does not know how to execute, look like a script for the shell?
/// Not if it is a program of another architecture, nor if its first line has a null byte (POSIX, `sh`, "Command Search").
#[must_use]
pub fn is_script(head: &[u8]) -> bool {
    let line = take(&mut &*head, b'\n');
    after(head, b"\x7fELF").is_none() && line.iter().all(|byte| *byte != 0)
}

/// Does the search on PATH go on after exec failed with `errno` in one directory (execvp, exec(3))?
#[must_use]
pub const fn search_goes_on(errno: c_int) -> bool {
    matches!(
        errno,
        libc::EACCES
            | libc::ENOENT
            | libc::ENOTDIR
            | libc::ENAMETOOLONG
            | libc::ESTALE
            | libc::ENODEV
            | libc::ETIMEDOUT
    )
}
