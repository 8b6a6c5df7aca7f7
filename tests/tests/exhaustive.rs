//! `init` against a simulated kernel, exhaustively: init/src/supervise.rs as it stands, and the core that decides, are run on
//! every sequence of events up to a depth, in every mode, and a judge who knows only the contract reads what they did.
//!
//! `supervise.rs` is included, not copied: what it expects beside it (`sys`, `processes`, `child`, `bare`) is here a kernel that
//! can be asked anything. What is explored, and how deep, is in tests/TESTING.md, "The core, exhaustively".

// What init/src/supervise.rs calls `bare` and `init_core` is this file: the one is simulated, the other is the real one, but
// for the supervisor, which is wrapped so that it can be made faulty.
extern crate init_core as genuine;
extern crate self as bare;
extern crate self as init_core;

#[path = "exhaustive/calls.rs"]
mod calls;
#[path = "exhaustive/judge.rs"]
mod judge;
#[path = "exhaustive/kernel.rs"]
mod kernel;
#[path = "exhaustive/machine.rs"]
mod machine;
#[cfg(feature = "model")]
#[path = "exhaustive/model.rs"]
mod model;
#[path = "exhaustive/modes.rs"]
mod modes;
#[path = "../../init/src/supervise.rs"]
mod supervise;

pub use calls::{child, processes, supervisor, sys};
pub use genuine::{options, signal, status, text};
pub use kernel::{Errno, bit};

use init_core::text::Text;
use judge::{Broken, judge};
use kernel::CHILD;
use machine::{Entry, Fault, Machine, Outcome, When, explore, with};
use modes::Mode;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::thread;

// ---- What else supervise.rs looks for here --------------------------------------------------------------------------

/// As `bare::ALL_SIGNALS`.
pub const ALL_SIGNALS: u64 = u64::MAX;

/// As `bare::reap`.
pub fn reap(status: &mut i32) -> Result<i32, Errno> {
    with(|machine| {
        let (pid, of_it) = machine.reap()?;
        *status = of_it;
        Ok(pid)
    })
}

/// As in init/src/main.rs: here it is noted.
fn say(text: Text, _: i32, _: i32) {
    with(|machine| machine.log.push(Entry::Said(text)));
}

/// The same.
fn say_of(_: &[u8], text: Text, _: i32, _: i32, _: i32) {
    say(text, 0, 0);
}

/// From the child's start to the end, as init/src/main.rs goes on behind its fifth step.
fn start(mode: &Mode) -> u8 {
    let plan = child::Plan {
        own_group: mode.own_group(),
        session: mode.session(),
        group: mode.group(),
        leads_session: mode.leads_session,
        terminal: if mode.terminal { 5 } else { -1 },
        parent: mode.own_pid(),
        failure: AtomicI32::new(mode.failure),
    };
    supervise::run(&mode.config, &plan, b"program", CHILD)
}

// ---- The exploration ------------------------------------------------------------------------------------------------

/// What an exploration of all modes has come to.
#[derive(Default, Debug)]
struct Report {
    /// How many sequences were run.
    sequences: u64,
    /// How often each decision, step and conclusion was seen.
    seen: BTreeMap<String, u64>,
    /// The first run that broke a promise.
    broken: Option<(Broken, String)>,
}

/// A run in words.
fn tell(machine: &Machine, outcome: Outcome) -> String {
    let lines: String = machine.log.iter().map(|entry| format!("    {entry:?}\n")).collect();
    format!("  {}\n{lines}    {outcome:?}\n", machine.mode.name)
}

/// All sequences of `depth` events in one mode, judged.
fn explore_mode(mode: Mode, fault: Fault, when: When, depth: usize) -> Report {
    let mut report = Report::default();
    let mut seen: BTreeMap<(u8, u8), (Entry, u64)> = BTreeMap::new();
    report.sequences = explore(&Rc::new(mode), fault, when, depth, &mut |machine, outcome| {
        for entry in &machine.log {
            let key = match entry {
                Entry::Decided(decision) => (0, *decision as u8),
                Entry::Stepped(step) => (1, *step as u8),
                Entry::Concluded(drained) => (2, *drained as u8),
                _ => continue,
            };
            seen.entry(key).or_insert((*entry, 0)).1 += 1;
        }
        match judge(machine, outcome) {
            Ok(()) => true,
            Err(broken) => {
                report.broken = Some((broken, tell(machine, outcome)));
                false
            }
        }
    });
    report.seen = seen.into_values().map(|(entry, count)| (format!("{entry:?}"), count)).collect();
    report
}

