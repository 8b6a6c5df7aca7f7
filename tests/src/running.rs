//! A started program, and its end.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recvmsg, send, setsockopt,
    socketpair, sockopt,
};

use crate::case::{Case, open};
use crate::plan::Place;
use crate::procfs::{self, Process, Signals};
use crate::{sys, tools};

/// What a program has written so far. A thread fills it, and so does whoever looks, who thus misses nothing that is written.
#[derive(Clone, Default)]
struct Capture(Arc<(Mutex<Captured>, Condvar)>);

#[derive(Default)]
struct Captured {
    source: Option<Arc<OwnedFd>>,
    bytes: Vec<u8>,
    /// Every writer has closed it.
    ended: bool,
}

impl Captured {
    /// Reads all that is there now: a pipe holds no more than one read takes, and a terminal gives it in parts. A writer without
    /// an end holds nobody up.
    fn fill(&mut self) {
        const PARTS: usize = 16;
        let mut buffer = [0; 1 << 16];
        for _ in 0..PARTS {
            let Some(source) = self.source.as_ref().filter(|source| has_input(source, PollTimeout::ZERO)) else {
                break;
            };
            // A terminal that nobody has open any more is an error.
            let count = nix::unistd::read(source, &mut buffer).unwrap_or(0);
            self.bytes.extend_from_slice(&buffer[..count]);
            if count == 0 {
                self.ended = true;
                self.source = None;
            }
        }
    }
}

/// Is there something to read, or an end, within this time?
fn has_input(source: &OwnedFd, limit: PollTimeout) -> bool {
    poll(&mut [PollFd::new(source.as_fd(), PollFlags::POLLIN)], limit).is_ok_and(|ready| ready > 0)
}

impl Capture {
    fn of(source: OwnedFd) -> Self {
        let source = Arc::new(source);
        let capture = Self::default();
        capture.captured().source = Some(source.clone());
        let filler = capture.clone();
        std::thread::spawn(move || {
            loop {
                has_input(&source, PollTimeout::NONE);
                let mut captured = filler.captured();
                captured.fill();
                filler.0.1.notify_all();
                if captured.ended {
                    break;
                }
            }
        });
        capture
    }

    fn captured(&self) -> MutexGuard<'_, Captured> {
        self.0.0.lock().expect("no panic under this lock")
    }

    /// A stream that is not captured.
    fn none() -> Self {
        let capture = Self::default();
        capture.captured().ended = true;
        capture
    }

    fn bytes(&self) -> Vec<u8> {
        let mut captured = self.captured();
        captured.fill();
        self.0.1.notify_all();
        captured.bytes.clone()
    }

    /// Waits until `enough` holds; false after the deadline.
    fn wait(&self, deadline: Duration, mut enough: impl FnMut(&Captured) -> bool) -> bool {
        let (captured, changed) = &*self.0;
        let guard = captured.lock().expect("no panic under this lock");
        let (guard, _) =
            changed.wait_timeout_while(guard, deadline, |c| !enough(c) && !c.ended).expect("no panic under this lock");
        enough(&guard)
    }
}

/// A program that was started. Dropping it ends the program and all in its namespaces.
pub struct Running {
    pid: i32,
    process: OwnedFd,
    /// Its PID namespace (`/proc/PID/ns/pid`), which may outlive it.
    namespace: PathBuf,
    place: Place,
    control: Option<OwnedFd>,
    gate: Option<OwnedFd>,
    launcher: Child,
    tracer: Option<(Child, Capture, tempfile::NamedTempFile)>,
    stdin: Option<File>,
    stdout: Capture,
    stderr: Capture,
    status: Option<i32>,
    deadline: Duration,
    what: String,
    _kept: Vec<OwnedFd>,
}

/// The end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The raw wait status (`wait4(2)`).
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// strace's log; empty without strace.
    pub trace: String,
}

/// Starts a child, not while [`sys::no_forks`] is held. Returns when it has executed its program, or could not.
///
/// # Errors
/// It cannot be started.
pub fn spawn(command: &mut Command) -> std::io::Result<Child> {
    let _alone = sys::no_forks();
    command.spawn()
}

