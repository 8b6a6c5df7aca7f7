//! The cases of `pause`. Each tells whether one behaviour holds for the program that it is given, whichever that is.

use super::Program;
use super::look::{
    self, ENDS, Failure, HANGS, LOST, NO, Shown, Verdict, at_rest, awaits, becomes, end, equal, exits, failure, holds,
    inside, run, says, send, signal, start, yes,
};
use crate::sys::{self, bit};
use crate::{Case, Outcome, Running, Stream, procfs};

/// What ends it, and its last words.
const ENDINGS: [(i32, &str); 2] = [
    (libc::SIGTERM, "Shutting down, got signal: Terminated\n"),
    (libc::SIGINT, "Shutting down, got signal: Interrupt\n"),
];

/// What it says where it is not PID 1.
const WARNING: &str = "Warning: pause should be the first process\n";

/// A signal to it, and its end.
fn ended_by(running: Running, number: i32) -> Result<Outcome, Failure> {
    signal(&running, number)?;
    end(running)
}

/// Told to end, it ends with 0.
fn ends(running: Running) -> Verdict {
    exits(&ended_by(running, libc::SIGTERM)?, 0)
}

// ---- the end --------------------------------------------------------------------------------------------------------

pub fn term_ends_it(program: &Program) -> Verdict {
    ends(at_rest(program.case())?)
}

pub fn int_ends_it(program: &Program) -> Verdict {
    exits(&ended_by(at_rest(program.case())?, libc::SIGINT)?, 0)
}

pub fn ends_from_inside(program: &Program) -> Verdict {
    for (number, _) in ENDINGS {
        let running = at_rest(program.case())?;
        // The kernel kills the sender with the namespace.
        inside(&running, &["kill", "1", &number.to_string()])?;
        exits(&end(running)?, 0)?;
    }
    yes()
}

pub fn says_why_it_ends(program: &Program) -> Verdict {
    for (number, words) in ENDINGS {
        let outcome = ended_by(at_rest(program.case())?, number)?;
        holds(outcome.err().ends_with(words), &format!("{words:?} on standard error"), &outcome)?;
    }
    yes()
}

pub fn writes_nothing_to_stdout(program: &Program) -> Verdict {
    let outcome = ended_by(at_rest(program.case())?, libc::SIGTERM)?;
    holds(outcome.stdout.is_empty(), "nothing on standard output", &outcome)
}

pub fn no_other_signal_has_an_effect(program: &Program) -> Verdict {
    let running = at_rest(program.case())?;
    for number in sys::catchable().filter(|number| ENDINGS.iter().all(|(end, _)| end != number)) {
        send(&running, number, None)?;
        send(&running, number, Some(1))?;
    }
    look::rests(&running)?;
    holds(!running.has_ended(), "it lives", &running)?;
    ends(running)
}

pub fn nor_one_from_inside(program: &Program) -> Verdict {
    let running = at_rest(program.case())?;
    // KILL and STOP too: the kernel keeps them from PID 1.
    let numbers = (1..=64).filter(|number| ENDINGS.iter().all(|(end, _)| end != number));
    let words: Vec<String> = numbers.flat_map(|number| ["kill".into(), "1".into(), number.to_string()]).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    exits(&inside(&running, &words)?, 0)?;
    look::rests(&running)?;
    ends(running)
}

// ---- orphans --------------------------------------------------------------------------------------------------------

/// Waits until nobody but it is in its namespace.
fn alone(running: &Running) -> Result<(), Failure> {
    awaits(running, "no process left but itself", || running.processes().len() == 1)
}

pub fn reaps(program: &Program) -> Verdict {
    let running = at_rest(program.case())?;
    exits(&inside(&running, &["orphans", "100"])?, 0)?;
    alone(&running)?;
    yes()
}

pub fn orphans_wake_nobody(program: &Program) -> Verdict {
    let running = at_rest(program.case())?;
    let count = || procfs::context_switches(running.pid()).ok();
    let before = count();
    exits(&inside(&running, &["orphans", "300"])?, 0)?;
    alone(&running)?;
    equal("context switches", &count(), &before).map_err(|why| Failure { word: "wakes".to_owned(), ..why })
}

pub fn never_wakes(program: &Program) -> Verdict {
    look::never_wakes(&start(program.case())?)
}

/// A shell that is not told of its child's death becomes the program.
pub fn reaps_who_was_dead_before(program: &Program) -> Verdict {
    let shell = Case::new("/bin/sh").mask(bit(libc::SIGCHLD)).stdin(Stream::Pipe);
    let mut running = start(shell.args(["-c", "true & read -r _; exec \"$@\"", "sh"]).args(program.own_words()))?;
    awaits(&running, "a zombie", || !running.zombies().is_empty())?;
    look::types(&mut running, b"go on\n")?;
    awaits(&running, "the zombie gone", || running.zombies().is_empty())?;
    look::rests(&running)?;
    ends(running)
}

