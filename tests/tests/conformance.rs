//! The conformance suite: ours keep what is promised, and the pages say what the programs do.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use bitts_tests::conformance::table::TABLE;
use bitts_tests::conformance::{self, Shown, Subject, Suite, page};
use bitts_tests::{namespace, needs_namespaces};

/// One run for all tests: ours and all peers; nothing, loudly, where one is not installed.
fn results() -> Option<&'static [(Subject, Vec<Shown>)]> {
    static RESULTS: OnceLock<Option<Vec<(Subject, Vec<Shown>)>>> = OnceLock::new();
    RESULTS
        .get_or_init(|| match conformance::everybody() {
            Ok(subjects) => {
                let shown = conformance::run(&subjects, |_, _| true, |_, _| ());
                Some(subjects.into_iter().zip(shown).collect())
            }
            Err(why) => {
                namespace::skipped("the conformance suite", &why);
                None
            }
        })
        .as_deref()
}

/// The results of a suite, by its columns.
fn columns(results: &'static [(Subject, Vec<Shown>)], suite: Suite) -> Vec<&'static [Shown]> {
    results.iter().filter(|(subject, _)| subject.suite == suite).map(|(_, shown)| shown.as_slice()).collect()
}

#[test]
fn the_cases_are_told_apart_and_ours_can_be_asked_for_each() {
    for suite in Suite::ALL {
        let names: BTreeSet<_> = suite.rows().map(|row| row.name()).collect();
        assert_eq!(names.len(), suite.rows().count(), "two cases with the same name");
        let words: BTreeSet<_> = suite.rows().map(|row| row.what).collect();
        assert_eq!(words.len(), names.len(), "two rows with the same words");
        for row in suite.rows() {
            // Of the pauses, the second is the mode of ours.
            let ours = if suite == Suite::Pause { &row.how[..2] } else { &row.how[..1] };
            assert!(ours.iter().any(Option::is_some), "ours cannot be asked: {}", row.what);
        }
    }
}

/// All but those of the images (G1, G2).
#[test]
fn every_promise_of_a_program_has_a_case() {
    let numbered = |letter: char, count: u32| (1..=count).map(move |number| format!("{letter}{number}"));
    let promises: BTreeSet<_> =
        numbered('I', 20).chain(numbered('B', 4)).chain(numbered('P', 8)).chain(["G3".to_owned()]).collect();
    let with_case: BTreeSet<_> = TABLE.iter().map(|row| row.promise.to_owned()).collect();
    assert_eq!(with_case, promises);
}

#[test]
fn ours_keep_all_of_it() {
    needs_namespaces!();
    let Some(results) = results() else { return };
    let ours = results.iter().filter(|(subject, _)| ["init", "pause", "init -P"].contains(&subject.name.as_str()));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (subject, shown) in ours {
        count += 1;
        let broken = shown.iter().filter(|shown| !shown.is_kept());
        wrong.extend(broken.map(|shown| (&subject.name, shown.row.promise, shown.row.name(), &shown.verdict)));
    }
    assert_eq!(count, 3);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All but the measured numbers, which differ from build to build and from kernel to kernel.
#[test]
fn the_pages_say_what_a_fresh_run_shows() {
    needs_namespaces!();
    if let Err(why) = conformance::peers_are_those_of_the_page() {
        return namespace::skipped("the comparison with the pages", &why);
    }
    let Some(results) = results() else { return };
    let mut differing = String::new();
    for suite in Suite::ALL {
        let fresh = page::part(suite, &columns(results, suite));
        differing += &page::differences(&page::told(suite), &fresh);
    }
    let in_readme = page::told_in_readme();
    differing += &page::differences(&in_readme, &page::of_readme(&columns(results, Suite::Init)));
    assert!(differing.is_empty(), "run `cargo conformance --write`:\n{differing}");
    assert!(in_readme.lines().count() >= 45 + 2, "{in_readme}");
}

/// The control: a line that says something else is noticed, and a measured number is not.
#[test]
fn a_stale_page_is_noticed() {
    let told = page::told(Suite::Init);
    assert_eq!(page::differences(&told, &told), "");
    let stale = told.replacen("| ✓ | ✗ |", "| ✓ | ✓ |", 1);
    assert_eq!(page::differences(&stale, &told).lines().count(), 2);
    let line = told.lines().find(|line| line.contains("resident memory, kB")).expect("a measured row");
    assert_eq!(page::differences(&told.replace(line, &line.replace(|c: char| c.is_ascii_digit(), "7")), &told), "");
    let shorter: String = told.lines().skip(3).map(|line| format!("{line}\n")).collect();
    assert_ne!(page::differences(&shorter, &told), "");
}
