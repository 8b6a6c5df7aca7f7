//! `cargo conformance`: holds any init, or any pause, to the contract; without a path ours and the peers, to what the page has
//! of them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use bitts_tests::conformance::page::{self, Expectations};
use bitts_tests::conformance::report::{self, Measure, Report};
use bitts_tests::conformance::{self, Row, Subject, Suite};
use bitts_tests::{namespace, ship};
use clap::{CommandFactory, Parser, error::ErrorKind};
use regex_lite::Regex;

/// Holds an init or a pause to the promises of the contract, case by case. Without a path: ours and the installed peers.
/// Ends with 0 if all is as expected, with 1 if not, with 2 on a wrong command line.
#[derive(Parser)]
#[command(name = "conformance")]
struct Words {
    /// The init to run
    #[arg(long, value_name = "PATH", conflicts_with = "pause")]
    init: Option<PathBuf>,
    /// The pause to run
    #[arg(long, value_name = "PATH")]
    pause: Option<PathBuf>,
    /// Whose command line it has, and what is known of it: init, tini, dumb-init, catatonit; pause, 'init -P', 'catatonit -P'.
    /// Default: its file's name, if that is one of them; else it is called as ours, and held to the contract
    #[arg(long = "as", value_name = "NAME")]
    known_as: Option<String>,
    /// Hold it to the contract, whatever is known of it
    #[arg(long)]
    contract: bool,
    /// Only the cases whose promise and name match this regular expression: '^I12 '
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// List the cases and run nothing
    #[arg(long)]
    list: bool,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the results as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Put what ours and the peers do into tests/CONFORMANCE.md and README.md
    #[arg(long, conflicts_with_all = ["init", "pause", "only", "contract", "list"])]
    write: bool,
    /// What the program is always given first
    #[arg(last = true, value_name = "WORD")]
    first: Vec<OsString>,
}

/// Ends with what clap says of a wrong command line.
fn usage(why: impl std::fmt::Display) -> ! {
    Words::command().error(ErrorKind::ValueValidation, why).exit()
}

/// What a program is held to: the page, where that knows it, or the contract.
type Known = Option<usize>;

impl Words {
    /// The one program that is named; none if ours and the peers are meant.
    fn named(&self) -> Option<(Subject, Known)> {
        let (suite, path) = match (&self.init, &self.pause) {
            (Some(path), _) => (Suite::Init, path),
            (None, Some(path)) => (Suite::Pause, path),
            (None, None) if self.known_as.is_some() || !self.first.is_empty() => usage("--init or --pause is missing"),
            (None, None) => return None,
        };
        let path = path.canonicalize().unwrap_or_else(|error| usage(format!("{}: {error}", path.display())));
        let columns = suite.columns();
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let column = |name: &str| columns.iter().position(|column| *column == name);
        let known = match &self.known_as {
            Some(name) => {
                Some(column(name).unwrap_or_else(|| usage(format!("--as {name}: not one of {}", columns.join(", ")))))
            }
            None => column(&file),
        };
        let name = self.known_as.clone().unwrap_or(file);
        let subject = Subject { suite, name, path, first: self.first.clone(), dialect: known.unwrap_or(0) };
        Some((subject, known.filter(|_| !self.contract)))
    }

    /// Ours and all peers that are installed; and whether anybody is missing.
    fn everybody(&self) -> (Vec<(Subject, Known)>, bool) {
        let columns = |suite: Suite| (0..suite.columns().len()).map(move |column| (suite, column));
        let mut missing = false;
        let all = Suite::ALL.into_iter().flat_map(columns).filter_map(|(suite, column)| {
            let subject = Subject::known(suite, column).map_err(|why| eprintln!("conformance: {why}")).ok();
            missing |= subject.is_none();
            subject.map(|subject| (subject, Some(column).filter(|_| !self.contract)))
        });
        (all.collect(), missing)
    }
}

/// A case as `--only` and `--list` have it.
fn title(row: &Row) -> String {
    format!("{} {}", row.promise, row.name())
}

fn main() -> ExitCode {
    let words = Words::parse();
    let only = words
        .only
        .as_deref()
        .map(|pattern| Regex::new(pattern).unwrap_or_else(|error| usage(format!("--only {pattern}: {error}"))));
    let wanted = |row: &Row| only.as_ref().is_none_or(|only| only.is_match(&title(row)));
    if words.list {
        let of = words.named().map(|(subject, _)| subject.suite);
        for suite in Suite::ALL.into_iter().filter(|suite| of.is_none_or(|of| of == *suite)) {
            suite.rows().filter(|row| wanted(row)).for_each(|row| println!("{} {}", suite.name(), title(row)));
        }
        return ExitCode::SUCCESS;
    }
    let named = words.named();
    ship::build_harness("conformance");
    if let Err(why) = conformance::tools_are_there() {
        eprintln!("conformance: {why}");
        return ExitCode::FAILURE;
    }
    if !namespace::available("cargo conformance") {
        return ExitCode::FAILURE;
    }
    if words.write
        && let Err(why) = conformance::peers_are_those_of_the_page()
    {
        eprintln!("conformance: {why}");
        return ExitCode::FAILURE;
    }
    let (all, missing) = named.map_or_else(|| words.everybody(), |named| (vec![named], false));
    let (subjects, known): (Vec<_>, Vec<_>) = all.into_iter().unzip();

    let cases = subjects.iter().flat_map(|subject| subject.suite.rows()).filter(|row| wanted(row)).count();
    if cases == 0 {
        usage("no case matches");
    }
    let bar = report::progress(cases);
    let shown = conformance::run(
        &subjects,
        |_, row| wanted(row),
        |subject, shown| {
            bar.set_message(format!("{}: {}", subject.name, shown.row.what));
            bar.inc(1);
        },
    );
    bar.finish_and_clear();

    if words.write {
        let columns = |suite| subjects.iter().zip(&shown).filter(move |(subject, _)| subject.suite == suite);
        page::write(&Suite::ALL.map(|suite| (suite, columns(suite).map(|(_, shown)| shown.as_slice()).collect())));
    }
    // What has just been written is what is expected.
    let measure = |(subject, known): (&Subject, &Known)| {
        known.map_or(Measure::Contract, |column| Measure::Page(Expectations::of(subject.suite, column)))
    };
    let measures: Vec<_> = subjects.iter().zip(&known).map(measure).collect();
    let results = subjects.iter().zip(&measures).zip(&shown);
    let reports: Vec<_> = results.map(|((subject, measure), shown)| Report { subject, measure, shown }).collect();
    reports.iter().for_each(|report| print!("{}", report.text()));
    let write = |path: &Option<PathBuf>, text: &dyn Fn() -> String| {
        let written = path.as_ref().map(|path| std::fs::write(path, text()).map_err(|error| (path, error)));
        written.is_none_or(|done| {
            done.map_err(|(path, error)| eprintln!("conformance: {}: {error}", path.display())).is_ok()
        })
    };
    let mut good = write(&words.json, &|| report::json(&reports));
    good &= write(&words.junit, &|| report::junit(&reports).unwrap_or_else(|error| panic!("JUnit: {error}")));
    good &= reports.iter().all(Report::is_good);
    if good && !missing { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
