//! Writes to one of the caller's streams on a thread of its own: a paused pager may block it for
//! any time without delaying anything else.

use std::fs::File;
use std::io;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::platform;

/// Number of blocks that may wait to be written. When they do, the command waits too, as it would
/// if it wrote to the stream itself.
const QUEUE: usize = 4;

enum Job {
    Write(Vec<u8>),
    /// Signals that everything before it has been written.
    Notify(oneshot::Sender<()>),
}

/// The queue of blocks for the writing thread.
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    written_blocks: mpsc::Receiver<Vec<u8>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Writer {
    /// Starts a thread that writes to `file`.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (give_back, written_blocks) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        let write = move || {
            // No one may be waiting for the end anymore.
            let _ = end.send(write(&file, jobs, &give_back));
        };
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(write)?;
        Ok(Self {
            queue,
            written_blocks,
            ended,
        })
    }

    /// Waits until another block fits into the queue. Returns whether the stream still has a
    /// reader.
    pub(super) async fn has_room(&self) -> bool {
        self.queue.reserve().await.is_ok()
    }

    /// Puts a block into the queue. Without a reader the block is lost, as it would be without
    /// vault.
    pub(super) async fn write(&self, block: Vec<u8>) {
        if !block.is_empty() {
            let _ = self.queue.send(Job::Write(block)).await;
        }
    }

    /// Returns an empty block, reusing one that was written before if possible.
    pub(super) fn block(&mut self, capacity: usize) -> Vec<u8> {
        self.written_blocks
            .try_recv()
            .unwrap_or_else(|_| Vec::with_capacity(capacity))
    }

    /// Waits until everything queued so far has been written.
    pub(super) async fn flush(&self) {
        let (notify, notified) = oneshot::channel();
        if self.queue.send(Job::Notify(notify)).await.is_ok() {
            let _ = notified.await;
        }
    }

    /// Waits until everything has been written.
    ///
    /// # Errors
    /// Returns the error that stopped writing.
    pub(super) async fn finish(self) -> io::Result<()> {
        drop(self.queue);
        self.ended
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the writing thread has ended")))
    }
}

fn write(
    file: &File,
    mut jobs: mpsc::Receiver<Job>,
    give_back: &mpsc::Sender<Vec<u8>>,
) -> io::Result<()> {
    while let Some(job) = jobs.blocking_recv() {
        match job {
            Job::Write(mut block) => {
                platform::write_all(file, &block)?;
                block.clear();
                let _ = give_back.try_send(block);
            }
            Job::Notify(notified) => drop(notified.send(())),
        }
    }
    Ok(())
}
