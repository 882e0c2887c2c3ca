//! The transparent pass: finds needles through which escape sequences or line breaks run.
//!
//! It follows the visible bytes only, and of those only the ones near a gap: an occurrence that
//! runs through no gap is found without it. What it reports does not depend on how the stream was
//! cut into writes.
//!
//! A line break asks for patience that a terminal has but a reader of logs has not: holding back
//! every line that ends like a needle begins would delay nearly all of them. So a beginning of
//! fewer than four bytes before a line break is shown, and if the needle does go on after it, it
//! is masked from there.

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

/// So many bytes before a line break are held back.
const HELD_AT_BREAK: u64 = 4;

/// An occurrence with more transparent bytes than this is none.
const MOST_TRANSPARENT: u64 = 1 << 16;

/// Visible bytes that follow each other in the stream.
#[derive(Clone, Copy)]
struct Segment {
    /// How many visible bytes came before.
    visible: u64,
    /// Where in the stream it begins.
    at: u64,
    /// A line break came before it.
    after_break: bool,
}

/// What lies between the last visible byte and the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    None,
    Sequence,
    LineBreak,
}

pub(super) struct TransparentScan {
    classifier: Classifier,
    cursor: Cursor,
    /// How many visible bytes there have been.
    visible: u64,
    /// Those that the cursor's path reaches back to.
    segments: VecDeque<Segment>,
    gap: Gap,
}

impl TransparentScan {
    pub(super) fn new() -> Self {
        Self::new_at(0)
    }

    /// Begins at a position of the stream.
    pub(super) fn new_at(at: u64) -> Self {
        Self {
            classifier: Classifier::new(),
            cursor: Cursor::new(Followed::WithGaps),
            visible: 0,
            segments: VecDeque::from([Segment { visible: 0, at, after_break: false }]),
            gap: Gap::None,
        }
    }

