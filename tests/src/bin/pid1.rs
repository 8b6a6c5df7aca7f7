//! `cargo pid1 -- COMMAND…`: builds both programs and runs the command under `init`, as PID 1 of fresh namespaces, without
//! root and without Docker. `cargo pid1 --pause` runs `pause` the same way, `cargo ship` only builds.

use std::ffi::{CString, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bitts_tests::plan::Proc;
use bitts_tests::{namespace, ship, sys};
use clap::Parser;

/// Runs a command under init, as PID 1 of new user, PID and mount namespaces.
#[derive(Parser)]
#[command(name = "pid1")]
struct Words {
    /// Run pause instead of init
    #[arg(long)]
    pause: bool,
    /// Only build both programs, and print their paths and sizes
    #[arg(long, conflicts_with = "pause")]
    ship: bool,
    /// Words for init (or pause): its own options, then `--` if there are any, then the command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Our own failures, as `docker run` has it.
const FAILED: i32 = 125;

fn main() {
    let words = Words::parse();
    std::process::exit(match run(&words) {
        Ok(status) => status,
        Err(why) => {
            eprintln!("pid1: {why}");
            FAILED
        }
    });
}

/// # Errors
/// What could not be done, and how it could.
fn run(words: &Words) -> Result<i32, String> {
    if words.ship {
        for path in [ship::init(), ship::pause()] {
            println!("{} {}", shown(path), size(path));
        }
        return Ok(0);
    }
    let (program, name) = if words.pause { (ship::pause(), "pause") } else { (ship::init(), "init") };
    if words.words.is_empty() && !words.pause {
        return Err("no command; try: cargo pid1 -- sh -c 'ps -ef; exit 3'".to_owned());
    }
    let command: Vec<_> = words.words.iter().map(|word| word.to_string_lossy()).collect();
    eprintln!(
        "pid1: {} ({} bytes) as PID 1 of new user, PID and mount namespaces{}{}",
        shown(program),
        size(program),
        if command.is_empty() { "" } else { ": " },
        command.join(" ")
    );

    let terminal = std::fs::File::open("/dev/tty").ok().filter(IsTerminal::is_terminal);
    let foreground = terminal.as_ref().map(|tty| sys::foreground_group(std::os::fd::AsRawFd::as_raw_fd(tty)));
    let text = |word: &std::ffi::OsStr| CString::new(word.as_bytes()).expect("no NUL in a word");
    let path = text(program.as_os_str());
    let mut vector = vec![text(name.as_ref())];
    // A `--` that comes first was taken for our own. A command without options of init's before it gets one: peers that
    // INIT_UNDER_TEST may name would take the options of the command as theirs.
    let commanded = std::env::args_os().nth(1).is_some_and(|word| word == "--");
    if commanded || words.words.first().is_some_and(|word| !word.as_bytes().starts_with(b"-")) {
        vector.push(text("--".as_ref()));
    }
    vector.extend(words.words.iter().map(|word| text(word)));
    let vector: Vec<_> = vector.iter().map(CString::as_c_str).collect();

    namespace::make(Some((0, 0)), false).map_err(|why| format!("{why}; {}", namespace::HOW_TO_ALLOW))?;
    let inherited = sys::mask();
    // ^C and ^\ are the command's, and they may come as soon as there is one; and the terminal can be taken back from the
    // background. The child puts all three right again before its exec.
    for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGTTOU] {
        sys::ignore(signal, true).expect("these can be ignored");
    }
    let Some(child) = sys::fork().map_err(|error| format!("cannot fork: {error}"))? else {
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).expect("prctl");
        if let Err(why) = namespace::mount_proc(Proc::Fresh) {
            eprintln!("pid1: {why}; {}", namespace::HOW_TO_ALLOW);
            sys::exit_now(FAILED);
        }
        sys::set_inherited_signals(0, inherited);
        let error = sys::exec(&path, &vector);
        eprintln!("pid1: cannot run {}: {error}", program.display());
        sys::exit_now(FAILED)
    };
    let status = loop {
        match sys::wait(child, 0) {
            Ok(Some((_, status))) => break status,
            Err(error) if error.raw_os_error() != Some(libc::EINTR) => return Err(format!("cannot wait: {error}")),
            _ => {}
        }
    };
    // A shell with job control does this itself, a script's does not. If the terminal has gone, there is nothing to give back.
    if let (Some(terminal), Some(group)) = (&terminal, foreground) {
        let _ = sys::set_foreground_group(std::os::fd::AsRawFd::as_raw_fd(terminal), group);
    }
    Ok(if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) })
}

/// Relative to the workspace or to where we are, if it is in there.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).or_else(|_| path.strip_prefix(ship::root())).unwrap_or(path).display().to_string()
}

/// The size in bytes, with commas.
fn size(path: &Path) -> String {
    let digits = std::fs::metadata(path).map_or(0, |file| file.len()).to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}
