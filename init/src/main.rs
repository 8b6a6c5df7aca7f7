//! `init`: PID 1 of a container. Starts one child, forwards signals to it, reaps every zombie, exits with its status.

#![no_std]
#![no_main]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(not(target_env = "musl"))]
compile_error!("init is linked by .cargo/config.toml: cargo build --package init --target x86_64-unknown-linux-musl");

mod oom;
mod procfs;
mod shell;
mod spawn;
mod sys;

use bare::{Errno, Start};
use core::ffi::c_int;
use init_core::cli::{self, Config, Opt, Persona, Request, table};
use init_core::messages::{self, Message, Words};
use init_core::signal::{self, SignalNumber};
use init_core::status::OWN_FAILURE;
use init_core::supervise::{Setup, Supervisor};
use libc::{SIG_DFL, SIG_IGN, SIGCHLD};
use sys::Vector;

bare::program!(main, bare::ALL_SIGNALS);

/// Ends with what [`run`] returns.
fn main(start: Start) -> ! {
    bare::exit(run(start))
}

/// init's life; returns its exit status.
fn run(start: Start) -> u8 {
    // 1. The entry point has blocked every signal: a blocked signal stays pending, even for PID 1, so no stop request is lost
    //    (contract I6).
    // 2. If SIGCHLD is ignored the kernel reaps, and the child's status is gone.
    let ignore_sigchld = bare::set_disposition(SIGCHLD, SIG_DFL) == SIG_IGN;

    // 3. What is asked for.
    let mut words = start.words();
    let name = words.next().unwrap_or_default();
    let mut config = Config::new(Persona::of(name));
    match cli::read(&mut config, Vector::environment(start).candidates(), words) {
        Ok(Request::Run(options)) => start_child(start, &config, options + 1, ignore_sigchld),
        Ok(Request::Act(Opt::Pause)) => hold(),
        Ok(Request::Act(action)) => print(action, config.persona),
        Err(error) => {
            bare::say(error.line().bytes());
            bare::say(b"init: run 'init --help' for usage\n");
            OWN_FAILURE
        }
    }
}

/// Starts the child, the program at `first` among the arguments, and supervises it.
#[inline(never)] // With the variables of `run` in its frame each access to it would be three bytes longer.
fn start_child(start: Start, config: &Config, first: usize, ignore_sigchld: bool) -> u8 {
    // 4. What makes init an init where it is not PID 1.
    let own_pid = bare::own_pid();
    if own_pid != 1
        && let Err(error) = sys::become_subreaper()
        && config.is_on(Opt::Subreaper)
    {
        say(Message::no_subreaper(error.number()));
    }
    if let Some(signal) = config.parent_death {
        ask_parent_death(signal, own_pid);
    }

    // 5. The terminal, before a child can want it.
    let session = config.new_session();
    let own_group = own_pid == 1 || config.is_on(Opt::Group) || config.stop_timeout.0 > 0;
    let terminal = Terminal::find(own_pid);
    if session && terminal.leads_session {
        // The child's session can have it then.
        leave_terminal(&terminal, own_pid);
    }
    let hand_over = own_group && !session && terminal.is_own();

    // 6. The child. From its start on nothing ends init but the child's end.
    let arguments = Vector::arguments(start);
    let program = arguments.from(first).first().unwrap_or_default();
    let started = spawn::spawn(spawn::Plan {
        arguments,
        first,
        environment: Vector::environment(start),
        mask: start.mask(),
        ignore_sigchld,
        own_group,
        session,
        terminal: terminal.descriptor,
        hand_over,
        parent: own_pid,
        persona: config.persona,
    });
    let child = match started {
        Ok(child) => child,
        Err(error) => {
            say(Message::cannot_fork(error.number()));
            return OWN_FAILURE;
        }
    };
    sys::reserve_place();
    // The child's program comes before everything that can wait.
    sys::give_way();

    // 7. The loop: one wait, one decision.
    let setup = Setup {
        child,
        own_pid,
        own_group,
        session,
        leads_session: terminal.leads_session,
        has_terminal: terminal.descriptor.is_some() && !session,
        session_terminal: session
            && (terminal.descriptor.is_some() && terminal.leads_session || sys::is_terminal(libc::STDIN_FILENO)),
        group: terminal.group,
    };
    supervise(config, setup, &terminal, hand_over, program)
}

/// The loop: one wait, one decision.
#[inline(never)] // As above: the supervisor and the shell are large.
fn supervise(config: &Config, setup: Setup, terminal: &Terminal, hand_over: bool, program: &[u8]) -> u8 {
    let Setup { child, session, .. } = setup;
    let mut shell = shell::Shell::new(
        setup,
        config.is_on(Opt::Verbose),
        terminal.descriptor.filter(|_| !session),
        terminal.is_private,
    );
    if config.is_on(Opt::Verbose) {
        say_about(Message::started(child), program);
    }
    if hand_over {
        shell.say(Message::gave_terminal(child));
    }
    tell_void_rewrites(config, &shell);
    shell.run(Supervisor::new(config, setup))
}

/// Says a message.
pub fn say(message: Message) {
    say_about(message, b"");
}

