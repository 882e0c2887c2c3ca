//! The parts of a vault as plain types, without text, files, or keys.
//!
//! A value of these types says nothing about whether it is genuine; [`super::trust`] does.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{EnvironmentName, MemberName, SecretName};
use crate::crypto::{Commitment, PublicKey, Recipient, VaultId};

/// The largest integer in a file. A double holds it exactly, so that every TOML reader can read it.
pub const LARGEST_NUMBER: u64 = (1 << 53) - 1;
/// The most entries of one environment.
pub const MOST_ENTRIES: usize = 20_000;
/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 1 << 20;
/// The largest file, in bytes.
pub const LARGEST_FILE: usize = 16 << 20;

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

/// An environment's epochs, each with its data key sealed to each member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Counts the changes of this file.
    pub revision: u64,
    /// Newest first, never empty, numbers strictly descending.
    pub epochs: Vec<Epoch>,
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

    /// The epoch of this number.
    #[must_use]
    pub fn epoch(&self, number: u64) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.number == number)
    }
}

/// One generation of an environment's data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// 1 for the first.
    pub number: u64,
    /// Fixes the data key.
    pub commitment: Commitment,
    /// For each member who may open it, an age file for that member alone.
    pub sealed: BTreeMap<MemberName, Vec<u8>>,
}

/// The signed list of members and of the environments' files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The vault's id.
    pub vault: VaultId,
    /// Counts the changes of this file.
    pub revision: u64,
    /// The revision at which access was last reduced.
    pub floor: u64,
    /// The environments' files.
    pub environments: BTreeMap<EnvironmentName, Listed>,
    /// The members.
    pub members: BTreeMap<MemberName, Member>,
    /// The former members.
    pub former: BTreeMap<MemberName, Former>,
}

/// An environment's file as the roster lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its revision.
    pub revision: u64,
    /// SHA-256 of all its bytes.
    pub sha256: [u8; 32],
}

/// A person or machine with a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The public key that this member's values are sealed to.
    pub recipient: Recipient,
    /// The member's access in each environment.
    pub access: BTreeMap<EnvironmentName, Access>,
    /// The key with which this member signs entries; for those who may write.
    pub signing: Option<Signing>,
    /// The authority's seed sealed to this member; for admins.
    pub authority: Option<Vec<u8>>,
    /// The floor in this machine's credential.
    pub credential_floor: Option<u64>,
    /// The access that this member lost.
    pub lost: BTreeMap<EnvironmentName, Lost>,
}

impl Member {
    /// A member with this recipient and no access yet.
    #[must_use]
    pub fn new(recipient: Recipient) -> Self {
        Self {
            recipient,
            access: BTreeMap::new(),
            signing: None,
            authority: None,
            credential_floor: None,
            lost: BTreeMap::new(),
        }
    }

    /// Whether this member changes membership.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.authority.is_some()
    }

    /// The public signing key, where this member may write in `environment`.
    #[must_use]
    pub fn signer_in(&self, environment: &EnvironmentName) -> Option<PublicKey> {
        match self.access.get(environment)? {
            Access::Write => self.signing.as_ref().map(|signing| signing.signer),
            Access::Read | Access::Names(_) => None,
        }
    }
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

/// The order of access. In all of it `None` means no access at all, which is less than a list of no
/// names: the latter has a sealed key in the environment, and taking it away takes a new epoch.
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

/// A former member, whose name is never reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The keys of epochs that were sealed to this member.
    pub recipient: Recipient,
    /// The public signing key, if there was one.
    pub signer: Option<PublicKey>,
    /// What this member could open.
    pub lost: BTreeMap<EnvironmentName, Lost>,
}

/// The access to an environment that someone had and lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The last epoch that was sealed to them.
    pub epoch: u64,
    /// The names that were lost, or `None` for all of them.
    pub names: Option<BTreeSet<SecretName>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No access, every list of the names A, B, and C, and the two kinds of full access.
    fn all_access() -> Vec<Option<Access>> {
        let names: Vec<SecretName> = ["A", "B", "C"].map(|name| name.parse().unwrap()).into();
        let lists = (0_usize..8).map(|bits| {
            let listed = names
                .iter()
                .enumerate()
                .filter(|(at, _)| bits >> at & 1 == 1);
            Some(Access::Names(
                listed.map(|(_, name)| name.clone()).collect(),
            ))
        });
        lists
            .chain([None, Some(Access::Read), Some(Access::Write)])
            .collect()
    }

    /// What access allows, one by one: to be sealed to at all, to read each name (D is in no
    /// list), and to write.
    fn rights(access: Option<&Access>) -> [bool; 6] {
        let reads = |name: &str| access.is_some_and(|access| access.reads(&name.parse().unwrap()));
        let writes = access == Some(&Access::Write);
        [
            access.is_some(),
            reads("A"),
            reads("B"),
            reads("C"),
            reads("D"),
            writes,
        ]
    }

    #[test]
    fn access_comparisons_agree_with_all_pairs_of_rights() {
        for before in all_access() {
            for after in all_access() {
                let (before, after) = (before.as_ref(), after.as_ref());
                let pairs: Vec<(bool, bool)> =
                    rights(before).into_iter().zip(rights(after)).collect();
                let is_covered = pairs.iter().all(|(had, has)| !had || *has);
                let is_loss = pairs[..5].iter().any(|(had, has)| *had && !has);
                assert_eq!(
                    Access::covers(after, before),
                    is_covered,
                    "{before:?} {after:?}"
                );
                assert_eq!(
                    Access::loses(before, after),
                    is_loss,
                    "{before:?} {after:?}"
                );
            }
        }
    }

    #[test]
    fn timestamp_is_valid_and_has_one_spelling() {
        for text in [
            "2026-11-23T10:11:12Z",
            "0001-01-01T00:00:00Z",
            "9998-12-31T23:59:59Z",
        ] {
            assert_eq!(Moment::parse(text).unwrap().as_str(), text);
        }
        let bad = [
            "0000-01-01T00:00:00Z",
            "9999-01-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-23T10:11:60Z",
            "2026-11-23T10:11:12.0Z",
            "2026-11-23t10:11:12z",
            "2026-11-23 10:11:12Z",
            "2026-11-23T10:11:12+00:00",
            "2026-11-23T10:11:12",
        ];
        for text in bad {
            assert!(Moment::parse(text).is_none(), "{text}");
        }
    }
}
