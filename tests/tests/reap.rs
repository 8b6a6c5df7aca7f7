//! How `init` reaps, waits and ends (I13, I17, I18, and `--warn-reaped` of I2). Each test's name begins with the promise's number.

use std::time::{Duration, Instant};

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace, procfs, ship, tools};
use nix::fcntl::OFlag;

/// Against hanging, for any single wait: thousands of orphans take long on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(300);

/// Everywhere that init can stand, with and without a forwarding to the group.
const MODES: [(Place, &[&str]); 4] =
    [(Place::Pid1, &[]), (Place::Pid1, &["-g"]), (Place::Child, &[]), (Place::Child, &["-g"])];

/// The lines of standard error that are warnings.
fn warnings(outcome: &Outcome) -> Vec<String> {
    outcome.err().lines().filter(|line| line.starts_with("init: warning: ")).map(str::to_owned).collect()
}

/// init asleep with nothing left to do, its child ready.
fn at_rest(case: Case) -> Running {
    let mut init = case.child(["record"]).start();
    init.wait_line("recording");
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init
}

/// Three processes that make a thousand orphans each, five times.
fn burst(pid1: &Running) {
    for _ in 0..5 {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let orphans = Case::witness().inside(pid1).deadline(DEADLINE).args(["orphans", "1000"]);
                    orphans.run().assert_exit(0).status
                });
            }
        });
    }
}

#[test]
fn i13_ten_thousand_orphans_leave_no_zombie() {
    needs_namespaces!();
    for options in [&[][..], &["-g"], &["-v"], &["-w"]] {
        let mut init = at_rest(Case::init().args(options).stderr(Stream::Null));
        Case::witness().inside(&init).deadline(DEADLINE).args(["orphans", "10000"]).run().assert_exit(0);
        // The child is alive; only the last batch may still be about to end.
        init.wait_until("init and its child alone", |init| init.processes().len() == 2);
        assert_eq!(init.zombies(), []);
    }
    let mut init = at_rest(Case::init());
    burst(&init);
    init.wait_until("init and its child alone", |init| init.processes().len() == 2);
    init.signal(libc::SIGUSR1);
    init.wait_line("signal=10 ");
}

#[test]
fn i13_ten_thousand_orphans_leave_no_zombie_where_init_is_not_pid_1() {
    needs_namespaces!();
    for options in [&[][..], &["-g"]] {
        let case = Case::init().not_pid1().deadline(DEADLINE).args(options).stdin(Stream::Pipe);
        let mut init = case.child(["orphans", "10000", "say", "all", "cat", "exit", "7"]).start();
        init.wait_line("all");
        // The reaper above, init, its child.
        init.wait_until("nobody else", |init| init.processes().len() == 3);
        init.close_stdin();
        init.wait().assert_exit(7);
    }
}

/// The control: the same orphans under a PID 1 that does not reap.
#[test]
fn i13_a_pid_1_that_does_not_reap_keeps_them_as_zombies() {
    needs_namespaces!();
    let mut lazy = Case::witness().args(["ready", "sleep"]).start();
    lazy.wait_line("ready");
    Case::witness().inside(&lazy).args(["orphans", "500"]).run().assert_exit(0);
    lazy.wait_until("500 zombies", |lazy| lazy.zombies().len() == 500);
}

#[test]
fn i13_idle_for_five_seconds_costs_no_context_switch() {
    needs_namespaces!();
    let mut all = Vec::new();
    for place in [Place::Pid1, Place::Child] {
        for options in [&[][..], &["-v"], &["-g"], &["-gvvw", "-r", "USR1:0"], &["-p", "TERM"]] {
            let mut init = at_rest(Case::init().place(place).args(options));
            // Also after it has had something to do.
            for signal in [libc::SIGHUP, 40, libc::SIGCHLD, libc::SIGUSR1, libc::SIGTERM] {
                init.signal(signal);
            }
            init.wait_line("signal=40 ");
            init.wait_line("signal=15 ");
            // The recorder sleeps after init: it was the last to get something.
            init.wait_until("a rest", |init| init.signals().pending == 0);
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            all.push((format!("{place:?} {options:?}"), init));
        }
    }
    let tini = tools::peer("tini").map(|tini| at_rest(Case::new(tini)));
    let before: Vec<_> = all.iter().map(|(_, init)| init.context_switches()).collect();
    let tini_before = tini.as_ref().map(Running::context_switches);
    // The passing of time is what is measured here.
    std::thread::sleep(Duration::from_secs(5));
    for ((what, init), before) in all.iter().zip(before) {
        assert_eq!(init.context_switches() - before, 0, "{what}");
    }
    if let (Some(tini), Some(before)) = (tini, tini_before) {
        // The control: it looks round once a second.
        assert!(tini.context_switches() - before >= 4);
    }
}

