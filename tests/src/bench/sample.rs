//! One sample of each measurement.

use std::time::{Duration, Instant};

use super::Subject;
use crate::{Case, Running, cgroup, namespace, procfs, steps, sys};

/// What does not come in this time does not come.
const LIMIT: Duration = Duration::from_secs(60);

/// A started subject that has come to rest.
fn at_rest(subject: &Subject) -> Result<Running, String> {
    let running = subject.case().deadline(LIMIT).try_start()?;
    rests(running.pid()).then_some(running).ok_or_else(|| "it does not come to rest".to_owned())
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

/// In kB.
pub fn charged(subject: &Subject, count: usize) -> Result<f64, String> {
    if !namespace::is_root() {
        return Err("a cgroup needs root".to_owned());
    }
    let words: Vec<_> = subject.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    // One after another they have long come to rest when the last one is asked: to look at each for long would take long.
    let asleep = |pid| procfs::is_asleep(pid);
    Ok(cgroup::charge_of_one(&subject.path, &words, count, asleep)? / 1000.0)
}

pub fn faults(subject: &Subject) -> Result<f64, String> {
    let mut held = subject.case().deadline(LIMIT).start_held();
    Ok(steps::faults_from_exec_to_rest(&mut held) as f64)
}

pub fn calls(subject: &Subject) -> Result<f64, String> {
    let mut held = subject.case().deadline(LIMIT).start_held();
    Ok(steps::calls_from_exec_to_rest(&mut held)?.len() as f64)
}

pub fn first_call(subject: &Subject) -> Result<String, String> {
    let running = subject.case().deadline(LIMIT).strace(["-e", "trace=all"]).try_start()?;
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
    while running.processes().len() > 1 {
        if Instant::now() > until {
            return Err("it leaves zombies".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((running.context_switches() - before) as f64)
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
    let mut held = subject.case().deadline(LIMIT).start_held();
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
