//! `verify` and what it takes to be trusted; `verify --since`: what somebody without a key did to a
//! branch, and what members did.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::craft;
use crate::refusal::{found, stocked};
use crate::sandbox::Sandbox;

const URL: &str = "repo/.vault/production/DATABASE_URL.toml";
const HOLDS: &str =
    "development: 1 secret, epoch 1: holds\nproduction: 2 secrets, epoch 1: holds\n";

fn old_and_new(sandbox: &Sandbox) -> (Vec<u8>, Vec<u8>) {
    let path = sandbox.root().join(URL);
    let old = fs::read(&path).unwrap();
    sandbox.set("production", "DATABASE_URL", b"postgres://new");
    (old, fs::read(&path).unwrap())
}

#[test]
fn a_deleted_entry_and_one_brought_back_are_both_shown() {
    let sandbox = stocked();
    let (old, _) = old_and_new(&sandbox);
    sandbox.commit("a new password");
    fs::write(sandbox.root().join(URL), old).unwrap();
    fs::remove_file(sandbox.store("production/OTHER.toml")).unwrap();
    // Without a revision to compare with, nothing is wrong: both are genuine.
    sandbox
        .vault(&["verify"])
        .prints("development: 1 secret, epoch 1: holds\nproduction: 1 secret, epoch 1: holds\n")
        .check();
    assert_eq!(sandbox.get("production", "DATABASE_URL"), b"postgres://production");
    found(
        &sandbox,
        &["--since", "HEAD"],
        2,
        "development: 1 secret, epoch 1: holds
production: 1 secret, epoch 1: holds
brought back: .vault/production/DATABASE_URL.toml has revision 1, before it had 2
gone: .vault/production/OTHER.toml (revision 1) was deleted without a tombstone
",
    );
}

#[test]
fn a_tombstone_replaced_by_the_older_value_is_brought_back() {
    let sandbox = stocked();
    let old = fs::read(sandbox.root().join(URL)).unwrap();
    sandbox.quick(&["remove", "DATABASE_URL", "-e", "production"]);
    sandbox.commit("removed");
    fs::write(sandbox.root().join(URL), &old).unwrap();
    found(
        &sandbox,
        &["--since", "HEAD"],
        1,
        &format!(
            "{HOLDS}brought back: .vault/production/DATABASE_URL.toml has revision 1, before it had 2
"
        ),
    );
    // Also when the tombstone itself had been deleted in the meantime.
    fs::remove_file(sandbox.root().join(URL)).unwrap();
    sandbox.commit("deleted by hand");
    fs::write(sandbox.root().join(URL), old).unwrap();
    let back = "brought back: .vault/production/DATABASE_URL.toml (revision 1), which was gone at";
    found(&sandbox, &["--since", "HEAD"], 1, &format!("{HOLDS}{back} HEAD\n"));
}

/// Git's own simplified history would leave the branch out.
#[test]
fn an_entry_that_lived_and_died_on_a_merged_branch_is_brought_back_too() {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    sandbox.set("production", "SHORT_LIVED", b"value");
    sandbox.commit("born");
    let path = sandbox.store("production/SHORT_LIVED.toml");
    let old = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    sandbox.commit("dead");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-ff", "--no-edit", "branch"]);
    fs::write(path, old).unwrap();
    found(
        &sandbox,
        &["--since", "HEAD"],
        1,
        "development: 1 secret, epoch 1: holds
production: 3 secrets, epoch 1: holds
brought back: .vault/production/SHORT_LIVED.toml (revision 1), which was gone at HEAD
",
    );
}

#[test]
fn what_members_did_is_told_and_is_no_finding() {
    let sandbox = stocked();
    sandbox.set("production", "DATABASE_URL", b"new");
    sandbox.set("production", "NEW", b"new");
    sandbox.quick(&["remove", "OTHER", "-e", "production"]);
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(
            "development: 1 secret, epoch 1: holds
production: 2 secrets, epoch 1: holds
set: production/DATABASE_URL.toml (revision 1 → 2) by alice
new: production/NEW.toml (revision 1) by alice
removed: production/OTHER.toml (revision 1 → 2) by alice
",
        )
        .check();
}

