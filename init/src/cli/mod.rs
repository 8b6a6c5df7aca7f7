//! The command line and its variables (contract I1, I2, I4, I5): words in, a [`Request`] out.

mod config;
mod environment;
mod parse;
pub mod table;

pub use config::{Config, Milliseconds, Persona, Rewrites};
pub use environment::is_candidate;
pub use table::Opt;

use crate::bytes::{nth_line, take};
use crate::line::Line;
use core::ffi::c_int;

/// What init is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Run the program that follows this many words of the command line, its own name not counted.
    Run(usize),
    /// Do this instead.
    Act(Opt),
}

/// Takes over what the words and variables ask for. `environment` yields `NAME=value`; `words` follow the program's own name.
///
/// The command line wins over our variables, and these win over the peers'. An action needs no variable to be right: dockerd
/// asks for the version in any environment.
///
/// # Errors
/// What is wrong with the command line, or else with a variable.
#[inline(never)] // Else its variables make the frame of `main` so large that each access costs three bytes more.
pub fn read<'a>(
    config: &mut Config,
    environment: impl Iterator<Item = &'a [u8]> + Clone,
    words: impl Iterator<Item = &'a [u8]>,
) -> Result<Request, UsageError<'a>> {
    let mut variable = UsageError::NONE;
    let mut word = UsageError::NONE;
    let variables = environment::read(config, environment, &mut variable);
    match parse::read(config, words, &mut word) {
        None => Err(word),
        Some(Request::Run(_)) if variables.is_none() => Err(variable),
        Some(request) => {
            config.complete();
            Ok(request)
        }
    }
}

/// What is wrong. Their wordings are in the same order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// There is no such option.
    Unknown,
    /// The command line names no program.
    NoProgram,
    /// The value is missing.
    NoValue,
    /// The value is malformed.
    Invalid,
    /// The option takes no value.
    NoValueWanted,
}

/// The wordings: `@` stands for the option or the variable, `'` for the word that is wrong, `#` for what the value is called,
/// `!` for what it must look like.
const WORDINGS: &str = "\
unknown option '
no program given
option ' needs a value: #
@: invalid # ' (expected !)
@ takes no value (given ')
";

/// A wrong command line, or a wrong variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageError<'a> {
    /// What is wrong.
    problem: Problem,
    /// The option whose value is wrong; any other one where it is not about a value.
    option: Opt,
    /// The option as it was written, or the variable's name; nothing if it is the option's long name.
    name: &'a [u8],
    /// The word that is wrong.
    word: &'a [u8],
}

impl UsageError<'_> {
    /// Not known yet what is wrong.
    const NONE: Self = Self { problem: Problem::NoProgram, option: Opt::Help, name: b"", word: b"" };

    /// The line that tells it.
    #[must_use]
    #[inline(never)]
    pub fn line(&self) -> Line {
        let mut form = self.option.value().as_bytes();
        let value = take(&mut form, b' ');
        let mut line = Line::new();
        line.text("init: fatal: ");
        for mark in nth_line(WORDINGS, self.problem as c_int) {
            match mark {
                b'@' => line.add(if self.name.is_empty() { self.option.name() } else { self.name }),
                b'\'' => line.quoted(self.word),
                b'#' => line.add(value),
                b'!' => line.add(form),
                byte => line.add(&[*byte]),
            };
        }
        line.text("\n");
        line
    }
}
