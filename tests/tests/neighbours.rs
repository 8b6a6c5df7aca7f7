//! Hostile neighbours: what a process of the container may do to PID 1, and what it can see of it (B2, B3, I11–I14, I18, P1). Each test's
//! name begins with the promise's number.
//!
//! Whom the kernel lets trace PID 1, change its limits or read its memory is PID 1 itself, as far as the kernel is concerned: what
//! is held here is that init neither lets anybody do more than the kernel does, nor loses anything by what is done to it.

use std::collections::BTreeSet;

use bitts_tests::case::new_terminal;
use bitts_tests::{Case, Outcome, Place, Running, Stream, load, namespace, needs_namespaces, procfs, ship, tools};

/// Another user, where root runs the test.
const OTHER: u32 = 4321;

/// Who sits in the container beside init.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// The same user, with all capabilities in the namespace.
    Mighty,
    /// The same user, with none.
    Same,
    /// Another user.
    Other,
}

/// Those that can be had here: an ordinary user's namespace has one user only.
fn everybody() -> Vec<Who> {
    let all = [Who::Mighty, Who::Same, Who::Other];
    all.into_iter().filter(|who| *who != Who::Other || namespace::root("the part of another user")).collect()
}

impl Who {
    /// A witness beside init that does `words`.
    fn case<Word: AsRef<str>>(self, init: &Running, words: impl IntoIterator<Item = Word>) -> Case {
        let case = Case::witness().inside(init);
        let case = match self {
            Self::Mighty => case,
            Self::Same => case.arg("no-capabilities"),
            Self::Other => case.user(OTHER, OTHER),
        };
        case.args(words.into_iter().map(|word| word.as_ref().to_owned()))
    }

    #[track_caller]
    fn run<Word: AsRef<str>>(self, init: &Running, words: impl IntoIterator<Item = Word>) -> Outcome {
        let outcome = self.case(init, words).run();
        assert_eq!(outcome.exit(), Some(0), "{self:?}: {outcome}");
        outcome
    }
}

/// init with a child that records, and does `end` behind a 64.
fn recording(case: Case, end: &[&str]) -> Running {
    let mut init = case.child(["record", "until", "64"].iter().chain(end)).start();
    init.wait_line("recording");
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init
}

/// The whole lines of standard output that begin with `key`.
fn lines(output: &[u8], key: &str) -> Vec<String> {
    String::from_utf8_lossy(output).lines().filter(|line| line.starts_with(key)).map(str::to_owned).collect()
}

/// The end of a recording whose child exits with 7.
#[track_caller]
fn ends_well(init: Running) -> Outcome {
    init.signal(64);
    let outcome = init.wait();
    outcome.assert_exit(7);
    outcome
}

// ---- signals --------------------------------------------------------------------------------------------------------

#[test]
fn i12_everything_that_a_neighbour_may_send_does_what_the_contract_says() {
    needs_namespaces!();
    // Not CONT and what stops: of these the kernel lets one discard the other.
    let signals: Vec<i32> =
        (1..64).filter(|n| ![libc::SIGCONT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(n)).collect();
    let words = signals.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let silent = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD];
    for who in everybody() {
        let mut init = recording(Case::init(), &["exit", "7"]);
        let before = init.processes().len();
        for way in ["kill", "tgkill", "queue", "pidfd"] {
            let outcome = who.run(&init, ["send", way, "1", &words]);
            let (sent, refused) = (lines(&outcome.stdout, "sent"), lines(&outcome.stdout, "refused"));
            let expected = if who == Who::Other { (0, signals.len()) } else { (signals.len(), 0) };
            assert_eq!((sent.len(), refused.len()), expected, "{who:?} {way}: {outcome}");
            if who == Who::Other {
                assert!(refused.iter().all(|line| line.contains("Operation not permitted")), "{way}: {outcome}");
                continue;
            }
            // Each number has come before the next way: nothing is merged.
            init.wait_until("what was sent", |init| {
                let none = |pid| procfs::signals(pid).is_ok_and(|signals| signals.pending == 0);
                none(init.pid())
                    && procfs::sleeps_in(init.pid(), libc::SYS_rt_sigtimedwait)
                    && init.children().iter().all(|child| none(child.pid))
            });
        }
        // Neither stopped, nor ended, nor deaf.
        assert_eq!((init.processes().len(), init.processes()[0].state), (before, 'S'), "{who:?}");
        let outcome = ends_well(init);
        for signal in signals.iter().filter(|_| who != Who::Other) {
            let came = lines(&outcome.stdout, &format!("signal={signal} "));
            let times = if silent.contains(signal) { 0 } else { 4 };
            assert_eq!(came.len(), times, "{who:?}: signal {signal}: {outcome}");
            // Only what was queued has a value and another sender than init.
            assert_eq!(
                came.iter().filter(|line| line.ends_with(" value=7") && !line.contains(" pid=1 ")).count(),
                times / 4
            );
        }
        if who == Who::Other {
            assert_eq!(lines(&outcome.stdout, "signal="), lines(&outcome.stdout, "signal=64 "), "{outcome}");
        }
    }
}

