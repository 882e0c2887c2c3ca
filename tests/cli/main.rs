//! Everything that `vault` promises, through the real binary: real git, real files, real keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod basics;
mod craft;
mod dependencies;
mod examples;
mod flipped;
mod history;
mod keys;
mod moved;
mod process;
mod project;
mod readme;
mod refusal;
mod sandbox;
mod signers;
mod values;

/// Programs that drive `vault` where Rust would need `unsafe`.
const PYTHON: &str = "python3";
const UNPRIVILEGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/unprivileged.py");
