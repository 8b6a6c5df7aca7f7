//! What a runtime of the tests' own lives in: folder, namespaces and cgroup are its own, so that nothing of it is left.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::client::{DEADLINE, under_timeout};

/// A folder and the name of a cgroup, which is the parent of those of all containers. Both go with it.
pub struct Ground {
    folder: tempfile::TempDir,
    cgroup: String,
}

impl Ground {
    /// With `name` in both names.
    pub fn new(name: &str) -> Ground {
        let folder = tempfile::Builder::new().prefix(&format!("bitts-{name}-")).tempdir().expect("a temporary folder");
        Ground { folder, cgroup: format!("bitts-{name}-{}", std::process::id()) }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the folder.
    pub fn at(&self, name: &str) -> String {
        self.folder().join(name).into_os_string().into_string().expect("a plain path")
    }

    /// The cgroup, as runtimes want it named.
    pub fn cgroup(&self) -> String {
        format!("/{}", self.cgroup)
    }

    /// Starts `command` as the first process of new mount, PID and network namespaces. To be called by the main thread: all in
    /// there gets SIGKILL when the thread that started it ends.
    pub fn enclose(self, command: &[&str]) -> Enclosure {
        let log = self.at("log");
        let mut unshare = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net"])
            .args(["--fork", "--mount-proc", "--kill-child=KILL", "sh", "-euc", PREPARE, "sh", &log])
            .args(command)
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
        Enclosure { unshare, first, ground: self }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
        // One of version 2, or several of version 1.
        for hierarchy in hierarchies.chain(["/sys/fs/cgroup".into()]) {
            remove_cgroup(&hierarchy.join(&self.cgroup));
        }
    }
}

/// Removes a cgroup and those below it; not what else they show, which goes with them. One that is not there is no error.
fn remove_cgroup(cgroup: &Path) {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    let _ = fs::remove_dir(cgroup);
}

/// Makes private what runtimes share with others of the machine: sockets and states in /run, Podman's locks in /dev/shm.
const PREPARE: &str = r#"log=$1; shift
for folder in /run /dev/shm; do mount -t tmpfs tmpfs "$folder"; done
busybox ip link set lo up
echo ready; exec "$@" >"$log" 2>&1"#;

/// PID, mount and network namespaces in which a runtime runs its containers.
///
/// When the first process of a PID namespace ends the kernel kills the rest, daemons and containers included, and with the
/// last process of the other namespaces their mounts and links are gone: nothing survives the tests, however they end.
pub struct Enclosure {
    /// `unshare`, which waits for the first process, and whose death is that one's.
    unshare: Child,
    /// The first process as seen from here.
    first: u32,
    pub ground: Ground,
}

impl Enclosure {
    /// Waits until `ready` says so, for nothing tells when a daemon's socket appears.
    pub fn wait_for(&mut self, ready: impl Fn() -> bool) {
        let start = Instant::now();
        while !ready() {
            let ended = self.unshare.try_wait().expect("wait for the first process");
            assert!(
                ended.is_none() && start.elapsed() < DEADLINE,
                "the daemon does not answer: {ended:?}\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the first process, and what it started, wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.ground.folder().join("log")).unwrap_or_default()
    }

    /// A command line that runs what follows in the namespaces, under timeout(1).
    pub fn inside(&self, deadline: Duration) -> Command {
        let mut command = under_timeout(deadline);
        command.args(["nsenter", "--target", &self.first.to_string(), "--mount", "--pid", "--net"]);
        command
    }

    /// A file as it is called inside.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.first))
    }

    /// `/proc/PID` of a process whose pid is one of these namespaces: so is this `/proc`.
    pub fn proc(&self, pid: &str) -> PathBuf {
        self.path(&format!("/proc/{pid}"))
    }
}

impl Drop for Enclosure {
    /// Ends the first process, and by that all others. One that does not end is killed.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.first.to_string()]).status();
        let start = Instant::now();
        while matches!(self.unshare.try_wait(), Ok(None)) {
            if start.elapsed() > DEADLINE {
                let _ = self.unshare.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Waits until the process at `proc` runs `program` and sleeps: runtimes tell of a container while it is still runc.
pub fn wait_for_program(proc: &Path, program: &[u8]) {
    let start = Instant::now();
    while fs::read(proc.join("exe")).expect("read the program of a running container") != program || !sleeps(proc) {
        assert!(start.elapsed() < DEADLINE, "{} never ran the program expected", proc.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process has gone to sleep in a system call of its program's: an exec is none, though the program is that already.
fn sleeps(proc: &Path) -> bool {
    // `running`, -1 for a sleep elsewhere, or the call's number.
    let call = fs::read_to_string(proc.join("syscall")).expect("read what a process does");
    call.split(' ')
        .next()
        .and_then(|number| number.trim().parse().ok())
        .is_some_and(|number: i64| number >= 0 && ![libc::SYS_execve, libc::SYS_execveat].contains(&number))
}

/// The number of a namespace that a process is in.
pub fn namespace(proc: &Path, kind: &str) -> PathBuf {
    fs::read_link(proc.join("ns").join(kind)).expect("read a namespace link")
}

/// How many zombies a process has.
pub fn zombies(proc: &Path) -> usize {
    let pid = proc.file_name().expect("a number").to_string_lossy();
    let children = fs::read_to_string(proc.join(format!("task/{pid}/children"))).expect("read a process's children");
    let state = |child: &str| fs::read_to_string(proc.with_file_name(child).join("stat")).unwrap_or_default();
    let is_zombie = |child: &&str| state(child).rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z"));
    children.split_whitespace().filter(is_zombie).count()
}
