//! What `supervise.rs` calls: the modules that it expects beside it, on the simulated kernel, and the core behind a wrapper
//! that can be made faulty.

/// As init/src/sys.rs.
pub mod sys {
    use crate::kernel::{CHILD, Errno, Life, Signal, bit};
    pub use crate::kernel::{FOREVER, Pid, Time};
    use crate::machine::{Entry, Fault, LOOK, with};
    use init_core::signal::SignalNumber;
    use init_core::supervisor::Received;

    /// A signal that was taken.
    #[derive(Clone, Copy)]
    pub struct Info(Signal);

    #[allow(clippy::new_without_default)] // As there.
    impl Info {
        /// Nothing yet.
        pub const fn new() -> Self {
            Self(Signal { number: 0, code: 0, own: false })
        }

        /// For the decision.
        pub fn received(&self, own_pid: Pid) -> Received {
            assert_eq!(own_pid, with(|machine| machine.kernel.own_pid));
            Received { number: self.0.number, code: self.0.code, own: self.0.own }
        }

        /// Its number.
        pub const fn number(&self) -> SignalNumber {
            self.0.number
        }

        /// Makes it another one.
        pub const fn set_number(&mut self, number: SignalNumber) {
            self.0.number = number;
        }

        /// A negative `si_code` other than SI_TKILL.
        pub const fn can_be_queued(&self) -> bool {
            self.0.code < 0 && self.0.code != libc::SI_TKILL
        }
    }

    /// A descriptor of signals.
    const SIGNALS: i32 = 300;
    /// The pidfd of a process is its pid and this.
    const PIDFD: i32 = 100;

    /// The clock. What happens before is seen by the calls around it.
    pub fn now() -> Time {
        with(|machine| {
            let now = machine.kernel.now;
            machine.log.push(Entry::Clock(now));
            if machine.has(Fault::RestartsClock) { 0 } else { now }
        })
    }

    /// Takes a signal.
    pub fn wait_signal(set: u64, info: &mut Info, mut timeout: Time) -> Result<i32, Errno> {
        with(|machine| {
            let looks = !machine.settled && timeout == 0;
            machine.take_what_is_owed();
            machine.call();
            let now = machine.kernel.now;
            if looks {
                machine.log.push(Entry::Waits { now, timeout: LOOK, set, polls: false });
                if machine.kernel.pending() & set == 0 {
                    // It does now what could wait.
                    return Err(Errno::EAGAIN);
                }
                machine.early = true;
            }
            if machine.has(Fault::Polls) {
                timeout = timeout.min(1000);
            }
            if !looks {
                machine.log.push(Entry::Waits { now, timeout, set, polls: false });
                if let Some(error) = machine.kernel.take_wait_error() {
                    return Err(error);
                }
            }
            if !machine.sleep(timeout, |kernel| kernel.pending() & set != 0) {
                return Err(Errno::EAGAIN);
            }
            let mut signal = machine.take(set).expect("a signal");
            machine.log.push(Entry::Took(signal));
            if machine.has(Fault::TakesTwo)
                && let Some(next) = machine.kernel.take(set)
            {
                machine.log.push(Entry::Took(next));
                signal = next;
            }
            *info = Info(signal);
            Ok(signal.number)
        })
    }

    /// A descriptor that is readable when a signal waits.
    pub fn signal_descriptor() -> i32 {
        opened(SIGNALS)
    }

    /// A descriptor that is open from now on.
    fn opened(descriptor: i32) -> i32 {
        with(|machine| machine.open.push(descriptor));
        descriptor
    }

    /// Waits for a signal, or for the end of a process. Was it that?
    pub fn poll(one: i32, two: i32, timeout: Time) -> Result<bool, Errno> {
        with(|machine| {
            machine.call();
            let is_bad = |descriptor: i32| descriptor >= 0 && !machine.open.contains(&descriptor);
            if is_bad(one) || is_bad(two) {
                // POLLNVAL, at once.
                return Ok(is_bad(two));
            }
            let process = machine.kernel.processes.iter().position(|process| process.pid + PIDFD == two);
            let ended =
                move |kernel: &crate::kernel::Kernel| process.is_some_and(|index| !kernel.processes[index].lives());
            if timeout > 0 {
                let now = machine.kernel.now;
                if one == SIGNALS {
                    machine.log.push(Entry::Waits { now, timeout, set: u64::MAX, polls: true });
                } else {
                    machine.log.push(Entry::Breathes);
                }
                machine.sleep(timeout, move |kernel| one == SIGNALS && !kernel.pending.is_empty() || ended(kernel));
            } else {
                machine.log.push(Entry::Asked);
            }
            Ok(ended(&machine.kernel))
        })
    }

