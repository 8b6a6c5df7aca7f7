//! What /proc says about processes, seen from outside their namespaces. All pids are outer ones unless said otherwise.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sys::Mask;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    /// Its pid in its own namespace.
    pub inner: i32,
    pub parent: i32,
    /// `R`, `S`, `D`, `Z`, `T`, `t`, `X`, `I`
    pub state: char,
    pub comm: String,
}

/// `/proc/PID/status`.
#[derive(Clone, Debug)]
pub struct Status(String);

impl Status {
    /// # Errors
    /// The process is gone.
    pub fn read(pid: i32) -> io::Result<Self> {
        Self::of(Path::new(&format!("/proc/{pid}")))
    }

    /// The same of a `/proc/PID` that may be another namespace's.
    ///
    /// # Errors
    /// The process is gone.
    pub fn of(process: &Path) -> io::Result<Self> {
        fs::read(process.join("status")).map(|bytes| Self(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The value of one key; panics if there is no such key.
    #[must_use]
    pub fn get(&self, key: &str) -> &str {
        self.find(key).unwrap_or_else(|| panic!("no {key} in {}", self.0))
    }

    /// How often the process gave up the processor, by its own will and not; a sleeper that nobody wakes adds nothing.
    #[must_use]
    pub fn context_switches(&self) -> u64 {
        let count = |key| self.get(key).parse::<u64>().expect("a count");
        count("voluntary_ctxt_switches") + count("nonvoluntary_ctxt_switches")
    }

    fn find(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
    }

    fn mask(&self, key: &str) -> Mask {
        Mask::from_str_radix(self.get(key), 16).expect("a hexadecimal mask")
    }

    fn process(&self, pid: i32) -> Process {
        Process {
            pid,
            inner: self.get("NSpid").split_whitespace().next_back().and_then(|n| n.parse().ok()).expect("a pid"),
            parent: self.get("PPid").parse().expect("a pid"),
            state: self.get("State").chars().next().expect("a letter"),
            comm: self.get("Name").to_owned(),
        }
    }
}

/// The signal state of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    pub blocked: Mask,
    pub ignored: Mask,
    pub caught: Mask,
    /// Pending for the thread or for the process.
    pub pending: Mask,
}

/// # Errors
/// The process is gone.
pub fn signals(pid: i32) -> io::Result<Signals> {
    let status = Status::read(pid)?;
    Ok(Signals {
        blocked: status.mask("SigBlk"),
        ignored: status.mask("SigIgn"),
        caught: status.mask("SigCgt"),
        pending: status.mask("SigPnd") | status.mask("ShdPnd"),
    })
}

/// [`Status::context_switches`].
///
/// # Errors
/// The process is gone.
pub fn context_switches(pid: i32) -> io::Result<u64> {
    Ok(Status::read(pid)?.context_switches())
}

/// The numbers of `/proc/PID/stat` behind the name, the state first: `ppid` is 1.
fn numbers(pid: i32) -> io::Result<Vec<i64>> {
    let stat = fs::read(format!("/proc/{pid}/stat"))?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold blanks and parentheses: start behind the last one.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(fields.map(|field| field.parse().unwrap_or(0)).collect())
}

/// The page faults of the process since it was forked, those with and those without a read from disk.
///
/// # Errors
/// The process is gone.
pub fn page_faults(pid: i32) -> io::Result<u64> {
    let numbers = numbers(pid)?;
    Ok((numbers[7] + numbers[9]) as u64)
}

/// The pids of its children; none where it is gone.
#[must_use]
pub fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// How long the process has had a processor.
///
/// # Errors
/// The process is gone.
pub fn processor_time(pid: i32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat"))?;
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| io::Error::other("no schedstat"))
}

/// Is it asleep, waiting for an event?
#[must_use]
pub fn is_asleep(pid: i32) -> bool {
    Status::read(pid).is_ok_and(|status| status.get("State").starts_with('S'))
}

/// Does it still run a program? What is at its end, or a zombie, does not.
#[must_use]
pub fn has_program(pid: i32) -> bool {
    // Its link may be hidden from others.
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH);
    !fs::read_link(format!("/proc/{pid}/exe")).is_err_and(|error| gone(&error))
}

/// Waits until the process sleeps and has not been woken for a while; false after the limit, or where it is gone. For programs
/// whose last system call is not known; others have [`sleeps_in`].
#[must_use]
pub fn await_rest(pid: i32, limit: Duration) -> bool {
    await_quiet(pid, &['S'], limit)
}

/// The same of a process that is in one of these states.
#[must_use]
pub fn await_quiet(pid: i32, states: &[char], limit: Duration) -> bool {
    /// Longer than anything that a start waits for.
    const WHILE: Duration = Duration::from_millis(20);
    let until = Instant::now() + limit;
    let seen = || {
        let status = Status::read(pid).ok()?;
        status.get("State").starts_with(states).then(|| status.context_switches())
    };
    while Instant::now() < until {
        let first = seen();
        std::thread::sleep(WHILE);
        if first.is_some() && seen() == first {
            return true;
        }
    }
    false
}

