//! What `init` is asked for, read a second time: from the contract (I1, I2, I4, I5) and the manual page, not from init's own
//! sources. It takes words apart where init reads them byte by byte, and keeps sets and maps where init keeps bits. Where
//! both readings differ, one of them is wrong.
//!
//! The fuzzer (tests/fuzz/src/main.rs) and tests/tests/hostile_arguments.rs use it, each with inputs of its own.

use std::collections::{BTreeMap, BTreeSet};

use init_core::cli::{self, Action, Persona, Request};
use init_core::messages;

// ---- The input --------------------------------------------------------------------------------------------------------

/// How init is called.
#[derive(Debug)]
pub struct Input<'a> {
    /// `argv[0]`.
    pub name: &'a [u8],
    /// The environment.
    pub variables: Vec<&'a [u8]>,
    /// What follows `argv[0]`.
    pub words: Vec<&'a [u8]>,
}

impl<'a> Input<'a> {
    /// Any bytes: the name, the variables up to an empty piece, then the words, a null byte between any two.
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut pieces = bytes.split(|byte| *byte == 0);
        let name = pieces.next().unwrap_or_default();
        let variables = pieces.by_ref().take_while(|piece| !piece.is_empty()).collect();
        Self { name, variables, words: pieces.collect() }
    }
}

/// Pieces that inputs are made of.
#[rustfmt::skip]
pub const VOCABULARY: &[&[u8]] = &[
    b"\0", b"\0\0", b"-", b"--", b"--no-", b"=", b":", b",", b"+", b"\0--\0", b"\0program", b"\xff", b"\x1b[2J", b"\n", b"0", b"1",
    b"init", b"dumb-init", b"/usr/bin/catatonit", b"podman-init", b"tini",
    b"-g", b"-c", b"-s", b"-w", b"-v", b"-t", b"-p", b"-r", b"-e", b"-P", b"-l", b"-L", b"-h", b"-V", b"gw", b"cv",
    b"group", b"single-child", b"subreaper", b"caught-only", b"wait-all", b"warn-reaped", b"verbose", b"grace", b"stop-timeout",
    b"parent-death", b"rewrite", b"expect", b"pause", b"license", b"help", b"version",
    b"--grace=", b"--stop-timeout=", b"--parent-death=", b"--rewrite=", b"--expect=",
    b"BITTS_GROUP=", b"BITTS_SINGLE_CHILD=", b"BITTS_SUBREAPER=", b"BITTS_CAUGHT_ONLY=", b"BITTS_WAIT_ALL=", b"BITTS_WARN_REAPED=",
    b"BITTS_VERBOSE=", b"BITTS_GRACE=", b"BITTS_STOP_TIMEOUT=", b"BITTS_PARENT_DEATH=", b"BITTS_REWRITE=", b"BITTS_EXPECT=",
    b"BITTS_PAUSE=", b"BITTS_", b"TINI_KILL_PROCESS_GROUP=", b"TINI_SUBREAPER=", b"TINI_VERBOSITY=", b"DUMB_INIT_SETSID=",
    b"DUMB_INIT_DEBUG=", b"CATATONIT_DEBUG=",
    b"SIG", b"TERM", b"HUP", b"INT", b"KILL", b"CHLD", b"TSTP", b"TTIN", b"TTOU", b"CLD", b"IOT", b"POLL", b"RTMIN", b"RTMAX",
    b"RTMIN+", b"RTMAX-", b"30", b"31", b"34", b"64", b"65", b"143", b"255", b"256", b"s", b"ms", b"m", b"4294967295", b"4294967296",
    b"1:15", b"HUP:0", b"TSTP:TSTP", b"10s:INT,QUIT", b"71582", b"4294967",
    // Whole options: of what does no more than stand beside another one no part is worth keeping to a fuzzer.
    b"\0--wait-all", b"\0-gw", b"\0-pTERM", b"\0-rHUP:0", b"\0-e7", b"\0-t1s", b"\0--stop-timeout=2s", b"\0--no-grace",
];

// ---- What comes out -----------------------------------------------------------------------------------------------------

