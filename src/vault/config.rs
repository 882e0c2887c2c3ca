//! `vault.toml`: what people write and review. Unsigned, trusted like code; it grants nothing.
//!
//! Errors name line and column, never the text there, which may be a value that someone pasted.

mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use toml_edit::DocumentMut;

use super::families::family_of;
use super::model::LONGEST_VALUE;
use super::name::{EnvironmentName, SecretName, StepName};
use super::store::CONFIG_FILE;
use super::template::Template;
use crate::fault::Fault;

/// The largest `vault.toml`, in bytes; it is read by people.
pub const LARGEST_CONFIG: usize = 1 << 20;

/// The content of `vault.toml`.
#[derive(Debug, Default)]
pub struct Config {
    /// The environment to use if none is named.
    pub default: Option<EnvironmentName>,
    /// Names that are allowed though they change what a command executes.
    pub allowed_names: Vec<SecretName>,
    /// Per environment.
    pub environments: BTreeMap<EnvironmentName, EnvironmentConfig>,
    /// Per secret.
    pub secrets: BTreeMap<SecretName, SecretConfig>,
    /// Per step.
    pub steps: BTreeMap<StepName, StepConfig>,
}

/// `[environments.NAME]`.
#[derive(Debug, Default)]
pub struct EnvironmentConfig {
    /// A person must say yes before `exec`.
    pub confirm: bool,
    /// Whose variables hold here too.
    pub inherits: Option<EnvironmentName>,
    /// Plain values, which may refer to secrets: `${NAME}`, `${NAME|url}`, `$$`.
    pub variables: BTreeMap<SecretName, String>,
}

/// `[secrets.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretConfig {
    /// For people.
    pub description: Option<String>,
    /// The environments in which it must exist.
    pub required: Required,
    /// The kind of value that `set --generate` makes.
    pub generate: Option<String>,
    /// The fewest bytes a value may have.
    pub min_length: Option<usize>,
    /// Whether the variable holds the path of a file in memory instead of the value.
    pub file: bool,
    /// How output is masked.
    pub mask: Mask,
}

/// `[steps.NAME]`.
#[derive(Debug)]
pub struct StepConfig {
    /// The secrets and variables it may see.
    pub names: Vec<SecretName>,
    /// Whether a secret in its output makes it fail, as `--fail-on-leak` does.
    pub fail_on_leak: bool,
}

/// `required = true`, or a list of environments.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Required {
    /// Everywhere, or nowhere.
    Everywhere(bool),
    /// In these environments.
    In(Vec<String>),
}

impl Default for Required {
    fn default() -> Self {
        Self::Everywhere(false)
    }
}

impl Required {
    /// Whether it holds for `environment`.
    #[must_use]
    pub fn holds_in(&self, environment: &EnvironmentName) -> bool {
        match self {
            Self::Everywhere(required) => *required,
            Self::In(environments) => environments.iter().any(|name| name == environment.as_str()),
        }
    }
}

