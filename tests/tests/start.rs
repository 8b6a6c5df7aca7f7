//! The start (I6, I7), what the parent keeps (I11), the file itself (B1, B4), and where it works (B3).

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use bitts_tests::sys::{self, Mask, bit};
use bitts_tests::{
    Case, Outcome, Place, Running, Stream, elf, namespace, needs_namespaces, needs_strace, procfs, ship, steps, tools,
};

/// What can be blocked and ignored.
const SETTABLE: Mask = sys::ALL_SIGNALS & !(bit(libc::SIGKILL) | bit(libc::SIGSTOP));

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// For strace: there is no /dev/tty.
const HIDDEN: [&str; 5] = ["-P", "/dev/tty", "-e", "trace=openat", "--inject=openat:error=ENOENT"];

/// A started init that has come to rest; its child has said `text`.
fn at_rest(case: Case, text: &str) -> Running {
    let mut init = case.start();
    init.wait_line(text);
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init
}

// ---- I6 -------------------------------------------------------------------------------------------------------------

#[test]
fn i6_the_first_call_blocks_every_signal() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        for case in
            [Case::init().child(["exit", "3"]), Case::init().arg("--version"), Case::init().arg("--no-such-option")]
        {
            let outcome = case.place(place).strace(["-e", "trace=all"]).run();
            let calls = outcome.calls_after_exec();
            let first = calls.first().unwrap_or_else(|| panic!("no call: {outcome}"));
            // `~[]` is all 64; KILL and STOP may be left out.
            let set =
                first.strip_prefix("rt_sigprocmask(SIG_").and_then(|rest| rest.split_once(", ")).map(|(_, rest)| rest);
            let all = set.is_some_and(|set| ["~[], ", "~[KILL STOP], "].iter().any(|all| set.starts_with(all)));
            assert!(all && first.ends_with("= 0"), "{first}\n{outcome}");
            assert!(
                first.starts_with("rt_sigprocmask(SIG_SETMASK") || first.starts_with("rt_sigprocmask(SIG_BLOCK"),
                "{first}"
            );
        }
    }
}

#[test]
fn i6_every_signal_stays_blocked_while_the_child_runs() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        // Whatever was inherited.
        for (mask, ignored) in [(0, 0), (SETTABLE, SETTABLE), (0, SETTABLE), (bit(33), bit(libc::SIGCHLD))] {
            let case = || Case::init().place(place).mask(mask).ignored(ignored);
            // /proc shows no mask during sigtimedwait, which lets in what it waits for: so look at the calls.
            let calls = ["-e", "trace=execve,rt_sigprocmask,rt_sigtimedwait,rt_sigsuspend,signalfd4"];
            let outcome = case().strace(calls).child(["orphans", "5", "exit", "3"]).run();
            outcome.assert_exit(3);
            let of_masks: Vec<_> =
                outcome.calls_after_exec().into_iter().filter(|call| !call.contains("sigtimedwait")).collect();
            assert_eq!(of_masks.len(), 1, "{outcome}");
            // init has no handlers: nothing can interrupt it.
            let signals = at_rest(case().child(["ready", "sleep"]), "ready").signals();
            assert_eq!((signals.caught, signals.ignored & bit(libc::SIGCHLD)), (0, 0));
        }
    }
}

#[test]
fn i6_a_signal_before_the_child_s_start_is_not_lost() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1, libc::SIGABRT, 33, 34, 40, 64] {
            // Held up before there is a child, in microseconds: longer where this test was late.
            let early = ["300000", "3000000", "15000000"].into_iter().any(|delay| {
                let inject = format!("--inject=/^(clone3?|v?fork)$:delay_enter={delay}");
                let case = Case::init().place(place).strace(["-e", "trace=process", &inject]);
                let mut init = case.child(["record", "for", "1", "exit", "44"]).start();
                // A look at this process alone: one at all of the machine's could take as long as the delay.
                let no_child = |init: &Running| procfs::children(init.pid()).is_empty();
                init.wait_until("every signal blocked", |init| init.signals().blocked == SETTABLE || !no_child(init));
                init.signal(signal);
                let early = no_child(&init);
                let outcome = init.wait();
                // The program has taken it, or it ended the child before that had blocked it.
                let taken = outcome.exit() == Some(44) && outcome.out().contains(&format!("signal={signal} "));
                assert!(taken || outcome.exit() == Some(128 + signal), "{outcome}");
                early
            });
            assert!(early, "the child was there already: the test tests nothing");
        }
    }
}

