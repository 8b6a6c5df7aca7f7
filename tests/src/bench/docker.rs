//! How long `docker stop` takes with each init: under a Docker daemon of our own, which needs root and `dockerd`.

use std::cell::OnceCell;
use std::time::Instant;

use super::cell::Show;
use super::{Measure, Subject, Taken, timed};
use crate::runtimes::base::add_base;
use crate::runtimes::client::DEADLINE;
use crate::runtimes::docker::Daemon;
use crate::runtimes::enclosure::{namespace as namespace_of, wait_for_program};
use crate::{namespace, procfs, sys, tools};

/// The image with busybox.
const BASE: &str = "bitts-bench";

/// The rows; none where there can be no daemon, which is told.
#[must_use]
pub fn measures(rounds: usize) -> Vec<Measure> {
    if !namespace::root("docker stop") {
        return Vec::new();
    }
    if tools::on_path("dockerd").is_none() {
        namespace::skipped("docker stop", "dockerd is not installed");
        return Vec::new();
    }
    let daemon = OnceCell::new();
    let lines = ["`docker stop`: until init has ended, ms", "`docker stop`: until it returns, ms"];
    let lines = lines.map(|what| (what.to_owned(), Show::Median(0)));
    vec![Measure::each(lines, rounds, move |subject| {
        let start = || {
            let daemon = Daemon::start("bench", &[]);
            daemon.import(BASE, add_base);
            daemon
        };
        stop(daemon.get_or_init(start), subject)
    })]
}

/// Runs a container with the subject as its first process and stops it. The program below it ends at TERM.
fn stop(daemon: &Daemon, subject: &Subject) -> Taken {
    let path = subject.path.canonicalize().map_err(|error| error.to_string())?;
    let init = format!("{}:/init:ro", path.display());
    let mut words =
        vec!["run", "--detach", "--name", "stopped", "--network", "none", "--entrypoint", "/init", "--volume", &init];
    // For those that are linked dynamically; the same for all.
    words.extend([
        "--volume",
        "/usr/lib:/usr/lib:ro",
        "--volume",
        "/lib:/lib:ro",
        "--volume",
        "/lib64:/lib64:ro",
        BASE,
    ]);
    let own: Vec<_> = subject.words.iter().map(|word| word.to_string_lossy()).collect();
    words.extend(own.iter().map(AsRef::as_ref));
    words.extend(["/bin/busybox", "sleep", "600"]);
    daemon.ok(&words);
    let process = daemon.proc("stopped");
    let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
    wait_for_program(&process, &bytes);
    // Its pid as it is known here: the first of its namespace.
    let first = procfs::processes_in(&namespace_of(&process, "pid")).first().map(|first| first.pid);
    let process = sys::open_process(first.ok_or("it is gone")?).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let stopping = std::thread::scope(|scope| {
        let ended = scope.spawn(|| sys::wait_for_end(&process, DEADLINE).then(|| start.elapsed()));
        daemon.ok(&["stop", "--time", "30", "stopped"]);
        let returned = start.elapsed();
        ended.join().ok().flatten().map(|ended| [ended, returned])
    });
    daemon.ok(&["rm", "--force", "stopped"]);
    let times = stopping.ok_or("it does not end")?;
    Ok(timed::lines(times.map(|time| time.as_secs_f64() * 1000.0)))
}
