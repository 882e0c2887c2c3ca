//! A value sealed under an entry's key: XChaCha20-Poly1305 over padded plaintext.
//!
//! `sealed = nonce (24 bytes) ‖ ciphertext ‖ tag (16 bytes)`, where the plaintext is the value,
//! one byte 0x80, and zeros up to [`padded_length`]. The associated data says where the value
//! belongs, so a sealed value opens in its own place only.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};

use super::{EntryKey, random_bytes};
use crate::secret::Secret;

const NONCE: usize = 24;
const TAG: usize = 16;
/// How many bytes `sealed` is longer than the padded value.
pub const OVERHEAD: usize = NONCE + TAG;
const END: u8 = 0x80;

/// The length to which a value of `length` bytes is padded: 32, 64 or 128, and above that by
/// Padmé (Nikitin and others, PETS 2019), which leaks O(log log) bits of the length and costs at
/// most 12 %.
#[must_use]
pub fn padded_length(length: usize) -> usize {
    let marked = length + 1;
    if marked <= 128 {
        return marked.next_power_of_two().max(32);
    }
    let exponent = marked.ilog2();
    let low_bits = exponent - (exponent.ilog2() + 1);
    let mask = (1 << low_bits) - 1;
    (marked + mask) & !mask
}

/// Whether `sealed` has the length of a sealed value of at most `longest` bytes; needs no key.
#[must_use]
pub fn is_sealed_length(sealed: &[u8], longest: usize) -> bool {
    let padded = sealed
        .len()
        .checked_sub(OVERHEAD)
        .filter(|&padded| padded > 0);
    padded.is_some_and(|padded| {
        padded_length(padded - 1) == padded && padded <= padded_length(longest)
    })
}

/// Seals `value` for the place that `place` names, under a fresh random nonce.
///
/// # Panics
/// Never: the cipher takes up to 256 GiB.
#[must_use]
pub fn seal(key: &EntryKey, place: &[u8], value: &Secret) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    random_bytes(&mut nonce);
    let padded = padded_length(value.len());
    let mut sealed = Vec::with_capacity(padded + OVERHEAD);
    sealed.extend_from_slice(&nonce);
    // One allocation of the final size: the plaintext in it is overwritten by its ciphertext.
    sealed.extend_from_slice(value.expose());
    sealed.push(END);
    sealed.resize(NONCE + padded, 0);
    let tag = XChaCha20Poly1305::new(key.expose().into())
        .encrypt_in_place_detached(XNonce::from_slice(&nonce), place, &mut sealed[NONCE..])
        .expect("a value is shorter than the cipher's limit");
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens what [`seal`] made for the same place. Returns `None` if the key, the place or any bit of
/// `sealed` differs, or when the padding is not the one [`seal`] would have chosen.
#[must_use]
pub fn open(key: &EntryKey, place: &[u8], sealed: &[u8]) -> Option<Secret> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
    let mut plaintext = ciphertext.to_vec();
    let opened = XChaCha20Poly1305::new(key.expose().into()).decrypt_in_place_detached(
        XNonce::from_slice(nonce),
        place,
        &mut plaintext,
        Tag::from_slice(tag),
    );
    let mut value = Secret::new(plaintext);
    opened.ok()?;
    let length = value.expose().iter().rposition(|&byte| byte != 0)?;
    if value.expose()[length] != END || padded_length(length) != value.len() {
        return None;
    }
    value.truncate(length);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random_key;

    #[test]
    fn lengths_are_padded_to_the_documented_steps() {
        let steps = [
            (0, 32),
            (31, 32),
            (32, 64),
            (63, 64),
            (64, 128),
            (127, 128),
            (128, 144),
            (200, 208),
            (255, 256),
            (256, 272),
            (1000, 1024),
            (1_048_576, 1_081_344),
        ];
        for (length, padded) in steps {
            assert_eq!(padded_length(length), padded, "{length}");
        }
    }

    #[test]
    fn sealed_values_have_only_documented_lengths() {
        let is_sealed = |length| is_sealed_length(&vec![0; length + OVERHEAD], 1000);
        for length in [32, 64, 128, 144, 272, 1024] {
            assert!(is_sealed(length), "{length}");
        }
        for length in [0, 1, 16, 31, 33, 96, 129, 143, 1025, 1040, 1088] {
            assert!(!is_sealed(length), "{length}");
        }
        assert!(!is_sealed_length(&[0; OVERHEAD - 1], 1000));
    }

    #[test]
    fn values_round_trip_and_flipped_bytes_are_refused() {
        let key = EntryKey::new(random_key());
        for length in (0..300).chain([4096, 100_000]) {
            let value = Secret::new(vec![0; length]);
            let sealed = seal(&key, b"here", &value);
            assert_eq!(sealed.len(), padded_length(length) + OVERHEAD);
            assert!(open(&key, b"here", &sealed).unwrap().same_as(&value));
            assert!(open(&key, b"there", &sealed).is_none());
        }
        let sealed = seal(&key, b"here", &Secret::new(b"value".to_vec()));
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert!(open(&key, b"here", &other).is_none());
            assert!(open(&key, b"here", &sealed[..at]).is_none());
        }
    }

    /// Seals these bytes as they are, without adding padding.
    fn seal_padded(key: &EntryKey, padded: &[u8]) -> Vec<u8> {
        let nonce = [7; NONCE];
        let mut ciphertext = padded.to_vec();
        let tag = XChaCha20Poly1305::new(key.expose().into())
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), b"here", &mut ciphertext)
            .unwrap();
        [&nonce[..], &ciphertext, &tag].concat()
    }

    #[test]
    fn noncanonical_padding_is_refused() {
        let key = EntryKey::new(random_key());
        let padded = |value: &[u8], end: u8, length: usize| {
            let mut padded = [value, &[end]].concat();
            padded.resize(length, 0);
            open(&key, b"here", &seal_padded(&key, &padded))
        };
        assert!(
            padded(b"value", END, 32)
                .unwrap()
                .same_as(&Secret::new(b"value".to_vec()))
        );
        assert!(padded(b"value", END, 64).is_none(), "too long");
        assert!(padded(b"value", END, 16).is_none(), "too short");
        assert!(padded(b"value", 1, 32).is_none(), "no end");
        assert!(padded(b"", 0, 32).is_none(), "nothing but zeros");
    }
}
