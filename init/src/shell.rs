//! The shell around the core: it asks what the core asks for, does what it decides, and decides nothing.

use crate::sys::{self, Info, Pid};
use crate::{oom, procfs};
use bare::Errno;
use core::ffi::c_int;
use init_core::cli::Milliseconds;
use init_core::messages::{self, Message, Target};
use init_core::signal::{self, SignalNumber, SignalSet};
use init_core::supervise::{Action, Event, Facts, Forward, Next, Outcome, Setup, Supervisor, Survivors, Time};

/// What the shell needs to carry decisions out.
pub struct Shell {
    /// What does not change.
    setup: Setup,
    /// Verbose messages are said.
    verbose: bool,
    /// The controlling terminal, if the child's group is to have it and give it back.
    terminal: Option<c_int>,
    /// That descriptor is an open file of init's own, and non-blocking.
    is_private: bool,
    /// The siginfo of the signal that was taken last.
    info: Info,
    /// The siginfo of the signal that is held.
    held: Info,
    /// A pidfd of the process that the teardown follows, or [`NONE`].
    followed: c_int,
    /// A signalfd, to wait for signals beside it, or [`NONE`].
    signals: c_int,
}

/// No descriptor.
const NONE: c_int = -1;

impl Shell {
    /// For a child that has just been started.
    pub const fn new(setup: Setup, verbose: bool, terminal: Option<c_int>, is_private: bool) -> Self {
        Self {
            setup,
            verbose,
            terminal,
            is_private,
            info: Info::new(),
            held: Info::new(),
            followed: NONE,
            signals: NONE,
        }
    }

    /// The loop: an event, a decision, the next event. Returns init's exit status.
    #[inline(never)]
    pub fn run(&mut self, mut core: Supervisor) -> u8 {
        let mut event = Event::Started;
        loop {
            let decision = core.decide(event, self);
            for action in decision.actions.iter() {
                self.perform(action);
            }
            event = match decision.next {
                Next::Wait { signals, timeout } => self.wait(signals, timeout),
                Next::Reap { farewell } => self.reap(farewell),
                Next::Send(forward) => Event::Sent(forward, self.send(forward, false)),
                Next::Resend(forward) => Event::Sent(forward, self.send(forward, true)),
                Next::KillChild => self.kill_child(),
                Next::LookForSurvivors => Event::Looked(self.look_for_survivors()),
                Next::StopSelf(signal) => self.stop_self(signal),
                Next::End(status) => return status,
            }
        }
    }

    /// Says a message; a verbose one only if that is wanted.
    pub fn say(&self, message: Message) {
        if self.verbose || !messages::is_verbose(&message) {
            crate::say(message);
        }
    }

    /// Tells what came of a signal that was sent.
    fn tell(&self, signal: SignalNumber, target: Target, sent: Result<(), Errno>) {
        self.say(match sent {
            Ok(()) => Message::sent(signal, target),
            Err(error) => Message::cannot_send(signal, target, error.number()),
        });
    }

    /// Does what is done at once.
    fn perform(&mut self, action: Action) {
        let child = self.setup.child;
        match action {
            Action::Say(message) => self.say(message),
            Action::Settle => self.settle(),
            Action::Hold => self.held = self.info,
            Action::Continue { group } => {
                let (target, number) =
                    if group { (Target::Group(child), -child) } else { (Target::Child(child), child) };
                self.tell(libc::SIGCONT, target, sys::kill(number, libc::SIGCONT));
            }
            Action::SendAll { signal, only_caught } => self.send_all(signal, only_caught),
            Action::GiveTerminal => self.pass_terminal(child, Message::gave_terminal(child)),
            Action::TakeTerminal => self.pass_terminal(self.setup.group, Message::took_terminal()),
            Action::ConsumeStop => sys::consume_stop(child),
            Action::Sleep(time) => {
                let _ = sys::poll(NONE, NONE, Some(time));
            }
        }
    }

    /// Keeps nothing that init does not need (I11): an old working directory pins a mount, a descriptor may hold what the
    /// container must not see. 0, 1 and 2 stay as they are.
    fn settle(&mut self) {
        sys::leave_directory();
        // The two are closed with all the others.
        (self.followed, self.signals) = (NONE, NONE);
        match self.terminal {
            Some(terminal) => {
                sys::duplicate(terminal, 3);
                self.terminal = Some(3);
                sys::close_from(4);
            }
            None => sys::close_from(3),
        }
    }

    /// Makes `group` the terminal's foreground group.
    fn pass_terminal(&self, group: Pid, message: Message) {
        if let Some(terminal) = self.terminal
            && sys::set_foreground(terminal, group).is_ok()
        {
            self.say(message);
        }
    }

