//! Where the harness's own programs are: cargo builds them beside the test.

use std::path::{Path, PathBuf};

use crate::namespace;

/// The program that records what happens to it (src/bin/witness.rs).
#[must_use]
pub fn witness() -> PathBuf {
    beside("witness")
}

/// The single-threaded program that makes namespaces (src/bin/launcher.rs).
#[must_use]
pub fn launcher() -> PathBuf {
    beside("launcher")
}

/// The program that starts many others in a cgroup (src/bin/crowd.rs).
#[must_use]
pub fn crowd() -> PathBuf {
    beside("crowd")
}

/// The program that measures how long others take (src/bin/stopwatch.rs).
#[must_use]
pub fn stopwatch() -> PathBuf {
    beside("stopwatch")
}

/// An init as it must not be (src/bin/frail.rs).
#[must_use]
pub fn frail() -> PathBuf {
    beside("frail")
}

/// The reader's first command (src/bin/pid1.rs).
#[must_use]
pub fn pid1() -> PathBuf {
    beside("pid1")
}

/// A program of this package: in the folder of the running one, or, for a test, in the folder above `deps`.
fn beside(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    let folder = own.parent().expect("a folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("a folder") } else { folder };
    let path = folder.join(name);
    assert!(path.exists(), "{} is not built; cargo test builds it", path.display());
    path
}

/// A program of the machine, found on PATH.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").into()])
        .map(|folder| folder.join(name))
        .find(|p| p.is_file())
}

/// The emulator of this machine's own architecture (Debian: qemu-user-static), by which a program runs as in an image of another
/// one. A test that cannot have it is skipped loudly.
#[must_use]
pub fn emulator() -> Option<PathBuf> {
    required(&format!("qemu-{}-static", std::env::consts::ARCH))
}

/// A program that a test needs, which is skipped loudly without it.
#[must_use]
pub fn required(name: &str) -> Option<PathBuf> {
    let found = on_path(name);
    if found.is_none() {
        let test = std::thread::current();
        namespace::skipped(test.name().unwrap_or("a test"), &format!("{name} is not installed"));
    }
    found
}

/// Another init, for a control. Where it is not installed the control is skipped as loudly as a test.
#[must_use]
pub fn peer(name: &str) -> Option<PathBuf> {
    let found = on_path(name);
    if found.is_none() {
        namespace::skipped(&format!("the control with {name}"), "it is not installed");
    }
    found
}
