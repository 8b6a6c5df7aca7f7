//! What the name changes that init is called by (I4), each case beside the program of that name. Each test's name begins
//! with the promise's number.

use std::path::{Path, PathBuf};

use bitts_tests::procfs::{self, Process, Status};
use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace, ship, tools};
use libc::{SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGWINCH};

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// What stops a process, and can be caught.
const STOPS: [i32; 3] = [SIGTSTP, SIGTTIN, SIGTTOU];

/// Sent last: what was sent before has been dealt with when it arrives.
const MARKER: i32 = 64;

/// init under the name of another.
fn called(name: &str) -> Case {
    Case::init().name(name)
}

fn dumb_init() -> Case {
    called("dumb-init")
}

/// Ways to turn dumb-init's defaults off.
const OFF: [(&[&str], &str); 3] = [(&["-c"], "1"), (&["--single-child"], "1"), (&[], "0")];

/// A number of the witness's state; a terminal ends its lines with `\r\n`.
fn number(outcome: &Outcome, key: &str) -> i32 {
    let value = outcome.value(key).unwrap_or_else(|| panic!("no {key} in {outcome}"));
    value.trim().parse().expect("a number")
}

fn state(pid: i32) -> char {
    Status::read(pid).map_or('X', |status| status.get("State").chars().next().expect("a letter"))
}

/// The only process whose parent is `parent`.
#[track_caller]
fn child_of(running: &Running, parent: i32) -> Process {
    let mut children = running.processes();
    children.retain(|process| process.parent == parent);
    assert_eq!(children.len(), 1, "{children:?}");
    children[0].clone()
}

/// Every signal that was recorded, in order of the numbers, with repetitions.
fn recorded(output: &[u8]) -> Vec<i32> {
    let output = String::from_utf8_lossy(output).into_owned();
    let number = |line: &str| line.split("signal=").nth(1)?.split(' ').next()?.parse().ok();
    let mut all: Vec<i32> = output.lines().filter_map(number).collect();
    all.sort_unstable();
    all
}

// ---- dumb-init: session and group -----------------------------------------------------------------------------------

#[test]
fn i4_as_dumb_init_the_child_has_its_own_session() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        for name in ["dumb-init", "/usr/bin/dumb-init", "./dumb-init", "/dumb-init"] {
            let outcome = called(name).place(place).child(["state"]).run();
            let pid = number(&outcome, "pid");
            assert_eq!((number(&outcome, "sid"), number(&outcome, "pgid")), (pid, pid), "{place:?} {name}: {outcome}");
            assert_eq!(outcome.err(), "");
        }
        for (options, variable) in OFF {
            let outcome =
                dumb_init().place(place).env("DUMB_INIT_SETSID", variable).args(options).child(["state"]).run();
            assert_ne!(number(&outcome, "sid"), number(&outcome, "pid"), "{place:?} {options:?}: {outcome}");
        }
        for case in [
            dumb_init().args(["-c", "--no-single-child"]),
            dumb_init().env("DUMB_INIT_SETSID", "1"),
            dumb_init().env("DUMB_INIT_SETSID", ""),
            dumb_init().env("DUMB_INIT_SETSID", "0").arg("--no-single-child"),
        ] {
            let outcome = case.place(place).child(["state"]).run();
            assert_eq!(number(&outcome, "sid"), number(&outcome, "pid"), "{place:?}: {outcome}");
        }
        // No other name does it.
        for name in [
            "init",
            "tini",
            "tini-static",
            "docker-init",
            "catatonit",
            "dumb-init2",
            "xdumb-init",
            "dumb-init/init",
            "",
        ] {
            let outcome = called(name).place(place).child(["state"]).run();
            assert_ne!(number(&outcome, "sid"), number(&outcome, "pid"), "{place:?} {name:?}: {outcome}");
        }
    }
    if let Some(peer) = tools::peer("dumb-init") {
        let outcome = Case::new(peer).child(["state"]).run();
        assert_eq!(number(&outcome, "sid"), number(&outcome, "pid"), "{outcome}");
    }
}

