//! What `vault.toml` loosened.

use std::collections::BTreeSet;

use crate::review::compare::{Loosened, VariableChange, VariableDifference};
use crate::review::report::{Item, Level};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::CONFIG_FILE;

pub(in crate::review) fn loosened(found: &Loosened) -> Item {
    let item = |kind| Item::new(Level::Attention, kind, CONFIG_FILE).quote(CONFIG_FILE).text(": ");
    match found {
        Loosened::Default { from, to } => {
            let name = |name: &Option<EnvironmentName>| name.as_ref().map(ToString::to_string);
            let (from, to) = (name(from), name(to));
            let shown = |name: &Option<String>| name.clone().unwrap_or("none".to_owned());
            item("default-changed")
                .text("another default environment: ")
                .quote(shown(&from))
                .text(" → ")
                .quote(shown(&to))
                .detail("from", from)
                .detail("to", to)
        }
        Loosened::AllowedName(name) => item("name-allowed")
            .detail("name", name.as_str())
            .quote(name)
            .text(" is allowed, though it changes what a command executes"),
        Loosened::ConfirmDropped(environment) => item("confirm-dropped")
            .detail("environment", environment.as_str())
            .text("nobody is asked before a command gets ")
            .quote(environment),
        Loosened::Variable(difference) => variable(difference),
        Loosened::GenerateChanged { secret, from, to } => {
            let item = item("generate-changed").detail("name", secret.as_str());
            let shown = |kind: &Option<String>| kind.clone().unwrap_or("none".to_owned());
            item.quote(secret)
                .text(" is generated in another way: ")
                .quote(shown(from))
                .text(" → ")
                .quote(shown(to))
                .detail("from", from.clone())
                .detail("to", to.clone())
        }
        Loosened::MaskNever(name) => item("mask-never")
            .detail("name", name.as_str())
            .quote(name)
            .text(" is no longer masked in output"),
        Loosened::MaskAlwaysDropped(name) => item("mask-always-dropped")
            .detail("name", name.as_str())
            .quote(name)
            .text(" is no longer masked in output where it is short or a common word"),
        Loosened::RequiredDropped { secret, environments } => {
            let environments: Vec<&str> =
                environments.iter().map(EnvironmentName::as_str).collect();
            item("required-dropped")
                .detail("name", secret.as_str())
                .quote(secret)
                .text(" is no longer required in ")
                .quote(environments.join(", "))
                .detail("environments", environments)
        }
        Loosened::MinLengthLowered { secret, from, to } => item("min-length-lowered")
            .detail("name", secret.as_str())
            .detail("from", *from)
            .detail("to", *to)
            .quote(secret)
            .text(format!(" may be shorter (min_length {from} → {to})")),
        Loosened::FileDropped(name) => item("file-dropped")
            .detail("name", name.as_str())
            .quote(name)
            .text(" is given as a variable, no longer as a file in memory"),
        Loosened::StepNames { step, names } => item("step-names")
            .detail("step", step.as_str())
            .detail("names", list(names))
            .text("the step ")
            .quote(step)
            .text(" asks for more: ")
            .quote(list(names).join(", ")),
        Loosened::FailOnLeakDropped(step) => item("fail-on-leak-dropped")
            .detail("step", step.as_str())
            .text("the step ")
            .quote(step)
            .text(" no longer fails when its output has a secret"),
    }
}

/// That the file is another one, though nothing in it is looser.
pub(in crate::review) fn config_changed() -> Item {
    Item::new(Level::Change, "config-changed", CONFIG_FILE)
        .quote(CONFIG_FILE)
        .text(": changed; nothing in it protects less")
}

/// Never with the value, which may be a secret that somebody pasted there.
fn variable(difference: &VariableDifference) -> Item {
    let VariableDifference { environment, variable, change, secrets } = difference;
    let (kind, words) = match change {
        VariableChange::Added => ("variable-added", " is new"),
        VariableChange::Changed => ("variable-changed", " has another value"),
        VariableChange::Removed => ("variable-removed", " is gone"),
    };
    let kind = if secrets.is_empty() { kind } else { "variable-refers" };
    let item = Item::new(Level::Attention, kind, CONFIG_FILE)
        .quote(CONFIG_FILE)
        .detail("environment", environment.as_str())
        .detail("name", variable.as_str())
        .text(": the variable ")
        .quote(variable)
        .text(" of ")
        .quote(environment);
    if secrets.is_empty() {
        return item.text(words);
    }
    item.detail("secrets", list(secrets))
        .text(" is new or changed, and carries ")
        .quote(list(secrets).join(", "))
}

fn list(names: &BTreeSet<SecretName>) -> Vec<&str> {
    names.iter().map(SecretName::as_str).collect()
}
