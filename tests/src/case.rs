//! What to start, and in which surroundings.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::plan::{Place, Plan, Proc};
use crate::running::{Running, start};
use crate::sys::{self, Mask};

/// How long anything may take if the test says nothing else. Who tries out faults, of which many are found by waiting in vain,
/// builds the tests with a shorter one, in seconds (`BITTS_DEADLINE`).
pub const DEADLINE: Duration = Duration::from_secs(match option_env!("BITTS_DEADLINE") {
    Some(seconds) => match u64::from_str_radix(seconds, 10) {
        Ok(seconds) => seconds,
        Err(_) => panic!("BITTS_DEADLINE is no number of seconds"),
    },
    None => 20,
});

/// What one of the descriptors 0, 1, 2 is.
#[derive(Debug)]
pub enum Stream {
    /// A pipe to the library: captured (1, 2), or written by [`Running::write`] (0).
    Pipe,
    /// `/dev/null`.
    Null,
    /// Not open at all.
    Closed,
    /// This open file.
    Given(OwnedFd),
    /// `/dev/full`: every write fails with ENOSPC.
    Full,
    /// A pipe filled to the last byte that nobody reads.
    FullPipe,
    /// A pipe whose reader is gone: writes raise SIGPIPE.
    BrokenPipe,
    /// A file as long as RLIMIT_FSIZE allows: writes raise SIGXFSZ.
    FileAtLimit,
}

/// The size of [`Stream::FileAtLimit`].
const FILE_LIMIT: usize = 4096;

/// What to start: a builder. Without any other word: PID 1 of fresh namespaces, as root there, in a session of its own,
/// with an empty mask, all dispositions default, nothing in the environment but PATH, standard input null, both outputs captured.
#[derive(Debug)]
pub struct Case {
    pub(crate) plan: Plan,
    pub(crate) streams: [Stream; 3],
    pub(crate) descriptors: Vec<(OwnedFd, RawFd)>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) tracer: Option<Vec<OsString>>,
    pub(crate) deadline: Duration,
    /// Our side of the terminal.
    pub(crate) master: Option<OwnedFd>,
}

