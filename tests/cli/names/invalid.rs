//! Names that are invalid, reserved, or change the execution of a command.

use std::fs;

use snapbox::str;

use crate::support::refusal::{Command, stocked};
use crate::support::sandbox::Sandbox;

/// Checks that each of `commands`, with the name in place of `@`, is a usage error with exactly
/// this message.
#[track_caller]
fn wrong(sandbox: &Sandbox, commands: &[Command], name: &str, said: &str) {
    for command in commands {
        let words = command.iter().map(|word| word.replace('@', name));
        let status = if command[0] == "exec" { 125 } else { 2 };
        let run = sandbox.vault(&words.collect::<Vec<_>>()).input("value");
        run.fails(status).says(said).check();
    }
}

#[test]
fn invalid_secret_name_is_refused_and_not_shown() {
    let rule =
        "hint: a name is letters, digits and _, does not start with a digit, at most 200 bytes\n";
    let sandbox = stocked();
    let commands: &[Command] = &[
        &["get", "@"],
        &["set", "@"],
        &["set", "@", "--generate"],
        &["remove", "@"],
        &["copy", "@", "--from", "production", "--to", "development"],
        &["exec", "--only", "@", "--", "touch", "started"],
        &["exec", "--keep", "@", "--", "touch", "started"],
        &["ci", "add", "github", "-e", "production", "--only", "@"],
    ];
    let illegal = format!("error: not the name of a secret\n{rule}");
    for name in [
        "1A", "A-B", "A B", "\u{e4}", "A\n", "A\x1b[2J", "../x", "a/b", "A.toml", "${A}",
    ] {
        wrong(&sandbox, commands, name, &illegal);
    }
    wrong(
        &sandbox,
        commands,
        "",
        &format!("error: the name of a secret is empty\n{rule}"),
    );
    let long = format!("error: the name of a secret has 10240 bytes\n{rule}");
    wrong(&sandbox, commands, &"A".repeat(10 << 10), &long);
    let long = format!("error: the name of a secret has 201 bytes\n{rule}");
    wrong(&sandbox, commands, &"A".repeat(201), &long);
    for name in ["CON", "con", "NUL", "Aux", "prn", "COM1", "lpt9"] {
        let device = format!("error: {name} is a device on Windows, where it cannot be a file\n");
        wrong(&sandbox, commands, name, &device);
    }
}

#[test]
fn name_of_200_bytes_works() {
    let sandbox = Sandbox::with_vault();
    let name = "A".repeat(200);
    sandbox.set("development", &name, b"value");
    assert_eq!(sandbox.get("development", &name), b"value");
}

#[test]
fn invalid_environment_or_member_is_refused_and_not_shown() {
    let rule =
        "hint: it is lower-case letters, digits and -, starts with a letter, at most 63 bytes\n";
    let sandbox = stocked();
    let environments: &[Command] = &[
        &["get", "OTHER", "--environment=@"],
        &["set", "OTHER", "--environment=@"],
        &["list", "--environment=@"],
        &["exec", "--environment=@", "--", "touch", "started"],
        &["environments", "add", "--", "@"],
        &["environments", "remove", "--yes", "--", "@"],
        &["copy", "OTHER", "--from=@", "--to=development"],
        &["copy", "OTHER", "--from=production", "--to=@"],
        &["ci", "add", "github", "--environment=@"],
        &["init", "--environment=@"],
    ];
    let members: &[Command] = &[
        &["init", "--name=@"],
        &["ci", "add", "-e", "production", "--", "@"],
    ];
    let long = "a".repeat(64);
    let illegal = [
        "", "../x", ".", "..", "a/b", "a_b", "A", "1", "-a", "a.b", "\u{e4}", "a\x1b", &long,
    ];
    for name in illegal {
        let said = |what: &str| format!("error: not the name of {what}\n{rule}");
        wrong(&sandbox, environments, name, &said("an environment"));
        wrong(&sandbox, members, name, &said("a member"));
    }
    for name in ["members", "requests", "tmp"] {
        let said =
            |what: &str| format!("error: {name} cannot be the name of {what}: it is reserved\n");
        wrong(&sandbox, environments, name, &said("an environment"));
        wrong(&sandbox, members, name, &said("a member"));
    }
    sandbox
        .vault(&["get", "OTHER"])
        .variable("VAULT_ENVIRONMENT", "../production")
        .fails(2)
        .says(str![[r#"
error: VAULT_ENVIRONMENT: not the name of an environment
[..]
"#]])
        .check();
}

/// Such names are not accepted in `vault.toml` either, where a value may have been pasted by
/// mistake.
#[test]
fn invalid_name_in_vault_toml_is_refused_and_not_shown() {
    let texts = [
        (
            "[environments.\"hunter2 \\u001b[2J\"]\n",
            "environments: not the name of an environment",
        ),
        (
            "default = \"../hunter2\"\n",
            "default: not the name of an environment",
        ),
        (
            "[steps.\"hunter2!\"]\nnames = []\n",
            "steps: not the name of a step",
        ),
        (
            "[steps.a]\nnames = [\"hunter2!\"]\n",
            "steps.a: not the name of a secret",
        ),
        (
            "[secrets.\"hunter2!\"]\n",
            "secrets: not the name of a secret",
        ),
        (
            "[environments.a.variables]\n\"hunter2!\" = \"x\"\n",
            "environments.a: not the name of a secret",
        ),
        (
            "allowed_names = [\"hunter2!\"]\n",
            "allowed_names: not the name of a secret",
        ),
        ("hunter2 = 1\n", "unknown key at line 1, column 1"),
        ("hunter2\n", "not understood at line 1, column [..]"),
    ];
    let sandbox = stocked();
    for (text, reason) in texts {
        fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
        for (command, status) in [
            (&["list"][..], 2),
            (&["exec", "--", "touch", "started"], 125),
        ] {
            let outcome = sandbox.vault(command).outcome();
            let first = outcome.said.lines().next().unwrap().to_owned();
            let pattern = format!("error: vault.toml: {reason}");
            assert!(
                crate::support::sandbox::is_like(&pattern, &first),
                "{}",
                outcome.said
            );
            assert!(!outcome.said.contains("hunter2"), "{}", outcome.said);
            assert_eq!((outcome.status, outcome.output.len()), (status, 0));
        }
    }
}
