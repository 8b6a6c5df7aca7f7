//! The command line, its variables and the name, as the shipped program takes them (I1–I5).
//! Most of it needs no namespaces: what is read there does not depend on being PID 1.

use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Outcome, Place, Stream, needs_namespaces, needs_strace, procfs, ship, tools};

/// `init` without namespaces.
fn init() -> Case {
    Case::init().place(Place::Host)
}

/// Words and the witness behind them.
fn run(words: &[&str], child: &[&str]) -> Outcome {
    init().args(words).child(child).run()
}

/// A folder with executable scripts in it.
fn scripts(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        {
            let _alone = sys::no_forks();
            std::fs::write(&path, text).expect("a file");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    folder
}

// ---- I1 -------------------------------------------------------------------------------------------------------------

#[test]
fn i1_options_of_the_program_are_the_program_s() {
    let folder = scripts(&[("ls", "#!/bin/sh\necho \"$0 $*\"\n")]);
    let program = folder.path().join("ls").display().to_string();
    for words in [
        &["ls", "-l", "x"][..],
        &["--", "ls", "-l", "x"],
        &["-v", "ls", "-l", "x"],
        &["-e", "3", "ls", "-l", "x"],
        &["-gvv", "--expect=3", "ls", "-l", "x"],
    ] {
        let outcome = init().env("PATH", folder.path()).args(words).run();
        outcome.assert_exit(0);
        assert_eq!(outcome.out(), format!("{program} -l x\n"), "{words:?}");
    }
    for words in [&["ls", "--version"][..], &["ls", "--"], &["ls", "-h", "--", "-g"], &["--", "ls", "--", "-V"]] {
        let outcome = init().env("PATH", folder.path()).args(words).run();
        let behind = words.iter().skip_while(|word| **word != "ls").skip(1).copied().collect::<Vec<_>>().join(" ");
        assert_eq!(outcome.out(), format!("{program} {behind}\n"), "{words:?}");
    }
}

#[test]
fn i1_a_dash_and_words_behind_two_dashes_are_programs() {
    let folder = scripts(&[
        ("-", "#!/bin/sh\necho \"dash $*\"\n"),
        ("-x", "#!/bin/sh\necho \"x $*\"\n"),
        ("--", "#!/bin/sh\necho \"two $*\"\n"),
    ]);
    for (words, expected) in [
        (&["-"][..], "dash \n"),
        (&["-", "-g", "--"], "dash -g --\n"),
        (&["-g", "-"], "dash \n"),
        (&["--", "-"], "dash \n"),
        (&["--", "-x", "-l"], "x -l\n"),
        (&["--", "--", "a"], "two a\n"),
    ] {
        let outcome = init().env("PATH", folder.path()).args(words).run();
        outcome.assert_exit(0);
        assert_eq!((outcome.out().as_str(), outcome.err().as_str()), (expected, ""), "{words:?}");
    }
}

#[test]
fn i1_arguments_arrive_byte_for_byte() {
    let every: Vec<u8> = (1..=255).collect();
    let words = [
        b"".to_vec(),
        b"\xff\xfe".to_vec(),
        b"a b\n\t".to_vec(),
        every,
        vec![b'x'; 100_000],
        b"\xc3\xa4".to_vec(),
        b"".to_vec(),
    ];
    let mut case = init().child(["state", "exit", "0"]);
    for word in &words {
        case = case.arg(std::ffi::OsString::from_vec(word.clone()));
    }
    let outcome = case.run();
    outcome.assert_exit(0);
    let given: Vec<_> = words.iter().map(|word| word.escape_ascii().to_string()).collect();
    assert_eq!(outcome.values("argv")[4..], given);
    assert_eq!(outcome.values("argv")[0], tools::witness().display().to_string());
    assert_eq!(outcome.values("argv")[1..4], ["state", "exit", "0"]);
}

#[test]
fn i1_a_program_of_bytes_that_are_no_text_is_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = std::ffi::OsString::from_vec(b"pro\xffgram".to_vec());
    let path = folder.path().join(&name);
    std::os::unix::fs::symlink(tools::witness(), &path).expect("a link");
    init().arg(&path).args(["exit", "3"]).run().assert_exit(3);
    init().env("PATH", folder.path()).arg(&name).args(["exit", "4"]).run().assert_exit(4);
}

