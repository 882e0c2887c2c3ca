//! `vault trust`: trusts an id that a colleague sent out of band, or goes back to a root from before a
//! revocation whose branch was abandoned.

use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::session::caller_key::CallerKey;
use crate::session::console::{Answer, confirm, is_interactive};
use crate::session::context::Context;
use crate::session::new_vault::{LATER, check_pin, pasted_id};
use crate::session::older_root::{NO_TAG, OlderRoot, list, typed};
use crate::session::open::{folder, met, tree};
use crate::vault::format::ROOT_PATH;
use crate::vault::name::MemberName;
use crate::vault::regained::Regained;
use crate::vault::store::Place;
use crate::vault::trust::{Met, Pin, State, Trust, UnverifiedRoot, Vault};

/// The command line of `trust`.
pub(crate) struct TrustArguments {
    pub(crate) id: Option<String>,
    /// Those who may have access again.
    pub(crate) give_back: Vec<MemberName>,
    pub(crate) answer: Answer,
}

/// Trusts the typed id, or asks for it at a terminal.
pub(crate) fn trust(
    context: &Context,
    key: CallerKey,
    command: &TrustArguments,
) -> Result<(), Fault> {
    let pin = match &command.id {
        Some(id) => Pin::typed(id.strip_suffix(&format!("@{NO_TAG}")).unwrap_or(id))?,
        None if is_interactive() => pasted_id(context.console)?,
        None => return Err(Fault::usage("no id was given").hint(LATER)),
    };
    let key = key.needed(context)?;
    if key.credential.is_some() {
        return Err(Fault::usage("a credential carries its own pin")
            .hint("for another vault, make a credential there: `vault ci add`"));
    }
    let folder = context.state_folder().ok_or_else(|| {
        Fault::usage("HOME is not set, so nothing can be remembered").hint(format!(
            "set it for every command: `VAULT_ID={}`",
            pin.vault
        ))
    })?;
    let own = key.identity.recipient();
    let here = here(context, &pin);
    let refuses = |state: &State| match (&here, state.seen(&pin.vault)) {
        (Some((_, vault)), Some(seen)) => !seen.accepts(&vault.root().revocations),
        _ => false,
    };
    // Commands without a key ask every record on this machine, also those of former keys.
    let refusing = State::load_all(&folder)?.into_iter().filter(refuses);
    let mut refusing: Vec<State> = refusing.collect();
    if let (Some((place, _)), false) = (&here, refusing.is_empty()) {
        let met = go_back(context, place, &pin, &own, &mut refusing, command)?;
        let is_own = |state: &State| state.owner() == Some(own.digest());
        if refusing.iter().any(is_own) {
            return Ok(());
        }
        return State::load(&folder, &own)?.enter(&met);
    }
    let state = State::load(&folder, &own)?;
    enter(context, &pin, state, here.as_ref(), command)
}

/// Returns the vault around this folder, if it has the id. Warns if it has another one.
fn here(context: &Context, pin: &Pin) -> Option<(Place, Vault)> {
    let place = context.place_for_id().ok()?;
    let presented = UnverifiedRoot::read(tree(&place).ok()?).ok()?;
    let trust = Trust {
        pins: vec![*pin],
        states: Vec::new(),
    };
    if let Err(fault) = trust.check_id(&presented.id(), &folder(&place)) {
        warn_of_another(context, &fault);
        return None;
    }
    Some((place, presented.into_vault().ok()?))
}

fn warn_of_another(context: &Context, fault: &Fault) {
    let warning = format!("the vault here is not the trusted one: {fault:#}");
    context.console.warn(warning);
}

