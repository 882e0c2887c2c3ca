//! Documents for scripts: each has a schema in docs/schemas.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::colleague::Colleague;
use crate::support::membership::{with_bob, with_classic};
use crate::support::python::python;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/support/schemas.py");

/// Documents with the names of their schemas.
#[derive(Default)]
struct Documents(Vec<(&'static str, String)>);

impl Documents {
    /// Runs `vault` with these words and takes what it prints.
    fn run(&mut self, schema: &'static str, sandbox: &Sandbox, words: &str) -> Value {
        let arguments: Vec<&str> = words.split(' ').collect();
        self.take(schema, &sandbox.vault(&arguments))
    }

    /// Takes the document of a run: from standard error if it is an error.
    fn take(&mut self, schema: &'static str, run: &Run<'_>) -> Value {
        let outcome = run.outcome();
        let output = match schema {
            "error" => outcome.said.lines().last().unwrap().to_owned(),
            _ => String::from_utf8(outcome.output)
                .unwrap()
                .trim_end()
                .to_owned(),
        };
        let parsed = serde_json::from_str(&output);
        let document = parsed.unwrap_or_else(|_| panic!("{schema}: {output}\n{}", outcome.said));
        self.0.push((schema, output));
        document
    }

    /// Every document is as its schema says, and every schema was used.
    fn check(self) {
        let mut checker = Command::new(python())
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = checker.stdin.take().unwrap();
        for (schema, document) in self.0 {
            writeln!(input, "{schema} {document}").unwrap();
        }
        drop(input);
        let output = checker.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && errors.is_empty(), "{errors}");
    }
}

#[test]
fn every_document_follows_its_schema() {
    let mut documents = Documents::default();
    let (first, second) = (Sandbox::empty(), Sandbox::empty());
    documents.run("init", &first, "init --name alice --json");
    documents.run("init", &second, "init --name alice --recovery --json");
    documents.run("list", &first, "list --json");
    documents.run("status", &first, "status --json");
    documents.run("verify", &first, "verify --json");

    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["development=write", "production=read"]);
    sandbox.set("production", "BINARY", b"\xff\xfe");
    documents.run("get", &sandbox, "get BINARY -e production --json");
    documents.run("get", &sandbox, "get OTHER -e production --json");
    documents.run("list", &sandbox, "list -e production --json");
    let added = documents.run(
        "ci-add",
        &sandbox,
        "ci add github -e production --only OTHER --json",
    );
    let toml = "default = \"development\"\n[steps.deploy]\nnames = [\"OTHER\", \"BINARY\"]\n";
    fs::write(sandbox.repo().join("vault.toml"), toml).unwrap();
    documents.run("members-sync", &sandbox, "members sync --json");
    documents.run("environments-list", &sandbox, "environments list --json");
    documents.run("members-list", &sandbox, "members list --json");
    documents.run("id", &sandbox, "id --json");
    documents.run("key-show", &sandbox, "key show --json");
    let key_show = sandbox.vault(&["key", "show", "--json"]);
    let credential = added["credential"].as_str().unwrap();
    documents.take("key-show", &key_show.variable("VAULT_KEY", credential));
    let carol = Colleague::clone_of(&sandbox, "carol");
    documents.take("join", &carol.vault(&["join", "--name", "carol", "--json"]));
    let dora = with_classic(&sandbox, "dora", &["development=read"]);
    documents.take("key-upgrade", &dora.vault(&["key", "upgrade", "--json"]));
    documents.run("verify", &sandbox, "verify --since HEAD --json");
    documents.run("doctor", &sandbox, "doctor --json");
    documents.run(
        "members-change",
        &sandbox,
        "members set bob -e production=none --json",
    );
    documents.run(
        "members-change",
        &sandbox,
        "members set bob -e production=none --json",
    );
    documents.run("members-change", &sandbox, "members remove bob --json");
    fs::write(sandbox.store("production/OTHER.toml"), "x").unwrap();
    documents.run("status", &sandbox, "status --json");
    documents.run("verify", &sandbox, "verify --json");
    documents.take("error", &bob.vault(&["get", "MISSING", "--json"]));
    documents.run("error", &sandbox, "get OTHER -e production --json");
    documents.run("error", &sandbox, "status --json");
    documents.check();
}

#[test]
fn value_is_text_or_base64() {
    let sandbox = Sandbox::with_vault();
    let get = |value: &[u8]| -> Value {
        sandbox.set("development", "A", value);
        serde_json::from_str(&sandbox.quick(&["get", "A", "--json"])).unwrap()
    };
    let text = "a\"\\\n\u{1}ä##[b]";
    assert_eq!(
        get(text.as_bytes()),
        json!({ "version": 1, "name": "A", "value": text })
    );
    let binary = json!({ "version": 1, "name": "A", "value_base64": "/wA=" });
    assert_eq!(get(b"\xff\0"), binary);
    assert_eq!(get(b""), json!({ "version": 1, "name": "A", "value": "" }));
}

#[test]
fn errors_are_json_if_json_is_asked_for() {
    let sandbox = stocked();
    let mut documents = Documents::default();
    for (words, kind) in [
        ("get MISSING --json", "usage"),
        (
            "get OTHER -e production --json --key-file missing",
            "locked",
        ),
        ("verify --since missing --format json", "refused"),
        ("verify --since missing --format=json", "refused"),
        ("get --json", "usage"),
        ("get A B --json", "usage"),
        ("get A --json --frobnicate", "usage"),
        ("frobnicate --json", "usage"),
        ("set A --json", "usage"),
        ("list --json --color", "usage"),
    ] {
        let error = documents.run("error", &sandbox, words);
        assert_eq!(error["error"]["kind"], kind, "{words}");
        let outcome = sandbox
            .vault(&words.split(' ').collect::<Vec<_>>())
            .outcome();
        assert_eq!(
            (outcome.said.lines().count(), outcome.output.len()),
            (1, 0),
            "{words}"
        );
    }
    let run = sandbox.vault(&["exec", "--only", "MISSING", "--", "true", "--json"]);
    assert!(run.outcome().said.starts_with("error: there is no MISSING"));
}

/// Commands that print no result of their own, or the bytes of something else.
const WITHOUT: [&str; 21] = [
    "ci",
    "completions",
    "copy",
    "environments",
    "environments add",
    "environments remove",
    "exec",
    "import",
    "key",
    "key import",
    "key move",
    "key protect",
    "key unprotect",
    "man",
    "members",
    "members add",
    "remove",
    "resolve",
    "rotate",
    "set",
    "trust",
];

#[test]
fn every_command_with_a_result_has_json() {
    let folder = crate::support::transcript::snapshots().join("help");
    let mut without = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let command = text.lines().next().unwrap().trim_start_matches("$ vault ");
        let command = command.trim_end_matches("-h").trim();
        if !text.contains("--json") && !command.is_empty() {
            without.push(command.to_owned());
        }
    }
    without.sort();
    assert_eq!(without, WITHOUT);
}
