//! The private half of an age key, of any kind.

use std::any::Any;

use super::kinds::{hybrid, ssh, x25519};
use super::recipient::Recipient;
use crate::secret::{Key, Secret};

/// The private half of an age key.
pub struct Identity {
    kind: Kind,
    /// Known from the start: it takes work to compute, and every command asks for it several times.
    recipient: Recipient,
}

enum Kind {
    X25519(x25519::Identity),
    Hybrid(hybrid::Identity),
    /// Read from a file of its owner. vault neither makes one nor writes one.
    Ssh(ssh::Identity),
}

/// The kinds of keys that age itself has, and that vault makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeKind {
    /// X25519 alone, for age tools that do not know the other kind.
    Classic,
    /// ML-KEM-768 and X25519 together.
    Hybrid,
}

const NOT_WRITTEN: &str = "an SSH key stays in the file of its owner";

impl From<ssh::Identity> for Identity {
    fn from(identity: ssh::Identity) -> Self {
        Self::new(Kind::Ssh(identity))
    }
}

impl Identity {
    /// A new random identity.
    #[must_use]
    pub fn generate(kind: NativeKind) -> Self {
        Self::new(match kind {
            NativeKind::Classic => Kind::X25519(x25519::Identity::generate()),
            NativeKind::Hybrid => Kind::Hybrid(hybrid::Identity::generate()),
        })
    }

    fn new(kind: Kind) -> Self {
        let recipient = match &kind {
            Kind::X25519(identity) => identity.recipient().into(),
            Kind::Hybrid(identity) => identity.recipient().into(),
            Kind::Ssh(identity) => identity.recipient().clone().into(),
        };
        Self { kind, recipient }
    }

    /// Reads `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`, or nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let classic = || x25519::Identity::parse(text).map(Kind::X25519);
        let hybrid = || hybrid::Identity::parse(text).map(Kind::Hybrid);
        classic().or_else(hybrid).map(Self::new)
    }

    /// The text that [`Identity::parse`] reads, for the file in which it is kept.
    ///
    /// # Panics
    /// For an SSH key, which is never written.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        match &self.kind {
            Kind::X25519(identity) => identity.to_text(),
            Kind::Hybrid(identity) => identity.to_text(),
            Kind::Ssh(_) => unreachable!("{NOT_WRITTEN}"),
        }
    }

    /// The identity made of these 32 bytes, which bech32 spells in text.
    #[must_use]
    pub fn from_key(kind: NativeKind, key: &Key) -> Self {
        Self::new(match kind {
            NativeKind::Classic => Kind::X25519(x25519::Identity::from_key(key)),
            NativeKind::Hybrid => Kind::Hybrid(hybrid::Identity::from_key(key)),
        })
    }

    /// The kind and the 32 bytes of the identity, for a credential.
    ///
    /// # Panics
    /// For an SSH key, which is never written.
    #[must_use]
    pub fn to_key(&self) -> (NativeKind, Key) {
        match &self.kind {
            Kind::X25519(identity) => (NativeKind::Classic, identity.to_key()),
            Kind::Hybrid(identity) => (NativeKind::Hybrid, identity.to_key()),
            Kind::Ssh(_) => unreachable!("{NOT_WRITTEN}"),
        }
    }

    /// The memory that holds the secret.
    #[must_use]
    pub fn memory(&self) -> &dyn Any {
        match &self.kind {
            Kind::X25519(identity) => identity.memory(),
            Kind::Hybrid(identity) => identity.memory(),
            Kind::Ssh(identity) => identity.memory(),
        }
    }

    /// The public half.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.recipient.clone()
    }

    /// The public half, borrowed.
    pub(super) fn own(&self) -> &Recipient {
        &self.recipient
    }

    pub(super) fn age(&self) -> &dyn age::Identity {
        match &self.kind {
            Kind::X25519(identity) => identity.age(),
            Kind::Hybrid(identity) => identity,
            Kind::Ssh(identity) => identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_round_trips_through_its_bytes() {
        for kind in [NativeKind::Classic, NativeKind::Hybrid] {
            let identity = Identity::generate(kind);
            let (same, key) = identity.to_key();
            assert_eq!(same, kind);
            let copy = Identity::from_key(kind, &key);
            assert!(copy.recipient() == identity.recipient());
            assert!(copy.to_text().same_as(&identity.to_text()));
        }
    }

    #[test]
    fn identity_is_read_in_either_case() {
        for kind in [NativeKind::Classic, NativeKind::Hybrid] {
            let identity = Identity::generate(kind);
            let text = String::from_utf8(identity.to_text().expose().to_vec()).unwrap();
            for text in [text.to_lowercase(), text.clone()] {
                let read = Identity::parse(&text).unwrap();
                assert!(read.recipient() == identity.recipient());
            }
            let mixed = text.replacen("AGE", "age", 1);
            assert!(Identity::parse(&mixed).is_none());
            assert!(Identity::parse(&text[..text.len() - 1]).is_none());
        }
    }
}