/// The same in all modes, on all processors.
fn explore_all(when: When, depth: usize) -> Report {
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Report::default());
    let count = modes::all().len();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || total.lock().expect("no panic").broken.is_some() {
                        break;
                    }
                    let report = explore_mode(modes::all().swap_remove(index), Fault::None, when, depth);
                    let mut total = total.lock().expect("no panic");
                    total.sequences += report.sequences;
                    for (what, count) in report.seen {
                        *total.seen.entry(what).or_default() += count;
                    }
                    total.broken = total.broken.take().or(report.broken);
                }
            });
        }
    });
    total.into_inner().expect("no panic")
}

/// How much deeper than in plain `cargo test`: BITTS_DEPTH.
fn deeper() -> usize {
    std::env::var("BITTS_DEPTH").map_or(0, |depth| depth.parse().expect("BITTS_DEPTH is a number"))
}

/// All decisions, steps and conclusions that a plain run must have met; what is not met would not be tested.
const MUST_BE_SEEN: [&str; 16] = [
    "Decided(Reap)",
    "Decided(Forward)",
    "Decided(ToAll)",
    "Decided(Teardown)",
    "Decided(DropByRule)",
    "Decided(DropAsShared)",
    "Decided(DropOwn)",
    "Stepped(KillChild)",
    "Stepped(Ask)",
    "Stepped(Kill)",
    "Stepped(GiveUp)",
    "Concluded(Alive)",
    "Concluded(Stay)",
    "Concluded(Ask)",
    "Concluded(Look)",
    "Concluded(End)",
];

#[test]
fn i8_i12_i13_i14_i15_i16_i18_i19_every_sequence_of_events_keeps_every_promise() {
    let mut seen = BTreeMap::new();
    // Miri takes a thousand times as long.
    let (asleep, anywhere) = if cfg!(miri) { (1, 1) } else { (3, 2) };
    for (when, depth) in [(When::Asleep, asleep + deeper()), (When::Anywhere, anywhere + deeper())] {
        let report = explore_all(when, depth);
        println!("{when:?}: {} sequences of up to {depth} events in {} modes", report.sequences, modes::all().len());
        if let Some((broken, run)) = report.broken {
            panic!("{broken}\n{run}");
        }
        seen.extend(report.seen);
    }
    println!("{seen:#?}");
    for what in MUST_BE_SEEN {
        assert!(cfg!(miri) || seen.contains_key(what), "{what} was never met: {seen:#?}");
    }
}

/// Each fault with the promise that it breaks first, and when things must happen for it to be seen.
const FAULTS: [(Fault, When, usize, &str); 21] = [
    (Fault::DropsTerm, When::Asleep, 1, "I12: a signal was not forwarded"),
    (Fault::ForwardsDropped, When::Asleep, 1, "I12: a signal that nobody asked for"),
    (Fault::ForgetsRewrite, When::Asleep, 1, "I12: a signal that nobody asked for"),
    (Fault::ForgetsExpect, When::Asleep, 1, "I18: the exit status is not the child's"),
    (Fault::TakesOrphanForChild, When::Asleep, 2, "I18: the exit status is not the child's"),
    (Fault::NeverEnds, When::Asleep, 1, "I18: the child has ended, and init waits on"),
    (Fault::EndsEarly, When::Asleep, 2, "I13: it ends, and its child has not"),
    (Fault::SkipsTeardown, When::Asleep, 1, "I14: it ends, and somebody is left"),
    (Fault::NeverHurries, When::Asleep, 3, "I14: a signal to all that nobody asked for"),
    (Fault::ClockForAll, When::Asleep, 1, "I14: a step before its time"),
    (Fault::NeverKills, When::Asleep, 2, "I14: a time was up, and nothing was done"),
    (Fault::SendsTwice, When::Asleep, 1, "I12: a signal was forwarded twice"),
    (Fault::SendsBehindReap, When::Asleep, 1, "I12: a signal to what was reaped"),
    (Fault::SendsToOwnGroup, When::Asleep, 1, "I12: a signal to what was reaped, to init's own group"),
    (Fault::ReapsOne, When::Asleep, 3, "I18: it ends, and a zombie is left"),
    (Fault::TakesBehindReap, When::Anywhere, 2, "I13: it sleeps while a zombie lies there"),
    (Fault::TakesTwo, When::Asleep, 2, "I12: a signal was not forwarded"),
    (Fault::Polls, When::Asleep, 0, "I13: the timer is not that of the time that runs"),
    (Fault::RestartsClock, When::Asleep, 3, "I14: a time was up, and nothing was done"),
    (Fault::ForgetsCont, When::Asleep, 2, "I15: a stopped child that was asked to end is not continued"),
    (Fault::ForgetsHeld, When::Asleep, 2, "I13: the timer is not that of the time that runs"),
];