    /// Waits for a signal, or for the end of the process that is followed.
    fn wait(&mut self, signals: SignalSet, mut timeout: Option<Milliseconds>) -> Event {
        if self.followed != NONE {
            match sys::poll(self.signals, self.followed, timeout) {
                sys::Polled::Second => {
                    self.unfollow();
                    return Event::FollowedEnded;
                }
                // Where it cannot be had the kernel still tells of init's own children.
                sys::Polled::Failed => {}
                _ => timeout = Some(Milliseconds::ZERO),
            }
        }
        match sys::wait_signal(signals, &mut self.info, timeout) {
            Ok(()) => Event::Signal(self.info.received(self.setup.own_pid)),
            // A stop, a tracer or the freezer has woken init: nothing has come.
            Err(Errno::EAGAIN | Errno::EINTR) => Event::Quiet,
            Err(error) => Event::WaitFailed(error.number()),
        }
    }

    /// Reaps one dead child, whichever it is. Before `farewell` is reaped, its group gets SIGTERM.
    fn reap(&self, farewell: Option<Pid>) -> Event {
        let mut which = -1;
        if let Some(child) = farewell {
            which = sys::dead_child();
            if which == child {
                self.tell(libc::SIGTERM, Target::Group(child), sys::kill(-child, libc::SIGTERM));
            }
            // None: −1 tells whether there are children.
            which = if which > 0 { which } else { -1 };
        }
        let mut status = 0;
        loop {
            match bare::reap(which, &mut status) {
                Ok(0) => return Event::Drained { has_children: true },
                Ok(pid) => return Event::Reaped(pid, status),
                Err(Errno::ECHILD) => return Event::Drained { has_children: false },
                Err(Errno::EINTR) => {}
                Err(error) => return Event::ReapFailed(error.number()),
            }
        }
    }

    /// Sends a signal to the child or its group, with what came with it if the kernel allows that: the signal that was taken
    /// last, or the one that is held.
    fn send(&mut self, forward: Forward, is_held: bool) -> Outcome {
        let Forward { signal, to_group, only_caught, with_info, .. } = forward;
        let child = self.setup.child;
        let mut info = if is_held { self.held } else { self.info };
        info.set_number(signal);
        let info = &info;
        if only_caught {
            return self.send_to_each(signal, with_info.then_some(info), true, true);
        }
        let mut sent = Err(Errno::ESRCH);
        if to_group {
            if with_info {
                sent = sys::queue_group(child, info);
            }
            // Not on this kernel, or nothing came with it: plainly.
            if sent.is_err() && sent != Err(Errno::EAGAIN) {
                sent = sys::kill(-child, signal);
            }
        }
        // To the child alone; also where its group is not made yet, or could not be (a filter refuses setpgid): then the child is
        // all that is in it.
        if sent == Err(Errno::ESRCH) {
            if with_info {
                sent = sys::queue(child, info);
            }
            if sent.is_err() && sent != Err(Errno::EAGAIN) {
                sent = sys::kill(child, signal);
            }
        }
        match sent {
            Ok(()) => Outcome::Sent,
            Err(Errno::EAGAIN) => Outcome::QueueFull,
            Err(error) => Outcome::Refused(error.number()),
        }
    }

    /// `--stop-timeout` is over: kills the child and its group.
    fn kill_child(&self) -> Event {
        let child = self.setup.child;
        let killed = sys::kill(child, libc::SIGKILL);
        if self.setup.own_group {
            self.tell(libc::SIGKILL, Target::Group(child), sys::kill(-child, libc::SIGKILL));
        }
        Event::ChildKilled(killed.map_err(Errno::number))
    }

    /// Stops init as the terminal would: the kernel does not if its group is orphaned, where no process could continue it.
    fn stop_self(&self, signal: SignalNumber) -> Event {
        let own_pid = self.setup.own_pid;
        // The group of a session's leader is orphaned: not to try discards no SIGCONT.
        if sys::own_session() != own_pid {
            let _ = sys::kill(own_pid, libc::SIGTSTP);
            bare::set_mask(!bare::bit(libc::SIGTSTP));
            bare::set_mask(bare::ALL_SIGNALS);
        }
        Event::StoppedSelf(signal)
    }

    /// Sends a signal to all that init answers for after the child's end (I14): as PID 1 to all of its PID namespace, else to all
    /// descendants.
    fn send_all(&mut self, signal: SignalNumber, only_caught: bool) {
        if only_caught || self.setup.own_pid != 1 {
            self.send_to_each(signal, None, only_caught, false);
            return;
        }
        let sent = sys::kill(-1, signal);
        // No process is left to send it to: nothing to tell.
        if sent != Err(Errno::ESRCH) {
            self.tell(signal, Target::All, sent);
        }
    }

    /// Sends a signal to each process of the child's group, or to each that init answers for after the child's end; if it is
    /// `only_caught`, to those that catch it, because it would end the others.
    fn send_to_each(
        &mut self,
        signal: SignalNumber,
        info: Option<&Info>,
        only_caught: bool,
        in_group: bool,
    ) -> Outcome {
        let mut outcome = Outcome::Uncaught;
        self.each_process(in_group, &mut |shell, pid, pidfd| {
            let target = Target::Process(pid);
            if only_caught {
                match procfs::status(pid) {
                    Some(status) if status.is_zombie() => return,
                    Some(status) if status.caught().contains(signal) => {}
                    Some(_) => return shell.say(Message::not_caught(signal, target)),
                    None => return,
                }
            }
            match sys::signal_process(pidfd, pid, signal, info) {
                Err(Errno::ESRCH) => {}
                // Sent again to all: so only if no other process has got it.
                Err(Errno::EAGAIN) if outcome != Outcome::Sent => outcome = Outcome::QueueFull,
                sent => {
                    shell.tell(signal, target, sent);
                    outcome = Outcome::Sent;
                }
            }
        });
        outcome
    }

