//! What `init` does about signals (I12, I15, `--rewrite` and `--parent-death` of I2). Each test's name begins with the promise's number.

use std::path::Path;

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace, procfs, ship, steps, tools};

/// Everywhere that init can stand, with and without a forwarding to the group.
const MODES: [(Place, &[&str]); 4] =
    [(Place::Pid1, &[]), (Place::Pid1, &["-g"]), (Place::Child, &[]), (Place::Child, &["-g"])];

/// Signals for which the kernel has no other sender than itself in mind.
const FAULTS: [i32; 7] =
    [libc::SIGABRT, libc::SIGSEGV, libc::SIGTRAP, libc::SIGSYS, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// Any real-time signal that is sent last: what was sent before has been dealt with when it arrives.
const MARKER: i32 = 50;

/// init with a recording child, ready.
fn recorder(case: Case) -> Running {
    let mut init = case.child(["record"]).start();
    init.wait_line("recording");
    init
}

/// Can a value be sent to a group? PIDFD_SIGNAL_PROCESS_GROUP is in Linux 6.9.
fn groups_take_values() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc");
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse::<u32>().ok());
    (numbers.next().expect("a version"), numbers.next().expect("a version")) >= (6, 9)
}

/// How often the recorder took `signal`.
fn count(output: &[u8], signal: i32) -> usize {
    let output = String::from_utf8_lossy(output);
    output.lines().filter(|line| line.starts_with(&format!("signal={signal} "))).count()
}

/// The values with which `signal` came, in order.
fn values(output: &[u8], signal: i32) -> Vec<isize> {
    let output = String::from_utf8_lossy(output);
    let lines = output.lines().filter(|line| line.starts_with(&format!("signal={signal} ")));
    lines.map(|line| line.rsplit('=').next().and_then(|n| n.parse().ok()).expect("a value")).collect()
}

/// The state letter of a process.
fn state(pid: i32) -> char {
    procfs::Status::read(pid).expect("it lives").get("State").chars().next().expect("a letter")
}

/// The processes of this program in a namespace, by the name that the kernel shows (cut to 15 bytes).
fn inits(shell: &Running, program: &Path) -> Vec<i32> {
    let name = program.file_name().expect("a name").to_string_lossy().into_owned();
    let name: String = name.chars().take(15).collect();
    shell.processes().into_iter().filter(|process| process.comm == name).map(|process| process.pid).collect()
}

/// init's only child, by its outer pid.
fn child(init: &Running) -> i32 {
    let children = init.children();
    assert_eq!(children.len(), 1, "{children:?}");
    children[0].pid
}

/// Stops the child from outside and waits until it is.
fn stop_child(init: &mut Running) -> i32 {
    let pid = child(init);
    sys::kill(pid, libc::SIGSTOP, None).expect("a child");
    init.wait_until("a stopped child", |_| state(pid) == 'T');
    pid
}

#[test]
fn i12_every_signal_from_outside_and_inside_reaches_the_child() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = recorder(Case::init().place(place).args(options));
        for signal in sys::catchable().filter(|&signal| signal != libc::SIGCHLD) {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
            init.signal_from_inside(signal);
            init.wait_lines(&format!("signal={signal} "), 2);
        }
        let outcome = init.kill();
        outcome.assert_killed_by(libc::SIGKILL);
        for signal in 1..=64 {
            let expected = if [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(&signal) { 0 } else { 2 };
            assert_eq!(count(&outcome.stdout, signal), expected, "{place:?} {options:?} signal {signal}: {outcome}");
        }
    }
}

#[test]
fn i12_a_forwarded_signal_has_its_default_action_in_the_child() {
    needs_namespaces!();
    let without_effect = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stops = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    for place in [Place::Pid1, Place::Child] {
        for signal in sys::catchable().filter(|signal| !without_effect.contains(signal) && !stops.contains(signal)) {
            let case = Case::init().place(place).limit(libc::RLIMIT_CORE, 0, 0);
            let mut init = case.child(["ready", "sleep"]).start();
            init.wait_line("ready");
            init.signal(signal);
            init.wait().assert_exit(128 + signal);
        }
    }
}

