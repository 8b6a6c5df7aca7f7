//! Whatever standard error is, `init` and `pause` go on, and their children do not notice (B2).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use bitts_tests::case::new_terminal;
use bitts_tests::{Case, Place, Running, Stream, namespace, needs_namespaces, needs_strace, procfs, sys, tools};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, socketpair};

/// Something to write to: the writer's side, and what must stay open meanwhile.
struct Sink {
    stream: Stream,
    kept: Option<OwnedFd>,
}

impl From<Stream> for Sink {
    fn from(stream: Stream) -> Self {
        Self { stream, kept: None }
    }
}

/// A new terminal that is nobody's controlling one: master and slave.
fn terminal() -> (File, OwnedFd) {
    let (master, slave) = new_terminal();
    (File::from(master), slave)
}

/// Two connected sockets.
fn sockets(kind: SockType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).expect("sockets")
}

/// Does a write to it wait, as far as poll(2) can tell? Asked for as long as the kernel may still move bytes on.
fn is_full(fd: &OwnedFd) -> bool {
    poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)], PollTimeout::from(50_u8)) == Ok(0)
}

fn full_socket(kind: SockType) -> Sink {
    let (ours, theirs) = sockets(kind);
    for size in [4096, 1] {
        while send(std::os::fd::AsRawFd::as_raw_fd(&theirs), &vec![b'x'; size], MsgFlags::MSG_DONTWAIT).is_ok() {}
    }
    Sink { stream: Stream::Given(theirs), kept: Some(ours) }
}

fn broken_socket() -> Sink {
    Stream::Given(sockets(SockType::Stream).1).into()
}

/// Nobody reads what it shows.
fn full_terminal() -> Sink {
    let (master, slave) = terminal();
    fcntl(&slave, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK)).expect("fcntl");
    while !is_full(&slave) {
        while nix::unistd::write(&slave, b"x").is_ok() {}
    }
    // The flag belongs to the open file, which the program shares.
    fcntl(&slave, FcntlArg::F_SETFL(OFlag::O_RDWR)).expect("fcntl");
    Sink { stream: Stream::Given(slave), kept: Some(master.into()) }
}

/// Somebody has typed ^S.
fn stopped_terminal() -> Sink {
    let (mut master, slave) = terminal();
    master.write_all(b"\x13").expect("a terminal");
    while !is_full(&slave) {}
    Sink { stream: Stream::Given(slave), kept: Some(master.into()) }
}

/// The other side is gone: EIO.
fn lost_terminal() -> Sink {
    Stream::Given(terminal().1).into()
}

/// Everything that does not take what is written to it.
const SINKS: [(&str, fn() -> Sink); 12] = [
    ("closed", || Stream::Closed.into()),
    ("/dev/full", || Stream::Full.into()),
    ("a full pipe", || Stream::FullPipe.into()),
    ("a broken pipe", || Stream::BrokenPipe.into()),
    ("a file at its limit", || Stream::FileAtLimit.into()),
    ("a full stream socket", || full_socket(SockType::Stream)),
    ("a full datagram socket", || full_socket(SockType::Datagram)),
    ("a full seqpacket socket", || full_socket(SockType::SeqPacket)),
    ("a broken socket", broken_socket),
    ("a full terminal", full_terminal),
    ("a stopped terminal", stopped_terminal),
    ("a lost terminal", lost_terminal),
];

const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// The numbers that the recorder has printed.
fn recorded(output: &str) -> Vec<&str> {
    output.lines().filter_map(|line| line.strip_prefix("signal=")?.split(' ').next()).collect()
}

/// How `pwritev2(2)` answers with RWF_NOWAIT: as this kernel does, as for a pipe before Linux 6.5, and as before 4.6.
const ANSWERS: [&[i32]; 3] = [&[], &[libc::EOPNOTSUPP], &[libc::ENOSYS]];

/// `init` with one of these answers.
fn answered(errno: &[i32]) -> Case {
    errno.iter().fold(Case::init(), |case, errno| case.refuse(*errno, [libc::SYS_pwritev2]))
}

/// Three signals pass through an init that cannot write to `sink`.
#[track_caller]
fn assert_unharmed(case: Case, name: &str, sink: fn() -> Sink) {
    let Sink { stream, kept } = sink();
    // Its name for a failure's report, three orphans for -w to tell of, three signals for -v.
    let words = ["say", name, "orphans", "3", "record", "for", "3", "exit", "7"];
    let mut init = case.stderr(stream).child(words).start();
    init.wait_line("recording");
    for signal in [libc::SIGUSR1, libc::SIGHUP, 40] {
        init.signal(signal);
        init.wait_line(&format!("signal={signal} "));
    }
    let outcome = init.wait();
    outcome.assert_exit(7);
    assert_eq!(recorded(&outcome.out()), ["10", "1", "40"], "{outcome}");
    drop(kept);
}

