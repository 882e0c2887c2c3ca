//! The string literals of the sources, which hold every message, and the lines of all snapshots.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::shop::ROOT;
use crate::support::transcript::snapshots;

/// A string literal as the program has it: escapes and continued lines are resolved.
pub(crate) struct Literal {
    /// File and line.
    pub(crate) place: String,
    pub(crate) text: String,
    /// The last of the code before it, without spaces at its end.
    pub(crate) before: String,
}

/// The literals below `src` that are not in a test, in order.
pub(crate) fn literals() -> Vec<Literal> {
    let mut found = Vec::new();
    for path in files(&Path::new(ROOT).join("src"), "rs") {
        if path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        found.extend(of_source(&path, code));
    }
    assert!(found.len() > 2000, "the literals were found");
    found
}

/// The lines of all snapshots: literals in tests, files, and console blocks in the documents.
pub(crate) fn snapshot_lines() -> BTreeSet<String> {
    let mut texts: Vec<String> = Vec::new();
    for path in files(&Path::new(ROOT).join("tests/cli"), "rs") {
        let code = fs::read_to_string(&path).unwrap();
        let mut literals = of_source(&path, &code);
        literals.retain(|literal| {
            literal.before.ends_with("str![[") || literal.before.ends_with("str![")
        });
        texts.extend(literals.into_iter().map(|literal| literal.text));
    }
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    texts.extend(files(&snapshots(), "txt").into_iter().map(read));
    for path in files(&Path::new(ROOT).join("docs"), "md") {
        let page = read(path);
        let blocks = page.split("```").skip(1).step_by(2);
        texts.extend(blocks.filter_map(|block| block.strip_prefix("console").map(str::to_owned)));
    }
    let lines: BTreeSet<String> = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect();
    assert!(lines.len() > 2000, "the snapshots were found");
    lines
}

/// The lines of all literals in the tests.
pub(crate) fn test_lines() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for path in files(&Path::new(ROOT).join("tests/cli"), "rs") {
        if path.ends_with("project/messages.rs") {
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        for literal in of_source(&path, &code) {
            lines.extend(literal.text.lines().map(str::to_owned));
        }
    }
    lines
}

/// The files with this extension below a folder, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut next = vec![folder.to_owned()];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(path) = next.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            next.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|kind| kind == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The literals of one source.
fn of_source(path: &Path, code: &str) -> Vec<Literal> {
    let name = path.strip_prefix(ROOT).unwrap().display();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, text) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with('\'') {
            (character(rest), None)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw(rest)
        } else if rest.starts_with("br\"") || rest.starts_with("br#") {
            (1, None)
        } else if rest.starts_with('"') {
            quoted(rest)
        } else {
            // A name may end with `r`, and no string follows it.
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = word.unwrap_or(rest.len());
            (length.max(rest.chars().next().unwrap().len_utf8()), None)
        };
        if let Some(text) = text {
            let line = code[..at].matches('\n').count() + 1;
            found.push(Literal {
                place: format!("{name}:{line}"),
                text,
                before: last(code[..at].trim_end()).to_owned(),
            });
        }
        at += length;
    }
    found
}

/// The last hundred bytes or fewer.
fn last(code: &str) -> &str {
    let start = code.len().saturating_sub(100);
    let start = (start..=code.len())
        .find(|&at| code.is_char_boundary(at))
        .unwrap();
    &code[start..]
}

/// The length of a character literal, or of the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match inside.next() {
        Some('\\') => rest[3..].find('\'').map_or(1, |end| end + 4),
        Some(c) if inside.next() == Some('\'') => c.len_utf8() + 2,
        _ => 1,
    }
}

fn raw(rest: &str) -> (usize, Option<String>) {
    let marks = rest[1..].len() - rest[1..].trim_start_matches('#').len();
    let Some(inside) = rest[1 + marks..].strip_prefix('"') else {
        return (1, None);
    };
    let end = format!("\"{}", "#".repeat(marks));
    let length = inside.find(&end).unwrap();
    (
        1 + marks + 1 + length + end.len(),
        Some(inside[..length].to_owned()),
    )
}

fn quoted(rest: &str) -> (usize, Option<String>) {
    let (mut text, mut characters) = (String::new(), rest.char_indices().skip(1));
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (at + 1, Some(text)),
            '\\' => match characters.next().unwrap().1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'u' => drop(characters.find(|(_, c)| *c == '}')),
                'x' => drop(characters.nth(1)),
                '\n' => {
                    let blank = |(_, c): &(usize, char)| c.is_whitespace();
                    let mut ahead = characters.clone();
                    while ahead.next().as_ref().is_some_and(blank) {
                        characters.next();
                    }
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    panic!("a literal does not end: {}", &rest[..40.min(rest.len())]);
}
