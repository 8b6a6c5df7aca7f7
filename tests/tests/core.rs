//! What `init` decides, apart from what it does: option parser, signal names, exit statuses, messages, decisions.
//! All of it against the contract or against libc, exhaustively where that is possible. Nothing is started.

use bitts_tests::sys;
use init_core::message::{CAPACITY, CString, Filling, Line};
use init_core::options::{Config, Id, Persona};
use init_core::program;
use init_core::signal;
use init_core::status::{self, WaitStatus};
use init_core::supervisor::{Decision, Drained, Received, Step, Supervisor};
use init_core::text::{self, Text};
use proptest::prelude::*;

/// Of what is many and alike every one is tried; under Miri, which is a thousand times slower, some.
const STRIDE: usize = if cfg!(miri) { 8 } else { 1 };

// ---- The few places that know the core's types ----------------------------------------------------------------------

/// A configuration in a form that can be compared.
type Settings = String;

/// What a command line was understood as.
struct Parsed {
    config: Config<'static>,
    /// How many words are options.
    operands: usize,
}

/// Words that live as long as a configuration made of them. The leak ends with the test.
fn lasting<W: AsRef<[u8]>>(words: &[W]) -> Vec<&'static [u8]> {
    words.iter().map(|word| &*word.as_ref().to_vec().leak()).collect()
}

/// Parses a command line on top of some variables. What is wrong, or an order, is the error.
fn parse_with<V: AsRef<[u8]>, W: AsRef<[u8]>>(variables: &[V], words: &[W]) -> Result<Parsed, String> {
    let mut config = Config::new(Persona::Init);
    config.variables(lasting(variables).into_iter());
    let operands = config.command_line(lasting(words).into_iter());
    if let Some(order) = config.order {
        return Err(format!("order {order:?}"));
    }
    let mut fault = String::new();
    if config.fault.describe(&mut |text, filling| fault = line(|line| line.fill(text, filling))) {
        return Err(fault);
    }
    Ok(Parsed { config, operands })
}

/// As [`parse_with`], without variables, for words that are right.
fn parse<W: AsRef<[u8]>>(words: &[W]) -> Config<'static> {
    parse_with(&[] as &[&str], words).unwrap_or_else(|why| panic!("{why}")).config
}

fn settings<W: AsRef<[u8]>>(words: &[W]) -> Settings {
    format!("{:?}", parse(words))
}

fn settings_with<V: AsRef<[u8]>, W: AsRef<[u8]>>(variables: &[V], words: &[W]) -> Settings {
    format!("{:?}", parse_with(variables, words).unwrap_or_else(|why| panic!("{why}")).config)
}

/// What becomes of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Reap,
    Forward { number: i32, resume: bool },
    Drop,
}

fn fate(config: &Config, own_group: bool, number: i32, code: i32, own: bool) -> Fate {
    let mut supervisor = Supervisor::new(config, 7, own_group, false, false);
    match supervisor.signal(Received { number, code, own }) {
        Decision::Reap => Fate::Reap,
        Decision::Forward => Fate::Forward { number: supervisor.number, resume: supervisor.is_stop_request() },
        Decision::DropByRule | Decision::DropAsShared | Decision::DropOwn => Fate::Drop,
        later @ (Decision::ToAll | Decision::Teardown) => panic!("{later:?} while the child lives"),
    }
}

/// How init ends when its child ended with `status`.
fn end(config: &Config, status: WaitStatus) -> Option<u8> {
    let mut supervisor = Supervisor::new(config, 7, true, false, false);
    assert_eq!(supervisor.drained(false), Drained::Alive, "the child lives");
    assert!(!supervisor.reaped(8, status), "not the child");
    assert_eq!(supervisor.drained(false), Drained::Alive, "another one's end is not the child's");
    assert!(supervisor.reaped(7, status));
    assert!(!supervisor.reaped(8, 0), "an orphan after the child");
    (supervisor.drained(false) == Drained::End).then(|| supervisor.exit_status())
}

/// The bytes of a message.
fn bytes(make: impl FnOnce(&mut Line)) -> Vec<u8> {
    let mut memory = [0; CAPACITY];
    let mut line = Line::new(&mut memory);
    make(&mut line);
    line.bytes().to_vec()
}

/// The message `text` with an error, a number or a signal, and a word in it.
fn message(text: Text, number: i32, word: &[u8]) -> String {
    line(|line| line.fill(text, &Filling { numbers: [number, 0, 0], word, ..Filling::NONE }))
}

/// The same of one that holds text only.
fn line(make: impl FnOnce(&mut Line)) -> String {
    String::from_utf8_lossy(&bytes(make)).into_owned()
}

// ---- The options as they are promised (I2) --------------------------------------------------------------------------

/// An option: its letters, its long name, and two values that mean different things, if it takes one.
struct Promised {
    letters: &'static str,
    long: &'static str,
    values: &'static [&'static str; 2],
}

const NO_VALUE: &[&str; 2] = &["", ""];

/// All that have a variable and `--no-X`.
const OPTIONS: [Promised; 12] = [
    Promised { letters: "g", long: "group", values: NO_VALUE },
    Promised { letters: "c", long: "single-child", values: NO_VALUE },
    Promised { letters: "s", long: "subreaper", values: NO_VALUE },
    Promised { letters: "", long: "caught-only", values: NO_VALUE },
    Promised { letters: "", long: "wait-all", values: NO_VALUE },
    Promised { letters: "t", long: "grace", values: &["10", "500ms"] },
    Promised { letters: "", long: "stop-timeout", values: &["2m", "5:INT,QUIT"] },
    Promised { letters: "p", long: "parent-death", values: &["TERM", "40"] },
    Promised { letters: "r", long: "rewrite", values: &["HUP:RTMIN+3", "10:0"] },
    Promised { letters: "e", long: "expect", values: &["143", "0"] },
    Promised { letters: "w", long: "warn-reaped", values: NO_VALUE },
    Promised { letters: "v", long: "verbose", values: NO_VALUE },
];

/// Orders to do something else than to run a program.
const ORDERS: [(&str, &str); 4] = [("P", "pause"), ("lL", "license"), ("h", "help"), ("V", "version")];

impl Promised {
    fn has_value(&self) -> bool {
        !self.values[0].is_empty()
    }

    /// Its own variable.
    fn variable(&self) -> String {
        format!("BITTS_{}", self.long.to_uppercase().replace('-', "_"))
    }

    /// A value that turns it on.
    fn on(&self) -> &str {
        if self.has_value() { self.values[0] } else { "1" }
    }
}

// ---- I18: exit statuses ---------------------------------------------------------------------------------------------

