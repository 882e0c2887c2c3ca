//! Ed25519 keys and signatures (RFC 8032). A signature holds if `[8]([s]B − R − [k]A) = 0`, the
//! equation with the cofactor: it gives the same answer for one signature as for many at once.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use ed25519_dalek::{Signer as _, VerifyingKey};
use sha2::{Digest, Sha512};

use super::{random_key, sha256};
use crate::secret::Key;

/// A public key that differs from every other in its bytes: its encoding is canonical, and it is
/// not of small order. The bytes of a [`PublicKey`] are always a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key. Returns `None` unless the bytes are the canonical encoding of a point that is not
    /// of small order. For such a point, anyone could sign.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let point = canonical_point(bytes)?;
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        (!point.is_small_order()).then_some(Self(key))
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// SHA-256 of its bytes. Of a former member's key, a vault keeps only this.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.as_bytes())
    }

    pub(super) fn point(&self) -> EdwardsPoint {
        self.0.to_edwards()
    }

    /// Whether `signature` is this key's over `message`: R is canonical, s is below the order of
    /// the group, and the equation holds with the cofactor.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let Some((r, s)) = signature.parts() else {
            return false;
        };
        let k = signature.challenge(self, message);
        let found = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-self.point(), &s);
        (found - r).mul_by_cofactor().is_identity()
    }
}

/// The point whose encoding is exactly these bytes (RFC 8032, 5.1.3): y below p, and no sign for
/// x = 0.
fn canonical_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    is_canonical(bytes).then(|| CompressedEdwardsY(*bytes).decompress())?
}

/// By comparison alone: compressing the point again would cost an inversion for each signature.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let (low, middle, high) = (bytes[0], &bytes[1..31], bytes[31] & 0x7f);
    let is_high = high == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    let is_low = high == 0 && middle.iter().all(|byte| *byte == 0);
    // x is 0 for y = 1 and y = -1.
    let has_no_x = is_low && low == 1 || is_high && low == 0xec;
    let is_below_p = !(is_high && low >= 0xed);
    is_below_p && !(has_no_x && bytes[31] & 0x80 != 0)
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// A signature of 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(ed25519_dalek::Signature);

impl Signature {
    /// The signature with these bytes. Returns `None` if there are not 64.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        ed25519_dalek::Signature::from_slice(bytes).ok().map(Self)
    }

    /// R and s of RFC 8032. Returns `None` if one of them is not canonical.
    pub(super) fn parts(&self) -> Option<(EdwardsPoint, Scalar)> {
        let s: Option<Scalar> = Scalar::from_canonical_bytes(*self.0.s_bytes()).into();
        Some((canonical_point(self.0.r_bytes())?, s?))
    }

    /// The k of RFC 8032 for a signer and a message.
    pub(super) fn challenge(&self, signer: &PublicKey, message: &[u8]) -> Scalar {
        let mut hash = Sha512::new();
        hash.update(self.0.r_bytes());
        hash.update(signer.as_bytes());
        hash.update(message);
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }

    /// The 64 bytes of RFC 8032.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0.to_bytes()
    }
}

/// The private half; made of a seed of 32 bytes, wiped on drop.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_seed(&random_key())
    }

    /// The key that RFC 8032 makes of this seed.
    #[must_use]
    pub fn from_seed(seed: &Key) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// The seed, for sealing it to its owner.
    #[must_use]
    pub fn seed(&self) -> Key {
        Key::filled(|seed| seed.copy_from_slice(self.0.as_bytes()))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message))
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;

    #[test]
    fn key_of_small_order_is_refused() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(PublicKey::from_bytes(&neutral).is_none());
        assert!(PublicKey::from_bytes(&[0; 32]).is_none());
        assert!(PublicKey::from_bytes(&[1; 31]).is_none());
    }

    #[test]
    fn canonical_encodings_round_trip() {
        let mut encodings: Vec<[u8; 32]> = (0..=255_u8)
            .flat_map(|low| [0, 0xff].map(|middle| (low, middle)))
            .flat_map(|(low, middle)| [0, 0x7f, 0x80, 0xff].map(|high| (low, middle, high)))
            .map(|(low, middle, high)| {
                let mut bytes = [middle; 32];
                (bytes[0], bytes[31]) = (low, high);
                bytes
            })
            .collect();
        encodings.extend((0..64).map(|_| *SigningKey::generate().public().as_bytes()));
        for bytes in encodings {
            let point = CompressedEdwardsY(bytes).decompress();
            let comes_back = point.filter(|point| *point.compress().as_bytes() == bytes);
            assert_eq!(canonical_point(&bytes), comes_back, "{bytes:x?}");
        }
    }

    #[test]
    fn key_with_a_small_order_component_is_detected() {
        let point = SigningKey::generate().public().point();
        let keys: Vec<PublicKey> = EIGHT_TORSION
            .iter()
            .map(|torsion| PublicKey::from_bytes((point + torsion).compress().as_bytes()).unwrap())
            .collect();
        for (at, key) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other != key), "{at}");
        }
        for torsion in EIGHT_TORSION {
            assert!(PublicKey::from_bytes(torsion.compress().as_bytes()).is_none());
        }
    }
}
