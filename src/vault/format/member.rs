//! A member's file as text.

use std::collections::BTreeMap;

use super::body::{Body, Tables, bytes_of, list, quoted_bytes, recipient_of};
use super::lines::{Lines, Table, if_there, items, unquoted};
use super::reading::{SigningContext, decimal, number, sign};
use super::root::tag;
use super::unparsed::Unparsed;
use crate::crypto::{Commitment, PublicKey, SigningKey, Tag, VaultId};
use crate::fault::Fault;
use crate::vault::model::{Access, Member, Signing};
use crate::vault::name::{EnvironmentName, MemberName};

const LABEL: &str = "vault/v1/member";
/// The folder of the members' files below `.vault`.
pub const MEMBERS: &str = "members";

/// The path of a member's file below `.vault`.
#[must_use]
pub fn member_path(name: &MemberName) -> String {
    format!("{MEMBERS}/{name}.toml")
}

/// Writes the file of `name`, signed by the authority.
#[must_use]
pub fn write_member(
    vault: &VaultId,
    name: &MemberName,
    member: &Member,
    key: &SigningKey,
) -> Vec<u8> {
    let path = member_path(name);
    let place = SigningContext {
        label: LABEL,
        vault,
        path: &path,
        commitment: None,
    };
    sign(&place, body(name, member), key)
}

/// The file of `name` before it is parsed.
///
/// # Errors
/// If it has no signature.
pub fn member_file(name: &MemberName, file: &[u8]) -> Result<Unparsed, Fault> {
    Unparsed::new(LABEL, member_path(name), file)
}

/// Parses the file of `name`, whose signature was checked.
///
/// # Errors
/// If the file is not exactly as [`write_member`] would have written its content, is the file of
/// another member, or contradicts itself: write access without a signing key, or a tag that replaces
/// itself.
pub fn parse_member(name: &MemberName, file: &Unparsed) -> Result<Member, Fault> {
    file.parse(|text| parse(name, text), |member| body(name, member))
}

fn parse(name: &MemberName, text: &str) -> Option<Member> {
    let mut lines = Lines::of(text)?;
    if lines.text("name")? != name.as_str() {
        return None;
    }
    let quoted_tag = |text: &str| tag(unquoted(text)?);
    let mut member = Member {
        revision: number(decimal(lines.bare("revision")?)?)?,
        revocation: if_there(lines.optional("revocation"), quoted_tag)?,
        replaces: if_there(lines.optional("replaces"), quoted_tag)?,
        ..Member::new(recipient_of(lines.text("recipient")?)?)
    };
    if let Some(signer) = lines.optional("signer") {
        member.signing = Some(Signing {
            signer: PublicKey::from_bytes(&bytes(signer)?)?,
            seed: bytes(lines.bare("signing_key")?)?,
        });
    }
    if lines.optional("admin").is_some() {
        member.authority = Some(bytes(lines.bare("authority")?)?);
    }
    let known = |text: &str| Tag::from_bytes(&bytes(text)?);
    member.credential = if_there(lines.optional("credential"), known)?;
    let access = lines.table().filter(|table| table.header == "access")?;
    for (environment, field) in access.fields {
        let read = access_of(field)?;
        member.access.insert(environment.parse().ok()?, read);
    }
    while let Some(table) = lines.table() {
        let environment = table.header.strip_prefix("sealed.")?.parse().ok()?;
        member.sealed.insert(environment, sealed(&table)?);
    }
    is_consistent(&member).then_some(member)
}

fn is_consistent(member: &Member) -> bool {
    let writes = member
        .access
        .values()
        .any(|access| *access == Access::Write);
    let is_new = member.replaces.is_none() || member.revocation.is_some();
    is_new
        && (member.replaces.is_none() || member.replaces != member.revocation)
        && (!writes || member.signing.is_some())
}

fn access_of(field: &str) -> Option<Access> {
    Some(match field {
        "\"write\"" => Access::Write,
        "\"read\"" => Access::Read,
        names => {
            let names = items(names)?.into_iter().map(|name| name.parse().ok());
            Access::Names(names.collect::<Option<_>>()?)
        }
    })
}

fn sealed(table: &Table<'_>) -> Option<BTreeMap<Commitment, Vec<u8>>> {
    let read = |(commitment, payload): &(&str, &str)| {
        let commitment = Commitment(bytes(commitment)?.try_into().ok()?);
        Some((commitment, bytes(payload)?))
    };
    table.fields.iter().map(read).collect()
}

fn bytes(quoted: &str) -> Option<Vec<u8>> {
    bytes_of(unquoted(quoted)?)
}

fn body(name: &MemberName, member: &Member) -> String {
    let mut body = Body::new(&format!(
        "The keys and the access of {name}. Written by vault; safe to commit."
    ));
    body.text("name", name);
    body.bare("revision", member.revision);
    if let Some(tag) = &member.revocation {
        body.bytes("revocation", tag.as_bytes());
    }
    if let Some(tag) = &member.replaces {
        body.bytes("replaces", tag.as_bytes());
    }
    body.recipient(&member.recipient);
    if let Some(signing) = &member.signing {
        body.bytes("signer", signing.signer.as_bytes());
        body.bytes("signing_key", &signing.seed);
    }
    if let Some(authority) = &member.authority {
        body.bare("admin", true);
        body.bytes("authority", authority);
    }
    if let Some(tag) = &member.credential {
        body.bytes("credential", tag.as_bytes());
    }
    body.table("[access]");
    for (environment, access) in &member.access {
        body.bare(environment.as_str(), spelled(access));
    }
    for (environment, keys) in &member.sealed {
        write_sealed(&mut body, environment, keys);
    }
    body.finish(Tables::Some)
}

fn spelled(access: &Access) -> String {
    match access {
        Access::Write => "\"write\"".to_owned(),
        Access::Read => "\"read\"".to_owned(),
        Access::Names(names) => list(names),
    }
}

/// In the order of the commitments' text.
fn write_sealed(
    body: &mut Body,
    environment: &EnvironmentName,
    keys: &BTreeMap<Commitment, Vec<u8>>,
) {
    if keys.is_empty() {
        return;
    }
    body.table(format_args!("[sealed.{environment}]"));
    let mut lines: Vec<(String, &Vec<u8>)> = keys
        .iter()
        .map(|(commitment, payload)| (quoted_bytes(&commitment.0), payload))
        .collect();
    lines.sort();
    for (commitment, payload) in lines {
        body.bytes(&commitment, payload);
    }
}
