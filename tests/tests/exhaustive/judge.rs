//! What must be true of every run. The judge reads what is done and what happens, sees the kernel, knows the contract, and asks
//! neither core nor shell: a second opinion.

use crate::kernel::{CHILD, Kernel, Life, Process, Time, is_real_time};
use crate::modes::Mode;
use crate::shell::Entry;
use init_core::messages::{Message, Target, Text};
use init_core::signal::{SignalNumber, SignalSet};
use init_core::status::WaitStatus;
use init_core::supervise::{Action, Event, Forward, Next, Outcome, Received, Survivors};

/// The promise that was broken.
pub type Broken = &'static str;

/// What is to become of a signal (I2, I12, I14, I16).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Fate {
    /// It tells that a child has changed its state.
    Look,
    /// Nothing, and no message: init raised it by a message.
    Silence,
    /// Nothing but this message.
    Told(Message),
    /// It goes to the child, as this number, once.
    Forward(SignalNumber),
    /// It goes to all that remain.
    All(SignalNumber),
    /// It moves the teardown on.
    Hurry,
}

/// TERM, INT, QUIT (I15).
const STOP_REQUESTS: SignalSet = SignalSet::of(&[libc::SIGTERM, libc::SIGINT, libc::SIGQUIT]);
/// What a terminal stops a group by (I16).
const TERMINAL_STOPS: SignalSet = SignalSet::of(&[libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]);
/// Whose default action ends no process (signal(7)).
const HARMLESS: SignalSet =
    SignalSet::of(&[libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH, libc::SIGSTOP]).or(TERMINAL_STOPS);

/// Between two tries of a call that fails (I13); after SIGKILL to all (I14).
const SECOND: Time = 1000;
/// The longest wait of one that has to look again: for room in a queue, for a process that cannot be followed.
const SHORT: Time = 100;

/// What is to become of a signal. `ended`: init has reaped the child.
fn fate(mode: &Mode, received: Received, ended: bool) -> Fate {
    let number = received.number;
    if number == libc::SIGCHLD {
        return Fate::Look;
    }
    if received.by_init && [libc::SIGPIPE, libc::SIGXFSZ].contains(&number) {
        return Fate::Silence;
    }
    let keys = SignalSet::of(&[libc::SIGINT, libc::SIGQUIT, libc::SIGWINCH]).or(TERMINAL_STOPS);
    let hang_up = !mode.setup.leads_session && [libc::SIGHUP, libc::SIGCONT].contains(&number);
    if received.by_kernel && !ended && !mode.setup.own_group && (keys.contains(number) || hang_up) {
        return Fate::Told(Message::dropped_as_shared(number));
    }
    let to = mode.rules.iter().find(|(from, _)| *from == number).map_or(number, |(_, to)| *to);
    if to == 0 {
        return Fate::Told(Message::dropped_by_rule(number));
    }
    if ended {
        return if STOP_REQUESTS.contains(to) { Fate::Hurry } else { Fate::All(to) };
    }
    if only_if_caught(mode, to) && !mode.group && !mode.catches(to) {
        return Fate::Told(Message::not_caught_by_child(to));
    }
    Fate::Forward(to)
}

/// Does this signal go only to processes that catch it (`--caught-only`)?
fn only_if_caught(mode: &Mode, number: SignalNumber) -> bool {
    mode.caught_only && mode.proc && !STOP_REQUESTS.or(HARMLESS).contains(number)
}

/// How init must end when the child ended so (I18), or in an unknown way (I13).
fn exit_status(mode: &Mode, status: Option<WaitStatus>) -> u8 {
    let Some(status) = status else { return 1 };
    let exited = libc::WIFEXITED(status);
    let status = if exited { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) } as u8;
    if mode.expected.contains(&status) { 0 } else { status }
}

