//! The command line and its variables (contract I1, I2, I4, I5).
//!
//! Each option is declared once, in `words.rs`. That table is the help text: the parser unpacks it and reads the options'
//! names where a person reads them. PID 1 is short of bytes, not of time.

use crate::bytes::{behind, same, take};
use crate::message::{CAPACITY, Filling, Line};
use crate::signal::{self, SignalNumber};
use crate::status::{self, Expected};
use crate::text::{self, NEWLINE, Text};
use core::ffi::c_int;

/// Makes the enum and the order of its rows of the list in `words.rs`.
macro_rules! options {
    (
        options { $($id:ident $names:literal $help:literal)* } usage $usage:literal notes $notes:literal
        messages { $($message:ident $template:literal)* } reasons { $($name:ident $errno:literal $reason:literal)* }
    ) => {
        /// Which option a row of the table is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
        pub enum Id {
            $(#[doc = $help] $id),*
        }
        /// The order of the rows.
        const IDS: &[Id] = &[$(Id::$id),*];
    };
}
words!(options);

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
        self >= Self::ParentDeath && self < Self::Pause
    }

    /// Is it for something else than running a program? Then it has neither a variable nor `--no-X`, and ends the reading.
    #[must_use]
    pub fn is_order(self) -> bool {
        self >= Self::Pause
    }
}

/// A byte of a long name as it stands in the variable's.
#[must_use]
pub const fn capital(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() }
}

/// A row of the table.
pub struct Row<'t> {
    /// The option.
    pub id: Id,
    /// Its letters, as the table has them: `-l, -L, `.
    pub letters: &'t [u8],
    /// Its long name with the dashes.
    pub dashed: &'t [u8],
    /// What its value is called; nothing if it takes none.
    pub value: &'t [u8],
}

impl Row<'_> {
    /// Its long name.
    #[must_use]
    pub fn long(&self) -> &[u8] {
        self.dashed.get(2..).unwrap_or_default()
    }
}

/// The first option that `wanted` takes. (`dyn`: one copy of the loop instead of four.)
#[inline(never)]
pub fn find(wanted: &mut dyn FnMut(&Row) -> bool) -> Option<Id> {
    let mut memory = [0; CAPACITY];
    let mut help = Line::new(&mut memory);
    text::unpack(Text::Help, &mut |code| help.push(code));
    let mut rest = help.bytes();
    // The table begins behind the two lines of the usage.
    let _ = (take(&mut rest, NEWLINE), take(&mut rest, NEWLINE));
    for id in IDS {
        // `  -e, --expect CODE`, with the help text on the next line.
        let names = take(&mut rest, NEWLINE);
        let _ = take(&mut rest, NEWLINE);
        let mut letters = 2;
        while names.get(letters + 1) != Some(&b'-') && letters < names.len() {
            letters += 4;
        }
        let (letters, mut value) = names.split_at_checked(letters).unwrap_or_default();
        let dashed = take(&mut value, b' ');
        if wanted(&Row { id: *id, letters, dashed, value }) {
            return Some(*id);
        }
    }
    None
}

/// The option of a letter.
#[inline(never)]
#[must_use]
pub fn by_letter(letter: u8) -> Option<Id> {
    // Not `contains`, which brings the core library's memchr along.
    #[allow(clippy::manual_contains)]
    find(&mut |row| letter.is_ascii_alphabetic() && row.letters.iter().any(|byte| *byte == letter))
}

/// The option of a long name.
#[inline(never)]
#[must_use]
pub fn by_name(name: &[u8]) -> Option<Id> {
    find(&mut |row| same(row.long(), name))
}

/// The option of a variable, by its name behind the prefix.
#[must_use]
pub fn by_variable(name: &[u8]) -> Option<Id> {
    find(&mut |row| {
        let long = row.long();
        !row.id.is_order() && long.len() == name.len() && long.iter().zip(name).all(|(a, b)| capital(*a) == *b)
    })
}

/// A number 0–255.
fn byte(digits: &[u8]) -> Option<u8> {
    signal::decimal(digits)?.try_into().ok()
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
    /// Index: the received signal. Value: the one to forward; 0 drops it, [`ITSELF`] is no rule.
    to: [u8; signal::MAX as usize + 1],
}

