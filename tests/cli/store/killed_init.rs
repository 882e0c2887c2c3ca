//! `vault init` that is killed before each of its writes: it can be repeated, and leaves neither a part
//! of a key nor a vault without `vault.toml`.

use std::fs;
use std::path::Path;

use snapbox::str;

use crate::support::sandbox::Sandbox;
use crate::support::tracing::can_trace;

/// The system calls that fill, move, or remove a file. A new file is empty before the first `write`.
const WRITES: [&str; 6] = [
    "mkdir",
    "mkdirat",
    "write",
    "renameat",
    "renameat2",
    "unlinkat",
];
const INIT: [&str; 3] = ["init", "--name", "alice"];

/// Starts `init` in a new repository, and kills it before the `count`th time that it makes this system
/// call. Returns `None` if it makes fewer.
fn killed(call: &str, count: usize) -> Option<Sandbox> {
    let sandbox = Sandbox::empty();
    let inject = format!("inject={call}:signal=KILL:when={count}");
    let init = sandbox.vault(&INIT);
    let outcome = init
        .under(&["strace", "-qq", "-o", "/dev/null", "-e", &inject])
        .outcome();
    let is_expected = [0, 137].contains(&outcome.status);
    assert!(is_expected, "{call} {count}: {}", outcome.said);
    (outcome.status == 137).then_some(sandbox)
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn init_killed_at_any_write_can_be_repeated() {
    if !can_trace() {
        return;
    }
    let mut kills = 0;
    // strace counts each call alone.
    for call in WRITES {
        let mut count = 1;
        while let Some(sandbox) = killed(call, count) {
            can_be_repeated(&sandbox, &format!("{call} {count}"));
            (count, kills) = (count + 1, kills + 1);
        }
    }
    assert!(kills > 15, "init has only {kills} writes");
}

#[track_caller]
fn can_be_repeated(sandbox: &Sandbox, at: &str) {
    let keys = sandbox.home().join(".config/vault");
    let key = fs::read_to_string(keys.join("identity.txt"));
    if let Ok(key) = &key {
        let secret = key.lines().last().unwrap_or_default();
        assert!(secret.starts_with("AGE-SECRET-KEY-"), "{at}");
        assert!(key.ends_with('\n'), "{at}");
    }
    if sandbox.store("root.toml").exists() {
        assert!(sandbox.repo().join("vault.toml").exists(), "{at}");
        sandbox.quick(&["trust", &sandbox.id()]);
    } else {
        sandbox.quick(&INIT);
    }
    if let Ok(key) = key {
        let now = fs::read_to_string(keys.join("identity.txt")).unwrap();
        assert_eq!(now, key, "{at}");
    }
    sandbox.set("production", "TOKEN", b"value");
    assert_eq!(names(&keys), ["identity.txt"], "{at}");
    let mut files = names(&sandbox.repo());
    files.sort_unstable();
    assert_eq!(files, [".git", ".vault", "vault.toml"], "{at}");
    let verified = sandbox.vault(&["verify"]).outcome();
    assert_eq!(verified.status, 0, "{at}: {}", verified.said);
}

#[test]
fn repeated_init_with_another_name_leaves_no_old_member() {
    let sandbox = Sandbox::with_vault();
    fs::remove_file(sandbox.store("root.toml")).unwrap();
    sandbox.quick(&["init", "--name", "bob", "-q"]);
    assert_eq!(names(&sandbox.store("members")), ["bob.toml"]);
    sandbox.quick(&["verify"]);
}

#[test]
fn init_is_refused_if_entries_have_lost_their_root() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("production", "TOKEN", b"value");
    fs::remove_file(sandbox.store("root.toml")).unwrap();
    sandbox
        .vault(&INIT)
        .fails(4)
        .says(str![[r#"
error: .vault/root.toml: is missing, and production has entries of its vault
hint: put back the committed file: `git checkout -- .vault/root.toml`
hint: if no one needs them: `rm -r .vault`
"#]])
        .check();
}
