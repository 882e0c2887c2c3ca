//! Signatures that somebody claims to have made, and many of them checked as one equation.
//!
//! A signature (R, s) of the key A over M holds when s·B = R + k·A with k = SHA-512(R ‖ A ‖ M).
//! Weighted with random numbers z and added up, that is Σz·R + Σ(z·k)·A − (Σz·s)·B = 0, which
//! holds if each does, and else with a chance of 2⁻¹²⁸ (in the prime-order group; see
//! [`verify_all`]). The claims of one signer share one multiple of A: a vault has
//! thousands of entries and a handful of signers, so that is half of the work.

use std::collections::BTreeMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::random_bytes;
use super::signature::{PublicKey, Signature};

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
    if claims.len() < 4 {
        claims.iter().all(Claim::holds)
    } else {
        sum(claims).is_some_and(|sum| sum.is_identity())
    }
}

/// The sum over all claims, which is zero where all hold. Nothing where a signature's s is not
/// canonical, or its R is no point or one of small order, all of which strict verification refuses
/// too.
fn sum(claims: &[Claim]) -> Option<EdwardsPoint> {
    let mut weights = vec![0; 16 * claims.len()];
    random_bytes(&mut weights);
    let mut scalars = Vec::with_capacity(claims.len() + 2);
    let mut points = Vec::with_capacity(claims.len() + 2);
    let mut signers: BTreeMap<PublicKey, Scalar> = BTreeMap::new();
    let mut base = Scalar::ZERO;
    for (claim, weight) in claims.iter().zip(weights.as_chunks().0) {
        let weight = Scalar::from(u128::from_le_bytes(*weight));
        let s: Option<Scalar> = Scalar::from_canonical_bytes(*claim.signature.s()).into();
        base += weight * s?;
        *signers.entry(claim.signer).or_default() += weight * challenge(claim);
        scalars.push(weight);
        let r = CompressedEdwardsY(*claim.signature.r()).decompress()?;
        points.push(Some(r).filter(|r| !r.is_small_order())?);
    }
    for (signer, scalar) in signers {
        scalars.push(scalar);
        points.push(signer.point());
    }
    scalars.push(-base);
    points.push(ED25519_BASEPOINT_POINT);
    Some(EdwardsPoint::vartime_multiscalar_mul(&scalars, &points))
}

/// The k of RFC 8032.
fn challenge(claim: &Claim) -> Scalar {
    let mut hash = Sha512::new();
    hash.update(claim.signature.r());
    hash.update(claim.signer.as_bytes());
    hash.update(&claim.message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;
    use crate::crypto::SigningKey;

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
}
