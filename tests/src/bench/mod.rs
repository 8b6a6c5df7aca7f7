//! What ours cost beside the peers, the floors, and whatever else is named: `cargo bench-pair`.
//!
//! - [`Subject`]: a program and how it is called; [`pause`] and [`init`] have the columns and the rows.
//! - [`Measure`]: one row: what is measured, how often, and how the samples become a cell. The subjects take turns, so that
//!   what else happens on the machine happens to all of them.
//! - [`chart`]: some of the rows as a picture.
//! - `sample`: the measurements themselves; they know nothing of which program they measure.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{Case, ship};

pub mod chart;
pub mod init;
pub mod pause;
mod sample;

/// A program to measure, one column.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The head of its column.
    pub name: String,
    pub path: PathBuf,
    /// Its own options.
    pub words: Vec<OsString>,
    /// It starts a program, which its words end with when it is called.
    pub starts: bool,
}

impl Subject {
    #[must_use]
    pub fn new(name: &str, path: &Path, words: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            words: words.iter().map(Into::into).collect(),
            starts: false,
        }
    }

    /// The same as what starts a program.
    #[must_use]
    pub const fn starting(mut self) -> Self {
        self.starts = true;
        self
    }

    /// PID 1 of fresh namespaces, as a container has it.
    #[must_use]
    pub fn case(&self) -> Case {
        Case::new(&self.path).args(&self.words)
    }
}

/// One result of one measurement.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    Number(f64),
    Word(String),
}

/// How the samples of one cell become its text.
#[derive(Clone, Copy, Debug)]
pub enum Show {
    /// The median and, where they differ, half of the distance between the quartiles; with this many decimals.
    Median(usize),
    /// How many there were in all.
    Sum,
    /// A word that is the same each time.
    Word,
}

/// What is done for one sample.
pub type Take = Box<dyn Fn(&Subject) -> Result<Sample, String>>;

/// One row.
pub struct Measure {
    pub what: String,
    pub rounds: usize,
    pub show: Show,
    pub take: Take,
}

impl Measure {
    fn new(what: &str, rounds: usize, show: Show, take: impl Fn(&Subject) -> Result<f64, String> + 'static) -> Self {
        let take = Box::new(move |subject: &Subject| take(subject).map(Sample::Number));
        Self { what: what.to_owned(), rounds, show, take }
    }
}

/// A row that has been measured: a cell for each subject.
#[derive(Clone, Debug)]
pub struct Row {
    pub what: String,
    pub cells: Vec<String>,
    /// Median or sum, where the cells are numbers.
    pub values: Vec<Option<f64>>,
}

/// Measures everything; what cannot be measured is a dash, and its reason is told.
#[must_use]
pub fn run(subjects: &[Subject], measures: &[Measure]) -> Vec<Row> {
    let steps: usize = measures.iter().map(|measure| measure.rounds * subjects.len()).sum();
    let bar = ProgressBar::new(steps as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed_precise} {bar:30} {percent:>3} % {msg}").expect("a template"));
    let row = |measure: &Measure| {
        let mut samples = vec![Ok(Vec::new()); subjects.len()];
        for round in 0..measure.rounds {
            // There and back: A B C, C B A.
            let order = 0..subjects.len();
            let order: Vec<_> = if round % 2 == 0 { order.collect() } else { order.rev().collect() };
            for index in order {
                bar.set_message(format!("{}: {}", subjects[index].name, measure.what));
                if let Ok(all) = &mut samples[index] {
                    match (measure.take)(&subjects[index]) {
                        Ok(sample) => all.push(sample),
                        Err(why) => {
                            bar.println(format!("{}: {}: {why}", measure.what, subjects[index].name));
                            samples[index] = Err(());
                        }
                    }
                }
                bar.inc(1);
            }
        }
        let cell = |all: &Result<Vec<Sample>, ()>| {
            all.as_ref().map_or_else(|()| "–".to_owned(), |all| text(all, measure.show))
        };
        let value = |all: &Result<Vec<Sample>, ()>| value(all.as_ref().ok()?, measure.show);
        Row {
            what: measure.what.clone(),
            cells: samples.iter().map(cell).collect(),
            values: samples.iter().map(value).collect(),
        }
    };
    let rows = measures.iter().map(row).collect();
    bar.finish_and_clear();
    rows
}

