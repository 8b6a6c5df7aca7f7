//! One run of init on the simulated kernel: a script says what happens before which call, everything is written down.

use crate::kernel::{Errno, FOREVER, Kernel, Life, MOVES, Move, Pid, Signal, Time};
use crate::modes::Mode;
use init_core::signal::SignalNumber;
use init_core::status::WaitStatus;
use init_core::supervisor::{Decision, Drained, Step};
use init_core::text::Text;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

/// The timeout of a wait that only looks, before init has settled: whatever it would be, something is pending.
pub const LOOK: Time = FOREVER - 1;

/// A fault that can be built in, to see that it is found: of the core, or of the shell around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// None.
    None,
    /// Of the core: SIGTERM is dropped.
    DropsTerm,
    /// What the child has already is forwarded.
    ForwardsDropped,
    /// Rules are not looked at.
    ForgetsRewrite,
    /// Nor is `--expect`.
    ForgetsExpect,
    /// Whoever was reaped is the child.
    TakesOrphanForChild,
    /// The end is never told.
    NeverEnds,
    /// It ends while the child lives.
    EndsEarly,
    /// It ends where the teardown should begin.
    SkipsTeardown,
    /// A stop request does not hurry the teardown.
    NeverHurries,
    /// Every signal starts the clock of `--stop-timeout`.
    ClockForAll,
    /// That clock leads to nothing.
    NeverKills,
    /// Of the calls: SIGUSR1 is sent twice.
    SendsTwice,
    /// SIGTERM is sent to the child that was just reaped.
    SendsBehindReap,
    /// SIGHUP goes to init's own group.
    SendsToOwnGroup,
    /// One process is reaped, and no more.
    ReapsOne,
    /// SIGCHLD is taken when what is dead has been reaped.
    TakesBehindReap,
    /// Of two signals that wait only the second is dealt with.
    TakesTwo,
    /// No wait is longer than a second.
    Polls,
    /// A time that runs starts anew at each wait.
    RestartsClock,
    /// SIGCONT is not sent.
    ForgetsCont,
    /// What finds no room is forgotten.
    ForgetsHeld,
}

/// What init has done, or what has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Something happened.
    Happened(Move),
    /// A process ended at last, with this status: its index.
    Died(usize, WaitStatus),
    /// Nothing more happened until this time.
    Passed(Time),
    /// init asked the kernel about a process.
    Asked,
    /// init asked for the time.
    Clock(Time),
    /// init waits for a signal of the set, from this time on; `polls`: or for the process that it follows.
    Waits { now: Time, timeout: Time, set: u64, polls: bool },
    /// Nothing was there: it sleeps. What would keep it from sleeping: a zombie; nobody left to wait for.
    Sleeps { timeout: Time, zombie: bool, nobody_left: bool, stopped: bool },
    /// It sleeps for a second, because a wait has failed.
    Breathes,
    /// It took a signal.
    Took(Signal),
    /// How it decided.
    Decided(Decision),
    /// It sent a signal; `queued` with what it carried; what the child was then.
    Sent { target: Pid, number: SignalNumber, queued: bool, result: Result<(), Errno>, child: Life },
    /// It sent a signal to all that it answers for, one by one; 0 looks for one. Which call that was.
    SentToEach(SignalNumber, u32),
    /// It reaped a process.
    Reaped(Pid, WaitStatus),
    /// Nothing was to be reaped: 0, ECHILD or another error; which call that was.
    Drained(Result<(), Errno>, u32),
    /// It stopped itself.
    StoppedItself,
    /// It said something.
    Said(Text),
    /// A time was up, or somebody hurries.
    Stepped(Step),
    /// What it concluded from the drain.
    Concluded(Drained),
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With this exit status.
    Ended(u8),
    /// It sleeps, and nothing will ever wake it.
    Asleep,
    /// It makes calls for ever.
    Busy,
}

/// When something can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// When init sleeps, and then any number of things before it runs on.
    Asleep,
    /// Before any call whose answer depends on it.
    Anywhere,
}

/// The choices of one run, and which come next: all of them, one after the other, in depth-first order.
#[derive(Default)]
pub struct Script {
    /// For each choice: which one, of how many.
    choices: Vec<(u8, u8)>,
    /// The next one.
    at: usize,
}

impl Script {
    /// One of `options`, 0 first.
    fn choose(&mut self, options: usize) -> usize {
        if self.at == self.choices.len() {
            self.choices.push((0, options as u8));
        }
        let (choice, of) = self.choices[self.at];
        assert_eq!(usize::from(of), options, "two runs of one script differ");
        self.at += 1;
        choice.into()
    }

