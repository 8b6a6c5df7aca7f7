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
    /// Index: the received signal. Value: what to forward; [`DROP`] forwards nothing, 0 is no rule.
    to: [u8; signal::MAX as usize + 1],
}

/// The signal is dropped.
const DROP: u8 = u8::MAX;

impl Rewrites {
    /// Every signal as itself.
    pub const NONE: Self = Self { to: [0; signal::MAX as usize + 1] };

    /// The signal to forward for `received`; 0 if a rule drops it.
    #[must_use]
    pub fn apply(&self, received: SignalNumber) -> SignalNumber {
        match self.to.get(received as usize) {
            Some(0) | None => received,
            Some(&DROP) => 0,
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
    fn set(&mut self, from: SignalNumber, to: u8) {
        if let Some(slot) = self.to.get_mut(from as usize) {
            *slot = to;
        }
    }

    /// Takes `S:R` from the front of `text` and adds it; the last rule for S wins. `None` if it is malformed.
    fn take(&mut self, text: &mut &[u8]) -> Option<()> {
        let from = take_signal(text)?;
        if !eat(text, b':') {
            return None;
        }
        let to = if eat(text, b'0') { DROP } else { take_signal(text)? as u8 };
        self.set(from, to);
        Some(())
    }
}

/// What the command line, the variables and the name ask for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    /// The name that init is called by.
    pub persona: Persona,
    /// Which flags are on, by the number of their [`Opt`].
    flags: [bool; Opt::Verbose as usize + 1],
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
            flags: [false; Opt::Verbose as usize + 1],
            grace: Milliseconds::ZERO,
            stop_timeout: Milliseconds::ZERO,
            stop_signals: signal::TERM,
            parent_death: None,
            rewrites: Rewrites::NONE,
            expected: Expected::NONE,
        }
    }

    /// Is this flag on?
    #[must_use]
    pub fn is_on(&self, option: Opt) -> bool {
        self.flags.get(option as usize).is_some_and(|flag| *flag)
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
            self.set(Opt::Group, true);
            let stops = self.rewrites.to.get_mut(libc::SIGTSTP as usize..=libc::SIGTTOU as usize);
            for to in stops.unwrap_or_default() {
                if *to == 0 {
                    *to = libc::SIGSTOP as u8;
                }
            }
        }
    }

    /// Turns a flag on or off. Off, an option with a value has its default again.
    pub fn set(&mut self, option: Opt, is_on: bool) {
        if let Some(flag) = self.flags.get_mut(option as usize) {
            *flag = is_on;
        }
        match option {
            // These two contradict each other: the last one counts.
            Opt::Group if is_on => self.set(Opt::SingleChild, false),
            Opt::SingleChild if is_on => self.set(Opt::Group, false),
            Opt::Grace => self.grace = Milliseconds::ZERO,
            Opt::StopTimeout => (self.stop_timeout, self.stop_signals) = (Milliseconds::ZERO, signal::TERM),
            Opt::ParentDeath => self.parent_death = None,
            Opt::Rewrite => self.rewrites = Rewrites::NONE,
            Opt::Expect => self.expected = Expected::NONE,
            // There is no more to it.
            _ => {}
        }
    }

    /// Takes over the value of an option that has one, or of a flag's variable. A variable may list several of what is repeatable,
    /// with commas between them; so may the command line. `None` if the value is malformed.
    pub fn assign(&mut self, option: Opt, mut value: &[u8]) -> Option<()> {
        let text = &mut value;
        match option {
            Opt::Grace => self.grace = Milliseconds::take(text)?,
            Opt::StopTimeout => {
                self.stop_timeout = Milliseconds::take(text)?;
                self.stop_signals = signal::TERM;
                if eat(text, b':') {
                    self.stop_signals = SignalSet::EMPTY;
                    take_list(text, |text| {
                        self.stop_signals = self.stop_signals.with(take_signal(text)?);
                        Some(())
                    })?;
                }
            }
            Opt::ParentDeath => self.parent_death = Some(take_signal(text)?),
            Opt::Rewrite => take_list(text, |text| self.rewrites.take(text))?,
            Opt::Expect => take_list(text, |text| {
                self.expected.insert(u8::try_from(take_number(text)?).ok()?);
                Some(())
            })?,
            // It may be a count.
            Opt::Verbose => self.set(option, take_number(text).filter(|level| *level < 256)? > 0),
            _ => {
                let is_on = eat(text, b'1');
                if !is_on && !eat(text, b'0') {
                    return None;
                }
                self.set(option, is_on);
            }
        }
        text.is_empty().then_some(())
    }
}

/// Takes a list with commas between its items from the front of `text`; `take` takes an item.
fn take_list(text: &mut &[u8], mut take: impl FnMut(&mut &[u8]) -> Option<()>) -> Option<()> {
    loop {
        take(text)?;
        if !eat(text, b',') {
            return Some(());
        }
    }
}
