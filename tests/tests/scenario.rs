//! Random scenarios against a model of the contract (I2, I4, I7, I12–I15, I18, I19, B2).
//!
//! A seed gives a scenario: how init is started, what happens to it and its child, how the child ends, and what becomes of
//! the processes that outlive it. It is played with real processes, each step waited for, and what was seen must be what the model says. `SCENARIO_RUNS=n` plays n seeds,
//! `SCENARIO_FIRST=n` begins with seed n, and `SCENARIO_SEED=n` plays that one alone. `SCENARIO_SECONDS=n` plays as many as can be begun in
//! that time, goes on behind a mismatch, and says how many it were.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bitts_tests::sys::{self, Mask, bit};
use bitts_tests::{Case, Outcome, Place, Running, Stream, namespace, needs_namespaces, procfs, tools};
use libc::{SIGCHLD, SIGCONT, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGSTOP, SIGTERM, SIGXFSZ};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Seeds that are played if nothing else is asked for: some twenty seconds.
const RUNS: u64 = 1000;

/// Of any single wait: shorter than usual, because a failing scenario is played many times to make it smaller.
const DEADLINE: Duration = Duration::from_secs(10);

/// Ends a recording: the highest number, so that whatever was sent before it is taken before it (signal(7)). Sent plainly, never rewritten, and nothing is rewritten to it.
const MARKER: i32 = 64;

/// The first real-time signal.
const REAL_TIME: i32 = 34;