#[test]
fn i6_all_signals_that_come_early_reach_a_child_that_waits_for_them() {
    needs_namespaces!();
    for place in PLACES {
        // Pending already when init begins, and blocked in the child until it takes them.
        // (CONT and the stop signals take each other out of the queue.)
        let signals: Vec<_> =
            sys::catchable().filter(|signal| ![libc::SIGCHLD, libc::SIGCONT].contains(signal)).collect();
        let count = signals.len().to_string();
        let case = Case::init().place(place).mask(SETTABLE).child(["record", "for", &count, "exit", "44"]);
        let mut init = case.start_held();
        signals.iter().for_each(|&signal| init.signal(signal));
        init.release();
        let outcome = init.wait();
        outcome.assert_exit(44);
        for signal in &signals {
            assert_eq!(outcome.out().matches(&format!("signal={signal} ")).count(), 1, "{signal}: {outcome}");
        }
    }
}

#[test]
fn i6_sigchld_inherited_as_ignored_does_no_harm() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        for words in [&["exit", "44"][..], &["orphans", "100", "exit", "44"]] {
            Case::init().place(place).ignored(bit(libc::SIGCHLD)).child(words).run().assert_exit(44);
            Case::init().place(place).ignored(SETTABLE).mask(SETTABLE).child(words).run().assert_exit(44);
        }
    }
}

/// An emulator that writes the old action before it reads the new one would otherwise change nothing.
#[test]
fn i6_old_and_new_action_have_addresses_of_their_own() {
    needs_namespaces!();
    needs_strace!();
    let calls = ["-e", "trace=execve,rt_sigaction", "-e", "raw=rt_sigaction"];
    for place in PLACES {
        for ignored in [0, bit(libc::SIGCHLD)] {
            let case = || Case::init().place(place).ignored(ignored).strace(calls);
            let init = case().child(["exit", "7"]).run();
            let mut pause = Case::pause().place(place).ignored(ignored).strace(calls).start();
            pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            pause.signal(libc::SIGTERM);
            let mut hold = case().arg("-P").start();
            hold.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            hold.signal(libc::SIGTERM);
            for outcome in [init, pause.wait(), hold.wait()] {
                let mut calls = outcome.calls_after_exec();
                calls.retain(|call| call.starts_with("rt_sigaction("));
                assert!(!calls.is_empty(), "{outcome}");
                for call in calls {
                    let words: Vec<_> = call.split(['(', ',', ')']).map(str::trim).collect();
                    assert!(words[2] != words[3], "{call}");
                }
            }
        }
    }
}

// ---- I7 -------------------------------------------------------------------------------------------------------------

/// The child's mask and ignored signals are the inherited ones.
#[track_caller]
fn assert_inherited(outcome: &Outcome, mask: Mask, ignored: Mask) {
    outcome.assert_exit(0);
    let expected = [("mask", mask), ("ignored", ignored), ("caught", 0)];
    for (key, set) in expected {
        assert_eq!(outcome.value(key), Some(format!("{set:016x}")), "{key}: {outcome}");
    }
}

#[test]
fn i7_the_child_s_mask_and_dispositions_are_the_inherited_ones() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Host] {
        let check = |mask, ignored| {
            assert_inherited(
                &Case::init().place(place).mask(mask).ignored(ignored).child(["state"]).run(),
                mask,
                ignored,
            );
        };
        check(0, 0);
        check(SETTABLE, 0);
        check(0, SETTABLE);
        check(SETTABLE, SETTABLE);
        check(0xffff_ffff & SETTABLE, !0xffff_ffff);
        check(!0xffff_ffff, 0xffff_ffff & SETTABLE);
        check(0x5555_5555_5555_5555 & SETTABLE, 0xaaaa_aaaa_aaaa_aaaa & SETTABLE);
        // What the C library keeps to itself, or hides.
        for hidden in [bit(32), bit(33), bit(34), bit(32) | bit(33) | bit(34), bit(64)] {
            check(hidden, 0);
            check(0, hidden);
            check(SETTABLE & !hidden, hidden);
        }
        for chld in [bit(libc::SIGCHLD), bit(libc::SIGCHLD) | bit(libc::SIGPIPE)] {
            check(0, chld);
            check(chld, chld);
            check(chld, 0);
        }
    }
}

#[test]
fn i7_each_signal_alone_blocked_and_ignored() {
    needs_namespaces!();
    for signal in sys::catchable() {
        // Another one in each set, so that a mix-up shows.
        let other = if signal == 64 {
            1
        } else if signal == 8 || signal == 18 {
            signal + 2
        } else {
            signal + 1
        };
        for (mask, ignored) in [(bit(signal), 0), (bit(signal), bit(other)), (SETTABLE & !bit(signal), bit(signal))] {
            assert_inherited(&Case::init().mask(mask).ignored(ignored).child(["state"]).run(), mask, ignored);
        }
    }
}