/// A line of `/proc/PID/smaps_rollup` in kB, `Rss` for example: exact, where the counts of `status` are not.
///
/// # Errors
/// The process is gone, or it is not ours to look into.
pub fn memory(pid: i32, key: &str) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')?.trim().strip_suffix(" kB"));
    value.and_then(|value| value.parse().ok()).ok_or_else(|| io::Error::other(format!("no {key}")))
}

/// What a process holds: it is to be at the end of its work what it was at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// In kB: of its pages those in memory, and of these the ones that it has written itself. (Private_Dirty has pages of the
    /// program's file, too, while the file itself waits to be written to disk.)
    pub resident: u64,
    pub written: u64,
    /// In kB: VmSize, all that is mapped.
    pub mapped: u64,
    pub descriptors: usize,
}

/// # Errors
/// The process is gone, or it is not ours to look into.
pub fn footprint(pid: i32) -> io::Result<Footprint> {
    let mapped = Status::read(pid)?.get("VmSize").split(' ').next().and_then(|word| word.parse().ok());
    Ok(Footprint {
        resident: memory(pid, "Rss")? as u64,
        written: memory(pid, "Anonymous")? as u64,
        mapped: mapped.ok_or_else(|| io::Error::other("no VmSize"))?,
        descriptors: descriptors(pid)?.len(),
    })
}

/// Does the process sleep in the system call `call`, say `libc::SYS_rt_sigtimedwait`? `false` if it is gone, and while a tracer holds
/// it there, before the call or behind it: then it has come to a call that need not be the one in which it sleeps.
#[must_use]
pub fn sleeps_in(pid: i32, call: i64) -> bool {
    is_at(pid, call) && is_asleep(pid)
}

/// Has the process come to the system call `call`, be it that it sleeps there or that a tracer holds it? `false` if it is gone.
#[must_use]
pub fn is_at(pid: i32, call: i64) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    text.split_whitespace().next() == Some(&call.to_string())
}

/// Group, session, and the foreground group of the controlling terminal (-1: none), in outer pids; for what the process
/// itself sees ask the witness.
///
/// # Errors
/// The process is gone.
pub fn groups(pid: i32) -> io::Result<(i32, i32, i32)> {
    let numbers = numbers(pid)?;
    Ok((numbers[2] as i32, numbers[3] as i32, numbers[5] as i32))
}

/// Number and target of each open descriptor, in order.
///
/// # Errors
/// The process is gone, or it is not ours to look into.
pub fn descriptors(pid: i32) -> io::Result<Vec<(i32, PathBuf)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let number = entry.file_name().to_string_lossy().parse().expect("a number");
        all.push((number, fs::read_link(entry.path())?));
    }
    all.sort();
    Ok(all)
}

/// # Errors
/// The process is gone, or it is not ours to look into.
pub fn directory(pid: i32) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd"))
}

/// Which PID namespace a process is in.
///
/// # Errors
/// The process is gone, or it is not ours to look into.
pub fn namespace(pid: i32) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid"))
}

/// The namespaces of a process, by [`crate::namespace::KINDS`]: each a link such as `net:[4026531840]`, whose number is the
/// inode.
///
/// # Errors
/// The process is gone, or it is not ours to look into.
pub fn namespaces(pid: i32) -> io::Result<Vec<PathBuf>> {
    crate::namespace::KINDS.iter().map(|(name, _)| fs::read_link(format!("/proc/{pid}/ns/{name}"))).collect()
}

/// All processes in a PID namespace, zombies included, PID 1 first. What ends meanwhile, and what is not ours to look
/// into, is not in the list.
#[must_use]
pub fn processes_in(wanted: &Path) -> Vec<Process> {
    let mut all: Vec<_> =
        pids().filter(|&pid| namespace(pid).is_ok_and(|theirs| theirs == wanted)).filter_map(process).collect();
    all.sort_by_key(|process| process.inner);
    all
}

/// All descendants of a process, whatever their namespace, the oldest first.
#[must_use]
pub fn descendants_of(ancestor: i32) -> Vec<Process> {
    let mut left: Vec<_> = pids().filter_map(process).collect();
    let (mut all, mut parents) = (Vec::new(), HashSet::from([ancestor]));
    // A generation in each round. Numbers go to others while they are read, so that a process may seem to be below itself: each is
    // taken once.
    while !parents.is_empty() {
        let (children, others): (Vec<_>, _) = left.into_iter().partition(|process| parents.contains(&process.parent));
        parents = children.iter().map(|process| process.pid).collect();
        all.extend(children);
        left = others;
    }
    all.sort_by_key(|process| process.pid);
    all
}

/// Every process that /proc shows.
fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// One process, if it is still there.
fn process(pid: i32) -> Option<Process> {
    Some(Status::read(pid).ok()?.process(pid))
}