#[test]
fn b2_the_child_lives_and_is_not_signalled_for_a_bad_stderr() {
    needs_namespaces!();
    for (name, sink) in SINKS {
        for place in PLACES {
            std::thread::scope(|scope| {
                for options in [&[][..], &["-v"], &["-vv"], &["-w"], &["-gvvw"]] {
                    scope.spawn(move || assert_unharmed(Case::init().place(place).args(options), name, sink));
                }
            });
        }
    }
}

#[test]
fn b2_a_bad_stderr_is_harmless_on_older_kernels() {
    needs_namespaces!();
    for (name, sink) in SINKS {
        std::thread::scope(|scope| {
            for errno in &ANSWERS[1..] {
                scope.spawn(move || assert_unharmed(answered(errno).arg("-vw"), name, sink));
            }
        });
    }
}

/// An init that says several lines, the same in every fresh PID namespace.
fn talkative(case: Case) -> Case {
    case.args(["-v", "-r", "KILL:TERM", "-r", "STOP:TERM"]).child(["exit", "7"])
}

/// What it says if nothing disturbs it.
fn undisturbed() -> Vec<String> {
    let outcome = talkative(Case::init()).run();
    outcome.assert_exit(7);
    let lines: Vec<_> = outcome.err().lines().map(str::to_owned).collect();
    assert!(lines.len() == 4 && lines.iter().all(|line| line.starts_with("init: ")), "{outcome}");
    lines
}