#[test]
fn i1_bundles_and_attached_values() {
    for words in [
        &["-e143"][..],
        &["-e", "143"],
        &["--expect=143"],
        &["--expect", "143"],
        &["-we143"],
        &["-wge", "143"],
        &["-wsgcwe143"],
        &["-e1", "-e143", "-e", "7"],
    ] {
        run(words, &["exit", "143"]).assert_exit(0);
        run(words, &["exit", "142"]).assert_exit(142);
    }
    run(&["-e143", "--no-expect"], &["exit", "143"]).assert_exit(143);
    run(&["--no-expect", "-e143"], &["exit", "143"]).assert_exit(0);
}

// ---- I2: each option does what it says, however it is asked for -----------------------------------------------------

/// The child blocks everything in a process of its own that never takes anything, and then records `for` signals.
const WITH_SLEEPER: [&str; 9] = ["block", "all", "child", "say", "asleep", "sleep", "end", "record", "sleep"];

/// Which of USR1 and USR2, sent to init, reached the other process of the child's group?
fn reaches_the_group(case: Case) -> bool {
    let mut init = case.child(WITH_SLEEPER).start();
    init.wait_line("asleep");
    init.wait_line("recording");
    init.signal(libc::SIGUSR1);
    init.wait_line("signal=10 ");
    // When the second one has come, the call that sent the first one has returned.
    init.signal(libc::SIGUSR2);
    init.wait_line("signal=12 ");
    let child = init.children().first().expect("the child").pid;
    let sleeper = init.processes().into_iter().find(|process| process.parent == child).expect("the sleeper");
    let pending = procfs::signals(sleeper.pid).expect("it lives").pending;
    assert!(pending & bit(libc::SIGUSR1) != 0 || pending & bit(libc::SIGUSR2) == 0, "{pending:x}");
    pending & bit(libc::SIGUSR1) != 0
}

#[test]
fn i2_group_and_single_child() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        let of = |words: &[&str], variables: &[(&str, &str)]| {
            let case = Case::init().place(place).args(words);
            reaches_the_group(variables.iter().fold(case, |case, (name, value)| case.env(name, value)))
        };
        assert!(!of(&[], &[]));
        assert!(of(&["-g"], &[]));
        assert!(of(&["--group"], &[]));
        assert!(!of(&["-g", "--no-group"], &[]));
        assert!(!of(&["-c"], &[]));
        assert!(of(&[], &[("BITTS_GROUP", "1")]));
        assert!(!of(&[], &[("BITTS_GROUP", "0")]));
        assert!(of(&[], &[("TINI_KILL_PROCESS_GROUP", "")]));
        assert!(!of(&[], &[("TINI_KILL_PROCESS_GROUP", "1"), ("BITTS_GROUP", "0")]));
        assert!(!of(&["--no-group"], &[("BITTS_GROUP", "1"), ("TINI_KILL_PROCESS_GROUP", "1")]));
        assert!(of(&["-g"], &[("BITTS_GROUP", "")]));
        assert!(!of(&["-c"], &[("BITTS_GROUP", "1")]));
    }
}

#[test]
fn i2_group_gives_the_child_its_own() {
    needs_namespaces!();
    let groups = |words: &[&str]| {
        let outcome = Case::init().not_pid1().args(words).child(["state"]).run();
        let get = |key| outcome.value(key).unwrap_or_else(|| panic!("{key}: {outcome}"));
        (get("pid"), get("ppid"), get("pgid"))
    };
    let (pid, _, group) = groups(&["-g"]);
    assert_eq!(group, pid);
    // init leads a session and a group here.
    let (_, parent, group) = groups(&[]);
    assert_eq!(group, parent);
}

#[test]
fn i2_subreaper_makes_a_failure_worth_a_warning_and_never_fatal() {
    needs_namespaces!();
    needs_strace!();
    let of = |words: &[&str], variables: &[(&str, &str)]| {
        let case = Case::init().not_pid1().strace(["-e", "trace=prctl", "--inject=prctl:error=EINVAL"]).args(words);
        let case = variables.iter().fold(case, |case, (name, value)| case.env(name, value));
        let outcome = case.child(["exit", "44"]).run();
        outcome.assert_exit(44);
        assert!(outcome.trace.contains("PR_SET_CHILD_SUBREAPER"), "{outcome}");
        outcome.err()
    };
    assert_eq!(of(&[], &[]), "");
    assert_eq!(of(&["-s", "--no-subreaper"], &[]), "");
    for text in [
        of(&["-s"], &[]),
        of(&["--subreaper"], &[]),
        of(&[], &[("BITTS_SUBREAPER", "1")]),
        of(&[], &[("TINI_SUBREAPER", "")]),
    ] {
        assert!(text.starts_with("init: warning: ") && text.contains("subreaper"), "{text}");
        assert!(text.contains("Invalid argument") && text.lines().count() == 1, "{text}");
    }
}