/// The numbers of some samples, the lowest first.
fn sorted(samples: &[Sample]) -> Vec<f64> {
    let mut numbers: Vec<f64> = samples
        .iter()
        .filter_map(|sample| match sample {
            Sample::Number(number) => Some(*number),
            Sample::Word(_) => None,
        })
        .collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// The number that this share of sorted ones does not exceed.
fn quantile(numbers: &[f64], share: f64) -> Option<f64> {
    numbers.get((numbers.len().saturating_sub(1) as f64 * share).round() as usize).copied()
}

/// The number of a cell, if it is one.
fn value(samples: &[Sample], show: Show) -> Option<f64> {
    let numbers = sorted(samples);
    match show {
        Show::Word => None,
        Show::Sum => Some(numbers.iter().sum()),
        Show::Median(_) => quantile(&numbers, 0.5),
    }
}

/// The text of a cell.
fn text(samples: &[Sample], show: Show) -> String {
    let numbers = sorted(samples);
    let quantile = |share| quantile(&numbers, share).unwrap_or(f64::NAN);
    match show {
        Show::Word => match &samples[0] {
            Sample::Word(word) if samples.iter().all(|sample| sample == &samples[0]) => word.clone(),
            _ => "differs".to_owned(),
        },
        Show::Sum => grouped(numbers.iter().sum(), 0),
        Show::Median(decimals) => {
            let spread = (quantile(0.75) - quantile(0.25)) / 2.0;
            let mut text = grouped(quantile(0.5), decimals);
            if grouped(spread, decimals) != grouped(0.0, decimals) {
                let _ = write!(text, " ± {}", grouped(spread, decimals));
            }
            text
        }
    }
}

/// A number with a comma at each thousand.
fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut result = sign.to_owned();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            result.push(',');
        }
        result.push(digit);
    }
    result + rest
}

/// The table in Markdown, and what it was measured on.
#[must_use]
pub fn markdown(subjects: &[Subject], rows: &[Row]) -> String {
    let heads: Vec<_> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    let mut text = format!("| | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for row in rows {
        let _ = writeln!(text, "| {} | {} |", row.what, row.cells.join(" | "));
    }
    let _ = writeln!(text, "\nMeasured on {}.", machine());
    text
}

/// What this machine is: processor, memory, kernel, distribution.
fn machine() -> String {
    let value = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key).map(str::to_owned)).unwrap_or_default();
        line.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '"' | '=')).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = value("/proc/meminfo", "MemTotal");
    let memory = memory.trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / f64::from(1 << 20);
    let kernel = nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned());
    // What a vendor has added to the number says which machine it is, not which kernel.
    let kernel = kernel.unwrap_or_default();
    let kernel = kernel.split('-').next().unwrap_or_default();
    format!(
        "{cores} cores of {} ({}), {memory:.0} GiB, Linux {kernel}, {}",
        value("/proc/cpuinfo", "model name"),
        std::env::consts::ARCH,
        value("/etc/os-release", "PRETTY_NAME"),
    )
}

/// Puts `table` between the marks called `name` in the README.
///
/// # Panics
/// The marks are missing, or the README cannot be written.
pub fn write(name: &str, table: &str) {
    let path = ship::root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("README.md");
    let marks = [format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n")];
    let start = readme.find(&marks[0]).expect("the mark in README.md") + marks[0].len();
    let end = readme.find(&marks[1]).expect("the second mark in README.md");
    std::fs::write(&path, [&readme[..start], table, &readme[end..]].concat()).expect("README.md");
}

#[cfg(test)]
mod tests {
    use super::{Sample, Show, grouped, text};

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0.0, 0), "0");
        assert_eq!(grouped(999.4, 0), "999");
        assert_eq!(grouped(-1234.56, 1), "-1,234.6");
        assert_eq!(grouped(1_234_567.0, 0), "1,234,567");
    }

    #[test]
    fn cells_have_median_and_spread() {
        let numbers = |all: &[f64]| all.iter().map(|n| Sample::Number(*n)).collect::<Vec<_>>();
        assert_eq!(text(&numbers(&[3.0, 1.0, 2.0, 900.0, 2.5]), Show::Median(1)), "2.5 ± 0.5");
        assert_eq!(text(&numbers(&[5.0, 5.0]), Show::Median(0)), "5");
        assert_eq!(text(&numbers(&[1.0, 0.0, 1.0]), Show::Sum), "2");
        assert_eq!(text(&[Sample::Word("a".into()), Sample::Word("b".into())], Show::Word), "differs");
    }
}
