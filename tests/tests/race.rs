//! No signal is lost between the start of `init` and its child's exec (I6, I8). `strace` stretches the moments in which one
//! could be: while a system call is held up, the signal is sent. Each test's name begins with the promise's number.

use std::path::Path;
use std::time::Duration;

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Place, Running, needs_namespaces, needs_strace, procfs, ship, tools};

/// Everywhere that init can stand, with and without a group of its own for the child.
const MODES: [(Place, &[&str]); 4] =
    [(Place::Pid1, &[]), (Place::Pid1, &["-g"]), (Place::Child, &[]), (Place::Child, &["-g"])];

/// Has strace stopped the process in this call?
fn is_held_in(pid: i32, call: i64) -> bool {
    // Waking in its call, strace's stop is the only other thing that it can be in.
    procfs::is_at(pid, call) && procfs::Status::read(pid).is_ok_and(|status| status.get("State").starts_with('t'))
}

/// Is init, or its only child, held up in this call?
fn held_in(init: &Running, call: i64) -> bool {
    let [child] = procfs::children(init.pid())[..] else { return false };
    [init.pid(), child].into_iter().any(|pid| is_held_in(pid, call))
}

/// `program` with `call` held up before (`enter`) or behind (`exit`) it, in each process whose first it is, until it is let go.
fn held_up(program: &Path, place: Place, call: &str, side: &str) -> Case {
    // These two init has for itself, too, where nothing can let it go: strace has no other time for the child's.
    let delay = if ["execve", "rt_sigprocmask"].contains(&call) { 3_000_000 } else { 60_000_000 };
    let inject = format!("--inject={call}:delay_{side}={delay}:when=1");
    Case::new(program).place(place).strace(["-e", &format!("trace={call}"), &inject])
}

/// Waits until there is a child, and `call` is held up: so the moment is behind init's own first mask.
#[track_caller]
fn wait_held(init: &mut Running, call: i64) {
    init.wait_until("the call held up", |init| held_in(init, call));
}

/// Lets go what is held up: where that is not init itself, when init has forwarded all that was sent, or has ended.
#[track_caller]
fn let_go(init: &mut Running, call: i64) {
    let pid = init.pid();
    let is_idle = || {
        procfs::sleeps_in(pid, libc::SYS_rt_sigtimedwait)
            && procfs::signals(pid).is_ok_and(|signals| signals.pending == 0)
    };
    init.wait_until("all forwarded", |init| is_held_in(pid, call) || is_idle() || init.has_ended());
    init.end_tracing();
}

/// A moment: the call's name and number, and the side on which it is held up.
type Moment = (&'static str, i64, &'static str);

/// What init and its child do between clone and exec. strace counts the calls of each anew: the child's first is held up, too, where
/// init has made that call before, for itself.
const MOMENTS: [Moment; 6] = [
    ("clone", libc::SYS_clone, "exit"),
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask, "enter"),
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask, "exit"),
    ("execve", libc::SYS_execve, "enter"),
    ("setpgid", libc::SYS_setpgid, "enter"),
    ("setpgid", libc::SYS_setpgid, "exit"),
];

/// Sends `signal` while the call is held up, to an init whose child does nothing about signals; its exit status.
fn status_after(signal: i32, place: Place, options: &[&str], moment: Moment) -> Option<i32> {
    let (call, number, side) = moment;
    let case = held_up(ship::init(), place, call, side).limit(libc::RLIMIT_CORE, 0, 0);
    let mut init = case.args(options).child(["sleep"]).start();
    wait_held(&mut init, number);
    init.signal(signal);
    let_go(&mut init, number);
    init.wait().exit()
}

#[test]
fn i8_a_signal_between_clone_and_exec_ends_the_child() {
    needs_namespaces!();
    needs_strace!();
    let mut cases = Vec::new();
    for (place, options) in MODES {
        let own_group = place == Place::Pid1 || !options.is_empty();
        for moment in MOMENTS.into_iter().filter(|moment| own_group || moment.0 != "setpgid") {
            for signal in [libc::SIGTERM, libc::SIGHUP, 40] {
                cases.push((signal, place, options, moment));
            }
        }
    }
    let check = |&(signal, place, options, moment): &(i32, Place, &[&str], Moment)| {
        let status = status_after(signal, place, options, moment);
        assert_eq!(status, Some(128 + signal), "signal {signal}, {place:?} {options:?}, {moment:?}");
    };
    // Nearly all of the time is delay, so that many can run at once.
    for cases in cases.chunks(6) {
        std::thread::scope(|scope| cases.iter().for_each(|case| drop(scope.spawn(move || check(case)))));
    }
}

