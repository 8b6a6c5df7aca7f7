//! Arguments and variables that nobody means well with: what `init` makes of them beside what the contract says (I1–I5), by
//! the judge that the fuzzer uses (tests/fuzz), and the shipped programs with words of any bytes, length and number.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use bitts_tests::{Case, Outcome, Place, ship, steps, tools};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[path = "../fuzz/src/judge.rs"]
mod judge;

use judge::{Input, Meaning, VOCABULARY};

// ---- Two readings ----------------------------------------------------------------------------------------------------

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(texts).prop_map(|text| text.as_bytes().to_vec())
}

/// What may be right as a value.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let number =
        prop_oneof![(0..300_u32).prop_map(|number| number.to_string().into_bytes()), one_of(&["0", "255", "256"])];
    let signal = (
        one_of(&["", "SIG", "sig"]),
        one_of(&["TERM", "HUP", "usr1", "CHLD", "TSTP", "RTMIN", "RTMAX-30", "RTMIN+5", "IOT", "15", "64"]),
    );
    let signal = signal.prop_map(|(prefix, name)| [prefix, name].concat()).boxed();
    let rule =
        (signal.clone(), one_of(&[":", ":0,", ","]), signal.clone()).prop_map(|(s, mark, r)| [s, mark, r].concat());
    let time = (number.clone(), one_of(&["", "s", "ms", "m", "m:HUP", "s:INT,RTMIN"]))
        .prop_map(|(n, unit)| [n, unit].concat());
    prop_oneof![number, signal, rule, time]
}

/// A word, or two, that may be right; or pieces of the vocabulary and bytes of any kind.
fn option() -> impl Strategy<Value = Vec<u8>> {
    let letters = prop::collection::vec(one_of(&["g", "c", "s", "w", "v"]), 1..4);
    let letters = letters.prop_map(|letters| [b"-".to_vec(), letters.concat()].concat());
    let flag = (
        one_of(&["--", "--no-"]),
        one_of(&[
            "group",
            "single-child",
            "subreaper",
            "caught-only",
            "wait-all",
            "warn-reaped",
            "verbose",
            "expect",
            "grace",
        ]),
    );
    let flag = flag.prop_map(|(dashes, name)| [dashes, name].concat());
    let starts = one_of(&[
        "-e",
        "-e\0",
        "-vwe",
        "-r",
        "-p",
        "-gt",
        "--grace=",
        "--stop-timeout=",
        "--parent-death\0",
        "--rewrite=",
        "--expect=",
    ]);
    let valued = (starts, value()).prop_map(|(start, value)| [start, value].concat());
    let piece = prop_oneof![
        3 => (0..VOCABULARY.len()).prop_map(|at| VOCABULARY[at].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    let any = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => letters, 3 => flag, 4 => valued, 1 => any]
}

/// A variable that may be right.
fn variable() -> impl Strategy<Value = Vec<u8>> {
    let ours =
        one_of(&["GROUP", "SINGLE_CHILD", "VERBOSE", "GRACE", "STOP_TIMEOUT", "PARENT_DEATH", "REWRITE", "EXPECT"]);
    let ours = (ours, prop_oneof![value(), one_of(&["", "0", "1", "00", "01"])]);
    let ours = ours.prop_map(|(name, value)| [b"BITTS_".to_vec(), name, b"=".to_vec(), value].concat());
    let peers = prop::sample::select(VOCABULARY).prop_map(<[u8]>::to_vec);
    prop_oneof![2 => ours, 1 => (peers, one_of(&["", "0", "1", "3"])).prop_map(|(name, value)| [name, value].concat())]
}

/// A name, variables and words.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let name = one_of(&["init", "dumb-init", "/bin/catatonit", "podman-init", ""]);
    let variables = prop::collection::vec(variable(), 0..3);
    let end = one_of(&["program", "program\0-x", "--\0-x", "", "-P", "--help"]);
    (name, variables, prop::collection::vec(option(), 0..5), end).prop_map(|(name, variables, options, end)| {
        [vec![name], variables, vec![Vec::new()], options, vec![end]].concat().join(&0)
    })
}

/// How many inputs are made. Always the same ones.
const INPUTS: u32 = 10_000;

