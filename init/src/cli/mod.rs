//! The command line and its variables (contract I1, I2, I4, I5): words in, a [`Request`] out.

mod config;
mod environment;
mod parse;
pub mod table;

pub use config::{Config, Milliseconds, Persona, Rewrites};
pub use environment::is_candidate;
pub use table::Opt;

use crate::bytes::take;
use crate::line::Line;
use crate::messages::{self, Message, Text, Words};

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
    let mut error = UsageError::NONE;
    let variables = environment::read(config, environment.clone(), &mut error);
    match parse::read(config, words, &mut error) {
        None => Err(error),
        Some(Request::Run(_)) if variables.is_none() => {
            // Once more, for its error: the parser has used the place.
            let _ = environment::read(config, environment, &mut error);
            Err(error)
        }
        Some(request) => {
            config.complete();
            Ok(request)
        }
    }
}

/// A wrong command line, or a wrong variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageError<'a> {
    /// What is wrong.
    problem: Text,
    /// The option whose value is wrong; any other one where it is not about a value.
    option: Opt,
    /// The word that is wrong.
    word: &'a [u8],
    /// The word is an option or a variable, `=`, and a value.
    is_pair: bool,
}

impl UsageError<'_> {
    /// Not known yet what is wrong.
    const NONE: Self = Self { problem: Text::NoProgram, option: Opt::Help, word: b"", is_pair: false };

    /// The line that tells it.
    #[must_use]
    pub fn line(&self) -> Line {
        let mut word = self.word;
        let option = if self.is_pair { take(&mut word, b'=') } else { self.option.name() };
        let mut form = self.option.value();
        let value = take(&mut form, b' ');
        messages::line_about(Message::usage(self.problem), Words { word, option, value, form })
    }
}
