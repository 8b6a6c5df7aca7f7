//! `--stop-timeout` (I2, I16, I19): a child that does not end in time is killed, and its group with it. Each test's name
//! begins with the promise's number. No test reads a clock: a time-out of an hour never comes, a short one does.

use bitts_tests::procfs::{self, Process};
use bitts_tests::sys;
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace};
use libc::{SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGWINCH};

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// So short that a test can wait for its end.
const SHORT: &str = "--stop-timeout=300ms";

/// Sent last: what was sent before has been dealt with when it arrives.
const MARKER: i32 = 64;

/// init with a recording child, ready.
#[track_caller]
fn recorder(place: Place, options: &[&str]) -> Running {
    let mut init = Case::init().place(place).args(options).child(["record"]).start();
    init.wait_line("recording");
    init
}

/// The processes other than the namespace's first one.
fn left(init: &Running) -> Vec<Process> {
    let mut all = init.processes();
    all.retain(|process| process.inner != 1);
    all
}

/// The child was killed by the time-out, which has told so in one line.
#[track_caller]
fn assert_timed_out(outcome: &Outcome) {
    outcome.assert_exit(128 + SIGKILL);
    let lines: Vec<_> = outcome.err().lines().map(str::to_owned).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("init: "), "{outcome}");
    // Not the line about a death that nobody knows of (I19).
    assert!(!lines[0].contains("was killed by signal"), "{outcome}");
}

#[test]
fn i2_a_child_that_ignores_term_is_killed_in_time() {
    needs_namespaces!();
    for place in PLACES {
        for child in [&["record"][..], &["ignore", "15", "say", "recording", "sleep"]] {
            for (options, variable) in [
                (&[SHORT][..], ""),
                (&["--stop-timeout", "1ms"], ""),
                (&["-g", SHORT], ""),
                (&["-c", SHORT], ""),
                (&[], "300ms"),
            ] {
                let case = Case::init().place(place).env("BITTS_STOP_TIMEOUT", variable).args(options);
                let mut init = case.child(child).start();
                init.wait_line("recording");
                init.signal(SIGTERM);
                assert_timed_out(&init.wait());
            }
        }
        // As any other death (I18).
        let init = recorder(place, &[SHORT, "-e137"]);
        init.signal(SIGTERM);
        init.wait().assert_exit(0);
    }
}

#[test]
fn i2_a_child_that_ends_in_time_is_left_alone() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&["--stop-timeout=60m"][..], &["-g", "--stop-timeout", "3600"]] {
            let case = || Case::init().place(place).args(options);
            let mut init = case().child(["record", "until", "15", "exit", "7"]).start();
            init.wait_line("recording");
            init.signal(SIGTERM);
            let outcome = init.wait();
            outcome.assert_exit(7);
            assert_eq!(outcome.err(), "");
            let mut init = case().child(["ready", "sleep"]).start();
            init.wait_line("ready");
            init.signal(SIGTERM);
            let outcome = init.wait();
            outcome.assert_exit(143);
            assert_eq!(outcome.err(), "");
        }
        // It has ended long before: nothing of it is left to be killed, and no other process is.
        let words = ["child", "say", "recording", "record", "for", "1", "end", "record", "until", "12", "exit", "7"];
        let case = Case::init().place(place).args(["--stop-timeout=2s:USR2", "--wait-all"]).child(words);
        let mut init = case.start();
        init.wait_lines("recording", 3);
        init.signal(libc::SIGUSR2);
        let above = if place == Place::Pid1 { 0 } else { 1 };
        init.wait_until("a reaped child", |init| init.processes().len() == 2 + above);
        // The passing of time is the point: more than the time-out, which is long enough for a child to end in.
        std::thread::sleep(std::time::Duration::from_secs(3));
        let other = left(&init).into_iter().find(|process| process.comm == "witness").expect("it lives");
        sys::kill(other.pid, SIGUSR1, None).expect("it lives");
        init.wait_line("signal=10 ");
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert_eq!(outcome.err(), "", "{place:?}");
    }
}

/// None of these starts the clock; a time-out of a millisecond would have killed the child.
#[test]
fn i2_only_its_signals_start_the_clock() {
    needs_namespaces!();
    let cases: [(&[&str], &[i32]); 5] = [
        (&["--stop-timeout=1ms"], &[SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGCONT, SIGWINCH, 34]),
        (&["--stop-timeout=1ms:QUIT"], &[SIGHUP, SIGINT, SIGUSR1]),
        (&["--stop-timeout=1ms:QUIT", "-r", "USR1:TERM"], &[SIGUSR1]),
        // Nothing is sent.
        (&["--stop-timeout=1ms", "-r", "TERM:0"], &[SIGTERM]),
        (&["--stop-timeout=1ms", "--no-stop-timeout"], &[SIGTERM]),
    ];
    for place in PLACES {
        for (options, signals) in cases {
            let mut init = recorder(place, options);
            for signal in signals {
                init.signal(*signal);
                init.wait_until("a taken signal", |init| init.signals().pending == 0);
            }
            // The passing of time is the point.
            std::thread::sleep(std::time::Duration::from_millis(50));
            init.signal(MARKER);
            init.wait_line(&format!("signal={MARKER} "));
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            assert_eq!(init.stderr(), b"", "{place:?} {options:?}");
        }
    }
}