    /// Visits each process of the child's group, or each that init answers for after the child's end, with a pidfd of it, or
    /// [`NONE`]. The pidfd comes before every question: the process that was asked about is the one that is signalled, even if its
    /// number has become another's. Returns whether /proc was read to its end, and whether there are other processes than init.
    fn each_process(&mut self, in_group: bool, visit: &mut dyn FnMut(&mut Self, Pid, c_int)) -> (bool, bool) {
        let Setup { own_pid, child, .. } = self.setup;
        let mut has_others = false;
        let is_whole = sys::each_number(c"/proc", &mut |pid, _| {
            if pid == own_pid {
                return;
            }
            has_others = true;
            let pidfd = match sys::open_process(pid) {
                Ok(pidfd) => pidfd,
                Err(Errno::ESRCH) => return,
                // Before Linux 5.3, or where a filter refuses it.
                Err(_) => NONE,
            };
            let is_meant = if in_group {
                sys::group_of(pid) == Ok(child)
            } else {
                own_pid == 1 || procfs::is_descendant(pid, own_pid)
            };
            if is_meant {
                visit(self, pid, pidfd);
            }
            if pidfd != self.followed {
                bare::close(pidfd);
            }
        });
        (is_whole, has_others)
    }

    /// Is a process left that init answers for, and may signal? If its pidfd can be had, it is followed.
    fn look_for_survivors(&mut self) -> Survivors {
        let Setup { own_pid, .. } = self.setup;
        if self.followed != NONE {
            if is_alive(self.followed) {
                return Survivors::Followed;
            }
            self.unfollow();
        }
        // Processes of `docker exec` are no children of init's.
        if own_pid == 1 && sys::kill(-1, 0) == Err(Errno::ESRCH) {
            return Survivors::None;
        }
        if !procfs::is_usable(own_pid) {
            // As a subreaper init could not ask any process to end.
            return if own_pid == 1 { Survivors::Unseen } else { Survivors::None };
        }
        if self.signals == NONE {
            self.signals = sys::signal_descriptor().unwrap_or(NONE);
        }
        let mut survivors = Survivors::None;
        let (is_whole, has_others) = self.each_process(false, &mut |shell, pid, pidfd| {
            if shell.followed != NONE || sys::kill(pid, 0).is_err() {
                return;
            }
            let is_alive = if pidfd == NONE {
                procfs::status(pid).is_none_or(|status| !status.is_zombie())
            } else {
                is_alive(pidfd)
            };
            if is_alive {
                survivors = Survivors::Unfollowed;
                if pidfd != NONE && shell.signals != NONE {
                    survivors = Survivors::Followed;
                    shell.followed = pidfd;
                }
            }
        });
        // kill(2) finds a process, before and after, and /proc shows none: it hides them (hidepid). Or it cannot be read to its end.
        let is_hidden = || own_pid == 1 && !has_others && sys::kill(-1, 0) != Err(Errno::ESRCH);
        if survivors == Survivors::None && (!is_whole || is_hidden()) {
            return Survivors::Unseen;
        }
        survivors
    }

    /// Follows no process any more.
    fn unfollow(&mut self) {
        bare::close(self.followed);
        self.followed = NONE;
    }
}

/// Is the process alive? Its pidfd is readable once it has ended, reaped or not.
fn is_alive(pidfd: c_int) -> bool {
    sys::poll(NONE, pidfd, Some(Milliseconds::ZERO)) == sys::Polled::Neither
}

impl Facts for Shell {
    fn now(&self) -> Time {
        sys::now()
    }

    fn child_stop(&self) -> Option<SignalNumber> {
        sys::stopped_by(self.setup.child)
    }

    fn child_will_stop(&self) -> bool {
        procfs::status(self.setup.child).is_some_and(|status| !status.taking_effect().and(signal::STOPS).is_empty())
    }

    fn child_catches(&self, signal: SignalNumber) -> bool {
        procfs::status(self.setup.child).is_none_or(|status| status.caught().contains(signal))
    }

    fn child_group(&self) -> Option<c_int> {
        sys::group_of(self.setup.child).ok()
    }

    fn foreground(&self) -> Option<c_int> {
        sys::foreground(self.terminal?).ok()
    }

    fn may_read_terminal(&self) -> bool {
        // A read of a blocking one would wait for that of another process.
        self.is_private && self.terminal.is_some_and(sys::may_read)
    }

    fn session_is_foreground(&self) -> bool {
        procfs::is_foreground(self.setup.child)
    }

    fn continue_is_pending(&self) -> bool {
        sys::pending() & bare::bit(libc::SIGCONT) != 0
    }

    fn proc_is_usable(&self) -> bool {
        procfs::is_usable(self.setup.own_pid)
    }

    fn out_of_memory_kills(&self) -> u32 {
        oom::kills()
    }
}