/// Sends each signal but the stops to `program`, whose child has others in its group and elsewhere. How many took each?
#[track_caller]
fn receivers(program: Case) -> Vec<usize> {
    let words =
        ["child", "record", "end", "child", "setsid", "record", "end", "child", "setpgid", "record", "end", "record"];
    let mut init = program.child(words).start();
    init.wait_lines("recording", 4);
    let signals = || sys::catchable().filter(|n| *n != libc::SIGCHLD && *n != MARKER && !STOPS.contains(n));
    // Those of the peers' C library, which do not forward them.
    let signals: Vec<_> = signals().filter(|n| *n != 32 && *n != 33).collect();
    for signal in &signals {
        init.signal(*signal);
        init.wait_line(&format!("signal={signal} "));
    }
    init.wait_until("all taken", |init| init.signals().pending == 0);
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    let all: Vec<_> = init.processes().into_iter().filter(|process| process.comm == "witness").collect();
    // The reaper above is one where there is one.
    all.iter().filter(|p| state(p.pid) != 'Z').for_each(|p| sys::kill(p.pid, MARKER, None).expect("it lives"));
    init.wait_lines(&format!("signal={MARKER} "), 4);
    let output = recorded(&init.stdout());
    signals.iter().map(|signal| output.iter().filter(|n| *n == signal).count()).collect()
}

#[test]
fn i4_as_dumb_init_signals_go_to_the_group_of_the_session() {
    needs_namespaces!();
    for place in PLACES {
        let counts = receivers(dumb_init().place(place));
        assert!(counts.iter().all(|count| *count == 2), "{place:?}: {counts:?}");
        for (options, variable) in OFF {
            let counts = receivers(dumb_init().place(place).env("DUMB_INIT_SETSID", variable).args(options));
            assert!(counts.iter().all(|count| *count == 1), "{place:?} {options:?}: {counts:?}");
        }
    }
    if let Some(peer) = tools::peer("dumb-init") {
        let counts = receivers(Case::new(peer));
        assert!(counts.iter().all(|count| *count == 2), "{counts:?}");
    }
}

/// `program`'s child ends, with one process in its group and one in a session of its own: what do those take?
#[track_caller]
fn left_behind(program: Case) -> Vec<i32> {
    let words = ["child", "record", "end", "child", "setsid", "record", "end", "cat", "exit", "7"];
    let mut init = program.not_pid1().stdin(Stream::Pipe).child(words).start();
    init.wait_lines("recording", 2);
    let recorders: Vec<_> = {
        let child = child_of(&init, init.pid()).pid;
        let mut all = init.processes();
        all.retain(|process| process.parent == child);
        all.iter().map(|process| process.pid).collect()
    };
    assert_eq!(recorders.len(), 2);
    init.close_stdin();
    assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7);
    recorders.iter().for_each(|pid| sys::kill(*pid, MARKER, None).expect("it lives"));
    init.wait_lines(&format!("signal={MARKER} "), 2);
    let mut all = recorded(&init.stdout());
    all.retain(|signal| *signal != MARKER);
    all
}

#[test]
fn i4_as_dumb_init_the_group_gets_term_when_the_child_has_ended() {
    needs_namespaces!();
    assert_eq!(left_behind(dumb_init()), [SIGTERM]);
    for (options, variable) in OFF {
        assert_eq!(left_behind(dumb_init().env("DUMB_INIT_SETSID", variable).args(options)), [] as [i32; 0]);
    }
    for name in ["init", "tini", "catatonit"] {
        assert_eq!(left_behind(called(name)), [] as [i32; 0]);
    }
    if let Some(peer) = tools::peer("dumb-init") {
        assert_eq!(left_behind(Case::new(peer)), [SIGTERM]);
    }
}

