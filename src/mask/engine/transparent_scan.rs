//! Finds needles that are interrupted by escape sequences or line breaks.
//!
//! A gap is a run of transparent bytes between two visible ones. This scan follows the visible
//! bytes, and reads only those near a gap, because other occurrences are found without it. Its
//! reports do not depend on how the stream was split into writes.
//!
//! The end of a line can look like the beginning of a needle. If every such line were held back,
//! nearly every line of a log would be delayed. So fewer than four bytes of a needle before a line
//! break are shown. If the needle continues after the break, it is masked from there.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::memchr3;

use crate::secret::Secret;

use super::byte_kind::{ByteKind, Classifier};
use super::cursor::{Cursor, Followed};
use super::grams;
use super::links::Links;
use super::matcher::Matcher;
use super::text::{Text, index};

/// The least number of bytes of a needle that are held back at a line break.
const HELD_AT_BREAK: u64 = 4;

/// The most transparent bytes in an occurrence. Without a limit, an endless gap would be held back.
const MOST_TRANSPARENT: u64 = 1 << 16;

/// A run of visible bytes between two gaps.
#[derive(Clone, Copy)]
struct Segment {
    /// The number of visible bytes before it.
    visible: u64,
    /// The position in the stream at which it begins.
    at: u64,
    /// The gap before it contains a line break.
    after_break: bool,
}

/// The bytes between the last visible byte and the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    None,
    Sequence,
    LineBreak,
}

/// The state of the scan between two writes.
pub(super) struct TransparentScan {
    classifier: Classifier,
    /// Follows the needles that allow gaps through the visible bytes.
    cursor: Cursor,
    /// The number of visible bytes so far.
    visible: u64,
    /// The segments that contain the bytes the cursor remembers.
    segments: VecDeque<Segment>,
    gap: Gap,
}

impl TransparentScan {
    pub(super) fn new() -> Self {
        Self::new_at(0)
    }

    /// Begins at a position in the stream.
    pub(super) fn new_at(at: u64) -> Self {
        Self {
            classifier: Classifier::new(),
            cursor: Cursor::new(Followed::WithGaps),
            visible: 0,
            segments: VecDeque::from([Segment {
                visible: 0,
                at,
                after_break: false,
            }]),
            gap: Gap::None,
        }
    }

    /// Reads `text.chunk`. Reports the needle, start, and end of each occurrence with a gap.
    pub(super) fn read(
        &mut self,
        matcher: &Matcher,
        links: &mut Links,
        text: &Text<'_>,
        found: &mut impl FnMut(u32, u64, u64),
    ) {
        let chunk = text.chunk;
        // The current segment, as far as it lies in this chunk, begins at the offset `from`. Before
        // it there were `floor` visible bytes.
        let (mut floor, mut from) = (self.visible, 0);
        let mut at = 0;
        while at < chunk.len() {
            // The cursor remembers bytes of this segment only, so no incomplete needle has a gap
            // yet. Then only the end of the segment matters, where the next gap begins.
            if self.gap == Gap::None && self.depth(matcher) <= self.visible - floor {
                let next_gap = memchr3(0x1b, b'\r', b'\n', &chunk[at..]);
                let next = next_gap.map_or(chunk.len(), |length| at + length);
                // The next gap is a line break that no needle runs through: continue after it.
                if let Some(line) = self.skip_break(matcher, text, from..next, at) {
                    (floor, from, at) = (self.visible, line, line);
                    continue;
                }
                // Some needle may run through the gap: move the cursor to the gap.
                self.skip_line(matcher, links, &chunk[from..next], at - from);
                at = next;
                if at == chunk.len() {
                    break;
                }
            }
            // In a gap, or shortly after one: read every byte.
            let position = text.at + at as u64;
            match self.classifier.read(chunk[at]) {
                ByteKind::Visible => {
                    // The first visible byte after a gap begins a segment.
                    if self.gap != Gap::None {
                        self.end_gap(matcher, links, position);
                        (floor, from) = (self.visible, at);
                    }
                    self.step(matcher, links, chunk[at], position, found);
                }
                kind => self.extend_gap(matcher, kind, position),
            }
            at += 1;
        }
    }

