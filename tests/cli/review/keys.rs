//! `verify --since`: the report for reviewers about members' keys: recipients, signing keys, the
//! authority, sealed data keys, and credentials.

use std::collections::BTreeSet;

use repovault::crypto::{Identity, NativeKind, Tag};
use repovault::vault::model::Access;

use crate::support::craft::{self, Person};
use crate::support::membership::root;
use crate::support::refusal::{held, stocked, table};
use crate::support::review::{
    REVOKED, cast, change_member, not_revoked, not_rotated, reviewed, revoke,
};

#[test]
fn changed_keys_of_a_member_are_reported() {
    let (sandbox, _) = cast();
    let other = Person::new();
    let recipient = Identity::generate(NativeKind::Hybrid).recipient();
    change_member(&sandbox, "bob", |bob| {
        bob.recipient = recipient;
        bob.signing = other.member().signing;
    });
    change_member(&sandbox, "carol", |carol| {
        carol.signing = Person::new().member().signing;
    });
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "recipient changed: bob: age1[..] → age1[..]",
            "signer changed: bob: [..] → [..]",
            "granted in another commit: bob has the key of development from there, and no such access here; unless that commit will be merged, run `vault members set bob -e development=none`",
            "granted in another commit: bob has the key of production from there, and no such access here; unless that commit will be merged, run `vault members set bob -e production=none`",
            "signer changed: carol: none → [..]",
        ],
        &[
            &not_rotated("bob", "development"),
            &not_rotated("bob", "production"),
            &not_revoked("bob"),
        ],
    );
}

/// A signing key that someone else may have must not come back, even if the file says so.
#[test]
fn replaced_signing_key_must_be_retired() {
    let (sandbox, _) = cast();
    change_member(&sandbox, "bob", |bob| {
        bob.signing = Person::new().member().signing;
    });
    let signer = "signer changed: bob: [..] → [..]";
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[signer],
        &[&not_revoked("bob")],
    );
    sandbox.git(&["checkout", "--quiet", "--", ".vault"]);
    revoke(
        &sandbox,
        "bob",
        |_| (),
        |bob| bob.signing = Person::new().member().signing,
    );
    reviewed(
        &sandbox,
        &held(1, 2),
        &[REVOKED],
        &[signer, "older than the latest revocation: [..]"],
        &["not retired: the root does not list the former keys of bob, so they could come back"],
    );
}

#[test]
fn new_tag_alone_is_reported() {
    let (sandbox, _) = cast();
    revoke(&sandbox, "carol", |_| (), |carol| carol.credential = None);
    // Taking away a credential's tag is a change of its own kind, so it is put back.
    change_member(&sandbox, "carol", |carol| {
        carol.credential = Some(Tag::NONE);
    });
    let outdated = "older than the latest revocation: [..]";
    let revoked = "revoked: the files of bob from before no longer count";
    reviewed(&sandbox, &held(1, 2), &[REVOKED], &[outdated], &[]);
    sandbox.commit("a tag");
    revoke(&sandbox, "bob", |_| (), |_| ());
    reviewed(&sandbox, &held(1, 2), &[REVOKED, revoked], &[], &[]);
}

/// Only the member could verify that the ciphertext contains their key.
#[test]
fn resealed_signing_key_is_reported() {
    let (sandbox, bob) = cast();
    let alice = craft::identity(&sandbox).recipient();
    let authority = craft::authority(&sandbox);
    change_member(&sandbox, "bob", |file| file.signing = bob.member().signing);
    change_member(&sandbox, "alice", |file| {
        file.authority = Some(alice.seal(&craft::seed(&authority)));
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

/// The member can no longer open the entries of that epoch.
#[test]
fn missing_key_of_a_listed_epoch_is_reported() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    let production = "production".parse().unwrap();
    let older = root(&sandbox).environments[&production].epochs[1].commitment;
    let rows = table(&[
        ["development", "1", "1", "alice", "ok"],
        ["production", "2", "2", "alice", "ok"],
    ]);
    let mut key = Vec::new();
    change_member(&sandbox, "alice", |alice| {
        let keys = alice.sealed.get_mut(&production).unwrap();
        key = keys.remove(&older).unwrap();
    });
    let what = |change: &str| {
        format!(
            "data key of production (epoch 1) is {change} sealed for alice, whose recipient and access did not change"
        )
    };
    reviewed(&sandbox, &rows, &[], &[&what("no longer")], &[]);
    sandbox.commit("a key less");
    change_member(&sandbox, "alice", |alice| {
        let keys = alice.sealed.get_mut(&production).unwrap();
        keys.insert(older, key);
    });
    reviewed(&sandbox, &rows, &[], &[&what("now")], &[]);
}

#[test]
fn former_admin_with_a_known_authority_is_found() {
    let (sandbox, bob) = cast();
    let authority = craft::authority(&sandbox);
    let sealed = bob.identity.recipient().seal(&craft::seed(&authority));
    change_member(&sandbox, "bob", |bob| bob.authority = Some(sealed));
    let granted = "admin granted: bob can now change membership";
    reviewed(&sandbox, &held(1, 2), &[], &[granted], &[]);
    sandbox.commit("two admins");
    change_member(&sandbox, "bob", |bob| bob.authority = None);
    let taken = "admin taken: bob knows the authority's key, which was not replaced";
    let known = "granted in another commit: bob has the authority from there, and is not an admin \
                 here; unless that commit will be merged, run `vault rotate --authority`";
    reviewed(&sandbox, &held(1, 2), &[], &[known], &[taken]);
}

#[test]
fn credential_is_compared_with_the_root() {
    let (sandbox, _) = cast();
    let tag = Tag::random();
    change_member(&sandbox, "carol", |carol| carol.credential = Some(tag));
    reviewed(
        &sandbox,
        &held(1, 2),
        &["credential replaced: carol"],
        &[
            "newer than this root: the credential of carol was made on a branch that is not merged here",
        ],
        &[],
    );
    sandbox.commit("another credential");
    revoke(
        &sandbox,
        "bob",
        |root| root.revocations.insert(0, tag),
        |_| (),
    );
    let outdated = "older than the latest revocation: the credential of carol accepts the files \
                    from before it; replace it, or set VAULT_ID with the latest tag";
    let listed = "2 revocations are listed: older files no longer count";
    let revoked = "revoked: the files of bob from before no longer count";
    reviewed(&sandbox, &held(1, 2), &[listed, revoked], &[outdated], &[]);
}

#[test]
fn shared_recipient_is_found() {
    let (sandbox, bob) = cast();
    let mut double = bob.member();
    double.access = BTreeSet::from(["production"])
        .into_iter()
        .map(|place| (place.parse().unwrap(), Access::Read))
        .collect();
    double.sealed = craft::member(&sandbox, "bob").sealed;
    double
        .sealed
        .retain(|place, _| place.as_str() == "production");
    craft::put_member(&sandbox, "dave", &double, &craft::authority(&sandbox));
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "member added: dave with recipient age1[..]",
            "access granted: dave in production: none → read (member added)",
        ],
        &[".vault/members/dave.toml: has the recipient of bob: remove one of the two names"],
    );
}
