//! What is asked for, and how each setting takes over a value.

use super::table::Opt;
use crate::bytes::{eat, same, take_number};
use crate::signal::{self, SignalNumber, SignalSet, take_signal};
use crate::status::{self, Expected};
use core::ffi::c_int;

/// A time span in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Milliseconds(pub u32);

impl Milliseconds {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// Takes a time from the front of `text`: `10` and `10s`, `500ms`, `2m`. `None` also beyond `u32`.
    fn take(text: &mut &[u8]) -> Option<Self> {
        let number = take_number(text)?;
        let minutes = eat(text, b'm');
        let seconds = eat(text, b's');
        let unit = match (minutes, seconds) {
            (true, true) => 1,
            (true, false) => 60_000,
            _ => 1000,
        };
        number.checked_mul(unit).map(Self)
    }
}

/// The name that init is called by sets defaults (contract I4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Persona {
    /// `init`, `tini`, `docker-init`, and any other name.
    Init,
    /// `dumb-init`.
    DumbInit,
    /// `catatonit`, `podman-init`.
    Catatonit,
}

impl Persona {
    /// By the basename of `argv[0]`.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if same(name, b"dumb-init") {
            Self::DumbInit
        } else if same(name, b"catatonit") || same(name, b"podman-init") {
            Self::Catatonit
        } else {
            Self::Init
        }
    }

    /// The exit status for an exec that failed with `errno`.
    #[must_use]
    pub const fn exec_failure(self, errno: c_int) -> u8 {
        match self {
            Self::Init => status::exec_failure(errno),
            Self::DumbInit => 2,
            Self::Catatonit => 1,
        }
    }
}

/// What is forwarded in place of each signal (`--rewrite`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rewrites {
    /// Index: the received signal. Value: what to forward; 0 drops it, [`ITSELF`] is no rule.
    to: [u8; signal::MAX as usize + 1],
}

/// No rule: the signal is forwarded as itself.
const ITSELF: u8 = u8::MAX;

impl Rewrites {
    /// Every signal as itself.
    pub const NONE: Self = Self { to: [ITSELF; signal::MAX as usize + 1] };

    /// The signal to forward for `received`; 0 if a rule drops it.
    #[must_use]
    pub fn apply(&self, received: SignalNumber) -> SignalNumber {
        match self.to.get(received as usize) {
            Some(&ITSELF) | None => received,
            Some(to) => SignalNumber::from(*to),
        }
    }

    /// The signals that become no real-time signal: only these may overtake a real-time signal that waits for room.
    #[must_use]
    pub fn to_standard(&self) -> SignalSet {
        let mut set = signal::NEVER_FORWARDED;
        for from in 1..=signal::MAX {
            if self.apply(from) < 32 {
                set = set.with(from);
            }
        }
        set
    }

    /// Sets the rule for one signal.
    fn set(&mut self, from: SignalNumber, to: SignalNumber) {
        if let Some(slot) = self.to.get_mut(from as usize) {
            *slot = to as u8;
        }
    }

    /// Takes `S:R` from the front of `text` and adds it; the last rule for S wins. `None` if it is malformed.
    fn take(&mut self, text: &mut &[u8]) -> Option<()> {
        let from = take_signal(text)?;
        if !eat(text, b':') {
            return None;
        }
        let to = if eat(text, b'0') { 0 } else { take_signal(text)? };
        self.set(from, to);
        Some(())
    }
}

/// What the command line, the variables and the name ask for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    /// The name that init is called by.
    pub persona: Persona,
    /// How far each flag and count is on, by the number of its [`Opt`].
    levels: [u8; Opt::Verbose as usize + 1],
    /// `--grace`; zero is no teardown.
    pub grace: Milliseconds,
    /// `--stop-timeout`; zero is none.
    pub stop_timeout: Milliseconds,
    /// What starts the clock of `--stop-timeout`.
    pub stop_signals: SignalSet,
    /// `--parent-death`
    pub parent_death: Option<SignalNumber>,
    /// `--rewrite`
    pub rewrites: Rewrites,
    /// `--expect`
    pub expected: Expected,
}

