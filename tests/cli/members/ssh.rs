//! Members with SSH keys: added by a line or a file, and given write access by one `join`.

use std::fs;

use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::ssh::{ed25519, has_keygen, keygen, public};
use crate::support::terminal::Terminal;

/// A key of RFC 8032 with nothing after it.
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

/// bob, with an SSH key in its usual place and a clone. Returns the line of the public half, too.
fn bob(sandbox: &Sandbox) -> (Colleague<'_>, String) {
    let bob = Colleague::clone_of(sandbox, "bob");
    let line = ed25519(&bob.home().join(".ssh/id_ed25519"), "");
    (bob, line)
}

fn add<'a>(sandbox: &'a Sandbox, key: &[&str]) -> crate::support::sandbox::Run<'a> {
    let words = ["members", "add", "bob", "-e", "development=read"];
    sandbox.vault(&[&words[..], key].concat())
}

fn spelled(line: &str) -> String {
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn ssh_member_reads_then_joins_to_write() {
    if !has_keygen() {
        return;
    }
    let sandbox = stocked();
    let (bob, line) = bob(&sandbox);
    let file = bob.home().join(".ssh/id_ed25519.pub");
    add(&sandbox, &["--ssh", file.to_str().unwrap()])
        .says("added bob: development=read\nnext: commit .vault\n")
        .changes(&["repo/.vault/members/bob.toml"])
        .check();
    let member = fs::read_to_string(sandbox.store("members/bob.toml")).unwrap();
    let recipient = spelled(&line);
    assert!(
        member.contains(&format!("\nrecipient = \"{recipient}\"\n")),
        "{member}"
    );
    sandbox.commit("bob can read");
    bob.pull();

    let trusting = bob.vault(&["trust", &sandbox.id()]).any_change().outcome();
    assert_eq!(trusting.status, 0, "{}", trusting.said);
    let exec = ["exec", "--no-mask", "--", "sh", "-c", "echo $DATABASE_URL"];
    bob.vault(&exec)
        .prints("postgres://development\n")
        .any_change()
        .check();
    bob.vault(&["set", "OWN"])
        .input("own")
        .fails(3)
        .says(str![[r#"
error: bob may not write in development
hint: ask an admin for write access
"#]])
        .check();
    sandbox
        .vault(&["members", "set", "bob", "-e", "development=write"])
        .fails(2)
        .says(str![[r#"
error: bob cannot write in development without a signing key
hint: ask bob to request one: `vault join --name bob`
hint: to let them read only: `vault members set bob -e development=read …`
"#]])
        .check();

    bob.vault(&["join"])
        .prints("[..]\n")
        .says(str![[r#"
requested to join as bob: [ROOT]/home/bob/repo/.vault/requests/bob.toml
an admin can give bob write access then: `vault members set bob -e ENVIRONMENT=write`
next: commit it, and give this fingerprint to an admin (alice) outside this repository:
"#]])
        .any_change()
        .check();
    let again = bob.vault(&["join"]).outcome();
    let fingerprint = String::from_utf8(again.output).unwrap();
    // Until it is answered, bob still reads.
    bob.vault(&exec).prints("postgres://development\n").check();
    bob.send();

    sandbox
        .vault(&["verify"])
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

needs attention:
  bob wants a signing key, so that they can be given write access
"#]])
        .says(str![])
        .check();
    let write = ["members", "set", "bob", "-e", "development=write"];
    sandbox
        .vault(&[&write[..], &["--fingerprint", "qqqqqqqqqqqqqqqqqqqqqqqqqq"]].concat())
        .fails(4)
        .says(str![[r#"
error: .vault/requests/bob.toml: has another fingerprint than the one bob gave you
hint: a typing error, an older request, or someone changed it: `git log -p -- .vault/requests`
hint: bob can print it again in the clone of the request: `vault join --name bob`
"#]])
        .check();
    sandbox
        .vault(&[&write[..], &["--fingerprint", fingerprint.trim()]].concat())
        .says(str![[r#"
bob has development=write
next: commit .vault
"#]])
        .changes(&[
            "repo/.vault/members/bob.toml",
            "repo/.vault/requests/bob.toml",
        ])
        .check();
    sandbox
        .vault(&["verify"])
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok
"#]])
        .check();
    sandbox.commit("bob can write");
    bob.pull();
    bob.vault(&["set", "OWN", "-q"])
        .input("own")
        .any_change()
        .check();
    bob.vault(&["get", "OWN"]).prints("own").check();
    bob.vault(&["join"])
        .fails(2)
        .says(str![[r#"
error: you are already a member: bob
hint: list the members: `vault members list`
"#]])
        .check();
}

#[test]
fn ssh_key_requests_to_join_and_can_become_an_admin() {
    if !has_keygen() {
        return;
    }
    let sandbox = stocked();
    let (bob, _) = bob(&sandbox);
    let key = bob.home().join(".ssh/id_ed25519").display().to_string();
    let id = sandbox.id();
    let words = [
        "join",
        "--name",
        "bob",
        "--id",
        &id,
        "-q",
        "--key-file",
        &key,
    ];
    let outcome = bob.vault(&words).outcome();
    assert_eq!(outcome.status, 0, "{}", outcome.said);
    let fingerprint = String::from_utf8(outcome.output).unwrap();
    bob.send();
    let words = [
        "members",
        "add",
        "bob",
        "-q",
        "--admin",
        "--fingerprint",
        fingerprint.trim(),
    ];
    sandbox.quick(&words);
    sandbox.commit("bob is an admin");
    bob.pull();
    bob.vault(&["rotate", "-q", "-e", "development"])
        .any_change()
        .check();
    let credential = bob
        .vault(&["ci", "add", "ci", "-q", "-e", "development"])
        .any_change();
    let credential = String::from_utf8(credential.outcome().output).unwrap();
    bob.vault(&["get", "DATABASE_URL"])
        .variable("VAULT_KEY", credential.trim())
        .prints("postgres://development")
        .check();
    // Another admin removes them, and the key never comes back.
    bob.send();
    sandbox.quick(&["members", "remove", "bob", "--yes", "-q"]);
    let line = public(&bob.home().join(".ssh/id_ed25519"));
    sandbox
        .vault(&[
            "members",
            "add",
            "bobby",
            "-e",
            "development=read",
            "--recipient",
            &line,
        ])
        .fails(2)
        .says(str![[r#"
error: these keys belong to the former member bob, and keys of former members never come back
hint: make a new key: `vault join --new-key --name NAME`
"#]])
        .check();
}

#[test]
fn recipient_with_a_comment_is_stored_without_it() {
    let sandbox = stocked();
    let typed = format!("  {OTHER} bob the first@laptop\n");
    add(&sandbox, &["--recipient", &typed])
        .says("added bob: development=read\nnext: commit .vault\n")
        .changes(&["repo/.vault/members/bob.toml"])
        .check();
    let member = fs::read_to_string(sandbox.store("members/bob.toml")).unwrap();
    assert!(
        member.contains(&format!("\nrecipient = \"{OTHER}\"\n")),
        "{member}"
    );
    sandbox
        .vault(&[
            "members",
            "add",
            "carol",
            "-e",
            "development=read",
            "--recipient",
            OTHER,
        ])
        .fails(2)
        .says(str![[r#"
error: this recipient is already a member: bob
hint: change their access: `vault members set bob -e ENV=…`
"#]])
        .check();
}

#[test]
fn ssh_file_with_several_keys_asks_or_lists_them() {
    if !has_keygen() {
        return;
    }
    let sandbox = stocked();
    let folder = sandbox.root().join("keys");
    let first = ed25519(&folder.join("first"), "");
    let rsa = folder.join("rsa");
    keygen(&["-t", "rsa", "-N", "", "-f", rsa.to_str().unwrap()]);
    let rsa = public(&rsa);
    // A doubled key is one, and a key of another kind does not matter.
    let one = format!("# of bob\n{rsa}\n\n{first}\n{first}\r\n");
    let run = add(&sandbox, &["--ssh", "-"]).input(&one);
    run.says("added bob: development=read\nnext: commit .vault\n")
        .any_change()
        .check();
    sandbox.git(&["clean", "-qfd", ".vault"]);

    let two = format!("{first}\n{OTHER} second \u{1b}[31mkey\n");
    add(&sandbox, &["--ssh", "-"])
        .input(&two)
        .fails(2)
        .says(str![[r#"
error: standard input has 2 usable SSH keys
hint: the key …[..] first
hint: the key …Ja8CGmj3B1Ea second \u{1b}[31mkey
hint: name one: `vault members add bob --recipient "ssh-ed25519 AAAA…" …`
"#]])
        .check();
    let path = folder.join("two");
    fs::write(&path, &two).unwrap();
    let path = path.to_str().unwrap();
    for (typed, status) in [("3", 2), ("0", 2), ("x", 2), ("", 2), ("2", 0)] {
        let mut terminal = Terminal::start(add(&sandbox, &["--ssh", path]));
        terminal.sees("Type the number of one: ");
        terminal.types(&format!("{typed}\n"));
        let screen = terminal.ends(status);
        assert!(!screen.contains('\u{1b}'), "{screen:?}");
        if status == 0 {
            snapbox::assert_data_eq!(
                screen,
                str![[r#"
[..]/keys/two has 2 usable SSH keys:
  1. …[..] first
  2. …Ja8CGmj3B1Ea second /u{1b}[31mkey
Type the number of one: 2
added bob: development=read
next: commit .vault

"#]]
            );
        }
        assert_eq!(sandbox.store("members/bob.toml").exists(), status == 0);
    }
    let member = fs::read_to_string(sandbox.store("members/bob.toml")).unwrap();
    assert!(
        member.contains(&format!("\nrecipient = \"{OTHER}\"\n")),
        "{member}"
    );
}

#[test]
fn unusable_ssh_keys_are_refused_with_the_reason() {
    if !has_keygen() {
        return;
    }
    let sandbox = stocked();
    let folder = sandbox.root().join("keys");
    let own = ed25519(&folder.join("own"), "");
    let made = |kind: &str| {
        let path = folder.join(kind);
        keygen(&["-t", kind, "-N", "", "-f", path.to_str().unwrap()]);
        public(&path)
    };
    let private = fs::read_to_string(folder.join("own")).unwrap();
    let security = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t";
    add(&sandbox, &["--ssh", "-"])
        .input(&private)
        .fails(2)
        .says(str![[r#"
error: that is a private key, not a public one
hint: use its public half: of an SSH key, the file that ends in .pub; of an age key, what `vault key show` prints
"#]])
        .check();
    for (text, said) in [
        (
            made("rsa"),
            str![[r#"
error: a key of the kind ssh-rsa cannot be a recipient: decrypting with RSA can reveal the key to someone who measures its time
hint: ask for an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or for an age recipient
"#]],
        ),
        (
            made("ecdsa"),
            str![[r#"
error: a key of the kind ecdsa-sha2-nistp256 cannot be a recipient: it can only sign
hint: ask for an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or for an age recipient
"#]],
        ),
        (
            "ssh-dss AAAAB3NzaC1kc3MAAACBAP bob".to_owned(),
            str![[r#"
error: a key of the kind ssh-dss cannot be a recipient: it can only sign
hint: ask for an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or for an age recipient
"#]],
        ),
        (
            security.to_owned(),
            str![[r#"
error: a key of the kind sk-ssh-ed25519@openssh.com cannot be a recipient: a security key can sign, but not decrypt
hint: ask for an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or for an age recipient
"#]],
        ),
        (
            own[..60].to_owned(),
            str![[r#"
error: the SSH key is damaged: a part is missing or mistyped
hint: copy the whole line of the file that ends in .pub
"#]],
        ),
        (
            "ssh-ed25519".to_owned(),
            str![[r#"
error: the SSH key is damaged: a part is missing or mistyped
hint: copy the whole line of the file that ends in .pub
"#]],
        ),
        (
            format!("restrict,command=\"ls\" {own}"),
            str![[r#"
error: there is text before the SSH key, such as the options in authorized_keys
hint: give only the key: `ssh-ed25519 AAAA…`
"#]],
        ),
    ] {
        add(&sandbox, &["--ssh", "-"])
            .input(&text)
            .fails(2)
            .says(said.clone())
            .check();
        add(&sandbox, &["--recipient", &text])
            .fails(2)
            .says(said)
            .check();
    }
    for (text, said) in [
        (
            "",
            str![[r#"
error: standard input has no SSH key
hint: a line is `ssh-ed25519 AAAA…` and perhaps a comment, as in `~/.ssh/id_ed25519.pub`
"#]],
        ),
        (
            "# nothing\n\n",
            str![[r#"
error: standard input has no SSH key
hint: a line is `ssh-ed25519 AAAA…` and perhaps a comment, as in `~/.ssh/id_ed25519.pub`
"#]],
        ),
        (
            "hello\n",
            str![[r#"
error: line 1 of standard input is not a public SSH key
hint: a line is `ssh-ed25519 AAAA…` and perhaps a comment, as in `~/.ssh/id_ed25519.pub`
"#]],
        ),
        (
            &format!("{own}\nhello\n"),
            str![[r#"
error: line 2 of standard input is not a public SSH key
hint: a line is `ssh-ed25519 AAAA…` and perhaps a comment, as in `~/.ssh/id_ed25519.pub`
"#]],
        ),
        (
            &format!("{own}\n{}\n", &own[..60]),
            str![[r#"
error: the SSH key is damaged: a part is missing or mistyped
hint: copy the whole line of the file that ends in .pub
"#]],
        ),
    ] {
        let run = add(&sandbox, &["--ssh", "-"]).input(text);
        run.fails(2).says(said).check();
    }
    add(&sandbox, &["--ssh", "-"])
        .input([0xff, 0xfe])
        .fails(2)
        .says(str!["error: standard input is not UTF-8 text"])
        .check();
    add(&sandbox, &["--ssh", "missing"])
        .fails(1)
        .says(str![
            "error: could not read missing: No such file or directory (os error 2)"
        ])
        .check();
    let body = private.lines().nth(2).unwrap();
    for word in ["--ssh", "--recipient", "--ssh=", "--recipient="] {
        let attached = format!("{word}{private}");
        let words = if word.ends_with('=') {
            vec![&attached[..]]
        } else {
            vec![word, &private]
        };
        let outcome = add(&sandbox, &words).outcome();
        assert!(
            outcome.status == 2 && !outcome.said.contains(body),
            "{}",
            outcome.said
        );
    }
    let key = sandbox.home().join(".config/vault/identity.txt");
    add(&sandbox, &["--ssh", "-", "--key-file", "-"])
        .input(fs::read(key).unwrap())
        .fails(2)
        .says(str![
            "error: standard input contains your key, so it cannot contain the SSH key"
        ])
        .check();
}

#[test]
fn weak_ssh_points_are_refused() {
    let sandbox = stocked();
    let before = sandbox.files();
    let points: [[u8; 32]; 4] = {
        let mut one = [0; 32];
        one[0] = 1;
        let mut signed = one;
        signed[31] = 0x80;
        let mut above = [0xff; 32];
        above[31] = 0x7f;
        [[0; 32], one, signed, above]
    };
    for point in points {
        let bytes = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &point].concat();
        let line = format!("ssh-ed25519 {}", repovault::crypto::base64_encode(&bytes));
        add(&sandbox, &["--recipient", &line])
            .fails(2)
            .says(str![[r#"
error: the SSH key is damaged: a part is missing or mistyped
hint: copy the whole line of the file that ends in .pub
"#]])
            .check();
    }
    assert!(sandbox.files() == before);
}

#[test]
fn ssh_key_in_another_form_is_the_same_person() {
    let sandbox = stocked();
    let twins = OTHER
        .parse::<repovault::crypto::Recipient>()
        .unwrap()
        .twins();
    let twins: Vec<String> = twins.iter().map(ToString::to_string).collect();
    assert_eq!(twins.len(), 2);
    let carol = [
        "members",
        "add",
        "carol",
        "-q",
        "-e",
        "development=read",
        "--recipient",
        OTHER,
    ];
    sandbox.quick(&carol);
    for twin in &twins {
        add(&sandbox, &["--recipient", twin])
            .fails(2)
            .says(str![[r#"
error: this recipient is the key of carol in another form
hint: use the key that is there, or a new one
"#]])
            .check();
        let set = ["members", "set", "carol", "--recipient", twin];
        sandbox
            .vault(&set)
            .fails(2)
            .says(str![[r#"
error: this recipient is the key of carol in another form
hint: use the key that is there, or a new one
"#]])
            .check();
    }
    sandbox.quick(&["members", "remove", "carol", "--yes", "-q"]);
    for twin in &twins {
        add(&sandbox, &["--recipient", twin]).fails(2).says(str!["error: this recipient is the key of the former member carol in another form, and keys of former members never come back"]).check();
    }
}
