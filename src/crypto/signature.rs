//! Ed25519 (RFC 8032) with strict verification, and many signatures at once.

use std::thread;

use ed25519_dalek::{Signer as _, VerifyingKey};

use super::random_key;
use crate::secret::Key;

/// From how many claims on two threads share the work.
const SHARED: usize = 64;

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
        let usable = !key.is_weak() && point.is_torsion_free();
        (usable && point.compress().as_bytes() == bytes).then_some(Self(key))
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether `signature` is this key's over `message` (strict: no small-order point, canonical
    /// scalar, the equation without cofactor).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, &signature.0).is_ok()
    }
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
    if claims.len() < SHARED {
        return verify_together(claims);
    }
    let (left, right) = claims.split_at(claims.len() / 2);
    thread::scope(|scope| {
        let left = scope.spawn(|| verify_together(left));
        verify_together(right) && left.join().unwrap_or(false)
    })
}

fn verify_together(claims: &[Claim]) -> bool {
    // Below four the weights cost more than they save.
    if claims.len() < 4 {
        return claims.iter().all(Claim::holds);
    }
    let messages: Vec<&[u8]> = claims.iter().map(|claim| &claim.message[..]).collect();
    let signatures: Vec<_> = claims.iter().map(|claim| claim.signature.0).collect();
    let keys: Vec<_> = claims.iter().map(|claim| claim.signer.0).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

#[cfg(test)]
mod tests {
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
    fn a_key_of_small_order_is_no_public_key() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(PublicKey::from_bytes(&neutral).is_none());
        assert!(PublicKey::from_bytes(&[0; 32]).is_none());
        assert!(PublicKey::from_bytes(&[1; 31]).is_none());
    }
}
