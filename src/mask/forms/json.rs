//! JSON strings (RFC 8259 section 7) as the common libraries write them, without the quotes.

use crate::secret::Secret;

use super::bytes::Case;
use super::escape::{map_characters, replace, utf16_escapes};

/// What a library escapes beyond what it must.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonStyle {
    /// Nothing: JavaScript, Rust, jq.
    Plain,
    /// Everything that is not ASCII: Python, Ruby.
    Ascii,
    /// The same in upper case: Java.
    AsciiUpper,
    /// The solidus.
    Solidus,
    /// The solidus and everything that is not ASCII: PHP.
    AsciiSolidus,
    /// `<`, `>`, `&`: Go.
    Html,
    /// Those and `=`, `'`: Gson.
    HtmlQuotes,
    /// Those, `"`, `+`, `` ` `` and everything that is not ASCII, in upper case: .NET.
    Strict,
}

/// Writes `value` as the inside of a string.
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
        replace(out, short(character).or((solidus && character == '/').then_some(b"\\/")))
    });
}

/// A string within a string.
pub(super) fn twice(value: &[u8], out: &mut Secret, style: JsonStyle) {
    let mut once = Secret::with_capacity(6 * value.len());
    encode(value, &mut once, style);
    encode(once.expose(), out, style);
}

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
    /// Whether, and how, the style spells a character that has no need of it by its number.
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
