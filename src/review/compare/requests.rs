//! Requests to join that were replaced, answered, or withdrawn.

use std::collections::BTreeMap;

use crate::vault::format::request_of;
use crate::vault::model::{Member, Membership, Request};
use crate::vault::name::MemberName;

/// The valid requests of one vault.
pub(in crate::review) type Requests = BTreeMap<MemberName, Request>;

/// The change of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum RequestChange {
    /// The name is the same, with different keys.
    Replaced,
    /// The name is a member now, with the requested keys.
    Answered,
    /// The name is a member now, with other keys than requested.
    NotAsAsked,
    Withdrawn,
}

/// Compares the requests; `membership` is the newer one.
pub(in crate::review) fn requests(
    (before, now): (&Requests, &Requests),
    membership: &Membership,
) -> Vec<(MemberName, RequestChange)> {
    let mut changes = Vec::new();
    for (name, old) in before {
        // A reader who asks for a signing key waits, like someone who asks to join.
        let waits =
            |member: &&Member| member.signing.is_none() && member.recipient == old.recipient;
        let member = membership.members.get(name).filter(|own| !waits(own));
        let record = member.map(|member| request_of(&membership.root.vault, name, member));
        let change = match (now.get(name), record) {
            (Some(new), None) if new == old => continue,
            (Some(_), None) => RequestChange::Replaced,
            (None, None) => RequestChange::Withdrawn,
            (_, Some(record)) if record.as_ref() == Some(old) => RequestChange::Answered,
            (_, Some(_)) => RequestChange::NotAsAsked,
        };
        changes.push((name.clone(), change));
    }
    changes
}
