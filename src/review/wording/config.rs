//! Looser settings of `vault.toml`.

use std::collections::BTreeSet;

use crate::review::compare::{Loosened, LooserSecret, VariableChange, VariableDifference};
use crate::review::report::{Item, Level};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::CONFIG_FILE;

pub(in crate::review) fn loosened(found: &Loosened) -> Item {
    match found {
        Loosened::Default { from, to } => item("default-changed")
            .detail("from", from.as_ref().map(EnvironmentName::as_str))
            .detail("to", to.as_ref().map(EnvironmentName::as_str))
            .text("the default environment changed: ")
            .quote(from.as_ref().map_or("none", EnvironmentName::as_str))
            .text(" → ")
            .quote(to.as_ref().map_or("none", EnvironmentName::as_str)),
        Loosened::AllowedName(name) => item("name-allowed")
            .detail("name", name.as_str())
            .quote(name)
            .text(" is allowed, although it changes what a command executes"),
        Loosened::ConfirmDropped(environment) => item("confirm-dropped")
            .detail("environment", environment.as_str())
            .quote(environment)
            .text(" no longer asks a person before a command gets its secrets"),
        Loosened::Variable(difference) => variable(difference),
        Loosened::Secret(name, setting) => secret(name, setting),
        Loosened::StepNames { step, names } => item("step-names")
            .detail("step", step.as_str())
            .detail("names", list(names))
            .text("the step ")
            .quote(step)
            .text(" lists more names: ")
            .quote(list(names).join(", ")),
        Loosened::FailOnLeakDropped(step) => item("fail-on-leak-dropped")
            .detail("step", step.as_str())
            .text("the step ")
            .quote(step)
            .text(" no longer fails if its output contains a secret"),
    }
}

fn item(kind: &'static str) -> Item {
    Item::new(Level::Attention, kind, CONFIG_FILE)
        .quote(CONFIG_FILE)
        .text(": ")
}

fn secret(name: &SecretName, setting: &LooserSecret) -> Item {
    let item = |kind| item(kind).detail("name", name.as_str()).quote(name);
    match setting {
        LooserSecret::GenerateChanged { from, to } => item("generate-changed")
            .detail("from", from.clone())
            .detail("to", to.clone())
            .text(" is generated in a different way: ")
            .quote(from.as_deref().unwrap_or("none"))
            .text(" → ")
            .quote(to.as_deref().unwrap_or("none")),
        LooserSecret::MaskNever => item("mask-never").text(" is no longer masked in output"),
        LooserSecret::MaskAlwaysDropped => item("mask-always-dropped")
            .text(" is no longer masked in output if it is short or a common word"),
        LooserSecret::RequiredDropped { environments } => {
            let names: Vec<&str> = environments.iter().map(EnvironmentName::as_str).collect();
            item("required-dropped")
                .text(" is no longer required in ")
                .quote(names.join(", "))
                .detail("environments", names)
        }
        LooserSecret::MinLengthLowered { from, to } => item("min-length-lowered")
            .detail("from", *from)
            .detail("to", *to)
            .text(format!(" may be shorter (min_length {from} → {to})")),
        LooserSecret::FileDropped => {
            item("file-dropped").text(" is passed as a variable, and no longer as a file in memory")
        }
    }
}

/// Reports that the file changed although nothing in it is looser.
pub(in crate::review) fn config_changed() -> Item {
    Item::new(Level::Change, "config-changed", CONFIG_FILE)
        .quote(CONFIG_FILE)
        .text(": changed; nothing in it protects less")
}

/// Never shows the value, which may be a secret that someone pasted.
fn variable(difference: &VariableDifference) -> Item {
    let VariableDifference {
        environment,
        variable,
        change,
        secrets,
    } = difference;
    let (kind, words) = match change {
        _ if !secrets.is_empty() => ("variable-refers", " is new or changed, and refers to "),
        VariableChange::Added => ("variable-added", " is new"),
        VariableChange::Changed => ("variable-changed", " has a new value"),
        VariableChange::Removed => ("variable-removed", " was removed"),
    };
    let item = Item::new(Level::Attention, kind, CONFIG_FILE)
        .quote(CONFIG_FILE)
        .detail("environment", environment.as_str())
        .detail("name", variable.as_str())
        .text(": the variable ")
        .quote(variable)
        .text(" of ")
        .quote(environment)
        .text(words);
    if secrets.is_empty() {
        return item;
    }
    item.detail("secrets", list(secrets))
        .quote(list(secrets).join(", "))
}

fn list(names: &BTreeSet<SecretName>) -> Vec<&str> {
    names.iter().map(SecretName::as_str).collect()
}
