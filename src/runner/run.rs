//! Starts the command and stays until it has ended.
//!
//! In this order, so that nothing is missed and nothing is doubled: signals are blocked, the
//! monitor is forked while there is one thread, handlers are registered, the command starts, and
//! only then threads and the event loop.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::Plan;
use super::channel::{Channel, ChannelOutcome, Filter};
use super::child::{Child, MonitorHandle};
use super::failure::Failure;
use super::launch::launch_child;
use super::monitor::{self, Order};
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

/// What became of a run.
pub struct RunOutcome<F> {
    /// How the command ended.
    pub ending: Ending,
    /// What went through which filter.
    pub passed: Vec<ChannelOutcome<F>>,
}

/// What happens to the command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It goes through filters.
    Filtered,
    /// The command has the caller's own streams.
    Untouched,
}

/// Runs the command, its output through the filters that `filters` makes: as many as it is asked
/// for, on another thread while the command starts. Nothing of the output is shown before.
///
/// Must be called while this process has one thread.
///
/// # Errors
/// When the command cannot be executed, or something of ours cannot be done.
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
            return Ok(RunOutcome { ending: Ending::Killed(signal), passed: Vec::new() });
        }
    };
    let filters = pending_filter::spawn_filters(started.ends.len(), filters).map_err(failed)?;
    if let Some(failure) = started.wait_for_failure().map_err(failed)? {
        let fault = failure.explain(plan);
        started.abandon();
        return Err(fault);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let result = runtime.block_on(async { started.supervise(filters)?.run().await });
    // A writer that waits for its reader does not keep us.
    runtime.shutdown_background();
    let (ending, passed) = result.map_err(failed)?;
    Ok(RunOutcome { ending, passed })
}

/// Our end of a channel, and the command's.
struct ChannelEnds {
    spec: ChannelSpec,
    ours: OwnedFd,
    /// Until the command has it.
    theirs: Option<OwnedFd>,
}

/// The terminal outside, where someone sits at it.
struct OuterTerminal {
    outer: Terminal,
    raw: Option<RawMode>,
    /// As they were before.
    modes: Option<Modes>,
}

/// A command that starts.
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

