//! Branches whose author wants something back, or chooses the common commit.

use std::fs;

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft;
use crate::support::refusal::stocked;

/// A vault in whose history `OTHER` has three revisions and bob was removed.
fn with_a_past() -> Branches {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.commit("bob");
    sandbox.git(&["tag", "old"]);
    let branches = Branches::of(sandbox);
    branches.on("main", |own| {
        own.set("OTHER", "second");
        own.set("OTHER", "third");
    });
    branches.sandbox.git(&["tag", "values"]);
    branches.on("main", |own| {
        own.quick(&["members", "remove", "bob", "-y", "-q"]);
    });
    branches.sandbox.git(&["branch", "--force", "theirs"]);
    branches
}

fn from(own: &Branches, tag: &str, path: &str) {
    own.sandbox.git(&["checkout", "--quiet", tag, "--", path]);
}

#[test]
fn older_entry_needs_its_name() {
    let sandbox = stocked();
    sandbox.git(&["tag", "old"]);
    let branches = Branches::of(sandbox);
    branches.on("main", |own| own.set("OTHER", "second"));
    branches.sandbox.git(&["branch", "--force", "theirs"]);
    branches.conflict(
        |own| own.set("OTHER", "third"),
        |own| from(own, "old", ".vault/production/OTHER.toml"),
    );
    let said = "theirs has an older OTHER in production than the common commit";
    branches.refuses(&["--yes", "--theirs"], 4, &[said]);
    branches.resolves_only(&["--yes", "OTHER"]);
    assert_eq!(branches.value("OTHER"), "third");
}

#[test]
fn older_member_needs_their_name() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    sandbox.commit("bob");
    sandbox.git(&["tag", "old"]);
    let branches = Branches::of(sandbox);
    branches.on("main", |own| {
        own.quick(&[
            "members",
            "set",
            "bob",
            "-y",
            "-q",
            "-e",
            "development=read",
        ]);
    });
    branches.sandbox.git(&["branch", "--force", "theirs"]);
    branches.conflict(
        |own| {
            own.quick(&[
                "members",
                "set",
                "bob",
                "-y",
                "-q",
                "-e",
                "production=write",
            ]);
        },
        |own| from(own, "old", ".vault/members/bob.toml"),
    );
    let said = "theirs has an older file of bob than the common commit";
    branches.refuses(&["--yes"], 4, &[said]);
}

#[test]
fn missing_revocation_and_former_member_need_their_names() {
    let branches = with_a_past();
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.sandbox.git(&["rm", "-r", "--quiet", ".vault"]);
            from(own, "values", ".vault");
            own.set("OTHER", "theirs");
        },
    );
    branches.refuses(
        &["--ours", "--yes"],
        4,
        &["theirs has an older root than the common commit"],
    );
    branches.refuses(
        &["--ours", "--yes", "root"],
        4,
        &["theirs does not list the former member bob"],
    );
    branches.resolves_only(&["--ours", "--yes", "root", "bob", "alice", "OTHER"]);
    let root = branches.membership().root;
    assert!(root.former.contains_key(&"bob".parse().unwrap()));
    assert!(!root.revocations.is_empty());
}

#[test]
fn missing_revocation_is_noticed_at_the_same_revision() {
    let branches = with_a_past();
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            craft::resign_root(&own.sandbox, &craft::authority(&own.sandbox), |root| {
                root.revocations[0] = repovault::crypto::Tag::random();
            });
            own.set("OTHER", "theirs");
        },
    );
    let said = "theirs lacks a revocation that the common commit has";
    branches.refuses(&["--ours", "--yes"], 4, &[said]);
}

#[test]
fn side_with_an_invalid_signature_is_refused() {
    for path in ["production/OTHER.toml", "root.toml", "members/bob.toml"] {
        let sandbox = stocked();
        craft::enroll(&sandbox, "bob", &[]);
        let branches = Branches::of(sandbox);
        branches.conflict(
            |own| own.set("DATABASE_URL", "ours"),
            |own| {
                own.set("DATABASE_URL", "theirs");
                let path = own.sandbox.store(path);
                let text = fs::read_to_string(&path).unwrap();
                fs::write(&path, text.replace("revision = 1\n", "revision = 9\n")).unwrap();
            },
        );
        branches.refuses(&["--ours", "--yes"], 4, &[path, "theirs: "]);
    }
}

#[test]
fn side_with_another_id_is_refused() {
    let branches = Branches::of(stocked());
    branches.on("main", |own| own.set("OTHER", "ours"));
    branches.sandbox.git(&["checkout", "--quiet", "theirs"]);
    craft::resign_everything(
        &branches.sandbox,
        &repovault::crypto::SigningKey::generate(),
    );
    branches.sandbox.commit("another authority");
    branches.sandbox.git(&["checkout", "--quiet", "main"]);
    branches.stops(&["merge", "--quiet", "theirs"]);
    branches.refuses(
        &["--ours", "--yes"],
        4,
        &["theirs: belongs to a different vault"],
    );
}

#[test]
fn revocation_listed_by_no_side_is_refused() {
    let branches = Branches::of(stocked());
    branches
        .sandbox
        .git(&["checkout", "--quiet", "-b", "third"]);
    branches.on("third", |own| {
        own.quick(&["rotate", "-e", "production"]);
    });
    let root = fs::read_to_string(branches.sandbox.store("root.toml")).unwrap();
    let tag = root
        .lines()
        .find_map(|line| line.strip_prefix("revocations = [\"b64:"));
    let pin = format!(
        "{}@{}",
        branches.sandbox.id(),
        tag.unwrap().trim_end_matches("\"]")
    );
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| own.set("OTHER", "theirs"),
    );
    let run = branches
        .vault(&["resolve", "--ours"])
        .variable("VAULT_ID", &pin);
    branches.refused(&run, 4, &["root.toml"]);
}

#[test]
fn revocation_listed_by_one_side_is_accepted() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.quick(&["rotate", "-e", "production"]);
            own.set("OTHER", "theirs");
        },
    );
    let root = branches.sandbox.git(&["show", "theirs:.vault/root.toml"]);
    let tag = root
        .lines()
        .find_map(|line| line.strip_prefix("revocations = [\"b64:"));
    let pin = format!(
        "{}@{}",
        branches.sandbox.id(),
        tag.unwrap().trim_end_matches("\"]")
    );
    let run = branches.vault(&["resolve", "--theirs", "--yes"]);
    let outcome = run.variable("VAULT_ID", &pin).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
}

#[test]
fn deleted_entry_needs_its_name_if_the_other_side_left_it() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.set("OTHER", "theirs");
            own.sandbox
                .git(&["rm", "--quiet", ".vault/production/DATABASE_URL.toml"]);
        },
    );
    let said = "theirs has no DATABASE_URL in production, not even removed";
    branches.refuses(&["--yes", "--ours"], 4, &[said]);
}
