//! SSH keys of `ssh-keygen` as the caller's key: named, or `~/.ssh/id_ed25519` of a member.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use repovault::crypto::{Recipient, SshKey, SshKeyError, UnsealError, base64_decode};
use repovault::secret::Secret;
use snapbox::str;

use crate::support::machine::has;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::ssh::{ed25519, has_keygen, keygen, public};
use crate::support::terminal::Terminal;

const PASSPHRASE: &str = "correct horse battery";
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";

fn default_key(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".ssh/id_ed25519")
}

/// A vault with `KEY` in development, whose admin has the SSH key in its usual place alone.
fn sandbox(passphrase: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let key = default_key(&sandbox);
    ed25519(&key, "");
    let path = key.to_str().unwrap();
    sandbox.quick(&["init", "--name", "alice", "--key-file", path]);
    sandbox.set("development", "KEY", b"value");
    if !passphrase.is_empty() {
        keygen(&["-p", "-P", "", "-N", passphrase, "-a", "16", "-f", path]);
    }
    sandbox
}

/// Makes another key, and reads it as a named file.
fn with_file<'a>(sandbox: &'a Sandbox, key: &Path) -> Run<'a> {
    sandbox.vault(&["get", "KEY", "--key-file", key.to_str().unwrap()])
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The bytes of a key in OpenSSH's format.
fn bytes(path: &Path) -> Vec<u8> {
    let lines: String = text(path)
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    base64_decode(lines.trim_end_matches('=')).unwrap()
}

fn write_bytes(path: &Path, bytes: &[u8]) {
    let body = repovault::crypto::base64_encode(bytes);
    let padding = "=".repeat((4 - body.len() % 4) % 4);
    let end = BEGIN.replace("BEGIN", "END");
    fs::write(path, format!("{BEGIN}\n{body}{padding}\n{end}\n")).unwrap();
}

