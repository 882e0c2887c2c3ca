//! Values of an environment: everything verified first, then decrypted.

use std::collections::BTreeSet;

use super::context::Context;
use super::open::{Session, tree};
use super::release::Release;
use crate::crypto::Commitment;
use crate::fault::{Fault, Kind, nearest};
use crate::secret::Secret;
use crate::vault::model::{Access, Environment};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::trust::{CheckedEntry, Vault};

/// Which values.
pub(crate) enum Wanted<'a> {
    /// Everything that the caller can read.
    All,
    /// These, if they exist.
    Names(&'a [SecretName]),
}

/// The secrets read from one environment.
pub(crate) struct Read {
    /// Names and values, without tombstones.
    pub(crate) secrets: Vec<(SecretName, Secret)>,
    /// The names with entries in an older epoch.
    pub(crate) stale: Vec<SecretName>,
}

/// Reads and opens. Where a writer changed the environment in between, reads once more.
pub(crate) fn values(
    session: &mut Session,
    release: &Release,
    wanted: &Wanted<'_>,
) -> Result<Read, Fault> {
    let environment = release.environment();
    match attempt(session, environment, wanted) {
        Err(fault) if session.vault.has_changed() => {
            let again = tree(&session.place).map_err(|_| fault)?;
            session.read_again(again)?;
            attempt(session, environment, wanted)
        }
        result => result,
    }
}

/// Says what is not as it should be, though it can be read.
pub(crate) fn warn(context: &Context, environment: &EnvironmentName, read: &Read) {
    if let Some(first) = read.stale.first() {
        let more = match read.stale.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        context.console.warn(format!(
            "{environment} has entries of an older epoch: {first}{more}; to re-encrypt them: `vault rotate --finish`"
        ));
    }
}

fn attempt(session: &Session, name: &EnvironmentName, wanted: &Wanted<'_>) -> Result<Read, Fault> {
    let vault = &session.vault;
    let environment = vault.environment(name)?;
    let holder = session.holder();
    let entries = match (wanted, holder.member().access.get(name)) {
        (Wanted::Names(names), _) => vault.entries_named(environment, names)?,
        (Wanted::All, Some(Access::Names(names))) => {
            let names: Vec<SecretName> = names.iter().cloned().collect();
            vault.entries_named(environment, &names)?
        }
        (Wanted::All, _) => vault.entries(environment)?,
    };
    let live = || {
        entries
            .iter()
            .filter(|entry| entry.content().sealed.is_some())
    };
    let newest = environment.newest().commitment;
    let mut epochs: BTreeSet<Commitment> = live().map(|entry| *entry.commitment()).collect();
    // Without any value, only access is left to check.
    if !holder.member().access.contains_key(name) {
        epochs.insert(newest);
    }
    let keys = holder.unlock(environment, epochs)?;
    let secrets = keys.values(&entries)?;
    let stale = live()
        .filter(|entry| *entry.commitment() != newest)
        .map(|entry| entry.name().clone())
        .collect();
    Ok(Read { secrets, stale })
}

/// Every entry that is as it should be, and why the others are not.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn valid_entries(
    vault: &Vault,
    environment: &Environment,
) -> Result<(Vec<CheckedEntry>, Vec<Fault>), Fault> {
    // All at once, which is far cheaper if all are valid.
    if let Ok(entries) = vault.entries(environment) {
        return Ok((entries, Vec::new()));
    }
    let (mut sound, mut broken) = (Vec::new(), Vec::new());
    match vault.entry_names(&environment.name) {
        Err(fault) if fault.kind() != Kind::Failed => broken.push(fault),
        names => {
            for name in names? {
                match vault.entry(environment, &name) {
                    Err(fault) if fault.kind() != Kind::Failed => broken.push(fault),
                    entry => sound.extend(entry?),
                }
            }
        }
    }
    Ok((sound, broken))
}

/// `name` is not in `environment`; says which name is nearest.
pub(crate) fn no_secret(
    session: &Session,
    environment: &EnvironmentName,
    name: &SecretName,
    kind: Kind,
) -> Fault {
    no_secret_in(&session.vault, environment, name, kind)
}

/// As [`no_secret`], without a key.
pub(crate) fn no_secret_in(
    vault: &Vault,
    environment: &EnvironmentName,
    name: &SecretName,
    kind: Kind,
) -> Fault {
    let fault = Fault::new(kind, format!("there is no {name} in {environment}"));
    let checked = vault.environment(environment);
    let entries = checked
        .and_then(|checked| vault.entries(checked))
        .unwrap_or_default();
    let live = entries
        .iter()
        .filter(|entry| entry.content().sealed.is_some());
    match nearest(name.as_str(), live.map(|entry| entry.name().as_str())) {
        Some(near) => fault.hint(format!("did you mean {near}?")),
        None => fault.hint(format!("set it: `vault set {name} -e {environment}`")),
    }
}
