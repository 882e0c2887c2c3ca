//! The monitor: a process that leads the session of a command at a terminal and is the command's
//! parent.
//!
//! It makes Ctrl-Z work: the kernel does not stop an orphaned process group, and a group is
//! orphaned if no member has a parent in another group of the same session. The monitor is that
//! parent.
//!
//! It carries out orders and reports changes; it decides nothing and knows neither masking nor the
//! caller's streams. All signals are blocked in it. It ends when it is ordered to. If its parent
//! dies first, it puts the terminal's modes back and asks the command to end.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;

use super::launch::ChildSetup;
use crate::platform::{self, Change, GroupPosition, Modes, Pid, Signal, Target, Terminal};

/// An order to the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Starts the command.
    Start(GroupPosition),
    /// Sends a signal to the command.
    Signal(Signal),
    /// Sends a signal to the command's process group.
    GroupSignal(Signal),
    /// Moves the command's group to the foreground or the background of the session's terminal.
    SetPosition(GroupPosition),
    /// Ends the monitor.
    Finish,
}

/// Length in bytes of a message, in both directions.
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
        let position = if value == 0 {
            GroupPosition::Background
        } else {
            GroupPosition::Foreground
        };
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

/// Encodes a report about the command.
fn report(change: Change) -> [u8; MESSAGE] {
    let number = |signal: Signal| u8::try_from(signal.number()).unwrap_or(0);
    match change {
        Change::Exited(code) => [0, code],
        Change::Killed(signal) => [1, number(signal)],
        Change::Stopped(signal) => [2, number(signal)],
        Change::Continued => [3, 0],
    }
}

/// Takes the first report out of the bytes read from the socket.
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

/// The values that the monitor gets from its parent at the fork.
pub(super) struct MonitorSetup<'a> {
    pub(super) child: ChildSetup<'a>,
    /// The slave of the session's terminal.
    pub(super) terminal: BorrowedFd<'a>,
    /// Connection to the parent.
    pub(super) socket: &'a UnixStream,
    /// The caller's terminal, and the modes to put back.
    pub(super) outer: &'a Terminal,
    pub(super) modes: Option<&'a Modes>,
}

/// Runs the monitor in a new child, in which all signals must be blocked. Returns when its work is
/// done.
pub(super) fn run_monitor(setup: &MonitorSetup<'_>) {
    let Ok(command) = start(setup) else { return };
    let Ok(report_socket) = setup.socket.try_clone() else {
        return;
    };
    // Every other descriptor is closed: a pipe or terminal that the monitor held open would never
    // end for its reader.
    let keep = [
        setup.socket.as_raw_fd(),
        setup.outer.as_raw_fd(),
        report_socket.as_raw_fd(),
    ];
    if platform::close_all_but(&keep).is_err() {
        return;
    }
    // Orders and changes arrive independently, and both are waited for by blocking calls, so each
    // gets a thread. The command was forked before, while there was only one.
    let reporter = thread::spawn(move || report_changes(command, &report_socket));
    while let Some(order) = Order::receive(setup.socket) {
        match order {
            // `start` has taken it.
            Order::Start(_) => {}
            Order::Signal(signal) => platform::send(signal, Target::Process(command)),
            Order::GroupSignal(signal) => platform::send(signal, Target::Group(command)),
            Order::SetPosition(GroupPosition::Foreground) => {
                drop(platform::set_foreground(command));
            }
            // The monitor's own group never reads keys, so with it in the foreground the command's
            // group is stopped as soon as it reads.
            Order::SetPosition(GroupPosition::Background) => {
                drop(platform::set_foreground(platform::own_group()));
            }
            Order::Finish => return platform::reap(command),
        }
    }
    // The socket was closed without `Order::Finish`, so the parent was killed. It could not put the
    // terminal back, and no one filters the command's output anymore, so the command must not
    // continue. CONT lets a stopped command receive TERM.
    if let Some(modes) = setup.modes {
        modes.restore();
    }
    platform::send(Signal::TERM, Target::Process(command));
    platform::send(Signal::CONT, Target::Group(command));
    let _ = reporter.join();
    platform::reap(command);
}

/// Leads the session, waits for `Order::Start`, and starts the command.
fn start(setup: &MonitorSetup<'_>) -> io::Result<Pid> {
    platform::lead_session(setup.terminal)?;
    platform::reset_child_signal();
    // The parent sends the order after it has set up the outer terminal and its handlers.
    let Some(Order::Start(position)) = Order::receive(setup.socket) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    platform::fork(|| {
        // In the child itself, so that the group exists before the command runs.
        if platform::lead_group(setup.terminal, position).is_ok() {
            setup.child.become_command();
        }
    })
}

/// Reports every change of the command. Its end is the last report.
fn report_changes(command: Pid, mut socket: &UnixStream) {
    while let Ok(change) = platform::wait_for_change(command) {
        // A failed write is ignored here: it means that the parent is gone, and the thread that
        // reads orders handles that. This loop must still wait for the command's end. The command
        // is not reaped yet, so its pid stays taken and no signal can reach another process.
        let _ = socket.write_all(&report(change));
        if matches!(change, Change::Exited(_) | Change::Killed(_)) {
            return;
        }
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
