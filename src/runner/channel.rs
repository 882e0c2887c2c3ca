//! One path of output: it is read from the command, sent through a filter, and handed to the
//! writer.
//!
//! Bytes are plaintext until the filter has seen them, so the read buffer is wiped.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::newlines::Newlines;
use super::pending_filter::PendingFilter;
use super::terminal::RawFlag;
use super::wiring::{ChannelSpec, Streams, Transport};
use super::writer::Writer;
use crate::platform;
use crate::secret::Wiped;

/// Size of the first read buffer, in bytes. A buffer that fills up is doubled; most commands print
/// little.
const FIRST_READ: usize = 16 << 10;
/// Largest read buffer, in bytes. Each read wakes the command and each block wakes the writer, and
/// waking costs more than masking 100 KiB.
const LARGEST_READ: usize = 512 << 10;
/// On a terminal, a short held prefix is shown after this long without output.
const SHOW_HELD_AFTER: Duration = Duration::from_millis(30);
/// After the command's end, output of another process that holds its stream is read for this long.
const GRACE: Duration = Duration::from_millis(200);

/// A transformation of a stream's bytes.
pub trait Filter: Send + 'static {
    /// Takes the next bytes and appends to `out` the bytes that may be shown.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// Appends the held bytes if there are few. For a terminal, after a silence.
    fn show_short(&mut self, out: &mut Vec<u8>);
    /// Number of bytes held.
    fn held(&self) -> usize;
    /// Ends the stream: appends the held bytes as far as they may be shown.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// A request to pass on everything that has arrived, with a sender that signals completion.
pub(super) type Flush = oneshot::Sender<()>;

/// A channel at work.
pub(super) struct Channel<F> {
    source: Receiver,
    spec: ChannelSpec,
    filter: PendingFilter<F>,
    writer: Writer,
    buffer: Wiped<u8>,
    newlines: Newlines,
    raw_flag: RawFlag,
}

/// The outcome of a channel.
pub struct ChannelOutcome<F> {
    /// The streams it carried.
    pub streams: Streams,
    /// The filter, which knows what it did, or `None` if no output came.
    pub filter: Option<F>,
    /// Whether another process still held the stream when the grace period was over.
    pub holder: OutputHolder,
    /// Whether everything could be filtered and written.
    pub result: io::Result<()>,
}

/// Whether a process holds a stream of a command that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputHolder {
    /// No process does, or no one reads the stream outside.
    Gone,
    /// A process does, and its further output is lost.
    StillRunning,
}

/// The time after the command's end during which output of other processes is still read.
struct GracePeriod {
    until: Instant,
    /// Number of bytes that had arrived by the end of this time and are still unread. `None`
    /// before.
    left: Option<u64>,
}

impl<F: Filter> Channel<F> {
    /// Opens a channel from `source`, which must be non-blocking, to the caller's stream.
    ///
    /// # Errors
    /// Fails if no thread can be started or `source` cannot be registered with the event loop.
    pub(super) fn open(
        source: OwnedFd,
        spec: ChannelSpec,
        filter: PendingFilter<F>,
        raw_flag: RawFlag,
    ) -> io::Result<Self> {
        Ok(Self {
            source: Receiver::from_owned_fd_unchecked(source)?,
            spec,
            filter,
            writer: Writer::start(platform::output_stream(spec.streams.descriptor())?)?,
            buffer: Wiped::from(vec![0; FIRST_READ]),
            newlines: Newlines::default(),
            raw_flag,
        })
    }

    /// Passes everything on until one of these is true: the command and every other holder of its
    /// stream have ended; `ended` was set and the grace period is over; no one reads the stream
    /// outside.
    pub(super) async fn run(
        mut self,
        flushes: mpsc::Receiver<Flush>,
        ended: watch::Receiver<bool>,
    ) -> ChannelOutcome<F> {
        let filtered = self.forward(flushes, ended).await;
        self.end(filtered).await
    }

    async fn forward(
        &mut self,
        mut flushes: mpsc::Receiver<Flush>,
        mut ended: watch::Receiver<bool>,
    ) -> io::Result<OutputHolder> {
        let mut grace: Option<GracePeriod> = None;
        let mut silent = false;
        // Wait for room first, so that only bytes that can be passed on are read.
        while self.writer.has_room().await {
            if grace
                .as_mut()
                .is_some_and(|grace| grace.is_over(&self.source))
            {
                return Ok(OutputHolder::StillRunning);
            }
            let shows = self.shows_early() && !silent;
            tokio::select! {
                biased;
                count = read(&self.source, &mut self.buffer) => {
                    if count == 0 {
                        break;
                    }
                    self.write_filtered(count).await?;
                    silent = false;
                    if let Some(left) = grace.as_mut().and_then(|grace| grace.left.as_mut()) {
                        *left = left.saturating_sub(count as u64);
                    }
                }
                Some(done) = flushes.recv() => {
                    self.flush().await;
                    drop(done);
                }
                Ok(()) = ended.changed(), if grace.is_none() => {
                    grace = Some(GracePeriod { until: Instant::now() + GRACE, left: None });
                }
                () = tokio::time::sleep(SHOW_HELD_AFTER), if shows => {
                    self.show_short().await;
                    silent = true;
                }
                // The grace period is over and `read` had nothing, so nothing that arrived in time
                // is left.
                () = wait_for(grace.as_ref()) => {
                    if let Some(left) = grace.as_mut().and_then(|grace| grace.left.as_mut()) {
                        *left = 0;
                    }
                }
            }
        }
        Ok(OutputHolder::Gone)
    }

