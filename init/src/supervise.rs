//! From the child's start to its end: one blocking wait, one decision, no polling (contract I11–I15, I18).

use crate::child::Plan;
use crate::sys::{self, Info, Pid, Timeout};
use crate::{say, say_of};
use bare::Errno;
use core::ffi::c_int;
use core::sync::atomic::Ordering;
use init_core::options::{Config, Id};
use init_core::signal::SignalNumber;
use init_core::status::{self, OWN_FAILURE, WaitStatus};
use init_core::supervisor::{Decision, Reason, Supervisor};
use init_core::text::Text;

/// When a signal that the receiver's queue had no room for is tried again, if nothing else wakes init before: 10 ms.
const RETRY: Timeout = Timeout(0, 10_000_000);

/// After a wait that failed: one second.
const BREATH: Timeout = Timeout(1, 0);

/// Supervises the child `pid` and returns init's exit status.
pub fn run(config: &Config<'_>, plan: &Plan, program: &[u8], pid: Pid) -> u8 {
    if plan.own_group {
        // The child does the same, and whoever is first makes the group: so it exists before a signal is sent to it (I8).
        let _ = sys::make_group(pid);
    }
    leave(plan.terminal);
    let mut init = Init {
        config,
        pid,
        own_pid: plan.parent,
        terminal: plan.terminal,
        own_group: plan.own_group,
        core: Supervisor::new(config, pid, plan.own_group, plan.leads_session),
        info: Info::new(),
        held: (0, Info::new()),
        failing: false,
        warned: false,
    };
    if config.is_on(Id::Verbose) {
        say_of(program, Text::Started, pid, 0);
    }
    for signal in [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD] {
        if config.rewrites.apply(signal) != signal {
            init.tell(Text::NoEffect, signal, 0);
        }
    }
    let status = init.supervise();
    if init.own_pid != 1 {
        // Whoever started init may want to read from it.
        init.pass_terminal(pid, sys::own_group());
    }
    let failure = plan.failure.load(Ordering::Acquire);
    if failure != 0 {
        say_of(program, Text::CannotExecute, failure, 0);
        return config.persona.exec_failure(failure);
    }
    status
}

/// Keeps nothing of what the child was given (I11): an old working directory pins a mount, a descriptor may hold what the
/// container must not see. Standard error stays, and the terminal.
fn leave(terminal: Option<c_int>) {
    // Where / cannot be entered the old directory stays: no reason to end.
    let _ = sys::change_directory(c"/");
    let kept = [libc::STDERR_FILENO, terminal.unwrap_or(libc::STDERR_FILENO)];
    let (low, high) = (kept[0].min(kept[1]), kept[0].max(kept[1]));
    sys::close_range(0, low - 1);
    sys::close_range(low + 1, high - 1);
    sys::close_range(high + 1, c_int::MAX);
}

/// The shell around the core: it does what the core decides.
struct Init<'c> {
    /// What is asked for.
    config: &'c Config<'c>,
    /// The child's.
    pid: Pid,
    /// init's.
    own_pid: Pid,
    /// The controlling terminal, which is handed to and fro if the child has its own group.
    terminal: Option<c_int>,
    /// The child has its own group.
    own_group: bool,
    /// What decides.
    core: Supervisor<'c>,
    /// The signal that was taken last.
    info: Info,
    /// A signal that the receiver's queue had no room for, with the number to send; 0 for none.
    held: (SignalNumber, Info),
    /// The last look for dead processes failed.
    failing: bool,
    /// A failure to wait was told.
    warned: bool,
}

