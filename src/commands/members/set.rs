//! `vault members set`: changes the access or the key of a member.

use std::collections::BTreeMap;

use serde_json::json;

use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::change_report;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::grant::{grant, member};
use crate::session::membership::{authority_question, check_unchanged, confirm_request};
use crate::session::open::Session;
use crate::session::output::{Style, spelled};
use crate::session::renewal::{Wanted, foresee, renew};
use crate::vault::format::request_path;
use crate::vault::model::{Access, Member, Roster, Signing};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::Role;

/// The command line of `members set`.
pub(crate) struct Set {
    pub(crate) name: MemberName,
    /// `None` takes all access to the environment.
    pub(crate) access: BTreeMap<EnvironmentName, Option<Access>>,
    pub(crate) role: Option<Role>,
    pub(crate) recipient: Option<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) answer: Answer,
    pub(crate) style: Style,
}

pub(crate) fn set(context: &Context, key: CallerKey, command: &Set) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let name = &command.name;
    // Check the right to do this before asking questions.
    session.holder().check_admin()?;
    let before = member(session.vault.roster(), name)?.clone();
    let mut wanted = wanted(context, &session, command, &before)?;
    let mut after = session.vault.roster().clone();
    put(&mut after, name, wanted.clone());
    if foresee(&session, &after)?.authority {
        confirm(context.console, &authority_question(name), command.answer)?;
    }
    let floor = session.vault.roster().floor;
    let mut admin = Admin::start_anew(context, &mut session)?;
    check_unchanged(&admin.roster(), name, &before)?;
    let is_replaced = wanted.recipient != before.recipient;
    if wanted.is_admin() && (is_replaced || !before.is_admin()) {
        wanted.authority = Some(admin.authority().share(&wanted.recipient));
    }
    let has_request = is_replaced && wanted.signing.is_some();
    let (less, more) = split(&before, wanted);
    let is_less = less != before || admin.is_unfinished()?;
    let mut renewed = None;
    if is_less {
        let mut after = admin.roster();
        put(&mut after, name, less);
        renewed = Some(renew(context, &mut admin, after, &Wanted::default())?);
    }
    if !more.is_empty() {
        let grants = BTreeMap::from([(name.clone(), more.clone())]);
        let mut roster = admin.roster();
        grant(context, &mut admin, &mut roster, &grants)?;
    }
    if has_request {
        admin.writer.remove(&request_path(name))?;
    }
    admin.finish(context)?;
    if !is_less && more.is_empty() {
        context.console.note(format!(
            "unchanged: {}",
            summary(session.vault.roster(), name)
        ));
        return change_report::report_no_exposures(context, command.style, &json!([]));
    }
    context.console.note(summary(session.vault.roster(), name));
    if let Some(renewed) = renewed {
        change_report::report(context, &session, &renewed, floor);
        change_report::report_exposures(context, &session, name, command.style)?;
    } else {
        change_report::report_no_exposures(context, command.style, &json!([]))?;
    }
    context.console.note("next: commit .vault");
    Ok(())
}

/// Returns the member after the change. The authority is not sealed to them yet.
fn wanted(
    context: &Context,
    session: &Session,
    command: &Set,
    before: &Member,
) -> Result<Member, Fault> {
    let mut wanted = before.clone();
    for (environment, access) in &command.access {
        session.vault.environment(environment)?;
        match access {
            Some(access) => drop(wanted.access.insert(environment.clone(), access.clone())),
            None => drop(wanted.access.remove(environment)),
        }
    }
    if let Some(recipient) = &command.recipient {
        replace_key(context, session, command, &mut wanted, recipient)?;
    }
    check_writes(&command.name, &wanted)?;
    let is_admin = command
        .role
        .map_or(before.is_admin(), |role| role == Role::Admin);
    if is_admin {
        check_admin(&command.name, &wanted)?;
    }
    wanted.authority = is_admin.then(|| before.authority.clone().unwrap_or_default());
    Ok(wanted)
}

