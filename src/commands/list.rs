//! `vault list`: lists the secrets of an environment. Needs no key, shows no value.

use serde_json::json;

use crate::fault::Fault;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::environment_choice::choose_environment;
use crate::session::keyless;
use crate::session::output::{Style, plain_table};
use crate::vault::name::EnvironmentName;
use crate::vault::trust::CheckedEntry;

pub(crate) fn list(
    context: &Context,
    mut key: CallerKey,
    environments: &[EnvironmentName],
    style: Style,
) -> Result<(), Fault> {
    let place = context.place(&mut key)?;
    let config = Context::config(&place)?;
    let (vault, credential) = keyless::open(context, &place, key.credential(context.console)?)?;
    let mut names = environments.to_vec();
    if names.is_empty() {
        names.push(choose_environment(
            context, &config, None, credential, &vault,
        )?);
    }
    let mut rows = Vec::new();
    for name in &names {
        let environment = vault.environment(name)?;
        let entries = vault.entries(environment)?;
        let live = entries
            .into_iter()
            .filter(|entry| entry.content().sealed.is_some());
        rows.extend(live.map(|entry| (name.clone(), entry)));
    }
    match style {
        Style::Json => context.console.json(json(&rows)),
        Style::Table if rows.is_empty() => {
            context
                .console
                .note("no secrets yet; set one: `vault set NAME`");
            Ok(())
        }
        Style::Table => context.console.line(table(&rows, names.len())),
    }
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
    json!({ "secrets": rows.iter().map(row).collect::<serde_json::Value>() })
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
