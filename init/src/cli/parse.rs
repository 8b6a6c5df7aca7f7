//! The command line.

use super::config::Config;
use super::table::{Opt, Spelling, find};
use super::{Problem, Request, UsageError};
use crate::bytes::{after, eat, take};

/// Takes the command line over; `words` is what follows the program's own name. Parsing stops at the first non-option argument,
/// after `--`, or at an action. `None` if a word is wrong, which `error` then tells.
pub(super) fn read<'a>(
    config: &mut Config,
    mut words: impl Iterator<Item = &'a [u8]>,
    error: &mut UsageError<'a>,
) -> Option<Request> {
    let mut taken = 0;
    // The first -v wins over the variable, the following ones add to it.
    let mut verbosity = 0_u8;
    let mut is_end = false;
    loop {
        error.problem = Problem::NoProgram;
        let word = words.next()?;
        error.word = word;
        let mut rest = word;
        if is_end || !eat(&mut rest, b'-') || rest.is_empty() {
            return Some(Request::Run(taken));
        }
        taken += 1;
        let is_long = eat(&mut rest, b'-');
        is_end = is_long && rest.is_empty();
        while !rest.is_empty() {
            error.problem = Problem::Unknown;
            let Found { option, is_on, has_value } = if is_long { long(word, &mut rest) } else { short(&mut rest) }?;
            error.option = option;
            if is_on && option.has_value() {
                if rest.is_empty() && !has_value {
                    error.problem = Problem::NoValue;
                    rest = words.next()?;
                    taken += 1;
                }
                error.problem = Problem::Invalid;
                error.word = rest;
                config.assign(option, rest)?;
                rest = b"";
            } else if has_value {
                error.problem = Problem::NoValueWanted;
                error.name = take(&mut error.word, b'=');
                return None;
            } else if option.is_action() {
                return Some(Request::Act(option));
            } else {
                let mut level = u8::from(is_on);
                if option == Opt::Verbose {
                    verbosity = if is_on { verbosity.saturating_add(1) } else { 0 };
                    level = verbosity;
                }
                config.set(option, level);
            }
        }
    }
}

/// An option on the command line.
struct Found {
    /// Which.
    option: Opt,
    /// `--X`, not `--no-X`.
    is_on: bool,
    /// A value is attached by `=`.
    has_value: bool,
}

/// The long option `word`, of which `rest` follows the dashes; only its attached value is left there.
fn long(word: &[u8], rest: &mut &[u8]) -> Option<Found> {
    let name = take(rest, b'=');
    let has_value = 2 + name.len() < word.len();
    if let Some(option) = find(Spelling::Name, name) {
        return Some(Found { option, is_on: true, has_value });
    }
    let option = find(Spelling::Name, after(name, b"no-")?)?;
    (!option.is_action()).then_some(Found { option, is_on: false, has_value })
}

/// The first letter of `rest`; the letters or the value that follow are left there.
fn short(rest: &mut &[u8]) -> Option<Found> {
    let [letter, following @ ..] = *rest else { return None };
    *rest = following;
    let option = find(Spelling::Letter, &[*letter, b','])?;
    Some(Found { option, is_on: true, has_value: false })
}
