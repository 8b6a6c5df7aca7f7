//! The witness: does what tests ask for, command by command in order, and tells on standard output what it sees.
//! Commands are words: `witness ready exit 3`. See `COMMANDS`.

#![no_main]

use std::collections::VecDeque;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use bitts_tests::storm::{self, Tally};
use bitts_tests::sys::{self, Mask};
use bitts_tests::{case, namespace};
use nix::mount::{MsFlags, mount};
use nix::mqueue::{MQ_OFlag, MqAttr, mq_close, mq_open, mq_receive, mq_send};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;

bitts_tests::main_without_runtime!(run);

/// SIGS is `all`, or numbers with commas between them.
const COMMANDS: &str = "\
ready | say TEXT | error TEXT     write a line
exit CODE | die SIG               end; die with the default disposition and no core file
state                             mask, dispositions, descriptors, limits … as key=value lines, `state=end` last
record [for N | until SIG]        block all, say `recording`, print every signal taken, without end, N of them, or up to the first
                                  SIG; nothing is merged
tag TEXT                          from here on this stands before every signal that is printed
hook [for N]                      the same with handlers (signal-hook); says `hooked`. Not for ILL, FPE, SEGV, 32 and 33; more
                                  than five of one number that come before they are printed are merged
ignore SIGS | default SIGS | block SIGS | unblock SIGS
catch SIGS                        as a program with handlers looks to others; they never run, for `record` blocks all
stop                              print `stopping`, SIGSTOP to itself, print `continued`
clock SIG [every N]               say `ready`, and at every one or N-th SIG `at NS`, the time of its handler; at TERM say `end NS`, and
                                  end. The nanoseconds are those of CLOCK_MONOTONIC
gone N [by M]                     make N orphans that end at once, M at a time; wait until they have been reaped, then make the
                                  next ones: `gone NS …`, for each time from the end of the first to the last one's being reaped
sleepers N                        make N orphans that stay
orphans N                         make N orphans that end at once, return when all have been made
worker                            make an orphan that stays: `worker PID`, `worker got SIG` at TERM, and its end
child … end                       fork; the child does the commands up to its `end` and ends with 0
exec NAME PROGRAM WORD…           become this program, called NAME; in a child up to its `end`
tally N                           block all, say `recording`, count the signals up to a 64, print the counts; N times
storm PID SENDER COUNT            send so many signals of all kinds, and print the counts of what was accepted; `no room` at the first
                                  that was not
bursts ROUNDS SIZE                each round: SIZE orphans that end at the same time; the next when the last of them has been reaped
bomb                              fork for ever, and so do they; each says `full` when it is refused the first time
send WAY PID SIGS                 by `kill`, `tgkill`, `queue` or `pidfd`: `sent WAY SIG` each, or `refused WAY SIG: why`
forge PID SIG CODE FROM UID VALUE sigqueue with this siginfo: `forged SIG` or `refused SIG: why`
no-capabilities                   give them all up
trace attach PID | trace seize PID     `traced`, and it is stopped, or `refused trace: why`
untrace PID SIG                   let it go with this signal, 0: none; `untraced`
look PID                          what /proc/PID shows of it, a line each: `NAME=…` or `NAME refused: why`
limits PID SOFT HARD RESOURCES    prlimit(2), with commas: `limited RESOURCE` or `refused RESOURCE: why`
fill                              make sleeping children until the kernel refuses one: `filled N`
exhaust SIG                       block it, queue it to itself until the kernel refuses one: `exhausted N`
environ N VARIABLE…               the environment of the next exec: these N, as they are, and no other
hop                               for ever: fork and end, so that the pid is another one every moment
breed N                           N generations, each of two more processes; all of them sleep
eat MIB                           take so much memory, and touch every page of it
wait                              wait for one own child: `waited PID STATUS`
kill PID SIG | queue PID SIG VALUE     PID may be `parent`
setsid | setpgid | subreaper | user UID | chdir PATH | close FD
fault                             read what may not be read: SIGSEGV of its own
fill-pod WORD                     hostname, loopback address, System V shared memory, a POSIX queue
show-pod                          hostname=, address=, memory=, queue=
bind FILE FILE | unbind FILE      mount the one on the other; unmount it
tmpfs FOLDER | move FOLDER FOLDER | detach FOLDER | pivot FOLDER     mount an empty file system there; move a mount; take it away, used or
                                  not; make a mount the root of the namespace, and of all processes in it
