//! `vault remove`: replaces secrets with tombstones, so that merges keep them removed.

use crate::fault::{Fault, Kind};
use crate::session::apply::{Change, Outcome, apply};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::read::no_secret;
use crate::vault::config::Config;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::template::Template;

pub(crate) fn remove(
    context: &Context,
    key: CallerKey,
    names: &[SecretName],
    environment: Option<&EnvironmentName>,
) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let environment = session.environment(context, environment)?;
    check_all_exist(&session, &environment, names)?;
    let change = |name: &SecretName| Change {
        environment: environment.clone(),
        name: name.clone(),
        value: None,
    };
    let changes: Vec<Change> = names.iter().map(change).collect();
    let outcomes = apply(context, &mut session, &changes)?;
    for (name, outcome) in names.iter().zip(outcomes) {
        if let Outcome::Removed(revision) = outcome {
            context.console.note(format!(
                "removed {name} from {environment} (revision {revision})"
            ));
            mention_uses(context, &session.config, &environment, name);
        }
    }
    context
        .console
        .note("old values stay in git history: replace them at their source");
    Ok(())
}

/// Mentions the places in `vault.toml` that still name the secret: a command that needs it would not
/// start.
fn mention_uses(
    context: &Context,
    config: &Config,
    environment: &EnvironmentName,
    name: &SecretName,
) {
    let steps = config
        .steps
        .iter()
        .filter(|(_, step)| step.names.contains(name))
        .map(|(step, _)| format!("[steps.{step}]"));
    let refers = |text: &str, of: &SecretName| {
        Template::parse(of, text).is_ok_and(|template| template.references().any(|own| own == name))
    };
    let variables = config
        .variables(environment)
        .into_iter()
        .filter(|(of, text)| refers(text, of))
        .map(|(of, _)| format!("the variable {of}"));
    let required = config
        .secrets
        .get(name)
        .filter(|secret| secret.required.holds_in(environment))
        .map(|_| format!("[secrets.{name}] as required"));
    let uses: Vec<String> = steps.chain(variables).chain(required).collect();
    if !uses.is_empty() {
        context.console.note(format!(
            "vault.toml still names {name}: {}",
            uses.join(", ")
        ));
    }
}

fn check_all_exist(
    session: &Session,
    environment: &EnvironmentName,
    names: &[SecretName],
) -> Result<(), Fault> {
    let checked = session.vault.environment(environment)?;
    for name in names {
        let entry = session.vault.entry(checked, name)?;
        if entry.is_none_or(|entry| entry.content().sealed.is_none()) {
            return Err(no_secret(session, environment, name, Kind::Usage));
        }
    }
    Ok(())
}
