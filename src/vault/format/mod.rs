//! Text ⇄ model for the machine-written files; docs/reference/format.md describes every byte.
//!
//! Pure: knows no files and no keys, and believes nothing. A file is accepted only if writing what
//! was read from it gives the same bytes, so every content has exactly one spelling. Reading a file
//! returns a [`Signed`] value whose signature is still unchecked.

mod body;
mod entry;
mod environment;
mod lines;
mod reading;
mod request;
mod roster;
mod unparsed;

pub use entry::{entry_path, read_entry, sealing_context, write_entry};
pub use environment::{
    environment_file, environment_path, parse_environment, read_environment, write_environment,
};
pub use reading::{Signed, decimal};
pub use request::{REQUESTS, fingerprint, read_request, request_of, request_path, write_request};
pub use roster::{ROSTER_PATH, parse_roster, read_roster, roster_file, write_roster};
pub use unparsed::Unparsed;
