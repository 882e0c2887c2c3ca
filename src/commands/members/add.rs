//! `vault members add`: adds someone with a request to join, or a bare recipient that can read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::keys::{PublicSshKey, is_key, misplaced, ssh_keys, typed_recipient};
use crate::platform;
use crate::secret::Secret;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::console::is_interactive;
use crate::session::context::Context;
use crate::session::grant::{check_free, check_twins, grant};
use crate::session::membership::confirm_request;
use crate::session::open::Session;
use crate::session::output::spelled;
use crate::session::past::check_unused;
use crate::session::prompt::visible;
use crate::vault::format::request_path;
use crate::vault::model::{Access, Member, Membership};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::Role;

/// The longest file with SSH keys, in bytes.
const LONGEST_FILE: usize = 1 << 20;

/// The command line of `members add`.
pub(crate) struct Add {
    pub(crate) name: MemberName,
    pub(crate) access: BTreeMap<EnvironmentName, Access>,
    pub(crate) role: Role,
    pub(crate) fingerprint: Option<String>,
    /// A key to add without a request.
    pub(crate) key: Option<GivenKey>,
}

/// A public key that was given instead of a request.
pub(crate) enum GivenKey {
    /// The recipient that was typed.
    Typed(String),
    /// A file with SSH keys; `-` is standard input.
    SshFile(String),
}

pub(crate) fn add(context: &Context, key: CallerKey, command: &Add) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    // Check the right to do this before asking questions.
    session.holder().check_admin()?;
    let access = wanted_access(context, &session, command)?;
    let member = match &command.key {
        Some(GivenKey::Typed(text)) => Member::new(typed_recipient(text)?),
        Some(GivenKey::SshFile(path)) => Member::new(from_file(context, &session, command, path)?),
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
    if command.key.is_none() {
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

/// The SSH key in the file at `path`. If there are several, a person chooses.
fn from_file(
    context: &Context,
    session: &Session,
    command: &Add,
    path: &str,
) -> Result<Recipient, Fault> {
    let keys = public_keys(session, path)?;
    if let [only] = &keys[..] {
        return Ok(only.recipient.clone());
    }
    let (count, place) = (keys.len(), shown(path));
    if !is_interactive() {
        let fault = Fault::usage(format!("{place} has {count} usable SSH keys"));
        let fault = keys.iter().fold(fault, |fault, key| {
            fault.hint(format!("the key {}", listed(key)))
        });
        let name = &command.name;
        return Err(fault.hint(format!(
            "name one: `vault members add {name} --recipient \"ssh-ed25519 AAAA…\" …`"
        )));
    }
    let list = (1..)
        .zip(&keys)
        .map(|(number, key)| format!("  {number}. {}\n", listed(key)));
    let list: String = list.collect();
    let question = format!("{place} has {count} usable SSH keys:\n{list}Type the number of one: ");
    let typed = visible(context.console, &question)?;
    let chosen = typed
        .trim()
        .parse()
        .ok()
        .and_then(|number: usize| number.checked_sub(1));
    let key = chosen.and_then(|at| keys.get(at));
    key.map(|key| key.recipient.clone())
        .ok_or_else(|| Fault::usage("that is not the number of a key"))
}

/// A key in a list: the end of its text, which people can compare, and its comment.
fn listed(key: &PublicSshKey) -> String {
    let text = key.recipient.to_string();
    let end = &text[text.len() - 12..];
    format!("…{end} {}", key.comment).trim_end().to_owned()
}

fn shown(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

fn public_keys(session: &Session, path: &str) -> Result<Vec<PublicSshKey>, Fault> {
    if is_key(path) {
        return Err(misplaced("--ssh", "a path"));
    }
    let is_input = path == "-" || platform::own_descriptor(Path::new(path)) == Some(0);
    if is_input && session.key.source.is_input() {
        return Err(Fault::usage(
            "standard input contains your key, so it cannot contain the SSH key",
        ));
    }
    let text = if is_input {
        Secret::read(&mut platform::Input, LONGEST_FILE)
    } else {
        platform::open_named(Path::new(path))
            .and_then(|mut file| Secret::read(&mut file, LONGEST_FILE))
    };
    let text = text
        .map_err(|error| Fault::failed(format!("could not read {}", shown(path))).because(error))?;
    let text = std::str::from_utf8(text.expose())
        .map_err(|_| Fault::usage(format!("{} is not UTF-8 text", shown(path))))?;
    ssh_keys(text, shown(path))
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
    check_twins(membership, &member.recipient)?;
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
