//! One sample of each measurement.

use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Subject, Taken, one_line};
use crate::{Case, Running, Stream, cgroup, floor, namespace, procfs, steps, sys, tools};

/// What does not come in this time does not come.
const LIMIT: Duration = Duration::from_secs(60);

/// How the subject is started for all but the charge: what starts a program has the witness, which records signals.
fn case(subject: &Subject) -> Case {
    let case = subject.case().deadline(LIMIT);
    if subject.starts { case.arg(tools::witness()).arg("record") } else { case }
}

/// A started subject that has come to rest, its child ready.
fn at_rest(subject: &Subject) -> Result<Running, String> {
    let mut running = case(subject).try_start()?;
    if subject.starts {
        running.wait_line("recording");
    }
    rests(running.pid()).then_some(running).ok_or_else(|| "it does not come to rest".to_owned())
}

/// How many processes there are when nobody but the subject and its child is left.
fn alone(subject: &Subject) -> usize {
    1 + usize::from(subject.starts)
}

/// Waits for the process to be asleep and to stay so.
fn rests(pid: i32) -> bool {
    procfs::await_rest(pid, LIMIT)
}

fn gone(error: std::io::Error) -> String {
    format!("it is gone: {error}")
}

pub fn file(subject: &Subject) -> Result<f64, String> {
    std::fs::metadata(&subject.path).map(|file| file.len() as f64).map_err(|error| error.to_string())
}

pub fn resident(subject: &Subject) -> Result<f64, String> {
    let running = at_rest(subject)?;
    procfs::memory(running.pid(), "Rss").map_err(gone)
}

pub fn private_dirty(subject: &Subject) -> Result<f64, String> {
    let running = at_rest(subject)?;
    procfs::memory(running.pid(), "Private_Dirty").map_err(gone)
}

/// In kB; of what starts a program, without that program's.
pub fn charged(subject: &Subject, count: usize) -> Result<f64, String> {
    if !namespace::is_root() {
        return Err("a cgroup needs root".to_owned());
    }
    let words: Vec<_> = subject.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut words: Vec<_> = words.iter().map(String::as_str).collect();
    // Asked one after another, they have long come to rest when it is the last one's turn.
    if !subject.starts {
        return Ok(cgroup::charge_of_one(&subject.path, &words, count, procfs::is_asleep)? / 1000.0);
    }
    let program = floor::pause();
    words.push(program.to_str().ok_or("its path is no text")?);
    let sleeps = |pid| procfs::sleeps_in(pid, libc::SYS_rt_sigtimedwait);
    let has_child = |pid| procfs::is_asleep(pid) && procfs::children(pid).iter().any(|&child| sleeps(child));
    let both = cgroup::charge_of_one(&subject.path, &words, count, has_child)?;
    Ok((both - cgroup::charge_of_one(program, &[], count, sleeps)?) / 1000.0)
}

pub fn faults(subject: &Subject) -> Result<f64, String> {
    let mut held = case(subject).start_held();
    Ok(steps::faults_from_exec_to_rest(&mut held) as f64)
}

pub fn calls(subject: &Subject) -> Result<f64, String> {
    let mut held = case(subject).start_held();
    Ok(steps::calls_from_exec_to_rest(&mut held)?.len() as f64)
}

pub fn first_call(subject: &Subject) -> Result<String, String> {
    let running = case(subject).strace(["-e", "trace=all"]).try_start()?;
    if !rests(running.pid()) {
        return Err("it does not come to rest".to_owned());
    }
    let outcome = running.kill();
    let calls = outcome.calls_after_exec();
    calls.first().and_then(|call| call.split('(').next()).map(str::to_owned).ok_or_else(|| "no system call".to_owned())
}

pub fn instructions(subject: &Subject) -> Result<f64, String> {
    Ok(steps::before_first_call(&subject.path) as f64)
}

pub fn idle_wake_ups(subject: &Subject, time: Duration) -> Result<f64, String> {
    let running = at_rest(subject)?;
    let before = running.context_switches();
    // The passing of time is what is measured here.
    std::thread::sleep(time);
    Ok((running.context_switches() - before) as f64)
}

