//! The state of a vault on one commit, as plain data: who may read which value. It knows nothing of
//! keys, files, or the product; docs/reference/members.md decides what is right.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Access;

/// The keys of one person or machine: they may replace them.
pub(super) type Key = usize;
pub(super) type Env = &'static str;
pub(super) type Secret = &'static str;
/// One data key of an environment.
pub(super) type Epoch = usize;
/// The bytes of a file, as a hash.
pub(super) type File = u64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) key: Key,
    /// Whether they have a key to sign with.
    pub(super) signs: bool,
    pub(super) is_admin: bool,
    pub(super) access: BTreeMap<Env, Access>,
    pub(super) revision: u64,
    pub(super) file: File,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which environments of this name it is: it can be removed and made again, and made on two
    /// branches.
    pub(super) made: BTreeSet<usize>,
    pub(super) epoch: Epoch,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The number of a value; `None` if it was removed.
    pub(super) value: Option<usize>,
    pub(super) revision: u64,
    pub(super) file: File,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Which authority signs.
    pub(super) authority: usize,
    /// The root's file.
    pub(super) root: File,
    /// The revocations.
    pub(super) tags: BTreeSet<usize>,
    pub(super) places: BTreeMap<Env, Place>,
    pub(super) members: BTreeMap<String, Member>,
    pub(super) former: BTreeSet<String>,
    /// Keys that never count again.
    pub(super) former_keys: BTreeSet<Key>,
    pub(super) entries: BTreeMap<(Env, Secret), Entry>,
    /// Members who have no key to the newest epoch until an admin seals it to them.
    pub(super) late: BTreeSet<(String, Env)>,
    /// Entries in an older epoch, which `rotate --finish` re-encrypts.
    pub(super) stale: BTreeSet<(Env, Secret)>,
    /// Entries of a branch whose signer may no longer write, which an admin adopts.
    pub(super) orphans: BTreeSet<(Env, Secret)>,
    /// Removed environments in which another branch set something, which git brings back.
    pub(super) strays: BTreeSet<Env>,
}

impl State {
    pub(super) fn access(&self, name: &str, env: Env) -> Option<&Access> {
        self.members.get(name)?.access.get(env)
    }

    /// Whether `name` has the newest key of `env`, or a part of it.
    pub(super) fn holds(&self, name: &str, env: Env) -> bool {
        self.access(name, env).is_some() && !self.late.contains(&(name.to_owned(), env))
    }

    pub(super) fn writes(&self, name: &str, env: Env) -> bool {
        self.access(name, env) == Some(&Access::Write) && self.holds(name, env)
    }

    /// The admins who can do everything: they write everywhere.
    pub(super) fn full_admins(&self) -> Vec<String> {
        let is_full = |name: &str| self.places.keys().all(|env| self.writes(name, env));
        let admins = self.members.iter().filter(|(_, member)| member.is_admin);
        admins
            .map(|(name, _)| name.clone())
            .filter(|name| is_full(name))
            .collect()
    }

    pub(super) fn names_of(&self, is_wanted: impl Fn(&Member) -> bool) -> Vec<String> {
        let found = self.members.iter().filter(|(_, member)| is_wanted(member));
        found.map(|(name, _)| name.clone()).collect()
    }

    /// Takes `name` off the members; their keys never come back.
    pub(super) fn dismiss(&mut self, name: &str) {
        if let Some(member) = self.members.remove(name) {
            let is_shared = self.members.values().any(|other| other.key == member.key);
            if !is_shared {
                self.former_keys.insert(member.key);
            }
        }
        self.former.insert(name.to_owned());
    }
}