#[test]
fn i12_sigchld_from_a_user_is_not_forwarded_and_does_no_harm() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = Case::init().place(place).args(options).child(["record", "for", "1", "exit", "7"]).start();
        init.wait_line("recording");
        for value in 0..20 {
            init.signal(libc::SIGCHLD);
            init.queue(libc::SIGCHLD, value);
        }
        init.signal_from_inside(libc::SIGCHLD);
        init.queue_from_inside(libc::SIGCHLD, 3);
        init.signal(MARKER);
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert_eq!((count(&outcome.stdout, libc::SIGCHLD), count(&outcome.stdout, MARKER)), (0, 1), "{outcome}");
    }
}

#[test]
fn i12_queued_real_time_signals_arrive_all_in_order_with_their_values() {
    needs_namespaces!();
    const EACH: isize = 1000;
    const NUMBERS: [i32; 3] = [34, 40, 64];
    for (place, options) in MODES {
        let all = NUMBERS.len() * EACH as usize + 1;
        let words = ["record", "for", &all.to_string(), "exit", "7"].map(str::to_owned);
        let mut init = Case::init().place(place).args(options).child(words).start();
        init.wait_line("recording");
        // All of them are pending before init can take the first.
        init.signal(libc::SIGSTOP);
        let pid = init.pid();
        init.wait_until("a stopped init", |_| state(pid) == 'T');
        for value in 0..EACH {
            for signal in NUMBERS {
                init.queue(signal, value);
            }
        }
        // It continues init, and is forwarded like any other.
        init.signal(libc::SIGCONT);
        let outcome = init.wait();
        outcome.assert_exit(7);
        let expected: Vec<isize> = if options.is_empty() || groups_take_values() {
            (0..EACH).collect()
        } else {
            (0..EACH).map(|_| 0).collect()
        };
        for signal in NUMBERS {
            assert!(values(&outcome.stdout, signal) == expected, "{place:?} {options:?} signal {signal}: {outcome}");
        }
    }
}

#[test]
fn i12_real_time_signals_queued_from_inside_arrive_in_order() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = recorder(Case::init().place(place).args(options));
        let target = procfs::Status::read(init.pid()).expect("it lives");
        let target = target.get("NSpid").split_whitespace().next_back().expect("a pid").to_owned();
        let words = (0..100).flat_map(|value| ["queue".to_owned(), target.clone(), "37".to_owned(), value.to_string()]);
        Case::witness().inside(&init).args(words).run().assert_exit(0);
        init.wait_lines("signal=37 ", 100);
        if options.is_empty() || groups_take_values() {
            assert_eq!(values(&init.stdout(), 37), (0..100).collect::<Vec<_>>());
        }
    }
}

#[test]
fn i12_a_value_comes_with_standard_signals_too() {
    needs_namespaces!();
    for (place, options) in MODES {
        if !options.is_empty() && !groups_take_values() {
            continue;
        }
        let mut init = recorder(Case::init().place(place).args(options));
        for signal in sys::catchable().filter(|&signal| signal != libc::SIGCHLD) {
            init.queue(signal, 1000 + signal as isize);
            init.wait_line(&format!("signal={signal} code={} pid=0 ", libc::SI_QUEUE));
            init.queue_from_inside(signal, -7);
            init.wait_lines(&format!("signal={signal} code={} ", libc::SI_QUEUE), 2);
            assert_eq!(values(&init.stdout(), signal), [1000 + signal as isize, -7]);
        }
    }
}

#[test]
fn i12_peers_lose_the_value() {
    needs_namespaces!();
    for name in ["tini", "dumb-init", "catatonit"] {
        let Some(peer) = tools::peer(name) else { continue };
        let mut peer = recorder(Case::new(peer));
        peer.queue(libc::SIGUSR1, 5);
        peer.wait_line("signal=10 ");
        assert_eq!(values(&peer.stdout(), libc::SIGUSR1), [0], "{name}");
    }
}

