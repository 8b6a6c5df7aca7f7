//! Job control on a terminal (I16): in an interactive shell that starts init as a job, and with init as the first process
//! of a terminal's session. Each test's name begins with the promise's number.
//!
//! What is typed is echoed, so a test waits for what can only be an answer: a whole line, or a word that the shell has
//! worked out. Nothing is typed before the one who is to read it has said that it is there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bitts_tests::case::new_terminal;
use bitts_tests::procfs::{self, Process};
use bitts_tests::{Case, Place, Running, Stream, namespace, needs_namespaces, needs_strace, ship, sys, tools};

/// init as a job: in the shell's group for that job with its child, and with a group for the child.
const OPTIONS: [&str; 2] = ["", "-g"];

/// Everywhere that init can stand without a shell above it, with and without `-g`. Nobody could continue it there.
const MODES: [(Place, &[&str]); 4] =
    [(Place::Pid1, &[]), (Place::Pid1, &["-g"]), (Place::Child, &[]), (Place::Child, &["-g"])];

/// What the terminal makes of the keys: interrupt, quit, stop, end of file.
const INTERRUPT: &str = "\x03";
const QUIT: &str = "\x1c";
const STOP: &str = "\x1a";
const END: &str = "\x04";

const PROMPT: &str = "prompt> ";

/// Any real-time signal, sent last: what was sent before has been dealt with when it arrives.
const MARKER: i32 = 50;

/// A person at a terminal.
struct Terminal {
    running: Running,
    /// How much of what the terminal has shown was read.
    read: usize,
}

impl Terminal {
    /// Sits down at `case`, in which `$I` is the program `init`, `$W` the witness, `$O` the options, and `$S` the script.
    fn at(case: Case, init: &Path, options: &str, script: &str) -> Self {
        let case = case.terminal().env("PS1", PROMPT).env("I", init).env("W", tools::witness());
        // Nothing of the machine's own set-up, and no history written.
        let case = case.env("O", options).env("S", script).env("HISTFILE", "").env("INPUTRC", "/dev/null");
        Self { running: case.start(), read: 0 }
    }

    /// An interactive shell that is not PID 1, at its prompt.
    fn shell(init: &Path, options: &str, script: &str) -> Self {
        let mut terminal = Self::at(Case::new("/bin/bash").not_pid1().args(["--norc", "-i"]), init, options, script);
        terminal.prompt();
        terminal
    }

    fn types(&mut self, text: &str) {
        self.running.write(text.as_bytes());
    }

    /// Waits for `text`, and returns what came before it.
    #[track_caller]
    fn sees(&mut self, text: &str) -> String {
        let end = self.running.wait_text(self.read, text);
        let before = self.read..end - text.len();
        self.read = end;
        String::from_utf8_lossy(&self.running.stdout()[before]).into_owned()
    }

    /// Waits for a line that is `text` and nothing else.
    #[track_caller]
    fn line(&mut self, text: &str) {
        self.sees(&format!("\n{text}\r"));
    }

    #[track_caller]
    fn prompt(&mut self) {
        self.sees(PROMPT);
    }

    /// Types a line, and sees it come back twice: from the terminal, and from a child that copies.
    #[track_caller]
    fn copies(&mut self, text: &str) {
        self.types(&format!("{text}\n"));
        self.line(text);
        self.line(text);
    }

    /// Types ^Z, and has the prompt back.
    #[track_caller]
    fn stops(&mut self) {
        self.types(STOP);
        self.is_stopped();
    }

    /// The shell says that a job has stopped, and prompts.
    #[track_caller]
    fn is_stopped(&mut self) {
        self.sees("Stopped");
        self.prompt();
    }

    /// Continues the job in the foreground. The shell shows its command before it does so.
    #[track_caller]
    fn fg(&mut self) {
        self.types("fg\n");
        self.sees("$");
    }

    /// At the prompt: the exit status of what has ended.
    #[track_caller]
    fn status(&mut self) -> i32 {
        self.types("echo status=$?\n");
        self.sees("\nstatus=");
        let status = self.sees("\r").parse().expect("a number");
        self.prompt();
        status
    }

    /// At the prompt: the shell itself can read from the terminal.
    #[track_caller]
    fn shell_reads(&mut self) {
        self.types("echo ask$((1+1)); read word; echo got=$word\n");
        self.line("ask2");
        self.types("this\n");
        self.line("got=this");
        self.prompt();
    }

    /// The shell's only child.
    #[track_caller]
    fn job(&self) -> Process {
        let jobs = self.running.children();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs[0].clone()
    }

    /// The only child of the process `parent`, in whatever PID namespace it is.
    #[track_caller]
    fn child_of(&self, parent: i32) -> i32 {
        let children = procfs::children(parent);
        assert_eq!(children.len(), 1, "{children:?}");
        children[0]
    }

    /// The same, once it is there.
    #[track_caller]
    fn wait_child_of(&mut self, parent: i32) -> i32 {
        self.running.wait_until("a child", |_| !procfs::children(parent).is_empty());
        self.child_of(parent)
    }

    /// The terminal's foreground group.
    #[track_caller]
    fn foreground(&self) -> i32 {
        foreground(&self.running)
    }

    #[track_caller]
    fn wait_state(&mut self, pid: i32, state: char) {
        self.running.wait_until(&format!("{pid} in state {state}"), |_| self::state(pid) == state);
    }

