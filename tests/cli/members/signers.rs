//! Signers: an entry counts only if a current writer of its environment signed it, and the root and
//! the members' files only if the authority did.

use std::collections::BTreeMap;
use std::fs;

use repovault::crypto::SigningKey;
use repovault::vault::model::{Access, Former};

use crate::support::craft::{self, Person};
use crate::support::refusal::{
    Command, ENTRY, KEYED, KEYLESS, Why, findings, found, not_held, refused, stocked, stopped,
};
use crate::support::sandbox::Sandbox;

/// A vault with bob, a reader of production with a signing key, carol, a writer of development only,
/// and dave, a former member.
struct Cast {
    sandbox: Sandbox,
    bob: Person,
    carol: Person,
    dave: Person,
}

fn cast() -> Cast {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let development = ("development", Access::Write);
    let carol = craft::enroll(
        &sandbox,
        "carol",
        &[development.clone(), ("production", Access::Read)],
    );
    let (dave, authority) = (Person::new(), craft::authority(&sandbox));
    craft::resign_root(&sandbox, &authority, |root| {
        let former = Former {
            recipient: Some(dave.identity.recipient().digest()),
            signer: Some(dave.key.public().digest()),
            lost: BTreeMap::new(),
        };
        root.former.insert("dave".parse().unwrap(), former);
        root.revision += 1;
    });
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    Cast {
        sandbox,
        bob,
        carol,
        dave,
    }
}

/// Re-signs the entry `DATABASE_URL` of production with `key`, naming `signer`.
fn sign(sandbox: &Sandbox, signer: &str, key: &SigningKey) {
    craft::resign_entry(sandbox, "production", "DATABASE_URL", key, |entry| {
        entry.signer = signer.parse().unwrap();
        entry.revision += 1;
    });
}

#[test]
fn entry_not_signed_by_a_current_writer_is_refused() {
    let Cast {
        sandbox,
        bob,
        carol,
        dave,
    } = cast();
    let (eve, authority) = (Person::new(), craft::authority(&sandbox));
    let path = ".vault/production/DATABASE_URL.toml";
    let genuine = fs::read(sandbox.repo().join(path)).unwrap();
    let not_alice = "does not match the signature of alice";
    let cases = [
        (
            "bob",
            &bob.key,
            "is signed by bob, who may not write in production",
        ),
        (
            "carol",
            &carol.key,
            "is signed by carol, who may not write in production",
        ),
        (
            "dave",
            &dave.key,
            "is signed by dave, who is no longer a member",
        ),
        ("eve", &eve.key, "is signed by eve, who is not a member"),
        ("alice", &bob.key, not_alice),
        ("alice", &carol.key, not_alice),
        ("alice", &dave.key, not_alice),
        ("alice", &eve.key, not_alice),
        ("alice", &authority, not_alice),
        (
            "bob",
            &authority,
            "is signed by bob, who may not write in production",
        ),
    ];
    for (signer, key, reason) in cases {
        sign(&sandbox, signer, key);
        refused(
            &sandbox,
            ENTRY,
            format!("error: {path}: {reason}\nhint: put back [..]{path}`\n"),
        );
        found(
            &sandbox,
            &[],
            1,
            &(not_held(1, 1) + &findings(&[&format!("{path}: {reason}")])),
        );
        fs::write(sandbox.repo().join(path), &genuine).unwrap();
    }
}

#[test]
fn tombstone_not_signed_by_a_writer_is_refused() {
    let Cast { sandbox, bob, .. } = cast();
    craft::resign_entry(&sandbox, "production", "DATABASE_URL", &bob.key, |entry| {
        entry.signer = "bob".parse().unwrap();
        entry.sealed = None;
        entry.revision += 1;
    });
    refused(
        &sandbox,
        ENTRY,
        "error: .vault/production/DATABASE_URL.toml: is signed by bob, who may not write in production
hint: put back one that a writer signed: `git log -p -- .vault/production/DATABASE_URL.toml`
",
    );
}

/// The author chose the value, and may have left since or may be unknown; only the signer counts.
#[test]
fn entry_of_a_former_author_is_valid_if_a_writer_signed_it() {
    let Cast { sandbox, .. } = cast();
    let key = craft::signing_key(&sandbox, "production");
    craft::resign_entry(&sandbox, "production", "DATABASE_URL", &key, |entry| {
        entry.author = "dave".parse().unwrap();
    });
    assert_eq!(
        sandbox.get("production", "DATABASE_URL"),
        b"postgres://production"
    );
}

