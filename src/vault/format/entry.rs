//! Entries as text, and the place in which a sealed value opens.

use super::body::{Body, Tables, bytes_of};
use super::lines::{Lines, unquoted};
use super::reading::{Signed, SigningContext, decimal, number, read_signed, sign};
use crate::crypto::{Commitment, Framed, SigningKey, VaultId, is_sealed_length};
use crate::fault::Fault;
use crate::vault::model::{Entry, LONGEST_VALUE, Moment};
use crate::vault::name::{EnvironmentName, SecretName};

const LABEL: &str = "vault/v1/entry";

/// The path of an entry below `.vault`.
#[must_use]
pub fn entry_path(environment: &EnvironmentName, name: &SecretName) -> String {
    [environment.as_str(), "/", &name.file()].concat()
}

/// The associated data of a sealed value: all facts that bind it to its place.
#[must_use]
pub fn sealing_context(
    vault: &VaultId,
    environment: &EnvironmentName,
    name: &SecretName,
    commitment: &Commitment,
    entry: &Entry,
) -> Vec<u8> {
    Framed::new("vault/v1/sealed")
        .part(vault.as_bytes())
        .part(environment.as_str().as_bytes())
        .part(name.as_str().as_bytes())
        .number(entry.epoch)
        .part(&commitment.0)
        .number(entry.origin)
        .number(entry.revision)
        .into_bytes()
}

/// Writes and signs the entry `name` of `environment`, whose epoch has this commitment.
#[must_use]
pub fn write_entry(
    vault: &VaultId,
    environment: &EnvironmentName,
    name: &SecretName,
    commitment: &Commitment,
    entry: &Entry,
    key: &SigningKey,
) -> Vec<u8> {
    let path = entry_path(environment, name);
    let place = SigningContext {
        label: LABEL,
        vault,
        path: &path,
        commitment: Some(commitment),
    };
    sign(&place, body(environment, name, entry), key)
}

/// Reads the entry `name` of `environment`.
///
/// # Errors
/// If the file is not exactly as [`write_entry`] would have written its content.
pub fn read_entry(
    environment: &EnvironmentName,
    name: &SecretName,
    file: &[u8],
) -> Result<Signed<Entry>, Fault> {
    let path = entry_path(environment, name);
    read_signed(LABEL, &path, file, parse, |entry| {
        body(environment, name, entry)
    })
}

/// An environment has thousands of entries, so they are taken apart by their lines; an entry in any
/// other form of TOML would not be accepted anyway.
fn parse(body: &str) -> Option<Entry> {
    let mut lines = Lines::of(body)?;
    let mut entry = Entry {
        epoch: number(decimal(lines.bare("epoch")?)?)?,
        origin: number(decimal(lines.bare("origin")?)?)?,
        revision: number(decimal(lines.bare("revision")?)?)?,
        changed: Moment::parse(lines.bare("changed")?)?,
        author: lines.text("author")?.parse().ok()?,
        signer: lines.text("signer")?.parse().ok()?,
        sealed: None,
    };
    match lines.next()? {
        ("sealed", sealed) => entry.sealed = Some(bytes_of(unquoted(sealed)?)?),
        ("removed", "true") => {}
        _ => return None,
    }
    let fits = |sealed: &Vec<u8>| is_sealed_length(sealed, LONGEST_VALUE);
    let is_sound =
        entry.origin <= entry.epoch && entry.sealed.as_ref().is_none_or(fits) && lines.is_at_end();
    is_sound.then_some(entry)
}

fn body(environment: &EnvironmentName, name: &SecretName, entry: &Entry) -> String {
    let state = if entry.sealed.is_some() {
        "encrypted"
    } else {
        "removed"
    };
    let mut body = Body::new(&format!(
        "{name} in {environment}, {state} by vault. Safe to commit."
    ));
    body.bare("epoch", entry.epoch);
    body.bare("origin", entry.origin);
    body.bare("revision", entry.revision);
    body.bare("changed", entry.changed.as_str());
    body.text("author", &entry.author);
    body.text("signer", &entry.signer);
    match &entry.sealed {
        Some(sealed) => body.bytes("sealed", sealed),
        None => body.bare("removed", true),
    }
    body.finish(Tables::None)
}