/// What is asked of init when it looks and finds the child stopped (I16).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Wanted {
    Nothing,
    /// init stops, too.
    Stop,
    /// It continues the child.
    Continue,
    /// The contract is silent.
    Anything,
}

fn wanted(mode: &Mode, kernel: &Kernel) -> Wanted {
    let Life::Stopped { by, asked, told: false } = kernel.child().life else { return Wanted::Nothing };
    let setup = &mode.setup;
    let by_terminal = TERMINAL_STOPS.contains(by);
    let of_child = mode.terminal && kernel.foreground == if setup.own_group { CHILD } else { mode.own_group() };
    if !mode.terminal && !setup.session {
        return Wanted::Nothing;
    }
    if by != libc::SIGTSTP && by_terminal && setup.own_group && kernel.foreground == mode.own_group() {
        // It asks for a terminal that is init's to give.
        return if mode.is_pid_1() { Wanted::Continue } else { Wanted::Anything };
    }
    if kernel.undone && by == libc::SIGSTOP {
        return Wanted::Anything;
    }
    if mode.is_pid_1() {
        // No shell could continue it. A STOP that init was asked to forward is a person's wish.
        let wish = by == libc::SIGSTOP && asked != 0;
        let seen = !setup.session || mode.proc;
        return if of_child && seen && !wish { Wanted::Continue } else { Wanted::Nothing };
    }
    let suspends = TERMINAL_STOPS.contains(asked);
    if kernel.pending().contains(libc::SIGCONT) {
        // All are being continued already.
        Wanted::Anything
    } else if setup.session {
        if by_terminal {
            Wanted::Anything
        } else if suspends {
            Wanted::Stop
        } else {
            Wanted::Nothing
        }
    } else if by_terminal || of_child {
        Wanted::Stop
    } else if suspends {
        Wanted::Anything
    } else {
        Wanted::Nothing
    }
}

/// A clock: when it is up, not before and not after; it is read at some time within a step.
type Clock = Option<(Time, Time)>;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Running,
    /// After the child's end, under --wait-all.
    Waiting,
    /// All were asked to end.
    Asked,
    /// All are killed.
    Killed,
    GaveUp,
}

/// The signal that is being dealt with.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Open {
    received: Received,
    fate: Fate,
    /// How often it was dealt with.
    done: u32,
}

/// What the judge has seen so far.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Judge {
    open: Option<Open>,
    /// What is held for want of room, and whether it is just sent again.
    held: Option<Forward>,
    resent: bool,
    /// When this step began, what happened in it, and what was done.
    step: Time,
    event: Event,
    continued: bool,
    gave: bool,
    /// Something has happened in this step: what init saw of the terminal and of stops may not be so any more.
    disturbed: bool,
    /// What was wanted of init when it looked, and what is to be said in this step.
    wanted: Wanted,
    due_message: Option<Message>,
    /// A clock that starts in this step.
    starts: Option<Time>,
    /// That of `--stop-timeout`, and that of the teardown; has the first one been started?
    stop_clock: Clock,
    deadline: Clock,
    stop_clock_used: bool,
    /// How the child ended, once it was reaped.
    ended: Option<WaitStatus>,
    phase: Phase,
    /// What is to be sent to all.
    due: Vec<SignalNumber>,
    /// A stop request was forwarded before the child's end.
    stop_requested: bool,
    /// How often the group of dumb-init's child was asked to end when the child had; `None` once that was judged.
    farewells: Option<u32>,
    /// The terminal was taken back since the child's end.
    took: bool,
    /// Signals received, forwarded and sent until then (I19).
    known: SignalSet,
    /// How many processes the out-of-memory killer had ended when init started, and when it had time to count; after the child's
    /// end: how many init may tell of.
    kills: (u32, Option<u32>),
    settled: bool,
    /// The last wait4 failed: when it is tried again. The wait for a signal failed. That was told.
    failing: Clock,
    breathing: bool,
    warned: bool,
    /// No child was left, and the child was not reaped; that was told.
    lost: bool,
    lost_told: bool,
    no_proc_told: bool,
    unfollowed: bool,
}