#[test]
fn i2_parent_death_brings_a_signal() {
    needs_namespaces!();
    let script = r#""$@" & read -r line"#;
    for (words, variable) in [
        (&["-p", "USR1"][..], ""),
        (&["-p10"], ""),
        (&["--parent-death=SIGUSR1"], ""),
        (&[], "USR1"),
        (&["-pUSR1"], "HUP"),
    ] {
        let case = Case::new("/bin/sh").not_pid1().stdin(Stream::Pipe).env("BITTS_PARENT_DEATH", variable);
        let mut shell =
            case.args(["-c", script, "sh"]).arg(ship::init()).args(words).child(["record", "sleep"]).start();
        shell.wait_line("recording");
        assert_eq!(String::from_utf8_lossy(&shell.stdout()), "recording\n");
        shell.close_stdin();
        shell.wait_status();
        shell.wait_line("signal=10 ");
    }
}

#[test]
fn i2_a_parent_that_dies_while_its_death_is_asked_for_is_noticed() {
    needs_namespaces!();
    needs_strace!();
    let script = r#""$@" & read -r line"#;
    let mut shell = Case::new("/bin/sh")
        .not_pid1()
        .stdin(Stream::Pipe)
        // It waits for the child to take it.
        .mask(bit(libc::SIGUSR1))
        // The call is held up on entry: what dies then was alive before it and is not seen by it.
        .strace(["-e", "trace=prctl", "--inject=prctl:delay_enter=1500000"])
        .args(["-c", script, "sh"])
        .arg(ship::init())
        .args(["-p", "USR1"])
        .child(["record", "sleep"])
        .start();
    // prctl(PR_SET_PDEATHSIG, SIGUSR1, …)
    let wanted = format!("{} {:#x} {:#x} ", libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGUSR1);
    shell.wait_until("init in prctl", |shell| {
        let call = |pid| std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        shell.processes().iter().any(|process| call(process.pid).starts_with(&wanted))
    });
    shell.close_stdin();
    shell.wait_status();
    shell.wait_line("signal=10 ");
}

#[test]
fn i2_a_refused_parent_death_signal_is_a_warning() {
    needs_namespaces!();
    needs_strace!();
    // Not PID 1 the first prctl makes it a subreaper.
    let case = Case::init().not_pid1().strace(["-e", "trace=prctl", "--inject=prctl:error=EPERM:when=2"]);
    let outcome = case.args(["-p", "USR1"]).child(["exit", "44"]).run();
    outcome.assert_exit(44);
    assert!(outcome.trace.contains("PR_SET_PDEATHSIG"), "{outcome}");
    let expected = "init: warning: cannot set the parent-death signal: Operation not permitted, ignoring\n";
    assert_eq!(outcome.err(), expected);
}

#[test]
fn i2_rewrite_and_drop() {
    for (words, variable) in [
        (&["-r", "USR1:USR2", "-r1:0"][..], ""),
        (&["-r10:12", "--rewrite=HUP:0"], ""),
        (&["--rewrite", "sigusr1:SIGUSR2", "-rSIGHUP:0"], ""),
        (&[], "USR1:USR2,HUP:0"),
        (&["-r1:0"], "10:12"),
        (&["-r10:3", "-r10:12"], "10:4,1:0"),
    ] {
        let mut init = init().env("BITTS_REWRITE", variable).args(words).child(["record", "for", "2"]).start();
        init.wait_line("recording");
        for signal in [libc::SIGHUP, libc::SIGUSR1] {
            init.signal(signal);
        }
        init.wait_line("signal=12 ");
        init.signal(libc::SIGTERM);
        let outcome = init.wait();
        outcome.assert_exit(0);
        let numbers: Vec<_> =
            outcome.out().lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
        assert_eq!(numbers, ["recording", "signal=12", "signal=15"], "{words:?} {variable}");
    }
}

