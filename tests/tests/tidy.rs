//! The repository checks itself: what stands in two places says the same, and every promise has its test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bitts_tests::{Case, Place, namespace, ship, tools};
use init_core::cli::{self, Config, Persona, table};
use init_core::line::Line;
use init_core::messages::{self, Message, Words};
use init_core::signal;

#[path = "core/messages.rs"]
mod every_message;

/// A file of the repository.
fn text(path: &str) -> String {
    fs::read_to_string(ship::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The Rust sources below a folder of the repository, with their paths.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&ship::root().join(folder), &mut found);
    found.sort();
    assert!(!found.is_empty(), "{folder}");
    found
}

/// The words of Rust code outside its comments.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

// ---- unsafe ---------------------------------------------------------------------------------------------------------

#[test]
fn b1_unsafe_stands_in_one_folder_of_each_program() {
    let mut allowed = 0;
    for (folder, place) in [("init", "init/src/sys"), ("pause", "pause/bare/src")] {
        for (path, text) in sources(folder) {
            for (number, line) in text.lines().enumerate() {
                // The lint's own name is another word: `unsafe_code`.
                if !words(line).any(|word| word == "unsafe") {
                    continue;
                }
                let is_there = path.starts_with(ship::root().join(place));
                assert!(is_there, "{}:{}: {line}", path.display(), number + 1);
                allowed += 1;
            }
        }
    }
    assert!(allowed > 10, "nothing was found: the test looks for the wrong thing");
}

