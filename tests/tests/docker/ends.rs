//! How containers end under a real Docker: stopped children, workers that need time, terminals.

use crate::{BASE, Way, World};
use bitts_tests::runtimes::docker::Container;

/// The child stops itself, and somebody else in the container says when it has.
const STOPPED: &str =
    "child=$$; (until grep -q '^State:.T' /proc/$child/status; do :; done; echo is stopped; sleep 600) &
    kill -STOP $$; sleep 600; :";

pub fn docker_stop_ends_a_stopped_child(way: &Way) {
    let mut container = way.script("stopped", STOPPED);
    container.expect("is stopped");
    // Docker kills after this time: long, so that a status other than 137 shows that no KILL was needed.
    way.daemon.ok(&["stop", "-t", "30", &container.name]);
    assert_eq!(container.end().0, 128 + 15);
}

/// The control: with Docker's own `--init`, which is tini, the stopped child stays as it is until it is killed.
pub fn docker_s_own_init_leaves_a_stopped_child(world: &World) {
    let mut container = world.plain.run("stopped-own", &["--init", BASE, "/bin/sh", "-c", STOPPED]);
    container.expect("is stopped");
    world.plain.ok(&["stop", "-t", "1", &container.name]);
    assert_eq!(container.end().0, 128 + 9);
}

/// A worker that has half a second's work left when its parent has ended.
const WORKER: &str = "trap 'exit 7' TERM
    (trap 'sleep 0.5; echo worker is done; exit' TERM; echo ready; while :; do sleep 0.1; done) &
    while :; do sleep 0.1; done";

/// `docker run --init` can pass no option, so that it is asked for by a variable.
pub fn a_worker_has_its_time(world: &World) {
    let options = ["--env", "BITTS_GRACE=60s", "--init", BASE, "/bin/sh", "-c", WORKER];
    let mut container = world.with_init.run("worker", &options);
    container.expect("ready");
    world.with_init.ok(&["stop", "-t", "30", &container.name]);
    container.expect("worker is done");
    assert_eq!(container.end().0, 7);
    // The control.
    let mut container = world.plain.run("worker-own", &["--init", BASE, "/bin/sh", "-c", WORKER]);
    container.expect("ready");
    world.plain.ok(&["stop", "-t", "30", &container.name]);
    let (status, said) = container.end();
    assert!(status == 7 && !said.contains("worker is done"), "{status} {said}");
}

/// `docker exec` starts a process whose parent is outside.
pub fn what_docker_exec_has_started_has_its_time(world: &World) {
    let options = [
        "--env",
        "BITTS_GRACE=60s",
        "--init",
        BASE,
        "/bin/sh",
        "-c",
        "echo ready; read word < /dev/null; sleep 600; :",
    ];
    let mut container = world.with_init.run("entered", &options);
    container.expect("ready");
    let script = "trap 'sleep 0.5; echo entered one is done > /proc/1/fd/2; exit' TERM; echo there > /proc/1/fd/2; while :; do sleep 0.1; done";
    world.with_init.ok(&["exec", "--detach", &container.name, "/bin/sh", "-c", script]);
    container.expect("there");
    world.with_init.ok(&["stop", "-t", "30", &container.name]);
    container.expect("entered one is done");
    assert_eq!(container.end().0, 128 + 15);
}

pub fn a_child_that_ignores_term_is_killed_in_time(world: &World) {
    let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let options = ["--env", "BITTS_STOP_TIMEOUT=300ms", "--init", BASE, "/bin/sh", "-c", script];
    let mut container = world.with_init.run("stubborn", &options);
    container.expect("ready");
    // Docker itself would kill init after ten minutes only.
    world.with_init.ok(&["kill", "--signal", "TERM", &container.name]);
    let (status, said) = container.end();
    assert_eq!(status, 128 + 9, "{said}");
    assert!(said.contains("init: "), "the time-out has its own line: {said}");
}

/// As Docker's users know their programs from before there was an init: `docker kill -s USR1` does not end them.
pub fn a_signal_that_is_not_caught_is_not_forwarded(world: &World) {
    let script = "trap 'echo took HUP' HUP; echo ready; while :; do sleep 0.1; done";
    let options = ["--env", "BITTS_CAUGHT_ONLY=1", "--init", BASE, "/bin/sh", "-c", script];
    let mut container = world.with_init.run("caught", &options);
    container.expect("ready");
    for signal in ["USR1", "USR2", "HUP"] {
        world.with_init.ok(&["kill", "--signal", signal, &container.name]);
    }
    container.expect("took HUP");
    world.with_init.ok(&["stop", "-t", "30", &container.name]);
    assert_eq!(container.end().0, 128 + 15);
}

/// A program of its own at the terminal: `text` shows that it is there.
fn at_terminal<'a>(world: &'a World, name: &str, command: &str, text: &str) -> Container<'a> {
    let mut container = world.with_init.run_on_terminal(name, &format!("--init {BASE} {command}"));
    container.expect(text);
    container
}

/// ^C comes once, ^Z does not freeze what nobody could resume, and the program reads what is typed.
pub fn keys_reach_a_program_at_the_terminal(world: &World) {
    let script = "sh -c \"trap 'echo took INT; exit 5' INT; echo there; while read word; do echo got-\\$word; done\"";
    let mut container = at_terminal(world, "keys", script, "there");
    container.write("one\n");
    container.expect("got-one");
    container.write("\u{1a}");
    container.write("two\n");
    container.expect("got-two");
    container.write("\u{3}");
    container.expect("took INT");
    let (status, said) = container.end();
    assert_eq!(status, 5, "{said}");
    assert!(!said.contains("took INT"), "twice: {said}");
}

/// An end of file ends it, and so does a QUIT key.
pub fn a_terminal_s_ends_are_the_program_s(world: &World) {
    let mut container = at_terminal(world, "end-of-file", "sh -c \"echo there; cat; exit 6\"", "there");
    container.write("word\n");
    container.expect("word");
    container.write("\u{4}");
    assert_eq!(container.end().0, 6);
    // Not by a shell, which ignores QUIT until it has become the program.
    let mut container = at_terminal(world, "quit", "cat /proc/sys/kernel/ostype -", "Linux");
    container.write("\u{1c}");
    assert_eq!(container.end().0, 128 + 3);
}
