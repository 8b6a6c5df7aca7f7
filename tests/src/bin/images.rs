//! `cargo images`: builds the images of `init` and `pause` for all architectures, checks them, and writes an archive for each,
//! for `ctr images import`, `podman load` or `skopeo copy oci-archive:…`. `--check` checks archives that are there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bitts_tests::images::{INIT, Kind, Layout, Origin, PAUSE, revision};
use bitts_tests::ship;
use clap::Parser;

/// Builds the images of init and pause for all architectures, and checks them.
#[derive(Parser)]
#[command(name = "images")]
struct Words {
    /// Where the archives go; by default `images` in the build folder
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// What the images' names begin with
    #[arg(long, default_value = "localhost/")]
    prefix: String,
    /// Where the source can be had, for a label
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Only check these archives
    #[arg(long, value_name = "ARCHIVE", num_args = 1.., exclusive = true)]
    check: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let words = Words::parse();
    let done = if words.check.is_empty() { make(&words) } else { words.check.iter().try_for_each(|path| check(path)) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("images: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Builds both images and writes them.
fn make(words: &Words) -> Result<(), String> {
    let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse().map_err(|error| format!("SOURCE_DATE_EPOCH={text}: {error}"))?,
        // As in the Dockerfile.
        Err(_) => 0,
    };
    let origin = Origin { revision: revision(), source: words.source.clone(), epoch };
    let folder = words.output.clone().unwrap_or_else(|| ship::target_folder().join("images"));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for kind in [INIT, PAUSE] {
        let path = folder.join(format!("bitts-{}.tar", kind.program));
        let layout = Layout::new(&reference(kind, &words.prefix), &kind.built(&ship::target_folder(), &origin), epoch);
        // What is written has passed the check.
        layout.check()?;
        fs::write(&path, layout.archive(epoch)).map_err(|error| format!("{}: {error}", path.display()))?;
        check(&path)?;
    }
    Ok(())
}

/// What an image is called.
fn reference(kind: Kind, prefix: &str) -> String {
    format!("{prefix}bitts-{}:{}", kind.program, env!("CARGO_PKG_VERSION"))
}

/// Checks an archive, and says what is in it.
fn check(path: &Path) -> Result<(), String> {
    let at = |why: String| format!("{}: {why}", path.display());
    let file = File::open(path).map_err(|error| at(error.to_string()))?;
    let layout = Layout::read(file).map_err(|error| at(error.to_string()))?;
    println!("{}", path.display());
    for line in layout.check().map_err(at)? {
        println!("  {line}");
    }
    Ok(())
}
