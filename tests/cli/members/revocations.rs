//! Removals, reductions, and replaced keys: the environments that are rotated, the records in the
//! root, and the questions to an admin.

use std::fs;

use repovault::vault::model::{Access, Root};
use repovault::vault::name::MemberName;
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::membership::{root, touched};
use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::terminal::Terminal;

const BOB: &str = "members/bob.toml";

/// The numbers of the newest epochs of development and production.
fn newest(sandbox: &Sandbox) -> (u64, u64) {
    let root = root(sandbox);
    let number = |name: &str| root.environments[&name.parse().unwrap()].newest().number;
    (number("development"), number("production"))
}

fn former(root: &Root, name: &str) -> repovault::vault::model::Former {
    root.former[&name.parse::<MemberName>().unwrap()].clone()
}

fn with_key<'a>(sandbox: &'a Sandbox, person: &Person, arguments: &[&str]) -> Run<'a> {
    let key = person.key_file(sandbox).display().to_string();
    sandbox
        .vault(arguments)
        .variable("VAULT_KEY_FILE", &key)
        .variable("VAULT_ID", &sandbox.id())
        .without("HOME")
}

#[track_caller]
fn holds(sandbox: &Sandbox) {
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

/// A vault with bob, with this access, and with dave, an admin who can write only in development.
fn with_dave(access: &[(&str, Access)]) -> (Sandbox, Person) {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", access);
    let dave = craft::enroll(&sandbox, "dave", &[("development", Access::Write)]);
    sandbox.quick(&["members", "set", "dave", "--admin"]);
    (sandbox, dave)
}

#[test]
fn removal_names_the_environments_without_a_new_epoch() {
    let (sandbox, dave) = with_dave(&[("development", Access::Read)]);
    with_key(&sandbox, &dave, &["members", "remove", "bob"])
        .prints(str!["bob could read DATABASE_URL in development, and the value has not changed"])
        .says(str![[r#"
no new epoch where you may not write: production
removed the member bob
development has epoch 2: 1 entry re-encrypted
warning: production: 2 current values were not compared: you cannot decrypt them
bob may still know 1 value. Replace it at its source, then set it here (`vault status` lists what is left)
next: commit .vault
"#]])
        .any_change()
        .check();
    assert_eq!(newest(&sandbox), (2, 1));
    holds(&sandbox);
}

#[test]
fn removal_is_refused_if_the_remover_cannot_write_there() {
    let remove = ["members", "remove", "bob"];
    let said = str![[r#"
error: dave may not write in production, and bob has access there
hint: ask an admin who can write there: alice
hint: or they first take that access: `vault members set bob -e production=none`
"#]];
    let (sandbox, dave) = with_dave(&[("production", Access::Read)]);
    with_key(&sandbox, &dave, &remove)
        .fails(3)
        .says(&said)
        .check();
    // Their file shows nothing, but the newest key was sealed to them.
    sandbox.quick(&["rotate", "-e", "production"]);
    fs::remove_file(sandbox.store(BOB)).unwrap();
    with_key(&sandbox, &dave, &remove)
        .fails(3)
        .says(&said)
        .check();
    sandbox.quick(&["members", "set", "bob", "-e", "production=none"]);
    with_key(&sandbox, &dave, &remove).any_change().outcome();
}

#[test]
fn taking_all_access_always_rotates() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("development", Access::Read)]);
    let files = touched(
        &sandbox,
        &["members", "set", "bob", "-e", "production=none"],
    );
    assert_eq!(
        files,
        [
            "members/alice.toml",
            "production/DATABASE_URL.toml",
            "production/OTHER.toml",
            "root.toml",
        ]
    );
    assert_eq!(newest(&sandbox), (1, 2));
    holds(&sandbox);
}

#[test]
fn replaced_keys_become_former_members_of_their_own() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let (second, third) = (Person::new(), Person::new());
    for person in [&second, &third] {
        let recipient = person.identity.recipient().to_string();
        sandbox.quick(&["members", "set", "bob", "--recipient", &recipient]);
    }
    // As much as a removal.
    assert_eq!(newest(&sandbox), (3, 3));
    let root = root(&sandbox);
    let (first, then) = (former(&root, "bob-until-1"), former(&root, "bob-until-2"));
    assert_eq!(first.recipient, Some(bob.identity.recipient().digest()));
    assert_eq!(first.signer, Some(bob.key.public().digest()));
    assert_eq!(then.recipient, Some(second.identity.recipient().digest()));
    assert_eq!(then.signer, None);
    let production = "production".parse().unwrap();
    assert_eq!(first.lost[&production].epoch, 1);
    assert_eq!(then.lost[&production].epoch, 2);
    assert!(!root.former.contains_key(&"bob".parse().unwrap()));
    let get = ["get", "OTHER", "-e", "production"];
    with_key(&sandbox, &third, &get).prints("other").check();
    holds(&sandbox);
    let back = bob.identity.recipient().to_string();
    sandbox
        .vault(&["members", "set", "bob", "--recipient", &back])
        .fails(2)
        .says(str![
            "error: this is the recipient of the former member bob-until-1, and it never comes back"
        ])
        .check();
}

#[test]
fn long_name_keeps_its_member_when_its_key_is_replaced() {
    let (sandbox, name) = (stocked(), "b".repeat(63));
    craft::enroll(&sandbox, &name, &[("production", Access::Read)]);
    let second = Person::new();
    let recipient = second.identity.recipient().to_string();
    sandbox.quick(&["members", "set", &name, "--recipient", &recipient]);
    let cut = format!("{}-until-1", "b".repeat(55));
    assert!(!former(&root(&sandbox), &cut).lost.is_empty());
    let get = ["get", "OTHER", "-e", "production"];
    with_key(&sandbox, &second, &get).prints("other").check();
    holds(&sandbox);
}

#[test]
fn missing_file_can_be_removed() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.quick(&["rotate", "-e", "production"]);
    fs::remove_file(sandbox.store(BOB)).unwrap();
    sandbox.quick(&["members", "remove", "bob"]);
    let bob = former(&root(&sandbox), "bob");
    assert_eq!((bob.recipient, bob.signer), (None, None));
    assert_eq!(bob.lost[&"production".parse().unwrap()].epoch, 2);
    assert_eq!(newest(&sandbox), (2, 3));
    holds(&sandbox);
}

/// Anyone could have written what is in it.
#[test]
fn nothing_is_copied_from_an_unsigned_file() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    craft::resign_member(&sandbox, "bob", &bob.key, |_| ());
    sandbox.quick(&["members", "remove", "bob"]);
    let record = former(&root(&sandbox), "bob");
    assert_eq!((record.recipient, record.signer), (None, None));
    assert!(record.lost.is_empty() && !sandbox.store(BOB).exists());
    assert_eq!(newest(&sandbox), (2, 2));
    holds(&sandbox);
}

