//! No plaintext anywhere: a value is set, copied, used, and removed, and then searched for in every
//! file, message, and process list, in every spelling that a mistake could produce.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::support::machine;
use crate::support::sandbox::{Run, Sandbox};

const CANARY: &str = "Canary/5a1e+flies=away";

/// The possible spellings of `value`: raw, base64 at its three alignments, and hexadecimal.
fn spellings(value: &str) -> Vec<Vec<u8>> {
    let mut spellings = vec![value.into()];
    for shift in 0..3 {
        let shifted = [&b"xyz"[..shift], value.as_bytes()].concat();
        let text = STANDARD_NO_PAD.encode(shifted);
        // The first and last characters also depend on the bytes around the value.
        let inner = &text[if shift == 0 { 0 } else { shift + 1 }..text.len() - 2];
        spellings.push(inner.as_bytes().to_vec());
        spellings.push(inner.replace('+', "-").replace('/', "_").into_bytes());
    }
    let hex = |digit: fn(u8) -> String| value.bytes().map(digit).collect::<Vec<_>>().concat();
    spellings.push(hex(|byte| format!("{byte:02x}")).into_bytes());
    spellings.push(hex(|byte| format!("{byte:02X}")).into_bytes());
    spellings
}

#[track_caller]
fn assert_absent(spellings: &[Vec<u8>], bytes: &[u8], place: &str) {
    for spelling in spellings {
        let found = bytes
            .windows(spelling.len())
            .any(|window| window == spelling);
        assert!(
            !found,
            "{place} holds {}",
            String::from_utf8_lossy(spelling)
        );
    }
}

/// The regular files below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

/// New files in the machine's own temporary folders, which belong to others too.
fn new_temporaries(since: SystemTime) -> Vec<PathBuf> {
    let folders = ["/tmp", "/var/tmp", "/dev/shm"];
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_new = |path: &PathBuf| {
        let found = fs::symlink_metadata(path).ok();
        found.is_some_and(|found| {
            found.is_file() && found.modified().is_ok_and(|modified| modified >= since)
        })
    };
    paths.filter(is_new).collect()
}

/// All git objects, decompressed.
fn git_objects(sandbox: &Sandbox) -> Vec<u8> {
    let all = ["cat-file", "--batch-all-objects", "--batch"];
    let mut command = Command::new("git");
    command
        .current_dir(sandbox.repo())
        .args(all)
        .stdin(Stdio::null());
    command.output().unwrap().stdout
}

/// Runs a command that must not print the value, and returns its standard output.
#[track_caller]
fn run(canary: &[Vec<u8>], run: &Run<'_>, status: i32) -> Vec<u8> {
    let outcome = run.outcome();
    assert_eq!(outcome.status, status, "{}", outcome.said);
    assert_absent(canary, outcome.said.as_bytes(), "standard error");
    outcome.output
}

