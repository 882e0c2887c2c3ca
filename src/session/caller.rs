//! The caller as a member: which member's recipient belongs to the key.

use super::open::{NEWER, tree};
use crate::crypto::Identity;
use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::keys::Found;
use crate::vault::model::Member;
use crate::vault::name::MemberName;
use crate::vault::store::Place;
use crate::vault::trust::{MemberFile, Trust, UnverifiedRoot, Vault, not_counting};

/// Whether a counting file of the vault at `place` has this recipient. Says nothing about whether the
/// vault is trusted, which is judged when it is opened.
pub(super) fn is_member(place: &Place, recipient: &Recipient) -> bool {
    let vault = tree(place).and_then(UnverifiedRoot::read);
    let vault = vault.and_then(UnverifiedRoot::into_vault);
    vault.is_ok_and(|vault| matches!(vault.member_with(recipient), Ok(Some(_))))
}

/// Of several identities of a person, takes the first that is a member's. Only its record counts from
/// then on. Returns whether the person trusts the vault, and that record does not know it yet.
pub(super) fn choose(vault: &Vault, key: &mut Found, trust: &mut Trust) -> Result<bool, Fault> {
    if key.others.is_empty() {
        return Ok(false);
    }
    let is_member = |identity: &Identity| Ok(vault.member_with(&identity.recipient())?.is_some());
    key.prefer(&is_member)?;
    let id = vault.root().vault;
    let is_known = |trust: &Trust| trust.states.iter().any(|state| state.seen(&id).is_some());
    let was_known = is_known(trust);
    let own = Some(key.identity.recipient().digest());
    trust.states.retain(|state| state.owner() == own);
    Ok(was_known && !is_known(trust))
}

/// Finds the caller among the members: by the name in the credential, by the name remembered, or by
/// reading the files until one has the caller's recipient.
pub(super) fn member(
    vault: &Vault,
    key: &Found,
    trust: &Trust,
) -> Result<(MemberName, Member), Fault> {
    let id = vault.root().vault;
    let recipient = key.identity.recipient();
    let named = |name: MemberName| -> Result<Option<(MemberName, Member)>, Fault> {
        let member = vault.counting(&name)?;
        let own = member.filter(|member| member.recipient == recipient);
        Ok(own.map(|member| (name, member)))
    };
    if let Some(credential) = &key.credential {
        let name: Option<MemberName> = credential.member.parse().ok();
        let own = name.clone().map(named).transpose()?.flatten();
        return match own {
            Some(own) => Ok(own),
            None => Err(invalid(vault, name.as_ref())?
                .unwrap_or_else(|| unknown_credential(vault, &credential.member, &recipient))),
        };
    }
    let mut seen = trust.states.iter().filter_map(|state| state.seen(&id));
    let remembered = seen.find_map(|seen| seen.member.clone());
    let own = match remembered.clone().map(named).transpose()?.flatten() {
        Some(own) => Some(own),
        None => vault.member_with(&recipient)?,
    };
    trust.check_asked(vault)?;
    match own {
        Some(own) => Ok(own),
        None => Err(not_a_member(vault, &recipient, remembered.as_ref())?),
    }
}

/// Why the file of `name` cannot be used, if it exists and is not as the authority signed it.
fn invalid(vault: &Vault, name: Option<&MemberName>) -> Result<Option<Fault>, Fault> {
    let Some(name) = name else { return Ok(None) };
    Ok(match vault.member(name)?.as_deref() {
        Some(MemberFile::Invalid(fault)) => Some(fault.clone()),
        _ => None,
    })
}

/// The key of no member, or of one whose file does not count. `remembered` is the name that the
/// caller had.
fn not_a_member(
    vault: &Vault,
    recipient: &Recipient,
    remembered: Option<&MemberName>,
) -> Result<Fault, Fault> {
    let names = vault.names_with(recipient)?;
    for name in names.iter().chain(remembered) {
        match vault.member(name)?.as_deref() {
            Some(MemberFile::Ignored(member, reason)) if member.recipient == *recipient => {
                let fault = not_counting(name, reason);
                let locked = Fault::locked(format!("your key does not work here: {fault}"));
                return Ok(locked.hints_of(&fault));
            }
            Some(MemberFile::Invalid(fault)) => return Ok(fault.clone()),
            _ => {}
        }
    }
    Ok(Fault::locked(format!(
        "your key ({}) belongs to no member of this vault",
        recipient.shown()
    ))
    .hint("use the key you joined with, or ask an admin to add you"))
}

/// The credential of no member: it was taken back, or `ci add` made it after this checkout.
fn unknown_credential(vault: &Vault, name: &str, recipient: &Recipient) -> Fault {
    let digest = Some(recipient.digest());
    let mut former = vault.root().former.iter();
    if former.any(|(former, own)| former.as_str() == name || own.recipient == digest) {
        return Fault::locked(format!(
            "the credential no longer works: {name} has lost access"
        ))
        .hint("make a new one: `vault ci add NAME -e ENVIRONMENT`");
    }
    Fault::locked(format!(
        "the credential of {name} (recipient {}) is not in this checkout",
        recipient.shown()
    ))
    .hint(NEWER)
    .hint("if it is older: make a new one with `vault ci add`")
}
