//! A Docker daemon of the tests' own: socket, folder, namespaces and cgroup are its own, so that nothing of it is left.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::client::{DEADLINE, Finished, Follower, finish, remove_cgroups, under_timeout};

/// `dockerd` in PID and mount namespaces of its own.
///
/// When the first process of a PID namespace is killed the kernel kills the rest, containers and containerd included,
/// and with the last process of a mount namespace its mounts are gone: nothing survives the tests, however they end.
pub struct Daemon {
    /// `unshare`, which waits for the daemon, and whose death is the daemon's.
    unshare: Child,
    folder: tempfile::TempDir,
    /// The parent cgroup of all its containers, for removal at the end.
    cgroup: String,
}

impl Daemon {
    /// Starts a daemon with `options` and returns when it answers. To be called by the main thread: the daemon gets
    /// SIGKILL when the thread that started it ends.
    pub fn start(name: &str, options: &[&str]) -> Daemon {
        let folder = tempfile::Builder::new().prefix("bitts-docker-").tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).into_os_string().into_string().expect("a plain path");
        let cgroup = format!("bitts-{name}-{}", std::process::id());
        let log = fs::File::create(folder.path().join("log")).expect("create the daemon's log");
        let unshare = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"])
            // No network is needed, and without iptables and a bridge none of the machine's is touched.
            .args(["dockerd", "--iptables=false", "--bridge=none", "--shutdown-timeout=5", "--log-level=warn"])
            // The systemd driver would ask the machine's systemd, which knows nothing of these namespaces.
            .args(["--exec-opt", "native.cgroupdriver=cgroupfs"])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
            .args(["--host", &format!("unix://{}", at("socket")), "--cgroup-parent", &format!("/{cgroup}")])
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("dup"))
            .stderr(log)
            .spawn()
            .expect("start dockerd by setpriv and unshare");
        let mut daemon = Daemon { unshare, folder, cgroup };
        // The socket appears at some moment, and nothing tells when: ask until somebody answers.
        let start = Instant::now();
        while daemon.docker(&["info"]).status != 0 {
            let ended = daemon.unshare.try_wait().expect("wait for dockerd");
            assert!(
                ended.is_none() && start.elapsed() < DEADLINE,
                "dockerd does not answer: {ended:?}\n{}",
                daemon.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
        daemon
    }

    /// The daemon's folder, for files that a client needs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the daemon wrote.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A client's command line, under timeout(1), to be completed.
    ///
    /// The classic builder is asked for, because it is the one that every daemon has.
    fn client(&self, deadline: Duration) -> Command {
        let mut command = under_timeout(deadline);
        command
            .arg("docker")
            .env("DOCKER_HOST", format!("unix://{}", self.folder.path().join("socket").display()))
            .env("DOCKER_CONFIG", self.folder.path().join("client"))
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

    /// `/proc/PID` of a container's first process. Its pid is one of the daemon's namespace, and so is this `/proc`.
    pub fn proc(&self, container: &str) -> PathBuf {
        let pid = self.ok(&["inspect", "--format", "{{.State.Pid}}", container]);
        PathBuf::from(format!("/proc/{}/root/proc/{pid}", self.pid().expect("the daemon is alive")))
    }

    /// Waits until a container's first process runs `program`: `docker run` returns while it is still runc.
    pub fn wait_for_program(&self, container: &str, program: &[u8]) {
        let exe = self.proc(container).join("exe");
        let start = Instant::now();
        while fs::read(&exe).expect("read the program of a running container") != program {
            assert!(start.elapsed() < DEADLINE, "the first process of {container} never ran the program expected");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The daemon's pid outside: `unshare` has one child.
    fn pid(&self) -> Option<u32> {
        let unshare = self.unshare.id();
        fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).ok()?.trim().parse().ok()
    }
}

impl Drop for Daemon {
    /// Ends the daemon, which ends what it started, and takes the cgroup away. A daemon that does not end is killed.
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status();
        }
        let start = Instant::now();
        while matches!(self.unshare.try_wait(), Ok(None)) {
            if start.elapsed() > DEADLINE {
                let _ = self.unshare.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
        remove_cgroups(&self.cgroup);
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
