//! The sources that are named, to explain why a key was found or not. Reads no key and runs
//! nothing, and never shows what may be a key.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::{DefaultKey, Sources, is_key, keyring, protected};
use crate::secret::Secret;

/// The caller's setting of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// Nothing.
    No,
    /// A variable with nothing in it, which counts as none.
    Empty,
    /// A file of the caller that is not there.
    Missing(String),
    /// A source that is not asked, for this reason.
    Unused(String),
    /// An SSH key that is there, but whose public half belongs to no member.
    Foreign(String),
    /// A path or a number, or `None` for a key or a command.
    Yes(Option<String>),
}

impl Sources {
    /// Every source, in the order in which they are tried.
    #[must_use]
    pub fn given(&self) -> [(&'static str, Given); 9] {
        let identity = self.identity.as_deref();
        let protected = identity.map(protected::beside);
        let number = self
            .key_fd
            .map(|number| Given::Yes(Some(number.to_string())));
        let command = self.command.as_deref();
        [
            ("--key-file", path(self.key_file.as_deref())),
            ("--key-fd", number.unwrap_or(Given::No)),
            ("VAULT_KEY_FILE", path(self.variable_file.as_deref())),
            (
                "VAULT_KEY",
                hidden(self.variable.as_ref().map(Secret::expose)),
            ),
            (
                "VAULT_KEY_COMMAND",
                hidden(command.map(OsStr::as_encoded_bytes)),
            ),
            ("keyring", self.given_keyring()),
            ("identity.txt", own_file(identity)),
            ("identity.age", own_file(protected.as_deref())),
            ("SSH key", self.ssh.as_ref().map_or(Given::No, default_key)),
        ]
    }

    fn given_keyring(&self) -> Given {
        let Some(identity) = &self.identity else {
            return Given::No;
        };
        let has_file = [identity.clone(), protected::beside(identity)]
            .iter()
            .any(|path| path.symlink_metadata().is_ok());
        match self.keyring.check() {
            Err(absence) => Given::Unused(absence.to_string()),
            Ok(()) if has_file && !keyring::is_marked(identity) => {
                Given::Unused("not asked, because your key is in a file".to_owned())
            }
            Ok(()) => Given::Yes(None),
        }
    }
}

fn path(given: Option<&OsStr>) -> Given {
    match given {
        None => Given::No,
        Some(path) if path.is_empty() => Given::Empty,
        Some(path) if is_key(&path.to_string_lossy()) => Given::Yes(None),
        Some(path) => Given::Yes(Some(path.display().to_string())),
    }
}

/// A file that is used only if it is there. What cannot be looked at is left to the reader.
fn own_file(given: Option<&Path>) -> Given {
    let is_missing = |path: &&Path| {
        path.symlink_metadata().is_err_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            )
        })
    };
    match given.filter(is_missing) {
        Some(missing) => Given::Missing(missing.display().to_string()),
        None => path(given.map(Path::as_os_str)),
    }
}

fn default_key(key: &DefaultKey) -> Given {
    match own_file(Some(&key.path)) {
        Given::Yes(Some(path)) if key.recipient().is_none() => Given::Foreign(path),
        given => given,
    }
}

fn hidden(given: Option<&[u8]>) -> Given {
    match given {
        None => Given::No,
        Some(text) if text.trim_ascii().is_empty() => Given::Empty,
        Some(_) => Given::Yes(None),
    }
}
