//! Where a vault's files are: found, read, locked, replaced.

mod find;
mod tree;
mod write;

pub use find::{CONFIG_FILE, End, Place, STORE_FOLDER, end_of_search, find};
pub use tree::{Folder, Tree};
pub use write::{NewFile, Writer};
