//! A program's instructions, counted one by one (`ptrace(2)`, PTRACE_SINGLESTEP).

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

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
    let mut child = command.spawn().expect("a program");
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

/// The page faults of a held program from the end of its exec to where it sleeps in `call`, by itself and by the kernel on
/// its behalf.
///
/// # Panics
/// Where it may not be traced, or does not come to rest.
#[must_use]
pub fn faults_from_exec_to_sleep(running: &mut crate::Running, call: i64) -> u64 {
    let pid = Pid::from_raw(running.pid());
    ptrace::seize(pid, ptrace::Options::PTRACE_O_TRACEEXEC).expect("a process that may be traced");
    running.release();
    // The exec event comes when all is done but the first instruction.
    let event = waitpid(pid, Some(nix::sys::wait::WaitPidFlag::__WALL)).expect("a tracee");
    assert!(matches!(event, WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC)), "{event:?}");
    let before = crate::procfs::page_faults(pid.as_raw()).expect("it lives");
    ptrace::detach(pid, None).expect("a stopped process");
    running.wait_asleep_in(call);
    crate::procfs::page_faults(pid.as_raw()).expect("it lives") - before
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
