//! A vault as anyone can check it, without a person's key.

use super::context::Context;
use super::older_root::judge;
use super::open::{FORKED, tree};
use crate::fault::Fault;
use crate::keys::Pinned;
use crate::vault::name::EnvironmentName;
use crate::vault::store::Place;
use crate::vault::trust::{Pin, Standing, State, Trust, UnverifiedRoot, Vault};

const UNKNOWN: &str = "consistent, but not trusted: its id has not been confirmed";

/// The vault as anyone can check it, with the environment of a machine's credential. Warns if there
/// is not a pin.
pub(crate) fn open(
    context: &Context,
    place: &Place,
    credential: Option<Pinned>,
) -> Result<(Vault, Option<EnvironmentName>), Fault> {
    let tag = credential.as_ref().map(|own| own.tag);
    let (trust, environment) = trust(context, credential)?;
    let presented = UnverifiedRoot::read(tree(place)?)?;
    match judge(&presented, &trust, place, tag)? {
        Standing::Unknown => context.console.warn(UNKNOWN),
        Standing::Forked => context.console.warn(FORKED),
        Standing::Trusted => {}
    }
    let vault = presented.into_vault()?;
    trust.check_asked(&vault)?;
    Ok((vault, environment))
}

/// The trust that needs no person's key: `VAULT_ID`, a machine's credential, and all records on
/// this machine.
pub(crate) fn trust(
    context: &Context,
    credential: Option<Pinned>,
) -> Result<(Trust, Option<EnvironmentName>), Fault> {
    let mut trust = Trust {
        pins: context.pin()?.into_iter().collect(),
        states: Vec::new(),
    };
    let mut environment = None;
    if let Some(credential) = credential {
        trust.pins.push(Pin {
            vault: credential.vault,
            tag: credential.tag,
        });
        if let [only] = &credential.environments[..] {
            environment = Some(only.parse()?);
        }
    } else if let Some(folder) = context.state_folder() {
        trust.states = State::load_all(&folder)?;
    }
    Ok((trust, environment))
}
