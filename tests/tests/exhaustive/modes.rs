//! The ways in which init can run: options, persona, what it finds.

use crate::kernel::{CHILD, GROUP, Pid, REAL_TIME, Time};
use init_core::options::{Config, Id, Persona};
use init_core::signal::SignalNumber;

/// One of them.
pub struct Mode {
    /// What it is called in a report.
    pub name: &'static str,
    /// The name that it is called by.
    pub persona: Persona,
    /// It is PID 1.
    pub pid1: bool,
    /// It leads its session, as the first process on a terminal may.
    pub leads_session: bool,
    /// It has a controlling terminal.
    pub terminal: bool,
    /// There is a /proc of its own.
    pub proc: bool,
    /// The errno with which the child could not execute its program; 0 if it could.
    pub failure: i32,
    /// Of the options, for the judge, who does not ask the parser: what is forwarded for what, 0 for nothing.
    pub rules: &'static [(SignalNumber, SignalNumber)],
    /// The same: exit statuses that become 0.
    pub expected: &'static [u8],
    /// The same: what starts the clock of `--stop-timeout`, and its milliseconds.
    pub stop: (&'static [SignalNumber], Time),
    /// The same: the grace in milliseconds.
    pub grace: Time,
    /// What the options mean, as `main` hands it on.
    pub config: Config<'static>,
    /// The child has a session of its own.
    session: bool,
}

impl Mode {
    /// As PID 1 of a container, with `words`.
    pub fn container(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, words, Persona::Init, true)
    }

    /// As a subreaper, with `words`.
    pub fn job(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, words, Persona::Init, false)
    }

    /// In general.
    pub fn new(name: &'static str, words: &'static [&'static str], persona: Persona, pid1: bool) -> Self {
        let mut config = Config::new(persona);
        let program = ["program"];
        let taken = config.command_line(words.iter().chain(&program).map(|word| word.as_bytes()));
        assert_eq!(taken, words.len(), "{name}");
        assert_eq!(config.order, None, "{name}");
        let session = config.new_session();
        Self {
            name,
            persona,
            pid1,
            leads_session: false,
            terminal: false,
            proc: true,
            failure: 0,
            rules: if session { STOPS_TO_STOP } else { &[] },
            expected: &[],
            stop: if config.is_on(Id::StopTimeout) { (&[libc::SIGTERM], 5000) } else { (&[], 0) },
            grace: if config.is_on(Id::Grace) { 2000 } else { 0 },
            config,
            session,
        }
    }

    /// init's pid.
    pub fn own_pid(&self) -> Pid {
        if self.pid1 { 1 } else { 90 }
    }

    /// init's process group.
    pub fn group(&self) -> Pid {
        if self.pid1 { 1 } else { GROUP }
    }

    /// Has the child a group of its own? As `main` decides it, step 5.
    pub fn own_group(&self) -> bool {
        self.pid1 || self.config.is_on(Id::Group) || self.config.is_on(Id::StopTimeout)
    }

    /// Has the child a session of its own?
    pub fn session(&self) -> bool {
        self.session
    }

    /// Where what is forwarded goes to.
    pub fn target(&self) -> Pid {
        if self.config.is_on(Id::Group) { -CHILD } else { CHILD }
    }

    /// Does every decision leave a message?
    pub fn verbose(&self) -> bool {
        self.config.is_on(Id::Verbose)
    }

    /// Does init outlive its child, as a rule?
    pub fn waits(&self) -> bool {
        self.config.is_on(Id::Grace) || self.config.is_on(Id::WaitAll)
    }

    /// Is there a time that can be up?
    pub fn timed(&self) -> bool {
        self.config.is_on(Id::Grace) || self.config.is_on(Id::StopTimeout)
    }

    /// Are stops and SIGCONT to be tried? Where nobody looks at them they are signals like SIGUSR1.
    pub fn job_control(&self) -> bool {
        self.terminal || self.session || !self.own_group()
    }

    /// Does the child catch SIGUSR1 alone? Then something depends on what it catches.
    pub fn catches(&self, number: i32) -> bool {
        number == libc::SIGUSR1
    }
}

