//! Questions to a person at a terminal, with answers that change nothing.

use std::fs;

use repovault::crypto::{Identity, NativeKind};
use repovault::secret::Secret;

use crate::support::colleague::Colleague;
use crate::support::membership::with_bob;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

#[test]
fn questions_about_changes_are_in_their_file() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["development=write", "production=read"]);
    sandbox.set("development", "DATABASE_URL", b"postgres://newer");
    sandbox.commit("before newer values");
    sandbox.set("production", "OTHER", b"newer-value");
    let confirm = "[environments.production]\nconfirm = true\n";
    fs::write(sandbox.repo().join("vault.toml"), confirm).unwrap();
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "copy DATABASE_URL --from production --to development",
        "environments remove development",
        "exec -e production -- true",
        "get DATABASE_URL -e production",
        "rotate --authority",
        "set OTHER -e production --from HEAD",
    ] {
        transcript.talk(words, &[("[y/N] ", "n\n")]);
    }
    transcript.talk("get DATABASE_URL -e production", &[("[y/N] ", "y\n")]);
    transcript.note("By bob, without a vault that he trusts");
    let home = bob.home().join("new");
    fs::create_dir_all(home.join(".config/vault")).unwrap();
    fs::copy(bob.key_file(), home.join(".config/vault/identity.txt")).unwrap();
    let other = Sandbox::with_vault().id();
    let id = "This vault is new to you";
    for turns in [
        &[(id, "\n")][..],
        &[(id, "x\n"), ("again", "y\n"), ("again", "z\n")],
        &[(id, &format!("{other}\n")), ("again", "\n")],
        &[(id, &format!("{}\n", sandbox.id()))],
    ] {
        transcript.talk_as("get DATABASE_URL -e development", turns, |run| {
            run.folder(&bob.repo())
                .variable("HOME", home.to_str().unwrap())
        });
    }
    transcript.check("questions/changes");
}

#[test]
fn questions_about_people_are_in_their_file() {
    let sandbox = stocked();
    let new = sandbox.home().join("new");
    sandbox.git(&["init", "--quiet", new.to_str().unwrap()]);
    let carol = Colleague::clone_of(&sandbox, "carol");
    let home = carol.home().to_str().unwrap().to_owned();
    let mut transcript = Transcript::of(&sandbox);
    transcript.talk_as("init --name alice", &[("[Y/n] ", "y\n")], |run| {
        run.folder(&new)
    });
    transcript.note("By carol");
    transcript.talk_as("join --name carol", &[("do it later", "\n")], |run| {
        run.folder(&carol.repo()).variable("HOME", &home)
    });
    carol.send();
    transcript.note("By alice");
    for access in ["production=read", "production=write --admin"] {
        let words = format!("members add carol -e {access}");
        transcript.talk(&words, &[("Type the fingerprint", "x\n")]);
    }
    transcript.check("questions/people");
}

#[test]
fn questions_for_a_value_are_in_their_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    let prompt = "development: ";
    for typed in [
        "value-one\n",
        " value-one\n",
        "value-one \n",
        " value one \n",
        "\n",
        "\u{1}a\u{2}bcdefgh\n",
        "\u{1b}[Dvalue-two\n",
        "several\nlines\n",
        "\u{1b}[200~pasted\rlines\u{1b}[201~\n",
        "\u{3}",
        "\u{4}",
    ] {
        transcript.talk("set TOKEN", &[(prompt, &format!("\0{typed}"))]);
    }
    transcript.talk("set TOKEN --file /dev/tty", &[]);
    transcript.talk("import -", &[]);
    transcript.talk("import /dev/stdin", &[]);
    transcript.check("questions/values");
}

#[test]
fn questions_for_a_passphrase_are_in_their_file() {
    const NEW: (&str, &str) = ("new passphrase for ", "\0long enough\n");
    const OPENS: (&str, &str) = ("passphrase of ", "\0long enough\n");
    let sandbox = Sandbox::with_vault();
    let folder = sandbox.home().join(".config/vault");
    let [plain, sealed, link] =
        ["identity.txt", "identity.age", "link"].map(|name| folder.join(name));
    let text = fs::read(&plain).unwrap();
    let mut transcript = Transcript::of(&sandbox);
    let again = "the same again: ";
    transcript.talk("key unprotect", &[]);
    transcript.talk("key protect", &[("new passphrase", "\0short\n")]);
    transcript.talk("key protect", &[NEW, (again, "\0long and other\n")]);
    fs::hard_link(&plain, &link).unwrap();
    transcript.talk("key protect", &[]);
    fs::remove_file(&link).unwrap();
    transcript.talk("key protect", &[NEW, (again, "\0long enough\n")]);
    transcript.talk("key protect", &[]);
    let by_passphrase = fs::read(&sealed).unwrap();
    let wrong = ("passphrase of ", "\0wrong\n");
    transcript.talk("key show", &[wrong, wrong, OPENS]);
    transcript.talk("key show", &[wrong, wrong, wrong]);
    transcript.note("With another key in identity.txt");
    let other = Sandbox::with_vault();
    fs::copy(other.home().join(".config/vault/identity.txt"), &plain).unwrap();
    transcript.talk("key unprotect", &[OPENS]);
    fs::write(&plain, &text).unwrap();
    transcript.note("With the same key");
    transcript.talk("key unprotect", &[OPENS]);
    transcript.note("With files that no passphrase opens");
    let recipient = Identity::generate(NativeKind::Hybrid).recipient();
    let foreign = recipient.seal(&Secret::new(text));
    // A higher work factor, the rest of the file as it was.
    let costly = String::from_utf8_lossy(&by_passphrase).replacen(" 18\n", " 28\n", 1);
    fs::rename(&plain, &sealed).unwrap();
    for file in [&foreign[..], costly.as_bytes(), &by_passphrase[..40]] {
        fs::write(&sealed, file).unwrap();
        transcript.talk("key unprotect", &[]);
    }
    transcript.note("With such a file in identity.txt");
    fs::rename(&sealed, &plain).unwrap();
    fs::write(&plain, &by_passphrase).unwrap();
    transcript.talk("key protect", &[]);
    transcript.note("With more than a passphrase");
    fs::rename(&plain, &sealed).unwrap();
    let long = format!("\0{}\n", "long".repeat(300));
    transcript.talk("key show", &[("passphrase of ", &long)]);
    transcript.check("questions/passphrases");
}
