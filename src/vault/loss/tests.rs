//! Tests of who loses what.

use super::*;
use crate::crypto::{Commitment, Identity, NativeKind, SigningKey, VaultId};
use crate::vault::model::{Environment, Epoch, Signing};

fn environment(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

fn bob() -> MemberName {
    "bob".parse().unwrap()
}

fn member(access: Option<Access>) -> Member {
    let signer = SigningKey::generate().public();
    Member {
        access: access
            .map(|access| (environment("production"), access))
            .into_iter()
            .collect(),
        signing: Some(Signing {
            signer,
            seed: Vec::new(),
        }),
        ..Member::new(Identity::generate(NativeKind::Hybrid).recipient())
    }
}

fn membership(bob: Member) -> Membership {
    let name = environment("production");
    let production = Environment {
        name: name.clone(),
        epochs: [4, 3, 1].map(epoch).into(),
        given: BTreeSet::new(),
    };
    let root = Root {
        vault: VaultId::new(SigningKey::generate().public()),
        revision: 1,
        revocations: Vec::new(),
        environments: BTreeMap::from([(name, production)]),
        members: BTreeMap::new(),
        former: BTreeMap::new(),
    };
    let members = BTreeMap::from([(self::bob(), bob)]);
    Membership { root, members }
}

fn epoch(number: u8) -> Epoch {
    Epoch {
        number: number.into(),
        commitment: Commitment([number; 32]),
    }
}

fn names(names: &[&str]) -> Access {
    Access::Names(names.iter().map(|name| name.parse().unwrap()).collect())
}

fn change(before: &Membership, change: impl FnOnce(&mut Member)) -> (Membership, Loss) {
    let mut after = before.clone();
    change(after.members.get_mut(&bob()).unwrap());
    let loss = Loss::between(before, &after);
    (after, loss)
}

#[test]
fn shrinking_read_access_starts_a_new_epoch() {
    let (write, read) = (Some(Access::Write), Some(Access::Read));
    let (a, ab, bc) = (
        Some(names(&["A"])),
        Some(names(&["A", "B"])),
        Some(names(&["B", "C"])),
    );
    let table = [
        (None, &write, false),
        (write.clone(), &write, false),
        (write.clone(), &read, false),
        (read.clone(), &write, false),
        (write.clone(), &None, true),
        (read.clone(), &None, true),
        (read.clone(), &ab, true),
        (ab.clone(), &read, false),
        (ab.clone(), &a, true),
        (a.clone(), &ab, false),
        (ab.clone(), &bc, true),
        (ab.clone(), &None, true),
    ];
    for (before, now, expected) in table {
        let before = membership(member(before));
        let (_, loss) = change(&before, |bob| {
            bob.access = now
                .iter()
                .map(|now| (environment("production"), now.clone()))
                .collect();
        });
        assert_eq!(!loss.readable.is_empty(), expected, "{before:?} {now:?}");
    }
}

#[test]
fn new_recipient_loses_all_access_of_the_old_one() {
    let mut admin = member(Some(Access::Read));
    admin.authority = Some(Vec::new());
    let (_, loss) = change(&membership(admin), |bob| {
        bob.recipient = Identity::generate(NativeKind::Hybrid).recipient();
    });
    assert!(loss.authority && loss.readable.len() == 1 && loss.signatures.is_empty());
}

#[test]
fn signatures_are_lost_with_write_access_or_the_key() {
    let before = membership(member(Some(Access::Write)));
    let (_, loss) = change(&before, |bob| {
        bob.access.insert(environment("production"), Access::Read);
    });
    assert!(loss.readable.is_empty() && loss.signatures.len() == 1 && !loss.authority);
    let (_, loss) = change(&before, |bob| bob.signing = member(None).signing);
    assert!(loss.readable.is_empty() && loss.signatures.len() == 1);
}

#[test]
fn recorded_loss_is_the_highest_open_epoch_and_only_grows() {
    let place = environment("production");
    let lost = |lost: &BTreeMap<EnvironmentName, Lost>| {
        let lost = &lost[&place];
        let names = lost.names.as_ref();
        let names = names.map(|names| names.iter().map(ToString::to_string).collect());
        (lost.epoch, names)
    };
    let text = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect::<Vec<_>>());
    let mut own = member(Some(names(&["A", "B"])));
    let sealed = [3, 1].map(|number| (epoch(number).commitment, Vec::new()));
    own.sealed.insert(place.clone(), sealed.into());
    let before = membership(own);
    let (mut after, _) = change(&before, |bob| {
        bob.access.insert(place.clone(), names(&["B"]));
    });
    after.record_lost(&before, &place);
    assert_eq!(lost(&after.root.members[&bob()].lost), (3, text(&["A"])));
    let before = after;
    let (mut after, _) = change(&before, |bob| bob.access.clear());
    after.record_lost(&before, &place);
    assert_eq!(
        lost(&after.root.members[&bob()].lost),
        (3, text(&["A", "B"]))
    );
    let mut before = after;
    let access = &mut before.members.get_mut(&bob()).unwrap().access;
    access.insert(place.clone(), Access::Read);
    let mut after = before.clone();
    after.dismiss(&bob());
    after.record_lost(&before, &place);
    assert_eq!(lost(&after.root.former[&bob()].lost), (3, None));
}

#[test]
fn keys_of_another_member_never_become_former() {
    let mut state = membership(member(None));
    let twin = state.members[&bob()].clone();
    state.members.insert("bert".parse().unwrap(), twin);
    state.dismiss(&bob());
    let former = &state.root.former[&bob()];
    assert_eq!((former.recipient, former.signer), (None, None));
}
