//! The available part of the stream: the bytes that were held back, and the write being read.
//!
//! Positions are counted from the start of the stream.

#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// The bytes just before `chunk`, which were held back.
    pub(super) held: &'a [u8],
    /// The write being read.
    pub(super) chunk: &'a [u8],
    /// The position of the first byte of `chunk`.
    pub(super) at: u64,
    /// The byte before `held`, which has been written.
    pub(super) before: Option<u8>,
    /// The last bytes before `chunk`, whether they have been written or not.
    pub(super) recent: &'a [u8],
}

impl Text<'_> {
    /// Returns the position after the last available byte.
    pub(super) fn end(&self) -> u64 {
        self.at + self.chunk.len() as u64
    }

    /// Returns the byte at a position, if it is available.
    pub(super) fn byte(&self, position: u64) -> Option<u8> {
        if let Some(offset) = position.checked_sub(self.at) {
            return self.chunk.get(index(offset)).copied();
        }
        let offset = self.held.len().checked_sub(index(self.at - position))?;
        self.held.get(offset).copied()
    }

    /// Returns the byte before a position, even if it has just been written.
    pub(super) fn byte_before(&self, position: u64) -> Option<u8> {
        let wanted = position.checked_sub(1)?;
        let recent = || {
            let back = index(self.at.checked_sub(wanted)?);
            self.recent
                .get(self.recent.len().checked_sub(back)?)
                .copied()
        };
        let is_before_held = position + self.held.len() as u64 == self.at;
        self.byte(wanted)
            .or_else(recent)
            .or(self.before.filter(|_| is_before_held))
    }

    /// Appends the bytes from one position to another, all of which must be available.
    pub(super) fn copy(&self, from: u64, to: u64, out: &mut Vec<u8>) {
        let held = |position| self.held.len() - index(self.at.saturating_sub(position));
        let chunk = |position: u64| index(position.saturating_sub(self.at));
        out.extend_from_slice(&self.held[held(from)..held(to)]);
        out.extend_from_slice(&self.chunk[chunk(from)..chunk(to)]);
    }
}

/// Converts an offset within memory.
pub(super) fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset within memory")
}
