//! Members who are added on branches, and merged with plain git.

use repovault::vault::model::Former;
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::membership::{root, touched};
use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::terminal::Terminal;

fn branch(sandbox: &Sandbox, name: &str) {
    sandbox.git(&["checkout", "--quiet", "-b", name, "main"]);
}

fn merge(sandbox: &Sandbox, branch: &str) {
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-edit", branch]);
}

#[track_caller]
fn credentials_merge(count: usize) {
    let sandbox = stocked();
    let before = root(&sandbox);
    let mut credentials = Vec::new();
    for number in 0..count {
        branch(&sandbox, &format!("branch-{number}"));
        let name = format!("ci-{number}");
        credentials.push(sandbox.credential(&name, &["-e", "production"]));
        sandbox.commit(&name);
    }
    for number in 0..count {
        merge(&sandbox, &format!("branch-{number}"));
    }
    for credential in credentials {
        sandbox
            .vault(&["get", "OTHER"])
            .variable("VAULT_KEY", &credential)
            .without("HOME")
            .prints("other")
            .check();
    }
    assert_eq!(root(&sandbox), before);
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

#[test]
fn two_branches_with_a_credential_each_merge() {
    credentials_merge(2);
}

#[test]
fn twenty_branches_with_a_credential_each_merge() {
    credentials_merge(20);
}

fn add<'a>(sandbox: &'a Sandbox, name: &str, person: &Person) -> Run<'a> {
    let recipient = person.identity.recipient().to_string();
    let words = ["members", "add", name, "--recipient", &recipient];
    sandbox.vault(&[&words[..], &["-e", "production=read"]].concat())
}

