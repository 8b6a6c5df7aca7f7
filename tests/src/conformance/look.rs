//! How a case looks at a program of which nothing is known: every wait ends, nothing panics, and what was not seen is told
//! with what was expected instead.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Program;
use crate::procfs::{self, Status};
use crate::{Case, Outcome, Running, sys};

/// What a run has shown: the text of the cell where it holds, or what was expected and what was seen instead.
pub type Verdict = Result<String, Failure>;

/// Why a case does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The text of the cell.
    pub word: String,
    pub expected: String,
    pub seen: String,
}

/// The words of the cells.
pub const YES: &str = "✓";
pub const NO: &str = "✗";
pub const HANGS: &str = "hangs";
pub const LOST: &str = "lost";
pub const ENDS: &str = "ends";

/// Any real-time signal that is sent last: what was sent before has been dealt with when it arrives.
pub const MARKER: i32 = 50;

/// What does not come while nothing runs for this time does not come.
const QUIET: Duration = Duration::from_secs(3);

/// A program that has had the processor for so long spins, and brings nothing more.
const SPINS: Duration = Duration::from_secs(2);

/// The longest that is waited for anything.
const DEADLINE: Duration = Duration::from_secs(60);

pub fn failure(word: &str, expected: impl Into<String>, seen: impl Into<String>) -> Failure {
    Failure { word: word.to_owned(), expected: expected.into(), seen: seen.into() }
}

pub fn yes() -> Verdict {
    Ok(YES.to_owned())
}

/// What can be told of a program for a report.
pub trait Shown {
    fn shown(&self) -> String;
}

/// The end of some output, readable.
fn tail(name: &str, bytes: &[u8]) -> String {
    const MOST: usize = 400;
    let text = String::from_utf8_lossy(bytes);
    let start = (text.len().saturating_sub(MOST)..).find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    if text.is_empty() { format!("no {name}") } else { format!("{name} {:?}", &text[start..]) }
}

impl Shown for Running {
    fn shown(&self) -> String {
        let mut processes: Vec<_> =
            self.processes().iter().map(|p| format!("{} {} {}", p.inner, p.comm, p.state)).collect();
        let more = processes.len().saturating_sub(8);
        processes.truncate(8);
        if more > 0 {
            processes.push(format!("and {more} more"));
        }
        let processes =
            if self.has_ended() { "it has ended".to_owned() } else { format!("processes {}", processes.join(", ")) };
        format!("{processes}; {}; {}", tail("output", &self.stdout()), tail("errors", &self.stderr()))
    }
}

impl Shown for Outcome {
    fn shown(&self) -> String {
        let end = match (self.exit(), self.killed_by()) {
            (Some(status), _) => format!("exit status {status}"),
            (None, signal) => format!("killed by signal {}", signal.unwrap_or(0)),
        };
        format!("{end}; {}; {}", tail("output", &self.stdout), tail("errors", &self.stderr))
    }
}

impl Shown for str {
    fn shown(&self) -> String {
        self.to_owned()
    }
}

/// The verdict where everything has been seen.
pub fn holds(it: bool, expected: &str, shown: &(impl Shown + ?Sized)) -> Verdict {
    if it { yes() } else { Err(failure(NO, expected, shown.shown())) }
}

/// The verdict on one value.
pub fn equal<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Verdict {
    if seen == expected { yes() } else { Err(failure(NO, format!("{what} {expected:?}"), format!("{seen:?}"))) }
}

/// The verdict on an exit status.
pub fn exits(outcome: &Outcome, status: i32) -> Verdict {
    holds(outcome.exit() == Some(status), &format!("exit status {status}"), outcome)
}

// ---- waiting --------------------------------------------------------------------------------------------------------

/// How long something is waited for: not by the clock, which knows nothing of a busy machine, but until nothing is under way
/// any more.
struct Patience<'a> {
    running: &'a Running,
    began: Instant,
    looked: Instant,
    quiet_since: Instant,
}

impl<'a> Patience<'a> {
    fn with(running: &'a Running) -> Self {
        let now = Instant::now();
        Self { running, began: now, looked: now, quiet_since: now }
    }

    fn is_over(&mut self) -> bool {
        const BETWEEN_LOOKS: Duration = Duration::from_millis(30);
        /// Longer than what is done between two looks takes.
        const UNSEEN: Duration = Duration::from_millis(500);
        let now = Instant::now();
        // We ourselves were off the processor: how quiet it was meanwhile nobody knows.
        if now - self.looked > UNSEEN {
            self.quiet_since = now;
        }
        if now - self.looked > BETWEEN_LOOKS {
            self.looked = now;
            if self.is_busy() {
                self.quiet_since = now;
            }
        }
        now - self.quiet_since > QUIET || now - self.began > DEADLINE
    }

