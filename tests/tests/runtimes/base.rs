//! The base image that no registry has to give: a shell, and a file that is no program.

use std::io::Write;
use std::path::Path;

/// Commands of busybox that the images need under their own names.
const COMMANDS: [&str; 14] =
    ["sh", "true", "sleep", "ps", "cat", "chmod", "cp", "cut", "echo", "ls", "mkdir", "touch", "uname", "test"];

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
