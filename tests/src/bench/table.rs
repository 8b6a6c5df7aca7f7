//! The rows as tables in Markdown, and their places in the documents.

use std::fmt::Write;

use super::cell::{Cell, Show};
use super::{Row, Subject};
use crate::ship;

/// A number with a comma at each thousand.
#[must_use]
pub fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut result = sign.to_owned();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            result.push(',');
        }
        result.push(digit);
    }
    result + rest
}

/// The head of a table with these columns.
fn head(columns: &[&str]) -> String {
    format!("| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

/// A cell's text, or a dash.
fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

/// All that was measured: a column for each subject.
#[must_use]
pub fn measured(subjects: &[Subject], rows: &[Row]) -> String {
    let heads: Vec<_> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    let mut text = head(&heads);
    for row in rows {
        let cells: Vec<_> = row.cells.iter().map(|cell| or_dash(cell.as_ref().map(Cell::text))).collect();
        let _ = writeln!(text, "| {} | {} |", row.what, cells.join(" | "));
    }
    text
}

/// What ours, the first column, is in terms of its floor, of tini-static and of the best peer, with the interval of each ratio.
#[must_use]
pub fn ratios(subjects: &[Subject], rows: &[Row]) -> String {
    let named = |name| subjects.iter().position(|subject| subject.name == name);
    let (floor, tini) = (named("floor"), named("tini-static"));
    let mut heads = vec![floor.map(|_| "of the floor's"), tini.map(|_| "of tini-static's"), Some("of the best peer's")];
    heads.retain(Option::is_some);
    let mut text = head(&heads.into_iter().flatten().collect::<Vec<_>>());
    for row in rows {
        let Some(own) = row.cells[0].as_ref().filter(|cell| cell.show.is_median()) else { continue };
        let ratio = |index: usize| {
            or_dash(row.cells[index].as_ref().and_then(|other| own.ratio_to(other)).map(|r| r.to_string()))
        };
        let peers = (1..subjects.len()).filter(|&index| Some(index) != floor);
        let value = |index: usize| row.cells[index].as_ref().and_then(Cell::value);
        let best = peers
            .filter(|&index| value(index).is_some())
            .min_by(|&a, &b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)));
        let mut cells: Vec<_> = [floor, tini].into_iter().flatten().map(ratio).collect();
        cells.push(or_dash(best.map(|best| format!("{}, {}", ratio(best), subjects[best].name))));
        let _ = writeln!(text, "| {} | {} |", row.what, cells.join(" | "));
    }
    text
}

/// The median or the count of each run, and whether they agree.
#[must_use]
pub fn runs(subjects: &[Subject], rows: &[Row]) -> String {
    let heads: Vec<_> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    let mut text = head(&heads);
    for row in rows {
        let cell = |cell: &Cell| {
            let decimals = cell.show.decimals().unwrap_or(0);
            let each: Vec<_> = cell.of_each_run().into_iter().map(|number| grouped(number, decimals)).collect();
            format!("{}{}", each.join(" · "), if cell.agrees() { "" } else { " **≠**" })
        };
        if row.cells.iter().flatten().any(|cell| cell.show != Show::Word) {
            let cells: Vec<_> = row.cells.iter().map(|c| or_dash(c.as_ref().map(cell))).collect();
            let _ = writeln!(text, "| {} | {} |", row.what, cells.join(" | "));
        }
    }
    text
}

/// What all was measured on, how often, and in how many cells the runs agree.
#[must_use]
pub fn provenance(rows: &[Row]) -> String {
    let cells = || rows.iter().flat_map(|row| row.cells.iter().flatten());
    let agree = cells().filter(|cell| cell.agrees()).count();
    let runs = cells().map(|cell| cell.runs.len()).max().unwrap_or(0);
    let agreement = if runs > 1 {
        format!("; they agree within their spread in {agree} of {} cells", cells().count())
    } else {
        String::new()
    };
    let times = if runs == 1 { "once".to_owned() } else { format!("in {runs} runs") };
    format!("Measured {times} on {}{agreement}.\n", machine())
}

/// What this machine is: processor, memory, kernel, distribution.
fn machine() -> String {
    let value = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key).map(str::to_owned)).unwrap_or_default();
        line.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '"' | '=')).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = value("/proc/meminfo", "MemTotal");
    let memory = memory.trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / f64::from(1 << 20);
    let kernel = nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned());
    // What a vendor has added to the number says which machine it is, not which kernel.
    let kernel = kernel.unwrap_or_default();
    let kernel = kernel.split('-').next().unwrap_or_default();
    format!(
        "{cores} cores of {} ({}), {memory:.0} GiB, Linux {kernel}, {}",
        value("/proc/cpuinfo", "model name"),
        std::env::consts::ARCH,
        value("/etc/os-release", "PRETTY_NAME"),
    )
}

/// Puts `text` between the marks called `name` in a document of the repository.
///
/// # Panics
/// The marks are missing, or the document cannot be written.
pub fn write(document: &str, name: &str, text: &str) {
    let path = ship::root().join(document);
    let old = std::fs::read_to_string(&path).expect(document);
    let marks = [format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n")];
    let start = old.find(&marks[0]).expect("the mark in the document") + marks[0].len();
    let end = old.find(&marks[1]).expect("the second mark in the document");
    std::fs::write(&path, [&old[..start], text, &old[end..]].concat()).expect(document);
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0.0, 0), "0");
        assert_eq!(grouped(999.4, 0), "999");
        assert_eq!(grouped(-1234.56, 1), "-1,234.6");
        assert_eq!(grouped(1_234_567.0, 0), "1,234,567");
    }
}
