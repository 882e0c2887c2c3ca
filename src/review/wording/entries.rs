//! Changes of entries.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::plural;
use crate::review::check::below;
use crate::review::compare::{EntryChange, EntryDifference, Place, SingleChange};
use crate::review::report::{Item, Level};
use crate::vault::format::entry_path;
use crate::vault::name::{EnvironmentName, MemberName};

/// Makes one item per entry, but only one for all entries that a rotation re-encrypted or that
/// another member signed again.
pub(in crate::review) fn entries(differences: &[EntryDifference]) -> Vec<Item> {
    let mut rotations: BTreeMap<_, (usize, BTreeSet<&MemberName>)> = BTreeMap::new();
    let mut adoptions: BTreeMap<_, usize> = BTreeMap::new();
    let mut items = Vec::new();
    for EntryDifference { place, change } in differences {
        match change {
            EntryChange::Reencrypted { from, to, signer } => {
                let (count, signers) = rotations.entry((&place.0, *from, *to)).or_default();
                *count += 1;
                signers.insert(signer);
            }
            EntryChange::Resigned { from, to } => {
                *adoptions.entry((&place.0, from, to)).or_default() += 1;
            }
            EntryChange::Single(change) => items.push(entry(place, change)),
        }
    }
    let sealed = rotations
        .into_iter()
        .map(|((environment, from, to), (count, signers))| {
            reencrypted(environment, (from, to), count, &signers)
        });
    let signed = adoptions
        .into_iter()
        .map(|((environment, from, to), count)| resigned(environment, (from, to), count));
    sealed.chain(signed).chain(items).collect()
}

fn several(kind: &'static str, environment: &EnvironmentName, count: usize) -> Item {
    Item::new(Level::Change, kind, below(environment.as_str()))
        .detail("environment", environment.as_str())
        .detail("entries", count)
}

fn entries_of(count: usize) -> String {
    format!("{} of ", plural(count, "entry", "entries"))
}

fn reencrypted(
    environment: &EnvironmentName,
    (from, to): (u64, u64),
    count: usize,
    signers: &BTreeSet<&MemberName>,
) -> Item {
    let names: Vec<&str> = signers.iter().map(|name| name.as_str()).collect();
    several("entries-reencrypted", environment, count)
        .detail("from", from)
        .detail("to", to)
        .detail("signers", names.clone())
        .text("re-encrypted: ")
        .text(entries_of(count))
        .quote(environment)
        .text(format!(" (epoch {from} → {to}) by "))
        .quote(names.join(", "))
}

fn resigned(
    environment: &EnvironmentName,
    (from, to): (&MemberName, &MemberName),
    count: usize,
) -> Item {
    several("entries-resigned", environment, count)
        .detail("from", from.as_str())
        .detail("to", to.as_str())
        .text("re-signed: ")
        .text(entries_of(count))
        .quote(environment)
        .text(", signed by ")
        .quote(from)
        .text(" before, and by ")
        .quote(to)
        .text(" now")
}

fn entry(place: &Place, change: &SingleChange) -> Item {
    let (environment, name) = place;
    let file = below(&entry_path(environment, name));
    let item = |level, kind| {
        Item::new(level, kind, file.clone())
            .detail("environment", environment.as_str())
            .detail("name", name.as_str())
    };
    match change {
        SingleChange::New { revision, author, signer } => {
            let item = item(Level::Change, "entry-new")
                .detail("to", *revision)
                .text("new: ")
                .quote(&file)
                .text(format!(" (revision {revision}) by "));
            by(item, author, signer)
        }
        SingleChange::Set { from, to, author, signer } => {
            let item = revisions(item(Level::Change, "entry-set"), *from, *to)
                .text("set: ")
                .quote(&file)
                .text(format!(" (revision {from} → {to}) by "));
            by(item, author, signer)
        }
        SingleChange::Removed { from, to, signer } => {
            let item = revisions(item(Level::Change, "entry-removed"), *from, *to)
                .text("removed: ")
                .quote(&file);
            by(item.text(format!(" (revision {from} → {to}) by ")), signer, signer)
        }
        SingleChange::Repaired { revision, signer } => item(Level::Attention, "entry-repaired")
            .detail("to", *revision)
            .detail("signer", signer.as_str())
            .text("repaired: ")
            .quote(&file)
            .text(format!(" (revision {revision}) by "))
            .quote(signer)
            .text("; it was not valid before, so it may be older than the former content"),
        SingleChange::RolledBack { from, to } => {
            revisions(item(Level::Finding, "entry-rolled-back"), *from, *to)
                .text("rolled back: ")
                .quote(&file)
                .text(format!(" has revision {to}, and had {from} before"))
        }
        SingleChange::Restored { revision } => item(Level::Finding, "entry-rolled-back")
            .detail("to", *revision)
            .text("rolled back: ")
            .quote(&file)
            .text(format!(" (revision {revision}) is back after it was deleted")),
        SingleChange::Replaced { revision } => {
            revisions(item(Level::Finding, "entry-replaced"), *revision, *revision)
                .text("replaced: ")
                .quote(&file)
                .text(format!(" has different content with the same revision {revision}"))
        }
        SingleChange::Deleted { revision } => item(Level::Finding, "entry-deleted")
            .detail("from", *revision)
            .text("deleted: ")
            .quote(&file)
            .text(format!(" (revision {revision}) was deleted without a tombstone")),
        SingleChange::Unknown { revision } => item(Level::Finding, "entry-unknown")
            .detail("to", *revision)
            .text("unknown origin: cannot tell whether ")
            .quote(&file)
            .text(format!(" (revision {revision}) existed before, because the history is incomplete here (run "))
            .command("git fetch --unshallow")
            .text(", or use fetch-depth: 0 in CI)"),
    }
}

fn revisions(item: Item, from: u64, to: u64) -> Item {
    item.detail("from", from).detail("to", to)
}

/// Adds the member who chose the value and, if it is someone else, the one who signed it.
fn by(item: Item, author: &MemberName, signer: &MemberName) -> Item {
    let item = item
        .detail("author", author.as_str())
        .detail("signer", signer.as_str())
        .quote(author);
    if author == signer {
        item
    } else {
        item.text(", signed by ").quote(signer)
    }
}
