//! Files that a vault once had, as git keeps them, with their signers and contents.
//!
//! Rosters first, then environments, then entries, each judged by itself. A roster is judged by its
//! own id, which the caller must know, an environment by that id's authority, and an entry by a
//! signer in such a roster and an epoch of such an environment. Writing to the repository is
//! therefore not enough to slip in a value. Files that are damaged, forged, or from another vault
//! are ignored.

use std::collections::BTreeMap;

use super::format::{
    Signed, environment_file, parse_environment, parse_roster, read_entry, roster_file,
    sealing_context,
};
use super::model::{Entry, Epoch, LONGEST_VALUE, Roster};
use super::name::{EnvironmentName, MemberName, SecretName};
use super::unlock::EpochKey;
use crate::crypto::{Claim, Identity, PublicKey, VaultId, verify_all};
use crate::secret::Secret;

/// The known past of a vault, and the identity that opens it.
pub struct History<'a> {
    identity: &'a Identity,
    member: &'a MemberName,
    authorities: BTreeMap<VaultId, PublicKey>,
    signers: BTreeMap<(VaultId, MemberName), Vec<PublicKey>>,
    epochs: BTreeMap<(EnvironmentName, u64), Vec<HistoryEpoch>>,
}

/// An epoch as an environment's file once had it.
struct HistoryEpoch {
    vault: VaultId,
    epoch: Epoch,
    key: Key,
}

enum Key {
    Sealed,
    Open(EpochKey),
    Closed,
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
    /// A past of which nothing is known yet, to be opened as `member`.
    #[must_use]
    pub fn new(member: &'a MemberName, identity: &'a Identity) -> Self {
        Self {
            identity,
            member,
            authorities: BTreeMap::new(),
            signers: BTreeMap::new(),
            epochs: BTreeMap::new(),
        }
    }

    /// Takes a roster's file into account, if it is one of a vault that the caller `knows`.
    pub fn add_roster(&mut self, file: &[u8], knows: &dyn Fn(&VaultId) -> bool) {
        let Ok(file) = roster_file(file) else { return };
        let Some(vault) = file.vault().ok().filter(|vault| knows(vault)) else {
            return;
        };
        if let Some(authority) = vault.authority()
            && file.check(authority, &vault, "").is_ok()
            && let Ok(roster) = parse_roster(&file)
        {
            self.authorities.insert(vault, authority);
            self.add_signers(&roster);
        }
    }

    fn add_signers(&mut self, roster: &Roster) {
        let members = roster
            .members
            .iter()
            .filter_map(|(name, member)| Some((name, member.signing.as_ref()?.signer)));
        let former = roster
            .former
            .iter()
            .filter_map(|(name, former)| Some((name, former.signer?)));
        for (name, signer) in members.chain(former) {
            let known = self
                .signers
                .entry((roster.vault, name.clone()))
                .or_default();
            if !known.contains(&signer) {
                known.push(signer);
            }
        }
    }

    /// Takes an environment's file into account, if the authority of a roster that was added
    /// signed it.
    pub fn add_environment(&mut self, name: &EnvironmentName, file: &[u8]) {
        let Ok(file) = environment_file(name, file) else {
            return;
        };
        let mut ids = self.authorities.iter();
        let by = ids.find(|(vault, authority)| file.check(**authority, vault, "").is_ok());
        let Some((vault, _)) = by else { return };
        let Ok(content) = parse_environment(name, &file) else {
            return;
        };
        for epoch in content.epochs {
            let known = self.epochs.entry((name.clone(), epoch.number)).or_default();
            let same = |past: &&mut HistoryEpoch| {
                past.vault == *vault && past.epoch.commitment == epoch.commitment
            };
            match known.iter_mut().find(same) {
                // Sealed to the caller in one of its files is enough.
                Some(past) if epoch.sealed.contains_key(self.member) => past.epoch = epoch,
                Some(_) => {}
                None => known.push(HistoryEpoch {
                    vault: *vault,
                    epoch,
                    key: Key::Sealed,
                }),
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
                    .claim(*signer, &past.vault, Some(&past.epoch.commitment))
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
            let sealed = past.epoch.sealed.get(self.member);
            let payload = sealed.and_then(|sealed| self.identity.unseal(sealed).ok());
            let key = payload.and_then(|payload| {
                EpochKey::read(&payload, &past.vault, &entry.environment, &past.epoch)
            });
            past.key = key.map_or(Key::Closed, Key::Open);
        }
        let Key::Open(key) = &past.key else {
            return None;
        };
        let (environment, commitment) = (&entry.environment, &past.epoch.commitment);
        let place = sealing_context(&past.vault, environment, &entry.name, commitment, content);
        let value = key.open(&entry.name, &place, content.sealed.as_ref()?)?;
        (value.len() <= LONGEST_VALUE).then_some(value)
    }
}
