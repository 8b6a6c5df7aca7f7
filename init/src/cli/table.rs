//! The options: each one is declared here, and nowhere else. The help text is their table: the parser and the variables find an
//! option where a person does.

use crate::bytes::after;

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
    /// `--verbose`. All before it are flags; this one counts.
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
        words().filter(|word| after(word, b"--").is_some()).nth(self as usize).unwrap_or_default()
    }

    /// What its value is called, and what it must look like, after a blank; for a flag or a count, as a variable has it.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Grace => "TIME 10, 10s, 500ms or 2m",
            Self::StopTimeout => "TIME[:SIG,...] a time, such as 10s, or 10s:TERM,INT",
            Self::ParentDeath => "SIG 1-64 or a name, such as TERM",
            Self::Rewrite => "S:R two signals, such as TERM:QUIT",
            Self::Expect => "CODE 0-255",
            Self::Verbose => "number 0-255",
            _ => "value 0 or 1",
        }
    }
}

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
    let mut options = OPTIONS.iter();
    for word in words() {
        if after(word, dashes).is_some_and(is_written) {
            return options.next().copied();
        }
        // Its long name ends what the help text calls an option.
        if after(word, b"--").is_some() {
            let _ = options.next();
        }
    }
    None
}

/// The words of the help text.
fn words() -> impl Iterator<Item = &'static [u8]> {
    HELP.as_bytes().split(|byte| *byte <= b' ')
}
