//! From the child's start to its end: one blocking wait, one decision, no polling (contract I11–I15, I18).

use crate::child::Plan;
use crate::sys::{self, Info, Pid, Time};
use crate::{processes, say, say_of};
use bare::Errno;
use core::ffi::c_int;
use core::sync::atomic::Ordering;
use init_core::options::{Config, Id};
use init_core::signal::{self, SignalNumber};
use init_core::status::{self, WaitStatus};
use init_core::supervisor::{Decision, Drained, Step, Supervisor};
use init_core::text::Text;

/// When a signal that the receiver's queue had no room for is tried again, if nothing else wakes init before.
const RETRY: Time = 10;

/// After a wait that failed.
const BREATH: Time = 1000;

/// How long what was killed has to end (I14).
const LAST_SECOND: Time = 1000;

/// Supervises the child `pid` and returns init's exit status.
#[inline(always)]
pub fn run(config: &Config<'_>, plan: &Plan, program: &[u8], pid: Pid) -> u8 {
    if plan.own_group && !plan.session {
        // The child does the same, and whoever is first makes the group: so it exists before a signal is sent to it (I8).
        let _ = sys::make_group(pid);
    }
    sys::reserve_place();
    // The child's program comes before all that can wait.
    sys::give_way();
    let mut init = Init {
        config,
        pid,
        own_pid: plan.parent,
        // A session of the child's own takes the terminal with it.
        terminal: if plan.session { -1 } else { plan.terminal },
        group: plan.group,
        own_group: plan.own_group,
        session: plan.session,
        failing: false,
        holding: false,
        stop_seen: false,
        warned: false,
        no_proc_told: false,
        deadline: sys::FOREVER,
        followed: processes::NOBODY,
        signals: -1,
        // Most often init's cgroup has been made for it.
        kills_before: if plan.parent == 1 { 0 } else { u32::MAX },
        settled: false,
        core: Supervisor::new(config, pid, plan.own_group, plan.leads_session, plan.session),
        info: Info::new(),
        held: Info::new(),
    };
    if config.is_on(Id::Verbose) {
        say_of(program, Text::Started, pid, 0, 0);
    }
    for signal in 1..signal::MAX {
        if signal::NEVER_FORWARDED.contains(signal) && config.rewrites.apply(signal) != signal {
            init.tell(Text::NoEffect, signal, 0);
        }
    }
    let status = init.supervise();
    if init.own_pid != 1 {
        // Whoever started init may want to read from it.
        init.pass_terminal(pid, init.group);
    }
    let failure = plan.failure.load(Ordering::Acquire);
    if failure != 0 {
        say_of(program, Text::CannotExecute, failure, 0, 0);
        return config.persona.exec_failure(failure);
    }
    status
}

/// The shell around the core: it does what the core decides.
#[repr(C)] // What is small stands first: it is reached by shorter instructions.
struct Init<'c> {
    /// What is asked for.
    config: &'c Config<'c>,
    /// The child's.
    pid: Pid,
    /// init's.
    own_pid: Pid,
    /// The controlling terminal, which is handed to and fro if the child has its own group; negative if none is known.
    terminal: c_int,
    /// init's process group, if there is a terminal. It does not change.
    group: Pid,
    /// The child has its own group.
    own_group: bool,
    /// The child has its own session.
    session: bool,
    /// The last look for dead processes failed.
    failing: bool,
    /// There is a signal to be sent again.
    holding: bool,
    /// A stop of the child was taken as seen, and it was not continued since by init.
    stop_seen: bool,
    /// What could wait was done.
    settled: bool,
    /// A failure to wait was told.
    warned: bool,
    /// So was a /proc that is not there.
    no_proc_told: bool,
    /// When the present time is up, as [`sys::now`] counts; FOREVER if none runs.
    deadline: Time,
    /// In the teardown: a pidfd of one process that is waited for.
    followed: c_int,
    /// A signalfd, to wait for signals beside it. Each of the two is -1 if there is none.
    signals: c_int,
    /// How many processes the out-of-memory killer had ended when init started.
    kills_before: u32,
    /// What decides.
    core: Supervisor<'c>,
    /// The signal that was taken last.
    info: Info,
    /// A signal that the receiver's queue had no room for, while `holding` says so.
    held: Info,
}

