//! The effect of a change on members: who loses what.
//!
//! Whatever someone could read, sign, or decide stays in git history together with the keys to it.
//! Taking them off a list is therefore not enough. A loss names what must be sealed and signed again.
//! Pure: compares two states of the membership and knows no keys.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Access, Former, Lost, Member, Membership, Root};
use super::name::{EnvironmentName, MemberName, SecretName};
use crate::crypto::{PublicKey, Recipient};

/// What members can no longer do after a change.
#[derive(Default)]
pub struct Loss {
    /// Who loses anything.
    pub members: BTreeSet<MemberName>,
    /// Where someone can no longer read what they could: a new epoch is due there.
    pub readable: BTreeSet<EnvironmentName>,
    /// Whose signatures no longer count, and where: these entries must be signed again.
    pub signatures: BTreeMap<EnvironmentName, BTreeSet<MemberName>>,
    /// Whether someone who could open the authority no longer may: there must be a new one.
    pub authority: bool,
}

impl Loss {
    /// The loss if `after` takes the place of `before`.
    #[must_use]
    pub fn between(before: &Membership, after: &Membership) -> Self {
        let mut loss = Self::default();
        for (name, member) in &before.members {
            let same = after.same(name, member);
            if member.is_admin() && !same.is_some_and(Member::is_admin) {
                loss.authority = true;
                loss.members.insert(name.clone());
            }
            let is_replaced = |new: &Member| {
                new.recipient != member.recipient
                    || (member.signing.is_some() && new.signer() != member.signer())
            };
            if after.members.get(name).is_some_and(is_replaced) {
                loss.members.insert(name.clone());
            }
            for environment in after.root.environments.keys() {
                if loses(member, same, environment) {
                    loss.readable.insert(environment.clone());
                    loss.members.insert(name.clone());
                }
                let signer = member.signer_in(environment);
                let now = after
                    .members
                    .get(name)
                    .and_then(|new| new.signer_in(environment));
                if signer.is_some() && signer != now {
                    loss.signatures
                        .entry(environment.clone())
                        .or_default()
                        .insert(name.clone());
                    loss.members.insert(name.clone());
                }
            }
        }
        loss
    }
}

/// Whether a member, now `after`, can no longer read something in `environment`.
fn loses(before: &Member, after: Option<&Member>, environment: &EnvironmentName) -> bool {
    let now = after.and_then(|after| after.access.get(environment));
    Access::loses(before.access.get(environment), now)
}

impl Membership {
    /// Takes from the members what `before` had sealed to them and they can no longer open: the keys
    /// of environments in which they lost something, and everything that is sealed to an old
    /// recipient.
    pub fn drop_lost_keys(&mut self, before: &Self) {
        for (name, member) in &mut self.members {
            let access = &member.access;
            let Some(old) = before.members.get(name) else {
                continue;
            };
            let is_same = old.recipient == member.recipient;
            let keeps = |environment: &EnvironmentName| {
                let (from, to) = (old.access.get(environment), access.get(environment));
                is_same && to.is_some() && !Access::loses(from, to)
            };
            member.sealed.retain(|environment, _| keeps(environment));
        }
    }

    /// The member who has this name and the recipient of `member`. Someone with another recipient
    /// is someone else: the old identity may be in any hands.
    fn same(&self, name: &MemberName, member: &Member) -> Option<&Member> {
        self.members
            .get(name)
            .filter(|new| new.recipient == member.recipient)
    }

    /// Takes `name` off the members. The name and its keys stay among the former.
    pub fn dismiss(&mut self, name: &MemberName) {
        let member = self.members.remove(name);
        let lost = self.root.members.remove(name).map(|own| own.lost);
        let former = self.former(member.as_ref(), lost.unwrap_or_default());
        self.root.former.insert(name.clone(), former);
    }

    /// Keeps the keys that `name` has now among the former ones, before others take their place:
    /// anyone may hold them, and knows everything that they opened.
    pub fn retire_keys(&mut self, name: &MemberName) {
        if !self.members.contains_key(name) {
            return;
        }
        let reduced = self.root.members.get_mut(name);
        let lost = reduced.map(|own| std::mem::take(&mut own.lost));
        // The keys are the member's own until the change is complete.
        let own = self.members.remove(name);
        let former = self.former(own.as_ref(), lost.unwrap_or_default());
        self.members.extend(own.map(|own| (name.clone(), own)));
        self.root.former.insert(self.free_name(name), former);
    }

    /// Keeps the keys of `old` among the former ones: those that `name` had before they were replaced,
    /// and everything that they could open in `before`.
    pub fn retire(&mut self, before: &Self, name: &MemberName, old: &Member) {
        if self.root.former_with(old).is_some() {
            return;
        }
        let reduced = self.root.members.get_mut(name);
        let earlier = reduced.map(|own| std::mem::take(&mut own.lost));
        let mut former = self.former(Some(old), earlier.unwrap_or_default());
        for (environment, access) in &old.access {
            let Some(epoch) = before.root.highest_open(old, environment) else {
                continue;
            };
            let names = taken(access, None);
            let lost = Lost { epoch, names };
            let known = former.lost.get(environment);
            let united = known.map_or(lost.clone(), |known| known.with(&lost));
            former.lost.insert(environment.clone(), united);
        }
        self.root.former.insert(self.free_name(name), former);
    }

