//! `vault exec`: the input of the command, its end, and the cases in which it does not start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use snapbox::data::Inline;
use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

const CONFIG: &str = "default = \"development\"

[environments.base.variables]
DEBUG = \"0\"
REGION = \"eu\"

[environments.development]
inherits = \"base\"

[environments.development.variables]
DEBUG = \"1\"
PRICE = \"$$5 ${TOKEN}\"
DATABASE_URL = \"postgres://shop:${DB_PASSWORD|url}@db/shop\"

[secrets.TOKEN]
required = [\"production\"]

[steps.migrate]
names = [\"DATABASE_URL\", \"DEBUG\"]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    fs::write(sandbox.repo().join("vault.toml"), CONFIG).unwrap();
    sandbox.set("development", "TOKEN", b"t0ken");
    sandbox.set("development", "DB_PASSWORD", "p@ss/wörd".as_bytes());
    sandbox
}

/// Runs `exec` with these options on a command that prints the relevant variables in order.
fn variables<'a>(sandbox: &'a Sandbox, options: &[&str]) -> Run<'a> {
    let script = "env | grep -E '^(TOKEN|DB_|DATABASE|DEBUG|PRICE|REGION|OWN)' | LC_ALL=C sort";
    let words = [&["exec", "--no-mask"], options, &["--", "sh", "-c", script]].concat();
    sandbox.vault(&words)
}

const URL: &str = "DATABASE_URL=postgres://shop:p%40ss%2Fw%C3%B6rd@db/shop\n";

#[test]
fn secrets_and_filled_variables_are_injected() {
    let sandbox = sandbox();
    let all =
        format!("{URL}DB_PASSWORD=p@ss/wörd\nDEBUG=1\nPRICE=$5 t0ken\nREGION=eu\nTOKEN=t0ken\n");
    variables(&sandbox, &[]).prints(all).check();
    // A variable pulls in the secrets it refers to without injecting them.
    variables(&sandbox, &["--only", "PRICE,REGION"])
        .prints("PRICE=$5 t0ken\nREGION=eu\n")
        .check();
    variables(&sandbox, &["--step", "migrate"])
        .prints(format!("{URL}DEBUG=1\n"))
        .check();
}

