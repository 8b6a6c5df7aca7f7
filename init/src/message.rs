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
#[derive(Clone, Copy, Default)]
pub struct Filling<'f> {
    /// For `#`, `$`, `!` and `?`, in this order.
    pub numbers: [c_int; 2],
    /// For `@`: a word from outside.
    pub word: &'f [u8],
    /// For `%`: an option as it was given.
    pub option: &'f [u8],
    /// For `&`: what an option's value is called.
    pub value: &'f [u8],
}

/// Bytes under construction, in memory of the caller's.
pub struct Line<'b> {
    /// Its memory.
    bytes: &'b mut [u8],
    /// How long it is, what did not fit included.
    length: usize,
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

    /// Adds one byte. What does not fit is lost.
    #[inline(never)]
    pub fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
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

    /// A word from outside, in quotes: control characters are escaped, for one message is one line; a long one is cut.
    fn quoted(&mut self, word: &[u8]) {
        self.push(b'\'');
        for (count, byte) in word.iter().enumerate() {
            if count == SHOWN {
                self.add(b"...");
                break;
            }
            if *byte < b' ' || *byte == 0x7f {
                self.add(b"\\x");
                for digit in [byte >> 4, byte & 15] {
                    self.push(digit + if digit < 10 { b'0' } else { b'a' - 10 });
                }
            } else {
                self.push(*byte);
            }
        }
        self.push(b'\'');
    }

    /// `9 (SIGKILL)`, `34 (SIGRTMIN)`, `40 (SIGRTMIN+6)`, `33`.
    pub fn signal(&mut self, number: SignalNumber) {
        self.number(number);
        // From RTMIN on a signal is told by its distance, but for RTMAX, which has a name.
        let (named, distance) = match signal::name(number) {
            None if number > signal::REAL_TIME_MIN => (signal::REAL_TIME_MIN, number - signal::REAL_TIME_MIN),
            _ => (number, 0),
        };
        let Some(name) = signal::name(named) else { return };
        self.add(b" (SIG");
        self.add(name);
        if distance != 0 {
            self.push(b'+');
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

    /// What it holds; nothing if that did not fit.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The same as a C string, with a null byte behind it.
    pub fn string(&mut self) -> &[u8] {
        self.push(0);
        self.length -= 1;
        self.bytes.get(..=self.length).unwrap_or_default()
    }

    /// As [`Line::string`], for as long as the memory lives.
    #[must_use]
    pub fn into_string(mut self) -> &'b [u8] {
        self.push(0);
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
