//! `verify --since`: the report for reviewers about members, access, keys, environments, and
//! rotations, without a key, as the CI of a pull request runs it.

use std::collections::BTreeSet;

use repovault::crypto::{Identity, SigningKey};
use repovault::vault::model::{Access, Former, Roster};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::{compared, findings, held, section, stocked, table};
use crate::support::review::{cast, change, reviewed};

/// Raises the floor, which every loss of access requires.
fn raise(roster: &mut Roster) {
    roster.floor = roster.revision;
}

#[test]
fn new_member_is_reported_with_their_access() {
    let sandbox = stocked();
    let names: BTreeSet<_> = ["OTHER".parse().unwrap()].into();
    let access = [
        ("development", Access::Write),
        ("production", Access::Names(names)),
    ];
    craft::enroll(&sandbox, "bob", &access);
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "member added: bob with recipient age1[..]",
            "access granted: bob in development: none → write (member added)",
            "access granted: bob in production: none → read OTHER (member added)",
        ],
        &[],
    );
}

#[test]
fn access_changes_are_reported_with_their_cause() {
    let (sandbox, _) = cast();
    change(&sandbox, |roster| {
        raise(roster);
        let access = |text: &str| text.parse().unwrap();
        let bob = roster.members.get_mut(&"bob".parse().unwrap()).unwrap();
        bob.access.insert(access("development"), Access::Read);
        bob.access.insert(access("production"), Access::Write);
        let carol = roster.members.get_mut(&"carol".parse().unwrap()).unwrap();
        carol.access.insert(
            access("production"),
            Access::Names(["OTHER".parse().unwrap()].into()),
        );
        carol.credential_floor = Some(roster.floor);
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            "floor raised: 1 → 5: older rosters no longer count",
            "access taken: bob in development: write → read (access changed)",
            "access taken: carol in production: read DATABASE_URL, OTHER → read OTHER (access changed)",
            "credential replaced: carol (floor 1 → 5)",
        ],
        &["access granted: bob in production: read → write (access changed)"],
        // Values that someone can no longer read must be re-encrypted.
        &[
            "not rotated: .vault/production.toml: carol lost access but knows the data key of epoch 1, which is still in use",
        ],
    );
}

#[test]
fn changed_names_of_a_machine_are_reported() {
    let (sandbox, _) = cast();
    change(&sandbox, |roster| {
        let carol = roster.members.get_mut(&"carol".parse().unwrap()).unwrap();
        let all: BTreeSet<_> = ["DATABASE_URL", "NEW", "OTHER"]
            .map(|name| name.parse().unwrap())
            .into();
        carol
            .access
            .insert("production".parse().unwrap(), Access::Names(all));
    });
    let more = "access granted: carol in production: read DATABASE_URL, OTHER → \
                read DATABASE_URL, NEW, OTHER (access changed)";
    reviewed(&sandbox, &held(1, 2), &[], &[more], &[]);
}

#[test]
fn removed_member_is_reported_and_an_unrecorded_loss_is_found() {
    let (sandbox, _) = cast();
    change(&sandbox, |roster| {
        let (name, bob) = roster
            .members
            .remove_entry(&"bob".parse().unwrap())
            .unwrap();
        let signer = bob.signing.map(|signing| signing.signer);
        roster.former.insert(
            name,
            Former {
                recipient: bob.recipient,
                signer,
                lost: bob.lost,
            },
        );
        roster.members.remove(&"carol".parse().unwrap());
    });
    for environment in ["development", "production"] {
        let authority = craft::authority(&sandbox);
        craft::unseal_to_strangers(&sandbox, environment, &authority);
    }
    let known = |environment: &str, name: &str| {
        format!(
            "not rotated: .vault/{environment}.toml: {name} lost access but knows the data key of epoch 1, which is still in use"
        )
    };
    let still = |name: &str| {
        format!(
            "floor not raised: {name} lost something, and older rosters still count: the floor is 1"
        )
    };
    reviewed(
        &sandbox,
        &held(1, 2),
        &[
            "member removed: bob",
            "access taken: bob in development: write → none (member removed)",
            "access taken: bob in production: read → none (member removed)",
            "access taken: carol in production: read DATABASE_URL, OTHER → none (member removed)",
        ],
        &[],
        &[
            &known("development", "bob"),
            &known("production", "bob"),
            &still("bob"),
            "missing: carol is listed neither as a member nor as a former member",
            &known("production", "carol"),
            &still("carol"),
        ],
    );
    // Bob's name now belongs to someone else.
    sandbox.commit("bob has left");
    change(&sandbox, |roster| {
        roster.former.clear();
        roster
            .members
            .insert("bob".parse().unwrap(), Person::new().member());
    });
    let again = "name reused: bob is the name of a former member";
    let added = "member added: bob with recipient age1[..]";
    reviewed(&sandbox, &held(1, 2), &[], &[added], &[again]);
}

