//! System calls that fail, and resources that there are none of (I10, I13, B2, B3). `cargo faults` is the whole of it; here is
//! one cell or two of each call. Each test's name begins with the promise's number.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bitts_tests::faults::{self, Cell, Class, Fault, SCENARIOS, Scenario, Seen, Traced, calls, rules};
use bitts_tests::{Case, Place, needs_namespaces, needs_strace, ship, sys, tools};

/// All calls in the sources below a folder, by the names of their numbers.
fn in_sources(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("sources") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            found.append(&mut in_sources(&path));
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a source");
        for rest in text.split("SYS_").skip(1) {
            found.insert(
                rest.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect(),
            );
        }
    }
    found
}

#[test]
fn i13_the_table_of_faults_has_every_call_of_the_sources_and_no_other() {
    let folders = ["init/src", "pause/src", "pause/bare/src"];
    let sources: BTreeSet<_> = folders.iter().flat_map(|folder| in_sources(&ship::root().join(folder))).collect();
    let table: BTreeSet<_> = calls::CALLS.iter().map(|call| call.name.to_owned()).collect();
    assert_eq!(sources, table, "the sources (left) against tests/src/faults/calls.rs (right)");
    let reached: BTreeSet<_> =
        SCENARIOS.iter().flat_map(|scenario| scenario.calls).map(|name| (*name).to_owned()).collect();
    assert_eq!(table, reached, "tests/src/faults/calls.rs (left) against scenarios.rs (right)");
}

/// The manual may know fewer errors than the table, of an older version, but none that the table does not.
#[test]
fn i13_the_table_of_faults_has_every_error_of_the_manual() {
    for call in calls::CALLS {
        let Some(errors) = calls::of_the_manual(call) else {
            // Past the capture of the test's output. No failure where everything must run: images of Debian leave the pages out.
            let _ = std::io::stderr()
                .write_all(format!("SKIPPED {}: no manual page; manpages-dev has it\n", call.name).as_bytes());
            continue;
        };
        for error in errors {
            assert!(call.errors.iter().any(|known| known.name == error), "{}: {error} is not in the table", call.name);
        }
    }
}

/// The scenario without a fault.
fn plain(scenario: &'static Scenario) -> Seen {
    let cell = Cell { scenario, fault: None };
    faults::run(cell, Class::Unnoticed).unwrap_or_else(|why| panic!("{cell}: {why}"))
}

/// Some of the cells of a scenario: its calls that no scenario before it has, each with its first error once, and with
/// ENOSYS for good or with a burst of EINTR.
fn some(scenario: &'static Scenario, seen: &Seen) -> Vec<Cell> {
    let before = SCENARIOS.iter().take_while(|other| other.name != scenario.name);
    let old: BTreeSet<_> = before.flat_map(|other| other.calls).collect();
    let is_new = |cell: &Cell| cell.fault.is_some_and(|(call, _)| !old.contains(&call.name));
    // A wait that always fails is worth another scenario: one that lasts, for a busy loop to be seen.
    let is_worth_it = |cell: &Cell| {
        let waits = [("--wait-all", "rt_sigtimedwait"), ("--grace, PID 1", "ppoll")];
        let always = |(call, fault): (&calls::Call, Fault)| {
            matches!(fault, Fault::Always(_)) && waits.contains(&(scenario.name, call.name))
        };
        cell.fault.is_some_and(always)
    };
    let is_one = |cell: &Cell| match cell.fault {
        Some((call, Fault::Nth(error, 1))) => call.all_errors().next() == Some(error),
        Some((_, Fault::Always(error) | Fault::Refused(error))) => error.number == libc::ENOSYS,
        Some((_, Fault::Burst(_))) => true,
        _ => false,
    };
    let mut cells = faults::cells(scenario, |call| faults::made(scenario, seen, call));
    cells.retain(|cell| (is_new(cell) || is_worth_it(cell)) && is_one(cell) && rules::known(*cell).is_none());
    cells
}

#[test]
fn i10_i13_b2_b3_a_call_that_fails_does_what_is_promised() {
    needs_namespaces!();
    needs_strace!();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(scenario) = SCENARIOS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let plain = plain(scenario);
                    for call in scenario.calls.iter().filter(|_| scenario.traced != Traced::None) {
                        assert!(
                            faults::made(scenario, &plain, call) > 0,
                            "{}: no {call}\n{}",
                            scenario.name,
                            plain.outcome
                        );
                    }
                    for cell in some(scenario, &plain) {
                        let class = rules::class(cell);
                        let seen = faults::run(cell, class).unwrap_or_else(|why| panic!("{cell}: {why}"));
                        faults::judge(cell, class, &seen, &plain)
                            .unwrap_or_else(|why| panic!("{why}\n{}", seen.outcome));
                    }
                }
            });
        }
    });
}

/// What the judge says of another program in a cell of the first scenario.
fn judged(program: &Path, call: &str, fault: Fault) -> Result<(), String> {
    let scenario = &SCENARIOS[0];
    let plain = Cell { scenario, fault: None };
    let plain = faults::run_with(plain, Class::Unnoticed, program).expect("a program that runs");
    let cell = Cell { scenario, fault: Some((calls::call(call), fault)) };
    let seen = faults::run_with(cell, rules::class(cell), program)?;
    faults::judge(cell, rules::class(cell), &seen, &plain)
}

