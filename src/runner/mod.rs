//! Runs the command with the secrets in its environment: a plan is made, then carried out.
//!
//! This module does not know vaults, keys, or masking; it gets names, values, and filters.
//! [`launch()`] becomes the command. If output is filtered, or files must be removed at the end,
//! [`run()`] stays as a parent:
//!
//! ```text
//! Plan ─▶ wiring ─▶ fork ─▶ command            in the caller's session: Layout::Direct
//!                     └───▶ monitor ─▶ command  at a terminal: Layout::Session
//!         supervise: signals ─▶ reaction ─▶ child; keys ─▶ terminal ─▶ command
//!         command ─▶ channel ─▶ filter ─▶ writer ─▶ the caller's stream
//! ```

mod channel;
mod child;
mod failure;
mod files;
mod launch;
mod mistyped;
mod monitor;
mod newlines;
mod pending_filter;
mod plan;
mod reaction;
mod run;
mod supervise;
mod terminal;
mod unstartable;
mod wiring;
mod writer;

pub use channel::{ChannelOutcome, Filter, OutputHolder};
pub use files::SecretFiles;
pub use launch::launch;
pub use plan::{Inherit, Plan, Request};
pub use run::{Output, RunOutcome, run};
pub use supervise::Ending;
pub use wiring::Streams;
