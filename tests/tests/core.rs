//! What `init` decides, apart from what it does: command line, signal names, exit statuses, messages, single decisions. All of
//! it against the contract or against libc, exhaustively where that is possible. Nothing is started.

use init_core::cli::{self, Config, Persona, Request};
use init_core::line::Line;
use init_core::messages::{self, Message};
use init_core::program;
use init_core::signal;
use init_core::status;
use proptest::prelude::*;

#[path = "core/decisions.rs"]
mod decisions;
#[path = "core/messages.rs"]
mod every_message;

use decisions::end;

/// Of what is many and alike every one is tried; under Miri, which is a thousand times slower, some.
const STRIDE: usize = if cfg!(miri) { 8 } else { 1 };

// ---- The few places that know the core's types ----------------------------------------------------------------------

/// What a command line was understood as.
#[derive(Debug)]
struct Parsed {
    config: Config,
    /// How many words are options.
    operands: usize,
}

/// Parses a command line on top of some variables, as this name does. An action, or what is wrong, is the error.
fn parse_as<V: AsRef<[u8]>, W: AsRef<[u8]>>(name: &str, variables: &[V], words: &[W]) -> Result<Parsed, String> {
    match cli::read(name.as_bytes(), variables.iter().map(AsRef::as_ref), words.iter().map(AsRef::as_ref)) {
        Ok(Request::Run(config, operands)) => Ok(Parsed { config, operands }),
        Ok(Request::Act(action, _)) => Err(format!("action {action:?}")),
        Err(error) => Err(text(&error.line())),
    }
}

/// As [`parse_as`], as `init`.
fn parse_with<V: AsRef<[u8]>, W: AsRef<[u8]>>(variables: &[V], words: &[W]) -> Result<Parsed, String> {
    parse_as("init", variables, words)
}

/// As [`parse_with`], without variables.
fn parse_words<W: AsRef<[u8]>>(words: &[W]) -> Result<Parsed, String> {
    parse_with(&[] as &[&str], words)
}

/// The same for words that are right.
fn parse<W: AsRef<[u8]>>(words: &[W]) -> Config {
    parse_words(words).unwrap_or_else(|why| panic!("{why}")).config
}

/// As [`parse`], on top of variables.
fn settings_with<V: AsRef<[u8]>, W: AsRef<[u8]>>(variables: &[V], words: &[W]) -> Config {
    parse_with(variables, words).unwrap_or_else(|why| panic!("{why}")).config
}

/// A line as text.
fn text<const ROOM: usize>(line: &Line<ROOM>) -> String {
    String::from_utf8_lossy(line.bytes()).into_owned()
}

/// A message.
fn message(message: Message) -> String {
    text(&messages::line(message))
}

/// The flags and counts that are on, by their long names.
fn is_on(config: &Config, flag: &str) -> bool {
    match flag {
        "group" => config.is_on(Opt::Group),
        "single-child" => config.is_on(Opt::SingleChild),
        "subreaper" => config.is_on(Opt::Subreaper),
        "verbose" => config.is_on(Opt::Verbose),
        _ => panic!("{flag}"),
    }
}

/// How a signal is shown.
fn shown(signal: i32) -> String {
    text(Line::<64>::new().signal(signal))
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

/// What else there is to do than to run a program.
const ACTIONS: [(&str, &str); 4] = [("P", "pause"), ("lL", "license"), ("h", "help"), ("V", "version")];

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
        assert_eq!(shown(number), format!("{number} (SIG{name})"));
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
        let text = shown(number);
        assert!(text == number.to_string() || text.starts_with(&format!("{number} (SIG")), "{text}");
        match text.split_once('(') {
            Some((_, name)) => assert_eq!(signal::parse(name.trim_end_matches(')').as_bytes()), Some(number), "{text}"),
            // The C library's own have no name.
            None => assert!((32..=33).contains(&number), "{text}"),
        }
    }
    for (number, text) in [(9, "9 (SIGKILL)"), (33, "33"), (34, "34 (SIGRTMIN)"), (40, "40 (SIGRTMIN+6)")] {
        assert_eq!(shown(number), text);
    }
}

