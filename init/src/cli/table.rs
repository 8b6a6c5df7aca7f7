//! The options: each one is declared here, and nowhere else. The help text is their table: the parser and the variables find an
//! option where a person does.

use crate::bytes::{after, nth_line};
use core::ffi::c_int;

/// An option. They are in the order of the help text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Opt {
    /// `--group`
    Group,
    /// `--single-child`
    SingleChild,
    /// `--subreaper`
    Subreaper,
    /// `--caught-only`
    CaughtOnly,
    /// `--wait-all`
    WaitAll,
    /// `--warn-reaped`
    WarnReaped,
    /// `--verbose`. It is the last flag.
    Verbose,
    /// `--grace`. From here to `--expect` they have a value.
    Grace,
    /// `--stop-timeout`
    StopTimeout,
    /// `--parent-death`
    ParentDeath,
    /// `--rewrite`
    Rewrite,
    /// `--expect`
    Expect,
    /// `--pause`. From here on they are actions: something to do instead of running a program.
    Pause,
    /// `--license`
    License,
    /// `--help`
    Help,
    /// `--version`
    Version,
}

/// All options, in the order of the help text.
pub const OPTIONS: [Opt; 16] = [
    Opt::Group,
    Opt::SingleChild,
    Opt::Subreaper,
    Opt::CaughtOnly,
    Opt::WaitAll,
    Opt::WarnReaped,
    Opt::Verbose,
    Opt::Grace,
    Opt::StopTimeout,
    Opt::ParentDeath,
    Opt::Rewrite,
    Opt::Expect,
    Opt::Pause,
    Opt::License,
    Opt::Help,
    Opt::Version,
];

/// The help text. A word of it that begins with a dash names an option: its letters, each with a comma, and then its long name.
pub const HELP: &str = "\
Usage: init [OPTION...] [--] PROGRAM [ARG...]
Run PROGRAM, forward signals to it, reap zombies, and exit with its status.

  -g, --group
      forward signals to the child's process group
  -c, --single-child
      forward signals to the child only, no new session
  -s, --subreaper
      warn if init cannot become a child subreaper
  --caught-only
      forward deadly signals only to processes that catch them
  --wait-all
      exit only when no descendant is left
  -w, --warn-reaped
      warn about each reaped orphan
  -v, --verbose
      say what is done, on standard error
  -t, --grace TIME
      grace period for processes left when the child exits (10s, 500ms)
  --stop-timeout TIME[:SIG,...]
      kill the child if it is still there TIME after TERM (or SIG)
  -p, --parent-death SIG
      get SIG when the parent dies
  -r, --rewrite S:R
      forward signal R in place of S; S:0 drops S (repeatable)
  -e, --expect CODE
      exit with 0 if the child exits with CODE (repeatable)
  -P, --pause
      run no program, behave as pause does
  -l, -L, --license
      print the licence
  -h, --help
      print this help
  -V, --version
      print the version

--no-X turns X off. Each option but the last four has a variable: BITTS_GRACE=10s,
BITTS_GROUP=1, BITTS_EXPECT=143,130.
Exit status: the program's; 128+n: killed by signal n; 127: program not found;
126: program not executable; 1: init failed, or the command line is wrong.
";

impl Opt {
    /// Does a value follow it on the command line?
    #[must_use]
    pub const fn has_value(self) -> bool {
        self as u8 >= Self::Grace as u8 && !self.is_action()
    }

    /// Is it something to do instead of running a program? An action has neither a variable nor a `--no-X`.
    #[must_use]
    pub const fn is_action(self) -> bool {
        self as u8 >= Self::Pause as u8
    }

    /// Its long name, with the dashes.
    #[must_use]
    pub fn name(self) -> &'static [u8] {
        let mut help = HELP.as_bytes();
        let mut to_come = self as u8;
        while !help.is_empty() {
            let word = take_word(&mut help);
            if after(word, b"--").is_some() {
                if to_come == 0 {
                    return word;
                }
                to_come -= 1;
            }
        }
        b""
    }

    /// What its value is called, and after a blank what it must look like; for a flag, as a variable has it.
    #[must_use]
    pub fn value(self) -> &'static [u8] {
        nth_line(VALUES, self as c_int - Self::WarnReaped as c_int)
    }
}

/// The values of the options from `--warn-reaped` on, which stands for all flags.
const VALUES: &str = "\
value 0 or 1
number 0-255
TIME 10, 10s, 500ms or 2m
TIME[:SIG,...] a time, such as 10s, or 10s:TERM,INT
SIG 1-64 or a name, such as TERM
S:R two signals, such as TERM:QUIT
CODE 0-255
";

/// How an option is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spelling {
    /// By a letter, as the help text has it: with a comma.
    Letter,
    /// By its long name, without dashes.
    Name,
    /// As a variable without its prefix: the long name in capitals, with `_` for `-`.
    Variable,
}

/// The option that is written so.
#[must_use]
pub fn find(spelling: Spelling, written: &[u8]) -> Option<Opt> {
    let dashes: &[u8] = if spelling == Spelling::Letter { b"-" } else { b"--" };
    let spelt = |byte: u8| match byte {
        _ if spelling != Spelling::Variable => byte,
        b'-' => b'_',
        _ => byte.to_ascii_uppercase(),
    };
    let is_written = |name: &[u8]| {
        name.len() == written.len() && name.iter().zip(written).all(|(byte, other)| spelt(*byte) == *other)
    };
    let mut number = 0;
    let mut help = HELP.as_bytes();
    while !help.is_empty() {
        let word = take_word(&mut help);
        if after(word, dashes).is_some_and(is_written) {
            return OPTIONS.get(number).copied();
        }
        // Its long name ends what the help text calls an option.
        if after(word, b"--").is_some() {
            number += 1;
        }
    }
    None
}

/// Takes a word of the help text, and the blank or the newline after it.
fn take_word(help: &mut &'static [u8]) -> &'static [u8] {
    let end = help.iter().position(|byte| *byte <= b' ').unwrap_or(help.len());
    let (word, rest) = help.split_at_checked(end).unwrap_or_default();
    *help = rest.get(1..).unwrap_or_default();
    word
}