impl Init<'_> {
    /// The loop. Returns init's exit status.
    #[inline(never)]
    fn supervise(&mut self) -> u8 {
        loop {
            let (mut set, mut timeout) = (bare::ALL_SIGNALS, sys::FOREVER);
            if self.holds() {
                (set, timeout) = (self.config.rewrites.to_standard(), RETRY);
            } else if self.failing {
                timeout = BREATH;
            } else if !self.settled {
                timeout = 0;
            }
            if self.deadline != sys::FOREVER {
                let left = self.deadline.saturating_sub(sys::now());
                if left == 0 {
                    self.deadline = sys::FOREVER;
                    let step = self.core.advance(true);
                    if step == Step::GiveUp {
                        say(Text::Unkillable, 0, 0);
                        break;
                    }
                    self.take(step);
                    continue;
                }
                timeout = timeout.min(left);
            }
            let mut look = self.failing;
            if self.followed >= 0 && self.signals >= 0 {
                let polled = sys::poll(self.signals, self.followed, timeout);
                look |= polled == Ok(true);
                // Where it cannot be had the kernel still tells of init's own children.
                if polled.is_ok() {
                    timeout = 0;
                }
            }
            match sys::wait_signal(set, &mut self.info, timeout) {
                Ok(_) => look |= self.taken(),
                Err(error) => {
                    // Nothing is at hand, and a short program would have ended by now.
                    if !self.settled {
                        self.settle();
                        if self.followed >= 0 {
                            // It was closed with the rest.
                            look = true;
                        }
                    }
                    if error != Errno::EINTR && error != Errno::EAGAIN {
                        self.fails(error);
                        let _ = sys::poll(-1, -1, BREATH);
                        look = true;
                    }
                }
            }
            if look && self.reap() {
                break;
            }
        }
        self.core.exit_status()
    }

    /// Keeps nothing of what the child was given (I11): an old working directory pins a mount, a descriptor may hold what the
    /// container must not see. Standard error stays, and the terminal, as descriptor 0.
    #[inline(always)]
    fn settle(&mut self) {
        self.settled = true;
        self.signals = -1;
        self.kills_before = processes::out_of_memory_kills();
        // Where / cannot be entered the old directory stays: no reason to end.
        let _ = sys::change_directory(sys::ROOT);
        if self.terminal < 0 {
            sys::close(0);
        } else {
            sys::duplicate(self.terminal, 0);
            self.terminal = 0;
        }
        sys::close(1);
        sys::close_range(3, c_int::MAX);
    }

    /// Acts on a signal. Is there something to reap?
    #[inline(always)]
    fn taken(&mut self) -> bool {
        let received = self.info.received(self.own_pid);
        let decision = self.core.signal(received);
        let number = self.core.number;
        match decision {
            Decision::Reap => return true,
            Decision::Forward => {
                if self.config.is_on(Id::WaitAll)
                    && self.core.is_stop_request()
                    && !self.failing
                    && sys::has_ended(self.pid)
                {
                    // It is for those who remain, and waits for its turn: SIGCHLD, which tells of the end, comes behind it.
                    let _ = sys::kill(self.own_pid, received.number);
                    return true;
                }
                if self.core.only_if_caught() && self.proc_is_usable() && !processes::catches(self.pid, number) {
                    self.tell(Text::DroppedUncaught, number, 0);
                    return false;
                }
                self.info.set_number(number);
                self.stop_seen &= number != libc::SIGCONT;
                if number == libc::SIGCONT && self.own_pid != 1 {
                    // A shell's `fg` has given init's group the terminal.
                    self.pass_terminal(self.group, self.pid);
                    if self.own_group && !self.info.can_be_queued() {
                        // What the terminal has stopped is the whole group.
                        self.resume();
                        return false;
                    }
                }
                if self.has_no_room(&self.info) {
                    self.held = self.info;
                    self.holding = true;
                }
                // Asked after the signal was sent. A stop that is still pending then is not seen.
                if self.core.is_stop_request() && (self.stop_seen || sys::stopped_by(self.pid, libc::WNOWAIT) != 0) {
                    self.resume();
                }
                if self.core.starts_clock() && self.deadline == sys::FOREVER {
                    self.start_clock(self.config.value(Id::StopTimeout).into());
                }
            }
            Decision::ToAll => self.send_all(number),
            Decision::Teardown => {
                let step = self.core.advance(false);
                self.take(step);
                return true;
            }
            Decision::DropByRule => self.tell(Text::DroppedByRule, received.number, 0),
            Decision::DropAsShared => self.tell(Text::DroppedAsShared, received.number, 0),
            // A word on it would raise the next one.
            Decision::DropOwn => {}
        }
        false
    }

    /// Takes a step of the teardown.
    fn take(&mut self, step: Step) {
        match step {
            Step::KillChild => {
                say(Text::Overdue, self.pid, 0);
                let _ = sys::kill(-self.pid, libc::SIGKILL);
                self.told(libc::SIGKILL, sys::kill(self.pid, libc::SIGKILL));
            }
            Step::Ask => {
                self.send_all(libc::SIGTERM);
                self.send_all(libc::SIGCONT);
                let grace = self.config.value(Id::Grace);
                if grace > 0 {
                    self.start_clock(grace.into());
                }
            }
            Step::Kill => {
                say(Text::OutlivedGrace, 0, 0);
                self.send_all(libc::SIGKILL);
                self.start_clock(LAST_SECOND);
            }
            Step::Stay | Step::GiveUp => {}
        }
    }

    /// A time begins.
    fn start_clock(&mut self, time: Time) {
        self.deadline = sys::now().saturating_add(time);
    }

    /// Sends `number` to all that remain after the child's end.
    fn send_all(&mut self, number: SignalNumber) {
        if self.own_pid == 1 {
            let _ = sys::kill(-1, number);
        } else if self.proc_is_usable() {
            processes::signal_all(number, self.own_pid);
        }
    }

    /// Is anybody left who is to be waited for? If it can be told who, it is followed.
    #[inline(always)]
    fn is_somebody_left(&mut self, childless: bool) -> bool {
        if self.followed >= 0 {
            if sys::poll(-1, self.followed, 0) == Ok(false) {
                return true;
            }
            sys::close(self.followed);
            self.followed = -1;
        }
        if self.own_pid == 1 {
            // Those of `docker exec` are nobody's children here.
            if sys::kill(-1, 0) == Err(Errno::ESRCH) {
                return false;
            }
            if !processes::is_usable() {
                return true;
            }
        } else if childless || !self.proc_is_usable() {
            return false;
        }
        self.followed = processes::signal_all(0, self.own_pid);
        if self.signals < 0 {
            self.signals = sys::signal_descriptor();
        }
        self.followed != processes::NOBODY
    }

    /// The opposite. Whoever has ended since the last look is reaped.
    #[inline(always)]
    fn is_nobody_left(&mut self, childless: bool) -> bool {
        let nobody = !self.is_somebody_left(childless);
        if nobody {
            self.drain();
        }
        nobody
    }

    /// Is /proc there, and init's own? If not, that is told, once.
    fn proc_is_usable(&mut self) -> bool {
        let usable = processes::is_usable();
        if !usable && !self.no_proc_told {
            self.no_proc_told = true;
            say(Text::NoProc, 0, 0);
        }
        usable
    }

    /// Tries to send the signal that is held. Is it still?
    fn holds(&mut self) -> bool {
        self.holding = self.holding && self.has_no_room(&self.held);
        self.holding
    }

    /// Sends a signal to the child or its group, with what came with it if the kernel allows that. True if it is to be sent
    /// again, for want of room in the receiver's queue: a real-time signal (kernel/signal.c, `__send_signal_locked`).
    fn has_no_room(&self, info: &Info) -> bool {
        let number = info.number();
        let is_group = self.config.is_on(Id::Group);
        let queued = if !info.can_be_queued() {
            Err(Errno::EPERM)
        } else if is_group {
            sys::queue_group(self.pid, info)
        } else {
            sys::queue(self.pid, info)
        };
        let sent = match queued {
            Err(Errno::EAGAIN) => return true,
            // Not with siginfo, or not on this kernel: plainly. That also tells the true reason where nothing may be sent.
            // A group that could not be made (setpgid(2) refused by a filter) is the child alone.
            Err(_) if is_group && sys::kill(-self.pid, number).is_ok() => Ok(()),
            Err(_) => sys::kill(self.pid, number),
            sent => sent,
        };
        self.told(number, sent);
        false
    }

    /// Reaps all that is waitable. Was that the end?
    #[inline(always)]
    fn reap(&mut self) -> bool {
        let childless = self.drain();
        match self.core.drained(childless) {
            Drained::Alive if childless => {
                say(Text::Lost, self.pid, 0);
                true
            }
            Drained::Alive => {
                self.follow_stop();
                false
            }
            Drained::Stay => false,
            // A subreaper that has no child has no descendant either, and need not look at every process that there is.
            Drained::Ask if childless && self.own_pid != 1 => true,
            Drained::Ask => {
                self.take(Step::Ask);
                self.is_nobody_left(childless)
            }
            Drained::Look => {
                if self.core.is_killing() {
                    self.send_all(libc::SIGKILL);
                }
                self.is_nobody_left(childless)
            }
            Drained::End => true,
        }
    }

    /// Reaps one after the other. Is there no child of init's at all?
    #[inline(never)]
    fn drain(&mut self) -> bool {
        self.failing = false;
        let mut status = 0;
        loop {
            match bare::reap(&mut status) {
                Ok(0) => return false,
                Ok(pid) => self.reaped(pid, status),
                Err(Errno::ECHILD) => return true,
                Err(Errno::EINTR) => {}
                Err(error) => {
                    self.fails(error);
                    self.failing = true;
                    return false;
                }
            }
        }
    }

    /// A process was reaped.
    #[inline(never)]
    fn reaped(&mut self, pid: Pid, status: WaitStatus) {
        if !self.core.reaped(pid, status) {
            if self.config.is_on(Id::WarnReaped) {
                ended(pid, status, Text::ReapedKilled, Text::Reaped);
            }
            return;
        }
        // Its number is free: nothing more is sent there.
        self.holding = false;
        self.deadline = sys::FOREVER;
        if self.session {
            // As dumb-init does. A group's number is taken as long as it has a member (kernel/pid.c, `__change_pid`).
            let _ = sys::kill(-pid, libc::SIGTERM);
        }
        let unexplained = self.core.is_unexplained(status);
        if unexplained || self.config.is_on(Id::Verbose) {
            let kills = processes::out_of_memory_kills().saturating_sub(self.kills_before);
            if unexplained && kills > 0 {
                let signal = status::death_signal(status).unwrap_or(0);
                say_of(b"", Text::OutOfMemory, pid, signal, kills as c_int);
            } else {
                ended(pid, status, Text::Killed, Text::Exited);
            }
        }
    }

    /// If the child has stopped, on a terminal (I16): gives it the terminal, if that is what it wants and init may. Else init
    /// stops with it, as the shell expects of a job; as PID 1 continues it at once, for nobody else could.
    #[inline(always)]
    fn follow_stop(&mut self) {
        if self.terminal < 0 && !self.session {
            return;
        }
        let by = sys::stopped_by(self.pid, libc::WNOWAIT);
        if by == 0 {
            return;
        }
        let wants = by == libc::SIGTTIN || by == libc::SIGTTOU;
        let foreground = sys::foreground(self.terminal);
        let ours = foreground == Ok(self.group);
        if wants && ours && self.own_group {
            self.pass_terminal(self.group, self.pid);
            self.resume();
        } else if self.own_pid == 1 {
            // A SIGSTOP was somebody's wish. One that wants the terminal, and cannot have it, would stop again at once.
            if by == libc::SIGTSTP || wants && foreground == Ok(self.pid) {
                self.resume();
            }
        // In a group that it shares the child alone may have been stopped from elsewhere, which is no stop of the job. With a
        // session of the child's own init stops in any case, terminal or not, as dumb-init does.
        } else if self.own_group || by != libc::SIGSTOP || ours {
            self.stop(by);
        }
    }

    /// Stops init as the terminal would: the kernel does not if nobody in the session could continue it (an orphaned group).
    /// The terminal is given back for the time.
    fn stop(&mut self, by: SignalNumber) {
        if sys::pending() & bare::bit(libc::SIGCONT) != 0 {
            // Somebody continues the two already, and a stop would discard that (kernel/signal.c, `prepare_signal`).
            return;
        }
        // Taken as seen, so that a stop that comes after the SIGCONT is a new one.
        sys::stopped_by(self.pid, 0);
        self.stop_seen = true;
        self.pass_terminal(self.pid, self.group);
        // The group of a session's leader is orphaned: not to try discards nothing.
        if sys::own_session() != self.own_pid {
            let _ = sys::kill(self.own_pid, libc::SIGTSTP);
            sys::set_mask(!bare::bit(libc::SIGTSTP));
            sys::set_mask(bare::ALL_SIGNALS);
        }
        // Where init stopped, the loop forwards the SIGCONT that is pending now. In a group that it shares the child has it, too.
        if by == libc::SIGTSTP && self.own_group && !self.session && sys::pending() & bare::bit(libc::SIGCONT) == 0 {
            self.pass_terminal(self.group, self.pid);
            self.resume();
        }
        // dumb-init's child, which nobody but dumb-init itself has stopped, waits for somebody's SIGCONT.
    }

    /// Continues the child, and its group if it has one.
    fn resume(&mut self) {
        self.stop_seen = false;
        let target = if self.own_group { -self.pid } else { self.pid };
        self.told(libc::SIGCONT, sys::kill(target, libc::SIGCONT));
    }

    /// Makes `to` the foreground group, if `from` is: a terminal in other hands stays there. Only between two groups, for
    /// the kernel would take the pid of a process that leads none (drivers/tty/tty_jobctrl.c, `session_of_pgrp`).
    fn pass_terminal(&self, from: Pid, to: Pid) {
        if self.own_group && sys::foreground(self.terminal) == Ok(from) {
            let _ = sys::set_foreground(self.terminal, to);
        }
    }

    /// Warns of a wait that fails, once; it is tried again every second.
    fn fails(&mut self, error: Errno) {
        if !self.warned {
            say(Text::CannotWait, error.number(), 0);
        }
        self.warned = true;
    }

    /// Tells what became of a signal that was to be sent. A failure is never fatal: the child may have ended, or have
    /// become somebody else.
    fn told(&self, number: SignalNumber, sent: Result<(), Errno>) {
        let pid = self.pid;
        match (sent, self.config.is_on(Id::Group)) {
            (Ok(()), false) => self.tell(Text::SentToChild, number, pid),
            (Ok(()), true) => self.tell(Text::SentToGroup, number, pid),
            (Err(error), _) => self.tell(Text::CannotSend, number, error.number()),
        }
    }

    /// Says what is done, if that is asked for.
    #[inline(never)]
    fn tell(&self, text: Text, one: c_int, two: c_int) {
        if self.config.is_on(Id::Verbose) {
            say(text, one, two);
        }
    }
}

/// Says how the process `pid` ended, with one text for a signal and one for an exit status.
#[inline(always)]
fn ended(pid: Pid, status: WaitStatus, killed: Text, exited: Text) {
    match status::death_signal(status) {
        Some(signal) => say(killed, pid, signal),
        None => say(exited, pid, status::exit_status(status).into()),
    }
}
