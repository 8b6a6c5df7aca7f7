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
    /// A value follows.
    Value(Setting, Value),
    /// Nothing follows, and it has neither a variable nor `--no-X`.
    Action(Action),
}

/// The value of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A time span.
    Time,
    /// A time span, and signals.
    TimeAndSignals,
    /// A signal.
    Signal,
    /// A rule.
    Rule,
    /// An exit status.
    Code,
    /// How often, as a variable says it.
    Count,
    /// On or off, as a variable says it.
    Flag,
}

impl Value {
    /// What it is called, and what it must look like.
    #[must_use]
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Time => ("TIME", "10, 10s, 500ms or 2m"),
            Self::TimeAndSignals => ("TIME[:SIG,...]", "a time, such as 10s, or 10s:TERM,INT"),
            Self::Signal => ("SIG", "1-64 or a name, such as TERM"),
            Self::Rule => ("S:R", "two signals, such as TERM:QUIT"),
            Self::Code => ("CODE", "0-255"),
            Self::Count => ("number", "0-255"),
            Self::Flag => ("value", "0 or 1"),
        }
    }
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
        Kind::Value(Setting::Grace, Value::Time),
        "grace period for processes left when the child exits (10s, 500ms)",
    ),
    option(
        "",
        "stop-timeout",
        Kind::Value(Setting::StopTimeout, Value::TimeAndSignals),
        "kill the child if it is still there TIME after TERM (or SIG)",
    ),
    option("p", "parent-death", Kind::Value(Setting::ParentDeath, Value::Signal), "get SIG when the parent dies"),
    option(
        "r",
        "rewrite",
        Kind::Value(Setting::Rewrite, Value::Rule),
        "forward signal R in place of S; S:0 drops S (repeatable)",
    ),
    option(
        "e",
        "expect",
        Kind::Value(Setting::Expect, Value::Code),
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
