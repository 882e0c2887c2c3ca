//! The checks of `doctor`, and errors about programs, variables, and files of one machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::refusal::stocked;
use crate::support::transcript::Transcript;

#[test]
fn checks_of_a_machine_are_in_their_file() {
    let sandbox = stocked();
    let credential = sandbox.credential("github", &["-e", "production"]);
    let identity = sandbox.home().join(".config/vault/identity.txt");
    let identity = identity.to_str().unwrap();
    let id = sandbox.id();
    let mut transcript = Transcript::of(&sandbox);
    for (name, value, shown) in [
        ("VAULT_KEY", "", ""),
        ("VAULT_KEY", &credential, "a credential"),
        ("VAULT_KEY_FILE", identity, "the key file"),
        (
            "VAULT_KEY_COMMAND",
            &format!("cat {identity}"),
            "cat the key file",
        ),
        ("VAULT_ID", &id, "the id"),
        ("VAULT_ID", "nonsense", "nonsense"),
        ("CI", "true", "true"),
        ("HOME", "", ""),
        ("XDG_STATE_HOME", "/nonexistent", "a new folder"),
        ("PATH", "/nonexistent", "a missing folder"),
    ] {
        transcript.note(&format!("{name} is {shown}"));
        transcript.run_as("doctor", |run| run.variable(name, value));
    }
    transcript.note("Without HOME");
    for words in ["doctor", "trust", "list", "get DATABASE_URL", "id"] {
        transcript.run_as(words, |run| run.without("HOME"));
    }
    transcript.note("Without HOME, in a new folder");
    let new = sandbox.home().join("new");
    sandbox.git(&["init", "--quiet", new.to_str().unwrap()]);
    for words in ["init --name alice", "doctor"] {
        transcript.run_as(words, |run| run.without("HOME").folder(&new));
    }
    transcript.run_as(&format!("init --name alice --key-file {identity}"), |run| {
        run.without("HOME").folder(&new)
    });
    transcript.note("Without a default, with a question, and with another vault in PATH");
    let toml = "[environments.development]\nconfirm = true\n";
    fs::write(sandbox.repo().join("vault.toml"), toml).unwrap();
    let folder = sandbox.root().join("other");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("vault"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(folder.join("vault"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink(
        env!("CARGO_BIN_EXE_vault"),
        sandbox.root().join("programs/vault"),
    )
    .unwrap();
    let programs = sandbox.root().join("programs").display().to_string();
    let path = format!("{}:{programs}", folder.display());
    transcript.run_as("doctor", |run| run.variable("PATH", &path));
    transcript.run_as("doctor -e development", |run| {
        run.variable("PATH", &programs)
    });
    transcript.run("exec -e development -- true");
    transcript.run("list");
    transcript.check("machines/checks");
}

#[test]
fn errors_of_key_sources_are_in_their_file() {
    let sandbox = stocked();
    let identity = sandbox.home().join(".config/vault/identity.txt");
    let key = fs::read_to_string(&identity).unwrap();
    let key = key.lines().last().unwrap();
    let credential = sandbox.credential("github", &["-e", "production"]);
    let damaged = &credential[..credential.len() - 3];
    let last = if key.ends_with('Q') { 'P' } else { 'Q' };
    let mistyped = format!("{}{last}", &key[..key.len() - 1]);
    let mut transcript = Transcript::of(&sandbox);
    let utf16: Vec<u8> = key.bytes().flat_map(|byte| [byte, 0]).collect();
    for (note, bytes) in [
        (
            "A key and a credential",
            format!("{key}\n{credential}\n").into_bytes(),
        ),
        ("Half a credential", damaged.into()),
        ("UTF-16", [b"\xff\xfe", &utf16[..]].concat()),
        ("Bytes", b"\xe4\xff".to_vec()),
        ("A mistyped key", mistyped.into_bytes()),
    ] {
        let file = sandbox.home().join("key");
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        transcript.note(note);
        transcript.run_as("get DATABASE_URL", |run| {
            run.variable("VAULT_KEY_FILE", "../home/key")
        });
    }
    transcript.note("A key where something else belongs");
    for name in [
        "VAULT_KEY_FILE",
        "VAULT_KEY_COMMAND",
        "VAULT_ID",
        "VAULT_ENVIRONMENT",
        "VAULT_DIR",
    ] {
        transcript.run_as("get DATABASE_URL", |run| run.variable(name, key));
    }
    transcript.note("A file that others can change");
    let file = sandbox.home().join("key");
    fs::write(&file, key).unwrap();
    for mode in [0o666, 0o644, 0o600] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        transcript.run("get DATABASE_URL --key-file ../home/key");
    }
    let folder = sandbox.home().join("open");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    fs::copy(&file, folder.join("key")).unwrap();
    transcript.run("get DATABASE_URL --key-file ../home/open/key");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o666)).unwrap();
    transcript.note("Your own file");
    transcript.run("get DATABASE_URL");
    transcript.note("The credential in CI");
    let ci = |words: &str, transcript: &mut Transcript<'_>| {
        transcript.run_as(words, |run| run.variable("VAULT_KEY", &credential));
    };
    for words in [
        "get DATABASE_URL -e development",
        "key show",
        "get DATABASE_URL",
        "list",
        "exec -- true",
    ] {
        ci(words, &mut transcript);
    }
    transcript.check("machines/keys");
}

#[test]
fn wrapped_credentials_are_in_their_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    let program = sandbox.root().join("programs/encrypt");
    fs::write(&program, "#!/bin/sh\ncat > ../key\necho wrapped\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for wrap in [
        "missing",
        "false",
        "true",
        "cat",
        "encrypt|false",
        "encrypt",
    ] {
        transcript.run(&format!("ci add github -e production --wrap {wrap}"));
    }
    transcript.note("A command that finds the key by the identity of its job");
    for words in ["exec -e production -- true", "doctor"] {
        transcript.run_as(words, |run| {
            run.variable("VAULT_KEY_COMMAND", "cat ../key")
                .variable("BAO_TOKEN", "token-of-the-job")
        });
    }
    transcript.check("machines/wrapped");
}
