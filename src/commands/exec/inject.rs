//! What the command gets: entries and variables alike, complete or not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::proxies::spellings;
use crate::fault::{Fault, Kind};
use crate::secret::Secret;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::read::{self, Wanted};
use crate::session::release::Release;
use crate::vault::config::Config;
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::template::Template;
use crate::vault::trust::Vault;
use crate::vault::unlock::Holder;

/// What is asked for.
pub(super) struct Scope<'a> {
    pub(super) config: &'a Config,
    pub(super) vault: &'a Vault,
    pub(super) environment: &'a EnvironmentName,
    /// The names asked for, or nothing where it is all that the caller may read.
    pub(super) wanted: Option<&'a [SecretName]>,
    /// Whether the caller may read a name, be it there or not.
    pub(super) may_read: &'a dyn Fn(&SecretName) -> bool,
}

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
    /// Names and values to inject: entries and variables alike, proxies in both spellings.
    pub(super) fn values(&self) -> Vec<(&str, &Secret)> {
        let is_wanted =
            |name: &SecretName| self.wanted.as_ref().is_none_or(|names| names.contains(name));
        let own = self.secrets.iter().filter(|(name, _)| is_wanted(name));
        let all = own.chain(&self.variables);
        all.flat_map(|(name, value)| spellings(name.as_str()).into_iter().map(move |n| (n, value)))
            .collect()
    }
}

/// Reads and fills what is wanted: everything, or these names.
pub(super) fn injected(
    context: &Context,
    session: &mut Session,
    release: &Release,
    wanted: Option<&[SecretName]>,
) -> Result<Injected, Fault> {
    let environment = release.environment();
    let variables = templates(&session.config, environment)?;
    let read = match wanted {
        None => read::values(session, release, &Wanted::All)?,
        Some(names) => {
            let entries = entries_for(names, &variables);
            read::values(session, release, &Wanted::Names(&entries))?
        }
    };
    read::warn(context, environment, &read);
    let holder = session.holder()?;
    let may_read = |name: &SecretName| may_read(&holder, environment, name);
    let (config, vault) = (&session.config, &session.vault);
    let scope = Scope { config, vault, environment, wanted, may_read: &may_read };
    scope.filled(&variables, read.secrets)
}

impl Scope<'_> {
    /// `secrets`, and the variables with them in their places, all that is wanted or nothing.
    pub(super) fn filled(
        &self,
        variables: &BTreeMap<SecretName, Template>,
        secrets: Vec<(SecretName, Secret)>,
    ) -> Result<Injected, Fault> {
        self.check_names(variables, &secrets)?;
        let known: BTreeMap<&SecretName, &Secret> =
            secrets.iter().map(|(name, value)| (name, value)).collect();
        let is_wanted = |name: &SecretName| self.wanted.is_none_or(|names| names.contains(name));
        let mut filled = Vec::new();
        for (name, template) in variables {
            match template.fill(|name| known.get(name).copied()) {
                Some(value) if is_wanted(name) => filled.push((name.clone(), value)),
                // Among all that the caller may read is no variable that refers to what he may not.
                None if self.wanted.is_none() && !template.references().all(self.may_read) => {}
                None if is_wanted(name) => {
                    let missing = template.references().find(|name| !known.contains_key(name));
                    let missing = missing.map(ToString::to_string).unwrap_or_default();
                    let environment = self.environment;
                    return Err(Fault::incomplete(format!(
                        "{name} refers to {missing}, which is not in {environment}"
                    ))
                    .hint(format!("set it: vault set {missing} -e {environment}")));
                }
                _ => {}
            }
        }
        self.check_complete(&known, variables)?;
        Ok(Injected { secrets, variables: filled, wanted: self.wanted.map(<[SecretName]>::to_vec) })
    }

    /// Checks that every entry has a name that may be injected, and that no variable has that name.
    fn check_names(
        &self,
        variables: &BTreeMap<SecretName, Template>,
        secrets: &[(SecretName, Secret)],
    ) -> Result<(), Fault> {
        let spellings: BTreeSet<String> = variables.keys().map(SecretName::folded).collect();
        for (name, _) in secrets {
            self.config.check_name(name)?;
            if spellings.contains(&name.folded()) {
                let environment = self.environment;
                let message = format!("{name} is both a secret and a variable of {environment}");
                return Err(Fault::refused(message)
                    .hint("remove it from vault.toml, or from the vault: vault remove NAME"));
            }
        }
        Ok(())
    }

    /// What was asked for by name, and what `vault.toml` requires, is there.
    fn check_complete(
        &self,
        known: &BTreeMap<&SecretName, &Secret>,
        variables: &BTreeMap<SecretName, Template>,
    ) -> Result<(), Fault> {
        let is_there = |name: &SecretName| known.contains_key(name) || variables.contains_key(name);
        let missing =
            |name| Err(read::no_secret_in(self.vault, self.environment, name, Kind::Incomplete));
        if let Some(wanted) = self.wanted {
            return wanted.iter().find(|name| !is_there(name)).map_or(Ok(()), missing);
        }
        let required = self.config.secrets.iter();
        let required = required.filter(|(_, config)| config.required.holds_in(self.environment));
        let mut required = required.map(|(name, _)| name).filter(|name| (self.may_read)(name));
        required.find(|name| !is_there(name)).map_or(Ok(()), missing)
    }
}

/// The variables of `environment`, understood.
pub(super) fn templates(
    config: &Config,
    environment: &EnvironmentName,
) -> Result<BTreeMap<SecretName, Template>, Fault> {
    let variables = config.variables(environment).into_iter();
    variables
        .map(|(name, text)| {
            config.check_name(name)?;
            Ok((name.clone(), Template::parse(name, text)?))
        })
        .collect()
}

/// The entries to read for `names`: those that are no variables, and what the variables refer to.
pub(super) fn entries_for(
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

/// Whether the caller may read `name`, be it there or not.
fn may_read(holder: &Holder<'_>, environment: &EnvironmentName, name: &SecretName) -> bool {
    match holder.member().access.get(environment) {
        Some(Access::Names(names)) => names.contains(name),
        Some(_) => true,
        None => false,
    }
}
