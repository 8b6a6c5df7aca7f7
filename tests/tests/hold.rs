//! `init -P` against its promise (I20): it behaves as `pause` does. Each test's name begins with the promise's number.

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Place, Running, needs_namespaces, procfs};

/// What ends it, and its last words.
const ENDS: [(i32, &str); 2] = [
    (libc::SIGTERM, "Shutting down, got signal: Terminated\n"),
    (libc::SIGINT, "Shutting down, got signal: Interrupt\n"),
];

/// A started `init -P` that has come to rest.
fn at_rest(case: Case) -> Running {
    let mut init = case.start();
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init
}

#[test]
fn i20_term_and_int_end_it_with_0_whatever_was_inherited() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        for (signal, message) in ENDS {
            for ignored in [0, bit(libc::SIGTERM) | bit(libc::SIGINT), sys::ALL_SIGNALS] {
                for option in ["-P", "--pause"] {
                    let init = at_rest(Case::init().place(place).ignored(ignored).mask(ignored).arg(option));
                    init.signal(signal);
                    let outcome = init.wait();
                    outcome.assert_exit(0);
                    // No warning where it is not PID 1.
                    assert_eq!((outcome.out(), outcome.err().as_str()), (String::new(), message), "{place:?}");
                }
            }
        }
    }
}

/// Rootless Podman keeps its user namespace by a `catatonit -P` of its own, which it starts with these ignored, and not as PID 1.
const IGNORED_BY_PODMAN: [i32; 10] = [
    libc::SIGALRM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGPIPE,
    libc::SIGQUIT,
    libc::SIGPOLL,
    libc::SIGPROF,
    libc::SIGVTALRM,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

#[test]
fn i20_as_podmans_pause_process_int_ends_it_with_0() {
    needs_namespaces!();
    let ignored = IGNORED_BY_PODMAN.into_iter().map(bit).sum();
    for place in [Place::Child, Place::Host] {
        for (end, message) in ENDS {
            let case = Case::init().name("catatonit").place(place).ignored(ignored).arg("-P");
            let mut init = at_rest(case);
            for signal in IGNORED_BY_PODMAN.into_iter().filter(|signal| *signal != libc::SIGINT) {
                init.signal(signal);
            }
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            init.signal(end);
            let outcome = init.wait();
            outcome.assert_exit(0);
            assert_eq!((outcome.out(), outcome.err().as_str()), (String::new(), message), "{place:?}");
        }
    }
}

#[test]
fn i20_every_other_signal_is_without_effect() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        for ignored in [0, sys::ALL_SIGNALS] {
            let mut init = at_rest(Case::init().place(place).ignored(ignored).arg("-P"));
            for signal in sys::catchable().filter(|signal| ENDS.iter().all(|(end, _)| end != signal)) {
                init.signal(signal);
            }
            // CONT is without effect, too, but for the stop that only KILL's sibling STOP can make.
            init.signal(libc::SIGSTOP);
            init.wait_until("a stop", |init| init.processes().iter().any(|p| p.pid == init.pid() && p.state == 'T'));
            init.signal(libc::SIGCONT);
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            init.signal(libc::SIGTERM);
            init.wait().assert_exit(0);
        }
    }
}

#[test]
fn i20_ten_thousand_orphans_cost_no_context_switch() {
    needs_namespaces!();
    let mut init = at_rest(Case::init().arg("-P"));
    let before = init.context_switches();
    // They take long on a machine that is busy.
    let deadline = std::time::Duration::from_secs(300);
    Case::witness().inside(&init).deadline(deadline).args(["orphans", "10000"]).run().assert_exit(0);
    init.wait_until("an empty namespace", |init| init.processes().len() == 1);
    assert_eq!((init.zombies(), init.context_switches() - before), (vec![], 0));
    init.signal(libc::SIGTERM);
    init.wait().assert_exit(0);
}

#[test]
fn i20_what_follows_is_ignored() {
    needs_namespaces!();
    for words in [&["-P", "echo", "started"][..], &["-P", "--no-such-option"], &["-gP", "-e", "256"], &["-P", "--help"]]
    {
        let init = at_rest(Case::init().args(words));
        assert_eq!(init.children(), []);
        init.signal(libc::SIGINT);
        let outcome = init.wait();
        outcome.assert_exit(0);
        assert_eq!(outcome.out(), "");
    }
    // What stands before it is not.
    Case::init().args(["-e", "256", "-P"]).run().assert_exit(1);
}

#[test]
fn i20_keeps_neither_a_folder_nor_a_descriptor() {
    needs_namespaces!();
    let file = tempfile::tempfile().expect("a file");
    let folder = tempfile::tempdir().expect("a folder");
    let init = at_rest(Case::init().directory(folder.path()).descriptor(9, file).arg("-P"));
    assert_eq!(procfs::directory(init.pid()).expect("its folder"), std::path::Path::new("/"));
    assert!(procfs::descriptors(init.pid()).expect("its descriptors").iter().all(|(number, _)| *number < 3));
    init.signal(libc::SIGTERM);
    init.wait().assert_exit(0);
}

/// With nothing to wait by, the end is all that is left: no busy loop (I13).
#[test]
fn i20_where_it_may_not_wait_it_ends() {
    needs_namespaces!();
    for errno in [libc::ENOSYS, libc::EPERM] {
        let hold = |case: Case| case.refuse(errno, [libc::SYS_rt_sigtimedwait]).run();
        hold(Case::init().arg("-P")).assert_exit(1);
        hold(Case::pause()).assert_exit(1);
    }
}
