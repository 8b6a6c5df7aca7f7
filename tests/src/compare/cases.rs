//! The cases. Each tells whether one behaviour holds for the program that it is given, whichever that is.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Program, Verdict};
use crate::procfs::{self, Status};
use crate::sys::{self, bit};
use crate::{Case, Outcome, Running, Stream, tools};

/// What does not come in this time does not come: a run without a hindrance takes milliseconds.
const LIMIT: Duration = Duration::from_secs(4);

/// The words of the cells.
const YES: &str = "✓";
const NO: &str = "✗";
const HANGS: &str = "hangs";
const LOST: &str = "lost";

/// Any real-time signal that is sent last: what was sent before has been dealt with when it arrives.
const MARKER: i32 = 50;

fn yes() -> Verdict {
    Ok(YES.to_owned())
}

fn holds(it: bool) -> Verdict {
    if it { yes() } else { Err(NO) }
}

// ---- waiting --------------------------------------------------------------------------------------------------------

/// Looks until `wanted` holds, for what the kernel gives no event for; the pause leaves the processor to what is looked at.
fn becomes(wanted: impl Fn() -> bool) -> bool {
    let until = Instant::now() + LIMIT;
    while !wanted() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// The lines with `text` on standard output so far, or on the terminal.
fn lines(program: &Running, text: &str) -> usize {
    let output = program.stdout();
    let output = String::from_utf8_lossy(&output);
    output.split_inclusive('\n').filter(|line| line.ends_with('\n') && line.contains(text)).count()
}

/// Waits for a line.
fn says(program: &Running, text: &str) -> Result<(), &'static str> {
    says_times(program, text, 1)
}

fn says_times(program: &Running, text: &str, times: usize) -> Result<(), &'static str> {
    if becomes(|| lines(program, text) >= times) { Ok(()) } else { Err(NO) }
}

/// Waits for any text of the terminal, a prompt for example, that comes behind the first `from` bytes.
fn shows(program: &Running, from: usize, text: &str) -> Result<(), &'static str> {
    let shown = || String::from_utf8_lossy(&program.stdout()[from..]).contains(text);
    if becomes(shown) { Ok(()) } else { Err(NO) }
}

/// Has it come to its end?
fn ended(program: &Running) -> bool {
    sys::open_process(program.pid()).map_or(true, |process| sys::wait_for_end(&process, Duration::ZERO))
}

/// Waits for the end.
fn end(program: Running) -> Result<Outcome, &'static str> {
    let ends = sys::open_process(program.pid()).map_or(true, |process| sys::wait_for_end(&process, LIMIT));
    if ends { Ok(program.wait()) } else { Err(HANGS) }
}

fn end_of(case: Case) -> Result<Outcome, &'static str> {
    end(case.start())
}

/// With a recording child, ready.
fn recorder(case: Case) -> Result<Running, &'static str> {
    let program = case.child(["record"]).start();
    says(&program, "recording")?;
    Ok(program)
}

/// The numbers that the recorder has taken, in order.
fn taken(output: &[u8]) -> Vec<i32> {
    let output = String::from_utf8_lossy(output);
    let number = |line: &str| line.strip_prefix("signal=")?.split(' ').next()?.parse().ok();
    output.lines().filter_map(number).collect()
}

/// All of them, sent one after another from outside, reach the child.
fn forwards(program: &Program, signals: impl IntoIterator<Item = i32>) -> Verdict {
    let running = recorder(program.case())?;
    for signal in signals {
        running.signal(signal);
        says(&running, &format!("signal={signal} "))?;
    }
    yes()
}

/// init's only child.
fn child(running: &Running) -> Result<i32, &'static str> {
    running.children().first().map(|child| child.pid).ok_or(NO)
}

/// A folder with one file of mode `mode` in it.
fn file(name: &str, text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
    (folder, path)
}

// ---- the command line -----------------------------------------------------------------------------------------------

pub fn options_of_the_program(program: &Program) -> Verdict {
    let (folder, _kept) = file("ls", "#!/bin/sh\necho \"ran $*\"\n", 0o755);
    let outcome = end_of(program.case().env("PATH", folder.path()).args(["ls", "-l", "x"]))?;
    holds(outcome.out() == "ran -l x\n")
}

pub fn arguments_are_bytes(program: &Program) -> Verdict {
    let word: Vec<u8> = (1..=255).collect();
    let case = program.case().child(["state", "exit", "0"]).arg(OsString::from_vec(word.clone()));
    let outcome = end_of(case)?;
    holds(outcome.values("argv").last() == Some(&word.escape_ascii().to_string()))
}

pub fn version_for_docker(program: &Program) -> Verdict {
    let out = end_of(program.case().arg("--version"))?.out();
    holds(out.starts_with("tini version ") && out.lines().count() == 1)
}

