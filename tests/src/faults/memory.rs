//! The smallest memory cgroup in which a program does its work.

use std::path::Path;
use std::time::Duration;

use crate::cgroup::Cgroup;
use crate::{Case, floor, ship, tools};

/// A page of memory, in bytes: what limits are counted in.
const PAGE: u64 = 4096;

/// More than any of them needs, in pages.
const PLENTY: u64 = 4096;

/// What is asked, and the words behind the program's.
#[must_use]
pub fn subjects() -> Vec<(&'static str, std::path::PathBuf, Vec<std::ffi::OsString>)> {
    let child = || vec!["--".into(), floor::pause().into()];
    let mut subjects = vec![
        ("pause", ship::pause().to_owned(), Vec::new()),
        ("pause's floor", floor::pause().to_owned(), Vec::new()),
        ("init", ship::init().to_owned(), child()),
        ("init's floor", floor::init().to_owned(), vec![floor::pause().into()]),
    ];
    for name in ["tini", "tini-static", "catatonit", "dumb-init"] {
        subjects.extend(tools::on_path(name).map(|path| (name, path, child())));
    }
    subjects
}

/// Does it start, with its child, and end with 0 at TERM?
///
/// # Errors
/// There can be no cgroup here.
fn works(program: &Path, words: &[std::ffi::OsString], pages: u64) -> Result<bool, String> {
    let cgroup = Cgroup::new()?;
    cgroup.limit(pages * PAGE).map_err(|error| format!("a limit of {pages} pages: {error}"))?;
    let case = Case::new(program).args(words).cgroup(cgroup.door()).deadline(Duration::from_secs(20));
    // Without room for the exec itself it does not start.
    let Ok(running) = case.try_start() else { return Ok(false) };
    super::until(Duration::from_secs(20), || running.has_ended() || super::is_quiet(&running));
    super::signal(&running, libc::SIGTERM, None);
    Ok(running.try_wait().is_ok_and(|outcome| outcome.exit() == Some(0)))
}

/// The smallest limit, in bytes, with which it works, by bisection.
///
/// # Errors
/// There can be no cgroup here, or the program never works.
pub fn smallest(program: &Path, words: &[std::ffi::OsString]) -> Result<u64, String> {
    let (mut too_little, mut enough) = (0, PLENTY);
    if !works(program, words, enough)? {
        return Err(format!("{} does not work with {} kB", program.display(), PLENTY * PAGE / 1024));
    }
    while enough - too_little > 1 {
        let middle = (enough + too_little) / 2;
        if works(program, words, middle)? {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    Ok(enough * PAGE)
}

/// The table, or why there is none.
#[must_use]
pub fn markdown() -> String {
    if !crate::namespace::is_root() {
        return "Only root can make cgroups.\n".to_owned();
    }
    let mut text = "| program | smallest limit, kB |\n|---|---|\n".to_owned();
    for (name, program, words) in subjects() {
        match smallest(&program, &words) {
            Ok(bytes) => text += &format!("| {name} | {} |\n", bytes / 1024),
            Err(why) => text += &format!("| {name} | {why} |\n"),
        }
    }
    text
}
