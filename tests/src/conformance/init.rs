//! The cases of `init`. Each tells whether one behaviour holds for the program that it is given, whichever that is.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use super::Program;
use super::look::{
    self, ENDS, Failure, HANGS, LOST, MARKER, NO, Shown, Verdict, at_rest, awaits, becomes, child, end, equal, exits,
    failure, file, holds, inside, is_stopped, kill, lines, ready, recorder, rests, run, says, says_times, send, shows,
    signal, start, taken, types, types_at_rest, yes,
};
use crate::procfs;
use crate::sys::{self, bit};
use crate::{Case, Outcome, Running, Stream, steps, tools};

/// All of them, sent one after another from outside, reach the child.
fn forwards(program: &Program, signals: impl IntoIterator<Item = i32>) -> Verdict {
    let running = recorder(program.case())?;
    for number in signals {
        signal(&running, number)?;
        says(&running, &format!("signal={number} "))?;
    }
    yes()
}

// ---- the command line -----------------------------------------------------------------------------------------------

pub fn options_of_the_program(program: &Program) -> Verdict {
    let (folder, _kept) = file("ls", "#!/bin/sh\necho \"ran $*\"\n", 0o755);
    let outcome = run(program.case().env("PATH", folder.path()).args(["ls", "-l", "x"]))?;
    holds(outcome.out() == "ran -l x\n", "`ls` runs with `-l x`", &outcome)
}

pub fn arguments_are_bytes(program: &Program) -> Verdict {
    let word: Vec<u8> = (1..=255).collect();
    let case = program.case().child(["state", "exit", "0"]).arg(OsString::from_vec(word.clone()));
    let outcome = run(case)?;
    equal("the last word", &outcome.values("argv").pop().unwrap_or_default(), &word.escape_ascii().to_string())
}

pub fn version_for_docker(program: &Program) -> Verdict {
    let outcome = run(program.case().arg("--version"))?;
    let out = outcome.out();
    holds(out.starts_with("tini version ") && out.lines().count() == 1, "one line `tini version …`", &outcome)
}

pub fn version_names_commit(program: &Program) -> Verdict {
    let outcome = run(program.case().arg("--version"))?;
    let out = outcome.out();
    let commit = out.trim_end().split_once(" - ").and_then(|(_, commit)| commit.strip_prefix("git."));
    let good = out.starts_with("tini version ") && commit.is_some_and(|hash| !hash.is_empty() && !hash.contains('.'));
    holds(good, "`tini version … - git.HASH`", &outcome)
}

pub fn version_of_dumb_init(program: &Program) -> Verdict {
    let outcome = run(program.case().arg("--version"))?;
    holds(outcome.err().starts_with("dumb-init v") && outcome.exit() == Some(0), "`dumb-init v…` on stderr", &outcome)
}

pub fn licence(program: &Program) -> Verdict {
    let outcome = run(program.case())?;
    holds(outcome.exit() == Some(0) && !outcome.stdout.is_empty(), "a licence on standard output, and 0", &outcome)
}

/// Status 1, something on standard error, and nothing started.
fn refuses(outcome: &Outcome, named: &str) -> Verdict {
    let good = outcome.exit() == Some(1) && !outcome.stderr.is_empty() && outcome.err().contains(named);
    let nothing = !outcome.out().contains("started");
    holds(good && nothing, &format!("status 1, nothing started, {named:?} on standard error"), outcome)
}

pub fn unknown_option(program: &Program) -> Verdict {
    refuses(&run(program.case().arg("-Z").child(["say", "started"]))?, "Z")
}

pub fn wrong_value(program: &Program) -> Verdict {
    refuses(&run(program.case().child(["say", "started"]))?, "")
}

pub fn wrong_variable(program: &Program) -> Verdict {
    refuses(&run(program.case().child(["say", "started"]))?, "BITTS_GRACE")
}

/// Its own words are all that it is given.
pub fn nothing_to_start(program: &Program) -> Verdict {
    refuses(&run(program.case())?, "")
}

pub fn debug_leaves_stdout_alone(program: &Program) -> Verdict {
    let outcome = run(program.case().child(["say", "word"]))?;
    let good = outcome.out() == "word\n" && !outcome.stderr.is_empty();
    holds(good, "the child's output and no other, and words on standard error", &outcome)
}

// ---- the start ------------------------------------------------------------------------------------------------------

/// A TERM has been sent in a narrow place: it has ended the child before that could block it, or the recorder takes it.
fn term_arrives(running: Running) -> Verdict {
    if !becomes(&running, || running.has_ended() || lines(&running, "recording") > 0) {
        return Err(failure(HANGS, "a child that TERM ends, or that takes it", running.shown()));
    }
    if running.has_ended() {
        return exits(&running.wait(), 128 + libc::SIGTERM);
    }
    signal(&running, MARKER)?;
    says(&running, &format!("signal={MARKER} "))?;
    if taken(&running.stdout()).contains(&libc::SIGTERM) {
        return yes();
    }
    Err(failure(LOST, "the TERM that was sent before the other signal", running.shown()))
}

