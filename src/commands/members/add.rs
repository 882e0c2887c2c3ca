//! `vault members add`: adds someone with a request to join, or a bare recipient that can read.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::grant::{check_free, grant};
use crate::session::membership::confirm_request;
use crate::session::open::Session;
use crate::session::output::spelled;
use crate::session::past::check_unused;
use crate::vault::format::request_path;
use crate::vault::model::{Access, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::Role;

/// The command line of `members add`.
pub(crate) struct Add {
    pub(crate) name: MemberName,
    pub(crate) access: BTreeMap<EnvironmentName, Access>,
    pub(crate) role: Role,
    pub(crate) fingerprint: Option<String>,
    pub(crate) recipient: Option<String>,
}

pub(crate) fn add(context: &Context, key: CallerKey, command: &Add) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    // Check the right to do this before asking questions.
    session.holder().check_admin()?;
    let access = wanted_access(context, &session, command)?;
    let member = match &command.recipient {
        Some(recipient) => reader(recipient)?,
        None => joining(context, &session, command, &access)?,
    };
    let mut admin = Admin::start(context, &mut session)?;
    let mut membership = admin.membership()?;
    let recipient = member.recipient.clone();
    enter(&mut membership, &command.name, member)?;
    check_unused(admin.session, &command.name, &recipient)?;
    if command.role == Role::Admin
        && let Some(member) = membership.members.get_mut(&command.name)
    {
        member.authority = Some(admin.authority().share(&member.recipient));
    }
    let grants = BTreeMap::from([(command.name.clone(), access)]);
    grant(context, &mut admin, membership, &grants)?;
    if command.recipient.is_none() {
        admin.writer.remove(&request_path(&command.name))?;
    }
    admin.finish(context)?;
    let role = if command.role == Role::Admin {
        "the admin "
    } else {
        ""
    };
    let access: Vec<String> = grants[&command.name].iter().map(spelled).collect();
    context.console.note(format!(
        "added {role}{}: {}",
        command.name,
        access.join(" ")
    ));
    context.console.note("next: commit .vault");
    Ok(())
}

/// Returns the typed access, or full access for an admin if none was typed.
fn wanted_access(
    context: &Context,
    session: &Session,
    command: &Add,
) -> Result<BTreeMap<EnvironmentName, Access>, Fault> {
    let vault = &session.vault;
    if command.access.is_empty() {
        if command.role == Role::Admin {
            let all = vault.root().environments.keys();
            return Ok(all.map(|name| (name.clone(), Access::Write)).collect());
        }
        let name = &command.name;
        return Err(
            Fault::usage(format!("no access was given for {name}")).hint(format!(
                "name the access to each environment: `vault members add {name} -e ENV=read`"
            )),
        );
    }
    for (environment, access) in &command.access {
        vault.environment(environment)?;
        let Access::Names(names) = access else {
            continue;
        };
        let known = vault.entry_names(environment)?;
        for name in names.iter().filter(|name| !known.contains(name)) {
            context
                .console
                .warn(format!("{environment} has no {name} yet"));
        }
    }
    Ok(command.access.clone())
}

/// Makes a member who has only a recipient.
fn reader(recipient: &str) -> Result<Member, Fault> {
    let recipient = recipient.parse().ok().ok_or_else(|| {
        Fault::usage("not a recipient")
            .hint("it is one word, age1…; print it with `vault key show`")
    })?;
    Ok(Member::new(recipient))
}

/// Makes a member of a request, confirmed by its fingerprint.
fn joining(
    context: &Context,
    session: &Session,
    command: &Add,
    access: &BTreeMap<EnvironmentName, Access>,
) -> Result<Member, Fault> {
    let name = &command.name;
    let request = session.vault.request(name)?.ok_or_else(|| {
        Fault::usage(format!("no join request from {name}"))
            .hint(format!("ask {name} to run `vault join --name {name}` and merge it"))
            .hint(format!("to add them for reading only: `vault members add {name} --recipient age1… -e ENV=read`"))
    })?;
    let member = Member {
        signing: Some(request.signing.clone()),
        ..Member::new(request.recipient.clone())
    };
    // Check that it is possible before asking questions.
    enter(&mut session.vault.membership()?, name, member.clone())?;
    let role = if command.role == Role::Admin {
        ", as an admin"
    } else {
        ""
    };
    let access: Vec<String> = access.iter().map(spelled).collect();
    let what = format!(
        "{name} wants to join and would get {}{role}.",
        access.join(" ")
    );
    let asked = format!("vault join --name {}", request.name);
    confirm_request(
        context,
        &request,
        command.fingerprint.as_deref(),
        &what,
        &asked,
    )?;
    Ok(member)
}

/// Adds `member` without access. A member with the same name and keys, which an interrupted command
/// may leave, stays unchanged.
fn enter(membership: &mut Membership, name: &MemberName, member: Member) -> Result<(), Fault> {
    if let Some(before) = membership.members.get(name)
        && before.signing.is_some()
        && (&before.recipient, &before.signing) == (&member.recipient, &member.signing)
    {
        return Ok(());
    }
    check_free(membership, name)?;
    if let Some((other, _)) = membership
        .members
        .iter()
        .find(|(_, other)| other.recipient == member.recipient)
    {
        return Err(
            Fault::usage(format!("this recipient is already a member: {other}")).hint(format!(
                "change their access: `vault members set {other} -e ENV=…`"
            )),
        );
    }
    if let Some(former) = membership.root.former_with(&member) {
        return Err(Fault::usage(format!(
            "these keys belong to the former member {former}, and keys of former members never \
             come back"
        ))
        .hint("make a new key: `vault join --new-key --name NAME`"));
    }
    membership.members.insert(name.clone(), member);
    Ok(())
}
