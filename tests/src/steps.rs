//! A program's first steps, by `ptrace(2)`: its instructions, system calls and page faults.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::case::DEADLINE;
use crate::{Running, procfs, running};

/// More than any start-up takes; a program that loops without a system call is not counted for ever.
const LIMIT: u64 = 1_000_000;

/// How many instructions `program` executes after its exec and before its first system call, that one not counted.
/// Knows x86-64 only.
///
/// # Panics
/// Where it cannot be run, makes no system call, or ends.
#[must_use]
pub fn before_first_call(program: impl AsRef<OsStr>) -> u64 {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    crate::sys::stop_at_start(&mut command);
    let mut child = running::spawn(&mut command).expect("a program");
    let pid = Pid::from_raw(child.id() as i32);
    let mut steps = 0;
    // Each wait is for one instruction that is no system call, so it ends without a deadline.
    while waitpid(pid, None) == Ok(WaitStatus::Stopped(pid, Signal::SIGTRAP)) && steps < LIMIT && !at_system_call(pid) {
        ptrace::step(pid, None).expect("a stopped process");
        steps += 1;
    }
    // Fails, as it should, where the loop was left because the program had ended.
    ptrace::kill(pid).expect("a stopped process");
    child.wait().expect("its end");
    assert!(steps < LIMIT, "no system call in {LIMIT} instructions");
    steps
}

/// Lets a held program go up to the end of its exec, where it is stopped before its first instruction.
fn stop_behind_exec(running: &mut Running, options: ptrace::Options) -> Pid {
    let pid = Pid::from_raw(running.pid());
    ptrace::seize(pid, ptrace::Options::PTRACE_O_TRACEEXEC | options).expect("a process that may be traced");
    running.release();
    let event = waitpid(pid, Some(WaitPidFlag::__WALL)).expect("a tracee");
    assert!(matches!(event, WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC)), "{event:?}");
    pid
}

/// Lets a held program that has two words, its name among them, start without any: as a kernel before 5.18 could be asked to.
/// The words are taken off its stack before its first instruction. Knows x86-64 only.
///
/// # Panics
/// Where it may not be traced, or has not two words.
#[cfg(target_arch = "x86_64")]
pub fn start_without_words(running: &mut Running) {
    let pid = stop_behind_exec(running, ptrace::Options::empty());
    let mut registers = ptrace::getregs(pid).expect("a stopped process");
    let count = ptrace::read(pid, registers.rsp as ptrace::AddressType).expect("a word of the stack");
    assert_eq!(count, 2, "the number of words");
    // The count, the words, a null word, the environment: a count of 0 in the place of the second word, and the stack is
    // aligned to 16 bytes as before.
    registers.rsp += 16;
    ptrace::write(pid, registers.rsp as ptrace::AddressType, 0).expect("a word of the stack");
    ptrace::setregs(pid, registers).expect("a stopped process");
    ptrace::detach(pid, None).expect("a stopped process");
}

/// A program that is held by its tracer; dropping this lets it go.
#[derive(Debug)]
pub struct Held(Pid);

impl Held {
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.as_raw()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Fails where it has been killed meanwhile.
        let _ = ptrace::detach(self.0, None);
    }
}

/// Holds a process where it is; to others than its tracer it does not look stopped.
///
/// # Errors
/// It cannot be traced, or ends.
pub fn hold(process: i32) -> Result<Held, String> {
    let pid = Pid::from_raw(process);
    let text = |error: nix::errno::Errno| error.to_string();
    ptrace::seize(pid, ptrace::Options::empty()).map_err(text)?;
    ptrace::interrupt(pid).map_err(text)?;
    match waitpid(pid, Some(WaitPidFlag::__WALL)).map_err(text)? {
        WaitStatus::PtraceEvent(..) => Ok(Held(pid)),
        other => Err(format!("instead of a stop: {other:?}")),
    }
}

/// Lets a held program go up to its first child: both are stopped, the child before its first instruction.
fn stop_at_birth(running: &mut Running) -> (Pid, Pid) {
    let births = ptrace::Options::PTRACE_O_TRACEFORK | ptrace::Options::PTRACE_O_TRACEVFORK;
    let parent = stop_behind_exec(running, births);
    loop {
        ptrace::cont(parent, None).expect("a stopped process");
        match waitpid(parent, Some(WaitPidFlag::__WALL)).expect("a tracee") {
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK) => break,
            // A trap that the tracer's own coming has left behind.
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_STOP) => {}
            event => panic!("it starts no child: {event:?}"),
        }
    }
    // The child is traced from its start, with the same options, and is stopped as soon as it runs.
    let child = Pid::from_raw(ptrace::getevent(parent).expect("a stopped process") as i32);
    let event = waitpid(child, Some(WaitPidFlag::__WALL)).expect("a tracee");
    assert!(matches!(event, WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_STOP)), "{event:?}");
    (parent, child)
}

