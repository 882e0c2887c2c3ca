//! The way to `vault resolve`, and the way around it.

use std::fs;

use crate::support::branches::Branches;
use crate::support::refusal::stocked;

const HINT: &str = "`vault resolve`";

fn both_set() -> Branches {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| own.set("OTHER", "theirs"),
    );
    branches
}

fn both_rotated() -> Branches {
    let branches = Branches::of(stocked());
    let rotate = |own: &Branches| {
        own.quick(&["rotate", "-e", "production"]);
        own.quick(&["rotate", "-e", "development"]);
    };
    branches.conflict(rotate, rotate);
    branches
}

#[track_caller]
fn names_resolve(branches: &Branches, arguments: &[&str]) {
    let outcome = branches.vault(arguments).input("value").outcome();
    assert_ne!(outcome.status, 0, "{arguments:?}");
    let all = outcome.said + &String::from_utf8_lossy(&outcome.output);
    assert!(all.contains(HINT), "{arguments:?}: {all}");
}

#[test]
fn conflict_markers_of_a_secret_name_resolve() {
    let branches = both_set();
    for arguments in [
        &["get", "OTHER", "-e", "production"][..],
        &["set", "OTHER", "-e", "production"],
        &["exec", "-e", "production", "--", "true"],
        &["list", "-e", "production"],
        &["rotate", "-e", "production"],
        &["verify"],
    ] {
        names_resolve(&branches, arguments);
    }
}

#[test]
fn conflict_markers_of_root_and_members_name_resolve() {
    let branches = both_rotated();
    for arguments in [
        &["get", "OTHER", "-e", "production"][..],
        &["exec", "-e", "production", "--", "true"],
        &["set", "OTHER", "-e", "production"],
        &["members", "list"],
        &["ci", "add", "robot", "-e", "production"],
        &["rotate", "-e", "production"],
        &["environments", "list"],
        &["status"],
        &["verify"],
    ] {
        names_resolve(&branches, arguments);
    }
    // Only the member's own file has markers.
    branches
        .sandbox
        .git(&["checkout", "--ours", "--", ".vault/root.toml"]);
    names_resolve(&branches, &["get", "OTHER", "-e", "production"]);
}

#[test]
fn refusal_without_markers_names_resolve_during_a_merge() {
    let branches = both_rotated();
    branches
        .sandbox
        .git(&["checkout", "--ours", "--", ".vault"]);
    branches
        .sandbox
        .git(&["checkout", "--theirs", "--", ".vault/production"]);
    names_resolve(&branches, &["get", "OTHER", "-e", "production"]);
    let folder = branches.sandbox.repo().join("sub");
    fs::create_dir(&folder).unwrap();
    let words = ["get", "OTHER", "-e", "production"];
    let outcome = branches.vault(&words).folder(&folder).outcome();
    assert!(outcome.said.contains(HINT), "{}", outcome.said);
}

#[test]
fn sync_during_a_merge_names_resolve() {
    let branches = Branches::of(stocked());
    let change = |own: &Branches, text: &str| {
        fs::write(own.sandbox.repo().join("file"), text).unwrap();
    };
    branches.on("theirs", |own| {
        change(own, "theirs");
        own.quick(&["ci", "add", "robot", "-q", "-e", "production"]);
    });
    branches.on("main", |own| {
        change(own, "ours");
        own.quick(&["rotate", "-e", "production"]);
    });
    assert!(
        !branches
            .git(&["merge", "--quiet", "theirs"])
            .status
            .success()
    );
    names_resolve(&branches, &["members", "sync", "--yes"]);
}

#[test]
fn refusal_without_a_merge_does_not_name_resolve() {
    let branches = Branches::of(stocked());
    let path = branches.sandbox.store("production/OTHER.toml");
    fs::write(&path, "format = 1\n").unwrap();
    let outcome = branches
        .vault(&["get", "OTHER", "-e", "production"])
        .outcome();
    assert_eq!(outcome.status, 4);
    assert!(!outcome.said.contains("resolve"), "{}", outcome.said);
}

#[test]
fn markers_already_added_are_resolved() {
    let branches = both_set();
    branches.sandbox.git(&["add", ".vault"]);
    branches.resolves(&["--ours"]);
    assert_eq!(branches.value("OTHER"), "ours");
}

#[test]
fn conflict_elsewhere_leaves_nothing_to_resolve() {
    let branches = Branches::of(stocked());
    let change = |own: &Branches, text: &str| {
        fs::write(own.sandbox.repo().join("file"), text).unwrap();
    };
    branches.on("theirs", |own| change(own, "theirs"));
    branches.on("main", |own| change(own, "ours"));
    assert!(
        !branches
            .git(&["merge", "--quiet", "theirs"])
            .status
            .success()
    );
    let run = branches.vault(&["resolve"]);
    run.says("nothing below .vault is in conflict\n").check();
    branches
        .vault(&["resolve", "--ours", "OTHER"])
        .fails(2)
        .says("error: there is nothing to decide about OTHER\nhint: leave OTHER out\n")
        .check();
}

#[test]
fn resolve_without_a_merge_is_a_misuse() {
    let branches = Branches::of(stocked());
    branches
        .vault(&["resolve"])
        .fails(2)
        .says(
            "error: no merge, rebase, cherry-pick, or revert is under way here\n\
             hint: see what is: `git status`\n",
        )
        .check();
}

#[test]
fn conflict_without_a_merge_shows_the_way_out() {
    let branches = Branches::of(stocked());
    branches.set("OTHER", "stashed");
    branches.sandbox.git(&["stash", "--quiet"]);
    branches.on("main", |own| own.set("OTHER", "ours"));
    branches.stops(&["stash", "pop", "--quiet"]);
    branches.refuses(
        &["--ours"],
        2,
        &["no merge, rebase, cherry-pick, or revert is under way"],
    );
}

#[test]
fn one_side_can_be_taken_whole() {
    for (source, value) in [("HEAD", "ours"), ("MERGE_HEAD", "theirs")] {
        let branches = Branches::of(stocked());
        branches.conflict(
            |own| {
                own.set("OTHER", "ours");
                own.quick(&["rotate", "-e", "production"]);
                own.set("OURS", "ours");
            },
            |own| {
                own.set("OTHER", "theirs");
                own.quick(&["ci", "add", "robot", "-q", "-e", "production"]);
                own.quick(&["rotate", "-e", "production"]);
                own.quick(&["ci", "add", "other", "-q", "-e", "development"]);
            },
        );
        let said = branches.refuses(&[], 4, &[&format!("--source={source}")]);
        let _ = said;
        let source = format!("--source={source}");
        branches
            .sandbox
            .git(&["restore", &source, "--staged", "--worktree", ".vault"]);
        branches.sandbox.git(&["commit", "--quiet", "--no-edit"]);
        assert_eq!(branches.value("OTHER"), value);
        let outcome = branches.vault(&["verify"]).outcome();
        assert_eq!(outcome.status, 0, "{}", outcome.said);
    }
}