    /// Keeps the keys of `member`, which `name` does not get, among the former ones.
    pub fn retire_unused(&mut self, name: &MemberName, member: &Member) {
        let former = self.former(Some(member), BTreeMap::new());
        if former.recipient.is_some() || former.signer.is_some() {
            self.root.former.insert(self.free_name(name), former);
        }
    }

    fn former(&self, member: Option<&Member>, lost: BTreeMap<EnvironmentName, Lost>) -> Former {
        let recipient = member.map(|member| &member.recipient);
        let signer = member.and_then(Member::signer);
        let mut others = self.members.values();
        let is_shared = others.any(|other| Some(&other.recipient) == recipient);
        let mut others = self.members.values();
        let is_signer_shared = others.any(|other| other.signer() == signer);
        Former {
            recipient: recipient.filter(|_| !is_shared).map(Recipient::digest),
            signer: signer
                .filter(|_| !is_signer_shared)
                .map(|own| PublicKey::digest(&own)),
            lost,
        }
    }

    /// The record of the keys that `name` had in `before` and no longer has: under its own name if it is
    /// no longer a member, or else under that of its replaced keys.
    fn former_of(&self, before: &Self, name: &MemberName) -> MemberName {
        let mut new = self
            .root
            .former
            .keys()
            .filter(|former| former.is_of(name) && !before.root.former.contains_key(*former));
        let replaced = self.members.contains_key(name).then(|| new.next());
        replaced.flatten().unwrap_or(name).clone()
    }

    /// The next free name for keys of `name` that no longer count.
    fn free_name(&self, name: &MemberName) -> MemberName {
        let is_free = |old: &MemberName| {
            !self.members.contains_key(old) && !self.root.former.contains_key(old)
        };
        let mut count = 1;
        while !is_free(&name.until(count)) {
            count += 1;
        }
        name.until(count)
    }

    /// Writes down what everyone could read in `environment`, which is removed.
    pub fn record_removed(&mut self, before: &Self, environment: &EnvironmentName) {
        let mut without = self.clone();
        for member in without.members.values_mut() {
            member.access.remove(environment);
        }
        without.record_lost(before, environment);
        self.root = without.root;
    }

    /// Adds a loss to the record of `name`, or to that of the keys that they had in `before` if these
    /// no longer count.
    pub fn add_lost(
        &mut self,
        before: &Self,
        name: &MemberName,
        environment: &EnvironmentName,
        lost: &Lost,
    ) {
        let old = before.members.get(name);
        let known = if old.is_some_and(|old| self.same(name, old).is_some()) {
            let reduced = self.root.members.entry(name.clone());
            &mut reduced.or_default().lost
        } else {
            let former = self.former_of(before, name);
            &mut self.root.former.entry(former).or_default().lost
        };
        let united = known
            .get(environment)
            .map_or(lost.clone(), |earlier| earlier.with(lost));
        known.insert(environment.clone(), united);
    }

    /// Writes down what everyone in `before` could read in `environment` and no longer can.
    pub fn record_lost(&mut self, before: &Self, environment: &EnvironmentName) {
        for (name, member) in &before.members {
            let same = self.same(name, member);
            if !loses(member, same, environment) {
                continue;
            }
            let Some(epoch) = before.root.highest_open(member, environment) else {
                continue;
            };
            let now = same.and_then(|same| same.access.get(environment));
            let lost = Lost {
                epoch,
                names: taken(&member.access[environment], now),
            };
            self.add_lost(before, name, environment, &lost);
        }
    }
}

impl Root {
    /// The highest number of an epoch of `environment` that `member` can open.
    #[must_use]
    pub fn highest_open(&self, member: &Member, environment: &EnvironmentName) -> Option<u64> {
        let epochs = &self.environments.get(environment)?.epochs;
        let open = epochs
            .iter()
            .filter(|epoch| member.sealed_key(environment, epoch).is_some());
        open.map(|epoch| epoch.number).max()
    }
}

impl Lost {
    /// Two losses in one environment as one, which never says less than the two.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let names = self.names.as_ref().zip(other.names.as_ref());
        Self {
            epoch: self.epoch.max(other.epoch),
            names: names.map(|(own, other)| own | other),
        }
    }
}

/// The names that were taken. Returns `None` if all of them were.
fn taken(before: &Access, now: Option<&Access>) -> Option<BTreeSet<SecretName>> {
    match (before, now) {
        (Access::Names(before), Some(Access::Names(now))) => Some(before - now),
        (Access::Names(before), _) => Some(before.clone()),
        (Access::Write | Access::Read, _) => None,
    }
}

#[cfg(test)]
mod tests;
