//! Adding members without a request, additions killed at any moment, and the list of who may do what.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use repovault::crypto::Tag;
use repovault::vault::format::{fingerprint, write_request};
use repovault::vault::model::Request;
use snapbox::str;

use crate::support::craft;
use crate::support::machine::all_is_wanted;
use crate::support::membership::{SMALL_ORDER, add_with, asked};
use crate::support::refusal::stocked;

#[test]
fn member_without_a_request_gets_only_read_access() {
    let sandbox = stocked();
    let carol = craft::Person::new();
    let recipient = carol.identity.recipient().to_string();
    let key = carol.key_file(&sandbox);
    let add = |access: &'static str| {
        sandbox.vault(&[
            "members",
            "add",
            "carol",
            "--recipient",
            &recipient,
            "-e",
            access,
        ])
    };
    let said = str![[r#"
error: carol has no signing key, so cannot write
hint: to write, they must join with a signing key: `vault join --name NAME`
"#]];
    add("production=write").fails(2).says(&said).check();
    add("production=read")
        .says(str![[r#"
added carol: production=read
next: commit .vault
"#]])
        .any_change()
        .check();
    let run = |arguments: &[&str]| {
        sandbox
            .vault(arguments)
            .variable("VAULT_KEY_FILE", key.to_str().unwrap())
            .variable("VAULT_ID", &sandbox.id())
            .variable("HOME", "/nowhere")
    };
    run(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .check();
    let said = str![[r#"
error: carol may not write in production
hint: ask an admin for write access
"#]];
    run(&["set", "OTHER", "-e", "production"])
        .input("x")
        .fails(3)
        .says(&said)
        .check();
    let said = str![[r#"
error: carol is not an admin of this vault
hint: ask an admin: alice
"#]];
    let recipient = craft::Person::new().identity.recipient().to_string();
    let add = [
        "members",
        "add",
        "dave",
        "--recipient",
        &recipient,
        "-e",
        "production=read",
    ];
    run(&add).fails(3).says(&said).check();
    run(&["ci", "add", "machine", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
    run(&["environments", "add", "staging", "--access", "carol=read"])
        .fails(3)
        .says(&said)
        .check();
}

#[test]
fn used_or_malformed_recipient_is_refused() {
    let (sandbox, _) = asked();
    let own = craft::identity(&sandbox).recipient().to_string();
    let stranger = craft::Person::new().identity.recipient().to_string();
    let add = |name: &str, recipient: &str| {
        sandbox.vault(&[
            "members",
            "add",
            name,
            "--recipient",
            recipient,
            "-e",
            "production=read",
        ])
    };
    let said = str![[r#"
error: the name alice has been used; names are never reused
hint: choose another name
"#]];
    add("alice", &stranger).fails(2).says(&said).check();
    let said = str![[r#"
error: this recipient is already a member: alice
hint: change their access: `vault members set alice -e ENV=…`
"#]];
    add("second", &own).fails(2).says(&said).check();
    let said = str![[r#"
error: not a recipient
hint: it is one word, age1…; print it with `vault key show`
hint: or the line of an SSH key: `--recipient "ssh-ed25519 AAAA…"`
"#]];
    // The second is a point of small order: anyone could open a value encrypted to it.
    for wrong in ["age1hunter2", SMALL_ORDER] {
        add("carol", wrong).fails(2).says(&said).check();
    }
    for more in [&["--admin"][..], &["--fingerprint", "x"]] {
        let add = [
            "members",
            "add",
            "carol",
            "--recipient",
            &stranger,
            "-e",
            "production=read",
        ];
        let outcome = sandbox.vault(&[&add[..], more].concat()).outcome();
        assert_eq!(outcome.status, 2, "{}", outcome.said);
    }
    add("carol", &stranger)
        .says(str![[r#"
added carol: production=read
next: commit .vault
"#]])
        .any_change()
        .check();
    let said = str![[r#"
error: the name carol has been used; names are never reused
hint: choose another name
"#]];
    add("carol", &stranger).fails(2).says(&said).check();
}

/// Kills an addition at a random moment, thirty-five times, and repeats it.
#[test]
fn killed_addition_leaves_a_working_vault_and_can_be_repeated() {
    let sandbox = stocked();
    let vault = craft::vault(&sandbox).root().vault;
    let (mut span, mut killed) = (Duration::ZERO, 0_u32);
    let times = if all_is_wanted() { 35 } else { 14 };
    for number in 0..times {
        let (person, name) = (craft::Person::new(), format!("person-{number}"));
        let member = person.member();
        let (recipient, signing) = (member.recipient, member.signing.unwrap());
        let request = Request {
            name: name.parse().unwrap(),
            vault,
            recipient,
            signing,
        };
        fs::create_dir_all(sandbox.store("requests")).unwrap();
        let path = sandbox.store(&format!("requests/{name}.toml"));
        fs::write(&path, write_request(&request, &person.key)).unwrap();
        let told = fingerprint(&request).to_string();
        let access = ["-e", "development=OTHER", "-e", "production=read"];
        let add = [
            &["members", "add", &name, "--fingerprint", &told],
            &access[..],
        ]
        .concat();
        let started = Instant::now();
        let mut child = sandbox.vault(&add).command().spawn().unwrap();
        if number % 7 == 0 {
            assert!(child.wait().unwrap().success());
            span = started.elapsed();
        } else {
            // The moment itself is under test, so no event can be awaited.
            thread::sleep(span * (number * 18 % 35) / 35);
            child.kill().unwrap();
            killed += u32::from(child.wait().unwrap().code().is_none());
        }
        assert_eq!(sandbox.get("production", "OTHER"), b"other");
        let verified = String::from_utf8(sandbox.vault(&["verify"]).outcome().output).unwrap();
        for finding in verified.lines().filter(|line| line.starts_with("  ")) {
            let known = ["already a member with this key", "wants to join"];
            assert!(
                known.iter().any(|known| finding.contains(known)),
                "{verified}"
            );
        }
        if path.exists() {
            let again = sandbox.vault(&add).outcome();
            assert_eq!(again.status, 0, "{}", again.said);
        }
        let holds = str![[r#"
[..]RESULT
development  1 [..]ok
production   2 [..]ok
"#]];
        sandbox.vault(&["verify"]).prints(&holds).check();
        let key = person.key_file(&sandbox);
        sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .variable("VAULT_KEY_FILE", key.to_str().unwrap())
            .variable("VAULT_ID", &sandbox.id())
            .variable("HOME", "/nowhere")
            .prints("other")
            .check();
    }
    assert!(killed > 0, "none was killed in time");
}

#[test]
fn members_and_access_are_listed_without_a_key() {
    let (sandbox, fingerprint) = asked();
    sandbox.quick(&add_with(&fingerprint));
    sandbox.quick(&[
        "ci",
        "add",
        "github",
        "-e",
        "production",
        "--only",
        "OTHER,DATABASE_URL",
    ]);
    let list = ["members", "list"];
    let output = str![[r#"
MEMBER  ROLE     ACCESS                              RECIPIENT
alice   admin    development=write production=write  [RECIPIENT]
bob     member   development=write production=read   [RECIPIENT]
github  machine  production=DATABASE_URL,OTHER       [RECIPIENT]
"#]];
    let warned = str!["warning: consistent, but not trusted: its id has not been confirmed"];
    sandbox.vault(&list).prints(&output).check();
    sandbox
        .vault(&list)
        .without("HOME")
        .prints(&output)
        .says(&warned)
        .check();
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.quick(&["members", "list", "--json"])).unwrap();
    let [alice, bob, github] = &json["members"].as_array().unwrap()[..] else {
        panic!("{json}")
    };
    assert_eq!(
        (&alice["member"], &alice["admin"]),
        (&"alice".into(), &true.into())
    );
    let access = serde_json::json!({"development": "write", "production": "read"});
    assert_eq!((&bob["access"], &bob["admin"]), (&access, &false.into()));
    assert_eq!(bob["credential"], serde_json::Value::Null);
    assert_eq!(bob["signer"].as_str().unwrap().len(), 43);
    let access = serde_json::json!({"production": ["DATABASE_URL", "OTHER"]});
    assert_eq!(
        (&github["access"], &github["credential"]),
        (&access, &Tag::NONE.to_string().into())
    );
    assert_eq!(github["signer"], serde_json::Value::Null);
    let keys: Vec<&String> = github.as_object().unwrap().keys().collect();
    let known = [
        "access",
        "admin",
        "cannot_read_yet",
        "credential",
        "member",
        "recipient",
        "signer",
    ];
    assert_eq!(keys, known);
}
