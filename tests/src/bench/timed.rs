//! One sample of what is a matter of time: each process of it tells the time itself, by the clock that all of them share.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::sample::{LIMIT, gone, rests};
use super::{Sample, Subject, Taken, one_line};
use crate::{Case, Running, Stream, floor, procfs, sys, tools};

/// The signals that are sent one by one, and in a burst: the first of them is not queued, the second is.
const ONE: i32 = libc::SIGUSR1;
const QUEUED: i32 = 40;

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

/// A subject at rest whose child tells the time of each signal that it takes.
struct Timed {
    running: Running,
    /// The child's words.
    told: BufReader<File>,
    child: OwnedFd,
}

impl Timed {
    /// Starts it; its child tells the time of each `every`-th `signal`.
    fn start(subject: &Subject, signal: i32, every: usize) -> Result<Self, String> {
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|error| error.to_string())?;
        let case = subject.case().deadline(LIMIT).stdout(Stream::Given(write)).stderr(Stream::Null);
        let case = case.arg(tools::witness()).args(["clock", &signal.to_string(), "every", &every.to_string()]);
        let running = case.try_start()?;
        let mut told = BufReader::new(File::from(read));
        line(&mut told, "ready")?;
        if !rests(running.pid()) {
            return Err("it does not come to rest".to_owned());
        }
        let child = *procfs::children(running.pid()).first().ok_or("it has no child")?;
        let child = sys::open_process(child).map_err(gone)?;
        Ok(Self { running, told, child })
    }

    /// What the child says next: `WORD TIME`, the time in ns.
    fn time(&mut self, word: &str) -> Result<u64, String> {
        let text = line(&mut self.told, word)?;
        text.trim().parse().map_err(|_| format!("no time: {text}"))
    }

    /// The time from a signal's being sent by `send` to its handler in the child, in µs.
    fn signal(&mut self, send: impl FnOnce(&Self)) -> Result<f64, String> {
        let start = sys::now();
        send(self);
        Ok(micros(start, self.time("at")?))
    }

    /// Runs witness commands beside it, whose processes stay as they are; their output.
    fn beside(&self, words: &[&str]) -> Result<String, String> {
        let outcome = Case::witness().inside(&self.running).args(words).deadline(LIMIT).run();
        if outcome.exit() == Some(0) { Ok(outcome.out()) } else { Err(format!("{words:?}: {outcome}")) }
    }

    /// Processor time (in µs) and wake-ups of the subject.
    fn work(&self) -> Result<(f64, f64), String> {
        let time = procfs::processor_time(self.running.pid()).map_err(gone)?;
        Ok((time.as_secs_f64() * 1e6, self.running.context_switches() as f64))
    }

    /// Makes `count` orphans, `by` of them at a time: processor time (in µs) and wake-ups for each, and the median time (in µs) from
    /// the end of the first of a time to the last one's being reaped.
    fn orphans(&self, count: usize, by: usize) -> Result<[f64; 3], String> {
        let before = self.work()?;
        let text = self.beside(&["gone", &count.to_string(), "by", &by.to_string()])?;
        let after = self.work()?;
        let times = text.split_whitespace().filter_map(|word| word.parse::<f64>().ok()).map(|time| time / 1000.0);
        let each = |before, after| (after - before) / count as f64;
        Ok([each(before.0, after.0), each(before.1, after.1), median(times.collect())])
    }

    /// The time from its child's end, by itself, to its own, in µs.
    fn end(mut self) -> Result<f64, String> {
        let own = sys::open_process(self.running.pid()).map_err(gone)?;
        sys::signal_process(self.child.as_fd(), libc::SIGTERM, None).map_err(gone)?;
        if !sys::wait_for_end(&own, LIMIT) {
            return Err("it does not end".to_owned());
        }
        let end = sys::now();
        Ok(micros(self.time("end")?, end))
    }
}

