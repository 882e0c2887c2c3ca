//! The few edges of the trie that do not run along one needle, in a hash table that never grows.
//!
//! Knows nothing of the meaning of the numbers. It is at most half full, so every search ends.

use crate::secret::Wiped;

/// The label for the first needle that ends in a state.
pub(super) const NEEDLE: u16 = 256;
/// The label for the parent of a state.
pub(super) const PARENT: u16 = 257;

const EMPTY: u64 = u64::MAX;

pub(super) struct EdgeMap {
    keys: Wiped<u64>,
    targets: Vec<u32>,
    shift: u32,
}

impl EdgeMap {
    /// Makes room for three edges per needle: the one to its own states, the one back, and the one
    /// to its number.
    pub(super) fn new(needles: usize) -> Self {
        let size = (needles * 6).next_power_of_two().max(16);
        Self {
            keys: Wiped::new(vec![EMPTY; size]),
            targets: vec![0; size],
            shift: 64 - size.trailing_zeros(),
        }
    }

    pub(super) fn insert(&mut self, state: u32, label: u16, target: u32) {
        let key = key(state, label);
        let mut slot = self.slot(key);
        while self.keys[slot] != EMPTY {
            slot = (slot + 1) & (self.keys.len() - 1);
        }
        self.keys[slot] = key;
        self.targets[slot] = target;
    }

    #[inline]
    pub(super) fn find(&self, state: u32, label: u16) -> Option<u32> {
        let key = key(state, label);
        let mut slot = self.slot(key);
        loop {
            let found = self.keys[slot];
            if found == key {
                return Some(self.targets[slot]);
            }
            if found == EMPTY {
                return None;
            }
            slot = (slot + 1) & (self.keys.len() - 1);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves fewer bits than usize has"
    )]
    fn slot(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }
}

fn key(state: u32, label: u16) -> u64 {
    u64::from(state) << 16 | u64::from(label)
}
