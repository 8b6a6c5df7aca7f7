//! `pause` under containerd, driven by CRI as a kubelet does it: the image as `sandbox_image`, pods of several containers.
//!
//! Needs root, and `containerd`, `ctr`, `runc`, CNI's plugins, `docker-registry`, `skopeo`, `busybox` (static), `setpriv`, `unshare`, `nsenter` and `timeout`;
//! without one of them the tests fail, for who asks for the feature `runtimes` wants them run. Nothing leaves the namespaces.

#[path = "cri/api.rs"]
mod api;
#[path = "cri/node.rs"]
mod node;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use api::Mode;
use bitts_tests::images::ARCHITECTURES;
use bitts_tests::procfs::Status;
use bitts_tests::runtimes::base;
use bitts_tests::runtimes::client::DEADLINE;
use bitts_tests::runtimes::enclosure::{namespace, wait_for_program, zombies};
use bitts_tests::runtimes::world::{self, Trials};
use bitts_tests::ship;
use libtest_mimic::Trial;
use node::{Member, Node, Pod, REGISTRY};
use serde_json::json;

/// The image with busybox.
const BASE: &str = "localhost/bitts-base:1";
/// `pause`, as `cargo images` makes it.
const PAUSE: &str = "localhost/bitts-pause:1";
/// The control: sleeps like pause, and does not reap.
const SLEEP: &str = "localhost/bitts-sleep:1";

/// How many orphans a container makes.
const ORPHANS: u32 = 2_000;

fn main() -> ExitCode {
    world::run(World::new, trials)
}

/// What all tests share.
struct World {
    /// With `pause` as its `sandbox_image`.
    node: Node,
    /// With the control.
    control: Node,
    pause: &'static Path,
}

impl World {
    /// Starts the daemons and loads the images.
    fn new() -> World {
        let base = base::archive(BASE, json!({}), base::add_base);
        let sleep = base::archive(SLEEP, json!({ "Entrypoint": ["/bin/sleep", "86400"] }), base::add_base);
        let pause = base::pause_archive(PAUSE);
        let world = World {
            node: Node::start("pause", PAUSE, &[(PAUSE, pause), (BASE, base.clone())]),
            control: Node::start("control", SLEEP, &[(SLEEP, sleep), (BASE, base)]),
            pause: ship::pause(),
        };
        println!("{}", world.node.version());
        world
    }

    /// A pod with `pause` in it, as its user or another.
    fn pod(&self, pid: Mode, user: Option<(i64, i64)>) -> Pod<'_> {
        let pod = self.node.pod(pid, user);
        // Ready comes before the exec.
        wait_for_program(&pod.proc(), &fs::read(self.pause).expect("read the program under test"));
        assert!(pod.is_ready());
        pod
    }
}

/// A container that runs a script for sh.
fn script<'a>(pod: &'a Pod<'_>, name: &str, script: &str) -> Member<'a> {
    pod.start(name, BASE, &["sh", "-c", script], &[], None)
}

/// All tests.
fn trials(world: &Trials<World>) -> Vec<Trial> {
    let trial = |name: &str, test: fn(&World)| world.trial(name, test);
    vec![
        trial("g2_containerd_finds_an_image_for_each_architecture", archive_has_each_architecture),
        trial("g2_a_node_pulls_what_it_can_run_from_a_registry", node_pulls_from_a_registry),
        trial("p7_pause_is_confined_as_a_kubelet_has_it", pause_is_confined),
        trial("p7_pause_runs_as_any_user", pause_runs_as_any_user),
        trial("p5_kubeadms_check_runs", kubeadms_check),
        trial("p2_pause_reaps_for_its_pod", pause_reaps),
        trial("p2_control_a_pause_that_does_not_reap_leaves_zombies", control_leaves_zombies),
        trial("g3_a_shared_pid_namespace_survives_a_crash", |world| pod_survives_a_crash(world, Mode::Pod)),
        trial("g3_separate_pid_namespaces_survive_a_crash", |world| pod_survives_a_crash(world, Mode::Container)),
        trial("g3_the_end_of_pause_is_the_end_of_the_pod", end_of_pause_ends_the_pod),
        trial("g3_a_stopped_pod_leaves_nothing", stopped_pod_leaves_nothing),
    ]
}

/// containerd reads the list of the archive, and runs what is this machine's of it: the other tests show that.
fn archive_has_each_architecture(world: &World) {
    // Columns: REF TYPE DIGEST SIZE PLATFORMS LABELS
    let list = world.node.ctr(&["images", "list", &format!("name=={PAUSE}")]);
    let line = list.lines().find(|line| line.starts_with(PAUSE)).expect("the image");
    let mut platforms: Vec<_> =
        line.split_whitespace().find(|word| word.contains("linux/")).unwrap_or(line).split(',').collect();
    platforms.sort_unstable();
    let mut built: Vec<_> = ARCHITECTURES.iter().map(|architecture| format!("linux/{}", architecture.name)).collect();
    built.sort();
    assert_eq!(platforms, built);
}

