//! From the child's end to init's exit status.

use core::ffi::c_int;

/// How `wait4(2)` encodes an end: the raw `int`.
pub type WaitStatus = c_int;

/// init could not do its own work, or the command line was wrong (contract I5, I10).
pub const OWN_FAILURE: u8 = 1;
/// The program was found, but could not be executed (POSIX `sh`, "Exit Status for Commands").
pub const CANNOT_EXECUTE: u8 = 126;
/// The program, or its interpreter, was not found (as above).
pub const NOT_FOUND: u8 = 127;

/// The signal that ended the process; `None` if it exited.
#[must_use]
pub const fn death_signal(status: WaitStatus) -> Option<c_int> {
    match status & 0x7f {
        0 => None,
        signal => Some(signal),
    }
}

/// What a shell shows for `status`: the exit status, or 128+n for death by signal n (contract I18).
/// Defined for every `int`; the encodings of "stopped" and "continued" never come here, for init does not wait for them.
#[must_use]
pub const fn exit_status(status: WaitStatus) -> u8 {
    match death_signal(status) {
        None => (status >> 8 & 0xff) as u8,
        Some(signal) => 128 + signal as u8,
    }
}

/// The exit status for an exec that failed with `errno` (contract I10).
#[must_use]
pub const fn exec_failure(errno: c_int) -> u8 {
    if errno == libc::ENOENT { NOT_FOUND } else { CANNOT_EXECUTE }
}

/// The exit statuses that count as success (`--expect`): a bit for each.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Expected([u32; 8]);

impl Expected {
    /// None.
    pub const NONE: Self = Self([0; 8]);

    /// Adds `code`.
    pub fn insert(&mut self, code: u8) {
        if let Some(word) = self.0.get_mut(usize::from(code / 32)) {
            *word |= 1 << (code % 32);
        }
    }

    /// 0 if `status` is expected, else `status`.
    #[must_use]
    pub fn apply(&self, status: u8) -> u8 {
        let word = self.0.get(usize::from(status / 32)).copied().unwrap_or(0);
        if word >> (status % 32) & 1 != 0 { 0 } else { status }
    }
}
