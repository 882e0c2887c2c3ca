//! `identity.age`, which a passphrase protects: it opens at the terminal alone, and its key is never
//! lost on the way into it or out of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use repovault::crypto;
use repovault::secret::Secret;
use snapbox::str;

use crate::support::machine::all_is_wanted;
use crate::support::python::python;
use crate::support::sandbox::Sandbox;
use crate::support::terminal::Terminal;
use crate::support::tracing::can_trace;

const PASSPHRASE: &str = "correct horse battery";
/// Runs its arguments with a pipe as standard input, below the terminal.
const INPUT_IS_A_PIPE: &str = "\
import subprocess, sys
sys.exit(subprocess.run(sys.argv[1:], input=b'of the pipe').returncode)";

fn plain(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".config/vault/identity.txt")
}

fn protected(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".config/vault/identity.age")
}

/// A vault with `KEY` in development.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    sandbox
}

/// The same, whose admin has a passphrase. Returns the content of `identity.txt` too.
fn with_passphrase() -> (Sandbox, Vec<u8>) {
    let sandbox = sandbox();
    let text = fs::read(plain(&sandbox)).unwrap();
    let sealed = crypto::protect(&Secret::new(text.clone()), PASSPHRASE);
    write(&protected(&sandbox), &sealed);
    fs::remove_file(plain(&sandbox)).unwrap();
    (sandbox, text)
}

fn write(path: &PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Answers each question, the first of which starts so.
fn answer(terminal: &mut Terminal, turns: &[(&str, &str)]) {
    for (question, typed) in turns {
        terminal.sees(question);
        terminal.types_hidden(&format!("{typed}\n"));
    }
}

#[test]
fn protect_and_unprotect_keep_the_key() {
    let sandbox = sandbox();
    let text = fs::read(plain(&sandbox)).unwrap();
    let mut terminal = Terminal::start(sandbox.vault(&["key", "protect"]));
    let turns = [
        ("new passphrase for ", PASSPHRASE),
        ("the same again: ", PASSPHRASE),
    ];
    answer(&mut terminal, &turns);
    let screen = terminal.ends(0);
    assert!(!screen.contains(PASSPHRASE), "{screen}");
    assert!(!plain(&sandbox).exists());
    let mode = fs::metadata(protected(&sandbox))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut terminal = Terminal::start(sandbox.vault(&["get", "KEY"]));
    answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]);
    assert!(terminal.ends(0).ends_with("identity.age: \nvalue"));

    let mut terminal = Terminal::start(sandbox.vault(&["key", "unprotect"]));
    answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]);
    terminal.ends(0);
    assert_eq!(fs::read(plain(&sandbox)).unwrap(), text);
    assert!(!protected(&sandbox).exists());
    sandbox.vault(&["get", "KEY"]).prints("value").check();
}

#[test]
fn passphrase_is_asked_for_beside_a_piped_input() {
    let (sandbox, _) = with_passphrase();
    let pipe = [python(), "-c", INPUT_IS_A_PIPE];
    let exec = ["exec", "--no-mask", "--", "sh", "-c", "cat; echo \" $KEY\""];
    let mut terminal = Terminal::start_under(sandbox.vault(&exec), &pipe);
    answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]);
    let screen = terminal.ends(0);
    assert!(screen.ends_with("of the pipe value\n"), "{screen}");
}

#[test]
fn wrong_passphrase_is_locked_after_three_attempts() {
    let (sandbox, _) = with_passphrase();
    let before = fs::read(protected(&sandbox)).unwrap();
    let again = "wrong; passphrase of ";
    for (command, status) in [
        (&["get", "KEY"][..], 3),
        (&["exec", "--", "true"], 121),
        (&["key", "unprotect"], 3),
    ] {
        let mut terminal = Terminal::start(sandbox.vault(command));
        let first =
            "passphrase of [AGE]: ".replace("[AGE]", &protected(&sandbox).display().to_string());
        let second = format!("{first}\nwrong; {first}");
        let third = format!("{second}\nwrong; {first}");
        answer(
            &mut terminal,
            &[(&first, "one"), (&second, "two"), (&third, "")],
        );
        let screen = terminal.ends(status);
        assert!(
            screen.contains("error: that is not the passphrase of "),
            "{screen}"
        );
        assert_eq!(fs::read(protected(&sandbox)).unwrap(), before);
        assert!(!plain(&sandbox).exists());
    }
    let mut terminal = Terminal::start(sandbox.vault(&["get", "KEY"]));
    answer(
        &mut terminal,
        &[("passphrase of ", "one"), (again, PASSPHRASE)],
    );
    assert!(terminal.ends(0).ends_with("value"));
}

