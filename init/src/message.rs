//! One line for a person. Built whole, and written by one call where that is possible (`bare::say`).

use crate::bytes::take;
use crate::signal::{self, SignalNumber};
use core::ffi::c_int;

/// Bytes of the longest line. What does not fit is cut off before the newline.
const CAPACITY: usize = 512;

/// Bytes that are shown of a word that came from outside. A line has room for two of them and its own text.
const SHOWN: usize = 120;

/// A line under construction. Begins with `init: `.
pub struct Line {
    /// Its memory.
    bytes: [u8; CAPACITY],
    /// How much of it is used; always less than CAPACITY, for the newline.
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// `init: `.
    #[inline(never)]
    #[must_use]
    pub fn new() -> Self {
        let mut line = Self { bytes: [0; CAPACITY], length: 0 };
        line.text("init: ");
        line
    }

    /// Text of our own with what stands for something in it: `#` for the next of `numbers`, `$` for it as a signal, `!` for it
    /// as an error, `?` for it as a failed exec; `@` for the word from outside.
    #[inline(never)]
    pub fn fill(&mut self, template: &str, numbers: [c_int; 2], word: &[u8]) {
        let mut numbers = numbers.into_iter();
        for byte in template.as_bytes() {
            let mut next = || numbers.next().unwrap_or(0);
            match byte {
                b'#' => self.number(next()),
                b'$' => self.signal(next()),
                b'!' => self.error(next(), false),
                b'?' => self.error(next(), true),
                b'@' => self.quoted(word),
                _ => self.bytes(&[*byte]),
            };
        }
    }

    /// Text of our own.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Bytes that are known to be fit for a line.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            // One byte stays free for the newline.
            if self.length < CAPACITY - 1
                && let Some(slot) = self.bytes.get_mut(self.length)
            {
                *slot = *byte;
                self.length += 1;
            }
        }
        self
    }

    /// A number.
    pub fn number(&mut self, number: c_int) -> &mut Self {
        if number < 0 {
            self.text("-");
        }
        let number = number.unsigned_abs();
        if number >= 10 {
            self.number((number / 10) as c_int);
        }
        self.bytes(&[b'0' + (number % 10) as u8])
    }

    /// A word from outside, in quotes: control characters are escaped, for one message is one line; a long one is cut.
    pub fn quoted(&mut self, word: &[u8]) -> &mut Self {
        self.text("'");
        for (count, byte) in word.iter().enumerate() {
            if count == SHOWN {
                self.text("...");
                break;
            }
            if *byte < b' ' || *byte == 0x7f {
                self.bytes(&[b'\\', b'x', hex(byte >> 4), hex(byte & 15)]);
            } else {
                self.bytes(&[*byte]);
            }
        }
        self.text("'")
    }

    /// `9 (SIGKILL)`, `34 (SIGRTMIN)`, `40 (SIGRTMIN+6)`, `33`.
    pub fn signal(&mut self, number: SignalNumber) -> &mut Self {
        self.number(number);
        match signal::name(number) {
            Some(name) => self.text(" (SIG").bytes(name).text(")"),
            None if number > signal::REAL_TIME_MIN => {
                self.text(" (SIGRTMIN+").number(number - signal::REAL_TIME_MIN).text(")")
            }
            None => self,
        }
    }

    /// `: ` and the reason of an error number; after a failed exec, what to look at.
    pub fn error(&mut self, errno: c_int, exec: bool) -> &mut Self {
        let (reason, look_at) = reason(errno);
        self.text(": ").bytes(reason);
        if reason.is_empty() {
            self.text("error ").number(errno);
        }
        if exec && !look_at.is_empty() {
            self.text("; look at: ").bytes(look_at);
        }
        self
    }

    /// The finished line, newline included.
    pub fn end(&mut self) -> &[u8] {
        // There is room: `bytes` keeps one free.
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = b'\n';
        }
        self.bytes.get(..=self.length).unwrap_or_default()
    }
}

/// A hexadecimal digit, 0–15.
const fn hex(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

/// The errors that our calls return (their man pages, ERRORS), as strerror(3) words them, and behind a tab what to look at
/// when exec(3) returns them. The byte before each is its number: the same on every architecture that we build for.
const REASONS: &[u8] = b"\
\x01Operation not permitted\tnosuid mount, seccomp, security modules\n\
\x02No such file or directory\tPATH, the file in the image, its interpreter\n\
\x03No such process\n\
\x05Input/output error\n\
\x07Argument list too long\tlength of arguments and environment\n\
\x08Exec format error\tthe architecture it was built for, its #! line\n\
\x0aNo child processes\n\
\x0bResource temporarily unavailable\tlimits on processes\n\
\x0cCannot allocate memory\tlimits on memory\n\
\x0dPermission denied\tits x permission, the folders above it, a noexec mount\n\
\x14Not a directory\tthe folders above it\n\
\x15Is a directory\n\
\x16Invalid argument\n\
\x17Too many open files in system\n\
\x18Too many open files\n\
\x1aText file busy\twho has it open for writing\n\
\x1cNo space left on device\n\
\x24File name too long\n\
\x26Function not implemented\n\
\x28Too many levels of symbolic links\tthe links, the interpreter\n\
";

/// The wording of an error number, and what to look at when exec returns it; both empty for one that is not expected.
#[must_use]
pub fn reason(errno: c_int) -> (&'static [u8], &'static [u8]) {
    let mut rest = REASONS;
    while let [number, words @ ..] = rest {
        rest = words;
        let mut line = take(&mut rest, b'\n');
        if c_int::from(*number) == errno {
            return (take(&mut line, b'\t'), line);
        }
    }
    (b"", b"")
}
