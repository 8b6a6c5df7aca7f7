//! How a program is found and told from a script (contract I9, I10).

use crate::bytes::{behind, take};
use core::ffi::c_int;

/// Where programs are looked for when PATH is unset.
pub const DEFAULT_PATH: &[u8] = b"/usr/local/bin:/bin:/usr/bin";

/// The longest path that the kernel takes, its null byte included (limits.h, PATH_MAX).
pub const PATH_MAX: usize = 4096;

/// A C string under construction, in memory of the caller's.
pub struct Buffer<'b> {
    /// Its memory.
    bytes: &'b mut [u8],
    /// How long it is, what did not fit included.
    length: usize,
}

impl<'b> Buffer<'b> {
    /// Empty.
    #[must_use]
    pub const fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, length: 0 }
    }

    /// How long it is, what did not fit included.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Forgets what comes after the first `length` bytes.
    pub const fn cut(&mut self, length: usize) {
        self.length = length;
    }

    /// Adds `bytes`. What does not fit makes the whole too long.
    #[inline(never)]
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = *byte;
            }
            self.length += 1;
        }
    }

    /// Adds a number that is not negative.
    pub fn add_number(&mut self, number: c_int) {
        if number >= 10 {
            self.add_number(number / 10);
        }
        self.add(&[b'0' + (number % 10) as u8]);
    }

    /// What it holds; nothing if it was too long.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The same with a null byte behind it; nothing if it was too long.
    pub fn string(&mut self) -> &[u8] {
        self.add(&[0]);
        self.length -= 1;
        self.bytes.get(..=self.length).unwrap_or_default()
    }

    /// As [`Buffer::string`], for as long as the memory lives.
    #[must_use]
    pub fn into_string(mut self) -> &'b [u8] {
        self.add(&[0]);
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Does a file that begins with `head`, and that the kernel does not know to execute, look like a script for the shell?
/// Not if it is a program of another architecture, nor if its first line holds a null byte (POSIX, `sh`, "Command Search").
#[must_use]
pub fn is_script(head: &[u8]) -> bool {
    let line = take(&mut &*head, b'\n');
    behind(head, b"\x7fELF").is_none() && line.iter().all(|byte| *byte != 0)
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
