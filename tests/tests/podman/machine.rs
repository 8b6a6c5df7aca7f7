//! A Podman of the tests' own: storage, state, namespaces and cgroup are its own, so that nothing of it is left.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use bitts_tests::ship;

use crate::client::{DEADLINE, Finished, Follower, finish, remove_cgroups, under_timeout};

/// PID and mount namespaces in which Podman runs its containers.
///
/// Podman has no daemon: what outlives a client is conmon and the container. When the first process of the namespace ends the
/// kernel kills them all, and with the last process of a mount namespace its mounts are gone: nothing survives the tests.
pub struct Machine {
    /// `unshare`, which waits for the first process, and whose death is that one's.
    unshare: Child,
    /// The first process as seen from here.
    first: u32,
    folder: tempfile::TempDir,
    /// The parent cgroup of all its containers, for removal at the end.
    cgroup: String,
}

/// Makes private what Podman shares with others of the machine (its locks lie in /dev/shm), and becomes the first process.
const PREPARE: &str =
    r#"for folder in /run /dev/shm; do mount -t tmpfs tmpfs "$folder"; done; echo ready; exec "$1" 2>/dev/null"#;

impl Machine {
    /// To be called by the main thread: all of it gets SIGKILL when the thread that started it ends.
    pub fn start() -> Machine {
        let folder = tempfile::Builder::new().prefix("bitts-podman-").tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).into_os_string().into_string().expect("a plain path");
        let plain = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\nnetns = \"none\"\n\
            [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n";
        let with_init = format!("{plain}init_path = {:?}\n", ship::init());
        // Plain folders instead of overlays: these work wherever the temporary folder lies.
        let storage =
            format!("[storage]\ndriver = \"vfs\"\ngraphroot = {:?}\nrunroot = {:?}\n", at("root"), at("runroot"));
        for (name, text) in [("plain.conf", plain), ("init.conf", &with_init), ("storage.conf", &storage)] {
            fs::write(folder.path().join(name), text).expect("write a configuration");
        }
        let mut unshare = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"])
            .args(["sh", "-euc", PREPARE, "sh"])
            // The first process is to reap conmon.
            .arg(ship::pause())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("make namespaces by setpriv and unshare");
        let mut line = String::new();
        BufReader::new(unshare.stdout.take().expect("a pipe")).read_line(&mut line).expect("read from a pipe");
        assert_eq!(line, "ready\n", "the namespaces of the tests were not prepared");
        let pid = unshare.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("the children of unshare");
        let first = children.trim().parse().expect("unshare has one child");
        Machine { unshare, first, folder, cgroup: format!("bitts-podman-{}", std::process::id()) }
    }

    /// The folder, for files that a test needs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The cgroup, as an option of `podman run` and `podman pod create`.
    fn cgroup_parent(&self) -> String {
        format!("--cgroup-parent=/{}", self.cgroup)
    }

    /// A client's command line, under timeout(1), to be completed; with one of the configurations.
    fn client(&self, configuration: &str, deadline: Duration) -> Command {
        let mut command = under_timeout(deadline);
        command
            .args(["nsenter", "--target", &self.first.to_string(), "--mount", "--pid", "podman"])
            .arg("--tmpdir")
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

    /// `/proc/PID` of a container's first process. Its pid is one of these namespaces, and so is this `/proc`.
    pub fn proc(&self, container: &str) -> PathBuf {
        let pid = self.ok(&["inspect", "--format", "{{.State.Pid}}", container]);
        PathBuf::from(format!("/proc/{}/root/proc/{pid}", self.first))
    }

    /// With what status a container has ended, as Podman knows it.
    pub fn exit_code(&self, container: &str) -> String {
        self.ok(&["wait", container]);
        self.ok(&["inspect", "--format", "{{.State.ExitCode}}", container])
    }
}

impl Drop for Machine {
    /// Ends the first process, and by that all others, and takes the cgroup away.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.first.to_string()]).status();
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
    machine: &'a Machine,
    pub name: String,
    follower: Follower,
}

impl Container<'_> {
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