room KIND                         `room KIND yes` or `no`: may one more namespace of this kind be made (ipc, net …)?
limit KIND N                      at most N of this kind below the own user namespace
cat                               standard input to standard output, up to its end
sleep                             for ever";

/// For mount(2): no such word.
const NONE: Option<&str> = None;

/// Writes one line by one call, so that lines of several processes do not mix. A broken output ends the witness.
fn line(descriptor: &impl std::os::fd::AsFd, text: impl AsRef<[u8]>) {
    let mut bytes = text.as_ref().to_vec();
    bytes.push(b'\n');
    if nix::unistd::write(descriptor, &bytes) != Ok(bytes.len()) {
        sys::exit_now(90);
    }
}

/// A line on standard output.
fn say(text: impl AsRef<[u8]>) {
    line(&io::stdout(), text);
}

/// The remaining words.
struct Words(VecDeque<OsString>);

impl Words {
    fn text(&mut self) -> OsString {
        self.0.pop_front().unwrap_or_else(|| usage("a word is missing"))
    }

    fn number<T: std::str::FromStr>(&mut self) -> T {
        let word = self.text();
        word.to_str().and_then(|word| word.parse().ok()).unwrap_or_else(|| usage(&format!("no number: {word:?}")))
    }

    /// A pid, or `parent`.
    fn process(&mut self) -> i32 {
        match self.0.pop_front_if(|word| word == "parent") {
            Some(_) => nix::unistd::getppid().as_raw(),
            None => self.number(),
        }
    }

    fn signals(&mut self) -> Vec<i32> {
        let word = self.text();
        if word == "all" {
            return sys::catchable().collect();
        }
        let text = word.to_string_lossy().into_owned();
        text.split(',').map(|n| n.parse().unwrap_or_else(|_| usage(&format!("no signal: {n}")))).collect()
    }

    /// `for N`, if it stands here.
    fn limit(&mut self) -> usize {
        self.number_behind("for").unwrap_or(usize::MAX)
    }

    /// `KEY N`, if it stands here.
    fn number_behind<T: std::str::FromStr>(&mut self, key: &str) -> Option<T> {
        self.0.pop_front_if(|word| word == key)?;
        Some(self.number())
    }
}

fn usage(why: &str) -> ! {
    line(&io::stderr(), format!("witness: {why}\n{COMMANDS}"));
    sys::exit_now(91)
}

/// Ends with the name of what failed: a witness that goes on would lie.
fn must<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| {
        line(&io::stderr(), format!("witness: {what}: {error}"));
        sys::exit_now(92)
    })
}

