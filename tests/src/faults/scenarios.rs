//! The situations in which calls are made to fail: together they reach every place in the sources that makes one.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::case::Stream;
use crate::{Case, ship, sys, tools};

/// What is done with the program once it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Its child says `recording`; USR1, a queued 40 and TERM are sent, and the child ends with TERM.
    Serve,
    /// As `Serve`; a worker outlives the child, and ends when it has got TERM and its standard input ends.
    Outlive,
    /// It sleeps; TERM ends it.
    Hold,
    /// It ends by itself.
    Finish,
}

/// Which processes are traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// The program alone.
    Alone,
    /// Its children too; of them only what they do before their exec counts.
    Children,
    /// Only those calls of either that name the program of the child, by its path.
    Path,
    /// None: the calls are refused by a filter, for good. For what would take too long under a tracer.
    None,
}

/// One situation.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// For people; `pause` begins those of `pause`.
    pub name: &'static str,
    /// What the program is started with.
    pub case: fn(Case) -> Case,
    /// What is done with it.
    pub play: Play,
    /// Who is traced.
    pub traced: Traced,
    /// How it ends where nothing fails.
    pub status: i32,
    /// What its standard output holds then: the duty was done.
    pub done: &'static str,
    /// The calls that are made to fail here.
    pub calls: &'static [&'static str],
}

/// The words of a child that has an orphan to be reaped, and takes all signals up to TERM.
const SERVE: [&str; 7] = ["orphans", "1", "record", "until", "15", "exit", "7"];

/// What a child that has taken TERM has written.
pub(super) const TERMED: &str = "signal=15 ";

/// A child with a worker that outlives it.
const OUTLIVE: [&str; 19] = [
    "child", "tag", "worker", "record", "until", "15", "cat", "say", "done", "exit", "0", "end", "ready", "record",
    "until", "15", "say", "ended", "exit",
];

/// All signals are blocked in the child, as inherited: so none is lost, whenever it is sent.
fn serve(case: Case) -> Case {
    case.mask(sys::ALL_SIGNALS).child(SERVE)
}

fn outlive(case: Case) -> Case {
    case.mask(sys::ALL_SIGNALS).stdin(Stream::Pipe).child(OUTLIVE).arg("7")
}

/// A socket as standard error, whose other side is in the program too, and never read: it has room.
fn socket(case: Case) -> Case {
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC).expect("a socket pair");
    case.stderr(Stream::Given(theirs)).descriptor(9, ours)
}

/// A file as standard error.
fn file() -> Stream {
    Stream::Given(OwnedFd::from(tempfile::tempfile().expect("a temporary file")))
}

/// A limit on the size of files, far above what is written.
fn limited(case: Case) -> Case {
    case.limit(libc::RLIMIT_FSIZE, 1 << 20, 1 << 20)
}

/// As before Linux 6.5.
fn without_pwritev2(case: Case) -> Case {
    case.refuse(libc::EOPNOTSUPP, [libc::SYS_pwritev2])
}

/// A terminal of no session, as standard error; its other side is in the program.
fn foreign_terminal(case: Case) -> Case {
    let (master, slave) = crate::case::new_terminal();
    case.stderr(Stream::Given(slave)).descriptor(9, master)
}

/// A script without a first line that the kernel knows.
fn script() -> PathBuf {
    let path = ship::target_folder().join("faults.script");
    // It is open for writing from its making on.
    let alone = sys::no_forks();
    let unfinished = tempfile::NamedTempFile::new_in(ship::target_folder()).expect("a file").into_temp_path();
    std::fs::write(&unfinished, "echo done; exit 7\n").expect("a script");
    drop(alone);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&unfinished, mode).expect("a mode");
    unfinished.persist(&path).expect("a file that is there");
    path
}

/// The path by which [`Traced::Path`] picks calls.
#[must_use]
pub fn program(scenario: &Scenario) -> PathBuf {
    if scenario.name == "a script" { script() } else { tools::witness() }
}

/// No init and no pause: the same words for a program that has none of the options.
#[must_use]
pub fn start(scenario: &Scenario, program: &Path) -> Case {
    // Beyond this close_range's stand-in does not go; real limits are in the thousands, or a million.
    (scenario.case)(Case::new(program).limit(libc::RLIMIT_NOFILE, 256, 256).limit(libc::RLIMIT_CORE, 0, 0))
}

