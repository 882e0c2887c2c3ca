//! The process that leads the session of a command at a terminal, and is the command's parent.
//!
//! Without it Ctrl-Z could not work: the kernel lets nobody stop a process group whose parent is
//! in another session. It decides nothing, knows neither masking nor the caller's streams, and has
//! all signals blocked. It ends when it is told to; when the one who tells it is gone, it asks the
//! command to end, and puts the terminal's modes back.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;

use super::Plan;
use super::launch::launch_child;
use crate::platform::{
    self, Change, GroupPosition, Hardened, Modes, Pid, Signal, Target, Terminal,
};

/// What the monitor is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Start the command.
    Start(GroupPosition),
    /// Send a signal to the command.
    Signal(Signal),
    /// Send a signal to the command's process group.
    GroupSignal(Signal),
    /// Give the session's terminal to the command's group, or take it back.
    SetPosition(GroupPosition),
    /// End.
    Finish,
}

/// Both directions are messages of this length in bytes.
const MESSAGE: usize = 2;

impl Order {
    pub(super) fn to_bytes(self) -> [u8; MESSAGE] {
        let number = |signal: Signal| u8::try_from(signal.number()).unwrap_or(0);
        let position = |position| u8::from(position == GroupPosition::Foreground);
        match self {
            Self::Start(own) => [0, position(own)],
            Self::Signal(signal) => [1, number(signal)],
            Self::GroupSignal(signal) => [2, number(signal)],
            Self::SetPosition(own) => [3, position(own)],
            Self::Finish => [4, 0],
        }
    }

    fn from_bytes([kind, value]: [u8; MESSAGE]) -> Self {
        let position =
            if value == 0 { GroupPosition::Background } else { GroupPosition::Foreground };
        let signal = Signal::new(i32::from(value));
        match kind {
            0 => Self::Start(position),
            1 => Self::Signal(signal),
            2 => Self::GroupSignal(signal),
            3 => Self::SetPosition(position),
            _ => Self::Finish,
        }
    }

    fn receive(mut socket: &UnixStream) -> Option<Self> {
        let mut bytes = [0; MESSAGE];
        socket.read_exact(&mut bytes).ok()?;
        Some(Self::from_bytes(bytes))
    }
}

/// A report about the command, as bytes.
fn report(change: Change) -> [u8; MESSAGE] {
    let number = |signal: Signal| u8::try_from(signal.number()).unwrap_or(0);
    match change {
        Change::Exited(code) => [0, code],
        Change::Killed(signal) => [1, number(signal)],
        Change::Stopped(signal) => [2, number(signal)],
        Change::Continued => [3, 0],
    }
}

/// Takes the first report off what was read from the socket.
pub(super) fn take_report(read: &mut Vec<u8>) -> Option<Change> {
    let &[kind, value] = read.first_chunk()?;
    read.drain(..MESSAGE);
    let signal = Signal::new(i32::from(value));
    Some(match kind {
        0 => Change::Exited(value),
        1 => Change::Killed(signal),
        2 => Change::Stopped(signal),
        _ => Change::Continued,
    })
}

/// What the monitor needs of its parent.
pub(super) struct MonitorSetup<'a> {
    pub(super) plan: &'a Plan,
    pub(super) hardened: &'a Hardened,
    /// The command's streams.
    pub(super) streams: [Option<BorrowedFd<'a>>; 3],
    /// The slave of the session's terminal.
    pub(super) terminal: BorrowedFd<'a>,
    /// To its parent.
    pub(super) socket: &'a UnixStream,
    /// Where a command that cannot be executed says why.
    pub(super) report: BorrowedFd<'a>,
    /// The caller's terminal, and its modes to be put back.
    pub(super) outer: &'a Terminal,
    pub(super) modes: Option<&'a Modes>,
}

/// Is the monitor, in a child with all signals blocked; returns when its work is done.
pub(super) fn run_monitor(setup: &MonitorSetup<'_>) {
    let Ok(command) = start(setup) else { return };
    let keep = [setup.socket.as_raw_fd(), setup.outer.as_raw_fd()];
    let Ok(socket) = setup.socket.try_clone() else { return };
    let keep = [keep[0], keep[1], socket.as_raw_fd()];
    if platform::close_all_but(&keep).is_err() {
        return;
    }
    let reporter = thread::spawn(move || report_changes(command, &socket));
    while let Some(order) = Order::receive(setup.socket) {
        match order {
            Order::Start(_) => {}
            Order::Signal(signal) => platform::send(signal, Target::Process(command)),
            Order::GroupSignal(signal) => platform::send(signal, Target::Group(command)),
            Order::SetPosition(GroupPosition::Foreground) => {
                drop(platform::set_foreground(command));
            }
            Order::SetPosition(GroupPosition::Background) => {
                drop(platform::set_foreground(platform::own_group()));
            }
            Order::Finish => return platform::reap(command),
        }
    }
    if let Some(modes) = setup.modes {
        modes.restore();
    }
    // It was not told to finish, so its parent was killed.
    platform::send(Signal::TERM, Target::Process(command));
    platform::send(Signal::CONT, Target::Group(command));
    let _ = reporter.join();
    platform::reap(command);
}

/// Leads the session, waits for the word, starts the command.
fn start(setup: &MonitorSetup<'_>) -> io::Result<Pid> {
    platform::lead_session(setup.terminal)?;
    platform::reset_child_signal();
    let Some(Order::Start(position)) = Order::receive(setup.socket) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    platform::fork(|| {
        let placed = platform::lead_group(setup.terminal, position);
        if placed.and_then(|()| platform::replace_streams(setup.streams)).is_ok() {
            launch_child(setup.plan, setup.hardened, setup.report);
        }
    })
}

/// Reports every change of the command; its end is the last.
fn report_changes(command: Pid, mut socket: &UnixStream) {
    while let Ok(change) = platform::wait_for_change(command) {
        // The command's number stays taken until this process ends, so no signal can reach
        // somebody else.
        let sent = socket.write_all(&report(change));
        if matches!(change, Change::Exited(_) | Change::Killed(_)) {
            return;
        }
        let _ = sent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_reports_round_trip() {
        let orders = [
            Order::Start(GroupPosition::Foreground),
            Order::Signal(Signal::TERM),
            Order::GroupSignal(Signal::CONT),
            Order::SetPosition(GroupPosition::Background),
            Order::Finish,
        ];
        for order in orders {
            assert_eq!(Order::from_bytes(order.to_bytes()), order);
        }
        let changes = [
            Change::Exited(255),
            Change::Killed(Signal::TERM),
            Change::Stopped(Signal::TSTP),
            Change::Continued,
        ];
        let mut read: Vec<u8> = changes.iter().copied().flat_map(report).collect();
        read.push(0);
        for change in changes {
            assert_eq!(take_report(&mut read), Some(change));
        }
        assert_eq!(take_report(&mut read), None);
    }
}
