//! `vault set`: sets a value from a prompt, standard input, a file, the generator, or a revision.

mod incoming;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use self::incoming::Incoming;
pub(crate) use self::incoming::{Empty, FinalNewline, Manner};
use crate::fault::Fault;
use crate::git::Repository;
use crate::secret::Secret;
use crate::session::apply::{Change, Outcome, apply};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::generate::{KINDS, generated};
use crate::session::open::Session;
use crate::session::release::{Release, listed};
use crate::session::repeated;
use crate::vault::holder::Holder;
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::store::{STORE_FOLDER, Tree, largest};
use crate::vault::trust::UnverifiedRoot;

/// The command line of `set`.
pub(crate) struct Set {
    pub(crate) names: Vec<String>,
    pub(crate) environments: Vec<EnvironmentName>,
    pub(crate) origin: Origin,
    pub(crate) manner: Manner,
}

/// The source of the value.
pub(crate) enum Origin {
    /// A prompt at a terminal, else standard input.
    Input,
    /// A file.
    File(PathBuf),
    /// The generator; without a kind, that of `vault.toml`.
    Generated(Option<String>),
    /// The value at a git revision.
    Revision(String),
}

pub(crate) fn set(context: &Context, key: CallerKey, command: &Set) -> Result<(), Fault> {
    let names = names(command)?;
    let mut session = Session::open(context, key)?;
    let mut environments = Vec::new();
    for named in &command.environments {
        environments.push(session.environment(context, Some(named))?);
    }
    if environments.is_empty() {
        environments.push(session.environment(context, None)?);
    }
    // Check that the value can be stored before anyone types it.
    for environment in &environments {
        session.vault.environment(environment)?;
        session.holder().check_writer(environment)?;
        names
            .iter()
            .try_for_each(|name| session.config.check_name(name))?;
    }
    let releases = releases(context, &session, command, &names, &environments)?;
    let mut changes = Vec::new();
    for name in &names {
        changes.extend(values(context, &session, command, name, &releases)?);
    }
    let outcomes = apply(context, &mut session, &changes)?;
    for (change, outcome) in changes.iter().zip(&outcomes) {
        report(context, change, *outcome);
    }
    repeated::mention(context, &session, &changes, &outcomes);
    Ok(())
}

