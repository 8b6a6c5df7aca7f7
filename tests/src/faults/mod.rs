//! Every system call of `init` and `pause`, made to fail in every way, and what must come of it (contract I10, I13, B2, B3).
//!
//! A [`Cell`] is a call in a [`Scenario`] with a [`Fault`]. It is run ([`run`]), and what was seen is judged ([`judge`]) by
//! the first of the [`rules`] that fits it: there is no picture of an earlier run to compare with.
//!
//! `strace --inject` makes the calls fail. It counts the calls of each process from the exec on, and does not follow into
//! the child but where the scenario says so.

pub mod calls;
pub mod memory;
pub mod page;
pub mod rules;
pub mod scenarios;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

pub use calls::{Call, Error};
pub use rules::Class;
pub use scenarios::{Play, SCENARIOS, Scenario, Traced};

use crate::{Outcome, Running, procfs, ship, sys};
use scenarios::TERMED;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The n-th call of a process returns this error.
    Nth(Error, u32),
    /// The first twenty do: for EINTR, which nothing returns for ever.
    Burst(Error),
    /// All do.
    Always(Error),
    /// A filter refuses it, to the children too.
    Refused(Error),
    /// The first call is held up for 0.2 s before it is done (`false`) or behind that.
    Delay(bool),
}

/// How long a call is held up: strace takes microseconds.
const DELAY: &str = "200000";

impl Fault {
    /// The error, if it is one.
    #[must_use]
    pub const fn error(self) -> Option<Error> {
        match self {
            Self::Nth(error, _) | Self::Burst(error) | Self::Always(error) | Self::Refused(error) => Some(error),
            Self::Delay(_) => None,
        }
    }

    /// Does it never end?
    #[must_use]
    pub const fn is_lasting(self) -> bool {
        matches!(self, Self::Always(_) | Self::Refused(_))
    }

    /// strace's word for it.
    fn inject(self, call: &str) -> String {
        let (what, when) = match self {
            Self::Nth(error, n) => (format!("error={}", error.number), n.to_string()),
            Self::Burst(error) => (format!("error={}", error.number), "1..20".to_owned()),
            Self::Always(error) => (format!("error={}", error.number), "1+".to_owned()),
            Self::Delay(false) => (format!("delay_enter={DELAY}"), "1".to_owned()),
            Self::Delay(true) => (format!("delay_exit={DELAY}"), "1".to_owned()),
            Self::Refused(_) => unreachable!("no work for strace"),
        };
        format!("--inject={call}:{what}:when={when}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Nth(error, n) => write!(f, "{}, call {n}", error.name),
            Self::Burst(error) => write!(f, "{}, calls 1–20", error.name),
            Self::Always(error) => write!(f, "{}, always", error.name),
            Self::Refused(error) => write!(f, "{}, by a filter", error.name),
            Self::Delay(false) => write!(f, "delayed before"),
            Self::Delay(true) => write!(f, "delayed behind"),
        }
    }
}

/// A call that is made to fail in one way in one scenario.
#[derive(Clone, Copy)]
pub struct Cell {
    /// Where.
    pub scenario: &'static Scenario,
    /// What; `None` for the scenario without any fault.
    pub fault: Option<(&'static Call, Fault)>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.scenario.name)?;
        match self.fault {
            Some((call, fault)) => write!(f, "{} {fault}", call.name),
            None => write!(f, "no fault"),
        }
    }
}

/// What a run has shown.
#[derive(Clone, Debug)]
pub struct Seen {
    /// All there is.
    pub outcome: Outcome,
    /// Did the child get its TERM from us, because init had not sent it?
    pub helped: bool,
    /// Was init killed from outside, because it would not end?
    pub ended: bool,
    /// How many calls the program has made.
    pub calls: usize,
    /// How often the fault has hit, in any process.
    pub hits: usize,
}

impl Seen {
    /// Has the fault hit, and only calls with a timeout of zero?
    #[must_use]
    pub fn hits_looks_alone(&self) -> bool {
        let mut hits = self.outcome.trace.lines().filter(|line| line.contains("(INJECTED)")).peekable();
        hits.peek().is_some() && hits.all(|line| line.contains("{tv_sec=0, tv_nsec=0}"))
    }

    /// The warnings, and what was fatal.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let text = self.outcome.err();
        let is_one =
            |line: &&str| line.contains(": warning: ") || line.contains(": fatal: ") || line.starts_with("Warning");
        text.lines().filter(is_one).map(str::to_owned).collect()
    }
}