/// `Err` if it is not so.
fn must(holds: bool, broken: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(broken) }
}

fn is_killed(message: Message) -> bool {
    matches!(message.text, Text::ChildKilled | Text::OutOfMemoryOnce | Text::OutOfMemory)
}

/// The promise that a message keeps, which is said where it should not be, or not said.
fn promise(message: Message) -> Broken {
    match message.text {
        _ if is_killed(message) => "I19: an unexplained death is told, and only that",
        Text::ChildExited | Text::ChildLost => "I18: the child's end is told, and only that",
        Text::CannotWait => "I13: a failing call is told once",
        Text::DroppedAsShared | Text::DroppedByRule | Text::NotCaughtByChild => {
            "I12: a dropped signal is told with the rule"
        }
        _ => "I2: what is done is told, and only that",
    }
}

impl Judge {
    pub fn new(kernel: &Kernel, mode: &Mode) -> Self {
        Self {
            open: None,
            held: None,
            resent: false,
            step: kernel.now,
            event: Event::Started,
            continued: false,
            gave: false,
            disturbed: false,
            wanted: Wanted::Nothing,
            due_message: None,
            starts: None,
            stop_clock: None,
            deadline: None,
            stop_clock_used: false,
            ended: None,
            phase: Phase::Running,
            due: Vec::new(),
            stop_requested: false,
            farewells: Some(0),
            took: false,
            known: SignalSet::EMPTY,
            kills: (kernel.out_of_memory, mode.is_pid_1().then_some(kernel.out_of_memory)),
            settled: false,
            failing: None,
            breathing: false,
            warned: false,
            lost: false,
            lost_told: false,
            no_proc_told: false,
            unfollowed: false,
        }
    }

    pub fn read(&mut self, entry: Entry, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        match entry {
            Entry::Happened(_) | Entry::Ended(..) | Entry::Passed(_) => {
                self.disturbed = true;
                Ok(())
            }
            Entry::Event(event) => {
                (self.step, self.event) = (kernel.now, event);
                (self.disturbed, self.continued, self.gave, self.wanted) = (false, false, false, Wanted::Nothing);
                self.event(event, kernel, mode)
            }
            Entry::Did(action) => self.action(action, kernel, mode),
            Entry::Next(next) => self.next(next, kernel, mode),
            Entry::Farewell => {
                must(mode.setup.session && self.ended.is_none(), "I4: TERM to the group of another child")?;
                self.farewells = self.farewells.map(|count| count + 1);
                Ok(())
            }
            Entry::Blocks { short } => self.blocks(short, kernel, mode),
        }
    }

    /// Do all processes get TERM when the child has ended?
    fn begins_at_the_end(&self, mode: &Mode) -> bool {
        if mode.wait_all { self.stop_requested } else { mode.grace > 0 }
    }

    /// The teardown begins.
    fn ask(&mut self, mode: &Mode) {
        self.phase = Phase::Asked;
        self.due = if mode.reaches() { vec![libc::SIGTERM, libc::SIGCONT] } else { Vec::new() };
        self.starts = (mode.grace > 0).then_some(mode.grace);
    }

    /// It goes on to kill.
    fn kill(&mut self, mode: &Mode) {
        self.phase = Phase::Killed;
        self.due = if mode.reaches() { vec![libc::SIGKILL] } else { Vec::new() };
        (self.starts, self.deadline) = (Some(SECOND), None);
    }