pub fn version_names_commit(program: &Program) -> Verdict {
    let out = end_of(program.case().arg("--version"))?.out();
    let commit = out.trim_end().split_once(" - ").and_then(|(_, commit)| commit.strip_prefix("git."));
    holds(out.starts_with("tini version ") && commit.is_some_and(|hash| !hash.is_empty() && !hash.contains('.')))
}

pub fn licence(program: &Program) -> Verdict {
    let outcome = end_of(program.case())?;
    holds(outcome.exit() == Some(0) && !outcome.stdout.is_empty())
}

pub fn unknown_option(program: &Program) -> Verdict {
    let outcome = end_of(program.case().arg("-Z").child(["say", "started"]))?;
    holds(outcome.exit() == Some(1) && !outcome.out().contains("started") && outcome.err().contains('Z'))
}

pub fn debug_leaves_stdout_alone(program: &Program) -> Verdict {
    let outcome = end_of(program.case().child(["say", "word"]))?;
    holds(outcome.out() == "word\n" && !outcome.stderr.is_empty())
}

// ---- the start ------------------------------------------------------------------------------------------------------

/// While `call` of the child is held up on its `side`, TERM comes.
fn term_while(program: &Program, calls: &[(&str, i64)], side: &str) -> Verdict {
    let names: Vec<_> = calls.iter().map(|(name, _)| *name).collect();
    let names = names.join(",");
    let (trace, inject) = (format!("trace={names}"), format!("--inject={names}:delay_{side}=1000000:when=1"));
    let running = program.case().strace(["-e", &trace, &inject]).child(["record"]).start();
    // strace has stopped the child there, which is the only thing that it can be in beside the call itself.
    let held = |pid| {
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        let number = call.split_whitespace().next().and_then(|number| number.parse::<i64>().ok());
        calls.iter().any(|(_, wanted)| number == Some(*wanted))
    };
    let there = || running.children().iter().any(|child| child.state == 't' && held(child.pid));
    if !becomes(there) {
        return Err("not held");
    }
    running.signal(libc::SIGTERM);
    // What was blocked would end neither: the recorder takes it.
    if !becomes(|| ended(&running) || lines(&running, "recording") > 0) {
        return Err(HANGS);
    }
    if ended(&running) {
        return holds(running.wait().exit() == Some(128 + libc::SIGTERM));
    }
    running.signal(MARKER);
    says(&running, &format!("signal={MARKER} "))?;
    if taken(&running.stdout()).contains(&libc::SIGTERM) { yes() } else { Err(LOST) }
}

pub fn term_after_fork(program: &Program) -> Verdict {
    term_while(program, &[("rt_sigprocmask", libc::SYS_rt_sigprocmask)], "exit")
}

pub fn term_after_fork_to_the_group(program: &Program) -> Verdict {
    term_while(program, &[("setpgid", libc::SYS_setpgid), ("setsid", libc::SYS_setsid)], "enter")
}

pub fn sigchld_ignored(program: &Program) -> Verdict {
    let outcome = end_of(program.case().ignored(bit(libc::SIGCHLD)).child(["exit", "7"]))?;
    holds(outcome.exit() == Some(7))
}

pub fn everything_blocked(program: &Program) -> Verdict {
    let running = program.case().mask(sys::ALL_SIGNALS).child(["record", "for", "1", "exit", "7"]).start();
    says(&running, "recording")?;
    running.signal(libc::SIGTERM);
    holds(end(running)?.exit() == Some(7))
}

fn inherits_mask(program: &Program, mask: u64) -> Verdict {
    let outcome = end_of(program.case().mask(mask).child(["state"]))?;
    holds(outcome.value("mask") == Some(format!("{mask:016x}")))
}

pub fn mask_inherited(program: &Program) -> Verdict {
    inherits_mask(program, bit(libc::SIGUSR1) | bit(libc::SIGTTOU) | bit(34) | bit(40))
}

pub fn mask_inherited_with_32_and_33(program: &Program) -> Verdict {
    inherits_mask(program, bit(libc::SIGUSR1) | bit(32) | bit(33) | bit(40))
}

pub fn dispositions_inherited(program: &Program) -> Verdict {
    let ignored = bit(libc::SIGHUP) | bit(libc::SIGUSR2) | bit(libc::SIGTTIN) | bit(40);
    let plain = end_of(program.case().child(["state"]))?;
    let outcome = end_of(program.case().ignored(ignored).child(["state"]))?;
    let of = |outcome: &Outcome| outcome.value("ignored");
    holds(of(&plain) == Some(format!("{:016x}", 0)) && of(&outcome) == Some(format!("{ignored:016x}")))
}

pub fn environment_untouched(program: &Program) -> Verdict {
    let outcome = end_of(program.case().env("ODD", OsString::from_vec(b"\xff=\n".to_vec())).child(["state"]))?;
    let own = program.call.variables.len();
    holds(outcome.values("env").len() == 2 + own && outcome.values("env").contains(&"ODD=\\xff=\\n".to_owned()))
}

