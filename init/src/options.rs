//! The command line and its variables (contract I1, I2, I4, I5).
//!
//! Each option is declared once, in the table below. The table is the help text: the parser reads the options' names where
//! a person reads them. That needs no pointers and no code to print it; PID 1 is short of bytes, not of time.

use crate::bytes::{behind, same, take};
use crate::message::Line;
use crate::signal::{self, SignalNumber};
use crate::status::{self, Expected};
use core::ffi::c_int;

/// Makes the enum, the help text and the order of its rows of one list.
macro_rules! options {
    ($($id:ident $names:literal $help:literal)*) => {
        /// Which option a row of the table is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
        pub enum Id {
            $(#[doc = $help] $id),*
        }
        /// The order of the rows.
        const IDS: &[Id] = &[$(Id::$id),*];
        /// The help text: the usage, the rows of the table, two lines each, and notes.
        pub const HELP: &str = concat!(
            "Usage: init [OPTION...] [--] PROGRAM [ARG...]\n",
            "Runs PROGRAM, forwards signals to it, reaps every zombie and ends with its status.\n",
            $("  ", $names, "\n\t", $help, "\n",)*
            "Undo X by --no-X. All but the last four have variables: BITTS_GROUP=1, BITTS_EXPECT=143,130\n",
            "Exit status: the child's; 128+n: signal n killed it; 127: PROGRAM not found; 126: not executable; 1: init failed\n",
        );
    };
}

// Names: letters, the long name, and what the value is called, if it takes one; then the help text. From Pause on they are
// orders to do something else than to run a program. All others have a variable, `BITTS_` and the long name in capitals, `_` for `-`, and
// `--no-X`, which turns them off.
options! {
    Group "-g, --group" "forward signals to a process group of the child's own"
    SingleChild "-c, --single-child" "forward signals to the child only, in no new session"
    Subreaper "-s, --subreaper" "warn if init cannot be a child subreaper"
    ParentDeath "-p, --parent-death SIG" "get signal SIG when the parent dies"
    Rewrite "-r, --rewrite S:R" "forward signal R for signal S; S:0 drops S (repeatable)"
    Expect "-e, --expect CODE" "end with 0 if the child ends with CODE, 0-255 (repeatable)"
    WarnReaped "-w, --warn-reaped" "warn of each other process that is reaped"
    Verbose "-v, --verbose" "say on stderr what is done (repeatable)"
    Pause "-P, --pause" "no child: behave as pause does"
    License "-l, -L, --license" "print the licence"
    Help "-h, --help" "print this"
    Version "-V, --version" "print the version"
}

/// Variables of the peers that mean the same as an option, each with the option's letter and how it is read: leniently, as
/// the peer does. `*`: on if it is there, whatever it says. A digit: on if it says exactly that. `#`: a verbosity as tini counts
/// it, where warnings are 1 and not 0; what is no number is 0.
const PEERS: &[u8] = b"g*TINI_KILL_PROCESS_GROUP c0DUMB_INIT_SETSID s*TINI_SUBREAPER \
    v#TINI_VERBOSITY v1DUMB_INIT_DEBUG v*CATATONIT_DEBUG ";

/// The prefix of our own variables.
const PREFIX: &[u8] = b"BITTS_";

impl Id {
    /// Does it take a value?
    #[must_use]
    pub fn takes_value(self) -> bool {
        self >= Self::ParentDeath && self <= Self::Expect
    }

    /// Is it for something else than running a program? Then it has neither a variable nor `--no-X`, and ends the reading.
    #[must_use]
    pub fn is_order(self) -> bool {
        self >= Self::Pause
    }

    /// Its long name, and what its value is called.
    #[must_use]
    pub fn names(self) -> (&'static [u8], &'static [u8]) {
        let mut found: (&[u8], &[u8]) = (b"", b"");
        find(&mut |id, _, long, takes| {
            found = (long, takes);
            id == self
        });
        found
    }
}

/// A byte of a long name as it stands in the variable's.
#[must_use]
pub const fn capital(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() }
}

/// Is it this row? Asked with the option, its letters as the table has them (`-l, -L, `), its long name, and what its value
/// is called.
type Wanted<'w> = dyn FnMut(Id, &[u8], &'static [u8], &'static [u8]) -> bool + 'w;

