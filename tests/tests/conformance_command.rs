//! `cargo conformance` as a command: what it says, where, and how it ends.

use std::ffi::OsStr;
use std::process::{Command, Output};

use bitts_tests::conformance::table::TABLE;
use bitts_tests::{namespace, needs_namespaces, needs_strace, ship, tools};

/// Runs it.
fn conformance<Word: AsRef<OsStr>>(words: impl IntoIterator<Item = Word>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conformance")).args(words).output().expect("the command")
}

/// Its exit status, its output and its errors.
fn told<Word: AsRef<OsStr>>(words: impl IntoIterator<Item = Word>) -> (Option<i32>, String, String) {
    let output = conformance(words);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn path(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[test]
fn a_wrong_command_line_ends_with_2_and_names_what_is_wrong() {
    let init = path(ship::init());
    let wrong: [(&[&str], &str); 8] = [
        (&["--init", "/no/such/file"], "/no/such/file"),
        (&["--init", &init, "--as", "sysvinit"], "sysvinit"),
        (&["--init", &init, "--as", "pause"], "pause"),
        (&["--init", &init, "--pause", &init], "--pause"),
        (&["--as", "tini"], "--init or --pause"),
        (&["--init", &init, "--only", "("], "("),
        (&["--init", &init, "--only", "no such case"], "no case"),
        (&["--no-such-option"], "--no-such-option"),
    ];
    for (words, named) in wrong {
        let (status, out, err) = told(words);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{words:?}: {err}");
        assert!(err.contains(named), "{words:?}: {err}");
    }
}

#[test]
fn the_list_is_the_table() {
    let (status, out, _) = told(["--list"]);
    let expected: String = bitts_tests::conformance::Suite::ALL
        .into_iter()
        .flat_map(|suite| suite.rows())
        .map(|row| format!("{} {} {}\n", row.suite.name(), row.promise, row.name()))
        .collect();
    assert_eq!((status, out.lines().count()), (Some(0), TABLE.len()));
    assert_eq!(out, expected);
    let (_, out, _) = told(["--list", "--only", "^P5 "]);
    assert_eq!(out.lines().count(), TABLE.iter().filter(|row| row.promise == "P5").count(), "{out}");
}

#[test]
fn a_program_that_keeps_its_promises_ends_it_with_0() {
    needs_namespaces!();
    let (status, out, err) = told(["--pause", &path(ship::pause()), "--only", "^P[16] "]);
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(out.contains("0 not as expected") && !out.contains("FAILED"), "{out}");
}

#[test]
fn a_program_that_does_not_ends_it_with_1_and_is_told_what_was_expected_and_seen() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a folder");
    let (json, junit) = (folder.path().join("report.json"), folder.path().join("report.xml"));
    let words = |fault: &str| {
        let pause = path(ship::bad_pause());
        let files = ["--json", &path(&json), "--junit", &path(&junit)].map(str::to_owned);
        let own =
            ["--pause", &pause, "--only", "^P[16] ", "--", "--fault", &fault.replace(' ', "_")].map(str::to_owned);
        files.into_iter().chain(own).collect::<Vec<_>>()
    };
    let (status, out, err) = told(words("does not warn"));
    assert_eq!(status, Some(1), "{out}{err}");
    let case = "P6 not PID 1: warns, and goes on";
    let failed: Vec<_> = out.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert_eq!(failed, [format!("FAILED bad-pause: {case}")], "{out}");
    assert!(
        out.contains("expected: \"Warning: pause should be the first process") && out.contains("seen:     ✗:"),
        "{out}"
    );

    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&json).expect("a report")).expect("JSON");
    let report = &report["reports"][0];
    assert_eq!((report["program"].as_str(), report["good"].as_bool()), (Some("bad-pause"), Some(false)));
    let cases = report["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), TABLE.iter().filter(|row| ["P1", "P6"].contains(&row.promise)).count());
    let failed: Vec<_> = cases.iter().filter(|case| case["result"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((&failed[0]["promise"], &failed[0]["kept"]), (&"P6".into(), &false.into()));
    assert!(failed[0]["expected"].is_string() && failed[0]["seen"].is_string());

    let report = std::fs::read_to_string(&junit).expect("a report");
    assert_eq!(report.matches("<testcase ").count(), cases.len(), "{report}");
    assert_eq!((report.matches("<failure ").count(), report.matches(case).count()), (1, 2), "{report}");

    // The control: another fault does not touch these cases.
    let (status, out, err) = told(words("does not reap"));
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(!std::fs::read_to_string(&junit).expect("a report").contains("<failure "));
}

/// The page cannot tell a size beforehand, but ours has a limit.
#[test]
fn a_number_of_ours_is_held_to_its_promise() {
    needs_namespaces!();
    let size = ["--only", "^B4 file"];
    let (status, out, err) = told(["--pause", &path(ship::pause())].into_iter().chain(size));
    assert_eq!(status, Some(0), "{out}{err}");
    let (status, out, err) = told(["--pause", &path(ship::init()), "--as", "pause"].into_iter().chain(size));
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(out.contains("FAILED"), "{out}");
}

/// What is known of tini is expected of it, and is a failure by the contract.
#[test]
fn a_peer_is_held_to_the_page_or_to_the_contract() {
    needs_namespaces!();
    needs_strace!();
    if let Err(why) = bitts_tests::conformance::peers_are_those_of_the_page() {
        return namespace::skipped("a_peer_is_held_to_the_page_or_to_the_contract", &why);
    }
    let tini = path(&tools::on_path("tini").expect("installed"));
    // Status 1, where 126 is promised; I14's option is none of tini's.
    let only = ["--only", "^I10 exit status: a file|^I14 half.*[)]$"];
    let (status, out, _) = told(["--init", &tini].into_iter().chain(only));
    assert_eq!(status, Some(0), "{out}");
    assert!(out.contains("1 known not to be kept") && out.contains("1 without an option"), "{out}");
    let (status, out, _) = told(["--init", &tini, "--contract"].into_iter().chain(only));
    assert_eq!(status, Some(1), "{out}");
    assert!(out.contains("expected: exit status 126\n  seen:     1: exit status 1"), "{out}");
    // Ours does otherwise than tini, if it is taken for it.
    let (status, out, _) = told(["--init", &path(ship::init()), "--as", "tini"].into_iter().chain(only));
    assert_eq!(status, Some(1), "{out}");
    assert!(out.contains("expected: 1, as the page has it") && out.contains("seen:     126"), "{out}");
}
