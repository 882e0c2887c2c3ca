//! The memory of a person's recipient. For each vault id, it has the highest floor and the newest
//! roster. It also has the requests made with `vault join`, which make no id trusted.
//!
//! One file per recipient in the state folder, replaced whole under a lock. It holds no secret.
//! Values only rise: a record never lowers a floor or forgets a newer roster.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::crypto::{Recipient, VaultId, base64_decode, base64_encode};
use crate::fault::Fault;
use crate::platform::{self, Dir, FileAccess, Lock};
use crate::vault::model::LARGEST_NUMBER;

/// How long a record waits for another one, which takes a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest state file, in bytes.
const LARGEST: u64 = 4 << 20;
/// How many folders are remembered per vault; the oldest go first.
const FOLDERS: usize = 32;

/// The record of one vault.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The highest floor.
    pub floor: u64,
    /// Revision and SHA-256 of the newest roster, or `None` for an id that was only entered.
    pub roster: Option<(u64, [u8; 32])>,
    /// The folders in which it was met.
    pub folders: Vec<String>,
    /// The id that replaced it in a folder and is trusted instead. A former holder of the old
    /// authority may still have it.
    pub replaced: Option<VaultId>,
}

/// The vaults that one recipient may open.
pub struct State {
    folder: PathBuf,
    file: String,
    vaults: BTreeMap<VaultId, Seen>,
    /// The request made in a vault, trusted or not, until its roster grants it.
    asked: BTreeMap<VaultId, Asked>,
}