    /// Does anything run, wait for the disk or for a processor, or is it held up by strace for a time?
    fn is_busy(&self) -> bool {
        let inside = self.running.processes().into_iter().map(|process| process.pid);
        inside.chain(self.running.attendants()).any(|pid| {
            let busy = Status::read(pid).is_ok_and(|status| status.get("State").starts_with(['R', 'D', 't']));
            busy && procfs::processor_time(pid).is_ok_and(|time| time < SPINS)
        })
    }
}

/// Looks until `wanted` holds, for what the kernel gives no event for; the pause leaves the processor to what is looked at.
pub fn becomes(running: &Running, mut wanted: impl FnMut() -> bool) -> bool {
    let mut patience = Patience::with(running);
    loop {
        if wanted() {
            return true;
        }
        if patience.is_over() {
            return wanted();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The same, or the reason.
pub fn awaits(running: &Running, expected: &str, wanted: impl FnMut() -> bool) -> Result<(), Failure> {
    if becomes(running, wanted) { Ok(()) } else { Err(failure(NO, expected, running.shown())) }
}

/// The lines with `text` on standard output so far, or on the terminal.
pub fn lines(program: &Running, text: &str) -> usize {
    let output = program.stdout();
    let output = String::from_utf8_lossy(&output);
    output.split_inclusive('\n').filter(|line| line.ends_with('\n') && line.contains(text)).count()
}

/// Waits for a line.
pub fn says(program: &Running, text: &str) -> Result<(), Failure> {
    says_times(program, text, 1)
}

pub fn says_times(program: &Running, text: &str, times: usize) -> Result<(), Failure> {
    let expected = if times == 1 { format!("a line {text:?}") } else { format!("{times} lines {text:?}") };
    awaits(program, &expected, || lines(program, text) >= times)
}

/// Waits for any text of the terminal, a prompt for example, that comes behind the first `from` bytes.
pub fn shows(program: &Running, from: usize, text: &str) -> Result<(), Failure> {
    let shown = || String::from_utf8_lossy(program.stdout().get(from..).unwrap_or_default()).contains(text);
    awaits(program, &format!("{text:?} on the terminal"), shown)
}

/// Waits for the end.
pub fn end(program: Running) -> Result<Outcome, Failure> {
    if becomes(&program, || program.has_ended()) {
        Ok(program.wait())
    } else {
        Err(failure(HANGS, "its end", program.shown()))
    }
}

/// Waits until it sleeps, and nothing wakes it: it has done what it does by itself.
pub fn rests(running: &Running) -> Result<(), Failure> {
    awaits(running, "a program that waits", || procfs::await_rest(running.pid(), Duration::from_millis(200)))
}

pub fn is_stopped(pid: i32) -> bool {
    Status::read(pid).is_ok_and(|status| status.get("State").starts_with('T'))
}

// ---- doing ----------------------------------------------------------------------------------------------------------

/// Starts it.
pub fn start(case: Case) -> Result<Running, Failure> {
    case.deadline(DEADLINE).try_start().map_err(|why| failure(NO, "a program that can be started", why))
}

/// Starts it and waits for its end.
pub fn run(case: Case) -> Result<Outcome, Failure> {
    end(start(case)?)
}

/// Starts it and waits for a line.
pub fn ready(case: Case, text: &str) -> Result<Running, Failure> {
    let running = start(case)?;
    says(&running, text)?;
    Ok(running)
}

/// With a recording child, ready.
pub fn recorder(case: Case) -> Result<Running, Failure> {
    ready(case.child(["record"]), "recording")
}

/// Starts it as what shall come to rest by itself.
pub fn at_rest(case: Case) -> Result<Running, Failure> {
    let running = start(case)?;
    rests(&running)?;
    Ok(running)
}

/// A signal from outside.
pub fn signal(program: &Running, signal: i32) -> Result<(), Failure> {
    send(program, signal, None)
}

/// A signal from outside, with a value if there is one.
pub fn send(program: &Running, signal: i32, value: Option<isize>) -> Result<(), Failure> {
    let sent = program.try_signal(signal, value);
    sent.map_err(|error| {
        failure(ENDS, format!("it lives, for signal {signal}"), format!("{error}; {}", program.shown()))
    })
}

/// A signal to one of its processes.
pub fn kill(pid: i32, signal: i32) -> Result<(), Failure> {
    sys::kill(pid, signal, None)
        .map_err(|error| failure(NO, format!("a process, for signal {signal}"), error.to_string()))
}

/// Runs the witness in the program's namespaces, as `docker exec` would.
pub fn inside(program: &Running, words: &[&str]) -> Result<Outcome, Failure> {
    run(Case::witness().inside(program).args(words))
}

/// Types, or writes to its standard input.
pub fn types(program: &mut Running, bytes: &[u8]) -> Result<(), Failure> {
    program
        .try_write(bytes)
        .map_err(|error| failure(NO, "a reader of its input", format!("{error}; {}", program.shown())))
}

/// Types when everybody waits or is stopped: a reader that a stop is on its way to would take the words along.
pub fn types_at_rest(program: &mut Running, bytes: &[u8]) -> Result<(), Failure> {
    let rests = |pid| procfs::await_quiet(pid, &['S', 'T', 'Z'], Duration::from_millis(200));
    awaits(program, "processes that wait", || program.processes().iter().all(|process| rests(process.pid)))?;
    types(program, bytes)
}

/// Its only child.
pub fn child(running: &Running) -> Result<i32, Failure> {
    let child = running.children().first().map(|child| child.pid);
    child.ok_or_else(|| failure(NO, "a child", running.shown()))
}

/// The numbers that the recorder has taken, in order.
pub fn taken(output: &[u8]) -> Vec<i32> {
    let output = String::from_utf8_lossy(output);
    let number = |line: &str| line.strip_prefix("signal=")?.split(' ').next()?.parse().ok();
    output.lines().filter_map(number).collect()
}

/// A folder with one file of mode `mode` in it.
pub fn file(name: &str, text: impl AsRef<[u8]>, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    let path = folder.path().join(name);
    {
        let _alone = sys::no_forks();
        fs::write(&path, text).expect("a file");
    }
    fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
    (folder, path)
}

// ---- what init and pause have in common -----------------------------------------------------------------------------

/// A number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The bytes of the file.
fn bytes(program: &Program) -> Result<Vec<u8>, Failure> {
    fs::read(program.path).map_err(|error| failure(NO, "a file that can be read", error.to_string()))
}

/// The size of the file, of which at most so many bytes are promised.
pub fn file_size(program: &Program, most: usize) -> Verdict {
    let bytes = bytes(program)?;
    // A program with a dynamic loader names it.
    let dynamic = bytes.windows(9).any(|window| window == b"/ld-linux");
    let text = grouped(bytes.len() as u64) + if dynamic { " + libc" } else { "" };
    if bytes.len() <= most { Ok(text) } else { Err(failure(&text, format!("at most {most} bytes"), text.clone())) }
}

/// What its headers say (B1).
pub fn well_linked(program: &Program) -> Verdict {
    let faults = crate::elf::faults(&bytes(program)?);
    holds(faults.is_empty(), "a static file, no executable stack, no page writable and executable", &*faults.join(", "))
}

/// The resident memory, for which nothing is promised.
pub fn resident(running: &Running) -> Verdict {
    rests(running)?;
    let kilobytes = procfs::memory(running.pid(), "Rss");
    kilobytes.map(|number| grouped(number as u64)).map_err(|error| failure(NO, "a figure", error.to_string()))
}

/// The passing of time is what is measured here: three seconds in which nothing happens.
pub fn never_wakes(running: &Running) -> Verdict {
    rests(running)?;
    let count = || procfs::context_switches(running.pid()).ok();
    let before = count();
    std::thread::sleep(Duration::from_secs(3));
    let after = count();
    if before.is_some() && after == before {
        return yes();
    }
    Err(failure("wakes", "no context switch in three idle seconds", format!("{before:?}, then {after:?}")))
}

/// Starts it up to its exec.
pub fn held(case: Case) -> Result<Running, Failure> {
    crate::running::start(case.deadline(DEADLINE)).map_err(|why| failure(NO, "a program that can be started", why))
}

/// Lets it go on.
pub fn release(running: &mut Running) -> Result<(), Failure> {
    running.try_release().map_err(|why| failure(NO, "a program that can be started", why))
}

/// Starts it, and sends TERM when its first system call has been made and nothing more.
pub fn term_behind_the_first_call(case: Case) -> Result<Running, Failure> {
    let mut running = held(case)?;
    let held = crate::steps::hold_behind_first_call(&mut running);
    let held = held.map_err(|why| failure(NO, "a program that makes a system call", why))?;
    signal(&running, libc::SIGTERM)?;
    drop(held);
    Ok(running)
}

/// The flags of the descriptors 0, 1 and 2 of a process (`/proc/PID/fdinfo`), or none for a closed one.
pub fn flags(pid: i32) -> [String; 3] {
    [0, 1, 2].map(|number| {
        let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("none").trim().to_owned()
    })
}

/// Starts it, and tells what the flags were before.
pub fn flags_at_the_start(case: Case) -> Result<(Running, [String; 3]), Failure> {
    let mut running = held(case)?;
    let before = flags(running.pid());
    release(&mut running)?;
    Ok((running, before))
}