    /// Returns the position of the first byte that must not be shown yet, because a needle with a
    /// gap may begin there.
    pub(super) fn held_from(&self, matcher: &Matcher, text: &Text<'_>) -> Option<u64> {
        let depth = self.depth(matcher);
        // No needle has begun, or too little of one before a line break.
        if depth == 0 || self.gap == Gap::LineBreak && depth < HELD_AT_BREAK {
            return None;
        }
        // A needle has begun, but without a gap so far: the other cursor holds it back.
        let first = self.visible - depth;
        if self.gap == Gap::None && !self.has_gap_after(first) {
            return None;
        }
        let start = self.mask_start(first);
        let lead = start.checked_sub(1).and_then(|before| text.byte(before));
        let leads = lead.is_some_and(|byte| self.cursor.may_lead(matcher, byte));
        Some(start - u64::from(leads))
    }

    /// Returns how many visible bytes have been read of the longest incomplete needle.
    pub(super) fn depth(&self, matcher: &Matcher) -> u64 {
        self.cursor.depth(matcher) as u64
    }

    /// Returns whether an escape sequence has begun but not ended.
    pub(super) fn is_within_sequence(&self) -> bool {
        self.classifier.is_within_sequence()
    }

    /// Ends the stream: reports the beginning of a needle if it is long enough to be masked.
    pub(super) fn finish(
        &mut self,
        matcher: &Matcher,
        links: &mut Links,
        found: &mut impl FnMut(u32, u64, u64),
    ) {
        let end = self.position(self.visible - 1) + 1;
        if let Some((needle, depth)) = self.cursor.cut_off(matcher, links) {
            let first = self.visible - depth as u64;
            found(needle, self.mask_start(first), end);
        }
    }

    /// Continues with another matcher. `text` has the held bytes, and `path` the visible bytes that
    /// the cursor remembers.
    pub(super) fn replace_matcher(
        &mut self,
        path: &Secret,
        matcher: &Matcher,
        links: &mut Links,
        text: &Text<'_>,
        found: &mut impl FnMut(u32, u64, u64),
    ) {
        // Read the held bytes again: they may begin a needle that only the new matcher has.
        let mut again = Self::new_at(text.at);
        again.read(matcher, links, text, found);
        again.classifier = self.classifier;
        again.gap = self.gap;
        // Some bytes of the path have perhaps been shown and are no longer held, for example before
        // a line break. So read the path again too, and keep the state that remembers more.
        self.cursor.reset();
        self.visible -= path.len() as u64;
        for &byte in path.expose() {
            let position = self.position(self.visible);
            self.step(matcher, links, byte, position, found);
        }
        if again.depth(matcher) >= self.depth(matcher) {
            *self = again;
        }
    }

    /// Returns the visible bytes that the cursor remembers.
    pub(super) fn path(&self, matcher: &Matcher) -> Secret {
        self.cursor.path(matcher)
    }

