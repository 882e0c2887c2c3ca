//! Several identities in one file: the first that is a member's is used, and no other is lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use repovault::crypto::{Identity, NativeKind, protect};
use repovault::secret::Secret;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::membership::with_bob;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

fn text(identity: &Identity) -> String {
    String::from_utf8(identity.to_text().expose().to_vec()).unwrap()
}

fn stranger() -> String {
    text(&Identity::generate(NativeKind::Hybrid))
}

fn write(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn bob_can_read(bob: &Colleague<'_>) {
    let words = ["get", "OTHER", "-e", "production"];
    bob.vault(&words).prints("other").any_change().check();
}

#[test]
fn first_member_of_several_identities_is_used() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=read"]);
    let alice = fs::read_to_string(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let own = fs::read_to_string(bob.key_file()).unwrap();
    let recipient = bob.vault(&["key", "show"]).outcome().output;
    let recipient = String::from_utf8(recipient).unwrap();
    for keys in [
        format!("{}\n{own}", stranger()),
        format!("{own}\n\n{}\r\n", stranger()),
        format!("# old\n{}\n# laptop\n{own}{}", stranger(), stranger()),
        // The key of someone else comes later.
        format!("{}\n{own}{alice}", stranger()),
    ] {
        write(&bob.key_file(), &keys);
        bob_can_read(&bob);
        let doctor = bob.vault(&["doctor"]).outcome();
        let said = String::from_utf8(doctor.output).unwrap();
        assert!(said.contains("you are bob: "), "{said}");
        let (start, end) = (&recipient[..20], &recipient[recipient.len() - 21..]);
        let line = said.lines().find(|line| line.contains("of your keys"));
        assert!(line.is_some_and(|line| line.contains(start)), "{said}");
        assert!(
            line.is_some_and(|line| line.contains(end.trim_end())),
            "{said}"
        );
    }
    let keys = format!("{}\n{}\n", stranger(), stranger());
    write(&bob.key_file(), &keys);
    let said = str![[r#"
error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID=[ID]`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
"#]];
    bob.vault(&["get", "OTHER", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
}

#[test]
fn second_identity_is_in_no_variable_of_the_command() {
    let sandbox = stocked();
    let second = stranger();
    let file = sandbox.home().join(".config/vault/identity.txt");
    let own = fs::read_to_string(&file).unwrap();
    write(&file, &format!("{own}{second}\n"));
    let words = ["exec", "-e", "production", "--no-mask", "--", "env"];
    let outcome = sandbox.vault(&words).variable("COPY", &second).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    let printed = String::from_utf8(outcome.output).unwrap();
    assert!(printed.contains("HOME="));
    assert!(!printed.contains("COPY="), "{printed}");
}

#[test]
fn imported_identity_is_added_last() {
    let sandbox = stocked();
    let file = sandbox.home().join(".config/vault/identity.txt");
    let before = fs::read_to_string(&file).unwrap();
    let (first, second) = (stranger(), stranger());
    write(&sandbox.home().join("other"), &format!("{first}\n"));
    let own = ["home/.config/vault/identity.txt"];
    let said = str![[r#"
added this key to [ROOT]/home/.config/vault/identity.txt, as the last one
"#]];
    sandbox
        .vault(&["key", "import", "../home/other"])
        .prints(str![[r#"
[RECIPIENT]
"#]])
        .says(&said)
        .changes(&own)
        .check();
    // Without a newline at its end, as some editors leave it.
    let content = fs::read_to_string(&file).unwrap();
    write(&file, content.trim_end());
    sandbox
        .vault(&["key", "import", "-"])
        .input(format!("# some twice\n{first}\n{second}\n{second}\n"))
        .prints(str![[r#"
[RECIPIENT]
"#]])
        .says(&said)
        .changes(&own)
        .check();
    let content = fs::read_to_string(&file).unwrap();
    assert!(content.starts_with(&before));
    let lines: Vec<&str> = content
        .lines()
        .filter(|line| line.starts_with("AGE-"))
        .collect();
    assert_eq!(lines[1..], [first, second]);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    sandbox
        .vault(&["key", "import", "../home/other"])
        .says(str![[r#"
[ROOT]/home/.config/vault/identity.txt has these keys already
"#]])
        .check();
    sandbox.quick(&["verify"]);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

#[test]
fn import_makes_the_first_file() {
    let sandbox = Sandbox::empty();
    let (first, second) = (stranger(), stranger());
    write(
        &sandbox.home().join("other"),
        &format!("{first}\n{second}\n{first}\n"),
    );
    sandbox
        .vault(&["key", "import", "../home/other"])
        .prints(str!["[RECIPIENT]\n[RECIPIENT]\n"])
        .says(str![[r#"
added these 2 keys to [ROOT]/home/.config/vault/identity.txt, as the last ones
"#]])
        .any_change()
        .check();
    let file = sandbox.home().join(".config/vault/identity.txt");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    sandbox.quick(&["init", "--name", "alice"]);
    let shown = sandbox.quick(&["key", "show"]);
    let first = Identity::parse(&first).unwrap();
    assert_eq!(shown.trim(), first.recipient().to_string());
}

#[test]
fn linked_key_file_stays_a_link() {
    let sandbox = stocked();
    let file = sandbox.home().join(".config/vault/identity.txt");
    let kept = sandbox.home().join("kept");
    fs::rename(&file, &kept).unwrap();
    symlink(&kept, &file).unwrap();
    sandbox
        .vault(&["key", "import", "-"])
        .input(stranger())
        .changes(&["home/kept"])
        .prints(str!["[RECIPIENT]\n"])
        .says(str!["added this key to [..]\n"])
        .check();
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

#[test]
fn refused_import_changes_nothing() {
    let sandbox = stocked();
    let credential = sandbox.credential("github", &["-e", "production"]);
    let many = format!("{}\n", stranger()).repeat(21);
    let rest = (0..20).map(|_| stranger() + "\n").collect::<String>();
    let damaged = &stranger()[..70];
    let refusals = [
        (2, credential.as_str(), "a credential is a machine's key"),
        (3, "", "is empty"),
        (3, "hunter2", "does not contain a valid key"),
        (3, damaged, "does not contain a valid key"),
        (3, &many, "has more than 20 identities"),
        // Together with the one that is there.
        (3, &rest, "has more than 20 identities"),
        (3, "\u{feff}age1abc", "does not contain a valid key"),
    ];
    for (status, content, reason) in refusals {
        let run = sandbox.vault(&["key", "import", "-"]).input(content);
        let before = sandbox.files();
        let outcome = run.outcome();
        assert_eq!(outcome.status, status, "{}", outcome.said);
        assert!(outcome.said.contains(reason), "{}", outcome.said);
        assert!(!outcome.said.contains("hunter2") && !outcome.said.contains("AGE-"));
        assert!(before == sandbox.files());
    }
    let file = sandbox.home().join(".config/vault/identity.txt");
    let own = Secret::new(fs::read(&file).unwrap());
    fs::write(file.with_extension("age"), protect(&own, "passphrase")).unwrap();
    fs::remove_file(&file).unwrap();
    sandbox
        .vault(&["key", "import", "-"])
        .input(stranger())
        .fails(2)
        .says(str![[r#"
error: [ROOT]/home/.config/vault/identity.age is encrypted
hint: take the passphrase off first: `vault key unprotect`
"#]])
        .check();
    fs::rename(file.with_extension("age"), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    sandbox
        .vault(&["key", "import", "-"])
        .input(stranger())
        .fails(2)
        .says(str![[r#"
error: [ROOT]/home/.config/vault/identity.txt is encrypted
hint: take the passphrase off first: `vault key unprotect`
"#]])
        .check();
}
