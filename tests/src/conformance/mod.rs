//! The conformance suite: what an init, or a pause, can be held to from outside, as cases that any program can be put through.
//!
//! - [`table::TABLE`]: one entry per case: the promise, what is asked, how each dialect is told to do it, the function.
//! - `init`, `pause`: the cases, one function each; they know nothing of which program they run. `look`: how they look at it.
//! - [`page`]: what the known programs do, in Markdown. It is the table of expectations too: a run of one of them is held to it.
//! - `report` (feature `conformance`): what `cargo conformance` says, for people and for machines.
//! - here: the dialects, the programs, the runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Case, ship, tools};

mod init;
mod look;
pub mod page;
mod pause;
#[cfg(feature = "conformance")]
pub mod report;
pub mod table;

pub use look::{Failure, Verdict, YES};
use table::TABLE;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// What starts a program.
    Init,
    /// What holds a pod.
    Pause,
}

impl Suite {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Init, Self::Pause];

    /// Its name, as an option of the command and as a mark on the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Pause => "pause",
        }
    }

    /// The dialects of the command line, which are the columns of the page too; that of the contract is the first.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Init => &["init", "tini", "dumb-init", "catatonit"],
            Self::Pause => &["pause", "init -P", "catatonit -P"],
        }
    }

    /// Its rows of the table.
    pub fn rows(self) -> impl Iterator<Item = &'static Row> {
        TABLE.iter().filter(move |row| row.suite == self)
    }
}

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

/// One case.
#[derive(Debug)]
pub struct Row {
    pub suite: Suite,
    /// The promise that it holds.
    pub promise: &'static str,
    pub what: &'static str,
    /// In the order of [`Suite::columns`].
    pub how: [How; 4],
    pub run: fn(&Program) -> Verdict,
    /// The cell of a program that keeps the promise.
    pub kept: &'static str,
    /// The cells are numbers that differ from build to build, and no page can tell them beforehand.
    pub measured: bool,
}

impl Row {
    /// The name of the case, which is whole also where the table goes on from the row above.
    #[must_use]
    pub fn name(&self) -> String {
        let own = TABLE.iter().position(|row| std::ptr::eq(row, self)).unwrap_or(0);
        let above = || TABLE[..own].iter().rev().map(|row| row.what).find(|what| !what.starts_with('…'));
        match self.what.strip_prefix('…').and_then(|rest| Some((rest, above()?))) {
            Some((rest, above)) => format!("{above} …{rest}"),
            None => self.what.to_owned(),
        }
    }
}

/// A program as one cell calls it.
#[derive(Debug)]
pub struct Program<'a> {
    pub path: &'a Path,
    /// What it is always given first.
    pub first: &'a [OsString],
    pub call: Call,
    /// The cell of a program that keeps the promise.
    pub kept: &'static str,
}

impl Program<'_> {
    /// The program with its own options; what it shall run is still to be added.
    #[must_use]
    pub fn case(&self) -> Case {
        let case = self.call.variables.iter().fold(Case::new(self.path), |case, (name, value)| case.env(name, value));
        let case = if let Some(name) = self.call.name { case.name(name) } else { case };
        case.args(self.first).args(self.call.words)
    }

    /// The same as words for another program to execute.
    #[must_use]
    pub fn own_words(&self) -> Vec<OsString> {
        let own = self.call.words.iter().map(Into::into);
        std::iter::once(self.path.into()).chain(self.first.iter().cloned()).chain(own).collect()
    }

    /// The same up to and including `--`.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words = self.own_words();
        words.push("--".into());
        words
    }
}

/// A program that is put through the suite.
#[derive(Clone, Debug)]
pub struct Subject {
    pub suite: Suite,
    /// What it is called in reports.
    pub name: String,
    pub path: PathBuf,
    /// What it is always given first.
    pub first: Vec<OsString>,
    /// Which of [`Suite::columns`] says how it is called.
    pub dialect: usize,
}

