//! `init`: PID 1 of a container. Starts one child, forwards signals to it, reaps every zombie, ends with its status.

#![no_std]
#![no_main]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(not(target_env = "musl"))]
compile_error!("init is linked for musl only: cargo build --release --package init --target x86_64-unknown-linux-musl");

mod child;
mod processes;
mod supervise;
mod sys;

use bare::{Errno, Start};
use core::ffi::c_int;
use core::sync::atomic::AtomicI32;
use init_core::message::{CAPACITY, CString, Filling, Line};
use init_core::options::{Config, Id, Persona};
use init_core::status::OWN_FAILURE;
use init_core::text::Text;
use libc::{SIG_DFL, SIG_IGN, SIGCHLD};
use sys::Vector;

bare::program!(main, bare::ALL_SIGNALS);

#[inline(always)]
fn main(start: Start) -> ! {
    // 1. The entry point has blocked every signal, so that no stop request is lost: a blocked signal stays pending, even
    //    for PID 1 (contract I6).
    let mask = start.mask();
    // 2. With SIGCHLD ignored the kernel would reap, and the child's status would be gone.
    let ignore_sigchld = bare::set_disposition(SIGCHLD, SIG_DFL) == SIG_IGN;

    // 3. What is asked for.
    let mut words = start.words();
    let mut config = Config::new(Persona::of(words.next().unwrap_or_default()));
    let environment = Vector::environment(start);
    config.variables(environment.variables());
    let first = config.command_line(words) + 1;
    // A malformed variable is no reason not to print the version, which dockerd asks for.
    if let Some(order) = config.order {
        if order == Id::Pause {
            hold();
        }
        print(order, config.persona);
        bare::exit(0);
    }
    if config.fault.describe(&mut say_with) {
        say(Text::SeeHelp, 0, 0);
        bare::exit(OWN_FAILURE);
    }

    // 4. What makes init an init where it is not PID 1.
    let own_pid = bare::own_pid();
    if own_pid != 1
        && let Err(error) = sys::become_subreaper()
        && config.is_on(Id::Subreaper)
    {
        say(Text::NoSubreaper, error.number(), 0);
    }
    if config.is_on(Id::ParentDeath) {
        ask_parent_death(config.value(Id::ParentDeath) as c_int, own_pid);
    }

    // 5. The child. From its start on nothing ends init but the child's end.
    let session = config.new_session();
    let own_group = own_pid == 1 || config.is_on(Id::Group) || config.is_on(Id::StopTimeout);
    let terminal = terminal();
    let (leads_session, group) =
        if terminal == NO_TERMINAL { (false, 0) } else { (sys::own_session() == own_pid, sys::own_group()) };
    if session && leads_session {
        // So that the child's session can have it.
        sys::leave_terminal(terminal);
    }
    let plan = child::Plan {
        arguments: Vector::arguments(start),
        first,
        environment,
        mask,
        ignore_sigchld,
        own_group,
        session,
        leads_session,
        group,
        terminal,
        hand_over: terminal >= 0 && (leads_session || sys::may_read(terminal)),
        parent: own_pid,
        failure: AtomicI32::new(0),
    };
    let program = plan.arguments.from(first).first().unwrap_or_default();
    // Only the child itself can make a session, and the group with it: it is held until then, for a signal to the group (I8).
    sys::spawn(&plan, session, child::run, |started| match started {
        Ok(pid) => supervise::run(&config, &plan, program, pid),
        Err(error) => {
            say(Text::CannotClone, error.number(), 0);
            OWN_FAILURE
        }
    })
}

/// Behaves as `pause` does (contract I20): the kernel reaps, every signal but TERM and INT stays blocked.
fn hold() {
    bare::let_the_kernel_reap();
    let _ = sys::change_directory(sys::ROOT);
    sys::close_range(3, c_int::MAX);
    let stop = bare::bit(libc::SIGTERM) | bare::bit(libc::SIGINT);
    loop {
        let text = match bare::take_signal(stop) {
            Ok(libc::SIGINT) => Text::Interrupted,
            Ok(_) => Text::Terminated,
            Err(Errno::EINTR) => continue,
            // Nothing else can be done where that cannot.
            Err(_) => bare::exit(OWN_FAILURE),
        };
        say(text, 0, 0);
        bare::exit(0)
    }
}

/// Prints what was asked for: on standard output, but on standard error where dumb-init does so.
#[inline(always)]
fn print(order: Id, persona: Persona) {
    let is_dumb_init = persona == Persona::DumbInit;
    let text = match order {
        Id::Help => Text::Help,
        Id::License => Text::License,
        _ if is_dumb_init => Text::DumbInitVersion,
        // dockerd parses this line: it wants `tini version `, and `git.` with a hash behind ` - `.
        _ => Text::Version,
    };
    let descriptor = if is_dumb_init { libc::STDERR_FILENO } else { libc::STDOUT_FILENO };
    let (option, value) = (bare::VERSION.as_bytes(), bare::GIT_HASH.as_bytes());
    write_text(text, &Filling { option, value, ..Filling::NONE }, Some(descriptor));
}

/// Says a text on standard error, with the numbers in it.
#[inline(never)]
fn say(text: Text, one: c_int, two: c_int) {
    say_of(b"", text, one, two, 0);
}

/// The same, of a word from outside.
fn say_of(word: &[u8], text: Text, one: c_int, two: c_int, three: c_int) {
    say_with(text, &Filling { numbers: [one, two, three], word, ..Filling::NONE });
}

/// The same, with anything in it.
#[inline(never)]
fn say_with(text: Text, filling: &Filling) {
    write_text(text, filling, None);
}

/// Writes a text to `descriptor`, and waits as long as it takes; without one on standard error, as far as that is possible at once.
#[inline(never)]
fn write_text(text: Text, filling: &Filling, descriptor: Option<c_int>) {
    let mut memory = [0; CAPACITY];
    let mut line = Line::new(&mut memory);
    line.fill(text, filling);
    match descriptor {
        Some(descriptor) => bare::print(descriptor, line.bytes()),
        None => bare::say(line.bytes()),
    }
}

/// Asks for `signal` at the parent's death. If that came first, the signal is raised at once; it then waits, blocked, to be
/// forwarded like any other. Where the parent is outside the PID namespace it cannot be seen to have changed.
fn ask_parent_death(signal: c_int, own_pid: sys::Pid) {
    let parent = sys::parent_pid();
    if let Err(error) = sys::ask_parent_death(signal) {
        say(Text::NoParentDeath, error.number(), 0);
    }
    if sys::parent_pid() != parent {
        let _ = sys::kill(own_pid, signal);
    }
}

/// There is no controlling terminal.
const NO_TERMINAL: c_int = -1;

/// There may be one, but none of our descriptors is it.
const HIDDEN_TERMINAL: c_int = -2;

/// The controlling terminal, or one of the two above, of which the kernel knows nothing. `/dev/tty` finds it even where standard
/// input is something else; without a /dev, one of 0–2 may be it.
fn terminal() -> c_int {
    match sys::open(CString::literal(b"/dev/tty\0"), libc::O_RDWR | libc::O_NONBLOCK) {
        Ok(descriptor) => descriptor,
        // There is a /dev/tty, but no controlling terminal.
        Err(Errno::ENXIO) => NO_TERMINAL,
        Err(_) => (0..3).find(|descriptor| sys::foreground(*descriptor).is_ok()).unwrap_or(HIDDEN_TERMINAL),
    }
}
