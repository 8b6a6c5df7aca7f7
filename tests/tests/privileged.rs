//! What only root can set up: a memory cgroup, in which the kernel's out-of-memory killer ends the child (I19), a pids cgroup with a
//! fork bomb in it, and a process of another user (I14). Each test's name begins with the promise's number.
//!
//! Where the memory controller is in version 1 of cgroups, it cannot be in version 2 as well, and the other way round: the
//! test takes what the machine has, and says which. `death.rs` has both layouts, with files made for the purpose.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bitts_tests::procfs::Status;
use bitts_tests::{Case, Outcome, Place, Running, Stream, load, namespace, ship, sys, tools};

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// More than init and the witness need, and less than the witness takes when it is told to eat.
const LIMIT: &str = "32M";
/// When its input ends.
const EAT: [&str; 3] = ["cat", "eat", "256"];

/// False, loudly, for anybody else.
fn is_root(why: &str) -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        namespace::skipped(std::thread::current().name().unwrap_or("a test"), why);
    }
    root
}

/// Where the memory controller is mounted, by version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What this machine has, and where.
fn hierarchy() -> Option<(Version, &'static Path)> {
    let one = Path::new("/sys/fs/cgroup/memory");
    if one.join("memory.oom_control").exists() {
        return Some((Version::One, one));
    }
    let two = Path::new("/sys/fs/cgroup");
    let controllers = fs::read_to_string(two.join("cgroup.subtree_control")).unwrap_or_default();
    controllers.split_whitespace().any(|controller| controller == "memory").then_some((Version::Two, two))
}

/// A memory cgroup, which ends with its processes.
struct Cgroup {
    version: Version,
    path: PathBuf,
}

