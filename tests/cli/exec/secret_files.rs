//! Secrets that a command receives as files: in memory, for as long as it runs.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use snapbox::str;

use crate::support::memory::{KEY, sandbox};

#[test]
fn secret_as_a_file_is_removed_after_the_command() {
    let (sandbox, shared) = sandbox();
    let script = "stat -c %a-%u $TLS_KEY $(dirname $TLS_KEY); cmp $TLS_KEY key && echo same; \
                  sh -c 'cat $TLS_KEY >/dev/null' && echo child; echo ${TLS_KEY%/repovault-*}";
    fs::write(sandbox.repo().join("key"), KEY).unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(sandbox.root()).unwrap());
    for masking in ["--report-leaks", "--no-mask"] {
        // A umask of 777 removes all permissions from new files, but not from these.
        let run = sandbox.vault(&["exec", masking, "--", "sh", "-c", script]);
        let run = run.variable("XDG_RUNTIME_DIR", shared.text());
        run.under(&["sh", "-c", "umask 777; exec \"$@\"", "sh"])
            .prints(format!(
                "400-{owner}\n700-{owner}\nsame\nchild\n{}\n",
                shared.text()
            ))
            .check();
        assert!(shared.is_empty());
    }
}

#[test]
fn no_file_stays_after_any_end_of_the_command() {
    let (sandbox, shared) = sandbox();
    for (command, status) in [
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
    ] {
        let run = sandbox.vault(&["exec", "--", "sh", "-c", command]);
        run.under(&["sh", "-c", "\"$@\" 2>/dev/null; exit $?", "sh"])
            .variable("XDG_RUNTIME_DIR", shared.text())
            .fails(status)
            .check();
        assert!(shared.is_empty());
    }
    sandbox
        .vault(&["exec", "--", "no-such-command"])
        .variable("XDG_RUNTIME_DIR", shared.text())
        .fails(127)
        .says(str!["error: no-such-command: command not found"])
        .check();
    assert!(shared.is_empty());
}

#[test]
fn leftover_files_are_removed_unless_they_are_in_use() {
    let (sandbox, shared) = sandbox();
    let start = || {
        let run = sandbox.vault(&["exec", "--", "sh", "-c", "echo started; exec cat"]);
        let run = run.variable("XDG_RUNTIME_DIR", shared.text());
        let mut command = run.command();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut started = [0; 8];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut started).unwrap();
        child
    };
    let (mut killed, mut running) = (start(), start());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(fs::read_dir(&shared.0).unwrap().count(), 2);
    sandbox
        .vault(&["exec", "--", "true"])
        .variable("XDG_RUNTIME_DIR", shared.text())
        .check();
    assert_eq!(fs::read_dir(&shared.0).unwrap().count(), 1);
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
    assert!(shared.is_empty());
}

#[test]
fn folder_on_a_disk_is_never_used() {
    let (sandbox, shared) = sandbox();
    let disk =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("runtime-{}", std::process::id()));
    fs::create_dir(&disk).unwrap();
    sandbox
        .vault(&["exec", "--", "sh", "-c", "dirname $(dirname $TLS_KEY)"])
        .variable("XDG_RUNTIME_DIR", disk.to_str().unwrap())
        .prints("/dev/shm\n")
        .check();
    assert!(fs::read_dir(&disk).unwrap().next().is_none());
    fs::remove_dir(disk).unwrap();
    drop(shared);
}

#[test]
fn file_content_is_masked_line_by_line() {
    let (sandbox, shared) = sandbox();
    sandbox
        .vault(&[
            "exec",
            "--",
            "sh",
            "-c",
            "sed -n 3p $TLS_KEY; echo $TLS_KEY | grep -c shm",
        ])
        .variable("XDG_RUNTIME_DIR", shared.text())
        .prints("***\n1\n")
        .check();
}

#[test]
fn kept_value_of_the_caller_creates_no_file() {
    let (sandbox, shared) = sandbox();
    sandbox
        .vault(&[
            "exec",
            "--no-mask",
            "--keep",
            "TLS_KEY",
            "--",
            "sh",
            "-c",
            "echo $TLS_KEY",
        ])
        .variable("XDG_RUNTIME_DIR", shared.text())
        .variable("TLS_KEY", "mine")
        .prints("mine\n")
        .check();
    assert!(shared.is_empty());
}
