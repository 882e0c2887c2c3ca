//! `verify --since NAME`: a name chosen by someone with push access must not be mistaken for
//! another.

use std::fs;

use snapbox::str;

use crate::support::machine::all_is_wanted;
use crate::support::refusal::{compared, findings, held, stocked};
use crate::support::sandbox::Sandbox;

/// The good commit, and after it one that deletes an entry, on the branch `evil`.
fn attacked() -> (Sandbox, String) {
    let sandbox = stocked();
    let good = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    sandbox.git(&["checkout", "--quiet", "-b", "evil"]);
    fs::remove_file(sandbox.store("production/OTHER.toml")).unwrap();
    sandbox.commit("a harmless change");
    (sandbox, good)
}

/// Checks that it is refused with status 4 and this message, with any hint.
#[track_caller]
fn refused(sandbox: &Sandbox, revision: &str, message: &str) {
    let verify = format!("--since={revision}");
    let run = sandbox.vault(&["verify", &verify]).without("HOME");
    run.fails(4)
        .says(format!("error: {message}\nhint: [..]\n"))
        .check();
    let from = format!("--from={revision}");
    let set = sandbox
        .vault(&["set", "DATABASE_URL", "-e", "production", &from])
        .outcome();
    assert_eq!(set.status, 4, "{}", set.said);
    assert!(set.said.contains(message), "{}", set.said);
}

