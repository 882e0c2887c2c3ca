//! `vault exec`: what the command gets, then the command itself.

mod inject;
mod leak;
mod masked;

use std::ffi::OsString;

use self::inject::injected;
use self::masked::Masked;
use super::ci::unknown_step;
use crate::fault::Fault;
use crate::runner::{Ending, Inherit, Plan, Request, launch, run};
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::open::Session;
use crate::vault::name::{EnvironmentName, SecretName, StepName};

/// The command line of `exec`.
pub(crate) struct Exec {
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) step: Option<StepName>,
    pub(crate) only: Vec<SecretName>,
    pub(crate) keep: Vec<SecretName>,
    pub(crate) masking: Masking,
    pub(crate) leaks: Leaks,
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

/// What is to be said of secrets that were masked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaks {
    /// Nothing.
    Ignored,
    /// Which they were.
    Reported,
    /// That too, and a command that succeeded has failed.
    Fatal,
}

/// Runs the command and says how it ended; becomes the command where nothing is to be masked.
pub(crate) fn exec(context: &mut Context, command: Exec) -> Result<Ending, Fault> {
    let mut session = Session::open(context)?;
    let environment = session.environment(context, command.environment.as_ref())?;
    let wanted = wanted(&session, &command)?;
    let leaks = leaks(&session, &command)?;
    ask(context, &session, &environment, command.answer)?;
    let injected = injected(context, &mut session, &environment, wanted)?;
    session.remember(context)?;
    let plan = Plan::new(Request {
        arguments: command.command,
        parent: std::mem::take(&mut context.environ),
        values: injected.values(),
        keep: command.keep.iter().map(ToString::to_string).collect(),
        inherit: command.inherit,
    })?;
    if !plan.shadowed.is_empty() {
        context.console.note(format!(
            "vault: set here and in the caller's environment, the vault wins: {}",
            plan.shadowed.join(", ")
        ));
    }
    let masked = match command.masking {
        Masking::Wanted => Masked::choose(&injected.secrets, &session.config),
        Masking::Declined => Masked::default(),
    };
    masked.warn(context.console);
    if masked.is_empty() {
        return Err(launch(&plan, &context.hardened));
    }
    let done = run(&plan, &context.hardened, |count| masked.filters(count))?;
    leak::judge(context.console, done, leaks)
}

/// What the options say, or the step.
fn leaks(session: &Session, command: &Exec) -> Result<Leaks, Fault> {
    let step = command.step.as_ref().and_then(|step| session.config.steps.get(step));
    match (step.is_some_and(|step| step.fail_on_leak), command.masking) {
        (true, Masking::Declined) => Err(Fault::usage(
            "this step has fail_on_leak = true, and with --no-mask no leak is found",
        )
        .hint("leave out --no-mask")),
        (true, Masking::Wanted) => Ok(Leaks::Fatal),
        (false, _) => Ok(command.leaks),
    }
}

/// The names asked for, or nothing where it is all that the caller may read.
fn wanted(session: &Session, command: &Exec) -> Result<Option<Vec<SecretName>>, Fault> {
    match &command.step {
        Some(step) => {
            let known = session.config.steps.get(step);
            let known = known.ok_or_else(|| unknown_step(&session.config, step))?;
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
