//! Bytes under construction: a line for a person, or a C string for the kernel.

use crate::signal::{self, SignalNumber};
use crate::text::{self, NEWLINE, Text};
use core::ffi::c_int;

/// Bytes that are shown of a word that came from outside. A message has one at most, and each byte may take four: it is
/// shorter than PIPE_BUF of every system, 512, so that no other writer's lines come between.
const SHOWN: usize = 80;

/// Room for every message, and for the help text.
pub const CAPACITY: usize = 2048;

/// What is written into a text of our own.
#[derive(Clone, Copy)]
pub struct Filling<'f> {
    /// For `#`, `$`, `!` and `?`, in this order.
    pub numbers: [c_int; 3],
    /// For `@`: a word from outside.
    pub word: &'f [u8],
    /// For `%`: an option as it was given, or another word of our own.
    pub option: &'f [u8],
    /// For `&`: what an option's value is called, or another word of our own.
    pub value: &'f [u8],
}

impl Filling<'_> {
    /// Nothing.
    pub const NONE: Self = Self { numbers: [0; 3], word: b"", option: b"", value: b"" };
}

/// Bytes under construction, in memory of the caller's. What does not fit is lost.
pub struct Line<'b> {
    /// Its memory; the last byte is kept for the null byte of a C string.
    bytes: &'b mut [u8],
    /// How long it is.
    length: usize,
}

/// A C string: where it begins.
#[derive(Clone, Copy)]
pub struct CString<'s>(&'s u8);

impl<'s> CString<'s> {
    /// A literal, which must end with its null byte.
    #[must_use]
    pub const fn literal(bytes: &'static [u8]) -> Self {
        match bytes {
            [first, ..] if matches!(bytes.last(), Some(0)) => Self(first),
            _ => Self(&0),
        }
    }

    /// Its address.
    #[must_use]
    pub const fn address(self) -> *const u8 {
        self.0
    }
}

impl<'b> Line<'b> {
    /// Empty.
    #[must_use]
    pub const fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, length: 0 }
    }

    /// Forgets what comes after the first `length` bytes.
    pub const fn cut(&mut self, length: usize) {
        self.length = length;
    }

    /// Adds bytes.
    #[inline(never)]
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    /// Adds one byte.
    #[inline(never)]
    pub fn push(&mut self, byte: u8) {
        if let Some([slot, _, ..]) = self.bytes.get_mut(self.length..) {
            *slot = byte;
            self.length += 1;
        }
    }

    /// Adds a number that is not negative.
    #[inline(never)]
    pub fn number(&mut self, number: c_int) {
        let number = number as u32;
        if number >= 10 {
            self.number((number / 10) as c_int);
        }
        self.push(b'0' + (number % 10) as u8);
    }

    /// Adds a text of our own, with what stands for something in it (`words.rs`) replaced.
    pub fn fill(&mut self, text: Text, with: &Filling) {
        self.put(text, with, true);
    }

    /// As [`Line::fill`]. What to look at after a failed exec, which some texts have behind `|`, is left out unless it is
    /// `wanted`.
    #[inline(never)]
    fn put(&mut self, text: Text, with: &Filling, wanted: bool) {
        let mut numbers_used = 0;
        let mut ended = false;
        text::unpack(text, &mut |code| {
            let number = with.numbers.get(numbers_used).copied().unwrap_or(0);
            let mut used = 0;
            match code {
                _ if ended => {}
                b'#' => {
                    self.number(number);
                    used = 1;
                }
                b'$' => {
                    self.signal(number);
                    used = 1;
                }
                b'!' | b'?' => {
                    self.error(number, with, code == b'?');
                    used = 1;
                }
                b'@' => self.quoted(with.word),
                b'%' => self.add(with.option),
                b'&' => self.add(with.value),
                b'|' if wanted => self.fill(Text::LookAt, with),
                b'|' => ended = true,
                NEWLINE => self.push(b'\n'),
                _ => self.push(code),
            }
            numbers_used += used;
        });
    }

    /// A hexadecimal digit.
    #[inline(always)]
    fn digit(&mut self, value: u8) {
        self.push(value + if value < 10 { b'0' } else { b'a' - 10 });
    }

    /// A word from outside, in quotes: what is not printable ASCII is escaped, for one message is one line, and shall not drive a
    /// terminal; a long one is cut.
    #[inline(never)]
    fn quoted(&mut self, word: &[u8]) {
        self.push(b'\'');
        for (count, byte) in word.iter().enumerate() {
            if count == SHOWN {
                self.add(b"...");
                break;
            }
            if !(b' '..=b'~').contains(byte) {
                self.add(b"\\x");
                self.digit(byte >> 4);
                self.digit(byte & 15);
            } else {
                self.push(*byte);
            }
        }
        self.push(b'\'');
    }

    /// `9 (SIGKILL)`, `34 (SIGRTMIN)`, `40 (SIGRTMIN+6)`, `33`.
    pub fn signal(&mut self, number: SignalNumber) {
        self.number(number);
        let mut name = signal::name(number);
        let distance = number - signal::REAL_TIME_MIN;
        let is_unnamed = name.is_empty();
        if is_unnamed {
            if distance < 0 {
                return;
            }
            name = b"RTMIN+";
        }
        self.add(b" (SIG");
        self.add(name);
        if is_unnamed {
            self.number(distance);
        }
        self.push(b')');
    }

    /// `: ` and the reason of an error number; after a failed exec, what to look at.
    fn error(&mut self, errno: c_int, with: &Filling, exec: bool) {
        let text = text::reason(errno).unwrap_or(Text::OtherError);
        self.add(b": ");
        self.put(text, with, exec);
        if text == Text::OtherError {
            self.number(errno);
        }
    }

    /// What it holds.
    #[must_use]
    #[inline(never)]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The same as a C string.
    #[inline(never)]
    pub fn string(&mut self) -> CString<'_> {
        if let Some(end) = self.bytes.get_mut(self.length) {
            *end = 0;
        }
        self.bytes.first().map_or(CString(&0), CString)
    }

    /// As [`Line::string`], for as long as the memory lives.
    #[must_use]
    pub fn into_string(mut self) -> CString<'b> {
        self.string();
        let bytes: &'b [u8] = self.bytes;
        bytes.first().map_or(CString(&0), CString)
    }
}
