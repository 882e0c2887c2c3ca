//! Paths below `.vault` whose bytes, kind, or mode differ, whatever they contain. A difference that
//! no other comparison explains must still be reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{Blob, Mode};
use crate::platform::{Node, Permission};

/// The change of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::review) enum PathChange {
    Added,
    Removed,
    /// It has different bytes, or is a file that replaces something else.
    Content,
    /// It became executable, or is no longer.
    Mode,
    /// It is a symbolic link, which vault never makes.
    Link,
    /// It is neither a regular file nor a link.
    Special,
}

/// Compares the paths. `ids` are the git ids of the present regular files; a file without one counts
/// as changed.
pub(in crate::review) fn paths(
    before: &BTreeMap<Vec<u8>, Blob>,
    now: &BTreeMap<Vec<u8>, Node>,
    ids: &BTreeMap<Vec<u8>, String>,
) -> BTreeMap<String, PathChange> {
    let paths: BTreeSet<&Vec<u8>> = before.keys().chain(now.keys()).collect();
    let changes = paths.into_iter().filter_map(|path| {
        let change = path_change(before.get(path), now.get(path), ids.get(path))?;
        Some((String::from_utf8_lossy(path).into_owned(), change))
    });
    changes.collect()
}

fn path_change(
    before: Option<&Blob>,
    now: Option<&Node>,
    id: Option<&String>,
) -> Option<PathChange> {
    let permission = match now {
        None => return Some(PathChange::Removed),
        Some(Node::Link) => return Some(PathChange::Link),
        Some(Node::Other) => return Some(PathChange::Special),
        Some(Node::File { permission, .. }) => *permission,
    };
    let Some(before) = before else {
        let is_plain = permission == Permission::Plain;
        return Some(if is_plain {
            PathChange::Added
        } else {
            PathChange::Mode
        });
    };
    let was = match before.mode {
        Mode::File => Permission::Plain,
        Mode::Executable => Permission::Executable,
        Mode::Link | Mode::Submodule => return Some(PathChange::Content),
    };
    if was != permission {
        return Some(PathChange::Mode);
    }
    (id != Some(&before.id)).then_some(PathChange::Content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_of_a_path_is_found() {
        let blob = |mode| {
            Some(Blob {
                mode,
                id: "a".to_owned(),
                size: Some(1),
            })
        };
        let file = |permission| {
            Some(Node::File {
                size: 1,
                permission,
            })
        };
        let (plain, executable) = (file(Permission::Plain), file(Permission::Executable));
        for (before, now, id, expected) in [
            (blob(Mode::File), plain, "a", None),
            (blob(Mode::Executable), executable, "a", None),
            (blob(Mode::File), plain, "b", Some(PathChange::Content)),
            (blob(Mode::File), executable, "a", Some(PathChange::Mode)),
            (blob(Mode::Executable), plain, "a", Some(PathChange::Mode)),
            (blob(Mode::Link), plain, "a", Some(PathChange::Content)),
            (
                blob(Mode::File),
                Some(Node::Link),
                "",
                Some(PathChange::Link),
            ),
            (
                blob(Mode::Link),
                Some(Node::Link),
                "",
                Some(PathChange::Link),
            ),
            (
                blob(Mode::File),
                Some(Node::Other),
                "",
                Some(PathChange::Special),
            ),
            (blob(Mode::Submodule), None, "", Some(PathChange::Removed)),
            (blob(Mode::File), None, "", Some(PathChange::Removed)),
            (None, plain, "a", Some(PathChange::Added)),
            (None, executable, "a", Some(PathChange::Mode)),
            (None, Some(Node::Link), "", Some(PathChange::Link)),
        ] {
            let change = path_change(before.as_ref(), now.as_ref(), Some(&id.to_owned()));
            assert_eq!(change, expected, "{before:?} {now:?} {id}");
        }
        assert_eq!(
            path_change(blob(Mode::File).as_ref(), plain.as_ref(), None),
            Some(PathChange::Content)
        );
    }
}
