//! Everything init says while it runs, one line each. Usage errors are in [`crate::cli`].

use crate::bytes::{nth_line, numbered};
use crate::line::Line;
use crate::signal::SignalNumber;
use core::ffi::c_int;

/// Whom a message is about: where a signal goes, or who ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)] // As small as the other fields of a message: their constants are one store.
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

/// Declares the messages: a number for each, and one text that holds their wordings, a line each in the same order. Found by
/// counting lines, a wording costs no pointer.
macro_rules! wordings {
    ($($name:ident: $wording:literal,)*) => {
        /// Which message it is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Text {
            $(#[doc = $wording] $name,)*
        }

        /// The wordings.
        const WORDINGS: &str = concat!($($wording, "\n"),*);
    };
}

// `@` stands for the target, `$` for the signal, `#` for the number, `!` for the wording of that error number and `?` for what to
// check then; `*`, `%`, `<` and `>` for the words of [`Words`].
wordings! {
    UnknownOption: "fatal: unknown option *",
    NoProgram: "fatal: no program given",
    NoValue: "fatal: option * needs a value: <",
    InvalidValue: "fatal: %: invalid < * (expected >)",
    NoValueWanted: "fatal: % takes no value (given *)",
    CannotExecute: "fatal: cannot execute *: !?",
    CannotFork: "fatal: cannot fork: !",
    ChildLost: "fatal: @ is gone, its exit status is unknown",
    NoSubreaper: "warning: cannot become a child subreaper: !, ignoring",
    NoParentDeath: "warning: cannot set the parent-death signal: !, ignoring",
    CannotWait: "warning: cannot wait for events: !, retrying every second",
    NoProc: "warning: no /proc of this PID namespace, ignoring",
    ReapedExited: "warning: reaped @, exit status #",
    ReapedKilled: "warning: reaped @, killed by signal $",
    ChildKilled: "@ was killed by signal $",
    OutOfMemoryOnce: "@ was killed by signal $; the kernel's out-of-memory killer ended # process here",
    OutOfMemory: "@ was killed by signal $; the kernel's out-of-memory killer ended # processes here",
    StopTimeout: "stop timeout over, killed @",
    GraceOver: "grace period over, killing remaining processes",
    GraceCutShort: "grace period cut short, killing remaining processes",
    Left: "warning: some processes are left, ignoring",
    // From here on they are for `--verbose` only.
    Started: "started @: *",
    ChildExited: "@ exited with status #",
    ChildStopped: "@ was stopped by $",
    NoEffect: "rewriting $ has no effect",
    Sent: "sent $ to @",
    CannotSend: "cannot send $ to @: !",
    QueueFull: "$ is waiting for room in the queue of the child",
    DroppedByRule: "dropped $: rewrite rule",
    DroppedAsShared: "dropped $: the child already has it",
    NotCaughtByChild: "dropped $: not caught by the child",
    NotCaught: "dropped $: not caught by @",
    GaveTerminal: "gave the terminal to @",
    TookTerminal: "took the terminal back",
}

/// A message, 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Message {
    /// Which.
    pub text: Text,
    /// Whom it is about; where it is about no process, [`Target::All`].
    pub target: Target,
    /// The signal; 0 where it is about none.
    pub signal: u8,
    /// An exit status, an error number, or how many.
    pub number: c_int,
}

impl Message {
    /// All that it is made of.
    const fn new(text: Text, target: Target, signal: SignalNumber, number: c_int) -> Self {
        Self { text, target, signal: signal as u8, number }
    }
}

