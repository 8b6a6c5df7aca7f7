//! One sample of each measurement.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{Subject, Taken, one_line};
use crate::images::{self, Layout, Origin};
use crate::{Case, Running, cgroup, elf, floor, namespace, procfs, steps, sys, tools};

/// What does not come in this time does not come.
pub const LIMIT: Duration = Duration::from_secs(60);

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
pub fn rests(pid: i32) -> bool {
    procfs::await_rest(pid, LIMIT)
}

pub fn gone(error: std::io::Error) -> String {
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

/// Of all at the same time, for none of them disturbs another.
pub fn idle_wake_ups(subjects: &[&Subject], time: Duration) -> Vec<Taken> {
    let idle: Vec<_> = subjects.iter().map(|subject| at_rest(subject)).collect();
    let count = |running: &Result<Running, String>| Some(running.as_ref().ok()?.context_switches());
    let before: Vec<_> = idle.iter().map(count).collect();
    // The passing of time is what is measured here.
    std::thread::sleep(time);
    let after: Vec<_> = idle.iter().map(count).collect();
    let difference = |((running, before), after): ((Result<Running, String>, Option<u64>), Option<u64>)| {
        running?;
        Ok(one_line(after.zip(before).map(|(after, before)| (after - before) as f64)))
    };
    idle.into_iter().zip(before).zip(after).map(difference).collect()
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

/// The bytes of an image with the file, as `cargo images` makes them, as they come from a registry. What a dynamically linked
/// one needs besides is not among them.
pub fn pulled(subject: &Subject) -> Result<f64, String> {
    let program = std::fs::read(&subject.path).map_err(|error| error.to_string())?;
    let origin = Origin { revision: images::revision(), ..Origin::default() };
    let image = images::INIT.image(elf::architecture(&program)?, &program, &origin);
    let compress = |layer: &[u8]| {
        // As strong as Docker, Podman and skopeo have it.
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(layer).and_then(|()| encoder.finish()).expect("memory takes all")
    };
    Ok(Layout::pulled(&image, origin.epoch, compress) as f64)
}

/// Runs the calling thread, and what it starts from now on, on this processor alone, and ahead of all else, where that is allowed.
/// True if it is so.
fn stay_on(processor: usize) -> bool {
    let mut set = nix::sched::CpuSet::new();
    // Where there is no other, or it is not allowed, all goes on as it was.
    let alone =
        set.set(processor).is_ok() && nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set).is_ok();
    if alone {
        let _ = sys::take_precedence(true);
    }
    alone
}

/// 1 if a TERM is lost that is sent this long after its starter has learned of the exec, else 0.
pub fn lost(subject: &Subject, distance: Duration) -> Result<f64, String> {
    // The sender must not keep the program from running.
    let before = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).map_err(|error| error.to_string())?;
    let apart = stay_on(1);
    let mut held = if subject.starts {
        // A child that ends at TERM at any time, from its first instruction on.
        subject.case().deadline(LIMIT).arg(tools::witness()).arg("sleep").start_held()
    } else {
        case(subject).start_held()
    };
    // Awake on the processor that the program is to run on, it would wait for ever.
    if stay_on(0) && apart {
        held.release_awake();
    } else {
        held.release();
    }
    let at = Instant::now() + distance;
    // A sleep would be longer than this by more than what is asked for.
    while Instant::now() < at {}
    held.signal(libc::SIGTERM);
    let _ = sys::take_precedence(false);
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
