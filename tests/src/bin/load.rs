//! `cargo load`: a load of each kind on init and pause; `--write` puts the figures into tests/TESTING.md.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use bitts_tests::cgroup::Cgroup;
use bitts_tests::load::{self, Figures, Reaper, Storm};
use bitts_tests::{Case, Place, namespace, ship};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

/// Puts init and pause under load; every signal, orphan and container is accounted for. As root the fork bomb has a pids cgroup.
#[derive(Parser)]
#[command(name = "load")]
struct Words {
    /// This part alone
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// The tests' size instead of the full one: only to show that all can be run
    #[arg(long, conflicts_with = "write")]
    quick: bool,
    /// Put the tables into tests/TESTING.md
    #[arg(long)]
    write: bool,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A million signals, below the limit of pending ones
    Storm,
    /// Signals beyond that limit
    Beyond,
    /// 200,000 orphans for each reaper, in bursts of 2,000
    Orphans,
    /// A fork bomb, and TERM with a grace
    Bomb,
    /// A thousand containers with init, and a thousand with pause
    Crowd,
}

/// The processes of the fork bomb, where init is PID 1: one call reaches them all.
const BOMB: usize = 1000;

/// The same where it is not. There it goes from one process to the next, with its share of the processor: one of so many.
const BOMB_BELOW: usize = 64;

/// Runs one part.
fn run(part: Part, quick: bool) -> Result<Figures, String> {
    match part {
        Part::Storm if quick => load::storm(Case::init(), Storm { pairs: 2, rounds: 1, each: 5000 }),
        Part::Storm => load::storm(Case::init(), Storm { pairs: 2, rounds: 25, each: 10_000 }),
        Part::Beyond if quick => load::storm_beyond(Case::init(), 64, Storm { pairs: 1, rounds: 1, each: 4000 }),
        Part::Beyond => load::storm_beyond(Case::init(), 1000, Storm { pairs: 2, rounds: 1, each: 100_000 }),
        Part::Orphans => {
            let (rounds, size) = if quick { (5, 500) } else { (100, 2000) };
            let reapers = [Reaper::Init, Reaper::Subreaper, Reaper::Pause];
            reapers
                .into_iter()
                .map(|reaper| load::orphans(reaper, rounds, size))
                .collect::<Result<Vec<_>, _>>()
                .map(|all| all.concat())
        }
        Part::Bomb => {
            let mut figures = Figures::new();
            for (place, stubborn) in
                [Place::Pid1, Place::Child].into_iter().flat_map(|place| [(place, false), (place, true)])
            {
                let most = if quick || place != Place::Pid1 { BOMB_BELOW } else { BOMB };
                let cgroup = if namespace::is_root() { Some(Cgroup::of_pids(most)?) } else { None };
                figures.extend(load::bomb(place, stubborn, most, cgroup.as_ref())?);
            }
            Ok(figures)
        }
        Part::Crowd => load::crowd(if quick { 20 } else { 1000 }),
    }
}

fn main() -> ExitCode {
    let words = Words::parse();
    ship::build_harness("load");
    if !namespace::available("cargo load") {
        return ExitCode::FAILURE;
    }
    let parts: Vec<_> =
        Part::value_variants().iter().filter(|part| words.only.is_none_or(|only| only == **part)).collect();
    let bar = ProgressBar::new(parts.len() as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} {msg}").expect("a template"));
    bar.enable_steady_tick(Duration::from_secs(1));
    for part in parts {
        let name = format!("{part:?}").to_lowercase();
        bar.set_message(name.clone());
        let figures = match run(*part, words.quick) {
            Ok(figures) => figures,
            Err(why) => {
                bar.abandon();
                eprintln!("load: {name}: {why}");
                return ExitCode::FAILURE;
            }
        };
        let mut table = format!("| {name} | |\n|---|---|\n");
        for (what, figure) in &figures {
            let _ = writeln!(table, "| {what} | {figure} |");
        }
        bar.suspend(|| println!("{table}"));
        if words.write {
            ship::write_table("tests/TESTING.md", &format!("load-{name}"), &table);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    ExitCode::SUCCESS
}
