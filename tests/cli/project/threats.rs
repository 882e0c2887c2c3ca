//! The threat model cites tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of all tables: attack, protected, by what, shown by.
fn rows() -> Vec<[String; 4]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/threat-model.md");
    let text = fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("|---"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let rows = lines.map(|line| cells(line).try_into().unwrap_or_else(|_| panic!("{line}")));
    rows.filter(|row: &[String; 4]| row[1] != "protected")
        .collect()
}

/// The texts between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Every test source, by its path below `tests` without the extension.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut folders: Vec<PathBuf> = ["cli", "exec", "masking"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path
                    .with_extension("")
                    .strip_prefix(&root)
                    .unwrap()
                    .display()
                    .to_string();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn threat_model_cites_existing_tests() {
    let sources = sources();
    let rows = rows();
    assert!(rows.len() > 40, "the tables were found");
    for [attack, protected, by_what, shown_by] in rows {
        let named = quoted(&shown_by);
        match protected.as_str() {
            "yes" | "in part" => assert!(!named.is_empty(), "{attack}: no test shows it"),
            "no" => {}
            other => panic!("{attack}: {other} is neither yes, no nor in part"),
        }
        assert!(!by_what.is_empty(), "{attack}");
        for test in named {
            let (file, name) = test
                .split_once("::")
                .unwrap_or_else(|| panic!("{attack}: {test}"));
            let is_there = sources.iter().any(|(path, text)| {
                (path == file || path.ends_with(&format!("/{file}")))
                    && text.contains(&format!("#[test]\nfn {name}() {{"))
            });
            assert!(is_there, "{attack}: there is no test {test}");
        }
    }
}
