//! Entries that were set, removed, rolled back, deleted, or re-encrypted.
//!
//! Someone without a key can restore or delete an entry that a member once signed. Both show here:
//! a deleted entry has no tombstone, and the revision of a restored one did not rise.

use std::collections::{BTreeMap, BTreeSet};

use super::root::Lineage;
use crate::vault::model::Entry;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

/// The place of an entry.
pub(in crate::review) type Place = (EnvironmentName, SecretName);

/// The entries of one vault.
#[derive(Default)]
pub(in crate::review) struct Contents {
    /// The valid ones.
    pub(in crate::review) entries: BTreeMap<Place, Entry>,
    /// The places of invalid files.
    pub(in crate::review) invalid: BTreeSet<Place>,
}

/// Whether an entry existed before the older vault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::review) enum PriorPresence {
    /// It never existed.
    Never,
    /// It existed and was deleted.
    Deleted,
    /// Unknown, because the clone is shallow.
    Unknown,
}

/// Environments whose older entries are unrelated to the newer ones.
#[derive(Default)]
pub(in crate::review) struct Unrelated {
    /// Environments that were removed, with all their entries.
    pub(in crate::review) removed: BTreeSet<EnvironmentName>,
    /// Environments with a new data key, under which no older entry is valid.
    pub(in crate::review) created: BTreeSet<EnvironmentName>,
}

/// The change of one entry.
pub(in crate::review) struct EntryDifference {
    pub(in crate::review) place: Place,
    pub(in crate::review) change: EntryChange,
}

/// A kind of change.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum EntryChange {
    /// The same value in a newer epoch: a rotation re-encrypts many entries.
    Reencrypted {
        from: u64,
        to: u64,
        signer: MemberName,
    },
    /// The same sealed value with the signature of another member, who took over the entries of a
    /// former signer.
    Resigned { from: MemberName, to: MemberName },
    /// A change that is reported by itself.
    Single(SingleChange),
}

/// A change that is reported by itself, with the revisions and the members responsible.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum SingleChange {
    New {
        revision: u64,
        author: MemberName,
        signer: MemberName,
    },
    Set {
        from: u64,
        to: u64,
        author: MemberName,
        signer: MemberName,
    },
    Removed {
        from: u64,
        to: u64,
        signer: MemberName,
    },
    /// It was not valid before, so the two cannot be put in order.
    Repaired { revision: u64, signer: MemberName },
    /// It has an older revision than before.
    RolledBack { from: u64, to: u64 },
    /// It was deleted at some time and now exists again.
    Restored { revision: u64 },
    /// It has the same revision with different content.
    Replaced { revision: u64 },
    /// It was deleted without a tombstone.
    Deleted { revision: u64 },
    /// It is new or was restored; the history that could show it is missing.
    Unknown { revision: u64 },
}

impl SingleChange {
    fn new(entry: &Entry) -> Self {
        let (author, signer) = (entry.author.clone(), entry.signer.clone());
        Self::New {
            revision: entry.revision,
            author,
            signer,
        }
    }
}

/// Compares the entries. `history` is called only for entries that the older vault does not have.
pub(in crate::review) fn entries(
    (before, now): (&Contents, &Contents),
    lineage: Lineage,
    unrelated: &Unrelated,
    history: impl Fn(&Place) -> PriorPresence,
) -> Vec<EntryDifference> {
    let all: BTreeSet<&Place> = before.entries.keys().chain(now.entries.keys()).collect();
    let places = all
        .into_iter()
        .filter(|(environment, _)| !unrelated.removed.contains(environment));
    let differences = places.filter_map(|place| {
        let is_unrelated = unrelated.created.contains(&place.0);
        let old = before.entries.get(place).filter(|_| !is_unrelated);
        let change = match (old, now.entries.get(place)) {
            (None, Some(new)) if is_unrelated => EntryChange::Single(SingleChange::new(new)),
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => changed(old, new, lineage),
            // The check itself reports the invalid file.
            (Some(_), None) if now.invalid.contains(place) => return None,
            (Some(old), None) => EntryChange::Single(SingleChange::Deleted {
                revision: old.revision,
            }),
            (None, Some(new)) => EntryChange::Single(appeared(place, new, before, &history)),
            (None, None) => return None,
        };
        Some(EntryDifference {
            place: place.clone(),
            change,
        })
    });
    differences.collect()
}

fn appeared(
    place: &Place,
    new: &Entry,
    before: &Contents,
    history: impl Fn(&Place) -> PriorPresence,
) -> SingleChange {
    let revision = new.revision;
    if before.invalid.contains(place) {
        return SingleChange::Repaired {
            revision,
            signer: new.signer.clone(),
        };
    }
    match history(place) {
        PriorPresence::Never => SingleChange::new(new),
        PriorPresence::Deleted => SingleChange::Restored { revision },
        PriorPresence::Unknown => SingleChange::Unknown { revision },
    }
}

fn changed(old: &Entry, new: &Entry, lineage: Lineage) -> EntryChange {
    let (from, to, signer) = (old.revision, new.revision, new.signer.clone());
    if is_same_value(old, new) {
        if new.epoch > old.epoch || lineage == Lineage::NewAuthority {
            return EntryChange::Reencrypted {
                from: old.epoch,
                to: new.epoch,
                signer,
            };
        }
        if new.epoch == old.epoch && new.sealed == old.sealed && new.signer != old.signer {
            return EntryChange::Resigned {
                from: old.signer.clone(),
                to: signer,
            };
        }
    }
    EntryChange::Single(match to.cmp(&from) {
        std::cmp::Ordering::Less => SingleChange::RolledBack { from, to },
        std::cmp::Ordering::Equal => SingleChange::Replaced { revision: to },
        std::cmp::Ordering::Greater if new.sealed.is_none() => {
            SingleChange::Removed { from, to, signer }
        }
        std::cmp::Ordering::Greater => SingleChange::Set {
            from,
            to,
            author: new.author.clone(),
            signer,
        },
    })
}

/// Whether everything is the same that survives a rotation or a change of the signer.
fn is_same_value(old: &Entry, new: &Entry) -> bool {
    (
        old.revision,
        old.origin,
        &old.changed,
        &old.author,
        old.sealed.is_some(),
    ) == (
        new.revision,
        new.origin,
        &new.changed,
        &new.author,
        new.sealed.is_some(),
    )
}
