//! The recipes of docs/guides/keys.md and examples/oidc that no server can run here.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::machine::has;
use crate::support::openbao::example;
use crate::support::pages::page;
use crate::support::python::programs;
use crate::support::sandbox::Sandbox;

/// The commands `aws SERVICE OPERATION` in a script, each with its options.
fn aws_commands(script: &str) -> Vec<(String, String, BTreeSet<String>)> {
    let lines = script.replace("\\\n", " ");
    let commands = lines.lines().filter(|line| !line.starts_with('#'));
    let commands = commands.filter_map(|line| line.trim_start().strip_prefix("aws "));
    commands
        .map(|command| {
            let mut words = command.split_whitespace();
            let mut next = || words.next().unwrap().to_owned();
            let (service, operation) = (next(), next());
            let options = words.filter(|word| word.starts_with("--"));
            (service, operation, options.map(str::to_owned).collect())
        })
        .collect()
}

/// What `aws … help` prints, as words.
fn help(words: &[&str]) -> BTreeSet<String> {
    let path = format!("{}:{}", programs(), std::env::var("PATH").unwrap());
    let output = Command::new("aws")
        .args(words)
        .arg("help")
        .env("PATH", path)
        .env("AWS_PAGER", "cat")
        .env("PAGER", "cat")
        .env("MANPAGER", "cat")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut plain = String::new();
    // Bold letters are printed twice, with a backspace between them.
    for letter in text.chars() {
        if letter == '\u{8}' {
            plain.pop();
        } else {
            plain.push(letter);
        }
    }
    let is_border = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
    plain.split(is_border).map(str::to_owned).collect()
}

#[test]
fn aws_recipe_uses_known_options() {
    if !has("groff", "groff-base") {
        return;
    }
    let mut seen = BTreeSet::new();
    for script in ["wrap-key-aws", "fetch-key-aws"] {
        for (service, operation, options) in aws_commands(&example(script)) {
            let known = help(&[&service, &operation]);
            for option in &options {
                assert!(known.contains(option), "aws {service} {operation} {option}");
            }
            assert!(!known.contains("--no-such-option"));
            seen.insert(format!("{service} {operation} {}", options.len()));
        }
    }
    let expected = [
        "kms decrypt 7",
        "kms encrypt 5",
        "sts assume-role-with-web-identity 9",
    ];
    assert_eq!(seen, expected.map(str::to_owned).into());
}

#[test]
fn key_commands_in_the_docs_are_understood() {
    let sandbox = Sandbox::with_vault();
    let mut count = 0;
    for path in [
        "docs/guides/keys.md",
        "docs/guides/ci.md",
        "examples/oidc/README.md",
    ] {
        let page = page(path);
        for line in page.lines() {
            let line = line.trim_start();
            let command = match line.strip_prefix("export VAULT_KEY_COMMAND=\"") {
                Some(rest) => rest.rsplit_once('"').unwrap().0.replace("\\\"", "\""),
                None => match line.strip_prefix("VAULT_KEY_COMMAND: ") {
                    Some(rest) => rest.to_owned(),
                    None => continue,
                },
            };
            let command = command.replace("\\$", "$");
            let run = sandbox.vault(&["key", "show"]).variable("PATH", "/nowhere");
            let outcome = run.variable("VAULT_KEY_COMMAND", &command).outcome();
            let said = &outcome.said;
            let start = "error: VAULT_KEY_COMMAND could not be started";
            assert!(said.starts_with(start), "{path}: {command}: {said}");
            count += 1;
        }
    }
    assert_eq!(count, 9);
}
