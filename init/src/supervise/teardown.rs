//! What becomes of the processes that outlive the child (contract I2, I14).

use super::{Action, Actions, Facts, LAST_SECOND, Next, Phase, Supervisor, Survivors, Then};
use crate::cli::Opt;
use crate::messages::Message;
use crate::signal::SignalNumber;

impl Supervisor<'_> {
    /// Is there a grace period?
    const fn has_grace(&self) -> bool {
        self.config.grace.0 > 0
    }

    /// Will the remaining processes be asked to end as soon as the child has ended? Under `--wait-all` a stop request that the
    /// child was sent counts for them as well.
    pub(super) fn teardown_begins_at_the_end(&self) -> bool {
        if self.config.is_on(Opt::WaitAll) { self.stop_requested } else { self.has_grace() }
    }

    /// The child has been reaped, and all else that was dead.
    pub(super) fn look_after_the_rest(
        &mut self,
        has_children: bool,
        actions: &mut Actions,
        facts: &impl Facts,
    ) -> Then {
        if self.phase == Phase::Running {
            if self.teardown_begins_at_the_end() {
                // A subreaper without children has no descendants.
                let has_descendants = has_children || self.is_pid_1();
                if !has_descendants {
                    return Then::End;
                }
                self.ask_to_end(actions, facts);
                return Then::Reap;
            }
            if !self.config.is_on(Opt::WaitAll) {
                return Then::End;
            }
            self.phase = Phase::Waiting;
        }
        let must_look = match self.phase {
            Phase::Killed => {
                // One that was forked while all others were killed was not killed with them.
                self.send_all(actions, libc::SIGKILL, false, facts);
                true
            }
            Phase::Asked => self.has_grace(),
            _ => false,
        };
        if must_look {
            Then::Do(Next::LookForSurvivors)
        } else if has_children {
            Then::Rest
        } else {
            // Each descendant is below a child.
            Then::End
        }
    }

    /// Asks all that remain to end; the grace period begins.
    pub(super) fn ask_to_end(&mut self, actions: &mut Actions, facts: &impl Facts) {
        self.phase = Phase::Asked;
        self.send_all(actions, libc::SIGTERM, false, facts);
        self.send_all(actions, libc::SIGCONT, false, facts);
        if self.has_grace() {
            self.deadline = Some(facts.now().after(self.config.grace));
        }
    }

    /// The grace period is over, or was cut short; or the last second after that is over.
    pub(super) fn grace_is_over(&mut self, was_cut_short: bool, actions: &mut Actions, facts: &impl Facts) {
        if self.phase == Phase::Killed {
            self.phase = Phase::Ending;
            actions.say(Message::left());
        } else {
            self.phase = Phase::Killed;
            self.deadline = Some(facts.now().after(LAST_SECOND));
            // They are killed once the dead ones are reaped, or cannot be.
            actions.say(if was_cut_short { Message::grace_cut_short() } else { Message::grace_over() });
        }
    }

    /// Sends a signal to all that remain. A subreaper finds its descendants in /proc.
    pub(super) fn send_all(
        &mut self,
        actions: &mut Actions,
        signal: SignalNumber,
        only_caught: bool,
        facts: &impl Facts,
    ) {
        if self.is_pid_1() || self.proc_is_usable(actions, facts) {
            actions.push(Action::SendAll { signal, only_caught });
        }
    }

    /// The shell has looked for survivors.
    pub(super) const fn looked(&mut self, survivors: Survivors) -> Then {
        self.survivors = survivors;
        if matches!(survivors, Survivors::None) {
            // What has died since the last look is reaped before the end.
            self.phase = Phase::Ending;
            self.deadline = None;
            return Then::Reap;
        }
        Then::Rest
    }
}
