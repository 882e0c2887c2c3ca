//! Revocations on both sides.

use std::fs;

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

fn rotate(own: &Branches) {
    own.quick(&["rotate", "-e", "production"]);
}

fn with(people: &[&str]) -> (Branches, Vec<Person>) {
    let sandbox: Sandbox = stocked();
    let people = people
        .iter()
        .map(|name| craft::enroll(&sandbox, name, &[("production", Access::Read)]))
        .collect();
    (Branches::of(sandbox), people)
}

fn reads(branches: &Branches, person: &Person, environment: &str, name: &str) -> bool {
    let key = branches.key_file(person);
    let run = branches.vault_as(&key, &["get", name, "-e", environment]);
    run.outcome().status == 0
}

#[test]
fn rotations_of_both_sides_make_a_third_epoch_and_a_tag() {
    let branches = Branches::of(stocked());
    branches.conflict(rotate, rotate);
    branches.refuses(
        &[],
        4,
        &[
            "ours: 1 revocation since the common commit: production was rotated",
            "theirs: 1 revocation since the common commit: production was rotated",
            "put these revocations into effect together",
        ],
    );
    branches.resolves(&["--yes"]);
    let root = branches.membership().root;
    let production = &root.environments[&"production".parse().unwrap()];
    let numbers: Vec<u64> = production.epochs.iter().map(|epoch| epoch.number).collect();
    assert_eq!(numbers, [3, 2, 2, 1]);
    assert_eq!(root.revocations.len(), 3);
    assert_eq!(root.revision, 3);
    assert_eq!(branches.value("OTHER"), "other");
}

#[test]
fn united_revocations_are_ours_then_theirs_then_a_new_one() {
    let branches = Branches::of(stocked());
    branches.conflict(rotate, rotate);
    branches.resolves(&["--yes"]);
    let tags = |commit: &str| -> Vec<String> {
        let text = branches
            .sandbox
            .git(&["show", &format!("{commit}:.vault/root.toml")]);
        let line = text
            .lines()
            .find(|line| line.starts_with("revocations"))
            .unwrap();
        line.split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let (ours, theirs, result) = (tags("HEAD^1"), tags("HEAD^2"), tags("HEAD"));
    assert_eq!(result[..2], [ours[0].clone(), theirs[0].clone()]);
    assert_eq!(result.len(), 3);
}

#[test]
fn parted_revocations_get_a_tag_without_an_epoch() {
    let sandbox = stocked();
    for name in ["bob", "carol"] {
        craft::enroll(&sandbox, name, &[("production", Access::Write)]);
    }
    let branches = Branches::of(sandbox);
    let reduce = |own: &Branches, name: &str| {
        own.quick(&["members", "set", name, "-y", "-q", "-e", "production=read"]);
    };
    branches.conflict(|own| reduce(own, "bob"), |own| reduce(own, "carol"));
    branches.resolves(&["--yes"]);
    assert_eq!(branches.membership().root.revocations.len(), 3);
    assert_eq!(branches.epoch().0, 1);
}

#[test]
fn root_changed_on_one_side_is_taken_byte_for_byte() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            rotate(own);
            own.set("OTHER", "theirs");
        },
    );
    let theirs = branches.sandbox.git(&["show", "theirs:.vault/root.toml"]);
    branches.resolves(&["--yes", "--theirs"]);
    assert_eq!(
        fs::read_to_string(branches.sandbox.store("root.toml")).unwrap(),
        theirs
    );
}

