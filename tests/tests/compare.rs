//! The comparison in the README is what the programs do.

use std::sync::OnceLock;

use bitts_tests::compare::table::TABLE;
use bitts_tests::compare::{self, Cells};
use bitts_tests::{namespace, needs_namespaces};

/// One run for all tests; nothing, loudly, where a peer is not installed.
fn results() -> Option<&'static [Cells]> {
    static RESULTS: OnceLock<Option<Vec<Cells>>> = OnceLock::new();
    RESULTS
        .get_or_init(|| match compare::programs() {
            Ok(programs) => Some(compare::run(&programs)),
            Err(why) => {
                namespace::skipped("the comparison", &why);
                None
            }
        })
        .as_deref()
}

#[test]
fn the_table_is_large_and_its_rows_are_told_apart() {
    assert!(TABLE.len() >= 45, "{}", TABLE.len());
    for (number, row) in TABLE.iter().enumerate() {
        assert!(TABLE[..number].iter().all(|other| other.what != row.what), "{}", row.what);
        assert!(row.how[0].is_some(), "init has no column in: {}", row.what);
    }
}

#[test]
fn init_does_all_of_it() {
    needs_namespaces!();
    let Some(results) = results() else { return };
    let wrong: Vec<_> = TABLE
        .iter()
        .zip(results)
        .filter(|(_, cells)| !matches!(cells[0], Some(Ok(_))))
        .map(|(row, cells)| (row.what, compare::text(&cells[0])))
        .collect();
    assert!(wrong.is_empty(), "init fails: {wrong:?}");
}

/// All but the measured numbers, which differ from build to build and from kernel to kernel.
#[test]
fn the_readme_says_what_a_fresh_run_shows() {
    needs_namespaces!();
    let peers = compare::programs().and_then(|programs| compare::peers_are_those_of_the_readme(&programs));
    if let Err(why) = peers {
        return namespace::skipped("the comparison with the README", &why);
    }
    let Some(results) = results() else { return };
    let readme = std::fs::read_to_string(compare::readme()).expect("README.md");
    let measured = |line: &&str| !TABLE.iter().any(|row| row.measured && line.contains(row.what));
    let [_, told, _] = compare::split(&readme);
    let fresh = compare::markdown(results);
    let [told, fresh] = [told, &fresh].map(|text| text.lines().filter(measured).collect::<Vec<_>>());
    let differing: Vec<_> = told.iter().zip(&fresh).filter(|(told, fresh)| told != fresh).collect();
    assert!(differing.is_empty() && told.len() == fresh.len(), "run `cargo compare --write`: {differing:#?}");
}