#[test]
fn passphrase_without_a_terminal_is_locked() {
    let (sandbox, text) = with_passphrase();
    let said = str![[r#"
error: your key needs a passphrase, which must be typed at a terminal
hint: for a machine, make a credential: `vault ci add NAME -e ENVIRONMENT`
"#]];
    for (command, status) in [
        (&["get", "KEY"][..], 3),
        (&["exec", "--", "true"], 121),
        (&["key", "unprotect"], 3),
    ] {
        let run = sandbox.vault(command).under(&["setsid", "-w"]);
        run.fails(status).says(said.clone()).check();
    }
    fs::remove_file(protected(&sandbox)).unwrap();
    write(&plain(&sandbox), &text);
    let run = sandbox.vault(&["key", "protect"]).under(&["setsid", "-w"]);
    run.fails(4)
        .says(str![
            "error: a new passphrase is typed at a terminal, and there is none"
        ])
        .check();
    assert_eq!(fs::read(plain(&sandbox)).unwrap(), text);
}

#[test]
fn protected_key_file_opens_wherever_it_is_named() {
    let (sandbox, _) = with_passphrase();
    let other = sandbox.root().join("other.age");
    fs::rename(protected(&sandbox), &other).unwrap();
    let path = other.display().to_string();
    let run = sandbox.vault(&["get", "KEY", "--key-file", &path]);
    let mut terminal = Terminal::start(run);
    answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]);
    assert!(terminal.ends(0).ends_with("value"));
}

#[test]
fn damaged_or_costly_file_is_refused_without_a_question() {
    let (sandbox, _) = with_passphrase();
    let sealed = fs::read(protected(&sandbox)).unwrap();
    let recipient = crypto::Identity::generate(crypto::NativeKind::Hybrid).recipient();
    let foreign = recipient.seal(&Secret::new(b"payload".to_vec()));
    let costly = |work: &str| {
        let end = sealed.windows(4).position(|part| part == b" 18\n").unwrap();
        [&sealed[..=end], work.as_bytes(), &sealed[end + 3..]].concat()
    };
    for (bytes, reason) in [
        (costly("21"), "demands more work"),
        (costly("63"), "demands more work"),
        (costly("99999999999"), "demands more work"),
        (costly("018"), "is damaged"),
        (sealed[..40].to_vec(), "is damaged"),
        (foreign, "is encrypted, but not with a passphrase alone"),
    ] {
        write(&protected(&sandbox), &bytes);
        for command in [&["get", "KEY"][..], &["key", "unprotect"]] {
            let screen = Terminal::start(sandbox.vault(command)).ends(3);
            assert!(screen.contains(reason), "{screen}");
            assert!(!screen.contains("passphrase of "), "{screen}");
        }
        assert_eq!(fs::read(protected(&sandbox)).unwrap(), bytes);
        assert!(!plain(&sandbox).exists());
    }
}

#[test]
fn new_passphrase_must_be_long_and_typed_twice() {
    let sandbox = sandbox();
    let text = fs::read(plain(&sandbox)).unwrap();
    let first = "new passphrase for ";
    for turns in [
        &[(first, "")][..],
        &[(first, "7 bytes")],
        &[(first, PASSPHRASE), ("the same again: ", "another one")],
    ] {
        let mut terminal = Terminal::start(sandbox.vault(&["key", "protect"]));
        answer(&mut terminal, turns);
        let screen = terminal.ends(2);
        assert!(screen.contains("nothing was changed"), "{screen}");
        assert_eq!(fs::read(plain(&sandbox)).unwrap(), text);
        assert!(!protected(&sandbox).exists());
    }
}

#[test]
fn linked_key_file_is_not_protected() {
    let sandbox = sandbox();
    let elsewhere = sandbox.root().join("dotfiles");
    let refused = || {
        let screen = Terminal::start(sandbox.vault(&["key", "protect"])).ends(4);
        assert!(
            screen.contains("is a link, or has another name"),
            "{screen}"
        );
        assert!(plain(&sandbox).exists() && !protected(&sandbox).exists());
    };
    fs::hard_link(plain(&sandbox), &elsewhere).unwrap();
    refused();
    fs::remove_file(plain(&sandbox)).unwrap();
    symlink(&elsewhere, plain(&sandbox)).unwrap();
    refused();
}