#[test]
fn every_fault_that_is_built_in_is_found() {
    let mut wrong = Vec::new();
    for (fault, when, depth, promise) in FAULTS {
        // One mode after the other, so that it is always the same run that finds it.
        let found = modes::all().into_iter().find_map(|mode| explore_mode(mode, fault, when, depth).broken);
        match found {
            None => wrong.push(format!("{fault:?} is not found by {when:?} {depth}")),
            Some((broken, run)) if !broken.starts_with(promise) => {
                wrong.push(format!("{fault:?}: {broken}, not {promise}\n{run}"));
            }
            Some((broken, run)) => println!("{fault:?}: {broken}\n{run}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// ---- The core alone: all sequences of any length ----------------------------------------------------------------------

/// What the core is asked.
#[derive(Clone, Copy, Debug)]
enum Question {
    /// A signal was taken.
    Signal(i32, i32, bool),
    /// This process was reaped.
    Reaped(i32, i32),
    /// Nothing waitable is left.
    Drained(bool),
    /// A time is up, or somebody hurries.
    Advance(bool),
}

/// One of each class: a stop request, the same from the terminal, one that a rule drops, one that init raises itself, any other
/// one, SIGCHLD; the child's ends, before and after another one's; all answers of the kernel; both reasons of a step.
const QUESTIONS: [Question; 13] = [
    Question::Signal(libc::SIGTERM, libc::SI_USER, false),
    Question::Signal(libc::SIGINT, libc::SI_KERNEL, false),
    Question::Signal(libc::SIGHUP, libc::SI_USER, false),
    Question::Signal(libc::SIGPIPE, libc::SI_USER, true),
    Question::Signal(kernel::REAL_TIME, libc::SI_QUEUE, false),
    Question::Signal(libc::SIGCHLD, libc::CLD_EXITED, false),
    Question::Reaped(CHILD, kernel::EXIT),
    Question::Reaped(CHILD, libc::SIGKILL),
    Question::Reaped(kernel::ORPHANS[0], 0),
    Question::Drained(false),
    Question::Drained(true),
    Question::Advance(true),
    Question::Advance(false),
];

/// The core, and what a witness of it knows.
struct Told<'c> {
    /// The core itself.
    core: genuine::supervisor::Supervisor<'c>,
    /// How the child ended first.
    ended: Option<i32>,
    /// How far it has come, 0–3: `Phase`.
    phase: u8,
}

impl<'c> Told<'c> {
    /// That has been asked `questions`.
    fn new(mode: &'c Mode, questions: &[Question]) -> Self {
        let core = genuine::supervisor::Supervisor::new(&mode.config, CHILD, mode.own_group(), false, false);
        let mut told = Self { core, ended: None, phase: 0 };
        for question in questions {
            told.ask(mode, *question);
        }
        told
    }

    /// Asks, and holds the answer against what the contract says of it. Was that the end?
    fn ask(&mut self, mode: &Mode, question: Question) -> bool {
        use genuine::supervisor::{Decision, Drained, Received, Step};
        let ended = self.ended.is_some();
        let mut end = false;
        match question {
            Question::Signal(number, code, own) => {
                let answer = self.core.signal(Received { number, code, own });
                let right = match answer {
                    Decision::Reap => number == libc::SIGCHLD,
                    Decision::DropOwn => own,
                    Decision::DropByRule => number == libc::SIGHUP,
                    Decision::DropAsShared => code == libc::SI_KERNEL && !mode.own_group() && !ended,
                    Decision::Forward => !ended && self.core.number == number,
                    Decision::ToAll => ended && !self.core.is_stop_request() && self.core.number == number,
                    Decision::Teardown => ended && self.core.is_stop_request(),
                };
                assert!(right, "{question:?}: {answer:?}");
            }
            Question::Reaped(pid, status) => {
                let is_child = pid == CHILD && !ended;
                assert_eq!(self.core.reaped(pid, status), is_child);
                if is_child {
                    self.ended = Some(status);
                }
            }
            Question::Drained(childless) => {
                let answer = self.core.drained(childless);
                let first = self.phase == 0 && ended;
                let wait_all = mode.config.is_on(genuine::options::Id::WaitAll);
                let grace = mode.grace > 0;
                if first && (wait_all || grace) {
                    self.phase = if wait_all { 1 } else { 2 };
                }
                let expected = match (ended, self.phase) {
                    (false, _) => Drained::Alive,
                    (true, 0) => Drained::End,
                    (true, 2) if first => Drained::Ask,
                    (true, 3) => Drained::Look,
                    (true, 2) if grace => Drained::Look,
                    (true, _) if childless => Drained::End,
                    (true, _) => Drained::Stay,
                };
                assert_eq!(answer, expected);
                // Where it looks, the shell ends when nobody is left; that it does is for the exploration above.
                end = [Drained::End, Drained::Look, Drained::Ask].contains(&answer);
            }
            Question::Advance(expired) => {
                let answer = self.core.advance(expired);
                let expected = match (self.phase, expired) {
                    (0, _) => Step::KillChild,
                    (1, _) => Step::Ask,
                    (2, _) => Step::Kill,
                    (_, true) => Step::GiveUp,
                    (_, false) => Step::Stay,
                };
                assert_eq!(answer, expected);
                self.phase = if self.phase == 0 { 0 } else { (self.phase + 1).min(3) };
                end = answer == Step::GiveUp;
            }
        }
        let exit_status = self.ended.map_or(1, |status| if status == kernel::EXIT { 3 } else { 137 });
        assert_eq!(self.core.exit_status(), exit_status, "{question:?}");
        assert_eq!(self.core.is_killing(), self.phase == 3, "{question:?}");
        end
    }
}

#[test]
#[cfg_attr(miri, ignore = "an hour under Miri")]
fn i12_i14_i18_the_core_answers_right_in_every_state_that_it_can_reach() {
    let rule: &[&str] = &["-rHUP:0"];
    let (mut states, mut answers) = (0, 0);
    for (pid1, words) in [
        (true, [rule, &["-t2"]].concat()),
        (true, [rule, &["--wait-all"]].concat()),
        (true, [rule, &["--wait-all", "-t2"]].concat()),
        (false, [rule, &["--stop-timeout=5", "-t2"]].concat()),
        (true, rule.to_vec()),
        (false, rule.to_vec()),
    ] {
        let mode = Mode::new("", words.leak(), genuine::options::Persona::Init, pid1);
        // What stands behind the configuration, which does not change, is all that the core knows.
        let key = |told: &Told| {
            let all = format!("{:?}", told.core);
            all.rsplit_once("}, pid").map(|(_, state)| state.to_owned()).expect("the configuration comes first")
        };
        let mut known = std::collections::BTreeSet::new();
        let mut open = vec![Vec::new()];
        known.insert(key(&Told::new(&mode, &[])));
        while let Some(path) = open.pop() {
            states += 1;
            for question in QUESTIONS {
                let path: Vec<_> = path.iter().copied().chain([question]).collect();
                let mut told = Told::new(&mode, &path);
                answers += 1;
                if known.insert(key(&told)) {
                    open.push(path);
                }
                // From each state it comes to an end: with the child's, and the times that may run behind it.
                let rest = [
                    Question::Reaped(CHILD, kernel::EXIT),
                    Question::Drained(true),
                    Question::Advance(true),
                    Question::Advance(true),
                    Question::Advance(true),
                ];
                assert!(rest.into_iter().any(|question| told.ask(&mode, question)), "no end");
            }
        }
    }
    println!("{states} states, {answers} answers");
    assert!(states > 1000, "{states} states: the test looks for the wrong thing");
}
