//! Starts the command and stays until it has ended.
//!
//! The order prevents lost and doubled signals: block signals, fork the monitor while there is only
//! one thread, register handlers, start the command, and only then start threads and the event
//! loop.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::Plan;
use super::channel::{Channel, ChannelOutcome, Filter};
use super::child::{Child, MonitorHandle};
use super::failure::Failure;
use super::launch::ChildSetup;
use super::monitor::{self, MonitorSetup, Order};
use super::pending_filter::{self, PendingFilter};
use super::reaction::{Placement, caught_signals};
use super::supervise::{Ending, LinkedTerminals, SignalQueue, Supervisor};
use super::terminal::{RawFlag, TerminalRelay};
use super::wiring::{CallerStreams, ChannelSpec, KeyDelivery, Layout, Streams, Transport, Wiring};
use crate::fault::Fault;
use crate::platform::{
    self, BlockedSignals, CaughtSignals, GroupPosition, Hardened, Modes, Pid, Pty, RawMode, Signal,
    Terminal,
};

/// The outcome of a run.
pub struct RunOutcome<F> {
    /// How the command ended.
    pub ending: Ending,
    /// The channels and their filters.
    pub channels: Vec<ChannelOutcome<F>>,
}

/// What happens to the command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It goes through filters.
    Filtered,
    /// The command gets the caller's own streams.
    Untouched,
}

/// Runs the command. Its output goes through the filters that `filters` returns: it is called with
/// their number, on another thread while the command starts. No output is shown before they are
/// ready.
///
/// Must be called while this process has only one thread.
///
/// # Errors
/// Fails if the command cannot be executed, or if something that vault needs for it fails.
pub fn run<F: Filter>(
    plan: &Plan,
    hardened: &Hardened,
    output: Output,
    filters: impl FnOnce(usize) -> Vec<F> + Send + 'static,
) -> Result<RunOutcome<F>, Fault> {
    let failed = |error: io::Error| Fault::failed("could not run the command").because(error);
    let started = match StartedCommand::start(plan, hardened, output).map_err(failed)? {
        Ok(started) => started,
        Err(signal) => {
            return Ok(RunOutcome {
                ending: Ending::Killed(signal),
                channels: Vec::new(),
            });
        }
    };
    let filters = pending_filter::spawn_filters(started.ends.len(), filters).map_err(failed)?;
    if let Some(failure) = started.wait_for_failure().map_err(failed)? {
        let fault = failure.explain(plan);
        started.abandon();
        return Err(fault);
    }
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = built.map_err(failed)?;
    let result = runtime.block_on(async { started.supervise(filters)?.run().await });
    // Do not wait for a writer that is blocked by its reader.
    runtime.shutdown_background();
    let (ending, channels) = result.map_err(failed)?;
    Ok(RunOutcome { ending, channels })
}

/// Vault's end of a channel, and the command's end.
struct ChannelEnds {
    spec: ChannelSpec,
    ours: OwnedFd,
    /// `None` once the command has it.
    theirs: Option<OwnedFd>,
}

/// The caller's terminal, if output goes to one.
struct OuterTerminal {
    outer: Terminal,
    raw: Option<RawMode>,
    /// The modes from before.
    modes: Option<Modes>,
}

/// A command that is being started.
struct StartedCommand {
    wiring: Wiring,
    ends: Vec<ChannelEnds>,
    outer_terminal: Option<OuterTerminal>,
    process: Process,
    signals: CaughtSignals,
    report: File,
}

enum Process {
    Command(Pid),
    Monitor(Pid, UnixStream),
}

/// The first process that vault started, and the signals that vault catches since then.
type FirstProcess = (Process, CaughtSignals);