pub fn orphans(subject: &Subject, count: usize) -> Result<f64, String> {
    let running = at_rest(subject)?;
    let before = running.context_switches();
    let outcome = Case::witness().inside(&running).args(["orphans", &count.to_string()]).deadline(LIMIT).run();
    if outcome.exit() != Some(0) {
        return Err(format!("the orphans could not be made: {outcome}"));
    }
    let until = Instant::now() + LIMIT;
    while running.processes().len() > alone(subject) {
        if Instant::now() > until {
            return Err("it leaves zombies".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((running.context_switches() - before) as f64)
}

/// The bytes of the file as an image layer carries them.
pub fn compressed(subject: &Subject) -> Result<f64, String> {
    let output = Command::new("gzip").args(["-9", "-c"]).arg(&subject.path).output();
    output.map(|output| output.stdout.len() as f64).map_err(|error| format!("gzip: {error}"))
}

/// The time that a program takes more when each of the subjects starts it, in µs, of `rounds` rounds: from its start to its end
/// as the caller sees it. Each is PID 1 of a namespace that was made before, as the program itself is, with which it is compared.
pub fn added(subjects: &[&Subject], rounds: usize) -> Vec<Taken> {
    let program = if cfg!(target_arch = "x86_64") { Some(floor::nothing().to_owned()) } else { tools::on_path("true") };
    let times = program.ok_or_else(|| "true is not installed".to_owned()).and_then(|program| {
        let mut case = Case::new(tools::stopwatch()).deadline(LIMIT).stderr(Stream::Null);
        case = case.args([&rounds.to_string(), "1", "pid1", "+"]).arg(&program);
        for subject in subjects {
            case = case.arg("+").arg(&subject.path).args(&subject.words).arg(&program);
        }
        let outcome = undisturbed(|| case.run());
        let line = |line: &str| line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<f64>>();
        let times: Vec<_> = outcome.out().lines().map(line).collect();
        let whole = times.len() == rounds && times.iter().all(|times| times.len() == subjects.len() + 1);
        if whole { Ok(times) } else { Err(format!("one of them fails: {outcome}")) }
    });
    let of_subject = |index: usize| {
        let times = times.as_ref().map_err(Clone::clone)?;
        // Without a subject comes first.
        Ok(one_line(times.iter().map(|times| (times[index + 1] - times[0]) / 1000.0)))
    };
    (0..subjects.len()).map(of_subject).collect()
}

/// Runs the calling thread, and what it starts, on one processor ahead of all others on this machine, so that neither other
/// programs nor a change of processors is measured, where that is allowed. With one processor the order of what happens is always
/// the same: each process runs until it waits.
fn undisturbed<T>(measure: impl FnOnce() -> T) -> T {
    let own = nix::unistd::Pid::from_raw(0);
    let before = nix::sched::sched_getaffinity(own);
    // Without precedence a processor of one's own would have to be shared with whatever else runs on it.
    let alone = sys::take_precedence(true).is_ok();
    if alone {
        let mut last = nix::sched::CpuSet::new();
        let allowed = |&number: &usize| before.as_ref().is_ok_and(|set| set.is_set(number) == Ok(true));
        let number = (0..nix::sched::CpuSet::count()).rev().find(allowed).unwrap_or(0);
        let _ = last.set(number);
        let _ = nix::sched::sched_setaffinity(own, &last);
    }
    let result = measure();
    if alone {
        let _ = sys::take_precedence(false);
        let _ = before.map(|before| nix::sched::sched_setaffinity(own, &before));
    }
    result
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The time that a signal takes more through the subject than straight to its child, in µs: the median of some.
pub fn forwarding(subject: &Subject) -> Result<f64, String> {
    /// Each is one line of the child's.
    const SIGNALS: usize = 50;
    let mut running = at_rest(subject)?;
    let child = *procfs::children(running.pid()).first().ok_or("it has no child")?;
    let child = sys::open_process(child).map_err(gone)?;
    let mut differences = Vec::new();
    let mut lines = 0;
    for _ in 0..SIGNALS {
        let mut time = |send: &dyn Fn(&Running)| {
            let start = Instant::now();
            send(&running);
            lines += 1;
            running.wait_lines("signal=10 ", lines);
            micros(start.elapsed())
        };
        let through = time(&|running| running.signal(libc::SIGUSR1));
        let straight = time(&|_| drop(sys::signal_process(child.as_fd(), libc::SIGUSR1, None)));
        differences.push(through - straight);
    }
    differences.sort_by(f64::total_cmp);
    Ok(differences[SIGNALS / 2])
}

/// The time that each signal of a burst of queued ones takes through the subject, in µs.
pub fn burst(subject: &Subject, count: usize) -> Result<f64, String> {
    let mut running = at_rest(subject)?;
    let start = Instant::now();
    (0..count).for_each(|value| running.queue(40, value as isize));
    running.wait_lines("signal=40 ", count);
    Ok(micros(start.elapsed()) / count as f64)
}

/// The processor time of the subject for each orphan, in µs: `count` of them in batches of a hundred, or one by one, while
/// `below` others live as its children.
pub fn orphan_time(subject: &Subject, count: usize, one_by_one: bool, below: usize) -> Result<f64, String> {
    let running = at_rest(subject)?;
    // They would hold the output open, and have nothing to say here.
    let workers = Case::witness().inside(&running).args(std::iter::repeat_n("worker", below));
    let workers = workers.stdout(Stream::Null).stderr(Stream::Null).deadline(LIMIT).run();
    if workers.exit() != Some(0) || !rests(running.pid()) {
        return Err(format!("the processes below it could not be made: {workers}"));
    }
    let time = || procfs::processor_time(running.pid()).map_err(gone);
    let before = time()?;
    let each = if one_by_one { "1".to_owned() } else { count.to_string() };
    let words = std::iter::repeat_n(["orphans", &each], if one_by_one { count } else { 1 }).flatten();
    let outcome = Case::witness().inside(&running).args(words).deadline(LIMIT).run();
    if outcome.exit() != Some(0) {
        return Err(format!("the orphans could not be made: {outcome}"));
    }
    let until = Instant::now() + LIMIT;
    while running.processes().len() > alone(subject) + below {
        if Instant::now() > until {
            return Err("it leaves zombies".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(micros(time()? - before) / count as f64)
}

/// The time from the child's end to the subject's, in µs.
pub fn end(subject: &Subject) -> Result<f64, String> {
    let running = at_rest(subject)?;
    let child = *procfs::children(running.pid()).first().ok_or("it has no child")?;
    let child = sys::open_process(child).map_err(gone)?;
    let own = sys::open_process(running.pid()).map_err(gone)?;
    sys::signal_process(child.as_fd(), libc::SIGKILL, None).map_err(gone)?;
    if !sys::wait_for_end(&child, LIMIT) {
        return Err("the child does not end".to_owned());
    }
    let start = Instant::now();
    if sys::wait_for_end(&own, LIMIT) { Ok(micros(start.elapsed())) } else { Err("it does not end".to_owned()) }
}

/// Runs the calling thread, and what it starts from now on, on this processor alone, if there is another.
fn stay_on(processor: usize) {
    let mut set = nix::sched::CpuSet::new();
    // Where it is not there, or not allowed, all goes on as it was.
    if set.set(processor).is_ok() {
        let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set);
    }
}

/// 1 if a TERM is lost that is sent this long after its starter has learned of the exec, else 0.
pub fn lost(subject: &Subject, distance: Duration) -> Result<f64, String> {
    // The sender must not keep the program from running.
    let before = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).map_err(|error| error.to_string())?;
    stay_on(1);
    let mut held = if subject.starts {
        // A child that ends at TERM at any time, from its first instruction on.
        subject.case().deadline(LIMIT).arg(tools::witness()).arg("sleep").start_held()
    } else {
        case(subject).start_held()
    };
    stay_on(0);
    held.release();
    let at = Instant::now() + distance;
    // A sleep would be longer than this by more than what is asked for.
    while Instant::now() < at {}
    held.signal(libc::SIGTERM);
    let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &before);
    let process = sys::open_process(held.pid());
    let until = Instant::now() + LIMIT;
    loop {
        // Asleep for good with nothing pending, or at its end.
        let ended = process.as_ref().map_or(true, |process| sys::wait_for_end(process, Duration::from_millis(1)));
        if ended {
            return Ok(0.0);
        }
        let pending = procfs::signals(held.pid()).is_ok_and(|signals| signals.pending != 0);
        if !pending && procfs::await_rest(held.pid(), Duration::from_millis(200)) {
            let ended = process.as_ref().map_or(true, |process| sys::wait_for_end(process, Duration::ZERO));
            return Ok(f64::from(u8::from(!ended)));
        }
        if Instant::now() > until {
            return Err("it neither ends nor rests".to_owned());
        }
    }
}