impl Case {
    /// `program` by path; not looked up.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let plan = Plan {
            session: true,
            user_namespace: !nix::unistd::geteuid().is_root(),
            words: vec![program.clone().into()],
            program,
            ..Plan::default()
        };
        Self {
            plan,
            streams: [Stream::Null, Stream::Pipe, Stream::Pipe],
            descriptors: Vec::new(),
            environment: vec![("PATH".into(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into())],
            tracer: None,
            deadline: DEADLINE,
            master: None,
        }
    }

    /// The `init` under test.
    #[must_use]
    pub fn init() -> Self {
        Self::new(crate::ship::init())
    }

    /// The `pause` under test.
    #[must_use]
    pub fn pause() -> Self {
        Self::new(crate::ship::pause())
    }

    /// The witness as the program itself.
    #[must_use]
    pub fn witness() -> Self {
        Self::new(crate::tools::witness())
    }

    /// `program` under `emulator` ([`tools::emulator`](crate::tools::emulator)), called `name`.
    #[must_use]
    pub fn emulated(emulator: &Path, name: &str, program: &Path) -> Self {
        Self::new(emulator).args(["-0", name]).arg(program)
    }

    /// `argv[0]` where it is not the path.
    #[must_use]
    pub fn name(mut self, name: impl Into<OsString>) -> Self {
        self.plan.words[0] = name.into();
        self
    }

    /// No `argv[0]` at all: an empty vector.
    #[must_use]
    pub fn without_name(mut self) -> Self {
        self.plan.words.clear();
        self
    }

    /// One more argument, any bytes but NUL.
    #[must_use]
    pub fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.plan.words.push(word.into());
        self
    }

    #[must_use]
    pub fn args<Word: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = Word>) -> Self {
        self.plan.words.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// `-- WITNESS COMMAND…`: the witness as init's child.
    #[must_use]
    pub fn child<Word: AsRef<OsStr>>(self, commands: impl IntoIterator<Item = Word>) -> Self {
        self.arg("--").arg(crate::tools::witness()).args(commands)
    }

    /// One more variable, or another value for one.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value.into()));
        self
    }

    /// No variable at all, PATH neither.
    #[must_use]
    pub fn empty_environment(mut self) -> Self {
        self.environment.clear();
        self
    }

    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.plan.directory = Some(directory.into());
        self
    }

    #[must_use]
    pub fn stdin(mut self, stream: Stream) -> Self {
        self.streams[0] = stream;
        self
    }

    #[must_use]
    pub fn stdout(mut self, stream: Stream) -> Self {
        self.streams[1] = stream;
        self
    }

    #[must_use]
    pub fn stderr(mut self, stream: Stream) -> Self {
        self.streams[2] = stream;
        self
    }

    /// The program inherits `file` as descriptor `number`, 3–199.
    #[must_use]
    pub fn descriptor(mut self, number: RawFd, file: impl Into<OwnedFd>) -> Self {
        assert!((3..sys::FIRST_PASSED).contains(&number), "descriptor {number}");
        self.descriptors.push((file.into(), number));
        self
    }

    /// A new terminal is all three descriptors, and the controlling terminal of the new session. What it shows counts as
    /// standard output; [`Running::write`] types.
    #[must_use]
    pub fn terminal(self) -> Self {
        let (master, slave) = new_terminal();
        let mut case = self.on_terminal(&slave);
        case.master = Some(master);
        case
    }

    /// The same with a terminal of which the caller has the master's side, and can hang it up by closing that.
    #[must_use]
    pub fn on_terminal(mut self, slave: &OwnedFd) -> Self {
        let copy = || Stream::Given(slave.try_clone().expect("a descriptor"));
        self.streams = [copy(), copy(), copy()];
        self.plan.terminal = true;
        self
    }

    /// The inherited signal mask (default: empty).
    #[must_use]
    pub fn mask(mut self, mask: Mask) -> Self {
        self.plan.mask = mask;
        self
    }

    /// The signals that are inherited as ignored (default: none).
    #[must_use]
    pub fn ignored(mut self, ignored: Mask) -> Self {
        self.plan.ignored = ignored;
        self
    }

    /// Where it stands (default: PID 1).
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.plan.place = place;
        self
    }

    /// Not PID 1: the child of a plain reaper, in fresh namespaces all the same.
    #[must_use]
    pub fn not_pid1(self) -> Self {
        self.place(Place::Child)
    }

    /// Started into the namespaces of `other`, as `docker exec` does. It ends with this handle or with the namespace.
    #[must_use]
    pub fn inside(self, other: &Running) -> Self {
        self.place(Place::Inside(other.pid()))
    }

    /// IPC, network and UTS namespaces of its own too, as the first process of a pod has them.
    #[must_use]
    pub fn pod(mut self) -> Self {
        self.plan.pod = true;
        self
    }

    /// In the user, IPC, network and UTS namespaces of `other`, with PID and mount namespaces of its own: as a container of
    /// its pod, or, with [`Case::pod`], as a pod of its machine. It makes no user namespace unless asked after this.
    #[must_use]
    pub fn beside(mut self, other: &Running) -> Self {
        self.plan.beside = Some(other.pid());
        self.plan.user_namespace = false;
        self
    }

    /// A user namespace also where the test runs as root; an ordinary user gets one in any case.
    #[must_use]
    pub fn user_namespace(mut self) -> Self {
        self.plan.user_namespace = true;
        self
    }

    /// The user and group that the program runs as (default: root, of the user namespace if there is one). An ordinary
    /// user's program has that number inside by way of the mapping, and no capability; outside it is the ordinary user.
    #[must_use]
    pub fn user(mut self, user: u32, group: u32) -> Self {
        self.plan.user = Some(user);
        self.plan.group = Some(group);
        self
    }

    /// No session of its own: group and session are then outside (0 inside).
    #[must_use]
    pub fn no_session(mut self) -> Self {
        self.plan.session = false;
        self
    }

    /// Soft and hard limit of a resource, say `libc::RLIMIT_NOFILE` (whose type differs from C library to C library).
    #[must_use]
    pub fn limit(mut self, resource: impl TryInto<u32>, soft: u64, hard: u64) -> Self {
        let Ok(resource) = resource.try_into() else { panic!("no resource has a negative number") };
        self.plan.limits.push((resource, soft, hard));
        self
    }

    #[must_use]
    pub fn umask(mut self, mask: u32) -> Self {
        self.plan.umask = Some(mask);
        self
    }

    /// Relative to the test's own.
    #[must_use]
    pub fn nice(mut self, by: i32) -> Self {
        self.plan.nice = by;
        self
    }

    #[must_use]
    pub fn no_new_privs(mut self) -> Self {
        self.plan.no_new_privs = true;
        self
    }

    /// /proc is an empty read-only folder.
    #[must_use]
    pub fn no_proc(mut self) -> Self {
        self.plan.proc = Proc::Empty;
        self
    }

    /// /proc is the one of outside.
    #[must_use]
    pub fn outer_proc(mut self) -> Self {
        self.plan.proc = Proc::Outer;
        self
    }

    /// Every mount but /proc is read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.plan.read_only = true;
        self
    }

    /// Under `strace -f` with these arguments, attached when nothing is left to be done but the exec: that execve is the
    /// first one of its process, and `--inject=execve:…:when=1` hits it. The log is [`Outcome::trace`](crate::Outcome::trace).
    #[must_use]
    pub fn strace<Word: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = Word>) -> Self {
        self.strace_alone(
            std::iter::once(OsString::from("-f")).chain(arguments.into_iter().map(|w| w.as_ref().to_owned())),
        )
    }

    /// The same without `-f`: what the program starts is not traced, and no fault is injected there.
    #[must_use]
    pub fn strace_alone<Word: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = Word>) -> Self {
        self.tracer = Some(arguments.into_iter().map(|word| word.as_ref().to_owned()).collect());
        self
    }

    /// In a cgroup, by the file that a process joins it by ([`Cgroup::door`](crate::cgroup::Cgroup::door)): the last thing
    /// before the exec, so that nothing else is charged to it.
    #[must_use]
    pub fn cgroup(mut self, door: impl Into<PathBuf>) -> Self {
        self.plan.door = Some(door.into());
        self
    }

    /// A seccomp filter (`seccomp(2)`), which its children inherit: each of these system calls, by number, fails with `errno`.
    /// It brings no_new_privs along.
    #[must_use]
    pub fn refuse(mut self, errno: i32, calls: impl IntoIterator<Item = i64>) -> Self {
        self.plan.refused.extend(calls.into_iter().map(|call| (errno as u32, call)));
        self
    }

    /// How long any single wait may take (default: 20 s).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it; returns when the exec has been done. Panics if it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Running {
        self.try_start().unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts it up to, but not including, the exec; [`Running::release`] does the rest.
    #[must_use]
    #[track_caller]
    pub fn start_held(self) -> Running {
        start(self).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As [`Case::start`].
    ///
    /// # Errors
    /// Why it could not be started: a namespace was refused, the exec failed.
    pub fn try_start(self) -> Result<Running, String> {
        let mut running = start(self)?;
        running.try_release()?;
        Ok(running)
    }

    /// Starts it and waits for its end.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> crate::Outcome {
        self.start().wait()
    }
}