/// Trusts an id. Nothing that is known of it is given up.
fn enter(
    context: &Context,
    pin: &Pin,
    mut state: State,
    here: Option<&(Place, Vault)>,
    command: &TrustArguments,
) -> Result<(), Fault> {
    check_named(&Regained::new(), &command.give_back)?;
    let before = state.seen(&pin.vault).cloned();
    let known = before.as_ref().map_or(&[][..], |seen| &seen.tags);
    let unlisted = here.and_then(|(_, vault)| check_pin(vault, pin).err());
    let is_known = pin.tag.is_none() || known.contains(&pin.tag);
    if !known.is_empty() && !is_known && (here.is_none() || unlisted.is_some()) {
        return Err(not_listed(pin).hint("take the files that list it: `git pull`"));
    }
    if let Some(fault) = &unlisted {
        warn_of_another(context, fault);
    }
    match here {
        Some((place, vault)) if unlisted.is_none() => state.enter(&met(vault, place))?,
        _ => state.enter_pin(pin)?,
    }
    if state.seen(&pin.vault) == before.as_ref() {
        context
            .console
            .note(format!("unchanged: {} is trusted already", pin.vault));
    } else {
        context.console.note(format!("trusted: {}", pin.vault));
    }
    Ok(())
}

/// Goes back to the root here, which `states` refuse: its last revocation counts from now on, besides
/// those that are known. Returns this root.
fn go_back(
    context: &Context,
    place: &Place,
    pin: &Pin,
    own: &Recipient,
    states: &mut [State],
    command: &TrustArguments,
) -> Result<Met, Fault> {
    let known = |state: &State| state.seen(&pin.vault).cloned().unwrap_or_default().tags;
    let tags: Vec<_> = states.iter().flat_map(known).collect();
    let older = OlderRoot::find(place, &tags, Some(&own.digest()))?;
    let root = older.vault.root();
    if root.vault != pin.vault || !root.lists(pin.tag) {
        return Err(not_listed(pin).hints_of(&older.refusal()));
    }
    if root.latest() != pin.tag {
        return Err(older.refusal());
    }
    // With it, every command would still refuse.
    if let Some(own) = context.pin()?.filter(|own| !root.lists(own.tag)) {
        let reason = format!("VAULT_ID names the revocation {}, not listed here", own.tag);
        return Err(Fault::refused_file(ROOT_PATH, reason).hint("unset VAULT_ID first"));
    }
    let text = typed(&pin.vault, pin.tag);
    let (regained, consequence) = consequence(&older, &command.give_back)?;
    let question = format!("trust {text}? {consequence}");
    confirm(context.console, &question, command.answer)?;
    let met = met(&older.vault, place);
    for state in states {
        let compared = known(state);
        state.go_back(&met, &compared)?;
    }
    context
        .console
        .note(format!("trusted besides what you have seen: {text}"));
    if !regained.is_empty() {
        context.console.note(consequence);
    }
    Ok(met)
}

/// Returns everyone who would have access again, and the sentence of the question about them.
///
/// # Errors
/// If `named` has not exactly these names.
fn consequence(older: &OlderRoot, named: &[MemberName]) -> Result<(Regained, String), Fault> {
    let Some(regained) = &older.regained else {
        let unknown = "No commit of this clone has the revocation that you have seen, so no one can \
                       say who would have access again.";
        return Ok((Regained::new(), unknown.to_owned()));
    };
    check_named(regained, named).map_err(|fault| fault.hints_of(&older.needs(regained)))?;
    let text = if regained.is_empty() {
        "No one would have access again.".to_owned()
    } else {
        format!(
            "These have access again, or know a key: {}.",
            list(regained)
        )
    };
    Ok((regained.clone(), text))
}

/// Checks that everyone who would have access again is named, and no one else.
fn check_named(regained: &Regained, named: &[MemberName]) -> Result<(), Fault> {
    if let Some(name) = named.iter().find(|name| !regained.contains_key(*name)) {
        return Err(Fault::usage(format!(
            "`--give-back {name}`: nothing would be given back to them"
        )));
    }
    let missing: Vec<&str> = regained
        .keys()
        .filter(|name| !named.contains(name))
        .map(MemberName::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Fault::refused(format!(
        "not named by `--give-back`: {}",
        missing.join(", ")
    )))
}

fn not_listed(pin: &Pin) -> Fault {
    Fault::refused_file(
        ROOT_PATH,
        format!(
            "does not list the revocation {}, so nothing was changed",
            pin.tag
        ),
    )
}
