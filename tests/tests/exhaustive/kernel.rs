//! A kernel as init sees it: pending signals, processes, a terminal, a clock. Nothing in it happens by itself: what can happen is
//! a [`Move`]. Its state is a value.

use crate::modes::Mode;
use init_core::signal::{self, SignalNumber, SignalSet};
use init_core::status::WaitStatus;
use init_core::supervise::Received;

pub type Pid = i32;
/// Milliseconds.
pub type Time = u64;

/// The child's pid, and its group's if it has its own.
pub const CHILD: Pid = 7;
/// Processes that become children of init's when their parent dies.
pub const ORPHANS: [Pid; 2] = [8, 9];
/// A process of `docker exec`: in the PID namespace, and no process's child there.
pub const STRANGER: Pid = 20;
/// A job of the child's.
pub const JOB: Pid = 30;
/// init's group if it is not PID 1, and that of the shell that started it.
pub const GROUP: Pid = 80;
pub const SHELL: Pid = 70;
/// The real-time signal that comes queued.
pub const REAL_TIME: SignalNumber = 40;
/// How far [`Move::Time`] moves the clock: past every time that a mode asks for.
pub const LONG: Time = 20_000;

/// A signal that is pending in init.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signal {
    pub received: Received,
    /// The value of a queued one: they count up.
    pub value: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Life {
    Unborn,
    Runs,
    Stopped {
        by: SignalNumber,
        /// init forwarded this stop for the signal with this number; 0 if another process sent it.
        asked: SignalNumber,
        /// A waiter has consumed it.
        told: bool,
    },
    Dead(WaitStatus),
    Reaped,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Process {
    pub pid: Pid,
    /// init is its parent.
    pub ours: bool,
    pub life: Life,
    /// It was sent SIGKILL, and ends as soon as it runs.
    pub doomed: bool,
    /// It was born or died since wait4 found nothing more to reap, and since init looked for survivors.
    pub undrained: bool,
    pub unseen: bool,
}

impl Process {
    pub const fn lives(&self) -> bool {
        matches!(self.life, Life::Runs | Life::Stopped { .. })
    }

    pub const fn is_zombie(&self) -> bool {
        matches!(self.life, Life::Dead(_))
    }
}

/// What can happen at any time without init.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Move {
    /// Another process sends one of these; the real-time signal is queued with a value.
    Term,
    Hup,
    Usr1,
    RealTime,
    Cont,
    /// The terminal sends one of these to init.
    TerminalInt,
    TerminalStop,
    /// init raises them in itself: by a write to a broken pipe, by `-p HUP`.
    OwnPipe,
    OwnHup,
    /// The child ends: by itself, by KILL, by TERM, by the out-of-memory killer, by ^C.
    Exits,
    Killed,
    Obeys,
    OutOfMemory,
    KeyKills,
    /// The child stops: by a stop that is pending in it, or else by TSTP; by another process's STOP, which first is pending; by
    /// TTIN, as it wants the terminal.
    Stops,
    StopComes,
    WantsTerminal,
    /// Another process continues the child.
    Continues,
    /// A process becomes a child of init's; the first of these ends.
    OrphanComes,
    OrphanDies,
    /// A process comes into the PID namespace from outside; it ends.
    StrangerComes,
    StrangerDies,
    /// The terminal's foreground group becomes that of init (as PID 1: of the child), or another one.
    Foreground,
    Background,
    Time,
    /// The next signal to the child is refused with this; EAGAIN only if it is queued.
    RefuseEperm,
    RefuseEsrch,
    RefuseEagain,
    /// The next wait for a signal returns without one, or fails.
    WaitInterrupted,
    WaitFails,
    /// The next wait4 fails, or says that there is no child.
    ReapFails,
    ChildLost,
}

