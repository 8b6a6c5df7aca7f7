//! `pause` against its promises (P1–P8, B1, B2, B4). Each test's name begins with the promise's number.

use bitts_tests::cgroup::{self, Cgroup};
use bitts_tests::sys::{self, bit};
use bitts_tests::{
    Case, Place, Running, Stream, elf, floor, namespace, needs_namespaces, needs_strace, procfs, ship, steps,
};

const TERMINATED: &str = "Shutting down, got signal: Terminated\n";
const INTERRUPT: &str = "Shutting down, got signal: Interrupt\n";
const WARNING: &str = "Warning: pause should be the first process\n";

/// What ends it, and its last words.
const ENDS: [(i32, &str); 2] = [(libc::SIGTERM, TERMINATED), (libc::SIGINT, INTERRUPT)];

/// A started pause that has come to rest.
fn at_rest(case: Case) -> Running {
    let mut pause = case.start();
    pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    pause
}

#[test]
fn p1_term_and_int_end_it_with_a_message_and_0() {
    needs_namespaces!();
    for (signal, message) in ENDS {
        for send in [Running::signal, Running::signal_from_inside] {
            let pause = at_rest(Case::pause());
            send(&pause, signal);
            let outcome = pause.wait();
            outcome.assert_exit(0);
            assert_eq!((outcome.out(), outcome.err().as_str()), (String::new(), message));
        }
    }
}

#[test]
fn p1_no_other_signal_has_any_effect_on_pid_1() {
    needs_namespaces!();
    let pause = at_rest(Case::pause());
    for signal in 1..=64 {
        if ENDS.iter().any(|(end, _)| *end == signal) {
            continue;
        }
        // The kernel keeps KILL and STOP from inside away from PID 1; from outside they are meant.
        pause.signal_from_inside(signal);
        if signal != libc::SIGKILL && signal != libc::SIGSTOP {
            pause.signal(signal);
            pause.queue(signal, 1);
        }
    }
    assert!(pause.processes().iter().all(|process| process.state == 'S'), "{:?}", pause.processes());
    pause.signal(libc::SIGTERM);
    let outcome = pause.wait();
    outcome.assert_exit(0);
    assert_eq!(outcome.err(), TERMINATED);
}

#[test]
fn p1_kill_and_stop_work_from_outside() {
    needs_namespaces!();
    let mut pause = at_rest(Case::pause());
    pause.signal(libc::SIGSTOP);
    pause.wait_until("a stop", |pause| pause.processes()[0].state == 'T');
    pause.signal(libc::SIGCONT);
    pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    pause.kill().assert_killed_by(libc::SIGKILL);
}

#[test]
fn p2_ten_thousand_orphans_cost_no_context_switch() {
    needs_namespaces!();
    let pause = at_rest(Case::pause());
    let before = pause.context_switches();
    // They take long on a machine that is busy.
    let deadline = std::time::Duration::from_secs(300);
    let outcome = Case::witness().inside(&pause).deadline(deadline).args(["orphans", "10000"]).run();
    outcome.assert_exit(0);
    assert_eq!(outcome.out(), "orphans 10000\n");
    let mut pause = pause;
    // The last batch may still be about to end.
    pause.wait_until("an empty namespace", |pause| pause.processes().len() == 1);
    assert_eq!(pause.zombies(), []);
    assert_eq!(pause.context_switches() - before, 0);
    pause.signal(libc::SIGTERM);
    pause.wait().assert_exit(0);
}

#[test]
fn p2_idle_for_five_seconds_costs_no_context_switch() {
    needs_namespaces!();
    let pause = at_rest(Case::pause());
    let before = pause.context_switches();
    // The passing of time is what is measured here.
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(pause.context_switches() - before, 0);
}

#[test]
fn p3_works_with_any_inherited_mask_and_dispositions() {
    needs_namespaces!();
    let stops = bit(libc::SIGTERM) | bit(libc::SIGINT);
    let sets = [0, sys::ALL_SIGNALS, stops, bit(libc::SIGCHLD), !stops];
    for (mask, ignored) in sets.iter().flat_map(|&mask| sets.iter().map(move |&ignored| (mask, ignored))) {
        for (signal, message) in ENDS {
            let mut pause = at_rest(Case::pause().mask(mask).ignored(ignored));
            Case::witness().inside(&pause).args(["orphans", "10"]).run().assert_exit(0);
            pause.wait_until("an empty namespace", |pause| pause.processes().len() == 1);
            pause.signal(signal);
            let outcome = pause.wait();
            assert_eq!(
                (outcome.exit(), outcome.err().as_str()),
                (Some(0), message),
                "mask {mask:#x}, ignored {ignored:#x}"
            );
        }
    }
}

