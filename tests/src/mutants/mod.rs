//! Do the tests notice? Small faults, one at a time, in the sources of both programs; each must make a test fail.
//!
//! The faults are those of cargo-mutants (`cargo mutants --list`), and those of [`mod@by_hand`], which it does not make. They are
//! tried here and not by cargo-mutants itself: it would build the harness anew for each, which does not depend on what it
//! changes, and could not tell a fault that does not build from one that a test has caught, for the harness builds the programs.
//!
//! A fault is built as the programs ship. If the bytes are those of the unchanged source, no test can notice it, nor anybody
//! else. Otherwise the tests run on it, those first that have caught its neighbours; the first that fails is run again by itself,
//! and has caught it only if it fails again: a test that fails by chance counts for nothing.

pub mod by_hand;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{procfs, ship, sys};

/// A fault.
#[derive(Clone)]
pub struct Mutant {
    /// Its name, the same wherever the lines around it go: file, what is changed, function, and `#2` for the second such one.
    pub name: String,
    /// The file, from the root of the workspace.
    file: String,
    /// The function; nothing if it is not in one.
    function: String,
    /// The change, as `git apply` takes it.
    diff: String,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is no program: the compiler refuses it.
    Unviable,
    /// A test has failed, and failed again.
    Caught,
    /// The same, but it has waited until its deadline; or its whole file came to no end.
    TimedOut,
    /// The compiler makes the same bytes of it.
    Same,
    /// No test has failed.
    Missed,
}

/// All of them, with their names in the outcomes.
const FATES: [(Fate, &str); 5] = [
    (Fate::Unviable, "unviable"),
    (Fate::Caught, "caught"),
    (Fate::TimedOut, "timed out"),
    (Fate::Same, "same"),
    (Fate::Missed, "missed"),
];

impl Fate {
    /// As it stands in the outcomes.
    #[must_use]
    pub fn name(self) -> &'static str {
        FATES.iter().find(|(fate, _)| *fate == self).map_or("", |(_, name)| name)
    }
}

/// A mutant's outcome.
#[derive(Clone)]
pub struct Outcome {
    /// What became of it.
    pub fate: Fate,
    /// The test that has caught it, `file::test`.
    pub by: String,
    /// What the build says against it, though it is a program: a panic can be reached, it is too large. Nothing if all is well.
    pub refused: String,
}

/// The test files that run on a changed program, the quick ones first.
pub const FILES: [&str; 21] = [
    "command_line",
    "group",
    "descriptors",
    "namespaces",
    "caught_only",
    "signals",
    "start",
    "stderr",
    "death",
    "hold",
    "names",
    "exec",
    "stop_timeout",
    "pause",
    "terminal",
    "teardown",
    "race",
    "reap",
    "load",
    "faults",
    "scenario",
];

/// How many of them are quick.
pub const QUICK: usize = 12;

/// The test of the sizes.
const SIZE: &str = "b4_release_files_are_small";

/// What root alone can run: it makes cgroups, and processes of other users.
const AS_ROOT: &str = "privileged";

/// Those that are the first to know, by the source file or its folder.
const FIRST: [(&str, &[&str]); 7] = [
    ("init/src/spawn.rs", &["exec", "start", "group"]),
    ("init/src/shell.rs", &["signals", "group", "stop_timeout", "death", "teardown", "terminal"]),
    ("init/src/procfs.rs", &["caught_only", "teardown", "death"]),
    ("init/src/oom.rs", &["death"]),
    ("init/src/sys/", &["start", "signals", "teardown", "terminal"]),
    ("pause/src/", &["pause"]),
    ("pause/bare/", &["pause", "stderr"]),
];

/// The file of tests of what is pure, which is linked with it, and so built anew for each fault there.
const CORE: &str = "core";

/// The one that plays every sequence of events with what is pure: built anew too, for it knows of no program.
const LOOP: &str = "exhaustive";

/// What is not pure: nothing in there is linked with [`CORE`].
const SHELL: [&str; 6] = ["main.rs", "oom.rs", "procfs.rs", "shell.rs", "spawn.rs", "sys/"];

/// The longest that a file of tests may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The deadline of the tests' waits, in seconds, unless it is to be their own, and where these are built.
pub const SHORT: u64 = 6;