#[test]
fn files_with_different_keys_are_refused_and_kept() {
    let (sandbox, _) = with_passphrase();
    let other = fs::read(plain(&Sandbox::with_vault())).unwrap();
    let sealed = fs::read(protected(&sandbox)).unwrap();
    write(&plain(&sandbox), &other);
    for command in [["key", "protect"], ["key", "unprotect"]] {
        let mut terminal = Terminal::start(sandbox.vault(&command));
        answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]);
        let screen = terminal.ends(4);
        assert!(screen.contains("hold different keys"), "{screen}");
        assert_eq!(fs::read(plain(&sandbox)).unwrap(), other);
        assert_eq!(fs::read(protected(&sandbox)).unwrap(), sealed);
    }
}

#[test]
fn key_command_without_its_file_changes_nothing() {
    let sandbox = sandbox();
    let run = sandbox.vault(&["key", "unprotect"]);
    run.fails(2)
        .says(str![
            "error: your key in [..]/identity.txt has no passphrase"
        ])
        .check();
    let (sandbox, _) = with_passphrase();
    let run = sandbox.vault(&["key", "protect"]);
    run.fails(2)
        .says(str!["error: your key is already in [..]/identity.age"])
        .check();
    fs::remove_file(protected(&sandbox)).unwrap();
    for command in ["protect", "unprotect"] {
        let run = sandbox.vault(&["key", command]);
        run.fails(3)
            .says(str!["error: could not find the key file [..]"])
            .check();
    }
}

/// Kills the command before each time that it syncs, moves, or removes a file. The key must still be
/// there, and the same command must finish.
#[track_caller]
fn survives_a_kill(command: &str, questions: &[(&str, &str)], is_plain_after: bool) {
    if !can_trace() {
        return;
    }
    let (sandbox, text) = with_passphrase();
    let sealed = fs::read(protected(&sandbox)).unwrap();
    let finished = (is_plain_after, !is_plain_after);
    let found = || (plain(&sandbox).exists(), protected(&sandbox).exists());
    let folder = plain(&sandbox).parent().unwrap().to_owned();
    let calls = ["unlinkat", "renameat2", "fsync"];
    let wanted = if all_is_wanted() { 3 } else { 1 };
    for call in &calls[..wanted] {
        let mut count = 1;
        loop {
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
            if is_plain_after {
                write(&protected(&sandbox), &sealed);
            } else {
                write(&plain(&sandbox), &text);
            }
            let inject = format!("inject={call}:signal=KILL:when={count}");
            let strace = ["strace", "-qq", "-o", "/dev/null", "-e", &inject];
            let mut terminal = Terminal::start_under(sandbox.vault(&["key", command]), &strace);
            answer(&mut terminal, questions);
            let is_killed = terminal.ended().1 != 0;
            holds_the_key(&sandbox, &text);
            if !is_killed {
                assert_eq!(found(), finished, "{call} {count}");
                break;
            }
            if found() != finished {
                let mut terminal = Terminal::start(sandbox.vault(&["key", command]));
                match found() {
                    (true, true) => answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]),
                    _ => answer(&mut terminal, questions),
                }
                terminal.ends(0);
                holds_the_key(&sandbox, &text);
                assert_eq!(found(), finished, "{call} {count}");
            }
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "{call} {count}");
            count += 1;
        }
        assert!(count > 1, "{command} has no {call}");
    }
}

#[test]
fn failed_sync_leaves_no_plaintext() {
    if !can_trace() {
        return;
    }
    let (sandbox, _) = with_passphrase();
    let inject = "inject=fsync:error=EIO:when=1";
    let strace = ["strace", "-qq", "-o", "/dev/null", "-e", inject];
    let mut terminal = Terminal::start_under(sandbox.vault(&["key", "unprotect"]), &strace);
    answer(&mut terminal, &[("passphrase of ", PASSPHRASE)]);
    terminal.ends(1);
    let folder = plain(&sandbox).parent().unwrap().to_owned();
    let names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["identity.age"]);
}

/// At least one of the two files is there, and each that is there is whole.
#[track_caller]
fn holds_the_key(sandbox: &Sandbox, text: &[u8]) {
    let (plain, sealed) = (fs::read(plain(sandbox)), fs::read(protected(sandbox)));
    assert!(plain.is_ok() || sealed.is_ok());
    if let Ok(plain) = plain {
        assert_eq!(plain, text);
    }
    if let Ok(sealed) = sealed {
        let opened = crypto::unprotect(&sealed, PASSPHRASE).unwrap();
        assert_eq!(opened.expose(), text);
    }
}

#[test]
fn protect_killed_at_any_moment_keeps_the_key() {
    let questions = [
        ("new passphrase for ", PASSPHRASE),
        ("the same again: ", PASSPHRASE),
    ];
    survives_a_kill("protect", &questions, false);
}

#[test]
fn unprotect_killed_at_any_moment_keeps_the_key() {
    survives_a_kill("unprotect", &[("passphrase of ", PASSPHRASE)], true);
}
