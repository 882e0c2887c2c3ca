//! Admins are added and removed, keys are lost, and the vault gets a new authority.

use std::fs;

use repovault::vault::model::Access;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::craft;
use crate::support::membership::{membership, touched, with_bob};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::terminal::Terminal;

#[test]
fn own_access_cannot_be_reduced() {
    let sandbox = stocked();
    let alone = str![[r#"
error: alice is the only admin, and cannot lose anything
hint: make someone else an admin, who then does this: `vault members set NAME --admin`
"#]];
    let own: [&[&str]; 5] = [
        &["members", "remove", "alice", "--yes"],
        &["members", "set", "alice", "--no-admin", "--yes"],
        &["members", "set", "alice", "-e", "production=none"],
        &["members", "set", "alice", "-e", "production=read"],
        &["members", "set", "alice", "-e", "production=OTHER"],
    ];
    for arguments in own {
        sandbox.vault(arguments).fails(2).says(&alone).check();
    }
    with_bob(&sandbox, &["production=write"]);
    sandbox.vault(own[0]).fails(2).says(&alone).check();
    sandbox
        .vault(&["members", "set", "bob", "--admin"])
        .says(str![[r#"
the admin bob has production=write
next: commit .vault
"#]])
        .changes(&["repo/.vault/members/bob.toml"])
        .check();
    let said = str![[r#"
error: alice cannot take anything from alice
hint: another admin has to do it: bob
"#]];
    for arguments in own {
        sandbox.vault(arguments).fails(2).says(&said).check();
    }
}

/// Bob becomes an admin and removes alice. She has seen the authority key.
#[test]
fn removing_an_admin_replaces_the_vault_id() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write", "development=write"]);
    let credential = sandbox.credential("github", &["-e", "production"]);
    sandbox.quick(&["members", "set", "bob", "--admin"]);
    sandbox.commit("bob takes over");
    bob.pull();
    let (old, authority) = (sandbox.id(), craft::authority(&sandbox));
    let question = str![[r#"
error: cannot ask for confirmation without a terminal: replace the authority, which alice knows. The vault gets a new id, which everyone has to trust again, and every credential has to be made again.
hint: to confirm, pass `--yes`
"#]];
    bob.vault(&["members", "remove", "alice"])
        .fails(4)
        .says(&question)
        .check();
    let mut terminal = Terminal::start(bob.vault(&["members", "remove", "alice"]));
    terminal.sees("every credential has to be made again. [y/N] ");
    terminal.types("y\n");
    let screen = terminal.ends(0);
    for line in [
        "removed the member alice\n",
        "development has epoch 2: 1 entry re-encrypted\n",
        "production has epoch 2: 2 entries re-encrypted\n",
        "the vault has a new id: vault1",
        &format!("its former id was {old}\n"),
        "these credentials no longer work: github; ",
        "alice could read OTHER in production, and the value has not changed\n",
    ] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    bob.send();
    let new = sandbox.id();
    assert_ne!(old, new);
    bob.vault(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .check();
    bob.vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    let other = format!(
        "error: .vault/root.toml: belongs to a different vault: expected {old}, found {new}\n"
    );
    let get = ["get", "OTHER", "-e", "production"];
    let said = format!(
        "{other}hint: [..]\nhint: only if a colleague sent you the new id: `vault trust ID`\n"
    );
    sandbox.vault(&get).fails(4).says(&said).check();
    let said = format!("{other}hint: [..]\nhint: [..]\nhint: [..]\n");
    sandbox
        .vault(&get)
        .variable("VAULT_KEY", &credential)
        .fails(4)
        .says(&said)
        .check();
    sandbox
        .vault(&get)
        .variable("VAULT_ID", &new)
        .fails(3)
        .says(str![[r#"
error: your key ([RECIPIENT]) belongs to no member of this vault
hint: [..]
"#]])
        .check();
    // She still knows the old authority key, but anyone who trusts the new id refuses it.
    craft::resign_root(&sandbox, &authority, |root| root.revision += 1);
    let said = str![[r#"
error: .vault/root.toml: does not match the signature of the authority of this vault
hint: [..]
"#]];
    sandbox
        .vault(&get)
        .variable("VAULT_ID", &new)
        .fails(4)
        .says(&said)
        .check();
    sandbox.git(&["checkout", "--quiet", "HEAD~", "--", ".vault"]);
    sandbox.commit("alice puts her vault back");
    bob.pull();
    let said = format!(
        "error: .vault/root.toml: belongs to a different vault: expected {new}, found {old}\nhint: [..]\nhint: [..]\n"
    );
    bob.vault(&get).fails(4).says(&said).check();
}

#[test]
fn former_admin_can_read_and_write_under_the_new_id() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    sandbox.quick(&["members", "set", "bob", "--admin"]);
    let old = sandbox.id();
    sandbox.quick(&["members", "set", "bob", "--no-admin", "--yes"]);
    let new = sandbox.id();
    assert_ne!(old, new);
    sandbox.commit("bob is no admin");
    bob.pull();
    bob.vault(&["trust", &new])
        .says(str!["trusted: [ID]"])
        .any_change()
        .check();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("x")
        .any_change()
        .check();
    let said = str![[r#"
error: bob is not an admin of this vault
hint: ask an admin: alice
"#]];
    bob.vault(&["rotate", "-e", "production"])
        .fails(3)
        .says(&said)
        .check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
}

#[test]
fn lost_key_is_replaced_by_a_request_and_its_fingerprint() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("by bob")
        .any_change()
        .check();
    bob.send();
    // Bob's laptop is gone, and with it the key and the state.
    let stolen = fs::read(bob.key_file()).unwrap();
    fs::remove_dir_all(bob.home().join(".config")).unwrap();
    fs::remove_dir_all(bob.home().join(".local")).unwrap();
    let taken = str![[r#"
error: the name bob has been used; names are never reused
hint: choose another name
"#]];
    bob.vault(&["join", "--name", "bob"])
        .fails(2)
        .says(&taken)
        .check();
    bob.vault(&["join", "--name", "carol", "--new-key"])
        .fails(2)
        .says(str![[r#"
error: carol is not a member
hint: list the members: `vault members list`
"#]])
        .check();
    let id = sandbox.id();
    let join = ["join", "--name", "bob", "--new-key", "--id", &id];
    let asked = bob.vault(&join).outcome();
    let fingerprint = String::from_utf8(asked.output).unwrap().trim().to_owned();
    let hint = "`vault members set bob --new-key`";
    assert!(asked.said.contains(hint), "{}", asked.said);
    bob.send();
    // Until an admin answers it, a reviewer sees the request, and nothing is wrong.
    let waits = str![[r#"
...
needs attention:
  bob wants to replace their key with recipient [RECIPIENT]
"#]];
    sandbox.vault(&["verify"]).prints(waits).check();
    let set = ["members", "set", "bob", "--new-key"];
    let said = str![[r#"
error: cannot tell whose request this is without its fingerprint
hint: [..]
"#]];
    sandbox.vault(&set).fails(2).says(&said).check();
    let wrong = [&set[..], &["--fingerprint", "qqqqqqqqqqqqqqqqqqqqqqqqqq"]].concat();
    sandbox
        .vault(&wrong)
        .fails(4)
        .says(str![[r#"
error: [..]fingerprint[..]
hint: [..]
hint: [..]
"#]])
        .check();
    let files = touched(
        &sandbox,
        &[&set[..], &["--fingerprint", &fingerprint]].concat(),
    );
    assert_eq!(
        files,
        [
            "development/DATABASE_URL.toml",
            "members/alice.toml",
            "members/bob.toml",
            "production/DATABASE_URL.toml",
            "production/OTHER.toml",
            "requests/bob.toml",
            "root.toml",
        ]
    );
    sandbox.commit("bob has a new key");
    bob.pull();
    bob.vault(&["get", "OTHER", "-e", "production"])
        .prints("by bob")
        .any_change()
        .check();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"])
        .input("again")
        .any_change()
        .check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    // The laptop no longer opens anything, and the values that the old key could read are listed.
    let key = sandbox.root().join("stolen");
    fs::write(&key, stolen).unwrap();
    let run = sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .variable("VAULT_KEY_FILE", key.to_str().unwrap());
    run.variable("VAULT_ID", &sandbox.id())
        .fails(3)
        .says(str![[r#"
error: [..]belongs to no member[..]
hint: [..]
"#]])
        .check();
    let status = String::from_utf8(sandbox.vault(&["status"]).outcome().output).unwrap();
    let known = "bob-until-1 could read OTHER in production";
    assert!(status.contains(known), "{status}");
}

#[test]
fn new_recipient_without_a_request_gets_only_read_access() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=write"]);
    let person = craft::Person::new();
    let recipient = person.identity.recipient().to_string();
    let set = ["members", "set", "bob", "--recipient", &recipient];
    let said = str![[r#"
error: bob cannot write in production without a signing key
hint: ask bob to request one with the new key: `vault join --new-key --name bob`
hint: to let them read only: `vault members set bob -e production=read …`
"#]];
    sandbox.vault(&set).fails(2).says(&said).check();
    let own = craft::identity(&sandbox).recipient().to_string();
    let said = str!["error: this is already the recipient of alice"];
    sandbox
        .vault(&["members", "set", "bob", "--recipient", &own])
        .fails(2)
        .says(&said)
        .check();
    let said = str![[r#"
error: not a recipient
hint: [..]
hint: [..]
"#]];
    sandbox
        .vault(&["members", "set", "bob", "--recipient", "age1x"])
        .fails(2)
        .says(&said)
        .check();
    sandbox.quick(&[&set[..], &["-e", "production=read"]].concat());
    let key = person.key_file(&sandbox).display().to_string();
    let get = sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .variable("VAULT_KEY_FILE", &key);
    get.variable("VAULT_ID", &sandbox.id())
        .prints("other")
        .any_change()
        .check();
}

/// Alice's laptop is gone, and she uses the recovery key.
#[test]
fn recovery_member_replaces_the_key_of_the_only_person() {
    let sandbox = Sandbox::empty();
    let recovery = sandbox.quick(&["init", "--name", "alice", "--recovery", "-q"]);
    sandbox.set("production", "KEY", b"value");
    sandbox.commit("a vault");
    let old = sandbox.id();
    let safe = sandbox.root().join("recovery");
    fs::write(&safe, recovery).unwrap();
    for folder in [".config", ".local"] {
        fs::remove_dir_all(sandbox.home().join(folder)).unwrap();
    }
    let asked = sandbox
        .vault(&["join", "--name", "alice", "--new-key"])
        .outcome();
    let fingerprint = String::from_utf8(asked.output).unwrap().trim().to_owned();
    let hint = "`vault members set alice --new-key`";
    assert!(asked.said.contains(hint), "{}", asked.said);
    let set = [
        "members",
        "set",
        "alice",
        "--new-key",
        "--fingerprint",
        &fingerprint,
    ];
    let safe = safe.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let run = sandbox.vault(arguments).variable("VAULT_KEY_FILE", safe);
        run.variable("VAULT_ID", &sandbox.id()).without("HOME")
    };
    run(&set)
        .fails(4)
        .says(str![[r#"
error: cannot ask for confirmation without a terminal: replace the authority, which alice knows. [..]
hint: to confirm, pass `--yes`
"#]])
        .check();
    let done = run(&[&set[..], &["--yes"]].concat()).outcome();
    assert_eq!(done.status, 0, "{}", done.said);
    let new = sandbox.id();
    assert_ne!(old, new);
    sandbox
        .vault(&["trust", &new])
        .says(str!["trusted: [..]"])
        .any_change()
        .check();
    assert_eq!(sandbox.get("production", "KEY"), b"value");
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    assert_eq!(membership(&sandbox).members.len(), 2);
}

#[test]
fn new_authority_prints_both_ids_and_the_next_steps() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let credential = sandbox.credential("github", &["-e", "production"]);
    sandbox.commit("bob and a machine");
    let carol = Colleague::clone_of(&sandbox, "carol");
    carol.join();
    carol.send();
    let old = sandbox.id();
    let said = str![[r#"
error: cannot ask for confirmation without a terminal: make a new authority. The vault gets a new id, which everyone has to trust again, and every credential has to be made again.
hint: to confirm, pass `--yes`
"#]];
    sandbox
        .vault(&["rotate", "--authority"])
        .fails(4)
        .says(&said)
        .check();
    let outcome = sandbox.vault(&["rotate", "--authority", "--yes"]).outcome();
    let new = sandbox.id();
    assert_ne!(old, new);
    assert_eq!(
        outcome.said,
        format!(
            "development has epoch 2: 1 entry re-encrypted
production has epoch 2: 2 entries re-encrypted
the vault has a new id: {new}
its former id was {old}
send the new id to bob through another channel (not this repository):
    vault trust {new}
these credentials no longer work: github; first remove them with `vault members remove`, \
             then make new ones under new names with `vault ci add`
these requests to join are for the old id and must be made again: carol
if you set VAULT_ID anywhere, update it to the new id
next: commit .vault
"
        )
    );
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    fs::remove_file(sandbox.store("requests/carol.toml")).unwrap();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    let said = format!(
        "error: .vault/root.toml: belongs to a different vault: expected {old}, found {new}\nhint: [..]\nhint: [..]\nhint: [..]\n"
    );
    let get = ["get", "OTHER", "-e", "production"];
    sandbox
        .vault(&get)
        .variable("VAULT_KEY", &credential)
        .fails(4)
        .says(&said)
        .check();
    let key = bob.key_file(&sandbox).display().to_string();
    sandbox
        .vault(&get)
        .variable("VAULT_KEY_FILE", &key)
        .variable("VAULT_ID", &new)
        .prints("other")
        .any_change()
        .check();
    // Nothing from the old vault is valid in the new one.
    sandbox.git(&[
        "checkout",
        "--quiet",
        "HEAD",
        "--",
        ".vault/production/OTHER.toml",
    ]);
    sandbox
        .vault(&get)
        .fails(4)
        .says(str![[r#"
error: .vault/production/OTHER.toml: is of epoch 1, which the environment does not have
hint: [..]
"#]])
        .check();
}
