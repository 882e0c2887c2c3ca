//! The caller as a person: a name, and an identity, which is made if there is none.

use super::caller_key::CallerKey;
use super::context::Context;
use crate::crypto::{Identity, NativeKind};
use crate::fault::Fault;
use crate::keys::{Found, Kept, create_identity, is_key};
use crate::vault::name::MemberName;

/// The name that was typed, or the caller's login name made a legal one.
pub(crate) fn name(context: &Context, typed: Option<MemberName>) -> Result<MemberName, Fault> {
    if let Some(name) = typed {
        return Ok(name);
    }
    let variable = context
        .variable("USER")
        .or_else(|| context.variable("LOGNAME"));
    let lower = variable
        .map(|login| login.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    // A name is written to a file, and a key put there by mistake would be, too.
    let login = if is_key(&lower) { String::new() } else { lower };
    let replaced: String = login
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(63)
        .collect();
    let legal = replaced.trim_matches(|c: char| !c.is_ascii_lowercase());
    let name = if legal.is_empty() { "admin" } else { legal };
    name.parse()
        .map_err(|fault: Fault| fault.hint("choose one: `--name NAME`"))
}

/// The key that the caller has, if any. A machine's is refused: `reason` says what it cannot do.
pub(crate) fn own_key(
    context: &Context,
    key: CallerKey,
    reason: &str,
) -> Result<Option<Found>, Fault> {
    match key.read(context.console)? {
        Some(Found {
            credential: Some(_),
            ..
        }) => Err(Fault::usage(format!(
            "a credential is a machine's key, and a machine {reason}"
        ))
        .hint("unset VAULT_KEY and try again")),
        found => Ok(found),
    }
}

/// Makes an identity of this kind, and keeps it in the keyring, or else in `identity.txt`.
pub(crate) fn make_identity(context: &Context, kind: NativeKind) -> Result<Identity, Fault> {
    let path = context.identity_path().ok_or_else(|| {
        Fault::usage("HOME is not set, so your key cannot be stored")
            .hint("name a file that holds an age identity: `--key-file PATH`")
    })?;
    let (identity, kept) = create_identity(&path, &context.keyring(), kind)?;
    let path = path.display();
    context.console.note(match kept {
        Kept::Keyring => format!("made your key: it is in the keyring ({IN_KEYRING})"),
        Kept::File(absence) if absence.is_surprising() => format!(
            "made your key: {path} (back it up; it is not in the repository, and not in the keyring: \
             {absence})"
        ),
        Kept::File(_) => {
            format!("made your key: {path} (back it up; it is not in the repository)")
        }
    });
    Ok(identity)
}

/// What to know about a key that is in the keyring.
pub(crate) const IN_KEYRING: &str =
    "if the keyring is lost, so is the key: keep a recovery key, or a second admin";
