//! `pause` holds the namespaces of a pod (G3), whose containers the harness starts by itself: without any runtime, and
//! without root. Each test's name begins with the promise's number.

use std::fs::File;
use std::time::{Duration, Instant};

use bitts_tests::namespace::KINDS;
use bitts_tests::{Case, Outcome, Running, needs_namespaces, procfs};

/// What the first container puts into the pod.
const WORD: &str = "the-pod";

/// A pod, held by a pause at rest; on a machine if one is given.
fn pod(case: Case) -> Running {
    let mut pause = case.pod().start();
    pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    pause
}

/// How a container joins.
#[derive(Clone, Copy, Debug)]
enum Join {
    /// All namespaces, the PID namespace too (`shareProcessNamespace`).
    All,
    /// The pod's, with PID and mount namespaces of its own.
    OwnPids,
}

/// A container of the pod.
fn container(pause: &Running, join: Join, commands: &[&str]) -> Case {
    let case = Case::witness().args(commands);
    match join {
        Join::All => case.inside(pause),
        Join::OwnPids => case.beside(pause),
    }
}

/// What a new container finds, after it has been started for nothing else.
fn found(pause: &Running, join: Join) -> String {
    let outcome = container(pause, join, &["show-pod"]).run();
    outcome.assert_exit(0);
    outcome.out()
}

/// All that a pod was filled with, as a container tells it.
fn filled() -> String {
    format!("hostname={WORD}\naddress=lo 127.7.7.7 up=true\nmemory={WORD}\nqueue={WORD}\n")
}

#[test]
fn g3_a_container_that_dies_takes_no_namespace_along() {
    needs_namespaces!();
    let container_dies: [(&[&str], i32); 3] = [
        (&["ready", "sleep"], libc::SIGKILL),
        (&["ready", "fault"], libc::SIGSEGV),
        (&["ready", "die", "6"], libc::SIGABRT),
    ];
    for join in [Join::All, Join::OwnPids] {
        for user_namespace in [false, true] {
            let case = if user_namespace { Case::pause().user_namespace() } else { Case::pause() };
            let pause = pod(case);
            let before = procfs::namespaces(pause.pid()).expect("namespaces");
            let own = procfs::namespaces(std::process::id() as i32).expect("namespaces");
            for ((kind, _), (theirs, own)) in KINDS.iter().zip(before.iter().zip(&own)) {
                assert!(theirs != own || *kind == "user" && !user_namespace, "{kind}: the pod has the machine's");
            }
            // The control: as long as nobody has filled it, there is nothing to be found.
            assert!(!found(&pause, join).contains(WORD));
            container(&pause, join, &["fill-pod", WORD]).run().assert_exit(0);
            assert_eq!(found(&pause, join), filled());

            for (commands, signal) in container_dies {
                let mut victim = container(&pause, join, commands).limit(libc::RLIMIT_CORE, 0, 0).start();
                victim.wait_line("ready");
                if signal == libc::SIGKILL {
                    for ((kind, flag), (theirs, pods)) in
                        KINDS.iter().zip(procfs::namespaces(victim.pid()).expect("namespaces").iter().zip(&before))
                    {
                        let shared = bitts_tests::namespace::OF_A_POD.contains(*flag) || *kind == "user";
                        let shared = shared || matches!(join, Join::All);
                        assert_eq!(theirs == pods, shared, "{join:?}: {kind}");
                    }
                    victim.signal(signal);
                }
                // PID 1 of a namespace of its own: SIGABRT that it sends to itself does nothing to it.
                let outcome = victim.wait();
                match (join, signal) {
                    (Join::OwnPids, libc::SIGABRT) => outcome.assert_exit(93),
                    _ => outcome.assert_killed_by(signal),
                };
                assert_eq!(procfs::namespaces(pause.pid()).expect("namespaces"), before, "{join:?} {signal}");
                assert_eq!(found(&pause, join), filled(), "{join:?} {signal}");
            }
            assert!(procfs::sleeps_in(pause.pid(), libc::SYS_rt_sigtimedwait));
            assert_eq!(pause.processes().len(), 1, "{:?}", pause.processes());
            pause.signal(libc::SIGTERM);
            pause.wait().assert_exit(0);
        }
    }
}

