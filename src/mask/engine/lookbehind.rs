//! The earlier bytes of the stream that the engine still needs when the next bytes come.
//!
//! Any of them may be part of a secret, so all of them are wiped.

use crate::secret::Secret;

use super::text::Text;

pub(super) struct Lookbehind {
    /// The bytes at the end of the stream that have not been written.
    pub(super) held: Secret,
    /// The byte before them.
    before: Option<u8>,
    /// The last bytes of the stream, written or not: as many as the longest needle that counts at
    /// token borders only. The byte before such a needle decides whether it counts.
    recent: Secret,
}

impl Default for Lookbehind {
    fn default() -> Self {
        Self {
            held: Secret::with_capacity(0),
            before: None,
            recent: Secret::with_capacity(0),
        }
    }
}

impl Lookbehind {
    /// Returns the earlier bytes followed by `chunk`, which begins at position `at` of the stream.
    pub(super) fn text<'a>(&'a self, chunk: &'a [u8], at: u64) -> Text<'a> {
        Text {
            held: self.held.expose(),
            chunk,
            at,
            before: self.before,
            recent: self.recent.expose(),
        }
    }

    /// Returns the held bytes as if they came only now. The stream has `end` bytes so far.
    ///
    /// `recent` stays empty, because it would overlap the bytes that are read again.
    pub(super) fn again(&self, end: u64) -> Text<'_> {
        Text {
            held: &[],
            chunk: self.held.expose(),
            at: end - self.held.len() as u64,
            before: self.before,
            recent: &[],
        }
    }

    /// Adds `chunk`, and then keeps the last `held` bytes, the byte `before` them, and the last
    /// `recent` bytes.
    pub(super) fn push(&mut self, chunk: &[u8], held: usize, before: Option<u8>, recent: usize) {
        keep(&mut self.held, chunk, held);
        keep(&mut self.recent, chunk, recent);
        self.before = before;
    }
}

/// Appends `chunk` to `kept`, and keeps the last `count` bytes of the result.
fn keep(kept: &mut Secret, chunk: &[u8], count: usize) {
    // Take as much as possible from the chunk, and only the rest from the bytes kept so far, so
    // that a large chunk is never copied as a whole.
    let of_chunk = count.min(chunk.len());
    kept.discard_front(kept.len().saturating_sub(count - of_chunk));
    kept.extend(&chunk[chunk.len() - of_chunk..]);
}
