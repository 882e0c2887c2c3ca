//! The derivations from an environment's data key: one key per name, and the commitment.
//!
//! HKDF-SHA256 (RFC 5869) with salt = vault id ‖ SHA-256(environment). Because every name has a
//! key of its own, a member can be given the keys of a few names and no more.

use hkdf::Hkdf;
use sha2::Sha256;

use super::{Framed, VaultId, random_key, sha256};
use crate::secret::Key;

/// 32 public bytes that fix an epoch's data key without telling anything about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 32]);

/// The key of one name in one epoch of one environment.
pub struct EntryKey(Key);

impl EntryKey {
    /// Takes a key that was unsealed for a limited member.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self(key)
    }

    /// The key, for the cipher and for sealing it to a limited member.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// The data key of one epoch, with the environment it belongs to mixed in.
pub struct DataKey {
    key: Key,
    /// What HKDF extracts from it. The state of HKDF itself cannot be wiped, so it is not kept.
    extracted: Key,
}

impl DataKey {
    /// A new random data key.
    #[must_use]
    pub fn generate(vault: &VaultId, environment: &str) -> Self {
        Self::new(random_key(), vault, environment)
    }

    /// The data key made of these 32 bytes.
    #[must_use]
    pub fn new(key: Key, vault: &VaultId, environment: &str) -> Self {
        let mut salt = [0; 64];
        salt[..32].copy_from_slice(vault.as_bytes());
        salt[32..].copy_from_slice(&sha256(environment.as_bytes()));
        let (extracted, _) = Hkdf::<Sha256>::extract(Some(&salt), key.expose());
        Self {
            key,
            extracted: Key::filled(|key| key.copy_from_slice(&extracted)),
        }
    }

    /// The 32 bytes, for sealing them to a member.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.key.expose()
    }

    /// The key of `name`.
    #[must_use]
    pub fn entry_key(&self, name: &str) -> EntryKey {
        let info = Framed::default().part(name.as_bytes()).into_bytes();
        EntryKey(Key::filled(|key| {
            self.expand(&[b"vault/v1/entry-key", &info], key);
        }))
    }

    /// The commitment to this data key.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let mut commitment = [0; 32];
        self.expand(&[b"vault/v1/commitment"], &mut commitment);
        Commitment(commitment)
    }

    /// The parts of it that must be kept secret.
    #[must_use]
    pub fn parts(&self) -> [&[u8; 32]; 2] {
        [self.key.expose(), self.extracted.expose()]
    }

    fn expand(&self, info: &[&[u8]], key: &mut [u8; 32]) {
        let extracted = Hkdf::<Sha256>::from_prk(self.extracted.expose());
        let hkdf = extracted.expect("the extracted key has the length of a hash");
        hkdf.expand_multi_info(info, key)
            .expect("HKDF gives up to 8160 bytes");
    }
}