/// The receiver's queue is full (EAGAIN): the child has a lower limit than init and has filled its queue itself.
#[test]
fn i12_real_time_signals_beyond_the_limit_wait_for_room_and_keep_their_order() {
    needs_namespaces!();
    const ROOM: usize = 50;
    const HELD: [i32; 3] = [36, 40, 63];
    let limits = tools::on_path("prlimit").expect("prlimit of util-linux");
    for (place, options) in MODES {
        if !options.is_empty() && !groups_take_values() {
            // kill(2) is all there is for a group: beyond the limit the kernel merges.
            continue;
        }
        let witness = tools::witness().display().to_string();
        let flood: String = (0..ROOM).map(|value| format!(" queue $$ 41 {value}")).collect();
        let script = format!("exec {witness} block all{flood} say full cat record");
        // The count is per user and user namespace: a fresh one, so that nobody else's signals are in it.
        let mut init = Case::init()
            .place(place)
            .user_namespace()
            .stdin(Stream::Pipe)
            .args(options)
            .arg("--")
            .arg(&limits)
            .arg(format!("--sigpending={ROOM}"))
            .args(["sh", "-c", &script])
            .start();
        init.wait_line("full");
        let child = child(&init);
        for value in 0..10 {
            for signal in HELD {
                init.queue(signal, value);
            }
        }
        // What needs no room does not wait behind them, and nothing overtakes within a number.
        init.signal(libc::SIGTERM);
        let pending = || procfs::signals(child).expect("it lives").pending;
        init.wait_until("TERM at the child", |_| pending() & bit(libc::SIGTERM) != 0);
        assert_eq!(HELD.iter().fold(0, |set, &n| set | bit(n)) & pending(), 0, "{place:?} {options:?}");
        init.close_stdin();
        for signal in HELD {
            init.wait_lines(&format!("signal={signal} "), 10);
        }
        init.signal(MARKER);
        init.wait_line(&format!("signal={MARKER} "));
        let output = init.stdout();
        for signal in HELD {
            assert_eq!(values(&output, signal), (0..10).collect::<Vec<_>>(), "{place:?} {options:?} signal {signal}");
        }
        assert_eq!((count(&output, 41), count(&output, libc::SIGTERM)), (ROOM, 1), "{place:?} {options:?}");
    }
}

/// The child ends before there is room: its number may be another process's soon, and gets nothing more.
#[test]
fn i12_what_waits_for_room_is_dropped_when_the_child_has_ended() {
    needs_namespaces!();
    needs_strace!();
    let limits = tools::on_path("prlimit").expect("prlimit of util-linux");
    // What is queued counts for the user: the place is another process's, and does not become free with the child's end.
    let words = "block all child exhaust 41 sleep end cat exit 7".split(' ');
    let case = Case::init().user_namespace().stdin(Stream::Pipe).args(["--grace=60m", "--"]);
    let case = case.strace_alone(["-e", "trace=execve,rt_sigqueueinfo,kill,wait4"]);
    let mut init = case.arg(&limits).arg("--sigpending=5").arg(tools::witness()).args(words).start();
    init.wait_line("exhausted 5");
    init.queue(40, 1);
    // It is taken, and waits for room.
    init.wait_until("a held signal", |init| {
        init.signals().pending & bit(40) == 0 && procfs::sleeps_in(init.pid(), libc::SYS_rt_sigtimedwait)
    });
    let pid = init.children()[0].inner;
    init.close_stdin();
    // The grace runs: what remains has TERM, which it blocks.
    let left = |init: &Running| init.children().first().map(|process| process.pid);
    init.wait_until("TERM at the other", |init| {
        init.children().len() == 1
            && left(init)
                .and_then(|pid| procfs::signals(pid).ok())
                .is_some_and(|all| all.pending & bit(libc::SIGTERM) != 0)
    });
    init.signal(libc::SIGTERM);
    let outcome = init.wait();
    outcome.assert_exit(7);
    // init's alone, each a line.
    let calls: Vec<_> = outcome.trace.lines().collect();
    let queued = format!("rt_sigqueueinfo({pid}, ");
    assert!(calls.iter().any(|call| call.starts_with(&queued) && call.contains("EAGAIN")), "it had room: {outcome}");
    let ended = calls.iter().position(|call| call.starts_with("wait4(") && call.ends_with(&format!("= {pid}")));
    let ended = ended.unwrap_or_else(|| panic!("{outcome}"));
    let later =
        calls[ended..].iter().find(|call| call.starts_with(&queued) || call.starts_with(&format!("kill({pid}, ")));
    assert_eq!(later, None, "{outcome}");
}