/// No rule: the signal is forwarded as itself.
const ITSELF: u8 = u8::MAX;

impl Rewrites {
    /// Every signal as itself.
    const NONE: Self = Self { to: [ITSELF; signal::MAX as usize + 1] };

    /// The signal to forward for `received`; 0 if a rule drops it.
    #[must_use]
    #[inline(never)]
    pub fn apply(&self, received: SignalNumber) -> SignalNumber {
        match self.to.get(received as usize) {
            Some(&ITSELF) | None => received,
            Some(to) => SignalNumber::from(*to),
        }
    }

    /// Those that become no real-time signal, as the kernel's mask: while a real-time signal waits for room, only these may
    /// overtake it.
    #[must_use]
    pub fn to_standard(&self) -> u64 {
        let mask = (1..=signal::MAX).rev().fold(0, |mask, from| mask << 1 | u64::from(self.apply(from) < 32));
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
    /// By [`Id`]: 1 for a flag that is on; how often `-v` was given; a signal's number.
    values: [u32; IDS.len()],
    /// What is wrong: on the command line, or else in a variable.
    pub fault: Option<Fault<'a>>,
    /// What is to be done instead of running a program.
    pub order: Option<Id>,
    /// The name that it is called by.
    pub persona: Persona,
    /// What is forwarded for what.
    pub rewrites: Rewrites,
    /// Exit statuses that count as success.
    pub expected: Expected,
}

impl<'a> Config<'a> {
    /// The defaults of a name.
    #[must_use]
    pub const fn new(persona: Persona) -> Self {
        Self {
            values: [0; IDS.len()],
            fault: None,
            order: None,
            persona,
            rewrites: Rewrites::NONE,
            expected: Expected::NONE,
        }
    }

    /// Is this flag on? For [`Id::Verbose`]: is anything to be said?
    #[must_use]
    pub fn is_on(&self, id: Id) -> bool {
        self.value(id) > 0
    }

    /// How often a flag was given, or the number that an option was given: 0 for none.
    #[must_use]
    pub fn value(&self, id: Id) -> u32 {
        self.values.get(id as usize).copied().unwrap_or(0)
    }

    /// Takes over the variables: the peers' first, then `BITTS_*`, which win. The last malformed one of ours is the fault.
    /// `environment` yields `NAME=value`. Variables that are no option's are not ours to judge.
    #[inline(never)]
    pub fn variables(&mut self, environment: impl Iterator<Item = &'a [u8]> + Clone) {
        for variable in environment.clone() {
            self.peer(variable);
        }
        for variable in environment {
            let mut value = variable;
            let name = take(&mut value, b'=');
            if let Some(option) = behind(name, PREFIX)
                && let Some(id) = by_variable(option)
                && self.assign(id, value).is_none()
            {
                self.fault = Some(Fault { option: Some(id), variable: name, word: value, problem: Text::Invalid });
            }
        }
    }