pub fn listen_pid(program: &Program) -> Verdict {
    let script = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\"";
    let case = Case::new("/bin/sh").args(["-c", script, "sh"]).args(program.words());
    let outcome = end_of(case.arg(tools::witness()).arg("state"))?;
    let pid = outcome.value("pid").ok_or(NO)?;
    holds(outcome.values("env").contains(&format!("LISTEN_PID={pid}")))
}

pub fn script_without_interpreter(program: &Program) -> Verdict {
    let (_kept, path) = file("script", "echo ran\n", 0o755);
    holds(end_of(program.case().arg("--").arg(path))?.out() == "ran\n")
}

/// The exit status as the cell.
fn status_of(case: Case) -> Verdict {
    end_of(case)?.exit().map(|status| status.to_string()).ok_or(NO)
}

pub fn not_found(program: &Program) -> Verdict {
    status_of(program.case().args(["--", "/nonexistent"]))
}

pub fn not_executable(program: &Program) -> Verdict {
    let (_kept, path) = file("plain", "echo ran\n", 0o644);
    status_of(program.case().arg("--").arg(path))
}

pub fn not_a_folder(program: &Program) -> Verdict {
    let (_kept, path) = file("plain", "echo ran\n", 0o755);
    status_of(program.case().arg("--").arg(path.join("x")))
}

/// The number of a descriptor that nothing has by itself.
const LEAKED: i32 = 57;

/// Started with one descriptor more.
fn with_descriptor(program: &Program) -> Case {
    program.case().descriptor(LEAKED, fs::File::open("/dev/null").expect("/dev/null"))
}

pub fn closes_descriptors(program: &Program) -> Verdict {
    let running = with_descriptor(program).child(["record"]).start();
    says(&running, "recording")?;
    let open = || procfs::descriptors(running.pid()).is_ok_and(|all| all.iter().any(|(number, _)| *number == LEAKED));
    holds(becomes(|| Status::read(running.pid()).is_ok_and(|status| status.get("State").starts_with('S'))) && !open())
}

pub fn child_has_descriptors(program: &Program) -> Verdict {
    let outcome = end_of(with_descriptor(program).child(["state"]))?;
    holds(outcome.values("fd").iter().any(|fd| fd.starts_with(&format!("{LEAKED}:"))))
}

pub fn leaves_the_directory(program: &Program) -> Verdict {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let running = recorder(program.case().directory(folder.path()))?;
    let there = procfs::directory(child(&running)?).is_ok_and(|path| path == folder.path());
    holds(there && procfs::directory(running.pid()).is_ok_and(|path| path != folder.path()))
}

// ---- signals --------------------------------------------------------------------------------------------------------

pub fn forwards_standard(program: &Program) -> Verdict {
    use libc::{
        SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGQUIT, SIGTERM, SIGURG, SIGUSR1, SIGUSR2, SIGWINCH,
    };
    let all = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGCONT, SIGWINCH, SIGURG, SIGIO];
    forwards(program, all)
}

pub fn forwards_stops(program: &Program) -> Verdict {
    forwards(program, [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU])
}

pub fn forwards_faults(program: &Program) -> Verdict {
    forwards(
        program,
        [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS],
    )
}

pub fn forwards_real_time(program: &Program) -> Verdict {
    forwards(program, 34..=64)
}

pub fn forwards_32_and_33(program: &Program) -> Verdict {
    forwards(program, [32, 33])
}

pub fn forwards_from_inside(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1] {
        running.signal_from_inside(signal);
        says(&running, &format!("signal={signal} "))?;
    }
    yes()
}

pub fn keeps_the_value(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    running.queue(libc::SIGUSR1, 4711);
    says(&running, "signal=10 ")?;
    holds(lines(&running, " value=4711") == 1)
}

/// Fifty of one number, all pending before the program can take the first.
fn queued(program: &Program) -> Result<Running, &'static str> {
    let running = recorder(program.case())?;
    running.signal(libc::SIGSTOP);
    if !becomes(|| Status::read(running.pid()).is_ok_and(|status| status.get("State").starts_with('T'))) {
        return Err(NO);
    }
    (0..50).for_each(|value| running.queue(40, value));
    running.signal(libc::SIGCONT);
    says_times(&running, "signal=40 ", 50)?;
    Ok(running)
}

pub fn queued_arrive_all(program: &Program) -> Verdict {
    queued(program)?;
    yes()
}

pub fn queued_keep_order_and_values(program: &Program) -> Verdict {
    let output = queued(program)?.stdout();
    let output = String::from_utf8_lossy(&output);
    let values: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("signal=40 "))
        .filter_map(|line| line.rsplit('=').next()?.parse::<i32>().ok())
        .collect();
    holds(values == (0..50).collect::<Vec<_>>())
}

