//! The ancestors of this process, and the parts of their environment that this process may read.
//!
//! The kernel shows the environment that a process was started with to every process of the same
//! user, for as long as the process lives. Everything that this process may read, a command that it
//! starts may read too.

use crate::secret::Secret;

/// An ancestor of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its process id.
    pub process: i32,
    /// The name of its program, with unprintable characters replaced.
    pub program: String,
}

/// Returns the ancestors, nearest first, whose environment may be read and has a variable that
/// satisfies `matches` (`NAME=value`, each with a NUL at its end). Returns `None` if that cannot be
/// known because `/proc` does not exist.
#[must_use]
pub fn ancestors_whose_environment(matches: &dyn Fn(&[u8]) -> bool) -> Option<Vec<Ancestor>> {
    let mut found = Vec::new();
    let mut next = parent();
    for _ in 0..system::MAX_ANCESTORS {
        let Some(process) = next else { break };
        let Some(status) = system::status(process) else {
            // The parent always has a status. A missing one further up is hidden by a container or
            // a mount option.
            return (next != parent()).then_some(found);
        };
        if system::environment(process).is_some_and(|block| matches(block.expose())) {
            found.push(Ancestor {
                process,
                program: status.program,
            });
        }
        next = status.parent;
    }
    Some(found)
}

/// Returns whether `ancestor` is the parent of this process.
#[must_use]
pub fn is_parent(ancestor: &Ancestor) -> bool {
    parent() == Some(ancestor.process)
}

fn parent() -> Option<i32> {
    rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get())
}

struct Status {
    program: String,
    parent: Option<i32>,
}

/// Parses `comm` and `ppid` of `proc_pid_stat(5)`: `71 (bash) S 1 …`. The name can hold any
/// character.
#[cfg_attr(
    not(any(target_os = "linux", test)),
    expect(dead_code, reason = "only Linux has it")
)]
fn parse(text: &str) -> Option<Status> {
    let (start, rest) = text.rsplit_once(") ")?;
    let (_, name) = start.split_once('(')?;
    let shown = |c: char| {
        if c.is_ascii_alphanumeric() || "._+-".contains(c) {
            c
        } else {
            '?'
        }
    };
    let parent: i32 = rest.split(' ').nth(1)?.parse().ok()?;
    let program = name.chars().map(shown).collect();
    Some(Status {
        program,
        parent: Some(parent).filter(|parent| *parent > 0),
    })
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Secret, Status, parse};

    /// Limit on the number of ancestors. Deeper nesting is hardly an accident.
    pub(super) const MAX_ANCESTORS: usize = 64;
    /// Limit on the bytes read of one environment: four times the kernel's default limit.
    const MAX_ENVIRONMENT: usize = 8 << 20;

    pub(super) fn status(process: i32) -> Option<Status> {
        let text = std::fs::read(format!("/proc/{process}/stat")).ok()?;
        parse(&String::from_utf8_lossy(&text))
    }

    pub(super) fn environment(process: i32) -> Option<Secret> {
        let mut file = std::fs::File::open(format!("/proc/{process}/environ")).ok()?;
        Secret::read(&mut file, MAX_ENVIRONMENT).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Secret, Status};

    pub(super) const MAX_ANCESTORS: usize = 1;

    pub(super) fn status(_: i32) -> Option<Status> {
        None
    }

    pub(super) fn environment(_: i32) -> Option<Secret> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_parsed_for_any_program_name() {
        for (text, program, parent) in [
            ("71 (bash) S 1 71 71 0", "bash", Some(1)),
            ("1 (tini) S 0 1 1 0", "tini", None),
            ("9 (a) S 7 (b) R 8 0", "a??S?7??b", Some(8)),
            ("9 (::set-env\n\u{1b}[2J) S 5 0", "??set-env???2J", Some(5)),
        ] {
            let status = parse(text).unwrap();
            assert_eq!(
                (status.program.as_str(), status.parent),
                (program, parent),
                "{text:?}"
            );
        }
        for text in [
            "",
            "71",
            "71 (bash)",
            "71 (bash) S",
            "71 (bash) S x",
            ") S 1",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