#[test]
fn g3_a_dead_containers_orphans_are_reaped_without_a_wake_up() {
    needs_namespaces!();
    let mut pause = pod(Case::pause());
    let before = pause.context_switches();
    let mut container = container(&pause, Join::All, &["orphans", "1000", "worker", "ready", "sleep"]).start();
    container.wait_line("ready");
    // An orphan of its outlives it, and is pause's from the start; then it goes as well.
    container.signal(libc::SIGKILL);
    assert_eq!(container.wait_status(), libc::SIGKILL);
    let worker = container.wait_line("worker ");
    let worker = worker.strip_prefix("worker ").expect("a pid");
    assert!(pause.children().iter().any(|child| child.inner.to_string() == worker), "{:?}", pause.processes());
    Case::witness().inside(&pause).args(["kill", worker, "15"]).run().assert_exit(0);
    pause.wait_until("pause alone", |pause| pause.processes().len() == 1);
    assert_eq!(pause.zombies(), []);
    assert_eq!(pause.context_switches() - before, 0);
    // Who ended that was, and not a kill from the harness's side.
    assert!(container.wait().out().contains("worker got 15"));
}

/// As upstream's: whoever may signal PID 1 of the pod ends the pod.
#[test]
fn g3_term_from_a_container_ends_the_pod() {
    needs_namespaces!();
    for signal in ["15", "2"] {
        let pause = pod(Case::pause());
        let mut victim = container(&pause, Join::All, &["ready", "sleep"]).start();
        victim.wait_line("ready");
        // Seen from where it stands PID 1 is pause. The sender goes with the pod, or ends just before.
        let sender: Outcome = container(&pause, Join::All, &["kill", "1", signal]).run();
        assert!(matches!(sender.status, 0 | 9), "{sender}");
        pause.wait().assert_exit(0);
        victim.wait().assert_killed_by(libc::SIGKILL);
    }
    // The control: with a PID namespace of its own a container reaches but itself.
    let pause = pod(Case::pause());
    container(&pause, Join::OwnPids, &["ignore", "15", "kill", "1", "15"]).run().assert_exit(0);
    assert!(procfs::sleeps_in(pause.pid(), libc::SYS_rt_sigtimedwait));
}

/// A place where the kernel counts namespaces: PID 1 of a user namespace, and who watches from inside.
struct Machine(Running);

impl Machine {
    /// `extra` namespaces of PIDs and mounts are needed beside the pod's.
    fn new(extra: u32) -> Self {
        let mut machine = Case::witness().user_namespace().args(["ready", "sleep"]).start();
        machine.wait_line("ready");
        let machine = Self(machine);
        // It has been started with a PID and a mount namespace itself. Room for one pod, and no more.
        for (kind, _) in KINDS {
            let limit = if matches!(kind, "pid" | "mnt") { 2 + extra } else { 1 };
            machine.watch(&["limit", kind, &limit.to_string()]);
        }
        machine
    }

    fn watch(&self, commands: &[&str]) -> String {
        let outcome = Case::witness().inside(&self.0).args(commands).run();
        outcome.assert_exit(0);
        outcome.out()
    }

    /// Can one more namespace of this kind be made?
    fn has_room(&self, kind: &str) -> bool {
        let answer = self.watch(&["room", kind]);
        assert!(answer == format!("room {kind} yes\n") || answer == format!("room {kind} no\n"), "{answer}");
        answer.ends_with(" yes\n")
    }

