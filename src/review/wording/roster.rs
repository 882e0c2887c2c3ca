//! Changes of the roster and its environments.

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
        RosterChange::AuthorityChanged { from, to } => item(Level::Attention, "authority-changed")
            .detail("from", from.to_string())
            .detail("to", to.to_string())
            .text("authority changed: ")
            .quote(from)
            .text(" → ")
            .quote(to)
            .text("; everyone must trust the new id, and every credential must be replaced"),
        RosterChange::RolledBack { from, to } => item(Level::Finding, "roster-went-back")
            .detail("from", *from)
            .detail("to", *to)
            .text("rolled back: ")
            .quote(&file)
            .text(format!(" has revision {to}, and had {from} before")),
        RosterChange::Replaced { revision } => item(Level::Finding, "roster-replaced")
            .detail("from", *revision)
            .detail("to", *revision)
            .text("replaced: ")
            .quote(&file)
            .text(format!(
                " has different content with the same revision {revision}"
            )),
        RosterChange::FloorRaised { from, to } => item(Level::Change, "floor-raised")
            .detail("from", *from)
            .detail("to", *to)
            .text(format!(
                "floor raised: {from} → {to}: older rosters no longer count"
            )),
    }
}

/// `lost` is the number of entries that the environment had before.
pub(in crate::review) fn environment(
    name: &EnvironmentName,
    change: &EnvironmentChange,
    lost: usize,
) -> Item {
    let file = below(&environment_path(name));
    let item =
        |level, kind| Item::new(level, kind, file.clone()).detail("environment", name.as_str());
    match change {
        EnvironmentChange::Added => item(Level::Change, "environment-added")
            .text("environment added: ")
            .quote(name),
        EnvironmentChange::Removed => item(Level::Attention, "environment-removed")
            .detail("entries", lost)
            .text("environment removed: ")
            .quote(name)
            .text(format!(", which had {}", plural(lost, "entry", "entries"))),
        EnvironmentChange::Recreated => item(Level::Attention, "environment-recreated")
            .detail("entries", lost)
            .text("environment recreated: ")
            .quote(name)
            .text(format!(
                " has a new data key, and none of its former entries ({lost})"
            )),
        EnvironmentChange::Rotated { from, to } => item(Level::Change, "rotated")
            .detail("from", *from)
            .detail("to", *to)
            .text("rotated: ")
            .quote(name)
            .text(format!(" (epoch {from} → {to})")),
        EnvironmentChange::EpochReplaced { epoch } => item(Level::Finding, "epoch-replaced")
            .detail("epoch", *epoch)
            .text("replaced: ")
            .quote(&file)
            .text(format!(
                " has a different data key for epoch {epoch}, as after two simultaneous rotations"
            )),
        EnvironmentChange::Forgotten { epochs } => {
            let item = item(Level::Change, "epochs-forgotten").detail("epochs", epochs.clone());
            let numbers: Vec<String> = epochs.iter().map(ToString::to_string).collect();
            item.text("forgotten: ").quote(name).text(format!(
                " no longer contains the data keys of epoch {}",
                numbers.join(", ")
            ))
        }
        EnvironmentChange::RolledBack { from, to } => {
            item(Level::Finding, "environment-rolled-back")
                .detail("from", *from)
                .detail("to", *to)
                .text("rolled back: ")
                .quote(&file)
                .text(format!(
                    " is listed with revision {to}, and was listed with {from} before"
                ))
        }
    }
}
