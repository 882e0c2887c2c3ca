//! Text for people: the revision of the comparison, a table, the findings, the items that need
//! attention, the changes, and the notes.

use super::{ORDER, heading, plain};
use crate::review::report::{Level, Report, Row, Validity};
use crate::session::output::plain_table;
use crate::vault::name::MemberName;

pub(super) fn written(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(since) = &report.since {
        lines.push(format!("compared with {}", plain(&since.in_full())));
        lines.push(String::new());
    }
    if !report.rows.is_empty() {
        let mut table = plain_table(&["ENVIRONMENT", "SECRETS", "EPOCH", "SIGNED BY", "RESULT"]);
        table.add_rows(report.rows.iter().map(cells));
        lines.push(table.trim_fmt());
    }
    for level in ORDER {
        let section = section(report, level);
        if !section.is_empty() && lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
        }
        lines.extend(section);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn section(report: &Report, level: Level) -> Vec<String> {
    let items: Vec<String> = report
        .level(level)
        .map(|item| format!("  {}", item.words.plain()))
        .collect();
    let heading = match (&report.since, level) {
        (Some(since), Level::Change) if report.is_unchanged() => {
            format!("nothing changed since {}", plain(&since.revision))
        }
        _ if items.is_empty() => return Vec::new(),
        (Some(since), Level::Change) => {
            format!("{} since {}:", heading(level), plain(&since.revision))
        }
        _ => format!("{}:", heading(level)),
    };
    std::iter::once(heading).chain(items).collect()
}

fn cells(row: &Row) -> [String; 5] {
    let result = match row.result {
        Validity::Valid => "ok",
        Validity::Invalid => "FAILED",
    };
    let [secrets, epoch, signers] = counts(row);
    [
        row.environment.to_string(),
        secrets,
        epoch,
        signers,
        result.to_owned(),
    ]
}

/// Returns the number of secrets, the epoch, and the signers, or dashes if they are unknown.
pub(super) fn counts(row: &Row) -> [String; 3] {
    let dash = || "-".to_owned();
    let counted = &row.counted;
    let names: Vec<&str> = counted.signers.iter().map(MemberName::as_str).collect();
    let signers = if names.is_empty() {
        dash()
    } else {
        names.join(", ")
    };
    [
        counted.secrets.to_string(),
        counted.epoch.to_string(),
        signers,
    ]
}