    /// The child of `init`, that was stopped, is not continued: seen when init has dealt with two later signals.
    #[track_caller]
    fn stays_stopped(&mut self, init: i32) {
        let child = self.child_of(init);
        self.wait_state(child, 'T');
        for signal in [libc::SIGUSR1, libc::SIGUSR2] {
            sys::kill(init, signal, None).expect("it lives");
            let pending = |pid| procfs::signals(pid).is_ok_and(|signals| signals.pending & sys::bit(signal) != 0);
            self.running.wait_until("a forwarded signal", |_| pending(child));
        }
        assert_eq!(state(child), 'T');
    }
}

/// The foreground group of the terminal of `running`.
fn foreground(running: &Running) -> i32 {
    procfs::groups(running.pid()).expect("it lives").2
}

fn state(pid: i32) -> char {
    procfs::Status::read(pid).expect("it lives").get("State").chars().next().expect("a letter")
}

/// What `state` of the witness says of `key`.
fn value<'a>(state: &'a str, key: &str) -> &'a str {
    let line = state.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {key} in {state}")).trim()
}

// ---- A job of an interactive shell ----------------------------------------------------------------------------------

#[test]
fn i16_an_interrupt_key_reaches_the_child_of_a_job_once() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types("$I $O $W record\n");
        shell.line("recording");
        let from = shell.read;
        for _ in 0..5 {
            shell.types(INTERRUPT);
            shell.sees("signal=2 ");
            shell.sees("\r\n");
        }
        sys::kill(shell.job().pid, MARKER, None).expect("it lives");
        shell.sees(&format!("signal={MARKER} "));
        let shown = String::from_utf8_lossy(&shell.running.stdout()[from..]).into_owned();
        assert_eq!(shown.matches("signal=2 ").count(), 5, "{options:?}: {shown}");
    }
}

#[test]
fn i16_an_interrupt_key_ends_a_job() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types("$I $O $W ready cat\n");
        shell.line("ready");
        shell.types(INTERRUPT);
        shell.prompt();
        assert_eq!(shell.status(), 128 + libc::SIGINT, "{options:?}");
        shell.shell_reads();
    }
}

#[test]
fn i16_a_stop_key_returns_the_prompt_and_fg_resumes_the_job() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types("$I $O $W ready cat exit 7\n");
        shell.line("ready");
        shell.copies("first");
        for again in ["second", "third"] {
            shell.stops();
            shell.shell_reads();
            shell.fg();
            shell.copies(again);
        }
        shell.types(END);
        shell.prompt();
        assert_eq!(shell.status(), 7, "{options:?}");
        shell.shell_reads();
    }
    // The control: it has a group for the child, and does not look whether that stops.
    if let Some(tini) = tools::peer("tini") {
        let mut shell = Terminal::shell(&tini, "", "");
        shell.types("$I $O $W ready cat\n");
        shell.line("ready");
        shell.types(STOP);
        let job = shell.job().pid;
        shell.stays_stopped(job);
        // The shell waits for a stop of the job, and the terminal is the stopped child's.
        assert_ne!(state(job), 'T');
        assert_eq!(shell.foreground(), procfs::groups(shell.child_of(job)).expect("it lives").0);
    }
}

/// The prompt comes when the child has stopped, and not before: until then it would read what is typed for the shell.
#[test]
fn i16_a_job_is_stopped_when_its_child_is() {
    needs_namespaces!();
    for options in OPTIONS {
        // As any job that does not let itself be stopped.
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types("$I $O $W block 20 ready cat exit 7\n");
        shell.line("ready");
        shell.types(STOP);
        shell.sees("^Z");
        shell.types("\n");
        shell.copies("typed");
        shell.types(END);
        shell.prompt();
        assert_eq!(shell.status(), 7, "{options:?}");

        // As programs that have something to put in order before they stop.
        let script = "trap 'echo tidy; kill -STOP $$; echo back' TSTP; echo ready; while :; do read word; done";
        let mut shell = Terminal::shell(ship::init(), options, script);
        shell.types("$I $O sh -c \"$S\"\n");
        shell.line("ready");
        for _ in 0..2 {
            shell.types(STOP);
            shell.sees("tidy");
            shell.is_stopped();
            shell.shell_reads();
            shell.fg();
            shell.line("back");
            // Until init has come back from its own stop, where SIGTSTP acts on it, ^Z would stop it before its child.
            let init = shell.job().pid;
            shell.running.wait_until("init at its wait", |_| procfs::sleeps_in(init, libc::SYS_rt_sigtimedwait));
        }
        shell.types(INTERRUPT);
        shell.prompt();
        assert_eq!(shell.status(), 128 + libc::SIGINT, "{options:?}");
    }
}

#[test]
fn i16_without_a_dev_tty_the_terminal_is_found_on_the_first_descriptors() {
    needs_namespaces!();
    needs_strace!();
    let child = "exec <&$T >&$T; echo ready; read -r word; echo got=$word";
    for (number, others) in [("0", ">/dev/null 2>&1"), ("1", "</dev/null 2>&0"), ("2", "</dev/null >&0")] {
        // The shell becomes init, with the terminal as one descriptor alone.
        let command = format!("exec {} /bin/sh -c \"$C\" {others}", ship::init().display());
        let case = Case::new("/bin/sh").terminal().env("C", child).env("T", number);
        let case = case.strace(["-P", "/dev/tty", "-e", "trace=openat", "--inject=openat:error=ENOENT"]);
        let mut running = case.args(["-c", &command]).start();
        running.wait_line("ready");
        // In the background a read would stop it.
        running.write(b"something\n");
        let outcome = running.wait();
        outcome.assert_exit(0);
        assert!(outcome.out().contains("got=something"), "{number}: {outcome}");
        assert!(outcome.trace.contains("ENOENT"), "{number}: {outcome}");
    }
}