    fn event(&mut self, event: Event, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        match event {
            Event::Started | Event::Quiet | Event::FollowedEnded | Event::StoppedSelf(_) => {}
            Event::Signal(received) => {
                let fate = fate(mode, received, self.ended.is_some());
                if let (Some(_), Fate::Forward(number)) = (self.held, fate) {
                    must(!is_real_time(number), "I12: a real-time signal overtakes one that is held")?;
                }
                if self.ended.is_none() {
                    self.known = self.known.with(received.number);
                }
                let mut done = 0;
                match (fate, self.phase) {
                    (Fate::Told(message), _) => self.due_message = Some(message),
                    // Cut short: that is told.
                    (Fate::Hurry, Phase::Asked) => {}
                    (Fate::Hurry, _) => {
                        done = 1;
                        if mode.wait_all && matches!(self.phase, Phase::Running | Phase::Waiting) {
                            self.ask(mode);
                        }
                    }
                    _ => {}
                }
                self.open = Some(Open { received, fate, done });
            }
            Event::Sent(forward, outcome) => {
                // What was refused explains no death.
                if outcome == Outcome::Sent {
                    self.known = self.known.with(forward.signal);
                }
                self.sent(forward, outcome, mode)?;
            }
            Event::WaitFailed(errno) | Event::ReapFailed(errno) => {
                self.breathing = matches!(event, Event::WaitFailed(_));
                if !self.breathing {
                    self.failing = Some((self.step + SECOND, self.step + SECOND));
                }
                self.due_message = (!self.warned).then_some(Message::cannot_wait(errno));
                self.warned = true;
            }
            Event::Reaped(pid, status) => {
                self.failing = None;
                if pid == CHILD && self.ended.is_none() {
                    self.child_ended(status, kernel, mode);
                } else if mode.warn_reaped {
                    self.due_message = Some(if libc::WIFSIGNALED(status) {
                        Message::reaped_killed(pid, libc::WTERMSIG(status))
                    } else {
                        Message::reaped_exited(pid, libc::WEXITSTATUS(status) as u8)
                    });
                }
            }
            Event::Drained { has_children } => {
                self.failing = None;
                self.lost |= self.ended.is_none() && !has_children;
                self.wanted = wanted(mode, kernel);
                if self.ended.is_some() && self.phase == Phase::Running {
                    if self.begins_at_the_end(mode) {
                        self.ask(mode);
                    } else {
                        self.phase = Phase::Waiting;
                    }
                }
            }
            Event::Looked(survivors) => self.unfollowed = survivors == Survivors::Unfollowed,
            Event::ChildKilled(Ok(())) => {
                self.known = self.known.with(libc::SIGKILL);
                self.due_message = Some(Message::stop_timeout(CHILD));
            }
            Event::ChildKilled(Err(errno)) => {
                let (signal, target) = (libc::SIGKILL, Target::Child(CHILD));
                self.due_message = Some(Message::cannot_send(signal, target, errno));
            }
        }
        Ok(())
    }

    /// A signal was forwarded, or was not.
    fn sent(&mut self, forward: Forward, outcome: Outcome, mode: &Mode) -> Result<(), Broken> {
        let Forward { received, signal, to_group, only_caught, .. } = forward;
        let target = if to_group { Target::Group(CHILD) } else { Target::Child(CHILD) };
        self.due_message = match outcome {
            Outcome::Sent if !only_caught => Some(Message::sent(signal, target)),
            Outcome::Refused(errno) => Some(Message::cannot_send(signal, target, errno)),
            Outcome::QueueFull if !self.resent => Some(Message::queue_full(signal)),
            _ => None,
        };
        if outcome == Outcome::QueueFull {
            self.held = Some(forward);
        } else if self.resent {
            self.held = None;
        }
        if !self.resent
            && let Some(open) = &mut self.open
        {
            open.done += 1;
        }
        self.resent = false;
        if outcome == Outcome::Sent {
            self.stop_requested |= STOP_REQUESTS.contains(signal);
            let on_list = mode.stop.0.contains(&received) || mode.stop.0.contains(&signal);
            if on_list && !self.stop_clock_used {
                self.starts = Some(mode.stop.1);
            }
        }
        Ok(())
    }