impl StartedCommand {
    /// Starts the command, unless a signal has come that ends us before that.
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
            Layout::Session => {
                let outer = Terminal::of_stream(platform::output())?;
                let modes = outer.modes().ok();
                Some(OuterTerminal { outer, raw: None, modes })
            }
        };
        let outer = outer_terminal.as_ref().map(|outer_terminal| &outer_terminal.outer);
        let ends: io::Result<Vec<ChannelEnds>> =
            wiring.channels.iter().map(|spec| ChannelEnds::open(*spec, outer)).collect();
        let mut ends = ends?;
        let (report, theirs) = platform::blocking_pipe()?;
        let blocked = BlockedSignals::new();
        let streams = streams(&ends, wiring.keys);
        let (process, signals) = match &mut outer_terminal {
            None => {
                // Before the fork: what arrives from now on is for the command.
                let signals = CaughtSignals::catch(&caught_signals())?;
                let parent = platform::own_process();
                if let Some(signal) = blocked.pending_end() {
                    return Ok(Err(signal));
                }
                let pid = platform::fork(|| {
                    platform::end_with_parent(parent);
                    if platform::replace_streams(streams).is_ok() {
                        launch_child(plan, hardened, &theirs);
                    }
                })?;
                (Process::Command(pid), signals)
            }
            Some(outer_terminal) => {
                let (socket, other) = UnixStream::pair()?;
                let terminal = session(&ends).ok_or(io::ErrorKind::NotConnected)?;
                let setup = monitor::MonitorSetup {
                    plan,
                    hardened,
                    streams,
                    terminal,
                    socket: &other,
                    report: theirs.as_fd(),
                    outer: &outer_terminal.outer,
                    modes: outer_terminal.modes.as_ref(),
                };
                if let Some(signal) = blocked.pending_end() {
                    return Ok(Err(signal));
                }
                let pid = platform::fork(|| monitor::run_monitor(&setup))?;
                // After the fork: the monitor must not share the way our signals take.
                let signals = CaughtSignals::catch(&caught_signals())?;
                let ours = wiring.keys == KeyDelivery::Immediate && outer_terminal.outer.is_ours();
                outer_terminal.raw = ours.then(|| outer_terminal.outer.make_raw()).transpose()?;
                let position =
                    if ours { GroupPosition::Foreground } else { GroupPosition::Background };
                (&socket).write_all(&Order::Start(position).to_bytes())?;
                (Process::Monitor(pid, socket), signals)
            }
        };
        // Whatever the caller blocks must reach us, to be passed on; in the command it is blocked.
        blocked.release(&caught_signals());
        // The command alone holds its ends, so that we see it close them.
        for end in ends.iter_mut().filter(|end| end.spec.transport != Transport::Session) {
            end.theirs = None;
        }
        // The command alone reads, so that a writer learns when it does no more.
        let _ = platform::discard_input();
        Ok(Ok(Self { wiring, ends, outer_terminal, process, signals, report: report.into() }))
    }

    /// Why the command does not run; waits until that is known.
    fn wait_for_failure(&self) -> io::Result<Option<Failure>> {
        let mut report = Vec::with_capacity(Failure::LENGTH);
        (&self.report).read_to_end(&mut report)?;
        Ok(Failure::read(&report))
    }

    /// There is no command.
    fn abandon(self) {
        drop(self.outer_terminal);
        match self.process {
            Process::Command(pid) => platform::reap(pid),
            Process::Monitor(pid, socket) => {
                // Where it is gone already, there is nobody to tell.
                let _ = (&socket).write_all(&Order::Finish.to_bytes());
                platform::reap(pid);
            }
        }
    }

    fn supervise<F: Filter>(self, filters: Vec<PendingFilter<F>>) -> io::Result<Supervisor<F>> {
        let mut channels = Vec::new();
        let mut linked_terminals = Vec::new();
        let mut relay = None;
        let mut line = None;
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
            line = line.or(ends.theirs);
            channels.push(Channel::open(ends.ours, ends.spec, filter, raw_flag.clone())?);
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
        Ok(Supervisor { child, signals, placement, relay, linked_terminals, line, channels })
    }
}

impl ChannelEnds {
    fn open(spec: ChannelSpec, terminal: Option<&Terminal>) -> io::Result<Self> {
        if spec.transport == Transport::Pipe {
            let (ours, theirs) = platform::output_pipe()?;
            return Ok(Self { spec, ours, theirs: Some(theirs) });
        }
        let pty = Pty::open()?;
        match terminal.filter(|_| spec.transport == Transport::Session) {
            Some(terminal) => terminal.copy_modes(pty.slave.as_fd())?,
            None => pty.pass_output()?,
        }
        let ends = Self { spec, ours: pty.master, theirs: Some(pty.slave) };
        let pair = ends.linked_terminals()?;
        platform::copy_size(pair.outer.as_fd(), pair.master.as_fd());
        Ok(ends)
    }

    fn linked_terminals(&self) -> io::Result<LinkedTerminals> {
        let outer = platform::output_stream(self.spec.streams.descriptor())?.into();
        Ok(LinkedTerminals { outer, master: self.ours.try_clone()? })
    }
}

/// The slave of the session's terminal.
fn session(ends: &[ChannelEnds]) -> Option<BorrowedFd<'_>> {
    let session = ends.iter().find(|ends| ends.spec.transport == Transport::Session);
    session?.theirs.as_ref().map(AsFd::as_fd)
}

/// What stands behind 0, 1 and 2 of the command; nothing where it is the caller's own.
fn streams(ends: &[ChannelEnds], keys: KeyDelivery) -> [Option<BorrowedFd<'_>>; 3] {
    let carrying = |streams| {
        let end = ends.iter().find(|ends| [streams, Streams::Both].contains(&ends.spec.streams));
        end?.theirs.as_ref().map(AsFd::as_fd)
    };
    let input = session(ends).filter(|_| keys == KeyDelivery::Immediate);
    [input, carrying(Streams::Output), carrying(Streams::Error)]
}
