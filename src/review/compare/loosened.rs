//! Changes of `vault.toml` that protect less, or that request more.
//!
//! The file is not signed and grants nothing, but a step gets the names that it lists, and a
//! variable can send a secret to any place that its value names.

use std::collections::BTreeSet;

use super::variables::{VariableDifference, variables};
use crate::vault::config::{Config, Mask, SecretConfig};
use crate::vault::name::{EnvironmentName, SecretName, StepName};

/// A setting that is looser now.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum Loosened {
    Default {
        from: Option<EnvironmentName>,
        to: Option<EnvironmentName>,
    },
    AllowedName(SecretName),
    ConfirmDropped(EnvironmentName),
    /// A changed variable, which may be looser in a way that only the program knows.
    Variable(VariableDifference),
    /// A setting of one secret.
    Secret(SecretName, LooserSecret),
    StepNames {
        step: StepName,
        names: BTreeSet<SecretName>,
    },
    FailOnLeakDropped(StepName),
}

/// A looser setting of a secret.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) enum LooserSecret {
    /// `set --generate` makes a different kind of value.
    GenerateChanged {
        from: Option<String>,
        to: Option<String>,
    },
    MaskNever,
    /// The value is no longer masked if it is short.
    MaskAlwaysDropped,
    RequiredDropped {
        environments: BTreeSet<EnvironmentName>,
    },
    MinLengthLowered {
        from: usize,
        to: usize,
    },
    /// The value was passed as a file in memory and is now passed as a variable.
    FileDropped,
}

/// Compares two configurations; `environments` are those that the vault has.
pub(in crate::review) fn loosened(
    before: &Config,
    now: &Config,
    environments: &BTreeSet<EnvironmentName>,
) -> Vec<Loosened> {
    let mut found = Vec::new();
    if before.default != now.default {
        found.push(Loosened::Default {
            from: before.default.clone(),
            to: now.default.clone(),
        });
    }
    let allowed: BTreeSet<&SecretName> = now.allowed_names.iter().collect();
    let added = allowed
        .into_iter()
        .filter(|name| !before.allowed_names.contains(name));
    found.extend(added.cloned().map(Loosened::AllowedName));
    for (name, old) in &before.environments {
        let now = now.environments.get(name).is_some_and(|now| now.confirm);
        if old.confirm && !now {
            found.push(Loosened::ConfirmDropped(name.clone()));
        }
    }
    found.extend(
        variables(before, now, environments)
            .into_iter()
            .map(Loosened::Variable),
    );
    let none = SecretConfig::default();
    let names: BTreeSet<&SecretName> = before.secrets.keys().chain(now.secrets.keys()).collect();
    for name in names {
        let old = before.secrets.get(name).unwrap_or(&none);
        let new = now.secrets.get(name).unwrap_or(&none);
        let settings = secret(old, new, environments).into_iter();
        found.extend(settings.map(|setting| Loosened::Secret(name.clone(), setting)));
    }
    found.extend(steps(before, now));
    found
}

fn secret(
    old: &SecretConfig,
    new: &SecretConfig,
    environments: &BTreeSet<EnvironmentName>,
) -> Vec<LooserSecret> {
    let mut found = Vec::new();
    match (old.mask, new.mask) {
        (Mask::Never, _) | (Mask::Auto, Mask::Auto) | (_, Mask::Always) => {}
        (_, Mask::Never) => found.push(LooserSecret::MaskNever),
        (Mask::Always, Mask::Auto) => found.push(LooserSecret::MaskAlwaysDropped),
    }
    let dropped: BTreeSet<EnvironmentName> = environments
        .iter()
        .filter(|name| old.required.holds_in(name) && !new.required.holds_in(name))
        .cloned()
        .collect();
    if !dropped.is_empty() {
        found.push(LooserSecret::RequiredDropped {
            environments: dropped,
        });
    }
    let (from, to) = (old.min_length.unwrap_or(0), new.min_length.unwrap_or(0));
    if to < from {
        found.push(LooserSecret::MinLengthLowered { from, to });
    }
    if old.generate != new.generate && old.generate.is_some() {
        let (from, to) = (old.generate.clone(), new.generate.clone());
        found.push(LooserSecret::GenerateChanged { from, to });
    }
    if old.file && !new.file {
        found.push(LooserSecret::FileDropped);
    }
    found
}

