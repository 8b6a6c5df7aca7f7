//! What becomes of the processes that outlive the main child (I14): `--grace` and `--wait-all`. Each test's name begins with
//! the promise's number. No test reads a clock: what must come at once comes before a grace of an hour, and what must come
//! by the deadline has a grace that is short.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bitts_tests::procfs::{self, Process, Status};
use bitts_tests::sys;
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace, ship, tools};
use libc::{SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGUSR1, SIGUSR2};

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// Nobody waits that long: every wait of the harness has a deadline of seconds.
const FOREVER: [&str; 2] = ["--grace", "60m"];

/// So short that a test can wait for its end.
const SHORT: [&str; 2] = ["--grace", "300ms"];

/// What a process that outlives the child does. Each says `recording` when it is there.
const PLAIN: [&str; 3] = ["say", "recording", "sleep"];
const STUBBORN: [&str; 5] = ["ignore", "1,2,3,15", "say", "recording", "sleep"];
/// Ends when TERM and CONT have come, and says so.
const OBEDIENT: [&str; 5] = ["record", "for", "2", "say", "done"];
const RECORDER: [&str; 1] = ["record"];

/// Sent last, past init: what was sent before has been taken when it arrives.
const MARKER: i32 = 64;

/// What init says when it gives up.
const UNKILLABLE: &str = "init: warning: some processes are left, ignoring";

/// What it says before it kills them, and where a second stop request made it do so.
const CUT_SHORT: &str = "init: grace period cut short, killing remaining processes";
const GRACE_OVER: &str = "init: grace period over, killing remaining processes";

/// The last words of the child of [`with`].
const STATUS: i32 = 7;

/// init, its child, and the `others` below that, all ready; when standard input is closed the child ends with 7.
#[track_caller]
fn with(case: Case, others: &[&[&str]]) -> Running {
    let mut words = Vec::new();
    for other in others {
        words.push("child");
        words.extend_from_slice(other);
        words.push("end");
    }
    words.extend(["ready", "cat", "exit", "7"]);
    let mut init = case.stdin(Stream::Pipe).child(words).start();
    init.wait_line("ready");
    if !others.is_empty() {
        init.wait_lines("recording", others.len());
    }
    init
}

/// The same at `place`, with `options`.
#[track_caller]
fn at(place: Place, options: &[&str], others: &[&[&str]]) -> Running {
    with(Case::init().place(place).args(options), others)
}

/// init's only child.
#[track_caller]
fn child(init: &Running) -> Process {
    let children = init.children();
    assert_eq!(children.len(), 1, "{children:?}");
    children[0].clone()
}

/// Ends the child, and waits until init has reaped it.
#[track_caller]
fn end_child(init: &mut Running) {
    let child = child(init).pid;
    init.close_stdin();
    init.wait_until("a reaped child", |init| init.processes().iter().all(|process| process.pid != child));
}

/// How often `signal` was recorded.
fn count(output: &[u8], signal: i32) -> usize {
    String::from_utf8_lossy(output).matches(&format!("signal={signal} ")).count()
}

/// Every signal that was recorded, in order of the numbers, with repetitions.
fn recorded(output: &[u8]) -> Vec<i32> {
    let output = String::from_utf8_lossy(output).into_owned();
    let number = |line: &str| line.strip_prefix("signal=")?.split(' ').next()?.parse().ok();
    let mut all: Vec<i32> = output.lines().filter_map(number).collect();
    all.sort_unstable();
    all
}

fn warnings(outcome: &Outcome) -> usize {
    outcome.err().lines().filter(|line| line.starts_with("init: warning: ")).count()
}

fn state(pid: i32) -> char {
    Status::read(pid).map_or('X', |status| status.get("State").chars().next().expect("a letter"))
}

/// A stranger in init's PID namespace, neither a relative of init nor of its child, that records.
#[track_caller]
fn neighbour(init: &Running) -> Running {
    let mut neighbour = Case::witness().inside(init).args(["record"]).start();
    neighbour.wait_line("recording");
    neighbour
}

/// Nothing was sent to it up to now.
#[track_caller]
fn assert_untouched(recorder: &mut Running) {
    recorder.signal(MARKER);
    recorder.wait_line(&format!("signal={MARKER} "));
    assert_eq!(recorded(&recorder.stdout()), [MARKER]);
}

/// The processes other than the namespace's first one.
fn left(init: &Running) -> Vec<Process> {
    let mut all = init.processes();
    all.retain(|process| process.inner != 1);
    all
}

// ---- No grace -------------------------------------------------------------------------------------------------------

#[test]
fn i14_without_grace_it_ends_with_the_child_and_signals_nobody() {
    needs_namespaces!();
    let cases: [&dyn Fn(Case) -> Case; 8] = [
        &|case| case,
        &|case| case.args(["--grace", "0"]),
        &|case| case.args(["-t0s"]),
        &|case| case.args(["--grace=0ms"]),
        &|case| case.args(["-t", "60m", "--no-grace"]),
        &|case| case.env("BITTS_GRACE", ""),
        &|case| case.env("BITTS_GRACE", "60m").args(["-t0"]),
        &|case| case.env("BITTS_GRACE", "60m").env("BITTS_WAIT_ALL", "1").args(["--no-grace", "--no-wait-all"]),
    ];
    for case in cases {
        for place in PLACES {
            let mut init = with(case(Case::init().place(place)), &[&RECORDER]);
            init.close_stdin();
            assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
            if place == Place::Child {
                // It lives on, and has got nothing.
                let [recorder] = &left(&init)[..] else { panic!("one recorder: {:?}", left(&init)) };
                sys::kill(recorder.pid, MARKER, None).expect("it lives");
                init.wait_line(&format!("signal={MARKER} "));
                assert_eq!(recorded(&init.stdout()), [MARKER]);
            }
        }
    }
}

// ---- Grace ----------------------------------------------------------------------------------------------------------

#[test]
fn i14_it_ends_at_once_where_nobody_is_left() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&FOREVER[..], &["-t", "3600"], &["-t3600s"], &["-g", "--grace=3600000ms"]] {
            for (words, status) in [(["exit", "0"], 0), (["exit", "7"], 7), (["die", "15"], 143), (["die", "40"], 168)]
            {
                Case::init().place(place).args(options).child(words).run().assert_exit(status);
            }
            let outcome = Case::init().place(place).args(options).child(["orphans", "20", "exit", "7"]).run();
            outcome.assert_exit(7);
            Case::init().place(place).args(options).arg("/no-such-program").run().assert_exit(127);
        }
        Case::init().place(place).env("BITTS_GRACE", "60m").child(["exit", "7"]).run().assert_exit(7);
    }
}

#[test]
fn i14_what_is_left_gets_term_and_cont_once_and_is_waited_for() {
    needs_namespaces!();
    let others: [(&str, &[&str]); 4] = [
        ("in the child's group", &OBEDIENT),
        ("in another group", &["setpgid", "record", "for", "2", "say", "done"]),
        ("in another session", &["setsid", "record", "for", "2", "say", "done"]),
        ("an orphan", &["child", "record", "for", "2", "say", "done", "end"]),
    ];
    for place in PLACES {
        for options in [&FOREVER[..], &["-g", "-t60m"]] {
            for (what, other) in others {
                let mut init = at(place, options, &[other]);
                init.close_stdin();
                let outcome = init.wait();
                assert_eq!(outcome.exit(), Some(STATUS), "{what} {place:?}: {outcome}");
                assert!(outcome.out().contains("done"), "{what} {place:?}: {outcome}");
                assert_eq!(recorded(&outcome.stdout), [SIGTERM, SIGCONT], "{what} {place:?}: {outcome}");
                assert_eq!(outcome.err(), "", "{what} {place:?}");
            }
            // All of them, and what does nothing about TERM.
            let mut all: Vec<&[&str]> = others.iter().map(|(_, other)| *other).collect();
            all.push(&PLAIN);
            let mut init = at(place, options, &all);
            init.close_stdin();
            let outcome = init.wait();
            outcome.assert_exit(STATUS);
            assert_eq!(outcome.out().matches("done").count(), 4, "{place:?}: {outcome}");
        }
    }
}

/// A worker that still has half a second's work to do: under tini and catatonit it has no time, under dumb-init a signal.
const WORKER: &str = "(trap 'sleep 0.5; echo worker is done; exit 3' TERM; echo recording
    while :; do sleep 0.05; done) & read word; exit 7";

fn worker(case: Case) -> Outcome {
    let mut init = case.stdin(Stream::Pipe).args(["--", "sh", "-c", WORKER]).start();
    init.wait_line("recording");
    init.write(b"\n");
    init.wait()
}

#[test]
fn i14_a_worker_has_its_half_second() {
    needs_namespaces!();
    for place in PLACES {
        let outcome = worker(Case::init().place(place).args(FOREVER));
        outcome.assert_exit(7);
        assert!(outcome.out().contains("worker is done"), "{place:?}: {outcome}");
    }
    for name in ["tini", "dumb-init", "catatonit"] {
        let Some(peer) = tools::peer(name) else { continue };
        let outcome = worker(Case::new(peer));
        outcome.assert_exit(7);
        assert!(!outcome.out().contains("worker is done"), "{name}: {outcome}");
    }
}

