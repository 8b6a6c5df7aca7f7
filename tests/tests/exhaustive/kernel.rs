//! A kernel as far as init sees it: signals that wait, processes, a clock. It does nothing by itself; what happens in it is a
//! [`Move`], and what init asks of it is a method with the name of the system call. Its state can be compared and hashed.

use crate::modes::Mode;
use init_core::signal::{self, SignalNumber};
use init_core::status::WaitStatus;

/// As the kernel counts processes.
pub type Pid = i32;
/// Milliseconds.
pub type Time = u64;

/// No timeout.
pub const FOREVER: Time = Time::MAX;
/// The child's pid, and its group's if it has its own.
pub const CHILD: Pid = 7;
/// Processes that may become init's children when their parent dies.
pub const ORPHANS: [Pid; 2] = [8, 9];
/// One that `docker exec` puts into the PID namespace: nobody's child there (facts: ppid 0).
pub const STRANGER: Pid = 20;
/// init's own group where it is not PID 1.
pub const GROUP: Pid = 80;
/// The real-time signal that comes queued.
pub const REAL_TIME: SignalNumber = 40;
/// What the child exits with.
pub const EXIT: WaitStatus = 3 << 8;
/// How far a [`Move::Time`] moves the clock: past every time that a mode asks for.
pub const LONG: Time = 20_000;

/// An error number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Errno(i32);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Self = Self(libc::EPERM);
    /// No such process.
    pub const ESRCH: Self = Self(libc::ESRCH);
    /// Interrupted.
    pub const EINTR: Self = Self(libc::EINTR);
    /// The time is up, or there is no room.
    pub const EAGAIN: Self = Self(libc::EAGAIN);
    /// No child.
    pub const ECHILD: Self = Self(libc::ECHILD);
    /// Anything else.
    pub const EINVAL: Self = Self(libc::EINVAL);
    /// No controlling terminal.
    pub const ENOTTY: Self = Self(libc::ENOTTY);

    /// As people know it.
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// A signal, as far as init looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Signal {
    /// 1–64.
    pub number: SignalNumber,
    /// `si_code`.
    pub code: i32,
    /// init is the sender.
    pub own: bool,
}

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Life {
    /// It is not there yet.
    Unborn,
    /// It runs.
    Runs,
    /// A signal has stopped it; `told` once a waiter has taken the stop.
    Stopped {
        /// That signal.
        by: SignalNumber,
        /// A waiter has been told.
        told: bool,
    },
    /// A zombie, with its wait status.
    Dead(WaitStatus),
    /// Nothing is left; its number is free.
    Reaped,
}

/// One process beside init.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Process {
    /// Its pid.
    pub pid: Pid,
    /// init is its parent.
    pub ours: bool,
    /// What it does.
    pub life: Life,
    /// It was sent SIGKILL, and ends as soon as it is scheduled.
    pub doomed: bool,
    /// Which call of init's came first after it was born.
    pub born: u32,
    /// The same of its death.
    pub died: u32,
}

impl Process {
    /// Has it been born, and not died?
    pub const fn lives(&self) -> bool {
        matches!(self.life, Life::Runs | Life::Stopped { .. })
    }

    /// Is it dead, and not reaped?
    pub const fn is_zombie(&self) -> bool {
        matches!(self.life, Life::Dead(_))
    }
}

/// What can happen at any time, without init.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Move {
    /// Somebody sends SIGTERM.
    Term,
    /// Somebody sends SIGHUP.
    Hup,
    /// Somebody sends SIGUSR1.
    Usr1,
    /// Somebody queues a real-time signal, with a value.
    RealTime,
    /// Somebody sends SIGCONT.
    Cont,
    /// The terminal sends SIGINT.
    TerminalInt,
    /// The terminal sends SIGTSTP.
    TerminalStop,
    /// A write of init's own raises SIGPIPE.
    OwnPipe,
    /// The child exits.
    Exits,
    /// Somebody kills the child.
    Killed,
    /// The child stops itself, as by ^Z.
    Stops,
    /// Somebody continues the child.
    Continues,
    /// A process is orphaned, and becomes a child of init's.
    OrphanComes,
    /// One of these ends.
    OrphanDies,
    /// A process is put into the PID namespace from outside.
    StrangerComes,
    /// It ends.
    StrangerDies,
    /// Time passes.
    Time,
    /// The next signal to the child is refused with EPERM (a setuid program).
    RefuseEperm,
    /// The same with ESRCH.
    RefuseEsrch,
    /// The next signal that is queued to the child finds no room: EAGAIN.
    RefuseEagain,
    /// The next wait for a signal is interrupted: EINTR.
    WaitInterrupted,
    /// The next wait for a signal fails.
    WaitFails,
    /// The next wait for a process is interrupted: EINTR.
    ReapInterrupted,
    /// The next wait for a process fails.
    ReapFails,
    /// The next wait for a process says ECHILD, though the child is not reaped.
    ChildLost,
}