pub const MOVES: [Move; 32] = {
    use Move::*;
    [
        Term,
        Hup,
        Usr1,
        RealTime,
        Cont,
        TerminalInt,
        TerminalStop,
        OwnPipe,
        OwnHup,
        Exits,
        Killed,
        Obeys,
        OutOfMemory,
        KeyKills,
        Stops,
        StopComes,
        WantsTerminal,
        Continues,
        OrphanComes,
        OrphanDies,
        StrangerComes,
        StrangerDies,
        Foreground,
        Background,
        Time,
        RefuseEperm,
        RefuseEsrch,
        RefuseEagain,
        WaitInterrupted,
        WaitFails,
        ReapFails,
        ChildLost,
    ]
};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kernel {
    /// In the order in which they came.
    pub pending: Vec<Signal>,
    /// The child, the orphans, the stranger.
    pub processes: [Process; 4],
    pub now: Time,
    /// The terminal's foreground group.
    pub foreground: Pid,
    /// init is stopped.
    pub init_is_stopped: bool,
    /// How many processes the out-of-memory killer has ended.
    pub out_of_memory: u32,
    /// A stop signal is pending in the child, and for which signal init forwarded it.
    pub child_stop: Option<(SignalNumber, SignalNumber)>,
    /// The child got a stop request while it was stopped, and was not continued since.
    pub asked_while_stopped: bool,
    /// Another process has undone a stop that init forwarded, and init has not looked since: it cannot tell that from the next.
    pub undone: bool,
    /// A stop came to it at some time.
    pub was_stopped: bool,
    /// The values that came, and the last one that reached the child.
    queued: u8,
    pub delivered: u8,
    /// What the next call fails with.
    pub refusal: Option<i32>,
    pub wait_error: Option<i32>,
    pub reap_error: Option<i32>,
    /// The kernel said ECHILD, and there were children.
    pub lied: bool,
}

impl Kernel {
    /// After the child's start.
    pub fn new(mode: &Mode) -> Self {
        let process = |pid, ours, life| Process { pid, ours, life, doomed: false, undrained: false, unseen: false };
        let before = if mode.zombie { Life::Dead(0) } else { Life::Unborn };
        let shown =
            if mode.setup.own_group && mode.setup.group > 0 || mode.setup.session { CHILD } else { mode.own_group() };
        Self {
            pending: Vec::new(),
            processes: [
                process(CHILD, true, Life::Runs),
                process(ORPHANS[0], true, before),
                process(ORPHANS[1], true, Life::Unborn),
                process(STRANGER, false, Life::Unborn),
            ],
            now: 1000,
            foreground: match (mode.terminal, mode.background) {
                (false, _) => 0,
                (true, true) => SHELL,
                (true, false) => shown,
            },
            init_is_stopped: false,
            // The cgroup of a container's PID 1 is new.
            out_of_memory: if mode.is_pid_1() { 0 } else { 2 },
            child_stop: None,
            asked_while_stopped: false,
            undone: false,
            was_stopped: false,
            queued: 0,
            delivered: 0,
            refusal: None,
            wait_error: None,
            reap_error: None,
            lied: false,
        }
    }

    pub const fn child(&self) -> &Process {
        &self.processes[0]
    }

    pub const fn child_is_stopped(&self) -> bool {
        matches!(self.child().life, Life::Stopped { .. })
    }

    /// Can this happen now, and does it make a difference in this mode? `timed`: init waits with a timeout.
    pub fn is_possible(&self, happens: Move, mode: &Mode, timed: bool) -> bool {
        let [child, orphan, other, stranger] = &self.processes;
        let setup = &mode.setup;
        match happens {
            Move::Term | Move::Hup | Move::Usr1 | Move::RealTime => true,
            Move::Cont | Move::TerminalStop => mode.job_control(),
            Move::TerminalInt => !setup.own_group || setup.session || mode.is_outside(),
            Move::OwnPipe => mode.verbose,
            Move::OwnHup => setup.session,
            Move::Exits | Move::Killed | Move::Obeys | Move::OutOfMemory => child.lives(),
            Move::KeyKills => child.lives() && setup.own_group && self.foreground == CHILD,
            Move::Stops => child.life == Life::Runs,
            Move::StopComes => child.life == Life::Runs && self.child_stop.is_none(),
            Move::WantsTerminal => child.life == Life::Runs && mode.terminal,
            Move::Continues => child.lives() && (child.life != Life::Runs || self.child_stop.is_some()),
            // It comes from below a process that lives: a child of init's, or a stranger.
            Move::OrphanComes => {
                self.processes.iter().any(Process::lives) && (orphan.life == Life::Unborn || other.life == Life::Unborn)
            }
            Move::OrphanDies => orphan.lives() || other.lives(),
            Move::StrangerComes => mode.is_pid_1() && mode.waits() && stranger.life == Life::Unborn,
            Move::StrangerDies => stranger.lives(),
            Move::Foreground | Move::Background => {
                mode.terminal && child.lives() && !setup.session && self.foreground != mode.front(happens)
            }
            Move::Time => timed || mode.timed(),
            Move::RefuseEperm | Move::RefuseEsrch | Move::RefuseEagain => self.refusal.is_none() && child.lives(),
            Move::WaitInterrupted | Move::WaitFails => self.wait_error.is_none(),
            Move::ReapFails => self.reap_error.is_none(),
            Move::ChildLost => self.reap_error.is_none() && child.life != Life::Reaped,
        }
    }

