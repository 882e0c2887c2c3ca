//! Small payloads sealed to one member with age (C2SP age).

use std::io::{Read, Write};

use super::identity::Identity;
use super::recipient::Recipient;
use crate::secret::Secret;

impl Recipient {
    /// An age file (binary, version 1) that only the holder of the identity can open.
    ///
    /// # Panics
    /// Never: writing to memory does not fail and one native recipient is always acceptable.
    #[must_use]
    pub fn seal(&self, payload: &Secret) -> Vec<u8> {
        let mut sealed = Vec::new();
        age::Encryptor::with_recipients(std::iter::once(self.age()))
            .map_err(std::io::Error::other)
            .and_then(|encryptor| encryptor.wrap_output(&mut sealed))
            .and_then(|mut writer| writer.write_all(payload.expose()).map(|()| writer))
            .and_then(age::stream::StreamWriter::finish)
            .expect("sealing to one recipient in memory does not fail");
        sealed
    }

    /// Whether an age file is sealed to one recipient of this kind and to no one else, by its header,
    /// which takes no key to read. Otherwise another recipient could be hidden in it.
    #[must_use]
    pub fn is_alone_in(&self, sealed: &[u8]) -> bool {
        let Some(header) = sealed.strip_prefix(VERSION) else {
            return false;
        };
        let mut kinds = Vec::new();
        for line in header.split(|byte| *byte == b'\n') {
            if line.starts_with(END) {
                return kinds == [self.stanza().as_bytes()];
            }
            if let Some(stanza) = line.strip_prefix(STANZA) {
                let kind = stanza
                    .split(|byte| *byte == b' ')
                    .next()
                    .unwrap_or_default();
                if !kind.ends_with(GREASE) {
                    kinds.push(kind);
                }
            }
        }
        false
    }
}

/// Why an age file did not open.
#[derive(Debug)]
pub enum UnsealError {
    /// It is sealed to another recipient.
    NotMine,
    /// It is not an intact age file.
    Corrupt,
    /// It is not sealed to exactly one recipient of the identity's kind.
    NotAlone,
}

/// The first line of an age file, and what its stanzas and the end of its header start with.
pub(super) const VERSION: &[u8] = b"age-encryption.org/v1\n";
pub(super) const STANZA: &[u8] = b"-> ";
pub(super) const END: &[u8] = b"---";
/// Stanzas whose type ends so mean nothing, and exist so that readers stay tolerant.
const GREASE: &[u8] = b"-grease";

/// Whether the header of an age file is there, from its first line to its last.
fn has_whole_header(sealed: &[u8]) -> bool {
    sealed.starts_with(VERSION)
        && sealed
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(END))
}

impl Identity {
    /// Opens an age file that is sealed to this identity.
    ///
    /// # Errors
    /// If it is sealed to another recipient, to several, or damaged.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Secret, UnsealError> {
        if has_whole_header(sealed) && !self.own().is_alone_in(sealed) {
            return Err(UnsealError::NotAlone);
        }
        let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| UnsealError::Corrupt)?;
        let decrypted = decryptor.decrypt(std::iter::once(self.age()));
        let mut reader = decrypted.map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => UnsealError::NotMine,
            _ => UnsealError::Corrupt,
        })?;
        let reader: &mut dyn Read = &mut reader;
        // The payload is always shorter than the file around it.
        Secret::read(reader, sealed.len()).map_err(|_| UnsealError::Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::super::identity::NativeKind;
    use super::*;

    const KINDS: [NativeKind; 2] = [NativeKind::Classic, NativeKind::Hybrid];

    #[test]
    fn sealed_value_opens_only_with_its_identity() {
        for kind in KINDS {
            let identity = Identity::generate(kind);
            let sealed = identity.recipient().seal(&Secret::new(b"payload".to_vec()));
            assert_eq!(identity.unseal(&sealed).unwrap().expose(), b"payload");
            let other = Identity::generate(kind);
            assert!(matches!(other.unseal(&sealed), Err(UnsealError::NotMine)));
            let cut = identity.unseal(&sealed[..40]);
            assert!(matches!(cut, Err(UnsealError::Corrupt)));
        }
    }

    #[test]
    fn file_for_two_recipients_is_refused_by_both() {
        for kind in KINDS {
            let [one, other] = [(); 2].map(|()| Identity::generate(kind));
            let both = [&one, &other].map(Identity::own);
            let keys = both.iter().map(|recipient| recipient.age());
            let mut sealed = Vec::new();
            let encryptor = age::Encryptor::with_recipients(keys).unwrap();
            let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
            writer.write_all(b"payload").unwrap();
            writer.finish().unwrap();
            for identity in [&one, &other] {
                assert!(!identity.own().is_alone_in(&sealed));
                let refused = identity.unseal(&sealed);
                assert!(matches!(refused, Err(UnsealError::NotAlone)));
            }
        }
    }

    #[test]
    fn stanza_of_another_kind_is_not_alone() {
        let [classic, hybrid] = KINDS.map(Identity::generate);
        for (one, other) in [(&classic, &hybrid), (&hybrid, &classic)] {
            let sealed = one.recipient().seal(&Secret::new(b"payload".to_vec()));
            assert!(one.recipient().is_alone_in(&sealed));
            assert!(!other.recipient().is_alone_in(&sealed));
            assert!(matches!(other.unseal(&sealed), Err(UnsealError::NotAlone)));
        }
    }
}