#[test]
fn a_roster_that_went_back_is_found() {
    let sandbox = stocked();
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.commit("a machine");
    sandbox.git(&["checkout", "--quiet", "HEAD~", "--", ".vault"]);
    found(
        &sandbox,
        &["--since", "HEAD"],
        1,
        &format!("{HOLDS}went back: .vault/members.toml has revision 1, at HEAD it had 3\n"),
    );
}

/// The revision supplies the pin, so a vault of somebody else's making is found without a key.
#[test]
fn a_whole_vault_replaced_is_found() {
    let (sandbox, other) = (stocked(), stocked());
    let (id, other_id) = (sandbox.id(), other.id());
    fs::remove_dir_all(sandbox.store("")).unwrap();
    fs::rename(other.store(""), sandbox.store("")).unwrap();
    let verify = ["verify", "--since", "HEAD"];
    sandbox
        .vault(&verify)
        .without("HOME")
        .fails(1)
        .prints(format!(
            "{HOLDS}.vault/members.toml: is of another vault: trusted is {id}, here is {other_id}
"
        ))
        .says("error: findings: 1\n")
        .check();
}

/// A folder with HEAD, objects and refs is a repository to git, with settings of its own, and all
/// of that can be committed below the top: it must not answer for the branch that was asked about.
#[test]
fn a_repository_planted_around_the_vault_supplies_no_pin() {
    let sandbox = Sandbox::empty();
    let api = sandbox.repo().join("services/api");
    fs::create_dir_all(&api).unwrap();
    sandbox.vault(&["init", "--name", "alice", "-q"]).folder(&api).any_change().check();
    sandbox.commit("genuine");
    let attacker = stocked();
    let planted = format!("{}/.git", attacker.repo().display());
    for bare in ["services/api", "services"] {
        let _ = fs::remove_dir_all(api.join(".vault"));
        copy(&attacker.store(""), &api.join(".vault"));
        copy(Path::new(&planted), &sandbox.repo().join(bare));
        for verify in [["verify", "--since", "main"], ["verify", "--since", "HEAD"]] {
            sandbox
                .vault(&verify)
                .folder(&api)
                .without("HOME")
                .fails(4)
                .says(
                    "error: git would take [..] for the repository, which is part of the files
hint: remove HEAD, objects, refs and config there
",
                )
                .check();
        }
        for name in ["HEAD", "config"] {
            fs::remove_file(sandbox.repo().join(bare).join(name)).unwrap();
        }
    }
    let verify = sandbox.vault(&["verify", "--since", "main"]).folder(&api).without("HOME");
    let found = verify.outcome();
    assert_eq!(found.status, 1, "{}", found.said);
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-R").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_revision_that_git_does_not_know_is_refused_with_what_to_do() {
    let sandbox = stocked();
    sandbox.set("production", "NEW", b"new");
    sandbox.commit("more");
    let source = format!("file://{}", sandbox.repo().display());
    sandbox.git(&["clone", "--quiet", "--depth", "1", &source, "../home/shallow"]);
    let tip = sandbox.git(&["rev-parse", "HEAD~"]);
    for (folder, revision) in [
        (sandbox.repo(), "no-such-branch"),
        (sandbox.repo(), "--output=/dev/null"),
        (sandbox.home().join("shallow"), tip.trim()),
    ] {
        sandbox
            .vault(&["verify", &format!("--since={revision}")])
            .folder(&folder)
            .fails(4)
            .says(&format!(
                "error: git does not know the revision {revision} here
hint: a shallow clone lacks it: git fetch --unshallow, or fetch-depth: 0 in CI
"
            ))
            .check();
    }
}

