//! What must come of a fault: the data, and the judge.

use std::fmt;

use super::{Cell, Error, Fault, Seen};

/// What is expected of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// As without the fault: the child's status, TERM reaches the child, no word about it.
    Unnoticed,
    /// As `Unnoticed`, but messages may be lost, each as a whole (B2).
    Mute,
    /// As `Unnoticed`, with a warning that holds one of these texts, or with one each.
    Warns(&'static [&'static str]),
    /// As `Unnoticed`; a signal is tried again all the time, for want of room.
    Holds,
    /// The child's status all the same, but this is not done; at most one warning of each kind.
    Without(&'static str),
    /// As `Without`, and where the fault lasts with a warning that holds this text (B3).
    WithoutButTold(&'static str, &'static str),
    /// As without blocking signals: what comes while it does not wait is lost, the child's end too. Without a word.
    Unblocked,
    /// Ends with 1 before the child runs, and this message with the reason.
    Fatal(&'static str),
    /// Ends with 126 or 127, and the reason.
    NotExecuted,
    /// Ends with 126, as for a file that is no program.
    NoScript,
    /// Ends with 1, and says that the child is gone.
    Lost,
    /// Takes no signals any more, says so once, and the child's status all the same.
    Deaf,
    /// Ends with 1, for it can do nothing else.
    Ends,
    /// Never hears of the child's end, says so once, and does not spin.
    Endless,
    /// Never comes to rest. Nothing that is right has this class: it is what the controls are run with.
    Spins,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unnoticed => write!(f, "unnoticed"),
            Self::Mute => write!(f, "messages are lost"),
            Self::Warns(texts) => write!(f, "warns: {}", texts.join("; or ")),
            Self::Holds => write!(f, "tries again"),
            Self::Without(what) => write!(f, "without {what}"),
            Self::WithoutButTold(what, text) => write!(f, "without {what}; where it lasts, warns: {text}"),
            Self::Unblocked => write!(f, "without blocking signals: may miss any, the child's end too"),
            Self::Fatal(text) => write!(f, "fatal: {text}"),
            Self::NotExecuted => write!(f, "exec fails: 126 or 127"),
            Self::NoScript => write!(f, "exec fails: no program"),
            Self::Lost => write!(f, "says that the child is gone, and ends with 1"),
            Self::Deaf => write!(f, "warns, takes no more signals, gives the child's status"),
            Self::Ends => write!(f, "ends with 1"),
            Self::Endless => write!(f, "warns, looks once a second"),
            Self::Spins => write!(f, "spins"),
        }
    }
}

/// One rule. An empty list is any.
#[derive(Debug)]
pub struct Rule {
    /// The calls.
    pub calls: &'static [&'static str],
    /// The names of the errors.
    pub errors: &'static [&'static str],
    /// Only where the fault lasts.
    pub lasting: bool,
    /// The scenarios.
    pub scenarios: &'static [&'static str],
    /// What is expected.
    pub class: Class,
}

/// A rule for all errors, in all scenarios, whether they last or not.
const ANY: Rule = Rule { calls: &[], errors: &[], lasting: false, scenarios: &[], class: Class::Unnoticed };