/// What stops a process that does not block it.
const STOPS: [i32; 4] = [SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// As good as no end of a time, and one that a test waits for.
const LONG: &str = "60m";
const SHORT: &str = "150ms";

/// What init says when the grace period is over.
const OUTLIVED: &str = "init: grace period over, killing remaining processes";

/// A child that is stopped is continued behind these (I15).
const STOP_REQUESTS: [i32; 3] = [SIGTERM, SIGINT, SIGQUIT];

// ---- scenarios ------------------------------------------------------------------------------------------------------

/// A run of init from its start to its end.
#[derive(Clone, Debug)]
struct Scenario {
    config: Config,
    steps: Vec<Step>,
    end: End,
    survivors: Vec<Survivor>,
    /// Sent when the child has ended and there are survivors that init waits for (`--wait-all`): to all of them.
    after: Vec<i32>,
    /// And last of all, what starts their teardown.
    term: Option<i32>,
}

/// A process below the child that outlives it, in a group of its own, so that nothing for the child's group is for it.
#[derive(Clone, Copy, Debug)]
struct Survivor {
    kind: Kind,
    /// In a session of its own as well.
    session: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Records what is sent to all, and ends when TERM and CONT have come.
    Obedient,
    /// Does nothing about signals.
    Plain,
    /// The same, and stopped.
    Stopped,
    /// Records, and never ends.
    Stubborn,
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Long,
    Short,
}

/// How init is started.
#[derive(Clone, Debug)]
struct Config {
    pid1: bool,
    /// Called as dumb-init.
    dumb: bool,
    group: bool,
    single: bool,
    wait_all: bool,
    grace: Option<Time>,
    /// With the signals that start the clock.
    stop_timeout: Option<(Time, &'static [i32])>,
    /// `--caught-only`, and what the child catches.
    caught_only: Option<Mask>,
    warn: bool,
    verbose: bool,
    /// The options come by `BITTS_` variables.
    by_variables: bool,
    /// S and R of `--rewrite`.
    rewrites: Vec<(i32, i32)>,
    expect: Vec<u8>,
    mask: Mask,
    ignored: Mask,
    stderr: Stderr,
}

impl Config {
    /// A stop request that is still one behind the rewrites, which may leave none.
    fn request(&self) -> Option<i32> {
        STOP_REQUESTS.into_iter().find(|&signal| self.target(signal).is_some_and(|to| STOP_REQUESTS.contains(&to)))
    }
}

/// What init's standard error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stderr {
    Captured,
    Null,
    Closed,
    Full,
    FullPipe,
    BrokenPipe,
    FileAtLimit,
}

/// A signal to init.
#[derive(Clone, Copy, Debug)]
struct Sent {
    signal: i32,
    /// Of sigqueue(3); without it, kill(2).
    value: Option<i32>,
}

#[derive(Clone, Debug)]
enum Step {
    /// From outside the namespace.
    Outside(Sent),
    /// The child sends it.
    Inside(Sent),
    /// Real-time signals without a pause between them.
    Burst(Vec<Sent>),
    /// The child is stopped, directly or by a rewrite to SIGSTOP, and continued by what is sent last.
    Stop { by: Option<Sent>, meanwhile: Vec<Sent>, resume: Sent },
    /// The child makes orphans, which end at once.
    Orphans(usize),
}

/// How the child ends.
#[derive(Clone, Debug)]
enum End {
    Exit(u8),
    /// It kills itself.
    Die(i32),
    /// Killed from outside, past init.
    Killed(i32),
    /// By a signal that init forwards to it; it may be stopped then.
    Forwarded {
        sent: Sent,
        stopped: bool,
    },
    /// By a signal that starts a short clock, and about which it does nothing.
    TimedOut(Sent),
}

/// The dice.
struct Random(TestRng);

impl Random {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// 0 to `limit` - 1.
    fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<Item: Copy>(&mut self, items: &[Item]) -> Item {
        items[self.below(items.len() as u64) as usize]
    }

    /// None, a few, half or all of the signals.
    fn signals(&mut self) -> Mask {
        let set = match self.below(4) {
            0 => 0,
            1 => bit(SIGCHLD) | bit(self.pick(&[SIGPIPE, SIGTERM, REAL_TIME])),
            2 => self.0.next_u64(),
            _ => sys::ALL_SIGNALS,
        };
        sys::catchable().filter(|&n| set & bit(n) != 0).fold(0, |all, n| all | bit(n))
    }

    fn rewrite(&mut self) -> (i32, i32) {
        loop {
            let from = self.below(64) as i32 + 1;
            let to = match self.below(8) {
                0 => 0,
                1 => SIGKILL,
                2 => SIGSTOP,
                3 => self.pick(&STOP_REQUESTS),
                _ => self.below(64) as i32 + 1,
            };
            // The recorder gets SIGCHLD from its own children.
            if from != MARKER && to != MARKER && to != SIGCHLD {
                return (from, to);
            }
        }
    }

    fn time(&mut self) -> Time {
        self.pick(&[Time::Long, Time::Long, Time::Short])
    }

    fn config(&mut self) -> Config {
        use Stderr::{BrokenPipe, Captured, Closed, FileAtLimit, Full, FullPipe, Null};
        let group = self.one_in(2);
        Config {
            pid1: !self.one_in(3),
            dumb: self.one_in(4),
            group,
            single: !group && self.one_in(2),
            wait_all: self.one_in(3),
            grace: self.one_in(3).then(|| self.time()),
            stop_timeout: self.one_in(4).then(|| {
                let time = if self.one_in(4) { Time::Short } else { Time::Long };
                (time, self.pick(&[&[SIGTERM][..], &[SIGTERM], &[SIGQUIT], &[SIGINT, SIGTERM]]))
            }),
            caught_only: self.one_in(4).then(|| self.signals() & !bit(SIGCHLD) | bit(MARKER)),
            warn: self.one_in(2),
            verbose: self.one_in(3),
            by_variables: self.one_in(4),
            rewrites: (0..self.below(5)).map(|_| self.rewrite()).collect(),
            expect: (0..self.below(3)).map(|_| self.below(256) as u8).collect(),
            mask: self.signals(),
            ignored: self.signals(),
            stderr: self.pick(&[Captured, Captured, Captured, Null, Closed, Full, FullPipe, BrokenPipe, FileAtLimit]),
        }
    }

    /// A signal whose effect on the child is a wanted one, and which starts no short clock.
    fn sent(&mut self, config: &Config, mut wanted: impl FnMut(Effect) -> bool) -> Sent {
        self.sent_last(config, |effect| wanted(effect) && !config.times_out(effect))
    }

    /// The same, whatever the clock.
    fn sent_last(&mut self, config: &Config, mut wanted: impl FnMut(Effect) -> bool) -> Sent {
        loop {
            let signal = self.below(64) as i32 + 1;
            if config.can_be_sent(signal) && wanted(config.effect(signal)) {
                let value = self.one_in(2).then(|| self.0.next_u64() as i32);
                return Sent { signal, value };
            }
        }
    }

    /// A signal that the child records, or none at all.
    fn harmless(&mut self, config: &Config) -> Sent {
        self.sent(config, |effect| matches!(effect, Effect::None | Effect::Recorded(_)))
    }

    /// Several different ones which, by their effects, do not get in each other's way while they are pending.
    fn together(&mut self, config: &Config, count: u64, first: i32) -> Vec<Sent> {
        let mut taken: BTreeSet<i32> = STOPS.into_iter().chain(STOP_REQUESTS).chain([SIGCONT]).collect();
        let possible =
            (1..=64).filter(|signal| config.can_be_sent(*signal) && !STOPS.contains(signal) && *signal != SIGCONT);
        let possible: BTreeSet<_> =
            possible.map(|signal| config.effect(signal)).filter(|effect| !config.times_out(*effect)).collect();
        let recorded = |effect: &&Effect| matches!(effect, Effect::Recorded(n) if *n >= first && !taken.contains(n));
        let count = possible.iter().filter(recorded).count().min(count as usize);
        let mut all = Vec::new();
        while all.len() < count {
            let sent = self.harmless(config);
            // Whatever they are rewritten to: of SIGCONT and the stops one discards the other that init has not taken.
            if !STOPS.contains(&sent.signal)
                && sent.signal != SIGCONT
                && let Effect::Recorded(signal) = config.effect(sent.signal)
                && signal >= first
                && taken.insert(signal)
            {
                all.push(sent);
            }
        }
        all
    }

    fn step(&mut self, config: &Config) -> Step {
        match self.below(8) {
            0..3 => Step::Outside(self.harmless(config)),
            3 => Step::Inside(self.harmless(config)),
            4 => {
                let count = self.below(3) + 1;
                let mut numbers = self.together(config, count, REAL_TIME);
                // What becomes real-time only by the rewrite is merged before it.
                numbers.retain(|sent| sent.signal >= REAL_TIME);
                let mut burst = Vec::new();
                for _ in 0..self.below(20) * u64::from(!numbers.is_empty()) {
                    let value = self.one_in(4).then(|| self.0.next_u64() as i32);
                    burst.push(Sent { value, ..self.pick(&numbers) });
                }
                Step::Burst(burst)
            }
            5 | 6 => {
                let count = self.below(4);
                let wants_rewrite = self.one_in(2);
                let by = (wants_rewrite && config.has_effect(Effect::Stop))
                    .then(|| self.sent(config, |effect| effect == Effect::Stop));
                let meanwhile = self.together(config, count, 1);
                let resumes = [SIGTERM, SIGINT, SIGQUIT, SIGCONT].map(Effect::Recorded);
                let mut possible = resumes.into_iter().filter(|effect| !config.times_out(*effect));
                if !possible.any(|effect| config.has_effect(effect)) {
                    return Step::Orphans(1);
                }
                let resume = self.sent(config, |effect| resumes.contains(&effect));
                Step::Stop { by, meanwhile, resume }
            }
            _ => Step::Orphans(self.below(20) as usize + 1),
        }
    }

    /// A signal that ends a process which does nothing about it.
    fn deadly(&mut self) -> i32 {
        loop {
            let signal = self.below(64) as i32 + 1;
            if ends(signal) {
                return signal;
            }
        }
    }

    fn end(&mut self, config: &Config) -> End {
        if config.can_time_out() && self.one_in(2) {
            return End::TimedOut(self.sent_last(config, |effect| config.times_out(effect)));
        }
        match self.below(4) {
            0 => End::Exit(self.below(256) as u8),
            1 => End::Die(self.deadly()),
            2 => End::Killed(self.deadly()),
            _ => {
                let stopped = self.one_in(3);
                // It catches nothing by then.
                let spared = |signal| config.caught_only.is_some() && !STOP_REQUESTS.contains(&signal);
                let fits = |effect: Effect| match effect {
                    Effect::Kill => true,
                    Effect::Recorded(signal) if spared(signal) => false,
                    Effect::Recorded(signal) => ends(signal) && (!stopped || STOP_REQUESTS.contains(&signal)),
                    _ => false,
                };
                let effects = (1..=64).filter(|signal| config.can_be_sent(*signal)).map(|signal| config.effect(signal));
                if !effects.into_iter().any(|effect| fits(effect) && !config.times_out(effect)) {
                    return End::Exit(9);
                }
                let sent = self.sent(config, fits);
                End::Forwarded { sent, stopped }
            }
        }
    }

    fn survivor(&mut self) -> Survivor {
        use Kind::{Obedient, Plain, Stopped, Stubborn};
        Survivor { kind: self.pick(&[Obedient, Obedient, Plain, Stopped, Stubborn]), session: self.one_in(2) }
    }

    /// A signal for all that remain, that is no request to stop, and about which there is no rule. It ends nobody.
    fn for_all(&mut self, config: &Config, survivors: &[Survivor]) -> Option<i32> {
        let record = survivors.iter().all(|survivor| survivor.records()) && config.caught_only.is_none();
        let signal = if record { self.below(64) as i32 + 1 } else { self.pick(&[libc::SIGURG, libc::SIGWINCH]) };
        let special = STOPS.contains(&signal) || STOP_REQUESTS.contains(&signal) || signal == SIGCONT;
        (!special && config.can_be_sent(signal) && config.target(signal) == Some(signal)).then_some(signal)
    }

    fn scenario(&mut self) -> Scenario {
        let mut config = self.config();
        if let Some((Time::Short, signals)) = config.stop_timeout {
            // The received signal starts the clock as well as the one that is sent (I2): here they are the same.
            config.rewrites.retain(|(from, _)| !signals.contains(from));
        }
        let steps = (0..self.below(8)).map(|_| self.step(&config)).collect();
        let end = self.end(&config);
        let count = self.below(4) * self.below(2);
        let survivors: Vec<_> = (0..count).map(|_| self.survivor()).collect();
        let after = (0..self.below(4)).filter_map(|_| self.for_all(&config, &survivors)).collect();
        let request = self.pick(&STOP_REQUESTS);
        let term = (self.one_in(2) && config.target(request) == Some(request)).then_some(request);
        let mut scenario = Scenario { config, steps, end, survivors, after, term };
        if scenario.config.grace == Some(Time::Long) && scenario.config.request().is_none() {
            // Nothing could cut it short.
            scenario.config.grace = Some(Time::Short);
        }
        if self.one_in(3) {
            scenario.config.expect.push(scenario.status());
        }
        scenario
    }
}

// ---- the model ------------------------------------------------------------------------------------------------------

/// What a signal to init does to a child that records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    None,
    Recorded(i32),
    Stop,
    Kill,
}

