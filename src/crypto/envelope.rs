//! Small payloads sealed to one member with age (C2SP age, native X25519 recipients).

use std::fmt;
use std::io::{Read, Write};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use bech32::Hrp;
use bech32::primitives::decode::CheckedHrpstring;

use super::sha256;
use crate::secret::{Key, Secret};

const IDENTITY_PREFIX: Hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-");

/// The public half of an age key, `age1…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipient(age::x25519::Recipient);

/// The points of Curve25519 and of its twist whose order divides 8, as u in canonical encoding: 0, 1,
/// -1, and the two of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        minus_one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
];

/// Whether u is below p = 2^255 - 19. X25519 takes other spellings for the same point, but no identity
/// has one.
fn is_canonical(u: &[u8; 32]) -> bool {
    let is_above = u[31] == 0x7f && u[1..31].iter().all(|byte| *byte == 0xff) && u[0] >= 0xed;
    u[31] < 0x80 && !is_above
}

/// The text is not a recipient (or not in its one spelling).
#[derive(Debug)]
pub struct NotARecipient;

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let recipient: age::x25519::Recipient = text.parse().map_err(|_| NotARecipient)?;
        let is_spelled = recipient.to_string() == text;
        let recipient = Self(recipient);
        if is_spelled && recipient.is_sound() {
            Ok(recipient)
        } else {
            Err(NotARecipient)
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Recipient {
    /// Whether the bytes are the one encoding of a point that is not of small order. To a point of
    /// small order anyone could open what is sealed; age panics when it is to seal to one.
    fn is_sound(&self) -> bool {
        let text = self.to_string();
        let Ok(decoded) = CheckedHrpstring::new::<bech32::Bech32>(&text) else {
            return false;
        };
        let mut point = [0; 32];
        for (to, from) in point.iter_mut().zip(decoded.byte_iter()) {
            *to = from;
        }
        is_canonical(&point) && !SMALL_ORDER.contains(&point)
    }

    /// SHA-256 of its text. Of a former member's key, a vault keeps only this.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.to_string().as_bytes())
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
/// The type of the stanza that is sealed to a native recipient.
const NATIVE: &[u8] = b"X25519";

/// Whether the header of an age file is there, from its first line to its last.
fn has_whole_header(sealed: &[u8]) -> bool {
    sealed.starts_with(VERSION)
        && sealed
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(END))
}

/// Whether an age file is sealed to one native recipient and to no one else, by its header, which
/// takes no key to read. Otherwise another recipient could be hidden in it.
#[must_use]
pub fn is_sealed_to_one(sealed: &[u8]) -> bool {
    let Some(header) = sealed.strip_prefix(VERSION) else {
        return false;
    };
    let mut kinds = Vec::new();
    for line in header.split(|byte| *byte == b'\n') {
        if line.starts_with(END) {
            return kinds == [NATIVE];
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

/// The private half of an age key.
pub struct Identity {
    /// On the heap, so that moving an identity makes no copy. age wipes it.
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
        Self {
            recipient: Recipient(identity.to_public()),
            identity: Box::new(identity),
        }
    }

    /// Reads `AGE-SECRET-KEY-1…`, or nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::new)
    }

    /// `AGE-SECRET-KEY-1…`, for the file or the credential in which it is kept.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        Secret::new(
            self.identity
                .to_string()
                .expose_secret()
                .as_bytes()
                .to_vec(),
        )
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
        let parsed = std::str::from_utf8(text.expose())
            .ok()
            .and_then(Self::parse);
        parsed.expect("an encoding made here decodes")
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
    /// If it is sealed to another recipient, to several, or damaged.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Secret, UnsealError> {
        if has_whole_header(sealed) && !is_sealed_to_one(sealed) {
            return Err(UnsealError::NotAlone);
        }
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
    use curve25519_dalek::montgomery::MontgomeryPoint;

    use super::*;

    #[test]
    fn sealed_value_opens_only_with_its_identity() {
        let identity = Identity::generate();
        let sealed = identity.recipient().seal(&Secret::new(b"payload".to_vec()));
        assert_eq!(identity.unseal(&sealed).unwrap().expose(), b"payload");
        let other = Identity::generate();
        assert!(matches!(other.unseal(&sealed), Err(UnsealError::NotMine)));
        assert!(matches!(
            identity.unseal(&sealed[..40]),
            Err(UnsealError::Corrupt)
        ));
    }

    fn recipient(u: &[u8; 32]) -> Result<Recipient, NotARecipient> {
        let hrp = Hrp::parse_unchecked("age");
        bech32::encode::<bech32::Bech32>(hrp, u).unwrap().parse()
    }

    #[test]
    fn point_of_small_order_is_refused_in_every_spelling() {
        for point in SMALL_ORDER {
            // Any clamped scalar is a multiple of 8, which makes these points vanish.
            let product = MontgomeryPoint(point).mul_clamped([1; 32]);
            assert_eq!(product, MontgomeryPoint([0; 32]));
            let mut high = point;
            high[31] |= 0x80;
            assert!(recipient(&point).is_err() && recipient(&high).is_err());
        }
    }

    #[test]
    fn noncanonical_point_is_refused_as_a_recipient() {
        for low in 0..=255_u8 {
            let mut u = [0xff; 32];
            (u[0], u[31]) = (low, 0x7f);
            // p, larger numbers, and p - 1, which is -1.
            assert_eq!(recipient(&u).is_ok(), low < 0xec, "{low:x}");
            u[31] = 0xff;
            assert!(recipient(&u).is_err());
        }
        let text = Identity::generate().recipient().to_string();
        assert!(text.parse::<Recipient>().is_ok());
        assert!(text.to_uppercase().parse::<Recipient>().is_err());
    }

    #[test]
    fn identity_round_trips_through_its_bytes() {
        let identity = Identity::generate();
        let copy = Identity::from_key(&identity.to_key());
        assert!(copy.recipient() == identity.recipient());
        assert!(copy.to_text().same_as(&identity.to_text()));
    }
}
