//! The comparison with the vault at a git revision, as items of the report.

use std::collections::BTreeSet;

use super::before::{Before, PastFiles};
use super::check::{self, ValidContent, below};
use super::compare::{
    self, EntryChange, EntryDifference, EnvironmentChange, Lineage, Loosened, PathChange, Place,
    Unrelated, VariableChange,
};
use super::report::{Item, Level, Report};
use super::wording;
use crate::fault::Fault;
use crate::vault::config::Config;
use crate::vault::format::{
    ROOT_PATH, entry_path, member_file, member_path, parse_member, request_path,
};
use crate::vault::model::{Member, Membership, Root};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::store::{CONFIG_FILE, Place as Folder};
use crate::vault::trust::Vault;

/// Reports the changes since then: legitimate ones, ones that no member's command could have made,
/// and every other difference below `.vault`.
pub(super) fn changes(
    before: &Before,
    now: Option<(&Vault, &ValidContent)>,
    config: Option<&Config>,
    place: &Folder,
    report: &mut Report,
) -> Result<(), Fault> {
    let Some((vault, new)) = now else {
        return Ok(());
    };
    let checked = report.items.len();
    let (mut old, mut lineage) = (ValidContent::default(), Lineage::SameAuthority);
    let mut unrelated = Unrelated::default();
    if let Some(old_vault) = &before.vault {
        lineage = compare::lineage(old_vault.root(), vault.root());
        if lineage == Lineage::NewAuthority && report.has_refused(&below(ROOT_PATH)) {
            // The pin has already refused it, and the entries of two vaults cannot be compared.
            return Ok(());
        }
        old = check::valid_content(old_vault)?;
        let both = (old_vault.membership()?, vault.membership()?);
        let differs = |name: &MemberName| says_other(old_vault, vault, name);
        unrelated = memberships((&both.0, &both.1), differs, (&old, new), report);
        git_files(old_vault, vault, report)?;
    } else {
        report.items.push(wording::vault_added());
    }
    let is_new = |place| !old.contents.entries.contains_key(place);
    let has_new = new.contents.entries.keys().any(is_new);
    // Walks all of git's history, so only if there is a new entry.
    let past = if has_new {
        before.past()?
    } else {
        PastFiles::default()
    };
    let contents = (&old.contents, &new.contents);
    let entries = compare::entries(contents, lineage, &unrelated, |place| past.of(place));
    report.items.extend(wording::entries(&entries));
    report
        .items
        .extend(entries.iter().filter_map(|entry| named(entry, new, config)));
    let mut reported: BTreeSet<String> = entries
        .iter()
        .map(|entry| below(&entry_path(&entry.place.0, &entry.place.1)))
        .collect();
    // A removed environment takes its entries along, and so does one whose data key was replaced.
    let is_gone = |(environment, _): &&Place| {
        unrelated.removed.contains(environment) || unrelated.created.contains(environment)
    };
    let gone = old.contents.entries.keys().filter(is_gone);
    reported.extend(gone.map(|(environment, name)| below(&entry_path(environment, name))));
    reported.extend(explained(before.vault.as_ref(), vault, (&old, new))?);
    reported.extend(report.items[checked..].iter().map(|item| item.file.clone()));
    // Of the findings of the check itself, only these concern a whole file or folder.
    let is_whole = |item: &&Item| ["refused", "unexpected-file"].contains(&item.kind);
    reported.extend(
        report.items[..checked]
            .iter()
            .filter(is_whole)
            .map(|item| item.file.clone()),
    );
    other_paths(before, place, &reported, report)
}

/// Compares a merge with its other sides. Their changes are those of other people, so only findings
/// count: the losses of the merge.
pub(super) fn merged(
    before: &Before,
    now: Option<(&Vault, &ValidContent)>,
    place: &Folder,
    report: &mut Report,
) -> Result<(), Fault> {
    for side in before.merged(place)? {
        match side.before {
            Ok(older) => {
                let mut other = Report::default();
                changes(&older, now, None, place, &mut other)?;
                report.add_findings(other, &older.since());
            }
            Err(fault) => report
                .items
                .push(wording::side_not_compared(&side.name, &fault)),
        }
    }
    Ok(())
}