/// The child ends while init reaps others.
#[test]
fn i4_as_dumb_init_the_group_gets_term_whenever_the_child_ends() {
    needs_namespaces!();
    needs_strace!();
    // Held up when it has reaped the orphan: its first look, at the start, finds no dead process.
    let inject = "--inject=wait4:delay_exit=60000000:when=2";
    let case = dumb_init().not_pid1().strace_alone(["-e", "trace=wait4", inject]);
    let words = ["child", "record", "end", "child", "child", "record", "until", "10", "end", "end", "sleep"];
    let mut init = case.child(words).start();
    init.wait_lines("recording", 2);
    init.wait_until("an orphan", |init| init.children().len() == 2);
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    let [child, orphan] = &init.children()[..] else { panic!("a child and an orphan") };
    sys::kill(orphan.pid, libc::SIGUSR1, None).expect("it lives");
    init.wait_until("a reaped orphan", |init| init.children().len() == 1);
    sys::kill(child.pid, libc::SIGKILL, None).expect("it lives");
    init.wait_until("a dead child", |_| state(child.pid) == 'Z');
    init.end_tracing();
    init.wait_line("signal=15 ");
    assert_eq!(libc::WEXITSTATUS(init.wait_status()), 128 + libc::SIGKILL);
}

/// Until it is reaped its number, which is the group's, cannot become another's.
#[test]
fn i4_as_dumb_init_the_group_gets_term_before_the_child_is_reaped() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        for options in [&[][..], &["--wait-all"], &["-e7"]] {
            let case = dumb_init().place(place).args(options).strace_alone(["-e", "trace=kill,wait4,waitid"]);
            let outcome = case.child(["state", "exit", "7"]).run();
            let child = number(&outcome, "pid");
            let lines: Vec<_> = outcome.trace.lines().collect();
            let sent = format!("kill(-{child}, SIGTERM)");
            let sent: Vec<_> = (0..lines.len()).filter(|at| lines[*at].starts_with(&sent)).collect();
            let reaped = format!("= {child}");
            let reaped = lines.iter().position(|line| line.starts_with("wait4(") && line.ends_with(&reaped));
            assert!(sent.len() == 1 && reaped.is_some_and(|at| sent[0] < at), "{place:?} {options:?}: {outcome}");
        }
    }
}

/// The teardown's TERM is the group's, too.
#[test]
fn i4_as_dumb_init_with_a_grace_the_group_gets_term_once() {
    needs_namespaces!();
    needs_strace!();
    // After each signal there is time to take it: two that are pending at the same time would be one.
    let calls = "/^(kill|pidfd_send_signal)$";
    let inject = format!("--inject={calls}:delay_exit=100000");
    for place in PLACES {
        let case = dumb_init().place(place).arg("--grace=60m").stdin(Stream::Pipe);
        let case = case.strace_alone(["-e", &format!("trace={calls}"), &inject]);
        let mut init = case.child(["child", "record", "until", "18", "end", "ready", "cat", "exit", "7"]).start();
        init.wait_line("recording");
        init.wait_line("ready");
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert_eq!(recorded(&outcome.stdout), [SIGTERM, SIGCONT], "{place:?}: {outcome}");
    }
}

#[test]
fn i4_as_dumb_init_the_status_is_the_childs() {
    needs_namespaces!();
    for place in PLACES {
        for (words, status) in
            [(["exit", "0"], 0), (["exit", "44"], 44), (["die", "15"], 143), (["die", "9"], 137), (["die", "40"], 168)]
        {
            dumb_init().place(place).child(words).run().assert_exit(status);
        }
        dumb_init().place(place).args(["--grace", "60m"]).child(["exit", "7"]).run().assert_exit(7);
    }
}

// ---- dumb-init: stops -----------------------------------------------------------------------------------------------

