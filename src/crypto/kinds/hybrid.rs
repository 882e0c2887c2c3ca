//! age's native post-quantum keys (`age1pq1…`, `AGE-SECRET-KEY-PQ-1…`), which the age crate does not
//! have yet. A file key stays secret as long as either ML-KEM-768 or X25519 is secure.
//!
//! C2SP age, "The post-quantum hybrid recipient type": HPKE (RFC 9180) in base mode, with the KEM
//! MLKEM768-X25519 (also known as X-Wing), HKDF-SHA256, and ChaCha20-Poly1305. The tests use the
//! vectors that all implementations of age share.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{bech32_decode, bech32_encode};
use age_core::secrecy::ExposeSecret;
use bech32::Hrp;
use bech32::primitives::decode::CheckedHrpstring;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use curve25519_dalek::montgomery::MontgomeryPoint;
use hkdf::Hkdf;
use ml_kem::kem::Decapsulate;
use ml_kem::{EncapsulateDeterministic, Encoded, EncodedSizeUser, KemCore, MlKem768};
use sha2::Sha256;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Digest, Sha3_256, Shake256};

use super::super::encoding::{base64_decode, base64_encode};
use super::super::random::random_key;
use super::super::recipient::NotARecipient;
use super::x25519::is_sound;
use crate::secret::{Key, Secret, wipe};

/// The type of the stanza that is sealed to such a recipient.
pub(in crate::crypto) const STANZA: &str = "mlkem768x25519";
const RECIPIENT_PREFIX: Hrp = Hrp::parse_unchecked("age1pq");
const IDENTITY_PREFIX: Hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-PQ-");
/// What HPKE binds to the key: this use of it.
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// HPKE's names for the KEM, HKDF-SHA256, and ChaCha20-Poly1305.
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
/// Hashed last into a shared secret.
const COMBINED: &[u8] = br"\.//^\";

type PublicMlKem = <MlKem768 as KemCore>::EncapsulationKey;
type PrivateMlKem = <MlKem768 as KemCore>::DecapsulationKey;

/// The bytes of a public ML-KEM key, of its ciphertext, and of the body of a stanza.
const ML_KEM_KEY: usize = 1184;
const ML_KEM_CIPHERTEXT: usize = 1088;
const BODY: usize = FILE_KEY_BYTES + 16;
/// The prime of ML-KEM. Each number in a public key is below it.
const Q: u16 = 3329;

/// The public half, `age1pq1…`: the key of ML-KEM, and then the one of X25519.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::crypto) struct Recipient(Arc<str>);

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let bytes = decoded(text).ok_or(NotARecipient)?;
        let (ml_kem, point) = split(&bytes).ok_or(NotARecipient)?;
        let is_spelled = bech32_encode(RECIPIENT_PREFIX, &bytes) == text;
        if is_spelled && is_reduced(ml_kem) && is_sound(point) {
            Ok(Self(text.into()))
        } else {
            Err(NotARecipient)
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let is_ours = |prefix| (prefix == RECIPIENT_PREFIX).then_some(()).ok_or(());
    bech32_decode(text, |_| (), is_ours, |_, bytes| Ok(bytes.collect())).ok()
}

/// The keys of ML-KEM and X25519.
fn split(bytes: &[u8]) -> Option<(&[u8; ML_KEM_KEY], &[u8; 32])> {
    let (ml_kem, point) = bytes.split_first_chunk()?;
    Some((ml_kem, point.try_into().ok()?))
}

/// Whether each of the numbers, of 12 bits, has its one spelling (FIPS 203, 7.2). The last 32 bytes
/// are a seed.
fn is_reduced(ml_kem: &[u8; ML_KEM_KEY]) -> bool {
    let (triples, _) = ml_kem[..ML_KEM_KEY - 32].as_chunks::<3>();
    triples.iter().all(|&[low, both, high]| {
        let first = u16::from(low) | u16::from(both & 0xf) << 8;
        let second = u16::from(both >> 4) | u16::from(high) << 4;
        first < Q && second < Q
    })
}

