//! Becomes the planned command, or says why that cannot be.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use super::Plan;
use super::failure::Failure;
use crate::fault::Fault;
use crate::platform::{self, Hardened};

/// Replaces this process by the planned command: same pid, nothing of ours left behind. Returns
/// only when that failed.
#[must_use]
pub fn launch(plan: &Plan, hardened: &Hardened) -> Fault {
    attempt(plan, hardened).explain(plan)
}

/// As [`launch`], in a child: why it failed goes to `report` for [`Failure::read`].
pub(super) fn launch_child(plan: &Plan, hardened: &Hardened, report: impl AsFd) {
    let failure = attempt(plan, hardened);
    // The reader takes silence for success, and then sees the child end with status 127.
    let _ = platform::write(report, &failure.to_bytes());
}

fn attempt(plan: &Plan, hardened: &Hardened) -> Failure {
    let environment = plan.environment();
    let mut denied = None;
    for candidate in plan.candidates() {
        let error = platform::execute(&candidate, &plan.arguments, &environment, hardened);
        match error.kind() {
            // The file is there, so what is missing is the program that would run it.
            io::ErrorKind::NotFound if Path::new(&candidate).exists() => {
                return Failure::NoInterpreter;
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {}
            // As `execvp` does: another folder of PATH may have one that can be executed.
            io::ErrorKind::PermissionDenied => denied = error.raw_os_error(),
            _ => return Failure::Refused(error.raw_os_error().unwrap_or_default()),
        }
    }
    denied.map_or(Failure::NotFound, Failure::Refused)
}
