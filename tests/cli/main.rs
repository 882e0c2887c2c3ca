//! Everything that `vault` promises, through the real binary: real git, real files, real keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod adding;
mod basics;
mod colleague;
mod craft;
mod crash;
mod dependencies;
mod disk;
mod doctor;
mod examples;
mod exec;
mod find;
mod flipped;
mod former;
mod golden;
mod history;
mod interrupted;
mod joining;
mod keys;
mod known;
mod leaving;
mod limited;
mod moved;
mod names;
mod people;
mod places;
mod plaintext;
mod planted;
mod process;
mod project;
mod readme;
mod refusal;
mod removed;
mod request_files;
mod requests;
mod roster;
mod rotate;
mod sandbox;
mod selection;
mod signers;
mod since;
mod state;
mod status;
mod terminal;
mod text;
mod threats;
mod trust;
mod values;
mod whole_vault;

/// Programs that drive `vault` where Rust would need `unsafe`.
const PYTHON: &str = "python3";
const UNPRIVILEGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/unprivileged.py");