/// The same, and waits for its end, and for what it writes.
///
/// # Errors
/// It cannot be started.
pub fn output(command: &mut Command) -> std::io::Result<std::process::Output> {
    spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?.wait_with_output()
}

/// Starts the launcher up to the gate.
pub(crate) fn start(case: Case) -> Result<Running, String> {
    let Case { mut plan, streams, descriptors, environment, tracer, deadline, master } = case;
    let what = format!("{:?}", plan.words);
    let pair =
        || socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).expect("a socket pair");
    let (control, their_control) = pair();
    let (gate, their_gate) = pair();
    setsockopt(&gate, sockopt::PassCred, &true).expect("SO_PASSCRED");

    let high = |fd: OwnedFd| sys::duplicate_high(fd.as_fd()).expect("a descriptor");
    let mut passed = vec![high(their_control), high(their_gate)];
    plan.control = passed[0].as_raw_fd();
    plan.gate = passed[1].as_raw_fd();
    for (file, number) in descriptors {
        let file = high(file);
        plan.descriptors.push((file.as_raw_fd(), number));
        passed.push(file);
    }
    let mut number = -1;
    let [stdin, stdout, stderr] = streams.map(|stream| {
        number += 1;
        open(stream, number, &mut plan)
    });

    let mut command = Command::new(tools::launcher());
    command.args(plan.arguments()).env_clear().envs(environment);
    let theirs = |fd: Option<OwnedFd>| fd.map_or_else(Stdio::null, Stdio::from);
    command.stdin(theirs(stdin.theirs)).stdout(theirs(stdout.theirs)).stderr(theirs(stderr.theirs));
    sys::pass_on(&mut command, passed);
    let launcher = spawn(&mut command).map_err(|error| format!("cannot start the launcher: {error}"))?;
    // Our copies of the other sides: an end of file must be seen.
    drop(command);

    let capture = |fd: Option<OwnedFd>| fd.map_or_else(Capture::none, Capture::of);
    let mut running = Running {
        pid: 0,
        process: sys::open_process(launcher.id() as i32).expect("our own child"),
        namespace: PathBuf::new(),
        place: plan.place,
        control: Some(control),
        gate: None,
        launcher,
        tracer: None,
        stdin: stdin.ours.or_else(|| master.as_ref().map(|fd| fd.try_clone().expect("a descriptor"))).map(File::from),
        stdout: capture(stdout.ours.or(master)),
        stderr: capture(stderr.ours),
        status: None,
        deadline,
        what,
        _kept: [stdin.kept, stdout.kept, stderr.kept].into_iter().flatten().collect(),
    };
    // The gate closes without a word if the launcher failed: its reason is in the other socket.
    match running.receive(&gate)? {
        Some((text, pid)) if text == "ready" => running.pid = pid,
        Some((text, _)) => return Err(running.told(&text)),
        None => {
            let control = running.control.take().expect("not let go yet");
            let reason =
                running.receive(&control)?.map_or("the launcher ended without a word".to_owned(), |(text, _)| text);
            return Err(running.told(&reason));
        }
    }
    running.process = sys::open_process(running.pid).map_err(|error| running.told(&format!("pidfd: {error}")))?;
    running.namespace = procfs::namespace(running.pid).map_err(|error| running.told(&format!("namespace: {error}")))?;
    running.gate = Some(gate);
    if let Some(arguments) = tracer {
        running.trace(&arguments)?;
    }
    Ok(running)
}

impl Running {
    /// The outer pid of the program.
    #[must_use]
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// The outer pids of what looks after the program: the launcher, and strace if there is one.
    #[must_use]
    pub fn attendants(&self) -> Vec<i32> {
        let tracer = self.tracer.as_ref().map(|(tracer, ..)| tracer.id());
        std::iter::once(self.launcher.id()).chain(tracer).map(|pid| pid as i32).collect()
    }

