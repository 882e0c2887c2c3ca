//! Waits for facts. The limit is so long that only a failing test reaches it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// More time than any fact takes, even on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Waits until `fact` returns something, and fails if it never does.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, fact: impl FnMut() -> Option<T>) -> T {
    wait(fact).unwrap_or_else(|| panic!("never: {what}"))
}

/// Waits until `fact` returns something. Returns `None` if it never does.
pub(crate) fn wait<T>(mut fact: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = fact();
        if found.is_some() || start.elapsed() > LIMIT {
            return found;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the state of a process as /proc names it (`S`, `T`, `Z`, …), or `None` if the process is
/// gone.
pub(crate) fn state(pid: Pid) -> Option<char> {
    let line = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    line.rsplit(") ").next()?.chars().next()
}

#[track_caller]
pub(crate) fn wait_for_state(pid: Pid, wanted: char) {
    wait_for(&format!("{pid:?} in state {wanted}"), || {
        (state(pid) == Some(wanted)).then_some(())
    });
}

/// Waits until the process has ended. It need not be a child of this process.
#[track_caller]
pub(crate) fn wait_until_gone(pid: Pid) {
    wait_for(&format!("{pid:?} is gone"), || {
        matches!(state(pid), None | Some('Z')).then_some(())
    });
}

/// Waits until the file has a whole line, and returns its text.
#[track_caller]
pub(crate) fn wait_for_file(path: &Path) -> String {
    wait_for(&path.display().to_string(), || {
        fs::read_to_string(path)
            .ok()
            .filter(|text| text.ends_with('\n'))
    })
}

/// Returns the pid on the file's only line.
#[track_caller]
pub(crate) fn pid_in(path: &Path) -> Pid {
    Pid::from_raw(wait_for_file(path).trim().parse().unwrap()).unwrap()
}

/// Returns the children of `pid` that are still there.
pub(crate) fn children(pid: Pid) -> Vec<Pid> {
    let pid = pid.as_raw_nonzero();
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace()
        .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap())
        .collect()
}

/// Waits until the file has `count` lines, and returns all of its lines.
#[track_caller]
pub(crate) fn wait_for_lines(path: &Path, count: usize) -> Vec<String> {
    wait_for(&format!("{count} lines in {}", path.display()), || {
        let text = fs::read_to_string(path).ok()?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: Vec<String> = whole.lines().map(str::to_owned).collect();
        (lines.len() >= count).then_some(lines)
    })
}
