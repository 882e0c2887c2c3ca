//! Carries out a plan by becoming the command: same pid, nothing of ours left behind.

use std::io;
use std::path::Path;

use super::Plan;
use crate::fault::{Fault, Kind};
use crate::platform::{self, Hardened};

/// Replaces this process by the planned command. Returns only when that failed.
#[must_use]
pub fn launch(plan: &Plan, hardened: &Hardened) -> Fault {
    let environment = plan.environment();
    let mut denied = None;
    for candidate in plan.candidates() {
        let error = platform::execute(&candidate, &plan.arguments, &environment, hardened);
        match error.kind() {
            // The file is there, so what is missing is the program that would run it.
            io::ErrorKind::NotFound if Path::new(&candidate).exists() => {
                return without_interpreter(plan);
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {}
            // As `execvp` does: another folder of PATH may have one that can be executed.
            io::ErrorKind::PermissionDenied => denied = Some(error),
            _ => return cannot(plan, &error),
        }
    }
    denied.map_or_else(|| not_found(plan), |error| cannot(plan, &error))
}

fn name(plan: &Plan) -> String {
    plan.arguments.first().map(|name| name.display().to_string()).unwrap_or_default()
}

fn without_interpreter(plan: &Plan) -> Fault {
    let name = name(plan);
    let message = format!("{name}: cannot be executed: its interpreter or loader is missing");
    Fault::new(Kind::NotExecutable, message)
        .hint(format!("see what its first line names, or: file {name}"))
}

fn not_found(plan: &Plan) -> Fault {
    Fault::new(Kind::NotFound, format!("{}: command not found", name(plan)))
}

fn largest(plan: &Plan) -> String {
    plan.largest().map_or_else(String::new, |(name, length)| {
        format!("; the largest variable is {name} with {length} bytes")
    })
}

fn cannot(plan: &Plan, error: &io::Error) -> Fault {
    let name = name(plan);
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