/// Replaces the key of `member`. If they made a request with the new key, it also brings a signing
/// key; otherwise they have none.
fn replace_key(
    context: &Context,
    session: &Session,
    command: &Set,
    member: &mut Member,
    recipient: &str,
) -> Result<(), Fault> {
    let recipient: Recipient = recipient.parse().map_err(|_| {
        Fault::usage("not a recipient")
            .hint("it is one word, age1…; print it with `vault key show`")
    })?;
    let name = &command.name;
    let mut members = session.vault.roster().members.iter();
    if let Some((other, _)) = members.find(|(_, other)| other.recipient == recipient) {
        return Err(Fault::usage(format!(
            "this is already the recipient of {other}"
        )));
    }
    let request = session.vault.request(name)?;
    member.signing = match request.filter(|request| request.recipient == recipient) {
        Some(request) => {
            let what = format!("{name} wants to replace their key with another one.");
            confirm_request(context, &request, command.fingerprint.as_deref(), &what)?;
            let Signing { signer, seed } = request.signing;
            Some(Signing { signer, seed })
        }
        None => None,
    };
    member.recipient = recipient;
    // The old key was in a credential, which is now void.
    member.credential_floor = None;
    Ok(())
}

/// Checks that the member can be an admin, who must sign re-encrypted entries.
fn check_admin(name: &MemberName, member: &Member) -> Result<(), Fault> {
    if member.credential_floor.is_some() {
        return Err(Fault::usage(format!(
            "{name} is a machine, and a machine cannot be an admin"
        )));
    }
    if member.signing.is_some() {
        return Ok(());
    }
    Err(
        Fault::usage(format!("{name} cannot be an admin without a signing key")).hint(format!(
            "ask {name} to request a new key: `vault join --new-key --name {name}`"
        )),
    )
}

/// Puts `member` into the roster. A replaced key stays among the former members.
fn put(roster: &mut Roster, name: &MemberName, member: Member) {
    if roster
        .members
        .get(name)
        .is_some_and(|before| before.recipient != member.recipient)
    {
        roster.retire_key(name);
    }
    roster.members.insert(name.clone(), member);
}

fn check_writes(name: &MemberName, member: &Member) -> Result<(), Fault> {
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
    .hint(format!(
        "ask {name} to request one with the new key: `vault join --new-key --name {name}`"
    ))
    .hint(format!(
        "to let them read only: `vault members set {name} -e {environment}=read …`"
    )))
}

/// Splits the change in two: the member after everything that takes access, and the access that is
/// only an addition, which is granted afterwards.
fn split(before: &Member, wanted: Member) -> (Member, BTreeMap<EnvironmentName, Access>) {
    let mut less = wanted;
    let is_same = less.recipient == before.recipient;
    let only_more = |environment: &EnvironmentName, access: &Access| {
        let had = before.access.get(environment);
        had.is_none_or(|had| is_same && had != access && Access::covers(Some(access), Some(had)))
    };
    let more: BTreeMap<EnvironmentName, Access> = less
        .access
        .iter()
        .filter(|(environment, access)| only_more(environment, access))
        .map(|(environment, access)| (environment.clone(), access.clone()))
        .collect();
    for environment in more.keys() {
        match before.access.get(environment) {
            Some(had) => drop(less.access.insert(environment.clone(), had.clone())),
            None => drop(less.access.remove(environment)),
        }
    }
    (less, more)
}

fn summary(roster: &Roster, name: &MemberName) -> String {
    let Some(member) = roster.members.get(name) else {
        return format!("{name} is not a member");
    };
    let places: Vec<String> = member.access.iter().map(spelled).collect();
    let access = if places.is_empty() {
        "no access".to_owned()
    } else {
        places.join(" ")
    };
    let role = if member.is_admin() { "the admin " } else { "" };
    format!("{role}{name} has {access}")
}