/// How long anything may take before it counts as a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs a cell with the program that ships.
///
/// # Errors
/// It hangs, or cannot be started: what there is to know.
pub fn run(cell: Cell, class: Class) -> Result<Seen, String> {
    run_with(cell, class, if cell.scenario.name.starts_with("pause") { ship::pause() } else { ship::init() })
}

/// The same with another program. `class` is what is expected: what will not come is not waited for.
///
/// # Errors
/// As above.
pub fn run_with(cell: Cell, class: Class, program: &Path) -> Result<Seen, String> {
    let scenario = cell.scenario;
    // What is known to hang is not waited for so long.
    let limit = if rules::known(cell).is_some() { DEADLINE / 10 } else { DEADLINE };
    let case = scenarios::start(scenario, program).deadline(limit);
    let case = match cell.fault {
        Some((call, Fault::Refused(error))) => case.refuse(error.number, [call.number]),
        _ if scenario.traced == Traced::None => case,
        _ => case.strace_alone(tracing(cell)),
    };
    let mut running = case.try_start()?;
    let mut ended = class == Class::Spins || class == Class::Endless;
    let helped = match scenario.play {
        Play::Finish => {
            until(limit, || running.has_ended() || is_quiet(&running));
            help(&running, &[libc::SIGCONT])
        }
        Play::Hold => {
            until(limit, || class == Class::Spins || running.has_ended() || is_quiet(&running));
            signal(&running, libc::SIGTERM, None);
            false
        }
        Play::Serve | Play::Outlive => {
            until(limit, || running.has_ended() || has_said(&running, "recording\n") || is_quiet(&running));
            // At its first rest init makes calls of its own. What spins never rests.
            until(limit / 12, || class == Class::Spins || running.has_ended() || is_quiet(&running));
            for (number, value, said) in [(10, None, "signal=10 "), (40, Some(1), "signal=40 "), (15, None, TERMED)] {
                signal(&running, number, value);
                let hopeless = || !matches!(class, Class::Warns(_)) && is_quiet(&running);
                let deaf = class == Class::Deaf || class == Class::Holds && value.is_some();
                if class == Class::Holds {
                    // Taken: or TERM, which the kernel gives first, would end the child before.
                    until(limit, || procfs::signals(running.pid()).is_ok_and(|s| s.pending & sys::bit(number) == 0));
                }
                until(limit, || deaf || running.has_ended() || has_said(&running, said) || hopeless());
            }
            let helped = !has_said(&running, TERMED) && help(&running, &[libc::SIGTERM, libc::SIGCONT]);
            let is_late = || {
                scenario.status == 137
                    && matches!(class, Class::Without(_) | Class::WithoutButTold(..) | Class::Deaf | Class::Endless)
                    && is_quiet(&running)
            };
            if scenario.status == 137 && until(limit, || running.has_ended() || is_late()) {
                help(&running, &[libc::SIGKILL]);
            }
            if scenario.play == Play::Outlive {
                outlive(&mut running, scenario, class, limit);
            }
            helped
        }
    };
    if class == Class::Unblocked {
        until(limit, || running.has_ended() || has_missed_an_end(&running));
        ended = !running.has_ended();
        signal(&running, libc::SIGKILL, None);
    } else if ended {
        let has_told = |running: &Running| String::from_utf8_lossy(&running.stderr()).contains("cannot wait");
        until(limit, || class == Class::Spins || running.has_ended() || has_told(&running));
        signal(&running, libc::SIGKILL, None);
    }
    let outcome = running.try_wait()?;
    // Whose TERM it was is told by its sender: ours comes from outside the namespace, and has the pid 0 there.
    let from_init = |line: &str| line.starts_with(TERMED) && !line.contains(" pid=0 ");
    let serves = matches!(scenario.play, Play::Serve | Play::Outlive);
    let helped = if serves { !outcome.out().lines().any(from_init) } else { helped };
    let own = outcome.trace.lines().next().and_then(|line| line.split_once(' ')).map(|(pid, _)| pid.to_owned());
    let follows = matches!(scenario.traced, Traced::Children | Traced::Path);
    let mine = |line: &&str| !follows || own.as_deref() == line.split(' ').next();
    Ok(Seen {
        helped,
        ended,
        calls: outcome.trace.lines().filter(mine).count(),
        hits: outcome.trace.lines().filter(|line| line.contains("(INJECTED)") || line.contains("(DELAYED)")).count(),
        outcome,
    })
}