    /// Has the program ended?
    #[must_use]
    pub fn has_ended(&self) -> bool {
        sys::wait_for_end(&self.process, Duration::ZERO)
    }

    /// A message with the launcher's word for what went wrong.
    fn told(&self, text: &str) -> String {
        format!("{}: {}", self.what, text.strip_prefix("error ").unwrap_or(text))
    }

    /// One message and the outer pid of its sender; None at the end of the connection.
    fn receive(&mut self, socket: &OwnedFd) -> Result<Option<(String, i32)>, String> {
        let limit = PollTimeout::try_from(self.deadline).expect("a deadline below 24 days");
        if poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], limit).is_ok_and(|ready| ready == 0) {
            return Err(self.report("the deadline has passed"));
        }
        let mut bytes = [0; 4096];
        let mut vector = [std::io::IoSliceMut::new(&mut bytes)];
        let mut space = cmsg_space!(UnixCredentials);
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut vector, Some(&mut space), MsgFlags::empty())
            .map_err(|error| self.told(&error.to_string()))?;
        let pid = message.cmsgs().ok().into_iter().flatten().find_map(|word| match word {
            ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
            _ => None,
        });
        let length = message.bytes;
        Ok((length != 0).then(|| (String::from_utf8_lossy(&bytes[..length]).into_owned(), pid.unwrap_or(0))))
    }

    /// Attaches strace while the process waits at the gate.
    fn trace(&mut self, arguments: &[std::ffi::OsString]) -> Result<(), String> {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let strace = tools::on_path("strace").ok_or("strace is not installed")?;
        let mut command = Command::new(strace);
        command.arg("-o").arg(log.path()).args(arguments).args(["-p", &self.pid.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut tracer = spawn(&mut command).map_err(|error| format!("cannot start strace: {error}"))?;
        let messages = Capture::of(tracer.stderr.take().expect("piped").into());
        let attached = messages.wait(self.deadline, |c| c.bytes.windows(9).any(|w| w == b" attached"));
        self.tracer = Some((tracer, messages.clone(), log));
        if attached { Ok(()) } else { Err(self.report(&format!("strace: {}", messages.bytes().escape_ascii()))) }
    }

    /// Ends strace: what it holds up goes on at once. Its log ends here.
    pub fn end_tracing(&mut self) {
        if let Some((tracer, ..)) = &mut self.tracer {
            let _ = tracer.kill();
            let _ = tracer.wait();
        }
    }

    /// Lets a held program go on to its exec; returns when that has been done.
    #[track_caller]
    pub fn release(&mut self) {
        self.try_release().unwrap_or_else(|why| panic!("{why}"));
    }

    /// The same without a sleep until then: how long a processor takes to be woken is no part of what the caller measures.
    #[track_caller]
    pub fn release_awake(&mut self) {
        let limit = Instant::now() + self.deadline;
        let asked = |gate: &OwnedFd| poll(&mut [PollFd::new(gate.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO);
        let awake = |gate: &OwnedFd| while asked(gate) == Ok(0) && Instant::now() < limit {};
        self.open_gate(awake).unwrap_or_else(|why| panic!("{why}"));
    }

    pub(crate) fn try_release(&mut self) -> Result<(), String> {
        self.open_gate(|_| {})
    }

    /// Lets it go on, waits for news by `wait`, and takes them.
    fn open_gate(&mut self, wait: impl FnOnce(&OwnedFd)) -> Result<(), String> {
        let gate = self.gate.take().expect("held");
        let _ = send(gate.as_raw_fd(), b"g", MsgFlags::MSG_NOSIGNAL);
        wait(&gate);
        match self.receive(&gate)? {
            None => Ok(()),
            Some((text, _)) => Err(self.told(&text)),
        }
    }

    /// A signal from outside the namespace, 1–64, as `kill(2)`.
    #[track_caller]
    pub fn signal(&self, signal: i32) {
        self.try_signal(signal, None).unwrap_or_else(|error| panic!("signal {signal}: {error}"));
    }

    /// The same of a program that may have ended; with a value as `sigqueue(3)`.
    ///
    /// # Errors
    /// ESRCH, EAGAIN.
    pub fn try_signal(&self, signal: i32, value: Option<isize>) -> std::io::Result<()> {
        sys::signal_process(self.process.as_fd(), signal, value)
    }

    /// A signal with a value from outside the namespace, as `sigqueue(3)`.
    #[track_caller]
    pub fn queue(&self, signal: i32, value: isize) {
        self.try_signal(signal, Some(value)).unwrap_or_else(|error| panic!("signal {signal}: {error}"));
    }

    /// A signal from a process of the same PID namespace that is no relative of the program.
    #[track_caller]
    pub fn signal_from_inside(&self, signal: i32) {
        self.send_inside("kill", signal, None);
    }

    /// A signal with a value from a process of the same PID namespace that is no relative of the program.
    #[track_caller]
    pub fn queue_from_inside(&self, signal: i32, value: isize) {
        self.send_inside("queue", signal, Some(value));
    }

    #[track_caller]
    fn send_inside(&self, command: &str, signal: i32, value: Option<isize>) {
        let target = procfs::Status::read(self.pid)
            .expect("it lives")
            .get("NSpid")
            .split_whitespace()
            .next_back()
            .map(str::to_owned);
        let mut words = vec![command.to_owned(), target.expect("a pid"), signal.to_string()];
        words.extend(value.map(|value| value.to_string()));
        let outcome = Case::witness().inside(self).args(words).run();
        // Where the signal ended PID 1, the kernel has killed the sender too.
        assert!(matches!(outcome.status, 0 | 9), "signal {signal} from inside: {outcome:?}");
    }

    /// Writes to the standard input of a program with [`Stream::Pipe`](crate::Stream::Pipe) there.
    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).expect("a reader");
    }

    /// The same for a program that may have ended.
    ///
    /// # Errors
    /// EPIPE, EIO.
    pub fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stdin.as_mut().expect("standard input is a pipe").write_all(bytes)
    }

    /// Closes the standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// What has been written to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// What has been written to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<u8> {
        self.stderr.bytes()
    }

    /// Waits for a whole line of standard output that contains `text`, and returns it.
    #[track_caller]
    pub fn wait_line(&mut self, text: &str) -> String {
        let capture = self.stdout.clone();
        self.line_of(&capture, text, 1)
    }

    /// Waits until standard output has `count` whole lines that contain `text`, and returns the last of them.
    #[track_caller]
    pub fn wait_lines(&mut self, text: &str, count: usize) -> String {
        let capture = self.stdout.clone();
        self.line_of(&capture, text, count)
    }

    /// Waits for a whole line of standard error that contains `text`, and returns it.
    #[track_caller]
    pub fn wait_error_line(&mut self, text: &str) -> String {
        let capture = self.stderr.clone();
        self.line_of(&capture, text, 1)
    }

    /// Waits for `text` anywhere in standard output behind its first `from` bytes, and returns where it ends: for what is
    /// no whole line, such as a prompt.
    #[track_caller]
    pub fn wait_text(&mut self, from: usize, text: &str) -> usize {
        let mut end = None;
        self.stdout.wait(self.deadline, |captured| {
            let new = captured.bytes.get(from..).unwrap_or_default();
            end = new.windows(text.len()).position(|at| at == text.as_bytes()).map(|at| from + at + text.len());
            end.is_some()
        });
        end.unwrap_or_else(|| panic!("{}", self.report(&format!("no {text:?} behind byte {from}"))))
    }

    #[track_caller]
    fn line_of(&mut self, capture: &Capture, text: &str, count: usize) -> String {
        let mut found = None;
        capture.wait(self.deadline, |captured| {
            found = String::from_utf8_lossy(&captured.bytes)
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n') && line.contains(text))
                .nth(count - 1)
                .map(|line| line.trim_end().to_owned());
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("{}", self.report(&format!("no line {count} with {text:?}"))))
    }

    /// Waits for the program's end; what else is in the namespace lives on where it is not PID 1. Returns the raw status.
    #[track_caller]
    pub fn wait_status(&mut self) -> i32 {
        self.try_wait_status().unwrap_or_else(|why| panic!("{why}"))
    }

    fn try_wait_status(&mut self) -> Result<i32, String> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let control = self.control.take().expect("not let go yet");
        let message = self.receive(&control)?;
        self.control = Some(control);
        let text = message.map_or("the launcher ended".to_owned(), |(text, _)| text);
        let status = text.strip_prefix("status ").and_then(|number| number.parse().ok());
        let status = status.ok_or_else(|| self.report(&text))?;
        self.status = Some(status);
        Ok(status)
    }

    /// Waits for the program's end, then ends what is left, and returns all there is to know.
    #[must_use]
    #[track_caller]
    pub fn wait(self) -> Outcome {
        self.try_wait().unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same.
    ///
    /// # Errors
    /// Something does not end before the deadline: all there is to know.
    pub fn try_wait(mut self) -> Result<Outcome, String> {
        let status = self.try_wait_status()?;
        if !self.let_go() {
            return Err(self.report("the launcher does not end"));
        }
        for stream in [self.stdout.clone(), self.stderr.clone()] {
            if !stream.wait(self.deadline, |captured| captured.ended) {
                return Err(self.report("somebody holds an output open"));
            }
        }
        let mut trace = String::new();
        if let Some((tracer, messages, _)) = &mut self.tracer {
            // It has no end before its last tracee's; its messages end with it.
            if !messages.wait(self.deadline, |captured| captured.ended) {
                let _ = tracer.kill();
                return Err(self.report("strace does not end"));
            }
        }
        if let Some((mut tracer, _, log)) = self.tracer.take() {
            let _ = tracer.wait();
            trace = String::from_utf8_lossy(&std::fs::read(log.path()).expect("strace's log")).into_owned();
        }
        Ok(Outcome { status, stdout: self.stdout.bytes(), stderr: self.stderr.bytes(), trace })
    }

    /// Kills the program from outside and waits for its end.
    #[must_use]
    #[track_caller]
    pub fn kill(self) -> Outcome {
        self.signal(libc::SIGKILL);
        self.wait()
    }

    /// Lets go of the control socket, at which the launcher ends everything, and waits for the launcher;
    /// false if it had to be killed after the deadline.
    fn let_go(&mut self) -> bool {
        self.gate = None;
        self.control = None;
        let process = sys::open_process(self.launcher.id() as i32);
        let ended = process.is_ok_and(|process| sys::wait_for_end(&process, self.deadline));
        if !ended {
            // By their parent-death signals this ends the rest.
            let _ = self.launcher.kill();
        }
        let _ = self.launcher.wait();
        ended
    }

    /// Everything known, for a test that fails.
    fn report(&mut self, why: &str) -> String {
        let processes = self.processes();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let mut report = format!(
            "{}: {why}\n--- processes: {processes:#?}\n--- standard output:\n{}\n--- standard error:\n{}",
            self.what,
            text(self.stdout.bytes()),
            text(self.stderr.bytes()),
        );
        if let Some((_, messages, log)) = &self.tracer {
            let log = std::fs::read(log.path()).unwrap_or_default();
            report += &format!("\n--- strace:\n{}{}", text(messages.bytes()), text(log));
        }
        report
    }

    /// All processes of its PID namespace, PID 1 first; at [`Place::Host`] it and its descendants.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        match self.place {
            Place::Host => procfs::descendants_of(self.launcher.id() as i32),
            _ => procfs::processes_in(&self.namespace),
        }
    }

    /// The dead in its PID namespace for whom nobody has waited.
    #[must_use]
    pub fn zombies(&self) -> Vec<Process> {
        let mut all = self.processes();
        all.retain(|process| process.state == 'Z');
        all
    }

    /// The processes whose parent is the program.
    #[must_use]
    pub fn children(&self) -> Vec<Process> {
        let mut all = self.processes();
        all.retain(|process| process.parent == self.pid);
        all
    }

    #[must_use]
    #[track_caller]
    pub fn context_switches(&self) -> u64 {
        procfs::context_switches(self.pid).expect("it lives")
    }

    #[must_use]
    #[track_caller]
    pub fn signals(&self) -> Signals {
        procfs::signals(self.pid).expect("it lives")
    }

    /// Waits until the program sleeps in `call`, say `libc::SYS_rt_sigtimedwait`, by way of `/proc/PID/syscall`.
    /// The kernel gives no event for this, so it looks again until the deadline.
    #[track_caller]
    pub fn wait_asleep_in(&mut self, call: i64) {
        self.wait_until(&format!("it does not sleep in call {call}"), |running| procfs::sleeps_in(running.pid, call));
    }

    /// Looks until `wanted` holds, for what the kernel gives no event for; panics after the deadline.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut wanted: impl FnMut(&Self) -> bool) {
        /// What must be seen as soon as it is there is there by now; what takes longer needs the processor itself.
        const AT_ONCE: Duration = Duration::from_millis(50);
        let start = Instant::now();
        while !wanted(self) {
            let waited = start.elapsed();
            if waited > self.deadline {
                panic!("{}", self.report(what));
            }
            if waited < AT_ONCE {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.let_go();
        if let Some((mut tracer, ..)) = self.tracer.take() {
            let _ = tracer.kill();
            let _ = tracer.wait();
        }
    }
}