impl age::Recipient for Recipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let bytes = decoded(&self.0).expect("the text was checked");
        let (ml_kem, point) = split(&bytes).expect("the length was checked");
        let (ciphertext, secret) = encapsulate(ml_kem, point);
        let (cipher, nonce) = schedule(&secret);
        let body = cipher
            .encrypt(&nonce.into(), &file_key.expose_secret()[..])
            .expect("a file key is short");
        let stanza = Stanza {
            tag: STANZA.to_owned(),
            args: vec![base64_encode(&ciphertext)],
            body,
        };
        // Without this label, age would mix it with recipients that are not post-quantum.
        Ok((vec![stanza], HashSet::from(["postquantum".to_owned()])))
    }
}

/// The private half, `AGE-SECRET-KEY-PQ-1…`: a seed, on the heap. Both private keys are made of it
/// each time.
pub(in crate::crypto) struct Identity(Key);

impl Identity {
    pub(in crate::crypto) fn generate() -> Self {
        Self(random_key())
    }

    /// Reads `AGE-SECRET-KEY-PQ-1…`, or nothing.
    pub(in crate::crypto) fn parse(text: &str) -> Option<Self> {
        let decoded = CheckedHrpstring::new::<bech32::Bech32>(text).ok()?;
        if decoded.hrp() != IDENTITY_PREFIX || decoded.byte_iter().count() != Key::LENGTH {
            return None;
        }
        Some(Self(Key::filled(|seed| {
            for (to, from) in seed.iter_mut().zip(decoded.byte_iter()) {
                *to = from;
            }
        })))
    }

    /// # Panics
    /// Never: 32 bytes fit bech32.
    pub(in crate::crypto) fn to_text(&self) -> Secret {
        let text = bech32::encode_upper::<bech32::Bech32>(IDENTITY_PREFIX, self.0.expose());
        Secret::new(text.expect("32 bytes fit bech32").into_bytes())
    }

    pub(in crate::crypto) fn from_key(key: &Key) -> Self {
        Self(Key::filled(|seed| seed.copy_from_slice(key.expose())))
    }

    pub(in crate::crypto) fn to_key(&self) -> Key {
        Key::filled(|key| key.copy_from_slice(self.0.expose()))
    }

    pub(in crate::crypto) fn recipient(&self) -> Recipient {
        let keys = Expanded::of(&self.0);
        let ml_kem = keys.ml_kem.encapsulation_key().as_bytes();
        let bytes = [&ml_kem[..], &keys.point()].concat();
        Recipient(bech32_encode(RECIPIENT_PREFIX, &bytes).into())
    }

    /// The memory that holds the secret.
    pub(in crate::crypto) fn memory(&self) -> &[u8; Key::LENGTH] {
        self.0.expose()
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != STANZA {
            return None;
        }
        let Some((ml_kem, point)) = parts(stanza) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let Some(secret) = Expanded::of(&self.0).decapsulate(&ml_kem, &point) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let (cipher, nonce) = schedule(&secret);
        // A failure means that the stanza is for someone else.
        let file_key = cipher.decrypt(&nonce.into(), &stanza.body[..]).ok()?;
        let file_key = Secret::new(file_key);
        Some(Ok(FileKey::init_with_mut(|key| {
            key.copy_from_slice(file_key.expose());
        })))
    }
}

/// The ciphertexts of ML-KEM and X25519 in a stanza of the one allowed form.
fn parts(stanza: &Stanza) -> Option<([u8; ML_KEM_CIPHERTEXT], [u8; 32])> {
    let [share] = &stanza.args[..] else {
        return None;
    };
    let share = base64_decode(share)?;
    let (ml_kem, point) = share.split_first_chunk()?;
    let point = point.try_into().ok()?;
    (stanza.body.len() == BODY).then_some((*ml_kem, point))
}

/// The private keys that a seed means.
struct Expanded {
    ml_kem: PrivateMlKem,
    scalar: Key,
}

