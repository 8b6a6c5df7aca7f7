//! `init`: PID 1 of a container. Starts one child, forwards signals to it, reaps every zombie, ends with its status.

#![no_std]
#![no_main]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(not(target_env = "musl"))]
compile_error!("init is linked for musl only: cargo build --release --package init --target x86_64-unknown-linux-musl");

mod child;
mod supervise;
mod sys;

use bare::{Errno, Start};
use core::ffi::c_int;
use core::sync::atomic::AtomicI32;
use init_core::message::Line;
use init_core::options::{Config, HELP, Id, Persona};
use init_core::status::OWN_FAILURE;
use libc::{SIG_DFL, SIG_IGN, SIGCHLD};
use sys::Vector;

bare::program!(main, bare::ALL_SIGNALS);

fn main(start: Start) -> ! {
    // 1. The entry point has blocked every signal, so that no stop request is lost: a blocked signal stays pending, even
    //    for PID 1 (contract I6).
    let mask = start.mask();
    // 2. With SIGCHLD ignored the kernel would reap, and the child's status would be gone.
    let ignore_sigchld = bare::set_disposition(SIGCHLD, SIG_DFL) == SIG_IGN;

    // 3. What is asked for.
    let mut words = start.words();
    let mut config = Config::new(Persona::of(words.next().unwrap_or_default()));
    config.variables(Vector::environment(start).words());
    let first = config.command_line(words) + 1;
    // A malformed variable is no reason not to print the version, which dockerd asks for.
    if let Some(order) = config.order {
        if order == Id::Pause {
            hold();
        }
        print(order, config.persona);
        bare::exit(0);
    }
    if let Some(fault) = &config.fault {
        let mut line = Line::new();
        fault.describe(&mut line);
        bare::say(line.end());
        say("see init --help", 0, 0);
        bare::exit(OWN_FAILURE);
    }

    // 4. What makes init an init where it is not PID 1.
    let own_pid = bare::own_pid();
    if own_pid != 1
        && let Err(error) = sys::become_subreaper()
        && config.is_on(Id::Subreaper)
    {
        say("warning: cannot be a child subreaper!, ignoring", error.0, 0);
    }
    if config.parent_death != 0 {
        ask_parent_death(config.parent_death, own_pid);
    }

    // 5. The child. From its start on nothing ends init but the child's end.
    let own_group = own_pid == 1 || config.is_on(Id::Group);
    let terminal = terminal();
    let leads_session = sys::own_session() == own_pid;
    let plan = child::Plan {
        arguments: Vector::arguments(start),
        first,
        environment: Vector::environment(start),
        mask,
        ignore_sigchld,
        own_group,
        leads_session,
        terminal,
        hand_over: terminal.is_some_and(|terminal| leads_session || sys::may_read(terminal)),
        parent: own_pid,
        failure: AtomicI32::new(0),
    };
    let program = start.words().nth(first).unwrap_or_default();
    sys::spawn(&plan, child::run, |started| match started {
        Ok(pid) => supervise::run(&config, &plan, program, pid),
        Err(error) => {
            say("fatal: cannot clone a process!", error.0, 0);
            OWN_FAILURE
        }
    })
}

/// Behaves as `pause` does (contract I20): the kernel reaps, every signal but TERM and INT stays blocked.
fn hold() {
    bare::let_the_kernel_reap();
    let _ = sys::change_directory(c"/");
    sys::close_range(3, c_int::MAX);
    let stop = bare::bit(libc::SIGTERM) | bare::bit(libc::SIGINT);
    bare::say(match core::iter::repeat_with(|| bare::take_signal(stop)).find_map(Result::ok) {
        Some(libc::SIGINT) => b"Shutting down, got signal: Interrupt\n",
        _ => b"Shutting down, got signal: Terminated\n",
    });
    bare::exit(0)
}

/// Prints what was asked for: on standard output, but on standard error where dumb-init does so.
fn print(order: Id, persona: Persona) {
    let descriptor = if persona == Persona::DumbInit { libc::STDERR_FILENO } else { libc::STDOUT_FILENO };
    let text: &[&str] = match order {
        Id::Help => &[HELP],
        Id::License => &[LICENSE],
        _ if persona == Persona::DumbInit => &["dumb-init v1.2.5 (bitts ", bare::VERSION, ")\n"],
        // dockerd parses this line: it wants `tini version `, and `git.` with a hash behind ` - `.
        _ => &["tini version ", bare::VERSION, "_bitts - git.", bare::GIT_HASH, "\n"],
    };
    text.iter().for_each(|text| bare::print(descriptor, text.as_bytes()));
}

/// The licence in short; the texts are in the repository.
const LICENSE: &str = "\
bitts, (c) 2026 the bitts authors: MIT OR Apache-2.0, at your option; as is, without any warranty.
";

/// Says a line on standard error: see [`Line::fill`].
#[inline(never)]
fn say(template: &str, one: c_int, two: c_int) {
    say_of(b"", template, one, two);
}

/// The same, of a word from outside.
#[inline(never)]
fn say_of(word: &[u8], template: &str, one: c_int, two: c_int) {
    let mut line = Line::new();
    line.fill(template, [one, two], word);
    bare::say(line.end());
}

/// Asks for `signal` at the parent's death. If that came first, the signal is raised at once; it then waits, blocked, to be
/// forwarded like any other. Where the parent is outside the PID namespace it cannot be seen to have changed.
fn ask_parent_death(signal: c_int, own_pid: sys::Pid) {
    let parent = sys::parent_pid();
    if let Err(error) = sys::ask_parent_death(signal) {
        say("warning: cannot set the parent-death signal!, ignoring", error.0, 0);
    }
    if sys::parent_pid() != parent {
        let _ = sys::kill(own_pid, signal);
    }
}

/// The controlling terminal. `/dev/tty` finds it even where standard input is something else; without a /dev, one of 0–2
/// may be it.
fn terminal() -> Option<c_int> {
    match sys::open(b"/dev/tty\0", libc::O_RDWR | libc::O_NONBLOCK) {
        Ok(descriptor) => Some(descriptor),
        // There is a /dev/tty, but no controlling terminal.
        Err(Errno(libc::ENXIO)) => None,
        Err(_) => (0..3).find(|descriptor| sys::foreground(*descriptor).is_ok()),
    }
}
