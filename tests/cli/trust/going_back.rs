//! `vault trust` goes back to a root from before a revocation that was seen.

use std::fs;

use repovault::crypto::{Identity, NativeKind, Tag};
use snapbox::str;

use super::pins::{
    BEFORE, GET, MERGE, NAMES, UNKNOWN, is_refused, on_a_branch, pin, reads, removed, rotated,
    state, state_file, trust,
};
use crate::support::craft;
use crate::support::membership::{root, with_bob};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::terminal::Terminal;

#[test]
fn going_back_needs_a_yes_and_accepts_both_branches() {
    let sandbox = rotated();
    let (id, pin) = (sandbox.id(), pin(&sandbox));
    for pin in [&pin, &id] {
        let said = format!(
            "error: cannot ask for confirmation without a terminal: trust {id}@none. No one would have access again.\nhint: to confirm, pass `--yes`\n"
        );
        trust(&sandbox, pin, &[]).fails(4).says(said).check();
    }
    is_refused(&sandbox);
    let said = format!("trusted besides what you have seen: {pin}\n");
    trust(&sandbox, &pin, &["--yes"])
        .says(said)
        .changes(&[&state(&sandbox)])
        .check();
    reads(&sandbox);
    sandbox.git(&["checkout", "--quiet", "gone"]);
    reads(&sandbox);
    sandbox.git(&["checkout", "--quiet", "main"]);
    reads(&sandbox);
    // A revocation that was never seen is the only one that counts.
    for _ in 0..2 {
        sandbox.quick(&["rotate", "-e", "development", "-q"]);
    }
    sandbox.commit("revocations on main");
    reads(&sandbox);
    sandbox.git(&["checkout", "--quiet", "gone"]);
    is_refused(&sandbox);
}

#[test]
fn going_back_asks_at_a_terminal() {
    let sandbox = rotated();
    let question = format!(
        "trust {0}@none? No one would have access again. [y/N] ",
        sandbox.id()
    );
    for (answer, status) in [("n", 4), ("y", 0)] {
        is_refused(&sandbox);
        let mut terminal = Terminal::start(trust(&sandbox, &pin(&sandbox), &[]));
        terminal.sees(&question);
        terminal.types(&format!("{answer}\n"));
        terminal.ends(status);
    }
    reads(&sandbox);
}

#[test]
fn going_back_needs_the_name_of_each_regained_member() {
    let sandbox = removed();
    let pin = pin(&sandbox);
    let named = "hint: these are: bob (production)\n";
    let missing = format!("error: not named by `--give-back`: bob\n{NAMES}{named}");
    for pin in [&pin, &sandbox.id()] {
        trust(&sandbox, pin, &["--yes"])
            .fails(4)
            .says(&missing)
            .check();
    }
    let other =
        format!("error: `--give-back carol`: nothing would be given back to them\n{NAMES}{named}");
    let carol = ["--yes", "--give-back", "bob", "--give-back", "carol"];
    trust(&sandbox, &pin, &carol).fails(2).says(other).check();
    let unconfirmed = format!(
        "error: cannot ask for confirmation without a terminal: trust {pin}. These have access again, or know a key: bob (production).\nhint: to confirm, pass `--yes`\n"
    );
    trust(&sandbox, &pin, &["--give-back", "bob"])
        .fails(4)
        .says(unconfirmed)
        .check();
    is_refused(&sandbox);
    let said = format!(
        "trusted besides what you have seen: {pin}\nThese have access again, or know a key: bob (production).\n"
    );
    trust(&sandbox, &pin, &["--give-back", "bob", "--yes"])
        .says(said)
        .changes(&[&state(&sandbox)])
        .check();
    reads(&sandbox);
}

#[test]
fn revocation_outside_the_clone_needs_an_explicit_yes() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=read"]);
    sandbox.quick(&["members", "remove", "bob", "--yes", "-q"]);
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    let pin = pin(&sandbox);
    let way = format!(
        "hint: if that branch was abandoned: `vault trust {pin}`; it cannot say who would have access again\n"
    );
    sandbox
        .vault(&GET)
        .fails(4)
        .says(format!("{UNKNOWN}{way}"))
        .check();
    let said = format!(
        "error: cannot ask for confirmation without a terminal: trust {pin}. No commit of this clone has the revocation that you have seen, so no one can say who would have access again.\nhint: to confirm, pass `--yes`\n"
    );
    trust(&sandbox, &pin, &[]).fails(4).says(said).check();
    trust(&sandbox, &pin, &["--yes", "-q"])
        .changes(&[&state(&sandbox)])
        .check();
    reads(&sandbox);
}

/// The id alone does not, and neither does an earlier revocation or one that is not listed.
#[test]
fn only_the_last_revocation_of_the_root_leads_back() {
    let sandbox = stocked();
    for _ in 0..2 {
        sandbox.quick(&["rotate", "-e", "production", "-q"]);
    }
    sandbox.commit("two revocations on main");
    let earlier = root(&sandbox).revocations[0];
    on_a_branch(&sandbox, &[&["rotate", "-e", "development", "-q"]]);
    let (id, last) = (sandbox.id(), pin(&sandbox));
    let way = format!("{MERGE}hint: if that branch was abandoned: `vault trust {last}`\n");
    let said = format!("{BEFORE}: development was rotated (commit [..])\n{way}");
    for pin in [id.clone(), format!("{id}@none"), format!("{id}@{earlier}")] {
        trust(&sandbox, &pin, &["--yes"])
            .fails(4)
            .says(&said)
            .check();
    }
    let other = Tag::random();
    let said = format!(
        "error: .vault/root.toml: does not list the revocation {other}, so nothing was changed\n{way}"
    );
    trust(&sandbox, &format!("{id}@{other}"), &["--yes"])
        .fails(4)
        .says(&said)
        .check();
    is_refused(&sandbox);
    trust(&sandbox, &last, &["--yes", "-q"])
        .changes(&[&state(&sandbox)])
        .check();
    reads(&sandbox);
}

