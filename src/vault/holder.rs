//! A member with the identity that proves it, and everything that it opens.
//!
//! Every payload is bound to its place and compared with it after it was unsealed; a seed is used
//! only if its public half is the one that the roster names.

use std::collections::BTreeSet;

use super::format::{ROSTER_PATH, environment_path};
use super::model::{Member, Signing};
use super::name::{EnvironmentName, MemberName};
use super::trust::{CheckedEnvironment, Vault};
use super::unlock::{EpochKey, Unlocked};
use crate::crypto::{Identity, SigningKey, UnsealError};
use crate::fault::Fault;
use crate::platform;
use crate::secret::Key;

/// A member together with the identity that proves it.
pub struct Holder<'a> {
    vault: &'a Vault,
    name: &'a MemberName,
    member: &'a Member,
    identity: &'a Identity,
}

impl<'a> Holder<'a> {
    /// The member `name` of `vault`, whose recipient belongs to `identity`.
    #[must_use]
    pub fn new(
        vault: &'a Vault,
        name: &'a MemberName,
        member: &'a Member,
        identity: &'a Identity,
    ) -> Self {
        Self {
            vault,
            name,
            member,
            identity,
        }
    }

    /// The member whose recipient belongs to `identity`.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(vault: &'a Vault, identity: &'a Identity) -> Result<Self, Fault> {
        let recipient = identity.recipient();
        let found = vault
            .roster()
            .members
            .iter()
            .find(|(_, member)| member.recipient == recipient);
        let (name, member) = found.ok_or_else(|| {
            Fault::locked(format!(
                "your key ({recipient}) belongs to no member of this vault"
            ))
            .hint("use the key you joined with, or ask an admin to add you")
        })?;
        Ok(Self::new(vault, name, member, identity))
    }

    /// The member's name.
    #[must_use]
    pub fn name(&self) -> &MemberName {
        self.name
    }

    /// The member.
    #[must_use]
    pub fn member(&self) -> &Member {
        self.member
    }

    /// The keys to `environment` in the epochs of these numbers.
    ///
    /// # Errors
    /// If the member has no access, or a sealed key is damaged or not the expected one.
    pub fn unlock(
        &self,
        environment: &CheckedEnvironment,
        epochs: impl IntoIterator<Item = u64>,
    ) -> Result<Unlocked, Fault> {
        let numbers: BTreeSet<u64> = epochs.into_iter().collect();
        let keys = numbers
            .into_iter()
            .map(|number| Ok((number, self.epoch_key(environment, number)?)))
            .collect::<Result<_, Fault>>()?;
        let content = environment.content();
        let vault = self.vault.roster().vault;
        let commitments = content
            .epochs
            .iter()
            .map(|epoch| (epoch.number, epoch.commitment))
            .collect();
        Ok(Unlocked {
            vault,
            environment: content.name.clone(),
            commitments,
            keys,
        })
    }

    /// Checks that this member may write in `environment`. Opens nothing.
    ///
    /// # Errors
    /// If they may not.
    pub fn check_writer(&self, environment: &EnvironmentName) -> Result<(), Fault> {
        self.signing(environment).map(drop)
    }

    /// Opens the key with which this member signs entries in `environment`.
    ///
    /// # Errors
    /// If they may not write there, or the sealed seed is not the one named.
    pub fn signing_key(&self, environment: &EnvironmentName) -> Result<SigningKey, Fault> {
        let signing = self.signing(environment)?;
        self.seed(&signing.seed, signing.signer.as_bytes(), "signing key")
    }

    fn signing(&self, environment: &EnvironmentName) -> Result<&'a Signing, Fault> {
        let may_write = self.member.signer_in(environment).is_some();
        self.member
            .signing
            .as_ref()
            .filter(|_| may_write)
            .ok_or_else(|| {
                Fault::locked(format!("{} may not write in {environment}", self.name))
                    .hint("ask an admin for write access")
            })
    }

    /// Checks that this member is an admin. Opens nothing.
    ///
    /// # Errors
    /// If they are not.
    pub fn check_admin(&self) -> Result<(), Fault> {
        self.sealed_authority().map(drop)
    }

    /// Opens the authority, with which an admin signs the roster and the environments.
    ///
    /// # Errors
    /// If the member is not an admin, or the sealed seed is not the authority's.
    pub fn authority(&self) -> Result<SigningKey, Fault> {
        let sealed = self.sealed_authority()?;
        self.seed(sealed, self.vault.roster().vault.as_bytes(), "authority")
    }

    fn sealed_authority(&self) -> Result<&'a [u8], Fault> {
        self.member.authority.as_deref().ok_or_else(|| {
            let members = self.vault.roster().members.iter();
            let admins = members.filter(|(_, member)| member.is_admin());
            let names: Vec<&str> = admins.map(|(name, _)| name.as_str()).collect();
            Fault::locked(format!("{} is not an admin of this vault", self.name))
                .hint(format!("ask an admin: {}", names.join(", ")))
        })
    }

    fn seed(&self, sealed: &[u8], public: &[u8; 32], what: &str) -> Result<SigningKey, Fault> {
        let refused = |reason: &str| {
            let reason = format!("the {what} sealed to {} {reason}", self.name);
            Fault::damaged_file(ROSTER_PATH, reason)
        };
        let seed = self
            .identity
            .unseal(sealed)
            .map_err(|error| refused(reason(&error)))?;
        let seed = Key::from_slice(seed.expose()).ok_or_else(|| refused("is not 32 bytes"))?;
        let key = SigningKey::from_seed(&seed);
        if key.public().as_bytes() == public {
            Ok(key)
        } else {
            Err(refused("is not the one it names"))
        }
    }

    fn epoch_key(&self, environment: &CheckedEnvironment, number: u64) -> Result<EpochKey, Fault> {
        let name = &environment.content().name;
        let found = environment.content().epoch(number);
        let own = found.and_then(|epoch| Some((epoch, epoch.sealed.get(self.name)?)));
        let (epoch, sealed) = own.ok_or_else(|| self.locked(environment, number))?;
        let refused = |reason: &str| {
            let reason = format!(
                "the data key of epoch {number} sealed to {} {reason}",
                self.name
            );
            Fault::damaged_file(&environment_path(name), reason)
        };
        let payload = self
            .identity
            .unseal(sealed)
            .map_err(|error| refused(reason(&error)))?;
        platform::lock_memory(payload.expose());
        let key = EpochKey::read(&payload, &self.vault.roster().vault, name, epoch)
            .ok_or_else(|| refused("is not the one it should be"))?;
        key.lock();
        Ok(key)
    }

    fn locked(&self, environment: &CheckedEnvironment, number: u64) -> Fault {
        let name = &environment.content().name;
        if !self.member.access.contains_key(name) {
            let open: Vec<&str> = self
                .member
                .access
                .keys()
                .map(EnvironmentName::as_str)
                .collect();
            let open = if open.is_empty() {
                "nothing".to_owned()
            } else {
                open.join(", ")
            };
            return Fault::locked(format!(
                "{name} is locked: {} has access to {open}",
                self.name
            ))
            .hint(format!("ask an admin for access to {name}"));
        }
        let message = format!("epoch {number} of {name} was never sealed to {}", self.name);
        Fault::locked(message).hint("ask an admin: vault rotate --finish")
    }
}

fn reason(error: &UnsealError) -> &'static str {
    match error {
        UnsealError::NotMine => "cannot be opened with that member's identity",
        UnsealError::Corrupt => "is damaged",
    }
}

/// A member's signing key, which is opened once: for the first environment that needs it.
#[derive(Default)]
pub struct OpenedSigningKey(Option<SigningKey>);

impl OpenedSigningKey {
    /// The key, for signing entries in `environment`.
    ///
    /// # Errors
    /// For the same reasons as [`Holder::signing_key`].
    pub fn get(
        &mut self,
        holder: &Holder<'_>,
        environment: &EnvironmentName,
    ) -> Result<&SigningKey, Fault> {
        holder.check_writer(environment)?;
        let key = match self.0.take() {
            Some(key) => key,
            None => holder.signing_key(environment)?,
        };
        Ok(self.0.insert(key))
    }
}