/// All of them.
pub const MOVES: [Move; 25] = [
    Move::Term,
    Move::Hup,
    Move::Usr1,
    Move::RealTime,
    Move::Cont,
    Move::TerminalInt,
    Move::TerminalStop,
    Move::OwnPipe,
    Move::Exits,
    Move::Killed,
    Move::Stops,
    Move::Continues,
    Move::OrphanComes,
    Move::OrphanDies,
    Move::StrangerComes,
    Move::StrangerDies,
    Move::Time,
    Move::RefuseEperm,
    Move::RefuseEsrch,
    Move::RefuseEagain,
    Move::WaitInterrupted,
    Move::WaitFails,
    Move::ReapInterrupted,
    Move::ReapFails,
    Move::ChildLost,
];

/// A thing that must not happen, whatever comes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Offence {
    /// A signal to a process, or to its group, that was reaped.
    ToReaped,
    /// A signal to init's own group, to a group that is not there, or to all outside the teardown.
    ToWrongTarget,
}

/// The state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kernel {
    /// init's pid.
    pub own_pid: Pid,
    /// The child has its own group.
    own_group: bool,
    /// And its own session.
    session: bool,
    /// The signals that wait for init, in the order in which they came.
    pub pending: Vec<Signal>,
    /// The child, the orphans, the stranger.
    pub processes: [Process; 4],
    /// The clock.
    pub now: Time,
    /// How many calls init has made. The model of kernel and init leaves it at 0.
    pub calls: u32,
    /// The foreground group of the terminal.
    pub foreground: Pid,
    /// With what the next signal to the child is refused.
    refusal: Option<Errno>,
    /// With what the next wait for a signal fails.
    wait_error: Option<Errno>,
    /// With what the next wait for a process fails.
    reap_error: Option<Errno>,
    /// The first offence.
    pub offence: Option<Offence>,
}

/// The bit of a signal in a mask of the kernel's.
pub const fn bit(number: SignalNumber) -> u64 {
    1 << (number - 1)
}

