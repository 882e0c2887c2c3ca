//! The messages of `exec` when no program starts: what to type instead, without anything that may
//! be a value.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

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
fn fails(sandbox: &Sandbox, command: &[&str], status: i32, said: &str) {
    for options in [&["exec", "--"][..], &["exec", "--no-mask", "--"]] {
        let run = sandbox.vault(&[options, command].concat());
        run.fails(status).says(format!("error: {said}\n")).check();
    }
}

const SHELL: &str = "hint: to use a shell: `vault exec -- sh -c '…'`";

#[test]
fn quoted_command_gets_the_form_without_quotes() {
    let sandbox = sandbox();
    for (command, name) in [
        ("python manage.py migrate", "python"),
        ("./run.sh --password hunter2", "./run.sh"),
        ("no-such-command\targument", "no-such-command"),
    ] {
        let said = format!(
            "{name}…: command not found: the whole command is one argument
hint: type it without quotes: `vault exec -- {name} …`
{SHELL}"
        );
        fails(&sandbox, &[command], 127, &said);
    }
    for command in ["python x && ls", "cat < hunter2", "echo $HOME", "cd web", "a\nb hunter2"] {
        let said = format!("[..]…: command not found: the whole command is one argument\n{SHELL}");
        fails(&sandbox, &[command], 127, &said);
    }
}

#[test]
fn assignment_gets_a_hint_without_its_value() {
    let sandbox = sandbox();
    let said = "FOO=…: command not found: it is an assignment
hint: `vault exec -- env FOO=… COMMAND`";
    fails(&sandbox, &["FOO=hunter2", "env"], 127, said);
    fails(&sandbox, &["FOO=hunter2/x", "env"], 127, said);
    let said = format!(
        "FOO=…: command not found: the whole command is one argument
hint: type it without quotes: `vault exec -- env FOO=… COMMAND`
{SHELL}"
    );
    fails(&sandbox, &["FOO=hunter2 env"], 127, &said);
}

#[test]
fn shell_builtin_gets_a_hint_with_a_shell() {
    let sandbox = sandbox();
    let cases = [
        ("cd", 127, "sh -c 'cd FOLDER && COMMAND'"),
        ("source", 127, "bash -c 'source FILE && COMMAND'"),
        (".", 126, "sh -c '. FILE && COMMAND'"),
        ("export", 127, "env NAME=… COMMAND"),
        ("set", 127, "sh -c '…'"),
        ("for", 127, "sh -c '…'"),
        ("[[", 127, "bash -c '…'"),
    ];
    for (name, status, hint) in cases {
        let said = format!(
            "{name}: command not found: it is a shell builtin or keyword\nhint: `vault exec -- {hint}`"
        );
        fails(&sandbox, &[name, "hunter2"], status, &said);
    }
    let said = "exec: command not found: it is a shell builtin or keyword
hint: leave out this word: `vault exec -- COMMAND`";
    fails(&sandbox, &["exec", "true"], 127, said);
}

#[test]
fn shell_syntax_gets_a_hint_with_a_shell() {
    let sandbox = sandbox();
    for command in ["~/hunter2", "$HOME/hunter2", "./*.hunter2"] {
        let said = format!("[..]: command not found: it is shell syntax\n{SHELL}");
        fails(&sandbox, &[command], 127, &said);
    }
    for operator in ["&&", "|", ">", "2>&1"] {
        let said = format!(
            "no-such-command: command not found: an argument looks like shell syntax\n{SHELL}"
        );
        fails(&sandbox, &["no-such-command", operator, "hunter2"], 127, &said);
        // For an existing command, it is an ordinary argument.
        let run = sandbox.vault(&["exec", "--", "echo", operator]);
        run.prints(format!("{operator}\n")).check();
    }
}

#[test]
fn option_after_the_dashes_gets_a_hint() {
    let said = "-e: command not found: it looks like an option
hint: options for vault come before `--`: `vault exec -e ENVIRONMENT -- COMMAND`";
    let sandbox = sandbox();
    fails(&sandbox, &["-e", "production", "touch", "ran"], 127, said);
    let said = "--: command not found: `--` is given twice\nhint: remove the second `--`";
    fails(&sandbox, &["--", "touch", "ran"], 127, said);
}

#[test]
fn folder_or_file_as_a_command_is_explained() {
    let sandbox = sandbox();
    fs::create_dir(sandbox.repo().join("web")).unwrap();
    fs::write(sandbox.repo().join("run"), "#!/bin/sh\n").unwrap();
    let inside = "hint: to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`";
    for name in ["./web", "web/", "/"] {
        let said = format!("{name}: is a folder\nhint: name a program in it\n{inside}");
        fails(&sandbox, &[name], 126, &said);
    }
    let said = format!("web: command not found: it is a folder in the current folder\n{inside}");
    fails(&sandbox, &["web"], 127, &said);
    let said = "run: command not found: it is a file in the current folder, not in PATH
hint: `vault exec -- ./run`";
    fails(&sandbox, &["run"], 127, said);
}