#[test]
fn p3_a_signal_pending_at_exec_is_not_lost() {
    needs_namespaces!();
    for (signal, message) in ENDS {
        for ignored in [0, bit(signal)] {
            let mut pause = Case::pause().mask(bit(signal)).ignored(ignored).start_held();
            pause.signal(signal);
            pause.release();
            let outcome = pause.wait();
            assert_eq!((outcome.exit(), outcome.err().as_str()), (Some(0), message));
        }
    }
}

#[test]
fn p2_who_was_dead_before_it_is_reaped_as_well() {
    needs_namespaces!();
    let pause = ship::pause();
    // PID 1 has dead children when it becomes pause: a shell that is not told of their death.
    let shell = Case::new("/bin/sh").mask(bit(libc::SIGCHLD)).stdin(Stream::Pipe);
    let mut running = shell.args(["-c", "true & true & true & read -r _; exec \"$0\""]).arg(pause).start();
    running.wait_until("three zombies", |running| running.zombies().len() == 3);
    running.write(b"go on\n");
    running.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    assert_eq!(running.zombies(), []);
    running.signal(libc::SIGTERM);
    running.wait().assert_exit(0);
}

#[test]
fn p2_no_zombie_is_left_under_an_emulator() {
    needs_namespaces!();
    let Some(emulator) = bitts_tests::tools::emulator() else { return };
    let mut pause = Case::emulated(&emulator, "pause", ship::pause()).start();
    // The emulator's own calls are not known: it has come to rest.
    assert!(procfs::await_rest(pause.pid(), bitts_tests::case::DEADLINE));
    Case::witness().inside(&pause).args(["orphans", "10"]).run().assert_exit(0);
    pause.wait_until("an empty namespace", |pause| pause.processes().len() == 1);
}

#[test]
fn p4_first_system_call_blocks_the_signals() {
    needs_namespaces!();
    needs_strace!();
    let pause = at_rest(Case::pause().strace(["-e", "trace=all"]));
    pause.signal(libc::SIGTERM);
    let outcome = pause.wait();
    let calls = outcome.calls_after_exec();
    assert!(calls[0].starts_with("rt_sigprocmask(SIG_SETMASK, [INT TERM], "), "{outcome}");
    assert!(calls[1].starts_with("rt_sigaction(SIGCHLD, {sa_handler=SIG_IGN"), "{outcome}");
    outcome.assert_exit(0);
}

#[test]
fn p4_a_signal_right_after_the_first_call_is_not_lost() {
    needs_namespaces!();
    for (signal, message) in ENDS {
        for _ in 0..100 {
            let mut pause = Case::pause().start();
            // As soon as the mask stands, and no later: whether the rest has run is left to chance. In its sleep the kernel
            // shows the two awaited signals, which then are the only ones, as not blocked.
            pause.wait_until("a mask", |pause| {
                procfs::sleeps_in(pause.pid(), libc::SYS_rt_sigtimedwait) || pause.signals().blocked != 0
            });
            pause.signal(signal);
            let outcome = pause.wait();
            assert_eq!((outcome.exit(), outcome.err().as_str()), (Some(0), message));
        }
    }
}