#[test]
fn missing_secret_stops_the_command() {
    let sandbox = sandbox();
    sandbox.quick(&["remove", "DB_PASSWORD"]);
    let cases: [(&[&str], i32, Inline); 7] = [
        (
            &["--only", "TOKE"],
            123,
            str![[r#"
error: there is no TOKE in development
hint: did you mean TOKEN?
"#]],
        ),
        (
            &["--only", "TOKEN,OTHER"],
            123,
            str![[r#"
error: there is no OTHER in development
hint: set it: `vault set OTHER -e development`
"#]],
        ),
        (
            &["--only", "DATABASE_URL"],
            123,
            str![[r#"
error: DATABASE_URL still refers to DB_PASSWORD, which was removed from [..]
hint: [..]
hint: [..]
"#]],
        ),
        (
            &["--step", "migrate"],
            123,
            str![[r#"
error: step migrate: DATABASE_URL still refers to DB_PASSWORD[..]
hint: [..]
hint: [..]
"#]],
        ),
        (
            &["--step", "migrat"],
            125,
            str![[r#"
error: vault.toml has no step migrat
hint: did you mean migrate?
hint: add `[steps.migrat]` to vault.toml, with `names = ["…"]`
"#]],
        ),
        (
            &["--step", "deploy"],
            125,
            str![[r#"
error: vault.toml has no step deploy
hint: add `[steps.deploy]` to vault.toml, with `names = ["…"]`
"#]],
        ),
        (
            &["-e", "production"],
            123,
            str![[r#"
error: there is no TOKEN in production
hint: set it: `vault set TOKEN -e production`
"#]],
        ),
    ];
    for (options, status, said) in cases {
        let words = [&["exec", "--no-mask"], options, &["--", "touch", "ran"]].concat();
        sandbox.vault(&words).fails(status).says(said).check();
    }
}

#[test]
fn unneeded_missing_secret_is_ignored() {
    let sandbox = sandbox();
    sandbox.quick(&["remove", "DB_PASSWORD"]);
    let words = [
        "exec",
        "--no-mask",
        "-e",
        "production",
        "--only",
        "KEY",
        "--",
        "printenv",
        "KEY",
    ];
    sandbox.set("production", "KEY", b"value");
    sandbox.vault(&words).prints("value\n").check();
    let limited = sandbox.credential("limited", &["-e", "production", "--only", "KEY"]);
    let words = [
        "exec",
        "--no-mask",
        "-e",
        "production",
        "--",
        "printenv",
        "KEY",
    ];
    sandbox
        .vault(&words)
        .variable("VAULT_KEY", &limited)
        .prints("value\n")
        .check();
}

#[test]
fn limited_credential_opens_only_its_names() {
    let sandbox = sandbox();
    let limited = sandbox.credential("limited", &["-e", "development", "--only", "TOKEN"]);
    let run = |options: &[&str]| variables(&sandbox, options).variable("VAULT_KEY", &limited);
    run(&[])
        .prints("DEBUG=1\nPRICE=$5 t0ken\nREGION=eu\nTOKEN=t0ken\n")
        .check();
    let said = str![[r#"
error: DB_PASSWORD in development is not sealed to you
hint: ask an admin for access to this name
"#]];
    for options in [&["--only", "DB_PASSWORD"][..], &["--step", "migrate"]] {
        run(options).fails(121).says(&said).check();
    }
}

#[test]
fn vault_replaces_the_callers_variables_except_kept_ones() {
    let sandbox = sandbox();
    let mine = |options: &[&str]| {
        variables(&sandbox, options)
            .variable("TOKEN", "mine")
            .variable("OWN", "own")
    };
    let said = str!["vault: overrides the caller's own values of TOKEN (`--keep`)"];
    mine(&["--only", "TOKEN"])
        .says(&said)
        .prints("OWN=own\nTOKEN=t0ken\n")
        .check();
    mine(&["--only", "TOKEN", "-q"])
        .prints("OWN=own\nTOKEN=t0ken\n")
        .check();
    mine(&["--only", "TOKEN", "--keep", "TOKEN"])
        .prints("OWN=own\nTOKEN=mine\n")
        .check();
    // A kept name without a value of the caller comes from the vault.
    let keep = ["--only", "DEBUG", "--keep", "DEBUG,NOTHING"];
    variables(&sandbox, &keep).prints("DEBUG=1\n").check();
    let words = [
        "exec",
        "--no-mask",
        "--clean-env",
        "--only",
        "TOKEN",
        "--keep",
        "OWN",
        "--",
        "env",
    ];
    let outcome = sandbox
        .vault(&words)
        .variable("OWN", "own")
        .variable("OTHER", "x")
        .outcome();
    let text = String::from_utf8(outcome.output).unwrap();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    names.sort_unstable();
    assert_eq!(
        (outcome.status, names),
        (0, vec!["HOME", "OWN", "PATH", "TOKEN"])
    );
}

#[test]
fn command_must_come_after_two_dashes() {
    let sandbox = sandbox();
    let cases: [(&[&str], Inline); 5] = [
        (
            &["exec"],
            str![[r#"
error: no command was given
hint: name it after `--`: `vault exec -- python manage.py migrate`
"#]],
        ),
        (
            &["exec", "--no-mask", "--"],
            str![[r#"
error: no command was given
hint: name it after `--`: `vault exec -- python manage.py migrate`
"#]],
        ),
        (
            &["exec", "-e", "production", "touch", "ran"],
            str![[r#"
error: the command must come after `--`
hint: type `vault exec -e production -- touch …`
"#]],
        ),
        (
            &["-q", "exec", "touch", "--", "ran"],
            str![[r#"
error: the command must come after `--`
hint: type `vault -q exec -- touch …`
"#]],
        ),
        (
            &["exec", "--dry-run", "touch", "ran"],
            str![[r#"
error: exec has no option --dry-run
hint: [..]
"#]],
        ),
    ];
    for (words, said) in cases {
        sandbox.vault(words).fails(125).says(said).check();
    }
    // After `--`, no option is read by vault.
    let words = [
        "exec",
        "--no-mask",
        "--",
        "echo",
        "--",
        "--help",
        "-e",
        "--no-mask",
    ];
    sandbox
        .vault(&words)
        .prints("-- --help -e --no-mask\n")
        .check();
}

#[test]
fn command_replaces_the_process_of_vault() {
    let sandbox = sandbox();
    let words = [
        "exec",
        "--no-mask",
        "--",
        "sh",
        "-c",
        "echo $$; exec printf '%s|' \"$@\"",
        "sh",
    ];
    let arguments = ["a b", "", "*", "'\"\\", "$TOKEN", "line\nbreak", "ä"];
    let mut child = sandbox
        .vault(&[&words[..], &arguments].concat())
        .command()
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let expected = format!("{pid}\n{}|", arguments.join("|"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let words = ["exec", "--no-mask", "--", "cat"];
    sandbox
        .vault(&words)
        .input(b"\0\xffinput\n")
        .prints(b"\0\xffinput\n")
        .check();
    for (script, status) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("exit 121", 121),
        ("kill -9 $$", 137),
    ] {
        sandbox
            .vault(&["exec", "--no-mask", "--", "sh", "-c", script])
            .fails(status)
            .check();
    }
}

#[test]
fn unstartable_command_exits_with_126_or_127() {
    let sandbox = sandbox();
    let repo = sandbox.repo();
    let files = [
        ("text", "not a program", 0o755),
        ("plain", "#!/bin/sh\n", 0o644),
        ("orphan", "#!/nowhere/sh\n", 0o755),
    ];
    for (name, content, mode) in files {
        fs::write(repo.join(name), content).unwrap();
        fs::set_permissions(repo.join(name), Permissions::from_mode(mode)).unwrap();
    }
    let cases = [
        (
            "./text",
            126,
            str![[r#"
error: ./text: cannot be executed: [..]
hint: [..]
hint: [..]
"#]],
        ),
        (
            "./plain",
            126,
            str![[r#"
error: ./plain: permission denied
hint: [..]
hint: [..]
"#]],
        ),
        (
            "./orphan",
            126,
            str![[r#"
error: ./orphan: cannot be executed: its interpreter [..]
hint: [..]
"#]],
        ),
        (
            "/",
            126,
            str![[r#"
error: /: is a folder
hint: [..]
hint: [..]
"#]],
        ),
        (
            "./missing",
            127,
            str!["error: ./missing: command not found"],
        ),
        (
            "no-such-command",
            127,
            str!["error: no-such-command: command not found"],
        ),
        (
            "",
            127,
            str![[r#"
error: '': the command name is empty
hint: [..]
"#]],
        ),
    ];
    for (command, status, said) in cases {
        let run = sandbox.vault(&["exec", "--no-mask", "--", command]);
        run.fails(status).says(said).check();
    }
}

#[test]
fn dangerous_or_duplicate_names_are_refused() {
    let sandbox = sandbox();
    let config = sandbox.repo().join("vault.toml");
    let exec = ["exec", "--no-mask", "--", "sh", "-c", "echo $PYTHONPATH"];
    let with = |text: &str| fs::write(&config, text).unwrap();
    let python = "[environments.development.variables]\nPYTHONPATH = \"src\"\n";
    let default = "default = \"development\"\n";
    with(&format!("{default}{python}"));
    let said = str![[r#"
error: PYTHONPATH is refused as a name: Python imports or starts what it names
hint: if it is meant, allow it in vault.toml: `allowed_names = ["PYTHONPATH"]`
"#]];
    sandbox.vault(&exec).fails(125).says(&said).check();
    with(&format!(
        "{default}allowed_names = [\"PYTHONPATH\"]\n{python}"
    ));
    sandbox.vault(&exec).prints("src\n").check();
    with(&format!(
        "{default}[environments.development.variables]\nTOKEN = \"plain\"\n"
    ));
    let said = str![[r#"
error: TOKEN is both a secret and a variable of development
hint: remove it from vault.toml, or from the vault: `vault remove NAME`
"#]];
    sandbox.vault(&exec).fails(122).says(&said).check();
    let said = str![[r#"
error: TOKEN is a variable of development in vault.toml
hint: remove it there first; a name is one or the other
"#]];
    sandbox
        .vault(&["set", "TOKEN"])
        .input("other")
        .fails(2)
        .says(&said)
        .check();
    with(&format!(
        "{default}[environments.development.variables]\nBAD = \"$HOME\"\n"
    ));
    let said = str![[r#"
error: vault.toml: the variable BAD has a $ that starts no reference
hint: a secret is ${NAME} or ${NAME|url}; a dollar itself is $$
"#]];
    sandbox.vault(&exec).fails(125).says(&said).check();
}

/// A sandbox with 200 secrets: preparing to mask them takes longer than a command needs to print
/// one.
fn crowded() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    let value = |number| format!("S_{number}=vQ7xZp2mK9rT{number:04}wLb8");
    let values = (0..200).map(value).collect::<Vec<_>>().join("\n");
    let file = sandbox.root().join("values.env");
    fs::write(&file, values).unwrap();
    sandbox.quick(&["import", file.to_str().unwrap()]);
    sandbox
}

#[test]
fn early_output_is_masked() {
    let sandbox = crowded();
    let script = "printf '%s ' \"$S_0\" \"$S_199\" x; printf %s \"$S_100\" >&2";
    let run = sandbox.vault(&["exec", "--", "sh", "-c", script]);
    run.prints("*** *** x ").says("***").check();
    // A command that prints nothing ends without waiting either.
    sandbox
        .vault(&["exec", "--", "sh", "-c", "exit 7"])
        .fails(7)
        .check();
}

#[test]
fn secrets_are_masked_throughout_long_output() {
    let sandbox = crowded();
    let script = "i=0; while [ $i -lt 40 ]; do
        head -c 99991 /dev/zero | tr '\\0' .; printf %s \"$S_7\"; i=$((i+1)); done";
    let all = [&".".repeat(99_991), "***"].concat().repeat(40);
    sandbox
        .vault(&["exec", "--", "sh", "-c", script])
        .prints(all)
        .check();
}