#[test]
fn i2_rewrites_of_what_cannot_be_taken_are_told_at_v() {
    for name in ["KILL", "STOP", "CHLD"] {
        let rule = format!("{name}:TERM");
        let quiet = run(&["-r", &rule], &["exit", "3"]);
        quiet.assert_exit(3);
        assert_eq!(quiet.err(), "");
        let told = run(&["-v", "-r", &rule], &["exit", "3"]);
        told.assert_exit(3);
        assert!(told.err().lines().any(|line| line.contains(name) && line.contains("no effect")), "{told}");
    }
}

#[test]
fn i2_a_rewrite_to_kill_or_stop_works() {
    let mut killed = init().args(["-r", "USR1:KILL"]).child(["ready", "sleep"]).start();
    killed.wait_line("ready");
    killed.signal(libc::SIGUSR1);
    killed.wait().assert_exit(128 + libc::SIGKILL);
    let mut stopped = init().args(["-r", "USR1:STOP"]).child(["ready", "sleep"]).start();
    stopped.wait_line("ready");
    stopped.signal(libc::SIGUSR1);
    stopped.wait_until("the child stopped", |init| init.children().iter().any(|child| child.state == 'T'));
}

#[test]
fn i2_expect_by_variable() {
    let of = |value: &str, words: &[&str], code: &str| {
        init().env("BITTS_EXPECT", value).args(words).child(["exit", code]).run()
    };
    of("143,130", &[], "143").assert_exit(0);
    of("143,130", &[], "130").assert_exit(0);
    of("143,130", &[], "131").assert_exit(131);
    of("143", &["-e7"], "143").assert_exit(0);
    of("143", &["-e7"], "7").assert_exit(0);
    of("143", &["--no-expect"], "143").assert_exit(143);
    of("", &[], "1").assert_exit(1);
}

#[test]
fn i2_warn_reaped_has_one_line_for_each() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        let lines = |words: &[&str], variable: &str, expected: usize| {
            let case = Case::init().place(place).env("BITTS_WARN_REAPED", variable).args(words);
            let mut init = case.child(["orphans", "3", "record", "for", "1", "exit", "5"]).start();
            init.wait_line("recording");
            // All that is left is init and its child, and above it the harness's reaper where init is not PID 1.
            let left = if place == Place::Pid1 { 2 } else { 3 };
            init.wait_until("the orphans reaped", |init| init.processes().len() == left);
            init.signal(libc::SIGTERM);
            let outcome = init.wait();
            outcome.assert_exit(5);
            let error = outcome.err();
            assert_eq!(error.lines().count(), expected, "{outcome}");
            assert!(error.lines().all(|line| line.starts_with("init: warning: ")), "{outcome}");
        };
        lines(&[], "", 0);
        lines(&["-w"], "", 3);
        lines(&["--warn-reaped"], "0", 3);
        lines(&[], "1", 3);
        lines(&["--no-warn-reaped"], "1", 0);
    }
}

#[test]
fn i2_verbose_speaks_on_stderr_only() {
    let of = |words: &[&str], variable: (&str, &str)| {
        let outcome = init().env(variable.0, variable.1).args(words).child(["say", "word", "exit", "5"]).run();
        outcome.assert_exit(5);
        assert_eq!(outcome.out(), "word\n");
        assert!(outcome.err().lines().all(|line| line.starts_with("init: ")), "{outcome}");
        !outcome.err().is_empty()
    };
    let none = ("A", "");
    assert!(!of(&[], none));
    for words in [&["-v"][..], &["-vv"], &["-vvvv"], &["--verbose"], &["--no-verbose", "-v"]] {
        assert!(of(words, none), "{words:?}");
    }
    for variable in [
        ("BITTS_VERBOSE", "1"),
        ("BITTS_VERBOSE", "3"),
        ("TINI_VERBOSITY", "3"),
        ("DUMB_INIT_DEBUG", "1"),
        ("CATATONIT_DEBUG", ""),
    ] {
        assert!(of(&[], variable), "{variable:?}");
        assert!(!of(&["--no-verbose"], variable), "{variable:?}");
    }
    for variable in [("BITTS_VERBOSE", "0"), ("BITTS_VERBOSE", ""), ("TINI_VERBOSITY", "0"), ("DUMB_INIT_DEBUG", "0")] {
        assert!(!of(&[], variable), "{variable:?}");
        assert!(of(&["-v"], variable), "{variable:?}");
    }
}

