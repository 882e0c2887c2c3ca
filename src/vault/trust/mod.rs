//! The checks that decide which files are trusted.
//!
//! The order of checks, nothing decrypted before the last of them: sizes, strict text, one
//! spelling → the root's signature → id and revocations against the pin ([`Trust`]) → the members'
//! files that are needed → every entry. The types follow the order: an [`UnverifiedRoot`] becomes a
//! [`Vault`] by a judgment, and only a [`Vault`] gives out members and entries.

mod adopt;
mod check;
mod counting;
mod members;
mod pin;
mod request;
mod seen;
mod state;
mod unverified_root;

use check::not_signed;
pub use check::{CheckedEntry, Vault};
pub use counting::not_counting;
pub use members::{Ignored, Leftover, MemberFile, Members, Remarks};
pub use pin::{Pin, Standing, Trust, Unlisted};
pub use request::Asked;
pub use seen::{Met, Seen};
pub use state::State;
pub use unverified_root::{UNRELEASED, UnverifiedRoot, made_by_unreleased};
