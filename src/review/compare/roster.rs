//! The roster as a whole, and the environments that it lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::{Commitment, VaultId};
use crate::vault::model::{Environment, Roster};
use crate::vault::name::EnvironmentName;

/// The environments of one vault whose files are valid.
pub(in crate::review) type Environments = BTreeMap<EnvironmentName, Environment>;

/// Whether both vaults have the same authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum Lineage {
    SameAuthority,
    /// The caller has named the new id.
    NewAuthority,
}

/// A change of the roster.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum RosterChange {
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
    FloorRaised {
        from: u64,
        to: u64,
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
    /// The same epoch has another data key, as after two simultaneous rotations.
    EpochReplaced {
        epoch: u64,
    },
    /// Older epochs were dropped, so entries in them can no longer be opened.
    Forgotten {
        epochs: Vec<u64>,
    },
    /// The roster lists a lower revision of its file than before.
    RolledBack {
        from: u64,
        to: u64,
    },
}

pub(in crate::review) fn lineage(before: &Roster, now: &Roster) -> Lineage {
    if before.vault == now.vault {
        Lineage::SameAuthority
    } else {
        Lineage::NewAuthority
    }
}

pub(in crate::review) fn roster(before: &Roster, now: &Roster) -> Vec<RosterChange> {
    if lineage(before, now) == Lineage::NewAuthority {
        // A new authority may count from the start.
        return vec![RosterChange::AuthorityChanged {
            from: before.vault,
            to: now.vault,
        }];
    }
    let (from, to) = (before.revision, now.revision);
    let mut changes = Vec::new();
    if to < from {
        changes.push(RosterChange::RolledBack { from, to });
    }
    if to == from && before != now {
        changes.push(RosterChange::Replaced { revision: to });
    }
    if now.floor > before.floor {
        changes.push(RosterChange::FloorRaised {
            from: before.floor,
            to: now.floor,
        });
    }
    changes
}

/// Compares the environments that the rosters list, and the epochs of those with valid files.
pub(in crate::review) fn environments(
    (before, now): (&Roster, &Roster),
    (old, new): (&Environments, &Environments),
) -> Vec<(EnvironmentName, EnvironmentChange)> {
    let names: BTreeSet<&EnvironmentName> = before
        .environments
        .keys()
        .chain(now.environments.keys())
        .collect();
    let mut changes = Vec::new();
    for name in names {
        let listed = (before.environments.get(name), now.environments.get(name));
        let found = match listed {
            (Some(from), Some(to)) if lineage(before, now) == Lineage::SameAuthority => {
                let back = (to.revision < from.revision).then_some(EnvironmentChange::RolledBack {
                    from: from.revision,
                    to: to.revision,
                });
                let files = old.get(name).zip(new.get(name));
                back.into_iter()
                    .chain(files.into_iter().flat_map(|(o, n)| epochs(o, n)))
                    .collect()
            }
            // Commitments depend on the authority.
            (Some(_), Some(_)) => {
                let files = old.get(name).zip(new.get(name));
                files
                    .and_then(|(old, new)| rotated(old, new))
                    .into_iter()
                    .collect()
            }
            (Some(_), None) => vec![EnvironmentChange::Removed],
            (None, _) => vec![EnvironmentChange::Added],
        };
        changes.extend(found.into_iter().map(|change| (name.clone(), change)));
    }
    changes
}

fn epochs(old: &Environment, new: &Environment) -> Vec<EnvironmentChange> {
    let commitments = |environment: &Environment| -> BTreeMap<u64, Commitment> {
        environment
            .epochs
            .iter()
            .map(|epoch| (epoch.number, epoch.commitment))
            .collect()
    };
    let (old_epochs, new_epochs) = (commitments(old), commitments(new));
    let is_known = |commitment: &Commitment| old_epochs.values().any(|old| old == commitment);
    let shares = new_epochs.values().any(is_known);
    if !shares && new.newest().number <= old.newest().number {
        return vec![EnvironmentChange::Recreated];
    }
    let mut changes: Vec<EnvironmentChange> = old_epochs
        .iter()
        .filter(|(number, commitment)| new_epochs.get(number).is_some_and(|now| now != *commitment))
        .map(|(&epoch, _)| EnvironmentChange::EpochReplaced { epoch })
        .collect();
    changes.extend(rotated(old, new));
    let forgotten: Vec<u64> = old_epochs
        .keys()
        .filter(|number| !new_epochs.contains_key(number))
        .copied()
        .collect();
    if !forgotten.is_empty() {
        changes.push(EnvironmentChange::Forgotten { epochs: forgotten });
    }
    changes
}

fn rotated(old: &Environment, new: &Environment) -> Option<EnvironmentChange> {
    let (from, to) = (old.newest().number, new.newest().number);
    (to != from).then_some(EnvironmentChange::Rotated { from, to })
}