/// Everything that is in the pipe now.
fn drain(pipe: &mut File) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO) == Ok(1) {
        match pipe.read(&mut buffer) {
            Ok(count @ 1..) => all.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    all
}

/// A FIFO: its reader and its writer.
fn fifo(folder: &std::path::Path) -> (OwnedFd, OwnedFd) {
    let path = folder.join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let open = |flags| nix::fcntl::open(&path, flags | OFlag::O_CLOEXEC, nix::sys::stat::Mode::empty());
    let reader = open(OFlag::O_RDONLY | OFlag::O_NONBLOCK).expect("a reader");
    (reader, open(OFlag::O_WRONLY).expect("a writer"))
}

/// Each call that could write a part of a message is held up for a while, in which others write a line.
#[test]
fn b2_no_line_of_others_comes_into_a_message() {
    needs_namespaces!();
    needs_strace!();
    let expected = undisturbed();
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = || nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    for errno in ANSWERS {
        for (what, (read, write)) in [("a pipe", pipe()), ("a FIFO", fifo(folder.path()))] {
            let (mut read, mut ours) = (File::from(read), File::from(write.try_clone().expect("a descriptor")));
            let delay = "--inject=/^(writev?|pwritev2?|splice|tee|vmsplice)$:delay_exit=3000";
            let case = answered(errno).stderr(Stream::Given(write));
            let init = talkative(case.strace_alone(["-e", "trace=/write|splice|tee", delay])).start();
            let process = sys::open_process(init.pid()).expect("it has not been waited for");
            let mut told = Vec::new();
            while !sys::wait_for_end(&process, Duration::from_millis(1)) {
                ours.write_all(b"other\n").expect("a reader");
                told.extend(drain(&mut read));
            }
            told.extend(drain(&mut read));
            init.wait().assert_exit(7);
            let told = String::from_utf8_lossy(&told).into_owned();
            // The test is one only if others wrote in between.
            assert!(told.matches("other\n").count() > 3, "{told}");
            let own: Vec<_> = told.lines().filter(|line| *line != "other").collect();
            assert_eq!(own, expected, "{what}, pwritev2 answers {errno:?}");
        }
        std::fs::remove_file(folder.path().join("fifo")).expect("a FIFO");
    }
}

/// The first byte of a message takes the last page, after which poll(2) says that there is no room.
#[test]
fn b2_a_pipe_with_one_free_page_gets_whole_lines_or_nothing() {
    needs_namespaces!();
    let expected = undisturbed();
    for errno in ANSWERS {
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let size = fcntl(&write, FcntlArg::F_GETPIPE_SZ).expect("fcntl") as usize;
        let filler = vec![b'x'; size - 4096];
        let mut ours = File::from(write.try_clone().expect("a descriptor"));
        ours.write_all(&filler).expect("room");
        talkative(answered(errno).stderr(Stream::Given(write))).run().assert_exit(7);
        let told = drain(&mut File::from(read)).split_off(filler.len());
        let told = String::from_utf8(told).expect("text");
        assert!(told.is_empty() || told.ends_with('\n'), "pwritev2 answers {errno:?}: {told:?}");
        assert!(told.lines().all(|line| expected.iter().any(|other| other == line)), "{errno:?}: {told:?}");
    }
}

/// A limit within the first line, past which nothing can be written.
#[test]
fn b2_a_file_near_its_size_limit_gets_whole_lines_or_nothing() {
    needs_namespaces!();
    const LIMIT: u64 = 4096;
    for errno in ANSWERS {
        for flags in [OFlag::empty(), OFlag::O_APPEND] {
            for room in [1, 5, 20] {
                let mut file = tempfile::tempfile().expect("a file");
                fcntl(&file, FcntlArg::F_SETFL(OFlag::O_RDWR | flags)).expect("fcntl");
                file.write_all(&vec![b'x'; (LIMIT - room) as usize]).expect("a file");
                let case = answered(errno).arg("-v").limit(libc::RLIMIT_FSIZE, LIMIT, LIMIT);
                let case = case.stderr(Stream::Given(file.try_clone().expect("a descriptor").into()));
                let mut init = case.child(["record", "for", "1", "exit", "7"]).start();
                init.wait_line("recording");
                init.signal(libc::SIGTERM);
                let outcome = init.wait();
                outcome.assert_exit(7);
                // XFSZ is init's own and stays there.
                assert_eq!(recorded(&outcome.out()), ["15"], "{outcome}");
                file.seek(SeekFrom::Start(LIMIT - room)).expect("a file");
                let told = all_of(file.into());
                assert!(told.is_empty() || told.ends_with('\n'), "pwritev2 answers {errno:?}: {told:?}");
            }
        }
    }
}

/// Has a tracer stopped init in this call?
fn is_held_in(init: &Running, call: i64) -> bool {
    procfs::is_at(init.pid(), call)
        && procfs::Status::read(init.pid()).is_ok_and(|status| status.get("State").starts_with('t'))
}

/// After init has seen room, and before it writes.
#[test]
fn b2_a_pipe_that_others_fill_at_that_moment_does_not_hold_init() {
    needs_namespaces!();
    needs_strace!();
    let moments = [("write", libc::SYS_write), ("splice", libc::SYS_splice), ("pwritev2", libc::SYS_pwritev2)];
    for errno in ANSWERS {
        let mut held = 0;
        for (name, call) in moments {
            let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&write));
            // An open file of our own: the flag is not to be that of init's.
            let mut ours = std::fs::OpenOptions::new();
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut ours, libc::O_NONBLOCK);
            let mut ours = ours.write(true).open(path).expect("a pipe");
            let case = answered(errno).arg("-v").stderr(Stream::Given(write));
            let inject = format!("--inject={name}:delay_enter=60000000:when=1");
            let case = case.strace_alone(["-e", &format!("trace={name}"), &inject]);
            let mut init = case.child(["ready", "sleep"]).start();
            init.wait_until("the call, or rest", |init| {
                is_held_in(init, call) || procfs::sleeps_in(init.pid(), libc::SYS_rt_sigtimedwait)
            });
            held += usize::from(is_held_in(&init, call));
            for size in [4096, 1] {
                while ours.write(&vec![b'x'; size]).is_ok() {}
            }
            init.end_tracing();
            init.wait_line("ready");
            init.signal(libc::SIGTERM);
            init.wait().assert_exit(128 + libc::SIGTERM);
            drop(read);
        }
        assert!(held > 0, "init writes by none of these calls: the test tests nothing");
    }
}

/// A message about a message that cannot be written must not lead to the next one.
#[test]
fn b2_a_bad_stderr_keeps_init_from_no_sleep() {
    needs_namespaces!();
    let mut all = Vec::new();
    for (name, sink) in SINKS {
        for place in PLACES {
            let Sink { stream, kept } = sink();
            let mut init =
                Case::init().place(place).args(["-vv", "-w"]).stderr(stream).child(["say", name, "record"]).start();
            init.wait_line("recording");
            init.signal(libc::SIGUSR1);
            init.wait_line("signal=10 ");
            init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
            all.push((name, init, kept));
        }
    }
    let before: Vec<_> = all.iter().map(|(_, init, _)| init.context_switches()).collect();
    // The passing of time is what is measured here.
    std::thread::sleep(Duration::from_secs(3));
    for ((name, init, _), before) in all.iter().zip(before) {
        assert_eq!(init.context_switches() - before, 0, "{name}");
    }
}

