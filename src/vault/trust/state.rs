//! The memory of a person's recipient. For each vault id, it has the last revocation seen and the
//! newest root. It also has the requests made with `vault join`, which make no id trusted.
//!
//! One file per recipient in the state folder, replaced whole under a lock. It is named by the hash
//! of the recipient, whose text can be longer than a file's name. It holds no secret.
//! A record never forgets a revocation for an older one.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use self::text::{Content, parse_state, state_text};
use super::seen::{Met, Seen};
use super::{Asked, Pin};
use crate::crypto::{Recipient, Tag, VaultId};
use crate::fault::Fault;
use crate::platform::{self, Dir, FileAccess, Lock};

mod text;

/// How long a record waits for another one, which takes a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest state file, in bytes.
const LARGEST: u64 = 4 << 20;

/// The vaults that one recipient may open.
pub struct State {
    folder: PathBuf,
    file: String,
    vaults: BTreeMap<VaultId, Seen>,
    /// The request made in a vault, trusted or not, until an admin grants it.
    asked: BTreeMap<VaultId, Asked>,
}

impl State {
    /// The digest of the recipient whose memory this is.
    #[must_use]
    pub fn owner(&self) -> Option<[u8; 32]> {
        owner(&self.file)
    }

    /// Reads what `recipient` has seen from `folder`, the state folder, which need not exist.
    ///
    /// # Errors
    /// If there is a file and it cannot be read or understood; it is never silently forgotten.
    pub fn load(folder: &Path, recipient: &Recipient) -> Result<Self, Fault> {
        Self::load_file(folder, file_name(recipient))
    }

