//! `init` under a real Podman: as `podman run --init`, as the entry point of an image, and as a pod's infra container.
//!
//! Needs root, and `podman`, `runc`, `busybox` (static), `setpriv`, `unshare`, `nsenter` and `timeout` on PATH; without one of
//! them the tests fail, for who asks for the feature `runtimes` wants them run. No network is used.

#[path = "runtimes/base.rs"]
mod base;
#[path = "runtimes/client.rs"]
mod client;
#[path = "podman/machine.rs"]
mod machine;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bitts_tests::ship;
use client::DEADLINE;
use libtest_mimic::{Arguments, Trial};
use machine::{Container, Machine};

/// The image with busybox.
const BASE: &str = "localhost/bitts-base";
/// The same with `ENTRYPOINT ["/init","--"]`.
const WITH_INIT: &str = "localhost/bitts-with-init";
/// An image of one file: `init` by the name of catatonit.
const INFRA: &str = "localhost/bitts-infra";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        // Nothing is started for a list; the closures are not called.
        return libtest_mimic::run(&arguments, trials(None)).exit_code();
    }
    let world = Arc::new(World::new());
    let conclusion = libtest_mimic::run(&arguments, trials(Some(&world)));
    // The trials are gone, and with them their shares: Podman's namespaces end here, before this process does.
    drop(Arc::into_inner(world).expect("the trials have ended"));
    conclusion.exit_code()
}

/// What all tests share.
struct World {
    podman: Machine,
    init: &'static Path,
}

impl World {
    /// Makes the namespaces and the images.
    fn new() -> World {
        let world = World { podman: Machine::start(), init: ship::init() };
        println!("{}", world.podman.ok(&["--version"]));
        world.podman.import(BASE, &[], base::add_base);
        world.podman.import(WITH_INIT, &[r#"ENTRYPOINT ["/init","--"]"#], |archive| {
            base::add_base(archive);
            base::add_file(archive, world.init, Path::new("init"));
        });
        world.podman.import(INFRA, &[], |archive| base::add_file(archive, world.init, Path::new("catatonit")));
        world
    }

    /// A container that runs `command` under `podman run --init --init-path`.
    fn run(&self, name: &str, command: &[&str]) -> Container<'_> {
        let init = self.init.to_str().expect("a plain path");
        self.podman.run(name, &[&["--init", "--init-path", init, BASE], command].concat())
    }

    /// The same with a script for sh.
    fn script(&self, name: &str, script: &str) -> Container<'_> {
        self.run(name, &["/bin/sh", "-c", script])
    }

    /// Is the first process of this container our init?
    fn is_first(&self, container: &str) {
        let first = fs::read(self.podman.proc(container).join("exe")).expect("read the first process's program");
        assert!(first == fs::read(self.init).expect("read init"), "{container} runs another program as its first");
    }
}

/// All tests. Each is handed the shared world.
fn trials(world: Option<&Arc<World>>) -> Vec<Trial> {
    let trial = |name: &str, test: fn(&World)| {
        let world = world.cloned();
        Trial::test(name, move || {
            test(&world.expect("a test runs only with a world"));
            Ok(())
        })
    };
    vec![
        trial("b3_the_first_process_is_init", first_process_is_init),
        trial("b3_init_path_of_the_configuration", init_path_of_the_configuration),
        trial("i18_exit_statuses_arrive", exit_statuses_arrive),
        trial("i18_deaths_by_signal_arrive", deaths_by_signal_arrive),
        trial("i10_exec_failures_have_their_statuses", exec_failures_have_their_statuses),
        trial("i4_as_podman_init_an_exec_failure_ends_with_1", exec_failure_of_podman_init),
        trial("i12_podman_kill_reaches_the_child", podman_kill_reaches_the_child),
        trial("i12_podman_stop_is_a_sigterm", podman_stop_is_a_sigterm),
        trial("i20_a_pod_stops_with_its_infra_container_at_0", pod_stops),
        trial("i20_an_infra_container_reaps_for_its_pod", infra_reaps),
    ]
}