#[test]
fn i16_bg_does_not_take_the_terminal_away_from_the_shell() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        let own = shell.foreground();
        shell.types("$I $O $W ready sleep\n");
        shell.line("ready");
        shell.stops();
        assert_eq!(shell.foreground(), own, "{options:?}");
        let job = shell.job().pid;
        let child = shell.child_of(job);
        shell.wait_state(child, 'T');
        shell.types("bg\n");
        shell.wait_state(child, 'S');
        shell.wait_state(job, 'S');
        assert_eq!(shell.foreground(), own, "{options:?}");
        shell.shell_reads();
        // From the background to the foreground without a stop between.
        shell.fg();
        shell
            .running
            .wait_until("another foreground group", |shell| procfs::groups(shell.pid()).expect("it lives").2 != own);
        shell.types(INTERRUPT);
        shell.prompt();
        assert_eq!(shell.status(), 128 + libc::SIGINT, "{options:?}");
    }
}

#[test]
fn i16_a_job_in_the_background_does_not_take_the_terminal() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        let own = shell.foreground();
        shell.types("$I $O $W ready hook &\n");
        // The order of the job's line and the prompt is open.
        let from = shell.read;
        shell.sees("hooked");
        shell.read = from;
        shell.prompt();
        assert_eq!(shell.foreground(), own, "{options:?}");
        shell.shell_reads();
    }
    // The control.
    if let Some(tini) = tools::peer("tini") {
        let mut shell = Terminal::shell(&tini, "", "");
        let own = shell.foreground();
        // It starts when the shell is at its prompt, for which that takes the terminal itself.
        shell.types("$W record until 10 unblock all exec tini $I $O $W ready hook &\n");
        shell.running.wait_line("recording");
        shell.running.wait_asleep_in(libc::SYS_pselect6);
        sys::kill(shell.job().pid, libc::SIGUSR1, None).expect("it lives");
        shell.running.wait_until("another foreground group", |shell| foreground(shell) != own);
        // The shell can no longer read, and ends.
        shell.types("\n");
        shell.running.wait_status();
    }
}

#[test]
fn i16_a_job_in_the_background_that_reads_is_stopped_and_fg_gives_it_the_terminal() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        let own = shell.foreground();
        shell.types("$I $O $W cat exit 7 &\n");
        shell.prompt();
        let job = shell.job().pid;
        shell.wait_state(job, 'T');
        assert_eq!(shell.foreground(), own, "{options:?}");
        shell.types("jobs\n");
        shell.sees("Stopped");
        shell.sees("$W cat");
        shell.prompt();
        shell.shell_reads();
        shell.fg();
        shell.sees("cat exit 7");
        shell.copies("read");
        shell.stops();
        shell.fg();
        shell.sees("cat exit 7");
        shell.copies("again");
        shell.types(END);
        shell.prompt();
        assert_eq!(shell.status(), 7, "{options:?}");
    }
}

#[test]
fn i16_a_child_that_stops_itself_stops_the_job() {
    needs_namespaces!();
    for stop in ["kill -STOP $$", "kill -TSTP $$", "kill -TSTP 0", "kill -TTIN 0", "kill -STOP 0"] {
        for options in OPTIONS {
            let script = format!("echo ready; {stop}; echo resumed; read word; echo got=$word; exit 7");
            let mut shell = Terminal::shell(ship::init(), options, &script);
            let own = shell.foreground();
            shell.types("$I $O sh -c \"$S\"\n");
            shell.line("ready");
            shell.is_stopped();
            assert_eq!(shell.foreground(), own, "{stop} {options:?}");
            shell.shell_reads();
            shell.fg();
            shell.line("resumed");
            shell.types("this\n");
            shell.line("got=this");
            shell.prompt();
            assert_eq!(shell.status(), 7, "{stop} {options:?}");
        }
    }
}

/// While it is stopped the terminal is with init's group: a shell without job control does not take it.
#[test]
fn i16_a_stopped_job_leaves_the_terminal_to_its_own_group() {
    needs_namespaces!();
    let mut shell = Terminal::shell(ship::init(), "-g", "$I $O $W stop ready cat exit 7; exit $?");
    shell.types("sh -c \"$S\"\n");
    shell.line("stopping");
    let sh = shell.job().pid;
    let init = shell.child_of(sh);
    shell.wait_state(init, 'T');
    let child = shell.child_of(init);
    let group = |pid| procfs::groups(pid).expect("it lives").0;
    assert_eq!(group(init), group(sh));
    assert_ne!(group(init), group(child));
    assert_eq!(shell.foreground(), group(init));
    sys::kill(init, libc::SIGCONT, None).expect("it lives");
    shell.line("ready");
    assert_eq!(shell.foreground(), group(child));
    shell.copies("read");
    shell.types(END);
    shell.prompt();
    assert_eq!(shell.status(), 7);
    shell.shell_reads();
}