/// The rest of the next line, which begins with `word`.
fn line(told: &mut BufReader<File>, word: &str) -> Result<String, String> {
    let limit = PollTimeout::try_from(LIMIT).expect("a limit below 24 days");
    // Lines are written in one piece and asked for one by one, so that none is left in the buffer.
    let ready = poll(&mut [PollFd::new(told.get_ref().as_fd(), PollFlags::POLLIN)], limit);
    let mut text = String::new();
    if ready == Ok(1) {
        told.read_line(&mut text).map_err(|error| error.to_string())?;
    }
    text.strip_prefix(word).map(str::to_owned).ok_or_else(|| format!("its child does not say {word:?}, but {text:?}"))
}

fn micros(start: u64, end: u64) -> f64 {
    // Both are below the 2^53 that a number holds, but their difference is what is exact.
    (end as i64 - start as i64) as f64 / 1000.0
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Some numbers, each a line's.
pub fn lines(numbers: impl IntoIterator<Item = f64>) -> Vec<Vec<Sample>> {
    numbers.into_iter().map(|number| vec![Sample::Number(number)]).collect()
}

/// Medians of some signals, in µs: from kill to the child's handler, and how much of it is the subject's: what the same signal takes
/// straight to the child is taken off.
pub fn forwarding(subject: &Subject, signals: usize) -> Taken {
    undisturbed(|| {
        let mut timed = Timed::start(subject, ONE, 1)?;
        let (mut through, mut more) = (Vec::new(), Vec::new());
        for _ in 0..signals {
            let time = timed.signal(|timed| timed.running.signal(ONE))?;
            let straight = timed.signal(|timed| drop(sys::signal_process(timed.child.as_fd(), ONE, None)))?;
            through.push(time);
            more.push(time - straight);
        }
        Ok(lines([median(through), median(more)]))
    })
}

/// From the first of a burst of queued signals to the last one's handler, in µs for each.
pub fn burst(subject: &Subject, count: usize) -> Result<f64, String> {
    undisturbed(|| {
        let mut timed = Timed::start(subject, QUEUED, count)?;
        let send = |timed: &Timed| (0..count).for_each(|value| timed.running.queue(QUEUED, value as isize));
        Ok(timed.signal(send)? / count as f64)
    })
}

/// Orphans that come one by one, then as many in bursts: processor time, wake-ups, and the time until they are gone, of each.
pub fn orphans(subject: &Subject, single: usize, many: usize, burst: usize) -> Taken {
    undisturbed(|| {
        let timed = Timed::start(subject, ONE, 1)?;
        let one_by_one = timed.orphans(single, 1)?;
        let at_once = timed.orphans(many, burst)?;
        Ok(lines(one_by_one.into_iter().chain(at_once)))
    })
}

/// From the child's end to the subject's, in µs.
pub fn end(subject: &Subject) -> Result<f64, String> {
    undisturbed(|| Timed::start(subject, ONE, 1)?.end())
}

/// With `below` more processes that are its children: the memory that it has written, in kB; a signal's way to the child; processor time
/// of an orphan, and its time until it is gone; and the time from the child's end to its own, all in µs.
pub fn below(subject: &Subject, below: usize) -> Taken {
    /// As many as give a median.
    const TIMES: usize = 30;
    undisturbed(|| {
        let mut timed = Timed::start(subject, ONE, 1)?;
        timed.beside(&["sleepers", &below.to_string()])?;
        if procfs::children(timed.running.pid()).len() != below + 1 || !rests(timed.running.pid()) {
            return Err("the processes below it could not be made".to_owned());
        }
        let memory = procfs::memory(timed.running.pid(), "Private_Dirty").map_err(gone)?;
        let signal = |_| timed.signal(|timed| timed.running.signal(ONE));
        let signals = (0..TIMES).map(signal).collect::<Result<_, _>>()?;
        let [time, _, until_gone] = timed.orphans(TIMES, 1)?;
        Ok(lines([memory, median(signals), time, until_gone, timed.end()?]))
    })
}