/// While strace holds up the child on the `side` of the first of `calls` that it makes, TERM comes, and is dealt with. The program
/// itself is held up as well, if it makes one; so the time is short at first, and longer where it was over before all was done.
fn term_while(program: &Program, calls: &[(&str, i64)], side: &str) -> Verdict {
    const LONGEST: u32 = 25;
    let names: Vec<_> = calls.iter().map(|(name, _)| *name).collect();
    let names = names.join(",");
    // strace has stopped the child there, which is the only thing that it can be in beside the call itself.
    let held = |pid| {
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        let number = call.split_whitespace().next().and_then(|number| number.parse::<i64>().ok());
        calls.iter().any(|(_, wanted)| number == Some(*wanted))
    };
    for seconds in [1, 5, LONGEST] {
        let inject = format!("--inject={names}:delay_{side}={seconds}000000:when=1");
        let case = program.case().strace(["-e", &format!("trace={names}"), &inject]);
        let mut running = start(case.child(["record"]))?;
        let there = || running.children().iter().any(|child| child.state == 't' && held(child.pid));
        let mut was_there = false;
        let over = || running.has_ended() || lines(&running, "recording") > 0;
        let came = becomes(&running, || {
            was_there = there();
            was_there || over()
        });
        if !came {
            return Err(failure("not held", format!("a child in {names}"), running.shown()));
        }
        if !was_there {
            continue;
        }
        signal(&running, libc::SIGTERM)?;
        // It has been forwarded, or waits for the child, as a parent that vfork(2) holds up does, in a sleep of another kind.
        let settled = || procfs::await_quiet(running.pid(), &['S', 'D'], Duration::from_millis(200));
        awaits(&running, "a program that waits", || running.has_ended() || settled())?;
        // A program that is held up as long itself, in the same call, deals with it only when both are let go.
        if there() || running.has_ended() || seconds == LONGEST {
            running.end_tracing();
            return term_arrives(running);
        }
    }
    Err(failure("not held", format!("a child that can be held up in {names}"), "it was let go each time"))
}

pub fn term_after_fork(program: &Program) -> Verdict {
    term_while(program, &[("rt_sigprocmask", libc::SYS_rt_sigprocmask)], "exit")
}

pub fn term_after_fork_to_the_group(program: &Program) -> Verdict {
    term_while(program, &[("setpgid", libc::SYS_setpgid), ("setsid", libc::SYS_setsid)], "enter")
}

pub fn term_behind_the_first_call(program: &Program) -> Verdict {
    term_arrives(look::term_behind_the_first_call(program.case().child(["record"]))?)
}

pub fn sigchld_ignored(program: &Program) -> Verdict {
    let case = program.case().ignored(bit(libc::SIGCHLD)).stdin(Stream::Pipe).child(["ready", "cat", "exit", "7"]);
    let mut running = ready(case, "ready")?;
    // catatonit first asks for its child, and does not hang where that is gone already.
    rests(&running)?;
    running.close_stdin();
    exits(&end(running)?, 7)
}

pub fn everything_blocked(program: &Program) -> Verdict {
    let case = program.case().mask(sys::ALL_SIGNALS).child(["record", "for", "1", "exit", "7"]);
    let running = ready(case, "recording")?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 7)
}

fn inherits_mask(program: &Program, mask: u64) -> Verdict {
    let outcome = run(program.case().mask(mask).child(["state"]))?;
    equal("the mask", &outcome.value("mask").unwrap_or_default(), &format!("{mask:016x}"))
}

pub fn mask_inherited(program: &Program) -> Verdict {
    inherits_mask(program, bit(libc::SIGUSR1) | bit(libc::SIGTTOU) | bit(34) | bit(40))
}

pub fn mask_inherited_with_32_and_33(program: &Program) -> Verdict {
    inherits_mask(program, bit(libc::SIGUSR1) | bit(32) | bit(33) | bit(40))
}

pub fn dispositions_inherited(program: &Program) -> Verdict {
    let ignored = bit(libc::SIGHUP) | bit(libc::SIGUSR2) | bit(libc::SIGTTIN) | bit(40);
    let plain = run(program.case().child(["state"]))?;
    let outcome = run(program.case().ignored(ignored).child(["state"]))?;
    let seen = [plain, outcome].map(|outcome| outcome.value("ignored").unwrap_or_default());
    equal("nothing ignored, then some", &seen, &[0, ignored].map(|mask| format!("{mask:016x}")))
}

pub fn environment_untouched(program: &Program) -> Verdict {
    let outcome = run(program.case().env("ODD", OsString::from_vec(b"\xff=\n".to_vec())).child(["state"]))?;
    let own = program.call.variables.len();
    let seen = outcome.values("env");
    let good = seen.len() == 2 + own && seen.contains(&"ODD=\\xff=\\n".to_owned());
    holds(good, "PATH and ODD=\\xff=\\n in the environment", &*format!("{seen:?}"))
}

pub fn surroundings_inherited(program: &Program) -> Verdict {
    let dress = |case: Case| case.umask(0o027).nice(3).directory("/usr/bin").limit(libc::RLIMIT_NOFILE, 222, 333);
    let outcome = run(dress(program.case()).child(["state"]))?;
    let plain = run(dress(Case::witness()).arg("state"))?;
    let of = |outcome: &Outcome| ["umask", "nice", "cwd", "limit", "uid", "gid"].map(|key| outcome.values(key));
    equal("what a program finds without it,", &of(&outcome), &of(&plain))
}