/// Each signal as the child receives it: `si_code` and value, in order for each number.
type Received = BTreeMap<i32, Vec<(i32, i32)>>;

/// Is this the default action of `signal` (signal(7))?
fn ends(signal: i32) -> bool {
    ![SIGCHLD, SIGCONT, libc::SIGURG, libc::SIGWINCH].contains(&signal) && !STOPS.contains(&signal)
}

/// Can a value be sent to a group? PIDFD_SIGNAL_PROCESS_GROUP is in Linux 6.9.
fn groups_take_values() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc");
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse::<u32>().ok());
    (numbers.next().expect("a version"), numbers.next().expect("a version")) >= (6, 9)
}

impl Config {
    /// The number that is forwarded, if any is (I2, I12).
    fn target(&self, signal: i32) -> Option<i32> {
        if signal == SIGCHLD {
            return None;
        }
        let last = self.rewrites.iter().rev().find(|(from, _)| *from == signal);
        // As dumb-init (I4).
        let default = if self.has_session() && STOPS.contains(&signal) { SIGSTOP } else { signal };
        Some(last.map_or(default, |(_, to)| *to)).filter(|to| *to != 0)
    }

    /// The child has its own session, and signals go to its group.
    fn has_session(&self) -> bool {
        self.dumb && !self.single
    }

    /// Is `signal` kept from a recording child by `--caught-only`?
    fn spares(&self, signal: i32) -> bool {
        let deadly = ends(signal) && !STOP_REQUESTS.contains(&signal);
        deadly && self.caught_only.is_some_and(|caught| signal == SIGKILL || caught & bit(signal) == 0)
    }

    /// Does it start a clock that is soon over?
    fn times_out(&self, effect: Effect) -> bool {
        let short = self.stop_timeout.filter(|(time, _)| *time == Time::Short);
        short.is_some_and(|(_, signals)| matches!(effect, Effect::Recorded(signal) if signals.contains(&signal)))
    }

    fn can_time_out(&self) -> bool {
        (1..=64).any(|signal| self.can_be_sent(signal) && self.times_out(self.effect(signal)))
    }

    fn effect(&self, signal: i32) -> Effect {
        match self.target(signal) {
            None => Effect::None,
            Some(target) if self.spares(target) => Effect::None,
            Some(SIGSTOP) => Effect::Stop,
            Some(SIGKILL) => Effect::Kill,
            Some(signal) => Effect::Recorded(signal),
        }
    }

