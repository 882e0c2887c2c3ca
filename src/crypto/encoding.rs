//! How bytes are written as text, and how several byte strings become one without ambiguity.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};

/// RFC 4648 section 4 without padding; decoding refuses padding and stray trailing bits, so that
/// every byte string has one spelling.
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CANONICAL);
/// RFC 4648 section 5, as strict.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CANONICAL);
const CANONICAL: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone)
    .with_decode_allow_trailing_bits(false);

/// Canonical unpadded base64.
#[must_use]
pub fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of canonical unpadded base64, or nothing.
#[must_use]
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Canonical unpadded base64url.
#[must_use]
pub fn base64url_encode(bytes: &[u8]) -> String {
    URL_SAFE.encode(bytes)
}

/// The bytes of canonical unpadded base64url, or nothing.
#[must_use]
pub fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE.decode(text).ok()
}

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The first 8 bytes of SHA-256 over the framed label and `payload`, without a copy of either:
/// detects a credential that was cut short or mistyped, and nothing more.
#[must_use]
pub fn checksum(label: &str, payload: &[u8]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in [label.as_bytes(), payload] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut checksum = [0; 8];
    checksum.copy_from_slice(&hash.finalize()[..8]);
    checksum
}

/// Byte strings one after another, each after its length as 8 bytes big-endian.
///
/// Everything that is signed, authenticated, or sealed is framed, so that no two lists of parts
/// give the same bytes.
#[derive(Default)]
pub struct Framed(Vec<u8>);

impl Framed {
    /// Starts with a label, which separates this use from every other.
    #[must_use]
    pub fn new(label: &str) -> Self {
        // Room for everything but the body of a file.
        Self(Vec::with_capacity(256)).part(label.as_bytes())
    }

    /// Appends one part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.reserve(8 + bytes.len());
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a number, as a part of 8 bytes big-endian.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.part(&number.to_be_bytes())
    }

    /// The framed bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noncanonical_base64_is_refused() {
        assert_eq!(base64_encode(b"a"), "YQ");
        assert_eq!(base64_decode("YQ").unwrap(), b"a");
        for other in ["YQ==", "YR", "YQ\n", " YQ", "Y", "YQ=", "_-8"] {
            assert!(base64_decode(other).is_none(), "{other}");
        }
    }

    #[test]
    fn checksum_is_the_hash_of_the_framed_parts() {
        let framed = Framed::new("label").part(b"payload").into_bytes();
        assert_eq!(checksum("label", b"payload"), sha256(&framed)[..8]);
    }

    #[test]
    fn framing_distinguishes_equal_concatenations() {
        let one = Framed::new("l").part(b"ab").part(b"c").into_bytes();
        let two = Framed::new("l").part(b"a").part(b"bc").into_bytes();
        assert_ne!(one, two);
        assert_eq!(
            Framed::default().number(258).into_bytes()[8..],
            [0, 0, 0, 0, 0, 0, 1, 2]
        );
    }
}
