//! What ours cost beside the peers, the floors, and whatever else is named: `cargo bench-pair`.
//!
//! - [`Subject`]: a program and how it is called; [`pause`] and [`init`] have the columns and the rows.
//! - [`Measure`]: one row or some: what is measured, how often, and how the samples become cells. The subjects take turns, in
//!   another order each round, so that what else happens on the machine happens to all of them.
//! - [`cell`]: the samples of a cell, their median and spread, and how sure the ratio of two cells is.
//! - [`table`]: the rows as text; [`chart`]: some of them as a picture.
//! - `sample`, `timed`, `docker`: the measurements themselves, those of time and those under Docker apart; they know nothing of which program they measure.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cell::{Cell, Show};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Case;

pub mod cell;
pub mod chart;
mod docker;
pub mod init;
pub mod pause;
mod sample;
pub mod table;
mod timed;

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

/// What was taken of one subject at one time: for each line of the measure its samples, one or more; or why there are none.
pub type Taken = Result<Vec<Vec<Sample>>, String>;

/// How samples are taken.
pub enum Take {
    /// Of one subject after the other.
    Each(Box<dyn Fn(&Subject) -> Taken>),
    /// Of all in one go, in this order.
    All(Box<dyn Fn(&[&Subject]) -> Vec<Taken>>),
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Line {
    pub what: String,
    pub show: Show,
}

/// What is measured together: one row, or some.
pub struct Measure {
    pub lines: Vec<Line>,
    /// How often, in each run.
    pub rounds: usize,
    /// It is the same each time, so that the first run has it alone.
    pub once: bool,
    pub take: Take,
}

impl Measure {
    /// A row of which each round gives a number.
    fn new(what: &str, rounds: usize, show: Show, take: impl Fn(&Subject) -> Result<f64, String> + 'static) -> Self {
        let take = move |subject: &Subject| take(subject).map(|number| vec![vec![Sample::Number(number)]]);
        Self::each([(what.to_owned(), show)], rounds, take)
    }

    /// Rows that are measured of one subject at a time.
    fn each(
        lines: impl IntoIterator<Item = (String, Show)>,
        rounds: usize,
        take: impl Fn(&Subject) -> Taken + 'static,
    ) -> Self {
        let lines = lines.into_iter().map(|(what, show)| Line { what, show }).collect();
        Self { lines, rounds, once: false, take: Take::Each(Box::new(take)) }
    }

    /// The same as what the first run has alone.
    const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// A row that is measured of all subjects at a time.
    fn all(what: &str, rounds: usize, show: Show, take: impl Fn(&[&Subject]) -> Vec<Taken> + 'static) -> Self {
        let lines = vec![Line { what: what.to_owned(), show }];
        Self { lines, rounds, once: false, take: Take::All(Box::new(take)) }
    }
}

/// Samples as [`Taken`] has them, of one line.
fn one_line(numbers: impl IntoIterator<Item = f64>) -> Vec<Vec<Sample>> {
    vec![numbers.into_iter().map(Sample::Number).collect()]
}

/// A row that has been measured: a cell for each subject; None where it could not be measured.
#[derive(Clone, Debug)]
pub struct Row {
    pub what: String,
    pub cells: Vec<Option<Cell>>,
}

/// When a round's turn is, of as many: 0 is the start of a run and 1 its end.
fn place(round: usize, rounds: usize) -> f64 {
    (round as f64 + 0.5) / rounds as f64
}

/// Measures everything, `runs` times one after another; what cannot be measured is a dash, and its reason is told.
#[must_use]
pub fn run(subjects: &[Subject], measures: &[Measure], runs: usize) -> Vec<Row> {
    let times = |measure: &Measure| measure.rounds * if measure.once { 1 } else { runs };
    let steps: usize = measures.iter().map(|measure| times(measure) * subjects.len()).sum();
    let bar = ProgressBar::new(steps as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed_precise} {bar:30} {percent:>3} % {msg}").expect("a template"));
    let lines = || measures.iter().flat_map(|measure| &measure.lines);
    let row = |line: &Line| Row { what: line.what.clone(), cells: vec![Some(Cell::new(line.show)); subjects.len()] };
    let mut rows: Vec<_> = lines().map(row).collect();
    // The same orders each time that it is run.
    let mut random = fastrand::Rng::with_seed(1);
    for run in 0..runs {
        let mut first = 0;
        let mut rounds = Vec::new();
        for measure in measures {
            let lines = first..first + measure.lines.len();
            first = lines.end;
            if measure.once && run > 0 {
                continue;
            }
            rows[lines.clone()].iter_mut().flat_map(|row| row.cells.iter_mut().flatten()).for_each(Cell::begin);
            rounds.extend((0..measure.rounds).map(|round| (place(round, measure.rounds), measure, lines.clone())));
        }
        // Those of all measures mixed, each measure's evenly over the whole run: a machine that is slower for some seconds is so for
        // some rounds of each measure that has several, not for all of one.
        rounds.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        for (_, measure, lines) in rounds {
            let rows = &mut rows[lines];
            let mut order: Vec<_> = (0..subjects.len()).collect();
            random.shuffle(&mut order);
            order.retain(|&index| rows.iter().all(|row| row.cells[index].is_some()));
            bar.set_message(format!("run {}: {}", run + 1, measure.lines[0].what));
            let taken: Vec<Taken> = match &measure.take {
                Take::Each(take) => order.iter().map(|&index| take(&subjects[index])).collect(),
                Take::All(take) => take(&order.iter().map(|&index| &subjects[index]).collect::<Vec<_>>()),
            };
            for (index, taken) in order.into_iter().zip(taken) {
                match taken {
                    Ok(lines) => {
                        let cells = rows.iter_mut().filter_map(|row| row.cells[index].as_mut());
                        cells.zip(lines).for_each(|(cell, samples)| cell.add(samples));
                    }
                    Err(why) => {
                        bar.println(format!("{}: {}: {why}", rows[0].what, subjects[index].name));
                        rows.iter_mut().for_each(|row| row.cells[index] = None);
                    }
                }
            }
            bar.inc(subjects.len() as u64);
        }
    }
    bar.finish_and_clear();
    rows
}
