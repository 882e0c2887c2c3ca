//! The programs available on the machine that runs the tests. A newcomer's machine may lack some
//! programs that people wrap with `vault exec`: tests with them are skipped, with a note on
//! standard error. With `VAULT_TESTS=all`, as in `.ci/run`, nothing may be missing.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Whether `VAULT_TESTS=all` requests every test, including slow ones.
pub(crate) fn all_is_wanted() -> bool {
    std::env::var("VAULT_TESTS").is_ok_and(|which| which == "all")
}

/// Whether the program can be started here; `package` is its Debian package.
#[track_caller]
pub(crate) fn has(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| is_program(&folder.join(program)));
    let message = format!("{program} is missing; on Debian: apt-get install {package}");
    assert!(is_there || !all_is_wanted(), "{message}");
    if !is_there {
        left_out(&message);
    }
    is_there
}

/// Prints that the machine does not support a test.
pub(crate) fn left_out(reason: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    // Not with a macro, whose output is hidden if a test succeeds.
    let _ = writeln!(std::io::stderr(), "left out: {test}: {reason}");
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