#[test]
fn trusting_again_is_reported_as_unchanged() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production", "-q"]);
    let (id, last) = (sandbox.id(), pin(&sandbox));
    let said = format!("unchanged: {id} is trusted already\n");
    for pin in [&id, &last] {
        trust(&sandbox, pin, &[]).says(&said).check();
    }
    let said = "error: `--give-back bob`: nothing would be given back to them\n";
    trust(&sandbox, &id, &["--give-back", "bob", "--yes"])
        .fails(2)
        .says(said)
        .check();
    // A revocation that the root here does not list would only be one more that counts.
    let other = Tag::random();
    let said = format!(
        "error: .vault/root.toml: does not list the revocation {other}, so nothing was changed\nhint: take the files that list it: `git pull`\n"
    );
    for folder in [sandbox.repo(), sandbox.home()] {
        trust(&sandbox, &format!("{id}@{other}"), &["--yes"])
            .folder(&folder)
            .fails(4)
            .says(&said)
            .check();
    }
}

/// The name of the record of a key that no one has.
fn state_of_a_lost_key() -> String {
    let digest = Identity::generate(NativeKind::Hybrid).recipient().digest();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let hex: String = digits
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect();
    hex + ".toml"
}

/// Commands without a key ask every record on this machine, also that of a key that is lost.
#[test]
fn record_of_a_lost_key_does_not_lock_anyone_out() {
    let sandbox = rotated();
    let other = state_file(&sandbox).with_file_name(state_of_a_lost_key());
    fs::copy(state_file(&sandbox), other).unwrap();
    let listing = ["list", "-q", "-e", "production"];
    assert_eq!(sandbox.vault(&listing).outcome().status, 4);
    trust(&sandbox, &pin(&sandbox), &["--yes", "-q"])
        .any_change()
        .check();
    reads(&sandbox);
    sandbox
        .vault(&listing)
        .prints(str![[r#"
NAME[..]
DATABASE_URL[..]
OTHER[..]
"#]])
        .check();
}

/// A new key with which nothing was seen yet, next to the record of a former one.
#[test]
fn going_back_also_trusts_the_id_for_a_new_key() {
    let sandbox = rotated();
    let other = state_file(&sandbox).with_file_name(state_of_a_lost_key());
    fs::rename(state_file(&sandbox), other).unwrap();
    assert_eq!(sandbox.vault(&GET).outcome().status, 3);
    trust(&sandbox, &pin(&sandbox), &["--yes", "-q"])
        .any_change()
        .check();
    reads(&sandbox);
}

/// A tag that is known is enough, and a root with a new one makes it the only one.
#[test]
fn one_of_several_tags_is_enough() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    sandbox.commit("before");
    let seen = |sandbox: &Sandbox| fs::read_to_string(state_file(sandbox)).unwrap();
    let id = sandbox.id();
    let rotated = |branch: &str| {
        sandbox.git(&["switch", "--quiet", "--create", branch, "main"]);
        let home = sandbox.root().join(branch);
        fs::create_dir_all(&home).unwrap();
        let identity = sandbox.home().join(".config/vault/identity.txt");
        sandbox
            .vault(&["rotate", "-e", "development", "-q"])
            .variable("HOME", home.to_str().unwrap())
            .variable("VAULT_ID", &id)
            .variable("VAULT_KEY_FILE", identity.to_str().unwrap())
            .any_change()
            .check();
        sandbox.commit(branch);
        craft::vault(&sandbox).root().latest()
    };
    let (one, two) = (rotated("one"), rotated("two"));
    assert_eq!(sandbox.get("development", "KEY"), b"value");
    assert!(seen(&sandbox).contains(&two.to_string()));
    // The other branch was not seen, and does not list the tag of this one.
    sandbox.git(&["switch", "--quiet", "one"]);
    sandbox
        .vault(&["get", "KEY"])
        .fails(4)
        .says(str![[r#"
error: .vault/root.toml: is from before a revocation that you have seen: development was rotated (commit [..])
hint: merge the branch with it: `git branch --all --contains [..]` lists it
hint: if that branch was abandoned: `vault trust [ID]@[TAG]`
"#]])
        .check();
    let trust = format!("{id}@{one}");
    sandbox
        .vault(&["trust", &trust, "--yes"])
        .says(str!["trusted besides what you have seen: [ID]@[TAG]"])
        .any_change()
        .check();
    assert!(seen(&sandbox).contains(&two.to_string()) && seen(&sandbox).contains(&one.to_string()));
    // The root that counts from now on is this one.
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    sandbox.git(&["switch", "--quiet", "two"]);
    let forked = "warning: the root is not the one seen before at this revision: [..]\n";
    let get = sandbox.vault(&["get", "KEY"]);
    get.prints("value").says(forked).check();
    // A revocation that was never seen takes the place of both.
    sandbox.quick(&["rotate", "-e", "development"]);
    let three = craft::vault(&sandbox).root().latest();
    let text = seen(&sandbox);
    assert!(
        text.contains(&three.to_string()) && !text.contains(&two.to_string()),
        "{text}"
    );
    assert!(!text.contains(&one.to_string()), "{text}");
}
