//! The binary `vault`: hardens the process, takes the key out of its environment, and runs the
//! command line.

use std::process::ExitCode;

use repovault::{cli, platform};

fn main() -> ExitCode {
    // Before a thread exists and before anything else is read.
    let hardened = platform::harden();
    let key = platform::take_variable("VAULT_KEY");
    let arguments: Vec<_> = std::env::args_os().collect();
    cli::run(&arguments, key, hardened)
}
