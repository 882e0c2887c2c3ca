//! What is done while the command runs: signals, stops, keys, and the end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::channel::{Channel, ChannelOutcome, Filter, Flush};
use super::child::Child;
use super::reaction::{Placement, Reaction, react};
use super::terminal::TerminalRelay;
use crate::platform::{
    self, CaughtSignals, Change, GroupPosition, ReceivedSignal, Signal, StopScope, copy_size,
};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this status.
    Exited(u8),
    /// By this signal.
    Killed(Signal),
}

/// Before a stop what is there is shown, unless the reader does not read either.
const FLUSH_LIMIT: Duration = Duration::from_millis(200);

/// A terminal inside and the one outside whose size it has.
pub(super) struct LinkedTerminals {
    pub(super) outer: OwnedFd,
    pub(super) master: OwnedFd,
}

/// Everything that goes on while the command runs.
pub(super) struct Supervisor<F> {
    pub(super) child: Child,
    pub(super) signals: SignalQueue,
    pub(super) placement: Placement,
    pub(super) relay: Option<TerminalRelay>,
    pub(super) linked_terminals: Vec<LinkedTerminals>,
    /// The command's side of its session's terminal. While we hold it, a command that closes it and
    /// opens it again finds us listening.
    pub(super) line: Option<OwnedFd>,
    pub(super) channels: Vec<Channel<F>>,
}

/// The signals that arrive.
pub(super) struct SignalQueue {
    signals: CaughtSignals,
    wakeup: UnixStream,
    /// Arrived during a stop, not yet answered.
    backlog: Vec<ReceivedSignal>,
}

/// The channels at work.
struct RunningChannels<F> {
    tasks: JoinSet<ChannelOutcome<F>>,
    flushes: Vec<mpsc::Sender<Flush>>,
    ended: watch::Sender<bool>,
}

impl<F: Filter> Supervisor<F> {
    /// Waits for the command's end and for its output.
    ///
    /// # Errors
    /// When the monitor was killed, or waiting itself fails.
    pub(super) async fn run(mut self) -> io::Result<(Ending, Vec<ChannelOutcome<F>>)> {
        let mut channels = RunningChannels::start(std::mem::take(&mut self.channels));
        let ending = self.wait(&mut channels).await?;
        self.line = None;
        let (cut, passed) = self.drain(channels).await;
        // Who lets go of output that may not be shown has not succeeded, whatever the command did.
        let ending = cut.map_or(ending, Ending::Killed);
        // The terminal is put back before the session goes, and last of all we.
        self.relay = None;
        self.child.finish();
        Ok((ending, passed))
    }

    async fn wait(&mut self, channels: &mut RunningChannels<F>) -> io::Result<Ending> {
        let mut asked_to_stop = None;
        loop {
            tokio::select! {
                received = self.signals.wait() => for received in received? {
                    let reaction = react(received, &self.placement);
                    match reaction {
                        Reaction::CheckChildren => while let Some(change) = self.child.take_change() {
                            if let Some(ending) = ending(change) {
                                return Ok(ending);
                            }
                            self.follow_stop(change, None, channels).await;
                        },
                        Reaction::Stop => self.pause(received.signal, StopScope::Process, channels).await,
                        Reaction::Forward => {
                            asked_to_stop = Some(received.signal);
                            self.child.signal(received.signal);
                        }
                        Reaction::Resume => self.resume(channels).await,
                        _ => self.carry_out(reaction, received.signal),
                    }
                },
                change = self.child.next_report() => {
                    let change = change?;
                    if let Some(ending) = ending(change) {
                        return Ok(ending);
                    }
                    self.follow_stop(change, asked_to_stop.take(), channels).await;
                }
                () = forward_keys(self.relay.as_mut()) => {}
            }
        }
    }

    fn carry_out(&mut self, reaction: Reaction, signal: Signal) {
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
        for pair in &self.linked_terminals {
            copy_size(pair.outer.as_fd(), pair.master.as_fd());
        }
    }

    /// The command has stopped, so we stop too, or the shell would wait for ever.
    async fn follow_stop(
        &mut self,
        change: Change,
        asked: Option<Signal>,
        channels: &RunningChannels<F>,
    ) {
        let Change::Stopped(signal) = change else { return };
        let wants_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
        if wants_terminal
            && asked != Some(signal)
            && let Some(relay) = &mut self.relay
        {
            relay.request_keys();
            if relay.is_ours() {
                // It was in the background inside, and is in the foreground outside.
                return self.resume(channels).await;
            }
        }
        // A key stops the whole group of the caller; what one process was sent stops one.
        let by_key = self.relay.is_some() && signal != Signal::STOP && asked != Some(signal);
        let scope = if by_key { StopScope::Group } else { StopScope::Process };
        self.pause(signal, scope, channels).await;
    }