#[test]
fn readers_cannot_write_and_only_admins_change_members() {
    let Cast {
        sandbox,
        bob,
        carol,
        dave,
    } = cast();
    let id = sandbox.id();
    let run = |person: &Person, commands: &[Command], said: &str| {
        let key = person.key_file(&sandbox).display().to_string();
        stopped(&sandbox, commands, Why::Locked, said, |run| {
            run.variable("VAULT_ID", &id)
                .variable("VAULT_KEY_FILE", &key)
        });
    };
    let production: &[Command] = &[
        &["set", "DATABASE_URL", "-e", "production"],
        &["set", "NEW", "-e", "production"],
        &["remove", "DATABASE_URL", "-e", "production"],
    ];
    for (name, person) in [("bob", &bob), ("carol", &carol)] {
        let said = format!(
            "error: {name} may not write in production\nhint: ask an admin for write access\n"
        );
        run(person, production, &said);
        let said =
            format!("error: {name} is not an admin of this vault\nhint: ask an admin: alice\n");
        run(person, &[&["ci", "add", "x", "-e", "production"]], &said);
        run(person, &[&["environments", "add", "staging"]], &said);
        run(
            person,
            &[&["environments", "remove", "production", "--yes"]],
            &said,
        );
    }
    let locked = "error: development is locked: bob has access to production
hint: ask an admin for access to development
";
    run(
        &bob,
        &[&["get", "DATABASE_URL", "-e", "development"]],
        locked,
    );
    run(
        &bob,
        &[&["exec", "-e", "development", "--", "touch", "started"]],
        locked,
    );
    let stranger = "error: your key ([..]) belongs to no member of this vault
hint: use the key you joined with, or ask an admin to add you
";
    for person in [&dave, &Person::new()] {
        run(person, KEYED, stranger);
    }
}

#[test]
fn member_added_by_hand_does_not_count() {
    let sandbox = stocked();
    let (mallory, authority) = (Person::new(), craft::authority(&sandbox));
    // The file as vault would write it, except for the signature.
    let mut member = mallory.member();
    member
        .access
        .insert("production".parse().unwrap(), Access::Write);
    craft::put_member(&sandbox, "mallory", &member, &authority);
    let genuine = fs::read_to_string(sandbox.store("members/alice.toml")).unwrap();
    let signature = genuine.lines().last().unwrap();
    let path = "members/mallory.toml";
    let forged = format!("{}{signature}\n", craft::body(&sandbox, path));
    fs::write(sandbox.store(path), forged).unwrap();
    does_not_count(&sandbox, "mallory");
}

#[test]
fn member_signed_by_anyone_else_does_not_count() {
    let Cast { sandbox, bob, .. } = cast();
    let alice = craft::signing_key(&sandbox, "production");
    for key in [&bob.key, &alice, &SigningKey::generate()] {
        craft::resign_member(&sandbox, "bob", key, |bob| {
            bob.access
                .insert("production".parse().unwrap(), Access::Write);
        });
        does_not_count(&sandbox, "bob");
    }
}

/// The file of `name` gives nothing, stops no one else, and is a finding.
#[track_caller]
fn does_not_count(sandbox: &Sandbox, name: &str) {
    let listed = sandbox.quick(&["members", "list"]);
    assert!(!listed.contains(name), "{listed}");
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let verified = sandbox.vault(&["verify"]).outcome();
    let output = String::from_utf8(verified.output).unwrap();
    let finding = format!(
        ".vault/members/{name}.toml: does not match the signature of the authority of this vault\n"
    );
    assert!(
        verified.status == 1 && output.contains(&finding),
        "{output}"
    );
}

#[test]
fn root_signed_by_another_authority_is_refused() {
    let sandbox = stocked();
    craft::resign_root(&sandbox, &SigningKey::generate(), |root| {
        root.revision += 1;
    });
    not_by_the_authority(&sandbox);
}

#[test]
fn root_signed_by_a_member_is_refused() {
    let sandbox = stocked();
    let key = craft::signing_key(&sandbox, "production");
    craft::resign_root(&sandbox, &key, |root| root.revision += 1);
    not_by_the_authority(&sandbox);
}

#[track_caller]
fn not_by_the_authority(sandbox: &Sandbox) {
    let reason = ".vault/root.toml: does not match the signature of the authority of this vault";
    let said = format!(
        "error: {reason}\nhint: put back the committed file: `git checkout -- .vault/root.toml`\n"
    );
    refused(sandbox, KEYED, &said);
    refused(sandbox, KEYLESS, &said);
    found(
        sandbox,
        &["--id", &sandbox.id()],
        1,
        findings(&[reason]).trim_start(),
    );
}
