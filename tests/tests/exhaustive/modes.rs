//! The ways in which init can run: options, name, what it finds.

use crate::kernel::{CHILD, GROUP, JOB, Move, Pid, REAL_TIME, SHELL, Time};
use init_core::cli::{self, Config, Opt, Persona, Request};
use init_core::signal::SignalNumber;
use init_core::supervise::Setup;
use std::sync::LazyLock;

#[derive(Debug)]
pub struct Mode {
    pub name: &'static str,
    pub config: Config,
    pub setup: Setup,
    /// init, or the session of the child's own, has a controlling terminal.
    pub terminal: bool,
    /// Another group is the terminal's foreground group from the start.
    pub background: bool,
    /// init's group is orphaned: it cannot stop.
    pub orphaned: bool,
    /// There is a /proc; the kernel has pidfds.
    pub proc: bool,
    pub pidfd: bool,
    /// There was a zombie before init was executed.
    pub zombie: bool,
    /// What the options mean, for the judge, who does not ask the parser: what is forwarded for what, 0 for nothing; the exit
    /// statuses that become 0; what starts the clock of `--stop-timeout`, and its milliseconds; the grace period.
    pub rules: &'static [(SignalNumber, SignalNumber)],
    pub expected: &'static [u8],
    pub stop: (&'static [SignalNumber], Time),
    pub grace: Time,
    /// Flags.
    pub group: bool,
    pub caught_only: bool,
    pub wait_all: bool,
    pub warn_reaped: bool,
    pub verbose: bool,
}

impl Mode {
    /// `init` called by this name with these words.
    pub fn new(called: &str, pid1: bool, words: &'static str) -> Self {
        let words = words.split_whitespace().chain(["program"]).map(str::as_bytes);
        let mut config = Config::new(Persona::of(called.as_bytes()));
        let request = cli::read(&mut config, [].into_iter(), words);
        assert!(matches!(request, Ok(Request::Run(_))), "{request:?}");
        let session = config.new_session();
        Self {
            name: "",
            // As init/src/main.rs decides it.
            setup: Setup {
                child: CHILD,
                own_pid: if pid1 { 1 } else { 90 },
                own_group: pid1 || config.is_on(Opt::Group) || config.stop_timeout.0 > 0,
                session,
                leads_session: false,
                has_terminal: false,
                session_terminal: session,
                group: 0,
            },
            terminal: false,
            background: false,
            orphaned: false,
            proc: true,
            pidfd: true,
            zombie: false,
            rules: if session { STOPS_TO_STOP } else { &[] },
            expected: &[],
            stop: if config.stop_timeout.0 > 0 { (&[libc::SIGTERM], 5000) } else { (&[], 0) },
            grace: if config.grace.0 > 0 { 2000 } else { 0 },
            group: config.is_on(Opt::Group),
            caught_only: config.is_on(Opt::CaughtOnly),
            wait_all: config.is_on(Opt::WaitAll),
            warn_reaped: config.is_on(Opt::WarnReaped),
            verbose: config.is_on(Opt::Verbose),
            config,
        }
    }

    /// With a terminal: init's if the child has no session of its own.
    pub fn on_terminal(mut self) -> Self {
        self.terminal = true;
        self.setup.has_terminal = !self.setup.session;
        self.setup.group = self.own_group();
        self
    }

    pub fn is_pid_1(&self) -> bool {
        self.setup.own_pid == 1
    }

    /// init's process group.
    pub fn own_group(&self) -> Pid {
        if self.is_pid_1() { 1 } else { GROUP }
    }

    /// Does init's group lie outside its PID namespace?
    pub fn is_outside(&self) -> bool {
        self.terminal && self.setup.group == 0
    }

    /// The foreground group after [`Move::Foreground`] and [`Move::Background`].
    pub fn front(&self, happens: Move) -> Pid {
        match (happens, self.is_pid_1()) {
            (Move::Foreground, false) => self.own_group(),
            (Move::Foreground, true) => CHILD,
            (_, false) => SHELL,
            (_, true) => JOB,
        }
    }

    /// As init sees a foreground group: 0 for one outside its PID namespace.
    pub fn seen(&self, group: Pid) -> Pid {
        if self.is_outside() && group != CHILD { 0 } else { group }
    }

    /// Does init outlive its child, as a rule?
    pub fn waits(&self) -> bool {
        self.grace > 0 || self.wait_all
    }

    /// Is there a time that can be up?
    pub fn timed(&self) -> bool {
        self.grace > 0 || self.stop.1 > 0
    }

    /// Can init reach all processes that it answers for?
    pub fn reaches(&self) -> bool {
        self.is_pid_1() || self.proc
    }

    /// Are stops and SIGCONT tried? Elsewhere they are signals like SIGUSR1.
    pub fn job_control(&self) -> bool {
        self.terminal || self.setup.session || !self.setup.own_group
    }