/// `mask = …`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// From 6 bytes on, unless it is a common word.
    #[default]
    Auto,
    /// Even if it is short.
    Always,
    /// Not at all.
    Never,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    default: Option<String>,
    #[serde(default)]
    allowed_names: Vec<String>,
    #[serde(default)]
    environments: BTreeMap<String, EnvironmentFields>,
    #[serde(default)]
    secrets: BTreeMap<String, SecretConfig>,
    #[serde(default)]
    steps: BTreeMap<String, StepFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentFields {
    #[serde(default)]
    confirm: bool,
    inherits: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    names: Vec<String>,
    #[serde(default)]
    fail_on_leak: bool,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read or is not acceptable.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let failed = || Fault::failed(format!("could not read {}", path.display()));
        let found = std::fs::metadata(path).map_err(|error| failed().because(error))?;
        if !found.is_file() || found.len() > LARGEST_CONFIG as u64 {
            let most = LARGEST_CONFIG >> 20;
            return Err(failed().because(format!("it is not a regular file of at most {most} MiB")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed().because(error))?;
        Self::parse(&text)
    }

    /// Understands the text of a `vault.toml`.
    ///
    /// # Errors
    /// If it is not TOML or not of this shape, with line and column.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > LARGEST_CONFIG {
            let most = LARGEST_CONFIG >> 20;
            return Err(refused(format!("is larger than {most} MiB")));
        }
        let document = toml::de::Deserializer::from(shape::parse(text)?);
        let fields =
            Fields::deserialize(document).map_err(|error| shape::not_understood(text, &error))?;
        let mut config = Self {
            default: fields
                .default
                .map(|name| named("default", &name))
                .transpose()?,
            allowed_names: names("allowed_names", &fields.allowed_names)?,
            ..Self::default()
        };
        for (name, fields) in fields.environments {
            let name: EnvironmentName = named("environments", &name)?;
            let fields = environment(&format!("environments.{name}"), fields)?;
            config.environments.insert(name, fields);
        }
        for (name, secret) in fields.secrets {
            if secret.min_length.is_some_and(|least| least > LONGEST_VALUE) {
                return Err(refused(format!(
                    "secrets.{name}: min_length is above {LONGEST_VALUE}, the length of the longest \
                     value"
                )));
            }
            config.secrets.insert(named("secrets", &name)?, secret);
        }
        for (name, step) in fields.steps {
            let name: StepName = named("steps", &name)?;
            let names = names(&format!("steps.{name}"), &step.names)?;
            config.steps.insert(
                name,
                StepConfig {
                    names,
                    fail_on_leak: step.fail_on_leak,
                },
            );
        }
        config.check_inheritance()?;
        config.check_spellings()?;
        Ok(config)
    }

    /// The variables of `environment`, its own before those it inherits.
    #[must_use]
    pub fn variables(&self, environment: &EnvironmentName) -> BTreeMap<&SecretName, &str> {
        let own = self.environments.get(environment);
        let parent = own.and_then(|own| self.environments.get(own.inherits.as_ref()?));
        let both = parent.into_iter().chain(own);
        let variables = both.flat_map(|config| &config.variables);
        variables
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }

    /// The step of this name.
    ///
    /// # Errors
    /// `Usage` if there is none; says which is nearest.
    pub fn step(&self, step: &StepName) -> Result<&StepConfig, Fault> {
        self.steps.get(step).ok_or_else(|| {
            Fault::usage(format!("vault.toml has no step {step}"))
                .did_you_mean(step.as_str(), self.steps.keys().map(StepName::as_str))
                .hint(format!(
                    "add `[steps.{step}]` to vault.toml, with `names = [\"…\"]`"
                ))
        })
    }

    /// The secrets that `names` need in `environment`. A variable needs those it refers to.
    ///
    /// # Errors
    /// If one of the variables is not understood.
    pub fn secrets_behind(
        &self,
        environment: &EnvironmentName,
        names: &[SecretName],
    ) -> Result<BTreeSet<SecretName>, Fault> {
        let variables = self.variables(environment);
        let mut secrets = BTreeSet::new();
        for name in names {
            match variables.get(name) {
                Some(text) => secrets.extend(Template::parse(name, text)?.references().cloned()),
                None => drop(secrets.insert(name.clone())),
            }
        }
        Ok(secrets)
    }

    /// Refuses a name that makes some program run code, unless it is allowed here.
    ///
    /// # Errors
    /// `Usage`, with the reason and the line to add.
    pub fn check_name(&self, name: &SecretName) -> Result<(), Fault> {
        let Some(family) = family_of(name.as_str()) else {
            return Ok(());
        };
        if self.allowed_names.contains(name) {
            return Ok(());
        }
        let message = format!("{name} is refused as a name: {}", family.reason);
        let names: Vec<String> = self
            .allowed_names
            .iter()
            .chain([name])
            .map(quoted)
            .collect();
        let allowed = names.join(", ");
        Err(Fault::usage(message).hint(format!(
            "if it is meant, allow it in vault.toml: `allowed_names = [{allowed}]`"
        )))
    }

    /// The name of the variable of `environment` that is `name` regardless of case.
    #[must_use]
    pub fn variable_like(
        &self,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> Option<&SecretName> {
        let folded = name.folded();
        self.variables(environment)
            .into_keys()
            .find(|own| own.folded() == folded)
    }

    /// No environment has two variables whose names differ only in case, inherited ones included.
    fn check_spellings(&self) -> Result<(), Fault> {
        for environment in self.environments.keys() {
            let mut spellings = BTreeMap::new();
            for name in self.variables(environment).into_keys() {
                if let Some(other) = spellings.insert(name.folded(), name) {
                    let message = format!(
                        "environments.{environment}: {other} and {name} differ only in case"
                    );
                    return Err(refused(message).hint("keep one of the two spellings"));
                }
            }
        }
        Ok(())
    }

    fn check_inheritance(&self) -> Result<(), Fault> {
        for (name, config) in &self.environments {
            let Some(parent) = &config.inherits else {
                continue;
            };
            let grandparent = self.environments.get(parent).map(|parent| &parent.inherits);
            let at = format!("environments.{name}: inherits from {parent}");
            let others = self.environments.keys().filter(|other| *other != name);
            let known = others.map(EnvironmentName::as_str);
            return Err(match grandparent {
                None => refused(format!("{at}, which is not in vault.toml"))
                    .did_you_mean(parent.as_str(), known)
                    .hint(format!("add it: [environments.{parent}.variables]")),
                Some(Some(_)) => refused(format!(
                    "{at}, which already inherits from another environment (one level only)"
                )),
                Some(None) => continue,
            });
        }
        Ok(())
    }
}

/// `text` without `[environments.NAME]`; comments and order of the rest survive.
///
/// # Errors
/// If the text is not TOML.
pub fn without_environment(text: &str, environment: &EnvironmentName) -> Result<String, Fault> {
    let mut document: DocumentMut = text.parse().map_err(|_| refused("is not TOML"))?;
    if let Some(table) = document
        .get_mut("environments")
        .and_then(|item| item.as_table_like_mut())
    {
        table.remove(environment.as_str());
    }
    Ok(document.to_string())
}

fn environment(at: &str, fields: EnvironmentFields) -> Result<EnvironmentConfig, Fault> {
    let inherits = fields.inherits.map(|name| named(at, &name)).transpose()?;
    let mut variables = BTreeMap::new();
    for (name, value) in fields.variables {
        variables.insert(named(at, &name)?, value);
    }
    Ok(EnvironmentConfig {
        confirm: fields.confirm,
        inherits,
        variables,
    })
}

/// Says that `vault.toml` is not acceptable.
fn refused(reason: impl Into<String>) -> Fault {
    Fault::usage(reason).in_file(CONFIG_FILE)
}

fn quoted(name: &SecretName) -> String {
    format!("\"{name}\"")
}

fn names(at: &str, names: &[String]) -> Result<Vec<SecretName>, Fault> {
    names.iter().map(|name| named(at, name)).collect()
}

fn named<T: std::str::FromStr<Err = Fault>>(at: &str, name: &str) -> Result<T, Fault> {
    name.parse()
        .map_err(|fault: Fault| fault.within(at).in_file(CONFIG_FILE))
}

#[cfg(test)]
mod tests;
