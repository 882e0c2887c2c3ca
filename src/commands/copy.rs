//! `vault copy`: copies secrets from one environment to another.

use crate::fault::{Fault, Kind};
use crate::session::apply::{Change, Outcome, apply};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::read::{self, Wanted};
use crate::session::release::{Release, listed};
use crate::vault::name::{EnvironmentName, SecretName};

pub(crate) fn copy(
    context: &Context,
    key: CallerKey,
    names: &[SecretName],
    from: &EnvironmentName,
    to: &EnvironmentName,
) -> Result<(), Fault> {
    if from == to {
        return Err(Fault::usage(format!("`--from` and `--to` are both {from}")));
    }
    let mut session = Session::open(context, key)?;
    // The credential must cover both environments.
    session.environment(context, Some(from))?;
    session.environment(context, Some(to))?;
    names
        .iter()
        .try_for_each(|name| session.config.check_name(name))?;
    let question = format!("copy {} from {from} to {to}?", listed(names));
    let release = Release::ask(context, &session, from, &question)?;
    let read = read::values(&mut session, &release, &Wanted::Names(names))?;
    read::warn(context, from, &read);
    for name in names {
        if !read.secrets.iter().any(|(found, _)| found == name) {
            return Err(read::no_secret(&session, from, name, Kind::Usage));
        }
    }
    let change = |(name, value)| Change {
        environment: to.clone(),
        name,
        value: Some(value),
    };
    let changes: Vec<Change> = read.secrets.into_iter().map(change).collect();
    let outcomes = apply(context, &mut session, &changes)?;
    for (change, outcome) in changes.iter().zip(outcomes) {
        let name = &change.name;
        context.console.note(match outcome {
            Outcome::Set(revision) | Outcome::Changed(revision) => {
                format!("copied {name} from {from} to {to} (revision {revision})")
            }
            _ => format!("unchanged: {name} in {to} already has this value"),
        });
    }
    Ok(())
}
