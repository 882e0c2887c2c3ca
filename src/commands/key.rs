//! `vault key`: shows the public half of the caller's identity, moves it between the keyring and a
//! file, and protects its file with a passphrase.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::fault::{Fault, Kind};
use crate::keys;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::output::Style;
use crate::session::person::IN_KEYRING;
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
            "others": key.others.iter().map(|other| other.recipient().to_string()).collect::<Vec<_>>(),
            "source": key.source.to_string(),
            "credential": credential,
        }));
    }
    context.console.line(key.identity.recipient())?;
    context.console.note(format!("from {}", key.source));
    for other in &key.others {
        context
            .console
            .note(format!("in the same file: {}", other.recipient()));
    }
    if let Some(credential) = key.credential {
        context.console.note(format!(
            "it is a credential for {} of the vault {}",
            credential.environments.join(", "),
            credential.vault
        ));
    }
    Ok(())
}

/// Adds identities to the caller's key file.
pub(crate) fn import(context: &Context, from: &OsStr) -> Result<(), Fault> {
    let path = identity_path(context)?;
    let added = keys::import(from, &path, &context.keyring(), &mut passphrase)?;
    let console = context.console;
    for recipient in &added {
        console.line(recipient)?;
    }
    let path = path.display();
    match added.len() {
        0 => console.note(format!("{path} has these keys already")),
        1 => console.note(format!("added this key to {path}, as the last one")),
        number => console.note(format!(
            "added these {number} keys to {path}, as the last ones"
        )),
    }
    Ok(())
}

/// Moves the caller's key from its file to the keyring.
pub(crate) fn to_keyring(context: &Context) -> Result<(), Fault> {
    let path = identity_path(context)?;
    keys::to_keyring(&path, &context.keyring(), &mut passphrase)?;
    context
        .console
        .note(format!("your key is now in the keyring; {IN_KEYRING}"));
    Ok(())
}

/// Moves the caller's key to a file without a passphrase.
pub(crate) fn to_file(context: &Context) -> Result<(), Fault> {
    let path = identity_path(context)?;
    keys::to_file(&path, &context.keyring(), &mut passphrase)?;
    without_passphrase(context, &path);
    Ok(())
}

/// Protects the caller's key with a passphrase.
pub(crate) fn protect(context: &Context) -> Result<(), Fault> {
    let path = keys::protect(
        &identity_path(context)?,
        &context.keyring(),
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
    without_passphrase(context, &path);
    Ok(())
}

fn without_passphrase(context: &Context, path: &Path) {
    context.console.note(format!(
        "your key is now in {}, without a passphrase",
        path.display()
    ));
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
