//! A new value that another environment already has under the same name.
//!
//! One entry per name and environment is opened, however many there are, and nothing is shown but
//! names. An environment with `confirm = true` is left out: whether it has a value is known only
//! after a person has agreed. What cannot be checked or opened is left out too, because the change
//! itself is done.

use std::collections::BTreeMap;

use super::apply::{Change, Outcome};
use super::context::Context;
use super::open::Session;
use crate::mask::policy::verdict;
use crate::mask::{Masking, Verdict};
use crate::secret::Secret;
use crate::vault::config::Mask;
use crate::vault::name::{EnvironmentName, SecretName};

/// How many names a notice shows.
const SHOWN: usize = 5;

/// Mentions each environment that already has a value that was just set.
pub(crate) fn mention(
    context: &Context,
    session: &Session,
    changes: &[Change],
    outcomes: &[Outcome],
) {
    for other in session.vault.root().environments.keys() {
        let config = session.config.environments.get(other);
        if config.is_some_and(|config| config.confirm) {
            continue;
        }
        // Typed for both at once, it is meant to be the same.
        let set_too = |name: &SecretName| {
            changes
                .iter()
                .any(|change| change.environment == *other && change.name == *name)
        };
        let is_new = |outcome| matches!(outcome, &Outcome::Set(_) | &Outcome::Changed(_));
        let new: BTreeMap<&SecretName, &Secret> = changes
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| is_new(outcome))
            .filter_map(|(change, _)| Some((&change.name, change.value.as_ref()?)))
            .filter(|(name, value)| !set_too(name) && counts(session, name, value))
            .collect();
        let same: Vec<SecretName> = values(session, other, new.keys().copied())
            .into_iter()
            .filter(|(name, value)| {
                new.get(name)
                    .is_some_and(|new| trimmed(new).same_as(&trimmed(value)))
            })
            .map(|(name, _)| name)
            .collect();
        if let Some(line) = line(other, &same) {
            context.console.note(line);
        }
    }
}

/// Whether a value is secret enough to be worth a mention: as for masking, and as `vault.toml`
/// decides.
fn counts(session: &Session, name: &SecretName, value: &Secret) -> bool {
    let config = session.config.secrets.get(name);
    config.is_none_or(|config| config.mask != Mask::Never)
        && verdict(value, Masking::Automatic) == Verdict::Masked
}

/// White space around a value makes no difference.
fn trimmed(value: &Secret) -> Secret {
    Secret::new(value.expose().trim_ascii().to_vec())
}

/// Opens the values of `names` in `environment` that the caller can read, and no others.
fn values<'a>(
    session: &Session,
    environment: &EnvironmentName,
    names: impl Iterator<Item = &'a SecretName>,
) -> Vec<(SecretName, Secret)> {
    let open = || {
        let holder = session.holder();
        let access = holder.member().access.get(environment)?;
        let names: Vec<SecretName> = names.filter(|name| access.reads(name)).cloned().collect();
        if names.is_empty() {
            return None;
        }
        let environment = session.vault.environment(environment).ok()?;
        let mut entries = session.vault.entries_named(environment, &names).ok()?;
        entries.retain(|entry| {
            entry.content().sealed.is_some()
                && holder.has_key(&environment.name, entry.commitment())
        });
        let keys = holder
            .unlock(environment, entries.iter().map(|entry| *entry.commitment()))
            .ok()?;
        keys.values(&entries).ok()
    };
    open().unwrap_or_default()
}

fn line(environment: &EnvironmentName, same: &[SecretName]) -> Option<String> {
    if let [only] = same {
        return Some(format!("{only} has the same value in {environment}"));
    }
    let shown: Vec<&str> = same.iter().take(SHOWN).map(SecretName::as_str).collect();
    let more = match same.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let list = shown.join(", ");
    (!same.is_empty()).then(|| format!("these have the same values in {environment}: {list}{more}"))
}
