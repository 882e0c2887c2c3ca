//! A credential that is newer than the checkout: the change that created it was not pushed.

use std::path::PathBuf;

use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

/// A vault, and a clone from before any other change.
fn cloned() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "A", b"value");
    sandbox.commit("one");
    let clone = sandbox.root().join("clone");
    sandbox.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
    (sandbox, clone)
}

fn exec<'a>(sandbox: &'a Sandbox, clone: &std::path::Path, key: &str) -> Run<'a> {
    let home = sandbox.root().join("nobody");
    let run = sandbox
        .vault(&["exec", "-q", "--", "touch", "ran"])
        .folder(clone);
    run.variable("HOME", home.to_str().unwrap())
        .variable("VAULT_KEY", key)
}

const NEWER: &str = "hint: if the credential is newer than this checkout, it was made on a branch that is not merged here, or not pushed: commit and push .vault where it was made\n";

#[test]
fn unpushed_credential_says_to_push() {
    let (sandbox, clone) = cloned();
    let key = sandbox.credential("github", &["-e", "development"]);
    let said = str![[r#"
error: the credential of github (recipient [RECIPIENT]) is not in this checkout
hint: if the credential is newer than this checkout, it was made on a branch that is not merged here, or not pushed: commit and push .vault where it was made
hint: if it is older: make a new one with `vault ci add`
"#]];
    exec(&sandbox, &clone, &key).fails(121).says(&said).check();
    let get = sandbox
        .vault(&["get", "A"])
        .folder(&clone)
        .variable("VAULT_KEY", &key);
    get.fails(3).says(&said).check();
    // It works after the push.
    sandbox.commit("two");
    sandbox.git(&["-C", clone.to_str().unwrap(), "pull", "--quiet"]);
    let run = exec(&sandbox, &clone, &key).any_change();
    run.check();
}

#[test]
fn unpushed_rotation_before_a_credential_says_to_push() {
    let (sandbox, clone) = cloned();
    sandbox.quick(&["rotate", "-e", "development"]);
    let key = sandbox.credential("github", &["-e", "development"]);
    let said = format!(
        "error: .vault/root.toml: is from before a revocation that the credential knows, which no commit of this clone has\nhint: [..]\n{NEWER}"
    );
    exec(&sandbox, &clone, &key).fails(122).says(&said).check();
}

#[test]
fn unpushed_authority_before_a_credential_says_to_push() {
    let (sandbox, clone) = cloned();
    sandbox.quick(&["rotate", "--authority", "--yes"]);
    let key = sandbox.credential("github", &["-e", "development"]);
    let said = format!(
        "error: .vault/root.toml: belongs to a different vault: [..]\nhint: [..]\nhint: [..]\n{NEWER}"
    );
    exec(&sandbox, &clone, &key).fails(122).says(&said).check();
}

#[test]
fn removed_credential_is_reported_as_removed() {
    let (sandbox, _) = cloned();
    let key = sandbox.credential("github", &["-e", "development"]);
    sandbox.quick(&["members", "remove", "github", "--yes"]);
    let said = str![[r#"
error: the credential no longer works: github has lost access
hint: make a new one: `vault ci add NAME -e ENVIRONMENT`
"#]];
    exec(&sandbox, &sandbox.repo(), &key)
        .fails(121)
        .says(&said)
        .check();
}
