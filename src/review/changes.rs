//! What is different from the vault at a revision, put together for the report.

use std::collections::BTreeSet;

use super::before::{Before, PastFiles};
use super::check::{self, ValidContent, below};
use super::compare::{
    self, EntryChange, EntryDifference, EnvironmentChange, Lineage, Loosened, PathChange, Place,
    RosterChange, Unrelated, VariableChange,
};
use super::report::{Item, Level, Report};
use super::wording;
use crate::crypto::Commitment;
use crate::fault::Fault;
use crate::vault::config::Config;
use crate::vault::format::{ROSTER_PATH, entry_path, environment_path, request_path};
use crate::vault::model::{Environment, Roster};
use crate::vault::name::EnvironmentName;
use crate::vault::store::{CONFIG_FILE, Place as Folder};
use crate::vault::trust::Vault;

/// Tells what members did since, what nobody of them can have done, and every other difference
/// below `.vault`.
pub(super) fn changes(
    before: &Before,
    now: Option<(&Vault, &ValidContent)>,
    config: Option<&Config>,
    place: &Folder,
    report: &mut Report,
) -> Result<(), Fault> {
    let Some((vault, side)) = now else { return Ok(()) };
    let checked = report.items.len();
    let (mut old, mut lineage) = (ValidContent::default(), Lineage::SameAuthority);
    let mut unrelated = Unrelated::default();
    if let Some(old_vault) = &before.vault {
        let rosters = (old_vault.roster(), vault.roster());
        lineage = compare::lineage(rosters.0, rosters.1);
        if lineage == Lineage::NewAuthority && report.has_refused(&below(ROSTER_PATH)) {
            // The pin has said so; the entries of two vaults have nothing to do with each other.
            return Ok(());
        }
        old = check::valid_content(old_vault)?;
        unrelated = memberships(rosters, (&old, side), report);
        git_files(old_vault, vault, report)?;
    } else {
        report.items.push(wording::vault_added());
    }
    let is_new = |place| !old.contents.entries.contains_key(place);
    // All of git's history is walked for it.
    let has_new = side.contents.entries.keys().any(is_new);
    let past = if has_new { before.past()? } else { PastFiles::default() };
    let contents = (&old.contents, &side.contents);
    let entries = compare::entries(contents, lineage, &unrelated, |place| past.of(place));
    report.items.extend(wording::entries(&entries));
    report.items.extend(entries.iter().filter_map(|entry| named(entry, side, config)));
    let mut told: BTreeSet<String> =
        entries.iter().map(|entry| below(&entry_path(&entry.place.0, &entry.place.1))).collect();
    // With an environment go its entries, and with its data key those of before.
    let over = |(environment, _): &&Place| {
        unrelated.removed.contains(environment) || unrelated.created.contains(environment)
    };
    let over = old.contents.entries.keys().filter(over);
    told.extend(over.map(|(environment, name)| below(&entry_path(environment, name))));
    told.extend(explained(before.vault.as_ref(), vault, (&old, side)));
    told.extend(report.items[checked..].iter().map(|item| item.file.clone()));
    // Of what the check itself says, only this is about a file, or a folder, as a whole.
    let whole = |item: &&Item| ["refused", "stranger"].contains(&item.kind);
    told.extend(report.items[..checked].iter().filter(whole).map(|item| item.file.clone()));
    other_paths(before, place, &told, report)
}

/// What to mind about the name of an entry with a value that is new or another one.
fn named(entry: &EntryDifference, side: &ValidContent, config: Option<&Config>) -> Option<Item> {
    let EntryDifference { place, change: EntryChange::Single(_) } = entry else { return None };
    let (environment, name) = place;
    side.contents.entries.get(place).filter(|now| now.sealed.is_some())?;
    wording::name(&below(&entry_path(environment, name)), environment, name, config)
}

/// The files whose bytes are others because their content is, which was compared.
fn explained(
    old_vault: Option<&Vault>,
    vault: &Vault,
    (old, now): (&ValidContent, &ValidContent),
) -> BTreeSet<String> {
    let Some(old_vault) = old_vault else {
        // A vault that is new was told of as a whole.
        let environments = now.environments.keys().map(environment_path);
        let fixed = [ROSTER_PATH, ".gitattributes", ".gitignore"].map(ToOwned::to_owned);
        return environments.chain(fixed).map(|path| below(&path)).collect();
    };
    let mut paths = BTreeSet::new();
    let environments = now.environments.iter();
    paths.extend(environments.filter_map(|(name, new)| {
        // Of epochs that come and go is told by the environment itself.
        let keys = |environment: &Environment| -> Vec<(u64, Commitment)> {
            environment.epochs.iter().map(|epoch| (epoch.number, epoch.commitment)).collect()
        };
        let is_sealed_anew = |old: &Environment| keys(old) == keys(new) && old.epochs != new.epochs;
        // Under a new authority, which was told of, all keys are others.
        let is_new = old_vault.roster().vault != vault.roster().vault;
        let is_other = is_new || old.environments.get(name).is_some_and(is_sealed_anew);
        is_other.then(|| below(&environment_path(name)))
    }));
    let requests = now.requests.iter().filter(|(name, new)| old.requests.get(*name) != Some(new));
    paths.extend(requests.map(|(name, _)| below(&request_path(name))));
    // The roster lists the environments' files, and counts its own changes.
    let (before, after) = (old_vault.roster(), vault.roster());
    let listed = &before.environments;
    let is_listing = after.environments.iter().all(|(name, new)| {
        listed.get(name) == Some(new) || old.environments.get(name) != now.environments.get(name)
    });
    let same = Roster {
        revision: after.revision,
        environments: after.environments.clone(),
        ..before.clone()
    };
    if before != after && same == *after && is_listing {
        paths.insert(below(ROSTER_PATH));
    }
    paths
}