#[test]
fn i7_in_every_mode_the_same() {
    needs_namespaces!();
    let (mask, ignored) = (bit(1) | bit(33) | bit(64), bit(libc::SIGCHLD) | bit(libc::SIGTTOU) | bit(34));
    for place in PLACES {
        for words in [&["-g"][..], &["-c"], &["-s"], &["-p", "USR2"], &["-v"], &["-w", "-gvv", "-r1:15", "-e3"]] {
            let case = Case::init().place(place).mask(mask).ignored(ignored).args(words);
            assert_inherited(&case.child(["state"]).run(), mask, ignored);
        }
        // Terminal signals are not left blocked or ignored by the hand-over of the terminal.
        let outcome = Case::init().place(place).terminal().child(["state"]).run();
        assert!(outcome.out().contains(&format!("mask={:016x}", 0)), "{outcome}");
        assert!(outcome.out().contains(&format!("ignored={:016x}", 0)), "{outcome}");
    }
    // A script is executed by way of a second exec.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = folder.path().join("script");
    {
        let _alone = sys::no_forks();
        fs::write(&script, format!("exec {} state\n", tools::witness().display())).expect("a file");
    }
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    // A shell needs SIGCHLD, and takes it.
    let ignored = ignored & !bit(libc::SIGCHLD);
    let outcome = Case::init().mask(mask).ignored(ignored).arg(script).run();
    assert_inherited(&outcome, mask, ignored);
}

/// What a program is started with: the witness's words but for those that must differ below an init.
fn surroundings(outcome: &Outcome) -> Vec<String> {
    outcome.assert_exit(0);
    let own = ["argv=", "pid=", "ppid=", "pgid=", "sid=", "tpgid="];
    let out = outcome.out();
    let mut lines: Vec<_> =
        out.lines().filter(|line| !own.iter().any(|key| line.starts_with(key))).map(str::to_owned).collect();
    // Every run has pipes of its own.
    for line in &mut lines {
        if let Some((head, _)) = line.split_once("pipe:[") {
            *line = head.to_owned() + "pipe";
        }
    }
    lines
}

#[test]
fn i7_nothing_else_about_the_child_is_changed() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files: Vec<_> = (0..4).map(|i| fs::File::create(folder.path().join(i.to_string())).expect("a file")).collect();
    let copy = |i: usize| files[i].try_clone().expect("a descriptor");
    let strange = std::ffi::OsString::from_vec(b"\xff\xfe=\n".to_vec());
    let dress: [&dyn Fn(Case) -> Case; 6] = [
        &|case| case,
        &|case| case.umask(0o777).nice(5).directory("/usr/bin"),
        &|case| {
            case.limit(libc::RLIMIT_NOFILE, 222, 333)
                .limit(libc::RLIMIT_CORE, 0, 4096)
                .limit(libc::RLIMIT_STACK, 1 << 20, 1 << 22)
                .limit(libc::RLIMIT_MEMLOCK, 0, 0)
                .limit(libc::RLIMIT_FSIZE, 1 << 20, 1 << 21)
        },
        &|case| {
            case.descriptor(3, copy(0))
                .descriptor(4, copy(1))
                .descriptor(100, copy(2))
                .descriptor(199, copy(3))
                .stdin(Stream::Given(copy(0).into()))
        },
        &|case| case.stdin(Stream::Closed).stderr(Stream::Closed).descriptor(7, copy(1)),
        &|case| {
            case.env("BITTS_GROUP", "1")
                .env("BITTS_EXPECT", "7,8")
                .env("BITTS_NO_SUCH", "x")
                .env("TINI_SUBREAPER", "")
                .env("EMPTY", "")
                .env("BYTES", strange.clone())
                .env("LONG", "x".repeat(100_000))
                .env("_", "under")
                .env("LISTEN_PID", "12345")
        },
    ];
    for place in PLACES {
        for dress in dress {
            let plain = dress(Case::witness().place(place)).arg("state").run();
            let below = dress(Case::init().place(place)).child(["state"]).run();
            assert_eq!(surroundings(&below), surroundings(&plain), "{below}");
            assert_eq!(below.values("argv"), [tools::witness().display().to_string(), "state".to_owned()]);
        }
    }
}

#[test]
fn i7_an_empty_environment_stays_empty() {
    needs_namespaces!();
    let outcome = Case::init().empty_environment().child(["state"]).run();
    outcome.assert_exit(0);
    assert_eq!(outcome.values("env"), Vec::<String>::new(), "{outcome}");
}

#[test]
fn i7_a_nested_init_sees_the_same_variables() {
    needs_namespaces!();
    let outcome =
        Case::init().env("BITTS_EXPECT", "44").arg("--").arg(ship::init()).child(["state", "exit", "44"]).run();
    outcome.assert_exit(0);
    assert!(outcome.values("env").contains(&"BITTS_EXPECT=44".to_owned()), "{outcome}");
}

