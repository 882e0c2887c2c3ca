//! Changes to secrets, all of them or none: checked under the lock, sealed, signed, written.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::given::check_given;
use super::open::Session;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::vault::families::redirect_of;
use crate::vault::holder::OpenedSigningKey;
use crate::vault::model::{Environment, LONGEST_VALUE, MOST_ENTRIES};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::signing::EntrySigner;
use crate::vault::store::NewFile;
use crate::vault::trust::CheckedEntry;

/// A secret's new value, or nothing to remove it.
pub(crate) struct Change {
    pub(crate) environment: EnvironmentName,
    pub(crate) name: SecretName,
    pub(crate) value: Option<Secret>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The value is new, and the entry has this revision.
    Set(u64),
    /// There was another value; now the entry has this revision.
    Changed(u64),
    /// It has this value already.
    Unchanged,
    /// The value is gone; the tombstone has this revision.
    Removed(u64),
    /// The name had no value to remove.
    Absent,
}

/// Applies `changes` and says, in their order, what became of each. Nothing is written unless all
/// of them can be.
pub(crate) fn apply(
    context: &Context,
    session: &mut Session,
    changes: &[Change],
) -> Result<Vec<Outcome>, Fault> {
    check(session, changes)?;
    let writer = session.lock(context)?;
    let mut outcomes = vec![Outcome::Absent; changes.len()];
    let mut files = Vec::new();
    let mut by_environment: BTreeMap<&EnvironmentName, Vec<usize>> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate() {
        by_environment
            .entry(&change.environment)
            .or_default()
            .push(at);
    }
    let mut signing_key = OpenedSigningKey::default();
    for (environment, numbers) in by_environment {
        let changes: Vec<&Change> = numbers.iter().map(|&at| &changes[at]).collect();
        let results = change_environment(session, environment, &mut signing_key, &changes)?;
        for (at, (outcome, file)) in numbers.into_iter().zip(results) {
            outcomes[at] = outcome;
            files.extend(file);
        }
    }
    // Everything is verified; where a new id cannot be remembered, nothing is written.
    session.remember(context)?;
    if !files.is_empty() {
        writer.replace(&files)?;
    }
    mention_redirects(context, changes, &outcomes);
    Ok(outcomes)
}

/// Reports new values that decide where programs connect or which certificates they trust.
fn mention_redirects(context: &Context, changes: &[Change], outcomes: &[Outcome]) {
    let is_new = |outcome| matches!(outcome, &Outcome::Set(_) | &Outcome::Changed(_));
    let new = changes
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| is_new(*outcome));
    let names: BTreeSet<&str> = new.map(|(change, _)| change.name.as_str()).collect();
    let mut mentioned: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        if let Some(redirect) = redirect_of(name) {
            mentioned.entry(redirect.decides).or_default().push(name);
        }
    }
    for (decides, names) in mentioned {
        let verb = if names.len() == 1 {
            "decides"
        } else {
            "decide"
        };
        context
            .console
            .note(format!("{} {verb} {decides}", names.join(", ")));
    }
}

fn check(session: &Session, changes: &[Change]) -> Result<(), Fault> {
    for Change {
        environment,
        name,
        value,
    } in changes
    {
        let Some(value) = value else { continue };
        session.config.check_name(name)?;
        if let Some(variable) = session.config.variable_like(environment, name) {
            let message = format!("{variable} is a variable of {environment} in vault.toml");
            return Err(
                Fault::usage(message).hint("remove it there first; a name is one or the other")
            );
        }
        if value.len() > LONGEST_VALUE {
            return Err(too_long(name));
        }
    }
    Ok(())
}

/// The value given for `name` is longer than any can be.
pub(crate) fn too_long(name: &SecretName) -> Fault {
    Fault::usage(format!("the value of {name} has more than 1 MiB"))
        .hint("keep what is larger in a file of its own, encrypted with a key from the vault")
}

fn change_environment(
    session: &Session,
    name: &EnvironmentName,
    signing_key: &mut OpenedSigningKey,
    changes: &[&Change],
) -> Result<Vec<(Outcome, Option<NewFile>)>, Fault> {
    let vault = &session.vault;
    let environment = vault.environment(name)?;
    check_given(vault, environment)?;
    let names: Vec<SecretName> = changes.iter().map(|change| change.name.clone()).collect();
    let existing = vault.entries_named(environment, &names)?;
    let entries: BTreeMap<&SecretName, &CheckedEntry> =
        existing.iter().map(|entry| (entry.name(), entry)).collect();
    check_new_names(session, environment, changes, &entries)?;
    let holder = session.holder();
    // The signing key first: it refuses a reader with the better message.
    let key = signing_key.get(&holder, name)?;
    // A member who joined after a rotation cannot open what is still of an older epoch.
    let opens = |entry: &CheckedEntry| holder.has_key(name, entry.commitment());
    let open = entries.values().filter(|entry| opens(entry));
    let epochs = open
        .map(|entry| *entry.commitment())
        .chain([environment.newest().commitment]);
    let keys = holder.unlock(environment, epochs)?;
    let signer = EntrySigner {
        vault: vault.root().vault,
        environment,
        keys: &keys,
        name: holder.name(),
        key,
    };
    let change = |change: &&Change| {
        let before = entries.get(&change.name);
        let revision = before.map_or(0, |entry| entry.content().revision);
        let live = before.filter(|entry| entry.content().sealed.is_some());
        Ok(match (&change.value, live) {
            (None, None) => (Outcome::Absent, None),
            (None, Some(_)) => (
                Outcome::Removed(revision + 1),
                Some(signer.remove(&change.name, revision)?),
            ),
            (Some(value), Some(entry)) => {
                let old = if opens(entry) {
                    keys.value(entry)?
                } else {
                    None
                };
                if old.is_some_and(|old| old.same_as(value)) {
                    return Ok((Outcome::Unchanged, None));
                }
                let file = signer.set(&change.name, revision, value)?;
                (Outcome::Changed(revision + 1), Some(file))
            }
            (Some(value), None) => (
                Outcome::Set(revision + 1),
                Some(signer.set(&change.name, revision, value)?),
            ),
        })
    };
    changes.iter().map(change).collect()
}

/// A name that has no file yet must not differ from another in case only, and must have room. Only
/// then is the folder listed, so that a change of an existing name costs the same in every store.
fn check_new_names(
    session: &Session,
    environment: &Environment,
    changes: &[&Change],
    entries: &BTreeMap<&SecretName, &CheckedEntry>,
) -> Result<(), Fault> {
    let is_new = |change: &&&Change| change.value.is_some() && !entries.contains_key(&change.name);
    let new: Vec<&SecretName> = changes
        .iter()
        .filter(is_new)
        .map(|change| &change.name)
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let known = session.vault.entry_names(&environment.name)?;
    if known.len() + new.len() > MOST_ENTRIES {
        let name = &environment.name;
        return Err(Fault::usage(format!(
            "{name} would hold more than {MOST_ENTRIES} entries"
        )));
    }
    let mut spellings: BTreeMap<String, &SecretName> =
        known.iter().map(|name| (name.folded(), name)).collect();
    for name in new {
        if let Some(other) = spellings.insert(name.folded(), name) {
            let message = format!("{name} differs from {other} in case only");
            // A removed name stays as a tombstone, so removing it would not help.
            return Err(Fault::usage(message).hint(format!("use the name {other}")));
        }
    }
    Ok(())
}