#[test]
fn i18_exit_status_of_every_wait_status() {
    let config = parse(&["program"]);
    let mut ends = 0;
    for status in 0..=0xffff {
        let expected = if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else if libc::WIFSIGNALED(status) {
            128 + libc::WTERMSIG(status)
        } else {
            // Stopped or continued: nothing that init waits for, but it must be defined.
            let _ = status::exit_status(status);
            continue;
        };
        ends += 1;
        assert_eq!(i32::from(status::exit_status(status)), expected, "{status:#06x}");
        assert_eq!(end(&config, status).map(i32::from), Some(expected), "{status:#06x}");
    }
    // Exits and 126 signals, with and without the core bit, with every second byte; the rest is "stopped".
    assert_eq!(ends, 2 * 256 * (1 + 126));
    // Written out: what a shell shows.
    for (status, expected) in [(0, 0), (0xff00, 255), (9, 137), (9 | 0x80, 137), (40, 168), (64, 192)] {
        assert_eq!(status::exit_status(status), expected);
    }
}

#[test]
fn i18_expect_turns_exactly_its_code_into_0() {
    for code in (0..=255_u8).step_by(STRIDE) {
        let config = parse(&["-e".to_owned(), code.to_string(), "program".to_owned()]);
        for other in 0..=255_u8 {
            let expected = if other == code { 0 } else { other };
            assert_eq!(end(&config, i32::from(other) << 8), Some(expected), "-e {code}, exit {other}");
        }
        // After the 128+n, not before it.
        for signal in 1..=64 {
            let expected = if i32::from(code) == 128 + signal { 0 } else { 128 + signal as u8 };
            assert_eq!(end(&config, signal), Some(expected), "-e {code}, signal {signal}");
        }
    }
    let all: Vec<_> = (0..=255).map(|code| format!("-e{code}")).chain(["program".into()]).collect();
    let config = parse(&all);
    assert!((0..=255).all(|code| end(&config, code << 8) == Some(0)));
}

// ---- I2, I12: signal names ------------------------------------------------------------------------------------------

/// As nix knows them: 1–31 without SIG.
fn names() -> Vec<(String, i32)> {
    let strip = |signal: nix::sys::signal::Signal| (signal.as_str()[3..].to_owned(), signal as i32);
    nix::sys::signal::Signal::iterator().map(strip).collect()
}

#[test]
fn i2_names_of_signals_are_those_of_the_system() {
    assert_eq!(names().len(), 31);
    for (name, number) in names() {
        assert_eq!(
            line(|line| {
                line.signal(number);
            }),
            format!("{number} (SIG{name})")
        );
        let mixed: String =
            name.chars().enumerate().map(|(i, c)| if i % 2 == 0 { c.to_ascii_lowercase() } else { c }).collect();
        for word in [
            name.clone(),
            name.to_lowercase(),
            mixed.clone(),
            format!("SIG{name}"),
            format!("sig{mixed}"),
            format!("Sig{name}"),
        ] {
            assert_eq!(signal::parse(word.as_bytes()), Some(number), "{word}");
        }
    }
    for (synonym, number) in [("IOT", libc::SIGABRT), ("CLD", libc::SIGCHLD), ("POLL", libc::SIGPOLL)] {
        assert_eq!(signal::parse(synonym.as_bytes()), Some(number), "{synonym}");
    }
    for number in 1..=64 {
        assert_eq!(signal::parse(number.to_string().as_bytes()), Some(number));
    }
}

#[test]
fn i2_real_time_names_count_from_34_to_64() {
    // glibc's, whatever library init itself is linked with.
    for n in 0..=30 {
        for word in
            [format!("RTMIN+{n}"), format!("SIGRTMIN+{n}"), format!("sigrtmin+{n}"), format!("rtmax-{}", 30 - n)]
        {
            assert_eq!(signal::parse(word.as_bytes()), Some(34 + n), "{word}");
        }
    }
    for (word, number) in [("RTMIN", 34), ("SIGRTMIN", 34), ("RTMAX", 64), ("SigRtMax", 64)] {
        assert_eq!(signal::parse(word.as_bytes()), Some(number), "{word}");
    }
}

#[test]
fn i2_what_is_no_signal_is_refused() {
    let wrong: [&[u8]; 36] = [
        b"",
        b" ",
        b"0",
        b"65",
        b"-1",
        b"+1",
        b"1 ",
        b" 1",
        b"1x",
        b"0x9",
        b"256",
        b"257",
        b"4294967297",
        b"18446744073709551617",
        b"RTMIN+31",
        b"RTMAX+1",
        b"RTMIN-1",
        b"RTMAX-31",
        b"RTMIN+",
        b"RTMAX-",
        b"RTMIN+x",
        b"RTMIN+1x",
        b"RTMIN+-1",
        b"RTMIN+4294967296",
        b"RTMIN ",
        b"RTMI",
        b"SIG",
        b"SIGSIGTERM",
        b"SIGSIGRTMIN",
        b"SIG9",
        b"TERM ",
        b"TER",
        b"TERMX",
        b"\xff",
        b"TERM\xff",
        b"NOSIG",
    ];
    for word in wrong {
        assert_eq!(signal::parse(word), None, "{}", word.escape_ascii());
    }
}

#[test]
fn i2_a_signal_in_a_message_can_be_given_as_an_option() {
    for number in 1..=64 {
        let text = line(|line| {
            line.signal(number);
        });
        assert!(text == number.to_string() || text.starts_with(&format!("{number} (SIG")), "{text}");
        match text.split_once('(') {
            Some((_, name)) => assert_eq!(signal::parse(name.trim_end_matches(')').as_bytes()), Some(number), "{text}"),
            // The C library's own have no name.
            None => assert!((32..=33).contains(&number), "{text}"),
        }
    }
    let text = |number| {
        line(|line| {
            line.signal(number);
        })
    };
    assert_eq!(text(9), "9 (SIGKILL)");
    assert_eq!(text(34), "34 (SIGRTMIN)");
    assert_eq!(text(40), "40 (SIGRTMIN+6)");
}

#[test]
fn i2_a_mask_of_proc_says_exactly_which_signals_are_in_it() {
    // As /proc/PID/status writes it (proc_pid_status(5)).
    for number in 1..=64 {
        let digits = format!("{:016x}", 1_u64 << (number - 1));
        for other in 1..=64 {
            assert_eq!(signal::is_in_mask(digits.as_bytes(), other), other == number, "{digits}, {other}");
            assert!(signal::is_in_mask(b"ffffffffffffffff", other) && signal::is_in_mask(b"", other), "{other}");
        }
    }
    // Each digit, in the place of signals 1-4.
    for digit in 0..16_u8 {
        for number in 1..=4 {
            let digits = format!("{digit:016x}");
            assert_eq!(signal::is_in_mask(digits.as_bytes(), number), digit >> (number - 1) & 1 == 1, "{digits}");
        }
    }
}

