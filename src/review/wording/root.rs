//! Changes of the root and its environments.

use crate::crypto::Tag;
use crate::fault::plural;
use crate::review::check::below;
use crate::review::compare::{EnvironmentChange, RootChange};
use crate::review::report::{Item, Level};
use crate::vault::format::ROOT_PATH;
use crate::vault::name::EnvironmentName;

pub(in crate::review) fn root(change: &RootChange) -> Item {
    let file = below(ROOT_PATH);
    let item = |level, kind| Item::new(level, kind, file.clone());
    match change {
        RootChange::AuthorityChanged { from, to } => item(Level::Attention, "authority-changed")
            .detail("from", from.to_string())
            .detail("to", to.to_string())
            .text("authority changed: ")
            .quote(from)
            .text(" → ")
            .quote(to)
            .text("; everyone must trust the new id, and every credential must be replaced"),
        RootChange::RolledBack { from, to } => item(Level::Finding, "root-went-back")
            .detail("from", *from)
            .detail("to", *to)
            .text("rolled back: ")
            .quote(&file)
            .text(format!(" has revision {to}, and had {from} before")),
        RootChange::Replaced { revision } => item(Level::Finding, "root-replaced")
            .detail("from", *revision)
            .detail("to", *revision)
            .text("replaced: ")
            .quote(&file)
            .text(format!(
                " has different content with the same revision {revision}"
            )),
        RootChange::Revoked { tags } => item(Level::Change, "revoked")
            .detail("tags", texts(tags))
            .text(format!(
                "{} listed: older files no longer count",
                plural(tags.len(), "revocation is", "revocations are")
            )),
        RootChange::RevocationsGone { tags } => item(Level::Finding, "revocations-gone")
            .detail("tags", texts(tags))
            .text("missing: ")
            .quote(&file)
            .text(format!(
                " no longer lists {}, and they are never removed",
                plural(tags.len(), "revocation", "revocations")
            )),
        RootChange::RevocationsReordered => item(Level::Finding, "revocations-reordered")
            .text("reordered: ")
            .quote(&file)
            .text(" lists the revocations in another order"),
        RootChange::FormerChanged { member } => item(Level::Finding, "former-changed")
            .detail("member", member.as_str())
            .text("changed: ")
            .quote(&file)
            .text(" no longer lists the former member ")
            .quote(member)
            .text(" with the same keys"),
        RootChange::LostChanged { member } => item(Level::Finding, "lost-changed")
            .detail("member", member.as_str())
            .text("changed: ")
            .quote(&file)
            .text(" no longer says everything that ")
            .quote(member)
            .text(" could read"),
        RootChange::TagWentBack { member } => item(Level::Finding, "member-tag-went-back")
            .detail("member", member.as_str())
            .text("rolled back: ")
            .quote(&file)
            .text(" no longer has the latest revocation of ")
            .quote(member)
            .text(", so files from before it can count again"),
    }
}

fn texts(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(ToString::to_string).collect()
}

/// `lost` is the number of entries that the environment had before.
pub(in crate::review) fn environment(
    name: &EnvironmentName,
    change: &EnvironmentChange,
    lost: usize,
) -> Item {
    let file = below(ROOT_PATH);
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
            .text(format!(" no longer has the data key of epoch {epoch} of "))
            .quote(name),
        EnvironmentChange::GivenChanged { epoch } => item(Level::Finding, "given-changed")
            .detail("epoch", *epoch)
            .text("changed: ")
            .quote(&file)
            .text(format!(
                " names others who got the key of epoch {epoch} of "
            ))
            .quote(name),
        EnvironmentChange::Forgotten { epochs } => item(Level::Change, "epochs-forgotten")
            .detail("epochs", epochs.clone())
            .text("forgotten: ")
            .quote(name)
            .text(format!(
                " no longer contains the data keys of epoch {}",
                numbers(epochs)
            )),
        EnvironmentChange::Merged { epochs } => item(Level::Change, "epochs-merged")
            .detail("epochs", epochs.clone())
            .text("merged: ")
            .quote(name)
            .text(format!(
                " also lists epoch {} of another branch",
                numbers(epochs)
            )),
        EnvironmentChange::NotRevoked => item(Level::Finding, "not-revoked")
            .text("changed, not revoked: ")
            .quote(name)
            .text(" was removed or rotated, and the files from before still count"),
    }
}

fn numbers(epochs: &[u64]) -> String {
    let numbers: Vec<String> = epochs.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}
