//! Seal, open, sign, verify: every primitive the product uses, and nothing about files or names.
//!
//! Nothing above this module names a cryptographic crate. Secrets are passed as
//! [`crate::secret::Secret`] or [`crate::secret::Key`].

mod cipher;
mod claim;
mod derive;
mod encoding;
mod envelope;
mod fingerprint;
mod identity;
mod kinds;
mod passphrase;
mod random;
mod recipient;
mod revocation;
mod signature;
mod ssh_key;
mod tag;
mod vault_id;

pub use cipher::{OVERHEAD, is_sealed_length, open, padded_length, seal};
pub use claim::{Claim, verify_all};
pub use derive::{Commitment, DataKey, EntryKey};
pub use encoding::{
    Framed, base64_decode, base64_encode, base64url_decode, base64url_encode, checksum, sha256,
};
pub use envelope::UnsealError;
pub use fingerprint::Fingerprint;
pub use identity::{Identity, NativeKind};
pub use passphrase::{ProtectedError, check_protected, is_age_file, protect, unprotect};
pub use random::{Alphabet, random_base64url, random_bytes, random_key, random_text};
pub use recipient::{NotARecipient, Recipient};
pub use revocation::Tag;
pub use signature::{PublicKey, Signature, SigningKey};
pub use ssh_key::{SSH_KINDS, SshKey, SshKeyError};
pub use tag::Tagger;
pub use vault_id::VaultId;
