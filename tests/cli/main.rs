//! Everything that `vault` promises, through the real binary: real git, real files, real keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod basics;
mod craft;
mod find;
mod flipped;
mod moved;
mod places;
mod project;
mod refusal;
mod roster;
mod sandbox;
mod signers;
mod since;
mod text;