#[test]
fn i2_times_are_milliseconds_and_end_where_the_number_does() {
    let read = |word: &str| {
        let mut text = word.as_bytes();
        let time = signal::time(&mut text);
        (time, String::from_utf8_lossy(text).into_owned())
    };
    let table = [
        ("0", Some(0), ""),
        ("7", Some(7000), ""),
        ("7s", Some(7000), ""),
        ("7ms", Some(7), ""),
        ("7m", Some(7 * 60_000), ""),
        ("7:INT", Some(7000), ":INT"),
        ("7ss", Some(7000), "s"),
        ("7sm", Some(7000), "m"),
        // The most that 32 bits hold, and one more.
        ("4294967295ms", Some(u32::MAX), ""),
        ("4294967296ms", None, "6ms"),
        ("4294967", Some(4_294_967_000), ""),
        ("4294968", None, ""),
        ("71582m", Some(4_294_920_000), ""),
        ("71583m", None, ""),
        ("", None, ""),
        ("ms", None, "ms"),
        ("-1", None, "-1"),
    ];
    for (word, time, rest) in table {
        assert_eq!(read(word), (time, rest.to_owned()), "{word}");
    }
}

// ---- I5, I10: messages ----------------------------------------------------------------------------------------------

/// strerror(3).
fn strerror(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().expect("a first part").to_owned()
}

#[test]
#[cfg_attr(miri, ignore = "Miri has its own words for an errno")]
fn i10_reasons_are_those_of_strerror() {
    use libc::{E2BIG, EACCES, EAGAIN, EINVAL, ELOOP, ENOENT, ENOEXEC, ENOMEM, ENOSYS, ENOTDIR, EPERM, ESRCH, ETXTBSY};
    // Those that the contract names, and those of clone(2).
    let known = [E2BIG, EACCES, EAGAIN, EINVAL, ELOOP, ENOENT, ENOEXEC, ENOMEM, ENOSYS, ENOTDIR, EPERM, ESRCH, ETXTBSY];
    for errno in 1..=200 {
        let text = message(Text::CannotClone, errno, b"");
        let with = |reason: String| format!("init: fatal: cannot clone a process: {reason}\n");
        // Others may be told by their number.
        let number = !known.contains(&errno) && text == with(format!("error {errno}"));
        assert!(number || text == with(strerror(errno)), "{errno}: {text}");
    }
}

#[test]
fn i10_numbers_are_written_in_full() {
    for number in [0, 1, 9, 10, 99, 100, 4_194_304, i32::MAX] {
        assert_eq!(
            bytes(|line| {
                line.number(number);
            }),
            number.to_string().into_bytes()
        );
    }
}

proptest! {
    #[test]
    fn i5_a_message_is_one_line_whatever_is_in_it(word in prop::collection::vec(any::<u8>(), 0..700), errno in 0..200) {
        for text in [Text::CannotExecute, Text::Unknown, Text::Started] {
            let filling = Filling { numbers: [errno, errno, errno], word: &word, option: b"--stop-timeout", value: b"TIME[:SIG,...]" };
            let line = bytes(|line| line.fill(text, &filling));
            prop_assert!(line.starts_with(b"init: "));
            // Room for it in PIPE_BUF, so that one write is never torn.
            prop_assert!(line.len() <= 512);
            let (last, rest) = line.split_last().expect("not empty");
            prop_assert_eq!(*last, b'\n');
            prop_assert!(rest.iter().all(|byte| *byte >= b' ' && *byte != 0x7f), "{}", rest.escape_ascii());
        }
    }

    #[test]
    fn i5_a_short_printable_word_is_shown_as_it_is(word in "[ -~]{0,60}") {
        let expected = format!("init: fatal: '{word}': unknown option\n");
        prop_assert_eq!(message(Text::Unknown, 0, word.as_bytes()), expected);
    }

    #[test]
    fn i5_a_long_word_is_cut_and_says_so(word in "[a-z]{600,5000}") {
        let text = message(Text::Unknown, 0, word.as_bytes());
        let shown = text.strip_prefix("init: fatal: '").and_then(|text| text.strip_suffix("...': unknown option\n"));
        prop_assert!(shown.is_some_and(|shown| shown.len() > 40 && word.starts_with(shown)), "{}", text);
    }
}

#[test]
fn i5_no_message_is_longer_than_one_write_may_be() {
    // The longest options and values, and a word each byte of which takes four.
    for text in text::ALL {
        let filling = Filling {
            numbers: [i32::MAX; 3],
            word: &[1; 2 * CAPACITY],
            option: b"BITTS_STOP_TIMEOUT",
            value: b"TIME[:SIG,...]",
        };
        let length = bytes(|line| line.fill(*text, &filling)).len();
        // PIPE_BUF as POSIX allows it to be.
        assert!(length <= 512, "{text:?}: {length}");
    }
}

#[test]
fn i5_control_characters_are_shown_escaped() {
    for byte in (0..0x20).chain([0x7f]) {
        let text = message(Text::Unknown, 0, &[b'a', byte, b'b']);
        assert_eq!(text, format!("init: fatal: 'a\\x{byte:02x}b': unknown option\n"));
    }
}

#[test]
fn i10_every_message_is_packed_and_unpacked_unchanged() {
    for (index, written) in text::MESSAGES.iter().enumerate() {
        let mut unpacked = Vec::new();
        let text = text::ALL.get(index).expect("as many texts as messages");
        text::unpack(*text, &mut |code| unpacked.push(if code == text::NEWLINE { b'\n' } else { code }));
        assert_eq!(String::from_utf8_lossy(&unpacked), *written);
    }
}

#[test]
fn i10_what_stands_for_something_in_a_message_is_filled_in_order() {
    let filling = Filling { numbers: [199, 9, 345], word: b"wo\trd", option: b"--opt", value: b"VALUE" };
    for (text, written) in text::ALL.iter().zip(text::MESSAGES) {
        let mut numbers = filling.numbers.iter();
        let mut number = || *numbers.next().expect("no message has four numbers");
        let expected: String = written
            .chars()
            .map(|mark| match mark {
                '#' => number().to_string(),
                '$' => line(|line| line.signal(number())),
                '!' | '?' => {
                    let errno = number();
                    let reason = line(|line| line.fill(text::reason(errno).unwrap_or(Text::OtherError), &filling));
                    // What to look at is told of a failed exec only; here no such error is told.
                    assert_eq!(text::reason(errno), None, "an error without a text");
                    format!(": {reason}{errno}")
                }
                '@' => "'wo\\x09rd'".to_owned(),
                '%' => "--opt".to_owned(),
                '&' => "VALUE".to_owned(),
                other => other.to_string(),
            })
            .collect();
        assert_eq!(line(|line| line.fill(*text, &filling)), expected);
    }
}

#[test]
fn i10_what_to_look_at_is_told_of_a_failed_exec_only() {
    for (errno, look_at) in [
        (libc::ENOENT, "No such file or directory; look at: PATH, the file in the image, its interpreter"),
        (libc::ELOOP, "Too many levels of symbolic links; look at: the links, the interpreter"),
        (libc::ENAMETOOLONG, "File name too long"),
        (199, "error 199"),
    ] {
        assert_eq!(message(Text::CannotExecute, errno, b"x"), format!("init: fatal: cannot execute 'x': {look_at}\n"));
        let plain = look_at.split(';').next().expect("a first part");
        assert_eq!(message(Text::CannotClone, errno, b"x"), format!("init: fatal: cannot clone a process: {plain}\n"));
    }
}

