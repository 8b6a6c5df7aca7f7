//! The variables: our own, `BITTS_*`, and those of the peers, which are read as leniently as the peers read them.

use super::UsageError;
use super::config::Config;
use super::table::{Opt, Spelling, find};
use crate::bytes::{after, same, take, take_number};
use crate::messages::Text;

/// Can a variable that begins with this letter be an option's? Most cannot, and their length need not be counted.
#[must_use]
pub const fn is_candidate(first: u8) -> bool {
    matches!(first, b'B' | b'C' | b'D' | b'T')
}

/// Takes the variables over, the peers' first: ours win. `environment` yields `NAME=value`; variables that belong to no option
/// are not ours to judge. `None` if one of ours is malformed; `error` tells the last such one.
pub(super) fn read<'a>(
    config: &mut Config,
    environment: impl Iterator<Item = &'a [u8]> + Clone,
    error: &mut UsageError<'a>,
) -> Option<()> {
    for variable in environment.clone() {
        read_peer(config, variable);
    }
    let mut outcome = Some(());
    for variable in environment {
        let mut value = variable;
        let name = take(&mut value, b'=');
        let Some(option) = after(name, b"BITTS_").and_then(|name| find(Spelling::Variable, name)) else { continue };
        if option.is_action() {
            continue;
        }
        if value.is_empty() {
            config.set(option, false);
        } else if config.assign(option, value).is_none() {
            *error = UsageError { problem: Text::InvalidValue, option, word: variable, is_pair: true };
            outcome = None;
        }
    }
    outcome
}

/// Takes one variable over, if it is a peer's that means the same as an option of ours.
fn read_peer(config: &mut Config, variable: &[u8]) {
    let mut value = variable;
    let name = take(&mut value, b'=');
    let is = |peer| same(name, peer);
    let option = if is(b"TINI_KILL_PROCESS_GROUP") {
        Opt::Group
    } else if is(b"TINI_SUBREAPER") {
        Opt::Subreaper
    } else if is(b"CATATONIT_DEBUG") || is(b"TINI_VERBOSITY") || same(variable, b"DUMB_INIT_DEBUG=1") {
        Opt::Verbose
    } else if same(variable, b"DUMB_INIT_SETSID=0") {
        Opt::SingleChild
    } else {
        return;
    };
    // A verbosity of tini's: warnings are 1, and what is no number is 0.
    config.set(option, !is(b"TINI_VERBOSITY") || take_number(&mut value).is_some_and(|level| level > 1));
}