/// In their order; what no rule fits goes unnoticed.
pub const RULES: &[Rule] = &[
    // Before the child runs.
    Rule { calls: &["clone"], class: Class::Fatal("cannot fork"), ..ANY },
    Rule { calls: &["execve"], errors: &["ENOEXEC"], scenarios: &["a script"], class: Class::Unnoticed, ..ANY },
    Rule { calls: &["execve"], class: Class::NotExecuted, ..ANY },
    // What cannot be read is no script, and no other program either.
    Rule { calls: &["openat"], scenarios: &["a script"], class: Class::NoScript, ..ANY },
    Rule {
        calls: &["prctl"],
        class: Class::Warns(&["cannot become a child subreaper", "cannot set the parent-death signal"]),
        ..ANY
    },
    // The waits.
    Rule { calls: &["wait4", "rt_sigtimedwait"], errors: &["EINTR"], ..ANY },
    Rule { calls: &["wait4"], scenarios: HOLDS, ..ANY },
    Rule { calls: &["wait4"], errors: &["ECHILD"], class: Class::Lost, ..ANY },
    Rule { calls: &["wait4"], lasting: true, class: Class::Endless, ..ANY },
    Rule { calls: &["wait4"], class: Class::Warns(&["cannot wait for events"]), ..ANY },
    // At its first call init only looks; without a timeout there is no EAGAIN, and no other error but EINTR.
    Rule { calls: &["rt_sigtimedwait"], scenarios: HOLDS, class: Class::Ends, ..ANY },
    Rule { calls: &["rt_sigtimedwait"], errors: &["EAGAIN"], ..ANY },
    Rule { calls: &["rt_sigtimedwait"], lasting: true, class: Class::Deaf, ..ANY },
    Rule { calls: &["rt_sigtimedwait"], class: Class::Warns(&["cannot wait for events"]), ..ANY },
    // What is sent.
    Rule { calls: &["kill"], scenarios: &["a stop on a terminal"], class: Class::Without("the stop"), ..ANY },
    // It tells who may be signalled.
    Rule { calls: &["kill"], scenarios: GRACES, class: Class::Without("the grace"), ..ANY },
    Rule { calls: &["kill"], class: Class::Without("the signal"), ..ANY },
    Rule {
        calls: &["rt_sigqueueinfo", "pidfd_send_signal"],
        errors: &["EAGAIN"],
        lasting: true,
        scenarios: &["PID 1", "-g"],
        class: Class::Holds,
    },
    Rule {
        calls: &["waitid", "ioctl"],
        scenarios: &["a stop on a terminal"],
        class: Class::Without("following the child's stop"),
        ..ANY
    },
    // Where /proc does not tell, a subreaper knows nobody to ask, and says so (B3).
    Rule {
        calls: &["openat", "read", "getpid"],
        scenarios: &["--grace, subreaper"],
        class: Class::WithoutButTold("the grace", NO_PROC),
        ..ANY
    },
    Rule {
        calls: &["openat", "read", "getpid", "fcntl"],
        scenarios: &["--caught-only", "a closed standard input"],
        class: Class::WithoutButTold("looking", NO_PROC),
        ..ANY
    },
    // A process that is not listed, has ended, or may not be sent anything cannot be asked to end, but is waited for. Without a
    // pidfd it is asked by its number (I14: the teardown works before Linux 5.3 as well).
    Rule {
        calls: &["pidfd_open"],
        errors: &["ESRCH"],
        scenarios: &["--grace, subreaper"],
        class: Class::Without("asking the others to end"),
        ..ANY
    },
    Rule { calls: &["pidfd_send_signal"], errors: &["ENOSYS"], scenarios: &["--grace, subreaper"], ..ANY },
    Rule {
        calls: &["getdents64", "pidfd_send_signal"],
        scenarios: &["--grace, subreaper"],
        class: Class::Without("asking the others to end"),
        ..ANY
    },
    // None of these can fail with the arguments that it gets, but by a filter.
    Rule {
        calls: &["ppoll"],
        errors: &["EFAULT", "EINVAL", "ENOMEM", "ENOSYS", "EPERM"],
        scenarios: GRACES,
        class: Class::Without("the grace"),
        ..ANY
    },
    Rule {
        calls: &["pidfd_open"],
        errors: &["ESRCH"],
        scenarios: &["--grace, PID 1"],
        class: Class::Without("the grace"),
        ..ANY
    },
    Rule {
        calls: &["getpid"],
        scenarios: &["--grace, PID 1"],
        class: Class::Without("knowing that it is PID 1"),
        ..ANY
    },
    Rule {
        calls: &["getpid", "getppid"],
        scenarios: &["subreaper"],
        class: Class::Without("knowing its parent"),
        ..ANY
    },
    Rule { calls: &["clock_gettime"], class: Class::Without("the right time"), ..ANY },
    // The kernel refuses no good pointer.
    Rule {
        calls: &["rt_sigprocmask"],
        scenarios: &["PID 1", "subreaper", "the child's side"],
        class: Class::Unblocked,
        ..ANY
    },
    Rule { calls: &["getpid"], scenarios: &["pause"], class: Class::Warns(&["should be the first process"]), ..ANY },
    // Output may be waited for (I2), and pause ends with 0 (P5).
    Rule { calls: &["write"], errors: &["EINTR", "EAGAIN"], scenarios: &["--version"], ..ANY },
    Rule { calls: &["write"], scenarios: &["--version"], class: Class::Ends, ..ANY },
    Rule { calls: &["write"], scenarios: &["pause -v"], class: Class::Without("the line"), ..ANY },
    Rule { calls: MESSAGES, class: Class::Mute, ..ANY },
    Rule { calls: &["ioctl", "fcntl", "openat"], scenarios: SAYS, class: Class::Mute, ..ANY },
];

/// A fault of init's or pause's that is known, and not mended: those that do not end as the rules say.
#[derive(Debug)]
pub struct Known {
    /// Which cells.
    pub cells: Rule,
    /// What happens instead.
    pub what: &'static str,
}