/// The first input, made as small as can be, in which `init` differs from the contract.
fn first_difference(init: impl Fn(&Input) -> Meaning) -> Option<String> {
    let config = Config { cases: INPUTS, failure_persistence: None, max_shrink_iters: 1000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&input(), |bytes| {
        prop_assert!(judge::judge(&bytes, &init).is_ok(), "{}", judge::judge(&bytes, &init).unwrap_err());
        Ok(())
    });
    result.err().map(|why| why.to_string())
}

#[test]
fn i1_i2_i4_i5_what_is_asked_for_is_what_the_contract_reads() {
    assert_eq!(first_difference(judge::init), None);
}

#[test]
fn i1_i2_i4_i5_what_the_fuzzer_has_found_is_read_as_the_contract_reads_it() {
    let path = ship::root().join("tests/fuzz/corpus.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut actions = 0;
    let mut refused = 0;
    let mut run = 0;
    for line in text.lines() {
        let bytes = unescape(line);
        judge::judge(&bytes, judge::init).unwrap_or_else(|why| panic!("{line}: {why}"));
        match judge::init(&Input::of(&bytes)) {
            Meaning::Action(_) => actions += 1,
            Meaning::Refused(_) => refused += 1,
            Meaning::Run(_) => run += 1,
        }
    }
    assert!(actions > 3 && refused > 20 && run > 20, "a poor corpus: {actions} actions, {refused} refused, {run} run");
}

/// The reverse of [`slice::escape_ascii`].
fn unescape(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next().expect("something behind a backslash") {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next(), rest.next()].map(|digit| digit.expect("a digit"));
                    u8::from_str_radix(std::str::from_utf8(&digits).expect("digits"), 16).expect("digits")
                }
                other => other,
            },
            byte => byte,
        });
    }
    bytes
}