/// The largest that each program may be (contract B4).
const LARGEST: [(&str, u64); 2] = [("init", 28_672), ("pause", 4_096)];

/// A folder with a copy of the sources, and all that is needed to try a fault in it.
pub struct Bench {
    /// Where the sources are, and what is built of them.
    folder: tempfile::TempDir,
    /// What the unchanged sources give: init and pause.
    unchanged: [Vec<u8>; 2],
    /// The commit, for both programs' version.
    hash: String,
    /// The built files of tests.
    tests: BTreeMap<String, PathBuf>,
    /// Only the quick files run.
    quick: bool,
    /// What takes as long as this has come to its deadline.
    deadline: Duration,
    /// Those tests that have caught a fault in a function, the last one first.
    catchers: BTreeMap<String, Vec<(String, String)>>,
}

/// Runs a command to its end and returns what it printed; if it cannot be run or fails, what it said.
fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if done.status.success() { Ok(done.stdout) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

/// All faults.
///
/// # Errors
/// cargo-mutants is not there, or a fault by hand is not in the source any more.
pub fn list() -> Result<Vec<Mutant>, String> {
    let mut command = Command::new("cargo");
    command.current_dir(ship::root()).args(["mutants", "--list", "--json", "--diff", "--no-shuffle"]);
    let listed = output(command.args(["--package", "init", "--package", "pause", "--package", "bare"]))
        .map_err(|why| format!("{why}\ntry: cargo install cargo-mutants --locked"))?;
    let listed: Vec<Value> = serde_json::from_slice(&listed).map_err(|error| error.to_string())?;
    let mut mutants =
        by_hand::ALL.iter().map(|(file, from, to)| by_hand(file, from, to)).collect::<Result<Vec<_>, _>>()?;
    for mutant in &listed {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (file, full) = (text(&mutant["file"]), text(&mutant["name"]));
        // `FILE:LINE:COLUMN: WHAT in FUNCTION`.
        let what = full.split_once(": ").map_or("", |(_, what)| what);
        let function = text(&mutant["function"]["function_name"]);
        let body: String = text(&mutant["diff"]).split_inclusive('\n').skip(2).collect();
        let diff = format!("--- a/{file}\n+++ b/{file}\n{body}");
        mutants.push(Mutant { name: format!("{file}: {what}"), file, function, diff });
    }
    let mut seen = BTreeMap::<String, usize>::new();
    for mutant in &mut mutants {
        let count = seen.entry(mutant.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            mutant.name += &format!(" #{count}");
        }
    }
    Ok(mutants)
}

/// One by hand: `to` for `from`, which must stand in `file` once.
fn by_hand(file: &str, from: &str, to: &str) -> Result<Mutant, String> {
    let path = ship::root().join(file);
    let source = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    if source.matches(from).count() != 1 {
        return Err(format!("{file}: a fault by hand is not there just once: {from}"));
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let changed = folder.path().join("changed");
    fs::write(&changed, source.replace(from, to)).map_err(|error| error.to_string())?;
    // It ends with 1 when there is a difference.
    let diff = Command::new("git").args(["diff", "--no-index", "--"]).arg(&path).arg(&changed).output();
    let diff = String::from_utf8(diff.map_err(|error| error.to_string())?.stdout).map_err(|error| error.to_string())?;
    let body: String = diff.split_inclusive('\n').skip_while(|line| !line.starts_with("@@")).collect();
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Mutant {
        name: format!("{file}: by hand: `{}` to `{}`", line(from), line(to)),
        file: file.to_owned(),
        function: format!("by hand: {from}"),
        diff: format!("--- a/{file}\n+++ b/{file}\n{body}"),
    })
}

impl Bench {
    /// Copies the sources and builds what the faults are compared with. `quick`: only the quick files of tests; `patient`: each
    /// test has its own deadline.
    ///
    /// # Errors
    /// What failed.
    pub fn new(quick: bool, patient: bool) -> Result<Self, String> {
        nix::sys::prctl::set_child_subreaper(true).map_err(|error| error.to_string())?;
        let folder = tempfile::Builder::new().prefix("mutants-").tempdir().map_err(|error| error.to_string())?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        let sources = folder.path().join("sources");
        fs::create_dir(&sources).map_err(|error| error.to_string())?;
        let files = output(Command::new("git").current_dir(ship::root()).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ]))?;
        for file in String::from_utf8_lossy(&files).split_terminator('\0') {
            let (from, to) = (ship::root().join(file), sources.join(file));
            fs::create_dir_all(to.parent().expect("below the root")).map_err(|error| error.to_string())?;
            fs::copy(&from, &to).map_err(|error| format!("{}: {error}", from.display()))?;
        }
        let hash = output(Command::new("git").current_dir(ship::root()).args(["rev-parse", "--short=12", "HEAD"]))?;
        let mut bench = Self {
            folder,
            unchanged: [Vec::new(), Vec::new()],
            hash: String::from_utf8_lossy(&hash).trim().to_owned(),
            tests: BTreeMap::new(),
            quick,
            deadline: if patient { crate::case::DEADLINE } else { Duration::from_secs(SHORT) },
            catchers: BTreeMap::new(),
        };
        bench.build(false).map_err(|why| format!("the unchanged source does not build:\n{why}"))?;
        bench.unchanged = bench.built()?;
        let folder = ship::target_folder();
        bench.seed(&folder.join("debug"))?;
        if patient {
            bench.tests = tests(&ship::root(), &folder, &FILES, &[], None)?;
        } else {
            bench.tests = tests(&ship::root(), &folder.join("impatient"), &FILES, &[], Some(SHORT))?;
        }
        if !quick && nix::unistd::geteuid().is_root() {
            bench.tests.extend(tests(&ship::root(), &folder, &[AS_ROOT], &["--features", "runtimes"], None)?);
        }
        Ok(bench)
    }

    /// Takes over what cargo has built of other people's packages in `debug`: they are the same for the copy.
    fn seed(&self, debug: &Path) -> Result<(), String> {
        let own = |name: &str| ["bitts", "init", "pause", "core-"].iter().any(|own| name.contains(own));
        let to = self.folder.path().join("tests").join("debug");
        for folder in [".fingerprint", "build", "deps"] {
            fs::create_dir_all(to.join(folder)).map_err(|error| error.to_string())?;
            // cargo compares times; and it never writes to what is built, but puts another file in its place.
            let mut copy = Command::new("cp");
            copy.args(["--archive", if folder == "deps" { "--link" } else { "--reflink=auto" }]);
            for entry in fs::read_dir(debug.join(folder)).map_err(|error| error.to_string())?.flatten() {
                let name = entry.file_name();
                let text = name.to_string_lossy();
                let is_built = [".rlib", ".rmeta", ".so", ".d"].iter().any(|end| text.ends_with(end));
                if !own(&text) && (folder != "deps" || is_built) {
                    copy.arg(entry.path());
                }
            }
            output(copy.arg(to.join(folder)))?;
        }
        Ok(())
    }

    /// The copied sources.
    fn sources(&self) -> PathBuf {
        self.folder.path().join("sources")
    }

    /// Where the program `name` is built.
    fn program(&self, name: &str) -> PathBuf {
        self.folder.path().join("built").join(ship::target()).join("release").join(name)
    }

    /// The bytes of both programs.
    fn built(&self) -> Result<[Vec<u8>; 2], String> {
        let read = |name: &str| fs::read(self.program(name)).map_err(|error| format!("{name}: {error}"));
        Ok([read("init")?, read("pause")?])
    }

    /// Builds both programs as they ship; with `panics` also where a panic can be reached, which then is a fault of memory.
    fn build(&self, panics: bool) -> Result<(), String> {
        let mut command = Command::new("cargo");
        command.current_dir(self.sources()).env("BITTS_GIT_HASH", &self.hash);
        command.args(["build", "--quiet", "--locked", "--release", "--package", "init", "--package", "pause"]);
        command.args(["--target", &ship::target(), "--target-dir"]).arg(self.folder.path().join("built"));
        if panics {
            let flag = "-Clink-arg=--defsym=a_panic_can_be_reached=0";
            command.args(["--config", &format!("target.{}.rustflags=[{flag:?}]", ship::target())]);
        }
        output(&mut command).map(drop)
    }

    /// Puts the change into the copy, or takes it back.
    fn apply(&self, mutant: &Mutant, back: bool) -> Result<(), String> {
        let patch = self.folder.path().join("patch");
        fs::write(&patch, &mutant.diff).map_err(|error| error.to_string())?;
        let mut command = Command::new("git");
        // In a folder that is in no repository it takes the change as it is.
        command.current_dir(self.sources()).env("GIT_CEILING_DIRECTORIES", self.folder.path()).arg("apply");
        if back {
            command.arg("--reverse");
        }
        output(command.arg(&patch)).map(drop).map_err(|why| format!("{}: {why}", mutant.name))
    }

    /// Tries one fault.
    ///
    /// # Errors
    /// The change cannot be made, or nothing can be run.
    pub fn try_out(&mut self, mutant: &Mutant) -> Result<Outcome, String> {
        self.apply(mutant, false)?;
        let outcome = self.judge(mutant);
        self.apply(mutant, true)?;
        outcome
    }

    /// The same of one that has been put in.
    fn judge(&mut self, mutant: &Mutant) -> Result<Outcome, String> {
        let mut outcome = Outcome { fate: Fate::Missed, by: String::new(), refused: String::new() };
        let file = mutant.file.strip_prefix("init/src/");
        let is_pure = file.is_some_and(|file| !SHELL.iter().any(|name| file.starts_with(name)));
        let function = format!("{}: {}", mutant.file, mutant.function);
        if is_pure {
            // No program is needed for what the tests of its own notice.
            let folder = self.folder.path().join("tests");
            let Ok(built) = tests(&self.sources(), &folder, &[CORE], &[], None) else {
                outcome.fate = Fate::Unviable;
                return Ok(outcome);
            };
            if let Some((file, test, slow)) = built.values().find_map(|path| self.confirmed(CORE, path)) {
                outcome.fate = if slow { Fate::TimedOut } else { Fate::Caught };
                outcome.by = format!("{file}::{test}");
                return Ok(outcome);
            }
        }
        if let Err(why) = self.build(false) {
            if self.build(true).is_err() {
                outcome.refused = if why.contains("rust-lld:") { "the linker refuses it" } else { "" }.to_owned();
                outcome.fate = Fate::Unviable;
                return Ok(outcome);
            }
            outcome.refused = "a panic can be reached".to_owned();
        }
        let built = self.built()?;
        for ((name, largest), bytes) in LARGEST.iter().zip(&built) {
            if bytes.len() as u64 > *largest && outcome.refused.is_empty() {
                outcome.refused = format!("{name} is too large: {} bytes", bytes.len());
            }
        }
        let is_same = built == self.unchanged;
        let found = (!is_same).then(|| {
            let known = self.first_failure(&mutant.file, &function);
            known.or_else(|| if is_pure { self.loop_failure() } else { None }).or_else(|| self.slow_failure())
        });
        match found.flatten() {
            Some((file, test, slow)) => {
                outcome.fate = if slow { Fate::TimedOut } else { Fate::Caught };
                outcome.by = format!("{file}::{test}");
                let catchers = self.catchers.entry(function).or_default();
                catchers.retain(|(_, other)| *other != test);
                catchers.insert(0, (file, test));
                catchers.truncate(3);
            }
            None if is_same => outcome.fate = Fate::Same,
            None => {}
        }
        Ok(outcome)
    }

    /// The first test of the quick files, and of those that know the source best, that fails: its file and name, and whether it
    /// came to its deadline.
    fn first_failure(&self, source: &str, function: &str) -> Option<(String, String, bool)> {
        for (file, test) in self.catchers.get(function).into_iter().flatten() {
            let Some(path) = self.tests.get(file) else { continue };
            let words = ["--exact", test];
            if let Some((_, slow)) = self.failure(path, &words)
                && self.failure(path, &words).is_some()
            {
                return Some((file.clone(), test.clone(), slow));
            }
        }
        let first = FIRST.iter().find(|(name, _)| source.starts_with(name)).map_or(&[] as &[&str], |(_, files)| files);
        let rest = FILES[..QUICK].iter().filter(|file| !first.contains(file));
        first.iter().chain(rest).find_map(|file| self.confirmed(file, self.tests.get(*file)?))
    }

    /// The same of all sequences of events, for what is pure.
    fn loop_failure(&self) -> Option<(String, String, bool)> {
        let built = tests(&self.sources(), &self.folder.path().join("tests"), &[LOOP], &[], None).ok()?;
        self.confirmed(LOOP, built.get(LOOP)?)
    }

    /// The same of the slow files.
    fn slow_failure(&self) -> Option<(String, String, bool)> {
        let slow = if self.quick { &[] } else { &FILES[QUICK..] };
        slow.iter().chain(&[AS_ROOT]).find_map(|file| self.confirmed(file, self.tests.get(*file)?))
    }

    /// The first test of a file that fails, and fails again.
    fn confirmed(&self, file: &str, path: &Path) -> Option<(String, String, bool)> {
        let mut words: Vec<String> = Vec::new();
        // A test that has failed and does not again is left out, and the others go on.
        for _ in 0..3 {
            let (test, _) = self.failure(path, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
            if test.is_empty() {
                // The file as a whole, and again.
                if self.failure(path, &words.iter().map(String::as_str).collect::<Vec<_>>())?.0.is_empty() {
                    return Some((file.to_owned(), "(all)".to_owned(), true));
                }
                continue;
            }
            if let Some((_, slow)) = self.failure(path, &["--exact", &test]) {
                return Some((file.to_owned(), test, slow));
            }
            words.extend(["--skip".to_owned(), test]);
        }
        None
    }

    /// Runs a file of tests until one of them fails: its name, nothing if the time was up, and whether it took its whole time.
    fn failure(&self, tests: &Path, words: &[&str]) -> Option<(String, bool)> {
        let start = Instant::now();
        // In a PID namespace of its own, which ends with it: a program that does not end its descendants may leave some that fork
        // for ever. As an ordinary user it has to be left to chance who is faster.
        let mut command = if nix::unistd::geteuid().is_root() {
            let mut command = Command::new("unshare");
            command.args(["--pid", "--mount-proc", "--fork", "--kill-child=KILL", "sh", "-c", "\"$@\"; exit $?", "sh"]);
            command.arg(tests);
            command
        } else {
            Command::new(tests)
        };
        // Beside the copied sources, for proptest writes what has failed into the folder of the test.
        // The size says nothing of what a program does, and may change with any fault.
        command.args(words).args(["--skip", SIZE]).current_dir(self.sources().join("tests"));
        command.env("INIT_UNDER_TEST", self.program("init")).env("PAUSE_UNDER_TEST", self.program("pause"));
        command.env("BITTS_MUTANT", "1").env("PROPTEST_MAX_SHRINK_ITERS", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        sys::die_with_parent(&mut command);
        let mut child = command.spawn().ok()?;
        let stdout = child.stdout.take()?;
        let (lines, failed) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let test = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"));
                if test.is_some_and(|test| lines.send(test.to_owned()).is_err()) {
                    break;
                }
            }
        });
        let found = match failed.recv_timeout(LIMIT) {
            Ok(test) => Some((test, start.elapsed() >= self.deadline)),
            Err(mpsc::RecvTimeoutError::Timeout) => Some((String::new(), true)),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
        };
        let _ = child.kill();
        let status = child.wait();
        sweep();
        if found.is_none() && !status.is_ok_and(|status| status.success()) {
            return Some((String::new(), false));
        }
        found
    }
}

