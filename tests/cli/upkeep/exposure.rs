//! Values that are still exposed to someone without access, by epochs and by values, also in git's
//! history.

use std::fs;

use repovault::crypto::SigningKey;
use repovault::vault::model::Access;
use serde_json::Value;
use snapbox::str;

use crate::support::craft::{Person, enroll_person, identity, resign_entry};
use crate::support::sandbox::{Run, Sandbox};

/// Production has A and B; `bot` can read both, `half` only B. Everything is committed.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.quick(&["init", "--name", "alice", "--recovery", "-q"]);
    sandbox.set("production", "A", b"value of A, once");
    sandbox.set("production", "B", b"value of B, once");
    sandbox.credential("bot", &["-e", "production"]);
    sandbox.credential("half", &["-e", "production", "--only", "B"]);
    sandbox.commit("a vault");
    sandbox
}

/// The exposed values that `vault status` lists, and the skipped checks.
fn known(sandbox: &Sandbox) -> (Vec<String>, Vec<String>) {
    known_to(&sandbox.vault(&["status", "--json"]))
}

fn known_to(run: &Run<'_>) -> (Vec<String>, Vec<String>) {
    let outcome = run.outcome();
    let found: Value = serde_json::from_slice(&outcome.output).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |known: &Value| {
        let place = |at: &Value| format!("{}/{}", text(&at["environment"]), text(&at["name"]));
        let was = &known["source"];
        let was = if was.is_null() {
            String::new()
        } else {
            format!(" from {} revision {}", place(was), was["revision"])
        };
        format!("{}: {}{was}", text(&known["member"]), place(known))
    };
    let known: Vec<String> = found["exposed"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect();
    let gaps = found["unchecked"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert!(known.is_empty() || outcome.status == 1, "{}", outcome.said);
    (known, gaps)
}

#[track_caller]
fn is_known(sandbox: &Sandbox, expected: &[&str]) {
    let (known, gaps) = known(sandbox);
    assert_eq!(known, expected);
    assert!(gaps.is_empty(), "{gaps:?}");
}

#[test]
fn exposed_value_is_listed_until_it_is_replaced() {
    let sandbox = sandbox();
    is_known(&sandbox, &[]);
    sandbox.quick(&["members", "remove", "bot"]);
    is_known(&sandbox, &["bot: production/A", "bot: production/B"]);
    sandbox.set("production", "A", b"a new value of A");
    sandbox.set("production", "C", b"never seen by bot");
    // Setting the same value again is not a change.
    sandbox.set("production", "B", b"value of B, once");
    is_known(&sandbox, &["bot: production/B"]);
    sandbox.quick(&["remove", "B", "-e", "production"]);
    is_known(&sandbox, &[]);
}

#[test]
fn limited_former_member_is_listed_only_with_their_names() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "remove", "half"]);
    is_known(&sandbox, &["half: production/B"]);
}

#[test]
fn readable_values_are_not_listed_as_exposed() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "set", "bot", "-e", "production=A"]);
    is_known(&sandbox, &["bot: production/B"]);
    sandbox.quick(&["members", "set", "bot", "-e", "production=none"]);
    is_known(&sandbox, &["bot: production/A", "bot: production/B"]);
    sandbox.quick(&["members", "set", "bot", "-e", "production=read"]);
    is_known(&sandbox, &[]);
}

#[test]
fn replaced_key_exposes_all_values_of_its_owner() {
    let sandbox = sandbox();
    let new = Person::new().identity.recipient().to_string();
    sandbox.quick(&["members", "set", "bot", "--recipient", &new]);
    // The replaced key is listed like a former member.
    let (lines, _) = known(&sandbox);
    let [a, b] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(
        a.starts_with("bot-until-") && a.ends_with(": production/A"),
        "{lines:?}"
    );
    assert!(
        b.starts_with("bot-until-") && b.ends_with(": production/B"),
        "{lines:?}"
    );
    sandbox.set("production", "A", b"a new value of A");
    assert_eq!(known(&sandbox).0, std::slice::from_ref(b));
}

#[test]
fn recreated_environment_has_no_exposed_values() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "remove", "bot"]);
    sandbox.quick(&["environments", "remove", "production", "--yes"]);
    sandbox.quick(&["environments", "add", "production"]);
    sandbox.set("production", "A", b"set in another environment");
    is_known(&sandbox, &[]);
    sandbox.set("production", "B", b"value of A, once");
    is_known(
        &sandbox,
        &["bot: production/B from production/A revision 1"],
    );
}