// ---- the start ------------------------------------------------------------------------------------------------------

pub fn ends_if_all_was_blocked(program: &Program) -> Verdict {
    for (number, _) in ENDINGS {
        let outcome = ended_by(at_rest(program.case().mask(sys::ALL_SIGNALS))?, number)?;
        exits(&outcome, 0)?;
    }
    yes()
}

pub fn reaps_if_all_was_blocked(program: &Program) -> Verdict {
    let running = at_rest(program.case().mask(sys::ALL_SIGNALS))?;
    exits(&inside(&running, &["orphans", "10"])?, 0)?;
    alone(&running)?;
    yes()
}

pub fn ends_if_all_was_ignored(program: &Program) -> Verdict {
    for (number, _) in ENDINGS {
        let outcome = ended_by(at_rest(program.case().ignored(sys::ALL_SIGNALS))?, number)?;
        exits(&outcome, 0)?;
    }
    yes()
}

/// It ends with 0 for what has been sent already.
fn ends_by_itself(running: Running) -> Verdict {
    if becomes(&running, || running.has_ended()) {
        return exits(&running.wait(), 0);
    }
    Err(failure(LOST, "its end by the TERM that was sent", running.shown()))
}

pub fn term_pending_at_the_start(program: &Program) -> Verdict {
    for ignored in [0, bit(libc::SIGTERM)] {
        let mut running = look::held(program.case().mask(bit(libc::SIGTERM)).ignored(ignored))?;
        signal(&running, libc::SIGTERM)?;
        look::release(&mut running)?;
        ends_by_itself(running)?;
    }
    yes()
}

pub fn term_behind_the_first_call(program: &Program) -> Verdict {
    ends_by_itself(look::term_behind_the_first_call(program.case())?)
}

// ---- the command line -----------------------------------------------------------------------------------------------

/// `pause X.Y.Z (git HASH)`, at once.
fn version_of(case: Case) -> Verdict {
    let outcome = run(case)?;
    let out = outcome.out();
    let words: Vec<_> = out.split_whitespace().collect();
    let good = matches!(words[..], ["pause", version, "(git", hash] if version.contains('.') && hash.ends_with(')'));
    let good = good && out.lines().count() == 1 && outcome.exit() == Some(0);
    holds(good, "one line `pause X.Y.Z (git HASH)`, and 0", &outcome)
}

pub fn version(program: &Program) -> Verdict {
    version_of(program.case())
}

pub fn version_for_anybody(program: &Program) -> Verdict {
    version_of(program.case().user(999, 999).not_pid1().args(["x", "--", "-V", "-y"]))
}

pub fn other_arguments_are_ignored(program: &Program) -> Verdict {
    for words in [&["-P", "x"][..], &["--version", "-h", "-vv"], &["", "-"]] {
        ends(at_rest(program.case().args(words))?)?;
    }
    yes()
}

// ---- not PID 1 ------------------------------------------------------------------------------------------------------

pub fn warns_if_it_is_not_pid_1(program: &Program) -> Verdict {
    let outcome = ended_by(at_rest(program.case().not_pid1())?, libc::SIGTERM)?;
    holds(outcome.err().starts_with(WARNING), &format!("{WARNING:?} on standard error"), &outcome)?;
    exits(&outcome, 0)
}

pub fn does_not_warn_if_it_is_not_pid_1(program: &Program) -> Verdict {
    let running = at_rest(program.case().not_pid1())?;
    holds(running.stderr().is_empty(), "not a word", &running)?;
    ends(running)
}

/// With those that would make a core file no core file.
pub fn other_signals_have_their_default_action(program: &Program) -> Verdict {
    for number in [libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGALRM, 40] {
        let running = at_rest(program.case().not_pid1().limit(libc::RLIMIT_CORE, 0, 0))?;
        signal(&running, number)?;
        if !becomes(&running, || running.has_ended()) {
            return Err(failure(HANGS, format!("an end by signal {number}"), running.shown()));
        }
        let outcome = running.wait();
        holds(outcome.killed_by() == Some(number), &format!("an end by signal {number}"), &outcome)?;
    }
    yes()
}

/// What the kernel's faults are made of is not among them.
pub fn other_signals_have_no_effect_anywhere(program: &Program) -> Verdict {
    let running = at_rest(program.case().not_pid1().limit(libc::RLIMIT_CORE, 0, 0))?;
    let faults = [libc::SIGILL, libc::SIGTRAP, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS, libc::SIGABRT];
    for number in sys::catchable().filter(|number| ENDINGS.iter().all(|(end, _)| end != number)) {
        if !faults.contains(&number) && send(&running, number, None).is_err() {
            break;
        }
    }
    look::rests(&running).map_err(|why| Failure { word: ENDS.to_owned(), ..why })?;
    ends(running)
}

