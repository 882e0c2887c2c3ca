//! Filters that are built on a thread of their own while the command starts and runs. Output waits
//! for them; a command that prints nothing does not.
//!
//! If the command ends first, the thread ends with the process, whose memory is then gone.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// A filter that may still be under construction.
pub(super) struct PendingFilter<F> {
    filter: Option<F>,
    receiver: oneshot::Receiver<F>,
}

/// Starts building `count` filters.
///
/// # Errors
/// Fails if no thread can be started.
pub(super) fn spawn_filters<F: Send + 'static>(
    count: usize,
    filters: impl FnOnce(usize) -> Vec<F> + Send + 'static,
) -> io::Result<Vec<PendingFilter<F>>> {
    let (senders, coming): (Vec<_>, _) = (0..count)
        .map(|_| {
            let (sender, receiver) = oneshot::channel();
            (
                sender,
                PendingFilter {
                    filter: None,
                    receiver,
                },
            )
        })
        .unzip();
    if count > 0 {
        let spawn_filters = move || {
            for (sender, filter) in senders.into_iter().zip(filters(count)) {
                // If the command has already ended, no one waits for the filter.
                let _ = sender.send(filter);
            }
        };
        thread::Builder::new()
            .name("filters".to_owned())
            .spawn(spawn_filters)?;
    }
    Ok(coming)
}

impl<F> PendingFilter<F> {
    /// Waits until the filter has been built.
    ///
    /// # Errors
    /// Fails if it could not be built.
    pub(super) async fn ready(&mut self) -> io::Result<&mut F> {
        if self.filter.is_none() {
            let filter = (&mut self.receiver).await;
            self.filter =
                Some(filter.map_err(|_| io::Error::other("the output filter could not be built"))?);
        }
        Ok(self.filter.as_mut().expect("it was put there"))
    }

    /// Returns the filter if it has been used, which means that output has come.
    pub(super) fn used(&mut self) -> Option<&mut F> {
        self.filter.as_mut()
    }

    pub(super) fn into_used(self) -> Option<F> {
        self.filter
    }
}
