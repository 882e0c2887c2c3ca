//! The operating system's keyring: the Keychain of macOS, and on Linux the Secret Service of a desktop
//! session.
//!
//! The identity is one entry with the text of `identity.txt`. The file `identity.keyring` beside that
//! path says that vault put it there, so a caller with a key file never waits for the keyring. Nothing
//! of an entry is shown, and an entry with other content is never replaced.

mod entry;

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::LONGEST;
use crate::fault::Fault;
use crate::platform::{self, Aside, FileAccess};
use crate::secret::Secret;

/// The names of the entry, which other programs show.
const SERVICE: &str = "repovault";
const ACCOUNT: &str = "identity";
/// How long the keyring may take to answer.
const LIMIT: Duration = Duration::from_secs(5);
/// The same while it may be asking a person to unlock it.
const LIMIT_WITH_PROMPT: Duration = Duration::from_secs(30);

/// The caller's settings that say whether there is a keyring.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    /// Whether `CI` is set.
    pub is_ci: bool,
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub bus: Option<OsString>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_folder: Option<PathBuf>,
    /// Whether a window could appear, with a question for the person.
    pub has_display: bool,
}

/// Why the keyring did not give a key, or did not take one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// This program was built without it.
    NotBuilt,
    /// `CI` is set.
    InCi,
    /// D-Bus does not run here.
    NoBus,
    /// The address of the session leads nowhere, for this reason.
    Unreachable(String),
    /// The session has no keyring that answers.
    NoService(String),
    /// It has no entry of vault.
    Empty,
    /// It is locked, and no one unlocked it.
    Locked,
    /// It did not answer within this time.
    Silent(Duration),
    /// It has more than one entry of vault.
    Several,
    /// Its entry differs from the one to write or to remove.
    Other,
    /// It failed in another way.
    Failed(String),
}

impl Absence {
    /// Whether the keyring holds an entry that could not be read.
    pub(super) fn has_entry(&self) -> bool {
        self.has_other_entry() || *self == Self::Locked
    }

    /// Whether the keyring holds an entry that is not the expected one.
    pub(super) fn has_other_entry(&self) -> bool {
        matches!(self, Self::Several | Self::Other)
    }

    /// Whether the key may well be in the keyring, so that no file takes its place.
    pub(super) fn forbids_files(&self) -> bool {
        self.has_entry() || matches!(self, Self::Silent(_))
    }

    /// Whether the caller must hear of it, because there seemed to be a keyring.
    #[must_use]
    pub fn is_surprising(&self) -> bool {
        !matches!(self, Self::NotBuilt | Self::InCi | Self::NoBus)
    }

    /// The error, for a caller whose key should be in the keyring.
    pub(super) fn fault(self) -> Fault {
        let message = format!("your key is in the keyring, but {self}");
        match self {
            Self::Locked | Self::Silent(_) => Fault::locked(message)
                .hint("unlock it, such as by logging in to the desktop, and try again"),
            Self::Several | Self::Other => Fault::locked(message).hint(format!(
                "look at its entries named {SERVICE} with the keyring's own program"
            )),
            Self::Empty => Fault::locked(message).hint(
                "use another way in: the recovery key of `vault init --recovery`, or another admin",
            ),
            _ => Fault::locked(message)
                .hint("name a key file: `vault --key-file PATH`")
                .hint("in a session with the keyring: `vault key move --to file`"),
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => f.write_str("this program was built without the keyring"),
            Self::InCi => f.write_str("it is not used when CI is set"),
            Self::NoBus => f.write_str("no D-Bus session was found"),
            Self::Unreachable(reason) => {
                write!(f, "the D-Bus session could not be reached: {reason}")
            }
            Self::NoService(reason) => {
                write!(f, "the D-Bus session has no keyring: {reason}")
            }
            Self::Empty => f.write_str("it has no entry of vault"),
            Self::Locked => f.write_str("it is locked"),
            Self::Silent(limit) => write!(f, "it did not answer within {} s", limit.as_secs()),
            Self::Several => f.write_str("it has several entries of vault"),
            Self::Other => write!(f, "it has a different entry named {SERVICE}"),
            Self::Failed(reason) => write!(f, "it failed: {reason}"),
        }
    }
}

