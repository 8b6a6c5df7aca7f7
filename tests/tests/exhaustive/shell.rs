//! The shell on the simulated kernel: it answers the facts, performs the actions, and does what is next, as init/src/shell.rs
//! does it with system calls. One [`State`] is kernel, core and judge; [`State::step`] takes it to the next.

use crate::faults::{self, Fault};
use crate::judge::{Broken, Judge};
use crate::kernel::{CHILD, Kernel, Life, MOVES, Move, Signal, Time, is_real_time};
use crate::modes::Mode;
use init_core::signal::{SignalNumber, SignalSet};
use init_core::status::WaitStatus;
use init_core::supervise as core;
use init_core::supervise::{Action, Event, Facts, Forward, Next, Outcome, Supervisor, Survivors};
use std::cell::{Ref, RefCell};

/// What is done or happens: the judge reads it, and so does a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    Happened(Move),
    /// After the last move: a process ends, or nothing more happens until this time.
    Ended(usize, WaitStatus),
    Passed(Time),
    /// The core is told this.
    Event(Event),
    Did(Action),
    Next(Next),
    /// dumb-init's TERM to the group of the dead child.
    Farewell,
    /// init blocks; `short`: at most for 100 ms.
    Blocks {
        short: bool,
    },
}

/// When something can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// When init blocks, and then any number of moves before it runs on.
    Asleep,
    /// Also before each step, each fact that is asked for, and each action.
    Anywhere,
    /// The model decides: where init blocks here, its time is up.
    Model,
}

/// The choices of one step, and which come next: all of them, depth first.
#[derive(Default)]
pub struct Script {
    /// For each choice: which one, of how many.
    choices: Vec<(usize, usize)>,
    at: usize,
}

impl Script {
    /// One of `options`, 0 first.
    pub fn choose(&mut self, options: usize) -> usize {
        if self.at == self.choices.len() {
            self.choices.push((0, options));
        }
        let (choice, of) = self.choices[self.at];
        assert_eq!(of, options, "a step is not the same twice");
        self.at += 1;
        choice
    }

    /// Was there anything to choose?
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }

    /// Goes on to the next script, if there is one.
    pub fn advance(&mut self) -> bool {
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

/// What a step needs beside the state.
pub struct Tools {
    pub mode: &'static Mode,
    pub fault: Fault,
    pub when: When,
    pub script: Script,
    pub log: Vec<Entry>,
}

/// All but the core.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    pub kernel: Kernel,
    pub judge: Judge,
    pub broken: Option<Broken>,
    /// How many moves may still happen.
    pub left: usize,
    /// After the last move no process ends but the child, unless time ends it.
    stubborn: Option<bool>,
    /// The signal that was taken last, and the one that is held.
    taken: Option<Signal>,
    held: Option<Signal>,
    /// The process that the teardown follows.
    followed: Option<usize>,
    /// Of [`Fault::TakesAfterReaping`]: the SIGCHLD that was seen is still to be taken.
    owes: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    pub core: Supervisor<'static>,
    pub next: Next,
    pub world: World,
}

