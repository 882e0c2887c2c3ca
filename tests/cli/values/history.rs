//! The life of secrets and environments: counted, copied, listed, removed.

use std::fs;

use serde_json::{Value, json};
use snapbox::data::Inline;
use snapbox::str;

use crate::support::sandbox::Sandbox;

#[test]
fn revisions_count_changes_and_continue_after_a_removal() {
    let sandbox = Sandbox::with_vault();
    let file = "repo/.vault/development/KEY.toml";
    let old = "old values stay in git history: replace them at their source\n";
    let steps: [(&[&str], &str, String); 6] = [
        (
            &["set", "KEY"],
            "a",
            "set KEY in development (revision 1)\n".into(),
        ),
        (
            &["set", "KEY"],
            "b",
            "changed KEY in development (revision 2)\n".into(),
        ),
        (
            &["remove", "KEY"],
            "",
            format!("removed KEY from development (revision 3)\n{old}"),
        ),
        (
            &["set", "KEY"],
            "b",
            "set KEY in development (revision 4)\n".into(),
        ),
        (
            &["remove", "KEY"],
            "",
            format!("removed KEY from development (revision 5)\n{old}"),
        ),
        (
            &["set", "KEY"],
            "c",
            "set KEY in development (revision 6)\n".into(),
        ),
    ];
    for (arguments, input, said) in steps {
        let run = sandbox.vault(arguments).input(input);
        run.says(&said).changes(&[file]).check();
    }
    let said = str!["unchanged: KEY in development already has this value"];
    sandbox
        .vault(&["set", "KEY"])
        .input("c")
        .says(&said)
        .check();
}