// ---- I11 ------------------------------------------------------------------------------------------------------------

/// The numbers of a process's open descriptors.
#[track_caller]
fn numbers(pid: i32) -> Vec<i32> {
    procfs::descriptors(pid).expect("it lives").into_iter().map(|(number, _)| number).collect()
}

/// The value of a line of `/proc/PID/fdinfo/NUMBER`.
#[track_caller]
fn descriptor_info(pid: i32, number: i32, key: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).expect("an open descriptor");
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).expect("a key");
    line.trim().to_owned()
}

/// Is this descriptor closed on exec?
#[track_caller]
fn closes_on_exec(pid: i32, number: i32) -> bool {
    let flags = i32::from_str_radix(&descriptor_info(pid, number, "flags"), 8).expect("an octal number");
    flags & libc::O_CLOEXEC != 0
}

#[test]
fn i11_the_parent_keeps_neither_directory_nor_descriptors_from_3_on() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = || fs::File::create(folder.path().join("file")).expect("a file");
    for place in [Place::Pid1, Place::Child, Place::Host] {
        let case = Case::init().place(place).directory(folder.path()).stdin(Stream::Given(file().into()));
        let case = case.descriptor(3, file()).descriptor(9, file()).descriptor(199, file());
        let init = at_rest(case.child(["ready", "sleep"]), "ready");
        assert_eq!(procfs::directory(init.pid()).expect("it lives").to_str(), Some("/"));
        assert_eq!(numbers(init.pid()), [0, 1, 2], "{place:?}");
        // The child has them all.
        let child = init.children().first().expect("the child").pid;
        assert_eq!(procfs::directory(child).expect("it lives"), folder.path());
        assert_eq!(numbers(child), [0, 1, 2, 3, 9, 199], "{place:?}");
    }
}

/// The same open files, not others of the same name: they share their offset with ours.
#[test]
fn i11_the_parent_keeps_0_to_2_exactly_as_it_got_them() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        for open in (0..8).map(|set| [set & 1 != 0, set & 2 != 0, set & 4 != 0]) {
            let files = [(); 3].map(|()| tempfile::NamedTempFile::new().expect("a file"));
            let stream = |number: usize| match open[number] {
                true => Stream::Given(files[number].as_file().try_clone().expect("a descriptor").into()),
                false => Stream::Closed,
            };
            let case = Case::init().place(place).stdin(stream(0)).stdout(stream(1)).stderr(stream(2));
            let mut init = case.child(["sleep"]).start();
            init.wait_until("a child", |init| init.children().iter().any(|child| child.comm == "witness"));
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            let kept = procfs::descriptors(init.pid()).expect("it lives");
            let given = (0..3).filter(|number| open[*number]).map(|n| (n as i32, files[n].path().to_owned()));
            assert_eq!(kept, given.collect::<Vec<_>>(), "{place:?} {open:?}");
            for (number, _) in kept {
                let mut ours = files[number as usize].as_file();
                std::io::Write::write_all(&mut ours, &vec![b'x'; number as usize + 1]).expect("a file");
                let offset = descriptor_info(init.pid(), number, "pos");
                assert_eq!(offset, (number + 1).to_string(), "{place:?} {open:?}: descriptor {number}");
            }
        }
    }
}

/// As a cron job does, whose own outputs go elsewhere.
#[test]
fn i11_what_a_descendant_writes_to_the_descriptors_of_init_arrives() {
    needs_namespaces!();
    let script = "read -r _; (exec >/dev/null 2>&1; echo hi >/proc/1/fd/1; echo there >/proc/1/fd/2); exit 7";
    // The control: the peers keep them, too.
    let peers = ["tini", "dumb-init", "catatonit"].into_iter().filter_map(tools::peer);
    for program in peers.chain([ship::init().to_owned()]) {
        let mut init = Case::new(&program).stdin(Stream::Pipe).args(["--", "sh", "-c", script]).start();
        // It has done all that it does at its start.
        let pid = init.pid();
        init.wait_until("rest", |init| !init.children().is_empty() && procfs::is_asleep(pid));
        if program == ship::init() {
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        }
        init.write(b"\n");
        let outcome = init.wait();
        outcome.assert_exit(7);
        assert_eq!((outcome.out(), outcome.err()), ("hi\n".into(), "there\n".into()), "{}", program.display());
    }
}

