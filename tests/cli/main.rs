//! Everything that `vault` promises, through the real binary: real git, real files, real keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod basics;
mod craft;
mod crash;
mod dependencies;
mod disk;
mod examples;
mod exec;
mod find;
mod flipped;
mod golden;
mod history;
mod hosting;
mod keys;
mod memory;
mod moved;
mod names;
mod people;
mod pipeline;
mod pipelines;
mod placeholder;
mod places;
mod plaintext;
mod process;
mod project;
mod readme;
mod refusal;
mod release;
mod removed;
mod roster;
mod sandbox;
mod selection;
mod shop;
mod signers;
mod since;
mod state;
mod terminal;
mod text;
mod values;
mod whole_vault;

/// Programs that drive `vault` where Rust would need `unsafe`.
const PYTHON: &str = "python3";
const UNPRIVILEGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/unprivileged.py");
