//! Files that a vault once had, as git keeps them, with their signers and contents.
//!
//! Roots first, then members' files, then entries, each judged by itself. A root is judged by its own
//! id, which the caller must know, a member's file by that id's authority, and an entry by a signer in
//! such a file and an epoch in such a root. Writing to the repository is therefore not enough to slip
//! in a value. Files that are damaged, forged, or from another vault are ignored.

use std::collections::BTreeMap;

use super::format::{
    Signed, member_file, parse_member, parse_root, read_entry, root_file, sealing_context,
};
use super::model::{Entry, LONGEST_VALUE, Member, Root};
use super::name::{EnvironmentName, MemberName, SecretName};
use super::unlock::EpochKey;
use crate::crypto::{Claim, Commitment, Identity, PublicKey, VaultId, verify_all};
use crate::secret::Secret;

/// The known past of a vault, and the identity that opens it.
pub struct History<'a> {
    identity: &'a Identity,
    authorities: BTreeMap<VaultId, PublicKey>,
    signers: BTreeMap<(VaultId, MemberName), Vec<PublicKey>>,
    epochs: BTreeMap<(EnvironmentName, u64), Vec<HistoryEpoch>>,
    /// Data keys that were ever sealed to the caller.
    sealed: BTreeMap<(EnvironmentName, Commitment), Vec<u8>>,
}

/// An epoch as a root once had it.
struct HistoryEpoch {
    vault: VaultId,
    commitment: Commitment,
    key: Key,
}

enum Key {
    Sealed,
    Open(EpochKey),
    Closed,
}

/// Reads a file as a root of a vault that the caller `knows`, with its authority.
#[must_use]
pub fn past_root(file: &[u8], knows: &dyn Fn(&VaultId) -> bool) -> Option<(Root, PublicKey)> {
    let file = root_file(file).ok()?;
    let vault = file.vault().ok().filter(|vault| knows(vault))?;
    let authority = vault.authority()?;
    file.check(authority, &vault, "").ok()?;
    Some((parse_root(&file).ok()?, authority))
}

/// Reads a file as that of the member `name`, if the authority of `vault` signed it.
#[must_use]
pub fn past_member(
    name: &MemberName,
    file: &[u8],
    vault: &VaultId,
    authority: PublicKey,
) -> Option<Member> {
    let file = member_file(name, file).ok()?;
    file.check(authority, vault, "").ok()?;
    parse_member(name, &file).ok()
}

/// An entry that is as `vault` writes it and holds a value. Its signature has not been checked yet.
pub struct HistoryEntry {
    /// Where it was.
    pub environment: EnvironmentName,
    /// Its name.
    pub name: SecretName,
    signed: Signed<Entry>,
}

impl HistoryEntry {
    /// Reads the file of `name`. Returns `None` for a tombstone and for an invalid file.
    #[must_use]
    pub fn read(environment: EnvironmentName, name: SecretName, file: &[u8]) -> Option<Self> {
        let signed = read_entry(&environment, &name, file).ok()?;
        signed.content.sealed.is_some().then_some(Self {
            environment,
            name,
            signed,
        })
    }

    /// The entry.
    #[must_use]
    pub fn content(&self) -> &Entry {
        &self.signed.content
    }
}

impl<'a> History<'a> {
    /// A past of which nothing is known yet, to be opened with `identity`.
    #[must_use]
    pub fn new(identity: &'a Identity) -> Self {
        Self {
            identity,
            authorities: BTreeMap::new(),
            signers: BTreeMap::new(),
            epochs: BTreeMap::new(),
            sealed: BTreeMap::new(),
        }
    }

    /// Takes a root's file into account, if it is one of a vault that the caller `knows`.
    pub fn add_root(&mut self, file: &[u8], knows: &dyn Fn(&VaultId) -> bool) {
        if let Some((root, authority)) = past_root(file, knows) {
            self.authorities.insert(root.vault, authority);
            self.add_epochs(&root);
        }
    }

    /// Takes the epochs of a root into account that was checked.
    pub fn add_epochs(&mut self, root: &Root) {
        for (name, environment) in &root.environments {
            for epoch in &environment.epochs {
                let known = self.epochs.entry((name.clone(), epoch.number)).or_default();
                let is_same = |past: &HistoryEpoch| {
                    (past.vault, past.commitment) == (root.vault, epoch.commitment)
                };
                if !known.iter().any(is_same) {
                    known.push(HistoryEpoch {
                        vault: root.vault,
                        commitment: epoch.commitment,
                        key: Key::Sealed,
                    });
                }
            }
        }
    }

