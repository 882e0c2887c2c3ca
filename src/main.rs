//! The binary `vault`: hardens the process, takes the key out of its environment, runs the command
//! line, and ends as it says.

use std::process::ExitCode;

use repovault::runner::Ending;
use repovault::{cli, platform};

/// Keys and values pass through many libraries; whatever they free holds nothing afterwards.
#[global_allocator]
static HEAP: platform::WipingHeap = platform::WipingHeap;

fn main() -> ExitCode {
    // Before a thread exists and before anything else is read.
    let hardened = platform::harden();
    let key = platform::take_variable("VAULT_KEY");
    let arguments: Vec<_> = std::env::args_os().collect();
    match cli::run(&arguments, key, hardened) {
        Ending::Exited(code) => ExitCode::from(code),
        Ending::Killed(signal) => {
            platform::die(signal);
            // Process 1 ends by no signal.
            ExitCode::from(128_u8.saturating_add(u8::try_from(signal.number()).unwrap_or(0)))
        }
    }
}
