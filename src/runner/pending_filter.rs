//! Filters that are made while the command starts and runs, on a thread of their own: output waits
//! for them, a command that prints nothing does not.
//!
//! If the command ends first, the thread ends with the process, which leaves no memory behind.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// A filter that is used once it stands.
pub(super) struct PendingFilter<F> {
    filter: Option<F>,
    receiver: oneshot::Receiver<F>,
}

/// Begins to make so many filters.
///
/// # Errors
/// When there can be no thread.
pub(super) fn spawn_filters<F: Send + 'static>(
    count: usize,
    filters: impl FnOnce(usize) -> Vec<F> + Send + 'static,
) -> io::Result<Vec<PendingFilter<F>>> {
    let (senders, coming): (Vec<_>, _) = (0..count)
        .map(|_| {
            let (sender, receiver) = oneshot::channel();
            (sender, PendingFilter { filter: None, receiver })
        })
        .unzip();
    if count > 0 {
        let spawn_filters = move || {
            for (sender, filter) in senders.into_iter().zip(filters(count)) {
                // Nobody waits for it where the command has ended.
                let _ = sender.send(filter);
            }
        };
        thread::Builder::new().name("filters".to_owned()).spawn(spawn_filters)?;
    }
    Ok(coming)
}

impl<F> PendingFilter<F> {
    /// Waits until the filter stands.
    ///
    /// # Errors
    /// When it could not be made.
    pub(super) async fn ready(&mut self) -> io::Result<&mut F> {
        if self.filter.is_none() {
            let filter = (&mut self.receiver).await;
            self.filter = Some(filter.map_err(|_| io::Error::other("what masks it was not made"))?);
        }
        Ok(self.filter.as_mut().expect("it was put there"))
    }

    /// The filter, if anything has come that it was needed for.
    pub(super) fn used(&mut self) -> Option<&mut F> {
        self.filter.as_mut()
    }

    pub(super) fn into_used(self) -> Option<F> {
        self.filter
    }
}
