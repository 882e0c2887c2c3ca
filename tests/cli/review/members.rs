//! `verify --since`: the report for reviewers about members and their access, without a key, as the CI
//! of a pull request runs it.

use std::fs;

use repovault::crypto::Tag;
use repovault::vault::model::{Access, Lost, Member, Reduced, Root};
use repovault::vault::name::MemberName;

use crate::support::craft::{self, Person};
use crate::support::refusal::{held, stocked};
use crate::support::review::{
    REVOKED, cast, change_member, change_root, not_revoked, not_rotated, reviewed, revoke,
};

const CAROL_KNOWS: &str = "granted in another commit: carol has the key of production from there, \
                           and no such access here; unless that commit will be merged, run `vault \
                           members set carol -e production=none`";

fn name(text: &str) -> MemberName {
    text.parse().unwrap()
}

fn names(list: &[&str]) -> Access {
    Access::Names(list.iter().map(|name| name.parse().unwrap()).collect())
}

/// Records that the member could read this environment.
fn lose(root: &mut Root, member: &str, environment: &str) {
    let lost = Lost {
        epoch: 1,
        names: None,
    };
    let own: &mut Reduced = root.members.entry(name(member)).or_default();
    own.lost.insert(environment.parse().unwrap(), lost);
}

#[test]
fn new_member_is_reported_with_their_access() {
    let sandbox = stocked();
    let access = [
        ("development", Access::Write),
        ("production", names(&["OTHER"])),
    ];
    craft::enroll(&sandbox, "bob", &access);
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "member added: bob with recipient age1[..]",
            "access granted: bob in development: none → write (member added)",
            "access granted: bob in production: none → read OTHER (member added)",
        ],
        &[],
    );
}

#[test]
fn access_changes_are_grouped_by_person() {
    let (sandbox, _) = cast();
    let change = |member: &mut Member| {
        member
            .access
            .insert("production".parse().unwrap(), names(&["OTHER"]));
    };
    revoke(
        &sandbox,
        "carol",
        |root| lose(root, "carol", "production"),
        change,
    );
    change_member(&sandbox, "bob", |bob| {
        bob.access
            .insert("production".parse().unwrap(), Access::Write);
        bob.access
            .insert("development".parse().unwrap(), Access::Read);
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            REVOKED,
            "access taken: bob in development: write → read (access changed)",
            "access taken: carol in production: read DATABASE_URL, OTHER → read OTHER (access changed)",
        ],
        &[
            "access granted: bob in production: read → write (access changed)",
            "older than the latest revocation: the credential of carol accepts the files from before it; replace it, or set VAULT_ID with the latest tag",
            CAROL_KNOWS,
        ],
        // Values that someone can no longer read must be re-encrypted, and every loss has a tag.
        &[&not_revoked("bob"), &not_rotated("carol", "production")],
    );
}

#[test]
fn loss_of_write_with_a_tag_needs_no_rotation() {
    let (sandbox, _) = cast();
    revoke(
        &sandbox,
        "bob",
        |_| (),
        |bob| {
            bob.access
                .insert("development".parse().unwrap(), Access::Read);
        },
    );
    change_member(&sandbox, "carol", |carol| carol.credential = None);
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            REVOKED,
            "access taken: bob in development: write → read (access changed)",
        ],
        &["other change: .vault/members/carol.toml has different bytes"],
        &[],
    );
}

#[test]
fn changed_names_of_a_machine_are_reported() {
    let (sandbox, _) = cast();
    change_member(&sandbox, "carol", |carol| {
        let all = names(&["DATABASE_URL", "NEW", "OTHER"]);
        carol.access.insert("production".parse().unwrap(), all);
    });
    let more = "access granted: carol in production: read DATABASE_URL, OTHER → \
                read DATABASE_URL, NEW, OTHER (access changed)";
    reviewed(&sandbox, &held(1, 2), &[], &[more], &[]);
}

