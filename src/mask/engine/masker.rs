//! One stream of output: takes the bytes of a program, and returns those that may be shown.
//!
//! Each write is read by two cursors. One follows the bytes as they are, the other, in the
//! transparent scan, only those that a terminal shows. Both report occurrences, and both say which
//! bytes at the end may begin a needle and must be held back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mask::needles::Label;
use crate::secret::Secret;

use super::cursor::{Cursor, Followed};
use super::links::Links;
use super::lookbehind::Lookbehind;
use super::matcher::Matcher;
use super::occurrences::Occurrences;
use super::output;
use super::text::{Text, index};
use super::transparent_scan::TransparentScan;

/// The most bytes of a needle that are shown early.
const SHORT: usize = 3;

/// One stream of output being masked.
pub struct Masker {
    matcher: Arc<Matcher>,
    links: Links,
    cursor: Cursor,
    transparent_scan: TransparentScan,
    occurrences: Occurrences,
    lookbehind: Lookbehind,
    /// The number of bytes that have been fed.
    seen: u64,
}

impl Masker {
    /// Begins a stream.
    #[must_use]
    pub fn new(matcher: Arc<Matcher>) -> Self {
        Self {
            links: Links::new(&matcher.trie),
            cursor: Cursor::new(Followed::All),
            transparent_scan: TransparentScan::new(),
            occurrences: Occurrences::default(),
            lookbehind: Lookbehind::default(),
            seen: 0,
            matcher,
        }
    }

