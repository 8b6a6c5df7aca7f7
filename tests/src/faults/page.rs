//! The page tests/FAULTS.md, made of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Cell, Class, Fault, ship};

/// A cell, what is expected of it, what is known to be wrong with it, and what came of it.
pub struct Judged {
    /// Which.
    pub cell: Cell,
    /// What is expected.
    pub class: Class,
    /// What is known to be wrong, if the cell is not as expected.
    pub known: Option<&'static str>,
    /// Why it is not as expected.
    pub result: Result<(), String>,
}

/// Where the page is.
#[must_use]
pub fn path() -> PathBuf {
    ship::root().join("tests/FAULTS.md")
}

/// What stands above the tables.
const HEAD: &str = "\
# What becomes of a system call that fails

Made by `cargo faults --write`: every system call of `init` and `pause`, with every error that its man page names, ENOSYS, a
burst of EINTR, and delays. A row has the cells of one call that end alike. `call n` is the n-th call of its kind alone,
`always` every one, `filter` a seccomp filter, which the child inherits.

";

/// A row's cells.
#[derive(Default)]
struct Row {
    errors: BTreeSet<&'static str>,
    ways: BTreeSet<String>,
    scenarios: BTreeSet<&'static str>,
    cells: usize,
}

/// The whole page.
#[must_use]
pub fn markdown(judged: &[Judged], memory: &str) -> String {
    let mut text = HEAD.to_owned();
    let failed = judged.iter().filter(|one| one.result.is_err()).count();
    text += &format!("{} cells, {} as they should be, {failed} not.\n", judged.len(), judged.len() - failed);
    for program in ["init", "pause"] {
        text += &format!(
            "\n## {program}\n\n| call | fails with | where | in | outcome | cells |\n|---|---|---|---|---|---|\n"
        );
        let mut rows = BTreeMap::<(&str, String), Row>::new();
        for one in judged.iter().filter(|one| one.cell.scenario.name.starts_with("pause") == (program == "pause")) {
            let Some((call, fault)) = one.cell.fault else { continue };
            let outcome = match (&one.result, one.known) {
                (Ok(()), _) => one.class.to_string(),
                (Err(_), Some(what)) => format!("✗ {what}"),
                // Where the repository lies is nobody's business.
                (Err(why), None) => format!("✗ {why}").replace(&format!("{}/", ship::root().display()), ""),
            };
            let row = rows.entry((call.name, outcome)).or_default();
            row.cells += 1;
            row.scenarios.insert(one.cell.scenario.name);
            row.errors.extend(fault.error().map(|error| error.name));
            row.ways.insert(match fault {
                Fault::Nth(_, n) => format!("call {n}"),
                Fault::Burst(_) => "calls 1–20".to_owned(),
                Fault::Always(_) => "always".to_owned(),
                Fault::Refused(_) => "filter".to_owned(),
                Fault::Delay(_) => "delayed".to_owned(),
            });
        }
        for ((call, outcome), row) in rows {
            let all = super::calls::call(call).all_errors().count();
            let errors = if row.errors.len() == all { "every error".to_owned() } else { join(row.errors) };
            let Row { ways, scenarios, cells, .. } = row;
            text += &format!("| {call} | {errors} | {} | {} | {outcome} | {cells} |\n", join(ways), join(scenarios));
        }
    }
    text += "\n## The smallest memory cgroup\n\nin which the program starts, with the floor of pause as the child of an init, and ends with 0 at TERM.\n\n";
    text += memory;
    text
}

/// With commas.
fn join<Word: AsRef<str>>(words: impl IntoIterator<Item = Word>) -> String {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}