/// The control: what spins on EINTR, and what dies of a signal that cannot be forwarded, is found.
#[test]
fn i13_the_judge_of_faults_sees_a_busy_loop_and_an_early_end() {
    needs_namespaces!();
    needs_strace!();
    let error = |name, number| faults::Error { name, number };
    let eintr = Fault::Nth(error("EINTR", libc::EINTR), 1);
    let eperm = Fault::Nth(error("EPERM", libc::EPERM), 1);
    let frail = tools::frail();
    let why = judged(&frail, "rt_sigtimedwait", eintr).expect_err("a busy loop");
    assert!(why.contains("a busy loop"), "{why}");
    let why = judged(&frail, "kill", eperm).expect_err("an early end");
    assert!(why.contains("exit Some(1)"), "{why}");
    // The same cells of ours.
    for (call, fault) in [("rt_sigtimedwait", eintr), ("kill", eperm)] {
        judged(ship::init(), call, fault).unwrap_or_else(|why| panic!("{why}"));
    }
    if let Some(tini) = tools::peer("tini") {
        let why = judged(&tini, "kill", eperm).expect_err("an early end");
        assert!(why.contains("exit Some(1)"), "{why}");
    }
}

/// The control: what loses other signals than the one whose call fails is found.
#[test]
fn i12_the_judge_of_faults_sees_a_signal_that_the_fault_does_not_explain() {
    needs_namespaces!();
    needs_strace!();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("init");
    let text = format!("#!/bin/sh\nexec {} --fault loses_real-time_signals \"$@\"\n", ship::bad_init().display());
    {
        let _alone = sys::no_forks();
        std::fs::write(&path, text).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let eperm = faults::Error { name: "EPERM", number: libc::EPERM };
    for fault in [Fault::Nth(eperm, 1), Fault::Always(eperm)] {
        judged(ship::init(), "kill", fault).expect("ours loses that one alone");
        let plain = plain(&SCENARIOS[0]);
        let cell = Cell { scenario: &SCENARIOS[0], fault: Some((calls::call("kill"), fault)) };
        let seen = faults::run_with(cell, rules::class(cell), &path).expect("it ends");
        // A shell and the standard library come before it: how many calls those make is not what is judged.
        let seen = Seen { calls: plain.calls, ..seen };
        let why = faults::judge(cell, rules::class(cell), &seen, &plain).expect_err("a signal is lost");
        assert!(why.contains("lost: "), "{why}");
    }
}

/// The control: what does without and says nothing is found, where the fault lasts.
#[test]
fn b3_the_judge_of_faults_asks_for_the_warning() {
    needs_namespaces!();
    needs_strace!();
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == "--caught-only").expect("a scenario");
    let enosys = faults::Error { name: "ENOSYS", number: libc::ENOSYS };
    let silent = |fault| {
        let cell = Cell { scenario, fault: Some((calls::call("openat"), fault)) };
        let (class, plain) = (rules::class(cell), plain(scenario));
        let seen = faults::run(cell, class).unwrap_or_else(|why| panic!("{cell}: {why}"));
        faults::judge(cell, class, &seen, &plain).unwrap_or_else(|why| panic!("{why}\n{}", seen.outcome));
        // The same with the words, and the child's signals, of a run without a fault.
        faults::judge(cell, class, &Seen { outcome: plain.outcome.clone(), ..seen }, &plain)
    };
    let why = silent(Fault::Always(enosys)).expect_err("no warning");
    assert!(why.contains("[] instead of one line: no /proc"), "{why}");
    silent(Fault::Nth(enosys, 1)).expect("once it may go unnoticed");
}

/// What stands before init, as `prlimit(1)` takes it.
const LIMITS: [&str; 11] = [
    "--nofile=0:0",
    "--nofile=1:1",
    "--nofile=3:3",
    "--nofile=4:4",
    "--sigpending=0:0",
    "--sigpending=1:1",
    "--stack=65536:65536",
    "--as=524288:524288",
    "--core=0:0",
    "--fsize=0:0",
    "--memlock=0:0",
];

/// init under limits, with a child that needs less than it does: another init, which pauses.
#[test]
fn b3_works_within_the_narrowest_limits() {
    needs_namespaces!();
    let Some(prlimit) = tools::on_path("prlimit") else { panic!("prlimit is part of util-linux") };
    let options: [&[&str]; 6] =
        [&[], &["-g"], &["-v"], &["--grace=60m"], &["--caught-only"], &["--stop-timeout=60m", "--wait-all"]];
    for limit in LIMITS {
        for place in [Place::Pid1, Place::Child] {
            for options in options {
                let case = Case::new(&prlimit).place(place).args([limit, "--"]).arg(ship::init()).args(options);
                let mut init = case.arg("--").arg(ship::init()).arg("-P").start();
                init.wait_until("a child that pauses", |init| {
                    let children = init.children();
                    children.len() == 1
                        && children
                            .iter()
                            .all(|child| bitts_tests::procfs::sleeps_in(child.pid, libc::SYS_rt_sigtimedwait))
                });
                init.signal(libc::SIGTERM);
                let outcome = init.wait();
                assert_eq!(outcome.exit(), Some(0), "{limit} {place:?} {options:?}: {outcome}");
                let warnings = outcome.err().lines().filter(|line| line.contains("warning")).count();
                assert!(warnings <= 1, "{limit} {place:?} {options:?}: {outcome}");
            }
        }
    }
}

/// No process may be made any more.
#[test]
fn i10_a_limit_on_processes_is_told() {
    needs_namespaces!();
    let Some(prlimit) = tools::on_path("prlimit") else { panic!("prlimit is part of util-linux") };
    for place in [Place::Pid1, Place::Child] {
        let case = Case::new(&prlimit).place(place).user(1000, 1000).args(["--nproc=0:0", "--"]);
        let outcome = case.arg(ship::init()).args(["--", "/bin/true"]).run();
        outcome.assert_exit(1);
        assert_eq!(outcome.err(), "init: fatal: cannot fork: Resource temporarily unavailable\n");
    }
}