fn run(words: Vec<OsString>) -> i32 {
    // Before anything of ours can change it.
    let mut words = Words(words.into());
    let name = words.0.pop_front();
    let all = words.0.clone();
    let mut environment = None::<Vec<OsString>>;
    while let Some(command) = words.0.pop_front() {
        match command.to_str().unwrap_or("?") {
            "ready" => say("ready"),
            "say" => say(words.text().as_bytes()),
            "error" => line(&io::stderr(), words.text().as_bytes()),
            "exit" => return words.number(),
            "die" => die(words.number()),
            "state" => state(name.as_ref(), &all),
            "record" => record(words.limit(), words.number_behind("until")),
            "hook" => hook(words.limit()),
            "tag" => must("tag", TAG.set(format!("{} ", words.text().display())).map_err(|_| "there is one already")),
            "ignore" => words.signals().into_iter().for_each(|n| must("ignore", sys::ignore(n, true))),
            "default" => words.signals().into_iter().for_each(|n| must("default", sys::ignore(n, false))),
            "catch" => words.signals().into_iter().for_each(|n| must("catch", sys::catch(n))),
            "block" => drop(sys::set_mask(sys::mask() | set(&words.signals()))),
            "unblock" => drop(sys::set_mask(sys::mask() & !set(&words.signals()))),
            "stop" => {
                say("stopping");
                must("stop", sys::kill(nix::unistd::getpid().as_raw(), libc::SIGSTOP, None));
                say("continued");
            }
            "clock" => clock(words.number(), words.number_behind("every").unwrap_or(1)),
            "gone" => gone(words.number(), words.number_behind("by").unwrap_or(1)),
            "sleepers" => sleepers(words.number()),
            "orphans" => orphans(words.number()),
            "worker" => worker(),
            "child" => {
                let mut open = 1;
                let closes = |word: &OsString| {
                    open += i32::from(word == "child") - i32::from(word == "end");
                    open == 0
                };
                let end = words.0.iter().position(closes).unwrap_or_else(|| usage("child without end"));
                let rest = words.0.split_off(end + 1);
                if must("fork", sys::fork()).is_some() {
                    words.0 = rest;
                } else {
                    words.0.pop_back();
                }
            }
            "wait" => {
                let (pid, status) = must("wait", sys::wait(-1, 0)).expect("waiting blocks");
                say(format!("waited {pid} {status}"));
            }
            "kill" => must("kill", sys::kill(words.process(), words.number(), None)),
            "queue" => must("queue", sys::kill(words.process(), words.number(), Some(words.number()))),
            "setsid" => drop(must("setsid", nix::unistd::setsid())),
            "setpgid" => {
                must("setpgid", nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0)))
            }
            "subreaper" => must("subreaper", nix::sys::prctl::set_child_subreaper(true)),
            "user" => {
                let user = nix::unistd::Uid::from_raw(words.number());
                must("user", nix::unistd::setresuid(user, user, user));
            }
            "exec" => exec(&mut words, environment.as_deref()),
            "environ" => environment = Some((0..words.number()).map(|_: usize| words.text()).collect()),
            "hop" => {
                while must("hop", sys::fork()).is_none() {}
                return 0;
            }
            "tally" => tally(words.number()),
            "storm" => {
                let sent = storm::send(words.number(), words.number(), words.number(), || say("no room"));
                say(must("storm", sent).text());
            }
            "bursts" => bursts(words.number(), words.number()),
            "bomb" => bomb(),
            "send" => send(&words.text(), words.number(), &words.signals()),
            "forge" => {
                let (target, signal) = (words.process(), words.number());
                let (code, pid, uid, value) = (words.number(), words.number(), words.number(), words.number());
                told("forged", signal, sys::forge(target, sys::Received { signal, code, pid, uid, value }));
            }
            "no-capabilities" => must("no-capabilities", sys::drop_capabilities()),
            "trace" => trace(&words.text(), nix::unistd::Pid::from_raw(words.number())),
            "untrace" => {
                let pid = nix::unistd::Pid::from_raw(words.number());
                let signal = nix::sys::signal::Signal::try_from(words.number::<i32>()).ok();
                must("untrace", nix::sys::ptrace::detach(pid, signal));
                say("untraced");
            }
            "look" => look(words.process()),
            "limits" => {
                let (pid, soft, hard) = (words.number(), words.number(), words.number());
                for resource in words.signals() {
                    told("limited", resource, sys::set_limit_of(pid, resource as u32, soft, hard));
                }
            }
            "fill" => fill(),
            "exhaust" => exhaust(words.number()),
            "breed" => breed(words.number()),
            "eat" => eat(words.number()),
            "chdir" => must("chdir", std::env::set_current_dir(words.text())),
            "close" => sys::close(words.number()),
            "fault" => sys::fault(),
            "fill-pod" => fill_pod(&words.text()),
            "show-pod" => show_pod(),
            "bind" => must("bind", mount(Some(&*words.text()), &*words.text(), NONE, MsFlags::MS_BIND, NONE)),
            "unbind" => must("unbind", nix::mount::umount(&*words.text())),
            "tmpfs" => must("tmpfs", mount(Some("none"), &*words.text(), Some("tmpfs"), MsFlags::empty(), NONE)),
            "move" => must("move", mount(Some(&*words.text()), &*words.text(), NONE, MsFlags::MS_MOVE, NONE)),
            "detach" => must("detach", nix::mount::umount2(&*words.text(), nix::mount::MntFlags::MNT_DETACH)),
            "pivot" => {
                must("pivot", std::env::set_current_dir(words.text()));
                // The old root lies below the new one afterwards, at the same place (pivot_root(2)).
                must("pivot", nix::unistd::pivot_root(".", "."));
            }
            "room" => room(&words.text().to_string_lossy()),
            "limit" => {
                let kind = words.text();
                let path = format!("/proc/sys/user/max_{}_namespaces", kind.to_string_lossy());
                must("limit", std::fs::write(path, words.text().as_bytes()));
            }
            "cat" => drop(must("cat", io::copy(&mut io::stdin(), &mut io::stdout()))),
            "sleep" => sleep(),
            _ => usage(&format!("no command: {command:?}")),
        }
    }
    0
}