#[test]
fn default_ssh_key_of_a_member_unlocks() {
    if !has_keygen() {
        return;
    }
    let sandbox = sandbox("");
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    sandbox
        .vault(&["exec", "--no-mask", "--", "sh", "-c", "echo $KEY"])
        .prints("value\n")
        .check();
    let path = default_key(&sandbox);
    let recipient = public(&path).rsplit_once(' ').unwrap().0.to_owned();
    sandbox
        .vault(&["key", "show"])
        .prints(format!("{recipient}\n"))
        .says("from [..]/.ssh/id_ed25519\n")
        .check();
    // Any other source comes first.
    let other = sandbox.root().join("other");
    ed25519(&other, "");
    with_file(&sandbox, &other)
        .fails(3)
        .says(str![[r#"
error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID=[ID]`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
"#]])
        .check();
    with_file(&sandbox, &path).prints("value").check();
    let input = sandbox.vault(&["get", "KEY", "--key-file", "-"]);
    input.input(text(&path)).prints("value").check();
    sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_KEY", &text(&path))
        .prints("value")
        .check();
}

#[test]
fn default_ssh_key_of_no_member_is_not_used() {
    if !has_keygen() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    fs::remove_file(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let key = default_key(&sandbox);
    ed25519(&key, PASSPHRASE);
    let locked = str![[r#"
error: locked: no key was found
hint: on your own machine the key is [..]/identity.txt
hint: in CI, store what `vault ci add` printed as the secret VAULT_KEY
"#]];
    // It is not even read: at a terminal, its passphrase would be asked for.
    let screen = Terminal::start(sandbox.vault(&["get", "KEY"])).ends(3);
    assert!(
        screen.contains("no key was found") && !screen.contains("passphrase"),
        "{screen}"
    );
    let doctor = sandbox.vault(&["doctor"]).outcome();
    let output = String::from_utf8(doctor.output).unwrap();
    assert!(
        output.contains(".pub is not a member's recipient here"),
        "{output}"
    );
    // The public half says whose it is, even if there are others.
    for line in ["", "hello\n", "ssh-ed25519 AAAA\n"] {
        fs::write(key.with_extension("pub"), line).unwrap();
        sandbox
            .vault(&["get", "KEY"])
            .fails(3)
            .says(locked.clone())
            .check();
    }
}

#[test]
fn public_half_of_another_key_is_refused() {
    if !has_keygen() {
        return;
    }
    let sandbox = sandbox("");
    let path = default_key(&sandbox);
    let other = sandbox.root().join("other");
    ed25519(&other, PASSPHRASE);
    fs::copy(&other, &path).unwrap();
    sandbox
        .vault(&["get", "KEY"])
        .fails(3)
        .says(str![[r#"
error: the key from [..]/.ssh/id_ed25519 does not belong to the public key next to it
hint: write its public half again: `ssh-keygen -y -f FILE > FILE.pub`
"#]])
        .check();
    fs::remove_file(&path).unwrap();
    sandbox
        .vault(&["get", "KEY"])
        .fails(3)
        .says("error: locked: no key was found\n[..]\n[..]\n")
        .check();
}

#[test]
fn readable_default_key_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    if !has_keygen() {
        return;
    }
    let sandbox = sandbox("");
    let path = default_key(&sandbox);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    sandbox
        .vault(&["get", "KEY"])
        .fails(3)
        .says(str![[r#"
error: your key file [..]/.ssh/id_ed25519 is refused: other users can access it
hint: make it yours alone: `chmod 600 [..]/.ssh/id_ed25519`
"#]])
        .check();
}

#[test]
fn ssh_passphrase_is_asked_for_three_times() {
    if !has_keygen() {
        return;
    }
    let sandbox = sandbox(PASSPHRASE);
    let before = sandbox.files();
    let mut terminal = Terminal::start(sandbox.vault(&["get", "KEY"]));
    terminal.sees("passphrase of ");
    terminal.types_hidden("wrong\n");
    terminal.sees("wrong; passphrase of ");
    terminal.types_hidden(&format!("{PASSPHRASE}\n"));
    let screen = terminal.ends(0);
    assert!(screen.ends_with(".ssh/id_ed25519: \nvalue"), "{screen}");
    for (command, status) in [(&["get", "KEY"][..], 3), (&["exec", "--", "true"], 121)] {
        let mut terminal = Terminal::start(sandbox.vault(command));
        let mut seen = 0;
        for typed in ["one", "two", ""] {
            seen = terminal.sees_after(seen, "passphrase of ");
            terminal.types_hidden(&format!("{typed}\n"));
        }
        let screen = terminal.ends(status);
        assert!(
            screen.contains("error: that is not the passphrase of "),
            "{screen}"
        );
        let run = sandbox.vault(command).under(&["setsid", "-w"]);
        run.fails(status)
            .says(str![[r#"
error: your key needs a passphrase, which must be typed at a terminal
hint: for a machine, make a credential: `vault ci add NAME -e ENVIRONMENT`
"#]])
            .check();
    }
    assert!(sandbox.files() == before);
}

#[test]
fn every_cipher_of_age_opens_and_others_are_named() {
    if !has_keygen() {
        return;
    }
    let sandbox = Sandbox::empty();
    let ciphers = [
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes256-cbc",
        "aes256-gcm@openssh.com",
    ];
    for cipher in ciphers {
        let path = sandbox.root().join(cipher);
        let file = path.to_str().unwrap();
        keygen(&[
            "-t", "ed25519", "-Z", cipher, "-a", "1", "-N", PASSPHRASE, "-f", file,
        ]);
        let key = SshKey::parse(text(&path).as_bytes()).unwrap();
        assert!(key.is_protected());
        let wrong = key.open("wrong").err();
        assert_eq!(wrong, Some(SshKeyError::WrongPassphrase), "{cipher}");
        assert_eq!(
            key.open("").err(),
            Some(SshKeyError::WrongPassphrase),
            "{cipher}"
        );
        let identity = key.open(PASSPHRASE).unwrap();
        let sealed = key.recipient().seal(&Secret::new(b"payload".to_vec()));
        assert_eq!(identity.unseal(&sealed).unwrap().expose(), b"payload");
    }
    let path = sandbox.root().join("other");
    let cipher = "chacha20-poly1305@openssh.com";
    keygen(&[
        "-t",
        "ed25519",
        "-Z",
        cipher,
        "-a",
        "1",
        "-N",
        PASSPHRASE,
        "-f",
        path.to_str().unwrap(),
    ]);
    with_vault(&sandbox);
    with_file(&sandbox, &path)
        .fails(3)
        .says(str![[r#"
error: the key from --key-file [..]/other is encrypted with a cipher that vault does not know
hint: encrypt it with the usual one: `ssh-keygen -p -Z aes256-ctr -f FILE`
"#]])
        .check();
}

fn with_vault(sandbox: &Sandbox) {
    sandbox.quick(&["init", "--name", "alice"]);
}

#[test]
fn costly_passphrase_is_refused_without_a_question() {
    if !has_keygen() {
        return;
    }
    let sandbox = sandbox(PASSPHRASE);
    let path = default_key(&sandbox);
    let whole = bytes(&path);
    let at = whole.windows(6).position(|part| part == b"bcrypt").unwrap() + 6 + 4 + 4 + 16;
    assert_eq!(whole[at..at + 4], 16_u32.to_be_bytes());
    for (rounds, reason) in [
        (1_001_u32, "demands more work to open than vault accepts"),
        (u32::MAX, "demands more work to open than vault accepts"),
        (0, "is damaged"),
    ] {
        let mut costly = whole.clone();
        costly[at..at + 4].copy_from_slice(&rounds.to_be_bytes());
        write_bytes(&path, &costly);
        let screen = Terminal::start(sandbox.vault(&["get", "KEY"])).ends(3);
        assert!(
            screen.contains(reason) && !screen.contains("passphrase of"),
            "{screen}"
        );
    }
    write_bytes(&path, &whole);
    assert!(
        SshKey::parse(text(&path).as_bytes())
            .unwrap()
            .open(PASSPHRASE)
            .is_ok()
    );
}

#[test]
fn ssh_keys_of_other_kinds_are_refused() {
    if !has_keygen() {
        return;
    }
    let sandbox = Sandbox::with_vault();
    for (kind, options, said) in [
        (
            "rsa",
            &[][..],
            str![[r#"
error: the key from --key-file [ROOT]/rsa is ssh-rsa, which vault cannot use: decrypting with RSA can reveal the key to someone who measures its time
hint: use an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or an age identity
"#]],
        ),
        (
            "rsa",
            &["-m", "PEM"],
            str![[r#"
error: the key from --key-file [ROOT]/rsa-mPEM is ssh-rsa, which vault cannot use: decrypting with RSA can reveal the key to someone who measures its time
hint: use an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or an age identity
"#]],
        ),
        (
            "ecdsa",
            &[],
            str![[r#"
error: the key from --key-file [ROOT]/ecdsa is ecdsa-sha2-nistp256, which vault cannot use: it can only sign
hint: use an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or an age identity
"#]],
        ),
        (
            "ecdsa",
            &["-m", "PEM"],
            str![[r#"
error: the key from --key-file [ROOT]/ecdsa-mPEM is not in OpenSSH's own format
hint: use an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or an age identity
"#]],
        ),
        (
            "ecdsa",
            &["-m", "PKCS8"],
            str![[r#"
error: the key from --key-file [ROOT]/ecdsa-mPKCS8 is not in OpenSSH's own format
hint: use an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or an age identity
"#]],
        ),
    ] {
        let name = format!("{kind}{}", options.concat());
        let path = sandbox.root().join(name);
        let words = ["-t", kind, "-N", "", "-f", path.to_str().unwrap()];
        keygen(&[&words[..], options].concat());
        with_file(&sandbox, &path).fails(3).says(said).check();
    }
    let path = sandbox.root().join("key");
    ed25519(&path, "");
    with_file(&sandbox, &path.with_extension("pub"))
        .fails(3)
        .says(str![[r#"
error: the key from --key-file [ROOT]/key.pub is a public key
hint: name the file without .pub
"#]])
        .check();
}

#[test]
fn damaged_ssh_keys_are_refused() {
    if !has_keygen() {
        return;
    }
    let folder = Sandbox::empty();
    let [own, other] = ["own", "other"].map(|name| folder.root().join(name));
    ed25519(&own, "");
    ed25519(&other, "");
    snapbox::assert_data_eq!(
        text(&own),
        str![[r#"
-----BEGIN OPENSSH PRIVATE KEY-----
...
-----END OPENSSH PRIVATE KEY-----

"#]]
    );
    let whole = bytes(&own);
    let parse = |bytes: &[u8]| {
        let path = folder.root().join("damaged");
        write_bytes(&path, bytes);
        SshKey::parse(text(&path).as_bytes()).and_then(|key| key.open("").map(|_| ()))
    };
    assert_eq!(parse(&whole), Ok(()));
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).is_err(), "{end}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        // Only the comment is not checked by anything.
        let is_comment = changed.windows(3).all(|part| part != b"own");
        assert!(parse(&changed).is_err() || is_comment, "{at}");
    }
    assert!(parse(&[&whole[..], b"x"].concat()).is_err());
    // The public half of another key, in front of the private one.
    let start = whole
        .windows(11)
        .position(|part| part == b"ssh-ed25519")
        .unwrap();
    let mut swapped = whole.clone();
    swapped[start..start + 47].copy_from_slice(&bytes(&other)[start..start + 47]);
    assert_eq!(parse(&swapped), Err(SshKeyError::Halves));

    let (own, other) = (text(&own), text(&other));
    let lines: Vec<&str> = own.lines().collect();
    let carriage = own.replace('\n', "\r\n");
    assert!(SshKey::parse(carriage.as_bytes()).is_ok());
    for damaged in [
        String::new(),
        format!("{own}{other}"),
        format!("{own}{own}"),
        lines[1..].join("\n"),
        lines[..lines.len() - 1].join("\n"),
        own.replace("OPENSSH ", ""),
        own.replacen("AAAA", "AA!A", 1),
        own.replacen("AAAA", "AA==", 1),
        format!("x\n{own}"),
        format!("{own}x\n"),
        format!("{BEGIN}\n-----END OPENSSH PRIVATE KEY-----\n"),
    ] {
        assert!(SshKey::parse(damaged.as_bytes()).is_err(), "{damaged}");
    }
}

#[test]
fn ssh_sealing_works_with_age_both_ways() {
    if !has_keygen() || !has("age", "age") {
        return;
    }
    let sandbox = Sandbox::empty();
    let path = sandbox.root().join("key");
    let line = ed25519(&path, "");
    let key = SshKey::parse(text(&path).as_bytes()).unwrap();
    let (short, _) = line.rsplit_once(' ').unwrap();
    assert!(short.parse::<Recipient>().unwrap() == key.recipient());
    let sealed = key.recipient().seal(&Secret::new(b"from vault".to_vec()));
    fs::write(sandbox.root().join("sealed"), sealed).unwrap();
    let age = |words: &[&str]| {
        let mut age = Command::new("age");
        let output = age
            .current_dir(sandbox.root())
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    assert_eq!(age(&["-d", "-i", "key", "sealed"]), b"from vault");
    fs::write(sandbox.root().join("plain"), "from age").unwrap();
    let sealed = age(&["-e", "-R", "key.pub", "plain"]);
    let opened = key.open("").unwrap().unseal(&sealed).unwrap();
    assert_eq!(opened.expose(), b"from age");
    let both = age(&["-e", "-R", "key.pub", "-r", &own_age(), "plain"]);
    assert!(!key.recipient().is_alone_in(&both));
}

#[test]
fn second_recipient_beside_an_ssh_key_is_refused() {
    if !has_keygen() || !has("age", "age") {
        return;
    }
    let sandbox = Sandbox::empty();
    let paths = ["own", "other"].map(|name| sandbox.root().join(name));
    let lines = paths.each_ref().map(|path| ed25519(path, ""));
    let keys = paths.map(|path| SshKey::parse(text(&path).as_bytes()).unwrap());
    let classic = own_age();
    for others in [
        &["-r", &lines[1]][..],
        &["-r", &lines[0]],
        &["-r", &classic],
    ] {
        let mut age = Command::new("age");
        age.args(["-e", "-r", &lines[0]])
            .args(others)
            .arg("/dev/null");
        let sealed = age.output().unwrap().stdout;
        assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
        assert!(!keys[0].recipient().is_alone_in(&sealed));
        let opened = keys[0].open("").unwrap().unseal(&sealed);
        assert!(matches!(opened, Err(UnsealError::NotAlone)));
    }
    let sealed = keys[0].recipient().seal(&Secret::new(b"payload".to_vec()));
    let opened = keys[1].open("").unwrap().unseal(&sealed);
    assert!(matches!(opened, Err(UnsealError::NotMine)));
    let classic: Recipient = classic.parse().unwrap();
    assert!(!classic.is_alone_in(&sealed));
}

fn own_age() -> String {
    let kind = repovault::crypto::NativeKind::Classic;
    repovault::crypto::Identity::generate(kind)
        .recipient()
        .to_string()
}

#[test]
fn key_protect_does_not_touch_an_ssh_key() {
    if !has_keygen() {
        return;
    }
    let sandbox = sandbox("");
    for command in ["protect", "unprotect"] {
        sandbox
            .vault(&["key", command])
            .fails(3)
            .says(str![[r#"
error: could not find the key file [ROOT]/home/.config/vault/identity.[..]
hint: to change the passphrase of an SSH key: `ssh-keygen -p -f [ROOT]/home/.ssh/id_ed25519`
"#]])
            .check();
    }
    let folder = sandbox.home().join(".config/vault");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(default_key(&sandbox), folder.join("identity.txt")).unwrap();
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    sandbox
        .vault(&["key", "protect"])
        .fails(2)
        .says(str![[r#"
error: [ROOT]/home/.config/vault/identity.txt is an SSH key, which vault never writes
hint: give it a passphrase: `ssh-keygen -p -f FILE`
"#]])
        .check();
}
