//! `vault key`: the caller's identity. Shows its public half only.

use crate::fault::Fault;
use crate::session::context::Context;

pub(crate) fn show(context: &mut Context) -> Result<(), Fault> {
    let key = context.needed_key()?;
    context.console.line(key.identity.recipient())?;
    context.console.note(format!("from {}", key.source));
    if let Some(credential) = key.credential {
        context.console.note(format!(
            "a credential for {} of the vault {}",
            credential.environments.join(", "),
            credential.vault
        ));
    }
    Ok(())
}
