//! A trie of all needles: which of them may the bytes just read be the beginning of?
//!
//! It answers for the bytes around the edge of a write (what must be held back) and, in linear
//! time, for text on which the scan would waste its time. Failure links (Aho and Corasick, 1975)
//! are not kept here but found when first needed, see `links`.
//!
//! A state is a number: the needle at offset `o` of the arena owns the states `o + 1 ..= o + len`,
//! of which those that it shares with an earlier needle stay unused; so the byte that leads from
//! state `s` to `s + 1` is `arena[s]`, and the trie costs no copy of the needles.

use crate::secret::Wiped;

use super::edge_map::{EdgeMap, NEEDLE, PARENT};
use crate::mask::needles::{Boundary, Needle, Needles};

/// No byte read, or none that could begin a needle.
pub(super) const ROOT: u32 = 0;

/// The state is the last of its owner: `s + 1` is another needle's.
const END: u8 = 1;
/// Other needles leave the owner's path here.
const BRANCHES: u8 = 2;
/// A needle ends here.
const NEEDLE_ENDS: u8 = 4;
/// It is the first state that its owner does not share.
const FIRST: u8 = 8;
/// Some needle through this state may be looked through.
const GAPS: u8 = 16;
/// Some needle through this state has a mixed character before it.
const LEAD: u8 = 32;
/// A needle that ends here may not count, or masks bytes beyond itself, or cannot be looked
/// through while others can: longer needles do not speak for it, nor it for shorter ones.
const INDEPENDENT: u8 = 64;

pub(super) struct Automaton {
    root: Wiped<u32>,
    depths: Vec<u32>,
    flags: Vec<u8>,
    edges: EdgeMap,
    /// Per needle: another one with the same bytes, plus one; else zero.
    same: Vec<u32>,
    /// Bytes that can be the mixed character before some needle.
    leads: Wiped<bool>,
}

impl Automaton {
    pub(super) fn new(needles: &Needles) -> Self {
        let states = needles.bytes().len() + 1;
        let mut automaton = Self {
            root: Wiped::new(vec![ROOT; 256]),
            depths: vec![0; states],
            flags: vec![0; states],
            edges: EdgeMap::new(needles.len()),
            same: vec![0; needles.len()],
            leads: Wiped::new(vec![false; 256]),
        };
        let mixed = needles.all().iter().any(Needle::allows_gaps);
        for (index, needle) in (0..).zip(needles.all()) {
            let last = automaton.insert(needles, index, needle);
            if is_independent(needle, mixed) {
                automaton.flags[last as usize] |= INDEPENDENT;
            }
        }
        automaton
    }

    fn insert(&mut self, needles: &Needles, index: u32, needle: &Needle) -> u32 {
        let arena = needles.bytes();
        let bytes = needles.slice(needle);
        let marks = marks(needle);
        let (mut state, mut shared) = (ROOT, 0);
        while shared < bytes.len() {
            let Some(next) = self.child(arena, state, bytes[shared]) else {
                break;
            };
            state = next;
            shared += 1;
            self.flags[state as usize] |= marks;
        }
        let mut last = state;
        if shared < bytes.len() {
            let first = needle.offset + to_u32(shared) + 1;
            last = needle.offset + needle.length;
            self.branch(state, bytes[shared], first);
            let own = first as usize..=last as usize;
            self.flags[own.clone()].fill(marks);
            for (depth, slot) in (to_u32(shared) + 1..).zip(&mut self.depths[own]) {
                *slot = depth;
            }
            self.flags[first as usize] |= FIRST;
            self.flags[last as usize] |= END;
        }
        self.finish(needle, index, last);
        last
    }

    fn branch(&mut self, state: u32, byte: u8, first: u32) {
        if state == ROOT {
            self.root[usize::from(byte)] = first;
        } else {
            self.flags[state as usize] |= BRANCHES;
            self.edges.insert(state, u16::from(byte), first);
            self.edges.insert(first, PARENT, state);
        }
    }

    fn finish(&mut self, needle: &Needle, index: u32, last: u32) {
        if self.flags[last as usize] & NEEDLE_ENDS == 0 {
            self.flags[last as usize] |= NEEDLE_ENDS;
            self.edges.insert(last, NEEDLE, index);
        } else {
            let first = self.edges.find(last, NEEDLE).expect("a needle ends here") as usize;
            self.same[index as usize] = self.same[first];
            self.same[first] = index + 1;
        }
        let Some(lead) = needle.rules.lead else {
            return;
        };
        for byte in lead.alphabet.characters() {
            self.leads[usize::from(*byte)] |= lead.admits(*byte);
        }
    }

    /// The state one byte deeper, if a needle goes on that way.
    #[inline]
    pub(super) fn child(&self, arena: &[u8], state: u32, byte: u8) -> Option<u32> {
        if state == ROOT {
            let next = self.root[usize::from(byte)];
            return (next != ROOT).then_some(next);
        }
        let flags = self.flags[state as usize];
        if flags & END == 0 && arena[state as usize] == byte {
            return Some(state + 1);
        }
        if flags & BRANCHES == 0 {
            return None;
        }
        self.edges.find(state, u16::from(byte))
    }

    /// The state one byte less deep on the same path.
    pub(super) fn parent(&self, state: u32) -> u32 {
        if self.flags[state as usize] & FIRST == 0 {
            state - 1
        } else {
            self.edges.find(state, PARENT).unwrap_or(ROOT)
        }
    }

    /// How many bytes have been matched.
    #[inline]
    pub(super) fn depth(&self, state: u32) -> u32 {
        self.depths[state as usize]
    }

    /// The byte that led into the state.
    pub(super) fn label(arena: &[u8], state: u32) -> u8 {
        arena[state as usize - 1]
    }

    /// Whether no needle goes on from here.
    pub(super) fn is_leaf(&self, state: u32) -> bool {
        self.flags[state as usize] & (END | BRANCHES) == END
    }

    pub(super) fn allows_gaps(&self, state: u32) -> bool {
        self.flags[state as usize] & GAPS != 0
    }

    pub(super) fn needle_ends(&self, state: u32) -> bool {
        self.flags[state as usize] & NEEDLE_ENDS != 0
    }

    pub(super) fn is_independent(&self, state: u32) -> bool {
        self.flags[state as usize] & INDEPENDENT != 0
    }

    /// Whether `byte`, standing before what led to `state`, may have to be masked with it.
    pub(super) fn may_lead(&self, state: u32, byte: u8) -> bool {
        (state == ROOT || self.flags[state as usize] & LEAD != 0) && self.leads[usize::from(byte)]
    }

    /// The needles that end in a state where one does.
    pub(super) fn needles_at(&self, state: u32) -> impl Iterator<Item = u32> {
        let first = self.edges.find(state, NEEDLE);
        std::iter::successors(first, |&needle| self.same[needle as usize].checked_sub(1))
    }

    pub(super) fn states(&self) -> usize {
        self.depths.len()
    }
}

fn marks(needle: &Needle) -> u8 {
    let gaps = if needle.allows_gaps() { GAPS } else { 0 };
    let lead = if needle.rules.lead.is_some() { LEAD } else { 0 };
    gaps | lead
}

fn is_independent(needle: &Needle, mixed: bool) -> bool {
    let rules = &needle.rules;
    rules.boundary == Boundary::Token
        || rules.trail.is_some()
        || rules.padding > 0
        || mixed && !needle.allows_gaps()
}

fn to_u32(length: usize) -> u32 {
    u32::try_from(length).expect("within an arena of less than 4 GiB")
}
