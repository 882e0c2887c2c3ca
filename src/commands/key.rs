//! `vault key`: shows the public half of the caller's identity.

use serde_json::json;

use crate::fault::Fault;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::output::Style;

pub(crate) fn show(context: &Context, key: CallerKey, style: Style) -> Result<(), Fault> {
    let key = key.needed(context)?;
    if style == Style::Json {
        let credential = key.credential.map(|credential| {
            json!({
                "vault": credential.vault.to_string(),
                "environments": credential.environments,
            })
        });
        return context.console.json(json!({
            "recipient": key.identity.recipient().to_string(),
            "source": key.source.to_string(),
            "credential": credential,
        }));
    }
    context.console.line(key.identity.recipient())?;
    context.console.note(format!("from {}", key.source));
    if let Some(credential) = key.credential {
        context.console.note(format!(
            "it is a credential for {} of the vault {}",
            credential.environments.join(", "),
            credential.vault
        ));
    }
    Ok(())
}
