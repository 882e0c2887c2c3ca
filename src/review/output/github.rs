//! Workflow commands of GitHub Actions: an error per finding, a warning per item that needs
//! attention, and a notice with the revision of the comparison.
//!
//! The runner treats a line that starts with `::` as a command. The escapes are those of
//! @actions/core: `%`, CR, and LF become `%25`, `%0D`, and `%0A`; in properties also `:` and `,`.

use super::plain;
use crate::review::report::{Item, Level, Report};

/// `prefix` is the path of the vault's folder in the repository, with a slash at the end.
pub(super) fn written(report: &Report, prefix: &str) -> String {
    let errors = report
        .level(Level::Finding)
        .map(|item| command("error", prefix, item));
    let warnings = report
        .level(Level::Attention)
        .map(|item| command("warning", prefix, item));
    let since = report.since.as_ref().map(|since| {
        let words = format!("compared with {}", plain(&since.in_full()));
        format!("::notice title=vault verify::{}\n", data(&words))
    });
    since.into_iter().chain(errors).chain(warnings).collect()
}

fn command(name: &str, prefix: &str, item: &Item) -> String {
    let file = property(&format!("{prefix}{}", item.file));
    format!(
        "::{name} file={file},title=vault verify::{}\n",
        data(&item.words.plain())
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_the_line_property_or_command() {
        let item = Item::new(Level::Finding, "kind", "a,b:c%0A\n::d")
            .text("100% ")
            .quote("x\r\n::error::y, z: %25");
        assert_eq!(
            command("error", "api/", &item),
            "::error file=api/a%2Cb%3Ac%250A%0A%3A%3Ad,title=vault verify::100%25 x\\r\\n::error::y, z: %2525\n"
        );
    }
}
