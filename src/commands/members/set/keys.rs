//! The keys of a member in `members set`: a new recipient, or a signing key for someone who had none.

use super::{NewKey, Set};
use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::keys::typed_recipient;
use crate::session::context::Context;
use crate::session::grant::check_twins;
use crate::session::membership::confirm_request;
use crate::session::open::Session;
use crate::vault::model::{Access, Member, Signing};
use crate::vault::name::MemberName;
use crate::vault::trust::Vault;

/// Gives `member` the signing key that they requested, if they need one now and were added by a
/// recipient alone. No one loses anything by it.
pub(super) fn take_signing_key(
    context: &Context,
    session: &Session,
    command: &Set,
    member: &mut Member,
    is_admin: bool,
) -> Result<(), Fault> {
    let name = &command.name;
    let is_requested = matches!(command.key, Some(NewKey::Requested));
    let writes = member
        .access
        .values()
        .any(|access| *access == Access::Write);
    let is_needed = is_requested || is_admin || writes;
    if !is_needed || member.signing.is_some() || member.credential.is_some() {
        return Ok(());
    }
    let request = session.vault.request(name)?;
    if let Some(request) = request.filter(|request| request.recipient == member.recipient) {
        let what = format!("{name} wants a signing key, to write with the key that they have.");
        let asked = format!("vault join --name {name}");
        confirm_request(
            context,
            &request,
            command.fingerprint.as_deref(),
            &what,
            &asked,
        )?;
        member.signing = Some(request.signing);
    }
    Ok(())
}

/// Replaces the key of `member`. If they made a request with the new key, it also brings a signing
/// key; otherwise they have none.
pub(super) fn replace_key(
    context: &Context,
    session: &Session,
    command: &Set,
    member: &mut Member,
    key: &NewKey,
) -> Result<(), Fault> {
    let name = &command.name;
    let request = session.vault.request(name)?;
    let recipient: Recipient = match (key, &request) {
        (NewKey::Typed(text), _) => typed_recipient(text)?,
        (NewKey::Requested, Some(request)) => request.recipient.clone(),
        (NewKey::Requested, None) => return Err(no_request(name)),
    };
    if recipient == member.recipient {
        return Ok(());
    }
    let mut members = session.vault.members()?.counting.iter();
    if let Some((other, _)) = members.find(|(_, other)| other.recipient == recipient) {
        return Err(Fault::usage(format!(
            "this is already the recipient of {other}"
        )));
    }
    check_twins(&session.vault.membership()?, &recipient)?;
    let future = Member::new(recipient.clone());
    if let Some(former) = session.vault.root().former_with(&future) {
        return Err(Fault::usage(format!(
            "this is the recipient of the former member {former}, and it never comes back"
        )));
    }
    member.signing = match request.filter(|request| request.recipient == recipient) {
        Some(request) => {
            let what = format!("{name} wants to replace their key with another one.");
            let asked = format!("vault join --new-key --name {name}");
            confirm_request(
                context,
                &request,
                command.fingerprint.as_deref(),
                &what,
                &asked,
            )?;
            let Signing { signer, seed } = request.signing;
            Some(Signing { signer, seed })
        }
        None => None,
    };
    member.recipient = recipient;
    // The old key was in a credential, which is now void.
    member.credential = None;
    Ok(())
}

fn no_request(name: &MemberName) -> Fault {
    Fault::usage(format!("no request for a new key from {name}")).hint(format!(
        "ask {name} to run `vault join --new-key --name {name}` and merge it"
    ))
}

/// Checks that the member can be an admin, who must sign re-encrypted entries.
pub(super) fn check_admin(name: &MemberName, member: &Member) -> Result<(), Fault> {
    if member.credential.is_some() {
        return Err(Fault::usage(format!(
            "{name} is a machine, and a machine cannot be an admin"
        )));
    }
    if member.signing.is_some() {
        return Ok(());
    }
    Err(
        Fault::usage(format!("{name} cannot be an admin without a signing key")).hint(format!(
            "ask {name} to request one: `vault join --name {name}`"
        )),
    )
}

/// Checks that the member has a signing key if they can write anywhere.
pub(super) fn check_writes(command: &Set, member: &Member) -> Result<(), Fault> {
    let name = &command.name;
    let mut access = member.access.iter();
    let Some((environment, _)) = access.find(|(_, access)| **access == Access::Write) else {
        return Ok(());
    };
    if member.signing.is_some() {
        return Ok(());
    }
    Err(Fault::usage(format!(
        "{name} cannot write in {environment} without a signing key"
    ))
    .hint(match command.key {
        Some(_) => format!(
            "ask {name} to request one with the new key: `vault join --new-key --name {name}`"
        ),
        None => format!("ask {name} to request one: `vault join --name {name}`"),
    })
    .hint(format!(
        "to let them read only: `vault members set {name} -e {environment}=read …`"
    )))
}

/// Whether the change answers the member's request, which is then deleted.
pub(super) fn has_request(vault: &Vault, command: &Set, member: &Member) -> Result<bool, Fault> {
    let request = vault.request(&command.name)?;
    Ok(request.is_some_and(|request| {
        let is_granted = member.signing.as_ref() == Some(&request.signing);
        (command.key.is_some() || is_granted) && request.recipient == member.recipient
    }))
}
