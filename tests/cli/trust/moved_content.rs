//! Genuine content is not accepted in another place: moved entries, seeds, keys, and files.

use std::fs;

use repovault::crypto::{DataKey, SigningKey, VaultId};
use repovault::secret::Secret;
use repovault::vault::unlock::data_key_payload;

use crate::support::craft::{self, Person};
use crate::support::refusal::{ENTRY, KEYED, findings, found, not_held, refused, stocked, writers};
use crate::support::sandbox::Sandbox;

const URL: &str = "production/DATABASE_URL.toml";
const OTHER: &str = "production/OTHER.toml";

fn read(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.store(path)).unwrap()
}

fn write(sandbox: &Sandbox, path: &str, text: &str) {
    fs::write(sandbox.store(path), text).unwrap();
}

const RESTORE: &str = "hint: put back the committed file: `git checkout -- .vault/[..].toml`\n";

fn not_signed(path: &str, signer: &str) -> String {
    format!(
        "error: .vault/{path}: does not match the signature of {signer}
hint: put back the committed file: `git checkout -- .vault/{path}`
"
    )
}

fn not_written(path: &str) -> String {
    format!(
        "error: .vault/{path}: is not in the form vault writes
hint: put back the committed file: `git checkout -- .vault/{path}`
"
    )
}

/// An entry's text with its first line, the comment, adapted to another place, as a thief would do.
fn renamed(text: &str, name: &str, environment: &str) -> String {
    let (_, rest) = text.split_once('\n').unwrap();
    format!("# {name} in {environment}, encrypted by vault. Safe to commit.\n{rest}")
}

#[test]
fn swapped_entries_are_refused() {
    let sandbox = stocked();
    let (url, other) = (read(&sandbox, URL), read(&sandbox, OTHER));
    write(&sandbox, URL, &other);
    write(&sandbox, OTHER, &url);
    refused(&sandbox, ENTRY, not_written(URL));
    // Also if the comment with their names is swapped too.
    write(
        &sandbox,
        URL,
        &renamed(&other, "DATABASE_URL", "production"),
    );
    write(&sandbox, OTHER, &renamed(&url, "OTHER", "production"));
    refused(&sandbox, ENTRY, not_signed(URL, "alice"));
    found(
        &sandbox,
        &[],
        2,
        &(not_held(1, 0)
            + &findings(&[
                ".vault/production/DATABASE_URL.toml: does not match the signature of alice",
                ".vault/production/OTHER.toml: does not match the signature of alice",
            ])),
    );
}

#[test]
fn entry_copied_to_another_name_is_refused() {
    let sandbox = stocked();
    let copy = renamed(&read(&sandbox, OTHER), "COPY", "production");
    write(&sandbox, "production/COPY.toml", &copy);
    let said = not_signed("production/COPY.toml", "alice");
    refused(
        &sandbox,
        &[
            &["get", "COPY", "-e", "production"],
            &["set", "COPY", "-e", "production"],
            &["remove", "COPY", "-e", "production"],
            &[
                "copy",
                "COPY",
                "--from",
                "production",
                "--to",
                "development",
            ],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["list", "-e", "production"],
        ],
        &said,
    );
}

#[test]
fn entry_copied_to_another_environment_is_refused() {
    let sandbox = stocked();
    let foreign = read(&sandbox, "development/DATABASE_URL.toml");
    write(&sandbox, URL, &foreign);
    refused(&sandbox, ENTRY, not_written(URL));
    write(
        &sandbox,
        URL,
        &renamed(&foreign, "DATABASE_URL", "production"),
    );
    refused(&sandbox, ENTRY, not_signed(URL, "alice"));
}

#[test]
fn entry_of_another_vault_is_refused() {
    let (sandbox, other) = (stocked(), stocked());
    write(&sandbox, URL, &read(&other, URL));
    refused(&sandbox, ENTRY, not_signed(URL, "alice"));
}

/// Members may sign anything, but a value opens only in its original place.
#[test]
fn value_moved_and_signed_by_a_writer_does_not_open() {
    let moves: [(&str, &str); 2] = [("production", "OTHER"), ("development", "DATABASE_URL")];
    for (environment, name) in moves {
        let sandbox = stocked();
        let (vault, key) = (
            craft::vault(&sandbox),
            craft::signing_key(&sandbox, "production"),
        );
        let checked = vault.environment(&environment.parse().unwrap()).unwrap();
        let entry = vault
            .entry(checked, &name.parse().unwrap())
            .unwrap()
            .unwrap();
        let sealed = entry.content().sealed.clone();
        craft::resign_entry(&sandbox, "production", "DATABASE_URL", &key, |entry| {
            entry.sealed = sealed;
        });
        refused(
            &sandbox,
            &[
                &["get", "DATABASE_URL", "-e", "production"],
                &["set", "DATABASE_URL", "-e", "production"],
                &["exec", "-e", "production", "--no-mask", "--", "touch", "started"],
                &["copy", "DATABASE_URL", "--from", "production", "--to", "development"],
            ],
            "error: .vault/production/DATABASE_URL.toml: its value cannot be decrypted in this place
hint: put back the committed file: `git checkout -- .vault/production/DATABASE_URL.toml`
",
        );
        // The solution that needs no git.
        sandbox.quick(&["remove", "DATABASE_URL", "-e", "production"]);
        sandbox.set("production", "DATABASE_URL", b"mended");
        assert_eq!(sandbox.get("production", "DATABASE_URL"), b"mended");
    }
}