/// Does a signal to the program reach the other process of its child's group?
fn is_for_the_group(program: &Program) -> Result<bool, &'static str> {
    let words = ["block", "all", "child", "say", "asleep", "sleep", "end", "record"];
    let running = program.case().child(words).start();
    says(&running, "asleep")?;
    says(&running, "recording")?;
    let child = child(&running)?;
    let other = running.processes().into_iter().find(|process| process.parent == child).ok_or(NO)?.pid;
    running.signal(libc::SIGUSR1);
    // When the second one has come, the first one has been sent to everybody.
    running.signal(libc::SIGUSR2);
    says(&running, "signal=10 ")?;
    says(&running, "signal=12 ")?;
    Ok(procfs::signals(other).is_ok_and(|signals| signals.pending & bit(libc::SIGUSR1) != 0))
}

pub fn reaches_the_group(program: &Program) -> Verdict {
    holds(is_for_the_group(program)?)
}

pub fn reaches_the_child_alone(program: &Program) -> Verdict {
    holds(!is_for_the_group(program)?)
}

/// What USR1, sent to the program, is for its child.
fn usr1_becomes(program: &Program, expected: &[i32]) -> Verdict {
    let running = recorder(program.case())?;
    running.signal(libc::SIGUSR1);
    running.signal(libc::SIGWINCH);
    says(&running, "signal=28 ")?;
    holds(taken(&running.stdout()) == [expected, &[libc::SIGWINCH]].concat())
}

pub fn rewrites(program: &Program) -> Verdict {
    usr1_becomes(program, &[libc::SIGQUIT])
}

pub fn drops(program: &Program) -> Verdict {
    usr1_becomes(program, &[])
}

pub fn rewrites_to_stop(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    let child = child(&running)?;
    running.signal(libc::SIGTSTP);
    holds(becomes(|| Status::read(child).is_ok_and(|status| status.get("State").starts_with('T'))))
}

pub fn sigchld_from_a_user(program: &Program) -> Verdict {
    let running = program.case().child(["record", "for", "1", "exit", "7"]).start();
    says(&running, "recording")?;
    (0..20).for_each(|_| running.signal(libc::SIGCHLD));
    running.signal(libc::SIGUSR1);
    holds(end(running)?.exit() == Some(7))
}

pub fn survives_a_refused_forwarding(program: &Program) -> Verdict {
    const CALLS: &str = "kill,rt_sigqueueinfo,pidfd_send_signal";
    // The first call is let through: catatonit's is a question for its child.
    let (trace, inject) = (format!("trace={CALLS}"), format!("--inject={CALLS}:error=EPERM:when=2"));
    let running = recorder(program.case().strace(["-e", &trace, &inject]))?;
    for signal in [libc::SIGUSR1, libc::SIGUSR2, MARKER] {
        running.signal(signal);
    }
    if !becomes(|| ended(&running) || lines(&running, &format!("signal={MARKER} ")) == 1) {
        return Err(HANGS);
    }
    let ended = ended(&running);
    let outcome = if ended { running.wait() } else { running.kill() };
    if !outcome.trace.contains("INJECTED") {
        return Err("no try");
    }
    if ended { Err("ends") } else { yes() }
}

pub fn term_to_a_stopped_child(program: &Program) -> Verdict {
    let running = program.case().child(["ready", "sleep"]).start();
    says(&running, "ready")?;
    let child = child(&running)?;
    sys::kill(child, libc::SIGSTOP, None).expect("a child");
    if !becomes(|| Status::read(child).is_ok_and(|status| status.get("State").starts_with('T'))) {
        return Err(NO);
    }
    running.signal(libc::SIGTERM);
    holds(end(running)?.exit() == Some(128 + libc::SIGTERM))
}

pub fn spares_what_does_not_catch(program: &Program) -> Verdict {
    let running = program.case().child(["ready", "sleep"]).start();
    says(&running, "ready")?;
    running.signal(libc::SIGUSR1);
    running.signal(libc::SIGTERM);
    holds(end(running)?.exit() == Some(128 + libc::SIGTERM))
}

pub fn kills_after_the_time_out(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    running.signal(libc::SIGTERM);
    holds(end(running)?.exit() == Some(128 + libc::SIGKILL))
}

// ---- processes ------------------------------------------------------------------------------------------------------

pub fn reaps(program: &Program) -> Verdict {
    let running = program.case().child(["orphans", "100", "record"]).start();
    says(&running, "recording")?;
    holds(becomes(|| running.processes().len() == 2))
}

pub fn warns_of_reaped(program: &Program) -> Verdict {
    let running = program.case().child(["orphans", "3", "record", "for", "1"]).start();
    says(&running, "recording")?;
    if !becomes(|| running.processes().len() == 2) {
        return Err(NO);
    }
    running.signal(libc::SIGUSR1);
    holds(end(running)?.err().lines().count() == 3)
}