fn first_process_is_init(world: &World) {
    let mut container = world.script("first", "echo ready; sleep 600; :");
    container.expect("ready");
    world.is_first(&container.name);
}

fn init_path_of_the_configuration(world: &World) {
    let mut container =
        world.podman.run_with_init_path("configured", &["--init", BASE, "sh", "-c", "echo ready; sleep 600; :"]);
    container.expect("ready");
    world.is_first(&container.name);
    world.podman.ok(&["stop", "--time=30", &container.name]);
    assert_eq!(container.end().0, 128 + 15);
}

/// 126 and 127 as well: what a program means by them is its own affair.
fn exit_statuses_arrive(world: &World) {
    for status in [0, 1, 44, 126, 127, 143, 255] {
        assert_eq!(world.script(&format!("exit-{status}"), &format!("exit {status}")).end(), (status, String::new()));
    }
}

/// Not QUIT, which the shell ignores.
fn deaths_by_signal_arrive(world: &World) {
    for signal in [1, 2, 6, 9, 11, 15, 34, 40, 64] {
        let (status, said) = world.script(&format!("death-{signal}"), &format!("kill -{signal} $$; sleep 60")).end();
        assert_eq!(status, 128 + signal, "{said}");
        // Nobody but the shell itself has sent it.
        assert!(said.contains(&format!("was killed by signal {signal}")), "{said}");
    }
}

/// Programs that cannot be executed, and the exit status that says so.
const EXEC_FAILURES: [(&str, i32); 3] = [("/no-such-program", 127), ("/bin", 126), (base::NOT_A_PROGRAM, 126)];

/// As the entry point, by its own name.
fn exec_failures_have_their_statuses(world: &World) {
    for (program, status) in EXEC_FAILURES {
        let (ended, said) =
            world.podman.run(&format!("exec{}", program.replace('/', "-")), &[WITH_INIT, program]).end();
        assert_eq!(ended, status, "{said}");
        // Podman has the same statuses for what it cannot start itself: then `init` was not even run.
        assert!(said.starts_with(&format!("init: fatal: cannot execute '{program}'")), "{said}");
    }
}

/// `podman run --init` runs it as /run/podman-init.
fn exec_failure_of_podman_init(world: &World) {
    for (program, _) in EXEC_FAILURES {
        let (ended, said) = world.run(&format!("option{}", program.replace('/', "-")), &[program]).end();
        assert_eq!(ended, 1, "{said}");
        assert!(said.starts_with(&format!("init: fatal: cannot execute '{program}'")), "{said}");
    }
}

/// Prints `ready`, then the name of each signal that comes; TERM ends it with 7.
const TRAPS: &str =
    "for signal in HUP USR1 ABRT 37; do trap \"echo took $signal\" $signal; done; trap 'echo took TERM; exit 7' TERM
    echo ready; while :; do sleep 600 & wait $!; done";

fn podman_kill_reaches_the_child(world: &World) {
    let mut container = world.script("kill", TRAPS);
    container.expect("ready");
    // 37 is RTMIN+3 as Podman counts, from 34; musl's SIGRTMIN is 35.
    for (asked, taken) in [("HUP", "HUP"), ("USR1", "USR1"), ("ABRT", "ABRT"), ("RTMIN+3", "37"), ("HUP", "HUP")] {
        world.podman.ok(&["kill", "--signal", asked, &container.name]);
        container.expect(&format!("took {taken}\n"));
    }
    world.podman.ok(&["kill", "--signal", "TERM", &container.name]);
    container.expect("took TERM\n");
    assert_eq!(container.end().0, 7);
}

