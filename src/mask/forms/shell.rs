//! What shells, make, SQL and the Windows shells make of a value when they quote it; without the
//! quotes around it.

use crate::secret::Secret;

use super::escape::{map_characters, octal_escape, prefix, replace};

/// Writes `value` with each of `pairs`' bytes replaced.
pub(super) fn substitute(value: &[u8], out: &mut Secret, pairs: &[(u8, &[u8])]) {
    for byte in value {
        match pairs.iter().find(|(from, _)| from == byte) {
            Some((_, to)) => out.extend(to),
            None => out.extend(&[*byte]),
        }
    }
}

/// Bash `printf %q`: a backslash before whatever the shell would take for itself.
pub(super) fn backslashes(value: &[u8], out: &mut Secret) {
    prefix(value, out, b'\\', b" \t'\"\\|&;()<>!{}*[]?^$`,");
}

/// `$'…'` (POSIX.1-2024, 2.2.4) as bash prints it; bytes beyond ASCII as `foreign` says.
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

/// What happens to bytes beyond ASCII.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Locale {
    /// In a locale with UTF-8.
    Utf8,
    /// In the locale C.
    C,
}
