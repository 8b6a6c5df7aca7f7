//! `crowd DOOR COUNT PROGRAM [ARGUMENT…]`: joins a cgroup by its file DOOR, starts COUNT instances there, prints their pids
//! and closes standard output; at the end of its input it kills and reaps them and their children. What is charged for a process is charged to
//! the cgroup of whoever forks it, so this must be a process of its own.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use bitts_tests::sys;

fn main() {
    let mut words = std::env::args_os().skip(1);
    let mut word = || words.next().expect("DOOR COUNT PROGRAM");
    let (door, count, program) = (word(), word(), word());
    let count: usize = count.to_str().and_then(|count| count.parse().ok()).expect("a number");
    let arguments: Vec<_> = words.collect();
    std::fs::write(door, "0").expect("joined the cgroup");
    // The harness may have ended before it could close our input.
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM).expect("prctl");
    // Children of the programs come here when those end.
    nix::sys::prctl::set_child_subreaper(true).expect("prctl");
    let mut text = String::new();
    for _ in 0..count {
        let mut command = Command::new(&program);
        command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        sys::die_with_parent(&mut command);
        let Ok(child) = command.spawn() else { break };
        text += &format!("{}\n", child.id());
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
    sys::close(1);
    let _ = std::io::stdin().read(&mut [0]);
    sys::end_all_children();
}
