//! A key file that others can change is read with a warning. A key file that others can only read
//! causes no warning, because containers and CI mount secrets that way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

fn sandbox() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "A", b"value");
    fs::create_dir(sandbox.root().join("keys")).unwrap();
    let path = sandbox.root().join("keys/key.txt");
    fs::copy(sandbox.home().join(".config/vault/identity.txt"), &path).unwrap();
    (sandbox, path)
}

fn set_mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// `get A` with the key from each file source, and the name of that source in a warning.
fn sources<'a>(sandbox: &'a Sandbox, path: &str) -> Vec<(Run<'a>, String)> {
    let get = |options: &[&str]| sandbox.vault(&[&["get", "A"], options].concat());
    let opened = format!("exec \"$@\" 5<{path}");
    let fifth = ["sh", "-c", &opened, "sh"];
    let input = format!("exec \"$@\" <{path}");
    vec![
        (get(&["--key-file", path]), format!("--key-file {path}")),
        (
            get(&[]).variable("VAULT_KEY_FILE", path),
            format!("VAULT_KEY_FILE {path}"),
        ),
        (
            get(&["--key-fd", "5"]).under(&fifth),
            "--key-fd 5".to_owned(),
        ),
        (
            get(&["--key-file", "/dev/fd/5"]).under(&fifth),
            "--key-file /dev/fd/5".to_owned(),
        ),
        (
            get(&["--key-file", "-"]).under(&["sh", "-c", &input, "sh"]),
            "--key-file -".to_owned(),
        ),
    ]
}

#[test]
fn key_file_writable_by_others_gets_a_warning() {
    let (sandbox, path) = sandbox();
    let name = path.display().to_string();
    for mode in [0o666, 0o660, 0o620, 0o602, 0o646] {
        set_mode(&path, mode);
        for (run, source) in sources(&sandbox, &name) {
            let said = format!(
                "warning: the key from {source} can be changed by others (mode {mode:03o}); make it yours alone: `chmod 600 FILE`\n"
            );
            run.prints("value").says(&said).check();
        }
        sandbox
            .vault(&["get", "A", "-q", "--key-file", &name])
            .prints("value")
            .check();
    }
}

#[test]
fn key_file_not_writable_by_others_gets_no_warning() {
    let (sandbox, path) = sandbox();
    for mode in [0o600, 0o400, 0o440, 0o444, 0o644, 0o755] {
        set_mode(&path, mode);
        for (run, _) in sources(&sandbox, &path.display().to_string()) {
            run.prints("value").check();
        }
    }
}

#[test]
fn key_from_a_pipe_or_a_deleted_file_gets_no_warning() {
    let (sandbox, path) = sandbox();
    set_mode(&path, 0o666);
    let name = path.display().to_string();
    let scripts = [
        ("exec \"$@\" --key-file <(cat KEY)", "substitution"),
        ("cat KEY | exec \"$@\" --key-file -", "pipe"),
        (
            "umask 0; mkfifo KEY.pipe; cat KEY >KEY.pipe & \"$@\" --key-file KEY.pipe",
            "named pipe",
        ),
        // Like a pipeline that removes the key before the command starts.
        ("exec 5<KEY; rm KEY; exec \"$@\" --key-fd 5", "deleted"),
    ];
    for (script, case) in scripts {
        let script = script.replace("KEY", &name);
        let run = sandbox
            .vault(&["get", "A"])
            .under(&["bash", "-c", &script, "bash"]);
        let outcome = run.outcome();
        let seen = (outcome.status, &outcome.output[..], outcome.said.as_str());
        assert_eq!(seen, (0, &b"value"[..], ""), "{case}");
    }
}

#[test]
fn key_folder_writable_by_everyone_gets_a_warning() {
    let (sandbox, path) = sandbox();
    let name = path.display().to_string();
    set_mode(&path, 0o600);
    let folder = path.parent().unwrap();
    let get = || {
        sandbox
            .vault(&["get", "A", "--key-file", &name])
            .prints("value")
    };
    set_mode(folder, 0o777);
    let said = format!(
        "warning: the key from --key-file {name} can be replaced by everyone (mode 777 of its \
         folder); keep it in a folder that only you can write to\n"
    );
    get().says(&said).check();
    // Also through a link: the location of the file itself counts.
    let link = sandbox.root().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let run = sandbox.vault(&["get", "A", "--key-file", link.to_str().unwrap()]);
    run.prints("value")
        .says(str!["warning: [..]can be replaced by everyone[..]"])
        .check();
    for mode in [0o1777, 0o775, 0o755] {
        set_mode(folder, mode);
        get().check();
    }
}

#[test]
fn doctor_reports_a_key_file_writable_by_others() {
    let (sandbox, path) = sandbox();
    set_mode(&path, 0o666);
    let run = sandbox
        .vault(&["doctor"])
        .variable("VAULT_KEY_FILE", path.to_str().unwrap());
    let text = String::from_utf8(run.outcome().output).unwrap();
    assert!(
        text.contains("problem  key") && text.contains("can be changed by others"),
        "{text}"
    );
}
