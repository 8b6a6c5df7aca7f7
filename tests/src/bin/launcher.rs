//! Starts one program the way the library asks for (`Plan`), in namespaces of its own, and reports its end.
//!
//! It is a program and not a function because fork, unshare and setns belong in a process with one thread; a test runner
//! has many. Two sockets lead to the library. `control`: held by the launcher (and the reaper); carries errors and the
//! raw wait status; its end is the order to end everything. `gate`: held by the process that becomes the program;
//! carries `ready` (with it the kernel tells the library the outer pid), waits for the word to go on, closes on exec.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use bitts_tests::plan::{Place, Plan};
use bitts_tests::{namespace, sys};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{MsgFlags, recv, send};
use std::os::fd::AsFd;

fn main() {
    // Whatever the runner ignores or blocks is not the program's; and SIGCHLD must wait for the signalfd.
    sys::set_inherited_signals(0, sys::ALL_SIGNALS);
    let plan = Plan::parse(std::env::args_os().skip(1));
    sys::close_on_exec_from(3);
    let control = sys::inherited(plan.control);
    let gate = sys::inherited(plan.gate);
    if let Err(why) = launch(&plan, &control, gate) {
        report(&control, &format!("error {why}"));
        std::process::exit(1);
    }
}

/// One message to the library. If it is gone, there is nobody to tell.
fn report(socket: &OwnedFd, text: &str) {
    let _ = send(socket.as_raw_fd(), text.as_bytes(), MsgFlags::MSG_NOSIGNAL);
}

/// Makes the namespaces, forks, and stays until the library lets go.
fn launch(plan: &Plan, control: &OwnedFd, gate: OwnedFd) -> Result<(), String> {
    match plan.place {
        Place::Pid1 | Place::Child => {
            if let Some(pid) = plan.beside {
                namespace::enter(pid, namespace::OF_A_POD | CloneFlags::CLONE_NEWUSER)?;
            }
            let user_ids = plan.user_namespace.then_some((plan.user.unwrap_or(0), plan.group.unwrap_or(0)));
            namespace::make(user_ids, plan.pod)?;
        }
        Place::Inside(pid) => namespace::enter(pid, CloneFlags::all())?,
        // The program's orphans come here, so that nothing outlives the test.
        Place::Host => prctl::set_child_subreaper(true).map_err(|e| format!("cannot be a subreaper: {e}"))?,
    }
    let Some(child) = sys::fork().map_err(|e| format!("cannot fork: {e}"))? else { in_child(plan, control, gate) };
    drop(gate);
    attend(child, control, plan.place != Place::Child);
    if plan.place == Place::Host {
        sys::end_all_children();
    }
    Ok(())
}

/// In the first process of the new namespaces: the mounts; then it becomes the program, or the reaper above it.
fn in_child(plan: &Plan, control: &OwnedFd, gate: OwnedFd) -> ! {
    let fail = |why: String| -> ! {
        report(control, &format!("error {why}"));
        sys::exit_now(1)
    };
    // The launcher's end is ours; it cannot have ended before this line unless it was killed.
    prctl::set_pdeathsig(Signal::SIGKILL).expect("prctl");
    if matches!(plan.place, Place::Pid1 | Place::Child) {
        if plan.read_only
            && let Err(error) = sys::make_all_read_only()
        {
            fail(format!("cannot make all mounts read-only: {error}"));
        }
        if let Err(why) = namespace::mount_proc(plan.proc) {
            fail(why);
        }
    }
    if plan.place == Place::Child {
        match sys::fork() {
            Ok(Some(program)) => {
                drop(gate);
                attend(program, control, true);
                // The end of PID 1 ends all that is left in the namespace.
                sys::exit_now(0)
            }
            Ok(None) => prctl::set_pdeathsig(Signal::SIGKILL).expect("prctl"),
            Err(error) => fail(format!("cannot fork: {error}")),
        }
    }
    let why = become_program(plan, &gate);
    report(&gate, &format!("error {why}"));
    sys::exit_now(1)
}

/// Reaps every child that comes, reports the raw wait status of `child` if `it_is_the_program`, and returns when the
/// library has let go of the control socket; `child` is then dead.
fn attend(child: i32, control: &OwnedFd, it_is_the_program: bool) {
    let mut set = nix::sys::signal::SigSet::empty();
    set.add(Signal::SIGCHLD);
    let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).expect("signalfd");
    let mut alive = true;
    loop {
        while let Ok(Some((pid, status))) = sys::wait(-1, libc::WNOHANG) {
            if pid == child {
                alive = false;
                if it_is_the_program {
                    report(control, &format!("status {status}"));
                } else {
                    report(control, &format!("error the reaper ended with wait status {status}"));
                }
            }
        }
        let mut sources =
            [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(control.as_fd(), PollFlags::POLLIN)];
        // Without a limit: the library has the deadlines, and its end is seen here.
        if poll(&mut sources, PollTimeout::NONE).is_err() {
            continue;
        }
        while matches!(signals.read_signal(), Ok(Some(_))) {}
        if sources[1].revents().is_some_and(|events| !events.is_empty()) {
            break;
        }
    }
    if alive {
        let _ = sys::kill(child, libc::SIGKILL, None);
        // All signals are blocked here, so that nothing interrupts it.
        let _ = sys::wait(child, 0);
    }
}

