//! The record of one vault as it was seen: the last revocation, the newest root, and the folders.

use super::Vault;
use crate::crypto::{Tag, VaultId};
use crate::vault::name::MemberName;

/// How many folders are remembered per vault; the oldest go first.
const FOLDERS: usize = 32;

/// The record of one vault.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The last revocation seen. After someone trusted another branch there are several, of which a
    /// root must list one; [`Tag::NONE`] is among them if that branch had no revocation. Empty if no
    /// revocation is known.
    pub tags: Vec<Tag>,
    /// Revision and SHA-256 of the newest root, or `None` for an id that was only entered.
    pub root: Option<(u64, [u8; 32])>,
    /// Who the caller is in it.
    pub member: Option<MemberName>,
    /// The folders in which it was met.
    pub folders: Vec<String>,
    /// The id that replaced it in a folder and is trusted instead. A former holder of the old
    /// authority may still have it.
    pub replaced: Option<VaultId>,
}

/// A root that was accepted, as it is to be remembered.
pub struct Met {
    /// The vault's id.
    pub vault: VaultId,
    /// All revocations that the root lists.
    pub revocations: Vec<Tag>,
    /// Its revision and SHA-256.
    pub root: (u64, [u8; 32]),
    /// Who the caller is in it, if that is known.
    pub member: Option<MemberName>,
    /// The folder.
    pub folder: String,
}

impl Met {
    /// The root of `vault`, which was met in `folder`.
    #[must_use]
    pub fn new(vault: &Vault, folder: String) -> Self {
        let root = vault.root();
        Self {
            vault: root.vault,
            revocations: root.revocations.clone(),
            root: (root.revision, vault.sha256()),
            member: None,
            folder,
        }
    }

    fn latest(&self) -> Tag {
        self.revocations.last().copied().unwrap_or(Tag::NONE)
    }
}

impl Seen {
    /// Whether a root with these revocations lists one that is known here, or none is.
    #[must_use]
    pub fn accepts(&self, revocations: &[Tag]) -> bool {
        let listed = |tag: &Tag| tag.is_none() || revocations.contains(tag);
        self.tags.is_empty() || self.tags.iter().any(listed)
    }

    /// The last revocation, the newer root (the earlier one of two with the same revision, so that
    /// a fork stays visible), all folders, the name, and the replacement.
    pub(super) fn with(&self, met: &Met) -> Self {
        let newer = match self.root {
            Some(before) if before.0 >= met.root.0 => before,
            _ => met.root,
        };
        let mut folders = self.folders.clone();
        if !folders.contains(&met.folder) {
            folders.push(met.folder.clone());
        }
        let surplus = folders.len().saturating_sub(FOLDERS);
        folders.drain(..surplus);
        // A tag implies all before it, so a new one takes the place of all known ones.
        // Another process may have seen a later one since the root was judged.
        let latest = met.latest();
        let is_new = !latest.is_none() && !self.tags.contains(&latest);
        let tags = if is_new && self.accepts(&met.revocations) {
            vec![latest]
        } else {
            self.tags.clone()
        };
        Self {
            tags,
            root: Some(newer),
            member: met.member.clone().or_else(|| self.member.clone()),
            folders,
            replaced: self.replaced,
        }
    }

    /// The same, with the root's last revocation besides those that are known: the caller goes back to
    /// a root that lists none of them. The root of the other branch is forgotten with it.
    pub(super) fn back_to(&self, met: &Met) -> Self {
        let mut tags = self.tags.clone();
        tags.push(met.latest());
        Self {
            tags,
            root: Some(met.root),
            replaced: None,
            ..self.with(met)
        }
    }
}

#[cfg(test)]
mod tests;
