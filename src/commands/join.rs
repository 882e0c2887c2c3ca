//! `vault join`: makes a request to become a member, and prints its fingerprint.

use crate::crypto::{Identity, NativeKind, Recipient};
use crate::fault::Fault;
use crate::keys::Found;
use crate::session::caller_key::CallerKey;
use crate::session::console::is_interactive;
use crate::session::context::Context;
use crate::session::grant::{check_free, member};
use crate::session::new_vault::{LATER, QUESTION, ask_for_id, check_pin};
use crate::session::older_root::judge;
use crate::session::open::{FORKED, met, tree, trust};
use crate::session::output::Style;
use crate::session::person::{self, make_identity, own_key};
use crate::session::requesting::{ask, print, report, report_fingerprint};
use crate::vault::format::request_path;
use crate::vault::model::{Member, Membership, Request};
use crate::vault::name::MemberName;
use crate::vault::store::{Place, Tree, Writer};
use crate::vault::trust::{Asked, Pin, Standing, State, Trust, UnverifiedRoot, Vault};

/// The kind of request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// To become a member.
    New,
    /// To replace the lost key of a member.
    Key,
}

/// The command line of `join`.
pub(crate) struct Join {
    pub(crate) name: Option<MemberName>,
    pub(crate) asking: Asking,
    /// The vault's id, as a colleague sent it.
    pub(crate) id: Option<String>,
    /// The kind of key to make, if the caller has none.
    pub(crate) kind: NativeKind,
    pub(crate) style: Style,
}

pub(crate) fn join(context: &Context, mut key: CallerKey, command: Join) -> Result<(), Fault> {
    let pin = command.id.as_deref().map(Pin::typed).transpose()?;
    let place = match pin {
        Some(_) => context.place_for_id()?,
        None => context.place_for_key(&mut key)?,
    };
    let folder = context.state_folder().ok_or_else(|| {
        Fault::usage("HOME is not set, so the request cannot be remembered")
            .hint("set HOME, or XDG_STATE_HOME")
    })?;
    let key = own_key(context, key, "does not join by request")?;
    let mut trust = match &key {
        Some(key) => trust(context, key)?,
        None => Trust {
            pins: context.pin()?.into_iter().collect(),
            states: Vec::new(),
        },
    };
    trust.pins.extend(pin);
    let (vault, standing) = judged(&place, tree(&place)?, &trust)?;
    let name = name(context, &vault, key.as_ref(), command.name)?;
    let check = |vault: &Vault| check_request(vault, key.as_ref(), &name, command.asking);
    check(&vault)?;
    let pasted = match (pin, standing) {
        (None, Standing::Unknown) if is_interactive() => ask_for_id(
            context.console,
            &vault.root().vault,
            &|pin| check_pin(&vault, pin),
            &question(),
        )?,
        (pin, _) => pin,
    };
    trust.pins.extend(pasted);
    // Read and check again under the lock.
    let writer = Writer::lock(&place, &|| {
        context
            .console
            .note("waiting for another vault to finish writing…");
    })?;
    let (vault, standing) = judged(&place, writer.tree()?, &trust)?;
    check(&vault)?;
    if standing == Standing::Forked {
        context.console.warn(FORKED);
    }
    let id = vault.root().vault;
    let remember = |state: &mut State| match pasted {
        Some(_) => state.enter(&met(&vault, &place)),
        None if state.seen(&id).is_some() => state.record(&met(&vault, &place)),
        // No id becomes trusted because someone asked to join.
        None => Ok(()),
    };
    if let Some(request) = vault.request(&name)? {
        again(context, &mut trust, &request, &remember)?;
        return print(context, &request, command.style);
    }
    let identity = match key {
        Some(mut key) => {
            // Of several, the first that is new here.
            key.prefer(&|identity| Ok(vault.member_with(&identity.recipient())?.is_none()))?;
            key.identity
        }
        None => make_identity(context, command.kind)?,
    };
    let (request, file) = ask(&vault, name, &identity);
    // Remember the request first, or its answer would look like any other.
    let asked = Asked::of(&request, &vault)?;
    let mut state = State::load(&folder, &request.recipient)?;
    remember(&mut state)?;
    state.ask(id, asked)?;
    writer.replace(&[file])?;
    report(context, &vault, &place, &request)?;
    report_trust(context, standing);
    report_fingerprint(context, &vault)?;
    print(context, &request, command.style)
}

