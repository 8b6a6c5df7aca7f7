//! The pauses: ours, its floor, catatonit's pause mode, and any other that is named.

use std::path::PathBuf;
use std::time::Duration;

use super::cell::Show;
use super::table::grouped;
use super::{Measure, Sample, Subject, sample};
use crate::{floor, ship, tools};

/// How often TERM is sent right after the exec, at each distance, in each run.
const TRIES: usize = 100;

/// The memory charged, for the chart: the beginning of the row's name.
pub const CHARGED: &str = "charged to the cgroup, kB";

/// What is lost at one of the distances, for the chart.
pub const LOST: &str = "TERM lost 100 µs";

/// The columns. A peer that is not installed is left out, loudly.
#[must_use]
pub fn subjects(others: &[PathBuf]) -> Vec<Subject> {
    let mut all = vec![Subject::new("pause", ship::pause(), &[])];
    if cfg!(target_arch = "x86_64") {
        all.push(Subject::new("floor", floor::pause(), &[]));
    }
    all.extend(tools::peer("catatonit").map(|path| Subject::new("catatonit -P", &path, &["-P"])));
    all.extend(others.iter().map(|path| Subject::new(&path.display().to_string(), path, &[])));
    all
}

/// The rows. With `quick` each is measured as few times as shows that it can be.
#[must_use]
pub fn measures(quick: bool) -> Vec<Measure> {
    let often = |rounds: usize| if quick { 1 } else { rounds };
    let orphans = if quick { 500 } else { 10_000 };
    let crowd = if quick { 50 } else { 1_000 };
    let counted = |count: usize| grouped(count as f64, 0);
    let idle = Duration::from_secs(if quick { 1 } else { 10 });
    let number = |what: &str, rounds, decimals, take: fn(&Subject) -> Result<f64, String>| {
        Measure::new(what, often(rounds), Show::Median(decimals), take)
    };
    let mut all = vec![
        number("file, bytes", 1, 0, sample::file).once(),
        Measure::new("resident, kB", often(15), Show::Pages, sample::resident),
        Measure::new("private and written, kB", often(15), Show::Pages, sample::private_dirty),
        Measure::new(&format!("{CHARGED} each of {}", counted(crowd)), often(2), Show::Median(1), move |subject| {
            sample::charged(subject, crowd)
        }),
        number("page faults from exec to sleep", 9, 0, sample::faults),
        number("system calls from exec to sleep", 3, 0, sample::calls),
        Measure::each([("the first of them".to_owned(), Show::Word)], 1, |subject| {
            sample::first_call(subject).map(|word| vec![vec![Sample::Word(word)]])
        })
        .once(),
    ];
    if cfg!(target_arch = "x86_64") {
        all.push(number("instructions before that one", 1, 0, sample::instructions).once());
    }
    let what = format!("wake-ups in {} idle seconds", idle.as_secs());
    all.push(Measure::all(&what, 1, Show::Median(0), move |subjects| sample::idle_wake_ups(subjects, idle)));
    all.push(Measure::new(&format!("wake-ups for {} orphans", counted(orphans)), 1, Show::Median(0), move |subject| {
        sample::orphans(subject, orphans)
    }));
    for distance in [0, 50, 100, 200] {
        let tries = if quick { 5 } else { TRIES };
        let take = move |subject: &Subject| sample::lost(subject, Duration::from_micros(distance));
        all.push(Measure::new(&format!("TERM lost {distance} µs after exec"), tries, Show::Share, take));
    }
    all
}
