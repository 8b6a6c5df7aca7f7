//! `cargo bench-pair`: what our programs cost beside the peers and the floors; `--write` puts the tables into the README.

use std::path::PathBuf;
use std::process::ExitCode;

use bitts_tests::bench::{self, Measure, Subject, chart, init, pause, table};
use bitts_tests::{namespace, ship};
use clap::Parser;

/// Measures init and pause beside the peers and the floors. As root it also tells what is charged to a cgroup.
#[derive(Parser)]
#[command(name = "bench-pair")]
struct Words {
    /// Measure this one alone
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Measure only what has this in its name (repeatable)
    #[arg(long, value_name = "TEXT", conflicts_with = "write")]
    row: Vec<String>,
    /// Another init to measure, by its path (repeatable)
    #[arg(long, value_name = "PATH")]
    init: Vec<PathBuf>,
    /// Another pause to measure, by its path (repeatable)
    #[arg(long, value_name = "PATH")]
    pause: Vec<PathBuf>,
    /// How many times all is measured, one time after another
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Only show that all can be measured: one run of few rounds, with small crowds
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
    let runs = if words.quick { 1 } else { usize::from(words.runs) };
    let mut measure = |name: &str, subjects: &[Subject], measures: Vec<Measure>, shown: &[&str]| {
        let mut measures = measures;
        if !words.row.is_empty() {
            let wanted = |measure: &Measure| {
                measure.lines.iter().any(|line| words.row.iter().any(|part| line.what.contains(part)))
            };
            measures.retain(wanted);
        }
        let rows = bench::run(subjects, &measures, runs);
        let (agree, cells) = table::agreement(&rows);
        let text = format!(
            "{}\n{}\nMeasured on {}, in {runs} runs that agree within their spread in {agree} of {cells} cells.\n",
            table::measured(subjects, &rows),
            table::ratios(subjects, &rows),
            table::machine(),
        );
        println!("{text}");
        let each = table::runs(subjects, &rows);
        println!("{each}");
        if words.write {
            table::write("README.md", name, &text);
            table::write("tests/TESTING.md", name, &each);
            let shown: Vec<_> =
                rows.iter().filter(|row| shown.iter().any(|start| row.what.starts_with(start))).collect();
            chart::write(name, subjects, &shown);
        }
        whole &= rows.iter().all(|row| row.cells.iter().all(Option::is_some));
    };
    if words.only != Some(Which::Pause) {
        let shown = [init::ADDED, init::CHARGED];
        measure("init", &init::subjects(&words.init), init::measures(words.quick), &shown);
    }
    if words.only != Some(Which::Init) {
        let shown = [pause::CHARGED, pause::LOST];
        measure("pause", &pause::subjects(&words.pause), pause::measures(words.quick), &shown);
    }
    // A row with a dash has told its reason; as root nothing may be missing.
    if whole || !namespace::is_root() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
