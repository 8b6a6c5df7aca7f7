//! `pause` under runc alone, on a bundle made by hand: a read-only root with nothing in it, all namespaces, no capability, a filter.
//!
//! Needs root, and `runc`, `busybox` (static), `setpriv`, `unshare`, `nsenter` and `timeout` on PATH; without one of them the tests
//! fail, for who asks for the feature `runtimes` wants them run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use bitts_tests::procfs::Status;
use bitts_tests::runtimes::base;
use bitts_tests::runtimes::client::{DEADLINE, Finished, Follower, finish};
use bitts_tests::runtimes::enclosure::{Enclosure, Ground, namespace, wait_for_program, zombies};
use bitts_tests::runtimes::world::{self, Trials};
use bitts_tests::{elf, ship, sys};
use libtest_mimic::Trial;
use serde_json::{Value, json};

fn main() -> ExitCode {
    world::run(World::new, trials)
}

/// What all tests share: where runc runs.
struct World {
    enclosure: Enclosure,
    pause: Vec<u8>,
}

impl World {
    fn new() -> World {
        // The first process is to reap what runc leaves.
        let enclosure = Ground::new("runc").enclose(&[ship::pause().to_str().expect("a plain path")]);
        let world = World { enclosure, pause: fs::read(ship::pause()).expect("read the program under test") };
        println!("{}", world.ok(&["--version"]).lines().next().unwrap_or_default());
        world
    }

    /// runc's command line, to be completed.
    fn runc(&self) -> Command {
        let mut command = self.enclosure.inside(5 * DEADLINE);
        command.args(["runc", "--root", &self.enclosure.ground.at("state")]);
        command
    }

    /// `runc WORDS…`, which must succeed: its output.
    fn ok(&self, words: &[&str]) -> String {
        let Finished { status, stdout, stderr } = finish(self.runc().args(words), DEADLINE);
        assert_eq!(status, 0, "runc {words:?}\n{stdout}{stderr}");
        stdout
    }

    /// `runc run` on a bundle whose root has one file, with a configuration that is runc's own but for `change`.
    fn run(&self, name: &str, file: &Path, change: impl FnOnce(&mut Value)) -> Container<'_> {
        let bundle = self.enclosure.ground.folder().join(name);
        fs::create_dir_all(bundle.join("rootfs")).expect("make a folder");
        {
            let _alone = sys::no_forks();
            fs::copy(file, bundle.join("rootfs").join(file.file_name().expect("a name"))).expect("copy a program");
        }
        let bundle = bundle.to_str().expect("a plain path");
        self.ok(&["spec", "--bundle", bundle]);
        let path = format!("{bundle}/config.json");
        let mut spec = serde_json::from_slice(&fs::read(&path).expect("runc's spec")).expect("runc's spec");
        confine(&mut spec, &self.pause);
        spec["linux"]["cgroupsPath"] = format!("{}/{name}", self.enclosure.ground.cgroup()).into();
        change(&mut spec);
        fs::write(&path, spec.to_string()).expect("write the configuration");
        let follower = Follower::start(name, self.runc().args(["run", "--bundle", bundle, name]));
        Container { world: self, name: name.to_owned(), follower }
    }

    /// The program under test as the only process of a container, asleep.
    fn pause(&self, name: &str, change: impl FnOnce(&mut Value)) -> (Container<'_>, PathBuf) {
        let mut container = self.run(name, ship::pause(), |spec| {
            spec["process"]["args"] = json!([Path::new("/").join(ship::pause().file_name().expect("a name"))]);
            change(spec);
        });
        let proc = container.proc();
        wait_for_program(&proc, &self.pause);
        (container, proc)
    }
}

