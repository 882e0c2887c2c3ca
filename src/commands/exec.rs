//! `vault exec`: prepares the secrets, then runs the command.

mod leak;
mod masked;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use self::masked::Masked;
use crate::crypto::random_bytes;
use crate::fault::Fault;
use crate::platform;
use crate::runner::{Ending, Inherit, Output, Plan, Request, SecretFiles, launch, run};
use crate::secret::{Secret, StackDepth, with_wiped_stack};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::injection::{Injected, Typed, collect, placeholders, proxies};
use crate::session::open::Session;
use crate::session::reach::{IdentityVariables, Reach};
use crate::session::release::Release;
use crate::vault::config::Config;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::Place;

/// The command line of `exec`.
pub(crate) struct Exec {
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) names: Typed,
    pub(crate) keep: Vec<SecretName>,
    pub(crate) masking: Masking,
    pub(crate) leaks: Leaks,
    pub(crate) if_locked: IfLocked,
    pub(crate) inherit: Inherit,
    pub(crate) identity: IdentityVariables,
    pub(crate) command: Vec<OsString>,
}

/// Whether to mask the command's output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    Wanted,
    Declined,
}

/// The report about masked secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaks {
    /// No report.
    Ignored,
    /// A list of the masked secrets.
    Reported,
    /// The list, and failure even if the command succeeded.
    Fatal,
}

/// The behavior if no source holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum IfLocked {
    // Without help texts, as for `--color`: the help of the option explains them.
    Fail,
    Placeholder,
}

/// Runs the command and returns how it ended. If nothing needs to be masked, vault becomes the
/// command.
///
/// The context is consumed, because copies of the key in the caller's environment are wiped.
pub(crate) fn exec(
    mut context: Context,
    mut key: CallerKey,
    command: Exec,
) -> Result<Ending, Fault> {
    // The keys are dropped in there: a parent may run for weeks and must not hold a copy.
    let (config, leaks, (injected, reach)) = with_wiped_stack(stack_depth, || {
        let place = context.place_for_key(&mut key)?;
        let config = Context::config(&place)?;
        let leaks = leaks(&config, &command)?;
        let (config, injected, reach) = prepare(&context, key, place, config, &command)?;
        Ok((config, leaks, (injected, reach)))
    })?;
    let reach = reach.map(|reach| withhold(&mut context, &reach, &command));
    let mut values = injected.values();
    values.retain(|(name, _)| !proxies::is_kept(name, &command.keep, &context.environ));
    let files = files(&context, &config, &command, &values)?;
    for (name, value) in &mut values {
        *value = files
            .as_ref()
            .and_then(|files| files.path(name))
            .unwrap_or(value);
    }
    let plan = Plan::new(Request {
        arguments: command.command,
        parent: std::mem::take(&mut context.environ),
        values,
        keep: proxies::kept(&command.keep),
        inherit: command.inherit,
    })?;
    if !plan.shadowed.is_empty() {
        context.console.note(format!(
            "vault: overrides the caller's own values of {} (`--keep`)",
            plan.shadowed.join(", ")
        ));
    }
    reach
        .iter()
        .flatten()
        .for_each(|notice| context.console.note(notice));
    let masked = match command.masking {
        Masking::Wanted => Masked::choose(injected.secrets, &config),
        Masking::Declined => Masked::default(),
    };
    masked.warn(context.console);
    let output = match (masked.is_empty(), &files) {
        (true, None) => return Err(launch(&plan, &context.hardened)),
        (true, Some(_)) => Output::Untouched,
        (false, _) => Output::Filtered,
    };
    let done = run(&plan, &context.hardened, output, move |count| {
        masked.filters(count)
    })?;
    leak::judge(context.console, done, leaks)
}

