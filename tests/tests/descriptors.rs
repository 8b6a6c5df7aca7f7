//! What init opens it closes, and the child gets none of it (I11). Each test's name begins with the promise's number.

use bitts_tests::procfs::{self, Process};
use bitts_tests::{Case, Place, Running, Stream, needs_namespaces, needs_strace, ship, sys};

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// The numbers of init's open descriptors, when it sleeps in `call`.
fn descriptors(init: &mut Running, call: i64) -> Vec<i32> {
    init.wait_asleep_in(call);
    procfs::descriptors(init.pid()).expect("it lives").into_iter().map(|(number, _)| number).collect()
}

/// Those below init.
fn workers(init: &Running) -> Vec<Process> {
    let mut all = init.processes();
    all.retain(|process| process.comm == "witness");
    all
}

#[test]
fn i11_a_teardown_keeps_no_descriptor_of_those_that_have_ended() {
    needs_namespaces!();
    for place in PLACES {
        let mut words: Vec<&str> = ["child", "record", "until", "10", "end"].repeat(4);
        words.extend(["ready", "cat", "exit", "7"]);
        let mut init = Case::init().place(place).args(["--grace", "60m"]).stdin(Stream::Pipe).child(words).start();
        init.wait_line("ready");
        init.wait_lines("recording", 4);
        init.close_stdin();
        init.wait_until("four workers", |init| workers(init).len() == 4);
        let first = descriptors(&mut init, libc::SYS_ppoll);
        // The one that is followed may be any of them.
        for left in (1..4).rev() {
            let worker = &workers(&init)[0];
            sys::kill(worker.pid, libc::SIGUSR1, None).expect("it lives");
            init.wait_until("one less", |init| workers(init).len() == left);
            // The next one's may have another number.
            let now = descriptors(&mut init, libc::SYS_ppoll);
            assert_eq!(now.len(), first.len(), "{place:?}, {left} left: {first:?}, {now:?}");
        }
        sys::kill(workers(&init)[0].pid, libc::SIGUSR1, None).expect("it lives");
        init.wait().assert_exit(7);
    }
}

/// Where nobody can be followed a descriptor for signals is made all the same, and once.
#[test]
fn i11_a_teardown_that_can_follow_nobody_keeps_one_descriptor() {
    needs_namespaces!();
    let mut words: Vec<&str> = ["child", "record", "until", "10", "end"].repeat(4);
    words.extend(["ready", "cat", "exit", "7"]);
    let case = Case::init().args(["--grace", "60m"]).refuse(libc::ENOSYS, [libc::SYS_pidfd_open]);
    let mut init = case.stdin(Stream::Pipe).child(words).start();
    init.wait_line("ready");
    init.wait_lines("recording", 4);
    init.close_stdin();
    for left in (1..=4).rev() {
        init.wait_until("one less", |init| workers(init).len() == left);
        let kept = descriptors(&mut init, libc::SYS_rt_sigtimedwait);
        assert!(kept.starts_with(&[0, 1, 2]) && kept.len() <= 4, "{left} left: {kept:?}");
        sys::kill(workers(&init)[0].pid, libc::SIGUSR1, None).expect("it lives");
    }
    init.wait().assert_exit(7);
}

#[test]
fn i11_a_signal_leaves_no_descriptor_behind() {
    needs_namespaces!();
    for place in PLACES {
        for options in [&["-g"][..], &["--caught-only"]] {
            let mut init = Case::init().place(place).args(options).child(["record"]).start();
            init.wait_line("recording");
            let first = descriptors(&mut init, libc::SYS_rt_sigtimedwait);
            for value in 1..4 {
                init.queue(40, value);
                // Dropped or not, it is looked at.
                init.signal(libc::SIGUSR1);
            }
            init.queue(50, 0);
            if options == ["-g"] {
                init.wait_line("signal=50 ");
            }
            init.wait_until("all taken", |init| init.signals().pending == 0);
            assert_eq!(descriptors(&mut init, libc::SYS_rt_sigtimedwait), first, "{place:?} {options:?}");
        }
    }
}

