//! The running command: a child of vault, or a child of the monitor.

use std::future::pending;
use std::io;
use std::os::unix::net;

use tokio::net::UnixStream;

use super::monitor::{Order, take_report};
use crate::platform::{self, Change, GroupPosition, Pid, Signal, Target};

/// The command.
pub(super) enum Child {
    /// A child of this process.
    Own(Pid),
    /// A child of the monitor.
    Monitored(MonitorHandle),
}

/// A monitor and the connection to it.
pub(super) struct MonitorHandle {
    pid: Pid,
    socket: UnixStream,
    read: Vec<u8>,
}

impl MonitorHandle {
    /// Connects to the monitor.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub(super) fn new(pid: Pid, socket: net::UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            pid,
            socket: UnixStream::from_std(socket)?,
            read: Vec::new(),
        })
    }

    fn send_order(&self, order: Order) {
        // The socket has room for far more orders than are ever sent at once. If the monitor is
        // gone, reading its reports fails, which is handled there.
        let _ = self.socket.try_write(&order.to_bytes());
    }

    async fn next_report(&mut self) -> io::Result<Change> {
        loop {
            if let Some(change) = take_report(&mut self.read) {
                return Ok(change);
            }
            self.socket.readable().await?;
            let mut bytes = [0; 64];
            match self.socket.try_read(&mut bytes) {
                Ok(0) => return Err(io::Error::other("the monitor has ended")),
                Ok(count) => self.read.extend(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Child {
    /// Process id of a child of this process. Returns `None` if the monitor is its parent.
    pub(super) fn pid(&self) -> Option<i32> {
        match self {
            Self::Own(pid) => Some(pid.as_raw_nonzero().get()),
            Self::Monitored(_) => None,
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        match self {
            Self::Own(pid) => platform::send(signal, Target::Process(*pid)),
            Self::Monitored(monitor) => monitor.send_order(Order::Signal(signal)),
        }
    }

    /// Signals the process group that the monitor made. A child of this process is in the caller's
    /// group, which the terminal has signaled already, so it alone is signaled.
    pub(super) fn signal_group(&self, signal: Signal) {
        match self {
            Self::Own(_) => self.signal(signal),
            Self::Monitored(monitor) => monitor.send_order(Order::GroupSignal(signal)),
        }
    }

    /// Moves the command to the foreground or the background of the inner terminal.
    pub(super) fn set_position(&self, position: GroupPosition) {
        if let Self::Monitored(monitor) = self {
            monitor.send_order(Order::SetPosition(position));
        }
    }

    /// Waits for a report of the monitor. Waits forever without a monitor.
    ///
    /// # Errors
    /// Fails if the monitor was killed.
    pub(super) async fn next_report(&mut self) -> io::Result<Change> {
        match self {
            Self::Own(_) => pending().await,
            Self::Monitored(monitor) => monitor.next_report().await,
        }
    }

    /// After SIGCHLD: returns the next change of a child of this process.
    pub(super) fn take_change(&self) -> Option<Change> {
        match self {
            Self::Own(pid) => platform::take_change(*pid),
            Self::Monitored(monitor) => {
                // As process 1, vault also reaps orphans. The monitor itself ends only after
                // `Order::Finish`.
                let _ = platform::is_init().then(|| platform::take_change(monitor.pid));
                None
            }
        }
    }

    /// Releases the command after it has ended and all its output has been passed on.
    pub(super) fn finish(self) {
        if let Self::Monitored(monitor) = self {
            monitor.send_order(Order::Finish);
            platform::reap(monitor.pid);
        }
    }
}
