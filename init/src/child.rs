//! The child from its birth to its exec (contract I7–I10). It shares the parent's memory: it writes nothing there but its
//! own stack, the vectors that execve(2) takes, and the one word that says why exec failed.

use crate::sys::{self, Pid, Vector};
use bare::{Errno, Mask};
use core::sync::atomic::{AtomicI32, Ordering};
use init_core::bytes::{behind, take};
use init_core::message::Line;
use init_core::program;
use libc::{SIG_IGN, SIGCHLD};

/// What the child is to do. Made by the parent before the child exists, and not changed after.
pub struct Plan {
    /// init's arguments.
    pub arguments: Vector<'static>,
    /// Where the program's words begin among them; at least 1.
    pub first: usize,
    /// init's environment.
    pub environment: Vector<'static>,
    /// The mask that init was started with.
    pub mask: Mask,
    /// init was started with SIGCHLD ignored.
    pub ignore_sigchld: bool,
    /// The child gets a process group of its own.
    pub own_group: bool,
    /// init leads its session.
    pub leads_session: bool,
    /// init's controlling terminal.
    pub terminal: Option<libc::c_int>,
    /// That terminal is init's to hand over to that group.
    pub hand_over: bool,
    /// init's pid.
    pub parent: Pid,
    /// 0, or the errno with which exec failed.
    pub failure: AtomicI32,
}

/// Runs a file that the kernel does not know to execute (execvp, exec(3)).
const SHELL: &[u8] = b"/bin/sh\0";

/// The child's life until its program takes over; on failure it leaves the reason in the plan.
pub fn run(plan: &Plan) -> ! {
    // 1. The group first: before any signal can be sent to it, and before the terminal is handed to it. The parent makes it
    //    too, for it may be the faster of the two; so whoever comes second is told an error that means nothing.
    if plan.own_group {
        let _ = sys::make_group(0);
        if let Some(terminal) = plan.terminal
            && plan.hand_over
        {
            // In the child, so that the program cannot read before its group is the foreground one. Without it the
            // program runs in the background, which is no reason not to run it.
            let _ = sys::set_foreground(terminal, bare::own_pid());
        }
    }
    // 2. Dispositions, then the mask: a signal that waits for the mask must meet the disposition that init inherited.
    if plan.ignore_sigchld {
        bare::set_disposition(SIGCHLD, SIG_IGN);
    }
    bare::set_mask(plan.mask);

    // 3. The program.
    let Errno(reason) = execute(plan);
    plan.failure.store(reason, Ordering::Release);
    bare::exit(init_core::status::exec_failure(reason))
}

/// Executes the program as execvp(3) would, with the variables of systemd's protocols put right.
fn execute(plan: &Plan) -> Errno {
    let environment = plan.environment.from(0);
    let (mut listen, mut watchdog) = ([0; 32], [0; 32]);
    if rename_owner(plan, &environment, b"LISTEN_PID=", &mut listen)
        && let Some((index, _)) = find(&environment, b"LISTEN_PIDFDID=")
    {
        // It names the pidfd of the process that was meant: init's, and so wrong now (sd_listen_fds(3)).
        environment.from(index).remove_first();
    }
    rename_owner(plan, &environment, b"WATCHDOG_PID=", &mut watchdog);
    search(plan, &environment)
}

/// If the variable `name` (with its `=`) holds init's pid, puts the child's in its place, in `memory`. Was it so?
fn rename_owner<'w>(plan: &Plan, environment: &Vector<'w>, name: &[u8], memory: &'w mut [u8; 32]) -> bool {
    let mut assignment = Line::new(memory);
    assignment.add(name);
    assignment.number(plan.parent);
    let Some((index, [])) = find(environment, assignment.bytes()) else { return false };
    assignment.cut(name.len());
    assignment.number(bare::own_pid());
    environment.from(index).replace_first(assignment.into_string());
    true
}

/// The first variable that begins with `name`: where it stands, and what follows.
#[inline(never)]
fn find<'w>(environment: &Vector<'w>, name: &[u8]) -> Option<(usize, &'w [u8])> {
    environment.words().enumerate().find_map(|(index, word)| Some((index, behind(word, name)?)))
}

/// Looks the program up on PATH and executes it.
#[inline(never)]
fn search(plan: &Plan, environment: &Vector) -> Errno {
    let mut outcome = Errno(libc::ENOENT);
    let name = plan.arguments.from(plan.first).words().next().unwrap_or_default();
    let slash = take(&mut &*name, b'/').len() < name.len();
    let mut path = match find(environment, b"PATH=") {
        // With a slash in it the name is a path: as if PATH had one empty element.
        _ if slash => b"",
        Some((_, path)) => path,
        None => program::DEFAULT_PATH,
    };
    let mut memory = [0; program::PATH_MAX];
    let mut candidate = Line::new(&mut memory);
    loop {
        let last = path.len();
        let directory = take(&mut path, b':');
        candidate.cut(0);
        // An empty element is the working directory.
        if !directory.is_empty() {
            candidate.add(directory);
            candidate.add(b"/");
        }
        candidate.add(name);
        let failed = if name.is_empty() { outcome } else { attempt(candidate.string(), plan, environment) };
        if slash || !program::search_goes_on(failed.0) {
            return failed;
        }
        // It may be there for us elsewhere; if not, this is what to tell.
        if failed.0 == libc::EACCES {
            outcome = failed;
        }
        if directory.len() == last {
            return outcome;
        }
    }
}

/// Executes the file `path`; one that the kernel does not know, and that looks like a script, by the shell.
#[inline(never)]
fn attempt(path: &[u8], plan: &Plan, environment: &Vector) -> Errno {
    let failed = sys::execute(path, &plan.arguments.from(plan.first), environment);
    if failed != Errno(libc::ENOEXEC) || !is_script(path) {
        return failed;
    }
    // `sh FILE ARG…` is one word longer than `PROGRAM ARG…`: it takes the place of the word before, which is one of init's.
    let mut arguments = plan.arguments.from(plan.first - 1);
    arguments.replace_first(SHELL);
    arguments.from(1).replace_first(path);
    sys::execute(SHELL, &arguments, environment);
    // Not the shell's reason: the search on PATH must not go on with these arguments.
    failed
}

/// Reads the head of a file and judges it. What cannot be read is no script.
fn is_script(path: &[u8]) -> bool {
    let mut head = [0; 256];
    let Ok(file) = sys::open(path, libc::O_RDONLY) else { return false };
    let length = sys::read(file, &mut head);
    sys::close(file);
    length.ok().and_then(|length| head.get(..length as usize)).is_some_and(program::is_script)
}