    fn has_effect(&self, effect: Effect) -> bool {
        (1..=64).any(|signal| self.can_be_sent(signal) && self.effect(signal) == effect)
    }

    /// Init takes neither KILL nor STOP. A PIPE that init's own write raises would be merged with one from outside.
    fn can_be_sent(&self, signal: i32) -> bool {
        let raises = matches!(self.stderr, Stderr::BrokenPipe | Stderr::FileAtLimit) && (self.warn || self.verbose);
        let never = [SIGKILL, SIGSTOP, MARKER].contains(&signal) || raises && [SIGPIPE, SIGXFSZ].contains(&signal);
        // `--caught-only` may be about the signal as it came or as it is sent: only where that makes no difference.
        let is_clear = match self.target(signal) {
            Some(target) => {
                self.spares(signal) == self.spares(target) && !(self.caught_only.is_some() && target == SIGKILL)
            }
            None => true,
        };
        !never && is_clear
    }

    /// What of `sent` the child sees.
    fn deliver(&self, sent: Sent, received: &mut Received) {
        if let Effect::Recorded(signal) = self.effect(sent.signal) {
            let seen = match sent.value {
                Some(value) if !(self.group || self.has_session()) || groups_take_values() => (libc::SI_QUEUE, value),
                _ => (libc::SI_USER, 0),
            };
            received.entry(signal).or_default().push(seen);
        }
    }
}

impl Scenario {
    /// What the child has received after the first `count` steps.
    fn received(&self, count: usize) -> Received {
        let mut received = Received::new();
        let plain = |signal| Sent { signal, value: None };
        for step in &self.steps[..count] {
            match step {
                Step::Outside(sent) => self.config.deliver(*sent, &mut received),
                Step::Inside(sent) => {
                    self.config.deliver(plain(MARKER), &mut received);
                    self.config.deliver(*sent, &mut received);
                }
                Step::Burst(burst) => burst.iter().for_each(|sent| self.config.deliver(*sent, &mut received)),
                Step::Stop { meanwhile, resume, .. } => {
                    meanwhile.iter().chain([resume]).for_each(|sent| self.config.deliver(*sent, &mut received));
                    if self.config.effect(resume.signal) != Effect::Recorded(SIGCONT) {
                        received.entry(SIGCONT).or_default().push((libc::SI_USER, 0));
                    }
                }
                Step::Orphans(_) => self.config.deliver(plain(MARKER), &mut received),
            }
        }
        received
    }

    /// All that the child receives before it ends: the marker comes last.
    fn received_at_end(&self) -> Received {
        let mut received = self.received(self.steps.len());
        received.entry(MARKER).or_default().push((libc::SI_USER, 0));
        received
    }

    /// How many orphans there are after the first `count` steps, and so warnings where they are wanted.
    fn orphans(&self, count: usize) -> usize {
        self.steps[..count].iter().map(|step| if let Step::Orphans(count) = step { *count } else { 0 }).sum()
    }

    /// The signal that the child dies by.
    fn death(&self) -> Option<i32> {
        match &self.end {
            End::Exit(_) => None,
            End::Die(signal) | End::Killed(signal) => Some(*signal),
            End::Forwarded { sent, .. } => self.config.target(sent.signal),
            End::TimedOut(_) => Some(SIGKILL),
        }
    }

    /// init tears down what is left (I14).
    fn tears_down(&self) -> bool {
        let at_the_end = if self.config.wait_all { self.was_requested() } else { self.config.grace.is_some() };
        if self.waits() { self.term.is_some() } else { at_the_end && !self.survivors.is_empty() }
    }

    /// init waits for what is left without a teardown.
    fn waits(&self) -> bool {
        self.config.wait_all && !self.survivors.is_empty() && !self.was_requested()
    }

    /// A stop request was forwarded before the child's end: under `--wait-all` the teardown begins there (I2).
    fn was_requested(&self) -> bool {
        let last = match &self.end {
            End::Forwarded { sent, .. } | End::TimedOut(sent) => self.config.target(sent.signal),
            _ => None,
        };
        STOP_REQUESTS.iter().any(|signal| self.received_at_end().contains_key(signal) || last == Some(*signal))
    }

    /// Are survivors killed by init?
    fn kills(&self) -> bool {
        let stubborn = self.survivors.iter().any(|survivor| survivor.kind == Kind::Stubborn);
        self.tears_down() && self.config.grace.is_some() && stubborn
    }

    /// What a survivor that records has taken at the end.
    fn taken_by_survivors(&self) -> Vec<i32> {
        let mut all = if self.waits() { self.after.clone() } else { Vec::new() };
        if self.tears_down() {
            all.extend([SIGTERM, SIGCONT]);
        }
        all.sort_unstable();
        all
    }

    /// How many lines there are about kills of init's own.
    fn told_kills(&self) -> usize {
        usize::from(matches!(self.end, End::TimedOut(_))) + usize::from(self.kills())
    }

    /// init's exit status (I18).
    fn status(&self) -> u8 {
        let status = match (&self.end, self.death()) {
            (End::Exit(code), _) => *code,
            (_, death) => 128 + death.expect("a signal") as u8,
        };
        if self.config.expect.contains(&status) { 0 } else { status }
    }

    /// The death that init says a line about: by a signal that it neither received nor forwarded (I19).
    fn told_death(&self) -> Option<i32> {
        let mut sent = vec![Sent { signal: MARKER, value: None }];
        for step in &self.steps {
            match step {
                Step::Outside(one) | Step::Inside(one) => sent.push(*one),
                Step::Burst(burst) => sent.extend(burst),
                Step::Stop { by, meanwhile, resume } => sent.extend(by.iter().chain(meanwhile).chain([resume])),
                Step::Orphans(_) => {}
            }
        }
        match &self.end {
            End::Forwarded { sent: one, .. } => sent.push(*one),
            // That has a line of its own.
            End::TimedOut(_) => return None,
            _ => {}
        }
        let forwarded = |one: &Sent| match self.config.effect(one.signal) {
            Effect::None => None,
            _ => self.config.target(one.signal),
        };
        let knows = |signal| sent.iter().any(|s| s.signal == signal || forwarded(s) == Some(signal));
        self.death().filter(|signal| !knows(*signal))
    }
}