#[test]
fn b1_a_string_for_the_kernel_ends_with_its_null_byte_and_within_its_memory() {
    static WITH: &[u8] = b"with\0";
    static WITHOUT: &[u8] = b"without";
    assert_eq!(CString::literal(WITH).address(), WITH.as_ptr());
    // Something else, which has one.
    assert_ne!(CString::literal(WITHOUT).address(), WITHOUT.as_ptr());
    for length in 0..10 {
        let mut memory = [0xff_u8; 6];
        let start = memory.as_ptr();
        let mut line = Line::new(&mut memory);
        line.add(&[b'x'; 10][..length]);
        assert_eq!(line.string().address(), start);
        assert_eq!(line.into_string().address(), start);
        // The last byte is kept for it.
        let kept = length.min(5);
        assert!(memory.iter().take(kept).all(|byte| *byte == b'x') && memory.get(kept) == Some(&0), "{memory:?}");
    }
    assert_eq!(
        bytes(|line| {
            line.add(b"one two");
            line.cut(4);
            line.add(b"2");
        }),
        b"one 2"
    );
}

// ---- I1, I2: the command line ---------------------------------------------------------------------------------------

/// One option in one of its forms: the words.
fn option_words() -> impl Strategy<Value = Vec<String>> {
    (0..OPTIONS.len(), 0..2_usize, 0..5_usize).prop_map(|(option, value, form)| {
        let Promised { letters, long, values } = &OPTIONS[option];
        let value = values[value];
        match form {
            0 => vec![format!("--no-{long}")],
            1 if !letters.is_empty() => vec![format!("-{letters}{value}")],
            2 if !letters.is_empty() && !value.is_empty() => vec![format!("-{letters}"), value.to_owned()],
            3 if !value.is_empty() => vec![format!("--{long}"), value.to_owned()],
            _ if !value.is_empty() => vec![format!("--{long}={value}")],
            _ => vec![format!("--{long}")],
        }
    })
}

/// Arbitrary words as they can come in: no NUL. Often with a dash.
fn any_word() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(1..=255_u8, 0..12);
    let dashed = (
        prop_oneof![Just("-"), Just("--"), Just("--no-"), Just("-e"), Just("-r"), Just("--rewrite="), Just("-p")],
        bytes.clone(),
    )
        .prop_map(|(dash, bytes)| [dash.as_bytes(), &bytes].concat());
    let letters = "-{1,2}[a-zA-Z=,:0-9]{0,8}".prop_map(String::into_bytes);
    prop_oneof![bytes, dashed, letters]
}

proptest! {
    #[test]
    fn i1_no_command_line_makes_the_parser_panic(
        variables in prop::collection::vec(any_word(), 0..3),
        words in prop::collection::vec(any_word(), 0..8),
    ) {
        match parse_with(&variables, &words) {
            Ok(parsed) => prop_assert!(parsed.operands < words.len()),
            Err(why) => prop_assert!(why.starts_with("order ") || why.starts_with("init: ") && why.lines().count() == 1, "{}", why),
        }
    }

    #[test]
    fn i1_no_bitts_variable_makes_the_parser_panic(option in 0..OPTIONS.len(), value in any_word()) {
        let name = OPTIONS[option].variable();
        let variable = [format!("{name}=").as_bytes(), &value].concat();
        if let Err(why) = parse_with(&[variable], &["program"]) {
            // The line names it.
            prop_assert!(why.contains(&name) && why.lines().count() == 1, "{}", why);
        }
    }

    #[test]
    fn i1_no_signal_name_makes_the_parser_panic(word in any_word()) {
        prop_assert!(signal::parse(&word).is_none_or(|number| (1..=64).contains(&number)));
    }

    #[test]
    fn i1_options_end_at_the_first_word_that_is_none(
        options in prop::collection::vec(option_words(), 0..6),
        dashes in any::<bool>(),
        program in "[a-z/.][ -~]{0,8}|-|",
        rest in prop::collection::vec(any_word(), 0..5),
    ) {
        let mut words: Vec<Vec<u8>> = options.concat().into_iter().map(String::into_bytes).collect();
        let only_options = settings(&[words.clone(), vec![b"x".to_vec()]].concat());
        if dashes {
            words.push(b"--".to_vec());
        }
        let first = words.len();
        words.push(program.into_bytes());
        words.extend(rest);
        let parsed = parse_with(&[] as &[&str], &words).expect("all is right");
        prop_assert_eq!(parsed.operands, first);
        prop_assert_eq!(format!("{:?}", parsed.config), only_options);
    }

    #[test]
    fn i1_behind_two_dashes_anything_is_the_program(program in any_word(), rest in prop::collection::vec(any_word(), 0..3)) {
        let words = [vec![b"--".to_vec(), program], rest].concat();
        prop_assert_eq!(parse_with(&[] as &[&str], &words).expect("all is right").operands, 1);
    }

    #[test]
    fn i1_bundled_letters_are_separate_letters(letters in "[gcswv]{1,6}", option in 0..OPTIONS.len(), attached in any::<bool>()) {
        let Promised { letters: last, values: [value, _], .. } = &OPTIONS[option];
        prop_assume!(!last.is_empty());
        let mut separate: Vec<String> = letters.chars().map(|letter| format!("-{letter}")).collect();
        separate.push(format!("-{last}"));
        let mut bundled = vec![format!("-{letters}{last}")];
        if !value.is_empty() {
            separate.push((*value).to_owned());
            if attached { bundled[0] += value } else { bundled.push((*value).to_owned()) }
        }
        for words in [&mut separate, &mut bundled] {
            words.push("x".to_owned());
        }
        prop_assert_eq!(settings(&bundled), settings(&separate));
    }

    #[test]
    fn i2_the_order_of_variables_does_not_matter(order in Just(()).prop_perturb(|(), mut random| random.next_u64())) {
        let mut variables = vec!["BITTS_GROUP=0", "TINI_KILL_PROCESS_GROUP=1", "BITTS_VERBOSE=2", "TINI_VERBOSITY=1", "CATATONIT_DEBUG=", "BITTS_EXPECT=3", "A=b"];
        let straight = settings_with(&variables, &["x"]);
        let length = variables.len();
        (0..length).for_each(|i| variables.swap(i, (order >> (i * 8)) as usize % length));
        prop_assert_eq!(settings_with(&variables, &["x"]), straight);
    }
}

#[test]
fn i1_every_form_of_an_option_means_the_same() {
    let none = settings(&["x"]);
    for option in OPTIONS {
        let Promised { letters: letter, long, values } = &option;
        if !option.has_value() {
            let expected = settings(&[&format!("--{long}"), "x"]);
            assert_ne!(expected, none, "--{long} changes nothing");
            if !letter.is_empty() {
                assert_eq!(settings(&[&format!("-{letter}"), "x"]), expected, "-{letter}");
            }
            assert_eq!(settings_with(&[option.variable() + "=1"], &["x"]), expected, "{long}");
            continue;
        }
        let [one, other] = values.map(|value| {
            let expected = settings(&[&format!("--{long}={value}"), "x"]);
            assert_ne!(expected, none, "--{long}={value} changes nothing");
            assert_eq!(settings(&[&format!("--{long}"), value, "x"]), expected, "--{long} {value}");
            if !letter.is_empty() {
                assert_eq!(settings(&[&format!("-{letter}{value}"), "x"]), expected, "-{letter}{value}");
                assert_eq!(settings(&[&format!("-{letter}"), value, "x"]), expected, "-{letter} {value}");
            }
            assert_eq!(settings_with(&[format!("{}={value}", option.variable())], &["x"]), expected, "{long}");
            expected
        });
        assert_ne!(one, other, "--{long}: the value does not matter");
    }
}

