//! Whether everyone who knows the newest data key of an environment is a member who may.
//!
//! The root says to whom each newest epoch was sealed when it began. If one of these members is gone
//! without a new epoch, or their file is older than the root, then someone knows the key who does not
//! appear among the members; a new value must not be sealed with it.

use std::collections::BTreeSet;

use super::admin::interrupted;
use crate::fault::Fault;
use crate::vault::format::{MEMBERS, member_path};
use crate::vault::model::{Environment, Member};
use crate::vault::name::MemberName;
use crate::vault::trust::{Ignored, Vault};

/// Checks everyone to whom the newest epoch was sealed, their signatures as one.
///
/// # Errors
/// If one of them does not count as a member who knows it, or a former member's file holds the key.
pub(crate) fn check_given(vault: &Vault, environment: &Environment) -> Result<(), Fault> {
    let members = vault.members()?;
    let is_ahead = |name: &&MemberName| members.remarks.get(*name).is_some_and(|own| own.is_ahead);
    if let Some(name) = environment.given.iter().find(is_ahead) {
        return Err(interrupted(name));
    }
    match unaccounted(vault, environment)?.first() {
        Some(name) => Err(hidden(environment, name)),
        None => Ok(()),
    }
}

/// Those who know the newest data key and do not count as members who do, apart from those whose
/// revocation was interrupted.
///
/// # Errors
/// If the members cannot be read.
pub(crate) fn unaccounted(
    vault: &Vault,
    environment: &Environment,
) -> Result<Vec<MemberName>, Fault> {
    let members = vault.members()?;
    let holds = |member: &Member| {
        member
            .sealed_key(&environment.name, environment.newest())
            .is_some()
    };
    let is_member = |name: &MemberName| {
        let is_ahead = members.remarks.get(name).is_some_and(|own| own.is_ahead);
        is_ahead || members.counting.get(name).is_some_and(holds)
    };
    let hidden = environment.given.iter().filter(|name| !is_member(name));
    let former = members
        .ignored
        .iter()
        .filter(|(_, (member, reason))| *reason != Ignored::OtherTag && holds(member));
    let found: BTreeSet<&MemberName> = hidden.chain(former.map(|(name, _)| name)).collect();
    Ok(found.into_iter().cloned().collect())
}

/// Someone knows the newest data key who is not a member with access.
pub(crate) fn hidden(environment: &Environment, name: &MemberName) -> Fault {
    let environment = &environment.name;
    let reason = format!("{environment}'s key is known to {name}, who is not a member here");
    Fault::refused_file(MEMBERS, reason)
        .hint(format!(
            "put back the newer file: `git checkout -- .vault/{}`, or merge the branch with it",
            member_path(name)
        ))
        .hint(format!(
            "or remove {name}: `vault members remove {name}`, or make a new key: \
             `vault rotate -e {environment}`"
        ))
}
