//! The faults of the bad init and the bad pause (src/bin/bad-init.rs, bad-pause.rs): programs that do what the contract says
//! but for the one thing that they are told to do wrong. They show that the conformance suite notices it.

use std::ffi::OsString;
use std::sync::OnceLock;

/// What this process does wrong; set once, by [`take`].
static FAULT: OnceLock<String> = OnceLock::new();

/// Takes `--fault NAME` out of the words, where it stands behind the program's name. In NAME a blank is an underline, so that it
/// stays one word in a shell.
pub fn take(words: &mut Vec<OsString>) {
    if words.get(1).is_some_and(|word| word == "--fault") {
        let name = words.drain(1..=2).next_back().unwrap_or_default();
        // It is the first one: nobody else sets it.
        let _ = FAULT.set(name.to_string_lossy().replace('_', " "));
    }
}

/// Is this the one?
#[must_use]
pub fn is(name: &str) -> bool {
    FAULT.get().is_some_and(|fault| fault == name)
}
