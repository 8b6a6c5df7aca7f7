//! The command line.

use super::config::Config;
use super::table::{Opt, find};
use super::{Problem, Request, UsageError};
use crate::bytes::{after, eat, take};

/// Takes the command line over; `words` is what follows the program's own name, `variables` what came of these. Parsing stops at
/// the first non-option argument, after `--`, or at an action.
///
/// # Errors
/// The first word that is wrong, or else a variable.
pub(super) fn read<'a>(
    config: &mut Config,
    variables: Result<(), UsageError<'a>>,
    mut words: impl Iterator<Item = &'a [u8]>,
) -> Result<Request, UsageError<'a>> {
    let mut taken = 0;
    // The first -v wins over the variable, the following ones add to it.
    let mut verbosity = 0_u8;
    let mut is_end = false;
    // What is wrong if the next step fails.
    let mut error = UsageError { problem: Problem::NoProgram, option: Opt::Help, name: b"", word: b"" };
    'words: while let Some(word) = words.next() {
        let mut rest = word;
        if is_end || !eat(&mut rest, b'-') || rest.is_empty() {
            variables?;
            config.complete();
            return Ok(Request::Run(taken));
        }
        taken += 1;
        let is_long = eat(&mut rest, b'-');
        is_end = is_long && rest.is_empty();
        while !rest.is_empty() {
            (error.problem, error.word) = (Problem::Unknown, word);
            let found = if is_long { long(word, &mut rest) } else { short(&mut rest) };
            let Some(Found { option, name, is_on, has_value }) = found else { break 'words };
            (error.option, error.name) = (option, name);
            if is_on && option.has_value() {
                if rest.is_empty() && !has_value {
                    error.problem = Problem::NoValue;
                    let Some(next) = words.next() else { break 'words };
                    rest = next;
                    taken += 1;
                }
                (error.problem, error.word) = (Problem::Invalid, rest);
                if rest.is_empty() || config.assign(option, rest).is_none() {
                    break 'words;
                }
                rest = b"";
            } else if has_value {
                error.problem = Problem::NoValueWanted;
                error.name = take(&mut error.word, b'=');
                break 'words;
            } else if option.is_action() {
                return Ok(Request::Act(option));
            } else {
                let mut level = u8::from(is_on);
                if option == Opt::Verbose {
                    verbosity = if is_on { verbosity.saturating_add(1) } else { 0 };
                    level = verbosity;
                }
                config.set(option, level);
            }
        }
        error.problem = Problem::NoProgram;
    }
    Err(error)
}

/// An option on the command line.
struct Found {
    /// Which.
    option: Opt,
    /// Its long name with its dashes.
    name: &'static [u8],
    /// `--X`, not `--no-X`.
    is_on: bool,
    /// A value is attached by `=`.
    has_value: bool,
}

/// The long option `word`, of which `rest` follows the dashes; only its attached value is left there.
fn long(word: &[u8], rest: &mut &[u8]) -> Option<Found> {
    let name = take(rest, b'=');
    let has_value = 2 + name.len() < word.len();
    if let Some((option, name)) = find(b"--", name, false) {
        return Some(Found { option, name, is_on: true, has_value });
    }
    let (option, name) = find(b"--", after(name, b"no-")?, false)?;
    (!option.is_action()).then_some(Found { option, name, is_on: false, has_value })
}

/// The first letter of `rest`; the letters or the value that follow are left there.
fn short(rest: &mut &[u8]) -> Option<Found> {
    let [letter, following @ ..] = *rest else { return None };
    *rest = following;
    let (option, name) = find(b"-", &[*letter, b','], false)?;
    Some(Found { option, name, is_on: true, has_value: false })
}