#[test]
fn i14_pid_1_waits_where_it_may_not_look_who_is_left() {
    needs_namespaces!();
    for call in [libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal, libc::SYS_getdents64] {
        for errno in [libc::ENOSYS, libc::EPERM, libc::EMFILE] {
            let outcome = worker(Case::init().refuse(errno, [call]).args(FOREVER));
            outcome.assert_exit(7);
            assert!(outcome.out().contains("worker is done"), "{call} {errno}: {outcome}");
        }
    }
}

/// Before init has looked for the first time, and closed what it finds open: it follows those that are left all the same.
#[test]
fn i13_i14_who_is_left_by_a_child_that_has_ended_at_once_is_waited_for_asleep() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        // Held up when the child has been started.
        let inject = "--inject=sched_yield:delay_exit=60000000";
        let case = Case::init().place(place).args(FOREVER).strace_alone(["-e", "trace=sched_yield", inject]);
        let mut init = case.child(["child", "record", "until", "10", "end", "exit", "7"]).start();
        init.wait_line("recording");
        init.wait_until("a dead child", |init| !init.zombies().is_empty());
        init.end_tracing();
        init.wait_line("signal=15 ");
        init.wait_asleep_in(libc::SYS_ppoll);
        let switches = init.context_switches();
        let [worker] = &init.children()[..] else { panic!("one is left") };
        sys::kill(worker.pid, SIGHUP, None).expect("it lives");
        init.wait_line("signal=1 ");
        assert_eq!(init.context_switches(), switches, "{place:?}");
        sys::kill(worker.pid, SIGUSR1, None).expect("it lives");
        init.wait().assert_exit(STATUS);
    }
}

/// A filter that refuses pidfd_send_signal(2) alone: the process is there, and may not be signalled.
#[test]
fn i14_a_subreaper_waits_for_whom_it_may_not_ask_to_end() {
    needs_namespaces!();
    let case = Case::init().not_pid1().args(FOREVER).refuse(libc::EPERM, [libc::SYS_pidfd_send_signal]);
    let mut init = with(case, &[&["record", "until", "10"]]);
    init.close_stdin();
    init.wait_asleep_in(libc::SYS_ppoll);
    let [worker] = &init.children()[..] else { panic!("one is left") };
    sys::kill(worker.pid, SIGUSR1, None).expect("it lives");
    let outcome = init.wait();
    outcome.assert_exit(STATUS);
    assert_eq!(recorded(&outcome.stdout), [SIGUSR1], "{outcome}");
}

/// As before Linux 5.3 (pidfd_open) and 5.1 (pidfd_send_signal); or under a profile that knows neither, and answers EPERM (B3).
#[test]
fn i14_without_pidfd_a_subreaper_asks_and_kills_its_descendants() {
    needs_namespaces!();
    let older: [&[i64]; 3] = [
        &[libc::SYS_pidfd_open],
        &[libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal],
        &[libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal, libc::SYS_close_range],
    ];
    let chain = ["child", "record", "until", "18", "say", "done", "end", "record", "until", "18", "say", "done"];
    let session = ["setsid", "record", "until", "18", "say", "done"];
    let errors = [libc::ENOSYS, libc::EPERM];
    for (refused, errno) in older.iter().flat_map(|refused| errors.map(|errno| (refused, errno))) {
        for place in PLACES {
            let case = |grace: &[&str]| Case::init().place(place).args(grace).refuse(errno, refused.to_vec());
            // A chain of two, a session: each is asked once, and when they have ended the grace is over.
            let mut init = with(case(&FOREVER), &[&chain, &session]);
            init.wait_lines("recording", 3);
            // It is none of a subreaper's, and is not waited for.
            let stranger = (place == Place::Child).then(|| neighbour(&init));
            init.close_stdin();
            assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
            stranger.into_iter().for_each(|mut stranger| assert_untouched(&mut stranger));
            let outcome = init.wait();
            outcome.assert_exit(STATUS);
            let asked = [SIGTERM, SIGCONT].map(|signal| count(&outcome.stdout, signal));
            assert_eq!(asked, [3, 3], "{place:?}: {outcome}");
            assert_eq!(outcome.err(), "", "{place:?}");
            // Those that TERM does not end.
            let mut init = with(case(&SHORT), &[&STUBBORN, &["setsid", "record"]]);
            init.close_stdin();
            assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
            init.wait_until("nobody else", |init| place == Place::Pid1 || left(init).is_empty());
            assert_eq!(init.wait().err(), format!("{GRACE_OVER}\n"), "{place:?}");
        }
    }
}

#[test]
fn i14_the_status_is_the_childs() {
    needs_namespaces!();
    let ends: [(&[&str], i32); 4] =
        [(&["exit", "0"], 0), (&["exit", "44"], 44), (&["die", "15"], 143), (&["die", "40"], 168)];
    for place in PLACES {
        for (end, status) in ends {
            for other in [&["record", "for", "2", "exit", "5"][..], &["ignore", "15", "say", "recording", "sleep"]] {
                let words = [&["child"], other, &["end", "cat"], end].concat();
                let run = |options: &[&str]| {
                    let case = Case::init().place(place).args(SHORT).args(options).stdin(Stream::Pipe);
                    let mut init = case.child(&words).start();
                    init.wait_line("recording");
                    init.close_stdin();
                    init.wait()
                };
                run(&[]).assert_exit(status);
                run(&["-e", &status.to_string()]).assert_exit(0);
                run(&["-e5", "-e137", "-e143"]).assert_exit(if status == 143 { 0 } else { status });
            }
        }
    }
}

#[test]
fn i14_who_ignores_term_is_killed_when_the_grace_is_over() {
    needs_namespaces!();
    let others: [(&str, &[&str]); 4] = [
        ("in the child's group", &STUBBORN),
        ("in another session", &["setsid", "ignore", "15", "say", "recording", "sleep"]),
        ("blocks all", &RECORDER),
        ("many", &["ignore", "15", "say", "recording", "breed", "5"]),
    ];
    for place in PLACES {
        for (what, other) in others {
            let mut init = at(place, &SHORT, &[other, &PLAIN]);
            init.close_stdin();
            assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{what} {place:?}");
            if place == Place::Child {
                // The reaper above is left, and not one zombie for it to reap.
                init.wait_until("nobody else", |init| left(init).is_empty());
            }
            // The grace's kill has a line of its own (I19).
            let outcome = init.wait();
            let error = outcome.err();
            let mut lines: Vec<_> = error.lines().collect();
            // It may give up a second after the kill, which by the clock may be too early for many (I14).
            if (what, place) == ("many", Place::Child) && lines.last() == Some(&UNKILLABLE) {
                lines.pop();
            }
            assert!(lines.len() == 1 && lines[0].starts_with("init: "), "{what} {place:?}: {outcome}");
            assert!(!lines[0].contains("was killed by signal"), "the child was not killed: {outcome}");
        }
    }
}

/// Reaped, each with the signal that has ended it: those that TERM ends before those that only KILL does.
#[test]
fn i14_all_children_are_reaped_before_the_end() {
    needs_namespaces!();
    for place in PLACES {
        let mut init = at(place, &["-w", "-t60m"], &[&PLAIN, &STUBBORN, &OBEDIENT, &["setsid", "record"]]);
        init.close_stdin();
        init.wait_line("done");
        let witnesses = |init: &Running| left(init).iter().filter(|process| process.comm == "witness").count();
        init.wait_until("the two that only KILL ends", |init| witnesses(init) == 2);
        // That cuts the grace short.
        init.signal(SIGTERM);
        let outcome = init.wait();
        outcome.assert_exit(STATUS);
        let reaped: Vec<_> = outcome.err().lines().filter(|line| line.contains("reaped")).map(str::to_owned).collect();
        let of = |text: &str| reaped.iter().filter(|line| line.contains(text)).count();
        assert_eq!(
            (reaped.len(), of("SIGTERM"), of("SIGKILL"), of("exit status")),
            (4, 1, 2, 1),
            "{place:?}: {outcome}"
        );
    }
}

#[test]
fn i14_a_stopped_process_is_continued() {
    needs_namespaces!();
    for place in PLACES {
        // Its TERM would wait for a CONT: with a grace of an hour it ends only if that comes.
        let mut init =
            at(place, &FOREVER, &[&["say", "recording", "stop", "say", "continued by a CONT alone", "sleep"]]);
        init.wait_until("a stopped process", |init| init.processes().iter().any(|process| process.state == 'T'));
        init.close_stdin();
        init.wait().assert_exit(STATUS);
        // One that cleans up when it is asked to.
        let mut init = at(
            place,
            &FOREVER,
            &[&["block", "15", "say", "recording", "stop", "record", "until", "15", "say", "done"]],
        );
        init.wait_until("a stopped process", |init| init.processes().iter().any(|process| process.state == 'T'));
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(STATUS);
        assert!(outcome.out().contains("done"), "{place:?}: {outcome}");
    }
}