/// dumb-init's rules.
const STOPS_TO_STOP: &[(SignalNumber, SignalNumber)] =
    &[(libc::SIGTSTP, libc::SIGSTOP), (libc::SIGTTIN, libc::SIGSTOP), (libc::SIGTTOU, libc::SIGSTOP)];

/// All that are explored.
pub fn all() -> Vec<Mode> {
    let with = |mode: Mode, change: fn(&mut Mode)| {
        let mut mode = mode;
        change(&mut mode);
        mode
    };
    let container = Mode::container;
    let job = Mode::job;
    vec![
        container("PID 1", &["-v"]),
        container("PID 1, silent", &[]),
        container("PID 1, group", &["-vg"]),
        with(container("PID 1, warn of what is reaped, expect", &["-vw", "-e3", "-e137"]), |mode| {
            mode.expected = &[3, 137]
        }),
        with(
            container(
                "PID 1, rewrite rules",
                &["-v", "-rTERM:QUIT", "-rUSR1:0", "-rHUP:TERM", "-r40:41", "-rCHLD:TERM"],
            ),
            |mode| {
                mode.rules = &[
                    (libc::SIGTERM, libc::SIGQUIT),
                    (libc::SIGUSR1, 0),
                    (libc::SIGHUP, libc::SIGTERM),
                    (REAL_TIME, REAL_TIME + 1),
                ];
            },
        ),
        container("PID 1, caught only", &["-v", "--caught-only"]),
        with(container("PID 1, caught only, no /proc", &["-v", "--caught-only"]), |mode| mode.proc = false),
        container("PID 1, grace", &["-v", "-t2"]),
        container("PID 1, wait-all", &["-v", "--wait-all"]),
        container("PID 1, wait-all, grace", &["-v", "--wait-all", "-t2"]),
        container("PID 1, stop-timeout", &["-v", "--stop-timeout=5"]),
        with(
            container("PID 1, stop-timeout of USR1 and 40, grace", &["-v", "--stop-timeout=5:USR1,40", "-t2"]),
            |mode| {
                mode.stop.0 = &[libc::SIGUSR1, REAL_TIME];
            },
        ),
        with(container("PID 1, grace, no /proc", &["-v", "-t2"]), |mode| mode.proc = false),
        with(container("PID 1, terminal", &["-v"]), |mode| mode.terminal = true),
        with(container("PID 1, cannot execute", &["-v"]), |mode| mode.failure = libc::ENOENT),
        job("shared group", &["-v"]),
        with(job("shared group, terminal", &["-v"]), |mode| mode.terminal = true),
        with(job("shared group, leads its session", &["-v"]), |mode| {
            (mode.terminal, mode.leads_session) = (true, true)
        }),
        job("own group", &["-vg"]),
        with(job("own group, terminal", &["-vg"]), |mode| mode.terminal = true),
        with(job("own group, terminal, leads its session", &["-vg"]), |mode| {
            (mode.terminal, mode.leads_session) = (true, true)
        }),
        job("subreaper, grace", &["-v", "-t2"]),
        job("subreaper, wait-all", &["-v", "--wait-all"]),
        job("subreaper, wait-all, grace, caught only", &["-v", "--wait-all", "-t2", "--caught-only"]),
        job("subreaper, stop-timeout", &["-v", "--stop-timeout=5"]),
        with(job("subreaper, grace, no /proc", &["-v", "-t2"]), |mode| mode.proc = false),
        Mode::new("dumb-init, PID 1", &["-v"], Persona::DumbInit, true),
        Mode::new("dumb-init, not PID 1", &["-v"], Persona::DumbInit, false),
        Mode::new("dumb-init, single child, grace", &["-vc", "-t2"], Persona::DumbInit, true),
        with(Mode::new("catatonit, cannot execute", &["-vg"], Persona::Catatonit, false), |mode| {
            mode.failure = libc::EACCES
        }),
    ]
}
