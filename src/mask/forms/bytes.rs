//! Spellings that give every byte, or every unit of UTF-16, its own place: hexadecimal, lists of
//! numbers, quoted-printable, UTF-16, and the value backwards.

use crate::secret::Secret;

/// Which letters hexadecimal digits use.
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

/// Two hexadecimal digits.
pub(super) fn hex_digits(byte: u8, case: Case) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| hex_digit(digit, case))
}

/// The lowest four bits as a digit.
pub(super) fn hex_digit(value: u8, case: Case) -> u8 {
    let digits = match case {
        Case::Lower => b"0123456789abcdef",
        Case::Upper => b"0123456789ABCDEF",
    };
    digits[usize::from(value & 15)]
}

/// Hexadecimal: `between` stands between two bytes, `before` in front of each.
pub(super) fn hex(value: &[u8], out: &mut Secret, case: Case, before: &[u8], between: &[u8]) {
    for (index, &byte) in value.iter().enumerate() {
        if index > 0 {
            out.extend(between);
        }
        out.extend(before);
        out.extend(&hex_digits(byte, case));
    }
}

/// Decimal numbers, as Go, Rust, JavaScript and Python print lists of bytes.
pub(super) fn decimal(value: &[u8], out: &mut Secret, between: &[u8]) {
    for (index, &byte) in value.iter().enumerate() {
        if index > 0 {
            out.extend(between);
        }
        decimal_digits(out, u32::from(byte));
    }
}

/// Signed decimal numbers, as Java prints lists of bytes.
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

/// A number without leading zeros.
pub(super) fn decimal_digits(out: &mut Secret, number: u32) {
    if number >= 10 {
        decimal_digits(out, number / 10);
    }
    let digit = u8::try_from(number % 10).expect("a digit");
    out.extend(&[b'0' + digit]);
}

/// Quoted-printable (RFC 2045 section 6.7), without soft line breaks.
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

/// UTF-16 without a mark; nothing for what is not UTF-8.
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

/// The characters in reverse order; the bytes of what is not UTF-8.
pub(super) fn reversed(value: &[u8], out: &mut Secret) {
    let Ok(text) = std::str::from_utf8(value) else {
        value.iter().rev().for_each(|&byte| out.extend(&[byte]));
        return;
    };
    for character in text.chars().rev() {
        out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
