//! A wrapped command behaves as it does without `vault`. Most scenes run in three ways and must
//! look the same each time: bare; with `--no-mask`, so that `vault` becomes the command; and
//! masked, so that a parent process stays.
//!
//! The tests read facts about processes from /proc, so this target runs on Linux only.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod abnormal_ends;
mod builds;
mod django;
mod exit_status;
mod first_process;
mod inherited;
mod jobs;
mod key_memory;
mod leaks;
mod left_behind;
mod masked;
mod modes;
mod programs;
mod screens;
mod secrecy;
mod servers;
mod sessions;
mod signals;
mod stream_kinds;
mod streams;
mod support;
mod terminal_keys;