/// What init is asked for.
#[derive(Debug, PartialEq)]
pub enum Meaning {
    /// To do something else than to run a program: which, by its long name.
    Action(&'static str),
    /// Something is wrong, and this is the line that says so. The contract's: any of these.
    Refused(Vec<Vec<u8>>),
    /// To run a program.
    Run(Box<Settings>),
}

/// How a program is to be run.
#[derive(Debug, PartialEq)]
pub struct Settings {
    /// How many words stand before the program.
    pub options: usize,
    /// The flags that are on, by their long names. `-v` is one: how often it was given is of no effect (manual).
    pub flags: BTreeSet<&'static str>,
    /// The child has a session of its own.
    pub session: bool,
    /// Milliseconds; 0 for none.
    pub grace: u64,
    /// Milliseconds, and what starts the clock; `None` for no limit.
    pub stop_timeout: Option<(u64, BTreeSet<i32>)>,
    /// 0 for none.
    pub parent_death: i32,
    /// What is forwarded for what, where that is not the signal itself; 0 for what is dropped.
    pub rewrites: BTreeMap<i32, i32>,
    /// Exit statuses that count as success.
    pub expected: BTreeSet<u8>,
    /// The exit statuses of an exec that fails with ENOENT, and with EACCES.
    pub exec_failures: [u8; 2],
}

// ---- The contract's reading -----------------------------------------------------------------------------------------------

/// What an option is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Flag,
    /// It takes a value: what the messages call it, and what they say it must look like.
    Valued(&'static str, &'static str),
    Action,
}

/// The table of I2: letters, long name, kind; the values' names are those of the manual.
const OPTIONS: [(&str, &str, Kind); 16] = [
    ("g", "group", Kind::Flag),
    ("c", "single-child", Kind::Flag),
    ("s", "subreaper", Kind::Flag),
    ("", "caught-only", Kind::Flag),
    ("", "wait-all", Kind::Flag),
    ("w", "warn-reaped", Kind::Flag),
    ("v", "verbose", Kind::Flag),
    ("t", "grace", Kind::Valued("TIME", "10, 10s, 500ms or 2m")),
    ("", "stop-timeout", Kind::Valued("TIME[:SIG,...]", "a time, such as 10s, or 10s:TERM,INT")),
    ("p", "parent-death", Kind::Valued("SIG", "1-64 or a name, such as TERM")),
    ("r", "rewrite", Kind::Valued("S:R", "two signals, such as TERM:QUIT")),
    ("e", "expect", Kind::Valued("CODE", "0-255")),
    ("P", "pause", Kind::Action),
    ("lL", "license", Kind::Action),
    ("h", "help", Kind::Action),
    ("V", "version", Kind::Action),
];