/// The first option that `wanted` takes. (`dyn`: one copy of the loop instead of four.)
pub fn find(wanted: &mut Wanted) -> Option<Id> {
    // The table begins behind the two lines of the usage.
    let mut rest = HELP.as_bytes();
    let _ = (take(&mut rest, b'\n'), take(&mut rest, b'\n'));
    for id in IDS {
        // `  -e, --expect CODE`, with the help text on the next line.
        let names = take(&mut rest, b'\n');
        let _ = take(&mut rest, b'\n');
        let mut letters = 2;
        while names.get(letters + 1) != Some(&b'-') && letters < names.len() {
            letters += 4;
        }
        let (letters, names) = names.split_at_checked(letters).unwrap_or_default();
        let mut takes = names.get(2..).unwrap_or_default();
        let long = take(&mut takes, b' ');
        if wanted(*id, letters, long, takes) {
            return Some(*id);
        }
    }
    None
}

/// The option of a letter.
#[must_use]
pub fn by_letter(letter: u8) -> Option<Id> {
    find(&mut |_, letters, _, _| letters.iter().skip(3).step_by(4).any(|byte| *byte == letter))
}

/// The option of a long name.
#[inline(never)]
#[must_use]
pub fn by_name(name: &[u8]) -> Option<Id> {
    find(&mut |_, _, long, _| same(long, name))
}

/// The option of a variable, by its name behind the prefix.
#[must_use]
pub fn by_variable(name: &[u8]) -> Option<Id> {
    find(&mut |id, _, long, _| {
        !id.is_order() && long.len() == name.len() && long.iter().zip(name).all(|(a, b)| capital(*a) == *b)
    })
}

/// The name that it is called by sets defaults (contract I4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Persona {
    /// `init`, `tini`, `docker-init`, and any name that is not below.
    Init,
    /// `dumb-init`.
    DumbInit,
    /// `catatonit`, `podman-init`.
    Catatonit,
}

impl Persona {
    /// By the basename of `argv[0]`.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if same(name, b"dumb-init") {
            Self::DumbInit
        } else if same(name, b"catatonit") || same(name, b"podman-init") {
            Self::Catatonit
        } else {
            Self::Init
        }
    }

    /// The exit status for an exec that failed with `errno`.
    #[must_use]
    pub const fn exec_failure(self, errno: c_int) -> u8 {
        match self {
            Self::Init => status::exec_failure(errno),
            Self::DumbInit => 2,
            Self::Catatonit => 1,
        }
    }
}

/// What is forwarded for a signal: `--rewrite`.
#[derive(Clone, Debug)]
pub struct Rewrites {
    /// Index: the received signal. Value: the one to forward; 0 drops it.
    to: [u8; signal::MAX as usize + 1],
}

impl Rewrites {
    /// Every signal as itself.
    #[must_use]
    fn none() -> Self {
        let mut to = [0; signal::MAX as usize + 1];
        to.iter_mut().zip(0..).for_each(|(to, signal)| *to = signal);
        Self { to }
    }

    /// The signal to forward for `received`; `None` if a rule drops it.
    #[must_use]
    pub fn apply(&self, received: SignalNumber) -> Option<SignalNumber> {
        let to = usize::try_from(received).ok().and_then(|index| self.to.get(index)).copied().unwrap_or(0);
        (to != 0).then_some(SignalNumber::from(to))
    }

    /// Those that become no real-time signal, as the kernel's mask: while a real-time signal waits for room, only these may
    /// overtake it.
    #[must_use]
    pub fn to_standard(&self) -> u64 {
        let mask = self.to.iter().skip(1).rev().fold(0, |mask, to| mask << 1 | u64::from(*to < 32));
        mask | signal::NEVER_FORWARDED.bits()
    }

    /// Adds `S:R`; the last of equal S wins. `None` if `rule` is none.
    fn add(&mut self, rule: &[u8]) -> Option<()> {
        let mut to = rule;
        let from = take(&mut to, b':');
        let to = if same(to, b"0") { 0 } else { signal::parse(to)? };
        *self.to.get_mut(signal::parse(from)? as usize)? = to as u8;
        Some(())
    }
}

