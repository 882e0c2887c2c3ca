//! Percent-encoding (RFC 3986 section 2.1). Its dialects differ in the bytes that they keep.

use crate::secret::Secret;

use super::bytes::{Case, hex_digits};

/// The bytes that stay as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The unreserved characters of RFC 3986 section 2.3.
    Strict,
    /// ECMAScript `encodeURIComponent`.
    Component,
    /// ECMAScript `encodeURI`.
    Uri,
    /// Python `urllib.parse.quote`.
    Path,
    /// The userinfo of RFC 3986 section 3.2.1, as Go writes a password.
    Userinfo,
    /// None: every byte is encoded.
    Everything,
    /// The form encoding of the WHATWG URL standard, in which a blank becomes `+`.
    Form,
    /// Python `quote_plus`, in which a blank becomes `+`.
    Plus,
}

impl Dialect {
    fn keeps(self, byte: u8) -> bool {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match self {
            Self::Strict | Self::Plus => unreserved,
            Self::Component => unreserved || b"!'()*".contains(&byte),
            Self::Uri => unreserved || b"!'()*;,/?:@&=+$#".contains(&byte),
            Self::Path => unreserved || byte == b'/',
            Self::Userinfo => unreserved || b"$&+,;=".contains(&byte),
            Self::Everything => false,
            Self::Form => byte.is_ascii_alphanumeric() || b"-._*".contains(&byte),
        }
    }
}

/// Writes `value` percent-encoded.
pub(super) fn encode(value: &[u8], out: &mut Secret, dialect: Dialect, case: Case) {
    for &byte in value {
        if dialect.keeps(byte) {
            out.extend(&[byte]);
        } else if byte == b' ' && matches!(dialect, Dialect::Form | Dialect::Plus) {
            out.extend(b"+");
        } else {
            out.extend(b"%");
            out.extend(&hex_digits(byte, case));
        }
    }
}

/// Encodes `value` twice, as happens if a URL becomes a parameter of another URL.
pub(super) fn twice(value: &[u8], out: &mut Secret, dialect: Dialect) {
    let mut once = Secret::with_capacity(3 * value.len());
    encode(value, &mut once, dialect, Case::Upper);
    encode(once.expose(), out, Dialect::Strict, Case::Upper);
}

/// Decodes `value`. Bytes that are not part of an escape stay as they are.
pub(super) fn decode(value: &[u8]) -> Secret {
    let mut out = Secret::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        match tail {
            [high, low, tail @ ..] if byte == b'%' && is_hex(*high) && is_hex(*low) => {
                out.extend(&[digit(*high) << 4 | digit(*low)]);
                rest = tail;
            }
            _ => {
                out.extend(&[byte]);
                rest = tail;
            }
        }
    }
    out
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// Returns the value of a hexadecimal digit.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}
