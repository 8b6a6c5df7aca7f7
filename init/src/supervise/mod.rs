//! The heart: [`Supervisor::decide`], a pure function from an event, and the facts that it asks for, to a [`Decision`]: actions,
//! and what to wait for or do next, whose outcome is the next event. The shell carries decisions out and decides nothing.
//!
//! One file for each question: `forward` (what becomes of a signal), `reap` (what a dead process means), `teardown` (what
//! becomes of the processes that outlive the child), `job_control` (what a stopped child means on a terminal).

mod forward;
mod job_control;
mod reap;
mod teardown;
pub mod types;

use crate::cli::{Config, Milliseconds};
use crate::messages::Message;
use crate::signal::{self, SignalNumber, SignalSet};
use crate::status::{self, WaitStatus};
use core::ffi::c_int;
pub use types::*;

/// How often a signal is sent again that the receiver's queue had no room for, if nothing else wakes init before.
const RETRY: Milliseconds = Milliseconds(10);

/// The time between two tries of a call that keeps failing (contract I13).
const BREATH: Milliseconds = Milliseconds(1000);

/// How long processes have to go away after SIGKILL (contract I14).
const LAST_SECOND: Milliseconds = Milliseconds(1000);

/// No limit.
const FOREVER: Milliseconds = Milliseconds(u32::MAX);

/// How often the teardown looks for processes whose end nothing tells init: they are not its children, and before Linux 5.3
/// there is no pidfd.
const RECHECK: Milliseconds = Milliseconds(100);

/// What does not change while init supervises.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Setup {
    /// The child's pid.
    pub child: c_int,
    /// init's pid.
    pub own_pid: c_int,
    /// The child has a process group of its own.
    pub own_group: bool,
    /// The child has a session of its own.
    pub session: bool,
    /// init leads its session.
    pub leads_session: bool,
    /// init has a controlling terminal, and a descriptor of it; not if a session of the child's own has taken it.
    pub has_terminal: bool,
    /// The child's session may have a terminal.
    pub session_terminal: bool,
    /// init's process group; 0 if it lies outside the PID namespace, or if there is no terminal.
    pub group: c_int,
}

/// How far init has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    /// The child has not been reaped.
    Running,
    /// It has, and init waits for all others (`--wait-all`).
    Waiting,
    /// The grace period: all others were asked to end.
    Asked,
    /// All others were killed.
    Killed,
    /// No process is left, or init gives up: the last dead processes are reaped.
    Ending,
}

/// What init knows while it supervises.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Supervisor<'c> {
    /// What is asked for.
    config: &'c Config,
    /// What does not change.
    setup: Setup,
    /// How far init has come.
    phase: Phase,
    /// How the child ended, if it has been reaped.
    ended: Option<WaitStatus>,
    /// The signals that init received, forwarded or sent: no surprise if the child dies by one of them.
    known: SignalSet,
    /// A real-time signal that the receiver's queue had no room for.
    held: Option<Forward>,
    /// A stop request was forwarded to the child.
    stop_requested: bool,
    /// The clock of `--stop-timeout` was started. It runs once.
    stop_clock_started: bool,
    /// When the stop timeout, the grace period, or the last second is over. Never two at a time: the stop timeout ends with the
    /// child.
    deadline: Option<Time>,
    /// The signal that init received, and forwarded to stop the child, if the child was not continued since; 0 is none.
    stop_received: SignalNumber,
    /// That signal went to the child's whole group.
    group_stopped: bool,
    /// init has stopped with the child: the kernel no longer tells of that stop, and the child was not continued since.
    stop_consumed: bool,
    /// Start-up is over: what could be put off is done.
    settled: bool,
    /// How many processes the out-of-memory killer had ended before; [`UNKNOWN`] until start-up is over.
    kills_before: u32,
    /// The last wait4 failed: when it is tried again.
    reap_again: Option<Time>,
    /// A failing wait was told.
    wait_failure_told: bool,
    /// A missing /proc was told.
    no_proc_told: bool,
    /// Who is waited for in the teardown.
    survivors: Survivors,
}

/// What an event leads to.
enum Then {
    /// Nothing more: the signal that is held, or the next wait.
    Rest,
    /// The next wait, whatever is held.
    Wait,
    /// Reap what is dead.
    Reap,
    /// The end.
    End,
    /// This.
    Do(Next),
}

/// A count that no other one exceeds.
const UNKNOWN: u32 = u32::MAX;

impl<'c> Supervisor<'c> {
    /// The state in which the child has just been started.
    #[must_use]
    pub const fn new(config: &'c Config, setup: Setup) -> Self {
        Self {
            config,
            setup,
            phase: Phase::Running,
            ended: None,
            known: SignalSet::EMPTY,
            held: None,
            stop_requested: false,
            stop_clock_started: false,
            deadline: None,
            stop_received: 0,
            group_stopped: false,
            stop_consumed: false,
            settled: false,
            // A PID 1 that has not counted yet: most often its cgroup was made for it.
            kills_before: if setup.own_pid == 1 { 0 } else { UNKNOWN },
            reap_again: None,
            wait_failure_told: false,
            no_proc_told: false,
            survivors: Survivors::None,
        }
    }

    /// What to do about `event`. Facts are asked for as they are needed, because each costs a system call; asking changes nothing.
    #[must_use]
    pub fn decide(&mut self, event: Event, facts: &impl Facts) -> Decision {
        let mut decision = Decision { actions: Actions::NONE, next: Next::KillChild };
        decision.next = self.step(event, &mut decision.actions, facts);
        decision
    }

    /// The same, with the actions added to a list.
    #[inline(never)]
    fn step(&mut self, event: Event, actions: &mut Actions, facts: &impl Facts) -> Next {
        let then = self.react(event, actions, facts);
        self.next(then, actions, facts)
    }

