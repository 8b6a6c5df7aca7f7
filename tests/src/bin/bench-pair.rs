//! `cargo bench-pair`: what our programs cost beside the peers and the floors; `--write` puts the tables and charts into the documents.

use std::path::PathBuf;
use std::process::ExitCode;

use bitts_tests::bench::{self, Measure, Row, Subject, chart, init, pause, table};
use bitts_tests::{namespace, ship};
use clap::Parser;

/// Measures init and pause beside the peers and the floors. As root it also tells what is charged to a cgroup, and keeps other
/// programs from what it measures.
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
    /// Put the tables into README.md and tests/TESTING.md, and the charts beside them
    #[arg(long)]
    write: bool,
}

/// One of the pair.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    Init,
    Pause,
}

impl Words {
    /// Measures what was asked for.
    fn run(&self, subjects: &[Subject], mut measures: Vec<Measure>) -> Vec<Row> {
        let wanted = |what: &str| self.row.is_empty() || self.row.iter().any(|part| what.contains(part));
        measures.retain(|measure| measure.lines.iter().any(|line| wanted(&line.what)));
        bench::run(subjects, &measures, if self.quick { 1 } else { usize::from(self.runs) })
    }

    /// Prints the tables, and writes them where that was asked for. True if there is no dash in them.
    fn tell(&self, name: &str, subjects: &[Subject], rows: &[Row], with_ratios: bool) -> bool {
        if rows.is_empty() {
            return true;
        }
        let mut text = table::measured(subjects, rows);
        if with_ratios {
            text += &format!("\n{}", table::ratios(subjects, rows));
        }
        text += &format!("\n{}", table::provenance(rows));
        let each = table::runs(subjects, rows);
        println!("{text}\n{each}");
        if self.write {
            table::write("README.md", name, &text);
            table::write("tests/TESTING.md", name, &each);
        }
        rows.iter().all(|row| row.cells.iter().all(Option::is_some))
    }
}

fn main() -> ExitCode {
    let words = Words::parse();
    ship::build_harness("bench");
    if !namespace::available("cargo bench-pair") {
        return ExitCode::FAILURE;
    }
    let mut whole = true;
    if words.only != Some(Which::Pause) {
        let subjects = init::subjects(&words.init);
        let rows = words.run(&subjects, init::measures(words.quick));
        whole &= words.tell("init", &subjects, &rows, true);
        let growth = init::by_what(words.run(&subjects, init::growth(words.quick)));
        whole &= words.tell("init-growth", &subjects, &growth, false);
        if words.write {
            chart::bars("init", &subjects, &rows, &init::SHOWN);
            chart::lines("init-growth", &subjects, &growth, &init::below(words.quick));
        }
    }
    if words.only != Some(Which::Init) {
        let subjects = pause::subjects(&words.pause);
        let rows = words.run(&subjects, pause::measures(words.quick));
        whole &= words.tell("pause", &subjects, &rows, true);
        if words.write {
            chart::bars("pause", &subjects, &rows, &[pause::CHARGED, pause::LOST]);
        }
    }
    // A row with a dash has told its reason; as root nothing may be missing.
    if whole || !namespace::is_root() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
