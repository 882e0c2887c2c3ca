//! `vault remove`: tombstones, so that other branches learn of it.

use crate::fault::{Fault, Kind};
use crate::session::apply::{Change, Outcome, apply};
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::read::no_secret;
use crate::vault::name::{EnvironmentName, SecretName};

pub(crate) fn remove(
    context: &mut Context,
    names: &[SecretName],
    environment: Option<&EnvironmentName>,
) -> Result<(), Fault> {
    let mut session = Session::open(context)?;
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
            context
                .console
                .note(format!("removed {name} from {environment} (revision {revision})"));
        }
    }
    context.console.note("old values stay in git history: change them where they are used");
    Ok(())
}

fn check_all_exist(
    session: &Session,
    environment: &EnvironmentName,
    names: &[SecretName],
) -> Result<(), Fault> {
    let checked = session.vault.environment(environment)?;
    for name in names {
        let entry = session.vault.entry(&checked, name)?;
        if entry.is_none_or(|entry| entry.content().sealed.is_none()) {
            return Err(no_secret(session, environment, name, Kind::Usage));
        }
    }
    Ok(())
}
