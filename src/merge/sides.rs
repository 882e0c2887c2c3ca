//! The three vaults of a merge, each checked alone.

use std::collections::{BTreeMap, BTreeSet};

use super::access::greatest;
use super::environments::both;
use crate::crypto::{Tag, VaultId};
use crate::fault::Fault;
use crate::git::{Commit, Merging, Repository};
use crate::vault::format::{MEMBERS, member_path};
use crate::vault::model::{Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::store::{STORE_FOLDER, Tree, largest};
use crate::vault::trust::{CheckedEntry, UnverifiedRoot, Vault};

/// The three vaults.
pub(super) struct Sides {
    /// The ancestor of all common commits. If there are several, it also has their environments and
    /// their access, so that a side that lacks one of them has taken it.
    pub(super) base: Side,
    /// The common commits, if they are several.
    pub(super) bases: Vec<Side>,
    pub(super) ours: Side,
    pub(super) theirs: Side,
    /// The revocations that later commits of the same rebase bring.
    pub(super) later: Vec<Tag>,
}

/// The vault at one commit, checked as a whole.
pub(super) struct Side {
    /// Such as `ours`.
    pub(super) label: &'static str,
    pub(super) vault: Vault,
    /// The root and the members whose files count.
    pub(super) membership: Membership,
    /// All files below `.vault`.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Reads the vaults of `merging`. `knows` says which ids the caller trusts.
///
/// # Errors
/// If one of them is not valid, or belongs to another vault.
pub(super) fn read(
    repository: &Repository,
    merging: &Merging,
    knows: &dyn Fn(&VaultId) -> Result<(), Fault>,
) -> Result<Sides, Fault> {
    let side = |commit: &Commit, label| {
        Side::read(repository, commit, label, knows).map_err(|fault| fault.within(label))
    };
    let mut base = side(&merging.base, BASE)?;
    let bases = match &merging.bases[..] {
        [_] => Vec::new(),
        several => several
            .iter()
            .map(|commit| side(commit, BASE))
            .collect::<Result<Vec<_>, _>>()?,
    };
    for one in &bases {
        base.membership.unite(&one.membership);
    }
    let mut later = Vec::new();
    if let Some(last) = &merging.last {
        let listing = repository.listing(last, STORE_FOLDER)?;
        let tree = Tree::Committed(repository.files(&listing, largest)?);
        let vault = UnverifiedRoot::read_if(tree, knows)?.into_vault()?;
        later.extend(vault.root().revocations.iter().copied());
    }
    Ok(Sides {
        later,
        base,
        bases,
        ours: side(&merging.ours, "ours")?,
        theirs: side(&merging.theirs, "theirs")?,
    })
}

const BASE: &str = "the common commit";

impl Side {
    fn read(
        repository: &Repository,
        commit: &Commit,
        label: &'static str,
        knows: &dyn Fn(&VaultId) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        let listing = repository.listing(commit, STORE_FOLDER)?;
        let files = repository.files(&listing, largest)?;
        let tree = Tree::Committed(files.clone());
        let vault = UnverifiedRoot::read_if(tree, knows)?.into_vault()?;
        let members = vault.members()?;
        if let Some(fault) = members.invalid.values().next() {
            return Err(fault.clone());
        }
        for environment in vault.root().environments.values() {
            vault.entries(environment)?;
        }
        let membership = vault.membership()?;
        Ok(Self {
            label,
            vault,
            membership,
            files,
        })
    }

    /// The bytes of a file.
    pub(super) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The bytes of a member's file.
    pub(super) fn member_file(&self, name: &MemberName) -> Option<&[u8]> {
        self.file(&member_path(name))
    }

    /// Every member's file that the authority signed, whether it counts or not.
    pub(super) fn signed_members(&self) -> Result<Vec<(&MemberName, &Member)>, Fault> {
        let members = self.vault.members()?;
        let ignored = members.ignored.iter();
        let ignored = ignored.map(|(name, (member, _))| (name, member));
        Ok(members.counting.iter().chain(ignored).collect())
    }

    /// The names of all members' files.
    pub(super) fn member_names(&self) -> impl Iterator<Item = MemberName> {
        let files = self.files.keys().filter_map(|path| {
            let name = path.strip_prefix(MEMBERS)?.strip_prefix('/')?;
            name.strip_suffix(".toml")?.parse().ok()
        });
        files.collect::<Vec<_>>().into_iter()
    }

    /// The entries of an environment, by name. None if this side does not have it.
    pub(super) fn entries(
        &self,
        environment: &EnvironmentName,
    ) -> Result<BTreeMap<SecretName, CheckedEntry>, Fault> {
        let Some(environment) = self.membership.root.environments.get(environment) else {
            return Ok(BTreeMap::new());
        };
        let entries = self.vault.entries(environment)?;
        Ok(entries
            .into_iter()
            .map(|entry| (entry.name().clone(), entry))
            .collect())
    }
}

impl Membership {
    /// Adds the environments, the epochs, and the access of another common commit.
    fn unite(&mut self, other: &Self) {
        for (name, environment) in &other.root.environments {
            match self.root.environments.get_mut(name) {
                Some(own) => *own = both(own, environment),
                None => drop(
                    self.root
                        .environments
                        .insert(name.clone(), environment.clone()),
                ),
            }
        }
        for (name, member) in &other.members {
            let Some(own) = self.members.get_mut(name) else {
                self.members.insert(name.clone(), member.clone());
                continue;
            };
            for (place, access) in &member.access {
                let united = greatest(own.access.get(place), access);
                own.access.insert(place.clone(), united);
            }
        }
    }
}

impl Sides {
    /// The common commits, which no side may be older than.
    pub(super) fn common(&self) -> impl Iterator<Item = &Side> {
        let only = self.bases.is_empty().then_some(&self.base);
        self.bases.iter().chain(only)
    }

    /// Returns the result for a file that one side left as it was in the base: the other side's bytes, or
    /// nothing. Returns `None` if both changed it.
    #[expect(
        clippy::option_option,
        reason = "a file that is gone is a decision, too"
    )]
    pub(super) fn unchanged<'a>(&'a self, path: &str) -> Option<Option<&'a [u8]>> {
        let (base, ours, theirs) = (
            self.base.file(path),
            self.ours.file(path),
            self.theirs.file(path),
        );
        if ours == theirs || theirs == base {
            Some(ours)
        } else if ours == base {
            Some(theirs)
        } else {
            None
        }
    }

    /// Every path of any side.
    pub(super) fn paths(&self) -> BTreeSet<&String> {
        let sides = [&self.base, &self.ours, &self.theirs];
        sides
            .into_iter()
            .flat_map(|side| side.files.keys())
            .collect()
    }
}
