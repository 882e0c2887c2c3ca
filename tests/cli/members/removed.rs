//! What somebody could open is worth nothing to him once it was taken, whatever he puts back.

use std::fs;
use std::path::Path;

use snapbox::str;

use crate::support::sandbox::Sandbox;

/// A vault whose environment `staging` was open to `mallory`, was removed, and made anew without
/// him. Gives `staging.toml` from before he had access, when its revision was already 2.
fn made_anew() -> (Sandbox, Vec<u8>) {
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
    let early = fs::read(sandbox.store("staging.toml")).unwrap();
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
    (sandbox, early)
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
fn file_of_a_removed_environment_is_refused_in_its_successor() {
    let (sandbox, early) = made_anew();
    fs::write(sandbox.store("staging.toml"), early).unwrap();
    for arguments in [
        &["set", "TOKEN", "-e", "staging"][..],
        &["exec", "-e", "staging", "--", "true"],
    ] {
        let status = if arguments[0] == "exec" { 122 } else { 4 };
        sandbox
            .vault(arguments)
            .input("new secret")
            .fails(status)
            .says(str![[r#"
error: .vault/staging.toml: is older than the roster says
hint: put back the committed file: git checkout -- .vault/staging.toml
"#]])
            .check();
    }
}

#[test]
fn store_older_than_the_removal_is_below_the_floor() {
    let (sandbox, _) = made_anew();
    fs::remove_dir_all(sandbox.store("")).unwrap();
    copy(&sandbox.root().join("history"), &sandbox.store(""));
    sandbox
        .vault(&["set", "TOKEN", "-e", "staging"])
        .input("new secret")
        .fails(4)
        .says(str![[r#"
error: .vault/members.toml: is older than the last loss of access: its floor is 1, known is [..]
hint: take the current one: git pull, or merge the main branch
"#]])
        .check();
}
