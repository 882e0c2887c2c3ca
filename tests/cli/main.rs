//! Everything that `vault` promises, tested through the real binary with real git, files, and keys.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(
    clippy::too_many_lines,
    reason = "a test tells one story from start to end"
)]
#![expect(
    clippy::needless_raw_string_hashes,
    reason = "accepted snapshots are written so"
)]

mod exec;
mod format;
mod git;
mod histories;
mod keys;
mod members;
mod merge;
mod names;
mod project;
mod review;
mod store;
mod support;
mod texts;
mod trust;
mod upkeep;
mod values;
