//! The public half of an age key, of any kind.

use std::fmt;
use std::str::FromStr;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;

use super::kinds::{hybrid, ssh, x25519};
use super::sha256;
use super::signature::PublicKey;

/// The public half of an age key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipient(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    X25519(x25519::Recipient),
    Hybrid(hybrid::Recipient),
    Ssh(ssh::Recipient),
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
        } else if text.starts_with(ssh::KIND) {
            Kind::Ssh(text.parse()?)
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
            Kind::Ssh(recipient) => recipient.fmt(f),
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

impl From<ssh::Recipient> for Recipient {
    fn from(recipient: ssh::Recipient) -> Self {
        Self(Kind::Ssh(recipient))
    }
}

impl Recipient {
    /// Whether what is sealed to it stays secret even if someone has a large quantum computer.
    #[must_use]
    pub fn is_post_quantum(&self) -> bool {
        matches!(self.0, Kind::Hybrid(_))
    }

    /// Whether it is an SSH key.
    #[must_use]
    pub fn is_ssh(&self) -> bool {
        matches!(self.0, Kind::Ssh(_))
    }

    /// Whether its point is in the group that keys are made in. A point outside belongs to no one, and
    /// would only be another spelling of the key next to it.
    #[must_use]
    pub fn is_in_prime_group(&self) -> bool {
        match &self.0 {
            Kind::Ssh(recipient) => recipient.key().point().is_torsion_free(),
            Kind::X25519(_) | Kind::Hybrid(_) => true,
        }
    }

    /// The other recipients that the same private scalar belongs to: tools make an age key of an SSH
    /// key, and the sign of a point is lost on the way.
    #[must_use]
    pub fn twins(&self) -> Vec<Self> {
        let ssh = |point: &EdwardsPoint| {
            let key = PublicKey::from_bytes(point.compress().as_bytes());
            key.map(|key| Self(Kind::Ssh(ssh::Recipient::new(key))))
        };
        match &self.0 {
            Kind::Hybrid(_) => Vec::new(),
            Kind::Ssh(recipient) => {
                let point = recipient.key().point();
                let u = point.to_montgomery().to_bytes();
                let x25519 = x25519::Recipient::from_point(&u).map(Self::from);
                ssh(&-point).into_iter().chain(x25519).collect()
            }
            Kind::X25519(recipient) => {
                let u = MontgomeryPoint(recipient.point());
                let points = [0, 1].into_iter().filter_map(|sign| u.to_edwards(sign));
                points.filter_map(|point| ssh(&point)).collect()
            }
        }
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
            Kind::Ssh(_) => ssh::STANZA,
        }
    }

    pub(super) fn age(&self) -> &dyn age::Recipient {
        match &self.0 {
            Kind::X25519(recipient) => recipient.age(),
            Kind::Hybrid(recipient) => recipient,
            Kind::Ssh(recipient) => recipient,
        }
    }
}