impl Outcome {
    /// The exit status, if it was one.
    #[must_use]
    pub const fn exit(&self) -> Option<i32> {
        if libc::WIFEXITED(self.status) { Some(libc::WEXITSTATUS(self.status)) } else { None }
    }

    /// The signal that killed it, if one did, 1–64.
    #[must_use]
    pub const fn killed_by(&self) -> Option<i32> {
        if libc::WIFSIGNALED(self.status) { Some(libc::WTERMSIG(self.status)) } else { None }
    }

    /// Panics with all there is to know unless it exited with `status`.
    #[track_caller]
    pub fn assert_exit(&self, status: i32) -> &Self {
        assert_eq!(self.exit(), Some(status), "{self}");
        self
    }

    /// Panics with all there is to know unless `signal` killed it.
    #[track_caller]
    pub fn assert_killed_by(&self, signal: i32) -> &Self {
        assert_eq!(self.killed_by(), Some(signal), "{self}");
        self
    }

    /// Standard output as text.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The value of a `key=value` line of the witness.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<String> {
        self.out().lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned)
    }

    /// The system calls of the traced program after its first successful exec, in order, as strace writes them, without
    /// those of other processes; a call that another process's line interrupts stays in two parts.
    #[must_use]
    pub fn calls_after_exec(&self) -> Vec<String> {
        let mut lines = self.trace.lines().filter_map(|line| line.split_once(char::is_whitespace));
        let done = |text: &str| text.contains("execve") && text.trim_end().ends_with("= 0");
        let Some((program, _)) = lines.by_ref().find(|(_, text)| done(text)) else { return Vec::new() };
        // Signals (---) and the end (+++) are no calls.
        let mark = |text: &str| text.starts_with("---") || text.starts_with("+++");
        let calls = lines.filter(|(pid, _)| *pid == program).map(|(_, text)| text.trim().to_owned());
        calls.filter(|text| !mark(text)).collect()
    }

    /// Every value of a key, in order.
    #[must_use]
    pub fn values(&self, key: &str) -> Vec<String> {
        self.out().lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned).collect()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        writeln!(f, "wait status {:#x} (exit {:?}, signal {:?})", self.status, self.exit(), self.killed_by())?;
        writeln!(f, "--- standard output:\n{}\n--- standard error:\n{}", self.out(), self.err())?;
        if self.trace.is_empty() { Ok(()) } else { write!(f, "--- strace:\n{}", self.trace) }
    }
}
