//! A state of the automaton that moves with the text: the beginning of a needle read just now.
//!
//! Knows nothing of positions in a stream. Its invariant: in its state, some followed needle is
//! incomplete and can continue.

use crate::mask::needles::Boundary;
use crate::secret::{Secret, Wiped};

use super::automaton::{Automaton, ROOT};
use super::links::Links;
use super::matcher::Matcher;

/// A needle that the end of the stream cuts off is masked from this many bytes on, if they are at
/// least half of the needle.
const CUT_OFF: usize = 8;

/// Which needles a cursor follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    All,
    /// The needles that allow gaps.
    WithGaps,
}

pub(super) struct Cursor {
    state: u32,
    followed: Followed,
}

impl Cursor {
    pub(super) const fn new(followed: Followed) -> Self {
        Self {
            state: ROOT,
            followed,
        }
    }

    /// Returns how many bytes have been read of the longest needle that is still incomplete.
    #[inline]
    pub(super) fn depth(&self, matcher: &Matcher) -> usize {
        matcher.trie.depth(self.state) as usize
    }

    /// Takes a byte, and reports the needles that end with it: the longest one, and every shorter
    /// one that it does not cover.
    pub(super) fn read(
        &mut self,
        matcher: &Matcher,
        links: &mut Links,
        byte: u8,
        mut ends: impl FnMut(u32),
    ) {
        let (trie, arena) = (&matcher.trie, matcher.arena());
        let state = links.step(trie, arena, self.state, byte);
        let mut best = links.best(trie, arena, state);
        while let Some(end) = best {
            trie.needles_at(end).for_each(&mut ends);
            best = links.next_best(trie, arena, end);
        }
        self.state = state;
        self.skip_dead_ends(matcher, links);
    }

    /// Takes a byte, and reports nothing.
    #[inline]
    pub(super) fn skip(&mut self, matcher: &Matcher, links: &mut Links, byte: u8) {
        self.state = links.step(&matcher.trie, matcher.arena(), self.state, byte);
        self.skip_dead_ends(matcher, links);
    }

    /// Forgets every byte.
    pub(super) fn reset(&mut self) {
        self.state = ROOT;
    }

    /// Forgets bytes from the front until at most `depth` are left.
    pub(super) fn shorten(&mut self, matcher: &Matcher, links: &mut Links, depth: usize) {
        while self.depth(matcher) > depth {
            self.fail(matcher, links);
        }
    }

    /// Continues with the next shorter needle that is still incomplete.
    pub(super) fn fail(&mut self, matcher: &Matcher, links: &mut Links) {
        self.state = links.fail(&matcher.trie, matcher.arena(), self.state);
        self.skip_dead_ends(matcher, links);
    }

    /// Returns whether `byte`, if it comes just before the bytes read, may belong to the needle.
    pub(super) fn may_lead(&self, matcher: &Matcher, byte: u8) -> bool {
        matcher.trie.may_lead(self.state, byte)
    }

    /// Returns the bytes that have been read of the needle.
    pub(super) fn path(&self, matcher: &Matcher) -> Secret {
        let mut path = Wiped::new(vec![0; self.depth(matcher)]);
        let mut state = self.state;
        for slot in path.iter_mut().rev() {
            *slot = Automaton::label(matcher.arena(), state);
            state = matcher.trie.parent(state);
        }
        let mut secret = Secret::with_capacity(path.len());
        secret.extend(&path);
        secret
    }

    /// Finds the longest beginning of a needle that ends the stream and is long enough to be masked
    /// without its rest. Returns the needle and the number of its bytes that were read.
    pub(super) fn cut_off(&mut self, matcher: &Matcher, links: &mut Links) -> Option<(u32, usize)> {
        let path = self.path(matcher);
        // The cursor holds the longest beginning. If no needle accepts it, for example because it
        // is less than half of each, a shorter one may still be half of a shorter needle.
        while self.state != ROOT {
            let read = self.depth(matcher);
            let end = &path.expose()[path.len() - read..];
            let needle = (0..).zip(matcher.needles().all()).find(|(_, needle)| {
                let length = needle.length as usize;
                (self.followed == Followed::All || needle.allows_gaps())
                    && needle.rules.boundary == Boundary::Any
                    && (CUT_OFF.max(length.div_ceil(2))..length).contains(&read)
                    && matcher.needles().slice(needle).starts_with(end)
            });
            if let Some((index, _)) = needle {
                return Some((index, read));
            }
            self.fail(matcher, links);
        }
        None
    }

    /// Restores the invariant after a move.
    fn skip_dead_ends(&mut self, matcher: &Matcher, links: &mut Links) {
        let trie = &matcher.trie;
        while self.state != ROOT
            && (trie.is_leaf(self.state)
                || self.followed == Followed::WithGaps && !trie.allows_gaps(self.state))
        {
            self.state = links.fail(trie, matcher.arena(), self.state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::needles::{Label, MatchRules, Needles};

    #[test]
    fn covered_needle_is_reported_only_for_its_rules() {
        for (padding, expected) in [(0, &[0][..]), (1, &[0, 1])] {
            let mut needles = Needles::new();
            for (bytes, padding) in [("kestrel", 0), ("strel", padding)] {
                let label = Label {
                    name: "A",
                    form: "raw",
                };
                let rules = MatchRules {
                    padding,
                    ..MatchRules::default()
                };
                needles.add(label, bytes.as_bytes(), rules);
            }
            let matcher = Matcher::new(needles);
            let mut links = Links::new(&matcher.trie);
            let mut cursor = Cursor::new(Followed::All);
            let mut ends = Vec::new();
            for &byte in b"kestrel" {
                cursor.read(&matcher, &mut links, byte, |needle| ends.push(needle));
            }
            assert_eq!(ends, expected);
        }
    }
}
