//! Bytes under construction: a line for a person, or a C string for the kernel.

use crate::signal::{self, SignalNumber};
use core::ffi::{CStr, c_int};
use core::slice;

/// How many bytes of a word from outside are shown. A message has one such word at most, and each of its bytes may take four:
/// so a message is shorter than PIPE_BUF of every system, 512, and no other writer's line gets between its bytes.
const SHOWN: usize = 80;

/// Room for every message.
pub const CAPACITY: usize = 512;

/// Bytes under construction. What does not fit is lost.
#[derive(Clone)]
pub struct Line<const ROOM: usize = CAPACITY> {
    /// Its memory; the last byte is kept for the null byte of a C string.
    bytes: [u8; ROOM],
    /// How many bytes it has.
    length: usize,
}

impl<const ROOM: usize> Line<ROOM> {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; ROOM], length: 0 }
    }

    /// Makes it empty.
    pub const fn clear(&mut self) {
        self.length = 0;
    }

    /// Drops what comes after the first `length` bytes.
    pub fn cut(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.push(*byte);
        }
        self
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.add(text.as_bytes())
    }

    /// Adds one byte.
    pub fn push(&mut self, byte: u8) {
        if let Some([slot, _, ..]) = self.bytes.get_mut(self.length..) {
            *slot = byte;
            self.length += 1;
        }
    }

    /// Adds a number that is not negative.
    pub fn number(&mut self, number: c_int) -> &mut Self {
        let mut rest = number.unsigned_abs();
        let mut digits = [0; 10];
        let mut count = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        self.add(digits.get(digits.len() - count..).unwrap_or_default())
    }

    /// Adds a word from outside, in quotes. What is not printable ASCII is escaped: one message is one line, and must not drive a
    /// terminal. A long word is cut.
    pub fn quoted(&mut self, word: &[u8]) -> &mut Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or(b'?');
        self.text("'");
        for byte in word.iter().take(SHOWN) {
            let escaped = [b'\\', b'x', digit(byte >> 4), digit(*byte)];
            let is_printable = (b' '..=b'~').contains(byte);
            self.add(if is_printable { slice::from_ref(byte) } else { &escaped });
        }
        self.text(if word.len() > SHOWN { "...'" } else { "'" })
    }

    /// Adds `9 (SIGKILL)`, `34 (SIGRTMIN)`, `40 (SIGRTMIN+6)`, `33`.
    pub fn signal(&mut self, number: SignalNumber) -> &mut Self {
        self.number(number);
        let name = signal::name(number);
        if !name.is_empty() {
            self.text(" (SIG").add(name).text(")");
        } else if number > signal::REAL_TIME_MIN {
            self.text(" (SIGRTMIN+").number(number - signal::REAL_TIME_MIN).text(")");
        }
        self
    }

    /// Adds the wording of an error number.
    pub fn error(&mut self, errno: c_int) -> &mut Self {
        match crate::errors::wording(errno) {
            b"" => self.text("error ").number(errno),
            wording => self.add(wording),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Its bytes as a C string, up to the first null byte.
    pub fn c_str(&mut self) -> &CStr {
        if let Some(end) = self.bytes.get_mut(self.length) {
            *end = 0;
        }
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl<const ROOM: usize> Default for Line<ROOM> {
    fn default() -> Self {
        Self::new()
    }
}
