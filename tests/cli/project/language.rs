//! The language of documents, comments, messages, and test names: plain American English.
//!
//! Sentences are compared with constructions that native technical prose does not use. Each kind
//! of text has an allowance, which only shrinks. `.ci/spelling` checks the spelling.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How many sentences of each kind may have such a construction. Lower a number with the hits.
const ALLOWED: [(&str, usize); 4] = [
    ("comments", 20),
    ("docs", 0),
    ("messages", 18),
    ("test names", 0),
];

/// The file with the patterns themselves.
const EXCLUDED: &str = "tests/cli/project/language.rs";

/// Constructions, word by word. `a|b` is either word, `!a|b` any other one, and `^` the start of
/// the sentence or a mark that begins a clause.
const PATTERNS: [&str; 22] = [
    "anew|whoever|behind|stand|stands",
    "somebody|nobody|anybody|everybody",
    "he|his|him|himself",
    "tell|tells|told",
    "shall|lest|meanwhile|thereby",
    "be it",
    "for ever",
    "any more",
    "is|are|was|be|been no !longer|more",
    "by another way",
    "another way than",
    "where there|it|none|they|no|nobody|somebody|neither|all|that",
    "nothing where|when|if",
    "nothing for|in a",
    "is another one",
    "is|was of a|an|the|another|epoch|older",
    "goes|go|went|going on",
    "all of it",
    "all that|who",
    "^ who is|was|has|may|can|lost|writes|adds|types|reads|joins|leaves|knows|trusts|never",
    "^|of|in|with|and|or|to what is|was|it|they|a|the|has|had|can|could|must|may|comes|came",
    "^|of|in|with|and|or|to what belongs|remains|stays|there|differs|goes",
];

/// The words of a sentence, and each mark that begins a clause as a word of its own.
fn words(sentence: &str) -> Vec<String> {
    let mut spaced = String::from("^ ");
    for character in sentence.chars() {
        match character {
            '.' | ';' | ':' | ',' | '(' => spaced.push_str(" ^ "),
            '\'' | '’' => spaced.push('\''),
            character if character.is_alphanumeric() => spaced.extend(character.to_lowercase()),
            _ => spaced.push(' '),
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

fn is_plain(sentence: &str) -> bool {
    let words = words(sentence);
    let fits = |word: &String, wanted: &str| match wanted.strip_prefix('!') {
        Some(others) => word != "^" && !others.split('|').any(|other| other == word),
        None => wanted.split('|').any(|choice| choice == word),
    };
    !PATTERNS.iter().any(|pattern| {
        let wanted: Vec<&str> = pattern.split(' ').collect();
        let mut windows = words.windows(wanted.len());
        windows.any(|part| {
            part.iter()
                .zip(&wanted)
                .all(|(word, wanted)| fits(word, wanted))
        })
    })
}

/// The sentences of prose, without code: a paragraph ends at a blank line, a list item, or a row.
fn sentences(prose: &str) -> Vec<String> {
    let outside = |text: &str, fence: &str, replacement: &str| -> String {
        text.split(fence)
            .step_by(2)
            .collect::<Vec<_>>()
            .join(replacement)
    };
    let text = outside(&outside(prose, "```", "\n\n"), "`", "code");
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['-', '|', '#', '*']) {
            paragraphs.push(String::new());
        }
        let last = paragraphs.last_mut().unwrap();
        last.push_str(line);
        last.push(' ');
    }
    let split = |text: &String| -> Vec<String> {
        let marked = [". ", "! ", "? ", "| "]
            .iter()
            .fold(text.clone(), |text, mark| {
                text.replace(mark, &mark.replace(' ', "\n"))
            });
        marked.lines().map(str::to_owned).collect()
    };
    let long = |sentence: &String| sentence.split_whitespace().count() >= 4;
    paragraphs.iter().flat_map(split).filter(long).collect()
}

/// The comments of a source file; code between them separates paragraphs.
fn comments(text: &str) -> String {
    let comment = |line: &str| {
        let after = line.trim_start().strip_prefix("//")?;
        Some(after.trim_start_matches(['/', '!']).to_owned())
    };
    text.lines()
        .map(|line| comment(line).unwrap_or_default() + "\n")
        .collect()
}

/// The string literals of a source file that have at least four words.
fn literals(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code
        .join("\n")
        .replace("\\\\", "")
        .replace("'\"'", "")
        .replace("\\\"", "");
    let literals = code.split('"').skip(1).step_by(2);
    literals
        .filter(|text| text.split_whitespace().count() >= 4)
        .map(str::to_owned)
        .collect()
}

fn test_names(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let name = |pair: &[&str]| {
        let name = pair[1]
            .strip_prefix("fn ")
            .filter(|_| pair[0] == "#[test]")?;
        name.split('(').next().map(str::to_owned)
    };
    lines.windows(2).filter_map(name).collect()
}

/// The texts of the project, by their paths.
fn texts() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut next: Vec<PathBuf> = ["benches", "docs", "examples", "fuzz", "src", "tests"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    next.extend(
        [
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "README.md",
            "SECURITY.md",
        ]
        .iter()
        .map(|name| root.join(name)),
    );
    let mut found = BTreeMap::new();
    while let Some(path) = next.pop() {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if path.is_dir() && !name.contains("/.") && !name.ends_with("/target") {
            next.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path
            .extension()
            .is_some_and(|kind| kind == "rs" || kind == "md")
        {
            found.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    found.remove(EXCLUDED);
    assert!(found.len() > 200, "the texts were found");
    found
}

#[test]
fn texts_are_in_plain_english() {
    let mut hits: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut look = |kind: &'static str, path: &str, sentences: Vec<String>| {
        let odd = sentences.into_iter().filter(|sentence| !is_plain(sentence));
        hits.entry(kind)
            .or_default()
            .extend(odd.map(|sentence| format!("{path}: {sentence}")));
    };
    for (path, text) in &texts() {
        if Path::new(path).extension().is_some_and(|kind| kind == "md") {
            look("docs", path, sentences(text));
            continue;
        }
        look("comments", path, sentences(&comments(text)));
        look(
            "test names",
            path,
            test_names(text)
                .iter()
                .map(|name| name.replace('_', " "))
                .collect(),
        );
        if path.starts_with("src/") {
            look("messages", path, literals(text));
        }
    }
    for (kind, allowed) in ALLOWED {
        let found = &hits[kind];
        let count = found.len();
        assert!(
            count <= allowed,
            "{count} {kind}, {allowed} allowed; reword:\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn test_names_are_short_and_without_relative_clauses() {
    for (path, text) in &texts() {
        for name in test_names(text) {
            let is_relative =
                |word: &str| ["that", "what", "which", "who", "whose"].contains(&word);
            assert!(
                name.len() <= 60 && !name.split('_').any(is_relative),
                "{path}: {name}"
            );
        }
    }
}