impl Init<'_> {
    /// The loop. Returns the child's status, as `--expect` turns it.
    #[inline(never)]
    fn supervise(&mut self) -> u8 {
        loop {
            let (set, timeout) = if self.holds() {
                (self.config.rewrites.to_standard(), Some(&RETRY))
            } else {
                (bare::ALL_SIGNALS, self.failing.then_some(&BREATH))
            };
            let look = match sys::wait_signal(set, &mut self.info, timeout) {
                Ok(_) => self.taken(),
                Err(Errno(libc::EINTR | libc::EAGAIN)) => self.failing,
                Err(error) => {
                    self.fails(error);
                    sys::sleep(&BREATH);
                    true
                }
            };
            if look && let Some(status) = self.reap() {
                return status;
            }
        }
    }

    /// Acts on a signal. Is there something to reap?
    fn taken(&mut self) -> bool {
        let received = self.info.received(self.own_pid);
        match self.core.signal(received) {
            Decision::Reap => return true,
            Decision::Forward { number, resume } => {
                if number == libc::SIGCONT && self.own_pid != 1 {
                    // A shell's `fg` has given init's group the terminal.
                    self.pass_terminal(sys::own_group(), self.pid);
                }
                self.forward(number);
                // Asked after the signal was sent. A stop that is still pending then is not seen.
                if resume && sys::stopped_by(self.pid, libc::WNOWAIT) != 0 {
                    self.resume();
                }
            }
            Decision::Drop(reason) => {
                let text = match reason {
                    Reason::Rule => Text::DroppedByRule,
                    // A word on it would raise the next one.
                    Reason::OwnWrite => return false,
                    Reason::Shared => Text::DroppedAsShared,
                };
                self.tell(text, received.number, 0);
            }
        }
        false
    }

    /// Who gets the signals: a pid, or the negative id of a group.
    fn target(&self) -> Pid {
        if self.config.is_on(Id::Group) { -self.pid } else { self.pid }
    }

    /// Forwards the signal that was taken, as `number`. If there is no room for it, it is held.
    fn forward(&mut self, number: SignalNumber) {
        if self.has_no_room(number, &self.info) {
            self.held = (number, self.info);
        }
    }

    /// Tries to send the signal that is held. Is it still?
    fn holds(&mut self) -> bool {
        let (number, info) = &self.held;
        if *number != 0 && !self.has_no_room(*number, info) {
            self.held.0 = 0;
        }
        self.held.0 != 0
    }

    /// Sends `number` to the child or its group, with what came with it if the kernel allows that. True if it is to be sent
    /// again, for want of room in the receiver's queue: a real-time signal (kernel/signal.c, `__send_signal_locked`).
    fn has_no_room(&self, number: SignalNumber, info: &Info) -> bool {
        let sent = match self.queue(number, info) {
            Err(Errno(libc::EAGAIN)) => return true,
            // Not with siginfo, or not on this kernel: plainly. That also tells the true reason where nothing may be sent.
            Err(_) => sys::kill(self.target(), number),
            sent => sent,
        };
        self.told(number, sent);
        false
    }

    /// Sends `number` with all that `info` carries.
    fn queue(&self, number: SignalNumber, info: &Info) -> Result<(), Errno> {
        if !info.can_be_queued() {
            Err(Errno(libc::EPERM))
        } else if self.config.is_on(Id::Group) {
            sys::queue_group(self.pid, number, info)
        } else {
            sys::queue(self.pid, number, info)
        }
    }

    /// Reaps all that is waitable. The exit status, if the child was among it.
    fn reap(&mut self) -> Option<u8> {
        loop {
            match bare::reap() {
                Ok(Some((pid, status))) => {
                    let is_child = self.core.reaped(pid, status);
                    if !is_child {
                        if self.config.is_on(Id::WarnReaped) {
                            ended(pid, status, Text::ReapedKilled, Text::Reaped);
                        }
                    } else if self.config.is_on(Id::Verbose) || self.core.is_unexplained(status) {
                        ended(pid, status, Text::Killed, Text::Exited);
                    }
                }
                Ok(None) => {
                    self.failing = false;
                    let end = self.core.end();
                    if end.is_none() {
                        self.follow_stop();
                    }
                    return end;
                }
                Err(Errno(libc::ECHILD)) => return self.core.end().or_else(|| Some(self.lost())),
                Err(Errno(libc::EINTR)) => {}
                Err(error) => {
                    self.failing = true;
                    self.fails(error);
                    return self.core.end();
                }
            }
        }
    }

    /// If the child has stopped, on a terminal (I16): gives it the terminal, if that is what it wants and init may. Else init
    /// stops with it, as the shell expects of a job; as PID 1 continues it at once, for nobody else could.
    fn follow_stop(&mut self) {
        let Some(terminal) = self.terminal else { return };
        let by = sys::stopped_by(self.pid, libc::WNOWAIT);
        if by == 0 {
            return;
        }
        let wants = by == libc::SIGTTIN || by == libc::SIGTTOU;
        let foreground = sys::foreground(terminal);
        let ours = foreground == Ok(sys::own_group());
        if wants && ours && self.own_group {
            self.pass_terminal(sys::own_group(), self.pid);
            self.resume();
        } else if self.own_pid == 1 {
            // A SIGSTOP was somebody's wish. One that wants the terminal, and cannot have it, would stop again at once.
            if by == libc::SIGTSTP || wants && foreground == Ok(self.pid) {
                self.resume();
            }
        // In a group that it shares the child alone may have been stopped from elsewhere, which is no stop of the job.
        } else if self.own_group || by != libc::SIGSTOP || ours {
            self.stop();
        }
    }

    /// Stops init as the terminal would: the kernel does not if nobody in the session could continue it (an orphaned group).
    /// The terminal is given back for the time. The child's stop is taken as seen, so that one that comes right after the
    /// SIGCONT is a new one. That SIGCONT is passed on.
    fn stop(&mut self) {
        sys::stopped_by(self.pid, 0);
        self.pass_terminal(self.pid, sys::own_group());
        let _ = sys::kill(self.own_pid, libc::SIGTSTP);
        bare::set_mask(!bare::bit(libc::SIGTSTP));
        bare::set_mask(bare::ALL_SIGNALS);
        let _ = sys::wait_signal(bare::bit(libc::SIGCONT), &mut self.info, Some(&Timeout(0, 0)));
        self.pass_terminal(sys::own_group(), self.pid);
        self.resume();
    }

    /// Continues the child, and its group if it has one.
    fn resume(&self) {
        let target = if self.own_group { -self.pid } else { self.pid };
        self.told(libc::SIGCONT, sys::kill(target, libc::SIGCONT));
    }

    /// Makes `to` the foreground group, if `from` is: a terminal in other hands stays there. Only between two groups, for
    /// the kernel would take the pid of a process that leads none (drivers/tty/tty_jobctrl.c, `session_of_pgrp`).
    fn pass_terminal(&self, from: Pid, to: Pid) {
        if let Some(terminal) = self.terminal
            && self.own_group
            && sys::foreground(terminal) == Ok(from)
        {
            let _ = sys::set_foreground(terminal, to);
        }
    }

    /// There is no child, and yet it was not reaped: nobody will ever know its status.
    fn lost(&self) -> u8 {
        say(Text::Lost, self.pid, 0);
        OWN_FAILURE
    }

    /// Warns of a wait that fails, once; it is tried again every second.
    fn fails(&mut self, error: Errno) {
        if !self.warned {
            say(Text::CannotWait, error.0, 0);
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
            (Err(error), _) => self.tell(Text::CannotSend, number, error.0),
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
fn ended(pid: Pid, status: WaitStatus, killed: Text, exited: Text) {
    match status::death_signal(status) {
        Some(signal) => say(killed, pid, signal),
        None => say(exited, pid, status::exit_status(status).into()),
    }
}
