//! A flipped byte in a machine-written file: no command accepts any part of that file.

use std::collections::BTreeMap;
use std::fs;

use repovault::vault::store::Tree;
use repovault::vault::trust::UnverifiedRoot;

use crate::support::machine::all_is_wanted;
use crate::support::refusal::{Command, Why, stopped};
use crate::support::sandbox::Sandbox;

/// The bits that are flipped: the lowest, the one for a letter's case, and the highest.
const FLIPS: [u8; 3] = [0x01, 0x20, 0x80];

type Files = BTreeMap<String, Vec<u8>>;

const ROOT: &str = "root.toml";
const MEMBER: &str = "members/alice.toml";
const ENTRY: &str = "production/LIVE.toml";
const TOMBSTONE: &str = "production/GONE.toml";

/// Every kind of file, with the commands that read it.
const KINDS: [(&str, &[Command]); 4] = [
    (
        ROOT,
        &[
            &["get", "LIVE", "-e", "production"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["list", "-e", "production"],
            &["set", "NEW", "-e", "production"],
            &["ci", "add", "github", "-e", "production"],
        ],
    ),
    (
        MEMBER,
        &[
            &["get", "LIVE", "-e", "production"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["set", "NEW", "-e", "production"],
            &["list", "-e", "production"],
            &["ci", "add", "github", "-e", "production"],
        ],
    ),
    (
        ENTRY,
        &[
            &["get", "LIVE", "-e", "production"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["set", "LIVE", "-e", "production"],
            &["remove", "LIVE", "-e", "production"],
            &[
                "copy",
                "LIVE",
                "--from",
                "production",
                "--to",
                "development",
            ],
        ],
    ),
    (
        TOMBSTONE,
        &[
            &["get", "GONE", "-e", "production"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["set", "GONE", "-e", "production"],
            &["list", "-e", "production"],
        ],
    ),
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("production", "LIVE", b"alive");
    sandbox.set("production", "GONE", b"dead");
    sandbox.quick(&["remove", "GONE", "-e", "production"]);
    sandbox
}

/// Whether the check used by every command accepts the file at `path`.
fn accepts(files: Files, path: &str) -> bool {
    let Ok(presented) = UnverifiedRoot::read(Tree::Committed(files)) else {
        return false;
    };
    let Ok(vault) = presented.into_vault() else {
        return false;
    };
    match path.trim_end_matches(".toml").split_once('/') {
        None => true,
        Some(("members", name)) => vault.counting(&name.parse().unwrap()).unwrap().is_some(),
        Some((environment, name)) => {
            let environment = vault.environment(&environment.parse().unwrap()).unwrap();
            vault
                .entry(environment, &name.parse().unwrap())
                .is_ok_and(|entry| entry.is_some())
        }
    }
}

#[test]
fn changing_any_byte_of_any_file_is_refused() {
    let sandbox = sandbox();
    let read = |path: &str| (path.to_owned(), fs::read(sandbox.store(path)).unwrap());
    let files: Files = KINDS.iter().map(|(path, _)| read(path)).collect();
    for (path, _) in KINDS {
        assert!(accepts(files.clone(), path), "{path} as it was written");
        for at in 0..files[path].len() {
            for flip in FLIPS {
                let mut files = files.clone();
                files.get_mut(path).unwrap()[at] ^= flip;
                assert!(!accepts(files, path), "{path}, byte {at} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn truncated_or_extended_files_are_refused() {
    let sandbox = sandbox();
    let read = |path: &str| (path.to_owned(), fs::read(sandbox.store(path)).unwrap());
    let files: Files = KINDS.iter().map(|(path, _)| read(path)).collect();
    for (path, _) in KINDS {
        for length in 0..files[path].len() {
            let mut files = files.clone();
            files.get_mut(path).unwrap().truncate(length);
            assert!(!accepts(files, path), "{path} cut after {length} bytes");
        }
        for tail in ["\n", " ", "\0", "#", "a", "signature = \"\"\n"] {
            let mut files = files.clone();
            files.get_mut(path).unwrap().extend(tail.as_bytes());
            assert!(!accepts(files, path), "{path} and {tail:?}");
        }
    }
}

/// Checks that the command refuses and names the file. A command that needs no own file reads the
/// member's as the one of a signer.
#[track_caller]
fn stops(sandbox: &Sandbox, command: &[Command], path: &str) {
    let said = if path == MEMBER && command[0][0] == "list" {
        format!(
            "error: .vault/[..]: is signed by alice, whose file .vault/{path} [..]\nhint: [..]\n"
        )
    } else {
        format!("error: .vault/{path}: [..]\nhint: [..]\n")
    };
    stopped(sandbox, command, Why::Refused, &said, |run| run);
}

/// Every byte with `VAULT_TESTS=all`, otherwise some; the library's own check covers all of them in
/// any case.
#[test]
fn flipped_byte_stops_every_command() {
    let step = if all_is_wanted() { 1 } else { 37 };
    let sandbox = sandbox();
    for (path, commands) in KINDS {
        let file = fs::read(sandbox.store(path)).unwrap();
        for (number, at) in (0..file.len()).step_by(step).enumerate() {
            let mut flipped = file.clone();
            flipped[at] ^= FLIPS[number % FLIPS.len()];
            fs::write(sandbox.store(path), flipped).unwrap();
            let command = &commands[number % commands.len()..][..1];
            stops(&sandbox, command, path);
        }
        fs::write(sandbox.store(path), file).unwrap();
    }
    assert_eq!(sandbox.get("production", "LIVE"), b"alive");
}
