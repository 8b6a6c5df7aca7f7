//! The line about a death that nobody asked for (I19). Each test's name begins with the promise's number.

use bitts_tests::{Case, Place, needs_namespaces, sys};

/// The signals whose default action ends a process (signal(7)), with the name that init shows.
fn deadly() -> impl Iterator<Item = (i32, String)> {
    let harmless = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stops = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    (1..=64).filter(move |signal| !harmless.contains(signal) && !stops.contains(signal)).map(|signal| {
        let mut memory = [0; 64];
        let mut line = init_core::message::Line::new(&mut memory);
        line.signal(signal);
        (signal, String::from_utf8_lossy(line.bytes()).into_owned())
    })
}

#[test]
fn i19_a_death_by_a_signal_that_init_knows_nothing_of_is_one_line() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        for (signal, name) in deadly() {
            let outcome = Case::init().place(place).child(["state", "die", &signal.to_string()]).run();
            outcome.assert_exit(128 + signal);
            let pid = outcome.value("pid").expect("its pid");
            assert_eq!(outcome.err(), format!("init: child {pid} was killed by signal {name}\n"), "{place:?}");
        }
    }
}

#[test]
fn i19_nothing_is_said_of_a_signal_that_came_through_init() {
    needs_namespaces!();
    for options in [&[][..], &["-g"], &["-r", "USR1:TERM"]] {
        for (signal, _) in deadly().filter(|(signal, _)| sys::catchable().any(|n| n == *signal)) {
            let mut init = Case::init().args(options).child(["ready", "sleep"]).start();
            init.wait_line("ready");
            init.signal(signal);
            let outcome = init.wait();
            let rewritten = signal == libc::SIGUSR1 && options.contains(&"-r");
            outcome.assert_exit(128 + if rewritten { libc::SIGTERM } else { signal });
            assert_eq!(outcome.err(), "", "{options:?}");
        }
    }
}

#[test]
fn i19_nothing_is_said_of_an_exit_nor_of_other_processes() {
    needs_namespaces!();
    for command in ["exit 0", "exit 137", "sh -c 'kill -9 $$'; exit 3", "(sh -c 'kill -9 $$' &) ; exit 4"] {
        let outcome = Case::init().args(["--", "sh", "-c", command]).run();
        assert!(!outcome.err().contains("init: "), "{command}: {outcome}");
    }
}

#[test]
fn i19_a_signal_to_the_child_past_init_is_one_line() {
    needs_namespaces!();
    let mut init = Case::init().child(["ready", "sleep"]).start();
    init.wait_line("ready");
    let child = init.children().first().expect("the child").clone();
    // From outside: a sender within would be killed with the namespace, perhaps before its own end.
    let outer = nix::unistd::Pid::from_raw(child.pid);
    nix::sys::signal::kill(outer, nix::sys::signal::Signal::SIGTERM).expect("a signal");
    let outcome = init.wait();
    outcome.assert_exit(143);
    assert_eq!(outcome.err(), format!("init: child {} was killed by signal 15 (SIGTERM)\n", child.inner));
}
