//! Members' keys that were replaced on one side, or on both.

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;

/// Adds bob, a reader of production, to both branches.
fn with_bob() -> (Branches, Person) {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    (Branches::of(sandbox), bob)
}

fn replace(own: &Branches, person: &Person) {
    let recipient = person.identity.recipient().to_string();
    own.quick(&[
        "members",
        "set",
        "bob",
        "-y",
        "-q",
        "--recipient",
        &recipient,
    ]);
}

fn reads(branches: &Branches, person: &Person, environment: &str) -> bool {
    let key = branches.key_file(person);
    let run = branches.vault_as(&key, &["get", "DATABASE_URL", "-e", environment]);
    run.outcome().status == 0
}

#[test]
fn replaced_key_counts_and_access_of_both_sides_too() {
    for is_ours in [true, false] {
        let (branches, old) = with_bob();
        let new = Person::new();
        let key = |own: &Branches| replace(own, &new);
        let access = |own: &Branches| {
            own.quick(&[
                "members",
                "set",
                "bob",
                "-y",
                "-q",
                "-e",
                "development=read",
            ]);
        };
        if is_ours {
            branches.conflict(key, access);
        } else {
            branches.conflict(access, key);
        }
        branches.resolves(&["--yes"]);
        for environment in ["production", "development"] {
            assert!(reads(&branches, &new, environment));
            assert!(!reads(&branches, &old, environment));
        }
        branches.set_in("development", "DATABASE_URL", "set afterwards");
        assert!(!reads(&branches, &old, "development"));
    }
}

#[test]
fn keys_replaced_on_both_sides_need_a_choice() {
    let (branches, old) = with_bob();
    let (ours, theirs) = (Person::new(), Person::new());
    branches.conflict(|own| replace(own, &ours), |own| replace(own, &theirs));
    branches.refuses(&["--yes"], 4, &["both sides gave bob other keys"]);
    branches.resolves(&["--yes", "--take", "bob=theirs"]);
    assert!(reads(&branches, &theirs, "production"));
    assert!(!reads(&branches, &ours, "production"));
    assert!(!reads(&branches, &old, "production"));
    let root = branches.membership().root;
    for person in [&ours, &old] {
        let digest = Some(person.identity.recipient().digest());
        let mut former = root.former.values();
        assert!(former.any(|own| own.recipient == digest));
    }
}

#[test]
fn admin_of_one_side_stays_an_admin() {
    let sandbox = stocked();
    let write = [
        ("production", Access::Write),
        ("development", Access::Write),
    ];
    let bob = craft::enroll(&sandbox, "bob", &write);
    let branches = Branches::of(sandbox);
    branches.conflict(
        |own| drop(own.quick(&["members", "set", "bob", "-y", "-q", "--admin"])),
        |own| drop(own.quick(&["rotate", "-e", "production"])),
    );
    branches.resolves(&["--yes"]);
    let key = branches.key_file(&bob);
    let outcome = branches
        .vault_as(&key, &["rotate", "-e", "development"])
        .outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
}

#[test]
fn admin_with_a_key_replaced_on_the_other_side_stays_an_admin() {
    let (branches, _) = with_bob();
    let new = Person::new();
    branches.conflict(
        |own| drop(own.quick(&["members", "set", "bob", "-y", "-q", "--admin"])),
        |own| replace(own, &new),
    );
    branches.resolves(&["--yes"]);
    let key = branches.key_file(&new);
    let words = ["ci", "add", "robot", "-q", "-e", "production"];
    let outcome = branches.vault_as(&key, &words).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
}