fn set(signals: &[i32]) -> Mask {
    signals.iter().fold(0, |set, &n| set | sys::bit(n))
}

fn sleep() -> ! {
    loop {
        nix::unistd::pause();
    }
}

#[allow(clippy::unnecessary_cast)] // RLIMIT_CORE is signed in musl's headers.
fn die(signal: i32) -> ! {
    must("no core", sys::set_limit(libc::RLIMIT_CORE as u32, 0, 0));
    if signal != libc::SIGKILL && signal != libc::SIGSTOP {
        must("default", sys::ignore(signal, false));
    }
    must("kill", sys::kill(nix::unistd::getpid().as_raw(), signal, None));
    sys::set_mask(sys::mask() & !sys::bit(signal));
    // Its default action is none, or we are PID 1.
    sys::exit_now(93)
}

/// What stands before a signal.
static TAG: OnceLock<String> = OnceLock::new();

fn print(received: sys::Received) {
    let sys::Received { signal, code, pid, uid, value } = received;
    let tag = TAG.get().map_or("", String::as_str);
    say(format!("{tag}signal={signal} code={code} pid={pid} uid={uid} value={value}"));
}

fn record(mut limit: usize, last: Option<i32>) {
    sys::set_mask(sys::ALL_SIGNALS);
    say("recording");
    while limit > 0 {
        if let Ok(received) = sys::take_signal(sys::ALL_SIGNALS, None) {
            print(received);
            limit -= 1;
            if last == Some(received.signal) {
                break;
            }
        }
    }
}

/// Per number signal-hook keeps the last few (5) that have not been printed yet, and merges what is beyond them.
fn hook(limit: usize) {
    // signal-hook refuses the faults among others, and 32 and 33 are the C library's own.
    let hooked = sys::catchable().filter(|n| !signal_hook::consts::FORBIDDEN.contains(n) && !(32..=33).contains(n));
    let mut signals = must("hook", SignalsInfo::<WithRawSiginfo>::new(hooked));
    say("hooked");
    for info in signals.forever().take(limit) {
        print(sys::received(&info));
    }
}

/// Batches, so that the descriptors and processes that live at the same time stay few. Each orphan outlives its parent:
/// it ends when the pipe does, whose other end only the parent holds.
fn orphans(count: usize) {
    let mut left = count;
    while left > 0 {
        let batch = left.min(100);
        left -= batch;
        let Some(parent) = must("fork", sys::fork()) else {
            let (read, write) = must("pipe", nix::unistd::pipe());
            for _ in 0..batch {
                if must("fork", sys::fork()).is_none() {
                    drop(write);
                    let _ = nix::unistd::read(&read, &mut [0]);
                    sys::exit_now(0);
                }
            }
            sys::exit_now(0);
        };
        // An ignored SIGCHLD leaves nobody to be waited for; the call returns when the child has ended all the same.
        let _ = sys::wait(parent, 0);
    }
    say(format!("orphans {count}"));
}