#[test]
fn exposed_value_from_history_is_found_in_every_use() {
    let sandbox = sandbox();
    // Changed and restored later; removed, but in use under another name; in use in an environment
    // that bot could never open.
    sandbox.set("production", "A", b"second value of A");
    sandbox.quick(&["remove", "B", "-e", "production"]);
    sandbox.commit("changed and removed");
    sandbox.quick(&["members", "remove", "bot"]);
    is_known(&sandbox, &["bot: production/A"]);
    sandbox.set("production", "A", b"value of A, once");
    sandbox.set("production", "OTHER", b"value of B, once\n");
    sandbox.set("development", "COPY", b"second value of A");
    sandbox.set("development", "NEW", b"a value nobody had seen");
    is_known(
        &sandbox,
        &[
            "bot: development/COPY from production/A revision 2",
            "bot: production/A from production/A revision 1",
            "bot: production/OTHER from production/B revision 1",
        ],
    );
    sandbox
        .vault(&["status"])
        .fails(1)
        .prints(
            str![[r#"
bot may know COPY in development: it has the value of A in production (revision 2)
bot may know A in production: it has the value of A in production (revision 1)
bot may know OTHER in production: it has the value of B in production (revision 1)
the credential of half is outdated: it does not know the latest revocation
"#]],
        )
        .says(
            str![[r#"
every member's key is post-quantum: development, production
error: 4 items need attention
hint: replace credentials first, all at once, because each removal is a revocation: `vault members remove half`, then `vault ci add NEW-NAME -e ENVIRONMENT`
hint: replace each value at its source, then set it: `vault set NAME -e ENVIRONMENT`
"#]],
        )
        .check();
}

#[test]
fn exposed_value_is_found_on_branches_and_after_merges() {
    let sandbox = sandbox();
    sandbox.git(&["switch", "--quiet", "--create", "side"]);
    sandbox.set("production", "SIDE", b"only on a branch");
    sandbox.commit("side");
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.set("production", "MERGED", b"came and went on a merged branch");
    sandbox.commit("main");
    sandbox.git(&["switch", "--quiet", "--create", "short"]);
    sandbox.set("production", "A", b"for a short while");
    sandbox.commit("short");
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    sandbox.git(&["switch", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-ff", "--no-edit", "short"]);
    sandbox.quick(&["members", "remove", "bot"]);
    for name in ["A", "B", "MERGED"] {
        sandbox.set("production", name, format!("anew {name}").as_bytes());
    }
    sandbox.set("development", "ONE", b"only on a branch");
    sandbox.set("development", "TWO", b"for a short while");
    is_known(
        &sandbox,
        &[
            "bot: development/ONE from production/SIDE revision 1",
            "bot: development/TWO from production/A revision 2",
        ],
    );
}

#[test]
fn exposed_copy_is_found_before_a_commit() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "remove", "bot"]);
    sandbox.set("production", "B", b"anew");
    sandbox.quick(&["copy", "A", "--from", "production", "--to", "development"]);
    is_known(
        &sandbox,
        &[
            "bot: development/A from production/A revision 1",
            "bot: production/A",
        ],
    );
}

#[test]
fn common_value_is_not_listed_as_exposed() {
    let sandbox = sandbox();
    for value in ["", "true", "8080", "localhost", " postgres "] {
        sandbox.set("production", "A", value.as_bytes());
        sandbox.commit("a common value");
    }
    sandbox.quick(&["members", "remove", "bot"]);
    for name in ["A", "B"] {
        sandbox.set("production", name, b"a new value of it");
    }
    for (at, value) in ["true", "8080", "localhost", "postgres"].iter().enumerate() {
        sandbox.set("development", &format!("NAME{at}"), value.as_bytes());
    }
    is_known(&sandbox, &[]);
}

#[test]
fn forgotten_data_key_is_found_in_git_history() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "remove", "bot"]);
    for name in ["A", "B"] {
        sandbox.set("production", name, b"a new value of it");
    }
    sandbox.commit("bot is gone");
    sandbox.quick(&["rotate", "--finish", "--forget", "-e", "production"]);
    let file = fs::read_to_string(sandbox.store("root.toml")).unwrap();
    let epochs = "[[environments.production]]";
    assert_eq!(file.matches(epochs).count(), 1, "{file}");
    sandbox.set("development", "COPY", b"value of A, once");
    is_known(
        &sandbox,
        &["bot: development/COPY from production/A revision 1"],
    );
}

#[test]
fn values_under_the_old_id_are_exposed_to_a_former_admin() {
    let sandbox = sandbox();
    sandbox.set("production", "A", b"second value of A");
    sandbox.commit("changed");
    let id = sandbox.id();
    sandbox.quick(&["members", "remove", "recovery", "--yes"]);
    assert_ne!(sandbox.id(), id);
    sandbox.quick(&["rotate", "--authority", "--yes"]);
    sandbox.set("development", "COPY", b"value of A, once");
    let known = ["recovery: production/A", "recovery: production/B"];
    let copy = "recovery: development/COPY from production/A revision 1";
    is_known(&sandbox, &[&[copy], &known[..]].concat());
    // A person who never trusted the old id rejects everything that is signed under it, and gets a
    // note.
    let home = sandbox.home().join("laptop");
    fs::create_dir_all(home.join(".config/vault")).unwrap();
    let file = ".config/vault/identity.txt";
    fs::copy(sandbox.home().join(file), home.join(file)).unwrap();
    let run = sandbox
        .vault(&["status", "--json"])
        .variable("HOME", home.to_str().unwrap());
    let (lines, gaps) = known_to(&run.variable("VAULT_ID", &sandbox.id()));
    assert_eq!(lines, known);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].contains("older values were not compared"),
        "{gaps:?}"
    );
}

