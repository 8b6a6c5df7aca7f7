//! Signal numbers, names and sets, as Linux counts them: 1–64, real-time from 34 (glibc's SIGRTMIN).
//!
//! A signal is a number everywhere; a name exists only for people, in options and messages.

use crate::bytes::{same_letters, take};
use core::ffi::c_int;

/// 1–64.
pub type SignalNumber = c_int;

/// The highest signal number, `_NSIG` of every architecture that we build for.
pub const MAX: SignalNumber = 64;

/// What programs in containers call SIGRTMIN: glibc's. The kernel's is 32 and musl's is 35 (signal(7)).
pub const REAL_TIME_MIN: SignalNumber = 34;

/// Names without SIG (signal(7)), the number of each before it; synonyms last, so that the common name is found first.
const NAMES: &[u8] = b"\
    \x01HUP \x02INT \x03QUIT \x04ILL \x05TRAP \x06ABRT \x07BUS \x08FPE \x09KILL \x0aUSR1 \x0bSEGV \x0cUSR2 \
    \x0dPIPE \x0eALRM \x0fTERM \x10STKFLT \x11CHLD \x12CONT \x13STOP \x14TSTP \x15TTIN \x16TTOU \x17URG \
    \x18XCPU \x19XFSZ \x1aVTALRM \x1bPROF \x1cWINCH \x1dIO \x1ePWR \x1fSYS \x22RTMIN \x40RTMAX \
    \x06IOT \x11CLD \x1dPOLL ";

/// The first name that `wanted` takes, with its number. (`dyn`: one copy of the loop.)
fn find(wanted: &dyn Fn(SignalNumber, &[u8]) -> bool) -> Option<(SignalNumber, &'static [u8])> {
    let mut rest = NAMES;
    while let [number, names @ ..] = rest {
        rest = names;
        let name = take(&mut rest, b' ');
        let number = SignalNumber::from(*number);
        if wanted(number, name) {
            return Some((number, name));
        }
    }
    None
}

/// The name of a signal without SIG; `None` for the numbers that have none of their own.
#[must_use]
pub fn name(signal: SignalNumber) -> Option<&'static [u8]> {
    find(&|number, _| number == signal).map(|(_, name)| name)
}

/// A signal as a person writes it: a number 1–64, a name with or without SIG in any case, `RTMIN+n`, `RTMAX-n`.
#[must_use]
pub fn parse(word: &[u8]) -> Option<SignalNumber> {
    let number = match decimal(word) {
        Some(number) => number as SignalNumber,
        None => {
            let mut word = word;
            if let Some((prefix, rest)) = word.split_at_checked(3)
                && same_letters(prefix, b"SIG")
            {
                word = rest;
            }
            let end = word.iter().position(|byte| matches!(byte, b'+' | b'-')).unwrap_or(word.len());
            let (base, offset) = word.split_at_checked(end)?;
            let (number, _) = find(&|_, name| same_letters(base, name))?;
            // Only inwards. More than the whole span is cut to what is out of range all the same.
            match (number, offset) {
                (_, []) => number,
                (REAL_TIME_MIN, [b'+', digits @ ..]) => number + decimal(digits)?.min(99) as SignalNumber,
                (MAX, [b'-', digits @ ..]) => {
                    let number = number - decimal(digits)?.min(99) as SignalNumber;
                    return (number >= REAL_TIME_MIN).then_some(number);
                }
                _ => return None,
            }
        }
    };
    (1..=MAX).contains(&number).then_some(number)
}

/// An unsigned decimal number: digits only, at least one. `None` also beyond `u32`.
#[must_use]
pub fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let value = digit.wrapping_sub(b'0');
        if value > 9 { None } else { number.checked_mul(10)?.checked_add(u32::from(value)) }
    })
}

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);

    /// The set of `signals`.
    #[must_use]
    pub const fn of(signals: &[SignalNumber]) -> Self {
        let mut bits = 0;
        let mut rest = signals;
        while let [signal, tail @ ..] = rest {
            bits |= Self::bit(*signal);
            rest = tail;
        }
        Self(bits)
    }

    /// Is `signal` in it? `false` for what is no signal.
    #[must_use]
    pub const fn contains(self, signal: SignalNumber) -> bool {
        self.0 & Self::bit(signal) != 0
    }

    /// With `signal` in it.
    #[must_use]
    pub const fn with(self, signal: SignalNumber) -> Self {
        Self(self.0 | Self::bit(signal))
    }

    /// As the kernel's mask word: bit n-1 is signal n.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// 0 for what is no signal.
    const fn bit(signal: SignalNumber) -> u64 {
        if signal >= 1 && signal <= MAX { 1 << (signal - 1) } else { 0 }
    }
}

/// What asks a program to end: after one of these a stopped child is continued, so that it can (contract I15).
pub const STOP_REQUESTS: SignalSet = SignalSet::of(&[libc::SIGTERM, libc::SIGINT, libc::SIGQUIT]);

/// What a write of init's own to a broken stderr raises in itself (pipe(7), setrlimit(2)).
pub const RAISED_BY_WRITE: SignalSet = SignalSet::of(&[libc::SIGPIPE, libc::SIGXFSZ]);

/// What the kernel never lets a process take, and what init takes for itself: never forwarded (contract I12).
pub const NEVER_FORWARDED: SignalSet = SignalSet::of(&[libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD]);

/// What a terminal sends to its whole foreground group (termios(3), tty_ioctl(4)).
pub const FROM_TERMINAL_TO_GROUP: SignalSet =
    SignalSet::of(&[libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGWINCH]);

/// The same, and what a hang-up is to a group that does not lead the session. The leader alone gets these two first, and
/// its group only when it has ended (drivers/tty/tty_jobctrl.c, `tty_signal_session_leader`).
pub const FROM_TERMINAL: SignalSet = FROM_TERMINAL_TO_GROUP.with(libc::SIGHUP).with(libc::SIGCONT);
