//! Random bytes and random text, from the operating system only.

use crate::secret::{Key, Secret};

/// The characters of which generated text is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alphabet(&'static [u8]);

impl Alphabet {
    /// Those of Django's `get_random_secret_key`.
    pub const DJANGO: Self = Self(b"abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)");
    /// Letters and digits, which survive every quoting.
    pub const ALPHANUMERIC: Self =
        Self(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    /// Lower-case hexadecimal digits.
    pub const HEX: Self = Self(b"0123456789abcdef");
    /// The characters of base64url (RFC 4648 section 5).
    pub const BASE64URL: Self =
        Self(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

/// Fills `bytes`.
///
/// # Panics
/// When the operating system gives no random bytes; nothing safe can be done then.
pub fn random_bytes(bytes: &mut [u8]) {
    getrandom::getrandom(bytes).expect("the operating system gives random bytes");
}

/// A new random key.
#[must_use]
pub fn random_key() -> Key {
    Key::filled(|bytes| random_bytes(bytes))
}

/// `length` characters, each drawn evenly from `alphabet`.
#[must_use]
pub fn random_text(alphabet: Alphabet, length: usize) -> Secret {
    let Alphabet(characters) = alphabet;
    // The largest multiple of the alphabet's size that fits a byte; above it the draw is repeated,
    // or the first characters would come up more often.
    let even = 256 / characters.len() * characters.len();
    let mut text = Secret::with_capacity(length);
    while text.len() < length {
        let draw = random_key();
        let usable = draw.expose().iter().map(|&byte| usize::from(byte)).filter(|&n| n < even);
        for n in usable.take(length - text.len()) {
            text.extend(&characters[n % characters.len()..][..1]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_text_has_the_length_and_uses_the_whole_alphabet() {
        let text = random_text(Alphabet::DJANGO, 5000);
        assert_eq!(text.len(), 5000);
        for character in Alphabet::DJANGO.0 {
            assert!(text.expose().contains(character));
        }
        assert!(text.expose().iter().all(|byte| Alphabet::DJANGO.0.contains(byte)));
    }
}