#[test]
fn p4_five_system_calls_from_exec_to_sleep() {
    needs_namespaces!();
    needs_strace!();
    for place in [Place::Pid1, Place::Child] {
        let pause = at_rest(Case::pause().place(place).strace(["-e", "trace=all"]));
        pause.signal(libc::SIGTERM);
        let outcome = pause.wait();
        let calls = outcome.calls_after_exec();
        let sleep = calls.iter().position(|call| call.starts_with("rt_sigtimedwait([INT TERM]"));
        let sleep = sleep.unwrap_or_else(|| panic!("it does not sleep: {outcome}"));
        if place == Place::Pid1 {
            assert!(sleep < 5, "{outcome}");
        } else {
            // The control: the warning adds to them.
            assert!(sleep > 5, "{outcome}");
        }
    }
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "the floor is of x86-64, and so is what is counted")]
fn p4_at_most_twice_the_floors_instructions_before_the_first_call() {
    let floor = steps::before_first_call(floor::pause());
    assert_eq!(floor, 9, "floor/pause.S has 9 of them");
    let pause = steps::before_first_call(ship::pause());
    // A counter that stands still would find every program good.
    let witness = steps::before_first_call(ship::static_witness());
    assert!(witness > 2 * floor, "even the C library's start-up takes {witness} instructions");
    assert!(pause <= 2 * floor, "{pause} instructions, the floor {floor}");
}

#[test]
fn p8_two_page_faults_from_exec_to_sleep() {
    needs_namespaces!();
    let faults = |case: Case| steps::faults_from_exec_to_rest(&mut case.start_held());
    let pause = faults(Case::pause());
    assert!(pause <= 2, "{pause} page faults");
    // A program with data of its own has more.
    let witness = faults(Case::new(ship::static_witness()).arg("record"));
    assert!(witness > 2, "the counter stands still: {witness}");
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "the floor is of x86-64")]
fn p8_charged_at_most_a_thirtieth_more_than_the_floor() {
    let test = "p8_charged_at_most_a_thirtieth_more_than_the_floor";
    if !namespace::root(test) {
        return;
    }
    if let Err(why) = Cgroup::new() {
        return namespace::skipped(test, &why);
    }
    let charge = |program: &std::path::Path, arguments: &[&str]| {
        let rests = |pid| procfs::sleeps_in(pid, libc::SYS_rt_sigtimedwait);
        cgroup::charge_of_one(program, arguments, 1000, rests).unwrap_or_else(|why| panic!("{why}"))
    };
    let floor = charge(floor::pause(), &[]);
    let pause = charge(ship::pause(), &[]);
    assert!(pause <= 1.03 * floor, "{pause} bytes, the floor {floor}");
    // The control: what has data of its own is not that near.
    let witness = charge(ship::static_witness(), &["record"]);
    assert!(witness > 1.03 * floor, "the scales stand still: {witness} bytes, the floor {floor}");
}

#[test]
fn p5_version_in_any_place_for_any_user() {
    needs_namespaces!();
    let version = |line: &str| {
        let hash = line.strip_prefix(concat!("pause ", env!("CARGO_PKG_VERSION"), " (git "))?.strip_suffix(")\n")?;
        (!hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(())
    };
    for words in [&["-v"][..], &["-V"], &["x", "-v"], &["--", "-V", "y"], &["-P", "-x", "-v"]] {
        for place in [Place::Pid1, Place::Child] {
            for user in [0, 65535] {
                let outcome = Case::pause().place(place).user(user, user).args(words).run();
                outcome.assert_exit(0);
                assert!(version(&outcome.out()).is_some() && outcome.err().is_empty(), "{words:?}: {outcome}");
            }
        }
    }
}

#[test]
fn p5_every_other_argument_is_ignored() {
    needs_namespaces!();
    let words: [&[&[u8]]; 6] =
        [&[b"-P"], &[b"-vv", b"--version", b"-h"], &[b""], &[b"--"], &[b"\xff\xfe", b"-"], &[b"v", b"-v "]];
    for words in words {
        use std::os::unix::ffi::OsStrExt;
        let pause = at_rest(Case::pause().args(words.iter().map(|word| std::ffi::OsStr::from_bytes(word))));
        pause.signal(libc::SIGTERM);
        let outcome = pause.wait();
        outcome.assert_exit(0);
        assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("", TERMINATED));
    }
    // Nor is the name that it is called by one.
    let pause = at_rest(Case::pause().name("-v"));
    pause.signal(libc::SIGTERM);
    pause.wait().assert_exit(0);
}

#[test]
fn p6_not_pid_1_warns_and_goes_on() {
    needs_namespaces!();
    for place in [Place::Child, Place::Host] {
        for (signal, message) in ENDS {
            let pause = at_rest(Case::pause().place(place));
            pause.signal(signal);
            let outcome = pause.wait();
            outcome.assert_exit(0);
            assert_eq!(outcome.err(), format!("{WARNING}{message}"));
        }
    }
}

