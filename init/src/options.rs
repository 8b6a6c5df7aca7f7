//! The command line and its variables (contract I1, I2, I4, I5).
//!
//! Each option is declared once, in `words.rs`. That table is the help text: the parser unpacks it and reads the options'
//! names where a person reads them. PID 1 is short of bytes, not of time.

use crate::bytes::{behind, same, take};
use crate::message::{CAPACITY, Filling};
use crate::signal::{self, SignalNumber, SignalSet};
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
        self >= Self::Grace && self < Self::Pause
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

/// How an option is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// By one of its letters.
    Letter,
    /// By its long name.
    Name,
    /// By its variable's name, behind the prefix.
    Variable,
}

/// The rows of the table, one by one.
struct Rows<'t> {
    /// What is left of it.
    rest: &'t [u8],
    /// Which are to come.
    ids: core::slice::Iter<'static, Id>,
    /// The present row's letters, as the table has them: `-l, -L, `.
    letters: &'t [u8],
    /// Its long name with the dashes.
    dashed: &'t [u8],
    /// What its value is called; nothing if it takes none.
    value: &'t [u8],
}

impl<'t> Rows<'t> {
    /// Before the first one, unpacked into `memory`.
    #[inline(never)]
    fn new(memory: &'t mut [u8; CAPACITY]) -> Self {
        let mut length = 0;
        text::unpack(Text::Help, &mut |code| {
            if let Some(slot) = memory.get_mut(length) {
                *slot = code;
                length += 1;
            }
        });
        let mut rest: &[u8] = memory;
        // The table begins behind the two lines of the usage.
        let _ = (take(&mut rest, NEWLINE), take(&mut rest, NEWLINE));
        Self { rest, ids: IDS.iter(), letters: b"", dashed: b"", value: b"" }
    }

    /// Goes on to the next one: which it is.
    #[inline(never)]
    fn next(&mut self) -> Option<Id> {
        // `  -e, --expect CODE`, with the help text on the next line.
        let names = take(&mut self.rest, NEWLINE);
        let _ = take(&mut self.rest, NEWLINE);
        let mut letters = 2;
        while names.get(letters + 1) != Some(&b'-') && letters < names.len() {
            letters += 4;
        }
        (self.letters, self.value) = names.split_at_checked(letters).unwrap_or_default();
        self.dashed = take(&mut self.value, b' ');
        self.ids.next().copied()
    }
}

/// The option of that name.
#[inline(never)]
fn find(name: &[u8], by: By) -> Option<Id> {
    let mut memory = [0; CAPACITY];
    let mut rows = Rows::new(&mut memory);
    while let Some(id) = rows.next() {
        let long = rows.dashed.get(2..).unwrap_or_default();
        let found = match (by, name) {
            // Not `contains`, which brings the core library's memchr along.
            #[allow(clippy::manual_contains)]
            (By::Letter, [letter, ..]) => {
                letter.is_ascii_alphabetic() && rows.letters.iter().any(|byte| byte == letter)
            }
            (By::Variable, _) if id.is_order() => false,
            _ => {
                let as_written = |byte| if by == By::Variable { capital(byte) } else { byte };
                long.len() == name.len() && long.iter().zip(name).all(|(byte, other)| as_written(*byte) == *other)
            }
        };
        if found {
            return Some(id);
        }
    }
    None
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
    #[inline(always)]
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
        let mut set = signal::NEVER_FORWARDED;
        // A plain loop: an iterator is twice as long.
        let mut from = signal::MAX;
        while from > 0 {
            if self.apply(from) < 32 {
                set = set.with(from);
            }
            from -= 1;
        }
        set.bits()
    }

    /// Takes `S:R` from the front of `text` and adds it; the last of equal S wins. `None` if it is no rule.
    fn add(&mut self, text: &mut &[u8]) -> Option<()> {
        let from = signal::read(text)?;
        if !signal::eat(text, b':') {
            return None;
        }
        let to = if signal::eat(text, b'0') { 0 } else { signal::read(text)? };
        *self.to.get_mut(from as usize)? = to as u8;
        Some(())
    }
}

