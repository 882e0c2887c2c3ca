//! Members who join and leave.

use repovault::vault::model::{Membership, Root};

use crate::support::colleague::Colleague;
use crate::support::craft;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Sandbox, changed};

pub(crate) fn root(sandbox: &Sandbox) -> Root {
    craft::vault(sandbox).root().clone()
}

/// The root with all members whose files count.
pub(crate) fn membership(sandbox: &Sandbox) -> Membership {
    craft::vault(sandbox).membership().unwrap()
}

/// The stocked vault with bob, who joined properly with this access; everything is committed and
/// pulled.
pub(crate) fn with_bob<'a>(sandbox: &'a Sandbox, access: &[&str]) -> Colleague<'a> {
    let bob = Colleague::clone_of(sandbox, "bob");
    let fingerprint = bob.join();
    added(&bob, sandbox, &fingerprint, access);
    bob
}

/// The same with another member, whose key is of X25519.
pub(crate) fn with_classic<'a>(
    sandbox: &'a Sandbox,
    name: &'static str,
    access: &[&str],
) -> Colleague<'a> {
    let colleague = Colleague::clone_of(sandbox, name);
    let id = sandbox.id();
    let join = ["join", "--name", name, "--id", &id, "--classic"];
    let outcome = colleague.vault(&join).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    let fingerprint = String::from_utf8(outcome.output).unwrap();
    added(&colleague, sandbox, fingerprint.trim(), access);
    colleague
}

fn added(colleague: &Colleague<'_>, sandbox: &Sandbox, fingerprint: &str, access: &[&str]) {
    colleague.send();
    let access: Vec<&str> = access.iter().flat_map(|access| ["-e", access]).collect();
    let name = colleague.name();
    let words = ["members", "add", name, "-q", "--fingerprint", fingerprint];
    sandbox.quick(&[&words[..], &access].concat());
    sandbox.commit("a new member");
    colleague.pull();
}

/// The files below `.vault` that a run changes.
pub(crate) fn touched(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    let before = sandbox.files();
    sandbox.quick(arguments);
    let files = changed(&before, &sandbox.files());
    let own = files
        .iter()
        .filter_map(|path| path.strip_prefix("repo/.vault/"));
    own.map(str::to_owned).collect()
}

pub(crate) const ADD: [&str; 7] = [
    "members",
    "add",
    "bob",
    "-e",
    "development=write",
    "-e",
    "production=read",
];

pub(crate) const SMALL_ORDER: &str =
    "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z";

pub(crate) fn add_with(fingerprint: &str) -> Vec<&str> {
    [&ADD[..], &["--fingerprint", fingerprint]].concat()
}

/// A vault with a merged request from bob; returns the fingerprint.
pub(crate) fn asked() -> (Sandbox, String) {
    let sandbox = stocked();
    let fingerprint = {
        let bob = Colleague::clone_of(&sandbox, "bob");
        let fingerprint = bob.join();
        bob.send();
        fingerprint
    };
    (sandbox, fingerprint)
}