#[test]
fn i2_each_of_its_signals_starts_the_clock() {
    needs_namespaces!();
    let cases: [(&[&str], i32); 12] = [
        (&["--stop-timeout=300ms:QUIT"], SIGQUIT),
        (&["--stop-timeout=300ms:HUP,SIGQUIT,40"], SIGHUP),
        (&["--stop-timeout=300ms:HUP,SIGQUIT,40"], SIGQUIT),
        (&["--stop-timeout=300ms:HUP,SIGQUIT,RTMIN+6"], 40),
        // The signal that it was rewritten to counts.
        (&["--stop-timeout=300ms", "-r", "HUP:TERM"], SIGHUP),
        (&["--stop-timeout=300ms:USR1", "-r", "INT:USR1"], SIGINT),
        // And so does the one that was received.
        (&["--stop-timeout=300ms", "-r", "TERM:QUIT"], SIGTERM),
        (&["--stop-timeout=300ms", "-r", "TERM:64"], SIGTERM),
        (&["--stop-timeout=300ms:QUIT,40", "-r", "QUIT:USR1", "-r", "40:41"], SIGQUIT),
        (&["--stop-timeout=300ms:QUIT,40", "-r", "QUIT:USR1", "-r", "40:41"], 40),
        (&["--stop-timeout=300ms", "-r", "TERM:USR1", "-r", "USR1:HUP"], SIGTERM),
        (&["--stop-timeout=300ms:TERM", "--caught-only"], SIGTERM),
    ];
    for place in PLACES {
        for (options, signal) in cases {
            let init = recorder(place, options);
            init.signal(signal);
            assert_timed_out(&init.wait());
        }
    }
}

/// Requests that come faster than the time passes: were it counted from the last one, it would never be over.
#[test]
fn i2_the_clock_is_not_restarted() {
    needs_namespaces!();
    for place in PLACES {
        let init = recorder(place, &["--stop-timeout=500ms", "-r", "USR1:TERM"]);
        let process = sys::open_process(init.pid()).expect("it lives");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(15);
        let mut signals = [SIGTERM, SIGUSR1, SIGHUP, SIGINT].into_iter().cycle();
        // It may end between the look and the signal.
        while !sys::wait_for_end(&process, std::time::Duration::from_millis(20)) {
            assert!(std::time::Instant::now() < until, "{place:?}: never killed");
            let _ = sys::kill(init.pid(), signals.next().expect("a cycle"), None);
        }
        init.wait().assert_exit(128 + SIGKILL);
    }
}

/// As from a child that has become another user's.
#[test]
fn i2_what_could_not_be_sent_starts_no_clock() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&["--stop-timeout=1ms"][..], &["--stop-timeout=1ms", "-g"]] {
            let refused = [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_pidfd_send_signal];
            let case = Case::init().place(place).arg("-v").args(options).refuse(libc::EPERM, refused);
            let mut init = case.child(["record"]).start();
            init.wait_line("recording");
            init.signal(SIGTERM);
            init.wait_error_line("init: cannot send 15 (SIGTERM) to ");
            // The passing of time is the point.
            std::thread::sleep(std::time::Duration::from_millis(50));
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            let told = String::from_utf8_lossy(&init.stderr()).into_owned();
            assert!(!told.contains("SIGKILL") && !told.contains("kill"), "{place:?} {options:?}: {told}");
        }
    }
}

/// Its kill is refused: that is told as what it is, and no later request makes it try again.
#[test]
fn i2_the_clock_runs_once_and_killed_is_said_of_what_was() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        let case = Case::init().place(place).args(["-v", "--stop-timeout=100ms"]);
        // The first is TERM to the child.
        let mut init = case
            .strace_alone(["-e", "trace=kill", "--inject=kill:error=EPERM:when=2+"])
            .child(["record", "until", "64", "exit", "7"])
            .start();
        init.wait_line("recording");
        init.signal(SIGTERM);
        init.wait_line("signal=15 ");
        init.wait_error_line("init: cannot send 9 (SIGKILL) to ");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        init.end_tracing();
        init.signal(SIGTERM);
        init.wait_lines("signal=15 ", 2);
        // More than the time-out.
        std::thread::sleep(std::time::Duration::from_millis(500));
        init.signal(MARKER);
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert!(!outcome.err().contains("killed"), "{place:?}: {outcome}");
    }
}