/// The whole list goes to a registry, and a node picks its own from it.
fn node_pulls_from_a_registry(world: &World) {
    let image = format!("{REGISTRY}/pause:1");
    let _registry = world.node.registry("pause:1", &base::pause_archive(PAUSE));
    world.node.pull(&image);
    let pod = world.pod(Mode::Container, None);
    let pulled = pod.start("pulled", &image, &[], &[], None);
    wait_for_program(&pulled.proc(), &fs::read(world.pause).expect("read the program under test"));
    pulled.kill("TERM");
    assert_eq!((pulled.end(), pulled.log().as_str()), (0, "Shutting down, got signal: Terminated\n"));
    pod.stop();
    pod.remove();
}

/// The lines of a process's status that say what it may do.
fn may(proc: &Path) -> Vec<String> {
    let status = Status::of(proc).expect("it is alive");
    ["Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapAmb", "Seccomp"]
        .map(|key| format!("{key} {}", status.get(key).replace('\t', " ")))
        .to_vec()
}

/// What [`may`] says of a process of this user's with no capability and under a filter.
fn confined(user: u32, group: u32) -> Vec<String> {
    let mut lines = vec![format!("Uid {user} {user} {user} {user}"), format!("Gid {group} {group} {group} {group}")];
    lines.extend(["CapInh", "CapPrm", "CapEff", "CapAmb"].map(|key| format!("{key} 0000000000000000")));
    lines.push("Seccomp 2".to_owned());
    lines
}

/// The root of `pause` is mounted read-only.
fn root_is_read_only(proc: &Path) {
    let mounts = fs::read_to_string(proc.join("mountinfo")).expect("its mounts");
    let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).expect("a root");
    assert!(root.split(' ').nth(5).is_some_and(|options| options.split(',').any(|option| option == "ro")), "{root}");
}

fn pause_is_confined(world: &World) {
    for mode in [Mode::Pod, Mode::Container] {
        let pod = world.pod(mode, None);
        let pause = pod.proc();
        assert_eq!(may(&pause), confined(65535, 65535));
        root_is_read_only(&pause);
        assert_eq!(fs::read(pause.join("cmdline")).expect("its arguments"), b"/pause\0");
        pod.stop();
        pod.remove();
    }
}

fn pause_runs_as_any_user(world: &World) {
    let pod = world.pod(Mode::Pod, Some((12_345, 54_321)));
    assert_eq!(may(&pod.proc()), confined(12_345, 54_321));
    let member = script(&pod, "member", &format!("{}; exec sleep 600", base::orphans(10)));
    member.expect("ready");
    no_zombies(&pod.proc());
    pod.kill("TERM");
    assert_eq!(member.end(), 137);
    pod.stop();
    pod.remove();
}

/// kubeadm's check before an upgrade is a job of this image, with this argument and these ids.
fn kubeadms_check(world: &World) {
    let pod = world.pod(Mode::Container, None);
    let check = pod.start("check", PAUSE, &[], &["-v"], Some((999, 999)));
    assert_eq!(check.end(), 0, "{}", check.log());
    let said = check.log();
    assert!(said.starts_with(&format!("pause {} (git ", env!("CARGO_PKG_VERSION"))) && said.ends_with(")\n"), "{said}");
    pod.stop();
    pod.remove();
}

/// Waits until a process has no zombie.
fn no_zombies(proc: &Path) {
    let start = Instant::now();
    while zombies(proc) > 0 {
        assert!(start.elapsed() < DEADLINE, "zombies stay: {}", zombies(proc));
        thread::sleep(Duration::from_millis(20));
    }
}

/// Two containers of a pod with one PID namespace make orphans; returns when all have been made.
fn make_orphans<'a>(pod: &'a Pod<'_>) -> [Member<'a>; 2] {
    let first = pod.proc();
    let members =
        ["first", "second"].map(|name| script(pod, name, &format!("{}; exec sleep 600", base::orphans(ORPHANS / 2))));
    for member in &members {
        member.expect("ready");
        assert_eq!(namespace(&member.proc(), "pid"), namespace(&first, "pid"));
    }
    members
}

fn pause_reaps(world: &World) {
    let pod = world.pod(Mode::Pod, None);
    let pause = pod.proc();
    let switches = || Status::of(&pause).expect("pause is alive").context_switches();
    let before = switches();
    let _members = make_orphans(&pod);
    no_zombies(&pause);
    assert_eq!(switches(), before, "{ORPHANS} orphans woke pause");
    pod.stop();
    pod.remove();
}