impl StartedCommand {
    /// Starts the command, unless a signal that ends vault has arrived before.
    fn start(plan: &Plan, hardened: &Hardened, output: Output) -> io::Result<Result<Self, Signal>> {
        let wiring = match output {
            Output::Untouched => Wiring::NONE,
            Output::Filtered => Wiring::new(CallerStreams {
                streams: platform::streams(),
                input_shows_output: platform::input_shows_output(),
                outputs_are_one: platform::outputs_are_one(),
            }),
        };
        let mut outer_terminal = match wiring.layout {
            Layout::Direct => None,
            Layout::Session => Some(OuterTerminal::open()?),
        };
        let outer = outer_terminal.as_ref().map(|terminal| &terminal.outer);
        let opened = wiring
            .channels
            .iter()
            .map(|spec| ChannelEnds::open(*spec, outer));
        let mut ends: Vec<ChannelEnds> = opened.collect::<io::Result<_>>()?;
        let (report, theirs) = platform::blocking_pipe()?;
        let streams = streams(&ends, wiring.keys);
        let setup = ChildSetup {
            plan,
            hardened,
            streams,
            report: theirs.as_fd(),
        };
        // From here until `release`, no signal takes effect: none can end vault between the fork
        // and the moment at which the signal would be forwarded.
        let blocked = BlockedSignals::new();
        let started = match &mut outer_terminal {
            None => start_child(&setup, &blocked)?,
            Some(outer) => {
                let terminal = session(&ends).ok_or(io::ErrorKind::NotConnected)?;
                start_monitor(setup, outer, terminal, wiring.keys, &blocked)?
            }
        };
        let (process, signals) = match started {
            Ok(started) => started,
            Err(signal) => return Ok(Err(signal)),
        };
        // Signals that the caller blocks must still reach vault, which forwards them. In the
        // command they are blocked as before.
        blocked.release(&caught_signals());
        // Only the command may hold its ends, so that vault notices when it closes them.
        for end in ends
            .iter_mut()
            .filter(|end| end.spec.transport != Transport::Session)
        {
            end.theirs = None;
        }
        // Only the command may read standard input, so that a writer notices when the command stops
        // reading.
        let _ = platform::discard_input();
        Ok(Ok(Self {
            wiring,
            ends,
            outer_terminal,
            process,
            signals,
            report: report.into(),
        }))
    }

    /// Waits until it is known whether the command runs. Returns the reason if it does not.
    fn wait_for_failure(&self) -> io::Result<Option<Failure>> {
        let mut report = Vec::with_capacity(Failure::LENGTH);
        (&self.report).read_to_end(&mut report)?;
        Ok(Failure::read(&report))
    }

    /// Cleans up after a command that could not be started.
    fn abandon(self) {
        drop(self.outer_terminal);
        match self.process {
            Process::Command(pid) => platform::reap(pid),
            Process::Monitor(pid, socket) => {
                // If the monitor is already gone, no one needs the order.
                let _ = (&socket).write_all(&Order::Finish.to_bytes());
                platform::reap(pid);
            }
        }
    }

    fn supervise<F: Filter>(self, filters: Vec<PendingFilter<F>>) -> io::Result<Supervisor<F>> {
        let mut channels = Vec::new();
        let mut linked_terminals = Vec::new();
        let mut relay = None;
        let mut slave = None;
        let raw_flag = RawFlag::default();
        let mut outer_terminal = self.outer_terminal;
        for (ends, filter) in self.ends.into_iter().zip(filters) {
            if ends.spec.transport != Transport::Pipe {
                linked_terminals.push(ends.linked_terminals()?);
            }
            if ends.spec.transport == Transport::Session
                && let Some(OuterTerminal { outer, raw, .. }) = outer_terminal.take()
            {
                let master = ends.ours.try_clone()?;
                relay = Some(TerminalRelay::start(
                    outer,
                    master,
                    raw,
                    self.wiring.keys,
                    raw_flag.clone(),
                )?);
            }
            slave = slave.or(ends.theirs);
            channels.push(Channel::open(
                ends.ours,
                ends.spec,
                filter,
                raw_flag.clone(),
            )?);
        }
        let child = match self.process {
            Process::Command(pid) => Child::Own(pid),
            Process::Monitor(pid, socket) => Child::Monitored(MonitorHandle::new(pid, socket)?),
        };
        let placement = Placement {
            layout: self.wiring.layout,
            own: platform::own_process().as_raw_nonzero().get(),
            command: child.pid(),
            leads_session: platform::leads_session(),
            has_pty: !linked_terminals.is_empty(),
        };
        let signals = SignalQueue::new(self.signals)?;
        Ok(Supervisor {
            child,
            signals,
            placement,
            forwarded: None,
            relay,
            linked_terminals,
            slave,
            channels,
        })
    }
}

