//! Requests to join.
//!
//! Never shows the fingerprint, which must be exchanged out of band.

use crate::review::check::below;
use crate::review::compare::RequestChange;
use crate::review::report::{Item, Level};
use crate::vault::format::{member_path, request_path};
use crate::vault::model::{Membership, Request};
use crate::vault::name::MemberName;

/// Reports a request, or the reason why no admin could accept it.
pub(in crate::review) fn waiting(
    name: &MemberName,
    request: &Request,
    membership: &Membership,
) -> Item {
    let file = below(&request_path(name));
    let item = |level, kind| Item::new(level, kind, file.clone()).detail("member", name.as_str());
    let known = membership
        .members
        .iter()
        .find(|(_, member)| member.recipient == request.recipient);
    if membership.root.former.contains_key(name) {
        let item = item(Level::Finding, "request-name-taken").quote(&file);
        return item.text(": the name has been used; names are never reused");
    }
    if known.is_some_and(|(other, member)| other == name && member.signing.is_none()) {
        return item(Level::Attention, "request")
            .detail("recipient", request.recipient.to_string())
            .quote(name)
            .text(" wants a signing key, so that they can be given write access");
    }
    if known.is_some_and(|(other, _)| other == name) {
        return item(Level::Finding, "request-left")
            .quote(&file)
            .text(": already a member with this key; to finish, repeat ")
            .quote("vault members add")
            .text(", or delete the file");
    }
    if let Some((other, _)) = known {
        let item = item(Level::Finding, "request-recipient-reused").quote(&file);
        return item
            .text(": its recipient is already a member, ")
            .quote(other);
    }
    let wants = if membership.members.contains_key(name) {
        " wants to replace their key with recipient "
    } else {
        " wants to join with recipient "
    };
    item(Level::Attention, "request")
        .detail("recipient", request.recipient.to_string())
        .quote(name)
        .text(wants)
        .quote(request.recipient.shown())
}

pub(in crate::review) fn request(name: &MemberName, change: RequestChange) -> Item {
    let file = below(&request_path(name));
    let item = |level, kind| Item::new(level, kind, file.clone()).detail("member", name.as_str());
    match change {
        RequestChange::Replaced => item(Level::Finding, "request-replaced")
            .text("replaced: ")
            .quote(&file)
            .text(" has other keys than before"),
        RequestChange::Answered => item(Level::Change, "request-answered")
            .text("request answered: ")
            .quote(name),
        RequestChange::Withdrawn => item(Level::Change, "request-withdrawn")
            .text("request withdrawn: ")
            .quote(name),
        RequestChange::NotAsAsked => {
            let file = below(&member_path(name));
            Item::new(Level::Finding, "keys-differ-from-request", file.clone())
                .detail("member", name.as_str())
                .quote(file)
                .text(": has other keys than the request of ")
                .quote(name)
        }
    }
}
