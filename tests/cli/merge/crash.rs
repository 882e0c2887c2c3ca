//! `vault resolve` that is killed half-way and starts again from git.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft;
use crate::support::machine::all_is_wanted;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Content, Files};

/// A merge in which the root, members' files, and entries are written, and others are removed.
fn conflict() -> Branches {
    let sandbox = stocked();
    for name in ["bob", "carol"] {
        craft::enroll(&sandbox, name, &[("production", Access::Read)]);
    }
    let branches = Branches::of(sandbox);
    branches.conflict(
        |own| {
            own.quick(&["members", "remove", "bob", "-y", "-q"]);
            own.set("OTHER", "ours");
        },
        |own| {
            own.quick(&[
                "members",
                "set",
                "carol",
                "-y",
                "-q",
                "-e",
                "development=read",
            ]);
            own.quick(&["rotate", "-e", "production"]);
            own.quick(&[
                "members",
                "set",
                "bob",
                "-y",
                "-q",
                "-e",
                "development=read",
            ]);
            own.set("OTHER", "theirs");
            own.set("NEW", "new");
        },
    );
    branches
}

const ARGUMENTS: [&str; 2] = ["--yes", "--theirs"];

#[track_caller]
fn ends_well(branches: &Branches) {
    branches.resolves_only(&ARGUMENTS);
    assert_eq!(branches.value("OTHER"), "theirs");
    assert_eq!(branches.value("NEW"), "new");
    assert_eq!(branches.value("DATABASE_URL"), "postgres://production");
    let outcome = branches.vault(&["verify"]).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    assert!(!branches.sandbox.store("members/bob.toml").exists());
}

fn put(branches: &Branches, path: &str, files: &Files) {
    let file = branches.sandbox.root().join(path);
    match files.get(path) {
        Some(Content::File(bytes)) => {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        _ => drop(fs::remove_file(file)),
    }
}

#[test]
fn kill_between_two_writes_is_resolved_again() {
    let branches = conflict();
    let before = branches.store();
    ends_well(&branches);
    let after = branches.store();
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let written: Vec<&String> = all
        .iter()
        .copied()
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    assert!(written.len() > 6, "{written:?}");
    // In the order of writing, and in the opposite one: it never matters what is there.
    for count in 0..=written.len() {
        for is_backward in [false, true] {
            for path in &all {
                put(&branches, path, &before);
            }
            let mut order = written.clone();
            if is_backward {
                order.reverse();
            }
            for path in &order[..count] {
                put(&branches, path, &after);
            }
            if is_backward && count % 3 == 0 {
                branches.sandbox.git(&["add", ".vault"]);
            }
            if all_is_wanted() || count % 3 == 0 {
                ends_well(&branches);
            }
        }
    }
    branches.commits();
}

#[test]
fn killed_resolve_starts_again() {
    let branches = conflict();
    let before = branches.store();
    let started = Instant::now();
    ends_well(&branches);
    let span = started.elapsed();
    let after = branches.store();
    let (times, mut killed) = (if all_is_wanted() { 24_u32 } else { 6 }, 0);
    for number in 0..times {
        for path in before.keys().chain(after.keys()) {
            put(&branches, path, &before);
        }
        let words = [&["resolve"], &ARGUMENTS[..]].concat();
        let mut command = branches.vault(&words).command();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The moment itself is under test, so no event can be awaited.
        thread::sleep(span * number / times / 4);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        ends_well(&branches);
    }
    assert!(killed > 0, "none was killed in time");
    branches.commits();
}