#[test]
fn i11_without_a_terminal_of_its_own_it_keeps_0_to_2_alone() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        let cases = [
            ("nothing tells", Case::init().strace(HIDDEN)),
            ("a session", Case::init().name("dumb-init")),
            ("a session with a terminal", Case::init().name("dumb-init").terminal()),
        ];
        for (what, case) in cases {
            let init = at_rest(case.place(place).child(["ready", "sleep"]), "ready");
            assert_eq!(numbers(init.pid()), [0, 1, 2], "{what}, {place:?}");
        }
    }
}

#[test]
fn i11_the_terminal_is_a_descriptor_of_its_own_closed_on_exec() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        let file = tempfile::tempfile().expect("a temporary file");
        let whole = Case::init().terminal().descriptor(5, file);
        // Also where descriptor 0 is all that there is of it.
        let input = Case::init().terminal().stdout(Stream::Pipe).stderr(Stream::Pipe).strace(HIDDEN);
        for (what, case) in [("a terminal", whole), ("a terminal as standard input", input)] {
            let init = at_rest(case.place(place).child(["ready", "sleep"]), "ready");
            let kept = procfs::descriptors(init.pid()).expect("it lives");
            let [first @ .., (own, target)] = &kept[..] else { panic!("{what}: nothing is kept") };
            assert_eq!(first.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2], "{what}: {kept:?}");
            assert!(first[0].1.to_string_lossy().contains("/pts/"), "{what}, {place:?}: {kept:?}");
            let target = target.to_string_lossy();
            assert!(target.contains("/pts/") || target.ends_with("/tty"), "{what}, {place:?}: {kept:?}");
            assert!(closes_on_exec(init.pid(), *own), "{what}, {place:?}");
            // As the caller has left them.
            assert!((0..3).all(|number| !closes_on_exec(init.pid(), number)), "{what}, {place:?}");
        }
    }
}

#[test]
fn i11_closed_descriptors_are_no_error_and_stay_closed() {
    needs_namespaces!();
    for place in PLACES {
        let case = || Case::init().place(place).stdin(Stream::Closed).stderr(Stream::Closed);
        let mut init = at_rest(case().args(["-v", "-w"]).child(["ready", "record", "for", "1", "exit", "44"]), "ready");
        init.wait_line("recording");
        assert_eq!(numbers(init.pid()), [1], "{place:?}");
        let child = init.children().first().expect("the child").pid;
        assert_eq!(numbers(child), [1], "{place:?}");
        init.signal(libc::SIGTERM);
        init.wait().assert_exit(44);
        case().stdout(Stream::Closed).child(["exit", "44"]).run().assert_exit(44);
    }
}

/// The number of a descriptor that the caller has closed is given to what is opened next.
#[test]
fn i11_what_is_opened_never_passes_for_a_closed_descriptor() {
    needs_namespaces!();
    for place in PLACES {
        let case = Case::init().place(place).terminal().stderr(Stream::Closed).stdout(Stream::Pipe);
        let init = at_rest(case.arg("-v").child(["ready", "sleep"]), "ready");
        // The terminal of its own is not standard error.
        let kept = numbers(init.pid());
        assert!(kept.starts_with(&[0, 1]) && kept.len() == 3 && kept[2] > 2, "{place:?}: {kept:?}");
    }
}

// ---- B1, B4: the file -----------------------------------------------------------------------------------------------

#[test]
fn b1_static_with_nothing_executable_that_is_writable() {
    for program in [ship::init(), ship::pause()] {
        let faults = elf::faults(&fs::read(program).expect("a program"));
        assert!(faults.is_empty(), "{}: {faults:?}", program.display());
    }
}

#[test]
fn b4_release_files_are_small() {
    let init = if cfg!(target_arch = "x86_64") { 28_672 } else { 32_768 };
    for (program, limit) in [(ship::init(), init), (ship::pause(), 4_096)] {
        let size = fs::metadata(program).expect("a program").len();
        println!("{}: {size} bytes", program.display());
        assert!(size <= limit, "{}: {size} bytes", program.display());
    }
}

#[test]
fn b4_release_files_have_sections_and_a_build_id() {
    use object::{Object, ObjectSection};
    for program in [ship::init(), ship::pause()] {
        let bytes = fs::read(program).expect("a program");
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let names: Vec<_> = file.sections().filter_map(|section| section.name().ok().map(str::to_owned)).collect();
        assert!(names.iter().any(|name| name == ".text"), "{}: {names:?}", program.display());
        let id = file.build_id().expect("notes that can be read");
        assert!(id.is_some_and(|id| id.len() >= 8), "{}: {id:?}", program.display());
    }
}