/// The number of signals whose handler has run, and when the last one's has.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static AT: AtomicU64 = AtomicU64::new(0);
/// TERM has come.
static TOLD_TO_END: AtomicBool = AtomicBool::new(false);

fn clock(signal: i32, every: usize) -> ! {
    let take = || {
        AT.store(sys::now(), Relaxed);
        TAKEN.fetch_add(1, Relaxed);
    };
    // Handlers run only where they are waited for.
    sys::set_mask(sys::mask() | sys::bit(signal) | sys::bit(libc::SIGTERM));
    must("clock", sys::on_signal(signal, take));
    must("clock", sys::on_signal(libc::SIGTERM, || TOLD_TO_END.store(true, Relaxed)));
    say("ready");
    for next in (1..).map(|number: usize| number * every) {
        while TAKEN.load(Relaxed) < next {
            let _ = nix::sys::signal::SigSet::empty().suspend();
            if TOLD_TO_END.load(Relaxed) {
                say(format!("end {}", sys::now()));
                sys::exit_now(0);
            }
        }
        say(format!("at {}", AT.load(Relaxed)));
    }
    sys::exit_now(0)
}

/// The orphans of a time all wait for the end of one pipe, and say before they end what time it is.
fn gone(count: usize, by: usize) {
    /// A pid, or a time.
    const WORD: usize = size_of::<u64>();
    let mut times = Vec::new();
    let mut left = count;
    while left > 0 {
        let batch = left.min(by);
        left -= batch;
        let (order, ours) = must("pipe", nix::unistd::pipe());
        let (told, theirs) = must("pipe", nix::unistd::pipe());
        let tell = |word: u64| {
            let _ = nix::unistd::write(&theirs, &word.to_ne_bytes());
        };
        let read = || {
            let mut word = [0; WORD];
            must("gone", nix::unistd::read(&told, &mut word).map_err(io::Error::from).and_then(whole));
            u64::from_ne_bytes(word)
        };
        let Some(parent) = must("fork", sys::fork()) else {
            drop(ours);
            for _ in 0..batch {
                match must("fork", sys::fork()) {
                    Some(orphan) => tell(orphan as u64),
                    None => {
                        let _ = nix::unistd::read(&order, &mut [0]);
                        tell(sys::now());
                        sys::exit_now(0);
                    }
                }
            }
            sys::exit_now(0);
        };
        must("wait", sys::wait(parent, 0));
        let orphans = (0..batch).map(|_| must("pidfd", sys::open_process(read() as i32))).collect::<Vec<_>>();
        drop(ours);
        for orphan in &orphans {
            must("gone", sys::wait_until_reaped(orphan, std::time::Duration::from_secs(10)));
        }
        let end = sys::now();
        let first = (0..batch).map(|_| read()).min();
        times.push((end - first.unwrap_or(end)).to_string());
    }
    say(format!("gone {}", times.join(" ")));
}

/// A read of a whole word.
fn whole(length: usize) -> io::Result<()> {
    if length == size_of::<u64>() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn sleepers(count: usize) {
    let Some(parent) = must("fork", sys::fork()) else {
        for _ in 0..count {
            if must("fork", sys::fork()).is_none() {
                // They would hold the output open, and have nothing to say.
                (0..3).for_each(sys::close);
                sleep();
            }
        }
        sys::exit_now(0);
    };
    let _ = sys::wait(parent, 0);
}

fn tally(rounds: usize) {
    sys::set_mask(sys::ALL_SIGNALS);
    say("recording");
    for _ in 0..rounds {
        let mut tally = Tally::default();
        loop {
            match sys::take_signal(sys::ALL_SIGNALS, None) {
                Ok(received) if received.signal == storm::MARKER => break,
                Ok(received) => tally.take(&received),
                Err(_) => {}
            }
        }
        say(tally.text());
    }
}

/// All of a round are in one process group, whose number is free when the last of them has been reaped (kill(2), ESRCH).
fn bursts(rounds: usize, size: usize) {
    for _ in 0..rounds {
        let (read, write) = must("pipe", nix::unistd::pipe());
        let Some(parent) = must("fork", sys::fork()) else {
            must("setpgid", nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0)));
            for _ in 0..size {
                if must("fork", sys::fork()).is_none() {
                    drop(write);
                    // The last writer is the parent: its end lets all of them go at once.
                    let _ = nix::unistd::read(&read, &mut [0]);
                    sys::exit_now(0);
                }
            }
            sys::exit_now(0);
        };
        drop((read, write));
        let _ = sys::wait(parent, 0);
        let until = std::time::Instant::now() + 3 * case::DEADLINE;
        while sys::kill(-parent, 0, None).is_ok() {
            // The kernel has no event for it.
            if std::time::Instant::now() > until {
                must("bursts", Err("somebody was not reaped"))
            }
            std::thread::yield_now();
        }
    }
    say(format!("bursts {rounds} {size}"));
}

