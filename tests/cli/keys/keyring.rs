//! The key in the keyring of the operating system: put there, used from there, and moved away.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use snapbox::str;

use crate::support::keyring::{Session, has_keyring};
use crate::support::machine::left_out;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::terminal::Terminal;

const PASSPHRASE: &str = "correct horse battery";

fn file(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.home().join(".config/vault").join(name)
}

/// The names of the caller's key files.
fn key_files(sandbox: &Sandbox) -> Vec<String> {
    let names = ["identity.age", "identity.keyring", "identity.txt"];
    let found = names
        .iter()
        .filter(|name| file(sandbox, name).symlink_metadata().is_ok());
    found.map(|name| (*name).to_owned()).collect()
}

fn write(sandbox: &Sandbox, name: &str, content: &[u8]) {
    let path = file(sandbox, name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A vault with `KEY` in development, whose admin has the key in a file. Returns its text, too.
fn in_file() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value-of-key");
    let text = fs::read(file(&sandbox, "identity.txt")).unwrap();
    (sandbox, text)
}

/// The same, whose key is in the keyring.
fn in_keyring() -> (Sandbox, Session, Vec<u8>) {
    let (sandbox, text) = in_file();
    let session = Session::start(&sandbox);
    session.store(&text);
    fs::remove_file(file(&sandbox, "identity.txt")).unwrap();
    write(&sandbox, "identity.keyring", b"");
    (sandbox, session, text)
}

#[test]
fn init_puts_the_key_into_the_keyring() {
    if !has_keyring() {
        return;
    }
    let sandbox = Sandbox::empty();
    let session = Session::start(&sandbox);
    let init = sandbox.vault(&["init", "--name", "alice"]);
    session.run(init).any_change().says(str![[r#"
made your key: it is in the keyring (if the keyring is lost, so is the key: keep a recovery key, or a second admin)
created a vault in [ROOT]/repo; you are its admin alice
its id, to send to your colleagues: [ID]
next: `git add vault.toml .vault`, then `vault set NAME`
"#]]).check();
    assert_eq!(key_files(&sandbox), ["identity.keyring"]);
    let mark = fs::read_to_string(file(&sandbox, "identity.keyring")).unwrap();
    snapbox::assert_data_eq!(
        mark,
        str![[r#"
# made by vault: the key is in the keyring (repovault, identity)

"#]]
    );
    assert!(session.entry().starts_with(b"# made by vault\n"));
    let run = sandbox.vault(&["set", "KEY", "-q"]).input(b"value-of-key");
    session.run(run).any_change().check();
    let run = sandbox.vault(&["exec", "-q", "--", "sh", "-c", "echo ${#KEY}; echo $KEY"]);
    session.run(run).prints("12\n***\n").check();
    let run = sandbox.vault(&["exec", "--no-mask", "--", "sh", "-c", "echo $KEY"]);
    session.run(run).prints("value-of-key\n").check();
    session
        .run(sandbox.vault(&["key", "show"]))
        .prints(str!["[RECIPIENT]"])
        .says(str!["from the keyring"])
        .check();
}

#[test]
fn join_puts_the_key_into_the_keyring() {
    if !has_keyring() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    let session = Session::start(&sandbox);
    let home = sandbox.root().join("bob");
    fs::create_dir(&home).unwrap();
    let join = sandbox.vault(&["join", "--name", "bob", "--id", &sandbox.id()]);
    let join = join.variable("HOME", &home.display().to_string());
    session
        .run(join)
        .any_change()
        .prints(str!["[FINGERPRINT]"])
        .says(str![[r#"
made your key: it is in the keyring (if the keyring is lost, so is the key: keep a recovery key, or a second admin)
requested to join as bob: [ROOT]/repo/.vault/requests/bob.toml
next: commit it, and give this fingerprint to an admin (alice) outside this repository:
"#]])
        .check();
    assert!(home.join(".config/vault/identity.keyring").exists());
    assert!(!home.join(".config/vault/identity.txt").exists());
    assert!(session.entry().starts_with(b"# made by vault\n"));
}

#[test]
fn key_moves_between_keyring_and_file() {
    if !has_keyring() {
        return;
    }
    let (sandbox, text) = in_file();
    let session = Session::start(&sandbox);
    let to = |place: &'static str| sandbox.vault(&["key", "move", "--to", place]).any_change();
    let get = || {
        session
            .run(sandbox.vault(&["get", "KEY"]))
            .prints("value-of-key")
            .check();
    };
    session.run(to("keyring")).says(str!["your key is now in the keyring; if the keyring is lost, so is the key: keep a recovery key, or a second admin"]).check();
    assert_eq!(key_files(&sandbox), ["identity.keyring"]);
    assert_eq!(session.entry(), text);
    get();
    session
        .run(to("keyring"))
        .fails(2)
        .says(str!["error: your key is already in the keyring"])
        .check();
    session
        .run(to("file"))
        .says(str![
            "your key is now in [ROOT]/home/.config/vault/identity.txt, without a passphrase"
        ])
        .check();
    assert_eq!(key_files(&sandbox), ["identity.txt"]);
    assert_eq!(fs::read(file(&sandbox, "identity.txt")).unwrap(), text);
    assert_eq!(session.entry(), b"");
    get();
    session
        .run(to("file"))
        .fails(2)
        .says(str![
            "error: your key is already in [ROOT]/home/.config/vault/identity.txt"
        ])
        .check();
}

#[test]
fn key_moves_between_keyring_and_passphrase() {
    if !has_keyring() {
        return;
    }
    let (sandbox, session, text) = in_keyring();
    let start =
        |place: &str| Terminal::start(session.run(sandbox.vault(&["key", "move", "--to", place])));
    let answer = |terminal: &mut Terminal, question: &str| {
        terminal.sees(question);
        terminal.types_hidden(&format!("{PASSPHRASE}\n"));
    };
    let mut terminal = start("protected");
    answer(&mut terminal, "new passphrase for ");
    answer(&mut terminal, "the same again: ");
    terminal.ends(0);
    assert_eq!(key_files(&sandbox), ["identity.age"]);
    assert_eq!(session.entry(), b"");
    let sealed = fs::read(file(&sandbox, "identity.age")).unwrap();
    let mut terminal = start("keyring");
    answer(&mut terminal, "passphrase of ");
    terminal.ends(0);
    assert_eq!(key_files(&sandbox), ["identity.keyring"]);
    assert_eq!(session.entry(), text);
    // A copy from before.
    write(&sandbox, "identity.age", &sealed);
    let mut terminal = start("file");
    answer(&mut terminal, "passphrase of ");
    terminal.ends(0);
    assert_eq!(key_files(&sandbox), ["identity.txt"]);
    assert_eq!(session.entry(), b"");
    assert_eq!(fs::read(file(&sandbox, "identity.txt")).unwrap(), text);
}

#[test]
fn unusable_keyring_is_locked_with_its_reason() {
    if !has_keyring() {
        return;
    }
    let (sandbox, session, text) = in_keyring();
    let get = || sandbox.vault(&["get", "KEY"]).fails(3);
    get()
        .says(str![[r#"
error: your key is in the keyring, but no D-Bus session was found
hint: name a key file: `vault --key-file PATH`
hint: in a session with the keyring: `vault key move --to file`
"#]])
        .check();
    let stale = "unix:path=/nowhere/bus";
    get()
        .variable("DBUS_SESSION_BUS_ADDRESS", stale)
        .says(str![[r#"
error: your key is in the keyring, but the D-Bus session could not be reached: could not use /nowhere/bus: No such file or directory (os error 2)
hint: name a key file: `vault --key-file PATH`
hint: in a session with the keyring: `vault key move --to file`
"#]])
        .check();
    session
        .run(get())
        .variable("CI", "true")
        .says(str![[r#"
error: your key is in the keyring, but it is not used when CI is set
hint: name a key file: `vault --key-file PATH`
hint: in a session with the keyring: `vault key move --to file`
"#]])
        .check();
    session.clear();
    session
        .run(get())
        .says(str![[r#"
error: your key is in the keyring, but it has no entry of vault
hint: use another way in: the recovery key of `vault init --recovery`, or another admin
"#]])
        .check();
    session.store(&text);
    session.lock();
    session
        .run(get())
        .says(str![[r#"
error: your key is in the keyring, but it is locked
hint: unlock it, such as by logging in to the desktop, and try again
"#]])
        .check();
    let exec = sandbox.vault(&["exec", "--", "true"]).fails(121);
    session
        .run(exec)
        .says(str![[r#"
error: your key is in the keyring, but it is locked
hint: unlock it, such as by logging in to the desktop, and try again
"#]])
        .check();
    // Not a reason to make a second key.
    let init = sandbox.vault(&["init", "--vault", "other"]).fails(3);
    session
        .run(init)
        .says(str![[r#"
error: your key is in the keyring, but it is locked
hint: unlock it, such as by logging in to the desktop, and try again
"#]])
        .check();
    // Nor to import one into a file, which would take its place.
    let mark = file(&sandbox, "identity.keyring");
    let kept = fs::read(&mark).unwrap();
    fs::remove_file(&mark).unwrap();
    let import = sandbox.vault(&["key", "import", "-"]).input(&text).fails(3);
    session
        .run(import)
        .says(str![[r#"
error: your key is in the keyring, but it is locked
hint: unlock it, such as by logging in to the desktop, and try again
"#]])
        .check();
    fs::write(&mark, kept).unwrap();
    let bus = Session::without_keyring(&sandbox);
    bus.run(get()).says(str![[r#"
error: your key is in the keyring, but the D-Bus session has no keyring: org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided by any .service files
hint: name a key file: `vault --key-file PATH`
hint: in a session with the keyring: `vault key move --to file`
"#]]).check();
}

#[test]
fn silent_bus_is_left_after_the_limit() {
    let (sandbox, _) = in_file();
    let socket = sandbox.root().join("bus");
    let _listener = UnixListener::bind(&socket).unwrap();
    let address = format!("unix:path={}", socket.display());
    let get = || {
        sandbox
            .vault(&["get", "KEY"])
            .variable("DBUS_SESSION_BUS_ADDRESS", &address)
    };
    // The key is in a file, so nothing waits.
    get().prints("value-of-key").check();
    write(&sandbox, "identity.keyring", b"");
    get()
        .fails(3)
        .says(str![[r#"
error: your key is in the keyring, but it did not answer within 5 s
hint: unlock it, such as by logging in to the desktop, and try again
"#]])
        .check();
}

#[test]
fn bus_of_another_user_is_not_used() {
    let (sandbox, _) = in_file();
    let socket = sandbox.root().join("bus");
    let _listener = UnixListener::bind(&socket).unwrap();
    if chown(&socket, Some(65534), None).is_err() {
        return left_out("only root can give a file to another user");
    }
    fs::remove_file(file(&sandbox, "identity.txt")).unwrap();
    write(&sandbox, "identity.keyring", b"");
    let address = format!("unix:path={}", socket.display());
    sandbox
        .vault(&["get", "KEY"])
        .variable("DBUS_SESSION_BUS_ADDRESS", &address)
        .fails(3)
        .says(str![[r#"
error: your key is in the keyring, but the D-Bus session could not be reached: could not use [ROOT]/bus: it belongs to another user of this machine
hint: name a key file: `vault --key-file PATH`
hint: in a session with the keyring: `vault key move --to file`
"#]])
        .check();
}

#[test]
fn file_takes_the_place_of_an_absent_keyring() {
    if !has_keyring() {
        return;
    }
    let (sandbox, session, text) = in_keyring();
    write(&sandbox, "identity.txt", &text);
    let get = || sandbox.vault(&["get", "KEY"]).prints("value-of-key");
    get().check();
    session.run(get()).check();
    session.run(get()).variable("CI", "1").check();
    session.clear();
    session.run(get()).check();
    // An entry may be there, so no other key takes its place.
    session.store(&text);
    session.lock();
    let locked = session.run(sandbox.vault(&["get", "KEY"])).fails(3);
    locked
        .says(str![[r#"
error: your key is in the keyring, but it is locked
hint: unlock it, such as by logging in to the desktop, and try again
"#]])
        .check();
}

#[test]
fn key_is_kept_in_a_file_without_a_keyring() {
    if !has_keyring() {
        return;
    }
    let bus = Sandbox::empty();
    let without = Session::without_keyring(&bus);
    let init = bus.vault(&["init", "--name", "alice"]).any_change();
    without.run(init).says(str![[r#"
made your key: [ROOT]/home/.config/vault/identity.txt (back it up; it is not in the repository, and not in the keyring: the D-Bus session has no keyring: org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided by any .service files)
created a vault in [ROOT]/repo; you are its admin alice
its id, to send to your colleagues: [ID]
next: `git add vault.toml .vault`, then `vault set NAME`
"#]]).check();
    assert_eq!(key_files(&bus), ["identity.txt"]);

    let locked = Sandbox::empty();
    let session = Session::start(&locked);
    session.lock();
    let init = locked.vault(&["init", "--name", "alice"]).any_change();
    session.run(init).says(str![[r#"
made your key: [ROOT]/home/.config/vault/identity.txt (back it up; it is not in the repository, and not in the keyring: it is locked)
created a vault in [ROOT]/repo; you are its admin alice
its id, to send to your colleagues: [ID]
next: `git add vault.toml .vault`, then `vault set NAME`
"#]]).check();
    assert_eq!(key_files(&locked), ["identity.txt"]);

    for (name, value) in [("CI", "true"), ("DBUS_SESSION_BUS_ADDRESS", "")] {
        let sandbox = Sandbox::empty();
        let init = sandbox.vault(&["init", "--name", "alice"]).any_change();
        let session = Session::start(&sandbox);
        let init = session.run(init).variable(name, value);
        init.says(str![[r#"
made your key: [ROOT]/home/.config/vault/identity.txt (back it up; it is not in the repository)
created a vault in [ROOT]/repo; you are its admin alice
its id, to send to your colleagues: [ID]
next: `git add vault.toml .vault`, then `vault set NAME`
"#]])
            .check();
        assert_eq!(key_files(&sandbox), ["identity.txt"]);
        assert_eq!(session.entry(), b"");
    }
}

#[test]
fn foreign_entry_is_refused_and_not_shown() {
    if !has_keyring() {
        return;
    }
    let (sandbox, session, text) = in_keyring();
    let two = [&text[..], b"hunter2\n"].concat();
    let cut = &text[..text.len() - 9];
    for content in [
        b"hunter2".as_slice(),
        b"\xff\xfehunter2",
        b"hunter2 \x00\x01",
        b" ",
        &two,
        cut,
    ] {
        session.store(content);
        let get = session.run(sandbox.vault(&["get", "KEY"]));
        let outcome = get.outcome();
        let said = outcome.said;
        assert_eq!(outcome.status, 3, "{said}");
        assert!(said.contains("the keyring"), "{said}");
        assert!(
            !said.contains("hunter2") && !said.contains("AGE-SECRET"),
            "{said}"
        );
    }
    // Another account's key.
    let other = Sandbox::empty();
    other.quick(&["init", "--name", "mallory"]);
    let foreign = fs::read(file(&other, "identity.txt")).unwrap();
    session.store(&foreign);
    let get = sandbox.vault(&["get", "KEY"]).fails(3);
    session
        .run(get)
        .says(str![[r#"
error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID=[ID]`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
"#]])
        .check();
    // It is never replaced.
    fs::remove_file(file(&sandbox, "identity.keyring")).unwrap();
    write(&sandbox, "identity.txt", &text);
    let to_keyring = sandbox.vault(&["key", "move", "--to", "keyring"]).fails(1);
    session
        .run(to_keyring)
        .says(str![[r#"
error: could not put your key into the keyring: it has a different entry named repovault
hint: nothing was removed
"#]])
        .check();
    assert_eq!(session.entry(), foreign);
    session.store(b"hunter2");
    let empty = Sandbox::empty();
    let init = empty.vault(&["init", "--name", "alice"]).fails(3);
    session
        .run(init)
        .says(str![[r#"
error: the keyring does not contain a valid key
hint: a key is one line: a credential from `vault ci add`, or an age identity
"#]])
        .check();
    assert_eq!(session.entry(), b"hunter2");
    // One of two is not chosen.
    let (sandbox, session, text) = in_keyring();
    session.store_another(&text);
    let get = sandbox.vault(&["get", "KEY"]).fails(3);
    session
        .run(get)
        .says(str![[r#"
error: your key is in the keyring, but it has several entries of vault
hint: look at its entries named repovault with the keyring's own program
"#]])
        .check();
}

#[test]
fn lost_keyring_leaves_the_recovery_key() {
    if !has_keyring() {
        return;
    }
    let sandbox = Sandbox::empty();
    let session = Session::start(&sandbox);
    let init = sandbox.vault(&["init", "--name", "alice", "--recovery", "-q"]);
    let recovery = session.run(init).any_change().outcome_of_success();
    let recovery = String::from_utf8(recovery).unwrap();
    let run = sandbox.vault(&["set", "KEY", "-q"]).input(b"value-of-key");
    session.run(run).any_change().check();
    session.clear();
    let id = sandbox.id();
    let with_recovery = |words: &[&str]| {
        let run = sandbox.vault(words).variable("VAULT_KEY", recovery.trim());
        session.run(run).variable("VAULT_ID", &id).any_change()
    };
    with_recovery(&["get", "KEY"])
        .prints("value-of-key")
        .check();
    // A new key for alice, made in the keyring.
    fs::remove_file(file(&sandbox, "identity.keyring")).unwrap();
    let join = sandbox.vault(&["join", "--name", "alice", "--new-key", "-q"]);
    let join = session.run(join).variable("VAULT_ID", &id).any_change();
    let fingerprint = String::from_utf8(join.outcome_of_success()).unwrap();
    let words = [
        "members",
        "set",
        "alice",
        "--new-key",
        "--yes",
        "-q",
        "--fingerprint",
    ];
    let words: Vec<&str> = words.iter().copied().chain([fingerprint.trim()]).collect();
    let _ = with_recovery(&words).outcome_of_success();
    let get = session.run(sandbox.vault(&["get", "KEY"]));
    get.variable("VAULT_ID", &sandbox.id())
        .prints("value-of-key")
        .check();
}

#[test]
fn doctor_shows_the_state_of_the_keyring() {
    if !has_keyring() {
        return;
    }
    let (sandbox, session, text) = in_keyring();
    let lines = |run: Run<'_>| {
        let outcome = run.outcome();
        assert!(!String::from_utf8_lossy(&outcome.output).contains("AGE-SECRET"));
        let output = String::from_utf8(outcome.output).unwrap();
        let root = sandbox.root().display().to_string();
        let lines = output.lines().filter(|line| {
            let of_key = line.split_whitespace().nth(1) == Some("key");
            of_key
                && ["keyring", "identity.", "is locked"]
                    .iter()
                    .any(|word| line.contains(word))
        });
        lines
            .map(|line| {
                line.replace(&root, "[ROOT]")
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    let doctor = || sandbox.vault(&["doctor"]);
    snapbox::assert_data_eq!(
        lines(session.run(doctor())),
        str![[r#"
ok key keyring: used
note key identity.txt [ROOT]/home/.config/vault/identity.txt: does not exist
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    session.lock();
    snapbox::assert_data_eq!(
        lines(session.run(doctor())),
        str![[r#"
problem key your key is in the keyring, but it is locked
note key identity.txt [ROOT]/home/.config/vault/identity.txt: does not exist
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    let stale = doctor().variable("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    snapbox::assert_data_eq!(
        lines(stale),
        str![[r#"
note key keyring: the D-Bus session could not be reached: could not use /nowhere/bus: No such file or directory (os error 2)
note key identity.txt [ROOT]/home/.config/vault/identity.txt: does not exist
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    snapbox::assert_data_eq!(
        lines(doctor()),
        str![[r#"
note key keyring: no D-Bus session was found
note key identity.txt [ROOT]/home/.config/vault/identity.txt: does not exist
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    snapbox::assert_data_eq!(
        lines(session.run(doctor()).variable("CI", "1")),
        str![[r#"
note key keyring: it is not used when CI is set
note key identity.txt [ROOT]/home/.config/vault/identity.txt: does not exist
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    write(&sandbox, "identity.txt", &text);
    snapbox::assert_data_eq!(
        lines(doctor()),
        str![[r#"
note key keyring: no D-Bus session was found
ok key identity.txt [ROOT]/home/.config/vault/identity.txt: used, only you can access it (mode 600)
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    fs::remove_file(file(&sandbox, "identity.keyring")).unwrap();
    snapbox::assert_data_eq!(
        lines(session.run(doctor())),
        str![[r#"
note key keyring: not asked, because your key is in a file
ok key identity.txt [ROOT]/home/.config/vault/identity.txt: used, only you can access it (mode 600)
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
    let bus = Session::without_keyring(&sandbox);
    fs::remove_file(file(&sandbox, "identity.txt")).unwrap();
    snapbox::assert_data_eq!(
        lines(bus.run(doctor())),
        str![[r#"
note key keyring: the D-Bus session has no keyring: org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided by any .service files
note key identity.txt [ROOT]/home/.config/vault/identity.txt: does not exist
note key identity.age [ROOT]/home/.config/vault/identity.age: does not exist
"#]]
    );
}
