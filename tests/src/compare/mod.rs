//! `init` beside its peers: a table of behaviours, each cell the result of a real run.
//!
//! - [`table::TABLE`]: one entry per row: the promise, what is asked, how each program is told to do it, the case.
//! - `cases`: the cases, one function each; they know nothing of which program they run.
//! - here: the columns, the runs, and the Markdown block in the README.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{Case, ship, tools};

mod cases;
pub mod table;

/// What a run has shown: that it holds, with the text of the cell, or that it does not, with the word for that.
pub type Verdict = Result<String, &'static str>;

/// The columns, `init` first; the peers are found on PATH by these names.
pub const COLUMNS: [&str; 4] = ["init", "tini", "dumb-init", "catatonit"];

/// What the peers that the README speaks of answer to `--version`.
const VERSIONS: [&str; 3] = ["tini version 0.19.0", "dumb-init v1.2.5", "tini version 0.1.7_catatonit"];

/// How a program is told to do what a row is about; `None` where it has no such option.
pub type How = Option<Call>;

/// One way to call a program.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// `argv[0]` where it is not the path.
    pub name: Option<&'static str>,
    pub variables: &'static [(&'static str, &'static str)],
    /// Its own options.
    pub words: &'static [&'static str],
}

/// One behaviour.
#[derive(Debug)]
pub struct Row {
    /// The promise of ours that it is about.
    pub promise: &'static str,
    pub what: &'static str,
    /// In the order of [`COLUMNS`].
    pub how: [How; 4],
    pub run: fn(&Program) -> Verdict,
    /// The cells are numbers that differ from build to build.
    pub measured: bool,
}

/// A program as one cell calls it.
#[derive(Debug)]
pub struct Program<'a> {
    pub path: &'a Path,
    pub call: Call,
}

impl Program<'_> {
    /// The program with its own options; what it shall run is still to be added.
    #[must_use]
    pub fn case(&self) -> Case {
        let case = self.call.variables.iter().fold(Case::new(self.path), |case, (name, value)| case.env(name, value));
        let case = if let Some(name) = self.call.name { case.name(name) } else { case };
        case.args(self.call.words)
    }

    /// The same as words for another program to execute, up to and including `--`.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let own = self.call.words.iter().map(Into::into);
        std::iter::once(self.path.into()).chain(own).chain(std::iter::once("--".into())).collect()
    }
}

/// Where the programs are.
///
/// # Errors
/// The name of the first peer that is not installed, or of another program that the cases need.
pub fn programs() -> Result<[PathBuf; 4], String> {
    let find = |name: &str| tools::on_path(name).ok_or_else(|| format!("{name} is not installed"));
    for name in ["strace", "bash"] {
        find(name)?;
    }
    Ok([ship::init().to_owned(), find(COLUMNS[1])?, find(COLUMNS[2])?, find(COLUMNS[3])?])
}

/// Are these the peers that the README speaks of? Others may do otherwise.
///
/// # Errors
/// What one of them answers instead.
pub fn peers_are_those_of_the_readme(programs: &[PathBuf; 4]) -> Result<(), String> {
    for (peer, expected) in programs[1..].iter().zip(VERSIONS) {
        let output = Command::new(peer).arg("--version").output().map_err(|error| format!("{expected}: {error}"))?;
        let answer = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        if answer != expected {
            return Err(format!("{} is {answer}, not {expected}", peer.display()));
        }
    }
    Ok(())
}

/// The cells of one row: `None` where the program has no such option.
pub type Cells = [Option<Verdict>; 4];

/// How many run at the same time: nearly all of the time is waiting.
const AT_ONCE: usize = 6;

/// Runs every row for every program that can do it; the order is the table's.
#[must_use]
pub fn run(programs: &[PathBuf; 4]) -> Vec<Cells> {
    let results: Mutex<Vec<Cells>> = Mutex::new(table::TABLE.iter().map(|_| [const { None }; 4]).collect());
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let cell = next.fetch_add(1, Ordering::Relaxed);
            let (row, column) = (cell / 4, cell % 4);
            let Some(entry) = table::TABLE.get(row) else { return };
            let Some(call) = entry.how[column] else { continue };
            let verdict = (entry.run)(&Program { path: &programs[column], call });
            results.lock().unwrap_or_else(PoisonError::into_inner)[row][column] = Some(verdict);
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The text of one cell.
#[must_use]
pub fn text(cell: &Option<Verdict>) -> &str {
    match cell {
        Some(Ok(text)) => text,
        Some(Err(word)) => word,
        None => "–",
    }
}

/// The table in Markdown.
#[must_use]
pub fn markdown(results: &[Cells]) -> String {
    let mut lines = vec![format!("| | | {} |", COLUMNS.join(" | ")), "|---|---|---|---|---|---|".to_owned()];
    for (row, cells) in table::TABLE.iter().zip(results) {
        let cells = cells.each_ref().map(text);
        lines.push(format!("| {} | {} | {} |", row.promise, row.what, cells.join(" | ")));
    }
    lines.join("\n") + "\n"
}

/// What stands around the table in the README.
const MARKS: [&str; 2] = ["<!-- comparison -->\n", "<!-- /comparison -->\n"];

/// The README in three parts: up to the table, the table, and the rest.
///
/// # Panics
/// The marks are missing.
#[must_use]
pub fn split(readme: &str) -> [&str; 3] {
    let start = readme.find(MARKS[0]).expect("the mark in README.md") + MARKS[0].len();
    let end = readme.find(MARKS[1]).expect("the second mark in README.md");
    [&readme[..start], &readme[start..end], &readme[end..]]
}

/// The path of the README.
#[must_use]
pub fn readme() -> PathBuf {
    ship::root().join("README.md")
}
