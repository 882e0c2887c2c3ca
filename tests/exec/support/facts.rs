//! What is so: waited for with a limit that only ends a failure.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// Nothing that a test waits for takes this long, however loaded the machine is.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Waits until `fact` gives something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, fact: impl FnMut() -> Option<T>) -> T {
    wait(fact).unwrap_or_else(|| panic!("never: {what}"))
}

/// Waits until `fact` gives something; gives nothing when it never does.
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

/// The state of a process as /proc names it (`S`, `T`, `Z`, …); nothing when it is gone.
pub(crate) fn state(pid: Pid) -> Option<char> {
    let line = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    line.rsplit(") ").next()?.chars().next()
}

#[track_caller]
pub(crate) fn wait_for_state(pid: Pid, wanted: char) {
    wait_for(&format!("{pid:?} in state {wanted}"), || (state(pid) == Some(wanted)).then_some(()));
}

/// Waits until the process has ended, whoever waits for it.
#[track_caller]
pub(crate) fn wait_until_gone(pid: Pid) {
    wait_for(&format!("{pid:?} is gone"), || matches!(state(pid), None | Some('Z')).then_some(()));
}

/// Waits until the file holds a whole line, and gives its text.
#[track_caller]
pub(crate) fn wait_for_file(path: &Path) -> String {
    wait_for(&path.display().to_string(), || {
        fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'))
    })
}

/// The pid on the file's only line.
#[track_caller]
pub(crate) fn pid_in(path: &Path) -> Pid {
    Pid::from_raw(wait_for_file(path).trim().parse().unwrap()).unwrap()
}

/// The processes that `pid` has started and that are still there.
pub(crate) fn children(pid: Pid) -> Vec<Pid> {
    let pid = pid.as_raw_nonzero();
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()).collect()
}

/// Waits until the file has so many lines, and gives all it has.
#[track_caller]
pub(crate) fn wait_for_lines(path: &Path, count: usize) -> Vec<String> {
    wait_for(&format!("{count} lines in {}", path.display()), || {
        let text = fs::read_to_string(path).ok()?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: Vec<String> = whole.lines().map(str::to_owned).collect();
        (lines.len() >= count).then_some(lines)
    })
}