    /// Skips the line break after the segment `line` of the chunk, if the bytes on both sides show
    /// that no needle runs through it. The bytes of the segment before `at` have been read. Returns
    /// the offset of the first visible byte after the break.
    fn skip_break(
        &mut self,
        matcher: &Matcher,
        text: &Text<'_>,
        line: Range<usize>,
        at: usize,
    ) -> Option<usize> {
        let end = line.end;
        // Three visible bytes on each side are needed to decide.
        let [b3, b2, b1] = *text.chunk[line].last_chunk()?;
        let blanks = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' ' | b'\t');
        let begin = end + text.chunk[end..].iter().position(|byte| !blanks(byte))?;
        let [a1, a2, a3] = *text.chunk[begin..].first_chunk()?;
        // The three bytes after it contain the next gap, or this gap begins with an escape
        // sequence.
        let gaps = memchr3(0x1b, b'\r', b'\n', &[a1, a2, a3]).is_some() || begin == end;
        // A needle through the break contains the last byte before it and the first after it. It
        // has at least five bytes, so it also contains two more after the break or, if it ends
        // sooner, two more before the break. Either way it contains one of these grams.
        let grams = [[b1, a1, a2, a3], [b3, b2, b1, a1]];
        if gaps
            || !matcher.can_skip_breaks
            || grams
                .iter()
                .any(|gram| matcher.grams.has(grams::read(gram)))
        {
            return None;
        }
        self.visible += (end - at) as u64;
        self.segments.clear();
        self.segments.push_back(Segment {
            visible: self.visible,
            at: text.at + begin as u64,
            after_break: true,
        });
        self.cursor.reset();
        self.classifier = Classifier::new();
        Some(begin)
    }

    /// Moves the cursor to the end of `text`, a segment of which `read` bytes have been read. No
    /// incomplete needle may have a gap.
    fn skip_line(&mut self, matcher: &Matcher, links: &mut Links, text: &[u8], read: usize) {
        let start = matcher.grams.first_possible_start(text);
        if start > read {
            self.cursor.reset();
        }
        for &byte in &text[start.max(read)..] {
            self.cursor.skip(matcher, links, byte);
        }
        self.visible += (text.len() - read) as u64;
    }

    /// Reads a byte of a gap.
    fn extend_gap(&mut self, matcher: &Matcher, kind: ByteKind, position: u64) {
        // One line break makes the whole gap a line break.
        if self.gap != Gap::LineBreak {
            self.gap = match kind {
                ByteKind::Break => Gap::LineBreak,
                _ => Gap::Sequence,
            };
        }
        // Too many transparent bytes since the needle began: give it up, so that the held bytes
        // cannot fill the memory.
        let depth = self.depth(matcher);
        if depth > 0 && position - self.position(self.visible - depth) >= depth + MOST_TRANSPARENT {
            self.cursor.reset();
        }
    }

    /// Ends the gap before `position`, where a segment begins.
    fn end_gap(&mut self, matcher: &Matcher, links: &mut Links, position: u64) {
        self.segments.push_back(Segment {
            visible: self.visible,
            at: position,
            after_break: self.gap == Gap::LineBreak,
        });
        self.gap = Gap::None;
        self.cursor.shorten(matcher, links, index(self.visible));
        // Drop the segments before the first byte that the cursor remembers.
        let first = self.visible - self.depth(matcher);
        while self.segments.len() > 1 && self.segments[1].visible <= first {
            self.segments.pop_front();
        }
    }

    /// Reads a visible byte, and reports the needles that end with it if they have a gap.
    fn step(
        &mut self,
        matcher: &Matcher,
        links: &mut Links,
        byte: u8,
        position: u64,
        found: &mut impl FnMut(u32, u64, u64),
    ) {
        self.visible += 1;
        let mut ends = Vec::new();
        self.cursor
            .read(matcher, links, byte, |needle| ends.push(needle));
        for needle in ends {
            let needles = matcher.needles();
            let first = self.visible - u64::from(needles.get(needle).length);
            if needles.get(needle).allows_gaps() && self.has_gap_after(first) {
                found(needle, self.mask_start(first), position + 1);
            }
        }
    }

    /// Returns whether there is a gap between the visible byte `first` and the last one.
    fn has_gap_after(&self, first: u64) -> bool {
        self.segments
            .back()
            .is_some_and(|segment| first < segment.visible)
    }

    /// Returns the position at which masking begins, for a needle that begins with the visible byte
    /// `first`.
    fn mask_start(&self, first: u64) -> u64 {
        // Bytes before a line break have been shown if they are fewer than four of the needle. So
        // masking begins after the last break for which that is true, or else with the needle.
        let later = self
            .segments
            .partition_point(|segment| segment.visible <= first);
        let early = self.segments.iter().skip(later);
        let shown = early
            .take_while(|segment| segment.visible - first < HELD_AT_BREAK)
            .filter(|segment| segment.after_break)
            .last();
        shown.map_or_else(|| self.position(first), |segment| segment.at)
    }

    /// Returns the position of a visible byte in the stream.
    fn position(&self, visible: u64) -> u64 {
        let later = self
            .segments
            .partition_point(|segment| segment.visible <= visible);
        let segment = later
            .checked_sub(1)
            .and_then(|index| self.segments.get(index));
        segment.map_or(0, |segment| segment.at + (visible - segment.visible))
    }
}
