//! Values as shells, make, SQL, and the Windows shells quote them, without the quotes.

use crate::secret::Secret;

use super::escape::{map_characters, octal_escape, prefix, replace};

/// Writes `value` with the first byte of each pair replaced by the second part.
pub(super) fn substitute(value: &[u8], out: &mut Secret, pairs: &[(u8, &[u8])]) {
    for byte in value {
        match pairs.iter().find(|(from, _)| from == byte) {
            Some((_, to)) => out.extend(to),
            None => out.extend(&[*byte]),
        }
    }
}

/// Writes `value` as bash `printf %q` does, with a backslash before each special character.
pub(super) fn backslashes(value: &[u8], out: &mut Secret) {
    prefix(value, out, b'\\', b" \t'\"\\|&;()<>!{}*[]?^$`,");
}

/// Writes the content of `$'…'` (POSIX.1-2024, 2.2.4) as bash prints it in a locale.
pub(super) fn dollar_single(value: &[u8], out: &mut Secret, locale: Locale) {
    map_characters(value, out, |character, out| {
        let replacement: Option<&[u8]> = match character {
            '\u{7}' => Some(b"\\a"),
            '\u{8}' => Some(b"\\b"),
            '\t' => Some(b"\\t"),
            '\n' => Some(b"\\n"),
            '\u{b}' => Some(b"\\v"),
            '\u{c}' => Some(b"\\f"),
            '\r' => Some(b"\\r"),
            '\u{1b}' => Some(b"\\E"),
            '\'' => Some(b"\\'"),
            '\\' => Some(b"\\\\"),
            _ => None,
        };
        let numbered = character.is_control() || !character.is_ascii() && locale == Locale::C;
        if replacement.is_none() && numbered {
            for &byte in character.encode_utf8(&mut [0; 4]).as_bytes() {
                octal_escape(out, byte);
            }
            return true;
        }
        replace(out, replacement)
    });
}

/// The kind of locale, which decides about non-ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Locale {
    /// They stay as they are.
    Utf8,
    /// They are written in octal.
    C,
}