#[test]
fn i18_the_childs_status_is_right_among_many_deaths() {
    needs_namespaces!();
    for (place, options) in MODES {
        for code in [0, 1, 44, 255] {
            let code = code.to_string();
            let words =
                ["child", "orphans", "300", "end", "child", "exit", "9", "end", "orphans", "300", "exit", &code];
            let outcome = Case::init().place(place).args(options).child(words).run();
            assert_eq!(outcome.exit().map(|exit| exit.to_string()), Some(code), "{place:?} {options:?}: {outcome}");
        }
        for signal in [libc::SIGKILL, libc::SIGTERM, 34, 64] {
            let number = signal.to_string();
            let words = ["child", "orphans", "300", "end", "orphans", "100", "die", &number];
            Case::init().place(place).args(options).child(words).run().assert_exit(128 + signal);
        }
    }
}

#[test]
fn i6_sigchld_inherited_as_ignored() {
    needs_namespaces!();
    for (place, options) in MODES {
        for mask in [0, sys::ALL_SIGNALS] {
            let case = || Case::init().place(place).args(options).mask(mask).ignored(bit(libc::SIGCHLD));
            case().child(["exit", "7"]).run().assert_exit(7);
            case().child(["die", "9"]).run().assert_exit(137);
            let mut init = case().child(["orphans", "100", "record", "for", "1", "exit", "7"]).start();
            init.wait_line("recording");
            // The child has it ignored, and so no zombies; init's are gone too.
            init.wait_until("no zombie", |init| init.zombies().is_empty());
            init.signal(libc::SIGTERM);
            init.wait().assert_exit(7);
        }
    }
}

/// Their SIGCHLD came before init could take it.
#[test]
fn i13_what_was_dead_before_the_exec_of_init_is_reaped() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        let words = ["child", "exit", "3", "end", "child", "die", "9", "end", "say", "forked", "cat", "exec", "init"];
        let case = Case::witness().place(place).stdin(Stream::Pipe).args(words).arg(ship::init()).arg("-w");
        let mut init = case.child(["ready", "record", "for", "1", "exit", "7"]).start();
        init.wait_line("forked");
        init.wait_until("two zombies", |init| init.zombies().len() == 2);
        init.close_stdin();
        init.wait_line("recording");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        assert_eq!(init.zombies(), [], "{place:?}");
        assert_eq!(String::from_utf8_lossy(&init.stderr()).matches("init: warning: reaped process ").count(), 2);
        init.signal(libc::SIGTERM);
        init.wait().assert_exit(7);
    }
}

/// The control: the kernel has reaped their child, and they live on without it.
#[test]
fn i6_peers_hang_where_sigchld_is_inherited_as_ignored() {
    needs_namespaces!();
    for name in ["tini", "catatonit"] {
        let Some(program) = tools::peer(name) else { continue };
        let case = Case::new(program).ignored(bit(libc::SIGCHLD)).stdin(Stream::Pipe);
        let mut peer = case.child(["ready", "cat"]).start();
        peer.wait_line("ready");
        let [child] = &peer.children()[..] else { panic!("one child") };
        let child = sys::open_process(child.pid).expect("it lives");
        peer.close_stdin();
        assert!(sys::wait_for_end(&child, Duration::from_secs(20)), "the child of {name} does not end");
        // A signal that it takes after its child's end does not bring it to an end either.
        peer.signal(libc::SIGUSR1);
        peer.wait_until("a taken signal", |peer| peer.signals().pending == 0);
        peer.wait_until("sleep", |peer| peer.processes().iter().map(|process| process.state).eq("S".chars()));
        peer.kill().assert_killed_by(libc::SIGKILL);
    }
}

