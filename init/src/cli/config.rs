//! What is asked for, and how each setting takes over a value.

use super::table::Setting;
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
    /// `--group`
    pub group: bool,
    /// `--single-child`
    pub single_child: bool,
    /// `--subreaper`
    pub subreaper: bool,
    /// `--caught-only`
    pub caught_only: bool,
    /// `--wait-all`
    pub wait_all: bool,
    /// `--warn-reaped`
    pub warn_reaped: bool,
    /// `--verbose`: how often.
    pub verbose: u8,
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
            group: false,
            single_child: false,
            subreaper: false,
            caught_only: false,
            wait_all: false,
            warn_reaped: false,
            verbose: 0,
            grace: Milliseconds::ZERO,
            stop_timeout: Milliseconds::ZERO,
            stop_signals: signal::TERM,
            parent_death: None,
            rewrites: Rewrites::NONE,
            expected: Expected::NONE,
        }
    }

    /// Does the child get a session of its own?
    #[must_use]
    pub fn new_session(&self) -> bool {
        self.persona == Persona::DumbInit && !self.single_child
    }

    /// Puts in what a session of the child's own brings along: signals go to its group, and the terminal's stop signals become
    /// STOP where no rule of the user's says otherwise. (That group is orphaned, and the kernel drops these three there.)
    pub fn complete(&mut self) {
        if self.new_session() {
            self.group = true;
            for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
                if self.rewrites.to.get(signal as usize) == Some(&ITSELF) {
                    self.rewrites.set(signal, libc::SIGSTOP);
                }
            }
        }
    }

    /// Turns a flag or a count on (to `level`) or off (0). Off, an option with a value has its default again.
    pub fn set(&mut self, setting: Setting, level: u8) {
        let on = level > 0;
        match setting {
            // These two contradict each other: the last one counts.
            Setting::Group => (self.group, self.single_child) = (on, self.single_child && !on),
            Setting::SingleChild => (self.single_child, self.group) = (on, self.group && !on),
            Setting::Subreaper => self.subreaper = on,
            Setting::CaughtOnly => self.caught_only = on,
            Setting::WaitAll => self.wait_all = on,
            Setting::WarnReaped => self.warn_reaped = on,
            Setting::Verbose => self.verbose = level,
            Setting::Grace => self.grace = Milliseconds::ZERO,
            Setting::StopTimeout => (self.stop_timeout, self.stop_signals) = (Milliseconds::ZERO, signal::TERM),
            Setting::ParentDeath => self.parent_death = None,
            Setting::Rewrite => self.rewrites = Rewrites::NONE,
            Setting::Expect => self.expected = Expected::NONE,
        }
    }

    /// Takes over the value of an option that has one. A variable may list several of what is repeatable, with commas between
    /// them; so may the command line. `None` if the value is malformed.
    pub fn assign(&mut self, setting: Setting, mut value: &[u8]) -> Option<()> {
        let text = &mut value;
        loop {
            let is_list = match setting {
                Setting::Grace => {
                    self.grace = Milliseconds::take(text)?;
                    false
                }
                Setting::StopTimeout => {
                    self.stop_timeout = Milliseconds::take(text)?;
                    if eat(text, b':') {
                        self.stop_signals = take_signals(text)?;
                    }
                    false
                }
                Setting::ParentDeath => {
                    self.parent_death = Some(take_signal(text)?);
                    false
                }
                Setting::Rewrite => {
                    self.rewrites.take(text)?;
                    true
                }
                Setting::Expect => {
                    self.expected.insert(u8::try_from(take_number(text)?).ok()?);
                    true
                }
                // A flag or a count, as a variable has it.
                _ => {
                    let most = if setting == Setting::Verbose { u8::MAX } else { 1 };
                    let level = u8::try_from(take_number(text)?).ok().filter(|level| *level <= most)?;
                    self.set(setting, level);
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
