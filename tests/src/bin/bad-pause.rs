//! A pause that does what the contract says, but for the fault that `--fault NAME` switches on: the negative control of the
//! conformance suite (tests/controls.rs has the list).

#![no_main]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::time::Duration;

use bitts_tests::sys::{self, bit};
use bitts_tests::{fault, main_without_runtime};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::AccessFlags;
use std::os::fd::AsFd;

main_without_runtime!(run);

/// What ends it.
const STOP_REQUESTS: sys::Mask = bit(libc::SIGTERM) | bit(libc::SIGINT);

fn run(mut words: Vec<OsString>) -> i32 {
    fault::take(&mut words);
    let name = words.first().cloned().unwrap_or_default();
    let words = words.split_off(1.min(words.len()));
    let is_mode = words.first().is_some_and(|word| word == "-P");
    let is_first = nix::unistd::getpid().as_raw() == 1;

    if fault::is("flushes what is pending") {
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let _ = sys::ignore(signal, true);
        }
    }
    let mut awaited = STOP_REQUESTS;
    if fault::is("leaves the mask alone") {
        awaited &= !sys::mask();
    }
    if fault::is("leaves ignored signals ignored") {
        let ignored = |signal: &i32| sys::handler(*signal) == libc::SIG_IGN;
        awaited &= !sys::catchable().filter(ignored).map(bit).sum::<sys::Mask>();
    }
    if fault::is("ignores TERM") {
        awaited &= !bit(libc::SIGTERM);
    }
    if fault::is("ends on HUP") {
        awaited |= bit(libc::SIGHUP);
    }
    let holds_all = is_mode && !fault::is("other signals end the mode") || fault::is("holds all signals off");
    let reaps_itself = fault::is("wakes for orphans");
    let others = if holds_all { sys::ALL_SIGNALS } else { 0 };
    let child = if reaps_itself { bit(libc::SIGCHLD) } else { 0 };
    sys::set_mask(STOP_REQUESTS | awaited | others | child);

    if !fault::is("does not reap") {
        if reaps_itself {
            let _ = sys::ignore(libc::SIGCHLD, false);
        } else {
            let _ = sys::ignore(libc::SIGCHLD, true);
        }
        if !fault::is("leaves the older dead") {
            reap();
        }
    }
    check_needs(&name);
    if fault::is("makes namespaces of its own") {
        let _ = nix::sched::unshare(bitts_tests::namespace::OF_A_POD);
    }
    if is_mode {
        if !fault::is("keeps descriptors") {
            (3..1024).for_each(sys::close);
        }
        if !fault::is("keeps the directory") {
            let _ = nix::unistd::chdir("/");
        }
    }

    let is_version = |word: &OsString| word == "-v" || word == "-V";
    let is_asked = if fault::is("looks at the first word only") {
        words.first().is_some_and(is_version)
    } else {
        !is_mode && words.iter().any(is_version)
    };
    if is_asked && !fault::is("knows no version") {
        println!("pause 0.0.0 (git none)");
        return 0;
    }
    if fault::is("refuses arguments") && words.iter().any(|word| word != "-P" && !is_version(word)) {
        return 1;
    }
    if !is_first && (!is_mode && !fault::is("does not warn") || is_mode && fault::is("warns in the mode")) {
        say("Warning: pause should be the first process\n");
    }
    sleep(awaited | child)
}

/// Reaps all that has ended.
fn reap() {
    while let Ok(Some(_)) = sys::wait(-1, libc::WNOHANG) {}
}

/// What a pause must not need.
fn check_needs(name: &OsString) {
    let missing = fault::is("needs /proc") && fs::metadata("/proc/self/stat").is_err()
        || fault::is("needs root") && !nix::unistd::getuid().is_root()
        || fault::is("needs a root to write to") && nix::unistd::access("/tmp", AccessFlags::W_OK).is_err()
        || fault::is("needs standard input") && sys::status_flags(0).is_none()
        || fault::is("needs standard error") && sys::status_flags(2).is_none()
        || fault::is("needs a name") && name.is_empty()
        || fault::is("needs a descriptor") && fs::File::open("/dev/null").is_err();
    if missing {
        sys::exit_now(1);
    }
    if fault::is("makes stderr non-blocking") {
        let _ = fcntl(io::stderr(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
    }
}

/// Waits for what ends it.
fn sleep(awaited: sys::Mask) -> ! {
    loop {
        let timeout = fault::is("polls").then_some(Duration::from_millis(900));
        let Ok(received) = sys::take_signal(awaited, timeout) else { continue };
        match received.signal {
            libc::SIGCHLD => reap(),
            _ if fault::is("hears nobody inside") && received.pid != 0 => {}
            signal => {
                let word = if signal == libc::SIGINT { "Interrupt" } else { "Terminated" };
                say(&format!("Shutting down, got signal: {word}\n"));
                sys::exit_now(match signal {
                    _ if fault::is("ends with 1") => 1,
                    libc::SIGINT if fault::is("ends with 130 on INT") => 130,
                    _ => 0,
                });
            }
        }
    }
}

/// Says it on standard error, as far as that takes it at once, with all signals blocked meanwhile.
fn say(text: &str) {
    if fault::is("says nothing") {
        return;
    }
    let mask = if fault::is("is killed by a broken pipe") { sys::mask() } else { sys::set_mask(sys::ALL_SIGNALS) };
    if fault::is("says it on stdout too") {
        let _ = nix::unistd::write(io::stdout(), text.as_bytes());
    }
    let stderr = io::stderr();
    let ready = poll(&mut [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO);
    if fault::is("waits for its reader") || ready == Ok(1) {
        let written = nix::unistd::write(&stderr, text.as_bytes());
        if written.is_err() && fault::is("ends if nobody listens") {
            sys::exit_now(1);
        }
    }
    // What a broken pipe has raised goes with the process, or is taken back here.
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        let _ = sys::take_signal(bit(signal), Some(Duration::ZERO));
    }
    sys::set_mask(mask);
}
