//! New contents, signed: entries by their writers, the root and members' files by the authority.
//!
//! Pure apart from randomness: makes files and writes none. The caller has checked everything
//! that the new content rests on.

use std::collections::BTreeSet;

use super::format::{
    ROOT_PATH, entry_path, member_path, sealing_context, write_entry, write_member, write_root,
};
use super::model::{
    Access, Entry, Environment, Epoch, LARGEST_NUMBER, Member, Membership, Moment, Root, Signing,
};
use super::name::{EnvironmentName, MemberName, SecretName};
use super::parallel::map_in_parallel;
use super::store::NewFile;
use super::unlock::{Unlocked, data_key_payload, entry_keys_payload};
use crate::crypto::{self, Commitment, DataKey, Recipient, SigningKey, VaultId};
use crate::fault::Fault;
use crate::secret::Secret;

/// A member who may write in an environment, with the keys for it.
pub struct EntrySigner<'a> {
    /// The vault.
    pub vault: VaultId,
    /// The environment, checked.
    pub environment: &'a Environment,
    /// The data key of its newest epoch, among others.
    pub keys: &'a Unlocked,
    /// Who.
    pub name: &'a MemberName,
    /// The author's signing key.
    pub key: &'a SigningKey,
}

impl EntrySigner<'_> {
    /// The file of `name` with this value, sealed in the newest epoch; `before` is the revision of
    /// the file it replaces, 0 if there is none.
    ///
    /// # Errors
    /// If the author has no data key, or the revision is the last there can be.
    pub fn set(&self, name: &SecretName, before: u64, value: &Secret) -> Result<NewFile, Fault> {
        let epoch = self.environment.newest();
        let mut entry = self.entry(name, before)?;
        let environment = &self.environment.name;
        let place = sealing_context(&self.vault, environment, name, &epoch.commitment, &entry);
        let key = self.keys.data_key(epoch)?.entry_key(name.as_str());
        entry.sealed = Some(crypto::seal(&key, &place, value));
        Ok(self.sign_in(&epoch.commitment, name, &entry))
    }

    /// The tombstone of `name`.
    ///
    /// # Errors
    /// If the revision is the last there can be.
    pub fn remove(&self, name: &SecretName, before: u64) -> Result<NewFile, Fault> {
        let commitment = self.environment.newest().commitment;
        Ok(self.sign_in(&commitment, name, &self.entry(name, before)?))
    }

    fn entry(&self, name: &SecretName, before: u64) -> Result<Entry, Fault> {
        if before >= LARGEST_NUMBER {
            let path = entry_path(&self.environment.name, name);
            return Err(
                Fault::refused(format!("{name} has the last revision that there can be")).hint(
                    format!(
                        "see who set it, and put back an older one: `git log -- .vault/{path}`"
                    ),
                ),
            );
        }
        let epoch = self.environment.newest().number;
        Ok(Entry {
            epoch,
            origin: epoch,
            revision: before + 1,
            changed: Moment::now(),
            author: self.name.clone(),
            signer: self.name.clone(),
            sealed: None,
        })
    }

    /// Signs `entry`, which belongs to the epoch with this commitment.
    pub(super) fn sign_in(
        &self,
        commitment: &Commitment,
        name: &SecretName,
        entry: &Entry,
    ) -> NewFile {
        let environment = &self.environment.name;
        let content = write_entry(&self.vault, environment, name, commitment, entry, self.key);
        NewFile {
            path: entry_path(environment, name),
            content,
        }
    }
}

/// Signs the root and members' files with the authority.
pub struct RootSigner<'a>(&'a SigningKey);

impl<'a> RootSigner<'a> {
    /// The authority with this key.
    #[must_use]
    pub fn new(key: &'a SigningKey) -> Self {
        Self(key)
    }

    /// The id of the vault.
    #[must_use]
    pub fn id(&self) -> VaultId {
        VaultId::new(self.0.public())
    }

    /// A person's record: a new signing key and, for an admin, the authority.
    #[must_use]
    pub fn person(
        &self,
        recipient: Recipient,
        environments: &BTreeSet<EnvironmentName>,
        role: Role,
    ) -> Member {
        let key = SigningKey::generate();
        Member {
            access: environments
                .iter()
                .map(|name| (name.clone(), Access::Write))
                .collect(),
            signing: Some(Signing {
                signer: key.public(),
                seed: seal_seed(&key, &recipient),
            }),
            authority: (role == Role::Admin).then(|| self.share(&recipient)),
            ..Member::new(recipient)
        }
    }