#[test]
fn i6_all_signals_inherited_as_blocked_or_ignored() {
    needs_namespaces!();
    for (place, options) in MODES {
        for (mask, ignored) in [(sys::ALL_SIGNALS, 0), (0, sys::ALL_SIGNALS), (sys::ALL_SIGNALS, sys::ALL_SIGNALS)] {
            let case = Case::init().place(place).args(options).mask(mask).ignored(ignored);
            let mut init = case.child(["record", "for", "3", "exit", "7"]).start();
            init.wait_line("recording");
            Case::witness().inside(&init).args(["orphans", "10"]).run().assert_exit(0);
            for signal in [libc::SIGTERM, libc::SIGHUP, 40] {
                init.signal(signal);
                init.wait_line(&format!("signal={signal} "));
            }
            init.wait().assert_exit(7);
        }
    }
}

/// Orphans that end in several ways, told by pid, when descriptor 9 ends: by then their parent is gone, which could have
/// reaped them. The child ends with 5 when its input does.
const MIXED_ORPHANS: &str = "\
for how in 'exit 0' 'exit 3' 'exit 255' 'kill -9 $$' 'kill -15 $$'; do
    (sh -c \"read line <&9; $how\" & echo \"made $!\")
done
echo all made; cat; exit 5";

#[test]
fn i2_each_reaped_process_that_is_not_the_child_is_one_warning() {
    needs_namespaces!();
    for (place, options) in MODES {
        for verbose in [&["-w"][..], &["-wv"], &["--warn-reaped"]] {
            let (theirs, ours) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
            let case = Case::init().place(place).args(options).args(verbose).stdin(Stream::Pipe).descriptor(9, theirs);
            let mut init = case.args(["--", "sh", "-c", MIXED_ORPHANS]).start();
            init.wait_line("all made");
            drop(ours);
            init.wait_until("five warnings", |init| {
                String::from_utf8_lossy(&init.stderr()).matches("init: warning: ").count() == 5
            });
            init.close_stdin();
            let outcome = init.wait();
            outcome.assert_exit(5);
            let made: Vec<_> =
                outcome.out().lines().filter_map(|l| l.strip_prefix("made ")).map(str::to_owned).collect();
            let warnings = warnings(&outcome);
            assert_eq!((made.len(), warnings.len()), (5, 5), "{outcome}");
            for (pid, how) in made.iter().zip([" 0", " 3", " 255", " 9 (SIGKILL)", " 15 (SIGTERM)"]) {
                // The pid is the first number of the line.
                let first =
                    |line: &str| line.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty()) == Some(pid);
                let about_it = |line: &&String| first(line);
                let line: Vec<_> = warnings.iter().filter(about_it).collect();
                assert!(line.len() == 1 && line[0].contains(how), "pid {pid}, {how}: {outcome}");
            }
        }
        // Unasked it is silent.
        let case = Case::init().place(place).args(options).stdin(Stream::Pipe);
        let null = std::fs::File::open("/dev/null").expect("/dev/null");
        let mut init = case.descriptor(9, null).args(["--", "sh", "-c", MIXED_ORPHANS]).start();
        init.wait_line("all made");
        let above = if place == Place::Pid1 { 0 } else { 1 };
        // init, its child, and cat.
        init.wait_until("no orphan", |init| init.processes().len() == 3 + above);
        init.close_stdin();
        let outcome = init.wait();
        outcome.assert_exit(5);
        assert_eq!(outcome.err(), "");
    }
}

/// init is stopped while its child and many others end: it finds them all at once.
#[test]
fn i18_all_that_is_waitable_is_reaped_before_the_end() {
    needs_namespaces!();
    for (place, options) in MODES {
        let (theirs, ours) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let case = Case::init().place(place).args(options).stdin(Stream::Pipe).descriptor(9, theirs);
        let script = "for n in $(seq 50); do (cat <&9 & true); done; echo made; read line; exit 5";
        let mut init = case.args(["-w", "--", "sh", "-c", script]).start();
        init.wait_line("made");
        let pid = init.pid();
        init.signal(libc::SIGSTOP);
        let stopped = |_: &Running| procfs::Status::read(pid).expect("it lives").get("State").starts_with('T');
        init.wait_until("a stopped init", stopped);
        drop(ours);
        init.wait_until("50 zombies", |init| init.zombies().len() == 50);
        init.write(b"\n");
        init.wait_until("the child as the 51st", |init| init.zombies().len() == 51);
        init.signal(libc::SIGCONT);
        let outcome = init.wait();
        outcome.assert_exit(5);
        assert_eq!(warnings(&outcome).len(), 50, "{place:?} {options:?}: {outcome}");
    }
}

