//! What holds for every answer, shown or not.

use std::io;
use std::time::Duration;

use crate::fault::Fault;

/// For how long nothing must arrive after an answer: a terminal that does not mark pastes sends the
/// lines of one with no pause between them, and no person types that fast.
pub(super) const QUIET: Duration = Duration::from_millis(150);

/// For how long input is discarded after a refusal, if it never pauses.
pub(super) const LONGEST_DRAIN: Duration = Duration::from_secs(20);

/// How many bytes are read at once.
pub(super) const CHUNK: usize = 4096;

pub(super) fn several_lines() -> Fault {
    Fault::usage("several lines arrived at once; none of them was used")
}

pub(super) fn unreadable(error: io::Error) -> Fault {
    Fault::failed("could not read the answer from the terminal").because(error)
}
