//! `cargo coverage`: which instructions of the shipped bytes the tests run, and which lines of the sources those are.
//!
//! Nothing is instrumented: the kernel counts, by a uprobe on each basic block of `init` and `pause` as they ship, whoever runs
//! them and wherever (the kernel's Documentation/trace/uprobetracer.rst). A block that has run is let go of every second, so
//! that the tests soon run at their own pace. Lines come from a build of the same bytes with debug information; that the bytes
//! are the same is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use addr2line::Loader;
use bitts_tests::{namespace, ship};
use clap::Parser;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Mnemonic};
use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

/// Runs the tests and shows which instructions and lines of the shipped programs they run.
#[derive(Parser)]
#[command(name = "coverage")]
struct Words {
    /// Put the tables into tests/TESTING.md
    #[arg(long)]
    write: bool,
    /// Show the instructions that have not run, of lines that have run in part, too
    #[arg(long)]
    parts: bool,
    /// What to run in the place of all tests, as one command for each (for sh)
    #[arg(long = "run", value_name = "COMMAND")]
    commands: Vec<String>,
}

/// All tests that run the shipped bytes, and not a copy of them in an image.
/// Memory cannot be measured meanwhile: a page with a probe in it is a copy.
const TESTS: [&str; 2] = [
    "cargo test --locked --no-fail-fast --tests -- --skip p8_charged",
    "cargo test --locked --no-fail-fast --features runtimes --test privileged -- --skip p8_charged",
];

/// Lines that no test runs: file, a part of the line, and why.
const REASONS: [(&str, &str, &str); 0] = [];

/// How long between two looks at what has run.
const PAUSE: Duration = Duration::from_secs(1);

/// The two programs.
const NAMES: [&str; 2] = ["init", "pause"];

/// One instruction of a program.
struct Instruction {
    /// Where it is in the file.
    offset: u64,
    /// It gets a probe: a block begins here. Not on a system call, for the kernel would hold a stop signal back while it waits
    /// in one that it steps over.
    is_probed: bool,
    /// It runs whenever the one before it has run, which is no jump, call or system call.
    follows: bool,
    /// It has run.
    has_run: bool,
    /// The lines that it comes of: the innermost, and those of the calls that it was inlined into.
    lines: Vec<Line>,
}

/// A file, from the workspace on, and a line in it.
type Line = (String, u32);

/// A program under watch.
struct Program {
    name: &'static str,
    path: PathBuf,
    inode: u64,
    code: Vec<Instruction>,
    /// Which of them have a probe.
    probed: Vec<usize>,
    /// How often probes were put.
    round: u32,
}

impl Program {
    /// The shipped file and the lines of its instructions.
    fn new(name: &'static str, path: &Path) -> Self {
        let folder = ship::target_folder().join("coverage");
        let with_lines = ship::release_with_lines(name, &ship::target(), &folder);
        let [shipped, bytes] =
            [path, &with_lines].map(|path| std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())));
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let segment = file.segments().next().expect("a segment");
        let (start, length) = segment.file_range();
        // The shipped file is this segment, headers and all, or the lines are another's.
        let code = &bytes[start as usize..(start + length) as usize];
        assert!(shipped == code, "{name}: the build with lines has other code than the one that ships");

        let lines = Loader::new(&with_lines).expect("debug information");
        let mut targets = BTreeSet::new();
        let mut all = Vec::new();
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
            let from = (symbol.address() - segment.address()) as usize;
            let bytes = &segment.data().expect("code")[from..from + symbol.size() as usize];
            targets.insert(symbol.address());
            for instruction in Decoder::with_ip(64, bytes, symbol.address(), DecoderOptions::NONE).iter() {
                assert!(!instruction.is_invalid(), "{name}: no instruction at {:#x}", instruction.ip());
                targets.insert(instruction.near_branch_target());
                all.push(instruction);
            }
        }
        all.sort_by_key(iced_x86::Instruction::ip);
        all.dedup_by_key(|instruction| instruction.ip());
        let mut end_before = 0;
        let mut code = Vec::<Instruction>::new();
        for instruction in all {
            let address = instruction.ip();
            let follows = end_before == address;
            code.push(Instruction {
                offset: address - segment.address(),
                is_probed: (!follows || targets.contains(&address)) && instruction.mnemonic() != Mnemonic::Syscall,
                follows,
                has_run: false,
                lines: lines_of(&lines, address),
            });
            end_before = if instruction.flow_control() == FlowControl::Next { instruction.next_ip() } else { 0 };
        }
        let inode = std::fs::metadata(path).expect("the program").ino();
        Self { name, path: path.to_owned(), inode, code, probed: Vec::new(), round: 0 }
    }

    /// The name of its probes.
    fn event(&self) -> String {
        format!("{}_{}", self.name, self.round)
    }

    /// Marks what runs whenever the one before it has run.
    fn follow(&mut self) {
        for at in 1..self.code.len() {
            let before = self.code[at - 1].has_run;
            let this = &mut self.code[at];
            this.has_run |= before && this.follows;
        }
    }

    /// Its lines, each with how many of its instructions have run, and of how many.
    fn lines(&self) -> BTreeMap<&Line, (usize, usize)> {
        let mut lines = BTreeMap::<_, (usize, usize)>::new();
        for instruction in &self.code {
            for line in &instruction.lines {
                let (run, all) = lines.entry(line).or_default();
                *run += usize::from(instruction.has_run);
                *all += 1;
            }
        }
        lines
    }
}

