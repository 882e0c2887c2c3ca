//! Becomes the planned command, or says why that cannot be.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use super::Plan;
use crate::fault::{Fault, Kind};
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

/// Why no command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    NotFound,
    NoInterpreter,
    /// The operating system's error number; 0 for an argument that holds a NUL byte.
    Refused(i32),
}

impl Failure {
    /// The length of what tells a failure across processes.
    pub(super) const LENGTH: usize = 5;

    fn to_bytes(self) -> [u8; Self::LENGTH] {
        let (kind, number) = match self {
            Self::NotFound => (0, 0),
            Self::NoInterpreter => (1, 0),
            Self::Refused(number) => (2, number),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [kind, a, b, c, d]
    }

    /// What [`launch_child`] reported, or nothing where the command runs.
    pub(super) fn read(report: &[u8]) -> Option<Self> {
        let (&kind, number) = report.split_first()?;
        Some(match kind {
            0 => Self::NotFound,
            1 => Self::NoInterpreter,
            _ => Self::Refused(number.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes))),
        })
    }

    pub(super) fn explain(self, plan: &Plan) -> Fault {
        let name = plan.arguments.first().map(|name| name.display().to_string());
        let name = name.unwrap_or_default();
        match self {
            Self::NotFound => Fault::new(Kind::NotFound, format!("{name}: command not found")),
            Self::NoInterpreter => {
                let message =
                    format!("{name}: cannot be executed: its interpreter or loader is missing");
                Fault::new(Kind::NotExecutable, message)
                    .hint(format!("see what its first line names, or: file {name}"))
            }
            Self::Refused(0) => {
                Fault::new(Kind::NotExecutable, format!("{name}: an argument holds a NUL byte"))
            }
            Self::Refused(number) => refused(plan, &name, &io::Error::from_raw_os_error(number)),
        }
    }
}

fn refused(plan: &Plan, name: &str, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ArgumentListTooLong => Fault::incomplete(format!(
            "{name}: arguments and environment are too large for the kernel{}",
            largest(plan)
        ))
        .hint("inject fewer secrets: --only A,B or --step STEP"),
        io::ErrorKind::PermissionDenied => {
            Fault::new(Kind::NotExecutable, format!("{name}: permission denied"))
                .hint(format!("make it executable: chmod +x {name}"))
        }
        _ => Fault::new(Kind::NotExecutable, format!("{name}: cannot be executed: {error}"))
            .hint("a script needs a first line such as #!/bin/sh"),
    }
}

fn largest(plan: &Plan) -> String {
    plan.largest().map_or_else(String::new, |(name, length)| {
        format!("; the largest variable is {name} with {length} bytes")
    })
}