#[test]
fn p6_not_pid_1_other_signals_have_their_default_action() {
    needs_namespaces!();
    let without_effect = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stopping = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    for signal in (1..=64).filter(|signal| ENDS.iter().all(|(end, _)| end != signal)) {
        // No core file where the default action would make one.
        let mut pause = at_rest(Case::pause().place(Place::Host).limit(libc::RLIMIT_CORE, 0, 0));
        pause.signal(signal);
        if stopping.contains(&signal) && signal != libc::SIGSTOP {
            // Its group is orphaned (a session of its own): the kernel lets a terminal stop have no effect there.
            pause.signal(libc::SIGTERM);
            pause.wait().assert_exit(0);
        } else if signal == libc::SIGSTOP {
            pause.wait_until("a stop", |pause| pause.processes()[0].state == 'T');
            pause.signal(libc::SIGCONT);
            pause.signal(libc::SIGTERM);
            pause.wait().assert_exit(0);
        } else if without_effect.contains(&signal) {
            pause.signal(libc::SIGTERM);
            pause.wait().assert_exit(0);
        } else {
            pause.wait().assert_killed_by(signal);
        }
    }
}

#[test]
fn p7_needs_nothing() {
    needs_namespaces!();
    let bare = || Case::pause().without_name().empty_environment().no_proc().read_only().no_new_privs().no_session();
    let closed = |case: Case| case.stdin(Stream::Closed).stdout(Stream::Closed).stderr(Stream::Closed);
    for user in [0, 1, 65535] {
        let pause = at_rest(closed(bare().user(user, user)));
        pause.signal(libc::SIGTERM);
        pause.wait().assert_exit(0);
    }
    let zero = bare().limit(libc::RLIMIT_NOFILE, 0, 0).limit(libc::RLIMIT_SIGPENDING, 0, 0);
    let pause = at_rest(zero);
    pause.signal(libc::SIGTERM);
    let outcome = pause.wait();
    outcome.assert_exit(0);
    assert_eq!(outcome.err(), TERMINATED);
}

#[test]
fn b1_and_b4_static_stack_not_executable_and_small() {
    let bytes = std::fs::read(ship::pause()).expect("pause");
    assert_eq!(elf::faults(&bytes), Vec::<String>::new());
    // The promise is 4,096. What it has, it may keep, and no more: the version and the commit are of different lengths.
    let limit = if cfg!(target_arch = "x86_64") { 2304 } else { 4096 };
    assert!(bytes.len() <= limit, "{} bytes", bytes.len());
}

#[test]
fn b2_a_bad_stderr_is_never_fatal_and_never_a_hang() {
    needs_namespaces!();
    let streams: [fn() -> Stream; 6] = [
        || Stream::Closed,
        || Stream::Null,
        || Stream::Full,
        || Stream::FullPipe,
        || Stream::BrokenPipe,
        || Stream::FileAtLimit,
    ];
    for (number, stream) in streams.iter().enumerate() {
        for place in [Place::Pid1, Place::Child] {
            for (signal, _) in ENDS {
                let pause = at_rest(Case::pause().place(place).stderr(stream()));
                pause.signal(signal);
                let outcome = pause.wait();
                assert_eq!(outcome.exit(), Some(0), "stream {number}, {place:?}: {outcome}");
            }
        }
        // The version goes to standard output, and has nothing to do with standard error.
        let outcome = Case::pause().stderr(stream()).arg("-v").run();
        outcome.assert_exit(0);
        assert!(outcome.out().starts_with("pause "), "stream {number}: {outcome}");
    }
}

#[test]
fn b2_a_bad_stdout_does_not_keep_the_version_from_ending() {
    needs_namespaces!();
    let streams: [fn() -> Stream; 4] =
        [|| Stream::Closed, || Stream::Full, || Stream::BrokenPipe, || Stream::FileAtLimit];
    for (number, stream) in streams.iter().enumerate() {
        for place in [Place::Pid1, Place::Child] {
            let outcome = Case::pause().place(place).stdout(stream()).arg("-v").run();
            assert_eq!(outcome.exit(), Some(0), "stream {number}, {place:?}: {outcome}");
        }
    }
}
