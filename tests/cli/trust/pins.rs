//! A revocation that was seen, and a checkout without it: the explanation, and both ways on.

use std::fs;
use std::path::PathBuf;

use repovault::crypto::{SigningKey, VaultId};
use repovault::vault::model::Access;

use crate::support::craft;
use crate::support::membership::{root, with_bob};
use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};

pub(super) const GET: [&str; 4] = ["get", "OTHER", "-e", "production"];

/// The refusal of a root from before a revocation that some commit has, without the ways on.
pub(super) const BEFORE: &str =
    "error: .vault/root.toml: is from before a revocation that you have seen";
pub(super) const MERGE: &str =
    "hint: merge the branch with it: `git branch --all --contains [..]` lists it\n";
pub(super) const NAMES: &str = "hint: if that branch was abandoned: `vault trust ID@none`, with `--give-back NAME` for everyone who would have access again or know a key\n";
pub(super) const UNKNOWN: &str = "error: .vault/root.toml: is from before a revocation that you have seen, which no commit of this clone has\nhint: take the newer files: `git pull`, or merge the branch with that revocation\n";

/// Runs the commands on a branch `gone`, commits, and goes back to main.
pub(super) fn on_a_branch(sandbox: &Sandbox, commands: &[&[&str]]) {
    sandbox.git(&["checkout", "--quiet", "-b", "gone"]);
    for command in commands {
        sandbox.quick(command);
    }
    sandbox.commit("on a branch");
    sandbox.git(&["checkout", "--quiet", "main"]);
}

/// A vault whose admin looked at a branch on which production was rotated.
pub(super) fn rotated() -> Sandbox {
    let sandbox = stocked();
    on_a_branch(&sandbox, &[&["rotate", "-e", "production", "-q"]]);
    sandbox
}

/// A vault whose admin looked at a branch on which bob was removed.
pub(super) fn removed() -> Sandbox {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=read"]);
    on_a_branch(&sandbox, &[&["members", "remove", "bob", "--yes", "-q"]]);
    sandbox
}

pub(super) fn pin(sandbox: &Sandbox) -> String {
    let latest = root(sandbox).latest();
    let tag = if latest.is_none() {
        "none".to_owned()
    } else {
        latest.to_string()
    };
    format!("{}@{tag}", sandbox.id())
}

/// The only file in the state folder, relative to the sandbox.
pub(super) fn state(sandbox: &Sandbox) -> String {
    let path = state_file(sandbox);
    let path = path.strip_prefix(sandbox.root()).unwrap();
    path.display().to_string()
}

pub(super) fn state_file(sandbox: &Sandbox) -> PathBuf {
    let mut files = fs::read_dir(sandbox.home().join(".local/state/vault")).unwrap();
    files.next().unwrap().unwrap().path()
}

pub(super) fn trust<'a>(sandbox: &'a Sandbox, pin: &str, options: &[&str]) -> Run<'a> {
    sandbox.vault(&[&["trust", pin], options].concat())
}

#[track_caller]
pub(super) fn reads(sandbox: &Sandbox) {
    sandbox.vault(&GET).prints("other").any_change().check();
}

#[track_caller]
pub(super) fn is_refused(sandbox: &Sandbox) {
    let outcome = sandbox.vault(&GET).outcome();
    assert!(
        outcome.status == 4 && outcome.said.starts_with(BEFORE),
        "{}",
        outcome.said
    );
}

