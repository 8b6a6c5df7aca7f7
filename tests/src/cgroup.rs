//! Cgroups of our own, of version 1 or 2: of memory, with what a crowd of equal programs costs in one, and of pids.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{running, tools};

/// A new cgroup, removed when it is dropped; whoever is in it must have ended then.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
    /// The file that says how much is charged.
    usage: &'static str,
}

/// The files of a controller that say how much is charged, in version 1 and in version 2.
type Usage = (&'static str, [&'static str; 2]);
const MEMORY: Usage = ("memory", ["memory.usage_in_bytes", "memory.current"]);
const PIDS: Usage = ("pids", ["pids.current", "pids.current"]);

impl Cgroup {
    /// Of memory.
    ///
    /// # Errors
    /// Why there can be none here: no hierarchy with a memory controller, or it may not be written.
    pub fn new() -> Result<Self, String> {
        Self::of(MEMORY)
    }

    /// Of processes, at most `most` at a time. Zombies count (cgroups, Process Number Controller).
    ///
    /// # Errors
    /// As above.
    pub fn of_pids(most: usize) -> Result<Self, String> {
        let cgroup = Self::of(PIDS)?;
        fs::write(cgroup.folder.join("pids.max"), most.to_string()).map_err(|error| format!("pids.max: {error}"))?;
        Ok(cgroup)
    }

    fn of(controller: Usage) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bitts-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (parent, usage) = hierarchy(controller)?;
        let folder = parent.join(name);
        fs::create_dir(&folder).map_err(|error| format!("cannot make the cgroup {}: {error}", folder.display()))?;
        let cgroup = Self { folder, usage };
        cgroup.charged().map_err(|error| format!("{} charges nothing: {error}", parent.display()))?;
        Ok(cgroup)
    }

    /// The file that a process writes 0 into to join.
    #[must_use]
    pub fn door(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// No more than `bytes` may be charged to it.
    ///
    /// # Errors
    /// The kernel takes no such limit.
    pub fn limit(&self, bytes: u64) -> io::Result<()> {
        let file = if self.usage == "memory.current" { "memory.max" } else { "memory.limit_in_bytes" };
        fs::write(self.folder.join(file), bytes.to_string())
    }

    /// The bytes charged to it, pages, page tables, kernel stacks and the kernel's objects; or its processes.
    ///
    /// # Errors
    /// No such controller.
    pub fn charged(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.folder.join(self.usage))?;
        text.trim().parse().map_err(io::Error::other)
    }

    /// The most processes that it had at a time, zombies included; None on kernels that do not count it.
    #[must_use]
    pub fn most_pids(&self) -> Option<u64> {
        fs::read_to_string(self.folder.join("pids.peak")).ok()?.trim().parse().ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The kernel lets go of it a little after the last process in it has been waited for.
        let until = std::time::Instant::now() + crate::case::DEADLINE;
        while fs::remove_dir(&self.folder).is_err() && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
    }
}

/// The cgroup to make others in, and the file that tells their charge.
fn hierarchy((controller, files): Usage) -> Result<(PathBuf, &'static str), String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|error| format!("mountinfo: {error}"))?;
    let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| format!("cgroup: {error}"))?;
    for line in mounts.lines() {
        // … mount point … - type source options
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let Some(point) = left.split(' ').nth(4).map(Path::new) else { continue };
        let first = right.starts_with("cgroup ") && right.split([' ', ',']).any(|word| word == controller);
        let second = right.starts_with("cgroup2 ");
        let usage = files[usize::from(!first)];
        // Lines of one's own place: `5:memory:/path`, `0::/path`.
        let wanted = |line: &&str| {
            let mut fields = line.splitn(3, ':').skip(1);
            let theirs = fields.next().unwrap_or_default();
            if first { theirs.split(',').any(|word| word == controller) } else { theirs.is_empty() }
        };
        let place = own.lines().find(wanted).and_then(|line| line.splitn(3, ':').nth(2)).unwrap_or("/");
        let place = point.join(place.trim_start_matches('/'));
        // In version 2 a cgroup with processes cannot have others with controllers in it, but for the root.
        for folder in [place.as_path(), point] {
            if first && folder.is_dir() {
                return Ok((folder.to_owned(), usage));
            }
            let has = |file| fs::read_to_string(folder.join(file)).is_ok_and(|text| text.contains(controller));
            if second && has("cgroup.controllers") {
                let _ = fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}"));
                if has("cgroup.subtree_control") {
                    return Ok((folder.to_owned(), usage));
                }
            }
        }
    }
    Err(format!("no cgroup hierarchy has a {controller} controller to use"))
}

/// Many instances of one program, children of a helper that was in the cgroup before it started them; dropping it ends them.
#[derive(Debug)]
pub struct Crowd {
    helper: Child,
    pids: Vec<i32>,
}

impl Crowd {
    /// # Errors
    /// The helper cannot join the cgroup or start the program.
    pub fn start<Word: AsRef<std::ffi::OsStr>>(
        cgroup: &Cgroup,
        count: usize,
        program: &Path,
        arguments: impl IntoIterator<Item = Word>,
    ) -> Result<Self, String> {
        let mut command = Command::new(tools::crowd());
        command
            .arg(cgroup.door())
            .arg(count.to_string())
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut helper = running::spawn(&mut command).map_err(|error| format!("cannot start the helper: {error}"))?;
        let mut output = String::new();
        // It closes its output when it has said all pids, and then waits for the end of its input.
        let read = helper.stdout.take().expect("piped").read_to_string(&mut output);
        let pids: Vec<i32> = output.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let crowd = Self { helper, pids };
        if read.is_err() || crowd.pids.len() != count {
            return Err(format!("{} of {count} instances of {} were started", crowd.pids.len(), program.display()));
        }
        Ok(crowd)
    }

    /// Their pids.
    #[must_use]
    pub fn pids(&self) -> &[i32] {
        &self.pids
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        drop(self.helper.stdin.take());
        let _ = self.helper.wait();
    }
}

/// What one more instance of a program at rest has charged to its cgroup, in bytes: of `count` instances, beside one.
/// `rests` tells whether the process with this pid has come to rest.
///
/// # Errors
/// No cgroup can be made, or the program cannot be run.
pub fn charge_of_one(
    program: &Path,
    arguments: &[&str],
    count: usize,
    rests: impl Fn(i32) -> bool,
) -> Result<f64, String> {
    let charged = |count: usize| {
        let cgroup = Cgroup::new()?;
        let crowd = Crowd::start(&cgroup, count, program, arguments)?;
        let until = std::time::Instant::now() + crate::case::DEADLINE;
        for &pid in crowd.pids() {
            while !rests(pid) {
                if std::time::Instant::now() > until {
                    return Err(format!("{} does not come to rest", program.display()));
                }
                std::thread::yield_now();
            }
        }
        cgroup.charged().map_err(|error| error.to_string())
    };
    let (one, many) = (charged(1)?, charged(count)?);
    Ok((many as f64 - one as f64) / (count - 1) as f64)
}
