//! Data keys as they are sealed to each member. If the bytes changed although the member and the
//! access are the same, the key may also be sealed to someone else.

use super::root::{Lineage, lineage};
use crate::vault::model::Membership;
use crate::vault::name::{EnvironmentName, MemberName};

/// The change of one sealed data key.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) struct Resealed {
    pub(in crate::review) environment: EnvironmentName,
    pub(in crate::review) epoch: u64,
    pub(in crate::review) member: MemberName,
    pub(in crate::review) change: SealedChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum SealedChange {
    /// The same key was sealed to the same member again.
    Replaced,
    /// It was not sealed to this member before.
    Added,
    /// It is no longer sealed to this member.
    Dropped,
}

/// Compares the sealed keys of those who are members in both vaults, for the epochs that both have. A
/// change that results from another recipient or other access is reported there.
pub(in crate::review) fn resealed(before: &Membership, now: &Membership) -> Vec<Resealed> {
    if lineage(&before.root, &now.root) == Lineage::NewAuthority {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, new) in &now.members {
        let Some(old) = before.members.get(name) else {
            continue;
        };
        for (place, environment) in &now.root.environments {
            let is_unchanged =
                old.recipient == new.recipient && old.access.get(place) == new.access.get(place);
            let known = before.root.environments.get(place);
            let known = known.filter(|_| is_unchanged);
            for epoch in &environment.epochs {
                if known.is_none_or(|known| known.epoch(&epoch.commitment).is_none()) {
                    continue;
                }
                let change = match (old.sealed_key(place, epoch), new.sealed_key(place, epoch)) {
                    (Some(old), Some(new)) if old != new => SealedChange::Replaced,
                    (None, Some(_)) => SealedChange::Added,
                    (Some(_), None) => SealedChange::Dropped,
                    _ => continue,
                };
                found.push(Resealed {
                    environment: place.clone(),
                    epoch: epoch.number,
                    member: name.clone(),
                    change,
                });
            }
        }
    }
    found
}
