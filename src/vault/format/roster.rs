//! The roster as text.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::body::{Body, Tables, inline_table, list};
use super::reading::{Signed, SigningContext, bytes32, number, read_signed, sign};
use super::unparsed::Unparsed;
use crate::crypto::{PublicKey, Recipient, SigningKey, base64_decode};
use crate::fault::Fault;
use crate::vault::model::{Access, Former, Listed, Lost, Member, Roster, Signing};
use crate::vault::name::{EnvironmentName, SecretName};

const LABEL: &str = "vault/v1/roster";
/// The path of the roster below `.vault`.
pub const ROSTER_PATH: &str = "members.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: u64,
    vault: String,
    revision: u64,
    floor: u64,
    #[serde(default)]
    environments: BTreeMap<String, ListedFields>,
    #[serde(default)]
    members: BTreeMap<String, MemberFields>,
    #[serde(default)]
    former: BTreeMap<String, FormerFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedFields {
    revision: u64,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberFields {
    recipient: String,
    access: BTreeMap<String, AccessField>,
    signer: Option<String>,
    signing_key: Option<String>,
    admin: Option<bool>,
    authority: Option<String>,
    floor: Option<u64>,
    #[serde(default)]
    lost: BTreeMap<String, LostFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerFields {
    recipient: String,
    signer: Option<String>,
    #[serde(default)]
    lost: BTreeMap<String, LostFields>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AccessField {
    Whole(String),
    Names(BTreeSet<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LostFields {
    epoch: u64,
    names: Option<BTreeSet<String>>,
}

/// Writes the roster, signed by the authority.
#[must_use]
pub fn write_roster(roster: &Roster, key: &SigningKey) -> Vec<u8> {
    let place = SigningContext {
        label: LABEL,
        vault: &roster.vault,
        path: ROSTER_PATH,
        commitment: None,
    };
    sign(&place, body(roster), key)
}

/// Reads the roster.
///
/// # Errors
/// When the file is not exactly as [`write_roster`] would have written its content, or when it
/// contradicts itself: access to an environment that is not listed, a writer without a signing
/// key, two members with one recipient, a name in use twice.
pub fn read_roster(file: &[u8]) -> Result<Signed<Roster>, Fault> {
    read_signed(LABEL, ROSTER_PATH, file, parse, body)
}

/// The roster before it is parsed.
///
/// # Errors
/// When it has no signature.
pub fn roster_file(file: &[u8]) -> Result<Unparsed, Fault> {
    Unparsed::new(LABEL, ROSTER_PATH.to_owned(), file)
}

/// Parses the roster, whose signature was checked.
///
/// # Errors
/// For the same reasons as [`read_roster`].
pub fn parse_roster(file: &Unparsed) -> Result<Roster, Fault> {
    file.parse(parse, body)
}

fn parse(text: &str) -> Option<Roster> {
    let fields: Fields = toml::from_str(text).ok()?;
    let roster = Roster {
        vault: fields.vault.parse().ok()?,
        revision: number(fields.revision)?,
        floor: number(fields.floor)?,
        environments: map(fields.environments, listed)?,
        members: map(fields.members, member)?,
        former: map(fields.former, former)?,
    };
    (fields.format == 1 && is_consistent(&roster)).then_some(roster)
}

fn is_consistent(roster: &Roster) -> bool {
    let mut recipients = BTreeSet::new();
    let members = roster.members.iter().all(|(name, member)| {
        let listed = |environment| roster.environments.contains_key(environment);
        let writes = member
            .access
            .values()
            .any(|access| *access == Access::Write);
        member.access.keys().all(listed)
            && (!writes || member.signing.is_some())
            && recipients.insert(member.recipient.to_string())
            && !roster.former.contains_key(name)
    });
    members && roster.floor <= roster.revision && !roster.members.is_empty()
}

/// Converts names and contents, or nothing where one of them is not acceptable.
fn map<F, K: std::str::FromStr + Ord, T>(
    fields: BTreeMap<String, F>,
    convert: impl Fn(F) -> Option<T>,
) -> Option<BTreeMap<K, T>> {
    fields
        .into_iter()
        .map(|(name, field)| Some((name.parse().ok()?, convert(field)?)))
        .collect()
}

fn listed(ListedFields { revision, sha256 }: ListedFields) -> Option<Listed> {
    Some(Listed {
        revision: number(revision)?,
        sha256: bytes32(&sha256)?,
    })
}

fn member(fields: MemberFields) -> Option<Member> {
    let signing = match (fields.signer, fields.signing_key) {
        (Some(signer), Some(seed)) => Some(Signing {
            signer: public_key(&signer)?,
            seed: base64_decode(&seed)?,
        }),
        (None, None) => None,
        _ => return None,
    };
    let authority = match (fields.admin, fields.authority) {
        (Some(true), Some(seed)) => Some(base64_decode(&seed)?),
        (None, None) => None,
        _ => return None,
    };
    Some(Member {
        recipient: recipient(&fields.recipient)?,
        access: map(fields.access, access)?,
        signing,
        authority,
        credential_floor: fields
            .floor
            .map_or(Some(None), |floor| number(floor).map(Some))?,
        lost: map(fields.lost, lost)?,
    })
}

fn former(fields: FormerFields) -> Option<Former> {
    let signer = fields
        .signer
        .map_or(Some(None), |signer| public_key(&signer).map(Some))?;
    Some(Former {
        recipient: recipient(&fields.recipient)?,
        signer,
        lost: map(fields.lost, lost)?,
    })
}

fn access(field: AccessField) -> Option<Access> {
    match field {
        AccessField::Whole(whole) if whole == "write" => Some(Access::Write),
        AccessField::Whole(whole) if whole == "read" => Some(Access::Read),
        AccessField::Whole(_) => None,
        AccessField::Names(some) => names(some).map(Access::Names),
    }
}

fn lost(fields: LostFields) -> Option<Lost> {
    let names = fields
        .names
        .map_or(Some(None), |some| names(some).map(Some))?;
    Some(Lost {
        epoch: number(fields.epoch)?,
        names,
    })
}

fn names(names: BTreeSet<String>) -> Option<BTreeSet<SecretName>> {
    names.into_iter().map(|name| name.parse().ok()).collect()
}

fn recipient(text: &str) -> Option<Recipient> {
    text.parse().ok()
}

fn public_key(text: &str) -> Option<PublicKey> {
    PublicKey::from_bytes(&base64_decode(text)?)
}

fn body(roster: &Roster) -> String {
    let mut body = Body::new("Who may do what in this vault. Written by vault; safe to commit.");
    body.text("vault", roster.vault);
    body.bare("revision", roster.revision);
    body.bare("floor", roster.floor);
    for (name, listed) in &roster.environments {
        body.table(&format!("[environments.{name}]"));
        body.bare("revision", listed.revision);
        body.bytes("sha256", &listed.sha256);
    }
    for (name, member) in &roster.members {
        body.table(&format!("[members.{name}]"));
        write_member(&mut body, member);
    }
    for (name, former) in &roster.former {
        body.table(&format!("[former.{name}]"));
        body.text("recipient", &former.recipient);
        if let Some(signer) = &former.signer {
            body.bytes("signer", signer.as_bytes());
        }
        write_lost(&mut body, &former.lost);
    }
    body.finish(Tables::Some)
}

fn write_member(body: &mut Body, member: &Member) {
    body.text("recipient", &member.recipient);
    let access = member
        .access
        .iter()
        .map(|(environment, access)| match access {
            Access::Write => format!("{environment} = \"write\""),
            Access::Read => format!("{environment} = \"read\""),
            Access::Names(names) => format!("{environment} = {}", list(names)),
        });
    body.bare("access", inline_table(access));
    if let Some(signing) = &member.signing {
        body.bytes("signer", signing.signer.as_bytes());
        body.bytes("signing_key", &signing.seed);
    }
    if let Some(authority) = &member.authority {
        body.bare("admin", true);
        body.bytes("authority", authority);
    }
    if let Some(floor) = member.credential_floor {
        body.bare("floor", floor);
    }
    write_lost(body, &member.lost);
}

fn write_lost(body: &mut Body, lost: &BTreeMap<EnvironmentName, Lost>) {
    if lost.is_empty() {
        return;
    }
    let lost = lost.iter().map(|(environment, lost)| match &lost.names {
        None => format!("{environment} = {{ epoch = {} }}", lost.epoch),
        Some(names) => {
            format!(
                "{environment} = {{ epoch = {}, names = {} }}",
                lost.epoch,
                list(names)
            )
        }
    });
    body.bare("lost", inline_table(lost));
}