/// The control: tini sends neither ABRT nor SEGV on.
#[test]
fn i12_a_peer_drops_some_of_what_a_neighbour_sends() {
    needs_namespaces!();
    let Some(tini) = tools::peer("tini") else { return };
    let mut init = Case::new(tini).child(["record", "until", "64", "exit", "7"]).start();
    init.wait_line("recording");
    Who::Mighty.run(&init, ["send", "kill", "1", "6,11,10"]);
    init.wait_line("signal=10 ");
    let outcome = ends_well(init);
    assert_eq!(lines(&outcome.stdout, "signal=6 ").len() + lines(&outcome.stdout, "signal=11 ").len(), 0, "{outcome}");
}

/// A siginfo that lies: of a child's end that has not been, of a timer, of init's own hand.
#[test]
fn i12_i13_forged_siginfo_reaps_nothing_and_goes_on_as_it_is() {
    needs_namespaces!();
    for who in [Who::Mighty, Who::Same] {
        let mut init = recording(Case::init(), &["exit", "7"]);
        let child = init.children()[0].inner.to_string();
        // SIGCHLD with the child's pid and a false status, by codes that a user may give (below 0; SI_TKILL is none).
        for code in ["-1", "-2", "-3", "-60"] {
            let outcome = who.run(&init, ["forge", "1", "17", code, &child, "0", "9"]);
            assert_eq!(outcome.out(), "forged 17\n", "{outcome}");
        }
        // As the kernel would say it: refused.
        for code in ["1", "128", "0", "-6"] {
            let outcome = who.run(&init, ["forge", "1", "17", code, &child, "0", "9"]);
            assert!(outcome.out().starts_with("refused 17: Operation not permitted"), "{outcome}");
        }
        // Timer, asynchronous input, and a sender that does not exist.
        for code in ["-2", "-3", "-4", "-60"] {
            who.run(&init, ["forge", "1", "40", code, "4711", "0", "9"]);
            init.wait_line(&format!("signal=40 code={code} pid=4711 "));
        }
        // TERM from init's own hand is no write to a broken stderr: forwarded. PIPE is taken for one (I12), and dropped.
        who.run(&init, ["forge", "1", "15", "-1", "1", "0", "9"]);
        init.wait_line("signal=15 code=-1 pid=1 ");
        who.run(&init, ["forge", "1", "13", "-1", "1", "0", "9"]);
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        let outcome = ends_well(init);
        assert_eq!(lines(&outcome.stdout, "signal=13 "), Vec::<String>::new(), "{outcome}");
        assert_eq!(outcome.err(), "", "{outcome}");
    }
}

#[test]
fn p1_whatever_a_neighbour_sends_pause_sleeps_on() {
    needs_namespaces!();
    let deadly: Vec<_> =
        (1..=64).filter(|n| ![libc::SIGINT, libc::SIGTERM].contains(n)).map(|n| n.to_string()).collect();
    for who in everybody() {
        let mut pause = Case::pause().start();
        pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        let before = procfs::footprint(pause.pid()).expect("it lives");
        for way in ["kill", "tgkill", "queue", "pidfd"] {
            let outcome = who.run(&pause, ["send", way, "1", &deadly.join(",")]);
            assert_eq!(lines(&outcome.stdout, "sent").len(), if who == Who::Other { 0 } else { 62 }, "{outcome}");
        }
        who.run(&pause, ["forge", "1", "17", "-1", "5", "0", "9"]);
        Case::witness().inside(&pause).args(["orphans", "100"]).run().assert_exit(0);
        pause.wait_until("an empty namespace", |pause| pause.processes().len() == 1);
        pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        let after = procfs::footprint(pause.pid()).expect("it lives");
        load::holds_what_it_did("pause", &after, &before).unwrap_or_else(|why| panic!("{who:?}: {why}"));
        pause.signal(libc::SIGTERM);
        pause.wait().assert_exit(0);
    }
}