/// As above, and a standard signal that becomes a real-time one by a rewrite comes twice meanwhile.
#[test]
fn i12_a_rewritten_signal_waits_for_room_as_well() {
    needs_namespaces!();
    const ROOM: usize = 50;
    let limits = tools::on_path("prlimit").expect("prlimit of util-linux");
    let witness = tools::witness().display().to_string();
    let flood: String = (0..ROOM).map(|value| format!(" queue $$ 41 {value}")).collect();
    let script = format!("exec {witness} block all{flood} say full cat record");
    let case = Case::init().user_namespace().stdin(Stream::Pipe).args(["-r", "USR1:40", "-r", "USR2:40", "--"]);
    let mut init = case.arg(&limits).arg(format!("--sigpending={ROOM}")).args(["sh", "-c", &script]).start();
    init.wait_line("full");
    for (signal, value) in [(libc::SIGUSR1, 1), (libc::SIGUSR2, 2)] {
        init.queue(signal, value);
        // Each is taken, or seen to wait, before the next one comes.
        let settled = |init: &Running| {
            let text = std::fs::read_to_string(format!("/proc/{}/syscall", init.pid())).unwrap_or_default();
            text.split_whitespace().next() == Some(&libc::SYS_rt_sigtimedwait.to_string())
        };
        init.wait_until("a rest", settled);
    }
    init.close_stdin();
    init.wait_line("signal=41 ");
    init.wait_lines("signal=40 ", 2);
    assert_eq!(values(&init.stdout(), 40), [1, 2]);
}

/// A child of another user, whom init may not signal.
#[test]
fn i12_a_refused_forwarding_is_told_and_is_not_fatal() {
    needs_namespaces!();
    if !nix::unistd::geteuid().is_root() {
        // A second user is root's to have; for others the refusal is injected, in the next test.
        return i12_no_error_of_a_forwarding_is_fatal();
    }
    let privileges = tools::on_path("setpriv").expect("setpriv of util-linux");
    // init is root without CAP_KILL, the child is somebody else.
    let case = |program: &std::path::Path| {
        Case::new(&privileges)
            .stdin(Stream::Pipe)
            .args(["--bounding-set", "-kill", "--inh-caps", "-kill"])
            .arg(program)
            .args(["-v", "--"])
            .arg(&privileges)
            .args(["--reuid", "65534", "--clear-groups", "sh", "-c", "echo ready; read line; exit 7"])
    };
    let mut init = case(ship::init()).start();
    init.wait_line("ready");
    for (number, signal) in [libc::SIGTERM, libc::SIGUSR1, libc::SIGHUP, MARKER].into_iter().enumerate() {
        init.signal(signal);
        init.wait_until("a word about it", |init| {
            String::from_utf8_lossy(&init.stderr()).matches("Operation not permitted").count() == number + 1
        });
    }
    init.queue(MARKER, 1);
    init.signal_from_inside(libc::SIGTERM);
    init.write(b"\n");
    init.wait().assert_exit(7);

    if let Some(tini) = tools::peer("tini") {
        let mut tini = case(&tini).start();
        tini.wait_line("ready");
        tini.signal(libc::SIGTERM);
        // The child is still at its read.
        assert_ne!(tini.wait().exit(), Some(7));
    }
}

#[test]
fn i12_no_error_of_a_forwarding_is_fatal() {
    needs_namespaces!();
    needs_strace!();
    let reasons = [("EPERM", "Operation not permitted"), ("ESRCH", "No such process")];
    for (place, options) in MODES {
        for (error, reason) in reasons {
            // Only what is traced can be tampered with.
            const CALLS: &str = "kill,rt_sigqueueinfo,pidfd_open,pidfd_send_signal";
            let (trace, inject) = (format!("trace={CALLS}"), format!("--inject={CALLS}:error={error}"));
            let case = Case::init().place(place).args(options).arg("-v").stdin(Stream::Pipe);
            let mut init = case.strace(["-e", &trace, &inject]).child(["ready", "cat", "exit", "7"]).start();
            init.wait_line("ready");
            init.signal(libc::SIGTERM);
            init.wait_error_line(reason);
            init.queue(MARKER, 1);
            init.queue(libc::SIGUSR1, 1);
            let told = |init: &Running| String::from_utf8_lossy(&init.stderr()).matches(reason).count();
            init.wait_until("a word on each", |init| told(init) == 3);
            init.write(b"lives\n");
            init.wait_line("lives");
            init.close_stdin();
            let outcome = init.wait();
            assert_eq!(outcome.exit(), Some(7), "{place:?} {options:?} {error}: {outcome}");
        }
    }
}

