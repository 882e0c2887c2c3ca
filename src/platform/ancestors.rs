//! The processes above this one, and what this process may read of their environment.
//!
//! The kernel shows the environment that a process was started with, for as long as it lives, to every
//! process of the same user. What this process may read, a command that it starts may read too.

use crate::secret::Secret;

/// A process above this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its number.
    pub process: i32,
    /// The name of its program, as far as it can be printed.
    pub program: String,
}

/// Of the processes above this one, the nearest first, those whose environment may be read and
/// satisfies `matches` (`NAME=value`, each with a NUL at its end). Returns `None` if that cannot be
/// known: there is no `/proc`.
#[must_use]
pub fn ancestors_whose_environment(matches: &dyn Fn(&[u8]) -> bool) -> Option<Vec<Ancestor>> {
    let mut found = Vec::new();
    let mut next = parent();
    for _ in 0..system::MAX_ANCESTORS {
        let Some(process) = next else { break };
        let Some(status) = system::status(process) else {
            // A parent always has a status; further up, a container or a mount option ends the view.
            return (next != parent()).then_some(found);
        };
        if system::environment(process).is_some_and(|block| matches(block.expose())) {
            found.push(Ancestor { process, program: status.program });
        }
        next = status.parent;
    }
    Some(found)
}

/// Whether this process was started by `ancestor`.
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

/// `comm` and `ppid` of `proc_pid_stat(5)`: `71 (bash) S 1 …`. The name can hold any character.
#[cfg_attr(not(any(target_os = "linux", test)), expect(dead_code, reason = "only Linux has it"))]
fn parse(text: &str) -> Option<Status> {
    let (start, rest) = text.rsplit_once(") ")?;
    let (_, name) = start.split_once('(')?;
    let shown = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '?' };
    let parent: i32 = rest.split(' ').nth(1)?.parse().ok()?;
    let program = name.chars().map(shown).collect();
    Some(Status { program, parent: Some(parent).filter(|parent| *parent > 0) })
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Secret, Status, parse};

    /// How many processes are looked at: deeper nesting is a loop of somebody's making.
    pub(super) const MAX_ANCESTORS: usize = 64;
    /// No more is read of one environment, in bytes; the kernel's own default limit is a quarter.
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
            assert_eq!((status.program.as_str(), status.parent), (program, parent), "{text:?}");
        }
        for text in ["", "71", "71 (bash)", "71 (bash) S", "71 (bash) S x", ") S 1"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