/// What strace is told.
fn tracing(cell: Cell) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    match cell.scenario.traced {
        Traced::Alone | Traced::None => {}
        Traced::Children => words.push("-f".into()),
        Traced::Path => {
            words.extend(["-f".into(), "-P".into()]);
            words.push(scenarios::program(cell.scenario).into());
        }
    }
    words.extend(["-e".into(), "trace=all".into()]);
    if let Some((call, fault)) = cell.fault {
        words.push(fault.inject(call.name).into());
    }
    words
}

/// Looks until it holds, for what the kernel gives no event for; false after the deadline.
fn until(limit: Duration, mut wanted: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !wanted() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// A signal to a program that may have ended.
fn signal(running: &Running, signal: i32, value: Option<isize>) {
    if !running.has_ended() {
        let _ = sys::kill(running.pid(), signal, value);
    }
}

/// Is this in its standard output by now?
fn has_said(running: &Running, text: &str) -> bool {
    String::from_utf8_lossy(&running.stdout()).contains(text)
}

/// Nobody in its namespace runs, nor has for a while: nothing will come without an event from outside. Whoever is in the hands
/// of the tracer is not at rest, nor is who has been woken and waits for a processor.
fn is_quiet(running: &Running) -> bool {
    /// Longer than the pauses between two tries of a signal that is held for want of room.
    const WHILE: Duration = Duration::from_millis(25);
    // The /proc of the namespace itself: there may be thousands of processes outside.
    let inside = format!("/proc/{}/root/proc", running.pid());
    let seen = || -> Option<Vec<(OsString, u64)>> {
        let numbers = |name: &OsString| name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        let names = std::fs::read_dir(&inside).ok()?.flatten().map(|entry| entry.file_name()).filter(numbers);
        let one = |name: OsString| {
            let status = procfs::Status::of(&Path::new(&inside).join(&name)).ok()?;
            status.get("State").starts_with(['S', 'T', 'Z']).then(|| (name, status.context_switches()))
        };
        names.map(one).collect()
    };
    let first = seen();
    std::thread::sleep(WHILE);
    first.as_ref().is_some_and(|first| !first.is_empty()) && seen() == first
}

/// Does init sleep, with children that have all ended?
fn has_missed_an_end(running: &Running) -> bool {
    let is_zombie = |pid: &i32| procfs::Status::read(*pid).is_ok_and(|status| status.get("State").starts_with('Z'));
    let children = procfs::children(running.pid());
    !children.is_empty() && children.iter().all(is_zombie) && is_quiet(running)
}

/// Sends init's children what init has not. Is there one?
fn help(running: &Running, signals: &[i32]) -> bool {
    let children = procfs::children(running.pid());
    for child in &children {
        signals.iter().for_each(|signal| drop(sys::kill(*child, *signal, None)));
    }
    !running.has_ended() && !children.is_empty()
}

/// The child has got TERM; its worker gets it from the teardown, and ends with its input. Where nothing comes of that, one
/// more TERM cuts the grace short.
fn outlive(running: &mut Running, scenario: &Scenario, class: Class, limit: Duration) {
    const ASKED: &str = "worker signal=15 ";
    // A breath of a second after a wait that failed is no rest.
    let breathes = matches!(class, Class::Warns(_) | Class::Deaf);
    until(limit, || running.has_ended() || has_said(running, "ended\n"));
    // Under --wait-all the TERM that was forwarded to the child begins the teardown, and without it the next one.
    for _ in 0..2 {
        if scenario.name == "--wait-all" && class == Class::Deaf {
            help(running, &[libc::SIGTERM]);
        }
        // Not before init rests, or has ended: an end that comes too early is seen by the worker's last word.
        until(limit, || running.has_ended() || is_quiet(running) && (!breathes || has_said(running, ASKED)));
        if has_said(running, ASKED) {
            break;
        }
        signal(running, libc::SIGTERM, None);
    }
    until(limit, || running.has_ended() || is_quiet(running));
    running.close_stdin();
}

/// The whole table: the call of each scenario with every fault. `made` tells how many of a call the scenario makes.
#[must_use]
pub fn cells(scenario: &'static Scenario, made: impl Fn(&str) -> usize) -> Vec<Cell> {
    /// More places than these are alike.
    const PLACES: u32 = 4;
    /// The errors that the sources tell apart from others, and one that they do not: later calls meet these alone.
    const TOLD_APART: [&str; 9] = ["EINTR", "ENOSYS", "EAGAIN", "ECHILD", "ESRCH", "ENXIO", "EIO", "EPERM", "EACCES"];
    let mut cells = Vec::new();
    for call in scenario.calls.iter().map(|name| calls::call(name)) {
        let mut add = |fault| cells.push(Cell { scenario, fault: Some((call, fault)) });
        for error in call.all_errors() {
            if scenario.traced == Traced::None {
                add(Fault::Refused(error));
                continue;
            }
            // What the shell opens behind it is no affair of ours.
            let places = if scenario.traced == Traced::Path { 1 } else { (made(call.name) as u32).min(PLACES) };
            add(Fault::Nth(error, 1));
            if TOLD_APART.contains(&error.name) {
                (2..=places).for_each(|n| add(Fault::Nth(error, n)));
            }
            // An end that is refused for good is none, whoever refuses it.
            let may_last = call.name != "exit_group" && (scenario.traced == Traced::Alone || call.name == "execve");
            // Nor is a time that is up for good.
            let passes = error.number == libc::EINTR || call.name == "rt_sigtimedwait" && error.number == libc::EAGAIN;
            if passes && scenario.traced == Traced::Alone {
                add(Fault::Burst(error));
            } else if may_last && !passes {
                add(Fault::Always(error));
            }
        }
        if scenario.traced != Traced::None {
            add(Fault::Delay(false));
            add(Fault::Delay(true));
        }
    }
    cells
}

/// What a filter may refuse: the calls that came late, or that a container's profile may leave out.
pub const OPTIONAL: [&str; 15] = [
    "close_range",
    "getdents64",
    "lseek",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe2",
    "prctl",
    "pwritev2",
    "rt_sigqueueinfo",
    "sendto",
    "setpgid",
    "setsid",
    "signalfd4",
    "splice",
    "waitid",
];

/// The filters, in the scenarios that are traced for nothing but the program.
#[must_use]
pub fn filtered() -> Vec<Cell> {
    let mut cells = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.play != Play::Finish) {
        for call in OPTIONAL.iter().filter(|name| scenario.calls.contains(name)).map(|name| calls::call(name)) {
            for (name, number) in [("ENOSYS", libc::ENOSYS), ("EPERM", libc::EPERM)] {
                cells.push(Cell { scenario, fault: Some((call, Fault::Refused(Error { name, number }))) });
            }
        }
    }
    cells
}