impl State {
    /// The child was just started. The first event is no move's outcome, and is told here.
    pub fn new(tools: &mut Tools, left: usize) -> Self {
        let kernel = Kernel::new(tools.mode);
        let mut state = Self {
            core: Supervisor::new(&tools.mode.config, tools.mode.setup),
            next: Next::End(0),
            world: World {
                judge: Judge::new(&kernel, tools.mode),
                kernel,
                broken: None,
                left,
                stubborn: None,
                taken: None,
                held: None,
                followed: None,
                owes: false,
            },
        };
        state.advance(tools, |_| Event::Started);
        state
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.next, Next::End(_))
    }

    /// One step: what is next is done, and its outcome decided on.
    pub fn step(&mut self, tools: &mut Tools) {
        let next = self.next;
        if self.world.owes && matches!(next, Next::Wait { .. }) {
            Hands { world: &mut self.world, tools }.pause();
            self.world.owes = false;
            self.world.kernel.take(SignalSet::of(&[libc::SIGCHLD]));
            return;
        }
        if let (Next::StopSelf(_), false) = (next, self.world.kernel.init_is_stopped)
            && !tools.mode.setup.leads_session
        {
            // To be stopped and to be continued are two.
            self.world.kernel.raise(libc::SIGTSTP, |signal| signal.by_init = true);
            self.world.kernel.take(SignalSet::of(&[libc::SIGTSTP]));
            if !tools.mode.orphaned {
                self.world.kernel.init_is_stopped = true;
                return;
            }
        }
        self.advance(tools, |hands| hands.proceed(next));
    }

    /// As the loop of init/src/shell.rs: an event, a decision, its actions; then what is next.
    fn advance(&mut self, tools: &mut Tools, proceed: impl FnOnce(&mut Hands) -> Event) {
        let mut hands = Hands { world: &mut self.world, tools };
        let event = proceed(&mut hands);
        hands.note(Entry::Event(event));
        let view = View(RefCell::new(hands));
        let decision = faults::decide(&mut self.core, event, &view);
        let mut hands = view.0.into_inner();
        for action in decision.actions.iter() {
            hands.perform(action);
        }
        hands.note(Entry::Next(decision.next));
        self.next = decision.next;
    }

    /// The model lets something happen.
    #[cfg(feature = "model")]
    pub fn happen(&mut self, happens: Move, tools: &mut Tools) {
        self.world.kernel.happen(happens, tools.mode);
        Hands { world: &mut self.world, tools }.note(Entry::Happened(happens));
    }

    /// If the next step blocks, may it?
    #[cfg(feature = "model")]
    pub fn may_block(&self, mode: &Mode) -> bool {
        let World { kernel, judge, .. } = &self.world;
        let may = |end| judge.clone().read(Entry::Blocks { short: end <= kernel.now + 100 }, kernel, mode).is_ok();
        self.blocks().is_none_or(may)
    }

    /// Will the next step block, and until when? `Time::MAX`: without end.
    #[cfg(feature = "model")]
    pub fn blocks(&self) -> Option<Time> {
        let World { kernel, followed, owes, .. } = &self.world;
        match self.next {
            Next::Wait { signals, timeout } if !owes => {
                let wakes = !kernel.pending().and(signals).is_empty()
                    || followed.is_some_and(|index| !kernel.processes[index].lives());
                let end = timeout.map_or(Time::MAX, |timeout| kernel.now + Time::from(timeout.0));
                (!wakes && end > kernel.now && kernel.wait_error.is_none()).then_some(end)
            }
            Next::StopSelf(_) => {
                let continues = kernel.pending().contains(libc::SIGCONT);
                (kernel.init_is_stopped && !continues).then_some(Time::MAX)
            }
            _ => None,
        }
    }
}

/// The shell at work.
pub struct Hands<'a> {
    world: &'a mut World,
    pub tools: &'a mut Tools,
}