#[test]
fn i2_license_help_and_version_are_printed() {
    for (forms, words) in [
        (&["-l", "-L", "--license"][..], &["MIT", "Apache"][..]),
        (&["-h", "--help"], &["PROGRAM", "--expect", "--version"]),
        (&["-V", "--version"], &["tini version "]),
    ] {
        let texts: Vec<_> = forms
            .iter()
            .map(|form| {
                let outcome = init().arg(form).run();
                outcome.assert_exit(0);
                assert_eq!(outcome.err(), "");
                assert!(words.iter().all(|word| outcome.out().contains(word)), "{outcome}");
                assert!(outcome.out().ends_with('\n'));
                // With a program too: it is not started.
                assert_eq!(init().args(["-g", form]).child(["say", "STARTED"]).run(), outcome);
                outcome.out()
            })
            .collect();
        assert!(texts.iter().all(|text| *text == texts[0]));
    }
    // Lines that a terminal of 120 columns shows whole.
    let help = init().arg("-h").run().out();
    assert!(help.lines().all(|line| line.replace('\t', "        ").len() <= 120), "{help}");
}

/// A full disk, a closed descriptor, a reader that is gone, a file at its limit.
#[test]
fn i2_what_cannot_be_printed_ends_with_1() {
    needs_namespaces!();
    let streams: [fn() -> Stream; 4] =
        [|| Stream::Full, || Stream::Closed, || Stream::BrokenPipe, || Stream::FileAtLimit];
    for (number, stream) in streams.iter().enumerate() {
        let init = |name, place| Case::init().name(name).place(place);
        for place in [Place::Pid1, Place::Child] {
            for form in ["-V", "--version", "-h", "--help", "-l", "-L", "--license"] {
                let outcome = init("init", place).stdout(stream()).arg(form).run();
                assert_eq!(outcome.exit(), Some(1), "stream {number}, {form}, {place:?}: {outcome}");
            }
            // dumb-init prints these on standard error.
            for form in ["-V", "--version", "-h", "--help"] {
                let outcome = init("dumb-init", place).stderr(stream()).arg(form).run();
                assert_eq!(outcome.exit(), Some(1), "stream {number}, {form}, {place:?}: {outcome}");
            }
        }
    }
}

// ---- I3, I4: the version, and the name ------------------------------------------------------------------------------

/// The version of the whole workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn i3_version_is_what_dockerd_accepts() {
    for name in ["init", "/sbin/docker-init", "tini", "catatonit", "", "dumb-init/init"] {
        for word in ["--version", "-V"] {
            let outcome = init().name(name).arg(word).run();
            outcome.assert_exit(0);
            assert_eq!(outcome.err(), "");
            let text = outcome.out();
            assert_eq!(text.lines().count(), 1);
            let line = text.strip_suffix('\n').expect("a newline");
            // As dockerd reads it.
            let rest = line.strip_prefix("tini version ").expect("the prefix");
            let parts: Vec<_> = rest.split(" - ").collect();
            assert_eq!(parts.len(), 2, "{line}");
            assert_eq!(parts[0], format!("{VERSION}_bitts"));
            let commit: Vec<_> = parts[1].split('.').collect();
            assert_eq!((commit.len(), commit[0]), (2, "git"), "{line}");
            assert!(!commit[1].is_empty() && commit[1].bytes().all(|byte| byte.is_ascii_alphanumeric()), "{line}");
        }
    }
}

#[test]
fn i3_version_is_printed_whole_by_however_many_calls() {
    needs_strace!();
    let whole = init().arg("--version").run().out();
    let outcome = init().strace(["-e", "trace=write", "--inject=write:error=EINTR:when=1..3"]).arg("--version").run();
    outcome.assert_exit(0);
    assert_eq!(outcome.trace.matches("EINTR").count(), 3, "{outcome}");
    assert_eq!(outcome.out(), whole);
}

#[test]
fn i3_version_as_dumb_init() {
    for name in ["dumb-init", "/usr/bin/dumb-init", "./dumb-init"] {
        for word in ["--version", "-V"] {
            let outcome = init().name(name).arg(word).run();
            outcome.assert_exit(0);
            assert_eq!(outcome.out() + &outcome.err(), format!("dumb-init v1.2.5 (bitts {VERSION})\n"));
        }
    }
}