/// Returns a remark about the name of an entry that has a new or changed value.
fn named(entry: &EntryDifference, new: &ValidContent, config: Option<&Config>) -> Option<Item> {
    let EntryDifference {
        place,
        change: EntryChange::Single(_),
    } = entry
    else {
        return None;
    };
    let (environment, name) = place;
    new.contents
        .entries
        .get(place)
        .filter(|now| now.sealed.is_some())?;
    wording::name(
        &below(&entry_path(environment, name)),
        environment,
        name,
        config,
    )
}

/// Returns the files whose bytes differ because of differences that are already reported.
fn explained(
    old_vault: Option<&Vault>,
    vault: &Vault,
    (old, now): (&ValidContent, &ValidContent),
) -> Result<BTreeSet<String>, Fault> {
    let members = &vault.members()?.counting;
    let Some(old_vault) = old_vault else {
        // A new vault is reported as a whole.
        let people = members.keys().map(member_path);
        let fixed = [ROOT_PATH, ".gitattributes", ".gitignore"].map(ToOwned::to_owned);
        return Ok(people.chain(fixed).map(|path| below(&path)).collect());
    };
    let mut paths = BTreeSet::new();
    let old_members = &old_vault.members()?.counting;
    let lineage = compare::lineage(old_vault.root(), vault.root());
    for (name, new) in members {
        let is_explained = |old| follows_from_root(old, new, lineage);
        if old_members.get(name).is_some_and(is_explained) {
            paths.insert(below(&member_path(name)));
        }
    }
    let requests = now
        .requests
        .iter()
        .filter(|(name, new)| old.requests.get(*name) != Some(new));
    paths.extend(requests.map(|(name, _)| below(&request_path(name))));
    let same = Root {
        revision: vault.root().revision,
        ..old_vault.root().clone()
    };
    if same != *vault.root() {
        paths.insert(below(ROOT_PATH));
    }
    Ok(paths)
}

/// Whether a member's file differs because the root has new epochs or another authority, which are
/// reported with the root. Everything else is an item of its own.
fn follows_from_root(old: &Member, new: &Member, lineage: Lineage) -> bool {
    let mut expected = Member {
        revision: new.revision,
        sealed: new.sealed.clone(),
        ..old.clone()
    };
    if lineage == Lineage::NewAuthority && old.is_admin() == new.is_admin() {
        expected.authority.clone_from(&new.authority);
        (expected.revocation, expected.replaces) = (new.revocation, new.replaces);
    }
    expected == *new && old.sealed != new.sealed
}

/// The most differences that are reported one by one.
const MOST: usize = 100;