// ---- surroundings ---------------------------------------------------------------------------------------------------

/// An orphan and the end.
fn works(case: Case) -> Verdict {
    let running = at_rest(case)?;
    exits(&inside(&running, &["orphans", "3"])?, 0)?;
    alone(&running)?;
    ends(running)
}

pub fn without_descriptors(program: &Program) -> Verdict {
    works(program.case().stdin(Stream::Closed).stdout(Stream::Closed).stderr(Stream::Closed))
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

pub fn without_name_and_environment(program: &Program) -> Verdict {
    works(program.case().name("").empty_environment())
}

pub fn without_any_limit_left(program: &Program) -> Verdict {
    let case = program.case().limit(libc::RLIMIT_NOFILE, 0, 0).limit(libc::RLIMIT_SIGPENDING, 0, 0);
    ends(at_rest(case)?)
}

/// Where it has nothing to write to, it ends all the same, and with 0.
fn bears(program: &Program, stream: fn() -> Stream) -> Verdict {
    for case in [program.case(), program.case().not_pid1()] {
        ends(at_rest(case.stderr(stream()))?)?;
    }
    yes()
}

pub fn stderr_broken(program: &Program) -> Verdict {
    bears(program, || Stream::BrokenPipe)
}

pub fn stderr_full(program: &Program) -> Verdict {
    bears(program, || Stream::FullPipe)
}

pub fn stderr_closed(program: &Program) -> Verdict {
    bears(program, || Stream::Closed)
}

pub fn stderr_no_space(program: &Program) -> Verdict {
    bears(program, || Stream::Full)
}

pub fn stderr_at_its_limit(program: &Program) -> Verdict {
    bears(program, || Stream::FileAtLimit)
}

pub fn flags_are_left_alone(program: &Program) -> Verdict {
    // Not PID 1: there it has something to say.
    let (running, before) = look::flags_at_the_start(program.case().not_pid1().stdin(Stream::Pipe))?;
    look::rests(&running)?;
    equal("the flags of 0, 1, 2", &look::flags(running.pid()), &before)
}

// ---- a pod ----------------------------------------------------------------------------------------------------------

/// What the first container puts into the pod.
const WORD: &str = "the-pod";

pub fn namespaces_outlive_a_container(program: &Program) -> Verdict {
    let mut running = look::held(program.case().pod())?;
    let namespaces = procfs::namespaces(running.pid()).ok();
    look::release(&mut running)?;
    look::rests(&running)?;
    exits(&inside(&running, &["fill-pod", WORD])?, 0)?;
    let container = look::ready(Case::witness().inside(&running).args(["ready", "sleep"]), "ready")?;
    signal(&container, libc::SIGKILL)?;
    awaits(&container, "the container's end", || container.has_ended())?;
    drop(container);
    alone(&running)?;
    equal("the namespaces", &procfs::namespaces(running.pid()).ok(), &namespaces)?;
    let found = inside(&running, &["show-pod"])?;
    let all = format!("hostname={WORD}\naddress=lo 127.7.7.7 up=true\nmemory={WORD}\nqueue={WORD}\n");
    holds(found.out() == all, "hostname, address, shared memory and queue of the pod", &found)
}

pub fn its_end_ends_the_pod(program: &Program) -> Verdict {
    let running = at_rest(program.case().pod())?;
    let container = look::ready(Case::witness().inside(&running).args(["ready", "sleep"]), "ready")?;
    signal(&running, libc::SIGTERM)?;
    awaits(&running, "its end, and the container's", || running.has_ended() && container.has_ended())?;
    equal("the container's end by signal", &container.wait().killed_by(), &Some(libc::SIGKILL))
}

pub fn everybodys_reaper(program: &Program) -> Verdict {
    let running = at_rest(program.case().pod())?;
    // It outlives the container, and ends behind it.
    let words = ["orphans", "20", "worker", "say", "up", "sleep"];
    let container = start(Case::witness().inside(&running).args(words))?;
    says(&container, "up")?;
    signal(&container, libc::SIGKILL)?;
    awaits(&running, "the container's orphan alone", || running.processes().len() == 2)?;
    let orphan = running.children().first().map(|child| child.inner.to_string());
    let orphan = orphan.ok_or_else(|| failure(NO, "an orphan that has become its child", running.shown()))?;
    exits(&inside(&running, &["kill", &orphan, "15"])?, 0)?;
    alone(&running)?;
    yes()
}

// ---- sizes ----------------------------------------------------------------------------------------------------------

pub fn file_size(program: &Program) -> Verdict {
    look::file_size(program, 4_096)
}

pub fn resident(program: &Program) -> Verdict {
    look::resident(&start(program.case())?)
}
