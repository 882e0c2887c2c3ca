//! Work on many things by two threads: reading and checking entries, and opening them.
//!
//! A laptop and the smallest runner have two cores; more threads would gain little and cost every
//! command their start.

use std::panic::resume_unwind;
use std::thread;

use crate::fault::Fault;
use crate::secret::{StackDepth, with_wiped_stack};

/// From how many things on a second thread is worth its start.
const SHARED: usize = 64;

/// What `work` gives for `items`, in their order; it is called for all of them at once or, by two
/// threads, for each half.
///
/// # Errors
/// Those of `work`; of the first half, where both fail.
pub(super) fn map_in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&[T]) -> Result<Vec<R>, Fault> + Sync,
) -> Result<Vec<R>, Fault> {
    if items.len() < SHARED {
        return work(items);
    }
    let (left, right) = items.split_at(items.len() / 2);
    thread::scope(|scope| {
        // Its stack outlives it.
        let right = scope.spawn(|| with_wiped_stack(|| StackDepth::Whole, || work(right)));
        let left = work(left);
        let right = right.join().unwrap_or_else(|panic| resume_unwind(panic));
        let mut results = left?;
        results.extend(right?);
        Ok(results)
    })
}
