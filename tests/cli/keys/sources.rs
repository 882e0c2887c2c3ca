//! Keys: every source, their order, and text that is not a key or not the right one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use snapbox::data::Inline;
use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

type Variables<'a> = &'a [(&'a str, &'a str)];

/// A vault with `KEY` in development and, beside HOME, an empty home folder.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    fs::create_dir(sandbox.root().join("nobody")).unwrap();
    sandbox
}

fn identity_file(sandbox: &Sandbox) -> String {
    sandbox
        .home()
        .join(".config/vault/identity.txt")
        .display()
        .to_string()
}

/// The line with the admin's identity.
fn identity(sandbox: &Sandbox) -> String {
    let text = fs::read_to_string(identity_file(sandbox)).unwrap();
    text.lines().last().unwrap().to_owned()
}

/// A new identity that belongs to no member.
fn stranger() -> String {
    identity(&Sandbox::with_vault())
}

/// Like `Sandbox::vault`, run by someone with an empty HOME who trusts the vault.
fn elsewhere<'a>(sandbox: &'a Sandbox, arguments: &[&str]) -> Run<'a> {
    let home = sandbox.root().join("nobody");
    sandbox
        .vault(arguments)
        .variable("HOME", home.to_str().unwrap())
        .variable("VAULT_ID", &sandbox.id())
}

/// Opens the file `path` as descriptor `number` for the next command.
fn opening(number: i32, path: &str) -> [String; 4] {
    ["sh", "-c", &format!("exec \"$@\" {number}<'{path}'"), "sh"].map(str::to_owned)
}

#[test]
fn every_key_source_unlocks() {
    let sandbox = sandbox();
    let (path, key) = (identity_file(&sandbox), identity(&sandbox));
    let get = ["get", "KEY"];
    elsewhere(&sandbox, &["get", "KEY", "--key-file", &path])
        .prints("value")
        .check();
    let run = elsewhere(&sandbox, &["get", "KEY", "--key-file", "-"]);
    run.input(fs::read(&path).unwrap()).prints("value").check();
    for number in [3, 9] {
        let words = opening(number, &path);
        let run = elsewhere(&sandbox, &["get", "KEY", "--key-fd", &number.to_string()]);
        run.under(&words.each_ref().map(String::as_str))
            .prints("value")
            .check();
    }
    elsewhere(&sandbox, &get)
        .variable("VAULT_KEY_FILE", &path)
        .prints("value")
        .check();
    let credential = sandbox.credential("github", &["-e", "development"]);
    for text in [
        &key,
        &credential,
        &format!("{credential}\n"),
        &format!(" {key}\r\n\n"),
    ] {
        elsewhere(&sandbox, &get)
            .variable("VAULT_KEY", text)
            .prints("value")
            .check();
    }
    let command = format!("sh -c \"printf '# mine\\\\n'; tail -n 1 '{path}'\"");
    elsewhere(&sandbox, &get)
        .variable("VAULT_KEY_COMMAND", &command)
        .prints("value")
        .check();
    sandbox.vault(&get).prints("value").check();
}

#[test]
fn key_sources_are_tried_in_order() {
    let sandbox = sandbox();
    let (path, key) = (identity_file(&sandbox), identity(&sandbox));
    let recipient = sandbox.quick(&["key", "show"]);
    let variables = [
        (
            "VAULT_KEY_FILE",
            path.clone(),
            format!("VAULT_KEY_FILE {path}"),
        ),
        ("VAULT_KEY", key, "VAULT_KEY".to_owned()),
        (
            "VAULT_KEY_COMMAND",
            format!("cat '{path}'"),
            "VAULT_KEY_COMMAND".to_owned(),
        ),
    ];
    for first in 0..=variables.len() {
        let mut run = sandbox.vault(&["key", "show"]);
        for (name, value, _) in &variables[first..] {
            run = run.variable(name, value);
        }
        let source = variables.get(first).map_or(&path, |(_, _, source)| source);
        run.prints(&recipient)
            .says(format!("from {source}\n"))
            .check();
    }
    let mut run = sandbox.vault(&["key", "show", "--key-file", &path]);
    for (name, value, _) in &variables {
        run = run.variable(name, value);
    }
    run.prints(&recipient)
        .says(format!("from --key-file {path}\n"))
        .check();
}

