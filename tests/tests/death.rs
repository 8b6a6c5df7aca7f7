//! The line about a death that nobody asked for (I19). Each test's name begins with the promise's number.

use bitts_tests::{Case, Outcome, Place, Running, Stream, needs_namespaces, needs_strace, ship, sys, tools};

/// The signals whose default action ends a process (signal(7)), with the name that init shows.
fn deadly() -> impl Iterator<Item = (i32, String)> {
    let harmless = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stops = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    (1..=64).filter(move |signal| !harmless.contains(signal) && !stops.contains(signal)).map(|signal| {
        let mut line = init_core::line::Line::<64>::new();
        line.signal(signal);
        (signal, String::from_utf8_lossy(line.bytes()).into_owned())
    })
}

#[test]
fn i19_a_death_by_a_signal_that_init_knows_nothing_of_is_one_line() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child] {
        for (signal, name) in deadly() {
            let case = Case::init().place(place).stdin(Stream::Pipe);
            let mut init = case.child(["state", "cat", "die", &signal.to_string()]).start();
            init.wait_line("state=end");
            // Only at rest has it looked how many the kernel had killed before; else they would all be told of in the line.
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            init.close_stdin();
            let outcome = init.wait();
            outcome.assert_exit(128 + signal);
            let pid = outcome.value("pid").expect("its pid");
            assert_eq!(outcome.err(), format!("init: child {pid} was killed by signal {name}\n"), "{place:?}");
        }
    }
}

