//! The public half of an age key, of any kind.

use std::fmt;
use std::str::FromStr;

use super::kinds::{hybrid, x25519};
use super::sha256;

/// The public half of an age key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipient(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    X25519(x25519::Recipient),
    Hybrid(hybrid::Recipient),
}

/// The longest text that a message shows as a whole, and how much of a longer one it shows at each end.
const LONGEST_SHOWN: usize = 200;
const SHOWN: usize = 24;

/// The text is not a recipient (or not in its one spelling).
#[derive(Debug)]
pub struct NotARecipient;

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let kind = if text.starts_with("age1pq1") {
            Kind::Hybrid(text.parse()?)
        } else {
            Kind::X25519(text.parse()?)
        };
        Ok(Self(kind))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::X25519(recipient) => recipient.fmt(f),
            Kind::Hybrid(recipient) => recipient.fmt(f),
        }
    }
}

impl From<x25519::Recipient> for Recipient {
    fn from(recipient: x25519::Recipient) -> Self {
        Self(Kind::X25519(recipient))
    }
}

impl From<hybrid::Recipient> for Recipient {
    fn from(recipient: hybrid::Recipient) -> Self {
        Self(Kind::Hybrid(recipient))
    }
}

impl Recipient {
    /// Whether what is sealed to it stays secret even if someone has a large quantum computer.
    #[must_use]
    pub fn is_post_quantum(&self) -> bool {
        matches!(self.0, Kind::Hybrid(_))
    }

    /// The text for a message, in which a long one is shortened.
    #[must_use]
    pub fn shown(&self) -> String {
        let text = self.to_string();
        if text.len() <= LONGEST_SHOWN {
            return text;
        }
        let (start, end) = (&text[..SHOWN], &text[text.len() - SHOWN..]);
        format!("{start}…{end}")
    }

    /// SHA-256 of its text. Of a former member's key, a vault keeps only this.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.to_string().as_bytes())
    }

    /// The type of the stanza that is sealed to it.
    pub(super) fn stanza(&self) -> &str {
        match self.0 {
            Kind::X25519(_) => x25519::STANZA,
            Kind::Hybrid(_) => hybrid::STANZA,
        }
    }

    pub(super) fn age(&self) -> &dyn age::Recipient {
        match &self.0 {
            Kind::X25519(recipient) => recipient.age(),
            Kind::Hybrid(recipient) => recipient,
        }
    }
}
