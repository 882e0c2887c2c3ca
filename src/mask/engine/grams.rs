//! All runs of four bytes that occur in any needle, as a set of hashes.
//!
//! What it lacks, no needle contains; what it has, some needle may contain. So the end of a text
//! can be the beginning of a needle only as far back as its fours are all in the set.

use crate::mask::needles::Needles;
use crate::secret::Wiped;

pub(super) const WIDTH: usize = 4;

/// 512 bytes.
const SMALLEST: usize = 1 << 12;
/// 1 MiB.
const LARGEST: usize = 1 << 23;

/// A set of hashes, one bit each.
pub(super) struct Grams {
    words: Wiped<u64>,
    shift: u32,
}

impl Grams {
    /// Room for about `count` entries with few false answers.
    pub(super) fn with_room(count: usize, spread: usize) -> Self {
        let bits = (count * spread).next_power_of_two().clamp(SMALLEST, LARGEST);
        Self { words: Wiped::new(vec![0; bits / 64]), shift: 32 - bits.trailing_zeros() }
    }

    pub(super) fn of(needles: &Needles) -> Self {
        let mut grams = Self::with_room(needles.bytes().len(), 8);
        for needle in needles.all() {
            for gram in needles.slice(needle).windows(WIDTH) {
                grams.insert(read(gram));
            }
        }
        grams
    }

    pub(super) fn insert(&mut self, gram: u32) {
        let hash = hash(gram) >> self.shift;
        self.words[hash as usize / 64] |= 1 << (hash % 64);
    }

    #[inline]
    pub(super) fn has(&self, gram: u32) -> bool {
        let hash = hash(gram) >> self.shift;
        self.words[hash as usize / 64] >> (hash % 64) & 1 != 0
    }

    /// The first place in `text` where a needle that is still incomplete at its end may begin.
    pub(super) fn first_possible_start(&self, text: &[u8]) -> usize {
        let mut live = text.len().saturating_sub(WIDTH - 1);
        while live > 0 && self.has(read(&text[live - 1..live - 1 + WIDTH])) {
            live -= 1;
        }
        live
    }
}

#[inline]
pub(super) fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

/// Up to four bytes as a number.
#[inline]
pub(super) fn read(gram: &[u8]) -> u32 {
    if let Ok(four) = gram.try_into() {
        return u32::from_le_bytes(four);
    }
    let mut four = [0; WIDTH];
    four[..gram.len()].copy_from_slice(gram);
    u32::from_le_bytes(four)
}
