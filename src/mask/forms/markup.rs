//! Character references in HTML and XML text and attributes (HTML section 13.1.4, XML section 4.1).

use crate::secret::Secret;

use super::bytes::decimal_digits;
use super::escape::{map_characters, replace};

/// The spelling of characters that some libraries escape and others do not.
#[derive(Clone, Copy)]
pub(super) struct MarkupStyle {
    /// `"`.
    pub(super) quote: Option<&'static str>,
    /// `'`.
    pub(super) apostrophe: Option<&'static str>,
    /// Other characters.
    pub(super) more: &'static [(char, &'static str)],
    /// Non-ASCII characters.
    pub(super) non_ascii: NonAscii,
}

/// The spelling of non-ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NonAscii {
    Kept,
    /// `&#252;`
    Numbered,
}

/// Writes `value` as text.
pub(super) fn encode(value: &[u8], out: &mut Secret, style: MarkupStyle) {
    map_characters(value, out, |character, out| {
        if !character.is_ascii() && style.non_ascii == NonAscii::Numbered {
            out.extend(b"&#");
            decimal_digits(out, u32::from(character));
            out.extend(b";");
            return true;
        }
        let more = || {
            style
                .more
                .iter()
                .find(|(c, _)| *c == character)
                .map(|(_, name)| *name)
        };
        let name = match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' => style.quote,
            '\'' => style.apostrophe,
            _ => more(),
        };
        replace(out, name.map(str::as_bytes))
    });
}
