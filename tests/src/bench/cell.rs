//! The samples of one cell of a table: median, spread, whether the runs agree, and the ratio of two cells with its interval.

use std::fmt::Write;

use super::Sample;
use super::table::grouped;

/// How the samples of one cell become its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The median and, where they differ, half of the distance between the quartiles; with this many decimals.
    Median(usize),
    /// The same of memory in kB, which comes in pages.
    Pages,
    /// In how many of all rounds it was so: 1 stands for yes, 0 for no.
    Share,
    /// A word that is the same each time.
    Word,
}

impl Show {
    /// With how many decimals numbers are shown. None of words.
    #[must_use]
    pub const fn decimals(self) -> Option<usize> {
        match self {
            Self::Median(decimals) => Some(decimals),
            Self::Pages | Self::Share => Some(0),
            Self::Word => None,
        }
    }

    /// It is of medians.
    #[must_use]
    pub const fn is_median(self) -> bool {
        matches!(self, Self::Median(_) | Self::Pages)
    }

    /// The least by which two numbers can differ.
    fn step(self) -> f64 {
        match self {
            Self::Pages => {
                let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
                page.expect("a page has a size") as f64 / 1024.0
            }
            _ => 0.1_f64.powi(self.decimals().unwrap_or(0) as i32),
        }
    }
}

/// The samples of one subject, run by run, in the order of the rounds.
#[derive(Clone, Debug)]
pub struct Cell {
    pub show: Show,
    pub runs: Vec<Vec<Sample>>,
}

/// The ratio of two medians and the interval in which it lies with 95 % of certainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}

impl Cell {
    #[must_use]
    pub const fn new(show: Show) -> Self {
        Self { show, runs: Vec::new() }
    }

    /// What is added from now on belongs to another run.
    pub fn begin(&mut self) {
        self.runs.push(Vec::new());
    }

    pub fn add(&mut self, samples: Vec<Sample>) {
        self.runs.last_mut().expect("a run was begun").extend(samples);
    }

    /// The samples that are numbers, in their order.
    fn numbers(&self) -> Vec<f64> {
        self.runs.iter().flatten().filter_map(number).collect()
    }

    /// Median or count; None of words, and where there is no sample.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        value(&self.numbers(), self.show)
    }

    /// Half of the distance between the quartiles.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let mut numbers = self.numbers();
        let quartile = |numbers: &mut _, share| quantile(numbers, share).unwrap_or(f64::NAN);
        (quartile(&mut numbers, 0.75) - quartile(&mut numbers, 0.25)) / 2.0
    }

    /// What stands in the table.
    #[must_use]
    pub fn text(&self) -> String {
        match self.show {
            Show::Word => {
                let mut words = self.runs.iter().flatten();
                let first = words.next();
                match first {
                    Some(Sample::Word(word)) if words.all(|other| Some(other) == first) => word.clone(),
                    _ => "differs".to_owned(),
                }
            }
            Show::Share => {
                let numbers = self.numbers();
                format!("{} of {}", grouped(numbers.iter().sum(), 0), grouped(numbers.len() as f64, 0))
            }
            Show::Median(_) | Show::Pages => {
                let decimals = self.show.decimals().unwrap_or(0);
                let mut text = grouped(self.value().unwrap_or(f64::NAN), decimals);
                let spread = grouped(self.spread(), decimals);
                if spread != grouped(0.0, decimals) {
                    let _ = write!(text, " ± {spread}");
                }
                text
            }
        }
    }

    /// The median or the count of each run.
    #[must_use]
    pub fn of_each_run(&self) -> Vec<f64> {
        let of_run = |run: &Vec<Sample>| value(&run.iter().filter_map(number).collect::<Vec<_>>(), self.show);
        self.runs.iter().filter_map(of_run).collect()
    }

    /// Whether the runs agree within their spread: the median of each is no further from the median of all than half of the
    /// distance between the quartiles within a run, or than 2 %, or than one in the last digit shown (of memory: a page).
    /// Counts may differ by what chance alone would make of them (three standard deviations of a count).
    #[must_use]
    pub fn agrees(&self) -> bool {
        let each = self.of_each_run();
        let all_within = |middle: f64, distance: f64| each.iter().all(|value| (value - middle).abs() <= distance);
        match self.show {
            Show::Word => self.text() != "differs",
            Show::Share => {
                let mean = each.iter().sum::<f64>() / each.len() as f64;
                all_within(mean, 3.0 * mean.sqrt())
            }
            Show::Median(_) | Show::Pages => {
                let spread = |run: &Vec<Sample>| Self { show: self.show, runs: vec![run.clone()] }.spread();
                let within = quantile(&mut self.runs.iter().map(spread).collect::<Vec<_>>(), 0.5).unwrap_or(f64::NAN);
                let middle = self.value().unwrap_or(f64::NAN);
                // A little more than one step, for a decimal has no exact number.
                all_within(middle, within.max(middle.abs() * 0.02).max(self.show.step() * 1.001))
            }
        }
    }

    /// How often this one's median contains the other's, with its interval by the bootstrap (Efron, 1979): rounds are drawn with
    /// repetition, the same for both where they have as many, for what else happened in a round happened to both. None where there is no
    /// number, or the other's is 0.
    #[must_use]
    pub fn ratio_to(&self, other: &Self) -> Option<Ratio> {
        /// As many as make the ends of the interval steady to a hundredth of its length.
        const DRAWS: usize = 400;
        let ratio = self.value()? / other.value().filter(|&value| value != 0.0)?;
        let (own, others) = (self.numbers(), other.numbers());
        let mut random = fastrand::Rng::with_seed(1);
        let paired = own.len() == others.len();
        let mut ratios = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            let mut draw = |from: &[f64]| (0..from.len()).map(|_| random.usize(..from.len())).collect::<Vec<_>>();
            let first = draw(&own);
            let second = if paired { first.clone() } else { draw(&others) };
            let drawn = |from: &[f64], which: &[usize]| which.iter().map(|&index| from[index]).collect::<Vec<_>>();
            let value = |numbers: &[f64]| value(numbers, self.show);
            ratios.extend(value(&drawn(&own, &first)).zip(value(&drawn(&others, &second))).map(|(a, b)| a / b));
        }
        let (low, high) = (quantile(&mut ratios, 0.025)?, quantile(&mut ratios, 0.975)?);
        ratio.is_finite().then_some(Ratio { ratio, low, high })
    }
}

