//! `vault key upgrade`: a member with an X25519 key gets a post-quantum one, and can read all the time.

use std::fs;

use repovault::crypto::{Identity, NativeKind};
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::membership::with_classic;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Outcome, Sandbox};

/// Bob has an X25519 key, and can write in development.
fn classic_bob(sandbox: &Sandbox) -> Colleague<'_> {
    with_classic(sandbox, "bob", &["development=write"])
}

fn fingerprint(outcome: &Outcome) -> String {
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    String::from_utf8(outcome.output.clone())
        .unwrap()
        .trim()
        .to_owned()
}

fn bob_works(bob: &Colleague<'_>) {
    for words in [
        &["get", "DATABASE_URL"][..],
        &["list"],
        &["verify"],
        &["doctor"],
    ] {
        let outcome = bob.vault(words).outcome();
        assert_eq!(outcome.status, 0, "{words:?}: {}", outcome.said);
    }
    let set = bob.vault(&["set", "DATABASE_URL"]).input("postgres://new");
    let outcome = set.outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
}

/// The line of `doctor` with the recipient that is used.
fn used(bob: &Colleague<'_>) -> String {
    let output = bob.vault(&["doctor"]).outcome().output;
    let text = String::from_utf8(output).unwrap();
    let mut lines = text.lines();
    let line = lines.find(|line| line.contains("of your keys, the one for age1"));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn upgrade_keeps_access_and_asks_an_admin() {
    let sandbox = stocked();
    let bob = classic_bob(&sandbox);
    let weak = "advice: development: the key of bob is not post-quantum";
    assert!(sandbox.quick(&["status"]).contains(weak));
    let before = fs::read_to_string(bob.key_file()).unwrap();
    let asked = bob.vault(&["key", "upgrade"]).outcome();
    let told = fingerprint(&asked);
    assert!(
        asked.said.contains("`vault members set bob --new-key`"),
        "{}",
        asked.said
    );
    let after = fs::read_to_string(bob.key_file()).unwrap();
    assert!(after.starts_with(&before) && after.contains("AGE-SECRET-KEY-PQ-1"));
    // Until an admin answers, everything works with the old key.
    bob_works(&bob);
    assert!(!used(&bob).contains("age1pq1"));
    assert_eq!(fingerprint(&bob.vault(&["key", "upgrade"]).outcome()), told);
    bob.send();
    let status = sandbox.vault(&["status"]).outcome();
    assert!(
        status.said.contains("`vault members set bob --new-key`"),
        "{}",
        status.said
    );
    let set = ["members", "set", "bob", "--new-key", "--fingerprint", &told];
    sandbox.quick(&set);
    sandbox.commit("bob has a post-quantum key");
    bob.pull();
    bob_works(&bob);
    assert!(used(&bob).contains("age1pq1"));
    let status = sandbox.vault(&["status"]).outcome();
    assert!(!String::from_utf8_lossy(&status.output).contains("not post-quantum"));
    let strong = "every member's key is post-quantum: development, production";
    assert!(status.said.contains(strong), "{}", status.said);
    let again = str![[r#"
error: your key is post-quantum already
hint: see whose key is not: `vault status`
"#]];
    bob.vault(&["key", "upgrade"]).fails(2).says(&again).check();
    // The old key no longer works.
    fs::write(bob.key_file(), before).unwrap();
    let outcome = bob.vault(&["get", "DATABASE_URL"]).outcome();
    assert_eq!(outcome.status, 3, "{}", outcome.said);
}

#[test]
fn changed_answer_to_an_upgrade_is_refused() {
    let sandbox = stocked();
    let bob = classic_bob(&sandbox);
    fingerprint(&bob.vault(&["key", "upgrade"]).outcome());
    let new = fs::read_to_string(bob.key_file()).unwrap();
    // Mallory's request takes the place of bob's, and alice does not compare the fingerprints.
    let mallory = Colleague::clone_of(&sandbox, "mallory");
    let id = sandbox.id();
    let join = ["join", "--name", "bob", "--new-key", "--id", &id];
    let told = fingerprint(&mallory.vault(&join).outcome());
    mallory.send();
    sandbox.quick(&["members", "set", "bob", "--new-key", "--fingerprint", &told]);
    sandbox.commit("bob has another key");
    fs::remove_file(bob.store("requests/bob.toml")).unwrap();
    bob.pull();
    let last = new.lines().last().unwrap();
    assert!(last.starts_with("AGE-SECRET-KEY-PQ-1"));
    for words in [&["get", "DATABASE_URL"][..], &["list"], &["verify"]] {
        let outcome = bob.vault(words).outcome();
        assert_ne!(outcome.status, 0, "{words:?}: {}", outcome.said);
    }
    let said = bob.vault(&["list"]).outcome().said;
    assert!(said.contains("has other keys than bob asked for"), "{said}");
}

#[test]
fn interrupted_upgrade_uses_the_identity_it_made() {
    let sandbox = stocked();
    let bob = classic_bob(&sandbox);
    let made = Identity::generate(NativeKind::Hybrid);
    let run = bob.vault(&["key", "import", "-"]);
    let import = run.input(made.to_text().expose()).outcome();
    assert_eq!(import.status, 0, "{}", import.said);
    let before = fs::read(bob.key_file()).unwrap();
    fingerprint(&bob.vault(&["key", "upgrade"]).outcome());
    assert!(before == fs::read(bob.key_file()).unwrap());
    let request = fs::read_to_string(bob.store("requests/bob.toml")).unwrap();
    assert!(request.contains(&made.recipient().to_string()));
}

#[test]
fn upgrade_without_a_place_for_the_key_is_refused() {
    let sandbox = stocked();
    let bob = classic_bob(&sandbox);
    let key = fs::read_to_string(bob.key_file()).unwrap();
    let in_no_file = str![[r#"
error: your key is not in a file, so no other can be added to it
hint: put it into a file, and name that: `vault key upgrade --key-file PATH`
"#]];
    let upgrade = ["key", "upgrade"];
    let run = bob.vault(&upgrade).variable("VAULT_KEY", key.trim());
    run.fails(2).says(&in_no_file).check();
    let run = bob
        .vault(&["key", "upgrade", "--key-file", "-"])
        .input(&key);
    run.fails(2).says(&in_no_file).check();
    let credential = sandbox.credential("github", &["-e", "production"]);
    sandbox
        .vault(&upgrade)
        .variable("VAULT_KEY", &credential)
        .fails(2)
        .says(str![[r#"
error: a credential is a machine's key, and a machine does not upgrade its own
hint: make a new one: `vault ci add`
"#]])
        .check();
}
