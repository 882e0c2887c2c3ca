//! A place in the automaton: what of a needle has been read just now.
//!
//! Knows nothing of positions in a stream. It only ever stands where some needle can go on.

use crate::mask::needles::Boundary;
use crate::secret::{Secret, Wiped};

use super::automaton::{Automaton, ROOT};
use super::links::Links;
use super::matcher::Matcher;

/// At the end of a stream so many bytes of a needle are masked, if they are half of it.
const CUT_OFF: usize = 8;

/// Which needles a cursor follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    All,
    /// Those that are looked through.
    WithGaps,
}

pub(super) struct Cursor {
    state: u32,
    followed: Followed,
}

impl Cursor {
    pub(super) const fn new(followed: Followed) -> Self {
        Self { state: ROOT, followed }
    }

    /// The length of the longest incomplete needle that ends here.
    #[inline]
    pub(super) fn depth(&self, matcher: &Matcher) -> usize {
        matcher.trie.depth(self.state) as usize
    }

    /// Takes a byte and reports the needles that end with it: at least the longest, and all that
    /// it does not speak for.
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

    /// Takes a byte.
    #[inline]
    pub(super) fn skip(&mut self, matcher: &Matcher, links: &mut Links, byte: u8) {
        self.state = links.step(&matcher.trie, matcher.arena(), self.state, byte);
        self.skip_dead_ends(matcher, links);
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.state = ROOT;
    }

    /// Forgets all but the last `depth` bytes.
    pub(super) fn shorten(&mut self, matcher: &Matcher, links: &mut Links, depth: usize) {
        while self.depth(matcher) > depth {
            self.fail(matcher, links);
        }
    }

    /// Goes to the next shorter incomplete needle that ends here.
    pub(super) fn fail(&mut self, matcher: &Matcher, links: &mut Links) {
        self.state = links.fail(&matcher.trie, matcher.arena(), self.state);
        self.skip_dead_ends(matcher, links);
    }

    /// Whether `byte`, standing before what has been read, may belong to it.
    pub(super) fn may_lead(&self, matcher: &Matcher, byte: u8) -> bool {
        matcher.trie.may_lead(self.state, byte)
    }

    /// The bytes that have been read.
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

    /// The longest beginning of a needle with which the stream ends that must be masked though
    /// the rest will not come: the needle and how much of it there is.
    pub(super) fn cut_off(&mut self, matcher: &Matcher, links: &mut Links) -> Option<(u32, usize)> {
        let path = self.path(matcher);
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
