//! What /proc tells: who is below init, what the child catches, how many processes the out-of-memory killer has ended here.

use crate::sys::{self, Pid};
use core::ffi::c_int;
use init_core::bytes::{field, same, take};
use init_core::message::{CString, Filling, Line};
use init_core::signal::{self, SignalNumber};
use init_core::text::Text;

/// As much of a file of /proc as is read: /proc/PID/status has 1.5 kB, and more where a process has very many groups.
const READ: usize = 4000;

/// What follows `name` in its line of the file `file`, in whose name the pid and the path are filled; nothing if there is none.
#[inline(never)]
fn lookup<'m>(file: Text, pid: Pid, path: &[u8], name: &[u8], memory: &'m mut [u8; READ]) -> &'m [u8] {
    let mut bytes = [0; 1024];
    let mut line = Line::new(&mut bytes);
    line.fill(file, &Filling { numbers: [pid, 0, 0], option: path, ..Filling::NONE });
    field(sys::read_file(line.string(), memory).unwrap_or_default(), name)
}

/// The number there.
#[inline(never)]
fn lookup_number(file: Text, pid: Pid, path: &[u8], name: &[u8]) -> Option<u32> {
    signal::number(&mut lookup(file, pid, path, name, &mut [0; READ]))
}

/// Is /proc there, and that of init's own PID namespace? In any other one the numbers mean other processes.
pub fn is_usable() -> bool {
    // The pid in each PID namespace from that of this /proc down to init's own: one number if they are the same.
    let mut memory = [0; READ];
    let mut pids = lookup(Text::OwnStatusFile, 0, b"", b"NSpid:\t", &mut memory);
    signal::number(&mut pids) == Some(bare::own_pid() as u32) && pids.is_empty()
}

/// Does the process `pid` catch `signal` (SigCgt)?
pub fn catches(pid: Pid, signal: SignalNumber) -> bool {
    signal::is_in_mask(lookup(Text::StatusFile, pid, b"", b"SigCgt:\t", &mut [0; READ]), signal)
}

/// Is the process `pid` a descendant of init's? If a parent dies in the middle of the walk, and its number goes to another
/// process, the answer may be wrong: but not twice, for the child of the dead parent has another one then.
#[inline(never)]
fn descends(mut pid: Pid, own_pid: Pid) -> bool {
    loop {
        pid = lookup_number(Text::StatusFile, pid, b"", b"PPid:\t").unwrap_or(0) as Pid;
        if pid <= 1 || pid == own_pid {
            return pid == own_pid;
        }
    }
}

/// Sends `signal` to every process that init answers for (I14): as PID 1 to all of its PID namespace, else to all its
/// descendants. For signal 0 it looks for the first that may be signalled and has not ended, and returns a pidfd of it, else -1.
pub fn signal_all(signal: SignalNumber, own_pid: Pid) -> c_int {
    let mut found = -1;
    sys::each_process(&mut |pid| {
        // The pidfd first, and then its parents: so the process that was looked at is the one that is signalled.
        if pid > 1
            && pid != own_pid
            && found < 0
            && let Ok(pidfd) = sys::open_process(pid)
        {
            if (own_pid == 1 || descends(pid, own_pid) && descends(pid, own_pid))
                && sys::signal_process(pidfd, signal).is_ok()
                && signal == 0
                // A pidfd is readable when the process has ended, be it reaped or not.
                && !sys::poll(-1, pidfd, 0)
            {
                found = pidfd;
            } else {
                sys::close(pidfd);
            }
        }
    });
    found
}

/// How many processes of init's memory cgroup the out-of-memory killer has ended so far (cgroups(7); `memory.events` of
/// version 2, `memory.oom_control` of version 1). A container often sees its own cgroup as the root, whatever path it is told.
pub fn out_of_memory_kills() -> u32 {
    let mut memory = [0; READ];
    let groups = sys::read_file(CString::literal(b"/proc/self/cgroup\0"), &mut memory).unwrap_or_default();
    kills_in(groups, b"", Text::EventsFile).or_else(|| kills_in(groups, b"memory", Text::ControlFile)).unwrap_or(0)
}

/// The same of one version, that is of one controller in /proc/PID/cgroup, in lines such as `0::/path` (version 2) or
/// `9:memory:/path` (version 1).
#[inline(never)]
fn kills_in(mut groups: &[u8], controller: &[u8], file: Text) -> Option<u32> {
    while !groups.is_empty() && !same(take(&mut groups, b':'), controller) {}
    let path = take(&mut groups, b'\n');
    let count = |path| lookup_number(file, 0, path, b"oom_kill ");
    count(path).or_else(|| count(b""))
}
