//! The project itself: its layers, its dependencies, and its files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each layer, with the layers that it may import.
const LAYERS: [(&str, &[&str]); 14] = [
    (
        "cli",
        &[
            "commands", "review", "merge", "session", "runner", "vault", "git", "fault",
            "platform", "secret",
        ],
    ),
    (
        "commands",
        &[
            "review", "session", "vault", "keys", "runner", "mask", "git", "import", "crypto",
            "fault", "platform", "secret",
        ],
    ),
    (
        "review",
        &["session", "vault", "git", "crypto", "fault", "platform"],
    ),
    (
        "merge",
        &[
            "session", "vault", "keys", "git", "crypto", "fault", "secret",
        ],
    ),
    (
        "session",
        &[
            "vault", "keys", "runner", "mask", "git", "crypto", "fault", "platform", "secret",
        ],
    ),
    ("vault", &["crypto", "fault", "platform", "secret"]),
    ("keys", &["crypto", "fault", "platform", "secret"]),
    ("runner", &["fault", "platform", "secret"]),
    ("mask", &["secret"]),
    ("git", &["fault"]),
    ("import", &["fault", "secret"]),
    ("crypto", &["secret"]),
    ("platform", &["secret"]),
    ("secret", &[]),
];

/// Crates that only these layers may name.
const NAMED_BY: [(&str, &[&str]); 26] = [
    ("anyhow", &["cli", "commands", "fault"]),
    ("curve25519_dalek", &["crypto"]),
    ("age", &["crypto"]),
    ("age_core", &["crypto"]),
    ("ml_kem", &["crypto"]),
    ("sha3", &["crypto"]),
    ("ed25519_dalek", &["crypto"]),
    ("chacha20poly1305", &["crypto"]),
    ("hkdf", &["crypto"]),
    ("sha2", &["crypto"]),
    ("base64", &["crypto", "mask"]),
    ("bech32", &["crypto"]),
    ("getrandom", &["crypto"]),
    ("zeroize", &["secret"]),
    ("subtle", &["secret"]),
    ("libc", &["platform"]),
    ("rustix", &["platform"]),
    ("signal_hook", &["platform"]),
    ("serde", &["vault"]),
    ("toml", &["vault"]),
    ("toml_edit", &["vault"]),
    ("jiff", &["vault"]),
    ("clap", &["cli", "commands", "review", "session"]),
    ("tokio", &["runner"]),
    ("keyring", &["keys"]),
    ("strsim", &["fault"]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).unwrap();
                let first = below.iter().next().unwrap().to_string_lossy().into_owned();
                let layer = first.trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                found.push((layer, path, text));
            }
        }
    }
    assert!(found.len() > 40, "the sources were found");
    // A test module may use any layer.
    let modules: BTreeSet<String> = found
        .iter()
        .flat_map(|(_, _, text)| text.split("#[cfg(test)]\nmod ").skip(1))
        .filter_map(|rest| Some(rest.split_once(';')?.0.to_owned()))
        .collect();
    found.retain(|(_, path, _)| !modules.contains(&*path.file_stem().unwrap().to_string_lossy()));
    found
}

/// The identifiers after each `marker` in `text`; for `{a::x, b}`, the first of each path.
fn named(text: &str, marker: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(marker) {
        let rest = &text[at + marker.len()..];
        let groups = if let Some(group) = rest.strip_prefix('{') {
            group
                .split('}')
                .next()
                .unwrap()
                .split(',')
                .map(str::trim)
                .collect()
        } else {
            vec![rest]
        };
        for group in groups {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name: String = group.chars().take_while(|&c| is_word(c)).collect();
            names.insert(name);
        }
    }
    names
}

#[test]
fn imports_follow_the_layers() {
    for (layer, path, text) in sources() {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            assert!(
                ["main", "lib", "fault"].contains(&layer.as_str()),
                "{layer} has no place"
            );
            continue;
        };
        let code = text.split("#[cfg(test)]").next().unwrap();
        for used in named(code, "crate::") {
            let is_layer = LAYERS.iter().any(|(name, _)| *name == used) || used == "fault";
            let fine = used == layer || allowed.contains(&used.as_str());
            assert!(
                !is_layer || fine,
                "{}: {layer} may not import {used}",
                path.display()
            );
        }
    }
}