    /// The child was reaped.
    fn child_ended(&mut self, status: WaitStatus, kernel: &Kernel, mode: &Mode) {
        self.ended = Some(status);
        (self.held, self.stop_clock) = (None, None);
        self.due_message = if libc::WIFSIGNALED(status) {
            let signal = libc::WTERMSIG(status);
            // INT and QUIT are explained by a key; a session of the child's own has lost its terminal by now.
            let keys = [libc::SIGINT, libc::SIGQUIT].contains(&signal)
                && (mode.setup.session || mode.setup.own_group && kernel.foreground == CHILD);
            let explained = self.known.contains(signal) || keys;
            // What was killed before init had time to count need not be told.
            let least = if explained { 0 } else { kernel.out_of_memory - self.kills.1.unwrap_or(kernel.out_of_memory) };
            self.kills.1 = Some(kernel.out_of_memory - self.kills.0);
            (!explained || mode.verbose).then_some(Message::child_killed(CHILD, signal, least))
        } else {
            Some(Message::child_exited(CHILD, libc::WEXITSTATUS(status) as u8))
        };
    }

    fn action(&mut self, action: Action, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        let setup = &mode.setup;
        match action {
            Action::Say(message) => self.said(message, kernel, mode)?,
            Action::Settle => {
                must(!self.settled, "I11: what is not needed is dropped twice")?;
                self.settled = true;
                self.kills.1 = Some(kernel.out_of_memory);
            }
            Action::Hold => must(self.held.is_some(), "I12: a signal that found room is held")?,
            Action::Continue { group } => {
                must(self.ended.is_none(), "I12: a signal to what was reaped")?;
                must(group == setup.own_group, "I16: not the child's group is continued")?;
                must(kernel.was_stopped, "I15: SIGCONT to a child that was never stopped")?;
                let stop_request = matches!(self.event, Event::Sent(Forward { signal, .. }, Outcome::Sent) if STOP_REQUESTS.contains(signal));
                let may = stop_request || matches!(self.event, Event::StoppedSelf(_) | Event::Drained { .. });
                must(may, "I16: the child is continued without a reason")?;
                self.continued = true;
            }
            Action::SendAll { signal, only_caught } => {
                must(self.ended.is_some(), "I14: a signal to all before the child's end")?;
                must(mode.reaches(), "I14: a signal to all whom init cannot find")?;
                if self.due.first() == Some(&signal) && !only_caught {
                    self.due.remove(0);
                    if signal == libc::SIGTERM {
                        self.farewells = self.farewells.map(|count| count + 1);
                    }
                } else if let Some(open) = &mut self.open
                    && open.fate == Fate::All(signal)
                {
                    must(only_caught == only_if_caught(mode, signal), "I2: the wrong ones get a signal to all")?;
                    open.done += 1;
                } else {
                    // Again, for one that was forked meanwhile.
                    let again = self.phase == Phase::Killed && signal == libc::SIGKILL;
                    must(again, "I14: a signal to all that nothing asked for")?;
                }
            }
            Action::GiveTerminal => {
                must(self.ended.is_none() && setup.own_group && setup.has_terminal, "I16: a terminal to no group")?;
                let mine = kernel.foreground == mode.own_group() || self.disturbed;
                must(mine, "I16: it gives away another group's terminal")?;
                self.gave = true;
            }
            Action::TakeTerminal => {
                let below = self.ended.is_some() && mode.is_pid_1() && setup.leads_session;
                must(setup.group > 0 && setup.has_terminal, "I16: it takes a terminal that it has not")?;
                must(kernel.foreground == CHILD || below || self.disturbed, "I16: it takes another group's terminal")?;
                self.took |= self.ended.is_some();
            }
            Action::ConsumeStop => {}
            Action::Sleep(time) => {
                must(self.breathing && Time::from(time.0) == SECOND, "I13: it sleeps without a reason")?
            }
        }
        Ok(())
    }