#[test]
fn removal_wins_over_a_grant_on_the_other_side() {
    for is_ours in [true, false] {
        let (branches, people) = with(&["bob"]);
        let remove = |own: &Branches| {
            own.quick(&["members", "remove", "bob", "-y", "-q"]);
        };
        let grant = |own: &Branches| {
            own.quick(&[
                "members",
                "set",
                "bob",
                "-y",
                "-q",
                "-e",
                "development=read",
            ]);
            rotate(own);
        };
        if is_ours {
            branches.conflict(remove, grant);
        } else {
            branches.conflict(grant, remove);
        }
        branches.resolves(&["--yes"]);
        let root = branches.membership().root;
        let former = &root.former[&"bob".parse().unwrap()];
        assert_eq!(former.lost[&"development".parse().unwrap()].epoch, 1);
        assert_eq!(former.lost[&"production".parse().unwrap()].epoch, 2);
        assert_eq!(branches.epoch().0, 3);
        branches.set("OTHER", "set afterwards");
        branches.set_in("development", "DATABASE_URL", "set afterwards");
        // Bob restores files that once counted.
        for commit in ["theirs", "main", "HEAD^1", "HEAD^2"] {
            let _ = branches.git(&["checkout", commit, "--", ".vault/members/bob.toml"]);
            assert!(!reads(&branches, &people[0], "production", "OTHER"));
            assert!(!reads(&branches, &people[0], "development", "DATABASE_URL"));
        }
    }
}

#[test]
fn removals_of_both_sides_are_united() {
    let (branches, people) = with(&["bob", "carol"]);
    branches.conflict(
        |own| drop(own.quick(&["members", "remove", "bob", "-y", "-q"])),
        |own| drop(own.quick(&["members", "remove", "carol", "-y", "-q"])),
    );
    branches.resolves(&["--yes"]);
    let root = branches.membership().root;
    for name in ["bob", "carol"] {
        let former = &root.former[&name.parse().unwrap()];
        assert!(former.recipient.is_some());
        assert!(
            !branches
                .sandbox
                .store(&format!("members/{name}.toml"))
                .exists()
        );
    }
    branches.set("OTHER", "set afterwards");
    for person in &people {
        assert!(!reads(&branches, person, "production", "OTHER"));
    }
}

#[test]
fn key_of_a_former_member_does_not_return_under_another_name() {
    let (branches, people) = with(&["bob"]);
    branches.conflict(
        |own| {
            own.quick(&["members", "remove", "bob", "-y", "-q"]);
            own.set("OTHER", "ours");
        },
        |own| {
            let bob = craft::member(&own.sandbox, "bob");
            let authority = craft::authority(&own.sandbox);
            craft::put_member(&own.sandbox, "robert", &bob, &authority);
            own.set("OTHER", "theirs");
        },
    );
    let said = branches.resolves_only(&["--yes", "--ours"]);
    assert!(
        said.contains("robert has a key of a former member"),
        "{said}"
    );
    assert!(!branches.sandbox.store("members/robert.toml").exists());
    assert!(!reads(&branches, &people[0], "production", "OTHER"));
}

#[test]
fn key_known_only_to_a_removed_member_is_replaced() {
    // Theirs adds carol with the newest key, and her file is deleted on the way.
    let (branches, _) = with(&["bob"]);
    branches.on("main", |own| {
        craft::enroll(&own.sandbox, "carol", &[("production", Access::Read)]);
    });
    branches.sandbox.git(&["branch", "--force", "theirs"]);
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.sandbox
                .git(&["rm", "--quiet", ".vault/members/carol.toml"]);
            own.set("OTHER", "theirs");
        },
    );
    branches.resolves_only(&["--yes", "--take", "OTHER=ours", "carol"]);
    assert_eq!(branches.epoch().0, 2);
    assert!(
        branches
            .membership()
            .root
            .former
            .contains_key(&"carol".parse().unwrap())
    );
}

#[test]
fn tag_of_either_side_is_known_afterwards() {
    let branches = Branches::of(stocked());
    branches.conflict(rotate, rotate);
    branches.resolves(&["--yes"]);
    for parent in ["HEAD^1", "HEAD^2"] {
        let root = branches
            .sandbox
            .git(&["show", &format!("{parent}:.vault/root.toml")]);
        let tag = root
            .lines()
            .find_map(|line| line.strip_prefix("revocations = [\"b64:"));
        let tag = tag.unwrap().trim_end_matches("\"]");
        let pin = format!("{}@{tag}", branches.sandbox.id());
        let run = branches.vault(&["get", "OTHER", "-e", "production"]);
        assert_eq!(run.variable("VAULT_ID", &pin).outcome().status, 0);
    }
}