/// The variables that the child finds where one of these is the pid of the program itself.
fn with_own_pid(program: &Program, assignments: &str) -> Result<(Outcome, String), Failure> {
    let script = format!("export {assignments}; exec \"$@\"");
    let case = Case::new("/bin/sh").args(["-c", &script, "sh"]).args(program.words());
    let outcome = run(case.arg(tools::witness()).arg("state"))?;
    let pid = outcome.value("pid").ok_or_else(|| failure(NO, "a child", outcome.shown()))?;
    Ok((outcome, pid))
}

pub fn listen_pid(program: &Program) -> Verdict {
    let (outcome, pid) = with_own_pid(program, "LISTEN_PID=$$ LISTEN_FDS=1")?;
    let expected = format!("LISTEN_PID={pid}");
    let environment = outcome.values("env");
    holds(environment.contains(&expected), &expected, &*format!("{environment:?}"))
}

pub fn watchdog_pid(program: &Program) -> Verdict {
    let (outcome, pid) = with_own_pid(program, "WATCHDOG_PID=$$ LISTEN_PID=1234567")?;
    let environment = outcome.values("env");
    let expected = [format!("WATCHDOG_PID={pid}"), "LISTEN_PID=1234567".to_owned()];
    let good = expected.iter().all(|expected| environment.contains(expected));
    holds(good, &expected.join(", "), &*format!("{environment:?}"))
}

pub fn script_without_interpreter(program: &Program) -> Verdict {
    let (_kept, path) = file("script", "echo ran\n", 0o755);
    let outcome = run(program.case().arg("--").arg(path))?;
    holds(outcome.out() == "ran\n", "the script's `ran`", &outcome)
}

pub fn found_without_path(program: &Program) -> Verdict {
    exits(&run(program.case().empty_environment().args(["--", "sh", "-c", "exit 7"]))?, 7)
}

pub fn search_goes_on(program: &Program) -> Verdict {
    let (first, _) = file("program", "#!/bin/sh\necho first\n", 0o644);
    let (second, _) = file("program", "#!/bin/sh\necho second\n", 0o755);
    let path = format!("{}:{}", first.path().display(), second.path().display());
    let outcome = run(program.case().env("PATH", path).args(["--", "program"]))?;
    holds(outcome.out() == "second\n", "the one that may be executed", &outcome)
}

/// The exit status as the cell.
fn status_of(program: &Program, case: Case) -> Verdict {
    let outcome = run(case)?;
    let word = outcome.exit().map_or_else(|| NO.to_owned(), |status| status.to_string());
    if word == program.kept {
        return Ok(word);
    }
    Err(failure(&word, format!("exit status {}", program.kept), outcome.shown()))
}

pub fn not_found(program: &Program) -> Verdict {
    status_of(program, program.case().args(["--", "/nonexistent"]))
}

pub fn not_executable(program: &Program) -> Verdict {
    let (_kept, path) = file("plain", "echo ran\n", 0o644);
    status_of(program, program.case().arg("--").arg(path))
}

pub fn not_a_folder(program: &Program) -> Verdict {
    let (_kept, path) = file("plain", "echo ran\n", 0o755);
    status_of(program, program.case().arg("--").arg(path.join("x")))
}

pub fn no_program(program: &Program) -> Verdict {
    let (_kept, path) = file("garbage", [b"\x7fELF".as_slice(), &[0; 60]].concat(), 0o755);
    status_of(program, program.case().arg("--").arg(path))
}

pub fn tells_what_is_not_found(program: &Program) -> Verdict {
    let outcome = run(program.case().args(["--", "/no/such/program"]))?;
    let error = outcome.err();
    let good = error.contains("/no/such/program") && error.contains("No such file or directory");
    holds(good, "the program's name and `No such file or directory`", &outcome)
}

/// The number of a descriptor that nothing has by itself.
const LEAKED: i32 = 57;

/// Started with one descriptor more.
fn with_descriptor(program: &Program) -> Case {
    program.case().descriptor(LEAKED, fs::File::open("/dev/null").expect("/dev/null"))
}

/// Has the process let go of it?
pub fn let_go_of_descriptor(running: &Running) -> Verdict {
    rests(running)?;
    let numbers: Vec<_> =
        procfs::descriptors(running.pid()).map_err(|error| failure(NO, "its descriptors", error.to_string()))?;
    let numbers: Vec<_> = numbers.into_iter().map(|(number, _)| number).collect();
    holds(!numbers.contains(&LEAKED), &format!("descriptor {LEAKED} closed"), &*format!("open: {numbers:?}"))
}

pub fn closes_descriptors(program: &Program) -> Verdict {
    let_go_of_descriptor(&ready(with_descriptor(program).child(["record"]), "recording")?)
}

pub fn pause_closes_descriptors(program: &Program) -> Verdict {
    let_go_of_descriptor(&start(with_descriptor(program))?)
}

pub fn child_has_descriptors(program: &Program) -> Verdict {
    let outcome = run(with_descriptor(program).child(["state"]))?;
    let open = outcome.values("fd");
    let good = open.iter().any(|fd| fd.starts_with(&format!("{LEAKED}:")));
    holds(good, &format!("descriptor {LEAKED} open in the child"), &*format!("open: {open:?}"))
}

