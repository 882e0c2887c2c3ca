//! GitHub Flavored Markdown for the summary of a pull request, the worst first.
//!
//! All text from outside is in code spans, in which nothing is markup, a link, or a mention. Only a
//! run of backticks as long as the first one ends a span.

use super::{ORDER, heading, plain, text::counts};
use crate::fault::plural;
use crate::review::report::{Piece, Report, Row, Validity, Words};

/// The most items of one level. A summary has a limit of 1 MiB, and no one reads more.
const MOST: usize = 500;

pub(super) fn written(report: &Report) -> String {
    let mut lines = vec![title(report), String::new()];
    lines.extend(
        introduction(report)
            .into_iter()
            .flat_map(|line| [line, String::new()]),
    );
    if !report.rows.is_empty() {
        lines.push("| environment | secrets | epoch | signed by | result |".to_owned());
        lines.push("|---|---:|---:|---|---|".to_owned());
        lines.extend(report.rows.iter().map(row));
        lines.push(String::new());
    }
    for level in ORDER {
        let items: Vec<String> = report
            .level(level)
            .take(MOST)
            .map(|item| sentence(&item.words))
            .collect();
        if items.is_empty() {
            continue;
        }
        lines.push(format!("### {}", capitalized(heading(level))));
        lines.push(String::new());
        lines.extend(items.iter().map(|item| format!("- {item}")));
        let more = report.level(level).count() - items.len();
        if more > 0 {
            lines.push(format!(
                "- … and {more} more: run the command yourself to see them"
            ));
        }
        lines.push(String::new());
    }
    lines.pop();
    lines.join("\n") + "\n"
}

fn title(report: &Report) -> String {
    match report.findings() {
        0 => "## The vault is valid".to_owned(),
        count => format!(
            "## The vault is not valid: {}",
            plural(count, "finding", "findings")
        ),
    }
}

fn introduction(report: &Report) -> Option<String> {
    let vault = report.vault.as_ref().map(|vault| {
        let id = code(&vault.id.to_string());
        let latest = vault.latest;
        let revocation = if latest.is_none() {
            "no revocation".to_owned()
        } else {
            format!("latest revocation {}", code(&latest.to_string()))
        };
        format!(
            "Vault {id}, root revision {}, {revocation}.",
            vault.revision
        )
    });
    let since = report.since.as_ref().map(|since| {
        let what = if report.is_unchanged() {
            "Nothing changed since"
        } else {
            "Compared with"
        };
        format!(
            "{what} {} ({}).",
            code(&since.revision),
            code(&since.in_full())
        )
    });
    let sentences: Vec<String> = vault.into_iter().chain(since).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn row(row: &Row) -> String {
    let result = match row.result {
        Validity::Valid => "ok",
        Validity::Invalid => "**FAILED**",
    };
    let [secrets, epoch, signers] = counts(row);
    let environment = code(row.environment.as_str());
    format!(
        "| {environment} | {secrets} | {epoch} | {} | {result} |",
        code(&signers)
    )
}

fn sentence(words: &Words) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Quoted(text) | Piece::Command(text) => code(text),
    };
    words.0.iter().map(piece).collect()
}

/// Returns a code span. If a backtick would touch one of its ends, it gets a space inside each end,
/// which Markdown removes.
fn code(text: &str) -> String {
    let text = plain(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_a_code_span() {
        let cases = [
            ("main", "`main`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("a``b`", "``` a``b` ```"),
            ("<b>|@all #1 [x](y)", "`<b>|@all #1 [x](y)`"),
            ("a\n\n# b", "`a\\n\\n# b`"),
            ("", "`  `"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