#[test]
fn refusal_names_the_revocation_and_both_ways_on() {
    let sandbox = rotated();
    let pin = pin(&sandbox);
    let way = format!("hint: if that branch was abandoned: `vault trust {pin}`\n");
    let said =
        format!("{BEFORE}: production was rotated (commit [..], 20[..], \"Test\")\n{MERGE}{way}");
    let commands: [&[&str]; 4] = [&GET, &["list"], &["id"], &["set", "NEW"]];
    for command in commands {
        sandbox.vault(command).fails(4).says(&said).check();
    }
    sandbox
        .vault(&["exec", "--", "touch", "ran"])
        .fails(122)
        .says(&said)
        .check();
    let outcome = sandbox.vault(&["verify"]).outcome();
    let said = "error: verification failed: 1 finding\nhint: see both ways on: `vault id`\n";
    assert_eq!((outcome.status, &*outcome.said), (1, said));
    // The words of a commit are only quoted.
    sandbox.git(&["checkout", "--quiet", "gone"]);
    let name = "--author=A\u{1b}]0;`vault trust x`\u{7}B <a@example.com>";
    sandbox.git(&["commit", "--quiet", "--amend", "--message", "x", name]);
    sandbox.git(&["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(&["checkout", "--quiet", "main"]);
    let said = sandbox.vault(&GET).outcome().said;
    assert!(
        said.contains(r#""A\u{1b}]0;`vault trust x`\u{7}B")"#),
        "{said}"
    );
}

#[test]
fn merging_the_branch_is_a_way_on() {
    let sandbox = rotated();
    is_refused(&sandbox);
    sandbox.git(&["merge", "--quiet", "gone"]);
    reads(&sandbox);
}

#[test]
fn refusal_with_a_regained_member_has_no_ready_command() {
    let sandbox = removed();
    let named = "hint: these are: bob (production)\n";
    let said = format!(
        "{BEFORE}: bob was removed, [..]production was rotated (commit [..])\n{MERGE}{NAMES}{named}"
    );
    for command in [&GET[..], &["list"]] {
        let outcome = sandbox.vault(command).outcome();
        assert!(!outcome.said.contains(&sandbox.id()), "{}", outcome.said);
        sandbox.vault(command).fails(4).says(&said).check();
    }
}

#[test]
fn each_reason_to_name_someone_is_found_in_the_clone() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=read"]);
    sandbox.git(&["checkout", "--quiet", "-b", "gone"]);
    // Carol joins on the branch and leaves it again: main's key was hers.
    craft::enroll(&sandbox, "carol", &[("production", Access::Read)]);
    sandbox.commit("carol joins");
    sandbox.quick(&["members", "remove", "carol", "--yes", "-q"]);
    sandbox.quick(&[
        "members",
        "set",
        "bob",
        "-e",
        "production=none",
        "--yes",
        "-q",
    ]);
    sandbox.commit("carol leaves, and bob may read nothing");
    sandbox.git(&["checkout", "--quiet", "main"]);
    // Dave was added on main, and never there.
    craft::enroll(&sandbox, "dave", &[("development", Access::Read)]);
    let said = sandbox.vault(&GET).outcome().said;
    let named = "hint: these are: bob (production), carol (production), dave (development)\n";
    assert!(said.ends_with(named), "{said}");
}

/// Someone who can push commits the newer root again, beside a file that the authority signed on
/// another branch.
#[test]
fn pushed_commit_with_the_newer_root_hides_no_one() {
    let sandbox = rotated();
    craft::enroll(&sandbox, "mallory", &[("development", Access::Read)]);
    sandbox.commit("mallory joins on main");
    sandbox.git(&["checkout", "--quiet", "-b", "a-push", "gone"]);
    sandbox.git(&[
        "checkout",
        "--quiet",
        "main",
        "--",
        ".vault/members/mallory.toml",
    ]);
    sandbox.git(&["rm", "--quiet", "--cached", ".vault/root.toml"]);
    sandbox.git(&["commit", "--quiet", "--message", "without the root"]);
    sandbox.commit("the newer root, with mallory");
    sandbox.git(&["checkout", "--quiet", "main"]);
    let said = sandbox.vault(&GET).outcome().said;
    let named = "hint: these are: mallory (development)\n";
    assert!(said.ends_with(named), "{said}");
}

#[test]
fn root_of_a_stranger_in_a_commit_is_not_believed() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production", "-q"]);
    let tag = root(&sandbox).latest();
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    sandbox.git(&["checkout", "--quiet", "-b", "pushed"]);
    let stranger = SigningKey::generate();
    for is_own in [false, true] {
        craft::resign_root(&sandbox, &stranger, |root| {
            root.revocations = vec![tag];
            if is_own {
                root.vault = VaultId::new(stranger.public());
            }
        });
        sandbox.commit("not signed by the authority");
        // The next one is made from the true root again.
        sandbox.git(&["checkout", "--quiet", "main", "--", ".vault"]);
    }
    sandbox.commit("as before");
    sandbox.git(&["checkout", "--quiet", "main"]);
    let said = sandbox.vault(&GET).outcome().said;
    assert!(said.starts_with(UNKNOWN), "{said}");
}

#[test]
fn deleted_branch_still_names_regained_access() {
    let sandbox = removed();
    sandbox.git(&["branch", "--quiet", "-D", "gone"]);
    let said = sandbox.vault(&GET).outcome().said;
    assert!(
        said.ends_with("hint: these are: bob (production)\n"),
        "{said}"
    );
    sandbox.git(&["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(&["gc", "--quiet", "--prune=now"]);
    let said = sandbox.vault(&GET).outcome().said;
    assert!(said.starts_with(UNKNOWN), "{said}");
    trust(&sandbox, &pin(&sandbox), &["--yes", "-q"])
        .any_change()
        .check();
    reads(&sandbox);
}

#[test]
fn vault_id_raises_and_never_lowers() {
    let sandbox = rotated();
    let (id, old) = (sandbox.id(), pin(&sandbox));
    let said = sandbox.vault(&GET).outcome().said;
    let run = sandbox.vault(&GET).variable("VAULT_ID", &id);
    run.fails(4).says(said).check();
    let tag = sandbox.git(&["show", "gone:.vault/root.toml"]);
    let tag = tag.split("revocations = [\"b64:").nth(1).unwrap();
    let newer = format!("{id}@{}", &tag[..22]);
    // As a stranger, with and without the revocation.
    let stranger = |pin: &str| {
        let run = sandbox.vault(&["list", "-q", "-e", "production"]);
        run.variable("VAULT_ID", pin).without("HOME")
    };
    assert_eq!(stranger(&id).outcome().status, 0);
    let said = format!(
        "error: .vault/root.toml: is from before a revocation that VAULT_ID, `--id`, or `--since` names: production was rotated (commit [..])\n{MERGE}hint: if that branch was abandoned: name a revocation of this one instead\n"
    );
    stranger(&newer).fails(4).says(&said).check();
    // Going back would have no effect under it.
    let said = "error: .vault/root.toml: VAULT_ID names the revocation [..], not listed here\nhint: unset VAULT_ID first\n";
    let run = trust(&sandbox, &old, &["--yes"]).variable("VAULT_ID", &newer);
    run.fails(4).says(said).check();
    trust(&sandbox, &old, &["--yes", "-q"]).any_change().check();
    reads(&sandbox);
    let run = sandbox.vault(&GET).variable("VAULT_ID", &newer);
    assert_eq!(run.outcome().status, 4);
}

#[test]
fn credential_of_another_branch_is_explained() {
    let sandbox = stocked();
    sandbox.git(&["checkout", "--quiet", "-b", "gone"]);
    let before = sandbox.credential("before", &["-e", "production"]);
    sandbox.quick(&["rotate", "-e", "production", "-q"]);
    let after = sandbox.credential("after", &["-e", "production"]);
    sandbox.commit("a rotation between two credentials");
    sandbox.git(&["checkout", "--quiet", "main"]);
    let branch = "it was made on a branch that is not merged here, or not pushed: commit and push .vault where it was made\n";
    let newer = format!("hint: if the credential is newer than this checkout, {branch}");
    let said = format!(
        "error: .vault/root.toml: is from before a revocation that the credential knows: production was rotated (commit [..])\n{MERGE}{newer}"
    );
    let run = |key: &str| {
        let run = sandbox.vault(&GET).variable("VAULT_KEY", key);
        run.variable("HOME", "/nowhere")
    };
    run(&after).fails(4).says(said).check();
    let said = format!(
        "error: the credential of before (recipient [..]) is not in this checkout\n{newer}hint: if it is older: make a new one with `vault ci add`\n"
    );
    run(&before).fails(3).says(said).check();
}
