//! The private half of an SSH key in OpenSSH's own format (PROTOCOL.key), which a passphrase may
//! protect.
//!
//! The structure is checked here before age reads it: age limits neither the work that a passphrase
//! costs nor the kinds of keys. Nothing of the text is ever part of an error.

use age::secrecy::SecretString;
use age::ssh::Identity as AgeIdentity;

use super::encoding::base64_decode;
use super::identity::Identity;
use super::kinds::ssh::{self, BEGIN, END};
use super::recipient::Recipient;
use crate::secret::Secret;

/// The start of the bytes of every such file.
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// The most rounds of bcrypt: about a quarter of a minute. `ssh-keygen` uses 16 or 24, and people up
/// to a few hundred.
const MOST_ROUNDS: u32 = 1_000;

/// An SSH key that may still be locked.
pub struct SshKey {
    key: AgeIdentity,
    recipient: ssh::Recipient,
}

/// Why an SSH key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshKeyError {
    /// It is not in OpenSSH's own format.
    Format,
    /// It is not an `ssh-ed25519` key but one of this kind.
    Kind(&'static str),
    /// The file is damaged, or has more than one key.
    Damaged,
    /// Its private half does not belong to its public half.
    Halves,
    /// It is encrypted with a cipher that age does not know.
    Cipher,
    /// Its passphrase costs more work than is accepted.
    TooMuchWork,
    /// Another passphrase protects it.
    WrongPassphrase,
}

impl SshKey {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// If it is anything but one whole `ssh-ed25519` key.
    pub fn parse(text: &[u8]) -> Result<Self, SshKeyError> {
        let bytes = unwrapped(text)?;
        let parts = Parts::of(bytes.expose())?;
        let recipient = ssh::Recipient::from_bytes(parts.public).ok_or(SshKeyError::Damaged)?;
        let key = ssh::read(bytes.expose()).ok_or(SshKeyError::Damaged)?;
        match key {
            AgeIdentity::Unsupported(_) => Err(SshKeyError::Damaged),
            key => Ok(Self { key, recipient }),
        }
    }

    /// The public half, which is readable without a passphrase.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.recipient.clone().into()
    }

    /// Whether a passphrase protects it.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        matches!(self.key, AgeIdentity::Encrypted(_))
    }

    /// The identity. The passphrase does not matter for a key that none protects.
    ///
    /// # Errors
    /// If the passphrase is wrong, or the private half belongs to another public half.
    pub fn open(&self, passphrase: &str) -> Result<Identity, SshKeyError> {
        let key = match &self.key {
            AgeIdentity::Encrypted(key) => {
                let opened = key.decrypt(SecretString::from(passphrase));
                opened.map_err(|_| SshKeyError::WrongPassphrase)?.into()
            }
            key => key.clone(),
        };
        ssh::Identity::new(key, self.recipient.clone())
            .map(Identity::from)
            .ok_or(SshKeyError::Halves)
    }
}

/// The bytes between the lines of dashes.
fn unwrapped(text: &[u8]) -> Result<Secret, SshKeyError> {
    let text = text.trim_ascii();
    let Some(rest) = text.strip_prefix(BEGIN) else {
        return Err(if text.starts_with(b"-----BEGIN RSA ") {
            SshKeyError::Kind("ssh-rsa")
        } else {
            SshKeyError::Format
        });
    };
    let body = rest.strip_suffix(END).ok_or(SshKeyError::Damaged)?;
    let mut packed = Secret::with_capacity(body.len());
    for part in body.split(u8::is_ascii_whitespace) {
        packed.extend(part);
    }
    let unpadded = packed.expose().iter().rposition(|byte| *byte != b'=');
    let packed = &packed.expose()[..unpadded.map_or(0, |last| last + 1)];
    let packed = std::str::from_utf8(packed).map_err(|_| SshKeyError::Damaged)?;
    base64_decode(packed)
        .map(Secret::new)
        .ok_or(SshKeyError::Damaged)
}

/// The parts of the file that are readable without a passphrase.
struct Parts<'a> {
    public: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, SshKeyError> {
        let mut reader = Reader(bytes.strip_prefix(MAGIC).ok_or(SshKeyError::Damaged)?);
        let (cipher, function, options) = (reader.string()?, reader.string()?, reader.string()?);
        if reader.number()? != 1 {
            return Err(SshKeyError::Damaged);
        }
        let public = reader.string()?;
        let private = reader.string()?;
        check_kind(&mut Reader(public))?;
        if (cipher, function, options) == (b"none", b"none", b"") {
            check_private(private)?;
            return reader.end().map(|()| Self { public });
        }
        let (block, tag) = match cipher {
            b"aes256-ctr" | b"aes192-ctr" | b"aes128-ctr" | b"aes256-cbc" => (16, 0),
            b"aes256-gcm@openssh.com" => (16, 16),
            b"none" => return Err(SshKeyError::Damaged),
            _ => return Err(SshKeyError::Cipher),
        };
        if function != b"bcrypt" || private.is_empty() || private.len() % block != 0 {
            return Err(SshKeyError::Damaged);
        }
        reader.take(tag)?;
        reader.end()?;
        check_work(options)?;
        Ok(Self { public })
    }
}

/// The salt and the number of rounds.
fn check_work(options: &[u8]) -> Result<(), SshKeyError> {
    let mut reader = Reader(options);
    let (salt, rounds) = (reader.string()?, reader.number()?);
    reader.end()?;
    match rounds {
        0 => Err(SshKeyError::Damaged),
        _ if salt.is_empty() => Err(SshKeyError::Damaged),
        1..=MOST_ROUNDS => Ok(()),
        _ => Err(SshKeyError::TooMuchWork),
    }
}

/// The same number twice, and then the key.
fn check_private(private: &[u8]) -> Result<(), SshKeyError> {
    let mut reader = Reader(private);
    if reader.number()? != reader.number()? {
        return Err(SshKeyError::Damaged);
    }
    check_kind(&mut reader)
}

/// The kind that a key starts with.
fn check_kind(reader: &mut Reader<'_>) -> Result<(), SshKeyError> {
    let kind = reader.string()?;
    if kind == ssh::KIND.as_bytes() {
        return Ok(());
    }
    let known = SSH_KINDS.iter().find(|known| known.as_bytes() == kind);
    Err(known.map_or(SshKeyError::Damaged, |known| SshKeyError::Kind(known)))
}

/// The other kinds of SSH keys. None of them can be used.
pub const SSH_KINDS: [&str; 8] = [
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-ed448",
];

/// Reads numbers and texts after their length (RFC 4251, 5).
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], SshKeyError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(SshKeyError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, SshKeyError> {
        let bytes = self.take(4)?.try_into();
        bytes
            .map(u32::from_be_bytes)
            .map_err(|_| SshKeyError::Damaged)
    }

    fn string(&mut self) -> Result<&'a [u8], SshKeyError> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| SshKeyError::Damaged)?)
    }

    fn end(&self) -> Result<(), SshKeyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(SshKeyError::Damaged)
        }
    }
}
