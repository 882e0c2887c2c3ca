//! The vault id: the authority's public key, as text.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};

use super::PublicKey;

const PREFIX: Hrp = Hrp::parse_unchecked("vault");

/// The public half of the authority, which signs the root and members' files.
///
/// As text it is bech32m (BIP 350) with the prefix `vault`, lower case, 64 characters.
///
/// An id is compared far more often than it is used to verify, so whether its bytes are a usable
/// key is judged once, where a root is read; an id that is none belongs to no vault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultId([u8; 32]);

impl VaultId {
    /// The id of the vault whose authority has this public key.
    #[must_use]
    pub fn new(authority: PublicKey) -> Self {
        Self(*authority.as_bytes())
    }

    /// The id made of these bytes. Returns `None` if there are not 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The public key's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that verifies the root and members' files. Returns `None` if the id is not a usable key.
    #[must_use]
    pub fn authority(&self) -> Option<PublicKey> {
        PublicKey::from_bytes(&self.0)
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode::<Bech32m>(PREFIX, self.as_bytes()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a vault id.
#[derive(Debug)]
pub struct NotAnId;

impl FromStr for VaultId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let decoded = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| NotAnId)?;
        let bytes: Vec<u8> = decoded.byte_iter().collect();
        let id = Self::from_bytes(&bytes).ok_or(NotAnId)?;
        // Bech32 also allows capitals and stray padding bits; an id has one spelling.
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(NotAnId)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;

    #[test]
    fn vault_id_has_one_spelling_and_a_checksum() {
        let id = VaultId::new(SigningKey::generate().public());
        let text = id.to_string();
        assert_eq!((text.len(), &text[..6]), (64, "vault1"));
        assert_eq!(text.parse::<VaultId>().unwrap(), id);
        assert!(text.to_uppercase().parse::<VaultId>().is_err());
        let last = if text.ends_with('q') { "p" } else { "q" };
        assert!(format!("{}{last}", &text[..63]).parse::<VaultId>().is_err());
    }
}
