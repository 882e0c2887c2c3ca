//! Ed25519 keys and signatures (RFC 8032), with strict verification.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer as _, VerifyingKey};

use super::random_key;
use crate::secret::Key;

/// A public key that can be told apart from every other by its bytes: canonical encoding, prime
/// order. The bytes of a [`PublicKey`] are always a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key, or nothing when the bytes are not a canonical point of the prime-order group.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        let point = key.to_edwards();
        let usable = !key.is_weak() && is_of_prime_order(&point);
        (usable && point.compress().as_bytes() == bytes).then_some(Self(key))
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(super) fn point(&self) -> EdwardsPoint {
        self.0.to_edwards()
    }

    /// Whether `signature` is this key's over `message` (strict: no small-order point, canonical
    /// scalar, the equation without cofactor).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, &signature.0).is_ok()
    }
}

/// Whether all but one times the point is its negative. In variable time, which is twice as fast,
/// since every point here is public.
fn is_of_prime_order(point: &EdwardsPoint) -> bool {
    let zero = Scalar::ZERO;
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &zero) == -point
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
    /// The signature with these bytes, or nothing when there are not 64.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        ed25519_dalek::Signature::from_slice(bytes).ok().map(Self)
    }

    /// R of RFC 8032, encoded.
    pub(super) fn r(&self) -> &[u8; 32] {
        self.0.r_bytes()
    }

    /// S of RFC 8032, encoded.
    pub(super) fn s(&self) -> &[u8; 32] {
        self.0.s_bytes()
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
    fn a_key_of_small_order_is_no_public_key() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(PublicKey::from_bytes(&neutral).is_none());
        assert!(PublicKey::from_bytes(&[0; 32]).is_none());
        assert!(PublicKey::from_bytes(&[1; 31]).is_none());
    }

    #[test]
    fn a_key_with_a_part_of_small_order_is_no_public_key() {
        let point = SigningKey::generate().public().point();
        for (at, torsion) in EIGHT_TORSION.iter().enumerate() {
            let key = PublicKey::from_bytes((point + torsion).compress().as_bytes());
            assert_eq!(key.is_some(), at == 0, "{at}");
        }
    }
}