/// What to do with the entry.
#[cfg_attr(
    not(feature = "keyring"),
    expect(dead_code, reason = "no keyring does the work")
)]
enum Work {
    Read,
    /// Makes it, unless there is one, and reads it back.
    Store(Secret),
    /// Removes it if it has this content.
    Remove(Secret),
}

impl Keyring {
    /// The text of the entry.
    ///
    /// # Errors
    /// If the keyring or the entry is missing, or the answer comes too late.
    pub(super) fn read(&self) -> Result<Secret, Absence> {
        self.perform(Work::Read)
    }

    /// Returns the reason if no entry can be used. The entry itself is dropped.
    #[must_use]
    pub fn absence(&self) -> Option<Absence> {
        self.read().err()
    }

    /// Makes the entry and reads it back. An entry with other content stays.
    ///
    /// # Errors
    /// For the same reasons, and if there is another entry.
    pub(super) fn store(&self, text: &Secret) -> Result<(), Absence> {
        self.perform(Work::Store(copy(text))).map(drop)
    }

    /// Removes the entry with this content, if there is one.
    ///
    /// # Errors
    /// For the same reasons, and if there is another entry.
    pub(super) fn remove(&self, text: &Secret) -> Result<(), Absence> {
        self.perform(Work::Remove(copy(text))).map(drop)
    }

    /// Checks what can be checked without a library, so that a machine without a desktop does not wait.
    pub(super) fn check(&self) -> Result<(), Absence> {
        if !cfg!(feature = "keyring") {
            return Err(Absence::NotBuilt);
        }
        if self.is_ci {
            return Err(Absence::InCi);
        }
        if !platform::HAS_SESSION_BUS {
            return Ok(());
        }
        let Some(socket) = self.socket()? else {
            return Ok(());
        };
        let unreachable = |reason: String| {
            Absence::Unreachable(format!("could not use {}: {reason}", socket.display()))
        };
        match platform::device_and_owner(&socket) {
            Ok((_, owner)) if owner != platform::user() => {
                return Err(unreachable(
                    "it belongs to another user of this machine".to_owned(),
                ));
            }
            Ok(_) | Err(_) => {}
        }
        match UnixStream::connect(&socket) {
            Ok(_) => Ok(()),
            Err(error) => Err(unreachable(error.to_string())),
        }
    }

    /// Returns the socket of the session, or `None` if its address has another kind.
    fn socket(&self) -> Result<Option<PathBuf>, Absence> {
        let Some(address) = &self.bus else {
            let socket = self.runtime_folder.as_ref().map(|path| path.join("bus"));
            return match socket.filter(|socket| socket.exists()) {
                Some(socket) => Ok(Some(socket)),
                None => Err(Absence::NoBus),
            };
        };
        let address = address.as_encoded_bytes();
        let Some(path) = address.strip_prefix(b"unix:path=") else {
            return Ok(None);
        };
        // More parts, more addresses, or escaped characters are left to the library.
        let path = path.split(|byte| *byte == b',').next().unwrap_or_default();
        if path.iter().any(|byte| b";%".contains(byte)) {
            return Ok(None);
        }
        Ok(Some(PathBuf::from(OsString::from_vec(path.to_vec()))))
    }