#[test]
fn i4_help_and_version_as_dumb_init_go_to_stderr() {
    for word in ["--version", "-V", "--help", "-h"] {
        let outcome = init().name("dumb-init").arg(word).run();
        outcome.assert_exit(0);
        assert_eq!(outcome.out(), "", "{word}");
        assert!(!outcome.err().is_empty(), "{word}");
    }
}

#[test]
fn i2_i4_the_licence_goes_to_stdout_as_dumb_init_too() {
    for word in ["-l", "-L", "--license"] {
        let outcome = init().name("dumb-init").arg(word).run();
        outcome.assert_exit(0);
        assert_eq!((outcome.out().lines().count(), outcome.err().as_str()), (1, ""), "{word}");
    }
}

#[test]
fn i4_exec_failures_by_name() {
    for (name, not_found, not_executable) in [
        ("init", 127, 126),
        ("tini", 127, 126),
        ("/sbin/docker-init", 127, 126),
        ("", 127, 126),
        ("dumb-init-x", 127, 126),
        ("catatonit/init", 127, 126),
        ("dumb-init", 2, 2),
        ("/usr/bin/dumb-init", 2, 2),
        ("catatonit", 1, 1),
        ("/usr/libexec/podman/catatonit", 1, 1),
        ("podman-init", 1, 1),
    ] {
        init().name(name).args(["--", "/nonexistent/program"]).run().assert_exit(not_found);
        init().name(name).args(["--", "/etc/passwd"]).run().assert_exit(not_executable);
        // The name is no excuse for a usage error, nor for another status of the child.
        init().name(name).arg("--no-such-option").run().assert_exit(1);
        init().name(name).child(["exit", "44"]).run().assert_exit(44);
    }
}

// ---- I5: what is wrong is told, and nothing is started --------------------------------------------------------------

/// Told as promised: `culprit` in the first of two lines, status 1, nothing started.
#[track_caller]
fn assert_refused(outcome: &Outcome, culprit: &str) {
    outcome.assert_exit(1);
    assert_eq!(outcome.out(), "", "something was started: {outcome}");
    let error = outcome.err();
    assert!(error.ends_with('\n'), "{outcome}");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome}");
    assert!(lines.iter().all(|line| line.starts_with("init: ")), "{outcome}");
    assert!(lines[0].contains(culprit), "no {culprit:?}: {outcome}");
    assert_eq!(lines[1], "init: run 'init --help' for usage", "{outcome}");
}

#[test]
fn i5_wrong_command_lines() {
    let table: [(&[&str], &str); 63] = [
        // Unknown.
        (&["-x"], "-x"),
        (&["-gx"], "x"),
        (&["-vvX"], "X"),
        (&["-?"], "-?"),
        (&["-1"], "-1"),
        (&["-=", "x"], "-="),
        (&["--foo"], "--foo"),
        (&["--foo=bar"], "--foo"),
        (&["--grou"], "--grou"),
        (&["--groups"], "--groups"),
        (&["--Group"], "--Group"),
        (&["--g"], "--g"),
        (&["--=1"], "--=1"),
        (&["---"], "---"),
        (&["--no-"], "--no-"),
        (&["--no-foo"], "--no-foo"),
        (&["--no-no-group"], "--no-no-group"),
        (&["--no-help"], "--no-help"),
        (&["--no-g"], "--no-g"),
        (&["-g-"], "-"),
        (&["- g"], "- g"),
        // A value where none is wanted.
        (&["--group=1"], "--group"),
        (&["--group="], "--group"),
        (&["--verbose=3"], "--verbose"),
        (&["--no-expect=3"], "expect"),
        (&["--help=1"], "--help"),
        (&["--version="], "--version"),
        // Malformed codes.
        (&["-e", "256"], "256"),
        (&["-e256"], "256"),
        (&["-e", "-1"], "-1"),
        (&["-e", ""], "expect"),
        (&["-e", "banana"], "banana"),
        (&["-e", "1x"], "1x"),
        (&["-e", " 1"], " 1"),
        (&["-e", "+1"], "+1"),
        (&["-e", "0x1"], "0x1"),
        (&["-e", "4294967296"], "4294967296"),
        (&["-e", "99999999999999999999"], "99999999999999999999"),
        (&["--expect="], "expect"),
        (&["--expect=300"], "300"),
        (&["-e1", "-e", "300"], "300"),
        // Malformed signals.
        (&["-p", "NOSIG"], "NOSIG"),
        (&["-p", "TERM,INT"], "TERM,INT"),
        (&["-p", "0"], "parent-death"),
        (&["-p", "65"], "65"),
        (&["-p", "RTMIN+31"], "RTMIN+31"),
        (&["-p", "SIGSIGTERM"], "SIGSIGTERM"),
        (&["-p", ""], "parent-death"),
        (&["--parent-death=TERM,INT,FOO"], "parent-death"),
        // Malformed rules.
        (&["-r", "99:1"], "99:1"),
        (&["-r", "1:99"], "1:99"),
        (&["-r", "0:1"], "0:1"),
        (&["-r", "1"], "rewrite"),
        (&["-r", "1:"], "1:"),
        (&["-r", ":1"], ":1"),
        (&["-r", ":"], ":"),
        (&["-r", "1:2:3"], "1:2:3"),
        (&["-r", "TERM:FOO"], "TERM:FOO"),
        (&["-r", "TERM:-1"], "TERM:-1"),
        (&["-r", "TERM=INT"], "TERM=INT"),
        (&["-r1:15", "-r", "x:y"], "x:y"),
        // The second mistake is not told, the first one is.
        (&["--foo", "--bar"], "--foo"),
        (&["-e", "300", "--help"], "300"),
    ];
    for (words, culprit) in table {
        let outcome = init().args(words).child(["say", "STARTED"]).run();
        assert_refused(&outcome, culprit);
    }
}

