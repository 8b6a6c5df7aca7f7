//! What becomes of a signal (contract I2, I12, I15).

use super::{Action, Actions, Facts, Forward, Next, Outcome, Phase, Received, STOP_REQUESTS, StopClock};
use super::{Supervisor, signal};
use crate::cli::{Milliseconds, Opt};
use crate::messages::{Message, Target};
use crate::signal::SignalSet;

impl Supervisor<'_> {
    /// A signal was taken.
    pub(super) fn signal(&mut self, received: Received, actions: &mut Actions, facts: &impl Facts) -> Next {
        let number = received.number;
        self.known = self.known.with(number);
        if number == libc::SIGCHLD {
            // Where reaping keeps failing it is tried once a second.
            return if self.reap_again.is_some() { self.rest(actions, facts) } else { self.reap() };
        }
        // To tell of it would raise the next one.
        if received.by_init && signal::RAISED_BY_WRITE.contains(number) {
            return self.rest(actions, facts);
        }
        if received.by_kernel && self.shared_with_child().contains(number) && self.ended.is_none() {
            actions.push(Action::Say(Message::dropped_as_shared(number)));
            return self.rest(actions, facts);
        }
        let to = self.config.rewrites.apply(number);
        if to == 0 {
            actions.push(Action::Say(Message::dropped_by_rule(number)));
            return self.rest(actions, facts);
        }
        let only_caught = self.config.is_on(Opt::CaughtOnly) && !signal::ALWAYS_FORWARDED.contains(to);
        if self.ended.is_some() {
            return self.signal_after_the_end(to, only_caught, actions, facts);
        }
        self.known = self.known.with(to);

        let to_group = self.config.is_on(Opt::Group) || self.is_for_foreground(received);
        // Without /proc every signal is forwarded.
        let only_caught = only_caught && self.proc_is_usable(actions, facts);
        if only_caught && !to_group && !facts.child_catches(to) {
            actions.push(Action::Say(Message::not_caught_by_child(to)));
            return self.rest(actions, facts);
        }
        let mut forward = Forward {
            received: number,
            signal: to,
            to_group,
            only_caught: only_caught && to_group,
            with_info: received.is_queued,
        };
        if to == libc::SIGCONT && self.setup.own_group {
            if !self.is_pid_1() && self.can_give_terminal(facts) {
                // A shell's `fg` has given init's group the terminal.
                actions.push(Action::GiveTerminal);
            }
            // What a terminal has stopped is the whole group.
            forward.to_group |= !received.is_queued && (!self.is_pid_1() || self.group_was_stopped());
        }
        Next::Send(forward)
    }

    /// What a terminal sends to the child as well, because the two share a process group. The session leader alone gets HUP and
    /// CONT at a hang-up.
    const fn shared_with_child(&self) -> SignalSet {
        match (self.setup.own_group, self.setup.leads_session) {
            (true, _) => SignalSet::EMPTY,
            (false, true) => signal::FROM_TERMINAL_TO_GROUP,
            (false, false) => signal::FROM_TERMINAL,
        }
    }

    /// A key that reaches init, because the terminal has stayed with a group outside the PID namespace, is meant for the whole
    /// job: the child's group stands for it.
    const fn is_for_foreground(&self, received: Received) -> bool {
        received.by_kernel
            && self.setup.own_group
            && self.setup.has_terminal
            && self.setup.group == 0
            && signal::FROM_TERMINAL_TO_GROUP.contains(received.number)
    }

    /// Has init itself stopped the whole group?
    const fn group_was_stopped(&self) -> bool {
        matches!(self.stop_forwarded, Some(Forward { to_group: true, .. }))
    }

    /// A signal came after the child's end: a stop request moves the teardown on, any other signal goes to all that remain.
    fn signal_after_the_end(&mut self, to: i32, only_caught: bool, actions: &mut Actions, facts: &impl Facts) -> Next {
        if STOP_REQUESTS.contains(to) {
            return match self.phase {
                Phase::Waiting => self.ask_to_end(actions, facts),
                Phase::Asked => self.grace_is_over(actions, Message::grace_cut_short(), facts),
                _ => self.rest(actions, facts),
            };
        }
        let only_caught = only_caught && self.proc_is_usable(actions, facts);
        self.send_all(actions, to, only_caught, facts);
        self.rest(actions, facts)
    }

    /// A signal was forwarded to the child, or was not.
    pub(super) fn sent(
        &mut self,
        forward: Forward,
        outcome: Outcome,
        actions: &mut Actions,
        facts: &impl Facts,
    ) -> Next {
        let Forward { signal, to_group, .. } = forward;
        let child = self.setup.child;
        let target = if to_group { Target::Group(child) } else { Target::Child(child) };
        if outcome == Outcome::QueueFull {
            if self.held.is_none() {
                self.held = Some(forward);
                actions.push(Action::Hold(forward));
                actions.push(Action::Say(Message::queue_full(signal)));
            }
            return self.wait(actions, facts);
        }
        // Only the signal that is held is sent while one is held: no other overtakes it, but those that never wait.
        if self.held == Some(forward) {
            self.held = None;
        }
        match outcome {
            Outcome::Refused(errno) => actions.push(Action::Say(Message::cannot_send(signal, target, errno))),
            // Those that several processes got are told one by one.
            Outcome::Sent if !forward.only_caught => actions.push(Action::Say(Message::sent(signal, target))),
            _ => {}
        }
        if outcome == Outcome::Sent {
            self.note_effect(forward, facts);
        }
        // Asked after the signal was sent, and the pending stop first: one that is neither pending nor in effect came later.
        if STOP_REQUESTS.contains(signal)
            && (self.stop_consumed || facts.child_will_stop() || facts.child_stop().is_some())
        {
            self.resume(actions);
        }
        self.rest(actions, facts)
    }

    /// What a signal that reached the child changes.
    fn note_effect(&mut self, forward: Forward, facts: &impl Facts) {
        if forward.signal == libc::SIGCONT {
            self.stop_forwarded = None;
            self.stop_consumed = false;
        } else if signal::STOPS.contains(forward.signal) {
            self.stop_forwarded = Some(forward);
        }
        self.stop_requested |= STOP_REQUESTS.contains(forward.signal);
        let starts_clock =
            self.config.stop_signals.contains(forward.received) || self.config.stop_signals.contains(forward.signal);
        if self.config.stop_timeout > Milliseconds::ZERO && starts_clock && self.stop_clock == StopClock::Ready {
            self.stop_clock = StopClock::Until(facts.now().after(self.config.stop_timeout));
        }
    }

    /// `--stop-timeout` is over: the child was killed, or could not be.
    pub(super) fn stop_timeout_killed(
        &mut self,
        killed: Result<(), i32>,
        actions: &mut Actions,
        facts: &impl Facts,
    ) -> Next {
        let child = self.setup.child;
        let message = match killed {
            Ok(()) => {
                self.known = self.known.with(libc::SIGKILL);
                Message::stop_timeout(child)
            }
            Err(errno) => Message::cannot_send(libc::SIGKILL, Target::Child(child), errno),
        };
        actions.push(Action::Say(message));
        self.rest(actions, facts)
    }
}