#[test]
fn i1_no_x_undoes_x() {
    let none = settings(&["x"]);
    for option in OPTIONS.iter().step_by(STRIDE) {
        let (variable, long) = (option.variable(), option.long);
        let on = if option.has_value() { format!("--{long}={}", option.on()) } else { format!("--{long}") };
        let off = format!("--no-{long}");
        assert_eq!(settings(&[&on, &off, "x"]), none, "{on} {off}");
        assert_eq!(settings(&[&off, "x"]), none, "{off}");
        assert_eq!(settings(&[&off, &on, "x"]), settings(&[&on, "x"]), "{off} {on}");
        assert_eq!(settings_with(&[format!("{variable}={}", option.on())], &[&off, "x"]), none, "{variable} {off}");
        // Empty is off, and for a flag 0.
        assert_eq!(settings_with(&[format!("{variable}=")], &["x"]), none, "{variable}=");
        if !option.has_value() {
            assert_eq!(settings_with(&[format!("{variable}=0")], &["x"]), none, "{variable}=0");
        }
        for value in ["=1", "=", "=0"] {
            assert!(parse_with(&[] as &[&str], &[&format!("{off}{value}"), "x"]).is_err(), "{off}{value}");
        }
    }
}

#[test]
fn i5_the_line_names_the_option_the_culprit_and_what_was_wanted() {
    let of = |variables: &[&str], words: &[&str]| parse_with(variables, words).err().unwrap_or_default();
    for (words, line) in [
        (&[] as &[&str], "PROGRAM is missing"),
        (&["-g"], "PROGRAM is missing"),
        (&["--"], "PROGRAM is missing"),
        (&["--foo=1", "x"], "'--foo=1': unknown option"),
        (&["-gX", "x"], "'-gX': unknown option"),
        (&["--expect=256", "x"], "--expect: '256' is no valid CODE"),
        (&["-e", "x"], "--expect: 'x' is no valid CODE"),
        (&["-e"], "--expect: '-e' lacks its CODE"),
        (&["-ge"], "--expect: '-ge' lacks its CODE"),
        (&["--rewrite"], "--rewrite: '--rewrite' lacks its S:R"),
        (&["--rewrite=1", "x"], "--rewrite: '1' is no valid S:R"),
        (&["-t", "x", "x"], "--grace: 'x' is no valid TIME"),
        (&["--stop-timeout=1:", "x"], "--stop-timeout: '1:' is no valid TIME[:SIG,...]"),
        (&["-pFOO", "x"], "--parent-death: 'FOO' is no valid SIG"),
        (&["--group=1", "x"], "--group: '1': no value wanted"),
        (&["--no-expect=1", "x"], "--expect: '1': no value wanted"),
    ] {
        assert_eq!(of(&[], words), format!("init: fatal: {line}\n"), "{words:?}");
    }
    for (variable, line) in [
        ("BITTS_GROUP=2", "BITTS_GROUP: '2' is no valid number"),
        ("BITTS_VERBOSE=256", "BITTS_VERBOSE: '256' is no valid number"),
        ("BITTS_EXPECT=1,,2", "BITTS_EXPECT: '1,,2' is no valid CODE"),
        ("BITTS_STOP_TIMEOUT=1:2:3", "BITTS_STOP_TIMEOUT: '1:2:3' is no valid TIME[:SIG,...]"),
    ] {
        assert_eq!(of(&[variable], &["x"]), format!("init: fatal: {line}\n"), "{variable}");
        // What is wrong with the command line comes before.
        assert_eq!(of(&[variable], &["--foo"]), "init: fatal: '--foo': unknown option\n", "{variable}");
    }
}

#[test]
fn i2_a_variable_of_a_flag_is_0_or_1_or_empty_and_nothing_else() {
    for option in OPTIONS.iter().filter(|option| !option.has_value() && option.long != "verbose") {
        for value in ["01", "00", "10", "11", "2", "-1", "+1", " 1", "1 ", "1,1", "yes"] {
            let why = parse_with(&[format!("{}={value}", option.variable())], &["x"]).err().unwrap_or_default();
            assert!(why.contains(&option.variable()) && why.contains(value), "{}={value}: {why}", option.variable());
        }
    }
}

#[test]
fn i2_of_group_and_single_child_the_last_one_counts() {
    let [group, single] = ["-g", "-c"].map(|word| settings(&[word, "x"]));
    assert_ne!(group, single);
    for (words, expected) in [
        (&["-c", "-g", "x"] as &[&str], &group),
        (&["-g", "-c", "x"], &single),
        (&["-g", "-c", "-g", "x"], &group),
        // What is turned off does not contradict.
        (&["-c", "--no-group", "x"], &single),
        (&["-g", "--no-single-child", "x"], &group),
    ] {
        assert_eq!(&settings(words), expected, "{words:?}");
    }
    assert_eq!(&settings_with(&["BITTS_GROUP=1"], &["-c", "x"]), &single);
    assert_eq!(&settings_with(&["DUMB_INIT_SETSID=0"], &["-g", "x"]), &group);
}

#[test]
fn i2_orders_end_the_reading() {
    for (letters, long) in ORDERS {
        // None has a variable: such a name is not ours to judge.
        let variable = format!("BITTS_{}", long.to_uppercase());
        for value in ["1", "", "banana"] {
            assert_eq!(settings_with(&[format!("{variable}={value}")], &["x"]), settings(&["x"]), "{variable}={value}");
        }
        let forms = letters.chars().map(|letter| format!("-{letter}")).chain([format!("--{long}")]);
        let told: Vec<_> = forms
            .map(|form| {
                let of = |words: &[&str]| parse_with(&[] as &[&str], words).err().unwrap_or_default();
                let told = of(&[&form]);
                assert!(told.starts_with("order "), "{form}: {told}");
                assert_eq!(of(&["-g", &form, "--no-such-option"]), told, "{form}");
                assert_eq!(of(&[&form, "x"]), told, "{form}");
                // Behind the program's name it is the program's.
                assert_eq!(of(&["x", &form]), "", "{form}");
                assert_eq!(of(&["--", &form]), "", "{form}");
                told
            })
            .collect();
        assert!(told.iter().all(|other| *other == told[0]), "{told:?}");
        for word in [format!("--no-{long}"), format!("--{long}=1")] {
            let why = parse_with(&[] as &[&str], &[&word, "x"]).err().unwrap_or_default();
            assert!(why.starts_with("init: "), "{word}: {why}");
        }
    }
}