pub fn adopts(program: &Program) -> Verdict {
    let running = program.case().not_pid1().child(["worker", "record"]).start();
    says(&running, "recording")?;
    holds(becomes(|| running.children().len() == 2))
}

pub fn never_wakes(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    if !becomes(|| Status::read(running.pid()).is_ok_and(|status| status.get("State").starts_with('S'))) {
        return Err(NO);
    }
    let before = running.context_switches();
    // The passing of time is what is measured here.
    std::thread::sleep(Duration::from_secs(3));
    if running.context_switches() == before { yes() } else { Err("wakes") }
}

pub fn worker_gets_time(program: &Program) -> Verdict {
    // The rest of a job, half a second long, and then the word that it is done.
    let script = "(trap 'sleep 0.5; echo done; exit' TERM; echo up; while :; do sleep 0.05; done) & read line; exit 7";
    let mut running = program.case().stdin(Stream::Pipe).args(["--", "sh", "-c", script]).start();
    says(&running, "up")?;
    running.write(b"\n");
    let outcome = end(running)?;
    holds(outcome.out().contains("done") && outcome.exit() == Some(7))
}

/// With a grace of an hour: what is left is waited for, and `rest` is all that it waits for.
fn tears_down(program: &Program, rest: &[&str], text: &str) -> Verdict {
    let words = [&["child"], rest, &["end", "cat", "exit", "7"]].concat();
    let mut running = program.case().stdin(Stream::Pipe).child(words).start();
    says(&running, "recording")?;
    running.close_stdin();
    let outcome = end(running)?;
    holds(outcome.out().contains(text) && outcome.exit() == Some(7))
}

pub fn other_sessions_get_time(program: &Program) -> Verdict {
    tears_down(program, &["setsid", "record", "until", "15", "say", "done"], "done")
}

pub fn stopped_processes_get_time(program: &Program) -> Verdict {
    // Stopped by itself before the child's end: the reader of the second line waits for that.
    let rest = ["block", "15", "say", "recording", "stop", "record", "until", "15", "say", "done"];
    let words = [&["child"], &rest[..], &["end", "cat", "exit", "7"]].concat();
    let mut running = program.case().stdin(Stream::Pipe).child(words).start();
    says(&running, "stopping")?;
    if !becomes(|| running.processes().iter().any(|process| process.state == 'T')) {
        return Err(NO);
    }
    running.close_stdin();
    let outcome = end(running)?;
    holds(outcome.out().contains("done") && outcome.exit() == Some(7))
}

pub fn entered_processes_get_time(program: &Program) -> Verdict {
    let mut running = program.case().stdin(Stream::Pipe).child(["cat", "exit", "7"]).start();
    let entered = Case::witness().inside(&running).args(["record", "until", "15", "say", "done"]);
    // A program that does not know the option has ended.
    let entered = entered.try_start().map_err(|_| NO)?;
    says(&entered, "recording")?;
    running.close_stdin();
    holds(end(entered)?.out().contains("done") && end(running)?.exit() == Some(7))
}

pub fn grace_is_cut_short(program: &Program) -> Verdict {
    let words = ["child", "record", "until", "15", "say", "stays", "sleep", "end", "cat", "exit", "7"];
    let mut running = program.case().stdin(Stream::Pipe).child(words).start();
    says(&running, "recording")?;
    running.close_stdin();
    says(&running, "stays")?;
    running.signal(libc::SIGTERM);
    holds(end(running)?.exit() == Some(7))
}

pub fn group_gets_term_at_the_end(program: &Program) -> Verdict {
    // Not PID 1, whose end would kill the other one at once.
    let case = program.case().not_pid1().stdin(Stream::Pipe);
    let mut running = case.child(["child", "record", "end", "cat"]).start();
    says(&running, "recording")?;
    running.close_stdin();
    says(&running, "signal=15 ")?;
    yes()
}

pub fn waits_for_all(program: &Program) -> Verdict {
    let mut running = program.case().stdin(Stream::Pipe).child(["child", "ready", "cat", "end", "exit", "7"]).start();
    says(&running, "ready")?;
    // The other one has become a child of the program: its own is gone.
    let alone = || running.processes().len() == 2 && running.children().len() == 1;
    if !becomes(|| ended(&running) || alone()) || ended(&running) {
        return Err(NO);
    }
    running.write(b"late\n");
    says(&running, "late")?;
    running.close_stdin();
    holds(end(running)?.exit() == Some(7))
}

pub fn parent_death(program: &Program) -> Verdict {
    let case = Case::new("/bin/sh").not_pid1().stdin(Stream::Pipe);
    let case = case.args(["-c", "\"$@\" & read -r line", "sh"]).args(program.words());
    let mut shell = case.arg(tools::witness()).arg("record").start();
    says(&shell, "recording")?;
    shell.close_stdin();
    says(&shell, "signal=10 ")?;
    yes()
}

