//! The inits: ours, its floor, the peers as they are installed, and any other that is named.

use std::path::PathBuf;
use std::time::Duration;

use super::cell::Show;
use super::table::grouped;
use super::{Measure, Row, Subject, docker, sample, timed};
use crate::{floor, ship, sys, tools};

/// How often TERM is sent right after the exec, at each distance, in each run.
const TRIES: usize = 40;

/// The time added to a program, for the chart.
pub const ADDED: &str = "time added to a program that does nothing, µs";

/// The memory charged, for the chart: the beginning of the row's name.
pub const CHARGED: &str = "charged to the cgroup, kB";

/// What is a process's own.
const WRITTEN: &str = "private and written, kB";

/// A signal's way, for the chart.
pub const SIGNAL: &str = "from kill to the child's handler, µs";

/// The rows of the chart, by how they begin.
pub const SHOWN: [&str; 4] = [ADDED, CHARGED, SIGNAL, ORPHAN];

/// What an orphan costs, for the chart.
pub const ORPHAN: &str = "an orphan that comes alone: processor time, µs";

/// How long an orphan is a zombie.
pub const GONE: &str = "an orphan that comes alone: from its exit until it is gone, µs";

/// The end, for the chart.
pub const END: &str = "from the child's exit to its own, µs";

/// The columns. A peer that is not installed is left out, loudly.
#[must_use]
pub fn subjects(others: &[PathBuf]) -> Vec<Subject> {
    let mut all = vec![Subject::new("init", ship::init(), &["--"])];
    if cfg!(target_arch = "x86_64") {
        all.push(Subject::new("floor", floor::init(), &[]));
    }
    for peer in ["tini-static", "tini", "dumb-init", "catatonit"] {
        all.extend(tools::peer(peer).map(|path| Subject::new(peer, &path, &["--"])));
    }
    all.extend(others.iter().map(|path| Subject::new(&path.display().to_string(), path, &["--"])));
    all.into_iter().map(Subject::starting).collect()
}

/// The sizes of a measurement.
#[derive(Clone, Copy)]
struct Size {
    /// No more than shows that all can be measured.
    quick: bool,
}

impl Size {
    /// So many rounds in each run.
    const fn often(self, rounds: usize) -> usize {
        if self.quick { 1 } else { rounds }
    }

    /// So many processes or signals at a time.
    const fn few(self, count: usize) -> usize {
        if self.quick { count.div_ceil(20) } else { count }
    }
}

/// A count as text.
fn counted(count: usize) -> String {
    grouped(count as f64, 0)
}

/// The rows. With `quick` each is measured as few times as shows that it can be.
#[must_use]
pub fn measures(quick: bool) -> Vec<Measure> {
    let size = Size { quick };
    let number = |what: &str, rounds, decimals, take: fn(&Subject) -> Result<f64, String>| {
        Measure::new(what, size.often(rounds), Show::Median(decimals), take)
    };
    let idle = Duration::from_secs(if quick { 1 } else { 10 });
    let mut all = vec![
        number("file, bytes", 1, 0, sample::file).once(),
        number("image to pull, bytes", 1, 0, sample::pulled).once(),
        Measure::new("resident, kB", size.often(15), Show::Pages, sample::resident),
        Measure::new(WRITTEN, size.often(15), Show::Pages, sample::private_dirty),
    ];
    if cfg!(target_arch = "x86_64") {
        // What its child is charged is known of the floor alone.
        let crowd = size.few(1_000);
        let what = format!("{CHARGED} each of {}", counted(crowd));
        all.push(Measure::new(&what, 1, Show::Median(1), move |subject| sample::charged(subject, crowd)));
        all.push(number("system calls from exec to supervising", 1, 0, sample::calls));
        all.push(number("instructions before the first", 1, 0, sample::instructions).once());
    }
    all.push(number("page faults from exec to supervising", 9, 0, sample::faults));
    let starts = size.few(50);
    all.push(Measure::all(ADDED, size.often(15), Show::Median(0), move |subjects| timed::added(subjects, starts)));
    all.push(signals(size));
    all.push(burst(size));
    all.push(orphans(size));
    all.push(number(END, 30, 0, timed::end));
    let what = format!("wake-ups in {} idle seconds", idle.as_secs());
    all.push(Measure::all(&what, 1, Show::Median(0), move |subjects| sample::idle_wake_ups(subjects, idle)));
    for distance in [0, 100, 500] {
        let tries = size.few(TRIES);
        let take = move |subject: &Subject| sample::lost(subject, Duration::from_micros(distance));
        all.push(Measure::new(&format!("TERM lost {distance} µs after exec"), tries, Show::Share, take));
    }
    all.extend(docker::measures(size.often(8)));
    all
}

/// Signals one by one.
fn signals(size: Size) -> Measure {
    let signals = size.few(100);
    let lines = [SIGNAL, "… more than straight to the child, µs"].map(|what| (what.to_owned(), Show::Median(1)));
    Measure::each(lines, size.often(15), move |subject| timed::forwarding(subject, signals))
}

/// A burst of them.
fn burst(size: Size) -> Measure {
    // Twice as many are in queues at a time, of all that the user may have in them.
    let room = sys::limit(libc::RLIMIT_SIGPENDING).0 / 4;
    let count = size.few(10_000).min(usize::try_from(room).unwrap_or(usize::MAX));
    let what = format!("each of {} queued signals, µs", counted(count));
    Measure::new(&what, size.often(11), Show::Median(1), move |subject| timed::burst(subject, count))
}

/// Orphans one by one, and in bursts.
fn orphans(size: Size) -> Measure {
    /// How many end at the same time.
    const BURST: usize = 100;
    let (single, many) = (size.few(200), size.few(2_000));
    let of_many = |what: &str| format!("each of {BURST} orphans at a time: {what}");
    let lines = [
        (ORPHAN.to_owned(), Show::Median(1)),
        ("an orphan that comes alone: wake-ups".to_owned(), Show::Median(2)),
        (GONE.to_owned(), Show::Median(0)),
        (of_many("processor time, µs"), Show::Median(1)),
        (of_many("wake-ups"), Show::Median(2)),
        (format!("{BURST} orphans at a time: from the first one's exit until all are gone, µs"), Show::Median(0)),
    ];
    Measure::each(lines, size.often(15), move |subject| timed::orphans(subject, single, many, BURST))
}

/// How many processes are below the init in the rows of [`growth`].
#[must_use]
pub fn below(quick: bool) -> [usize; 3] {
    [1, 100, 10_000].map(|count| if quick { count.min(500) } else { count })
}

/// What may grow with the number of processes below it.
pub const GROWING: [&str; 5] = [WRITTEN, SIGNAL, ORPHAN, GONE, END];

/// The rows of [`growth`] with those together that tell of the same.
#[must_use]
pub fn by_what(rows: Vec<Row>) -> Vec<Row> {
    let kinds = GROWING.len();
    (0..kinds).flat_map(|kind| rows.iter().skip(kind).step_by(kinds)).cloned().collect()
}

/// The rows that tell whether it does: those of [`GROWING`], for each number of [`below`].
#[must_use]
pub fn growth(quick: bool) -> Vec<Measure> {
    let measure = |count: usize| {
        let show = |what: &str| if what == WRITTEN { Show::Pages } else { Show::Median(0) };
        let line = |what: &&str| (format!("{what}, with {} below it", counted(count)), show(what));
        let rounds = match count {
            _ if quick => 1,
            1_001.. => 5,
            _ => 15,
        };
        Measure::each(GROWING.iter().map(line), rounds, move |subject| timed::below(subject, count))
    };
    below(quick).map(measure).into()
}