/// A parser with one mistake in it: what it makes of init's own reading.
type Mistake = (&'static str, fn(&Input, Meaning) -> Meaning);

#[test]
fn control_each_planted_mistake_of_the_parser_is_found() {
    let mistakes: [Mistake; 6] = [
        ("a bundled -w is lost", |input, mut meaning| {
            if let Meaning::Run(settings) = &mut meaning
                && input.words.iter().any(|word| word.starts_with(b"-gw"))
            {
                settings.flags.remove("warn-reaped");
            }
            meaning
        }),
        ("255 is no status", |_, mut meaning| {
            if let Meaning::Run(settings) = &mut meaning {
                settings.expected.remove(&255);
            }
            meaning
        }),
        ("RTMAX-30 is one too low", |_, mut meaning| {
            if let Meaning::Run(settings) = &mut meaning
                && settings.parent_death == 34
            {
                settings.parent_death = 33;
            }
            meaning
        }),
        ("as dumb-init TTIN is forwarded as it is", |_, mut meaning| {
            if let Meaning::Run(settings) = &mut meaning
                && settings.session
            {
                settings.rewrites.remove(&libc::SIGTTIN);
            }
            meaning
        }),
        ("two dashes are no end of the options", |input, mut meaning| {
            if let Meaning::Run(settings) = &mut meaning {
                settings.options -= usize::from(input.words.first() == Some(&&b"--"[..]));
            }
            meaning
        }),
        ("an escape sequence reaches the terminal", |_, mut meaning| {
            if let Meaning::Refused(lines) = &mut meaning {
                for line in lines {
                    *line = line.escape_ascii().to_string().replace("\\\\x1b", "\x1b").into_bytes();
                    line.truncate(line.len() - 2);
                    line.push(b'\n');
                }
            }
            meaning
        }),
    ];
    for (name, mistake) in mistakes {
        assert!(first_difference(|input| mistake(input, judge::init(input))).is_some(), "not found: {name}");
    }
    // A panic is found as well.
    let panics = std::panic::catch_unwind(|| {
        first_difference(|input| {
            let meaning = judge::init(input);
            assert!(!matches!(&meaning, Meaning::Run(settings) if settings.grace == 255_000), "planted");
            meaning
        })
    });
    assert!(panics.map_or(true, |found| found.is_some()));
}

// ---- The shipped programs --------------------------------------------------------------------------------------------

/// `init` without namespaces.
fn init() -> Case {
    Case::init().place(Place::Host)
}

/// A word of any bytes.
fn word(bytes: impl Into<Vec<u8>>) -> OsString {
    OsString::from_vec(bytes.into())
}

/// As promised (I5): status 1, nothing started, one short line that has `culprit` in it, one that points to the help text, and no
/// byte in them that a terminal would act on.
#[track_caller]
fn assert_refused(outcome: &Outcome, culprit: &[u8]) {
    outcome.assert_exit(1);
    assert_tells(outcome, culprit, 2);
    assert!(outcome.err().lines().nth(1).is_some_and(|line| line == "init: run 'init --help' for usage"), "{outcome}");
}

/// Nothing is on standard output; `lines` lines are on standard error, and the first one has `culprit` in it.
#[track_caller]
fn assert_tells(outcome: &Outcome, culprit: &[u8], lines: usize) {
    // What is no ASCII is shown by its numbers.
    let shown = |byte: &u8| if byte.is_ascii() { vec![*byte] } else { format!("\\x{byte:02x}").into_bytes() };
    let culprit: Vec<_> = culprit.iter().flat_map(shown).collect();
    assert_eq!(outcome.out(), "", "something was started: {outcome}");
    let told: Vec<_> = outcome.stderr.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(told.len(), lines, "{outcome}");
    for line in &told {
        assert!(line.starts_with(b"init: ") && line.ends_with(b"\n") && line.len() <= 512, "{outcome}");
        let text = &line[..line.len() - 1];
        assert!(!text.iter().any(|byte| matches!(byte, 0..0x20 | 0x7f..)), "{outcome}");
    }
    assert!(told[0].windows(culprit.len()).any(|part| part == culprit), "no {:?}: {outcome}", culprit.escape_ascii());
}

/// The longest word that the kernel takes: 128 KiB with its null byte (execve(2), MAX_ARG_STRLEN).
const LONGEST: usize = 128 * 1024 - 1;

/// `start` and so many `x` that it is the longest word.
fn longest(start: &str) -> OsString {
    let mut bytes = start.as_bytes().to_vec();
    bytes.resize(LONGEST, b'x');
    word(bytes)
}

#[test]
fn i5_the_longest_words_are_refused_by_a_short_line() {
    let says = ["say", "STARTED"];
    for (words, culprit) in [
        (vec![longest("--")], "'--xxx"),
        (vec![longest("-")], "'-xxx"),
        (vec![longest("--expect=")], "--expect: invalid CODE 'xxx"),
        (vec![longest("--no-")], "'--no-xxx"),
        (vec![longest("-e")], "--expect: invalid CODE 'xxx"),
        (vec!["-r".into(), longest("TERM:")], "--rewrite: invalid S:R 'TERM:xxx"),
        (vec!["--grace".into(), longest("1")], "--grace: invalid TIME '1xxx"),
        (vec![longest("--group=")], "--group takes no value (given 'xxx"),
        (vec![longest("-gvvz")], "'-gvvz"),
    ] {
        let outcome = init().args(&words).child(says).run();
        assert_refused(&outcome, culprit.as_bytes());
    }
    for (name, kind) in [
        ("BITTS_GROUP", "value"),
        ("BITTS_EXPECT", "CODE"),
        ("BITTS_REWRITE", "S:R"),
        ("BITTS_GRACE", "TIME"),
        ("BITTS_PARENT_DEATH", "SIG"),
        ("BITTS_STOP_TIMEOUT", "TIME[:SIG,...]"),
    ] {
        // A variable is a word as well, with its name.
        let value = word(vec![b'1'; LONGEST - name.len() - 1]);
        assert_refused(&init().env(name, value).child(says).run(), format!("{name}: invalid {kind} '111").as_bytes());
    }
}

#[test]
fn i1_i4_i9_the_longest_words_that_are_right_are_taken() {
    // 21,845 rules, of which the last ones count; 32,767 codes.
    let rules = word(b"1:2,10:12,".repeat(LONGEST / 10)[..LONGEST / 10 * 10 - 1].to_vec());
    init().arg("-r").arg(&rules).child(["exit", "3"]).run().assert_exit(3);
    let codes = word(b"143,".repeat(LONGEST / 4)[..LONGEST / 4 * 4 - 1].to_vec());
    init().arg("-e").arg(&codes).child(["exit", "143"]).run().assert_exit(0);
    // Zeroes before a number; letters in one word.
    init()
        .arg(word([b"-e".to_vec(), vec![b'0'; LONGEST - 3], b"7".to_vec()].concat()))
        .child(["exit", "7"])
        .run()
        .assert_exit(0);
    init().arg(word([b"-".to_vec(), vec![b'g'; LONGEST - 1]].concat())).child(["exit", "5"]).run().assert_exit(5);
    // The name that it is called by, too.
    init().name(longest("/")).child(["exit", "6"]).run().assert_exit(6);
    let mut name = longest("/").into_vec();
    name.truncate(LONGEST - 10);
    name.extend(b"/dumb-init");
    init().name(word(name)).args(["--", "/nonexistent"]).run().assert_exit(2);
    // No path is so long (path_resolution(7)); and no file on PATH has such a name.
    for (program, status, reason) in
        [(longest("/"), 126, "File name too long"), (longest("x"), 127, "No such file or directory")]
    {
        let outcome = init().arg("--").arg(program).run();
        outcome.assert_exit(status);
        assert_tells(&outcome, format!("xxx...': {reason}").as_bytes(), 1);
    }
}

#[test]
fn i2_a_variable_of_4000_rules() {
    // All but the last rules are undone by it; each number stands for many.
    let rule = |at: usize| format!("{}:{}", at % 64 + 1, (at / 64) % 65);
    let mut rules: Vec<_> = (0..4000).map(rule).collect();
    rules.push("USR1:USR2".to_owned());
    let value = rules.join(",");
    let mut running = init().env("BITTS_REWRITE", &value).child(["record", "for", "1", "exit", "4"]).start();
    running.wait_line("recording");
    running.signal(libc::SIGUSR1);
    let outcome = running.wait();
    outcome.assert_exit(4);
    assert!(outcome.out().contains(&format!("signal={} ", libc::SIGUSR2)), "{outcome}");
    // One that is none, at the end.
    let outcome = init().env("BITTS_REWRITE", value + ",65:1").child(["say", "STARTED"]).run();
    assert_refused(&outcome, b"BITTS_REWRITE: invalid S:R '1:0,");
}

/// As many words as one start may take, next to what the harness needs itself: a quarter of the stack's limit, for each word its
/// bytes, its null byte and a pointer (execve(2)).
fn most_words(bytes: usize) -> usize {
    let (stack, _) = bitts_tests::sys::limit(libc::RLIMIT_STACK);
    let most = (stack / 4).min(6 << 20) as usize;
    (most - (32 << 10)) / (bytes + 1 + size_of::<usize>())
}

#[test]
fn i1_as_many_words_as_the_kernel_takes() {
    let count = most_words(1);
    let many = || std::iter::repeat_n("x", count);
    // All of them are the program's.
    let outcome = init().args(["--", "/bin/sh", "-c", "echo $#", "sh"]).args(many()).run();
    outcome.assert_exit(0);
    assert_eq!(outcome.out(), format!("{count}\n"));
    // All of them are options.
    let flags = most_words(2);
    init().args(std::iter::repeat_n("-g", flags)).child(["exit", "5"]).run().assert_exit(5);
    // The wrong one among them is told.
    let outcome = init().args(std::iter::repeat_n("-g", flags)).arg("-z").child(["say", "STARTED"]).run();
    assert_refused(&outcome, b"unknown option '-z'");
    // Without a program: the first of them is not found.
    let outcome = init().env("PATH", "/nonexistent").args(many()).run();
    outcome.assert_exit(127);
    assert_tells(&outcome, b"cannot execute 'x': No such file or directory", 1);
    // `pause` ignores all but what prints its version (P5), wherever that stands.
    let outcome = Case::pause().place(Place::Host).args(many()).arg("-v").run();
    outcome.assert_exit(0);
    assert!(outcome.out().starts_with("pause "), "{outcome}");
}

#[test]
fn i10_a_program_with_one_byte_too_many_is_told() {
    // What the kernel counts is the words and, once more, the path: here the program's is longer than init's own.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let deep = (0..15).fold(folder.path().to_owned(), |path, _| path.join("d".repeat(200)));
    std::fs::create_dir_all(&deep).expect("a folder");
    let program = deep.join("program");
    std::os::unix::fs::symlink(tools::witness(), &program).expect("a link");
    init().arg(&program).args(["exit", "3"]).run().assert_exit(3);
    // As many more words as can be started at all.
    let starts = |count: usize| {
        let mut case = init().env("PATH", &deep).args(["--", "program", "exit", "3"]);
        case = case.args(std::iter::repeat_n("x", count));
        case.try_start().ok().map(bitts_tests::Running::wait)
    };
    let (mut low, mut high) = (0, most_words(1) * 2);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if starts(middle).is_some() { low = middle } else { high = middle }
    }
    let outcome = starts(low).expect("it has started before");
    outcome.assert_exit(126);
    assert_tells(&outcome, b"cannot execute 'program': Argument list too long; check ", 1);
}

