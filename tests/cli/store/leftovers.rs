//! Cleaning up: the files of a killed vault are removed, and no files of others.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use snapbox::str;

use crate::support::memory::{Shared, sandbox};
use crate::support::sandbox::Sandbox;

/// A running `exec` with a secret that is a file, and the file's path.
fn start(sandbox: &Sandbox, runtime: &str) -> (Child, PathBuf) {
    let run = sandbox.vault(&[
        "exec",
        "--",
        "sh",
        "-c",
        "echo $TLS_KEY >path.new; mv path.new path; exec cat",
    ]);
    let path = sandbox.repo().join("path");
    let _ = fs::remove_file(&path);
    let mut command = run.variable("XDG_RUNTIME_DIR", runtime).command();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while !path.exists() {
        assert!(child.try_wait().unwrap().is_none(), "vault has ended");
    }
    let path = fs::read_to_string(path).unwrap();
    (child, PathBuf::from(path.trim()))
}

/// The folder left by a killed vault.
fn killed(sandbox: &Sandbox, runtime: &str) -> PathBuf {
    let (mut child, path) = start(sandbox, runtime);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(path.exists());
    path.parent().unwrap().to_owned()
}

#[track_caller]
fn exec(sandbox: &Sandbox, shared: &Shared) {
    let run = sandbox.vault(&["exec", "--", "sh", "-c", "test -s $TLS_KEY"]);
    run.variable("XDG_RUNTIME_DIR", shared.text()).check();
}

/// Everything below a folder, with the content of its files.
fn below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&path));
        }
        let is_file = entry.file_type().unwrap().is_file();
        found.push((
            path.clone(),
            if is_file {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            },
        ));
    }
    found.sort();
    found
}

fn folder(parent: &Path, name: &str, mode: u32) -> PathBuf {
    let path = parent.join(name);
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn folders_of_other_programs_are_kept() {
    let (sandbox, shared) = sandbox();
    let names = [
        "vault-agent",
        "vault-0123456789abcdef",
        "repovault",
        "repovault-0123456789abcdef",
    ];
    for (at, name) in names.into_iter().enumerate() {
        for mode in [0o700, 0o755] {
            let path = folder(
                &shared.0,
                &format!("{name}{}", "x".repeat(at % 2 * 3)),
                mode,
            );
            fs::write(path.join("token"), "theirs").unwrap();
            fs::write(path.join("TLS_KEY"), "theirs").unwrap();
            fs::create_dir(path.join("folder")).unwrap();
            UnixListener::bind(path.join("socket")).unwrap();
            symlink("token", path.join("link")).unwrap();
            let before = below(&shared.0);
            exec(&sandbox, &shared);
            assert_eq!(below(&shared.0), before);
            fs::remove_dir_all(path).unwrap();
        }
    }
    // Empty folders, and files that are not folders.
    folder(&shared.0, "repovault-0123456789abcdef", 0o700);
    fs::write(shared.0.join("repovault-1123456789abcdef"), "theirs").unwrap();
    symlink(
        "repovault-0123456789abcdef",
        shared.0.join("repovault-2123456789abcdef"),
    )
    .unwrap();
    let before = below(&shared.0);
    exec(&sandbox, &shared);
    assert_eq!(below(&shared.0), before);
}

#[test]
fn marker_counts_only_in_its_original_folder() {
    let (sandbox, shared) = sandbox();
    let left = killed(&sandbox, shared.text());
    let marker = fs::read_to_string(left.join(".repovault")).unwrap();
    let copy = folder(&shared.0, "repovault-0123456789abcdef", 0o700);
    let name = left.file_name().unwrap().to_str().unwrap();
    let renamed = marker.replace(name, "repovault-0123456789abcdef");
    fs::write(copy.join("TLS_KEY"), "theirs").unwrap();
    for text in [
        &marker,
        &renamed,
        "",
        "repovault exec 1\n",
        &marker.replace("TLS_KEY", "../x"),
    ] {
        fs::write(copy.join(".repovault"), text).unwrap();
        let before = below(&copy);
        exec(&sandbox, &shared);
        assert_eq!(below(&copy), before, "{text}");
    }
    // The real one was removed in the first round.
    assert!(!left.exists());
    // A marker that is a link does not count.
    let left = killed(&sandbox, shared.text());
    fs::rename(left.join(".repovault"), shared.0.join("elsewhere")).unwrap();
    symlink("../elsewhere", left.join(".repovault")).unwrap();
    let before = below(&shared.0);
    exec(&sandbox, &shared);
    assert_eq!(below(&shared.0), before);
}

#[test]
fn files_of_other_programs_in_its_folder_are_kept() {
    let (sandbox, shared) = sandbox();
    let outside = shared.0.join("outside");
    fs::write(&outside, "theirs").unwrap();
    let left = killed(&sandbox, shared.text());
    fs::write(left.join("theirs"), "theirs").unwrap();
    fs::hard_link(&outside, left.join("hard")).unwrap();
    symlink(&outside, left.join("link")).unwrap();
    fs::create_dir(left.join("folder")).unwrap();
    fs::write(left.join("folder/TLS_KEY"), "theirs").unwrap();
    exec(&sandbox, &shared);
    let names: Vec<PathBuf> = below(&left).into_iter().map(|(path, _)| path).collect();
    let expected = ["folder", "folder/TLS_KEY", "hard", "link", "theirs"];
    assert_eq!(names, expected.map(|name| left.join(name)));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "theirs");
    // The same applies while vault runs: its own file is removed, and others are kept.
    let (child, path) = start(&sandbox, shared.text());
    fs::write(path.parent().unwrap().join("theirs"), "theirs").unwrap();
    end(child);
    assert!(!path.exists());
    let stays = below(path.parent().unwrap());
    assert_eq!(
        stays,
        [(path.parent().unwrap().join("theirs"), b"theirs".to_vec())]
    );
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn file_replaced_by_a_link_is_not_followed() {
    let (sandbox, shared) = sandbox();
    let outside = shared.0.join("outside");
    fs::write(&outside, "theirs").unwrap();
    let left = killed(&sandbox, shared.text());
    fs::remove_file(left.join("TLS_KEY")).unwrap();
    symlink(&outside, left.join("TLS_KEY")).unwrap();
    exec(&sandbox, &shared);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "theirs");
    // A file given to another user still contains the value.
    let (child, path) = start(&sandbox, shared.text());
    if std::os::unix::fs::chown(&path, Some(65534), Some(65534)).is_ok() {
        end(child);
        assert!(!path.parent().unwrap().exists());
    } else {
        end(child);
    }
}

