//! Losing access: the values and entries that are sealed and signed again, and the report about them.

use std::fs;

use repovault::vault::model::Access;
use snapbox::str;

use crate::support::craft;
use crate::support::golden;
use crate::support::membership::{membership, root, touched, with_bob};
use crate::support::refusal::{held, stocked, table};
use crate::support::review::reviewed;
use crate::support::sandbox::Sandbox;

const BOB: &str = "members/bob.toml";

/// The files of a rotation of both environments, apart from the members'.
const EVERYTHING: [&str; 4] = [
    "development/DATABASE_URL.toml",
    "production/DATABASE_URL.toml",
    "production/OTHER.toml",
    "root.toml",
];

fn a_reviewer_sees_that_bob_was_removed(sandbox: &Sandbox) {
    reviewed(
        sandbox,
        &table(&[
            ["development", "1", "2", "alice", "ok"],
            ["production", "2", "2", "alice", "ok"],
        ]),
        &[
            "1 revocation is listed: older files no longer count",
            "rotated: development (epoch 1 → 2)",
            "rotated: production (epoch 1 → 2)",
            "member removed: bob",
            "access taken: bob in production: write → none (member removed)",
            "re-encrypted: 1 entry of development (epoch 1 → 2) by alice",
            "re-encrypted: 2 entries of production (epoch 1 → 2) by alice",
        ],
        &[
            "older than the latest revocation: the credential of github accepts the files from before it; replace it, or set VAULT_ID with the latest tag",
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
    sandbox
        .vault(&["members", "remove", "bob"])
        .prints(str![[r#"
bob could read DATABASE_URL in production, and the value has not changed
bob could read OTHER in production, and the value has not changed
"#]])
        .says(str![[r#"
removed the member bob
development has epoch 2: 1 entry re-encrypted
production has epoch 2: 2 entries re-encrypted
these credentials still accept the older files: github; make new ones, or set VAULT_ID=[ID]@[TAG] together with them
bob may still know 2 values. Replace them at their source, then set them here (`vault status` lists what is left)
next: commit .vault
"#]])
        .any_change()
        .check();
    let now = root(&sandbox);
    let former = &now.former[&"bob".parse().unwrap()];
    let lost = &former.lost[&"production".parse().unwrap()];
    assert_eq!(
        (lost.epoch, &lost.names, former.signer.is_some()),
        (1, &None, true)
    );
    assert_eq!((now.revocations.len(), now.revision), (1, 2));
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

/// Another branch may have granted bob more than the file shows here.
#[test]
fn removal_rotates_everything_the_remover_can_write() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=read"]);
    assert_eq!(
        touched(&sandbox, &["members", "remove", "bob"]),
        [
            &EVERYTHING[..1],
            &["members/alice.toml", BOB],
            &EVERYTHING[1..]
        ]
        .concat()
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
    let before = root(&sandbox);
    sandbox
        .vault(&["members", "set", "bob", "-e", "production=read"])
        .says(str![[r#"
bob has production=read
production: 1 entry re-signed
next: commit .vault
"#]])
        .any_change()
        .check();
    let now = root(&sandbox);
    assert_eq!(now.revision, before.revision + 1);
    assert_eq!(now.revocations.len(), before.revocations.len() + 1);
    assert_eq!(now.environments, before.environments);
    let signed = sealed.replace("signer = \"bob\"", "signer = \"alice\"");
    assert_eq!(craft::body(&sandbox, "production/OTHER.toml"), signed);
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            "1 revocation is listed: older files no longer count",
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
    // The access can be given back.
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
fn granting_access_writes_one_file() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=OTHER"]);
    let set = |access: &[&str]| touched(&sandbox, &[&["members", "set", "bob"], access].concat());
    let more = ["-e", "production=DATABASE_URL,OTHER"];
    assert_eq!(set(&more), [BOB]);
    assert_eq!(set(&["-e", "production=write"]), [BOB]);
    assert_eq!(set(&["-e", "development=read"]), [BOB]);
    assert_eq!(
        set(&["-e", "production=write", "-e", "development=read"]),
        Vec::<String>::new()
    );
    assert_eq!(set(&["--admin"]), [BOB]);
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
        .says(str![
            "unchanged: the admin bob has development=read production=write"
        ])
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
    assert_eq!(
        files,
        [
            "members/alice.toml",
            "members/bot.toml",
            "production/DATABASE_URL.toml",
            "production/OTHER.toml",
            "root.toml",
        ]
    );
    let file = sandbox.home().join("credential");
    fs::write(&file, machine).unwrap();
    let read = golden::read(&sandbox, &file, &[]);
    assert_eq!(golden::names(&read["values"]["production"]), ["OTHER"]);
    assert_eq!(
        golden::names(&read["closed"]["production"]),
        ["DATABASE_URL"]
    );
    let now = membership(&sandbox);
    let lost = &now.root.members[&"bot".parse().unwrap()].lost[&"production".parse().unwrap()];
    let names: Vec<String> = lost
        .names
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    assert_eq!((lost.epoch, names), (1, vec!["DATABASE_URL".to_owned()]));
    // The older epoch stays sealed to it as well, but only the key of the name that is left.
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault/production"]);
    let read = golden::read(&sandbox, &file, &[]);
    assert_eq!(golden::names(&read["values"]["production"]), ["OTHER"]);
    assert_eq!(
        golden::names(&read["closed"]["production"]),
        ["DATABASE_URL"]
    );
}

#[test]
fn machine_is_removed_like_a_person() {
    let sandbox = stocked();
    let credential = sandbox.credential("github", &["-e", "production"]);
    assert_eq!(
        touched(&sandbox, &["members", "remove", "github"]),
        [
            &EVERYTHING[..1],
            &["members/alice.toml", "members/github.toml"],
            &EVERYTHING[1..]
        ]
        .concat()
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
    let said = str!["error: access of bob is given twice"];
    let (first, second) = ("--access=bob=read", "--access=bob=write");
    let twice = ["environments", "add", "staging", first, second];
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
