//! Granting access under the lock. Only the files of the members who get it are written, so any
//! number of branches can grant at once.
//!
//! Only ever gives: members keep all the access that they had before. Taking access away needs a
//! new epoch and is another subject.

use std::collections::{BTreeMap, BTreeSet};

use super::admin::Admin;
use super::context::Context;
use crate::crypto::{DataKey, Recipient};
use crate::fault::Fault;
use crate::vault::format::MEMBERS;
use crate::vault::model::{Access, MOST_MEMBERS, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::unlock::Unlocked;

/// Per member the environments in which they get access, and which.
pub(crate) type Grants = BTreeMap<MemberName, BTreeMap<EnvironmentName, Access>>;

/// Gives `grants` to members of `after`, to which the caller has already added new members
/// (without access) and other changes.
///
/// The newest epoch of each environment is sealed to them, also if they have this access already: so
/// the same command, typed again, completes what was interrupted.
///
/// # Errors
/// If a grant would take something away, a member without a signing key would write, or the admin
/// has no data key. Nothing is written then.
pub(crate) fn grant(
    context: &Context,
    admin: &mut Admin<'_>,
    mut after: Membership,
    grants: &Grants,
) -> Result<(), Fault> {
    let before = admin.membership()?;
    let environments: BTreeSet<&EnvironmentName> =
        grants.values().flat_map(BTreeMap::keys).collect();
    let mut keys: BTreeMap<&EnvironmentName, Unlocked> = BTreeMap::new();
    for name in environments {
        let environment = admin.session.vault.environment(name)?;
        let newest = environment.newest();
        let own = admin
            .session
            .holder()
            .unlock(environment, [newest.commitment])?;
        own.data_key(newest)?;
        keys.insert(name, own);
    }
    for (name, access) in grants {
        let Some(member) = after.members.get_mut(name) else {
            return Err(no_member(&after, name));
        };
        for (environment, access) in access {
            check_growth(name, member, environment, access)?;
            member.access.insert(environment.clone(), access.clone());
            let newest = admin.session.vault.environment(environment)?.newest();
            let key: &DataKey = keys[environment].data_key(newest)?;
            admin.authority().seal_to(member, environment, key);
        }
    }
    write(context, admin, &before, after)
}

/// Writes the files of the members who differ in `after`.
pub(crate) fn write(
    context: &Context,
    admin: &mut Admin<'_>,
    before: &Membership,
    mut after: Membership,
) -> Result<(), Fault> {
    let known = |name: &&MemberName| before.members.contains_key(*name);
    let added = after.members.keys().filter(|name| !known(name)).count();
    if added > 0 && admin.session.vault.members()?.files() + added > MOST_MEMBERS {
        return Err(Fault::usage(format!(
            ".vault/{MEMBERS} would hold more than {MOST_MEMBERS} files"
        )));
    }
    let files = admin.member_files(before, &mut after);
    let files: Vec<_> = files.into_iter().map(|(_, file)| file).collect();
    admin.remember(context)?;
    if files.is_empty() {
        return Ok(());
    }
    admin.writer.replace(&files)
}

/// Returns the member `name`.
///
/// # Errors
/// If `name` is not a member, or was one once.
pub(crate) fn member<'a>(
    membership: &'a Membership,
    name: &MemberName,
) -> Result<&'a Member, Fault> {
    membership
        .members
        .get(name)
        .ok_or_else(|| no_member(membership, name))
}

/// Explains that `name` is not a member, with the nearest member's name.
pub(crate) fn no_member(membership: &Membership, name: &MemberName) -> Fault {
    let list = "list the members: `vault members list`";
    if membership.root.former.contains_key(name) {
        return Fault::usage(format!("{name} is no longer a member")).hint(list);
    }
    let known = membership.members.keys().map(MemberName::as_str);
    Fault::usage(format!("{name} is not a member"))
        .did_you_mean(name.as_str(), known)
        .hint(list)
}

/// Checks that the name is not in use, and never was.
pub(crate) fn check_free(membership: &Membership, name: &MemberName) -> Result<(), Fault> {
    if name.is_key() {
        return Err(
            Fault::usage(format!("{name} is reserved for replaced keys"))
                .hint("choose another name"),
        );
    }
    let root = &membership.root;
    let is_used = membership.members.contains_key(name)
        || root.former.contains_key(name)
        || root.members.contains_key(name);
    if is_used
        || root
            .environments
            .values()
            .any(|own| own.given.contains(name))
    {
        return Err(Fault::usage(format!(
            "the name {name} has been used; names are never reused"
        ))
        .hint("choose another name"));
    }
    Ok(())
}

/// Checks that the key is not that of a member, or of a former one, in another form: an age key can be
/// made of an SSH key, and belongs to the same person.
///
/// # Errors
/// If it is.
pub(crate) fn check_twins(membership: &Membership, recipient: &Recipient) -> Result<(), Fault> {
    for twin in recipient.twins() {
        let mut members = membership.members.iter();
        if let Some((other, _)) = members.find(|(_, member)| member.recipient == twin) {
            let message = format!("this recipient is the key of {other} in another form");
            return Err(Fault::usage(message).hint("use the key that is there, or a new one"));
        }
        if let Some(former) = membership.root.former_with(&Member::new(twin)) {
            return Err(Fault::usage(format!(
                "this recipient is the key of the former member {former} in another form, and keys \
                 of former members never come back"
            )));
        }
    }
    Ok(())
}

fn check_growth(
    name: &MemberName,
    member: &Member,
    environment: &EnvironmentName,
    access: &Access,
) -> Result<(), Fault> {
    if *access == Access::Write && member.signing.is_none() {
        return Err(
            Fault::usage(format!("{name} has no signing key, so cannot write"))
                .hint("to write, they must join with a signing key: `vault join --name NAME`"),
        );
    }
    if Access::covers(Some(access), member.access.get(environment)) {
        return Ok(());
    }
    Err(
        Fault::usage(format!("{name} would lose access to {environment}")).hint(format!(
            "take it away: `vault members set {name} -e {environment}=…`"
        )),
    )
}
