//! Ed25519 (RFC 8032) with strict verification, and many signatures at once.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer as _, VerifyingKey};

use super::{batch, random_key};
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

/// A signature somebody claims to have made.
pub struct Claim {
    /// Who.
    pub signer: PublicKey,
    /// Over what.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

impl Claim {
    /// Whether it holds, judged alone and strictly.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.signer.verifies(&self.message, &self.signature)
    }
}

/// Whether every claim holds.
///
/// Many are checked as one equation with random weights, which is several times faster. What
/// holds one by one always holds together. The converse could fail only for a signature that the
/// holder of the key bent on purpose, who could have signed the same message properly.
#[must_use]
pub fn verify_all(claims: &[Claim]) -> bool {
    // Below four the weights cost more than they save.
    if claims.len() < 4 { claims.iter().all(Claim::holds) } else { batch::holds(claims) }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;

    fn claims(count: usize) -> Vec<Claim> {
        let keys = [SigningKey::generate(), SigningKey::generate()];
        (0..count)
            .map(|n| {
                let message = n.to_string().into_bytes();
                let key = &keys[n % 2];
                Claim { signer: key.public(), signature: key.sign(&message), message }
            })
            .collect()
    }

    #[test]
    fn one_false_claim_among_many_is_noticed_wherever_it_stands() {
        for count in [1, 3, 4, 63, 64, 65, 200] {
            assert!(verify_all(&claims(count)), "{count}");
            for at in [0, count / 2, count - 1] {
                let mut claims = claims(count);
                claims[at].message.push(0);
                assert!(!verify_all(&claims), "{at} of {count}");
            }
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused_alone_and_among_many() {
        let order = Scalar::ZERO - Scalar::ONE;
        for count in [1, 8] {
            let mut claims = claims(count);
            let mut bytes = claims[0].signature.to_bytes();
            // s plus the order of the group: the same number, spelled otherwise.
            let mut carry = 1;
            for (byte, add) in bytes[32..].iter_mut().zip(order.as_bytes()) {
                carry += u16::from(*byte) + u16::from(*add);
                *byte = carry.to_le_bytes()[0];
                carry >>= 8;
            }
            claims[0].signature = Signature::from_bytes(&bytes).unwrap();
            assert!(!verify_all(&claims), "{count}");
        }
    }

    #[test]
    fn a_signature_bent_by_its_signer_is_refused_alone_and_among_many() {
        use curve25519_dalek::constants::ED25519_BASEPOINT_POINT as BASE;
        use sha2::{Digest, Sha512};

        // Whoever knows the secret scalar can choose R of small order and solve for s.
        let (secret, message) = (Scalar::from(7_u8), b"message".to_vec());
        let signer = PublicKey::from_bytes((secret * BASE).compress().as_bytes()).unwrap();
        for torsion in EIGHT_TORSION {
            let r = torsion.compress();
            let mut hash = Sha512::new();
            hash.update(r.as_bytes());
            hash.update(signer.as_bytes());
            hash.update(&message);
            let s = Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret;
            let bytes = [r.to_bytes(), s.to_bytes()].concat();
            let signature = Signature::from_bytes(&bytes).unwrap();
            for count in [0, 8] {
                let mut claims = claims(count);
                claims.push(Claim { signer, message: message.clone(), signature });
                assert!(!verify_all(&claims), "{count}");
            }
        }
    }

    #[test]
    fn a_signature_holds_for_its_own_signer_and_message_only() {
        let mut exchanged = claims(8);
        let (left, right) = exchanged.split_at_mut(4);
        std::mem::swap(&mut left[0].signature, &mut right[0].signature);
        assert!(!verify_all(&exchanged));
        let mut renamed = claims(8);
        renamed[0].signer = renamed[1].signer;
        assert!(!verify_all(&renamed));
        let mut repeated = claims(4);
        repeated.extend(claims(4));
        assert!(verify_all(&repeated));
    }

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
