//! Writes the text with the occurrences replaced, and counts them.
//!
//! Of needles, it knows only their numbers. Positions are counted from the start of the stream.
//! Everything before `emitted` is final. A mask is written as soon as its first byte is final, even
//! if its end is still open.

use std::cmp::Reverse;

use super::text::Text;

/// The replacement of an occurrence.
pub const MASK: &[u8] = b"***";

/// An occurrence, from the first byte to be masked to just after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
    /// `None` for the tail of an occurrence that has been counted.
    pub(super) needle: Option<u32>,
}

pub(super) struct Output {
    /// The occurrences that have not been masked.
    pending: Vec<Span>,
    /// The position of the first of them. The others need not be examined while this one is held.
    first: u64,
    emitted: u64,
    /// The end of the last mask.
    masked: u64,
    counts: Vec<u64>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            pending: Vec::new(),
            first: u64::MAX,
            emitted: 0,
            masked: 0,
            counts: Vec::new(),
        }
    }
}

impl Output {
    pub(super) fn add(&mut self, span: Span) {
        self.first = self.first.min(span.start);
        self.pending.push(span);
    }

    /// Returns the position before which every byte has been written or masked.
    pub(super) fn emitted(&self) -> u64 {
        self.emitted
    }

    /// Returns how often the needle with this number was masked.
    pub(super) fn count(&self, needle: usize) -> u64 {
        self.counts.get(needle).copied().unwrap_or(0)
    }

    /// Writes everything before `until`. Every occurrence that begins before it must be known.
    pub(super) fn emit(&mut self, text: &Text<'_>, until: u64, out: &mut Vec<u8>) {
        if self.first < until {
            self.mask_all(text, until, out);
        }
        self.pass(text, until, out);
    }

    fn mask_all(&mut self, text: &Text<'_>, until: u64, out: &mut Vec<u8>) {
        let mut pending = std::mem::take(&mut self.pending);
        // Of the occurrences with the same start, the longest comes first, so that it is the one
        // that counts.
        pending.sort_unstable_by_key(|span| (span.start, Reverse(span.end), span.needle));
        let due = pending.partition_point(|span| span.start < until);
        for span in pending.drain(..due) {
            self.mask(text, span, out);
        }
        self.first = pending.first().map_or(u64::MAX, |span| span.start);
        self.pending = pending;
    }

    fn mask(&mut self, text: &Text<'_>, span: Span, out: &mut Vec<u8>) {
        // It lies within the occurrences before it, so it is neither masked nor counted.
        if span.end <= self.emitted {
            return;
        }
        if let Some(needle) = span.needle {
            self.count_one(needle as usize);
        }
        // If it overlaps the last mask, that mask represents both. If it only touches it, it gets
        // its own mask.
        if span.start >= self.masked {
            self.pass(text, span.start, out);
            out.extend_from_slice(MASK);
        }
        self.masked = span.end;
        self.emitted = self.emitted.max(span.end);
    }

    /// Writes the text before `until` as it is.
    fn pass(&mut self, text: &Text<'_>, until: u64, out: &mut Vec<u8>) {
        if until > self.emitted {
            text.copy(self.emitted, until, out);
            self.emitted = until;
        }
    }

    fn count_one(&mut self, needle: usize) {
        if self.counts.len() <= needle {
            self.counts.resize(needle + 1, 0);
        }
        self.counts[needle] += 1;
    }
}
