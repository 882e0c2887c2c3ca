//! Losing access: what is sealed and signed anew, what stays as it is, and what is told.

use std::fs;

use repovault::vault::model::Access;
use snapbox::str;

use crate::support::craft;
use crate::support::golden;
use crate::support::membership::{ALL_OF_PRODUCTION, roster, touched, with_bob};
use crate::support::refusal::{held, stocked, table};
use crate::support::review::reviewed;
use crate::support::sandbox::Sandbox;

fn a_reviewer_sees_that_bob_was_removed(sandbox: &Sandbox) {
    reviewed(
        sandbox,
        &table(&[
            ["development", "1", "1", "alice", "ok"],
            ["production", "2", "2", "alice", "ok"],
        ]),
        &[
            "floor raised: 1 → 6: older rosters no longer count",
            "rotated: production (epoch 1 → 2)",
            "member removed: bob",
            "access taken: bob in production: write → none (member removed)",
            "re-encrypted: 2 entries of production (epoch 1 → 2) by alice",
        ],
        &[
            "below the floor: the credential of github accepts rosters of floor 1, and it is 6 now; replace it, or set VAULT_ID with the floor",
        ],
        &[],
    );
}

#[test]
fn removed_member_is_locked_out_and_exposed_values_are_listed() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("by bob")
        .any_change()
        .check();
    bob.send();
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.commit("a machine");
    let id = sandbox.id();
    sandbox
        .vault(&["members", "remove", "bob"])
        .prints(str![[r#"
bob could read DATABASE_URL in production, and the value has not changed
bob could read OTHER in production, and the value has not changed
"#]])
        .says(format!(
            "removed the member bob
production has epoch 2: 2 entries re-encrypted
these credentials still accept the older files: github; make new ones, or set VAULT_ID={id}@6 \
             together with them
bob may still know 2 values. Replace them at their source, then set them here (`vault status` \
             lists what is left)
next: commit .vault
"
        ))
        .any_change()
        .check();
    let now = roster(&sandbox);
    let former = &now.former[&"bob".parse().unwrap()];
    let lost = &former.lost[&"production".parse().unwrap()];
    assert_eq!(
        (lost.epoch, &lost.names, former.signer.is_some()),
        (1, &None, true)
    );
    assert_eq!((now.floor, now.revision), (6, 6));
    assert!(
        craft::body(&sandbox, "production/OTHER.toml")
            .contains("author = \"bob\"\nsigner = \"alice\"")
    );
    a_reviewer_sees_that_bob_was_removed(&sandbox);
    sandbox.commit("bob has left");
    bob.pull();
    let said = str![[r#"
error: your key ([RECIPIENT]) belongs to no member of this vault
hint: use the key you joined with, or ask an admin to add you
"#]];
    bob.vault(&["get", "OTHER", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
    let open = |sandbox: &Sandbox| {
        let output = sandbox.vault(&["status"]).outcome().output;
        String::from_utf8(output)
            .unwrap()
            .matches("bob could read")
            .count()
    };
    assert_eq!(open(&sandbox), 2);
    sandbox.set("production", "OTHER", b"new");
    assert_eq!(open(&sandbox), 1);
    let said = str![[r#"
error: bob is no longer a member
hint: list the members: `vault members list`
"#]];
    sandbox
        .vault(&["members", "remove", "bob"])
        .fails(2)
        .says(&said)
        .check();
    let said = str![[r#"
error: carol is not a member
hint: list the members: `vault members list`
"#]];
    sandbox
        .vault(&["members", "remove", "carol"])
        .fails(2)
        .says(&said)
        .check();
    sandbox
        .vault(&["members", "set", "carol", "--admin"])
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn removal_reencrypts_only_readable_environments() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=read"]);
    assert_eq!(
        touched(&sandbox, &["members", "remove", "bob"]),
        ALL_OF_PRODUCTION
    );
}

#[test]
fn losing_write_access_keeps_reading_and_resigns_entries() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("by bob")
        .any_change()
        .check();
    bob.send();
    let sealed = craft::body(&sandbox, "production/OTHER.toml");
    let before = roster(&sandbox);
    sandbox
        .vault(&["members", "set", "bob", "-e", "production=read"])
        .says(str![[r#"
bob has production=read
production: 1 entry re-signed
next: commit .vault
"#]])
        .any_change()
        .check();
    let now = roster(&sandbox);
    assert!(now.floor == now.revision && now.revision == before.revision + 1);
    assert_eq!(now.environments, before.environments);
    let signed = sealed.replace("signer = \"bob\"", "signer = \"alice\"");
    assert_eq!(craft::body(&sandbox, "production/OTHER.toml"), signed);
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            "floor raised: 1 → [..]: older rosters no longer count",
            "access taken: bob in production: write → read (access changed)",
            "re-signed: 1 entry of production, signed by bob before, and by alice now",
        ],
        &[],
        &[],
    );
    sandbox.commit("bob reads");
    bob.pull();
    bob.vault(&["get", "OTHER", "-e", "production"])
        .prints("by bob")
        .any_change()
        .check();
    let said = str![[r#"
error: bob may not write in production
hint: ask an admin for write access
"#]];
    bob.vault(&["set", "OTHER", "-e", "production"])
        .input("x")
        .fails(3)
        .says(&said)
        .check();
    // What he signed before does not count any more, and he may be given it back.
    bob.vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    sandbox.quick(&["members", "set", "bob", "-e", "production=write"]);
    sandbox.commit("bob writes");
    bob.pull();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("again")
        .any_change()
        .check();
}

#[test]
fn granting_access_changes_no_entry_and_no_floor() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=OTHER"]);
    let set = |access: &[&str]| touched(&sandbox, &[&["members", "set", "bob"], access].concat());
    let more = ["-e", "production=DATABASE_URL,OTHER"];
    assert_eq!(set(&more), ["members.toml", "production.toml"]);
    assert_eq!(
        set(&["-e", "production=write"]),
        ["members.toml", "production.toml"]
    );
    assert_eq!(
        set(&["-e", "development=read"]),
        ["development.toml", "members.toml"]
    );
    assert_eq!(
        set(&["-e", "production=write", "-e", "development=read"]),
        Vec::<String>::new()
    );
    assert_eq!(roster(&sandbox).floor, 1);
    sandbox.commit("more");
    bob.pull();
    bob.vault(&["get", "DATABASE_URL"])
        .prints("postgres://development")
        .any_change()
        .check();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("x")
        .any_change()
        .check();
    sandbox
        .vault(&["members", "set", "bob", "-e", "development=read"])
        .says(str!["unchanged: bob has development=read production=write"])
        .check();
}

#[test]
fn access_can_shrink_and_grow_in_one_command() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=read"]);
    sandbox
        .vault(&["members", "set", "bob", "-e", "production=none", "-e", "development=write"])
        .prints(str![[r#"
bob could read DATABASE_URL in production, and the value has not changed
bob could read OTHER in production, and the value has not changed
"#]])
        .says(str![[r#"
bob has development=write
production has epoch 2: 2 entries re-encrypted
bob may still know 2 values. Replace them at their source, then set them here (`vault status` lists what is left)
next: commit .vault
"#]])
        .any_change()
        .check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    sandbox.commit("another job");
    bob.pull();
    bob.vault(&["set", "OWN", "-q"])
        .input("own")
        .any_change()
        .check();
    let said = str![[r#"
error: production is locked: bob has access to development
hint: [..]
"#]];
    bob.vault(&["get", "OTHER", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
}

/// The second reader shows that the keys of the other names are not there.
#[test]
fn removing_a_granted_name_starts_a_new_epoch() {
    let sandbox = stocked();
    let machine = sandbox.credential("bot", &["-e", "production", "--only", "DATABASE_URL,OTHER"]);
    let files = touched(
        &sandbox,
        &["members", "set", "bot", "-e", "production=OTHER"],
    );
    assert_eq!(files, ALL_OF_PRODUCTION);
    let file = sandbox.home().join("credential");
    fs::write(&file, machine).unwrap();
    let read = golden::read(&sandbox, &file, &[]);
    assert_eq!(golden::names(&read["values"]["production"]), ["OTHER"]);
    assert_eq!(
        golden::names(&read["closed"]["production"]),
        ["DATABASE_URL"]
    );
    let now = roster(&sandbox);
    let lost = &now.members[&"bot".parse().unwrap()].lost[&"production".parse().unwrap()];
    let names: Vec<String> = lost
        .names
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    assert_eq!((lost.epoch, names), (1, vec!["DATABASE_URL".to_owned()]));
    // Nothing of the older epoch stays sealed to it.
    let vault = craft::vault(&sandbox);
    let environment = vault.environment(&"production".parse().unwrap()).unwrap();
    let sealed = |number| {
        let epoch = environment.content().epoch(number).unwrap();
        epoch
            .sealed
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (sealed(2), sealed(1)),
        (vec!["alice".into(), "bot".into()], vec!["alice".to_owned()])
    );
}

#[test]
fn machine_is_removed_like_a_person() {
    let sandbox = stocked();
    let credential = sandbox.credential("github", &["-e", "production"]);
    assert_eq!(
        touched(&sandbox, &["members", "remove", "github"]),
        ALL_OF_PRODUCTION
    );
    let get = sandbox.vault(&["get", "OTHER", "-e", "production"]);
    let said = str![[r#"
error: the credential no longer works: github has lost access
hint: [..]
"#]];
    get.variable("VAULT_KEY", &credential)
        .fails(3)
        .says(&said)
        .check();
    let said = str![[r#"
error: the name github has been used; names are never reused
hint: choose another name
"#]];
    sandbox
        .vault(&["ci", "add", "github", "-e", "production"])
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn invalid_removal_is_refused_before_the_prompt() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let said = str![[r#"
error: there is no environment staging; there are: development, production
hint: [..]
"#]];
    sandbox
        .vault(&["members", "set", "bob", "-e", "staging=read"])
        .fails(2)
        .says(&said)
        .check();
    let said = str!["error: access to production is given twice"];
    let twice = [
        "members",
        "set",
        "bob",
        "-e",
        "production=none",
        "-e",
        "production=read",
    ];
    sandbox.vault(&twice).fails(2).says(&said).check();
    let reader = sandbox.credential("github", &["-e", "production"]);
    let said = str![[r#"
error: github cannot write in production without a signing key
hint: [..]
hint: [..]
"#]];
    sandbox
        .vault(&["members", "set", "github", "-e", "production=write"])
        .fails(2)
        .says(&said)
        .check();
    let said = str!["error: github is a machine, and a machine cannot be an admin"];
    sandbox
        .vault(&["members", "set", "github", "--admin"])
        .fails(2)
        .says(&said)
        .check();
    let person = craft::Person::new().identity.recipient().to_string();
    let add = [
        "members",
        "add",
        "auditor",
        "-q",
        "--recipient",
        &person,
        "-e",
        "production=read",
    ];
    sandbox.quick(&add);
    let said = str![[r#"
error: auditor cannot be an admin without a signing key
hint: [..]
"#]];
    sandbox
        .vault(&["members", "set", "auditor", "--admin"])
        .fails(2)
        .says(&said)
        .check();
    let said = str![[r#"
error: bob-until-3 is reserved for replaced keys
hint: choose another name
"#]];
    sandbox
        .vault(&["ci", "add", "bob-until-3", "-e", "production"])
        .fails(2)
        .says(&said)
        .check();
    let said = str![[r#"
error: github is not an admin of this vault
hint: ask an admin: alice
"#]];
    for arguments in [
        &["members", "remove", "bob"][..],
        &["members", "set", "bob", "--admin"],
    ] {
        sandbox
            .vault(arguments)
            .variable("VAULT_KEY", &reader)
            .fails(3)
            .says(&said)
            .check();
    }
}
