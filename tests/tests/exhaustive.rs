//! `init`'s core on a simulated kernel, exhaustively: the shipped core is run on every sequence of events up to a depth, in every
//! mode, and a judge that knows only the contract reads what is done. What is explored, and how deep, is in tests/TESTING.md,
//! "The core, exhaustively".

#[path = "exhaustive/alone.rs"]
mod alone;
#[path = "exhaustive/faults.rs"]
mod faults;
#[path = "exhaustive/judge.rs"]
mod judge;
#[path = "exhaustive/kernel.rs"]
mod kernel;
#[cfg(feature = "model")]
#[path = "exhaustive/model.rs"]
mod model;
#[path = "exhaustive/modes.rs"]
mod modes;
#[path = "exhaustive/shell.rs"]
mod shell;

use faults::{FAULTS, Fault};
use judge::Broken;
use modes::{MODES, Mode};
use shell::{Entry, Script, State, Tools, When};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem::{discriminant, take};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// All sequences of events in one mode.
struct Exploration {
    tools: Tools,
    /// How many sequences begin in each state in which something can be chosen; by its hash.
    known: HashMap<u64, u64>,
    hasher: RandomState,
    /// One of each kind of action and of what is next.
    seen: Vec<Entry>,
}

/// No sequence of ours makes so many steps.
const TOO_MANY: usize = 1000;

impl Exploration {
    fn new(mode: &'static Mode, fault: Fault, when: When) -> Self {
        let tools = Tools { mode, fault, when, script: Script::default(), log: Vec::new() };
        Self { tools, known: HashMap::new(), hasher: RandomState::new(), seen: Vec::new() }
    }

    /// How many sequences with up to `depth` moves are there? Or else the first that breaks a promise.
    fn run(&mut self, depth: usize) -> Result<u64, String> {
        let start = State::new(&mut self.tools, depth);
        self.explore(start, 0).map_err(|broken| {
            let log: String = self.tools.log.iter().map(|entry| format!("    {entry:?}\n")).collect();
            format!("{broken}\n  {}\n{log}", self.tools.mode.name)
        })
    }

    /// The sequences from a state on.
    fn explore(&mut self, mut state: State, mut steps: usize) -> Result<u64, Broken> {
        loop {
            if state.has_ended() {
                return Ok(1);
            }
            steps += 1;
            if steps > TOO_MANY {
                return Err("I13: it never rests");
            }
            let mark = self.tools.log.len();
            let mut next = state.clone();
            self.step(&mut next)?;
            if self.tools.script.is_empty() {
                state = next;
                continue;
            }
            let hash = self.hasher.hash_one(&state);
            if let Some(count) = self.known.get(&hash) {
                self.tools.script = Script::default();
                return Ok(*count);
            }
            let mut count = 0;
            loop {
                let script = take(&mut self.tools.script);
                count += self.explore(next, steps)?;
                self.tools.script = script;
                self.tools.log.truncate(mark);
                if !self.tools.script.advance() {
                    break;
                }
                next = state.clone();
                self.step(&mut next)?;
            }
            self.known.insert(hash, count);
            return Ok(count);
        }
    }

    fn step(&mut self, state: &mut State) -> Result<(), Broken> {
        let mark = self.tools.log.len();
        state.step(&mut self.tools);
        for entry in &self.tools.log[mark..] {
            let is_same = |other: &Entry| match (entry, other) {
                (Entry::Did(action), Entry::Did(other)) => discriminant(action) == discriminant(other),
                (Entry::Next(next), Entry::Next(other)) => discriminant(next) == discriminant(other),
                _ => false,
            };
            if matches!(entry, Entry::Did(_) | Entry::Next(_)) && !self.seen.iter().any(is_same) {
                self.seen.push(*entry);
            }
        }
        state.world.broken.map_or(Ok(()), Err)
    }
}

/// All modes, on all processors: how many sequences; or the first run of each mode that breaks a promise. `seen` are the kinds
/// of actions and of what is next that were met.
fn explore_all(when: When, depth: usize, seen: &Mutex<Vec<String>>) -> Result<u64, String> {
    let next = AtomicUsize::new(0);
    let total = Mutex::new((0, String::new()));
    let work = || {
        while let Some(mode) = MODES.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut exploration = Exploration::new(mode, Fault::None, when);
            let result = exploration.run(depth);
            let mut total = total.lock().expect("no panic");
            match result {
                Ok(count) => total.0 += count,
                Err(broken) => total.1 += &broken,
            }
            let kind =
                |entry: &Entry| format!("{entry:?}").split([' ', ')', '{']).next().unwrap_or_default().to_owned();
            seen.lock().expect("no panic").extend(exploration.seen.iter().map(kind));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let stack = thread::Builder::new().stack_size(64 << 20);
            stack.spawn_scoped(scope, work).expect("a thread");
        }
    });
    let (count, broken) = total.into_inner().expect("no panic");
    if broken.is_empty() { Ok(count) } else { Err(broken) }
}

/// How much deeper than in plain `cargo test`: BITTS_DEPTH.
fn deeper() -> usize {
    std::env::var("BITTS_DEPTH").map_or(0, |depth| depth.parse().expect("BITTS_DEPTH is a number"))
}

#[test]
fn i2_i4_i12_i13_i14_i15_i16_i18_i19_every_sequence_of_events_keeps_every_promise() {
    let seen = Mutex::default();
    // Miri takes a thousand times as long.
    let (asleep, anywhere) = if cfg!(miri) { (1, 1) } else { (3, 2) };
    for (when, depth) in [(When::Asleep, asleep + deeper()), (When::Anywhere, anywhere + deeper())] {
        match explore_all(when, depth, &seen) {
            Ok(count) => println!("{when:?}: {count} sequences of up to {depth} events in {} modes", MODES.len()),
            Err(broken) => panic!("{broken}"),
        }
    }
    let mut seen = seen.into_inner().expect("no panic");
    seen.sort();
    seen.dedup();
    // What is not met would not be tested: 9 actions, and 8 that are next.
    assert_eq!(seen.len(), 9 + 8, "{seen:?}");
}

#[test]
fn every_fault_that_is_built_in_is_found() {
    let mut wrong = String::new();
    for (fault, name, when, depth, promise) in FAULTS {
        let mode = MODES.iter().find(|mode| mode.name == name).expect("a mode");
        match Exploration::new(mode, fault, when).run(depth) {
            Ok(_) => wrong += &format!("{fault:?} is not found\n"),
            Err(broken) if broken.starts_with(promise) => println!("{fault:?}: {broken}"),
            Err(broken) => wrong += &format!("{fault:?}, not {promise}: {broken}"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
