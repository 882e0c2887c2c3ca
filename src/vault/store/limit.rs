//! How large each file below `.vault` may be. Checked before the content is parsed. Anyone who can
//! write to the repository chooses the size, and git packs megabytes into a few kilobytes.

use crate::vault::model::{LARGEST_MEMBER, LARGEST_ROOT};

/// The largest request to join. Anyone can write one.
pub const LARGEST_REQUEST: usize = 16 << 10;
/// The largest entry: the longest value, padded, in base64, and a few lines.
pub const LARGEST_ENTRY: usize = 2 << 20;
/// The largest file that is none of the vault's own, such as `.gitattributes`.
const LARGEST_OTHER: usize = 64 << 10;

/// The most bytes that the file at `path` below `.vault` may have.
#[must_use]
pub fn largest(path: &str) -> usize {
    match path.split_once('/') {
        None if path == "root.toml" => LARGEST_ROOT,
        None => LARGEST_OTHER,
        Some(("members", _)) => LARGEST_MEMBER,
        Some(("requests", _)) => LARGEST_REQUEST,
        Some(_) => LARGEST_ENTRY,
    }
}

/// The limit for the file at `path`, for people.
pub(super) fn shown_limit(path: &str) -> String {
    match largest(path) {
        most if most < 1 << 20 => format!("{} KiB", most >> 10),
        most => format!("{} MiB", most >> 20),
    }
}
