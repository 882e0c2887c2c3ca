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
use super::channel::{Channel, Filter, Passed};
use super::child::{Child, Led};
use super::coming::{self, Coming};
use super::failure::Failure;
use super::launch::launch_child;
use super::monitor::{self, Order};
use super::reaction::{Standing, caught};
use super::seat::{Seat, Taken};
use super::supervise::{Arrivals, Ending, Supervisor, Window};
use super::wiring::{Carries, Conduit, Keys, Laid, Layout, Outside, Wiring};
use crate::fault::Fault;
use crate::platform::{
    self, Blocked, Ground, Hardened, Modes, Pid, Pty, Raw, Signal, Signals, Terminal,
};

/// What became of a run.
pub struct Done<F> {
    /// How the command ended.
    pub ending: Ending,
    /// What went through which filter.
    pub passed: Vec<Passed<F>>,
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
) -> Result<Done<F>, Fault> {
    let failed = |error: io::Error| Fault::failed(format!("could not run the command: {error}"));
    let started = match Started::start(plan, hardened, output).map_err(failed)? {
        Ok(started) => started,
        Err(signal) => return Ok(Done { ending: Ending::Killed(signal), passed: Vec::new() }),
    };
    let filters = coming::make(started.ends.len(), filters).map_err(failed)?;
    if let Some(failure) = started.failure().map_err(failed)? {
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
    Ok(Done { ending, passed })
}

/// Our end of a channel, and the command's.
struct Ends {
    laid: Laid,
    ours: OwnedFd,
    /// Until the command has it.
    theirs: Option<OwnedFd>,
}

/// The terminal outside, where someone sits at it.
struct Sitting {
    outer: Terminal,
    raw: Option<Raw>,
    /// As they were before.
    modes: Option<Modes>,
}

/// A command that starts.
struct Started {
    wiring: Wiring,
    ends: Vec<Ends>,
    sitting: Option<Sitting>,
    process: Process,
    signals: Signals,
    report: File,
}

enum Process {
    Command(Pid),
    Monitor(Pid, UnixStream),
}

impl Started {
    /// Starts the command, unless a signal has come that ends us before that.
    fn start(plan: &Plan, hardened: &Hardened, output: Output) -> io::Result<Result<Self, Signal>> {
        let wiring = match output {
            Output::Untouched => Wiring::NONE,
            Output::Filtered => Wiring::of(Outside {
                streams: platform::streams(),
                input_shows_output: platform::input_shows_output(),
                outputs_are_one: platform::outputs_are_one(),
            }),
        };
        let mut sitting = match wiring.layout {
            Layout::Direct => None,
            Layout::Session => {
                let outer = Terminal::behind(platform::output())?;
                let modes = outer.modes().ok();
                Some(Sitting { outer, raw: None, modes })
            }
        };
        let outer = sitting.as_ref().map(|sitting| &sitting.outer);
        let ends: io::Result<Vec<Ends>> =
            wiring.channels.iter().map(|laid| Ends::open(*laid, outer)).collect();
        let mut ends = ends?;
        let (report, theirs) = platform::plain_pipe()?;
        let blocked = Blocked::new();
        let streams = streams(&ends, wiring.keys);
        let (process, signals) = match &mut sitting {
            None => {
                // Before the fork: what arrives from now on is for the command.
                let signals = Signals::catch(&caught())?;
                let parent = platform::own_process();
                if let Some(signal) = blocked.ending() {
                    return Ok(Err(signal));
                }
                let pid = platform::fork(|| {
                    platform::end_with(parent);
                    if platform::replace_streams(streams).is_ok() {
                        launch_child(plan, hardened, &theirs);
                    }
                })?;
                (Process::Command(pid), signals)
            }
            Some(sitting) => {
                let (socket, other) = UnixStream::pair()?;
                let terminal = session(&ends).ok_or(io::ErrorKind::NotConnected)?;
                let place = monitor::Place {
                    plan,
                    hardened,
                    streams,
                    terminal,
                    socket: &other,
                    report: theirs.as_fd(),
                    outer: &sitting.outer,
                    modes: sitting.modes.as_ref(),
                };
                if let Some(signal) = blocked.ending() {
                    return Ok(Err(signal));
                }
                let pid = platform::fork(|| monitor::lead(&place))?;
                // After the fork: the monitor must not share the way our signals take.
                let signals = Signals::catch(&caught())?;
                let ours = wiring.keys == Keys::AtOnce && sitting.outer.is_ours();
                sitting.raw = ours.then(|| sitting.outer.make_raw()).transpose()?;
                let ground = if ours { Ground::Fore } else { Ground::Back };
                (&socket).write_all(&Order::Start(ground).to_bytes())?;
                (Process::Monitor(pid, socket), signals)
            }
        };
        // Whatever the caller blocks must reach us, to be passed on; in the command it is blocked.
        blocked.release(&caught());
        // The command alone holds its ends, so that we see it close them.
        for end in ends.iter_mut().filter(|end| end.laid.conduit != Conduit::Session) {
            end.theirs = None;
        }
        // The command alone reads, so that a writer learns when it does no more.
        let _ = platform::discard_input();
        Ok(Ok(Self { wiring, ends, sitting, process, signals, report: report.into() }))
    }

    /// Why the command does not run; waits until that is known.
    fn failure(&self) -> io::Result<Option<Failure>> {
        let mut report = Vec::with_capacity(Failure::LENGTH);
        (&self.report).read_to_end(&mut report)?;
        Ok(Failure::read(&report))
    }

    /// There is no command.
    fn abandon(self) {
        drop(self.sitting);
        match self.process {
            Process::Command(pid) => platform::reap(pid),
            Process::Monitor(pid, socket) => {
                // Where it is gone already, there is nobody to tell.
                let _ = (&socket).write_all(&Order::Finish.to_bytes());
                platform::reap(pid);
            }
        }
    }

    fn supervise<F: Filter>(self, filters: Vec<Coming<F>>) -> io::Result<Supervisor<F>> {
        let mut channels = Vec::new();
        let mut windows = Vec::new();
        let mut seat = None;
        let mut line = None;
        let taken = Taken::default();
        let mut sitting = self.sitting;
        for (ends, filter) in self.ends.into_iter().zip(filters) {
            if ends.laid.conduit != Conduit::Pipe {
                windows.push(ends.window()?);
            }
            if ends.laid.conduit == Conduit::Session
                && let Some(Sitting { outer, raw, .. }) = sitting.take()
            {
                let master = ends.ours.try_clone()?;
                seat = Some(Seat::take(outer, master, raw, self.wiring.keys, taken.clone())?);
            }
            line = line.or(ends.theirs);
            channels.push(Channel::open(ends.ours, ends.laid, filter, taken.clone())?);
        }
        let child = match self.process {
            Process::Command(pid) => Child::Own(pid),
            Process::Monitor(pid, socket) => Child::Led(Led::new(pid, socket)?),
        };
        let standing = Standing {
            layout: self.wiring.layout,
            own: platform::own_process().as_raw_nonzero().get(),
            command: child.pid(),
            leads_session: platform::leads_session(),
            has_pty: !windows.is_empty(),
        };
        let signals = Arrivals::new(self.signals)?;
        Ok(Supervisor { child, signals, standing, seat, windows, line, channels })
    }
}

impl Ends {
    fn open(laid: Laid, terminal: Option<&Terminal>) -> io::Result<Self> {
        if laid.conduit == Conduit::Pipe {
            let (ours, theirs) = platform::pipe()?;
            return Ok(Self { laid, ours, theirs: Some(theirs) });
        }
        let pty = Pty::open()?;
        match terminal.filter(|_| laid.conduit == Conduit::Session) {
            Some(terminal) => terminal.copy_modes(pty.slave.as_fd())?,
            None => pty.pass_output()?,
        }
        let ends = Self { laid, ours: pty.master, theirs: Some(pty.slave) };
        let window = ends.window()?;
        platform::copy_size(window.outer.as_fd(), window.master.as_fd());
        Ok(ends)
    }

    fn window(&self) -> io::Result<Window> {
        let outer = platform::output_stream(self.laid.carries.stream())?.into();
        Ok(Window { outer, master: self.ours.try_clone()? })
    }
}

/// The slave of the session's terminal.
fn session(ends: &[Ends]) -> Option<BorrowedFd<'_>> {
    let session = ends.iter().find(|ends| ends.laid.conduit == Conduit::Session);
    session?.theirs.as_ref().map(AsFd::as_fd)
}

/// What stands behind 0, 1 and 2 of the command; nothing where it is the caller's own.
fn streams(ends: &[Ends], keys: Keys) -> [Option<BorrowedFd<'_>>; 3] {
    let carrying = |carries| {
        let end = ends.iter().find(|ends| [carries, Carries::Both].contains(&ends.laid.carries));
        end?.theirs.as_ref().map(AsFd::as_fd)
    };
    let input = session(ends).filter(|_| keys == Keys::AtOnce);
    [input, carrying(Carries::Output), carrying(Carries::Error)]
}