impl Hands<'_> {
    fn note(&mut self, entry: Entry) {
        self.tools.log.push(entry);
        let World { kernel, judge, broken, .. } = &mut *self.world;
        if let Err(why) = judge.read(entry, kernel, self.tools.mode) {
            broken.get_or_insert(why);
        }
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.tools.fault == fault
    }

    /// Something may happen here.
    fn pause(&mut self) {
        while self.tools.when == When::Anywhere && self.world.left > 0 && self.maybe(true, false) {}
    }

    /// Something happens, or, if it is `optional`, nothing. Has it?
    fn maybe(&mut self, optional: bool, timed: bool) -> bool {
        let mut possible = [Move::Term; MOVES.len()];
        let mut count = 0;
        for happens in MOVES {
            if self.world.kernel.is_possible(happens, self.tools.mode, timed) {
                possible[count] = happens;
                count += 1;
            }
        }
        let choice = self.tools.script.choose(count + usize::from(optional));
        if optional && choice == 0 {
            return false;
        }
        let happens = possible[choice - usize::from(optional)];
        self.world.kernel.happen(happens, self.tools.mode);
        self.note(Entry::Happened(happens));
        self.world.left -= 1;
        true
    }

    /// Blocks until `wakes`. False if the time is up before.
    fn block(&mut self, timeout: Option<Time>, wakes: impl Fn(&World) -> bool) -> bool {
        let end = timeout.map_or(Time::MAX, |timeout| self.world.kernel.now + timeout);
        let mut blocked = false;
        loop {
            if wakes(self.world) {
                // It does not run at once.
                if blocked && self.world.left > 0 && self.maybe(true, false) {
                    continue;
                }
                return true;
            }
            if self.world.kernel.now >= end || self.world.broken.is_some() {
                return false;
            }
            if !blocked {
                blocked = true;
                self.note(Entry::Blocks { short: timeout.is_some_and(|timeout| timeout <= 100) });
            }
            if self.tools.when == When::Model {
                self.world.kernel.now = end;
            } else if self.world.left > 0 {
                self.maybe(false, timeout.is_some());
            } else {
                self.conclude(end);
            }
        }
    }

    /// After the last move only what must happens: the child ends, then all others do; or else the time is up.
    fn conclude(&mut self, end: Time) {
        let World { kernel, stubborn, broken, .. } = &mut *self.world;
        if kernel.init_is_stopped {
            return kernel.happen(Move::Cont, self.tools.mode);
        }
        let living = kernel.processes.iter().position(|process| process.lives());
        let waits =
            living != Some(0) && end != Time::MAX && *stubborn.get_or_insert_with(|| self.tools.script.choose(2) == 1);
        let entry = match living {
            Some(index) if !waits => {
                let status = if index == 0 { 5 << 8 } else { 0 };
                kernel.die(index, status);
                Entry::Ended(index, status)
            }
            _ if end != Time::MAX => {
                kernel.now = end;
                Entry::Passed(end)
            }
            _ => {
                *broken = broken.or(Some("I18: it sleeps, and nothing will wake it"));
                return;
            }
        };
        self.note(entry);
    }

    /// Does what is next. The first line of each is what a fact is to [`Facts`]: here something may happen.
    fn proceed(&mut self, next: Next) -> Event {
        self.pause();
        match next {
            Next::Wait { signals, timeout } => self.wait(signals, timeout.map(|timeout| timeout.0.into())),
            Next::Reap { farewell } => self.reap(farewell),
            Next::Send(forward) => Event::Sent(forward, self.send(forward, self.world.taken)),
            Next::Resend(forward) => Event::Sent(forward, self.send(forward, self.world.held)),
            Next::KillChild => Event::ChildKilled(self.signal_child(libc::SIGKILL, 0)),
            Next::LookForSurvivors => Event::Looked(self.look_for_survivors()),
            Next::StopSelf(by) => {
                if self.world.kernel.init_is_stopped {
                    self.block(None, |world| world.kernel.pending().contains(libc::SIGCONT));
                    self.world.kernel.init_is_stopped = false;
                }
                Event::StoppedSelf(by)
            }
            Next::End(_) => unreachable!("it has ended"),
        }
    }

    fn wait(&mut self, signals: SignalSet, timeout: Option<Time>) -> Event {
        self.world.taken = None;
        match self.world.kernel.wait_error.take() {
            Some(libc::EINTR) => return Event::Quiet,
            Some(error) => return Event::WaitFailed(error),
            None => {}
        }
        let has_ended = |world: &World| world.followed.is_some_and(|index| !world.kernel.processes[index].lives());
        if !self.block(timeout, |world| !world.kernel.pending().and(signals).is_empty() || has_ended(world)) {
            return Event::Quiet;
        }
        if has_ended(self.world) && self.world.kernel.pending.is_empty() {
            self.world.followed = None;
            return Event::FollowedEnded;
        }
        let before = self.world.kernel.pending.clone();
        let Some(signal) = self.world.kernel.take(signals) else { return Event::Quiet };
        if self.has(Fault::TakesAfterReaping) && signal.received.number == libc::SIGCHLD {
            (self.world.kernel.pending, self.world.owes) = (before, true);
        }
        self.world.taken = Some(signal);
        Event::Signal(signal.received)
    }

    fn reap(&mut self, farewell: Option<i32>) -> Event {
        let kernel = &mut self.world.kernel;
        match kernel.reap_error.take() {
            Some(libc::ECHILD) => {
                kernel.lied = true;
                return Event::Drained { has_children: false };
            }
            Some(error) => return Event::ReapFailed(error),
            None => {}
        }
        let dead = kernel.processes.iter().position(|process| process.ours && process.is_zombie());
        if let Some(index) = dead
            && let Life::Dead(status) = kernel.processes[index].life
        {
            let pid = kernel.processes[index].pid;
            if farewell == Some(pid) {
                self.note(Entry::Farewell);
            }
            self.world.kernel.processes[index].life = Life::Reaped;
            return Event::Reaped(pid, status);
        }
        for process in &mut kernel.processes {
            process.undrained &= !process.ours;
        }
        // Without /proc it cannot see that a stop is no longer pending.
        kernel.undone &= kernel.child_is_stopped() || kernel.child_stop.is_some() || !self.tools.mode.proc;
        Event::Drained { has_children: kernel.processes.iter().any(|process| process.ours && process.lives()) }
    }

    /// kill(2) and its like to the child or its group: whatever else there is in that does not matter here.
    fn signal_child(&mut self, number: SignalNumber, received: SignalNumber) -> Result<(), i32> {
        let World { kernel, broken, .. } = &mut *self.world;
        if kernel.child().life == Life::Reaped {
            *broken = broken.or(Some("I12: a signal to what was reaped"));
            return Err(libc::ESRCH);
        }
        // Within a session every process may send SIGCONT (kernel/signal.c, `check_kill_permission`).
        if let Some(error) = kernel.refusal
            && error != libc::EAGAIN
            && (number != libc::SIGCONT || self.tools.mode.setup.session)
        {
            // The credentials of a stopped process do not change: what refuses SIGCONT refuses the next signal as well.
            if !kernel.child_is_stopped() && kernel.child_stop.is_none() {
                kernel.refusal = None;
            }
            // init has done what it may.
            kernel.asked_while_stopped &= number != libc::SIGCONT;
            return Err(error);
        }
        kernel.receive(0, number, received, self.tools.mode);
        Ok(())
    }

    fn send(&mut self, forward: Forward, info: Option<Signal>) -> Outcome {
        let kernel = &mut self.world.kernel;
        let value = info.map_or(0, |info| info.value);
        if forward.only_caught && !self.tools.mode.catches(forward.signal) {
            return Outcome::Uncaught;
        }
        if forward.with_info && is_real_time(forward.signal) && kernel.refusal == Some(libc::EAGAIN) {
            kernel.refusal = None;
            return Outcome::QueueFull;
        }
        match self.signal_child(forward.signal, forward.received) {
            Err(error) => Outcome::Refused(error),
            Ok(()) => {
                let World { kernel, broken, .. } = &mut *self.world;
                if value > 0 && std::mem::replace(&mut kernel.delivered, value) >= value {
                    *broken = broken.or(Some("I12: real-time signals do not arrive in order"));
                }
                Outcome::Sent
            }
        }
    }

    fn look_for_survivors(&mut self) -> Survivors {
        let World { kernel, followed, .. } = &mut *self.world;
        let mode = self.tools.mode;
        if followed.is_some_and(|index| kernel.processes[index].lives()) {
            return Survivors::Followed;
        }
        *followed = None;
        if !mode.proc {
            // kill(2) finds zombies as well; a subreaper finds nothing.
            let found = mode.is_pid_1() && kernel.is_any_left();
            return if found { Survivors::Unseen } else { Survivors::None };
        }
        for process in &mut kernel.processes {
            process.unseen &= !process.lives();
        }
        let found = kernel.processes.iter().position(|process| process.lives() && (process.ours || mode.is_pid_1()));
        match (found, mode.pidfd) {
            (None, _) => Survivors::None,
            (Some(_), false) => Survivors::Unfollowed,
            (Some(_), true) => {
                *followed = found;
                Survivors::Followed
            }
        }
    }

    fn perform(&mut self, action: Action) {
        self.pause();
        self.note(Entry::Did(action));
        let mode = self.tools.mode;
        match action {
            Action::Say(_) | Action::Settle => {}
            Action::Hold => self.world.held = self.world.taken,
            Action::Continue { .. } => drop(self.signal_child(libc::SIGCONT, 0)),
            Action::SendAll { signal, only_caught } => {
                for index in 0..self.world.kernel.processes.len() {
                    let process = &mut self.world.kernel.processes[index];
                    process.unseen &= !process.lives();
                    if (process.ours || mode.is_pid_1()) && (!only_caught || mode.catches(signal)) {
                        self.world.kernel.receive(index, signal, 0, mode);
                    }
                }
            }
            Action::GiveTerminal => self.world.kernel.foreground = CHILD,
            Action::TakeTerminal => self.world.kernel.foreground = mode.own_group(),
            Action::ConsumeStop => {
                if let Life::Stopped { told, .. } = &mut self.world.kernel.processes[0].life {
                    *told = true;
                }
            }
            Action::Sleep(time) => {
                self.block(Some(time.0.into()), |_| false);
            }
        }
    }
}