#[test]
fn i14_descendants_below_a_subreaper_of_their_own_are_reached() {
    needs_namespaces!();
    let obedient_below =
        ["subreaper", "child", "child", "record", "for", "2", "say", "done", "end", "end", "wait", "sleep"];
    for place in PLACES {
        // The subreaper is ended by TERM, the other one becomes init's.
        let mut init = at(place, &FOREVER, &[&obedient_below]);
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(STATUS);
        assert!(outcome.out().contains("done"), "{place:?}: {outcome}");
        assert_eq!(recorded(&outcome.stdout), [SIGTERM, SIGCONT], "{place:?}: {outcome}");
        // Neither ends by TERM.
        let stubborn = ["ignore", "15", "subreaper", "child", "child", "record", "end", "end", "wait", "sleep"];
        let mut init = at(place, &SHORT, &[&stubborn]);
        init.close_stdin();
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
        init.wait_until("nobody else", |init| place == Place::Pid1 || left(init).is_empty());
    }
}

/// They were there before init: a shell's, which has become init by exec.
#[test]
fn i14_children_from_before_the_exec_are_init_s_as_well() {
    needs_namespaces!();
    let script = r#""$W" record for 2 say done & read word <&9; exec "$@""#;
    for place in PLACES {
        let (theirs, ours) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
        let case = Case::new("/bin/sh").place(place).env("W", tools::witness()).descriptor(9, theirs);
        let case = case.args(["-c", script, "sh"]).arg(ship::init()).args(FOREVER);
        let mut init = case.child(["exit", "7"]).start();
        init.wait_line("recording");
        drop(ours);
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert!(outcome.out().contains("done"), "{place:?}: {outcome}");
    }
}

#[test]
fn i14_processes_that_fork_while_they_are_killed_are_killed_too() {
    needs_namespaces!();
    let others: [(&str, &[&str]); 3] = [
        // At TERM, and then not at KILL.
        ("a successor", &["record", "until", "15", "child", "record", "end", "exit", "0"]),
        ("many successors", &["record", "until", "15", "breed", "6"]),
        (
            "generations",
            &[
                "record", "until", "15", "child", "child", "child", "breed", "3", "end", "breed", "3", "end", "breed",
                "3", "end",
            ],
        ),
    ];
    for place in PLACES {
        for (what, other) in others {
            let mut init = at(place, &SHORT, &[other]);
            init.close_stdin();
            assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{what} {place:?}");
            init.wait_until("nobody else", |init| place == Place::Pid1 || left(init).is_empty());
        }
        // What is another process every moment: init ends, whether it can catch it or not.
        for options in [SHORT, ["--grace", "1ms"]] {
            let mut init = at(place, &options, &[&["ignore", "15", "say", "recording", "hop"]]);
            init.close_stdin();
            assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{place:?}");
        }
    }
}

/// As `docker exec` starts them: their parent is outside, so that init cannot wait for them, only follow them.
#[test]
fn i14_processes_from_outside_are_pid_1s_as_well() {
    needs_namespaces!();
    let recorder = |init: &Running, words: &[&str]| {
        let mut entered = Case::witness().inside(init).args(words).start();
        entered.wait_line("recording");
        entered
    };
    // Alone, and beside one of init's own.
    for others in [&[][..], &[&OBEDIENT[..]]] {
        let mut init = at(Place::Pid1, &FOREVER, others);
        let entered = recorder(&init, &["record", "for", "2", "say", "done"]);
        init.close_stdin();
        let entered = entered.wait();
        // It came to its own end, before init did.
        assert_eq!((entered.exit(), recorded(&entered.stdout)), (Some(0), vec![SIGTERM, SIGCONT]), "{entered}");
        let outcome = init.wait();
        outcome.assert_exit(STATUS);
        assert_eq!(outcome.err(), "");
    }
    // It ends by itself, without TERM having ended it: init sees that.
    let mut init = at(Place::Pid1, &FOREVER, &[]);
    let mut entered =
        Case::witness().inside(&init).stdin(Stream::Pipe).args(["ignore", "15", "say", "recording", "cat"]).start();
    entered.wait_line("recording");
    end_child(&mut init);
    assert_eq!(left(&init).len(), 1);
    entered.close_stdin();
    entered.wait().assert_exit(0);
    init.wait().assert_exit(STATUS);
    // One that TERM does not end.
    let mut init = at(Place::Pid1, &SHORT, &[]);
    let entered = recorder(&init, &["record"]);
    init.close_stdin();
    entered.wait().assert_killed_by(SIGKILL);
    init.wait().assert_exit(STATUS);
}

/// It ends, and is reaped outside, between init's question whether a process is left and its look at /proc.
#[test]
fn i14_a_process_from_outside_that_goes_away_during_the_look_is_not_waited_for() {
    needs_namespaces!();
    needs_strace!();
    let inject = "--inject=openat:delay_enter=60000000:when=1";
    let case = Case::init().place(Place::Pid1).args(FOREVER);
    let mut init = with(case.strace_alone(["-P", "/proc", "-e", "trace=openat", inject]), &[]);
    let mut entered =
        Case::witness().inside(&init).stdin(Stream::Pipe).args(["ignore", "15", "say", "recording", "cat"]).start();
    entered.wait_line("recording");
    init.close_stdin();
    wait_held(&mut init, libc::SYS_openat);
    entered.close_stdin();
    entered.wait().assert_exit(0);
    // At this init goes on.
    init.end_tracing();
    assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
}

/// The kernel goes on with a ppoll after a stop; where something else breaks it off, the one that is followed stays followed.
#[test]
fn i14_a_wait_that_is_broken_off_follows_on() {
    needs_namespaces!();
    needs_strace!();
    let case = Case::init().place(Place::Pid1).args(FOREVER);
    let mut init = with(case.strace_alone(["-e", "trace=ppoll", "--inject=ppoll:error=EINTR:when=1..20"]), &[]);
    // Before its first rest it closes all that it has, and learns by such a call that the pidfd is closed, too: no EINTR comes there.
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    let mut entered =
        Case::witness().inside(&init).stdin(Stream::Pipe).args(["ignore", "15", "say", "recording", "cat"]).start();
    entered.wait_line("recording");
    init.close_stdin();
    init.wait_asleep_in(libc::SYS_ppoll);
    entered.close_stdin();
    entered.wait().assert_exit(0);
    let outcome = init.wait();
    outcome.assert_exit(STATUS);
    assert_eq!(outcome.trace.matches("EINTR").count(), 20, "{}", outcome.trace);
}

/// Dead, but not reaped by its parent outside: that is nobody to wait for.
#[test]
fn i14_a_zombie_of_a_parent_outside_is_not_waited_for() {
    needs_namespaces!();
    let mut init = at(Place::Pid1, &FOREVER, &[]);
    let mut entered = Case::witness().inside(&init).args(["say", "recording", "sleep"]).start();
    entered.wait_line("recording");
    let parent = Status::read(entered.pid()).expect("it lives").get("PPid").parse().expect("a pid");
    sys::kill(parent, SIGSTOP, None).expect("the launcher");
    init.wait_until("a stopped launcher", |_| state(parent) == 'T');
    entered.signal(SIGKILL);
    init.wait_until("a zombie", |init| init.zombies().len() == 1);
    init.close_stdin();
    // The kernel lets a PID 1 end only when all of its namespace is reaped (kernel/pid_namespace.c, `zap_pid_ns_processes`):
    // init is at its end when it is a zombie itself, or waits for that.
    let pid = init.pid();
    init.wait_until("init at its end", |_| !procfs::has_program(pid));
    sys::kill(parent, SIGCONT, None).expect("the launcher");
    init.wait().assert_exit(STATUS);
}

/// The other signals are no reason to hurry.
#[test]
fn i14_term_int_and_quit_cut_the_grace_short() {
    needs_namespaces!();
    for place in PLACES {
        for signal in [SIGTERM, SIGINT, SIGQUIT] {
            for inside in [false, true] {
                let mut init =
                    at(place, &FOREVER, &[&["ignore", "1,2,3,10,15", "record", "for", "2", "say", "stays", "sleep"]]);
                init.close_stdin();
                // The teardown has begun.
                init.wait_line("stays");
                for other in [SIGHUP, SIGUSR1, SIGCONT] {
                    init.signal(other);
                }
                init.wait_until("all taken", |init| init.signals().pending == 0);
                assert_ne!(state(init.pid()), 'Z', "{place:?}");
                assert!(!left(&init).is_empty());
                if inside {
                    init.signal_from_inside(signal)
                } else {
                    init.signal(signal)
                }
                assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{place:?} {signal}");
                init.wait_until("nobody else", |init| place == Place::Pid1 || left(init).is_empty());
            }
        }
    }
}

/// Whether the child has ended is asked first: without an answer it lives.
#[test]
fn b3_where_nobody_may_ask_for_the_child_s_end_a_term_reaches_it() {
    needs_namespaces!();
    for place in PLACES {
        let case = Case::init().place(place).args(WAIT_ALL).refuse(libc::ENOSYS, [libc::SYS_waitid]);
        let mut init = case.child(["record", "for", "1", "exit", "7"]).start();
        init.wait_line("recording");
        init.signal(SIGTERM);
        init.wait().assert_exit(7);
    }
}

/// Also where no descriptor can tell of signals: then those of init's own children are all that wakes it, and a signal.
#[test]
fn b3_without_a_signalfd_a_term_cuts_the_grace_short() {
    needs_namespaces!();
    for place in PLACES {
        let case = Case::init().place(place).args(FOREVER).refuse(libc::ENOSYS, [libc::SYS_signalfd4]);
        let mut init = with(case, &[&["ignore", "15", "record", "until", "18", "say", "stays", "sleep"]]);
        init.close_stdin();
        init.wait_line("stays");
        init.wait_until("it rests", |init| {
            let calls = [libc::SYS_rt_sigtimedwait, libc::SYS_ppoll];
            calls.iter().any(|call| procfs::sleeps_in(init.pid(), *call))
        });
        init.signal(SIGTERM);
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{place:?}");
    }
}

