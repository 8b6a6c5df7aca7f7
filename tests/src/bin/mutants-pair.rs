//! `cargo mutants-pair`: puts small faults into the sources of both programs, one at a time, and tells which no test notices.

use std::path::PathBuf;
use std::process::ExitCode;

use bitts_tests::mutants::{self, Bench, Fate, Mutant, Outcomes};
use bitts_tests::{namespace, ship};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

/// Puts small faults into init and pause, one at a time, and tells which of them no test notices.
#[derive(Parser)]
#[command(name = "mutants-pair")]
struct Words {
    /// Only those whose name holds this text (repeatable: any of them)
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Only every N-th one, from K on, so that several runs can share the work
    #[arg(long, value_name = "K/N", default_value = "0/1", value_parser = shard)]
    shard: (usize, usize),
    /// Try those again that a run before has missed
    #[arg(long)]
    again: bool,
    /// Try those again that were caught at a deadline, each test with the deadline that it has in `cargo test`
    #[arg(long)]
    patient: bool,
    /// Leave out the slow files of tests
    #[arg(long)]
    quick: bool,
    /// Only tell what is known
    #[arg(long)]
    known: bool,
    /// Where the outcomes are kept [default: tests/mutants.jsonl]
    #[arg(long, value_name = "FILE")]
    outcomes: Option<PathBuf>,
}

/// `K/N` with K below N.
fn shard(text: &str) -> Result<(usize, usize), String> {
    let numbers = text.split_once('/').and_then(|(one, all)| Some((one.parse().ok()?, all.parse().ok()?)));
    numbers.filter(|(one, all)| one < all).ok_or_else(|| "K/N, with K below N".to_owned())
}

fn main() -> ExitCode {
    let words = Words::parse();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("mutants-pair: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Was every one noticed, or is it explained?
///
/// # Errors
/// What could not be done.
fn run(words: &Words) -> Result<bool, String> {
    if !namespace::available("cargo mutants-pair") {
        return Ok(false);
    }
    let path = words.outcomes.clone().unwrap_or_else(|| ship::root().join("tests").join("mutants.jsonl"));
    let mut outcomes = Outcomes::read(&path);
    let mut all = mutants::list()?;
    all.retain(|mutant| words.only.is_empty() || words.only.iter().any(|text| mutant.name.contains(text)));
    let is_due = |mutant: &Mutant| {
        outcomes.of(mutant).is_none_or(|known| match known.fate {
            Fate::Missed => words.again,
            Fate::TimedOut => words.patient,
            _ => false,
        })
    };
    let (first, step) = words.shard;
    let due: Vec<_> = all.iter().skip(first).step_by(step).filter(|mutant| is_due(mutant)).cloned().collect();
    if !due.is_empty() && !words.known {
        let style = ProgressStyle::with_template("{pos}/{len} {elapsed_precise} {wide_msg}").expect("a template");
        let bar = ProgressBar::new(due.len() as u64).with_style(style);
        let mut bench = Bench::new(words.quick, words.patient)?;
        for mutant in &due {
            bar.set_message(mutant.name.clone());
            let outcome = bench.try_out(mutant)?;
            outcomes.add(mutant, &outcome);
            if outcome.fate == Fate::Missed {
                bar.println(format!("missed: {}", mutant.name));
            }
            bar.inc(1);
        }
    }
    let whole = step == 1 && words.only.is_empty();
    if whole && !words.known {
        outcomes.keep_only(&all);
    }
    let explained = mutants::explained();
    let mut good = true;
    for mutant in &all {
        let Some(outcome) = outcomes.of(mutant) else {
            if step == 1 {
                good = false;
                println!("not tried: {}", mutant.name);
            }
            continue;
        };
        if outcome.fate == Fate::Missed && !explained.contains(&mutant.name) {
            good = false;
            println!("missed, and not explained: {}", mutant.name);
        }
    }
    print!("{}", mutants::table(&all, &outcomes));
    Ok(good)
}