#[test]
fn i4_as_dumb_init_tstp_ttin_and_ttou_become_stop() {
    needs_namespaces!();
    for place in PLACES {
        for signal in STOPS {
            // It blocks them all, and would record them.
            let mut init = dumb_init().place(place).child(["record"]).start();
            init.wait_line("recording");
            let child = child_of(&init, init.pid()).pid;
            init.signal(signal);
            init.wait_until("a stopped child", |_| state(child) == 'T');
            // Nobody could continue init itself: PID 1, or the leader of a session whose parent is in another one.
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            let pid = init.pid();
            // The child shows as stopped before the kernel tells init, which then wakes for a moment.
            init.wait_until("asleep, not stopped", |_| state(pid) == 'S');
            init.signal(SIGCONT);
            init.wait_line(&format!("signal={SIGCONT} "));
            assert_eq!(recorded(&init.stdout()), [SIGCONT], "{place:?} {signal}");
            // And again.
            init.signal(signal);
            init.wait_until("a stopped child", |_| state(child) == 'T');
            init.signal(SIGTERM);
            init.wait_line(&format!("signal={SIGTERM} "));
        }
        // Asked for otherwise, and undone with the session.
        for (case, taken) in [
            (dumb_init().args(["-r", "20:10"]), SIGUSR1),
            (dumb_init().args(["-r", "TSTP:TSTP"]), SIGTSTP),
            (dumb_init().env("BITTS_REWRITE", "TSTP:USR1"), SIGUSR1),
            (dumb_init().arg("-c"), SIGTSTP),
            (dumb_init().env("DUMB_INIT_SETSID", "0"), SIGTSTP),
            (called("tini"), SIGTSTP),
        ] {
            let mut init = case.place(place).child(["record"]).start();
            init.wait_line("recording");
            init.signal(SIGTSTP);
            init.wait_line(&format!("signal={taken} "));
        }
        let mut init = dumb_init().place(place).args(["-r", "20:0"]).child(["record"]).start();
        init.wait_line("recording");
        init.signal(SIGTSTP);
        init.wait_until("a taken signal", |init| init.signals().pending == 0);
        init.signal(MARKER);
        init.wait_line(&format!("signal={MARKER} "));
        assert_eq!(recorded(&init.stdout()), [MARKER]);
    }
}

/// `program` as a shell with job control has its jobs: in a group of its own, with a parent in the same session, which could
/// continue it. Who stands for the shell, and the pids of the program and its child.
#[track_caller]
fn job(program: &Path, name: &str, child: &[&str]) -> (Running, i32, i32) {
    let case = Case::witness().not_pid1().args(["child", "setpgid", "exec", name]).arg(program).arg("--");
    let mut shell = case.arg(tools::witness()).args(child).args(["end", "wait", "sleep"]).start();
    shell.wait_line("recording");
    let init = child_of(&shell, shell.pid()).pid;
    let child = child_of(&shell, init).pid;
    (shell, init, child)
}

/// The job has ended, with this exit status.
#[track_caller]
fn wait_ended(shell: &mut Running, status: i32) {
    let line = shell.wait_line("waited ");
    assert!(line.ends_with(&format!(" {}", status << 8)), "not {status}: {line}");
}

#[test]
fn i4_as_dumb_init_it_stops_itself_when_its_child_has_stopped() {
    needs_namespaces!();
    for signal in STOPS {
        let (mut shell, init, child) = job(ship::init(), "dumb-init", &["say", "recording", "sleep"]);
        for _ in 0..2 {
            sys::kill(init, signal, None).expect("it lives");
            shell.wait_until("a stopped init", |_| state(init) == 'T');
            // Not before its child.
            assert_eq!(state(child), 'T', "{signal}");
            sys::kill(init, SIGCONT, None).expect("it lives");
            shell.wait_until("both continued", |_| state(init) == 'S' && state(child) == 'S');
        }
        sys::kill(init, SIGTERM, None).expect("it lives");
        wait_ended(&mut shell, 143);
    }
}

