//! The core under any kernel whatsoever: whatever it asks is answered in every way, whatever it does has every outcome, in every
//! state that it can reach. States are compared by equality, so the length of a run has no limit.

use crate::kernel::{CHILD, GROUP, LONG, ORPHANS, REAL_TIME};
use crate::modes::Mode;
use crate::shell::Script;
use init_core::signal::{SignalNumber, SignalSet};
use init_core::supervise::{Action, Event, Facts, Forward, Next, Outcome, Received, Supervisor, Survivors, Time};
use std::cell::RefCell;
use std::collections::HashMap;

/// Answers every fact in every way.
struct Oracle(RefCell<Script>);

impl Oracle {
    fn any<T: Copy>(&self, answers: &[T]) -> T {
        answers[self.0.borrow_mut().choose(answers.len())]
    }
}

impl Facts for Oracle {
    fn now(&self) -> Time {
        Time(self.any(&[0, LONG]))
    }
    fn child_stop(&self) -> Option<SignalNumber> {
        self.any(&[None, Some(libc::SIGTSTP), Some(libc::SIGSTOP)])
    }
    fn child_will_stop(&self) -> bool {
        self.any(&[false, true])
    }
    fn child_catches(&self, _: SignalNumber) -> bool {
        self.any(&[false, true])
    }
    fn child_group(&self) -> Option<i32> {
        self.any(&[Some(CHILD), None])
    }
    fn foreground(&self) -> Option<i32> {
        self.any(&[Some(CHILD), Some(GROUP), None])
    }
    fn may_read_terminal(&self) -> bool {
        self.any(&[false, true])
    }
    fn session_is_foreground(&self) -> bool {
        self.any(&[false, true])
    }
    fn continue_is_pending(&self) -> bool {
        self.any(&[false, true])
    }
    fn proc_is_usable(&self) -> bool {
        true
    }
    fn out_of_memory_kills(&self) -> u32 {
        0
    }
}

/// The core between two steps, and what a witness knows of it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Alone {
    core: Supervisor<'static>,
    next: Next,
    /// The exit status of the child, once it was reaped.
    ended: Option<u8>,
}

impl Alone {
    /// All outcomes of what is next. Of the signals there is a stop request and SIGCHLD, and with a terminal its stop and CONT,
    /// without one a queued one: the core remembers all that it took, so each more doubles the states.
    fn outcomes(&self, mode: &Mode) -> Vec<Event> {
        let signal = |number, is_queued| Received { number, by_kernel: false, by_init: false, is_queued };
        match self.next {
            Next::Wait { signals, .. } => {
                let others: &[_] = if mode.job_control() { &[libc::SIGCONT, libc::SIGTSTP] } else { &[REAL_TIME] };
                let any = [libc::SIGTERM, libc::SIGCHLD].iter().chain(others);
                let any = any.map(|number| signal(*number, *number == REAL_TIME));
                let taken = any.filter(|received| signals.contains(received.number)).map(Event::Signal);
                taken.chain([Event::Quiet, Event::FollowedEnded, Event::WaitFailed(libc::EINVAL)]).collect()
            }
            Next::Reap { .. } => vec![
                Event::Reaped(CHILD, 3 << 8),
                Event::Reaped(CHILD, libc::SIGKILL),
                Event::Reaped(ORPHANS[0], 0),
                Event::Drained { has_children: true },
                Event::Drained { has_children: false },
                Event::ReapFailed(libc::EINVAL),
            ],
            Next::Send(forward) | Next::Resend(forward) => Self::fates(forward),
            Next::KillChild => vec![Event::ChildKilled(Ok(())), Event::ChildKilled(Err(libc::EPERM))],
            Next::LookForSurvivors => [Survivors::None, Survivors::Followed, Survivors::Unfollowed, Survivors::Unseen]
                .map(Event::Looked)
                .to_vec(),
            Next::StopSelf(by) => vec![Event::StoppedSelf(by)],
            Next::End(_) => Vec::new(),
        }
    }

    fn fates(forward: Forward) -> Vec<Event> {
        let all = [Outcome::Sent, Outcome::QueueFull, Outcome::Refused(libc::EPERM), Outcome::Uncaught];
        all.map(|outcome| Event::Sent(forward, outcome)).to_vec()
    }