/// What the command line, the variables and the name ask for.
#[derive(Clone, Debug)]
#[repr(C)] // What is small stands first: it is reached by shorter instructions.
pub struct Config<'a> {
    /// By [`Id`]: 1 for a flag that is on; how often `-v` was given; a signal's number; milliseconds.
    values: [u32; IDS.len()],
    /// What starts the clock of `--stop-timeout`.
    pub stop_signals: SignalSet,
    /// What is to be done instead of running a program.
    pub order: Option<Id>,
    /// The name that it is called by.
    pub persona: Persona,
    /// What is wrong: on the command line, or else in a variable.
    pub fault: Fault<'a>,
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
            fault: Fault { option: None, variable: b"", word: b"", problem: None },
            order: None,
            persona,
            rewrites: Rewrites::NONE,
            stop_signals: signal::TERM,
            expected: Expected::NONE,
        }
    }

    /// Does the child get a session of its own? With it go signals to its group, and dumb-init's rewrites where no rule of the
    /// user's stands.
    #[inline(always)]
    pub fn new_session(&mut self) -> bool {
        let session = self.persona == Persona::DumbInit && !self.is_on(Id::SingleChild);
        if session {
            self.set(Id::Group, 1);
            for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
                if let Some(to @ &mut ITSELF) = self.rewrites.to.get_mut(signal as usize) {
                    *to = libc::SIGSTOP as u8;
                }
            }
        }
        session
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
    #[inline(always)]
    pub fn variables(&mut self, environment: impl Iterator<Item = &'a [u8]> + Clone) {
        for variable in environment.clone() {
            self.peer(variable);
        }
        for variable in environment {
            let mut value = variable;
            let name = take(&mut value, b'=');
            if let Some(option) = behind(name, PREFIX)
                && let Some(id) = find(option, By::Variable)
                && self.assign(id, value).is_none()
            {
                self.wrong(Some(id), value, Text::Invalid);
                self.fault.variable = name;
            }
        }
    }

    /// One variable, if it is a peer's.
    #[inline(always)]
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
                b'#' => signal::number(&mut value).unwrap_or(0).saturating_sub(1),
                digit if same(value, &[*digit]) => 1,
                _ => return,
            };
            if let Some(id) = find(&[*letter], By::Letter) {
                self.set(id, level);
            }
        }
    }

    /// Sets what is a number: a flag, a level, a signal. 0 undoes any option.
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
            Id::StopTimeout => self.stop_signals = signal::TERM,
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
        let is_flag = !id.takes_value() && id != Id::Verbose;
        if is_flag && values.len() > 1 {
            return None;
        }
        let text = &mut values;
        let listing = id == Id::Rewrite || id == Id::Expect;
        loop {
            match id {
                Id::Rewrite => self.rewrites.add(text)?,
                Id::StopTimeout => {
                    let time = signal::time(text)?;
                    self.set(id, time);
                    if signal::eat(text, b':') {
                        self.stop_signals = SignalSet::EMPTY;
                        loop {
                            self.stop_signals = self.stop_signals.with(signal::read(text)?);
                            if !signal::eat(text, b',') {
                                break;
                            }
                        }
                    }
                }
                _ => {
                    let number = match id {
                        Id::Grace => signal::time(text)?,
                        Id::ParentDeath => signal::read(text)? as u32,
                        _ => signal::number(text).filter(|number| *number <= if is_flag { 1 } else { 255 })?,
                    };
                    if id == Id::Expect {
                        self.expected.insert(number as u8);
                    } else {
                        self.set(id, number);
                    }
                }
            }
            if text.is_empty() {
                return Some(());
            }
            if !listing || !signal::eat(text, b',') {
                return None;
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
            let mut rest = word;
            if options_end || !signal::eat(&mut rest, b'-') || rest.is_empty() {
                return taken;
            }
            taken += 1;
            let long = signal::eat(&mut rest, b'-');
            options_end = long && rest.is_empty();
            while !rest.is_empty() {
                let mut on = true;
                let mut attached = false;
                let option = if long {
                    let name = take(&mut rest, b'=');
                    attached = 2 + name.len() < word.len();
                    find(name, By::Name).or_else(|| {
                        on = false;
                        find(behind(name, b"no-")?, By::Name).filter(|id| !id.is_order())
                    })
                } else {
                    let letter = rest;
                    rest = rest.get(1..).unwrap_or_default();
                    find(letter, By::Letter)
                };
                let Some(id) = option else { return self.wrong(None, word, Text::Unknown) };
                if on && id.takes_value() {
                    if !attached && rest.is_empty() {
                        let Some(value) = words.next() else { return self.wrong(option, word, Text::NoValue) };
                        rest = value;
                        taken += 1;
                    }
                    if rest.is_empty() || self.assign(id, rest).is_none() {
                        return self.wrong(option, rest, Text::Invalid);
                    }
                    break;
                }
                if attached {
                    return self.wrong(option, rest, Text::Needless);
                }
                if id.is_order() {
                    self.order = option;
                    return taken;
                }
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

    /// Notes what is wrong with the command line. The number means nothing.
    #[inline(never)]
    fn wrong(&mut self, option: Option<Id>, word: &'a [u8], problem: Text) -> usize {
        self.fault = Fault { option, variable: b"", word, problem: Some(problem) };
        0
    }
}

/// What is wrong with a command line or a variable, if anything is.
#[derive(Clone, Debug)]
pub struct Fault<'a> {
    /// The option, if it is known.
    option: Option<Id>,
    /// The name of the option's variable, if the value came by it.
    variable: &'a [u8],
    /// The culprit.
    word: &'a [u8],
    /// What is wrong with it.
    problem: Option<Text>,
}

impl Fault<'_> {
    /// Says what is wrong, if anything is: `init: fatal: --expect: '256' is no valid CODE`. Is it so?
    #[inline(never)]
    pub fn describe(&self, say: &mut dyn FnMut(Text, &Filling)) -> bool {
        let Some(problem) = self.problem else { return false };
        let mut memory = [0; CAPACITY];
        let mut rows = Rows::new(&mut memory);
        // What is wrong with no option does not look at the row.
        while self.option.is_some_and(|option| rows.next().is_some_and(|id| id != option)) {}
        let option = if self.variable.is_empty() { rows.dashed } else { self.variable };
        let value = if rows.value.is_empty() { b"number" } else { rows.value };
        say(problem, &Filling { word: self.word, option, value, ..Filling::NONE });
        true
    }
}