/// What the command line, the variables and the name ask for.
#[derive(Clone, Debug)]
pub struct Config<'a> {
    /// The name that it is called by.
    pub persona: Persona,
    /// Flags that are on, and how often `-v` was given: by [`Id`].
    flags: [u8; IDS.len()],
    /// The signal to get when the parent dies; 0 for none.
    pub parent_death: SignalNumber,
    /// What is forwarded for what.
    pub rewrites: Rewrites,
    /// Exit statuses that count as success.
    pub expected: Expected,
    /// What is wrong: on the command line, or else in a variable.
    pub fault: Option<Fault<'a>>,
    /// What is to be done instead of running a program.
    pub order: Option<Id>,
}

impl<'a> Config<'a> {
    /// The defaults of a name.
    #[must_use]
    pub fn new(persona: Persona) -> Self {
        Self {
            persona,
            flags: [0; IDS.len()],
            parent_death: 0,
            rewrites: Rewrites::none(),
            expected: Expected::NONE,
            fault: None,
            order: None,
        }
    }

    /// Is this flag on? For [`Id::Verbose`]: is anything to be said?
    #[must_use]
    pub fn is_on(&self, id: Id) -> bool {
        self.level(id) > 0
    }

    /// How often a flag was given.
    #[must_use]
    pub fn level(&self, id: Id) -> u8 {
        self.flags.get(id as usize).copied().unwrap_or(0)
    }

    /// Sets a flag.
    fn set(&mut self, id: Id, level: u8) {
        if let Some(flag) = self.flags.get_mut(id as usize) {
            *flag = level;
        }
    }

    /// Takes over the variables: the peers' first, then `BITTS_*`, which win. The last malformed one of ours is the fault.
    /// `environment` yields `NAME=value`. Variables that are no option's are not ours to judge.
    pub fn variables(&mut self, environment: impl Iterator<Item = &'a [u8]> + Clone) {
        for variable in environment.clone() {
            self.peer(variable);
        }
        for variable in environment {
            let mut value = variable;
            let name = take(&mut value, b'=');
            if let Some(option) = behind(name, PREFIX)
                && let Some(id) = by_variable(option)
                && !self.variable(id, value)
            {
                self.fault = Some(Fault { option: Some(id), variable: name, word: value, problem: Problem::Invalid });
            }
        }
    }

    /// One variable, if it is a peer's.
    #[inline(never)]
    fn peer(&mut self, variable: &[u8]) {
        let mut value = variable;
        let name = take(&mut value, b'=');
        let mut rest = PEERS;
        while let [letter, rule, peers_name @ ..] = take(&mut rest, b' ') {
            if !same(name, peers_name) {
                continue;
            }
            let level = match rule {
                b'*' => 1,
                b'#' => {
                    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let number = value.get(..digits).and_then(signal::decimal);
                    number.unwrap_or(0).saturating_sub(1).min(255) as u8
                }
                digit if same(value, &[*digit]) => 1,
                _ => return,
            };
            if let Some(id) = by_letter(*letter) {
                self.switch(id, level);
            }
        }
    }

    /// One `BITTS_` variable; empty is off. Is it well-formed?
    fn variable(&mut self, id: Id, value: &[u8]) -> bool {
        if value.is_empty() || !id.takes_value() && id != Id::Verbose {
            let on = same(value, b"1");
            self.switch(id, u8::from(on));
            return on || value.is_empty() || same(value, b"0");
        }
        self.values(id, value).is_some()
    }

    /// Turns a flag on, or anything off.
    #[inline(never)]
    fn switch(&mut self, id: Id, level: u8) {
        self.set(id, level);
        match id {
            // These two contradict each other: the last one counts.
            Id::Group if level > 0 => self.set(Id::SingleChild, 0),
            Id::SingleChild if level > 0 => self.set(Id::Group, 0),
            Id::ParentDeath => self.parent_death = 0,
            Id::Rewrite => self.rewrites = Rewrites::none(),
            Id::Expect => self.expected = Expected::NONE,
            _ => {}
        }
    }

    /// A value; of those that may be repeated several with commas between them. `None` if one is malformed.
    #[inline(never)]
    fn values(&mut self, id: Id, mut values: &[u8]) -> Option<()> {
        loop {
            let length = values.len();
            // No argument holds a null byte: then it is one value.
            let comma = if id == Id::Rewrite || id == Id::Expect { b',' } else { 0 };
            let value = take(&mut values, comma);
            match id {
                Id::ParentDeath => self.parent_death = signal::parse(value)?,
                Id::Rewrite => self.rewrites.add(value)?,
                Id::Expect => self.expected.insert(signal::decimal(value)?.try_into().ok()?),
                _ => self.set(id, signal::decimal(value)?.try_into().ok()?),
            }
            // A comma at the end is followed by an empty value, which is malformed.
            if value.len() == length {
                return Some(());
            }
        }
    }