/// Of each stop of the child init stops once, whatever else it looks for while the child is still stopped. And behind its own stop all
/// is blocked again, so that nothing stops or ends it before its child has that.
#[test]
fn i16_i6_a_stop_is_followed_once_and_then_all_is_blocked_again() {
    needs_namespaces!();
    needs_strace!();
    // Nobody could continue its group, so that the kernel does not stop it.
    let case = Case::new("/bin/sh").not_pid1().args(["-c", "$I $W child worker end wait stop exit 7; exit $?"]);
    let case = case.strace(["-e", "trace=execve,kill,rt_sigprocmask,rt_sigpending"]);
    let mut terminal = Terminal::at(case, ship::init(), "", "");
    terminal.sees("stopping");
    let init = terminal.job().pid;
    let children = |running: &Running| -> Vec<_> {
        running.processes().into_iter().filter(|process| process.parent == init).map(|process| process.pid).collect()
    };
    let [child, worker] = children(&terminal.running)[..] else { panic!("{:?}", terminal.running.processes()) };
    let followed = || "tT".contains(state(child)) && procfs::sleeps_in(init, libc::SYS_rt_sigtimedwait);
    terminal.running.wait_until("the child stopped, and init at its wait", |_| followed());
    sys::kill(worker, libc::SIGTERM, None).expect("it lives");
    terminal.running.wait_until("a look for the dead", |running| children(running) == [child] && followed());
    sys::kill(child, libc::SIGCONT, None).expect("it lives");
    let outcome = terminal.running.wait();
    outcome.assert_exit(7);
    // A short number has more than one blank behind it.
    let calls = outcome.trace.lines().filter_map(|line| line.strip_prefix(&format!("{init} "))).map(str::trim_start);
    let calls: Vec<_> = calls.skip_while(|call| !call.starts_with("execve(")).collect();
    let stops = calls.iter().filter(|call| call.starts_with("kill(") && call.contains("SIGTSTP")).count();
    assert_eq!(stops, 1, "{outcome}");
    let masks: Vec<_> = calls.iter().filter_map(|call| call.strip_prefix("rt_sigprocmask(SIG_SETMASK, ")).collect();
    let sets: Vec<_> = masks.iter().map(|call| call.split(", ").next().unwrap_or_default()).collect();
    assert_eq!(sets, ["~[]", "~[TSTP]", "~[]"], "{outcome}");
}

#[test]
fn i16_a_term_to_a_stopped_job_is_acted_on_when_it_is_continued() {
    needs_namespaces!();
    let script = "trap 'echo took TERM; exit 9' TERM; echo ready; while :; do sleep 600 & wait $!; done";
    for options in OPTIONS {
        // To init alone.
        for resume in ["fg", "bg; wait %1", "kill -CONT %1; wait %1"] {
            let mut shell = Terminal::shell(ship::init(), options, script);
            shell.types("$I $O sh -c \"$S\"\n");
            shell.line("ready");
            shell.stops();
            let job = shell.job().pid;
            sys::kill(job, libc::SIGTERM, None).expect("it lives");
            assert_eq!(state(job), 'T');
            shell.types(&format!("{resume}; echo status=$?\n"));
            shell.line("took TERM");
            shell.line("status=9");
            shell.prompt();
            shell.shell_reads();
        }
        // By the shell: to init's group, with a CONT behind it.
        let mut shell = Terminal::shell(ship::init(), options, script);
        shell.types("$I $O sh -c \"$S\"\n");
        shell.line("ready");
        shell.stops();
        shell.types("kill %1\n");
        shell.sees("took TERM");
        // Ended: bash may leave it a zombie, and take it for stopped, until it waits for somebody.
        shell.running.wait_until("the job's end", |shell| shell.children().iter().all(|job| job.state == 'Z'));
        shell.types("/bin/true; jobs\n");
        shell.sees("Exit 9");
    }
}

#[test]
fn i16_the_caller_can_read_the_terminal_after_init() {
    needs_namespaces!();
    for options in OPTIONS {
        for (child, status) in [("true", 0), ("/no-such-program", 127), ("$W die 9", 137)] {
            let script = format!("$I $O {child}; echo status=$?; read word; echo got=$word");
            let mut shell = Terminal::shell(ship::init(), options, &script);
            shell.types("sh -c \"$S\"\n");
            shell.line(&format!("status={status}"));
            shell.types("this\n");
            shell.line("got=this");
            shell.prompt();
            shell.shell_reads();
        }
    }
}

#[test]
fn i16_the_childs_group_gets_the_foreground_whatever_the_descriptors_are() {
    needs_namespaces!();
    for options in OPTIONS {
        for command in [
            "$I $O $W state",
            "$I $O $W state <&-",
            "$I $O $W state </dev/null",
            "$I $O $W state 2>/dev/null",
            "$I $O $W state <&- 2>&-",
            "echo | $I $O $W state",
        ] {
            let mut shell = Terminal::shell(ship::init(), options, &format!("echo ask; read word; {command}; exit $?"));
            shell.types("sh -c \"$S\"\n");
            shell.line("ask");
            // Until then it may still be about to make the job's group the foreground one.
            shell.running.wait_asleep_in(libc::SYS_wait4);
            shell.types("\n");
            let state = shell.sees("state=end");
            shell.prompt();
            assert_eq!(value(&state, "tpgid"), value(&state, "pgid"), "{command} {options:?}: {state}");
            let own = value(&state, "pgid") == value(&state, "pid");
            assert_eq!(own, options == "-g", "{command} {options:?}: {state}");
            assert_eq!(shell.status(), 0, "{command} {options:?}");
            shell.shell_reads();
        }
    }
}

