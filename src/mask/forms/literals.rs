//! String literals of programming languages, as their debug output writes them, without the quotes.

use crate::secret::Secret;

use super::bytes::Case;
use super::escape::{
    brace_escape, hex_escape, map_characters, octal_escape, replace, scalar_escape, utf16_escapes,
};

/// The quotes that get a backslash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Single,
    Double,
    Both,
    /// The single quote, if the value has both: Python.
    IfBoth,
}

impl Quotes {
    fn escapes(self, character: char, value: &[u8]) -> bool {
        let both = || value.contains(&b'\'') && value.contains(&b'"');
        match character {
            '\'' => match self {
                Self::Single | Self::Both => true,
                Self::IfBoth => both(),
                Self::None | Self::Double => false,
            },
            '"' => matches!(self, Self::Double | Self::Both),
            _ => false,
        }
    }
}

/// The spelling of control characters, which cannot be printed, and of non-ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// `\303\274`: C, Postgres bytea.
    Octal,
    /// `\xc3\xbc`: C, Python bytes, Rust byte strings.
    HexBytes,
    /// `\xfc`, `\u20ac`, `\U0001f600`: Python `ascii`.
    Python,
    /// The same, for control characters only: Python `repr`, JavaScript.
    PythonControl,
    /// `\x1b`, `\u00fc`: Go `%+q`.
    Go,
    /// The same, for control characters only: Go `%q`.
    GoControl,
    /// `\u{7f}`, for control characters only: Rust.
    Rust,
    /// `\u{fc}`: Rust `escape_default`, Swift, PHP.
    Braces,
    /// `\u00fc`: Java, C#, properties.
    Units,
    /// `\e` and `\u0007`, for control characters only: Ruby.
    Ruby,
    /// Unchanged: PHP `var_export`.
    Kept,
}

/// Writes `value` as the content of a literal.
pub(super) fn encode(value: &[u8], out: &mut Secret, quotes: Quotes, numbers: Numbers) {
    map_characters(value, out, |character, out| {
        if character == '\\' || quotes.escapes(character, value) {
            out.extend(b"\\");
            return false;
        }
        if replace(out, letter(character, numbers)) {
            return true;
        }
        number(character, out, numbers)
    });
}

/// Returns the escape that has a letter, if the character has one.
fn letter(character: char, numbers: Numbers) -> Option<&'static [u8]> {
    use Numbers::{Go, GoControl, Kept, Octal, Ruby, Rust, Units};
    let c_like = matches!(numbers, Octal | Go | GoControl | Ruby);
    Some(match character {
        _ if numbers == Kept => return None,
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        '\0' if numbers == Rust => b"\\0",
        '\u{7}' if c_like => b"\\a",
        '\u{8}' if c_like || numbers == Units => b"\\b",
        '\u{b}' if c_like => b"\\v",
        '\u{c}' if c_like || numbers == Units => b"\\f",
        '\u{1b}' if numbers == Ruby => b"\\e",
        _ => return None,
    })
}

/// Writes the escape that has a number, and returns whether the character has one.
fn number(character: char, out: &mut Secret, numbers: Numbers) -> bool {
    let control = character.is_control() || matches!(character, '\u{a0}' | '\u{ad}');
    let foreign = !character.is_ascii();
    let mut utf8 = [0; 4];
    let bytes = character.encode_utf8(&mut utf8).as_bytes();
    match numbers {
        Numbers::Octal if control || foreign => bytes.iter().for_each(|&b| octal_escape(out, b)),
        Numbers::HexBytes if control || foreign => bytes.iter().for_each(|&b| hex_escape(out, b)),
        Numbers::Python if control || foreign => python(out, character),
        Numbers::PythonControl if control => python(out, character),
        Numbers::Go if control || foreign => go(out, character),
        Numbers::GoControl if control => go(out, character),
        Numbers::Rust if control => brace_escape(out, character),
        Numbers::Braces if control || foreign => brace_escape(out, character),
        Numbers::Units if control || foreign => utf16_escapes(out, character, Case::Lower),
        Numbers::Ruby if control => utf16_escapes(out, character, Case::Lower),
        _ => return false,
    }
    true
}

fn python(out: &mut Secret, character: char) {
    match u8::try_from(character) {
        Ok(byte) => hex_escape(out, byte),
        Err(_) if u32::from(character) < 0x1_0000 => utf16_escapes(out, character, Case::Lower),
        Err(_) => scalar_escape(out, character),
    }
}

fn go(out: &mut Secret, character: char) {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => hex_escape(out, byte),
        _ if u32::from(character) < 0x1_0000 => utf16_escapes(out, character, Case::Lower),
        _ => scalar_escape(out, character),
    }
}