/// All that is known. A cell of one that is mended is told, so that it is taken out of the list.
pub const KNOWN: &[Known] = &[Known {
    cells: Rule { calls: &["rt_sigaction"], scenarios: &["the child's side"], ..ANY },
    what: "waits for ever: SIGCHLD, inherited as ignored, stays so",
}];

/// What is known to be wrong about a cell.
#[must_use]
pub fn known(cell: Cell) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.cells.fits(cell)).map(|known| known.what)
}

/// The scenarios with a grace.
const GRACES: &[&str] = &["--grace, PID 1", "--grace, subreaper"];

/// What messages are written by.
const MESSAGES: &[&str] = &["lseek", "sendto", "pwritev2", "pipe2", "splice", "ppoll", "write"];

/// What says something, and finds out by ioctl or fcntl what standard error is, or opens it again.
const SAYS: &[&str] = &[
    "-v to a pipe",
    "-v to a file, with a limit on its size",
    "-v to a terminal",
    "-v to its terminal",
    "the child's side, an exec that fails",
    "-P",
    "a wrong option",
    "pause",
    "pause, to a terminal",
];

/// The warning about a /proc that does not tell.
const NO_PROC: &str = "no /proc of this PID namespace";

/// What only sleeps.
const HOLDS: &[&str] = &["-P", "pause", "pause, not PID 1, to a file", "pause, to a terminal"];

/// What is expected of a cell.
#[must_use]
pub fn class(cell: Cell) -> Class {
    RULES.iter().find(|rule| rule.fits(cell)).map_or(Class::Unnoticed, |rule| rule.class)
}

impl Rule {
    /// Is it about this cell? A delay is no error, and goes unnoticed everywhere.
    #[must_use]
    pub fn fits(&self, cell: Cell) -> bool {
        let Some((call, fault)) = cell.fault else { return false };
        let Some(error) = fault.error() else { return false };
        (self.calls.is_empty() || self.calls.contains(&call.name))
            && (self.errors.is_empty() || self.errors.contains(&error.name))
            && (!self.lasting || fault.is_lasting())
            && (self.scenarios.is_empty() || self.scenarios.contains(&cell.scenario.name))
    }
}

/// What pause says at its end.
const LAST_WORD: &str = "Shutting down";

/// So many calls more than without the fault are no busy loop: messages byte by byte are two calls a byte, and close_range's
/// stand-in closes the 256 descriptors that the limit allows.
const MORE_CALLS: usize = 1000;

/// How the child tells of a signal that came with a value.
const QUEUED: &str = "signal=40 ";

/// What the child has been sent without the fault, and not with it: its lines, each up to its first blank.
fn missing_signals(seen: &Seen, plain: &Seen) -> Vec<String> {
    let all = |seen: &Seen| -> Vec<String> {
        let out = seen.outcome.out();
        let lines = out.lines().filter(|line| line.starts_with("signal="));
        lines.map(|line| line.split_inclusive(' ').next().unwrap_or_default().to_owned()).collect()
    };
    let here = all(seen);
    all(plain).into_iter().filter(|line| !here.contains(line)).collect()
}

/// What is in standard error, and is no line that is there without the fault. A terminal shows all that is said as output.
fn not_whole(seen: &Seen, plain: &Seen) -> Option<String> {
    let is_on_terminal = plain.outcome.out().contains("init: ");
    let text = |seen: &Seen| if is_on_terminal { seen.outcome.out() } else { seen.outcome.err() };
    let (here, there) = (text(seen), text(plain));
    let mut lines = here.split_inclusive('\n');
    lines.find(|line| !there.split_inclusive('\n').any(|other| other == *line)).map(str::to_owned)
}