#[test]
fn i16_the_child_of_a_job_finds_mask_and_dispositions_as_the_shell_has_left_them() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        let states = ["$W state", "$I $O $W state", "trap '' TSTP; $W state", "$I $O $W state"].map(|command| {
            shell.types(&format!("{command}\n"));
            let state = shell.sees("state=end");
            shell.prompt();
            ["mask", "ignored", "caught"].map(|key| value(&state, key).to_owned())
        });
        assert_eq!(states[0], states[1], "{options:?}");
        assert_eq!(states[2], states[3], "{options:?}");
        assert_ne!(states[1], states[3], "{options:?}");
        let stops = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].map(sys::bit).iter().sum::<u64>();
        for set in &states[1] {
            assert_eq!(u64::from_str_radix(set, 16).expect("a set") & stops, 0, "{options:?}: {:?}", states[1]);
        }
    }
}

/// A debugger or a backup script stops the child and continues it later. Neither concerns init or the shell.
#[test]
fn i16_a_stop_from_elsewhere_does_not_stop_a_job_in_the_background() {
    needs_namespaces!();
    for (name, options) in [("init", "-g"), ("init", "--stop-timeout=60m"), ("init", ""), ("dumb-init", "")] {
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types(&format!("(exec -a {name} $I $O $W record) &\n"));
        shell.running.wait_line("recording");
        let job = shell.job().pid;
        let child = shell.child_of(job);
        for times in 1..=2 {
            sys::kill(child, libc::SIGSTOP, None).expect("it lives");
            shell.stays_stopped(job);
            shell.wait_state(job, 'S');
            sys::kill(child, libc::SIGCONT, None).expect("it lives");
            shell.running.wait_lines("signal=18 ", times);
            shell.running.wait_lines("signal=12 ", times);
        }
        shell.shell_reads();
    }
}

#[test]
fn i2_i16_hand_overs_and_stops_are_told_at_verbose() {
    needs_namespaces!();
    for (options, hands_over) in [("-v -g", true), ("-v", false)] {
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types("$I $O $W ready cat exit 7\n");
        shell.line("ready");
        let job = shell.job().pid;
        let child = shell.running.processes().into_iter().find(|process| process.parent == job).expect("a child").inner;
        for times in 1..=2 {
            shell.copies("word");
            // While init returns from its own stop, SIGTSTP still acts on it.
            shell.running.wait_until("init at its wait", |_| procfs::sleeps_in(job, libc::SYS_rt_sigtimedwait));
            shell.stops();
            shell.fg();
            shell.running.wait_lines(&format!("init: child {child} was stopped by 20 (SIGTSTP)"), times);
        }
        shell.copies("word");
        shell.types(END);
        shell.prompt();
        assert_eq!(shell.status(), 7, "{options}");
        let shown = String::from_utf8_lossy(&shell.running.stdout()).into_owned();
        let times = if hands_over { 3 } else { 0 };
        for told in
            [&format!("init: gave the terminal to process group {child}\r\n"), "init: took the terminal back\r\n"]
        {
            assert_eq!(shown.matches(told).count(), times, "{options}: {told}{shown}");
        }
    }
    // As PID 1.
    let outcome = Case::init().terminal().arg("-v").child(["state", "exit", "7"]).run();
    let told = format!("init: gave the terminal to process group {}", value(&outcome.out(), "pid"));
    assert!(outcome.out().contains(&told), "{outcome}");
}

#[test]
fn i19_an_interrupt_is_told_of_where_the_keys_do_not_reach_the_child() {
    needs_namespaces!();
    for options in OPTIONS {
        let mut shell = Terminal::shell(ship::init(), options, "");
        shell.types("$I $O $W record until 10 unblock all sleep &\n");
        shell.running.wait_line("recording");
        let child = shell.child_of(shell.job().pid);
        sys::kill(child, libc::SIGUSR1, None).expect("it lives");
        shell.running.wait_line("signal=10 ");
        sys::kill(child, libc::SIGINT, None).expect("it lives");
        shell.running.wait_line("was killed by signal 2 (SIGINT)");
    }
}

// ---- A job of a shell outside init's PID namespace: inside, its group and the terminal's foreground group are both 0 ---

/// `$I` as PID 1 of a namespace below the shell's.
const UNSHARE: &str = "unshare -Urfp --mount-proc $I";

/// A shell for [`UNSHARE`].
fn shell_outside(script: &str) -> Option<Terminal> {
    if tools::on_path("unshare").is_none() {
        namespace::skipped("the terminal below a shell outside", "unshare of util-linux is not installed");
        return None;
    }
    Some(Terminal::shell(ship::init(), "", script))
}

#[test]
fn i16_below_a_shell_outside_a_job_in_the_background_that_reads_does_not_take_the_terminal() {
    needs_namespaces!();
    let Some(mut shell) = shell_outside("") else { return };
    let own = shell.foreground();
    shell.types(&format!("{UNSHARE} $W block 10,12 cat &\n"));
    shell.prompt();
    let job = shell.job().pid;
    let init = shell.wait_child_of(job);
    shell.wait_child_of(init);
    shell.stays_stopped(init);
    assert_eq!(shell.foreground(), own);
    shell.shell_reads();
    // In the foreground the key reaches init's group, and init forwards it.
    shell.types("fg\n");
    shell.running.wait_until("another foreground group", |shell| foreground(shell) != own);
    shell.types(INTERRUPT);
    shell.prompt();
    assert_eq!(shell.status(), 128 + libc::SIGINT);
}

