//! What a run has shown, for people, as JSON and as JUnit's XML.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::page::Expectations;
use super::{Shown, Subject};

/// What a program is held to.
#[derive(Debug)]
pub enum Measure {
    /// What the page has of it.
    Page(Expectations),
    /// The contract alone.
    Contract,
}

/// How one case of one program has come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    AsExpected,
    /// The promise is not kept, and the page says so.
    KnownFailure,
    /// What was expected, and what was seen.
    Differs(String, String),
    /// The dialect has no such option.
    NotAsked,
}

impl Measure {
    /// What is expected in the cell.
    #[must_use]
    pub fn expects(&self, shown: &Shown) -> Option<&str> {
        match self {
            Self::Page(expectations) => expectations.get(shown.row),
            Self::Contract => None,
        }
    }

    /// Judges one case.
    #[must_use]
    pub fn judge(&self, shown: &Shown) -> Judgement {
        let reason = || match &shown.verdict {
            Some(Err(failure)) => (failure.expected.clone(), format!("{}: {}", failure.word, failure.seen)),
            _ => (String::new(), shown.cell().to_owned()),
        };
        match self.expects(shown) {
            _ if shown.verdict.is_none() => Judgement::NotAsked,
            Some(cell) if cell == shown.cell() && shown.is_kept() => Judgement::AsExpected,
            Some(cell) if cell == shown.cell() => Judgement::KnownFailure,
            Some(cell) => {
                let (promised, seen) = reason();
                let promised = if promised.is_empty() { String::new() } else { format!(" ({promised})") };
                Judgement::Differs(format!("{cell}, as the page has it{promised}"), seen)
            }
            // A number that the page cannot tell beforehand, and of a peer no promise.
            None if shown.row.measured && matches!(self, Self::Page(page) if !page.ours) => Judgement::AsExpected,
            None if shown.is_kept() => Judgement::AsExpected,
            None => {
                let (expected, seen) = reason();
                Judgement::Differs(expected, seen)
            }
        }
    }
}

/// One program, what it is held to, and what it has shown.
#[derive(Debug)]
pub struct Report<'a> {
    pub subject: &'a Subject,
    pub measure: &'a Measure,
    pub shown: &'a [Shown],
}

impl Report<'_> {
    fn judged(&self) -> impl Iterator<Item = (&Shown, Judgement)> {
        self.shown.iter().map(|shown| (shown, self.measure.judge(shown)))
    }

    /// Is everything as expected?
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.judged().any(|(_, judgement)| matches!(judgement, Judgement::Differs(..)))
    }

    /// What it was held to, in words.
    fn held_to(&self) -> String {
        let dialect = self.subject.suite.columns()[self.subject.dialect];
        match self.measure {
            Measure::Page(_) => format!("what the page has of {dialect}"),
            Measure::Contract => format!("the contract, called as {dialect}"),
        }
    }

    /// For people: what differs, each with what was expected and what was seen, and the sum.
    #[must_use]
    pub fn text(&self) -> String {
        let Subject { name, path, .. } = self.subject;
        let mut text = String::new();
        let mut counts = [0; 4];
        for (shown, judgement) in self.judged() {
            let kind = match &judgement {
                Judgement::AsExpected => 0,
                Judgement::KnownFailure => 1,
                Judgement::Differs(..) => 2,
                Judgement::NotAsked => 3,
            };
            counts[kind] += 1;
            if let Judgement::Differs(expected, seen) = judgement {
                let _ = writeln!(text, "FAILED {name}: {} {}", shown.row.promise, shown.row.name());
                let _ = writeln!(text, "  expected: {expected}\n  seen:     {seen}");
            }
        }
        let [good, known, bad, not_asked] = counts;
        let sum = format!(
            "{good} kept, {known} known not to be kept, {bad} not as expected, {not_asked} without an option for it"
        );
        let _ = writeln!(text, "{name} ({}), held to {}: {sum}", path.display(), self.held_to());
        text
    }

    /// For machines.
    fn json(&self) -> serde_json::Value {
        let cases = self.judged().map(|(shown, judgement)| {
            let (result, expected, seen) = match judgement {
                Judgement::AsExpected => ("kept", None, None),
                Judgement::KnownFailure => ("known", None, None),
                Judgement::Differs(expected, seen) => ("failed", Some(expected), Some(seen)),
                Judgement::NotAsked => ("not asked", None, None),
            };
            json!({
                "promise": shown.row.promise, "case": shown.row.name(), "cell": shown.cell(), "kept": shown.is_kept(),
                "result": result, "expected": expected, "seen": seen, "seconds": shown.took.as_secs_f64(),
            })
        });
        json!({
            "program": self.subject.name, "path": self.subject.path, "suite": self.subject.suite.name(),
            "held to": self.held_to(), "good": self.is_good(), "cases": cases.collect::<Vec<_>>(),
        })
    }

    /// For what shows test results.
    fn junit(&self) -> TestSuite {
        let mut suite = TestSuite::new(self.subject.name.clone());
        for (shown, judgement) in self.judged() {
            let status = match judgement {
                Judgement::AsExpected | Judgement::KnownFailure => TestCaseStatus::success(),
                Judgement::NotAsked => TestCaseStatus::skipped(),
                Judgement::Differs(expected, seen) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(format!("expected: {expected}; seen: {seen}"));
                    status
                }
            };
            let mut case = TestCase::new(format!("{} {}", shown.row.promise, shown.row.name()), status);
            case.set_classname(self.subject.name.clone()).set_time(shown.took);
            suite.add_test_case(case);
        }
        suite
    }
}

/// All reports as one JSON document.
#[must_use]
pub fn json(reports: &[Report]) -> String {
    let all = json!({ "reports": reports.iter().map(Report::json).collect::<Vec<_>>() });
    format!("{all:#}\n")
}

/// All reports as one JUnit document.
///
/// # Errors
/// A text that XML cannot hold.
pub fn junit(reports: &[Report]) -> Result<String, quick_junit::SerializeError> {
    let mut all = quick_junit::Report::new("conformance");
    all.add_test_suites(reports.iter().map(Report::junit));
    all.to_string()
}

/// Progress on a terminal: how many cases are done, and the last of them.
#[must_use]
pub fn progress(cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} {msg}").expect("a template"));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
