//! Escapes that several spellings share, and the loop over the characters of a value.

use crate::secret::Secret;

use super::bytes::{Case, hex_digit, hex_digits};

/// Writes `value` character by character. `spell` returns whether it has written the character in
/// another way. If not, the character stays as it is, and so do bytes that are not UTF-8.
pub(super) fn map_characters(
    value: &[u8],
    out: &mut Secret,
    mut spell: impl FnMut(char, &mut Secret) -> bool,
) {
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            if !spell(character, out) {
                write_unchanged(character, out);
            }
        }
        out.extend(chunk.invalid());
    }
}

/// Writes the character in UTF-8.
pub(super) fn write_unchanged(character: char, out: &mut Secret) {
    out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Writes the replacement, and returns whether there is one.
pub(super) fn replace(out: &mut Secret, replacement: Option<&[u8]>) -> bool {
    replacement.is_some_and(|bytes| {
        out.extend(bytes);
        true
    })
}

/// Writes `value` with `escape` before each of the `special` bytes.
pub(super) fn prefix(value: &[u8], out: &mut Secret, escape: u8, special: &[u8]) {
    for &byte in value {
        if special.contains(&byte) {
            out.extend(&[escape]);
        }
        out.extend(&[byte]);
    }
}

/// Writes `\xNN`.
pub(super) fn hex_escape(out: &mut Secret, byte: u8) {
    out.extend(b"\\x");
    out.extend(&hex_digits(byte, Case::Lower));
}

/// Writes `\NNN`, in octal.
pub(super) fn octal_escape(out: &mut Secret, byte: u8) {
    out.extend(b"\\");
    out.extend(&[6, 3, 0].map(|shift| b'0' + (byte >> shift & 7)));
}

/// Writes `\uNNNN`, twice if the character has two UTF-16 units.
pub(super) fn utf16_escapes(out: &mut Secret, character: char, case: Case) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend(b"\\u");
        for byte in unit.to_be_bytes() {
            out.extend(&hex_digits(byte, case));
        }
    }
}

/// Writes `\UNNNNNNNN`.
pub(super) fn scalar_escape(out: &mut Secret, character: char) {
    out.extend(b"\\U");
    for byte in u32::from(character).to_be_bytes() {
        out.extend(&hex_digits(byte, Case::Lower));
    }
}

/// Writes `\u{N}`.
pub(super) fn brace_escape(out: &mut Secret, character: char) {
    out.extend(b"\\u{");
    let code = u32::from(character);
    let digits = (8 - code.leading_zeros() / 4).max(1);
    for place in (0..digits).rev() {
        let digit = code >> (4 * place) & 15;
        out.extend(&[hex_digit(
            u8::try_from(digit).expect("four bits"),
            Case::Lower,
        )]);
    }
    out.extend(b"}");
}