    /// Takes the next bytes of the stream and appends to `out` what may be shown.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let lookbehind = std::mem::take(&mut self.lookbehind);
        let text = lookbehind.text(bytes, self.seen);
        self.occurrences.resume(&text);
        self.read(&text);
        self.read_transparent(&text);
        self.seen = text.end();
        let held_from = self.held_from(&text);
        self.occurrences.output.emit(&text, held_from, out);
        let emitted = self.occurrences.output.emitted();
        let before = text.byte_before(emitted);
        self.lookbehind = lookbehind;
        let held = index(self.seen - emitted);
        self.lookbehind
            .push(bytes, held, before, self.matcher.longest_bounded);
    }

    /// Shows the held bytes if they are at most three bytes of a needle, but remembers them: if the
    /// needle continues, its other bytes are masked.
    ///
    /// For a terminal, at which someone waits for the echo of a key. Call it if no bytes have come
    /// for 30 ms.
    pub fn show_short(&mut self, out: &mut Vec<u8>) {
        let depth = self.cursor.depth(&self.matcher);
        let visible = index(self.transparent_scan.depth(&self.matcher));
        let short = depth.max(visible) <= SHORT && self.occurrences.undecided().is_none();
        // Do not show half an escape sequence, because a mask after it would become part of it.
        if short && !self.transparent_scan.is_within_sequence() {
            self.show_held(out);
        }
    }

    /// Ends the stream: appends the held bytes, masked if they are at least eight bytes and at
    /// least half of a needle. Bytes that are fed later begin a new stream.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.occurrences.finish();
        let output = &mut self.occurrences.output;
        let mut found = |needle, start, end| {
            output.add(output::Span {
                start,
                end,
                needle: Some(needle),
            });
        };
        let end = self.seen;
        if let Some((needle, depth)) = self.cursor.cut_off(&self.matcher, &mut self.links) {
            found(needle, end - depth as u64, end);
        }
        if self.transparent_scan.depth(&self.matcher) > 0 {
            self.transparent_scan
                .finish(&self.matcher, &mut self.links, &mut found);
        }
        self.show_held(out);
        self.cursor.reset();
        self.transparent_scan = TransparentScan::new_at(self.seen);
        self.lookbehind = Lookbehind::default();
    }

    /// Continues with another matcher, in which all needles of the old one must have their old
    /// numbers (see [`Matcher::extended`]). It applies to the held bytes too.
    pub fn replace_matcher(&mut self, matcher: Arc<Matcher>) {
        let path = self.cursor.path(&self.matcher);
        let visible = self.transparent_scan.path(&self.matcher);
        // States and links belong to the old matcher. Read again the bytes that led to them: the
        // held bytes or, if some were shown early, every byte that the cursor remembers.
        let lookbehind = std::mem::take(&mut self.lookbehind);
        self.matcher = matcher;
        self.links = Links::new(&self.matcher.trie);
        self.cursor.reset();
        if path.len() > lookbehind.held.len() {
            let at = self.seen - path.len() as u64;
            self.read_linearly(&Lookbehind::default().text(path.expose(), at), 0);
        } else {
            self.read_linearly(&lookbehind.again(self.seen), 0);
        }
        self.lookbehind = lookbehind;
        if self.matcher.any_gaps {
            self.replace_matcher_in_gaps(&visible);
        }
    }

    /// Continues the transparent scan with the new matcher. `path` is what its cursor remembers.
    fn replace_matcher_in_gaps(&mut self, path: &Secret) {
        let text = self.lookbehind.again(self.seen);
        let (matcher, occurrences) = (&self.matcher, &mut self.occurrences);
        let mut found = |needle, start, end| {
            occurrences.found(matcher.needles(), &text, needle, start, end);
        };
        self.transparent_scan
            .replace_matcher(path, matcher, &mut self.links, &text, &mut found);
    }

    /// Returns the number of bytes that are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.lookbehind.held.len()
    }

    /// Returns how often each secret has been masked so far in each form. An occurrence within
    /// another is not counted.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Label<'_>, u64> {
        let mut counts = BTreeMap::new();
        for (index, (label, _)) in self.matcher.needles().iter().enumerate() {
            let count = self.occurrences.output.count(index);
            if count > 0 {
                *counts.entry(label).or_default() += count;
            }
        }
        counts
    }

    /// Finds the needles that no gap interrupts.
    fn read(&mut self, text: &Text<'_>) {
        let chunk = text.chunk;
        // Needles that began in an earlier write: only the cursor knows their beginnings.
        let begun = self.read_across_write(text);
        if begun == chunk.len() {
            return;
        }
        // Needles that lie within this write. Those that also lie within the part just read are
        // reported twice, which the output merges.
        let (matcher, occurrences) = (&self.matcher, &mut self.occurrences);
        let scanned = matcher
            .scan
            .run(matcher.needles(), chunk, &mut |(start, needle)| {
                let start = text.at + start as u64;
                let end = start + u64::from(matcher.needles().get(needle).length);
                occurrences.found(matcher.needles(), text, needle, start, end);
            });
        if scanned.is_none() {
            self.read_linearly(text, begun);
            return;
        }
        // Needles that may continue in the next write: move the cursor to the end. It need not read
        // the bytes before the first one at which such a needle may begin.
        let start = matcher.grams.first_possible_start(chunk);
        if start > begun {
            self.cursor.reset();
        }
        for &byte in &chunk[start.max(begun)..] {
            self.cursor.skip(&self.matcher, &mut self.links, byte);
        }
    }

    /// Reads until no incomplete needle began before the chunk, and returns how many bytes it read.
    fn read_across_write(&mut self, text: &Text<'_>) -> usize {
        let mut read = 0;
        while read < text.chunk.len() && self.cursor.depth(&self.matcher) > read {
            self.step(text, read);
            read += 1;
        }
        read
    }

    /// Reads every byte of the chunk from the offset `from` on.
    fn read_linearly(&mut self, text: &Text<'_>, from: usize) {
        for read in from..text.chunk.len() {
            self.step(text, read);
        }
    }

    /// Reads the byte of the chunk at the offset `read`.
    fn step(&mut self, text: &Text<'_>, read: usize) {
        let (matcher, occurrences) = (&self.matcher, &mut self.occurrences);
        let end = text.at + read as u64 + 1;
        self.cursor
            .read(matcher, &mut self.links, text.chunk[read], |needle| {
                let start = end - u64::from(matcher.needles().get(needle).length);
                occurrences.found(matcher.needles(), text, needle, start, end);
            });
    }

    /// Finds the needles that gaps interrupt.
    fn read_transparent(&mut self, text: &Text<'_>) {
        if !self.matcher.any_gaps {
            return;
        }
        let (matcher, occurrences) = (&self.matcher, &mut self.occurrences);
        self.transparent_scan
            .read(matcher, &mut self.links, text, &mut |needle, start, end| {
                occurrences.found(matcher.needles(), text, needle, start, end);
            });
    }

    /// Returns the position of the first byte that must not be shown yet.
    fn held_from(&self, text: &Text<'_>) -> u64 {
        // The needle that the cursor follows, and the character before it that may belong to it.
        let start = text.end() - self.cursor.depth(&self.matcher) as u64;
        let lead = start.checked_sub(1).and_then(|before| text.byte(before));
        let leads = lead.is_some_and(|byte| self.cursor.may_lead(&self.matcher, byte));
        let begun = start - u64::from(leads);
        let in_gaps = self.transparent_scan.held_from(&self.matcher, text);
        let undecided = self.occurrences.undecided();
        begun
            .min(in_gaps.unwrap_or(begun))
            .min(undecided.unwrap_or(begun))
    }

    /// Shows the held bytes, except those that are known to belong to a secret.
    fn show_held(&mut self, out: &mut Vec<u8>) {
        let text = self.lookbehind.text(&[], self.seen);
        self.occurrences.output.emit(&text, self.seen, out);
        let before = text.byte_before(self.seen);
        self.lookbehind
            .push(&[], 0, before, self.matcher.longest_bounded);
    }
}
