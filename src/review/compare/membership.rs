//! Members that were added or removed, and changes of their access and keys.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::root::{Lineage, lineage, lost};
use crate::crypto::{PublicKey, Recipient, Tag};
use crate::vault::model::{Access, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName};

/// A change of a member.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum MemberChange {
    Added {
        recipient: Recipient,
        signer: Option<PublicKey>,
    },
    Removed,
    /// The member is gone without a revocation.
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
    Credential(CredentialChange),
    /// The file has an older revision than before.
    WentBack {
        from: u64,
        to: u64,
    },
    /// The file has the same revision with different content.
    Replaced {
        revision: u64,
    },
    /// The member lost access, but the values are still sealed with a data key they know.
    NotRotated {
        environment: EnvironmentName,
        epoch: u64,
    },
    /// The member lost something without a revocation, so older files still count.
    NotRevoked,
    /// The root does not say what the member lost, so `status` cannot list the values.
    NotRecorded {
        environment: EnvironmentName,
    },
    /// The keys that the member had are not those of a former member.
    NotRetired,
    /// Only the revocation is new.
    Revoked,
}

/// Access in one environment, before and now; `None` means no access.
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

/// A change of the revocations that a machine's credential knows.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum CredentialChange {
    /// The machine has another credential.
    Replaced { from: Option<Tag>, to: Tag },
    /// It does not know the latest revocation, so it accepts older roots.
    Outdated,
    /// It knows a revocation that is not listed, so it refuses this root.
    Newer,
}

/// A key whose secret half is in the member's file, sealed to the member.
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

/// Compares the members. `differs` says whether the content of a file differs, the parts that do not
/// count included.
pub(in crate::review) fn members(
    before: &Membership,
    now: &Membership,
    differs: impl Fn(&MemberName) -> bool,
) -> Vec<(MemberName, MemberChange)> {
    let both = (before, now);
    let names: BTreeSet<&MemberName> = before.members.keys().chain(now.members.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let mut found = came_or_went(name, before, now);
        let records = (before.members.get(name), now.members.get(name));
        let access = access(both, records);
        found.extend(losses(name, both, &access, records));
        found.extend(
            access
                .into_iter()
                .map(|(place, change)| MemberChange::Access(place, change)),
        );
        found.extend(admin(both, records));
        let lineage = lineage(&before.root, &now.root);
        found.extend(
            records
                .0
                .zip(records.1)
                .into_iter()
                .flat_map(|both| keys(both, lineage)),
        );
        if lineage == Lineage::SameAuthority {
            found.extend(revisions(records, || differs(name)));
            found.extend(
                credentials(both, records)
                    .into_iter()
                    .map(MemberChange::Credential),
            );
            if found.is_empty() {
                found.extend(revoked(records));
            }
        }
        changes.extend(found.into_iter().map(|change| (name.clone(), change)));
    }
    changes
}

fn came_or_went(name: &MemberName, before: &Membership, now: &Membership) -> Vec<MemberChange> {
    match (before.members.contains_key(name), now.members.get(name)) {
        (false, Some(record)) => {
            let added = MemberChange::Added {
                recipient: record.recipient.clone(),
                signer: record.signer(),
            };
            let again = before
                .root
                .former
                .contains_key(name)
                .then_some(MemberChange::NameReused);
            std::iter::once(added).chain(again).collect()
        }
        (true, None) if now.root.former.contains_key(name) => vec![MemberChange::Removed],
        (true, None) => vec![MemberChange::Missing],
        (_, _) => Vec::new(),
    }
}

/// The revisions of a file whose content differs.
fn revisions(
    (old, new): (Option<&Member>, Option<&Member>),
    differs: impl Fn() -> bool,
) -> Option<MemberChange> {
    let (old, new) = old.zip(new)?;
    let (from, to) = (old.revision, new.revision);
    match to.cmp(&from) {
        Ordering::Less => Some(MemberChange::WentBack { from, to }),
        Ordering::Equal if differs() => Some(MemberChange::Replaced { revision: to }),
        Ordering::Equal | Ordering::Greater => None,
    }
}

fn revoked((old, new): (Option<&Member>, Option<&Member>)) -> Option<MemberChange> {
    let (old, new) = old.zip(new)?;
    (old.revocation != new.revocation).then_some(MemberChange::Revoked)
}

fn access(
    (before, now): (&Membership, &Membership),
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
                _ if !before.root.environments.contains_key(name) => Cause::EnvironmentAdded,
                _ if !now.root.environments.contains_key(name) => Cause::EnvironmentRemoved,
                _ => Cause::AccessChanged,
            };
            let (from, to) = (from.get(name).cloned(), to.get(name).cloned());
            (name.clone(), AccessChange { from, to, cause })
        })
        .collect()
}