/// As a job of a shell, in the shell's session, for which the witness stands: the program and its child.
fn job(program: &Program) -> Result<(Running, i32, i32), &'static str> {
    let name = program.call.name.map_or_else(|| program.path.into(), OsString::from);
    let case = Case::witness().not_pid1().args(["child", "setpgid", "exec"]).arg(name).args(program.words());
    let shell = case.arg(tools::witness()).args(["ready", "sleep", "end", "wait", "sleep"]).start();
    says(&shell, "ready")?;
    let child_of = |parent| shell.processes().into_iter().find(|process| process.parent == parent).map(|p| p.pid);
    let own = child_of(shell.pid()).ok_or(NO)?;
    let child = child_of(own).ok_or(NO)?;
    Ok((shell, own, child))
}

fn is_stopped(pid: i32) -> bool {
    Status::read(pid).is_ok_and(|status| status.get("State").starts_with('T'))
}

fn kill(pid: i32, signal: i32) -> Result<(), &'static str> {
    sys::kill(pid, signal, None).map_err(|_| NO)
}

pub fn stops_with_its_child(program: &Program) -> Verdict {
    let (_shell, own, child) = job(program)?;
    kill(own, libc::SIGTSTP)?;
    if !becomes(|| is_stopped(own) && is_stopped(child)) {
        return Err(NO);
    }
    kill(own, libc::SIGCONT)?;
    holds(becomes(|| !is_stopped(own) && !is_stopped(child)))
}

pub fn term_while_it_is_stopped(program: &Program) -> Verdict {
    let (shell, own, child) = job(program)?;
    kill(own, libc::SIGTSTP)?;
    if !becomes(|| is_stopped(own) && is_stopped(child)) {
        return Err(NO);
    }
    kill(own, libc::SIGTERM)?;
    kill(own, libc::SIGCONT)?;
    // The wait status of an exit with 143.
    if says(&shell, &format!(" {}", 143 << 8)).is_ok() { yes() } else { Err(HANGS) }
}

pub fn own_session(program: &Program) -> Verdict {
    let outcome = end_of(program.case().child(["state"]))?;
    holds(outcome.value("sid").is_some() && outcome.value("sid") == outcome.value("pid"))
}

pub fn pause_ends_as_podmans(program: &Program) -> Verdict {
    let ignored = [libc::SIGALRM, libc::SIGHUP, libc::SIGINT, libc::SIGPIPE, libc::SIGQUIT].map(bit).iter().sum();
    let running = program.case().not_pid1().ignored(ignored).start();
    if !becomes(|| Status::read(running.pid()).is_ok_and(|status| status.get("State").starts_with('S'))) {
        return Err(NO);
    }
    running.signal(libc::SIGINT);
    holds(end(running)?.exit() == Some(0))
}

pub fn pause_ends(program: &Program) -> Verdict {
    let running = program.case().start();
    // Before that it could not have asked for the signal.
    if !becomes(|| Status::read(running.pid()).is_ok_and(|status| status.get("State").starts_with('S'))) {
        return Err(NO);
    }
    running.signal(libc::SIGINT);
    holds(end(running)?.exit() == Some(0))
}

// ---- the end --------------------------------------------------------------------------------------------------------

/// Every pair of the child's last words and the status that shall come of them.
fn ends_with(program: &Program, pairs: &[([&str; 2], i32)]) -> Verdict {
    for (words, status) in pairs {
        if end_of(program.case().child(words))?.exit() != Some(*status) {
            return Err(NO);
        }
    }
    yes()
}

pub fn status_passes(program: &Program) -> Verdict {
    ends_with(program, &[(["exit", "0"], 0), (["exit", "7"], 7), (["exit", "127"], 127), (["exit", "255"], 255)])
}

pub fn death_by_signal(program: &Program) -> Verdict {
    ends_with(program, &[(["die", "15"], 143), (["die", "9"], 137), (["die", "6"], 134)])
}

pub fn death_by_real_time_signal(program: &Program) -> Verdict {
    ends_with(program, &[(["die", "34"], 162), (["die", "40"], 168), (["die", "64"], 192)])
}

pub fn expected_statuses(program: &Program) -> Verdict {
    ends_with(program, &[(["exit", "3"], 0), (["die", "15"], 0), (["exit", "4"], 4)])
}

pub fn does_not_wait_for_others(program: &Program) -> Verdict {
    ends_with(program, &[(["worker", "exit"], 91)])?;
    holds(end_of(program.case().child(["worker", "exit", "7"]))?.exit() == Some(7))
}

pub fn tells_of_a_killed_child(program: &Program) -> Verdict {
    let error = end_of(program.case().child(["die", "9"]))?.err();
    holds(error.lines().count() == 1 && error.to_lowercase().contains("kill"))
}

