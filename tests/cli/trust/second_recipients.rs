//! A second recipient in something sealed: no one sees it in use, so it is refused by its header,
//! before it is opened, and `verify` names the file without a key.

use std::fs;

use repovault::secret::Secret;
use repovault::vault::format::{fingerprint, request_path, write_request};
use repovault::vault::model::{Access, Request};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

/// `payload` sealed to the first of `recipients`, with a stanza for each of the others. Whether one
/// could open it does not matter: nothing may be opened before its header has been checked.
fn seal(payload: &[u8], recipients: &[&Person]) -> Vec<u8> {
    let sealed = |person: &Person| {
        let recipient = person.identity.recipient();
        recipient.seal(&Secret::new(payload.to_vec()))
    };
    let end = |sealed: &[u8]| memchr::memmem::find(sealed, b"\n---").unwrap() + 1;
    let mut result = sealed(recipients[0]);
    for other in &recipients[1..] {
        let other = sealed(other);
        let stanzas = &other[VERSION.len()..end(&other)];
        let at = end(&result);
        result.splice(at..at, stanzas.iter().copied());
    }
    result
}

const VERSION: &str = "age-encryption.org/v1\n";

/// Alice as a person, so that her own values can be sealed again.
fn alice(sandbox: &Sandbox) -> Person {
    Person {
        identity: craft::identity(sandbox),
        key: craft::signing_key(sandbox, "production"),
    }
}

const REFUSED: &str = "is not sealed to one recipient of the expected kind";
const FOUND: &str =
    ".vault/members/alice.toml: a key in it is not sealed to this member's recipient alone";

/// Checks that `command` is refused because of the header, and that `verify` names the file.
#[track_caller]
fn refused(sandbox: &Sandbox, command: &[&str], what: &str) {
    let outcome = sandbox.vault(command).input("new").outcome();
    let said = format!("error: .vault/members/alice.toml: {what} sealed to alice {REFUSED}\n");
    assert!(
        outcome.status == 4 && outcome.said.starts_with(&said),
        "{}",
        outcome.said
    );
    let verify = sandbox.vault(&["verify"]).without("HOME");
    let verify = verify.variable("VAULT_ID", &sandbox.id()).outcome();
    let printed = String::from_utf8(verify.output).unwrap();
    assert!(verify.status == 1 && printed.contains(FOUND), "{printed}");
}

const GET: [&str; 4] = ["get", "OTHER", "-e", "production"];

#[test]
fn data_key_with_a_second_recipient_is_refused() {
    let sandbox = stocked();
    let (alice, mallory) = (alice(&sandbox), Person::new());
    let open = |sealed: &[u8]| alice.identity.unseal(sealed).unwrap();
    for others in [
        &[&alice, &mallory][..],
        &[&mallory, &alice],
        &[&alice, &alice],
        // Not to alice at all: no one tries to open it.
        &[&mallory, &mallory],
    ] {
        let genuine = fs::read(sandbox.store("members/alice.toml")).unwrap();
        craft::change_sealed(&sandbox, "alice", "production", |sealed| {
            *sealed = seal(open(sealed).expose(), others);
        });
        refused(&sandbox, &GET, "the data key of epoch 1 of production");
        // Her other keys are not affected.
        let get = ["get", "DATABASE_URL"];
        sandbox.vault(&get).prints("postgres://development").check();
        fs::write(sandbox.store("members/alice.toml"), genuine).unwrap();
    }
}

#[test]
fn seed_with_a_second_recipient_is_refused() {
    let sandbox = stocked();
    let (alice, mallory) = (alice(&sandbox), Person::new());
    let authority = craft::authority(&sandbox);
    let genuine = fs::read(sandbox.store("members/alice.toml")).unwrap();
    let both = |sealed: &[u8]| {
        let seed = alice.identity.unseal(sealed).unwrap();
        seal(seed.expose(), &[&alice, &mallory])
    };
    craft::resign_member(&sandbox, "alice", &authority, |alice| {
        let signing = alice.signing.as_mut().unwrap();
        signing.seed = both(&signing.seed);
    });
    refused(
        &sandbox,
        &["set", "OTHER", "-e", "production"],
        "the signing key",
    );
    fs::write(sandbox.store("members/alice.toml"), &genuine).unwrap();
    craft::resign_member(&sandbox, "alice", &authority, |alice| {
        let own = alice.authority.as_mut().unwrap();
        *own = both(own);
    });
    refused(
        &sandbox,
        &["ci", "add", "github", "-e", "production"],
        "the authority",
    );
}

/// A passphrase is another kind of stanza, and the only one in its file.
#[test]
fn data_key_with_another_kind_of_stanza_is_refused() {
    let sandbox = stocked();
    craft::change_sealed(&sandbox, "alice", "production", |sealed| {
        let text = String::from_utf8_lossy(sealed).into_owned();
        let at = text.find("-> mlkem768x25519 ").unwrap();
        sealed.splice(at..at + 18, *b"-> scrypt ");
    });
    refused(&sandbox, &GET, "the data key of epoch 1 of production");
}

/// Some age programs add such a stanza on purpose, and age ignores it.
#[test]
fn grease_is_accepted() {
    let sandbox = stocked();
    let alice = alice(&sandbox);
    let mut has_grease = false;
    for _ in 0..100 {
        craft::change_sealed(&sandbox, "alice", "production", |sealed| {
            let payload = alice.identity.unseal(sealed).unwrap();
            *sealed = seal(payload.expose(), &[&alice]);
            has_grease = String::from_utf8_lossy(sealed).contains("-grease ");
        });
        if has_grease {
            break;
        }
    }
    assert!(has_grease, "this library adds grease");
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox
        .vault(&["verify"])
        .prints("[..]\n[..]\n[..]\n")
        .check();
}

/// A member's file with such a key counts: only its own key is refused.
#[test]
fn second_recipient_affects_only_its_member() {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let mallory = Person::new();
    craft::change_sealed(&sandbox, "bob", "production", |sealed| {
        let payload = bob.identity.unseal(sealed).unwrap();
        *sealed = seal(payload.expose(), &[&bob, &mallory]);
    });
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let verify = sandbox.vault(&["verify"]);
    verify
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/members/bob.toml: a key in it is not sealed to this member's recipient alone
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn request_with_a_second_recipient_is_refused() {
    let sandbox = stocked();
    let (eve, mallory) = (Person::new(), Person::new());
    let mut signing = eve.member().signing.unwrap();
    let seed = Secret::new(eve.key.seed().expose().to_vec());
    signing.seed = seal(seed.expose(), &[&eve, &mallory]);
    let request = Request {
        name: "eve".parse().unwrap(),
        vault: sandbox.id().parse().unwrap(),
        recipient: eve.identity.recipient(),
        signing,
    };
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    let path = request_path(&request.name);
    fs::write(sandbox.store(&path), write_request(&request, &eve.key)).unwrap();
    let fingerprint = fingerprint(&request).to_string();
    let add = [
        "members",
        "add",
        "eve",
        "-e",
        "production=read",
        "--fingerprint",
    ];
    let add = [&add[..], &[&fingerprint]].concat();
    sandbox
        .vault(&add)
        .fails(4)
        .says(str![[r#"
error: .vault/requests/eve.toml: has a signing key that is not sealed to its recipient alone
hint: ask for a new one: `rm .vault/requests/eve.toml`, then `vault join --name NAME`
"#]])
        .check();
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/requests/eve.toml: has a signing key that is not sealed to its recipient alone
"#]])
        .says(str!["error: verification failed: 1 finding"])
        .check();
}