/// Says a message with a word from outside in it.
pub fn say_about(message: Message, word: &[u8]) {
    bare::say(messages::line_about(message, Words { word, ..Words::default() }).bytes());
}

/// Tells of rules for signals that init never forwards.
fn tell_void_rewrites(config: &Config, shell: &shell::Shell) {
    for signal in 1..signal::MAX {
        if signal::NEVER_FORWARDED.contains(signal) && config.rewrites.apply(signal) != signal {
            shell.say(Message::no_effect(signal));
        }
    }
}

/// Behaves as `pause` does (contract I20): the kernel reaps, every signal but TERM and INT stays blocked.
fn hold() -> ! {
    bare::let_the_kernel_reap();
    sys::leave_directory();
    sys::close_from(3);
    let stop = bare::bit(libc::SIGTERM) | bare::bit(libc::SIGINT);
    loop {
        let message: &[u8] = match bare::take_signal(stop) {
            Ok(libc::SIGINT) => b"Shutting down, got signal: Interrupt\n",
            Ok(_) => b"Shutting down, got signal: Terminated\n",
            Err(Errno::EINTR) => continue,
            // Where that cannot be waited for there is nothing else to do.
            Err(_) => bare::exit(OWN_FAILURE),
        };
        bare::say(message);
        bare::exit(0)
    }
}

/// Prints what was asked for on standard output; help and version on standard error, if that is what dumb-init does. Returns the
/// exit status.
fn print(action: Opt, persona: Persona) -> u8 {
    let is_dumb_init = persona == Persona::DumbInit;
    let to_stderr = is_dumb_init && action != Opt::License;
    let descriptor = if to_stderr { libc::STDERR_FILENO } else { libc::STDOUT_FILENO };
    let text = match action {
        Opt::License => "bitts, (c) 2026 its authors: MIT OR Apache-2.0; no warranty\n",
        Opt::Version if is_dumb_init => concat!("dumb-init v1.2.5 (bitts ", env!("CARGO_PKG_VERSION"), ")\n"),
        Opt::Version => bare::INIT_VERSION,
        _ => table::HELP,
    };
    if bare::print(descriptor, text.as_bytes()).is_ok() { 0 } else { OWN_FAILURE }
}

/// Asks for `signal` at the parent's death. If that came first, the signal is raised at once; it then waits, blocked, to be
/// forwarded like any other. A parent outside the PID namespace cannot be seen to change.
fn ask_parent_death(signal: SignalNumber, own_pid: sys::Pid) {
    let parent = sys::parent_pid();
    if let Err(error) = sys::ask_parent_death(signal) {
        say(Message::no_parent_death(error.number()));
    }
    if sys::parent_pid() != parent {
        let _ = sys::kill(own_pid, signal);
    }
}

/// The controlling terminal, as init finds it.
struct Terminal {
    /// A descriptor of it, closed on exec.
    descriptor: Option<c_int>,
    /// It is an open file of our own, and non-blocking; without a /dev/tty it shares that of one of 0 to 2.
    is_private: bool,
    /// init leads its session. Only asked for where there may be a terminal.
    leads_session: bool,
    /// init's process group; 0 if it lies outside the PID namespace. Only asked for where there may be a terminal.
    group: sys::Pid,
}

impl Terminal {
    /// Finds it. `/dev/tty` works even where standard input is something else. Non-blocking, so no start waits on its lock.
    fn find(own_pid: sys::Pid) -> Self {
        let opened = sys::open(c"/dev/tty", libc::O_RDWR | libc::O_NONBLOCK);
        let descriptor = match opened {
            Ok(descriptor) => Some(descriptor),
            // There is a /dev/tty, but no controlling terminal.
            Err(Errno::ENXIO) => return Self { descriptor: None, is_private: false, leads_session: false, group: 0 },
            Err(_) => (0..3).find(|descriptor| sys::foreground(*descriptor).is_ok()).and_then(sys::duplicate_above),
        };
        let leads_session = sys::own_session() == own_pid;
        Self { descriptor, is_private: opened.is_ok(), leads_session, group: sys::group_of(0).unwrap_or(0) }
    }

    /// Is it init's to hand over, and can it come back? Not if init is in the background, and not if its group has no number here:
    /// such a group could never get it back, so the child gets the terminal only once it asks for it.
    fn is_own(&self) -> bool {
        let foreground = self.descriptor.and_then(|descriptor| sys::foreground(descriptor).ok());
        foreground.is_some_and(|group| self.leads_session || group > 0 && group == self.group)
    }
}

/// Gives the terminal up. What that raises in init itself is dropped, and no other HUP or CONT is (contract I4).
fn leave_terminal(terminal: &Terminal, own_pid: sys::Pid) {
    let Some(descriptor) = terminal.descriptor else { return };
    sys::leave_terminal(descriptor);
    let mut info = sys::Info::new();
    for signal in [libc::SIGHUP, libc::SIGCONT] {
        let taken = sys::wait_signal(signal::SignalSet::of(&[signal]), &mut info, Some(cli::Milliseconds::ZERO));
        if taken.is_ok() && !info.received(own_pid).by_init {
            let _ = sys::kill(own_pid, signal);
        }
    }
}
