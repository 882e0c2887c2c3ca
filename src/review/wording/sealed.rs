//! Sealed data keys whose bytes are others, though nothing asked for it.

use crate::review::check::below;
use crate::review::compare::{Resealed, SealedChange};
use crate::review::report::{Item, Level};
use crate::vault::format::environment_path;

pub(in crate::review) fn resealed(found: &Resealed) -> Item {
    let Resealed { environment, epoch, member, change } = found;
    let (kind, words) = match change {
        SealedChange::Again => ("data-key-resealed", " is sealed again for "),
        SealedChange::Added => ("data-key-sealed", " is now sealed for "),
        SealedChange::Dropped => ("data-key-dropped", " is no longer sealed for "),
    };
    let item = Item::new(Level::Attention, kind, below(&environment_path(environment)));
    let item = item.detail("environment", environment.as_str()).detail("epoch", *epoch);
    let item = item.detail("member", member.as_str()).say("data key: that of ").quote(environment);
    let item = item.say(format!(" (epoch {epoch})")).say(words).quote(member);
    item.say(", whose recipient and access are the same as before")
}
