//! The formats of a report: for people, for scripts, for the summary of a pull request, and for
//! annotations of GitHub Actions.
//!
//! Text from outside can be anything that a file or a branch can be called. Each format makes it
//! harmless, so that it cannot become a line of its own, markup, or a command.

mod github;
mod json;
mod markdown;
mod text;

use clap::ValueEnum;

use super::report::{Level, Piece, Report, Words};
use crate::fault::Fault;
use crate::git::Repository;
use crate::session::console::Console;
use crate::vault::store::Place;

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table and lines, for people
    Text,
    /// One object, for scripts
    Json,
    /// For the summary of a pull request
    Markdown,
    /// Annotations of GitHub Actions: errors, warnings, and the revision of the comparison
    Github,
}

/// Writes the report in `format`.
pub(crate) fn show(
    console: Console,
    report: &Report,
    format: Format,
    place: &Place,
) -> Result<(), Fault> {
    match format {
        Format::Text => console.text(&text::written(report)),
        Format::Json => console.json(json::written(report)),
        Format::Markdown => console.text(&markdown::written(report)),
        Format::Github => {
            // Annotations name files relative to the top of the repository, if there is one.
            let repository = Repository::open(place.folder()).ok();
            let prefix = repository
                .map(|repository| repository.prefix())
                .transpose()?;
            console.annotations(&github::written(report, &prefix.unwrap_or_default()))
        }
    }
}

/// The order of the levels in every format for people: the worst first.
const ORDER: [Level; 4] = [Level::Finding, Level::Attention, Level::Change, Level::Note];

/// Returns the heading of a level.
fn heading(level: Level) -> &'static str {
    match level {
        Level::Note => "notes",
        Level::Change => "changed",
        Level::Attention => "needs attention",
        Level::Finding => "findings",
    }
}

impl Words {
    /// Returns one line of plain text: nothing in it moves the cursor, ends the line, or changes its
    /// direction.
    fn plain(&self) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Quoted(text) => plain(text),
                Piece::Command(text) => format!("`{}`", plain(text)),
            })
            .collect()
    }
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => plain.push(character),
            _ => plain.extend(character.escape_debug()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_keeps_its_line_and_direction() {
        assert_eq!(plain("a \"b\" 'c' \\ ä → …"), "a \"b\" 'c' \\ ä → …");
        assert_eq!(plain("\x1b[2J\n\r\t\0"), "\\u{1b}[2J\\n\\r\\t\\0");
        assert_eq!(plain("\u{202e}\u{2028}\u{85}"), "\\u{202e}\\u{2028}\\u{85}");
    }
}