#[test]
fn i2_times_are_milliseconds_and_end_where_the_number_does() {
    for (word, time) in [
        ("0", Some(0)),
        ("7", Some(7000)),
        ("7s", Some(7000)),
        ("7ms", Some(7)),
        ("7m", Some(7 * 60_000)),
        ("007", Some(7000)),
        // The most that 32 bits hold, and one more.
        ("4294967295ms", Some(u32::MAX)),
        ("4294967296ms", None),
        ("4294967", Some(4_294_967_000)),
        ("4294968", None),
        ("71582m", Some(4_294_920_000)),
        ("71583m", None),
        ("", None),
        ("ms", None),
        ("s", None),
        ("-1", None),
        ("+1", None),
        (" 1", None),
        ("1 ", None),
        ("1.5", None),
        ("7ss", None),
        ("7sm", None),
        ("7mm", None),
        ("7h", None),
        ("7M", None),
        ("7,8", None),
    ] {
        let grace = parse_words(&["-t", word, "x"]).ok().map(|parsed| parsed.config.grace.0);
        assert_eq!(grace, time, "{word}");
        for value in [word.to_owned(), format!("{word}:INT")] {
            let limit = parse_words(&["--stop-timeout", &value, "x"]).ok().map(|parsed| parsed.config.stop_timeout.0);
            assert_eq!(limit, time, "{value}");
        }
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
    for errno in 1..=200 {
        let expected = match strerror(errno) {
            unknown if unknown.starts_with("Unknown error") => format!("error {errno}"),
            known => known,
        };
        assert_eq!(message(Message::cannot_fork(errno)), format!("init: fatal: cannot fork: {expected}\n"));
    }
}

#[test]
fn i10_numbers_are_written_in_full() {
    for number in [0, 1, 9, 10, 99, 100, 4_194_304, i32::MAX] {
        assert_eq!(text(Line::<16>::new().number(number)), number.to_string());
    }
}

/// A word that is no option.
fn unknown(word: &[u8]) -> String {
    parse_words(&[[b"--?", word].concat()]).expect_err("no such option")
}

/// May this be one write, which no other comes between on any system (PIPE_BUF), and does a terminal do no more than show it?
fn is_one_line(line: &[u8]) -> bool {
    let Some((b'\n', text)) = line.split_last() else { return false };
    line.len() <= 512 && text.starts_with(b"init: ") && text.iter().all(|byte| (b' '..0x7f).contains(byte))
}

proptest! {
    #[test]
    fn i5_a_message_is_one_line_whatever_is_in_it(word in prop::collection::vec(any::<u8>(), 0..700), errno in 0..200) {
        let lines = [messages::cannot_execute(&word, errno), messages::started(errno, &word)].map(|line| text(&line));
        for line in lines.iter().chain([&unknown(&word)]) {
            prop_assert!(is_one_line(line.as_bytes()), "{}", line);
        }
    }

    #[test]
    fn i5_a_short_printable_word_is_shown_as_it_is(word in "[ -~]{0,60}") {
        prop_assert_eq!(unknown(word.as_bytes()), format!("init: fatal: unknown option '--?{word}'\n"));
    }

    #[test]
    fn i5_a_long_word_is_cut_and_says_so(word in "[a-z]{600,5000}") {
        let text = unknown(word.as_bytes());
        let shown = text.strip_prefix("init: fatal: unknown option '--?").and_then(|text| text.strip_suffix("...'\n"));
        prop_assert!(shown.is_some_and(|shown| shown.len() > 40 && word.starts_with(shown)), "{}", text);
    }
}

#[test]
fn i5_no_message_is_longer_than_one_write_may_be() {
    // A word each byte of which takes four, and of every error the longest wording.
    let long = [1; 2000];
    let errno = (1..200).max_by_key(|errno| init_core::errors::wording(*errno).len()).expect("an error");
    let values = every_message::Values { pid: i32::MAX, signal: 63, errno, status: 255, out_of_memory: u32::MAX };
    let mut lines: Vec<_> = every_message::all(values).into_iter().map(message).collect();
    lines.extend((1..200).map(|errno| text(&messages::cannot_execute(&long, errno))));
    lines.push(text(&messages::started(i32::MAX, &long)));
    lines.push(unknown(&long));
    for option in &OPTIONS {
        let long_option = [format!("--{}=", option.long).as_bytes(), &long].concat();
        let variable = [option.variable().as_bytes(), b"=", &long].concat();
        lines.push(parse_words(&[long_option.as_slice(), b"x"]).expect_err("a wrong value"));
        lines.push(parse_with(&[variable], &["x"]).expect_err("a wrong variable"));
        let bundled = [b"-".as_slice(), &[b'v'; 2000], option.letters.as_bytes()].concat();
        lines.push(parse_words(&[bundled]).expect_err("no value, or no program"));
    }
    for line in lines {
        assert!(is_one_line(line.as_bytes()), "{} bytes: {line}", line.len());
    }
}

#[test]
fn i5_control_characters_are_shown_escaped() {
    for byte in (0..0x20).chain(0x7f..=0xff_u8) {
        assert_eq!(unknown(&[b'a', byte, b'b']), format!("init: fatal: unknown option '--?a\\x{byte:02x}b'\n"));
    }
}

#[test]
fn i10_what_to_look_at_is_told_of_a_failed_exec_only() {
    for (errno, reason, look_at) in [
        (libc::ENOENT, "No such file or directory", "; check PATH, the file in the image, its interpreter"),
        (libc::ELOOP, "Too many levels of symbolic links", "; check the links, the interpreter"),
        (libc::ENAMETOOLONG, "File name too long", ""),
        (199, "error 199", ""),
    ] {
        let told = text(&messages::cannot_execute(b"x", errno));
        assert_eq!(told, format!("init: fatal: cannot execute 'x': {reason}{look_at}\n"));
        assert_eq!(message(Message::cannot_fork(errno)), format!("init: fatal: cannot fork: {reason}\n"));
    }
}

#[test]
fn i19_the_line_counts_one_process_or_several_or_says_nothing_of_them() {
    for (out_of_memory, count) in [
        (0, String::new()),
        (1, "; the kernel's out-of-memory killer ended 1 process here".to_owned()),
        (2, "; the kernel's out-of-memory killer ended 2 processes here".to_owned()),
        (1_000_000, "; the kernel's out-of-memory killer ended 1000000 processes here".to_owned()),
    ] {
        let told = message(Message::child_killed(7, libc::SIGKILL, out_of_memory));
        assert_eq!(told, format!("init: child 7 was killed by signal 9 (SIGKILL){count}\n"));
    }
}

#[test]
fn b1_a_string_for_the_kernel_ends_with_its_null_byte_and_within_its_memory() {
    for length in 0..10 {
        let mut line = Line::<6>::new();
        line.add(&[b'x'; 10][..length]);
        // The last byte is kept for the null byte.
        assert_eq!(line.c_str().to_bytes(), &b"xxxxx"[..length.min(5)]);
        line.clear();
        assert_eq!(line.c_str().to_bytes(), b"");
    }
    assert_eq!(Line::<6>::new().add(b"a\0b").c_str(), c"a");
    let mut line = Line::<20>::new();
    line.add(b"one two").cut(4);
    line.cut(9);
    assert_eq!(line.add(b"2").bytes(), b"one 2");
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
            Err(why) => prop_assert!(why.starts_with("action ") || why.starts_with("init: ") && why.lines().count() == 1, "{}", why),
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
        let only_options = parse(&[words.clone(), vec![b"x".to_vec()]].concat());
        if dashes {
            words.push(b"--".to_vec());
        }
        let first = words.len();
        words.push(program.into_bytes());
        words.extend(rest);
        let parsed = parse_words(&words).expect("all is right");
        prop_assert_eq!(parsed.operands, first);
        prop_assert_eq!(parsed.config, only_options);
    }

    #[test]
    fn i1_behind_two_dashes_anything_is_the_program(program in any_word(), rest in prop::collection::vec(any_word(), 0..3)) {
        let words = [vec![b"--".to_vec(), program], rest].concat();
        prop_assert_eq!(parse_words(&words).expect("all is right").operands, 1);
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
        prop_assert_eq!(parse(&bundled), parse(&separate));
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
    let none = parse(&["x"]);
    for option in OPTIONS {
        let Promised { letters: letter, long, values } = &option;
        if !option.has_value() {
            let expected = parse(&[&format!("--{long}"), "x"]);
            assert_ne!(expected, none, "--{long} changes nothing");
            if !letter.is_empty() {
                assert_eq!(parse(&[&format!("-{letter}"), "x"]), expected, "-{letter}");
            }
            assert_eq!(settings_with(&[option.variable() + "=1"], &["x"]), expected, "{long}");
            continue;
        }
        let [one, other] = values.map(|value| {
            let expected = parse(&[&format!("--{long}={value}"), "x"]);
            assert_ne!(expected, none, "--{long}={value} changes nothing");
            assert_eq!(parse(&[&format!("--{long}"), value, "x"]), expected, "--{long} {value}");
            if !letter.is_empty() {
                assert_eq!(parse(&[&format!("-{letter}{value}"), "x"]), expected, "-{letter}{value}");
                assert_eq!(parse(&[&format!("-{letter}"), value, "x"]), expected, "-{letter} {value}");
            }
            assert_eq!(settings_with(&[format!("{}={value}", option.variable())], &["x"]), expected, "{long}");
            expected
        });
        assert_ne!(one, other, "--{long}: the value does not matter");
    }
}

#[test]
fn i1_no_x_undoes_x() {
    let none = parse(&["x"]);
    for option in OPTIONS.iter().step_by(STRIDE) {
        let (variable, long) = (option.variable(), option.long);
        let on = if option.has_value() { format!("--{long}={}", option.on()) } else { format!("--{long}") };
        let off = format!("--no-{long}");
        assert_eq!(parse(&[&on, &off, "x"]), none, "{on} {off}");
        assert_eq!(parse(&[&off, "x"]), none, "{off}");
        assert_eq!(parse(&[&off, &on, "x"]), parse(&[&on, "x"]), "{off} {on}");
        assert_eq!(settings_with(&[format!("{variable}={}", option.on())], &[&off, "x"]), none, "{variable} {off}");
        // Empty is off, and for a flag 0.
        assert_eq!(settings_with(&[format!("{variable}=")], &["x"]), none, "{variable}=");
        if !option.has_value() {
            assert_eq!(settings_with(&[format!("{variable}=0")], &["x"]), none, "{variable}=0");
        }
        for value in ["=1", "=", "=0"] {
            assert!(parse_words(&[&format!("{off}{value}"), "x"]).is_err(), "{off}{value}");
        }
    }
}

#[test]
fn i5_the_line_names_the_option_the_culprit_and_what_was_wanted() {
    let of = |variables: &[&str], words: &[&str]| parse_with(variables, words).err().unwrap_or_default();
    const SIG: &str = "1-64 or a name, such as TERM";
    const TIME: &str = "10, 10s, 500ms or 2m";
    const LIMIT: &str = "a time, such as 10s, or 10s:TERM,INT";
    for (words, line) in [
        (&[] as &[&str], "no program given".to_owned()),
        (&["-g"], "no program given".to_owned()),
        (&["--"], "no program given".to_owned()),
        (&["--foo=1", "x"], "unknown option '--foo=1'".to_owned()),
        (&["-gX", "x"], "unknown option '-gX'".to_owned()),
        (&["--expect=256", "x"], "--expect: invalid CODE '256' (expected 0-255)".to_owned()),
        (&["-e", "x"], "--expect: invalid CODE 'x' (expected 0-255)".to_owned()),
        (&["-e"], "option '-e' needs a value: CODE".to_owned()),
        (&["-ge"], "option '-ge' needs a value: CODE".to_owned()),
        (&["--rewrite"], "option '--rewrite' needs a value: S:R".to_owned()),
        (&["--rewrite=1", "x"], "--rewrite: invalid S:R '1' (expected two signals, such as TERM:QUIT)".to_owned()),
        (&["-t", "x", "x"], format!("--grace: invalid TIME 'x' (expected {TIME})")),
        (&["--stop-timeout=1:", "x"], format!("--stop-timeout: invalid TIME[:SIG,...] '1:' (expected {LIMIT})")),
        (&["-pFOO", "x"], format!("--parent-death: invalid SIG 'FOO' (expected {SIG})")),
        (&["--group=1", "x"], "--group takes no value (given '1')".to_owned()),
        (&["--no-expect=1", "x"], "--no-expect takes no value (given '1')".to_owned()),
    ] {
        assert_eq!(of(&[], words), format!("init: fatal: {line}\n"), "{words:?}");
    }
    for (variable, line) in [
        ("BITTS_GROUP=2", "BITTS_GROUP: invalid value '2' (expected 0 or 1)".to_owned()),
        ("BITTS_VERBOSE=256", "BITTS_VERBOSE: invalid number '256' (expected 0-255)".to_owned()),
        ("BITTS_EXPECT=1,,2", "BITTS_EXPECT: invalid CODE '1,,2' (expected 0-255)".to_owned()),
        ("BITTS_STOP_TIMEOUT=1:2:3", format!("BITTS_STOP_TIMEOUT: invalid TIME[:SIG,...] '1:2:3' (expected {LIMIT})")),
    ] {
        assert_eq!(of(&[variable], &["x"]), format!("init: fatal: {line}\n"), "{variable}");
        // What is wrong with the command line comes before.
        assert_eq!(of(&[variable], &["--foo"]), "init: fatal: unknown option '--foo'\n", "{variable}");
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
    let [group, single] = ["-g", "-c"].map(|word| parse(&[word, "x"]));
    assert_ne!(group, single);
    for (words, expected) in [
        (&["-c", "-g", "x"] as &[&str], &group),
        (&["-g", "-c", "x"], &single),
        (&["-g", "-c", "-g", "x"], &group),
        // What is turned off does not contradict.
        (&["-c", "--no-group", "x"], &single),
        (&["-g", "--no-single-child", "x"], &group),
    ] {
        assert_eq!(&parse(words), expected, "{words:?}");
    }
    assert_eq!(&settings_with(&["BITTS_GROUP=1"], &["-c", "x"]), &single);
    assert_eq!(&settings_with(&["DUMB_INIT_SETSID=0"], &["-g", "x"]), &group);
}

#[test]
fn i2_actions_end_the_reading() {
    for (letters, long) in ACTIONS {
        // None has a variable: such a name is not ours to judge.
        let variable = format!("BITTS_{}", long.to_uppercase());
        for value in ["1", "", "banana"] {
            assert_eq!(settings_with(&[format!("{variable}={value}")], &["x"]), parse(&["x"]), "{variable}={value}");
        }
        let forms = letters.chars().map(|letter| format!("-{letter}")).chain([format!("--{long}")]);
        let told: Vec<_> = forms
            .map(|form| {
                let of = |words: &[&str]| parse_words(words).err().unwrap_or_default();
                let told = of(&[&form]);
                assert!(told.starts_with("action "), "{form}: {told}");
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
            let why = parse_words(&[&word, "x"]).err().unwrap_or_default();
            assert!(why.starts_with("init: "), "{word}: {why}");
        }
    }
}

#[test]
fn i2_command_line_over_own_variables_over_the_peers() {
    let is_on = |variables: &[&str], words: &[&str], flag| is_on(&settings_with(variables, words), flag);
    for (peer, own, flag) in [
        ("TINI_KILL_PROCESS_GROUP", "BITTS_GROUP", "group"),
        ("DUMB_INIT_SETSID", "BITTS_SINGLE_CHILD", "single-child"),
        ("TINI_SUBREAPER", "BITTS_SUBREAPER", "subreaper"),
        ("CATATONIT_DEBUG", "BITTS_VERBOSE", "verbose"),
        ("DUMB_INIT_DEBUG", "BITTS_VERBOSE", "verbose"),
        ("TINI_VERBOSITY", "BITTS_VERBOSE", "verbose"),
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
        assert!(is_on(&[peer], &["x"], flag), "{peer}");
        assert!(!is_on(&[peer, &own_off], &["x"], flag), "{peer} {own_off}");
        assert!(!is_on(&[peer, &own_on], &[&off, "x"], flag), "{peer} {own_on} {off}");
        assert!(!is_on(&[peer], &[&off, "x"], flag), "{peer} {off}");
        assert!(is_on(&[&own_off], &[&on, "x"], flag), "{own_off} {on}");
    }
    // Presence is enough for tini's and catatonit's flags, an empty value too.
    for (variable, flag) in
        [("TINI_KILL_PROCESS_GROUP=", "group"), ("TINI_SUBREAPER=", "subreaper"), ("CATATONIT_DEBUG=", "verbose")]
    {
        assert!(is_on(&[variable], &["x"], flag), "{variable}");
    }
    // What the peers read as off, or not at all.
    for (variable, flag) in [
        ("DUMB_INIT_SETSID=1", "single-child"),
        ("DUMB_INIT_SETSID=", "single-child"),
        ("DUMB_INIT_DEBUG=0", "verbose"),
        ("TINI_VERBOSITY=banana", "verbose"),
        ("TINI_VERBOSITY=0", "verbose"),
        ("TINI_KILL_PROCESS_GROUPX=1", "group"),
        ("XBITTS_GROUP=1", "group"),
        ("BITTS_group=1", "group"),
    ] {
        assert!(!is_on(&[variable], &["x"], flag), "{variable}");
    }
    // Repeated -e and -r add to the variable's, and win for the same S.
    let variables = ["BITTS_EXPECT=143,130", "BITTS_REWRITE=1:2,10:12"];
    let config = settings_with(&variables, &["-e3", "-r1:15", "-r", "1:9", "x"]);
    assert!([143, 130, 3].iter().all(|code| end(&config, code << 8) == Some(0)));
    assert_eq!(end(&config, 4 << 8), Some(4));
    assert_eq!(config.rewrites.apply(1), 9, "the last of equal S");
    assert_eq!(config.rewrites.apply(10), 12);
    assert_eq!(settings_with(&["BITTS_PARENT_DEATH=HUP"], &["-pTERM", "x"]), parse(&["-pTERM", "x"]));
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
    let mut line = Line::<{ program::PATH_ROOM }>::new();
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
    for name in ["init", "dumb-init", "catatonit"] {
        for words in [&["x"] as &[&str], &["-c", "x"], &["-r", "TSTP:CONT", "-r", "TTIN:0", "x"]] {
            let config = parse_as(name, &[] as &[&str], words).unwrap_or_else(|why| panic!("{why}")).config;
            let expected = name == "dumb-init" && words[0] != "-c";
            assert_eq!(config.new_session(), expected, "{name} {words:?}");
            assert_eq!(is_on(&config, "group"), expected, "{name} {words:?}");
            let with_rules = words[0] == "-r";
            for number in 1..=64 {
                let to = match number {
                    libc::SIGTSTP if with_rules => libc::SIGCONT,
                    libc::SIGTTIN if with_rules => 0,
                    libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU if expected => libc::SIGSTOP,
                    _ => number,
                };
                assert_eq!(config.rewrites.apply(number), to, "{name} {words:?} {number}");
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
        assert_eq!(settings_with(variables, words).verbose, level, "{variables:?} {words:?}");
    }
    // Never so often that it is off again.
    for count in [255, 256, 257, 1000] {
        assert!(is_on(&parse(&[format!("-{}", "v".repeat(count)), "x".to_owned()]), "verbose"), "{count}");
    }
}

#[test]
fn i9_path_without_a_variable() {
    assert_eq!(program::DEFAULT_PATH, b"/usr/local/bin:/bin:/usr/bin");
}
