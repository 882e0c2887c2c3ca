//! Joining: a request, a fingerprint exchanged outside the repository, and the new member's access.

use std::fs;

use snapbox::data::Inline;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::membership::{ADD, add_with, asked};
use crate::support::refusal::stocked;
use crate::support::sandbox::{changed, is_like};
use crate::support::terminal::Terminal;

#[test]
fn merged_request_lets_a_colleague_join() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let said =
        "made your key: [..]/.config/vault/identity.txt (back it up; it is not in the repository)
requested to join as bob: [..]/.vault/requests/bob.toml
next: commit it, and give this fingerprint to an admin (alice) outside this repository:
";
    let recipient = "home/bob/.local/state/vault/";
    let before = sandbox.files();
    let outcome = bob
        .vault(&["join", "--name", "bob", "--id", &sandbox.id()])
        .outcome();
    assert!(
        outcome.status == 0 && is_like(said, &outcome.said),
        "{}",
        outcome.said
    );
    let fingerprint = String::from_utf8(outcome.output).unwrap();
    assert!(
        fingerprint.ends_with('\n') && fingerprint.trim().len() == 26,
        "{fingerprint}"
    );
    let files = changed(&before, &sandbox.files());
    assert_eq!(files.len(), 3, "{files:?}");
    assert_eq!(files[0], "home/bob/.config/vault/identity.txt");
    assert!(files[1].starts_with(recipient), "{files:?}");
    assert_eq!(files[2], "home/bob/repo/.vault/requests/bob.toml");
    let locked = str![[r#"
error: your key ([RECIPIENT]) belongs to no member of this vault
hint: use the key you joined with, or ask an admin to add you
"#]];
    bob.vault(&["get", "DATABASE_URL"])
        .fails(3)
        .says(&locked)
        .check();
    bob.send();

    sandbox
        .vault(&add_with(fingerprint.trim()))
        .says(str![[r#"
added bob: development=write production=read
next: commit .vault
"#]])
        .changes(&[
            "repo/.vault/members/bob.toml",
            "repo/.vault/requests/bob.toml",
        ])
        .check();
    sandbox.commit("bob is a member");
    bob.pull();

    bob.vault(&["get", "DATABASE_URL"])
        .prints("postgres://development")
        .any_change()
        .check();
    bob.vault(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .check();
    bob.vault(&["set", "OWN", "-q"])
        .input("own")
        .any_change()
        .check();
    let said = str![[r#"
error: bob may not write in production
hint: ask an admin for write access
"#]];
    bob.vault(&["set", "OWN", "-e", "production"])
        .input("own")
        .fails(3)
        .says(&said)
        .check();
    bob.send();
    assert_eq!(sandbox.get("development", "OWN"), b"own");
}

#[test]
fn terminal_asks_for_the_fingerprint_without_showing_it() {
    let (sandbox, fingerprint) = asked();
    let question = "bob wants to join and would get development=write production=read.
Type the fingerprint that bob gave you outside this repository: ";
    let before = sandbox.files();
    for wrong in ["", "y", &fingerprint[1..], "qqqqqqqqqqqqqqqqqqqqqqqqqq"] {
        let mut terminal = Terminal::start(sandbox.vault(&ADD));
        terminal.sees(question);
        terminal.types(&format!("{wrong}\n"));
        let screen = terminal.ends(4);
        assert!(!screen.contains(&fingerprint), "{screen}");
        let refused =
            "error: .vault/requests/bob.toml: has another fingerprint than the one bob gave you";
        assert!(screen.contains(refused), "{screen}");
        assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());
    }
    let mut terminal = Terminal::start(sandbox.vault(&ADD));
    terminal.sees(question);
    terminal.types(&format!("{}\n", fingerprint.to_uppercase()));
    let screen = terminal.ends(0);
    assert!(
        screen.contains("added bob: development=write production=read\n"),
        "{screen}"
    );
}

#[test]
fn addition_without_a_terminal_needs_the_fingerprint() {
    let (sandbox, fingerprint) = asked();
    let said = str![[r#"
error: cannot tell whose request this is without its fingerprint
hint: ask [..] for it outside this repository, then pass `--fingerprint …`
"#]];
    sandbox.vault(&ADD).fails(2).says(&said).check();
    let refused = str![[r#"
error: .vault/requests/bob.toml: has another fingerprint than the one bob gave you
hint: a typing error, an older request, or someone changed it: `git log -p -- .vault/requests`
hint: bob can print it again in the clone of the request: `vault join --name bob`
"#]];
    let shorter = &fingerprint[1..];
    for wrong in ["", "yes", shorter, "qqqqqqqqqqqqqqqqqqqqqqqqqq"] {
        sandbox
            .vault(&add_with(wrong))
            .fails(4)
            .says(&refused)
            .check();
    }
    let yes = sandbox.vault(&[&ADD[..], &["--yes"]].concat()).outcome();
    assert_eq!(yes.status, 2, "{}", yes.said);
    sandbox.quick(&add_with(&fingerprint));
}

#[test]
fn invalid_access_is_refused_before_the_prompt() {
    let (sandbox, fingerprint) = asked();
    let cases: [(&[&str], Inline); 6] = [
        (
            &["bob"],
            str![[r#"
error: no access was given for bob
hint: name the access to each environment: `vault members add bob -e ENV=read`
"#]],
        ),
        (
            &["bob", "-e", "staging=read"],
            str![[r#"
error: there is no environment staging; there are: development, production
hint: make it: `vault environments add staging`
"#]],
        ),
        (
            &["bob", "-e", "production=read", "-e", "production=write"],
            str!["error: access to production is given twice"],
        ),
        (
            &["bob", "-e", "production="],
            str!["error: write it as ENVIRONMENT=write, [..]"],
        ),
        (
            &["carol", "-e", "production=read"],
            str![[r#"
error: no join request from carol
hint: ask carol to run `vault join --name carol` and merge it
hint: to add them for reading only: `vault members add carol --recipient age1… -e ENV=read`
"#]],
        ),
        (
            &["alice", "-e", "production=read"],
            str![[r#"
error: no join request from alice
hint: [..]
hint: [..]
"#]],
        ),
    ];
    for (arguments, said) in cases {
        let arguments = [
            &["members", "add"],
            arguments,
            &["--fingerprint", &fingerprint],
        ]
        .concat();
        sandbox.vault(&arguments).fails(2).says(said).check();
    }
}

#[test]
fn existing_key_is_used_and_its_fingerprint_stays_the_same() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let other = sandbox.repo().join("other");
    fs::create_dir(&other).unwrap();
    bob.vault(&["init", "--name", "bob", "-q"])
        .folder(&other)
        .any_change()
        .check();
    let key = fs::read(bob.key_file()).unwrap();
    let fingerprint = bob.join();
    assert_eq!(fs::read(bob.key_file()).unwrap(), key);
    let said = str!["you have already requested to join as bob; the fingerprint is"];
    let again = bob.vault(&["join", "--name", "bob"]);
    again.prints(format!("{fingerprint}\n")).says(&said).check();
}

#[test]
fn used_name_or_machine_credential_cannot_join() {
    let (sandbox, fingerprint) = asked();
    let carol = Colleague::clone_of(&sandbox, "carol");
    let said = str![[r#"
error: .vault/requests/bob.toml: is a request that was not made here
hint: choose another name, or remove it and join again: `rm .vault/requests/bob.toml`
"#]];
    carol
        .vault(&["join", "--name", "bob"])
        .fails(4)
        .says(&said)
        .check();
    let taken = str![[r#"
error: the name alice has been used; names are never reused
hint: choose another name
"#]];
    carol
        .vault(&["join", "--name", "alice"])
        .fails(2)
        .says(&taken)
        .check();
    for name in ["", "Carol", "requests", "a/b"] {
        let outcome = carol.vault(&["join", "--name", name]).outcome();
        assert_eq!(
            (outcome.status, outcome.output),
            (2, Vec::new()),
            "{}",
            outcome.said
        );
    }
    let said = str![[r#"
error: HOME is not set, so the request cannot be remembered
hint: set HOME, or XDG_STATE_HOME
"#]];
    carol
        .vault(&["join", "--name", "carol"])
        .without("HOME")
        .fails(2)
        .says(&said)
        .check();
    let said = str![[r#"
error: a credential is a machine's key, and a machine does not join by request
hint: unset VAULT_KEY and try again
"#]];
    let credential = sandbox.credential("github", &["-e", "production"]);
    let machine = carol
        .vault(&["join", "--name", "carol"])
        .variable("VAULT_KEY", &credential);
    machine.fails(2).says(&said).check();

    sandbox.quick(&add_with(&fingerprint));
    let said = str![[r#"
error: you are already a member: alice
hint: list the members: `vault members list`
"#]];
    sandbox
        .vault(&["join", "--name", "second"])
        .fails(2)
        .says(&said)
        .check();
    let taken = str![[r#"
error: the name bob has been used; names are never reused
hint: choose another name
"#]];
    sandbox.commit("bob is a member");
    carol.pull();
    carol
        .vault(&["join", "--name", "bob"])
        .fails(2)
        .says(&taken)
        .check();
}

#[test]
fn admin_can_grant_only_their_own_access() {
    let (sandbox, fingerprint) = asked();
    let add = ["members", "add", "bob", "--admin", "-e", "production=OTHER"];
    sandbox.quick(&[&add[..], &["--fingerprint", &fingerprint]].concat());
    let as_bob = |arguments: &[&str]| {
        let bob = sandbox.home().join("bob");
        sandbox
            .vault(arguments)
            .variable("HOME", bob.to_str().unwrap())
    };
    // Bob's state records the vault.
    as_bob(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .any_change()
        .check();
    let said = str![[r#"
error: only some names of production are sealed to you, not its data key
hint: ask an admin who can read all of it: `vault members list`
"#]];
    as_bob(&["ci", "add", "machine", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
    let said = str![[r#"
error: development is locked: bob has access to production
hint: ask an admin for access to development
"#]];
    as_bob(&["ci", "add", "machine", "-e", "development"])
        .fails(3)
        .says(&said)
        .check();
}

#[test]
fn added_admin_reads_everything_and_adds_members() {
    let (sandbox, fingerprint) = asked();
    let said = str![[r#"
added the admin bob: development=write production=write
next: commit .vault
"#]];
    let add = [
        "members",
        "add",
        "bob",
        "--admin",
        "--fingerprint",
        &fingerprint,
    ];
    sandbox.vault(&add).says(&said).any_change().check();
    sandbox.set("production", "LATER", b"later");
    sandbox.commit("bob is an admin");
    let carol = Colleague::clone_of(&sandbox, "carol");
    let fingerprint = carol.join();
    carol.send();
    let bob_home = sandbox.home().join("bob");
    let as_bob = |arguments: &[&str]| {
        sandbox
            .vault(arguments)
            .variable("HOME", bob_home.to_str().unwrap())
            .any_change()
    };
    // The id that bob pinned with the request belongs to the clone of that `join`.
    as_bob(&["get", "LATER", "-e", "production"])
        .prints("later")
        .check();
    let add = [
        "members",
        "add",
        "carol",
        "-e",
        "production=write",
        "--fingerprint",
        &fingerprint,
    ];
    as_bob(&add)
        .says(str![[r#"
added carol: production=write
next: commit .vault
"#]])
        .check();
    sandbox.commit("carol is a member");
    carol.pull();
    carol
        .vault(&["get", "LATER", "-e", "production"])
        .prints("later")
        .any_change()
        .check();
}

/// The member's file is written, and the request is not deleted yet.
#[test]
fn interrupted_addition_is_finished_by_the_same_command() {
    let (sandbox, fingerprint) = asked();
    let request = fs::read(sandbox.store("requests/bob.toml")).unwrap();
    sandbox.quick(&add_with(&fingerprint));
    fs::write(sandbox.store("requests/bob.toml"), request).unwrap();
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/requests/bob.toml: already a member with this key; to finish, repeat vault members add, or delete the file
"#]])
        .says(str![[r#"
error: verification failed: 1 finding
"#]])
        .check();
    sandbox
        .vault(&add_with(&fingerprint))
        .says(str![[r#"
added bob: development=write production=read
next: commit .vault
"#]])
        .changes(&[
            "repo/.vault/members/bob.toml",
            "repo/.vault/requests/bob.toml",
        ])
        .check();
    assert!(!sandbox.store("requests/bob.toml").exists());
    let bob = sandbox.vault(&["get", "OTHER", "-e", "production"]);
    let bob = bob.variable("HOME", sandbox.home().join("bob").to_str().unwrap());
    bob.prints("other").any_change().check();
    let holds = str![[r#"
[..]RESULT
development  1 [..]ok
production   2 [..]ok
"#]];
    sandbox.vault(&["verify"]).prints(&holds).check();
}
