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

impl Target {
    /// Adds its name.
    fn name(self, line: &mut Line) -> &mut Line {
        match self {
            Self::Child(pid) => line.text("child ").number(pid),
            Self::Group(pid) => line.text("process group ").number(pid),
            Self::All => line.text("all processes"),
            Self::Process(pid) => line.text("process ").number(pid),
        }
    }
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
    let mut line = Line::new();
    line.text("init: ");
    match message {
        Message::CannotFork { errno } => line.text("fatal: cannot fork: ").error(errno),
        Message::ChildLost { child } => {
            line.text("fatal: child ").number(child).text(" is gone, its exit status is unknown")
        }
        Message::NoSubreaper { errno } => {
            line.text("warning: cannot become a child subreaper: ").error(errno).text(", ignoring")
        }
        Message::NoParentDeath { errno } => {
            line.text("warning: cannot set the parent-death signal: ").error(errno).text(", ignoring")
        }
        Message::CannotWait { errno } => {
            line.text("warning: cannot wait for events: ").error(errno).text(", retrying every second")
        }
        Message::NoProc => line.text("warning: no /proc of this PID namespace, ignoring"),
        Message::ReapedExited { pid, status } => {
            line.text("warning: reaped process ").number(pid).text(", exit status ").number(status.into())
        }
        Message::ReapedKilled { pid, signal } => {
            line.text("warning: reaped process ").number(pid).text(", killed by signal ").signal(signal)
        }
        Message::ChildKilled { child, signal, out_of_memory } => {
            line.text("child ").number(child).text(" was killed by signal ").signal(signal);
            match out_of_memory {
                0 => &mut line,
                count => line
                    .text("; the kernel's out-of-memory killer ended ")
                    .number(count as c_int)
                    .text(if count == 1 { " process here" } else { " processes here" }),
            }
        }
        Message::ChildExited { child, status } => {
            line.text("child ").number(child).text(" exited with status ").number(status.into())
        }
        Message::ChildStopped { child, signal } => {
            line.text("child ").number(child).text(" was stopped by ").signal(signal)
        }
        Message::StopTimeout { child } => line.text("stop timeout over, killed child ").number(child),
        Message::GraceOver => line.text("grace period over, killing remaining processes"),
        Message::GraceCutShort => line.text("grace period cut short, killing remaining processes"),
        Message::Left => line.text("warning: some processes are left, ignoring"),
        Message::NoEffect { signal } => line.text("rewriting ").signal(signal).text(" has no effect"),
        Message::Sent { signal, target } => target.name(line.text("sent ").signal(signal).text(" to ")),
        Message::CannotSend { signal, target, errno } => {
            target.name(line.text("cannot send ").signal(signal).text(" to ")).text(": ").error(errno)
        }
        Message::QueueFull { signal } => line.signal(signal).text(" is waiting for room in the queue of the child"),
        Message::DroppedByRule { signal } => line.text("dropped ").signal(signal).text(": rewrite rule"),
        Message::DroppedAsShared { signal } => line.text("dropped ").signal(signal).text(": the child already has it"),
        Message::DroppedUncaught { signal, target: Target::Child(_) } => {
            line.text("dropped ").signal(signal).text(": not caught by the child")
        }
        Message::DroppedUncaught { signal, target } => {
            target.name(line.text("dropped ").signal(signal).text(": not caught by "))
        }
        Message::GaveTerminal { group } => line.text("gave the terminal to process group ").number(group),
        Message::TookTerminal => line.text("took the terminal back"),
    };
    line.text("\n");
    line
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