/// Has the process another working directory than the one that it was started in?
fn left(running: &Running, folder: &std::path::Path) -> Verdict {
    let directory = procfs::directory(running.pid()).unwrap_or_default();
    holds(directory != folder, "another working directory", &*directory.display().to_string())
}

pub fn leaves_the_directory(program: &Program) -> Verdict {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let running = recorder(program.case().directory(folder.path()))?;
    let directory = procfs::directory(child(&running)?).unwrap_or_default();
    equal("the child in", &directory.as_path(), &folder.path())?;
    rests(&running)?;
    left(&running, folder.path())
}

pub fn pause_leaves_the_directory(program: &Program) -> Verdict {
    let folder = tempfile::tempdir().expect("a temporary folder");
    left(&at_rest(program.case().directory(folder.path()))?, folder.path())
}

// ---- signals --------------------------------------------------------------------------------------------------------

pub fn forwards_standard(program: &Program) -> Verdict {
    use libc::{
        SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGPWR, SIGQUIT, SIGSTKFLT, SIGTERM, SIGURG,
        SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
    };
    let all = [
        SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGCONT, SIGWINCH, SIGURG, SIGIO,
        SIGPROF, SIGPWR, SIGSTKFLT, SIGVTALRM, SIGXCPU, SIGXFSZ,
    ];
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
    for number in [libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1] {
        inside(&running, &["kill", "1", &number.to_string()])?;
        says(&running, &format!("signal={number} "))?;
    }
    yes()
}

/// One that is queued is counted: two of a number below 32 could be one to the child.
pub fn forwards_once(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    signal(&running, 40)?;
    signal(&running, MARKER)?;
    says(&running, &format!("signal={MARKER} "))?;
    equal("signals", &taken(&running.stdout()), &vec![40, MARKER])
}

pub fn keeps_the_value(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    send(&running, libc::SIGUSR1, Some(4711))?;
    says(&running, "signal=10 ")?;
    holds(lines(&running, " value=4711") > 0, "the value 4711", &running)
}

/// Fifty of one number, all pending before the program can take the first.
fn queued(program: &Program) -> Result<Running, Failure> {
    let running = recorder(program.case())?;
    signal(&running, libc::SIGSTOP)?;
    awaits(&running, "a program that STOP stops", || is_stopped(running.pid()))?;
    for value in 0..50 {
        send(&running, 40, Some(value))?;
    }
    signal(&running, libc::SIGCONT)?;
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
    equal("the values", &values, &(0..50).collect())
}

/// Does a signal to the program reach the other process of its child's group?
fn is_for_the_group(program: &Program, expected: bool) -> Verdict {
    let running = recorder_with(program.case(), &["block", "all", "child", "say", "asleep", "sleep", "end"])?;
    says(&running, "asleep")?;
    let child = child(&running)?;
    let other = running.processes().into_iter().find(|process| process.parent == child);
    let other = other.ok_or_else(|| failure(NO, "a process of the child's", running.shown()))?.pid;
    signal(&running, libc::SIGUSR1)?;
    // When the second one has come, the first one has been sent to everybody.
    signal(&running, libc::SIGUSR2)?;
    says(&running, "signal=10 ")?;
    says(&running, "signal=12 ")?;
    let pending = procfs::signals(other).is_ok_and(|signals| signals.pending & bit(libc::SIGUSR1) != 0);
    equal("the signal reaches the other process:", &pending, &expected)
}

/// With a child that does something else before it records.
fn recorder_with(case: Case, words: &[&str]) -> Result<Running, Failure> {
    ready(case.child([words, &["record"]].concat()), "recording")
}

pub fn reaches_the_group(program: &Program) -> Verdict {
    is_for_the_group(program, true)
}

pub fn reaches_the_child_alone(program: &Program) -> Verdict {
    is_for_the_group(program, false)
}

/// What USR1, sent to the program, is for its child.
fn usr1_becomes(program: &Program, expected: &[i32]) -> Verdict {
    let running = recorder(program.case())?;
    signal(&running, libc::SIGUSR1)?;
    signal(&running, libc::SIGWINCH)?;
    says(&running, "signal=28 ")?;
    equal("signals", &taken(&running.stdout()), &[expected, &[libc::SIGWINCH]].concat())
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
    signal(&running, libc::SIGTSTP)?;
    awaits(&running, "a child that is stopped", || is_stopped(child))?;
    yes()
}

pub fn sigchld_from_a_user(program: &Program) -> Verdict {
    let running = ready(program.case().child(["record", "for", "1", "exit", "7"]), "recording")?;
    for _ in 0..20 {
        signal(&running, libc::SIGCHLD)?;
    }
    signal(&running, libc::SIGUSR1)?;
    exits(&end(running)?, 7)
}

