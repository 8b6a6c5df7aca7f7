//! What the library tells the launcher to do, and its form on the launcher's command line: `key=value` words, `--`,
//! then the program and its arguments.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::sys::Mask;

/// Where the program stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// PID 1 of fresh namespaces.
    #[default]
    Pid1,
    /// Child of a plain PID 1 that reaps, in fresh namespaces.
    Child,
    /// Child of the launcher, without any namespace of its own.
    Host,
    /// Started into the namespaces of the process with this (outer) pid, as `docker exec` does.
    Inside(i32),
}

/// What is mounted on /proc.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proc {
    /// A fresh procfs of the new PID namespace.
    #[default]
    Fresh,
    /// An empty read-only tmpfs.
    Empty,
    /// Whatever was there: the procfs of the outer namespace.
    Outer,
}

/// What the launcher does before it execs the program.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub place: Place,
    /// A user namespace too.
    pub user_namespace: bool,
    /// IPC, network and UTS namespaces too.
    pub pod: bool,
    /// The (outer) pid of a process whose user, IPC, network and UTS namespaces are entered before others are made.
    pub beside: Option<i32>,
    pub proc: Proc,
    pub read_only: bool,
    /// A session of its own, as container runtimes give.
    pub session: bool,
    /// Descriptor 0 becomes the controlling terminal.
    pub terminal: bool,
    pub directory: Option<PathBuf>,
    pub user: Option<u32>,
    pub group: Option<u32>,
    pub no_new_privs: bool,
    pub umask: Option<u32>,
    pub nice: i32,
    pub mask: Mask,
    pub ignored: Mask,
    /// resource, soft, hard
    pub limits: Vec<(u32, u64, u64)>,
    /// errno, system call: what a seccomp filter refuses
    pub refused: Vec<(u32, i64)>,
    /// The file of a cgroup that a process joins it by.
    pub door: Option<PathBuf>,
    pub closed: Vec<RawFd>,
    /// (number in the launcher, number in the program)
    pub descriptors: Vec<(RawFd, RawFd)>,
    /// Socket to the library: the launcher and the reaper hold it.
    pub control: RawFd,
    /// Socket to the library: the program's process holds it until its exec.
    pub gate: RawFd,
    pub program: PathBuf,
    /// argv, the name first
    pub words: Vec<OsString>,
}

impl Plan {
    /// The launcher's arguments.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let place = match self.place {
            Place::Pid1 => "pid1".to_owned(),
            Place::Child => "child".to_owned(),
            Place::Host => "host".to_owned(),
            Place::Inside(pid) => pid.to_string(),
        };
        let mut all: Vec<OsString> = vec![
            format!("place={place}").into(),
            format!("proc={}", self.proc as u8).into(),
            format!("mask={}", self.mask).into(),
            format!("ignored={}", self.ignored).into(),
            format!("nice={}", self.nice).into(),
            format!("control={}", self.control).into(),
            format!("gate={}", self.gate).into(),
        ];
        let flags = [
            ("user-namespace", self.user_namespace),
            ("pod", self.pod),
            ("read-only", self.read_only),
            ("session", self.session),
            ("terminal", self.terminal),
            ("no-new-privs", self.no_new_privs),
        ];
        all.extend(flags.iter().filter(|(_, on)| *on).map(|(name, _)| format!("{name}=1").into()));
        let numbers = [("user", self.user), ("group", self.group), ("umask", self.umask)];
        all.extend(numbers.iter().filter_map(|(name, n)| n.map(|n| format!("{name}={n}").into())));
        all.extend(self.limits.iter().map(|(r, s, h)| format!("limit={r}:{s}:{h}").into()));
        all.extend(self.refused.iter().map(|(errno, call)| format!("refused={errno}:{call}").into()));
        all.extend(self.closed.iter().map(|fd| format!("closed={fd}").into()));
        all.extend(self.descriptors.iter().map(|(from, to)| format!("fd={from}:{to}").into()));
        all.extend(self.beside.map(|pid| format!("beside={pid}").into()));
        for (key, path) in [("directory=", &self.directory), ("door=", &self.door)] {
            if let Some(path) = path {
                let mut word = OsString::from(key);
                word.push(path);
                all.push(word);
            }
        }
        all.push("--".into());
        all.push(self.program.clone().into());
        all.extend(self.words.iter().cloned());
        all
    }

    /// The reverse of [`Plan::arguments`]; panics on anything else, for only the library calls the launcher.
    #[must_use]
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut plan = Self::default();
        let mut arguments = arguments.into_iter();
        for word in arguments.by_ref() {
            if word == "--" {
                break;
            }
            let bytes = word.as_bytes();
            let at = bytes.iter().position(|&b| b == b'=').expect("key=value");
            let (key, value) = (&bytes[..at], &bytes[at + 1..]);
            if key == b"directory" {
                plan.directory = Some(OsStr::from_bytes(value).into());
                continue;
            }
            if key == b"door" {
                plan.door = Some(OsStr::from_bytes(value).into());
                continue;
            }
            let value = std::str::from_utf8(value).expect("text");
            let number = || value.parse::<u64>().expect("number");
            let mut parts = value.split(':').map(|part| part.parse::<u64>());
            let mut part = || parts.next().expect("another part").expect("number");
            match key {
                b"place" => {
                    plan.place = match value {
                        "pid1" => Place::Pid1,
                        "child" => Place::Child,
                        "host" => Place::Host,
                        pid => Place::Inside(pid.parse().expect("pid")),
                    }
                }
                b"proc" => {
                    plan.proc = match value {
                        "0" => Proc::Fresh,
                        "1" => Proc::Empty,
                        _ => Proc::Outer,
                    }
                }
                b"mask" => plan.mask = number(),
                b"ignored" => plan.ignored = number(),
                b"nice" => plan.nice = value.parse().expect("number"),
                b"control" => plan.control = number() as RawFd,
                b"gate" => plan.gate = number() as RawFd,
                b"user-namespace" => plan.user_namespace = true,
                b"pod" => plan.pod = true,
                b"beside" => plan.beside = Some(number() as i32),
                b"read-only" => plan.read_only = true,
                b"session" => plan.session = true,
                b"terminal" => plan.terminal = true,
                b"no-new-privs" => plan.no_new_privs = true,
                b"user" => plan.user = Some(number() as u32),
                b"group" => plan.group = Some(number() as u32),
                b"umask" => plan.umask = Some(number() as u32),
                b"limit" => plan.limits.push((part() as u32, part(), part())),
                b"refused" => plan.refused.push((part() as u32, part() as i64)),
                b"closed" => plan.closed.push(number() as RawFd),
                b"fd" => plan.descriptors.push((part() as RawFd, part() as RawFd)),
                _ => panic!("unknown key in {word:?}"),
            }
        }
        plan.program = OsString::from_vec(arguments.next().expect("program").into_vec()).into();
        plan.words = arguments.collect();
        plan
    }
}