/// Each command is glue of its own: what two of them need is in a layer below.
#[test]
fn no_command_imports_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
    let mut files = 0;
    for (layer, path, text) in sources() {
        if layer != "commands" || path.ends_with("commands/mod.rs") {
            continue;
        }
        files += 1;
        let below = path.strip_prefix(&root).unwrap();
        // `crate::commands` and, from a file of the folder, `super` lead to other commands. A
        // folder without a file of its own name (`members`) holds several commands.
        let depth = below.components().count();
        let has_own_file = depth > 1
            && root
                .join(below.parent().unwrap())
                .with_extension("rs")
                .is_file();
        let is_command = depth == 1 || !has_own_file;
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            let others = ["crate::commands", "super::super::"];
            let leads_out = others.iter().any(|way| line.contains(way))
                || (is_command && line.contains("super::"));
            let is_declaration = below.ends_with("mod.rs");
            assert!(!leads_out || is_declaration, "{}: {line}", path.display());
        }
    }
    assert!(files > 20, "the commands were found");
}

#[test]
fn crates_are_used_only_in_their_layer() {
    for (layer, path, text) in sources() {
        for (name, layers) in NAMED_BY {
            if !text.contains(name) {
                continue;
            }
            let uses = text.lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//")
                    && (line.contains(&format!("use {name}::"))
                        || line.match_indices(&format!("{name}::")).any(|(at, _)| {
                            !line[..at]
                                .ends_with(|c: char| c.is_ascii_alphanumeric() || "_:".contains(c))
                        }))
            });
            assert!(
                !uses || layers.contains(&layer.as_str()),
                "{}: {name}",
                path.display()
            );
        }
    }
}

#[test]
fn source_files_are_documented_and_short() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//! "), "{}", path.display());
        assert!(text.lines().count() <= 400, "{}", path.display());
    }
}

#[test]
fn mod_files_hold_only_declarations() {
    let mut files = 0;
    for (_, path, text) in sources()
        .into_iter()
        .filter(|(_, path, _)| path.ends_with("mod.rs"))
    {
        let lines = text.lines().filter(|line| {
            let line = line.trim_start();
            !line.starts_with("//") && !line.starts_with('#')
        });
        let code = lines.collect::<Vec<_>>().join("\n");
        let is_declaration = |item: &str| {
            let visible = item.strip_prefix("pub").unwrap_or(item).trim_start();
            let scope = visible
                .strip_prefix('(')
                .and_then(|rest| rest.split_once(") "));
            let rest = scope.map_or(visible, |(_, rest)| rest);
            rest.is_empty() || rest.starts_with("mod ") || rest.starts_with("use ")
        };
        let is_empty = code.split(';').all(|item| is_declaration(item.trim()));
        assert!(is_empty, "{}", path.display());
        files += 1;
    }
    assert!(files > 10, "the files were found");
}

/// The console hides keys and escapes commands of CI runners.
#[test]
fn messages_are_printed_only_by_the_console() {
    for (_, path, text) in sources() {
        if path.ends_with("session/console.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for way in ["stderr()", "stdout()", "print!", "println!", ".print()"] {
            let uses = code.lines().filter(|line| line.contains(way));
            let writes = |line: &&str| {
                let reads = [
                    "is_terminal()",
                    "use_stderr()",
                    "rustix::stdio::",
                    "piped()",
                    "null()",
                    "//",
                ];
                !reads.iter().any(|read| line.contains(read))
            };
            let writing: Vec<&str> = uses.filter(writes).collect();
            assert!(writing.is_empty(), "{}: {writing:?}", path.display());
        }
    }
}

#[test]
fn tests_import_only_from_support() {
    for target in ["cli", "exec"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(target);
        let mut folders = vec![root];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    let marker = concat!("crate", "::");
                    let imported = named(&text, marker);
                    let others: Vec<_> =
                        imported.iter().filter(|name| *name != "support").collect();
                    assert!(
                        others.is_empty() || path.ends_with("project/layout.rs"),
                        "{}: {others:?}",
                        path.display()
                    );
                    files += 1;
                }
            }
        }
        assert!(files > 20, "the tests were found");
    }
}
