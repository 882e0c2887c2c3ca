//! One JSON object. Its shape is a contract; docs/reference/json.md describes it.

use crate::crypto::Tag;
use serde_json::{Value, json};

use crate::review::report::{Item, Level, Report, Row, Validity};

pub(super) fn written(report: &Report) -> Value {
    let level = |level| report.level(level).map(item).collect::<Value>();
    json!({
        "vault": report.vault.as_ref().map(|vault| json!({
            "id": vault.id.to_string(),
            "revision": vault.revision,
            "revocation": tag(vault.latest),
        })),
        "since": report.since.as_ref().map(|since| json!({
            "revision": since.revision,
            "name": since.name,
            "commit": since.commit,
        })),
        "valid": report.findings() == 0,
        "environments": report.rows.iter().map(row).collect::<Value>(),
        "notes": level(Level::Note),
        "changes": level(Level::Change),
        "attention": level(Level::Attention),
        "findings": level(Level::Finding),
    })
}

fn row(row: &Row) -> Value {
    let counted = &row.counted;
    let signers = counted.signers.iter().map(|name| json!(name.as_str()));
    json!({
        "environment": row.environment.as_str(),
        "secrets": counted.secrets,
        "tombstones": counted.tombstones,
        "epoch": counted.epoch,
        "signers": signers.collect::<Value>(),
        "valid": row.result == Validity::Valid,
    })
}

/// The latest revocation, or null if there was none.
fn tag(latest: Tag) -> Option<String> {
    (!latest.is_none()).then(|| latest.to_string())
}

fn item(item: &Item) -> Value {
    let mut fields = item.details.clone();
    fields.insert("kind".to_owned(), json!(item.kind));
    fields.insert("file".to_owned(), json!(item.file));
    fields.insert("message".to_owned(), json!(item.words.plain()));
    Value::Object(fields)
}
