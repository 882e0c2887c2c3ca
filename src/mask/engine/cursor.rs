//! A place in the automaton: what of a needle has been read just now.
//!
//! Knows nothing of positions in a stream. It only ever stands where some needle can go on.

use crate::mask::needles::Place;
use crate::secret::{Secret, Wiped};

use super::automaton::{Automaton, ROOT};
use super::links::Links;
use super::tables::Tables;

/// At the end of a stream so many bytes of a needle are masked, if they are half of it.
const CUT_OFF: usize = 8;

/// Which needles a cursor follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    All,
    /// Those that are looked through.
    Transparent,
}

pub(super) struct Cursor {
    state: u32,
    follows: Follows,
}

impl Cursor {
    pub(super) const fn new(follows: Follows) -> Self {
        Self { state: ROOT, follows }
    }

    /// The length of the longest incomplete needle that ends here.
    #[inline]
    pub(super) fn depth(&self, tables: &Tables) -> usize {
        tables.trie.depth(self.state) as usize
    }

    /// Takes a byte and reports the needles that end with it: at least the longest, and all that
    /// it does not speak for.
    pub(super) fn read(
        &mut self,
        tables: &Tables,
        links: &mut Links,
        byte: u8,
        mut ends: impl FnMut(u32),
    ) {
        let (trie, arena) = (&tables.trie, tables.arena());
        let state = links.step(trie, arena, self.state, byte);
        let mut best = links.best(trie, arena, state);
        while let Some(end) = best {
            trie.needles_at(end).for_each(&mut ends);
            best = links.next_best(trie, arena, end);
        }
        self.state = state;
        self.settle(tables, links);
    }

    /// Takes a byte.
    #[inline]
    pub(super) fn skip(&mut self, tables: &Tables, links: &mut Links, byte: u8) {
        self.state = links.step(&tables.trie, tables.arena(), self.state, byte);
        self.settle(tables, links);
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.state = ROOT;
    }

    /// Forgets all but the last `depth` bytes.
    pub(super) fn shorten(&mut self, tables: &Tables, links: &mut Links, depth: usize) {
        while self.depth(tables) > depth {
            self.fail(tables, links);
        }
    }

    /// Goes to the next shorter incomplete needle that ends here.
    pub(super) fn fail(&mut self, tables: &Tables, links: &mut Links) {
        self.state = links.fail(&tables.trie, tables.arena(), self.state);
        self.settle(tables, links);
    }

    /// Whether `byte`, standing before what has been read, may belong to it.
    pub(super) fn may_lead(&self, tables: &Tables, byte: u8) -> bool {
        tables.trie.may_lead(self.state, byte)
    }

    /// The bytes that have been read.
    pub(super) fn path(&self, tables: &Tables) -> Secret {
        let mut path = Wiped::new(vec![0; self.depth(tables)]);
        let mut state = self.state;
        for slot in path.iter_mut().rev() {
            *slot = Automaton::label(tables.arena(), state);
            state = tables.trie.parent(state);
        }
        let mut secret = Secret::with_capacity(path.len());
        secret.extend(&path);
        secret
    }

    /// The longest beginning of a needle with which the stream ends that must be masked though
    /// the rest will not come: the needle and how much of it there is.
    pub(super) fn cut_off(&mut self, tables: &Tables, links: &mut Links) -> Option<(u32, usize)> {
        let path = self.path(tables);
        while self.state != ROOT {
            let read = self.depth(tables);
            let end = &path.expose()[path.len() - read..];
            let needle = (0..).zip(tables.needles().all()).find(|(_, needle)| {
                let length = needle.length as usize;
                (self.follows == Follows::All || needle.is_looked_through())
                    && needle.traits.at == Place::Anywhere
                    && (CUT_OFF.max(length.div_ceil(2))..length).contains(&read)
                    && tables.needles().slice(needle).starts_with(end)
            });
            if let Some((index, _)) = needle {
                return Some((index, read));
            }
            self.fail(tables, links);
        }
        None
    }

    fn settle(&mut self, tables: &Tables, links: &mut Links) {
        let trie = &tables.trie;
        while self.state != ROOT
            && (trie.is_leaf(self.state)
                || self.follows == Follows::Transparent && !trie.is_transparent(self.state))
        {
            self.state = links.fail(trie, tables.arena(), self.state);
        }
    }
}
