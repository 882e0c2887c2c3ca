//! Members' files that both sides changed.

use std::collections::BTreeSet;

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

fn names(names: &[&str]) -> Access {
    let names: BTreeSet<_> = names.iter().map(|name| name.parse().unwrap()).collect();
    Access::Names(names)
}

/// Bob with this access, on both branches.
fn with_bob(access: &[(&str, Access)]) -> (Branches, Person) {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", access);
    (Branches::of(sandbox), bob)
}

fn give(own: &Branches, access: &[&str]) {
    let access: Vec<&str> = access.iter().flat_map(|access| ["-e", access]).collect();
    own.quick(&[&["members", "set", "bob", "-y", "-q"], &access[..]].concat());
}

#[test]
fn grants_of_both_sides_are_united() {
    let (branches, bob) = with_bob(&[]);
    branches.conflict(
        |own| give(own, &["production=read"]),
        |own| give(own, &["development=write"]),
    );
    branches.resolves(&[]);
    assert_eq!(branches.access("bob", "production"), Some(Access::Read));
    assert_eq!(branches.access("bob", "development"), Some(Access::Write));
    let key = branches.key_file(&bob);
    for environment in ["production", "development"] {
        let words = ["get", "DATABASE_URL", "-e", environment];
        let outcome = branches.vault_as(&key, &words).outcome();
        assert_eq!(outcome.status, 0, "{}", outcome.said);
    }
}

#[test]
fn greater_access_wins_if_no_side_reduced_it() {
    let (branches, _) = with_bob(&[("production", names(&["OTHER"]))]);
    branches.conflict(
        |own| give(own, &["production=read"]),
        |own| give(own, &["production=write"]),
    );
    branches.resolves(&[]);
    assert_eq!(branches.access("bob", "production"), Some(Access::Write));
}

#[test]
fn lesser_access_wins_if_a_side_reduced_it() {
    let (branches, bob) = with_bob(&[("production", Access::Read)]);
    branches.conflict(
        |own| give(own, &["production=OTHER"]),
        |own| give(own, &["production=write", "development=read"]),
    );
    branches.refuses(&[], 4, &["put these revocations into effect together"]);
    branches.resolves(&["--yes"]);
    assert_eq!(
        branches.access("bob", "production"),
        Some(names(&["OTHER"]))
    );
    assert_eq!(branches.access("bob", "development"), Some(Access::Read));
    let key = branches.key_file(&bob);
    branches.set("DATABASE_URL", "set afterwards");
    let words = ["get", "DATABASE_URL", "-e", "production"];
    assert_ne!(branches.vault_as(&key, &words).outcome().status, 0);
    let words = ["get", "OTHER", "-e", "production"];
    assert_eq!(branches.vault_as(&key, &words).outcome().status, 0);
}

#[test]
fn taken_access_has_a_tag_and_old_files_do_not_count() {
    let (branches, _) = with_bob(&[("production", Access::Read)]);
    branches.conflict(
        |own| give(own, &["development=read"]),
        |own| give(own, &["production=none"]),
    );
    branches.resolves(&["--yes"]);
    assert_eq!(branches.access("bob", "production"), None);
    assert_eq!(branches.access("bob", "development"), Some(Access::Read));
    branches
        .sandbox
        .git(&["checkout", "HEAD^1", "--", ".vault/members/bob.toml"]);
    assert_eq!(
        branches.access("bob", "development"),
        None,
        "our file still counts"
    );
}

#[test]
fn file_of_either_side_does_not_restore_lost_access() {
    let (branches, _) = with_bob(&[("production", Access::Read), ("development", Access::Read)]);
    branches.conflict(
        |own| give(own, &["development=none"]),
        |own| give(own, &["production=none"]),
    );
    branches.resolves(&["--yes"]);
    for parent in ["HEAD^1", "HEAD^2"] {
        let path = ".vault/members/bob.toml";
        branches.sandbox.git(&["checkout", parent, "--", path]);
        for environment in ["development", "production"] {
            assert_eq!(branches.access("bob", environment), None, "{parent}");
        }
    }
}

#[test]
fn merged_member_gets_no_key_from_before_they_were_added() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let branches = Branches::of(sandbox);
    branches.conflict(
        |own| give(own, &["development=read"]),
        |own| give(own, &["development=write"]),
    );
    branches.resolves(&[]);
    let membership = branches.membership();
    let bob = &membership.members[&"bob".parse().unwrap()];
    assert_eq!(bob.sealed[&"production".parse().unwrap()].len(), 1);
}

#[test]
fn lists_of_names_get_the_changes_of_both_sides() {
    let (branches, bob) = with_bob(&[("production", names(&["DATABASE_URL", "OTHER"]))]);
    branches.conflict(
        |own| give(own, &["production=DATABASE_URL,NEW"]),
        |own| give(own, &["production=DATABASE_URL,OTHER,EXTRA"]),
    );
    branches.resolves(&["--yes"]);
    let expected = names(&["DATABASE_URL", "EXTRA", "NEW"]);
    assert_eq!(branches.access("bob", "production"), Some(expected));
    let key = branches.key_file(&bob);
    for (name, status) in [("EXTRA", 0), ("OTHER", 3)] {
        branches.set(name, "new");
        let outcome = branches
            .vault_as(&key, &["get", name, "-e", "production"])
            .outcome();
        assert_eq!(outcome.status, status, "{name}: {}", outcome.said);
    }
}

