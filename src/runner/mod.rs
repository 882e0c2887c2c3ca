//! Runs the command with the secrets in its environment: a plan is made, then carried out.
//!
//! Knows no vault and no keys; gets names and values.

mod launch;
mod plan;

pub use launch::launch;
pub use plan::{Inherit, Plan, Request};