fn report_trust(context: &Context, standing: Standing) {
    if standing == Standing::Unknown {
        let note = format!("the vault is not trusted yet: {LATER}");
        context.console.note(note);
    }
}

fn question() -> String {
    format!("This vault is new to you. {QUESTION}, or press Enter to do it later: ")
}

/// Returns the vault in `tree`, and whether the caller trusts it.
fn judged(place: &Place, tree: Tree, trust: &Trust) -> Result<(Vault, Standing), Fault> {
    let presented = UnverifiedRoot::read(tree)?;
    let standing = judge(&presented, trust, place, None)?;
    let vault = presented.into_vault()?;
    trust.check_asked(&vault)?;
    Ok((vault, standing))
}

/// The name that was typed, or the one that the caller has here, or their login name.
fn name(
    context: &Context,
    vault: &Vault,
    key: Option<&Found>,
    typed: Option<MemberName>,
) -> Result<MemberName, Fault> {
    match (typed, reader(vault, key)?) {
        (None, Some(own)) => Ok(own),
        (typed, _) => person::name(context, typed),
    }
}

/// Checks that the request can be made.
fn check_request(
    vault: &Vault,
    key: Option<&Found>,
    name: &MemberName,
    asking: Asking,
) -> Result<(), Fault> {
    let membership = vault.membership()?;
    if reader(vault, key)?.as_ref() == Some(name) {
        return Ok(());
    }
    let known = |identity: &Identity| check_not_member(&membership, &identity.recipient());
    let identities = key.iter().flat_map(|key| key.identities());
    let checked: Vec<Result<(), Fault>> = identities.map(known).collect();
    // One that is not a member's can take the place of one that is.
    if asking == Asking::New || checked.iter().all(Result::is_err) {
        checked.into_iter().collect::<Result<(), _>>()?;
    }
    match asking {
        Asking::New => check_free(&membership, name),
        Asking::Key => member(&membership, name).map(drop),
    }
}

/// The member who has the caller's key and no signing key: they were added by a recipient alone, and
/// can ask for one.
fn reader(vault: &Vault, key: Option<&Found>) -> Result<Option<MemberName>, Fault> {
    let Some(key) = key else { return Ok(None) };
    let own = vault.member_with(&key.identity.recipient())?;
    let is_reader = |member: &Member| member.signing.is_none() && member.credential.is_none();
    Ok(own
        .filter(|(_, member)| is_reader(member))
        .map(|(name, _)| name))
}

/// Shows an existing request of this name again if the caller made it on this machine. Otherwise
/// refuses, because the fingerprint of someone else's request must not be passed on.
fn again(
    context: &Context,
    trust: &mut Trust,
    request: &Request,
    remember: &dyn Fn(&mut State) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut states = trust.states.iter_mut();
    let is_own = |state: &&mut State| {
        let asked = state.asked(&request.vault);
        asked.is_some_and(|asked| asked.is(request))
    };
    let Some(state) = states.find(is_own) else {
        let path = request_path(&request.name);
        return Err(
            Fault::refused_file(&path, "is a request that was not made here").hint(format!(
                "choose another name, or remove it and join again: `rm .vault/{path}`"
            )),
        );
    };
    remember(state)?;
    context.console.note(format!(
        "you have already requested to join as {}; the fingerprint is",
        request.name
    ));
    Ok(())
}

fn check_not_member(membership: &Membership, recipient: &Recipient) -> Result<(), Fault> {
    match membership
        .members
        .iter()
        .find(|(_, member)| member.recipient == *recipient)
    {
        Some((name, _)) => Err(Fault::usage(format!("you are already a member: {name}"))
            .hint("list the members: `vault members list`")),
        None => Ok(()),
    }
}
