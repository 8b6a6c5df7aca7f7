//! The negative controls of the conformance suite: an init and a pause that do one thing wrong at a time (src/bin/bad-init.rs,
//! bad-pause.rs), and which cases they fail by it (controls.txt).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bitts_tests::conformance::page::Expectations;
use bitts_tests::conformance::table::TABLE;
use bitts_tests::conformance::{self, Row, Shown, Subject, Suite};
use bitts_tests::{needs_namespaces, needs_strace, ship};

/// What one fault does to the cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Failing {
    /// These fail by it.
    always: BTreeSet<String>,
    /// These may, for it depends on when something happens.
    sometimes: BTreeSet<String>,
}

/// One program of controls.txt as one dialect, and its faults; that without a name is what it does without any.
struct Control {
    suite: Suite,
    dialect: usize,
    faults: BTreeMap<String, Failing>,
}

/// A case as the list has it.
fn title(row: &Row) -> String {
    format!("{} {}", row.promise, row.name())
}

/// The list: `# dialect`, then faults, each with the cases that fail below it; those that may fail begin with `? `.
fn controls() -> Vec<Control> {
    let mut all: Vec<Control> = Vec::new();
    let mut fault = String::new();
    for line in include_str!("controls.txt").lines().filter(|line| !line.trim().is_empty()) {
        if let Some(dialect) = line.strip_prefix("# ") {
            let place = |suite: Suite| Some((suite, suite.columns().iter().position(|column| *column == dialect)?));
            let (suite, dialect) = Suite::ALL.into_iter().find_map(place).unwrap_or_else(|| panic!("{line}"));
            fault.clear();
            all.push(Control { suite, dialect, faults: BTreeMap::from([(String::new(), Failing::default())]) });
            continue;
        }
        let control = all.last_mut().expect("a line with the dialect before");
        match line.strip_prefix("    ") {
            None => {
                line.clone_into(&mut fault);
                assert!(control.faults.insert(fault.clone(), Failing::default()).is_none(), "{fault}, twice");
            }
            Some(case) => {
                let case = case.trim_end_matches(' ');
                let sometimes = case.strip_prefix("? ");
                assert!(
                    control.suite.rows().any(|row| title(row) == sometimes.unwrap_or(case)),
                    "there is no case {case}"
                );
                let failing = control.faults.get_mut(&fault).expect("entered above");
                match sometimes {
                    Some(case) => failing.sometimes.insert(case.to_owned()),
                    None => failing.always.insert(case.to_owned()),
                };
            }
        }
    }
    all
}

impl Control {
    fn program(&self) -> &'static Path {
        match self.suite {
            Suite::Init => ship::bad_init(),
            Suite::Pause => ship::bad_pause(),
        }
    }

    /// The program with one fault, or with none.
    fn subject(&self, fault: &str) -> Subject {
        let first = if fault.is_empty() { vec![] } else { vec!["--fault".into(), fault.replace(' ', "_").into()] };
        let path = self.program().to_owned();
        Subject { suite: self.suite, name: fault.to_owned(), path, first, dialect: self.dialect }
    }

    /// What it fails without any fault, which it fails with each as well.
    fn known(&self) -> &Failing {
        &self.faults[""]
    }

    fn heading(&self) -> &'static str {
        self.suite.columns()[self.dialect]
    }
}

/// The cases of `shown` that have failed.
fn failed(shown: &[Shown]) -> BTreeSet<String> {
    shown.iter().filter(|shown| !shown.is_kept()).map(|shown| title(shown.row)).collect()
}

/// What differs between the list and what was shown, in the form of the list.
fn differences(control: &Control, fault: &str, shown: &[Shown]) -> String {
    let failing = &control.faults[fault];
    let known = &control.known().always;
    let expected: BTreeSet<_> = failing.always.union(known).cloned().collect();
    let failed = failed(shown);
    let tried: BTreeSet<_> = shown.iter().map(|shown| title(shown.row)).collect();
    let missed =
        expected.intersection(&tried).filter(|case| !failed.contains(*case)).map(|case| format!("    - {case}\n"));
    let others = failed.iter().filter(|case| !expected.contains(*case) && !failing.sometimes.contains(*case));
    let reason = |case: &String| {
        let shown = shown.iter().find(|shown| title(shown.row) == *case);
        shown.and_then(|shown| shown.verdict.clone()?.err())
    };
    let others = others.map(|case| format!("    + {case} ({:?})\n", reason(case)));
    let lines: String = missed.chain(others).collect();
    if lines.is_empty() { lines } else { format!("{}: {fault:?}\n{lines}", control.heading()) }
}

/// Runs all controls with all faults, as far as `wanted` names the case, and tells where they differ from the list.
fn run(wanted: impl Fn(&Control, &str, &Row) -> bool) -> String {
    let controls = controls();
    let of = |control| Control::faults_of(control).map(move |fault| (control, fault));
    let all: Vec<(&Control, &str)> = controls.iter().flat_map(of).collect();
    let subjects: Vec<_> = all.iter().map(|(control, fault)| control.subject(fault)).collect();
    let of_subject = |subject: &Subject| {
        let at = all.iter().position(|(control, fault)| {
            control.suite == subject.suite && control.dialect == subject.dialect && *fault == subject.name
        });
        all[at.expect("made above")]
    };
    let wanted = |subject: &Subject, row: &Row| {
        let (control, fault) = of_subject(subject);
        wanted(control, fault, row)
    };
    let shown = conformance::run(&subjects, wanted, |_, _| ());
    all.iter().zip(&shown).map(|((control, fault), shown)| differences(control, fault, shown)).collect()
}

