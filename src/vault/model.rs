//! The parts of a vault as plain types, without text, files, or keys.
//!
//! A value of these types says nothing about whether it is genuine; [`super::trust`] does.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{EnvironmentName, MemberName, SecretName};
use crate::crypto::{Commitment, PublicKey, Recipient, Tag, VaultId, base64_encode};

/// The largest integer in a file. A double holds it exactly, so that every TOML reader can read it.
pub const LARGEST_NUMBER: u64 = (1 << 53) - 1;
/// The most entries of one environment.
pub const MOST_ENTRIES: usize = 20_000;
/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 1 << 20;
/// The largest root, in bytes.
pub const LARGEST_ROOT: usize = 16 << 20;
/// The largest file of a member, in bytes.
pub const LARGEST_MEMBER: usize = 1 << 20;
/// The most members.
pub const MOST_MEMBERS: usize = 2000;

/// A point in time as the files spell it: UTC, whole seconds, `2026-11-23T10:11:12Z`. It informs;
/// no decision rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(String);

impl Moment {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        let now = jiff::Timestamp::now().as_second();
        Self(
            jiff::Timestamp::from_second(now)
                .unwrap_or_default()
                .to_string(),
        )
    }

    /// Reads the one spelling, or nothing; years are 0001 to 9998, which every library knows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        let plain = moment.to_string() == text && text.len() == 20;
        (plain && ("0001".."9999").contains(&&text[..4])).then(|| Self(text.to_owned()))
    }

    /// The one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The file that holds one secret, or, as a tombstone, says that it was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The epoch that seals it now.
    pub epoch: u64,
    /// The epoch in which this value was first sealed; kept by a rotation.
    pub origin: u64,
    /// Counts the changes of this name, tombstones included, and never restarts.
    pub revision: u64,
    /// The time at which the value was chosen.
    pub changed: Moment,
    /// Who chose the value.
    pub author: MemberName,
    /// Who signed the file.
    pub signer: MemberName,
    /// The sealed value, or `None` in a tombstone.
    pub sealed: Option<Vec<u8>>,
}

/// An environment's epochs, as the root lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Newest first, never empty. Numbers never rise; two branches may have started the same one.
    pub epochs: Vec<Epoch>,
    /// Whom the newest epoch was sealed to when it began.
    pub given: BTreeSet<MemberName>,
}

impl Environment {
    /// The epoch that seals new values.
    ///
    /// # Panics
    /// Never: the format admits no environment without an epoch.
    #[must_use]
    pub fn newest(&self) -> &Epoch {
        self.epochs.first().expect("an environment has an epoch")
    }

    /// The epochs of this number: usually one.
    pub fn numbered(&self, number: u64) -> impl Iterator<Item = &Epoch> {
        self.epochs
            .iter()
            .filter(move |epoch| epoch.number == number)
    }

    /// The epoch with this commitment.
    #[must_use]
    pub fn epoch(&self, commitment: &Commitment) -> Option<&Epoch> {
        self.epochs
            .iter()
            .find(|epoch| epoch.commitment == *commitment)
    }
}

/// One generation of an environment's data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// 1 for the first.
    pub number: u64,
    /// Fixes the data key, and names the epoch.
    pub commitment: Commitment,
}

impl Epoch {
    /// Sorts epochs as the root lists them: newest first, and equal numbers by the text of their
    /// commitments.
    #[must_use]
    pub fn place(&self) -> (u64, String) {
        (u64::MAX - self.number, base64_encode(&self.commitment.0))
    }
}

/// The file that changes only if something is revoked, or an environment is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The vault's id.
    pub vault: VaultId,
    /// Counts the changes of this file.
    pub revision: u64,
    /// One tag per revocation, oldest first. Nothing is ever removed or reordered.
    pub revocations: Vec<Tag>,
    /// The environments.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// The members who lost something.
    pub members: BTreeMap<MemberName, Reduced>,
    /// The former members.
    pub former: BTreeMap<MemberName, Former>,
}

impl Root {
    /// The tag of the latest revocation, or [`Tag::NONE`].
    #[must_use]
    pub fn latest(&self) -> Tag {
        self.revocations.last().copied().unwrap_or(Tag::NONE)
    }

    /// Whether it lists this revocation. It always knows [`Tag::NONE`].
    #[must_use]
    pub fn lists(&self, tag: Tag) -> bool {
        tag.is_none() || self.revocations.contains(&tag)
    }

    /// The tag of the latest revocation in which the file of `name` changed.
    #[must_use]
    pub fn tag_of(&self, name: &MemberName) -> Option<Tag> {
        self.members.get(name)?.revocation
    }

    /// Everything that anyone lost, whether they are still a member or not.
    pub fn losses(&self) -> impl Iterator<Item = (&MemberName, &BTreeMap<EnvironmentName, Lost>)> {
        let members = self.members.iter().map(|(name, own)| (name, &own.lost));
        members.chain(self.former.iter().map(|(name, own)| (name, &own.lost)))
    }
}

