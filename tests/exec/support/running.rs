//! A command that runs with pipes.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::facts::wait;
use crate::support::transcript::Transcript;

pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) output: Transcript,
    pub(crate) errors: Transcript,
}

/// The end of a command: its status and its whole output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) status: Status,
    pub(crate) output: String,
    pub(crate) said: String,
}

/// The status of a process, as its parent sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Code(i32),
    /// The process was killed by this signal.
    Signal(i32),
}

impl From<ExitStatus> for Status {
    fn from(status: ExitStatus) -> Self {
        status
            .code()
            .map_or_else(|| Self::Signal(status.signal().unwrap()), Self::Code)
    }
}

impl Running {
    /// Starts the command with all three streams as pipes.
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Transcript::of(child.stdout.take().unwrap());
        let errors = Transcript::of(child.stderr.take().unwrap());
        Self {
            input: child.stdin.take(),
            child,
            output,
            errors,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Writes to its standard input. If the command has ended, the bytes are lost.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.input.as_mut().unwrap().write_all(bytes);
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for the end of the process itself.
    #[track_caller]
    pub(crate) fn status(&mut self) -> Status {
        let ended = wait(|| self.child.try_wait().unwrap());
        let printed = || format!("{}{}", self.output.text(), self.errors.text());
        ended
            .unwrap_or_else(|| panic!("it never ended:\n{}", printed()))
            .into()
    }

    /// Closes its input, and waits for the end of the process and of its streams.
    #[track_caller]
    pub(crate) fn end(mut self) -> End {
        self.close_input();
        let status = self.status();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        End {
            status,
            output: text(self.output.all()),
            said: text(self.errors.all()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
