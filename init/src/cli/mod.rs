//! The command line and its variables (contract I1, I2, I4, I5): words in, a [`Request`] out.

mod config;
mod environment;
mod parse;
pub mod table;

pub use config::{Config, Milliseconds, Persona, Rewrites};
pub use environment::is_candidate;
pub use table::Action;

use crate::line::Line;

/// What init is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Run the program that follows this many words of the command line, its own name not counted.
    Run(Config, usize),
    /// Do this instead, as this name does it.
    Act(Action, Persona),
}

/// What the words and variables ask for. `name` is `argv[0]`; `environment` yields `NAME=value`; `words` follow the name.
///
/// The command line wins over our variables, and these win over the peers'. An action needs no variable to be right: dockerd
/// asks for the version in any environment.
///
/// # Errors
/// What is wrong with the command line, or else with a variable.
#[inline(never)]
pub fn read<'a>(
    name: &[u8],
    environment: impl Iterator<Item = &'a [u8]> + Clone,
    words: impl Iterator<Item = &'a [u8]>,
) -> Result<Request, UsageError<'a>> {
    let mut config = Config::new(Persona::of(name));
    let variables = environment::read(&mut config, environment);
    match parse::read(&mut config, words)? {
        parse::Parsed::Action(action) => Ok(Request::Act(action, config.persona)),
        parse::Parsed::Program(first) => {
            variables?;
            config.complete();
            Ok(Request::Run(config, first))
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// There is no such option.
    Unknown,
    /// The command line names no program.
    NoProgram,
    /// This value is missing.
    NoValue(table::Value),
    /// This value is malformed.
    Invalid(table::Value),
    /// The option takes no value.
    NoValueWanted,
}

/// A wrong command line, or a wrong variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageError<'a> {
    /// What is wrong.
    problem: Problem,
    /// The option's long name without dashes, or the variable's name.
    option: &'a [u8],
    /// The culprit.
    word: &'a [u8],
}

impl<'a> UsageError<'a> {
    /// A wrong command line.
    const fn of(problem: Problem, option: &'a [u8], word: &'a [u8]) -> Self {
        Self { problem, option, word }
    }

    /// The line that tells it.
    #[must_use]
    #[inline(never)]
    pub fn line(&self) -> Line {
        let mut line = Line::new();
        line.text("init: fatal: ");
        match self.problem {
            Problem::Unknown => line.text("unknown option ").quoted(self.word),
            Problem::NoProgram => line.text("no program given"),
            Problem::NoValue(value) => {
                line.text("option ").quoted(self.word).text(" needs a value: ").text(value.describe().0)
            }
            Problem::Invalid(value) => {
                let (name, form) = value.describe();
                self.culprit(&mut line).text(": invalid ").text(name).text(" ").quoted(self.word);
                line.text(" (expected ").text(form).text(")")
            }
            Problem::NoValueWanted => {
                self.culprit(&mut line).text(" takes no value (given ").quoted(self.word).text(")")
            }
        };
        line.text("\n");
        line
    }

    /// Adds the option as a person writes it, or the variable: only these begin with a capital.
    fn culprit<'l>(&self, line: &'l mut Line) -> &'l mut Line {
        if !self.option.first().is_some_and(u8::is_ascii_uppercase) {
            line.text("--");
        }
        line.add(self.option)
    }
}