/// Signals 1–31 in their order (signal(7), x86 and most others).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// A number in digits and nothing else.
fn number(text: &str) -> Option<u64> {
    // A sign is no digit; an empty text has none.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// "Number, name with or without SIG, `RTMIN+n`, `RTMAX-n`": 1–64, in capitals or not.
fn signal(text: &str) -> Option<i32> {
    if let Some(number) = number(text) {
        return (1..=64).contains(&number).then_some(number as i32);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let distance = |text| number(text).filter(|n| *n <= 30).map(|n| n as i32);
    match name {
        "RTMIN" => Some(34),
        "RTMAX" => Some(64),
        "IOT" => Some(6),
        "CLD" => Some(17),
        "POLL" => Some(29),
        _ => match (name.strip_prefix("RTMIN+"), name.strip_prefix("RTMAX-")) {
            (Some(n), _) => Some(34 + distance(n)?),
            (_, Some(n)) => Some(64 - distance(n)?),
            _ => NAMES.iter().position(|other| *other == name).map(|at| at as i32 + 1),
        },
    }
}

/// `10`, `10s`, `500ms`, `2m`: in milliseconds, of which there is room for 2^32.
fn time(text: &str) -> Option<u64> {
    let (digits, unit) = if let Some(digits) = text.strip_suffix("ms") {
        (digits, 1)
    } else if let Some(digits) = text.strip_suffix('m') {
        (digits, 60_000)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1000)
    };
    number(digits)?.checked_mul(unit).filter(|time| *time <= u64::from(u32::MAX))
}

/// What has been asked for so far.
#[derive(Default)]
struct Asked {
    flags: BTreeSet<&'static str>,
    grace: u64,
    stop_timeout: Option<(u64, BTreeSet<i32>)>,
    parent_death: i32,
    rewrites: BTreeMap<i32, i32>,
    expected: BTreeSet<u8>,
}

impl Asked {
    /// A flag turned on or off. Of `-g` and `-c` the last one that is turned on counts.
    fn flag(&mut self, name: &'static str, on: bool) {
        if on {
            let other = match name {
                "group" => "single-child",
                "single-child" => "group",
                _ => "",
            };
            self.flags.remove(other);
            self.flags.insert(name);
        } else {
            self.flags.remove(name);
        }
    }

    /// `--no-X`, or an empty variable.
    fn off(&mut self, name: &'static str) {
        match name {
            "grace" => self.grace = 0,
            "stop-timeout" => self.stop_timeout = None,
            "parent-death" => self.parent_death = 0,
            "rewrite" => self.rewrites.clear(),
            "expect" => self.expected.clear(),
            _ => self.flag(name, false),
        }
    }

    /// An option's value. `None`: it is malformed.
    fn value(&mut self, name: &'static str, value: &[u8]) -> Option<()> {
        let text = std::str::from_utf8(value).ok()?;
        match name {
            "grace" => self.grace = time(text)?,
            "stop-timeout" => {
                let (limit, signals) = match text.split_once(':') {
                    Some((limit, list)) => (limit, list.split(',').map(signal).collect::<Option<_>>()?),
                    None => (text, BTreeSet::from([libc::SIGTERM])),
                };
                // "0 is no time limit, and the default."
                self.stop_timeout = Some((time(limit)?, signals)).filter(|(limit, _)| *limit > 0);
            }
            "parent-death" => self.parent_death = signal(text)?,
            "rewrite" => {
                for rule in text.split(',') {
                    let (from, to) = rule.split_once(':')?;
                    let to = if to == "0" {
                        0
                    } else if to.starts_with('0') {
                        // `S:0` is a word of its own, and `S:010` none.
                        return None;
                    } else {
                        signal(to)?
                    };
                    self.rewrites.insert(signal(from)?, to);
                }
            }
            "expect" => {
                for code in text.split(',') {
                    self.expected.insert(u8::try_from(number(code)?).ok()?);
                }
            }
            "verbose" => self.flag(name, number(text).filter(|level| *level <= 255)? > 0),
            _ => self.flag(
                name,
                match text {
                    "1" => true,
                    "0" => false,
                    _ => return None,
                },
            ),
        }
        Some(())
    }

    /// A variable of a peer's, which is read as that peer reads it.
    fn peer(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"TINI_KILL_PROCESS_GROUP" => self.flag("group", true),
            b"TINI_SUBREAPER" => self.flag("subreaper", true),
            b"CATATONIT_DEBUG" => self.flag("verbose", true),
            b"DUMB_INIT_SETSID" if value == b"0" => self.flag("single-child", true),
            b"DUMB_INIT_DEBUG" if value == b"1" => self.flag("verbose", true),
            b"TINI_VERBOSITY" => {
                // "From 2 on": the digits at the front, as atoi(3).
                let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let text = std::str::from_utf8(&value[..digits]).unwrap_or_default();
                let level = number(text).filter(|level| *level <= u64::from(u32::MAX)).unwrap_or(0);
                self.flag("verbose", level >= 2);
            }
            _ => {}
        }
    }
}

/// So many bytes of a word are in a message: the contract leaves it to init.
const SHOWN: usize = 80;

/// A word in quotes as the manual promises it: all but printable ASCII escaped. It may be cut, and `...` then says so.
fn quoted(word: &[u8]) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in word.iter().take(SHOWN) {
        match byte {
            0..0x20 | 0x7f.. => text.extend(format!("\\x{byte:02x}").bytes()),
            _ => text.push(*byte),
        }
    }
    if SHOWN < word.len() {
        text.extend(b"...");
    }
    text.push(b'\'');
    text
}

/// A line of the manual's DIAGNOSTICS, with a word in it.
fn line(before: &str, word: &[u8], behind: &str) -> Vec<u8> {
    [b"init: fatal: ", before.as_bytes(), &quoted(word), behind.as_bytes(), b"\n"].concat()
}

/// The line about a malformed value.
fn invalid(culprit: &str, (name, form): (&str, &str), value: &[u8]) -> Vec<u8> {
    line(&format!("{culprit}: invalid {name} "), value, &format!(" (expected {form})"))
}

