//! What init does about a signal, and about a process that ended (contract I12, I15, I16, I18).

use crate::options::Config;
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
    /// Forward this signal.
    Forward {
        /// After the rewrite.
        number: SignalNumber,
        /// A child that is stopped is continued behind it (I15).
        resume: bool,
    },
    /// Do nothing.
    Drop(Reason),
}

/// Why a signal is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `--rewrite S:0`.
    Rule,
    /// init's own write to a broken stderr raised it.
    OwnWrite,
    /// The terminal sent it to the child too: the child is in init's group.
    Shared,
}

/// Where the child stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Not reaped.
    Alive,
    /// Reaped, with this wait status.
    Ended(WaitStatus),
}

/// What init knows while it supervises.
#[derive(Debug)]
pub struct Supervisor<'c> {
    /// What is asked for.
    config: &'c Config<'c>,
    /// The child's pid.
    pid: c_int,
    /// What the terminal sends to the child, too.
    shared: SignalSet,
    /// Where it stands.
    child: Child,
    /// The signals that were received or forwarded.
    known: SignalSet,
}

impl<'c> Supervisor<'c> {
    /// For the child `pid`.
    #[must_use]
    pub const fn new(config: &'c Config<'c>, pid: c_int, own_group: bool, leads_session: bool) -> Self {
        let shared = match (own_group, leads_session) {
            (true, _) => SignalSet::EMPTY,
            (false, true) => signal::FROM_TERMINAL_TO_GROUP,
            (false, false) => signal::FROM_TERMINAL,
        };
        Self { config, pid, shared, child: Child::Alive, known: SignalSet::EMPTY }
    }

    /// A signal was taken.
    #[must_use]
    pub fn signal(&mut self, received: Received) -> Decision {
        let Received { number, code, own } = received;
        self.known = self.known.with(number);
        if number == libc::SIGCHLD {
            return Decision::Reap;
        }
        if own && signal::RAISED_BY_WRITE.contains(number) {
            return Decision::Drop(Reason::OwnWrite);
        }
        if code == libc::SI_KERNEL && self.shared.contains(number) {
            return Decision::Drop(Reason::Shared);
        }
        match self.config.rewrites.apply(number) {
            0 => Decision::Drop(Reason::Rule),
            number => {
                self.known = self.known.with(number);
                Decision::Forward { number, resume: signal::STOP_REQUESTS.contains(number) }
            }
        }
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
        if pid == self.pid {
            self.child = Child::Ended(status);
        }
        pid == self.pid
    }

    /// Nothing waitable is left: the exit status, if that is the end.
    #[must_use]
    pub fn end(&self) -> Option<u8> {
        match self.child {
            Child::Alive => None,
            Child::Ended(status) => Some(self.config.expected.apply(status::exit_status(status))),
        }
    }
}