// ---- play -----------------------------------------------------------------------------------------------------------

/// A signal as a person may write it: number, name, or distance from the ends of the real-time ones.
fn spelled(signal: i32) -> String {
    match signal {
        1 => "HUP".to_owned(),
        15 => "SIGTERM".to_owned(),
        REAL_TIME.. if signal % 3 == 0 => format!("RTMIN+{}", signal - REAL_TIME),
        REAL_TIME.. if signal % 3 == 1 => format!("SIGRTMAX-{}", 64 - signal),
        _ => signal.to_string(),
    }
}

impl Scenario {
    /// The case in which `program` plays it.
    fn case(&self, program: Case) -> Case {
        let config = &self.config;
        let mut case = program
            .place(if config.pid1 { Place::Pid1 } else { Place::Child })
            .mask(config.mask)
            .ignored(config.ignored)
            // Many of these deaths dump core.
            .limit(libc::RLIMIT_CORE, 0, 0)
            .deadline(DEADLINE)
            .stderr(match config.stderr {
                Stderr::Captured => Stream::Pipe,
                Stderr::Null => Stream::Null,
                Stderr::Closed => Stream::Closed,
                Stderr::Full => Stream::Full,
                Stderr::FullPipe => Stream::FullPipe,
                Stderr::BrokenPipe => Stream::BrokenPipe,
                Stderr::FileAtLimit => Stream::FileAtLimit,
            });
        let rewrites: Vec<_> =
            config.rewrites.iter().map(|(from, to)| format!("{}:{}", spelled(*from), spelled(*to))).collect();
        let expect: Vec<_> = config.expect.iter().map(u8::to_string).collect();
        if config.dumb {
            case = case.name("dumb-init");
        }
        let flags = [
            (config.group, "-g", "GROUP"),
            (config.single, "-c", "SINGLE_CHILD"),
            (config.warn, "-w", "WARN_REAPED"),
            (config.verbose, "-v", "VERBOSE"),
            (config.wait_all, "--wait-all", "WAIT_ALL"),
            (config.caught_only.is_some(), "--caught-only", "CAUGHT_ONLY"),
        ];
        for (_, option, variable) in flags.into_iter().filter(|(on, ..)| *on) {
            case = if config.by_variables { case.env(format!("BITTS_{variable}"), "1") } else { case.arg(option) };
        }
        let time = |time| if time == Time::Long { LONG } else { SHORT };
        let clock = |(length, signals): (Time, &[i32])| match signals {
            [SIGTERM] => time(length).to_owned(),
            _ => format!("{}:{}", time(length), signals.iter().map(|n| spelled(*n)).collect::<Vec<_>>().join(",")),
        };
        let grace = config.grace.map(|length| time(length).to_owned());
        for (option, variable, value) in
            [("--grace", "GRACE", grace), ("--stop-timeout", "STOP_TIMEOUT", config.stop_timeout.map(clock))]
        {
            let Some(value) = value else { continue };
            case = if config.by_variables {
                case.env(format!("BITTS_{variable}"), value)
            } else {
                case.args([option, &value])
            };
        }
        for (option, variable, values) in [("-r", "REWRITE", rewrites), ("-e", "EXPECT", expect)] {
            if !config.by_variables {
                case = case.args(values.iter().flat_map(|value| [option, value]));
            } else if !values.is_empty() {
                case = case.env(format!("BITTS_{variable}"), values.join(","));
            }
        }
        case.child(self.child())
    }

    /// The commands of the witness. Before each of its own deeds the recording is ended by a marker.
    fn child(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for (number, Survivor { kind, session }) in self.survivors.iter().enumerate() {
            // Of a session whose leader ends the kernel hangs up what is stopped (kernel/exit.c, `kill_orphaned_pgrp`).
            let session = *session || *kind == Kind::Stopped && self.config.has_session();
            words.extend(own(&["child", "tag", &format!("s{number}"), if session { "setsid" } else { "setpgid" }]));
            // Where nobody asks it to end, it does not.
            let count = self.taken_by_survivors().len() + usize::from(!self.tears_down());
            let deeds: &[&str] = match kind {
                Kind::Obedient => &["record", "for", &count.to_string()],
                Kind::Stubborn => &["record"],
                Kind::Plain => &["default", "all", "unblock", "all", "say", "recording", "sleep"],
                Kind::Stopped => &["default", "all", "unblock", "all", "say", "recording", "stop", "sleep"],
            };
            words.extend(own(deeds));
            words.push("end".to_owned());
        }
        // With SIGCHLD ignored some of the orphans might be reaped by the kernel.
        words.extend(own(&["state", "default", "17"]));
        if let Some(caught) = self.config.caught_only {
            let caught: Vec<_> = sys::catchable().filter(|n| caught & bit(*n) != 0).map(|n| n.to_string()).collect();
            words.extend(own(&["catch", &caught.join(",")]));
        }
        let recording = ["record".to_owned(), "until".to_owned(), MARKER.to_string()];
        words.extend(recording.clone());
        for step in &self.steps {
            match step {
                Step::Orphans(count) => words.extend(["orphans".to_owned(), count.to_string()]),
                Step::Inside(Sent { signal, value }) => {
                    let command = if value.is_some() { "queue" } else { "kill" };
                    words.extend([command.to_owned(), "parent".to_owned(), signal.to_string()]);
                    words.extend(value.map(|value| value.to_string()));
                }
                _ => continue,
            }
            words.extend(recording.clone());
        }
        match &self.end {
            End::Exit(code) => words.extend(["exit".to_owned(), code.to_string()]),
            End::Die(signal) => words.extend(["die".to_owned(), signal.to_string()]),
            End::TimedOut(_) => words.extend(own(&["block", "all", "say", "mortal", "sleep"])),
            _ => words.extend(["default", "all", "unblock", "all", "say", "mortal", "sleep"].map(str::to_owned)),
        }
        words
    }

