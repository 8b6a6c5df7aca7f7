//! The harness itself: that it passes on exactly what was asked for, and that its checks fail where they must.

use std::time::Duration;

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Place, Stream, elf, needs_namespaces, needs_strace, running, ship};

#[test]
fn raw_wait_status_passes_through() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        for code in [0, 1, 44, 255] {
            Case::witness().place(place).args(["exit", &code.to_string()]).run().assert_exit(code);
        }
    }
    // PID 1 cannot die by its own signal.
    for place in [Place::Child, Place::Host] {
        for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGPIPE, 32, 33, 34, 64] {
            Case::witness().place(place).args(["die", &signal.to_string()]).run().assert_killed_by(signal);
        }
    }
}

#[test]
fn mask_and_dispositions_arrive_exactly() {
    needs_namespaces!();
    let not_settable = bit(libc::SIGKILL) | bit(libc::SIGSTOP);
    for place in [Place::Pid1, Place::Child, Place::Host] {
        for set in
            [0, sys::ALL_SIGNALS & !not_settable, bit(1) | bit(32) | bit(33) | bit(34) | bit(64), bit(libc::SIGPIPE)]
        {
            let outcome = Case::witness().place(place).mask(set).ignored(set).arg("state").run();
            outcome.assert_exit(0);
            let expected = format!("{set:016x}");
            assert_eq!(outcome.value("mask"), Some(expected.clone()), "{outcome}");
            assert_eq!(outcome.value("ignored"), Some(expected), "{outcome}");
            assert_eq!(outcome.value("caught"), Some(format!("{:016x}", 0)), "{outcome}");
        }
    }
}