#[test]
fn i12_pipe_and_xfsz_of_others_are_forwarded_and_inits_own_are_not() {
    needs_namespaces!();
    let streams: [(fn() -> Stream, i32); 2] =
        [(|| Stream::BrokenPipe, libc::SIGPIPE), (|| Stream::FileAtLimit, libc::SIGXFSZ)];
    for (stream, signal) in streams {
        for (place, options) in MODES {
            // Each word of init's raises the signal in init.
            let mut init = recorder(Case::init().place(place).args(options).arg("-vv").stderr(stream()));
            for number in 1..=5 {
                // One of init's own must not be pending: the kernel would merge the two.
                init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
                if number % 2 == 0 {
                    init.signal_from_inside(signal)
                } else {
                    init.signal(signal)
                }
                init.wait_lines(&format!("signal={signal} "), number);
            }
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            init.signal(MARKER);
            init.wait_line(&format!("signal={MARKER} "));
            let outcome = init.kill();
            assert_eq!(count(&outcome.stdout, signal), 5, "{place:?} {options:?}: {outcome}");
        }
    }
    // The control: it forwards its own, and its child dies of it.
    if let Some(catatonit) = tools::peer("catatonit") {
        let case = Case::new(catatonit).env("CATATONIT_DEBUG", "1").stderr(Stream::BrokenPipe);
        case.child(["sleep"]).run().assert_exit(128 + libc::SIGPIPE);
    }
}

#[test]
fn i12_faults_that_somebody_sent_are_forwarded() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = recorder(Case::init().place(place).args(options));
        for signal in FAULTS {
            init.signal(signal);
            init.signal_from_inside(signal);
            init.wait_line(&format!("signal={signal} "));
            init.queue(signal, 1);
        }
        init.signal(libc::SIGTERM);
        init.wait_line("signal=15 ");
    }
    // The peers that have these signals' default action drop them as PID 1.
    for name in ["tini", "catatonit"] {
        let Some(peer) = tools::peer(name) else { continue };
        let mut peer = recorder(Case::new(peer));
        FAULTS.iter().for_each(|&signal| peer.signal(signal));
        peer.signal(libc::SIGTERM);
        peer.wait_line("signal=15 ");
        assert!(FAULTS.iter().all(|&signal| count(&peer.stdout(), signal) == 0), "{name}");
    }
}