    /// Plays it. Panics where something that is waited for does not come.
    fn outcome(&self, program: Case) -> Outcome {
        let mut init = self.case(program).start();
        // Each survivor says so, too. `state` shows the words of all, on lines of their own.
        let shown = self.child().iter().filter(|word| *word == "recording").count();
        let mut recordings = self.survivors.len() + 1 + shown;
        init.wait_lines("recording", recordings);
        let child = child(&init);
        let survivors = survivors(&mut init, child, &self.survivors);
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Outside(one) => send(&init, *one),
                Step::Burst(burst) => burst.iter().for_each(|one| send(&init, *one)),
                Step::Stop { by, meanwhile, resume } => {
                    stop(&mut init, child, *by);
                    meanwhile.iter().chain([resume]).for_each(|one| send(&init, *one));
                }
                Step::Inside(_) | Step::Orphans(_) => {
                    init.signal(MARKER);
                    recordings += 1;
                    init.wait_lines("recording", recordings);
                }
            }
            let before = self.received(index);
            for (signal, all) in self.received(index + 1) {
                if before.get(&signal) != Some(&all) {
                    init.wait_lines(&format!("signal={signal} "), all.len());
                }
            }
        }
        if self.orphans(self.steps.len()) > 0 {
            // The reaper above, init, its child; and no zombie.
            let all = if self.config.pid1 { 2 } else { 3 } + survivors.len();
            init.wait_until("nobody else", |init| init.processes().len() == all);
        }
        init.signal(MARKER);
        if let End::Killed(_) | End::Forwarded { .. } | End::TimedOut(_) = self.end {
            // `state` has shown it among the arguments.
            init.wait_lines("mortal", 2);
        }
        match &self.end {
            End::Exit(_) | End::Die(_) => {}
            End::Killed(signal) => sys::kill(child, *signal, None).expect("a child"),
            End::Forwarded { sent, stopped } => {
                if *stopped {
                    stop(&mut init, child, None);
                }
                send(&init, *sent);
            }
            End::TimedOut(sent) => send(&init, *sent),
        }
        self.outlive(&mut init, child, &survivors);
        init.wait()
    }

    /// What becomes of the survivors, up to init's end. `pids` are theirs, in their order.
    fn outlive(&self, init: &mut Running, child: i32, pids: &[i32]) {
        let of = |kinds: &[Kind]| {
            let fits = |(number, _): &(usize, &i32)| kinds.contains(&self.survivors[*number].kind);
            pids.iter().enumerate().filter(fits).map(|(number, pid)| (number, *pid)).collect::<Vec<_>>()
        };
        let recorders = of(&[Kind::Obedient, Kind::Stubborn]);
        let record = |init: &mut Running, signal: i32, times: usize| {
            recorders.iter().for_each(|(number, _)| {
                init.wait_lines(&format!("s{number} signal={signal} "), times);
            });
        };
        if self.waits() {
            init.wait_until("a reaped child", |init| init.processes().iter().all(|process| process.pid != child));
            for (number, signal) in self.after.iter().enumerate() {
                init.signal(*signal);
                record(init, *signal, self.after[..=number].iter().filter(|other| *other == signal).count());
                // Those that record nothing have no part in it.
                init.wait_until("a taken signal", |init| init.signals().pending == 0);
            }
            if let Some(signal) = self.term {
                init.signal(signal);
            } else {
                pids.iter().for_each(|pid| drop(sys::kill(*pid, SIGKILL, None)));
            }
        }
        if self.tears_down() && self.config.grace != Some(Time::Short) {
            [SIGTERM, SIGCONT].into_iter().for_each(|signal| record(init, signal, 1));
            if self.config.grace.is_none() {
                // It goes on waiting for them.
                of(&[Kind::Stubborn]).iter().for_each(|(_, pid)| sys::kill(*pid, SIGKILL, None).expect("it lives"));
            } else if self.kills() {
                init.signal(self.config.request().expect("there is one with such a grace"));
            }
        }
        init.wait_status();
        if !self.config.pid1 && !self.waits() && !self.tears_down() {
            // They live on, and nothing was sent to them.
            for (number, pid) in recorders {
                sys::kill(pid, MARKER, None).expect("it lives");
                init.wait_line(&format!("s{number} signal={MARKER} "));
            }
        }
    }

    /// Panics where the end is another than the model's.
    fn compare(&self, outcome: &Outcome) {
        assert_eq!(outcome.exit(), Some(self.status().into()), "init's exit status: {outcome}");
        assert_eq!(received(outcome), self.received_at_end(), "what the child received: {outcome}");
        for (key, set) in [("mask", self.config.mask), ("ignored", self.config.ignored)] {
            assert_eq!(outcome.value(key), Some(format!("{set:016x}")), "what the child inherited: {outcome}");
        }
        for number in (0..self.survivors.len()).filter(|number| self.survivors[*number].records()) {
            let mut taken = taken(outcome, &format!("s{number} signal="));
            let mut expected = self.taken_by_survivors();
            if self.tears_down() && self.config.grace == Some(Time::Short) {
                // It may have been killed before it could say so.
                taken.retain(|signal| ![SIGTERM, SIGCONT].contains(signal));
                expected.retain(|signal| ![SIGTERM, SIGCONT].contains(signal));
            }
            assert_eq!(taken, expected, "what survivor {number} received: {outcome}");
        }
        if self.config.stderr == Stderr::Captured {
            let text = outcome.err();
            let reaped = if self.waits() || self.tears_down() { self.survivors.len() } else { 0 };
            let warnings = if self.config.warn { self.orphans(self.steps.len()) + reaped } else { 0 };
            let warned = text.lines().filter(|line| line.starts_with("init: warning: ")).count();
            assert_eq!(warned, warnings, "warnings: {outcome}");
            if !self.config.verbose {
                let said = self.told_death().map(|signal| format!(" was killed by signal {signal}"));
                let rest: Vec<_> = text.lines().filter(|line| !line.starts_with("init: warning: ")).collect();
                let kills = self.told_kills();
                let deaths = rest.iter().filter(|line| line.contains(" was killed by signal ")).count();
                let as_said = said.as_ref().is_none_or(|said| rest.iter().any(|line| line.contains(said)));
                // A grace that is short may be over before those that TERM ends have had a processor.
                let short = self.tears_down() && self.config.grace == Some(Time::Short);
                let late = usize::from(short && !self.kills() && rest.contains(&OUTLIVED));
                assert!(
                    as_said && deaths == usize::from(said.is_some()) && rest.len() == deaths + kills + late,
                    "expected on standard error: {said:?} and {kills} kills: {outcome}"
                );
            }
        }
    }
}

