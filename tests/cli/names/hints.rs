//! Hints for a mistyped name or command: first the nearest existing one, then how to create it.

use snapbox::data::Inline;
use snapbox::str;

use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

/// A vault with a step, and a machine that can read production.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    let config = sandbox.repo().join("vault.toml");
    std::fs::write(
        config,
        "default = \"development\"\n[steps.migrate]\nnames = [\"KEY\"]\n",
    )
    .unwrap();
    sandbox.set("production", "KEY", b"value");
    sandbox
}

#[test]
fn mistyped_environment_gets_the_nearest_before_adding() {
    let sandbox = sandbox();
    let said = str![[r#"
error: there is no environment prodction; there are: development, production
hint: did you mean production?
hint: make it: `vault environments add prodction`
"#]];
    let commands: [&[&str]; 17] = [
        &["get", "KEY", "-e", "prodction"],
        &["set", "KEY", "-e", "prodction"],
        &["set", "KEY", "-e", "production", "-e", "prodction"],
        &["set", "KEY", "-e", "prodction", "--generate"],
        &["list", "-e", "prodction"],
        &["remove", "KEY", "-e", "prodction"],
        &["import", "-", "-e", "prodction"],
        &["exec", "-e", "prodction", "--", "touch", "ran"],
        &["copy", "KEY", "--from", "prodction", "--to", "development"],
        &["copy", "KEY", "--from", "production", "--to", "prodction"],
        &["ci", "add", "bot", "-e", "prodction"],
        &["members", "add", "bob", "-e", "prodction=read"],
        &[
            "members",
            "add",
            "bob",
            "--recipient",
            "age1",
            "-e",
            "prodction=read",
        ],
        &["members", "set", "alice", "-e", "prodction=read"],
        &["environments", "remove", "prodction", "--yes"],
        &["rotate", "-e", "prodction"],
        &["members", "sync", "--grant", "alice:prodction/KEY"],
    ];
    for command in commands {
        let status = if command[0] == "exec" { 125 } else { 2 };
        sandbox
            .vault(command)
            .input("A=1")
            .fails(status)
            .says(&said)
            .check();
    }
}

#[test]
fn mistyped_environment_in_a_variable_gets_the_hint() {
    let sandbox = sandbox();
    let said = str![[r#"
error: there is no environment prod; there are: development, production
hint: did you mean production?
hint: make it: `vault environments add prod`
"#]];
    let run = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_ENVIRONMENT", "prod");
    run.fails(2).says(&said).check();
    let run = sandbox.vault(&["exec", "--if-locked", "placeholder", "--", "touch", "ran"]);
    let run = run
        .variable("HOME", "/nonexistent")
        .variable("VAULT_ENVIRONMENT", "prod");
    run.fails(125).says(&said).check();
    let credential = sandbox.credential("bot", &["-e", "production"]);
    let run = sandbox.vault(&["exec", "-e", "prod", "--", "touch", "ran"]);
    run.variable("VAULT_KEY", &credential)
        .fails(125)
        .says(&said)
        .check();
    std::fs::write(sandbox.repo().join("vault.toml"), "default = \"prod\"\n").unwrap();
    sandbox.vault(&["get", "KEY"]).fails(2).says(&said).check();
}

#[test]
fn dissimilar_environment_gets_only_the_adding_hint() {
    let said = str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: `vault environments add staging`
"#]];
    sandbox()
        .vault(&["get", "KEY", "-e", "staging"])
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn mistyped_step_gets_the_nearest_before_adding() {
    let sandbox = sandbox();
    let said = str![[r#"
error: vault.toml has no step migrat
hint: did you mean migrate?
hint: add `[steps.migrat]` to vault.toml, with `names = ["…"]`
"#]];
    let command = ["exec", "--step", "migrat", "--", "touch", "ran"];
    sandbox.vault(&command).fails(125).says(&said).check();
    let command = ["ci", "add", "bot", "-e", "production", "--step", "migrat"];
    sandbox.vault(&command).fails(2).says(&said).check();
}

#[test]
fn mistyped_member_gets_the_nearest() {
    let sandbox = sandbox();
    sandbox.credential("github", &["-e", "production"]);
    let commands: [(&[&str], Inline); 4] = [
        (
            &["members", "remove", "githb"],
            str![[r#"
error: githb is not a member
hint: did you mean github?
hint: list the members: `vault members list`
"#]],
        ),
        (
            &["members", "set", "alcie", "-e", "production=read"],
            str![[r#"
error: alcie is not a member
hint: did you mean alice?
hint: list the members: `vault members list`
"#]],
        ),
        (
            &["members", "sync", "--grant", "githb:production/KEY"],
            str![[r#"
error: githb is not a member
hint: did you mean github?
hint: list the members: `vault members list`
"#]],
        ),
        (
            &["environments", "add", "staging", "--access", "alic=write"],
            str![[r#"
error: alic is not a member
hint: did you mean alice?
hint: list the members: `vault members list`
"#]],
        ),
    ];
    for (command, said) in commands {
        sandbox.vault(command).fails(2).says(said).check();
    }
}

#[test]
fn mistyped_command_gets_the_nearest() {
    let sandbox = Sandbox::empty();
    let cases: [(&[&str], Inline); 6] = [
        (
            &["exce", "--", "touch", "hunter2"],
            str![[r#"
error: unknown command
hint: did you mean `vault exec`?
hint: list all commands: `vault --help`
"#]],
        ),
        (
            &["--vault", "x", "-q", "Get", "hunter2"],
            str![[r#"
error: unknown command
hint: did you mean `vault get`?
hint: list all commands: `vault --help`
"#]],
        ),
        (
            &["envrionments", "list"],
            str![[r#"
error: unknown command
hint: did you mean `vault environments`?
hint: list all commands: `vault --help`
"#]],
        ),
        (
            &["stat"],
            str![[r#"
error: unknown command
hint: did you mean `vault status`?
hint: list all commands: `vault --help`
"#]],
        ),
        (
            &["member", "hunter2"],
            str![[r#"
error: unknown command
hint: to change who has access: `vault members --help`
hint: list all commands: `vault --help`
"#]],
        ),
        (
            &["man", "exce"],
            str![[r#"
error: unknown command
hint: did you mean exec?
hint: list all commands: `vault --help`
"#]],
        ),
    ];
    for (words, said) in cases {
        sandbox.vault(words).fails(2).says(said).check();
    }
    let said = str![[r#"
error: unknown command
hint: list all commands: `vault --help`
"#]];
    sandbox.vault(&["hunter2"]).fails(2).says(&said).check();
    sandbox
        .vault(&["man", "nothing"])
        .fails(2)
        .says(&said)
        .check();
    sandbox
        .vault(&["help", "nothing"])
        .fails(2)
        .says(&said)
        .check();
    let said = str![[r#"
error: unknown command
hint: did you mean `vault exec`?
hint: [..]
"#]];
    sandbox
        .vault(&["help", "exce"])
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn command_of_another_program_gets_its_equivalent() {
    let sandbox = Sandbox::empty();
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "add KEY",
        "edit",
        "show KEY",
        "cat KEY",
        "rm KEY",
        "delete KEY",
        "ls",
        "list-secrets",
        "run -- env",
        "export",
        "rename A B",
        "env list",
        "login",
        "kv get x",
        "kv put x",
        "operator init",
        "members rm",
        "members lsit",
        "environments create",
        "key sohw",
        "ci list",
        "ci hunter2",
    ] {
        transcript.run(words);
    }
    transcript.check("errors/other-programs");
}

#[test]
fn value_as_an_option_of_set_is_refused_and_not_shown() {
    let sandbox = sandbox();
    let said = str![[r#"
error: a value never comes from the command line, where others can see it
hint: type it at a prompt: `vault set KEY`
hint: or pipe it: `vault set KEY < FILE`
"#]];
    let named: [&[&str]; 12] = [
        &["--value", "hunter2"],
        &["--value=hunter2"],
        &["-v", "hunter2"],
        &["-vhunter2"],
        &["--password", "hunter2"],
        &["--from-literal=hunter2"],
        &["-e", "production", "--secret", "hunter2"],
        &["--data-raw", "hunter2"],
        &["--stdin"],
        &["hunter2"],
        &["-"],
        &["--", "hunter2"],
    ];
    for words in named {
        let run = sandbox.vault(&[&["set", "KEY"], words].concat());
        run.input("hunter2").fails(2).says(&said).check();
    }
    let unnamed: [&[&str]; 3] = [
        &["--value", "HUNTER2", "KEY"],
        &["--name", "KEY", "--value", "x"],
        &["-v", "X", "KEY"],
    ];
    for words in unnamed {
        let run = sandbox.vault(&[&["-q", "set"], words].concat());
        run.fails(2)
            .says(str![[r#"
error: a value never comes from the command line, where others can see it
hint: type it at a prompt: `vault set NAME`
hint: or pipe it: `vault set NAME < FILE`
"#]])
            .check();
    }
}

#[test]
fn mistyped_option_of_set_gets_the_nearest() {
    let sandbox = sandbox();
    for (option, said) in [
        (
            "--generat=hex",
            str![[r#"
error: unknown option
hint: did you mean `--generate`?
hint: list its options: `vault set --help`
"#]],
        ),
        (
            "--enviroment",
            str![[r#"
error: unknown option
hint: did you mean `--environment`?
hint: list its options: `vault set --help`
"#]],
        ),
    ] {
        sandbox
            .vault(&["set", "KEY", option])
            .fails(2)
            .says(said)
            .check();
    }
}
