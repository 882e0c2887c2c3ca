//! The reason why a command could not be started, as a few bytes between processes and as a message
//! with a hint.
//!
//! The message is made after the failure, from the command's name and the files that the name could
//! mean. The command's arguments are never shown, because one may be a password.

use std::io;

use super::unstartable::Program;
use super::{Plan, mistyped};
use crate::fault::{Fault, Kind};

/// Why the command could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    NotFound,
    NoInterpreter,
    /// The operating system's error number; 0 if an argument contains a NUL byte.
    Refused(i32),
}

impl Failure {
    /// Length in bytes of a failure that is sent between processes.
    pub(super) const LENGTH: usize = 5;

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let (kind, number) = match self {
            Self::NotFound => (0, 0),
            Self::NoInterpreter => (1, 0),
            Self::Refused(number) => (2, number),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [kind, a, b, c, d]
    }

    /// Decodes the child's report. Returns `None` if it is empty, which means that the command
    /// runs.
    pub(super) fn read(report: &[u8]) -> Option<Self> {
        let (&kind, number) = report.split_first()?;
        Some(match kind {
            0 => Self::NotFound,
            1 => Self::NoInterpreter,
            _ => Self::Refused(
                number
                    .first_chunk()
                    .map_or(0, |bytes| i32::from_be_bytes(*bytes)),
            ),
        })
    }

    /// Returns the message, with hints.
    pub(super) fn explain(self, plan: &Plan) -> Fault {
        let kind = if self == Self::NotFound {
            Kind::NotFound
        } else {
            Kind::NotExecutable
        };
        let Some(name) = plan.arguments.first() else {
            return Fault::new(kind, "no command is given");
        };
        if let Self::Refused(number) = self
            && io::Error::from_raw_os_error(number).kind() == io::ErrorKind::ArgumentListTooLong
        {
            return too_large(plan);
        }
        let found = Program::find(name, &plan.candidates());
        let mistyped = mistyped::explain(&plan.arguments, found.as_ref());
        let (reason, hints) = mistyped.unwrap_or_else(|| match (self, found) {
            (Self::NotFound, _) => ("command not found".to_owned(), Vec::new()),
            (Self::Refused(0), _) => ("an argument contains a NUL byte".to_owned(), Vec::new()),
            (Self::NoInterpreter, Some(found)) => found.without_interpreter(),
            (Self::Refused(number), Some(found)) => found.refused(number),
            (Self::NoInterpreter, None) => ("cannot be executed".to_owned(), Vec::new()),
            (Self::Refused(number), None) => {
                let error = io::Error::from_raw_os_error(number);
                (format!("cannot be executed: {error}"), Vec::new())
            }
        });
        let fault = Fault::new(kind, format!("{}: {reason}", mistyped::shown(name)));
        hints.into_iter().fold(fault, Fault::hint)
    }
}

fn too_large(plan: &Plan) -> Fault {
    let largest = plan.largest().map_or_else(String::new, |(name, length)| {
        format!("; the largest variable is {name} with {length} bytes")
    });
    let name = plan
        .arguments
        .first()
        .map(|name| mistyped::shown(name))
        .unwrap_or_default();
    Fault::incomplete(format!(
        "{name}: arguments and environment are too large for the kernel{largest}"
    ))
    .hint("inject fewer secrets: `--only A,B` or `--step STEP`")
}