/// The lines of our own that an instruction comes of.
fn lines_of(lines: &Loader, address: u64) -> Vec<Line> {
    let mut found = BTreeSet::new();
    let mut frames = lines.find_frames(address).expect("debug information");
    while let Some(frame) = frames.next().expect("debug information") {
        let Some(location) = frame.location else { continue };
        let (Some(file), Some(line)) = (location.file, location.line) else { continue };
        let file = Path::new(file).strip_prefix(ship::root()).unwrap_or(Path::new(file));
        let own = ["init/src", "pause/src", "pause/bare/src"].iter().any(|folder| file.starts_with(folder));
        if own && line > 0 {
            found.insert((file.display().to_string(), line));
        }
    }
    found.into_iter().collect()
}

/// Where the kernel's tracing is told what to do, and the instance of it that is ours. All of it is gone with the value.
struct Probes {
    tracing: tempfile::TempDir,
}

impl Probes {
    /// Mounts tracefs, for this process and its children alone.
    fn new() -> std::io::Result<Self> {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
        let tracing = tempfile::tempdir()?;
        mount(Some("tracefs"), tracing.path(), Some("tracefs"), MsFlags::empty(), None::<&str>)?;
        let probes = Self { tracing };
        // What another run has left, if it was killed.
        probes.end();
        std::fs::create_dir(probes.path("instances/bitts"))?;
        // The counts are enough.
        probes.write("instances/bitts/tracing_on", "0")?;
        Ok(probes)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.tracing.path().join(name)
    }

    /// One order.
    fn write(&self, file: &str, text: &str) -> std::io::Result<()> {
        OpenOptions::new().append(true).open(self.path(file))?.write_all(text.as_bytes())
    }

    /// Puts a probe on the beginning of each block that has not run.
    fn put(&self, program: &mut Program) -> std::io::Result<()> {
        program.round += 1;
        let wanted = program.code.iter().enumerate().filter(|(_, block)| block.is_probed && !block.has_run);
        program.probed = wanted.map(|(at, _)| at).collect();
        if program.probed.is_empty() {
            return Ok(());
        }
        let mut orders = OpenOptions::new().append(true).open(self.path("uprobe_events"))?;
        for at in &program.probed {
            // One write is one order. Those of one name are one event, and are put and taken away together.
            let (event, file, offset) = (program.event(), program.path.display(), program.code[*at].offset);
            orders.write_all(format!("p:bitts/{event} {file}:{offset:#x}\n").as_bytes())?;
        }
        self.switch(&program.event(), "1")
    }

    /// An event on or off.
    fn switch(&self, event: &str, on: &str) -> std::io::Result<()> {
        self.write(&format!("instances/bitts/events/bitts/{event}/enable"), on)
    }

    /// Looks at the counts of an event: which of its blocks have run.
    fn look(&self, event: &str, blocks: &[usize], code: &mut [Instruction]) -> usize {
        let counts = std::fs::read_to_string(self.path("uprobe_profile")).expect("tracefs");
        // One line for each probe, in the order in which they were put: file, event, count.
        let lines = counts.lines().map(|line| line.split_whitespace().rev());
        let counts = lines.filter_map(|mut words| Some((words.next()?, words.next()?)));
        let counts: Vec<_> = counts.filter(|(_, other)| *other == event).map(|(count, _)| count != "0").collect();
        assert_eq!(counts.len(), blocks.len(), "{event}: probes that are not ours");
        for (at, has_run) in blocks.iter().zip(&counts) {
            code[*at].has_run |= has_run;
        }
        counts.into_iter().filter(|has_run| *has_run).count()
    }

    /// Puts new probes on what has not run, and only then takes the old ones away: nothing goes unseen meanwhile.
    fn renew(&self, program: &mut Program) -> std::io::Result<()> {
        let (event, blocks) = (program.event(), program.probed.clone());
        if blocks.is_empty() || self.look(&event, &blocks, &mut program.code) == 0 {
            return Ok(());
        }
        self.put(program)?;
        self.switch(&event, "0")?;
        self.look(&event, &blocks, &mut program.code);
        self.write("uprobe_events", &format!("-:bitts/{event}\n"))
    }

