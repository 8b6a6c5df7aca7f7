//! The reader's first command: `cargo pid1 -- COMMAND…`.

use bitts_tests::{Case, Place, namespace, needs_namespaces, procfs, ship, tools};

/// `pid1` with the programs that are built already.
fn pid1(words: &[&str]) -> Case {
    let case = Case::new(tools::pid1()).place(Place::Host);
    case.env("INIT_UNDER_TEST", ship::init()).env("PAUSE_UNDER_TEST", ship::pause()).args(words)
}

#[test]
fn runs_a_command_below_init_as_pid_1_and_ends_with_its_status() {
    needs_namespaces!();
    let outcome = pid1(&["--", "sh", "-c", "cat /proc/1/comm; echo $PPID; id -u; (sleep 1 &); exit 3"]).run();
    outcome.assert_exit(3);
    let comm = ship::init().file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(outcome.out(), format!("{comm}\n1\n0\n"), "{outcome}");
    assert_eq!(outcome.err().lines().count(), 1, "{outcome}");
    assert!(outcome.err().contains("bytes) as PID 1 of new user, PID and mount namespaces: sh -c "), "{outcome}");
}

#[test]
fn the_command_stands_behind_two_dashes_whatever_was_typed() {
    needs_namespaces!();
    for (typed, words) in [
        (&["--", "sh", "-c", "x"][..], "-- sh -c x"),
        (&["sh", "-c", "x", "--"], "-- sh -c x --"),
        (&["--", "-x", "--", "y"], "-- -x -- y"),
        (&["-g", "--", "sh", "-c", "x"], "-g -- sh -c x"),
        (&["-g", "sh"], "-g sh"),
    ] {
        // echo tells what init would have been given.
        let outcome = pid1(typed).env("INIT_UNDER_TEST", "/bin/echo").run();
        outcome.assert_exit(0);
        assert_eq!(outcome.out(), format!("{words}\n"), "{typed:?}");
    }
}

#[test]
fn another_init_takes_its_place_by_variable() {
    needs_namespaces!();
    let Some(tini) = tools::on_path("tini") else {
        namespace::skipped("another_init_takes_its_place_by_variable", "tini is not installed");
        return;
    };
    let outcome = pid1(&["--", "sh", "-c", "cat /proc/1/comm; exit 3"]).env("INIT_UNDER_TEST", tini).run();
    outcome.assert_exit(3);
    assert_eq!(outcome.out(), "tini\n", "{outcome}");
}

#[test]
fn control_c_reaches_the_command_and_ends_pause() {
    needs_namespaces!();
    let witness = tools::witness();
    let words = ["--", witness.to_str().expect("text"), "hook", "for", "1", "exit", "5"];
    for (words, status) in [(&words[..], 5), (&["--pause"], 0)] {
        let mut running = pid1(words).terminal().start();
        if status == 0 {
            running.wait_until("pause at rest", |running| {
                let rests = |pid| procfs::sleeps_in(pid, libc::SYS_rt_sigtimedwait);
                running.processes().iter().any(|process| process.comm == "pause" && rests(process.pid))
            });
        } else {
            running.wait_line("hooked");
        }
        running.write(b"\x03");
        running.wait().assert_exit(status);
    }
}

#[test]
fn says_so_and_how_to_allow_it_where_namespaces_are_forbidden() {
    needs_namespaces!();
    // In a user namespace of its own the limit can be set by anybody.
    let script = format!("echo 0 > /proc/sys/user/max_user_namespaces; exec {} -- true", tools::pid1().display());
    let case = Case::new("/bin/sh").user_namespace().env("INIT_UNDER_TEST", ship::init()).args(["-c", &script]);
    let outcome = case.run();
    outcome.assert_exit(125);
    for word in [
        "cannot make a user namespace",
        "kernel.unprivileged_userns_clone",
        "user.max_user_namespaces",
        "kernel.apparmor_restrict_unprivileged_userns",
    ] {
        assert!(outcome.err().contains(word), "{word}: {outcome}");
    }
}

#[test]
fn no_command_is_an_error() {
    let outcome = pid1(&[]).run();
    outcome.assert_exit(125);
    assert!(outcome.err().contains("no command"), "{outcome}");
}
