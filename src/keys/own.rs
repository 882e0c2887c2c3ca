//! The caller's own key: in the keyring, or in a file of theirs.
//!
//! The keyring is asked first if vault put the key there, and otherwise only without a key file. If it
//! cannot be reached, the files are next; if it holds an entry that cannot be used, that is an error.

use std::path::Path;

use super::exposure::Text;
use super::identity::{self, read_identity_file};
use super::keyring::{self, Absence, Keyring};
use super::{Source, protected};
use crate::crypto::{Identity, NativeKind};
use crate::fault::Fault;
use crate::secret::Secret;

/// Where a new identity was put.
pub enum Kept {
    /// In the keyring.
    Keyring,
    /// In `identity.txt`, because of this.
    File(Absence),
}

/// Reads the first of the caller's own sources that holds a key.
pub(super) fn find(path: &Path, keyring: &Keyring) -> Result<Option<(Source, Text)>, Fault> {
    let read = || keyring.read().map(in_keyring);
    let absence = if keyring::is_marked(path) {
        match read() {
            Ok(found) => return Ok(Some(found)),
            Err(absence) if absence.forbids_files() => return Err(absence.fault()),
            Err(absence) => Some(absence),
        }
    } else {
        None
    };
    if let Some(found) = in_file(path)? {
        return Ok(Some(found));
    }
    match absence {
        Some(absence) => Err(absence.fault()),
        None => match read() {
            Ok(found) => Ok(Some(found)),
            Err(absence) if absence.has_entry() => Err(absence.fault()),
            Err(_) => Ok(None),
        },
    }
}

fn in_keyring(text: Secret) -> (Source, Text) {
    (Source::Keyring, Text::unexposed(text))
}

/// The content of `identity.txt`, or else of `identity.age`.
fn in_file(path: &Path) -> Result<Option<(Source, Text)>, Fault> {
    for path in [path.to_owned(), protected::beside(path)] {
        if let Some(text) = read_identity_file(&path)? {
            return Ok(Some((Source::IdentityFile(path), Text::unexposed(text))));
        }
    }
    Ok(None)
}

/// Makes a new identity of this kind, and keeps it in the keyring, or in the file at `path` if the
/// keyring cannot take it. An entry or a file that exists is never replaced.
///
/// # Errors
/// If the keyring has another entry, or the file exists or cannot be made.
pub fn create(path: &Path, keyring: &Keyring, kind: NativeKind) -> Result<(Identity, Kept), Fault> {
    let identity = Identity::generate(kind);
    let text = identity::text(&[&identity]);
    match keyring.store(&text) {
        Ok(()) => {
            keyring::set_mark(path)?;
            Ok((identity, Kept::Keyring))
        }
        Err(absence) if absence.has_other_entry() => Err(absence.fault()),
        Err(absence) => {
            identity::write(path, &text)?;
            Ok((identity, Kept::File(absence)))
        }
    }
}