    /// The kernel takes some down in the background, and tells nobody.
    #[track_caller]
    fn await_room(&self, kind: &str) {
        let until = Instant::now() + bitts_tests::case::DEADLINE;
        while !self.has_room(kind) {
            assert!(Instant::now() < until, "{kind}: the namespace is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The kinds of namespace that a pod has, with or without a user namespace of its own.
fn kinds(user_namespace: bool) -> impl Iterator<Item = &'static str> {
    KINDS.into_iter().map(|(kind, _)| kind).filter(move |kind| user_namespace || *kind != "user")
}

fn pod_on(machine: &Machine, user_namespace: bool) -> Running {
    let case = Case::pause().beside(&machine.0);
    pod(if user_namespace { case.user_namespace() } else { case })
}

#[test]
fn g3_with_pause_and_the_last_member_the_namespaces_are_gone() {
    needs_namespaces!();
    for user_namespace in [false, true] {
        let machine = Machine::new(1);
        let pause = pod_on(&machine, user_namespace);
        let mut member = container(&pause, Join::OwnPids, &["ready", "sleep"]).start();
        member.wait_line("ready");
        for kind in kinds(user_namespace) {
            assert!(!machine.has_room(kind), "{kind}: the pod has taken no room");
        }
        // pause alone has ended: the pod's namespaces are the member's still, only pause's PIDs and mounts are gone.
        pause.signal(libc::SIGTERM);
        pause.wait().assert_exit(0);
        for kind in ["pid", "mnt"] {
            machine.await_room(kind);
        }
        for kind in kinds(user_namespace).filter(|kind| !["pid", "mnt"].contains(kind)) {
            assert!(!machine.has_room(kind), "{kind}: gone before the last member");
        }
        member.kill().assert_killed_by(libc::SIGKILL);
        for kind in kinds(user_namespace) {
            machine.await_room(kind);
        }
    }
}

/// The controls: what pins a namespace is seen, so the test above could fail.
#[test]
fn g3_an_open_descriptor_or_a_mount_pins_a_namespace() {
    needs_namespaces!();
    let machine = Machine::new(0);
    let pause = pod_on(&machine, true);
    let mut pins: Vec<_> = kinds(true)
        .map(|kind| (kind, File::open(format!("/proc/{}/ns/{kind}", pause.pid())).expect("a namespace")))
        .collect();
    pause.signal(libc::SIGTERM);
    pause.wait().assert_exit(0);
    // Those that the user namespace owns keep it, so it comes last.
    pins.sort_by_key(|(kind, _)| *kind == "user");
    while !pins.is_empty() {
        for (kind, _) in &pins {
            assert!(!machine.has_room(kind), "{kind} is gone, though it is held open");
        }
        let (kind, file) = pins.remove(0);
        drop(file);
        machine.await_room(kind);
    }

    let machine = Machine::new(1);
    let pause = pod_on(&machine, false);
    let place = tempfile::NamedTempFile::new().expect("a file").into_temp_path();
    let namespace = format!("/proc/{}/ns/uts", pause.pid());
    let words = [
        "bind".as_ref(),
        namespace.as_ref(),
        place.as_os_str(),
        "say".as_ref(),
        "bound".as_ref(),
        "record".as_ref(),
        "for".as_ref(),
        "1".as_ref(),
        "unbind".as_ref(),
        place.as_os_str(),
        "say".as_ref(),
        "unbound".as_ref(),
        "sleep".as_ref(),
    ];
    let mut holder = Case::witness().beside(&machine.0).outer_proc().args::<&std::ffi::OsStr>(words).start();
    holder.wait_line("recording");
    pause.signal(libc::SIGTERM);
    pause.wait().assert_exit(0);
    for kind in ["ipc", "net", "mnt", "pid"] {
        machine.await_room(kind);
    }
    assert!(!machine.has_room("uts"), "uts is gone, though it is mounted");
    holder.signal(libc::SIGUSR1);
    holder.wait_line("unbound");
    machine.await_room("uts");
}