fn bomb() -> ! {
    let mut told = false;
    loop {
        if sys::fork().is_err() && !std::mem::replace(&mut told, true) {
            say("full");
        }
    }
}

/// What became of an attempt.
fn told<E: std::fmt::Display>(done: &str, what: impl std::fmt::Display, result: Result<(), E>) {
    match result {
        Ok(()) => say(format!("{done} {what}")),
        Err(why) => say(format!("refused {what}: {why}")),
    }
}

fn send(way: &OsString, pid: i32, signals: &[i32]) {
    let way = way.to_string_lossy();
    for &signal in signals {
        let sent = match &*way {
            "kill" => sys::kill(pid, signal, None),
            "tgkill" => sys::kill_thread(pid, signal),
            "queue" => sys::kill(pid, signal, Some(7)),
            "pidfd" => sys::open_process(pid).and_then(|process| sys::signal_process(process.as_fd(), signal, None)),
            _ => usage("kill, tgkill, queue or pidfd"),
        };
        told("sent", format!("{way} {signal}"), sent);
    }
}

fn trace(how: &OsString, pid: nix::unistd::Pid) {
    use nix::sys::ptrace;
    let done = if how == "attach" {
        ptrace::attach(pid)
    } else {
        ptrace::seize(pid, ptrace::Options::empty()).and_then(|()| ptrace::interrupt(pid))
    };
    if let Err(why) = done {
        return say(format!("refused trace: {why}"));
    }
    must("trace", nix::sys::wait::waitpid(pid, Some(nix::sys::wait::WaitPidFlag::__WALL)));
    say("traced");
}

fn look(pid: i32) {
    let folder = Path::new("/proc").join(pid.to_string());
    let show = |name: &str, seen: io::Result<Vec<u8>>| match seen {
        Ok(bytes) => say(format!("{name}={}", bytes.escape_ascii())),
        Err(why) => say(format!("{name} refused: {why}")),
    };
    for name in ["cwd", "root", "exe"] {
        show(name, std::fs::read_link(folder.join(name)).map(|path| path.into_os_string().into_vec()));
    }
    for name in ["cmdline", "environ", "auxv", "maps"] {
        show(name, std::fs::read(folder.join(name)));
    }
    show("mem", std::fs::File::open(folder.join("mem")).map(|_| b"open".to_vec()));
    let numbers = std::fs::read_dir(folder.join("fd")).map(|entries| {
        let mut all: Vec<_> = entries.flatten().map(|entry| entry.file_name().into_vec()).collect();
        all.sort();
        all.join(&b',')
    });
    show("fd", numbers);
}

fn fill() {
    let mut count = 0;
    loop {
        match sys::fork() {
            Ok(Some(_)) => count += 1,
            Ok(None) => sleep(),
            Err(_) => break,
        }
    }
    say(format!("filled {count}"));
}

fn exhaust(signal: i32) {
    sys::set_mask(sys::mask() | sys::bit(signal));
    let own = nix::unistd::getpid().as_raw();
    let mut count = 0;
    while sys::kill(own, signal, Some(count)).is_ok() {
        count += 1;
    }
    say(format!("exhausted {count}"));
}