/// Writes a file with this mode and content, and runs it.
#[track_caller]
fn file_fails(sandbox: &Sandbox, (name, content, mode): (&str, &[u8], u32), said: &str) {
    let path = sandbox.repo().join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    let command = format!("./{name}");
    fails(sandbox, &[&command], 126, &format!("{command}: {said}"));
}

#[test]
fn file_without_permission_gets_a_hint() {
    let sandbox = sandbox();
    let cases: [(&str, &[u8], &str); 5] = [
        ("a.sh", b"#!/usr/bin/env -S bash -e\n", "bash ./a.sh"),
        ("b", b"#!/bin/sh\n", "sh ./b"),
        ("c.py", b"print(1)\n", "python3 ./c.py"),
        ("d e", b"#! /usr/bin/python3 -u\n", "python3 './d e'"),
        ("manage.py", b"#!/usr/bin/env python\n", "python ./manage.py"),
    ];
    for (name, content, hint) in cases {
        let (_, quoted) = hint.split_once(' ').unwrap();
        let said = format!(
            "permission denied\nhint: make it executable: `chmod +x {quoted}`
hint: or name its interpreter: `vault exec -- {hint}`"
        );
        file_fails(&sandbox, (name, content, 0o644), &said);
    }
    let said = "permission denied\nhint: make it executable: `chmod +x ./data.json`";
    file_fails(&sandbox, ("data.json", b"{}", 0o644), said);
}

#[test]
fn script_with_a_wrong_first_line_is_explained() {
    let sandbox = sandbox();
    let unnamed = "cannot be executed: its first line does not name an interpreter
hint: a script needs a first line such as #!/bin/sh
hint: or name its interpreter: `vault exec --";
    file_fails(&sandbox, ("a", b"ls\n", 0o755), &format!("{unnamed} sh ./a`"));
    file_fails(&sandbox, ("a.py", b"import os\n", 0o755), &format!("{unnamed} python3 ./a.py`"));
    file_fails(&sandbox, ("b", b"", 0o755), "cannot be executed: the file is empty");
    for content in [&b"#!/bin/sh\r\nls\r\n"[..], b"#!/usr/bin/nowhere\r\n"] {
        let said = "cannot be executed: its first line ends with a carriage return, as on Windows
hint: remove them: `sed -i 's/\\r$//' ./c`
hint: to keep git from adding them: `*.sh text eol=lf` in .gitattributes";
        file_fails(&sandbox, ("c", content, 0o755), said);
    }
    let said = "cannot be executed: a byte order mark comes before its first line
hint: remove it: `sed -i '1s/^\\xEF\\xBB\\xBF//' ./d`";
    file_fails(&sandbox, ("d", b"\xef\xbb\xbf#!/bin/sh\n", 0o755), said);
    let said = "cannot be executed: its interpreter /nowhere/python is missing
hint: install it, or change the first line of ./e";
    file_fails(&sandbox, ("e", b"#!/nowhere/python -u\n", 0o755), said);
}

#[test]
fn program_for_another_machine_is_explained() {
    let sandbox = sandbox();
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0";
    for content in [&elf[..], b"MZ\x90\0", b"\xcf\xfa\xed\xfe\x07\0\0\x01"] {
        let said = "cannot be executed: it was built for another system or processor
hint: to see for which: `file ./tool`";
        file_fails(&sandbox, ("tool", content, 0o755), said);
    }
}

#[test]
fn unusable_command_name_is_explained() {
    let sandbox = sandbox();
    for name in ["", " ", "\t\n"] {
        let said = "[..]: the command name is empty\nhint: `vault exec -- COMMAND ARG…`";
        fails(&sandbox, &[name], 127, said);
    }
    let said = "[..]: cannot be executed: File name too long [..]";
    fails(&sandbox, &[&"x".repeat(5000)], 126, said);
    // A folder in a directory of PATH is not a command.
    std::fs::create_dir_all(sandbox.repo().join("bin/web")).unwrap();
    let run = sandbox.vault(&["exec", "--", "web"]).variable("PATH", "bin");
    run.fails(126).says(str!["error: web: cannot be executed: Permission denied [..]"]).check();
}

#[test]
fn password_in_a_path_is_not_shown() {
    let said = "https…: command not found";
    fails(&sandbox(), &["https://shop:hunter2@db/shop"], 127, said);
}
