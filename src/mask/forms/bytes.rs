//! Spellings that write every byte, or every UTF-16 unit, by itself: hexadecimal, lists of numbers,
//! quoted-printable, UTF-16, and the value in reverse.

use crate::secret::Secret;

/// The case of hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
}

/// The byte order of UTF-16.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Returns a byte as two hexadecimal digits.
pub(super) fn hex_digits(byte: u8, case: Case) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| hex_digit(digit, case))
}

/// Returns the lowest four bits as a hexadecimal digit.
pub(super) fn hex_digit(value: u8, case: Case) -> u8 {
    let digits = match case {
        Case::Lower => b"0123456789abcdef",
        Case::Upper => b"0123456789ABCDEF",
    };
    digits[usize::from(value & 15)]
}

/// Writes hexadecimal digits, with `before` before each byte and `between` between two bytes.
pub(super) fn hex(value: &[u8], out: &mut Secret, case: Case, before: &[u8], between: &[u8]) {
    for (index, &byte) in value.iter().enumerate() {
        if index > 0 {
            out.extend(between);
        }
        out.extend(before);
        out.extend(&hex_digits(byte, case));
    }
}

/// Writes decimal numbers, as Go, Rust, JavaScript, and Python print lists of bytes.
pub(super) fn decimal(value: &[u8], out: &mut Secret, between: &[u8]) {
    for (index, &byte) in value.iter().enumerate() {
        if index > 0 {
            out.extend(between);
        }
        decimal_digits(out, u32::from(byte));
    }
}

/// Writes signed decimal numbers, as Java prints lists of bytes.
pub(super) fn signed(value: &[u8], out: &mut Secret) {
    for (index, &byte) in value.iter().enumerate() {
        if index > 0 {
            out.extend(b", ");
        }
        let byte = byte.cast_signed();
        if byte < 0 {
            out.extend(b"-");
        }
        decimal_digits(out, u32::from(byte.unsigned_abs()));
    }
}

/// Writes a number without leading zeros.
pub(super) fn decimal_digits(out: &mut Secret, number: u32) {
    if number >= 10 {
        decimal_digits(out, number / 10);
    }
    let digit = u8::try_from(number % 10).expect("a digit");
    out.extend(&[b'0' + digit]);
}

/// Writes quoted-printable text (RFC 2045 section 6.7) without soft line breaks.
pub(super) fn quoted_printable(value: &[u8], out: &mut Secret) {
    for &byte in value {
        match byte {
            b'=' => out.extend(b"=3D"),
            b' '..=b'~' => out.extend(&[byte]),
            _ => {
                out.extend(b"=");
                out.extend(&hex_digits(byte, Case::Upper));
            }
        }
    }
}

/// Writes UTF-16 without a byte order mark. A value that is not UTF-8 has no such spelling.
pub(super) fn utf16(value: &[u8], out: &mut Secret, order: ByteOrder) {
    let Ok(text) = std::str::from_utf8(value) else {
        return;
    };
    for unit in text.encode_utf16() {
        out.extend(&match order {
            ByteOrder::Little => unit.to_le_bytes(),
            ByteOrder::Big => unit.to_be_bytes(),
        });
    }
}

/// Writes the characters in reverse order, or the bytes if the value is not UTF-8.
pub(super) fn reversed(value: &[u8], out: &mut Secret) {
    let Ok(text) = std::str::from_utf8(value) else {
        value.iter().rev().for_each(|&byte| out.extend(&[byte]));
        return;
    };
    for character in text.chars().rev() {
        out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
