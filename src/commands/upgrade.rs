//! `vault key upgrade`: puts a post-quantum identity next to the caller's own, and asks for it to take
//! its place. The old one works until an admin has answered.

use std::path::PathBuf;

use crate::crypto::{Identity, NativeKind};
use crate::fault::Fault;
use crate::keys::{Source, add_identity};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::requesting::{ask, print, report, report_fingerprint};
use crate::vault::format::request_path;
use crate::vault::model::Request;
use crate::vault::trust::{Asked, State};

pub(crate) fn upgrade(context: &Context, key: CallerKey, style: Style) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let keys = check(&session)?;
    let folder = context.state_folder().ok_or_else(|| {
        Fault::usage("HOME is not set, so the request cannot be remembered")
            .hint("set HOME, or XDG_STATE_HOME")
    })?;
    let writer = session.lock(context)?;
    let name = session.name().clone();
    // One that is there already was made by an earlier run, which may have been killed.
    let others = std::mem::take(&mut session.key.others);
    let made = others
        .into_iter()
        .find(|identity| identity.recipient().is_post_quantum());
    if let Some(request) = session.vault.request(&name)? {
        check_own(&request, made.as_ref(), &folder)?;
        context
            .console
            .note("you have already requested this; the fingerprint is");
        session.remember(context)?;
        return print(context, &request, style);
    }
    let identity = match made {
        Some(made) => made,
        None => add(context, &keys)?,
    };
    let (request, file) = ask(&session.vault, name, &identity);
    let mut state = State::load(&folder, &request.recipient)?;
    session.introduce(&mut state)?;
    state.ask(
        session.vault.root().vault,
        Asked::of(&request, &session.vault)?,
    )?;
    writer.replace(&[file])?;
    session.remember(context)?;
    report(context, &session.vault, &session.place, &request)?;
    context.console.note("until then, your old key works");
    report_fingerprint(context, &session.vault)?;
    print(context, &request, style)
}

/// Returns the file to which the new identity is added.
fn check(session: &Session) -> Result<PathBuf, Fault> {
    if session.key.credential.is_some() {
        return Err(Fault::usage(
            "a credential is a machine's key, and a machine does not upgrade its own",
        )
        .hint("make a new one: `vault ci add`"));
    }
    if session.key.identity.recipient().is_post_quantum() {
        return Err(Fault::usage("your key is post-quantum already")
            .hint("see whose key is not: `vault status`"));
    }
    check_other_admin(session)?;
    if session.key.identity.recipient().is_ssh() {
        return Err(Fault::usage("your key is an SSH key, to which vault adds nothing").hint(
            "make an age identity in a file, and ask with that: `vault join --new-key --key-file PATH`",
        ));
    }
    session.key.source.file().ok_or_else(|| {
        let fault = Fault::usage("your key is not in a file, so no other can be added to it");
        fault.hint(match session.key.source {
            Source::Keyring => {
                "add it in a file: `vault key move --to file`, and later `vault key move --to keyring`"
            }
            _ => "put it into a file, and name that: `vault key upgrade --key-file PATH`",
        })
    })
}

/// Checks that someone can answer the request: no admin replaces their own key.
fn check_other_admin(session: &Session) -> Result<(), Fault> {
    let mut admins = session.vault.members()?.counting.iter();
    if admins.any(|(name, member)| member.is_admin() && name != session.name()) {
        return Ok(());
    }
    Err(
        Fault::usage("you are the only admin, and another admin has to replace your key")
            .hint("make someone else an admin first: `vault members set NAME --admin`"),
    )
}

fn add(context: &Context, file: &std::path::Path) -> Result<Identity, Fault> {
    let identity = Identity::generate(NativeKind::Hybrid);
    add_identity(file, &[&identity])?;
    context.console.note(format!(
        "added a post-quantum key: {} (back it up; it is not in the repository)",
        file.display()
    ));
    Ok(identity)
}

/// Checks that a request was made here, with this identity. The fingerprint of someone else's must not
/// be passed on.
fn check_own(
    request: &Request,
    made: Option<&Identity>,
    folder: &std::path::Path,
) -> Result<(), Fault> {
    if let Some(identity) = made.filter(|made| made.recipient() == request.recipient) {
        let state = State::load(folder, &identity.recipient())?;
        let asked = state.asked(&request.vault);
        if asked.is_some_and(|asked| asked.is(request)) {
            return Ok(());
        }
    }
    let path = request_path(&request.name);
    Err(
        Fault::refused_file(&path, "is a request that was not made here")
            .hint(format!("remove it and try again: `rm .vault/{path}`")),
    )
}
