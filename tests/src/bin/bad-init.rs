//! An init that does what the contract says, but for the fault that `--fault NAME` switches on: the negative control of the
//! conformance suite (tests/controls.rs has the list). It is no model of an init: it polls in a teardown, and what it does not
//! need for the cases it does not do.

#![no_main]

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

use bitts_tests::sys::{self, Mask, Received, bit};
use bitts_tests::{fault, main_without_runtime, procfs};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::unistd::{AccessFlags, Pid};

main_without_runtime!(run);

/// What asks a child to end.
const STOP_REQUESTS: [i32; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT];

/// How often it looks in a teardown whether anybody is left.
const LOOKS: Duration = Duration::from_millis(20);

/// What is asked for.
#[derive(Default)]
struct Options {
    group: bool,
    /// A new session for the child, and TERM for it at the end, as dumb-init has it.
    session: bool,
    rewrites: Vec<(i32, i32)>,
    expected: Vec<i32>,
    grace: Option<Duration>,
    stop_timeout: Option<Duration>,
    wait_all: bool,
    caught_only: bool,
    warn_reaped: bool,
    verbose: bool,
    /// The status of an exec that fails, whatever the reason.
    exec_failure: Option<i32>,
}

/// A wrong command line.
fn usage(why: &str) -> ! {
    if fault::is("takes any option") {
        sys::exit_now(0);
    }
    eprintln!("bad-init: {why}");
    sys::exit_now(1)
}

/// A number, or a name with or without SIG; 0 to 64.
fn signal_number(word: &str) -> Option<i32> {
    if let Ok(number) = word.parse() {
        return (0..=64).contains(&number).then_some(number);
    }
    let name = format!("SIG{}", word.trim_start_matches("SIG"));
    name.parse::<nix::sys::signal::Signal>().ok().map(|signal| signal as i32)
}

/// `10`, `10s`, `500ms`, `2m`.
fn time(word: &str) -> Option<Duration> {
    let digits = word.trim_end_matches(char::is_alphabetic);
    let unit = match &word[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        _ => return None,
    };
    Some(Duration::from_millis(digits.parse::<u64>().ok()? * unit))
}

impl Options {
    /// One option with its value, by its letter or its long name.
    fn set(&mut self, name: &str, value: &mut dyn FnMut() -> String) {
        let is_off = name.starts_with("no-");
        if is_off && fault::is("knows no --no-X") {
            return;
        }
        match name.trim_start_matches("no-") {
            "g" | "group" => self.group = !is_off,
            "c" => self.session = false,
            "s" | "l" | "L" | "P" | "version" => {}
            "w" => self.warn_reaped = !fault::is("does not warn of who was reaped"),
            "v" => self.verbose = true,
            "wait-all" => self.wait_all = !is_off,
            "caught-only" => self.caught_only = !is_off,
            "grace" => self.grace = Some(time(&value()).unwrap_or_else(|| usage("grace"))),
            "stop-timeout" => self.stop_timeout = Some(time(&value()).unwrap_or_else(|| usage("stop-timeout"))),
            "e" => self.expect(&value()),
            "r" => self.rewrite(&value()),
            "p" => {
                let number = signal_number(&value()).unwrap_or_else(|| usage("-p"));
                if !fault::is("does not ask for its parent's death") {
                    let signal = nix::sys::signal::Signal::try_from(number).expect("a signal");
                    let _ = prctl::set_pdeathsig(signal);
                }
            }
            _ => usage(&format!("unknown option {name}")),
        }
    }

    fn expect(&mut self, value: &str) {
        for word in value.split(',') {
            let code = word.parse().ok().filter(|code| (0..=255).contains(code));
            self.expected.push(code.unwrap_or_else(|| usage("-e")));
        }
    }