/// Starts the command as a child in the caller's session, unless a signal that ends vault has
/// arrived.
fn start_child(
    setup: &ChildSetup<'_>,
    blocked: &BlockedSignals,
) -> io::Result<Result<FirstProcess, Signal>> {
    // Before the fork: from now on, every signal is meant for the command.
    let signals = CaughtSignals::catch(&caught_signals())?;
    let parent = platform::own_process();
    // A signal that arrived before the handlers existed has no command to go to, so it ends vault.
    if let Some(signal) = blocked.pending_end() {
        return Ok(Err(signal));
    }
    let pid = platform::fork(|| {
        platform::end_with_parent(parent);
        setup.become_command();
    })?;
    Ok(Ok((Process::Command(pid), signals)))
}

/// Starts a monitor and lets it start the command, unless a signal that ends vault has arrived.
fn start_monitor(
    child: ChildSetup<'_>,
    terminal: &mut OuterTerminal,
    slave: BorrowedFd<'_>,
    keys: KeyDelivery,
    blocked: &BlockedSignals,
) -> io::Result<Result<FirstProcess, Signal>> {
    let (socket, other) = UnixStream::pair()?;
    let setup = MonitorSetup {
        child,
        terminal: slave,
        socket: &other,
        outer: &terminal.outer,
        modes: terminal.modes.as_ref(),
    };
    if let Some(signal) = blocked.pending_end() {
        return Ok(Err(signal));
    }
    let pid = platform::fork(|| monitor::run_monitor(&setup))?;
    // After the fork: the monitor must not share the socket through which the handlers report.
    let signals = CaughtSignals::catch(&caught_signals())?;
    // The monitor waits for this order, so the outer terminal is raw before the command can print.
    // In the background, or with keys on demand, the terminal stays with its current owner.
    let is_foreground = keys == KeyDelivery::Immediate && terminal.outer.is_ours();
    let position = if is_foreground {
        terminal.raw = Some(terminal.outer.make_raw()?);
        GroupPosition::Foreground
    } else {
        GroupPosition::Background
    };
    (&socket).write_all(&Order::Start(position).to_bytes())?;
    Ok(Ok((Process::Monitor(pid, socket), signals)))
}

impl OuterTerminal {
    /// Opens the terminal of standard output.
    fn open() -> io::Result<Self> {
        let outer = Terminal::of_stream(platform::output())?;
        let modes = outer.modes().ok();
        Ok(Self {
            outer,
            raw: None,
            modes,
        })
    }
}

impl ChannelEnds {
    fn open(spec: ChannelSpec, terminal: Option<&Terminal>) -> io::Result<Self> {
        if spec.transport == Transport::Pipe {
            let (ours, theirs) = platform::output_pipe()?;
            return Ok(Self {
                spec,
                ours,
                theirs: Some(theirs),
            });
        }
        let pty = Pty::open()?;
        match terminal.filter(|_| spec.transport == Transport::Session) {
            Some(terminal) => terminal.copy_modes(pty.slave.as_fd())?,
            None => pty.pass_output()?,
        }
        let ends = Self {
            spec,
            ours: pty.master,
            theirs: Some(pty.slave),
        };
        let pair = ends.linked_terminals()?;
        platform::copy_size(pair.outer.as_fd(), pair.master.as_fd());
        Ok(ends)
    }

    fn linked_terminals(&self) -> io::Result<LinkedTerminals> {
        let outer = platform::output_stream(self.spec.streams.descriptor())?.into();
        Ok(LinkedTerminals {
            outer,
            master: self.ours.try_clone()?,
        })
    }
}

/// Returns the slave of the session's terminal.
fn session(ends: &[ChannelEnds]) -> Option<BorrowedFd<'_>> {
    let session = ends
        .iter()
        .find(|ends| ends.spec.transport == Transport::Session);
    session?.theirs.as_ref().map(AsFd::as_fd)
}

/// Returns the replacements for the command's streams 0, 1, and 2; `None` keeps the caller's own.
fn streams(ends: &[ChannelEnds], keys: KeyDelivery) -> [Option<BorrowedFd<'_>>; 3] {
    let carrying = |streams| {
        let end = ends
            .iter()
            .find(|ends| [streams, Streams::Both].contains(&ends.spec.streams));
        end?.theirs.as_ref().map(AsFd::as_fd)
    };
    let input = session(ends).filter(|_| keys == KeyDelivery::Immediate);
    [input, carrying(Streams::Output), carrying(Streams::Error)]
}
