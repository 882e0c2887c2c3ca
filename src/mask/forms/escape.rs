//! How a spelling goes through a value: character by character, byte by byte where it is not
//! UTF-8, leaving alone what it has no other spelling for.

use crate::secret::Secret;

use super::bytes::{Case, hex_digit, hex_digits};

/// Writes `value`; `spell` says of each character whether it wrote it otherwise.
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

/// The character in UTF-8.
pub(super) fn write_unchanged(character: char, out: &mut Secret) {
    out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Writes the replacement, if there is one.
pub(super) fn replace(out: &mut Secret, replacement: Option<&[u8]>) -> bool {
    replacement.is_some_and(|bytes| {
        out.extend(bytes);
        true
    })
}

/// Writes `value` with `escape` in front of each of `special`.
pub(super) fn prefix(value: &[u8], out: &mut Secret, escape: u8, special: &[u8]) {
    for &byte in value {
        if special.contains(&byte) {
            out.extend(&[escape]);
        }
        out.extend(&[byte]);
    }
}

/// `\xNN`.
pub(super) fn hex_escape(out: &mut Secret, byte: u8) {
    out.extend(b"\\x");
    out.extend(&hex_digits(byte, Case::Lower));
}

/// `\NNN`, octal.
pub(super) fn octal_escape(out: &mut Secret, byte: u8) {
    out.extend(b"\\");
    out.extend(&[6, 3, 0].map(|shift| b'0' + (byte >> shift & 7)));
}

/// `\uNNNN`, twice for what UTF-16 gives two units.
pub(super) fn utf16_escapes(out: &mut Secret, character: char, case: Case) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend(b"\\u");
        for byte in unit.to_be_bytes() {
            out.extend(&hex_digits(byte, case));
        }
    }
}

/// `\UNNNNNNNN`.
pub(super) fn scalar_escape(out: &mut Secret, character: char) {
    out.extend(b"\\U");
    for byte in u32::from(character).to_be_bytes() {
        out.extend(&hex_digits(byte, Case::Lower));
    }
}

/// `\u{N}`.
pub(super) fn brace_escape(out: &mut Secret, character: char) {
    out.extend(b"\\u{");
    let code = u32::from(character);
    let digits = (8 - code.leading_zeros() / 4).max(1);
    for place in (0..digits).rev() {
        let digit = code >> (4 * place) & 15;
        out.extend(&[hex_digit(u8::try_from(digit).expect("four bits"), Case::Lower)]);
    }
    out.extend(b"}");
}