#[test]
fn commands_leave_no_plaintext() {
    let sandbox = Sandbox::with_vault();
    let canary = spellings(CANARY);
    let started = SystemTime::now();
    let temporary = sandbox.root().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let vault = |arguments: &[&str]| {
        sandbox
            .vault(arguments)
            .variable("TMPDIR", temporary.to_str().unwrap())
    };
    let dotenv = format!("# mine\nIMPORTED='{CANARY}'\nexport OTHER=\"{CANARY}\"\n");
    let key = sandbox.credential("github", &["-e", "development"]);
    let silent = [
        vault(&["set", "KEY"]).input(CANARY),
        vault(&["set", "KEY"]).input(format!("{CANARY}\n")),
        vault(&["set", "KEY", "-e", "development", "-e", "production"]).input(format!("{CANARY}2")),
        vault(&["import", "-"]).input(&dotenv),
        vault(&[
            "copy",
            "IMPORTED",
            "--from",
            "development",
            "--to",
            "production",
        ]),
        vault(&["list", "--json"]),
        vault(&["verify"]),
        vault(&["environments", "list"]),
        vault(&["exec", "--no-mask", "--", "true"]),
        vault(&["exec", "--", "true"]).variable("VAULT_KEY", &key),
        vault(&["ci", "add", "gitlab", "-e", "production"]),
        vault(&["remove", "KEY"]),
    ];
    for command in &silent {
        assert_absent(&canary, &run(&canary, command, 0), "standard output");
    }
    sandbox.commit("all");
    // Values that were exposed to gitlab, in use in two places.
    let asks = [
        (vault(&["doctor"]), 0),
        (vault(&["members", "remove", "gitlab"]), 0),
        (vault(&["status"]), 1),
        (vault(&["status", "--json"]), 1),
    ];
    for (command, status) in &asks {
        assert_absent(&canary, &run(&canary, command, *status), "standard output");
    }
    let loud = [
        vault(&["set", "KEY", "--from", "HEAD~0", "-e", "production"]),
        vault(&["get", "IMPORTED"]),
        vault(&["exec", "--no-mask", "--", "printenv", "OTHER"]),
    ];
    for command in &loud {
        run(&canary, command, 0);
    }
    sandbox.quick(&["set", "MADE", "--generate"]);
    let made = String::from_utf8(sandbox.get("development", "MADE")).unwrap();
    let both = [canary, spellings(&made)].concat();
    let mut found = Vec::new();
    files(sandbox.root(), &mut found);
    assert!(
        found
            .iter()
            .any(|path| path.ends_with("development/IMPORTED.toml"))
    );
    for path in found.iter().chain(&new_temporaries(started)) {
        let Ok(bytes) = fs::read(path) else { continue };
        assert_absent(&both, &bytes, &path.display().to_string());
    }
    assert_absent(&both, &git_objects(&sandbox), "git");
    assert!(
        fs::read_dir(&temporary).unwrap().next().is_none(),
        "TMPDIR is empty"
    );
}