/// The losses of a current member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// The tag of the latest revocation in which their file changed.
    pub revocation: Option<Tag>,
    /// The access that they had and no longer have.
    pub lost: BTreeMap<EnvironmentName, Lost>,
}

/// A person or machine with a recipient: what their file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Counts the changes of this file.
    pub revision: u64,
    /// The tag of their latest revocation, as the root has it or will have it.
    pub revocation: Option<Tag>,
    /// The tag before it.
    pub replaces: Option<Tag>,
    /// The public key that this member's values are sealed to.
    pub recipient: Recipient,
    /// The key with which this member signs entries; for those who may write.
    pub signing: Option<Signing>,
    /// The authority's seed sealed to this member; for admins.
    pub authority: Option<Vec<u8>>,
    /// The last revocation that this machine's credential knows, or [`Tag::NONE`].
    pub credential: Option<Tag>,
    /// The member's access in each environment.
    pub access: BTreeMap<EnvironmentName, Access>,
    /// The data keys, each sealed to this member, by the commitment of their epoch.
    pub sealed: BTreeMap<EnvironmentName, BTreeMap<Commitment, Vec<u8>>>,
}

impl Member {
    /// A member with this recipient and no access yet.
    #[must_use]
    pub fn new(recipient: Recipient) -> Self {
        Self {
            revision: 1,
            revocation: None,
            replaces: None,
            recipient,
            signing: None,
            authority: None,
            credential: None,
            access: BTreeMap::new(),
            sealed: BTreeMap::new(),
        }
    }

    /// Whether this member changes membership.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.authority.is_some()
    }

    /// The public signing key, if there is one.
    #[must_use]
    pub fn signer(&self) -> Option<PublicKey> {
        self.signing.as_ref().map(|signing| signing.signer)
    }

    /// The public signing key, where this member may write in `environment`.
    #[must_use]
    pub fn signer_in(&self, environment: &EnvironmentName) -> Option<PublicKey> {
        match self.access.get(environment)? {
            Access::Write => self.signer(),
            Access::Read | Access::Names(_) => None,
        }
    }

    /// The data key of an epoch of `environment` as it is sealed to this member.
    #[must_use]
    pub fn sealed_key(&self, environment: &EnvironmentName, epoch: &Epoch) -> Option<&[u8]> {
        let keys = self.sealed.get(environment)?;
        keys.get(&epoch.commitment).map(Vec::as_slice)
    }
}

/// The root with every member whose file counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The root.
    pub root: Root,
    /// The members.
    pub members: BTreeMap<MemberName, Member>,
}

/// A member's access to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read and change every secret.
    Write,
    /// Read every secret.
    Read,
    /// Read these secrets; the keys of no other name are sealed to the member.
    Names(BTreeSet<SecretName>),
}

/// The order of access. Everywhere here, `None` means no access at all, which is less than a list
/// of no names: the latter has a sealed key in the environment, and taking it away takes a new
/// epoch.
impl Access {
    /// Whether this includes the right to read the secret `name`.
    #[must_use]
    pub fn reads(&self, name: &SecretName) -> bool {
        match self {
            Self::Write | Self::Read => true,
            Self::Names(names) => names.contains(name),
        }
    }

    /// Whether `access` allows everything that `other` allows.
    #[must_use]
    pub fn covers(access: Option<&Self>, other: Option<&Self>) -> bool {
        match (access, other) {
            (_, None) | (Some(Self::Write), _) => true,
            (Some(Self::Read), Some(other)) => *other != Self::Write,
            (Some(Self::Names(names)), Some(Self::Names(other))) => other.is_subset(names),
            (None | Some(Self::Names(_)), Some(_)) => false,
        }
    }

    /// Whether a member whose access changes from `before` to `after` loses something to read.
    #[must_use]
    pub fn loses(before: Option<&Self>, after: Option<&Self>) -> bool {
        let read = |access: Option<&Self>| match access {
            Some(Self::Write) => Some(Self::Read),
            other => other.cloned(),
        };
        !Self::covers(read(after).as_ref(), read(before).as_ref())
    }
}

/// A member's signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The public half.
    pub signer: PublicKey,
    /// The seed sealed to the member.
    pub seed: Vec<u8>,
}

/// The record that someone asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As whom.
    pub name: MemberName,
    /// In which vault.
    pub vault: VaultId,
    /// The public key that their values are sealed to.
    pub recipient: Recipient,
    /// The key with which they will sign entries.
    pub signing: Signing,
}

/// A former member, whose name and keys never come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Former {
    /// SHA-256 of the recipient's text. `None` if no signed file was at hand, or another member has
    /// that key.
    pub recipient: Option<[u8; 32]>,
    /// SHA-256 of the public signing key's bytes, if there was one.
    pub signer: Option<[u8; 32]>,
    /// What this member could open.
    pub lost: BTreeMap<EnvironmentName, Lost>,
}

/// The access to an environment that someone had and lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The highest number of an epoch that they could open.
    pub epoch: u64,
    /// The names that were lost, or `None` for all of them.
    pub names: Option<BTreeSet<SecretName>>,
}

#[cfg(test)]
mod tests;
