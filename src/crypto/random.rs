//! Random bytes and random text, from the operating system only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::{Key, Secret, Wiped};

/// The characters of which generated text is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alphabet(&'static [u8]);

impl Alphabet {
    /// Letters, digits, `-`, and `_`: no reader of settings files, templates, or shells takes them for
    /// anything else.
    pub const SAFE: Self =
        Self(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    /// Letters and digits.
    pub const ALPHANUMERIC: Self =
        Self(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    /// Lower-case hexadecimal digits.
    pub const HEX: Self = Self(b"0123456789abcdef");
}

/// Fills `bytes`.
///
/// # Panics
/// If the operating system gives no random bytes, because nothing safe can be done then.
pub fn random_bytes(bytes: &mut [u8]) {
    getrandom::getrandom(bytes).expect("the operating system gives random bytes");
}

/// A new random key.
#[must_use]
pub fn random_key() -> Key {
    Key::filled(|bytes| random_bytes(bytes))
}

/// `length` characters, each drawn evenly from `alphabet`; the first is a letter or a digit, so that
/// no program takes the text for an option.
#[must_use]
pub fn random_text(alphabet: Alphabet, length: usize) -> Secret {
    until_plain(|| evenly(alphabet, length))
}

/// `count` random bytes in base64url without padding (RFC 4648 section 5), in the spelling that strict
/// readers want; the first character is a letter or a digit.
#[must_use]
pub fn random_base64url(count: usize) -> Secret {
    until_plain(|| {
        let mut bytes = Wiped::from(vec![0; count]);
        random_bytes(&mut bytes);
        Secret::new(URL_SAFE_NO_PAD.encode(&bytes[..]).into_bytes())
    })
}

/// Draws until the first character is a letter or a digit.
fn until_plain(draw: impl Fn() -> Secret) -> Secret {
    loop {
        let text = draw();
        if text.expose().first().is_none_or(u8::is_ascii_alphanumeric) {
            return text;
        }
    }
}

/// The largest multiple of `count` that fits a byte. A draw of this or more is repeated, or the
/// first characters would come up more often.
fn even_draws(count: usize) -> usize {
    256 / count * count
}

fn evenly(alphabet: Alphabet, length: usize) -> Secret {
    let Alphabet(characters) = alphabet;
    let even = even_draws(characters.len());
    let mut text = Secret::with_capacity(length);
    while text.len() < length {
        let draw = random_key();
        let usable = draw
            .expose()
            .iter()
            .map(|&byte| usize::from(byte))
            .filter(|&n| n < even);
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
    fn draws_are_repeated_above_a_multiple_of_the_alphabet() {
        for (count, even) in [(10, 250), (50, 250), (62, 248), (64, 256), (255, 255)] {
            assert_eq!(even_draws(count), even, "{count}");
        }
    }

    #[test]
    fn generated_text_has_its_length_and_the_whole_alphabet() {
        let text = random_text(Alphabet::SAFE, 5000);
        assert_eq!(text.len(), 5000);
        for character in Alphabet::SAFE.0 {
            assert!(text.expose().contains(character));
        }
        assert!(
            text.expose()
                .iter()
                .all(|byte| Alphabet::SAFE.0.contains(byte))
        );
    }

    #[test]
    fn generated_text_begins_with_a_letter_or_digit() {
        for _ in 0..500 {
            for text in [random_text(Alphabet::SAFE, 2), random_base64url(32)] {
                assert!(text.expose()[0].is_ascii_alphanumeric());
            }
        }
    }

    #[test]
    fn random_base64url_is_canonical() {
        for count in 0..70 {
            let text = random_base64url(count);
            assert_eq!(URL_SAFE_NO_PAD.decode(text.expose()).unwrap().len(), count);
        }
    }
}
