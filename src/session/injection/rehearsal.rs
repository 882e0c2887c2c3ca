//! The preparation of `exec` without its command.

use super::scope::{Selection, collect};
use crate::fault::Fault;
use crate::runner::{Inherit, Plan, Request};
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::release::Release;
use crate::vault::name::EnvironmentName;

/// Prepares a command that gets everything, but does not start it. Returns how many variables it
/// would get.
pub(crate) fn rehearse(
    context: &Context,
    session: &mut Session,
    environment: &EnvironmentName,
) -> Result<usize, Fault> {
    // Nothing is started, so no value leaves vault.
    let release = Release::withheld(environment);
    let injected = collect(context, session, &release, &Selection::All)?;
    let mut values = injected.values();
    let count = values.len();
    // A file may be longer than any variable.
    let is_file = |name: &str| {
        let mut files = session
            .config
            .secrets
            .iter()
            .filter(|(_, secret)| secret.file);
        files.any(|(own, _)| own.as_str() == name)
    };
    values.retain(|(name, _)| !is_file(name));
    Plan::new(Request {
        arguments: vec!["true".into()],
        parent: context.environ.clone(),
        values,
        keep: Vec::new(),
        inherit: Inherit::Everything,
    })?;
    Ok(count)
}
