//! JSON strings (RFC 8259 section 7), as common libraries write them, without the quotes.

use crate::secret::Secret;

use super::bytes::Case;
use super::escape::{map_characters, replace, utf16_escapes};

/// The characters that a library escapes although it need not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonStyle {
    /// None: JavaScript, Rust, jq.
    Plain,
    /// Non-ASCII characters: Python, Ruby.
    Ascii,
    /// Non-ASCII characters, with upper-case digits: Java.
    AsciiUpper,
    /// The solidus.
    Solidus,
    /// The solidus and non-ASCII characters: PHP.
    AsciiSolidus,
    /// `<`, `>`, and `&`: Go.
    Html,
    /// `<`, `>`, `&`, `=`, and `'`: Gson.
    HtmlQuotes,
    /// `<`, `>`, `&`, `'`, `"`, `+`, `` ` ``, and non-ASCII characters, with upper-case digits:
    /// .NET.
    Strict,
}

/// Writes `value` as the content of a string.
pub(super) fn encode(value: &[u8], out: &mut Secret, style: JsonStyle) {
    map_characters(value, out, |character, out| {
        if let Some(case) = style.numbered(character) {
            utf16_escapes(out, character, case);
            return true;
        }
        let solidus = matches!(style, JsonStyle::Solidus | JsonStyle::AsciiSolidus);
        if character < ' ' && short(character).is_none() {
            utf16_escapes(out, character, Case::Lower);
            return true;
        }
        replace(
            out,
            short(character).or((solidus && character == '/').then_some(b"\\/")),
        )
    });
}

/// Writes `value` as the content of a string within a string.
pub(super) fn twice(value: &[u8], out: &mut Secret, style: JsonStyle) {
    let mut once = Secret::with_capacity(6 * value.len());
    encode(value, &mut once, style);
    encode(once.expose(), out, style);
}

/// Returns the escape that has a letter, if the character has one.
fn short(character: char) -> Option<&'static [u8]> {
    Some(match character {
        '"' => b"\\\"",
        '\\' => b"\\\\",
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        '\u{8}' => b"\\b",
        '\u{c}' => b"\\f",
        _ => return None,
    })
}

impl JsonStyle {
    /// Returns the case of the digits if the style writes the character as a number although it
    /// need not.
    fn numbered(self, character: char) -> Option<Case> {
        let control = character < ' ' && short(character).is_none();
        let foreign = character > '~';
        let html = matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        let quotes = html || matches!(character, '=' | '\'');
        let strict = matches!(character, '<' | '>' | '&' | '\'' | '"' | '+' | '`');
        match self {
            Self::Plain | Self::Solidus => None,
            Self::Ascii | Self::AsciiSolidus => foreign.then_some(Case::Lower),
            Self::AsciiUpper => (foreign || control).then_some(Case::Upper),
            Self::Html => html.then_some(Case::Lower),
            Self::HtmlQuotes => quotes.then_some(Case::Lower),
            Self::Strict => (foreign || control || strict).then_some(Case::Upper),
        }
    }
}
