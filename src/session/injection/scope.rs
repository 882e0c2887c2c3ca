//! The wanted names, filled with the values of the vault, all of them or none.

use std::collections::{BTreeMap, BTreeSet};

use super::proxies::spellings;
use crate::fault::{Fault, Kind};
use crate::secret::Secret;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::read::{self, Wanted};
use crate::session::release::Release;
use crate::vault::config::Config;
use crate::vault::holder::Holder;
use crate::vault::model::LONGEST_VALUE;
use crate::vault::name::{EnvironmentName, SecretName, StepName};
use crate::vault::template::Template;
use crate::vault::trust::Vault;

/// The most bytes that all variables can have together; no system gives a process as much.
const ROOM: usize = 8 << 20;

/// The names as they were typed: a step, names, or neither.
pub(crate) struct Typed {
    pub(crate) step: Option<StepName>,
    pub(crate) only: Vec<SecretName>,
}

impl Typed {
    /// Returns the wanted names.
    ///
    /// # Errors
    /// `Usage` if `vault.toml` does not have the step.
    pub(crate) fn selection(&self, config: &Config) -> Result<Selection, Fault> {
        match &self.step {
            Some(step) => {
                let names = config.step(step)?.names.clone();
                Ok(Selection::Step(step.clone(), names))
            }
            None if self.only.is_empty() => Ok(Selection::All),
            None => Ok(Selection::Names(self.only.clone())),
        }
    }
}

/// The wanted names.
#[derive(Clone)]
pub(crate) enum Selection {
    /// All names that the caller may read.
    All,
    Names(Vec<SecretName>),
    Step(StepName, Vec<SecretName>),
}

impl Selection {
    /// The names; `None` means all.
    pub(super) fn names(&self) -> Option<&[SecretName]> {
        match self {
            Self::All => None,
            Self::Names(names) | Self::Step(_, names) => Some(names),
        }
    }

    fn has(&self, name: &SecretName) -> bool {
        self.names().is_none_or(|names| names.contains(name))
    }
}

/// The wanted names.
pub(super) struct Scope<'a> {
    pub(super) config: &'a Config,
    pub(super) vault: &'a Vault,
    pub(super) environment: &'a EnvironmentName,
    pub(super) wanted: &'a Selection,
    /// Whether the caller may read a name, which need not exist.
    pub(super) may_read: &'a dyn Fn(&SecretName) -> bool,
}

/// The variables of the command, and all secrets that its output may not show.
pub(crate) struct Injected {
    /// Every secret that was opened: those that are injected, and those that variables refer to.
    pub(crate) secrets: Vec<(SecretName, Secret)>,
    /// Variables with the values of their references.
    variables: Vec<(SecretName, Secret)>,
    wanted: Selection,
}

impl Injected {
    /// Returns the names and values to inject: secrets and variables, proxies in both spellings.
    pub(crate) fn values(&self) -> Vec<(&str, &Secret)> {
        let own = self
            .secrets
            .iter()
            .filter(|(name, _)| self.wanted.has(name));
        let all = own.chain(&self.variables);
        all.flat_map(|(name, value)| {
            spellings(name.as_str())
                .into_iter()
                .map(move |n| (n, value))
        })
        .collect()
    }
}

/// Reads the wanted secrets, and fills the wanted variables.
///
/// # Errors
/// `Incomplete` if a wanted name is missing; then nothing is injected.
pub(crate) fn collect(
    context: &Context,
    session: &mut Session,
    release: &Release,
    wanted: &Selection,
) -> Result<Injected, Fault> {
    let environment = release.environment();
    let variables = templates(&session.config, environment)?;
    let read = match wanted.names() {
        None => read::values(session, release, &Wanted::All)?,
        Some(names) => {
            let entries = entries_for(names, &variables);
            read::values(session, release, &Wanted::Names(&entries))?
        }
    };
    read::warn(context, environment, &read);
    let holder = session.holder();
    let may_read = |name: &SecretName| may_read(&holder, environment, name);
    let (config, vault) = (&session.config, &session.vault);
    let scope = Scope {
        config,
        vault,
        environment,
        wanted,
        may_read: &may_read,
    };
    scope.filled(&variables, read.secrets)
}

