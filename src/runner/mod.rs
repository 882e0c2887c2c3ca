//! Runs the command with the secrets in its environment: a plan is made, then carried out.
//!
//! Knows no vault, no keys and no masking; gets names, values and filters. [`launch()`] becomes the
//! command. Where output is filtered, or files are to be removed, [`run()`] stays as a parent:
//!
//! ```text
//! Plan ─▶ wiring ─▶ fork ─▶ command            in the caller's session: Layout::Direct
//!                     └───▶ monitor ─▶ command  at a terminal: Layout::Session
//!         supervise: signals ─▶ reaction ─▶ child; keys ─▶ seat ─▶ command
//!         command ─▶ channel ─▶ filter ─▶ writer ─▶ the caller's stream
//! ```

mod channel;
mod child;
mod coming;
mod failure;
mod files;
mod launch;
mod mistyped;
mod monitor;
mod newlines;
mod plan;
mod reaction;
mod run;
mod seat;
mod supervise;
mod unstartable;
mod wiring;
mod writer;

pub use channel::{Filter, Holder, Passed};
pub use files::Files;
pub use launch::launch;
pub use plan::{Inherit, Plan, Request};
pub use run::{Done, Output, run};
pub use supervise::Ending;
pub use wiring::Carries;