    /// The child catches SIGUSR1 alone.
    pub fn catches(&self, number: SignalNumber) -> bool {
        number == libc::SIGUSR1
    }
}

/// dumb-init's rules.
const STOPS_TO_STOP: &[(SignalNumber, SignalNumber)] =
    &[(libc::SIGTSTP, libc::SIGSTOP), (libc::SIGTTIN, libc::SIGSTOP), (libc::SIGTTOU, libc::SIGSTOP)];

pub static MODES: LazyLock<Vec<Mode>> = LazyLock::new(|| {
    let pid1 = |words| Mode::new("init", true, words);
    let job = |words| Mode::new("init", false, words);
    let dumb = |pid1, words| Mode::new("dumb-init", pid1, words);
    let leads = |mode: Mode| Mode { setup: Setup { leads_session: true, ..mode.setup }, ..mode };
    let outside = |mode: Mode| Mode { setup: Setup { group: 0, ..mode.setup }, ..mode };
    let no_proc = |mode| Mode { proc: false, ..mode };
    let old = |mode| Mode { pidfd: false, ..mode };
    let rewrite = "-rTERM:QUIT -rUSR1:0 -rHUP:TERM -r40:41 -rCHLD:TERM";
    let rules: &[_] = &[
        (libc::SIGTERM, libc::SIGQUIT),
        (libc::SIGUSR1, 0),
        (libc::SIGHUP, libc::SIGTERM),
        (REAL_TIME, REAL_TIME + 1),
    ];
    let to_user: &[_] = &[(libc::SIGHUP, libc::SIGUSR1), (REAL_TIME, libc::SIGUSR2)];
    let modes = vec![
        ("PID 1", pid1("-v")),
        ("PID 1, silent", pid1("")),
        ("PID 1, a zombie before", Mode { zombie: true, ..pid1("-v") }),
        ("PID 1, group", pid1("-vg")),
        ("PID 1, warn-reaped, expect", Mode { expected: &[3, 137], ..pid1("-vw -e3 -e137") }),
        ("PID 1, rewrite rules, silent", Mode { rules, ..pid1(rewrite) }),
        ("PID 1, caught-only", pid1("-v --caught-only")),
        ("PID 1, caught-only, group", pid1("-vg --caught-only")),
        ("PID 1, caught-only, no /proc", no_proc(pid1("-v --caught-only"))),
        ("PID 1, grace", pid1("-v -t2")),
        ("PID 1, wait-all", pid1("-v --wait-all")),
        ("PID 1, wait-all, grace", pid1("-v --wait-all -t2")),
        ("PID 1, stop-timeout", pid1("-v --stop-timeout=5")),
        ("PID 1, stop-timeout, wait-all", pid1("-v --stop-timeout=5 --wait-all")),
        (
            "PID 1, stop-timeout of USR1 and 40, HUP and 40 rewritten, grace",
            Mode {
                stop: (&[libc::SIGUSR1, REAL_TIME], 5000),
                rules: to_user,
                ..pid1("-v --stop-timeout=5:USR1,40 -rHUP:USR1 -r40:USR2 -t2")
            },
        ),
        ("PID 1, grace, no pidfd", old(pid1("-v -t2"))),
        ("PID 1, grace, no /proc", no_proc(pid1("-v -t2"))),
        ("PID 1, terminal", pid1("").on_terminal()),
        ("PID 1, terminal, leads its session, wait-all", leads(pid1("-v --wait-all").on_terminal())),
        ("PID 1, terminal of a group outside", outside(pid1("-v").on_terminal())),
        ("shared group", job("-v")),
        ("shared group, terminal", job("").on_terminal()),
        ("shared group, terminal, leads its session", leads(job("-v").on_terminal())),
        ("own group", job("-vg")),
        ("own group, terminal", job("-g").on_terminal()),
        ("own group of stop-timeout, terminal", job("-v --stop-timeout=5").on_terminal()),
        ("own group, terminal, in the background", Mode { background: true, ..job("-vg").on_terminal() }),
        ("own group, terminal, orphaned", Mode { orphaned: true, ..job("-vg").on_terminal() }),
        ("own group, terminal, leads its session", leads(job("-vg").on_terminal())),
        ("own group, terminal of a group outside", outside(job("-vg").on_terminal())),
        ("subreaper, grace", job("-v -t2")),
        ("subreaper, wait-all", job("-v --wait-all")),
        ("subreaper, wait-all, grace, caught-only", job("-v --wait-all -t2 --caught-only")),
        ("subreaper, stop-timeout", job("-v --stop-timeout=5")),
        ("subreaper, grace, no pidfd", old(job("-v -t2"))),
        ("subreaper, grace, no /proc", no_proc(job("-v -t2"))),
        ("dumb-init, PID 1", dumb(true, "-v")),
        ("dumb-init, PID 1, terminal", dumb(true, "").on_terminal()),
        ("dumb-init, PID 1, grace", dumb(true, "-v -t2")),
        ("dumb-init, PID 1, wait-all", dumb(true, "-v --wait-all")),
        ("dumb-init, not PID 1", dumb(false, "-v")),
        ("dumb-init, not PID 1, terminal", dumb(false, "-v").on_terminal()),
        ("dumb-init, not PID 1, grace, no /proc", no_proc(dumb(false, "-v -t2"))),
        ("dumb-init, single child, grace", dumb(true, "-vc -t2")),
    ];
    modes.into_iter().map(|(name, mode)| Mode { name, ..mode }).collect()
});