/// A neighbour of the same user fills the user's whole limit of pending signals.
#[test]
fn i12_a_limit_that_a_neighbour_has_used_up_delays_what_is_queued_and_nothing_else() {
    needs_namespaces!();
    const ROOM: u64 = 40;
    let case = Case::init().user_namespace().limit(libc::RLIMIT_SIGPENDING, ROOM, ROOM);
    let mut init = recording(case, &["exit", "7"]);
    let hog = Who::Same.case(&init, ["exhaust", "50", "cat"]).limit(libc::RLIMIT_SIGPENDING, ROOM, ROOM);
    let mut hog = hog.stdin(Stream::Pipe).start();
    hog.wait_line("exhausted");
    // To queue is refused to the sender.
    let outcome = Who::Mighty.run(&init, ["send", "queue", "1", "41"]);
    assert!(outcome.out().starts_with("refused queue 41: Resource temporarily unavailable"), "{outcome}");
    // A kill is not, real-time or not, and comes through; a child's end is seen.
    for signal in [libc::SIGTERM, libc::SIGUSR1, 42] {
        init.signal(signal);
        init.wait_line(&format!("signal={signal} "));
    }
    Case::witness().inside(&init).args(["orphans", "20"]).run().assert_exit(0);
    // init, its child, the hog.
    init.wait_until("no orphan", |init| init.processes().len() == 3);
    hog.close_stdin();
    hog.wait().assert_exit(0);
    let outcome = Who::Mighty.run(&init, ["send", "queue", "1", "41"]);
    outcome.assert_exit(0);
    init.wait_line("signal=41 ");
    ends_well(init);
}

// ---- ptrace ---------------------------------------------------------------------------------------------------------

/// Whoever may trace PID 1 may stop it; what came meanwhile waits in the kernel, and comes in order.
#[test]
fn i12_i13_what_comes_while_a_neighbour_traces_init_is_not_lost() {
    needs_namespaces!();
    for (how, way_out) in [("attach", "untrace"), ("seize", "untrace"), ("attach", "exit"), ("seize", "exit")] {
        let mut init = recording(Case::init(), &["exit", "7"]);
        let mut words = vec!["trace", how, "1", "cat"];
        // It lets go, or ends without a word.
        words.extend(if way_out == "untrace" { vec!["untrace", "1", "0"] } else { vec!["exit", "0"] });
        let mut tracer = Who::Mighty.case(&init, words).stdin(Stream::Pipe).start();
        tracer.wait_line("traced");
        (0..20).for_each(|value| init.queue(40, value));
        init.signal(libc::SIGTERM);
        Case::witness().inside(&init).args(["orphans", "20"]).run().assert_exit(0);
        // Stopped: nothing is forwarded, and nobody reaped.
        init.wait_until("zombies", |init| init.zombies().len() == 20);
        assert_eq!(lines(&init.stdout(), "signal="), Vec::<String>::new(), "{how}");
        tracer.close_stdin();
        tracer.wait().assert_exit(0);
        init.wait_lines("signal=40 ", 20);
        init.wait_line("signal=15 ");
        init.wait_until("no zombie", |init| init.zombies().is_empty());
        let outcome = ends_well(init);
        let values: Vec<_> = lines(&outcome.stdout, "signal=40 ");
        assert!(values.iter().enumerate().all(|(value, line)| line.ends_with(&format!(" value={value}"))), "{outcome}");
        assert_eq!(outcome.err(), "", "{how} {way_out}");
    }
}

