//! Measures how long a program takes to return the bytes that were written to it.
#![expect(
    unsafe_code,
    reason = "the terminal must be the child's own before it runs"
)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::stdio::stdin;

use crate::measure::Cost;

/// A command that prints `ready`, and then repeats every line.
pub(crate) const ECHO: [&str; 3] = ["sh", "-c", "echo ready; exec cat"];
const READY: &[u8] = b"ready";

/// A running [`ECHO`] command, which is ended on drop.
pub(crate) struct EchoProcess {
    child: Child,
    /// `None` after the end of its input.
    input: Option<File>,
    output: File,
}

impl EchoProcess {
    /// Starts it between two pipes.
    pub(crate) fn over_pipes(mut command: Command) -> anyhow::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let input = child.stdin.take().context("a pipe was asked for")?;
        let output = child.stdout.take().context("a pipe was asked for")?;
        Self::begin(
            child,
            OwnedFd::from(input).into(),
            OwnedFd::from(output).into(),
        )
    }

    /// Starts it in its own terminal.
    pub(crate) fn at_terminal(mut command: Command) -> anyhow::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        // macOS has no flag for it.
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?.into_string()?;
        let slave = fs::File::options().read(true).write(true).open(name)?;
        command
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(slave);
        let lead = || {
            setsid()?;
            Ok(ioctl_tiocsctty(stdin())?)
        };
        // SAFETY: both are system calls, which are allowed between fork and exec.
        unsafe { command.pre_exec(lead) };
        let child = command.spawn()?;
        let keys = master.as_fd().try_clone_to_owned()?;
        Self::begin(child, keys.into(), master.into())
    }

    fn begin(child: Child, input: File, mut output: File) -> anyhow::Result<Self> {
        let mut first_line = Vec::new();
        while !first_line.ends_with(b"\n") {
            let mut byte = [0];
            output.read_exact(&mut byte)?;
            first_line.extend(byte);
        }
        anyhow::ensure!(
            first_line.trim_ascii() == READY,
            "the echo command is not ready"
        );
        Ok(Self {
            child,
            input: Some(input),
            output,
        })
    }

    /// Writes `bytes`, and waits until they have come back.
    pub(crate) fn round_trip(&mut self, bytes: &[u8]) -> anyhow::Result<Cost> {
        let mut answer = vec![0; bytes.len()];
        let start = Instant::now();
        self.input
            .as_mut()
            .context("the echo command has ended")?
            .write_all(bytes)?;
        self.output.read_exact(&mut answer)?;
        let wall = start.elapsed();
        anyhow::ensure!(answer == bytes, "the echo command returned other bytes");
        Ok(Cost {
            wall,
            cpu: Duration::ZERO,
            peak: 0,
        })
    }
}

impl Drop for EchoProcess {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
