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
mod facts;
mod first_process;
mod inherited;
mod jobs;
mod key_memory;
mod keys;
mod leaks;
mod left_behind;
#[path = "../cli/machine.rs"]
mod machine;
mod masked;
mod modes;
mod programs;
#[path = "../cli/python.rs"]
#[expect(dead_code, reason = "here Python is found by PATH")]
mod python;
mod runaway;
mod running;
#[path = "../cli/sandbox.rs"]
#[expect(dead_code, reason = "written for the other tests; here only places are needed")]
mod sandbox;
mod scene;
mod screens;
mod secrecy;
mod servers;
mod sessions;
mod signals;
mod site;
mod streams;
mod terminal;
mod transcript;
