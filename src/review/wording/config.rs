//! What `vault.toml` loosened.

use std::collections::BTreeSet;

use crate::review::compare::{Loosened, VariableChange, VariableDifference};
use crate::review::report::{Item, Level};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::CONFIG_FILE;

pub(in crate::review) fn loosened(found: &Loosened) -> Item {
    let item = |kind| Item::new(Level::Attention, kind, CONFIG_FILE).quote(CONFIG_FILE).say(": ");
    match found {
        Loosened::Default { from, to } => {
            let name = |name: &Option<EnvironmentName>| name.as_ref().map(ToString::to_string);
            let (from, to) = (name(from), name(to));
            let shown = |name: &Option<String>| name.clone().unwrap_or("none".to_owned());
            let item = item("default-changed").say("another default environment: ");
            let item = item.quote(shown(&from)).say(" → ").quote(shown(&to));
            item.detail("from", from).detail("to", to)
        }
        Loosened::AllowedName(name) => {
            let item = item("name-allowed").detail("name", name.as_str()).quote(name);
            item.say(" is allowed, though it changes what a command executes")
        }
        Loosened::ConfirmDropped(environment) => {
            let item = item("confirm-dropped").detail("environment", environment.as_str());
            item.say("nobody is asked before a command gets ").quote(environment)
        }
        Loosened::Variable(difference) => variable(difference),
        Loosened::GenerateChanged { secret, from, to } => {
            let item = item("generate-changed").detail("name", secret.as_str());
            let shown = |kind: &Option<String>| kind.clone().unwrap_or("none".to_owned());
            let item = item.quote(secret).say(" is generated in another way: ");
            let item = item.quote(shown(from)).say(" → ").quote(shown(to));
            item.detail("from", from.clone()).detail("to", to.clone())
        }
        Loosened::MaskNever(name) => {
            let item = item("mask-never").detail("name", name.as_str()).quote(name);
            item.say(" is no longer masked in output")
        }
        Loosened::MaskAlwaysDropped(name) => {
            let item = item("mask-always-dropped").detail("name", name.as_str()).quote(name);
            item.say(" is no longer masked in output where it is short or a common word")
        }
        Loosened::RequiredDropped { secret, environments } => {
            let environments: Vec<&str> =
                environments.iter().map(EnvironmentName::as_str).collect();
            let item = item("required-dropped").detail("name", secret.as_str());
            let item = item.quote(secret).say(" is no longer required in ");
            item.quote(environments.join(", ")).detail("environments", environments)
        }
        Loosened::MinLengthLowered { secret, from, to } => {
            let item = item("min-length-lowered").detail("name", secret.as_str());
            let item = item.detail("from", *from).detail("to", *to).quote(secret);
            item.say(format!(" may be shorter (min_length {from} → {to})"))
        }
        Loosened::FileDropped(name) => {
            let item = item("file-dropped").detail("name", name.as_str()).quote(name);
            item.say(" is given as a variable, no longer as a file in memory")
        }
        Loosened::StepNames { step, names } => {
            let item = item("step-names").detail("step", step.as_str());
            let item = item.detail("names", list(names)).say("the step ").quote(step);
            item.say(" asks for more: ").quote(list(names).join(", "))
        }
        Loosened::FailOnLeakDropped(step) => {
            let item = item("fail-on-leak-dropped").detail("step", step.as_str());
            item.say("the step ").quote(step).say(" no longer fails when its output has a secret")
        }
    }
}

/// That the file is another one, though nothing in it is looser.
pub(in crate::review) fn config_changed() -> Item {
    let item = Item::new(Level::Change, "config-changed", CONFIG_FILE).quote(CONFIG_FILE);
    item.say(": changed; nothing in it protects less")
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
    let item = Item::new(Level::Attention, kind, CONFIG_FILE).quote(CONFIG_FILE);
    let item = item.detail("environment", environment.as_str()).detail("name", variable.as_str());
    let item = item.say(": the variable ").quote(variable).say(" of ").quote(environment);
    if secrets.is_empty() {
        return item.say(words);
    }
    let item = item.detail("secrets", list(secrets)).say(" is new or changed, and carries ");
    item.quote(list(secrets).join(", "))
}

fn list(names: &BTreeSet<SecretName>) -> Vec<&str> {
    names.iter().map(SecretName::as_str).collect()
}
