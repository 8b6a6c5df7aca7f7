//! The parts of `cargo load`, small: with exact counts, and controls.

use bitts_tests::load::{self, Reaper, Storm};
use bitts_tests::{Case, Place, needs_namespaces, tools};

/// Of a sender, in each round.
const SMALL: Storm = Storm { pairs: 2, rounds: 2, each: 4000 };

#[track_caller]
fn holds(figures: Result<load::Figures, String>) {
    figures.unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn i12_of_a_storm_of_signals_none_is_lost_and_order_is_kept() {
    needs_namespaces!();
    holds(load::storm(Case::init(), SMALL));
}

#[test]
fn i12_beyond_the_limit_what_was_accepted_arrives() {
    needs_namespaces!();
    holds(load::storm_beyond(Case::init(), 64, Storm { pairs: 1, rounds: 1, each: 4000 }));
}

/// The control: tini sends them on without their values.
#[test]
fn i12_what_tini_loses_in_a_storm_is_seen() {
    needs_namespaces!();
    let Some(tini) = tools::peer("tini") else { return };
    let why = load::storm(Case::new(tini), Storm { pairs: 1, rounds: 1, each: 100 }).expect_err("lost values");
    assert!(why.starts_with("queued signals: {}, not {"), "{why}");
}

#[test]
fn i13_bursts_of_orphans_are_reaped_each_before_the_next() {
    needs_namespaces!();
    holds(load::orphans(Reaper::Init, 5, 500));
    holds(load::orphans(Reaper::Subreaper, 5, 500));
}

#[test]
fn p2_bursts_of_orphans_are_reaped_each_before_the_next() {
    needs_namespaces!();
    holds(load::orphans(Reaper::Pause, 5, 500));
}

/// The control: under a PID 1 that does not reap the kernel's limit is reached, for it counts the dead, too.
#[test]
fn i13_zombies_are_in_the_way_of_the_next_burst() {
    needs_namespaces!();
    let lazy = load::limited(Case::witness(), 300).args(["child", "orphans", "1000", "end", "sleep"]);
    let mut lazy = lazy.start();
    lazy.wait_error_line("witness: fork: Resource temporarily unavailable");
    // The last batch may still be ending when nothing more can be made.
    lazy.wait_until("200 zombies", |lazy| lazy.zombies().len() >= 200);
}

#[test]
fn i14_a_fork_bomb_is_torn_down() {
    needs_namespaces!();
    for stubborn in [false, true] {
        for place in [Place::Pid1, Place::Child] {
            holds(load::bomb(place, stubborn, 32, None));
        }
    }
}

#[test]
fn i14_many_containers_at_once_end_as_they_should() {
    needs_namespaces!();
    holds(load::crowd(12));
}
