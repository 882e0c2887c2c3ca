//! The everyday workflow: init, set, get, list, exec, ci, remove, copy.

use snapbox::str;

use crate::support::sandbox::Sandbox;

#[test]
fn short_help_is_printed_without_arguments() {
    let outcome = Sandbox::empty().vault::<&str>(&[]).outcome();
    let text = String::from_utf8(outcome.output).unwrap();
    for command in ["vault init", "vault set", "vault exec -- ", "vault ci add"] {
        assert!(text.contains(command), "{text}");
    }
    assert_eq!((outcome.status, outcome.said.as_str()), (0, ""));
}

#[test]
fn init_creates_a_vault_and_a_key() {
    Sandbox::empty()
        .vault(&["init", "--name", "alice"])
        .says(str![[r#"
made your key: [..]/home/.config/vault/identity.txt (back it up; it is not in the repository)
created a vault in [..]/repo; you are its admin alice
its id, to send to your colleagues: [ID]
next: `git add vault.toml .vault`, then `vault set NAME`
"#]])
        .changes(&[])
        .any_change()
        .check();
}

#[test]
fn setting_a_value_writes_only_its_entry() {
    let sandbox = Sandbox::with_vault();
    sandbox
        .vault(&["set", "DJANGO_SECRET_KEY"])
        .input("s3cret value\n")
        .says(str![[r#"
dropped the newline at the end of DJANGO_SECRET_KEY
set DJANGO_SECRET_KEY in development (revision 1)
"#]])
        .changes(&["repo/.vault/development/DJANGO_SECRET_KEY.toml"])
        .check();
    sandbox
        .vault(&["get", "DJANGO_SECRET_KEY"])
        .prints("s3cret value")
        .check();
    sandbox
        .vault(&["set", "DJANGO_SECRET_KEY"])
        .input("s3cret value")
        .says(str![
            "unchanged: DJANGO_SECRET_KEY in development already has this value"
        ])
        .check();
    sandbox
        .vault(&[
            "exec",
            "--no-mask",
            "--",
            "sh",
            "-c",
            "printf %s \"$DJANGO_SECRET_KEY\"",
        ])
        .prints("s3cret value")
        .check();
}

#[test]
fn variable_with_a_missing_secret_is_an_error() {
    let sandbox = Sandbox::with_vault();
    let config = "default = \"development\"\n[environments.development.variables]\n\
                  URL = \"db://${DB_PASSWORD}@db\"\n";
    std::fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    sandbox
        .vault(&["exec", "--no-mask", "--", "true"])
        .fails(123)
        .says(str![[r#"
error: URL refers to DB_PASSWORD, which is not in development
hint: set it: `vault set DB_PASSWORD -e development`
"#]])
        .check();
    // The variable is not meant for a machine that cannot read the secret.
    sandbox.set("development", "OTHER", b"value");
    let credential = sandbox.credential("ci", &["-e", "development", "--only", "OTHER"]);
    sandbox
        .vault(&[
            "exec",
            "--no-mask",
            "--",
            "sh",
            "-c",
            "echo ${URL-none} $OTHER",
        ])
        .variable("VAULT_KEY", &credential)
        .prints("none value\n")
        .check();
}

#[test]
fn init_keeps_an_existing_vault_toml() {
    let sandbox = Sandbox::empty();
    let config = sandbox.repo().join("vault.toml");
    std::fs::write(&config, "# ours\ndefault = \"staging\"\n").unwrap();
    let outcome = sandbox
        .vault(&["init", "--name", "alice", "-e", "staging"])
        .outcome();
    assert!(
        outcome.said.contains("kept the existing vault.toml\n"),
        "{}",
        outcome.said
    );
    assert_eq!(
        std::fs::read_to_string(config).unwrap(),
        "# ours\ndefault = \"staging\"\n"
    );
}
