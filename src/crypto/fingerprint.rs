//! A short text that two people compare aloud, to know that they have the same keys.

use std::fmt;
use std::str::FromStr;

use bech32::Fe32;
use bech32::primitives::iter::ByteIterExt;

use super::sha256;

/// The first 130 bits of a SHA-256, as 26 characters of five bits each in the alphabet of bech32
/// (BIP 173), which leaves out `1`, `b`, `i` and `o`. It is infeasible to find a second text for
/// one.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The number of characters.
    pub const LENGTH: usize = 26;

    /// The fingerprint of framed bytes.
    #[must_use]
    pub fn of(framed: &[u8]) -> Self {
        let hash = sha256(framed).into_iter().bytes_to_fes();
        Self(hash.take(Self::LENGTH).map(Fe32::to_char).collect())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a fingerprint.
#[derive(Debug)]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// Reads it as a person types it: capitals and space around it do not matter.
    fn from_str(typed: &str) -> Result<Self, NotAFingerprint> {
        let text = typed.trim().to_ascii_lowercase();
        let legal = text
            .chars()
            .all(|character| Fe32::from_char(character).is_ok());
        if legal && text.len() == Self::LENGTH {
            Ok(Self(text))
        } else {
            Err(NotAFingerprint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_the_start_of_a_hash_in_base32() {
        // SHA-256 of nothing starts e3b0c442 98fc1c14: 11100 01110 11000 01100 01000 …
        let fingerprint = Fingerprint::of(b"").to_string();
        assert_eq!(fingerprint.len(), Fingerprint::LENGTH);
        assert!(fingerprint.starts_with("uwcvgs"), "{fingerprint}");
    }

    #[test]
    fn typed_fingerprint_is_accepted_with_case_and_blanks() {
        let text = Fingerprint::of(b"a").to_string();
        for typed in [text.clone(), text.to_uppercase(), format!(" {text}\n")] {
            assert!(
                typed
                    .parse::<Fingerprint>()
                    .is_ok_and(|read| read.to_string() == text)
            );
        }
        for wrong in [
            "",
            &text[1..],
            &format!("{text}q"),
            &text.replace(&text[..1], "b"),
        ] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
