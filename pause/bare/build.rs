//! Finds the commit for `-v`, which both programs take from `bare`.

use std::process::Command;

fn main() {
    // An image is built without the repository (Dockerfile): there the commit comes as a variable.
    println!("cargo::rerun-if-env-changed=BITTS_GIT_HASH");
    let hash = std::env::var("BITTS_GIT_HASH")
        .ok()
        .filter(|hash| !hash.is_empty())
        .or_else(|| output(Command::new("git").args(["rev-parse", "--short=12", "HEAD"])))
        .unwrap_or_else(|| "unknown".to_owned());
    // dockerd refuses a hash with a dot in it, and the line would break at a blank.
    assert!(hash.bytes().all(|byte| byte.is_ascii_alphanumeric()), "BITTS_GIT_HASH is no commit: {hash:?}");
    println!("cargo::rustc-env=BITTS_GIT_HASH={hash}");
    // Where the commit changes: HEAD when another branch is taken, its log with every commit.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = output(Command::new("git").args(["rev-parse", "--git-path", name])) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link.ld"); // .cargo/config.toml names it, and cargo does not follow that.
}

/// The trimmed standard output of a command that succeeded.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
