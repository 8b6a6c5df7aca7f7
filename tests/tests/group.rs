//! Process groups and the terminal's foreground group, as far as they concern who gets a signal (I16). Each test's name
//! begins with the promise's number.

use std::path::Path;

use bitts_tests::{
    Case, Outcome, Place, Running, Stream, case::new_terminal, namespace, needs_namespaces, needs_strace, procfs, ship,
    steps, sys, tools,
};

/// Everywhere that init can stand, with and without `-g`.
const MODES: [(Place, &[&str]); 4] =
    [(Place::Pid1, &[]), (Place::Pid1, &["-g"]), (Place::Child, &[]), (Place::Child, &["-g"])];

/// Any real-time signal that is sent last: what was sent before has been dealt with when it arrives.
const MARKER: i32 = 50;

/// init with a recording child, ready.
fn recorder(case: Case) -> Running {
    let mut init = case.child(["record"]).start();
    init.wait_line("recording");
    init
}

/// How often recorders took `signal`. A terminal may have echoed something before the line.
fn count(output: &[u8], signal: i32) -> usize {
    String::from_utf8_lossy(output).matches(&format!("signal={signal} ")).count()
}

/// A number of the witness's state; a terminal ends its lines with `\r\n`.
fn number(outcome: &Outcome, key: &str) -> i32 {
    let value = outcome.value(key).unwrap_or_else(|| panic!("no {key} in {outcome}"));
    value.trim().parse().expect("a number")
}

/// Process group of a process.
fn group(pid: i32) -> i32 {
    procfs::groups(pid).expect("it lives").0
}

/// Does the child need a group of its own there?
fn own_group(place: Place, options: &[&str]) -> bool {
    place == Place::Pid1 || options.contains(&"-g")
}

/// With its value to the group's leader alone it would be another signal.
#[test]
fn i12_a_queued_signal_reaches_every_member_of_the_group() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        let mut init = Case::init().place(place).arg("-g").child(["child", "record", "end", "record"]).start();
        init.wait_lines("recording", 2);
        init.queue(40, 5);
        init.wait_lines("signal=40 ", 2);
    }
}

#[test]
fn i13_where_no_group_can_be_made_the_child_gets_the_signals() {
    needs_namespaces!();
    for (name, options, call) in [("init", &["-g"][..], libc::SYS_setpgid), ("dumb-init", &[], libc::SYS_setsid)] {
        for errno in [libc::ENOSYS, libc::EPERM] {
            let case = Case::init().name(name).args(options).refuse(errno, [call]);
            let mut init = case.child(["record", "until", "15", "exit", "7"]).start();
            init.wait_line("recording");
            init.queue(40, 5);
            init.wait_line("signal=40 ");
            init.signal(libc::SIGTERM);
            init.wait().assert_exit(7);
        }
    }
}

/// Whichever of the two runs first, the group is there: before init can send a signal to it, and before the child's program is executed.
#[test]
fn i8_each_of_init_and_its_child_makes_the_group() {
    needs_namespaces!();
    for (place, options) in MODES.into_iter().filter(|(place, options)| own_group(*place, options)) {
        for init_is_first in [true, false] {
            let case = Case::init().place(place).args(options).child(["record", "for", "1", "exit", "7"]);
            let mut init = case.start_held();
            let (parent, child) = steps::hold_at_birth(&mut init);
            let pid = child.pid();
            assert_ne!(group(pid), pid, "{place:?} {options:?}");
            let other = if init_is_first {
                drop(parent);
                child
            } else {
                drop(child);
                parent
            };
            init.wait_until("a group of the child's own", |_| group(pid) == pid);
            drop(other);
            init.wait_line("recording");
            init.signal(libc::SIGTERM);
            init.wait().assert_exit(7);
        }
    }
}

