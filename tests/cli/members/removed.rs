//! Old access to a removed environment, and old files that someone puts back, open nothing.

use std::fs;
use std::path::Path;

use snapbox::str;

use crate::support::membership::root;
use crate::support::sandbox::Sandbox;

/// A vault whose environment `staging` was open to `mallory`, was removed, and was made again
/// without them. The files from before are in the folder `history`.
fn made_again() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.quick(&[
        "init",
        "--name",
        "alice",
        "-e",
        "production",
        "-e",
        "staging",
    ]);
    let _ = sandbox.credential("bot", &["-e", "staging"]);
    let _ = sandbox.credential("mallory", &["-e", "staging"]);
    copy(&sandbox.store(""), &sandbox.root().join("history"));
    sandbox.quick(&["environments", "remove", "staging", "--yes"]);
    sandbox.quick(&[
        "environments",
        "add",
        "staging",
        "--access",
        "alice=write",
        "--access",
        "bot=read",
    ]);
    sandbox
}

fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp")
        .arg("-r")
        .arg(from)
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn old_access_has_no_key_in_an_environment_made_again() {
    let sandbox = made_again();
    let staging = "staging".parse().unwrap();
    let epochs = root(&sandbox).environments[&staging].epochs.clone();
    assert_eq!(epochs.len(), 1);
    assert_eq!(epochs[0].number, 2);
    let restored = sandbox.store("members/mallory.toml");
    fs::copy(
        sandbox.root().join("history/members/mallory.toml"),
        &restored,
    )
    .unwrap();
    let listed = sandbox.quick(&["members", "list"]);
    let mallory = listed.lines().find(|line| line.starts_with("mallory"));
    assert!(mallory.unwrap().contains(" nothing "), "{listed}");
    // Nor do they count as someone who knows the newest key.
    sandbox.set("staging", "TOKEN", b"new secret");
    let output = sandbox.vault(&["verify"]).outcome().output;
    let output = String::from_utf8(output).unwrap();
    assert!(
        output.contains(".vault/members/mallory.toml: still has access that does not count"),
        "{output}"
    );
}

#[test]
fn store_older_than_a_removed_environment_is_refused() {
    let sandbox = made_again();
    fs::remove_dir_all(sandbox.store("")).unwrap();
    copy(&sandbox.root().join("history"), &sandbox.store(""));
    sandbox
        .vault(&["set", "TOKEN", "-e", "staging"])
        .input("new secret")
        .fails(4)
        .says(str![[r#"
error: .vault/root.toml: is from before a revocation that you have seen, which no commit of this clone has
hint: take the newer files: `git pull`, or merge the branch with that revocation
hint: if that branch was abandoned: `vault trust [ID]@none`; it cannot say who would have access again
"#]])
        .check();
}
