//! The messages of `exec` when no program starts: what to type instead, without anything that may
//! be a value.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use snapbox::data::Inline;
use snapbox::str;

use crate::support::sandbox::Sandbox;

/// A vault with a secret, so that the masking parent prints the explanation too.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "TOKEN", b"vQ7xZp2mK9rTwLb8");
    sandbox
}

/// Runs `command` with and without a masking parent; both print the same.
#[track_caller]
fn fails(sandbox: &Sandbox, command: &[&str], status: i32, said: &Inline) {
    for options in [&["exec", "--"][..], &["exec", "--no-mask", "--"]] {
        let run = sandbox.vault(&[options, command].concat());
        run.fails(status).says(said).check();
    }
}

#[test]
fn quoted_command_gets_the_form_without_quotes() {
    let sandbox = sandbox();
    for (command, said) in [
        (
            "python manage.py migrate",
            str![[r#"
error: python…: command not found: the whole command is one argument
hint: type it without quotes: `vault exec -- python …`
hint: to use a shell: `vault exec -- sh -c '…'`
"#]],
        ),
        (
            "./run.sh --password hunter2",
            str![[r#"
error: ./run.sh…: command not found: the whole command is one argument
hint: type it without quotes: `vault exec -- ./run.sh …`
hint: to use a shell: `vault exec -- sh -c '…'`
"#]],
        ),
        (
            "no-such-command\targument",
            str![[r#"
error: no-such-command…: command not found: the whole command is one argument
hint: type it without quotes: `vault exec -- no-such-command …`
hint: to use a shell: `vault exec -- sh -c '…'`
"#]],
        ),
    ] {
        fails(&sandbox, &[command], 127, &said);
    }
    for command in [
        "python x && ls",
        "cat < hunter2",
        "echo $HOME",
        "cd web",
        "a\nb hunter2",
    ] {
        let said = str![[r#"
error: [..]…: command not found: the whole command is one argument
hint: to use a shell: `vault exec -- sh -c '…'`
"#]];
        fails(&sandbox, &[command], 127, &said);
    }
}

#[test]
fn assignment_gets_a_hint_without_its_value() {
    let sandbox = sandbox();
    for assignment in ["FOO=hunter2", "FOO=hunter2/x"] {
        fails(
            &sandbox,
            &[assignment, "env"],
            127,
            &str![[r#"
error: FOO=…: command not found: it is an assignment
hint: `vault exec -- env FOO=… COMMAND`
"#]],
        );
    }
    fails(
        &sandbox,
        &["FOO=hunter2 env"],
        127,
        &str![[r#"
error: FOO=…: command not found: the whole command is one argument
hint: type it without quotes: `vault exec -- env FOO=… COMMAND`
hint: to use a shell: `vault exec -- sh -c '…'`
"#]],
    );
}

#[test]
fn shell_builtin_gets_a_hint_with_a_shell() {
    let sandbox = sandbox();
    let cases = [
        (
            "cd",
            127,
            str![[r#"
error: cd: command not found: it is a shell builtin or keyword
hint: `vault exec -- sh -c 'cd FOLDER && COMMAND'`
"#]],
        ),
        (
            "source",
            127,
            str![[r#"
error: source: command not found: it is a shell builtin or keyword
hint: `vault exec -- bash -c 'source FILE && COMMAND'`
"#]],
        ),
        (
            ".",
            126,
            str![[r#"
error: .: command not found: it is a shell builtin or keyword
hint: `vault exec -- sh -c '. FILE && COMMAND'`
"#]],
        ),
        (
            "export",
            127,
            str![[r#"
error: export: command not found: it is a shell builtin or keyword
hint: `vault exec -- env NAME=… COMMAND`
"#]],
        ),
        (
            "set",
            127,
            str![[r#"
error: set: command not found: it is a shell builtin or keyword
hint: `vault exec -- sh -c '…'`
"#]],
        ),
        (
            "for",
            127,
            str![[r#"
error: for: command not found: it is a shell builtin or keyword
hint: `vault exec -- sh -c '…'`
"#]],
        ),
        (
            "[[",
            127,
            str![[r#"
error: [[: command not found: it is a shell builtin or keyword
hint: `vault exec -- bash -c '…'`
"#]],
        ),
    ];
    for (name, status, said) in cases {
        fails(&sandbox, &[name, "hunter2"], status, &said);
    }
}

#[test]
fn exec_as_a_command_gets_a_hint() {
    let sandbox = sandbox();
    fails(
        &sandbox,
        &["exec", "true"],
        127,
        &str![[r#"
error: exec: command not found: it is a shell builtin or keyword
hint: leave out this word: `vault exec -- COMMAND`
"#]],
    );
}

#[test]
fn shell_syntax_gets_a_hint_with_a_shell() {
    let sandbox = sandbox();
    for command in ["~/hunter2", "$HOME/hunter2", "./*.hunter2"] {
        let said = str![[r#"
error: [..]: command not found: it is shell syntax
hint: to use a shell: `vault exec -- sh -c '…'`
"#]];
        fails(&sandbox, &[command], 127, &said);
    }
    for operator in ["&&", "|", ">", "2>&1"] {
        fails(
            &sandbox,
            &["no-such-command", operator, "hunter2"],
            127,
            &str![[r#"
error: no-such-command: command not found: an argument looks like shell syntax
hint: to use a shell: `vault exec -- sh -c '…'`
"#]],
        );
        // For an existing command, it is an ordinary argument.
        let run = sandbox.vault(&["exec", "--", "echo", operator]);
        run.prints(format!("{operator}\n")).check();
    }
}

#[test]
fn option_after_the_dashes_gets_a_hint() {
    let sandbox = sandbox();
    fails(
        &sandbox,
        &["-e", "production", "touch", "ran"],
        127,
        &str![[r#"
error: -e: command not found: it looks like an option
hint: options for vault come before `--`: `vault exec -e ENVIRONMENT -- COMMAND`
"#]],
    );
    fails(
        &sandbox,
        &["--", "touch", "ran"],
        127,
        &str![[r#"
error: --: command not found: `--` is given twice
hint: remove the second `--`
"#]],
    );
}

#[test]
fn folder_or_file_as_a_command_is_explained() {
    let sandbox = sandbox();
    fs::create_dir(sandbox.repo().join("web")).unwrap();
    fs::write(sandbox.repo().join("run"), "#!/bin/sh\n").unwrap();
    for (name, said) in [
        (
            "./web",
            str![[r#"
error: ./web: is a folder
hint: name a program in it
hint: to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`
"#]],
        ),
        (
            "web/",
            str![[r#"
error: web/: is a folder
hint: name a program in it
hint: to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`
"#]],
        ),
        (
            "/",
            str![[r#"
error: /: is a folder
hint: name a program in it
hint: to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`
"#]],
        ),
    ] {
        fails(&sandbox, &[name], 126, &said);
    }
    fails(
        &sandbox,
        &["web"],
        127,
        &str![[r#"
error: web: command not found: it is a folder in the current folder
hint: to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`
"#]],
    );
    fails(
        &sandbox,
        &["run"],
        127,
        &str![[r#"
error: run: command not found: it is a file in the current folder, not in PATH
hint: `vault exec -- ./run`
"#]],
    );
}

/// Writes a file with this mode and content, and runs it.
#[track_caller]
fn file_fails(sandbox: &Sandbox, (name, content, mode): (&str, &[u8], u32), said: &Inline) {
    let path = sandbox.repo().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    fails(sandbox, &[&format!("./{name}")], 126, said);
}

#[test]
fn file_without_permission_gets_a_hint() {
    let sandbox = sandbox();
    let cases: [(&str, &[u8], Inline); 5] = [
        (
            "a.sh",
            b"#!/usr/bin/env -S bash -e\n",
            str![[r#"
error: ./a.sh: permission denied
hint: make it executable: `chmod +x ./a.sh`
hint: or name its interpreter: `vault exec -- bash ./a.sh`
"#]],
        ),
        (
            "b",
            b"#!/bin/sh\n",
            str![[r#"
error: ./b: permission denied
hint: make it executable: `chmod +x ./b`
hint: or name its interpreter: `vault exec -- sh ./b`
"#]],
        ),
        (
            "c.py",
            b"print(1)\n",
            str![[r#"
error: ./c.py: permission denied
hint: make it executable: `chmod +x ./c.py`
hint: or name its interpreter: `vault exec -- python3 ./c.py`
"#]],
        ),
        (
            "d e",
            b"#! /usr/bin/python3 -u\n",
            str![[r#"
error: ./d e: permission denied
hint: make it executable: `chmod +x './d e'`
hint: or name its interpreter: `vault exec -- python3 './d e'`
"#]],
        ),
        (
            "manage.py",
            b"#!/usr/bin/env python\n",
            str![[r#"
error: ./manage.py: permission denied
hint: make it executable: `chmod +x ./manage.py`
hint: or name its interpreter: `vault exec -- python ./manage.py`
"#]],
        ),
    ];
    for (name, content, said) in cases {
        file_fails(&sandbox, (name, content, 0o644), &said);
    }
    file_fails(
        &sandbox,
        ("data.json", b"{}", 0o644),
        &str![[r#"
error: ./data.json: permission denied
hint: make it executable: `chmod +x ./data.json`
"#]],
    );
}

#[test]
fn script_with_a_wrong_first_line_is_explained() {
    let sandbox = sandbox();
    file_fails(
        &sandbox,
        ("a", b"ls\n", 0o755),
        &str![[r#"
error: ./a: cannot be executed: its first line does not name an interpreter
hint: a script needs a first line such as #!/bin/sh
hint: or name its interpreter: `vault exec -- sh ./a`
"#]],
    );
    file_fails(
        &sandbox,
        ("a.py", b"import os\n", 0o755),
        &str![[r#"
error: ./a.py: cannot be executed: its first line does not name an interpreter
hint: a script needs a first line such as #!/bin/sh
hint: or name its interpreter: `vault exec -- python3 ./a.py`
"#]],
    );
    file_fails(
        &sandbox,
        ("b", b"", 0o755),
        &str!["error: ./b: cannot be executed: the file is empty"],
    );
    for content in [&b"#!/bin/sh\r\nls\r\n"[..], b"#!/usr/bin/nowhere\r\n"] {
        file_fails(
            &sandbox,
            ("c", content, 0o755),
            &str![[r#"
error: ./c: cannot be executed: its first line ends with a carriage return, as on Windows
hint: remove them: `sed -i 's/\r$//' ./c`
hint: to keep git from adding them: `*.sh text eol=lf` in .gitattributes
"#]],
        );
    }
    file_fails(
        &sandbox,
        ("d", b"\xef\xbb\xbf#!/bin/sh\n", 0o755),
        &str![[r#"
error: ./d: cannot be executed: a byte order mark comes before its first line
hint: remove it: `sed -i '1s/^\xEF\xBB\xBF//' ./d`
"#]],
    );
    file_fails(
        &sandbox,
        ("e", b"#!/nowhere/python -u\n", 0o755),
        &str![[r#"
error: ./e: cannot be executed: its interpreter /nowhere/python is missing
hint: install it, or change the first line of ./e
"#]],
    );
}

#[test]
fn program_for_another_machine_is_explained() {
    let sandbox = sandbox();
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0";
    for content in [&elf[..], b"MZ\x90\0", b"\xcf\xfa\xed\xfe\x07\0\0\x01"] {
        file_fails(
            &sandbox,
            ("tool", content, 0o755),
            &str![[r#"
error: ./tool: cannot be executed: it was built for another system or processor
hint: to see for which: `file ./tool`
"#]],
        );
    }
}

#[test]
fn unusable_command_name_is_explained() {
    let sandbox = sandbox();
    for name in ["", " ", "\t\n"] {
        let said = str![[r#"
error: '': the command name is empty
hint: [..]
"#]];
        fails(&sandbox, &[name], 127, &said);
    }
    let said = str!["error: [..]: cannot be executed: File name too long [..]"];
    fails(&sandbox, &[&"x".repeat(5000)], 126, &said);
    // A folder in a directory of PATH is not a command.
    std::fs::create_dir_all(sandbox.repo().join("bin/web")).unwrap();
    let run = sandbox
        .vault(&["exec", "--", "web"])
        .variable("PATH", "bin");
    run.fails(126)
        .says(str![
            "error: web: cannot be executed: Permission denied [..]"
        ])
        .check();
}

#[test]
fn password_in_a_path_is_not_shown() {
    fails(
        &sandbox(),
        &["https://shop:hunter2@db/shop"],
        127,
        &str!["error: https…: command not found"],
    );
}
