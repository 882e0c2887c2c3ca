//! Each dependency has a reason, duplicates are documented, licenses are compatible, and the curve
//! and ciphers exist only once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The licenses that are allowed in a program under MIT OR Apache-2.0. If a crate offers several
/// licenses, one of them is enough.
const LICENSES: [&str; 7] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Unicode-3.0",
    "Unlicense",
];

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The package data of cargo for this kind of machine; no other packages need to be downloaded.
fn metadata() -> Value {
    let version = cargo(&["-vV"]);
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let metadata = [
        "metadata",
        "--format-version=1",
        "--locked",
        "--offline",
        "--filter-platform",
    ];
    serde_json::from_str(&cargo(&[&metadata[..], &[host]].concat())).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The packages that are part of the binary or run during its build.
fn normal_graph(metadata: &Value) -> Vec<&Value> {
    let resolve = &metadata["resolve"];
    let nodes = list(&resolve["nodes"]);
    let mut seen = BTreeSet::new();
    let mut next = vec![text(&resolve["root"])];
    while let Some(id) = next.pop() {
        if seen.insert(id) {
            let node = nodes.iter().find(|node| node["id"] == id).unwrap();
            let is_normal = |dependency: &&Value| {
                list(&dependency["dep_kinds"])
                    .iter()
                    .any(|kind| kind["kind"].is_null())
            };
            let normal = list(&node["deps"]).iter().filter(is_normal);
            next.extend(normal.map(|dependency| text(&dependency["pkg"])));
        }
    }
    let packages = list(&metadata["packages"]);
    packages
        .iter()
        .filter(|package| seen.contains(text(&package["id"])))
        .collect()
}

/// The rows of the table under a heading of docs/reference/dependencies.md: the name in backquotes,
/// and the other cells.
fn rows(heading: &str) -> BTreeMap<String, Vec<String>> {
    let page = file("docs/reference/dependencies.md");
    let section = page
        .split(&format!("\n## {heading}\n"))
        .nth(1)
        .expect(heading);
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let mut cells = row.trim_end_matches(" |").split(" | ").map(str::to_owned);
        let name = cells.next().unwrap();
        (name.trim_end_matches('`').to_owned(), cells.collect())
    })
    .collect()
}

/// The dependencies in Cargo.toml, each with the comment above it.
fn direct() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut inside, mut comment) = (false, Vec::new());
    for line in file("Cargo.toml").lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
            comment.clear();
        } else if let Some(words) = line.strip_prefix("# ") {
            comment.push(words.to_owned());
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| inside) {
            // A dependency of both the product and its tests is listed once.
            found
                .entry(name.to_owned())
                .or_insert_with(|| comment.join(" "));
            comment.clear();
        }
    }
    found
}

#[test]
fn direct_dependencies_have_documented_reasons() {
    let page: BTreeSet<String> = rows("Direct dependencies")
        .into_iter()
        .map(|(name, cells)| format!("| `{name}` | {} |", cells.join(" | ")))
        .collect();
    let direct = direct();
    assert!(
        direct.values().all(|reason| !reason.is_empty()),
        "{direct:?}"
    );
    let direct = direct
        .into_iter()
        .map(|(name, reason)| format!("| `{name}` | {reason} |"));
    let direct: BTreeSet<String> = direct.collect();
    let missing: Vec<&String> = direct.difference(&page).collect();
    let beyond: Vec<&String> = page.difference(&direct).collect();
    let is_same = missing.is_empty() && beyond.is_empty();
    assert!(
        is_same,
        "docs/reference/dependencies.md lacks {missing:#?} and has {beyond:#?}"
    );
}

#[test]
fn duplicate_dependencies_have_documented_reasons() {
    // Versions that cargo considers compatible count as one: 1, or 0.12.
    let line_of = |version: &str| {
        let parts: Vec<&str> = version.split('.').collect();
        if parts[0] == "0" {
            parts[..2].join(".")
        } else {
            parts[0].to_owned()
        }
    };
    let metadata = metadata();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in normal_graph(&metadata) {
        let name = text(&package["name"]).to_owned();
        versions
            .entry(name)
            .or_default()
            .insert(line_of(text(&package["version"])));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let joined = |versions: BTreeSet<String>| versions.into_iter().collect::<Vec<_>>().join(", ");
    let found: BTreeMap<String, String> = versions
        .into_iter()
        .map(|(name, versions)| (name, joined(versions)))
        .collect();
    let page = rows("Duplicates");
    assert!(
        page.values()
            .all(|cells| cells.len() == 3 && !cells[2].is_empty()),
        "{page:?}"
    );
    let page: BTreeMap<String, String> = page
        .into_iter()
        .map(|(name, cells)| (name, cells[0].clone()))
        .collect();
    assert_eq!(
        found, page,
        "cargo tree -d -e normal (left), docs/reference/dependencies.md (right)"
    );
}

#[test]
fn curve_and_cipher_crates_exist_once() {
    let lock: toml::Table = file("Cargo.lock").parse().unwrap();
    for name in [
        "curve25519-dalek",
        "ed25519-dalek",
        "x25519-dalek",
        "chacha20poly1305",
        "age",
    ] {
        let packages = lock["package"].as_array().unwrap().iter();
        let count = packages
            .filter(|package| package["name"].as_str() == Some(name))
            .count();
        assert_eq!(count, 1, "{name}");
    }
}

#[test]
fn every_license_is_compatible() {
    for package in list(&metadata()["packages"]) {
        let license = package["license"]
            .as_str()
            .unwrap_or("none")
            .replace('/', " OR ");
        let fits = license.split(" AND ").all(|part| {
            part.trim_matches(['(', ')'])
                .split(" OR ")
                .any(|one| LICENSES.contains(&one.trim()))
        });
        assert!(fits, "{}: {license}", package["name"]);
    }
}