    fn rewrite(&mut self, value: &str) {
        for word in value.split(',') {
            let pair = word.split_once(':').and_then(|(from, to)| Some((signal_number(from)?, signal_number(to)?)));
            self.rewrites.push(pair.unwrap_or_else(|| usage("-r")));
        }
    }

    /// What variables ask for.
    fn from_environment() -> Self {
        let mut options = Self::default();
        if fault::is("reads no variable") {
            return options;
        }
        let of = |name: &str| std::env::var(name).ok();
        let is_on = |name: &str| of(name).map(|value| value == "1");
        options.group = match is_on("BITTS_GROUP") {
            Some(on) if !fault::is("lets a peer's variable win") => on,
            _ => of("TINI_KILL_PROCESS_GROUP").is_some(),
        };
        options.wait_all = is_on("BITTS_WAIT_ALL") == Some(true);
        options.caught_only = is_on("BITTS_CAUGHT_ONLY") == Some(true);
        options.grace = of("BITTS_GRACE").map(|value| time(&value).unwrap_or_else(|| usage("BITTS_GRACE")));
        options.stop_timeout = of("BITTS_STOP_TIMEOUT").and_then(|value| time(&value));
        if let Some(value) = of("BITTS_EXPECT") {
            options.expect(&value);
        }
        if let Some(value) = of("BITTS_REWRITE") {
            options.rewrite(&value);
        }
        if of("TINI_VERBOSITY").is_some_and(|value| value.parse::<u8>().is_err())
            && fault::is("is strict with a peer's")
        {
            usage("TINI_VERBOSITY");
        }
        options
    }

    /// What the words ask for; the rest is the program.
    fn parse(name: &str, words: &[OsString]) -> (Self, Vec<OsString>) {
        let mut options = Self::from_environment();
        let as_dumb_init = name == "dumb-init";
        if as_dumb_init {
            options.session = std::env::var("DUMB_INIT_SETSID").as_deref() != Ok("0") || fault::is("reads no variable");
            options
                .rewrites
                .extend([libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].map(|signal| (signal, libc::SIGSTOP)));
            options.exec_failure = Some(2);
        } else if name == "catatonit" {
            options.exec_failure = Some(1);
        }
        let mut at = 0;
        while let Some(word) = words.get(at).and_then(|word| word.to_str()).filter(|word| word.starts_with('-')) {
            at += 1;
            let mut next = || {
                at += 1;
                words.get(at - 1).map_or_else(|| usage("a value is missing"), |word| word.display().to_string())
            };
            match word {
                "--" => break,
                "--version" if as_dumb_init && !fault::is("has one version for all") => {
                    eprintln!("dumb-init v1.2.5 (bad)");
                    sys::exit_now(0);
                }
                "--version" => {
                    println!("tini version 0.0.0_bad - git.none");
                    sys::exit_now(0);
                }
                "-l" if !fault::is("knows no licence") => {
                    println!("It may be used for tests.");
                    sys::exit_now(0);
                }
                "-P" => hold(),
                _ => {
                    if let Some(long) = word.strip_prefix("--") {
                        options.set(long, &mut next);
                        continue;
                    }
                    let letters = &word[1..];
                    if fault::is("knows no bundles") && letters.len() > 1 {
                        usage("a bundle");
                    }
                    for (index, letter) in letters.char_indices() {
                        let rest = &letters[index + 1..];
                        let has_value = "erp".contains(letter);
                        let mut value = || if rest.is_empty() { next() } else { rest.to_owned() };
                        options.set(&letter.to_string(), &mut value);
                        if has_value {
                            break;
                        }
                    }
                }
            }
        }
        if fault::is("lets a variable win") {
            options.wait_all |= std::env::var("BITTS_WAIT_ALL").is_ok();
        }
        options.leave_out();
        (options, words[at..].to_vec())
    }

