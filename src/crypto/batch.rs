//! Many Ed25519 signatures checked as one equation.
//!
//! A signature (R, s) of the key A over M holds when s·B = R + k·A with k = SHA-512(R ‖ A ‖ M).
//! Weighted with random numbers z and added up, that is Σz·R + Σ(z·k)·A − (Σz·s)·B = 0, which
//! holds if each does, and else with a chance of 2⁻¹²⁸ (in the prime-order group; see
//! [`super::verify_all`]). The claims of one signer share one multiple of A: a vault has
//! thousands of entries and a handful of signers, so that is half of the work.

use std::collections::BTreeMap;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::signature::Claim;
use super::{PublicKey, random_bytes};

/// Whether the sum over all claims is zero. No claims hold.
pub(super) fn holds(claims: &[Claim]) -> bool {
    sum(claims).is_some_and(|sum| sum.is_identity())
}

/// Nothing where a signature's s is not canonical, or its R is no point or one of small order, all of
/// which strict verification refuses too.
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
