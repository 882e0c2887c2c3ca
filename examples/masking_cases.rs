//! Runs the masking cases in the files named on the command line. The last line counts them.

#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

#[path = "../tests/masking/cases.rs"]
mod cases;

use std::io;
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let mut passed = 0;
    let mut failed = 0;
    for file in std::env::args_os().skip(1) {
        let outcome = cases::run(&std::fs::read_to_string(file)?);
        for failure in &outcome.failed {
            println!("{failure}");
        }
        passed += outcome.passed;
        failed += outcome.failed.len();
    }
    println!("{passed} passed, {failed} failed");
    Ok(ExitCode::from(u8::from(failed > 0)))
}
