//! `verify --since` of a merge: everything that a merge lost from any of its sides is found.

use std::fs;

use repovault::vault::model::Access;

use crate::support::craft;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

/// The status and the output of `verify --since`.
fn compared(sandbox: &Sandbox, revision: &str) -> (i32, String) {
    let run = sandbox.vault(&["verify", "--since", revision]);
    let outcome = run.without("HOME").outcome();
    (outcome.status, String::from_utf8(outcome.output).unwrap())
}

/// A branch with these changes is merged into main, which has a secret of its own, and git reports
/// no conflict.
fn merged(change: impl FnOnce(&Sandbox)) -> Sandbox {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    change(&sandbox);
    sandbox.commit("on the branch");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.set("production", "HERE", b"on main");
    sandbox.commit("on main");
    let merge = ["merge", "--quiet", "--no-ff", "--no-edit", "branch"];
    sandbox.git(&merge);
    sandbox
}

fn amended(sandbox: &Sandbox) {
    sandbox.git(&["add", "--all"]);
    sandbox.git(&["commit", "--quiet", "--amend", "--no-edit"]);
}

#[test]
fn clean_merge_is_compared_without_a_finding() {
    let sandbox = merged(|sandbox| {
        sandbox.set("production", "THERE", b"on a branch");
        craft::enroll(sandbox, "bob", &[("production", Access::Read)]);
    });
    for (revision, new) in [("HEAD^1", "THERE"), ("HEAD^2", "HERE")] {
        let (status, text) = compared(&sandbox, revision);
        assert!(
            text.contains(&format!("new: .vault/production/{new}.toml")),
            "{text}"
        );
        assert!(!text.contains("findings:"), "{text}");
        assert_eq!(status, 0, "{text}");
    }
}

#[test]
fn entry_lost_by_a_merge_is_found_from_both_sides() {
    let sandbox = merged(|sandbox| sandbox.set("production", "THERE", b"on a branch"));
    fs::remove_file(sandbox.store("production/THERE.toml")).unwrap();
    amended(&sandbox);
    let gone = "deleted: .vault/production/THERE.toml (revision 1) was deleted without a tombstone";
    let (status, text) = compared(&sandbox, "HEAD^1");
    let named = format!("findings:\n  {gone} (compared with HEAD^2)\n");
    assert!(text.contains(&named), "{text}");
    assert_eq!(status, 1);
    let (_, text) = compared(&sandbox, "HEAD^2");
    assert!(text.contains(&format!("findings:\n  {gone}\n")), "{text}");
    // Changes after the merge are compared with the merge alone.
    let (status, text) = compared(&sandbox, "HEAD");
    assert!(text.contains("nothing changed since HEAD\n"), "{text}");
    assert_eq!(status, 0);
}

/// Only the other side knows that bob had the newest key.
#[test]
fn member_lost_by_a_merge_is_found() {
    let sandbox = merged(|sandbox| {
        craft::enroll(sandbox, "bob", &[("production", Access::Read)]);
    });
    fs::remove_file(sandbox.store("members/bob.toml")).unwrap();
    amended(&sandbox);
    let (status, text) = compared(&sandbox, "HEAD^1");
    let lines = [
        "missing: bob is gone without a revocation (compared with HEAD^2)",
        "not rotated: .vault/root.toml: bob lost access to production, but knows the data key of epoch 1, which is still in use (compared with HEAD^2)",
        "taken, not revoked: bob lost something, and the files from before still count (compared with HEAD^2)",
    ];
    let found = format!("findings:\n  {}\n", lines.join("\n  "));
    assert!(text.contains(&found), "{text}");
    assert_eq!(status, 1);
}

/// Both sides revoked something and set the same secret, and one added a member.
#[test]
fn resolved_conflict_has_no_finding_from_either_side() {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    sandbox.quick(&["rotate", "-e", "production", "-q"]);
    sandbox.set("production", "DATABASE_URL", b"theirs");
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.commit("on the branch");
    sandbox.git(&["checkout", "--quiet", "main"]);
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    sandbox.quick(&["trust", &sandbox.id(), "-q"]);
    sandbox.quick(&["rotate", "-e", "production", "-q"]);
    sandbox.set("production", "DATABASE_URL", b"ours");
    sandbox.commit("on main");
    // Git fails, because there are conflicts.
    let alias = "alias.try=!git merge --quiet --no-edit branch || true";
    sandbox.git(&["-c", alias, "try"]);
    sandbox.quick(&["resolve", "DATABASE_URL", "--ours", "--yes", "-q"]);
    sandbox.commit("merged");
    for revision in ["HEAD^1", "HEAD^2"] {
        let (status, text) = compared(&sandbox, revision);
        assert!(!text.contains("findings:"), "{text}");
        assert_eq!(status, 0, "{text}");
    }
}

/// The author of the branch cannot stop the comparison with main.
#[test]
fn invalid_side_of_a_merge_is_named() {
    let sandbox = merged(|sandbox| {
        fs::write(sandbox.store("root.toml"), "not a root\n").unwrap();
    });
    sandbox.git(&["checkout", "--quiet", "HEAD^1", "--", ".vault/root.toml"]);
    amended(&sandbox);
    let (status, text) = compared(&sandbox, "HEAD^1");
    let named = "needs attention:\n  not compared with HEAD^2: .vault/root.toml: at HEAD^2: ";
    assert!(text.contains(named), "{text}");
    assert_eq!(status, 0);
}
