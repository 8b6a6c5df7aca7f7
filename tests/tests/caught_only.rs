//! `--caught-only` (I2): what would end a child that does nothing about it is not forwarded, as if the child were the
//! container's first process itself. Each test's name begins with the promise's number.

use bitts_tests::procfs;
use bitts_tests::sys::{self, Mask, bit};
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace, ship};
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

/// `TAG signal=N` as two words, the markers left out, in order.
fn tagged(output: &[u8]) -> Vec<(String, i32)> {
    let output = String::from_utf8_lossy(output).into_owned();
    let pair = |line: &str| {
        let (tag, rest) = line.split_once(" signal=")?;
        Some((tag.to_owned(), rest.split(' ').next()?.parse().ok()?))
    };
    let mut all: Vec<(String, i32)> = output.lines().filter_map(pair).filter(|(_, n)| *n != MARKER).collect();
    all.sort();
    all
}

/// Passed on to whoever catches it; WINCH ends nobody, and TERM and INT ask to end: these go to all.
const SENT: [i32; 6] = [SIGHUP, SIGUSR1, 34, SIGWINCH, SIGTERM, SIGINT];

/// Each of two receivers gets of these signals what it catches, and what goes to all.
#[track_caller]
fn assert_each_is_asked(mut init: Running, sent: &[i32], caught: [(&str, &[i32]); 2]) {
    for signal in sent.iter().chain([&MARKER]) {
        init.signal(*signal);
        init.wait_until("a taken signal", |init| init.signals().pending == 0);
    }
    init.wait_lines(&format!("signal={MARKER} "), 2);
    let gets = |(tag, set): (&str, &[i32])| {
        let wanted = sent.iter().filter(|n| !ends(**n) || ALWAYS.contains(n) || set.contains(n));
        wanted.map(|signal| (tag.to_owned(), *signal)).collect::<Vec<_>>()
    };
    let mut expected = caught.map(gets).concat();
    expected.sort();
    assert_eq!(tagged(&init.stdout()), expected, "{caught:?}");
    assert_eq!(init.stderr(), b"");
}

/// Handlers for these, as the witness's word for them, the marker's among them.
fn handlers(set: &[i32]) -> String {
    set.iter().chain([&MARKER]).map(i32::to_string).collect::<Vec<_>>().join(",")
}

/// What the child and another process catch.
const CAUGHT: [[&[i32]; 2]; 4] = [[&[SIGUSR1], &[]], [&[], &[SIGUSR1, 34]], [&[SIGUSR1], &[SIGHUP]], [&[34], &[34]]];

#[test]
fn i2_of_a_group_each_member_is_asked() {
    needs_namespaces!();
    for place in PLACES {
        for (name, options) in [("init", &[OPTION, "-g"][..]), ("dumb-init", &[OPTION])] {
            for [leader, member] in CAUGHT {
                let case = Case::init().name(name).place(place).args(options);
                let (leads, follows) = (handlers(leader), handlers(member));
                let words = ["child", "tag", "member", "catch", &follows, "record", "end"];
                let mut init = case.child(words).args(["tag", "leader", "catch", &leads, "record"]).start();
                init.wait_lines("recording", 2);
                assert_each_is_asked(init, &SENT, [("leader", leader), ("member", member)]);
            }
        }
    }
}

#[test]
fn i2_of_those_that_remain_each_is_asked() {
    needs_namespaces!();
    for place in PLACES {
        for [one, other] in CAUGHT {
            let case = Case::init().place(place).args([OPTION, "--wait-all"]).stdin(Stream::Pipe);
            let (first, second) = (handlers(one), handlers(other));
            let words = ["child", "setsid", "tag", "one", "catch", &first, "record", "end"];
            let case = case.child(words).args(["child", "tag", "other", "catch", &second, "record", "end"]);
            let mut init = case.args(["ready", "cat", "exit", "7"]).start();
            init.wait_line("ready");
            init.wait_lines("recording", 2);
            init.close_stdin();
            let others = if place == Place::Pid1 { 3 } else { 4 };
            init.wait_until("a reaped child", |init| init.processes().len() == others);
            assert_each_is_asked(init, &SENT[..4], [("one", one), ("other", other)]);
        }
    }
}

/// Of a group as of what remains, and with the process's number.
#[test]
fn i2_who_does_not_get_a_signal_is_told_at_verbose() {
    needs_namespaces!();
    let words = ["child", "catch", "10", "record", "end", "catch", "64", "record"];
    let mut init = Case::init().args([OPTION, "-gv"]).child(words).start();
    init.wait_lines("recording", 2);
    init.signal(SIGUSR1);
    init.wait_line("signal=10 ");
    init.wait_error_line("init: sent 10 (SIGUSR1) to process 3");
    init.wait_error_line("init: dropped 10 (SIGUSR1): not caught by process 2");
}

/// As before Linux 4.1, and in gVisor: `Pid:` alone tells whose /proc it is.
#[test]
fn i2_a_proc_without_nspid_is_judged_by_its_pid() {
    needs_namespaces!();
    let real = std::fs::read_to_string("/proc/self/status").expect("/proc");
    for (pid, usable) in [(1, true), (77, false)] {
        let line = |line: &str| match line.split_once(':') {
            Some(("NSpid" | "NStgid" | "NSpgid" | "NSsid", _)) => None,
            Some((key @ ("Pid" | "Tgid"), _)) => Some(format!(
                "{key}:	{pid}
"
            )),
            _ => Some(format!(
                "{line}
"
            )),
        };
        let older = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(older.path(), real.lines().filter_map(line).collect::<String>()).expect("a file");
        let case = Case::witness().arg("bind").arg(older.path()).args(["/proc/1/status", "exec", "init"]);
        let mut init = recorder(case.arg(ship::init()).arg(OPTION), "64");
        for signal in [SIGHUP, SIGUSR1] {
            init.signal(signal);
        }
        let expected: &[i32] = if usable { &[] } else { &[SIGHUP, SIGUSR1] };
        assert_eq!(recorded(&mut init, 1), expected, "Pid: {pid}");
        let outcome = init.kill();
        assert_eq!(warnings(&outcome), usize::from(!usable), "Pid: {pid}: {outcome}");
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