#[test]
fn i2_rewrites_take_numbers_names_and_offsets_and_do_not_chain() {
    needs_namespaces!();
    // Rules, what is sent, what arrives (0: nothing).
    let table: &[(&[&str], &[(i32, i32)])] = &[
        (&["-r", "1:15"], &[(1, 15), (15, 15), (2, 2)]),
        (&["-r1:15"], &[(1, 15)]),
        (&["-r", "HUP:TERM"], &[(1, 15)]),
        (&["-r", "SIGHUP:SIGTERM"], &[(1, 15)]),
        (&["--rewrite", "SIGUSR1:3"], &[(10, 3)]),
        (&["--rewrite=10:QUIT"], &[(10, 3)]),
        (&["-r", "RTMIN+3:USR1"], &[(37, 10), (36, 36), (38, 38)]),
        (&["-r", "USR1:RTMIN"], &[(10, 34)]),
        (&["-r", "SIGRTMAX-1:SIGRTMIN+1"], &[(63, 35), (64, 64)]),
        (&["-r", "32:33", "-r", "33:32", "-r", "64:1"], &[(32, 33), (33, 32), (64, 1)]),
        (&["-r", "USR1:0"], &[(10, 0), (12, 12)]),
        (&["-r", "15:0"], &[(15, 0), (2, 2)]),
        // The last of equal ones wins.
        (&["-r", "1:2", "-r", "1:15"], &[(1, 15)]),
        (&["-r", "1:0", "-r", "1:15"], &[(1, 15)]),
        (&["-r", "1:15", "-r", "1:0"], &[(1, 0)]),
        (&["-r", "1:15", "-r", "HUP:HUP"], &[(1, 1)]),
        // No chain, in either order.
        (&["-r", "1:2", "-r", "2:3"], &[(1, 2), (2, 3)]),
        (&["-r", "2:3", "-r", "1:2"], &[(1, 2), (2, 3)]),
        (&["-r", "1:2", "-r", "2:0"], &[(1, 2), (2, 0)]),
        // Without effect.
        (&["-r", "CHLD:TERM", "-r", "KILL:TERM", "-r", "STOP:0"], &[(17, 0), (15, 15)]),
    ];
    for (rules, sent) in table {
        for group in [false, true] {
            let case = Case::init().args(*rules);
            let mut init = recorder(if group { case.arg("-g") } else { case });
            let mut expected = vec![0; 65];
            for &(signal, arrives) in *sent {
                expected[arrives as usize] += 1;
                init.signal(signal);
                if arrives != 0 {
                    init.wait_lines(&format!("signal={arrives} "), expected[arrives as usize]);
                }
            }
            init.signal(MARKER);
            init.wait_line(&format!("signal={MARKER} "));
            let outcome = init.kill();
            for signal in (1..=64).filter(|&signal| signal != MARKER) {
                let expected = expected[signal as usize];
                assert_eq!(count(&outcome.stdout, signal), expected, "{rules:?} signal {signal}: {outcome}");
            }
        }
    }
}

#[test]
fn i2_a_rewrite_keeps_the_value() {
    needs_namespaces!();
    for (place, options) in MODES {
        if !options.is_empty() && !groups_take_values() {
            continue;
        }
        let case = Case::init().place(place).args(options);
        let mut init = recorder(case.args(["-r", "USR1:40", "-r", "41:TERM"]));
        init.queue(libc::SIGUSR1, 5);
        init.wait_line("signal=40 code=-1");
        init.queue(41, 6);
        init.wait_line("signal=15 code=-1");
        assert_eq!((values(&init.stdout(), 40), values(&init.stdout(), 15)), (vec![5], vec![6]));
    }
}

#[test]
fn i2_a_rewrite_may_kill_and_stop() {
    needs_namespaces!();
    for (place, options) in MODES {
        let case = Case::init().place(place).args(options).args(["-r", "USR1:KILL", "-r", "USR2:SIGSTOP"]);
        let mut init = recorder(case);
        let pid = child(&init);
        init.signal(libc::SIGUSR2);
        init.wait_until("a stopped child", |_| state(pid) == 'T');
        init.signal(libc::SIGCONT);
        init.wait_line("signal=18 ");
        init.signal(libc::SIGUSR1);
        init.wait().assert_exit(128 + libc::SIGKILL);
    }
}

#[test]
fn i2_rewrites_without_effect_are_told_at_verbose_only() {
    needs_namespaces!();
    for (rule, name) in [("CHLD:TERM", "SIGCHLD"), ("9:TERM", "SIGKILL"), ("SIGSTOP:0", "SIGSTOP")] {
        let outcome = Case::init().args(["-v", "-r", rule]).child(["exit", "7"]).run();
        outcome.assert_exit(7);
        let told = without_effect(&outcome);
        assert!(told.len() == 1 && told[0].contains(name), "{rule}: {outcome}");
        let outcome = Case::init().args(["-r", rule]).child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!(outcome.err(), "");
    }
    for words in [&["-v"][..], &["-v", "-r", "USR1:TERM"], &["-v", "-r", "TERM:KILL"], &["-v", "-r", "9:9"]] {
        let outcome = Case::init().args(words).child(["exit", "7"]).run();
        assert_eq!(without_effect(&outcome), [""; 0], "{words:?}: {outcome}");
    }
}

/// The lines about rewrites that have no effect.
fn without_effect(outcome: &Outcome) -> Vec<String> {
    outcome.err().lines().filter(|line| line.contains("no effect")).map(str::to_owned).collect()
}

