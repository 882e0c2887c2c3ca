//! `vault exec`: what the command gets, then the command itself.

mod inject;
mod placeholder;

use std::ffi::OsString;

use self::inject::injected;
use super::ci::unknown_step;
use crate::fault::Fault;
use crate::runner::{Inherit, Plan, Request, launch};
use crate::secret::Secret;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::open::Session;
use crate::vault::config::Config;
use crate::vault::name::{EnvironmentName, SecretName, StepName};

/// The command line of `exec`.
pub(crate) struct Exec {
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) step: Option<StepName>,
    pub(crate) only: Vec<SecretName>,
    pub(crate) keep: Vec<SecretName>,
    pub(crate) masking: Masking,
    pub(crate) if_locked: IfLocked,
    pub(crate) inherit: Inherit,
    pub(crate) answer: Answer,
    pub(crate) command: Vec<OsString>,
}

/// Whether the command's output is to be masked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    Wanted,
    Declined,
}

/// What happens where no source holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum IfLocked {
    // No help for each, as with `--color`: the option's own says it.
    Fail,
    Placeholder,
}

/// Becomes the command; returns only when that failed.
pub(crate) fn exec(context: &mut Context, command: Exec) -> Result<(), Fault> {
    let values = values(context, &command)?;
    let plan = Plan::new(Request {
        arguments: command.command,
        parent: std::mem::take(&mut context.environ),
        values,
        keep: command.keep.iter().map(ToString::to_string).collect(),
        inherit: command.inherit,
    })?;
    if !plan.shadowed.is_empty() {
        context.console.note(format!(
            "vault: set here and in the caller's environment, the vault wins: {}",
            plan.shadowed.join(", ")
        ));
    }
    if command.masking == Masking::Wanted {
        context.console.note("vault: output is not masked yet; --no-mask says that you know");
    }
    Err(launch(&plan, &context.hardened))
}

/// What is injected: from the vault, or placeholders where there is no key and they will do.
fn values(context: &mut Context, command: &Exec) -> Result<Vec<(String, Secret)>, Fault> {
    let place = context.place()?;
    let config = Context::config(&place)?;
    let key = match command.if_locked {
        IfLocked::Fail => context.needed_key()?,
        IfLocked::Placeholder => match context.key()? {
            Some(key) => key,
            None => return placeholder::values(context, &place, &config, command),
        },
    };
    let mut session = Session::open_with(context, place, config, key)?;
    let environment = session.environment(context, command.environment.as_ref())?;
    let wanted = wanted(&session.config, command)?;
    ask(context, &session, &environment, command.answer)?;
    let values = injected(context, &mut session, &environment, wanted.as_deref())?;
    session.remember(context)?;
    Ok(values)
}

/// The names asked for, or nothing where it is all that the caller may read.
fn wanted(config: &Config, command: &Exec) -> Result<Option<Vec<SecretName>>, Fault> {
    match &command.step {
        Some(step) => {
            let known = config.steps.get(step).ok_or_else(|| unknown_step(config, step))?;
            Ok(Some(known.names.clone()))
        }
        None => Ok(Some(command.only.clone()).filter(|names| !names.is_empty())),
    }
}

/// `confirm = true`: a person is asked before anything is decrypted; a credential never is.
fn ask(
    context: &Context,
    session: &Session,
    environment: &EnvironmentName,
    answer: Answer,
) -> Result<(), Fault> {
    let confirmed = session.config.environments.get(environment).is_some_and(|own| own.confirm);
    if !confirmed || session.key.credential.is_some() {
        return Ok(());
    }
    // Nobody is asked about an environment that is refused anyway.
    session.vault.environment(environment)?;
    confirm(context.console, &format!("run this with the secrets of {environment}?"), answer)
}
