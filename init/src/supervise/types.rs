//! What goes in and out of [`super::Supervisor::decide`].

use crate::cli::Milliseconds;
use crate::messages::{Message, Target, Text};
use crate::signal::{SignalNumber, SignalSet};
use crate::status::WaitStatus;
use core::ffi::c_int;

/// A moment of the monotonic clock, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(pub u64);

impl Time {
    /// The moment `span` later.
    #[must_use]
    pub fn after(self, span: Milliseconds) -> Self {
        Self(self.0.saturating_add(u64::from(span.0)))
    }

    /// How long it is from `earlier` to this moment; zero if that is past. What is longer than 49 days is cut.
    #[must_use]
    pub fn since(self, earlier: Self) -> Milliseconds {
        Milliseconds(self.0.saturating_sub(earlier.0).min(u64::from(u32::MAX - 1)) as u32)
    }
}

/// A signal that init has taken, as far as its meaning depends on it (sigaction(2), `siginfo_t`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Received {
    /// Its number.
    pub number: SignalNumber,
    /// The kernel sent it (`si_code` is SI_KERNEL): a terminal, for one.
    pub by_kernel: bool,
    /// init raised it in itself (`si_pid` is its own).
    pub by_init: bool,
    /// It came by sigqueue(3) or the like: its siginfo can be passed on (rt_sigqueueinfo(2)).
    pub is_queued: bool,
}

/// A signal on its way to the child.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Forward {
    /// What was received.
    pub received: SignalNumber,
    /// What is sent for it.
    pub signal: SignalNumber,
    /// It goes to the child's whole process group.
    pub to_group: bool,
    /// Only to those members of the group that catch it.
    pub only_caught: bool,
    /// With the siginfo that came with it.
    pub with_info: bool,
}

/// What came of sending a signal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It was sent.
    Sent,
    /// The receiver's queue has no room (EAGAIN): a real-time signal (kernel/signal.c, `__send_signal_locked`).
    QueueFull,
    /// It was refused, with this error number.
    Refused(c_int),
    /// No receiver catches it; that was told.
    Uncaught,
}

/// Who is left after the child's end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Survivors {
    /// No process that init may signal.
    None,
    /// Some; the shell follows one of them by its pidfd.
    Followed,
    /// Some, and there is no pidfd to follow one by.
    Unfollowed,
    /// Some, and /proc does not show them: init hears only of the end of its own children.
    Unseen,
}

/// What happened: the outcome of [`Next`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// The child was started.
    Started,
    /// A signal was taken.
    Signal(Received),
    /// None came in time.
    Quiet,
    /// The wait failed with this error number, not EINTR.
    WaitFailed(c_int),
    /// The process that is followed has ended.
    FollowedEnded,
    /// A process was reaped.
    Reaped(c_int, WaitStatus),
    /// wait4(2) failed with this error number.
    ReapFailed(c_int),
    /// No child is dead any more.
    Drained {
        /// Some are alive.
        has_children: bool,
    },
    /// A signal was forwarded, or was not.
    Sent(Forward, Outcome),
    /// SIGKILL was sent to the child, or was refused with this error number.
    ChildKilled(Result<(), c_int>),
    /// The shell has looked for survivors.
    Looked(Survivors),
    /// init has stopped itself for the child's stop by this signal, and was continued, or could not stop.
    StoppedSelf(SignalNumber),
}

/// What is done next; its outcome is the next [`Event`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Next {
    /// Wait for one of `signals`, or for the end of the process that is followed.
    Wait {
        /// Which signals.
        signals: SignalSet,
        /// How long; `None` is without end.
        timeout: Option<Milliseconds>,
    },
    /// Reap one dead child.
    Reap {
        /// Before this child is reaped its group gets SIGTERM: its number is still its own (contract I4).
        farewell: Option<c_int>,
    },
    /// Forward the signal that was taken last.
    Send(Forward),
    /// Forward the signal that is held.
    Resend(Forward),
    /// Kill the child and its group: `--stop-timeout` is over.
    KillChild,
    /// Look for processes that init answers for and may signal.
    LookForSurvivors,
    /// Stop as the terminal would stop init, for the child's stop by this signal.
    StopSelf(SignalNumber),
    /// End with this exit status.
    End(u8),
}

