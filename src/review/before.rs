//! The vault as it was at a git revision.
//!
//! Git's own plumbing reads it, and only content that its authority and its members signed is
//! believed. Its `vault.toml` is not signed: reviewers agreed to it.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{PathChange, Place, PriorPresence, paths};
use super::report::Since;
use crate::fault::{Fault, Kind};
use crate::git::{Blob, Commit, Repository};
use crate::platform::{Dir, Node};
use crate::vault::config::{Config, LARGEST_CONFIG};
use crate::vault::format::{ROOT_PATH, entry_path};
use crate::vault::store::{CONFIG_FILE, Place as Folder, STORE_FOLDER, Tree, largest};
use crate::vault::trust::{Pin, UnverifiedRoot, Vault};

/// The largest file whose bytes are compared; a larger one counts as changed.
const LONGEST_COMPARED: u64 = 256 << 20;
/// The most paths below `.vault` that are compared.
const MOST_PATHS: usize = 200_000;

/// The vault at a revision.
pub(crate) struct Before {
    repository: Repository,
    commit: Commit,
    revision: String,
    /// The files below `.vault`.
    listing: BTreeMap<Vec<u8>, Blob>,
    /// `None` if the commit has no vault yet.
    pub(super) vault: Option<Vault>,
    config: Option<Vec<u8>>,
}

/// Another side of the merge that HEAD is.
pub(super) struct Side {
    pub(super) name: String,
    /// The vault there, or the reason why it is not valid.
    pub(super) before: Result<Before, Fault>,
}

impl Before {
    /// Reads the vault at `revision`, if there was one.
    ///
    /// # Errors
    /// If git does not know the revision, or the vault there is not valid under its own id.
    pub(crate) fn read(place: &Folder, revision: &str) -> Result<Self, Fault> {
        let repository = Repository::open(place.folder())?;
        let commit = repository.commit(revision)?;
        let listing = repository.listing(&commit, STORE_FOLDER)?;
        let files = repository.files(&listing, largest)?;
        let vault = if files.contains_key(ROOT_PATH) {
            let presented = UnverifiedRoot::read(Tree::Committed(files));
            let vault = presented.and_then(UnverifiedRoot::into_vault);
            let at = format!("at {}", revision.escape_debug());
            Some(vault.map_err(|fault| fault.within(&at))?)
        } else {
            None
        };
        let config = repository.file_at(&commit, CONFIG_FILE, LARGEST_CONFIG)?;
        Ok(Self {
            repository,
            commit,
            revision: revision.to_owned(),
            listing,
            vault,
            config,
        })
    }

    /// Returns the vaults at the parents of HEAD, if HEAD is a merge of other commits than this one.
    /// A file that a merge lost from one of its sides does not differ from the other side.
    ///
    /// # Errors
    /// If git fails.
    pub(super) fn merged(&self, place: &Folder) -> Result<Vec<Side>, Fault> {
        let parents = self.repository.parents_of_head()?;
        let head = self.repository.commit("HEAD")?;
        if parents.len() < 2 || head.id() == self.commit.id() {
            return Ok(Vec::new());
        }
        let mut merged = Vec::new();
        for (at, parent) in parents.iter().enumerate() {
            if parent == self.commit.id() {
                continue;
            }
            let name = format!("HEAD^{}", at + 1);
            match Self::read(place, &name) {
                Err(fault) if fault.kind() == Kind::Failed => return Err(fault),
                before => merged.push(Side { name, before }),
            }
        }
        Ok(merged)
    }

    /// Returns the pin that the revision supplies.
    pub(crate) fn pin(&self) -> Option<Pin> {
        let root = self.vault.as_ref()?.root();
        Some(Pin {
            vault: root.vault,
            tag: root.latest(),
        })
    }

    /// Returns the names of the revision.
    pub(super) fn since(&self) -> Since {
        let (name, commit) = (self.commit.name().to_owned(), self.commit.id().to_owned());
        Since {
            revision: self.revision.clone(),
            name,
            commit,
        }
    }

    /// Returns its `vault.toml`, or an empty one if there was none.
    ///
    /// # Errors
    /// If it is not valid.
    pub(super) fn config(&self) -> Result<Config, Fault> {
        let text = String::from_utf8_lossy(self.config.as_deref().unwrap_or_default());
        Config::parse(&text)
    }

    /// Whether the bytes of `vault.toml` differ.
    pub(super) fn config_differs(&self, now: &[u8]) -> bool {
        self.config.as_deref().unwrap_or_default() != now
    }

    /// Returns every path below `.vault` whose bytes, kind, or mode differ from the revision.
    ///
    /// # Errors
    /// If git fails or a folder cannot be listed.
    pub(super) fn differing(&self, place: &Folder) -> Result<BTreeMap<String, PathChange>, Fault> {
        let now = working(place)?;
        let is_file = |path: &Vec<u8>| matches!(now.get(path), Some(Node::File { size, .. }) if *size <= LONGEST_COMPARED);
        let files: Vec<&[u8]> = self
            .listing
            .keys()
            .filter(|path| is_file(path))
            .map(Vec::as_slice)
            .collect();
        let ids = self.repository.ids_of(&place.store(), &files)?;
        let id_of = files.into_iter().map(<[u8]>::to_vec).zip(ids).collect();
        let mut changes = paths(&self.listing, &now, &id_of);
        if !self.repository.knows_modes() {
            changes.retain(|_, change| *change != PathChange::Mode);
        }
        Ok(changes)
    }

    /// Returns the files that existed at the revision or at any time before it.
    ///
    /// # Errors
    /// If git fails.
    pub(super) fn past(&self) -> Result<PastFiles, Fault> {
        let files = self.repository.files_ever(&self.commit, STORE_FOLDER)?;
        Ok(PastFiles {
            files,
            is_cut_off: self.repository.is_shallow()?,
        })
    }
}

/// Lists the files below `.vault` in the working tree.
fn working(place: &Folder) -> Result<BTreeMap<Vec<u8>, Node>, Fault> {
    let path = place.store();
    let failed = || Fault::failed(format!("could not list {}", path.display()));
    let opened = Dir::open(&path).map_err(|error| failed().because(format!("{error:?}")))?;
    let Some(dir) = opened else {
        return Ok(BTreeMap::new());
    };
    dir.walk(MOST_PATHS)
        .map_err(|error| failed().because(error))
}

/// Every file that was ever below `.vault`, as far as the history of the clone goes.
#[derive(Default)]
pub(super) struct PastFiles {
    files: BTreeSet<String>,
    is_cut_off: bool,
}

impl PastFiles {
    pub(super) fn of(&self, (environment, name): &Place) -> PriorPresence {
        if self
            .files
            .contains(&format!("{STORE_FOLDER}/{}", entry_path(environment, name)))
        {
            PriorPresence::Deleted
        } else if self.is_cut_off {
            PriorPresence::Unknown
        } else {
            PriorPresence::Never
        }
    }
}