    /// The core decides, and that is held against what the contract says of any run.
    fn advance(&mut self, event: Event, oracle: &Oracle, mode: &Mode) {
        if let Event::Reaped(CHILD, status) = event
            && self.ended.is_none()
        {
            self.ended = Some(if status == libc::SIGKILL { 128 + 9 } else { 3 });
        }
        let decision = self.core.decide(event, oracle);
        self.next = decision.next;
        let lives = self.ended.is_none();
        for action in decision.actions.iter() {
            let right = match action {
                Action::Continue { .. } | Action::GiveTerminal | Action::ConsumeStop | Action::Hold => lives,
                Action::SendAll { .. } => !lives,
                _ => true,
            };
            assert!(right, "{event:?}: {action:?}");
        }
        let right = match self.next {
            Next::Send(_) | Next::Resend(_) | Next::KillChild => lives,
            Next::Reap { farewell } => farewell.is_none() || lives && mode.setup.session,
            Next::StopSelf(_) => lives && !mode.is_pid_1(),
            Next::LookForSurvivors => !lives,
            Next::Wait { signals, .. } => SignalSet::of(&[libc::SIGCHLD, libc::SIGTERM]).without(signals).is_empty(),
            Next::End(status) => status == self.ended.unwrap_or(1),
        };
        assert!(right, "{event:?}: {:?}", self.next);
    }
}

/// Every state that the core can reach in this mode, and how far it is from an end: each one must have a way there.
fn explore(mode: &'static Mode) -> (usize, usize, usize) {
    let oracle = Oracle(RefCell::default());
    let mut start = Alone { core: Supervisor::new(&mode.config, mode.setup), next: Next::End(0), ended: None };
    start.advance(Event::Started, &oracle, mode);
    let mut indices = HashMap::from([(start.clone(), 0)]);
    let mut states = vec![start];
    // Of each state, from where it is reached; and the ends.
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let (mut ends, mut answers) = (Vec::new(), 0);
    let mut at = 0;
    while at < states.len() {
        if matches!(states[at].next, Next::End(_)) {
            ends.push(at);
        }
        for event in states[at].outcomes(mode) {
            *oracle.0.borrow_mut() = Script::default();
            let mut results = Vec::new();
            loop {
                let mut next = states[at].clone();
                next.advance(event, &oracle, mode);
                answers += 1;
                if !results.contains(&next) {
                    results.push(next);
                }
                if !oracle.0.borrow_mut().advance() {
                    break;
                }
            }
            for next in results {
                let index = indices.get(&next).copied().unwrap_or_else(|| {
                    indices.insert(next.clone(), states.len());
                    states.push(next);
                    before.push(Vec::new());
                    states.len() - 1
                });
                before[index].push(at);
            }
        }
        at += 1;
    }
    let mut distance = vec![usize::MAX; states.len()];
    ends.iter().for_each(|end| distance[*end] = 0);
    let mut open = std::collections::VecDeque::from(ends);
    while let Some(index) = open.pop_front() {
        for previous in &before[index] {
            if distance[*previous] == usize::MAX {
                distance[*previous] = distance[index] + 1;
                open.push_back(*previous);
            }
        }
    }
    let farthest = distance.into_iter().max().unwrap_or_default();
    assert_ne!(farthest, usize::MAX, "{}: a state has no way to an end", mode.name);
    (states.len(), answers, farthest)
}

#[test]
#[cfg_attr(miri, ignore = "hours under Miri")]
fn i12_i14_i18_the_core_does_what_it_may_in_every_state_that_it_can_reach() {
    let modes = vec![
        Mode::new("init", true, "-rHUP:0 -t2"),
        Mode::new("init", true, "-rHUP:0 --wait-all"),
        Mode::new("init", true, "-rHUP:0 --wait-all -t2"),
        Mode::new("init", false, "-rHUP:0 --stop-timeout=5"),
        Mode::new("init", false, "-g -rHUP:0").on_terminal(),
        Mode::new("dumb-init", false, "-rHUP:0"),
    ];
    let (mut states, mut answers, mut farthest) = (0, 0, 0);
    for mode in modes.leak() {
        let (reached, answered, far) = explore(mode);
        println!("{reached} states, {answered} answers, {far}");
        (states, answers, farthest) = (states + reached, answers + answered, farthest.max(far));
    }
    println!("{states} states, {answers} answers; an end is at most {farthest} steps away");
    assert!(states > 1000, "{states} states: the test looks for the wrong thing");
}
