//! The part of the stream that is at hand: what was held back, and the write that is being read.
//!
//! Positions are counted from the start of the stream.

#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// Held back: the bytes just before `chunk`.
    pub(super) held: &'a [u8],
    pub(super) chunk: &'a [u8],
    /// Where `chunk` begins.
    pub(super) at: u64,
    /// The byte before `held`, which has gone out.
    pub(super) before: Option<u8>,
    /// Bytes just before `chunk`, whether they have gone out or not.
    pub(super) recent: &'a [u8],
}

impl Text<'_> {
    /// The end of what is at hand.
    pub(super) fn end(&self) -> u64 {
        self.at + self.chunk.len() as u64
    }

    /// The byte at a position, if it is at hand.
    pub(super) fn byte(&self, position: u64) -> Option<u8> {
        if let Some(offset) = position.checked_sub(self.at) {
            return self.chunk.get(index(offset)).copied();
        }
        let offset = self.held.len().checked_sub(index(self.at - position))?;
        self.held.get(offset).copied()
    }

    /// The byte before a position, even if it has just gone out.
    pub(super) fn byte_before(&self, position: u64) -> Option<u8> {
        let position = position.checked_sub(1)?;
        let recent = || {
            let back = index(self.at.checked_sub(position)?);
            self.recent.get(self.recent.len().checked_sub(back)?).copied()
        };
        let before_held = position + 1 + self.held.len() as u64 == self.at;
        self.byte(position).or_else(recent).or(self.before.filter(|_| before_held))
    }

    /// Appends the bytes from one position to another, all of which are at hand.
    pub(super) fn copy(&self, from: u64, to: u64, out: &mut Vec<u8>) {
        if from < self.at {
            let first = self.held.len() - index(self.at - from);
            let last = self.held.len() - index(self.at - to.min(self.at));
            out.extend_from_slice(&self.held[first..last]);
        }
        if to > self.at {
            let first = index(from.saturating_sub(self.at));
            out.extend_from_slice(&self.chunk[first..index(to - self.at)]);
        }
    }
}

/// An offset within memory.
pub(super) fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset within memory")
}
