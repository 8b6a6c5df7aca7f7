//! The inits: ours, its floor, the peers as they are installed, and any other that is named.

use std::path::PathBuf;
use std::time::Duration;

use super::cell::Show;
use super::table::grouped;
use super::{Measure, Subject, sample};
use crate::{floor, ship, tools};

/// How often TERM is sent right after the exec, at each distance.
const TRIES: usize = 150;

/// The time added to a program, for the chart.
pub const ADDED: &str = "time added to a program that does nothing, µs";

/// The memory charged, for the chart: the beginning of the row's name.
pub const CHARGED: &str = "charged to the cgroup, kB";

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

/// The rows. With `quick` each is measured as few times as shows that it can be.
#[must_use]
pub fn measures(quick: bool) -> Vec<Measure> {
    let often = |rounds: usize| if quick { 1 } else { rounds };
    let few = move |count: usize| if quick { count.div_ceil(20) } else { count };
    let counted = |count: usize| grouped(count as f64, 0);
    let number = |what: &str, rounds, decimals, take: fn(&Subject) -> Result<f64, String>| {
        Measure::new(what, often(rounds), Show::Median(decimals), take)
    };
    let idle = Duration::from_secs(if quick { 1 } else { 10 });
    let (crowd, orphans, single, queued) = (few(1_000), few(10_000), few(500), few(500));
    let mut all = vec![
        number("file, bytes", 1, 0, sample::file),
        number("compressed, as in an image, bytes", 1, 0, sample::compressed),
        number("resident, kB", 9, 0, sample::resident),
        number("private and written, kB", 9, 0, sample::private_dirty),
    ];
    if cfg!(target_arch = "x86_64") {
        // What its child is charged is known of the floor alone.
        let what = format!("{CHARGED} each of {}", counted(crowd));
        all.push(Measure::new(&what, often(3), Show::Median(1), move |subject| sample::charged(subject, crowd)));
        all.push(number("system calls from exec to supervising", 3, 0, sample::calls));
        all.push(number("instructions before the first", 1, 0, sample::instructions));
    }
    all.extend([
        number("page faults from exec to supervising", 3, 0, sample::faults),
        Measure::all(ADDED, 1, Show::Median(0), move |subjects| sample::added(subjects, few(500))),
        number("time added to a signal, µs", 15, 0, sample::forwarding),
        Measure::new(
            &format!("each of {} queued signals, µs", counted(queued)),
            often(9),
            Show::Median(0),
            move |subject| sample::burst(subject, queued),
        ),
        Measure::new(
            &format!("processor time for each of {} orphans, µs", counted(orphans)),
            often(5),
            Show::Median(1),
            move |subject| sample::orphan_time(subject, orphans, false, 0),
        ),
        Measure::new(
            &format!("… for each of {} that come one by one, µs", counted(single)),
            often(5),
            Show::Median(1),
            move |subject| sample::orphan_time(subject, single, true, 0),
        ),
        Measure::new(
            &format!("… with {} children that live, µs", counted(few(100))),
            often(3),
            Show::Median(1),
            move |subject| sample::orphan_time(subject, single, true, few(100)),
        ),
        Measure::new(
            &format!("… with {} children that live, µs", counted(few(10_000))),
            1,
            Show::Median(1),
            move |subject| sample::orphan_time(subject, single, true, few(10_000)),
        ),
        Measure::new(
            &format!("wake-ups for {} orphans", counted(orphans)),
            often(3),
            Show::Median(0),
            move |subject| sample::orphans(subject, orphans),
        ),
        number("from the child's end to its own, µs", 25, 0, sample::end),
        Measure::new(&format!("wake-ups in {} idle seconds", idle.as_secs()), 1, Show::Median(0), move |subject| {
            sample::idle_wake_ups(subject, idle)
        }),
    ]);
    for distance in [0, 100, 500] {
        let tries = few(TRIES);
        all.push(Measure::new(
            &format!("TERM lost {distance} µs after exec, of {tries}"),
            tries,
            Show::Sum,
            move |subject| sample::lost(subject, Duration::from_micros(distance)),
        ));
    }
    all
}
