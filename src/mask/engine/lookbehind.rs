//! What of the stream's past is still at hand when the next bytes come.
//!
//! All of it may be part of a secret, and is wiped.

use crate::secret::Secret;

use super::text::Text;

pub(super) struct Lookbehind {
    /// What has not gone out.
    pub(super) held: Secret,
    /// The byte before that.
    before: Option<u8>,
    /// The last bytes, as many as deciding about token borders may take.
    recent: Secret,
}

impl Default for Lookbehind {
    fn default() -> Self {
        Self { held: Secret::with_capacity(0), before: None, recent: Secret::with_capacity(0) }
    }
}

impl Lookbehind {
    /// The past, and `chunk` behind it, which begins at that position of the stream.
    pub(super) fn text<'a>(&'a self, chunk: &'a [u8], at: u64) -> Text<'a> {
        Text {
            held: self.held.expose(),
            chunk,
            at,
            before: self.before,
            recent: self.recent.expose(),
        }
    }

    /// What is held, as if it came only now; `end` is where it ends.
    pub(super) fn again(&self, end: u64) -> Text<'_> {
        Text {
            held: &[],
            chunk: self.held.expose(),
            at: end - self.held.len() as u64,
            before: self.before,
            recent: &[],
        }
    }

    /// The past after `chunk`: the last `held` bytes, before them the byte `before`, and the last
    /// `recent` ones.
    pub(super) fn push(&mut self, chunk: &[u8], held: usize, before: Option<u8>, recent: usize) {
        keep(&mut self.held, chunk, held);
        keep(&mut self.recent, chunk, recent);
        self.before = before;
    }
}

/// Keeps the last `count` bytes of both, or all.
fn keep(kept: &mut Secret, chunk: &[u8], count: usize) {
    let of_chunk = count.min(chunk.len());
    kept.discard_front(kept.len().saturating_sub(count - of_chunk));
    kept.extend(&chunk[chunk.len() - of_chunk..]);
}