    /// kill(2).
    pub fn kill(target: Pid, number: SignalNumber) -> Result<(), Errno> {
        with(|machine| {
            if machine.has(Fault::SendsToOwnGroup) && number == libc::SIGHUP {
                return machine.send(-machine.mode.group(), number, false);
            }
            if machine.has(Fault::ForgetsCont) && number == libc::SIGCONT {
                return Ok(());
            }
            machine.send(target, number, false)
        })
    }

    /// rt_sigqueueinfo(2).
    pub fn queue(pid: Pid, info: &Info) -> Result<(), Errno> {
        with(|machine| match machine.send(pid, info.number(), true) {
            Err(Errno::EAGAIN) if machine.has(Fault::ForgetsHeld) => Ok(()),
            result => result,
        })
    }

    /// pidfd_send_signal(2) to a group.
    pub fn queue_group(leader: Pid, info: &Info) -> Result<(), Errno> {
        queue(-leader, info)
    }

    /// Sets the mask. Unblocked, a stop that waits stops init.
    pub fn set_mask(mask: u64) {
        with(|machine| {
            machine.call();
            if machine.kernel.take(bit(libc::SIGTSTP) & !mask).is_some() {
                machine.stop();
            }
        });
    }

    /// The signals that wait.
    pub fn pending() -> u64 {
        with(|machine| {
            machine.call();
            machine.kernel.pending()
        })
    }

    /// By which signal the child is stopped.
    pub fn stopped_by(pid: Pid, flags: i32) -> SignalNumber {
        assert_eq!(pid, CHILD);
        with(|machine| {
            machine.call();
            machine.log.push(Entry::Asked);
            machine.kernel.stopped_by(flags & libc::WNOWAIT == 0)
        })
    }

    /// Has the child ended?
    pub fn has_ended(pid: Pid) -> bool {
        assert_eq!(pid, CHILD);
        with(|machine| {
            machine.call();
            machine.log.push(Entry::Asked);
            machine.kernel.has_ended()
        })
    }

    /// init's session.
    pub fn own_session() -> Pid {
        with(|machine| if machine.mode.leads_session { machine.mode.own_pid() } else { machine.mode.group() })
    }

    /// The foreground group.
    pub fn foreground(terminal: i32) -> Result<Pid, Errno> {
        if terminal < 0 { Err(Errno::ENOTTY) } else { with(|machine| Ok(machine.kernel.foreground)) }
    }

    /// Makes a group that one. ESRCH if it is the child's and the child has been reaped.
    pub fn set_foreground(_: i32, group: Pid) -> Result<(), Errno> {
        with(|machine| {
            if group == CHILD && machine.kernel.child().life == Life::Reaped {
                return Err(Errno::ESRCH);
            }
            machine.kernel.foreground = group;
            Ok(())
        })
    }

    /// The group is there from the start ([`crate::modes::Mode::own_group`]).
    pub fn make_group(_: Pid) -> Result<(), Errno> {
        Ok(())
    }
    /// The directory matters to nobody here, but that it is left says that init looks no more: it waits.
    pub fn change_directory(_: ()) -> Result<(), Errno> {
        with(|machine| machine.settled = true);
        Ok(())
    }
    /// There are no other programs.
    pub fn give_way() {}
    /// What is queued at init has no limit here.
    pub fn reserve_place() {}
    /// The root directory.
    pub const ROOT: () = ();
    /// What init was given is not counted.
    pub fn close(descriptor: i32) {
        with(|machine| machine.open.retain(|open| *open != descriptor));
    }
    /// Nor are their copies.
    pub fn duplicate(_: i32, _: i32) {}
    /// A range of them.
    pub fn close_range(first: i32, last: i32) {
        with(|machine| machine.open.retain(|open| !(first..=last).contains(open)));
    }

    /// What /proc would show, as init/src/processes.rs reads it.
    pub mod tree {
        use super::*;

        /// No pidfd.
        pub const NOBODY: i32 = -1;

        /// Sends to all that init answers for; for 0, a pidfd of the first that lives.
        pub fn signal_all(number: SignalNumber, own_pid: Pid) -> i32 {
            with(|machine| {
                machine.call();
                machine.log.push(Entry::SentToEach(number, machine.kernel.calls));
                for index in 0..machine.kernel.processes.len() {
                    let process = machine.kernel.processes[index];
                    // A zombie has its entry, too; a stranger is no descendant.
                    if !(process.lives() || process.is_zombie()) || own_pid != 1 && !process.ours {
                        continue;
                    }
                    if number == 0 && process.lives() {
                        machine.open.push(process.pid + PIDFD);
                        return process.pid + PIDFD;
                    }
                    machine.kernel.receive(index, number);
                }
                NOBODY
            })
        }
    }
}

