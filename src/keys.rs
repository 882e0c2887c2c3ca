//! Where the key comes from that unlocks a vault.
//!
//! The order: `--key-file` or `--key-fd`, `VAULT_KEY_FILE`, `VAULT_KEY`, `VAULT_KEY_COMMAND`, the
//! operating system's keyring, then the file `identity.txt`, or `identity.age` next to it, which a
//! passphrase protects, and last `~/.ssh/id_ed25519` if it belongs to a member. A source that was
//! named and fails is an error, never a reason to try the next one. Each is read once.

mod command;
mod credential;
mod exposure;
mod file;
mod given;
mod guard;
mod identity;
mod keyring;
mod means;
mod moving;
mod own;
mod protected;
mod recipient;
mod ssh;
#[cfg(test)]
mod tests;
mod words;

use std::ffi::OsString;
use std::fmt;
use std::os::fd::RawFd;
use std::path::PathBuf;

pub use command::{Wrapped, wrap};
pub use credential::Credential;
pub use given::Given;
use guard::holds_key;
pub use guard::{hide_keys, is_key};
pub use identity::{add as add_identity, import};
pub use keyring::{Absence, Keyring};
pub use means::{holds_key_to, is_identity};
pub use moving::{protect, to_file, to_keyring};
pub use own::{Kept, create as create_identity};
pub use protected::{Ask, unprotect};
pub use recipient::{PublicSshKey, ssh_keys, typed_recipient};
pub use ssh::DefaultKey;

use self::exposure::Text;
use crate::crypto::{Identity, is_age_file};
use crate::fault::Fault;
use crate::platform;
use crate::secret::Secret;

/// The hint about the form of a key.
const FORM: &str = "a key is one line: a credential from `vault ci add`, or an age identity";
/// The most identities in one file.
const MOST: usize = 20;
/// The longest text that holds a key, in bytes.
const LONGEST: usize = 64 << 10;

/// The places that may hold a key, as the caller named them.
#[derive(Default)]
pub struct Sources {
    /// `--key-file`; `-` is standard input.
    pub key_file: Option<OsString>,
    /// `--key-fd`.
    pub key_fd: Option<RawFd>,
    /// `VAULT_KEY_FILE`.
    pub variable_file: Option<OsString>,
    /// The value of `VAULT_KEY`, already taken out of the environment.
    pub variable: Option<Secret>,
    /// `VAULT_KEY_COMMAND`, to be split into words.
    pub command: Option<OsString>,
    /// `identity.txt`, whether it exists or not. `identity.age` is in the same folder.
    pub identity: Option<PathBuf>,
    /// The keyring, which is used only together with `identity`.
    pub keyring: Keyring,
    /// `~/.ssh/id_ed25519`.
    pub ssh: Option<DefaultKey>,
}

/// Which source held the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--key-file` with this path.
    KeyFile(OsString),
    /// `--key-fd` with this number.
    KeyDescriptor(RawFd),
    /// `VAULT_KEY_FILE` with this path.
    VariableFile(OsString),
    /// `VAULT_KEY`.
    Variable,
    /// `VAULT_KEY_COMMAND`.
    Command,
    /// The operating system's keyring.
    Keyring,
    /// `identity.txt` or `identity.age` at this path.
    IdentityFile(PathBuf),
    /// `~/.ssh/id_ed25519` at this path.
    Ssh(PathBuf),
}

