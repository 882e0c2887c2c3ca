//! The characters at the edges of an encoded value, which carry bits of the value and of the bytes
//! next to it.
//!
//! Base64 puts six bits into a character, and base32 five (RFC 4648). So a value that begins or
//! ends within a character shares it with the neighboring byte. Only some bits of such a character
//! are known. An [`EdgeCharacter`] holds them.

/// An alphabet of RFC 4648 that needles use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Section 4.
    Base64,
    /// Section 5, safe in URLs and file names.
    Base64Url,
    /// Section 6.
    Base32,
}

impl Alphabet {
    /// Returns the character of each value, lowest first.
    #[must_use]
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Base64 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            Self::Base64Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Base32 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        }
    }

    /// Returns the number of bits that a character carries.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Base64 | Self::Base64Url => 6,
            Self::Base32 => 5,
        }
    }
}

/// A character of which only some bits belong to the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeCharacter {
    /// The alphabet that it comes from.
    pub alphabet: Alphabet,
    /// The bits that belong to the value, in their places. The others are zero.
    pub value: u8,
    /// A one for each of those bits.
    pub mask: u8,
}

impl EdgeCharacter {
    /// Returns whether `byte` can be this character.
    #[must_use]
    pub fn admits(self, byte: u8) -> bool {
        self.alphabet
            .characters()
            .iter()
            .position(|&character| character == byte)
            .is_some_and(|value| u8::try_from(value).is_ok_and(|v| v & self.mask == self.value))
    }

    /// Returns whether this admits every byte that `other` admits.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        let admitted = other.alphabet.characters().iter();
        self == other
            || admitted
                .copied()
                .filter(|&byte| other.admits(byte))
                .all(|byte| self.admits(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_character_includes_another_one_with_more_bits() {
        let edge = |value, mask| EdgeCharacter {
            alphabet: Alphabet::Base64,
            value,
            mask,
        };
        assert!(edge(0b11_0000, 0b11_0000).includes(edge(0b11_0000, 0b11_0000)));
        assert!(edge(0b11_0000, 0b11_0000).includes(edge(0b11_0100, 0b11_1100)));
        assert!(!edge(0b11_0100, 0b11_1100).includes(edge(0b11_0000, 0b11_0000)));
        assert!(!edge(0b01_0000, 0b11_0000).includes(edge(0b11_0000, 0b11_0000)));
    }
}
