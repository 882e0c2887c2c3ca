//! `vault status`: open items, until they are done.

use std::fs;
use std::path::Path;

use repovault::crypto::Tag;
use serde_json::{Value, json};
use snapbox::str;

use crate::support::craft::{self, Person, authority, resign_root};
use crate::support::sandbox::Sandbox;

/// Two admins, and a value in each environment.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.quick(&["init", "--name", "alice", "--recovery", "-q"]);
    sandbox.set("development", "KEY", b"value");
    sandbox.set("production", "KEY", b"value");
    sandbox
}

const CLEAN: &str =
    "every member's key is post-quantum: development, production\nnothing needs attention\n";

#[test]
fn status_without_open_items_says_so() {
    let sandbox = sandbox();
    sandbox.vault(&["status"]).says(CLEAN).check();
    sandbox.vault(&["status", "-q"]).check();
    let empty = json!({
        "version": 1, "vault": sandbox.id(), "revocation": null, "count": 0, "exposed": [], "old_epoch": [], "broken": [],
        "outdated_credentials": [], "newer_credentials": [], "cannot_read_yet": [], "unmerged_grants": [], "admins": ["alice", "recovery"],
        "not_post_quantum": { "development": [], "production": [] }, "requests": [], "interrupted": [],
        "unchecked": [],
    });
    let run = sandbox.vault(&["status", "--json"]);
    run.prints(format!("{empty}\n"))
        .says("nothing needs attention\n")
        .check();
}

#[test]
fn single_admin_is_advice_and_exits_0() {
    let sandbox = Sandbox::with_vault();
    let advice =
        "advice: alice is the only admin: if that key is lost, the vault cannot be recovered\n";
    let add = "add a second admin: `vault members set NAME --admin`\n";
    sandbox
        .vault(&["status"])
        .prints(advice)
        .says(format!("{add}{CLEAN}"))
        .check();
    sandbox.vault(&["status", "-q"]).prints(advice).check();
    let outcome = sandbox.vault(&["status", "--json"]).outcome();
    let json: Value = serde_json::from_slice(&outcome.output).unwrap();
    assert_eq!(
        (outcome.status, &json["count"], &json["admins"]),
        (0, &json!(0), &json!(["alice"]))
    );
}