    /// Takes over the command line, `words` being what follows the program's own name. How many of them are options, `--`
    /// among them; the program follows. If there is a fault or an order, that counts, and not the number.
    pub fn command_line(&mut self, mut words: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut taken = 0;
        let mut level = 0_u8;
        let mut options_end = false;
        loop {
            let Some(word) = words.next() else {
                return self.wrong(None, b"PROGRAM", Problem::Missing);
            };
            if options_end || word.len() < 2 || word.first() != Some(&b'-') {
                return taken;
            }
            taken += 1;
            let long = word.get(1) == Some(&b'-');
            options_end = long && word.len() == 2;
            let mut letters = word.get(1 + usize::from(long)..).unwrap_or_default();
            while let [letter, rest @ ..] = letters {
                let mut on = true;
                let mut attached = None;
                let option = if long {
                    let length = letters.len();
                    let name = take(&mut letters, b'=');
                    attached = (name.len() < length).then_some(letters);
                    letters = b"";
                    by_name(name).or_else(|| {
                        on = false;
                        by_name(behind(name, b"no-")?).filter(|id| !id.is_order())
                    })
                } else {
                    letters = rest;
                    by_letter(*letter)
                };
                let Some(id) = option else { return self.wrong(None, word, Problem::Unknown) };
                if on && id.takes_value() {
                    if !letters.is_empty() {
                        attached = Some(letters);
                        letters = b"";
                    } else if attached.is_none() {
                        attached = words.next();
                        taken += 1;
                    }
                    let Some(value) = attached else { return self.wrong(option, word, Problem::NoValue) };
                    if self.values(id, value).is_none() {
                        return self.wrong(option, value, Problem::Invalid);
                    }
                } else if let Some(value) = attached {
                    return self.wrong(option, value, Problem::Needless);
                } else if id.is_order() {
                    self.order = option;
                    return taken;
                } else if on && id == Id::Verbose {
                    // The first -v on the command line wins over the variable, the next ones add to it.
                    level = level.saturating_add(1);
                    self.switch(id, level);
                } else {
                    self.switch(id, u8::from(on));
                }
            }
        }
    }

    /// Notes what is wrong with the command line. The number means nothing.
    #[inline(never)]
    fn wrong(&mut self, option: Option<Id>, word: &'a [u8], problem: Problem) -> usize {
        self.fault = Some(Fault { option, variable: b"", word, problem });
        0
    }
}

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Problem {
    /// An option that there is none of.
    Unknown,
    /// No program.
    Missing,
    /// No value.
    NoValue,
    /// A malformed value.
    Invalid,
    /// A value for an option that takes none.
    Needless,
}

/// What is wrong with a command line or a variable.
#[derive(Clone, Debug)]
pub struct Fault<'a> {
    /// The option, if it is known.
    option: Option<Id>,
    /// The name of the option's variable, if the value came by it.
    variable: &'a [u8],
    /// The culprit.
    word: &'a [u8],
    /// What is wrong with it.
    problem: Problem,
}

impl Fault<'_> {
    /// Says what is wrong: `--expect: '256' is no valid CODE`.
    pub fn describe(&self, line: &mut Line) {
        line.text("fatal: ");
        let mut takes: &[u8] = b"";
        if let Some(id) = self.option {
            let (long, value) = id.names();
            takes = value;
            if self.variable.is_empty() {
                line.text("--").bytes(long);
            }
            line.bytes(self.variable).text(": ");
        }
        line.quoted(self.word).text(match self.problem {
            Problem::Unknown => ": unknown option",
            Problem::Missing => " is missing",
            Problem::NoValue => " lacks its ",
            Problem::Invalid => " is no valid ",
            Problem::Needless => ": no value wanted",
        });
        if matches!(self.problem, Problem::NoValue | Problem::Invalid) {
            line.bytes(if takes.is_empty() { b"number" } else { takes });
        }
    }
}