/// See [`super::judge`].
pub(super) fn judge(cell: Cell, class: Class, seen: &Seen, plain: &Seen) -> Result<(), String> {
    let fail = |why: &str| Err(why.to_owned());
    let outcome = &seen.outcome;
    let scenario = cell.scenario;
    let Some((call, fault)) = cell.fault else { return Ok(()) };
    // What comes later may not come: it depends on what is told together. The end has no line of its own.
    let may_miss =
        matches!(fault, Fault::Refused(_)) || matches!(fault, Fault::Nth(_, n) if n > 1) || call.name == "exit_group";
    if seen.hits == 0 && !may_miss {
        return fail("the fault has not hit");
    }
    // One that has not hit has no effect; nor has one that has hit looks alone, where a wait was meant.
    let spared = seen.hits == 0 && matches!(fault, Fault::Nth(..)) || class == Class::Ends && seen.hits_looks_alone();
    let class = if spared { Class::Unnoticed } else { class };
    if seen.calls > plain.calls + MORE_CALLS {
        return Err(format!("{} calls, {} without the fault: a busy loop", seen.calls, plain.calls));
    }
    if seen.ended && !matches!(class, Class::Endless | Class::Unblocked) {
        return fail("had to be killed from outside");
    }
    let warnings = seen.warnings();
    for (index, warning) in warnings.iter().enumerate() {
        if warnings[..index].contains(warning) {
            return Err(format!("told twice: {warning}"));
        }
    }
    // The words about a fault, and no others.
    let new: Vec<_> = warnings.iter().filter(|line| !plain.warnings().contains(line)).collect();
    let ran = !outcome.out().is_empty();
    let status = |wanted: i32| match outcome.exit() {
        Some(status) if status == wanted => Ok(()),
        _ => Err(format!("exit {:?}, signal {:?} instead of {wanted}", outcome.exit(), outcome.killed_by())),
    };
    let reason = fault.error().map(Error::text).unwrap_or_default();
    let one = |text: &str| match &new[..] {
        [line] if line.contains(text) => Ok((*line).clone()),
        _ => Err(format!("{new:?} instead of one line: {text}")),
    };
    let served = || {
        if seen.helped {
            return fail("TERM has not reached the child");
        }
        if !outcome.out().contains(scenario.done) {
            return Err(format!("no {:?} in the output", scenario.done));
        }
        Ok(())
    };
    match class {
        Class::Unnoticed | Class::Mute | Class::Holds => {
            status(scenario.status)?;
            served()?;
            if class != Class::Mute && !new.is_empty() {
                return Err(format!("said {new:?}"));
            }
            if class == Class::Mute
                && let Some(part) = not_whole(seen, plain)
            {
                return Err(format!("not a whole message: {part:?}"));
            }
            if class == Class::Unnoticed
                && plain.outcome.err().contains(LAST_WORD)
                && !outcome.err().contains(LAST_WORD)
            {
                return fail("no last word");
            }
            Ok(())
        }
        Class::Warns(texts) => {
            status(scenario.status)?;
            served()?;
            let fits = !new.is_empty() && new.iter().all(|line| texts.iter().any(|text| line.contains(text)));
            if fits { Ok(()) } else { Err(format!("said {new:?}")) }
        }
        Class::Without(_) | Class::WithoutButTold(..) => {
            status(scenario.status)?;
            let missing = missing_signals(seen, plain);
            // One call that fails can lose one signal; what fails for good loses none that is queued. Who takes its parent for dead
            // ends its child before any of them.
            let too_many = match fault {
                _ if ["getpid", "getppid"].contains(&call.name) => false,
                Fault::Nth(..) => missing.len() > 1,
                _ => call.name == "kill" && missing.iter().any(|line| line.starts_with(QUEUED)),
            };
            if too_many {
                return Err(format!("lost: {missing:?}"));
            }
            match class {
                Class::WithoutButTold(_, text) if fault.is_lasting() => one(text).map(drop),
                _ if new.len() > 1 => Err(format!("said {new:?}")),
                _ => Ok(()),
            }
        }
        Class::Unblocked => {
            if !seen.ended {
                status(scenario.status)?;
            }
            if new.is_empty() { Ok(()) } else { Err(format!("said {new:?}")) }
        }
        Class::Fatal(text) => {
            status(1)?;
            if ran {
                return fail("the child has run");
            }
            let line = one(text)?;
            if line.ends_with(&format!(": {reason}")) { Ok(()) } else { Err(format!("no {reason:?} in {line:?}")) }
        }
        Class::NotExecuted => {
            status(if fault.error().is_some_and(|error| error.number == libc::ENOENT) { 127 } else { 126 })?;
            let line = one("init: fatal: cannot execute ")?;
            if line.contains(&format!(": {reason}")) { Ok(()) } else { Err(format!("no {reason:?} in {line:?}")) }
        }
        Class::NoScript => {
            status(126)?;
            one("Exec format error").map(drop)
        }
        // Behind the child's own end it says no more than is true.
        Class::Lost if outcome.exit() == Some(scenario.status) && new.is_empty() => Ok(()),
        Class::Lost => {
            status(1)?;
            one("is gone").map(drop)
        }
        Class::Deaf => {
            status(scenario.status)?;
            one("cannot wait for events").map(drop)
        }
        Class::Ends => status(1),
        Class::Endless => one("cannot wait for events").map(drop),
        Class::Spins => fail("no right program is run so"),
    }
}