/// What is done at once. Failures change nothing, and are told at `--verbose`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Say it.
    Say(Message),
    /// Drop what init no longer needs: working directory, descriptors (contract I11).
    Settle,
    /// Keep the siginfo of the signal that was taken last, to forward it later.
    Hold,
    /// SIGCONT to the child, or to its group.
    Continue {
        /// To its group.
        group: bool,
    },
    /// Send a signal to all that remain (contract I14).
    SendAll {
        /// Which.
        signal: SignalNumber,
        /// Only to processes that catch it.
        only_caught: bool,
    },
    /// Make the child's group the terminal's foreground group.
    GiveTerminal,
    /// Make init's group the foreground group.
    TakeTerminal,
    /// Take the child's stop as told: waitid(2) without WNOWAIT.
    ConsumeStop,
    /// Sleep.
    Sleep(Milliseconds),
}

/// How many actions a decision can have.
const MOST: usize = 8;

/// The actions of a decision, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Actions {
    /// They, and then what takes the free places.
    list: [Action; MOST],
    /// How many they are.
    count: usize,
}

impl Actions {
    /// None. What takes the free places is all zeroes, and so costs nothing to make.
    pub const NONE: Self = Self { list: [Action::Say(Self::ZEROES); MOST], count: 0 };

    /// The first text, and nothing in it.
    const ZEROES: Message = Message { text: Text::CannotExecute, target: Target::Child(0), signal: 0, number: 0 };

    /// Adds one. No decision has more than there is room for: the exhaustive tests would miss the one that is lost.
    #[inline(never)]
    pub fn push(&mut self, action: Action) {
        debug_assert!(self.count < MOST);
        if let Some(slot) = self.list.get_mut(self.count) {
            *slot = action;
            self.count += 1;
        }
    }

    /// Adds a message.
    #[inline(always)] // Its fields are passed in registers.
    pub fn say(&mut self, message: Message) {
        self.push_message(message.text, message.target, message.signal, message.number);
    }

    /// Adds the message that has these fields.
    #[inline(never)]
    fn push_message(&mut self, text: Text, target: Target, signal: u8, number: c_int) {
        self.push(Action::Say(Message { text, target, signal, number }));
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Action> {
        self.list.iter().copied().take(self.count)
    }
}

/// What to do about an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Decision {
    /// At once, in this order.
    pub actions: Actions,
    /// And then.
    pub next: Next,
}

/// What a decision may depend on. To ask changes nothing.
pub trait Facts {
    /// The monotonic clock.
    fn now(&self) -> Time;
    /// The signal that the child is stopped by, if it is (waitid(2), WSTOPPED).
    fn child_stop(&self) -> Option<SignalNumber>;
    /// Is the child about to stop: is a stop signal pending that it will take? Needs /proc.
    fn child_will_stop(&self) -> bool;
    /// Does the child catch the signal? Yes if that cannot be known.
    fn child_catches(&self, signal: SignalNumber) -> bool;
    /// The child's process group (getpgid(2)).
    fn child_group(&self) -> Option<c_int>;
    /// The foreground group of init's terminal (TIOCGPGRP); 0 if it lies outside the PID namespace.
    fn foreground(&self) -> Option<c_int>;
    /// Is init in the terminal's foreground, by a read of no byte? For a group whose number cannot be known.
    fn may_read_terminal(&self) -> bool;
    /// Is the group of the child's own session the foreground group of that session's terminal? Needs /proc.
    fn session_is_foreground(&self) -> bool;
    /// Is a SIGCONT pending in init?
    fn continue_is_pending(&self) -> bool;
    /// Is /proc there, and that of init's own PID namespace?
    fn proc_is_usable(&self) -> bool;
    /// How many processes of init's memory cgroup the out-of-memory killer has ended so far.
    fn out_of_memory_kills(&self) -> u32;
}