    /// What to do at once, and what that leads to.
    fn react(&mut self, event: Event, actions: &mut Actions, facts: &impl Facts) -> Then {
        match event {
            Event::Started => Then::Rest,
            Event::Signal(received) => self.signal(received, actions, facts),
            Event::Sent(forward, outcome) => self.sent(forward, outcome, actions, facts),
            Event::Quiet => self.quiet(actions, facts),
            Event::WaitFailed(errno) => {
                self.warn_of_wait(errno, actions);
                actions.push(Action::Sleep(BREATH));
                Then::Reap
            }
            Event::Reaped(pid, status) => self.reaped(pid, status, actions, facts),
            Event::ReapFailed(errno) => {
                self.reap_again = Some(facts.now().after(BREATH));
                self.warn_of_wait(errno, actions);
                if self.phase == Phase::Killed {
                    self.send_all(actions, libc::SIGKILL, false, facts);
                }
                if self.phase == Phase::Ending { Then::End } else { Then::Rest }
            }
            Event::Drained { has_children } => self.drained(has_children, actions, facts),
            Event::FollowedEnded => Then::Reap,
            Event::Looked(survivors) => self.looked(survivors),
            Event::ChildKilled(killed) => self.stop_timeout_killed(killed, actions),
            Event::StoppedSelf(signal) => self.stopped_self(signal, actions, facts),
        }
    }

    /// No event came in time, or none is pending at the start.
    fn quiet(&mut self, actions: &mut Actions, facts: &impl Facts) -> Then {
        if !self.settled {
            self.settled = true;
            self.kills_before = facts.out_of_memory_kills();
            // Zombies that were there before init are told of by no signal (I13).
            actions.push(Action::Settle);
            return Then::Reap;
        }
        if self.survivors == Survivors::Unfollowed {
            return Then::Do(Next::Reap { farewell: None });
        }
        Then::Rest
    }

    /// What is next, where the event leads to what state tells.
    fn next(&mut self, then: Then, actions: &mut Actions, facts: &impl Facts) -> Next {
        match (then, self.held) {
            (Then::Do(next), _) => next,
            (Then::Reap, _) => Next::Reap { farewell: self.farewell(facts) },
            (Then::End, _) => Next::End(self.exit_status()),
            // Its turn comes before anything that may not overtake it.
            (Then::Rest, Some(held)) => Next::Resend(held),
            (Then::Rest | Then::Wait, _) => self.wait(actions, facts),
        }
    }

    /// init's exit status: the child's as `--expect` turns it; or, if that will never be known, that of a failure.
    fn exit_status(&self) -> u8 {
        match self.ended {
            Some(status) => self.config.expected.apply(status::exit_status(status)),
            None => status::OWN_FAILURE,
        }
    }

    /// The next wait, or what a deadline that has passed leads to.
    fn wait(&mut self, actions: &mut Actions, facts: &impl Facts) -> Next {
        let mut timeout = FOREVER;
        if let Some(deadline) = self.deadline {
            timeout = deadline.since(facts.now());
            if timeout == Milliseconds::ZERO {
                self.deadline = None;
                if self.ended.is_none() {
                    return Next::KillChild;
                }
                self.grace_is_over(false, actions, facts);
                return Next::Reap { farewell: None };
            }
        }
        if let Some(again) = self.reap_again {
            let left = again.since(facts.now());
            if left == Milliseconds::ZERO {
                return Next::Reap { farewell: self.farewell(facts) };
            }
            timeout = timeout.min(left);
        }
        let mut signals = SignalSet::from_bits(u64::MAX);
        if self.held.is_some() {
            // No real-time signal may overtake the one that waits.
            signals = self.config.rewrites.to_standard();
        }
        let limit = if !self.settled {
            Milliseconds::ZERO
        } else if self.held.is_some() {
            RETRY
        } else if self.survivors == Survivors::Unfollowed {
            RECHECK
        } else {
            FOREVER
        };
        let timeout = timeout.min(limit);
        Next::Wait { signals, timeout: if timeout == FOREVER { None } else { Some(timeout) } }
    }

    /// Warns of a wait that fails, once.
    fn warn_of_wait(&mut self, errno: c_int, actions: &mut Actions) {
        if !self.wait_failure_told {
            self.wait_failure_told = true;
            actions.say(Message::cannot_wait(errno));
        }
    }

    /// Is /proc there, and that of init's own PID namespace? If not, that is told, once.
    fn proc_is_usable(&mut self, actions: &mut Actions, facts: &impl Facts) -> bool {
        let usable = facts.proc_is_usable();
        if !usable && !self.no_proc_told {
            self.no_proc_told = true;
            actions.say(Message::no_proc());
        }
        usable
    }

    /// What continues the child after a stop: its group, if it has one.
    fn resume(&mut self, actions: &mut Actions) {
        self.continued();
        actions.push(Action::Continue { group: self.setup.own_group });
    }

    /// The child was continued.
    const fn continued(&mut self) {
        self.stop_consumed = false;
        self.stop_received = 0;
        self.group_stopped = false;
    }

    /// Is init process 1?
    const fn is_pid_1(&self) -> bool {
        self.setup.own_pid == 1
    }

    /// Does the child's process group appear as the terminal's foreground group?
    fn child_is_foreground(&self, facts: &impl Facts) -> bool {
        if self.setup.session {
            return self.setup.session_terminal && facts.session_is_foreground();
        }
        self.setup.has_terminal
            && facts.foreground().is_some_and(|group| group > 0 && Some(group) == facts.child_group())
    }
}

/// The signals that ask for an end.
const STOP_REQUESTS: SignalSet = signal::STOP_REQUESTS;
