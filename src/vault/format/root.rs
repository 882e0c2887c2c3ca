//! The root as text.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::body::{Body, Tables, bech32_of, bytes_of, inline_table, list, quoted_bytes};
use super::lines::{Lines, Table, if_there, items, unquoted};
use super::reading::{SigningContext, decimal, number, sign};
use super::unparsed::Unparsed;
use crate::crypto::{Commitment, SigningKey, Tag};
use crate::fault::Fault;
use crate::vault::model::{Environment, Epoch, Former, Lost, Reduced, Root};
use crate::vault::name::EnvironmentName;

const LABEL: &str = "vault/v1/root";
/// The path of the root below `.vault`.
pub const ROOT_PATH: &str = "root.toml";

/// Writes the root, signed by the authority.
#[must_use]
pub fn write_root(root: &Root, key: &SigningKey) -> Vec<u8> {
    let place = SigningContext {
        label: LABEL,
        vault: &root.vault,
        path: ROOT_PATH,
        commitment: None,
    };
    sign(&place, body(root), key)
}

/// The root before it is parsed.
///
/// # Errors
/// If it has no signature.
pub fn root_file(file: &[u8]) -> Result<Unparsed, Fault> {
    Unparsed::new(LABEL, ROOT_PATH.to_owned(), file)
}

/// Parses the root, whose signature was checked.
///
/// # Errors
/// If the file is not exactly as [`write_root`] would have written its content, or contradicts
/// itself: a tag listed twice, a member's tag that is not listed, or epochs that are out of order.
pub fn parse_root(file: &Unparsed) -> Result<Root, Fault> {
    file.parse(parse, body)
}

fn parse(text: &str) -> Option<Root> {
    let mut lines = Lines::of(text)?;
    let mut root = Root {
        vault: bech32_of(lines.text("vault")?)?.parse().ok()?,
        revision: number(decimal(lines.bare("revision")?)?)?,
        revocations: items(lines.bare("revocations")?)?
            .into_iter()
            .map(tag)
            .collect::<Option<_>>()?,
        environments: BTreeMap::new(),
        members: BTreeMap::new(),
        former: BTreeMap::new(),
    };
    while let Some(table) = lines.table() {
        let (kind, name) = table.header.split_once('.')?;
        match kind {
            "environments" => add_epoch(&mut root, name.parse().ok()?, &table)?,
            "members" => drop(root.members.insert(name.parse().ok()?, reduced(&table)?)),
            "former" => drop(root.former.insert(name.parse().ok()?, former(&table)?)),
            _ => return None,
        }
    }
    is_consistent(&root).then_some(root)
}

fn is_consistent(root: &Root) -> bool {
    let tags: BTreeSet<&Tag> = root.revocations.iter().collect();
    let mut reduced = root.members.values();
    tags.len() == root.revocations.len()
        && reduced.all(|own| own.revocation.is_none_or(|tag| tags.contains(&tag)))
        && root.environments.values().all(has_ordered_epochs)
}

/// Numbers fall after the newest, and equal ones are in the order of their commitments' text.
fn has_ordered_epochs(environment: &Environment) -> bool {
    let commitments: BTreeSet<Commitment> = environment
        .epochs
        .iter()
        .map(|epoch| epoch.commitment)
        .collect();
    let is_newest = |pair: &[Epoch]| pair[0].number > pair[1].number;
    environment.epochs.windows(2).take(1).all(is_newest)
        && environment.epochs.is_sorted_by_key(Epoch::place)
        && commitments.len() == environment.epochs.len()
}

fn add_epoch(root: &mut Root, name: EnvironmentName, table: &Table<'_>) -> Option<()> {
    let epoch = Epoch {
        number: number(decimal(table.get("number")?)?)?,
        commitment: Commitment(bytes32(table.get("commitment")?)?),
    };
    match (table.get("given"), root.environments.get_mut(&name)) {
        (None, Some(environment)) => environment.epochs.push(epoch),
        (Some(given), None) => {
            let given = items(given)?;
            let environment = Environment {
                name: name.clone(),
                epochs: vec![epoch],
                given: given
                    .into_iter()
                    .map(|name| name.parse().ok())
                    .collect::<Option<_>>()?,
            };
            root.environments.insert(name, environment);
        }
        _ => return None,
    }
    Some(())
}

fn reduced(table: &Table<'_>) -> Option<Reduced> {
    let revocation = if_there(table.get("revocation"), |text| tag(unquoted(text)?))?;
    let lost = lost(table.get("lost"))?;
    (revocation.is_some() || !lost.is_empty()).then_some(Reduced { revocation, lost })
}

fn former(table: &Table<'_>) -> Option<Former> {
    Some(Former {
        recipient: if_there(table.get("recipient"), bytes32)?,
        signer: if_there(table.get("signer"), bytes32)?,
        lost: lost(table.get("lost"))?,
    })
}

/// The tag of a text without its quotes.
pub(super) fn tag(text: &str) -> Option<Tag> {
    let tag = Tag::from_bytes(&bytes_of(text)?)?;
    (!tag.is_none()).then_some(tag)
}

fn bytes32(quoted: &str) -> Option<[u8; 32]> {
    bytes_of(unquoted(quoted)?)?.try_into().ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LostFields {
    epoch: u64,
    names: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
struct LostLine {
    lost: BTreeMap<String, LostFields>,
}

fn lost(value: Option<&str>) -> Option<BTreeMap<EnvironmentName, Lost>> {
    let Some(value) = value else {
        return Some(BTreeMap::new());
    };
    let line: LostLine = toml::from_str(&format!("lost = {value}")).ok()?;
    let read = |(name, fields): (String, LostFields)| {
        let names = fields.names.map_or(Some(None), |names| {
            let names: Option<_> = names.iter().map(|name| name.parse().ok()).collect();
            names.map(Some)
        })?;
        let epoch = number(fields.epoch)?;
        Some((name.parse().ok()?, Lost { epoch, names }))
    };
    line.lost.into_iter().map(read).collect()
}

fn body(root: &Root) -> String {
    let mut body = Body::new(
        "The environments, epochs, and revocations of this vault. Written by vault; safe to commit.",
    );
    body.bech32("vault", root.vault);
    body.bare("revision", root.revision);
    let tags = root
        .revocations
        .iter()
        .map(|tag| quoted_bytes(tag.as_bytes()));
    let tags: Vec<String> = tags.collect();
    body.bare("revocations", format_args!("[{}]", tags.join(", ")));
    for (name, environment) in &root.environments {
        for (at, epoch) in environment.epochs.iter().enumerate() {
            body.table(format_args!("[[environments.{name}]]"));
            body.bare("number", epoch.number);
            body.bytes("commitment", &epoch.commitment.0);
            if at == 0 {
                body.bare("given", list(&environment.given));
            }
        }
    }
    for (name, reduced) in &root.members {
        body.table(format_args!("[members.{name}]"));
        if let Some(tag) = &reduced.revocation {
            body.bytes("revocation", tag.as_bytes());
        }
        write_lost(&mut body, &reduced.lost);
    }
    for (name, former) in &root.former {
        body.table(format_args!("[former.{name}]"));
        if let Some(recipient) = &former.recipient {
            body.bytes("recipient", recipient);
        }
        if let Some(signer) = &former.signer {
            body.bytes("signer", signer);
        }
        write_lost(&mut body, &former.lost);
    }
    body.finish(Tables::Some)
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
