//! What /proc tells: who is below init, what the child catches, how many processes the out-of-memory killer has ended here.

use crate::sys::{self, Pid};
use bare::Errno;
use core::ffi::c_int;
use init_core::message::{Filling, Line};
use init_core::signal::{self, SignalNumber};
use init_core::text::Text;

/// Bytes for a file's name, and for a cgroup's path, which is the longest part of one. All of it lies on the stack below the loop, and
/// a stack that reaches one page further costs every container that page.
const ROOM: usize = 384;

/// Bytes for what follows any other name: the two numbers or the mask that is asked for.
const SHORT: usize = 32;

/// What follows `name`, to the end of its line, in the file `file`, in whose name the pid and the path are filled; nothing if
/// it is not there. The file begins as if a newline came before, which stands where its name stood. No first byte of a name is in it again.
#[inline(never)]
fn lookup<'m>(file: Text, pid: Pid, path: &[u8], name: &[u8], memory: &'m mut [u8]) -> &'m [u8] {
    let mut some = [0; ROOM];
    let mut line = Line::new(&mut some);
    line.fill(file, &Filling { numbers: [pid, 0, 0], option: path, ..Filling::NONE });
    let mut length = 0;
    if let Ok(file) = sys::open(line.string(), libc::O_RDONLY) {
        // Little by little: a line of /proc/PID/status is long where a process has many groups.
        some[0] = b'\n';
        let (mut known, mut matched) = (1, 0);
        'file: loop {
            for byte in some.get(..known).unwrap_or_default() {
                if let Some(next) = name.get(matched) {
                    matched = if byte == next { matched + 1 } else { usize::from(name.first() == Some(byte)) };
                } else if *byte == b'\n' {
                    break 'file;
                } else if let Some(slot) = memory.get_mut(length) {
                    *slot = *byte;
                    length += 1;
                }
            }
            match sys::read(file, &mut some) {
                Ok(read @ 1..) => known = read as usize,
                _ => break,
            }
        }
        sys::close(file);
    }
    memory.get(..length).unwrap_or_default()
}

/// The number there.
#[inline(never)]
fn lookup_number(file: Text, pid: Pid, path: &[u8], name: &[u8]) -> Option<u32> {
    signal::number(&mut lookup(file, pid, path, name, &mut [0; SHORT]))
}

/// Is /proc there, and that of init's own PID namespace? In any other one the numbers mean other processes.
pub fn is_usable() -> bool {
    // The pid in each PID namespace from that of this /proc down to init's own: one number if they are the same.
    let mut memory = [0; SHORT];
    let mut pids = lookup(Text::OwnStatusFile, 0, b"", b"\nNSpid:\t", &mut memory);
    signal::number(&mut pids) == Some(bare::own_pid() as u32) && pids.is_empty()
}

/// Does the process `pid` catch `signal` (SigCgt)?
pub fn catches(pid: Pid, signal: SignalNumber) -> bool {
    signal::is_in_mask(lookup(Text::StatusFile, pid, b"", b"\nSigCgt:\t", &mut [0; SHORT]), signal)
}

/// Is the process `pid` a descendant of init's? A parent that is gone by the time it is looked at has left its children to
/// another one: then it begins anew. But not for ever: one that /proc hides (proc(5), hidepid) looks the same, and is taken for
/// a stranger. If a parent dies in the middle of the walk, and its number goes to another process, the
/// answer may be wrong: but not twice, for the child of the dead parent has another one then.
#[inline(always)]
fn descends(process: Pid, own_pid: Pid) -> bool {
    let mut pid = process;
    // Odd: found once. Each new beginning counts 2.
    let mut turns = 0_u8;
    loop {
        match lookup_number(Text::StatusFile, pid, b"", b"\nPPid:\t") {
            Some(parent) if parent as Pid == own_pid => {
                if turns & 1 != 0 {
                    return true;
                }
                turns += 1;
                pid = process;
            }
            Some(parent) if parent > 1 => pid = parent as Pid,
            None if pid != process && turns < 16 => {
                turns += 2;
                pid = process;
            }
            _ => return false,
        }
    }
}

/// No pidfd: nobody is there.
pub const NOBODY: c_int = -1;

/// No pidfd: one could not be had.
const UNKNOWN: c_int = -2;

/// Sends `signal` to every process that init answers for (I14): as PID 1 to all of its PID namespace, else to all its
/// descendants. For signal 0 it looks for the first that may be signalled and has not ended, and returns a pidfd of it, else
/// [`NOBODY`], or [`UNKNOWN`].
pub fn signal_all(signal: SignalNumber, own_pid: Pid) -> c_int {
    // Until it has seen itself.
    let mut found = UNKNOWN;
    sys::each_process(&mut |pid| {
        if pid == own_pid {
            found = found.max(NOBODY);
        } else if pid > 1 && found < 0 {
            // The pidfd first, and then its parents: so the process that was looked at is the one that is signalled.
            match sys::open_process(pid) {
                Ok(pidfd) => {
                    if (own_pid == 1 || descends(pid, own_pid))
                        && {
                            // 0 as well, which does nothing: not to send it would be longer.
                            sys::signal_process(pidfd, signal);
                            signal == 0
                        }
                        // May it be signalled? By its number, for a filter may refuse pidfd_send_signal(2) alone.
                        && sys::kill(pid, 0).is_ok()
                        // A pidfd is readable when the process has ended, be it reaped or not: then the number may be another's.
                        && sys::poll(-1, pidfd, 0) == Ok(false)
                    {
                        found = pidfd;
                    } else {
                        sys::close(pidfd);
                    }
                }
                Err(Errno::ESRCH) => {}
                Err(_) => found = UNKNOWN,
            }
        }
    });
    found
}

/// How many processes of init's memory cgroup the out-of-memory killer has ended so far (cgroups(7); `memory.events` of
/// version 2, `memory.oom_control` of version 1). A container often sees its own cgroup as the root, whatever path it is told.
pub fn out_of_memory_kills() -> u32 {
    kills_in(b"\n0::", Text::EventsFile).or_else(|| kills_in(b":memory:", Text::ControlFile)).unwrap_or(0)
}

/// The same of one version, by what stands before the path in its line of /proc/PID/cgroup: `0::/path` (version 2) or
/// `9:memory:/path` (version 1).
#[inline(never)]
fn kills_in(version: &[u8], file: Text) -> Option<u32> {
    let mut memory = [0; ROOM];
    let path = lookup(Text::GroupsFile, 0, b"", version, &mut memory);
    let count = |path| lookup_number(file, 0, path, b"\noom_kill ");
    count(path).or_else(|| count(b""))
}
