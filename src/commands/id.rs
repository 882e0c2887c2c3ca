//! `vault id`: prints the id of the vault, to send to a colleague. Needs no key.

use serde_json::json;

use crate::fault::Fault;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::keyless;
use crate::session::older_root::judge;
use crate::session::open::{FORKED, tree};
use crate::session::output::Style;
use crate::vault::trust::{Standing, UnverifiedRoot};

/// Someone who pastes what their own clone says has compared nothing.
const UNKNOWN: &str = "no one here has trusted this id yet: do not send it on, and do not paste it \
                       yourself; ask a colleague for theirs";

pub(crate) fn id(context: &Context, mut key: CallerKey, style: Style) -> Result<(), Fault> {
    let place = context.place(&mut key)?;
    let (trust, _) = keyless::trust(context, key.credential(context.console)?)?;
    let presented = UnverifiedRoot::read(tree(&place)?)?;
    let standing = judge(&presented, &trust, &place, None)?;
    match standing {
        Standing::Unknown => context.console.warn(UNKNOWN),
        Standing::Forked => context.console.warn(FORKED),
        Standing::Trusted => {}
    }
    let vault = presented.id();
    match style {
        Style::Json => context.console.json(json!({
            "vault": vault.to_string(),
            "trusted": standing != Standing::Unknown,
        })),
        Style::Table => context.console.line(vault),
    }
}