#[rustfmt::skip] // A table.
#[expect(missing_docs, clippy::must_use_candidate, reason = "the wording of each says what it means")]
impl Message {
    pub const fn usage(text: Text) -> Self { Self::new(text, Target::All, 0, 0) }
    pub const fn cannot_execute(errno: c_int) -> Self { Self::new(Text::CannotExecute, Target::All, 0, errno) }
    pub const fn started(child: c_int) -> Self { Self::new(Text::Started, Target::Child(child), 0, 0) }
    pub const fn cannot_fork(errno: c_int) -> Self { Self::new(Text::CannotFork, Target::All, 0, errno) }
    pub const fn child_lost(child: c_int) -> Self { Self::new(Text::ChildLost, Target::Child(child), 0, 0) }
    pub const fn no_subreaper(errno: c_int) -> Self { Self::new(Text::NoSubreaper, Target::All, 0, errno) }
    pub const fn no_parent_death(errno: c_int) -> Self { Self::new(Text::NoParentDeath, Target::All, 0, errno) }
    pub const fn cannot_wait(errno: c_int) -> Self { Self::new(Text::CannotWait, Target::All, 0, errno) }
    pub const fn no_proc() -> Self { Self::new(Text::NoProc, Target::All, 0, 0) }
    pub const fn reaped_exited(pid: c_int, status: u8) -> Self { Self::new(Text::ReapedExited, Target::Process(pid), 0, status as c_int) }
    pub const fn reaped_killed(pid: c_int, signal: SignalNumber) -> Self { Self::new(Text::ReapedKilled, Target::Process(pid), signal, 0) }
    pub const fn child_killed(child: c_int, signal: SignalNumber, out_of_memory: u32) -> Self {
        let text = match out_of_memory {
            0 => Text::ChildKilled,
            1 => Text::OutOfMemoryOnce,
            _ => Text::OutOfMemory,
        };
        Self::new(text, Target::Child(child), signal, out_of_memory as c_int)
    }
    pub const fn child_exited(child: c_int, status: u8) -> Self { Self::new(Text::ChildExited, Target::Child(child), 0, status as c_int) }
    pub const fn child_stopped(child: c_int, signal: SignalNumber) -> Self { Self::new(Text::ChildStopped, Target::Child(child), signal, 0) }
    pub const fn stop_timeout(child: c_int) -> Self { Self::new(Text::StopTimeout, Target::Child(child), 0, 0) }
    pub const fn grace_over() -> Self { Self::new(Text::GraceOver, Target::All, 0, 0) }
    pub const fn grace_cut_short() -> Self { Self::new(Text::GraceCutShort, Target::All, 0, 0) }
    pub const fn left() -> Self { Self::new(Text::Left, Target::All, 0, 0) }
    pub const fn no_effect(signal: SignalNumber) -> Self { Self::new(Text::NoEffect, Target::All, signal, 0) }
    pub const fn sent(signal: SignalNumber, target: Target) -> Self { Self::new(Text::Sent, target, signal, 0) }
    pub const fn cannot_send(signal: SignalNumber, target: Target, errno: c_int) -> Self { Self::new(Text::CannotSend, target, signal, errno) }
    pub const fn queue_full(signal: SignalNumber) -> Self { Self::new(Text::QueueFull, Target::All, signal, 0) }
    pub const fn dropped_by_rule(signal: SignalNumber) -> Self { Self::new(Text::DroppedByRule, Target::All, signal, 0) }
    pub const fn dropped_as_shared(signal: SignalNumber) -> Self { Self::new(Text::DroppedAsShared, Target::All, signal, 0) }
    pub const fn not_caught_by_child(signal: SignalNumber) -> Self { Self::new(Text::NotCaughtByChild, Target::All, signal, 0) }
    pub const fn not_caught(signal: SignalNumber, target: Target) -> Self { Self::new(Text::NotCaught, target, signal, 0) }
    pub const fn gave_terminal(group: c_int) -> Self { Self::new(Text::GaveTerminal, Target::Group(group), 0, 0) }
    pub const fn took_terminal() -> Self { Self::new(Text::TookTerminal, Target::All, 0, 0) }
}

/// Is the message only for `--verbose`?
#[must_use]
pub const fn is_verbose(message: &Message) -> bool {
    message.text as u8 >= Text::Started as u8
}

/// The words of a message.
#[derive(Clone, Copy, Default)]
pub struct Words<'a> {
    /// A word from outside; it is shown in quotes.
    pub word: &'a [u8],
    /// The option or the variable that it is about.
    pub option: &'a [u8],
    /// What the option's value is called.
    pub value: &'a [u8],
    /// What it must look like.
    pub form: &'a [u8],
}

/// The message as a line, with its newline.
#[must_use]
pub fn line(message: Message) -> Line {
    line_about(message, Words::default())
}

/// The message as a line, with words in it.
#[must_use]
pub fn line_about(message: Message, words: Words) -> Line {
    let mut line = Line::new();
    line.text("init: ");
    for mark in nth_line(WORDINGS, message.text as c_int) {
        put(&mut line, *mark, &message, &words);
    }
    line.text("\n");
    line
}

/// Adds what a byte of a wording stands for.
#[inline(never)] // In the loop, all that a message holds would be copied to the stack first.
fn put(line: &mut Line, mark: u8, message: &Message, words: &Words) {
    match mark {
        b'@' => match message.target {
            Target::Child(pid) => line.text("child ").number(pid),
            Target::Group(pid) => line.text("process group ").number(pid),
            Target::Process(pid) => line.text("process ").number(pid),
            Target::All => line.text("all processes"),
        },
        b'$' => line.signal(SignalNumber::from(message.signal)),
        b'#' => line.number(message.number),
        b'!' => line.error(message.number),
        b'?' => match numbered(PLACES_TO_LOOK_AT, message.number) {
            b"" => line,
            places => line.text("; check ").add(places),
        },
        b'*' => line.quoted(words.word),
        b'%' => line.add(words.option),
        b'<' => line.add(words.value),
        b'>' => line.add(words.form),
        byte => line.add(&[byte]),
    };
}

/// What to check after exec failed (exec(3), ERRORS): a line for each error number that has something, after that number.
const PLACES_TO_LOOK_AT: &str = "\
1 a nosuid mount, seccomp, security modules
2 PATH, the file in the image, its interpreter
7 the length of arguments and environment
8 the architecture it was built for, its first line
11 the limits on processes
12 the limits on memory
13 its x permission, the folders above it, a noexec mount
20 the folders above it
26 which process writes to it
40 the links, the interpreter
";
