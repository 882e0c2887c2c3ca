//! Whether a member's file counts that the authority signed, and what of it does.

use std::collections::BTreeMap;

use super::members::{Counted, Ignored, Leftover, MemberFile, Remarks};
use crate::fault::Fault;
use crate::vault::format::member_path;
use crate::vault::model::{Former, Member, Root};
use crate::vault::name::{EnvironmentName, MemberName};

pub(super) fn judge(name: &MemberName, member: Member, root: &Root) -> MemberFile {
    if root.former.contains_key(name) {
        return MemberFile::Ignored(member, Ignored::FormerName);
    }
    if let Some(former) = root.former_with(&member) {
        let former = former.clone();
        return MemberFile::Ignored(member, Ignored::FormerKey(former));
    }
    let tag = root.tag_of(name);
    if tag != member.revocation && tag != member.replaces {
        return MemberFile::Ignored(member, Ignored::OtherTag);
    }
    let is_ahead = tag != member.revocation;
    let (member, leftovers) = root.counting_part(member);
    MemberFile::Counts(Counted {
        member,
        remarks: Remarks {
            is_ahead,
            leftovers,
        },
    })
}

impl Root {
    /// The former member who had the recipient or the signer of `member`.
    #[must_use]
    pub fn former_with(&self, member: &Member) -> Option<&MemberName> {
        let recipient = Some(member.recipient.digest());
        let signer = member.signer().map(|signer| signer.digest());
        let is_same = |former: &Former| {
            former.recipient == recipient || (signer.is_some() && former.signer == signer)
        };
        let mut former = self.former.iter();
        former
            .find(|(_, former)| is_same(former))
            .map(|(name, _)| name)
    }

    /// What of `member` counts: access to listed environments with a key of a listed epoch, and these
    /// keys. Also says what was left out.
    #[must_use]
    pub fn counting_part(
        &self,
        mut member: Member,
    ) -> (Member, BTreeMap<EnvironmentName, Leftover>) {
        let mut leftovers: BTreeMap<EnvironmentName, Leftover> = BTreeMap::new();
        for (name, keys) in &mut member.sealed {
            let environment = self.environments.get(name);
            let environment = environment.filter(|_| member.access.contains_key(name));
            let before = keys.len();
            keys.retain(|key, _| environment.is_some_and(|own| own.epoch(key).is_some()));
            if keys.len() < before {
                leftovers.entry(name.clone()).or_default().keys = before - keys.len();
            }
        }
        member.sealed.retain(|_, keys| !keys.is_empty());
        let sealed = &member.sealed;
        member.access.retain(|name, _| {
            let counts = sealed.contains_key(name);
            if !counts {
                leftovers.entry(name.clone()).or_default().has_access = true;
            }
            counts
        });
        (member, leftovers)
    }
}

/// Explains that the file of `name` does not count, for those who depend on it.
#[must_use]
pub fn not_counting(name: &MemberName, ignored: &Ignored) -> Fault {
    let path = member_path(name);
    match ignored {
        Ignored::FormerName => {
            Fault::refused_file(&path, format!("does not count: {name} is a former member"))
        }
        Ignored::FormerKey(former) => Fault::refused_file(
            &path,
            format!("does not count: it has a key of the former member {former}"),
        ),
        Ignored::OtherTag => Fault::refused_file(
            &path,
            "does not count: it does not belong to the latest revocation of this member",
        )
        .restore(&path),
    }
}