#[test]
fn i15_a_stop_request_reaches_a_stopped_child() {
    needs_namespaces!();
    for (place, options) in MODES {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT] {
            // One that handles it.
            let mut init = Case::init().place(place).args(options).child(["hook"]).start();
            init.wait_line("hooked");
            stop_child(&mut init);
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
            drop(init);
            // One that does not; it has stopped itself.
            let case = Case::init().place(place).args(options).limit(libc::RLIMIT_CORE, 0, 0);
            let mut init = case.child(["stop", "sleep"]).start();
            init.wait_line("stopping");
            let pid = child(&init);
            init.wait_until("a stopped child", |_| state(pid) == 'T');
            init.signal(signal);
            init.wait().assert_exit(128 + signal);
        }
    }
}

#[test]
fn i15_what_counts_is_the_signal_after_the_rewrite() {
    needs_namespaces!();
    for (place, options) in MODES {
        let rules = ["-r", "HUP:TERM", "-r", "40:QUIT", "-r", "INT:USR1"];
        for (sent, arrives) in [(libc::SIGHUP, libc::SIGTERM), (40, libc::SIGQUIT)] {
            let mut init = Case::init().place(place).args(options).args(rules).child(["hook"]).start();
            init.wait_line("hooked");
            stop_child(&mut init);
            init.signal(sent);
            init.wait_line(&format!("signal={arrives} "));
        }
        let mut init = Case::init().place(place).args(options).args(rules).child(["hook"]).start();
        init.wait_line("hooked");
        let pid = stop_child(&mut init);
        init.signal(libc::SIGINT);
        stays_stopped(&mut init, pid, libc::SIGUSR1);
    }
}

/// It has not come to its stop yet, as in a vfork, or in the hands of a debugger.
#[test]
fn i15_a_stop_that_is_still_pending_counts() {
    needs_namespaces!();
    for (place, options) in MODES {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT] {
            let mut init = Case::init().place(place).args(options).child(["hook"]).start();
            init.wait_line("hooked");
            let pid = child(&init);
            let held = steps::hold(pid).expect("a process that may be traced");
            sys::kill(pid, libc::SIGSTOP, None).expect("a child");
            assert_ne!(procfs::signals(pid).expect("it lives").pending & bit(libc::SIGSTOP), 0);
            init.signal(signal);
            init.wait_until("a taken signal", |init| init.signals().pending == 0);
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            drop(held);
            init.wait_line(&format!("signal={signal} "));
        }
    }
}

#[test]
fn i15_no_other_signal_continues_the_child() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = Case::init().place(place).args(options).child(["hook"]).start();
        init.wait_line("hooked");
        let pid = stop_child(&mut init);
        for signal in [libc::SIGHUP, libc::SIGUSR1, libc::SIGPIPE, libc::SIGABRT, 34, 64] {
            init.signal(signal);
            stays_stopped(&mut init, pid, signal);
        }
        // A CONT of the user's is a CONT.
        init.signal(libc::SIGCONT);
        init.wait_line("signal=18 ");
        init.wait_line("signal=1 ");
    }
}

/// `signal` has reached the stopped child, and it is stopped still when the signal after it has come.
#[track_caller]
fn stays_stopped(init: &mut Running, child: i32, signal: i32) {
    let pending = |signal| move |_: &Running| procfs::signals(child).expect("it lives").pending & bit(signal) != 0;
    init.wait_until("a pending signal", pending(signal));
    init.signal(MARKER);
    init.wait_until("a pending marker", pending(MARKER));
    assert_eq!(state(child), 'T', "signal {signal} has continued the child");
}

#[test]
fn i15_a_child_that_is_not_stopped_gets_no_cont() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = recorder(Case::init().place(place).args(options));
        for round in 1..=10 {
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT] {
                init.signal(signal);
                init.wait_lines(&format!("signal={signal} "), round);
            }
        }
        // Nor one that was stopped once; and not by the look that follows the last request.
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        let pid = stop_child(&mut init);
        init.signal(libc::SIGCONT);
        init.wait_line("signal=18 ");
        assert_ne!(state(pid), 'T');
        init.signal(libc::SIGTERM);
        init.wait_lines("signal=15 ", 11);
        init.signal(MARKER);
        init.wait_line(&format!("signal={MARKER} "));
        assert_eq!(count(&init.stdout(), libc::SIGCONT), 1, "{place:?} {options:?}");
    }
}

