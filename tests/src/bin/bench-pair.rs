//! `cargo bench-pair`: what our programs cost beside the peers and the floors; `--write` puts the tables into the README.

use std::path::PathBuf;
use std::process::ExitCode;

use bitts_tests::{bench, namespace};
use clap::Parser;

/// Measures pause beside the peers and its floor. As root it also tells what is charged to a cgroup.
#[derive(Parser)]
#[command(name = "bench-pair")]
struct Words {
    /// Another pause to measure, by its path (repeatable)
    #[arg(long, value_name = "PATH")]
    pause: Vec<PathBuf>,
    /// Only show that all can be measured: few rounds, small crowds
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// Put the tables into README.md
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    let words = Words::parse();
    if !namespace::available("cargo bench-pair") {
        return ExitCode::FAILURE;
    }
    let subjects = bench::pause::subjects(&words.pause);
    let rows = bench::run(&subjects, &bench::pause::measures(words.quick));
    let table = bench::markdown(&subjects, &rows);
    print!("{table}");
    if words.write {
        bench::write("pause", &table);
    }
    // A row with a dash has told its reason; as root nothing may be missing.
    let whole = rows.iter().all(|row| row.cells.iter().all(|cell| cell != "–"));
    if whole || !namespace::is_root() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
