//! Entries.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::plural;
use crate::review::check::below;
use crate::review::compare::{Alone, EntryChange, EntryDifference, Place};
use crate::review::report::{Item, Level};
use crate::vault::format::entry_path;
use crate::vault::name::{EnvironmentName, MemberName};

/// One item per entry, but one for all those that a rotation sealed anew, or of which another
/// member took over the signature.
pub(in crate::review) fn entries(differences: &[EntryDifference]) -> Vec<Item> {
    let mut sealed: BTreeMap<_, (usize, BTreeSet<&MemberName>)> = BTreeMap::new();
    let mut signed: BTreeMap<_, usize> = BTreeMap::new();
    let mut items = Vec::new();
    for EntryDifference { place, change } in differences {
        match change {
            EntryChange::SealedAnew { from, to, signer } => {
                let (count, signers) = sealed.entry((&place.0, *from, *to)).or_default();
                *count += 1;
                signers.insert(signer);
            }
            EntryChange::SignedAnew { from, to } => {
                *signed.entry((&place.0, from, to)).or_default() += 1;
            }
            EntryChange::Alone(change) => items.push(entry(place, change)),
        }
    }
    let sealed = sealed.into_iter().map(|((environment, from, to), (count, signers))| {
        sealed_anew(environment, (from, to), count, &signers)
    });
    let signed = signed
        .into_iter()
        .map(|((environment, from, to), count)| signed_anew(environment, (from, to), count));
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

fn sealed_anew(
    environment: &EnvironmentName,
    (from, to): (u64, u64),
    count: usize,
    signers: &BTreeSet<&MemberName>,
) -> Item {
    let names: Vec<&str> = signers.iter().map(|name| name.as_str()).collect();
    let item = several("entries-sealed-anew", environment, count);
    let item = item.detail("from", from).detail("to", to).detail("signers", names.clone());
    let item = item.say("sealed anew: ").say(entries_of(count)).quote(environment);
    item.say(format!(" (epoch {from} → {to}) by ")).quote(names.join(", "))
}

fn signed_anew(
    environment: &EnvironmentName,
    (from, to): (&MemberName, &MemberName),
    count: usize,
) -> Item {
    let item = several("entries-signed-anew", environment, count);
    let item = item.detail("from", from.as_str()).detail("to", to.as_str());
    let item = item.say("signed anew: ").say(entries_of(count)).quote(environment);
    item.say(", by ").quote(from).say(" before and by ").quote(to).say(" now")
}

fn entry(place: &Place, change: &Alone) -> Item {
    let (environment, name) = place;
    let file = below(&entry_path(environment, name));
    let item = |level, kind| {
        Item::new(level, kind, file.clone())
            .detail("environment", environment.as_str())
            .detail("name", name.as_str())
    };
    match change {
        Alone::New { revision, author, signer } => {
            let item = item(Level::Change, "entry-new").detail("to", *revision);
            let item = item.say("new: ").quote(&file).say(format!(" (revision {revision}) by "));
            by(item, author, signer)
        }
        Alone::Set { from, to, author, signer } => {
            let item = revisions(item(Level::Change, "entry-set"), *from, *to);
            let item = item.say("set: ").quote(&file).say(format!(" (revision {from} → {to}) by "));
            by(item, author, signer)
        }
        Alone::Removed { from, to, signer } => {
            let item = revisions(item(Level::Change, "entry-removed"), *from, *to);
            let item = item.say("removed: ").quote(&file);
            by(item.say(format!(" (revision {from} → {to}) by ")), signer, signer)
        }
        Alone::Mended { revision, signer } => {
            let item = item(Level::Attention, "entry-mended").detail("to", *revision);
            let item = item.detail("signer", signer.as_str()).say("mended: ").quote(&file);
            let item = item.say(format!(" (revision {revision}) by ")).quote(signer);
            item.say("; it did not hold before, so it may be older than what stood there")
        }
        Alone::BroughtBack { from, to } => {
            let item = revisions(item(Level::Finding, "entry-brought-back"), *from, *to);
            let item = item.say("brought back: ").quote(&file);
            item.say(format!(" has revision {to}, before it had {from}"))
        }
        Alone::Returned { revision } => {
            let item = item(Level::Finding, "entry-brought-back").detail("to", *revision);
            let item = item.say("brought back: ").quote(&file);
            item.say(format!(" (revision {revision}), which had been deleted"))
        }
        Alone::Replaced { revision } => {
            let item = revisions(item(Level::Finding, "entry-replaced"), *revision, *revision);
            let item = item.say("replaced: ").quote(&file);
            item.say(format!(" has another content of the same revision {revision}"))
        }
        Alone::Gone { revision } => {
            let item = item(Level::Finding, "entry-gone").detail("from", *revision);
            let item = item.say("gone: ").quote(&file);
            item.say(format!(" (revision {revision}) was deleted without a tombstone"))
        }
        Alone::Unknown { revision } => {
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