/// Who has fewer capabilities than init, or is another user, may not (ptrace(2), "Ptrace access mode checking").
#[test]
fn i11_who_is_less_than_init_may_not_trace_it() {
    needs_namespaces!();
    for who in everybody().into_iter().filter(|who| *who != Who::Mighty) {
        for program in [ship::init(), ship::pause()] {
            let mut pid1 = Case::new(program).child(["sleep"]).start();
            pid1.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            for how in ["attach", "seize"] {
                let outcome = who.run(&pid1, ["trace", how, "1"]);
                assert_eq!(outcome.out(), "refused trace: EPERM: Operation not permitted\n", "{who:?}");
            }
            drop(pid1.kill());
        }
    }
}

// ---- what can be seen -----------------------------------------------------------------------------------------------

/// What `who` sees of PID 1.
fn look(init: &Running, who: Who) -> Outcome {
    who.run(init, ["look", "1"])
}

#[test]
fn i11_what_proc_shows_of_init_is_nothing_beyond_what_its_child_has() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a folder");
    let file = || std::fs::File::open(folder.path()).expect("a folder");
    let case = |program: &std::path::Path| {
        Case::new(program).directory(folder.path()).descriptor(3, file()).descriptor(50, file()).env("SECRET", "s3cret")
    };
    for who in everybody() {
        let init = recording(case(ship::init()), &["exit", "7"]);
        let seen = look(&init, who);
        // What everybody sees of everybody.
        assert!(seen.value("cmdline").expect("a line").contains("record"), "{seen}");
        if who == Who::Mighty {
            assert_eq!(seen.value("cwd").as_deref(), Some("/"), "{seen}");
            assert_eq!(seen.value("root").as_deref(), Some("/"), "{seen}");
            assert_eq!(seen.value("fd").as_deref(), Some("0,1,2"), "{seen}");
            // Its own, and its child's: the same bytes.
            let child = init.children()[0].inner.to_string();
            assert_eq!(who.run(&init, ["look", &child]).value("environ"), seen.value("environ"), "{seen}");
            // No file but its own is mapped.
            let maps = seen.value("maps").expect("a line");
            let mapped: BTreeSet<_> = maps.split("\\n").filter_map(|line| line.split_whitespace().nth(5)).collect();
            let files: Vec<_> = mapped.into_iter().filter(|name| !name.starts_with('[')).collect();
            assert_eq!(files, [ship::init().to_str().expect("a name")], "{seen}");
        } else {
            // Its user may count its descriptors, and not see what they are.
            assert_eq!(seen.value("fd").as_deref(), (who == Who::Same).then_some("0,1,2"), "{seen}");
            for name in ["cwd", "root", "exe", "environ", "auxv", "maps", "mem"] {
                let refused = lines(&seen.stdout, &format!("{name} refused: Permission denied"));
                assert_eq!(refused.len(), 1, "{who:?} {name}: {seen}");
            }
            assert!(!seen.out().contains("s3cret"), "{seen}");
        }
        ends_well(init);
    }
    // The control: a peer keeps all descriptors and the folder of its child.
    let Some(tini) = tools::peer("tini") else { return };
    let mut init = case(&tini).child(["record", "until", "64", "exit", "7"]).start();
    init.wait_line("recording");
    let seen = look(&init, Who::Mighty);
    assert_eq!(seen.value("cwd").as_deref(), folder.path().to_str(), "{seen}");
    assert_eq!(seen.value("fd").as_deref(), Some("0,1,2,3,50"), "{seen}");
    ends_well(init);
}

// ---- limits ---------------------------------------------------------------------------------------------------------

/// Every limit of PID 1 is 0 but that on processor time, at which the kernel itself kills.
#[test]
fn i13_i14_limits_that_a_neighbour_takes_away_stop_nothing() {
    needs_namespaces!();
    let all = (1..16).map(|resource| resource.to_string()).collect::<Vec<_>>().join(",");
    for place in [Place::Pid1, Place::Child] {
        let case = Case::init().place(place).args(["-v", "--grace", "60m"]);
        let mut init = recording(case, &["child", "setsid", "say", "stays", "cat", "end", "exit", "7"]);
        let pid = init.processes().iter().find(|process| process.pid == init.pid()).expect("init").inner.to_string();
        let outcome = Who::Mighty.run(&init, ["limits", &pid, "0", "0", &all]);
        assert_eq!(lines(&outcome.stdout, "limited").len(), 15, "{outcome}");
        // Not queued: there is no room for that any more.
        for signal in [libc::SIGUSR1, libc::SIGHUP, 42] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        if place == Place::Pid1 {
            Case::witness().inside(&init).args(["orphans", "50"]).run().assert_exit(0);
            init.wait_until("no zombie", |init| init.processes().len() == 2);
        }
        ends_well(init);
    }
}