/// Takes all from a container that a pause container does not have.
fn confine(spec: &mut Value, program: &[u8]) {
    spec["process"]["terminal"] = false.into();
    spec["process"]["user"] = json!({ "uid": 65535, "gid": 65535 });
    spec["process"]["env"] = json!([]);
    spec["process"]["noNewPrivileges"] = true.into();
    for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
        spec["process"]["capabilities"][set] = json!([]);
    }
    // A machine may have no right to raise them.
    spec["process"].as_object_mut().expect("a process").remove("rlimits");
    spec["root"]["readonly"] = true.into();
    let kinds = ["pid", "network", "ipc", "uts", "mount", "cgroup"];
    spec["linux"]["namespaces"] = kinds.iter().map(|kind| json!({ "type": kind })).collect();
    spec["linux"]["seccomp"] = filter(elf::architecture(program).expect("a program"));
}

/// Podman's default filter, as far as it holds for a process without capabilities.
fn filter(architecture: &str) -> Value {
    let default = fs::read("/usr/share/containers/seccomp.json").expect("Podman's default filter");
    let default: Value = serde_json::from_slice(&default).expect("Podman's default filter");
    let rules = default["syscalls"].as_array().expect("rules").iter();
    let rules = rules.filter(|rule| rule["includes"]["caps"].is_null()).filter(|rule| {
        let only_on = rule["includes"]["arches"].as_array();
        only_on.is_none_or(|only_on| only_on.contains(&architecture.into()))
    });
    let keep = ["names", "action", "args", "errnoRet"];
    let rules: Vec<Value> = rules
        .map(|rule| keep.iter().filter_map(|key| Some(((*key).to_owned(), rule.get(key)?.clone()))).collect())
        .collect();
    assert!(rules.len() > 5);
    json!({ "defaultAction": default["defaultAction"], "defaultErrnoRet": default["defaultErrnoRet"], "syscalls": rules })
}

/// A container that `runc run` is attached to.
struct Container<'a> {
    world: &'a World,
    name: String,
    follower: Follower,
}

impl Container<'_> {
    /// `/proc/PID` of its first process, once runc has one.
    fn proc(&mut self) -> PathBuf {
        let start = Instant::now();
        loop {
            let state = finish(self.world.runc().args(["state", &self.name]), DEADLINE);
            let state: Value = serde_json::from_str(&state.stdout).unwrap_or_default();
            if state["status"] == "running" {
                return self.world.enclosure.proc(&state["pid"].to_string());
            }
            if start.elapsed() > DEADLINE || self.follower.client.try_wait().expect("wait for runc").is_some() {
                panic!("{} does not run: {state} {:?}", self.name, self.follower.end());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&self, signal: &str) {
        self.world.ok(&["kill", &self.name, signal]);
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        finish(self.world.runc().args(["delete", "--force", &self.name]), DEADLINE);
    }
}

/// All tests.
fn trials(world: &Trials<World>) -> Vec<Trial> {
    let trial = |name: &str, test: fn(&World)| world.trial(name, test);
    vec![
        trial("p1_runc_kill_ends_pause_with_0", kill_ends_pause),
        trial("p7_pause_needs_no_mount_and_no_privilege", needs_nothing),
        trial("p7_pause_runs_in_a_user_namespace", in_a_user_namespace),
        trial("g3_containers_join_the_namespaces_of_pause", containers_join),
    ]
}

fn kill_ends_pause(world: &World) {
    for (signal, message) in
        [("TERM", "Shutting down, got signal: Terminated\n"), ("INT", "Shutting down, got signal: Interrupt\n")]
    {
        let (mut container, proc) = world.pause(&format!("kill-{signal}"), |_| {});
        let held = ["pid", "net", "ipc", "uts", "mnt", "cgroup"].map(|kind| (namespace(&proc, kind), kind));
        for (held, kind) in held {
            assert_ne!(held, namespace(Path::new("/proc/self"), kind));
        }
        // Nothing else ends it.
        for signal in ["HUP", "QUIT", "USR1", "ABRT", "34"] {
            container.kill(signal);
        }
        container.kill(signal);
        assert_eq!(container.follower.end(), (0, message.to_owned()));
    }
}

/// The root is one file; runc itself cannot do without /proc.
fn needs_nothing(world: &World) {
    let (mut container, proc) = world.pause("nothing", |spec| {
        spec["mounts"].as_array_mut().expect("mounts").retain(|mount| mount["destination"] == "/proc");
        for paths in ["maskedPaths", "readonlyPaths"] {
            spec["linux"].as_object_mut().expect("linux").remove(paths);
        }
    });
    let mounts = fs::read_to_string(proc.join("mountinfo")).expect("its mounts");
    let mounts: Vec<_> = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    let mounts: Vec<_> =
        mounts.iter().map(|words| (words[4], words[5].split(',').next().unwrap_or_default())).collect();
    assert_eq!(mounts, [("/", "ro"), ("/proc", "rw")]);
    let status = Status::of(&proc).expect("it is alive");
    for (key, value) in
        [("Uid", "65535"), ("Gid", "65535"), ("CapBnd", "0000000000000000"), ("NoNewPrivs", "1"), ("Seccomp", "2")]
    {
        assert!(status.get(key).split('\t').all(|found| found == value), "{key}: {}", status.get(key));
    }
    container.kill("TERM");
    assert_eq!(container.follower.end(), (0, "Shutting down, got signal: Terminated\n".to_owned()));
}

fn in_a_user_namespace(world: &World) {
    const MAPPED_ROOT: u32 = 100_000;
    let (mut container, proc) = world.pause("user", |spec| {
        spec["linux"]["namespaces"].as_array_mut().expect("namespaces").push(json!({ "type": "user" }));
        for ids in ["uidMappings", "gidMappings"] {
            spec["linux"][ids] = json!([{ "containerID": 0, "hostID": MAPPED_ROOT, "size": 65_536 }]);
        }
        // The root of in there has to reach the bundle, and makes the places for mounts in it.
        let folder = world.enclosure.ground.folder();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).expect("change a mode");
        chown(folder.join("user/rootfs"), Some(MAPPED_ROOT), Some(MAPPED_ROOT)).expect("change an owner");
    });
    assert_ne!(namespace(&proc, "user"), namespace(Path::new("/proc/self"), "user"));
    let outside = (MAPPED_ROOT + 65_535).to_string();
    assert!(Status::of(&proc).expect("it is alive").get("Uid").split('\t').all(|user| user == outside));
    container.kill("TERM");
    assert_eq!(container.follower.end(), (0, "Shutting down, got signal: Terminated\n".to_owned()));
}