#[test]
fn surroundings_arrive_exactly() {
    needs_namespaces!();
    let file = tempfile::tempfile().expect("a temporary file");
    let outcome = Case::witness()
        .name("other")
        .arg("state")
        .arg("exit")
        .arg("7")
        .empty_environment()
        .env("A", "1")
        .directory("/usr")
        .umask(0o137)
        .nice(3)
        .limit(libc::RLIMIT_NOFILE, 123, 456)
        .descriptor(5, file)
        .stdin(Stream::Closed)
        .run();
    outcome.assert_exit(7);
    assert_eq!(outcome.values("argv"), ["other", "state", "exit", "7"]);
    assert_eq!(outcome.values("env"), ["A=1"]);
    assert_eq!(outcome.value("cwd").as_deref(), Some("/usr"));
    assert_eq!(outcome.value("umask").as_deref(), Some("0137"));
    assert_eq!(outcome.value("nice").and_then(|n| n.parse().ok()), Some(sys::nice() + 3));
    assert!(outcome.values("limit").contains(&format!("{}:123:456", libc::RLIMIT_NOFILE)), "{outcome}");
    let numbers: Vec<_> = outcome.values("fd").iter().map(|fd| fd.split(':').next().unwrap_or("").to_owned()).collect();
    assert_eq!(numbers, ["1", "2", "5"], "{outcome}");
    for (key, value) in [("pid", "1"), ("ppid", "0"), ("pgid", "1"), ("sid", "1"), ("uid", "0"), ("tpgid", "-1")] {
        assert_eq!(outcome.value(key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn user_privileges_mounts_and_proc_are_as_asked_for() {
    needs_namespaces!();
    let outcome = Case::witness().user(65535, 65534).arg("state").run();
    assert_eq!(outcome.value("uid").as_deref(), Some("65535"));
    assert_eq!(outcome.value("gid").as_deref(), Some("65534"));

    let shell = |case: fn(Case) -> Case, script: &str| case(Case::new("/bin/sh").args(["-c", script])).run();
    // A writable file system is the control for the read-only one.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = format!("echo > {}/file || exit 9", folder.path().display());
    shell(|case| case, &script).assert_exit(0);
    shell(Case::read_only, &script).assert_exit(9);
    shell(|case| case, "test -e /proc/self").assert_exit(0);
    shell(Case::no_proc, "test -e /proc/self").assert_exit(1);
    shell(Case::no_new_privs, "grep -q 'NoNewPrivs:.1' /proc/self/status").assert_exit(0);
    shell(|case| case, "grep -q 'NoNewPrivs:.1' /proc/self/status").assert_exit(1);
}

#[test]
fn signals_from_outside_and_inside_are_seen_with_number_code_and_value() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        let mut witness = Case::witness().place(place).arg("record").start();
        witness.wait_line("recording");
        for signal in sys::catchable() {
            witness.signal(signal);
            let line = witness.wait_line(&format!("signal={signal} code=0 pid=0 "));
            assert!(line.ends_with("value=0"), "{line}");
            witness.signal_from_inside(signal);
            witness.wait_until("a sender of the same namespace", |w| {
                let text = String::from_utf8_lossy(&w.stdout()).into_owned();
                text.lines().any(|l| l.starts_with(&format!("signal={signal} code=0 pid=")) && !l.contains(" pid=0 "))
            });
        }
        // Real-time signals queue up, ordinary ones do not; the values come in order.
        for value in 1..=10 {
            witness.queue(40, value);
        }
        witness.wait_lines("signal=40 code=-1", 10);
        witness.queue_from_inside(41, -5);
        witness.wait_line("value=-5");
        let outcome = witness.kill();
        outcome.assert_killed_by(libc::SIGKILL);
        let values: Vec<_> = outcome
            .out()
            .lines()
            .filter(|l| l.starts_with("signal=40 code=-1"))
            .map(|l| l.rsplit('=').next().unwrap_or("").to_owned())
            .collect();
        assert_eq!(values, (1..=10).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn handlers_of_the_witness_say_what_they_caught() {
    needs_namespaces!();
    let mut witness = Case::witness().args(["hook", "for", "11"]).start();
    witness.wait_line("hooked");
    assert_ne!(witness.signals().caught & bit(libc::SIGTERM), 0);
    witness.signal(libc::SIGTERM);
    witness.wait_line("signal=15 code=0 pid=0 ");
    for value in 1..=10 {
        witness.queue(40, value);
        // One at a time: signal-hook keeps a few only.
        witness.wait_line(&format!("signal=40 code=-1 pid=0 uid=0 value={value}"));
    }
    let outcome = witness.wait();
    outcome.assert_exit(0);
    assert_eq!(outcome.out().lines().count(), 12, "{outcome}");
}

#[test]
fn a_pid1_that_does_not_reap_is_caught_with_zombies() {
    needs_namespaces!();
    let mut lazy = Case::witness().args(["ready", "sleep"]).start();
    lazy.wait_line("ready");
    Case::witness().inside(&lazy).args(["orphans", "250"]).run().assert_exit(0);
    // Each intermediate parent (3 batches) is waited for by its own parent.
    lazy.wait_until("250 zombies", |lazy| lazy.zombies().len() == 250);
    assert!(lazy.children().len() == 250, "{:?}", lazy.children());
}

#[test]
fn a_reaper_above_a_program_leaves_no_zombie_and_a_worker_is_seen() {
    needs_namespaces!();
    let mut program = Case::witness().not_pid1().args(["orphans", "250", "worker", "ready", "exit", "3"]).start();
    assert_eq!(libc::WEXITSTATUS(program.wait_status()), 3);
    program.wait_line("worker ");
    // The program is gone; its orphan lives on below the reaper.
    program.wait_until("the reaper and the worker", |p| p.processes().iter().map(|p| p.state).eq("SS".chars()));
    assert_eq!(program.processes()[0].inner, 1);
    program.wait().assert_exit(3);
}

#[test]
fn a_deadline_ends_the_wait_and_shows_what_was_captured() {
    needs_namespaces!();
    let panic = std::panic::catch_unwind(|| {
        let mut witness = Case::witness().args(["say", "last words", "sleep"]).start();
        witness.wait_line("last words");
        drop(Case::witness().deadline(Duration::from_millis(200)).args(["say", "last words", "sleep"]).run());
    });
    let message = *panic.expect_err("a panic").downcast::<String>().expect("a message");
    assert!(message.contains("deadline") && message.contains("last words"), "{message}");
}

#[test]
fn dropping_ends_everything_in_the_namespace() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        let mut witness =
            Case::witness().place(place).args(["child", "sleep", "end", "worker", "ready", "sleep"]).start();
        witness.wait_line("ready");
        let pid = witness.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it lives");
        let mut all: Vec<i32> = children.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect();
        assert!(!all.is_empty());
        all.push(pid);
        drop(witness);
        for pid in all {
            assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} lives on");
        }
    }
}

/// The test starts itself once more, with this variable, as the runner that is killed.
const TO_BE_KILLED: &str = "BITTS_TEST_TO_BE_KILLED";

#[test]
fn a_runner_killed_half_way_leaves_nothing() {
    needs_namespaces!();
    if std::env::var_os(TO_BE_KILLED).is_some() {
        let mut all = Vec::new();
        for place in [Place::Pid1, Place::Child, Place::Host] {
            let mut witness = Case::witness().place(place).args(["worker", "ready", "sleep"]).start();
            witness.wait_line("ready");
            // At least the witness and its worker.
            assert!(witness.processes().len() >= 2);
            all.extend(witness.processes().iter().map(|process| process.pid.to_string()));
            std::mem::forget(witness);
        }
        println!("\nstarted {}", all.join(" "));
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let mut runner = std::process::Command::new(std::env::current_exe().expect("own path"));
    runner.args(["--exact", "a_runner_killed_half_way_leaves_nothing", "--nocapture"]).env(TO_BE_KILLED, "1");
    let mut runner = running::spawn(runner.stdout(std::process::Stdio::piped())).expect("a runner");
    let output = std::io::BufReader::new(runner.stdout.take().expect("piped"));
    let mut lines = std::io::BufRead::lines(output).map_while(Result::ok);
    let line = lines.find_map(|line| line.strip_prefix("started ").map(str::to_owned)).expect("its word");
    let left: Vec<_> =
        line.split(' ').map(|pid| sys::open_process(pid.parse().expect("a pid")).expect("it lives")).collect();
    assert!(left.len() >= 6, "{line}");
    runner.kill().expect("a kill");
    runner.wait().expect("its end");
    for process in left {
        assert!(sys::wait_for_end(&process, Duration::from_secs(20)), "something outlives the runner, of {line}");
    }
}

#[test]
fn a_failed_exec_and_a_refused_namespace_are_told() {
    needs_namespaces!();
    let why = Case::new("/nonexistent").try_start().err().expect("an error");
    assert!(why.contains("No such file"), "{why}");
    let why = Case::witness().directory("/nonexistent").try_start().err().expect("an error");
    assert!(why.contains("change directory"), "{why}");
}

#[test]
fn a_held_program_runs_when_it_is_released() {
    needs_namespaces!();
    let mut held = Case::witness().mask(bit(libc::SIGUSR1)).args(["record", "for", "1"]).start_held();
    held.signal(libc::SIGUSR1);
    assert_eq!(held.signals().pending, bit(libc::SIGUSR1));
    assert!(held.stdout().is_empty());
    held.release();
    held.wait_line("signal=10");
    held.wait().assert_exit(0);
}

#[test]
fn strace_sees_the_exec_first_and_its_injections_work() {
    needs_namespaces!();
    needs_strace!();
    let outcome = Case::pause().strace(["-e", "trace=all"]).arg("-v").run();
    outcome.assert_exit(0);
    let calls = outcome.calls_after_exec();
    assert!(calls.last().is_some_and(|call| call.starts_with("exit_group(0)")), "{outcome}");
    let why = Case::witness().strace(["--inject=execve:error=ELOOP:when=1"]).try_start().err().expect("an error");
    assert!(why.contains("symbolic links"), "{why}");
}

#[test]
fn streams_are_what_they_are_called() {
    needs_namespaces!();
    let fails = |stream| {
        let outcome = Case::witness().not_pid1().stderr(stream).args(["error", "x", "exit", "0"]).run();
        (outcome.exit(), outcome.killed_by())
    };
    assert_eq!(fails(Stream::Null), (Some(0), None));
    assert_eq!(fails(Stream::Pipe), (Some(0), None));
    assert_eq!(fails(Stream::Closed), (Some(90), None));
    assert_eq!(fails(Stream::Full), (Some(90), None));
    assert_eq!(fails(Stream::BrokenPipe), (None, Some(libc::SIGPIPE)));
    assert_eq!(fails(Stream::FileAtLimit), (None, Some(libc::SIGXFSZ)));
    let mut stuck = Case::witness().stderr(Stream::FullPipe).args(["error", "x", "exit", "0"]).start();
    stuck.wait_asleep_in(libc::SYS_write);
    drop(stuck);

    let mut echo = Case::witness().stdin(Stream::Pipe).arg("cat").start();
    echo.write(b"to and fro\n");
    echo.wait_line("to and fro");
    echo.close_stdin();
    echo.wait().assert_exit(0);
}

#[test]
fn header_check_finds_faults() {
    assert_eq!(elf::faults(&std::fs::read(ship::static_witness()).expect("a file")), Vec::<String>::new());
    // This test itself is linked dynamically.
    let own = std::fs::read(std::env::current_exe().expect("own path")).expect("own bytes");
    assert!(elf::faults(&own).iter().any(|fault| fault.contains("interpreter")), "{:?}", elf::faults(&own));
    assert!(elf::faults(b"#!/bin/sh\n")[0].contains("no ELF file"));

    // Flags of a 64-bit little-endian program header stand 4 bytes behind its type.
    let mut bytes = std::fs::read(ship::pause()).expect("pause");
    let headers = u64::from_le_bytes(bytes[32..40].try_into().expect("8 bytes")) as usize;
    let count = u16::from_le_bytes(bytes[56..58].try_into().expect("2 bytes")) as usize;
    for i in 0..count {
        bytes[headers + 56 * i + 4] = 7;
    }
    let faults = elf::faults(&bytes);
    assert!(faults.iter().any(|fault| fault.contains("writable and executable")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("stack is executable")), "{faults:?}");
}

#[test]
fn static_witness_runs() {
    needs_namespaces!();
    let outcome = Case::new(ship::static_witness()).mask(bit(33)).args(["state", "exit", "4"]).run();
    outcome.assert_exit(4);
    assert_eq!(outcome.values("argv")[1..], ["state", "exit", "4"]);
    assert_eq!(outcome.value("mask").as_deref(), Some("0000000100000000"));
    assert_eq!(outcome.value("ignored").as_deref(), Some("0000000000000000"));
}