/// With a core dump, which ends all that share the memory, as without.
#[test]
fn i8_what_ends_the_child_before_its_exec_ends_it_alone() {
    needs_namespaces!();
    needs_strace!();
    let moments = [("execve", libc::SYS_execve, "enter"), ("rt_sigprocmask", libc::SYS_rt_sigprocmask, "exit")];
    let check = |(signal, text): (i32, &str), place, (call, number, side): Moment| {
        let case = held_up(ship::init(), place, call, side).limit(libc::RLIMIT_CORE, 0, 0);
        let mut init = case.child(["sleep"]).start();
        wait_held(&mut init, number);
        let [child] = &init.children()[..] else { panic!("one child") };
        sys::kill(child.pid, signal, None).expect("it lives");
        init.end_tracing();
        let outcome = init.wait();
        outcome.assert_exit(128 + signal);
        let expected = format!("init: child {} was killed by signal {text}\n", child.inner);
        assert_eq!(outcome.err(), expected, "{place:?} {call}");
    };
    let signals = [(libc::SIGKILL, "9 (SIGKILL)"), (libc::SIGQUIT, "3 (SIGQUIT)"), (libc::SIGSEGV, "11 (SIGSEGV)")];
    // Nearly all of the time is delay.
    for place in [Place::Pid1, Place::Child] {
        std::thread::scope(|scope| {
            for (signal, moment) in signals.iter().flat_map(|signal| moments.map(|moment| (*signal, moment))) {
                scope.spawn(move || check(signal, place, moment));
            }
        });
    }
}

/// Its group is the new session's, which the child alone can make.
#[test]
fn i8_as_dumb_init_a_signal_between_clone_and_exec_ends_the_child() {
    needs_namespaces!();
    needs_strace!();
    const CALLS: [Moment; 5] = [
        ("clone", libc::SYS_clone, "exit"),
        ("setsid", libc::SYS_setsid, "enter"),
        ("setsid", libc::SYS_setsid, "exit"),
        ("rt_sigprocmask", libc::SYS_rt_sigprocmask, "exit"),
        ("execve", libc::SYS_execve, "enter"),
    ];
    let check = |place, terminal, (call, number, side): Moment, signal| {
        let case = held_up(ship::init(), place, call, side).name("dumb-init");
        let case = if terminal { case.terminal() } else { case };
        let mut init = case.child(["sleep"]).start();
        wait_held(&mut init, number);
        init.signal(signal);
        // init itself waits for the exec here.
        init.end_tracing();
        let outcome = init.wait();
        assert_eq!(outcome.exit(), Some(128 + signal), "{place:?}, terminal: {terminal}, {call} {side}: {outcome}");
    };
    for place in [Place::Pid1, Place::Child] {
        for terminal in [false, true] {
            std::thread::scope(|scope| {
                for moment in CALLS {
                    for signal in [libc::SIGTERM, 40] {
                        scope.spawn(move || check(place, terminal, moment, signal));
                    }
                }
            });
        }
    }
}

/// One that is blocked in the child, as it was in init's parent, waits there for the new program.
#[test]
fn i8_a_signal_between_clone_and_exec_reaches_the_new_program() {
    needs_namespaces!();
    needs_strace!();
    let check = |place, options: &[&str], (call, number, side): Moment| {
        let case = held_up(ship::init(), place, call, side).mask(sys::ALL_SIGNALS).args(options);
        let mut init = case.child(["record", "for", "4", "exit", "7"]).start();
        wait_held(&mut init, number);
        init.signal(libc::SIGTERM);
        init.queue(40, 1);
        init.queue(40, 2);
        init.signal(libc::SIGUSR1);
        let_go(&mut init, number);
        let outcome = init.wait();
        assert_eq!(outcome.exit(), Some(7), "{place:?} {options:?} {call}: {outcome}");
        for signal in ["signal=15 ", "signal=10 ", "signal=40 "] {
            assert!(outcome.out().contains(signal), "{place:?} {options:?} {call}: {outcome}");
        }
    };
    for (place, options) in MODES {
        let own_group = place == Place::Pid1 || !options.is_empty();
        std::thread::scope(|scope| {
            for moment in MOMENTS.into_iter().filter(|moment| own_group || moment.0 != "setpgid") {
                scope.spawn(move || check(place, options, moment));
            }
        });
    }
}

