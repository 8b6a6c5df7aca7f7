//! What becomes of a signal (contract I2, I12, I15).

use super::{Action, Actions, Facts, Forward, Next, Outcome, Phase, Received, STOP_REQUESTS};
use super::{Supervisor, Then, signal};
use crate::cli::{Milliseconds, Opt};
use crate::messages::{Message, Target};
use crate::signal::SignalSet;

impl Supervisor<'_> {
    /// A signal was taken.
    pub(super) fn signal(&mut self, received: Received, actions: &mut Actions, facts: &impl Facts) -> Then {
        let number = received.number;
        self.known = self.known.with(number);
        if number == libc::SIGCHLD {
            // Where reaping keeps failing it is tried once a second.
            return if self.reap_again.is_some() { Then::Rest } else { Then::Reap };
        }
        // To tell of it would raise the next one.
        if received.by_init && signal::RAISED_BY_WRITE.contains(number) {
            return Then::Rest;
        }
        if received.by_kernel && self.shared_with_child().contains(number) && self.ended.is_none() {
            actions.say(Message::dropped_as_shared(number));
            return Then::Rest;
        }
        let to = self.config.rewrites.apply(number);
        if to == 0 {
            actions.say(Message::dropped_by_rule(number));
            return Then::Rest;
        }
        let only_caught = self.config.is_on(Opt::CaughtOnly) && !signal::ALWAYS_FORWARDED.contains(to);
        if self.ended.is_some() {
            return self.signal_after_the_end(to, only_caught, actions, facts);
        }
        let to_group = self.config.is_on(Opt::Group) || self.is_for_foreground(received);
        // Without /proc every signal is forwarded.
        let only_caught = only_caught && self.proc_is_usable(actions, facts);
        if only_caught && !to_group && !facts.child_catches(to) {
            actions.say(Message::not_caught_by_child(to));
            return Then::Rest;
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
            forward.to_group |= !received.is_queued && (!self.is_pid_1() || self.group_stopped);
        }
        Then::Do(Next::Send(forward))
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

    /// A signal came after the child's end: a stop request moves the teardown on, any other signal goes to all that remain.
    fn signal_after_the_end(&mut self, to: i32, only_caught: bool, actions: &mut Actions, facts: &impl Facts) -> Then {
        if STOP_REQUESTS.contains(to) {
            match self.phase {
                Phase::Running if !self.config.is_on(Opt::WaitAll) => return Then::Rest,
                Phase::Running | Phase::Waiting => self.ask_to_end(actions, facts),
                Phase::Asked => self.grace_is_over(true, actions, facts),
                _ => return Then::Rest,
            }
            return Then::Reap;
        }
        let only_caught = only_caught && self.proc_is_usable(actions, facts);
        self.send_all(actions, to, only_caught, facts);
        Then::Rest
    }

    /// A signal was forwarded to the child, or was not.
    pub(super) fn sent(
        &mut self,
        forward: Forward,
        outcome: Outcome,
        actions: &mut Actions,
        facts: &impl Facts,
    ) -> Then {
        let Forward { signal, to_group, .. } = forward;
        let child = self.setup.child;
        let target = if to_group { Target::Group(child) } else { Target::Child(child) };
        if outcome == Outcome::QueueFull {
            if self.held.is_none() {
                self.held = Some(forward);
                actions.push(Action::Hold);
                actions.say(Message::queue_full(signal));
            }
            return Then::Wait;
        }
        // Only the signal that is held is sent while one is held: no other overtakes it, but those that never wait.
        if self.held.is_some_and(|held| held.signal == signal) {
            self.held = None;
        }
        match outcome {
            Outcome::Refused(errno) => actions.say(Message::cannot_send(signal, target, errno)),
            // Those that several processes got are told one by one.
            Outcome::Sent if !forward.only_caught => actions.say(Message::sent(signal, target)),
            _ => {}
        }
        if outcome == Outcome::Sent {
            self.note_effect(forward, facts);
        }
        // Asked after the signal was sent, and the pending stop first: one that is neither pending nor in effect came later.
        if outcome == Outcome::Sent
            && STOP_REQUESTS.contains(signal)
            && (self.stop_consumed || facts.child_will_stop() || facts.child_stop().is_some())
        {
            self.resume(actions);
        }
        Then::Rest
    }

    /// What a signal that reached the child changes.
    fn note_effect(&mut self, forward: Forward, facts: &impl Facts) {
        self.known = self.known.with(forward.signal);
        if forward.signal == libc::SIGCONT {
            self.continued();
        } else if signal::STOPS.contains(forward.signal) {
            if forward.signal == libc::SIGSTOP {
                self.stop_received = forward.received;
            }
            self.group_stopped = forward.to_group;
        }
        self.stop_requested |= STOP_REQUESTS.contains(forward.signal);
        let starts_clock =
            self.config.stop_signals.contains(forward.received) || self.config.stop_signals.contains(forward.signal);
        if starts_clock && self.config.stop_timeout > Milliseconds::ZERO && !self.stop_clock_started {
            self.stop_clock_started = true;
            self.deadline = Some(facts.now().after(self.config.stop_timeout));
        }
    }

    /// `--stop-timeout` is over: the child was killed, or could not be.
    pub(super) fn stop_timeout_killed(&mut self, killed: Result<(), i32>, actions: &mut Actions) -> Then {
        let child = self.setup.child;
        let message = match killed {
            Ok(()) => {
                self.known = self.known.with(libc::SIGKILL);
                Message::stop_timeout(child)
            }
            Err(errno) => Message::cannot_send(libc::SIGKILL, Target::Child(child), errno),
        };
        actions.say(message);
        Then::Rest
    }
}
