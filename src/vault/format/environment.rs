//! Environments as text.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::body::{Body, Tables};
use super::reading::{Signed, SigningContext, bytes32, number, read_signed, sign};
use super::unparsed::Unparsed;
use crate::crypto::{Commitment, SigningKey, VaultId, base64_decode};
use crate::fault::Fault;
use crate::vault::model::{Environment, Epoch};
use crate::vault::name::EnvironmentName;

const LABEL: &str = "vault/v1/environment";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: u64,
    environment: String,
    revision: u64,
    epochs: Vec<EpochFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochFields {
    number: u64,
    commitment: String,
    sealed: BTreeMap<String, String>,
}

/// The path of an environment's file below `.vault`.
#[must_use]
pub fn environment_path(environment: &EnvironmentName) -> String {
    format!("{environment}.toml")
}

/// Writes an environment's file, signed by the authority.
#[must_use]
pub fn write_environment(vault: &VaultId, environment: &Environment, key: &SigningKey) -> Vec<u8> {
    let path = environment_path(&environment.name);
    let place = SigningContext {
        label: LABEL,
        vault,
        path: &path,
        commitment: None,
    };
    sign(&place, body(environment), key)
}

/// Reads the file of `name`.
///
/// # Errors
/// When the file is not exactly as [`write_environment`] would have written its content, or is
/// the file of another environment.
pub fn read_environment(name: &EnvironmentName, file: &[u8]) -> Result<Signed<Environment>, Fault> {
    let signed = read_signed(LABEL, &environment_path(name), file, parse, body)?;
    check_name(name, &signed.content.name)?;
    Ok(signed)
}

/// The file of `name` before it is parsed.
///
/// # Errors
/// When it has no signature, or names another environment.
pub fn environment_file(name: &EnvironmentName, file: &[u8]) -> Result<Unparsed, Fault> {
    let unparsed = Unparsed::new(LABEL, environment_path(name), file)?;
    // Said before the signature, which covers the path, so does not hold for another one either.
    let named = unparsed
        .third_line("environment")
        .and_then(|named| named.parse().ok());
    named.map_or(Ok(()), |named| check_name(name, &named))?;
    Ok(unparsed)
}

/// Parses the file of `name`, whose signature was checked.
///
/// # Errors
/// For the same reasons as [`read_environment`].
pub fn parse_environment(name: &EnvironmentName, file: &Unparsed) -> Result<Environment, Fault> {
    let content = file.parse(parse, body)?;
    check_name(name, &content.name)?;
    Ok(content)
}

fn check_name(name: &EnvironmentName, named: &EnvironmentName) -> Result<(), Fault> {
    if named == name {
        return Ok(());
    }
    let reason = format!("is the file of the environment {named}");
    Err(Fault::damaged_file(&environment_path(name), reason))
}

fn parse(text: &str) -> Option<Environment> {
    let fields: Fields = toml::from_str(text).ok()?;
    let epochs: Vec<Epoch> = fields
        .epochs
        .into_iter()
        .map(epoch)
        .collect::<Option<_>>()?;
    let descending = epochs
        .windows(2)
        .all(|pair| pair[0].number > pair[1].number);
    (fields.format == 1 && !epochs.is_empty() && descending).then_some(())?;
    Some(Environment {
        name: fields.environment.parse().ok()?,
        revision: number(fields.revision)?,
        epochs,
    })
}

fn epoch(fields: EpochFields) -> Option<Epoch> {
    let sealed = fields.sealed.into_iter();
    Some(Epoch {
        number: number(fields.number)?,
        commitment: Commitment(bytes32(&fields.commitment)?),
        sealed: sealed
            .map(|(member, sealed)| Some((member.parse().ok()?, base64_decode(&sealed)?)))
            .collect::<Option<_>>()?,
    })
}

fn body(environment: &Environment) -> String {
    let name = &environment.name;
    let mut body = Body::new(&format!(
        "The data keys of {name}, each sealed to one member. Written by vault; safe to commit."
    ));
    body.text("environment", name);
    body.bare("revision", environment.revision);
    for epoch in &environment.epochs {
        body.table("[[epochs]]");
        body.bare("number", epoch.number);
        body.bytes("commitment", &epoch.commitment.0);
        if epoch.sealed.is_empty() {
            body.bare("sealed", "{}");
        }
        for (member, sealed) in &epoch.sealed {
            body.bytes(&format!("sealed.{member}"), sealed);
        }
    }
    body.finish(Tables::Some)
}