/// The shell as the core sees it. Before each fact something may happen.
pub struct View<'a>(pub RefCell<Hands<'a>>);

impl View<'_> {
    /// Something may happen; then the world is looked at.
    fn look(&self) -> Ref<'_, World> {
        self.0.borrow_mut().pause();
        Ref::map(self.0.borrow(), |hands| &*hands.world)
    }

    pub fn mode(&self) -> &'static Mode {
        self.0.borrow().tools.mode
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.0.borrow().has(fault)
    }
}

impl Facts for View<'_> {
    fn now(&self) -> core::Time {
        let now = self.look().kernel.now;
        core::Time(if self.has(Fault::StopsTheClock) { 0 } else { now })
    }

    fn child_stop(&self) -> Option<SignalNumber> {
        match self.look().kernel.child().life {
            Life::Stopped { by, told: false, .. } => Some(by),
            _ => None,
        }
    }

    fn child_will_stop(&self) -> bool {
        let blind = self.has(Fault::OverlooksPendingStop) || !self.mode().proc;
        !blind && self.look().kernel.child_stop.is_some()
    }

    fn child_catches(&self, signal: SignalNumber) -> bool {
        self.mode().catches(signal)
    }

    fn child_group(&self) -> Option<i32> {
        let mode = self.mode();
        (self.look().kernel.child().life != Life::Reaped).then_some(if mode.setup.own_group {
            CHILD
        } else {
            mode.own_group()
        })
    }

    fn foreground(&self) -> Option<i32> {
        let mode = self.mode();
        mode.setup.has_terminal.then(|| mode.seen(self.look().kernel.foreground))
    }

    fn may_read_terminal(&self) -> bool {
        self.look().kernel.foreground == self.mode().own_group()
    }

    fn session_is_foreground(&self) -> bool {
        self.mode().proc && self.look().kernel.foreground == CHILD
    }

    fn continue_is_pending(&self) -> bool {
        self.look().kernel.pending().contains(libc::SIGCONT)
    }

    fn proc_is_usable(&self) -> bool {
        self.mode().proc
    }

    fn out_of_memory_kills(&self) -> u32 {
        self.look().kernel.out_of_memory
    }
}
