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

/// The first name that `wanted` takes, with its number; 0 and nothing if there is none.
#[inline(always)]
fn find(wanted: &dyn Fn(SignalNumber, &[u8]) -> bool) -> (SignalNumber, &'static [u8]) {
    let mut rest = NAMES;
    while let [number, names @ ..] = rest {
        rest = names;
        let name = take(&mut rest, b' ');
        let number = SignalNumber::from(*number);
        if wanted(number, name) {
            return (number, name);
        }
    }
    (0, b"")
}

/// The name of a signal without SIG; nothing for the numbers that have none of their own.
#[must_use]
pub fn name(signal: SignalNumber) -> &'static [u8] {
    find(&|number, _| number == signal).1
}

/// A signal as a person writes it: a number 1–64, a name with or without SIG in any case, `RTMIN+n`, `RTMAX-n`.
#[must_use]
pub fn parse(mut word: &[u8]) -> Option<SignalNumber> {
    let signal = read(&mut word)?;
    word.is_empty().then_some(signal)
}

/// Takes a signal from the front of `text`.
#[inline(never)]
pub fn read(text: &mut &[u8]) -> Option<SignalNumber> {
    let signal = match number(text) {
        Some(number) => number as SignalNumber,
        None => {
            if let Some((prefix, rest)) = text.split_at_checked(3)
                && same_letters(prefix, b"SIG")
            {
                *text = rest;
            }
            let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
            let (name, rest) = text.split_at_checked(end)?;
            *text = rest;
            let (signal, _) = find(&|_, other| same_letters(name, other));
            // From RTMIN upwards, from RTMAX downwards.
            let is_min = signal == REAL_TIME_MIN;
            if (is_min || signal == MAX) && eat(text, if is_min { b'+' } else { b'-' }) {
                let distance =
                    number(text).filter(|distance| *distance <= (MAX - REAL_TIME_MIN) as u32)? as SignalNumber;
                if is_min { signal + distance } else { signal - distance }
            } else {
                signal
            }
        }
    };
    (1..=MAX).contains(&signal).then_some(signal)
}

/// Takes an unsigned decimal number from the front of `text`. `None` if there is none, or beyond `u32`.
#[inline(never)]
pub fn number(text: &mut &[u8]) -> Option<u32> {
    let mut number = None;
    while let [digit @ b'0'..=b'9', rest @ ..] = *text {
        number = Some(number.unwrap_or(0_u32).checked_mul(10)?.checked_add(u32::from(digit - b'0'))?);
        *text = rest;
    }
    number
}

/// Takes `mark` from the front of `text`, if it stands there.
#[inline(never)]
pub fn eat(text: &mut &[u8], mark: u8) -> bool {
    match *text {
        [first, rest @ ..] if *first == mark => {
            *text = rest;
            true
        }
        _ => false,
    }
}

/// Takes a time from the front of `text`, in milliseconds: `10` and `10s`, `500ms`, `2m`. `None` also beyond `u32`.
pub fn time(text: &mut &[u8]) -> Option<u32> {
    let number = number(text)?;
    let minutes = eat(text, b'm');
    let seconds = eat(text, b's');
    number.checked_mul(match (minutes, seconds) {
        (true, true) => 1,
        (true, false) => 60_000,
        _ => 1000,
    })
}

/// Is `signal` in a mask as /proc/PID/status writes it, in 16 hexadecimal digits (proc_pid_status(5))? In one that cannot be read
/// each is.
#[must_use]
pub fn is_in_mask(digits: &[u8], signal: SignalNumber) -> bool {
    let bit = (signal - 1) as usize;
    let digit = digits.iter().rev().nth(bit / 4).copied().unwrap_or(b'f');
    // `0`–`9` end with their value, `a`–`f` with it less 9.
    ((digit & 15) + (digit >> 6) * 9) >> (bit % 4) & 1 == 1
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

    /// Is `signal` in it?
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

    /// Of a signal, 1–64. What is none is never asked for; it would pass for one.
    const fn bit(signal: SignalNumber) -> u64 {
        1_u64.wrapping_shl((signal - 1) as u32)
    }
}

/// What `--stop-timeout` waits for if nothing else is said.
pub const TERM: SignalSet = SignalSet::of(&[libc::SIGTERM]);

/// What asks a program to end: after one of these a stopped child is continued, so that it can (contract I15).
pub const STOP_REQUESTS: SignalSet = SignalSet::of(&[libc::SIGTERM, libc::SIGINT, libc::SIGQUIT]);

/// What `--caught-only` lets pass: the stop requests, and what does not end a process that neither catches nor ignores it
/// (signal(7)). KILL can only come of a rule of the user's, who knows that nobody catches it.
pub const ALWAYS_FORWARDED: SignalSet = SignalSet(
    STOP_REQUESTS.0
        | NEVER_FORWARDED.0
        | SignalSet::of(&[libc::SIGCONT, libc::SIGURG, libc::SIGWINCH, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]).0,
);

/// What a write of init's own to a broken stderr raises in itself (pipe(7), setrlimit(2)).
pub const RAISED_BY_WRITE: SignalSet = SignalSet::of(&[libc::SIGPIPE, libc::SIGXFSZ]);

/// The same, and what comes when init, as session leader, gives its terminal up: the kernel sends it to the foreground group in
/// init's name (drivers/tty/tty_jobctrl.c, `disassociate_ctty`).
pub const RAISED_BY_HAND_OVER: SignalSet = RAISED_BY_WRITE.with(libc::SIGHUP).with(libc::SIGCONT);

/// What the kernel never lets a process take, and what init takes for itself: never forwarded (contract I12).
pub const NEVER_FORWARDED: SignalSet = SignalSet::of(&[libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD]);

/// What a terminal sends to its whole foreground group (termios(3), tty_ioctl(4)).
pub const FROM_TERMINAL_TO_GROUP: SignalSet =
    SignalSet::of(&[libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGWINCH]);

/// The same, and what a hang-up is to a group that does not lead the session. The leader alone gets these two first, and
/// its group only when it has ended (drivers/tty/tty_jobctrl.c, `tty_signal_session_leader`).
pub const FROM_TERMINAL: SignalSet = FROM_TERMINAL_TO_GROUP.with(libc::SIGHUP).with(libc::SIGCONT);
