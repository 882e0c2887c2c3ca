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
use super::seat::Taken;
use super::wiring::{Carries, Conduit, Laid};
use super::writer::Writer;
use crate::platform;
use crate::secret::Wiped;

/// How much is read at once, in bytes.
const BLOCK: usize = 128 << 10;
/// After so long a silence a person at a terminal is shown what is held of a beginning.
const SILENCE: Duration = Duration::from_millis(30);
/// So long after the command's end somebody else who holds its output is listened to.
const PATIENCE: Duration = Duration::from_secs(1);

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
    laid: Laid,
    filter: F,
    writer: Writer,
    buffer: Wiped<u8>,
    newlines: Newlines,
    taken: Taken,
}

/// What became of a channel.
pub struct Passed<F> {
    /// What it carried.
    pub carries: Carries,
    /// The filter, which knows what it did.
    pub filter: F,
    /// Whether all could be written.
    pub result: io::Result<()>,
}

/// When the command ended, all that is in flight is passed on, then its descendants get a moment.
struct Rest {
    in_flight: u64,
    until: Instant,
}

impl<F: Filter> Channel<F> {
    /// A channel from `source`, which does not block, to the caller's stream.
    ///
    /// # Errors
    /// When there can be no thread or no readiness.
    pub(super) fn open(source: OwnedFd, laid: Laid, filter: F, taken: Taken) -> io::Result<Self> {
        Ok(Self {
            source: Receiver::from_owned_fd_unchecked(source)?,
            laid,
            filter,
            writer: Writer::start(platform::output_stream(laid.carries.stream())?)?,
            buffer: Wiped::from(vec![0; BLOCK]),
            newlines: Newlines::default(),
            taken,
        })
    }

    /// Passes everything on until the command and all who hold its stream have ended, or `ended`
    /// and a moment have passed, or nobody reads outside.
    pub(super) async fn pass(
        mut self,
        mut flushes: mpsc::Receiver<Flush>,
        mut ended: watch::Receiver<bool>,
    ) -> Passed<F> {
        let mut rest: Option<Rest> = None;
        let mut silent = false;
        // First, so that nothing is read that cannot be passed on.
        while self.writer.has_room().await {
            if rest.as_ref().is_some_and(Rest::is_over) {
                break;
            }
            let shows = self.shows_early() && !silent;
            tokio::select! {
                biased;
                count = read(&self.source, &mut self.buffer) => {
                    if count == 0 {
                        break;
                    }
                    self.take(count).await;
                    silent = false;
                    if let Some(rest) = &mut rest {
                        rest.in_flight = rest.in_flight.saturating_sub(count as u64);
                    }
                }
                Some(done) = flushes.recv() => {
                    self.flush().await;
                    drop(done);
                }
                Ok(()) = ended.changed(), if rest.is_none() => {
                    let in_flight = platform::waiting(&self.source);
                    rest = Some(Rest { in_flight, until: Instant::now() + PATIENCE });
                }
                () = tokio::time::sleep(SILENCE), if shows => {
                    self.show_short().await;
                    silent = true;
                }
                () = until(rest.as_ref()) => {}
            }
        }
        self.end().await
    }

    /// A person waits for the echo of a key.
    fn shows_early(&self) -> bool {
        self.laid.conduit != Conduit::Pipe && self.filter.held() > 0
    }

    async fn take(&mut self, count: usize) {
        let mut out = self.writer.block(BLOCK + BLOCK / 8);
        let bytes = &self.buffer[..count];
        // Two terminals, one behind the other, must not both turn a newline into two characters.
        let is_twice = self.laid.conduit == Conduit::Session
            && !self.taken.is_taken()
            && platform::ends_lines_twice(&self.source);
        if is_twice {
            self.filter.feed(&self.newlines.undo(bytes), &mut out);
        } else {
            self.filter.feed(self.newlines.rest(), &mut out);
            self.filter.feed(bytes, &mut out);
        }
        self.writer.write(out).await;
    }

    /// Everything that is here, as far as it may be shown.
    async fn flush(&mut self) {
        let mut out = self.writer.block(BLOCK);
        self.filter.feed(self.newlines.rest(), &mut out);
        if self.laid.conduit != Conduit::Pipe {
            self.filter.show_short(&mut out);
        }
        self.writer.write(out).await;
        self.writer.flush().await;
    }

    async fn show_short(&mut self) {
        let mut out = self.writer.block(BLOCK + BLOCK / 8);
        self.filter.show_short(&mut out);
        self.writer.write(out).await;
    }

    async fn end(mut self) -> Passed<F> {
        // A command that goes on writing now gets SIGPIPE, as it would from the stream itself.
        drop(self.source);
        let mut out = self.writer.block(BLOCK);
        self.filter.feed(self.newlines.rest(), &mut out);
        self.filter.finish(&mut out);
        self.writer.write(out).await;
        let result = self.writer.finish().await;
        if self.laid.carries != Carries::Error {
            // Whoever reads it need not wait for a command that has closed it and goes on.
            let _ = platform::close_output();
        }
        // A terminal refuses only when it is gone, and whoever sat there with it.
        let result = if self.laid.conduit == Conduit::Pipe { result } else { Ok(()) };
        Passed { carries: self.laid.carries, filter: self.filter, result }
    }
}

impl Rest {
    fn is_over(&self) -> bool {
        self.in_flight == 0 && Instant::now() >= self.until
    }
}

/// Waits for the end of the descendants' moment; for ever while the command runs.
async fn until(rest: Option<&Rest>) {
    match rest.filter(|rest| rest.in_flight == 0) {
        Some(rest) => sleep_until(rest.until).await,
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
