//! What a stopped child means (contract I16).

use super::{Action, Actions, Facts, Next, Supervisor, Then};
use crate::messages::Message;
use crate::signal::{self, SignalNumber, SignalSet};

/// What stops a group in the background that wants its terminal.
const WANTS_TERMINAL: SignalSet = SignalSet::of(&[libc::SIGTTIN, libc::SIGTTOU]);

impl Supervisor<'_> {
    /// A child may have stopped: SIGCHLD tells of that as well.
    pub(super) fn follow_stop(&mut self, actions: &mut Actions, facts: &impl Facts) -> Then {
        if !self.setup.has_terminal && !self.setup.session {
            return Then::Rest;
        }
        // Asked first: a stop that is neither pending nor, after that, in effect was undone by another process.
        let may_be_undone =
            self.stop_received != 0 && !self.stop_consumed && facts.proc_is_usable() && !facts.child_will_stop();
        match facts.child_stop() {
            Some(by) => self.child_stopped(by, actions, facts),
            None => {
                if may_be_undone {
                    self.continued();
                }
                Then::Rest
            }
        }
    }

    /// The child is stopped by `by`.
    fn child_stopped(&mut self, by: SignalNumber, actions: &mut Actions, facts: &impl Facts) -> Then {
        let is_foreground = self.child_is_foreground(facts);
        if WANTS_TERMINAL.contains(by) && self.can_give_terminal(facts) {
            actions.push(Action::GiveTerminal);
            self.resume(actions);
        } else if self.is_pid_1() {
            // No shell could continue it. A stop that init forwarded is a person's wish, whatever the terminal shows.
            let is_wish = by == libc::SIGSTOP && self.stop_received != 0;
            if is_foreground && !is_wish {
                self.resume(actions);
            }
        } else if signal::TERMINAL_STOPS.contains(by)
            || is_foreground && !self.setup.session
            // A terminal asked init for the stop that it forwarded: dumb-init's STOP for TSTP is one.
            || signal::TERMINAL_STOPS.contains(self.stop_received)
        {
            return self.stop_as_well(by, actions, facts);
        }
        Then::Rest
    }

    /// Is the terminal init's to give? If the number of init's group cannot be known, a read of no byte tells.
    pub(super) fn can_give_terminal(&self, facts: &impl Facts) -> bool {
        self.setup.own_group
            && self.setup.has_terminal
            && match self.setup.group {
                0 => facts.foreground() == Some(0) && facts.may_read_terminal(),
                group => facts.foreground() == Some(group),
            }
    }

    /// Takes the terminal back, if the child's group has it: in other hands it stays. A group outside the PID namespace cannot be
    /// named, so the terminal cannot come back to it.
    pub(super) fn take_terminal_from_child(&self, actions: &mut Actions, facts: &impl Facts) {
        if self.setup.own_group
            && self.setup.has_terminal
            && self.setup.group > 0
            && facts.foreground() == Some(self.setup.child)
        {
            actions.push(Action::TakeTerminal);
        }
    }

    /// Stops init with its child, as a shell expects of a job. The terminal is taken back meanwhile.
    fn stop_as_well(&mut self, by: SignalNumber, actions: &mut Actions, facts: &impl Facts) -> Then {
        // The two are being continued already, and a stop would discard that (kernel/signal.c, `prepare_signal`).
        if facts.continue_is_pending() {
            return Then::Rest;
        }
        // Taken as told: a stop that the kernel tells of after the SIGCONT is a new one.
        self.stop_consumed = true;
        actions.push(Action::ConsumeStop);
        actions.say(Message::child_stopped(self.setup.child, by));
        self.take_terminal_from_child(actions, facts);
        Then::Do(Next::StopSelf(by))
    }

    /// init stopped and was continued, or could not stop because its group is orphaned.
    pub(super) fn stopped_self(&mut self, by: SignalNumber, actions: &mut Actions, facts: &impl Facts) -> Then {
        // If it stopped, the SIGCONT that is pending now continues the child. In a shared group the child has it as well. A child
        // of dumb-init's, which only dumb-init has stopped, waits for a SIGCONT.
        let is_alone = by == libc::SIGTSTP && self.setup.own_group && !self.setup.session;
        if is_alone && !facts.continue_is_pending() {
            if self.can_give_terminal(facts) {
                actions.push(Action::GiveTerminal);
            }
            self.resume(actions);
        }
        Then::Rest
    }
}
