//! Tests of who would have access again.

use super::*;
use crate::crypto::{Commitment, Identity, NativeKind, Recipient, SigningKey, VaultId};
use crate::vault::model::{Epoch, Former, Root, Signing};

const PRODUCTION: &str = "production";

fn place() -> EnvironmentName {
    PRODUCTION.parse().unwrap()
}

fn name(name: &str) -> MemberName {
    name.parse().unwrap()
}

/// A member with this access to production and the key of epoch 2.
fn member(access: Option<Access>) -> Member {
    let signing = Signing {
        signer: SigningKey::generate().public(),
        seed: Vec::new(),
    };
    let sealed = BTreeMap::from([(Commitment([2; 32]), Vec::new())]);
    Member {
        signing: Some(signing),
        access: access.map(|access| (place(), access)).into_iter().collect(),
        sealed: BTreeMap::from([(place(), sealed)]),
        ..Member::new(Identity::generate(NativeKind::Hybrid).recipient())
    }
}

/// A vault with production at this epoch.
fn membership(epoch: u8, members: &[(&str, &Member)]) -> Membership {
    let production = Environment {
        name: place(),
        epochs: vec![Epoch {
            number: epoch.into(),
            commitment: Commitment([epoch; 32]),
        }],
        given: BTreeSet::new(),
    };
    let root = Root {
        vault: VaultId::new(SigningKey::generate().public()),
        revision: 1,
        revocations: Vec::new(),
        environments: BTreeMap::from([(place(), production)]),
        members: BTreeMap::new(),
        former: BTreeMap::new(),
    };
    let members = members.iter();
    let members = members.map(|(own, member)| (name(own), (*member).clone()));
    Membership {
        root,
        members: members.collect(),
    }
}

fn former(member: &Member, epoch: u64) -> Former {
    Former {
        recipient: Some(member.recipient.digest()),
        signer: None,
        lost: BTreeMap::from([(place(), Lost { epoch, names: None })]),
    }
}

#[track_caller]
fn check(here: &Membership, newer: &Membership, expected: &[(&str, &[&str])]) {
    check_with(here, newer, &[], None, expected);
}

