//! Negative controls: the core does one thing wrong, and the judge must say which promise that breaks.

use crate::kernel::CHILD;
use crate::shell::{View, When};
use init_core::cli::Milliseconds;
use init_core::messages::{Message, Text};
use init_core::signal::{STOP_REQUESTS, SignalSet};
use init_core::supervise::{Action, Actions, Decision, Event, Facts, Forward, Next, Supervisor, Survivors};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// What the core is told is another thing.
    DropsTerm,
    ForwardsShared,
    TakesOrphanForChild,
    NeverHurries,
    ClockForAll,
    /// What it decides is.
    ForgetsRewrite,
    ForgetsExpect,
    ForgetsInfo,
    ForgetsHeld,
    ForgetsContinue,
    SendsTwice,
    SendsAfterReaping,
    SendsToAnotherTarget,
    NeverEnds,
    EndsEarly,
    NeverAsks,
    NeverLooks,
    NeverKills,
    NeverSettles,
    Polls,
    LooksTooSeldom,
    ReapsOne,
    OverlooksZombiesBefore,
    KeepsFarewell,
    OverdoesFarewell,
    KeepsTerminal,
    StopsForAnyStop,
    NeverStops,
    ConcealsDeath,
    /// What it asks gets a wrong answer.
    OverlooksPendingStop,
    StopsTheClock,
    /// The shell takes SIGCHLD only when what is dead has been reaped.
    TakesAfterReaping,
}

/// Each with the mode, the moments and the depth at which it is found, and the promise that it breaks.
pub const FAULTS: [(Fault, &str, When, usize, &str); 35] = {
    use Fault::*;
    use When::{Anywhere, Asleep};
    [
        (DropsTerm, "PID 1", Asleep, 1, "I12: a signal was not forwarded"),
        (ForwardsShared, "shared group", Asleep, 1, "I12: a signal that nothing asked for"),
        (TakesOrphanForChild, "PID 1", Asleep, 2, "I18: the child's end is told, and only that"),
        (NeverHurries, "PID 1, grace", Asleep, 3, "I14: a stop request does not move the teardown on"),
        (ClockForAll, "PID 1, stop-timeout", Asleep, 1, "I13: the timeout is not that of the time that runs"),
        (ForgetsRewrite, "PID 1, rewrite rules, silent", Asleep, 1, "I12: a signal that nothing asked for"),
        (ForgetsExpect, "PID 1, warn-reaped, expect", Asleep, 1, "I18: the exit status is not the child's"),
        (ForgetsInfo, "PID 1", Asleep, 1, "I12: the siginfo is lost, or made up"),
        (ForgetsHeld, "PID 1", Asleep, 3, "I13: the timeout is not that of the time that runs"),
        (ForgetsContinue, "PID 1", Asleep, 2, "I15: a stopped child that was asked to end is not continued"),
        (ForgetsContinue, "PID 1, terminal", Asleep, 1, "I16: a stopped child that no shell could continue"),
        (SendsTwice, "PID 1", Asleep, 1, "I12: a signal is forwarded twice"),
        (SendsAfterReaping, "PID 1", Asleep, 0, "I12: a signal that nothing asked for"),
        (SendsToAnotherTarget, "shared group", Asleep, 1, "I12: a signal to a group that it is not for"),
        (NeverEnds, "PID 1", Asleep, 0, "I18: the child has ended, and init waits on"),
        (EndsEarly, "PID 1", Asleep, 1, "I13: it ends, and its child has not"),
        (NeverAsks, "PID 1, grace", Asleep, 1, "I14: not all were told to end"),
        (NeverAsks, "PID 1, wait-all", Asleep, 2, "I14: not all were told to end"),
        (NeverLooks, "PID 1, grace", Asleep, 1, "I14: it ends, and a process is left"),
        (NeverKills, "PID 1, stop-timeout", Asleep, 2, "I14: a time was up, and nothing was done"),
        (NeverSettles, "PID 1", Asleep, 0, "I11: init waits, and keeps what it does not need"),
        (Polls, "PID 1", Asleep, 0, "I13: the timeout is not that of the time that runs"),
        (LooksTooSeldom, "PID 1, grace, no pidfd", Asleep, 1, "I13: the timeout is not that of the time that runs"),
        (ReapsOne, "PID 1, wait-all", Asleep, 0, "I14: it sleeps though no process is left"),
        (OverlooksZombiesBefore, "PID 1, a zombie before", Asleep, 0, "I13: it sleeps while a zombie lies there"),
        (KeepsFarewell, "dumb-init, PID 1", Asleep, 1, "I4: the child has ended, and its group does not get TERM once"),
        (
            OverdoesFarewell,
            "dumb-init, PID 1, grace",
            Asleep,
            1,
            "I4: the child has ended, and its group does not get TERM",
        ),
        (KeepsTerminal, "PID 1, terminal", Asleep, 0, "I14: the child has ended, and its group has the terminal"),
        (StopsForAnyStop, "own group, terminal, in the background", Asleep, 2, "I16: a stop from elsewhere stops init"),
        (NeverStops, "own group, terminal", Asleep, 1, "I16: the child stopped, and init does not"),
        (ConcealsDeath, "PID 1, silent", Asleep, 1, "I19: an unexplained death is told, and only that"),
        (OverlooksPendingStop, "PID 1", Asleep, 2, "I15: a stopped child that was asked to end is not continued"),
        (StopsTheClock, "PID 1, stop-timeout", Asleep, 2, "I14: a time was up, and nothing was done"),
        (TakesAfterReaping, "PID 1, wait-all", Anywhere, 2, "I13: it sleeps while a zombie lies there"),
        (SendsTwice, "PID 1", Anywhere, 1, "I12: a signal is forwarded twice"),
    ]
};