/// In a cgroup of version 2 whose count of such deaths is made for the purpose.
pub fn tells_of_the_memory_killer(program: &Program) -> Verdict {
    let write = |count| format!("printf 'oom 9\\noom_kill {count}\\n' > /sys/fs/cgroup/memory.events");
    let script = format!(
        "mount -t tmpfs none /sys/fs/cgroup && {} && echo 0::/ > /sys/fs/cgroup/own &&
        mount --bind /sys/fs/cgroup/own /proc/$$/cgroup && exec \"$@\"",
        write(1)
    );
    let case = Case::new("/bin/sh").args(["-c", &script, "sh"]).args(program.words());
    let running = case.arg(tools::witness()).args(["ready", "sleep"]).start();
    says(&running, "ready")?;
    Case::new("/bin/sh").inside(&running).args(["-c", &write(2)]).run().assert_exit(0);
    kill(child(&running)?, libc::SIGKILL)?;
    holds(end(running)?.err().contains("memory"))
}

// ---- standard descriptors -------------------------------------------------------------------------------------------

/// With the most talkative options, and a standard error that takes nothing: the child is not disturbed.
fn bears(program: &Program, stderr: Stream) -> Verdict {
    let running = program.case().stderr(stderr).child(["record", "for", "2", "exit", "7"]).start();
    says(&running, "recording")?;
    for signal in [libc::SIGUSR1, libc::SIGHUP] {
        running.signal(signal);
        says(&running, &format!("signal={signal} "))?;
    }
    let outcome = end(running)?;
    holds(outcome.exit() == Some(7) && taken(&outcome.stdout) == [libc::SIGUSR1, libc::SIGHUP])
}

pub fn stderr_broken(program: &Program) -> Verdict {
    bears(program, Stream::BrokenPipe)
}

pub fn stderr_full(program: &Program) -> Verdict {
    bears(program, Stream::FullPipe)
}

pub fn stderr_closed(program: &Program) -> Verdict {
    bears(program, Stream::Closed)
}

pub fn stderr_no_space(program: &Program) -> Verdict {
    bears(program, Stream::Full)
}

pub fn stdin_closed(program: &Program) -> Verdict {
    holds(end_of(program.case().stdin(Stream::Closed).child(["exit", "7"]))?.exit() == Some(7))
}

pub fn all_closed(program: &Program) -> Verdict {
    let case = program.case().stdin(Stream::Closed).stdout(Stream::Closed).stderr(Stream::Closed);
    holds(end_of(case.child(["exit", "7"]))?.exit() == Some(7))
}

// ---- terminals ------------------------------------------------------------------------------------------------------

pub fn foreground(program: &Program) -> Verdict {
    let outcome = end_of(program.case().terminal().child(["state"]))?;
    holds(outcome.value("tpgid").is_some() && outcome.value("tpgid") == outcome.value("pgid"))
}

pub fn interrupt_once(program: &Program) -> Verdict {
    let mut running = recorder(program.case().terminal())?;
    running.write(b"\x03");
    says(&running, "signal=2 ")?;
    running.signal(MARKER);
    says(&running, &format!("signal={MARKER} "))?;
    holds(lines(&running, "signal=2 ") == 1)
}

pub fn interrupt_once_in_a_shell(program: &Program) -> Verdict {
    let mut shell = shell(program)?;
    shell.write(b"$W record\n");
    says(&shell, "recording")?;
    shell.write(b"\x03");
    says(&shell, "signal=2 ")?;
    // A key that comes twice has come twice before the one behind it.
    shell.write(b"\x1c");
    says(&shell, "signal=3 ")?;
    holds(lines(&shell, "signal=2 ") == 1 && lines(&shell, "signal=3 ") == 1)
}

/// An interactive bash on a new terminal, its prompt shown; `$W` is the witness under the program. The words
/// `$READY` are not those that the witness answers with.
fn shell(program: &Program) -> Result<Running, &'static str> {
    let words: Vec<_> = program.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words = words.join(" ");
    let bash = tools::on_path("bash").expect("bash");
    let case = Case::new(bash).not_pid1().terminal().args(["--norc", "--noprofile", "--noediting", "-i"]);
    let case = case.env("PS1", PROMPT).env("HISTFILE", "").env("READY", "ready");
    let shell = case.env("W", format!("{words} {}", tools::witness().display())).start();
    shows(&shell, 0, PROMPT)?;
    Ok(shell)
}

/// What bash shows when it waits for a command.
const PROMPT: &str = "P> ";

/// Twice, for a read that had begun before the terminal was lost still ends well: the shell works out what the words
/// themselves do not hold.
fn obeys(shell: &mut Running) -> Verdict {
    for number in 40..42 {
        let before = shell.stdout().len();
        shell.write(format!("echo sum-$(({number}+2))\n").as_bytes());
        shows(shell, before, &format!("sum-{}\r\n", number + 2))?;
        // Where the output ends, the prompt may be still to come.
        let before = before + String::from_utf8_lossy(&shell.stdout()[before..]).find("sum-4").unwrap_or(0);
        shows(shell, before, PROMPT)?;
    }
    yes()
}

