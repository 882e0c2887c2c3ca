//! Credentials that a command of the admin's wraps, so that no platform has to keep one.

use std::fs;
use std::process::Command;

use serde_json::Value;
use snapbox::str;

use crate::support::machine::has;
use crate::support::sandbox::{Run, Sandbox, changed};

/// A key of the real `age`, outside of the repository, and its recipient.
struct Wrapping {
    key: String,
    recipient: String,
}

fn wrapping(sandbox: &Sandbox) -> Option<Wrapping> {
    if !has("age", "age") || !has("age-keygen", "age") {
        return None;
    }
    let key = sandbox.root().join("wrapping.txt").display().to_string();
    let output = Command::new("age-keygen").args(["-o", &key]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    let recipient = said.trim().strip_prefix("Public key: ").unwrap().to_owned();
    Some(Wrapping { key, recipient })
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("production", "KEY", b"value of production");
    fs::create_dir(sandbox.root().join("nobody")).unwrap();
    sandbox
}

fn adding<'a>(sandbox: &'a Sandbox, wrap: &str) -> Run<'a> {
    sandbox.vault(&["ci", "add", "machine", "-e", "production", "--wrap", wrap])
}

/// A run as the machine: without a key file, a record of trust, or any other variable.
fn as_machine<'a>(sandbox: &'a Sandbox, command: &str, words: &[&str]) -> Run<'a> {
    let home = sandbox.root().join("nobody");
    sandbox
        .vault(words)
        .variable("HOME", home.to_str().unwrap())
        .variable("VAULT_KEY_COMMAND", command)
}