/// The revision, the origin, and the epoch are part of the place, too.
#[test]
fn value_moved_to_another_revision_does_not_open() {
    let sandbox = stocked();
    let key = craft::signing_key(&sandbox, "production");
    craft::resign_entry(&sandbox, "production", "DATABASE_URL", &key, |entry| {
        entry.revision = 9;
    });
    refused(
        &sandbox,
        &[&["get", "DATABASE_URL", "-e", "production"]],
        "error: .vault/production/DATABASE_URL.toml: its value cannot be decrypted in this place
hint: put back the committed file: `git checkout -- .vault/production/DATABASE_URL.toml`
",
    );
}

#[test]
fn entry_of_an_unknown_epoch_is_refused() {
    let sandbox = stocked();
    let key = craft::signing_key(&sandbox, "production");
    craft::resign_entry(&sandbox, "production", "DATABASE_URL", &key, |entry| {
        entry.epoch = 2;
    });
    refused(
        &sandbox,
        ENTRY,
        "error: .vault/production/DATABASE_URL.toml: is of epoch 2, which the environment does not have
hint: merge the branch in which the environment was rotated
",
    );
}

#[test]
fn member_file_of_another_vault_is_refused() {
    let (sandbox, other) = (stocked(), stocked());
    let path = "members/alice.toml";
    write(&sandbox, path, &read(&other, path));
    let said = not_signed(path, "the authority of this vault");
    refused(&sandbox, KEYED, &said);
}

/// Payloads that someone with the authority's key could seal to a member; none is what it claims to
/// be.
fn foreign_seeds(sandbox: &Sandbox) -> [(Vec<u8>, &'static str); 4] {
    let me = craft::identity(sandbox).recipient();
    let somebody = Person::new().identity.recipient();
    let seed = || Secret::new(SigningKey::generate().seed().expose().to_vec());
    [
        (me.seal(&seed()), "is not the one it names"),
        (me.seal(&Secret::new(b"short".to_vec())), "is not 32 bytes"),
        (
            somebody.seal(&seed()),
            "cannot be opened with that member's identity",
        ),
        (b"no age file".to_vec(), "is damaged"),
    ]
}

#[test]
fn signing_key_sealed_for_another_place_is_never_used() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    for (seed, reason) in foreign_seeds(&sandbox) {
        craft::resign_member(&sandbox, "alice", &authority, |alice| {
            alice.revision += 1;
            alice.signing.as_mut().unwrap().seed = seed;
        });
        let said = format!(
            "error: .vault/members/alice.toml: the signing key sealed to alice {reason}
{RESTORE}"
        );
        refused(
            &sandbox,
            &[
                &["set", "DATABASE_URL", "-e", "production"],
                &["set", "NEW", "-e", "production"],
                &["remove", "DATABASE_URL", "-e", "production"],
                &[
                    "copy",
                    "DATABASE_URL",
                    "--from",
                    "development",
                    "--to",
                    "production",
                ],
            ],
            &said,
        );
        assert_eq!(sandbox.get("production", "OTHER"), b"other");
    }
}

#[test]
fn authority_sealed_for_another_place_is_never_used() {
    let sandbox = stocked();
    let authority = craft::authority(&sandbox);
    for (seed, reason) in foreign_seeds(&sandbox) {
        craft::resign_member(&sandbox, "alice", &authority, |alice| {
            alice.authority = Some(seed);
            alice.revision += 1;
        });
        let said = format!(
            "error: .vault/members/alice.toml: the authority sealed to alice {reason}
{RESTORE}"
        );
        let admin = writers()
            .into_iter()
            .filter(|command| ["ci", "environments"].contains(&command[0]));
        refused(&sandbox, &admin.collect::<Vec<_>>(), &said);
    }
}

#[test]
fn data_key_sealed_for_another_place_is_never_used() {
    let sandbox = stocked();
    let (me, authority) = (
        craft::identity(&sandbox).recipient(),
        craft::authority(&sandbox),
    );
    let (here, elsewhere) = (
        VaultId::new(authority.public()),
        VaultId::new(SigningKey::generate().public()),
    );
    let (production, development) = (
        "production".parse().unwrap(),
        "development".parse().unwrap(),
    );
    let key = |vault| DataKey::generate(vault, "production");
    let wrong = "is not the one it should be";
    let payload = |vault, environment| data_key_payload(vault, environment, &key(vault));
    let stranger = Person::new().identity.recipient();
    let cases = [
        (me.seal(&payload(&elsewhere, &production)), wrong),
        (me.seal(&payload(&here, &development)), wrong),
        // The right place, and a key with another commitment.
        (me.seal(&payload(&here, &production)), wrong),
        (me.seal(&Secret::new(b"short".to_vec())), wrong),
        (
            stranger.seal(&payload(&here, &production)),
            "cannot be opened with that member's identity",
        ),
        (Vec::new(), "is damaged"),
    ];
    for (sealed, reason) in cases {
        craft::change_sealed(&sandbox, "alice", "production", |payload| {
            *payload = sealed;
        });
        let said = format!(
            "error: .vault/members/alice.toml: the data key of epoch 1 of production sealed to alice \
             {reason}\n{RESTORE}"
        );
        let commands = KEYED.iter().filter(|command| command[0] != "environments");
        refused(&sandbox, &commands.copied().collect::<Vec<_>>(), &said);
    }
}
