//! Variables of `vault.toml` that are new, changed, or removed.
//!
//! A variable can send a program to another host, disable a check, or contain code that the program
//! runs. Only the program knows which of them do, so each change is reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::vault::config::Config;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::template::Template;

/// A variable of one environment, inherited ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::review) struct VariableDifference {
    pub(in crate::review) environment: EnvironmentName,
    pub(in crate::review) variable: SecretName,
    pub(in crate::review) change: VariableChange,
    /// The secrets that its value refers to now.
    pub(in crate::review) secrets: BTreeSet<SecretName>,
}

/// The kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum VariableChange {
    Added,
    Changed,
    Removed,
}

/// Compares the variables of every environment: those in `known`, which the vault has, and those
/// that only `vault.toml` has. A variable that one of the former inherits is reported only once.
pub(super) fn variables(
    before: &Config,
    now: &Config,
    known: &BTreeSet<EnvironmentName>,
) -> Vec<VariableDifference> {
    let found: Vec<VariableDifference> = known
        .iter()
        .flat_map(|name| differences(name, before, now))
        .collect();
    let named: BTreeSet<&EnvironmentName> = before
        .environments
        .keys()
        .chain(now.environments.keys())
        .collect();
    let others = named.into_iter().filter(|name| !known.contains(*name));
    let is_reported = |other: &VariableDifference| {
        found.iter().any(|reported| {
            let heir = now.environments.get(&reported.environment);
            heir.is_some_and(|heir| heir.inherits.as_ref() == Some(&other.environment))
                && (&reported.variable, reported.change) == (&other.variable, other.change)
                && reported.secrets == other.secrets
        })
    };
    let rest: Vec<VariableDifference> = others
        .flat_map(|name| differences(name, before, now))
        .filter(|other| !is_reported(other))
        .collect();
    found.into_iter().chain(rest).collect()
}

fn differences(
    environment: &EnvironmentName,
    before: &Config,
    now: &Config,
) -> Vec<VariableDifference> {
    let (old, new) = (before.variables(environment), now.variables(environment));
    let names: BTreeSet<&SecretName> = old.keys().chain(new.keys()).copied().collect();
    let differences = names.into_iter().filter_map(|name| {
        let change = match (old.get(name), new.get(name)) {
            (None, _) => VariableChange::Added,
            (_, None) => VariableChange::Removed,
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(_)) => VariableChange::Changed,
        };
        let (environment, variable) = (environment.clone(), name.clone());
        let secrets = referenced(name, &new);
        Some(VariableDifference {
            environment,
            variable,
            change,
            secrets,
        })
    });
    differences.collect()
}

/// Returns the secrets that a variable refers to; none if it is gone or not valid.
fn referenced(name: &SecretName, variables: &BTreeMap<&SecretName, &str>) -> BTreeSet<SecretName> {
    let template = variables
        .get(name)
        .and_then(|text| Template::parse(name, text).ok());
    template
        .iter()
        .flat_map(Template::references)
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(before: &str, now: &str) -> Vec<String> {
        let known = ["production"].map(|name| name.parse().unwrap());
        let (before, now) = (Config::parse(before).unwrap(), Config::parse(now).unwrap());
        let found = variables(&before, &now, &known.into());
        let line = |found: &VariableDifference| {
            format!(
                "{} {} {:?}",
                found.environment, found.variable, found.change
            )
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn variables_are_reported_once() {
        let before = "[environments.production]\ninherits = \"base\"\n
            [environments.base.variables]\nA = \"1\"\nB = \"1\"\n
            [environments.later.variables]\nC = \"1\"\n";
        assert_eq!(reported(before, before), [""; 0]);
        let now = before
            .replace("A = \"1\"", "A = \"2\"")
            .replace("B = \"1\"", "D = \"1\"");
        let expected = [
            "production A Changed",
            "production B Removed",
            "production D Added",
        ];
        assert_eq!(reported(before, &now), expected);
        let now = before.replace("C = \"1\"", "C = \"2\"");
        assert_eq!(reported(before, &now), ["later C Changed"]);
        let now = before.replace("inherits = \"base\"", "");
        assert_eq!(
            reported(before, &now),
            ["production A Removed", "production B Removed"]
        );
    }
}