#[test]
fn i16_below_a_shell_outside_the_caller_can_read_the_terminal_after_init() {
    needs_namespaces!();
    let script = format!("{UNSHARE} $W exit 9; echo status=$?; read word; echo got=$word");
    let Some(mut shell) = shell_outside(&script) else { return };
    shell.types("sh -c \"$S\"\n");
    shell.line("status=9");
    shell.types("this\n");
    shell.line("got=this");
    shell.prompt();
    shell.shell_reads();
}

#[test]
fn i16_below_a_shell_outside_a_job_reads_and_is_interrupted() {
    needs_namespaces!();
    let Some(mut shell) = shell_outside("") else { return };
    shell.types(&format!("{UNSHARE} $W ready cat exit 7\n"));
    shell.line("ready");
    shell.copies("first");
    shell.copies("second");
    shell.types(END);
    shell.prompt();
    assert_eq!(shell.status(), 7);
    shell.shell_reads();
    for words in ["ready sleep", "ready cat"] {
        shell.types(&format!("{UNSHARE} $W {words}\n"));
        shell.line("ready");
        shell.types(INTERRUPT);
        shell.prompt();
        assert_eq!(shell.status(), 128 + libc::SIGINT, "{words}");
        shell.shell_reads();
    }
    // Each key reaches every process of the child's group once.
    shell.types(&format!("{UNSHARE} $W child tag one record until 50 end tag two record until 50 wait exit 7\n"));
    shell.running.wait_lines("recording", 2);
    for times in 1..=3 {
        shell.types(INTERRUPT);
        for tag in ["one", "two"] {
            shell.running.wait_lines(&format!("{tag} signal=2 "), times);
        }
    }
    let init = shell.child_of(shell.job().pid);
    let child = shell.child_of(init);
    for pid in [shell.child_of(child), child] {
        sys::kill(pid, MARKER, None).expect("it lives");
    }
    shell.prompt();
    assert_eq!(shell.status(), 7);
    let shown = String::from_utf8_lossy(&shell.running.stdout()).into_owned();
    assert_eq!(shown.matches("signal=2 ").count(), 6, "{shown}");
}

/// A read of no byte tells whether init's group is the foreground one. On a descriptor without O_NONBLOCK, as the first three are,
/// it waits until a read of another process has returned.
#[test]
fn i16_a_read_of_another_process_does_not_hold_up_the_start() {
    needs_namespaces!();
    for start in [
        &format!("exec unshare /usr/bin/env {UNSHARE} $W hook"),
        &format!("exec unshare /usr/bin/env {} $W hook", UNSHARE.replace("$I", "$W tmpfs /dev exec init $I")),
        "tmpfs /dev exec init $I $W hook",
        "tmpfs /dev exec init $I -g $W hook",
    ] {
        let Some(mut shell) = shell_outside("") else { return };
        shell.types(&format!("$W child cat end record until 10 unblock all {start}\n"));
        shell.running.wait_line("recording");
        let starter = shell.job().pid;
        let reader = shell.child_of(starter);
        shell.running.wait_until("a reader", |_| procfs::sleeps_in(reader, libc::SYS_read));
        sys::kill(starter, libc::SIGUSR1, None).expect("it lives");
        shell.running.wait_line("hooked");
    }
}

// ---- Nobody above that could continue it ----------------------------------------------------------------------------

#[test]
fn i16_a_stop_key_does_not_freeze_what_nobody_could_continue() {
    needs_namespaces!();
    for (place, options) in MODES {
        let case = Case::init().place(place).terminal().args(options);
        let mut init = case.child(["ready", "cat", "exit", "7"]).start();
        init.wait_line("ready");
        for word in ["first", "second"] {
            init.write(STOP.as_bytes());
            init.write(format!("{word}\n").as_bytes());
            init.wait_lines(word, 2);
        }
        init.write(END.as_bytes());
        init.wait().assert_exit(7);
    }
    // The control: there it stays stopped.
    let Some(tini) = tools::peer("tini") else { return };
    for place in [Place::Pid1, Place::Child] {
        let init = Case::new(&tini).place(place).terminal().child(["ready", "cat"]).start();
        let mut terminal = Terminal { running: init, read: 0 };
        terminal.running.wait_line("ready");
        terminal.types(STOP);
        let init = terminal.running.pid();
        terminal.stays_stopped(init);
    }
}

#[test]
fn i16_a_shell_below_pid_1_has_job_control() {
    needs_namespaces!();
    for words in [&["bash", "--norc", "-i"][..], &["sh", "-i"]] {
        for option in [&[][..], &["-g"]] {
            let case = Case::init().args(option).arg("--").args(words);
            let mut shell = Terminal::at(case, ship::init(), "", "");
            shell.prompt();
            for command in ["$W ready cat exit 7", "$I $W ready cat exit 7", "$I -g $W ready cat exit 7"] {
                shell.types(&format!("{command}\n"));
                shell.line("ready");
                shell.copies("first");
                for again in ["second", "third"] {
                    shell.stops();
                    shell.shell_reads();
                    shell.types("fg\n");
                    shell.sees("cat exit 7");
                    shell.copies(again);
                }
                shell.types(END);
                shell.prompt();
                assert_eq!(shell.status(), 7, "{words:?} {option:?} {command}");
            }
            shell.types("exit 5\n");
            shell.running.wait().assert_exit(5);
        }
    }
}

