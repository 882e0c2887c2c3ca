//! Small payloads sealed to one member with age (C2SP age, native X25519 recipients).

use std::fmt;
use std::io::{Read, Write};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use bech32::Hrp;
use bech32::primitives::decode::CheckedHrpstring;
use curve25519_dalek::montgomery::MontgomeryPoint;

use crate::secret::{Key, Secret};

const IDENTITY_PREFIX: Hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-");

/// The public half of an age key, `age1…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipient(age::x25519::Recipient);

/// The text is not a recipient (or not in its one spelling).
#[derive(Debug)]
pub struct NotARecipient;

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let recipient = text.parse().map(Self).map_err(|_| NotARecipient)?;
        if recipient.to_string() == text { Ok(recipient) } else { Err(NotARecipient) }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Recipient {
    /// Whether only one identity can open what is sealed to it. To a point of small order anybody
    /// could; age refuses to seal to one, and no identity has it. Asked of whoever is new, since it
    /// costs as much as opening.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let text = self.to_string();
        let Ok(decoded) = CheckedHrpstring::new::<bech32::Bech32>(&text) else { return false };
        let mut point = [0; 32];
        for (to, from) in point.iter_mut().zip(decoded.byte_iter()) {
            *to = from;
        }
        // Any clamped scalar is a multiple of 8, which is what makes these points vanish.
        MontgomeryPoint(point).mul_clamped([1; 32]) != MontgomeryPoint([0; 32])
    }

    /// An age file (binary, version 1) that only the holder of the identity can open.
    ///
    /// # Panics
    /// Never: writing to memory does not fail and one native recipient is always acceptable.
    #[must_use]
    pub fn seal(&self, payload: &Secret) -> Vec<u8> {
        let recipients = std::iter::once(&self.0 as &dyn age::Recipient);
        let mut sealed = Vec::new();
        age::Encryptor::with_recipients(recipients)
            .map_err(std::io::Error::other)
            .and_then(|encryptor| encryptor.wrap_output(&mut sealed))
            .and_then(|mut writer| writer.write_all(payload.expose()).map(|()| writer))
            .and_then(age::stream::StreamWriter::finish)
            .expect("sealing to one recipient in memory does not fail");
        sealed
    }
}

/// Why an age file did not open.
#[derive(Debug)]
pub enum UnsealError {
    /// It is sealed to somebody else.
    NotMine,
    /// It is not an intact age file.
    Corrupt,
}

/// The private half of an age key.
pub struct Identity {
    /// On the heap, so that an identity that is moved leaves no copy behind; age wipes it.
    identity: Box<age::x25519::Identity>,
    /// Known from the start: it is a multiplication on the curve, and every command asks for it
    /// several times.
    recipient: Recipient,
}

impl Identity {
    /// A new random identity.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(age::x25519::Identity::generate())
    }

    fn new(identity: age::x25519::Identity) -> Self {
        Self { recipient: Recipient(identity.to_public()), identity: Box::new(identity) }
    }

    /// Reads `AGE-SECRET-KEY-1…`, or nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::new)
    }

    /// `AGE-SECRET-KEY-1…`, for the file or the credential in which it is kept.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        Secret::new(self.identity.to_string().expose_secret().as_bytes().to_vec())
    }

    /// The identity made of these 32 bytes (the X25519 scalar that bech32 spells in text).
    ///
    /// # Panics
    /// Never: 32 bytes are always an identity.
    #[must_use]
    pub fn from_key(key: &Key) -> Self {
        let text = bech32::encode_upper::<bech32::Bech32>(IDENTITY_PREFIX, key.expose())
            .expect("32 bytes fit bech32");
        let text = Secret::new(text.into_bytes());
        let parsed = std::str::from_utf8(text.expose()).ok().and_then(Self::parse);
        parsed.expect("what was just encoded decodes")
    }

    /// The 32 bytes of the identity, for a credential.
    ///
    /// # Panics
    /// Never: an identity's text always decodes.
    #[must_use]
    pub fn to_key(&self) -> Key {
        let text = self.identity.to_string();
        let decoded = CheckedHrpstring::new::<bech32::Bech32>(text.expose_secret())
            .expect("an identity's text is bech32");
        Key::filled(|key| {
            for (to, from) in key.iter_mut().zip(decoded.byte_iter()) {
                *to = from;
            }
        })
    }

    /// The memory that holds the secret.
    #[must_use]
    pub fn memory(&self) -> &(impl Sized + use<>) {
        &*self.identity
    }

    /// The public half.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.recipient.clone()
    }

    /// Opens an age file that is sealed to this identity.
    ///
    /// # Errors
    /// Says whether it belongs to somebody else or is damaged.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Secret, UnsealError> {
        let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| UnsealError::Corrupt)?;
        let identities = std::iter::once(&*self.identity as &dyn age::Identity);
        let mut reader = decryptor.decrypt(identities).map_err(|error| match error {
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
    use super::*;

    #[test]
    fn only_the_holder_of_the_identity_opens_what_was_sealed_to_it() {
        let identity = Identity::generate();
        let sealed = identity.recipient().seal(&Secret::new(b"payload".to_vec()));
        assert_eq!(identity.unseal(&sealed).unwrap().expose(), b"payload");
        let other = Identity::generate();
        assert!(matches!(other.unseal(&sealed), Err(UnsealError::NotMine)));
        assert!(matches!(identity.unseal(&sealed[..40]), Err(UnsealError::Corrupt)));
    }

    #[test]
    fn a_point_of_small_order_is_no_sound_recipient() {
        assert!(Identity::generate().recipient().is_sound());
        for weak in [
            "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
            "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
            "age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9",
            "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8",
            "age1anlllllllllllllllllllllllllllllllllllllllllllllllals4n2t7m",
            "age1ahlllllllllllllllllllllllllllllllllllllllllllllllalsn46ayy",
        ] {
            assert!(weak.parse::<Recipient>().is_ok_and(|weak| !weak.is_sound()), "{weak}");
        }
    }

    #[test]
    fn an_identity_survives_the_way_through_its_bytes() {
        let identity = Identity::generate();
        let copy = Identity::from_key(&identity.to_key());
        assert!(copy.recipient() == identity.recipient());
        assert!(copy.to_text().same_as(&identity.to_text()));
    }
}
