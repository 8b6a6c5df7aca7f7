//! What init does about a signal, about a process that ended, and when a time is up (contract I12, I14–I16, I18, I19).

use crate::options::{Config, Id};
use crate::signal::{self, SignalNumber, SignalSet};
use crate::status::{self, WaitStatus};
use core::ffi::c_int;

/// A signal that init has taken, as far as its meaning depends on it (sigaction(2), `siginfo_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub number: SignalNumber,
    /// How it was sent: `si_code`.
    pub code: c_int,
    /// init raised it itself: `si_pid` is its own.
    pub own: bool,
}

/// What to do about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Reap all that is waitable.
    Reap,
    /// Forward [`Supervisor::number`].
    Forward,
    /// The child has ended: send [`Supervisor::number`] to all that remain.
    ToAll,
    /// The child has ended: [`Supervisor::advance`].
    Teardown,
    /// Do nothing: `--rewrite S:0`.
    DropByRule,
    /// Do nothing: the terminal sent it to the child too, which is in init's group.
    DropAsShared,
    /// Do nothing, and say nothing: init has raised it in itself, by a write to a broken stderr or by giving up its terminal.
    DropOwn,
}

/// How far init has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The child has not been reaped.
    Running,
    /// It has been, and init waits for all others (`--wait-all`).
    Waiting,
    /// All others were asked to end.
    Asked,
    /// All others were killed.
    Killed,
}

/// What a time that is up, or a stop request after the child's end, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Stay,
    /// Kill the child and its group: `--stop-timeout` is over.
    KillChild,
    /// SIGTERM and SIGCONT to all that remain; the grace begins.
    Ask,
    /// SIGKILL to all that remain; the last second begins.
    Kill,
    /// End, whoever is left.
    GiveUp,
}

/// What to do when nothing waitable is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// The child lives: look whether it has stopped.
    Alive,
    /// Wait for more.
    Stay,
    /// The child has just ended: [`Step::Ask`], and then as `Look`.
    Ask,
    /// End if nobody is left that could be waited for.
    Look,
    /// End.
    End,
}

/// What init knows while it supervises.
#[derive(Debug)]
pub struct Supervisor<'c> {
    /// What is asked for.
    config: &'c Config<'c>,
    /// The child's pid.
    pid: c_int,
    /// How far it has come.
    phase: Phase,
    /// How the child ended, if it has been reaped.
    ended: Option<WaitStatus>,
    /// What the terminal sends to the child, too.
    shared: SignalSet,
    /// What init raises in itself, without meaning it.
    own: SignalSet,
    /// The signals that were received, forwarded or sent.
    known: SignalSet,
    /// What the signal that was taken last is to be forwarded as.
    pub number: SignalNumber,
}

impl<'c> Supervisor<'c> {
    /// For the child `pid`. `own_group`, `session`: the child has a process group, a session of its own.
    #[must_use]
    pub const fn new(config: &'c Config<'c>, pid: c_int, own_group: bool, leads_session: bool, session: bool) -> Self {
        let shared = match (own_group, leads_session) {
            (true, _) => SignalSet::EMPTY,
            (false, true) => signal::FROM_TERMINAL_TO_GROUP,
            (false, false) => signal::FROM_TERMINAL,
        };
        let own = if session { signal::RAISED_BY_HAND_OVER } else { signal::RAISED_BY_WRITE };
        Self { config, pid, phase: Phase::Running, ended: None, shared, own, known: SignalSet::EMPTY, number: 0 }
    }

    /// A signal was taken.
    #[must_use]
    pub fn signal(&mut self, received: Received) -> Decision {
        let Received { number, code, own } = received;
        self.known = self.known.with(number);
        if number == libc::SIGCHLD {
            return Decision::Reap;
        }
        if own && self.own.contains(number) {
            return Decision::DropOwn;
        }
        if code == libc::SI_KERNEL && self.shared.contains(number) && self.ended.is_none() {
            return Decision::DropAsShared;
        }
        let number = self.config.rewrites.apply(number);
        self.number = number;
        if number == 0 {
            return Decision::DropByRule;
        }
        if self.ended.is_some() {
            return if self.is_stop_request() { Decision::Teardown } else { Decision::ToAll };
        }
        self.known = self.known.with(number);
        Decision::Forward
    }

    /// Does what is forwarded ask the child to end? Then it is continued behind it, if it is stopped (I15).
    #[must_use]
    pub const fn is_stop_request(&self) -> bool {
        signal::STOP_REQUESTS.contains(self.number)
    }

    /// Is it forwarded only if the child catches it (`--caught-only`)?
    #[must_use]
    pub fn only_if_caught(&self) -> bool {
        self.config.is_on(Id::CaughtOnly) && !signal::ALWAYS_FORWARDED.contains(self.number)
    }

    /// Does it start the clock of `--stop-timeout`?
    #[must_use]
    pub fn starts_clock(&self) -> bool {
        self.config.is_on(Id::StopTimeout) && self.config.stop_signals.contains(self.number)
    }

    /// The next step of the teardown: because a time is up (`expired`), or because somebody wants it to end. A time that is up
    /// while the child lives is that of `--stop-timeout`.
    pub fn advance(&mut self, expired: bool) -> Step {
        let (phase, step) = match self.phase {
            Phase::Running => {
                self.known = self.known.with(libc::SIGKILL);
                (Phase::Running, Step::KillChild)
            }
            Phase::Waiting => (Phase::Asked, Step::Ask),
            Phase::Asked => (Phase::Killed, Step::Kill),
            Phase::Killed => (Phase::Killed, if expired { Step::GiveUp } else { Step::Stay }),
        };
        self.phase = phase;
        step
    }

    /// Was this a death by a signal that init knows nothing of (I19)?
    #[must_use]
    pub const fn is_unexplained(&self, status: WaitStatus) -> bool {
        match status::death_signal(status) {
            Some(signal) => !self.known.contains(signal),
            None => false,
        }
    }

    /// A process was reaped. Is it the child?
    pub const fn reaped(&mut self, pid: c_int, status: WaitStatus) -> bool {
        // The kernel may give the child's pid to another process, but the child ends only once.
        let is_child = pid == self.pid && self.ended.is_none();
        if is_child {
            self.ended = Some(status);
        }
        is_child
    }

    /// Nothing waitable is left. `childless`: there is no child of init's at all.
    #[must_use]
    pub fn drained(&mut self, childless: bool) -> Drained {
        let grace = self.config.is_on(Id::Grace);
        if self.ended.is_none() {
            return Drained::Alive;
        }
        if self.phase == Phase::Running {
            if self.config.is_on(Id::WaitAll) {
                self.phase = Phase::Waiting;
            } else if grace {
                self.phase = Phase::Asked;
                return Drained::Ask;
            } else {
                return Drained::End;
            }
        }
        // Without a time that runs it waits for its descendants, and each of them is below a child of its own.
        if self.phase == Phase::Killed || self.phase == Phase::Asked && grace {
            Drained::Look
        } else if childless {
            Drained::End
        } else {
            Drained::Stay
        }
    }

    /// Must all that remain be killed again? One that was forked behind a look at all others was not killed with them.
    #[must_use]
    pub fn is_killing(&self) -> bool {
        self.phase == Phase::Killed
    }

    /// How init ends: with the child's status, as `--expect` turns it; or, if nobody will ever know it, as one that failed.
    #[must_use]
    #[inline(always)]
    pub fn exit_status(&self) -> u8 {
        self.ended.map_or(status::OWN_FAILURE, |status| self.config.expected.apply(status::exit_status(status)))
    }
}
