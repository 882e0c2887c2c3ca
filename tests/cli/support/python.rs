//! The Python environment of the tests. Each test that starts Python requests it here, so that
//! `tests/setup.sh` has run before: once per process, and not in parallel.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The interpreter, with the packages of `tests/requirements.txt`.
#[track_caller]
pub(crate) fn python() -> &'static str {
    set_up();
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/.venv/bin/python")
}

/// The folder with the programs of those packages, for `PATH`.
#[track_caller]
pub(crate) fn programs() -> &'static str {
    set_up();
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/.venv/bin")
}

#[track_caller]
fn set_up() {
    static SAID: OnceLock<Result<(), String>> = OnceLock::new();
    if let Err(said) = SAID.get_or_init(run_setup) {
        panic!("could not set up the Python of the tests:\n{said}");
    }
}

/// Runs the script and prints its output immediately, because the first run takes a while.
fn run_setup() -> Result<(), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/setup.sh");
    let mut child = Command::new(script).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap() + "\n";
        // Not with a macro, whose output is hidden while a test runs.
        let _ = std::io::stderr().write_all(line.as_bytes());
        said.push_str(&line);
    }
    if child.wait().unwrap().success() {
        Ok(())
    } else {
        Err(said)
    }
}
