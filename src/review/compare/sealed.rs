//! The data keys as they are sealed to each member: one whose bytes changed although the member and
//! the access stayed the same may be sealed to somebody else as well.

use std::collections::BTreeSet;

use super::roster::{Environments, Lineage, lineage};
use crate::vault::model::{Epoch, Roster};
use crate::vault::name::{EnvironmentName, MemberName};

/// What became of one sealed data key.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) struct Resealed {
    pub(in crate::review) environment: EnvironmentName,
    pub(in crate::review) epoch: u64,
    pub(in crate::review) member: MemberName,
    pub(in crate::review) change: SealedChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum SealedChange {
    /// The same key for the same member in other bytes.
    Replaced,
    /// It was not sealed to this member before.
    Added,
    /// It is no longer sealed to this member.
    Dropped,
}

/// Compares the sealed keys of the epochs that both sides have. A change that comes with another
/// recipient or other access is told there.
pub(in crate::review) fn resealed(
    rosters: (&Roster, &Roster),
    (old, new): (&Environments, &Environments),
) -> Vec<Resealed> {
    if lineage(rosters.0, rosters.1) == Lineage::NewAuthority {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, now) in new {
        let Some(before) = old.get(name) else { continue };
        for epoch in &now.epochs {
            let is_same =
                |old: &&Epoch| (old.number, old.commitment) == (epoch.number, epoch.commitment);
            let Some(before) = before.epochs.iter().find(is_same) else { continue };
            found.extend(epoch_changes(rosters, name, (before, epoch), now.newest().number));
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
        // Who gets access gets the newest key; nobody is ever added to an older one.
        let is_told = differs(rosters, environment, member)
            && (now.number == newest || change != SealedChange::Added);
        let (environment, member) = (environment.clone(), member.clone());
        (!is_told).then_some(Resealed { environment, epoch: now.number, member, change })
    });
    changes.collect()
}

/// Whether the roster gives the member another recipient, or other access here, than before.
fn differs((before, now): (&Roster, &Roster), name: &EnvironmentName, member: &MemberName) -> bool {
    let record = |roster: &Roster| {
        let member = roster.members.get(member)?;
        Some((member.recipient.clone(), member.access.get(name).cloned()))
    };
    record(before) != record(now)
}