    /// Reads all records on this machine, for commands that need no key.
    ///
    /// # Errors
    /// As [`State::load`].
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, Fault> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(
                    Fault::failed(format!("could not list {}", folder.display())).because(error),
                );
            }
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let files = names.filter(|name| owner(name).is_some());
        files.map(|file| Self::load_file(folder, file)).collect()
    }

    fn load_file(folder: &Path, file: String) -> Result<Self, Fault> {
        let path = folder.join(&file);
        let (vaults, asked) = match read_text(&path) {
            Ok(text) => parse_state(&text).ok_or_else(|| {
                Fault::refused(format!("{}: is damaged", path.display()))
                    .hint("remove it, then enter the ids you trust again: `vault trust ID`")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => {
                return Err(
                    Fault::failed(format!("could not read {}", path.display())).because(error)
                );
            }
        };
        Ok(Self {
            folder: folder.to_owned(),
            file,
            vaults,
            asked,
        })
    }

    /// The record of `vault`. Returns `None` if its id was never entered.
    #[must_use]
    pub fn seen(&self, vault: &VaultId) -> Option<&Seen> {
        self.vaults.get(vault)
    }

    /// The request made in `vault` that has not been answered yet.
    #[must_use]
    pub fn asked(&self, vault: &VaultId) -> Option<&Asked> {
        self.asked.get(vault)
    }

    /// The file that holds it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.file)
    }

    /// Everything that was seen.
    pub fn all(&self) -> impl Iterator<Item = (&VaultId, &Seen)> {
        self.vaults.iter()
    }

    /// The vault that was met in `folder` before.
    #[must_use]
    pub fn vault_of(&self, folder: &str) -> Option<VaultId> {
        let met = |seen: &Seen| seen.folders.iter().any(|known| known == folder);
        self.vaults
            .iter()
            .find(|(_, seen)| met(seen))
            .map(|(vault, _)| *vault)
    }

    /// Whether `now` has taken the place of `vault`, in one step or more.
    #[must_use]
    pub fn became(&self, vault: &VaultId, now: &VaultId) -> bool {
        let mut id = *vault;
        // Someone who switched back and forth may have made a circle.
        for _ in 0..self.vaults.len() {
            match self.seen(&id).and_then(|seen| seen.replaced) {
                Some(next) if next == *now => return true,
                Some(next) => id = next,
                None => return false,
            }
        }
        false
    }

    /// Records a root that was accepted, and adds its vault if it is new. Writes only what changes.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn record(&mut self, met: &Met) -> Result<(), Fault> {
        self.update(met.vault, &[&met.folder], |before| Ok(before.with(met)))
    }

    /// As [`State::record`], on the caller's word: it counts again, should another id have taken its
    /// place before.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn enter(&mut self, met: &Met) -> Result<(), Fault> {
        self.update(met.vault, &[&met.folder], |before| {
            Ok(Seen {
                replaced: None,
                ..before.with(met)
            })
        })
    }

    /// Trusts an id of which no root is here; it counts again, should another id have taken its place
    /// before. Its revocation counts only if none is known: it can raise, and never lowers.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn enter_pin(&mut self, pin: &Pin) -> Result<(), Fault> {
        self.update(pin.vault, &[], |before| {
            let mut now = Seen {
                replaced: None,
                ..before.clone()
            };
            if now.tags.is_empty() && !pin.tag.is_none() {
                now.tags.push(pin.tag);
            }
            Ok(now)
        })
    }

    /// Goes back to a root that lists none of the revocations in `known`. The caller has compared it
    /// with these, and with no others.
    ///
    /// # Errors
    /// As [`State::record`], and if another process has seen a later revocation since.
    pub fn go_back(&mut self, met: &Met, known: &[Tag]) -> Result<(), Fault> {
        self.update(met.vault, &[&met.folder], |before| {
            if before.tags == known {
                return Ok(before.back_to(met));
            }
            let reason = "another vault has seen a revocation while this command ran";
            Err(Fault::refused(reason).hint("run the command again"))
        })
    }

    /// Remembers what is asked for in `vault`, which is not trusted for that.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn ask(&mut self, vault: VaultId, asked: Asked) -> Result<(), Fault> {
        self.write(|state| {
            state.asked.insert(vault, asked);
            Ok(())
        })
    }

    /// Forgets what was asked for in `vault`, now that they are a member.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn answered(&mut self, vault: &VaultId) -> Result<(), Fault> {
        if !self.asked.contains_key(vault) {
            return Ok(());
        }
        self.write(|state| {
            state.asked.remove(vault);
            Ok(())
        })
    }

    fn not_written(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::failed(format!("could not write {}", self.folder.display())).because(error)
    }

    /// Changes the record of `vault`, to which the folders `met` belong from now on. Does not
    /// write a record that stays the same.
    fn update(
        &mut self,
        vault: VaultId,
        met: &[&String],
        change: impl Fn(&Seen) -> Result<Seen, Fault>,
    ) -> Result<(), Fault> {
        if let Some(before) = self.vaults.get(&vault)
            && change(before)? == *before
        {
            return Ok(());
        }
        self.write(|state| {
            let before = state.vaults.get(&vault).cloned().unwrap_or_default();
            let now = change(&before)?;
            for (known, seen) in &mut state.vaults {
                let count = seen.folders.len();
                if *known != vault {
                    seen.folders.retain(|folder| !met.contains(&folder));
                }
                if seen.folders.len() < count {
                    seen.replaced = Some(vault);
                }
            }
            state.vaults.insert(vault, now);
            Ok(())
        })
    }

    /// Changes the current content of the file, unless `change` fails.
    fn write(&mut self, change: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        let folder =
            platform::private_dir(&self.folder).map_err(|error| self.not_written(error))?;
        let _lock = self.lock(&folder)?;
        // Another process may have written since, and its records count too.
        *self = Self::load_file(&self.folder, self.file.clone())
            .map_err(|fault| self.not_written(fault))?;
        change(self)?;
        let text =
            state_text(&self.vaults, &self.asked).map_err(|error| self.not_written(error))?;
        self.replace(&folder, &text)
            .map_err(|error| self.not_written(error))
    }

    fn lock(&self, folder: &Dir) -> Result<Lock, Fault> {
        let start = Instant::now();
        loop {
            match folder.try_lock().map_err(|error| self.not_written(error))? {
                Some(lock) => return Ok(lock),
                None if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(1)),
                None => {
                    let reason = "another vault has been writing there for too long";
                    return Err(self.not_written(reason));
                }
            }
        }
    }

    fn replace(&self, folder: &Dir, text: &str) -> io::Result<()> {
        let temporary = format!("{}.new", self.file);
        let _ = folder.remove(&temporary);
        folder
            .create(&temporary, text.as_bytes(), FileAccess::Private)?
            .sync_all()?;
        folder.rename(&temporary, folder, &self.file)?;
        folder.sync()
    }
}

/// The name of the file that belongs to `recipient`.
fn file_name(recipient: &Recipient) -> String {
    let digest = recipient.digest();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let hex: String = digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    hex + ".toml"
}

/// The digest of the recipient to whom a file with this name belongs.
fn owner(file: &str) -> Option<[u8; 32]> {
    let (digits, rest) = file.strip_suffix(".toml")?.as_bytes().as_chunks::<2>();
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if !rest.is_empty() || !digits.as_flattened().iter().all(is_digit) {
        return None;
    }
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.iter().map(byte).collect();
    bytes?.try_into().ok()
}

/// The text of a state file; one that is larger than any of ours is damaged, so reads as nothing.
fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() as u64 <= LARGEST)
        .unwrap_or_default())
}