/// All of them. The first is the plainest.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "PID 1",
        case: serve,
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &[
            "rt_sigprocmask",
            "rt_sigaction",
            "getpid",
            "openat",
            "clone",
            "setpgid",
            "prlimit64",
            "sched_yield",
            "chdir",
            "close",
            "close_range",
            "read",
            "rt_sigtimedwait",
            "kill",
            "rt_sigqueueinfo",
            "wait4",
            "waitid",
            "exit_group",
        ],
    },
    Scenario {
        name: "-g",
        case: |case| serve(case.arg("-g")),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["setpgid", "pidfd_open", "pidfd_send_signal", "close", "kill"],
    },
    Scenario {
        name: "subreaper",
        case: |case| serve(case.not_pid1().args(["-s", "-p", "TERM"])),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["rt_sigprocmask", "getpid", "prctl", "getppid", "clone", "rt_sigtimedwait", "kill", "wait4"],
    },
    Scenario {
        name: "-v to a pipe",
        case: |case| serve(case.arg("-v")),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["lseek", "sendto", "ioctl", "fcntl", "pwritev2"],
    },
    Scenario {
        name: "-v to a pipe, without pwritev2",
        case: |case| serve(without_pwritev2(case.arg("-v"))),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["pwritev2", "pipe2", "write", "splice", "close"],
    },
    Scenario {
        name: "-v to a socket",
        case: |case| serve(socket(case.arg("-v"))),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["lseek", "sendto"],
    },
    Scenario {
        name: "-v to a file",
        case: |case| serve(case.arg("-v").stderr(file())),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["lseek", "prlimit64", "write"],
    },
    Scenario {
        name: "-v to a file, with a limit on its size",
        case: |case| serve(limited(case.arg("-v").stderr(file()))),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["lseek", "prlimit64", "fcntl", "write"],
    },
    Scenario {
        name: "-v to a terminal",
        case: |case| serve(foreign_terminal(case.arg("-v"))),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["lseek", "sendto", "ioctl", "ppoll", "openat", "write", "close"],
    },
    Scenario {
        name: "-v to its terminal",
        case: |case| serve(case.arg("-v").terminal()),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["ioctl", "ppoll", "openat", "write", "close"],
    },
    Scenario {
        name: "on a terminal",
        case: |case| serve(case.terminal()),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["openat", "read", "dup3", "close_range", "getsid", "getpgid"],
    },
    Scenario {
        name: "a stop on a terminal",
        case: |case| {
            case.not_pid1().arg("-g").terminal().args(["--", "sh", "-c", "kill -TSTP $$; echo continued; exit 7"])
        },
        play: Play::Finish,
        traced: Traced::Alone,
        status: 7,
        done: "continued",
        calls: &["waitid", "ioctl", "rt_sigpending", "kill", "getpgid", "getsid"],
    },
    Scenario {
        name: "--grace, PID 1",
        case: |case| outlive(case.arg("--grace=60m")),
        play: Play::Outlive,
        traced: Traced::Alone,
        status: 7,
        done: "done",
        calls: &[
            "clock_gettime",
            "getdents64",
            "pidfd_open",
            "ppoll",
            "signalfd4",
            "openat",
            "read",
            "close",
            "kill",
            "wait4",
            "rt_sigtimedwait",
            "getpid",
        ],
    },
    Scenario {
        name: "--grace, subreaper",
        case: |case| outlive(case.not_pid1().arg("--grace=60m")),
        play: Play::Outlive,
        traced: Traced::Alone,
        status: 7,
        done: "done",
        calls: &[
            "clock_gettime",
            "getdents64",
            "pidfd_open",
            "pidfd_send_signal",
            "kill",
            "ppoll",
            "signalfd4",
            "openat",
            "read",
            "close",
            "wait4",
            "rt_sigtimedwait",
            "getpid",
        ],
    },
    Scenario {
        name: "--wait-all",
        case: |case| outlive(case.arg("--wait-all")),
        play: Play::Outlive,
        traced: Traced::Alone,
        status: 7,
        done: "done",
        calls: &["kill", "wait4", "rt_sigtimedwait"],
    },
    Scenario {
        name: "--stop-timeout",
        case: |case| case.arg("--stop-timeout=100ms").child(["record"]),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 137,
        done: TERMED,
        calls: &["clock_gettime", "kill", "rt_sigtimedwait", "wait4"],
    },
    Scenario {
        name: "--caught-only",
        case: |case| serve(case.arg("--caught-only")),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["openat", "read", "getpid"],
    },
    Scenario {
        name: "a closed standard input",
        case: |case| serve(case.arg("--caught-only").stdin(Stream::Closed)),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["fcntl", "close"],
    },
    Scenario {
        name: "as dumb-init, on a terminal",
        case: |case| serve(case.name("dumb-init").terminal()),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["ioctl", "waitid", "kill"],
    },
    Scenario {
        name: "the child's side",
        case: |case| case.ignored(sys::bit(libc::SIGCHLD)).env("LISTEN_PID", "1").child(["say", "done", "exit", "7"]),
        play: Play::Finish,
        traced: Traced::Children,
        status: 7,
        done: "done",
        calls: &["setpgid", "rt_sigaction", "rt_sigprocmask", "getpid"],
    },
    Scenario {
        name: "the child's side, on a terminal",
        case: |case| case.terminal().child(["say", "done", "exit", "7"]),
        play: Play::Finish,
        traced: Traced::Children,
        status: 7,
        done: "done",
        calls: &["ioctl", "getpid"],
    },
    Scenario {
        name: "the child's side, as dumb-init",
        case: |case| serve(case.name("dumb-init").terminal()),
        play: Play::Serve,
        traced: Traced::Children,
        status: 7,
        done: TERMED,
        calls: &["setsid", "ioctl"],
    },
    Scenario {
        name: "the exec",
        case: |case| case.child(["say", "done", "exit", "7"]),
        play: Play::Finish,
        traced: Traced::Path,
        status: 7,
        done: "done",
        calls: &["execve"],
    },
    Scenario {
        name: "a script",
        case: |case| case.arg("--").arg(script()),
        play: Play::Finish,
        traced: Traced::Path,
        status: 7,
        done: "done",
        calls: &["execve", "openat"],
    },
    Scenario {
        name: "the child's side, an exec that fails",
        case: |case| case.args(["--", "/bin/no-such-program"]),
        play: Play::Finish,
        traced: Traced::Children,
        status: 127,
        done: "",
        calls: &["lseek", "sendto", "ioctl", "fcntl", "pwritev2", "exit_group"],
    },
    Scenario {
        name: "without close_range",
        case: |case| serve(case.refuse(libc::ENOSYS, [libc::SYS_close_range])),
        play: Play::Serve,
        traced: Traced::Alone,
        status: 7,
        done: TERMED,
        calls: &["close_range", "openat", "getdents64", "close"],
    },
    Scenario {
        name: "without close_range and getdents64",
        case: |case| serve(case.refuse(libc::ENOSYS, [libc::SYS_close_range, libc::SYS_getdents64])),
        play: Play::Serve,
        traced: Traced::None,
        status: 7,
        done: TERMED,
        calls: &["prlimit64"],
    },
    Scenario {
        name: "-P",
        case: |case| case.arg("-P"),
        play: Play::Hold,
        traced: Traced::Alone,
        status: 0,
        done: "",
        calls: &[
            "rt_sigprocmask",
            "rt_sigaction",
            "wait4",
            "chdir",
            "close_range",
            "rt_sigtimedwait",
            "lseek",
            "sendto",
            "ioctl",
            "fcntl",
            "pwritev2",
            "exit_group",
        ],
    },
    Scenario {
        name: "--version",
        case: |case| case.arg("--version"),
        play: Play::Finish,
        traced: Traced::Alone,
        status: 0,
        done: "tini version ",
        calls: &["write", "exit_group"],
    },
    Scenario {
        name: "a wrong option",
        case: |case| case.arg("--no-such-option"),
        play: Play::Finish,
        traced: Traced::Alone,
        status: 1,
        done: "",
        calls: &["lseek", "sendto", "ioctl", "fcntl", "pwritev2"],
    },
    Scenario {
        name: "pause",
        case: |case| case,
        play: Play::Hold,
        traced: Traced::Alone,
        status: 0,
        done: "",
        calls: &[
            "rt_sigprocmask",
            "rt_sigaction",
            "wait4",
            "getpid",
            "rt_sigtimedwait",
            "lseek",
            "sendto",
            "ioctl",
            "fcntl",
            "pwritev2",
            "exit_group",
        ],
    },
    Scenario {
        name: "pause, not PID 1, to a file",
        case: |case| case.not_pid1().stderr(file()),
        play: Play::Hold,
        traced: Traced::Alone,
        status: 0,
        done: "",
        calls: &["rt_sigprocmask", "getpid", "lseek", "prlimit64", "write", "rt_sigtimedwait"],
    },
    Scenario {
        name: "pause, to a terminal",
        case: foreign_terminal,
        play: Play::Hold,
        traced: Traced::Alone,
        status: 0,
        done: "",
        calls: &["ioctl", "ppoll", "openat", "write", "close"],
    },
    Scenario {
        name: "pause, without pwritev2",
        case: without_pwritev2,
        play: Play::Hold,
        traced: Traced::Alone,
        status: 0,
        done: "",
        calls: &["pipe2", "write", "splice", "close"],
    },
    Scenario {
        name: "pause -v",
        case: |case| case.arg("-v"),
        play: Play::Finish,
        traced: Traced::Alone,
        status: 0,
        done: "pause ",
        calls: &["write", "rt_sigprocmask", "exit_group"],
    },
];