#[test]
fn i2_command_line_over_own_variables_over_the_peers() {
    let is_on = |variables: &[&str], words: &[&str], id| {
        parse_with(variables, words).unwrap_or_else(|why| panic!("{why}")).config.is_on(id)
    };
    for (peer, own, flag, id) in [
        ("TINI_KILL_PROCESS_GROUP", "BITTS_GROUP", "group", Id::Group),
        ("DUMB_INIT_SETSID", "BITTS_SINGLE_CHILD", "single-child", Id::SingleChild),
        ("TINI_SUBREAPER", "BITTS_SUBREAPER", "subreaper", Id::Subreaper),
        ("CATATONIT_DEBUG", "BITTS_VERBOSE", "verbose", Id::Verbose),
        ("DUMB_INIT_DEBUG", "BITTS_VERBOSE", "verbose", Id::Verbose),
        ("TINI_VERBOSITY", "BITTS_VERBOSE", "verbose", Id::Verbose),
    ] {
        let peer = &format!(
            "{peer}={}",
            match peer {
                "DUMB_INIT_SETSID" => "0",
                "DUMB_INIT_DEBUG" => "1",
                _ => "3",
            }
        );
        let [own_on, own_off] = [1, 0].map(|on| format!("{own}={on}"));
        let [on, off] = [format!("--{flag}"), format!("--no-{flag}")];
        assert!(is_on(&[peer], &["x"], id), "{peer}");
        assert!(!is_on(&[peer, &own_off], &["x"], id), "{peer} {own_off}");
        assert!(!is_on(&[peer, &own_on], &[&off, "x"], id), "{peer} {own_on} {off}");
        assert!(!is_on(&[peer], &[&off, "x"], id), "{peer} {off}");
        assert!(is_on(&[&own_off], &[&on, "x"], id), "{own_off} {on}");
    }
    // Presence is enough for tini's and catatonit's flags, an empty value too.
    for (variable, id) in
        [("TINI_KILL_PROCESS_GROUP=", Id::Group), ("TINI_SUBREAPER=", Id::Subreaper), ("CATATONIT_DEBUG=", Id::Verbose)]
    {
        assert!(is_on(&[variable], &["x"], id), "{variable}");
    }
    // What the peers read as off, or not at all.
    for (variable, id) in [
        ("DUMB_INIT_SETSID=1", Id::SingleChild),
        ("DUMB_INIT_SETSID=", Id::SingleChild),
        ("DUMB_INIT_DEBUG=0", Id::Verbose),
        ("TINI_VERBOSITY=banana", Id::Verbose),
        ("TINI_VERBOSITY=0", Id::Verbose),
        ("TINI_KILL_PROCESS_GROUPX=1", Id::Group),
        ("XBITTS_GROUP=1", Id::Group),
        ("BITTS_group=1", Id::Group),
    ] {
        assert!(!is_on(&[variable], &["x"], id), "{variable}");
    }
    // Repeated -e and -r add to the variable's, and win for the same S.
    let variables = ["BITTS_EXPECT=143,130", "BITTS_REWRITE=1:2,10:12"];
    let config =
        parse_with(&variables, &["-e3", "-r1:15", "-r", "1:9", "x"]).unwrap_or_else(|why| panic!("{why}")).config;
    assert!([143, 130, 3].iter().all(|code| end(&config, code << 8) == Some(0)));
    assert_eq!(end(&config, 4 << 8), Some(4));
    let sent = |number| fate(&config, true, number, libc::SI_USER, false);
    assert_eq!(sent(1), Fate::Forward { number: 9, resume: false }, "the last of equal S");
    assert_eq!(sent(10), Fate::Forward { number: 12, resume: false });
    assert_eq!(settings_with(&["BITTS_PARENT_DEATH=HUP"], &["-pTERM", "x"]), settings(&["-pTERM", "x"]));
}

// ---- I12, I15, I16: what a signal means -----------------------------------------------------------------------------

/// Where signals come from (sigaction(2)): a plain kill, the kernel, sigqueue, tkill, a timer, and a number not known.
const CODES: [i32; 8] = [
    libc::SI_USER,
    libc::SI_KERNEL,
    libc::SI_QUEUE,
    libc::SI_TKILL,
    libc::SI_TIMER,
    libc::SI_ASYNCIO,
    libc::SI_SIGIO,
    -60,
];

#[test]
fn i12_every_signal_of_every_origin_is_forwarded_but_for_the_named_ones() {
    let config = parse(&["x"]);
    for own_group in [true, false] {
        for own in [true, false] {
            for code in CODES {
                for number in sys::catchable() {
                    let of_own_write = own && [libc::SIGPIPE, libc::SIGXFSZ].contains(&number);
                    // The child is in the group that the terminal or the kernel sent it to; what else the kernel sends to
                    // init alone is left open here.
                    let shared = !own_group && code == libc::SI_KERNEL;
                    let from_terminal =
                        [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGWINCH].contains(&number);
                    let is_chld = number == libc::SIGCHLD;
                    if shared && !from_terminal && !of_own_write && !is_chld {
                        continue;
                    }
                    let expected = if is_chld {
                        Fate::Reap
                    } else if of_own_write || shared {
                        Fate::Drop
                    } else {
                        let resume = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT].contains(&number);
                        Fate::Forward { number, resume }
                    };
                    assert_eq!(
                        fate(&config, own_group, number, code, own),
                        expected,
                        "{number} {code} {own} {own_group}"
                    );
                }
            }
        }
    }
}

#[test]
fn i16_what_the_terminal_sends_is_dropped_in_exactly_the_groups_that_have_it_already() {
    // termios(3), tty_ioctl(4): keys, a change of size, a stop for reading or writing in the background.
    let keys = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGWINCH];
    // A hang-up goes to the session's leader alone at first (drivers/tty/tty_jobctrl.c, `tty_signal_session_leader`).
    let hang_up = [libc::SIGHUP, libc::SIGCONT];
    let config = parse(&["x"]);
    for (own_group, leads_session) in [(true, true), (true, false), (false, true), (false, false)] {
        for number in sys::catchable().filter(|number| *number != libc::SIGCHLD) {
            let has_it = !own_group && (keys.contains(&number) || !leads_session && hang_up.contains(&number));
            let mut supervisor = Supervisor::new(&config, 7, own_group, leads_session, false);
            let decision = supervisor.signal(Received { number, code: libc::SI_KERNEL, own: false });
            let expected = if has_it { Decision::DropAsShared } else { Decision::Forward };
            assert_eq!(decision, expected, "{number}, {own_group}, {leads_session}");
            // Nothing is shared with a child that has ended.
            assert!(supervisor.reaped(7, 0));
            let decision = supervisor.signal(Received { number, code: libc::SI_KERNEL, own: false });
            let stops = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT].contains(&number);
            let expected = if stops { Decision::Teardown } else { Decision::ToAll };
            assert_eq!(decision, expected, "{number}, {own_group}, {leads_session}, behind the end");
        }
    }
}

