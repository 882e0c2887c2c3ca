//! The tag of a revocation, by which readers recognize one that they have seen.

use std::fmt;
use std::str::FromStr;

use super::{base64_decode, base64_encode, random_bytes};

/// 16 random bytes that name one revocation. Unlike a number, a tag of one branch is in no other.
///
/// As text it is unpadded base64, 22 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 16]);

impl Tag {
    /// No revocation: zeros, which no revocation has.
    pub const NONE: Self = Self([0; 16]);

    /// The tag of a new revocation.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        while bytes == Self::NONE.0 {
            random_bytes(&mut bytes);
        }
        Self(bytes)
    }

    /// The tag made of these bytes, zeros included. Returns `None` if there are not 16.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether it names no revocation.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64_encode(&self.0))
    }
}

/// The text is not a tag.
#[derive(Debug)]
pub struct NotATag;

impl FromStr for Tag {
    type Err = NotATag;

    /// Reads the one spelling of the tag of a revocation, which is never [`Tag::NONE`].
    fn from_str(text: &str) -> Result<Self, NotATag> {
        let bytes = base64_decode(text).ok_or(NotATag)?;
        let tag = Self::from_bytes(&bytes).ok_or(NotATag)?;
        if tag.is_none() { Err(NotATag) } else { Ok(tag) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_has_one_spelling_and_is_never_zeros() {
        let tag = Tag::random();
        let text = tag.to_string();
        assert_eq!(text.len(), 22);
        assert_eq!(text.parse::<Tag>().unwrap(), tag);
        assert!(Tag::NONE.to_string().parse::<Tag>().is_err());
        for other in [
            "",
            &text[..21],
            &format!("{text}A"),
            &format!("{text}=="),
            "AAAAAAAAAAAAAAAAAAAAAB",
        ] {
            assert!(other.parse::<Tag>().is_err(), "{other}");
        }
    }
}