/// A request that comes meanwhile is acted on at CONT; dumb-init leaves its child stopped.
#[test]
fn i4_as_dumb_init_a_term_to_the_stopped_init_is_acted_on_when_it_is_continued() {
    needs_namespaces!();
    for child in [&["say", "recording", "sleep"][..], &["record", "until", "15", "exit", "9"]] {
        let (mut shell, init, child_pid) = job(ship::init(), "dumb-init", child);
        sys::kill(init, SIGTSTP, None).expect("it lives");
        shell.wait_until("a stopped init", |_| state(init) == 'T' && state(child_pid) == 'T');
        sys::kill(init, SIGTERM, None).expect("it lives");
        assert_eq!((state(init), state(child_pid)), ('T', 'T'));
        sys::kill(init, SIGCONT, None).expect("it lives");
        wait_ended(&mut shell, if child.contains(&"record") { 9 } else { 143 });
    }
}

/// A child that stops by itself, and a signal that is made a stop by a rule: with it as well.
#[test]
fn i4_as_dumb_init_in_an_orphaned_group_it_does_not_stop() {
    needs_namespaces!();
    for place in PLACES {
        for words in [&["record"][..], &["say", "recording", "sleep"]] {
            let mut init = dumb_init().place(place).child(words).start();
            init.wait_line("recording");
            let child = child_of(&init, init.pid()).pid;
            for signal in STOPS {
                init.signal(signal);
                init.wait_until("a stopped child", |_| state(child) == 'T');
                init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
                let pid = init.pid();
                // It may just have been told of the child's stop.
                init.wait_until("asleep, not stopped", |_| state(pid) == 'S');
                init.signal(SIGCONT);
                init.wait_until("a continued child", |_| state(child) == 'S');
            }
        }
    }
}

// ---- dumb-init: terminal --------------------------------------------------------------------------------------------

#[test]
fn i4_as_dumb_init_the_child_gets_the_terminal_and_nothing_of_the_hand_over() {
    needs_namespaces!();
    for place in PLACES {
        let outcome = dumb_init().place(place).terminal().child(["state", "exit", "7"]).run();
        outcome.assert_exit(7);
        let pid = number(&outcome, "pid");
        assert_eq!(["sid", "pgid", "tpgid"].map(|key| number(&outcome, key)), [pid; 3], "{place:?}: {outcome}");
        for key in ["mask", "ignored", "caught"] {
            assert_eq!(outcome.value(key).map(|set| set.trim().to_owned()), Some("0".repeat(16)), "{key}: {outcome}");
        }
        // The kernel sends HUP and CONT to the group that the terminal is taken from: not meant for the child.
        let mut init = dumb_init().place(place).terminal().child(["record"]).start();
        init.wait_line("recording");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        init.signal(MARKER);
        init.wait_line(&format!("signal={MARKER} "));
        assert_eq!(recorded(&init.stdout()), [MARKER], "{place:?}");
        // The next ones are.
        for signal in [SIGHUP, SIGCONT, SIGHUP, SIGWINCH, SIGCONT] {
            let before = recorded(&init.stdout()).iter().filter(|n| **n == signal).count();
            init.signal(signal);
            init.wait_lines(&format!("signal={signal} "), before + 1);
        }
        // A key comes once.
        init.write(b"\x03");
        init.wait_line("signal=2 ");
        init.write(b"\x1c");
        init.wait_line("signal=3 ");
        assert_eq!(recorded(&init.stdout()).iter().filter(|n| **n == SIGINT).count(), 1, "{place:?}");
        // It can be read.
        let mut init = dumb_init().place(place).terminal().child(["ready", "cat", "exit", "7"]).start();
        init.wait_line("ready");
        init.write(b"typed\n");
        init.wait_lines("typed", 2);
        init.write(b"\x04");
        init.wait().assert_exit(7);
    }
}