#[test]
fn i5_bytes_that_are_no_text_are_refused_and_shown() {
    let says = ["say", "STARTED"];
    for (words, culprit) in [
        (vec![word(b"-\xff")], &b"'-\xff'"[..]),
        (vec![word(b"--gr\xc3\xa4ce")], b"--gr\xc3\xa4ce"),
        (vec![word(b"--\xf0\x9f\x92")], b"--\xf0\x9f\x92"),
        (vec![word(b"-g\xfe")], b"-g\xfe"),
        (vec![word(b"-e\xff")], b"--expect: invalid CODE '\xff'"),
        (vec![word(b"--expect=1\xff")], b"--expect: invalid CODE '1\xff'"),
        (vec![word(b"-p"), word(b"TERM\xff")], b"--parent-death: invalid SIG 'TERM\xff'"),
        (vec![word(b"-r"), word(b"TE\xe9RM:1")], b"--rewrite: invalid S:R 'TE\xe9RM:1'"),
        (vec![word(b"--grace=1\xb5s")], b"--grace: invalid TIME '1\xb5s'"),
        (vec![word(b"--stop-timeout=1:\xff")], b"--stop-timeout: invalid TIME[:SIG,...] '1:\xff'"),
    ] {
        assert_refused(&init().args(&words).child(says).run(), culprit);
    }
    for (name, kind) in [
        ("BITTS_GROUP", &b"value"[..]),
        ("BITTS_VERBOSE", b"number"),
        ("BITTS_EXPECT", b"CODE"),
        ("BITTS_REWRITE", b"S:R"),
        ("BITTS_GRACE", b"TIME"),
        ("BITTS_PARENT_DEATH", b"SIG"),
    ] {
        let outcome = init().env(name, word(b"1\xff")).child(says).run();
        assert_refused(&outcome, &[name.as_bytes(), b": invalid ", kind, b" '1\xff'"].concat());
    }
    // A variable of another name is not ours, and goes on as it is.
    let outcome = init().env(word(b"BITTS_GROUP\xff"), word(b"\xfe=\n")).child(["state", "exit", "3"]).run();
    outcome.assert_exit(3);
    assert!(outcome.values("env").iter().any(|variable| variable == r"BITTS_GROUP\xff=\xfe=\n"), "{outcome}");
    // The name that it is called by, and a program that is not there.
    init().name(word(b"dumb-init\xff")).args(["--", "/nonexistent"]).run().assert_exit(127);
    let outcome = init().arg(word(b"/nonexistent/\xff\xfe")).run();
    outcome.assert_exit(127);
    assert_tells(&outcome, b"'/nonexistent/\xff\xfe': No such file or directory", 1);
}