/// The core decides, as far as the fault lets it.
pub fn decide(core: &mut Supervisor<'static>, mut event: Event, view: &View) -> Decision {
    let fault = view.0.borrow().tools.fault;
    if fault == Fault::None {
        return core.decide(event, view);
    }
    let grace = view.mode().grace;
    match (fault, &mut event) {
        (Fault::DropsTerm, Event::Signal(received)) if received.number == libc::SIGTERM => event = Event::FollowedEnded,
        (Fault::ForwardsShared, Event::Signal(received)) => received.by_kernel = false,
        (Fault::TakesOrphanForChild, Event::Reaped(pid, _)) => *pid = CHILD,
        (Fault::NeverHurries, Event::Signal(received))
            if grace > 0 && STOP_REQUESTS.contains(received.number) && view.child_group().is_none() =>
        {
            event = Event::FollowedEnded;
        }
        (Fault::NeverLooks, Event::Looked(survivors)) => *survivors = Survivors::None,
        (Fault::ClockForAll, Event::Sent(forward, _)) => forward.received = libc::SIGTERM,
        _ => {}
    }
    let mut decision = core.decide(event, view);
    let mut keep: fn(&Action) -> bool = |_| true;
    let forever = Next::Wait { signals: SignalSet::from_bits(u64::MAX), timeout: None };
    let looks = event == Event::Drained { has_children: true };
    let settles = decision.actions.iter().any(|action| action == Action::Settle);
    match (fault, &mut decision.next) {
        (Fault::ForgetsRewrite, Next::Send(forward)) => forward.signal = forward.received,
        (Fault::ForgetsExpect, Next::End(status)) if *status == 0 => *status = 3,
        (Fault::ForgetsInfo, Next::Send(forward)) => forward.with_info = false,
        (Fault::ForgetsHeld, next @ Next::Resend(_)) => *next = forever,
        (Fault::ForgetsContinue, _) => keep = |action| !matches!(action, Action::Continue { .. }),
        (Fault::SendsTwice, next @ Next::Wait { .. }) => {
            if let Event::Sent(forward @ Forward { signal: libc::SIGUSR1, .. }, _) = event {
                *next = Next::Send(forward);
            }
        }
        (Fault::SendsAfterReaping, next) if matches!(event, Event::Reaped(CHILD, _)) => {
            let (to_group, only_caught, with_info) = (false, false, false);
            *next = Next::Send(Forward { received: 15, signal: 15, to_group, only_caught, with_info });
        }
        (Fault::SendsToAnotherTarget, Next::Send(forward)) => forward.to_group = true,
        (Fault::NeverEnds, next @ Next::End(_)) => *next = forever,
        (Fault::EndsEarly, next @ Next::Wait { .. }) if looks => {
            *next = Next::End(1);
        }
        (Fault::NeverAsks, _) => keep = |action| !matches!(action, Action::SendAll { .. }),
        (Fault::NeverKills, next @ Next::KillChild) => *next = forever,
        (Fault::NeverSettles, _) => keep = |action| *action != Action::Settle,
        (Fault::Polls, Next::Wait { timeout: timeout @ None, .. }) => *timeout = Some(Milliseconds(1000)),
        (Fault::LooksTooSeldom, Next::Wait { timeout: Some(timeout), .. }) => timeout.0 *= 10,
        (Fault::ReapsOne, next) if matches!(event, Event::Reaped(..)) => *next = forever,
        (Fault::OverlooksZombiesBefore, next) if settles => *next = forever,
        (Fault::KeepsFarewell, Next::Reap { farewell }) => *farewell = None,
        (Fault::OverdoesFarewell, Next::Reap { farewell }) => *farewell = Some(CHILD),
        (Fault::KeepsTerminal, _) => keep = |action| *action != Action::TakeTerminal,
        (Fault::StopsForAnyStop, next) if looks && view.child_stop().is_some() && !view.continue_is_pending() => {
            *next = Next::StopSelf(libc::SIGSTOP);
        }
        (Fault::NeverStops, next @ Next::StopSelf(_)) => *next = forever,
        (Fault::ConcealsDeath, _) => {
            keep = |action| !matches!(action, Action::Say(Message { text: Text::ChildKilled, .. }))
        }
        _ => {}
    }
    let mut actions = Actions::NONE;
    decision.actions.iter().filter(keep).for_each(|action| actions.push(action));
    Decision { actions, ..decision }
}