    fn perform(&self, work: Work) -> Result<Secret, Absence> {
        self.check()?;
        let failed = |error: io::Error| Absence::Failed(error.to_string());
        let mut aside = Aside::start(move |answer| answer_with(&work, answer)).map_err(failed)?;
        let start = Instant::now();
        let mut limit = LIMIT;
        let mut answer = Secret::with_capacity(LONGEST);
        let mut part = [0; 4096];
        loop {
            let count = aside.read(&mut part, start + limit);
            let count = count.map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut if limit == LIMIT_WITH_PROMPT => Absence::Locked,
                io::ErrorKind::TimedOut => Absence::Silent(limit),
                _ => failed(error),
            })?;
            if count == 0 {
                break;
            }
            answer.extend(&part[..count]);
            crate::secret::wipe(&mut part);
            if self.has_display && answer.expose().first() == Some(&REACHED) {
                limit = LIMIT_WITH_PROMPT;
            }
            if answer.len() > LONGEST {
                return Err(Absence::Other);
            }
        }
        understood(answer)
    }
}

fn copy(text: &Secret) -> Secret {
    Secret::new(text.expose().to_vec())
}

/// The first byte of an answer, when the keyring itself has answered.
const REACHED: u8 = b'+';
const DONE: u8 = b'=';

/// Does the work aside, and writes its result.
fn answer_with(work: &Work, mut answer: File) {
    let mut say = |kind: u8, text: &[u8]| {
        let _ = answer
            .write_all(&[kind])
            .and_then(|()| answer.write_all(text));
    };
    let result = entry::perform(work, &mut || say(REACHED, b""));
    match result {
        Ok(text) => say(DONE, text.expose()),
        Err(Absence::NoService(reason)) => say(b's', reason.as_bytes()),
        Err(Absence::Empty) => say(b'e', b""),
        Err(Absence::Locked) => say(b'l', b""),
        Err(Absence::Several) => say(b'm', b""),
        Err(Absence::Other) => say(b'o', b""),
        Err(other) => say(b'f', other.to_string().as_bytes()),
    }
}

fn understood(mut answer: Secret) -> Result<Secret, Absence> {
    if answer.expose().first() == Some(&REACHED) {
        answer.discard_front(1);
    }
    let kind = answer.expose().first().copied();
    if kind.is_some() {
        answer.discard_front(1);
    }
    let reason = |answer: &Secret| String::from_utf8_lossy(answer.expose()).into_owned();
    match kind {
        Some(DONE) => Ok(answer),
        Some(b's') => Err(Absence::NoService(reason(&answer))),
        Some(b'e') => Err(Absence::Empty),
        Some(b'l') => Err(Absence::Locked),
        Some(b'm') => Err(Absence::Several),
        Some(b'o') => Err(Absence::Other),
        Some(_) => Err(Absence::Failed(reason(&answer))),
        None => Err(Absence::Failed("it ended without an answer".to_owned())),
    }
}

/// The file that says that vault put the key into the keyring.
pub(super) fn mark(identity: &Path) -> PathBuf {
    identity.with_extension("keyring")
}

/// Whether vault put the key into the keyring.
pub(super) fn is_marked(identity: &Path) -> bool {
    fs::symlink_metadata(mark(identity)).is_ok()
}

/// Makes the mark, unless it is there.
pub(super) fn set_mark(identity: &Path) -> Result<(), Fault> {
    let mark = mark(identity);
    let text = format!("# made by vault: the key is in the keyring ({SERVICE}, {ACCOUNT})\n");
    let made = || {
        let folder = platform::private_dir(mark.parent().unwrap_or(Path::new("/")))?;
        let name = mark.file_name().unwrap_or_default().to_string_lossy();
        folder.create_whole(&name, text.as_bytes(), FileAccess::Private)
    };
    match made() {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Fault::failed(format!("could not make {}", mark.display())).because(error))
        }
        _ => Ok(()),
    }
}

/// Removes the mark, if it is there.
pub(super) fn remove_mark(identity: &Path) -> Result<(), Fault> {
    let mark = mark(identity);
    match fs::remove_file(&mark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Fault::failed(format!("could not remove {}", mark.display())).because(error))
        }
        _ => Ok(()),
    }
}
