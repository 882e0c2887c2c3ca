//! Signals at any moment before and during the start of a command with a secret as a file: no file
//! stays.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::memory::{Shared, sandbox};
use crate::support::sandbox::Sandbox;
use crate::support::tracing::can_trace;

/// The names of the files that a run of `exec` leaves.
fn left(shared: &Shared) -> Vec<String> {
    let names = fs::read_dir(&shared.0).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn exec(sandbox: &Sandbox, shared: &Shared, options: &[&str], command: &[&str]) -> Command {
    let words = [&["exec"], options, &["--"], command].concat();
    // A caller in the background ignores some signals, and its children inherit that.
    let run = sandbox
        .vault(&words)
        .under(&["env", "--default-signal", "--"]);
    let mut command = run.variable("XDG_RUNTIME_DIR", shared.text()).command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn signal_at_any_early_moment_leaves_no_file() {
    let (sandbox, shared) = sandbox();
    let signals = [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::ALARM,
    ];
    for round in 0..100_u32 {
        let signal = signals[round as usize % signals.len()];
        let options: &[&str] = if round % 2 == 0 {
            &["-q"]
        } else {
            &["-q", "--no-mask"]
        };
        let mut child = exec(&sandbox, &shared, options, &["sleep", "1000"])
            .spawn()
            .unwrap();
        // Begins when the folder exists, and waits a little longer in each round.
        while left(&shared).is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "vault has ended");
        }
        let until = Instant::now() + Duration::from_micros(100) * (round % 40);
        while Instant::now() < until {}
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(
            status.signal(),
            Some(signal.as_raw()),
            "round {round}: {status}"
        );
        assert!(
            left(&shared).is_empty(),
            "round {round}: {:?}",
            left(&shared)
        );
    }
}

/// Runs `exec -- touch started`, sends TERM before the `count`th system call `call`, and returns
/// the status and whether the command was started.
fn interrupted(sandbox: &Sandbox, shared: &Shared, call: &str, count: u32) -> (i32, bool) {
    let started = sandbox.root().join("started");
    let _ = fs::remove_file(&started);
    let inject = format!("inject={call}:signal=TERM:when={count}");
    let words = ["exec", "-q", "--", "touch", started.to_str().unwrap()];
    let run = sandbox
        .vault(&words)
        .under(&["strace", "-qq", "-o", "/dev/null", "-e", &inject]);
    let outcome = run.variable("XDG_RUNTIME_DIR", shared.text()).outcome();
    assert!(
        left(shared).is_empty(),
        "{call} {count}: {:?}",
        left(shared)
    );
    assert_eq!(outcome.said, "", "{call} {count}");
    (outcome.status, started.exists())
}

#[test]
fn signal_before_the_start_prevents_the_start() {
    let (sandbox, shared) = sandbox();
    // On other machines, the test above shows that no file stays, though not at every moment.
    if can_trace() {
        for call in ["mkdirat", "flock"] {
            assert_eq!(
                interrupted(&sandbox, &shared, call, 1),
                (143, false),
                "{call}"
            );
        }
    }
}

#[test]
fn signal_before_any_early_system_call_leaves_no_file() {
    let (sandbox, shared) = sandbox();
    if !can_trace() {
        return;
    }
    let calls = [
        "fchmod",
        "write",
        "clone",
        "clone3",
        "pipe2",
        "rt_sigaction",
        "unlinkat",
    ];
    let mut ended = 0;
    for call in calls {
        // Each call is made a different number of times; signals after the end of the command come
        // too late.
        for count in (1..80).step_by(if call == "rt_sigaction" { 7 } else { 1 }) {
            match interrupted(&sandbox, &shared, call, count) {
                (0, true) => break,
                (status, _) => assert_eq!(status, 143, "{call} {count}"),
            }
            ended += 1;
        }
    }
    assert!(ended >= 5, "{ended}");
}

#[test]
fn early_signal_ignored_by_the_caller_ends_nothing() {
    let (sandbox, shared) = sandbox();
    for option in ["--ignore-signal=TERM", "--block-signal=TERM"] {
        for _ in 0..5 {
            let run = sandbox.vault(&["exec", "-q", "--", "sh", "-c", "exit 7"]);
            let run = run
                .under(&["env", option])
                .variable("XDG_RUNTIME_DIR", shared.text());
            let mut child = run.command().stdin(Stdio::null()).spawn().unwrap();
            while left(&shared).is_empty() && child.try_wait().unwrap().is_none() {}
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            assert_eq!(child.wait().unwrap().code(), Some(7), "{option}");
            assert!(left(&shared).is_empty());
        }
    }
}
