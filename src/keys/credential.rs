//! The one string that CI holds: identity, vault id, last known revocation, member, environments.
//!
//! `vaultci1_` and base64url of: identity (32 bytes) ‖ vault id (32) ‖ tag of the last revocation that
//! it knows, or zeros (16) ‖ length of the member's name (1) and the name ‖ per environment its length
//! (1) and name ‖ checksum (8). The label of the checksum says which kind the identity has. One line of
//! `A-Za-z0-9_-`, which every platform can store and mask.

use super::Pinned;
use crate::crypto::{
    Identity, NativeKind, Tag, VaultId, base64url_decode, base64url_encode, checksum,
};
use crate::secret::{Key, Secret};

pub(super) const PREFIX: &str = "vaultci1_";
const KINDS: [NativeKind; 2] = [NativeKind::Hybrid, NativeKind::Classic];
const CHECKSUM: usize = 8;
/// The longest credential, in characters: hundreds of environments.
const LONGEST: usize = 32 << 10;

/// The label of the checksum around an identity of this kind.
fn label(kind: NativeKind) -> &'static str {
    match kind {
        NativeKind::Classic => "vault/v1/credential",
        NativeKind::Hybrid => "vault/v1/hybrid-credential",
    }
}

/// A machine's identity with its pin.
pub struct Credential {
    /// The machine's identity.
    pub identity: Identity,
    /// The pin and the environments.
    pub pinned: Pinned,
}

impl Credential {
    /// The one line, to be shown once.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let mut payload = Secret::with_capacity(256);
        let (kind, key) = self.identity.to_key();
        payload.extend(key.expose());
        payload.extend(self.pinned.vault.as_bytes());
        payload.extend(self.pinned.tag.as_bytes());
        for name in std::iter::once(&self.pinned.member).chain(&self.pinned.environments) {
            payload.extend(&[u8::try_from(name.len()).unwrap_or(u8::MAX)]);
            payload.extend(name.as_bytes());
        }
        let checksum = checksum(label(kind), payload.expose());
        payload.extend(&checksum);
        let mut text = Secret::new(PREFIX.as_bytes().to_vec());
        text.extend(Secret::new(base64url_encode(payload.expose()).into_bytes()).expose());
        text
    }

    /// Reads the one line. Returns `None` if it is incomplete.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = Secret::new(base64url_decode(text.strip_prefix(PREFIX)?)?);
        let end = bytes.len().checked_sub(CHECKSUM)?;
        let (payload, sum) = bytes.expose().split_at(end);
        let kind = KINDS
            .into_iter()
            .find(|kind| checksum(label(*kind), payload) == sum)?;
        let (identity, after_identity) = payload.split_at_checked(32)?;
        let (vault, after_vault) = after_identity.split_at_checked(32)?;
        let (tag, mut rest) = after_vault.split_at_checked(16)?;
        let mut names = Vec::new();
        while let Some((&length, after)) = rest.split_first() {
            let (name, after) = after.split_at_checked(usize::from(length))?;
            names.push(std::str::from_utf8(name).ok()?.to_owned());
            rest = after;
        }
        let (member, environments) = names.split_first()?;
        let pinned = Pinned {
            vault: VaultId::from_bytes(vault)?,
            tag: Tag::from_bytes(tag)?,
            member: member.clone(),
            environments: environments.to_vec(),
        };
        Some(Self {
            identity: Identity::from_key(kind, &Key::from_slice(identity)?),
            pinned,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;

    #[test]
    fn credential_round_trips_and_changes_are_refused() {
        let vault = VaultId::new(SigningKey::generate().public());
        let environments = vec!["production".to_owned(), "staging".to_owned()];
        let pinned = Pinned {
            vault,
            tag: Tag::random(),
            member: "ci-production".to_owned(),
            environments,
        };
        for kind in [NativeKind::Classic, NativeKind::Hybrid] {
            check(kind, &pinned);
        }
    }

    fn check(kind: NativeKind, pinned: &Pinned) {
        let credential = Credential {
            identity: Identity::generate(kind),
            pinned: pinned.clone(),
        };
        let text = String::from_utf8(credential.to_text().expose().to_vec()).unwrap();
        let read = Credential::parse(&text).unwrap();
        assert_eq!(read.pinned, *pinned);
        assert!(read.identity.recipient() == credential.identity.recipient());
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        );
        for at in PREFIX.len()..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(
                Credential::parse(std::str::from_utf8(&other).unwrap()).is_none(),
                "{at}"
            );
            assert!(Credential::parse(&text[..at]).is_none(), "{at}");
        }
    }
}
