//! Replaces the process by the planned command, or reports why that failed.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::Plan;
use super::failure::Failure;
use crate::fault::Fault;
use crate::platform::{self, Hardened};

/// Replaces this process by the planned command, which keeps the pid and gets nothing else from
/// vault. Returns only if that failed.
#[must_use]
pub fn launch(plan: &Plan, hardened: &Hardened) -> Fault {
    attempt(plan, hardened).explain(plan)
}

/// The values that a child process needs to become the command.
pub(super) struct ChildSetup<'a> {
    pub(super) plan: &'a Plan,
    pub(super) hardened: &'a Hardened,
    /// Replacements for the streams 0, 1, and 2.
    pub(super) streams: [Option<BorrowedFd<'a>>; 3],
    /// A failure is written here, to be read by [`Failure::read`].
    pub(super) report: BorrowedFd<'a>,
}

impl ChildSetup<'_> {
    /// In a new child: becomes the command. Returns only if that failed.
    pub(super) fn become_command(&self) {
        if platform::replace_streams(self.streams).is_err() {
            return;
        }
        let failure = attempt(self.plan, self.hardened);
        // If this write fails, the parent takes the silence for success, and then sees the child
        // end with status 127.
        let _ = platform::write(self.report, &failure.to_bytes());
    }
}

fn attempt(plan: &Plan, hardened: &Hardened) -> Failure {
    let environment = plan.environment();
    let mut denied = None;
    for candidate in plan.candidates() {
        let error = platform::execute(&candidate, &plan.arguments, &environment, hardened);
        match error.kind() {
            // The file exists, so its interpreter or loader is missing.
            io::ErrorKind::NotFound if Path::new(&candidate).exists() => {
                return Failure::NoInterpreter;
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {}
            // Like `execvp`: another folder in PATH may have a file that can be executed.
            io::ErrorKind::PermissionDenied => denied = error.raw_os_error(),
            _ => return Failure::Refused(error.raw_os_error().unwrap_or_default()),
        }
    }
    denied.map_or(Failure::NotFound, Failure::Refused)
}
