//! Rotations, removals, and new authorities that are killed half-way: the files work or are refused,
//! the message says how to finish, and finishing gives a valid vault.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use repovault::vault::model::Access;
use snapbox::str;

use crate::support::craft;
use crate::support::machine::all_is_wanted;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Content, Sandbox};

type Store = BTreeMap<String, Vec<u8>>;

/// The machine-written files, by their path below `.vault`.
fn store(sandbox: &Sandbox) -> Store {
    let files = sandbox.files().into_iter().filter_map(|(path, content)| {
        let path = path.strip_prefix("repo/.vault/")?.to_owned();
        match content {
            Content::File(bytes) if !path.starts_with('.') => Some((path, bytes)),
            _ => None,
        }
    });
    files.collect()
}

fn write(sandbox: &Sandbox, path: &str, bytes: &[u8]) {
    let path = sandbox.store(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The paths that differ, the root last.
fn in_order(before: &Store, after: &Store) -> Vec<String> {
    let differs = |path: &&String| before.get(*path) != after.get(*path);
    let mut paths: Vec<String> = after.keys().filter(differs).cloned().collect();
    paths.sort_by_key(|path| path == "root.toml");
    paths
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied = std::process::Command::new("cp")
        .arg("-R")
        .arg(from)
        .arg(to)
        .status()
        .unwrap();
    assert!(copied.success());
}

/// A vault with bob as a writer in both environments, and every file that `command` changes.
struct Half {
    sandbox: Sandbox,
    before: Store,
    after: Store,
    order: Vec<String>,
}

impl Half {
    fn of(command: &[&str]) -> Self {
        let sandbox = stocked();
        let write = [
            ("development", Access::Write),
            ("production", Access::Write),
        ];
        let bob = craft::enroll(&sandbox, "bob", &write);
        craft::resign_entry(&sandbox, "production", "OTHER", &bob.key, |entry| {
            entry.signer = "bob".parse().unwrap();
        });
        sandbox.quick(&["get", "OTHER", "-e", "production"]);
        let (state, kept) = (sandbox.home().join(".local"), sandbox.root().join("kept"));
        copy(&state, &kept);
        let before = store(&sandbox);
        sandbox.quick(command);
        copy(&state, &sandbox.root().join("kept-after"));
        let after = store(&sandbox);
        let order = in_order(&before, &after);
        Self {
            sandbox,
            before,
            after,
            order,
        }
    }

    /// As it was before the command, in the repository and in alice's state.
    fn rewind(&self) {
        let _ = fs::remove_dir_all(self.sandbox.store("tmp"));
        for (path, bytes) in &self.before {
            write(&self.sandbox, path, bytes);
        }
        copy(
            &self.sandbox.root().join("kept"),
            &self.sandbox.home().join(".local"),
        );
    }

    fn holds(&self) {
        self.sandbox
            .vault(&["verify"])
            .prints("[..]RESULT\n[..]ok\n[..]ok\n")
            .check();
        let get = |environment, name| self.sandbox.get(environment, name);
        assert_eq!(get("production", "DATABASE_URL"), b"postgres://production");
        assert_eq!(get("production", "OTHER"), b"other");
        assert_eq!(
            get("development", "DATABASE_URL"),
            b"postgres://development"
        );
    }
}

const BETWEEN: &str = "error: .vault: getting a new authority was interrupted
hint: take it back: `vault rotate --finish`
";

/// The leftovers of a new authority: `kept` of the old files lie in `tmp/before`, `placed` of the
/// new ones are in their place. The root is a copy there, and the last here.
fn between(half: &Half, kept: usize, placed: usize) {
    half.rewind();
    let sandbox = &half.sandbox;
    write(sandbox, "tmp/before/root.toml", &half.before["root.toml"]);
    for path in half.order[..kept]
        .iter()
        .filter(|path| *path != "root.toml")
    {
        write(sandbox, &format!("tmp/before/{path}"), &half.before[path]);
        fs::remove_file(sandbox.store(path)).unwrap();
    }
    for path in &half.order[..placed] {
        write(sandbox, path, &half.after[path]);
    }
}

#[test]
fn interrupted_authority_change_is_refused_and_rolled_back() {
    let half = Half::of(&["rotate", "--authority", "--yes", "-q"]);
    let (sandbox, all) = (&half.sandbox, half.order.len());
    assert_eq!(all, 6, "{:?}", half.order);
    let first = (0..all).map(|kept| (kept, 0));
    let second = (1..=all).map(|placed| (all, placed));
    for (kept, placed) in first.chain(second) {
        between(&half, kept, placed);
        let get = ["get", "OTHER", "-e", "production"];
        sandbox.vault(&get).fails(4).says(BETWEEN).check();
        sandbox.vault(&["list"]).fails(4).says(BETWEEN).check();
        sandbox
            .vault(&["set", "NEW"])
            .input("x")
            .fails(4)
            .says(BETWEEN)
            .check();
        sandbox
            .vault(&["members", "remove", "bob"])
            .fails(4)
            .says(BETWEEN)
            .check();
        let exec = ["exec", "--no-mask", "--", "touch", "started"];
        sandbox.vault(&exec).fails(122).says(BETWEEN).check();
        let found = str![[r#"
findings:
  .vault: getting a new authority was interrupted
"#]];
        let verify = sandbox.vault(&["verify"]).fails(1).prints(&found);
        verify
            .says(str!["error: verification failed: 1 finding"])
            .check();
        sandbox
            .vault(&["rotate", "--finish"])
            .says(str![[r#"
rolled back: the authority was not replaced; to replace it, run `vault rotate --authority` again
there was nothing to finish
"#]])
            .any_change()
            .check();
        assert!(store(sandbox) == half.before, "{kept} {placed}");
        half.holds();
    }
}

/// Once the new id is recorded, the new vault counts.
#[test]
fn authority_change_is_kept_after_its_id_is_recorded() {
    let half = Half::of(&["rotate", "--authority", "--yes", "-q"]);
    let sandbox = &half.sandbox;
    for left in 0..half.order.len() {
        between(&half, half.order.len(), half.order.len());
        copy(
            &sandbox.root().join("kept-after"),
            &sandbox.home().join(".local"),
        );
        for path in half.order[..left]
            .iter()
            .filter(|path| *path != "root.toml")
        {
            fs::remove_file(sandbox.store(&format!("tmp/before/{path}"))).unwrap();
        }
        sandbox.vault(&["list"]).fails(4).says(BETWEEN).check();
        let said = str![[r#"
the new id of the vault is in effect
there was nothing to finish
"#]];
        sandbox
            .vault(&["rotate", "--finish"])
            .says(&said)
            .any_change()
            .check();
        assert!(store(sandbox) == half.after, "{left}");
        half.holds();
    }
}

/// A folder that is there is not a reason to believe what is in it.
#[test]
fn planted_backup_of_an_older_vault_is_not_restored() {
    let (sandbox, other) = (stocked(), stocked());
    let genuine = store(&sandbox);
    for (path, bytes) in store(&other) {
        write(&sandbox, &format!("tmp/before/{path}"), &bytes);
    }
    let finish = ["rotate", "--finish"];
    // The vault in place is trusted and the other one is not: it is thrown away.
    sandbox
        .vault(&finish)
        .says(str![[r#"
the new id of the vault is in effect
[..]nothing to finish
"#]])
        .any_change()
        .check();
    assert!(store(&sandbox) == genuine);
    // An older root of the same vault says nothing about which of the two is right.
    write(&sandbox, "tmp/before/root.toml", &genuine["root.toml"]);
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        root.revision += 1;
    });
    let said = str![[r#"
error: .vault/tmp/before: does not belong to the vault in place
hint: if the files in .vault are the right ones: `rm -r .vault/tmp/before`
"#]];
    sandbox.vault(&finish).fails(4).says(&said).check();
    // Without a key, and without trust, nothing is decided.
    sandbox
        .vault(&finish)
        .without("HOME")
        .fails(3)
        .says(str![[r#"
error: [..]
hint: [..]
hint: [..]
"#]])
        .check();
}

/// Kills `command` at moments spread over the time it takes, and finishes each time.
fn killed_anywhere(command: &[&str]) {
    let times = if all_is_wanted() { 40 } else { 10 };
    let sandbox = Sandbox::with_vault();
    let names: Vec<String> = (0..60)
        .map(|number| format!("SECRET_{number:02}"))
        .collect();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("{name}=value of {name}\n"))
        .collect();
    let import = sandbox
        .vault(&["import", "-", "-e", "production", "-q"])
        .input(lines.concat());
    import.any_change().check();
    let start = Instant::now();
    sandbox.quick(command);
    let span = start.elapsed();
    let mut killed = 0;
    for number in 0..times {
        let mut run = sandbox.vault(command).command();
        let mut child = run
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The moment itself is what is tried here, so nothing else can be waited for.
        thread::sleep(span * (number + 1) / times);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let finished = sandbox.vault(&["rotate", "--finish"]).outcome();
        assert_eq!(finished.status, 0, "kill {number}: {}", finished.said);
        check_verified(&sandbox, number);
        let printed = sandbox.quick(&["exec", "--no-mask", "-e", "production", "--", "env"]);
        let seen: BTreeSet<&str> = printed
            .lines()
            .filter(|line| line.starts_with("SECRET_"))
            .collect();
        let expected: BTreeSet<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(seen, expected, "kill {number}");
    }
    assert!(killed > 0, "none of {times} was killed in time");
}

/// A rotation that was killed before its root was written leaves a key, which `verify` notes.
fn check_verified(sandbox: &Sandbox, number: u32) {
    let verified = sandbox.vault(&["verify"]).outcome();
    let printed = String::from_utf8(verified.output).unwrap();
    assert_eq!(verified.status, 0, "kill {number}: {printed}");
    let (table, rest) = printed.split_once("\n\n").unwrap_or((&printed, ""));
    let rows = table.lines().skip(1);
    assert_eq!(rows.filter(|row| row.ends_with(" ok")).count(), 2);
    let mut items = rest.lines().filter(|line| line.starts_with("  "));
    let is_known = items.all(|item| item.contains("of an unlisted epoch"));
    assert!(is_known, "kill {number}: {printed}");
}

#[test]
fn killed_rotation_can_be_finished() {
    killed_anywhere(&["rotate", "-e", "production", "-q"]);
}

#[test]
fn killed_authority_change_is_finished_or_rolled_back() {
    killed_anywhere(&["rotate", "--authority", "--yes", "-q"]);
}