#[test]
fn i17_where_it_is_not_pid_1_orphans_of_its_child_become_its_own() {
    needs_namespaces!();
    for options in [&[][..], &["-s"], &["-g"], &["-gs"]] {
        let mut init = Case::init().not_pid1().args(options).child(["worker", "ready", "sleep"]).start();
        init.wait_line("ready");
        assert_eq!(init.children().len(), 2, "child and worker: {:?}", init.processes());
        let worker = init.children().into_iter().max_by_key(|process| process.inner).expect("a worker");
        sys::kill(worker.pid, libc::SIGTERM, None).expect("a worker");
        init.wait_line("worker got 15");
        init.wait_until("a reaped worker", |init| init.children().len() == 1);
        assert_eq!(init.stderr(), b"");
    }
    // The control: under another parent it goes to the reaper above.
    let mut other = Case::witness().not_pid1().args(["worker", "ready", "sleep"]).start();
    other.wait_line("ready");
    assert_eq!(other.children(), []);
}

#[test]
fn i17_a_refusal_is_no_error_and_only_told_where_it_was_asked_for() {
    needs_namespaces!();
    needs_strace!();
    for error in ["EPERM", "EINVAL", "ENOSYS"] {
        let case = || {
            let inject = format!("--inject=prctl:error={error}");
            Case::init().not_pid1().strace(["-e", "trace=prctl", &inject])
        };
        let outcome = case().child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert!(outcome.trace.contains("PR_SET_CHILD_SUBREAPER") && outcome.trace.contains("INJECTED"), "{outcome}");
        assert_eq!(outcome.err(), "");
        for options in [&["-s"][..], &["--subreaper"], &["-gs"]] {
            let outcome = case().args(options).child(["exit", "7"]).run();
            outcome.assert_exit(7);
            assert_eq!((warnings(&outcome).len(), outcome.err().lines().count()), (1, 1), "{outcome}");
        }
        let outcome = case().env("TINI_SUBREAPER", "").child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!(warnings(&outcome).len(), 1, "{outcome}");
    }
    // PID 1 gets the orphans in any case.
    let outcome = Case::init().arg("-s").child(["exit", "7"]).run();
    outcome.assert_exit(7);
    assert_eq!(outcome.err(), "");
}

/// Errors of every call in the loop and before it; each may be told once.
#[test]
fn i13_no_error_of_a_call_ends_init() {
    needs_namespaces!();
    needs_strace!();
    let injections = [
        "rt_sigtimedwait:error=EINTR:when=1..5",
        "rt_sigtimedwait:error=EINTR:when=2+2",
        "rt_sigtimedwait:error=EAGAIN:when=1..3",
        "rt_sigtimedwait:error=EINVAL:when=1",
        "rt_sigtimedwait:error=ENOMEM:when=2",
        "wait4:error=EINTR:when=1",
        "wait4:error=EINTR:when=1..5",
        "wait4:error=EINTR:when=1+2",
        "wait4:error=EPERM:when=1",
        "wait4:error=EINVAL:when=1..2",
        "wait4:error=ENOSYS:when=2",
        "kill:error=EPERM",
        "kill:error=ESRCH",
        "kill:error=EINVAL",
        "rt_sigqueueinfo,pidfd_send_signal:error=EINVAL",
        "rt_sigqueueinfo,pidfd_send_signal:error=ENOSYS",
        "pidfd_open:error=EMFILE",
        "pidfd_open:error=ENOSYS",
        "waitid:error=EINVAL",
        "waitid:error=ECHILD",
        "waitid:error=EINTR:when=1",
        "chdir:error=EACCES",
        "close_range:error=ENOSYS",
        "close_range:error=EPERM",
        "setpgid:error=EPERM",
    ];
    let check = |place, options: &[&str], injection: &str| {
        let calls = injection.split(':').next().expect("calls");
        let (trace, inject) = (format!("trace={calls}"), format!("--inject={injection}"));
        let case = Case::init().place(place).args(options).strace(["-e", &trace, &inject]).stdin(Stream::Pipe);
        // The child uses none of these calls for itself; it ignores what can be forwarded to it.
        let mut init = case.child(["ignore", "all", "ready", "cat", "orphans", "3", "exit", "7"]).start();
        init.wait_line("ready");
        Case::witness().inside(&init).args(["orphans", "3"]).run().assert_exit(0);
        for signal in [libc::SIGTERM, libc::SIGHUP, 40] {
            init.signal(signal);
            init.queue(signal, 1);
        }
        init.write(b"lives\n");
        init.wait_line("lives");
        init.close_stdin();
        let outcome = init.wait();
        assert_eq!(outcome.exit(), Some(7), "{place:?} {options:?} {injection}: {outcome}");
        // EINTR is no failure: not a word, and no second's rest.
        let allowed = usize::from(!injection.contains("EINTR"));
        assert!(warnings(&outcome).len() <= allowed, "{place:?} {options:?} {injection}: {outcome}");
    };
    for (place, options) in MODES {
        // Some take a second each, by the promise.
        for some in injections.chunks(8) {
            std::thread::scope(|scope| {
                some.iter().for_each(|injection| drop(scope.spawn(move || check(place, options, injection))));
            });
        }
    }
}