#[test]
fn i19_without_a_terminal_there_are_no_keys() {
    needs_namespaces!();
    for (place, name) in [(Place::Pid1, "dumb-init"), (Place::Child, "dumb-init"), (Place::Child, "init")] {
        for (signal, shown) in deadly().filter(|(signal, _)| [libc::SIGINT, libc::SIGQUIT].contains(signal)) {
            let case = Case::init().place(place).name(name).stdin(Stream::Pipe);
            let mut init = case.child(["state", "cat", "die", &signal.to_string()]).start();
            init.wait_line("state=end");
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            init.close_stdin();
            let outcome = init.wait();
            outcome.assert_exit(128 + signal);
            let pid = outcome.value("pid").expect("its pid");
            let expected = format!("init: child {pid} was killed by signal {shown}\n");
            assert_eq!(outcome.err(), expected, "{place:?} {name}");
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
    // What the kernel has killed here before does not count from its first rest on.
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    let child = init.children().first().expect("the child").clone();
    // From outside: a sender within would be killed with the namespace, perhaps before its own end.
    let outer = nix::unistd::Pid::from_raw(child.pid);
    nix::sys::signal::kill(outer, nix::sys::signal::Signal::SIGTERM).expect("a signal");
    let outcome = init.wait();
    outcome.assert_exit(143);
    assert_eq!(outcome.err(), format!("init: child {} was killed by signal 15 (SIGTERM)\n", child.inner));
}

// ---- The kernel's out-of-memory killer. `privileged.rs` has a real one; here are the layouts that a machine can have. --------

/// A layout of cgroups: what `/proc/PID/cgroup` says, and the files below `/sys/fs/cgroup` with a count of `N`, or another.
struct Layout {
    what: &'static str,
    cgroups: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const EVENTS: &str = "low 0\nhigh 4\nmax 88\noom 77\noom_kill N\noom_group_kill 9\n";
const OTHER_EVENTS: &str = "low 0\nhigh 0\nmax 0\noom 0\noom_kill 41\noom_group_kill 0\n";
const CONTROL: &str = "oom_kill_disable 0\nunder_oom 1\noom_kill N\n";
const OTHER_CONTROL: &str = "oom_kill_disable 1\nunder_oom 0\noom_kill 41\n";

/// Of version 1 with the names of the kernel's own: the controllers' order is none, and the names of some hold others'.
const ONE: &str = "12:name=memory:/no\n9:cpu,cpuacct:/no\n7:memory:/a/b\n3:hugetlb:/no\n1:name=systemd:/no\n0::/no\n";

/// A pod's container as the kubelet and containerd name it with systemd: 190 bytes.
macro_rules! pod {
    () => {
        "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f8fad5b_d9cb_469f_a165_70867728950e.slice/\
            cri-containerd-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.scope"
    };
}

const LAYOUTS: [Layout; 9] = [
    Layout {
        what: "2, a pod on a host",
        cgroups: concat!("0::/", pod!(), "\n"),
        files: &[(concat!(pod!(), "/memory.events"), EVENTS), ("memory.events", OTHER_EVENTS)],
    },
    Layout {
        what: "1, a pod on a host",
        cgroups: concat!("7:memory:/", pod!(), "\n"),
        files: &[
            (concat!("memory/", pod!(), "/memory.oom_control"), CONTROL),
            ("memory/memory.oom_control", OTHER_CONTROL),
        ],
    },
    Layout { what: "2, in a cgroup namespace", cgroups: "0::/\n", files: &[("memory.events", EVENTS)] },
    Layout {
        what: "2, on a host",
        cgroups: "0::/a/b\n",
        files: &[("a/b/memory.events", EVENTS), ("a/memory.events", OTHER_EVENTS)],
    },
    Layout {
        what: "2, deep",
        cgroups: "0::/system.slice/x-y.scope/with blank:and colon\n",
        files: &[("system.slice/x-y.scope/with blank:and colon/memory.events", EVENTS)],
    },
    Layout {
        what: "1, in a cgroup namespace",
        cgroups: "7:memory:/\n0::/\n",
        files: &[("memory/memory.oom_control", CONTROL)],
    },
    Layout {
        what: "1, on a host",
        cgroups: ONE,
        files: &[("memory/a/b/memory.oom_control", CONTROL), ("memory/memory.oom_control", OTHER_CONTROL)],
    },
    // Docker mounts the container's own cgroup there, whatever the path outside is.
    Layout { what: "1, as Docker mounts it", cgroups: ONE, files: &[("memory/memory.oom_control", CONTROL)] },
    Layout {
        what: "1 without version 2",
        cgroups: "2:cpu:/no\n1:memory:/a\n",
        files: &[("memory/a/memory.oom_control", CONTROL)],
    },
];

impl Layout {
    /// Shell commands that write the files, with this count.
    fn write(&self, count: u32) -> String {
        let write = |(path, text): &(&str, &str)| {
            let path = format!("/sys/fs/cgroup/{path}");
            let text = text.replace('N', &count.to_string());
            format!("mkdir -p \"$(dirname '{path}')\" && printf '%s' '{text}' > '{path}'")
        };
        std::iter::once("true".to_owned()).chain(self.files.iter().map(write)).collect::<Vec<_>>().join(" && ")
    }

    /// init with a child that sleeps, the count being `before` when it starts.
    fn start(&self, place: Place, before: u32) -> Running {
        let mut init = self.case(place, before).start();
        init.wait_line("ready");
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        init
    }

    /// The same, not yet started.
    fn case(&self, place: Place, before: u32) -> Case {
        let script = format!(
            "mount -t tmpfs none /sys/fs/cgroup && {} && printf '%s' '{}' > /sys/fs/cgroup/own &&
            mount --bind /sys/fs/cgroup/own /proc/$$/cgroup && exec \"$I\" \"$W\" ready sleep",
            self.write(before),
            self.cgroups
        );
        let case = Case::new("/bin/sh").place(place).env("I", ship::init()).env("W", tools::witness());
        case.args(["-c", &script])
    }

    /// The count is now another one.
    fn now(&self, init: &Running, count: u32) {
        Case::new("/bin/sh").inside(init).args(["-c", &self.write(count)]).run().assert_exit(0);
    }
}

/// Kills the child past init.
fn killed(init: Running) -> Outcome {
    sys::kill(init.children().first().expect("the child").pid, libc::SIGKILL, None).expect("it lives");
    let outcome = init.wait();
    outcome.assert_exit(137);
    outcome
}

#[test]
fn i19_what_the_kernel_has_killed_for_want_of_memory_is_counted_in_every_layout() {
    needs_namespaces!();
    for layout in LAYOUTS {
        for place in [Place::Pid1, Place::Child] {
            for (before, now) in [(0, 1), (3, 5), (9, 10), (99, 1100)] {
                let init = layout.start(place, before);
                layout.now(&init, now);
                let outcome = killed(init);
                let told = format!("SIGKILL); the kernel's out-of-memory killer ended {} process", now - before);
                let lines = outcome.err().lines().count();
                assert!(lines == 1 && outcome.err().contains(&told), "{}, {place:?}: {told}: {outcome}", layout.what);
            }
            // Nothing was counted since the start.
            for count in [0, 7] {
                let outcome = killed(layout.start(place, count));
                let lines = outcome.err().lines().count();
                assert!(lines == 1 && !outcome.err().contains("memory"), "{}, {place:?}: {outcome}", layout.what);
            }
            // The death is no riddle.
            let init = layout.start(place, 1);
            layout.now(&init, 2);
            init.signal(libc::SIGTERM);
            let outcome = init.wait();
            outcome.assert_exit(143);
            assert_eq!(outcome.err(), "", "{}, {place:?}", layout.what);
        }
    }
}

/// What is no count is none, and the file may go away meanwhile.
#[test]
fn i19_where_nothing_is_counted_the_line_is_the_plain_one() {
    needs_namespaces!();
    let plain = |outcome: &Outcome, what: &str| {
        let error = outcome.err();
        let lines: Vec<_> = error.lines().filter(|line| !line.starts_with("init: warning: ")).collect();
        assert!(lines.len() == 1 && lines[0].ends_with(" was killed by signal 9 (SIGKILL)"), "{what}: {outcome}");
    };
    for files in [
        &[][..],
        &[("memory.events", "")],
        &[("memory.events", "oom_kill \n")],
        &[("memory.events", "oom_kill banana\n")],
        &[("memory.events", "oom 3\noom_group_kill 3\n")],
        &[("memory.events", "xoom_kill 3\n")],
    ] {
        let layout = Layout { what: "odd", cgroups: "0::/\n", files };
        let init = layout.start(Place::Pid1, 0);
        let text = files.first().map_or("x", |(_, text)| text).replace('3', "5");
        let write = format!("mkdir -p /sys/fs/cgroup && printf '%s' '{text}' > /sys/fs/cgroup/memory.events");
        Case::new("/bin/sh").inside(&init).args(["-c", &write]).run().assert_exit(0);
        plain(&killed(init), &format!("{files:?}"));
    }
    for now in ["rm /sys/fs/cgroup/memory.events", "printf 'oom_kill 2\\n' > /sys/fs/cgroup/memory.events"] {
        // Gone, or less than before: a new count.
        let layout = Layout { what: "gone", cgroups: "0::/\n", files: &[("memory.events", EVENTS)] };
        let init = layout.start(Place::Pid1, 7);
        Case::new("/bin/sh").inside(&init).args(["-c", now]).run().assert_exit(0);
        plain(&killed(init), now);
    }
    for case in [Case::init().no_proc(), Case::init().read_only()] {
        let mut init = case.child(["ready", "sleep"]).start();
        init.wait_line("ready");
        // As above: at rest it has looked what the kernel had killed before.
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        plain(&killed(init), "no /proc");
    }
}

/// A child that is killed before init has counted for the first time. As PID 1 init takes all kills that its cgroup has counted for
/// those since its start, for the cgroup was most often made for it; elsewhere it says nothing of them.
#[test]
fn i19_a_kill_before_the_first_count_is_told_by_pid_1_alone() {
    needs_namespaces!();
    needs_strace!();
    for (place, told) in [(Place::Pid1, "; the kernel's out-of-memory killer ended 1 process"), (Place::Child, "")] {
        let layout = &LAYOUTS[0];
        // Until the child is dead, and no longer.
        let case =
            layout.case(place, 0).strace(["-e", "trace=sched_yield", "--inject=sched_yield:delay_exit=60000000"]);
        let mut init = case.start();
        init.wait_line("ready");
        layout.now(&init, 1);
        sys::kill(init.children().first().expect("the child").pid, libc::SIGKILL, None).expect("it lives");
        // strace has the news of the child's end first.
        init.wait_until("SIGCHLD", |init| init.signals().pending & sys::bit(libc::SIGCHLD) != 0);
        init.end_tracing();
        let outcome = init.wait();
        outcome.assert_exit(137);
        let error = outcome.err();
        assert!(error.trim_end().ends_with("SIGKILL)") == told.is_empty(), "{place:?}: {outcome}");
        assert!(error.lines().count() == 1 && error.contains(told), "{place:?}: {outcome}");
    }
}
