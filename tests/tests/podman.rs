//! `init` under a real Podman: as `podman run --init`, as the entry point of an image, and as a pod's infra container, as which
//! `pause` is tested too.
//!
//! Needs root, and `podman`, `runc`, `busybox` (static), `setpriv`, `unshare`, `nsenter` and `timeout` on PATH; without one of
//! them the tests fail, for who asks for the feature `runtimes` wants them run. No network is used.

#[path = "podman/machine.rs"]
mod machine;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use bitts_tests::images::ARCHITECTURES;
use bitts_tests::runtimes::enclosure::{namespace, wait_for_program, zombies};
use bitts_tests::runtimes::world::{self, Trials};
use bitts_tests::runtimes::{base, client::DEADLINE};
use bitts_tests::{elf, ship};
use libtest_mimic::Trial;
use machine::{Container, Machine, Pod};

/// The image with busybox.
const BASE: &str = "localhost/bitts-base";
/// The same with `ENTRYPOINT ["/init","--"]`.
const WITH_INIT: &str = "localhost/bitts-with-init";
/// An image of one file: `init` by the name of catatonit.
const AS_CATATONIT_IMAGE: &str = "localhost/bitts-catatonit";
/// `pause`, as `cargo images` makes it.
const PAUSE_IMAGE: &str = "localhost/bitts-pause:1";

fn main() -> ExitCode {
    world::run(World::new, trials)
}

/// What all tests share.
struct World {
    podman: Machine,
    init: &'static Path,
    pause: &'static Path,
}

impl World {
    /// Makes the namespaces and the images.
    fn new() -> World {
        let world = World { podman: Machine::start(PAUSE_IMAGE, "/pause"), init: ship::init(), pause: ship::pause() };
        println!("{}", world.podman.ok(&["--version"]));
        world.podman.import(BASE, &[], base::add_base);
        world.podman.import(WITH_INIT, &[r#"ENTRYPOINT ["/init","--"]"#], |archive| {
            base::add_base(archive);
            base::add_file(archive, world.init, Path::new("init"));
        });
        world
            .podman
            .import(AS_CATATONIT_IMAGE, &[], |archive| base::add_file(archive, world.init, Path::new("catatonit")));
        let loaded = world.podman.ok(&["load", "--input", &world.archive("pause", PAUSE_IMAGE)]);
        assert!(loaded.ends_with(PAUSE_IMAGE), "{loaded}");
        world
    }

