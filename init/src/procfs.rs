//! What /proc tells (proc(5)): the state and the parents of a process, the signals it catches.

use crate::sys::{self, Pid};
use core::ffi::CStr;
use init_core::bytes::{after, same, take_number};
use init_core::line::Line;
use init_core::signal::SignalSet;

/// What is read of /proc/PID/status (proc_pid_status(5)).
#[derive(Clone, Copy, Default)]
pub struct Status {
    /// Dead, and not reaped yet.
    pub is_zombie: bool,
    /// Its number, as this /proc counts.
    pid: Pid,
    /// Its parent's.
    pub parent: Pid,
    /// Its number in each PID namespace from that of this /proc down to its own: how many there are. 0 before Linux 4.1, and in
    /// gVisor.
    depth: u32,
    /// Pending signals, its thread's and its own.
    pub pending: SignalSet,
    /// Blocked signals.
    pub blocked: SignalSet,
    /// Ignored signals.
    pub ignored: SignalSet,
    /// Caught signals; every signal if the file does not say so.
    pub caught: SignalSet,
}

/// The longest line that is looked at: a cgroup's path may be. The ends of longer ones are skipped.
const LINE: usize = 384;

/// Calls `visit` with each line of a file, without its newline and cut to [`LINE`] bytes. False if it cannot be read.
pub fn each_line(path: &CStr, visit: &mut dyn FnMut(&[u8])) -> bool {
    let Ok(file) = sys::open(path, libc::O_RDONLY) else { return false };
    let mut memory = [0; 256];
    let mut line = Line::<{ LINE + 1 }>::new();
    let is_whole = loop {
        match sys::read(file, &mut memory) {
            Ok(0) => break true,
            Ok(length) => {
                for byte in memory.get(..length).unwrap_or_default() {
                    if *byte == b'\n' {
                        visit(line.bytes());
                        line.clear();
                    } else {
                        line.push(*byte);
                    }
                }
            }
            Err(_) => break false,
        }
    };
    bare::close(file);
    is_whole
}

/// `/proc/PID/status`; `None` if there is no such process, or no /proc.
pub fn status(pid: Pid) -> Option<Status> {
    let mut path = Line::<32>::new();
    path.text("/proc/").number(pid).text("/status");
    read_status(path.c_str())
}

/// The same by its path.
fn read_status(path: &CStr) -> Option<Status> {
    let mut status = Status { caught: SignalSet::from_bits(u64::MAX), ..Status::default() };
    let is_whole = each_line(path, &mut |line| {
        let field = |name: &[u8]| after(line, name);
        if let Some(state) = field(b"State:\t") {
            status.is_zombie = matches!(state.first(), Some(b'Z' | b'X'));
        } else if let Some(mut pid) = field(b"Pid:\t") {
            status.pid = number(&mut pid);
        } else if let Some(mut parent) = field(b"PPid:\t") {
            status.parent = number(&mut parent);
        } else if let Some(pids) = field(b"NSpid:\t") {
            status.depth = 1 + pids.iter().filter(|byte| **byte == b'\t').count() as u32;
        } else if let Some(mask) = field(b"SigPnd:\t").or_else(|| field(b"ShdPnd:\t")) {
            status.pending = status.pending.or(signals(mask));
        } else if let Some(mask) = field(b"SigBlk:\t") {
            status.blocked = signals(mask);
        } else if let Some(mask) = field(b"SigIgn:\t") {
            status.ignored = signals(mask);
        } else if let Some(mask) = field(b"SigCgt:\t") {
            status.caught = signals(mask);
        }
    });
    // A process that ends meanwhile leaves an empty file.
    (is_whole && status.pid != 0).then_some(status)
}

/// A number at the front of `text`; 0 if there is none.
fn number(text: &mut &[u8]) -> Pid {
    take_number(text).unwrap_or(0) as Pid
}

/// A mask of signals: 16 hexadecimal digits.
fn signals(digits: &[u8]) -> SignalSet {
    // `0` to `9` end with their value, `a` to `f` with theirs less 9.
    let value = |digit: u8| u64::from((digit & 15) + (digit >> 6) * 9);
    SignalSet::from_bits(digits.iter().fold(0, |mask, digit| mask << 4 | value(*digit)))
}

/// Is /proc there, and that of init's own PID namespace? In any other one the numbers mean other processes.
pub fn is_usable(own_pid: Pid) -> bool {
    read_status(c"/proc/self/status").is_some_and(|own| own.pid == own_pid && own.depth <= 1)
}

/// Is the process `pid` a descendant of init's? If a parent dies in the middle of the walk its children go to another one: the
/// walk begins again. Not for ever, because a parent that /proc hides (hidepid) looks the same. And if the number of a parent that
/// died goes to another process the answer may be wrong, but not twice: then the child has another parent.
pub fn is_descendant(pid: Pid, own_pid: Pid) -> bool {
    /// How often the walk begins again.
    const ATTEMPTS: u32 = 8;
    let mut found_before = false;
    let mut current = pid;
    let mut attempts = 0;
    loop {
        match status(current) {
            Some(Status { parent, .. }) if parent == own_pid => {
                if found_before {
                    return true;
                }
                found_before = true;
                current = pid;
            }
            Some(Status { parent, .. }) if parent > 1 => current = parent,
            None if current != pid && attempts < ATTEMPTS => {
                attempts += 1;
                current = pid;
            }
            _ => return false,
        }
    }
}

/// Visits the number of every process.
pub fn each_process(visit: &mut dyn FnMut(Pid)) -> bool {
    sys::each_number(c"/proc", &mut |pid, _| visit(pid))
}

/// Is the group of process `pid` the foreground group of its terminal? (`pgrp` and `tpgid`, proc_pid_stat(5).)
pub fn is_foreground(pid: Pid) -> bool {
    let mut path = Line::<32>::new();
    path.text("/proc/").number(pid).text("/stat");
    let mut is_foreground = false;
    each_line(path.c_str(), &mut |line| {
        // The name of the program, in parentheses, may hold anything, a newline too: the last `)` ends it.
        let mut fields =
            line.rsplit(|byte| *byte == b')').next().unwrap_or_default().split(|byte| *byte == b' ').skip(1);
        // After the name: state, ppid, pgrp, session, tty_nr, tpgid.
        let (group, foreground) = (fields.nth(2), fields.nth(2));
        is_foreground = group.zip(foreground).is_some_and(|(group, foreground)| same(group, foreground));
    });
    is_foreground
}
