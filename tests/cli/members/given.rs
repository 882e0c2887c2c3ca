//! Those who know a newest data key and are not members here: no value is set in their environment.

use std::fs;

use repovault::vault::model::{Access, Former};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::membership::root;
use crate::support::refusal::{Command, stocked};
use crate::support::review::change_root;
use crate::support::sandbox::Sandbox;

const BOB: &str = "members/bob.toml";

/// A vault in which production was rotated while bob was a member, and then bob's file was lost, for
/// example in a merge. Returns the file.
fn hidden() -> (Sandbox, Person, Vec<u8>) {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("bob knows the key");
    let file = fs::read(sandbox.store(BOB)).unwrap();
    fs::remove_file(sandbox.store(BOB)).unwrap();
    (sandbox, bob, file)
}

/// Commands that would seal a value in production.
const SETTERS: [Command; 3] = [
    &["set", "OTHER", "-e", "production"],
    &["import", "-", "-e", "production"],
    &[
        "copy",
        "DATABASE_URL",
        "--from",
        "development",
        "--to",
        "production",
    ],
];

#[test]
fn no_value_is_set_while_a_hidden_member_knows_the_key() {
    let (sandbox, ..) = hidden();
    let said = str![[r#"
error: .vault/members: production's key is known to bob, who is not a member here
hint: put back the newer file: `git checkout -- .vault/members/bob.toml`, or merge the branch with it
hint: or remove bob: `vault members remove bob`, or make a new key: `vault rotate -e production`
"#]];
    for command in SETTERS {
        sandbox
            .vault(command)
            .input("NEW=value")
            .fails(4)
            .says(&said)
            .check();
    }
    // Readers and other environments are not concerned.
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let exec = [
        "exec",
        "--no-mask",
        "-e",
        "production",
        "--",
        "printenv",
        "OTHER",
    ];
    sandbox.vault(&exec).prints("other\n").check();
    sandbox.set("development", "OTHER", b"x");
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  2        1      alice      ok
production   2        2      alice      ok

findings:
  production's key is known to bob, who is not a member here
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    // Nor does sync hide it.
    sandbox.quick(&["members", "sync", "--yes"]);
    sandbox
        .vault(SETTERS[0])
        .input("x")
        .fails(4)
        .says(&said)
        .check();
}

#[track_caller]
fn can_set(sandbox: &Sandbox) {
    sandbox.set("production", "OTHER", b"new");
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

#[test]
fn hidden_member_is_cleared_by_the_restored_file() {
    let (sandbox, _, file) = hidden();
    fs::write(sandbox.store(BOB), file).unwrap();
    can_set(&sandbox);
}

#[test]
fn hidden_member_is_cleared_by_a_removal() {
    let (sandbox, ..) = hidden();
    sandbox.quick(&["members", "remove", "bob"]);
    let former = &root(&sandbox).former[&"bob".parse().unwrap()];
    let production = "production".parse().unwrap();
    assert_eq!(
        (former.recipient, former.lost[&production].epoch),
        (None, 2)
    );
    can_set(&sandbox);
}

#[test]
fn hidden_member_is_cleared_by_a_rotation() {
    let (sandbox, ..) = hidden();
    sandbox.quick(&["rotate", "-e", "production"]);
    can_set(&sandbox);
}

#[test]
fn file_of_a_former_member_with_the_newest_key_blocks_set() {
    let (sandbox, _, file) = hidden();
    fs::write(sandbox.store(BOB), file).unwrap();
    change_root(&sandbox, |root| {
        root.former
            .insert("bob".parse().unwrap(), Former::default());
        for environment in root.environments.values_mut() {
            environment.given.remove(&"bob".parse().unwrap());
        }
    });
    let said = str![[r#"
error: .vault/members: production's key is known to bob, who is not a member here
hint: put back the newer file: `git checkout -- .vault/members/bob.toml`, or merge the branch with it
hint: or remove bob: `vault members remove bob`, or make a new key: `vault rotate -e production`
"#]];
    sandbox
        .vault(SETTERS[0])
        .input("x")
        .fails(4)
        .says(&said)
        .check();
    // Another command of an admin does not delete the evidence.
    sandbox.credential("ci", &["-e", "development"]);
    sandbox
        .vault(SETTERS[0])
        .input("x")
        .fails(4)
        .says(&said)
        .check();
    sandbox
        .vault(&["rotate", "-e", "production"])
        .says(str![[r#"
deleted .vault/members/bob.toml: bob is a former member
production has epoch 3: 2 entries re-encrypted
these credentials still accept the older files: ci; make new ones, or set VAULT_ID=[ID]@[TAG] together with them
next: commit .vault
"#]])
        .any_change()
        .check();
    assert!(!sandbox.store(BOB).exists());
    can_set(&sandbox);
}

/// Someone who was removed comes back on a branch, or is added again by mistake.
#[test]
fn former_keys_count_under_no_name() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.quick(&["members", "remove", "bob"]);
    let authority = craft::authority(&sandbox);
    let mut signer_only = Person::new().member();
    signer_only.signing = bob.member().signing;
    for (name, member) in [("robert", bob.member()), ("rob", signer_only)] {
        craft::put_member(&sandbox, name, &member, &authority);
        let listed = sandbox.quick(&["members", "list"]);
        assert!(!listed.contains(name), "{listed}");
        let path = sandbox.store(&format!("members/{name}.toml"));
        let reason = format!(
            ".vault/members/{name}.toml: does not count: it has a key of the former member bob\n"
        );
        let output = sandbox.vault(&["verify"]).outcome().output;
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains(&reason), "{output}");
        fs::remove_file(path).unwrap();
    }
    let recipient = bob.identity.recipient().to_string();
    sandbox
        .vault(&[
            "members",
            "add",
            "robert",
            "--recipient",
            &recipient,
            "-e",
            "production=read",
        ])
        .fails(2)
        .says(str![[r#"
error: these keys belong to the former member bob, and keys of former members never come back
hint: make a new key: `vault join --new-key --name NAME`
"#]])
        .check();
}
