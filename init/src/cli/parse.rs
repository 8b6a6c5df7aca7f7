//! The command line.

use super::config::Config;
use super::table::{Spelling, find};
use super::{Request, UsageError};
use crate::bytes::{after, eat, take};
use crate::messages::Text;

/// Takes the command line over; `words` is what follows the program's own name. Parsing stops at the first non-option argument,
/// after `--`, or at an action. `None` if a word is wrong, which `error` then tells.
pub(super) fn read<'a>(
    config: &mut Config,
    mut words: impl Iterator<Item = &'a [u8]>,
    error: &mut UsageError<'a>,
) -> Option<Request> {
    let mut taken = 0;
    let mut is_end = false;
    loop {
        *error = UsageError::NONE;
        let word = words.next()?;
        let mut rest = word;
        if is_end || !eat(&mut rest, b'-') || rest.is_empty() {
            return Some(Request::Run(taken));
        }
        taken += 1;
        let is_long = eat(&mut rest, b'-');
        is_end = is_long && rest.is_empty();
        while !rest.is_empty() {
            (error.problem, error.word) = (Text::UnknownOption, word);
            // `--X`, not `--no-X`.
            let mut is_on = true;
            // A value is attached by `=`.
            let mut has_value = false;
            let found = if is_long {
                let name = take(&mut rest, b'=');
                has_value = 2 + name.len() < word.len();
                find(Spelling::Name, name).or_else(|| {
                    is_on = false;
                    find(Spelling::Name, after(name, b"no-")?).filter(|option| !option.is_action())
                })
            } else {
                let [letter, following @ ..] = rest else { return None };
                rest = following;
                find(Spelling::Letter, &[*letter, b','])
            };
            let option = found?;
            error.option = option;
            if is_on && option.has_value() {
                if rest.is_empty() && !has_value {
                    error.problem = Text::NoValue;
                    rest = words.next()?;
                    taken += 1;
                }
                (error.problem, error.word) = (Text::InvalidValue, rest);
                config.assign(option, rest)?;
                rest = b"";
            } else if has_value {
                (error.problem, error.is_pair) = (Text::NoValueWanted, true);
                return None;
            } else if option.is_action() {
                return Some(Request::Act(option));
            } else {
                config.set(option, is_on);
            }
        }
    }
}
