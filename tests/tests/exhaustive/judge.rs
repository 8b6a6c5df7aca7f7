//! What must be true of every run. The judge reads only what was written down, knows the contract, and asks neither the core
//! nor the shell: a second opinion.

use crate::kernel::{CHILD, Errno, Life, Move, Pid, Process, Signal, Time, is_real_time};
use crate::machine::{Entry, LOOK, Machine, Outcome};
use crate::modes::Mode;
use init_core::options::{Id, Persona};
use init_core::signal::{SignalNumber, SignalSet};
use init_core::status::WaitStatus;
use init_core::supervisor::{Drained, Step};
use init_core::text::Text;

/// The promise that was broken.
pub type Broken = &'static str;

/// What is to become of a signal (I12, I14, I16).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It tells that a child has changed its state.
    Look,
    /// Nothing, and no word: init has raised it itself.
    Silence,
    /// Nothing, and this word where words are wanted.
    Told(Text),
    /// It goes to the child, as this number, once.
    Forward(SignalNumber),
    /// It goes to all that remain.
    All(SignalNumber),
    /// It hurries the teardown.
    Hurry,
}

/// TERM, INT, QUIT (I15).
const STOP_REQUESTS: [SignalNumber; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT];

/// How long init waits where a signal finds no room.
const RETRY: Time = 10;
/// And where a wait has failed.
const BREATH: Time = 1000;
/// And behind SIGKILL to all.
const LAST_SECOND: Time = 1000;

/// What is to become of `signal`, by the contract. `ended`: init has reaped the child.
fn fate(mode: &Mode, signal: Signal, ended: bool) -> Fate {
    let Signal { number, code, own } = signal;
    if number == libc::SIGCHLD {
        return Fate::Look;
    }
    let of_write = [libc::SIGPIPE, libc::SIGXFSZ].contains(&number);
    let of_hand_over = mode.session() && [libc::SIGHUP, libc::SIGCONT].contains(&number);
    if own && (of_write || of_hand_over) {
        return Fate::Silence;
    }
    let to_group =
        [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGWINCH].contains(&number);
    let of_hang_up = !mode.leads_session && [libc::SIGHUP, libc::SIGCONT].contains(&number);
    if !ended && !mode.own_group() && code == libc::SI_KERNEL && (to_group || of_hang_up) {
        return Fate::Told(Text::DroppedAsShared);
    }
    let number = mode.rules.iter().find(|(from, _)| *from == number).map_or(number, |(_, to)| *to);
    if number == 0 {
        return Fate::Told(Text::DroppedByRule);
    }
    if ended {
        return if STOP_REQUESTS.contains(&number) { Fate::Hurry } else { Fate::All(number) };
    }
    let harmless = [libc::SIGCONT, libc::SIGURG, libc::SIGWINCH, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    let only_if_caught = mode.config.is_on(Id::CaughtOnly)
        && mode.proc
        && !STOP_REQUESTS.contains(&number)
        && !harmless.contains(&number);
    if only_if_caught && !mode.catches(number) {
        return Fate::Told(Text::DroppedUncaught);
    }
    Fate::Forward(number)
}

/// How init must end when the child ended with `status` (I18), or with no status at all.
fn exit_status(mode: &Mode, status: Option<WaitStatus>) -> u8 {
    if mode.failure != 0 {
        return match mode.persona {
            Persona::DumbInit => 2,
            Persona::Catatonit => 1,
            Persona::Init if mode.failure == libc::ENOENT => 127,
            Persona::Init => 126,
        };
    }
    let Some(status) = status else { return 1 };
    let status =
        if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) as u8 } else { 128 + libc::WTERMSIG(status) as u8 };
    if mode.expected.contains(&status) { 0 } else { status }
}

/// The signal that is being dealt with.
struct Open {
    /// As it came.
    signal: Signal,
    /// What is to become of it.
    fate: Fate,
    /// How often it was sent.
    sends: u32,
    /// It found no room, and is held; or it was put back for those who remain.
    later: bool,
    /// The word on it was said.
    told: bool,
}

