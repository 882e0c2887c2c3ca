//! The changes of a revocation to the root and the members' files, apart from new epochs.

use super::Wanted;
use crate::crypto::Tag;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::vault::loss::Loss;
use crate::vault::model::{Access, Former, Lost, Member, Membership, Reduced, Root};
use crate::vault::name::MemberName;
use crate::vault::signing::RootSigner;

/// Lists the revocation, and gives its tag to those who lose something and stay members.
pub(super) fn revoke(before: &Membership, after: &mut Membership, loss: &Loss, wanted: &Wanted) {
    for (name, old) in &wanted.completed {
        complete(before, after, name, old);
    }
    let tag = Tag::random();
    after.root.revocations.push(tag);
    for (name, environments) in &wanted.taken {
        let reduced = after.root.members.entry(name.clone()).or_default();
        reduced.revocation = Some(tag);
        for environment in environments {
            if let Some(own) = before.root.environments.get(environment) {
                let epoch = own.newest().number;
                let all = Lost { epoch, names: None };
                reduced.lost.insert(environment.clone(), all);
            }
        }
    }
    for name in &loss.members {
        if let Some(member) = after.members.get_mut(name) {
            let reduced = after.root.members.entry(name.clone()).or_default();
            reduced.revocation = Some(tag);
            member.revocation = Some(tag);
            member.replaces = before.root.tag_of(name);
        }
    }
}

/// Lists the tag of an interrupted revocation of `name`, and writes down what it took. Their files from
/// before it say what that was; without any, it may have been everything that they cannot read now.
fn complete(before: &Membership, after: &mut Membership, name: &MemberName, old: &[Member]) {
    let now = before.members.get(name);
    let tag = now.and_then(|now| now.revocation);
    after.root.revocations.extend(tag);
    if after.members.contains_key(name) {
        let reduced = after.root.members.entry(name.clone()).or_default();
        reduced.revocation = tag;
    }
    for old in old {
        if now.is_some_and(|now| now.recipient != old.recipient) {
            after.retire(before, name, old);
        }
    }
    for (place, environment) in &before.root.environments {
        let access = now.and_then(|now| now.access.get(place));
        let is_lost = |old: &&Member| Access::loses(old.access.get(place), access);
        let taken = old.iter().filter(is_lost);
        let mut epoch = taken
            .filter_map(|old| before.root.highest_open(old, place))
            .max();
        if old.is_empty() && !matches!(access, Some(Access::Read | Access::Write)) {
            epoch = Some(environment.newest().number);
        }
        if let Some(epoch) = epoch {
            let lost = Lost { epoch, names: None };
            after.add_lost(before, name, place, &lost);
        }
    }
}

/// Makes `after` the first state under another authority: nothing signed before holds under its id.
pub(super) fn succeed(after: &mut Membership, root_signer: &RootSigner<'_>) {
    let root = &mut after.root;
    root.vault = root_signer.id();
    root.revocations = vec![Tag::random()];
    for reduced in root.members.values_mut() {
        reduced.revocation = None;
    }
    root.members
        .retain(|_, reduced| *reduced != Reduced::default());
    for member in after.members.values_mut() {
        (member.revocation, member.replaces) = (None, None);
        if member.is_admin() {
            member.authority = Some(root_signer.share(&member.recipient));
        }
    }
}

/// Drops the keys of former members who know nothing that is sealed here. Their names stay.
pub(super) fn forget_keys(root: &mut Root) {
    let known_nothing = |former: &&mut Former| former.lost.is_empty();
    for former in root.former.values_mut().filter(known_nothing) {
        *former = Former::default();
    }
}

/// Seals the older epochs that those who lose something could open to them again, as far as they keep
/// access: until their entries are re-encrypted, they need them.
pub(super) fn seal_older(
    admin: &Admin<'_>,
    before: &Membership,
    after: &mut Membership,
    loss: &Loss,
) -> Result<(), Fault> {
    let holder = admin.session.holder();
    for name in &loss.members {
        let (Some(old), Some(member)) = (before.members.get(name), after.members.get_mut(name))
        else {
            continue;
        };
        for (place, environment) in &before.root.environments {
            for epoch in &environment.epochs {
                let had = old.sealed_key(place, epoch).is_some();
                let is_missing = member.sealed_key(place, epoch).is_none();
                if had && is_missing && holder.has_key(place, &epoch.commitment) {
                    let keys = holder.unlock(environment, [epoch.commitment])?;
                    if let Ok(key) = keys.data_key(epoch) {
                        admin.authority().seal_to(member, place, key);
                    }
                }
            }
        }
    }
    Ok(())
}
