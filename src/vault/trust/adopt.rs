//! Entries whose signer's signature no longer counts, such as one from a branch that a member made
//! before leaving.
//!
//! Such an entry is refused everywhere. An admin may adopt it, by name and after seeing who signed it;
//! that it is what this signer signed is checked here all the same.

use super::{CheckedEntry, CheckedEnvironment, Vault, not_signed};
use crate::fault::Fault;
use crate::vault::format::{entry_path, read_entry};
use crate::vault::name::SecretName;

impl Vault {
    /// The entry `name`, if a former member signed it, a member who may no longer write here, or
    /// one with a key that was replaced.
    ///
    /// Returns `None` if the entry does not exist, or a current writer signed it, so that it needs
    /// no adoption.
    ///
    /// # Errors
    /// If no known member signed it, or its epoch is unknown.
    pub fn adoptable(
        &self,
        environment: &CheckedEnvironment,
        name: &SecretName,
    ) -> Result<Option<CheckedEntry>, Fault> {
        let environment = environment.content();
        let parent = environment.name.as_str();
        let Some(folder) = self.tree().folder(parent)? else {
            return Ok(None);
        };
        let Some(file) = folder.read(parent, &name.file())? else {
            return Ok(None);
        };
        let signed = read_entry(&environment.name, name, &file)?;
        let path = entry_path(&environment.name, name);
        let epoch = environment.epoch(signed.content.epoch).ok_or_else(|| {
            let number = signed.content.epoch;
            let reason = format!("is of epoch {number}, which the environment does not have");
            Fault::refused_file(&path, reason)
        })?;
        let holds = |key| {
            signed
                .claim(key, &self.roster().vault, Some(&epoch.commitment))
                .holds()
        };
        let by = &signed.content.signer;
        let current = self.roster().members.get(by);
        let writer = current.and_then(|member| member.signer_in(&environment.name));
        if writer.is_some_and(holds) {
            return Ok(None);
        }
        let own = current
            .and_then(|member| member.signing.as_ref())
            .map(|signing| signing.signer);
        if !own
            .into_iter()
            .chain(self.roster().former_signers(by))
            .any(holds)
        {
            return Err(not_signed(&path, by.as_str()));
        }
        Ok(Some(CheckedEntry {
            name: name.clone(),
            content: signed.content,
        }))
    }
}
