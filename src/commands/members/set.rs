//! `vault members set`: changes the access or the key of a member.

mod keys;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use self::keys::{check_admin, check_writes, has_request, replace_key, take_signing_key};
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::change_report;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::grant::{grant, no_member};
use crate::session::membership::{
    authority_question, check_unchanged, confirm_completions, not_a_counting_member,
    rotated_without,
};
use crate::session::open::Session;
use crate::session::output::{Style, spelled};
use crate::session::past::is_known;
use crate::session::renewal::{Renewed, Wanted, foresee, renew};
use crate::vault::format::request_path;
use crate::vault::model::{Access, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::Role;

/// The command line of `members set`.
pub(crate) struct Set {
    pub(crate) name: MemberName,
    /// `None` takes all access to the environment.
    pub(crate) access: BTreeMap<EnvironmentName, Option<Access>>,
    pub(crate) role: Option<Role>,
    pub(crate) key: Option<NewKey>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) answer: Answer,
    pub(crate) style: Style,
}

/// The key that replaces the member's own.
pub(crate) enum NewKey {
    /// The recipient that was typed.
    Typed(String),
    /// The one in the member's request.
    Requested,
}

pub(crate) fn set(context: &Context, key: CallerKey, command: &Set) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let name = &command.name;
    // Check the right to do this before asking questions.
    session.holder().check_admin()?;
    let members = session.vault.membership()?;
    if !members.members.contains_key(name)
        && is_only_taken(command)
        && (is_given(&members, name) || is_known(&session, name)?)
    {
        return take(context, &mut session, command);
    }
    let Some(before) = members.members.get(name).cloned() else {
        return Err(not_a_counting_member(&session.vault, name)?);
    };
    let own = std::slice::from_ref(name);
    let completed = confirm_completions(context, &session, own, command.answer)?;
    let is_completed = !completed.is_empty();
    let wanted_member = wanted(context, &session, command, &before)?;
    let mut after = members;
    put(&mut after, name, wanted_member.clone());
    if foresee(&session, &after)?.authority {
        confirm(context.console, &authority_question(name), command.answer)?;
    }
    let is_replaced = wanted_member.recipient != before.recipient;
    let mut epochs = taken(command);
    if is_replaced || is_completed {
        epochs.extend(rotated_without(context, &session, own)?);
    }
    let mut admin = Admin::start_anew(context, &mut session)?;
    check_unchanged(&admin.membership()?, name, Some(&before))?;
    let mut wanted_member = wanted_member;
    if wanted_member.is_admin() && (is_replaced || !before.is_admin()) {
        wanted_member.authority = Some(admin.authority().share(&wanted_member.recipient));
    }
    let has_request = has_request(&admin.session.vault, command, &wanted_member)?;
    let (less, more) = split(&before, wanted_member);
    let is_less = less != before || !epochs.is_empty() || is_completed;
    let mut renewed = None;
    // The same command, typed again, finishes what was interrupted after the root was written.
    let is_repeated = !is_less && more.is_empty();
    if is_less || is_repeated {
        let mut after = admin.membership()?;
        put(&mut after, name, less);
        let all = after.root.environments.keys().cloned();
        let wanted = Wanted {
            epochs,
            completed,
            finished: all.filter(|_| is_repeated).collect(),
            ..Wanted::default()
        };
        let done = renew(context, &mut admin, after, &wanted)?;
        renewed = (is_less || !done.is_nothing()).then_some(done);
    }
    if !more.is_empty() {
        let grants = BTreeMap::from([(name.clone(), more.clone())]);
        let after = admin.membership()?;
        grant(context, &mut admin, after, &grants)?;
    }
    if has_request {
        admin.writer.remove(&request_path(name))?;
    }
    admin.finish(context)?;
    report(
        context,
        &session,
        command,
        renewed.as_ref(),
        !more.is_empty(),
    )
}

fn report(
    context: &Context,
    session: &Session,
    command: &Set,
    renewed: Option<&Renewed>,
    has_more: bool,
) -> Result<(), Fault> {
    let name = &command.name;
    let summary = summary(&session.vault.membership()?, name);
    let Some(renewed) = renewed else {
        let note = if has_more {
            summary
        } else {
            format!("unchanged: {summary}")
        };
        context.console.note(note);
        change_report::report_no_exposures(context, command.style, &json!([]))?;
        if has_more {
            context.console.note("next: commit .vault");
        }
        return Ok(());
    };
    context.console.note(summary);
    change_report::report(context, session, renewed)?;
    let names = std::slice::from_ref(name);
    change_report::report_exposures(context, session, names, command.style)?;
    context.console.note("next: commit .vault");
    Ok(())
}

/// Whether the command takes access and does nothing else.
fn is_only_taken(command: &Set) -> bool {
    let is_taken = !command.access.is_empty() && command.access.values().all(Option::is_none);
    is_taken && command.role.is_none() && command.key.is_none()
}

/// Whether a newest data key was sealed to `name` when it began.
fn is_given(membership: &Membership, name: &MemberName) -> bool {
    let mut environments = membership.root.environments.values();
    environments.any(|environment| environment.given.contains(name))
}

/// Takes access from a name that is not a member here. A commit of this clone gave it to them, on a
/// branch that is not merged; if it is merged later, their file does not count.
fn take(context: &Context, session: &mut Session, command: &Set) -> Result<(), Fault> {
    let (name, epochs) = (&command.name, taken(command));
    if session.vault.root().former.contains_key(name) {
        return Err(no_member(&session.vault.membership()?, name));
    }
    for environment in &epochs {
        session.vault.environment(environment)?;
    }
    let mut admin = Admin::start_anew(context, session)?;
    let after = admin.membership()?;
    let wanted = Wanted {
        taken: BTreeMap::from([(name.clone(), epochs.clone())]),
        epochs,
        ..Wanted::default()
    };
    let renewed = renew(context, &mut admin, after, &wanted)?;
    admin.finish(context)?;
    context.console.note(format!("{name} is not a member here"));
    change_report::report(context, session, &renewed)?;
    let names = std::slice::from_ref(name);
    change_report::report_exposures(context, session, names, command.style)?;
    context.console.note("next: commit .vault");
    Ok(())
}

/// The environments from which all access is taken: they always get a new epoch, because a branch
/// that is not merged here may have granted some.
fn taken(command: &Set) -> BTreeSet<EnvironmentName> {
    let access = command.access.iter();
    access
        .filter(|(_, access)| access.is_none())
        .map(|(name, _)| name.clone())
        .collect()
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
    if let Some(key) = &command.key {
        replace_key(context, session, command, &mut wanted, key)?;
    }
    let is_admin = command
        .role
        .map_or(before.is_admin(), |role| role == Role::Admin);
    take_signing_key(context, session, command, &mut wanted, is_admin)?;
    check_writes(command, &wanted)?;
    if is_admin {
        check_admin(&command.name, &wanted)?;
    }
    wanted.authority = is_admin.then(|| before.authority.clone().unwrap_or_default());
    Ok(wanted)
}

/// Puts `member` among the members. Replaced keys stay among the former ones.
fn put(membership: &mut Membership, name: &MemberName, member: Member) {
    if membership
        .members
        .get(name)
        .is_some_and(|before| before.recipient != member.recipient)
    {
        membership.retire_keys(name);
    }
    membership.members.insert(name.clone(), member);
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

fn summary(membership: &Membership, name: &MemberName) -> String {
    let Some(member) = membership.members.get(name) else {
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
