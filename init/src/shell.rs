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
    /// The siginfo of the signal that was taken last.
    info: Info,
    /// The siginfo of the signal that is held.
    held: Option<(Forward, Info)>,
    /// A pidfd of the process that the teardown follows.
    followed: Option<c_int>,
    /// A signalfd, to wait for signals beside it.
    signals: Option<c_int>,
}

impl Shell {
    /// For a child that has just been started.
    pub const fn new(setup: Setup, verbose: bool, terminal: Option<c_int>) -> Self {
        Self { setup, verbose, terminal, info: Info::new(), held: None, followed: None, signals: None }
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
                Next::Send(forward) => Event::Sent(forward, self.send(forward, &self.info)),
                Next::Resend => match self.held {
                    Some((forward, info)) => Event::Sent(forward, self.send(forward, &info)),
                    None => Event::Quiet,
                },
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
            bare::say(messages::line(message).bytes());
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
            Action::Hold(forward) => self.held = Some((forward, self.info)),
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
                let _ = sys::poll(-1, -1, Some(time));
            }
        }
    }

    /// Keeps nothing that init does not need (I11): an old working directory pins a mount, a descriptor may hold what the
    /// container must not see. 0, 1 and 2 stay as they are.
    fn settle(&mut self) {
        sys::leave_directory();
        // The two are closed with all the others.
        (self.followed, self.signals) = (None, None);
        match self.terminal {
            Some(terminal) if terminal > 2 => {
                sys::duplicate(terminal, 3);
                self.terminal = Some(3);
                sys::close_from(4);
            }
            _ => sys::close_from(3),
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
        if let (Some(followed), Some(descriptor)) = (self.followed, self.signals) {
            match sys::poll(descriptor, followed, timeout) {
                Ok((false, true)) => {
                    self.unfollow();
                    return Event::FollowedEnded;
                }
                Ok(_) => timeout = Some(Milliseconds::ZERO),
                // Where it cannot be had the kernel still tells of init's own children.
                Err(_) => {}
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

    /// Sends a signal to the child or its group, with what came with it if the kernel allows that.
    fn send(&self, forward: Forward, info: &Info) -> Outcome {
        let Forward { signal, to_group, only_caught, with_info, .. } = forward;
        let child = self.setup.child;
        if only_caught {
            return self.send_to_catching(signal, &|pid| sys::group_of(pid) == Ok(child));
        }
        let mut info = *info;
        info.set_number(signal);
        let mut sent = Err(Errno::ESRCH);
        if to_group {
            if with_info {
                sent = sys::queue_group(child, &info);
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
                sent = sys::queue(child, &info);
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
    fn send_all(&self, signal: SignalNumber, only_caught: bool) {
        let Setup { own_pid, .. } = self.setup;
        if only_caught {
            self.send_to_catching(signal, &|pid| own_pid == 1 || procfs::is_descendant(pid, own_pid));
        } else if own_pid == 1 {
            let sent = sys::kill(-1, signal);
            // No process is left to send it to: nothing to tell.
            if sent != Err(Errno::ESRCH) {
                self.tell(signal, Target::All, sent);
            }
        } else {
            procfs::each_process(&mut |pid| {
                if let Some(sent) = self.signal_one(pid, signal, &|pid| procfs::is_descendant(pid, own_pid)) {
                    self.tell(signal, Target::Process(pid), sent);
                }
            });
        }
    }

    /// Sends a signal to the processes of a kind that catch it; a signal that they do not catch would end them.
    fn send_to_catching(&self, signal: SignalNumber, is_meant: &dyn Fn(Pid) -> bool) -> Outcome {
        let mut outcome = Outcome::Uncaught;
        procfs::each_process(&mut |pid| {
            if !is_meant(pid) || pid == self.setup.own_pid {
                return;
            }
            let Some(status) = procfs::status(pid) else { return };
            if status.is_zombie {
                return;
            }
            let target = Target::Process(pid);
            if !status.caught.contains(signal) {
                self.say(Message::not_caught(signal, target));
            } else if let Some(sent) = self.signal_one(pid, signal, is_meant) {
                self.tell(signal, target, sent);
                outcome = Outcome::Sent;
            }
        });
        outcome
    }

    /// Sends a signal to the process `pid` if it is meant; `None` if it is not, or gone. The pidfd comes before the question:
    /// the process that was asked about is the one that is signalled, even if its number has become another's.
    fn signal_one(&self, pid: Pid, signal: SignalNumber, is_meant: &dyn Fn(Pid) -> bool) -> Option<Result<(), Errno>> {
        if pid == self.setup.own_pid {
            return None;
        }
        let pidfd = match sys::open_process(pid) {
            Err(Errno::ESRCH) => return None,
            // Before Linux 5.3, or where a filter refuses it, its number must do.
            opened => opened.ok(),
        };
        let mut sent = None;
        if is_meant(pid) {
            sent = Some(match pidfd.map(|pidfd| sys::signal_process(pidfd, signal)) {
                None | Some(Err(Errno::ENOSYS)) => sys::kill(pid, signal),
                Some(sent) => sent,
            });
        }
        if let Some(pidfd) = pidfd {
            bare::close(pidfd);
        }
        sent.filter(|sent| *sent != Err(Errno::ESRCH))
    }

    /// Is a process left that init answers for, and may signal? If its pidfd can be had, it is followed.
    fn look_for_survivors(&mut self) -> Survivors {
        let Setup { own_pid, .. } = self.setup;
        if let Some(followed) = self.followed {
            if sys::poll(-1, followed, Some(Milliseconds::ZERO)) == Ok((false, false)) {
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
        let mut survivors = Survivors::None;
        let mut others = 0;
        let is_whole = procfs::each_process(&mut |pid| {
            if pid == own_pid || survivors == Survivors::Followed {
                return;
            }
            others += 1;
            survivors = match self.follow(pid) {
                Survivors::None => survivors,
                found => found,
            };
        });
        // kill(2) has found a process, and /proc shows none: it hides them (hidepid). Or it cannot be read to its end.
        if survivors == Survivors::None && (!is_whole || own_pid == 1 && others == 0) {
            return Survivors::Unseen;
        }
        survivors
    }

    /// Follows the process `pid`, if init answers for it, may signal it, and it is alive.
    fn follow(&mut self, pid: Pid) -> Survivors {
        let own_pid = self.setup.own_pid;
        let opened = match sys::open_process(pid) {
            Err(Errno::ESRCH) => return Survivors::None,
            opened => opened.ok(),
        };
        let is_meant = (own_pid == 1 || procfs::is_descendant(pid, own_pid)) && sys::kill(pid, 0).is_ok();
        let Some(pidfd) = opened else {
            let is_alive = is_meant && procfs::status(pid).is_none_or(|status| !status.is_zombie);
            return if is_alive { Survivors::Unfollowed } else { Survivors::None };
        };
        // A pidfd is readable once its process has ended, reaped or not.
        if is_meant && sys::poll(-1, pidfd, Some(Milliseconds::ZERO)) == Ok((false, false)) {
            self.followed = Some(pidfd);
            if self.signals.is_none() {
                self.signals = sys::signal_descriptor();
            }
            return if self.signals.is_some() { Survivors::Followed } else { Survivors::Unfollowed };
        }
        bare::close(pidfd);
        Survivors::None
    }

    /// Follows no process any more.
    fn unfollow(&mut self) {
        if let Some(pidfd) = self.followed.take() {
            bare::close(pidfd);
        }
    }
}

impl Facts for Shell {
    fn now(&self) -> Time {
        sys::now()
    }

    fn child_stop(&self) -> Option<SignalNumber> {
        sys::stopped_by(self.setup.child)
    }

    fn child_will_stop(&self) -> bool {
        procfs::status(self.setup.child).is_some_and(|status| {
            let pending = status.pending.and(signal::STOPS).without(status.blocked);
            !pending.without(status.ignored.or(status.caught)).is_empty()
        })
    }

    fn child_catches(&self, signal: SignalNumber) -> bool {
        procfs::status(self.setup.child).is_none_or(|status| status.caught.contains(signal))
    }

    fn child_group(&self) -> Option<c_int> {
        sys::group_of(self.setup.child).ok()
    }

    fn foreground(&self) -> Option<c_int> {
        sys::foreground(self.terminal?).ok()
    }

    fn may_read_terminal(&self) -> bool {
        // The descriptors 0 to 2 may be blocking, and a read would wait for another process's.
        self.terminal.is_some_and(|terminal| terminal > 2 && sys::may_read(terminal))
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