/// A vault in which two files have bob's recipient, as after a merge.
fn with_two_names() -> (Sandbox, Person) {
    let sandbox = stocked();
    let read = [("production", Access::Read)];
    let bob = craft::enroll(&sandbox, "bob", &read);
    craft::enroll_person(&sandbox, "robert", &read, &bob);
    (sandbox, bob)
}

#[test]
fn two_names_with_one_key_need_an_answer() {
    let (sandbox, _) = with_two_names();
    let remove = ["members", "remove", "bob"];
    sandbox
        .vault(&remove)
        .fails(4)
        .says(str![[r#"
error: bob and robert have the same keys, and without a terminal no one can be asked which to remove
hint: only the name: `vault members remove bob --yes`
hint: the person: `vault members remove bob robert --yes`
"#]])
        .check();
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/members/robert.toml: has the recipient of bob: remove one of the two names
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    let mut terminal = Terminal::start(sandbox.vault(&remove));
    terminal.sees("bob and robert have the same keys. Remove the person, with both names? [y/N] ");
    terminal.types("y\n");
    terminal.ends(0);
    let root = root(&sandbox);
    assert_eq!(root.former.len(), 2);
    holds(&sandbox);
}

#[test]
fn one_of_two_names_is_removed_and_the_key_still_counts() {
    let (sandbox, bob) = with_two_names();
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    let record = former(&root(&sandbox), "bob");
    assert_eq!((record.recipient, record.signer), (None, None));
    let get = ["get", "OTHER", "-e", "production"];
    with_key(&sandbox, &bob, &get).prints("other").check();
    holds(&sandbox);
}

#[test]
fn both_names_of_one_key_are_removed_together() {
    let (sandbox, bob) = with_two_names();
    sandbox.quick(&["members", "remove", "bob", "robert", "--yes"]);
    let digest = Some(bob.identity.recipient().digest());
    let root = root(&sandbox);
    let records = ["bob", "robert"].map(|name| former(&root, name).recipient);
    assert!(records.contains(&digest), "{records:?}");
    assert_eq!(newest(&sandbox), (2, 2));
    let get = ["get", "OTHER", "-e", "production"];
    with_key(&sandbox, &bob, &get)
        .fails(3)
        .says(str![[r#"
error: your key ([RECIPIENT]) belongs to no member of this vault
hint: use the key you joined with, or ask an admin to add you
"#]])
        .check();
}

#[test]
fn replaced_key_of_another_name_still_counts() {
    let (sandbox, bob) = with_two_names();
    let new = Person::new();
    let recipient = new.identity.recipient().to_string();
    sandbox.quick(&["members", "set", "bob", "--recipient", &recipient]);
    let record = former(&root(&sandbox), "bob-until-1");
    assert_eq!((record.recipient, record.signer), (None, None));
    let get = ["get", "OTHER", "-e", "production"];
    for person in [&bob, &new] {
        with_key(&sandbox, person, &get).prints("other").check();
    }
    holds(&sandbox);
}