#[test]
fn removed_secret_is_missing_for_every_command() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    sandbox.set("development", "KEPT", b"value");
    sandbox.quick(&["remove", "KEY"]);
    let tombstone = fs::read_to_string(sandbox.store("development/KEY.toml")).unwrap();
    assert!(tombstone.contains("removed = true\n") && !tombstone.contains("sealed"));
    let absent = str![[r#"
error: there is no KEY in development
hint: set it: `vault set KEY -e development`
"#]];
    for arguments in [
        &["get", "KEY"][..],
        &["remove", "KEY"],
        &["remove", "KEPT", "KEY"],
        &["copy", "KEY", "--from", "development", "--to", "production"],
        &[
            "copy",
            "KEPT",
            "KEY",
            "--from",
            "development",
            "--to",
            "production",
        ],
    ] {
        sandbox.vault(arguments).fails(2).says(&absent).check();
    }
    let arguments = ["exec", "--no-mask", "--only", "KEY", "--", "true"];
    let removed = str![[r#"
error: KEY was removed from development
hint: to set it again: `vault set KEY -e development`
"#]];
    sandbox.vault(&arguments).fails(123).says(&removed).check();
    let run = sandbox.vault(&[
        "exec",
        "--no-mask",
        "--",
        "sh",
        "-c",
        "echo ${KEY-none} $KEPT",
    ]);
    run.prints("none value\n").check();
    let listed = sandbox.quick(&["list"]);
    assert!(
        listed.contains("KEPT") && !listed.contains("KEY "),
        "{listed}"
    );
}

#[test]
fn copies_are_independent_and_made_all_or_none() {
    let sandbox = Sandbox::with_vault();
    for name in ["A", "B"] {
        sandbox.set("development", name, name.as_bytes());
    }
    sandbox.set("production", "B", b"other");
    sandbox
        .vault(&[
            "copy",
            "A",
            "B",
            "--from",
            "development",
            "--to",
            "production",
        ])
        .says(str![[r#"
copied A from development to production (revision 1)
copied B from development to production (revision 2)
"#]])
        .changes(&[
            "repo/.vault/production/A.toml",
            "repo/.vault/production/B.toml",
        ])
        .check();
    sandbox
        .vault(&["get", "B", "-e", "production"])
        .prints("B")
        .check();
    let said = str!["unchanged: A in production already has this value"];
    sandbox
        .vault(&["copy", "A", "--from", "development", "--to", "production"])
        .says(&said)
        .check();
    sandbox
        .vault(&["copy", "A", "--from", "production", "--to", "production"])
        .fails(2)
        .says(str!["error: `--from` and `--to` are both production"])
        .check();
    sandbox
        .vault(&["copy", "A", "--from", "development", "--to", "staging"])
        .fails(2)
        .says(str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: `vault environments add staging`
"#]])
        .check();
}

#[test]
fn list_shows_authors_and_times_without_a_key() {
    let sandbox = Sandbox::with_vault();
    sandbox
        .vault(&["list"])
        .says(str!["no secrets yet; set one: `vault set NAME`"])
        .check();
    sandbox
        .vault(&["list", "--json"])
        .prints(str![[r#"{"secrets":[],"version":1}"#]])
        .check();
    sandbox.set("development", "KEY", b"value");
    sandbox.set("production", "KEY", b"value");
    sandbox.set("production", "KEY", b"other");
    let warning = "warning: consistent, but not trusted: its id has not been confirmed\n";
    let other = sandbox.root().join("nobody");
    let run = sandbox.vault(&["list", "--json", "-e", "production", "-e", "development"]);
    let outcome = run.variable("HOME", other.to_str().unwrap()).outcome();
    assert_eq!((outcome.status, outcome.said.as_str()), (0, warning));
    let mut document: Value = serde_json::from_slice(&outcome.output).unwrap();
    let rows = &mut document["secrets"];
    for row in rows.as_array_mut().unwrap() {
        let changed = row.as_object_mut().unwrap().remove("changed").unwrap();
        let shape: String = changed
            .as_str()
            .unwrap()
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(shape, "0000-00-00T00:00:00Z");
    }
    let row = |environment: &str, revision: u64| {
        json!({ "environment": environment, "name": "KEY", "revision": revision, "author": "alice",
                "signer": "alice", "epoch": 1, "origin": 1 })
    };
    assert_eq!(*rows, json!([row("production", 2), row("development", 1)]));
    sandbox
        .vault(&["list", "-e", "production"])
        .prints(str![[r#"
NAME  REVISION  AUTHOR  CHANGED               EPOCH
KEY   2         alice   [TIME]  1
"#]])
        .check();
}

#[test]
fn environments_are_added_listed_and_removed() {
    let sandbox = Sandbox::with_vault();
    sandbox.credential("github", &["-e", "production"]);
    sandbox
        .vault(&[
            "environments",
            "add",
            "staging",
            "--access",
            "alice=write",
            "--access",
            "github=read",
        ])
        .says(str![
            "added the environment staging with access for alice (write), github (read)"
        ])
        .changes(&[
            &state(&sandbox),
            "repo/.vault/members/alice.toml",
            "repo/.vault/members/github.toml",
            "repo/.vault/root.toml",
        ])
        .check();
    sandbox.set("staging", "KEY", b"value");
    let listed: Value =
        serde_json::from_str(&sandbox.quick(&["environments", "list", "--json"])).unwrap();
    let row = |name: &str, default: bool, secrets: u64, members: Value| {
        json!({ "environment": name, "default": default, "secrets": secrets, "epoch": 1,
                "members": members })
    };
    assert_eq!(
        listed["environments"],
        json!([
            row("development", true, 0, json!({ "alice": "write" })),
            row(
                "production",
                false,
                0,
                json!({ "alice": "write", "github": "read" })
            ),
            row(
                "staging",
                false,
                1,
                json!({ "alice": "write", "github": "read" })
            ),
        ])
    );
    let said = str!["removed the environment staging; its files remain in git history"];
    sandbox
        .vault(&["environments", "remove", "staging", "--yes"])
        .says(&said)
        .changes(&[
            &state(&sandbox),
            "repo/.vault/members/alice.toml",
            "repo/.vault/members/github.toml",
            "repo/.vault/root.toml",
            "repo/.vault/staging/KEY.toml",
        ])
        .check();
    assert!(!sandbox.store("staging").exists());
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

/// The one file in the state folder, relative to the sandbox.
fn state(sandbox: &Sandbox) -> String {
    let folder = ".local/state/vault";
    let mut files = fs::read_dir(sandbox.home().join(folder)).unwrap();
    let name = files
        .next()
        .unwrap()
        .unwrap()
        .file_name()
        .into_string()
        .unwrap();
    format!("home/{folder}/{name}")
}

#[test]
fn removing_an_environment_keeps_other_comments() {
    let sandbox = Sandbox::with_vault();
    let config = sandbox.repo().join("vault.toml");
    let before = "# top\ndefault = \"development\" # the usual one\n\n# plain\n[environments.development.variables]\nDEBUG = '1'   # loud\n";
    let gone = "\n[environments.production]\nconfirm = true\n\n[environments.production.variables]\nDEBUG = \"0\"\n";
    let after = "\n# what one step sees\n[steps.migrate]\nnames = [ \"A\",\"B\" ] # two\n";
    fs::write(&config, format!("{before}{gone}{after}")).unwrap();
    let theirs = sandbox.repo().join("vault.toml.new");
    fs::write(&theirs, "a draft of mine").unwrap();
    sandbox.quick(&["environments", "remove", "production", "--yes"]);
    assert_eq!(
        fs::read_to_string(&config).unwrap(),
        format!("{before}{after}")
    );
    assert_eq!(fs::read_to_string(theirs).unwrap(), "a draft of mine");
}

#[test]
fn invalid_environment_change_has_no_effect() {
    let sandbox = Sandbox::with_vault();
    let cases: [(&[&str], Inline); 8] = [
        (
            &["add", "production"],
            str!["error: the environment production already exists"],
        ),
        (
            &["add", "members"],
            str!["error: members cannot be the name of an environment: it is reserved"],
        ),
        (
            &["add", "../x"],
            str![[r#"
error: not the name of an environment
hint: it is lower-case letters, digits and -, starts with a letter, at most 63 bytes
"#]],
        ),
        (
            &["add", "Staging"],
            str![[r#"
error: not the name of an environment
hint: it is lower-case letters, digits and -, starts with a letter, at most 63 bytes
"#]],
        ),
        (
            &["add", "staging", "--access", "alice=read"],
            str![[r#"
error: no one could write in staging
hint: give one member write access: `--access alice=write`
"#]],
        ),
        (
            &["add", "staging", "--access", "bob=read"],
            str![[r#"
error: bob is not a member
hint: list the members: `vault members list`
"#]],
        ),
        (
            &["add", "staging", "--access", "alice"],
            str!["error: write it as MEMBER=write or MEMBER=read"],
        ),
        (
            &["remove", "development", "--yes"],
            str![[r#"
error: development is the default environment
hint: change `default` in vault.toml first
"#]],
        ),
    ];
    for (arguments, said) in cases {
        let arguments: Vec<&str> = ["environments"].iter().chain(arguments).copied().collect();
        sandbox.vault(&arguments).fails(2).says(&said).check();
    }
    let said = str![[r#"
error: cannot ask for confirmation without a terminal: remove the environment production with its 0 entries
hint: to confirm, pass `--yes`
"#]];
    sandbox
        .vault(&["environments", "remove", "production"])
        .fails(4)
        .says(&said)
        .check();
}

#[test]
fn name_differing_only_in_case_is_refused() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "API_KEY", b"value");
    let said = str![[r#"
error: api_KEY differs from API_KEY in case only
hint: use the name API_KEY
"#]];
    sandbox
        .vault(&["set", "api_KEY"])
        .input("other")
        .fails(2)
        .says(&said)
        .check();
    sandbox.quick(&["remove", "API_KEY"]);
    sandbox
        .vault(&["set", "api_KEY"])
        .input("other")
        .fails(2)
        .says(&said)
        .check();
    sandbox.set("development", "API_KEY", b"value");
    // Another environment has different names.
    sandbox.set("production", "api_KEY", b"value");
    let arguments = [
        "copy",
        "API_KEY",
        "--from",
        "development",
        "--to",
        "production",
    ];
    let said = str![[r#"
error: API_KEY differs from api_KEY in case only
hint: [..]
"#]];
    sandbox.vault(&arguments).fails(2).says(&said).check();
    let said = str![[r#"
error: TWIN_A differs from Twin_A in case only
hint: use the name Twin_A
"#]];
    sandbox
        .vault(&["set", "Twin_A", "TWIN_A", "--generate"])
        .fails(2)
        .says(&said)
        .check();
}
