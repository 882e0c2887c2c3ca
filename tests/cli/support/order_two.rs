//! Signatures with the point of order two added.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use repovault::crypto::base64_encode;
use sha2::{Digest, Sha512};

use crate::support::craft;
use crate::support::sandbox::Sandbox;

/// The text of an entry with such a signature by its signer, alice.
pub(crate) fn signature_of_order_two(sandbox: &Sandbox, environment: &str, name: &str) -> String {
    let path = format!("{environment}/{name}.toml");
    let body = craft::body(sandbox, &path);
    let message = craft::message(sandbox, &path, body.as_bytes());
    let key = craft::signing_key(sandbox, environment);
    let hash: [u8; 64] = Sha512::digest(key.seed().expose()).into();
    let secret = clamp_integer(hash[..32].try_into().unwrap());
    let secret = Scalar::from_bytes_mod_order(secret);
    let number = Scalar::from(0x1234_5678_u64);
    let r = (number * BASE + EIGHT_TORSION[4]).compress().to_bytes();
    let mut hash = Sha512::new();
    hash.update(r);
    hash.update(key.public().as_bytes());
    hash.update(&message);
    let s = number + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret;
    let signature = base64_encode(&[r, s.to_bytes()].concat());
    format!("{body}signature = \"b64:{signature}\"\n")
}