#[test]
fn changed_keys_of_a_member_are_reported() {
    let (sandbox, _) = cast();
    let (other, recipient) = (Person::new(), Identity::generate().recipient());
    change(&sandbox, |roster| {
        raise(roster);
        let bob = roster.members.get_mut(&"bob".parse().unwrap()).unwrap();
        bob.recipient = recipient;
        bob.signing = other.member().signing;
        roster
            .members
            .get_mut(&"carol".parse().unwrap())
            .unwrap()
            .signing = other.member().signing;
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &["floor raised: 1 → 5: older rosters no longer count"],
        &[
            "recipient changed: bob: age1[..] → age1[..]",
            "signer changed: bob: [..] → [..]",
            "signer changed: carol: none → [..]",
            "below the floor: the credential of carol accepts rosters of floor 1, and it is 5 now; replace it, or set VAULT_ID with the floor",
        ],
        &[
            "not rotated: .vault/development.toml: bob lost access but knows the data key of epoch 1, which is still in use",
            "not rotated: .vault/production.toml: bob lost access but knows the data key of epoch 1, which is still in use",
        ],
    );
}

/// Only the member could verify that the ciphertext contains their key.
#[test]
fn resealed_signing_key_is_reported() {
    let (sandbox, bob) = cast();
    let alice = craft::identity(&sandbox).recipient();
    let authority = craft::authority(&sandbox);
    change(&sandbox, |roster| {
        let record = roster.members.get_mut(&"bob".parse().unwrap()).unwrap();
        record.signing = bob.member().signing;
        let record = roster.members.get_mut(&"alice".parse().unwrap()).unwrap();
        record.authority = Some(alice.seal(&craft::seed(&authority)));
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "sealed again: the authority of alice, although it is the same key",
            "sealed again: the signing key of bob, although it is the same key",
        ],
        &[],
    );
}

#[test]
fn former_admin_with_a_known_authority_is_found() {
    let (sandbox, bob) = cast();
    let authority = craft::authority(&sandbox);
    let sealed = bob.identity.recipient().seal(&craft::seed(&authority));
    change(&sandbox, |roster| {
        roster
            .members
            .get_mut(&"bob".parse().unwrap())
            .unwrap()
            .authority = Some(sealed);
    });
    let granted = "admin granted: bob can now change membership";
    reviewed(&sandbox, &held(1, 2), &[], &[granted], &[]);
    sandbox.commit("two admins");
    change(&sandbox, |roster| {
        raise(roster);
        roster
            .members
            .get_mut(&"bob".parse().unwrap())
            .unwrap()
            .authority = None;
        roster
            .members
            .get_mut(&"carol".parse().unwrap())
            .unwrap()
            .credential_floor = None;
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &["floor raised: 1 → 6: older rosters no longer count"],
        &[],
        &["admin taken: bob knows the authority's key, which was not replaced"],
    );
}

#[test]
fn different_roster_with_the_same_revision_is_found() {
    let (sandbox, _) = cast();
    let authority = craft::authority(&sandbox);
    craft::resign_roster(&sandbox, &authority, |roster| {
        roster
            .members
            .get_mut(&"carol".parse().unwrap())
            .unwrap()
            .credential_floor = Some(2);
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &["credential replaced: carol (floor 1 → 2)"],
        &[],
        &["replaced: .vault/members.toml has different content with the same revision 4"],
    );
}

/// A new id is not a finding if the caller passes it, and is never accepted otherwise.
#[test]
fn new_authority_counts_only_with_its_id() {
    let sandbox = stocked();
    let old = sandbox.id();
    let key = SigningKey::generate();
    craft::resign_everything(&sandbox, &key);
    let new = sandbox.id();
    let other =
        format!(".vault/members.toml: belongs to a different vault: expected {old}, found {new}");
    reviewed(&sandbox, "", &[], &[], &[&other]);
    let verify = |id: &str| {
        sandbox
            .vault(&["verify", "--since", "HEAD", "--id", id])
            .without("HOME")
    };
    let attention = [
        &*format!(
            "authority changed: {old} → {new}; everyone must trust the new id, and every credential must be replaced"
        ),
        "signer changed: alice: [..] → [..]",
    ];
    let changed = [
        "re-encrypted: 1 entry of development (epoch 1 → 1) by alice",
        "re-encrypted: 2 entries of production (epoch 1 → 1) by alice",
    ];
    let output = compared("HEAD")
        + &held(1, 2)
        + &section("changed since HEAD", &changed)
        + &section("needs attention", &attention);
    verify(&new).prints(output).check();
    verify(&old)
        .fails(1)
        .prints(compared("HEAD") + findings(&[&other]).trim_start())
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn added_removed_and_recreated_environments_are_reported() {
    let sandbox = stocked();
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.set("staging", "A", b"a");
    let rows = |epochs: [&str; 2], staging: &str, signer: &str| {
        table(&[
            ["development", "1", "1", "alice", "ok"],
            ["production", "2", epochs[0], "alice", "ok"],
            ["staging", staging, epochs[1], signer, "ok"],
        ])
    };
    let added = [
        "environment added: staging",
        "new: .vault/staging/A.toml (revision 1) by alice",
    ];
    let granted = "access granted: alice in staging: none → write (environment added)";
    reviewed(
        &sandbox,
        &rows(["1", "1"], "1", "alice"),
        &added,
        &[granted],
        &[],
    );
    sandbox.commit("staging");
    sandbox.quick(&["environments", "remove", "staging", "--yes"]);
    let removed = [
        "floor raised: 1 → 3: older rosters no longer count",
        "access taken: alice in staging: write → none (environment removed)",
    ];
    let had = "environment removed: staging, which had 1 entry";
    reviewed(&sandbox, &held(1, 2), &removed, &[had], &[]);
    sandbox.quick(&["environments", "add", "staging"]);
    let anew =
        "environment recreated: staging has a new data key, and none of its former entries (1)";
    reviewed(
        &sandbox,
        &rows(["1", "1"], "0", "-"),
        &removed[..1],
        &[anew],
        &[],
    );
    // An entry with the name of an older entry is not that entry.
    sandbox.set("staging", "A", b"another");
    let new = "new: .vault/staging/A.toml (revision 1) by alice";
    reviewed(
        &sandbox,
        &rows(["1", "1"], "1", "alice"),
        &[removed[0], new],
        &[anew],
        &[],
    );
    sandbox.quick(&["environments", "remove", "staging", "--yes"]);
    sandbox.commit("no staging");
    sandbox.quick(&["environments", "add", "staging"]);
    sandbox.set("staging", "A", b"a third");
    let added = ["environment added: staging", new];
    reviewed(
        &sandbox,
        &rows(["1", "1"], "1", "alice"),
        &added,
        &[granted],
        &[],
    );
}