/// It was for the child, which has done as it was told: that is no second request.
#[test]
fn i14_a_term_before_the_childs_end_does_not_cut_the_grace_short() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&FOREVER[..], &["-g", "-t60m"]] {
            let words =
                ["child", "setsid", "record", "for", "2", "say", "done", "end", "record", "until", "15", "exit", "7"];
            let mut init = Case::init().place(place).args(options).child(words).start();
            init.wait_lines("recording", 2);
            init.signal(SIGTERM);
            let outcome = init.wait();
            outcome.assert_exit(7);
            assert!(outcome.out().contains("done"), "{place:?}: {outcome}");
        }
    }
}

// ---- Whom it answers for --------------------------------------------------------------------------------------------

#[test]
fn i14_a_neighbour_of_a_subreaper_gets_nothing() {
    needs_namespaces!();
    for options in [&SHORT[..], &["-t300ms", "-g"], &["-t300ms", "--wait-all"]] {
        let mut init = at(Place::Child, options, &[&OBEDIENT, &STUBBORN, &["setsid", "record"]]);
        let mut neighbour = neighbour(&init);
        end_child(&mut init);
        if options.contains(&"--wait-all") {
            init.signal(SIGUSR1);
            init.signal(SIGTERM);
        }
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
        init.wait_until("the neighbour alone", |init| left(init).len() == 1);
        assert_untouched(&mut neighbour);
    }
}

/// A sibling of init: in the same session and the same process group, with the same parent.
#[test]
fn i14_a_sibling_of_a_subreaper_gets_nothing() {
    needs_namespaces!();
    // The sibling is told apart by its descriptor.
    let script = r#""$W" record 1>&9 & "$@"; echo ended=$?; read word"#;
    let theirs = tempfile::NamedTempFile::new().expect("a file");
    let case = Case::new("/bin/sh").not_pid1().env("W", tools::witness()).stdin(Stream::Pipe);
    let case = case.descriptor(9, theirs.reopen().expect("a file")).args(["-c", script, "sh"]).arg(ship::init());
    let mut shell = case.args(SHORT).child(["child", "record", "end", "exit", "7"]).start();
    let said = || String::from_utf8_lossy(&std::fs::read(theirs.path()).expect("a file")).into_owned();
    shell.wait_until("a recorder", |_| said().contains("recording"));
    shell.wait_line("ended=7");
    let [sibling] = &shell.children()[..] else { panic!("one sibling: {:?}", shell.children()) };
    sys::kill(sibling.pid, MARKER, None).expect("it lives");
    shell.wait_until("a recorded marker", |_| said().contains(&format!("signal={MARKER} ")));
    assert_eq!(recorded(said().as_bytes()), [MARKER]);
}

/// A name may hold anything: one that looks as if init were the process's parent.
#[test]
fn i14_a_process_is_no_descendant_by_its_name() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    let named = |name: &str| -> PathBuf {
        let path = folder.path().join(name);
        {
            let _alone = sys::no_forks();
            std::fs::copy(tools::witness(), &path).expect("a copy");
        }
        path
    };
    for own in ["own) S 1 (", "own", "a b) R 9 9 (c"] {
        let path = named(own);
        let script = "\"$P\" record for 2 say done & read word; exit 7";
        let case = Case::init().not_pid1().args(FOREVER).env("P", &path).stdin(Stream::Pipe);
        let mut init = case.args(["--", "sh", "-c", script]).start();
        init.wait_line("recording");
        let inner = init.processes().iter().find(|process| process.pid == init.pid()).expect("init").inner;
        let mut neighbours: Vec<_> = [format!("x) S {inner} {inner} ("), format!("x\nPPid:\t{inner}\n")]
            .iter()
            .map(|name| {
                let mut neighbour = Case::new(named(name)).inside(&init).args(["record"]).start();
                neighbour.wait_line("recording");
                neighbour
            })
            .collect();
        init.write(b"\n");
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7, "{own}");
        neighbours.iter_mut().for_each(assert_untouched);
        init.wait_line("done");
    }
}

/// Between the look at a descendant and the signal to it, its pid becomes a neighbour's.
#[test]
fn i14_a_pid_that_is_used_again_by_a_neighbour_gets_nothing() {
    needs_namespaces!();
    needs_strace!();
    let inject = "--inject=pidfd_open:delay_enter=1500000:when=1..4";
    // The parent reaps the descendant when that ends: init does not know of it.
    let words = ["record", "until", "15", "wait", "record"];
    let case = Case::init().not_pid1().args(["-t60m"]).strace(["-e", "trace=pidfd_open", inject]);
    let words = [&["child", "child", "record", "end"][..], &words, &["end", "cat", "exit", "7"]].concat();
    let mut init = case.stdin(Stream::Pipe).child(words).start();
    init.wait_lines("recording", 2);
    let child = child(&init);
    let [parent] = &children_of(&init, child.pid)[..] else { panic!("one parent") };
    let [descendant] = &children_of(&init, parent.pid)[..] else { panic!("one descendant") };
    init.close_stdin();
    let pid = init.pid();
    // Held before the call that opens the descendant.
    init.wait_until("a look at the descendant", |_| {
        let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        let mut words = call.split_whitespace();
        words.next() == Some(&libc::SYS_pidfd_open.to_string())
            && words.next() == Some(&format!("{:#x}", descendant.inner))
    });
    // The parent, which comes first by its number, has the teardown's TERM: it waits for the end of the descendant, and reaps it.
    sys::kill(descendant.pid, SIGKILL, None).expect("it lives");
    init.wait_line("waited");
    let script = format!("echo {} > /proc/sys/kernel/ns_last_pid", descendant.inner - 1);
    Case::new("/bin/sh").inside(&init).args(["-c", &script]).run().assert_exit(0);
    let mut neighbour = neighbour(&init);
    let its = init.processes().into_iter().find(|process| process.pid == neighbour.pid()).expect("it lives").inner;
    assert_eq!(its, descendant.inner, "the neighbour has the pid");
    // The rest is cut short.
    init.signal(SIGTERM);
    assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7);
    assert_untouched(&mut neighbour);
}

/// While init looks from whom a neighbour's orphan descends, its parent ends, and the parent's pid becomes a descendant's.
#[test]
fn i14_a_neighbours_orphan_is_no_descendant_by_a_parents_pid_that_is_used_again() {
    // Held up when it has read who the orphan's parent is, and before it looks at that one.
    let orphan = "/proc/3001/status";
    orphan_of_a_pid_used_again(&["-P", orphan, "-e", "trace=close", "--inject=close:delay_exit=60000000:when=1"]);
}

/// The same when it has begun anew once: it finds the parent itself, behind that the orphan, and not the parent, as if that had ended.
#[test]
fn i14_to_begin_anew_is_no_second_look() {
    let files = ["-P", "/proc/3000/status", "-P", "/proc/3001/status", "-e", "trace=openat,close"];
    let inject = ["--inject=openat:error=ENOENT:when=3", "--inject=close:delay_exit=60000000:when=3"];
    orphan_of_a_pid_used_again(&[&files[..], &inject].concat());
}

/// The parent has the number 3000, the orphan 3001; strace holds init up at a close.
#[track_caller]
fn orphan_of_a_pid_used_again(traced: &[&str]) {
    needs_namespaces!();
    needs_strace!();
    const PARENT: i32 = 3000;
    let case = Case::init().not_pid1().args(["-t60m"]).strace(traced);
    // It comes behind several hundred calls, each held up by strace.
    let case = case.deadline(Duration::from_secs(60));
    let words =
        ["child", "record", "until", "10", "child", "record", "end", "record", "end", "ready", "cat", "exit", "7"];
    let mut init = case.stdin(Stream::Pipe).child(words).start();
    init.wait_line("ready");
    init.wait_line("recording");
    let [descendant] = &children_of(&init, child(&init).pid)[..] else { panic!("one descendant") };
    // A neighbour with a child, which has the number, and which has the orphan-to-be.
    let words = ["child", "child", "say", "up", "record", "end", "say", "up", "sleep", "end", "wait", "sleep"];
    last_pid(&init, PARENT - 2);
    let mut neighbour = Case::witness().inside(&init).args(words).start();
    neighbour.wait_lines("up", 2);
    neighbour.wait_line("recording");
    let by_number = |init: &Running, number| init.processes().into_iter().find(|process| process.inner == number);
    let parent = by_number(&init, PARENT).expect("the number was free");
    let [orphan] = &children_of(&init, parent.pid)[..] else { panic!("one orphan-to-be") };
    assert_eq!(orphan.inner, PARENT + 1);
    init.close_stdin();
    // The descendants come first by their numbers, then the parent, then the orphan.
    wait_held(&mut init, libc::SYS_close);
    sys::kill(parent.pid, SIGKILL, None).expect("it lives");
    neighbour.wait_line("waited ");
    last_pid(&init, PARENT - 1);
    sys::kill(descendant.pid, SIGUSR1, None).expect("it lives");
    init.wait_until("a descendant with that number", |init| {
        by_number(init, PARENT).is_some_and(|process| process.parent == descendant.pid)
    });
    // At this init goes on.
    init.end_tracing();
    // Both descendants have the teardown's CONT when init has come past all of them.
    init.wait_lines("signal=18 ", 2);
    sys::kill(orphan.pid, MARKER, None).expect("it lives");
    neighbour.wait_line(&format!("signal={MARKER} "));
    assert_eq!(recorded(&neighbour.stdout()), [MARKER]);
}

