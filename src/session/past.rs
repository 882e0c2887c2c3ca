//! Facts about members in the commits of this clone: who had a name, which keys they signed with,
//! and who was given access that the vault here does not show.
//!
//! Only files that the authority of this vault signed are believed.

use std::collections::BTreeSet;

use super::open::Session;
use crate::crypto::{PublicKey, Recipient};
use crate::fault::{Fault, Kind};
use crate::git::{Repository, Version};
use crate::vault::format::{MEMBERS, member_path};
use crate::vault::history::past_member;
use crate::vault::model::{Access, LARGEST_MEMBER, Member};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::store::{Place, STORE_FOLDER};
use crate::vault::trust::Vault;

/// Checks that no commit of this clone has a member of this name with another key.
///
/// # Errors
/// If one has: it may be on a branch that is not merged here.
pub(crate) fn check_unused(
    session: &Session,
    name: &MemberName,
    recipient: &Recipient,
) -> Result<(), Fault> {
    let others = versions(session, name)?;
    if others.iter().all(|member| member.recipient == *recipient) {
        return Ok(());
    }
    Err(Fault::usage(format!(
        "the name {name} was given to someone else in a commit of this clone; names are never reused"
    ))
    .hint(format!(
        "see which commit: `git log --all --reflog -- {STORE_FOLDER}/{}`",
        member_path(name)
    ))
    .hint("choose another name"))
}

/// Every public key that `name` signed with in any commit of this clone.
///
/// # Errors
/// If git fails.
pub(crate) fn signers(session: &Session, name: &MemberName) -> Result<Vec<PublicKey>, Fault> {
    let members = versions(session, name)?;
    Ok(members.iter().filter_map(Member::signer).collect())
}

/// Whether any commit of this clone has a file of `name`.
///
/// # Errors
/// If git fails.
pub(crate) fn is_known(session: &Session, name: &MemberName) -> Result<bool, Fault> {
    Ok(!versions(session, name)?.is_empty())
}

/// The files of `name` from before a revocation that was interrupted, as the commits of this clone have
/// them: those with the tag that the root has for it.
///
/// # Errors
/// If git fails.
pub(crate) fn before_revocation(
    session: &Session,
    name: &MemberName,
) -> Result<Vec<Member>, Fault> {
    let tag = session.vault.root().tag_of(name);
    let mut members = versions(session, name)?;
    members.retain(|member| member.revocation == tag);
    Ok(members)
}

/// The files of `name` in all commits of this clone. None without git.
fn versions(session: &Session, name: &MemberName) -> Result<Vec<Member>, Fault> {
    let members = signed(&session.vault, &session.place, &member_path(name))?;
    Ok(members.into_iter().map(|(_, member)| member).collect())
}

/// Access that a commit of this clone gives to someone who does not have it here: the newest data key of
/// an environment, or the authority. They have the key if they have the commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) member: MemberName,
    /// The environment, or `None` for the authority.
    pub(crate) environment: Option<EnvironmentName>,
}

impl Grant {
    /// What ends it.
    pub(crate) fn remedy(&self) -> String {
        match &self.environment {
            Some(environment) => {
                format!("vault members set {} -e {environment}=none", self.member)
            }
            None => "vault rotate --authority".to_owned(),
        }
    }
}

/// Searches the commits of this clone for grants that the vault here does not show, for example on a
/// branch that is not merged, or was abandoned.
///
/// # Errors
/// If git fails, or the members cannot be read.
pub(crate) fn unmerged_grants(vault: &Vault, place: &Place) -> Result<Vec<Grant>, Fault> {
    let members = &vault.members()?.counting;
    let mut grants = BTreeSet::new();
    for (name, past) in signed(vault, place, MEMBERS)? {
        let mut now = members.values();
        let now = now.find(|member| member.recipient == past.recipient);
        if past.is_admin() && !now.is_some_and(Member::is_admin) {
            grants.insert(Grant {
                member: name.clone(),
                environment: None,
            });
        }
        for (place, environment) in &vault.root().environments {
            if past.sealed_key(place, environment.newest()).is_none() {
                continue;
            }
            let access = now.and_then(|member| member.access.get(place));
            if access.is_none() || Access::loses(past.access.get(place), access) {
                grants.insert(Grant {
                    member: name.clone(),
                    environment: Some(place.clone()),
                });
            }
        }
    }
    Ok(grants.into_iter().collect())
}

/// The members' files at or below `path` in all commits of this clone that the authority signed. None
/// without git.
pub(super) fn signed(
    vault: &Vault,
    place: &Place,
    path: &str,
) -> Result<Vec<(MemberName, Member)>, Fault> {
    let repository = match Repository::open(place.folder()) {
        Err(fault) if fault.kind() == Kind::Refused => return Err(fault),
        Err(_) => return Ok(Vec::new()),
        Ok(repository) => repository,
    };
    let versions = repository.versions(&format!("{STORE_FOLDER}/{path}"))?;
    let name = |version: &Version| -> Option<MemberName> {
        let file = version.path.rsplit('/').next()?;
        file.strip_suffix(".toml")?.parse().ok()
    };
    let files = versions
        .iter()
        .filter_map(|version| Some((name(version)?, version)));
    let (names, versions): (Vec<MemberName>, Vec<&Version>) = files.unzip();
    let id = vault.root().vault;
    let Some(authority) = id.authority() else {
        return Ok(Vec::new());
    };
    let mut members = Vec::new();
    repository.read_each(&versions, LARGEST_MEMBER, &mut |at, file| {
        let member = past_member(&names[at], &file, &id, authority);
        members.extend(member.map(|member| (names[at].clone(), member)));
    })?;
    Ok(members)
}
