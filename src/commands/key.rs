//! `vault key`: shows the public half of the caller's identity, and protects its file with a
//! passphrase.

use std::path::PathBuf;

use serde_json::json;

use crate::fault::{Fault, Kind};
use crate::keys;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::output::Style;
use crate::session::prompt::{new_passphrase, passphrase};

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

/// Protects the caller's key file with a passphrase.
pub(crate) fn protect(context: &Context) -> Result<(), Fault> {
    let path = keys::protect(
        &identity_path(context)?,
        &mut new_passphrase,
        &mut passphrase,
    );
    let path = path.map_err(|fault| with_ssh_hint(context, fault))?;
    context.console.note(format!(
        "your key is now in {}; without the passphrase, it is lost",
        path.display()
    ));
    Ok(())
}

/// Takes the passphrase off the caller's key file.
pub(crate) fn unprotect(context: &Context) -> Result<(), Fault> {
    let path = identity_path(context)?;
    keys::unprotect(&path, &mut passphrase).map_err(|fault| with_ssh_hint(context, fault))?;
    context.console.note(format!(
        "your key is now in {}, without a passphrase",
        path.display()
    ));
    Ok(())
}

/// Says how else a passphrase is changed if the caller has no key file but perhaps an SSH key.
fn with_ssh_hint(context: &Context, fault: Fault) -> Fault {
    let ssh = context.home().map(|home| home.join(".ssh/id_ed25519"));
    match ssh.filter(|path| fault.kind() == Kind::Locked && path.exists()) {
        Some(path) => fault.hint(format!(
            "to change the passphrase of an SSH key: `ssh-keygen -p -f {}`",
            path.display()
        )),
        None => fault,
    }
}

fn identity_path(context: &Context) -> Result<PathBuf, Fault> {
    context
        .identity_path()
        .ok_or_else(|| Fault::usage("HOME is not set, so no key file can be found"))
}