/// A tool of binutils or gdb on a program, which has nothing to complain of; its output. None where it is not installed.
#[track_caller]
fn tool(name: &str, words: &[&str], program: &Path) -> Option<String> {
    let Some(tool) = tools::on_path(name) else {
        namespace::skipped(name, "it is not installed");
        return None;
    };
    let mut command = std::process::Command::new(tool);
    let output = bitts_tests::running::output(command.args(words).arg(program)).expect("a tool that can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{name} {words:?} {}: {out}{err}", program.display());
    Some(out.into_owned())
}

#[test]
fn b4_the_tools_for_elf_files_take_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (program, version) in [(ship::init(), "--version"), (ship::pause(), "-v")] {
        if let Some(sections) = tool("readelf", &["-SW"], program) {
            assert!(sections.contains(" .text "), "{}: {sections}", program.display());
        }
        if let Some(notes) = tool("readelf", &["-nW"], program) {
            assert!(notes.contains("Build ID: "), "{}: {notes}", program.display());
        }
        if let Some(code) = tool("objdump", &["-d"], program) {
            assert!(code.contains("section .text:"), "{}", program.display());
        }
        let said = Case::new(program).place(Place::Host).arg(version).run();
        // As a packager does: what is stripped still runs.
        for words in [&["-o"][..], &["--strip-unneeded", "--remove-section=.comment", "-o"]] {
            let stripped = path("stripped");
            let words = [words, &[&stripped]].concat();
            if tool("strip", &words, program).is_some() {
                let outcome = Case::new(&stripped).place(Place::Host).arg(version).run();
                assert_eq!((outcome.exit(), outcome.out()), (Some(0), said.out()), "{words:?} {}", program.display());
            }
        }
        let _ = tool("objcopy", &["--only-keep-debug"], &copy(program, &path("debug")));
    }
}

/// A program to be changed in place.
fn copy(program: &Path, path: &str) -> std::path::PathBuf {
    let _alone = sys::no_forks();
    fs::copy(program, path).expect("a copy");
    path.into()
}

/// Whoever wants to step through them builds them as any other program.
#[test]
fn b4_a_dev_build_has_symbols_and_a_debugger_stops_in_main() {
    for (package, version) in [("init", "--version"), ("pause", "-v")] {
        let program = ship::dev(package, &ship::target(), &ship::target_folder());
        if let Some(symbols) = tool("nm", &["--demangle"], &program) {
            assert!(symbols.lines().any(|line| line.ends_with("main")), "{package}: {symbols}");
        }
        let words = [
            "-nx",
            "-batch",
            "-ex",
            &format!("break {package}::main"),
            "-ex",
            &format!("run {version}"),
            "-ex",
            "backtrace",
        ];
        let Some(gdb) = tools::on_path("gdb") else {
            namespace::skipped("a debugger", "gdb is not installed");
            continue;
        };
        let mut command = std::process::Command::new(gdb);
        let output = bitts_tests::running::output(command.args(words).arg(&program)).expect("gdb can be run");
        let out = String::from_utf8_lossy(&output.stdout);
        // The place that it stopped at, with its line.
        assert!(out.contains("Breakpoint 1, ") && out.contains(".rs:"), "{package}: {output:?}");
    }
}

#[test]
fn b1_libc_is_the_only_dependency() {
    let lock = fs::read_to_string(ship::root().join("Cargo.lock")).expect("Cargo.lock");
    for (package, others) in [("init", &["bare"][..]), ("pause", &["bare"]), ("bare", &[])] {
        let entry = lock.split("[[package]]").find(|entry| entry.contains(&format!("\nname = \"{package}\"\n")));
        let entry = entry.unwrap_or_else(|| panic!("no {package} in Cargo.lock"));
        let list = entry
            .split_once("dependencies = [")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map_or("", |(list, _)| list);
        let names: Vec<_> = list.split([',', '\n', ' ', '"']).filter(|name| !name.is_empty()).collect();
        assert!(names.contains(&"libc"), "{entry}");
        assert!(names.iter().all(|name| *name == "libc" || others.contains(name)), "{package}: {names:?}");
        // Its sources say so, too.
        let folder = ship::root().join(if package == "bare" { "pause/bare" } else { package }).join("src");
        for name in ["main.rs", "lib.rs"] {
            let Ok(text) = fs::read_to_string(folder.join(name)) else { continue };
            assert!(text.contains("#![no_std]"), "{package}/src/{name}");
            assert!(!text.contains("extern crate alloc") && !text.contains("extern crate std"), "{package}/src/{name}");
        }
    }
}

#[test]
fn b1_one_thread_and_no_heap() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        let init = at_rest(Case::init().place(place).args(["-gvw"]).child(["ready", "sleep"]), "ready");
        assert_eq!(procfs::Status::read(init.pid()).expect("it lives").get("Threads"), "1");
        drop(init);
        let outcome = Case::init().place(place).strace(["-e", "trace=all"]).child(["orphans", "10", "exit", "3"]).run();
        outcome.assert_exit(3);
        let calls = outcome.calls_after_exec();
        assert!(calls.len() > 5, "{outcome}");
        let heap = ["brk(", "mmap(", "mremap("];
        assert!(!calls.iter().any(|call| heap.iter().any(|name| call.starts_with(name))), "{calls:#?}");
    }
}

