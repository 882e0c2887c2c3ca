//! Everything vault does while the command runs: signals, stops, keys, and the end.

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
    /// It exited with this status.
    Exited(u8),
    /// This signal ended it.
    Killed(Signal),
}

/// Before a stop, output that has arrived is shown, but a reader that does not read delays the stop
/// no longer than this.
const FLUSH_LIMIT: Duration = Duration::from_millis(200);

/// An inner terminal and the outer terminal whose size it follows.
pub(super) struct LinkedTerminals {
    pub(super) outer: OwnedFd,
    pub(super) master: OwnedFd,
}

/// The state of vault while the command runs.
pub(super) struct Supervisor<F> {
    pub(super) child: Child,
    pub(super) signals: SignalQueue,
    pub(super) placement: Placement,
    /// The last signal that was forwarded, until the next change of the command. If the command
    /// stops by this signal, the stop does not come from a key.
    pub(super) forwarded: Option<Signal>,
    pub(super) relay: Option<TerminalRelay>,
    pub(super) linked_terminals: Vec<LinkedTerminals>,
    /// The slave of the session's terminal. While vault holds it, the terminal survives a command
    /// that closes and reopens it.
    pub(super) slave: Option<OwnedFd>,
    pub(super) channels: Vec<Channel<F>>,
}

/// The signals that have arrived.
pub(super) struct SignalQueue {
    signals: CaughtSignals,
    wakeup: UnixStream,
    /// Signals that arrived during a stop and have not been handled yet.
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
    /// Fails if the monitor was killed, or if waiting itself fails.
    pub(super) async fn run(mut self) -> io::Result<(Ending, Vec<ChannelOutcome<F>>)> {
        let channels = RunningChannels::start(std::mem::take(&mut self.channels));
        let ending = self.wait(&channels).await?;
        // Without the slave, reading the master ends when the last process inside closes its own.
        self.slave = None;
        let (interrupted, outcomes) = self.drain(channels).await;
        // Put the terminal back before the session ends, because the shell takes over when vault
        // exits.
        self.relay = None;
        self.child.finish();
        // If a signal made vault drop output, vault must not report success, however the command
        // ended.
        Ok((interrupted.map_or(ending, Ending::Killed), outcomes))
    }

    /// Handles signals, the monitor's reports, and keys until the command has ended.
    async fn wait(&mut self, channels: &RunningChannels<F>) -> io::Result<Ending> {
        loop {
            tokio::select! {
                received = self.signals.wait() => for received in received? {
                    if let Some(ending) = self.handle_signal(received, channels).await {
                        return Ok(ending);
                    }
                },
                change = self.child.next_report() => {
                    if let Some(ending) = self.handle_change(change?, channels).await {
                        return Ok(ending);
                    }
                }
                () = forward_keys(self.relay.as_mut()) => {}
            }
        }
    }

    /// Handles a signal. Returns the command's ending if it has ended.
    async fn handle_signal(
        &mut self,
        received: ReceivedSignal,
        channels: &RunningChannels<F>,
    ) -> Option<Ending> {
        let signal = received.signal;
        match react(received, &self.placement) {
            Reaction::Ignore => {}
            // One SIGCHLD may report several changes.
            Reaction::CheckChildren => {
                while let Some(change) = self.child.take_change() {
                    if let Some(ending) = self.handle_change(change, channels).await {
                        return Some(ending);
                    }
                }
            }
            Reaction::Forward => {
                self.forwarded = Some(signal);
                self.child.signal(signal);
            }
            Reaction::ForwardToGroup => self.child.signal_group(signal),
            Reaction::Resize => self.resize(),
            Reaction::ResizeAndForward => {
                self.resize();
                self.child.signal(signal);
            }
            Reaction::Resume => self.resume(channels).await,
            Reaction::Stop => self.pause(signal, StopScope::Process, channels).await,
        }
        None
    }

    /// Handles a change of the command. Returns its ending if it has ended.
    async fn handle_change(
        &mut self,
        change: Change,
        channels: &RunningChannels<F>,
    ) -> Option<Ending> {
        let forwarded = self.forwarded.take();
        match change {
            Change::Exited(code) => return Some(Ending::Exited(code)),
            Change::Killed(signal) => return Some(Ending::Killed(signal)),
            Change::Stopped(signal) if forwarded == Some(signal) => {
                // Vault was asked to stop alone, so the caller's group must not stop with it.
                self.pause(signal, StopScope::Process, channels).await;
            }
            Change::Stopped(signal) => self.follow_stop(signal, channels).await,
            Change::Continued => {}
        }
        None
    }

    fn resize(&self) {
        for pair in &self.linked_terminals {
            copy_size(pair.outer.as_fd(), pair.master.as_fd());
        }
    }