impl Scope<'_> {
    /// `secrets`, and the variables with them in their places, all wanted names or none.
    pub(super) fn filled(
        &self,
        variables: &BTreeMap<SecretName, Template>,
        secrets: Vec<(SecretName, Secret)>,
    ) -> Result<Injected, Fault> {
        self.check_names(variables, &secrets)?;
        let known: BTreeMap<&SecretName, &Secret> =
            secrets.iter().map(|(name, value)| (name, value)).collect();
        let mut filled = Vec::new();
        let mut room = ROOM;
        for (name, template) in variables.iter().filter(|(name, _)| self.wanted.has(name)) {
            let value = template.fill(LONGEST_VALUE.min(room), |name| known.get(name).copied());
            match value.map_err(|_| too_long(name))? {
                Some(value) => {
                    room -= value.len();
                    filled.push((name.clone(), value));
                }
                // If everything is wanted, skips variables that refer to secrets the caller cannot
                // read.
                None if self.wanted.names().is_none()
                    && !template.references().all(self.may_read) => {}
                None => {
                    let mut references = template.references();
                    let missing = references.find(|name| !known.contains_key(name));
                    return Err(self.dangling(name, missing));
                }
            }
        }
        self.check_complete(&known, variables)?;
        Ok(Injected {
            secrets,
            variables: filled,
            wanted: self.wanted.clone(),
        })
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
                    .hint("remove it from vault.toml, or from the vault: `vault remove NAME`"));
            }
        }
        Ok(())
    }

    /// Checks that names that were asked for or that `vault.toml` requires exist.
    fn check_complete(
        &self,
        known: &BTreeMap<&SecretName, &Secret>,
        variables: &BTreeMap<SecretName, Template>,
    ) -> Result<(), Fault> {
        let is_there = |name: &SecretName| known.contains_key(name) || variables.contains_key(name);
        let missing = |name| Err(self.missing(name));
        if let Some(wanted) = self.wanted.names() {
            return wanted
                .iter()
                .find(|name| !is_there(name))
                .map_or(Ok(()), missing);
        }
        let secrets = self.config.secrets.iter();
        secrets
            .filter(|(_, config)| config.required.holds_in(self.environment))
            .map(|(name, _)| name)
            .filter(|name| (self.may_read)(name))
            .find(|name| !is_there(name))
            .map_or(Ok(()), missing)
    }

    /// Explains that `name` is missing, although a step, `vault.toml`, or the caller wants it.
    fn missing(&self, name: &SecretName) -> Fault {
        let environment = self.environment;
        if !self.was_removed(name) {
            return read::no_secret_in(self.vault, environment, name, Kind::Incomplete);
        }
        let removed = format!("{name}, which was removed from {environment}");
        let again = format!("to set it again: `vault set {name} -e {environment}`");
        match self.wanted {
            Selection::Step(step, _) => {
                Fault::incomplete(format!("step {step} still lists {removed}"))
                    .hint(format!("remove {name} from [steps.{step}] in vault.toml"))
            }
            Selection::All => Fault::incomplete(format!("vault.toml still requires {removed}"))
                .hint(format!(
                    "change `required` of [secrets.{name}] in vault.toml"
                )),
            Selection::Names(_) => {
                Fault::incomplete(format!("{name} was removed from {environment}"))
            }
        }
        .hint(again)
    }

    /// Explains that the variable `name` refers to a secret that is missing.
    fn dangling(&self, name: &SecretName, missing: Option<&SecretName>) -> Fault {
        let environment = self.environment;
        let Some(missing) = missing else {
            return Fault::incomplete(format!("{name} could not be filled"));
        };
        if self.config.variables(environment).contains_key(missing) {
            return Fault::incomplete(format!("{name} refers to {missing}, which is a variable"))
                .hint("a variable can refer to secrets only");
        }
        if !self.was_removed(missing) {
            return Fault::incomplete(format!(
                "{name} refers to {missing}, which is not in {environment}"
            ))
            .hint(format!("set it: `vault set {missing} -e {environment}`"));
        }
        let step = match self.wanted {
            Selection::Step(step, _) => format!("step {step}: "),
            Selection::All | Selection::Names(_) => String::new(),
        };
        let reason =
            format!("{name} still refers to {missing}, which was removed from {environment}");
        Fault::incomplete(step + &reason)
            .hint(format!("change the variable {name} in vault.toml"))
            .hint(format!(
                "to set it again: `vault set {missing} -e {environment}`"
            ))
    }

    /// Whether `name` has a tombstone.
    fn was_removed(&self, name: &SecretName) -> bool {
        let checked = self.vault.environment(self.environment);
        let entry = checked.and_then(|checked| self.vault.entry(checked, name));
        matches!(entry, Ok(Some(entry)) if entry.content().sealed.is_none())
    }
}

/// Explains that no system gives a process a variable as long.
fn too_long(name: &SecretName) -> Fault {
    Fault::incomplete(format!("the value of {name} is too long for a variable"))
        .hint("shorten it in vault.toml, or let the program read the secrets it refers to")
}

/// Returns the variables of `environment`, parsed.
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

/// The entries to read for `names`: those that are not variables, and those that the variables
/// refer to.
pub(super) fn entries_for(
    names: &[SecretName],
    variables: &BTreeMap<SecretName, Template>,
) -> Vec<SecretName> {
    let mut entries: Vec<SecretName> = Vec::new();
    for name in names {
        entries.push(name.clone());
        entries.extend(
            variables
                .get(name)
                .into_iter()
                .flat_map(Template::references)
                .cloned(),
        );
    }
    entries.sort();
    entries.dedup();
    entries
}

/// Whether the caller may read `name`, which need not exist.
fn may_read(holder: &Holder<'_>, environment: &EnvironmentName, name: &SecretName) -> bool {
    holder
        .member()
        .access
        .get(environment)
        .is_some_and(|access| access.reads(name))
}
