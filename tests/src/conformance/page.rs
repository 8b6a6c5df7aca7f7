//! What the known programs do, as tables in Markdown: all of it on a page of its own, where the programs differ in the README.

use std::fmt::Write;

use super::{Row, Shown, Suite};
use crate::marks;

/// The whole of it, from the root of the repository.
pub const PAGE: &str = "tests/CONFORMANCE.md";

/// The part of the README that has the rows in which the inits differ.
const IN_README: &str = "comparison";

/// The head of a table.
fn head(suite: Suite) -> String {
    let columns = suite.columns();
    format!("| | | {} |\n|---|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

/// One row of a table.
fn line(row: &Row, cells: &[&str]) -> String {
    format!("| {} | {} | {} |\n", row.promise, row.what, cells.join(" | "))
}

/// The rows of a suite with their cells: `shown` is a whole run of each of its columns.
fn rows<'a>(suite: Suite, shown: &'a [&'a [Shown]]) -> Vec<(&'static Row, Vec<&'a str>)> {
    let cells = |number: usize| shown.iter().map(|column| column[number].cell()).collect();
    suite.rows().enumerate().map(|(number, row)| (row, cells(number))).collect()
}

/// The part of [`PAGE`] on one suite: `shown` is a whole run of each of its columns.
#[must_use]
pub fn part(suite: Suite, shown: &[&[Shown]]) -> String {
    let lines = rows(suite, shown).into_iter().map(|(row, cells)| line(row, &cells));
    std::iter::once(head(suite)).chain(lines).collect()
}

/// The README's table: the inits where they differ. Rows that go on from one another stay together.
#[must_use]
pub fn of_readme(shown: &[&[Shown]]) -> String {
    let all = rows(Suite::Init, shown);
    let groups = all.chunk_by(|_, (row, _)| row.what.starts_with('…'));
    let differs =
        |group: &&[(&Row, Vec<&str>)]| group.iter().any(|(_, cells)| cells.iter().any(|cell| *cell != cells[0]));
    let lines = groups.filter(differs).flatten().map(|(row, cells)| line(row, cells));
    std::iter::once(head(Suite::Init)).chain(lines).collect()
}

/// What the documents have of it now: of the suite, and of the README.
#[must_use]
pub fn told(suite: Suite) -> String {
    marks::read(PAGE, suite.name())
}

/// As [`told`], of the README.
#[must_use]
pub fn told_in_readme() -> String {
    marks::read("README.md", IN_README)
}

/// Puts all of it into the documents.
pub fn write(shown: &[(Suite, Vec<&[Shown]>)]) {
    for (suite, columns) in shown {
        marks::write(PAGE, suite.name(), &part(*suite, columns));
        if *suite == Suite::Init {
            marks::write("README.md", IN_README, &of_readme(columns));
        }
    }
}

/// The cells of a column of the page, by the words of their rows.
#[derive(Debug)]
pub struct Expectations {
    /// Words and cell.
    cells: Vec<(String, String)>,
    /// It is the column of our own program, which keeps what it promises of a number, too.
    pub ours: bool,
}

impl Expectations {
    /// Those of one column.
    #[must_use]
    pub fn of(suite: Suite, column: usize) -> Self {
        let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        let lines = told(suite);
        let rows = lines
            .lines()
            .map(cells)
            .filter_map(|cells: Vec<String>| Some((cells.get(1)?.clone(), cells.get(2 + column)?.clone())));
        Self { cells: rows.collect(), ours: column == 0 }
    }

    /// The cell of one row; none where the page does not have it, or cannot tell it beforehand.
    #[must_use]
    pub fn get(&self, row: &Row) -> Option<&str> {
        let found = self.cells.iter().find(|(what, _)| what == row.what).filter(|_| !row.measured);
        found.map(|(_, cell)| cell.as_str())
    }
}

/// Two tables line by line: where they differ, the measured numbers aside.
#[must_use]
pub fn differences(told: &str, fresh: &str) -> String {
    let counts = |line: &&str| !super::TABLE.iter().any(|row| row.measured && line.contains(row.what));
    let [told, fresh] = [told, fresh].map(|text| text.lines().filter(counts).collect::<Vec<_>>());
    let mut text = String::new();
    for line in told.iter().filter(|line| !fresh.contains(line)) {
        let _ = writeln!(text, "- {line}");
    }
    for line in fresh.iter().filter(|line| !told.contains(line)) {
        let _ = writeln!(text, "+ {line}");
    }
    if text.is_empty() && told != fresh {
        text.push_str("the order\n");
    }
    text
}