/// A second container in the namespaces of the first, whose orphans it adopts, and which outlive it.
fn containers_join(world: &World) {
    let (mut container, pause) = world.pause("pod", |_| {});
    let kinds = [("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts")];
    let held = kinds.map(|(_, kind)| namespace(&pause, kind));
    let inside = pause.strip_prefix(world.enclosure.path("")).expect("a path inside").to_owned();
    let switches = || Status::of(&pause).expect("pause is alive").context_switches();
    let before = switches();
    for name in ["first", "second"] {
        let mut member = world.run(name, Path::new("/bin/busybox"), |spec| {
            let script = format!("{}; exec /busybox sleep 600", base::orphans(1_000).replace("true", "/busybox true"));
            spec["process"]["args"] = json!(["/busybox", "sh", "-c", script]);
            spec["linux"]["namespaces"] = kinds
                .iter()
                .map(|(name, kind)| json!({ "type": name, "path": Path::new("/").join(&inside).join("ns").join(kind) }))
                .chain([json!({ "type": "mount" })])
                .collect();
        });
        member.follower.expect("ready");
        let proc = member.proc();
        assert_eq!(kinds.map(|(_, kind)| namespace(&proc, kind)), held);
        member.kill("KILL");
        assert_eq!(member.follower.end().0, 137);
        let start = Instant::now();
        while zombies(&pause) > 0 {
            assert!(start.elapsed() < DEADLINE, "zombies stay: {}", zombies(&pause));
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(kinds.map(|(_, kind)| namespace(&pause, kind)), held);
    }
    assert_eq!(switches(), before, "the orphans woke pause");
    container.kill("TERM");
    assert_eq!(container.follower.end().0, 0);
}