/// How the contract understands it.
pub fn contract(input: &Input) -> Meaning {
    let mut asked = Asked::default();
    let mut errors = Vec::new();
    let parts = |variable: &[u8]| {
        let mut halves = variable.splitn(2, |byte| *byte == b'=').map(<[u8]>::to_vec);
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    };
    for (name, value) in input.variables.iter().map(|variable| parts(variable)) {
        asked.peer(&name, &value);
    }
    let own = input.variables.iter().filter(|variable| variable.starts_with(b"BITTS_"));
    for (name, value) in own.map(|variable| parts(variable)) {
        for (_, long, kind) in OPTIONS.iter().filter(|(_, _, kind)| *kind != Kind::Action) {
            let own = format!("BITTS_{}", long.to_uppercase().replace('-', "_"));
            if name != own.as_bytes() {
                continue;
            }
            if value.is_empty() {
                asked.off(long);
            } else if asked.value(long, &value).is_none() {
                let expected = match kind {
                    Kind::Valued(name, form) => (*name, *form),
                    _ if *long == "verbose" => ("number", "0-255"),
                    _ => ("value", "0 or 1"),
                };
                errors.push(invalid(&own, expected, &value));
            }
        }
    }

    let mut refused = |line: Vec<u8>| {
        // Of several errors any may be told.
        errors.push(line);
        Meaning::Refused(std::mem::take(&mut errors))
    };
    let no_program = || b"init: fatal: no program given\n".to_vec();
    let mut words = input.words.iter().copied().enumerate();
    let options = loop {
        let Some((at, word)) = words.next() else {
            return refused(no_program());
        };
        if word == b"--" {
            break if at + 1 < input.words.len() { at + 1 } else { return refused(no_program()) };
        }
        if word == b"-" || !word.starts_with(b"-") {
            break at;
        }
        // Each option in the word, whether it is turned on, and the value that is attached to it.
        let mut rest = &word[1..];
        loop {
            let (option, is_long, attached) = if let Some(name) = word.strip_prefix(b"--") {
                rest = b"";
                let mut halves = name.splitn(2, |byte| *byte == b'=');
                let (name, attached) = (halves.next().unwrap_or_default(), halves.next());
                let by_name = |name: &[u8]| OPTIONS.iter().find(|(_, long, _)| long.as_bytes() == name);
                let off = || by_name(name.strip_prefix(b"no-")?).filter(|(_, _, kind)| *kind != Kind::Action);
                (by_name(name).map(|option| (option, true)).or_else(|| Some((off()?, false))), true, attached)
            } else {
                let Some((letter, behind)) = rest.split_first() else { break };
                rest = behind;
                let option = OPTIONS.iter().find(|(letters, _, _)| letters.as_bytes().contains(letter));
                (option.map(|option| (option, true)), false, (!behind.is_empty()).then_some(behind))
            };
            let Some(((_, long, kind), on)) = option else { return refused(line("unknown option ", word, "")) };
            match kind {
                Kind::Valued(name, form) if on => {
                    let Some(value) = attached.or_else(|| words.next().map(|(_, word)| word)) else {
                        return refused(line("option ", word, &format!(" needs a value: {name}")));
                    };
                    if value.is_empty() || asked.value(long, value).is_none() {
                        return refused(invalid(&format!("--{long}"), (name, form), value));
                    }
                    break;
                }
                _ if let (true, Some(value)) = (is_long, attached) => {
                    let no = if on { "" } else { "no-" };
                    return refused(line(&format!("--{no}{long} takes no value (given "), value, ")"));
                }
                Kind::Action => return Meaning::Action(long),
                Kind::Flag => asked.flag(long, on),
                Kind::Valued(..) => asked.off(long),
            }
            if rest.is_empty() {
                break;
            }
        }
    };
    if !errors.is_empty() {
        return Meaning::Refused(errors);
    }

    // I4: the name that it is called by.
    let base = input.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let session = base == b"dumb-init" && !asked.flags.contains("single-child");
    if session {
        asked.flags.insert("group");
        for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
            asked.rewrites.entry(signal).or_insert(libc::SIGSTOP);
        }
    }
    asked.rewrites.retain(|from, to| from != to);
    Meaning::Run(Box::new(Settings {
        options,
        session,
        flags: asked.flags,
        grace: asked.grace,
        stop_timeout: asked.stop_timeout,
        parent_death: asked.parent_death,
        rewrites: asked.rewrites,
        // That 0 counts as success needs no asking.
        expected: asked.expected.into_iter().filter(|code| *code > 0).collect(),
        exec_failures: match base {
            b"dumb-init" => [2, 2],
            b"catatonit" | b"podman-init" => [1, 1],
            _ => [127, 126],
        },
    }))
}

