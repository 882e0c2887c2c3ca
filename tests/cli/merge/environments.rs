//! Environments that a side removed, added, or made again.

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft;
use crate::support::refusal::stocked;

fn remove(own: &Branches) {
    own.quick(&["environments", "remove", "production", "--yes"]);
}

#[test]
fn removed_environment_is_removed_after_its_entries_are_named() {
    let branches = Branches::of(stocked());
    branches.conflict(remove, |own| own.set("OTHER", "theirs"));
    let said = "one side removed production, and the other set OTHER there";
    branches.refuses(&["--yes"], 4, &[said, "`vault resolve production --yes`"]);
    branches.resolves(&["production", "--yes"]);
    assert!(!branches.sandbox.store("production").exists());
    let root = branches.membership().root;
    assert!(
        !root
            .environments
            .contains_key(&"production".parse().unwrap())
    );
}

#[test]
fn removed_environment_records_access_given_by_other_side() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("development", Access::Read)]);
    let branches = Branches::of(sandbox);
    branches.conflict(remove, |own| {
        own.quick(&["rotate", "-e", "production"]);
        own.quick(&["members", "set", "bob", "-y", "-q", "-e", "production=read"]);
    });
    branches.resolves(&["--yes"]);
    let root = branches.membership().root;
    let bob = &root.members[&"bob".parse().unwrap()];
    assert_eq!(bob.lost[&"production".parse().unwrap()].epoch, 2);
    assert_eq!(branches.access("bob", "production"), None);
}

#[test]
fn environment_of_both_sides_has_all_entries_and_a_new_epoch() {
    let branches = Branches::of(stocked());
    let add = |own: &Branches, name: &str, value: &str| {
        own.quick(&["environments", "add", "staging"]);
        own.set_in("staging", name, "value");
        own.set_in("staging", "BOTH", value);
    };
    branches.conflict(
        |own| add(own, "OURS", "value"),
        |own| add(own, "THEIRS", "other"),
    );
    branches.refuses(&[], 4, &["BOTH in staging was changed on both sides"]);
    branches.resolves(&["--ours"]);
    for name in ["OURS", "THEIRS", "BOTH"] {
        assert_eq!(branches.value_in("staging", name), "value");
    }
    let root = branches.membership().root;
    let staging = &root.environments[&"staging".parse().unwrap()];
    let numbers: Vec<u64> = staging.epochs.iter().map(|epoch| epoch.number).collect();
    assert_eq!(numbers, [2, 1, 1]);
}

#[test]
fn environment_made_again_has_only_its_own_entries_and_access() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let branches = Branches::of(sandbox);
    branches.conflict(
        |own| {
            remove(own);
            own.quick(&["environments", "add", "production"]);
            own.set("NEW", "new");
        },
        |own| {
            own.set("OTHER", "theirs");
            let access = "development=read";
            own.quick(&["members", "set", "bob", "-y", "-q", "-e", access]);
        },
    );
    let said =
        "one side made production again, so these of the other are left out: DATABASE_URL, OTHER";
    branches.refuses(&["--yes"], 4, &[said]);
    branches.resolves(&["production", "--yes"]);
    assert_eq!(branches.value("NEW"), "new");
    assert_ne!(
        branches
            .vault(&["get", "OTHER", "-e", "production"])
            .outcome()
            .status,
        0
    );
    assert_eq!(branches.access("bob", "production"), None);
    assert_eq!(branches.access("bob", "development"), Some(Access::Read));
    let key = branches.key_file(&bob);
    let run = branches.vault_as(&key, &["get", "NEW", "-e", "production"]);
    assert_ne!(run.outcome().status, 0);
}

#[test]
fn member_added_before_an_environment_was_made_again_has_no_key() {
    let branches = Branches::of(stocked());
    let credential = std::cell::RefCell::new(String::new());
    branches.conflict(
        |own| {
            remove(own);
            own.quick(&["environments", "add", "production"]);
            own.set("OTHER", "ours");
        },
        |own| {
            let words = ["ci", "add", "robot", "-q", "-e", "production"];
            own.quick(&words)
                .trim()
                .clone_into(&mut credential.borrow_mut());
            own.set("OTHER", "theirs");
        },
    );
    branches.resolves_only(&["production", "--yes"]);
    assert!(!branches.reads(&credential.borrow(), "production", "OTHER"));
    assert_eq!(branches.access("robot", "production"), None);
}