    pub fn happen(&mut self, happens: Move, mode: &Mode) {
        match happens {
            Move::Term => self.raise(libc::SIGTERM, |_| ()),
            Move::Hup => self.raise(libc::SIGHUP, |_| ()),
            Move::Usr1 => self.raise(libc::SIGUSR1, |_| ()),
            Move::RealTime => self.raise(REAL_TIME, |signal| signal.is_queued = true),
            Move::Cont => self.raise(libc::SIGCONT, |_| ()),
            Move::TerminalInt => self.raise(libc::SIGINT, |signal| signal.by_kernel = true),
            Move::TerminalStop => self.raise(libc::SIGTSTP, |signal| signal.by_kernel = true),
            Move::OwnPipe => self.raise(libc::SIGPIPE, |signal| signal.by_init = true),
            Move::OwnHup => self.raise(libc::SIGHUP, |signal| signal.by_init = true),
            Move::Exits => self.die(0, 3 << 8),
            Move::Killed => self.die(0, libc::SIGKILL),
            Move::Obeys => self.die(0, libc::SIGTERM),
            Move::OutOfMemory => {
                self.out_of_memory += 1;
                self.die(0, libc::SIGKILL);
            }
            Move::KeyKills => self.die(0, libc::SIGINT),
            Move::Stops => {
                let (by, asked) = self.child_stop.take().unwrap_or((libc::SIGTSTP, 0));
                self.stop_child(by, asked);
            }
            Move::StopComes => (self.child_stop, self.was_stopped) = (Some((libc::SIGSTOP, 0)), true),
            Move::WantsTerminal => self.stop_child(libc::SIGTTIN, 0),
            Move::Continues => self.continue_child(),
            Move::OrphanComes => {
                let index = if self.processes[1].life == Life::Unborn { 1 } else { 2 };
                self.bear(index);
            }
            Move::OrphanDies if self.processes[1].lives() => self.die(1, 0),
            Move::OrphanDies => self.die(2, libc::SIGKILL),
            Move::StrangerComes => self.bear(3),
            Move::StrangerDies => self.die(3, 0),
            Move::Foreground | Move::Background => self.foreground = mode.front(happens),
            Move::Time => self.now += LONG,
            Move::RefuseEperm => self.refusal = Some(libc::EPERM),
            Move::RefuseEsrch => self.refusal = Some(libc::ESRCH),
            Move::RefuseEagain => self.refusal = Some(libc::EAGAIN),
            Move::WaitInterrupted => self.wait_error = Some(libc::EINTR),
            Move::WaitFails => self.wait_error = Some(libc::EINVAL),
            Move::ReapFails => self.reap_error = Some(libc::EINVAL),
            Move::ChildLost => self.reap_error = Some(libc::ECHILD),
        }
    }

    const fn bear(&mut self, index: usize) {
        let process = &mut self.processes[index];
        (process.life, process.undrained, process.unseen) = (Life::Runs, true, true);
    }

    /// A process ends; one that was killed ends by that. Its parent is told; a stranger's parent, who reaps it, is outside.
    pub fn die(&mut self, index: usize, status: WaitStatus) {
        let process = &mut self.processes[index];
        let status = if process.doomed { libc::SIGKILL } else { status };
        process.life = if process.ours { Life::Dead(status) } else { Life::Reaped };
        (process.undrained, process.unseen) = (true, true);
        if index == 0 {
            (self.child_stop, self.asked_while_stopped) = (None, false);
        }
        if self.processes[index].ours {
            self.raise(libc::SIGCHLD, |_| ());
        }
    }

