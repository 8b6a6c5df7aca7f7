//! The images that the tests need and no registry has to give: a base with a shell, and a builder made of this machine's own toolchain.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bitts_tests::ship;

use bitts_tests::runtimes::base::{add_base, add_busybox, add_bytes, add_file, add_link};
use bitts_tests::runtimes::docker::Daemon;

/// Makes the image `name`: busybox, statically linked, and a file that is no program.
pub fn import_base(daemon: &Daemon, name: &str) {
    daemon.import(name, add_base);
}

/// Makes the image `name`: cargo, rustc and cc, with the packages that cargo has fetched already, for a build without a network.
///
/// A `rust:` image of the public hub has the same and more. Documentation, tools and other targets stay out.
pub fn import_builder(daemon: &Daemon, name: &str) {
    let sysroot = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"])));
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let registry = std::env::var_os("CARGO_HOME")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cargo"), PathBuf::from)
        .join("registry");

    let mut system = BTreeSet::new();
    daemon.import(name, |archive| {
        add_busybox(archive);
        add_bytes(archive, "tmp/.keep", 0o644, b"");

        // Linker scripts name the C library by /lib, which is a link on most systems by now.
        for name in ["lib", "lib64"] {
            if let Ok(to) = fs::read_link(Path::new("/").join(name)) {
                add_link(archive, name, &to);
            }
        }

        // rustc finds its sysroot from where it lies itself.
        let rust = Path::new("usr/local");
        for program in ["bin/cargo", "bin/rustc"] {
            add_file(archive, &sysroot.join(program), &rust.join(program));
            add_libraries(&sysroot.join(program), &mut system);
        }
        for entry in list(&sysroot.join("lib")).filter(|path| path.is_file()) {
            add_file(archive, &entry, &rust.join("lib").join(entry.file_name().expect("a name")));
        }
        let rustlib = |target: &str| Path::new("lib/rustlib").join(target);
        for folder in [rustlib(host).join("lib"), rustlib(host).join("bin"), rustlib(&ship::target()).join("lib")] {
            // Only what a link takes: no shared std, no sanitizers.
            add_tree(archive, &sysroot.join(&folder), &rust.join(&folder), &|path| {
                let name = path.file_name().expect("a name").to_string_lossy();
                !(name.contains("_rt.") || name.starts_with("libstd") && name.ends_with(".so"))
            });
        }
        // The index and the packed packages; cargo unpacks them again.
        for folder in ["index", "cache"] {
            add_tree(archive, &registry.join(folder), &Path::new("usr/local/cargo/registry").join(folder), &|_| true);
        }

        // The C compiler, as far as it links: cargo's build scripts are ordinary programs of the host. rustc brings the linker.
        let cc = |question: &str| PathBuf::from(output(Command::new("cc").arg(question)));
        let mut files =
            vec![PathBuf::from("/usr/bin/cc"), cc("-print-prog-name=collect2"), cc("-print-prog-name=lto-wrapper")];
        for name in [
            "Scrt1.o",
            "crti.o",
            "crtn.o",
            "crtbeginS.o",
            "crtendS.o",
            "libgcc.a",
            "libgcc_s.so",
            "libgcc_s.so.1",
            "libc.so",
            "libc_nonshared.a",
            "libutil.a",
            "librt.a",
            "libpthread.a",
            "libdl.a",
            "libm.so",
            "libm.so.6",
            "libmvec.so.1",
            "liblto_plugin.so",
        ] {
            files.push(cc(&format!("-print-file-name={name}")));
        }
        // A name alone is cc's answer for what it has not got: not every system splits its C library in the same way.
        for file in files.iter().filter(|file| file.is_absolute()) {
            add_libraries(file, &mut system);
            system.insert(normal(file));
        }
        for file in &system {
            add_file(archive, file, file);
        }
    });
}

/// Adds the files below `from` that `wanted` names.
fn add_tree<W: Write>(archive: &mut tar::Builder<W>, from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) {
    for path in list(from) {
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            add_tree(archive, &path, &to, wanted);
        } else if wanted(&path) {
            add_file(archive, &path, &to);
        }
    }
}

/// What a folder holds.
fn list(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("list {}: {error}", folder.display()));
    entries.map(|entry| entry.expect("read a folder").path())
}

/// Adds the shared libraries of `program` to `system`, as ldd(1) finds them; a file that is no program has none.
fn add_libraries(program: &Path, system: &mut BTreeSet<PathBuf>) {
    let ldd = Command::new("ldd").arg(program).output().expect("run ldd");
    for word in String::from_utf8_lossy(&ldd.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
        // rustc's own lie in the sysroot and come with it.
        if word.starts_with("/lib") || word.starts_with("/usr/lib") {
            system.insert(normal(Path::new(word.trim_end_matches(':'))));
        }
    }
}

/// Where a file lies really, under the name by which it is known: /lib may be a link to /usr/lib.
fn normal(path: &Path) -> PathBuf {
    let folder = fs::canonicalize(path.parent().expect("a folder")).expect("the folder of a file that is there");
    folder.join(path.file_name().expect("a name"))
}

/// The trimmed standard output of a command that must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}
