//! Everything that `vault` promises, through the real binary: real git, real files, real keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod basics;
mod craft;
mod dependencies;
mod examples;
mod find;
mod flipped;
mod history;
mod keys;
mod moved;
mod names;
mod places;
mod process;
mod project;
mod readme;
mod refusal;
mod roster;
mod sandbox;
mod signers;
mod since;
mod text;
mod values;
mod whole_vault;

/// Programs that drive `vault` where Rust would need `unsafe`.
const PYTHON: &str = "python3";
const UNPRIVILEGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/unprivileged.py");
