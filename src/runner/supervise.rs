//! What is done while the command runs: signals, stops, keys, and the end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::channel::{Channel, Filter, Flush, Passed};
use super::child::Child;
use super::reaction::{Reaction, Standing, react};
use super::seat::Seat;
use crate::platform::{self, Arrived, Change, Ground, Signal, Signals, Whom, copy_size};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this status.
    Exited(u8),
    /// By this signal.
    Killed(Signal),
}

/// Before a stop what is there is shown, unless the reader does not read either.
const BEFORE_A_STOP: Duration = Duration::from_millis(200);

/// A terminal inside and the one outside whose size it has.
pub(super) struct Window {
    pub(super) outer: OwnedFd,
    pub(super) master: OwnedFd,
}

/// Everything that goes on while the command runs.
pub(super) struct Supervisor<F> {
    pub(super) child: Child,
    pub(super) signals: Arrivals,
    pub(super) standing: Standing,
    pub(super) seat: Option<Seat>,
    pub(super) windows: Vec<Window>,
    /// The command's side of its session's terminal. While we hold it, a command that closes it and
    /// opens it again finds us listening.
    pub(super) line: Option<OwnedFd>,
    pub(super) channels: Vec<Channel<F>>,
}

/// The signals that arrive.
pub(super) struct Arrivals {
    signals: Signals,
    bell: UnixStream,
    /// Arrived during a stop, not yet answered.
    backlog: Vec<Arrived>,
}

/// The channels at work.
struct Passing<F> {
    tasks: JoinSet<Passed<F>>,
    flushes: Vec<mpsc::Sender<Flush>>,
    ended: watch::Sender<bool>,
}

impl<F: Filter> Supervisor<F> {
    /// Waits for the command's end and for its output.
    ///
    /// # Errors
    /// When the monitor was killed, or waiting itself fails.
    pub(super) async fn run(mut self) -> io::Result<(Ending, Vec<Passed<F>>)> {
        let mut passing = Passing::start(std::mem::take(&mut self.channels));
        let ending = self.wait(&mut passing).await?;
        self.line = None;
        let (cut, passed) = self.drain(passing).await;
        // Who lets go of output that may not be shown has not succeeded, whatever the command did.
        let ending = cut.map_or(ending, Ending::Killed);
        // The terminal is put back before the session goes, and last of all we.
        self.seat = None;
        self.child.dismiss();
        Ok((ending, passed))
    }

    async fn wait(&mut self, passing: &mut Passing<F>) -> io::Result<Ending> {
        let mut asked_to_stop = None;
        loop {
            tokio::select! {
                arrived = self.signals.wait() => for arrived in arrived? {
                    let reaction = react(arrived, &self.standing);
                    match reaction {
                        Reaction::Children => while let Some(change) = self.child.changed() {
                            if let Some(ending) = ending(change) {
                                return Ok(ending);
                            }
                            self.stopped(change, None, passing).await;
                        },
                        Reaction::Stop => self.pause(arrived.signal, Whom::Me, passing).await,
                        Reaction::Forward => {
                            asked_to_stop = Some(arrived.signal);
                            self.child.signal(arrived.signal);
                        }
                        Reaction::Resume => self.resume(passing).await,
                        _ => self.answer(reaction, arrived.signal),
                    }
                },
                change = self.child.reported() => {
                    let change = change?;
                    if let Some(ending) = ending(change) {
                        return Ok(ending);
                    }
                    self.stopped(change, asked_to_stop.take(), passing).await;
                }
                () = relay(self.seat.as_mut()) => {}
            }
        }
    }

    fn answer(&mut self, reaction: Reaction, signal: Signal) {
        match reaction {
            Reaction::ForwardToGroup => self.child.signal_group(signal),
            Reaction::Resize => self.resize(),
            Reaction::ResizeAndForward => {
                self.resize();
                self.child.signal(signal);
            }
            _ => {}
        }
    }

    fn resize(&self) {
        for window in &self.windows {
            copy_size(window.outer.as_fd(), window.master.as_fd());
        }
    }

    /// The command has stopped, so we stop too, or the shell would wait for ever.
    async fn stopped(&mut self, change: Change, asked: Option<Signal>, passing: &Passing<F>) {
        let Change::Stopped(signal) = change else { return };
        let wants_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
        if wants_terminal
            && asked != Some(signal)
            && let Some(seat) = &mut self.seat
        {
            seat.ask();
            if seat.is_ours() {
                // It was in the background inside, and is in the foreground outside.
                return self.resume(passing).await;
            }
        }
        // A key stops the whole group of the caller; what one process was sent stops one.
        let by_key = self.seat.is_some() && signal != Signal::STOP && asked != Some(signal);
        let whom = if by_key { Whom::Group } else { Whom::Me };
        self.pause(signal, whom, passing).await;
    }