/// init has room for so few descriptors that it cannot follow who is left; it waits for them all the same.
#[test]
fn i14_however_few_descriptors_there_are_init_does_not_end_before_the_last_process() {
    needs_namespaces!();
    for limit in 0..9 {
        let case = Case::init().args(["--grace", "60m"]).stdin(Stream::Pipe);
        let mut init = recording(
            case,
            &["child", "ignore", "15", "setsid", "say", "stays", "cat", "say", "goes", "end", "exit", "7"],
        );
        let outcome = Who::Mighty.run(&init, ["limits", "1", &limit.to_string(), &limit.to_string(), "7"]);
        assert_eq!(outcome.out(), "limited 7\n");
        init.signal(64);
        init.wait_line("stays");
        // The child has been reaped, and init has come to rest again.
        init.wait_until("a teardown that waits", |init| init.processes().len() == 2 && procfs::is_asleep(init.pid()));
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert!(outcome.out().ends_with("goes\n"), "with {limit} descriptors: {outcome}");
    }
    // The control: without a grace it does end before.
    let words = ["child", "say", "stays", "cat", "say", "goes", "end", "exit", "7"];
    let outcome = Case::init().stdin(Stream::Pipe).child(words).run();
    outcome.assert_exit(7);
    assert!(!outcome.out().contains("goes"), "{outcome}");
}

/// There is no process left to be had when the teardown begins.
#[test]
fn i14_i18_a_full_pid_space_does_not_hinder_the_teardown() {
    needs_namespaces!();
    const MOST: u64 = 60;
    for place in [Place::Pid1, Place::Child] {
        let case = load::limited(Case::init().place(place).args(["--grace", "60m"]), MOST);
        let mut init = case.child(["fill", "record", "until", "64", "exit", "7"]).start();
        let filled = init.wait_line("filled ");
        init.wait_line("recording");
        // All but those that stand around.
        let count: u64 = filled["filled ".len()..].parse().expect("a number");
        assert!((MOST - 8..MOST).contains(&count), "{place:?}: {filled}");
        init.signal(64);
        let status = init.wait_status();
        assert_eq!(status, 7 << 8, "{place:?}");
        let left: Vec<_> = init.processes().into_iter().filter(|process| process.inner != 1).collect();
        assert_eq!(left, [], "{place:?}");
        assert_eq!(init.wait().err(), "", "{place:?}");
    }
}

// ---- what stands around ---------------------------------------------------------------------------------------------

#[test]
fn b3_i14_a_proc_that_is_taken_away_while_it_runs_is_not_missed() {
    needs_namespaces!();
    let deeds: [&[&str]; 6] = [
        &["move", "/proc", "/mnt"],
        &["detach", "/proc"],
        &["tmpfs", "/proc"],
        &["bind", "/proc/self", "/proc"],
        &["tmpfs", "/"],
        &["tmpfs", "/mnt", "pivot", "/mnt"],
    ];
    for deed in deeds {
        let case = Case::init().args(["--grace", "60m", "--caught-only"]);
        let mut init = case.child(["worker", "catch", "10,64", "record", "until", "64", "exit", "7"]).start();
        init.wait_line("recording");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        Who::Mighty.run(&init, deed);
        // The first would end a program that does not catch it: whether it does is asked of /proc.
        for signal in [libc::SIGUSR1, libc::SIGTERM, libc::SIGWINCH] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        init.signal(64);
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert!(outcome.out().contains("worker got 15"), "{deed:?}: {outcome}");
        let said = outcome.err().lines().count();
        assert!(
            said <= 1 && outcome.err().lines().all(|line| line.starts_with("init: warning: ")),
            "{deed:?}: {outcome}"
        );
    }
}

