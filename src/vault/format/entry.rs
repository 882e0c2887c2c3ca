//! Entries as text, and the place in which a sealed value opens.

use serde::Deserialize;
use toml::value::Datetime;

use super::body::{Body, Tables};
use super::reading::{Place, Signed, number, read, sign};
use crate::crypto::{Commitment, Framed, SigningKey, VaultId, base64_decode, is_sealed_length};
use crate::fault::Fault;
use crate::vault::model::{Entry, LONGEST_VALUE, Moment};
use crate::vault::name::{EnvironmentName, SecretName};

const LABEL: &str = "vault/v1/entry";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: u64,
    epoch: u64,
    origin: u64,
    revision: u64,
    changed: Datetime,
    author: String,
    signer: String,
    removed: Option<bool>,
    sealed: Option<String>,
}

/// The path of an entry below `.vault`.
#[must_use]
pub fn entry_path(environment: &EnvironmentName, name: &SecretName) -> String {
    format!("{environment}/{}", name.file())
}

/// The associated data of a sealed value: everything that says where it belongs.
#[must_use]
pub fn sealed_place(
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
    let place = Place { label: LABEL, vault, path: &path, commitment: Some(commitment) };
    sign(&place, body(environment, name, entry), key)
}

/// Reads the entry `name` of `environment`.
///
/// # Errors
/// When the file is not exactly as [`write_entry`] would have written its content.
pub fn read_entry(
    environment: &EnvironmentName,
    name: &SecretName,
    file: &[u8],
) -> Result<Signed<Entry>, Fault> {
    let path = entry_path(environment, name);
    read(LABEL, &path, file, convert, |entry| body(environment, name, entry))
}

fn convert(fields: Fields) -> Option<Entry> {
    let sealed = match (fields.removed, fields.sealed) {
        (None, Some(sealed)) => {
            Some(base64_decode(&sealed).filter(|bytes| is_sealed_length(bytes, LONGEST_VALUE))?)
        }
        (Some(true), None) => None,
        _ => return None,
    };
    let entry = Entry {
        epoch: number(fields.epoch)?,
        origin: number(fields.origin)?,
        revision: number(fields.revision)?,
        changed: Moment::parse(&fields.changed.to_string())?,
        author: fields.author.parse().ok()?,
        signer: fields.signer.parse().ok()?,
        sealed,
    };
    (fields.format == 1 && entry.origin <= entry.epoch).then_some(entry)
}

fn body(environment: &EnvironmentName, name: &SecretName, entry: &Entry) -> String {
    let state = if entry.sealed.is_some() { "encrypted" } else { "removed" };
    let mut body =
        Body::new(&format!("{name} in {environment}, {state} by vault. Safe to commit."));
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