    /// What is not done, whoever asks for it.
    fn leave_out(&mut self) {
        if fault::is("does not rewrite") {
            self.rewrites.clear();
        }
        if fault::is("expects nothing") {
            self.expected.clear();
        }
        if fault::is("has no grace") {
            self.grace = None;
        }
        self.wait_all &= !fault::is("does not wait for all");
        self.caught_only &= !fault::is("forwards what is not caught");
        self.session &= !fault::is("makes no session");
        self.group &= !fault::is("makes no group");
        if fault::is("has no time-out") {
            self.stop_timeout = None;
        }
        if fault::is("has one status for a failed exec") {
            self.exec_failure = Some(125);
        }
    }
}

/// Without a child (I20).
fn hold() -> ! {
    let _ = sys::ignore(libc::SIGCHLD, true);
    let mut awaited = bit(libc::SIGTERM) | bit(libc::SIGINT);
    if fault::is("leaves ignored signals ignored") && sys::handler(libc::SIGINT) == libc::SIG_IGN {
        awaited = bit(libc::SIGTERM);
    }
    while sys::take_signal(awaited, None).is_err() {}
    sys::exit_now(if fault::is("ends a pause with 130") { 130 } else { 0 })
}

fn run(mut words: Vec<OsString>) -> i32 {
    let mask = sys::set_mask(sys::ALL_SIGNALS);
    fault::take(&mut words);
    let ignored = sys::catchable().filter(|&signal| sys::handler(signal) == libc::SIG_IGN).map(bit).sum();
    if !fault::is("leaves SIGCHLD ignored") {
        let _ = sys::ignore(libc::SIGCHLD, false);
    }
    let own = words.first().cloned().unwrap_or_default();
    let name = Path::new(&own).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (options, program) = Options::parse(&name, &words[1.min(words.len())..]);
    if program.is_empty() {
        if fault::is("is content with no program") {
            return 0;
        }
        usage("no program");
    }
    check_needs();
    if nix::unistd::getpid().as_raw() != 1 && !fault::is("is no subreaper") {
        let _ = prctl::set_child_subreaper(true);
    }
    let mut init = Init::start(options, program, mask, ignored);
    init.supervise()
}

