//! Everything that `vault` promises, through the real binary: real git, real files, real keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod basics;
mod craft;
mod dependencies;
mod examples;
mod project;
mod readme;
mod sandbox;
