//! Who would have access again, or know a key, if a root took the place of a newer one.
//!
//! Compares the root here with one that lists more: everything that the newer one does not give counts,
//! whether it was taken there or never given. Pure, and careful: two epochs with the same number may
//! be different ones, and count as the same.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Access, Environment, Lost, Member, Membership};
use super::name::{EnvironmentName, MemberName};

/// Those who would, each with the environments concerned. There are none if they would only be admins.
pub type Regained = BTreeMap<MemberName, BTreeSet<EnvironmentName>>;

/// Returns everyone but the caller, whose recipient has the digest `own`. `files` are signed files of members from
/// anywhere, which show who knows a key.
#[must_use]
pub fn regained(
    here: &Membership,
    newer: &Membership,
    files: &[(MemberName, Member)],
    own: Option<&[u8; 32]>,
) -> Regained {
    let mut found = Regained::new();
    for (name, member) in &here.members {
        if is_own(member, own) {
            continue;
        }
        let now = newer.members.get(name).filter(|now| has_keys(now, member));
        let covers = |place: &EnvironmentName, access| {
            Access::covers(now.and_then(|now| now.access.get(place)), Some(access))
        };
        let taken = member.access.iter().filter(|(own, it)| !covers(own, it));
        let taken: Vec<EnvironmentName> = taken.map(|(place, _)| place.clone()).collect();
        let is_new_admin = member.is_admin() && !now.is_some_and(Member::is_admin);
        if is_new_admin || !taken.is_empty() {
            found.entry(name.clone()).or_default().extend(taken);
        }
    }
    for environment in here.root.environments.values() {
        for name in knowing(here, newer, files, own, environment) {
            let places = found.entry(name).or_default();
            places.insert(environment.name.clone());
        }
    }
    found
}

fn is_own(member: &Member, own: Option<&[u8; 32]>) -> bool {
    own.is_some_and(|own| member.recipient.digest() == *own)
}

/// Whether `now` still has the keys of `member`.
fn has_keys(now: &Member, member: &Member) -> bool {
    let is_signer = member.signer().is_none() || member.signer() == now.signer();
    now.recipient == member.recipient && is_signer
}

/// Everyone who knows the newest data key of `environment`, and cannot read there in `newer`.
fn knowing(
    here: &Membership,
    newer: &Membership,
    files: &[(MemberName, Member)],
    own: Option<&[u8; 32]>,
    environment: &Environment,
) -> BTreeSet<MemberName> {
    let (place, newest) = (&environment.name, environment.newest());
    let access = |name: &MemberName| newer.members.get(name)?.access.get(place);
    let keys = |name: &MemberName| {
        let former = newer.root.former.get(name).and_then(|own| own.recipient);
        let members = [&newer.members, &here.members].into_iter();
        let mut members = members.filter_map(|members| members.get(name));
        former.or_else(|| members.next().map(|own| own.recipient.digest()))
    };
    let given = environment.given.iter();
    let given = given.filter(|name| access(name).is_none());
    // The newer root says who lost this epoch, or one with its number.
    let lost = newer.root.losses().filter(|(name, lost)| {
        let lost = lost.get(place);
        lost.is_some_and(|lost| lost.epoch >= newest.number && !has_again(access(name), lost))
    });
    let named = given.chain(lost.map(|(name, _)| name));
    let named = named.filter(|name| own.is_none() || keys(name).as_ref() != own);
    // A replaced key goes by the name that it has here.
    let by_key = |name: &MemberName| {
        let keys = keys(name)?;
        let mut members = here.members.iter();
        let found = members.find(|(_, member)| member.recipient.digest() == keys)?;
        Some(found.0.clone())
    };
    let named = named.map(|name| by_key(name).unwrap_or_else(|| name.clone()));
    let reads = |member: &Member| {
        let before = member.access.get(place);
        let mut same = newer.members.values();
        same.any(|now| {
            let access = now.access.get(place);
            now.recipient == member.recipient && access.is_some() && !Access::loses(before, access)
        })
    };
    let holding = files.iter().filter(|(_, member)| {
        member.sealed_key(place, newest).is_some() && !is_own(member, own) && !reads(member)
    });
    named.chain(holding.map(|(name, _)| name.clone())).collect()
}

/// Whether `access` gives back what was lost.
fn has_again(access: Option<&Access>, lost: &Lost) -> bool {
    let before = lost.names.clone().map_or(Access::Read, Access::Names);
    Access::covers(access, Some(&before))
}

#[cfg(test)]
mod tests;
