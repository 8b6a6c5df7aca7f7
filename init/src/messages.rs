//! Everything init says while it runs, one line each. Usage errors are in [`crate::cli`].

use crate::line::Line;
use crate::signal::SignalNumber;
use core::ffi::c_int;

/// Where a signal goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// The child.
    Child(c_int),
    /// The process group that the child leads.
    Group(c_int),
    /// All processes of the PID namespace.
    All,
    /// One of several processes.
    Process(c_int),
}

/// A message; numbers are pids, signals, exit statuses and error numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, clippy::missing_docs_in_private_items, reason = "the wording below says what each one means")]
pub enum Message {
    CannotFork { errno: c_int },
    ChildLost { child: c_int },
    NoSubreaper { errno: c_int },
    NoParentDeath { errno: c_int },
    CannotWait { errno: c_int },
    NoProc,
    ReapedExited { pid: c_int, status: u8 },
    ReapedKilled { pid: c_int, signal: SignalNumber },
    ChildKilled { child: c_int, signal: SignalNumber, out_of_memory: u32 },
    ChildExited { child: c_int, status: u8 },
    ChildStopped { child: c_int, signal: SignalNumber },
    StopTimeout { child: c_int },
    GraceOver,
    GraceCutShort,
    Left,
    NoEffect { signal: SignalNumber },
    Sent { signal: SignalNumber, target: Target },
    CannotSend { signal: SignalNumber, target: Target, errno: c_int },
    QueueFull { signal: SignalNumber },
    DroppedByRule { signal: SignalNumber },
    DroppedAsShared { signal: SignalNumber },
    DroppedUncaught { signal: SignalNumber, target: Target },
    GaveTerminal { group: c_int },
    TookTerminal,
}

/// Is the message only for `--verbose`?
#[must_use]
pub const fn is_verbose(message: &Message) -> bool {
    matches!(
        message,
        Message::ChildExited { .. }
            | Message::ChildStopped { .. }
            | Message::NoEffect { .. }
            | Message::Sent { .. }
            | Message::CannotSend { .. }
            | Message::QueueFull { .. }
            | Message::DroppedByRule { .. }
            | Message::DroppedAsShared { .. }
            | Message::DroppedUncaught { .. }
            | Message::GaveTerminal { .. }
            | Message::TookTerminal
    )
}

/// The message as a line, with its newline.
#[must_use]
pub fn line(message: Message) -> Line {
    let (template, arguments) = wording(message);
    let mut line = Line::new();
    line.text("init: ").fill(template, arguments).text("\n");
    line
}

