//! age's classic native keys: X25519 alone (`age1…`, `AGE-SECRET-KEY-1…`).

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use bech32::Hrp;
use bech32::primitives::decode::CheckedHrpstring;

use super::super::recipient::NotARecipient;
use crate::secret::{Key, Secret};

/// The type of the stanza that is sealed to such a recipient.
pub(in crate::crypto) const STANZA: &str = "X25519";
const RECIPIENT_PREFIX: Hrp = Hrp::parse_unchecked("age");
const IDENTITY_PREFIX: Hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-");

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

/// Whether these bytes are the one encoding of a point that is not of small order. To a point of
/// small order anyone could open what is sealed; age panics when it is to seal to one.
pub(in crate::crypto) fn is_sound(point: &[u8; 32]) -> bool {
    is_canonical(point) && !SMALL_ORDER.contains(point)
}

/// The public half, `age1…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::crypto) struct Recipient(age::x25519::Recipient);

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let recipient = Self(text.parse().map_err(|_| NotARecipient)?);
        if recipient.to_string() == text && is_sound(&recipient.point()) {
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
    /// The recipient with this point, if it is sound.
    pub(in crate::crypto) fn from_point(u: &[u8; 32]) -> Option<Self> {
        let text = bech32::encode::<bech32::Bech32>(RECIPIENT_PREFIX, u).ok()?;
        text.parse().ok()
    }

    /// Its point on Curve25519.
    pub(in crate::crypto) fn point(&self) -> [u8; 32] {
        let text = self.to_string();
        let decoded = CheckedHrpstring::new::<bech32::Bech32>(&text);
        let mut point = [0; 32];
        for (to, from) in point
            .iter_mut()
            .zip(decoded.expect("age wrote it").byte_iter())
        {
            *to = from;
        }
        point
    }

    pub(in crate::crypto) fn age(&self) -> &dyn age::Recipient {
        &self.0
    }
}

/// The private half, `AGE-SECRET-KEY-1…`, on the heap, so that moving it makes no copy. age wipes it.
pub(in crate::crypto) struct Identity(Box<age::x25519::Identity>);

impl Identity {
    pub(in crate::crypto) fn generate() -> Self {
        Self(Box::new(age::x25519::Identity::generate()))
    }

    /// Reads `AGE-SECRET-KEY-1…`, or nothing.
    pub(in crate::crypto) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|identity| Self(Box::new(identity)))
    }

    pub(in crate::crypto) fn to_text(&self) -> Secret {
        Secret::new(self.0.to_string().expose_secret().as_bytes().to_vec())
    }

    /// The identity made of this scalar, which bech32 spells in text.
    ///
    /// # Panics
    /// Never: 32 bytes are always an identity.
    pub(in crate::crypto) fn from_key(key: &Key) -> Self {
        let text = bech32::encode_upper::<bech32::Bech32>(IDENTITY_PREFIX, key.expose())
            .expect("32 bytes fit bech32");
        let text = Secret::new(text.into_bytes());
        let parsed = std::str::from_utf8(text.expose())
            .ok()
            .and_then(Self::parse);
        parsed.expect("an encoding made here decodes")
    }

    /// The scalar.
    ///
    /// # Panics
    /// Never: an identity's text always decodes.
    pub(in crate::crypto) fn to_key(&self) -> Key {
        let text = self.0.to_string();
        let decoded = CheckedHrpstring::new::<bech32::Bech32>(text.expose_secret())
            .expect("an identity's text is bech32");
        Key::filled(|key| {
            for (to, from) in key.iter_mut().zip(decoded.byte_iter()) {
                *to = from;
            }
        })
    }

    pub(in crate::crypto) fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// The memory that holds the secret.
    pub(in crate::crypto) fn memory(&self) -> &(impl Sized + use<>) {
        &*self.0
    }

    pub(in crate::crypto) fn age(&self) -> &dyn age::Identity {
        &*self.0
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::montgomery::MontgomeryPoint;

    use super::*;

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
}
