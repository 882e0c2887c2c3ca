//! Granting access under the lock. Members of the roster get keys, in an order in which no state on
//! disk holds a key that the roster does not list.
//!
//! Only ever gives: what a member could read before stays readable to them. Taking access away needs
//! a new epoch and is another subject.

use std::collections::{BTreeMap, BTreeSet};

use super::admin::Admin;
use super::context::Context;
use crate::fault::Fault;
use crate::vault::model::{Access, Member, Roster};
use crate::vault::name::{EnvironmentName, MemberName};

/// Per member the environments in which they get access, and which.
pub(crate) type Grants = BTreeMap<MemberName, BTreeMap<EnvironmentName, Access>>;

/// Gives `grants` to members of `roster`, to which the caller has already added new members
/// (without access) and other changes.
///
/// The newest epoch of each environment is sealed to them again, even where the roster says that they
/// have this access already: so the same command, typed again, finishes what was interrupted. (Where an
/// environment had been written already, `vault rotate --finish` comes first; [`Admin::start`] says so.)
///
/// # Errors
/// If a grant would take something away, a member without a signing key would write, or the admin
/// has no data key. Nothing is written then.
pub(crate) fn grant(
    context: &Context,
    admin: &mut Admin<'_>,
    roster: &mut Roster,
    grants: &Grants,
) -> Result<(), Fault> {
    for (name, access) in grants {
        let Some(member) = roster.members.get_mut(name) else {
            return Err(no_member(roster, name));
        };
        for (environment, access) in access {
            check_growth(name, member, environment, access)?;
            member.access.insert(environment.clone(), access.clone());
        }
    }
    let environments: BTreeSet<&EnvironmentName> =
        grants.values().flat_map(BTreeMap::keys).collect();
    let mut files = Vec::with_capacity(environments.len());
    for name in environments {
        let environment = admin.session.vault.environment(name)?;
        let newest = environment.content().newest().number;
        let keys = admin.session.holder().unlock(&environment, [newest])?;
        let key = keys.data_key(newest)?;
        let concerned = grants.iter().filter_map(|(member, access)| {
            Some((member, &roster.members[member].recipient, access.get(name)?))
        });
        files.push((
            name.clone(),
            admin
                .authority()
                .seal_to(environment.content(), key, concerned),
        ));
    }
    admin.remember(context)?;
    // Members first and keys second, so that no file is ever sealed to anyone without access; then
    // the roster lists the files.
    admin.write_roster(roster)?;
    if files.is_empty() {
        return Ok(());
    }
    admin.write_environments(roster, files)?;
    admin.write_roster(roster)
}

/// Returns the member `name`.
///
/// # Errors
/// If `name` is not a member, or was one once.
pub(crate) fn member<'a>(roster: &'a Roster, name: &MemberName) -> Result<&'a Member, Fault> {
    roster
        .members
        .get(name)
        .ok_or_else(|| no_member(roster, name))
}

/// Explains that `name` is not a member, with the nearest member's name.
pub(crate) fn no_member(roster: &Roster, name: &MemberName) -> Fault {
    let list = "list the members: `vault members list`";
    if roster.former.contains_key(name) {
        return Fault::usage(format!("{name} is no longer a member")).hint(list);
    }
    let known = roster.members.keys().map(MemberName::as_str);
    Fault::usage(format!("{name} is not a member"))
        .did_you_mean(name.as_str(), known)
        .hint(list)
}

/// Checks that the name is not in use, and never was.
pub(crate) fn check_free(roster: &Roster, name: &MemberName) -> Result<(), Fault> {
    if name.is_key() {
        return Err(
            Fault::usage(format!("{name} is reserved for replaced keys"))
                .hint("choose another name"),
        );
    }
    if roster.members.contains_key(name) || roster.former.contains_key(name) {
        return Err(Fault::usage(format!(
            "the name {name} has been used; names are never reused"
        ))
        .hint("choose another name"));
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
                .hint("to write, they must join with a signing key: vault join --name NAME"),
        );
    }
    if Access::covers(Some(access), member.access.get(environment)) {
        return Ok(());
    }
    Err(
        Fault::usage(format!("{name} would lose access to {environment}")).hint(format!(
            "take it away: vault members set {name} -e {environment}=…"
        )),
    )
}