/// The numbers of init's calls, in order, up to the one that it rests in; what it reads of the out-of-memory killer (I19) left
/// out, for that takes as many as the files have pieces, and one more where they lie elsewhere.
#[cfg(target_arch = "x86_64")]
fn calls_to_rest(case: Case) -> Vec<i64> {
    let calls = steps::calls_from_exec_to_rest(&mut case.child(["sleep"]).start_held()).expect("it rests");
    let mut calls: Vec<_> = calls.into_iter().map(u64::cast_signed).collect();
    let position = |number| calls.iter().position(|call| *call == number).unwrap_or_else(|| panic!("{calls:?}"));
    let (look, tidies) = (position(libc::SYS_rt_sigtimedwait), position(libc::SYS_chdir));
    let reads: Vec<_> = calls.drain(look + 1..tidies).collect();
    assert!(reads.contains(&libc::SYS_openat), "{reads:?}");
    assert!(reads.iter().all(|call| [libc::SYS_openat, libc::SYS_read, libc::SYS_close].contains(call)), "{reads:?}");
    calls
}

#[test]
#[cfg(target_arch = "x86_64")]
fn b1_from_exec_to_rest_these_calls_and_no_others() {
    use libc::{
        SYS_chdir, SYS_clone, SYS_close_range, SYS_getpid, SYS_openat, SYS_prctl, SYS_prlimit64, SYS_rt_sigaction,
        SYS_rt_sigprocmask, SYS_rt_sigtimedwait, SYS_sched_yield, SYS_setpgid, SYS_wait4,
    };
    needs_namespaces!();
    if ship::another_init() {
        return namespace::skipped("the calls of a start", "another init makes other ones");
    }
    let first = [SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_getpid];
    // A place in the queue (I12); the child's program comes first; has it ended already? If not, nothing is kept (I11), and what
    // was dead before init is reaped (I13).
    let last = [
        [SYS_prlimit64, SYS_prlimit64, SYS_sched_yield, SYS_rt_sigtimedwait],
        [SYS_chdir, SYS_close_range, SYS_wait4, SYS_rt_sigtimedwait],
    ];
    let last = last.concat();
    // Without a terminal init does not ask for its session and group.
    let pid1 = [&first[..], &[SYS_openat, SYS_clone, SYS_setpgid], &last].concat();
    assert_eq!(calls_to_rest(Case::init()), pid1);
    let subreaper = [&first[..], &[SYS_prctl, SYS_openat, SYS_clone], &last].concat();
    assert_eq!(calls_to_rest(Case::init().not_pid1()), subreaper);
}

// ---- I8, B5: a plain fork -----------------------------------------------------------------------------------------

/// What ends the child, its memory with it, leaves init's alone.
#[test]
fn i8_the_child_shares_no_memory_with_init() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        for (name, options) in [("init", &[][..]), ("init", &["-g"]), ("init", &["-c"]), ("dumb-init", &[])] {
            let case = Case::init().name(name).place(place).terminal().args(options);
            // The child is not traced: what it starts is its own affair.
            let outcome = case.strace_alone(["-e", "trace=/^(clone3?|v?fork)$"]).child(["exit", "7"]).run();
            outcome.assert_exit(7);
            let starts: Vec<_> =
                outcome.trace.lines().filter(|line| line.contains("(") && line.contains("= ")).collect();
            assert_eq!(starts.len(), 1, "{outcome}");
            assert!(!starts[0].starts_with("vfork") && !starts[0].contains("CLONE_VM"), "{outcome}");
        }
    }
}

/// As an image of another architecture runs, and where SIGCHLD is inherited as ignored.
#[test]
fn b5_i6_it_works_under_an_emulator() {
    needs_namespaces!();
    let Some(emulator) = tools::emulator() else { return };
    let witness = tools::witness().display().to_string();
    for place in [Place::Pid1, Place::Host] {
        for ignored in [0, bit(libc::SIGCHLD)] {
            for (name, words, status) in [
                ("init", &["true"][..], 0),
                ("init", &["-g", "--", &witness, "exit", "7"], 7),
                ("init", &["--", &witness, "die", "9"], 137),
                ("init", &["/no-such-program"], 127),
                ("init", &["--", "/etc/passwd"], 126),
                ("dumb-init", &["true"], 0),
                ("dumb-init", &[&witness, "exit", "7"], 7),
                ("dumb-init", &["/no-such-program"], 2),
            ] {
                let case = Case::emulated(&emulator, name, ship::init()).place(place).ignored(ignored);
                let outcome = case.args(words).run();
                assert_eq!(outcome.exit(), Some(status), "{place:?} {name} {words:?} {ignored:#x}: {outcome}");
                let failure = "init: fatal: cannot execute '/no-such-program': No such file or directory";
                assert_eq!(outcome.err().contains(failure), words == ["/no-such-program"], "{name}: {outcome}");
            }
        }
    }
}

