//! How large each file below `.vault` may be. Checked before the content is parsed. Anyone who can
//! write to the repository chooses the size, and git packs megabytes into a few kilobytes.

use crate::vault::model::LARGEST_FILE;

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
        None if path.strip_suffix(".toml").is_some() => LARGEST_FILE,
        None => LARGEST_OTHER,
        Some(("requests", _)) => LARGEST_REQUEST,
        Some(_) => LARGEST_ENTRY,
    }
}
