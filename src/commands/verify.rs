//! `vault verify`: checks everything except the values, without a key, and reports the changes since a
//! revision.
//!
//! It continues after a finding, so one run names all of them, and exits 1 if there are any.

use crate::fault::Fault;
use crate::review::{Before, Format, collect, show};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::keyless;
use crate::vault::trust::Pin;

/// The command line of `verify`.
pub(crate) struct Verify {
    pub(crate) id: Option<Pin>,
    pub(crate) since: Option<String>,
    pub(crate) format: Format,
}

pub(crate) fn verify(context: &Context, mut key: CallerKey, command: &Verify) -> Result<(), Fault> {
    let place = match command.id {
        Some(_) => context.place_for_id(),
        None => context.place(&mut key),
    }?;
    let (mut trust, _) = keyless::trust(context, key.credential(context.console)?)?;
    trust.pins.extend(command.id);
    let before = command
        .since
        .as_ref()
        .map(|revision| Before::read(&place, revision))
        .transpose()?;
    // An id that differs from that of the revision means that there is a new authority.
    let named = |pin: &Pin| command.id.is_none_or(|id| id.vault == pin.vault);
    trust
        .pins
        .extend(before.as_ref().and_then(Before::pin).filter(named));
    let report = collect(&place, &trust, before.as_ref())?;
    show(context.console, &report, command.format, &place)?;
    report.finish()
}