/// On a host there may be thousands of processes, none of them below init.
#[test]
fn i14_a_subreaper_without_a_child_looks_at_nobody() {
    needs_namespaces!();
    needs_strace!();
    for others in [&[][..], &[&OBEDIENT[..]]] {
        let case = Case::init().not_pid1().args(FOREVER).strace_alone(["-e", "trace=getdents64"]);
        let mut init = with(case, others);
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(STATUS);
        // The control: with one of them it looks.
        assert_eq!(outcome.trace.contains("getdents64("), !others.is_empty(), "{outcome}");
    }
}

/// As [`with`], and below the child one that records, with the number behind `parent`, which is its parent's; that one's parent reaps
/// it.
#[track_caller]
fn with_a_descendant_behind(case: Case, parent: i32) -> (Running, Process) {
    let other = ["record", "until", "10", "child", "child", "record", "end", "sleep", "end", "wait", "sleep"];
    let mut init = with(case, &[&other]);
    let [grandparent] = &children_of(&init, child(&init).pid)[..] else { panic!("one descendant") };
    last_pid(&init, parent - 1);
    sys::kill(grandparent.pid, SIGUSR1, None).expect("it lives");
    init.wait_lines("recording", 2);
    let [found] = children_of(&init, grandparent.pid).try_into().expect("one parent");
    let [last] = &children_of(&init, found.pid)[..] else { panic!("one child") };
    assert_eq!([found.inner, last.inner], [parent, parent + 1], "the numbers were free");
    (init, found)
}

/// A parent that cannot be looked at may be one that has just ended: so init begins anew, but not for ever.
#[test]
fn i14_a_look_begins_anew_eight_times() {
    needs_namespaces!();
    needs_strace!();
    const PARENT: i32 = 3000;
    let path = format!("/proc/{PARENT}/status");
    for (errors, is_found) in [(8, true), (9, false)] {
        // The first two looks at the file are for the parent itself.
        let inject = format!("--inject=openat:error=ENOENT:when=3..{}", errors + 2);
        let case = Case::init().not_pid1().args(FOREVER).strace_alone(["-P", &path, "-e", "trace=openat", &inject]);
        let (mut init, _) = with_a_descendant_behind(case, PARENT);
        init.close_stdin();
        // CONT comes behind TERM, and when the errors are over.
        init.wait_line("signal=18 ");
        assert_eq!(String::from_utf8_lossy(&init.stdout()).contains("signal=15 "), is_found, "{errors} errors");
    }
}

/// As /proc with hidepid hides the processes of others: what is below them is not init's, and is not looked at for ever.
#[test]
fn i14_b3_a_parent_that_cannot_be_looked_at_ends_the_look() {
    needs_namespaces!();
    needs_strace!();
    const PARENT: i32 = 3000;
    let path = format!("/proc/{PARENT}/status");
    let case = Case::init().not_pid1().args(FOREVER);
    let case = case.strace_alone(["-P", &path, "-e", "trace=openat", "--inject=openat:error=ENOENT"]);
    let mut init = with(case, &[&OBEDIENT]);
    last_pid(&init, PARENT - 1);
    let mut neighbour = Case::witness().inside(&init).args(["child", "record", "end", "sleep"]).start();
    neighbour.wait_line("recording");
    let [child] = children_of(&init, neighbour.pid()).try_into().expect("one child");
    assert_eq!(child.inner, PARENT + 1, "the numbers were free");
    init.close_stdin();
    assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS);
    sys::kill(child.pid, MARKER, None).expect("it lives");
    neighbour.wait_line(&format!("signal={MARKER} "));
    assert_eq!(recorded(&neighbour.stdout()), [MARKER]);
    assert!(init.wait().trace.contains("(INJECTED)"));
}

/// While init looks from whom one descends, the parent ends, so that it has another one.
#[test]
fn i14_a_descendant_whose_parent_ends_at_that_moment_is_asked_to_end() {
    needs_namespaces!();
    needs_strace!();
    const PARENT: i32 = 3000;
    let path = format!("/proc/{}/status", PARENT + 1);
    // The first time that it looks, and the second.
    for when in [2, 4] {
        let inject = format!("--inject=close:delay_exit=60000000:when={when}");
        let case = Case::init().not_pid1().args(FOREVER).strace(["-P", &path, "-e", "trace=close", &inject]);
        let case = case.deadline(Duration::from_secs(60));
        let (mut init, parent) = with_a_descendant_behind(case, PARENT);
        init.close_stdin();
        wait_held(&mut init, libc::SYS_close);
        sys::kill(parent.pid, SIGKILL, None).expect("it lives");
        init.wait_line("waited ");
        init.end_tracing();
        init.wait_line("signal=15 ");
    }
}

/// Between init's opening of a process and its look at whom that descends from, it ends, and its parent reaps it.
#[test]
fn i14_a_descendant_that_is_gone_at_that_moment_holds_nobody_up() {
    needs_namespaces!();
    needs_strace!();
    // The first process that is opened is the parent.
    let inject = "--inject=pidfd_open:delay_exit=60000000:when=2";
    let case = Case::init().not_pid1().args(FOREVER).strace_alone(["-e", "trace=pidfd_open", inject]);
    let parent = ["ignore", "15", "child", "say", "recording", "sleep", "end", "wait", "record", "until", "10"];
    let mut init = with(case, &[&parent]);
    let [parent] = &children_of(&init, child(&init).pid)[..] else { panic!("one descendant") };
    let [last] = &children_of(&init, parent.pid)[..] else { panic!("one child") };
    assert!(parent.inner < last.inner);
    init.close_stdin();
    wait_held(&mut init, libc::SYS_pidfd_open);
    sys::kill(last.pid, SIGKILL, None).expect("it lives");
    init.wait_line("waited ");
    init.wait_lines("recording", 2);
    init.end_tracing();
    init.wait_line("signal=18 ");
    sys::kill(parent.pid, SIGUSR1, None).expect("it lives");
    init.wait().assert_exit(STATUS);
}

/// The next process of init's PID namespace has the number behind this one.
fn last_pid(init: &Running, number: i32) {
    let script = format!("echo {number} > /proc/sys/kernel/ns_last_pid");
    Case::new("/bin/sh").inside(init).args(["-c", &script]).run().assert_exit(0);
}

/// Waits until init is held up in `call`. In every other one it is stopped by strace for a moment, in this one until strace ends.
#[track_caller]
fn wait_held(init: &mut Running, call: i64) {
    let pid = init.pid();
    let mut since = None;
    init.wait_until("it is not held up", |_| {
        since = procfs::is_at(pid, call).then(|| since.unwrap_or_else(Instant::now));
        since.is_some_and(|since| since.elapsed() > Duration::from_secs(1))
    });
}

/// The children of a process of the namespace.
fn children_of(init: &Running, parent: i32) -> Vec<Process> {
    let mut all = init.processes();
    all.retain(|process| process.parent == parent);
    all
}

// ---- What init may not signal ---------------------------------------------------------------------------------------

/// What becomes of a refusal does not depend on its reason.
#[test]
fn i14_who_may_not_be_signalled_is_not_waited_for() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        let inject = "--inject=kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal:error=EPERM";
        let case = Case::init().place(place).args(FOREVER);
        let case = case.strace(["-e", "trace=kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal", inject]);
        // Whatever the harness does with it, the namespace's end is its own: as PID 1 by the kernel.
        let mut init = with(case, &[&RECORDER]);
        init.close_stdin();
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{place:?}");
        if place == Place::Child {
            assert_eq!(left(&init).len(), 1);
            assert_eq!(recorded(&init.stdout()), [] as [i32; 0]);
        }
    }
}

/// As if in the middle of a call that nothing ends: it stays after its KILL. Init does not.
#[test]
fn i14_what_kill_does_not_end_is_waited_for_a_second_and_warned_of() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        let inject = "--inject=kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal:retval=0";
        let case = Case::init().place(place).args(SHORT);
        let case = case.strace(["-e", "trace=kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal", inject]);
        let mut init = with(case, &[&RECORDER]);
        init.close_stdin();
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{place:?}");
        if place == Place::Child {
            assert_eq!(left(&init).len(), 1, "{:?}", left(&init));
        }
        let outcome = init.wait();
        assert_eq!(warnings(&outcome), 1, "{place:?}: {outcome}");
        assert_eq!(recorded(&outcome.stdout), [] as [i32; 0]);
    }
}

