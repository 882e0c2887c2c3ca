//! Members' files that are newer than the root: a revocation was interrupted, or someone planted them.

use std::fs;

use repovault::crypto::Tag;
use repovault::vault::model::Access;
use repovault::vault::name::MemberName;
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::membership::root;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

/// The numbers of the newest epochs of development and production.
fn newest(sandbox: &Sandbox) -> (u64, u64) {
    let root = root(sandbox);
    let number = |name: &str| root.environments[&name.parse().unwrap()].newest().number;
    (number("development"), number("production"))
}

#[track_caller]
fn holds(sandbox: &Sandbox) {
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

/// A vault with carol, and with bob, whose file has a tag that the root does not list, and no
/// longer has access to production: a revocation that was interrupted before the root was written,
/// or a planted file.
fn ahead() -> Sandbox {
    let sandbox = stocked();
    let access = ["development", "production"].map(|name| (name, Access::Read));
    craft::enroll(&sandbox, "bob", &access);
    craft::enroll(&sandbox, "carol", &access);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("bob reads both");
    craft::resign_member(&sandbox, "bob", &craft::authority(&sandbox), |bob| {
        let production = "production".parse().unwrap();
        bob.revision += 1;
        bob.revocation = Some(Tag::random());
        bob.access.remove(&production);
        bob.sealed.remove(&production);
    });
    sandbox
}

#[test]
fn file_newer_than_the_root_is_named_and_others_wait() {
    let sandbox = ahead();
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        2      alice      ok

findings:
  .vault/members/bob.toml: is newer than the root says: a revocation was interrupted, or someone put it there: `vault members set bob`
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    let said = str![[r#"
error: .vault/members/bob.toml: is newer than the root says: a revocation was interrupted, or someone put it there
hint: to complete that revocation: `vault members set bob`
hint: to undo it: `git log -- .vault/members/bob.toml`, then check out the file before it
"#]];
    let person = Person::new().identity.recipient().to_string();
    let waiting: [&[&str]; 4] = [
        &["ci", "add", "machine", "-e", "production"],
        &[
            "members",
            "add",
            "auditor",
            "--recipient",
            &person,
            "-e",
            "production=read",
        ],
        &["environments", "add", "staging"],
        &["set", "OTHER", "-e", "production"],
    ];
    for command in waiting {
        sandbox
            .vault(command)
            .input("x")
            .fails(4)
            .says(&said)
            .check();
    }
    // Readers are not concerned.
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let production = "production".parse().unwrap();
    let newest = root(&sandbox).environments[&production].newest().commitment;
    craft::resign_member(&sandbox, "carol", &craft::authority(&sandbox), |carol| {
        carol.sealed.get_mut(&production).unwrap().remove(&newest);
    });
    sandbox
        .vault(&["members", "sync", "--yes"])
        .fails(4)
        .says(str![[r#"
carol cannot read production yet
error: .vault/members/bob.toml: is newer than the root says: a revocation was interrupted, or someone put it there
hint: to complete that revocation: `vault members set bob`
hint: to undo it: `git log -- .vault/members/bob.toml`, then check out the file before it
"#]])
        .check();
}

#[test]
fn interrupted_revocation_is_completed_only_with_a_yes() {
    let sandbox = ahead();
    let said = str![[r#"
error: cannot ask for confirmation without a terminal: complete the revocation of bob. Its file is newer than the root says: it was interrupted, or someone put the file there.
hint: to confirm, pass `--yes`
hint: to complete that revocation: `vault members set bob`
hint: to undo it: `git log -- .vault/members/bob.toml`, then check out the file before it
"#]];
    let second = ["members", "set", "bob", "-e", "development=none"];
    for command in [
        &["members", "set", "bob"][..],
        &second,
        &["members", "remove", "bob"],
    ] {
        sandbox.vault(command).fails(4).says(&said).check();
    }
    let before = root(&sandbox);
    sandbox
        .vault(&["members", "set", "bob", "--yes"])
        .prints(str![[r#"
bob could read DATABASE_URL in production, and the value has not changed
bob could read OTHER in production, and the value has not changed
"#]])
        .says(str![[r#"
bob has development=read
development has epoch 2: 1 entry re-encrypted
production has epoch 3: 2 entries re-encrypted
bob may still know 2 values. Replace them at their source, then set them here (`vault status` lists what is left)
next: commit .vault
"#]])
        .any_change()
        .check();
    let (root, file) = (root(&sandbox), craft::member(&sandbox, "bob"));
    assert_eq!(root.tag_of(&"bob".parse().unwrap()), file.revocation);
    assert_eq!(root.revocations.len(), before.revocations.len() + 2);
    let bob: MemberName = "bob".parse().unwrap();
    assert_eq!(
        root.members[&bob].lost[&"production".parse().unwrap()].epoch,
        2
    );
    assert_eq!(newest(&sandbox), (2, 3));
    holds(&sandbox);
}

#[test]
fn interrupted_revocation_and_removal_record_lost_access() {
    let sandbox = ahead();
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    let bob: MemberName = "bob".parse().unwrap();
    let bob = root(&sandbox).former[&bob].clone();
    let lost = |name: &str| bob.lost[&name.parse().unwrap()].epoch;
    assert_eq!((lost("development"), lost("production")), (1, 2));
    assert!(!root(&sandbox).members.contains_key(&"bob".parse().unwrap()));
    holds(&sandbox);
}

/// The file from before it was never committed, so it may have taken anything.
#[test]
fn interrupted_revocation_without_history_took_everything() {
    let sandbox = ahead();
    fs::remove_dir_all(sandbox.repo().join(".git")).unwrap();
    sandbox.quick(&["members", "set", "bob", "--yes"]);
    let bob: MemberName = "bob".parse().unwrap();
    let lost = &root(&sandbox).members[&bob].lost;
    assert_eq!(lost[&"production".parse().unwrap()].epoch, 2);
    assert!(!lost.contains_key(&"development".parse().unwrap()));
}