    fn said(&mut self, message: Message, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        if let Some(due) = self.due_message.as_mut().filter(|due| is_killed(**due) && is_killed(message))
            && (due.number..=self.kills.1.unwrap_or(0) as i32).contains(&message.number)
        {
            (due.text, due.number) = (message.text, message.number);
        }
        if self.due_message == Some(message) {
            self.due_message = None;
            return Ok(());
        }
        let hurry = matches!(&self.open, Some(Open { fate: Fate::Hurry, .. }));
        let is_up = self.deadline.is_some_and(|(earliest, _)| earliest <= kernel.now);
        match message.text {
            Text::GraceOver => {
                must(self.phase == Phase::Asked && is_up, "I14: a step before its time")?;
                self.kill(mode);
            }
            Text::GraceCutShort => {
                must(self.phase == Phase::Asked && hurry, "I14: a step that nothing asked for")?;
                if let Some(open) = &mut self.open {
                    open.done += 1;
                }
                self.kill(mode);
            }
            Text::Left => {
                must(self.phase == Phase::Killed && is_up, "I14: it gives up before its time")?;
                self.phase = Phase::GaveUp;
            }
            Text::ChildLost => {
                must(self.lost, "I13: a lost child is told, and only that")?;
                self.lost_told = true;
            }
            Text::NoProc => {
                must(!mode.proc && !self.no_proc_told, "B3: a missing /proc is told once, and only that")?;
                self.no_proc_told = true;
            }
            Text::ChildStopped => {}
            _ => return Err(promise(message)),
        }
        Ok(())
    }

    /// The step is over: all that was to be done must have been.
    fn next(&mut self, next: Next, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        let setup = &mode.setup;
        if let Next::Send(forward) = next {
            self.sends(forward, mode)?;
        }
        must(self.due_message.is_none(), self.due_message.map_or("", promise))?;
        if let (Event::ReapFailed(_), Some((_, latest))) = (self.event, &mut self.failing) {
            *latest = kernel.now + SECOND;
        }
        if let Some(time) = self.starts.take() {
            let clock = Some((self.step + time, kernel.now + time));
            if self.ended.is_none() {
                (self.stop_clock, self.stop_clock_used) = (clock, true);
            } else {
                self.deadline = clock;
            }
        }
        if matches!(self.event, Event::Drained { .. }) && self.ended.is_none() && !self.lost && !self.disturbed {
            let stops = matches!(next, Next::StopSelf(_));
            match self.wanted {
                Wanted::Stop => must(stops, "I16: the child stopped, and init does not")?,
                Wanted::Continue => must(self.continued, "I16: a stopped child that no shell could continue")?,
                Wanted::Nothing => {
                    must(!stops, "I16: a stop from elsewhere stops init")?;
                    must(!self.continued, "I16: a stop from elsewhere is undone")?;
                }
                Wanted::Anything => {}
            }
        }
        if let (Event::Signal(_), Some(Open { fate: Fate::Forward(libc::SIGCONT), .. })) = (self.event, &self.open)
            && setup.own_group
            && setup.has_terminal
            && !mode.is_pid_1()
            && kernel.foreground == mode.own_group()
            && !self.disturbed
        {
            must(self.gave, "I16: CONT came, and the child does not get the terminal again")?;
        }
        match next {
            Next::Wait { signals, timeout } => self.waits(signals, timeout.map(|time| time.0.into()), kernel, mode),
            Next::Reap { .. } => self.close(mode),
            Next::Send(_) | Next::LookForSurvivors => Ok(()),
            Next::Resend(forward) => {
                self.resent = true;
                must(self.held == Some(forward), "I12: a signal that nothing asked for")
            }
            Next::KillChild => {
                let is_up = self.stop_clock.is_some_and(|(earliest, _)| earliest <= kernel.now);
                must(self.ended.is_none() && is_up, "I2: the child is killed before its time")?;
                self.stop_clock = None;
                Ok(())
            }
            Next::StopSelf(_) => {
                must(!mode.is_pid_1(), "I16: PID 1 stops itself")?;
                let discards = kernel.pending().contains(libc::SIGCONT) && !self.disturbed;
                must(!discards, "I12: init stops, and discards a SIGCONT")?;
                must(matches!(self.event, Event::Drained { .. }), "I16: init stops, and looked for no stop")?;
                let shown = setup.has_terminal && setup.own_group && setup.group > 0 && kernel.foreground == CHILD;
                must(!shown, "I16: init stops, and leaves the terminal to the child")
            }
            Next::End(status) => self.ends(status, kernel, mode),
        }
    }