/// `get` with these options and variables fails, although another source holds a key.
#[track_caller]
fn fails(options: &[&str], variables: Variables<'_>, said: Inline) {
    let sandbox = sandbox();
    let arguments: Vec<&str> = ["get", "KEY"].iter().chain(options).copied().collect();
    let mut run = sandbox
        .vault(&arguments)
        .variable("VAULT_KEY", &identity(&sandbox));
    for (name, value) in variables {
        run = run.variable(name, value);
    }
    run.fails(3).says(said).check();
}

#[test]
fn failing_named_file_is_an_error() {
    let cases: [(&[&str], Variables<'_>, Inline); 4] = [
        (
            &["--key-file", "/nowhere"],
            &[],
            str![
                "error: could not read the key file /nowhere: No such file or directory (os error 2)"
            ],
        ),
        (
            &["--key-file", "/dev/null"],
            &[],
            str![[r#"
error: the key from --key-file /dev/null is empty
hint: a key is one line: a credential from `vault ci add`, or an age identity
"#]],
        ),
        (
            &["--key-file", "/"],
            &[],
            str!["error: could not read the key file /: Is a directory (os error 21)"],
        ),
        (
            &[],
            &[("VAULT_KEY_FILE", "/nowhere")],
            str![
                "error: could not read the key file /nowhere: No such file or directory (os error 2)"
            ],
        ),
    ];
    for (options, variables, said) in cases {
        fails(options, variables, said);
    }
}

#[test]
fn failing_named_variable_is_an_error() {
    let cases: [(&[&str], Variables<'_>, Inline); 5] = [
        (
            &[],
            &[("VAULT_KEY", "hunter2")],
            str![[r#"
error: VAULT_KEY does not contain a valid key
hint: a key is one line: a credential from `vault ci add`, or an age identity
"#]],
        ),
        (
            &[],
            &[("VAULT_KEY", ""), ("VAULT_KEY_COMMAND", "sh -c 'exit 7'")],
            str![[r#"
error: VAULT_KEY_COMMAND failed (exit status: 7)
hint: run it by hand; it must print the key alone on standard output
"#]],
        ),
        (
            &[],
            &[("VAULT_KEY", ""), ("VAULT_KEY_COMMAND", "echo hunter2")],
            str![[r#"
error: VAULT_KEY_COMMAND does not contain a valid key
hint: a key is one line: a credential from `vault ci add`, or an age identity
"#]],
        ),
        (
            &[],
            &[("VAULT_KEY", ""), ("VAULT_KEY_COMMAND", "true")],
            str![[r#"
error: the key from VAULT_KEY_COMMAND is empty
hint: a key is one line: a credential from `vault ci add`, or an age identity
"#]],
        ),
        (
            &[],
            &[("VAULT_KEY", ""), ("VAULT_KEY_COMMAND", "yes hunter2")],
            str![[r#"
error: VAULT_KEY_COMMAND printed more than a key
hint: run it by hand; it must print the key alone on standard output
"#]],
        ),
    ];
    for (options, variables, said) in cases {
        fails(options, variables, said);
    }
}

#[test]
fn two_named_sources_are_refused() {
    let sandbox = sandbox();
    let path = identity_file(&sandbox);
    let run = sandbox.vault(&["get", "KEY", "--key-fd", "3", "--key-file", &path]);
    let outcome = run.outcome();
    assert_eq!(
        (outcome.status, outcome.output.len()),
        (2, 0),
        "{}",
        outcome.said
    );
}

#[test]
fn key_fd_accepts_only_descriptors_of_the_caller() {
    let sandbox = sandbox();
    let closed = |number: &str, options: &[&str]| {
        let said = format!(
            "error: descriptor {number} is not open\n\
             hint: open it for the command: `vault --key-fd {number} … {number}<key.txt`\n"
        );
        let close = format!("exec {number}<&-; exec \"$@\"");
        let run = |command: &[&str], status| {
            let arguments: Vec<&str> = command.iter().chain(options).copied().collect();
            let arguments = match command {
                ["exec", ..] => [&arguments[..], &["--", "true"]].concat(),
                _ => arguments,
            };
            let run = sandbox.vault(&arguments).under(&["sh", "-c", &close, "sh"]);
            run.fails(status).says(&said).check();
        };
        run(&["get", "KEY"], 2);
        run(&["exec"], 125);
        // If there is something to finish, the store is open before the key is read.
        fs::create_dir_all(sandbox.store("tmp/before")).unwrap();
        run(&["rotate", "--finish"], 2);
        fs::remove_dir_all(sandbox.store("tmp")).unwrap();
    };
    closed("0", &["--key-fd", "0"]);
    for number in 3..8 {
        let number = number.to_string();
        closed(&number, &["--key-fd", &number]);
        let link = sandbox
            .root()
            .join(format!("link-{number}"))
            .display()
            .to_string();
        std::os::unix::fs::symlink(format!("/dev/fd/{number}"), &link).unwrap();
        for path in [
            &format!("/dev/fd/{number}"),
            &format!("/proc/self/fd/{number}"),
            &link,
        ] {
            closed(&number, &["--key-file", path]);
        }
    }
    for (number, said) in [
        (
            "1",
            str![[r#"
error: descriptor 1 is for output, so it cannot hold the key
hint: [..]
"#]],
        ),
        (
            "2",
            str![[r#"
error: descriptor 2 is for output, so it cannot hold the key
hint: [..]
"#]],
        ),
        (
            "-1",
            str![[r#"
error: descriptor -1 is not open
hint: [..]
"#]],
        ),
        (
            "2147483647",
            str![[r#"
error: descriptor 2147483647 is not open
hint: [..]
"#]],
        ),
    ] {
        let run = sandbox.vault(&["get", "KEY", &format!("--key-fd={number}")]);
        run.fails(2).says(said).check();
    }
    // The command's own standard input belongs to the caller.
    let key = identity(&sandbox);
    for option in [["--key-fd", "0"], ["--key-file", "/proc/self/fd/0"]] {
        let run = elsewhere(&sandbox, &["get", "KEY", option[0], option[1]]);
        run.input(&key).prints("value").check();
    }
}

#[test]
fn set_and_import_cannot_read_internal_descriptors() {
    let sandbox = sandbox();
    for number in 3..8 {
        let path = format!("/dev/fd/{number}");
        let close = format!("exec {number}<&-; exec \"$@\"");
        let said = format!("error: could not read {path}: [..] (os error [..])\n");
        for arguments in [&["set", "KEY", "--file", &path][..], &["import", &path]] {
            let run = sandbox.vault(arguments).under(&["sh", "-c", &close, "sh"]);
            run.fails(1).says(&said).check();
        }
    }
}

#[test]
fn key_given_as_a_path_or_name_is_reported() {
    let sandbox = sandbox();
    let said = |place: &str, meant: &str| {
        format!(
            "error: {place} holds a key, not {meant}
hint: put the key into the variable VAULT_KEY, never into an argument
"
        )
    };
    for key in [
        identity(&sandbox),
        sandbox.credential("github", &["-e", "development"]),
    ] {
        for key in [
            key.clone(),
            format!("# a comment\n\"{}\"\n", key.to_lowercase()),
        ] {
            for option in ["--key-file", "--vault"] {
                let run = sandbox.vault(&["get", "KEY", option, &key]);
                run.fails(2).says(said(option, "a path")).check();
            }
            for (name, meant) in [
                ("VAULT_KEY_FILE", "a path"),
                ("VAULT_DIR", "a path"),
                ("VAULT_KEY_COMMAND", "a command"),
                ("VAULT_ID", "the id of a vault"),
                ("VAULT_ENVIRONMENT", "a name"),
            ] {
                let run = sandbox.vault(&["get", "KEY"]).variable(name, &key);
                run.fails(2).says(said(name, meant)).check();
            }
            let run = sandbox.vault(&["init"]).variable("VAULT_DIR", &key);
            run.fails(2).says(said("VAULT_DIR", "a path")).check();
        }
    }
}

#[test]
fn malformed_or_unknown_key_is_locked() {
    let sandbox = sandbox();
    let (key, other) = (identity(&sandbox), stranger());
    let two = format!("{key}\nvaultci1_abc\n");
    let shape = "hint: a key is one line: a credential from `vault ci add`, or an age identity\n";
    let cases = [
        (
            two.as_str(),
            "the key from VAULT_KEY is a credential and another key\n",
            shape,
        ),
        (
            &key[..key.len() - 1],
            "VAULT_KEY does not contain a valid key\n",
            shape,
        ),
        ("age1abc", "VAULT_KEY does not contain a valid key\n", shape),
        (
            "# only a comment",
            "the key from VAULT_KEY is empty\n",
            shape,
        ),
        (
            "vaultci1_",
            "the key from VAULT_KEY is a damaged credential: a part is missing or mistyped\n",
            shape,
        ),
        (
            &other,
            "your key (age1[..]) belongs to no member of this vault\n",
            "hint: use the key you joined with, or ask an admin to add you\n",
        ),
    ];
    for (text, said, hint) in cases {
        let said = format!("error: {said}{hint}");
        let run = elsewhere(&sandbox, &["get", "KEY"]).variable("VAULT_KEY", text);
        run.fails(3).says(&said).check();
        let arguments = ["exec", "--no-mask", "--", "touch", "ran"];
        let run = elsewhere(&sandbox, &arguments).variable("VAULT_KEY", text);
        run.fails(121).says(&said).check();
    }
}

#[test]
fn empty_vault_key_counts_as_absent() {
    let sandbox = sandbox();
    for text in ["", "\n", "  \r\n"] {
        sandbox
            .vault(&["get", "KEY"])
            .variable("VAULT_KEY", text)
            .prints("value")
            .check();
        let run = elsewhere(&sandbox, &["exec", "--", "touch", "ran"]).variable("VAULT_KEY", text);
        let said = str![[r#"
error: locked: no key was found
hint: on your own machine the key is [..]/nobody/.config/vault/identity.txt
hint: in CI, store what `vault ci add` printed as the secret VAULT_KEY
"#]];
        run.fails(121).says(&said).check();
    }
}

#[test]
fn credential_opens_only_its_environments_in_its_vault() {
    let sandbox = sandbox();
    sandbox.set("production", "KEY", b"production");
    let credential = sandbox.credential("github", &["-e", "development"]);
    let arguments = [
        "exec",
        "--no-mask",
        "-e",
        "production",
        "--",
        "touch",
        "ran",
    ];
    let said = str![[r#"
error: production is locked: this credential is for development
hint: make one: `vault ci add NAME -e production`
"#]];
    let run = sandbox.vault(&arguments).variable("VAULT_KEY", &credential);
    run.fails(121).says(&said).check();
    let run = sandbox
        .vault(&["get", "KEY", "-e", "production"])
        .variable("VAULT_KEY", &credential);
    run.fails(3).says(&said).check();
    let run = sandbox
        .vault(&["set", "KEY"])
        .variable("VAULT_KEY", &credential)
        .input("mine");
    let said = str![[r#"
error: github may not write in development
hint: ask an admin for write access
"#]];
    run.fails(3).says(&said).check();

    let other = Sandbox::with_vault().credential("github", &["-e", "development"]);
    let said = str![[r#"
error: .vault/root.toml: belongs to a different vault: expected [ID], found [ID]
hint: [..]
hint: [..]
hint: [..]
"#]];
    for (arguments, status) in [
        (&["get", "KEY"][..], 4),
        (&["exec", "--", "touch", "ran"], 122),
    ] {
        let run = sandbox.vault(arguments).variable("VAULT_KEY", &other);
        run.fails(status).says(&said).check();
    }
}

#[test]
fn credential_with_a_changed_character_is_refused() {
    let sandbox = sandbox();
    let credential = sandbox.credential("github", &["-e", "development"]);
    assert!(
        credential
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.~".contains(&byte))
    );
    for at in 0..credential.len() {
        let mut damaged = credential.clone().into_bytes();
        damaged[at] = if damaged[at] == b'x' { b'y' } else { b'x' };
        let damaged = String::from_utf8(damaged).unwrap();
        let outcome = sandbox
            .vault(&["get", "KEY"])
            .variable("VAULT_KEY", &damaged)
            .outcome();
        let seen = (outcome.status, outcome.output.len());
        assert_eq!(seen, (3, 0), "character {at}: {}", outcome.said);
        assert!(!outcome.said.contains(&damaged), "quoted: {}", outcome.said);
    }
}

#[test]
fn key_file_accessible_to_others_is_refused() {
    let sandbox = sandbox();
    let path = identity_file(&sandbox);
    let get = ["get", "KEY"];
    let refused = |reason: &str| {
        format!(
            "error: your key file {path} is refused: {reason}\nhint: make it yours alone: `chmod 600 {path}`\n"
        )
    };
    for (mode, accepted) in [
        (0o600, true),
        (0o400, true),
        (0o640, false),
        (0o644, false),
        (0o602, false),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        if accepted {
            sandbox.vault(&get).prints("value").check();
        } else {
            sandbox
                .vault(&get)
                .fails(3)
                .says(refused("other users can access it"))
                .check();
        }
    }
    // A link is followed, because people keep such files elsewhere; its target must be private.
    let elsewhere = sandbox.home().join("identity");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    sandbox
        .vault(&get)
        .fails(3)
        .says(refused("other users can access it"))
        .check();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.vault(&get).prints("value").check();
    // Only root can give a file away.
    if chown(&elsewhere, Some(65533), None).is_ok() {
        sandbox
            .vault(&get)
            .fails(3)
            .says(refused("it belongs to another user"))
            .check();
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    sandbox
        .vault(&get)
        .fails(3)
        .says(refused("not a regular file"))
        .check();
}

#[test]
fn key_variables_work_without_a_home() {
    let sandbox = sandbox();
    let key = identity(&sandbox);
    let credential = sandbox.credential("github", &["-e", "development"]);
    for home in [None, Some(""), Some("home")] {
        let run = |arguments: &[&str]| match home {
            None => sandbox.vault(arguments).without("HOME"),
            Some(home) => sandbox.vault(arguments).variable("HOME", home),
        };
        let said = str![[r#"
error: locked: no key was found
hint: HOME is not set, so no key file can be found
hint: in CI, store what `vault ci add` printed as the secret VAULT_KEY
"#]];
        run(&["get", "KEY"]).fails(3).says(&said).check();
        run(&["get", "KEY"])
            .variable("VAULT_KEY", &credential)
            .prints("value")
            .check();
        let pinned = run(&["get", "KEY"]).variable("VAULT_KEY", &key);
        pinned
            .variable("VAULT_ID", &sandbox.id())
            .prints("value")
            .check();
        let said = str![[r#"
error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID=[ID]`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
"#]];
        run(&["get", "KEY"])
            .variable("VAULT_KEY", &key)
            .fails(3)
            .says(&said)
            .check();
    }
    let empty = Sandbox::empty();
    let said = str![[r#"
error: HOME is not set, so your key cannot be stored
hint: name a file that holds an age identity: `--key-file PATH`
"#]];
    empty
        .vault(&["init"])
        .without("HOME")
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn relative_xdg_folders_are_ignored() {
    let sandbox = sandbox();
    let get = ["get", "KEY"];
    let run = sandbox.vault(&get).variable("XDG_CONFIG_HOME", "config");
    run.variable("XDG_STATE_HOME", "state")
        .prints("value")
        .check();
    let moved = |name: &str| {
        let path = sandbox.root().join(name);
        path.display().to_string()
    };
    let rename = |from: &Path, to: &str| fs::rename(from, moved(to)).unwrap();
    rename(&sandbox.home().join(".config"), "config");
    rename(&sandbox.home().join(".local/state"), "state");
    let run = sandbox
        .vault(&get)
        .variable("XDG_CONFIG_HOME", &moved("config"));
    run.variable("XDG_STATE_HOME", &moved("state"))
        .prints("value")
        .check();
}

#[test]
fn key_command_is_awaited_after_it_closes_its_output() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    let file = sandbox.home().join(".config/vault/identity.txt");
    let command = format!("sh -c 'cat {0}; exec >&-; test -s {0}'", file.display());
    let run = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_KEY_COMMAND", &command);
    run.prints("value").check();
}

#[test]
fn key_command_with_shell_syntax_runs_in_a_shell() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    let file = sandbox.home().join(".config/vault/identity.txt");
    let file = file.display();
    let lines = [
        // It also reads its standard input, which belongs to the command that follows.
        format!("cat {file}; cat > /dev/null"),
        format!("cat {file} | cat"),
        "cat \"$HOME/.config/vault/identity.txt\"".to_owned(),
        "cat ~/.config/vault/identity.txt".to_owned(),
    ];
    for line in lines {
        let words = ["exec", "--no-mask", "--", "cat"];
        let run = sandbox.vault(&words).variable("VAULT_KEY_COMMAND", &line);
        run.input("one\ntwo\n").prints("one\ntwo\n").check();
    }
    // Quotes keep such a sign as it is, and start no shell.
    let quoted = format!("cat {file} '; echo'");
    sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_KEY_COMMAND", &quoted)
        .fails(3)
        .says("cat: '; echo': [..]\nerror: VAULT_KEY_COMMAND failed (exit status: 1)\nhint: [..]\n")
        .check();
}
