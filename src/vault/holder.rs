//! A member with the identity that proves it, and everything that it opens.
//!
//! Every payload is bound to its place and compared with it after it was unsealed; a seed is used
//! only if its public half is the one that the member's file, or the id, names.

use std::collections::BTreeSet;

use super::format::member_path;
use super::model::{Environment, Epoch, Member, Signing};
use super::name::{EnvironmentName, MemberName};
use super::trust::Vault;
use super::unlock::{EpochKey, Unlocked};
use crate::crypto::{Commitment, Identity, SigningKey, UnsealError};
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

    /// The keys to `environment` in the epochs with these commitments.
    ///
    /// # Errors
    /// If the member has no access, or a sealed key is damaged or not the expected one.
    pub fn unlock(
        &self,
        environment: &Environment,
        epochs: impl IntoIterator<Item = Commitment>,
    ) -> Result<Unlocked, Fault> {
        let epochs: BTreeSet<Commitment> = epochs.into_iter().collect();
        let keys = epochs
            .into_iter()
            .map(|epoch| Ok((epoch, self.epoch_key(environment, epoch)?)))
            .collect::<Result<_, Fault>>()?;
        Ok(Unlocked {
            vault: self.vault.root().vault,
            environment: environment.name.clone(),
            keys,
        })
    }

    /// Whether the data key of this epoch is sealed to the member.
    #[must_use]
    pub fn has_key(&self, environment: &EnvironmentName, epoch: &Commitment) -> bool {
        let keys = self.member.sealed.get(environment);
        keys.is_some_and(|keys| keys.contains_key(epoch))
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

    /// Opens the authority, with which an admin signs the root and the members' files.
    ///
    /// # Errors
    /// If the member is not an admin, or the sealed seed is not the authority's.
    pub fn authority(&self) -> Result<SigningKey, Fault> {
        let sealed = self.sealed_authority()?;
        self.seed(sealed, self.vault.root().vault.as_bytes(), "authority")
    }

    fn sealed_authority(&self) -> Result<&'a [u8], Fault> {
        self.member.authority.as_deref().ok_or_else(|| {
            let fault = Fault::locked(format!("{} is not an admin of this vault", self.name));
            let Ok(members) = self.vault.members() else {
                return fault;
            };
            let admins = members
                .counting
                .iter()
                .filter(|(_, member)| member.is_admin());
            let names: Vec<&str> = admins.map(|(name, _)| name.as_str()).collect();
            fault.hint(format!("ask an admin: {}", names.join(", ")))
        })
    }

    fn seed(&self, sealed: &[u8], public: &[u8; 32], what: &str) -> Result<SigningKey, Fault> {
        let refused = |reason: &str| {
            let reason = format!("the {what} sealed to {} {reason}", self.name);
            Fault::damaged_file(&member_path(self.name), reason)
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

    fn epoch_key(
        &self,
        environment: &Environment,
        commitment: Commitment,
    ) -> Result<EpochKey, Fault> {
        let name = &environment.name;
        let epoch = environment.epoch(&commitment);
        let own = epoch.and_then(|epoch| Some((epoch, self.member.sealed_key(name, epoch)?)));
        let (epoch, sealed) = own.ok_or_else(|| self.locked(environment, epoch))?;
        let number = epoch.number;
        let refused = |reason: &str| {
            let reason = format!(
                "the data key of epoch {number} of {name} sealed to {} {reason}",
                self.name
            );
            Fault::damaged_file(&member_path(self.name), reason)
        };
        let payload = self
            .identity
            .unseal(sealed)
            .map_err(|error| refused(reason(&error)))?;
        platform::lock_memory(payload.expose());
        let key = EpochKey::read(&payload, &self.vault.root().vault, name, &commitment)
            .ok_or_else(|| refused("is not the one it should be"))?;
        key.lock();
        Ok(key)
    }

    fn locked(&self, environment: &Environment, epoch: Option<&Epoch>) -> Fault {
        let name = &environment.name;
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
        if epoch.is_some_and(|epoch| epoch.commitment == environment.newest().commitment) {
            return Fault::locked(format!(
                "{} cannot read {name} yet: it was rotated on another branch",
                self.name
            ))
            .hint("ask an admin: `vault members sync`");
        }
        let number = epoch.map_or(0, |epoch| epoch.number);
        let message = format!("epoch {number} of {name} was never sealed to {}", self.name);
        Fault::locked(message).hint("ask an admin: `vault rotate --finish`")
    }
}

fn reason(error: &UnsealError) -> &'static str {
    match error {
        UnsealError::NotMine => "cannot be opened with that member's identity",
        UnsealError::Corrupt => "is damaged",
        UnsealError::NotAlone => "is not sealed to one recipient of the expected kind",
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
