//! Entries whose signer's signature no longer counts, such as one from a branch that a member made
//! before leaving.
//!
//! Such an entry is refused everywhere. An admin may adopt it, by name and after seeing who signed it;
//! that it is what this signer signed is checked here all the same.

use super::check::unknown_epoch;
use super::members::MemberFile;
use super::{CheckedEntry, Vault, not_signed};
use crate::crypto::PublicKey;
use crate::fault::Fault;
use crate::vault::format::{entry_path, read_entry};
use crate::vault::model::{Environment, Member, Root};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

impl Vault {
    /// The entry `name`, if a former member signed it, a member who may no longer write here, or
    /// one with a key that was replaced. `former` gives the keys that someone once signed with; of
    /// these only those count that the root remembers, or all if their file is gone without a
    /// revocation.
    ///
    /// Returns `None` if the entry does not exist, or a current writer signed it, so that it needs
    /// no adoption.
    ///
    /// # Errors
    /// If no known member signed it, or its epoch is unknown.
    pub fn adoptable(
        &self,
        environment: &Environment,
        name: &SecretName,
        former: &dyn Fn(&MemberName) -> Vec<PublicKey>,
    ) -> Result<Option<CheckedEntry>, Fault> {
        let parent = environment.name.as_str();
        let Some(folder) = self.tree().folder(parent)? else {
            return Ok(None);
        };
        let Some(file) = folder.read(parent, &name.file())? else {
            return Ok(None);
        };
        let signed = read_entry(&environment.name, name, &file)?;
        let path = entry_path(&environment.name, name);
        let numbered = || environment.numbered(signed.content.epoch);
        if numbered().next().is_none() {
            return Err(unknown_epoch(&path, &signed.content));
        }
        let by = &signed.content.signer;
        let commitment = |key: PublicKey| {
            let holds = |commitment| {
                let claim = signed.claim(key, &self.root().vault, Some(commitment));
                claim.holds().then_some(*commitment)
            };
            numbered().find_map(|epoch| holds(&epoch.commitment))
        };
        let file = self.member(by)?;
        let current = match file.as_deref() {
            Some(MemberFile::Counts(counted)) => Some(&counted.member),
            _ => None,
        };
        let writer = current.and_then(|member| member.signer_in(&environment.name));
        if writer.and_then(commitment).is_some() {
            return Ok(None);
        }
        let own = current.and_then(Member::signer);
        let known = former(by);
        let is_gone = file.is_none() && !self.root().former.contains_key(by);
        let remembered = known
            .into_iter()
            .filter(|key| is_gone && !self.root().is_former(key) || self.root().had(by, key));
        let found = own.into_iter().chain(remembered).find_map(commitment);
        let commitment = found.ok_or_else(|| not_signed(&path, by.as_str()))?;
        Ok(Some(CheckedEntry {
            name: name.clone(),
            content: signed.content,
            commitment,
        }))
    }
}

impl Vault {
    /// Whom the entry `name` names as its signer. Checks no signature.
    #[must_use]
    pub fn claimed_signer(
        &self,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> Option<MemberName> {
        let parent = environment.as_str();
        let folder = self.tree().folder(parent).ok()??;
        let file = folder.read(parent, &name.file()).ok()??;
        Some(read_entry(environment, name, &file).ok()?.content.signer)
    }

    /// Whether the entry `name` may be adopted: a member signed it who may not write here, or it says
    /// that someone with a former key did. Their keys are in the commits, so they are not checked.
    #[must_use]
    pub fn has_former_signer(&self, environment: &Environment, name: &SecretName) -> bool {
        let unknown = |_: &MemberName| Vec::new();
        let is_signed = || self.adoptable(environment, name, &unknown);
        let mut former = self.root().former.keys();
        self.claimed_signer(&environment.name, name)
            .is_some_and(|by| former.any(|former| *former == by || former.is_of(&by)))
            || is_signed().is_ok_and(|entry| entry.is_some())
    }
}

impl Root {
    /// Whether it lists this key as a former member's.
    fn is_former(&self, key: &PublicKey) -> bool {
        let digest = Some(key.digest());
        self.former.values().any(|own| own.signer == digest)
    }

    /// Whether `name` once signed with this key, and no longer does.
    fn had(&self, name: &MemberName, key: &PublicKey) -> bool {
        let digest = Some(key.digest());
        let mut former = self.former.iter();
        former.any(|(former, own)| (former == name || former.is_of(name)) && own.signer == digest)
    }
}
