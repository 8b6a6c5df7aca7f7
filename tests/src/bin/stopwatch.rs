//! `stopwatch ROUNDS SEED FIRST [pid1] + PROGRAM [WORD…] + PROGRAM …`: starts the command lines in turn, each round in another
//! order, and prints a line for each round: the nanoseconds from each one's start to its end as the caller sees it, in the
//! order of the command lines. With `pid1` each is the first process of a PID namespace, which was made before.
//!
//! A program of its own, for it has one thread, no terminal, and nothing else to do.

use std::ffi::{CString, OsString};
use std::fmt::Write;
use std::os::unix::ffi::OsStringExt;
use std::time::Instant;

use nix::sched::{CloneFlags, setns, unshare};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::wait::{WaitStatus, waitpid};

fn main() {
    let mut words = std::env::args_os().skip(1).peekable();
    let mut number = || words.next().and_then(|word| word.to_str()?.parse().ok()).expect("a number");
    let (rounds, seed): (usize, u64) = (number() as usize, number());
    let first = words.next_if(|word| word == "pid1").is_some();
    let mut commands: Vec<Vec<CString>> = Vec::new();
    for word in words {
        if word == "+" {
            commands.push(Vec::new());
        } else {
            commands.last_mut().expect("a + before a program").push(text(word));
        }
    }
    let variables: Vec<_> = std::env::vars_os()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            text(name)
        })
        .collect();
    let (attributes, actions) =
        (PosixSpawnAttr::init().expect("memory"), PosixSpawnFileActions::init().expect("memory"));
    let own = std::fs::File::open("/proc/self/ns/pid").expect("/proc");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut order: Vec<_> = (0..commands.len()).collect();
    let mut text = String::new();
    for _ in 0..rounds {
        let mut times = vec![0; commands.len()];
        random.shuffle(&mut order);
        for &index in &order {
            let command = &commands[index];
            if first {
                // A namespace can be made only from one's own.
                setns(&own, CloneFlags::CLONE_NEWPID).expect("the own namespace");
                unshare(CloneFlags::CLONE_NEWPID).expect("a namespace");
            }
            let start = Instant::now();
            let child = posix_spawn(command[0].as_c_str(), &actions, &attributes, command, &variables);
            let status = waitpid(child.expect("a program"), None);
            times[index] = start.elapsed().as_nanos();
            assert!(matches!(status, Ok(WaitStatus::Exited(_, 0))), "{command:?}: {status:?}");
        }
        times.iter().for_each(|time| write!(text, "{time} ").expect("memory"));
        text.push('\n');
    }
    print!("{text}");
}

/// A word as the kernel takes it.
fn text(word: OsString) -> CString {
    CString::new(word.into_vec()).expect("no NUL in a word")
}