/// How much of the stack may have been used. Memory that the kernel never mapped never held
/// anything, and touching it would cost a page fault for each page.
fn stack_depth() -> StackDepth {
    if platform::has_small_stack() {
        StackDepth::Small
    } else if platform::has_stack_below(StackDepth::USUAL) {
        StackDepth::Whole
    } else {
        StackDepth::Usual
    }
}

/// Removes variables that lead to the key from the caller's environment, and returns the notices.
fn withhold(context: &mut Context, reach: &Reach, command: &Exec) -> Vec<String> {
    let is_kept = |name: &OsStr| {
        command
            .keep
            .iter()
            .any(|keep| OsStr::new(keep.as_str()) == name)
    };
    let taken = reach.withhold(&mut context.environ, command.identity, &is_kept);
    let above = reach
        .notice(context)
        .map(|notice| format!("vault: {notice}"));
    let taken = (!taken.is_empty()).then(|| {
        let names = taken.join(", ");
        format!(
            "vault: withheld, because they can fetch the key again: {names} (`--keep-identity`)"
        )
    });
    above.into_iter().chain(taken).collect()
}

/// Writes the values that `vault.toml` wants as files, unless the caller's own values are kept.
fn files(
    context: &Context,
    config: &Config,
    command: &Exec,
    values: &[(&str, &Secret)],
) -> Result<Option<SecretFiles>, Fault> {
    let is_kept = |name: &SecretName| {
        command.keep.contains(name) && context.environ.iter().any(|(own, _)| own == name.as_str())
    };
    let wanted: BTreeSet<&str> = config
        .secrets
        .iter()
        .filter(|(name, secret)| secret.file && !is_kept(name))
        .flat_map(|(name, _)| proxies::spellings(name.as_str()))
        .collect();
    let files: Vec<(&str, &Secret)> = values
        .iter()
        .copied()
        .filter(|(name, _)| wanted.contains(name))
        .collect();
    if files.is_empty() {
        return Ok(None);
    }
    let runtime = context.variable("XDG_RUNTIME_DIR").map(OsStr::to_owned);
    let mut random = [0; 8];
    random_bytes(&mut random);
    SecretFiles::write(runtime, random, &files).map(Some)
}

/// Returns the setting of the options or of the step.
fn leaks(config: &Config, command: &Exec) -> Result<Leaks, Fault> {
    let step = command
        .names
        .step
        .as_ref()
        .and_then(|step| config.steps.get(step));
    match (step.is_some_and(|step| step.fail_on_leak), command.masking) {
        (true, Masking::Declined) => Err(Fault::usage(
            "this step has `fail_on_leak = true`, but `--no-mask` finds no leaks",
        )
        .hint("run it without `--no-mask`")),
        (true, Masking::Wanted) => Ok(Leaks::Fatal),
        (false, _) => Ok(command.leaks),
    }
}

/// Prepares the injected values, or placeholders if they are allowed and no key is found. With a
/// key, also returns how the command could reach it.
fn prepare(
    context: &Context,
    key: CallerKey,
    place: Place,
    config: Config,
    command: &Exec,
) -> Result<(Config, Injected, Option<Reach>), Fault> {
    let found = match (command.if_locked, key.read(context.console)?) {
        (_, Some(found)) => found,
        (IfLocked::Fail, None) => return Err(context.no_key()),
        (IfLocked::Placeholder, None) => {
            let named = command.environment.as_ref();
            let injected = placeholders(context, &place, &config, named, &command.names)?;
            return Ok((config, injected, None));
        }
    };
    let reach = Reach::look(context, &found);
    let mut session = Session::open_with(context, place, config, found)?;
    let environment = session.environment(context, command.environment.as_ref())?;
    let wanted = command.names.selection(&session.config)?;
    let question = format!("run this command with the secrets of {environment}?");
    let release = Release::ask(context, &session, &environment, &question)?;
    let injected = collect(context, &mut session, &release, &wanted)?;
    session.remember(context)?;
    Ok((session.config, injected, Some(reach)))
}
