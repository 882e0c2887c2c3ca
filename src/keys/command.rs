//! A key that a command of the user prints, such as a password manager's.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::LONGEST;
use crate::fault::Fault;
use crate::secret::Secret;

/// Long enough for a person to unlock a password manager.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs `command` in the shell and takes what it prints. It may ask on the terminal; of our own
/// key variables it sees none.
pub(super) fn read(command: &OsStr) -> Result<Secret, Fault> {
    let failed = |reason: &str| Fault::locked(format!("VAULT_KEY_COMMAND {reason}"));
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .env_remove("VAULT_KEY")
        .env_remove("VAULT_KEY_COMMAND")
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {error}")))?;
    let mut output = child.stdout.take();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let text = output.as_mut().map(|output| Secret::read(output as &mut dyn Read, LONGEST));
        // Nobody listens any more after the time limit; the text is wiped then.
        let _ = sender.send(text);
    });
    let Ok(text) = receiver.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed("printed no key within two minutes"));
    };
    let by_hand = "run it by hand; it must print the key alone on standard output";
    let status = child.wait().map_err(|error| failed(&format!("was lost: {error}")))?;
    // Told to go on, it may die of the pipe that nobody reads any more.
    let Some(Ok(text)) = text else {
        return Err(failed("printed more than a key").hint(by_hand));
    };
    if !status.success() {
        return Err(failed(&format!("failed ({status})")).hint(by_hand));
    }
    Ok(text)
}
