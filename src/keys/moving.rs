//! The ways of the caller's key between the keyring, `identity.txt`, and `identity.age`.
//!
//! A copy is removed only after the other one was made and read back, so that a kill at any moment
//! leaves at least one of them whole. With both, the same command finishes.

use std::fs;
use std::path::{Path, PathBuf};

use super::identity::read_identity_file;
use super::keyring::{self, Absence, Keyring};
use super::protected::{self, Ask, check_only_name, check_same};
use super::ssh::is_ssh;
use super::{Source, parse};
use crate::crypto::is_age_file;
use crate::fault::Fault;
use crate::secret::Secret;

/// Puts the content of `identity.txt` or `identity.age` into the keyring, and removes these files.
///
/// # Errors
/// Fails without such a file that contains a key, without a keyring, and if it has another entry.
pub fn to_keyring(identity: &Path, keyring: &Keyring, ask: Ask<'_>) -> Result<(), Fault> {
    let protected = protected::beside(identity);
    let plain = read_identity_file(identity)?;
    let sealed = read_identity_file(&protected)?;
    let source = Source::IdentityFile(protected.clone());
    let opened = sealed.map(|sealed| protected::open(&sealed, &source, ask));
    let (text, source) = match (plain, opened.transpose()?) {
        (Some(plain), opened) => {
            if let Some(opened) = opened {
                check_same(&opened, &plain, &identity.display().to_string(), &protected)?;
            }
            (plain, Source::IdentityFile(identity.to_owned()))
        }
        (None, Some(opened)) => (opened, source),
        (None, None) => {
            return Err(match keyring.read() {
                Ok(_) => Fault::usage("your key is already in the keyring"),
                Err(absence) if absence.has_entry() => absence.fault(),
                Err(_) => missing(identity),
            });
        }
    };
    check_movable(&text, &source, &protected)?;
    let files: Vec<&Path> = [identity, &protected]
        .into_iter()
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .collect();
    files.iter().try_for_each(|path| check_only_name(path))?;
    keyring
        .store(&text)
        .map_err(|absence| not_moved(&absence))?;
    keyring::set_mark(identity)?;
    files.iter().try_for_each(|path| protected::remove(path))
}

/// Puts the content of the keyring's entry into `identity.txt`, and removes the entry. If the key is
/// in `identity.age`, takes the passphrase off it.
///
/// # Errors
/// Fails if the key is in neither of them, or if the disk or the keyring fails.
pub fn to_file(identity: &Path, keyring: &Keyring, ask: Ask<'_>) -> Result<(), Fault> {
    let Some(text) = entry(identity, keyring)? else {
        let is_plain = fs::symlink_metadata(identity).is_ok();
        if is_plain && fs::symlink_metadata(protected::beside(identity)).is_err() {
            let message = format!("your key is already in {}", identity.display());
            return Err(Fault::usage(message));
        }
        return protected::unprotect(identity, ask);
    };
    match read_identity_file(identity)? {
        Some(plain) => check_same(&plain, &text, &Source::Keyring.to_string(), identity)?,
        None if !protected::put(identity, &text)?.same_as(&text) => {
            return Err(protected::changed(identity));
        }
        None => {}
    }
    remove_entry(identity, keyring, &text)?;
    if fs::symlink_metadata(protected::beside(identity)).is_ok() {
        return protected::unprotect(identity, ask);
    }
    Ok(())
}

/// Puts the key from the keyring or from `identity.txt` into `identity.age`, protected by the
/// passphrase that `choose` returns, and removes the other copies. If `identity.age` exists, the
/// passphrase is asked for, and it must have the same content. Returns the path of `identity.age`.
///
/// # Errors
/// Fails without such a key, or if the disk or the keyring fails.
pub fn protect(
    identity: &Path,
    keyring: &Keyring,
    choose: &mut dyn FnMut(&Path) -> Result<Secret, Fault>,
    ask: Ask<'_>,
) -> Result<PathBuf, Fault> {
    let protected = protected::beside(identity);
    let plain = read_identity_file(identity)?;
    let held = entry(identity, keyring)?;
    let (text, source) = match (&plain, &held) {
        (Some(plain), Some(held)) => {
            check_same(plain, held, &Source::Keyring.to_string(), identity)?;
            (plain, Source::IdentityFile(identity.to_owned()))
        }
        (Some(plain), None) => (plain, Source::IdentityFile(identity.to_owned())),
        (None, Some(held)) => (held, Source::Keyring),
        (None, None) => {
            return Err(match fs::symlink_metadata(&protected) {
                Ok(_) => Fault::usage(format!("your key is already in {}", protected.display())),
                Err(_) => missing(identity),
            });
        }
    };
    if plain.is_some() {
        check_only_name(identity)?;
    }
    check_movable(text, &source, &protected)?;
    protected::seal(&protected, text, &source, choose, ask)?;
    if plain.is_some() {
        protected::remove(identity)?;
    }
    if held.is_some() {
        remove_entry(identity, keyring, text)?;
    }
    Ok(protected)
}

/// Checks that the text is a key that vault may write elsewhere.
fn check_movable(text: &Secret, source: &Source, protected: &Path) -> Result<(), Fault> {
    if is_age_file(text.expose()) {
        let message = format!("{source} is encrypted already");
        return Err(Fault::usage(message).hint(format!("rename it to {}", protected.display())));
    }
    if is_ssh(text) {
        let message = format!("{source} is an SSH key, which vault never writes");
        return Err(Fault::usage(message).hint("give it a passphrase: `ssh-keygen -p -f FILE`"));
    }
    parse(text, source).map(drop)
}

/// Returns the text of the keyring's entry, if vault put it there or the key is in no file.
fn entry(identity: &Path, keyring: &Keyring) -> Result<Option<Secret>, Fault> {
    let has_file = [identity.to_owned(), protected::beside(identity)]
        .iter()
        .any(|path| fs::symlink_metadata(path).is_ok());
    let is_marked = keyring::is_marked(identity);
    if has_file && !is_marked {
        return Ok(None);
    }
    match keyring.read() {
        Ok(text) => {
            parse(&text, &Source::Keyring)?;
            Ok(Some(text))
        }
        // The entry was removed, and the mark was not.
        Err(Absence::Empty) if has_file => {
            keyring::remove_mark(identity)?;
            Ok(None)
        }
        Err(absence) if is_marked || absence.has_entry() => Err(absence.fault()),
        Err(_) => Ok(None),
    }
}

fn remove_entry(identity: &Path, keyring: &Keyring, text: &Secret) -> Result<(), Fault> {
    keyring.remove(text).map_err(|absence| {
        Fault::failed(format!(
            "could not remove the key from the keyring: {absence}"
        ))
        .hint("the other copy is made; run the same command again")
    })?;
    keyring::remove_mark(identity)
}

fn not_moved(absence: &Absence) -> Fault {
    Fault::failed(format!(
        "could not put your key into the keyring: {absence}"
    ))
    .hint("nothing was removed")
}

fn missing(identity: &Path) -> Fault {
    Fault::locked(format!(
        "could not find the key file {}",
        identity.display()
    ))
}
