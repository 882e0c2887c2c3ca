//! Everything about a set of needles that stays the same while text passes.
//!
//! Built once, and shared by the streams of one command. Every part that reveals something about
//! the needles is wiped on drop.

use crate::mask::needles::{Boundary, Needle, Needles};

use super::automaton::Automaton;
use super::grams::Grams;
use super::scan::Scan;

/// Needles, prepared for a fast search.
pub struct Matcher {
    pub(super) needles: Needles,
    pub(super) trie: Automaton,
    pub(super) grams: Grams,
    pub(super) scan: Scan,
    /// Whether any needle allows gaps.
    pub(super) any_gaps: bool,
    /// Whether every needle that allows gaps has at least five bytes, so that one of two grams
    /// across a line break shows that no needle runs through it.
    pub(super) can_skip_breaks: bool,
    /// The length of the longest needle that counts at token borders only.
    pub(super) longest_bounded: usize,
}

impl Matcher {
    /// Prepares the search, which takes about a microsecond per needle.
    #[must_use]
    pub fn new(needles: Needles) -> Self {
        let with_gaps = || {
            let needles = needles.all().iter();
            needles.filter(|needle| needle.allows_gaps())
        };
        Self {
            trie: Automaton::new(&needles),
            grams: Grams::of(&needles),
            scan: Scan::new(&needles),
            any_gaps: with_gaps().next().is_some(),
            can_skip_breaks: with_gaps().all(|needle| needle.length > 4),
            longest_bounded: longest_bounded(&needles),
            needles,
        }
    }

    /// Returns a matcher for the same needles followed by `more`.
    #[must_use]
    pub fn extended(&self, more: &Needles) -> Self {
        let mut needles = Needles::new();
        needles.append(&self.needles);
        needles.append(more);
        Self::new(needles)
    }

    /// Returns the needles, in the order in which they were added.
    #[must_use]
    pub fn needles(&self) -> &Needles {
        &self.needles
    }

    /// Returns the bytes of all needles, one after another.
    pub(super) fn arena(&self) -> &[u8] {
        self.needles.bytes()
    }
}

fn longest_bounded(needles: &Needles) -> usize {
    let is_bounded = |needle: &&Needle| needle.rules.boundary == Boundary::Token;
    let lengths = needles
        .all()
        .iter()
        .filter(is_bounded)
        .map(|needle| needle.length as usize);
    lengths.max().unwrap_or(0)
}
