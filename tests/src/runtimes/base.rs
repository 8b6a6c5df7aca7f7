//! The images that no registry has to give: a base with a shell and a file that is no program, and pause's own.

use std::io::Write;
use std::path::Path;

use crate::images::{self, ARCHITECTURES, Image, Layout, Origin, PAUSE};
use crate::{elf, ship};

/// Commands of busybox that the images need under their own names.
const COMMANDS: [&str; 17] = [
    "sh", "true", "sleep", "ps", "cat", "chmod", "cp", "cut", "echo", "grep", "hostname", "ip", "ls", "mkdir", "touch",
    "uname", "test",
];

/// A file that is no program, for status 126.
pub const NOT_A_PROGRAM: &str = "/not-a-program";

/// Adds all that the base image has.
pub fn add_base<W: Write>(archive: &mut tar::Builder<W>) {
    add_busybox(archive);
    add_bytes(archive, NOT_A_PROGRAM, 0o644, b"neither a program nor executable\n");
}

/// Adds a statically linked busybox, and its commands as links to it.
pub fn add_busybox<W: Write>(archive: &mut tar::Builder<W>) {
    add_file(archive, Path::new("/bin/busybox"), Path::new("bin/busybox"));
    for command in COMMANDS {
        add_link(archive, &format!("bin/{command}"), Path::new("busybox"));
    }
}

/// Adds one file with these bytes.
pub fn add_bytes<W: Write>(archive: &mut tar::Builder<W>, name: &str, mode: u32, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, name.trim_start_matches('/'), bytes).expect("add a file");
}

/// Adds the file at `from`, a link's file instead of the link.
pub fn add_file<W: Write>(archive: &mut tar::Builder<W>, from: &Path, to: &Path) {
    archive
        .append_path_with_name(from, to.strip_prefix("/").unwrap_or(to))
        .unwrap_or_else(|error| panic!("add {}: {error}", from.display()));
}

/// Adds a link.
pub fn add_link<W: Write>(archive: &mut tar::Builder<W>, name: &str, to: &Path) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, name, to).expect("add a link");
}

/// A script that makes as many orphans, which end at once, and then says `ready`.
#[must_use]
pub fn orphans(count: u32) -> String {
    format!("n=0; while [ $n -lt {count} ]; do (true &); n=$((n+1)); done; echo ready")
}

/// The archive of the image of pause: as it ships, for all architectures; with `PAUSE_UNDER_TEST`, of that program alone.
#[must_use]
pub fn pause_archive(reference: &str) -> Vec<u8> {
    let origin = Origin { revision: images::revision(), ..Origin::default() };
    let program = std::fs::read(ship::pause()).expect("read the program under test");
    let own = PAUSE.image(elf::architecture(&program).expect("a program"), &program, &origin);
    let mut all = PAUSE.built(&ship::target_folder(), &origin);
    if !all.iter().any(|image| image.layer == own.layer) {
        all = vec![own];
    }
    Layout::new(reference, &all, 0).archive(0)
}

/// The archive of an image for this machine: its files are those that `write` adds.
#[must_use]
pub fn archive(reference: &str, config: serde_json::Value, write: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut layer = tar::Builder::new(Vec::new());
    write(&mut layer);
    let own = ARCHITECTURES.iter().find(|architecture| architecture.target == ship::target()).expect("it is built");
    let layer = layer.into_inner().expect("memory takes all");
    Layout::new(reference, &[Image { architecture: own.name.to_owned(), config, layer }], 0).archive(0)
}
