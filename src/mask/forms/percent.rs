//! Percent-encoding (RFC 3986 section 2.1), in the dialects that differ in what they leave alone.

use crate::secret::Secret;

use super::bytes::{Case, hex_digits};

/// Which bytes stay as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Everything but the unreserved characters of RFC 3986 section 2.3.
    Strict,
    /// ECMAScript `encodeURIComponent`.
    Component,
    /// ECMAScript `encodeURI`.
    Uri,
    /// Python `urllib.parse.quote`.
    Path,
    /// The userinfo of RFC 3986 section 3.2.1, as Go writes a password.
    Userinfo,
    /// Nothing.
    Everything,
    /// The form encoding of the WHATWG URL standard, a blank becomes `+`.
    Form,
    /// The same of Python `quote_plus`.
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

/// Encodes.
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

/// Encodes what was encoded once, as when a URL becomes a parameter of another one.
pub(super) fn twice(value: &[u8], out: &mut Secret, dialect: Dialect) {
    let mut once = Secret::with_capacity(3 * value.len());
    encode(value, &mut once, dialect, Case::Upper);
    encode(once.expose(), out, Dialect::Strict, Case::Upper);
}

/// Decodes; what is no escape stays.
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

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}