    /// Takes all away, as far as it is there.
    fn end(&self) {
        for event in std::fs::read_dir(self.path("events/bitts")).into_iter().flatten().flatten() {
            if let Some(event) = event.file_name().to_str().filter(|name| name.contains('_')) {
                let _ = self.switch(event, "0");
                let _ = self.write("uprobe_events", &format!("-:bitts/{event}\n"));
            }
        }
        let _ = std::fs::remove_dir(self.path("instances/bitts"));
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.end();
        let _ = umount(self.tracing.path());
    }
}

fn main() -> ExitCode {
    let words = Words::parse();
    if !namespace::is_root() {
        eprintln!("coverage: probes in every process of the machine need root");
        return ExitCode::FAILURE;
    }
    let mut programs = [Program::new(NAMES[0], ship::init()), Program::new(NAMES[1], ship::pause())];
    let probes = Probes::new().unwrap_or_else(|error| panic!("this kernel has no uprobes for us: {error}"));
    for program in &mut programs {
        probes.put(program).unwrap_or_else(|error| panic!("cannot put probes into {}: {error}", program.name));
    }

    let all = TESTS.map(str::to_owned);
    let mut failed = Vec::new();
    for command in if words.commands.is_empty() { &all[..] } else { &words.commands } {
        let mut tests = Command::new("sh").args(["-c", command]).current_dir(ship::root()).spawn().expect("sh");
        let status = loop {
            for program in &mut programs {
                probes.renew(program).expect("tracefs");
            }
            if let Some(status) = tests.try_wait().expect("own child") {
                break status;
            }
            std::thread::sleep(PAUSE);
        };
        if !status.success() {
            failed.push(format!("{command}: {status}"));
        }
    }
    for program in &mut programs {
        probes.renew(program).expect("tracefs");
        program.follow();
        let inode = std::fs::metadata(&program.path).expect("the program").ino();
        assert!(inode == program.inode, "{} was built anew meanwhile", program.name);
    }
    let (table, all_have_reasons) = report(&programs, words.parts);
    print!("{table}");
    if words.write {
        write(&report(&programs, false).0);
    }
    for command in &failed {
        eprintln!("coverage: {command}");
    }
    if failed.is_empty() && all_have_reasons { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The tables, and the lines that have not run; whether each of them has its reason.
fn report(programs: &[Program], parts: bool) -> (String, bool) {
    let mut text = String::from("| | lines | run | instructions | run |\n|---|---|---|---|---|\n");
    let mut never = String::new();
    let mut all_have_reasons = true;
    let mut in_part = String::new();
    for program in programs {
        let mut files = BTreeMap::<&str, [usize; 4]>::new();
        for ((file, number), (run, all)) in program.lines() {
            let row = files.entry(file).or_default();
            let new = [1, usize::from(run > 0), all, run];
            row.iter_mut().zip(new).for_each(|(sum, new)| *sum += new);
            if run == all {
                continue;
            }
            let source = std::fs::read_to_string(ship::root().join(file)).expect("a source file");
            let line = source.lines().nth(*number as usize - 1).unwrap_or_default().trim();
            if run > 0 {
                in_part += &format!("{}: {file}:{number}: {run} of {all} instructions: {line}\n", program.name);
                continue;
            }
            let reason = REASONS.iter().find(|(of, part, _)| of == file && line.contains(part));
            all_have_reasons &= reason.is_some();
            let reason = reason.map_or("no reason is known", |(_, _, reason)| reason);
            never += &format!("- `{}`, {file}: `{line}`: {reason}\n", program.name);
        }
        for (file, [lines, lines_run, code, code_run]) in files {
            text += &format!("| `{}`, {file} | {lines} | {lines_run} | {code} | {code_run} |\n", program.name);
        }
        let run = program.code.iter().filter(|instruction| instruction.has_run).count();
        text += &format!("| `{}`, the whole file | | | {} | {run} |\n", program.name, program.code.len());
    }
    if !never.is_empty() {
        text += &format!("\nNever run:\n\n{never}");
    }
    if parts {
        text += &format!("\nRun in part:\n\n{in_part}");
    }
    (text, all_have_reasons)
}

/// Puts the tables between their marks in tests/TESTING.md.
fn write(table: &str) {
    let path = ship::root().join("tests/TESTING.md");
    let page = std::fs::read_to_string(&path).expect("tests/TESTING.md");
    let (before, rest) = page.split_once("<!-- coverage -->\n").expect("the mark in tests/TESTING.md");
    let (_, behind) = rest.split_once("<!-- /coverage -->\n").expect("the second mark in tests/TESTING.md");
    let page = format!("{before}<!-- coverage -->\n{table}<!-- /coverage -->\n{behind}");
    std::fs::write(&path, page).expect("tests/TESTING.md");
}
