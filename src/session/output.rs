//! Output that commands share: a table, JSON, and access in the form of the command line.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::{Value, json};

use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, SecretName};

/// The format of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Table,
    Json,
}

/// Makes a table without lines, never wrapped: people read it, and `awk` cuts it.
pub(crate) fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// For scripts: `"write"`, `"read"`, or the names.
pub(crate) fn access_json(access: &Access) -> Value {
    match access {
        Access::Write => json!("write"),
        Access::Read => json!("read"),
        Access::Names(names) => names.iter().map(SecretName::as_str).collect(),
    }
}

/// In the form typed after `-e`: `production=write`.
pub(crate) fn spelled((environment, access): (&EnvironmentName, &Access)) -> String {
    let access = match access {
        Access::Write => "write".to_owned(),
        Access::Read => "read".to_owned(),
        Access::Names(names) => names
            .iter()
            .map(SecretName::as_str)
            .collect::<Vec<_>>()
            .join(","),
    };
    format!("{environment}={access}")
}
