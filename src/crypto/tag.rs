//! Finds equal values among thousands without keeping one of them.

use hkdf::Hkdf;
use sha2::Sha256;

use super::random_key;
use crate::secret::Key;

/// Gives equal bytes equal tags: HMAC-SHA256 (RFC 2104) under a key that lives as long as this
/// value, so that a tag reveals nothing without the key, and nothing about another run.
pub struct Tagger(Key);

impl Tagger {
    /// With a new random key.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two of them never agree")]
    pub fn new() -> Self {
        Self(random_key())
    }

    /// The tag of `bytes`.
    #[must_use]
    pub fn tag(&self, bytes: &[u8]) -> [u8; 32] {
        // The first half of HKDF is HMAC with the salt as its key.
        Hkdf::<Sha256>::extract(Some(self.0.expose()), bytes)
            .0
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_have_equal_tags_only_under_one_key() {
        let (one, two) = (Tagger::new(), Tagger::new());
        assert_eq!(one.tag(b"value"), one.tag(b"value"));
        assert_ne!(one.tag(b"value"), one.tag(b"valuf"));
        assert_ne!(one.tag(b"value"), two.tag(b"value"));
    }
}
