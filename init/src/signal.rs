//! Signal numbers, names and sets, as Linux counts them: 1 to 64, real-time from 34 (glibc's SIGRTMIN).
//!
//! A signal is a number everywhere; names exist only for people, in options and messages.

use crate::bytes::{eat, numbered, same_letters, take, take_number};
use core::ffi::c_int;

/// 1 to 64.
pub type SignalNumber = c_int;

/// The highest signal number, `_NSIG` of every architecture that we build for.
pub const MAX: SignalNumber = 64;

/// What programs in containers call SIGRTMIN: glibc's. The kernel's is 32 and musl's is 35 (signal(7)).
pub const REAL_TIME_MIN: SignalNumber = 34;

/// Names without SIG, each after its number (signal(7)). Synonyms come last: the common name is found first.
const NAMES: &str = "\
1 HUP\n2 INT\n3 QUIT\n4 ILL\n5 TRAP\n6 ABRT\n7 BUS\n8 FPE\n9 KILL\n10 USR1\n11 SEGV\n12 USR2\n13 PIPE\n14 ALRM\n15 TERM\n\
16 STKFLT\n17 CHLD\n18 CONT\n19 STOP\n20 TSTP\n21 TTIN\n22 TTOU\n23 URG\n24 XCPU\n25 XFSZ\n26 VTALRM\n27 PROF\n28 WINCH\n\
29 IO\n30 PWR\n31 SYS\n34 RTMIN\n64 RTMAX\n6 IOT\n17 CLD\n29 POLL\n";

/// The name of a signal without SIG; nothing for the numbers that have none of their own.
#[must_use]
pub fn name(signal: SignalNumber) -> &'static [u8] {
    numbered(NAMES, signal)
}

/// The signal with this name; 0 if there is none.
fn by_name(name: &[u8]) -> SignalNumber {
    let mut rest = NAMES.as_bytes();
    while let Some(number) = take_number(&mut rest) {
        let _ = eat(&mut rest, b' ');
        if same_letters(take(&mut rest, b'\n'), name) {
            return number as SignalNumber;
        }
    }
    0
}

/// A signal as a person writes it: a number from 1 to 64, a name with or without SIG in any case, `RTMIN+n`, `RTMAX-n`.
#[must_use]
pub fn parse(mut word: &[u8]) -> Option<SignalNumber> {
    let signal = take_signal(&mut word)?;
    word.is_empty().then_some(signal)
}

/// Takes a signal from the front of `text`.
pub fn take_signal(text: &mut &[u8]) -> Option<SignalNumber> {
    let signal = match take_number(text) {
        Some(number) => SignalNumber::try_from(number).ok()?,
        None => take_name(text)?,
    };
    (1..=MAX).contains(&signal).then_some(signal)
}

/// Takes a signal's name from the front of `text`.
fn take_name(text: &mut &[u8]) -> Option<SignalNumber> {
    if let Some((prefix, rest)) = text.split_at_checked(3)
        && same_letters(prefix, b"SIG")
    {
        *text = rest;
    }
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    *text = rest;
    let signal = by_name(name);
    // From RTMIN upwards, from RTMAX downwards.
    let up = signal == REAL_TIME_MIN;
    if (up || signal == MAX) && eat(text, if up { b'+' } else { b'-' }) {
        let distance = SignalNumber::try_from(take_number(text)?).ok()?;
        if distance > MAX - REAL_TIME_MIN {
            return None;
        }
        return Some(if up { signal + distance } else { signal - distance });
    }
    Some(signal)
}

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);

    /// The set of `signals`.
    #[must_use]
    pub const fn of(signals: &[SignalNumber]) -> Self {
        let mut set = Self::EMPTY;
        let mut rest = signals;
        while let [signal, tail @ ..] = rest {
            set = set.with(*signal);
            rest = tail;
        }
        set
    }

    /// The set that the kernel's mask word is: bit n-1 is signal n.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As the kernel's mask word.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Is `signal` in the set?
    #[must_use]
    pub const fn contains(self, signal: SignalNumber) -> bool {
        self.0 & Self::bit(signal) != 0
    }

    /// The set with `signal`.
    #[must_use]
    pub const fn with(self, signal: SignalNumber) -> Self {
        Self(self.0 | Self::bit(signal))
    }

    /// The signals of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The signals of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The signals of this set that `other` lacks.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Is no signal in the set?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bit of a signal, 1 to 64. No other number is ever asked for; it would pass for one of these.
    const fn bit(signal: SignalNumber) -> u64 {
        1_u64.wrapping_shl((signal - 1) as u32)
    }
}

/// What starts the clock of `--stop-timeout` by default.
pub const TERM: SignalSet = SignalSet::of(&[libc::SIGTERM]);

/// What asks a program to end. A stopped child is continued after one of these, because only then can it end (contract I15).
pub const STOP_REQUESTS: SignalSet = SignalSet::of(&[libc::SIGTERM, libc::SIGINT, libc::SIGQUIT]);

/// What `--caught-only` lets pass: stop requests, and what does not end a process that neither catches nor ignores it
/// (signal(7)). KILL can only come from a rewrite rule, whose author knows that no process catches it.
pub const ALWAYS_FORWARDED: SignalSet =
    STOP_REQUESTS.or(NEVER_FORWARDED).or(STOPS).or(SignalSet::of(&[libc::SIGCONT, libc::SIGURG, libc::SIGWINCH]));

/// What a write of init's own to a broken stderr raises in init (pipe(7), setrlimit(2)).
pub const RAISED_BY_WRITE: SignalSet = SignalSet::of(&[libc::SIGPIPE, libc::SIGXFSZ]);

/// What a session leader that gives its terminal up raises in itself: the kernel sends it to the foreground group in the
/// leader's name (drivers/tty/tty_jobctrl.c, `disassociate_ctty`).
pub const RAISED_BY_HAND_OVER: SignalSet = SignalSet::of(&[libc::SIGHUP, libc::SIGCONT]);

/// What the kernel never lets a process take, and what init takes for itself: never forwarded (contract I12).
pub const NEVER_FORWARDED: SignalSet = SignalSet::of(&[libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD]);

/// Whose default action stops a process (signal(7)).
pub const STOPS: SignalSet = SignalSet::of(&[libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]);

/// What a terminal stops its foreground group by, or a group in its background.
pub const TERMINAL_STOPS: SignalSet = SignalSet::of(&[libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]);

/// What a terminal sends to its whole foreground group (termios(3), tty_ioctl(4)).
pub const FROM_TERMINAL_TO_GROUP: SignalSet =
    TERMINAL_STOPS.or(SignalSet::of(&[libc::SIGINT, libc::SIGQUIT, libc::SIGWINCH]));

/// The same, and what a hang-up sends to a group that does not lead the session. The session leader gets these two alone, and
/// its group only when it has ended (drivers/tty/tty_jobctrl.c, `tty_signal_session_leader`).
pub const FROM_TERMINAL: SignalSet = FROM_TERMINAL_TO_GROUP.or(SignalSet::of(&[libc::SIGHUP, libc::SIGCONT]));
