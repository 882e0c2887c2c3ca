//! Sealed data keys whose bytes changed without a reason.

use crate::review::check::below;
use crate::review::compare::{Resealed, SealedChange};
use crate::review::report::{Item, Level};
use crate::vault::format::member_path;

pub(in crate::review) fn resealed(found: &Resealed) -> Item {
    let Resealed {
        environment,
        epoch,
        member,
        change,
    } = found;
    let (kind, words) = match change {
        SealedChange::Replaced => ("data-key-resealed", " was sealed again for "),
        SealedChange::Added => ("data-key-sealed", " is now sealed for "),
        SealedChange::Dropped => ("data-key-dropped", " is no longer sealed for "),
    };
    Item::new(Level::Attention, kind, below(&member_path(member)))
        .detail("environment", environment.as_str())
        .detail("epoch", *epoch)
        .detail("member", member.as_str())
        .text("data key of ")
        .quote(environment)
        .text(format!(" (epoch {epoch})"))
        .text(words)
        .quote(member)
        .text(", whose recipient and access did not change")
}