/// A new time namespace, a tracer that writes below the stack pointer, and one that runs every instruction itself.
#[test]
fn b5_it_works_in_other_places() {
    needs_namespaces!();
    // The more there are the lower proot writes.
    let many: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let script = tempfile::tempdir().expect("a folder");
    let path = script.path().join("script");
    {
        let _alone = sys::no_forks();
        fs::write(&path, "#!/bin/sh\ntest $# = 200 && exit 7\n").expect("a file");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    let user = if namespace::is_root() { &["-T"][..] } else { &["-rT"] };
    for (tool, options, times) in [("unshare", user, 1), ("proot", &[], 20), ("valgrind", &["-q"], 1)] {
        let Some(tool) = tools::required(tool) else { continue };
        for _ in 0..times {
            let case = || Case::new(&tool).place(Place::Host).args(options).arg(ship::init());
            case().arg("--").arg(&path).args(&many).run().assert_exit(7);
            case().child(["exit", "7"]).run().assert_exit(7);
            case().arg("/no-such-program").run().assert_exit(127);
        }
    }
}

// ---- B3 -------------------------------------------------------------------------------------------------------------

#[test]
fn b3_works_with_nothing() {
    needs_namespaces!();
    let poor: [&dyn Fn(Case) -> Case; 8] = [
        &Case::no_proc,
        &Case::outer_proc,
        &Case::read_only,
        &Case::no_new_privs,
        // As any user but root it has no capability.
        &|case| case.user(65535, 65535),
        &|case| case.user_namespace().user(1, 1),
        &|case| case.empty_environment().no_session(),
        &|case| {
            case.no_proc()
                .read_only()
                .no_new_privs()
                .user(65535, 65535)
                .empty_environment()
                .stdin(Stream::Closed)
                .stderr(Stream::Closed)
        },
    ];
    for place in PLACES {
        for (index, dress) in poor.iter().enumerate() {
            let case = || dress(Case::init().place(place));
            case().child(["orphans", "20", "exit", "44"]).run().assert_exit(44);
            case().child(["die", "9"]).run().assert_exit(137);
            case().args(["--", "/nonexistent"]).run().assert_exit(127);
            let mut init =
                case().args(["-g", "-s", "-w", "-e", "44"]).child(["record", "for", "1", "exit", "44"]).start();
            init.wait_line("recording");
            init.signal(libc::SIGTERM);
            init.wait_line("signal=15 ");
            let outcome = init.wait();
            outcome.assert_exit(0);
            assert_eq!(outcome.err(), "", "{place:?} {index}");
        }
    }
}

#[test]
fn b3_works_on_a_root_with_nothing_but_two_programs() {
    needs_namespaces!();
    let Some(unshare) = tools::on_path("unshare") else {
        bitts_tests::namespace::skipped("an empty root", "unshare of util-linux is not installed");
        return;
    };
    // No /dev, no /proc, no /tmp, no library, no shell.
    let root = tempfile::tempdir().expect("a folder");
    for (name, program) in [("init", ship::init()), ("witness", ship::static_witness())] {
        let _alone = sys::no_forks();
        std::fs::copy(program, root.path().join(name)).expect("a copy");
    }
    let root = format!("--root={}", root.path().display());
    let case = Case::new(unshare).place(Place::Host).args(["-rpf", &root, "/init", "-v", "/witness", "orphans", "3"]);
    let outcome = case.args(["exit", "7"]).run();
    outcome.assert_exit(7);
    assert_eq!(outcome.out(), "orphans 3\n", "{outcome}");
    // It says what it does, and complains of nothing.
    assert!(outcome.err().contains("init: started child ") && !outcome.err().contains("warning"), "{outcome}");
}

#[test]
fn b3_no_capability_is_left_to_user_65535() {
    needs_namespaces!();
    // What the test above stands on.
    let init = at_rest(Case::init().user(65535, 65535).child(["ready", "sleep"]), "ready");
    let status = procfs::Status::read(init.pid()).expect("it lives");
    assert_eq!(status.get("CapEff").trim_matches('0'), "");
    assert_eq!(status.get("CapPrm").trim_matches('0'), "");
}