    /// Goes on to the next script. Is there one?
    fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.choices.pop() {
            if choice + 1 < of {
                self.choices.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

/// The run itself.
pub struct Machine {
    /// How init runs.
    pub mode: Rc<Mode>,
    /// The kernel.
    pub kernel: Kernel,
    /// What happens when.
    script: Script,
    /// When something may.
    when: When,
    /// How many things still happen.
    left: usize,
    /// What happened and was done.
    pub log: Vec<Entry>,
    /// The fault that is built in.
    pub fault: Fault,
    /// At the end nothing ends but the child, unless time ends it.
    stubborn: Option<bool>,
    /// The SIGCHLD that was seen is still to be taken.
    owes: bool,
    /// init no longer only looks for signals: it waits for them.
    pub settled: bool,
    /// The descriptors that init has opened and not closed.
    pub open: Vec<i32>,
    /// Something came before it had settled.
    pub early: bool,
}

thread_local! {
    /// That of this thread.
    static MACHINE: RefCell<Option<Machine>> = const { RefCell::new(None) };
}

/// Does something with it.
pub fn with<R>(act: impl FnOnce(&mut Machine) -> R) -> R {
    MACHINE.with_borrow_mut(|machine| act(machine.as_mut().expect("a machine")))
}

/// How many calls are too many: no script of ours makes a tenth of it.
const TOO_MANY: u32 = 3000;

impl Machine {
    /// Is this fault built in?
    pub fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// init makes a call whose answer depends on what happened before.
    pub fn call(&mut self) {
        self.kernel.calls += 1;
        if self.kernel.calls > TOO_MANY {
            panic::resume_unwind(Box::new(Outcome::Busy));
        }
        while self.left > 0 && self.when == When::Anywhere && self.maybe(true, false) {}
    }

    /// Something happens, or, if it is `optional`, nothing. Has it?
    fn maybe(&mut self, optional: bool, timed: bool) -> bool {
        let mut possible = [Move::Term; MOVES.len()];
        let mut count = 0;
        for happens in MOVES {
            if self.kernel.is_possible(happens, &self.mode, timed) {
                possible[count] = happens;
                count += 1;
            }
        }
        let choice = self.script.choose(count + usize::from(optional));
        if optional && choice == 0 {
            return false;
        }
        let happens = possible[choice - usize::from(optional)];
        self.kernel.happen(happens);
        self.log.push(Entry::Happened(happens));
        self.left -= 1;
        true
    }

    /// init sleeps until `wakes`. False if the time is up before.
    pub fn sleep(&mut self, timeout: Time, wakes: impl Fn(&Kernel) -> bool) -> bool {
        let end = self.kernel.now.saturating_add(timeout);
        let mut slept = false;
        loop {
            if wakes(&self.kernel) {
                // It does not run at once.
                if slept && self.left > 0 && self.maybe(true, false) {
                    continue;
                }
                return true;
            }
            if self.kernel.now >= end {
                return false;
            }
            if !slept {
                slept = true;
                let stopped = matches!(self.kernel.child().life, Life::Stopped { .. });
                self.log.push(Entry::Sleeps {
                    timeout,
                    zombie: self.kernel.zombie().is_some(),
                    nobody_left: !self.kernel.is_somebody_left(),
                    stopped,
                });
            }
            if self.left > 0 {
                self.maybe(false, timeout != FOREVER);
            } else {
                self.conclude(end);
            }
        }
    }

    /// Nothing more happens than what must: what was killed ends, the child ends, then all others do; or else the time is up.
    fn conclude(&mut self, end: Time) {
        let kernel = &mut self.kernel;
        if kernel.child().lives() {
            let status = if kernel.child().doomed { libc::SIGKILL } else { 5 << 8 };
            kernel.die(0, status);
            self.log.push(Entry::Died(0, status));
            return;
        }
        let others =
            kernel.processes.iter().position(|process| process.pid != kernel.processes[0].pid && process.lives());
        let stubborn = match self.stubborn {
            // Only where a time runs can it do without them.
            _ if end == FOREVER => false,
            Some(stubborn) => stubborn,
            None => {
                let stubborn = self.script.choose(2) == 1;
                self.stubborn = Some(stubborn);
                stubborn
            }
        };
        match others {
            Some(index) if !stubborn => {
                let status = if self.kernel.processes[index].doomed { libc::SIGKILL } else { 0 };
                self.kernel.die(index, status);
                self.log.push(Entry::Died(index, status));
            }
            _ if end != FOREVER => {
                self.kernel.now = end;
                self.log.push(Entry::Passed(end));
            }
            _ => panic::resume_unwind(Box::new(Outcome::Asleep)),
        }
    }

    /// init is stopped until SIGCONT comes.
    pub fn stop(&mut self) {
        self.log.push(Entry::StoppedItself);
        while self.kernel.pending() & crate::kernel::bit(libc::SIGCONT) == 0 {
            if self.left > 0 {
                self.maybe(false, false);
            } else {
                self.kernel.happen(Move::Cont);
            }
        }
    }

    /// Sends a signal, and notes it.
    pub fn send(&mut self, target: Pid, number: SignalNumber, queued: bool) -> Result<(), Errno> {
        self.call();
        let child = self.kernel.child().life;
        let result = self.kernel.send(target, number, queued);
        self.log.push(Entry::Sent { target, number, queued, result, child });
        if self.has(Fault::SendsTwice) && number == libc::SIGUSR1 {
            let result = self.kernel.send(target, number, queued);
            self.log.push(Entry::Sent { target, number, queued, result, child });
        }
        result
    }

    /// Reaps one process.
    pub fn reap(&mut self) -> Result<(Pid, WaitStatus), Errno> {
        self.call();
        if self.has(Fault::ReapsOne) && matches!(self.log.last(), Some(Entry::Reaped(..))) {
            self.log.push(Entry::Drained(Ok(()), self.kernel.calls));
            return Ok((0, 0));
        }
        let answer = self.kernel.reap();
        self.note_reap(answer);
        if self.has(Fault::SendsBehindReap) && answer.is_ok_and(|(pid, _)| pid == crate::kernel::CHILD) {
            let _ = self.send(crate::kernel::CHILD, libc::SIGTERM, false);
        }
        answer
    }

    /// Takes a signal of the set that waits. The fault: SIGCHLD is taken only when what is dead has been reaped.
    pub fn take(&mut self, set: u64) -> Option<Signal> {
        let before = self.kernel.pending.clone();
        let taken = self.kernel.take(set)?;
        if self.has(Fault::TakesBehindReap) && taken.number == libc::SIGCHLD {
            self.kernel.pending = before;
            self.owes = true;
        }
        Some(taken)
    }

    /// The rest of that fault.
    pub fn take_what_is_owed(&mut self) {
        if self.owes {
            self.call();
            self.kernel.take(crate::kernel::bit(libc::SIGCHLD));
            self.owes = false;
        }
    }

    /// Notes what a reap has found.
    fn note_reap(&mut self, answer: Result<(Pid, WaitStatus), Errno>) {
        self.log.push(match answer {
            Ok((0, _)) => Entry::Drained(Ok(()), self.kernel.calls),
            Ok((pid, status)) => Entry::Reaped(pid, status),
            Err(error) => Entry::Drained(Err(error), self.kernel.calls),
        });
    }
}

/// Runs init on all scripts in which `depth` things happen at most, and hands each run to `judge`; ends when that says so.
/// How many runs were there?
pub fn explore(
    mode: &Rc<Mode>,
    fault: Fault,
    when: When,
    depth: usize,
    judge: &mut dyn FnMut(&Machine, Outcome) -> bool,
) -> u64 {
    let mut script = Script::default();
    let mut log = Vec::new();
    let mut runs = 0;
    loop {
        log.clear();
        let machine = Machine {
            mode: Rc::clone(mode),
            kernel: Kernel::new(mode),
            script,
            when,
            left: depth,
            log,
            fault,
            stubborn: None,
            owes: false,
            open: Vec::new(),
            early: false,
            settled: false,
        };
        MACHINE.with_borrow_mut(|place| *place = Some(machine));
        let outcome = match panic::catch_unwind(AssertUnwindSafe(|| crate::start(mode))) {
            Ok(status) => Outcome::Ended(status),
            Err(payload) => match payload.downcast::<Outcome>() {
                Ok(outcome) => *outcome,
                Err(payload) => panic::resume_unwind(payload),
            },
        };
        let mut machine = MACHINE.with_borrow_mut(Option::take).expect("a machine");
        runs += 1;
        let goes_on = judge(&machine, outcome) && machine.script.advance();
        (script, log) = (machine.script, machine.log);
        if !goes_on {
            return runs;
        }
    }
}
