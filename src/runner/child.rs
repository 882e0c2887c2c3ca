//! The command as we hold it: our own child, or that of the monitor.

use std::future::pending;
use std::io;
use std::os::unix::net;

use tokio::net::UnixStream;

use super::monitor::{Order, take_report};
use crate::platform::{self, Change, GroupPosition, Pid, Signal, Target};

/// The command.
pub(super) enum Child {
    /// Our own child.
    Own(Pid),
    /// The child of a monitor.
    Monitored(MonitorHandle),
}

/// A monitor and the way to it.
pub(super) struct MonitorHandle {
    pid: Pid,
    socket: UnixStream,
    read: Vec<u8>,
}

impl MonitorHandle {
    /// # Errors
    /// The operating system's.
    pub(super) fn new(pid: Pid, socket: net::UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { pid, socket: UnixStream::from_std(socket)?, read: Vec::new() })
    }

    fn send_order(&self, order: Order) {
        // Far more orders fit into the socket than are ever given at once. A monitor that is gone
        // is noticed where its reports are read.
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
    /// The number of our own child.
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

    /// To the process group that the monitor made; our own child is in the caller's, which has its
    /// signals already.
    pub(super) fn signal_group(&self, signal: Signal) {
        match self {
            Self::Own(_) => self.signal(signal),
            Self::Monitored(monitor) => monitor.send_order(Order::GroupSignal(signal)),
        }
    }

    /// Gives the command the terminal inside, or takes it away.
    pub(super) fn set_position(&self, position: GroupPosition) {
        if let Self::Monitored(monitor) = self {
            monitor.send_order(Order::SetPosition(position));
        }
    }

    /// Waits for a report of the monitor's; for ever where there is none.
    ///
    /// # Errors
    /// When the monitor was killed.
    pub(super) async fn next_report(&mut self) -> io::Result<Change> {
        match self {
            Self::Own(_) => pending().await,
            Self::Monitored(monitor) => monitor.next_report().await,
        }
    }

    /// After SIGCHLD: what became of our own child.
    pub(super) fn take_change(&self) -> Option<Change> {
        match self {
            Self::Own(pid) => platform::take_change(*pid),
            Self::Monitored(monitor) => {
                // As process 1 we reap what was left to us. The monitor ends when it is told to.
                let _ = platform::is_init().then(|| platform::take_change(monitor.pid));
                None
            }
        }
    }

    /// The command has ended and all its output has been passed on.
    pub(super) fn finish(self) {
        if let Self::Monitored(monitor) = self {
            monitor.send_order(Order::Finish);
            platform::reap(monitor.pid);
        }
    }
}
