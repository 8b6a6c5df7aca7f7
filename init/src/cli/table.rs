//! The options: each one is declared here, and nowhere else. The parser, the variables and the help text read this table.

/// An option that has a value or is on or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
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
    /// `--verbose`
    Verbose,
    /// `--grace`
    Grace,
    /// `--stop-timeout`
    StopTimeout,
    /// `--parent-death`
    ParentDeath,
    /// `--rewrite`
    Rewrite,
    /// `--expect`
    Expect,
}

/// Something to do instead of running a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// `--pause`
    Pause,
    /// `--license`
    License,
    /// `--help`
    Help,
    /// `--version`
    Version,
}

/// What an option stands for, and what follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing follows; `--no-X` turns it off.
    Flag(Setting),
    /// As a flag, and it counts how often it is given.
    Count(Setting),
    /// A value follows: its name, and what it must look like.
    Value(Setting, &'static str, &'static str),
    /// Nothing follows, and it has neither a variable nor `--no-X`.
    Action(Action),
}

/// One option.
pub struct Opt {
    /// Its letters.
    pub letters: &'static str,
    /// Its long name, without dashes. The variable has it in capitals, with `_` for `-`, after `BITTS_`.
    pub name: &'static str,
    /// What it stands for.
    pub kind: Kind,
    /// Its help text.
    pub help: &'static str,
}

/// Shortens a row.
const fn option(letters: &'static str, name: &'static str, kind: Kind, help: &'static str) -> Opt {
    Opt { letters, name, kind, help }
}

/// What a TIME must look like.
const TIME: &str = "10, 10s, 500ms or 2m";
/// What a SIG must look like.
const SIG: &str = "1-64 or a name, such as TERM";

/// All options, in the order of the help text.
pub const OPTIONS: &[Opt] = &[
    option("g", "group", Kind::Flag(Setting::Group), "forward signals to the child's process group"),
    option("c", "single-child", Kind::Flag(Setting::SingleChild), "forward signals to the child only, no new session"),
    option("s", "subreaper", Kind::Flag(Setting::Subreaper), "warn if init cannot become a child subreaper"),
    option(
        "",
        "caught-only",
        Kind::Flag(Setting::CaughtOnly),
        "forward deadly signals only to processes that catch them",
    ),
    option("", "wait-all", Kind::Flag(Setting::WaitAll), "exit only when no descendant is left"),
    option("w", "warn-reaped", Kind::Flag(Setting::WarnReaped), "warn about each reaped orphan"),
    option("v", "verbose", Kind::Count(Setting::Verbose), "say what is done, on standard error"),
    option(
        "t",
        "grace",
        Kind::Value(Setting::Grace, "TIME", TIME),
        "grace period for processes left when the child exits (10s, 500ms)",
    ),
    option(
        "",
        "stop-timeout",
        Kind::Value(Setting::StopTimeout, "TIME[:SIG,...]", "a time, such as 10s, or 10s:TERM,INT"),
        "kill the child if it is still there TIME after TERM (or SIG)",
    ),
    option("p", "parent-death", Kind::Value(Setting::ParentDeath, "SIG", SIG), "get SIG when the parent dies"),
    option(
        "r",
        "rewrite",
        Kind::Value(Setting::Rewrite, "S:R", "two signals, such as TERM:QUIT"),
        "forward signal R in place of S; S:0 drops S (repeatable)",
    ),
    option(
        "e",
        "expect",
        Kind::Value(Setting::Expect, "CODE", "0-255"),
        "exit with 0 if the child exits with CODE (repeatable)",
    ),
    option("P", "pause", Kind::Action(Action::Pause), "run no program, behave as pause does"),
    option("lL", "license", Kind::Action(Action::License), "print the licence"),
    option("h", "help", Kind::Action(Action::Help), "print this help"),
    option("V", "version", Kind::Action(Action::Version), "print the version"),
];

/// The first lines of the help text.
pub const USAGE: &str = "\
Usage: init [OPTION...] [--] PROGRAM [ARG...]
Run PROGRAM, forward signals to it, reap zombies, and exit with its status.

";

/// The last lines of the help text.
pub const NOTES: &str = "
--no-X turns X off. Each option but the last four has a variable: BITTS_GRACE=10s,
BITTS_GROUP=1, BITTS_EXPECT=143,130.
Exit status: the program's; 128+n: killed by signal n; 127: program not found;
126: program not executable; 1: init failed, or the command line is wrong.
";

/// A byte of a long name as it stands in the variable's name.
#[must_use]
pub const fn capital(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() }
}

impl Opt {
    /// Is `name` its long name, or its variable's without the prefix?
    #[must_use]
    pub fn is_named(&self, name: &[u8], as_variable: bool) -> bool {
        let written = |byte: u8| if as_variable { capital(byte) } else { byte };
        self.name.len() == name.len() && self.name.bytes().zip(name).all(|(byte, other)| written(byte) == *other)
    }

    /// What it sets; `None` for an action.
    #[must_use]
    pub const fn setting(&self) -> Option<Setting> {
        match self.kind {
            Kind::Flag(setting) | Kind::Count(setting) | Kind::Value(setting, ..) => Some(setting),
            Kind::Action(_) => None,
        }
    }
}

/// The option with this letter.
#[must_use]
pub fn by_letter(letter: u8) -> Option<&'static Opt> {
    OPTIONS.iter().find(|option| option.letters.bytes().any(|other| other == letter))
}

/// The option with this long name.
#[must_use]
pub fn by_name(name: &[u8]) -> Option<&'static Opt> {
    OPTIONS.iter().find(|option| option.is_named(name, false))
}

/// The option with this variable, named without its prefix. Actions have none.
#[must_use]
pub fn by_variable(name: &[u8]) -> Option<&'static Opt> {
    OPTIONS.iter().find(|option| option.setting().is_some() && option.is_named(name, true))
}