/// All that the program shall find, and its exec; returns why it could not be.
fn become_program(plan: &Plan, gate: &OwnedFd) -> String {
    match exec(plan, gate) {
        Ok(never) => match never {},
        Err((what, error)) => format!("cannot {what}: {error}"),
    }
}

/// # Errors
/// The step that failed, and why.
fn exec(plan: &Plan, gate: &OwnedFd) -> Result<std::convert::Infallible, (String, io::Error)> {
    let step = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| (what, error)
    };
    let errno = |what: &str| {
        let what = what.to_owned();
        move |error: nix::errno::Errno| (what, io::Error::from(error))
    };
    if plan.session {
        nix::unistd::setsid().map_err(errno("make a session"))?;
    }
    if plan.terminal {
        sys::take_terminal(0).map_err(step("take the terminal"))?;
    }
    if let Some(mask) = plan.umask {
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mask));
    }
    if plan.nice != 0 {
        sys::change_nice(plan.nice).map_err(step("change the nice value"))?;
    }
    for &(resource, soft, hard) in &plan.limits {
        sys::set_limit(resource, soft, hard).map_err(step("set a limit"))?;
    }
    // In a user namespace of our own the mapping has made us that user already.
    if !(plan.user_namespace && matches!(plan.place, Place::Pid1 | Place::Child)) {
        if let Some(group) = plan.group {
            nix::unistd::setgroups(&[]).map_err(errno("drop groups"))?;
            let group = nix::unistd::Gid::from_raw(group);
            nix::unistd::setresgid(group, group, group).map_err(errno("set the group"))?;
        }
        if let Some(user) = plan.user {
            let user = nix::unistd::Uid::from_raw(user);
            nix::unistd::setresuid(user, user, user).map_err(errno("set the user"))?;
            // The kernel has cleared it with the change of user (prctl(2)).
            prctl::set_pdeathsig(Signal::SIGKILL).map_err(errno("set the parent death signal"))?;
        }
    }
    if let Some(directory) = &plan.directory {
        nix::unistd::chdir(directory.as_path()).map_err(errno("change directory"))?;
    }
    if plan.no_new_privs {
        prctl::set_no_new_privs().map_err(errno("set no_new_privs"))?;
    }
    sys::allow_tracing();
    let text = |word: &std::ffi::OsStr| CString::new(word.as_bytes()).expect("no NUL in a word");
    let program = text(plan.program.as_os_str());
    let words: Vec<CString> = plan.words.iter().map(|word| text(word)).collect();
    let words: Vec<_> = words.iter().map(CString::as_c_str).collect();
    for &(from, to) in &plan.descriptors {
        sys::duplicate(from, to).map_err(step("place a descriptor"))?;
    }
    plan.closed.iter().for_each(|&fd| sys::close(fd));

    // From here on the process looks to /proc as the program shall: what waits at the gate can be inspected.
    sys::set_inherited_signals(plan.ignored, plan.mask);
    report(gate, "ready");
    let mut word = [0; 1];
    loop {
        match recv(gate.as_raw_fd(), &mut word, MsgFlags::empty()) {
            Ok(1) => break,
            Err(nix::errno::Errno::EINTR) => {}
            // The library is gone.
            _ => sys::exit_now(1),
        }
    }
    if let Some(door) = &plan.door {
        std::fs::write(door, "0").map_err(step("join the cgroup"))?;
    }
    if !plan.refused.is_empty() {
        refuse(&plan.refused).map_err(|error| ("refuse system calls".to_owned(), io::Error::other(error)))?;
    }
    Err((format!("exec {}", plan.program.display()), sys::exec(&program, &words)))
}

/// Installs a filter for each errno; the kernel takes the strictest answer of all of them, and no call is in two.
///
/// # Errors
/// This architecture is unknown to seccompiler, or the kernel refuses filters.
fn refuse(refused: &[(u32, i64)]) -> Result<(), seccompiler::Error> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let mut errnos: Vec<_> = refused.iter().map(|(errno, _)| *errno).collect();
    errnos.dedup();
    for errno in errnos {
        let calls = refused.iter().filter(|(other, _)| *other == errno).map(|(_, call)| (*call, Vec::new())).collect();
        let architecture = std::env::consts::ARCH.try_into()?;
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::Errno(errno), architecture)?;
        seccompiler::apply_filter(&BpfProgram::try_from(filter)?)?;
    }
    Ok(())
}