// ---- init's own reading ----------------------------------------------------------------------------------------------------

/// How init understands it, by the call that its `main` makes.
pub fn init(input: &Input) -> Meaning {
    let (config, options) = match cli::read(input.name, input.variables.iter().copied(), input.words.iter().copied()) {
        Ok(Request::Run(config, options)) => (config, options),
        Ok(Request::Act(Action::Pause, _)) => return Meaning::Action("pause"),
        Ok(Request::Act(Action::License, _)) => return Meaning::Action("license"),
        Ok(Request::Act(Action::Help, _)) => return Meaning::Action("help"),
        Ok(Request::Act(Action::Version, _)) => return Meaning::Action("version"),
        Err(error) => return Meaning::Refused(vec![error.line().bytes().to_vec()]),
    };
    let flags = [
        ("group", config.is_on(Opt::Group)),
        ("single-child", config.is_on(Opt::SingleChild)),
        ("subreaper", config.is_on(Opt::Subreaper)),
        ("caught-only", config.is_on(Opt::CaughtOnly)),
        ("wait-all", config.is_on(Opt::WaitAll)),
        ("warn-reaped", config.is_on(Opt::WarnReaped)),
        ("verbose", config.is_on(Opt::Verbose)),
    ];
    let limit = u64::from(config.stop_timeout.0);
    let persona = Persona::of(input.name);
    Meaning::Run(Box::new(Settings {
        options,
        session: config.new_session(),
        flags: flags.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect(),
        grace: config.grace.0.into(),
        stop_timeout: (limit > 0)
            .then(|| (limit, (1..=64).filter(|signal| config.stop_signals.contains(*signal)).collect())),
        parent_death: config.parent_death.unwrap_or(0),
        rewrites: (1..=64).map(|from| (from, config.rewrites.apply(from))).filter(|(from, to)| from != to).collect(),
        expected: (0..=255).filter(|code| *code > 0 && config.expected.apply(*code) == 0).collect(),
        exec_failures: [persona.exec_failure(libc::ENOENT), persona.exec_failure(libc::EACCES)],
    }))
}

// ---- The judgement ---------------------------------------------------------------------------------------------------------

/// Is this one line for a person, which a terminal only shows? It is shorter than any PIPE_BUF, so that it stays in one piece.
fn is_one_line(line: &[u8]) -> bool {
    let Some((b'\n', text)) = line.split_last() else { return false };
    line.len() <= 512 && text.starts_with(b"init: ") && !text.iter().any(|byte| matches!(byte, 0..0x20 | 0x7f..))
}

/// Holds `init`, or what is put in its place, to the contract.
///
/// # Errors
/// What differs.
pub fn judge(bytes: &[u8], init: impl Fn(&Input) -> Meaning) -> Result<(), String> {
    let input = Input::of(bytes);
    let (is, wanted) = (init(&input), contract(&input));
    let agree = match (&is, &wanted) {
        // Of several errors any may be told, by one line.
        (Meaning::Refused(told), Meaning::Refused(lines)) => match told.as_slice() {
            [line] => is_one_line(line) && lines.contains(line),
            _ => false,
        },
        _ => is == wanted,
    };
    if !agree {
        return Err(format!("{input:?}\ninit:     {is:?}\ncontract: {wanted:?}"));
    }
    // What is said of the program's name, at -v and when it cannot be executed.
    if let Meaning::Run(settings) = &is {
        let program = input.words[settings.options];
        let quoted = quoted(program);
        for line in [messages::started(1, program), messages::cannot_execute(program, libc::ENOENT)] {
            let line = line.bytes();
            if !is_one_line(line) || !line.windows(quoted.len()).any(|part| part == quoted) {
                return Err(format!("{input:?}: {}", line.escape_ascii()));
            }
        }
    }
    Ok(())
}
