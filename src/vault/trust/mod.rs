//! What is believed, and why.
//!
//! The order of checks, nothing decrypted before the last of them: sizes, strict text, one
//! spelling → the roster's signature → id and floor against the pin ([`Trust`]) → the environment
//! against the roster → every entry. The types follow the order: a [`Presented`] roster becomes a
//! [`Vault`] by a judgement, and only a [`Vault`] gives out environments and entries.

mod adopt;
mod check;
mod pin;
mod presented;
mod request;
mod state;

use check::not_signed;
pub use check::{CheckedEntry, CheckedEnvironment, Vault};
pub use pin::{Pin, Standing, Trust};
pub use presented::Presented;
pub use request::Asked;
pub use state::{Seen, State};
