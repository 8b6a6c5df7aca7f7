//! What a dead process means (contract I4, I13, I18, I19).

use super::{Action, Actions, Facts, Phase, Supervisor, Then};
use crate::cli::{Milliseconds, Opt};
use crate::messages::Message;
use crate::signal::SignalSet;
use crate::status::{self, WaitStatus};
use core::ffi::c_int;

/// What a key of the terminal ends its foreground group by: ^C and ^\.
const KEYS: SignalSet = SignalSet::of(&[libc::SIGINT, libc::SIGQUIT]);

impl Supervisor<'_> {
    /// Whose group gets SIGTERM before it is reaped: that of a child with a session of its own, as dumb-init does. Not if a
    /// teardown begins with the child's end, which asks every process.
    pub(super) fn farewell(&self, facts: &impl Facts) -> Option<c_int> {
        let is_due = self.setup.session
            && self.ended.is_none()
            && !(self.teardown_begins_at_the_end() && (self.is_pid_1() || facts.proc_is_usable()));
        if is_due { Some(self.setup.child) } else { None }
    }

    /// A process was reaped.
    pub(super) fn reaped(&mut self, pid: c_int, status: WaitStatus, actions: &mut Actions, facts: &impl Facts) -> Then {
        self.reap_again = None;
        // The kernel may give the child's pid to another process, but the child ends only once.
        if pid == self.setup.child && self.ended.is_none() {
            self.child_ended(actions, status, facts);
        } else if self.config.is_on(Opt::WarnReaped) {
            actions.say(match status::death_signal(status) {
                Some(signal) => Message::reaped_killed(pid, signal),
                None => Message::reaped_exited(pid, status::exit_status(status)),
            });
        }
        // A process that is another one every moment must not hold up a deadline.
        if matches!(self.phase, Phase::Asked | Phase::Killed)
            && self.deadline.is_some_and(|until| until.since(facts.now()) == Milliseconds::ZERO)
        {
            return Then::Wait;
        }
        Then::Reap
    }

    /// The child was reaped: its number is free, and nothing more is sent there.
    fn child_ended(&mut self, actions: &mut Actions, status: WaitStatus, facts: &impl Facts) {
        self.ended = Some(status);
        self.held = None;
        self.deadline = None;
        let child = self.setup.child;
        match status::death_signal(status) {
            Some(signal) => {
                let is_explained = self.known.contains(signal) || KEYS.contains(signal) && self.had_the_keys(facts);
                let out_of_memory =
                    if is_explained { 0 } else { facts.out_of_memory_kills().saturating_sub(self.kills_before) };
                if !is_explained || self.config.is_on(Opt::Verbose) {
                    actions.say(Message::child_killed(child, signal, out_of_memory));
                }
            }
            None => {
                actions.say(Message::child_exited(child, status::exit_status(status)));
            }
        }
        // Before any waiting: ^C and ^\ are for init now.
        if self.is_pid_1() && self.setup.leads_session && self.setup.has_terminal {
            // Whichever group has it is below init.
            actions.push(Action::TakeTerminal);
        } else {
            self.take_terminal_from_child(actions, facts);
        }
    }

    /// Did ^C and ^\ reach the child? A session of its own has lost its terminal by now.
    fn had_the_keys(&self, facts: &impl Facts) -> bool {
        if self.setup.session {
            return self.setup.session_terminal;
        }
        self.setup.own_group && self.setup.has_terminal && facts.foreground() == Some(self.setup.child)
    }

    /// No child is dead any more.
    pub(super) fn drained(&mut self, has_children: bool, actions: &mut Actions, facts: &impl Facts) -> Then {
        self.reap_again = None;
        if self.phase == Phase::Ending {
            return Then::End;
        }
        match self.ended {
            None if has_children => self.follow_stop(actions, facts),
            None => {
                let message = Message::child_lost(self.setup.child);
                actions.say(message);
                self.take_terminal_from_child(actions, facts);
                Then::End
            }
            Some(_) => self.look_after_the_rest(has_children, actions, facts),
        }
    }
}