/// The most differences that are told one by one.
const MOST: usize = 100;

/// Every path that differs and of which nothing else was told: nothing below `.vault` changes
/// unnoticed.
fn other_paths(
    before: &Before,
    place: &Folder,
    told: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(), Fault> {
    let strangers: BTreeSet<String> = report
        .items
        .iter()
        .filter(|item| item.kind == "stranger")
        .map(|item| item.file.clone())
        .collect();
    let is_untold = |(path, change): &(String, PathChange)| {
        let can_be_explained = [PathChange::Added, PathChange::Removed, PathChange::Content];
        let shown = below(&path.escape_debug().to_string());
        let top = shown.match_indices('/').nth(1).map_or(&*shown, |(end, _)| &shown[..end]);
        let is_told = told.contains(&shown) || strangers.contains(top);
        !can_be_explained.contains(change) || !is_told
    };
    let untold: Vec<(String, PathChange)> =
        before.differing(place)?.into_iter().filter(is_untold).collect();
    let told = untold.iter().take(MOST);
    report.items.extend(told.map(|(path, change)| wording::path(path, *change)));
    if let Some(more) = untold.len().checked_sub(MOST).filter(|more| *more > 0) {
        report.items.push(wording::more_paths(more));
    }
    Ok(())
}

/// Rosters, environments, members and requests; gives which environments ended and began.
fn memberships(
    rosters: (&Roster, &Roster),
    (old, now): (&ValidContent, &ValidContent),
    report: &mut Report,
) -> Unrelated {
    let files = (&old.environments, &now.environments);
    let changes = compare::roster(rosters.0, rosters.1);
    report.items.extend(changes.iter().map(wording::roster));
    let environments = compare::environments(rosters, files);
    let lost = |name: &EnvironmentName| {
        old.contents.entries.keys().filter(|(environment, _)| environment == name).count()
    };
    let told =
        environments.iter().map(|(name, change)| wording::environment(name, change, lost(name)));
    report.items.extend(told);
    // Whoever is not in an older roster has not lost anything by any rule.
    if !changes.iter().any(|change| matches!(change, RosterChange::RolledBack { .. })) {
        let members = compare::members(rosters, files);
        let told = members.iter().map(|(name, change)| wording::member(name, change));
        report.items.extend(told);
        report.items.extend(compare::resealed(rosters, files).iter().map(wording::resealed));
        let requests = compare::requests((&old.requests, &now.requests), rosters.1);
        report.items.extend(requests.iter().map(|(name, change)| wording::request(name, *change)));
    }
    let mut unrelated = Unrelated::default();
    for (name, change) in environments {
        match change {
            EnvironmentChange::Removed => drop(unrelated.removed.insert(name)),
            EnvironmentChange::Added | EnvironmentChange::Recreated => {
                unrelated.created.insert(name);
            }
            _ => {}
        }
    }
    unrelated
}

/// What git is told to do with the files below `.vault`: hide them, change them, leave them out.
fn git_files(before: &Vault, now: &Vault, report: &mut Report) -> Result<(), Fault> {
    for name in [".gitattributes", ".gitignore"] {
        let file = below(name);
        // Where it cannot be read, the check has said so, or says so here.
        let Some(read) = report.take(&file, now.tree().read(name))? else { continue };
        if before.tree().read(name)? != read {
            report.items.push(
                Item::new(Level::Attention, "git-file-changed", file.clone())
                    .quote(file)
                    .text(": is another one; vault does not change it"),
            );
        }
    }
    Ok(())
}

/// Tells what `vault.toml` protects less.
pub(super) fn loosened(
    before: &Before,
    now: &Config,
    vault: Option<&Vault>,
    place: &Folder,
    report: &mut Report,
) -> Result<(), Fault> {
    let at = format!("at {}", before.since().revision);
    let old = before.config().map_err(|fault| fault.within(&at));
    let Some(old) = report.take(CONFIG_FILE, old)? else { return Ok(()) };
    // Of both: a roster that is not the right one must not hide anything.
    let vaults = [vault, before.vault.as_ref()].into_iter().flatten();
    let environments = vaults.flat_map(|vault| vault.roster().environments.keys().cloned());
    let found = compare::loosened(&old, now, &environments.collect());
    report.items.extend(found.iter().map(wording::loosened));
    for found in &found {
        let Loosened::Variable(other) = found else { continue };
        let (environment, variable) = (&other.environment, &other.variable);
        if other.change != VariableChange::Removed {
            report.items.extend(wording::name(CONFIG_FILE, environment, variable, Some(now)));
        }
    }
    let text = std::fs::read(place.config()).unwrap_or_default();
    if found.is_empty() && before.config_differs(&text) {
        report.items.push(wording::config_changed());
    }
    Ok(())
}
