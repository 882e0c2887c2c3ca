//! Entries that were set, removed, put back, deleted, sealed anew.
//!
//! Somebody without a key can put back or delete what a member once signed. Both are seen here: an
//! entry that is gone without a tombstone, and one whose revision did not rise.

use std::collections::{BTreeMap, BTreeSet};

use super::roster::Lineage;
use crate::vault::model::Entry;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

/// Where an entry is.
pub(in crate::review) type Place = (EnvironmentName, SecretName);

/// The entries of one side.
#[derive(Default)]
pub(in crate::review) struct Contents {
    /// Those that hold.
    pub(in crate::review) entries: BTreeMap<Place, Entry>,
    /// Where there is a file that does not.
    pub(in crate::review) invalid: BTreeSet<Place>,
}

/// What is known of the time before the older side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::review) enum PriorPresence {
    /// The entry was never there.
    Never,
    /// It was there, and gone again.
    Deleted,
    /// The clone is shallow.
    Unknown,
}

/// Environments in which the entries of before have nothing to do with those of now.
#[derive(Default)]
pub(in crate::review) struct Unrelated {
    /// Those that are gone, with all their entries.
    pub(in crate::review) removed: BTreeSet<EnvironmentName>,
    /// Those with a data key of their own, under which no older entry holds.
    pub(in crate::review) created: BTreeSet<EnvironmentName>,
}

/// What became of one entry.
pub(in crate::review) struct EntryDifference {
    pub(in crate::review) place: Place,
    pub(in crate::review) change: EntryChange,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum EntryChange {
    /// The same value in a newer epoch, as a rotation leaves it, with many others.
    Reencrypted {
        from: u64,
        to: u64,
        signer: MemberName,
    },
    /// The same sealed value under the signature of another member, with others of the former signer.
    Resigned {
        from: MemberName,
        to: MemberName,
    },
    Single(SingleChange),
}

/// What becomes of entries one by one; revisions, and who answers for it.
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
    /// It did not hold before, so which of the two is older cannot be said.
    Repaired {
        revision: u64,
        signer: MemberName,
    },
    /// An older revision is back.
    RolledBack {
        from: u64,
        to: u64,
    },
    /// It had been deleted before, and is back.
    Restored {
        revision: u64,
    },
    /// The same revision with another content.
    Replaced {
        revision: u64,
    },
    /// Deleted without a tombstone.
    Deleted {
        revision: u64,
    },
    /// New, or back; the history that would tell is not here.
    Unknown {
        revision: u64,
    },
}

impl SingleChange {
    fn new(entry: &Entry) -> Self {
        let (author, signer) = (entry.author.clone(), entry.signer.clone());
        Self::New { revision: entry.revision, author, signer }
    }
}

/// Compares the entries; `history` is asked for those that were not there before.
pub(in crate::review) fn entries(
    (before, now): (&Contents, &Contents),
    lineage: Lineage,
    unrelated: &Unrelated,
    history: impl Fn(&Place) -> PriorPresence,
) -> Vec<EntryDifference> {
    let places: BTreeSet<&Place> = before.entries.keys().chain(now.entries.keys()).collect();
    let places =
        places.into_iter().filter(|(environment, _)| !unrelated.removed.contains(environment));
    let differences = places.filter_map(|place| {
        let has_begun = unrelated.created.contains(&place.0);
        let old = before.entries.get(place).filter(|_| !has_begun);
        let change = match (old, now.entries.get(place)) {
            (None, Some(new)) if has_begun => EntryChange::Single(SingleChange::new(new)),
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => changed(old, new, lineage),
            // That it does not hold is a finding of the check itself.
            (Some(_), None) if now.invalid.contains(place) => return None,
            (Some(old), None) => {
                EntryChange::Single(SingleChange::Deleted { revision: old.revision })
            }
            (None, Some(new)) => EntryChange::Single(appeared(place, new, before, &history)),
            (None, None) => return None,
        };
        Some(EntryDifference { place: place.clone(), change })
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
        return SingleChange::Repaired { revision, signer: new.signer.clone() };
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
            return EntryChange::Reencrypted { from: old.epoch, to: new.epoch, signer };
        }
        if new.epoch == old.epoch && new.sealed == old.sealed && new.signer != old.signer {
            return EntryChange::Resigned { from: old.signer.clone(), to: signer };
        }
    }
    EntryChange::Single(match to.cmp(&from) {
        std::cmp::Ordering::Less => SingleChange::RolledBack { from, to },
        std::cmp::Ordering::Equal => SingleChange::Replaced { revision: to },
        std::cmp::Ordering::Greater if new.sealed.is_none() => {
            SingleChange::Removed { from, to, signer }
        }
        std::cmp::Ordering::Greater => {
            SingleChange::Set { from, to, author: new.author.clone(), signer }
        }
    })
}

/// Whether nothing differs that a rotation or another signature keeps.
fn is_same_value(old: &Entry, new: &Entry) -> bool {
    (old.revision, old.origin, &old.changed, &old.author, old.sealed.is_some())
        == (new.revision, new.origin, &new.changed, &new.author, new.sealed.is_some())
}