pub fn survives_a_refused_forwarding(program: &Program) -> Verdict {
    const CALLS: &str = "kill,rt_sigqueueinfo,pidfd_send_signal";
    // The first call is let through: catatonit's is a question for its child.
    let (trace, inject) = (format!("trace={CALLS}"), format!("--inject={CALLS}:error=EPERM:when=2"));
    let running = recorder(program.case().strace(["-e", &trace, &inject]))?;
    for number in [libc::SIGUSR1, libc::SIGUSR2, MARKER] {
        if running.try_signal(number, None).is_err() {
            break;
        }
    }
    let arrived = || lines(&running, &format!("signal={MARKER} ")) > 0;
    if !becomes(&running, || running.has_ended() || arrived()) {
        return Err(failure(HANGS, "the signal behind the refused one", running.shown()));
    }
    let ended = running.has_ended();
    let outcome = if ended { running.wait() } else { running.kill() };
    if !outcome.trace.contains("INJECTED") {
        return Err(failure("no try", "three calls that send a signal", outcome.trace));
    }
    if ended { Err(failure(ENDS, "it lives", outcome.shown())) } else { yes() }
}

pub fn term_to_a_stopped_child(program: &Program) -> Verdict {
    let running = ready(program.case().child(["ready", "sleep"]), "ready")?;
    let child = child(&running)?;
    kill(child, libc::SIGSTOP)?;
    awaits(&running, "a child that is stopped", || is_stopped(child))?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 128 + libc::SIGTERM)
}

pub fn spares_what_does_not_catch(program: &Program) -> Verdict {
    let running = ready(program.case().child(["ready", "sleep"]), "ready")?;
    signal(&running, libc::SIGUSR1)?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 128 + libc::SIGTERM)
}

pub fn kills_after_the_time_out(program: &Program) -> Verdict {
    let running = recorder(program.case())?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 128 + libc::SIGKILL)
}

// ---- processes ------------------------------------------------------------------------------------------------------

pub fn reaps(program: &Program) -> Verdict {
    let running = recorder_with(program.case(), &["orphans", "100"])?;
    awaits(&running, "two processes", || running.processes().len() == 2)?;
    yes()
}

pub fn warns_of_reaped(program: &Program) -> Verdict {
    let running = ready(program.case().child(["orphans", "3", "record", "for", "1"]), "recording")?;
    awaits(&running, "two processes", || running.processes().len() == 2)?;
    signal(&running, libc::SIGUSR1)?;
    let outcome = end(running)?;
    holds(outcome.err().lines().count() == 3, "three lines on standard error", &outcome)
}

pub fn adopts(program: &Program) -> Verdict {
    let running = recorder_with(program.case().not_pid1(), &["worker"])?;
    awaits(&running, "two children of its own", || running.children().len() == 2)?;
    yes()
}

pub fn never_wakes(program: &Program) -> Verdict {
    look::never_wakes(&recorder(program.case())?)
}

pub fn worker_gets_time(program: &Program) -> Verdict {
    // The rest of a job, half a second long, and then the word that it is done.
    let script = "(trap 'sleep 0.5; echo done; exit' TERM; echo up; while :; do sleep 0.05; done) & read line; exit 7";
    let mut running = ready(program.case().stdin(Stream::Pipe).args(["--", "sh", "-c", script]), "up")?;
    types(&mut running, b"\n")?;
    done_and_7(&end(running)?)
}

/// Who was left has come to its end, and the status is the child's all the same.
fn done_and_7(outcome: &Outcome) -> Verdict {
    let good = outcome.out().contains("done") && outcome.exit() == Some(7);
    holds(good, "`done`, said by who was left, and the child's exit status 7", outcome)
}

/// With a child that ends with 7 when its input does, and beside it what these words make.
fn beside(case: Case, rest: &[&str], ready_when: &str) -> Result<Running, Failure> {
    let words = [&["child"], rest, &["end", "cat", "exit", "7"]].concat();
    ready(case.stdin(Stream::Pipe).child(words), ready_when)
}

pub fn other_sessions_get_time(program: &Program) -> Verdict {
    let rest = ["setsid", "record", "until", "15", "say", "done"];
    let mut running = beside(program.case(), &rest, "recording")?;
    running.close_stdin();
    done_and_7(&end(running)?)
}

pub fn stopped_processes_get_time(program: &Program) -> Verdict {
    // Stopped by itself before the child's end: the reader of the second line waits for that.
    let rest = ["block", "15", "say", "recording", "stop", "record", "until", "15", "say", "done"];
    let mut running = beside(program.case(), &rest, "stopping")?;
    awaits(&running, "a stopped process", || running.processes().iter().any(|process| process.state == 'T'))?;
    running.close_stdin();
    done_and_7(&end(running)?)
}

pub fn entered_processes_get_time(program: &Program) -> Verdict {
    let mut running = start(program.case().stdin(Stream::Pipe).child(["say", "up", "cat", "exit", "7"]))?;
    says(&running, "up")?;
    // Its rest takes half a second: who does not wait for it has ended before.
    let script = "trap 'sleep 0.5; echo done; exit' TERM; echo up; while :; do sleep 0.05; done";
    let entered = ready(Case::new("/bin/sh").inside(&running).args(["-c", script]), "up")?;
    running.close_stdin();
    let outcome = end(entered)?;
    holds(outcome.out().contains("done"), "`done`, said by who had entered", &outcome)?;
    exits(&end(running)?, 7)
}

pub fn grace_is_cut_short(program: &Program) -> Verdict {
    let rest = ["record", "until", "15", "say", "stays", "sleep"];
    let mut running = beside(program.case(), &rest, "recording")?;
    running.close_stdin();
    says(&running, "stays")?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 7)
}

