//! Entries by somebody whose signature no longer counts, such as one from a branch that a member cut
//! before leaving.
//!
//! Such an entry is refused everywhere. An admin may adopt it, by name and after seeing who signed it;
//! that it is what this signer signed is checked here all the same.

use super::check::{CheckedEntry, CheckedEnvironment, Vault, not_signed};
use crate::crypto::PublicKey;
use crate::fault::Fault;
use crate::vault::format::{entry_path, read_entry};
use crate::vault::name::{MemberName, SecretName};

impl Vault {
    /// The entry `name`, if a former member signed it, or a member who may no longer write here.
    ///
    /// Nothing when there is no such entry or its signer is a current writer, so that it needs no
    /// adoption.
    ///
    /// # Errors
    /// When nobody who is known signed it so, or it is of an unknown epoch.
    pub fn adoptable(
        &self,
        environment: &CheckedEnvironment,
        name: &SecretName,
    ) -> Result<Option<CheckedEntry>, Fault> {
        let environment = environment.content();
        let parent = environment.name.as_str();
        let Some(folder) = self.tree().folder(parent)? else { return Ok(None) };
        let Some(file) = folder.read(parent, &name.file())? else { return Ok(None) };
        let signed = read_entry(&environment.name, name, &file)?;
        let by = &signed.content.signer;
        let member = self.roster().members.get(by);
        if member.is_some_and(|member| member.signer_in(&environment.name).is_some()) {
            return Ok(None);
        }
        let path = entry_path(&environment.name, name);
        let epoch = environment.epoch(signed.content.epoch).ok_or_else(|| {
            let number = signed.content.epoch;
            Fault::refused(format!(
                ".vault/{path}: is of epoch {number}, which the environment does not have"
            ))
        })?;
        let claim = |key| signed.claim(key, &self.roster().vault, Some(&epoch.commitment));
        if !self.once_signer(by).is_some_and(|key| claim(key).holds()) {
            return Err(not_signed(&path, by.as_str()));
        }
        Ok(Some(CheckedEntry { name: name.clone(), content: signed.content }))
    }

    /// The key with which `member` signed, wherever that was.
    fn once_signer(&self, member: &MemberName) -> Option<PublicKey> {
        let roster = self.roster();
        let current = roster.members.get(member).and_then(|member| member.signing.as_ref());
        let former = roster.former.get(member).and_then(|former| former.signer);
        current.map(|signing| signing.signer).or(former)
    }
}