/// The same, and both are let go by whoever calls this, in any order.
///
/// # Panics
/// Where it may not be traced, or has no child.
pub fn hold_at_birth(running: &mut Running) -> (Held, Held) {
    let (parent, child) = stop_at_birth(running);
    (Held(parent), Held(child))
}

/// Lets a program that waits for its exec go up to the end of the first system call that it makes by itself. What is sent to
/// it there is pending when it goes on.
///
/// # Errors
/// It cannot be executed or traced, or ends before.
pub fn hold_behind_first_call(running: &mut Running) -> Result<Held, String> {
    let pid = Pid::from_raw(running.pid());
    let text = |error: nix::errno::Errno| error.to_string();
    let options = ptrace::Options::PTRACE_O_TRACEEXEC | ptrace::Options::PTRACE_O_TRACESYSGOOD;
    ptrace::seize(pid, options).map_err(text)?;
    running.try_release()?;
    let stopped =
        |event| matches!(event, WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) | WaitStatus::PtraceSyscall(_));
    // The end of execve, then the beginning and the end of the call. Each comes by itself, or the program ends.
    for step in 0..=3 {
        if step > 0 {
            ptrace::syscall(pid, None).map_err(text)?;
        }
        let event = waitpid(pid, Some(WaitPidFlag::__WALL)).map_err(text)?;
        if !stopped(event) {
            return Err(format!("instead of a system call: {event:?}"));
        }
    }
    Ok(Held(pid))
}

/// The page faults of a held program from the end of its exec until it rests, by itself and by the kernel on its behalf.
///
/// # Panics
/// Where it may not be traced, or does not come to rest.
#[must_use]
pub fn faults_from_exec_to_rest(running: &mut Running) -> u64 {
    let pid = stop_behind_exec(running, ptrace::Options::empty());
    let before = procfs::page_faults(pid.as_raw()).expect("it lives");
    ptrace::detach(pid, None).expect("a stopped process");
    assert!(procfs::await_rest(pid.as_raw(), DEADLINE), "it does not come to rest");
    procfs::page_faults(pid.as_raw()).expect("it lives") - before
}

/// The numbers of the system calls of a held program, in order, from its exec to the one that it rests in, which is the
/// last; those of its children are not among them. Knows x86-64 only.
///
/// # Errors
/// It does not come to rest.
///
/// # Panics
/// Where it may not be traced.
pub fn calls_from_exec_to_rest(running: &mut Running) -> Result<Vec<u64>, String> {
    let pid = stop_behind_exec(running, ptrace::Options::PTRACE_O_TRACESYSGOOD);
    let mut calls = Vec::new();
    // The stop at the end of execve comes first, then entries and exits take turns.
    let mut enters = false;
    let mut signal = None;
    let until = Instant::now() + DEADLINE;
    loop {
        ptrace::syscall(pid, signal.take()).expect("a stopped process");
        let event = loop {
            match waitpid(pid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)).expect("a tracee") {
                WaitStatus::StillAlive if enters => {}
                // It is inside a call: does it stay there?
                WaitStatus::StillAlive if !calls.is_empty() => {
                    if procfs::await_rest(pid.as_raw(), Duration::from_millis(50)) {
                        break None;
                    }
                }
                WaitStatus::StillAlive => {}
                event => break Some(event),
            }
            if Instant::now() > until {
                return Err("it does not come to rest".to_owned());
            }
        };
        match event {
            // The call at the end of an exec began before.
            Some(WaitStatus::PtraceSyscall(_)) => {
                if enters {
                    calls.push(call_number(pid));
                }
                enters = !enters;
            }
            Some(WaitStatus::Stopped(_, other)) => signal = Some(other),
            Some(WaitStatus::PtraceEvent(..)) => {}
            Some(other) => return Err(format!("it ends: {other:?}")),
            None => {
                ptrace::interrupt(pid).expect("a tracee");
                waitpid(pid, Some(WaitPidFlag::__WALL)).expect("a tracee");
                ptrace::detach(pid, None).expect("a stopped process");
                return Ok(calls);
            }
        }
    }
}

/// The system call that the stopped process enters.
#[cfg(target_arch = "x86_64")]
fn call_number(pid: Pid) -> u64 {
    ptrace::getregs(pid).expect("a stopped process").orig_rax
}

#[cfg(not(target_arch = "x86_64"))]
fn call_number(_: Pid) -> u64 {
    unimplemented!("knows x86-64's registers only")
}

/// Whether the next instruction is `syscall` (or `int 0x80`).
#[cfg(target_arch = "x86_64")]
fn at_system_call(pid: Pid) -> bool {
    let registers = ptrace::getregs(pid).expect("a stopped process");
    let word = ptrace::read(pid, registers.rip as ptrace::AddressType).expect("a word of code");
    matches!(word.to_le_bytes()[..2], [0x0f, 0x05] | [0xcd, 0x80])
}

#[cfg(not(target_arch = "x86_64"))]
fn at_system_call(_: Pid) -> bool {
    unimplemented!("knows x86-64's instructions only")
}
