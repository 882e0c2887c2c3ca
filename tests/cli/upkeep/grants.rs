//! Access that commits of the clone give and the vault does not show: a branch that is not merged, a
//! member's file that was dropped, and a former admin on a branch.

use std::fs;

use snapbox::str;

use crate::support::craft;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

/// A vault whose branch `feature` adds a credential that main does not have.
fn with_branch() -> Sandbox {
    let sandbox = stocked();
    sandbox.commit("start");
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    sandbox.credential("ci-feature", &["-e", "production"]);
    sandbox.commit("a credential");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox
}

#[test]
fn grant_on_another_branch_is_named_with_its_remedy() {
    let sandbox = with_branch();
    sandbox
        .vault(&["status"])
        .fails(1)
        .prints(str![[r#"
a commit of this clone gives ci-feature the key of production, and ci-feature has no such access here
advice: alice is the only admin: if that key is lost, the vault cannot be recovered
"#]])
        .says(str![[r#"
add a second admin: `vault members set NAME --admin`
every member's key is post-quantum: development, production
error: 1 item needs attention
hint: if the branch with the grant to ci-feature was abandoned: `vault members set ci-feature -e production=none`
"#]])
        .check();
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(str![[r#"
compared with HEAD = [COMMIT]

ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

needs attention:
  granted in another commit: ci-feature has the key of production from there, and no such access here; unless that commit will be merged, run `vault members set ci-feature -e production=none`
"#]])
        .check();
}

/// Someone may have fetched the branch while it existed, so its members may know the key.
#[test]
fn grant_of_a_deleted_branch_is_named_and_can_be_taken() {
    let sandbox = with_branch();
    sandbox.git(&["branch", "--quiet", "-D", "feature"]);
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(str![[r#"
compared with HEAD = [COMMIT]

ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

needs attention:
  granted in another commit: ci-feature has the key of production from there, and no such access here; unless that commit will be merged, run `vault members set ci-feature -e production=none`
"#]])
        .check();
    sandbox.quick(&["members", "set", "ci-feature", "-e", "production=none"]);
    let outcome = sandbox.vault(&["status"]).outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(!output.contains("the key of"), "{output}");
}

#[test]
fn taken_grant_of_a_branch_never_counts_again() {
    let sandbox = with_branch();
    sandbox.quick(&["members", "set", "ci-feature", "-e", "production=none"]);
    sandbox.commit("take it");
    let outcome = sandbox.vault(&["status"]).outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(!output.contains("the key of"), "{output}");
    sandbox.git(&["merge", "-q", "--no-edit", "feature"]);
    sandbox.set("production", "NEW", b"set after the merge");
    let outcome = sandbox.vault(&["verify"]).outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert_eq!(outcome.status, 1);
    assert!(
        output.contains("members/ci-feature.toml: does not count"),
        "{output}"
    );
}

#[test]
fn name_of_no_member_and_no_commit_is_a_typing_error() {
    let sandbox = with_branch();
    sandbox
        .vault(&["members", "set", "ci-ghost", "-e", "production=none"])
        .fails(2)
        .says(str![[r#"
error: ci-ghost is not a member
hint: list the members: `vault members list`
"#]])
        .check();
}

#[test]
fn deleted_file_of_a_member_is_an_unmerged_grant() {
    let sandbox = stocked();
    sandbox.credential("ci-two", &["-e", "production"]);
    sandbox.commit("two");
    fs::remove_file(sandbox.store("members/ci-two.toml")).unwrap();
    sandbox
        .vault(&["status"])
        .fails(1)
        .prints(str![[r#"
a commit of this clone gives ci-two the key of production, and ci-two has no such access here
advice: alice is the only admin: if that key is lost, the vault cannot be recovered
"#]])
        .says(str![[r#"
add a second admin: `vault members set NAME --admin`
every member's key is post-quantum: development, production
error: 1 item needs attention
hint: if the branch with the grant to ci-two was abandoned: `vault members set ci-two -e production=none`
"#]])
        .check();
}

#[test]
fn admin_of_another_branch_knows_the_authority() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[]);
    sandbox.commit("bob without access");
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    let authority = craft::authority(&sandbox);
    craft::resign_member(&sandbox, "bob", &authority, |member| {
        let sealed = bob.identity.recipient().seal(&craft::seed(&authority));
        (member.authority, member.revision) = (Some(sealed), member.revision + 1);
    });
    sandbox.commit("bob is an admin");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox
        .vault(&["status"])
        .fails(1)
        .prints(str![[r#"
a commit of this clone gives bob the authority, and bob is not an admin here
advice: alice is the only admin: if that key is lost, the vault cannot be recovered
"#]])
        .says(str![[r#"
add a second admin: `vault members set NAME --admin`
every member's key is post-quantum: development, production
error: 1 item needs attention
hint: if the branch with the grant to bob was abandoned: `vault rotate --authority`
"#]])
        .check();
}
