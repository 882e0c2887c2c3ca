//! Commands of the user: one prints a key, such as a password manager's, and one wraps a new
//! credential.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::{LONGEST, holds_key, misplaced, words};
use crate::fault::Fault;
use crate::secret::Secret;

/// Long enough for a person to unlock a password manager.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs `command` and takes what it prints. It may ask on the terminal; of our own
/// key variables it sees none. Any other standard input belongs to the command that follows, or holds
/// a value.
pub(super) fn run(command: &OsStr) -> Result<Secret, Fault> {
    let failed = |reason: &str| {
        Fault::locked(format!("VAULT_KEY_COMMAND {reason}"))
            .hint("run it by hand; it must print the key alone on standard output")
    };
    let mut program = prepared(command, "VAULT_KEY_COMMAND")?;
    program.stdin(if io::stdin().is_terminal() {
        Stdio::inherit()
    } else {
        Stdio::null()
    });
    let mut child = program.spawn().map_err(|error| {
        let reason = format!("could not be started: {error}");
        failed(&reason)
    })?;
    let ended = wait(&mut child, PATIENCE).ok_or_else(|| failed(TOO_LONG))?;
    // If it continues, it may die of the pipe that is no longer read.
    let text = ended
        .output
        .map_err(|_| failed("printed more than a key"))?;
    if !ended.status.success() {
        return Err(failed(&format!("failed ({})", ended.status)));
    }
    Ok(text)
}

/// The result of wrapping a credential.
pub struct Wrapped {
    /// Its standard output, if it did its work.
    pub output: Result<Secret, Fault>,
    /// Its standard error.
    pub said: Secret,
}

/// Runs `command`, gives it `credential` as one line of standard input, and takes
/// what it prints. It finds the credential nowhere else.
///
/// # Errors
/// If it cannot be started, does not end within two minutes, or prints too much. In `output`, if it
/// fails, prints nothing, or does not read all of its input.
pub fn wrap(command: &OsStr, credential: &Secret) -> Result<Wrapped, Fault> {
    wrap_within(PATIENCE, command, credential)
}

fn wrap_within(limit: Duration, command: &OsStr, credential: &Secret) -> Result<Wrapped, Fault> {
    let failed = |reason: &str| {
        Fault::usage(format!("the command of `--wrap` {reason}"))
            .hint("nothing was changed; it must read one line, and print what unwraps to it")
    };
    if holds_key(&command.to_string_lossy()) {
        return Err(misplaced("--wrap", "a command"));
    }
    let mut program = prepared(command, "--wrap")?;
    program.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {error}")))?;
    let written = feed(&mut child, credential);
    let ended = wait(&mut child, limit).ok_or_else(|| failed(TOO_LONG))?;
    let long = |_| failed("printed too much");
    let (output, said) = (ended.output.map_err(long)?, ended.errors.map_err(long)?);
    let has_read = matches!(written.recv(), Ok(Ok(())));
    let reason = if !ended.status.success() {
        Some(format!("failed ({})", ended.status))
    } else if output.expose().trim_ascii().is_empty() {
        Some("printed nothing".to_owned())
    } else if !has_read {
        Some("did not read the credential".to_owned())
    } else {
        None
    };
    let output = reason.map_or(Ok(output), |reason| Err(failed(&reason)));
    Ok(Wrapped { output, said })
}

const TOO_LONG: &str = "did not end within two minutes";

/// The program with its arguments, without our own key variables.
fn prepared(command: &OsStr, place: &str) -> Result<Command, Fault> {
    let words = words::split(command, place)?;
    let mut program = Command::new(&words[0]);
    program
        .args(&words[1..])
        .env_remove("VAULT_KEY")
        .env_remove("VAULT_KEY_COMMAND")
        .stdout(Stdio::piped());
    Ok(program)
}

/// Writes `line` to the child, on a thread of its own: the child may print before it reads.
fn feed(child: &mut Child, line: &Secret) -> Receiver<io::Result<()>> {
    let (sender, receiver) = mpsc::channel();
    let mut text = Secret::with_capacity(line.len() + 1);
    text.extend(line.expose());
    text.extend(b"\n");
    if let Some(mut input) = child.stdin.take() {
        thread::spawn(move || {
            let _ = sender.send(input.write_all(text.expose()));
        });
    }
    receiver
}

/// The result of a command.
struct Ended {
    output: io::Result<Secret>,
    errors: io::Result<Secret>,
    status: ExitStatus,
}

/// Takes what `child` prints into pipes, until it ends. Returns `None` if it takes too long; then it
/// is killed.
fn wait(child: &mut Child, limit: Duration) -> Option<Ended> {
    let start = Instant::now();
    let output = reading(child.stdout.take());
    let errors = reading(child.stderr.take());
    let left = || limit.saturating_sub(start.elapsed());
    let ended = (|| {
        Some(Ended {
            output: output.recv_timeout(left()).ok()?,
            errors: errors.recv_timeout(left()).ok()?,
            status: status(child, left)?,
        })
    })();
    if ended.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    ended
}

fn reading(stream: Option<impl Read + Send + 'static>) -> Receiver<io::Result<Secret>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let text = match stream {
            Some(mut stream) => Secret::read(&mut stream, LONGEST),
            None => Ok(Secret::new(Vec::new())),
        };
        // After the time limit the receiver is gone, and the text is wiped.
        let _ = sender.send(text);
    });
    receiver
}

/// The status of `child`, which may have closed its output and continued. Returns `None` if it
/// takes too long.
fn status(child: &mut Child, left: impl Fn() -> Duration) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if !left().is_zero() => thread::sleep(Duration::from_millis(1)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_is_given_up_after_the_limit() {
        let credential = Secret::new(b"hunter2".to_vec());
        let limit = Duration::from_millis(300);
        for command in [
            "sleep 60",
            "sh -c 'sleep 60 & wait'",
            "sh -c 'cat; exec >&- 2>&-; sleep 60'",
        ] {
            let start = Instant::now();
            let fault = wrap_within(limit, OsStr::new(command), &credential)
                .err()
                .unwrap();
            assert!(fault.to_string().contains(TOO_LONG), "{command}: {fault}");
            assert!(start.elapsed() < Duration::from_secs(10), "{command}");
        }
    }

    #[test]
    fn partial_read_is_refused() {
        // More than a pipe holds, so that the end of the command is noticed.
        let credential = Secret::new(vec![b'x'; 200 << 10]);
        let command = OsStr::new("sh -c 'echo wrapped'");
        let wrapped = wrap_within(PATIENCE, command, &credential).unwrap();
        let fault = wrapped.output.err().unwrap();
        assert!(fault.to_string().contains("did not read"), "{fault}");
    }
}