/// The deleted entry is found, so the comparison used the good commit.
#[track_caller]
fn finds(sandbox: &Sandbox, revision: &str, name: &str) {
    let gone = findings(&[
        "deleted: .vault/production/OTHER.toml (revision 1) was deleted without a tombstone",
    ]);
    let run = sandbox
        .vault(&["verify", &format!("--since={revision}")])
        .without("HOME");
    run.fails(1)
        .prints(name.to_owned() + &held(1, 1) + &gone)
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn tag_named_like_an_abbreviated_id_is_refused() {
    let lengths: &[usize] = if all_is_wanted() {
        &[4, 7, 12, 39]
    } else {
        &[4, 39]
    };
    for &length in lengths {
        let (sandbox, good) = attacked();
        let short = &good[..length];
        finds(&sandbox, short, &format!("compared with {good}\n\n"));
        finds(
            &sandbox,
            &short.to_uppercase(),
            &format!("compared with {good}\n\n"),
        );
        for name in [short.to_owned(), short.to_uppercase()] {
            sandbox.git(&["tag", "--force", &name, "evil"]);
            for suffix in ["", "~0", "^{}", "^{commit}", "@{0}"] {
                let message = format!("{name} could mean the id of a commit");
                refused(&sandbox, &format!("{name}{suffix}"), &message);
            }
            sandbox.git(&["tag", "--delete", &name]);
        }
        // A branch cannot replace it, and the name is not ambiguous if both are the same commit.
        sandbox.git(&["branch", short, "evil"]);
        refused(
            &sandbox,
            short,
            &format!("{short} could mean the id of a commit"),
        );
        sandbox.git(&["branch", "--force", short, &good]);
        finds(
            &sandbox,
            short,
            &format!("compared with refs/heads/{short} = {good}\n\n"),
        );
    }
}

/// The commit itself may be missing in the clone, so that only the tag matches.
#[test]
fn tag_named_like_the_id_of_a_missing_commit_is_refused() {
    let (sandbox, _) = attacked();
    for name in ["deadbeef", "DEAD", "feed", "0123456789"] {
        sandbox.git(&["tag", name, "evil"]);
        refused(
            &sandbox,
            name,
            &format!("{name} could mean the id of a commit"),
        );
    }
}

#[test]
fn full_id_is_never_read_as_a_name() {
    let (sandbox, good) = attacked();
    sandbox.git(&["update-ref", &format!("refs/tags/{good}"), "evil"]);
    finds(&sandbox, &good, &format!("compared with {good}\n\n"));
    finds(
        &sandbox,
        &good.to_uppercase(),
        &format!("compared with {good}\n\n"),
    );
    // For git, an id of the other kind is an ordinary name.
    let long = format!("{good}{}", "0".repeat(24));
    sandbox.git(&["tag", &long, "evil"]);
    refused(
        &sandbox,
        &long,
        &format!("git does not know the revision {long} here"),
    );
}

#[test]
fn name_in_git_describe_format_is_refused() {
    let (sandbox, _) = attacked();
    let evil = sandbox.git(&["rev-parse", "evil"]);
    let name = format!("v1-3-g{}", &evil[..7]);
    refused(
        &sandbox,
        &name,
        &format!("{name} could mean the id of a commit, {}", &evil[..7]),
    );
    sandbox.git(&["tag", &name, "main"]);
    refused(
        &sandbox,
        &name,
        &format!("{name} could mean the id of a commit, {}", &evil[..7]),
    );
}

#[test]
fn tag_named_like_a_missing_branch_is_refused() {
    let (sandbox, good) = attacked();
    sandbox.git(&["branch", "--delete", "--force", "main"]);
    for name in ["main", "origin/main", "heads/main", "remotes/origin/main"] {
        sandbox.git(&["tag", name, "evil"]);
        let message = format!(
            "{name} is only a tag here, which can be called like a branch that this clone lacks"
        );
        refused(&sandbox, name, &message);
        refused(&sandbox, &format!("{name}~0"), &message);
    }
    // Git would search for it among the tags.
    for name in [
        "refs/heads/main",
        "refs/remotes/origin/main",
        "FETCH_HEAD",
        "MERGE_HEAD",
    ] {
        sandbox.git(&["update-ref", &format!("refs/tags/{name}"), "evil"]);
        refused(
            &sandbox,
            name,
            &format!("git does not know the revision {name} here"),
        );
    }
    sandbox.git(&["tag", "v1", &good]);
    finds(&sandbox, "refs/tags/v1", &compared("refs/tags/v1"));
    finds(&sandbox, "tags/v1", &compared("refs/tags/v1"));
}

/// A pull request's branch can have such a name, and some services check it out by its name.
#[test]
fn branch_named_like_a_remote_branch_is_refused() {
    let (sandbox, _) = attacked();
    sandbox.git(&["branch", "origin/main", "evil"]);
    let message = "origin/main is only a local branch here, which can be called like a branch that this clone lacks";
    refused(&sandbox, "origin/main", message);
    sandbox.git(&["update-ref", "refs/remotes/mine/other", "main"]);
    sandbox.git(&["branch", "mine/main", "evil"]);
    refused(&sandbox, "mine/main", &message.replace("origin/", "mine/"));
}

#[test]
fn revision_syntax_beyond_a_name_is_refused() {
    let (sandbox, _) = attacked();
    sandbox.git(&["tag", "--", "x", "evil"]);
    for revision in [
        "-rf",
        "--all",
        "main..evil",
        "main...evil",
        "^main",
        "main:vault.toml",
        "main^{tree}",
        "refs/heads/*",
        "*",
        "@{-1}",
        "",
        "~1",
        "main:",
        "HEAD:.vault",
        "main^@",
    ] {
        let message = format!("git does not know the revision {revision} here");
        refused(&sandbox, revision, &message);
    }
    for revision in [":/harmless", "main^{/a vault}", "HEAD^{/harmless}"] {
        let message = format!("{revision} names a commit by its message, which its author chooses");
        refused(&sandbox, revision, &message);
    }
}

#[test]
fn compared_commit_is_printed_in_full() {
    let (sandbox, good) = attacked();
    sandbox.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    sandbox.git(&["config", "branch.evil.remote", "origin"]);
    sandbox.git(&["config", "branch.evil.merge", "refs/heads/main"]);
    sandbox.git(&["config", "remote.origin.url", "."]);
    sandbox.git(&[
        "config",
        "remote.origin.fetch",
        "+refs/heads/*:refs/remotes/origin/*",
    ]);
    for (revision, name) in [
        ("main", "refs/heads/main"),
        ("heads/main", "refs/heads/main"),
        ("refs/heads/main", "refs/heads/main"),
        ("origin/main", "refs/remotes/origin/main"),
        ("HEAD~1", "HEAD~1"),
        ("@~1", "HEAD~1"),
        ("evil^", "refs/heads/evil^"),
        ("evil@{1}", "refs/heads/evil@{1}"),
        ("@{u}", "refs/remotes/origin/main"),
        ("evil@{UPSTREAM}~0", "refs/remotes/origin/main~0"),
    ] {
        finds(
            &sandbox,
            revision,
            &format!("compared with {name} = {good}\n\n"),
        );
    }
}

#[test]
fn abbreviated_id_in_a_shallow_clone_is_refused() {
    let (sandbox, _) = attacked();
    let source = format!("file://{}", sandbox.repo().display());
    sandbox.git(&[
        "clone",
        "--quiet",
        "--depth",
        "1",
        &source,
        "../home/shallow",
    ]);
    let tip = sandbox.git(&["rev-parse", "evil"]);
    let said = format!(
        "error: {} is an abbreviated id, and this clone is shallow\nhint: give the full id\n",
        &tip[..10]
    );
    let shallow = sandbox.home().join("shallow");
    sandbox
        .vault(&["verify", "--since", &tip[..10]])
        .folder(&shallow)
        .fails(4)
        .says(&said)
        .check();
}