/// Where no terminal is handed over there is nothing to swallow: the first ones are somebody's.
#[test]
fn i4_as_dumb_init_without_a_terminal_the_first_hup_and_cont_arrive() {
    needs_namespaces!();
    for place in PLACES {
        for stdin in [Stream::Null, Stream::Closed, Stream::Pipe] {
            let mut init = dumb_init().place(place).stdin(stdin).child(["record"]).start();
            init.wait_line("recording");
            for signal in [SIGHUP, SIGCONT] {
                init.signal(signal);
                init.wait_line(&format!("signal={signal} "));
            }
        }
        // Nor where there is no session of its own.
        let mut init = dumb_init().place(place).terminal().arg("-c").child(["record"]).start();
        init.wait_line("recording");
        for signal in [SIGHUP, SIGCONT] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
    }
}

#[test]
fn i4_as_dumb_init_a_hang_up_ends_the_child() {
    needs_namespaces!();
    for place in PLACES {
        let (master, slave) = bitts_tests::case::new_terminal();
        let case = dumb_init().place(place).on_terminal(&slave).stdout(Stream::Pipe);
        let mut init = case.child(["ready", "sleep"]).start();
        init.wait_line("ready");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        drop((master, slave));
        init.wait().assert_exit(128 + SIGHUP);
    }
}

/// Where init leads no session the terminal is another one's. Root could take it from there (ioctl_tty(2), TIOCSCTTY with 1), and
/// nobody else: only as root this can fail.
#[test]
fn i4_as_dumb_init_a_terminal_of_another_session_is_not_taken_away() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dumb_init = folder.path().join("dumb-init");
    std::os::unix::fs::symlink(ship::init(), &dumb_init).expect("a link");
    let case = Case::new("/bin/sh").terminal().env("I", &dumb_init).env("W", tools::witness());
    let outcome = case.args(["-c", "$I $W state exit 7; s=$?; $W state; exit $s"]).run();
    outcome.assert_exit(7);
    let [sessions, terminals] = ["sid", "tpgid"].map(|key| outcome.values(key));
    let number = |text: &String| text.trim().parse::<i32>().expect("a number");
    assert!(sessions.len() == 2 && number(&sessions[0]) != number(&sessions[1]), "{outcome}");
    assert_eq!(number(&terminals[0]), -1, "the child's: {outcome}");
    assert!(number(&terminals[1]) > 0, "the shell's: {outcome}");
}

/// Standard input is a terminal that no session has yet, as after openpty(3) and setsid(2).
#[test]
fn i4_as_dumb_init_a_terminal_of_no_session_becomes_the_childs() {
    needs_namespaces!();
    let peer = tools::peer("dumb-init").map(Case::new);
    for case in PLACES.map(|place| dumb_init().place(place)).into_iter().chain(peer) {
        let (_master, slave) = bitts_tests::case::new_terminal();
        let outcome = case.stdin(Stream::Given(slave)).child(["state", "exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!(["sid", "tpgid"].map(|key| number(&outcome, key)), [number(&outcome, "pid"); 2], "{outcome}");
    }
}

// ---- dumb-init: the rest --------------------------------------------------------------------------------------------

#[test]
fn i4_as_dumb_init_its_variables_count_and_its_texts_go_to_stderr() {
    needs_namespaces!();
    let quiet = dumb_init().child(["exit", "7"]).run();
    quiet.assert_exit(7);
    assert_eq!(quiet.err(), "");
    for (name, value, speaks) in
        [("DUMB_INIT_DEBUG", "1", true), ("DUMB_INIT_DEBUG", "0", false), ("DUMB_INIT_DEBUG", "yes", false)]
    {
        let outcome = dumb_init().env(name, value).child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!((outcome.out(), outcome.err().is_empty()), (String::new(), !speaks), "{name}={value}: {outcome}");
    }
    for option in ["-h", "--help", "-V", "--version"] {
        let outcome = dumb_init().arg(option).run();
        outcome.assert_exit(0);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.is_empty(), "{option}: {outcome}");
    }
    assert!(dumb_init().arg("-V").run().err().starts_with("dumb-init v1.2.5"));
    for path in ["/no-such-program", "/", "no-such-program"] {
        dumb_init().arg(path).run().assert_exit(2);
    }
}

#[test]
fn i13_as_dumb_init_idle_costs_no_context_switch() {
    needs_namespaces!();
    for place in PLACES {
        let mut init = dumb_init().place(place).child(["record"]).start();
        init.wait_line("recording");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        let before = init.context_switches();
        // The passing of time is what is measured here.
        std::thread::sleep(std::time::Duration::from_secs(3));
        assert_eq!(init.context_switches() - before, 0, "{place:?}");
    }
}

// ---- Each beside its original ---------------------------------------------------------------------------------------

/// What `program` answers to the question for help, wherever it says it.
fn help(program: &Path) -> String {
    let outcome = Case::new(program).place(Place::Host).arg("-h").run();
    outcome.out() + &outcome.err()
}

/// The options in a peer's own help: `-x` and `--word`, and whether a value follows.
fn options(help: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for line in help.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
        for part in line.split("  ").next().unwrap_or_default().split(", ") {
            let mut words = part.split([' ', ':']).filter(|word| !word.is_empty());
            let Some(name) = words.next().filter(|name| name.starts_with('-')) else { continue };
            let value = words.next().is_some_and(|word| word == word.to_uppercase() || word == "s");
            found.push((name.to_owned(), value));
        }
    }
    found
}

