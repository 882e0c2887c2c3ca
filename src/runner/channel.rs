//! One way of output: read from the command, sent through a filter, handed to the writer.
//!
//! What is read is plaintext until the filter has seen it; its buffer is wiped.

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

/// How much is read at once at first, in bytes. What is filled grows: most commands say little.
const FIRST_READ: usize = 16 << 10;
/// How much is read at once at most. Each read wakes the command, each block the writer, and waking
/// costs more than 100 KiB of masking.
const LARGEST_READ: usize = 512 << 10;
/// After so long a silence a person at a terminal is shown what is held of a beginning.
const SHOW_HELD_AFTER: Duration = Duration::from_millis(30);
/// After the command's end, another process that holds its output is heard for this long.
const GRACE: Duration = Duration::from_millis(200);

/// What the bytes of a stream go through.
pub trait Filter: Send + 'static {
    /// Takes the next bytes and appends to `out` what may be shown.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// Shows what is held if it is short; for a terminal, after a silence.
    fn show_short(&mut self, out: &mut Vec<u8>);
    /// How many bytes are held.
    fn held(&self) -> usize;
    /// The end of the stream: appends what is held, as far as it may be shown.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// A request to pass on all that is there, with the way to say that it is done.
pub(super) type Flush = oneshot::Sender<()>;

/// One channel at work.
pub(super) struct Channel<F> {
    source: Receiver,
    spec: ChannelSpec,
    filter: PendingFilter<F>,
    writer: Writer,
    buffer: Wiped<u8>,
    newlines: Newlines,
    raw_flag: RawFlag,
}

/// What became of a channel.
pub struct ChannelOutcome<F> {
    /// What it carried.
    pub streams: Streams,
    /// The filter, which knows what it did; nothing where nothing came.
    pub filter: Option<F>,
    /// Whether another process still held it when the command had ended and was heard no more.
    pub holder: OutputHolder,
    /// Whether all could be filtered and written.
    pub result: io::Result<()>,
}

/// Whether a process holds a stream of a command that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputHolder {
    /// No process does, or no one reads it outside.
    Gone,
    /// One does, and loses it.
    StillRunning,
}

/// The time after the command's end.
struct GracePeriod {
    until: Instant,
    /// How many of the bytes that had arrived by then are not read yet. `None` before.
    left: Option<u64>,
}

impl<F: Filter> Channel<F> {
    /// A channel from `source`, which does not block, to the caller's stream.
    ///
    /// # Errors
    /// When there can be no thread or no readiness.
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

    /// Passes everything on until the command and all who hold its stream have ended, or `ended`
    /// and 0.2 s have passed, or no one reads outside.
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
        // First, so that nothing is read that cannot be passed on.
        while self.writer.has_room().await {
            if grace.as_mut().is_some_and(|grace| grace.is_over(&self.source)) {
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
                // When it has passed and nothing was read first, nothing more can be.
                () = wait_for(grace.as_ref()) => {
                    if let Some(left) = grace.as_mut().and_then(|grace| grace.left.as_mut()) {
                        *left = 0;
                    }
                }
            }
        }
        Ok(OutputHolder::Gone)
    }

    /// A person waits for the echo of a key.
    fn shows_early(&mut self) -> bool {
        self.spec.transport != Transport::Pipe
            && self.filter.used().is_some_and(|filter| filter.held() > 0)
    }

    /// Passes on what was read. The first that comes waits until the filter stands.
    ///
    /// # Errors
    /// When there is no filter.
    async fn write_filtered(&mut self, count: usize) -> io::Result<()> {
        let filter = self.filter.ready().await?;
        let mut out = self.writer.block(count + count / 8);
        let bytes = &self.buffer[..count];
        // Two terminals, one behind the other, must not both turn a newline into two characters.
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

    /// Everything that is here, as far as it may be shown.
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
        // A command that goes on writing now gets SIGPIPE, as it would from the stream itself.
        drop(self.source);
        if let Some(filter) = self.filter.used() {
            let mut out = self.writer.block(FIRST_READ);
            filter.feed(self.newlines.take_held(), &mut out);
            filter.finish(&mut out);
            self.writer.write(out).await;
        }
        let written = self.writer.finish().await;
        if self.spec.streams != Streams::Error {
            // Whoever reads it need not wait for a command that has closed it and goes on.
            let _ = platform::close_output();
        }
        // A terminal refuses only when it is gone, and whoever sat there with it.
        let written = if self.spec.transport == Transport::Pipe { written } else { Ok(()) };
        let holder = *filtered.as_ref().unwrap_or(&OutputHolder::Gone);
        let result = filtered.and(written);
        let streams = self.spec.streams;
        ChannelOutcome { streams, filter: self.filter.into_used(), holder, result }
    }
}

impl GracePeriod {
    /// Whether all that arrived in time has been read. Whether the holder goes on printing does not
    /// matter.
    fn is_over(&mut self, source: &Receiver) -> bool {
        if Instant::now() < self.until {
            return false;
        }
        *self.left.get_or_insert_with(|| platform::bytes_available(source)) == 0
    }
}

/// Waits for the end of that time, and once it is over as long again; forever while the command runs.
async fn wait_for(grace: Option<&GracePeriod>) {
    match grace {
        Some(GracePeriod { until, left: None }) => sleep_until(*until).await,
        Some(GracePeriod { left: Some(_), .. }) => tokio::time::sleep(GRACE).await,
        None => std::future::pending().await,
    }
}

/// Waits for bytes; 0 at the end. The master of a pseudo-terminal fails then, so a failure is one.
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