impl Cgroup {
    /// None, loudly, where there cannot be one.
    fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        if !is_root("only root can make a memory cgroup") {
            return None;
        }
        let Some((version, root)) = hierarchy() else {
            namespace::skipped(&test, "there is no memory controller below /sys/fs/cgroup");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = root.join(format!("bitts-test-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let cgroup = Self { version, path };
        let (limit, swap) = match version {
            Version::One => ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
            Version::Two => ("memory.max", "memory.swap.max"),
        };
        fs::write(cgroup.path.join(limit), LIMIT).expect("a limit");
        // Where swap is not accounted for there is no such file.
        if cgroup.path.join(swap).exists() {
            let limit = if version == Version::One { LIMIT } else { "0" };
            fs::write(cgroup.path.join(swap), limit).expect("a limit");
        }
        // Past the capture of the test's output, as a skip would be.
        let _ = std::io::stderr().write_all(format!("{test}: with cgroups of version {version:?}\n").as_bytes());
        Some(cgroup)
    }

    /// init in it, with its child's `words`; `view` is run before, in init's mount namespace.
    fn case(&self, place: Place, view: &str, words: &[&str]) -> Case {
        let script = format!(r#"echo $$ > "$C"/cgroup.procs && {view} exec "$I" -- "$@""#);
        let case = Case::new("/bin/sh").place(place).env("C", &self.path).env("I", ship::init());
        case.args(["-c", &script, "sh"]).arg(tools::witness()).args(words)
    }

    /// How many processes the kernel has ended here.
    fn killed(&self) -> u32 {
        let file = if self.version == Version::One { "memory.oom_control" } else { "memory.events" };
        let text = fs::read_to_string(self.path.join(file)).expect("a count");
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.expect("a count").parse().expect("a number")
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // What has just ended is still counted for a moment.
        let until = Instant::now() + Duration::from_secs(10);
        while fs::remove_dir(&self.path).is_err() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Starts it, and lets its child do what it is told behind `cat` once init rests: what the kernel kills is counted from init's
/// first empty wait on.
#[track_caller]
fn at_rest(case: Case) -> Running {
    let mut init = case.stdin(Stream::Pipe).start();
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init.close_stdin();
    init
}

/// How init may see its cgroup: as the host does, as Docker mounts version 1, or in a cgroup namespace.
fn views(version: Version) -> [(&'static str, String); 3] {
    let (folder, mount) = match version {
        Version::One => ("/sys/fs/cgroup/memory", "mount -t cgroup -o memory none"),
        Version::Two => ("/sys/fs/cgroup", "mount -t cgroup2 none"),
    };
    // Something else between: the kernel refuses a second mount of the same upon the first.
    let inside = format!(
        r#"exec unshare --cgroup sh -c 'mount -t tmpfs none {folder} && {mount} {folder} && exec "$I" -- "$@"' sh "$@";"#
    );
    [("whole", String::new()), ("bound", format!(r#"mount --bind "$C" {folder} &&"#)), ("namespace", inside)]
}

/// The line about the child's death, with the kernel's part.
#[track_caller]
fn assert_told(outcome: &Outcome, what: &str, killed: u32) {
    outcome.assert_exit(137);
    let lines: Vec<_> = outcome.err().lines().map(str::to_owned).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("init: child "), "{what}: {outcome}");
    assert!(lines[0].contains(" was killed by signal 9 (SIGKILL); "), "{what}: {outcome}");
    assert!(lines[0].contains(&format!("out-of-memory killer ended {killed} process")), "{what}: {outcome}");
}

#[test]
fn i19_a_child_that_the_kernel_has_killed_for_want_of_memory_is_told() {
    for place in PLACES {
        let Some(cgroup) = Cgroup::new() else { return };
        for (what, view) in views(cgroup.version) {
            let before = cgroup.killed();
            let outcome = at_rest(cgroup.case(place, &view, &EAT)).wait();
            // The control: that is what has killed it.
            assert_eq!(cgroup.killed(), before + 1, "{what}: {outcome}");
            assert_told(&outcome, &format!("{what}, {place:?}"), 1);
        }
    }
}

/// Those below the child count as well; the child itself may have been killed by somebody else.
#[test]
fn i19_what_the_kernel_has_killed_since_init_s_start_counts() {
    for place in PLACES {
        let Some(cgroup) = Cgroup::new() else { return };
        // Not counted: it was before.
        let _ = at_rest(cgroup.case(place, "", &EAT)).wait();
        assert_eq!(cgroup.killed(), 1);
        let eaten = ["child", "eat", "256", "end", "wait"];
        let words = [&["cat"], &eaten[..], &eaten, &["say", "ready", "sleep"]].concat();
        let child = |init: &Running| init.children()[0].pid;
        let mut init = at_rest(cgroup.case(place, "", &words));
        init.wait_line("ready");
        assert_eq!(cgroup.killed(), 3);
        sys::kill(child(&init), libc::SIGKILL, None).expect("it lives");
        assert_told(&init.wait(), &format!("{place:?}"), 2);
        // None since then.
        let mut init = at_rest(cgroup.case(place, "", &["cat", "say", "ready", "sleep"]));
        init.wait_line("ready");
        sys::kill(child(&init), libc::SIGKILL, None).expect("it lives");
        let outcome = init.wait();
        outcome.assert_exit(137);
        assert!(outcome.err().lines().count() == 1 && !outcome.err().contains("memory"), "{outcome}");
    }
}

#[test]
fn i19_nothing_is_said_where_the_child_lives_on_or_exits() {
    for place in PLACES {
        let Some(cgroup) = Cgroup::new() else { return };
        let outcome = cgroup.case(place, "", &["child", "eat", "256", "end", "wait", "exit", "7"]).run();
        outcome.assert_exit(7);
        assert_eq!((cgroup.killed(), outcome.err().as_str()), (1, ""));
        let case = cgroup.case(place, "", &["child", "eat", "256", "end", "wait", "say", "ready", "sleep"]);
        let mut init = case.stdin(Stream::Null).start();
        init.wait_line("ready");
        init.signal(libc::SIGTERM);
        let outcome = init.wait();
        outcome.assert_exit(143);
        assert_eq!(outcome.err(), "");
    }
}

/// The other user.
const OTHER: u32 = 65534;

/// A program that runs as another user, whoever starts it, and the folder that it goes with.
fn another_users() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    let path = folder.path().join("witness");
    {
        let _alone = sys::no_forks();
        fs::copy(tools::witness(), &path).expect("a copy");
    }
    std::os::unix::fs::chown(&path, Some(OTHER), Some(OTHER)).expect("another owner");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o4755)).expect("a mode");
    (folder, path)
}

/// An ordinary user's init with a grace, and this script as its child, in which `$P` is the other user's program.
fn with_another_users(place: Place, path: &Path, script: &str) -> Running {
    let case = Case::init().place(place).user(1000, 1000).arg("--grace=60m").stdin(Stream::Pipe);
    let case = case.env("P", path).env("W", tools::witness());
    case.args(["--", "sh", "-c", script]).start()
}

/// Is the process of the other user, by each of its four numbers?
fn is_another_users(pid: i32) -> bool {
    let status = Status::read(pid).expect("it lives");
    status.get("Uid").split_whitespace().all(|user| user == OTHER.to_string())
}

/// A process that init has no right to signal, and others beside it: those are torn down as ever.
#[test]
fn i14_a_process_of_another_user_is_not_waited_for() {
    if !is_root("there is no other user") {
        return;
    }
    let (_folder, path) = another_users();
    for place in PLACES {
        let script = "\"$P\" user 65534 record & \"$W\" record for 2 say done & read word; exit 7";
        let mut init = with_another_users(place, &path, script);
        init.wait_lines("recording", 2);
        assert!(init.processes().iter().any(|process| is_another_users(process.pid)), "{:?}", init.processes());
        init.write(b"\n");
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7, "{place:?}");
        init.wait_line("done");
        if place == Place::Child {
            // The other one lives on, beside the reaper above: neither TERM nor KILL could be sent to it.
            assert_eq!(init.processes().len(), 2, "{:?}", init.processes());
        }
    }
}

/// Of all signals CONT alone may be sent to another user's process, in a session (kill(2)): what is stopped there goes on.
#[test]
fn i14_a_stopped_process_of_another_user_is_continued() {
    if !is_root("there is no other user") {
        return;
    }
    let (_folder, path) = another_users();
    for place in PLACES {
        // The recorder keeps init until the other one has gone on.
        let script = "\"$P\" user 65534 stop & \"$W\" record until 10 & read word; exit 7";
        let mut init = with_another_users(place, &path, script);
        init.wait_line("recording");
        init.wait_until("a stopped process", |init| init.processes().iter().any(|process| process.state == 'T'));
        init.write(b"\n");
        init.wait_line("continued");
        init.wait_until("the recorder alone", |init| init.children().len() == 1);
        sys::kill(init.children()[0].pid, libc::SIGUSR1, None).expect("it lives");
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7, "{place:?}");
    }
}

/// A fork bomb that fills a pids cgroup; its processes heed TERM or ignore it.
#[test]
fn i14_a_fork_bomb_in_a_pids_cgroup_is_torn_down() {
    const MOST: usize = 64;
    if !is_root("only root can make a pids cgroup") {
        return;
    }
    for (place, stubborn) in PLACES.into_iter().flat_map(|place| [(place, false), (place, true)]) {
        let cgroup = bitts_tests::cgroup::Cgroup::of_pids(MOST).unwrap_or_else(|why| panic!("{why}"));
        let figures = load::bomb(place, stubborn, MOST, Some(&cgroup));
        figures.unwrap_or_else(|why| panic!("{place:?}, ignoring TERM: {stubborn}: {why}"));
        assert_eq!(cgroup.charged().expect("a count"), 0);
    }
}

/// Where /proc hides the processes of others (proc(5), hidepid) an ordinary user's init cannot tell from whom one descends that is
/// below another user's: it is a stranger.
#[test]
fn i14_b3_behind_a_proc_that_hides_others_a_grace_is_kept_all_the_same() {
    if !is_root("nobody is hidden from an ordinary user's own processes") {
        return;
    }
    let user = "setpriv --reuid 1000 --regid 1000 --clear-groups";
    for (hide, seen) in [(0, "seen"), (2, "hidden")] {
        // Another user's process with one of this user below it, as a login has.
        let script = format!(
            r#"mount -t proc -o hidepid={hide} proc /proc && ( ({user} "$W" say up sleep & exec "$W" sleep) & ) && read line &&
            if {user} test -e /proc/1/status; then echo seen; else echo hidden; fi &&
            exec {user} "$I" --grace=60m -- "$W" child record for 2 say done end say ready cat exit 7"#
        );
        let case = Case::new("/bin/sh").place(Place::Child).stdin(Stream::Pipe).env("I", ship::init());
        let mut init = case.env("W", tools::witness()).args(["-c", &script]).start();
        init.wait_line("up");
        init.write(b"\n");
        for line in [seen, "ready", "recording"] {
            init.wait_line(line);
        }
        init.close_stdin();
        assert_eq!(libc::WEXITSTATUS(init.wait_status()), 7, "hidepid={hide}");
        init.wait_line("done");
    }
}