/// The content of the file.
type Content = (BTreeMap<VaultId, Seen>, BTreeMap<VaultId, Asked>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: u64,
    #[serde(default)]
    vaults: BTreeMap<String, SeenFields>,
    #[serde(default)]
    asked: BTreeMap<String, AskedFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenFields {
    floor: u64,
    revision: Option<u64>,
    sha256: Option<String>,
    #[serde(default)]
    folders: Vec<String>,
    replaced: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedFields {
    name: String,
    fingerprint: String,
}

impl State {
    /// Reads what `recipient` has seen from `folder`, the state folder, which need not exist.
    ///
    /// # Errors
    /// If there is a file and it cannot be read or understood; it is never silently forgotten.
    pub fn load(folder: &Path, recipient: &Recipient) -> Result<Self, Fault> {
        Self::load_file(folder, format!("{recipient}.toml"))
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
        let files = names.filter(|name| {
            name.strip_suffix(".toml")
                .is_some_and(|name| name.parse::<Recipient>().is_ok())
        });
        files.map(|file| Self::load_file(folder, file)).collect()
    }

    fn load_file(folder: &Path, file: String) -> Result<Self, Fault> {
        let path = folder.join(&file);
        let (vaults, asked) = match read_text(&path) {
            Ok(text) => parse_state(&text).ok_or_else(|| {
                Fault::refused(format!("{}: is damaged", path.display()))
                    .hint("remove it, then enter the ids you trust again: vault trust ID")
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

    /// Whose state this is.
    pub(super) fn recipient(&self) -> &str {
        self.file.trim_end_matches(".toml")
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

    /// Adds the current record, and adds `vault` if it is new. Writes only what changes.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn record(&mut self, vault: VaultId, now: &Seen) -> Result<(), Fault> {
        if self
            .vaults
            .get(&vault)
            .is_some_and(|before| merged(before, now) == *before)
        {
            return Ok(());
        }
        let change = |before: &Seen| merged(before, now);
        self.write(|state| state.change(vault, &now.folders, change))
    }

    /// As [`State::record`], on the caller's word: it counts again, should another id have taken its
    /// place before.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn enter(&mut self, vault: VaultId, now: &Seen) -> Result<(), Fault> {
        if self
            .vaults
            .get(&vault)
            .is_none_or(|before| before.replaced.is_none())
        {
            return self.record(vault, now);
        }
        let change = |before: &Seen| Seen {
            replaced: None,
            ..merged(before, now)
        };
        self.write(|state| state.change(vault, &now.folders, change))
    }

    /// Remembers what is asked for in `vault`, which is not trusted for that.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn ask(&mut self, vault: VaultId, asked: Asked) -> Result<(), Fault> {
        self.write(|state| drop(state.asked.insert(vault, asked)))
    }

    /// Forgets what was asked for in `vault`, now that the roster says it.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn answered(&mut self, vault: &VaultId) -> Result<(), Fault> {
        if !self.asked.contains_key(vault) {
            return Ok(());
        }
        self.write(|state| drop(state.asked.remove(vault)))
    }

    fn not_written(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::failed(format!("could not write {}", self.folder.display())).because(error)
    }

    /// Changes what is kept of `vault`, to which the folders `met` belong from now on.
    fn change(&mut self, vault: VaultId, met: &[String], change: impl FnOnce(&Seen) -> Seen) {
        for (known, seen) in &mut self.vaults {
            let count = seen.folders.len();
            if *known != vault {
                seen.folders.retain(|folder| !met.contains(folder));
            }
            if seen.folders.len() < count {
                seen.replaced = Some(vault);
            }
        }
        let before = self.vaults.remove(&vault).unwrap_or_default();
        self.vaults.insert(vault, change(&before));
    }

    /// Changes the current content of the file.
    fn write(&mut self, change: impl FnOnce(&mut Self)) -> Result<(), Fault> {
        let folder =
            platform::private_dir(&self.folder).map_err(|error| self.not_written(error))?;
        let _lock = self.lock(&folder)?;
        // Another process may have written since, and its records count too.
        *self = Self::load_file(&self.folder, self.file.clone())
            .map_err(|fault| self.not_written(fault))?;
        change(self);
        let text = self.text().map_err(|error| self.not_written(error))?;
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

    fn text(&self) -> Result<String, toml::ser::Error> {
        let vaults = self.vaults.iter().map(|(vault, seen)| {
            let fields = SeenFields {
                floor: seen.floor,
                revision: seen.roster.map(|(revision, _)| revision),
                sha256: seen.roster.map(|(_, sha256)| base64_encode(&sha256)),
                folders: seen.folders.clone(),
                replaced: seen.replaced.map(|vault| vault.to_string()),
            };
            (vault.to_string(), fields)
        });
        let asked = self.asked.iter().map(|(vault, asked)| {
            let (name, fingerprint) = (asked.name.to_string(), asked.fingerprint.to_string());
            (vault.to_string(), AskedFields { name, fingerprint })
        });
        toml::to_string(&Fields {
            format: 1,
            vaults: vaults.collect(),
            asked: asked.collect(),
        })
    }
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

/// Parses the text of a state file. Returns `None` if it is damaged. Numbers above those of a
/// vault's files are damage, too.
fn parse_state(text: &str) -> Option<Content> {
    let fields: Fields = toml::from_str(text).ok()?;
    let vaults = fields.vaults.into_iter().map(|(vault, seen)| {
        let roster = match (seen.revision, seen.sha256) {
            (Some(revision), Some(hash)) => {
                Some((revision, base64_decode(&hash)?.try_into().ok()?))
            }
            (None, None) => None,
            _ => return None,
        };
        let replaced = match seen.replaced {
            Some(vault) => Some(vault.parse().ok()?),
            None => None,
        };
        let is_high = |number: u64| number > LARGEST_NUMBER;
        if is_high(seen.floor) || roster.is_some_and(|(revision, _)| is_high(revision)) {
            return None;
        }
        let seen = Seen {
            floor: seen.floor,
            roster,
            folders: seen.folders,
            replaced,
        };
        Some((vault.parse().ok()?, seen))
    });
    let asked = fields.asked.into_iter().map(|(vault, asked)| {
        let (name, fingerprint) = (asked.name.parse().ok()?, asked.fingerprint.parse().ok()?);
        Some((vault.parse().ok()?, Asked { name, fingerprint }))
    });
    let content = (
        vaults.collect::<Option<_>>()?,
        asked.collect::<Option<_>>()?,
    );
    (fields.format == 1).then_some(content)
}

/// The higher floor, the newer roster (the earlier one of two with the same revision, so that a
/// fork stays visible), all folders, and the replacement.
fn merged(before: &Seen, now: &Seen) -> Seen {
    let newer = match (before.roster, now.roster) {
        (Some(before), Some(now)) if now.0 > before.0 => Some(now),
        (before, now) => before.or(now),
    };
    let mut folders = before.folders.clone();
    let new = now.folders.iter().filter(|f| !before.folders.contains(f));
    folders.extend(new.cloned());
    let surplus = folders.len().saturating_sub(FOLDERS);
    folders.drain(..surplus);
    let floor = before.floor.max(now.floor);
    Seen {
        floor,
        roster: newer,
        folders,
        replaced: before.replaced,
    }
}

#[cfg(test)]
mod tests;
