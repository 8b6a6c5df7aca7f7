//! Namespaces: making them, entering them, and whether this machine allows it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::OnceLock;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::plan::Proc;
use crate::{sys, tools};

/// How to allow what was refused, for messages.
pub const HOW_TO_ALLOW: &str = "to allow unprivileged user namespaces (as root): sysctl -w \
kernel.unprivileged_userns_clone=1 (Debian, where it exists); sysctl -w user.max_user_namespaces=10000; sysctl -w \
kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu, where it exists); in a container: --security-opt \
seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";

/// A failed step, with its name.
fn step<T>(name: &str, result: Result<T, impl Into<io::Error>>) -> Result<T, String> {
    result.map_err(|error| format!("cannot {name}: {}", error.into()))
}

/// Moves the caller into a new mount namespace and its future children into a new PID namespace; with `pod` into new IPC,
/// network and UTS namespaces too; with `user_ids`, into a new user namespace, in which the caller is that user and group.
/// The caller has one thread.
///
/// # Errors
/// The step that failed and why.
pub fn make(user_ids: Option<(u32, u32)>, pod: bool) -> Result<(), String> {
    if let Some((user, group)) = user_ids {
        let (outer_user, outer_group) = (nix::unistd::geteuid(), nix::unistd::getegid());
        step("make a user namespace", unshare(CloneFlags::CLONE_NEWUSER))?;
        // Without it an ordinary user may not write gid_map (user_namespaces(7)).
        step("write setgroups", std::fs::write("/proc/self/setgroups", "deny"))?;
        step("write uid_map", std::fs::write("/proc/self/uid_map", format!("{user} {outer_user} 1")))?;
        step("write gid_map", std::fs::write("/proc/self/gid_map", format!("{group} {outer_group} 1")))?;
    }
    if pod {
        step("make a pod's namespaces", unshare(OF_A_POD))?;
    }
    step("make PID and mount namespaces", unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS))?;
    // Nothing that is mounted from here on may spread to where we come from.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    step("make mounts private", mount(None::<&str>, "/", None::<&str>, private, None::<&str>))
}

/// Mounts what `proc` says on /proc; for [`Proc::Fresh`] the caller is in the new PID namespace.
///
/// # Errors
/// The step that failed and why.
pub fn mount_proc(proc: Proc) -> Result<(), String> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    match proc {
        Proc::Fresh => step("mount /proc", mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)),
        Proc::Empty => {
            let flags = flags | MsFlags::MS_RDONLY;
            step("mount an empty /proc", mount(Some("none"), "/proc", Some("tmpfs"), flags, None::<&str>))
        }
        Proc::Outer => Ok(()),
    }
}

/// What the containers of a pod share.
pub const OF_A_POD: CloneFlags =
    CloneFlags::CLONE_NEWIPC.union(CloneFlags::CLONE_NEWNET).union(CloneFlags::CLONE_NEWUTS);

/// The namespaces that the harness deals with, by their names in `/proc/PID/ns` and in `/proc/sys/user`.
pub const KINDS: [(&str, CloneFlags); 6] = [
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("mnt", CloneFlags::CLONE_NEWNS),
    ("net", CloneFlags::CLONE_NEWNET),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("user", CloneFlags::CLONE_NEWUSER),
    ("uts", CloneFlags::CLONE_NEWUTS),
];

/// Moves the caller into those of `wanted`'s namespaces of process `pid` in which it is not; into its PID namespace come the
/// caller's future children.
///
/// # Errors
/// The step that failed and why.
pub fn enter(pid: i32, wanted: CloneFlags) -> Result<(), String> {
    let mut which = CloneFlags::empty();
    for (name, flag) in KINDS.into_iter().filter(|(_, flag)| wanted.contains(*flag)) {
        let namespace = |whose: &str| std::fs::read_link(Path::new("/proc").join(whose).join("ns").join(name));
        let own = step("read own namespaces", namespace("self"))?;
        // To enter one's own user namespace again is an error (setns(2)); the others may belong to one without our rights.
        if own != step("read its namespaces", namespace(&pid.to_string()))? {
            which |= flag;
        }
    }
    if which.is_empty() {
        return Ok(());
    }
    let process = step("open the process", sys::open_process(pid))?;
    step("enter its namespaces", setns(process.as_fd(), which))
}

/// Why namespaces cannot be made here, found once by really making some.
fn refusal() -> Option<&'static str> {
    static REFUSAL: OnceLock<Option<String>> = OnceLock::new();
    REFUSAL
        .get_or_init(|| match crate::Case::new(tools::witness()).args(["exit", "0"]).try_start() {
            Ok(running) => {
                running.wait().assert_exit(0);
                None
            }
            Err(why) => Some(why),
        })
        .as_deref()
}

/// Whether tests that need namespaces can run. If not, says so on standard error, past the capture of the test runner;
/// with `BITTS_MUST_RUN=1` it panics instead. For use through [`needs_namespaces!`](crate::needs_namespaces).
pub fn available(test: &str) -> bool {
    let Some(why) = refusal() else { return true };
    skipped(test, &format!("this machine refuses namespaces ({why}); {HOW_TO_ALLOW}"));
    false
}

/// Says on standard error, past the capture of the test runner, that a test cannot run here; with `BITTS_MUST_RUN=1` panics.
pub fn skipped(test: &str, why: &str) {
    assert!(
        std::env::var_os("BITTS_MUST_RUN").is_none_or(|v| v != "1"),
        "BITTS_MUST_RUN=1, but {test} cannot run: {why}"
    );
    // Not eprintln!: the test runner would swallow it.
    let _ = io::stderr().write_all(format!("SKIPPED {test}: {why}\n").as_bytes());
}

/// Whether this runs as root, for a test that needs it. If not, says so; as an ordinary user that is no failure even with
/// `BITTS_MUST_RUN=1`, for root runs the same tests.
#[must_use]
pub fn root(test: &str) -> bool {
    if !is_root() {
        let _ = io::stderr().write_all(format!("SKIPPED {test}: it needs root\n").as_bytes());
    }
    is_root()
}

/// Whether this runs as root.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Returns from a test, loudly, where strace is not installed.
#[macro_export]
macro_rules! needs_strace {
    () => {
        if $crate::tools::on_path("strace").is_none() {
            let test = std::thread::current();
            $crate::namespace::skipped(test.name().unwrap_or("a test"), "strace is not installed");
            return;
        }
    };
}

/// Returns from a test, loudly, where namespaces cannot be made.
#[macro_export]
macro_rules! needs_namespaces {
    () => {
        if !$crate::namespace::available(std::thread::current().name().unwrap_or("a test")) {
            return;
        }
    };
}
