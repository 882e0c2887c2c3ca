//! The roster and its environments.

use crate::fault::plural;
use crate::review::check::below;
use crate::review::compare::{EnvironmentChange, RosterChange};
use crate::review::report::{Item, Level};
use crate::vault::format::{ROSTER_PATH, environment_path};
use crate::vault::name::EnvironmentName;

pub(in crate::review) fn roster(change: &RosterChange) -> Item {
    let file = below(ROSTER_PATH);
    let item = |level, kind| Item::new(level, kind, file.clone());
    match change {
        RosterChange::AuthorityChanged { from, to } => {
            let item = item(Level::Attention, "authority-changed");
            let item = item.detail("from", from.to_string()).detail("to", to.to_string());
            let item = item.say("authority changed: ").quote(from).say(" → ").quote(to);
            item.say("; everybody must trust the new id, and every credential be made anew")
        }
        RosterChange::WentBack { from, to } => {
            let item = item(Level::Finding, "roster-went-back");
            let item = item.detail("from", *from).detail("to", *to).say("went back: ");
            item.quote(&file).say(format!(" has revision {to}, before it had {from}"))
        }
        RosterChange::Replaced { revision } => {
            let item = item(Level::Finding, "roster-replaced");
            let item = item.detail("from", *revision).detail("to", *revision);
            let item = item.say("replaced: ").quote(&file);
            item.say(format!(" has another content of the same revision {revision}"))
        }
        RosterChange::FloorRaised { from, to } => {
            let item = item(Level::Change, "floor-raised");
            let item = item.detail("from", *from).detail("to", *to);
            item.say(format!("floor raised: {from} → {to}: rosters from before no longer count"))
        }
    }
}

/// `lost` is how many entries the environment had before.
pub(in crate::review) fn environment(
    name: &EnvironmentName,
    change: &EnvironmentChange,
    lost: usize,
) -> Item {
    let file = below(&environment_path(name));
    let item =
        |level, kind| Item::new(level, kind, file.clone()).detail("environment", name.as_str());
    match change {
        EnvironmentChange::Added => {
            item(Level::Change, "environment-added").say("environment added: ").quote(name)
        }
        EnvironmentChange::Removed => {
            let item = item(Level::Attention, "environment-removed").detail("entries", lost);
            let item = item.say("environment removed: ").quote(name);
            item.say(format!(", which had {}", plural(lost, "entry", "entries")))
        }
        EnvironmentChange::MadeAnew => {
            let item = item(Level::Attention, "environment-made-anew").detail("entries", lost);
            let item = item.say("environment made anew: ").quote(name);
            item.say(format!(" has another data key, and none of the {lost} entries of before"))
        }
        EnvironmentChange::Rotated { from, to } => {
            let item = item(Level::Change, "rotated").detail("from", *from).detail("to", *to);
            item.say("rotated: ").quote(name).say(format!(" (epoch {from} → {to})"))
        }
        EnvironmentChange::EpochReplaced { epoch } => {
            let item = item(Level::Finding, "epoch-replaced").detail("epoch", *epoch);
            let item = item.say("replaced: ").quote(&file);
            item.say(format!(
                " has another data key for epoch {epoch}: it was rotated twice at once"
            ))
        }
        EnvironmentChange::Forgotten { epochs } => {
            let item = item(Level::Change, "epochs-forgotten").detail("epochs", epochs.clone());
            let numbers: Vec<String> = epochs.iter().map(ToString::to_string).collect();
            let item = item.say("forgotten: ").quote(name);
            item.say(format!(" no longer holds the data keys of epoch {}", numbers.join(", ")))
        }
        EnvironmentChange::WentBack { from, to } => {
            let item = item(Level::Finding, "environment-went-back");
            let item = item.detail("from", *from).detail("to", *to).say("went back: ");
            item.quote(&file).say(format!(" is listed with revision {to}, before with {from}"))
        }
    }
}
