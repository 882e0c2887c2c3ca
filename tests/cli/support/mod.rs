//! Helpers shared by the tests. None of these files contains a test.

pub(crate) mod branches;
pub(crate) mod colleague;
pub(crate) mod craft;
pub(crate) mod expected;
pub(crate) mod golden;
pub(crate) mod keyring;
pub(crate) mod literals;
pub(crate) mod machine;
pub(crate) mod membership;
pub(crate) mod memory;
pub(crate) mod openbao;
pub(crate) mod order_two;
pub(crate) mod pages;
pub(crate) mod pipeline;
pub(crate) mod python;
pub(crate) mod random;
pub(crate) mod refusal;
pub(crate) mod review;
pub(crate) mod sandbox;
pub(crate) mod scratch;
pub(crate) mod shop;
pub(crate) mod ssh;
pub(crate) mod terminal;
pub(crate) mod tracing;
pub(crate) mod transcript;

/// Drives `vault` in a way that would need `unsafe` in Rust.
pub(crate) const UNPRIVILEGED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/cli/support/unprivileged.py"
);