#[test]
fn i5_missing_words() {
    let table: [(&[&str], &str); 13] = [
        (&[], "no program given"),
        (&["--"], "no program given"),
        (&["-g"], "no program given"),
        (&["-g", "--"], "no program given"),
        (&["-e", "3"], "no program given"),
        (&["--expect=3"], "no program given"),
        (&["-e"], "option '-e' needs a value: CODE"),
        (&["--expect"], "option '--expect' needs a value: CODE"),
        (&["-r"], "option '-r' needs a value: S:R"),
        (&["-ge"], "needs a value: CODE"),
        (&["-p"], "option '-p' needs a value: SIG"),
        (&["--parent-death"], "option '--parent-death' needs a value: SIG"),
        (&["--rewrite"], "option '--rewrite' needs a value: S:R"),
    ];
    for (words, culprit) in table {
        assert_refused(&init().args(words).run(), culprit);
    }
    assert_refused(&init().without_name().run(), "no program given");
    // The value is the next word, whatever it looks like.
    assert_refused(&init().args(["-e", "--"]).child(["say", "STARTED"]).run(), "--");
}

#[test]
fn i5_each_mistake_has_its_line() {
    let table: [(&[&str], &str); 10] = [
        (&["--foo"], "unknown option '--foo'"),
        (&[], "no program given"),
        (&["-t"], "option '-t' needs a value: TIME"),
        (&["--grace"], "option '--grace' needs a value: TIME"),
        (&["--group=x"], "--group takes no value (given 'x')"),
        (&["-e", "256"], "--expect: invalid CODE '256' (expected 0-255)"),
        (&["--grace=x"], "--grace: invalid TIME 'x' (expected 10, 10s, 500ms or 2m)"),
        (&["-rx"], "--rewrite: invalid S:R 'x' (expected two signals, such as TERM:QUIT)"),
        (&["-p", "x"], "--parent-death: invalid SIG 'x' (expected 1-64 or a name, such as TERM)"),
        (
            &["--stop-timeout=x"],
            "--stop-timeout: invalid TIME[:SIG,...] 'x' (expected a time, such as 10s, or 10s:TERM,INT)",
        ),
    ];
    for (words, line) in table {
        let outcome = init().args(words).run();
        outcome.assert_exit(1);
        assert_eq!(outcome.err(), format!("init: fatal: {line}\ninit: run 'init --help' for usage\n"));
    }
    for (name, value, line) in [
        ("BITTS_GROUP", "x", "invalid value 'x' (expected 0 or 1)"),
        ("BITTS_VERBOSE", "x", "invalid number 'x' (expected 0-255)"),
        ("BITTS_EXPECT", "256", "invalid CODE '256' (expected 0-255)"),
        ("BITTS_GRACE", "x", "invalid TIME 'x' (expected 10, 10s, 500ms or 2m)"),
    ] {
        let outcome = init().env(name, value).child(["say", "STARTED"]).run();
        outcome.assert_exit(1);
        assert_eq!(outcome.err(), format!("init: fatal: {name}: {line}\ninit: run 'init --help' for usage\n"));
    }
}

