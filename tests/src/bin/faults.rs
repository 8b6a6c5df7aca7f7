//! `cargo faults`: makes every system call of init and pause fail in every way, judges what comes of it, and writes the page.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bitts_tests::faults::page::{self, Judged};
use bitts_tests::faults::{self, Cell, Class, SCENARIOS, Seen, rules};
use bitts_tests::{namespace, ship, tools};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

/// Makes every system call of init and pause fail in every way and judges what comes of it.
#[derive(Parser)]
#[command(name = "faults")]
struct Words {
    /// Only this call (repeatable)
    #[arg(long, value_name = "NAME")]
    call: Vec<String>,
    /// Only this scenario (repeatable)
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    scenario: Vec<String>,
    /// How many cells run at once: most of their time is waiting
    #[arg(long, default_value_t = 6)]
    jobs: usize,
    /// Show all that is known of what is not as it should be
    #[arg(long)]
    long: bool,
    /// Write tests/FAULTS.md
    #[arg(long, conflicts_with_all = ["call", "scenario"])]
    write: bool,
}

fn main() -> ExitCode {
    let words = Words::parse();
    ship::build_harness("faults");
    if !namespace::available("cargo faults") || tools::on_path("strace").is_none() {
        eprintln!("faults: it needs namespaces and strace");
        return ExitCode::FAILURE;
    }
    let wanted = |name: &str| words.scenario.is_empty() || words.scenario.iter().any(|other| other == name);
    let scenarios: Vec<_> = SCENARIOS.iter().filter(|scenario| wanted(scenario.name)).collect();
    let plain: BTreeMap<&str, Seen> = scenarios
        .iter()
        .map(|scenario| {
            let cell = Cell { scenario, fault: None };
            (scenario.name, faults::run(cell, Class::Unnoticed).unwrap_or_else(|why| panic!("{cell}: {why}")))
        })
        .collect();
    let mut cells = Vec::new();
    for scenario in &scenarios {
        let seen = &plain[scenario.name];
        cells.extend(faults::cells(scenario, |call| faults::made(scenario, seen, call)));
    }
    cells.extend(faults::filtered().into_iter().filter(|cell| wanted(cell.scenario.name)));
    cells.retain(|cell| {
        words.call.is_empty() || cell.fault.is_some_and(|(call, _)| words.call.iter().any(|name| name == call.name))
    });
    let bar = ProgressBar::new(cells.len() as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {eta} {msg}").expect("a template"));
    let (next, judged) = (AtomicUsize::new(0), Mutex::new(Vec::<Judged>::new()));
    std::thread::scope(|scope| {
        for _ in 0..words.jobs {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let class = rules::class(*cell);
                    let result = match faults::run(*cell, class) {
                        Ok(seen) => faults::judge(*cell, class, &seen, &plain[cell.scenario.name])
                            .map_err(|why| if words.long { format!("{why}\n{}", seen.outcome) } else { why }),
                        Err(why) if words.long => Err(format!("{cell}: no end: {why}")),
                        Err(why) => Err(format!("{cell}: no end: {}", why.lines().next().unwrap_or_default())),
                    };
                    let known = rules::known(*cell);
                    if let Err(why) = &result
                        && (known.is_none() || words.long)
                    {
                        bar.suspend(|| eprintln!("--- {why}"));
                    }
                    bar.inc(1);
                    let one = Judged { cell: *cell, class, known, result };
                    judged.lock().expect("no panic under this lock").push(one);
                }
            });
        }
    });
    bar.finish_and_clear();
    let judged = judged.into_inner().expect("no panic under this lock");
    let count = |wanted: &dyn Fn(&Judged) -> bool| judged.iter().filter(|one| wanted(one)).count();
    let failed = count(&|one| one.result.is_err() && one.known.is_none());
    let known = count(&|one| one.result.is_err() && one.known.is_some());
    println!("{} cells: {known} not as they should be, as is known, and {failed} more", judged.len());
    let mut mended = 0;
    for fault in rules::KNOWN {
        let is_it = |one: &&Judged| one.known == Some(fault.what) && fault.cells.fits(one.cell);
        let mut cells = judged.iter().filter(is_it).peekable();
        if cells.peek().is_some() && cells.all(|one| one.result.is_ok()) {
            println!("mended, so that it can be taken out of the list: {:?}", fault);
            mended += 1;
        }
    }
    if words.write {
        std::fs::write(page::path(), page::markdown(&judged, &faults::memory::markdown())).expect("tests/FAULTS.md");
    }
    if failed + mended == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