#[test]
fn i16_the_child_has_its_own_group_as_pid_1_or_with_g() {
    needs_namespaces!();
    for (place, options) in MODES.into_iter().chain([
        (Place::Pid1, &["-c"][..]),
        (Place::Child, &["-c"]),
        (Place::Host, &[]),
        (Place::Host, &["-g"]),
    ]) {
        let init = recorder(Case::init().place(place).args(options));
        let child = init.children()[0].pid;
        let expected = if own_group(place, options) { child } else { group(init.pid()) };
        assert_eq!(group(child), expected, "{place:?} {options:?}");
        assert_ne!(group(init.pid()), child);
        // The session stays as it was.
        let session = |pid| procfs::groups(pid).expect("it lives").1;
        assert_eq!(session(child), session(init.pid()), "{place:?} {options:?}");
    }
    // A PID 1 whose group is somebody else's (outside the namespace: 0).
    let outcome = Case::init().no_session().child(["state"]).run();
    assert_eq!(number(&outcome, "pgid"), number(&outcome, "pid"), "{outcome}");
}

#[test]
fn i16_a_grandchild_gets_signals_with_g_only() {
    needs_namespaces!();
    for (place, options) in MODES.into_iter().chain([(Place::Pid1, &["-c"][..]), (Place::Child, &["-c"])]) {
        let mut init = Case::init().place(place).args(options).child(["child", "record", "end", "record"]).start();
        init.wait_lines("recording", 2);
        let expected = if options.contains(&"-g") { 2 } else { 1 };
        for signal in sys::catchable().filter(|&signal| signal != libc::SIGCHLD && signal != MARKER) {
            init.signal(signal);
            init.wait_lines(&format!("signal={signal} "), expected);
        }
        // Both have taken all that was there for them.
        let both: Vec<_> = init.processes().into_iter().filter(|process| process.comm == "witness").collect();
        assert_eq!(both.len(), 2);
        for process in both {
            sys::kill(process.pid, MARKER, None).expect("it lives");
        }
        init.wait_lines(&format!("signal={MARKER} "), 2);
        let output = init.stdout();
        for signal in sys::catchable().filter(|&signal| signal != libc::SIGCHLD && signal != MARKER) {
            assert_eq!(count(&output, signal), expected, "{place:?} {options:?} signal {signal}");
        }
    }
}

/// A shell in init's own group, that would tell of each signal.
#[test]
fn i16_init_never_signals_its_own_group() {
    needs_namespaces!();
    let script = r#"trap 'echo shell got USR1' USR1; trap 'echo shell got TERM' TERM; "$@" & cat; echo shell ends"#;
    for place in [Place::Pid1, Place::Child] {
        for options in [&[][..], &["-g"], &["-c"], &["-r", "40:USR1"]] {
            let case = Case::new("/bin/sh").place(place).stdin(Stream::Pipe).args(["-c", script, "sh"]);
            let mut shell = case.arg(ship::init()).args(options).child(["record"]).start();
            shell.wait_line("recording");
            let name: String = ship::init().file_name().expect("a name").to_string_lossy().chars().take(15).collect();
            let init = shell.processes().into_iter().find(|process| process.comm == name).expect("init").pid;
            assert_eq!(group(init), group(shell.pid()));
            for signal in [libc::SIGUSR1, libc::SIGTERM, 40, MARKER] {
                sys::kill(init, signal, None).expect("init lives");
            }
            shell.wait_line(&format!("signal={MARKER} "));
            shell.wait_line("signal=15 ");
            // What is pending for the shell is told before its end.
            shell.close_stdin();
            shell.wait_line("shell ends");
            let output = String::from_utf8_lossy(&shell.stdout()).into_owned();
            assert!(!output.contains("shell got"), "{place:?} {options:?}: {output}");
        }
    }
}

/// Whom init addresses: only its child, or its child's group.
#[test]
fn i16_every_target_is_the_child_or_its_group() {
    needs_namespaces!();
    needs_strace!();
    for (place, options) in MODES {
        let case =
            Case::init().place(place).args(options).strace(["-e", "trace=execve,kill,tkill,tgkill,rt_sigqueueinfo"]);
        let mut init = case.child(["record", "for", "4", "exit", "7"]).start();
        init.wait_line("recording");
        let child = init.children()[0].inner;
        for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, 40] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        let outcome = init.wait();
        outcome.assert_exit(7);
        let call = if options.contains(&"-g") { format!("kill(-{child}, ") } else { format!("kill({child}, ") };
        let calls = outcome.calls_after_exec();
        let calls: Vec<_> = calls.iter().filter(|call| call.contains("kill(") || call.contains("queue")).collect();
        assert!(calls.len() == 4 && calls.iter().all(|made| made.starts_with(&call)), "{call}: {outcome}");
    }
}