#[test]
fn b3_a_changed_oom_score_is_inits_alone() {
    needs_namespaces!();
    let init = recording(Case::init(), &["exit", "7"]);
    let score = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).expect("it lives");
    let child = init.children()[0].pid;
    let before = score(child);
    let words = ["-euc", "echo 999 > /proc/1/oom_score_adj"];
    Case::new("/bin/sh").inside(&init).args(words).run().assert_exit(0);
    assert_eq!((score(init.pid()).as_str(), score(child)), ("999\n", before));
    ends_well(init);
}

// ---- standard error and the terminal --------------------------------------------------------------------------------

/// A program whose child `yes` writes to the shared standard error without end, until nothing more goes in.
fn flooded(case: Case) -> Running {
    let case = case.arg("--").args(["sh", "-c", "yes >&2 & exec \"$@\"", "sh"]).arg(tools::witness());
    let mut running = case.args(["record", "until", "64", "exit", "7"]).start();
    running.wait_line("recording");
    running.wait_until("a full standard error", |running| {
        let yes = running.processes().into_iter().find(|process| process.comm == "yes");
        yes.is_some_and(|yes| procfs::sleeps_in(yes.pid, libc::SYS_write))
    });
    running
}

#[test]
fn b2_a_neighbour_that_floods_the_shared_stderr_does_not_hold_init_up() {
    needs_namespaces!();
    let pipe = || nix::unistd::pipe().expect("a pipe");
    let (master, slave) = new_terminal();
    let (unread, write) = pipe();
    let cases = [
        Case::init().stderr(Stream::Given(write)),
        // Nobody reads what it shows, either.
        Case::init().on_terminal(&slave).stdout(Stream::Pipe),
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let mut init = flooded(case.args(["-vvw"]));
        for signal in [libc::SIGUSR1, libc::SIGTERM, 40] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        Case::witness().inside(&init).args(["orphans", "20"]).run().assert_exit(0);
        // init, its child, the flood.
        init.wait_until("no zombie", |init| init.processes().len() == 3);
        init.signal(64);
        assert_eq!(init.wait_status(), 7 << 8, "case {number}");
        drop(init);
    }
    drop((unread, master));
    // The control: a peer that says as much sits in its write.
    let Some(dumb) = tools::peer("dumb-init") else { return };
    let (unread, write) = pipe();
    let peer = Case::new(dumb).arg("-v").stderr(Stream::Given(write));
    let mut peer = flooded(peer);
    peer.signal(libc::SIGUSR1);
    peer.wait_asleep_in(libc::SYS_write);
    drop(unread);
}

#[test]
fn i16_a_terminal_that_is_hung_up_or_stolen_ends_nothing() {
    needs_namespaces!();
    let thief = tools::on_path("setsid").expect("setsid of util-linux");
    for stolen in [false, true] {
        if stolen && !namespace::root("a terminal is stolen") {
            // It takes a capability of the first user namespace (drivers/tty/tty_jobctrl.c, `tiocsctty`).
            continue;
        }
        let (master, slave) = new_terminal();
        let mut init = recording(Case::init().on_terminal(&slave).stdout(Stream::Pipe), &["exit", "7"]);
        assert!(procfs::groups(init.pid()).expect("it lives").2 > 0);
        if stolen {
            let words = ["--ctty", "--wait", "echo", "stolen"];
            let slave = slave.try_clone().expect("a descriptor");
            let outcome = Case::new(&thief).inside(&init).stdin(Stream::Given(slave)).args(words).run();
            assert_eq!((outcome.exit(), outcome.out()), (Some(0), "stolen\n".to_owned()), "{outcome}");
        } else {
            drop(master);
            // The kernel tells the session's leader, which is init; the child is told by it.
            init.wait_line("signal=1 ");
        }
        assert_eq!(procfs::groups(init.pid()).expect("it lives").2, -1);
        for signal in [libc::SIGUSR1, libc::SIGTERM, libc::SIGTSTP] {
            init.signal(signal);
            init.wait_line(&format!("signal={signal} "));
        }
        init.signal(64);
        assert_eq!(init.wait_status(), 7 << 8, "stolen: {stolen}");
    }
}