#[test]
fn b1_every_unsafe_block_says_why_it_holds() {
    for folder in ["init", "pause", "tests/src"] {
        for (path, text) in sources(folder) {
            let lines: Vec<_> = text.lines().collect();
            for (number, line) in lines.iter().enumerate() {
                if !line.contains("unsafe {") && !line.trim_start().starts_with("unsafe impl") {
                    continue;
                }
                // A comment at most ten lines above, which may stand for several blocks.
                let near = &lines[number.saturating_sub(10)..=number];
                assert!(
                    near.iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety")),
                    "{}:{}: {line}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

// ---- options --------------------------------------------------------------------------------------------------------

/// An option as some text shows it: letters and long names, in their order, such as `-l -L --license`.
type Names = Vec<String>;

/// The names at the beginning of a line such as `-e, --expect CODE  end with…`.
fn names(line: &str) -> Names {
    let mut found = Vec::new();
    for word in line.split([',', ' ', '\t', '`', '|', '=']).filter(|word| !word.is_empty()) {
        if !word.starts_with('-') {
            // What the value is called, or the description.
            if found.iter().any(|name: &String| name.starts_with("--")) {
                break;
            }
            continue;
        }
        found.push(word.to_owned());
        if word.starts_with("--") {
            break;
        }
    }
    found
}

/// The options of `--help`.
fn options_of_help() -> BTreeSet<Names> {
    let help = Case::init().place(Place::Host).arg("--help").run().out();
    let lines = help.lines().filter(|line| line.starts_with("  -"));
    let options: BTreeSet<_> = lines.map(names).collect();
    assert!(options.len() >= 10, "{help}");
    assert!(options.iter().all(|names| names.last().is_some_and(|name| name.starts_with("--"))), "{options:?}");
    options
}

/// The options of the table in a document, from rows such as: | `-g`, `--group` | `BITTS_GROUP` | effect |
fn options_of_table(document: &str) -> BTreeSet<Names> {
    let mut options = BTreeSet::new();
    for row in text(document).lines().filter(|line| line.starts_with("| `-")) {
        let names = names(row.split('|').nth(1).unwrap_or_default());
        // Its variable stands in the same row.
        let long = names.last().expect("a name");
        if !["--license", "--help", "--version", "--pause"].contains(&long.as_str()) {
            let variable = format!("BITTS_{}", long.trim_start_matches('-').to_uppercase().replace('-', "_"));
            assert!(row.contains(&variable), "{document}: no {variable} in: {row}");
        }
        options.insert(names);
    }
    options
}

#[test]
fn i2_help_shows_exactly_the_promised_options_and_each_is_known() {
    let options = options_of_help();
    assert_eq!(options, options_of_table(CONTRACT), "--help (left) against {CONTRACT} (right)");
    // `--pause` would not end by itself.
    for name in options.iter().flatten().filter(|name| !["-P", "--pause"].contains(&name.as_str())) {
        let outcome = Case::init().place(Place::Host).arg(name).run();
        assert!(!outcome.err().contains("unknown"), "{name}: {outcome}");
    }
}

/// The help text is the table that the parser reads; the enum of options is its order.
#[test]
fn i2_help_shows_the_options_in_the_order_of_their_enum() {
    let named = table::OPTIONS.map(|option| String::from_utf8_lossy(option.name()).into_owned());
    let shown =
        table::HELP.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').find(|word| word.starts_with("--")));
    assert!(shown.eq(named.iter().map(String::as_str)), "{named:?}");
    assert!(named.iter().all(|name| options_of_help().iter().flatten().any(|shown| shown == name)), "{named:?}");
}

#[test]
fn i2_readme_has_every_option() {
    assert_eq!(options_of_table("README.md"), options_of_help(), "README.md (left) against --help (right)");
}

/// The manual page.
const MANUAL: &str = "init/init.1";

#[test]
fn i2_manual_has_every_option() {
    // Lines such as: .It Fl g , Fl -group
    let manual = text(MANUAL);
    let options: BTreeSet<Names> = manual
        .lines()
        .filter_map(|line| line.strip_prefix(".It Fl "))
        .map(|line| {
            let flags = format!("Fl {line}");
            let flags = flags.split("Fl ").skip(1).filter_map(|flag| flag.split([' ', ',']).next());
            flags.map(|flag| format!("-{}", flag.replace("\\-", "-"))).collect()
        })
        .collect();
    assert_eq!(options, options_of_help(), "{MANUAL} (left) against --help (right)");
}

#[test]
fn i2_manual_has_every_variable() {
    let manual = text(MANUAL);
    let (_, rest) = manual.split_once(".Sh ENVIRONMENT\n").expect("a section on the environment");
    let environment = rest.split("\n.Sh ").next().unwrap_or_default();
    let of_manual: BTreeSet<_> = environment.split(|c: char| !c.is_ascii_uppercase() && c != '_').collect();
    let ours = options_of_help()
        .into_iter()
        .filter_map(|mut names| names.pop())
        .map(|long| format!("BITTS_{}", long.trim_start_matches('-').to_uppercase().replace('-', "_")));
    let without = ["BITTS_LICENSE", "BITTS_HELP", "BITTS_VERSION", "BITTS_PAUSE"];
    let source = text("init/src/cli/environment.rs");
    let peers = source.split(|c: char| !c.is_ascii_uppercase() && c != '_').map(str::to_owned);
    let peers = peers.filter(|word| ["TINI_", "DUMB_INIT_", "CATATONIT_"].iter().any(|peer| word.starts_with(peer)));
    let variables: BTreeSet<_> = ours.filter(|name| !without.contains(&name.as_str())).chain(peers).collect();
    assert!(variables.len() >= 14, "{variables:?}");
    for variable in variables {
        assert!(of_manual.contains(variable.as_str()), "{MANUAL}, ENVIRONMENT, has no {variable}");
    }
}

#[test]
fn i12_manual_tells_every_signal() {
    // Rows such as: .It 6 Ta ABRT Ta forwarded
    let manual = text(MANUAL);
    let rows: BTreeMap<i32, &str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix(".It ")?.split_once(" Ta "))
        .filter_map(|(number, rest)| Some((number.parse().ok()?, rest.split(" Ta ").next()?)))
        .collect();
    let name = |number| std::str::from_utf8(signal::name(number)).expect("UTF-8");
    assert_eq!(rows, (1..32).map(|number| (number, name(number))).collect());
}

/// A message as the manual shows it: with words for what is filled in.
fn template<const ROOM: usize>(line: &Line<ROOM>, filled: &[(&str, &str)]) -> String {
    let mut text = String::from_utf8_lossy(line.bytes()).into_owned();
    for (value, word) in filled {
        text = text.replace(value, word);
    }
    text.trim_start_matches("init: ").trim_end().to_owned()
}

/// The usage errors, each made by a command line, with what is filled in.
fn usage_errors() -> BTreeSet<String> {
    let cases: [(&[&str], &[(&str, &str)]); 5] = [
        (&["--what"], &[("--what", "WORD")]),
        (&[], &[]),
        (&["--expect"], &[("--expect", "OPTION"), ("CODE", "VALUE")]),
        (&["-e999"], &[("--expect", "OPTION"), ("CODE", "VALUE"), ("999", "WORD"), ("0-255", "FORM")]),
        (&["--group=999"], &[("--group", "OPTION"), ("999", "WORD")]),
    ];
    let told = cases.map(|(words, filled)| {
        let mut config = Config::new(Persona::Init);
        let error = cli::read(&mut config, std::iter::empty(), words.iter().map(|word| word.as_bytes()));
        template(&error.expect_err("a usage error").line(), filled)
    });
    told.into_iter().collect()
}

/// The literals of a source that end a line: every second piece of a line that is no comment, without `\n`.
fn literals(path: &str) -> BTreeSet<String> {
    let source = text(path);
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let literals = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    literals.filter_map(|text| text.strip_suffix("\\n")).filter(|text| text.contains(' ')).map(str::to_owned).collect()
}

/// The messages as the manual shows them, by its sections.
fn messages() -> BTreeMap<&'static str, BTreeSet<String>> {
    let values = every_message::Values {
        pid: 7654,
        signal: libc::SIGKILL,
        errno: libc::EPERM,
        status: 201,
        out_of_memory: 4321,
    };
    let filled = [
        ("7654", "NUMBER"),
        ("201", "NUMBER"),
        ("4321", "NUMBER"),
        ("9 (SIGKILL)", "SIGNAL"),
        ("Operation not permitted", "REASON"),
        ("a nosuid mount, seccomp, security modules", "PLACES"),
    ];
    let mut sections = BTreeMap::<_, BTreeSet<_>>::new();
    for message in every_message::all(values) {
        let text = template(&messages::line(message), &filled);
        let section = if messages::is_verbose(&message) {
            "Messages of -v"
        } else if text.starts_with("fatal: ") || text.starts_with("warning: ") {
            "Failures and warnings"
        } else {
            "Notices"
        };
        sections.entry(section).or_default().insert(text);
    }
    let about = |message| messages::line_about(message, Words { word: b"WORD", ..Words::default() });
    let mut add = |section, text| sections.entry(section).or_default().insert(text);
    add("Failures and warnings", template(&about(Message::cannot_execute(libc::EPERM)), &filled));
    add("Messages of -v", template(&about(Message::started(7654)), &filled));
    // Those of main.rs: the others there are what actions print.
    for literal in literals("init/src/main.rs") {
        if literal.starts_with("Shutting down") {
            add("Messages of -P", literal);
        } else if let Some(text) = literal.strip_prefix("init: ") {
            add("Usage errors", text.to_owned());
        }
    }
    sections.entry("Usage errors").or_default().extend(usage_errors());
    sections
}

#[test]
fn manual_tells_every_message_and_no_other() {
    let manual = text(MANUAL);
    let (_, rest) = manual.split_once(".Sh DIAGNOSTICS\n").expect("a section on messages");
    let diagnostics = rest.split("\n.Sh ").next().unwrap_or_default();
    let sections = diagnostics.split("\n.Ss ").skip(1).map(|section| {
        let items = section.lines().filter_map(|line| line.strip_prefix(".It "));
        let items = items.map(|item| item.replace("\\(aq", "'").replace("\\-", "-")).collect::<BTreeSet<_>>();
        (section.lines().next().unwrap_or_default(), items)
    });
    assert_eq!(sections.collect::<BTreeMap<_, _>>(), messages(), "{MANUAL}, DIAGNOSTICS (left) against init (right)");
}

/// What `mandoc -T lint` says of a page, but for what it says of this machine: which other pages are installed.
fn lint(page: &Path) -> String {
    let mandoc = Command::new("mandoc").args(["-T", "lint", "-W", "style"]).arg(page).output().expect("run mandoc");
    let said = [mandoc.stdout, mandoc.stderr].concat();
    String::from_utf8_lossy(&said)
        .lines()
        .filter(|line| !line.contains("referenced manual not found") && !line.contains("outdated mandoc.db"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn manual_is_clean_under_mandoc() {
    if tools::on_path("mandoc").is_none() {
        namespace::skipped("manual_is_clean_under_mandoc", "mandoc is not installed");
        return;
    }
    // One macro that there is not: a linter that finds nothing would find this page clean, too.
    for manual in [MANUAL, MANUAL_OF_PAUSE] {
        let mut broken = tempfile::NamedTempFile::new().expect("a file");
        broken.write_all(format!("{}\n.Xx\n", text(manual)).as_bytes()).expect("write a page");
        assert!(lint(broken.path()).contains("unknown macro"));
        assert_eq!(lint(&ship::root().join(manual)), "");
    }
}

/// The manual page of `pause`.
const MANUAL_OF_PAUSE: &str = "pause/pause.1";

#[test]
fn p1_p6_manual_of_pause_tells_every_message_and_no_other() {
    let manual = text(MANUAL_OF_PAUSE);
    let (_, diagnostics) = manual.split_once(".Sh DIAGNOSTICS\n").expect("a section on messages");
    let items: BTreeSet<_> =
        diagnostics.lines().filter_map(|line| line.strip_prefix(".It ")).map(str::to_owned).collect();
    let messages = literals("pause/src/main.rs");
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert_eq!(items, messages, "{MANUAL_OF_PAUSE} (left) against pause/src/main.rs (right)");
}

#[test]
fn p5_manual_of_pause_has_every_option_and_no_other() {
    let manual = text(MANUAL_OF_PAUSE);
    let told: BTreeSet<_> = manual.lines().filter_map(|line| line.strip_prefix(".It Fl ")).collect();
    // Told to end before it begins, it ends silently unless a letter makes it print.
    let known = |letter: &char| {
        let term = bitts_tests::sys::bit(libc::SIGTERM);
        let mut pause = Case::pause().place(Place::Host).arg(format!("-{letter}")).mask(term).start_held();
        pause.signal(libc::SIGTERM);
        pause.release();
        !pause.wait().stdout.is_empty()
    };
    let letters: BTreeSet<_> = ('a'..='z').chain('A'..='Z').filter(known).map(String::from).collect();
    assert_eq!(told, letters.iter().map(String::as_str).collect(), "{MANUAL_OF_PAUSE} (left) against pause (right)");
}

// ---- links ----------------------------------------------------------------------------------------------------------

#[test]
fn what_the_documents_point_to_is_there() {
    let mut found = 0;
    let pages = [CONTRACT, "tests/TESTING.md", "tests/CONFORMANCE.md", "tests/FAULTS.md"];
    let promises = promises();
    for document in ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"].into_iter().chain(pages) {
        let text = text(document);
        let beside = ship::root().join(document);
        let folder = beside.parent().expect("a folder");
        for start in ["](", "srcset=\"", "src=\""] {
            for rest in text.split(start).skip(1) {
                let link = rest.split([')', '"']).next().unwrap_or_default();
                let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
                if !target.is_empty() && !target.contains("://") {
                    assert!(folder.join(target).exists(), "{document} points to {target}");
                    found += 1;
                }
                let page = if target.is_empty() { document } else { target };
                if page.ends_with("CONTRACT.md") && !anchor.is_empty() {
                    assert!(promises.contains(anchor), "{document} points to the promise {anchor}");
                }
            }
        }
    }
    assert!(found >= 5, "{found} links: the test looks for the wrong thing");
}

// ---- mutants --------------------------------------------------------------------------------------------------------

/// The table of TESTING.md counts what tests/mutants.jsonl has, and one row explains each that was missed.
#[test]
fn the_table_of_mutants_is_that_of_their_outcomes() {
    const FATES: [&str; 5] = ["unviable", "caught", "timed out", "same", "missed"];
    let page = text("tests/TESTING.md");
    let mut counts = BTreeMap::<String, [usize; 6]>::new();
    for line in text("tests/mutants.jsonl").lines() {
        let value = |key: &str| {
            let rest = line.split(&format!("\"{key}\":\"")).nth(1).unwrap_or_else(|| panic!("no {key}: {line}"));
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let fate = FATES.iter().position(|fate| *fate == value("fate")).unwrap_or_else(|| panic!("{line}"));
        let name = value("name");
        for row in [name.split(':').next().unwrap_or_default(), "all"] {
            let row = counts.entry(row.to_owned()).or_default();
            row[0] += 1;
            row[1 + fate] += 1;
        }
    }
    for (file, row) in &counts {
        let cells: Vec<_> = row.iter().map(ToString::to_string).collect();
        let line = format!("| {file} | {} |", cells.join(" | "));
        assert!(page.lines().any(|told| told == line), "tests/TESTING.md lacks: {line}");
    }
    let table = page.lines().skip_while(|line| !line.starts_with("| missed | why")).skip(2);
    let missed = counts.get("all").map_or(0, |row| row[5]);
    assert_eq!(table.take_while(|line| line.starts_with('|')).count(), missed, "rows that explain one");
}

// ---- versions -------------------------------------------------------------------------------------------------------

#[test]
fn i3_version_is_that_of_the_newest_entry_of_the_changelog() {
    let changelog = text("CHANGELOG.md");
    let newest = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## [")?.split(']').next())
        .find(|version| *version != "Unreleased");
    assert_eq!(newest, Some(env!("CARGO_PKG_VERSION")), "CHANGELOG.md (left) against Cargo.toml (right)");
    let init = Case::init().place(Place::Host).arg("--version").run().out();
    assert!(init.starts_with(&format!("tini version {}_bitts ", env!("CARGO_PKG_VERSION"))), "{init}");
    let pause = Case::pause().place(Place::Host).arg("-v").run().out();
    assert!(pause.starts_with(&format!("pause {} (", env!("CARGO_PKG_VERSION"))), "{pause}");
}

// ---- promises -------------------------------------------------------------------------------------------------------

/// The promises, with the names and the reasons of those that no test is named for.
const CONTRACT: &str = "tests/CONTRACT.md";

/// The numbers of all promises, from headings such as `### <a id="i11"></a>I11 keeps-descriptors`.
fn promises() -> BTreeSet<String> {
    let mut last = BTreeMap::new();
    let contract = text(CONTRACT);
    let headings = contract.lines().filter(|line| line.starts_with("### "));
    let numbers = headings.map(|line| {
        let parts = line.strip_prefix("### <a id=\"").and_then(|rest| rest.split_once("\"></a>"));
        let (anchor, title) = parts.unwrap_or_else(|| panic!("no anchor: {line}"));
        let (number, slug) = title.split_once(' ').unwrap_or_else(|| panic!("no name: {line}"));
        assert_eq!(anchor, number.to_lowercase(), "{line}");
        assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{line}");
        // Each kind counts from 1, without a gap.
        let count = last.entry(anchor[..1].to_owned()).or_insert(0);
        *count += 1;
        assert_eq!(anchor[1..].parse(), Ok(*count), "{line}");
        anchor.to_owned()
    });
    let numbers: BTreeSet<_> = numbers.collect();
    assert!(numbers.len() > 30, "{numbers:?}");
    numbers
}

/// The promises that no test is named for, from rows such as `| [B5](#b5) | held by | reason |`.
fn held_by_a_suite() -> BTreeSet<String> {
    let contract = text(CONTRACT);
    let rows = contract.lines().filter_map(|line| line.strip_prefix("| [")?.split_once("](#"));
    rows.map(|(number, _)| number.to_lowercase()).collect()
}

/// Which promises have tests: the names of tests begin with the promise's number, as functions or as names in a list.
fn held() -> BTreeMap<String, Vec<String>> {
    let mut held = BTreeMap::<_, Vec<_>>::new();
    for (path, text) in sources("tests/tests") {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            let name = if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
                rest.split('(').next()
            } else {
                line.strip_prefix("trial(\"").and_then(|rest| rest.split('"').next())
            };
            // Attributes and comments may stand between.
            is_test = line == "#[test]" || is_test && (line.starts_with('#') || line.starts_with('/'));
            let Some((number, _)) = name.and_then(|name| name.split_once('_')) else { continue };
            if number.len() > 1 && number[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                let file = path.file_name().expect("a name").to_string_lossy();
                held.entry(number.to_owned()).or_default().push(format!("{file}: {}", name.unwrap_or_default()));
            }
        }
    }
    held
}

#[test]
fn every_promise_is_held_by_a_test() {
    let promises = promises();
    let held = held();
    for (number, tests) in &held {
        assert!(promises.contains(number), "{CONTRACT} has no promise {number}, but there are tests of it: {tests:?}");
    }
    let without: BTreeSet<_> = promises.into_iter().filter(|number| !held.contains_key(number)).collect();
    assert_eq!(without, held_by_a_suite(), "promises without a test (left) against the list in {CONTRACT} (right)");
}
