//! The roots in the commits of this clone that list a revocation which the root here does not, each with
//! the members of the commit that brought it.
//!
//! Only roots that the authority of this vault signed are believed.

use std::collections::BTreeMap;

use super::past::signed;
use crate::crypto::Tag;
use crate::fault::{Fault, Kind};
use crate::git::{Repository, Version};
use crate::vault::format::{MEMBERS, ROOT_PATH};
use crate::vault::history::past_root;
use crate::vault::model::{LARGEST_MEMBER, LARGEST_ROOT, Member, Membership, Root};
use crate::vault::name::MemberName;
use crate::vault::store::{Place, STORE_FOLDER, Tree};
use crate::vault::trust::{UnverifiedRoot, Vault};

/// Branches in this clone with a revocation that the root here does not list.
#[derive(Default)]
pub(crate) struct Elsewhere {
    /// The roots that list it, with the members of their commit. None if no commit has it.
    pub(crate) newer: Vec<Membership>,
    /// Every member's file in any commit.
    pub(crate) files: Vec<(MemberName, Member)>,
    /// The root that revoked first, with its commit, the author's name, and the day.
    pub(crate) origin: Option<(Root, [String; 3])>,
}

/// Finds the roots of `vault` in this clone that list one of `tags`. A root that lists all revocations
/// of another one speaks for it.
///
/// # Errors
/// If git fails.
pub(crate) fn elsewhere(place: &Place, vault: &Vault, tags: &[Tag]) -> Result<Elsewhere, Fault> {
    let mut found = Elsewhere::default();
    let repository = match Repository::open(place.folder()) {
        Err(fault) if fault.kind() == Kind::Refused => return Err(fault),
        Err(_) => return Ok(found),
        Ok(repository) => repository,
    };
    let id = vault.root().vault;
    let path = format!("{STORE_FOLDER}/{ROOT_PATH}");
    let changes = repository.changes(&path)?;
    let versions: Vec<&Version> = changes.iter().map(|(_, version)| version).collect();
    let mut roots = Vec::new();
    repository.read_each(&versions, LARGEST_ROOT, &mut |at, file| {
        let known = past_root(&file, &|own| *own == id).filter(|(root, _)| lists(root, tags));
        roots.extend(known.map(|(root, _)| (root, changes[at].0.as_str(), file)));
    })?;
    let is_first = |(root, _, _): &&(Root, &str, Vec<u8>)| tags.contains(&root.latest());
    if let Some((root, commit, _)) = roots.iter().rfind(is_first).or(roots.last()) {
        let (name, day) = repository.authorship(commit)?;
        found.origin = Some((root.clone(), [(*commit).to_owned(), name, day]));
    }
    let is_below = |root: &Root, other: &Root| {
        root.revocations.len() < other.revocations.len()
            && root.revocations.iter().all(|tag| other.lists(*tag))
    };
    for (root, commit, file) in &roots {
        if !roots.iter().any(|(other, _, _)| is_below(root, other)) {
            // A commit that cannot be read shows no one to have access: more are named, not fewer.
            let read = at_commit(&repository, commit, file);
            found.newer.push(read.unwrap_or_else(|_| Membership {
                root: root.clone(),
                members: BTreeMap::new(),
            }));
        }
    }
    if !found.newer.is_empty() {
        found.files = signed(vault, place, MEMBERS)?;
    }
    Ok(found)
}

fn lists(root: &Root, tags: &[Tag]) -> bool {
    tags.iter().any(|tag| root.revocations.contains(tag))
}

/// The root `file` with the members' files of `commit`.
fn at_commit(repository: &Repository, commit: &str, file: &[u8]) -> Result<Membership, Fault> {
    let commit = repository.commit(commit)?;
    let listing = repository.listing(&commit, &format!("{STORE_FOLDER}/{MEMBERS}"))?;
    let members = repository.files(&listing, |_| LARGEST_MEMBER)?;
    let mut files: BTreeMap<String, Vec<u8>> = members
        .into_iter()
        .map(|(name, member)| (format!("{MEMBERS}/{name}"), member))
        .collect();
    files.insert(ROOT_PATH.to_owned(), file.to_owned());
    let vault = UnverifiedRoot::read(Tree::Committed(files))?.into_vault()?;
    vault.membership()
}