/// What a message says. In a template `#` stands for a number, `$` for a signal, `!` for the wording of an error number, each for
/// the next of the arguments.
#[rustfmt::skip] // A table.
const fn wording(message: Message) -> (&'static str, [c_int; 3]) {
    match message {
        Message::CannotFork { errno } => ("fatal: cannot fork: !", [errno, 0, 0]),
        Message::ChildLost { child } => ("fatal: child # is gone, its exit status is unknown", [child, 0, 0]),
        Message::NoSubreaper { errno } => ("warning: cannot become a child subreaper: !, ignoring", [errno, 0, 0]),
        Message::NoParentDeath { errno } => ("warning: cannot set the parent-death signal: !, ignoring", [errno, 0, 0]),
        Message::CannotWait { errno } => ("warning: cannot wait for events: !, retrying every second", [errno, 0, 0]),
        Message::NoProc => ("warning: no /proc of this PID namespace, ignoring", [0; 3]),
        Message::ReapedExited { pid, status } => ("warning: reaped process #, exit status #", [pid, status as c_int, 0]),
        Message::ReapedKilled { pid, signal } => ("warning: reaped process #, killed by signal $", [pid, signal, 0]),
        Message::ChildKilled { child, signal, out_of_memory: 0 } => ("child # was killed by signal $", [child, signal, 0]),
        Message::ChildKilled { child, signal, out_of_memory: 1 } => (
            "child # was killed by signal $; the kernel's out-of-memory killer ended 1 process here", [child, signal, 0],
        ),
        Message::ChildKilled { child, signal, out_of_memory } => (
            "child # was killed by signal $; the kernel's out-of-memory killer ended # processes here",
            [child, signal, out_of_memory as c_int],
        ),
        Message::ChildExited { child, status } => ("child # exited with status #", [child, status as c_int, 0]),
        Message::ChildStopped { child, signal } => ("child # was stopped by $", [child, signal, 0]),
        Message::StopTimeout { child } => ("stop timeout over, killed child #", [child, 0, 0]),
        Message::GraceOver => ("grace period over, killing remaining processes", [0; 3]),
        Message::GraceCutShort => ("grace period cut short, killing remaining processes", [0; 3]),
        Message::Left => ("warning: some processes are left, ignoring", [0; 3]),
        Message::NoEffect { signal } => ("rewriting $ has no effect", [signal, 0, 0]),
        Message::Sent { signal, target } => match target {
            Target::Child(pid) => ("sent $ to child #", [signal, pid, 0]),
            Target::Group(pid) => ("sent $ to process group #", [signal, pid, 0]),
            Target::All => ("sent $ to all processes", [signal, 0, 0]),
            Target::Process(pid) => ("sent $ to process #", [signal, pid, 0]),
        },
        Message::CannotSend { signal, target, errno } => match target {
            Target::Child(pid) => ("cannot send $ to child #: !", [signal, pid, errno]),
            Target::Group(pid) => ("cannot send $ to process group #: !", [signal, pid, errno]),
            Target::All => ("cannot send $ to all processes: !", [signal, errno, 0]),
            Target::Process(pid) => ("cannot send $ to process #: !", [signal, pid, errno]),
        },
        Message::QueueFull { signal } => ("$ is waiting for room in the queue of the child", [signal, 0, 0]),
        Message::DroppedByRule { signal } => ("dropped $: rewrite rule", [signal, 0, 0]),
        Message::DroppedAsShared { signal } => ("dropped $: the child already has it", [signal, 0, 0]),
        Message::DroppedUncaught { signal, target: Target::Process(pid) } => ("dropped $: not caught by process #", [signal, pid, 0]),
        Message::DroppedUncaught { signal, .. } => ("dropped $: not caught by the child", [signal, 0, 0]),
        Message::GaveTerminal { group } => ("gave the terminal to process group #", [group, 0, 0]),
        Message::TookTerminal => ("took the terminal back", [0; 3]),
    }
}

/// The program could not be executed.
#[must_use]
pub fn cannot_execute(program: &[u8], errno: c_int) -> Line {
    let mut line = Line::new();
    line.text("init: fatal: cannot execute ").quoted(program).text(": ").error(errno);
    let places = places_to_look_at(errno);
    if !places.is_empty() {
        line.text("; check ").text(places);
    }
    line.text("\n");
    line
}

/// The child was started. For `--verbose`.
#[must_use]
pub fn started(child: c_int, program: &[u8]) -> Line {
    let mut line = Line::new();
    line.text("init: started child ").number(child).text(": ").quoted(program).text("\n");
    line
}

/// What to check after exec failed with `errno` (exec(3), ERRORS).
const fn places_to_look_at(errno: c_int) -> &'static str {
    match errno {
        libc::EPERM => "a nosuid mount, seccomp, security modules",
        libc::ENOENT => "PATH, the file in the image, its interpreter",
        libc::E2BIG => "the length of arguments and environment",
        libc::ENOEXEC => "the architecture it was built for, its first line",
        libc::EAGAIN => "the limits on processes",
        libc::ENOMEM => "the limits on memory",
        libc::EACCES => "its x permission, the folders above it, a noexec mount",
        libc::ENOTDIR => "the folders above it",
        libc::ETXTBSY => "which process writes to it",
        libc::ELOOP => "the links, the interpreter",
        _ => "",
    }
}