#[test]
fn deleted_file_is_a_removal_only_by_name() {
    let (branches, bob) = with_bob(&[("production", Access::Read)]);
    branches.conflict(
        |own| give(own, &["development=read"]),
        |own| {
            own.sandbox
                .git(&["rm", "--quiet", ".vault/members/bob.toml"]);
        },
    );
    branches.refuses(
        &["--yes"],
        4,
        &[
            "theirs has no file of bob that counts, without a revocation",
            "`vault resolve bob --yes`",
            "`vault resolve --take bob=ours`",
        ],
    );
    branches.resolves_only(&["bob", "--yes"]);
    let membership = branches.membership();
    let former = &membership.root.former[&"bob".parse().unwrap()];
    assert_eq!(former.recipient, Some(bob.identity.recipient().digest()));
    assert_eq!(former.lost[&"production".parse().unwrap()].epoch, 1);
    assert_eq!(branches.epoch().0, 2);
    branches.sandbox.git(&["add", "--all"]);
    branches.sandbox.git(&["commit", "--quiet", "--no-edit"]);
    branches.is_sound(&["HEAD^1"]);
}

#[test]
fn deleted_file_is_noticed_if_the_other_side_left_it() {
    let (branches, _) = with_bob(&[("production", Access::Read)]);
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.sandbox
                .git(&["rm", "--quiet", ".vault/members/bob.toml"]);
            own.set("OTHER", "theirs");
        },
    );
    branches.refuses(&["--ours"], 4, &["Remove bob"]);
    branches.resolves_only(&["--ours", "--take", "bob=ours"]);
    assert_eq!(branches.access("bob", "production"), Some(Access::Read));
    branches.sandbox.git(&["add", "--all"]);
    branches.sandbox.git(&["commit", "--quiet", "--no-edit"]);
    branches.is_sound(&["HEAD^1"]);
}

/// A vault with a request of bob, which both branches have.
fn requested() -> (Branches, String) {
    use crate::support::colleague::Colleague;
    let sandbox: Sandbox = stocked();
    let fingerprint = {
        let bob = Colleague::clone_of(&sandbox, "bob");
        let fingerprint = bob.join();
        bob.send();
        fingerprint
    };
    (Branches::of(sandbox), fingerprint)
}

#[test]
fn one_person_added_on_both_sides_is_one_member() {
    let (branches, fingerprint) = requested();
    let add = |own: &Branches, access: &str| {
        own.quick(&[
            "members",
            "add",
            "bob",
            "-q",
            "-e",
            access,
            "--fingerprint",
            &fingerprint,
        ]);
    };
    branches.conflict(
        |own| add(own, "production=read"),
        |own| add(own, "development=write"),
    );
    branches.resolves(&[]);
    assert_eq!(branches.access("bob", "production"), Some(Access::Read));
    assert_eq!(branches.access("bob", "development"), Some(Access::Write));
}

#[test]
fn two_people_added_under_one_name_need_a_choice() {
    let branches = Branches::of(stocked());
    let (ours, theirs) = (Person::new(), Person::new());
    let add = |own: &Branches, environment: &str, person: &Person| {
        craft::enroll_person(
            &own.sandbox,
            "robot",
            &[(environment, Access::Read)],
            person,
        );
    };
    branches.conflict(
        |own| add(own, "development", &ours),
        |own| add(own, "production", &theirs),
    );
    branches.refuses(
        &[],
        4,
        &["both sides gave robot other keys", "--take robot=ours"],
    );
    branches.resolves(&["--take", "robot=ours"]);
    let reads = |person: &Person, environment: &str| {
        let key = branches.key_file(person);
        let run = branches.vault_as(&key, &["get", "DATABASE_URL", "-e", environment]);
        run.outcome().status == 0
    };
    assert!(reads(&ours, "development"));
    // The access was meant for the other one.
    assert_eq!(branches.access("robot", "production"), None);
    assert!(!reads(&theirs, "production"));
    assert_eq!(
        branches.epoch().0,
        2,
        "the other one knows the key of production"
    );
    let theirs_file = [".vault/members/robot.toml"];
    branches
        .sandbox
        .git(&[&["checkout", "HEAD^2", "--"], &theirs_file[..]].concat());
    assert_eq!(
        branches.access("robot", "production"),
        None,
        "its key is a former one"
    );
}

#[test]
fn many_credentials_on_two_branches_merge_and_work() {
    let branches = Branches::of(stocked());
    let credentials = std::cell::RefCell::new(Vec::new());
    let add = |own: &Branches, name: &str| {
        let words = ["ci", "add", name, "-q", "-e", "production"];
        credentials
            .borrow_mut()
            .push(own.quick(&words).trim().to_owned());
    };
    branches.conflict(
        |own| {
            add(own, "first");
            own.set("OTHER", "ours");
        },
        |own| {
            add(own, "second");
            own.quick(&["rotate", "-e", "production"]);
            own.set("OTHER", "theirs");
        },
    );
    branches.resolves_only(&["--yes", "--theirs"]);
    branches.sandbox.git(&["add", "--all"]);
    branches.sandbox.git(&["commit", "--quiet", "--no-edit"]);
    branches.quick(&["members", "sync", "--yes", "-q"]);
    for credential in credentials.into_inner() {
        assert!(branches.reads(&credential, "production", "OTHER"));
    }
}
