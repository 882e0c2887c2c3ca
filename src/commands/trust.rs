//! `vault trust`: trusts an id that a colleague sent out of band.

use crate::fault::Fault;
use crate::session::caller_key::CallerKey;
use crate::session::console::is_interactive;
use crate::session::context::Context;
use crate::session::new_vault::{LATER, pasted_id};
use crate::session::open::{folder, record_of, tree};
use crate::vault::trust::{Pin, Seen, State, Trust, UnverifiedRoot};

/// Trusts the typed id, or asks for it at a terminal.
pub(crate) fn trust(context: &Context, key: CallerKey, id: Option<&str>) -> Result<(), Fault> {
    let pin = match id {
        Some(id) => Pin::typed(id)?,
        None if is_interactive() => pasted_id(context.console)?,
        None => return Err(Fault::usage("no id was given").hint(LATER)),
    };
    let key = key.needed(context)?;
    if key.credential.is_some() {
        return Err(Fault::usage("a credential carries its own pin")
            .hint("for another vault, make a credential there: `vault ci add`"));
    }
    let folder_path = context.state_folder().ok_or_else(|| {
        Fault::usage("HOME is not set, so nothing can be remembered").hint(format!(
            "set it for every command: `VAULT_ID={}`",
            pin.vault
        ))
    })?;
    let mut state = State::load(&folder_path, &key.identity.recipient())?;
    let here = here(context, &pin);
    let now = here.unwrap_or(Seen {
        floor: pin.floor,
        ..Seen::default()
    });
    state.enter(pin.vault, &now)?;
    context.console.note(format!("trusted: {}", pin.vault));
    Ok(())
}

/// Returns the state to remember of the vault around this folder, if it has the trusted id.
fn here(context: &Context, pin: &Pin) -> Option<Seen> {
    let place = context.place_for_id().ok()?;
    let presented = UnverifiedRoot::read(tree(&place).ok()?).ok()?;
    let trust = Trust {
        pins: vec![*pin],
        states: Vec::new(),
    };
    if let Err(fault) = presented.judge(&trust, &folder(&place)) {
        context
            .console
            .warn(format!("the vault here is not the trusted one: {fault:#}"));
        return None;
    }
    Some(record_of(&presented.into_vault().ok()?, &place))
}