impl Expanded {
    fn of(seed: &Key) -> Self {
        let mut stream = Shake256::default().chain(seed.expose()).finalize_xof();
        let [d, z, scalar] = [(); 3].map(|()| Key::filled(|part| stream.read(part)));
        let (ml_kem, _) = MlKem768::generate_deterministic(d.expose().into(), z.expose().into());
        Self { ml_kem, scalar }
    }

    fn point(&self) -> [u8; 32] {
        MontgomeryPoint::mul_base_clamped(*self.scalar.expose()).to_bytes()
    }

    /// The shared secret. `None` if anyone could know the one of X25519.
    fn decapsulate(&self, ml_kem: &[u8; ML_KEM_CIPHERTEXT], point: &[u8; 32]) -> Option<Key> {
        let first = self.ml_kem.decapsulate(&(*ml_kem).into());
        let mut first = first.expect("decapsulation does not fail");
        let second = exchange(&self.scalar, point);
        let secret = second.map(|second| combined(&first, &second, point, &self.point()));
        wipe(&mut first);
        secret
    }
}

/// The share of X25519. `None` if it is zero, which is so for points of small order.
fn exchange(scalar: &Key, point: &[u8; 32]) -> Option<Key> {
    let product = MontgomeryPoint(*point).mul_clamped(*scalar.expose());
    let shared = Key::filled(|shared| shared.copy_from_slice(product.as_bytes()));
    (*shared.expose() != [0; 32]).then_some(shared)
}

/// A new shared secret, and the ciphertext with which the holder of the identity gets it.
fn encapsulate(ml_kem: &[u8; ML_KEM_KEY], point: &[u8; 32]) -> (Vec<u8>, Key) {
    let key = PublicMlKem::from_bytes(&Encoded::<PublicMlKem>::from(*ml_kem));
    let [message, scalar] = [(); 2].map(|()| random_key());
    let (ciphertext, mut first) = key
        .encapsulate_deterministic(message.expose().into())
        .expect("encapsulation does not fail");
    let share = MontgomeryPoint::mul_base_clamped(*scalar.expose()).to_bytes();
    let second = exchange(&scalar, point).expect("a recipient is not of small order");
    let secret = combined(&first, &second, &share, point);
    wipe(&mut first);
    ([&ciphertext[..], &share].concat(), secret)
}

/// The shared secret of both, bound to the exchange of X25519. (ML-KEM binds its own.)
fn combined(first: &[u8], second: &Key, share: &[u8; 32], point: &[u8; 32]) -> Key {
    let mut hash = Sha3_256::default();
    for part in [first, second.expose(), share, point, COMBINED] {
        Digest::update(&mut hash, part);
    }
    Key::filled(|secret| hash.finalize_into(secret.into()))
}

/// HPKE's key schedule in base mode (RFC 9180, 5.1): the cipher and the nonce of the one message.
fn schedule(secret: &Key) -> (ChaCha20Poly1305, [u8; 12]) {
    let extract = |salt: &[u8], label: &[u8], input: &[u8]| {
        Hkdf::<Sha256>::extract(Some(salt), &[b"HPKE-v1", SUITE, label, input].concat())
    };
    let (no_key, _) = extract(b"", b"psk_id_hash", b"");
    let (info, _) = extract(b"", b"info_hash", INFO);
    let context = [&[0], &no_key[..], &info].concat();
    let (_, prk) = extract(secret.expose(), b"secret", b"");
    let expand = |label: &[u8], to: &mut [u8]| {
        let length = u16::try_from(to.len()).expect("a key is short");
        let info = [
            &length.to_be_bytes(),
            &b"HPKE-v1"[..],
            SUITE,
            label,
            &context,
        ];
        prk.expand_multi_info(&info, to)
            .expect("the length is allowed");
    };
    let mut nonce = [0; 12];
    expand(b"base_nonce", &mut nonce);
    let key = Key::filled(|key| expand(b"key", key));
    (ChaCha20Poly1305::new(key.expose().into()), nonce)
}

#[cfg(test)]
mod tests;