/// Reports every path that differs and that no other item names, so that nothing below `.vault`
/// changes unnoticed.
fn other_paths(
    before: &Before,
    place: &Folder,
    reported: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(), Fault> {
    let unexpected: BTreeSet<String> = report
        .items
        .iter()
        .filter(|item| item.kind == "unexpected-file")
        .map(|item| item.file.clone())
        .collect();
    let is_unreported = |(path, change): &(String, PathChange)| {
        let can_be_explained = [PathChange::Added, PathChange::Removed, PathChange::Content];
        let shown = below(&path.escape_debug().to_string());
        let top = shown
            .match_indices('/')
            .nth(1)
            .map_or(&*shown, |(end, _)| &shown[..end]);
        let is_reported = reported.contains(&shown) || unexpected.contains(top);
        !can_be_explained.contains(change) || !is_reported
    };
    let others: Vec<(String, PathChange)> = before
        .differing(place)?
        .into_iter()
        .filter(is_unreported)
        .collect();
    let listed = others.iter().take(MOST);
    report
        .items
        .extend(listed.map(|(path, change)| wording::path(path, *change)));
    if let Some(more) = others.len().checked_sub(MOST).filter(|more| *more > 0) {
        report.items.push(wording::more_paths(more));
    }
    Ok(())
}

/// Whether the file of a member says something else. A signature of the same content can have other
/// bytes.
fn says_other(before: &Vault, now: &Vault, name: &MemberName) -> bool {
    let file = |vault: &Vault| vault.tree().read(&member_path(name)).ok().flatten();
    let (old, new) = (file(before), file(now));
    let content = |file: Option<Vec<u8>>| parse_member(name, &member_file(name, &file?).ok()?).ok();
    old != new && content(old) != content(new)
}

/// Reports changes of the root, environments, members, and requests. Returns the environments whose
/// entries cannot be compared.
fn memberships(
    (before, after): (&Membership, &Membership),
    differs: impl Fn(&MemberName) -> bool,
    (old, now): (&ValidContent, &ValidContent),
    report: &mut Report,
) -> Unrelated {
    let changes = compare::root(&before.root, &after.root);
    report.items.extend(changes.iter().map(wording::root));
    let environments = compare::environments(&before.root, &after.root);
    let lost = |name: &EnvironmentName| {
        old.contents
            .entries
            .keys()
            .filter(|(environment, _)| environment == name)
            .count()
    };
    let items = environments
        .iter()
        .map(|(name, change)| wording::environment(name, change, lost(name)));
    report.items.extend(items);
    let members = compare::members(before, after, differs);
    let items = members
        .iter()
        .map(|(name, change)| wording::member(name, change));
    report.items.extend(items);
    let resealed = compare::resealed(before, after);
    report.items.extend(resealed.iter().map(wording::resealed));
    let requests = compare::requests((&old.requests, &now.requests), after);
    let items = requests
        .iter()
        .map(|(name, change)| wording::request(name, *change));
    report.items.extend(items);
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

/// Reports changes of the files that tell git to hide, change, or leave out files below `.vault`.
fn git_files(before: &Vault, now: &Vault, report: &mut Report) -> Result<(), Fault> {
    for name in [".gitattributes", ".gitignore"] {
        let file = below(name);
        // If it cannot be read, this is a finding.
        let Some(read) = report.take(&file, now.tree().read(name))? else {
            continue;
        };
        if before.tree().read(name)? != read {
            report.items.push(
                Item::new(Level::Attention, "git-file-changed", file.clone())
                    .quote(file)
                    .text(" changed, and vault never changes it"),
            );
        }
    }
    Ok(())
}

/// Reports the changes of `vault.toml` that protect less.
pub(super) fn loosened(
    before: &Before,
    now: &Config,
    vault: Option<&Vault>,
    place: &Folder,
    report: &mut Report,
) -> Result<(), Fault> {
    let at = format!("at {}", before.since().revision);
    let parsed = before.config().map_err(|fault| fault.within(&at));
    let Some(old) = report.take(CONFIG_FILE, parsed)? else {
        return Ok(());
    };
    // The environments of both vaults: a wrong root must not hide anything.
    let vaults = [vault, before.vault.as_ref()].into_iter().flatten();
    let environments = vaults.flat_map(|vault| vault.root().environments.keys().cloned());
    let found = compare::loosened(&old, now, &environments.collect());
    report.items.extend(found.iter().map(wording::loosened));
    for found in &found {
        let Loosened::Variable(other) = found else {
            continue;
        };
        let (environment, variable) = (&other.environment, &other.variable);
        if other.change != VariableChange::Removed {
            report
                .items
                .extend(wording::name(CONFIG_FILE, environment, variable, Some(now)));
        }
    }
    let text = std::fs::read(place.config()).unwrap_or_default();
    if found.is_empty() && before.config_differs(&text) {
        report.items.push(wording::config_changed());
    }
    Ok(())
}