#[test]
fn value_in_a_wrong_argument_is_not_shown() {
    let sandbox = Sandbox::with_vault();
    let canary = spellings(CANARY);
    let config = sandbox.repo().join("vault.toml");
    fs::write(&config, "[secrets.KEY]\nmin_length = 99\n").unwrap();
    let assignment = format!("KEY={CANARY}");
    let broken = format!("GOOD=1\n{CANARY}\n'KEY={CANARY}\n");
    let runs = [
        sandbox.vault(&["set", "KEY", CANARY]),
        sandbox.vault(&["set", &assignment]),
        sandbox.vault(&["set", CANARY]),
        sandbox
            .vault(&["set", "KEY", "-e", "development"])
            .input(CANARY),
        sandbox
            .vault(&["import", "-", "-e", "development"])
            .input(&broken),
        sandbox.vault(&["get", CANARY]),
        sandbox.vault(&["get", "KEY", CANARY]),
        sandbox.vault(&["get", "KEY", "-e", CANARY]),
        sandbox.vault(&["set", "KEY", "--generate", CANARY]),
        sandbox.vault(&["exec", "--only", CANARY, "--", "true"]),
        sandbox.vault(&["trust", CANARY]),
        sandbox.vault(&["exec", "./run", "--password", CANARY]),
        sandbox.vault(&["exec", "-e", "production", "./run", CANARY]),
        sandbox.vault(&["exec", &assignment, "./run"]),
        sandbox.vault(&["exec", &format!("--password={CANARY}"), "./run"]),
        sandbox.vault(&["exec", &format!("--{CANARY}"), "./run"]),
        sandbox.vault(&["list", "--color", CANARY]),
        sandbox.vault(&["list", &format!("--json={CANARY}")]),
        sandbox.vault(&["list", &format!("--password={CANARY}")]),
        sandbox.vault(&["list", &format!("--{CANARY}")]),
        sandbox.vault(&["list", &format!("-p{CANARY}")]),
        sandbox.vault(&["list", "--key-fd", CANARY]),
        sandbox.vault(&["verify", "--format", CANARY]),
        sandbox.vault(&["verify", "--id", CANARY]),
        sandbox.vault(&["exec", "--if-locked", CANARY, "--", "true"]),
        sandbox.vault(&["completions", CANARY]),
        sandbox.vault(&["man", CANARY]),
        sandbox.vault(&[
            "members",
            "add",
            "bob",
            "-e",
            &format!("production={CANARY}"),
        ]),
        sandbox.vault(&["members", "add", "bob", "--recipient", CANARY]),
        sandbox.vault(&["members", "add", "bob", "--fingerprint", CANARY]),
        sandbox.vault(&["members", "sync", "--grant", CANARY]),
        sandbox.vault(&["rotate", "--finish", "--adopt", CANARY]),
        sandbox.vault(&["get", "KEY"]).variable("VAULT_KEY", CANARY),
        sandbox
            .vault(&["get", "KEY"])
            .variable("VAULT_KEY_COMMAND", "sh -c 'echo \"$C\"'")
            .variable("C", CANARY),
        sandbox.vault(&["get", "KEY"]).variable("VAULT_ID", CANARY),
        sandbox
            .vault(&["get", "KEY"])
            .variable("VAULT_ENVIRONMENT", CANARY),
        sandbox.vault(&["ci", "add", CANARY, "-e", "production"]),
        sandbox.vault(&["environments", "add", CANARY]),
        sandbox.vault(&["environments", "add", "staging", "--access", CANARY]),
    ];
    for (number, run) in runs.iter().enumerate() {
        let outcome = run.outcome();
        assert!(
            (1..128).contains(&outcome.status),
            "{number}: {}",
            outcome.said
        );
        assert_absent(&canary, &outcome.output, &format!("output of {number}"));
        assert_absent(
            &canary,
            outcome.said.as_bytes(),
            &format!("error of {number}"),
        );
    }
    for text in [
        format!("[environments.development.variables]\nKEY = \"{CANARY}"),
        format!("[secrets.KEY]\nmin_length = \"{CANARY}\"\n"),
        format!("\"{CANARY}\" = 1\n"),
        format!("[environments.development.variables]\nKEY = \"${CANARY}\"\n"),
        format!("[environments.development.variables]\n\"{CANARY}\" = \"1\"\n"),
        format!("[environments.\"{CANARY}\"]\n"),
        format!("[steps.a]\nnames = [\"{CANARY}\"]\n"),
    ] {
        fs::write(&config, text).unwrap();
        let outcome = sandbox
            .vault(&["exec", "-e", "development", "--", "true"])
            .outcome();
        assert_eq!(outcome.status, 125, "{}", outcome.said);
        assert_absent(&canary, outcome.said.as_bytes(), "an error of vault.toml");
    }
}

#[test]
fn process_lists_contain_no_value() {
    if !Path::new("/proc/self/cmdline").exists() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    // Not the other value, which another test passes in wrong places.
    let value = "Canary/0ther+flies=away";
    sandbox.set("development", "KEY", value.as_bytes());
    let list = "cat /proc/[0-9]*/cmdline 2>/dev/null; test -n \"$KEY\"";
    let outcome = sandbox
        .vault(&["exec", "--no-mask", "--", "sh", "-c", list])
        .outcome();
    let has = |part: &[u8]| {
        outcome
            .output
            .windows(part.len())
            .any(|window| window == part)
    };
    assert!(
        outcome.status == 0 && has(list.as_bytes()),
        "the list is there: {}",
        outcome.said
    );
    assert_absent(&spellings(value), &outcome.output, "the list of processes");
}

#[test]
fn set_writes_one_entry_and_reading_writes_nothing() {
    if !machine::has("strace", "strace") {
        return;
    }
    let strace = Command::new("strace")
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !strace.unwrap().success() {
        machine::left_out("strace may not look into processes here");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strace.sh");
    let output = Command::new(script)
        .arg(env!("CARGO_BIN_EXE_vault"))
        .output()
        .unwrap();
    // 77: not run by root, so strace could not trace it.
    let is_shown = output.status.success() || output.status.code() == Some(77);
    assert!(is_shown, "{}", String::from_utf8_lossy(&output.stdout));
}
