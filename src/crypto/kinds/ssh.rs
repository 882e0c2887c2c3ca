//! SSH keys as age keys (C2SP age, "The ssh-ed25519 recipient type"). Only `ssh-ed25519`: the `rsa`
//! of age's feature is never called.
//!
//! The recipient is an Ed25519 key, and a file key is sealed to the X25519 key with the same scalar.
//! The stanza names the key by four bytes of its hash, so it is not anonymous.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use age::ssh::Identity as AgeIdentity;
use age::{DecryptError, EncryptError, Identity as _};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret;

use super::super::encoding::{base64_decode, base64_encode};
use super::super::recipient::NotARecipient;
use super::super::signature::PublicKey;
use crate::secret::wipe;

/// The type of the stanza that is sealed to such a recipient.
pub(in crate::crypto) const STANZA: &str = "ssh-ed25519";
/// The kind of the key, in its text and in its bytes.
pub(in crate::crypto) const KIND: &str = "ssh-ed25519";
/// The bytes before the point: the kind and the point's length, each after or as four bytes.
const BEFORE_POINT: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x20";
/// The body of a stanza.
const BODY: usize = FILE_KEY_BYTES + 16;

/// The public half, `ssh-ed25519 AAAA…` without a comment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::crypto) struct Recipient(PublicKey);

impl Recipient {
    pub(in crate::crypto) fn new(key: PublicKey) -> Self {
        Self(key)
    }

    /// Reads the bytes that the text spells in base64.
    pub(in crate::crypto) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let point = bytes.strip_prefix(BEFORE_POINT)?;
        PublicKey::from_bytes(point).map(Self)
    }

    pub(in crate::crypto) fn key(&self) -> &PublicKey {
        &self.0
    }

    fn age(&self) -> age::ssh::Recipient {
        let parsed = self.to_string().parse();
        parsed.expect("the text of a checked key is a recipient")
    }
}

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let key = text
            .strip_prefix(KIND)
            .and_then(|rest| rest.strip_prefix(' '));
        key.and_then(base64_decode)
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or(NotARecipient)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [BEFORE_POINT, self.0.as_bytes()].concat();
        write!(f, "{KIND} {}", base64_encode(&bytes))
    }
}

impl age::Recipient for Recipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        self.age().wrap_file_key(file_key)
    }
}

/// The private half, on the heap, so that moving it makes no copy. age wipes it.
pub(in crate::crypto) struct Identity {
    key: Box<AgeIdentity>,
    recipient: Recipient,
}

impl Identity {
    /// The private half of `recipient`. `None` if it is the half of another one: a file names the
    /// public key apart from the private one.
    pub(in crate::crypto) fn new(key: AgeIdentity, recipient: Recipient) -> Option<Self> {
        let identity = Self {
            key: Box::new(key),
            recipient,
        };
        let wanted = [0x5a; FILE_KEY_BYTES];
        let file_key = FileKey::new(Box::new(wanted));
        let (stanzas, _) = age::Recipient::wrap_file_key(&identity.recipient, &file_key).ok()?;
        let opened = identity.unwrap_stanza(stanzas.first()?)?.ok()?;
        (*opened.expose_secret() == wanted).then_some(identity)
    }

    pub(in crate::crypto) fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The memory that holds the key, or refers to it.
    pub(in crate::crypto) fn memory(&self) -> &(impl Sized + use<>) {
        &*self.key
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != STANZA {
            return None;
        }
        let is_whole = match &stanza.args[..] {
            [tag, share] => {
                let length = |text: &str| base64_decode(text).map(|bytes| bytes.len());
                (length(tag), length(share)) == (Some(4), Some(32)) && stanza.body.len() == BODY
            }
            _ => false,
        };
        if !is_whole {
            return Some(Err(DecryptError::InvalidHeader));
        }
        // `None` if the four bytes of the hash are those of another key.
        self.key.unwrap_stanza(stanza)
    }
}

/// Reads an OpenSSH file without its lines of dashes, whose structure was checked.
pub(in crate::crypto) fn read(bytes: &[u8]) -> Option<AgeIdentity> {
    let mut text = [BEGIN, b"\n", base64_encode(bytes).as_bytes()].concat();
    text.resize(text.len() + (3 - bytes.len() % 3) % 3, b'=');
    text.extend([b"\n", END, b"\n"].concat());
    let identity = AgeIdentity::from_buffer(&text[..], None).ok();
    wipe(&mut text);
    identity
}

/// The lines around a key in OpenSSH's format.
pub(in crate::crypto) const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
pub(in crate::crypto) const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SshKey;

    const PLAIN: &str = include_str!("../../../fuzz/corpus/ssh/plain");

    fn identity() -> Identity {
        let key = SshKey::parse(PLAIN.as_bytes()).unwrap();
        let lines = PLAIN.lines().filter(|line| !line.starts_with('-'));
        let body: String = lines.collect();
        let bytes = base64_decode(body.trim_end_matches('=')).unwrap();
        let recipient = key.recipient().to_string().parse().unwrap();
        Identity::new(read(&bytes).unwrap(), recipient).unwrap()
    }

    fn stanza(recipient: &Recipient) -> Stanza {
        let file_key = FileKey::new(Box::new([7; FILE_KEY_BYTES]));
        let (stanzas, _) = age::Recipient::wrap_file_key(recipient, &file_key).unwrap();
        stanzas.into_iter().next().unwrap()
    }

    #[test]
    fn stanza_has_one_form() {
        let identity = identity();
        let own = stanza(identity.recipient());
        let opens = |change: &dyn Fn(&mut Stanza)| {
            let mut stanza = stanza(identity.recipient());
            change(&mut stanza);
            identity.unwrap_stanza(&stanza).map(|opened| opened.is_ok())
        };
        assert_eq!(opens(&|_| {}), Some(true));
        assert_eq!(own.args[0].len(), 6);
        let refused = Some(false);
        assert_eq!(opens(&|stanza| stanza.args.push("x".to_owned())), refused);
        assert_eq!(opens(&|stanza| drop(stanza.args.pop())), refused);
        assert_eq!(opens(&|stanza| stanza.args.swap(0, 1)), refused);
        assert_eq!(opens(&|stanza| stanza.args[1].push('=')), refused);
        assert_eq!(opens(&|stanza| stanza.body.push(0)), refused);
        assert_eq!(opens(&|stanza| stanza.body.truncate(BODY - 1)), refused);
        assert_eq!(opens(&|stanza| stanza.body[0] ^= 1), refused);
        assert_eq!(
            opens(&|stanza| stanza.args[1] = own.args[1].clone()),
            refused
        );
        // Of someone else: another hash, or another type.
        assert_eq!(
            opens(&|stanza| "AAAAAA".clone_into(&mut stanza.args[0])),
            None
        );
        assert_eq!(opens(&|stanza| "X25519".clone_into(&mut stanza.tag)), None);
    }

    #[test]
    fn private_half_of_another_key_is_refused() {
        let other: PublicKey = crate::crypto::SigningKey::generate().public();
        let key = SshKey::parse(PLAIN.as_bytes()).unwrap();
        assert!(key.recipient().to_string() != Recipient::new(other).to_string());
        assert!(Identity::new(*identity().key, Recipient::new(other)).is_none());
    }
}