/// Ends what the tests have left behind, which has come to this process as its subreaper.
fn sweep() {
    for _ in 0..100 {
        let own = std::process::id().cast_signed();
        let left = procfs::descendants_of(own);
        while nix::sys::wait::waitpid(None, Some(nix::sys::wait::WaitPidFlag::WNOHANG))
            .is_ok_and(|status| status != nix::sys::wait::WaitStatus::StillAlive)
        {}
        if left.is_empty() {
            break;
        }
        for process in left {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid), nix::sys::signal::Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Builds files of tests of the sources in `root`: the program of each.
fn tests(
    root: &Path,
    folder: &Path,
    files: &[&str],
    features: &[&str],
    deadline: Option<u64>,
) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut command = Command::new("cargo");
    command.env_remove("BITTS_DEADLINE").envs(deadline.map(|seconds| ("BITTS_DEADLINE", seconds.to_string())));
    command.current_dir(root).args(["test", "--no-run", "--locked", "--quiet", "--message-format=json"]);
    command.args(["--package", "bitts-tests"]).args(features).arg("--target-dir").arg(folder);
    for file in files {
        command.args(["--test", file]);
    }
    let printed = output(&mut command)?;
    let mut built = BTreeMap::new();
    for line in printed.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        let (name, path) = (&message["target"]["name"], &message["executable"]);
        if let (Some(name), Some(path)) = (name.as_str(), path.as_str())
            && message["target"]["kind"][0] == "test"
        {
            built.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(built)
}

/// What a fault is known by: its name and the lines around it, wherever in the file these stand (FNV-1a, 64 bits).
fn key(mutant: &Mutant) -> String {
    let lines = mutant.diff.lines().filter(|line| !line.starts_with("@@"));
    let bytes = std::iter::once(mutant.name.as_str()).chain(lines).flat_map(|line| line.bytes().chain([b'\n']));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// One in the file.
fn line(mutant: &Mutant, outcome: &Outcome) -> String {
    let Outcome { fate, by, refused } = outcome;
    let name = fate.name();
    format!("{}\n", json!({ "name": mutant.name, "fate": name, "by": by, "refused": refused, "key": key(mutant) }))
}

/// The outcomes that are known: a file with one JSON object a line.
pub struct Outcomes {
    /// The file.
    path: PathBuf,
    /// By [`key`].
    known: BTreeMap<String, Outcome>,
}

impl Outcomes {
    /// Reads those of runs before. What is no outcome is left out.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let mut known = BTreeMap::new();
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            if let Some((fate, _)) = FATES.iter().find(|(_, name)| *name == text("fate")) {
                known.insert(text("key"), Outcome { fate: *fate, by: text("by"), refused: text("refused") });
            }
        }
        Self { path: path.to_owned(), known }
    }

    /// What is known of this one, if its source is still the same around it.
    #[must_use]
    pub fn of(&self, mutant: &Mutant) -> Option<&Outcome> {
        self.known.get(&key(mutant))
    }

    /// Adds one, to the file too, which other runs may be adding to.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn add(&mut self, mutant: &Mutant, outcome: &Outcome) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.path).expect("the outcomes");
        file.write_all(line(mutant, outcome).as_bytes()).expect("the outcomes");
        self.known.insert(key(mutant), outcome.clone());
    }

    /// Writes the file anew, by name, without those of sources that are no more. No other run may be adding to it.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn keep_only(&mut self, mutants: &[Mutant]) {
        let known = mutants.iter().filter_map(|mutant| Some((&mutant.name, line(mutant, self.of(mutant)?))));
        let lines: BTreeMap<_, _> = known.collect();
        fs::write(&self.path, lines.into_values().collect::<String>()).expect("the outcomes");
        let keys: BTreeSet<_> = mutants.iter().map(key).collect();
        self.known.retain(|key, _| keys.contains(key));
    }
}

