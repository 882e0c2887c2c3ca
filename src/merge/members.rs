//! The members after a merge, and what follows from it for the root. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Which;
use super::access::gives_less;
use super::environments::United;
use super::member::merge_member;
use super::sides::{Side, Sides};
use crate::crypto::Tag;
use crate::fault::Fault;
use crate::vault::format::{ROOT_PATH, member_path};
use crate::vault::model::{Access, Member, Membership, Root};
use crate::vault::name::{EnvironmentName, MemberName};

/// The members and the root after a merge, before new epochs are started.
pub(super) struct Merged {
    pub(super) membership: Membership,
    /// Environments that get a new epoch.
    pub(super) epochs: BTreeSet<EnvironmentName>,
    /// The side whose file a member has, byte for byte.
    pub(super) kept: BTreeMap<MemberName, Which>,
    /// Members' files that neither side has as they will be.
    pub(super) changed: BTreeSet<MemberName>,
    /// Members whom only this side has, without a revocation, which a person has to decide on.
    pub(super) gone: BTreeMap<MemberName, Which>,
    /// Members whose file of one side no longer counts.
    pub(super) dropped: BTreeSet<MemberName>,
    /// Environments that one side removed.
    removed: BTreeSet<EnvironmentName>,
    /// Environments that one side made again.
    pub(super) recreated: BTreeMap<EnvironmentName, Which>,
    /// Members with the keys that were not taken.
    left_out: Vec<(MemberName, Member)>,
    /// Whether the root differs from both sides' roots.
    pub(super) is_new_root: bool,
    /// Whether the root gets a tag of its own.
    has_tag: bool,
}

/// Decides what becomes of every member. `keys` says which side's keys count if both changed them. A
/// person has to decide on those who are `gone`; then, [`Merged::complete`] does the rest.
///
/// # Errors
/// That of `keys`.
pub(super) fn merge(
    sides: &Sides,
    united: United,
    keys: &dyn Fn(&MemberName) -> Result<Which, Fault>,
) -> Result<Merged, Fault> {
    let is_new_root = sides.unchanged(ROOT_PATH).is_none();
    let mut merged = Merged {
        membership: Membership {
            root: united.root,
            members: BTreeMap::new(),
        },
        epochs: united.epochs,
        removed: united.removed,
        recreated: united.recreated,
        kept: BTreeMap::new(),
        changed: BTreeSet::new(),
        gone: BTreeMap::new(),
        dropped: BTreeSet::new(),
        left_out: Vec::new(),
        is_new_root,
        has_tag: united.has_parted,
    };
    let names: BTreeSet<MemberName> = [&sides.base, &sides.ours, &sides.theirs]
        .into_iter()
        .flat_map(Side::member_names)
        .collect();
    for name in names {
        merged.add(sides, &name, keys)?;
    }
    Ok(merged)
}

impl Merged {
    fn add(
        &mut self,
        sides: &Sides,
        name: &MemberName,
        keys: &dyn Fn(&MemberName) -> Result<Which, Fault>,
    ) -> Result<(), Fault> {
        if self.membership.root.former.contains_key(name) {
            return Ok(());
        }
        let member = |side: &Side| side.membership.members.get(name).cloned();
        let file = |side: &Side| side.member_file(name).is_some();
        let (ours, theirs) = (member(&sides.ours), member(&sides.theirs));
        let is_deleted = file(&sides.base) && file(&sides.ours) != file(&sides.theirs);
        let unchanged = sides.unchanged(&member_path(name));
        let mut keep = |which, member| {
            self.kept.insert(name.clone(), which);
            Some(member)
        };
        let chosen = match (unchanged, ours, theirs) {
            // A file that went back is never taken.
            (Some(_), Some(ours), Some(theirs)) if ours.revision > theirs.revision => {
                keep(Which::Ours, ours)
            }
            (Some(_), Some(ours), Some(theirs)) if ours.revision < theirs.revision => {
                keep(Which::Theirs, theirs)
            }
            (Some(file), Some(ours), _) if !is_deleted && file == sides.ours.member_file(name) => {
                keep(Which::Ours, ours)
            }
            (Some(file), _, Some(theirs))
                if !is_deleted && file == sides.theirs.member_file(name) =>
            {
                keep(Which::Theirs, theirs)
            }
            (Some(_), ..) if !is_deleted => None,
            (_, Some(ours), Some(theirs)) => {
                let base = member(&sides.base);
                let (one, left_out) = merge_member(name, base.as_ref(), &ours, &theirs, keys)?;
                self.changed.insert(name.clone());
                let left_out = left_out.map(|member| (name.clone(), member));
                self.left_out.extend(left_out);
                Some(one)
            }
            (_, Some(only), None) => {
                self.gone.insert(name.clone(), Which::Ours);
                self.kept.insert(name.clone(), Which::Ours);
                Some(only)
            }
            (_, None, Some(only)) => {
                self.gone.insert(name.clone(), Which::Theirs);
                self.kept.insert(name.clone(), Which::Theirs);
                Some(only)
            }
            (_, None, None) => None,
        };
        let chosen = chosen.map(|member| (name.clone(), member));
        self.membership.members.extend(chosen);
        Ok(())
    }

    /// Removes a member who would be gone without a revocation. Like every removal, it starts an epoch
    /// in every environment in which the caller, `remover`, can write.
    pub(super) fn dismiss(&mut self, name: &MemberName, remover: &Member) {
        let member = self.membership.members.get(name);
        let known = member.map(|member| member.access.clone());
        self.membership.dismiss(name);
        self.changed.remove(name);
        let environments = self.membership.root.environments.keys();
        let rotated = environments.filter(|place| {
            let is_known = known.as_ref().is_some_and(|own| own.contains_key(*place));
            is_known || remover.signer_in(place).is_some()
        });
        self.epochs.extend(rotated.cloned());
        (self.has_tag, self.is_new_root) = (true, true);
    }

