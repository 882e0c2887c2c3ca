//! Bytes in, bytes out, secrets replaced: the search and what it promises.
//!
//! Knows nothing of secrets or their forms, only needles; nor of pipes or time. What holds always:
//! the output depends on the bytes, not on how they were cut into writes; and no byte that could
//! still turn out to belong to a needle is shown, save for the exceptions that are stated at
//! [`Masker::show_short`] and in `shadow`.

mod automaton;
mod behind;
mod cursor;
mod grams;
mod links;
mod occurrences;
mod output;
mod rarity;
mod scan;
mod shadow;
mod table;
mod tables;
mod text;
mod transparent;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::secret::Secret;

use super::needles::Label;
use behind::Behind;
use cursor::{Cursor, Follows};
use links::Links;
use occurrences::Occurrences;
use shadow::Shadow;
use text::{Text, index};

pub use output::MASK;
pub use tables::Tables;

/// At most so many bytes of a needle are shown early.
const SHORT: usize = 3;

/// One stream of output being masked.
pub struct Masker {
    tables: Arc<Tables>,
    links: Links,
    cursor: Cursor,
    shadow: Shadow,
    occurrences: Occurrences,
    behind: Behind,
    /// How many bytes have been fed.
    seen: u64,
}

impl Masker {
    /// The beginning of a stream.
    #[must_use]
    pub fn new(tables: Arc<Tables>) -> Self {
        Self {
            links: Links::new(&tables.trie),
            cursor: Cursor::new(Follows::All),
            shadow: Shadow::new(),
            occurrences: Occurrences::default(),
            behind: Behind::default(),
            seen: 0,
            tables,
        }
    }

