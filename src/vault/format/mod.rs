//! Text ⇄ model for the machine-written files; docs/format.md describes every byte.
//!
//! Pure: knows no files and no keys, and believes nothing. A file is accepted only if writing
//! what was read from it gives the same bytes, so every content has exactly one spelling. Whoever
//! reads a file gets a [`Signed`] value with the signature still unchecked.

mod body;
mod entry;
mod environment;
mod reading;
mod request;
mod roster;

pub use entry::{entry_path, read_entry, sealed_place, write_entry};
pub use environment::{environment_path, read_environment, write_environment};
pub use reading::Signed;
pub use request::{REQUESTS, fingerprint, read_request, request_of, request_path, write_request};
pub use roster::{ROSTER_PATH, read_roster, write_roster};