#[test]
fn uncompared_values_are_reported() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "remove", "bot"]);
    sandbox.set("development", "COPY", b"value of A, once");
    sandbox.commit("a copy");
    let by_epochs = ["bot: production/A", "bot: production/B"];
    // A key that belongs to no member.
    let keyless = sandbox
        .vault(&["status", "--json"])
        .variable("XDG_CONFIG_HOME", "/nowhere");
    let (lines, gaps) = known_to(&keyless);
    assert_eq!(lines, by_epochs);
    assert_eq!(
        gaps,
        ["values were not compared with each other, because no key was found"]
    );
    // A key for only one environment.
    let credential = sandbox.credential("later", &["-e", "production"]);
    let run = sandbox
        .vault(&["status", "--json"])
        .variable("VAULT_KEY", &credential);
    let (lines, gaps) = known_to(&run);
    assert_eq!(lines, by_epochs);
    let old =
        "2 older values were not compared: no known member signed them, or you have no key to them";
    assert_eq!(
        gaps,
        [
            "development: 1 current value was not compared: you cannot decrypt it",
            old
        ]
    );
    // A clone without history, and no repository at all.
    let clone = sandbox.root().join("clone");
    let url = format!("file://{}", sandbox.repo().display());
    sandbox.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &url,
        clone.to_str().unwrap(),
    ]);
    sandbox.quick(&["trust", &sandbox.id()]);
    let (lines, gaps) = known_to(&sandbox.vault(&["status", "--json"]).folder(&clone));
    assert_eq!(
        lines,
        [
            &["bot: development/COPY from production/A revision 1"],
            &by_epochs[..]
        ]
        .concat()
    );
    assert_eq!(
        gaps,
        ["git's history is incomplete here, so values are missing: `git fetch --unshallow`"]
    );
    fs::remove_dir_all(clone.join(".git")).unwrap();
    let run = sandbox.vault(&["status", "--json"]).folder(&clone);
    let (lines, gaps) =
        known_to(&run.variable("GIT_CEILING_DIRECTORIES", sandbox.root().to_str().unwrap()));
    assert_eq!(lines.len(), 3);
    let none = format!(
        "older values were not compared: git finds no repository of yours in {}",
        clone.display()
    );
    assert_eq!(gaps, [none]);
}

#[test]
fn vault_planted_on_a_branch_reveals_nothing() {
    let sandbox = sandbox();
    sandbox.quick(&["members", "remove", "bot"]);
    for name in ["A", "B"] {
        sandbox.set("production", name, b"a new value of it");
    }
    sandbox.set("development", "PASSWORD", b"the guess of the attacker");
    sandbox.commit("bot is gone");
    // An attacker's own vault, sealed to alice, with a guessed value: `status` must not confirm the
    // guess.
    let attacker = Sandbox::empty();
    attacker.quick(&["init", "--name", "mallory", "-q"]);
    let alice = Person {
        identity: identity(&sandbox),
        key: SigningKey::generate(),
    };
    enroll_person(&attacker, "alice", &[("production", Access::Read)], &alice);
    attacker.set("production", "A", b"the guess of the attacker");
    sandbox.git(&["switch", "--quiet", "--create", "attack"]);
    for path in ["root.toml", "members/alice.toml", "production/A.toml"] {
        fs::copy(attacker.store(path), sandbox.store(path)).unwrap();
    }
    sandbox.commit("attack");
    // Even if alice is a member of that vault too, and trusts it as such.
    let trust = ["trust", &attacker.id(), "-q"];
    sandbox
        .vault(&trust)
        .folder(&attacker.repo())
        .any_change()
        .check();
    // An entry of the right vault with the attacker's signature.
    sandbox.git(&["checkout", "--quiet", "HEAD~1", "--", ".vault"]);
    let stranger = SigningKey::generate();
    resign_entry(&sandbox, "production", "A", &stranger, |entry| {
        entry.origin = 1;
        entry.revision = 9;
    });
    sandbox.commit("forged");
    sandbox.git(&["switch", "--quiet", "main"]);
    let (known, gaps) = known(&sandbox);
    assert_eq!(known, Vec::<String>::new());
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].starts_with("2 older values were not compared: no known member signed them"));
}
