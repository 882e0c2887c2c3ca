//! Entries.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::verify::check::below;
use crate::commands::verify::compare::{EntryChange, EntryDifference, Place};
use crate::commands::verify::report::{Item, Level};
use crate::vault::format::entry_path;
use crate::vault::name::{EnvironmentName, MemberName};

/// Entries by environment, epoch before and epoch now.
type Rotated<'a> = BTreeMap<(&'a EnvironmentName, u64, u64), (usize, BTreeSet<&'a MemberName>)>;

/// One item per entry, but one for all those that a rotation sealed anew.
pub(in crate::commands::verify) fn entries(differences: &[EntryDifference]) -> Vec<Item> {
    let mut rotated: Rotated<'_> = BTreeMap::new();
    let mut items = Vec::new();
    for EntryDifference { place, change } in differences {
        if let EntryChange::SealedAnew { from, to, signer } = change {
            let (count, signers) = rotated.entry((&place.0, *from, *to)).or_default();
            *count += 1;
            signers.insert(signer);
        } else {
            items.push(entry(place, change));
        }
    }
    let rotated = rotated.into_iter().map(|((environment, from, to), (count, signers))| {
        sealed_anew(environment, (from, to), count, &signers)
    });
    rotated.chain(items).collect()
}

fn sealed_anew(
    environment: &EnvironmentName,
    (from, to): (u64, u64),
    count: usize,
    signers: &BTreeSet<&MemberName>,
) -> Item {
    let names: Vec<&str> = signers.iter().map(|name| name.as_str()).collect();
    let entries = if count == 1 { "entry" } else { "entries" };
    Item::new(Level::Change, "entries-sealed-anew", below(environment.as_str()))
        .detail("environment", environment.as_str())
        .detail("entries", count)
        .detail("from", from)
        .detail("to", to)
        .detail("signers", names.clone())
        .say(format!("sealed anew: {count} {entries} of "))
        .quote(environment)
        .say(format!(" (epoch {from} → {to}) by "))
        .quote(names.join(", "))
}

fn entry(place: &Place, change: &EntryChange) -> Item {
    let (environment, name) = place;
    let file = below(&entry_path(environment, name));
    let item = |level, kind| {
        Item::new(level, kind, file.clone())
            .detail("environment", environment.as_str())
            .detail("name", name.as_str())
    };
    match change {
        EntryChange::New { revision, author, signer } => {
            let item = item(Level::Change, "entry-new").detail("to", *revision);
            let item = item.say("new: ").quote(&file).say(format!(" (revision {revision}) by "));
            by(item, author, signer)
        }
        EntryChange::Set { from, to, author, signer } => {
            let item = revisions(item(Level::Change, "entry-set"), *from, *to);
            let item = item.say("set: ").quote(&file).say(format!(" (revision {from} → {to}) by "));
            by(item, author, signer)
        }
        EntryChange::Removed { from, to, signer } => {
            let item = revisions(item(Level::Change, "entry-removed"), *from, *to);
            let item = item.say("removed: ").quote(&file);
            by(item.say(format!(" (revision {from} → {to}) by ")), signer, signer)
        }
        EntryChange::SealedAnew { from, to, signer } => {
            sealed_anew(environment, (*from, *to), 1, &[signer].into())
        }
        EntryChange::SignedAnew { from, to } => {
            let item = item(Level::Attention, "entry-signed-anew");
            let item = item.detail("from", from.as_str()).detail("to", to.as_str());
            let item = item.say("signed anew: ").quote(&file).say(", signed by ").quote(from);
            item.say(" before and by ").quote(to).say(" now")
        }
        EntryChange::Mended { revision, signer } => {
            let item = item(Level::Attention, "entry-mended").detail("to", *revision);
            let item = item.detail("signer", signer.as_str()).say("mended: ").quote(&file);
            let item = item.say(format!(" (revision {revision}) by ")).quote(signer);
            item.say("; it did not hold before, so it may be older than what stood there")
        }
        EntryChange::BroughtBack { from, to } => {
            let item = revisions(item(Level::Finding, "entry-brought-back"), *from, *to);
            let item = item.say("brought back: ").quote(&file);
            item.say(format!(" has revision {to}, before it had {from}"))
        }
        EntryChange::Returned { revision } => {
            let item = item(Level::Finding, "entry-brought-back").detail("to", *revision);
            let item = item.say("brought back: ").quote(&file);
            item.say(format!(" (revision {revision}), which had been deleted"))
        }
        EntryChange::Replaced { revision } => {
            let item = revisions(item(Level::Finding, "entry-replaced"), *revision, *revision);
            let item = item.say("replaced: ").quote(&file);
            item.say(format!(" has another content of the same revision {revision}"))
        }
        EntryChange::Gone { revision } => {
            let item = item(Level::Finding, "entry-gone").detail("from", *revision);
            let item = item.say("gone: ").quote(&file);
            item.say(format!(" (revision {revision}) was deleted without a tombstone"))
        }
        EntryChange::Unknown { revision } => {
            let item = item(Level::Finding, "entry-unknown").detail("to", *revision);
            let item = item.say("unknown: whether ").quote(&file);
            let item = item
                .say(format!(" (revision {revision}) was there before: history is cut off here ("));
            item.quote("git fetch --unshallow").say(", or fetch-depth: 0 in CI)")
        }
    }
}

fn revisions(item: Item, from: u64, to: u64) -> Item {
    item.detail("from", from).detail("to", to)
}

/// Who chose the value, and who answers for it where that is somebody else.
fn by(item: Item, author: &MemberName, signer: &MemberName) -> Item {
    let item = item.detail("author", author.as_str()).detail("signer", signer.as_str());
    let item = item.quote(author);
    if author == signer { item } else { item.say(", signed by ").quote(signer) }
}