#[test]
fn i4_i12_what_init_raises_in_itself_is_dropped_and_nothing_else() {
    let config = parse(&["x"]);
    for session in [true, false] {
        for number in sys::catchable().filter(|number| *number != libc::SIGCHLD) {
            // A write to a broken stderr (pipe(7), setrlimit(2)); and for a session of the child's own the terminal is given up,
            // for which the kernel sends these two in init's name (`disassociate_ctty`).
            let raised = [libc::SIGPIPE, libc::SIGXFSZ].contains(&number)
                || session && [libc::SIGHUP, libc::SIGCONT].contains(&number);
            for own in [true, false] {
                let mut supervisor = Supervisor::new(&config, 7, true, false, session);
                let decision = supervisor.signal(Received { number, code: libc::SI_USER, own });
                let expected = if own && raised { Decision::DropOwn } else { Decision::Forward };
                assert_eq!(decision, expected, "{number}, session: {session}, own: {own}");
            }
        }
    }
}

#[test]
fn i2_caught_only_asks_about_exactly_the_deadly_signals() {
    // signal(7), "Standard signals": all others end a process that does nothing about them.
    let harmless =
        [libc::SIGCONT, libc::SIGURG, libc::SIGWINCH, libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    let config = parse(&["--caught-only", "x"]);
    let without = parse(&["x"]);
    for number in sys::catchable().filter(|number| *number != libc::SIGCHLD) {
        let asks = |config| {
            let mut supervisor = Supervisor::new(config, 7, true, false, false);
            let _ = supervisor.signal(Received { number, code: libc::SI_USER, own: false });
            supervisor.only_if_caught()
        };
        let stops = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT].contains(&number);
        assert_eq!(asks(&config), !stops && !harmless.contains(&number), "{number}");
        assert!(!asks(&without), "{number}");
    }
    // A rule to KILL or STOP is the user's will.
    for to in ["KILL", "STOP", "CHLD"] {
        let config = parse(&["--caught-only", "-r", &format!("HUP:{to}"), "x"]);
        let mut supervisor = Supervisor::new(&config, 7, true, false, false);
        let _ = supervisor.signal(Received { number: libc::SIGHUP, code: libc::SI_USER, own: false });
        assert!(!supervisor.only_if_caught(), "{to}");
    }
}

#[test]
fn i12_while_a_real_time_signal_waits_only_what_becomes_none_may_overtake_it() {
    let never = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD];
    for (rule, moved, to) in [("1:1", 1, 1), ("1:0", 1, 0), ("1:40", 1, 40), ("40:1", 40, 1), ("CHLD:40", 17, 40)] {
        let set = parse(&["-r", rule, "x"]).rewrites.to_standard();
        for number in 1..=64 {
            let sent = if number == moved { to } else { number };
            // The kernel's real-time signals begin at 32 (signal(7)).
            let expected = never.contains(&number) || sent < 32;
            assert_eq!(set >> (number - 1) & 1 == 1, expected, "{rule}, {number}");
        }
    }
}

#[test]
fn i2_the_clock_starts_with_exactly_the_signals_that_were_named() {
    for (words, starts) in [
        (&["--stop-timeout=1", "x"] as &[&str], &[libc::SIGTERM] as &[i32]),
        (&["--stop-timeout=1:INT,40", "x"], &[libc::SIGINT, 40]),
        (&["--stop-timeout=1:INT", "--no-stop-timeout", "--stop-timeout=1", "x"], &[libc::SIGTERM]),
        (&["--stop-timeout=1:INT", "--stop-timeout=1:HUP", "x"], &[libc::SIGHUP]),
        (&["--stop-timeout=1:INT", "--no-stop-timeout", "x"], &[]),
        // Judged after the rewrite.
        (&["--stop-timeout=1:INT", "-r", "INT:HUP", "-r", "HUP:INT", "x"], &[libc::SIGHUP]),
        (&["x"], &[]),
    ] {
        let config = parse(words);
        for number in sys::catchable().filter(|number| *number != libc::SIGCHLD) {
            let mut supervisor = Supervisor::new(&config, 7, true, false, false);
            let _ = supervisor.signal(Received { number, code: libc::SI_USER, own: false });
            assert_eq!(supervisor.starts_clock(), starts.contains(&number), "{words:?}, {number}");
        }
    }
}

#[test]
fn i14_each_phase_of_the_end_asks_waits_or_looks_as_it_should() {
    // For each: what comes of the child's end, and of the teardown; the second is without a child of init's left.
    for (words, first, asked) in [
        (&["x"] as &[&str], [Drained::End; 2], None),
        (&["-t1", "x"], [Drained::Ask; 2], Some([Drained::Look; 2])),
        (&["--wait-all", "x"], [Drained::Stay, Drained::End], Some([Drained::Stay, Drained::End])),
        (&["--wait-all", "-t1", "x"], [Drained::Stay, Drained::End], Some([Drained::Look; 2])),
    ] {
        let config = parse(words);
        for childless in [false, true] {
            let of = |both: [Drained; 2]| both[usize::from(childless)];
            let mut supervisor = Supervisor::new(&config, 7, true, false, false);
            assert_eq!(supervisor.drained(childless), Drained::Alive, "{words:?}");
            assert!(supervisor.reaped(7, 0));
            let told = supervisor.drained(childless);
            assert_eq!(told, of(first), "{words:?} {childless}");
            let Some(asked) = asked else { continue };
            // With --wait-all a stop request begins the teardown, with a grace alone the end does.
            if told != Drained::Ask {
                assert_eq!(supervisor.advance(false), Step::Ask, "{words:?}");
            }
            assert_eq!(supervisor.drained(childless), of(asked), "{words:?} {childless}");
            assert!(!supervisor.is_killing());
            assert_eq!(supervisor.advance(true), Step::Kill, "{words:?}");
            assert!(supervisor.is_killing());
            assert_eq!(supervisor.drained(childless), Drained::Look, "{words:?} {childless}");
            assert_eq!((supervisor.advance(false), supervisor.advance(true)), (Step::Stay, Step::GiveUp), "{words:?}");
        }
    }
}

#[test]
fn i19_a_death_is_explained_by_what_was_received_forwarded_or_sent() {
    let config = parse(&["--stop-timeout=1", "-r", "USR1:40", "x"]);
    for death in 1..=64 {
        let mut supervisor = Supervisor::new(&config, 7, true, false, false);
        assert!(supervisor.is_unexplained(death) && supervisor.is_unexplained(death | 0x80), "{death}");
        assert!(!supervisor.is_unexplained(death << 8), "an exit is no death by a signal");
        let _ = supervisor.signal(Received { number: libc::SIGUSR1, code: libc::SI_USER, own: false });
        assert_eq!(supervisor.is_unexplained(death), ![libc::SIGUSR1, 40].contains(&death), "{death}");
        let _ = supervisor.advance(true);
        assert_eq!(supervisor.is_unexplained(death), ![libc::SIGUSR1, 40, libc::SIGKILL].contains(&death), "{death}");
    }
}