    /// A file with the image of pause by this name: its path.
    fn archive(&self, name: &str, reference: &str) -> String {
        let path = self.podman.folder().join(format!("{name}.tar"));
        fs::write(&path, base::pause_archive(reference)).expect("write an archive");
        path.into_os_string().into_string().expect("a plain path")
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

/// All tests.
fn trials(world: &Trials<World>) -> Vec<Trial> {
    let trial = |name: &str, test: fn(&World)| world.trial(name, test);
    vec![
        trial("b3_the_first_process_is_init", first_process_is_init),
        trial("b3_init_path_of_the_configuration", init_path_of_the_configuration),
        trial("i18_exit_statuses_arrive", exit_statuses_arrive),
        trial("i18_deaths_by_signal_arrive", deaths_by_signal_arrive),
        trial("i10_exec_failures_have_their_statuses", exec_failures_have_their_statuses),
        trial("i4_as_podman_init_an_exec_failure_ends_with_1", exec_failure_of_podman_init),
        trial("i12_podman_kill_reaches_the_child", podman_kill_reaches_the_child),
        trial("i12_podman_stop_is_a_sigterm", podman_stop_is_a_sigterm),
        trial("i20_a_pod_stops_with_its_infra_container_at_0", |world| pod_stops(world, &AS_CATATONIT)),
        trial("i20_an_infra_container_reaps_for_its_pod", |world| infra_reaps(world, &AS_CATATONIT)),
        trial("g3_a_pod_of_pause_stops_and_goes", |world| pod_stops(world, &AS_PAUSE)),
        trial("g3_pause_reaps_for_its_pod", |world| infra_reaps(world, &AS_PAUSE)),
        trial("g3_a_pod_has_the_pause_of_the_configuration", |world| pod_stops(world, &CONFIGURED)),
        trial("g2_an_archive_has_an_image_for_each_architecture", archive_has_each_architecture),
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

/// A program as a pod's infra container.
struct Infra {
    /// What the names of its pods and of their members begin with.
    name: &'static str,
    options: &'static [&'static str],
    /// As /proc has it.
    command_line: &'static str,
    program: fn(&World) -> &'static Path,
}

/// `init` in catatonit's place, which is Podman's own infra container.
const AS_CATATONIT: Infra = Infra {
    name: "catatonit",
    options: &["--infra-image", AS_CATATONIT_IMAGE, "--infra-command", "/catatonit -P"],
    command_line: "/catatonit\0-P\0",
    program: |world| world.init,
};

/// `pause`, by the image that ships.
const AS_PAUSE: Infra = Infra {
    name: "pause",
    options: &["--infra-image", PAUSE_IMAGE, "--infra-command", "/pause"],
    command_line: "/pause\0",
    program: |world| world.pause,
};

/// The same by `infra_image` and `infra_command` of `containers.conf`.
const CONFIGURED: Infra = Infra { name: "configured", options: &[], ..AS_PAUSE };

impl Infra {
    fn named(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// A pod that has it, running.
    fn pod<'a>(&self, world: &'a World, name: &str, options: &[&str]) -> Pod<'a> {
        let name = &self.named(name);
        let pod = world.podman.pod(name, &[self.options, options].concat());
        world.podman.ok(&["pod", "start", &pod.name]);
        let proc = world.podman.proc(&pod.infra());
        wait_for_program(&proc, &fs::read((self.program)(world)).expect("read the program under test"));
        let arguments = fs::read(proc.join("cmdline")).expect("read its arguments");
        assert_eq!(String::from_utf8_lossy(&arguments), self.command_line);
        pod
    }
}

fn pod_stops(world: &World, infra: &Infra) {
    let podman = &world.podman;
    let pod = infra.pod(world, "pod", &[]);
    let member = infra.named("member");
    let infra = pod.infra();
    let init = world.init.to_str().expect("a plain path");
    let mut member = podman.run(
        &member,
        &["--pod", &pod.name, "--init", "--init-path", init, BASE, "sh", "-c", "echo ready; sleep 600; :"],
    );
    member.expect("ready");
    for kind in ["ipc", "net", "uts"] {
        assert_eq!(namespace(&podman.proc(&infra), kind), namespace(&podman.proc(&member.name), kind));
    }
    let start = Instant::now();
    podman.ok(&["pod", "stop", "--time=30", &pod.name]);
    println!("podman pod stop: {:.2} s", start.elapsed().as_secs_f32());
    // 137 would be a KILL after the 30 seconds.
    assert_eq!((podman.exit_code(&member.name).as_str(), podman.exit_code(&infra).as_str()), ("143", "0"));
    assert_eq!(member.end().0, 143);
    let logs = podman.podman(&["logs", &infra]);
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("", "Shutting down, got signal: Terminated\n"));
    // Without force: nothing runs any more.
    podman.ok(&["pod", "rm", &pod.name]);
    assert_eq!(podman.podman(&["container", "exists", &infra]).status, 1);
}

/// With a shared PID namespace, and no --init: the orphans are the infra container's, whose process is the first of all.
fn infra_reaps(world: &World, infra: &Infra) {
    let podman = &world.podman;
    let pod = infra.pod(world, "shared", &["--share=ipc,net,uts,pid"]);
    let first = podman.proc(&pod.infra());
    let mut member = podman
        .run("orphans", &["--pod", &pod.name, BASE, "sh", "-c", &format!("{}; exec sleep 600", base::orphans(2_000))]);
    member.expect("ready");
    assert_eq!(namespace(&first, "pid"), namespace(&podman.proc(&member.name), "pid"));
    let start = Instant::now();
    while zombies(&first) > 0 {
        assert!(start.elapsed() < DEADLINE, "zombies stay: {}", zombies(&first));
        thread::sleep(Duration::from_millis(50));
    }
    // Before the infra container, whose end is that of every process in its PID namespace; `sleep`, which is not the first
    // there, has SIGTERM's default action.
    podman.ok(&["stop", "--time=30", &member.name]);
    assert_eq!(member.end().0, 128 + 15);
    podman.ok(&["pod", "stop", "--time=30", &pod.name]);
    assert_eq!(podman.exit_code(&pod.infra()), "0");
}

/// Podman takes from the archive the image of the architecture that it is asked for. Those that the processor knows run, too.
fn archive_has_each_architecture(world: &World) {
    // A name of its own: each pull gives it to another image, and the other tests' is not to move.
    let archive = world.archive("each", "localhost/bitts-each:1");
    let archive = format!("oci-archive:{archive}");
    let known: &[&str] = if cfg!(target_arch = "x86_64") { &["amd64", "386"] } else { &["arm64"] };
    for architecture in ARCHITECTURES {
        let id = world.podman.ok(&["pull", "--quiet", "--arch", architecture.name, &archive]);
        let shown = world.podman.ok(&["image", "inspect", "--format", "{{.Architecture}} {{.User}}", &id]);
        assert_eq!(shown, format!("{} 65535:65535", architecture.name));
        // What the file in it is built for.
        let root = world.podman.ok(&["image", "mount", &id]);
        let program = fs::read(world.podman.path(&format!("{root}/pause"))).expect("the program of an image");
        assert_eq!(elf::architecture(&program), Ok(architecture.name));
        world.podman.ok(&["image", "unmount", &id]);
        if known.contains(&architecture.name) {
            let container = world.podman.run(&format!("on-{}", architecture.name), &[&id]);
            wait_for_program(&container.proc(), &program);
            world.podman.ok(&["stop", "--time=30", &container.name]);
            assert_eq!(container.end(), (0, "Shutting down, got signal: Terminated\n".to_owned()));
        }
    }
}
