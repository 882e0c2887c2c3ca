//! `vault list`: what is in an environment. Needs no key, shows no value.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::json;

use crate::fault::Fault;
use crate::session::context::Context;
use crate::session::open::{FORKED, choose_environment, folder, tree};
use crate::vault::name::EnvironmentName;
use crate::vault::store::Place;
use crate::vault::trust::{CheckedEntry, Pin, Presented, Standing, State, Trust, Vault};

const UNKNOWN: &str = "consistent, but nobody has said yet that this is the right vault";

/// How a list is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Table,
    Json,
}

pub(crate) fn list(
    context: &mut Context,
    environments: &[EnvironmentName],
    style: Style,
) -> Result<(), Fault> {
    let place = context.place()?;
    let config = Context::config(&place)?;
    let (vault, credential) = open_without_key(context, &place)?;
    let mut names = environments.to_vec();
    if names.is_empty() {
        names.push(choose_environment(context, &config, None, credential, &vault)?);
    }
    let mut rows = Vec::new();
    for name in &names {
        let environment = vault.environment(name)?;
        let entries = vault.entries(&environment)?;
        let live = entries.into_iter().filter(|entry| entry.content().sealed.is_some());
        rows.extend(live.map(|entry| (name.clone(), entry)));
    }
    match style {
        Style::Json => context.console.json(json(&rows)),
        Style::Table if rows.is_empty() => {
            context.console.note("no secrets yet; set one: vault set NAME");
            Ok(())
        }
        Style::Table => context.console.line(table(&rows, names.len())),
    }
}

/// The vault as anybody can check it, with the environment of a machine's credential. Where there
/// is no pin, says so.
pub(super) fn open_without_key(
    context: &mut Context,
    place: &Place,
) -> Result<(Vault, Option<EnvironmentName>), Fault> {
    let (trust, credential) = keyless_trust(context)?;
    let presented = Presented::read(tree(place)?)?;
    match presented.judge(&trust, &folder(place))? {
        Standing::Unknown => context.console.warn(UNKNOWN),
        Standing::Forked => context.console.warn(FORKED),
        Standing::Trusted => {}
    }
    Ok((presented.accept()?, credential))
}

/// What can be trusted without a person's key: `VAULT_ID`, a machine's credential, and what
/// anybody on this machine has seen.
pub(super) fn keyless_trust(
    context: &mut Context,
) -> Result<(Trust, Option<EnvironmentName>), Fault> {
    let mut trust = Trust { pins: context.pin()?.into_iter().collect(), states: Vec::new() };
    let mut environment = None;
    if let Some(credential) = context.machine_key()?.and_then(|found| found.credential) {
        trust.pins.push(Pin { vault: credential.vault, floor: credential.floor });
        if let [only] = &credential.environments[..] {
            environment = Some(only.parse()?);
        }
    } else if let Some(folder) = context.state_folder() {
        trust.states = State::load_all(&folder)?;
    }
    Ok((trust, environment))
}

fn json(rows: &[(EnvironmentName, CheckedEntry)]) -> serde_json::Value {
    let row = |(environment, entry): &(EnvironmentName, CheckedEntry)| {
        let content = entry.content();
        json!({
            "environment": environment.as_str(),
            "name": entry.name().as_str(),
            "revision": content.revision,
            "author": content.author.as_str(),
            "signer": content.signer.as_str(),
            "changed": content.changed.as_str(),
            "epoch": content.epoch,
            "origin": content.origin,
        })
    };
    rows.iter().map(row).collect()
}

fn table(rows: &[(EnvironmentName, CheckedEntry)], environments: usize) -> String {
    let several = environments > 1;
    let mut header = vec!["NAME", "REVISION", "AUTHOR", "CHANGED", "EPOCH"];
    if several {
        header.insert(0, "ENVIRONMENT");
    }
    let mut table = plain_table(&header);
    for (environment, entry) in rows {
        let content = entry.content();
        let mut row = vec![
            entry.name().to_string(),
            content.revision.to_string(),
            content.author.to_string(),
            content.changed.as_str().to_owned(),
            content.epoch.to_string(),
        ];
        if several {
            row.insert(0, environment.to_string());
        }
        table.add_row(row);
    }
    table.trim_fmt()
}

/// A table without lines, never wrapped: it is read by people and cut by `awk`.
pub(super) fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}
