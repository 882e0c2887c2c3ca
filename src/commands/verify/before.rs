//! The vault as it was at a git revision.
//!
//! Git's own plumbing reads it; nothing of it is believed but what its authority and its members
//! signed. `vault.toml` there is not signed: it is what reviewers agreed to.

use std::collections::BTreeSet;

use super::compare::{History, Place};
use super::report::Since;
use crate::fault::Fault;
use crate::git::{Commit, Repository};
use crate::vault::config::Config;
use crate::vault::format::{ROSTER_PATH, entry_path};
use crate::vault::store::{CONFIG_FILE, Place as Folder, STORE_FOLDER, Tree};
use crate::vault::trust::{Pin, Presented, Vault};

/// The vault at a revision.
pub(super) struct Before {
    repository: Repository,
    commit: Commit,
    revision: String,
    /// Nothing where there was none yet.
    pub(super) vault: Option<Vault>,
    config: Option<Vec<u8>>,
}

impl Before {
    /// Reads the vault at `revision`, which may have had none yet.
    ///
    /// # Errors
    /// When git does not know the revision, or the vault there does not hold by its own id.
    pub(super) fn read(place: &Folder, revision: &str) -> Result<Self, Fault> {
        let repository = Repository::open(place.folder())?;
        let commit = repository.commit(revision)?;
        let files = repository.files_at(&commit, STORE_FOLDER)?;
        let vault = if files.contains_key(ROSTER_PATH) {
            let at = format!("at {}", revision.escape_debug());
            let presented = Presented::read(Tree::Committed(files));
            Some(presented.map_err(|fault| fault.within(&at))?.accept())
        } else {
            None
        };
        let config = repository.file_at(&commit, CONFIG_FILE)?;
        Ok(Self { repository, commit, revision: revision.to_owned(), vault, config })
    }

    /// The pin that the revision supplies.
    pub(super) fn pin(&self) -> Option<Pin> {
        let roster = self.vault.as_ref()?.roster();
        Some(Pin { vault: roster.vault, floor: roster.floor })
    }

    /// What it is called.
    pub(super) fn since(&self) -> Since {
        Since { revision: self.revision.clone(), commit: self.commit.as_str().to_owned() }
    }

    /// `vault.toml` as it was; an empty one where there was none.
    ///
    /// # Errors
    /// When it is not understood.
    pub(super) fn config(&self) -> Result<Config, Fault> {
        let text = String::from_utf8_lossy(self.config.as_deref().unwrap_or_default());
        Config::parse(&text)
    }

    /// Whether entries were there before the revision, and gone again.
    ///
    /// # Errors
    /// When git fails.
    pub(super) fn past(&self) -> Result<Past, Fault> {
        let files = self.repository.files_ever(&self.commit, STORE_FOLDER)?;
        Ok(Past { files, is_cut_off: self.repository.is_shallow()? })
    }
}

/// Every file that was ever below `.vault`, as far as the clone knows.
#[derive(Default)]
pub(super) struct Past {
    files: BTreeSet<String>,
    is_cut_off: bool,
}

impl Past {
    pub(super) fn of(&self, (environment, name): &Place) -> History {
        if self.files.contains(&format!("{STORE_FOLDER}/{}", entry_path(environment, name))) {
            History::Gone
        } else if self.is_cut_off {
            History::Unknown
        } else {
            History::Never
        }
    }
}
