//! The variables: our own, `BITTS_*`, and those of the peers, which are read as leniently as the peers read them.

use super::config::Config;
use super::table::{self, Kind, Setting, Value};
use super::{Problem, UsageError};
use crate::bytes::{after, same, take, take_number};

/// The prefix of our own variables.
const PREFIX: &[u8] = b"BITTS_";

/// How a peer reads a variable of its own.
enum Reading {
    /// On if it is set, whatever it says.
    Presence,
    /// On if it says exactly this.
    Exactly(&'static [u8]),
    /// A verbosity as tini counts it, where warnings are 1; what is no number is 0.
    TiniVerbosity,
}

/// The variables of the peers that mean the same as an option of ours.
const PEERS: &[(&str, Setting, Reading)] = &[
    ("TINI_KILL_PROCESS_GROUP", Setting::Group, Reading::Presence),
    ("TINI_SUBREAPER", Setting::Subreaper, Reading::Presence),
    ("TINI_VERBOSITY", Setting::Verbose, Reading::TiniVerbosity),
    ("DUMB_INIT_SETSID", Setting::SingleChild, Reading::Exactly(b"0")),
    ("DUMB_INIT_DEBUG", Setting::Verbose, Reading::Exactly(b"1")),
    ("CATATONIT_DEBUG", Setting::Verbose, Reading::Presence),
];

/// Can a variable that begins with this letter be an option's? Most cannot, and their length need not be counted.
#[must_use]
pub const fn is_candidate(first: u8) -> bool {
    matches!(first, b'B' | b'C' | b'D' | b'T')
}

/// Takes the variables over, the peers' first: ours win. `environment` yields `NAME=value`; variables that belong to no option
/// are not ours to judge.
///
/// # Errors
/// The last malformed variable of ours.
pub(super) fn read<'a>(
    config: &mut Config,
    environment: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<(), UsageError<'a>> {
    for variable in environment.clone() {
        read_peer(config, variable);
    }
    let mut outcome = Ok(());
    for variable in environment {
        let mut value = variable;
        let name = take(&mut value, b'=');
        let Some(option) = after(name, PREFIX).and_then(table::by_variable) else { continue };
        let Some(setting) = option.setting() else { continue };
        if value.is_empty() {
            config.set(setting, 0);
        } else if config.assign(setting, value).is_none() {
            let expected = match option.kind {
                Kind::Value(_, value) => value,
                Kind::Count(_) => Value::Count,
                _ => Value::Flag,
            };
            outcome = Err(UsageError { problem: Problem::Invalid(expected), option: name, word: value });
        }
    }
    outcome
}

/// Takes one variable over, if it is a peer's.
fn read_peer(config: &mut Config, variable: &[u8]) {
    let mut value = variable;
    let name = take(&mut value, b'=');
    let Some((_, setting, reading)) = PEERS.iter().find(|(peer, ..)| same(name, peer.as_bytes())) else { return };
    let level = match reading {
        Reading::Presence => 1,
        Reading::Exactly(wanted) if same(value, wanted) => 1,
        Reading::Exactly(_) => return,
        Reading::TiniVerbosity => {
            u8::try_from(take_number(&mut value).unwrap_or(0).saturating_sub(1)).unwrap_or(u8::MAX)
        }
    };
    config.set(*setting, level);
}