fn exec(words: &mut Words, environment: Option<&[OsString]>) -> ! {
    let text = |word: OsString| must("exec", CString::new(word.into_vec()));
    let words: Vec<_> = words.0.drain(..).map(text).collect();
    let [name, program, rest @ ..] = &words[..] else { usage("exec without a program") };
    let vector: Vec<_> = std::iter::once(name).chain(rest).map(CString::as_c_str).collect();
    if let Some(variables) = environment {
        let variables: Vec<_> = variables.iter().cloned().map(text).collect();
        match must("exec", nix::unistd::execve(program, &vector, &variables)) {}
    }
    must("exec", Err(sys::exec(program, &vector)))
}

fn breed(generations: u32) -> ! {
    for _ in 0..generations {
        if must("fork", sys::fork()).is_some() && must("fork", sys::fork()).is_some() {
            break;
        }
    }
    sleep()
}

fn eat(megabytes: usize) {
    let eaten: Vec<_> = (0..megabytes).map(|number| vec![number as u8 | 1; 1 << 20]).collect();
    say(format!("eaten {}", std::hint::black_box(eaten).len()));
}

fn worker() {
    let (read, write) = must("pipe", nix::unistd::pipe());
    let Some(parent) = must("fork", sys::fork()) else {
        if must("fork", sys::fork()).is_some() {
            sys::exit_now(0);
        }
        drop(read);
        let old = sys::set_mask(sys::ALL_SIGNALS);
        say(format!("worker {}", nix::unistd::getpid()));
        drop(write);
        loop {
            if let Ok(received) = sys::take_signal(sys::bit(libc::SIGTERM), None) {
                say(format!("worker got {}", received.signal));
                sys::set_mask(old);
                sys::exit_now(0);
            }
        }
    };
    drop(write);
    let _ = sys::wait(parent, 0);
    // It has blocked its signals and said so.
    let _ = nix::unistd::read(&read, &mut [0]);
}

/// The key and the name of what the containers of a pod share, and its address.
const MEMORY: i32 = 0xb1775;
const QUEUE: &std::ffi::CStr = c"/bitts";
const ADDRESS: std::net::Ipv4Addr = std::net::Ipv4Addr::new(127, 7, 7, 7);

fn fill_pod(word: &OsString) {
    must("hostname", nix::unistd::sethostname(word));
    must("loopback", sys::set_loopback(ADDRESS));
    let bytes = word.as_bytes();
    must("memory", sys::shared_memory(MEMORY, true, |memory| memory[..bytes.len()].copy_from_slice(bytes)));
    let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_WRONLY;
    let attributes = MqAttr::new(0, 1, 256, 0);
    let queue = must("queue", mq_open(QUEUE, flags, nix::sys::stat::Mode::S_IRWXU, Some(&attributes)));
    must("queue", mq_send(&queue, bytes, 0));
    must("queue", mq_close(queue));
}

fn show_pod() {
    let hostname = must("hostname", nix::unistd::gethostname());
    say(format!("hostname={}", hostname.to_string_lossy()));
    for interface in must("addresses", nix::ifaddrs::getifaddrs()) {
        let address = interface.address.and_then(|address| address.as_sockaddr_in().map(|v4| v4.ip()));
        let up = interface.flags.contains(nix::net::if_::InterfaceFlags::IFF_UP);
        address.iter().for_each(|address| say(format!("address={} {address} up={up}", interface.interface_name)));
    }
    let end = |bytes: &[u8]| bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    match sys::shared_memory(MEMORY, false, |memory| memory[..end(memory)].to_vec()) {
        Ok(bytes) => say([b"memory=", &*bytes].concat()),
        Err(error) => say(format!("memory {error}")),
    }
    // What is taken out is put back.
    match mq_open(QUEUE, MQ_OFlag::O_RDWR, nix::sys::stat::Mode::empty(), None) {
        Ok(queue) => {
            let mut bytes = [0; 256];
            let length = must("queue", mq_receive(&queue, &mut bytes, &mut 0));
            must("queue", mq_send(&queue, &bytes[..length], 0));
            say([b"queue=", &bytes[..length]].concat());
            must("queue", mq_close(queue));
        }
        Err(error) => say(format!("queue {error}")),
    }
}