#[test]
fn i5_no_word_drives_the_terminal() {
    // The last two are ESC [ in one byte, and the same in UTF-8.
    let evil = b"\x1b]0;title\x07\x1b[2J\r\n\x08\x7f\x9b\xc2\x9b";
    let shown = br"\x1b]0;title\x07\x1b[2J\x0d\x0a\x08\x7f\x9b\xc2\x9b";
    let with = |start: &[u8]| word([start, evil].concat());
    let says = ["say", "STARTED"];
    for words in [
        vec![with(b"--")],
        vec![with(b"-g")],
        vec![with(b"-e1")],
        vec!["-r".into(), with(b"1:2")],
        vec![with(b"--group=")],
    ] {
        assert_refused(&init().args(&words).child(says).run(), shown);
    }
    assert_refused(&init().env("BITTS_EXPECT", with(b"")).child(says).run(), shown);
    for program in [with(b"/nonexistent/"), with(b"nonexistent")] {
        let outcome = init().arg("--").arg(program).run();
        outcome.assert_exit(127);
        assert_tells(&outcome, shown, 1);
    }
    // A program that is there, at -v; its own name says nothing.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = folder.path().join(with(b"x"));
    std::os::unix::fs::symlink(tools::witness(), &program).expect("a link");
    let outcome = init().name(with(b"init")).arg("-v").arg(&program).args(["exit", "3"]).run();
    outcome.assert_exit(3);
    assert!(outcome.stderr.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\n'), "{outcome}");
    assert!(outcome.stderr.windows(shown.len()).any(|part| part == shown), "{outcome}");
}

/// `init` with this environment, which may be none that a shell would make.
fn in_environment(variables: &[&[u8]], words: &[&str], child: &[&str]) -> Outcome {
    let mut case = Case::witness().place(Place::Host).args(["environ", &variables.len().to_string()]);
    for variable in variables {
        case = case.arg(word(*variable));
    }
    case.args(["exec", "init"]).arg(ship::init()).args(words).child(child).run()
}

#[test]
fn i2_i5_variables_that_no_shell_would_make() {
    let exits = |variables: &[&[u8]], status: &str| in_environment(variables, &[], &["exit", status]);
    // Twice: both are read, and a wrong one is wrong whichever stands first.
    exits(&[b"BITTS_EXPECT=3", b"BITTS_EXPECT=4"], "4").assert_exit(0);
    exits(&[b"BITTS_EXPECT=3", b"BITTS_EXPECT=4"], "3").assert_exit(0);
    for variables in [[&b"BITTS_EXPECT=3"[..], b"BITTS_EXPECT=banana"], [b"BITTS_EXPECT=banana", b"BITTS_EXPECT=3"]] {
        let outcome = in_environment(&variables, &[], &["say", "STARTED"]);
        assert_refused(&outcome, b"BITTS_EXPECT: invalid CODE 'banana'");
    }
    // Without `=`, without a name, without anything; a value with `=` in it.
    exits(&[b"BITTS_EXPECT", b"", b"=", b"=x", b"BITTS_", b"BITTS_=1", b"PATH"], "5").assert_exit(5);
    assert_refused(
        &in_environment(&[b"BITTS_GROUP=1=1"], &[], &["say", "STARTED"]),
        b"BITTS_GROUP: invalid value '1=1'",
    );
    // All of it reaches the child.
    let mut case = Case::witness().place(Place::Host).args(["environ", "4", "A=1", "A=2", "BITTS_GROUP", "=x"]);
    case = case.args(["exec", "init"]).arg(ship::init()).args(["/bin/cat", "/proc/self/environ"]);
    assert_eq!(case.run().out(), "A=1\0A=2\0BITTS_GROUP\0=x\0");
}

#[test]
fn i5_without_any_word_not_even_a_name() {
    // An empty vector becomes an empty name (since Linux 5.18).
    assert_refused(&init().without_name().run(), b"no program given");
    assert_refused(&init().name("").run(), b"no program given");
    // Really none.
    #[cfg(target_arch = "x86_64")]
    for variable in ["", "banana"] {
        let mut running = init().name("").arg("/bin/true").env("BITTS_GROUP", variable).start_held();
        steps::start_without_words(&mut running);
        assert_refused(&running.wait(), b"no program given");
    }
}

#[test]
fn p5_pause_takes_any_word() {
    let pause = || Case::pause().place(Place::Host);
    for words in
        [vec![longest("-"), word(b"\xff\xfe"), word(b""), word(b"--version"), "-P".into()], vec![longest("-v")]]
    {
        // Told to end before it begins: no version, and its farewell.
        let mut running = pause().args(&words).mask(bitts_tests::sys::bit(libc::SIGTERM)).start_held();
        running.signal(libc::SIGTERM);
        running.release();
        let outcome = running.wait();
        outcome.assert_exit(0);
        assert_eq!(outcome.out(), "", "{outcome}");
    }
    let outcome = pause().arg(longest("")).arg(word(b"\n")).arg("-V").run();
    outcome.assert_exit(0);
    assert!(outcome.out().starts_with("pause "), "{outcome}");
    #[cfg(target_arch = "x86_64")]
    {
        let mut running = pause().name("").arg("-v").mask(bitts_tests::sys::bit(libc::SIGTERM)).start_held();
        running.signal(libc::SIGTERM);
        steps::start_without_words(&mut running);
        let outcome = running.wait();
        outcome.assert_exit(0);
        assert_eq!(outcome.out(), "", "{outcome}");
    }
}
