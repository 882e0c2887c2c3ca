//! SSH keys, from both sides, and keys that are elsewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use repovault::crypto::SshKey;

use crate::support::colleague::Colleague;
use crate::support::refusal::stocked;
use crate::support::transcript::Transcript;

const PLAIN: &str = include_str!("../../../fuzz/corpus/ssh/plain");
const PROTECTED: &str = include_str!("../../../fuzz/corpus/ssh/protected");

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The line of the public half.
fn public(key: &str, comment: &str) -> String {
    let key = SshKey::parse(key.as_bytes()).unwrap();
    format!("{} {comment}\n", key.recipient())
}

/// The protected key, with as many rounds as fit into the number.
fn costly() -> String {
    let lines: Vec<&str> = PROTECTED.lines().collect();
    let body = lines[1..lines.len() - 1].concat();
    let mut bytes = STANDARD.decode(body).unwrap();
    let salt = bytes.windows(6).position(|part| part == b"bcrypt").unwrap() + 6 + 4 + 4;
    bytes[salt + 16..salt + 20].fill(0xff);
    let body = STANDARD.encode(bytes);
    format!("{}\n{body}\n{}\n", lines[0], lines[lines.len() - 1])
}

#[test]
fn ssh_keys_are_in_their_file() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let home = bob.home().to_str().unwrap().to_owned();
    let id = sandbox.id();
    write(&bob.home().join(".ssh/id_ed25519"), PLAIN);
    write(
        &bob.home().join(".ssh/id_ed25519.pub"),
        &public(PLAIN, "bob@laptop"),
    );
    let both = public(PLAIN, "bob@laptop") + &public(PROTECTED, "bob@desktop");
    write(&sandbox.home().join("both.pub"), &both);
    write(
        &sandbox.home().join("bob.pub"),
        &public(PLAIN, "bob@laptop"),
    );
    let mut transcript = Transcript::of(&sandbox);
    transcript.note("By bob, who is not a member");
    transcript.run_as("doctor", |run| {
        run.folder(&bob.repo()).variable("HOME", &home)
    });
    transcript.note("By alice");
    let add = "members add bob -e development=read --ssh";
    transcript.run(&format!("{add} ../home/both.pub"));
    transcript.talk(
        &format!("{add} ../home/both.pub"),
        &[("Type the number", "9\r")],
    );
    transcript.run(&format!("{add} ../home/bob.pub"));
    sandbox.commit("bob can read");
    bob.pull();
    transcript.note("By bob");
    for words in [
        &format!("trust {id}"),
        "get DATABASE_URL",
        "key show",
        "key upgrade",
        "join",
    ] {
        transcript.run_as(words, |run| run.folder(&bob.repo()).variable("HOME", &home));
    }
    bob.send();
    transcript.note("By alice");
    let write_access = "members set bob -e development=write";
    transcript.run(write_access);
    transcript.talk(write_access, &[("fingerprint", "nonsense\r")]);
    transcript.note("Keys that vault cannot use");
    let key = sandbox.home().join("key");
    for text in [&PLAIN[..PLAIN.len() - 60], &costly()] {
        write(&key, text);
        transcript.run("get DATABASE_URL --key-file ../home/key");
    }
    transcript.note("A key in the keyring");
    write(&sandbox.home().join(".config/vault/identity.keyring"), "");
    transcript.run_as("key import -", |run| run.input("AGE-SECRET-KEY-1"));
    transcript.check("results/ssh");
}