/// /dev/tty would become descriptor 0 if that is closed.
#[test]
fn i11_the_terminal_takes_no_closed_descriptor_s_place() {
    needs_namespaces!();
    for place in PLACES {
        let init = ship::init().display();
        let command =
            format!("exec {init} -g -- /bin/sh -c 'ls /proc/$$/fd; echo \"that is all\"; read -r word <&1' <&- 2>&-");
        let mut running = Case::new("/bin/sh").place(place).terminal().args(["-c", &command]).start();
        running.wait_line("that is all");
        let kept = descriptors(&mut running, libc::SYS_rt_sigtimedwait);
        assert!(kept.len() == 2 && kept[0] == 1 && kept[1] > 2, "{place:?}: {kept:?}");
        running.write(b"x\n");
        let outcome = running.wait();
        outcome.assert_exit(0);
        let numbers: Vec<i32> = outcome.out().lines().filter_map(|line| line.trim().parse().ok()).collect();
        // The terminal, and what the shell has made of it for itself (10 and above).
        assert!(numbers.contains(&1), "{outcome}");
        assert!(numbers.iter().all(|number| *number == 1 || *number >= 10), "{place:?} {numbers:?}: {outcome}");
    }
}

/// A descriptor may have been opened before the soft limit was lowered.
#[test]
fn i11_without_close_range_descriptors_above_the_soft_limit_are_closed_too() {
    needs_namespaces!();
    // Without /proc nothing tells which are open.
    let dress: [fn(Case) -> Case; 2] = [|case| case, Case::no_proc];
    for (errno, dress) in [libc::ENOSYS, libc::EPERM].into_iter().flat_map(|errno| dress.map(|dress| (errno, dress))) {
        let file = tempfile::tempfile().expect("a file");
        let command = format!("ulimit -S -n 20; exec {} -- sleep 1000", ship::init().display());
        let case = Case::new("/bin/sh").descriptor(100, file).refuse(errno, [libc::SYS_close_range]);
        let mut init = dress(case).stdin(Stream::Null).args(["-c", &command]).start();
        assert_eq!(descriptors(&mut init, libc::SYS_rt_sigtimedwait), [0, 1, 2]);
        init.signal(libc::SIGTERM);
        init.wait().assert_exit(143);
    }
}

#[test]
fn i11_without_close_range_the_limit_need_not_be_known() {
    needs_namespaces!();
    for errno in [libc::ENOSYS, libc::EPERM] {
        let file = tempfile::tempfile().expect("a file");
        let case = Case::init().descriptor(100, file).refuse(errno, [libc::SYS_close_range, libc::SYS_prlimit64]);
        let mut init = case.stdin(Stream::Null).child(["sleep"]).start();
        assert_eq!(descriptors(&mut init, libc::SYS_rt_sigtimedwait), [0, 1, 2]);
        init.signal(libc::SIGTERM);
        init.wait().assert_exit(143);
    }
}

/// As before Linux 5.9. A limit of a million would otherwise be a million calls.
#[test]
fn i11_without_close_range_only_what_is_open_is_closed() {
    needs_namespaces!();
    needs_strace!();
    /// More than init opens and closes at its start, and far less than the limit.
    const FEW: usize = 100;
    const LIMIT: u64 = 10_000;
    for place in PLACES {
        let file = || tempfile::tempfile().expect("a file");
        let case = Case::init().place(place).limit(libc::RLIMIT_NOFILE, LIMIT, LIMIT);
        let case = case.descriptor(3, file()).descriptor(100, file()).descriptor(199, file());
        let case = case.refuse(libc::ENOSYS, [libc::SYS_close_range]).strace_alone(["-e", "trace=close,close_range"]);
        let mut init = case.child(["record", "for", "1", "exit", "7"]).start();
        init.wait_line("recording");
        assert_eq!(descriptors(&mut init, libc::SYS_rt_sigtimedwait), [0, 1, 2], "{place:?}");
        init.signal(libc::SIGTERM);
        let outcome = init.wait();
        outcome.assert_exit(7);
        let calls = outcome.trace.lines().filter(|line| line.contains("close(")).count();
        assert!((3..FEW).contains(&calls), "{place:?}: {calls} calls");
    }
}
