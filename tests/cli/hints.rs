//! What a mistyped name gets: the nearest one that exists, and only then how to make it.

use crate::sandbox::Sandbox;

/// A vault with a step, and a machine that may read production.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    let config = sandbox.repo().join("vault.toml");
    std::fs::write(config, "default = \"development\"\n[steps.migrate]\nnames = [\"KEY\"]\n")
        .unwrap();
    sandbox.set("production", "KEY", b"value");
    sandbox
}

#[test]
fn mistyped_environment_names_the_nearest_before_adding() {
    let sandbox = sandbox();
    let said = "error: there is no environment prodction; there are: development, production
hint: did you mean production?
hint: make it: vault environments add prodction
";
    let commands: [&[&str]; 16] = [
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
    ];
    for command in commands {
        let status = if command[0] == "exec" { 125 } else { 2 };
        sandbox.vault(command).input("A=1").fails(status).says(said).check();
    }
}

#[test]
fn mistyped_environment_of_a_variable_or_default_gets_the_hint() {
    let sandbox = sandbox();
    let said = "error: there is no environment prod; there are: development, production
hint: did you mean production?
hint: make it: vault environments add prod
";
    let run = sandbox.vault(&["get", "KEY"]).variable("VAULT_ENVIRONMENT", "prod");
    run.fails(2).says(said).check();
    let run = sandbox.vault(&["exec", "--if-locked", "placeholder", "--", "touch", "ran"]);
    let run = run.variable("HOME", "/nonexistent").variable("VAULT_ENVIRONMENT", "prod");
    run.fails(125).says(said).check();
    let credential = sandbox.credential("bot", &["-e", "production"]);
    let run = sandbox.vault(&["exec", "-e", "prod", "--", "touch", "ran"]);
    run.variable("VAULT_KEY", &credential).fails(125).says(said).check();
    std::fs::write(sandbox.repo().join("vault.toml"), "default = \"prod\"\n").unwrap();
    sandbox.vault(&["get", "KEY"]).fails(2).says(said).check();
}

#[test]
fn environment_unlike_any_gets_only_the_way_to_add_it() {
    let said = "error: there is no environment staging; there are: development, production
hint: make it: vault environments add staging
";
    sandbox().vault(&["get", "KEY", "-e", "staging"]).fails(2).says(said).check();
}

#[test]
fn mistyped_step_names_the_nearest_before_adding() {
    let sandbox = sandbox();
    let said = "error: vault.toml has no step migrat
hint: did you mean migrate?
hint: add it to vault.toml: [steps.migrat] names = [\"…\"]
";
    let command = ["exec", "--step", "migrat", "--", "touch", "ran"];
    sandbox.vault(&command).fails(125).says(said).check();
    let command = ["ci", "add", "bot", "-e", "production", "--step", "migrat"];
    sandbox.vault(&command).fails(2).says(said).check();
}

#[test]
fn mistyped_member_names_the_nearest() {
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
        sandbox.vault(command).fails(2).says(&said(name, near)).check();
    }
}
