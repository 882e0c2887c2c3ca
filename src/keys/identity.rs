//! The file `identity.txt`, which only its owner may read.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::file::{is_input, read_key_file};
use super::keyring::{self, Keyring};
use super::protected::{self, Ask};
use super::{LONGEST, Parsed, Source, parse};
use crate::crypto::{Identity, Recipient, is_age_file};
use crate::fault::Fault;
use crate::platform::{self, FileAccess};
use crate::secret::Secret;

/// The text of the file. Returns `None` if it does not exist.
pub(super) fn read_identity_file(path: &Path) -> Result<Option<Secret>, Fault> {
    let mut file = match platform::private_file(path.as_os_str()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => {
            let message = format!("your key file {} is refused", path.display());
            return Err(Fault::locked(message).because(error).hint(format!(
                "make it yours alone: `chmod 600 {}`",
                path.display()
            )));
        }
    };
    let text = Secret::read(&mut file, LONGEST);
    text.map(Some).map_err(|error| {
        Fault::locked(format!("could not read your key file {}", path.display())).because(error)
    })
}

/// Writes the file, readable by the owner alone. An existing file is never replaced.
pub(super) fn write(path: &Path, text: &Secret) -> Result<(), Fault> {
    let write = || {
        let folder = platform::private_dir(path.parent().unwrap_or(Path::new("/")))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        folder.create_whole(&name, text.expose(), FileAccess::Private)
    };
    write().map_err(|error| {
        Fault::failed(format!("could not make your key file {}", path.display())).because(error)
    })
}

/// Adds the identities in the file `from` (`-` is standard input) to the caller's own file, which is
/// made if there is none. Returns the recipients of those that were not there before.
///
/// # Errors
/// If a file cannot be read or written, `from` holds no identity or a credential, or the caller's own
/// file is protected by a passphrase.
pub fn import(
    from: &OsStr,
    path: &Path,
    keyring: &Keyring,
    ask: Ask<'_>,
) -> Result<Vec<Recipient>, Fault> {
    if keyring::is_marked(path) {
        return Err(in_keyring());
    }
    let source = Source::IdentityFile(if is_input(from) {
        "standard input".into()
    } else {
        from.into()
    });
    let mut given = read_key_file(from, "FILE")?.key;
    if is_age_file(given.expose()) {
        given = protected::open(&given, &source, ask)?;
    }
    let Parsed::Identities(given) = parse(&given, &source)? else {
        return Err(
            Fault::usage("a credential is a machine's key, and it is not added to yours")
                .hint("keep it where the machine finds it: `VAULT_KEY`, or `VAULT_KEY_FILE`"),
        );
    };
    let sealed = protected::beside(path);
    let own = match read_identity_file(path)? {
        Some(own) => own,
        None if fs::symlink_metadata(&sealed).is_ok() => return Err(encrypted(&sealed)),
        None => {
            match keyring.absence() {
                None => return Err(in_keyring()),
                // A file would take its place.
                Some(absence) if absence.has_entry() => return Err(absence.fault()),
                Some(_) => {}
            }
            let given = distinct(&given, &[]);
            write(path, &text(&given))?;
            return Ok(given.iter().map(|identity| identity.recipient()).collect());
        }
    };
    if is_age_file(own.expose()) {
        return Err(encrypted(path));
    }
    let Parsed::Identities(own) = parse(&own, &Source::IdentityFile(path.to_owned()))? else {
        return Err(Fault::usage(format!(
            "{} holds a credential, which is a machine's key",
            path.display()
        ))
        .hint("move it to another place, and name that in VAULT_KEY_FILE"));
    };
    let new = distinct(&given, &own);
    if !new.is_empty() {
        add(path, &new)?;
    }
    Ok(new.iter().map(|identity| identity.recipient()).collect())
}

/// Those of `given` that are not in `own`, each once.
fn distinct<'a>(given: &'a [Identity], own: &[Identity]) -> Vec<&'a Identity> {
    let mut new: Vec<&Identity> = Vec::new();
    for identity in given {
        let mut known = own.iter().chain(new.iter().copied());
        if known.all(|known| known.recipient() != identity.recipient()) {
            new.push(identity);
        }
    }
    new
}

fn in_keyring() -> Fault {
    Fault::usage("your key is in the keyring, and no other can be added to it there").hint(
        "add it in a file: `vault key move --to file`, and later `vault key move --to keyring`",
    )
}

fn encrypted(path: &Path) -> Fault {
    Fault::usage(format!("{} is encrypted", path.display()))
        .hint("take the passphrase off first: `vault key unprotect`")
}

/// Adds identities to the file at `path`, after those that it holds already.
///
/// # Errors
/// If the file cannot be read or replaced, or is encrypted. Its old content is kept then.
pub fn add(path: &Path, identities: &[&Identity]) -> Result<(), Fault> {
    let failed = |error: io::Error| {
        Fault::failed(format!("could not change your key file {}", path.display())).because(error)
    };
    // A symbolic link stays one.
    let place = path.canonicalize().map_err(failed)?;
    let folder = platform::private_dir(place.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    let lock = folder.try_lock().map_err(failed)?;
    let lock = lock.ok_or_else(|| failed(io::ErrorKind::ResourceBusy.into()))?;
    let old = read_identity_file(&place)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    if is_age_file(old.expose()) {
        return Err(encrypted(path));
    }
    let added = text(identities);
    let mut whole = Secret::with_capacity(old.len() + 1 + added.len());
    whole.extend(old.expose());
    if !old.expose().ends_with(b"\n") {
        whole.extend(b"\n");
    }
    whole.extend(added.expose());
    parse(&whole, &Source::IdentityFile(path.to_owned()))?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    folder
        .replace_whole(&lock, &name, whole.expose(), FileAccess::Private)
        .map_err(failed)
}

/// What `age-keygen` writes, so that age tools can use the file too.
pub(super) fn text(identities: &[&Identity]) -> Secret {
    let mut text = Secret::with_capacity(4096 * identities.len());
    for identity in identities {
        let recipient = identity.recipient();
        text.extend(format!("# made by vault\n# public key: {recipient}\n").as_bytes());
        text.extend(identity.to_text().expose());
        text.extend(b"\n");
    }
    text
}
