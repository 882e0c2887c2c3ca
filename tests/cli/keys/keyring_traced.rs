//! The keyring in the system calls of vault: it is not touched without need, and a kill at any moment
//! leaves the key in one place at least.

use std::fs;
use std::path::PathBuf;

use crate::support::keyring::{Session, has_keyring};
use crate::support::sandbox::Sandbox;
use crate::support::tracing::can_trace;

fn file(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.home().join(".config/vault").join(name)
}

fn in_file() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value-of-key");
    let text = fs::read(file(&sandbox, "identity.txt")).unwrap();
    (sandbox, text)
}

#[test]
fn bus_is_not_touched_if_another_source_answers() {
    if !has_keyring() || !can_trace() {
        return;
    }
    let (sandbox, text) = in_file();
    let session = Session::start(&sandbox);
    let key = String::from_utf8(text.clone()).unwrap();
    let key = key.lines().last().unwrap().to_owned();
    let log = sandbox.root().join("trace");
    let traced = |words: &[&str], variables: &[(&str, &str)]| {
        let to = log.display().to_string();
        let calls = "trace=connect,socket,fork,vfork,clone,clone3";
        let strace = ["strace", "-qq", "-f", "-o", &to, "-e", calls];
        let run = session.run(sandbox.vault(words)).under(&strace);
        let run = variables
            .iter()
            .fold(run, |run, (name, value)| run.variable(name, value));
        run.prints("value-of-key").check();
        fs::read_to_string(&log).unwrap()
    };
    let path = file(&sandbox, "identity.txt");
    let path = path.display().to_string();
    let get = ["get", "KEY"];
    assert_eq!(traced(&get, &[]), "");
    assert_eq!(traced(&["get", "KEY", "--key-file", &path], &[]), "");
    // The keyring holds the key too now.
    session.store(&text);
    fs::rename(file(&sandbox, "identity.txt"), sandbox.root().join("key")).unwrap();
    fs::write(file(&sandbox, "identity.keyring"), "").unwrap();
    assert!(traced(&get, &[]).contains("connect"));
    let path = sandbox.root().join("key").display().to_string();
    assert_eq!(traced(&get, &[("VAULT_KEY", &key)]), "");
    assert_eq!(traced(&get, &[("VAULT_KEY_FILE", &path)]), "");
    let command = format!("cat {path}");
    let with_command = traced(&get, &[("VAULT_KEY_COMMAND", &command)]);
    assert!(!with_command.contains("connect"), "{with_command}");
    // Without a session, nothing is even tried.
    fs::rename(&path, file(&sandbox, "identity.txt")).unwrap();
    assert_eq!(traced(&get, &[("DBUS_SESSION_BUS_ADDRESS", "")]), "");
    assert_eq!(traced(&get, &[("CI", "true")]), "");
}

#[test]
fn killed_move_keeps_the_key() {
    if !has_keyring() || !can_trace() {
        return;
    }
    let (sandbox, text) = in_file();
    let session = Session::start(&sandbox);
    let folder = file(&sandbox, "identity.txt").parent().unwrap().to_owned();
    let (plain, mark) = (
        file(&sandbox, "identity.txt"),
        file(&sandbox, "identity.keyring"),
    );
    for place in ["keyring", "file"] {
        for call in ["clone", "wait4", "renameat2", "unlinkat", "unlink", "fsync"] {
            let mut count = 1;
            loop {
                let _ = fs::remove_dir_all(&folder);
                fs::create_dir(&folder).unwrap();
                if place == "keyring" {
                    session.clear();
                    fs::write(&plain, &text).unwrap();
                    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                    fs::set_permissions(&plain, mode).unwrap();
                } else {
                    session.store(&text);
                    fs::write(&mark, "").unwrap();
                }
                let inject = format!("inject={call}:signal=KILL:when={count}");
                let strace = ["strace", "-qq", "-o", "/dev/null", "-e", &inject];
                let words = ["key", "move", "--to", place];
                let outcome = session.run(sandbox.vault(&words)).under(&strace).outcome();
                let in_plain = fs::read(&plain).unwrap_or_default() == text;
                assert!(
                    in_plain || session.entry() == text,
                    "{place} {call} {count}"
                );
                session
                    .run(sandbox.vault(&["get", "KEY"]))
                    .prints("value-of-key")
                    .check();
                if outcome.status == 0 {
                    break;
                }
                // The same command finishes, or says that it did.
                let again = session.run(sandbox.vault(&words)).outcome();
                assert!([0, 2].contains(&again.status), "{}", again.said);
                assert_eq!(plain.exists(), place == "file", "{place} {call} {count}");
                assert_eq!(
                    session.entry() == text,
                    place == "keyring",
                    "{place} {call} {count}"
                );
                assert!(
                    fs::read_dir(&folder).unwrap().count() <= 1,
                    "{place} {call} {count}"
                );
                count += 1;
            }
            assert!(count < 20, "{place} {call}");
        }
    }
}
