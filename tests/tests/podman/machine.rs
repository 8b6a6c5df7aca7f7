//! A Podman of the tests' own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bitts_tests::ship;

use bitts_tests::runtimes::client::{DEADLINE, Finished, Follower, finish};
use bitts_tests::runtimes::enclosure::{Enclosure, Ground};

/// Podman in an enclosure. It has no daemon: what outlives a client is conmon and the container.
pub struct Machine(Enclosure);

impl Machine {
    /// With this infra container where a pod has no other. To be called by the main thread.
    pub fn start(infra_image: &str, infra_command: &str) -> Machine {
        let ground = Ground::new("podman");
        let plain = format!(
            r#"[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
infra_image = {infra_image:?}
infra_command = {infra_command:?}
"#
        );
        let with_init = format!("{plain}init_path = {:?}\n", ship::init());
        // Plain folders instead of overlays: these work wherever the temporary folder lies.
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            ground.at("root"),
            ground.at("runroot")
        );
        for (name, text) in [("plain.conf", &plain), ("init.conf", &with_init), ("storage.conf", &storage)] {
            fs::write(ground.at(name), text).expect("write a configuration");
        }
        // The first process is to reap conmon.
        Machine(ground.enclose(&[ship::pause().to_str().expect("a plain path")]))
    }

    /// The folder, for files that a test needs.
    pub fn folder(&self) -> &Path {
        self.0.ground.folder()
    }

    /// A file as Podman calls it.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.0.path(inside)
    }

    /// The cgroup, as an option of `podman run` and `podman pod create`.
    fn cgroup_parent(&self) -> String {
        format!("--cgroup-parent={}", self.0.ground.cgroup())
    }

    /// A client's command line, under timeout(1), to be completed; with one of the configurations.
    fn client(&self, configuration: &str, deadline: Duration) -> Command {
        let mut command = self.0.inside(deadline);
        command
            .args(["podman", "--tmpdir"])
            .arg(self.folder().join("tmp"))
            .env("CONTAINERS_CONF", self.folder().join(configuration))
            .env("CONTAINERS_STORAGE_CONF", self.folder().join("storage.conf"))
            .env("HOME", self.folder())
            .env_remove("CONTAINER_HOST")
            .env_remove("XDG_RUNTIME_DIR");
        command
    }

    /// `podman WORDS…`, whatever it ends with, within the deadline.
    pub fn podman(&self, words: &[&str]) -> Finished {
        finish(self.client("plain.conf", DEADLINE).args(words), DEADLINE)
    }

    /// `podman WORDS…`, which must succeed: its trimmed output.
    pub fn ok(&self, words: &[&str]) -> String {
        let finished = self.podman(words);
        assert_eq!(finished.status, 0, "podman {words:?}\n{}{}", finished.stdout, finished.stderr);
        finished.stdout.trim().to_owned()
    }

    /// `podman import`: makes the image `name` of the tar archive that `write` produces, with `change` as in a Dockerfile.
    pub fn import(&self, name: &str, change: &[&str], write: impl FnOnce(&mut tar::Builder<ChildStdin>)) {
        let mut command = self.client("plain.conf", DEADLINE);
        command.args(["import", "--quiet"]);
        for change in change {
            command.args(["--change", change]);
        }
        let mut client =
            command.args(["-", name]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("run podman import");
        let mut archive = tar::Builder::new(client.stdin.take().expect("a piped stdin"));
        write(&mut archive);
        drop(archive.into_inner().expect("end the archive"));
        assert!(client.wait().expect("wait for podman import").success(), "podman import {name}");
    }

    /// `podman run WORDS…`, its output followed as it comes.
    pub fn run(&self, name: &str, words: &[&str]) -> Container<'_> {
        self.run_configured("plain.conf", name, words)
    }

    /// The same with a `containers.conf` that has our init as its `init_path`.
    pub fn run_with_init_path(&self, name: &str, words: &[&str]) -> Container<'_> {
        self.run_configured("init.conf", name, words)
    }

    /// The same with one of the configurations.
    fn run_configured(&self, configuration: &str, name: &str, words: &[&str]) -> Container<'_> {
        let mut client = self.client(configuration, 5 * DEADLINE);
        client.args(["run", "--name", name, &self.cgroup_parent()]).args(words);
        Container { machine: self, name: name.to_owned(), follower: Follower::start(name, &mut client) }
    }

    /// A pod with `infra_image` as its first container, made but not started.
    pub fn pod(&self, name: &str, options: &[&str]) -> Pod<'_> {
        self.ok(&[&["pod", "create", "--name", name, "--network=none", &self.cgroup_parent()], options].concat());
        Pod { machine: self, name: name.to_owned() }
    }

    /// `/proc/PID` of a container's first process.
    pub fn proc(&self, container: &str) -> PathBuf {
        self.0.proc(&self.ok(&["inspect", "--format", "{{.State.Pid}}", container]))
    }

    /// With what status a container has ended, as Podman knows it.
    pub fn exit_code(&self, container: &str) -> String {
        self.ok(&["wait", container]);
        self.ok(&["inspect", "--format", "{{.State.ExitCode}}", container])
    }
}

/// A container whose output is followed by an attached client.
pub struct Container<'a> {
    machine: &'a Machine,
    pub name: String,
    follower: Follower,
}

impl Container<'_> {
    /// `/proc/PID` of its first process, once it has been started.
    pub fn proc(&self) -> PathBuf {
        let start = Instant::now();
        loop {
            let shown = self.machine.podman(&["inspect", "--format", "{{.State.Pid}}", &self.name]).stdout;
            // Not there yet, or 0 for made and not started.
            if let Some(pid) = shown.trim().parse().ok().filter(|pid: &u32| *pid > 0) {
                return self.machine.0.proc(&pid.to_string());
            }
            assert!(start.elapsed() < DEADLINE, "{} was not started", self.name);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the container has written `text`, and forgets what came up to there.
    pub fn expect(&mut self, text: &str) {
        self.follower.expect(text);
    }

    /// Waits until the client has ended: its status, which is the container's, and what else came.
    pub fn end(mut self) -> (i32, String) {
        self.follower.end()
    }
}

impl Drop for Container<'_> {
    /// Removes the container, whatever its state; the client follows.
    fn drop(&mut self) {
        self.machine.podman(&["rm", "--force", "--time=0", &self.name]);
    }
}

/// A pod.
pub struct Pod<'a> {
    machine: &'a Machine,
    pub name: String,
}

impl Pod<'_> {
    /// The id of its infra container.
    pub fn infra(&self) -> String {
        self.machine.ok(&["pod", "inspect", "--format", "{{.InfraContainerID}}", &self.name])
    }
}

impl Drop for Pod<'_> {
    /// Removes the pod and what is in it, whatever its state.
    fn drop(&mut self) {
        self.machine.podman(&["pod", "rm", "--force", "--time=0", &self.name]);
    }
}
