//! The failure links of the automaton, found when first needed and then remembered.
//!
//! Most states are never reached by any text, so most links are never computed; finding them all
//! in advance would cost more than all the rest of the engine. One stream owns one set.

use super::automaton::{Automaton, ROOT};

/// The link is not known yet.
const UNKNOWN: u32 = 0;
/// Set in `best` when a needle below the best one needs a look of its own.
const MORE: u32 = 1 << 31;

/// Zeroed memory that the system gives out when it is touched.
pub(super) struct Links {
    /// Per state the link plus one.
    fails: Vec<u32>,
    /// Per state the longest needle that ends there, as its state, or `ROOT`.
    bests: Vec<u32>,
    /// States whose links are being computed, each with the state its search has come to.
    pending: Vec<(u32, u32)>,
}

impl Links {
    pub(super) fn new(automaton: &Automaton) -> Self {
        Self {
            fails: vec![UNKNOWN; automaton.states()],
            bests: vec![ROOT; automaton.states()],
            pending: Vec::new(),
        }
    }

    /// The state after `byte`: the longest end of what was read that begins a needle.
    #[inline]
    pub(super) fn step(&mut self, trie: &Automaton, arena: &[u8], state: u32, byte: u8) -> u32 {
        let mut state = state;
        loop {
            if let Some(next) = trie.child(arena, state, byte) {
                return next;
            }
            if state == ROOT {
                return ROOT;
            }
            state = self.fail(trie, arena, state);
        }
    }

    /// The next shorter beginning of a needle with which `state`'s path ends.
    #[inline]
    pub(super) fn fail(&mut self, trie: &Automaton, arena: &[u8], state: u32) -> u32 {
        if state == ROOT {
            return ROOT;
        }
        if self.fails[state as usize] == UNKNOWN {
            self.resolve(trie, arena, state);
        }
        self.fails[state as usize] - 1
    }

    /// The state of the longest needle that ends in `state`, if any.
    #[inline]
    pub(super) fn best(&mut self, trie: &Automaton, arena: &[u8], state: u32) -> Option<u32> {
        if state == ROOT {
            return None;
        }
        if self.fails[state as usize] == UNKNOWN {
            self.resolve(trie, arena, state);
        }
        let best = self.bests[state as usize] & !MORE;
        (best != ROOT).then_some(best)
    }

    /// The state of the next shorter needle that ends where the one of `best` does, if it needs a
    /// look of its own: it lies within the longer one and matters only for its rules.
    pub(super) fn next_best(&mut self, trie: &Automaton, arena: &[u8], best: u32) -> Option<u32> {
        if self.bests[best as usize] & MORE == 0 {
            return None;
        }
        let fail = self.fail(trie, arena, best);
        self.best(trie, arena, fail)
    }

    /// Finds the link of `state` and of every state that this depends on.
    fn resolve(&mut self, trie: &Automaton, arena: &[u8], state: u32) {
        self.push(trie, state);
        while let Some((state, at)) = self.pending.last().copied() {
            let Some(link) = self.search(trie, arena, state, at) else {
                continue;
            };
            if self.fails[link as usize] == UNKNOWN && link != ROOT {
                self.push(trie, link);
                continue;
            }
            self.record(trie, state, link);
            self.pending.pop();
        }
    }

    /// Notes that `state` is to be resolved, after its ancestors that are not.
    fn push(&mut self, trie: &Automaton, state: u32) {
        let mut state = state;
        while state != ROOT && self.fails[state as usize] == UNKNOWN {
            self.pending.push((state, u32::MAX));
            state = trie.parent(state);
        }
    }

    /// Goes on looking for the link of `state`; nothing when another state must be resolved first.
    fn search(&mut self, trie: &Automaton, arena: &[u8], state: u32, at: u32) -> Option<u32> {
        let mut at = at;
        if at == u32::MAX {
            let parent = trie.parent(state);
            if parent == ROOT {
                return Some(ROOT);
            }
            at = self.fails[parent as usize] - 1;
        }
        let byte = Automaton::label(arena, state);
        loop {
            if let Some(next) = trie.child(arena, at, byte) {
                self.pending.last_mut()?.1 = at;
                return Some(next);
            }
            if at == ROOT {
                return Some(ROOT);
            }
            if self.fails[at as usize] == UNKNOWN {
                self.pending.last_mut()?.1 = at;
                self.push(trie, at);
                return None;
            }
            at = self.fails[at as usize] - 1;
        }
    }

    fn record(&mut self, trie: &Automaton, state: u32, link: u32) {
        self.fails[state as usize] = link + 1;
        let below = self.bests[link as usize];
        self.bests[state as usize] = if !trie.needle_ends(state) {
            below
        } else if below & MORE != 0
            || below != ROOT && (trie.is_independent(below) || trie.is_independent(state))
        {
            state | MORE
        } else {
            state
        };
    }
}