#[test]
fn single_admin_is_not_an_open_item() {
    let sandbox = Sandbox::with_vault();
    fs::create_dir(sandbox.store("requests")).unwrap();
    fs::write(sandbox.store("requests/bob.toml"), "").unwrap();
    let advice = "advice: alice is the only admin: [..]\n";
    sandbox
        .vault(&["status"])
        .fails(1)
        .prints(format!("bob wants to join\n{advice}"))
        .says(str![[r#"
add a second admin: [..]
every member's key is post-quantum: development, production
error: 1 item needs attention
hint: answer the request: `vault members add bob -e ENVIRONMENT=read`
"#]])
        .check();
}

#[test]
fn following_the_listed_order_resolves_every_item() {
    let sandbox = sandbox();
    for name in ["one", "two"] {
        sandbox.credential(name, &["-e", "production"]);
    }
    let bob = Person::new().identity.recipient().to_string();
    sandbox.quick(&[
        "members",
        "add",
        "bob",
        "--recipient",
        &bob,
        "-e",
        "production=read",
    ]);
    sandbox.commit("a team");
    sandbox.quick(&["members", "remove", "bob"]);
    let told = sandbox.vault(&["status"]).outcome();
    let hints: Vec<&str> = told
        .said
        .lines()
        .filter_map(|line| line.strip_prefix("hint: "))
        .collect();
    assert!(
        hints[0].contains("`vault members remove one two`, then `vault ci add"),
        "{hints:?}"
    );
    assert!(
        hints[1].ends_with("`vault set NAME -e ENVIRONMENT`"),
        "{hints:?}"
    );
    for name in ["one", "two"] {
        sandbox.quick(&["members", "remove", name]);
    }
    for name in ["three", "four"] {
        sandbox.credential(name, &["-e", "production"]);
    }
    sandbox.set("production", "KEY", b"a new value");
    sandbox.vault(&["status"]).says(CLEAN).check();
}

#[test]
fn open_items_are_listed_with_their_commands() {
    let sandbox = sandbox();
    sandbox.credential("github", &["-e", "production"]);
    // No one has lost access, but the root has a revocation.
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.quick(&["environments", "remove", "staging", "--yes"]);
    fs::create_dir(sandbox.store("requests")).unwrap();
    for file in ["bob.toml", "Not a name.toml", ".hidden"] {
        fs::write(sandbox.store("requests").join(file), "whatever it says").unwrap();
    }
    // A revocation that ended before the root was written.
    craft::resign_member(&sandbox, "recovery", &authority(&sandbox), |recovery| {
        recovery.revision += 1;
        recovery.revocation = Some(Tag::random());
    });
    let entry = sandbox.store("production/KEY.toml");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace("revision = 1", "revision = 2")).unwrap();
    sandbox
        .vault(&["status"])
        .fails(1)
        .prints(
            str![[r#"
.vault/production/KEY.toml: does not match the signature of alice
the credential of github is outdated: it does not know the latest revocation
bob wants to join
a revocation of recovery was interrupted
"#]],
        )
        .says(
            str![[r#"
warning: not checked: production: 1 invalid entry was left out
every member's key is post-quantum: development, production
error: 4 items need attention
hint: replace credentials first, all at once, because each removal is a revocation: `vault members remove github`, then `vault ci add NEW-NAME -e ENVIRONMENT`
hint: check the invalid files: `vault verify`
hint: answer the request: `vault members add bob -e ENVIRONMENT=read`
hint: an admin completes the revocation: `vault members set recovery`
"#]],
        )
        .check();
    let outcome = sandbox.vault(&["status", "--json"]).outcome();
    assert_eq!(outcome.status, 1);
    let found: Value = serde_json::from_slice(&outcome.output).unwrap();
    assert_eq!(found["count"], json!(4));
    assert_eq!(found["outdated_credentials"], json!(["github"]));
    assert!(found["revocation"].is_string());
    assert_eq!(found["requests"], json!(["bob"]));
    assert_eq!(found["interrupted"], json!(["recovery"]));
    let reason = "does not match the signature of alice";
    let entry = json!({ "file": ".vault/production/KEY.toml", "reason": reason });
    assert_eq!(found["broken"], json!([entry]));
}

/// A member added on one branch, while another one rotated: a clean merge.
#[test]
fn member_without_the_newest_key_is_named_until_sync() {
    let sandbox = sandbox();
    sandbox.commit("a vault");
    sandbox.git(&["checkout", "--quiet", "-b", "branch"]);
    let bob = Person::new().identity.recipient().to_string();
    let words = "members add bob -q -e production=read --recipient";
    let words: Vec<&str> = words.split(' ').chain([bob.as_str()]).collect();
    sandbox.quick(&words);
    sandbox.commit("bob is a member");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.quick(&["rotate", "-e", "production", "-q"]);
    sandbox.commit("rotated");
    sandbox.git(&["merge", "--quiet", "--no-edit", "branch"]);
    let line = "bob cannot read production until an admin runs `vault members sync`";
    let run = sandbox.vault(&["status"]).fails(1);
    run.prints(format!("{line}\n"))
        .says(str![[r#"
every member's key is post-quantum: development, production
error: 1 item needs attention
hint: an admin lets them read: `vault members sync`
"#]])
        .check();
    let json = |words: &[&str]| -> Value {
        serde_json::from_slice(&sandbox.vault(words).outcome().output).unwrap()
    };
    let status = json(&["status", "--json"]);
    let waiting = json!([{ "member": "bob", "environment": "production" }]);
    assert_eq!(status["cannot_read_yet"], waiting);
    let listed = sandbox.quick(&["members", "list"]);
    assert!(listed.ends_with(&format!("{line}\n")), "{listed}");
    let waiting = |places: &Value| {
        let listed = json(&["members", "list", "--json"]);
        let bob = &listed["members"][1];
        assert_eq!(
            (&bob["member"], &bob["cannot_read_yet"]),
            (&json!("bob"), places)
        );
    };
    waiting(&json!(["production"]));
    sandbox.quick(&["members", "sync", "--yes"]);
    sandbox.vault(&["status"]).says(CLEAN).check();
    waiting(&json!([]));
}

/// Made on a branch that was not merged, or not pushed.
#[test]
fn newer_credential_is_not_called_outdated() {
    let sandbox = sandbox();
    sandbox.credential("github", &["-e", "production"]);
    let key = authority(&sandbox);
    craft::resign_member(&sandbox, "github", &key, |github| {
        github.credential = Some(Tag::random());
    });
    let newer = "the credential of github knows a revocation that is not in this checkout\n";
    let run = sandbox.vault(&["status"]).fails(1).prints(newer);
    run.says(str![[r#"
every member's key is post-quantum: development, production
error: 1 item needs attention
hint: merge the branch on which these credentials were made
"#]])
        .check();
    let outcome = sandbox.vault(&["status", "--json"]).outcome();
    let found: Value = serde_json::from_slice(&outcome.output).unwrap();
    assert_eq!(found["newer_credentials"], json!(["github"]));
    assert_eq!(found["outdated_credentials"], json!([]));
}

#[test]
fn rotated_golden_vault_has_every_kind_of_item() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1-rotated");
    let sandbox = Sandbox::empty();
    let (vault, id) = (
        golden.display().to_string(),
        "vault16aaxplqm0dnk59y08upg6lgyxqkhm775py2gwst0q8cyee0xkncqyksz8f",
    );
    let run = sandbox
        .vault(&["status", "--json", "--vault", &vault])
        .variable("VAULT_KEY_FILE", &format!("{vault}/identities/alice.txt"))
        .variable("VAULT_ID", id);
    let outcome = run.outcome();
    assert_eq!(outcome.status, 1, "{}", outcome.said);
    let found: Value = serde_json::from_slice(&outcome.output).unwrap();
    let known = found["exposed"].as_array().unwrap();
    let of = |member: &str| {
        let own = known.iter().filter(|known| known["member"] == *member);
        own.map(|known| known["name"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    // NEW was set after the last rotation, and GONE was removed.
    let all = [
        "BACK",
        "BINARY",
        "EMPTY",
        "LENGTH_31",
        "LENGTH_32",
        "LINES",
        "LONG",
        "QUOTES",
        "SPACES",
        "THREE",
        "UNICODE",
        "ZEROS",
        "lower_case",
    ];
    assert_eq!(of("ci-production"), all);
    assert_eq!(of("ci-both"), all);
    // Keys that bob no longer has.
    let own = ["DATABASE_URL", "EMPTY", "FROM_BOB", "GREETING", "LINES"];
    assert_eq!(of("bob-until-1"), own);
    assert_eq!(known.len(), 2 * all.len() + own.len());
    assert_eq!(
        found["old_epoch"],
        json!([{ "environment": "production", "names": ["SPACES", "UNICODE"] }])
    );
    let outdated = json!(["ci-both", "ci-late", "ci-limited"]);
    assert_eq!(found["outdated_credentials"], outdated);
    let waiting = json!([{ "member": "newcomer", "environment": "production" }]);
    assert_eq!(found["cannot_read_yet"], waiting);
    assert_eq!(found["requests"], json!(["dora"]));
    assert_eq!(found["admins"], json!(["alice", "recovery"]));
}

#[test]
fn status_without_a_key_lists_skipped_checks() {
    let sandbox = sandbox();
    let key = authority(&sandbox);
    let nobody = |name: &str| sandbox.root().join(name).display().to_string();
    let unknown = "warning: consistent, but not trusted: its id has not been confirmed\n";
    // A key would not reveal anything more.
    let run = sandbox
        .vault(&["status"])
        .variable("HOME", &nobody("nobody"));
    run.says(format!("{unknown}{CLEAN}")).check();
    resign_root(&sandbox, &key, |root| {
        root.revision += 1;
        let lost = repovault::vault::model::Lost {
            epoch: 1,
            names: None,
        };
        let former = repovault::vault::model::Former {
            recipient: None,
            signer: None,
            lost: [("production".parse().unwrap(), lost)].into(),
        };
        root.former.insert("bob".parse().unwrap(), former);
    });
    let known = "bob could read KEY in production, and the value has not changed\n";
    let hint = "error: 1 item needs attention\nhint: replace each value at its source, then set it: `vault set NAME -e ENVIRONMENT`\n";
    let strong = "every member's key is post-quantum: development, production\n";
    let copies = "warning: not checked: values were not compared with each other, because no key was found\n";
    let run = sandbox
        .vault(&["status"])
        .variable("HOME", &nobody("nobody"))
        .fails(1);
    run.prints(known)
        .says(format!("{unknown}{copies}{strong}{hint}"))
        .check();
    // A key of someone else.
    let other = Sandbox::with_vault();
    let run = sandbox
        .vault(&["status"])
        .variable("HOME", other.home().to_str().unwrap());
    let stranger = "your key (age1[..]) belongs to no member of this vault";
    run.variable("VAULT_ID", &sandbox.id())
        .fails(1)
        .prints(known)
        .says(format!(
            "{copies}warning: not checked: {stranger}\n{strong}{hint}"
        ))
        .check();
}

#[test]
fn invalid_vault_is_refused_by_status() {
    let sandbox = sandbox();
    fs::write(sandbox.store("root.toml"), "format = 1\n").unwrap();
    sandbox
        .vault(&["status"])
        .fails(4)
        .says(str![[r#"
error: .vault/root.toml: is not in the form vault writes
hint: [..]
"#]])
        .check();
    let run = sandbox
        .vault(&["status"])
        .variable("VAULT_KEY", "damaged")
        .fails(3);
    run.says(str![[r#"
error: VAULT_KEY does not contain a valid key
hint: [..]
"#]])
        .check();
}
