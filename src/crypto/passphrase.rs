//! An age file that a passphrase opens (C2SP age, scrypt recipients).

use std::io::{Read, Write};

use age::secrecy::SecretString;

use super::envelope::{END, STANZA, VERSION};
use crate::secret::Secret;

/// The work factor of new files, as a power of two: about a second and 256 MiB.
const WORK: u8 = 18;
/// The highest accepted work factor: about four seconds and 1 GiB.
const MOST_WORK: u8 = 20;
/// The type of the stanza that is sealed to a passphrase.
const SCRYPT: &[u8] = b"scrypt";

/// Why a file that a passphrase protects did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectedError {
    /// Another passphrase protects it.
    WrongPassphrase,
    /// It is sealed to something else than one passphrase.
    NoPassphrase,
    /// It demands more work than is accepted.
    TooMuchWork,
    /// It is not an intact age file.
    Corrupt,
}

/// Whether these bytes are an age file, by their first line.
#[must_use]
pub fn is_age_file(bytes: &[u8]) -> bool {
    bytes.starts_with(VERSION)
}

/// An age file (binary, version 1) that only this passphrase opens.
///
/// # Panics
/// Never: writing to memory does not fail and one passphrase is always acceptable.
#[must_use]
pub fn protect(text: &Secret, passphrase: &str) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(WORK);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let mut sealed = Vec::new();
    age::Encryptor::with_recipients(recipients)
        .map_err(std::io::Error::other)
        .and_then(|encryptor| encryptor.wrap_output(&mut sealed))
        .and_then(|mut writer| writer.write_all(text.expose()).map(|()| writer))
        .and_then(age::stream::StreamWriter::finish)
        .expect("sealing to a passphrase in memory does not fail");
    sealed
}

/// Opens an age file with a passphrase.
///
/// # Errors
/// If another passphrase protects it, or for the reasons of [`check_protected`].
pub fn unprotect(sealed: &[u8], passphrase: &str) -> Result<Secret, ProtectedError> {
    check_protected(sealed)?;
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| ProtectedError::Corrupt)?;
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase));
    identity.set_max_work_factor(MOST_WORK);
    let identities = std::iter::once(&identity as &dyn age::Identity);
    let mut reader = decryptor.decrypt(identities).map_err(|error| match error {
        age::DecryptError::DecryptionFailed
        | age::DecryptError::KeyDecryptionFailed
        | age::DecryptError::NoMatchingKeys => ProtectedError::WrongPassphrase,
        age::DecryptError::ExcessiveWork { .. } => ProtectedError::TooMuchWork,
        _ => ProtectedError::Corrupt,
    })?;
    let reader: &mut dyn Read = &mut reader;
    // The text is always shorter than the file around it.
    Secret::read(reader, sealed.len()).map_err(|_| ProtectedError::Corrupt)
}

/// Checks, without any work, that one passphrase protects this file and that the work is accepted.
///
/// # Errors
/// If it is not so.
pub fn check_protected(sealed: &[u8]) -> Result<(), ProtectedError> {
    let header = sealed
        .strip_prefix(VERSION)
        .ok_or(ProtectedError::Corrupt)?;
    let mut stanzas = Vec::new();
    for line in header.split(|byte| *byte == b'\n') {
        if line.starts_with(END) {
            return match stanzas[..] {
                [stanza] => check_stanza(stanza),
                _ => Err(ProtectedError::NoPassphrase),
            };
        }
        stanzas.extend(line.strip_prefix(STANZA));
    }
    Err(ProtectedError::Corrupt)
}

/// `scrypt SALT WORK`.
fn check_stanza(stanza: &[u8]) -> Result<(), ProtectedError> {
    let words: Vec<&[u8]> = stanza.split(|byte| *byte == b' ').collect();
    let [SCRYPT, _salt, work] = words[..] else {
        return Err(ProtectedError::NoPassphrase);
    };
    if work.is_empty() || work[0] == b'0' || !work.iter().all(u8::is_ascii_digit) {
        return Err(ProtectedError::Corrupt);
    }
    let work = std::str::from_utf8(work)
        .ok()
        .and_then(|work| work.parse().ok());
    match work {
        Some(0..=MOST_WORK) => Ok(()),
        // Also a number that does not fit.
        _ => Err(ProtectedError::TooMuchWork),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(work: &str) -> Vec<u8> {
        format!("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA {work}\nbody\n--- mac\n")
            .into_bytes()
    }

    #[test]
    fn protected_text_opens_only_with_its_passphrase() {
        let sealed = protect(&Secret::new(b"payload".to_vec()), "correct horse");
        assert_eq!(
            unprotect(&sealed, "correct horse").unwrap().expose(),
            b"payload"
        );
        let wrong = unprotect(&sealed, "Correct horse").err().unwrap();
        assert_eq!(wrong, ProtectedError::WrongPassphrase);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        for damaged in [&sealed[..60], &sealed[..sealed.len() - 1], &changed] {
            let fault = unprotect(damaged, "correct horse").err().unwrap();
            assert_eq!(fault, ProtectedError::Corrupt);
        }
    }

    #[test]
    fn work_above_the_limit_is_refused_before_it_is_done() {
        for work in ["1", "18", "20"] {
            assert_eq!(check_protected(&header(work)), Ok(()), "{work}");
        }
        for work in ["21", "22", "63", "64", "255", "256", "99999999999999999999"] {
            let refused = Err(ProtectedError::TooMuchWork);
            assert_eq!(check_protected(&header(work)), refused, "{work}");
            assert_eq!(unprotect(&header(work), "x").err(), refused.err(), "{work}");
        }
        for work in ["", "0", "018", "+18", "1e1", "18 18"] {
            assert!(check_protected(&header(work)).is_err(), "{work}");
        }
    }

    #[test]
    fn file_for_a_recipient_has_no_passphrase() {
        let recipient =
            crate::crypto::Identity::generate(crate::crypto::NativeKind::Hybrid).recipient();
        let sealed = recipient.seal(&Secret::new(b"payload".to_vec()));
        let refused = Err(ProtectedError::NoPassphrase);
        assert_eq!(check_protected(&sealed), refused);
    }
}
