//! The output of `verify --since HEAD` for a vault with three members.

use std::collections::BTreeSet;

use repovault::vault::model::{Access, Roster};

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
    let last = if found.is_empty() {
        String::new()
    } else {
        findings(found)
    };
    let output = [
        compared("HEAD"),
        table.to_owned(),
        part("changed since HEAD", changed),
        part("needs attention", attention),
        last,
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
    change(&sandbox, |roster| {
        let carol = roster.members.get_mut(&"carol".parse().unwrap()).unwrap();
        (carol.signing, carol.credential_floor) = (None, Some(1));
    });
    sandbox.commit("bob and carol");
    (sandbox, bob)
}

/// The next revision of the roster, signed by the authority.
pub(crate) fn change(sandbox: &Sandbox, change: impl FnOnce(&mut Roster)) {
    craft::resign_roster(sandbox, &craft::authority(sandbox), |roster| {
        roster.revision += 1;
        change(roster);
    });
}