    async fn pause(&mut self, signal: Signal, whom: Whom, passing: &Passing<F>) {
        let _ = timeout(BEFORE_A_STOP, passing.flush()).await;
        if let Some(seat) = &mut self.seat {
            seat.stand_up();
        }
        platform::stop(signal, whom);
        let went_on = self.signals.take_continued();
        if !went_on && matches!(signal, Signal::TTIN | Signal::TTOU) {
            // The kernel lets nobody stop us, so the command would only be stopped again.
            self.child.place(Ground::Fore);
            self.child.signal_group(Signal::CONT);
        } else {
            self.resume(passing).await;
        }
    }

    /// We go on: the terminal is taken again if it is ours, and the command goes on.
    async fn resume(&mut self, passing: &Passing<F>) {
        let Some(seat) = &mut self.seat else {
            // A shell has told the whole group, but whoever woke us alone has not.
            return self.child.signal(Signal::CONT);
        };
        if seat.would_sit() {
            // What was printed so far was meant for a terminal as it was so far.
            let _ = timeout(BEFORE_A_STOP, passing.flush()).await;
        }
        let ground = seat.sit_down();
        self.child.place(ground);
        self.child.signal_group(Signal::CONT);
    }

    /// The command has ended: what is in flight is passed on. Who is asked to end or to stop now
    /// does, as the command would while it writes; by which signal, if any ended this.
    async fn drain(&mut self, passing: Passing<F>) -> (Option<Signal>, Vec<Passed<F>>) {
        let Passing { mut tasks, ended, flushes } = passing;
        // Channels that have ended already do not listen.
        let _ = ended.send(true);
        let mut passed = Vec::new();
        loop {
            tokio::select! {
                done = tasks.join_next() => match done {
                    Some(Ok(done)) => passed.push(done),
                    Some(Err(_)) => {}
                    None => break,
                },
                arrived = self.signals.wait() => for arrived in arrived.unwrap_or_default() {
                    match arrived.signal {
                        Signal::CHLD => while self.child.changed().is_some() {},
                        signal if platform::was_refused(signal) => {}
                        signal if Signal::ENDING.contains(&signal) => {
                            tasks.detach_all();
                            return (Some(signal), passed);
                        }
                        signal @ (Signal::TSTP | Signal::TTIN | Signal::TTOU) => self.rest(signal),
                        _ => {}
                    }
                }
            }
        }
        drop(flushes);
        (None, passed)
    }

    /// Stops where there is no command any more that could stop.
    fn rest(&mut self, signal: Signal) {
        if let Some(seat) = &mut self.seat {
            seat.stand_up();
        }
        platform::stop(signal, Whom::Me);
        self.signals.take_continued();
        if let Some(seat) = &mut self.seat {
            seat.sit_down();
        }
    }
}

impl Arrivals {
    /// # Errors
    /// The operating system's.
    pub(super) fn new(signals: Signals) -> io::Result<Self> {
        let bell = signals.bell()?;
        bell.set_nonblocking(true)?;
        Ok(Self { bell: UnixStream::from_std(bell)?, signals, backlog: Vec::new() })
    }

    /// Waits until signals arrive.
    async fn wait(&mut self) -> io::Result<Vec<Arrived>> {
        if self.backlog.is_empty() {
            self.bell.readable().await?;
            let mut rings = [0; 64];
            while self.bell.try_read(&mut rings).is_ok_and(|count| count > 0) {}
            self.backlog = self.signals.arrived();
        }
        Ok(std::mem::take(&mut self.backlog))
    }

    /// Whether CONT has arrived, which is then answered.
    fn take_continued(&mut self) -> bool {
        self.backlog.extend(self.signals.arrived());
        let before = self.backlog.len();
        self.backlog.retain(|arrived| arrived.signal != Signal::CONT);
        self.backlog.len() < before
    }
}

impl<F: Filter> Passing<F> {
    fn start(channels: Vec<Channel<F>>) -> Self {
        let (ended, end) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut flushes = Vec::new();
        for channel in channels {
            let (flush, asked) = mpsc::channel(1);
            flushes.push(flush);
            tasks.spawn(channel.pass(asked, end.clone()));
        }
        Self { tasks, flushes, ended }
    }

    /// Waits until all that is there has been passed on.
    async fn flush(&self) {
        let mut waits = Vec::new();
        for flush in &self.flushes {
            let (done, wait) = oneshot::channel();
            if flush.send(done).await.is_ok() {
                waits.push(wait);
            }
        }
        for wait in waits {
            let _ = wait.await;
        }
    }
}

fn ending(change: Change) -> Option<Ending> {
    match change {
        Change::Exited(code) => Some(Ending::Exited(code)),
        Change::Killed(signal) => Some(Ending::Killed(signal)),
        Change::Stopped(_) | Change::Continued => None,
    }
}

async fn relay(seat: Option<&mut Seat>) {
    match seat {
        Some(seat) => seat.relay().await,
        None => std::future::pending().await,
    }
}
