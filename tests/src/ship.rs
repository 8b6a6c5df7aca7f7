//! The programs under test: the release bytes as they ship, built here, or others by variable.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::running;

/// `init`: built, or what `INIT_UNDER_TEST` names (say `/usr/bin/tini`).
#[must_use]
pub fn init() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| under_test("INIT_UNDER_TEST").unwrap_or_else(|| release("init", &target(), &target_folder())))
}

/// `pause`: built, or what `PAUSE_UNDER_TEST` names.
#[must_use]
pub fn pause() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| under_test("PAUSE_UNDER_TEST").unwrap_or_else(|| release("pause", &target(), &target_folder())))
}

/// Is `init` another program, of which nothing is known but what the contract says? `BITTS_MUTANT` tells that `INIT_UNDER_TEST` names
/// one that was built from this source with a fault in it.
#[must_use]
pub fn another_init() -> bool {
    let given = |name| std::env::var_os(name).is_some();
    given("INIT_UNDER_TEST") && !given("BITTS_MUTANT")
}

/// The witness as a static program, for images with nothing else in them; or what `STATIC_WITNESS` names.
#[must_use]
pub fn static_witness() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| under_test("STATIC_WITNESS").unwrap_or_else(|| static_program("witness")))
}

/// The init that does things wrong, as a static program (src/bin/bad-init.rs).
#[must_use]
pub fn bad_init() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| static_program("bad-init"))
}

/// The pause that does things wrong, as a static program (src/bin/bad-pause.rs).
#[must_use]
pub fn bad_pause() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| static_program("bad-pause"))
}

/// Builds the harness's own programs, which `cargo test` builds by itself and `cargo run` does not: with the features that the
/// caller was built with, so that nothing is built twice.
///
/// # Panics
/// Cargo fails.
pub fn build_harness(features: &str) {
    let folder = target_folder();
    let status = cargo()
        .args(["build", "--quiet", "--locked", "--package", "bitts-tests", "--bins", "--features", features])
        .arg("--target-dir")
        .arg(folder)
        .stdin(std::process::Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "cannot build the harness");
}

/// The target triple that ships for this machine.
#[must_use]
pub fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// The workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// Puts `table` between the marks `<!-- name -->` and `<!-- /name -->` of a file of the repository.
///
/// # Panics
/// The file has no such marks, or cannot be written.
pub fn write_table(file: &str, name: &str, table: &str) {
    let path = root().join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let marks = [format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n")];
    let start = text.find(&marks[0]).unwrap_or_else(|| panic!("no mark {name} in {file}")) + marks[0].len();
    let end = text.find(&marks[1]).unwrap_or_else(|| panic!("no second mark {name} in {file}"));
    std::fs::write(&path, [&text[..start], table, &text[end..]].concat())
        .unwrap_or_else(|error| panic!("{file}: {error}"));
}

fn under_test(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable).filter(|value| !value.is_empty())?);
    let path = path.canonicalize().unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()));
    Some(path)
}

/// Where cargo puts things. Passed on explicitly, so that both sides agree.
#[must_use]
pub fn target_folder() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    // Cargo takes a relative one from its own directory; a test runs in its package's, so take the workspace's.
    root().join(folder)
}

/// A cargo command whose environment changes nothing about the bytes. It takes the same lock as a cargo that runs at
/// the same time; `cargo test` and `cargo run` have let go of theirs before they start us.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let of_the_outer_build =
            ["CARGO_PKG_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_BUILD_", "CARGO_BIN_", "CARGO_CFG_", "LLVM_"];
        let flags = [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_INCREMENTAL",
            "CARGO_MANIFEST_DIR",
            "RUSTC_BOOTSTRAP",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
        ];
        if flags.contains(&text) || of_the_outer_build.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Builds one program for `target` and returns its path below `folder`; panics with cargo's messages if that fails.
fn build(cargo: &mut Command, profile: &str, program: &str, target: &str, folder: &Path) -> PathBuf {
    install(target);
    cargo.args(["--quiet", "--locked", "--target", target, "--target-dir"]).arg(folder);
    let output = running::output(cargo.stdin(std::process::Stdio::null()))
        .unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(output.status.success(), "cannot build {program}: {cargo:?}\n{}", String::from_utf8_lossy(&output.stderr));
    folder.join(target).join(profile).join(program)
}

/// `init` or `pause` as it ships for `target`, built in `folder`.
#[must_use]
pub fn release(package: &str, target: &str, folder: &Path) -> PathBuf {
    build(cargo().args(["build", "--release", "--package", package]), "release", package, target, folder)
}

/// The program of a development build, with symbols and debug information.
#[must_use]
pub fn dev(package: &str, target: &str, folder: &Path) -> PathBuf {
    build(cargo().args(["build", "--package", package]), "debug", package, target, folder)
}

/// The same program with symbols and debug information, which is no part of what is loaded.
#[must_use]
pub fn release_with_lines(package: &str, target: &str, folder: &Path) -> PathBuf {
    build(
        cargo()
            // Full information on variables has been seen to change what is merged, by eight bytes of init.
            .env("CARGO_PROFILE_RELEASE_DEBUG", "1")
            .env("CARGO_PROFILE_RELEASE_STRIP", "none")
            .args(["build", "--release", "--package", package]),
        "release",
        package,
        target,
        folder,
    )
}

/// A program of the harness, linked statically. The flags of .cargo/config.toml are for programs without std: flags in the
/// environment replace them.
fn static_program(name: &str) -> PathBuf {
    let variable = target().to_uppercase().replace('-', "_");
    build(
        cargo()
            .env("RUSTFLAGS", "-Clinker-flavor=ld.lld -Clink-self-contained=yes -Ctarget-feature=+crt-static -Crelocation-model=static -Cstrip=symbols")
            .env(format!("CARGO_TARGET_{variable}_LINKER"), "rust-lld")
            .args(["build", "--package", "bitts-tests", "--bin", name]),
        "debug",
        name,
        &target(),
        &target_folder(),
    )
}

/// Adds a target to the toolchain where it is missing: rustup does it unasked unless `RUSTUP_AUTO_INSTALL=0`.
fn install(target: &str) {
    static INSTALLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !installed.insert(target.to_owned()) {
        return;
    }
    let mut rustc = Command::new("rustc");
    let rustc = running::output(rustc.current_dir(root()).args(["--print", "target-libdir", "--target", target]));
    let folder = rustc.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let folder = folder.and_then(|bytes| String::from_utf8(bytes).ok());
    // A toolchain that cannot be asked gets its own, better message from cargo.
    if folder.is_none_or(|folder| Path::new(folder.trim()).exists()) {
        return;
    }
    let _ = writeln!(std::io::stderr(), "The target {target} is missing; running: rustup target add {target}");
    let mut rustup = Command::new("rustup");
    let added = running::spawn(rustup.current_dir(root()).args(["target", "add", target]));
    assert!(
        added.and_then(|mut rustup| rustup.wait()).is_ok_and(|status| status.success()),
        "rustup target add {target} failed; install the target and try again"
    );
}
