//! The command line.

use super::config::Config;
use super::table::{self, Action, Kind, Opt};
use super::{Problem, UsageError};
use crate::bytes::{after, eat, take};

/// What a command line comes to.
pub(super) enum Parsed {
    /// Run the program that follows this many words.
    Program(usize),
    /// Do this instead.
    Action(Action),
}

/// Takes the command line over; `words` is what follows the program's own name. Parsing stops at the first non-option
/// argument, after `--`, or at an action.
///
/// # Errors
/// The first word that is wrong.
pub(super) fn read<'a>(
    config: &mut Config,
    mut words: impl Iterator<Item = &'a [u8]>,
) -> Result<Parsed, UsageError<'a>> {
    let mut taken = 0;
    // The first -v wins over the variable, the following ones add to it.
    let mut verbosity = 0_u8;
    let mut is_end = false;
    loop {
        let Some(word) = words.next() else { return Err(UsageError::of(Problem::NoProgram, b"", b"")) };
        let mut rest = word;
        if is_end || !eat(&mut rest, b'-') || rest.is_empty() {
            return Ok(Parsed::Program(taken));
        }
        taken += 1;
        let is_long = eat(&mut rest, b'-');
        is_end = is_long && rest.is_empty();
        while !rest.is_empty() {
            let found = if is_long { Found::long(word, &mut rest) } else { Found::short(&mut rest) };
            let Some(Found { option, name, is_on, has_value }) = found else {
                return Err(UsageError::of(Problem::Unknown, b"", word));
            };
            match option.kind {
                Kind::Value(setting, value) if is_on => {
                    if rest.is_empty() && !has_value {
                        let Some(next) = words.next() else {
                            return Err(UsageError::of(Problem::NoValue(value), b"", word));
                        };
                        rest = next;
                        taken += 1;
                    }
                    if rest.is_empty() || config.assign(setting, rest).is_none() {
                        return Err(UsageError::of(Problem::Invalid(value), option.name.as_bytes(), rest));
                    }
                    rest = b"";
                }
                _ if has_value => return Err(UsageError::of(Problem::NoValueWanted, name, rest)),
                Kind::Action(action) => return Ok(Parsed::Action(action)),
                Kind::Count(setting) => {
                    verbosity = if is_on { verbosity.saturating_add(1) } else { 0 };
                    config.set(setting, verbosity);
                }
                Kind::Flag(setting) | Kind::Value(setting, ..) => config.set(setting, u8::from(is_on)),
            }
        }
    }
}

/// An option on the command line.
struct Found<'a> {
    /// Which.
    option: &'static Opt,
    /// How it is named there: without dashes, with `no-`.
    name: &'a [u8],
    /// `--X`, not `--no-X`.
    is_on: bool,
    /// A value is attached by `=`.
    has_value: bool,
}

impl<'a> Found<'a> {
    /// The long option `word`, of which `rest` follows the dashes; only its attached value is left there.
    fn long(word: &[u8], rest: &mut &'a [u8]) -> Option<Self> {
        let name = take(rest, b'=');
        let has_value = 2 + name.len() < word.len();
        if let Some(option) = table::by_name(name) {
            return Some(Self { option, name, is_on: true, has_value });
        }
        let option = table::by_name(after(name, b"no-")?)?;
        option.setting().is_some().then_some(Self { option, name, is_on: false, has_value })
    }

    /// The first letter of `rest`; the letters or the value that follow are left there.
    fn short(rest: &mut &'a [u8]) -> Option<Self> {
        let (letter, following) = rest.split_at_checked(1)?;
        *rest = following;
        let option = table::by_letter(*letter.first()?)?;
        Some(Self { option, name: letter, is_on: true, has_value: false })
    }
}