/// How often a scenario makes each call, from its run without a fault: the program itself, and where children are traced
/// these too, up to their exec.
#[must_use]
pub fn made(scenario: &Scenario, seen: &Seen, call: &str) -> usize {
    let trace = &seen.outcome.trace;
    let pid = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let is_call = |line: &str| {
        let text = if scenario.traced == Traced::Alone {
            line
        } else {
            line.split_once(' ').map_or("", |(_, text)| text.trim_start())
        };
        text.strip_prefix(call).is_some_and(|rest| rest.starts_with('('))
    };
    if scenario.traced == Traced::Alone {
        return trace.lines().filter(|line| is_call(line)).count();
    }
    // The largest count of one process, the child's ended by its exec.
    let mut counts = std::collections::BTreeMap::<String, (usize, bool)>::new();
    let own = trace.lines().next().map(pid);
    for line in trace.lines() {
        let entry = counts.entry(pid(line)).or_default();
        if is_call(line) && !entry.1 {
            entry.0 += 1;
        }
        entry.1 |= line.contains("execve(") && line.ends_with("= 0") && Some(pid(line)) != own;
    }
    // What init itself does more of was asked elsewhere.
    let children = counts.iter().filter(|(pid, _)| scenario.traced == Traced::Path || Some(*pid) != own.as_ref());
    children.map(|(_, (count, _))| *count).max().unwrap_or(0)
}

/// Judges what a cell has shown beside the same scenario without a fault.
///
/// # Errors
/// What is not as the contract says.
pub fn judge(cell: Cell, class: Class, seen: &Seen, plain: &Seen) -> Result<(), String> {
    rules::judge(cell, class, seen, plain).map_err(|why| format!("{cell}: {why}; expected: {class}"))
}