/// Returns the required effects of a loss that are absent: a new epoch, a revocation, and the records
/// of it in the root.
fn losses(
    name: &MemberName,
    (before, now): (&Membership, &Membership),
    access: &[(EnvironmentName, AccessChange)],
    (old, new): (Option<&Member>, Option<&Member>),
) -> Vec<MemberChange> {
    // A new authority re-encrypts everything, and its revocations start again.
    let Some(record) = old.filter(|_| before.root.vault == now.root.vault) else {
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
    let root = &now.root;
    let is_revoked = root.former.contains_key(name)
        || (root.tag_of(name).is_some() && root.tag_of(name) != before.root.tag_of(name));
    let mut found = Vec::new();
    for place in concerned {
        found.extend(not_rotated(place, (before, now)));
        let has_record = is_revoked || !root.environments.contains_key(place);
        if has_record && !is_recorded(name, record, place, (before, now)) {
            let environment = place.clone();
            found.push(MemberChange::NotRecorded { environment });
        }
    }
    let was_taken = |(_, change): &(EnvironmentName, AccessChange)| {
        change.takes() && change.cause != Cause::EnvironmentRemoved
    };
    let is_new_signer = new.is_some_and(|new| {
        record.signer().is_some() && new.signer().is_some() && new.signer() != record.signer()
    });
    let is_taken = is_replaced || is_new_signer || access.iter().any(was_taken);
    if is_taken && !is_revoked {
        found.push(MemberChange::NotRevoked);
    } else if (is_replaced || is_new_signer) && !is_retired(record, is_replaced, now) {
        found.push(MemberChange::NotRetired);
    }
    found
}

/// Values are still sealed with a data key that someone without access knows.
fn not_rotated(
    place: &EnvironmentName,
    (before, now): (&Membership, &Membership),
) -> Option<MemberChange> {
    let newest = |membership: &Membership| {
        let environment = membership.root.environments.get(place);
        environment.map(|environment| *environment.newest())
    };
    let epoch = newest(before).filter(|_| newest(before) == newest(now))?;
    Some(MemberChange::NotRotated {
        environment: place.clone(),
        epoch: epoch.number,
    })
}

/// Whether the root says that the member could open every epoch to which they had a key.
fn is_recorded(
    name: &MemberName,
    record: &Member,
    place: &EnvironmentName,
    (before, now): (&Membership, &Membership),
) -> bool {
    let environment = before.root.environments.get(place);
    let epochs = environment.map_or(&[][..], |environment| &environment.epochs);
    let known = epochs
        .iter()
        .filter(|epoch| record.sealed_key(place, epoch).is_some());
    let highest = known.map(|epoch| epoch.number).max();
    lost(&now.root, name, place).map(|lost| lost.epoch) >= highest
}

/// Whether the keys that `record` had are a former member's. Those that another member has are not.
fn is_retired(record: &Member, is_replaced: bool, now: &Membership) -> bool {
    let (mut former, mut members) = (now.root.former.values(), now.members.values());
    let recipient = Some(record.recipient.digest());
    let has_recipient = former.any(|own| own.recipient == recipient)
        || members.any(|own| own.recipient == record.recipient);
    let (mut former, mut members) = (now.root.former.values(), now.members.values());
    let signer = record.signer().map(|signer| signer.digest());
    let has_signer = former.any(|own| own.signer == signer)
        || members.any(|own| own.signer() == record.signer());
    (has_recipient || !is_replaced) && (has_signer || signer.is_none())
}

fn admin(
    (before, now): (&Membership, &Membership),
    (old, new): (Option<&Member>, Option<&Member>),
) -> Option<MemberChange> {
    match (
        old.is_some_and(Member::is_admin),
        new.is_some_and(Member::is_admin),
    ) {
        (false, true) => Some(MemberChange::AdminGranted),
        (true, false) => Some(MemberChange::AdminTaken(lineage(&before.root, &now.root))),
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
    let signer = Member::signer;
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

fn credentials(
    (before, now): (&Membership, &Membership),
    (old, new): (Option<&Member>, Option<&Member>),
) -> Vec<CredentialChange> {
    let Some(to) = new.and_then(|new| new.credential) else {
        return Vec::new();
    };
    let from = old.and_then(|old| old.credential);
    let mut found = Vec::new();
    if old.is_some() && from != Some(to) {
        found.push(CredentialChange::Replaced { from, to });
    }
    let (latest, knows) = (before.root.latest(), |from| before.root.lists(from));
    let was_outdated = from.is_some_and(|from| knows(from) && from != latest);
    if !now.root.lists(to) {
        found.push(CredentialChange::Newer);
    } else if to != now.root.latest() && !was_outdated {
        found.push(CredentialChange::Outdated);
    }
    found
}
