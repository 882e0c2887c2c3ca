//! One member whose file both sides changed. Keys are those of the side that changed them. Pure.

use std::collections::BTreeMap;

use super::Which;
use super::access::merge_access;
use crate::crypto::Commitment;
use crate::fault::Fault;
use crate::vault::model::{Access, Member};
use crate::vault::name::{EnvironmentName, MemberName};

/// The member who comes of both files, and the one with the keys that were not taken.
pub(super) fn merge_member(
    name: &MemberName,
    base: Option<&Member>,
    ours: &Member,
    theirs: &Member,
    keys: &dyn Fn(&MemberName) -> Result<Which, Fault>,
) -> Result<(Member, Option<Member>), Fault> {
    let of = |which| match which {
        Which::Ours => (ours, theirs),
        Which::Theirs => (theirs, ours),
    };
    let mut left_out = None;
    // The side that changed a key; a person decides if both did.
    let mut changed = |is_same: &dyn Fn(&Member, &Member) -> bool| {
        if base.is_some_and(|base| is_same(base, ours)) {
            Ok(Which::Theirs)
        } else if base.is_some_and(|base| is_same(base, theirs)) {
            Ok(Which::Ours)
        } else {
            let which = keys(name)?;
            left_out = Some(of(which).1.clone());
            Ok(which)
        }
    };
    let same_recipient = |one: &Member, two: &Member| one.recipient == two.recipient;
    let same_signer = |one: &Member, two: &Member| one.signer() == two.signer();
    let is_one = same_recipient(ours, theirs);
    let owner = if is_one {
        Which::Ours
    } else {
        changed(&same_recipient)?
    };
    let revision = ours.revision.max(theirs.revision) + 1;
    if base.is_none() && !is_one {
        // They are two people, and access for one of them is not for the other.
        let (own, _) = of(owner);
        return Ok((
            Member {
                revision,
                ..own.clone()
            },
            left_out,
        ));
    }
    let signer = match (is_one, same_signer(ours, theirs)) {
        (false, _) => owner,
        (true, true) => Which::Ours,
        (true, false) => changed(&same_signer)?,
    };
    let mut member = Member {
        revision,
        signing: of(signer).0.signing.clone(),
        ..of(owner).0.clone()
    };
    if is_one {
        member.authority = ours.authority.clone().or_else(|| theirs.authority.clone());
    } else if member.authority.is_none() && (ours.is_admin() || theirs.is_admin()) {
        // Sealed to the recipient that stays when it is signed.
        member.authority = Some(Vec::new());
    }
    if base.is_some_and(|base| base.credential == ours.credential) {
        member.credential = theirs.credential;
    }
    member.access = merge_access(base, ours, theirs);
    if member.signing.is_none() {
        for access in member
            .access
            .values_mut()
            .filter(|own| **own == Access::Write)
        {
            *access = Access::Read;
        }
    }
    unite_sealed(&mut member, [ours, theirs]);
    Ok((member, left_out))
}

/// The keys of both sides that fit the recipient and the access; of two payloads for one epoch, none.
fn unite_sealed(member: &mut Member, files: [&Member; 2]) {
    let mut sealed: BTreeMap<EnvironmentName, BTreeMap<Commitment, Vec<u8>>> = BTreeMap::new();
    let mut doubled = Vec::new();
    for file in files
        .into_iter()
        .filter(|file| file.recipient == member.recipient)
    {
        for (place, keys) in &file.sealed {
            let (own, now) = (file.access.get(place), member.access.get(place));
            if Access::loses(own, now) || Access::loses(now, own) {
                continue;
            }
            let known = sealed.entry(place.clone()).or_default();
            for (commitment, payload) in keys {
                let before = known.insert(*commitment, payload.clone());
                if before.is_some_and(|before| before != *payload) {
                    doubled.push((place, commitment));
                }
            }
        }
    }
    for (place, commitment) in doubled {
        if let Some(keys) = sealed.get_mut(place) {
            keys.remove(commitment);
        }
    }
    member.sealed = sealed;
}