/// Not PID 1, whose end would kill the other one at once.
pub fn grace_is_followed_by_kill(program: &Program) -> Verdict {
    let rest = ["setsid", "record", "until", "15", "say", "stays", "sleep"];
    let mut running = beside(program.case().not_pid1(), &rest, "recording")?;
    running.close_stdin();
    awaits(&running, "its end", || running.has_ended())?;
    // The reaper of the harness is left.
    let left = || running.processes().iter().filter(|process| process.state != 'Z').count();
    awaits(&running, "nobody left", || left() == 1)?;
    // All that was said has been read only now.
    let outcome = running.wait();
    let told = outcome.out().lines().filter(|line| line.contains("stays")).count();
    holds(told == 1, "a TERM for who is left", &outcome)?;
    exits(&outcome, 7)
}

pub fn group_gets_term_at_the_end(program: &Program) -> Verdict {
    // Not PID 1, whose end would kill the other one at once.
    let mut running = beside(program.case().not_pid1(), &["record"], "recording")?;
    running.close_stdin();
    says(&running, "signal=15 ")?;
    yes()
}

/// A child that has ended, and another process that has become the program's.
fn outlived(program: &Program, words: &[&str]) -> Result<Running, Failure> {
    let words = [&["child"], words, &["end", "exit", "7"]].concat();
    let running = ready(program.case().stdin(Stream::Pipe).child(words), "ready")?;
    let alone = || running.processes().len() == 2 && running.children().len() == 1;
    // It waits, and not the kernel at its end for those that it has killed: then the program is gone already (do_exit(), exit_mm()).
    let waits = || procfs::is_asleep(running.pid()) && procfs::has_program(running.pid());
    awaits(&running, "the program asleep beside who has outlived the child", || {
        running.has_ended() || alone() && waits()
    })?;
    if running.has_ended() { Err(failure(ENDS, "it waits for who is left", running.shown())) } else { Ok(running) }
}

pub fn waits_for_all(program: &Program) -> Verdict {
    let mut running = outlived(program, &["ready", "cat"])?;
    types(&mut running, b"late\n")?;
    says(&running, "late")?;
    running.close_stdin();
    exits(&end(running)?, 7)
}

pub fn term_while_it_waits_for_all(program: &Program) -> Verdict {
    let running = outlived(program, &["ready", "sleep"])?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 7)
}

pub fn parent_death(program: &Program) -> Verdict {
    let case = Case::new("/bin/sh").not_pid1().stdin(Stream::Pipe);
    let case = case.args(["-c", "\"$@\" & read -r line", "sh"]).args(program.words());
    let mut shell = ready(case.arg(tools::witness()).arg("record"), "recording")?;
    shell.close_stdin();
    says(&shell, "signal=10 ")?;
    yes()
}

/// As a job of a shell, in the shell's session, for which the witness stands: the program and its child.
fn job(program: &Program) -> Result<(Running, i32, i32), Failure> {
    let name = program.call.name.map_or_else(|| program.path.into(), OsString::from);
    let case = Case::witness().not_pid1().args(["child", "setpgid", "exec"]).arg(name).args(program.words());
    let case = case.arg(tools::witness()).args(["ready", "sleep", "end", "wait", "sleep"]);
    let shell = ready(case, "ready")?;
    let child_of = |parent| {
        let child = shell.processes().into_iter().find(|process| process.parent == parent).map(|p| p.pid);
        child.ok_or_else(|| failure(NO, "a child", shell.shown()))
    };
    let own = child_of(shell.pid())?;
    let child = child_of(own)?;
    Ok((shell, own, child))
}

/// A job that a TSTP to the program has stopped, with its child.
fn stopped_job(program: &Program) -> Result<(Running, i32, i32), Failure> {
    let (shell, own, child) = job(program)?;
    kill(own, libc::SIGTSTP)?;
    awaits(&shell, "both stopped", || is_stopped(own) && is_stopped(child))?;
    Ok((shell, own, child))
}

pub fn stops_with_its_child(program: &Program) -> Verdict {
    let (shell, own, child) = stopped_job(program)?;
    kill(own, libc::SIGCONT)?;
    awaits(&shell, "both continued", || !is_stopped(own) && !is_stopped(child))?;
    yes()
}

pub fn term_while_it_is_stopped(program: &Program) -> Verdict {
    let (shell, own, _) = stopped_job(program)?;
    kill(own, libc::SIGTERM)?;
    kill(own, libc::SIGCONT)?;
    // The wait status of an exit with 143.
    says(&shell, &format!(" {}", 143 << 8)).map_err(|why| Failure { word: HANGS.to_owned(), ..why })?;
    yes()
}

pub fn own_session(program: &Program) -> Verdict {
    let outcome = run(program.case().child(["state"]))?;
    let good = outcome.value("sid").is_some() && outcome.value("sid") == outcome.value("pid");
    holds(good, "a child that leads a session", &outcome)
}

pub fn pause_ends_as_podmans(program: &Program) -> Verdict {
    let ignored = [libc::SIGALRM, libc::SIGHUP, libc::SIGINT, libc::SIGPIPE, libc::SIGQUIT].map(bit).iter().sum();
    let running = at_rest(program.case().not_pid1().ignored(ignored))?;
    signal(&running, libc::SIGINT)?;
    exits(&end(running)?, 0)
}

