//! The file `identity.age`, which a passphrase protects, and the ways into it and out of it.
//!
//! A file is removed only after the other one was written, synced, and read back, so that a kill at
//! any moment leaves at least one of them whole. With both, the same command finishes.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::identity::{self, read_identity_file};
use super::{Source, parse};
use crate::crypto::{self, ProtectedError};
use crate::fault::Fault;
use crate::platform::{self, Dir};
use crate::secret::Secret;

/// How often a person may try to type the passphrase.
const ATTEMPTS: usize = 3;

/// Asks a person this question, and returns the answer.
pub type Ask<'a> = &'a mut dyn FnMut(&str) -> Result<Secret, Fault>;

/// `identity.age` next to `identity.txt`.
pub(super) fn beside(identity: &Path) -> PathBuf {
    identity.with_extension("age")
}

/// Opens the file `sealed` with the passphrase that a person types.
pub(super) fn open(sealed: &Secret, source: &Source, ask: Ask<'_>) -> Result<Secret, Fault> {
    crypto::check_protected(sealed.expose()).map_err(|error| refused(error, source))?;
    let mut question = format!("passphrase of {source}: ");
    for _ in 0..ATTEMPTS {
        let typed = ask(&question)?;
        let passphrase = std::str::from_utf8(typed.expose());
        match passphrase.map(|passphrase| crypto::unprotect(sealed.expose(), passphrase)) {
            Ok(Ok(text)) => return Ok(text),
            Err(_) | Ok(Err(ProtectedError::WrongPassphrase)) => {
                question = format!("wrong; passphrase of {source}: ");
            }
            Ok(Err(error)) => return Err(refused(error, source)),
        }
    }
    Err(refused(ProtectedError::WrongPassphrase, source))
}

fn refused(error: ProtectedError, source: &Source) -> Fault {
    let reason = match error {
        ProtectedError::WrongPassphrase => {
            return Fault::locked(format!("that is not the passphrase of {source}"));
        }
        ProtectedError::NoPassphrase => "is encrypted, but not with a passphrase alone",
        ProtectedError::TooMuchWork => {
            "demands more work to open than vault accepts (a work factor above 20)"
        }
        ProtectedError::Corrupt => "is damaged: it is not a whole age file",
    };
    Fault::locked(format!("the key from {source} {reason}"))
        .hint("restore it from your backup, or make one with `vault key protect`")
}

/// Puts `text` into the file `identity.age`, protected by the passphrase that `choose` returns, and
/// opens it again. If it exists, the passphrase is asked for, and it must have the same content.
/// `from` is where the text is from.
pub(super) fn seal(
    protected: &Path,
    text: &Secret,
    from: &Source,
    choose: &mut dyn FnMut(&Path) -> Result<Secret, Fault>,
    ask: Ask<'_>,
) -> Result<(), Fault> {
    if let Some(sealed) = read_identity_file(protected)? {
        let source = Source::IdentityFile(protected.to_owned());
        let opened = open(&sealed, &source, ask)?;
        return check_same(&opened, text, &from.to_string(), protected);
    }
    let passphrase = choose(protected)?;
    let typed = std::str::from_utf8(passphrase.expose())
        .map_err(|_| Fault::usage("the passphrase is not UTF-8 text"))?;
    let sealed = Secret::new(crypto::protect(text, typed));
    let written = put(protected, &sealed)?;
    let opened = crypto::unprotect(written.expose(), typed);
    if opened.is_ok_and(|opened| opened.same_as(text)) {
        Ok(())
    } else {
        Err(changed(protected))
    }
}

/// Puts the content of `identity.age` into `identity.txt`, and removes `identity.age`. If both
/// exist, they must have the same content.
///
/// # Errors
/// Fails without an `identity.age` that the passphrase opens, or if the disk fails.
pub fn unprotect(identity: &Path, ask: Ask<'_>) -> Result<(), Fault> {
    let protected = beside(identity);
    let Some(sealed) = read_identity_file(&protected)? else {
        return Err(match fs::symlink_metadata(identity) {
            Ok(_) => Fault::usage(format!(
                "your key in {} has no passphrase",
                identity.display()
            )),
            Err(_) => Fault::locked(format!(
                "could not find the key file {}",
                protected.display()
            )),
        });
    };
    check_only_name(&protected)?;
    let source = Source::IdentityFile(protected.clone());
    let text = open(&sealed, &source, ask)?;
    parse(&text, &source)?;
    match read_identity_file(identity)? {
        Some(plain) => check_same(&plain, &text, &identity.display().to_string(), &protected)?,
        None if !put(identity, &text)?.same_as(&text) => return Err(changed(identity)),
        None => {}
    }
    remove(&protected)
}

/// Checks that the file has no other name and is not a link. Otherwise removing it would not remove
/// the key.
pub(super) fn check_only_name(path: &Path) -> Result<(), Fault> {
    let found = fs::symlink_metadata(path).map_err(|error| unusable(path, error))?;
    if found.is_file() && found.nlink() == 1 {
        return Ok(());
    }
    Err(
        Fault::refused(format!("{} is a link, or has another name", path.display()))
            .hint("the key would stay in the other place; make it one ordinary file"),
    )
}

pub(super) fn check_same(
    one: &Secret,
    other: &Secret,
    first: &str,
    second: &Path,
) -> Result<(), Fault> {
    if one.same_as(other) {
        return Ok(());
    }
    let second = second.display();
    Err(
        Fault::refused(format!("{first} and {second} hold different keys"))
            .hint("vault uses the first; move one of them to another folder"),
    )
}

pub(super) fn changed(path: &Path) -> Fault {
    Fault::failed(format!(
        "{} does not read back as it was written; nothing was removed",
        path.display()
    ))
}

fn unusable(path: &Path, error: io::Error) -> Fault {
    Fault::failed(format!("could not use your key file {}", path.display())).because(error)
}

/// Writes the file as a whole, and returns what is in it then.
pub(super) fn put(path: &Path, content: &Secret) -> Result<Secret, Fault> {
    identity::write(path, content)?;
    read_identity_file(path)?.ok_or_else(|| changed(path))
}

/// Removes the file, and its copies that a killed process left.
pub(super) fn remove(path: &Path) -> Result<(), Fault> {
    let removed = || {
        let folder = folder(path)?;
        folder.remove(&name(path))?;
        folder.remove_unfinished(&name(path))?;
        folder.sync()
    };
    removed().map_err(|error| {
        Fault::failed(format!("could not remove {}", path.display())).because(error)
    })
}

fn folder(path: &Path) -> io::Result<Dir> {
    platform::private_dir(path.parent().unwrap_or(Path::new("/")))
}

fn name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}
