//! The output of `verify --since HEAD` for a vault with three members.

use std::collections::BTreeSet;

use repovault::crypto::Tag;
use repovault::vault::model::{Access, Member, Root};

use crate::support::craft::{self, Person};
use crate::support::refusal::{compared, findings, section, stocked};
use crate::support::sandbox::Sandbox;

/// Checks that `verify --since HEAD` prints exactly this, and fails if there are findings.
#[track_caller]
pub(crate) fn reviewed(
    sandbox: &Sandbox,
    table: &str,
    changed: &[&str],
    attention: &[&str],
    found: &[&str],
) {
    let part = |heading, lines: &[&str]| {
        if lines.is_empty() {
            String::new()
        } else {
            section(heading, lines)
        }
    };
    let first = if found.is_empty() {
        String::new()
    } else {
        findings(found)
    };
    let output = [
        compared("HEAD"),
        table.to_owned(),
        first,
        part("needs attention", attention),
        part("changed since HEAD", changed),
    ];
    let output = output.concat().replace("\n\n\n", "\n\n");
    let run = sandbox
        .vault(&["verify", "--since", "HEAD"])
        .without("HOME")
        .prints(output);
    match found.len() {
        0 => run.check(),
        1 => run
            .fails(1)
            .says("error: verification failed: 1 finding\n")
            .check(),
        count => {
            run.fails(1)
                .says(format!("error: verification failed: {count} findings\n"))
                .check();
        }
    }
}

/// A vault with everything committed. Bob can write in development and read production; carol is a
/// machine that can read two names.
pub(crate) fn cast() -> (Sandbox, Person) {
    let sandbox = stocked();
    let access = [("development", Access::Write), ("production", Access::Read)];
    let bob = craft::enroll(&sandbox, "bob", &access);
    let names: BTreeSet<_> = ["DATABASE_URL", "OTHER"]
        .map(|name| name.parse().unwrap())
        .into();
    craft::enroll(&sandbox, "carol", &[("production", Access::Names(names))]);
    craft::resign_member(&sandbox, "carol", &craft::authority(&sandbox), |carol| {
        (carol.signing, carol.credential) = (None, Some(Tag::NONE));
    });
    sandbox.commit("bob and carol");
    (sandbox, bob)
}

/// The next revision of the root, signed by the authority.
pub(crate) fn change_root(sandbox: &Sandbox, change: impl FnOnce(&mut Root)) {
    craft::resign_root(sandbox, &craft::authority(sandbox), |root| {
        root.revision += 1;
        change(root);
    });
}

/// The next revision of a member's file, signed by the authority.
pub(crate) fn change_member(sandbox: &Sandbox, name: &str, change: impl FnOnce(&mut Member)) {
    craft::resign_member(sandbox, name, &craft::authority(sandbox), |member| {
        member.revision += 1;
        change(member);
    });
}

pub(crate) const REVOKED: &str = "1 revocation is listed: older files no longer count";

/// A revocation of the member, as every command records it: a tag in the root and in the file.
pub(crate) fn revoke(
    sandbox: &Sandbox,
    member: &str,
    record: impl FnOnce(&mut Root),
    change: fn(&mut Member),
) {
    let tag = Tag::random();
    change_member(sandbox, member, |file| {
        file.replaces = file.revocation;
        file.revocation = Some(tag);
        change(file);
    });
    change_root(sandbox, |root| {
        root.revocations.push(tag);
        let own = root.members.entry(member.parse().unwrap()).or_default();
        own.revocation = Some(tag);
        record(root);
    });
}

pub(crate) fn not_rotated(name: &str, environment: &str) -> String {
    format!(
        "not rotated: .vault/root.toml: {name} lost access to {environment}, but knows the data key of epoch 1, which is still in use"
    )
}

pub(crate) fn not_revoked(name: &str) -> String {
    format!("taken, not revoked: {name} lost something, and the files from before still count")
}
