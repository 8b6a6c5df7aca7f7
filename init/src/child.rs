//! The child from its birth to its exec (contract I7–I10). It shares the parent's memory: it writes nothing there but its
//! own stack, the vectors that execve(2) takes, and the one word that says why exec failed.

use crate::sys::{self, Pid, Vector};
use bare::{Errno, Mask};
use core::sync::atomic::{AtomicI32, Ordering};
use init_core::bytes::take;
use init_core::message::{CString, Line};
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
    /// It gets a session of its own, and the terminal with it.
    pub session: bool,
    /// init's process group, where there is a terminal: only there it is asked for.
    pub group: Pid,
    /// init leads its session, and there is a terminal.
    pub leads_session: bool,
    /// init's controlling terminal; negative if none is known.
    pub terminal: libc::c_int,
    /// That terminal is init's to hand over to that group.
    pub hand_over: bool,
    /// init's pid.
    pub parent: Pid,
    /// 0, or the errno with which exec failed.
    pub failure: AtomicI32,
}

/// Runs a file that the kernel does not know to execute (execvp, exec(3)).
const SHELL: CString = CString::literal(b"/bin/sh\0");

/// The child's life until its program takes over; on failure it leaves the reason in the plan.
pub fn run(plan: &Plan) -> ! {
    // 1. The group first: before any signal can be sent to it, and before the terminal is handed to it. The parent makes it
    //    too, for it may be the faster of the two; so whoever comes second is told an error that means nothing.
    if plan.session {
        sys::make_session();
        // Where init has none, standard input may be one that is nobody's yet.
        sys::take_terminal(plan.terminal.max(0));
    } else if plan.own_group {
        let _ = sys::make_group(0);
        if plan.hand_over {
            // In the child, so that the program cannot read before its group is the foreground one. Without it the
            // program runs in the background, which is no reason not to run it.
            let _ = sys::set_foreground(plan.terminal, bare::own_pid());
        }
    }
    // 2. Dispositions, then the mask: a signal that waits for the mask must meet the disposition that init inherited.
    if plan.ignore_sigchld {
        bare::set_disposition(SIGCHLD, SIG_IGN);
    }
    sys::set_mask(plan.mask);

    // 3. The program.
    let reason = execute(plan).number();
    plan.failure.store(reason, Ordering::Release);
    bare::exit(init_core::status::exec_failure(reason))
}

/// Executes the program as execvp(3) would, with the variables of systemd's protocols put right.
#[inline(always)]
fn execute(plan: &Plan) -> Errno {
    let (mut listen, mut watchdog) = ([0; 32], [0; 32]);
    if rename_owner(plan, b"LISTEN_PID=", &mut listen)
        && let Some(mut variable) = find(plan, b"LISTEN_PIDFDID=")
    {
        // It names the pidfd of the process that was meant: init's, and so wrong now (sd_listen_fds(3)).
        variable.remove_first();
    }
    rename_owner(plan, b"WATCHDOG_PID=", &mut watchdog);
    search(plan)
}

/// If the variable `name` (with its `=`) holds init's pid, puts the child's in its place, in `memory`. Was it so?
fn rename_owner(plan: &Plan, name: &[u8], memory: &mut [u8; 32]) -> bool {
    let mut assignment = Line::new(memory);
    assignment.add(name);
    assignment.number(plan.parent);
    let Some(mut variable) = find(plan, assignment.bytes()) else { return false };
    if variable.first().map_or(0, <[u8]>::len) != assignment.bytes().len() {
        return false;
    }
    assignment.cut(name.len());
    assignment.number(bare::own_pid());
    variable.replace_first(assignment.into_string());
    true
}

/// The first variable that begins with `name`.
#[inline(never)]
fn find<'w>(plan: &Plan, name: &[u8]) -> Option<Vector<'w>> {
    let mut variables = plan.environment.from(0);
    loop {
        if variables.begins_with(name)? {
            return Some(variables);
        }
        variables = variables.from(1);
    }
}

/// Looks the program up on PATH and executes it.
#[inline(always)]
fn search(plan: &Plan) -> Errno {
    let mut outcome = Errno::ENOENT;
    let name = plan.arguments.from(plan.first).first().unwrap_or_default();
    let slash = take(&mut &*name, b'/').len() < name.len();
    let variable = find(plan, b"PATH=");
    let mut path = match variable.as_ref().and_then(Vector::first) {
        // With a slash in it the name is a path: as if PATH had one empty element.
        _ if slash => b"",
        Some(path) => path.get(5..).unwrap_or_default(),
        None => program::DEFAULT_PATH,
    };
    // init's memory is shared with the child, and kept: a page for long paths is not touched where none can come.
    let mut few = [0; 192];
    let mut candidate = Line::new(if name.len() + path.len() < few.len() - 2 {
        &mut few
    } else {
        match sys::memory::<{ program::PATH_ROOM }>() {
            Ok(memory) => memory,
            Err(error) => return error,
        }
    });
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
        let failed = if name.is_empty() { outcome } else { attempt(candidate.string(), plan) };
        if slash || !program::search_goes_on(failed.number()) {
            return failed;
        }
        // It may be there for us elsewhere; if not, this is what to tell.
        if failed.number() == libc::EACCES {
            outcome = failed;
        }
        if directory.len() == last {
            return outcome;
        }
    }
}

/// Executes the file `path`; one that the kernel does not know, and that looks like a script, by the shell.
#[inline(never)]
fn attempt(path: CString, plan: &Plan) -> Errno {
    let failed = sys::execute(path, plan.arguments.from(plan.first), &plan.environment);
    if failed != Errno::ENOEXEC || !is_script(path) {
        return failed;
    }
    // `sh FILE ARG…` is one word longer than `PROGRAM ARG…`: it takes the place of the word before, which is one of init's.
    let mut arguments = plan.arguments.from(plan.first - 1);
    arguments.replace_first(SHELL);
    arguments.from(1).replace_first(path);
    sys::execute(SHELL, arguments, &plan.environment);
    // Not the shell's reason: the search on PATH must not go on with these arguments.
    failed
}

/// Reads the head of a file and judges it. What cannot be read is no script.
fn is_script(path: CString) -> bool {
    let mut head = [0; 128];
    sys::read_file(path, &mut head).is_some_and(program::is_script)
}