/// The page that explains those that nothing can notice.
const PAGE: &str = "tests/TESTING.md";

/// How its table begins.
const TABLE: &str = "| missed | why nothing can notice it |";

/// The names of those that the page explains, in the first cell of a row of its table.
///
/// # Panics
/// The page cannot be read.
#[must_use]
pub fn explained() -> Vec<String> {
    let page = fs::read_to_string(ship::root().join(PAGE)).expect(PAGE);
    let lines = page.lines().skip_while(|line| !line.starts_with(TABLE)).take_while(|line| line.starts_with('|'));
    let rows = lines.filter_map(|line| line.strip_prefix("| ")?.split_once(" | ").map(|(first, _)| first));
    // A bar in a cell is written with a backslash before it.
    rows.map(|cell| cell.replace("\\|", "|")).collect()
}

/// The totals, a row for each source file.
#[must_use]
pub fn table(mutants: &[Mutant], outcomes: &Outcomes) -> String {
    let mut rows = BTreeMap::<&str, [usize; FATES.len() + 1]>::new();
    let mut sum = [0; FATES.len() + 1];
    for mutant in mutants {
        let Some(outcome) = outcomes.of(mutant) else { continue };
        let at = FATES.iter().position(|(fate, _)| *fate == outcome.fate).expect("all are listed");
        for row in [rows.entry(&mutant.file).or_default(), &mut sum] {
            row[0] += 1;
            row[at + 1] += 1;
        }
    }
    let mut table = "| source | all | no program | caught | caught at a deadline | same bytes | missed |\n\
        |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (file, row) in rows.into_iter().chain([("all", sum)]) {
        let cells: Vec<_> = row.iter().map(ToString::to_string).collect();
        table += &format!("| {file} | {} |\n", cells.join(" | "));
    }
    table
}