    fn stop_child(&mut self, by: SignalNumber, asked: SignalNumber) {
        self.processes[0].life = Life::Stopped { by, asked, told: false };
        self.was_stopped = true;
        self.raise(libc::SIGCHLD, |_| ());
    }

    fn continue_child(&mut self) {
        let stopped = matches!(self.child().life, Life::Stopped { asked: 1.., .. });
        self.undone |= stopped || matches!(self.child_stop, Some((_, 1..)));
        (self.child_stop, self.asked_while_stopped) = (None, false);
        if self.child_is_stopped() {
            self.processes[0].life = Life::Runs;
            self.raise(libc::SIGCHLD, |_| ());
        }
    }

    /// A signal comes to init, which blocks all of them (kernel/signal.c, `prepare_signal` and `__send_signal_locked`): a stop
    /// discards a pending SIGCONT and the other way round; a standard signal that is pending is merged.
    pub fn raise(&mut self, number: SignalNumber, change: impl FnOnce(&mut Received)) {
        let mut received = Received { number, by_kernel: false, by_init: false, is_queued: false };
        change(&mut received);
        if number == libc::SIGCONT {
            self.pending.retain(|other| !signal::STOPS.contains(other.received.number));
        } else if signal::STOPS.contains(number) {
            self.pending.retain(|other| other.received.number != libc::SIGCONT);
        }
        if is_real_time(number) {
            self.queued += 1;
        } else if self.pending().contains(number) {
            return;
        }
        self.pending.push(Signal { received, value: if is_real_time(number) { self.queued } else { 0 } });
    }

    pub fn pending(&self) -> SignalSet {
        self.pending.iter().fold(SignalSet::EMPTY, |set, signal| set.with(signal.received.number))
    }

    /// The pending signal that `rt_sigtimedwait(2)` takes of `set` (kernel/signal.c, `next_signal`): the lowest number.
    pub fn take(&mut self, set: SignalSet) -> Option<Signal> {
        let number = (1..=signal::MAX).find(|number| self.pending().and(set).contains(*number))?;
        let index = self.pending.iter().position(|signal| signal.received.number == number)?;
        Some(self.pending.remove(index))
    }

    /// A process gets a signal. What it then does, and when, is a move; only KILL and CONT leave it no choice.
    pub fn receive(&mut self, index: usize, number: SignalNumber, received: SignalNumber, mode: &Mode) {
        let process = &mut self.processes[index];
        process.doomed |= number == libc::SIGKILL && process.lives();
        if index > 0 || !process.lives() {
            return;
        }
        if number == libc::SIGCONT {
            self.continue_child();
        } else if signal::STOP_REQUESTS.contains(number) {
            // What is pending can be seen in /proc alone.
            self.asked_while_stopped |= self.child_is_stopped() || self.child_stop.is_some() && mode.proc;
        } else if number == libc::SIGSTOP || signal::STOPS.contains(number) && !mode.setup.session {
            // Of the child's own session the group is orphaned, and the kernel drops the other three.
            self.was_stopped = true;
            // A STOP is merged with one that is pending, and takes effect before the others.
            match (&mut self.processes[0].life, &mut self.child_stop) {
                (Life::Stopped { by: libc::SIGSTOP, asked, .. }, _) if number == libc::SIGSTOP => *asked = received,
                (Life::Stopped { .. }, _) => {}
                (_, stop) if number == libc::SIGSTOP || stop.is_none() => *stop = Some((number, received)),
                _ => {}
            }
        }
    }

    pub fn zombie(&self) -> Option<&Process> {
        self.processes.iter().find(|process| process.ours && process.is_zombie())
    }

    pub fn is_any_left(&self) -> bool {
        self.processes.iter().any(|process| process.lives() || process.is_zombie())
    }
}

/// Does the kernel queue it?
pub const fn is_real_time(number: SignalNumber) -> bool {
    number >= 32
}