#[test]
fn i2_rewrites_of_every_signal_to_every_other() {
    for from in (1..=64).step_by(STRIDE) {
        for to in (0..=64).step_by(STRIDE) {
            let config = parse(&["-r", &format!("{from}:{to}"), "x"]);
            for number in sys::catchable() {
                let sent = if number == from { to } else { number };
                let expected = match (number, sent) {
                    // Accepted, without effect: it is how init learns of dead children.
                    (libc::SIGCHLD, _) => Fate::Reap,
                    (_, 0) => Fate::Drop,
                    // I15 looks at what is sent, not at what came.
                    _ => Fate::Forward {
                        number: sent,
                        resume: [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT].contains(&sent),
                    },
                };
                assert_eq!(fate(&config, true, number, libc::SI_USER, false), expected, "{from}:{to}, {number}");
            }
        }
    }
}

#[test]
fn i2_rewrites_do_not_chain() {
    let config = parse(&["-r", "1:2", "-r2:3", "-r3:1", "-r4:0", "-r5:4", "x"]);
    let sent = |number| fate(&config, true, number, libc::SI_USER, false);
    for (number, to) in [(1, 2), (2, 3), (3, 1), (5, 4)] {
        assert!(matches!(sent(number), Fate::Forward { number, .. } if number == to), "{number}");
    }
    assert_eq!(sent(4), Fate::Drop);
}

// ---- I9: how a program is found -------------------------------------------------------------------------------------

#[test]
fn i9_what_is_a_script_for_the_shell() {
    let table: [(&[u8], bool); 13] = [
        (b"", true),
        (b"\n", true),
        (b"echo x\n", true),
        (b"echo x", true),
        (b"\xff\xfe text\n", true),
        (b"exit 0\n\0\0\0binary", true),
        (b"\x7fEL", true),
        (b"\x7f\nELF", true),
        (b"\x7fELF", false),
        (b"\x7fELF\x02\x01\n", false),
        (b"\x7fELF\nno NUL\n", false),
        (b"\0", false),
        (b"abc\0def\n", false),
    ];
    for (head, expected) in table {
        assert_eq!(program::is_script(head), expected, "{}", head.escape_ascii());
    }
}

#[test]
fn i9_the_search_goes_on_after_exactly_the_errors_of_one_folder() {
    // Of execvp(3): what says that the file is not in this folder, or not for us. (glibc's and musl's lists together.)
    let of_a_folder =
        [libc::EACCES, libc::ENOENT, libc::ENOTDIR, libc::ENAMETOOLONG, libc::ESTALE, libc::ENODEV, libc::ETIMEDOUT];
    for errno in 0..=200 {
        assert_eq!(program::search_goes_on(errno), of_a_folder.contains(&errno), "{errno}");
    }
}

#[test]
fn i9_a_path_that_is_too_long_for_the_kernel_is_not_cut_to_one_that_is_not() {
    let mut memory = [0; program::PATH_ROOM];
    let mut line = Line::new(&mut memory);
    line.add(&[b'x'; 2 * libc::PATH_MAX as usize]);
    // PATH_MAX counts the null byte.
    assert!(line.bytes().len() >= libc::PATH_MAX as usize);
}

#[test]
fn i4_i10_the_status_of_a_failed_exec_by_name_and_error() {
    let names: [(&[u8], Persona); 12] = [
        (b"init", Persona::Init),
        (b"/usr/bin/tini", Persona::Init),
        (b"", Persona::Init),
        (b"/", Persona::Init),
        (b"dumb-init/", Persona::Init),
        (b"xdumb-init", Persona::Init),
        (b"Catatonit", Persona::Init),
        (b"dumb-init", Persona::DumbInit),
        (b"/a/b/dumb-init", Persona::DumbInit),
        (b"./catatonit", Persona::Catatonit),
        (b"catatonit", Persona::Catatonit),
        (b"/podman-init", Persona::Catatonit),
    ];
    for (name, persona) in names {
        assert_eq!(Persona::of(name), persona, "{}", name.escape_ascii());
        for errno in 1..=200 {
            let expected = match persona {
                Persona::Init if errno == libc::ENOENT => 127,
                Persona::Init => 126,
                Persona::DumbInit => 2,
                Persona::Catatonit => 1,
            };
            assert_eq!(persona.exec_failure(errno), expected, "{persona:?}, {errno}");
        }
    }
}

#[test]
fn i4_only_as_dumb_init_the_child_has_a_session_and_stops_are_stops() {
    for persona in [Persona::Init, Persona::DumbInit, Persona::Catatonit] {
        for words in [&["x"] as &[&str], &["-c", "x"], &["-r", "TSTP:CONT", "-r", "TTIN:0", "x"]] {
            let mut config = Config::new(persona);
            let _ = config.command_line(lasting(words).into_iter());
            let expected = persona == Persona::DumbInit && words[0] != "-c";
            assert_eq!(config.new_session(), expected, "{persona:?} {words:?}");
            assert_eq!(config.is_on(Id::Group), expected, "{persona:?} {words:?}");
            let with_rules = words[0] == "-r";
            for number in 1..=64 {
                let to = match number {
                    libc::SIGTSTP if with_rules => libc::SIGCONT,
                    libc::SIGTTIN if with_rules => 0,
                    libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU if expected => libc::SIGSTOP,
                    _ => number,
                };
                assert_eq!(config.rewrites.apply(number), to, "{persona:?} {words:?} {number}");
            }
        }
    }
}

#[test]
fn i2_how_much_is_said_by_words_and_variables() {
    for (variables, words, level) in [
        (&[] as &[&str], &["x"] as &[&str], 0),
        (&[], &["-v", "x"], 1),
        (&[], &["-vv", "-v", "x"], 3),
        (&[], &["-vv", "--no-verbose", "-v", "x"], 1),
        (&["BITTS_VERBOSE=3"], &["x"], 3),
        (&["BITTS_VERBOSE=255"], &["x"], 255),
        // The first word wins over the variable, the next ones add to it.
        (&["BITTS_VERBOSE=3"], &["-v", "x"], 1),
        (&["BITTS_VERBOSE=3"], &["-v", "--verbose", "x"], 2),
        (&["DUMB_INIT_DEBUG=1"], &["x"], 1),
        (&["CATATONIT_DEBUG=no"], &["x"], 1),
        // tini's warnings are its 1.
        (&["TINI_VERBOSITY=0"], &["x"], 0),
        (&["TINI_VERBOSITY=1"], &["x"], 0),
        (&["TINI_VERBOSITY=2"], &["x"], 1),
        (&["TINI_VERBOSITY=3"], &["x"], 2),
        (&["TINI_VERBOSITY=3", "BITTS_VERBOSE=0"], &["x"], 0),
    ] {
        let config = parse_with(variables, words).unwrap_or_else(|why| panic!("{why}")).config;
        assert_eq!(config.value(Id::Verbose), level, "{variables:?} {words:?}");
    }
}

#[test]
fn i9_path_without_a_variable() {
    assert_eq!(program::DEFAULT_PATH, b"/usr/local/bin:/bin:/usr/bin");
}