    /// Whether the authority has to sign something.
    pub(super) fn needs_authority(&self) -> bool {
        self.is_new_root || !self.changed.is_empty() || !self.epochs.is_empty()
    }

    /// Leaves out what does not count in the result, starts the epochs that it takes, and writes down
    /// what everyone lost.
    ///
    /// # Errors
    /// If a side's members cannot be read.
    pub(super) fn complete(&mut self, sides: &Sides) -> Result<(), Fault> {
        self.drop_former();
        self.limit_access(sides);
        self.find_known_keys(sides)?;
        let mut less = BTreeSet::new();
        for name in &self.changed {
            let Some(one) = self.membership.members.get(name) else {
                continue;
            };
            let mut files = [&sides.ours, &sides.theirs]
                .into_iter()
                .filter_map(|side| side.membership.members.get(name));
            let is_left_out = self.left_out.iter().any(|(own, _)| own == name);
            if is_left_out || files.any(|file| gives_less(one, file)) {
                less.insert(name.clone());
            }
        }
        if !self.epochs.is_empty() || !less.is_empty() {
            (self.has_tag, self.is_new_root) = (true, true);
        }
        for (name, member) in &self.left_out {
            self.membership.retire_unused(name, member);
        }
        self.set_tags(sides, &less);
        self.record_lost(sides);
        if self.is_other_root(sides) {
            self.is_new_root = true;
        }
        Ok(())
    }

    /// A former member's keys never count, under any name.
    fn drop_former(&mut self) {
        let root = &self.membership.root;
        let dropped = &mut self.dropped;
        self.membership.members.retain(|name, member| {
            let counts = root.former_with(member).is_none();
            if !counts {
                dropped.insert(name.clone());
            }
            counts
        });
        self.changed.retain(|name| !self.dropped.contains(name));
    }

    /// Takes access that does not count in the result: to environments it does not have, and without a
    /// key of one of their epochs, as for access from before an environment was made again.
    fn limit_access(&mut self, sides: &Sides) {
        let root = &self.membership.root;
        for (name, member) in &mut self.membership.members {
            let files = [&sides.ours, &sides.theirs];
            let files: Vec<&Member> = files
                .into_iter()
                .filter_map(|side| side.membership.members.get(name))
                .collect();
            member.access.retain(|place, _| {
                let has_key = |file: &&Member| {
                    let mut keys = file.sealed.get(place).into_iter().flat_map(BTreeMap::keys);
                    let environment = root.environments.get(place);
                    keys.any(|key| environment.is_some_and(|own| own.epoch(key).is_some()))
                };
                files.iter().any(has_key)
            });
            let access = &member.access;
            member.sealed.retain(|place, keys| {
                let environment = root.environments.get(place);
                let environment = environment.filter(|_| access.contains_key(place));
                keys.retain(|key, _| environment.is_some_and(|own| own.epoch(key).is_some()));
                !keys.is_empty()
            });
        }
    }

    /// Starts an epoch wherever someone holds the newest key to whom the result does not give the same
    /// access.
    fn find_known_keys(&mut self, sides: &Sides) -> Result<(), Fault> {
        for side in sides.common().chain([&sides.ours, &sides.theirs]) {
            for (_, member) in side.signed_members()? {
                for (place, environment) in &self.membership.root.environments {
                    if member.sealed_key(place, environment.newest()).is_none() {
                        continue;
                    }
                    let mut now = self.membership.members.values();
                    let now = now.find(|now| now.recipient == member.recipient);
                    let access = now.and_then(|now| now.access.get(place));
                    if access.is_none() || Access::loses(member.access.get(place), access) {
                        self.epochs.insert(place.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives tags to the result and to those who get less than one of the sides gave.
    fn set_tags(&mut self, sides: &Sides, less: &BTreeSet<MemberName>) {
        let tag = self.has_tag.then(Tag::random);
        self.membership.root.revocations.extend(tag);
        for name in &self.changed {
            let root = &mut self.membership.root;
            let Some(member) = self.membership.members.get_mut(name) else {
                continue;
            };
            if less.contains(name) {
                root.members.entry(name.clone()).or_default().revocation = tag;
                member.revocation = tag;
                member.replaces = sides.ours.membership.root.tag_of(name);
                continue;
            }
            member.revocation = root.tag_of(name);
            let mut files = [&sides.ours, &sides.theirs]
                .into_iter()
                .filter_map(|side| side.membership.members.get(name));
            let same = files.find(|own| own.revocation == member.revocation);
            member.replaces = same.and_then(|own| own.replaces);
        }
    }

    /// Whether the root says anything that the one taken from a side does not: someone lost what only the
    /// other side gave, or it went back.
    fn is_other_root(&self, sides: &Sides) -> bool {
        let root = &self.membership.root;
        let chosen = match sides.unchanged(ROOT_PATH) {
            Some(file) if file == sides.ours.file(ROOT_PATH) => &sides.ours,
            _ => &sides.theirs,
        };
        let chosen = &chosen.membership.root;
        let revision = root.revision;
        Root {
            revision,
            ..chosen.clone()
        } != *root
    }

    fn record_lost(&mut self, sides: &Sides) {
        let environments = self.membership.root.environments.keys().cloned();
        let environments: Vec<EnvironmentName> = environments.collect();
        for side in [&sides.ours, &sides.theirs] {
            for name in &environments {
                self.membership.record_lost(&side.membership, name);
            }
            for name in &self.removed {
                self.membership.record_removed(&side.membership, name);
            }
        }
    }
}
