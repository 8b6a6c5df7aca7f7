//! What /proc tells (proc(5)): the state and the parents of a process, the signals it catches.

use crate::sys::{self, Pid};
use core::ffi::CStr;
use init_core::bytes::{same, take};
use init_core::line::Line;
use init_core::signal::SignalSet;

/// The lines of /proc/PID/status that are read (proc_pid_status(5)), in the order of the values of a [`Status`].
const FIELDS: &[u8] = b"State: Pid: PPid: NSpid: SigPnd: ShdPnd: SigBlk: SigIgn: SigCgt:";

/// The value of a line that the file does not have.
pub const MISSING: u64 = u64::MAX;

/// What /proc/PID/status tells of a process.
pub struct Status([u64; 9]);

impl Status {
    /// Dead, and not reaped yet.
    pub fn is_zombie(&self) -> bool {
        self.0[0] == digit(b'Z') || self.0[0] == digit(b'X')
    }

    /// Its parent's number.
    pub const fn parent(&self) -> Pid {
        self.0[2] as Pid
    }

    /// Does it belong to this process, seen from its own PID namespace? NSpid has its number in each namespace from that of this
    /// /proc down to its own: with a second number it is not the same any more. It is missing before Linux 4.1, and in gVisor.
    const fn is_of(&self, pid: Pid) -> bool {
        self.0[1] == pid as u64 && (self.0[3] == pid as u64 || self.0[3] == MISSING)
    }

    /// The pending signals, its thread's and its own, that are not blocked and have their default action.
    pub const fn taking_effect(&self) -> SignalSet {
        let [.., of_thread, of_process, blocked, ignored, caught] = self.0;
        SignalSet::from_bits((of_thread | of_process) & !(blocked | ignored | caught))
    }

    /// Caught signals; every signal if the file does not say so.
    pub const fn caught(&self) -> SignalSet {
        SignalSet::from_bits(self.0[8])
    }
}

/// Calls `visit` with each line of a file, without its newline; the end of one that is longer than a [`Line`] is skipped. False if it cannot be read.
pub fn each_line(path: &CStr, visit: &mut dyn FnMut(&[u8])) -> bool {
    let Ok(file) = sys::open(path, libc::O_RDONLY) else { return false };
    let mut memory = [0; 256];
    let mut line: Line = Line::new();
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
    read_status(path(pid, "/status", &mut Line::new()))
}

/// The path of a file about the process `pid`.
fn path<'l>(pid: Pid, file: &str, line: &'l mut Line) -> &'l CStr {
    line.text("/proc/").number(pid).text(file).c_str()
}

/// The same by its path.
fn read_status(path: &CStr) -> Option<Status> {
    let mut status = Status([MISSING; 9]);
    let is_whole = read_fields(path, b'\t', FIELDS, &mut status.0);
    // A process that ends meanwhile leaves an empty file.
    (is_whole && status.0[1] != MISSING).then_some(status)
}

/// Reads a file of lines that have a name, the mark, and a value: the values of the lines with these names, which a space parts.
/// False if the file cannot be read.
pub fn read_fields(path: &CStr, mark: u8, names: &[u8], values: &mut [u64]) -> bool {
    each_line(path, &mut |mut line| {
        let name = take(&mut line, mark);
        let mut names = names;
        for value in values.iter_mut() {
            if same(name, take(&mut names, b' ')) {
                *value = number(take(&mut line, b' '), name);
            }
        }
    })
}

/// The value of the line `name`: decimal, but hexadecimal in a mask of signals, whose name begins with S.
fn number(digits: &[u8], name: &[u8]) -> u64 {
    let base = if name.first() == Some(&b'S') { 16 } else { 10 };
    digits.iter().fold(0, |number: u64, byte| number.wrapping_mul(base).wrapping_add(digit(*byte)))
}

/// The value of a digit: `0` to `9` end with it, `a` to `f` with theirs less 9. Any other byte has one too.
const fn digit(byte: u8) -> u64 {
    ((byte & 15) + (byte >> 6) * 9) as u64
}

/// Is /proc there, and that of init's own PID namespace? In any other one the numbers mean other processes.
pub fn is_usable(own_pid: Pid) -> bool {
    read_status(c"/proc/self/status").is_some_and(|own| own.is_of(own_pid))
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
        match status(current).map(|status| status.parent()) {
            Some(parent) if parent == own_pid => {
                if found_before {
                    return true;
                }
                found_before = true;
                current = pid;
            }
            Some(parent) if parent > 1 => current = parent,
            None if current != pid && attempts < ATTEMPTS => {
                attempts += 1;
                current = pid;
            }
            _ => return false,
        }
    }
}

/// Is the group of process `pid` the foreground group of its terminal? (`pgrp` and `tpgid`, proc_pid_stat(5).)
#[inline(never)] // Its path would lie on the stack of the core.
pub fn is_foreground(pid: Pid) -> bool {
    let mut is_foreground = false;
    each_line(path(pid, "/stat", &mut Line::new()), &mut |line| {
        // The name of the program, in parentheses, may hold anything, a newline too: the last `)` ends it.
        let mut rest = line.rsplit(|byte| *byte == b')').next().unwrap_or_default();
        // A space comes first, and then state, ppid, pgrp, session, tty_nr, tpgid.
        let group = take_nth(&mut rest, 4);
        let foreground = take_nth(&mut rest, 3);
        is_foreground = !foreground.is_empty() && same(group, foreground);
    });
    is_foreground
}

/// Takes so many fields that a space parts, and returns the last of them.
fn take_nth<'l>(line: &mut &'l [u8], count: usize) -> &'l [u8] {
    let mut field = b"".as_slice();
    for _ in 0..count {
        field = take(line, b' ');
    }
    field
}