#[test]
fn i13_a_wait_that_keeps_failing_is_one_warning_and_one_try_a_second() {
    needs_namespaces!();
    needs_strace!();
    for place in [Place::Pid1, Place::Child] {
        for error in ["ENOSYS", "EPERM"] {
            let inject = format!("--inject=rt_sigtimedwait:error={error}");
            let case = Case::init().place(place).strace(["-e", "trace=rt_sigtimedwait", &inject]).stdin(Stream::Pipe);
            let started = Instant::now();
            let mut init = case.child(["ready", "cat", "exit", "7"]).start();
            init.wait_line("ready");
            // The passing of time is what is measured here.
            std::thread::sleep(Duration::from_secs(3));
            init.close_stdin();
            // The end of the child is seen all the same.
            let outcome = init.wait();
            // It tries from its own start on, which may be long before its child is ready.
            let most = started.elapsed().as_secs() as usize + 3;
            outcome.assert_exit(7);
            assert_eq!((warnings(&outcome).len(), outcome.err().lines().count()), (1, 1), "{outcome}");
            let tries = outcome.trace.matches("INJECTED").count();
            assert!((2..=most).contains(&tries), "{tries} tries, at most {most}: {outcome}");
        }
    }
}

/// The wait for processes keeps failing up to the third time.
#[test]
fn i13_a_reaping_that_keeps_failing_is_one_warning_and_one_try_a_second() {
    needs_namespaces!();
    needs_strace!();
    for place in [Place::Pid1, Place::Child] {
        let case = Case::init().place(place).strace(["-e", "trace=wait4", "--inject=wait4:error=EPERM:when=1..3"]);
        let started = Instant::now();
        let outcome = case.child(["exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!((warnings(&outcome).len(), outcome.err().lines().count()), (1, 1), "{outcome}");
        assert_eq!(outcome.trace.matches("INJECTED").count(), 3, "{outcome}");
        // Three tries failed, so that three seconds have passed; somewhat less for the clock's sake.
        assert!(started.elapsed() > Duration::from_millis(2900), "{:?}", started.elapsed());
    }
}

#[test]
fn i13_a_child_that_is_gone_without_a_status_ends_init_with_1() {
    needs_namespaces!();
    needs_strace!();
    for place in [Place::Pid1, Place::Child] {
        let case = Case::init().place(place).strace(["-e", "trace=wait4", "--inject=wait4:error=ECHILD:when=2"]);
        let mut init = case.child(["record"]).start();
        init.wait_line("recording");
        init.signal(libc::SIGCHLD);
        init.wait_status();
        let outcome = init.wait();
        outcome.assert_exit(1);
        assert_eq!(outcome.err().lines().count(), 1, "{outcome}");
        assert!(outcome.err().starts_with("init: fatal: "), "{outcome}");
    }
}
