//! A key that a command of the user prints, such as a password manager's.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::LONGEST;
use crate::fault::Fault;
use crate::secret::Secret;

/// Long enough for a person to unlock a password manager.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs `command` in the shell and takes what it prints. It may ask on the terminal; of our own
/// key variables it sees none. Any other standard input belongs to the command that follows, or holds
/// a value.
pub(super) fn run(command: &OsStr) -> Result<Secret, Fault> {
    let failed = |reason: &str| Fault::locked(format!("VAULT_KEY_COMMAND {reason}"));
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .env_remove("VAULT_KEY")
        .env_remove("VAULT_KEY_COMMAND")
        .stdin(if io::stdin().is_terminal() {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {error}")))?;
    let start = Instant::now();
    let mut output = child.stdout.take();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let text = output
            .as_mut()
            .map(|output| Secret::read(output as &mut dyn Read, LONGEST));
        // After the time limit the receiver is gone, and the text is wiped.
        let _ = sender.send(text);
    });
    let by_hand = "run it by hand; it must print the key alone on standard output";
    let message = receiver.recv_timeout(PATIENCE).ok();
    let Some((text, status)) = message.zip(ended(&mut child, start)) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed("did not end within two minutes").hint(by_hand));
    };
    // If it continues, it may die of the pipe that is no longer read.
    let Some(Ok(text)) = text else {
        return Err(failed("printed more than a key").hint(by_hand));
    };
    if !status.success() {
        return Err(failed(&format!("failed ({status})")).hint(by_hand));
    }
    Ok(text)
}

/// The status of `child`, which may have closed its output and continued. Returns `None` if it
/// takes too long.
fn ended(child: &mut Child, start: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(1)),
            _ => return None,
        }
    }
}