    /// One variable, if it is a peer's.
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
                    number.unwrap_or(0).saturating_sub(1)
                }
                digit if same(value, &[*digit]) => 1,
                _ => return,
            };
            if let Some(id) = by_letter(*letter) {
                self.set(id, level);
            }
        }
    }

    /// Sets what is a number: a flag, a level, a signal. 0 undoes any option.
    #[inline(never)]
    fn set(&mut self, id: Id, number: u32) {
        if let Some(value) = self.values.get_mut(id as usize) {
            *value = number;
        }
        match id {
            // These two contradict each other: the last one counts.
            Id::Group if number > 0 => self.set(Id::SingleChild, 0),
            Id::SingleChild if number > 0 => self.set(Id::Group, 0),
            Id::Rewrite => self.rewrites = Rewrites::NONE,
            Id::Expect => self.expected = Expected::NONE,
            _ => {}
        }
    }

    /// Takes over a value, as a variable has it: nothing turns the option off, a flag is 0 or 1; of what may be repeated there
    /// may be several with commas between them. `None` if it is malformed.
    #[inline(never)]
    fn assign(&mut self, id: Id, mut values: &[u8]) -> Option<()> {
        if values.is_empty() {
            self.set(id, 0);
            return Some(());
        }
        loop {
            let length = values.len();
            // No argument holds a null byte: then it is one value.
            let comma = if id == Id::Rewrite || id == Id::Expect { b',' } else { 0 };
            let value = take(&mut values, comma);
            match id {
                Id::Rewrite => self.rewrites.add(value)?,
                Id::Expect => self.expected.insert(byte(value)?),
                Id::ParentDeath => self.set(id, signal::parse(value)? as u32),
                Id::Verbose => self.set(id, byte(value)?.into()),
                _ => match value {
                    [digit @ (b'0' | b'1')] => self.set(id, u32::from(digit - b'0')),
                    _ => return None,
                },
            }
            // A comma at the end is followed by an empty value, which is malformed.
            if value.len() == length {
                return Some(());
            }
        }
    }

    /// Takes over the command line, `words` being what follows the program's own name. How many of them are options, `--`
    /// among them; the program follows. If there is a fault or an order, that counts, and not the number.
    #[inline(never)]
    pub fn command_line(&mut self, mut words: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut taken = 0;
        let mut level = 0;
        let mut options_end = false;
        loop {
            let Some(word) = words.next() else { return self.wrong(None, b"", Text::Missing) };
            let [b'-', letters @ ..] = word else { return taken };
            let mut letters = letters;
            if options_end || letters.is_empty() {
                return taken;
            }
            taken += 1;
            let long = behind(letters, b"-");
            options_end = long.is_some_and(<[u8]>::is_empty);
            while let [letter, rest @ ..] = letters {
                letters = rest;
                let mut on = true;
                let mut attached = None;
                let option = if let Some(mut value) = long {
                    letters = b"";
                    let length = value.len();
                    let name = take(&mut value, b'=');
                    if name.len() < length {
                        attached = Some(value);
                    }
                    // Two dashes alone end the options: there is nothing to look up.
                    if length == 0 {
                        break;
                    }
                    by_name(name).or_else(|| {
                        on = false;
                        by_name(behind(name, b"no-")?).filter(|id| !id.is_order())
                    })
                } else {
                    by_letter(*letter)
                };
                let Some(id) = option else { return self.wrong(None, word, Text::Unknown) };
                if on && id.takes_value() {
                    if attached.is_none() && letters.is_empty() {
                        attached = words.next();
                        taken += 1;
                    } else if attached.is_none() {
                        attached = Some(letters);
                        letters = b"";
                    }
                    let Some(value) = attached else { return self.wrong(option, word, Text::NoValue) };
                    if value.is_empty() || self.assign(id, value).is_none() {
                        return self.wrong(option, value, Text::Invalid);
                    }
                } else if let Some(value) = attached {
                    return self.wrong(option, value, Text::Needless);
                } else if id.is_order() {
                    self.order = option;
                    return taken;
                } else {
                    let mut number = u32::from(on);
                    if id == Id::Verbose {
                        // The first -v on the command line wins over the variable, the next ones add to it.
                        level = (level + 1) * number;
                        number = level;
                    }
                    self.set(id, number);
                }
            }
        }
    }

    /// Notes what is wrong with the command line. The number means nothing.
    #[inline(never)]
    fn wrong(&mut self, option: Option<Id>, word: &'a [u8], problem: Text) -> usize {
        self.fault = Some(Fault { option, variable: b"", word, problem });
        0
    }
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
    problem: Text,
}

impl Fault<'_> {
    /// Says what is wrong: `init: fatal: --expect: '256' is no valid CODE`.
    pub fn describe(&self, line: &mut Line) {
        let _ = find(&mut |row| {
            // What is wrong with no option does not look at the row.
            let found = self.option.is_none_or(|id| id == row.id);
            if found {
                let option = if self.variable.is_empty() { row.dashed } else { self.variable };
                let value = if row.value.is_empty() { b"number" } else { row.value };
                line.fill(self.problem, &Filling { word: self.word, option, value, ..Filling::default() });
            }
            found
        });
    }
}