#[test]
fn credential_wrapped_with_age_unlocks() {
    let sandbox = sandbox();
    let Some(wrapping) = wrapping(&sandbox) else {
        return;
    };
    let outcome = adding(&sandbox, &format!("age -a -r {}", wrapping.recipient)).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    let said = "machine can read every secret in production\n\
                commit .vault, and this with it if you like: only the command that undoes the\n\
                wrapping makes it a credential again; name that in VAULT_KEY_COMMAND:\n";
    assert_eq!(outcome.said, said);
    let wrapped = String::from_utf8(outcome.output).unwrap();
    assert!(wrapped.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    assert!(wrapped.ends_with("-----END AGE ENCRYPTED FILE-----\n"));
    fs::write(sandbox.repo().join("machine.age"), wrapped).unwrap();
    let command = format!("age -d -i '{}' machine.age", wrapping.key);
    as_machine(&sandbox, &command, &["get", "KEY"])
        .prints("value of production")
        .check();
    let words = [
        "exec",
        "--no-mask",
        "--only",
        "KEY",
        "--",
        "printenv",
        "KEY",
    ];
    as_machine(&sandbox, &command, &words)
        .prints("value of production\n")
        .check();
    // With another key it stays closed.
    let other = sandbox.root().join("other.txt").display().to_string();
    let made = Command::new("age-keygen").args(["-o", &other]).output();
    assert!(made.unwrap().status.success());
    let command = format!("age -d -i {other} machine.age");
    as_machine(&sandbox, &command, &words)
        .fails(121)
        .says(str![[r#"
age: error: no identity matched any of the recipients
age: report unexpected or unhelpful errors at https://filippo.io/age/report
error: VAULT_KEY_COMMAND failed (exit status: 1)
hint: run it by hand; it must print the key alone on standard output
"#]])
        .check();
}

#[test]
fn wrapping_adds_only_the_members_file() {
    let sandbox = sandbox();
    let Some(wrapping) = wrapping(&sandbox) else {
        return;
    };
    let command = format!("age -a -r {}", wrapping.recipient);
    let before = sandbox.files();
    let outcome = adding(&sandbox, &command).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    let added = changed(&before, &sandbox.files());
    assert_eq!(added, ["repo/.vault/members/machine.toml"]);
    let words = ["ci", "add", "other", "-e", "production", "--json", "--wrap"];
    let words: Vec<&str> = words.into_iter().chain([command.as_str()]).collect();
    let document: Value = serde_json::from_str(&sandbox.quick(&words)).unwrap();
    assert_eq!(document.get("credential"), None);
    fs::write(
        sandbox.repo().join("other.age"),
        document["wrapped"].as_str().unwrap(),
    )
    .unwrap();
    let command = format!("age -d -i '{}' other.age", wrapping.key);
    as_machine(&sandbox, &command, &["get", "KEY"])
        .prints("value of production")
        .check();
}

#[test]
fn credential_is_on_standard_input_only() {
    let sandbox = sandbox();
    let Some(wrapping) = wrapping(&sandbox) else {
        return;
    };
    let admin = fs::read_to_string(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let spied = sandbox.root().join("spied").display().to_string();
    let spy = format!(
        "sh -c 'cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline >\"{spied}\"; exec age -r {}'",
        wrapping.recipient
    );
    let outcome = adding(&sandbox, &spy)
        .variable("VAULT_KEY", admin.lines().last().unwrap())
        .variable("OTHER", "is passed on")
        .outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    // It is binary, and arrives as it is.
    fs::write(sandbox.repo().join("machine.age"), outcome.output).unwrap();
    let opened = Command::new("age")
        .current_dir(sandbox.repo())
        .args(["-d", "-i", &wrapping.key, "machine.age"])
        .output()
        .unwrap();
    let credential = String::from_utf8(opened.stdout).unwrap();
    assert!(credential.starts_with("vaultci1_") && credential.ends_with('\n'));
    let seen = String::from_utf8_lossy(&fs::read(&spied).unwrap()).into_owned();
    assert!(seen.contains("OTHER=is passed on"), "{seen}");
    for secret in ["vaultci1_", "AGE-SECRET-KEY", "VAULT_KEY"] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

#[test]
fn failed_wrapping_changes_nothing() {
    let sandbox = sandbox();
    for (command, said) in [
        (
            "false",
            str![[r#"
error: the command of `--wrap` failed (exit status: 1)
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "true",
            str![[r#"
error: the command of `--wrap` printed nothing
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "sh -c 'cat >/dev/null; echo'",
            str![[r#"
error: the command of `--wrap` printed nothing
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "no-such-program",
            str![[r#"
error: the command of `--wrap` could not be started: No such file or directory (os error 2)
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "sh -c 'echo access denied >&2; exit 3'",
            str![[r#"
access denied
error: the command of `--wrap` failed (exit status: 3)
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "sh -c 'kill -9 $$'",
            str![[r#"
error: the command of `--wrap` failed (signal: 9 (SIGKILL))
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "head -c 100000 /dev/zero",
            str![[r#"
error: the command of `--wrap` printed too much
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "cat | false",
            str![[r#"
error: the command of `--wrap` failed (exit status: 1)
hint: nothing was changed; it must read one line, and print what unwraps to it
"#]],
        ),
        (
            "cat '",
            str!["error: --wrap ends within quotes, or after a backslash"],
        ),
        ("", str!["error: --wrap names no program"]),
    ] {
        adding(&sandbox, command).fails(2).says(said).check();
    }
}

#[test]
fn printed_credential_is_refused() {
    let sandbox = sandbox();
    let key = "import base64,sys; t = sys.stdin.read().strip(); k = t.split('_', 1)[1]; \
               b = base64.urlsafe_b64decode(k + '=' * (-len(k) % 4)); ";
    for command in [
        "cat",
        "cat | cat",
        "tee /dev/stderr",
        "sh -c 'cat >&2; echo wrapped'",
        "sh -c 'cat >&2; exit 1'",
        "sed 's/^/wrapped: /'",
        "cut -c 10-",
        "cut -c 10-70",
        "head -c 90",
        "base64",
        "base64 -w 19",
        "od -An -v -tx1",
        "fold -w 30",
        "rev",
        &format!("python3 -c \"{key} print(b.hex())\""),
        &format!("python3 -c \"{key} print(base64.b64encode(b).decode())\""),
        &format!("python3 -c \"{key} print(base64.b64encode(t.encode()).decode())\""),
    ] {
        let before = sandbox.files();
        let outcome = adding(&sandbox, command).outcome();
        assert_eq!(outcome.status, 2, "{command}: {}", outcome.said);
        assert_eq!(outcome.output, b"", "{command}");
        assert_eq!(
            outcome.said,
            "error: the command of `--wrap` printed the credential itself\n\
             hint: nothing was changed; the command must encrypt what it reads, and print that\n",
            "{command}"
        );
        assert!(before == sandbox.files(), "{command}");
    }
}