    async fn pause(&mut self, signal: Signal, scope: StopScope, channels: &RunningChannels<F>) {
        let _ = timeout(FLUSH_LIMIT, channels.flush()).await;
        if let Some(relay) = &mut self.relay {
            relay.release();
        }
        platform::stop(signal, scope);
        let went_on = self.signals.take_continued();
        if !went_on && matches!(signal, Signal::TTIN | Signal::TTOU) {
            // The kernel lets nobody stop us, so the command would only be stopped again.
            self.child.set_position(GroupPosition::Foreground);
            self.child.signal_group(Signal::CONT);
        } else {
            self.resume(channels).await;
        }
    }

    /// We go on: the terminal is taken again if it is ours, and the command goes on.
    async fn resume(&mut self, channels: &RunningChannels<F>) {
        let Some(relay) = &mut self.relay else {
            // A shell has told the whole group, but whoever woke us alone has not.
            return self.child.signal(Signal::CONT);
        };
        if relay.can_acquire() {
            // What was printed so far was meant for a terminal as it was so far.
            let _ = timeout(FLUSH_LIMIT, channels.flush()).await;
        }
        let position = relay.acquire();
        self.child.set_position(position);
        self.child.signal_group(Signal::CONT);
    }

    /// The command has ended: what is in flight is passed on. Who is asked to end or to stop now
    /// does, as the command would while it writes; by which signal, if any ended this.
    async fn drain(
        &mut self,
        channels: RunningChannels<F>,
    ) -> (Option<Signal>, Vec<ChannelOutcome<F>>) {
        let RunningChannels { mut tasks, ended, flushes } = channels;
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
                received = self.signals.wait() => for received in received.unwrap_or_default() {
                    match received.signal {
                        Signal::CHLD => while self.child.take_change().is_some() {},
                        signal if platform::was_ignored_or_blocked(signal) => {}
                        signal if Signal::ENDING.contains(&signal) => {
                            tasks.detach_all();
                            return (Some(signal), passed);
                        }
                        signal @ (Signal::TSTP | Signal::TTIN | Signal::TTOU) => self.stop_while_draining(signal),
                        _ => {}
                    }
                }
            }
        }
        drop(flushes);
        (None, passed)
    }

    /// Stops where there is no command any more that could stop.
    fn stop_while_draining(&mut self, signal: Signal) {
        if let Some(relay) = &mut self.relay {
            relay.release();
        }
        platform::stop(signal, StopScope::Process);
        self.signals.take_continued();
        if let Some(relay) = &mut self.relay {
            relay.acquire();
        }
    }
}

impl SignalQueue {
    /// # Errors
    /// The operating system's.
    pub(super) fn new(signals: CaughtSignals) -> io::Result<Self> {
        let wakeup = signals.wakeup()?;
        wakeup.set_nonblocking(true)?;
        Ok(Self { wakeup: UnixStream::from_std(wakeup)?, signals, backlog: Vec::new() })
    }

    /// Waits until signals arrive.
    async fn wait(&mut self) -> io::Result<Vec<ReceivedSignal>> {
        if self.backlog.is_empty() {
            self.wakeup.readable().await?;
            let mut bytes = [0; 64];
            while self.wakeup.try_read(&mut bytes).is_ok_and(|count| count > 0) {}
            self.backlog = self.signals.take_received();
        }
        Ok(std::mem::take(&mut self.backlog))
    }

    /// Whether CONT has arrived, which is then answered.
    fn take_continued(&mut self) -> bool {
        self.backlog.extend(self.signals.take_received());
        let before = self.backlog.len();
        self.backlog.retain(|received| received.signal != Signal::CONT);
        self.backlog.len() < before
    }
}

impl<F: Filter> RunningChannels<F> {
    fn start(channels: Vec<Channel<F>>) -> Self {
        let (ended, end) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut flushes = Vec::new();
        for channel in channels {
            let (flush, asked) = mpsc::channel(1);
            flushes.push(flush);
            tasks.spawn(channel.run(asked, end.clone()));
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

async fn forward_keys(relay: Option<&mut TerminalRelay>) {
    match relay {
        Some(relay) => relay.forward_keys().await,
        None => std::future::pending().await,
    }
}
