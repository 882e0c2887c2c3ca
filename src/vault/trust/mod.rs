//! The checks that decide which files are trusted.
//!
//! The order of checks, nothing decrypted before the last of them: sizes, strict text, one
//! spelling → the roster's signature → id and floor against the pin ([`Trust`]) → the environment
//! against the roster → every entry. The types follow the order: a [`UnverifiedRoot`] roster becomes a
//! [`Vault`] by a judgment, and only a [`Vault`] gives out environments and entries.

mod adopt;
mod check;
mod pin;
mod request;
mod state;
mod unverified_root;

use check::not_signed;
pub use check::{CheckedEntry, CheckedEnvironment, Vault};
pub use pin::{Pin, Standing, Trust};
pub use request::Asked;
pub use state::{Seen, State};
pub use unverified_root::UnverifiedRoot;