/// While init is about to kill one process, another one makes a third, with a number that init's look at all of them is past.
#[test]
fn i14_a_process_forked_behind_the_look_is_killed_too() {
    needs_namespaces!();
    needs_strace!();
    let number_behind = |init: &Running, number: i32| {
        let script = format!("echo {number} > /proc/sys/kernel/ns_last_pid");
        Case::new("/bin/sh").inside(init).args(["-c", &script]).run().assert_exit(0);
    };
    // Held up at the first KILL: before it are TERM and CONT for two.
    let inject = "--inject=pidfd_send_signal:delay_enter=60000000:when=5";
    let case = Case::init().not_pid1().args(SHORT).strace(["-e", "trace=pidfd_send_signal", inject]);
    let forks = ["child", "record", "until", "10", "child", "record", "end", "record", "end"];
    let words = [&["record", "until", "10", "child", "record", "end"], &forks[..], &["cat", "exit", "7"]].concat();
    let mut init = case.stdin(Stream::Pipe).child(words).start();
    init.wait_line("recording");
    let child = child(&init).pid;
    number_behind(&init, 1000);
    sys::kill(child, SIGUSR1, None).expect("it lives");
    init.wait_lines("recording", 3);
    let mut two = children_of(&init, child);
    two.sort_by_key(|process| process.inner);
    let [first, second] = &two[..] else { panic!("two: {two:?}") };
    assert!(first.inner > 1000);
    number_behind(&init, 500);
    // Where the child ends before init rests, there is a second look.
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init.close_stdin();
    let pid = init.pid();
    // Held in a call that sends a KILL, and nobody has got one.
    init.wait_until("about to kill the first one", |_| {
        let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        let words: Vec<_> = call.split_whitespace().collect();
        words.first() == Some(&libc::SYS_pidfd_send_signal.to_string().as_str())
            && words.get(2) == Some(&"0x9")
            && state(first.pid) == 'S'
    });
    sys::kill(second.pid, SIGUSR1, None).expect("it lives");
    init.wait_lines("recording", 4);
    let third = left(&init).into_iter().find(|process| (501..1000).contains(&process.inner));
    assert!(third.is_some(), "{:?}", left(&init));
    // At this init goes on.
    init.end_tracing();
    assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7);
    init.wait_until("nobody else", |init| left(init).is_empty());
    assert_eq!(warnings(&init.wait()), 0);
}

// ---- Without /proc --------------------------------------------------------------------------------------------------

#[test]
fn b3_without_proc_pid_1_tears_down_as_ever() {
    needs_namespaces!();
    let mut init = with(
        Case::init().no_proc().args(FOREVER),
        &[&OBEDIENT, &PLAIN, &["setsid", "record", "for", "2", "say", "done"]],
    );
    init.close_stdin();
    let outcome = init.wait();
    outcome.assert_exit(STATUS);
    assert_eq!((outcome.out().matches("done").count(), warnings(&outcome)), (2, 0), "{outcome}");
    let mut init = with(Case::init().no_proc().args(SHORT), &[&STUBBORN]);
    init.close_stdin();
    let outcome = init.wait();
    outcome.assert_exit(STATUS);
    assert_eq!(warnings(&outcome), 0, "{outcome}");
}

#[test]
fn b3_without_proc_a_subreaper_warns_once_and_signals_nobody_else() {
    needs_namespaces!();
    let cases: [&dyn Fn(Case) -> Case; 2] = [&Case::no_proc, &Case::outer_proc];
    for (number, case) in cases.into_iter().enumerate() {
        let mut init = with(case(Case::init().not_pid1().args(SHORT)), &[&STUBBORN, &RECORDER]);
        let mut neighbour = Case::witness().inside(&init).args(["record"]).start();
        neighbour.wait_line("recording");
        init.close_stdin();
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "case {number}");
        assert_untouched(&mut neighbour);
        let outcome = init.wait();
        assert_eq!(warnings(&outcome), 1, "case {number}: {outcome}");
        // Nothing of this is said where nothing is to be torn down.
        for words in [&["exit", "7"][..], &["orphans", "3", "exit", "7"]] {
            let outcome = case(Case::init().not_pid1()).child(words).run();
            outcome.assert_exit(7);
            assert_eq!(outcome.err(), "");
        }
    }
}

// ---- --wait-all -----------------------------------------------------------------------------------------------------

const WAIT_ALL: [&str; 1] = ["--wait-all"];

#[test]
fn i14_wait_all_waits_until_no_descendant_is_left() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&WAIT_ALL[..], &["--wait-all", "-g"], &["--wait-all", "-t60m"], &["--wait-all", "-t1ms"]] {
            let mut init = at(
                place,
                options,
                &[&["record", "until", "10", "say", "first"], &["setsid", "record", "until", "12", "say", "last"]],
            );
            end_child(&mut init);
            // Nobody has been sent anything, and nobody is killed.
            init.wait_asleep_in_wait();
            assert_eq!(left(&init).len(), if place == Place::Pid1 { 2 } else { 3 }, "{options:?}");
            assert_eq!(recorded(&init.stdout()), [] as [i32; 0], "{place:?} {options:?}");
            // They end one by one, by themselves.
            for (signal, text) in [(SIGUSR1, "first"), (SIGUSR2, "last")] {
                for process in left(&init).iter().filter(|process| process.comm == "witness") {
                    // The first one may have just ended.
                    let _ = sys::kill(process.pid, signal, None);
                }
                init.wait_line(text);
            }
            let outcome = init.wait();
            outcome.assert_exit(STATUS);
            assert_eq!(outcome.err(), "");
        }
        // Nobody is left.
        Case::init().place(place).args(WAIT_ALL).child(["orphans", "9", "exit", "7"]).run().assert_exit(7);
        Case::init().place(place).env("BITTS_WAIT_ALL", "1").child(["die", "9"]).run().assert_exit(137);
        Case::init().place(place).args(["--wait-all", "-e7"]).child(["exit", "7"]).run().assert_exit(0);
    }
}

/// A descendant of init is what init has started; what came from outside is not.
#[test]
fn i14_wait_all_does_not_wait_for_others() {
    needs_namespaces!();
    for place in PLACES {
        let mut init = at(place, &WAIT_ALL, &[]);
        let mut neighbour = neighbour(&init);
        init.close_stdin();
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), STATUS, "{place:?}");
        if place == Place::Child {
            assert_untouched(&mut neighbour);
        }
    }
}

#[test]
fn i14_under_wait_all_other_signals_go_to_all_that_remain() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&WAIT_ALL[..], &["--wait-all", "-t60m"], &["--wait-all", "-g"]] {
            let mut init = at(place, options, &[&RECORDER, &["setsid", "record"], &["setpgid", "record"]]);
            // Before the child's end they are for the child.
            init.signal(SIGUSR2);
            let expected = if options.contains(&"-g") { 1 } else { 0 };
            // The child is ended by it.
            init.wait_until("a reaped child", |init| {
                init.processes().iter().filter(|p| p.comm == "witness").count() == 3
            });
            for signal in [SIGHUP, SIGUSR1, libc::SIGWINCH, libc::SIGABRT, SIGCONT, 34, 63] {
                init.signal(signal);
                init.wait_lines(&format!("signal={signal} "), 3);
            }
            assert_ne!(state(init.pid()), 'Z');
            init.signal(SIGTERM);
            init.wait_lines("signal=15 ", 3);
            // Taken before that.
            assert_eq!(count(&init.stdout(), SIGUSR2), expected, "{place:?} {options:?}");
        }
    }
}

#[test]
fn i14_under_wait_all_the_first_term_int_or_quit_starts_the_teardown() {
    needs_namespaces!();
    for place in PLACES {
        for signal in [SIGTERM, SIGINT, SIGQUIT] {
            // With a grace: as ever, from here on.
            let mut init = at(place, &["--wait-all", "-t300ms"], &[&STUBBORN]);
            end_child(&mut init);
            init.signal(signal);
            init.wait().assert_exit(STATUS);
            // The second one cuts it short.
            let mut init = at(
                place,
                &["--wait-all", "-t60m"],
                &[&OBEDIENT, &["record", "until", "18", "say", "stays", "ignore", "2,3,15", "sleep"]],
            );
            end_child(&mut init);
            init.signal(signal);
            init.wait_line("stays");
            init.wait_line("done");
            init.signal(signal);
            let outcome = init.wait();
            outcome.assert_exit(STATUS);
            let twice = [SIGTERM, SIGTERM, SIGCONT, SIGCONT];
            assert_eq!(recorded(&outcome.stdout), twice, "{place:?} {signal}: {outcome}");
            // Without a grace: TERM and CONT to all, and it goes on waiting.
            let others: [&[&str]; 2] =
                [&["record", "for", "3", "say", "done"], &["setsid", "record", "for", "3", "say", "done"]];
            let mut init = at(place, &WAIT_ALL, &others);
            end_child(&mut init);
            init.signal(signal);
            init.wait_lines("signal=15 ", 2);
            init.wait_lines("signal=18 ", 2);
            assert_eq!(left(&init).iter().filter(|process| process.comm == "witness").count(), 2);
            for process in left(&init).iter().filter(|process| process.comm == "witness") {
                sys::kill(process.pid, SIGUSR1, None).expect("it lives");
            }
            let outcome = init.wait();
            outcome.assert_exit(STATUS);
            assert_eq!(outcome.out().matches("done").count(), 2, "{place:?} {signal}: {outcome}");
            assert_eq!(outcome.err(), "");
        }
    }
}

