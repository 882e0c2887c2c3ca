//! Whether others can change the file that a key was read from.
//!
//! Someone who can put a key of theirs in its place also puts the pin of a credential there. A
//! readable file is not a reason to warn: containers and CI mount secrets that way.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Source;
use crate::secret::Secret;

/// The text of a key, and how far it is exposed.
pub(super) struct Text {
    pub(super) key: Secret,
    pub(super) exposure: Option<Exposure>,
}

impl Text {
    /// A key that is in no file.
    pub(super) fn unexposed(key: Secret) -> Self {
        Self {
            key,
            exposure: None,
        }
    }
}

/// How others can change a key file; the permissions that let them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// They can write into it.
    File(u32),
    /// Everyone can put another file in its place.
    Folder(u32),
}

impl Exposure {
    /// Looks at an open file. Pipes, devices, and files without a name are not exposed.
    pub(super) fn of_file(file: &File) -> Option<Self> {
        let found = file.metadata().ok()?;
        let is_exposed = found.is_file() && found.nlink() > 0 && found.mode() & 0o022 != 0;
        is_exposed.then(|| Self::File(found.mode() & 0o777))
    }

    /// Looks at an open file and at the folder that it was found in.
    pub(super) fn of_path(file: &File, path: &Path) -> Option<Self> {
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let folder = || {
            let mode = fs::metadata(path.canonicalize().ok()?.parent()?)
                .ok()?
                .mode();
            // In a folder such as /tmp only its owner can replace a file.
            let is_open = mode & 0o002 != 0 && mode & 0o1000 == 0;
            is_open.then_some(Self::Folder(mode & 0o777))
        };
        Self::of_file(file).or_else(folder)
    }

    /// Looks at standard input.
    pub(super) fn of_input() -> Option<Self> {
        let input = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
        Self::of_file(&File::from(input))
    }

    /// The warning for a key from `source`.
    pub(super) fn warning(self, source: &Source) -> String {
        match self {
            Self::File(mode) => format!(
                "the key from {source} can be changed by others (mode {mode:03o}); make it yours \
                 alone: `chmod 600 FILE`"
            ),
            Self::Folder(mode) => format!(
                "the key from {source} can be replaced by everyone (mode {mode:03o} of its folder); \
                 keep it in a folder that only you can write to"
            ),
        }
    }
}