/// The control: an init that simply writes waits there for ever, its child unattended.
#[test]
fn b2_catatonit_hangs_on_a_full_pipe() {
    needs_namespaces!();
    let Some(catatonit) = tools::on_path("catatonit") else {
        return namespace::skipped("the control with catatonit", "it is not installed");
    };
    let case = Case::new(catatonit).env("CATATONIT_DEBUG", "1").stderr(Stream::FullPipe);
    case.child(["exit", "7"]).start().wait_asleep_in(libc::SYS_write);
}

#[test]
fn b2_messages_that_end_init_do_not_change_its_status() {
    needs_namespaces!();
    for (name, sink) in SINKS {
        for place in PLACES {
            let cases: [(&[&str], i32); 4] =
                [(&["--", "/nonexistent"], 127), (&["--", "/etc/passwd"], 126), (&["-e", "256", "true"], 1), (&[], 1)];
            for (words, status) in cases {
                let Sink { stream, kept } = sink();
                let outcome = Case::init().place(place).args(words).stderr(stream).run();
                assert_eq!(outcome.exit(), Some(status), "{name}, {place:?} {words:?}: {outcome}");
                drop(kept);
            }
        }
    }
}

#[test]
fn b2_all_three_descriptors_closed() {
    needs_namespaces!();
    let closed = |case: Case| case.stdin(Stream::Closed).stdout(Stream::Closed).stderr(Stream::Closed);
    for place in PLACES {
        for options in [&[][..], &["-v"], &["-vvw"], &["-g"]] {
            closed(Case::init().place(place).args(options)).args(["--", "sh", "-c", "exit 7"]).run().assert_exit(7);
            // What the witness says comes by descriptor 9.
            let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
            let case = closed(Case::init().place(place).args(options)).descriptor(9, theirs);
            let script = r#"exec "$0" "$@" >&9"#;
            let case = case.args(["--", "sh", "-c", script]).arg(tools::witness());
            let init = case.args(["orphans", "3", "state", "record", "for", "2", "exit", "7"]).start();
            let mut output = File::from(ours);
            let mut text = String::new();
            let mut buffer = [0; 4096];
            let mut read_until = |end: &str| {
                while !text.contains(end) {
                    let ready =
                        poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLIN)], PollTimeout::from(20_000_u16));
                    assert_eq!(ready, Ok(1), "no {end:?} in {text}");
                    let count = output.read(&mut buffer).expect("a pipe");
                    assert!(count > 0, "no {end:?} in {text}");
                    text += &String::from_utf8_lossy(&buffer[..count]);
                }
                text.clone()
            };
            // Nothing of init's own stands in the place of what was closed.
            let state = read_until("recording\n");
            let descriptors: Vec<_> = state.lines().filter(|line| line.starts_with("fd=")).collect();
            let numbers: Vec<_> = descriptors.iter().filter_map(|fd| fd[3..].split(':').next()).collect();
            assert_eq!(numbers, ["1", "9"], "{state}");
            for signal in [libc::SIGTERM, 40] {
                init.signal(signal);
                read_until(&format!("signal={signal} "));
            }
            assert_eq!(recorded(&read_until("signal=40 ")).len(), 2);
            init.wait().assert_exit(7);
        }
    }
}

#[test]
fn b2_the_flags_of_the_descriptors_are_never_changed() {
    needs_namespaces!();
    needs_strace!();
    let kinds: [(&str, fn() -> (OwnedFd, Option<OwnedFd>)); 4] = [
        ("a pipe", || {
            let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
            (write, Some(read))
        }),
        ("a socket", || {
            let (ours, theirs) = sockets(SockType::Stream);
            (theirs, Some(ours))
        }),
        ("a terminal", || {
            let (master, slave) = terminal();
            (slave, Some(master.into()))
        }),
        ("a file", || (tempfile::tempfile().expect("a file").into(), None)),
    ];
    for (name, make) in kinds {
        for place in PLACES {
            let opened: [_; 3] = std::array::from_fn(|_| make());
            // One of them as a program may have left it.
            let extra = OFlag::O_NONBLOCK | OFlag::O_APPEND;
            let flags = |fd: &OwnedFd| fcntl(fd, FcntlArg::F_GETFL).expect("fcntl");
            fcntl(&opened[1].0, FcntlArg::F_SETFL(OFlag::from_bits_retain(flags(&opened[1].0)) | extra))
                .expect("fcntl");
            let before = opened.each_ref().map(|(fd, _)| flags(fd));
            let [stdin, stdout, stderr] =
                opened.each_ref().map(|(fd, _)| Stream::Given(fd.try_clone().expect("a descriptor")));
            let case = Case::init().place(place).arg("-vvw").stdin(stdin).stdout(stdout).stderr(stderr);
            let case = case.strace(["-e", "trace=fcntl,pwritev2,sendto,write"]);
            let outcome = case.child(["orphans", "3", "exit", "7"]).run();
            outcome.assert_exit(7);
            assert_eq!(opened.each_ref().map(|(fd, _)| flags(fd)), before, "{name}, {place:?}");
            // Nor for a moment. That it did write is seen as well.
            assert!(outcome.trace.contains("init: ") && !outcome.trace.contains("F_SETFL"), "{name}: {outcome}");
        }
    }
}