/// init finds the child's end and the request at the same time, and the request is the first of them by its number.
#[test]
fn i14_under_wait_all_a_term_that_comes_with_the_childs_end_is_not_lost() {
    needs_namespaces!();
    // As dumb-init a HUP may be init's own, from a terminal that it has given up: this one is not.
    let rewritten: [&str; 2] = ["-r", "HUP:TERM"];
    for place in PLACES {
        for (name, options, signal) in [
            ("init", &[][..], SIGTERM),
            ("init", &[], SIGINT),
            ("init", &[], SIGQUIT),
            ("init", &rewritten, SIGHUP),
            ("dumb-init", &[], SIGTERM),
            ("dumb-init", &rewritten, SIGHUP),
        ] {
            let case = Case::init().name(name).place(place).args(WAIT_ALL).args(options);
            let mut init = with(case, &[&["setsid", "record", "for", "2", "say", "done"]]);
            let (pid, child) = (init.pid(), child(&init).pid);
            init.signal(SIGSTOP);
            init.wait_until("a stopped init", |_| state(pid) == 'T');
            sys::kill(child, SIGKILL, None).expect("it lives");
            init.wait_until("a dead child", |_| state(child) == 'Z');
            init.signal(signal);
            init.signal(SIGCONT);
            let outcome = init.wait();
            outcome.assert_exit(128 + SIGKILL);
            assert!(outcome.out().contains("done"), "{name} {place:?} {signal}: {outcome}");
        }
    }
}

/// Otherwise one `docker stop` would never be enough.
#[test]
fn i14_under_wait_all_a_stop_request_before_the_childs_end_counts() {
    needs_namespaces!();
    let rewritten: [&str; 2] = ["-r", "HUP:TERM"];
    let requests =
        [(&[][..], SIGTERM, SIGTERM), (&[], SIGINT, SIGINT), (&[], SIGQUIT, SIGQUIT), (&rewritten, SIGHUP, SIGTERM)];
    let daemons: [&[&str]; 2] = [&OBEDIENT, &["setsid", "record", "for", "2", "say", "done"]];
    let check = |place, grace: &[&str], (options, sent, arrives): (&[&str], i32, i32)| {
        let case = Case::init().place(place).args(WAIT_ALL).args(grace).args(options).limit(libc::RLIMIT_CORE, 0, 0);
        let init = with(case, &daemons);
        // Nothing is asked of the daemons before the child has ended.
        init.signal(sent);
        let outcome = init.wait();
        outcome.assert_exit(128 + arrives);
        assert_eq!(outcome.out().matches("done").count(), 2, "{place:?} {grace:?} {sent}: {outcome}");
        assert_eq!(outcome.err(), "");
    };
    for place in PLACES {
        for grace in [&[][..], &FOREVER] {
            std::thread::scope(|scope| {
                for request in requests {
                    scope.spawn(move || check(place, grace, request));
                }
            });
        }
        // The grace begins then, and does not end with the request: a child that takes its time costs the others none of theirs.
        let case = Case::init().place(place).args(WAIT_ALL).args(SHORT).stdin(Stream::Pipe);
        let words = ["child", "record", "end", "record", "until", "15", "cat", "exit", "7"];
        let mut init = case.child(words).start();
        init.wait_lines("recording", 2);
        init.signal(SIGTERM);
        init.wait_line("signal=15 ");
        // Longer than the grace, which is not running yet.
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(recorded(&init.stdout()), [SIGTERM], "{place:?}");
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(STATUS);
        assert_eq!(recorded(&outcome.stdout), [SIGTERM, SIGTERM, SIGCONT], "{place:?}: {outcome}");
        assert_eq!(outcome.err(), format!("{GRACE_OVER}\n"), "{place:?}");
    }
}

/// What is asked of a stopped process: as at any teardown.
#[test]
fn i14_under_wait_all_a_term_ends_a_stopped_process() {
    needs_namespaces!();
    for place in PLACES {
        let mut init = at(place, &WAIT_ALL, &[&["say", "recording", "stop", "sleep"]]);
        init.wait_until("a stopped process", |init| init.processes().iter().any(|process| process.state == 'T'));
        end_child(&mut init);
        init.signal(SIGTERM);
        init.wait().assert_exit(STATUS);
    }
}

// ---- What is told ---------------------------------------------------------------------------------------------------

/// The lines about what was sent, and what was said of the grace. A KILL may be sent again to what has not ended yet.
fn told(outcome: &Outcome) -> Vec<String> {
    let of_interest = |line: &&str| ["init: sent ", "init: grace "].iter().any(|start| line.starts_with(start));
    let mut lines: Vec<_> = outcome.err().lines().filter(of_interest).map(str::to_owned).collect();
    lines.dedup();
    lines
}

#[test]
fn i2_all_that_a_teardown_sends_is_told_at_verbose() {
    needs_namespaces!();
    for (place, to) in [(Place::Pid1, "all processes"), (Place::Child, "process 4")] {
        let asked = [format!("init: sent 15 (SIGTERM) to {to}"), format!("init: sent 18 (SIGCONT) to {to}")];
        let killed = format!("init: sent 9 (SIGKILL) to {to}");
        let mut init = at(place, &["-v", "-t60m"], &[&OBEDIENT]);
        init.close_stdin();
        assert_eq!(told(&init.wait()), asked, "{place:?}");
        // The end of the grace, and a request that cuts it short.
        let mut init = at(place, &["-v", "-t300ms"], &[&STUBBORN]);
        init.close_stdin();
        assert_eq!(told(&init.wait()), [&asked[..], &[GRACE_OVER.into(), killed.clone()]].concat(), "{place:?}");
        let mut init = at(place, &["-v", "-t60m"], &[&["record", "until", "18", "say", "asked", "sleep"]]);
        init.close_stdin();
        init.wait_line("asked");
        init.signal(SIGTERM);
        assert_eq!(told(&init.wait()), [&asked[..], &[CUT_SHORT.into(), killed]].concat(), "{place:?}");
        // Under --wait-all what is passed on to those that remain, too.
        let mut init = at(place, &["-v", "--wait-all"], &[&["record", "until", "18"]]);
        end_child(&mut init);
        for signal in [SIGUSR1, SIGTERM] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        let passed = format!("init: sent 10 (SIGUSR1) to {to}");
        assert_eq!(told(&init.wait()), [&[passed], &asked[..]].concat(), "{place:?}");
    }
}

#[test]
fn i14_a_grace_that_is_cut_short_is_told() {
    needs_namespaces!();
    for place in PLACES {
        let mut init = at(place, &FOREVER, &[&["record", "until", "18", "say", "asked", "sleep"]]);
        init.close_stdin();
        init.wait_line("asked");
        init.signal(SIGINT);
        assert_eq!(init.wait().err(), format!("{CUT_SHORT}\n"), "{place:?}");
    }
}

#[test]
fn i2_what_dumb_init_and_the_stop_timeout_send_is_told_at_verbose() {
    needs_namespaces!();
    for (place, child) in [(Place::Pid1, 2), (Place::Child, 3)] {
        let outcome = Case::init().name("dumb-init").place(place).arg("-v").child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!(told(&outcome), [format!("init: sent 15 (SIGTERM) to process group {child}")], "{place:?}");
        let mut init = Case::init().place(place).args(["-v", "--stop-timeout=300ms"]).child(["record"]).start();
        init.wait_line("recording");
        init.signal(SIGTERM);
        let outcome = init.wait();
        let told = told(&outcome);
        assert_eq!(told[0], format!("init: sent 15 (SIGTERM) to child {child}"), "{place:?}: {outcome}");
        let killed = [format!("process group {child}"), format!("child {child}")];
        let killed = killed.map(|to| format!("init: sent 9 (SIGKILL) to {to}"));
        // The group is the child's, who may be told of as well.
        assert!(told.len() > 1 && told[1..].iter().all(|line| killed.contains(line)), "{place:?}: {outcome}");
    }
}

// ---- No polling -----------------------------------------------------------------------------------------------------

/// Waits where it waits for signals, whichever call that is.
trait AtRest {
    fn wait_asleep_in_wait(&mut self);
}

impl AtRest for Running {
    #[track_caller]
    fn wait_asleep_in_wait(&mut self) {
        let calls = [libc::SYS_rt_sigtimedwait, libc::SYS_ppoll, libc::SYS_poll, libc::SYS_epoll_pwait];
        self.wait_until("it does not rest", |running| {
            let at_rest = calls.iter().any(|call| procfs::sleeps_in(running.pid(), *call));
            at_rest && running.signals().pending == 0
        });
    }
}

/// The context switches in three seconds without anything to do.
#[track_caller]
fn switches_at_rest(init: &mut Running) -> u64 {
    init.wait_asleep_in_wait();
    let before = init.context_switches();
    // The passing of time is what is measured here.
    std::thread::sleep(Duration::from_secs(3));
    init.context_switches() - before
}

#[test]
fn i13_idle_costs_no_context_switch_in_any_mode() {
    needs_namespaces!();
    let modes: [&[&str]; 8] = [
        &FOREVER,
        &["--grace", "1ms"],
        &WAIT_ALL,
        &["--stop-timeout", "1ms"],
        &["--stop-timeout", "60m:TERM,QUIT"],
        &["--caught-only"],
        &["--caught-only", "-t1ms", "--wait-all", "--stop-timeout=1ms", "-gwv"],
        &["-c", "-t60m"],
    ];
    let check = |place, options: &[&str]| {
        let mut init = at(place, options, &[&RECORDER]);
        assert_eq!(switches_at_rest(&mut init), 0, "{place:?} {options:?}");
        // A signal that starts no clock.
        init.signal(libc::SIGWINCH);
        assert_eq!(switches_at_rest(&mut init), 0, "{place:?} {options:?}, after a signal");
    };
    std::thread::scope(|scope| {
        for place in PLACES {
            modes.iter().for_each(|options| drop(scope.spawn(move || check(place, options))));
        }
    });
}