/// A job in the foreground that copies what is typed; then ^Z, and the prompt.
fn suspended(program: &Program) -> Result<Running, &'static str> {
    let mut shell = shell(program)?;
    shell.write(b"$W $READY cat\n");
    says(&shell, "ready")?;
    let before = shell.stdout().len();
    shell.write(b"\x1a");
    shows(&shell, before, PROMPT)?;
    Ok(shell)
}

pub fn suspends(program: &Program) -> Verdict {
    obeys(&mut suspended(program)?)
}

pub fn resumes(program: &Program) -> Verdict {
    let mut shell = suspended(program)?;
    shell.write(b"fg\n");
    // What bash says of it comes when the job has the terminal.
    says_times(&shell, "cat", 2)?;
    shell.write(b"word\n");
    // The terminal's echo and the job's.
    says_times(&shell, "word", 2)?;
    let before = shell.stdout().len();
    shell.write(b"\x04");
    shows(&shell, before, PROMPT)?;
    obeys(&mut shell)
}

/// As `docker run -it`: a shell whose jobs can be stopped and resumed.
pub fn shell_below_has_job_control(program: &Program) -> Verdict {
    let case = program.case().terminal().args(["--", "bash", "--norc", "--noprofile", "--noediting", "-i"]);
    let case = case.env("PS1", PROMPT).env("HISTFILE", "").env("READY", "ready").env("W", tools::witness());
    let mut shell = case.start();
    shows(&shell, 0, PROMPT)?;
    shell.write(b"$W $READY cat\n");
    says(&shell, "ready")?;
    let before = shell.stdout().len();
    shell.write(b"\x1a");
    shows(&shell, before, PROMPT)?;
    obeys(&mut shell)?;
    shell.write(b"fg\n");
    says_times(&shell, "cat", 2)?;
    shell.write(b"word\n");
    says_times(&shell, "word", 2)?;
    yes()
}

/// Nobody could resume it there.
pub fn stop_key_does_not_freeze(program: &Program) -> Verdict {
    let mut running = program.case().terminal().child(["ready", "cat"]).start();
    says(&running, "ready")?;
    running.write(b"\x1a");
    running.write(b"word\n");
    if says_times(&running, "word", 2).is_ok() { yes() } else { Err("frozen") }
}

pub fn background_leaves_the_terminal(program: &Program) -> Verdict {
    let mut shell = shell(program)?;
    shell.write(b"$W $READY sleep &\n");
    says(&shell, "ready")?;
    obeys(&mut shell)
}

pub fn gives_the_terminal_back(program: &Program) -> Verdict {
    let mut shell = shell(program)?;
    // A shell without job control would not take it back by itself.
    shell.write(b"sh -c '$W exit 3; echo ended-$?; read line; echo got-$line'\n");
    says(&shell, "ended-3")?;
    shell.write(b"word\n");
    says(&shell, "got-word")?;
    yes()
}

// ---- surroundings ---------------------------------------------------------------------------------------------------

/// A signal, an orphan and the end.
fn works(case: Case) -> Verdict {
    let running = case.child(["orphans", "1", "record", "for", "1", "exit", "7"]).start();
    says(&running, "recording")?;
    running.signal(libc::SIGTERM);
    holds(end(running)?.exit() == Some(7))
}

pub fn without_proc(program: &Program) -> Verdict {
    works(program.case().no_proc())
}

pub fn read_only_root(program: &Program) -> Verdict {
    works(program.case().read_only())
}

pub fn without_privileges(program: &Program) -> Verdict {
    works(program.case().user(65535, 65535).no_new_privs())
}

pub fn without_environment(program: &Program) -> Verdict {
    works(program.case().empty_environment())
}

// ---- sizes ----------------------------------------------------------------------------------------------------------

/// A number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

pub fn file_size(program: &Program) -> Verdict {
    let bytes = fs::read(program.path).expect("a program");
    // A program with a dynamic loader names it.
    let dynamic = bytes.windows(9).any(|window| window == b"/ld-linux");
    Ok(grouped(bytes.len() as u64) + if dynamic { " + libc" } else { "" })
}

pub fn resident(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    if !becomes(|| Status::read(running.pid()).is_ok_and(|status| status.get("State").starts_with('S'))) {
        return Err(NO);
    }
    let status = Status::read(running.pid()).map_err(|_| NO)?;
    let kilobytes = |key| status.get(key).split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).expect("kB");
    Ok(grouped(["RssAnon", "RssFile", "RssShmem"].into_iter().map(kilobytes).sum()))
}
