//! The root as a whole, and the environments that it lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::{Commitment, Tag, VaultId};
use crate::vault::model::{Environment, Lost, Root};
use crate::vault::name::{EnvironmentName, MemberName};

/// Whether both vaults have the same authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum Lineage {
    SameAuthority,
    /// The caller has named the new id.
    NewAuthority,
}

/// A change of the root.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum RootChange {
    AuthorityChanged {
        from: VaultId,
        to: VaultId,
    },
    RolledBack {
        from: u64,
        to: u64,
    },
    /// It has the same revision with different content.
    Replaced {
        revision: u64,
    },
    /// Revocations were added.
    Revoked {
        tags: Vec<Tag>,
    },
    /// Revocations are no longer listed.
    RevocationsGone {
        tags: Vec<Tag>,
    },
    /// The same revocations are listed in another order.
    RevocationsReordered,
    /// A former member is no longer listed, or is listed with other keys.
    FormerChanged {
        member: MemberName,
    },
    /// The record of someone's lost access says less than before.
    LostChanged {
        member: MemberName,
    },
    /// A member's latest revocation is an older one than before, or is no longer recorded.
    TagWentBack {
        member: MemberName,
    },
}

/// A change of an environment.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum EnvironmentChange {
    Added,
    Removed,
    /// It was removed, and added again with another data key.
    Recreated,
    Rotated {
        from: u64,
        to: u64,
    },
    /// The newest epoch is gone, or another one has its number.
    EpochReplaced {
        epoch: u64,
    },
    /// Older epochs were dropped, so entries in them can no longer be opened.
    Forgotten {
        epochs: Vec<u64>,
    },
    /// Older epochs are listed that were not before: they come from another branch.
    Merged {
        epochs: Vec<u64>,
    },
    /// It was removed or got a new epoch, and the root has no new revocation.
    NotRevoked,
    /// The newest epoch is the same, but the list of those who got its key is not.
    GivenChanged {
        epoch: u64,
    },
}

pub(in crate::review) fn lineage(before: &Root, now: &Root) -> Lineage {
    if before.vault == now.vault {
        Lineage::SameAuthority
    } else {
        Lineage::NewAuthority
    }
}

pub(in crate::review) fn root(before: &Root, now: &Root) -> Vec<RootChange> {
    if lineage(before, now) == Lineage::NewAuthority {
        // A new authority may count from the start.
        return vec![RootChange::AuthorityChanged {
            from: before.vault,
            to: now.vault,
        }];
    }
    let (from, to) = (before.revision, now.revision);
    let mut changes = Vec::new();
    if to < from {
        changes.push(RootChange::RolledBack { from, to });
    }
    if to == from && before != now {
        changes.push(RootChange::Replaced { revision: to });
    }
    changes.extend(revocations(before, now));
    changes.extend(former(before, now));
    changes.extend(tags(before, now));
    changes
}

fn revocations(before: &Root, now: &Root) -> Vec<RootChange> {
    let (old, new) = (&before.revocations, &now.revocations);
    let missing = |tags: &[Tag], others: &[Tag]| -> Vec<Tag> {
        let missing = tags.iter().filter(|tag| !others.contains(tag));
        missing.copied().collect()
    };
    let mut changes = Vec::new();
    let gone = missing(old, new);
    let kept: Vec<Tag> = missing(new, &missing(new, old));
    if !gone.is_empty() {
        changes.push(RootChange::RevocationsGone { tags: gone });
    } else if kept != *old {
        changes.push(RootChange::RevocationsReordered);
    }
    let added = missing(new, old);
    if !added.is_empty() {
        changes.push(RootChange::Revoked { tags: added });
    }
    changes
}

fn former(before: &Root, now: &Root) -> Vec<RootChange> {
    let mut changes = Vec::new();
    for (member, old) in &before.former {
        let keys = |root: &Root| {
            let own = root.former.get(member)?;
            Some((own.recipient, own.signer))
        };
        if keys(now) != Some((old.recipient, old.signer)) {
            let member = member.clone();
            changes.push(RootChange::FormerChanged { member });
        }
    }
    for (member, losses) in before.losses() {
        let says_less = |(environment, old): (_, &Lost)| {
            !lost(now, member, environment).is_some_and(|new| covers(&new, old))
        };
        if losses.iter().any(says_less) {
            let member = member.clone();
            changes.push(RootChange::LostChanged { member });
        }
    }
    changes
}

/// Members whose files from before their latest revocation could count again.
fn tags(before: &Root, now: &Root) -> Vec<RootChange> {
    let place = |tag: Tag| before.revocations.iter().position(|other| *other == tag);
    let went_back = |member: &&MemberName| {
        let (Some(old), new) = (before.tag_of(member), now.tag_of(member)) else {
            return false;
        };
        // The order of tags from another branch says nothing.
        let is_older = new.is_none_or(|new| place(new).is_some_and(|new| Some(new) < place(old)));
        is_older && !now.former.contains_key(*member)
    };
    let members = before.members.keys().filter(went_back).cloned();
    members
        .map(|member| RootChange::TagWentBack { member })
        .collect()
}