#[test]
fn i5_wrong_variables() {
    let table = [
        ("BITTS_GROUP", "2"),
        ("BITTS_GROUP", "yes"),
        ("BITTS_GROUP", "true"),
        ("BITTS_GROUP", " 1"),
        ("BITTS_GROUP", "01"),
        ("BITTS_SINGLE_CHILD", "on"),
        ("BITTS_SUBREAPER", "-1"),
        ("BITTS_WARN_REAPED", "10"),
        ("BITTS_VERBOSE", "banana"),
        ("BITTS_VERBOSE", "256"),
        ("BITTS_VERBOSE", "-1"),
        ("BITTS_PARENT_DEATH", "NOSIG"),
        ("BITTS_PARENT_DEATH", "0"),
        ("BITTS_REWRITE", "99:1"),
        ("BITTS_REWRITE", "1:2,"),
        ("BITTS_REWRITE", ",1:2"),
        ("BITTS_REWRITE", "1:2,,3:4"),
        ("BITTS_REWRITE", "1:2 3:4"),
        ("BITTS_EXPECT", "256"),
        ("BITTS_EXPECT", "1,256"),
        ("BITTS_EXPECT", "1, 2"),
        ("BITTS_EXPECT", ","),
        ("BITTS_EXPECT", "1:2"),
    ];
    for (name, value) in table {
        let outcome = init().env(name, value).child(["say", "STARTED"]).run();
        assert_refused(&outcome, name);
        assert!(outcome.err().contains(value), "{outcome}");
        // Also where the command line says something else about it.
        assert_refused(&init().env(name, value).args(["-g", "-e3"]).child(["say", "STARTED"]).run(), name);
    }
}

#[test]
fn i5_a_culprit_that_is_no_text_stays_on_one_line() {
    for word in [b"--\nno\x1b[2J\x7f".to_vec(), b"--\xff\xfe".to_vec(), [b"--".to_vec(), vec![b'x'; 100_000]].concat()]
    {
        let outcome = init().arg(std::ffi::OsString::from_vec(word)).child(["say", "STARTED"]).run();
        assert_refused(&outcome, "--");
        assert!(!outcome.stderr.iter().any(|byte| *byte < b' ' && *byte != b'\n' || *byte == 0x7f), "{outcome}");
        assert!(outcome.stderr.len() < 2000);
    }
}

#[test]
fn i5_as_pid_1_too() {
    needs_namespaces!();
    assert_refused(&Case::init().arg("--foo").child(["say", "STARTED"]).run(), "--foo");
    assert_refused(&Case::init().env("BITTS_EXPECT", "256").child(["say", "STARTED"]).run(), "BITTS_EXPECT");
    // Whatever was inherited.
    let case = Case::init().mask(sys::ALL_SIGNALS).ignored(bit(libc::SIGCHLD) | bit(libc::SIGTERM));
    assert_refused(&case.args(["-e", "256"]).child(["say", "STARTED"]).run(), "256");
}

#[test]
fn i5_the_peers_variables_keep_their_leniency() {
    for (name, value) in [
        ("TINI_VERBOSITY", "banana"),
        ("TINI_VERBOSITY", "-1"),
        ("TINI_VERBOSITY", ""),
        ("TINI_VERBOSITY", "99999999999999999999"),
        ("TINI_SUBREAPER", "banana"),
        ("TINI_KILL_PROCESS_GROUP", "banana"),
        ("DUMB_INIT_SETSID", "banana"),
        ("DUMB_INIT_DEBUG", "banana"),
        ("CATATONIT_DEBUG", "banana"),
        // Not ours to judge.
        ("BITTS_", "banana"),
        ("BITTS_NO_SUCH_OPTION", "banana"),
        ("BITTS_HELP", "1"),
        ("BITTS_VERSION", "1"),
        ("BITTS_GROUPS", "banana"),
        ("bitts_group", "banana"),
    ] {
        let outcome = init().env(name, value).child(["say", "STARTED", "exit", "44"]).run();
        outcome.assert_exit(44);
        assert_eq!(outcome.out(), "STARTED\n", "{name}={value}");
    }
}