/// What an init must not need.
fn check_needs() {
    let missing = fault::is("needs /proc") && fs::metadata("/proc/self/stat").is_err()
        || fault::is("needs root") && !nix::unistd::getuid().is_root()
        || fault::is("needs a root to write to") && nix::unistd::access("/tmp", AccessFlags::W_OK).is_err()
        || fault::is("needs standard error") && sys::status_flags(2).is_none()
        || fault::is("needs standard input") && sys::status_flags(0).is_none()
        || fault::is("needs PATH") && std::env::var_os("PATH").is_none();
    if missing {
        sys::exit_now(1);
    }
    if fault::is("makes stderr non-blocking") {
        let _ = fcntl(io::stderr(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
    }
}

/// A line on standard error, as far as that takes it at once.
fn say(text: &str) {
    let stderr = io::stderr();
    let text = format!("bad-init: {text}\n");
    let ready = poll(&mut [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO);
    if (ready == Ok(1) || fault::is("waits for its reader"))
        && nix::unistd::write(&stderr, text.as_bytes()).is_err()
        && fault::is("ends if nobody listens")
    {
        sys::exit_now(1);
    }
}

/// The kernel's count of deaths for want of memory (cgroup v2).
fn killed_for_memory() -> u64 {
    let text = fs::read_to_string("/sys/fs/cgroup/memory.events").unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok()).unwrap_or(0)
}

/// How the child is started: what the two sides of the fork need.
struct Start<'a> {
    options: &'a Options,
    program: &'a [OsString],
    mask: Mask,
    ignored: Mask,
    own_group: bool,
    /// The parent's pid, for `LISTEN_PID`.
    parent: i32,
}

impl Start<'_> {
    /// In the child: returns the errno of the exec.
    fn exec(&self) -> Errno {
        if self.options.session {
            let _ = nix::unistd::setsid();
        } else if self.own_group {
            let _ = nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0));
            self.take_terminal();
        }
        if fault::is("sets a umask") {
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
        }
        if fault::is("closes the child's descriptors") {
            (3..64).filter(|number| *number != EXEC_FAILS).for_each(sys::close);
        }
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        for (name, value) in &mut environment {
            if (name == "LISTEN_PID" || name == "WATCHDOG_PID" && !fault::is("forgets the watchdog's pid"))
                && *value == *self.parent.to_string()
                && !fault::is("leaves the listener's pid alone")
            {
                *value = std::process::id().to_string().into();
            }
        }
        if fault::is("adds a variable") {
            environment.push(("INIT".into(), "bad".into()));
        }
        let text = |bytes: Vec<u8>| CString::new(bytes).expect("no NUL");
        let environment: Vec<_> = environment
            .into_iter()
            .map(|(name, value)| text([name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect();
        let words: Vec<_> = self.program.iter().map(|word| text(self.word(word))).collect();
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/bin:/usr/bin".into());
        let (ignored, mask) = self.inherited();
        sys::set_inherited_signals(ignored, mask);
        let mut failure = Errno::ENOENT;
        for candidate in candidates(&self.program[0], &path) {
            let candidate = text(candidate.into_vec());
            let Err(error) = nix::unistd::execve(&candidate, &words, &environment);
            match error {
                Errno::ENOEXEC if is_script(&candidate) => {
                    let shell = [c"sh".into(), candidate].into_iter().chain(words[1..].iter().cloned());
                    let _ = nix::unistd::execve(c"/bin/sh", &shell.collect::<Vec<CString>>(), &environment);
                    return error;
                }
                Errno::ENOENT if failure == Errno::EACCES => {}
                _ => failure = error,
            }
            if fault::is("takes the first one on PATH") {
                break;
            }
        }
        failure
    }

    /// One word for the program.
    fn word(&self, word: &OsStr) -> Vec<u8> {
        if fault::is("takes words for UTF-8") {
            word.to_string_lossy().into_owned().into_bytes()
        } else {
            word.as_bytes().to_vec()
        }
    }

    /// What was ignored and blocked before.
    fn inherited(&self) -> (Mask, Mask) {
        let mask = if fault::is("blocks WINCH for the child") { self.mask | bit(libc::SIGWINCH) } else { self.mask };
        let mask = if fault::is("forgets 32 and 33") { mask & !(bit(32) | bit(33)) } else { mask };
        (if fault::is("ignores nothing for the child") { 0 } else { self.ignored }, mask)
    }

    /// Makes the child's group the foreground group, if that was init's.
    fn take_terminal(&self) {
        if fault::is("leaves the child in the background") {
            return;
        }
        if let Ok(terminal) = fs::OpenOptions::new().read(true).write(true).open("/dev/tty") {
            let _ = sys::set_foreground_group(terminal.as_raw_fd(), nix::unistd::getpgrp().as_raw());
        }
    }
}

/// Where a program may be.
fn candidates(program: &OsStr, path: &OsStr) -> Vec<OsString> {
    if program.as_bytes().contains(&b'/') {
        return vec![program.to_owned()];
    }
    std::env::split_paths(path).map(|folder| folder.join(program).into_os_string()).collect()
}

/// Is this for the shell?
fn is_script(path: &CString) -> bool {
    let bytes = fs::read(OsStr::from_bytes(path.as_bytes())).unwrap_or_default();
    let binary = bytes.starts_with(b"\x7fELF") && !fault::is("runs binaries in a shell");
    !binary && !fault::is("runs no scripts")
}

/// The descriptor that tells why the exec has failed.
const EXEC_FAILS: i32 = 60;

/// What runs.
struct Init {
    options: Options,
    child: i32,
    /// The child has a group of its own.
    own_group: bool,
    is_first: bool,
    /// The child is stopped, as far as it was told.
    stopped: bool,
    status: Option<i32>,
    /// Signals that it knows of.
    known: Mask,
    memory: u64,
    /// When the child is killed.
    kills_at: Option<Instant>,
}

impl Init {
    /// Starts the child; ends where that cannot be.
    fn start(options: Options, program: Vec<OsString>, mask: Mask, ignored: Mask) -> Self {
        let parent = nix::unistd::getpid().as_raw();
        let is_first = parent == 1;
        let shares = fault::is("shares its group") || fault::is("makes no group") && !options.session;
        let by_itself = is_first && !fault::is("forwards what the group has");
        let own_group = (by_itself || options.group || options.session) && !shares;
        let memory = killed_for_memory();
        let (read, write) = nix::unistd::pipe().expect("a pipe");
        sys::duplicate(write.as_raw_fd(), EXEC_FAILS).expect("a descriptor");
        drop(write);
        sys::close_on_exec(EXEC_FAILS).expect("a descriptor");
        sys::close_on_exec(read.as_raw_fd()).expect("a descriptor");
        let start = Start { options: &options, program: &program, mask, ignored, own_group, parent };
        let child = sys::fork().expect("a child");
        let Some(child) = child else {
            let error = start.exec();
            let _ = nix::unistd::write(sys::inherited(EXEC_FAILS), &(error as i32).to_ne_bytes());
            sys::exit_now(127)
        };
        sys::close(EXEC_FAILS);
        let mut errno = [0; 4];
        if nix::unistd::read(&read, &mut errno) == Ok(4) {
            let error = Errno::from_raw(i32::from_ne_bytes(errno));
            let reason =
                if fault::is("gives no reason") { "cannot be started".into() } else { error.desc().to_owned() };
            say(&format!("{}: {reason}", program[0].display()));
            let status = if error == Errno::ENOENT { 127 } else { 126 };
            sys::exit_now(options.exec_failure.unwrap_or(status));
        }
        drop(read);
        if !fault::is("keeps descriptors") {
            (3..1024).for_each(sys::close);
        }
        if !fault::is("keeps the directory") {
            let _ = nix::unistd::chdir("/");
        }
        if options.verbose {
            say("started");
        }
        if fault::is("debugs on stdout") {
            println!("started");
        }
        Self { options, child, own_group, is_first, stopped: false, status: None, known: 0, memory, kills_at: None }
    }

    /// Until the end; returns the exit status.
    fn supervise(&mut self) -> i32 {
        let polls = fault::is("polls").then_some(Duration::from_millis(900));
        while self.status.is_none() {
            let left = self.kills_at.map(|at| at.saturating_duration_since(Instant::now()));
            match sys::take_signal(sys::ALL_SIGNALS, left.or(polls)) {
                Ok(received) => self.receive(received),
                Err(_) if left.is_some_and(|left| left.is_zero()) => {
                    self.kills_at = None;
                    self.known |= bit(libc::SIGKILL);
                    let _ = sys::kill(self.child, libc::SIGKILL, None);
                }
                Err(_) => {}
            }
        }
        self.end()
    }

    /// One signal.
    fn receive(&mut self, received: Received) {
        let Received { signal, code, pid, .. } = received;
        let own = nix::unistd::getpid().as_raw();
        if signal == libc::SIGCHLD {
            if code == libc::SI_USER && fault::is("takes a user's SIGCHLD for an end") {
                sys::exit_now(0);
            }
            return self.reap();
        }
        let raised = [libc::SIGPIPE, libc::SIGXFSZ].contains(&signal) && pid == own;
        if raised && !fault::is("forwards what it raised itself") {
            return;
        }
        self.known |= bit(signal);
        let from_terminal = code == libc::SI_KERNEL && !self.own_group;
        if from_terminal && !fault::is("forwards what the group has") {
            return;
        }
        if is_lost(&received) {
            return;
        }
        let rewrite = self.options.rewrites.iter().rev().find(|(from, _)| *from == signal);
        let number = rewrite.map_or(signal, |(_, to)| *to);
        if number == 0 {
            return;
        }
        self.known |= bit(number);
        self.reap();
        if self.status.is_none() && !self.is_spared(number) {
            self.forward(number, &received);
        }
    }

    /// Is the child to be spared?
    fn is_spared(&self, number: i32) -> bool {
        let caught = || procfs::signals(self.child).is_ok_and(|signals| signals.caught & bit(number) != 0);
        self.options.caught_only && !STOP_REQUESTS.contains(&number) && !caught()
    }

    /// Sends it to the child, or to its group.
    fn forward(&mut self, number: i32, received: &Received) {
        if self.options.verbose {
            say(&format!("forwarding {number}"));
        }
        let to_group = (self.options.group || self.options.session) && !fault::is("forwards to the child alone");
        let value = (received.code == libc::SI_QUEUE && !fault::is("loses values")).then_some(received.value);
        let times = if fault::is("forwards twice") { 2 } else { 1 };
        for _ in 0..times {
            let sent = match value {
                _ if to_group => sys::kill(-self.child, number, None),
                Some(value) => sys::kill(self.child, number, Some(value)),
                None => sys::kill(self.child, number, None),
            };
            if sent.is_err() && fault::is("ends where it may not signal") {
                sys::exit_now(1);
            }
        }
        if fault::is("merges queued signals") || fault::is("loses the order") {
            let mut others = Vec::new();
            while let Ok(other) = sys::take_signal(bit(received.signal), Some(Duration::ZERO)) {
                others.push(other);
            }
            if fault::is("loses the order") {
                others.iter().rev().for_each(|other| drop(sys::kill(self.child, other.signal, Some(other.value))));
            }
        }
        if STOP_REQUESTS.contains(&number) {
            if self.stopped && !fault::is("leaves a stopped child stopped") {
                let target = if to_group { -self.child } else { self.child };
                let _ = sys::kill(target, libc::SIGCONT, None);
                self.stopped = false;
            }
            if self.kills_at.is_none() {
                self.kills_at = self.options.stop_timeout.map(|time| Instant::now() + time);
            }
        }
        self.stopped &= number != libc::SIGCONT;
    }

    /// Reaps all that has ended, and hears of all that has stopped.
    fn reap(&mut self) {
        let who = if fault::is("does not reap") { self.child } else { -1 };
        while let Ok(Some((pid, status))) = sys::wait(who, libc::WNOHANG | libc::WUNTRACED) {
            if libc::WIFSTOPPED(status) {
                if pid == self.child {
                    self.child_stopped(libc::WSTOPSIG(status));
                }
            } else if pid == self.child && self.status.is_none() {
                self.status = Some(status);
            } else if self.options.warn_reaped {
                say(&format!("reaped {pid}"));
            }
        }
    }

    /// The child has stopped: as PID 1 nobody could resume it, and otherwise init stops with it.
    fn child_stopped(&mut self, signal: i32) {
        self.stopped = true;
        if self.is_first {
            if signal != libc::SIGSTOP && !fault::is("leaves the child frozen") {
                let _ = sys::kill(self.child, libc::SIGCONT, None);
                self.stopped = false;
            }
        } else if !fault::is("does not stop with its child") {
            let _ = sys::kill(nix::unistd::getpid().as_raw(), libc::SIGSTOP, None);
            let target = if self.own_group { -self.child } else { self.child };
            let _ = sys::kill(target, libc::SIGCONT, None);
            self.stopped = false;
        }
    }

    /// The child has ended: the others, and the status.
    fn end(&mut self) -> i32 {
        let status = self.status.unwrap_or(0);
        if self.options.session && !fault::is("sends no TERM at the end") {
            let _ = sys::kill(-self.child, libc::SIGTERM, None);
        }
        self.tell(status);
        if self.options.wait_all || fault::is("waits for everybody") {
            self.wait_for_all();
        } else if let Some(grace) = self.options.grace {
            self.tear_down(grace);
        }
        let code = exit_code(status);
        if self.options.expected.contains(&code) { 0 } else { code }
    }

    /// One line about a death that nobody has asked for.
    fn tell(&self, status: i32) {
        let unknown = libc::WIFSIGNALED(status) && self.known & bit(libc::WTERMSIG(status)) == 0;
        if (unknown || fault::is("tells of every death")) && !fault::is("tells of no death") {
            let memory = killed_for_memory() > self.memory && !fault::is("knows nothing of memory");
            say(&format!("the child was killed{}", if memory { " for want of memory" } else { "" }));
        }
    }

    /// Until no child is left, or a TERM comes.
    fn wait_for_all(&mut self) {
        while self.has_children() {
            if let Ok(received) = sys::take_signal(sys::ALL_SIGNALS, Some(LOOKS))
                && STOP_REQUESTS.contains(&received.signal)
                && !fault::is("is deaf while it waits")
            {
                self.to_all(libc::SIGTERM);
                self.to_all(libc::SIGCONT);
            }
        }
    }

    /// TERM for all that are left, some time, and KILL.
    fn tear_down(&mut self, grace: Duration) {
        self.to_all(libc::SIGTERM);
        if !fault::is("does not continue who is stopped") {
            self.to_all(libc::SIGCONT);
        }
        let until = Instant::now() + grace;
        while self.has_others() && Instant::now() < until {
            let received = sys::take_signal(sys::ALL_SIGNALS, Some(LOOKS));
            let stops = received.is_ok_and(|received| STOP_REQUESTS.contains(&received.signal));
            if stops && !fault::is("lets nobody cut the grace short") {
                break;
            }
        }
        if !fault::is("kills nobody") {
            self.to_all(libc::SIGKILL);
            while self.has_others() {}
        }
    }

    /// Has it children? Reaps those that have ended.
    fn has_children(&mut self) -> bool {
        self.reap();
        sys::wait(-1, libc::WNOHANG).is_ok()
    }

    /// Is anybody left that it answers for?
    fn has_others(&mut self) -> bool {
        let has_children = self.has_children();
        if fault::is("waits for its children only") || !self.is_first {
            return has_children;
        }
        sys::kill(-1, 0, None).is_ok()
    }

    /// A signal for all that it answers for.
    fn to_all(&self, signal: i32) {
        if fault::is("ends its child's group only") {
            let _ = sys::kill(-self.child, signal, None);
        } else if self.is_first {
            let _ = sys::kill(-1, signal, None);
        } else {
            let others = procfs::descendants_of(nix::unistd::getpid().as_raw());
            others.iter().for_each(|other| drop(sys::kill(other.pid, signal, None)));
        }
    }
}

/// Signals that get lost by a fault.
fn is_lost(received: &Received) -> bool {
    let signal = received.signal;
    fault::is("loses USR1") && signal == libc::SIGUSR1
        || fault::is("loses stops") && [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal)
        || fault::is("loses sent faults") && [libc::SIGABRT, libc::SIGSEGV].contains(&signal)
        || fault::is("loses real-time signals") && (34..=64).contains(&signal)
        || fault::is("loses 32 and 33") && (32..34).contains(&signal)
        || fault::is("hears nobody inside") && received.pid != 0 && received.code == libc::SI_USER
}

/// The child's status as init's.
fn exit_code(status: i32) -> i32 {
    if libc::WIFEXITED(status) {
        return if fault::is("ends with 0") { 0 } else { libc::WEXITSTATUS(status) };
    }
    let signal = libc::WTERMSIG(status);
    match signal {
        _ if fault::is("ends with the signal's number") => signal,
        32.. if fault::is("knows no death by a real-time signal") => 1,
        _ => 128 + signal,
    }
}