/// As init/src/child.rs.
pub mod child {
    use std::sync::atomic::AtomicI32;

    /// What `supervise.rs` reads of it.
    pub struct Plan {
        /// The child has its own group.
        pub own_group: bool,
        /// It has its own session.
        pub session: bool,
        /// init's group.
        pub group: i32,
        /// init leads its session.
        pub leads_session: bool,
        /// The controlling terminal, or -1.
        pub terminal: i32,
        /// init's pid.
        pub parent: i32,
        /// 0, or the errno with which exec failed.
        pub failure: AtomicI32,
    }
}

/// As init/src/processes.rs.
pub mod processes {
    use super::sys::Pid;
    pub use super::sys::tree::{NOBODY, signal_all};
    use crate::machine::with;
    use init_core::signal::SignalNumber;

    /// Is there a /proc?
    pub fn is_usable() -> bool {
        with(|machine| machine.mode.proc)
    }

    /// Does the child catch it?
    pub fn catches(_: Pid, number: SignalNumber) -> bool {
        with(|machine| machine.mode.catches(number))
    }

    /// The out-of-memory killer does nothing here.
    pub fn out_of_memory_kills() -> u32 {
        0
    }
}

/// As init/src/supervisor.rs, which it wraps: the real decisions, written down, and made faulty if that is asked for.
pub mod supervisor {
    use crate::machine::{Entry, Fault, with};
    use genuine::options::Config;
    use genuine::signal::SignalNumber;
    use genuine::status::WaitStatus;
    use genuine::supervisor as real;
    pub use real::{Decision, Drained, Received, Step};

    /// The wrapper.
    pub struct Supervisor<'c> {
        /// The real one.
        real: real::Supervisor<'c>,
        /// As there.
        pub number: SignalNumber,
    }

    /// Is this fault built in?
    fn has(fault: Fault) -> bool {
        with(|machine| machine.has(fault))
    }

    // What each does is said there.
    impl<'c> Supervisor<'c> {
        pub fn new(config: &'c Config<'c>, pid: i32, own_group: bool, leads_session: bool, session: bool) -> Self {
            Self { real: real::Supervisor::new(config, pid, own_group, leads_session, session), number: 0 }
        }

        pub fn signal(&mut self, received: Received) -> Decision {
            let mut decision = self.real.signal(received);
            if has(Fault::DropsTerm) && received.number == libc::SIGTERM {
                decision = Decision::DropOwn;
            }
            if has(Fault::ForwardsDropped) && decision == Decision::DropAsShared {
                decision = Decision::Forward;
                self.real.number = received.number;
            }
            if has(Fault::ForgetsRewrite) {
                self.real.number = received.number;
            }
            if has(Fault::NeverHurries) && decision == Decision::Teardown {
                decision = Decision::ToAll;
            }
            self.number = self.real.number;
            with(|machine| machine.log.push(Entry::Decided(decision)));
            decision
        }

        pub fn is_stop_request(&self) -> bool {
            self.real.is_stop_request()
        }

        pub fn only_if_caught(&self) -> bool {
            self.real.only_if_caught()
        }

        pub fn starts_clock(&self) -> bool {
            self.real.starts_clock() || has(Fault::ClockForAll)
        }

        pub fn advance(&mut self, expired: bool) -> Step {
            let mut step = self.real.advance(expired);
            if has(Fault::NeverKills) && step == Step::KillChild {
                step = Step::Stay;
            }
            with(|machine| machine.log.push(Entry::Stepped(step)));
            step
        }

        pub fn is_unexplained(&self, status: WaitStatus) -> bool {
            self.real.is_unexplained(status)
        }

        pub fn reaped(&mut self, pid: i32, status: WaitStatus) -> bool {
            let pid = if has(Fault::TakesOrphanForChild) { crate::kernel::CHILD } else { pid };
            self.real.reaped(pid, status)
        }

        pub fn drained(&mut self, childless: bool) -> Drained {
            let drained = match self.real.drained(childless) {
                Drained::End if has(Fault::NeverEnds) => Drained::Stay,
                Drained::Alive if has(Fault::EndsEarly) => Drained::End,
                Drained::Ask | Drained::Look if has(Fault::SkipsTeardown) => Drained::End,
                drained => drained,
            };
            with(|machine| machine.log.push(Entry::Concluded(drained)));
            drained
        }

        pub fn is_killing(&self) -> bool {
            self.real.is_killing()
        }

        pub fn exit_status(&self) -> u8 {
            if has(Fault::ForgetsExpect) {
                // As if the first status that `--expect` turns to 0 were what it is.
                let status = self.real.exit_status();
                return if status == 0 { 3 } else { status };
            }
            self.real.exit_status()
        }
    }
}