    /// Takes the next bytes of the stream and appends to `out` what may be shown.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let behind = std::mem::take(&mut self.behind);
        let text = behind.text(bytes, self.seen);
        self.occurrences.resume(&text);
        self.read(&text);
        self.read_transparent(&text);
        self.seen = text.end();
        let settled = self.settled(&text);
        self.occurrences.output.emit(&text, settled, out);
        let emitted = self.occurrences.output.emitted();
        let before = text.byte_before(emitted);
        self.behind = behind;
        let held = index(self.seen - emitted);
        self.behind.push(bytes, held, before, self.tables.bordered);
    }

    /// Shows what is held if it is at most three bytes of a needle, without forgetting it: if the
    /// needle does go on, its other bytes are masked. For a terminal, where someone waits for the
    /// echo of a key; call it when nothing has come for 30 ms.
    pub fn show_short(&mut self, out: &mut Vec<u8>) {
        let depth = self.cursor.depth(&self.tables);
        let visible = index(self.shadow.depth(&self.tables));
        let short = depth.max(visible) <= SHORT && self.occurrences.undecided().is_none();
        // Half an escape sequence must not go out, lest the mask become part of it.
        if short && !self.shadow.is_within_sequence() {
            self.release(out);
        }
    }

    /// The end of the stream: appends what is held, masked if it is at least eight bytes and half
    /// of a needle. What is fed afterwards begins a new stream.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.occurrences.finish();
        let output = &mut self.occurrences.output;
        let mut found = |needle, start, end| {
            output.add(output::Span { start, end, needle: Some(needle) });
        };
        let end = self.seen;
        if let Some((needle, depth)) = self.cursor.cut_off(&self.tables, &mut self.links) {
            found(needle, end - depth as u64, end);
        }
        if self.shadow.depth(&self.tables) > 0 {
            self.shadow.finish(&self.tables, &mut self.links, &mut found);
        }
        self.release(out);
        self.cursor.reset();
        self.shadow = Shadow::new_at(self.seen);
        self.behind = Behind::default();
    }

    /// Goes on with other tables, which must hold all needles of the old ones at their old places
    /// (see [`Tables::extended`]). They apply to the held bytes too.
    pub fn switch(&mut self, tables: Arc<Tables>) {
        let path = self.cursor.path(&self.tables);
        let visible = self.shadow.path(&self.tables);
        let behind = std::mem::take(&mut self.behind);
        self.tables = tables;
        self.links = Links::new(&self.tables.trie);
        self.cursor.reset();
        if path.len() > behind.held.len() {
            let at = self.seen - path.len() as u64;
            self.read_linearly(&Behind::default().text(path.expose(), at), 0);
        } else {
            self.read_linearly(&behind.again(self.seen), 0);
        }
        self.behind = behind;
        if self.tables.transparent {
            self.switch_transparent(&visible);
        }
    }

    fn switch_transparent(&mut self, path: &Secret) {
        let text = self.behind.again(self.seen);
        let (tables, occurrences) = (&self.tables, &mut self.occurrences);
        let mut found = |needle, start, end| {
            occurrences.found(tables.needles(), &text, needle, start, end);
        };
        self.shadow.switch(path, tables, &mut self.links, &text, &mut found);
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.behind.held.len()
    }

    /// How often each secret has been masked so far in each form; an occurrence within another is
    /// not counted.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Label<'_>, u64> {
        let mut counts = BTreeMap::new();
        for (index, (label, _)) in self.tables.needles().iter().enumerate() {
            let count = self.occurrences.output.count(index);
            if count > 0 {
                *counts.entry(label).or_default() += count;
            }
        }
        counts
    }

    /// Finds the needles as they are.
    fn read(&mut self, text: &Text<'_>) {
        let chunk = text.chunk;
        let begun = self.read_begun(text);
        if begun == chunk.len() {
            return;
        }
        let (tables, occurrences) = (&self.tables, &mut self.occurrences);
        let scanned = tables.scan.run(tables.needles(), chunk, &mut |(start, needle)| {
            let start = text.at + start as u64;
            let end = start + u64::from(tables.needles().get(needle).length);
            occurrences.found(tables.needles(), text, needle, start, end);
        });
        if scanned.is_none() {
            self.read_linearly(text, begun);
            return;
        }
        let live = tables.grams.first_live(chunk);
        if live > begun {
            self.cursor.reset();
        }
        for &byte in &chunk[live.max(begun)..] {
            self.cursor.skip(&self.tables, &mut self.links, byte);
        }
    }

    /// Reads on until no incomplete needle began before the chunk; says how far that was.
    fn read_begun(&mut self, text: &Text<'_>) -> usize {
        let mut read = 0;
        while read < text.chunk.len() && self.cursor.depth(&self.tables) > read {
            self.step(text, read);
            read += 1;
        }
        read
    }

    fn read_linearly(&mut self, text: &Text<'_>, from: usize) {
        for read in from..text.chunk.len() {
            self.step(text, read);
        }
    }

    fn step(&mut self, text: &Text<'_>, read: usize) {
        let (tables, occurrences) = (&self.tables, &mut self.occurrences);
        let end = text.at + read as u64 + 1;
        self.cursor.read(tables, &mut self.links, text.chunk[read], |needle| {
            let start = end - u64::from(tables.needles().get(needle).length);
            occurrences.found(tables.needles(), text, needle, start, end);
        });
    }

    /// Finds the needles through which transparent bytes run.
    fn read_transparent(&mut self, text: &Text<'_>) {
        if !self.tables.transparent {
            return;
        }
        let (tables, occurrences) = (&self.tables, &mut self.occurrences);
        self.shadow.read(tables, &mut self.links, text, &mut |needle, start, end| {
            occurrences.found(tables.needles(), text, needle, start, end);
        });
    }

    /// Where the bytes begin that must not be shown yet.
    fn settled(&self, text: &Text<'_>) -> u64 {
        let start = text.end() - self.cursor.depth(&self.tables) as u64;
        let lead = start.checked_sub(1).and_then(|before| text.byte(before));
        let leads = lead.is_some_and(|byte| self.cursor.may_lead(&self.tables, byte));
        let begun = start - u64::from(leads);
        let through = self.shadow.hold(&self.tables, text);
        let undecided = self.occurrences.undecided();
        begun.min(through.unwrap_or(begun)).min(undecided.unwrap_or(begun))
    }

    /// Shows all that is held, but for what is known to be a secret.
    fn release(&mut self, out: &mut Vec<u8>) {
        let text = self.behind.text(&[], self.seen);
        self.occurrences.output.emit(&text, self.seen, out);
        let before = text.byte_before(self.seen);
        self.behind.push(&[], 0, before, self.tables.bordered);
    }
}
