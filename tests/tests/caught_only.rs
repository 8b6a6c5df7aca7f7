//! `--caught-only` (I2): what would end a child that does nothing about it is not forwarded, as if the child were the
//! container's first process itself. Each test's name begins with the promise's number.

use bitts_tests::procfs;
use bitts_tests::sys::{self, Mask, bit};
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace};
use libc::{SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGURG, SIGUSR1, SIGUSR2, SIGWINCH};

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];
const OPTION: &str = "--caught-only";

/// Stop requests: forwarded in any case.
const ALWAYS: [i32; 3] = [SIGTERM, SIGINT, SIGQUIT];

/// The highest number of all is taken last. Every recorder here catches it.
const MARKER: i32 = 64;

/// Is it the default action of `signal` to end the process (signal(7))?
fn ends(signal: i32) -> bool {
    let harmless = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    !harmless.contains(&signal)
}

/// What can be forwarded.
fn forwardable() -> impl Iterator<Item = i32> {
    sys::catchable().filter(|signal| *signal != SIGCHLD && *signal != MARKER)
}

/// A child that blocks everything and has handlers for these.
#[track_caller]
fn recorder(case: Case, caught: &str) -> Running {
    let mut init = case.child(["catch", caught, "catch", &MARKER.to_string(), "record"]).start();
    init.wait_line("recording");
    init
}

/// Sends it, and waits until init has taken it: they are judged one by one.
#[track_caller]
fn send(init: &mut Running, signal: i32) {
    init.signal(signal);
    init.wait_until("a taken signal", |init| init.signals().pending == 0);
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
}

/// The same, with a child that takes what it gets: a stop that came behind a pending CONT would undo that.
#[track_caller]
fn send_on(init: &mut Running, signal: i32) {
    send(init, signal);
    let child = init.children()[0].pid;
    init.wait_until("taken by the child", |_| procfs::signals(child).is_ok_and(|signals| signals.pending == 0));
}

/// Every signal that was recorded up to the marker number `markers`, in order of the numbers.
#[track_caller]
fn recorded(init: &mut Running, markers: usize) -> Vec<i32> {
    init.signal(MARKER);
    init.wait_lines(&format!("signal={MARKER} "), markers);
    let output = String::from_utf8_lossy(&init.stdout()).into_owned();
    let number = |line: &str| line.strip_prefix("signal=")?.split(' ').next()?.parse().ok();
    let mut all: Vec<i32> = output.lines().filter_map(number).filter(|signal| *signal != MARKER).collect();
    all.sort_unstable();
    all
}

fn warnings(outcome: &Outcome) -> usize {
    outcome.err().lines().filter(|line| line.starts_with("init: warning: ")).count()
}

#[test]
fn i2_a_deadly_signal_is_forwarded_to_a_child_that_catches_it() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&[OPTION][..], &[OPTION, "-g"], &["--no-caught-only", OPTION]] {
            let mut init = recorder(Case::init().place(place).args(options), "all");
            for signal in forwardable() {
                send_on(&mut init, signal);
            }
            assert_eq!(recorded(&mut init, 1), forwardable().collect::<Vec<_>>(), "{place:?} {options:?}");
        }
    }
}

#[test]
fn i2_a_deadly_signal_is_not_forwarded_to_a_child_that_does_not_catch_it() {
    needs_namespaces!();
    let expected: Vec<_> = forwardable().filter(|signal| !ends(*signal) || ALWAYS.contains(signal)).collect();
    for place in PLACES {
        for (options, variable) in [(&[OPTION][..], "0"), (&[OPTION, "-g"], "0"), (&[], "1")] {
            // They are blocked, and would be recorded: blocked is not caught.
            let mut init = recorder(Case::init().place(place).env("BITTS_CAUGHT_ONLY", variable).args(options), "64");
            for signal in forwardable() {
                send_on(&mut init, signal);
            }
            assert_eq!(recorded(&mut init, 1), expected, "{place:?} {options:?}");
            assert_eq!(init.stderr(), b"");
        }
        // Without the option all are.
        for options in [&[][..], &[OPTION, "--no-caught-only"]] {
            let mut init = recorder(Case::init().place(place).env("BITTS_CAUGHT_ONLY", "0").args(options), "64");
            for signal in forwardable() {
                send_on(&mut init, signal);
            }
            assert_eq!(recorded(&mut init, 1), forwardable().collect::<Vec<_>>(), "{place:?} {options:?}");
        }
    }
}

/// Each signal alone is judged by itself.
#[test]
fn i2_some_signals_are_caught_and_others_are_not() {
    needs_namespaces!();
    let sets: [&[i32]; 4] = [&[SIGUSR1], &[SIGHUP, SIGUSR2, 34], &[1, 32, 33, 63], &[31, 35]];
    for set in sets {
        let caught: Vec<_> = set.iter().map(i32::to_string).collect();
        let mut init = recorder(Case::init().arg(OPTION), &caught.join(","));
        for signal in forwardable() {
            send_on(&mut init, signal);
        }
        let mask: Mask = set.iter().map(|signal| bit(*signal)).sum();
        let wanted = |signal: &i32| !ends(*signal) || ALWAYS.contains(signal) || mask & bit(*signal) != 0;
        assert_eq!(recorded(&mut init, 1), forwardable().filter(wanted).collect::<Vec<_>>());
    }
}