#[test]
fn deleted_file_without_a_revocation_is_found() {
    let (sandbox, _) = cast();
    fs::remove_file(sandbox.store("members/carol.toml")).unwrap();
    reviewed(
        &sandbox,
        &held(1, 2),
        &["access taken: carol in production: read DATABASE_URL, OTHER → none (member removed)"],
        &[CAROL_KNOWS],
        &[
            "missing: carol is gone without a revocation",
            &not_rotated("carol", "production"),
            &not_revoked("carol"),
        ],
    );
}

#[test]
fn removal_without_rotation_or_record_is_found() {
    let (sandbox, _) = cast();
    fs::remove_file(sandbox.store("members/carol.toml")).unwrap();
    change_root(&sandbox, |root| {
        root.revocations.push(Tag::random());
        root.former
            .insert(name("carol"), repovault::vault::model::Former::default());
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            REVOKED,
            "member removed: carol",
            "access taken: carol in production: read DATABASE_URL, OTHER → none (member removed)",
        ],
        &[CAROL_KNOWS],
        &[
            &not_rotated("carol", "production"),
            "not recorded: .vault/root.toml does not say that carol could read production",
        ],
    );
}

#[test]
fn name_of_a_former_member_is_found() {
    let (sandbox, _) = cast();
    sandbox.quick(&["members", "remove", "bob", "--yes"]);
    sandbox.commit("bob has left");
    craft::put_member(
        &sandbox,
        "bob",
        &Person::new().member(),
        &craft::authority(&sandbox),
    );
    change_root(&sandbox, |root| root.former.clear());
    let outcome = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    let text = String::from_utf8(outcome.output).unwrap();
    for line in [
        "  name reused: bob is the name of a former member\n",
        "  changed: .vault/root.toml no longer lists the former member bob with the same keys\n",
        "  changed: .vault/root.toml no longer says everything that bob could read\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn older_or_replaced_file_of_a_member_is_found() {
    let (sandbox, _) = cast();
    let old = fs::read(sandbox.store("members/bob.toml")).unwrap();
    let more = |bob: &mut Member| {
        bob.access
            .insert("production".parse().unwrap(), Access::Write);
    };
    craft::resign_member(&sandbox, "bob", &craft::authority(&sandbox), more);
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &["access granted: bob in production: read → write (access changed)"],
        &["replaced: the file of bob has different content with the same revision 1"],
    );
    fs::write(sandbox.store("members/bob.toml"), &old).unwrap();
    change_member(&sandbox, "bob", more);
    sandbox.commit("more for bob");
    fs::write(sandbox.store("members/bob.toml"), &old).unwrap();
    reviewed(
        &sandbox,
        &held(1, 2),
        &["access taken: bob in production: write → read (access changed)"],
        &[],
        &[
            &not_revoked("bob"),
            "rolled back: the file of bob has revision 1, and had 2 before",
        ],
    );
}

/// A part that does not count can count again with another root, so it is part of the content.
#[test]
fn replaced_leftover_is_found() {
    let (sandbox, _) = cast();
    craft::resign_member(&sandbox, "bob", &craft::authority(&sandbox), |bob| {
        bob.access.insert("staging".parse().unwrap(), Access::Read);
    });
    let run = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    let text = String::from_utf8(run.output).unwrap();
    let replaced = "replaced: the file of bob has different content with the same revision 1";
    let notes = "notes:\n  .vault/members/bob.toml: still has access that does not count in \
                 staging, until it is next written\n";
    assert!(text.contains(replaced) && text.contains(notes), "{text}");
    // It is information, and not a change.
    change_member(&sandbox, "bob", |_| ());
    sandbox.commit("a leftover");
    for (options, heading) in [
        (&[][..], ""),
        (&["--since", "HEAD"], "nothing changed since HEAD\n"),
    ] {
        let arguments = [&["verify"], options].concat();
        let run = sandbox.vault(&arguments).outcome();
        let text = String::from_utf8(run.output).unwrap();
        assert!(
            text.ends_with(&format!("\n{heading}\n{notes}").replace("\n\n\n", "\n\n")),
            "{text}"
        );
        assert_eq!(run.status, 0, "{text}");
    }
}
