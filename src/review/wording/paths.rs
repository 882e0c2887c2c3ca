//! Paths below `.vault` with a difference that no other item reports.

use crate::fault::{Fault, plural};
use crate::review::check::below;
use crate::review::compare::PathChange;
use crate::review::report::{Item, Level};
use crate::vault::store::STORE_FOLDER;

pub(in crate::review) fn path(path: &str, change: PathChange) -> Item {
    let (what, words) = match change {
        PathChange::Added => ("added", "was added"),
        PathChange::Removed => ("removed", "was removed"),
        PathChange::Content => ("content", "has different bytes"),
        PathChange::Mode => ("mode", "has a different mode"),
        PathChange::Link => ("link", "is a symbolic link"),
        PathChange::Special => ("special", "is not a file"),
    };
    let file = below(path);
    Item::new(Level::Attention, "path-changed", file.clone())
        .detail("change", what)
        .text("other change: ")
        .quote(file)
        .text(" ")
        .text(words)
}

/// Reports the number of further paths.
pub(in crate::review) fn more_paths(count: usize) -> Item {
    Item::new(Level::Attention, "paths-changed", STORE_FOLDER)
        .detail("paths", count)
        .text(format!(
            "other changes: and {} in ",
            plural(count, "more file", "more files")
        ))
        .quote(STORE_FOLDER)
}

/// Reports that the revision had no vault.
pub(in crate::review) fn vault_added() -> Item {
    Item::new(Level::Attention, "vault-added", STORE_FOLDER)
        .text("vault added: there was none before")
}

/// Reports that a side of a merge has no valid vault, so that nothing can be lost there unseen.
pub(in crate::review) fn side_not_compared(name: &str, fault: &Fault) -> Item {
    Item::new(Level::Attention, "parent-not-compared", STORE_FOLDER)
        .detail("parent", name)
        .text("not compared with ")
        .quote(name)
        .text(": ")
        .quote(fault)
}