#[test]
fn i19_a_stop_timeout_has_a_line_of_its_own() {
    needs_namespaces!();
    for options in [&[SHORT][..], &[SHORT, "-g"], &[SHORT, "--grace=60m"]] {
        let init = recorder(Place::Pid1, options);
        init.signal(SIGTERM);
        let outcome = init.wait();
        outcome.assert_exit(128 + SIGKILL);
        assert_eq!(outcome.err(), "init: stop timeout over, killed child 2\n", "{options:?}");
    }
}

#[test]
fn i2_the_childs_group_is_killed_with_it() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&[SHORT, "--wait-all"][..], &[SHORT, "-g", "--wait-all"]] {
            let words = ["child", "record", "end", "child", "setpgid", "record", "until", "10", "end", "record"];
            let mut init = Case::init().place(place).args(options).child(words).start();
            init.wait_lines("recording", 3);
            init.signal(SIGTERM);
            // Of the three the one that is in another group.
            let other =
                |init: &Running| left(init).into_iter().filter(|process| process.comm == "witness").collect::<Vec<_>>();
            init.wait_until("one left", |init| other(init).len() == 1);
            let last = other(&init)[0].pid;
            assert_eq!(procfs::groups(last).expect("it lives").0, last, "{place:?} {options:?}");
            sys::kill(last, SIGUSR1, None).expect("it lives");
            assert_timed_out(&init.wait());
        }
    }
}

/// It shares no group with init then, whose own would be killed with it.
#[test]
fn i16_with_a_stop_timeout_the_child_has_its_own_group() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        for options in [&["--stop-timeout=60m"][..], &["--stop-timeout=60m", "-c"], &["--stop-timeout=60m:QUIT"]] {
            let init = recorder(place, options);
            let child = init.children()[0].pid;
            let (group, session, _) = procfs::groups(child).expect("it lives");
            assert_eq!(group, child, "{place:?} {options:?}");
            assert_eq!(session, procfs::groups(init.pid()).expect("it lives").1, "the session stays: {place:?}");
        }
        let init = recorder(place, &["--stop-timeout=60m", "--no-stop-timeout"]);
        let child = init.children()[0].pid;
        assert_eq!(procfs::groups(child).expect("it lives").0 == child, place == Place::Pid1, "{place:?}");
    }
}

/// Signals go to the child alone, whatever its group is killed for.
#[test]
fn i2_a_stop_timeout_makes_nothing_be_sent_to_the_group() {
    needs_namespaces!();
    for place in PLACES {
        let mut init =
            Case::init().place(place).arg("--stop-timeout=60m").child(["child", "record", "end", "record"]).start();
        init.wait_lines("recording", 2);
        for signal in [SIGHUP, SIGTERM, 40] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        let both: Vec<_> = left(&init).into_iter().filter(|process| process.comm == "witness").collect();
        assert_eq!(both.len(), 2);
        both.iter().for_each(|process| sys::kill(process.pid, MARKER, None).expect("it lives"));
        init.wait_lines(&format!("signal={MARKER} "), 2);
        for signal in [SIGHUP, SIGTERM, 40] {
            let output = String::from_utf8_lossy(&init.stdout()).into_owned();
            assert_eq!(output.matches(&format!("signal={signal} ")).count(), 1, "{place:?}: {output}");
        }
    }
}

/// A stopped child is continued behind TERM (I15); one that is stopped again is killed all the same.
#[test]
fn i2_a_stopped_child_is_killed_too() {
    needs_namespaces!();
    for place in PLACES {
        // Enough to come to its second stop in.
        let case = Case::init().place(place).arg("--stop-timeout=3s");
        let mut init = case.child(["block", "15", "say", "recording", "stop", "stop", "record"]).start();
        let child = |init: &Running| left(init).into_iter().find(|process| process.comm == "witness").map(|p| p.state);
        init.wait_until("a stopped child", |init| child(init) == Some('T'));
        init.signal(SIGTERM);
        init.wait_lines("stopping", 2);
        assert_timed_out(&init.wait());
    }
}

/// What remains has its grace from then on.
#[test]
fn i14_the_grace_begins_when_the_time_out_has_killed_the_child() {
    needs_namespaces!();
    for place in PLACES {
        let words = ["child", "setsid", "record", "until", "18", "say", "done", "end", "record"];
        let mut init = Case::init().place(place).args([SHORT, "--grace=60m"]).child(words).start();
        init.wait_lines("recording", 2);
        init.signal(SIGTERM);
        let outcome = init.wait();
        assert_timed_out(&outcome);
        assert!(outcome.out().contains("done"), "{place:?}: {outcome}");
    }
}

