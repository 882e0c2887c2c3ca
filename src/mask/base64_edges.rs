//! The characters at the edges of an encoded value, which carry bits of it and of its neighbour.
//!
//! Base64 puts six bits into a character and base32 five (RFC 4648), so a value that begins or
//! ends within a character shares it with whatever stands beside it. Such a character is known
//! only in part: an [`EdgeCharacter`] says which part.

/// The alphabets of RFC 4648 that occur in needles.
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
    /// The character of each value, lowest first.
    #[must_use]
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Base64 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            Self::Base64Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Base32 => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        }
    }

    /// How many bits a character carries.
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
    /// The alphabet it is from.
    pub alphabet: Alphabet,
    /// Its bits that belong to the value, as they stand in the character; the others are zero.
    pub value: u8,
    /// Which bits those are.
    pub mask: u8,
}

impl EdgeCharacter {
    /// Whether `byte` can be that character.
    #[must_use]
    pub fn admits(self, byte: u8) -> bool {
        self.alphabet
            .characters()
            .iter()
            .position(|&character| character == byte)
            .is_some_and(|value| u8::try_from(value).is_ok_and(|v| v & self.mask == self.value))
    }

    /// Whether this admits all that `other` does.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        let admitted = other.alphabet.characters().iter();
        self == other
            || admitted.copied().filter(|&byte| other.admits(byte)).all(|byte| self.admits(byte))
    }
}