/// What the judge has seen so far.
struct Judge<'m> {
    /// How init runs.
    mode: &'m Mode,
    /// The signal that is being dealt with.
    open: Option<Open>,
    /// What is held for want of room.
    held: Option<SignalNumber>,
    /// What was just sent to the child's group, plainly, and refused.
    refused_group: Option<SignalNumber>,
    /// The child of a session has been reaped, and its group has not been told.
    farewell: bool,
    /// When the time is up that runs.
    deadline: Option<Time>,
    /// A time that is to be started.
    arming: Option<Time>,
    /// What the clock said last.
    clock: Time,
    /// How the child ended, once it is reaped.
    ended: Option<WaitStatus>,
    /// Signals received, forwarded and sent until then (I19).
    known: SignalSet,
    /// The last look for dead processes failed.
    failing: bool,
    /// init sleeps for a second.
    breathing: bool,
    /// It has just polled.
    polled: bool,
    /// What is to be sent to all by the step of the teardown that was taken.
    due: Vec<SignalNumber>,
    /// How many SIGKILLs the child is due.
    kills: u32,
    /// All were asked to end.
    asked: bool,
    /// All were killed.
    killed: bool,
    /// init gave up.
    gave_up: bool,
    /// The child was asked to end while it was stopped.
    asked_while_stopped: bool,
    /// It was stopped at some time.
    was_stopped: bool,
    /// The kernel has lied about it.
    lied: bool,
    /// There was no child any more, before it was reaped.
    lost: bool,
    /// And that was told.
    lost_told: bool,
    /// The last call that looked for somebody who is left, or dead.
    looked: u32,
    /// A stranger has come, of whom `wait4` says nothing, and nobody has looked since.
    unseen: bool,
    /// What was said of the child's end.
    told_end: Option<Text>,
}

/// `Err` if it is not so.
fn must(holds: bool, broken: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(broken) }
}

/// Judges one run.
pub fn judge(machine: &Machine, outcome: Outcome) -> Result<(), Broken> {
    let mut judge = Judge {
        mode: &machine.mode,
        open: None,
        held: None,
        refused_group: None,
        farewell: false,
        deadline: None,
        arming: None,
        clock: 0,
        ended: None,
        known: SignalSet::EMPTY,
        failing: false,
        breathing: false,
        polled: false,
        due: Vec::new(),
        kills: 0,
        asked: false,
        killed: false,
        gave_up: false,
        asked_while_stopped: false,
        was_stopped: false,
        lied: false,
        lost: false,
        lost_told: false,
        looked: 0,
        unseen: false,
        told_end: None,
    };
    must(machine.kernel.offence.is_none(), "I12: a signal to what was reaped, to init's own group, or to all")?;
    for entry in &machine.log {
        judge.read(*entry)?;
    }
    match outcome {
        Outcome::Ended(status) => judge.end(machine, status),
        Outcome::Asleep => Err("I18: it sleeps, and nothing will wake it"),
        Outcome::Busy => Err("I13: it never rests"),
    }
}

/// dumb-init's group gets TERM as soon as the child has been reaped, before anything else is done.
const FAREWELL: Broken = "I4: the child of a session has ended, and its group gets no TERM";