fn podman_stop_is_a_sigterm(world: &World) {
    let mut container = world.script("stop", TRAPS);
    container.expect("ready");
    // Podman kills after this time: long, so that a status other than 137 shows that no KILL was needed.
    world.podman.ok(&["stop", "--time=30", &container.name]);
    container.expect("took TERM\n");
    assert_eq!(container.end().0, 7);

    // A program that as PID 1 would not have ended by TERM at all.
    let mut container = world.script("stop-default", "echo ready; sleep 600; :");
    container.expect("ready");
    let start = Instant::now();
    world.podman.ok(&["stop", "--time=30", &container.name]);
    println!("podman stop: {:.2} s", start.elapsed().as_secs_f32());
    assert_eq!(container.end().0, 128 + 15);
}

/// What makes `init` a pod's infra container, as it makes catatonit one.
const AS_INFRA: [&str; 4] = ["--infra-image", INFRA, "--infra-command", "/catatonit -P"];

/// Waits until the infra container runs `init`: `podman pod start` may return while it is still runc.
fn wait_for_infra(world: &World, infra: &str) {
    let start = Instant::now();
    let init = fs::read(world.init).expect("read init");
    while fs::read(world.podman.proc(infra).join("exe")).expect("read the program of a running container") != init {
        assert!(start.elapsed() < DEADLINE, "the infra container never ran init");
        thread::sleep(Duration::from_millis(5));
    }
    let arguments = fs::read(world.podman.proc(infra).join("cmdline")).expect("read its arguments");
    assert_eq!(arguments, b"/catatonit\0-P\0");
}

fn pod_stops(world: &World) {
    let podman = &world.podman;
    let pod = podman.pod("pod", &AS_INFRA);
    podman.ok(&["pod", "start", &pod.name]);
    let infra = pod.infra();
    wait_for_infra(world, &infra);
    let init = world.init.to_str().expect("a plain path");
    let mut member = podman.run(
        "member",
        &["--pod", &pod.name, "--init", "--init-path", init, BASE, "sh", "-c", "echo ready; sleep 600; :"],
    );
    member.expect("ready");
    let namespace =
        |container: &str| fs::read_link(podman.proc(container).join("ns/ipc")).expect("read a namespace link");
    assert_eq!(namespace(&infra), namespace(&member.name));
    let start = Instant::now();
    podman.ok(&["pod", "stop", "--time=30", &pod.name]);
    println!("podman pod stop: {:.2} s", start.elapsed().as_secs_f32());
    // 137 would be a KILL after the 30 seconds.
    assert_eq!((podman.exit_code(&member.name).as_str(), podman.exit_code(&infra).as_str()), ("143", "0"));
    assert_eq!(member.end().0, 143);
    let logs = podman.podman(&["logs", &infra]);
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("", "Shutting down, got signal: Terminated\n"));
}

fn infra_reaps(world: &World) {
    let podman = &world.podman;
    let pod = podman.pod("shared", &[&AS_INFRA[..], &["--share=ipc,uts,pid"]].concat());
    podman.ok(&["pod", "start", &pod.name]);
    let infra = pod.infra();
    wait_for_infra(world, &infra);
    // No --init: the orphans are the infra container's, whose process is the first of all.
    const ORPHANS: &str = "for n in 1 2 3 4 5 6 7 8 9; do (true &); (true &); done; echo ready; exec sleep 600";
    let mut member = podman.run("orphans", &["--pod", &pod.name, BASE, "sh", "-c", ORPHANS]);
    member.expect("ready");
    let start = Instant::now();
    loop {
        let list = podman.ok(&["exec", &member.name, "ps", "-o", "pid,stat,args"]);
        assert!(list.contains("/catatonit -P") && list.contains("sleep 600"), "{list}");
        if !list.lines().any(|line| line.split_whitespace().nth(1).is_some_and(|state| state.starts_with('Z'))) {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "zombies stay:\n{list}");
        thread::sleep(Duration::from_millis(50));
    }
    // Before the infra container, whose end is that of every process in its PID namespace; `sleep`, which is not the first
    // there, has SIGTERM's default action.
    podman.ok(&["stop", "--time=30", &member.name]);
    assert_eq!(member.end().0, 128 + 15);
    podman.ok(&["pod", "stop", "--time=30", &pod.name]);
    assert_eq!(podman.exit_code(&infra), "0");
}