#[test]
fn i16_the_childs_group_becomes_the_foreground_group() {
    needs_namespaces!();
    // As they are, and with init's descriptors elsewhere: the controlling terminal is what counts.
    for redirection in ["", "</dev/null", "<&9", "</dev/null 2>/dev/null", "<&-", "<&- 2>&-"] {
        for (place, options) in MODES {
            let (pipe, _kept) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
            let case = Case::new("/bin/sh").place(place).terminal().descriptor(9, pipe);
            let script = format!(r#"exec "$@" {redirection}"#);
            let case = case.args(["-c", &script, "sh"]).arg(ship::init()).args(options);
            let outcome = case.child(["state", "exit", "7"]).run();
            outcome.assert_exit(7);
            let what = format!("{place:?} {options:?} {redirection:?}: {outcome}");
            assert_eq!(number(&outcome, "tpgid"), number(&outcome, "pgid"), "{what}");
            let own = number(&outcome, "pgid") == number(&outcome, "pid");
            assert_eq!(own, own_group(place, options), "{what}");
        }
    }
}

#[test]
fn i16_the_child_finds_nothing_of_the_hand_over() {
    needs_namespaces!();
    for (place, options) in MODES {
        let outcome = Case::init().place(place).terminal().args(options).child(["state", "exit", "7"]).run();
        outcome.assert_exit(7);
        for key in ["mask", "ignored", "caught"] {
            assert_eq!(outcome.value(key).map(|set| set.trim().to_owned()), Some("0".repeat(16)), "{key}: {outcome}");
        }
        let numbers: Vec<_> =
            outcome.values("fd").iter().filter_map(|fd| Some(fd.split_once(':')?.0.to_owned())).collect();
        assert_eq!(numbers, ["0", "1", "2"], "{place:?} {options:?}: {outcome}");
    }
}

#[test]
fn i16_in_the_background_as_pid_1_below_a_shell_outside_it_does_not_take_the_terminal() {
    needs_namespaces!();
    // Here the numbers of both groups, init's and the terminal's, are outside init's namespace: 0.
    let Some(unshare) = tools::on_path("unshare") else {
        namespace::skipped("the terminal below a shell outside", "unshare of util-linux is not installed");
        return;
    };
    let shell = Case::new("/bin/bash").place(Place::Host).terminal().args(["--norc", "--noprofile", "-i"]);
    let mut shell = shell.env("PS1", "").env("HISTFILE", "/dev/null").start();
    let start = format!("{} -rpf --kill-child {}", unshare.display(), ship::init().display());
    shell.write(format!("{start} sh -c 'echo run''ning; sleep 1' &\n").as_bytes());
    shell.wait_line("running");
    shell.write(b"read -r word; echo got=$word\n");
    shell.write(b"something\n");
    shell.wait_line("got=something");
    shell.write(b"wait; exit 3\n");
    shell.wait().assert_exit(3);
}

#[test]
fn i12_a_hang_up_reaches_the_child_of_a_session_leader_in_its_own_group() {
    needs_namespaces!();
    // The leader alone gets it from the terminal: what init does not forward, nobody gets.
    for options in [&[][..], &["-g"]] {
        let (master, slave) = new_terminal();
        let mut init = Case::init().place(Place::Child).on_terminal(&slave).args(options).child(["sleep"]).start();
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        assert_eq!(procfs::groups(init.pid()).expect("it lives").1, init.pid(), "init leads the session");
        drop((slave, master));
        init.wait().assert_exit(128 + libc::SIGHUP);
    }
}

#[test]
fn i16_the_child_reads_from_the_terminal() {
    needs_namespaces!();
    for (place, options) in MODES {
        let mut init = Case::init().place(place).terminal().args(options).child(["ready", "cat", "exit", "7"]).start();
        init.wait_line("ready");
        init.write(b"typed\n");
        // Its echo, and what the child says.
        init.wait_lines("typed", 2);
        init.write(b"\x04");
        init.wait().assert_exit(7);
    }
}

/// Types ^C `times` times; how many interrupts the recorder takes in all. init is held up each time until the recorder has
/// taken what the terminal itself has sent it: the kernel would merge a forwarded one with that.
fn interrupts(mut init: Running, times: usize) -> usize {
    let pid = init.pid();
    for number in 1..=times {
        init.signal(libc::SIGSTOP);
        let stopped = |_: &Running| procfs::Status::read(pid).expect("it lives").get("State").starts_with('T');
        init.wait_until("a stopped init", stopped);
        let before = count(&init.stdout(), libc::SIGINT);
        init.write(b"\x03");
        init.wait_lines("signal=2 ", before + 1);
        init.signal(libc::SIGCONT);
        // Forwarded itself, and taken after the interrupt.
        init.wait_lines(&format!("signal={} ", libc::SIGCONT), number);
    }
    init.signal(MARKER);
    init.wait_line(&format!("signal={MARKER} "));
    count(&init.stdout(), libc::SIGINT)
}

#[test]
fn i16_an_interrupt_key_reaches_the_child_once() {
    needs_namespaces!();
    for (place, options) in MODES.into_iter().chain([(Place::Child, &["-c"][..]), (Place::Pid1, &["-c"])]) {
        let init = recorder(Case::init().place(place).terminal().args(options));
        assert_eq!(interrupts(init, 5), 5, "{place:?} {options:?}");
    }
    // The control: in a shared group, an init that forwards what the terminal has sent to both.
    if let Some(peer) = tools::peer("dumb-init") {
        assert_eq!(interrupts(recorder(Case::new(peer).not_pid1().terminal().arg("-c")), 5), 10);
    }
}

/// From a process, and not from the terminal, it is forwarded in a shared group as well.
#[test]
fn i16_an_interrupt_from_a_process_is_forwarded_in_a_shared_group() {
    needs_namespaces!();
    let mut init = recorder(Case::init().not_pid1().terminal());
    for (number, signal) in [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGHUP].into_iter().enumerate() {
        init.signal(signal);
        init.wait_line(&format!("signal={signal} "));
        init.queue(signal, number as isize);
        init.wait_lines(&format!("signal={signal} "), 2);
        init.signal_from_inside(signal);
        init.wait_lines(&format!("signal={signal} "), 3);
    }
}

/// `init … &` in a shell with job control; the state that its child sees, the shell being PID 1.
fn in_the_background(program: &Path, options: &[&str]) -> Outcome {
    let case = Case::new("/bin/sh").terminal().args(["-c", r#"set -m; "$@" & wait $!"#, "sh"]).arg(program);
    case.args(options).child(["state", "exit", "0"]).run()
}

#[test]
fn i16_an_init_in_the_background_does_not_take_the_terminal() {
    needs_namespaces!();
    for options in [&[][..], &["-g"], &["-c"]] {
        let outcome = in_the_background(ship::init(), options);
        // The shell's group, which is 1, has it still.
        assert_eq!(number(&outcome, "tpgid"), 1, "{options:?}: {outcome}");
        assert_ne!(number(&outcome, "pgid"), 1, "{options:?}: {outcome}");
    }
    // The control.
    if let Some(tini) = tools::peer("tini") {
        let outcome = in_the_background(&tini, &[]);
        assert_eq!(number(&outcome, "tpgid"), number(&outcome, "pgid"), "{outcome}");
    }
}

#[test]
fn i16_no_terminal_is_no_error() {
    needs_namespaces!();
    let lost_terminal = || {
        let flags = nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_NOCTTY | nix::fcntl::OFlag::O_CLOEXEC;
        let master = nix::pty::posix_openpt(flags).expect("a terminal");
        nix::pty::grantpt(&master).expect("a terminal");
        nix::pty::unlockpt(&master).expect("a terminal");
        let name = nix::pty::ptsname_r(&master).expect("a terminal");
        Stream::Given(nix::fcntl::open(name.as_str(), flags, nix::sys::stat::Mode::empty()).expect("a terminal"))
    };
    for (place, options) in MODES {
        for stdin in [Stream::Closed, Stream::Null, Stream::Pipe, lost_terminal()] {
            let outcome = Case::init().place(place).args(options).stdin(stdin).child(["exit", "7"]).run();
            outcome.assert_exit(7);
            assert_eq!(outcome.err(), "", "{place:?} {options:?}");
        }
        let outcome = Case::init().place(place).args(options).no_session().child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!(outcome.err(), "", "{place:?} {options:?}");
    }
}
