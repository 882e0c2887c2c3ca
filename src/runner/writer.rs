//! Writes to one of the caller's streams, on a thread of its own: a paused pager may block it for
//! as long as it likes, and nothing else waits.

use std::fs::File;
use std::io;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::platform;

/// So many blocks wait to be written; then the command waits too, as it would for the stream.
const QUEUE: usize = 4;

enum Job {
    Write(Vec<u8>),
    /// Everything before this has been written.
    Notify(oneshot::Sender<()>),
}

/// The way to the thread.
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    written_blocks: mpsc::Receiver<Vec<u8>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Writer {
    /// Starts writing to `file`.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (give_back, written_blocks) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        let write = move || {
            // Nobody listens any more where the end was not waited for.
            let _ = end.send(write(&file, jobs, &give_back));
        };
        thread::Builder::new().name("output".to_owned()).spawn(write)?;
        Ok(Self { queue, written_blocks, ended })
    }

    /// Waits until one more block fits into the queue; says whether anybody still reads.
    pub(super) async fn has_room(&self) -> bool {
        self.queue.reserve().await.is_ok()
    }

    /// Puts a block into the queue. Where nobody reads any more it is lost, as it would be there.
    pub(super) async fn write(&self, block: Vec<u8>) {
        if !block.is_empty() {
            let _ = self.queue.send(Job::Write(block)).await;
        }
    }

    /// An empty block, one that was written before if there is any.
    pub(super) fn block(&mut self, capacity: usize) -> Vec<u8> {
        self.written_blocks.try_recv().unwrap_or_else(|_| Vec::with_capacity(capacity))
    }

    /// Waits until everything so far has been written.
    pub(super) async fn flush(&self) {
        let (notify, notified) = oneshot::channel();
        if self.queue.send(Job::Notify(notify)).await.is_ok() {
            let _ = notified.await;
        }
    }

    /// Waits until everything has been written, or says why it was not.
    pub(super) async fn finish(self) -> io::Result<()> {
        drop(self.queue);
        self.ended.await.unwrap_or_else(|_| Err(io::Error::other("the writing thread ended")))
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
