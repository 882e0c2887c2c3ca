//! `vault join`: a request to become a member, and the fingerprint that vouches for it.

use crate::crypto::{Identity, Recipient, SigningKey};
use crate::fault::Fault;
use crate::session::context::Context;
use crate::session::grant::{check_free, member};
use crate::session::open::{FORKED, folder, seen, tree, trust};
use crate::session::person::{self, make_identity, own_key};
use crate::vault::change::seal_seed;
use crate::vault::format::{fingerprint, request_path, write_request};
use crate::vault::model::{Request, Roster, Signing};
use crate::vault::name::MemberName;
use crate::vault::store::{NewFile, Place, Writer};
use crate::vault::trust::{Asked, Presented, Seen, Standing, State, Trust, Vault};

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// To become a member.
    New,
    /// To have another key in the place of the one that a member has lost.
    Key,
}

pub(crate) fn join(
    context: &mut Context,
    name: Option<MemberName>,
    asking: Asking,
) -> Result<(), Fault> {
    let place = context.place_for_key()?;
    let name = person::name(context, name)?;
    let state = context.state_folder().ok_or_else(|| {
        Fault::usage("HOME is not set, so it cannot be remembered what you ask for")
            .hint("set HOME, or XDG_STATE_HOME")
    })?;
    let key = own_key(context, "does not join by a request")?;
    let trust = match &key {
        Some(key) => trust(context, key)?,
        None => Trust { pins: context.pin()?.into_iter().collect(), states: Vec::new() },
    };
    // The same folder is read, checked and written.
    tree(&place)?;
    let writer = Writer::lock(&place, &|| {
        context.console.note("waiting for another vault to finish writing…");
    })?;
    let presented = Presented::read(writer.tree()?)?;
    if presented.judge(&trust, &folder(&place))? == Standing::Forked {
        context.console.warn(FORKED);
    }
    let vault = presented.accept();
    if let Some(key) = &key {
        check_stranger(vault.roster(), &key.identity.recipient())?;
    }
    match asking {
        Asking::New => check_free(vault.roster(), &name)?,
        Asking::Key => drop(member(vault.roster(), &name)?),
    }
    if let Some(request) = vault.request(&name)? {
        return again(context, &vault, &trust, &request);
    }
    let identity = match key {
        Some(key) => key.identity,
        None => make_identity(context)?,
    };
    let (request, file) = ask(&vault, name, &identity);
    // First it is remembered what was asked for, or the answer could not be told from another one.
    let asked = Asked { name: request.name.clone(), fingerprint: fingerprint(&request) };
    let now = Seen { asked: Some(asked), ..seen(&vault, &place) };
    State::load(&state, &request.recipient)?.record(request.vault, &now)?;
    writer.replace(&[file])?;
    tell(context, &vault, &place, &request)
}

/// The request, with a signing key that from now on only `identity` can open.
fn ask(vault: &Vault, name: MemberName, identity: &Identity) -> (Request, NewFile) {
    let (recipient, key) = (identity.recipient(), SigningKey::generate());
    let signing = Signing { signer: key.public(), seed: seal_seed(&key, &recipient) };
    let request = Request { name, vault: vault.roster().vault, recipient, signing };
    let content = write_request(&request, &key);
    let path = request_path(&request.name);
    (request, NewFile { path, content })
}

/// There is a request by this name. It is shown again if the caller made it on this machine;
/// otherwise somebody else did, and its fingerprint is none to pass on.
fn again(context: &Context, vault: &Vault, trust: &Trust, request: &Request) -> Result<(), Fault> {
    let own = Asked { name: request.name.clone(), fingerprint: fingerprint(request) };
    let seen = trust.states.iter().filter_map(|state| state.seen(&vault.roster().vault));
    if !seen.into_iter().any(|seen| seen.asked.as_ref() == Some(&own)) {
        let path = request_path(&request.name);
        return Err(Fault::refused(format!(".vault/{path}: is a request that was not made here"))
            .hint(format!("choose another name, or remove it and ask anew: rm .vault/{path}")));
    }
    context
        .console
        .note(format!("you have asked to join as {} already; the fingerprint is", own.name));
    context.console.line(own.fingerprint)
}

fn check_stranger(roster: &Roster, recipient: &Recipient) -> Result<(), Fault> {
    match roster.members.iter().find(|(_, member)| member.recipient == *recipient) {
        Some((name, _)) => Err(Fault::usage(format!("you are a member already: {name}"))
            .hint("see who may do what: vault members list")),
        None => Ok(()),
    }
}

fn tell(context: &Context, vault: &Vault, place: &Place, request: &Request) -> Result<(), Fault> {
    let (console, roster) = (context.console, vault.roster());
    let admins = roster.members.iter().filter(|(_, member)| member.is_admin());
    let admins: Vec<&str> = admins.map(|(name, _)| name.as_str()).collect();
    let path = place.store().join(request_path(&request.name));
    console.note(format!("asked to join as {}: {}", request.name, path.display()));
    if roster.members.contains_key(&request.name) {
        console.note(format!(
            "an admin puts this key in the place of the one that {} has: vault members set {} \
             --recipient {}",
            request.name, request.name, request.recipient
        ));
    }
    console.note(format!("the vault's id, to compare with a colleague: {}", roster.vault));
    console.note(format!(
        "next: commit it, and tell an admin ({}) this fingerprint by another way than the \
         repository:",
        admins.join(", ")
    ));
    console.line(fingerprint(request))
}