/// The number of a sample that is one.
const fn number(sample: &Sample) -> Option<f64> {
    match sample {
        Sample::Number(number) => Some(*number),
        Sample::Word(_) => None,
    }
}

/// The median or the count of some numbers.
fn value(numbers: &[f64], show: Show) -> Option<f64> {
    match show {
        Show::Word => None,
        Show::Share => Some(numbers.iter().sum()),
        Show::Median(_) | Show::Pages => quantile(&mut numbers.to_vec(), 0.5),
    }
}

/// The number that this share of them does not exceed; changes their order.
fn quantile(numbers: &mut [f64], share: f64) -> Option<f64> {
    let at = (numbers.len().checked_sub(1)? as f64 * share).round() as usize;
    Some(*numbers.select_nth_unstable_by(at, f64::total_cmp).1)
}

impl std::fmt::Display for Ratio {
    /// Such as `1.13 (1.11–1.15)`, or `1.13` where the interval is no wider than that.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let text = |number: f64| if number < 0.1 { format!("{number:.3}") } else { format!("{number:.2}") };
        let (middle, low, high) = (text(self.ratio), text(self.low), text(self.high));
        if low == high { f.write_str(&middle) } else { write!(f, "{middle} ({low}–{high})") }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Ratio, Show};
    use crate::bench::Sample;

    /// A cell with these runs.
    fn cell(show: Show, runs: &[&[f64]]) -> Cell {
        let runs = runs.iter().map(|run| run.iter().map(|&number| Sample::Number(number)).collect()).collect();
        Cell { show, runs }
    }

    #[test]
    fn cells_have_median_and_spread() {
        assert_eq!(cell(Show::Median(1), &[&[3.0, 1.0, 2.0], &[900.0, 2.5]]).text(), "2.5 ± 0.5");
        assert_eq!(cell(Show::Median(0), &[&[5.0, 5.0]]).text(), "5");
        assert_eq!(cell(Show::Share, &[&[1.0, 0.0], &[1.0]]).text(), "2 of 3");
        let words = vec![vec![Sample::Word("a".into())], vec![Sample::Word("b".into())]];
        assert_eq!(Cell { show: Show::Word, runs: words }.text(), "differs");
    }

    #[test]
    fn runs_agree_within_their_spread() {
        let agrees = |show, runs: &[&[f64]]| cell(show, runs).agrees();
        assert!(agrees(Show::Median(0), &[&[10.0, 20.0, 30.0], &[12.0, 22.0, 32.0]]));
        assert!(!agrees(Show::Median(0), &[&[10.0, 10.0, 10.0], &[20.0, 20.0, 20.0], &[10.0, 10.0, 10.0]]));
        // What is the same each time may differ by the last digit.
        assert!(agrees(Show::Median(0), &[&[5.0, 5.0], &[6.0, 6.0], &[5.0, 5.0]]));
        assert!(!agrees(Show::Median(0), &[&[5.0, 5.0], &[8.0, 8.0], &[5.0, 5.0]]));
        let pages = [6.0, 7.0, 8.0].map(|count| [count * Show::Pages.step(); 2]);
        assert!(agrees(Show::Pages, &[&pages[0], &pages[1], &pages[0]]));
        assert!(!agrees(Show::Pages, &[&pages[0], &pages[2], &pages[0]]));
        assert!(agrees(Show::Share, &[&[50.0], &[40.0], &[60.0]]));
        assert!(!agrees(Show::Share, &[&[150.0], &[0.0], &[150.0]]));
    }

    #[test]
    fn a_ratio_is_surer_when_rounds_are_paired() {
        // What disturbs a round disturbs both.
        let noise = |round: usize| (round * 7919 % 101) as f64;
        let own: Vec<_> = (0..101).map(|round| 230.0 + 2.3 * noise(round)).collect();
        let floor: Vec<_> = (0..101).map(|round| 100.0 + noise(round)).collect();
        let paired = cell(Show::Median(0), &[&own]).ratio_to(&cell(Show::Median(0), &[&floor])).expect("numbers");
        let alone = cell(Show::Median(0), &[&own]).ratio_to(&cell(Show::Median(0), &[&floor[..100]])).expect("numbers");
        assert!(
            (paired.ratio - 2.3).abs() < 1e-9 && paired.low <= 2.3 + 1e-9 && paired.high >= 2.3 - 1e-9,
            "{paired:?}"
        );
        assert!(paired.high - paired.low < (alone.high - alone.low) / 2.0, "{paired:?} {alone:?}");
        assert_eq!(cell(Show::Median(0), &[&[1.0]]).ratio_to(&cell(Show::Median(0), &[&[0.0]])), None);
    }

    #[test]
    fn ratios_show_their_interval() {
        assert_eq!(Ratio { ratio: 1.127, low: 1.104, high: 1.151 }.to_string(), "1.13 (1.10–1.15)");
        assert_eq!(Ratio { ratio: 0.0234, low: 0.0234, high: 0.0234 }.to_string(), "0.023");
    }
}