    /// Reads `text.chunk`; reports needle, start and end of what runs through a gap.
    pub(super) fn read(
        &mut self,
        matcher: &Matcher,
        links: &mut Links,
        text: &Text<'_>,
        found: &mut impl FnMut(u32, u64, u64),
    ) {
        let chunk = text.chunk;
        // The visible bytes from here on are those of the chunk from `from` on.
        let (mut floor, mut from) = (self.visible, 0);
        let mut at = 0;
        while at < chunk.len() {
            if self.gap == Gap::None && self.depth(matcher) <= self.visible - floor {
                let next = memchr3(0x1b, b'\r', b'\n', &chunk[at..]);
                let next = next.map_or(chunk.len(), |length| at + length);
                if let Some(line) = self.skip_break(matcher, text, from..next, at) {
                    (floor, from, at) = (self.visible, line, line);
                    continue;
                }
                self.skip_line(matcher, links, &chunk[from..next], at - from);
                at = next;
                if at == chunk.len() {
                    break;
                }
            }
            let position = text.at + at as u64;
            match self.classifier.read(chunk[at]) {
                ByteKind::Visible => {
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

    /// Where the bytes begin that may have to be masked and must not be shown yet.
    pub(super) fn held_from(&self, matcher: &Matcher, text: &Text<'_>) -> Option<u64> {
        let depth = self.depth(matcher);
        if depth == 0 || self.gap == Gap::LineBreak && depth < HELD_AT_BREAK {
            return None;
        }
        let first = self.visible - depth;
        if self.gap == Gap::None && !self.has_gap_after(first) {
            return None;
        }
        let start = self.mask_start(first);
        let lead = start.checked_sub(1).and_then(|before| text.byte(before));
        let leads = lead.is_some_and(|byte| self.cursor.may_lead(matcher, byte));
        Some(start - u64::from(leads))
    }

    /// How many visible bytes of an incomplete needle have been read.
    pub(super) fn depth(&self, matcher: &Matcher) -> u64 {
        self.cursor.depth(matcher) as u64
    }

    /// Whether an escape sequence has begun and not ended.
    pub(super) fn is_within_sequence(&self) -> bool {
        self.classifier.is_within_sequence()
    }

    /// The end of a stream: reports the beginning of a needle that is long enough to be masked.
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

    /// Goes on with another matcher; `text` is what is held.
    pub(super) fn replace_matcher(
        &mut self,
        path: &Secret,
        matcher: &Matcher,
        links: &mut Links,
        text: &Text<'_>,
        found: &mut impl FnMut(u32, u64, u64),
    ) {
        let mut again = Self::new_at(text.at);
        again.read(matcher, links, text, found);
        again.classifier = self.classifier;
        again.gap = self.gap;
        // What has been shown already is known from the path alone.
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

    pub(super) fn path(&self, matcher: &Matcher) -> Secret {
        self.cursor.path(matcher)
    }

    /// Passes over the line break that follows the visible bytes `line` of the chunk, of which those
    /// before `at` have been read, if the bytes on both sides say that no needle runs through it.
    /// Says where the next line begins.
    fn skip_break(
        &mut self,
        matcher: &Matcher,
        text: &Text<'_>,
        line: Range<usize>,
        at: usize,
    ) -> Option<usize> {
        let end = line.end;
        let [b3, b2, b1] = *text.chunk[line].last_chunk()?;
        let blanks = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' ' | b'\t');
        let begin = end + text.chunk[end..].iter().position(|byte| !blanks(byte))?;
        let [a1, a2, a3] = *text.chunk[begin..].first_chunk()?;
        let gaps = memchr3(0x1b, b'\r', b'\n', &[a1, a2, a3]).is_some() || begin == end;
        // A needle through the break has the byte before it and three behind it, or else it ends
        // there and has three before it.
        let grams = [[b1, a1, a2, a3], [b3, b2, b1, a1]];
        if gaps
            || !matcher.can_skip_breaks
            || grams.iter().any(|gram| matcher.grams.has(grams::read(gram)))
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

    /// Reads on to the end of `text`, all of it visible and without a gap. Nothing that runs
    /// through a gap is incomplete, and the cursor has come as far as `read`.
    fn skip_line(&mut self, matcher: &Matcher, links: &mut Links, text: &[u8], read: usize) {
        let live = matcher.grams.first_possible_start(text);
        if live > read {
            self.cursor.reset();
        }
        for &byte in &text[live.max(read)..] {
            self.cursor.skip(matcher, links, byte);
        }
        self.visible += (text.len() - read) as u64;
    }

    /// Reads a byte of a gap.
    fn extend_gap(&mut self, matcher: &Matcher, kind: ByteKind, position: u64) {
        if self.gap != Gap::LineBreak {
            self.gap = match kind {
                ByteKind::Break => Gap::LineBreak,
                _ => Gap::Sequence,
            };
        }
        let depth = self.depth(matcher);
        if depth > 0 && position - self.position(self.visible - depth) > depth + MOST_TRANSPARENT {
            self.cursor.reset();
        }
    }

    /// A gap ends before `position`.
    fn end_gap(&mut self, matcher: &Matcher, links: &mut Links, position: u64) {
        self.segments.push_back(Segment {
            visible: self.visible,
            at: position,
            after_break: self.gap == Gap::LineBreak,
        });
        self.gap = Gap::None;
        self.cursor.shorten(matcher, links, index(self.visible));
        let first = self.visible - self.depth(matcher);
        while self.segments.len() > 1 && self.segments[1].visible <= first {
            self.segments.pop_front();
        }
    }

    /// Reads a visible byte.
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
        self.cursor.read(matcher, links, byte, |needle| ends.push(needle));
        for needle in ends {
            let needles = matcher.needles();
            let first = self.visible - u64::from(needles.get(needle).length);
            if needles.get(needle).allows_gaps() && self.has_gap_after(first) {
                found(needle, self.mask_start(first), position + 1);
            }
        }
    }

    /// Whether there is a gap between that visible byte and the last one.
    fn has_gap_after(&self, first: u64) -> bool {
        self.segments.back().is_some_and(|segment| first < segment.visible)
    }

    /// Where masking begins if a needle begins with that visible byte.
    fn mask_start(&self, first: u64) -> u64 {
        let behind = self.segments.partition_point(|segment| segment.visible <= first);
        let early = self.segments.iter().skip(behind);
        let shown = early
            .take_while(|segment| segment.visible - first < HELD_AT_BREAK)
            .filter(|segment| segment.after_break)
            .last();
        shown.map_or_else(|| self.position(first), |segment| segment.at)
    }

    /// Where in the stream a visible byte stands.
    fn position(&self, visible: u64) -> u64 {
        let behind = self.segments.partition_point(|segment| segment.visible <= visible);
        let segment = behind.checked_sub(1).and_then(|index| self.segments.get(index));
        segment.map_or(0, |segment| segment.at + (visible - segment.visible))
    }
}
