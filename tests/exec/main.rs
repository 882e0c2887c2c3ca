//! A wrapped command behaves as if it ran bare. Most scenes are played three times - bare, with
//! `--no-mask`, where `vault` becomes the command, and masked, where a parent stays - and must look
//! the same each time.
//!
//! Facts about processes are read from /proc, so this target runs on Linux only.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod builds;
mod django;
mod ends;
mod ends_of_pipes;
mod first_process;
mod inherited;
mod jobs;
mod key_memory;
mod keys;
mod leaks;
mod left_behind;
mod masked;
mod modes;
mod programs;
mod runaway;
mod screens;
mod secrecy;
mod servers;
mod sessions;
mod signals;
mod streams;
mod support;
