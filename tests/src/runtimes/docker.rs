//! A Docker daemon of our own, and its containers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use super::client::{DEADLINE, Finished, Follower, finish, under_timeout};
use super::enclosure::{Enclosure, Ground};

/// `dockerd` in an enclosure.
pub struct Daemon(Enclosure);

impl Daemon {
    /// Starts a daemon with `options` and returns when it answers. To be called by the main thread.
    pub fn start(name: &str, options: &[&str]) -> Daemon {
        let ground = Ground::new(&format!("docker-{name}"));
        let (data, exec, pid) = (ground.at("data"), ground.at("exec"), ground.at("pid"));
        let (host, cgroup) = (format!("unix://{}", ground.at("socket")), ground.cgroup());
        let mut command = vec![
            "dockerd",
            // No network is needed.
            "--iptables=false",
            "--bridge=none",
            "--shutdown-timeout=5",
            "--log-level=warn",
            // The systemd driver would ask the machine's systemd, which knows nothing of these namespaces.
            "--exec-opt=native.cgroupdriver=cgroupfs",
        ];
        command.extend(["--data-root", &data, "--exec-root", &exec, "--pidfile", &pid, "--host", &host]);
        command.extend(["--cgroup-parent", &cgroup]);
        command.extend(options);
        let enclosure = ground.enclose(&command);
        let mut daemon = Daemon(enclosure);
        let client = ["docker", "--host", &host, "info"];
        daemon.0.wait_for(|| finish(under_timeout(DEADLINE).args(client), DEADLINE).status == 0);
        daemon
    }

    /// The daemon's folder, for files that a client needs.
    pub fn folder(&self) -> &Path {
        self.0.ground.folder()
    }

    /// A client's command line, under timeout(1), to be completed.
    ///
    /// The classic builder is asked for, because it is the one that every daemon has.
    fn client(&self, deadline: Duration) -> Command {
        let mut command = under_timeout(deadline);
        command
            .arg("docker")
            .env("DOCKER_HOST", format!("unix://{}", self.folder().join("socket").display()))
            .env("DOCKER_CONFIG", self.folder().join("client"))
            .env("DOCKER_BUILDKIT", "0")
            .env_remove("DOCKER_CONTEXT");
        command
    }

    /// `docker WORDS…`, whatever it ends with, within the deadline.
    pub fn docker(&self, words: &[&str]) -> Finished {
        self.docker_within(DEADLINE, words)
    }

    /// `docker WORDS…`, whatever it ends with, within `deadline`.
    pub fn docker_within(&self, deadline: Duration, words: &[&str]) -> Finished {
        finish(self.client(deadline).args(words), deadline)
    }

    /// `docker WORDS…`, which must succeed: its trimmed output.
    pub fn ok(&self, words: &[&str]) -> String {
        self.ok_within(DEADLINE, words)
    }

    /// `docker WORDS…`, which must succeed within `deadline`: its trimmed output.
    pub fn ok_within(&self, deadline: Duration, words: &[&str]) -> String {
        let finished = self.docker_within(deadline, words);
        assert_eq!(finished.status, 0, "docker {words:?}\n{}{}", finished.stdout, finished.stderr);
        finished.stdout.trim().to_owned()
    }

    /// `docker import`: makes the image `name` of the tar archive that `write` produces.
    pub fn import(&self, name: &str, write: impl FnOnce(&mut tar::Builder<ChildStdin>)) {
        let mut client = self
            .client(5 * DEADLINE)
            .args(["import", "--change", "ENV CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true", "-", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("run docker import");
        let mut archive = tar::Builder::new(client.stdin.take().expect("a piped stdin"));
        write(&mut archive);
        drop(archive.into_inner().expect("end the archive"));
        assert!(client.wait().expect("wait for docker import").success(), "docker import {name}");
    }

    /// `docker run WORDS…` without a network, its output followed as it comes.
    pub fn run(&self, name: &str, words: &[&str]) -> Container<'_> {
        let mut command = self.client(5 * DEADLINE);
        command.args(["run", "--name", name, "--network", "none"]).args(words);
        Container::follow(self, name, &mut command)
    }

    /// The same with a terminal, that of script(1).
    pub fn run_on_terminal(&self, name: &str, words: &str) -> Container<'_> {
        let client = self.client(5 * DEADLINE);
        let words = format!("docker run --interactive --tty --name {name} --network none {words}");
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", &(5 * DEADLINE).as_secs().to_string()]).args([
            "script",
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &words,
            "/dev/null",
        ]);
        for (name, value) in client.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Container::follow(self, name, &mut command)
    }

    /// `/proc/PID` of a container's first process.
    pub fn proc(&self, container: &str) -> PathBuf {
        self.0.proc(&self.ok(&["inspect", "--format", "{{.State.Pid}}", container]))
    }
}

/// A container whose output is followed by an attached client.
pub struct Container<'a> {
    daemon: &'a Daemon,
    pub name: String,
    follower: Follower,
}

impl<'a> Container<'a> {
    /// Starts the client `command` and follows what it writes on standard output and standard error.
    fn follow(daemon: &'a Daemon, name: &str, command: &mut Command) -> Container<'a> {
        Container { daemon, name: name.to_owned(), follower: Follower::start(name, command) }
    }

    /// Waits until the container has written `text`, and forgets what came up to there.
    pub fn expect(&mut self, text: &str) {
        self.follower.expect(text);
    }

    /// Types on the container's terminal, or writes to its standard input.
    pub fn write(&mut self, text: &str) {
        let stdin = self.follower.client.stdin.as_mut().expect("a piped stdin");
        stdin.write_all(text.as_bytes()).expect("write to the client");
    }

    /// Waits until the client has ended: its status, which is the container's, and what else came.
    pub fn end(mut self) -> (i32, String) {
        self.follower.end()
    }
}

impl Drop for Container<'_> {
    /// Removes the container, whatever its state; the client follows.
    fn drop(&mut self) {
        self.daemon.docker(&["rm", "--force", &self.name]);
    }
}