impl Judge<'_> {
    /// One entry.
    fn read(&mut self, entry: Entry) -> Result<(), Broken> {
        must(!self.farewell || matches!(entry, Entry::Sent { .. } | Entry::Happened(_)), FAREWELL)?;
        match entry {
            Entry::Happened(Move::Stops) => self.was_stopped = true,
            Entry::Happened(Move::ChildLost) => self.lied = true,
            Entry::Happened(Move::StrangerComes) => self.unseen = true,
            Entry::Happened(_) | Entry::Decided(_) | Entry::Died(..) | Entry::Passed(_) | Entry::Asked => {}
            Entry::Clock(now) => {
                self.clock = now;
                if let Some(time) = self.arming.take() {
                    self.deadline = Some(now + time);
                }
            }
            Entry::Waits { timeout, polls, .. } => self.waits(timeout, polls)?,
            Entry::Breathes => self.breathing = true,
            Entry::Sleeps { zombie, nobody_left, stopped, .. } => {
                if !self.breathing && !self.failing && !self.lied {
                    must(!zombie, "I13: it sleeps while a zombie lies there")?;
                    let alone = nobody_left && self.ended.is_some() && self.mode.proc;
                    must(!alone, "I14: it sleeps though nobody is left")?;
                }
                must(
                    !(stopped && self.asked_while_stopped),
                    "I15: a stopped child that was asked to end is not continued",
                )?;
            }
            Entry::Took(signal) => {
                self.close()?;
                let fate = fate(self.mode, signal, self.ended.is_some());
                if let (Some(_), Fate::Forward(number)) = (self.held, fate) {
                    must(!is_real_time(number), "I12: a real-time signal overtakes one that is held")?;
                }
                if self.ended.is_none() {
                    self.known = self.known.with(signal.number);
                }
                self.open = Some(Open { signal, fate, sends: 0, later: false, told: false });
            }
            Entry::Sent { target, number, queued, result, child } => {
                self.sent(target, number, queued, result, child)?
            }
            Entry::SentToEach(number, call) => {
                self.looked = call;
                self.unseen = false;
                must(!self.mode.pid1 || number == 0, "I14: PID 1 asks for its descendants")?;
                if number != 0 {
                    self.broadcast(number)?;
                }
            }
            Entry::Reaped(pid, status) => {
                self.close()?;
                self.failing = false;
                if pid == CHILD && self.ended.is_none() {
                    self.ended = Some(status);
                    self.farewell = self.mode.session();
                    (self.held, self.deadline) = (None, None);
                }
            }
            Entry::Drained(result, call) => {
                self.close()?;
                self.failing = false;
                match result {
                    Ok(()) => self.looked = call,
                    Err(Errno::EINTR) => {}
                    Err(Errno::ECHILD) => {
                        self.looked = call;
                        self.lost |= self.ended.is_none();
                    }
                    Err(_) => self.failing = true,
                }
            }
            Entry::StoppedItself => must(self.was_stopped, "I16: init stops, and its child did not")?,
            Entry::Said(text) => self.said(text)?,
            Entry::Stepped(step) => self.stepped(step)?,
            Entry::Concluded(Drained::Ask) => {
                let first = !self.asked && self.ended.is_some() && self.mode.grace > 0;
                must(first && !self.mode.config.is_on(Id::WaitAll), "I14: the teardown begins without a reason")?;
                self.ask();
            }
            Entry::Concluded(_) => {}
        }
        Ok(())
    }

    /// init goes to wait: all that was to be done must have been.
    fn waits(&mut self, timeout: Time, polls: bool) -> Result<(), Broken> {
        self.close()?;
        self.breathing = false;
        must(!self.lost, "I13: it waits for a child that is lost")?;
        must(self.arming.is_none(), "I14: a time that should run was not started")?;
        must(self.kills == 0, "I2: the child is overdue, and was not killed with its group")?;
        let reaches = self.mode.pid1 || self.mode.proc;
        must(self.due.is_empty() || !reaches, "I14: not all were told to end")?;
        self.due.clear();
        let mut wanted = if self.held.is_some() {
            RETRY
        } else if self.failing {
            BREATH
        } else {
            Time::MAX
        };
        if let Some(deadline) = self.deadline {
            // By the clock as it was read: it goes on between that and the wait, which then ends at once.
            must(deadline > self.clock || self.polled, "I14: a time was up, and nothing was done")?;
            wanted = wanted.min(deadline.saturating_sub(self.clock));
        }
        must(
            timeout == LOOK || timeout == if self.polled { 0 } else { wanted },
            "I13: the timer is not that of the time that runs",
        )?;
        self.polled = polls;
        if self.ended.is_some() && !self.mode.waits() && !self.failing {
            return Err("I18: the child has ended, and init waits on");
        }
        Ok(())
    }

    /// The signal that was taken has been dealt with: as it should?
    fn close(&mut self) -> Result<(), Broken> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let reaches = self.mode.pid1 || self.mode.proc;
        match open.fate {
            Fate::Forward(libc::SIGCONT) => must(open.sends >= 1 || open.later, "I12: a signal was not forwarded")?,
            Fate::Forward(_) if open.later => {
                must(open.sends == 0, "I12: a signal was forwarded, and is kept for later")?
            }
            Fate::Forward(_) => {
                must(open.sends > 0, "I12: a signal was not forwarded")?;
                must(open.sends == 1, "I12: a signal was forwarded twice")?;
            }
            Fate::All(_) => {
                must(open.sends == u32::from(reaches), "I14: a signal did not go to all that remain, once")?
            }
            Fate::Hurry => must(open.sends == 1, "I14: a stop request did not hurry the teardown")?,
            Fate::Told(_) => {
                must(open.sends == 0, "I12: a signal was forwarded that is to be dropped")?;
                must(open.told == self.mode.verbose(), "I12: a signal was dropped, and no rule named")?;
            }
            Fate::Look | Fate::Silence => must(open.sends == 0, "I12: a signal was forwarded that is init's own")?,
        }
        Ok(())
    }

    /// A signal went to somebody.
    fn sent(
        &mut self,
        target: Pid,
        number: SignalNumber,
        queued: bool,
        result: Result<(), Errno>,
        child: Life,
    ) -> Result<(), Broken> {
        if target == -1 {
            self.unseen = false;
            return if number == 0 { Ok(()) } else { self.broadcast(number) };
        }
        if target == self.mode.own_pid() {
            return self.sent_to_itself(number, child);
        }
        if self.farewell {
            self.farewell = false;
            return must((target, number) == (-CHILD, libc::SIGTERM), FAREWELL);
        }
        let stopped = matches!(child, Life::Stopped { .. });
        if number == libc::SIGCONT {
            self.asked_while_stopped = false;
        }
        let known = self.known.with(number);
        // Where the group cannot be reached it is the child alone: that is the same sending once more.
        let falls_back = target == CHILD && self.refused_group == Some(number);
        self.refused_group = (target == -CHILD && self.kills == 0 && !queued && result.is_err()).then_some(number);
        if falls_back {
            if result.is_ok() && stopped && STOP_REQUESTS.contains(&number) {
                self.asked_while_stopped = true;
            }
            return Ok(());
        }
        // With siginfo first, and plainly only if that is refused: one sending.
        let counts = !queued || result.is_ok();
        let no_room = queued && result == Err(Errno::EAGAIN);
        let right = target == self.mode.target() || number == libc::SIGCONT;
        if self.held == Some(number) && target == self.mode.target() {
            if counts {
                self.held = None;
            }
            return Ok(());
        }
        if let Some(open) = &mut self.open
            && open.fate == Fate::Forward(number)
            && right
        {
            must(!queued || open.signal.code < 0, "I12: siginfo that the kernel does not let pass")?;
            self.known = known;
            if no_room {
                self.held = Some(number);
                open.later = true;
            } else if counts {
                open.sends += 1;
            }
            if (counts || no_room) && self.deadline.is_none() && self.mode.stop.0.contains(&number) {
                self.arming = Some(self.mode.stop.1);
            }
            if result.is_ok() && stopped && STOP_REQUESTS.contains(&number) {
                self.asked_while_stopped = true;
            }
            return Ok(());
        }
        match number {
            libc::SIGCONT => must(self.was_stopped, "I15: SIGCONT to a child that was never stopped"),
            libc::SIGKILL if self.kills > 0 => {
                self.kills -= 1;
                Ok(())
            }
            _ => Err("I12: a signal that nobody asked for"),
        }
    }

    /// init sends itself a signal.
    fn sent_to_itself(&mut self, number: SignalNumber, child: Life) -> Result<(), Broken> {
        if number == libc::SIGTSTP {
            return must(self.was_stopped, "I16: init stops, and its child did not");
        }
        // What comes with the child's end under --wait-all is for those who remain.
        match &mut self.open {
            Some(open)
                if open.signal.number == number
                    && self.mode.config.is_on(Id::WaitAll)
                    && matches!(child, Life::Dead(_)) =>
            {
                open.later = true;
                Ok(())
            }
            _ => Err("I12: a signal to init itself"),
        }
    }

    /// A signal went to all that remain.
    fn broadcast(&mut self, number: SignalNumber) -> Result<(), Broken> {
        if self.due.first() == Some(&number) {
            self.due.remove(0);
            return Ok(());
        }
        match &mut self.open {
            Some(open) if open.fate == Fate::All(number) => open.sends += 1,
            // Again, for one that was forked behind the first look.
            _ => must(self.killed && number == libc::SIGKILL, "I14: a signal to all that nobody asked for")?,
        }
        Ok(())
    }

    /// The teardown begins.
    fn ask(&mut self) {
        self.asked = true;
        self.due = vec![libc::SIGTERM, libc::SIGCONT];
        self.arming = Some(self.mode.grace).filter(|grace| *grace > 0);
    }

    /// A step: because a time is up, or because somebody hurries.
    fn stepped(&mut self, step: Step) -> Result<(), Broken> {
        if let Some(open) = &mut self.open
            && open.fate == Fate::Hurry
        {
            open.sends += 1;
        } else {
            let deadline = self.deadline.take();
            must(deadline.is_some_and(|deadline| deadline <= self.clock), "I14: a step before its time")?;
        }
        let ended = self.ended.is_some();
        match step {
            Step::KillChild => {
                must(!ended, "I2: the child is killed when it has ended")?;
                self.kills = 2;
                self.known = self.known.with(libc::SIGKILL);
            }
            Step::Ask => {
                must(ended && !self.asked && self.mode.config.is_on(Id::WaitAll), "I14: all are asked to end twice")?;
                self.ask();
            }
            Step::Kill => {
                must(self.asked && !self.killed, "I14: what was not asked to end is killed")?;
                self.killed = true;
                self.due = vec![libc::SIGKILL];
                self.arming = Some(LAST_SECOND);
                self.deadline = None;
            }
            Step::GiveUp => {
                must(self.killed, "I14: it gives up what it has not killed")?;
                self.gave_up = true;
            }
            Step::Stay => must(self.killed, "I14: a time was up, and nothing was done")?,
        }
        Ok(())
    }

    /// A word.
    fn said(&mut self, text: Text) -> Result<(), Broken> {
        match text {
            Text::DroppedByRule | Text::DroppedAsShared | Text::DroppedUncaught => match &mut self.open {
                Some(open) if open.fate == Fate::Told(text) => open.told = true,
                _ => return Err("I12: a signal was dropped that no rule drops"),
            },
            Text::Lost => self.lost_told = true,
            Text::Killed | Text::Exited => self.told_end = Some(text),
            _ => {}
        }
        Ok(())
    }

    /// init has ended.
    fn end(mut self, machine: &Machine, status: u8) -> Result<(), Broken> {
        must(!self.farewell, FAREWELL)?;
        self.close()?;
        must(status == exit_status(self.mode, self.ended), "I18: the exit status is not the child's")?;
        must(self.lost == self.lost_told, "I13: a lost child is told, and only that")?;
        must(self.ended.is_some() || self.lost, "I13: it ends, and its child has not")?;
        // Only what died behind the last look is left.
        let zombie = machine.kernel.zombie();
        must(
            self.lied || zombie.is_none_or(|process| process.died >= self.looked),
            "I18: it ends, and a zombie is left",
        )?;
        let answers = self.mode.waits() && (self.mode.pid1 || self.mode.proc) && !self.gave_up && !self.lied;
        // --wait-all waits for descendants alone, until the teardown begins.
        let all = self.mode.grace > 0 && (self.asked || !self.mode.config.is_on(Id::WaitAll));
        let left =
            |process: &Process| process.lives() && process.born < self.looked && (process.ours || all && !self.unseen);
        must(!answers || !machine.kernel.processes.iter().any(left), "I14: it ends, and somebody is left")?;
        if let Some(ended) = self.ended {
            let signal = libc::WIFSIGNALED(ended).then(|| libc::WTERMSIG(ended));
            let unexplained = signal.is_some_and(|signal| !self.known.contains(signal));
            let text = if signal.is_some() { Text::Killed } else { Text::Exited };
            let wanted = (unexplained || self.mode.verbose()).then_some(text);
            must(self.told_end == wanted, "I19: an unexplained death is told, and only that")?;
        }
        Ok(())
    }
}