/// Every option that the program of that name names in its help, by that name and by any other.
#[test]
fn i2_every_option_of_the_peers_is_known() {
    for (name, least) in [("tini", 9), ("dumb-init", 10), ("catatonit", 6)] {
        let Some(peer) = tools::peer(name) else { continue };
        let options = options(&help(&peer));
        assert!(options.len() >= least, "{name}: {options:?}");
        for (option, takes_value) in options {
            // Its pause mode would never end.
            if option == "-P" {
                continue;
            }
            let value = match option.as_str() {
                "-e" => "3",
                "-p" => "SIGTERM",
                _ => "1:15",
            };
            let values: &[&str] = if takes_value { &[value] } else { &[] };
            for own_name in [name, "init"] {
                let run = |program: &Path| {
                    let case = Case::new(program).name(own_name).place(Place::Host).arg(&option).args(values);
                    // What prints a text and ends stands alone: tini refuses `--version` with words behind it.
                    let prints = ["-h", "--help", "-V", "--version", "-l", "-L"].contains(&option.as_str());
                    if prints { case.run() } else { case.child(["exit", "44"]).run() }
                };
                let (theirs, ours) = (run(&peer), run(ship::init()));
                assert_eq!(ours.exit(), theirs.exit(), "{name} {option}, called {own_name}: {ours}{theirs}");
                // A text where the original prints one, on the same descriptor.
                if ours.exit() == Some(0) && own_name == name && (name, option.as_str()) != ("catatonit", "-h") {
                    assert_eq!(ours.stdout.is_empty(), theirs.stdout.is_empty(), "{name} {option}: {ours}{theirs}");
                }
            }
        }
    }
}