/// The kernel counts the namespaces of each kind per user namespace (namespaces(7), /proc/sys/user): at the limit the next
/// one is refused.
fn room(kind: &str) {
    let (_, flag) = namespace::KINDS.into_iter().find(|(name, _)| *name == kind).unwrap_or_else(|| usage("room KIND"));
    let Some(child) = must("fork", sys::fork()) else {
        sys::exit_now(match nix::sched::unshare(flag) {
            Ok(()) => 0,
            Err(nix::errno::Errno::ENOSPC) => 1,
            Err(error) => must("unshare", Err(error)),
        })
    };
    match must("wait", sys::wait(child, 0)) {
        Some((_, 0)) => say(format!("room {kind} yes")),
        Some((_, 0x100)) => say(format!("room {kind} no")),
        other => must("room", Err(format!("{other:?}"))),
    }
}

/// Everything that a program inherits. Bytes are escaped as in Rust (`\xff`).
fn state(name: Option<&OsString>, words: &VecDeque<OsString>) {
    let mut text = Vec::new();
    let mut put = |key: &str, value: &[u8]| text.push(format!("{key}={}", value.escape_ascii()));
    let number = |n: i64| n.to_string().into_bytes();
    put("argv", name.map_or(b"", |name| name.as_bytes()));
    words.iter().for_each(|word| put("argv", word.as_bytes()));
    for (name, value) in std::env::vars_os() {
        put("env", [name.as_bytes(), b"=", value.as_bytes()].concat().as_slice());
    }
    put("pid", &number(nix::unistd::getpid().as_raw().into()));
    put("ppid", &number(nix::unistd::getppid().as_raw().into()));
    put("pgid", &number(nix::unistd::getpgrp().as_raw().into()));
    put("sid", &number(nix::unistd::getsid(None).map_or(-1, |sid| sid.as_raw().into())));
    // Of the controlling terminal, whatever the descriptors are; -1 without one.
    let terminal = std::fs::File::open("/dev/tty");
    let foreground = terminal.as_ref().map_or(-1, |tty| sys::foreground_group(std::os::fd::AsRawFd::as_raw_fd(tty)));
    drop(terminal);
    put("tpgid", &number(foreground.into()));
    put("uid", &number(nix::unistd::getuid().as_raw().into()));
    put("gid", &number(nix::unistd::getgid().as_raw().into()));
    put("cwd", std::env::current_dir().map(|path| path.into_os_string().into_vec()).unwrap_or_default().as_slice());
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(mask);
    put("umask", format!("{:04o}", mask.bits()).as_bytes());
    put("nice", &number(sys::nice().into()));
    for resource in 0..16 {
        let (soft, hard) = sys::limit(resource);
        put("limit", format!("{resource}:{soft}:{hard}").as_bytes());
    }
    // The kernel's own words are right also where the C library hides a number.
    put("mask", format!("{:016x}", sys::mask()).as_bytes());
    let mut ignored: Mask = 0;
    let mut caught: Mask = 0;
    for signal in sys::catchable() {
        match sys::handler(signal) {
            libc::SIG_DFL => {}
            libc::SIG_IGN => ignored |= sys::bit(signal),
            _ => caught |= sys::bit(signal),
        }
    }
    put("ignored", format!("{ignored:016x}").as_bytes());
    put("caught", format!("{caught:016x}").as_bytes());
    for fd in 0..1024 {
        if let Some(flags) = sys::status_flags(fd) {
            // Without /proc the number alone is known.
            let target = std::fs::read_link(Path::new("/proc/self/fd").join(fd.to_string())).unwrap_or_default();
            put("fd", format!("{fd}:{flags:#o}:{}", target.display()).as_bytes());
        }
    }
    text.push("state=end".to_owned());
    say(text.join("\n"));
}