/// Both revisions are there, but not whether the entry had been there before.
#[test]
fn in_a_shallow_clone_a_new_entry_cannot_be_told_from_one_brought_back() {
    let sandbox = stocked();
    sandbox.set("production", "NEW", b"new");
    sandbox.commit("more");
    let source = format!("file://{}", sandbox.repo().display());
    sandbox.git(&["clone", "--quiet", "--depth", "2", &source, "../home/shallow"]);
    let output = "development: 1 secret, epoch 1: holds
production: 3 secrets, epoch 1: holds
";
    let whether = "unknown: whether .vault/production/NEW.toml (revision 1) was there before: \
                   history is cut off here (git fetch --unshallow, or fetch-depth: 0 in CI)";
    sandbox
        .vault(&["verify", "--since", "HEAD~"])
        .folder(&sandbox.home().join("shallow"))
        .fails(1)
        .prints(format!("{output}{whether}\n"))
        .says("error: findings: 1\n")
        .check();
    sandbox
        .vault(&["verify", "--since", "HEAD~"])
        .prints(format!("{output}new: production/NEW.toml (revision 1) by alice\n"))
        .check();
}

#[test]
fn where_there_is_no_git_repository_there_is_nothing_to_compare_with() {
    let sandbox = stocked();
    fs::rename(sandbox.repo().join(".git"), sandbox.root().join("git")).unwrap();
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .variable("GIT_CEILING_DIRECTORIES", &sandbox.root().display().to_string())
        .fails(2)
        .says(
            "error: git finds no repository of yours in [..]/repo
hint: git is needed for what is asked of an older revision
",
        )
        .check();
    sandbox.vault(&["verify"]).prints(HOLDS).check();
}

#[test]
fn without_a_pin_a_vault_is_consistent_and_not_trusted() {
    let sandbox = stocked();
    let id = sandbox.id();
    let untrusted = || sandbox.vault(&["verify"]).without("HOME");
    untrusted()
        .fails(1)
        .prints(format!(
            "{HOLDS}consistent, not trusted: nobody has said that {id} is the right vault\n"
        ))
        .says("error: findings: 1\nhint: say which vault it must be: vault verify --id ID\n")
        .check();
    let credential = sandbox.credential("github", &["-e", "production"]);
    untrusted().variable("VAULT_ID", &id).prints(HOLDS).check();
    untrusted().variable("VAULT_KEY", &credential).prints(HOLDS).check();
    sandbox.vault(&["verify", "--id", &id]).without("HOME").prints(HOLDS).check();
    sandbox.vault(&["verify", "--since", "HEAD"]).without("HOME").prints(HOLDS).check();
    sandbox.vault(&["verify"]).prints(HOLDS).check();
}

#[test]
fn an_id_that_is_none_is_not_taken_for_a_pin() {
    let sandbox = stocked();
    let id = sandbox.id();
    let last = if id.ends_with('q') { "p" } else { "q" };
    for wrong in [
        "",
        "vault1",
        &id.to_uppercase(),
        &format!("{}{last}", &id[..63]),
        &format!("{id}@"),
        &format!("{id}@x"),
    ] {
        sandbox
            .vault(&["verify", &format!("--id={wrong}")])
            .fails(2)
            .says(
                "error: not the id of a vault (vault1… with 64 characters)
hint: the line `vault = …` of .vault/members.toml holds it; compare it with a colleague
",
            )
            .check();
    }
}

/// What a reviewer's CI runs: no key, no HOME, the target branch's tip.
#[test]
fn an_entry_signed_by_nobody_is_found_by_its_file() {
    let sandbox = stocked();
    craft::resign_entry(&sandbox, "production", "OTHER", &craft::Person::new().key, |entry| {
        entry.revision += 1;
    });
    let run = sandbox.vault(&["verify", "--since", "main"]).without("HOME");
    run.fails(1)
        .prints(
            "development: 1 secret, epoch 1: holds
production: 1 secret, epoch 1: DOES NOT HOLD
.vault/production/OTHER.toml: is not as alice signed it
",
        )
        .says("error: findings: 1\n")
        .check();
}