fn steps(before: &Config, now: &Config) -> Vec<Loosened> {
    let mut found = Vec::new();
    for (step, new) in &now.steps {
        let old = before.steps.get(step);
        let known = |name: &SecretName| old.is_some_and(|old| old.names.contains(name));
        let more: BTreeSet<SecretName> = new
            .names
            .iter()
            .filter(|name| !known(name))
            .cloned()
            .collect();
        if !more.is_empty() {
            found.push(Loosened::StepNames {
                step: step.clone(),
                names: more,
            });
        }
        if old.is_some_and(|old| old.fail_on_leak) && !new.fail_on_leak {
            found.push(Loosened::FailOnLeakDropped(step.clone()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::variables::VariableChange;
    use super::*;

    const BEFORE: &str = r#"
        default = "development"
        allowed_names = ["PYTHONWARNINGS"]
        [environments.base.variables]
        PLAIN = "1"
        [environments.production]
        confirm = true
        inherits = "base"
        [environments.production.variables]
        URL = "x:${PW}"
        [secrets.A]
        required = true
        generate = "django"
        min_length = 50
        mask = "always"
        file = true
        [secrets.B]
        required = ["production", "no name of any"]
        [steps.migrate]
        names = ["A", "URL"]
        fail_on_leak = true
    "#;

    fn reported(before: &str, now: &str) -> Vec<Loosened> {
        let environments = ["development", "production"].map(|name| name.parse().unwrap());
        let (before, now) = (Config::parse(before).unwrap(), Config::parse(now).unwrap());
        loosened(&before, &now, &environments.into())
    }

    fn name(name: &str) -> SecretName {
        name.parse().unwrap()
    }

    fn secret(of: &str, setting: LooserSecret) -> Loosened {
        Loosened::Secret(name(of), setting)
    }

    #[test]
    fn equal_or_stricter_settings_are_not_reported() {
        assert_eq!(reported(BEFORE, BEFORE), []);
        let looser = BEFORE
            .replace("50", "9")
            .replace("\"always\"", "\"never\"")
            .replace(", \"URL\"", "")
            .replace("${PW}", "$${PW}");
        let changed = reported(&looser, &BEFORE.replace("x:${PW}", "x"));
        assert!(matches!(
            changed[..],
            [Loosened::Variable(_), Loosened::StepNames { .. }]
        ));
        let strict = "[secrets.NEW]\nrequired = true\nmin_length = 9\nmask = \"always\"\n";
        assert_eq!(reported(BEFORE, &format!("{BEFORE}\n{strict}")), []);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table with a row for each setting")]
    fn each_loosened_setting_is_reported_separately() {
        let production: EnvironmentName = "production".parse().unwrap();
        let development: EnvironmentName = "development".parse().unwrap();
        let migrate: StepName = "migrate".parse().unwrap();
        let refers = |environment: &EnvironmentName, variable: &str, secret: &str| {
            let (environment, variable) = (environment.clone(), name(variable));
            let (change, secrets) = (VariableChange::Changed, [name(secret)].into());
            Loosened::Variable(VariableDifference {
                environment,
                variable,
                change,
                secrets,
            })
        };
        let cases = [
            (
                "default = \"development\"",
                "default = \"production\"",
                Loosened::Default {
                    from: Some(development.clone()),
                    to: Some(production.clone()),
                },
            ),
            (
                "NINGS\"",
                "NINGS\", \"PATH\"",
                Loosened::AllowedName(name("PATH")),
            ),
            (
                "confirm = true",
                "",
                Loosened::ConfirmDropped(production.clone()),
            ),
            ("x:${PW}", "evil:${PW}", refers(&production, "URL", "PW")),
            (
                "x:${PW}",
                "x:${OTHER|url}",
                refers(&production, "URL", "OTHER"),
            ),
            ("\"1\"", "\"${PW}\"", refers(&production, "PLAIN", "PW")),
            (
                "\"always\"",
                "\"never\"",
                secret("A", LooserSecret::MaskNever),
            ),
            (
                "mask = \"always\"",
                "",
                secret("A", LooserSecret::MaskAlwaysDropped),
            ),
            (
                "required = true",
                "required = [\"production\"]",
                secret(
                    "A",
                    LooserSecret::RequiredDropped {
                        environments: [development].into(),
                    },
                ),
            ),
            (
                "required = [\"production\", ",
                "required = [",
                secret(
                    "B",
                    LooserSecret::RequiredDropped {
                        environments: [production].into(),
                    },
                ),
            ),
            (
                "50",
                "49",
                secret("A", LooserSecret::MinLengthLowered { from: 50, to: 49 }),
            ),
            ("file = true", "", secret("A", LooserSecret::FileDropped)),
            (
                "\"django\"",
                "\"hex\"",
                secret(
                    "A",
                    LooserSecret::GenerateChanged {
                        from: Some("django".to_owned()),
                        to: Some("hex".to_owned()),
                    },
                ),
            ),
            (
                "[\"A\", \"URL\"]",
                "[\"A\", \"C\", \"URL\"]",
                Loosened::StepNames {
                    step: migrate.clone(),
                    names: [name("C")].into(),
                },
            ),
            (
                "fail_on_leak = true",
                "",
                Loosened::FailOnLeakDropped(migrate),
            ),
        ];
        for (from, to, expected) in cases {
            assert!(BEFORE.contains(from), "{from}");
            assert_eq!(reported(BEFORE, &BEFORE.replace(from, to)), [expected]);
        }
    }
}
