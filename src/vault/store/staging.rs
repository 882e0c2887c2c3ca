//! New files and the folders that they go to: names, temporary names, and leftovers of a dead
//! writer.

use std::io;

use super::tree::unusable;
use crate::crypto::random_bytes;
use crate::fault::Fault;
use crate::platform::{Dir, ReadError};

/// Where files are written before they are moved to their place.
pub(super) const TEMPORARY: &str = "tmp";

/// A file to be written: its path below `.vault` and its content.
pub struct NewFile {
    /// Such as `production/DATABASE_URL.toml`.
    pub path: String,
    /// All bytes.
    pub content: Vec<u8>,
}

/// Opens the folder `name` of the store, and makes it if it does not exist. An empty name is the
/// store itself.
///
/// # Errors
/// If it cannot be made, or is not a folder.
pub(super) fn folder_in(store: &Dir, name: &str) -> Result<Dir, Fault> {
    let path = if name.is_empty() { "." } else { name };
    store.make_dir(path).map_err(|error| match error {
        ReadError::Io(error) => not_written(path, error),
        error => unusable(path, "a folder", error),
    })
}

/// The folder of `path`, empty at the top, and the file's own name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The name of a new temporary file.
pub(super) fn temporary_name() -> String {
    let mut random = [0; 8];
    random_bytes(&mut random);
    format!("{:016x}", u64::from_be_bytes(random))
}

/// Whether [`temporary_name`] gives names like this one.
fn is_temporary(name: &str) -> bool {
    name.len() == 16
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Removes the files of a writer that died. The lock excludes that another one is alive. Other
/// files are not ours, and stay.
pub(super) fn sweep(temporary: &Dir) -> Result<(), Fault> {
    let names = temporary
        .names()
        .map_err(|error| not_written(TEMPORARY, error))?;
    names
        .iter()
        .filter(|name| is_temporary(name))
        .try_for_each(|name| {
            temporary.remove(name).map_err(|error| {
                not_written(TEMPORARY, error)
                    .hint("remove it whole, it is never needed: `rm -r .vault/tmp`")
            })
        })
}

pub(super) fn not_written(path: &str, error: io::Error) -> Fault {
    Fault::failed(format!("could not write .vault/{path}")).because(error)
}
