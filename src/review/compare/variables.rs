//! Variables of `vault.toml`: which are new, have another value, or are gone.
//!
//! A variable can send a program to another host, switch a check off, or be code that the program
//! runs. Which of them do, only the program knows, so every one is told.

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
    /// The secrets that its value carries now.
    pub(in crate::review) secrets: BTreeSet<SecretName>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum VariableChange {
    Added,
    Changed,
    Removed,
}

/// Compares the variables of every environment: of `known`, those that the vault has, and of those
/// that only `vault.toml` has. What the former inherit is not told of the latter again.
pub(super) fn variables(
    before: &Config,
    now: &Config,
    known: &BTreeSet<EnvironmentName>,
) -> Vec<VariableDifference> {
    let found: Vec<VariableDifference> =
        known.iter().flat_map(|name| differences(name, before, now)).collect();
    let named: BTreeSet<&EnvironmentName> =
        before.environments.keys().chain(now.environments.keys()).collect();
    let others = named.into_iter().filter(|name| !known.contains(*name));
    let is_told = |other: &VariableDifference| {
        found.iter().any(|told| {
            let heir = now.environments.get(&told.environment);
            heir.is_some_and(|heir| heir.inherits.as_ref() == Some(&other.environment))
                && (&told.variable, told.change) == (&other.variable, other.change)
                && told.secrets == other.secrets
        })
    };
    let others = others.flat_map(|name| differences(name, before, now));
    let others: Vec<VariableDifference> = others.filter(|other| !is_told(other)).collect();
    found.into_iter().chain(others).collect()
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
        let secrets = carried(name, &new);
        Some(VariableDifference { environment, variable, change, secrets })
    });
    differences.collect()
}

/// The secrets in a variable's value; none if it is gone or not understood, and so is set nowhere.
fn carried(name: &SecretName, variables: &BTreeMap<&SecretName, &str>) -> BTreeSet<SecretName> {
    let template = variables.get(name).and_then(|text| Template::parse(name, text).ok());
    template.iter().flat_map(Template::references).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, now: &str) -> Vec<String> {
        let known = ["production"].map(|name| name.parse().unwrap());
        let (before, now) = (Config::parse(before).unwrap(), Config::parse(now).unwrap());
        let found = variables(&before, &now, &known.into());
        let line = |found: &VariableDifference| {
            format!("{} {} {:?}", found.environment, found.variable, found.change)
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn variables_are_reported_once() {
        let before = "[environments.production]\ninherits = \"base\"\n
            [environments.base.variables]\nA = \"1\"\nB = \"1\"\n
            [environments.later.variables]\nC = \"1\"\n";
        assert_eq!(told(before, before), [""; 0]);
        let now = before.replace("A = \"1\"", "A = \"2\"").replace("B = \"1\"", "D = \"1\"");
        let expected = ["production A Changed", "production B Removed", "production D Added"];
        assert_eq!(told(before, &now), expected);
        let now = before.replace("C = \"1\"", "C = \"2\"");
        assert_eq!(told(before, &now), ["later C Changed"]);
        let now = before.replace("inherits = \"base\"", "");
        assert_eq!(told(before, &now), ["production A Removed", "production B Removed"]);
    }
}
