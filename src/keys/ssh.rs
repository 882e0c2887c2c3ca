//! An SSH key as the caller's key: a file of theirs, which is only ever read.
//!
//! `~/.ssh/id_ed25519` is the last source of all, and only if its public half is a member's
//! recipient. Otherwise every command of someone without a key would ask for its passphrase.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::exposure::Text;
use super::identity::read_identity_file;
use super::recipient::{plural_kind, public_key};
use super::{Ask, Source};
use crate::crypto::{Identity, Recipient, SshKey, SshKeyError};
use crate::fault::Fault;
use crate::platform;
use crate::secret::Secret;

/// How often a person may try to type the passphrase.
const ATTEMPTS: usize = 3;
/// The longest public key file, in bytes.
const LONGEST: usize = 64 << 10;

/// `~/.ssh/id_ed25519`, whether it exists or not.
pub struct DefaultKey {
    /// Its path.
    pub path: PathBuf,
    /// Whether this is the recipient of a member of the vault that is meant.
    pub is_member: Box<dyn Fn(&Recipient) -> bool>,
}

impl DefaultKey {
    /// The public half, from the file next to the key, if it belongs to a member.
    pub(super) fn recipient(&self) -> Option<Recipient> {
        let mut path = OsString::from(&self.path);
        path.push(".pub");
        let mut file = platform::open_regular(Path::new(&path)).ok()?;
        let text = Secret::read(&mut file, LONGEST).ok()?;
        let recipient = public_key(std::str::from_utf8(text.expose()).ok()?)?;
        (self.is_member)(&recipient).then_some(recipient)
    }

    /// The key, if its public half belongs to a member.
    pub(super) fn read(self) -> Result<Option<(Source, Text)>, Fault> {
        let Some(recipient) = self.recipient() else {
            return Ok(None);
        };
        let Some(key) = read_identity_file(&self.path)? else {
            return Ok(None);
        };
        let source = Source::Ssh(self.path);
        let parsed = SshKey::parse(key.expose()).map_err(|error| refused(error, &source))?;
        if parsed.recipient() != recipient {
            return Err(refused(SshKeyError::Halves, &source));
        }
        Ok(Some((source, Text::unexposed(key))))
    }
}

/// Whether the text is a private key in lines of dashes, or one of `PuTTY`.
pub(super) fn is_ssh(text: &Secret) -> bool {
    let text = text.expose().trim_ascii_start();
    let is_pem = text.starts_with(b"-----BEGIN ") && !text.starts_with(b"-----BEGIN AGE");
    is_pem || text.starts_with(b"PuTTY-User-Key-File-")
}

/// The identity in the text of a key file. A person types the passphrase, if there is one.
pub(super) fn open(text: &Secret, source: &Source, ask: Ask<'_>) -> Result<Identity, Fault> {
    let refused = |error| refused(error, source);
    let key = SshKey::parse(text.expose()).map_err(refused)?;
    if !key.is_protected() {
        return key.open("").map_err(refused);
    }
    let mut question = format!("passphrase of {source}: ");
    for _ in 0..ATTEMPTS {
        let typed = ask(&question)?;
        let passphrase = std::str::from_utf8(typed.expose());
        match passphrase.map(|passphrase| key.open(passphrase)) {
            Ok(Ok(identity)) => return Ok(identity),
            Err(_) | Ok(Err(SshKeyError::WrongPassphrase)) => {
                question = format!("wrong; passphrase of {source}: ");
            }
            Ok(Err(error)) => return Err(refused(error)),
        }
    }
    Err(refused(SshKeyError::WrongPassphrase))
}

fn refused(error: SshKeyError, source: &Source) -> Fault {
    let fault = |reason: &str| Fault::locked(format!("the key from {source} {reason}"));
    let make = "use an ssh-ed25519 key, which `ssh-keygen -t ed25519` makes, or an age identity";
    match error {
        SshKeyError::WrongPassphrase => {
            Fault::locked(format!("that is not the passphrase of {source}"))
        }
        SshKeyError::Kind(kind) => fault(&format!(
            "is {kind}, which vault cannot use: {}",
            plural_kind(kind)
        ))
        .hint(make),
        SshKeyError::Format => fault("is not in OpenSSH's own format").hint(make),
        SshKeyError::Damaged => {
            fault("is damaged: it is not one whole SSH key").hint("restore it from your backup")
        }
        SshKeyError::Halves => fault("does not belong to the public key next to it")
            .hint("write its public half again: `ssh-keygen -y -f FILE > FILE.pub`"),
        SshKeyError::Cipher => fault("is encrypted with a cipher that vault does not know")
            .hint("encrypt it with the usual one: `ssh-keygen -p -Z aes256-ctr -f FILE`"),
        SshKeyError::TooMuchWork => {
            fault("demands more work to open than vault accepts (more than 1000 rounds)")
                .hint("give it fewer rounds: `ssh-keygen -p -a 100 -f FILE`")
        }
    }
}