/// One timer, and only once the clock runs.
#[test]
fn i13_a_running_time_out_costs_no_context_switch() {
    needs_namespaces!();
    let check = |place| {
        let mut init = recorder(place, &["--stop-timeout=60m"]);
        init.signal(SIGTERM);
        init.wait_line("signal=15 ");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        let before = init.context_switches();
        // The passing of time is what is measured here.
        std::thread::sleep(std::time::Duration::from_secs(3));
        assert_eq!(init.context_switches() - before, 0, "{place:?}");
    };
    std::thread::scope(|scope| PLACES.iter().for_each(|place| drop(scope.spawn(move || check(*place)))));
}

/// It is for the child's end, whoever sends the request; a broken standard error does not matter (B2).
#[test]
fn b2_a_time_out_does_not_depend_on_stderr() {
    needs_namespaces!();
    for stderr in [Stream::Closed, Stream::Full, Stream::FullPipe, Stream::BrokenPipe] {
        let mut init = Case::init().arg(SHORT).stderr(stderr).child(["record"]).start();
        init.wait_line("recording");
        init.signal_from_inside(SIGTERM);
        init.wait().assert_exit(128 + SIGKILL);
    }
}

/// Whoever sets the machine's clock neither cuts a time short nor makes it longer.
#[test]
fn i14_i15_times_are_those_of_a_clock_that_nobody_sets() {
    needs_namespaces!();
    needs_strace!();
    for (options, words) in [
        (["--stop-timeout", "100ms"], &["ignore", "15", "ready", "sleep"][..]),
        (["--grace", "100ms"], &["child", "ignore", "15", "ready", "sleep", "end", "record", "for", "1"]),
    ] {
        let case = Case::init().args(options).strace(["-e", "trace=execve,clock_gettime,gettimeofday,time"]);
        let mut init = case.child(words).start();
        init.wait_line("ready");
        init.signal(libc::SIGTERM);
        let outcome = init.wait();
        let mut calls = outcome.calls_after_exec();
        // The second part of a call that another process's line has interrupted.
        calls.retain(|call| !call.starts_with("<..."));
        assert!(!calls.is_empty(), "{options:?}: {outcome}");
        let set = calls.iter().find(|call| !call.starts_with("clock_gettime(CLOCK_MONOTONIC, "));
        assert_eq!(set, None, "{options:?}: {outcome}");
    }
}

/// `{tv_sec=S, tv_nsec=N}` in a line of strace, in whole milliseconds.
fn milliseconds(line: &str) -> u64 {
    let value = |key: &str| -> u64 {
        let digits = line.split_once(key).map_or("", |(_, rest)| rest).split(|c: char| !c.is_ascii_digit()).next();
        digits.unwrap_or_default().parse().unwrap_or_else(|_| panic!("no {key} in {line}"))
    };
    value("tv_sec=") * 1000 + value("tv_nsec=") / 1_000_000
}

#[test]
fn i15_what_is_left_of_a_time_is_what_has_not_passed_of_it() {
    needs_namespaces!();
    needs_strace!();
    // So that some of it has passed when init asks.
    let delay = "--inject=clock_gettime:delay_enter=30000";
    let case = Case::init().args(["--stop-timeout", "60m"]);
    let case = case.strace_alone(["-e", "trace=clock_gettime,rt_sigtimedwait", delay]);
    let mut init = case.child(["ignore", "15", "ready", "sleep"]).start();
    init.wait_line("ready");
    init.signal(SIGTERM);
    init.wait_until("a rest", |init| {
        init.signals().pending == 0 && procfs::sleeps_in(init.pid(), libc::SYS_rt_sigtimedwait)
    });
    sys::kill(init.children().first().expect("the child").pid, SIGKILL, None).expect("it lives");
    let outcome = init.wait();
    outcome.assert_exit(137);
    // The clock's beginning, and what init asks before its last wait.
    let lines: Vec<_> = outcome.trace.lines().filter(|line| line.contains('(')).collect();
    let lines: Vec<_> = lines.into_iter().skip_while(|line| !line.starts_with("clock_gettime(")).collect();
    let [begun, .., asked, waited] = lines[..] else { panic!("{outcome}") };
    assert!(asked.starts_with("clock_gettime(") && waited.starts_with("rt_sigtimedwait("), "{outcome}");
    let passed = milliseconds(asked) - milliseconds(begun);
    assert!(passed >= 30, "{outcome}");
    // What stands before the timeout is a set and an address.
    assert_eq!(milliseconds(waited), 3_600_000 - passed, "{outcome}");
}
