//! New contents, signed: entries by their writers, environments and roster by the authority.
//!
//! Pure apart from randomness: makes files and writes none. The caller has checked everything
//! that the new content rests on.

use std::collections::BTreeSet;

use super::format::{
    ROSTER_PATH, entry_path, environment_path, sealing_context, write_entry, write_environment,
    write_roster,
};
use super::model::{
    Access, Entry, Environment, Epoch, LARGEST_NUMBER, Listed, Member, Moment, Roster, Signing,
};
use super::name::{EnvironmentName, MemberName, SecretName};
use super::store::NewFile;
use super::unlock::{Unlocked, data_key_payload, entry_keys_payload};
use crate::crypto::{self, DataKey, Recipient, SigningKey, VaultId, sha256};
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
        let key = self.keys.data_key(epoch.number)?.entry_key(name.as_str());
        entry.sealed = Some(crypto::seal(&key, &place, value));
        Ok(self.sign(name, &entry))
    }

    /// The tombstone of `name`.
    ///
    /// # Errors
    /// If the revision is the last there can be.
    pub fn remove(&self, name: &SecretName, before: u64) -> Result<NewFile, Fault> {
        Ok(self.sign(name, &self.entry(name, before)?))
    }

    fn entry(&self, name: &SecretName, before: u64) -> Result<Entry, Fault> {
        if before >= LARGEST_NUMBER {
            let path = entry_path(&self.environment.name, name);
            return Err(
                Fault::refused(format!("{name} has the last revision that there can be")).hint(
                    format!("see who set it, and put back an older one: git log -- .vault/{path}"),
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

    fn sign(&self, name: &SecretName, entry: &Entry) -> NewFile {
        self.sign_in(self.environment.newest(), name, entry)
    }

    /// Signs `entry`, which is of `epoch`.
    pub(super) fn sign_in(&self, epoch: &Epoch, name: &SecretName, entry: &Entry) -> NewFile {
        let environment = &self.environment.name;
        let commitment = &epoch.commitment;
        let content = write_entry(&self.vault, environment, name, commitment, entry, self.key);
        NewFile {
            path: entry_path(environment, name),
            content,
        }
    }
}

/// Signs the roster and the environments with the authority.
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

    /// A new environment with its first epoch, sealed to everyone in `roster` with access.
    ///
    /// `revision` is that of the roster that will list it first. Counting from there, no file of an
    /// earlier environment of the same name is newer, so none can be put in its place. The epoch is
    /// later than any that someone lost there, so that no one counts as knowing the new values.
    #[must_use]
    pub fn environment(
        &self,
        name: &EnvironmentName,
        roster: &Roster,
        revision: u64,
    ) -> (NewFile, Listed) {
        let key = DataKey::generate(&self.id(), name.as_str());
        let members = roster.members.values().map(|member| &member.lost);
        let former = roster.former.values().map(|former| &former.lost);
        let lost = members
            .chain(former)
            .filter_map(|lost| Some(lost.get(name)?.epoch));
        let number = lost.max().unwrap_or(0) + 1;
        let sealed = roster.members.iter().filter_map(|(member, record)| {
            let access = record.access.get(name)?;
            Some((
                member.clone(),
                self.sealed(name, number, &key, &record.recipient, access),
            ))
        });
        let epoch = Epoch {
            number,
            commitment: key.commitment(),
            sealed: sealed.collect(),
        };
        self.sign_environment(&Environment {
            name: name.clone(),
            revision,
            epochs: vec![epoch],
        })
    }

    /// `environment` with its newest epoch sealed to each of `members`, who may be new or have had
    /// less access before. Older epochs do not change.
    #[must_use]
    pub fn seal_to<'m>(
        &self,
        environment: &Environment,
        key: &DataKey,
        members: impl IntoIterator<Item = (&'m MemberName, &'m Recipient, &'m Access)>,
    ) -> (NewFile, Listed) {
        let mut environment = environment.clone();
        environment.revision += 1;
        let newest = &mut environment.epochs[0];
        for (member, recipient, access) in members {
            let sealed = self.sealed(&environment.name, newest.number, key, recipient, access);
            newest.sealed.insert(member.clone(), sealed);
        }
        self.sign_environment(&environment)
    }

    /// The authority's seed for one more admin.
    #[must_use]
    pub fn share(&self, recipient: &Recipient) -> Vec<u8> {
        seal_seed(self.0, recipient)
    }

    /// The roster as the next revision.
    #[must_use]
    pub fn sign_roster(&self, roster: &Roster) -> NewFile {
        NewFile {
            path: ROSTER_PATH.to_owned(),
            content: write_roster(roster, self.0),
        }
    }

    /// The data key, or the keys of some names, for one member alone.
    pub(super) fn sealed(
        &self,
        environment: &EnvironmentName,
        epoch: u64,
        key: &DataKey,
        recipient: &Recipient,
        access: &Access,
    ) -> Vec<u8> {
        let vault = self.id();
        recipient.seal(&match access {
            Access::Write | Access::Read => data_key_payload(&vault, environment, epoch, key),
            Access::Names(names) => entry_keys_payload(&vault, environment, epoch, key, names),
        })
    }

    /// The file of `environment`, and how the roster lists it.
    #[must_use]
    pub fn sign_environment(&self, environment: &Environment) -> (NewFile, Listed) {
        let content = write_environment(&self.id(), environment, self.0);
        let listed = Listed {
            revision: environment.revision,
            sha256: sha256(&content),
        };
        (
            NewFile {
                path: environment_path(&environment.name),
                content,
            },
            listed,
        )
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
