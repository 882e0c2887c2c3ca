//! A removed name that `vault.toml` still lists: messages on both sides show its position.

use std::fs;

use snapbox::str;

use crate::support::sandbox::Sandbox;

/// A vault with the secrets `KEY` and `DB_PASSWORD`, and this text after its `default`.
fn sandbox(config: &str) -> Sandbox {
    let sandbox = Sandbox::with_vault();
    let text = format!("default = \"development\"\n{config}");
    fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
    for name in ["KEY", "DB_PASSWORD"] {
        sandbox.set("development", name, b"vQ7xZp2mK9rTwLb8");
    }
    sandbox
}

const STEP: &str = "[steps.migrate]\nnames = [\"DB_PASSWORD\", \"KEY\"]\n";
const VARIABLE: &str = "[environments.development.variables]\nURL = \"db://${KEY}@db\"\n";

/// Checks that `exec` with these options starts nothing and prints this.
#[track_caller]
fn incomplete(sandbox: &Sandbox, options: &[&str], said: &str) {
    let words = [&["exec"], options, &["--", "touch", "ran"]].concat();
    let said = format!("error: {said}\nhint: to set it again: `vault set KEY -e development`\n");
    sandbox.vault(&words).fails(123).says(&said).check();
}

#[test]
fn step_listing_a_removed_name_is_reported() {
    let sandbox = sandbox(STEP);
    sandbox.quick(&["remove", "KEY", "-q"]);
    let said = "step migrate still lists KEY, which was removed from development
hint: remove KEY from [steps.migrate] in vault.toml";
    incomplete(&sandbox, &["--step", "migrate"], said);
    incomplete(
        &sandbox,
        &["--only", "KEY"],
        "KEY was removed from development",
    );
    // The result without a key is the same.
    let said = format!("error: {said}\nhint: [..]\n");
    let words = [
        "exec",
        "--if-locked",
        "placeholder",
        "--step",
        "migrate",
        "--",
        "touch",
        "ran",
    ];
    let run = sandbox.vault(&words).variable("HOME", "/nonexistent");
    run.fails(123).says(&said).check();
    // A name that never existed gets the usual message.
    let config = sandbox.repo().join("vault.toml");
    fs::write(
        config,
        "default = \"development\"\n[steps.migrate]\nnames = [\"OTHER\"]\n",
    )
    .unwrap();
    let said = str![[r#"
error: there is no OTHER in development
hint: set it: [..]
"#]];
    sandbox
        .vault(&["exec", "--step", "migrate", "--", "true"])
        .fails(123)
        .says(&said)
        .check();
}

#[test]
fn variable_with_a_removed_name_is_reported() {
    let sandbox = sandbox(&format!("{VARIABLE}[steps.web]\nnames = [\"URL\"]\n"));
    sandbox.quick(&["remove", "KEY", "-q"]);
    let said = "URL still refers to KEY, which was removed from development
hint: change the variable URL in vault.toml";
    incomplete(&sandbox, &[], said);
    incomplete(&sandbox, &["--only", "URL"], said);
    incomplete(&sandbox, &["--step", "web"], &format!("step web: {said}"));
}

#[test]
fn removed_required_name_is_reported() {
    let sandbox = sandbox("[secrets.KEY]\nrequired = true\n");
    sandbox.quick(&["remove", "KEY", "-q"]);
    let said = "vault.toml still requires KEY, which was removed from development
hint: change `required` of [secrets.KEY] in vault.toml";
    incomplete(&sandbox, &[], said);
}

#[test]
fn removing_a_name_lists_its_uses_in_vault_toml() {
    let config = format!("{VARIABLE}{STEP}[secrets.KEY]\nrequired = [\"development\"]\n");
    let sandbox = sandbox(&config);
    let said = str![[r#"
removed KEY from development (revision 2)
vault.toml still names KEY: [steps.migrate], the variable URL, [secrets.KEY] as required
old values stay in git history: [..]
"#]];
    sandbox
        .vault(&["remove", "KEY"])
        .any_change()
        .says(&said)
        .check();
}

#[test]
fn variable_in_place_of_a_secret_is_explained() {
    let config = "[environments.development.variables]\nA = \"a\"\nB = \"${A}\"\n";
    let said = str![[r#"
error: B refers to A, which is a variable
hint: a variable can refer to [..]
"#]];
    sandbox(config)
        .vault(&["exec", "--", "touch", "ran"])
        .fails(123)
        .says(&said)
        .check();
}

#[test]
fn parent_environment_cannot_be_removed() {
    let config = "[environments.base.variables]\nA = \"a\"\n\n[environments.production]\ninherits = \"base\"\n";
    let sandbox = sandbox(config);
    sandbox.quick(&["environments", "add", "base", "-q"]);
    let said = str![[r#"
error: production inherits from base in vault.toml
hint: change `inherits` of [environments.production] first
"#]];
    let run = sandbox.vault(&["environments", "remove", "base", "--yes"]);
    run.fails(2).says(&said).check();
}
