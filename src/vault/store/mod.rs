//! Where a vault's files are: found, read, locked, replaced.

mod batch;
mod find;
mod limit;
mod staging;
mod tree;
mod undo;
mod write;

pub use batch::Batch;
pub use find::{CONFIG_FILE, End, Nearest, Place, end_of_search, find, nearest};
pub use limit::{LARGEST_ENTRY, LARGEST_REQUEST, largest};
pub use staging::NewFile;
pub use tree::{Folder, Tree};
pub use write::Writer;

pub use crate::fault::STORE_FOLDER;
