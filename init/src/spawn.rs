//! The child, from its birth to its exec (contract I7 to I10). It is a plain fork: it shares no memory with PID 1, so whatever
//! ends it ends it alone, and it tells by itself why its exec failed.

use crate::sys::{self, Pid, Vector};
use bare::{Errno, Mask};
use core::ffi::{CStr, c_int};
use init_core::bytes::take;
use init_core::cli::Persona;
use init_core::line::Line;
use init_core::messages::Message;
use init_core::program;
use libc::{SIG_IGN, SIGCHLD};

/// What the child is to do.
pub struct Plan<'w> {
    /// init's arguments.
    pub arguments: Vector<'w>,
    /// Where the program's words begin among them; at least 1.
    pub first: usize,
    /// init's environment.
    pub environment: Vector<'w>,
    /// The mask that init was started with.
    pub mask: Mask,
    /// init was started with SIGCHLD ignored.
    pub ignore_sigchld: bool,
    /// The child gets a process group of its own.
    pub own_group: bool,
    /// It gets a session of its own, and the terminal with it.
    pub session: bool,
    /// init's controlling terminal, if there is one.
    pub terminal: Option<c_int>,
    /// That terminal is handed over to the child's group.
    pub hand_over: bool,
    /// init's pid.
    pub parent: Pid,
    /// The name that init is called by: it sets the exit status of a failed exec.
    pub persona: Persona,
}

/// Starts the child and returns its pid.
///
/// # Errors
/// Those of fork(2).
pub fn spawn(plan: Plan) -> Result<Pid, Errno> {
    let own_group = plan.own_group && !plan.session;
    match sys::fork()? {
        0 => run(plan),
        child => {
            // The child does the same, and the first of the two makes the group: it exists before a signal can be sent to it
            // (I8). A session is the child's alone to make; until then it is the only process that its group would have.
            if own_group {
                let _ = sys::make_group(child);
            }
            Ok(child)
        }
    }
}

/// The child's life until its program takes over; if that fails it tells why and ends.
fn run(plan: Plan) -> ! {
    // 1. The group, before the terminal is handed to it. The parent makes it as well, so the second of the two is told an error
    //    that means nothing.
    if plan.session {
        sys::make_session();
        // Where init has no terminal, standard input may be one that no session has yet.
        sys::take_terminal(plan.terminal.unwrap_or(libc::STDIN_FILENO));
    } else if plan.own_group {
        let _ = sys::make_group(0);
        if plan.hand_over
            && let Some(terminal) = plan.terminal
        {
            // Here, and not in the parent: the program must not read before its group is the foreground one. If it fails the
            // program runs in the background, which is no reason not to run it.
            let _ = sys::set_foreground(terminal, bare::own_pid());
        }
    }
    // 2. Dispositions, then the mask: a signal that is pending must meet the disposition that init inherited.
    if plan.ignore_sigchld {
        bare::set_disposition(SIGCHLD, SIG_IGN);
    }
    bare::set_mask(plan.mask);

    // 3. The program. Its name is kept for the message: the vector may be changed for a script.
    let program = plan.arguments.from(plan.first).first().unwrap_or_default();
    let errno = execute(&plan).number();

    // 4. Blocked again, because the broken stderr of a message must not kill it.
    bare::set_mask(bare::ALL_SIGNALS);
    crate::say_about(Message::cannot_execute(errno), program);
    bare::exit(plan.persona.exec_failure(errno))
}

/// Executes the program as execvp(3) would, with the variables of systemd's protocols put right.
fn execute(plan: &Plan) -> Errno {
    // These live as long as the environment that points to them: until exec.
    let (mut listen, mut watchdog) = (Line::new(), Line::new());
    let environment = plan.environment.from(0);
    if replace_owner(&environment, b"LISTEN_PID=", plan.parent, &mut listen)
        && let Some(mut variable) = environment.find(b"LISTEN_PIDFDID=")
    {
        // It names the pidfd of the process that was meant: init's, and so wrong now (sd_listen_fds(3)).
        variable.remove_first();
    }
    replace_owner(&environment, b"WATCHDOG_PID=", plan.parent, &mut watchdog);
    search(plan, &environment)
}

/// If the variable `name` (with its `=`) holds init's pid, puts the child's in its place, in `memory`. Was it so?
fn replace_owner<'w>(environment: &Vector<'w>, name: &[u8], parent: Pid, memory: &'w mut Line) -> bool {
    memory.add(name).number(parent).push(0);
    let Some(mut variable) = environment.find(memory.bytes()) else { return false };
    memory.cut(name.len());
    memory.number(bare::own_pid());
    variable.replace_first(memory.c_str());
    true
}

/// Looks the program up on PATH and executes it.
fn search(plan: &Plan, environment: &Vector) -> Errno {
    const NAME: &[u8] = b"PATH=";
    let name = plan.arguments.from(plan.first).first().unwrap_or_default();
    let is_path = take(&mut &*name, b'/').len() < name.len();
    let mut path = program::DEFAULT_PATH;
    if is_path {
        // As if PATH had one empty element.
        path = b"";
    } else if let Some(variable) = environment.find(NAME) {
        path = variable.first().and_then(|variable| variable.get(NAME.len()..)).unwrap_or_default();
    }
    let mut outcome = Errno::ENOENT;
    let mut candidate = Line::<{ program::PATH_ROOM + 1 }>::new();
    loop {
        let length = path.len();
        let directory = take(&mut path, b':');
        let is_last = directory.len() == length;
        candidate.clear();
        // An empty element is the working directory.
        if !directory.is_empty() {
            candidate.add(directory).push(b'/');
        }
        candidate.add(name);
        let failed = if name.is_empty() { outcome } else { attempt(candidate.c_str(), plan, environment) };
        if is_path || !program::search_goes_on(failed.number()) {
            return failed;
        }
        // A file that was there, and could not be executed, is told rather than that none was there.
        if failed == Errno::EACCES {
            outcome = failed;
        }
        if is_last {
            return outcome;
        }
    }
}

/// Executes the file `path`; one that the kernel does not know, and that looks like a script, by the shell.
#[inline(never)] // What is_script reads would lie in a frame of a page.
fn attempt(path: &CStr, plan: &Plan, environment: &Vector) -> Errno {
    const SHELL: &CStr = c"/bin/sh";
    let failed = sys::execute(path, &plan.arguments.from(plan.first), environment);
    if failed != Errno::ENOEXEC || !is_script(path) {
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
fn is_script(path: &CStr) -> bool {
    let mut head = [0; 256];
    let Ok(file) = sys::open(path, libc::O_RDONLY) else { return false };
    let length = sys::read(file, &mut head);
    bare::close(file);
    length.is_ok_and(|length| program::is_script(head.get(..length).unwrap_or_default()))
}