#[test]
fn i15_peers_leave_a_stopped_child_stopped() {
    needs_namespaces!();
    for name in ["tini", "dumb-init", "catatonit"] {
        let Some(peer) = tools::peer(name) else { continue };
        let mut peer = Case::new(peer).child(["hook"]).start();
        peer.wait_line("hooked");
        let pid = stop_child(&mut peer);
        peer.signal(libc::SIGTERM);
        stays_stopped(&mut peer, pid, libc::SIGTERM);
        assert_eq!(count(&peer.stdout(), libc::SIGTERM), 0, "{name}");
    }
}

/// A shell that starts an init and ends when its standard input does; the init has another parent then.
fn orphaned_init(case: impl FnOnce(Case) -> Case, program: &Path, options: &[&str]) -> Running {
    // The shell's `&` would give the recorder /dev/null for its input anyway.
    let script = r#""$@" & echo started; cat"#;
    let shell = case(Case::new("/bin/sh").not_pid1().stdin(Stream::Pipe));
    shell.args(["-c", script, "sh"]).arg(program).args(options).child(["record"]).start()
}

#[test]
fn i2_parent_death_sends_the_signal() {
    needs_namespaces!();
    for (options, signal) in [
        (&["-p", "USR1"][..], libc::SIGUSR1),
        (&["--parent-death=15"], libc::SIGTERM),
        (&["-g", "-p", "SIGRTMIN+6"], 40),
        (&["-p", "USR1", "-r", "USR1:HUP"], libc::SIGHUP),
    ] {
        let mut shell = orphaned_init(|case| case, ship::init(), options);
        shell.wait_line("recording");
        assert_eq!(count(&shell.stdout(), signal), 0, "{options:?}");
        shell.close_stdin();
        shell.wait_line(&format!("signal={signal} "));
    }
    // Unasked, nothing comes.
    let mut shell = orphaned_init(|case| case, ship::init(), &[]);
    shell.wait_line("recording");
    let [init] = inits(&shell, ship::init())[..] else { panic!("one init") };
    shell.close_stdin();
    shell.wait_status();
    sys::kill(init, MARKER, None).expect("init lives");
    shell.wait_line(&format!("signal={MARKER} "));
    let output = shell.stdout();
    assert_eq!(String::from_utf8_lossy(&output).matches("signal=").count(), 1);
}

/// The parent dies after init was started and before the kernel has been asked to watch it.
#[test]
fn i2_parent_death_is_not_missed_between_the_question_and_the_answer() {
    needs_namespaces!();
    needs_strace!();
    let folder = tempfile::tempdir().expect("a folder");
    let dumb_init = folder.path().join("dumb-init");
    std::os::unix::fs::symlink(ship::init(), &dumb_init).expect("a link");
    // In the delay: the call's number and its first argument are to be seen.
    let asks = format!("{} {:#x} ", libc::SYS_prctl, libc::PR_SET_PDEATHSIG);
    let inject = "--inject=prctl:delay_enter=60000000:when=2";
    // HUP and CONT of its own as dumb-init are others than these.
    for (program, signal) in [
        (ship::init(), libc::SIGUSR1),
        (ship::init(), libc::SIGHUP),
        (&dumb_init, libc::SIGUSR1),
        (&dumb_init, libc::SIGHUP),
        (&dumb_init, libc::SIGCONT),
    ] {
        // Blocked in the child from its birth, for the signal may be there before its exec.
        let traced = |case: Case| case.mask(bit(signal)).strace(["-e", "trace=prctl", inject]);
        let mut shell = orphaned_init(traced, program, &["-p", &signal.to_string()]);
        shell.wait_until("init in the call", |shell| {
            let call = |pid| std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
            inits(shell, program).into_iter().any(|init| call(init).starts_with(&asks))
        });
        shell.close_stdin();
        shell.wait_status();
        shell.end_tracing();
        shell.wait_line(&format!("signal={signal} "));
    }
}
