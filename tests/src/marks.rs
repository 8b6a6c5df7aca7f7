//! The parts of documents that commands write: each stands between two marks with its name.

use std::path::PathBuf;

use crate::ship;

/// The text of a document of the repository, in three: up to the part, the part, and the rest.
///
/// # Panics
/// There is no such document, or the marks are missing.
fn split(document: &str, name: &str) -> (PathBuf, [String; 3]) {
    let path = ship::root().join(document);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
    let find = |mark: String| text.find(&mark).map(|at| (at, at + mark.len()));
    let marks = (find(format!("<!-- {name} -->\n")), find(format!("<!-- /{name} -->\n")));
    let (Some((_, start)), Some((end, _))) = marks else { panic!("the marks of {name} in {document}") };
    (path, [&text[..start], &text[start..end], &text[end..]].map(str::to_owned))
}

/// What the document has there.
///
/// # Panics
/// There is no such document, or the marks are missing.
#[must_use]
pub fn read(document: &str, name: &str) -> String {
    let (_, [_, part, _]) = split(document, name);
    part
}

/// Puts `part` there.
///
/// # Panics
/// There is no such document, the marks are missing, or it cannot be written.
pub fn write(document: &str, name: &str, part: &str) {
    let (path, [before, _, behind]) = split(document, name);
    std::fs::write(path, [&before, part, &behind].concat()).unwrap_or_else(|error| panic!("{document}: {error}"));
}