impl Control {
    fn faults_of(&self) -> impl Iterator<Item = &str> {
        self.faults.keys().map(String::as_str)
    }
}

/// For each case the fault by which the fewest others fail: that is the one that is about it.
fn narrowest(controls: &[Control]) -> BTreeMap<String, (usize, usize, String)> {
    let mut all = BTreeMap::new();
    for (number, control) in controls.iter().enumerate() {
        for (fault, failing) in control.faults.iter().filter(|(fault, _)| !fault.is_empty()) {
            for case in &failing.always {
                let own = (failing.always.len(), number, fault.clone());
                let narrowest = all.entry(format!("{} {case}", control.suite.name())).or_insert_with(|| own.clone());
                *narrowest = own.min(narrowest.clone());
            }
        }
    }
    all
}

#[test]
fn without_a_fault_all_cases_hold_but_the_known_ones_and_each_is_failed_by_its_fault() {
    needs_namespaces!();
    needs_strace!();
    let controls = controls();
    let narrowest = narrowest(&controls);
    assert!(narrowest.len() > 100, "{}", narrowest.len());
    let differences = run(|control, fault, row| {
        let own = narrowest.get(&format!("{} {}", row.suite.name(), title(row)));
        let is_its =
            |(_, number, name): &(usize, usize, String)| controls[*number].dialect == control.dialect && name == fault;
        fault.is_empty() || own.is_some_and(is_its)
    });
    assert!(differences.is_empty(), "(-: held and should not, +: failed and should not)\n{differences}");
}

#[test]
#[ignore = "all faults in all cases, which takes minutes: cargo controls"]
fn each_fault_fails_exactly_its_own_cases() {
    needs_namespaces!();
    needs_strace!();
    let differences = run(|_, _, _| true);
    assert!(differences.is_empty(), "(-: held and should not, +: failed and should not)\n{differences}");
}

/// Figures for which nothing is promised.
const OF_NO_PROMISE: [&str; 2] = ["B4 resident memory, kB", "P8 resident memory, kB"];

/// What the file says, and no fault can change.
const OF_THE_FILE: &str = "B1 static, stack not executable, no page writable and executable";

#[test]
fn a_dynamic_program_fails_the_case_that_looks_at_the_file() {
    for suite in Suite::ALL {
        let path = bitts_tests::tools::witness();
        let subject = Subject { suite, name: "witness".to_owned(), path, first: vec![], dialect: 0 };
        let shown = conformance::run(&[subject], |_, row| title(row) == OF_THE_FILE, |_, _| ());
        assert_eq!(failed(&shown[0]), BTreeSet::from([OF_THE_FILE.to_owned()]));
    }
}

#[test]
fn every_case_is_failed_by_a_fault_or_by_a_peer() {
    let controls = controls();
    let by_fault = |row: &Row| {
        let of = |control: &&Control| control.suite == row.suite;
        controls
            .iter()
            .filter(of)
            .flat_map(|control| control.faults.values())
            .any(|failing| failing.always.contains(&title(row)))
    };
    let expectations: Vec<_> = Suite::ALL
        .into_iter()
        .flat_map(|suite| (0..suite.columns().len()).map(move |column| (suite, Expectations::of(suite, column))))
        .collect();
    let by_peer = |row: &Row| {
        let cells = expectations.iter().filter(|(suite, _)| *suite == row.suite).filter_map(|(_, all)| all.get(row));
        cells.into_iter().any(|cell| cell != row.kept && cell != "–")
    };
    let by_file = |row: &Row| title(row) == OF_THE_FILE;
    let never = TABLE.iter().filter(|row| !by_fault(row) && !by_peer(row) && !by_file(row)).map(title);
    assert_eq!(never.collect::<Vec<_>>(), OF_NO_PROMISE, "cases that cannot fail");
}

#[test]
fn every_fault_of_the_sources_is_in_the_list() {
    let controls = controls();
    for (suite, path) in [(Suite::Init, "tests/src/bin/bad-init.rs"), (Suite::Pause, "tests/src/bin/bad-pause.rs")] {
        let source = std::fs::read_to_string(ship::root().join(path)).expect("a source");
        let asked = source.split("fault::is(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let of = controls.iter().filter(|control| control.suite == suite);
        let listed = of.flat_map(|control| control.faults.keys().map(String::as_str)).filter(|fault| !fault.is_empty());
        assert_eq!(asked.collect::<BTreeSet<_>>(), listed.collect(), "{path} (left) against controls.txt (right)");
    }
    // A fault by which nothing fails is none.
    for control in &controls {
        let idle: Vec<_> =
            control.faults.iter().filter(|(_, failing)| failing.always.is_empty()).map(|(name, _)| name).collect();
        assert!(idle.is_empty(), "{}: {idle:?}", control.heading());
    }
}