#[test]
fn leftovers_in_every_folder_are_removed_unless_in_use() {
    let (sandbox, shared) = sandbox();
    let (first, second) = (
        killed(&sandbox, shared.text()),
        killed(&sandbox, "/nowhere"),
    );
    assert!(second.starts_with("/dev/shm/"), "{second:?}");
    let (child, path) = start(&sandbox, shared.text());
    assert!(!first.exists() && !second.exists());
    exec(&sandbox, &shared);
    assert!(path.exists());
    end(child);
    assert!(shared.is_empty());
}

#[test]
fn folder_writable_by_others_is_not_used() {
    let (sandbox, shared) = sandbox();
    for (mode, is_used) in [
        (0o777, false),
        (0o1777, true),
        (0o770, false),
        (0o755, true),
    ] {
        fs::set_permissions(&shared.0, Permissions::from_mode(mode)).unwrap();
        let run = sandbox.vault(&[
            "exec",
            "-q",
            "--",
            "sh",
            "-c",
            "dirname $(dirname $TLS_KEY)",
        ]);
        let place = if is_used { shared.text() } else { "/dev/shm" };
        let run = run.variable("XDG_RUNTIME_DIR", shared.text());
        run.prints(format!("{place}\n")).check();
    }
}

#[test]
fn incompletely_written_file_is_removed() {
    let (sandbox, shared) = sandbox();
    sandbox.set("development", "TLS_KEY", &[b'x'; 5000]);
    // In units of 512 bytes or 1 KiB: there is space for the marker, but not for the value.
    let said = str![
        "error: could not write TLS_KEY to the in-memory file system: File too large (os error [..])"
    ];
    sandbox
        .vault(&["exec", "--", "touch", "started"])
        .under(&["sh", "-c", "ulimit -f 2; exec \"$@\"", "sh"])
        .variable("XDG_RUNTIME_DIR", shared.text())
        .fails(123)
        .says(&said)
        .check();
    assert!(shared.is_empty());
}
