//! Members that were added or removed, and changes of their access and keys.

use std::collections::{BTreeMap, BTreeSet};

use super::roster::{Environments, Lineage, lineage};
use crate::crypto::{PublicKey, Recipient};
use crate::vault::model::{Access, Member, Roster};
use crate::vault::name::{EnvironmentName, MemberName};

/// A change of a member.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum MemberChange {
    Added {
        recipient: Recipient,
        signer: Option<PublicKey>,
    },
    Removed,
    /// The name is gone from the members and is not among the former ones.
    Missing,
    /// The name of a former member was given to someone again.
    NameReused,
    Access(EnvironmentName, AccessChange),
    AdminGranted,
    /// A former admin knows the authority's key, unless there is a new one.
    AdminTaken(Lineage),
    Recipient {
        from: Recipient,
        to: Recipient,
    },
    Signer {
        from: Option<PublicKey>,
        to: Option<PublicKey>,
    },
    /// The secret half of a key was sealed to the member again, though the public half is the same.
    Reencrypted(Key),
    /// The floor in a machine's credential.
    CredentialFloor {
        from: Option<u64>,
        to: u64,
    },
    /// A machine's credential accepts rosters from before the floor.
    BelowFloor {
        credential: u64,
        floor: u64,
    },
    /// The member lost access, but the values are still sealed with a data key they know.
    NotRotated {
        environment: EnvironmentName,
        epoch: u64,
    },
    /// The member lost something, and rosters from before still count.
    FloorNotRaised {
        floor: u64,
    },
}

/// Access in one environment, before and now; `None` is no access.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) struct AccessChange {
    pub(in crate::review) from: Option<Access>,
    pub(in crate::review) to: Option<Access>,
    pub(in crate::review) cause: Cause,
}

/// The change that granted or took access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum Cause {
    MemberAdded,
    MemberRemoved,
    EnvironmentAdded,
    EnvironmentRemoved,
    AccessChanged,
}

/// A key whose secret half is in the roster, sealed to the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum Key {
    Signing,
    Authority,
}

impl AccessChange {
    /// Whether the member can now read or do something that they could not.
    pub(in crate::review) fn grants(&self) -> bool {
        !Access::covers(self.from.as_ref(), self.to.as_ref())
    }

    /// Whether the member can no longer read or do something that they could.
    pub(in crate::review) fn takes(&self) -> bool {
        !Access::covers(self.to.as_ref(), self.from.as_ref())
    }
}

/// Compares members and former members. `files` are the valid files of the environments; they show
/// whether a data key was replaced.
pub(in crate::review) fn members(
    rosters: (&Roster, &Roster),
    files: (&Environments, &Environments),
) -> Vec<(MemberName, MemberChange)> {
    let (before, now) = rosters;
    let names: BTreeSet<&MemberName> = before.members.keys().chain(now.members.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let mut found = came_or_went(name, before, now);
        let records = (before.members.get(name), now.members.get(name));
        let access = access(rosters, records);
        found.extend(losses(rosters, &access, records, files));
        found.extend(
            access
                .into_iter()
                .map(|(place, change)| MemberChange::Access(place, change)),
        );
        found.extend(admin(rosters, records));
        let lineage = lineage(before, now);
        found.extend(
            records
                .0
                .zip(records.1)
                .into_iter()
                .flat_map(|both| keys(both, lineage)),
        );
        if lineage == Lineage::SameAuthority {
            found.extend(floors(rosters, records));
        }
        changes.extend(found.into_iter().map(|change| (name.clone(), change)));
    }
    let missing = before
        .former
        .keys()
        .filter(|name| !now.former.contains_key(name) && !now.members.contains_key(name));
    changes.extend(missing.map(|name| (name.clone(), MemberChange::Missing)));
    changes
}

fn came_or_went(name: &MemberName, before: &Roster, now: &Roster) -> Vec<MemberChange> {
    match (before.members.contains_key(name), now.members.get(name)) {
        (false, Some(record)) => {
            let signer = record.signing.as_ref().map(|signing| signing.signer);
            let added = MemberChange::Added {
                recipient: record.recipient.clone(),
                signer,
            };
            let again = before
                .former
                .contains_key(name)
                .then_some(MemberChange::NameReused);
            std::iter::once(added).chain(again).collect()
        }
        (true, None) if now.former.contains_key(name) => vec![MemberChange::Removed],
        (true, None) => vec![MemberChange::Missing],
        (_, _) => Vec::new(),
    }
}