/// Whole command lines with tini's options and variables: the same end, the same output, in each place.
#[test]
fn i4_as_tini_it_does_what_tini_does() {
    needs_namespaces!();
    let Some(tini) = tools::peer("tini") else { return };
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(&[&str], Variables, &[&str]); 22] = [
        (&[], &[], &["exit", "0"]),
        (&[], &[], &["exit", "255"]),
        (&[], &[], &["die", "15"]),
        (&[], &[], &["die", "9"]),
        (&[], &[], &["die", "40"]),
        (&["-g"], &[], &["exit", "7"]),
        (&["-s"], &[], &["exit", "7"]),
        (&["-w"], &[], &["exit", "7"]),
        (&["-v"], &[], &["exit", "7"]),
        (&["-vvv"], &[], &["exit", "7"]),
        (&["-gsw"], &[], &["exit", "7"]),
        (&["-p", "SIGTERM"], &[], &["exit", "7"]),
        (&["-pSIGKILL"], &[], &["exit", "7"]),
        (&["-e", "143"], &[], &["die", "15"]),
        (&["-e143", "-e", "7"], &[], &["exit", "7"]),
        (&["-e", "0"], &[], &["exit", "7"]),
        (&["-e", "255"], &[], &["exit", "255"]),
        (&[], &[("TINI_SUBREAPER", "")], &["exit", "7"]),
        (&[], &[("TINI_KILL_PROCESS_GROUP", "1")], &["exit", "7"]),
        (&[], &[("TINI_VERBOSITY", "0")], &["exit", "7"]),
        (&[], &[("TINI_VERBOSITY", "3")], &["exit", "7"]),
        (&[], &[("TINI_VERBOSITY", "banana")], &["exit", "7"]),
    ];
    for (options, variables, child) in cases {
        for place in PLACES {
            let run = |program: &Path| {
                let case = Case::new(program).name("tini").place(place).args(options);
                variables.iter().fold(case, |case, (name, value)| case.env(name, value)).child(child).run()
            };
            let (theirs, ours) = (run(&tini), run(ship::init()));
            assert_eq!(ours.exit(), theirs.exit(), "{options:?} {variables:?} {place:?}: {ours}{theirs}");
            assert_eq!(ours.out(), "", "{options:?} {variables:?}");
        }
    }
    for (path, status) in [("/no-such-program", 127), ("/", 126)] {
        for program in [&tini, &ship::init().to_owned()] {
            Case::new(program).name("tini").arg(path).run().assert_exit(status);
        }
    }
}

#[test]
fn i4_as_catatonit_it_does_what_catatonit_does() {
    needs_namespaces!();
    let peer = tools::peer("catatonit");
    let programs: Vec<PathBuf> = [Some(ship::init().to_owned()), peer].into_iter().flatten().collect();
    for program in &programs {
        for name in ["catatonit", "podman-init"] {
            let case = || Case::new(program).name(name);
            for option in ["-V", "--version"] {
                let outcome = case().arg(option).run();
                outcome.assert_exit(0);
                assert!(outcome.out().starts_with("tini version "), "{outcome}");
            }
            let outcome = case().arg("-L").run();
            outcome.assert_exit(0);
            assert!(!outcome.stdout.is_empty());
            case().arg("-h").run().assert_exit(0);
            case().arg("/no-such-program").run().assert_exit(1);
            case().arg("/").run().assert_exit(1);
            // To the group.
            let mut init = case().arg("-g").child(["child", "record", "end", "record"]).start();
            init.wait_lines("recording", 2);
            init.signal(SIGUSR1);
            init.wait_lines("signal=10 ", 2);
            // The pause mode.
            let mut init = case().arg("-P").start();
            init.wait_until("rest", |init| state(init.pid()) == 'S' && init.signals().pending == 0);
            init.signal(SIGINT);
            init.wait().assert_exit(0);
        }
    }
}

/// Inherited as ignored, a stop is none; and KILL is what it always is.
#[test]
fn i4_as_dumb_init_a_stop_is_a_stop_whatever_the_child_ignores() {
    needs_namespaces!();
    let ignored = STOPS.into_iter().map(bit).sum();
    let mut init = dumb_init().ignored(ignored).child(["say", "recording", "sleep"]).start();
    init.wait_line("recording");
    let child = child_of(&init, init.pid()).pid;
    assert_eq!(procfs::signals(child).expect("it lives").ignored & ignored, ignored);
    init.signal(SIGTSTP);
    init.wait_until("a stopped child", |_| state(child) == 'T');
    sys::kill(child, SIGKILL, None).expect("it lives");
    init.wait().assert_exit(128 + SIGKILL);
}