/// Everything in `environment` that `member` lost. Keys that are replaced take their losses along, to
/// a name of their own.
pub(super) fn lost(
    root: &Root,
    member: &MemberName,
    environment: &EnvironmentName,
) -> Option<Lost> {
    let own = root
        .losses()
        .filter(|(name, _)| *name == member || name.is_of(member));
    own.filter_map(|(_, lost)| lost.get(environment).cloned())
        .reduce(|one, other| Lost {
            epoch: one.epoch.max(other.epoch),
            names: one
                .names
                .zip(other.names)
                .map(|(one, other)| one.union(&other).cloned().collect()),
        })
}

/// Whether a record says everything that another one says.
fn covers(record: &Lost, other: &Lost) -> bool {
    let names = match (&record.names, &other.names) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(names), Some(other)) => other.is_subset(names),
    };
    names && record.epoch >= other.epoch
}

/// Compares the environments that the roots list, and their epochs.
pub(in crate::review) fn environments(
    before: &Root,
    now: &Root,
) -> Vec<(EnvironmentName, EnvironmentChange)> {
    let names: BTreeSet<&EnvironmentName> = before
        .environments
        .keys()
        .chain(now.environments.keys())
        .collect();
    let mut changes = Vec::new();
    for name in names {
        let found = match (before.environments.get(name), now.environments.get(name)) {
            (Some(old), Some(new)) if lineage(before, now) == Lineage::SameAuthority => {
                let newest = old.newest().number;
                let has_lost = |member: &MemberName| {
                    lost(now, member, name).is_some_and(|lost| lost.epoch >= newest)
                };
                epochs(old, new, old.given.iter().all(has_lost))
            }
            // Commitments depend on the authority.
            (Some(old), Some(new)) => rotated(old, new).into_iter().collect(),
            (Some(_), None) => vec![EnvironmentChange::Removed],
            (None, _) => vec![EnvironmentChange::Added],
        };
        let is_new = |tag: &Tag| !before.lists(*tag);
        let is_revoked = now.revocations.iter().any(is_new);
        let needs_one = found.iter().any(EnvironmentChange::is_revocation);
        let is_unrevoked = needs_one && !is_revoked;
        changes.extend(found.into_iter().map(|change| (name.clone(), change)));
        changes.extend(is_unrevoked.then(|| (name.clone(), EnvironmentChange::NotRevoked)));
    }
    changes
}

impl EnvironmentChange {
    fn is_revocation(&self) -> bool {
        matches!(self, Self::Removed | Self::Recreated | Self::Rotated { .. })
    }
}

/// `is_lost_to_all` says whether everyone lost it who could read it, as if it was removed.
fn epochs(old: &Environment, new: &Environment, is_lost_to_all: bool) -> Vec<EnvironmentChange> {
    let commitments = |environment: &Environment| -> BTreeMap<Commitment, u64> {
        let epochs = environment.epochs.iter();
        epochs.map(|own| (own.commitment, own.number)).collect()
    };
    let (old_epochs, new_epochs) = (commitments(old), commitments(new));
    let only_in = |one: &BTreeMap<Commitment, u64>, other: &BTreeMap<Commitment, u64>| {
        let only = one
            .iter()
            .filter(|(commitment, number)| other.get(commitment) != Some(number));
        let mut numbers: Vec<u64> = only.map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers
    };
    let mut gone = only_in(&old_epochs, &new_epochs);
    if gone.len() == old_epochs.len() && is_lost_to_all {
        return vec![EnvironmentChange::Recreated];
    }
    let (from, to) = (old.newest(), new.newest());
    let mut changes = Vec::new();
    let is_replaced = match new_epochs.get(&from.commitment) {
        Some(number) => *number != from.number,
        // A newer epoch can replace it, if it is forgotten then.
        None => to.number <= from.number,
    };
    if is_replaced {
        gone.retain(|number| *number != from.number);
        changes.push(EnvironmentChange::EpochReplaced { epoch: from.number });
    }
    if from.commitment == to.commitment && old.given != new.given {
        changes.push(EnvironmentChange::GivenChanged { epoch: to.number });
    }
    changes.extend(rotated(old, new).filter(|_| to.number > from.number));
    if !gone.is_empty() {
        changes.push(EnvironmentChange::Forgotten { epochs: gone });
    }
    let mut merged = only_in(&new_epochs, &old_epochs);
    merged.retain(|number| *number <= from.number && *number != to.number);
    if !merged.is_empty() {
        changes.push(EnvironmentChange::Merged { epochs: merged });
    }
    changes
}

fn rotated(old: &Environment, new: &Environment) -> Option<EnvironmentChange> {
    let (from, to) = (old.newest().number, new.newest().number);
    (to != from).then_some(EnvironmentChange::Rotated { from, to })
}