pub fn pause_ends(program: &Program) -> Verdict {
    let running = at_rest(program.case())?;
    signal(&running, libc::SIGINT)?;
    exits(&end(running)?, 0)
}

// ---- the end --------------------------------------------------------------------------------------------------------

/// Every pair of the child's last words and the status that shall come of them.
fn ends_with(program: &Program, pairs: &[([&str; 2], i32)]) -> Verdict {
    for (words, status) in pairs {
        let outcome = run(program.case().child(words))?;
        let expected = format!("exit status {status} for a child's `{}`", words.join(" "));
        holds(outcome.exit() == Some(*status), &expected, &outcome)?;
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

pub fn seven_passes(program: &Program) -> Verdict {
    ends_with(program, &[(["exit", "7"], 7)])
}

pub fn does_not_wait_for_others(program: &Program) -> Verdict {
    let running = start(program.case().child(["worker", "exit", "7"]))?;
    exits(&end(running)?, 7)
}

pub fn tells_of_a_killed_child(program: &Program) -> Verdict {
    let outcome = run(program.case().child(["die", "9"]))?;
    let error = outcome.err();
    holds(error.lines().count() == 1 && error.to_lowercase().contains("kill"), "one line that says so", &outcome)
}

pub fn silent_about_what_it_forwarded(program: &Program) -> Verdict {
    let running = ready(program.case().child(["ready", "sleep"]), "ready")?;
    signal(&running, libc::SIGTERM)?;
    let outcome = end(running)?;
    holds(outcome.stderr.is_empty() && outcome.exit() == Some(143), "status 143, and not a word", &outcome)
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
    let running = ready(case.arg(tools::witness()).args(["ready", "sleep"]), "ready")?;
    // The child may be ready before the program has looked what the count is.
    rests(&running)?;
    exits(&run(Case::new("/bin/sh").inside(&running).args(["-c", &write(2)]))?, 0)?;
    kill(child(&running)?, libc::SIGKILL)?;
    let outcome = end(running)?;
    holds(outcome.err().contains("memory"), "a word of the memory", &outcome)
}

// ---- standard descriptors -------------------------------------------------------------------------------------------

/// With the most talkative options, and a standard error that takes nothing: the child is not disturbed.
fn bears(program: &Program, stderr: Stream) -> Verdict {
    let case = program.case().stderr(stderr).child(["record", "for", "2", "exit", "7"]);
    let running = ready(case, "recording")?;
    for number in [libc::SIGUSR1, libc::SIGHUP] {
        signal(&running, number)?;
        says(&running, &format!("signal={number} "))?;
    }
    let outcome = end(running)?;
    equal("signals", &taken(&outcome.stdout), &vec![libc::SIGUSR1, libc::SIGHUP])?;
    exits(&outcome, 7)
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

pub fn stderr_at_its_limit(program: &Program) -> Verdict {
    bears(program, Stream::FileAtLimit)
}

/// The flags belong to the open files, which the child shares.
pub fn flags_are_left_alone(program: &Program) -> Verdict {
    let case = program.case().stdin(Stream::Pipe).child(["record"]);
    let (running, before) = look::flags_at_the_start(case)?;
    says(&running, "recording")?;
    signal(&running, libc::SIGUSR1)?;
    says(&running, "signal=10 ")?;
    rests(&running)?;
    equal("the flags of 0, 1, 2", &look::flags(child(&running)?), &before)
}

pub fn stdin_closed(program: &Program) -> Verdict {
    exits(&run(program.case().stdin(Stream::Closed).child(["exit", "7"]))?, 7)
}

pub fn all_closed(program: &Program) -> Verdict {
    let case = program.case().stdin(Stream::Closed).stdout(Stream::Closed).stderr(Stream::Closed);
    exits(&run(case.child(["exit", "7"]))?, 7)
}

// ---- terminals ------------------------------------------------------------------------------------------------------

pub fn foreground(program: &Program) -> Verdict {
    let outcome = run(program.case().terminal().child(["state"]))?;
    let good = outcome.value("tpgid").is_some() && outcome.value("tpgid") == outcome.value("pgid");
    holds(good, "a child in the terminal's foreground group", &outcome)
}

/// ^C for the recorder below process `init` of a terminal. init is held until the recorder has had what the terminal sends it: one
/// that comes before would be merged with that by the kernel.
fn interrupted_once(running: &mut Running, init: i32) -> Verdict {
    let recorder = running.processes().into_iter().find(|process| process.parent == init);
    let recorder = recorder.ok_or_else(|| failure(NO, "a child", running.shown()))?.pid;
    let held = steps::hold(init).map_err(|why| failure(NO, "a program that can be traced", why))?;
    types(running, b"\x03")?;
    // The echo comes behind the signals.
    shows(running, 0, "^C")?;
    awaits(running, "a child that waits", || procfs::await_rest(recorder, Duration::from_millis(200)))?;
    drop(held);
    says(running, "signal=2 ")?;
    kill(init, MARKER)?;
    says(running, &format!("signal={MARKER} "))?;
    holds(lines(running, "signal=2 ") == 1, "signal 2 once", running)
}

pub fn interrupt_once(program: &Program) -> Verdict {
    let mut running = recorder(program.case().terminal())?;
    let init = running.pid();
    interrupted_once(&mut running, init)
}

pub fn interrupt_once_in_a_shell(program: &Program) -> Verdict {
    let mut shell = shell(program)?;
    types(&mut shell, b"$W record\n")?;
    says(&shell, "recording")?;
    let init = child(&shell)?;
    interrupted_once(&mut shell, init)
}

/// An interactive bash on a new terminal, its prompt shown; `$W` is the witness under the program. The words
/// `$READY` are not those that the witness answers with.
fn shell(program: &Program) -> Result<Running, Failure> {
    let words: Vec<_> = program.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words = words.join(" ");
    let bash = tools::on_path("bash").expect("bash");
    let case = Case::new(bash).not_pid1().terminal().args(["--norc", "--noprofile", "--noediting", "-i"]);
    let case = case.env("PS1", PROMPT).env("HISTFILE", "").env("READY", "ready");
    let shell = start(case.env("W", format!("{words} {}", tools::witness().display())))?;
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
        types_at_rest(shell, format!("echo sum-$(({number}+2))\n").as_bytes())?;
        shows(shell, before, &format!("sum-{}\r\n", number + 2))?;
        // Where the output ends, the prompt may be still to come.
        let before = before + String::from_utf8_lossy(&shell.stdout()[before..]).find("sum-4").unwrap_or(0);
        shows(shell, before, PROMPT)?;
    }
    yes()
}

/// A job in the foreground that copies what is typed; then ^Z, and the prompt.
fn suspended(program: &Program) -> Result<Running, Failure> {
    let mut shell = shell(program)?;
    types_at_rest(&mut shell, b"$W $READY cat\n")?;
    says(&shell, "ready")?;
    let before = shell.stdout().len();
    types_at_rest(&mut shell, b"\x1a")?;
    shows(&shell, before, PROMPT)?;
    Ok(shell)
}

/// `fg`, and what bash says of the job when it has come to it; the same words stand further up already.
fn in_the_foreground(shell: &mut Running) -> Result<(), Failure> {
    let before = shell.stdout().len();
    types_at_rest(shell, b"fg\n")?;
    shows(shell, before, "cat\r\n")
}

pub fn suspends(program: &Program) -> Verdict {
    obeys(&mut suspended(program)?)
}

pub fn resumes(program: &Program) -> Verdict {
    let mut shell = suspended(program)?;
    in_the_foreground(&mut shell)?;
    types_at_rest(&mut shell, b"word\n")?;
    // The terminal's echo and the job's.
    says_times(&shell, "word", 2)?;
    let before = shell.stdout().len();
    types_at_rest(&mut shell, b"\x04")?;
    shows(&shell, before, PROMPT)?;
    obeys(&mut shell)
}

/// As `docker run -it`: a shell whose jobs can be stopped and resumed.
pub fn shell_below_has_job_control(program: &Program) -> Verdict {
    let case = program.case().terminal().args(["--", "bash", "--norc", "--noprofile", "--noediting", "-i"]);
    let case = case.env("PS1", PROMPT).env("HISTFILE", "").env("READY", "ready").env("W", tools::witness());
    let mut shell = start(case)?;
    shows(&shell, 0, PROMPT)?;
    types_at_rest(&mut shell, b"$W $READY cat\n")?;
    says(&shell, "ready")?;
    let before = shell.stdout().len();
    types_at_rest(&mut shell, b"\x1a")?;
    shows(&shell, before, PROMPT)?;
    obeys(&mut shell)?;
    in_the_foreground(&mut shell)?;
    types_at_rest(&mut shell, b"word\n")?;
    says_times(&shell, "word", 2)?;
    yes()
}

/// Nobody could resume it there.
pub fn stop_key_does_not_freeze(program: &Program) -> Verdict {
    let mut running = ready(program.case().terminal().child(["ready", "cat"]), "ready")?;
    types_at_rest(&mut running, b"\x1a")?;
    types_at_rest(&mut running, b"word\n")?;
    says_times(&running, "word", 2).map_err(|why| Failure { word: "frozen".to_owned(), ..why })?;
    yes()
}

pub fn background_leaves_the_terminal(program: &Program) -> Verdict {
    let mut shell = shell(program)?;
    types_at_rest(&mut shell, b"$W $READY sleep &\n")?;
    says(&shell, "ready")?;
    obeys(&mut shell)
}

pub fn gives_the_terminal_back(program: &Program) -> Verdict {
    let mut shell = shell(program)?;
    // A shell without job control would not take it back by itself.
    types_at_rest(&mut shell, b"sh -c '$W exit 3; echo ended-$?; read line; echo got-$line'\n")?;
    says(&shell, "ended-3")?;
    types_at_rest(&mut shell, b"word\n")?;
    says(&shell, "got-word")?;
    yes()
}

// ---- surroundings ---------------------------------------------------------------------------------------------------

/// A signal, an orphan and the end.
fn works(case: Case) -> Verdict {
    let running = ready(case.child(["orphans", "1", "record", "for", "1", "exit", "7"]), "recording")?;
    signal(&running, libc::SIGTERM)?;
    exits(&end(running)?, 7)
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

pub fn file_size(program: &Program) -> Verdict {
    look::file_size(program, 28_672)
}

pub fn resident(program: &Program) -> Verdict {
    look::resident(&recorder(program.case())?)
}