fn send(init: &Running, sent: Sent) {
    match sent.value {
        None => init.signal(sent.signal),
        Some(value) => init.queue(sent.signal, value as isize),
    }
}

impl Survivor {
    fn records(self) -> bool {
        matches!(self.kind, Kind::Obedient | Kind::Stubborn)
    }
}

/// The survivors below `child` by their outer pids, in the order in which they were made; those that stop are stopped.
fn survivors(init: &mut Running, child: i32, wanted: &[Survivor]) -> Vec<i32> {
    let mut found = init.processes();
    found.retain(|process| process.parent == child);
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    found.sort_by_key(|process| process.inner);
    let pids: Vec<_> = found.iter().map(|process| process.pid).collect();
    for (pid, _) in pids.iter().zip(wanted).filter(|(_, survivor)| survivor.kind == Kind::Stopped) {
        init.wait_until("a stopped survivor", |_| {
            procfs::Status::read(*pid).expect("it lives").get("State").starts_with('T')
        });
    }
    pids
}

/// init's child, by its outer pid, before there are orphans.
fn child(init: &Running) -> i32 {
    let children = init.children();
    assert!(matches!(children[..], [_]), "{children:?}");
    children[0].pid
}

/// Stops the child and waits until it is.
fn stop(init: &mut Running, child: i32, by: Option<Sent>) {
    // Behind a stop request init looks whether the child is stopped: it must have done so, or it would undo this stop.
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    match by {
        Some(sent) => send(init, sent),
        None => sys::kill(child, SIGSTOP, None).expect("a child"),
    }
    init.wait_until("a stopped child", |_| {
        procfs::Status::read(child).expect("it lives").get("State").starts_with('T')
    });
}

/// The numbers that stand behind `key` at the beginning of lines, in order of the numbers; not the marker.
fn taken(outcome: &Outcome, key: &str) -> Vec<i32> {
    let number = |line: &str| line.strip_prefix(key)?.split(' ').next()?.parse().ok();
    let mut all: Vec<i32> = outcome.out().lines().filter_map(number).filter(|signal| *signal != MARKER).collect();
    all.sort_unstable();
    all
}

/// What the witness has recorded. The kernel's own SIGCHLDs (code above 0) tell of its own children.
fn received(outcome: &Outcome) -> Received {
    let mut received = Received::new();
    for line in outcome.out().lines().filter(|line| line.starts_with("signal=")) {
        let number = |key: &str| -> i32 {
            let word = line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no {key} in {line}"))
        };
        let (signal, code) = (number("signal"), number("code"));
        if signal != SIGCHLD || code <= 0 {
            received.entry(signal).or_default().push((code, number("value")));
        }
    }
    received
}

// ---- tests ----------------------------------------------------------------------------------------------------------

/// What `deed` panics with.
fn caught(deed: impl FnOnce()) -> Result<(), String> {
    let text = |panic: Box<dyn Any + Send>| panic.downcast::<String>().map_or("no text".to_owned(), |text| *text);
    catch_unwind(AssertUnwindSafe(deed)).map_err(text)
}

/// Plays a scenario; the error says what was seen.
fn result(scenario: &Scenario, program: impl FnOnce() -> Case) -> Result<(), String> {
    caught(|| scenario.compare(&scenario.outcome(program())))
}

/// The same scenario with something left out, each way once.
fn simpler(scenario: &Scenario) -> Vec<Scenario> {
    let without_step = |index| {
        let mut simpler = scenario.clone();
        simpler.steps.remove(index);
        simpler
    };
    let mut all: Vec<_> = (0..scenario.steps.len()).map(without_step).collect();
    let mut with = |change: &dyn Fn(&mut Config) -> bool| {
        let mut simpler = scenario.clone();
        if change(&mut simpler.config) {
            all.push(simpler);
        }
    };
    with(&|config| std::mem::take(&mut config.group));
    with(&|config| std::mem::take(&mut config.single));
    with(&|config| std::mem::take(&mut config.wait_all));
    with(&|config| config.grace.take().is_some());
    with(&|config| config.stop_timeout.take_if(|(time, _)| *time == Time::Long).is_some());
    with(&|config| std::mem::take(&mut config.warn));
    with(&|config| std::mem::take(&mut config.verbose));
    with(&|config| std::mem::take(&mut config.by_variables));
    with(&|config| std::mem::take(&mut config.mask) != 0);
    with(&|config| std::mem::take(&mut config.ignored) != 0);
    with(&|config| !std::mem::take(&mut config.expect).is_empty());
    with(&|config| !std::mem::replace(&mut config.pid1, true));
    for number in 0..scenario.survivors.len() {
        let mut simpler = scenario.clone();
        simpler.survivors.remove(number);
        all.push(simpler);
    }
    if !scenario.after.is_empty() {
        all.push(Scenario { after: Vec::new(), ..scenario.clone() });
    }
    all
}