/// What stops a process (signal(7)).
const STOPPING: [SignalNumber; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// What is taken before all others (kernel/signal.c, `SYNCHRONOUS_MASK`).
const SYNCHRONOUS: u64 = bit(libc::SIGSEGV)
    | bit(libc::SIGBUS)
    | bit(libc::SIGILL)
    | bit(libc::SIGTRAP)
    | bit(libc::SIGFPE)
    | bit(libc::SIGSYS);

impl Kernel {
    /// Behind the child's start.
    pub fn new(mode: &Mode) -> Self {
        let process = |pid, ours, life| Process { pid, ours, life, doomed: false, born: 0, died: 0 };
        Self {
            own_pid: mode.own_pid(),
            own_group: mode.own_group(),
            session: mode.session(),
            pending: Vec::new(),
            processes: [
                process(CHILD, true, Life::Runs),
                process(ORPHANS[0], true, Life::Unborn),
                process(ORPHANS[1], true, Life::Unborn),
                process(STRANGER, false, Life::Unborn),
            ],
            now: 1000,
            calls: 0,
            foreground: if mode.own_group() { CHILD } else { mode.group() },
            refusal: None,
            wait_error: None,
            reap_error: None,
            offence: None,
        }
    }

    /// The child.
    pub const fn child(&self) -> &Process {
        &self.processes[0]
    }

    /// Can this happen now, and does it make a difference in this mode?
    pub fn is_possible(&self, happens: Move, mode: &Mode, timed: bool) -> bool {
        let [child, orphan, other, stranger] = &self.processes;
        match happens {
            Move::Term | Move::Hup | Move::Usr1 | Move::RealTime => true,
            Move::Cont | Move::TerminalStop => mode.job_control(),
            Move::TerminalInt => !mode.own_group() || mode.session(),
            Move::OwnPipe => mode.verbose(),
            Move::Exits | Move::Killed => child.lives(),
            Move::Stops => child.life == Life::Runs,
            Move::Continues => matches!(child.life, Life::Stopped { .. }),
            // It comes from below one who lives: a child of init's, or a stranger.
            Move::OrphanComes => {
                self.processes.iter().any(Process::lives) && (orphan.life == Life::Unborn || other.life == Life::Unborn)
            }
            Move::OrphanDies => orphan.lives() || other.lives(),
            Move::StrangerComes => mode.pid1 && mode.waits() && stranger.life == Life::Unborn,
            Move::StrangerDies => stranger.lives(),
            Move::Time => timed || mode.timed(),
            Move::RefuseEperm | Move::RefuseEsrch | Move::RefuseEagain => self.refusal.is_none() && child.lives(),
            Move::WaitInterrupted | Move::WaitFails => self.wait_error.is_none(),
            Move::ReapInterrupted | Move::ReapFails => self.reap_error.is_none(),
            Move::ChildLost => self.reap_error.is_none() && child.life != Life::Reaped,
        }
    }

    /// Lets it happen.
    pub fn happen(&mut self, happens: Move) {
        let plain = |number| Signal { number, code: libc::SI_USER, own: false };
        let terminal = |number| Signal { number, code: libc::SI_KERNEL, own: false };
        match happens {
            Move::Term => self.raise(plain(libc::SIGTERM)),
            Move::Hup => self.raise(plain(libc::SIGHUP)),
            Move::Usr1 => self.raise(plain(libc::SIGUSR1)),
            Move::RealTime => self.raise(Signal { code: libc::SI_QUEUE, ..plain(REAL_TIME) }),
            Move::Cont => self.raise(plain(libc::SIGCONT)),
            Move::TerminalInt => self.raise(terminal(libc::SIGINT)),
            Move::TerminalStop => self.raise(terminal(libc::SIGTSTP)),
            Move::OwnPipe => self.raise(Signal { own: true, ..plain(libc::SIGPIPE) }),
            Move::Exits => self.die(0, EXIT),
            Move::Killed => self.die(0, libc::SIGKILL),
            Move::Stops => {
                self.processes[0].life = Life::Stopped { by: libc::SIGTSTP, told: false };
                self.raise_sigchld();
            }
            Move::Continues => self.continue_child(),
            Move::OrphanComes => {
                let index = if self.processes[1].life == Life::Unborn { 1 } else { 2 };
                self.bear(index);
            }
            Move::OrphanDies => {
                let index = if self.processes[1].lives() { 1 } else { 2 };
                self.die(index, if index == 1 { 0 } else { libc::SIGKILL });
            }
            Move::StrangerComes => self.bear(3),
            Move::StrangerDies => self.die(3, 0),
            Move::Time => self.now += LONG,
            Move::RefuseEperm => self.refusal = Some(Errno::EPERM),
            Move::RefuseEsrch => self.refusal = Some(Errno::ESRCH),
            Move::RefuseEagain => self.refusal = Some(Errno::EAGAIN),
            Move::WaitInterrupted => self.wait_error = Some(Errno::EINTR),
            Move::WaitFails => self.wait_error = Some(Errno::EINVAL),
            Move::ReapInterrupted => self.reap_error = Some(Errno::EINTR),
            Move::ReapFails => self.reap_error = Some(Errno::EINVAL),
            Move::ChildLost => self.reap_error = Some(Errno::ECHILD),
        }
    }

    /// A process is there from now on.
    const fn bear(&mut self, index: usize) {
        self.processes[index].life = Life::Runs;
        self.processes[index].born = self.calls;
    }

    /// A process ends. Its parent is told; a stranger's is outside.
    pub fn die(&mut self, index: usize, status: WaitStatus) {
        let process = &mut self.processes[index];
        process.died = self.calls;
        // What is not init's to reap is reaped where it came from, at once.
        process.life = if process.ours { Life::Dead(status) } else { Life::Reaped };
        if process.ours {
            self.raise_sigchld();
        }
    }

    /// SIGCONT reaches the child.
    fn continue_child(&mut self) {
        if let Life::Stopped { .. } = self.processes[0].life {
            self.processes[0].life = Life::Runs;
            self.raise_sigchld();
        }
    }

    /// A child has changed its state.
    fn raise_sigchld(&mut self) {
        self.raise(Signal { number: libc::SIGCHLD, code: libc::CLD_EXITED, own: false });
    }

    /// A signal to init, which blocks all of them (kernel/signal.c, `prepare_signal` and `__send_signal_locked`): a stop discards
    /// the SIGCONT that waits and the other way round; a standard signal that waits already is merged.
    pub fn raise(&mut self, signal: Signal) {
        if signal.number == libc::SIGCONT {
            self.pending.retain(|other| !STOPPING.contains(&other.number));
        } else if STOPPING.contains(&signal.number) {
            self.pending.retain(|other| other.number != libc::SIGCONT);
        }
        if signal.number >= 32 || self.pending.iter().all(|other| other.number != signal.number) {
            self.pending.push(signal);
        }
    }

    /// `rt_sigpending(2)`.
    pub fn pending(&self) -> u64 {
        self.pending.iter().fold(0, |set, signal| set | bit(signal.number))
    }

    /// The failing half of `rt_sigtimedwait(2)`.
    pub const fn take_wait_error(&mut self) -> Option<Errno> {
        self.wait_error.take()
    }

    /// The taking half: the first signal of `set` (kernel/signal.c, `next_signal`).
    pub fn take(&mut self, set: u64) -> Option<Signal> {
        let waiting = self.pending() & set;
        if waiting == 0 {
            return None;
        }
        let first = if waiting & SYNCHRONOUS == 0 { waiting } else { waiting & SYNCHRONOUS };
        let number = first.trailing_zeros() as SignalNumber + 1;
        let index = self.pending.iter().position(|signal| signal.number == number)?;
        Some(self.pending.remove(index))
    }

    /// `wait4(-1, WNOHANG)`: 0 if no child has ended.
    pub fn reap(&mut self) -> Result<(Pid, WaitStatus), Errno> {
        if let Some(error) = self.reap_error.take() {
            return Err(error);
        }
        for process in &mut self.processes {
            if let (true, Life::Dead(status)) = (process.ours, process.life) {
                process.life = Life::Reaped;
                return Ok((process.pid, status));
            }
        }
        if self.processes.iter().any(|process| process.ours && process.lives()) {
            Ok((0, 0))
        } else {
            Err(Errno::ECHILD)
        }
    }

    /// `waitid(2)`, WEXITED and WNOWAIT, of the child.
    pub const fn has_ended(&self) -> bool {
        self.child().is_zombie()
    }

    /// `waitid(2)`, WSTOPPED, of the child: by which signal, 0 if it is not stopped or has told it.
    pub const fn stopped_by(&mut self, takes: bool) -> SignalNumber {
        match self.child().life {
            Life::Stopped { by, told: false } => {
                self.processes[0].life = Life::Stopped { by, told: takes };
                by
            }
            _ => 0,
        }
    }

    /// `kill(2)`, and the sending calls like it.
    pub fn send(&mut self, target: Pid, number: SignalNumber, queued: bool) -> Result<(), Errno> {
        if target == self.own_pid {
            self.raise(Signal { number, code: libc::SI_USER, own: true });
            return Ok(());
        }
        if target == -1 {
            return self.send_all(number);
        }
        let is_child = target == CHILD || target == -CHILD && self.own_group;
        if !is_child {
            self.offends(Offence::ToWrongTarget);
            return Err(Errno::ESRCH);
        }
        if self.child().life == Life::Reaped {
            // The number of a group, which whoever is left in it holds: dumb-init's TERM, as soon as it has reaped the child.
            if !(self.session && target == -CHILD && number == libc::SIGTERM) {
                self.offends(Offence::ToReaped);
            }
            return Err(Errno::ESRCH);
        }
        // Only what is queued can find no room; within a session everybody may send SIGCONT (`check_kill_permission`).
        if let Some(error) = self.refusal
            && (queued || error != Errno::EAGAIN)
            && (number != libc::SIGCONT || self.session)
        {
            // Nobody's credentials change while he is stopped: who refuses SIGCONT then refuses the next signal, too.
            if error == Errno::EAGAIN || !matches!(self.child().life, Life::Stopped { .. }) {
                self.refusal = None;
            }
            return Err(error);
        }
        self.receive(0, number);
        Ok(())
    }

    /// `kill(-1)` as PID 1. ESRCH if nobody is there; zombies are.
    fn send_all(&mut self, number: SignalNumber) -> Result<(), Errno> {
        // As a broadcast it is for the teardown, and PID 1's.
        if self.own_pid != 1 || self.child().life != Life::Reaped {
            self.offends(Offence::ToWrongTarget);
        }
        let mut found = false;
        for index in 0..self.processes.len() {
            if self.processes[index].lives() || self.processes[index].is_zombie() {
                found = true;
                self.receive(index, number);
            }
        }
        if found { Ok(()) } else { Err(Errno::ESRCH) }
    }

    /// A process gets a signal. What it then does, and when, is a move; only KILL and CONT leave it no choice.
    pub fn receive(&mut self, index: usize, number: SignalNumber) {
        if number == libc::SIGKILL && self.processes[index].lives() {
            self.processes[index].doomed = true;
        }
        if number == libc::SIGCONT && index == 0 {
            self.continue_child();
        }
    }

    /// Notes what must not happen.
    pub fn offends(&mut self, offence: Offence) {
        self.offence = self.offence.or(Some(offence));
    }

    /// Is somebody left whom init would have to wait for, by now?
    pub fn is_somebody_left(&self) -> bool {
        self.processes.iter().any(|process| process.lives() || process.is_zombie())
    }

    /// A zombie of init's.
    pub fn zombie(&self) -> Option<&Process> {
        self.processes.iter().find(|process| process.ours && process.is_zombie())
    }
}

/// Is it one that the kernel queues?
pub const fn is_real_time(number: SignalNumber) -> bool {
    number >= signal::REAL_TIME_MIN
}
