//! The failure links of the automaton, computed when they are first needed and then kept.
//!
//! The link of a state leads to the longest proper end of its path that also begins a needle. Most
//! states are never reached by a text, so most links are never computed. Computing all of them in
//! advance would cost more than the rest of the engine. Each stream owns a set.

use super::automaton::{Automaton, ROOT};

/// The link has not been computed.
const UNKNOWN: u32 = 0;
/// The search for the link has not begun.
const NOT_BEGUN: u32 = u32::MAX;
/// Set in `bests` if a shorter needle that ends in the same place must be reported too.
const MORE: u32 = 1 << 31;

/// The computed links of one stream. Both tables begin as zeroed memory, which the system provides
/// page by page when it is first used.
pub(super) struct Links {
    /// For each state, its link plus one.
    fails: Vec<u32>,
    /// For each state, the end state of the longest needle that ends there, or `ROOT`.
    bests: Vec<u32>,
    /// The states whose links are being computed, each with the state its search has reached.
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

    /// Returns the state after `byte`: the longest end of the bytes read that begins a needle.
    #[inline]
    pub(super) fn step(&mut self, trie: &Automaton, arena: &[u8], mut state: u32, byte: u8) -> u32 {
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

    /// Returns the state of the next shorter beginning of a needle that ends the path of `state`.
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

    /// Returns the end state of the longest needle that ends in `state`, if there is one.
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

    /// Returns the end state of the next shorter needle that ends together with the one of `best`,
    /// if it must be reported. It lies within the longer one, so only its rules can matter.
    pub(super) fn next_best(&mut self, trie: &Automaton, arena: &[u8], best: u32) -> Option<u32> {
        if self.bests[best as usize] & MORE == 0 {
            return None;
        }
        let fail = self.fail(trie, arena, best);
        self.best(trie, arena, fail)
    }

    /// Computes the link of `state` and of every state that it depends on.
    ///
    /// A link depends on those of other states, which may be thousands deep. So the states that
    /// wait for others are kept in a list instead of on the call stack.
    fn resolve(&mut self, trie: &Automaton, arena: &[u8], state: u32) {
        self.push(trie, state);
        while let Some((state, at)) = self.pending.last().copied() {
            // The search stopped at a state without a link, which is now last in the list.
            let Some(link) = self.search(trie, arena, state, at) else {
                continue;
            };
            // `record` reads the longest needle that ends in the link, which is known only after
            // the link itself has been resolved. Then this search repeats its last step.
            if self.fails[link as usize] == UNKNOWN && link != ROOT {
                self.push(trie, link);
                continue;
            }
            self.record(trie, state, link);
            self.pending.pop();
        }
    }

    /// Adds `state` to the states to be resolved, and after it the unresolved states before it on
    /// its path, because they are needed first.
    fn push(&mut self, trie: &Automaton, mut state: u32) {
        while state != ROOT && self.fails[state as usize] == UNKNOWN {
            self.pending.push((state, NOT_BEGUN));
            state = trie.parent(state);
        }
    }

    /// Continues to search for the link of `state`. Returns `None` if another state must be
    /// resolved first.
    fn search(&mut self, trie: &Automaton, arena: &[u8], state: u32, mut at: u32) -> Option<u32> {
        if at == NOT_BEGUN {
            let parent = trie.parent(state);
            // A path of one byte has no proper end but the empty one.
            if parent == ROOT {
                return Some(ROOT);
            }
            at = self.fails[parent as usize] - 1;
        }
        let byte = Automaton::label(arena, state);
        loop {
            // `at` is an end of the parent's path. If it continues with the byte, the result is an
            // end of this path, and the longest one, because longer ends were tried before.
            if let Some(next) = trie.child(arena, at, byte) {
                self.pending.last_mut()?.1 = at;
                return Some(next);
            }
            if at == ROOT {
                return Some(ROOT);
            }
            // Remember how far the search has come, and let the other state go first.
            if self.fails[at as usize] == UNKNOWN {
                self.pending.last_mut()?.1 = at;
                self.push(trie, at);
                return None;
            }
            at = self.fails[at as usize] - 1;
        }
    }

    /// Keeps the link of `state`, and the longest needle that ends there.
    fn record(&mut self, trie: &Automaton, state: u32, link: u32) {
        self.fails[state as usize] = link + 1;
        let below = self.bests[link as usize];
        // If no needle ends in this very state, its answer is that of the link. Otherwise, this
        // needle is the longest, and the shorter ones below it count only if one of them, or this
        // one, is independent.
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