impl Config {
    /// The defaults of a name.
    #[must_use]
    pub const fn new(persona: Persona) -> Self {
        Self {
            persona,
            levels: [0; Opt::Verbose as usize + 1],
            grace: Milliseconds::ZERO,
            stop_timeout: Milliseconds::ZERO,
            stop_signals: signal::TERM,
            parent_death: None,
            rewrites: Rewrites::NONE,
            expected: Expected::NONE,
        }
    }

    /// Is this flag, or this count, on?
    #[must_use]
    pub fn is_on(&self, option: Opt) -> bool {
        self.levels.get(option as usize).is_some_and(|level| *level > 0)
    }

    /// Does the child get a session of its own?
    #[must_use]
    pub fn new_session(&self) -> bool {
        self.persona == Persona::DumbInit && !self.is_on(Opt::SingleChild)
    }

    /// Puts in what a session of the child's own brings along: signals go to its group, and the terminal's stop signals become
    /// STOP where no rule of the user's says otherwise. (That group is orphaned, and the kernel drops these three there.)
    pub fn complete(&mut self) {
        if self.new_session() {
            self.set(Opt::Group, 1);
            for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
                if self.rewrites.to.get(signal as usize) == Some(&ITSELF) {
                    self.rewrites.set(signal, libc::SIGSTOP);
                }
            }
        }
    }

    /// Turns a flag or a count on (to `level`) or off (0). Off, an option with a value has its default again.
    pub fn set(&mut self, option: Opt, level: u8) {
        if let Some(slot) = self.levels.get_mut(option as usize) {
            *slot = level;
        }
        match option {
            // These two contradict each other: the last one counts.
            Opt::Group if level > 0 => self.set(Opt::SingleChild, 0),
            Opt::SingleChild if level > 0 => self.set(Opt::Group, 0),
            Opt::Grace => self.grace = Milliseconds::ZERO,
            Opt::StopTimeout => (self.stop_timeout, self.stop_signals) = (Milliseconds::ZERO, signal::TERM),
            Opt::ParentDeath => self.parent_death = None,
            Opt::Rewrite => self.rewrites = Rewrites::NONE,
            Opt::Expect => self.expected = Expected::NONE,
            // There is no more to it.
            _ => {}
        }
    }

    /// Takes over the value of an option that has one. A variable may list several of what is repeatable, with commas between
    /// them; so may the command line. `None` if the value is malformed.
    pub fn assign(&mut self, option: Opt, mut value: &[u8]) -> Option<()> {
        let text = &mut value;
        loop {
            let is_list = match option {
                Opt::Grace => {
                    self.grace = Milliseconds::take(text)?;
                    false
                }
                Opt::StopTimeout => {
                    self.stop_timeout = Milliseconds::take(text)?;
                    if eat(text, b':') {
                        self.stop_signals = take_signals(text)?;
                    }
                    false
                }
                Opt::ParentDeath => {
                    self.parent_death = Some(take_signal(text)?);
                    false
                }
                Opt::Rewrite => {
                    self.rewrites.take(text)?;
                    true
                }
                Opt::Expect => {
                    self.expected.insert(u8::try_from(take_number(text)?).ok()?);
                    true
                }
                // A flag or a count, as a variable has it.
                _ => {
                    let most = if option == Opt::Verbose { u8::MAX } else { 1 };
                    let level = u8::try_from(take_number(text)?).ok().filter(|level| *level <= most)?;
                    self.set(option, level);
                    false
                }
            };
            if text.is_empty() {
                return Some(());
            }
            if !is_list || !eat(text, b',') {
                return None;
            }
        }
    }
}

/// Takes signals with commas between them from the front of `text`.
fn take_signals(text: &mut &[u8]) -> Option<SignalSet> {
    let mut signals = SignalSet::EMPTY;
    loop {
        signals = signals.with(take_signal(text)?);
        if !eat(text, b',') {
            return Some(signals);
        }
    }
}