/// Parses the names. A value among them is refused: it would be in the shell's history and in the
/// list of processes.
fn names(command: &Set) -> Result<Vec<SecretName>, Fault> {
    let [first, others @ ..] = command.names.as_slice() else {
        return Err(Fault::usage("no name was given").hint("name the secret: `vault set NAME`"));
    };
    if let Some((name, _)) = first.split_once('=') {
        let name: SecretName = name.parse()?;
        return Err(value_in_arguments(name.as_str()));
    }
    let first: SecretName = first.parse()?;
    let looks_like_name = |text: &String| {
        text.parse::<SecretName>().is_ok() && !text.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    if let ([kind], Origin::Generated(None)) = (others, &command.origin)
        && KINDS.contains(&kind.as_str())
    {
        return Err(Fault::usage("attach the kind with `=`")
            .hint(format!("write it as `vault set {first} --generate={kind}`")));
    }
    if !others.iter().all(looks_like_name) {
        return Err(value_in_arguments(first.as_str()));
    }
    let several = !others.is_empty() && !matches!(command.origin, Origin::Generated(_));
    if several && (matches!(command.origin, Origin::File(_)) || !io::stdin().is_terminal()) {
        return Err(value_in_arguments(first.as_str())
            .hint("for several names, use a terminal or `--generate`"));
    }
    let others = others.iter().map(|name| name.parse());
    std::iter::once(Ok(first)).chain(others).collect()
}

/// Refuses a value that was typed as an argument.
pub(crate) fn value_in_arguments(name: &str) -> Fault {
    Fault::usage("a value never comes from the command line, where others can see it")
        .hint(format!("type it at a prompt: `vault set {name}`"))
        .hint(format!("or pipe it: `vault set {name} < FILE`"))
}

/// Asks for the release of older values; other values do not leave their environment.
fn releases(
    context: &Context,
    session: &Session,
    command: &Set,
    names: &[SecretName],
    environments: &[EnvironmentName],
) -> Result<Vec<Release>, Fault> {
    let one = |environment: &EnvironmentName| match command.origin {
        Origin::Revision(_) => {
            let question = format!("set {} in {environment} to an older value?", listed(names));
            Release::ask(context, session, environment, &question)
        }
        _ => Ok(Release::withheld(environment)),
    };
    environments.iter().map(one).collect()
}

/// Returns one change per environment.
fn values(
    context: &Context,
    session: &Session,
    command: &Set,
    name: &SecretName,
    releases: &[Release],
) -> Result<Vec<Change>, Fault> {
    let environments: Vec<EnvironmentName> = releases
        .iter()
        .map(|release| release.environment().clone())
        .collect();
    let incoming = Incoming {
        console: context.console,
        session,
        manner: command.manner,
    };
    let mut values = Vec::new();
    for release in releases {
        let value = match &command.origin {
            Origin::Generated(kind) => generated(&session.config, name, kind.as_deref())?,
            Origin::Revision(revision) => at_revision(session, release, name, revision)?,
            // Read once, because every environment gets the same value.
            Origin::Input | Origin::File(_) if !values.is_empty() => continue,
            Origin::Input => incoming.typed_or_piped(name, &environments)?,
            Origin::File(path) => incoming.file(name, path, &environments)?,
        };
        values.push(value);
    }
    if let [value] = &values[..] {
        let copy = |_: &EnvironmentName| Secret::new(value.expose().to_vec());
        let copies: Vec<Secret> = environments[1..].iter().map(copy).collect();
        values.extend(copies);
    }
    for value in &values {
        let shortest = session
            .config
            .secrets
            .get(name)
            .and_then(|config| config.min_length);
        if let Some(shortest) = shortest.filter(|shortest| value.len() < *shortest) {
            let message = format!(
                "{name} has {} bytes, but vault.toml requires {shortest}",
                value.len()
            );
            return Err(Fault::usage(message).hint("use a longer value, or change `min_length`"));
        }
    }
    let change = |(value, environment): (Secret, EnvironmentName)| Change {
        environment,
        name: name.clone(),
        value: Some(value),
    };
    Ok(values.into_iter().zip(environments).map(change).collect())
}

/// Returns the value at `revision`, whose vault must be valid under this vault's id.
fn at_revision(
    session: &Session,
    release: &Release,
    name: &SecretName,
    revision: &str,
) -> Result<Secret, Fault> {
    let environment = release.environment();
    let repository = Repository::open(session.place.folder())?;
    let commit = repository.commit(revision)?;
    let files = repository.files(&repository.listing(&commit, STORE_FOLDER)?, largest)?;
    let own = session.vault.root().vault;
    let presented = UnverifiedRoot::read_if(Tree::Committed(files), |id| {
        let other = || Fault::refused(format!("the vault at {revision} is a different one"));
        (*id == own).then_some(()).ok_or_else(other)
    })?;
    let vault = presented.into_vault()?;
    let checked = vault.environment(environment)?;
    let entry = vault.entry(checked, name)?;
    let absent = || Fault::usage(format!("{environment} has no {name} at {revision}"));
    let entry = entry.ok_or_else(absent)?;
    let identity = &session.key.identity;
    let member = vault.member_with(&identity.recipient())?;
    let (own, member) = member.ok_or_else(|| {
        Fault::locked(format!(
            "your key belongs to no member of the vault at {revision}"
        ))
    })?;
    let holder = Holder::new(&vault, &own, &member, identity);
    let keys = holder.unlock(checked, [*entry.commitment()])?;
    keys.value(&entry)?.ok_or_else(absent)
}

fn report(context: &Context, change: &Change, outcome: Outcome) {
    let Change {
        name,
        environment,
        value,
    } = change;
    context.console.note(match outcome {
        Outcome::Unchanged => format!("unchanged: {name} in {environment} already has this value"),
        Outcome::Set(revision) => format!("set {name} in {environment} (revision {revision})"),
        Outcome::Changed(revision) => {
            format!("changed {name} in {environment} (revision {revision})")
        }
        Outcome::Removed(_) | Outcome::Absent => format!("removed {name} in {environment}"),
    });
    if value.as_ref().is_some_and(Secret::is_empty) {
        context
            .console
            .warn(format!("the value of {name} is empty"));
    }
}