/// The smallest scenario that still fails, and how; as far as one gets in half a minute.
fn smallest(mut scenario: Scenario, mut why: String) -> (Scenario, String) {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until
        && let Some((next, its)) =
            simpler(&scenario).into_iter().find_map(|next| result(&next, Case::init).err().map(|why| (next, why)))
    {
        (scenario, why) = (next, its);
    }
    (scenario, why)
}

/// A number from the environment.
fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

#[test]
fn i12_i13_i14_i15_i18_random_scenarios_go_as_the_model_says() {
    needs_namespaces!();
    let seconds = variable("SCENARIO_SECONDS");
    let seeds = match variable("SCENARIO_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = variable("SCENARIO_FIRST").unwrap_or(0);
            let runs = variable("SCENARIO_RUNS").unwrap_or(if seconds.is_some() { u64::MAX } else { RUNS });
            first..first.saturating_add(runs)
        }
    };
    let start = Instant::now();
    let in_time = || seconds.is_none_or(|seconds| start.elapsed() < Duration::from_secs(seconds));
    let next = AtomicU64::new(seeds.start);
    let played = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while in_time() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let scenario = Random::new(seed).scenario();
                    if let Err(why) = result(&scenario, Case::init) {
                        // At once, past the capture of the test's output: what follows takes its time.
                        let _ = writeln!(std::io::stderr(), "SCENARIO_SEED={seed} fails");
                        if seconds.is_none() {
                            // The others end after the scenario that they are at.
                            next.store(seeds.end, Ordering::Relaxed);
                        }
                        failed.lock().expect("no panic under this lock").push((seed, scenario, why));
                    }
                    played.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic under this lock");
    if seconds.is_some() {
        let (first, played, mismatches) = (seeds.start, played.into_inner(), failed.len());
        let text = format!(
            "scenarios: {played} seeds from {first} on in {} s, {mismatches} mismatches\n",
            start.elapsed().as_secs()
        );
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    if let Some((seed, scenario, why)) = failed.into_iter().next() {
        let (small, its) = smallest(scenario.clone(), why.clone());
        panic!("{scenario:?}\n{why}\n--- as small as it gets: {small:?}\n{its}\nSCENARIO_SEED={seed} repeats it");
    }
}

/// PID 1 without any option; a plain signal to it, and then the child exits with 3.
fn plain(signal: i32) -> Scenario {
    let config = Config {
        pid1: true,
        dumb: false,
        group: false,
        single: false,
        wait_all: false,
        grace: None,
        stop_timeout: None,
        caught_only: None,
        warn: false,
        verbose: false,
        by_variables: false,
        rewrites: Vec::new(),
        expect: Vec::new(),
        mask: 0,
        ignored: 0,
        stderr: Stderr::Captured,
    };
    let steps = vec![Step::Outside(Sent { signal, value: None })];
    Scenario { config, steps, end: End::Exit(3), survivors: Vec::new(), after: Vec::new(), term: None }
}

/// The control: an end that is another than the model's is seen, in each of its parts.
#[test]
fn i12_i18_scenarios_see_each_kind_of_mismatch() {
    needs_namespaces!();
    let scenario = plain(libc::SIGUSR1);
    let outcome = scenario.outcome(Case::init());
    scenario.compare(&outcome);
    let survivor = |kind| vec![Survivor { kind, session: true }];
    let changes: [(&str, &dyn Fn(&mut Scenario)); 7] = [
        ("what survivor 0 received", &|other| {
            other.config.grace = Some(Time::Long);
            other.survivors = survivor(Kind::Obedient);
        }),
        ("expected on standard error: None and 1 kills", &|other| {
            other.config.grace = Some(Time::Short);
            other.survivors = survivor(Kind::Stubborn);
        }),
        ("what the child received", &|other| other.config.rewrites = vec![(libc::SIGUSR1, libc::SIGUSR2)]),
        ("what the child received", &|other| other.steps.clear()),
        ("init's exit status", &|other| other.config.expect = vec![3]),
        ("what the child inherited", &|other| other.config.ignored = bit(libc::SIGUSR1)),
        ("warnings", &|other| {
            other.config.warn = true;
            other.steps.push(Step::Orphans(1));
            // The marker before its deed: nothing but the warning is to be missing.
            other.config.rewrites = vec![(MARKER, 0)];
        }),
    ];
    for (what, change) in changes {
        let mut other = scenario.clone();
        change(&mut other);
        let why = caught(|| other.compare(&outcome)).expect_err(what);
        assert!(why.contains(what), "{why}");
    }
    let mut other = outcome;
    other.stderr = b"init: child 2 was killed by signal 9 (SIGKILL)\n".to_vec();
    let why = caught(|| scenario.compare(&other)).expect_err("a line too many");
    assert!(why.contains("expected on standard error: None and 0 kills"), "{why}");
}

/// The control: tini loses the value of a queued signal.
#[test]
fn i12_scenarios_see_what_tini_loses() {
    needs_namespaces!();
    let Some(tini) = tools::on_path("tini") else {
        namespace::skipped("the control with tini", "it is not installed");
        return;
    };
    let plain = plain(libc::SIGUSR1);
    // It does what the model says of a plain signal.
    result(&plain, || Case::new(&tini)).unwrap_or_else(|why| panic!("{why}"));
    // With the signals of random scenarios it does not, and that is why.
    let why = (0..100).find_map(|seed| {
        let mut scenario = Scenario { steps: Random::new(seed).scenario().steps, ..plain.clone() };
        scenario.steps.retain(
            |step| matches!(step, Step::Outside(Sent { signal, .. }) if *signal == SIGTERM || *signal >= REAL_TIME),
        );
        result(&scenario, || Case::new(&tini)).err()
    });
    let why = why.expect("a mismatch");
    assert!(why.contains("what the child received"), "{why}");
}
