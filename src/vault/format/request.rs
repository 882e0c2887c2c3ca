//! Requests to join as text, and the fingerprint by which two people know one.

use super::body::{Body, Tables, bech32_of, bytes_of, recipient_of};
use super::lines::Lines;
use super::reading::{Signed, SigningContext, read_signed, sign};
use crate::crypto::{Fingerprint, Framed, PublicKey, SigningKey, VaultId};
use crate::fault::Fault;
use crate::vault::model::{Member, Request, Signing};
use crate::vault::name::MemberName;

const LABEL: &str = "vault/v1/request";
/// The folder of the requests below `.vault`.
pub const REQUESTS: &str = "requests";
/// The largest sealed seed in bytes, several times what age makes of it: a stranger writes it, and
/// it goes into the member's file as it is.
const LONGEST_SEED: usize = 4096;

/// The path of a request below `.vault`.
#[must_use]
pub fn request_path(name: &MemberName) -> String {
    format!("{REQUESTS}/{name}.toml")
}

/// Writes the request, signed by its own signer.
#[must_use]
pub fn write_request(request: &Request, key: &SigningKey) -> Vec<u8> {
    let path = request_path(&request.name);
    let place = SigningContext {
        label: LABEL,
        vault: &request.vault,
        path: &path,
        commitment: None,
    };
    sign(&place, body(request), key)
}

/// Reads the request of `name`.
///
/// # Errors
/// If the file is not exactly as [`write_request`] would have written its content.
pub fn read_request(name: &MemberName, file: &[u8]) -> Result<Signed<Request>, Fault> {
    read_signed(LABEL, &request_path(name), file, parse, body)
}

/// The fingerprint that two people compare. It covers the whole request, which is all of the
/// member's later record except the access.
#[must_use]
pub fn fingerprint(request: &Request) -> Fingerprint {
    let place = Framed::new("vault/v1/join")
        .part(request.vault.as_bytes())
        .part(request_path(&request.name).as_bytes());
    Fingerprint::of(&place.part(body(request).as_bytes()).into_bytes())
}

/// The request that would have led to this record of `member`, or `None` for one without a signing
/// key.
#[must_use]
pub fn request_of(vault: &VaultId, name: &MemberName, member: &Member) -> Option<Request> {
    Some(Request {
        name: name.clone(),
        vault: *vault,
        recipient: member.recipient.clone(),
        signing: member.signing.clone()?,
    })
}

/// By its lines, with no work for whatever else anyone may have written there.
fn parse(body: &str) -> Option<Request> {
    let mut lines = Lines::of(body)?;
    let request = Request {
        name: lines.text("name")?.parse().ok()?,
        vault: bech32_of(lines.text("vault")?)?.parse().ok()?,
        recipient: recipient_of(lines.text("recipient")?)?,
        signing: Signing {
            signer: PublicKey::from_bytes(&bytes_of(lines.text("signer")?)?)?,
            seed: bytes_of(lines.text("signing_key")?).filter(|seed| seed.len() <= LONGEST_SEED)?,
        },
    };
    lines.is_at_end().then_some(request)
}

fn body(request: &Request) -> String {
    let name = &request.name;
    let mut body = Body::new(&format!(
        "{name} asks to join. Written by vault; safe to commit."
    ));
    body.text("name", name);
    body.bech32("vault", request.vault);
    body.recipient(&request.recipient);
    body.bytes("signer", request.signing.signer.as_bytes());
    body.bytes("signing_key", &request.signing.seed);
    body.finish(Tables::None)
}
