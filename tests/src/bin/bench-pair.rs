//! `cargo bench-pair`: what our programs cost beside the peers and the floors; `--write` puts the tables into the README.

use std::path::PathBuf;
use std::process::ExitCode;

use bitts_tests::bench::{self, Measure, Subject, chart, init, pause};
use bitts_tests::{namespace, ship};
use clap::Parser;

/// Measures init and pause beside the peers and the floors. As root it also tells what is charged to a cgroup.
#[derive(Parser)]
#[command(name = "bench-pair")]
struct Words {
    /// Measure this one alone
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Another init to measure, by its path (repeatable)
    #[arg(long, value_name = "PATH")]
    init: Vec<PathBuf>,
    /// Another pause to measure, by its path (repeatable)
    #[arg(long, value_name = "PATH")]
    pause: Vec<PathBuf>,
    /// Only show that all can be measured: few rounds, small crowds
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// Put the tables into README.md, and the charts beside them
    #[arg(long)]
    write: bool,
}

/// One of the pair.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    Init,
    Pause,
}

fn main() -> ExitCode {
    let words = Words::parse();
    ship::build_harness();
    if !namespace::available("cargo bench-pair") {
        return ExitCode::FAILURE;
    }
    let mut whole = true;
    let mut measure = |name: &str, subjects: &[Subject], measures: &[Measure], shown: &[&str]| {
        let rows = bench::run(subjects, measures);
        let table = bench::markdown(subjects, &rows);
        println!("{table}");
        if words.write {
            bench::write(name, &table);
            let shown: Vec<_> =
                rows.iter().filter(|row| shown.iter().any(|start| row.what.starts_with(start))).collect();
            chart::write(name, subjects, &shown);
        }
        whole &= rows.iter().all(|row| row.cells.iter().all(|cell| cell != "–"));
    };
    if words.only != Some(Which::Pause) {
        let shown = [init::ADDED, init::CHARGED];
        measure("init", &init::subjects(&words.init), &init::measures(words.quick), &shown);
    }
    if words.only != Some(Which::Init) {
        let shown = [pause::CHARGED, pause::LOST];
        measure("pause", &pause::subjects(&words.pause), &pause::measures(words.quick), &shown);
    }
    // A row with a dash has told its reason; as root nothing may be missing.
    if whole || !namespace::is_root() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