/// What init says with `-vw` on `stream` while three signals pass through.
fn say_on(place: Place, stream: Stream) {
    let words = ["record", "for", "3", "cat", "error", "from the child", "exit", "7"];
    let mut init = Case::init().place(place).arg("-vvw").stdin(Stream::Pipe).stderr(stream).child(words).start();
    init.wait_line("recording");
    for signal in [libc::SIGUSR1, libc::SIGHUP, 40] {
        // Told, too, before the next one comes.
        init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        init.signal(signal);
        init.wait_line(&format!("signal={signal} "));
    }
    init.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    init.close_stdin();
    init.wait().assert_exit(7);
}

/// All that has been written to a file whose writers are gone; a terminal ends with EIO, and has `\r\n` for `\n`.
fn all_of(source: OwnedFd) -> String {
    let mut file = File::from(source);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = file.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

#[test]
fn b2_messages_arrive_whole_and_in_order_on_whatever_takes_them() {
    needs_namespaces!();
    for place in PLACES {
        let mut told = Vec::new();
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        say_on(place, Stream::Given(write));
        told.push(("a pipe", all_of(read)));
        for kind in [SockType::Stream, SockType::Datagram] {
            let (ours, theirs) = sockets(kind);
            say_on(place, Stream::Given(theirs));
            // Nobody tells the end of datagrams.
            fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("fcntl");
            told.push(("a socket", all_of(ours)));
        }
        let (master, slave) = terminal();
        say_on(place, Stream::Given(slave));
        told.push(("a terminal", all_of(master.into())));
        for flags in [OFlag::empty(), OFlag::O_APPEND] {
            let mut file = tempfile::tempfile().expect("a file");
            fcntl(&file, FcntlArg::F_SETFL(OFlag::O_RDWR | flags)).expect("fcntl");
            file.write_all(b"before\n").expect("a file");
            say_on(place, Stream::Given(file.try_clone().expect("a descriptor").into()));
            file.seek(SeekFrom::Start(0)).expect("a file");
            let text = all_of(file.into());
            told.push(("a file", text.strip_prefix("before\n").expect("nothing is overwritten").to_owned()));
        }
        for (name, text) in &told {
            assert_eq!(text, &told[0].1, "{name}, {place:?}");
        }
        let text = &told[0].1;
        let places: Vec<_> = ["SIGUSR1", "SIGHUP", "SIGRTMIN+6", "from the child", "exited with status 7"]
            .iter()
            .map(|word| text.find(word).unwrap_or_else(|| panic!("no {word} in {text}")))
            .collect();
        assert!(places.is_sorted(), "{text}");
        assert!(text.lines().all(|line| line.starts_with("init: ") || line == "from the child"), "{text}");
    }
}

#[test]
fn b2_pause_goes_on_whatever_its_stderr_is() {
    needs_namespaces!();
    for (name, sink) in SINKS {
        for place in PLACES {
            for signal in [libc::SIGTERM, libc::SIGINT] {
                let Sink { stream, kept } = sink();
                let mut pause = Case::pause().place(place).stderr(stream).start();
                pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
                pause.signal(signal);
                let outcome = pause.wait();
                assert_eq!(outcome.exit(), Some(0), "{name}, {place:?}: {outcome}");
                drop(kept);
            }
        }
    }
}

#[test]
fn b2_the_messages_of_pause_arrive_on_a_terminal_and_a_socket() {
    needs_namespaces!();
    let (master, slave) = terminal();
    let (ours, theirs) = sockets(SockType::Stream);
    for (kept, stream) in [(master.into(), slave), (ours, theirs)] {
        let mut pause = Case::pause().not_pid1().stderr(Stream::Given(stream)).start();
        pause.wait_asleep_in(libc::SYS_rt_sigtimedwait);
        pause.signal(libc::SIGTERM);
        pause.wait().assert_exit(0);
        let expected = "Warning: pause should be the first process\nShutting down, got signal: Terminated\n";
        assert_eq!(all_of(kept), expected);
    }
}
