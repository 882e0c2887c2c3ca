//! The root after a merge: revocations, former members, and epochs. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Which;
use crate::crypto::{Commitment, Tag};
use crate::vault::model::{Environment, Epoch, Former, Lost, Reduced, Root};
use crate::vault::name::{EnvironmentName, MemberName};

/// The root that both sides give, before members are decided on.
pub(super) struct United {
    pub(super) root: Root,
    /// Environments in which both sides started an epoch, or one side made the environment again.
    pub(super) epochs: BTreeSet<EnvironmentName>,
    /// Environments that one side removed.
    pub(super) removed: BTreeSet<EnvironmentName>,
    /// Environments that one side made again: only its epochs count, and only its entries.
    pub(super) recreated: BTreeMap<EnvironmentName, Which>,
    /// Whether neither list of revocations contains the other.
    pub(super) has_parted: bool,
}

/// Unites two roots that come from `base`.
pub(super) fn unite(base: &Root, ours: &Root, theirs: &Root) -> United {
    let contains = |long: &[Tag], short: &[Tag]| short.iter().all(|tag| long.contains(tag));
    let mut revocations = ours.revocations.clone();
    let more = theirs.revocations.iter();
    revocations.extend(more.filter(|tag| !ours.revocations.contains(tag)));
    // Someone may have said yes to two sides that lack one.
    let old: Vec<Tag> = base.revocations.clone();
    let lacking = old.into_iter().filter(|tag| !revocations.contains(tag));
    let lacking: Vec<Tag> = lacking.collect();
    revocations.extend(lacking);
    let mut united = United {
        has_parted: !contains(&ours.revocations, &theirs.revocations)
            && !contains(&theirs.revocations, &ours.revocations),
        root: Root {
            vault: ours.vault,
            revision: ours.revision.max(theirs.revision) + 1,
            revocations,
            environments: BTreeMap::new(),
            members: BTreeMap::new(),
            former: BTreeMap::new(),
        },
        epochs: BTreeSet::new(),
        removed: BTreeSet::new(),
        recreated: BTreeMap::new(),
    };
    let names: BTreeSet<&EnvironmentName> = ours
        .environments
        .keys()
        .chain(theirs.environments.keys())
        .collect();
    for name in names {
        let sides = [base, ours, theirs].map(|root| root.environments.get(name));
        united.add(name, sides);
    }
    unite_people(&mut united.root, base, ours, theirs);
    united
}

impl United {
    fn add(&mut self, name: &EnvironmentName, [base, ours, theirs]: [Option<&Environment>; 3]) {
        let is_again = |side: &Environment| base.is_some_and(|base| is_again(side, base));
        let environment = match (ours, theirs) {
            (Some(ours), Some(theirs)) if is_again(ours) && !is_again(theirs) => {
                self.recreated.insert(name.clone(), Which::Ours);
                self.epochs.insert(name.clone());
                ours.clone()
            }
            (Some(ours), Some(theirs)) if is_again(theirs) && !is_again(ours) => {
                self.recreated.insert(name.clone(), Which::Theirs);
                self.epochs.insert(name.clone());
                theirs.clone()
            }
            // So that epochs that one side forgot stay forgotten.
            (Some(ours), Some(theirs)) if base == Some(ours) => theirs.clone(),
            (Some(ours), Some(theirs)) if base == Some(theirs) => ours.clone(),
            (Some(ours), Some(theirs)) => {
                let newest = |side: &Environment| side.newest().commitment;
                let old = base.map(newest);
                let is_started = |side: &Environment| Some(newest(side)) != old;
                if is_started(ours) && is_started(theirs) && newest(ours) != newest(theirs) {
                    self.epochs.insert(name.clone());
                }
                both(ours, theirs)
            }
            (Some(_), None) | (None, Some(_)) if base.is_some() => {
                self.removed.insert(name.clone());
                return;
            }
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => return,
        };
        self.root.environments.insert(name.clone(), environment);
    }
}

/// Whether `new` was made again after `old` was removed: none of its epochs is one of `old`.
pub(super) fn is_again(new: &Environment, old: &Environment) -> bool {
    let mut epochs = new.epochs.iter();
    !epochs.any(|epoch| old.epoch(&epoch.commitment).is_some())
}

/// The epochs of both, newest first.
pub(super) fn both(ours: &Environment, theirs: &Environment) -> Environment {
    let all: BTreeMap<Commitment, Epoch> = ours
        .epochs
        .iter()
        .chain(&theirs.epochs)
        .map(|epoch| (epoch.commitment, *epoch))
        .collect();
    let mut epochs: Vec<Epoch> = all.into_values().collect();
    epochs.sort_by_cached_key(Epoch::place);
    let newest = epochs.first().map(|epoch| epoch.commitment);
    let is_newest = |side: &&&Environment| Some(side.newest().commitment) == newest;
    let side = [ours, theirs]
        .iter()
        .find(is_newest)
        .map_or(ours, |side| *side);
    Environment {
        name: ours.name.clone(),
        epochs,
        given: side.given.clone(),
    }
}

/// Former members and losses of both sides. A former member of one side is a former member.
fn unite_people(root: &mut Root, base: &Root, ours: &Root, theirs: &Root) {
    root.former.clone_from(&ours.former);
    for (name, former) in theirs.former.iter().chain(&base.former) {
        let Some(own) = root.former.get_mut(name) else {
            root.former.insert(name.clone(), former.clone());
            continue;
        };
        own.lost = united(&own.lost, &former.lost);
        let is_other = |own: Option<[u8; 32]>, other: Option<[u8; 32]>| {
            own.is_some() && other.is_some() && own != other
        };
        if is_other(own.recipient, former.recipient) || is_other(own.signer, former.signer) {
            let second = Former {
                lost: BTreeMap::new(),
                ..former.clone()
            };
            let name = name.owner();
            let mut count = 1;
            while root
                .former
                .get(&name.until(count))
                .is_some_and(|own| *own != second)
            {
                count += 1;
            }
            root.former.insert(name.until(count), second);
        } else {
            own.recipient = own.recipient.or(former.recipient);
            own.signer = own.signer.or(former.signer);
        }
    }
    let names: BTreeSet<&MemberName> = ours.members.keys().chain(theirs.members.keys()).collect();
    let nothing = Reduced::default();
    for name in names {
        let own = |root: &Root| root.members.get(name).cloned();
        let (old, one, two) = (own(base), own(ours), own(theirs));
        let (one, two) = (
            one.unwrap_or_else(|| nothing.clone()),
            two.unwrap_or_else(|| nothing.clone()),
        );
        let lost = united(&one.lost, &two.lost);
        if let Some(former) = root.former.get_mut(name) {
            former.lost = united(&former.lost, &lost);
            continue;
        }
        // If both changed it, the later one, or else the member's file decides on a new one.
        let before = old.and_then(|old| old.revocation);
        let is_later =
            one.revocation != before && two.revocation.is_some_and(|tag| ours.lists(tag));
        let is_ours = two.revocation == before || is_later;
        let revocation = if is_ours {
            one.revocation
        } else {
            two.revocation
        };
        root.members
            .insert(name.clone(), Reduced { revocation, lost });
    }
}

/// Losses of both sides.
pub(super) fn united(
    one: &BTreeMap<EnvironmentName, Lost>,
    two: &BTreeMap<EnvironmentName, Lost>,
) -> BTreeMap<EnvironmentName, Lost> {
    let mut united = one.clone();
    for (environment, lost) in two {
        let both = one.get(environment).map(|own| own.with(lost));
        united.insert(environment.clone(), both.unwrap_or_else(|| lost.clone()));
    }
    united
}