impl Subject {
    /// One of the known programs, as it is installed here; ours are those that ship.
    ///
    /// # Errors
    /// Its name, where it is not installed.
    pub fn known(suite: Suite, column: usize) -> Result<Self, String> {
        let name = suite.columns()[column];
        let program = name.split(' ').next().unwrap_or(name);
        let path = match program {
            "init" => Ok(ship::init().to_owned()),
            "pause" => Ok(ship::pause().to_owned()),
            _ => tools::on_path(program).ok_or_else(|| format!("{program} is not installed")),
        };
        Ok(Self { suite, name: name.to_owned(), path: path?, first: Vec::new(), dialect: column })
    }
}

/// All known programs: ours, and the peers.
///
/// # Errors
/// What is not installed of them, or of the other programs that the cases need.
pub fn everybody() -> Result<Vec<Subject>, String> {
    tools_are_there()?;
    let of = |suite: Suite| (0..suite.columns().len()).map(move |column| Subject::known(suite, column));
    Suite::ALL.into_iter().flat_map(of).collect()
}

/// Are the programs there that the cases need?
///
/// # Errors
/// The name of one that is not installed.
pub fn tools_are_there() -> Result<(), String> {
    let missing = ["strace", "bash"].into_iter().find(|name| tools::on_path(name).is_none());
    missing.map_or(Ok(()), |name| Err(format!("{name} is not installed")))
}

/// What the peers that the page speaks of answer to `--version`.
const VERSIONS: [(&str, &str); 3] =
    [("tini", "tini version 0.19.0"), ("dumb-init", "dumb-init v1.2.5"), ("catatonit", "tini version 0.1.7_catatonit")];

/// Are these the peers that the page speaks of? Others may do otherwise.
///
/// # Errors
/// What one of them answers instead, or that it is not installed.
pub fn peers_are_those_of_the_page() -> Result<(), String> {
    for (peer, expected) in VERSIONS {
        let path = tools::on_path(peer).ok_or_else(|| format!("{peer} is not installed"))?;
        let output = Command::new(&path).arg("--version").output().map_err(|error| format!("{expected}: {error}"))?;
        let answer = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        if answer != expected {
            return Err(format!("{} is {answer}, not {expected}", path.display()));
        }
    }
    Ok(())
}

/// What one case has shown of one program.
#[derive(Clone, Debug)]
pub struct Shown {
    pub row: &'static Row,
    /// `None` where the dialect has no such option.
    pub verdict: Option<Verdict>,
    pub took: Duration,
}

impl Shown {
    /// The text of the cell.
    #[must_use]
    pub fn cell(&self) -> &str {
        match &self.verdict {
            Some(Ok(text)) => text,
            Some(Err(failure)) => &failure.word,
            None => "–",
        }
    }

    /// Is the promise kept, as far as the program has an option for it?
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        !matches!(self.verdict, Some(Err(_)))
    }
}

/// How many run at the same time: nearly all of the time is waiting.
const AT_ONCE: usize = 12;

/// Puts the programs through all cases that `wanted` names; the results are in the order of the table, by program.
/// `done` is called behind each case.
pub fn run(
    subjects: &[Subject],
    wanted: impl Fn(&Subject, &Row) -> bool,
    done: impl Fn(&Subject, &Shown) + Sync,
) -> Vec<Vec<Shown>> {
    let rows =
        subjects.iter().enumerate().flat_map(|(index, subject)| subject.suite.rows().map(move |row| (index, row)));
    let work: Vec<_> = rows.filter(|(index, row)| wanted(&subjects[*index], row)).collect();
    let results: Mutex<Vec<Option<Shown>>> = Mutex::new(work.iter().map(|_| None).collect());
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some((number, (index, row))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|number| Some((number, work.get(number)?)))
        {
            let subject = &subjects[*index];
            let began = Instant::now();
            let program = |call| Program { path: &subject.path, first: &subject.first, call, kept: row.kept };
            let verdict = row.how[subject.dialect].map(|call| (row.run)(&program(call)));
            let shown = Shown { row, verdict, took: began.elapsed() };
            done(subject, &shown);
            results.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(shown);
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(worker))));
    let mut all: Vec<Vec<Shown>> = subjects.iter().map(|_| Vec::new()).collect();
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    for ((index, _), shown) in work.iter().zip(results) {
        all[*index].extend(shown);
    }
    all
}
