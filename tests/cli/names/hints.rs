//! Hints for a mistyped name or command: first the nearest existing one, then how to create it.

use snapbox::str;

use crate::support::sandbox::Sandbox;

/// A vault with a step, and a machine that can read production.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    let config = sandbox.repo().join("vault.toml");
    std::fs::write(config, "default = \"development\"\n[steps.migrate]\nnames = [\"KEY\"]\n")
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
hint: make it: vault environments add prodction
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
        &["members", "add", "bob", "--recipient", "age1", "-e", "prodction=read"],
        &["members", "set", "alice", "-e", "prodction=read"],
        &["environments", "remove", "prodction", "--yes"],
        &["rotate", "-e", "prodction"],
        &["members", "sync", "--grant", "alice:prodction/KEY"],
    ];
    for command in commands {
        let status = if command[0] == "exec" { 125 } else { 2 };
        sandbox.vault(command).input("A=1").fails(status).says(&said).check();
    }
}

#[test]
fn mistyped_environment_in_a_variable_gets_the_hint() {
    let sandbox = sandbox();
    let said = str![[r#"
error: there is no environment prod; there are: development, production
hint: did you mean production?
hint: make it: vault environments add prod
"#]];
    let run = sandbox.vault(&["get", "KEY"]).variable("VAULT_ENVIRONMENT", "prod");
    run.fails(2).says(&said).check();
    let run = sandbox.vault(&["exec", "--if-locked", "placeholder", "--", "touch", "ran"]);
    let run = run.variable("HOME", "/nonexistent").variable("VAULT_ENVIRONMENT", "prod");
    run.fails(125).says(&said).check();
    let credential = sandbox.credential("bot", &["-e", "production"]);
    let run = sandbox.vault(&["exec", "-e", "prod", "--", "touch", "ran"]);
    run.variable("VAULT_KEY", &credential).fails(125).says(&said).check();
    std::fs::write(sandbox.repo().join("vault.toml"), "default = \"prod\"\n").unwrap();
    sandbox.vault(&["get", "KEY"]).fails(2).says(&said).check();
}

#[test]
fn dissimilar_environment_gets_only_the_adding_hint() {
    let said = str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: vault environments add staging
"#]];
    sandbox().vault(&["get", "KEY", "-e", "staging"]).fails(2).says(&said).check();
}

#[test]
fn mistyped_step_gets_the_nearest_before_adding() {
    let sandbox = sandbox();
    let said = str![[r#"
error: vault.toml has no step migrat
hint: did you mean migrate?
hint: add it to vault.toml: [steps.migrat] names = ["…"]
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
    let said = |name, near| {
        format!(
            "error: there is no member {name}
hint: did you mean {near}?
hint: list the members: `vault members list`
"
        )
    };
    let commands: [(&[&str], &str, &str); 4] = [
        (&["members", "remove", "githb"], "githb", "github"),
        (&["members", "set", "alcie", "-e", "production=read"], "alcie", "alice"),
        (&["members", "sync", "--grant", "githb:production/KEY"], "githb", "github"),
        (&["environments", "add", "staging", "--access", "alic=write"], "alic", "alice"),
    ];
    for (command, name, near) in commands {
        sandbox.vault(command).fails(2).says(said(name, near)).check();
    }
}

#[test]
fn mistyped_command_gets_the_nearest() {
    let sandbox = Sandbox::empty();
    let cases: [(&[&str], &str); 6] = [
        (&["exce", "--", "touch", "hunter2"], "vault exec"),
        (&["--vault", "x", "-q", "Get", "hunter2"], "vault get"),
        (&["envrionments", "list"], "vault environments"),
        (&["stat"], "vault status"),
        (&["member", "hunter2"], "vault members --help"),
        (&["man", "exce"], "exec"),
    ];
    for (words, meant) in cases {
        let outcome = sandbox.vault(words).outcome();
        assert_eq!(outcome.status, 2, "{words:?}: {}", outcome.said);
        let lines: Vec<&str> = outcome.said.lines().collect();
        assert_eq!(lines[0], "error: unknown command");
        assert!(lines[1].starts_with("hint: ") && lines[1].contains(meant), "{}", outcome.said);
        assert_eq!(lines[2], "hint: list all commands: `vault --help`");
        assert!(lines.len() == 3 && !outcome.said.contains("hunter2"), "{}", outcome.said);
    }
    let said = str![[r#"
error: unknown command
hint: list all commands: `vault --help`
"#]];
    sandbox.vault(&["hunter2"]).fails(2).says(&said).check();
    sandbox.vault(&["man", "nothing"]).fails(2).says(&said).check();
    sandbox.vault(&["help", "nothing"]).fails(2).says(&said).check();
    let said = str![[r#"
error: unknown command
hint: did you mean `vault exec`?
hint: [..]
"#]];
    sandbox.vault(&["help", "exce"]).fails(2).says(&said).check();
}

#[test]
fn command_of_another_program_gets_its_equivalent() {
    let sandbox = Sandbox::empty();
    let cases: [(&[&str], &str); 16] = [
        (&["add", "KEY"], "to set a secret: `vault set NAME`"),
        (&["edit"], "to set a secret: `vault set NAME`"),
        (&["show", "KEY"], "to print a secret: `vault get NAME`"),
        (&["cat", "KEY"], "to print a secret: `vault get NAME`"),
        (&["rm", "KEY"], "to remove a secret: `vault remove NAME`"),
        (&["delete", "KEY"], "to remove a secret: `vault remove NAME`"),
        (&["ls"], "to list the secrets: `vault list`"),
        (&["list-secrets"], "to list the secrets: `vault list`"),
        (&["run", "--", "env"], "to run a command with the secrets: `vault exec -- COMMAND`"),
        (&["export"], "to give the secrets to a command: `vault exec -- COMMAND`; [..]"),
        (&["rename", "A", "B"], "to rename a secret: [..]"),
        (&["env", "list"], "did you mean `vault environments`?"),
        (&["login"], "there is no server to log in to: `vault doctor` shows which key is used"),
        (&["kv", "get", "x"], "this is repovault, not the vault of HashiCorp: `vault get NAME`"),
        (&["kv", "put", "x"], "this is repovault, not the vault of HashiCorp: `vault set NAME`"),
        (&["operator", "init"], "this is repovault, not the vault of HashiCorp"),
    ];
    for (words, meant) in cases {
        let said = format!("error: unknown command\nhint: {meant}\nhint: [..]\n");
        sandbox.vault(words).fails(2).says(&said).check();
    }
    let cases = [
        (["members", "rm"], "hint: did you mean `vault members remove`?\n"),
        (["members", "lsit"], "hint: did you mean `vault members list`?\n"),
        (["environments", "create"], "hint: did you mean `vault environments add`?\n"),
        (["key", "sohw"], "hint: did you mean `vault key show`?\n"),
        (["ci", "list"], "hint: a machine is a member: `vault members --help`\n"),
        (["ci", "hunter2"], ""),
    ];
    for (words, hint) in cases {
        let [group, _] = words;
        let said = format!(
            "error: unknown command\n{hint}hint: list its commands: `vault {group} --help`\n"
        );
        sandbox.vault(&words).fails(2).says(&said).check();
    }
}

#[test]
fn value_as_an_option_of_set_is_refused_and_not_shown() {
    let sandbox = sandbox();
    let said = |name: &str| {
        format!(
            "error: a value never comes from the command line, where others can see it
hint: type it at a prompt: vault set {name}
hint: or pipe it: vault set {name} < FILE
"
        )
    };
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
        run.input("hunter2").fails(2).says(said("KEY")).check();
    }
    let unnamed: [&[&str]; 3] =
        [&["--value", "HUNTER2", "KEY"], &["--name", "KEY", "--value", "x"], &["-v", "X", "KEY"]];
    for words in unnamed {
        let run = sandbox.vault(&[&["-q", "set"], words].concat());
        run.fails(2).says(said("NAME")).check();
    }
}

#[test]
fn mistyped_option_of_set_gets_the_nearest() {
    let sandbox = sandbox();
    for (option, near) in [("--generat=hex", "generate"), ("--enviroment", "environment")] {
        let said = format!(
            "error: unknown option
hint: did you mean `--{near}`?
hint: list its options: `vault set --help`
"
        );
        sandbox.vault(&["set", "KEY", option]).fails(2).says(&said).check();
    }
}
