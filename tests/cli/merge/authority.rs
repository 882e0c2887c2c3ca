//! The rights that the end of a conflict takes.

use std::fs;

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;

/// Bob with this access to production, on both branches.
fn with_bob(access: Access) -> (Branches, Person) {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", access)]);
    (Branches::of(sandbox), bob)
}

#[test]
fn writer_ends_conflicts_of_secrets_without_the_authority() {
    let (branches, bob) = with_bob(Access::Write);
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.set("OTHER", "theirs");
            own.quick(&["ci", "add", "robot", "-q", "-e", "production"]);
            own.quick(&["rotate", "-e", "development"]);
        },
    );
    let theirs = |path: &str| {
        branches
            .sandbox
            .git(&["show", &format!("theirs:.vault/{path}")])
    };
    let key = branches.key_file(&bob);
    let outcome = branches
        .vault_as(&key, &["resolve", "--yes", "--theirs"])
        .outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    for path in [
        "root.toml",
        "members/robot.toml",
        "members/alice.toml",
        "development/DATABASE_URL.toml",
    ] {
        let own = fs::read_to_string(branches.sandbox.store(path)).unwrap();
        assert_eq!(own, theirs(path), "{path}");
    }
    branches.commits();
    assert_eq!(branches.value("OTHER"), "theirs");
    let text = fs::read_to_string(branches.sandbox.store("production/OTHER.toml")).unwrap();
    assert!(
        text.contains("author = \"alice\"\nsigner = \"bob\"\n"),
        "{text}"
    );
}

#[test]
fn writer_is_refused_if_the_root_must_be_signed() {
    let (branches, bob) = with_bob(Access::Write);
    let rotate = |own: &Branches| drop(own.quick(&["rotate", "-e", "production"]));
    branches.conflict(rotate, rotate);
    let key = branches.key_file(&bob);
    branches.refused(
        &branches.vault_as(&key, &["resolve", "--yes"]),
        3,
        &[
            "this merge has to be signed by an admin, and bob is none",
            "`git merge --abort`, and someone who can (alice) merges the target into the branch",
        ],
    );
}

#[test]
fn writer_is_refused_if_a_member_must_be_signed() {
    let (branches, bob) = with_bob(Access::Write);
    let carol = craft::enroll(&branches.sandbox, "carol", &[]);
    let _ = carol;
    branches.sandbox.commit("carol");
    branches.sandbox.git(&["branch", "--force", "theirs"]);
    let set = |own: &Branches, access: &str| {
        own.quick(&["members", "set", "carol", "-y", "-q", "-e", access]);
    };
    branches.conflict(
        |own| set(own, "development=read"),
        |own| set(own, "production=read"),
    );
    let key = branches.key_file(&bob);
    branches.refused(
        &branches.vault_as(&key, &["resolve"]),
        3,
        &["signed by an admin"],
    );
    branches.resolves(&[]);
}

#[test]
fn reader_is_refused_if_an_entry_must_be_signed() {
    let (branches, bob) = with_bob(Access::Read);
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| own.set("OTHER", "theirs"),
    );
    let key = branches.key_file(&bob);
    branches.refused(
        &branches.vault_as(&key, &["resolve", "--ours"]),
        3,
        &["bob may not write in production", "(alice)"],
    );
}

#[test]
fn reader_ends_a_conflict_without_a_choice() {
    let (branches, bob) = with_bob(Access::Read);
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.set("OTHER", "first");
            own.set("OTHER", "second");
        },
    );
    let key = branches.key_file(&bob);
    let outcome = branches.vault_as(&key, &["resolve"]).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    branches.commits();
    assert_eq!(branches.value("OTHER"), "second");
}

#[test]
fn stranger_is_refused() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| own.set("OTHER", "theirs"),
    );
    let key = branches.key_file(&Person::new());
    branches.refused(
        &branches.vault_as(&key, &["resolve", "--ours"]),
        3,
        &["your key belongs to no member of ours"],
    );
}

#[test]
fn unconfirmed_vault_is_refused() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| own.set("OTHER", "theirs"),
    );
    let run = branches.vault(&["resolve", "--ours"]).without("VAULT_ID");
    branches.refused(
        &run,
        3,
        &["the id of this vault has not been confirmed yet"],
    );
}

#[test]
fn entry_of_a_removed_member_needs_adopt() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Write)]);
    let branches = Branches::of(sandbox);
    let key = branches.key_file(&bob);
    branches.conflict(
        |own| {
            own.quick(&["members", "remove", "bob", "-y", "-q"]);
            own.set("OTHER", "ours");
        },
        |own| {
            own.set("OTHER", "theirs");
            let words = ["set", "NEW", "-e", "production", "-q"];
            let outcome = own.vault_as(&key, &words).input("of bob").outcome();
            assert_eq!(outcome.status, 0, "{}", outcome.said);
        },
    );
    branches.refuses(
        &["--yes", "--ours"],
        4,
        &[
            "is signed by bob, who may not write in production",
            "`vault resolve --adopt NEW`",
        ],
    );
    branches.resolves_only(&["--yes", "--ours", "--adopt", "NEW"]);
    assert_eq!(branches.value("NEW"), "of bob");
}