/// After a merge, two people would have one name.
#[test]
fn name_of_someone_else_in_another_commit_is_refused() {
    let sandbox = stocked();
    let (first, second) = (Person::new(), Person::new());
    branch(&sandbox, "branch");
    let added = str![[r#"
added carol: production=read
next: commit .vault
"#]];
    let file = "repo/.vault/members/carol.toml";
    add(&sandbox, "carol", &first)
        .says(&added)
        .changes(&[file])
        .check();
    sandbox.commit("carol");
    sandbox.git(&["checkout", "--quiet", "main"]);
    let said = str![[r#"
error: the name carol was given to someone else in a commit of this clone; names are never reused
hint: see which commit: `git log --all --reflog -- .vault/members/carol.toml`
hint: choose another name
"#]];
    add(&sandbox, "carol", &second).fails(2).says(&said).check();
    sandbox
        .vault(&["ci", "add", "carol", "-e", "production"])
        .fails(2)
        .says(&said)
        .check();
    // Also if the branch was deleted: it may exist elsewhere.
    sandbox.git(&["branch", "--quiet", "-D", "branch"]);
    add(&sandbox, "carol", &second).fails(2).says(&said).check();
    // The same person can be added on both branches.
    add(&sandbox, "carol", &first)
        .says(&added)
        .changes(&[file])
        .check();
}

/// A vault with an auditor who was added on a branch while production was rotated on main. The
/// branch is not merged yet.
fn added_and_rotated() -> (Sandbox, Person) {
    let (sandbox, auditor) = (stocked(), Person::new());
    branch(&sandbox, "branch");
    add(&sandbox, "auditor", &auditor).outcome();
    sandbox.commit("an auditor");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    (sandbox, auditor)
}

fn get<'a>(sandbox: &'a Sandbox, person: &Person) -> Run<'a> {
    let key = person.key_file(sandbox).display().to_string();
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .variable("VAULT_KEY_FILE", &key)
        .variable("VAULT_ID", &sandbox.id())
        .without("HOME")
}

const SYNC: [&str; 3] = ["members", "sync", "--yes"];

#[test]
fn sync_lets_a_member_of_a_branch_read_after_a_rotation() {
    let (sandbox, auditor) = added_and_rotated();
    merge(&sandbox, "branch");
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        2      alice      ok

findings:
  auditor cannot read production until an admin runs `vault members sync`
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
    get(&sandbox, &auditor)
        .fails(3)
        .says(str![[r#"
error: auditor cannot read production yet: it was rotated on another branch
hint: ask an admin: `vault members sync`
"#]])
        .check();
    // It stops no one else.
    sandbox.set("production", "OTHER", b"newer");
    sandbox
        .vault(&["members", "sync"])
        .fails(4)
        .says(str![[r#"
auditor cannot read production yet
error: cannot ask for confirmation without a terminal: let them read what was set since they were added
hint: to confirm, pass `--yes`
"#]])
        .check();
    let mut terminal = Terminal::start(sandbox.vault(&["members", "sync"]));
    terminal.sees("let them read what was set since they were added? [y/N] ");
    terminal.types("n\n");
    terminal.ends(4);
    sandbox
        .vault(&SYNC)
        .says(str![[r#"
auditor cannot read production yet
auditor can read production
next: commit .vault
every limited member has all the names its steps use
"#]])
        .changes(&["repo/.vault/members/auditor.toml"])
        .check();
    get(&sandbox, &auditor).prints("newer").check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    sandbox
        .vault(&SYNC)
        .says(str!["every limited member has all the names its steps use"])
        .check();
}

#[test]
fn sync_during_a_merge_is_refused() {
    let (sandbox, _) = added_and_rotated();
    sandbox.git(&["merge", "--quiet", "--no-commit", "--no-ff", "branch"]);
    sandbox
        .vault(&SYNC)
        .fails(4)
        .says(str![[r#"
auditor cannot read production yet
error: a merge is under way, and its result is not decided yet
hint: end its conflicts with `vault resolve`, commit it, then `vault members sync`
"#]])
        .check();
    sandbox.git(&["commit", "--quiet", "--message", "merged"]);
    assert_eq!(touched(&sandbox, &SYNC), ["members/auditor.toml"]);
}

/// The other root may have taken what this one still shows.
#[test]
fn sync_with_a_root_unlike_the_seen_one_is_refused() {
    let (sandbox, _) = added_and_rotated();
    merge(&sandbox, "branch");
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        root.former
            .insert("gone".parse().unwrap(), Former::default());
    });
    sandbox
        .vault(&SYNC)
        .fails(4)
        .says(str![[r#"
warning: the root is not the one seen before at this revision: two branches changed it, and one of them is not merged here
auditor cannot read production yet
error: .vault/root.toml: is not the one seen before at this revision
hint: two branches changed it: merge the other branch first
"#]])
        .check();
}

#[test]
fn sync_seals_nothing_to_ignored_files() {
    let (sandbox, auditor) = added_and_rotated();
    merge(&sandbox, "branch");
    craft::resign_member(&sandbox, "auditor", &auditor.key, |_| ());
    sandbox
        .vault(&SYNC)
        .says(str!["every limited member has all the names its steps use"])
        .check();
}

/// Otherwise they would have no key at all, and no access.
#[test]
fn forgetting_seals_the_newest_epoch_first() {
    let (sandbox, auditor) = added_and_rotated();
    merge(&sandbox, "branch");
    let forget = ["rotate", "--finish", "--forget", "-e", "production"];
    assert_eq!(
        touched(&sandbox, &forget),
        ["members/alice.toml", "members/auditor.toml", "root.toml"]
    );
    get(&sandbox, &auditor).prints("other").check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

#[test]
fn rotation_seals_to_members_without_the_newest_key() {
    let (sandbox, auditor) = added_and_rotated();
    merge(&sandbox, "branch");
    sandbox.quick(&["rotate", "-e", "production"]);
    get(&sandbox, &auditor).prints("other").check();
}

/// A vault in which the file of the auditor was merged after their access was taken.
fn merged_after_the_loss() -> Sandbox {
    let (sandbox, auditor) = (stocked(), Person::new());
    branch(&sandbox, "branch");
    add(&sandbox, "auditor", &auditor).outcome();
    sandbox.commit("an auditor");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.quick(&["members", "set", "auditor", "-e", "production=none"]);
    sandbox.commit("taken");
    merge(&sandbox, "branch");
    sandbox
}

fn grant<'a>(sandbox: &'a Sandbox, name: &str) -> Run<'a> {
    sandbox.vault(&["members", "set", name, "-e", "production=read"])
}

#[test]
fn ignored_file_is_explained_to_an_admin() {
    let sandbox = merged_after_the_loss();
    grant(&sandbox, "auditor")
        .fails(4)
        .says(str![[r#"
error: .vault/members/auditor.toml: does not count: it does not belong to the latest revocation of this member
hint: put back the committed file: `git checkout -- .vault/members/auditor.toml`
hint: to add them again with another name, first remove this one: `vault members remove auditor`
"#]])
        .check();
    sandbox.quick(&["members", "remove", "auditor"]);
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    grant(&sandbox, "auditor")
        .fails(2)
        .says(str![[r#"
error: auditor is no longer a member
hint: list the members: `vault members list`
"#]])
        .check();
}

#[test]
fn file_with_a_former_key_is_explained_to_an_admin() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[]);
    sandbox.quick(&["members", "remove", "bob"]);
    craft::put_member(&sandbox, "dave", &bob.member(), &craft::authority(&sandbox));
    grant(&sandbox, "dave")
        .fails(4)
        .says(str![[r#"
error: .vault/members/dave.toml: does not count: it has a key of the former member bob
hint: to add them again with another name, first remove this one: `vault members remove dave`
"#]])
        .check();
    craft::resign_member(&sandbox, "dave", &bob.key, |_| ());
    grant(&sandbox, "dave")
        .fails(4)
        .says(str![[r#"
error: .vault/members/dave.toml: does not match the signature of the authority of this vault
hint: put back the committed file: `git checkout -- .vault/members/dave.toml`
"#]])
        .check();
}