/// The control: where the group does not exist yet when the first signal is sent to it, that signal is lost and the child lives on.
#[test]
fn i8_peers_lose_a_signal_between_fork_and_exec() {
    needs_namespaces!();
    needs_strace!();
    let peers: [(&str, &[&str], &str, i64); 3] = [
        ("tini", &["-g"], "setpgid", libc::SYS_setpgid),
        ("dumb-init", &[], "setsid", libc::SYS_setsid),
        ("catatonit", &["-g"], "setpgid", libc::SYS_setpgid),
    ];
    for (name, options, call, number) in peers {
        let Some(program) = tools::peer(name) else { continue };
        let case = held_up(&program, Place::Pid1, call, "enter");
        let mut peer = case.args(options).child(["record"]).start();
        wait_held(&mut peer, number);
        peer.signal(libc::SIGTERM);
        peer.wait_until("the signal dealt with", |peer| {
            peer.signals().pending & bit(libc::SIGTERM) == 0
                && procfs::await_rest(peer.pid(), Duration::from_millis(200))
        });
        assert!(held_in(&peer, number), "{name}: the child was not held up so long: the test tests nothing");
        peer.end_tracing();
        // The new program runs, so nothing has ended the child, and what is sent now arrives.
        peer.wait_line("recording");
        peer.signal(libc::SIGUSR1);
        peer.wait_line("signal=10 ");
        let output = String::from_utf8_lossy(&peer.stdout()).into_owned();
        assert!(!output.contains("signal=15 "), "{name} has not lost it: {output}");
    }
}

#[test]
fn i6_the_first_system_call_blocks_every_signal() {
    needs_namespaces!();
    needs_strace!();
    for place in [Place::Pid1, Place::Child] {
        let outcome = Case::init().place(place).strace(["-e", "trace=all"]).child(["exit", "7"]).run();
        outcome.assert_exit(7);
        let calls = outcome.calls_after_exec();
        assert!(calls[0].starts_with("rt_sigprocmask(SIG_SETMASK, ~[], "), "{outcome}");
    }
}

#[test]
fn i6_all_but_kill_and_stop_are_blocked() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        let mut init = Case::init().place(place).child(["ready", "sleep"]).start();
        init.wait_line("ready");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        // In its sleep the kernel shows the awaited signals as not blocked: awake, and stopped, it shows all.
        init.signal(libc::SIGSTOP);
        init.wait_until("a stopped init", |init| {
            procfs::Status::read(init.pid()).expect("it lives").get("State").starts_with('T')
        });
        let signals = init.signals();
        assert_eq!(signals.blocked, sys::ALL_SIGNALS & !bit(libc::SIGKILL) & !bit(libc::SIGSTOP), "{signals:x?}");
        assert_eq!(signals.caught, 0, "{signals:x?}");
    }
}

/// As soon as the mask stands, and no later: how far init has come by then is left to chance, 200 times.
#[test]
fn i6_a_signal_as_early_as_can_be_is_not_lost_on_pid_1() {
    needs_namespaces!();
    for (round, signal) in [libc::SIGTERM, libc::SIGHUP, 40, libc::SIGINT].into_iter().cycle().take(200).enumerate() {
        let case = if round % 2 == 0 { Case::init() } else { Case::init().arg("-g") };
        let mut init = case.child(["sleep"]).start();
        // (In its sleep the kernel shows the awaited signals as not blocked: then there is a child.)
        init.wait_until("a mask", |init| init.signals().blocked != 0 || !init.children().is_empty());
        init.signal(signal);
        let outcome = init.wait();
        assert_eq!(outcome.exit(), Some(128 + signal), "round {round}: {outcome}");
    }
}

/// Without waiting for anything. A program that is not PID 1 dies of a signal that comes before its first instruction.
#[test]
fn i6_a_signal_at_the_exec_is_not_lost_where_init_is_not_pid_1() {
    needs_namespaces!();
    for round in 0..200 {
        let case = Case::init().place(Place::Child);
        let init = if round % 2 == 0 { case } else { case.arg("-g") }.child(["sleep"]).start();
        init.signal(libc::SIGTERM);
        let outcome = init.wait();
        let ended = outcome.exit() == Some(128 + libc::SIGTERM) || outcome.killed_by() == Some(libc::SIGTERM);
        assert!(ended, "round {round}: {outcome}");
    }
}

/// What was pending when init was executed is forwarded, and the child inherits the mask.
#[test]
fn i6_a_signal_that_is_pending_at_the_exec_is_not_lost() {
    needs_namespaces!();
    for (place, options) in MODES {
        for signal in sys::catchable().filter(|&signal| signal != libc::SIGCHLD) {
            let case = Case::init().place(place).args(options).mask(bit(signal));
            let mut init = case.child(["record", "for", "1", "exit", "7"]).start_held();
            init.signal(signal);
            init.release();
            let outcome = init.wait();
            assert_eq!(outcome.exit(), Some(7), "{place:?} {options:?} signal {signal}: {outcome}");
            assert!(outcome.out().contains(&format!("signal={signal} ")), "{outcome}");
        }
    }
}