    /// A signal is forwarded: the right one, to the right target.
    fn sends(&mut self, forward: Forward, mode: &Mode) -> Result<(), Broken> {
        let Some(open) = &self.open else { return Err("I12: a signal that nothing asked for") };
        let Forward { received, signal, to_group, only_caught, with_info } = forward;
        must(self.ended.is_none(), "I12: a signal to what was reaped")?;
        must(
            open.fate == Fate::Forward(signal) && received == open.received.number,
            "I12: a signal that nothing asked for",
        )?;
        must(open.done == 0, "I12: a signal is forwarded twice")?;
        must(with_info == open.received.is_queued, "I12: the siginfo is lost, or made up")?;
        must(only_caught == (to_group && only_if_caught(mode, signal)), "I2: caught or not, another one gets it")?;
        // CONT is for what a terminal has stopped, and a key that the terminal sent to init's group for the child's.
        let either = mode.setup.own_group && (signal == libc::SIGCONT || open.received.by_kernel && mode.is_outside());
        must(to_group == mode.group || either, "I12: a signal to a group that it is not for")?;
        if signal == libc::SIGCONT && mode.setup.own_group && !mode.is_pid_1() && !with_info {
            must(to_group, "I16: CONT came, and not the whole group gets it")?;
        }
        Ok(())
    }

    /// The signal that was taken has been dealt with: as it should?
    fn close(&mut self, mode: &Mode) -> Result<(), Broken> {
        let Some(open) = self.open.take() else { return Ok(()) };
        match open.fate {
            Fate::Forward(_) => must(open.done == 1, "I12: a signal was not forwarded, or twice"),
            Fate::All(_) => {
                must(open.done == u32::from(mode.reaches()), "I14: a signal did not go to all that remain, once")
            }
            Fate::Hurry => must(open.done == 1, "I14: a stop request does not move the teardown on"),
            Fate::Look | Fate::Silence | Fate::Told(_) => {
                must(open.done == 0, "I12: a signal was forwarded that is to be dropped")
            }
        }
    }

    /// init goes to wait.
    fn waits(&mut self, signals: SignalSet, timeout: Option<Time>, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        self.close(mode)?;
        self.breathing = false;
        must(self.settled || timeout == Some(0), "I11: init waits, and keeps what it does not need")?;
        must(!self.lost, "I13: it waits for a child that is lost")?;
        must(self.due.is_empty(), "I14: not all were told to end")?;
        if self.ended.is_some() {
            self.farewell(kernel, mode)?;
        }
        let is_over = self.ended.is_some() && !mode.waits() && self.failing.is_none();
        must(!is_over, "I18: the child has ended, and init waits on")?;
        let all = if self.held.is_some() {
            SignalSet::of(&[libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD])
        } else {
            SignalSet::from_bits(u64::MAX)
        };
        must(all.without(signals).is_empty(), "I12: a signal is not waited for")?;
        if !self.settled {
            return Ok(());
        }
        let mut within = (Time::MAX, Time::MAX);
        let mut at_most = |least: Time, most: Time| within = (within.0.min(least), within.1.min(most));
        if let Some((earliest, latest)) = if self.ended.is_none() { self.stop_clock } else { self.deadline } {
            must(self.step < latest, "I14: a time was up, and nothing was done")?;
            at_most(earliest.saturating_sub(kernel.now), latest - self.step);
        }
        if let Some((earliest, latest)) = self.failing {
            must(self.step < latest, "I13: a failing call is not tried again")?;
            at_most(earliest.saturating_sub(kernel.now), latest - self.step);
        }
        if self.held.is_some() || self.unfollowed {
            at_most(1, SHORT);
        }
        let timeout = timeout.unwrap_or(Time::MAX);
        must((within.0..=within.1).contains(&timeout), "I13: the timeout is not that of the time that runs")
    }

