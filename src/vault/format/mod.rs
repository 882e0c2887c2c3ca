//! Text ⇄ model for the machine-written files; docs/reference/format.md describes every byte.
//!
//! Pure: knows no files and no keys, and believes nothing. A file is accepted only if writing what
//! was read from it gives the same bytes, so every content has exactly one spelling. Reading a file
//! returns a [`Signed`] value whose signature is still unchecked.

mod body;
mod entry;
mod lines;
mod member;
mod reading;
mod request;
mod root;
mod unparsed;

pub use entry::{entry_path, read_entry, sealing_context, write_entry};
pub use member::{MEMBERS, member_file, member_path, parse_member, write_member};
pub use reading::{Signed, decimal};
pub use request::{REQUESTS, fingerprint, read_request, request_of, request_path, write_request};
pub use root::{ROOT_PATH, parse_root, root_file, write_root};
pub use unparsed::Unparsed;