#[track_caller]
fn check_with(
    here: &Membership,
    newer: &Membership,
    files: &[(MemberName, Member)],
    own: Option<&Recipient>,
    expected: &[(&str, &[&str])],
) {
    let own = own.map(Recipient::digest);
    let found = regained(here, newer, files, own.as_ref());
    let found: Vec<(&str, Vec<&str>)> = found
        .iter()
        .map(|(name, places)| {
            let places = places.iter().map(EnvironmentName::as_str);
            (name.as_str(), places.collect())
        })
        .collect();
    let expected: Vec<(&str, Vec<&str>)> = expected
        .iter()
        .map(|(name, places)| (*name, places.to_vec()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn access_beyond_the_newer_root_is_regained() {
    let names = |names: &[&str]| {
        let names = names.iter().map(|name| name.parse().unwrap());
        Some(Access::Names(names.collect()))
    };
    for (before, now, is_named) in [
        (Some(Access::Write), Some(Access::Write), false),
        (Some(Access::Read), Some(Access::Write), false),
        (Some(Access::Write), Some(Access::Read), true),
        (Some(Access::Read), None, true),
        (names(&["A", "B"]), names(&["A"]), true),
        (names(&["A"]), names(&["A", "B"]), false),
        (None, Some(Access::Read), false),
    ] {
        let (mut bob, mut after) = (member(before.clone()), Vec::new());
        let here = membership(2, &[("bob", &bob)]);
        bob.access = now.iter().map(|access| (place(), access.clone())).collect();
        after.push(("bob", &bob));
        let expected: &[(&str, &[&str])] = if is_named {
            &[("bob", &[PRODUCTION])]
        } else {
            &[]
        };
        check(&here, &membership(3, &after), expected);
    }
}

#[test]
fn members_of_one_branch_alone_are_regained() {
    let bob = member(Some(Access::Read));
    let (with, without) = (membership(2, &[("bob", &bob)]), membership(3, &[]));
    check(&with, &without, &[("bob", &[PRODUCTION])]);
    check(&without, &with, &[]);
}

#[test]
fn replaced_keys_go_by_the_name_here() {
    let (old, new) = (member(Some(Access::Write)), member(Some(Access::Write)));
    let here = membership(2, &[("bob", &old)]);
    let mut newer = membership(3, &[("bob", &new)]);
    newer
        .root
        .former
        .insert(name("bob").until(1), former(&old, 2));
    check(&here, &newer, &[("bob", &[PRODUCTION])]);
    // Only the signing key was replaced.
    let mut signer = old.clone();
    signer.signing = new.signing.clone();
    let newer = membership(2, &[("bob", &signer)]);
    check(&here, &newer, &[("bob", &[PRODUCTION])]);
}

#[test]
fn former_members_with_the_newest_key_are_named() {
    let carol = member(None);
    let here = membership(2, &[]);
    for (epoch, expected) in [
        (1, &[][..]),
        (2, &[("carol", &[PRODUCTION][..])]),
        (3, &[("carol", &[PRODUCTION])]),
    ] {
        let mut newer = membership(3, &[]);
        newer
            .root
            .former
            .insert(name("carol"), former(&carol, epoch));
        check(&here, &newer, expected);
    }
}

#[test]
fn loss_given_back_is_not_named() {
    let (reads, limited) = (
        member(Some(Access::Read)),
        member(Some(Access::Names(BTreeSet::new()))),
    );
    for (member, expected) in [(reads, &[][..]), (limited, &[("bob", &[PRODUCTION][..])])] {
        let mut newer = membership(3, &[("bob", &member)]);
        let own = newer.root.members.entry(name("bob")).or_default();
        own.lost = former(&member, 2).lost;
        check(&membership(2, &[]), &newer, expected);
    }
}

#[test]
fn receivers_of_the_newest_key_without_access_are_named() {
    let mut here = membership(2, &[]);
    let production = here.root.environments.get_mut(&place()).unwrap();
    production.given.insert(name("bob"));
    check(&here, &membership(3, &[]), &[("bob", &[PRODUCTION])]);
    let bob = member(Some(Access::Read));
    check(&here, &membership(3, &[("bob", &bob)]), &[]);
}

#[test]
fn signed_files_show_everyone_with_the_newest_key() {
    let dave = member(Some(Access::Write));
    let files = [(name("dave"), dave.clone())];
    let (here, without) = (membership(2, &[]), membership(3, &[]));
    check_with(&here, &without, &files, None, &[("dave", &[PRODUCTION])]);
    check_with(&membership(1, &[]), &without, &files, None, &[]);
    let reader = Member {
        access: BTreeMap::from([(place(), Access::Read)]),
        ..dave
    };
    check_with(
        &here,
        &membership(3, &[("david", &reader)]),
        &files,
        None,
        &[],
    );
}

#[test]
fn caller_is_left_out_but_not_a_former_key_of_theirs() {
    let (old, new) = (member(Some(Access::Write)), member(Some(Access::Write)));
    let here = membership(2, &[("alice", &old)]);
    let mut newer = membership(3, &[("alice", &new)]);
    newer
        .root
        .former
        .insert(name("alice").until(1), former(&old, 2));
    check_with(&here, &newer, &[], Some(&old.recipient), &[]);
    let named: &[(&str, &[&str])] = &[("alice", &[PRODUCTION])];
    check_with(&here, &newer, &[], Some(&new.recipient), named);
}

#[test]
fn admins_of_one_branch_alone_are_regained() {
    let mut bob = member(None);
    let newer = membership(3, &[("bob", &bob)]);
    bob.authority = Some(Vec::new());
    check(&membership(2, &[("bob", &bob)]), &newer, &[("bob", &[])]);
}