    /// Starts a new epoch of `environment` in `membership`, sealed to everyone with access there, and
    /// returns its data key. An environment that is not there yet is added.
    ///
    /// Its number is above those of all epochs, and above any that someone lost there, so that no one
    /// counts as knowing the new values.
    ///
    /// # Errors
    /// If a number is the last that there can be.
    pub fn start_epoch(
        &self,
        membership: &mut Membership,
        environment: &EnvironmentName,
    ) -> Result<DataKey, Fault> {
        let key = DataKey::generate(&self.id(), environment.as_str());
        let root = &mut membership.root;
        let lost = root.losses().filter_map(|(_, lost)| lost.get(environment));
        let lost = lost.map(|lost| lost.epoch).max().unwrap_or(0);
        let own = root.environments.entry(environment.clone());
        let own = own.or_insert_with(|| Environment {
            name: environment.clone(),
            epochs: Vec::new(),
            given: BTreeSet::new(),
        });
        let highest = own.epochs.iter().map(|epoch| epoch.number).max();
        let number = highest.map_or(lost, |highest| highest.max(lost)) + 1;
        if number > LARGEST_NUMBER {
            return Err(Fault::refused(format!(
                "{environment} has the last number that there can be"
            )));
        }
        let commitment = key.commitment();
        own.epochs.insert(0, Epoch { number, commitment });
        let members = membership.members.iter();
        let given: Vec<&MemberName> = members
            .filter(|(_, member)| member.access.contains_key(environment))
            .map(|(name, _)| name)
            .collect();
        own.given = given.iter().copied().cloned().collect();
        let payloads = map_in_parallel(&given, |names| {
            let sealed = |name: &&MemberName| {
                let member = &membership.members[*name];
                Ok(self.sealed(
                    environment,
                    &key,
                    &member.recipient,
                    &member.access[environment],
                ))
            };
            names.iter().map(sealed).collect()
        })?;
        let names: Vec<MemberName> = own.given.iter().cloned().collect();
        for (name, payload) in names.iter().zip(payloads) {
            if let Some(member) = membership.members.get_mut(name) {
                let keys = member.sealed.entry(environment.clone()).or_default();
                keys.insert(commitment, payload);
            }
        }
        Ok(key)
    }

    /// Seals the data key of an epoch of `environment` to `member`, as far as their access goes.
    pub fn seal_to(&self, member: &mut Member, environment: &EnvironmentName, key: &DataKey) {
        if let Some(access) = member.access.get(environment) {
            let payload = self.sealed(environment, key, &member.recipient, access);
            let keys = member.sealed.entry(environment.clone()).or_default();
            keys.insert(key.commitment(), payload);
        }
    }

    /// The authority's seed for one more admin.
    #[must_use]
    pub fn share(&self, recipient: &Recipient) -> Vec<u8> {
        seal_seed(self.0, recipient)
    }

    /// The file of the root.
    #[must_use]
    pub fn sign_root(&self, root: &Root) -> NewFile {
        NewFile {
            path: ROOT_PATH.to_owned(),
            content: write_root(root, self.0),
        }
    }

    /// The file of `name`.
    #[must_use]
    pub fn sign_member(&self, name: &MemberName, member: &Member) -> NewFile {
        NewFile {
            path: member_path(name),
            content: write_member(&self.id(), name, member, self.0),
        }
    }

    /// The data key, or the keys of some names, for one member alone.
    fn sealed(
        &self,
        environment: &EnvironmentName,
        key: &DataKey,
        recipient: &Recipient,
        access: &Access,
    ) -> Vec<u8> {
        let vault = self.id();
        recipient.seal(&match access {
            Access::Write | Access::Read => data_key_payload(&vault, environment, key),
            Access::Names(names) => entry_keys_payload(&vault, environment, key, names),
        })
    }
}

/// The seed of `key`, which only the holder of `recipient`'s identity can open.
#[must_use]
pub fn seal_seed(key: &SigningKey, recipient: &Recipient) -> Vec<u8> {
    recipient.seal(&Secret::new(key.seed().expose().to_vec()))
}

/// Whether a person can change membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Change membership.
    Admin,
    /// Nothing.
    Member,
}