fn access(
    (before, now): (&Roster, &Roster),
    (old, new): (Option<&Member>, Option<&Member>),
) -> Vec<(EnvironmentName, AccessChange)> {
    let none = BTreeMap::new();
    let from = old.map_or(&none, |member| &member.access);
    let to = new.map_or(&none, |member| &member.access);
    let environments: BTreeSet<&EnvironmentName> = from.keys().chain(to.keys()).collect();
    let differ = environments
        .into_iter()
        .filter(|name| from.get(name) != to.get(name));
    differ
        .map(|name| {
            let cause = match (old, new) {
                (None, _) => Cause::MemberAdded,
                (_, None) => Cause::MemberRemoved,
                _ if !before.environments.contains_key(name) => Cause::EnvironmentAdded,
                _ if !now.environments.contains_key(name) => Cause::EnvironmentRemoved,
                _ => Cause::AccessChanged,
            };
            let (from, to) = (from.get(name).cloned(), to.get(name).cloned());
            (name.clone(), AccessChange { from, to, cause })
        })
        .collect()
}

/// Returns the required effects of a loss that are absent: a new epoch and a raised floor.
fn losses(
    (before, now): (&Roster, &Roster),
    access: &[(EnvironmentName, AccessChange)],
    (old, new): (Option<&Member>, Option<&Member>),
    (old_files, new_files): (&Environments, &Environments),
) -> Vec<MemberChange> {
    // A new authority re-encrypts everything, and its floors start again.
    let Some(record) = old.filter(|_| before.vault == now.vault) else {
        return Vec::new();
    };
    let is_replaced = new.is_some_and(|new| new.recipient != record.recipient);
    let lost = access
        .iter()
        .filter(|(_, change)| Access::loses(change.from.as_ref(), change.to.as_ref()));
    let concerned: BTreeSet<&EnvironmentName> = if is_replaced {
        record.access.keys().collect()
    } else {
        lost.map(|(name, _)| name).collect()
    };
    let mut found = Vec::new();
    for name in concerned {
        let newest = |files: &Environments| {
            files
                .get(name)
                .map(|file| (file.newest().number, file.newest().commitment))
        };
        let (old, new) = (newest(old_files), newest(new_files));
        if let Some((epoch, _)) = old.filter(|_| old == new) {
            found.push(MemberChange::NotRotated {
                environment: name.clone(),
                epoch,
            });
        }
    }
    let lost_something = is_replaced || access.iter().any(|(_, change)| change.takes());
    if lost_something && now.floor <= before.revision {
        found.push(MemberChange::FloorNotRaised { floor: now.floor });
    }
    found
}

fn admin(
    (before, now): (&Roster, &Roster),
    (old, new): (Option<&Member>, Option<&Member>),
) -> Option<MemberChange> {
    match (
        old.is_some_and(Member::is_admin),
        new.is_some_and(Member::is_admin),
    ) {
        (false, true) => Some(MemberChange::AdminGranted),
        (true, false) => Some(MemberChange::AdminTaken(lineage(before, now))),
        _ => None,
    }
}

/// Returns the changes in the keys of a member who remains one.
fn keys((old, new): (&Member, &Member), lineage: Lineage) -> Vec<MemberChange> {
    let mut found = Vec::new();
    let is_same_recipient = old.recipient == new.recipient;
    if !is_same_recipient {
        let (from, to) = (old.recipient.clone(), new.recipient.clone());
        found.push(MemberChange::Recipient { from, to });
    }
    let signer = |member: &Member| member.signing.as_ref().map(|signing| signing.signer);
    let seed = |member: &Member| member.signing.as_ref().map(|signing| signing.seed.clone());
    if signer(old) != signer(new) {
        found.push(MemberChange::Signer {
            from: signer(old),
            to: signer(new),
        });
    } else if is_same_recipient && seed(old) != seed(new) {
        found.push(MemberChange::Reencrypted(Key::Signing));
    }
    let both = old.authority.as_ref().zip(new.authority.as_ref());
    let is_same_key = lineage == Lineage::SameAuthority;
    if is_same_recipient && is_same_key && both.is_some_and(|(old, new)| old != new) {
        found.push(MemberChange::Reencrypted(Key::Authority));
    }
    found
}

fn floors(
    (before, now): (&Roster, &Roster),
    (old, new): (Option<&Member>, Option<&Member>),
) -> Vec<MemberChange> {
    let Some(to) = new.and_then(|new| new.credential_floor) else {
        return Vec::new();
    };
    let from = old.and_then(|old| old.credential_floor);
    let mut found = Vec::new();
    if old.is_some() && from != Some(to) {
        found.push(MemberChange::CredentialFloor { from, to });
    }
    let was_below = from.is_some_and(|from| from < before.floor);
    if to < now.floor && !was_below {
        found.push(MemberChange::BelowFloor {
            credential: to,
            floor: now.floor,
        });
    }
    found
}