    /// Stops vault after the command has stopped by itself; otherwise the shell would wait forever.
    async fn follow_stop(&mut self, signal: Signal, channels: &RunningChannels<F>) {
        let wants_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
        if wants_terminal && let Some(relay) = &mut self.relay {
            relay.request_keys();
            if relay.is_ours() {
                // Vault is in the foreground outside, so the command only has to be moved to the
                // foreground inside. Nothing needs to stop.
                return self.resume(channels).await;
            }
        }
        // At a terminal the stop comes from a key, which stops the caller's whole group: the other
        // parts of a pipeline must stop too. SIGSTOP never comes from a key. Without an inner
        // session the key has reached the group already, so only vault is left to stop.
        let by_key = self.relay.is_some() && signal != Signal::STOP;
        let scope = if by_key {
            StopScope::Group
        } else {
            StopScope::Process
        };
        self.pause(signal, scope, channels).await;
    }

    /// Shows what has arrived, puts the terminal back, and stops vault. Continues the command after
    /// the stop.
    async fn pause(&mut self, signal: Signal, scope: StopScope, channels: &RunningChannels<F>) {
        let _ = timeout(FLUSH_LIMIT, channels.flush()).await;
        if let Some(relay) = &mut self.relay {
            relay.release();
        }
        platform::stop(signal, scope);
        // Here vault has been continued, or the stop had no effect.
        let was_continued = self.signals.take_continued();
        if !was_continued && matches!(signal, Signal::TTIN | Signal::TTOU) {
            // The stop had no effect, because the kernel does not stop vault here (process 1, or no
            // shell). The command would only be stopped again, so let it continue in the
            // foreground.
            self.child.set_position(GroupPosition::Foreground);
            self.child.signal_group(Signal::CONT);
        } else {
            self.resume(channels).await;
        }
    }

    /// Continues after a stop: takes the terminal again if vault is in the foreground, and lets the
    /// command continue.
    async fn resume(&mut self, channels: &RunningChannels<F>) {
        let Some(relay) = &mut self.relay else {
            // A shell signals the whole group, but a process that woke only vault has not signaled
            // the command.
            return self.child.signal(Signal::CONT);
        };
        if relay.can_acquire() {
            // Show earlier output while the terminal still has the modes it was printed for.
            let _ = timeout(FLUSH_LIMIT, channels.flush()).await;
        }
        let position = relay.acquire();
        self.child.set_position(position);
        self.child.signal_group(Signal::CONT);
    }

    /// Passes on the remaining output after the command has ended. A signal to end or stop takes
    /// effect now, as it would on a command that is writing. Returns the signal that ended this, if
    /// one did.
    async fn drain(
        &mut self,
        channels: RunningChannels<F>,
    ) -> (Option<Signal>, Vec<ChannelOutcome<F>>) {
        let RunningChannels {
            mut tasks, ended, ..
        } = channels;
        // Channels that have already ended do not listen.
        let _ = ended.send(true);
        let mut outcomes = Vec::new();
        loop {
            tokio::select! {
                joined = tasks.join_next() => match joined {
                    Some(Ok(outcome)) => outcomes.push(outcome),
                    Some(Err(_)) => {}
                    None => break,
                },
                received = self.signals.wait() => for received in received.unwrap_or_default() {
                    match received.signal {
                        Signal::CHLD => while self.child.take_change().is_some() {},
                        // The caller has it ignored, so it does not end vault either.
                        signal if platform::was_ignored_or_blocked(signal) => {}
                        signal if Signal::ENDING.contains(&signal) => {
                            // A channel may wait for a reader forever; it ends with the process.
                            tasks.detach_all();
                            return (Some(signal), outcomes);
                        }
                        Signal::TSTP | Signal::TTIN | Signal::TTOU => {
                            self.stop_while_draining(received.signal);
                        }
                        _ => {}
                    }
                }
            }
        }
        (None, outcomes)
    }

    /// Stops vault after the command has ended.
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
    /// Takes over the caught signals.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub(super) fn new(signals: CaughtSignals) -> io::Result<Self> {
        let wakeup = signals.wakeup()?;
        wakeup.set_nonblocking(true)?;
        Ok(Self {
            wakeup: UnixStream::from_std(wakeup)?,
            signals,
            backlog: Vec::new(),
        })
    }

    /// Waits until signals arrive.
    async fn wait(&mut self) -> io::Result<Vec<ReceivedSignal>> {
        if self.backlog.is_empty() {
            self.wakeup.readable().await?;
            let mut bytes = [0; 64];
            while self
                .wakeup
                .try_read(&mut bytes)
                .is_ok_and(|count| count > 0)
            {}
            self.backlog = self.signals.take_received();
        }
        Ok(std::mem::take(&mut self.backlog))
    }

    /// Removes CONT from the queue and returns whether it had arrived. The caller handles it.
    fn take_continued(&mut self) -> bool {
        self.backlog.extend(self.signals.take_received());
        let before = self.backlog.len();
        self.backlog
            .retain(|received| received.signal != Signal::CONT);
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
        Self {
            tasks,
            flushes,
            ended,
        }
    }

    /// Waits until everything that has arrived has been passed on.
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

async fn forward_keys(relay: Option<&mut TerminalRelay>) {
    match relay {
        Some(relay) => relay.forward_keys().await,
        None => std::future::pending().await,
    }
}