fn control_leaves_zombies(world: &World) {
    let pod = world.control.pod(Mode::Pod, None);
    wait_for_program(&pod.proc(), &fs::read("/bin/busybox").expect("read busybox"));
    let _members = make_orphans(&pod);
    // The last may still be about to end.
    let start = Instant::now();
    while zombies(&pod.proc()) != ORPHANS as usize {
        assert!(start.elapsed() < DEADLINE, "{} zombies of {ORPHANS}", zombies(&pod.proc()));
        thread::sleep(Duration::from_millis(20));
    }
    pod.stop();
    pod.remove();
}

/// Says when it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a container can see of what the pod shares: hostname, address, the message queues and the shared memory.
const SHARED: &str = "hostname; ip -o -4 address show eth0 | grep -o 'inet [0-9./]*'; ls /dev/mqueue /dev/shm";

fn pod_survives_a_crash(world: &World, mode: Mode) {
    let pod = world.pod(mode, None);
    let pause = pod.proc();
    let namespaces = |proc: &Path| ["ipc", "net", "uts"].map(|kind| namespace(proc, kind));
    let held = namespaces(&pause);
    let address = pod.address();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // A kubelet that asks all the time.
        let asks = scope.spawn(|| {
            let mut times = 0;
            while !over.load(Ordering::Relaxed) {
                assert!(pod.is_ready(), "the pod was not ready");
                times += 1;
            }
            times
        });
        // It ends where this thread fails, too.
        let ends = Ends(&over);
        let stays = script(&pod, "stays", "exec sleep 600");
        // By a kill as the out-of-memory killer does it, and by a fault of its own: its stack has no end.
        const CRASH: &str = "f() { f; }; trap f USR1; echo ready; while :; do sleep 600 & wait $!; done";
        for (number, (signal, status)) in [("KILL", 137), ("USR1", 139)].into_iter().enumerate() {
            let crashes = script(&pod, &format!("crashes-{number}"), CRASH);
            crashes.expect("ready");
            let seen = crashes.exec(&format!("touch /dev/mqueue/queue-{number} /dev/shm/memory-{number}; {SHARED}"));
            assert_eq!(namespaces(&crashes.proc()), held);
            assert_eq!(namespace(&crashes.proc(), "pid") == namespace(&pause, "pid"), mode == Mode::Pod);
            assert!(seen.starts_with(&format!("{}\ninet {address}/", pod.config.hostname)), "{seen}");
            crashes.kill(signal);
            assert_eq!(crashes.end(), status);
            assert_eq!(namespaces(&pause), held);
            // What stays sees the same, and so does what is started again.
            assert_eq!(stays.exec(SHARED), seen);
            let again = script(&pod, &format!("again-{number}"), "exec sleep 600");
            assert_eq!(namespaces(&again.proc()), held);
            assert_eq!(again.exec(SHARED), seen);
        }
        assert_eq!(pod.address(), address);
        drop(ends);
        let times: u32 = asks.join().expect("ready throughout");
        println!("ready {times} times");
        assert!(times > 10);
    });
    pod.stop();
    pod.remove();
}

/// A SIGTERM to pause ends it with 0, and with it every process of its PID namespace.
fn end_of_pause_ends_the_pod(world: &World) {
    for signal in ["TERM", "INT"] {
        let pod = world.pod(Mode::Pod, None);
        let members = ["first", "second"].map(|name| script(&pod, name, "echo ready; sleep 600; :"));
        for member in &members {
            member.expect("ready");
        }
        // Nothing else ends it.
        for signal in ["HUP", "USR1", "QUIT"] {
            pod.kill(signal);
        }
        assert!(members.iter().all(Member::is_running) && pod.is_ready());
        pod.kill(signal);
        for member in &members {
            assert_eq!(member.end(), 137);
        }
        let start = Instant::now();
        while pod.is_ready() {
            assert!(start.elapsed() < DEADLINE, "the pod is still ready");
            thread::sleep(Duration::from_millis(20));
        }
        pod.stop();
        pod.remove();
    }
}

fn stopped_pod_leaves_nothing(world: &World) {
    let pod = world.pod(Mode::Container, None);
    let member = script(&pod, "member", "echo ready; exec sleep 600");
    member.expect("ready");
    assert!(pod.is_listed());
    let held = namespace(&pod.proc(), "net");
    assert!(world.node.pins(&held));
    let procs = [pod.proc(), member.proc()];
    pod.stop();
    assert!(!pod.is_ready());
    assert_eq!(member.end(), 137);
    for proc in procs {
        assert!(!proc.exists(), "{}", proc.display());
    }
    assert!(!world.node.pins(&held));
    pod.remove();
    assert!(!pod.is_listed());
}