/// As PID 1 there is nobody else who could continue a child that was stopped for want of the terminal: init does, if the child has the
/// terminal; if it is in other hands the child would be stopped again at once.
#[test]
fn i16_as_pid_1_who_asks_for_the_terminal_goes_on_if_it_is_his() {
    needs_namespaces!();
    for signal in [libc::SIGTTIN, libc::SIGTTOU] {
        let init = Case::init().terminal().child(["ready", "cat", "exit", "7"]).start();
        let mut terminal = Terminal { running: init, read: 0 };
        terminal.running.wait_line("ready");
        let child = terminal.running.children()[0].pid;
        sys::kill(child, signal, None).expect("it lives");
        terminal.types("word\n");
        terminal.running.wait_lines("word", 2);
        terminal.types(END);
        terminal.running.wait().assert_exit(7);

        // A job of the child's has it.
        let case = Case::init().args(["--", "/bin/bash", "-c", "set -m; $W ready sleep; exit 7"]);
        let mut terminal = Terminal::at(case, ship::init(), "", "");
        terminal.running.wait_line("ready");
        let (init, shell) = (terminal.running.pid(), terminal.running.children()[0].pid);
        assert_ne!(terminal.foreground(), procfs::groups(shell).expect("it lives").0);
        sys::kill(shell, signal, None).expect("it lives");
        terminal.stays_stopped(init);
    }
}

/// nano and mutt stop their whole group so at ^Z. No shell is there to continue it.
#[test]
fn i16_as_pid_1_a_child_that_is_stopped_in_the_foreground_goes_on() {
    needs_namespaces!();
    for options in [&[][..], &["-g"]] {
        let case = Case::init().terminal().args(options);
        let mut init = case.child(["stop", "kill", "0", "19", "kill", "0", "19", "ready", "cat", "exit", "7"]).start();
        init.wait_line("ready");
        init.write(format!("word\n{END}").as_bytes());
        init.wait_lines("word", 2);
        init.wait().assert_exit(7);
        // Another process sends it.
        let mut init = Case::init().terminal().args(options).child(["record"]).start();
        init.wait_line("recording");
        for times in 1..=2 {
            sys::kill(init.children()[0].pid, libc::SIGSTOP, None).expect("it lives");
            init.wait_lines("signal=18 ", times);
        }
    }
}

#[test]
fn i16_a_stop_from_elsewhere_is_left_where_init_cannot_stop() {
    needs_namespaces!();
    for case in [
        Case::init(),
        Case::init().arg("-g"),
        Case::init().not_pid1().terminal().arg("-g"),
        Case::init().not_pid1().terminal().arg("--stop-timeout=60m"),
    ] {
        let mut terminal = Terminal { running: case.child(["record"]).start(), read: 0 };
        terminal.running.wait_line("recording");
        let (init, child) = (terminal.running.pid(), terminal.running.children()[0].pid);
        for times in 1..=2 {
            sys::kill(child, libc::SIGSTOP, None).expect("it lives");
            terminal.stays_stopped(init);
            // From elsewhere too, or by way of init.
            let whom = if times == 1 { child } else { init };
            sys::kill(whom, libc::SIGCONT, None).expect("it lives");
            terminal.running.wait_lines("signal=18 ", times);
            terminal.running.wait_lines("signal=12 ", times);
        }
    }
}

/// In the background, with nobody above that could continue init's group: a read there stops the child again at once.
#[test]
fn i16_who_cannot_have_the_terminal_is_not_continued_without_end() {
    needs_namespaces!();
    for options in ["-g", "--stop-timeout=60m"] {
        let mut shell = Terminal::shell(ship::init(), options, "");
        // It starts when the shell has the terminal again.
        let child = "$W record until 10 unblock 21 cat";
        shell.types(&format!("( ($W record until 10 unblock all exec init $I $O {child} </dev/tty) & )\n"));
        shell.running.wait_line("recording");
        let init = shell.running.processes().into_iter().find(|process| process.comm == "witness").expect("it runs");
        let own = shell.running.pid();
        shell.running.wait_until("the shell at its prompt", |_| {
            let (group, _, foreground) = procfs::groups(own).expect("it lives");
            group == foreground
        });
        sys::kill(init.pid, libc::SIGUSR1, None).expect("it lives");
        shell.running.wait_lines("recording", 2);
        let child = shell.child_of(init.pid);
        sys::kill(child, libc::SIGUSR1, None).expect("it lives");
        // Off the processor: it is seen to be stopped before it has given that up.
        shell.running.wait_until("a stopped child", |_| state(child) == 'T' && procfs::is_at(child, libc::SYS_read));
        let switches = procfs::context_switches(child).expect("it lives");
        shell.stays_stopped(init.pid);
        assert_eq!(procfs::context_switches(child).expect("it lives"), switches, "{options}");
    }
}

/// The terminal that init works with is another descriptor, and none that the caller has closed.
#[test]
fn i11_on_a_terminal_the_first_descriptors_stay_as_they_were() {
    needs_namespaces!();
    let kept = |init: &Running, number: i32| {
        let path = format!("/proc/{}/fd/{number}", init.pid());
        let file = fs::metadata(&path).ok()?;
        Some((fs::read_link(&path).expect("a link"), file.dev(), file.ino(), file.rdev()))
    };
    for (place, options) in MODES {
        let case = || Case::init().place(place).terminal().args(options).child(["sleep"]);
        for case in [case(), case().stdout(Stream::Pipe).stderr(Stream::Pipe), case().stdout(Stream::Closed)] {
            let mut init = case.start_held();
            let before: Vec<_> = (0..3).map(|number| kept(&init, number)).collect();
            init.release();
            init.wait_until("a child", |init| init.children().iter().any(|child| child.comm == "witness"));
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            let after: Vec<_> = (0..3).map(|number| kept(&init, number)).collect();
            assert_eq!(before, after, "{place:?} {options:?}");
            let all = procfs::descriptors(init.pid()).expect("it lives");
            assert!(all.iter().filter(|(number, _)| *number > 2).count() <= 1, "{place:?} {options:?}: {all:?}");
        }
    }
}

