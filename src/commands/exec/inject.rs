//! What the command gets: entries and variables alike, complete or not at all.

use std::collections::BTreeMap;

use crate::fault::{Fault, Kind};
use crate::secret::Secret;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::read::{self, Read, Wanted};
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::template::Template;
use crate::vault::unlock::Holder;

/// What the command gets, and all that its output may not show.
pub(super) struct Injected {
    /// Every secret that was opened: those that are injected, and those that variables refer to.
    pub(super) secrets: Vec<(SecretName, Secret)>,
    /// Variables, filled.
    variables: Vec<(SecretName, Secret)>,
    /// The names asked for, or nothing where it is all.
    wanted: Option<Vec<SecretName>>,
}

impl Injected {
    /// Names and values to inject: entries and variables alike.
    pub(super) fn values(&self) -> Vec<(&str, &Secret)> {
        let is_wanted =
            |name: &SecretName| self.wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
        let own = self.secrets.iter().filter(|(name, _)| is_wanted(name));
        own.chain(&self.variables).map(|(name, value)| (name.as_str(), value)).collect()
    }
}

/// Reads and fills what is wanted: everything, or these names.
pub(super) fn injected(
    context: &Context,
    session: &mut Session,
    environment: &EnvironmentName,
    wanted: Option<Vec<SecretName>>,
) -> Result<Injected, Fault> {
    let names = wanted;
    let wanted = names.as_deref();
    let variables = templates(session, environment)?;
    let read = match wanted {
        None => read::values(session, environment, &Wanted::All)?,
        Some(names) => {
            let entries = entries_for(names, &variables);
            read::values(session, environment, &Wanted::Names(&entries))?
        }
    };
    read::warn(context, environment, &read);
    check_names(session, environment, &variables, &read)?;
    let Read { secrets: values, .. } = read;
    let known: BTreeMap<&SecretName, &Secret> =
        values.iter().map(|(name, value)| (name, value)).collect();
    let holder = session.holder()?;
    let mut filled = Vec::new();
    for (name, template) in &variables {
        let is_wanted = wanted.is_none_or(|wanted| wanted.contains(name));
        match template.fill(|name| known.get(name).copied()) {
            Some(value) if is_wanted => filled.push((name.clone(), value)),
            // Among all that the caller may read is no variable that refers to what he may not.
            None if wanted.is_none()
                && !template.references().all(|name| may_read(&holder, environment, name)) => {}
            None if is_wanted => {
                let missing = template.references().find(|name| !known.contains_key(name));
                let missing = missing.map(ToString::to_string).unwrap_or_default();
                return Err(Fault::incomplete(format!(
                    "{name} refers to {missing}, which is not in {environment}"
                ))
                .hint(format!("set it: vault set {missing} -e {environment}")));
            }
            _ => {}
        }
    }
    check_complete(session, environment, wanted, &known, &variables)?;
    Ok(Injected { secrets: values, variables: filled, wanted: names })
}

fn templates(
    session: &Session,
    environment: &EnvironmentName,
) -> Result<BTreeMap<SecretName, Template>, Fault> {
    let variables = session.config.variables(environment).into_iter();
    variables
        .map(|(name, text)| {
            session.config.check_name(name)?;
            Ok((name.clone(), Template::parse(name, text)?))
        })
        .collect()
}

/// The entries to read for `names`: those that are no variables, and what the variables refer to.
fn entries_for(
    names: &[SecretName],
    variables: &BTreeMap<SecretName, Template>,
) -> Vec<SecretName> {
    let mut entries: Vec<SecretName> = Vec::new();
    for name in names {
        entries.push(name.clone());
        entries.extend(variables.get(name).into_iter().flat_map(Template::references).cloned());
    }
    entries.sort();
    entries.dedup();
    entries
}

/// Every entry has a name that may be injected and is no variable too.
fn check_names(
    session: &Session,
    environment: &EnvironmentName,
    variables: &BTreeMap<SecretName, Template>,
    read: &Read,
) -> Result<(), Fault> {
    for (name, _) in &read.secrets {
        session.config.check_name(name)?;
        if variables.contains_key(name) {
            let message = format!("{name} is both a secret and a variable of {environment}");
            return Err(Fault::refused(message)
                .hint("remove it from vault.toml, or from the vault: vault remove NAME"));
        }
        if session.config.secrets.get(name).is_some_and(|config| config.file) {
            let message = format!("vault.toml wants {name} as a file, which exec cannot do yet");
            return Err(Fault::refused(message).hint("leave it out with --only"));
        }
    }
    Ok(())
}

/// What was asked for by name, and what `vault.toml` requires, is there.
fn check_complete(
    session: &Session,
    environment: &EnvironmentName,
    wanted: Option<&[SecretName]>,
    known: &BTreeMap<&SecretName, &Secret>,
    variables: &BTreeMap<SecretName, Template>,
) -> Result<(), Fault> {
    let is_there = |name: &SecretName| known.contains_key(name) || variables.contains_key(name);
    let missing = |name| Err(read::no_secret(session, environment, name, Kind::Incomplete));
    if let Some(wanted) = wanted {
        return wanted.iter().find(|name| !is_there(name)).map_or(Ok(()), missing);
    }
    let holder = session.holder()?;
    let required = session.config.secrets.iter();
    let required = required.filter(|(_, config)| config.required.holds_in(environment));
    let mut required =
        required.map(|(name, _)| name).filter(|name| may_read(&holder, environment, name));
    required.find(|name| !is_there(name)).map_or(Ok(()), missing)
}

/// Whether the caller may read `name`, be it there or not.
fn may_read(holder: &Holder<'_>, environment: &EnvironmentName, name: &SecretName) -> bool {
    match holder.member().access.get(environment) {
        Some(Access::Names(names)) => names.contains(name),
        Some(_) => true,
        None => false,
    }
}