impl Source {
    /// The file that holds the key, if it is one that stays.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::KeyFile(path) | Self::VariableFile(path) => {
                let path = PathBuf::from(path);
                path.is_file().then_some(path)
            }
            Self::IdentityFile(path) => Some(path.clone()),
            Self::KeyDescriptor(_)
            | Self::Variable
            | Self::Command
            | Self::Keyring
            | Self::Ssh(_) => None,
        }
    }

    /// Whether the key was read from standard input, which then holds nothing else.
    #[must_use]
    pub fn is_input(&self) -> bool {
        match self {
            Self::KeyFile(path) | Self::VariableFile(path) => file::is_input(path),
            Self::KeyDescriptor(number) => *number == 0,
            Self::Variable
            | Self::Command
            | Self::Keyring
            | Self::IdentityFile(_)
            | Self::Ssh(_) => false,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile(path) => write!(f, "--key-file {}", path.display()),
            Self::KeyDescriptor(number) => write!(f, "--key-fd {number}"),
            Self::VariableFile(path) => write!(f, "VAULT_KEY_FILE {}", path.display()),
            Self::Variable => f.write_str("VAULT_KEY"),
            Self::Command => f.write_str("VAULT_KEY_COMMAND"),
            Self::Keyring => f.write_str("the keyring"),
            Self::IdentityFile(path) | Self::Ssh(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A key and its source.
pub struct Found {
    /// The identity.
    pub identity: Identity,
    /// The ones after it in the same file. Of all of them, the first that is a member's is used.
    pub others: Vec<Identity>,
    /// The rest of the credential, if the key came in one.
    pub credential: Option<Pinned>,
    /// Its source.
    pub source: Source,
    /// A warning for the caller, if others can change the file that it was read from.
    pub caution: Option<String>,
}

impl Found {
    /// Every identity, in the order of the file.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        std::iter::once(&self.identity).chain(&self.others)
    }

    /// Puts the first identity first for which `is_wanted`, if there is one.
    ///
    /// # Errors
    /// As `is_wanted`.
    pub fn prefer(
        &mut self,
        is_wanted: &dyn Fn(&Identity) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        if is_wanted(&self.identity)? {
            return Ok(());
        }
        for other in &mut self.others {
            if is_wanted(other)? {
                std::mem::swap(&mut self.identity, other);
                break;
            }
        }
        Ok(())
    }
}

/// The content of a credential besides the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The vault it belongs to.
    pub vault: crate::crypto::VaultId,
    /// The last revocation that it knows; a root that does not list it is refused.
    pub tag: crate::crypto::Tag,
    /// The name of its member.
    pub member: String,
    /// The environments it was made for.
    pub environments: Vec<String>,
}

/// Reads the first source that is present. Returns `None` if none is.
///
/// # Errors
/// If a source that is there cannot be read, or holds no key or more than one.
pub fn find(sources: Sources, ask: Ask<'_>) -> Result<Option<Found>, Fault> {
    let Some((source, text)) = first_present(sources)? else {
        return Ok(None);
    };
    let (key, exposure) = (text.key, text.exposure);
    let key = match source {
        Source::Variable | Source::Command | Source::Keyring => key,
        _ if is_age_file(key.expose()) => protected::open(&key, &source, ask)?,
        _ => key,
    };
    platform::lock_memory(key.expose());
    let (mut identities, credential) = if ssh::is_ssh(&key) {
        (vec![ssh::open(&key, &source, ask)?], None)
    } else {
        match parse(&key, &source)? {
            Parsed::Credential(credential) => (vec![credential.identity], Some(credential.pinned)),
            Parsed::Identities(identities) => (identities, None),
        }
    };
    for identity in &identities {
        platform::lock_memory(identity.memory());
    }
    let identity = identities.remove(0);
    let caution = exposure.map(|exposure| exposure.warning(&source));
    Ok(Some(Found {
        identity,
        others: identities,
        credential,
        source,
        caution,
    }))
}

fn first_present(sources: Sources) -> Result<Option<(Source, Text)>, Fault> {
    if let Some(path) = sources.key_file {
        let text = file::read_key_file(&path, "--key-file")?;
        return Ok(Some((Source::KeyFile(path), text)));
    }
    if let Some(number) = sources.key_fd {
        return Ok(Some((
            Source::KeyDescriptor(number),
            file::read_descriptor(number)?,
        )));
    }
    if let Some(path) = sources.variable_file.filter(|path| !path.is_empty()) {
        let text = file::read_key_file(&path, "VAULT_KEY_FILE")?;
        return Ok(Some((Source::VariableFile(path), text)));
    }
    // A pull request from a fork gets an empty secret. That counts as no key, not as a wrong one.
    if let Some(text) = sources
        .variable
        .filter(|text| !text.expose().trim_ascii().is_empty())
    {
        return Ok(Some((Source::Variable, Text::unexposed(text))));
    }
    if let Some(command) = sources.command.filter(|command| !command.is_empty()) {
        // Not even in the middle: the shell would quote it if it fails.
        if holds_key(&command.to_string_lossy()) {
            return Err(misplaced("VAULT_KEY_COMMAND", "a command"));
        }
        return Ok(Some((
            Source::Command,
            Text::unexposed(command::run(&command)?),
        )));
    }
    if let Some(path) = sources.identity
        && let Some(found) = own::find(&path, &sources.keyring)?
    {
        return Ok(Some(found));
    }
    match sources.ssh {
        Some(key) => key.read(),
        None => Ok(None),
    }
}

/// That `place`, which is meant for `meant`, holds a key.
#[must_use]
pub fn misplaced(place: &str, meant: &str) -> Fault {
    Fault::usage(format!("{place} holds a key, not {meant}"))
        .hint("put the key into the variable VAULT_KEY, never into an argument")
}

/// The key in a text.
enum Parsed {
    Credential(Box<Credential>),
    /// At least one, in the order of the text.
    Identities(Vec<Identity>),
}

/// Understands a credential, or an age identity file with one identity or more.
fn parse(text: &Secret, source: &Source) -> Result<Parsed, Fault> {
    let wrong = |reason: &str| Fault::locked(format!("the key from {source} {reason}")).hint(FORM);
    if text.expose().starts_with(b"\xff\xfe") || text.expose().starts_with(b"\xfe\xff") {
        return Err(wrong("is UTF-16 text; save it as UTF-8"));
    }
    if is_age_file(text.expose()) || text.expose().starts_with(b"-----BEGIN AGE") {
        return Err(wrong("is encrypted, and vault opens only a binary file")
            .hint("keep the encrypted identity in a file: `vault --key-file PATH`"));
    }
    let marked = std::str::from_utf8(text.expose()).map_err(|_| wrong("is not text"))?;
    // Editors of Windows put a byte order mark before the text.
    let text = marked.strip_prefix('\u{feff}').unwrap_or(marked);
    let all_lines = text.lines().map(str::trim);
    let mut lines = all_lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or_else(|| wrong("is empty"))?;
    let rest: Vec<&str> = lines.collect();
    let is_credential = |line: &&str| line.starts_with(credential::PREFIX);
    if rest.len() >= MOST {
        return Err(wrong(&format!("has more than {MOST} identities")));
    }
    if !rest.is_empty() && [line].iter().chain(&rest).any(is_credential) {
        return Err(wrong("is a credential and another key"));
    }
    if is_credential(&line) {
        let credential = Credential::parse(line)
            .ok_or_else(|| wrong("is a damaged credential: a part is missing or mistyped"))?;
        return Ok(Parsed::Credential(Box::new(credential)));
    }
    if recipient::public_key(line).is_some() {
        let reason = format!("the key from {source} is a public key");
        return Err(Fault::locked(reason).hint("name the file without .pub"));
    }
    let identity = |line: &str| {
        Identity::parse(line).ok_or_else(|| {
            Fault::locked(format!("{source} does not contain a valid key")).hint(FORM)
        })
    };
    let lines = std::iter::once(line).chain(rest);
    Ok(Parsed::Identities(
        lines.map(identity).collect::<Result<_, _>>()?,
    ))
}