    /// Takes the file of `name` into account, if the authority of a root that was added signed it.
    pub fn add_member(&mut self, name: &MemberName, file: &[u8]) {
        let mut authorities = self.authorities.iter();
        let found = authorities.find_map(|(vault, authority)| {
            Some((*vault, past_member(name, file, vault, *authority)?))
        });
        if let Some((vault, member)) = found {
            self.add_keys(vault, name, member);
        }
    }

    /// Takes the keys of a member into account whose file was checked.
    pub fn add_keys(&mut self, vault: VaultId, name: &MemberName, member: Member) {
        if let Some(signer) = member.signer() {
            let known = self.signers.entry((vault, name.clone())).or_default();
            if !known.contains(&signer) {
                known.push(signer);
            }
        }
        if member.recipient == self.identity.recipient() {
            for (environment, keys) in member.sealed {
                let keys = keys
                    .into_iter()
                    .map(|(commitment, payload)| ((environment.clone(), commitment), payload));
                self.sealed.extend(keys);
            }
        }
    }

    /// Returns the values of those `entries` that have a valid signature and that the caller can
    /// open.
    pub fn values(&mut self, entries: Vec<HistoryEntry>) -> Vec<(HistoryEntry, Secret)> {
        let mut signed = self.signed(entries);
        let mut values = Vec::with_capacity(signed.len());
        for (entry, at) in signed.drain(..) {
            if let Some(value) = self.value(&entry, at) {
                values.push((entry, value));
            }
        }
        values
    }

    /// Returns the entries with a valid signature, each with the index of its epoch among those of
    /// its number.
    fn signed(&self, entries: Vec<HistoryEntry>) -> Vec<(HistoryEntry, usize)> {
        let first = |entry: &HistoryEntry| self.claims(entry).next();
        let firsts: Option<Vec<(usize, Claim)>> = entries.iter().map(first).collect();
        if let Some(firsts) = firsts {
            let (places, claims): (Vec<usize>, Vec<Claim>) = firsts.into_iter().unzip();
            if verify_all(&claims) {
                return entries.into_iter().zip(places).collect();
            }
        }
        let one = |entry: HistoryEntry| {
            let place = self.claims(&entry).find(|(_, claim)| claim.holds())?.0;
            Some((entry, place))
        };
        entries.into_iter().filter_map(one).collect()
    }

    /// Every signature that could be the entry's: usually one.
    fn claims<'b>(&'b self, entry: &'b HistoryEntry) -> impl Iterator<Item = (usize, Claim)> + 'b {
        let content = entry.content();
        let known = self.epochs.get(&(entry.environment.clone(), content.epoch));
        let epochs = known.into_iter().flatten().enumerate();
        epochs.flat_map(move |(at, past)| {
            let signers = self.signers.get(&(past.vault, content.signer.clone()));
            let claim = |signer: &PublicKey| {
                entry
                    .signed
                    .claim(*signer, &past.vault, Some(&past.commitment))
            };
            signers
                .into_iter()
                .flatten()
                .map(move |signer| (at, claim(signer)))
        })
    }

    fn value(&mut self, entry: &HistoryEntry, at: usize) -> Option<Secret> {
        let content = entry.content();
        let epochs = self
            .epochs
            .get_mut(&(entry.environment.clone(), content.epoch))?;
        let past = epochs.get_mut(at)?;
        if matches!(past.key, Key::Sealed) {
            let sealed = self
                .sealed
                .get(&(entry.environment.clone(), past.commitment));
            let payload = sealed.and_then(|sealed| self.identity.unseal(sealed).ok());
            let key = payload.and_then(|payload| {
                EpochKey::read(&payload, &past.vault, &entry.environment, &past.commitment)
            });
            past.key = key.map_or(Key::Closed, Key::Open);
        }
        let Key::Open(key) = &past.key else {
            return None;
        };
        let (environment, commitment) = (&entry.environment, &past.commitment);
        let place = sealing_context(&past.vault, environment, &entry.name, commitment, content);
        let value = key.open(&entry.name, &place, content.sealed.as_ref()?)?;
        (value.len() <= LONGEST_VALUE).then_some(value)
    }
}
