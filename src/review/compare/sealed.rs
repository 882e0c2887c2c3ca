//! Data keys as they are sealed to each member. If the bytes changed although the member and the
//! access are the same, the key may also be sealed to someone else.

use std::collections::BTreeSet;

use super::roster::{Environments, Lineage, lineage};
use crate::vault::model::{Epoch, Roster};
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

/// Compares the sealed keys of the epochs that both vaults have. A change that results from another
/// recipient or other access is reported there.
pub(in crate::review) fn resealed(
    rosters: (&Roster, &Roster),
    (old, new): (&Environments, &Environments),
) -> Vec<Resealed> {
    if lineage(rosters.0, rosters.1) == Lineage::NewAuthority {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, now) in new {
        let Some(before) = old.get(name) else {
            continue;
        };
        for epoch in &now.epochs {
            let is_same =
                |old: &&Epoch| (old.number, old.commitment) == (epoch.number, epoch.commitment);
            let Some(before) = before.epochs.iter().find(is_same) else {
                continue;
            };
            found.extend(epoch_changes(
                rosters,
                name,
                (before, epoch),
                now.newest().number,
            ));
        }
    }
    found
}

fn epoch_changes(
    rosters: (&Roster, &Roster),
    environment: &EnvironmentName,
    (before, now): (&Epoch, &Epoch),
    newest: u64,
) -> Vec<Resealed> {
    let members: BTreeSet<&MemberName> = before.sealed.keys().chain(now.sealed.keys()).collect();
    let changes = members.into_iter().filter_map(|member| {
        let change = match (before.sealed.get(member), now.sealed.get(member)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(_)) => SealedChange::Replaced,
            (None, _) => SealedChange::Added,
            (_, None) => SealedChange::Dropped,
        };
        // A member with new access gets the newest key only; no one is ever added to an older one.
        let is_reported = differs(rosters, environment, member)
            && (now.number == newest || change != SealedChange::Added);
        let (environment, member) = (environment.clone(), member.clone());
        (!is_reported).then_some(Resealed {
            environment,
            epoch: now.number,
            member,
            change,
        })
    });
    changes.collect()
}

/// Whether the member's recipient, or their access here, differs between the rosters.
fn differs((before, now): (&Roster, &Roster), name: &EnvironmentName, member: &MemberName) -> bool {
    let record = |roster: &Roster| {
        let member = roster.members.get(member)?;
        Some((member.recipient.clone(), member.access.get(name).cloned()))
    };
    record(before) != record(now)
}