    /// Returns whether a short held prefix is shown early: at a terminal, someone waits for the
    /// echo of a key.
    fn shows_early(&mut self) -> bool {
        self.spec.transport != Transport::Pipe
            && self.filter.used().is_some_and(|filter| filter.held() > 0)
    }

    /// Passes on the bytes read. The first call waits until the filter is ready.
    ///
    /// # Errors
    /// Fails if the filter could not be made.
    async fn write_filtered(&mut self, count: usize) -> io::Result<()> {
        let filter = self.filter.ready().await?;
        let mut out = self.writer.block(count + count / 8);
        let bytes = &self.buffer[..count];
        // With two terminals in a row, only one may turn a newline into two characters.
        let has_extra_returns = self.spec.transport == Transport::Session
            && !self.raw_flag.is_raw()
            && platform::adds_carriage_returns(&self.source);
        if has_extra_returns {
            filter.feed(&self.newlines.without_returns(bytes), &mut out);
        } else {
            filter.feed(self.newlines.take_held(), &mut out);
            filter.feed(bytes, &mut out);
        }
        self.writer.write(out).await;
        let size = self.buffer.len();
        if count == size && size < LARGEST_READ {
            self.buffer = Wiped::from(vec![0; 2 * size]);
        }
        Ok(())
    }

    /// Passes on everything that has arrived, as far as it may be shown.
    async fn flush(&mut self) {
        if let Some(filter) = self.filter.used() {
            let mut out = self.writer.block(FIRST_READ);
            filter.feed(self.newlines.take_held(), &mut out);
            if self.spec.transport != Transport::Pipe {
                filter.show_short(&mut out);
            }
            self.writer.write(out).await;
        }
        self.writer.flush().await;
    }

    async fn show_short(&mut self) {
        if let Some(filter) = self.filter.used() {
            let mut out = self.writer.block(FIRST_READ);
            filter.show_short(&mut out);
            self.writer.write(out).await;
        }
    }

    async fn end(mut self, filtered: io::Result<OutputHolder>) -> ChannelOutcome<F> {
        // If the command continues to write, it now gets SIGPIPE, as it would from the stream
        // itself.
        drop(self.source);
        if let Some(filter) = self.filter.used() {
            let mut out = self.writer.block(FIRST_READ);
            filter.feed(self.newlines.take_held(), &mut out);
            filter.finish(&mut out);
            self.writer.write(out).await;
        }
        let written = self.writer.finish().await;
        if self.spec.streams != Streams::Error {
            // A reader outside need not wait for a command that closed its output and keeps
            // running.
            let _ = platform::close_output();
        }
        // Writing to a terminal fails only if the terminal is gone, and then no one sees the
        // output.
        let written = if self.spec.transport == Transport::Pipe {
            written
        } else {
            Ok(())
        };
        let holder = *filtered.as_ref().unwrap_or(&OutputHolder::Gone);
        let result = filtered.and(written);
        let streams = self.spec.streams;
        ChannelOutcome {
            streams,
            filter: self.filter.into_used(),
            holder,
            result,
        }
    }
}

impl GracePeriod {
    /// Returns whether everything that arrived in time has been read. It does not matter whether
    /// the holder continues to print.
    fn is_over(&mut self, source: &Receiver) -> bool {
        if Instant::now() < self.until {
            return false;
        }
        *self
            .left
            .get_or_insert_with(|| platform::bytes_available(source))
            == 0
    }
}

/// Waits until the grace period is over, or, if it is already over, for the same time again. Waits
/// forever while the command runs.
async fn wait_for(grace: Option<&GracePeriod>) {
    match grace {
        Some(GracePeriod { until, left: None }) => sleep_until(*until).await,
        Some(GracePeriod { left: Some(_), .. }) => tokio::time::sleep(GRACE).await,
        None => std::future::pending().await,
    }
}

/// Waits for bytes and returns their number, 0 at the end of the stream. The master of a
/// pseudo-terminal fails at its end, so every failure counts as the end.
async fn read(source: &Receiver, buffer: &mut [u8]) -> usize {
    loop {
        if source.readable().await.is_err() {
            return 0;
        }
        match source.try_read(buffer) {
            Ok(count) => return count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return 0,
        }
    }
}
