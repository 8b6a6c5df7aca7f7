//! The floors: programs in assembly that do what ours must and nothing else, to measure ours against (`floor/*.S`).
//! They are x86-64's; elsewhere there is none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{running, ship};

/// The floor of `pause`; panics where it cannot be built.
#[must_use]
pub fn pause() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("pause"))
}

/// The floor of `init`; panics where it cannot be built.
#[must_use]
pub fn init() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("init"))
}

/// A program that does nothing; panics where it cannot be built.
#[must_use]
pub fn nothing() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("nothing"))
}

/// Builds `floor/NAME.S` with the C compiler that links Rust programs anyway.
fn build(name: &str) -> PathBuf {
    let folder = ship::target_folder().join("floor");
    std::fs::create_dir_all(&folder).expect("a folder below the target folder");
    // Another test may build the same at the same time, or be running it.
    let unfinished = tempfile::NamedTempFile::new_in(&folder).expect("a file in it").into_temp_path();
    let mut cc = Command::new("cc");
    cc.args(["-nostdlib", "-static", "-Wl,--oformat=binary,--build-id=none,-Ttext=0x400000", "-o"]).arg(&unfinished);
    cc.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("floor").join(name).with_extension("S"));
    let output = running::output(&mut cc).unwrap_or_else(|error| panic!("cannot run cc: {error}"));
    assert!(output.status.success(), "cannot build the floor: {}", String::from_utf8_lossy(&output.stderr));
    let path = folder.join(name);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&unfinished, mode).expect("a mode");
    unfinished.persist(&path).expect("a file that is there");
    path
}