/// As it would if it were the first process itself; the peers end it.
#[test]
fn i2_a_program_that_does_nothing_about_signals_survives_them() {
    needs_namespaces!();
    for place in PLACES {
        for ignored in [0, bit(SIGHUP) | bit(SIGUSR1)] {
            let mut init = Case::init().place(place).ignored(ignored).arg(OPTION).child(["ready", "sleep"]).start();
            init.wait_line("ready");
            for signal in forwardable().filter(|signal| ends(*signal) && !ALWAYS.contains(signal)).chain([MARKER]) {
                send(&mut init, signal);
            }
            assert_eq!(init.children().len(), 1);
            init.signal(SIGTERM);
            init.wait().assert_exit(128 + SIGTERM);
        }
        for signal in ALWAYS {
            let mut init =
                Case::init().place(place).arg(OPTION).limit(libc::RLIMIT_CORE, 0, 0).child(["ready", "sleep"]).start();
            init.wait_line("ready");
            init.signal(signal);
            init.wait().assert_exit(128 + signal);
        }
    }
}

#[test]
fn i2_it_is_judged_when_the_signal_is_taken() {
    needs_namespaces!();
    for place in PLACES {
        let words = ["block", "all", "catch", "64", "say", "deaf", "cat", "catch", "10", "say", "hears", "record"];
        let mut init = Case::init().place(place).arg(OPTION).stdin(Stream::Pipe).child(words).start();
        init.wait_line("deaf");
        init.queue(SIGUSR1, 1);
        init.wait_until("a taken signal", |init| init.signals().pending == 0);
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        init.close_stdin();
        init.wait_line("recording");
        init.queue(SIGUSR1, 2);
        assert_eq!(recorded(&mut init, 1), [SIGUSR1], "{place:?}");
        assert!(String::from_utf8_lossy(&init.stdout()).contains("value=2"), "{place:?}");

        let words = ["block", "all", "catch", "10,64", "say", "hears", "cat", "default", "10", "say", "deaf", "record"];
        let mut init = Case::init().place(place).arg(OPTION).stdin(Stream::Pipe).child(words).start();
        init.wait_line("hears");
        send(&mut init, SIGUSR1);
        init.close_stdin();
        init.wait_line("recording");
        init.queue(SIGUSR1, 2);
        // The first one was pending when the handler went, and stays so.
        assert_eq!(recorded(&mut init, 1), [SIGUSR1], "{place:?}");
        assert!(!String::from_utf8_lossy(&init.stdout()).contains("value=2"), "{place:?}");
    }
}

/// What is dropped is told at -v, and only there.
#[test]
fn i2_a_signal_that_is_not_forwarded_is_told_at_verbose() {
    needs_namespaces!();
    let mut init = recorder(Case::init().args([OPTION, "-v"]), "64");
    init.signal(SIGUSR1);
    init.wait_error_line("SIGUSR1");
}

#[test]
fn b3_without_proc_all_is_forwarded_with_one_warning() {
    needs_namespaces!();
    // That of outside tells of other processes: of one with the child's number as well.
    let cases: [(&str, &dyn Fn(Case) -> Case); 2] = [("none", &Case::no_proc), ("of outside", &Case::outer_proc)];
    for place in PLACES {
        for (what, case) in cases {
            let mut init = recorder(case(Case::init().place(place).arg(OPTION)), "all");
            for signal in forwardable() {
                send_on(&mut init, signal);
            }
            assert_eq!(recorded(&mut init, 1), forwardable().collect::<Vec<_>>(), "{what}, {place:?}");
            let mut init = recorder(case(Case::init().place(place).arg(OPTION)), "64");
            for signal in forwardable() {
                send_on(&mut init, signal);
            }
            assert_eq!(recorded(&mut init, 1), forwardable().collect::<Vec<_>>(), "{what}, {place:?}");
            let outcome = init.kill();
            outcome.assert_killed_by(SIGKILL);
            assert_eq!(warnings(&outcome), 1, "{what}, {place:?}: {outcome}");
        }
    }
}

/// As /proc with hidepid hides a child of another user's.
#[test]
fn b3_what_a_child_catches_that_cannot_be_looked_at_is_not_judged() {
    needs_namespaces!();
    needs_strace!();
    let case = Case::init().arg(OPTION);
    let case = case.strace_alone(["-P", "/proc/2/status", "-e", "trace=openat", "--inject=openat:error=ENOENT"]);
    let mut init = case.child(["ready", "sleep"]).start();
    init.wait_line("ready");
    init.signal(SIGHUP);
    let outcome = init.wait();
    outcome.assert_exit(128 + SIGHUP);
    assert!(outcome.trace.contains("(INJECTED)"), "{outcome}");
}

/// The control: the peers end a child that as the first process would have lived on.
#[test]
fn i2_peers_end_a_child_that_does_not_catch() {
    needs_namespaces!();
    for name in ["tini", "dumb-init", "catatonit"] {
        let Some(peer) = bitts_tests::tools::peer(name) else { continue };
        for signal in [SIGHUP, SIGUSR1, SIGUSR2] {
            let mut init = Case::new(&peer).child(["ready", "sleep"]).start();
            init.wait_line("ready");
            init.signal(signal);
            init.wait().assert_exit(128 + signal);
        }
    }
    // Without any of them it does.
    let mut alone = Case::witness().args(["ready", "sleep"]).start();
    alone.wait_line("ready");
    alone.signal(SIGUSR1);
    alone.signal(SIGHUP);
    alone.wait_asleep_in(libc::SYS_pause);
    assert_eq!(alone.signals().pending, 0);
    alone.kill().assert_killed_by(SIGKILL);
}