    /// It blocks.
    fn blocks(&mut self, short: bool, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        let excused = self.breathing || self.failing.is_some() || kernel.lied || kernel.init_is_stopped;
        must(excused || kernel.zombie().is_none(), "I13: it sleeps while a zombie lies there")?;
        let alone = self.ended.is_some() && !kernel.is_any_left() && mode.proc && !short;
        must(excused || !alone, "I14: it sleeps though no process is left")?;
        let spared = |process: &Process| process.lives() && process.ours && !process.undrained && !process.doomed;
        let must_kill = self.phase == Phase::Killed && mode.reaches() && !excused;
        must(!must_kill || !kernel.processes.iter().any(spared), "I14: a survivor is not killed")?;
        must(
            kernel.init_is_stopped || !kernel.asked_while_stopped,
            "I15: a stopped child that was asked to end is not continued",
        )?;
        if self.ended.is_some() && !self.breathing { self.terminal_is_back(kernel, mode) } else { Ok(()) }
    }

    /// The group of dumb-init's child gets TERM when the child has ended, once (I4).
    fn farewell(&mut self, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        let Some(count) = self.farewells.take() else { return Ok(()) };
        let wanted = mode.setup.session && !kernel.lied && self.failing.is_none();
        // Where no process is left none can get it.
        let right = count == 1 || count == 0 && !kernel.processes.iter().any(|process| process.lives());
        must(!wanted || right, "I4: the child has ended, and its group does not get TERM once")
    }

    /// The child has ended: the terminal is init's (I14, I16).
    fn terminal_is_back(&self, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        let setup = &mode.setup;
        let mine = setup.has_terminal && setup.own_group && setup.group > 0;
        must(!mine || kernel.foreground != CHILD, "I14: the child has ended, and its group has the terminal")?;
        let takes = mine && mode.is_pid_1() && setup.leads_session && self.ended.is_some();
        must(!takes || self.took, "I14: the child has ended, and init has not taken the terminal")
    }

    /// init ends.
    fn ends(&mut self, status: u8, kernel: &Kernel, mode: &Mode) -> Result<(), Broken> {
        self.close(mode)?;
        must(status == exit_status(mode, self.ended), "I18: the exit status is not the child's")?;
        must(self.lost == self.lost_told, "I13: a lost child is told, and only that")?;
        must(self.ended.is_some() || self.lost, "I13: it ends, and its child has not")?;
        // Only what died after the last look is left.
        must(
            kernel.lied || self.failing.is_some() || kernel.zombie().is_none_or(|zombie| zombie.undrained),
            "I18: it ends, and a zombie is left",
        )?;
        let answers = mode.waits() && mode.reaches() && self.phase != Phase::GaveUp && !kernel.lied;
        // --wait-all waits for descendants alone, until the teardown looks for all that remain.
        let all = self.phase == Phase::Killed || self.phase == Phase::Asked && mode.grace > 0;
        let left = kernel
            .processes
            .iter()
            .any(|process| process.lives() && if all { !process.unseen } else { process.ours && !process.undrained });
        must(!answers || !left, "I14: it ends, and a process is left")?;
        self.farewell(kernel, mode)?;
        if self.disturbed { Ok(()) } else { self.terminal_is_back(kernel, mode) }
    }
}
