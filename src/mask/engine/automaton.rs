//! A trie of all needles. It says which needles the bytes just read may begin.
//!
//! The engine uses it for the bytes around the border between two writes (to decide how much to
//! hold back) and for text on which the scan would take too long, because the trie needs linear
//! time only. Failure links (Aho and Corasick, 1975) are not stored here. `links` computes them
//! when they are first needed.
//!
//! The arena is the buffer in which all needles lie one after another. A state is a number: the
//! needle at offset `o` of the arena owns the states `o + 1 ..= o + len`. It leaves unused the
//! states of the beginning that it shares with an earlier needle. So the byte that leads from state
//! `s` to `s + 1` is `arena[s]`, and the trie does not need a copy of the needles.

use crate::secret::Wiped;

use super::edge_map::{EdgeMap, NEEDLE, PARENT};
use crate::mask::needles::{Boundary, Needle, Needles};

/// The state before the first byte of every needle.
pub(super) const ROOT: u32 = 0;

/// The state is the last one of its owner, so `s + 1` belongs to another needle.
const END: u8 = 1;
/// At least one other needle leaves the owner's path here.
const BRANCHES: u8 = 2;
/// A needle ends here.
const NEEDLE_ENDS: u8 = 4;
/// The state is the first one that its owner does not share with an earlier needle.
const FIRST: u8 = 8;
/// At least one needle through this state allows gaps.
const GAPS: u8 = 16;
/// At least one needle through this state has an edge character before it.
const LEAD: u8 = 32;
/// A needle that ends here must be reported even if a longer needle ends here too, and shorter
/// needles must be reported besides it. The reason is one of these: it counts at token borders
/// only, it masks bytes after its end, or it does not allow gaps although other needles do.
const INDEPENDENT: u8 = 64;

pub(super) struct Automaton {
    root: Wiped<u32>,
    depths: Vec<u32>,
    flags: Vec<u8>,
    edges: EdgeMap,
    /// For each needle, the number of the next needle with the same bytes plus one, or zero.
    same: Vec<u32>,
    /// For each byte, whether it can be the edge character before some needle.
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
        // With gaps in use, two cursors run: one follows all needles, the other only those that
        // allow gaps. A needle without gaps then covers nothing for the second cursor.
        let any_gaps = needles.all().iter().any(Needle::allows_gaps);
        for (index, needle) in (0..).zip(needles.all()) {
            let last = automaton.insert(needles, index, needle);
            if is_independent(needle) || any_gaps && !needle.allows_gaps() {
                automaton.flags[last as usize] |= INDEPENDENT;
            }
        }
        automaton
    }

    /// Adds a needle, and returns the state in which it ends.
    fn insert(&mut self, needles: &Needles, index: u32, needle: &Needle) -> u32 {
        let arena = needles.bytes();
        let bytes = needles.slice(needle);
        let marks = marks(needle);
        // Follow earlier needles as far as they begin with the same bytes. Every shared state
        // also gets this needle's marks, because this needle runs through it too.
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
            // The remaining bytes get states of their own. They follow each other in the arena, so
            // only the step from the shared state to the first of them needs an entry in the map.
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

    /// Connects `state` with `first`, which belongs to another needle.
    fn branch(&mut self, state: u32, byte: u8, first: u32) {
        // The root is asked for nearly every byte of a text, so it has an array instead.
        if state == ROOT {
            self.root[usize::from(byte)] = first;
        } else {
            self.flags[state as usize] |= BRANCHES;
            self.edges.insert(state, u16::from(byte), first);
            self.edges.insert(first, PARENT, state);
        }
    }

    /// Records that the needle ends in `last`, and which bytes may be its edge character.
    fn finish(&mut self, needle: &Needle, index: u32, last: u32) {
        if self.flags[last as usize] & NEEDLE_ENDS == 0 {
            self.flags[last as usize] |= NEEDLE_ENDS;
            self.edges.insert(last, NEEDLE, index);
        } else {
            // Another needle has the same bytes. Insert this one into its list, after the head.
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

    /// Returns the state after one more byte, if a needle continues with that byte.
    #[inline]
    pub(super) fn child(&self, arena: &[u8], state: u32, byte: u8) -> Option<u32> {
        if state == ROOT {
            let next = self.root[usize::from(byte)];
            return (next != ROOT).then_some(next);
        }
        let flags = self.flags[state as usize];
        // The common case: the needle that owns this state continues with the byte.
        if flags & END == 0 && arena[state as usize] == byte {
            return Some(state + 1);
        }
        // Most states have no branches, so most misses are decided without the map.
        if flags & BRANCHES == 0 {
            return None;
        }
        self.edges.find(state, u16::from(byte))
    }

    /// Returns the state one byte earlier on the same path.
    pub(super) fn parent(&self, state: u32) -> u32 {
        if self.flags[state as usize] & FIRST == 0 {
            state - 1
        } else {
            self.edges.find(state, PARENT).unwrap_or(ROOT)
        }
    }

    /// Returns the number of bytes on the path to the state.
    #[inline]
    pub(super) fn depth(&self, state: u32) -> u32 {
        self.depths[state as usize]
    }

    /// Returns the byte that leads into the state.
    pub(super) fn label(arena: &[u8], state: u32) -> u8 {
        arena[state as usize - 1]
    }

    /// Returns whether no needle continues from the state.
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

    /// Returns whether `byte`, if it comes just before the path to `state`, may have to be masked
    /// together with it.
    pub(super) fn may_lead(&self, state: u32, byte: u8) -> bool {
        (state == ROOT || self.flags[state as usize] & LEAD != 0) && self.leads[usize::from(byte)]
    }

    /// Returns the needles that end in a state, of which at least one must.
    pub(super) fn needles_at(&self, state: u32) -> impl Iterator<Item = u32> {
        let first = self.edges.find(state, NEEDLE);
        std::iter::successors(first, |&needle| self.same[needle as usize].checked_sub(1))
    }

    pub(super) fn states(&self) -> usize {
        self.depths.len()
    }
}

/// Returns the flags of every state that the needle runs through.
fn marks(needle: &Needle) -> u8 {
    let gaps = if needle.allows_gaps() { GAPS } else { 0 };
    let lead = if needle.rules.lead.is_some() { LEAD } else { 0 };
    gaps | lead
}

/// Returns whether the needle may not count, or may mask bytes after its end.
fn is_independent(needle: &Needle) -> bool {
    let rules = &needle.rules;
    rules.boundary == Boundary::Token || rules.trail.is_some() || rules.padding > 0
}

fn to_u32(length: usize) -> u32 {
    u32::try_from(length).expect("within an arena of less than 4 GiB")
}