#[test]
fn i13_waiting_for_all_costs_no_context_switch() {
    needs_namespaces!();
    let check = |place, options: &[&str], term| {
        let mut init = at(place, options, &[&RECORDER]);
        end_child(&mut init);
        if term {
            init.signal(SIGTERM);
            init.wait_line("signal=18 ");
        }
        assert_eq!(switches_at_rest(&mut init), 0, "{place:?} {options:?} {term}");
    };
    std::thread::scope(|scope| {
        for place in PLACES {
            for (options, term) in [(&WAIT_ALL[..], false), (&["--wait-all", "-t60m"], false), (&WAIT_ALL, true)] {
                scope.spawn(move || check(place, options, term));
            }
        }
    });
}

/// A deadline is one timer, and no look at the clock now and then.
#[test]
fn i13_a_running_grace_costs_no_context_switch() {
    needs_namespaces!();
    let check = |place, entered: bool| {
        let mut init = at(place, &FOREVER, &[&RECORDER]);
        let _neighbour = entered.then(|| neighbour(&init));
        end_child(&mut init);
        init.wait_line("signal=18 ");
        assert_eq!(switches_at_rest(&mut init), 0, "{place:?}, entered: {entered}");
    };
    std::thread::scope(|scope| {
        for (place, entered) in [(Place::Pid1, false), (Place::Pid1, true), (Place::Child, false), (Place::Child, true)]
        {
            scope.spawn(move || check(place, entered));
        }
    });
}

/// The one that is followed ends, and whom to follow next cannot be told.
#[test]
fn i13_i14_a_proc_that_goes_away_in_the_grace_costs_no_context_switch() {
    needs_namespaces!();
    for first in 0..2 {
        let mut init = at(Place::Pid1, &FOREVER, &[&RECORDER, &RECORDER]);
        end_child(&mut init);
        init.wait_lines("signal=18 ", 2);
        Case::witness().inside(&init).args(["detach", "/proc"]).run().assert_exit(0);
        let others: Vec<_> =
            init.processes().iter().map(|process| process.pid).filter(|pid| *pid != init.pid()).collect();
        assert_eq!(others.len(), 2, "{:?}", init.processes());
        sys::kill(others[first], libc::SIGKILL, None).expect("it lives");
        init.wait_until("it is gone", |init| init.processes().len() == 2);
        assert_eq!(switches_at_rest(&mut init), 0);
        sys::kill(others[1 - first], libc::SIGKILL, None).expect("it lives");
        init.wait().assert_exit(STATUS);
    }
}

// ---- How the times are given ----------------------------------------------------------------------------------------

/// Told as promised (I5): the culprit in the first of two lines, status 1, nothing started.
#[track_caller]
fn assert_refused(outcome: &Outcome, culprits: &[&str]) {
    outcome.assert_exit(1);
    assert_eq!(outcome.out(), "", "something was started: {outcome}");
    let lines: Vec<_> = outcome.err().lines().map(str::to_owned).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("init: ")), "{outcome}");
    assert!(culprits.iter().all(|culprit| lines[0].contains(culprit)), "{culprits:?}: {outcome}");
    assert!(lines[1].contains("--help"), "{outcome}");
}

/// Times that are none.
const NO_TIMES: [&str; 17] = [
    "banana",
    "s",
    "ms",
    "m",
    "-1",
    "+1",
    "1.5",
    "1.5s",
    "10 s",
    " 10",
    "10 ",
    "10x",
    "10sm",
    "10ss",
    "0x10",
    "10,5",
    "99999999999999999999",
];

#[test]
fn i5_a_malformed_time_is_refused_and_named() {
    for time in NO_TIMES {
        let case = || Case::init().place(Place::Host);
        let refused = |case: Case, name: &str| assert_refused(&case.child(["say", "STARTED"]).run(), &[name, time]);
        refused(case().args(["--grace", time]), "grace");
        refused(case().args(["-t", time]), "grace");
        refused(case().arg(format!("-t{time}")), "grace");
        refused(case().arg(format!("--grace={time}")), "grace");
        refused(case().env("BITTS_GRACE", time), "BITTS_GRACE");
        refused(case().env("BITTS_GRACE", time).args(["-t", "1"]), "BITTS_GRACE");
        refused(case().args(["--stop-timeout", time]), "stop-timeout");
        refused(case().arg(format!("--stop-timeout={time}:TERM")), "stop-timeout");
        refused(case().env("BITTS_STOP_TIMEOUT", time), "BITTS_STOP_TIMEOUT");
    }
    for time in [
        "10:",
        "10:NOSIG",
        "10:99",
        "10:0",
        "10:TERM,",
        "10:,TERM",
        "10:TERM,,QUIT",
        "10:TERM:QUIT",
        ":TERM",
        "10 :TERM",
        "10:TERM QUIT",
    ] {
        let case = || Case::init().place(Place::Host).child(["say", "STARTED"]);
        let case_with = |words: &[&str]| Case::init().place(Place::Host).args(words).child(["say", "STARTED"]);
        assert_refused(&case_with(&["--stop-timeout", time]).run(), &["stop-timeout", time]);
        assert_refused(&case().env("BITTS_STOP_TIMEOUT", time).run(), &["BITTS_STOP_TIMEOUT", time]);
    }
}

#[test]
fn i5_a_missing_or_needless_value_is_refused() {
    let refused =
        |words: &[&str], name: &str| assert_refused(&Case::init().place(Place::Host).args(words).run(), &[name]);
    refused(&["-t"], "-t");
    refused(&["--grace"], "--grace");
    refused(&["--stop-timeout"], "--stop-timeout");
    refused(&["--grace="], "grace");
    refused(&["--stop-timeout="], "stop-timeout");
    refused(&["--wait-all=1"], "--wait-all");
    refused(&["--caught-only=1"], "--caught-only");
    refused(&["--no-grace=1"], "grace");
    for (name, value) in
        [("BITTS_WAIT_ALL", "2"), ("BITTS_WAIT_ALL", "yes"), ("BITTS_CAUGHT_ONLY", "true"), ("BITTS_CAUGHT_ONLY", "-1")]
    {
        let case = Case::init().place(Place::Host).env(name, value);
        assert_refused(&case.child(["say", "STARTED"]).run(), &[name, value]);
    }
}

/// Each means what it says: a grace of minutes or seconds is not over when a test has long ended; one of 0 never begins.
#[test]
fn i2_times_have_their_units() {
    needs_namespaces!();
    for time in ["600", "600s", "600000ms", "10m", "0600", "0600s"] {
        for by_variable in [false, true] {
            let case = Case::init();
            let case = if by_variable { case.env("BITTS_GRACE", time) } else { case.args(["-t", time]) };
            let mut init = with(case, &[&["record", "until", "18", "sleep"]]);
            init.close_stdin();
            init.wait_line("signal=18 ");
            // It rests in a wait for an end of the grace, which is far.
            init.wait_asleep_in_wait();
            assert_eq!(left(&init).len(), 1, "{time}");
            init.signal(SIGTERM);
            init.wait().assert_exit(STATUS);
        }
    }
    // These are over before the harness's patience is.
    for time in ["1", "1s", "1000ms", "1ms", "0001s"] {
        let mut init = at(Place::Pid1, &["-t", time], &[&STUBBORN]);
        init.close_stdin();
        init.wait().assert_exit(STATUS);
    }
    for words in [
        &["--stop-timeout", "10"][..],
        &["--stop-timeout=10s"],
        &["--stop-timeout", "500ms:QUIT,TERM"],
        &["--stop-timeout=2m:SIGTERM"],
        &["--stop-timeout", "10:15"],
        &["--stop-timeout=10:RTMIN+3,RTMAX-1"],
        &["--no-stop-timeout"],
        &["--caught-only", "--no-caught-only"],
    ] {
        Case::init().args(words).child(["exit", "7"]).run().assert_exit(7);
    }
    for (name, value) in [
        ("BITTS_STOP_TIMEOUT", "10:QUIT"),
        ("BITTS_STOP_TIMEOUT", ""),
        ("BITTS_GRACE", "0"),
        ("BITTS_WAIT_ALL", "0"),
        ("BITTS_WAIT_ALL", ""),
        ("BITTS_WAIT_ALL", "1"),
        ("BITTS_CAUGHT_ONLY", "1"),
        ("BITTS_CAUGHT_ONLY", ""),
    ] {
        Case::init().env(name, value).child(["exit", "7"]).run().assert_exit(7);
    }
}

/// The control for the harness: a process that none of these may reach is reached by a kill of everybody.
#[test]
fn i14_a_recorder_sees_what_is_sent_to_everybody() {
    needs_namespaces!();
    let mut init = at(Place::Child, &[], &[&RECORDER]);
    let mut neighbour = neighbour(&init);
    let _ = Case::witness().inside(&init).args(["kill", "-1", "10"]).run();
    init.wait_line("signal=10 ");
    neighbour.wait_line("signal=10 ");
}