/// A new terminal: its master's side and its slave's.
#[must_use]
pub fn new_terminal() -> (OwnedFd, OwnedFd) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = nix::pty::posix_openpt(flags).expect("a terminal");
    nix::pty::grantpt(&master).expect("a terminal");
    nix::pty::unlockpt(&master).expect("a terminal");
    let name = nix::pty::ptsname_r(&master).expect("a terminal");
    let slave = nix::fcntl::open(name.as_str(), flags, nix::sys::stat::Mode::empty()).expect("a terminal");
    (master.into(), slave)
}

/// The program's side of one descriptor, and what the library keeps of it.
pub(crate) struct Opened {
    pub(crate) theirs: Option<OwnedFd>,
    /// The other end of a pipe that is captured or written.
    pub(crate) ours: Option<OwnedFd>,
    /// What must stay open for the stream to be what it is.
    pub(crate) kept: Option<OwnedFd>,
}

/// Opens what descriptor `number` shall be; may add a limit to the plan.
#[allow(clippy::unnecessary_cast)] // RLIMIT_FSIZE is signed in musl's headers.
pub(crate) fn open(stream: Stream, number: RawFd, plan: &mut Plan) -> Opened {
    let device = |path: &str| Some(OpenOptions::new().read(true).write(true).open(path).expect(path).into());
    let pipe = || nix::unistd::pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    let only = |theirs| Opened { theirs, ours: None, kept: None };
    match stream {
        Stream::Null => only(device("/dev/null")),
        Stream::Full => only(device("/dev/full")),
        Stream::Given(file) => only(Some(file)),
        Stream::Closed => {
            plan.closed.push(number);
            only(device("/dev/null"))
        }
        Stream::Pipe => {
            let (read, write) = pipe();
            let (theirs, ours) = if number == 0 { (read, write) } else { (write, read) };
            Opened { theirs: Some(theirs), ours: Some(ours), kept: None }
        }
        Stream::BrokenPipe => {
            let (read, write) = pipe();
            drop(read);
            only(Some(write))
        }
        Stream::FullPipe => {
            let (read, write) = pipe();
            fcntl(&write, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("fcntl");
            let mut writer = File::from(write);
            while writer.write(&[b'x'; 4096]).is_ok() {}
            while writer.write(b"x").is_ok() {}
            // The flag belongs to the open file, which the program shares.
            fcntl(writer.as_fd(), FcntlArg::F_SETFL(OFlag::empty())).expect("fcntl");
            Opened { theirs: Some(writer.into()), ours: None, kept: Some(read) }
        }
        Stream::FileAtLimit => {
            let mut file = tempfile::tempfile().expect("a temporary file");
            file.write_all(&[b'x'; FILE_LIMIT]).expect("a temporary file");
            let limit = FILE_LIMIT as u64;
            plan.limits.push((libc::RLIMIT_FSIZE as u32, limit, limit));
            only(Some(file.into()))
        }
    }
}
