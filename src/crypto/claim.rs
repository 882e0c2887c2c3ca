//! Claimed signatures, many of which are checked as one equation.
//!
//! A signature (R, s) of the key A over M holds when `[8]`(s·B − R − k·A) = 0 with k = SHA-512(R ‖ A ‖
//! M). Weighted with random numbers z and added up, that is `[8]`(Σz·R + Σ(z·k)·A − (Σz·s)·B) = 0, which
//! holds if each does, and else with a chance of 2⁻¹²⁸: the factor 8 takes away what is of small
//! order, so nothing is left that weights could cancel by luck. The claims of one signer share one
//! multiple of A: a vault has thousands of entries and a handful of signers, so that is half of the
//! work.

use std::collections::BTreeMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};

use super::random_bytes;
use super::signature::{PublicKey, Signature};

/// A claimed signature.
pub struct Claim {
    /// Who.
    pub signer: PublicKey,
    /// Over what.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

impl Claim {
    /// Whether it holds, judged alone.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.signer.verifies(&self.message, &self.signature)
    }
}

/// Whether every claim holds.
///
/// Many are checked as one equation with random weights, which is several times faster and gives the
/// answer that each alone would give.
#[must_use]
pub fn verify_all(claims: &[Claim]) -> bool {
    // Below four the weights cost more than they save.
    if claims.len() < 4 {
        claims.iter().all(Claim::holds)
    } else {
        sum(claims).is_some_and(|sum| sum.mul_by_cofactor().is_identity())
    }
}

/// The sum over all claims. Eight times the sum is zero if all hold. Returns `None` if a signature's
/// s or R is not canonical.
fn sum(claims: &[Claim]) -> Option<EdwardsPoint> {
    let mut weights = vec![0; 16 * claims.len()];
    random_bytes(&mut weights);
    let mut scalars = Vec::with_capacity(claims.len() + 2);
    let mut points = Vec::with_capacity(claims.len() + 2);
    let mut signers: BTreeMap<PublicKey, Scalar> = BTreeMap::new();
    let mut base = Scalar::ZERO;
    for (claim, weight) in claims.iter().zip(weights.as_chunks().0) {
        let weight = Scalar::from(u128::from_le_bytes(*weight));
        let (r, s) = claim.signature.parts()?;
        base += weight * s;
        let k = claim.signature.challenge(&claim.signer, &claim.message);
        *signers.entry(claim.signer).or_default() += weight * k;
        scalars.push(weight);
        points.push(r);
    }
    for (signer, scalar) in signers {
        scalars.push(scalar);
        points.push(signer.point());
    }
    scalars.push(-base);
    points.push(ED25519_BASEPOINT_POINT);
    Some(EdwardsPoint::vartime_multiscalar_mul(&scalars, &points))
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};

    use super::*;
    use crate::crypto::SigningKey;

    /// Their sources are named there.
    const VECTORS: &str = include_str!("../../tests/vectors/ed25519.txt");

    fn claims(count: usize) -> Vec<Claim> {
        let keys = [SigningKey::generate(), SigningKey::generate()];
        (0..count)
            .map(|n| {
                let message = n.to_string().into_bytes();
                let key = &keys[n % 2];
                Claim {
                    signer: key.public(),
                    signature: key.sign(&message),
                    message,
                }
            })
            .collect()
    }

    #[test]
    fn one_false_claim_is_found_at_every_position() {
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
    fn noncanonical_claim_is_refused_alone_and_in_a_batch() {
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

    /// The owner of the secret scalar can choose R, and solve for s.
    fn bent(secret: Scalar, r: Scalar, torsion: &EdwardsPoint, message: &[u8]) -> Claim {
        let signer = PublicKey::from_bytes((secret * BASE).compress().as_bytes()).unwrap();
        let r_bytes = (r * BASE + torsion).compress().to_bytes();
        let half = Signature::from_bytes(&[r_bytes, [0; 32]].concat()).unwrap();
        let s = r + half.challenge(&signer, message) * secret;
        let signature = Signature::from_bytes(&[r_bytes, s.to_bytes()].concat()).unwrap();
        Claim {
            signer,
            message: message.to_vec(),
            signature,
        }
    }

    #[test]
    fn signature_of_order_two_has_one_answer_alone_and_in_a_batch() {
        for torsion in EIGHT_TORSION {
            for r in [Scalar::ZERO, Scalar::from(9_u8)] {
                for count in [0, 3, 8, 64] {
                    let mut claims = claims(count);
                    claims.push(bent(Scalar::from(7_u8), r, &torsion, b"message"));
                    // With weights that change from run to run.
                    assert!((0..8).all(|_| verify_all(&claims)), "{count}");
                    claims.last_mut().unwrap().message.push(0);
                    assert!(!(0..8).any(|_| verify_all(&claims)), "{count}");
                }
            }
        }
    }

    #[test]
    fn published_edge_cases_have_one_answer_alone_and_in_a_batch() {
        let bytes = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
                .collect()
        };
        let mut kinds = [0, 0];
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let [_, _, key, signature, message, holds] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let claim = PublicKey::from_bytes(&bytes(key)).map(|signer| Claim {
                signer,
                message: bytes(message),
                signature: Signature::from_bytes(&bytes(signature)).unwrap(),
            });
            let expected = holds == "yes";
            kinds[usize::from(expected)] += 1;
            assert_eq!(claim.as_ref().is_some_and(Claim::holds), expected, "{line}");
            let Some(claim) = claim else { continue };
            let mut many = claims(7);
            many.push(claim);
            assert!((0..16).all(|_| verify_all(&many) == expected), "{line}");
        }
        assert_eq!(kinds, [18, 12]);
    }

    #[test]
    fn signature_is_valid_only_for_its_signer_and_message() {
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