// ---- The keys when the child ends, and afterwards -------------------------------------------------------------------

/// The person who typed it knows.
#[test]
fn i19_nothing_is_said_of_a_key_that_ends_the_child() {
    needs_namespaces!();
    for (place, options) in MODES {
        for (key, signal) in [(INTERRUPT, libc::SIGINT), (QUIT, libc::SIGQUIT)] {
            let case = Case::init().place(place).terminal().stderr(Stream::Pipe).limit(libc::RLIMIT_CORE, 0, 0);
            let mut init = case.args(options).child(["ready", "sleep"]).start();
            init.wait_line("ready");
            init.write(key.as_bytes());
            let outcome = init.wait();
            outcome.assert_exit(128 + signal);
            assert_eq!(outcome.err(), "", "{place:?} {options:?} {signal}");
        }
    }
}

/// init after its child's end, which the terminal's end of file caused: the worker is left, and init's group has the terminal.
#[track_caller]
fn outlived(place: Place, options: &[&str], worker: &[&str]) -> Running {
    let case = Case::init().place(place).terminal().args(options).args(["--grace", "60m"]);
    let words = [&["child"], worker, &["end", "ready", "cat", "exit", "7"]].concat();
    let mut init = case.child(words).start();
    for line in ["recording", "ready"] {
        init.wait_line(line);
    }
    let child = init.children()[0].pid;
    init.write(END.as_bytes());
    init.wait_until("a reaped child", |init| init.processes().iter().all(|process| process.pid != child));
    init.wait_until("the terminal with init's group", |init| {
        let (group, _, foreground) = procfs::groups(init.pid()).expect("it lives");
        group == foreground
    });
    init
}

#[test]
fn i14_after_the_childs_end_a_key_cuts_the_grace_short() {
    needs_namespaces!();
    for (place, options) in MODES {
        for key in [INTERRUPT, QUIT] {
            let mut init = outlived(place, options, &["record"]);
            init.wait_line("signal=15 ");
            init.write(key.as_bytes());
            init.wait().assert_exit(7);
        }
    }
    // As the job of a shell.
    let mut shell = Terminal::shell(ship::init(), "-g --grace 60m", "");
    shell.types("$I $O $W child record end ready cat exit 7\n");
    shell.running.wait_line("recording");
    shell.line("ready");
    let job = shell.job().pid;
    shell.types(END);
    shell.running.wait_until("the terminal with init's group", |shell| foreground(shell) == job);
    shell.running.wait_line("signal=15 ");
    shell.types(INTERRUPT);
    shell.prompt();
    assert_eq!(shell.status(), 7);
    shell.shell_reads();
}

#[test]
fn i14_under_wait_all_a_key_starts_the_teardown() {
    needs_namespaces!();
    for (place, options) in MODES {
        for key in [INTERRUPT, QUIT] {
            let options = [options, &["--wait-all"]].concat();
            let mut init = outlived(place, &options, &["record", "until", "15"]);
            init.write(key.as_bytes());
            init.wait_line("signal=15 ");
            init.wait().assert_exit(7);
        }
    }
}

// ---- Hang-up --------------------------------------------------------------------------------------------------------

/// init as the leader of a terminal's session; then the terminal is gone.
fn hang_up(place: Place, options: &[&str]) {
    let (master, slave) = new_terminal();
    let case = Case::init().place(place).on_terminal(&slave).stdout(Stream::Pipe).args(options);
    let mut init = case.child(["ready", "sleep"]).start();
    init.wait_line("ready");
    drop((master, slave));
    init.wait().assert_exit(128 + libc::SIGHUP);
}

#[test]
fn i16_a_hang_up_ends_the_child_that_has_its_own_group() {
    needs_namespaces!();
    for (place, options) in MODES {
        if place == Place::Pid1 || options == ["-g"] {
            hang_up(place, options);
        }
    }
}

/// The kernel tells the leader of the session alone (drivers/tty/tty_jobctrl.c, `tty_signal_session_leader`).
#[test]
fn i16_a_hang_up_ends_the_child_in_the_group_of_a_session_leader() {
    needs_namespaces!();
    hang_up(Place::Child, &[]);
}

#[test]
fn i16_a_hang_up_of_the_terminal_ends_the_jobs_of_a_shell() {
    needs_namespaces!();
    for options in OPTIONS {
        for (command, stopped) in [
            ("$I $O $W ready sleep", false),
            ("$I $O $W ready sleep & wait", false),
            ("$I $O $W ready stop sleep", true),
        ] {
            let (master, slave) = new_terminal();
            let case = Case::new("/bin/bash").not_pid1().on_terminal(&slave).stdout(Stream::Pipe);
            let case = case.env("I", ship::init()).env("W", tools::witness()).env("O", options).env("HISTFILE", "");
            let mut shell = case.args(["--norc", "-i", "-c"]).arg(format!("{command}; echo end; read word")).start();
            shell.wait_line("ready");
            if stopped {
                shell.wait_line("end");
            }
            drop((master, slave));
            shell.wait_status();
            // The reaper is left.
            shell.wait_until("an empty namespace", |shell| shell.processes().len() == 1);
        }
    }
}
