//! The grams of all needles, as a set of hashes. A gram is a run of four bytes.
//!
//! If a gram is not in the set, no needle contains it. If it is in the set, some needle may contain
//! it. So the end of a text can begin a needle only if all its grams are in the set.

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
    /// Makes room for `count` grams with `bits_per_gram` bits each. With more bits, fewer grams are
    /// mistaken for members of the set.
    pub(super) fn with_room(count: usize, bits_per_gram: usize) -> Self {
        let bits = (count * bits_per_gram)
            .next_power_of_two()
            .clamp(SMALLEST, LARGEST);
        Self {
            words: Wiped::new(vec![0; bits / 64]),
            shift: 32 - bits.trailing_zeros(),
        }
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

    /// Returns the first offset in `text` at which a needle may begin that is still incomplete at
    /// the end of the text.
    pub(super) fn first_possible_start(&self, text: &[u8]) -> usize {
        // The last three bytes are too short for a gram, so nothing can be said about them. From
        // there, go back while every gram may belong to a needle.
        let mut start = text.len().saturating_sub(WIDTH - 1);
        while start > 0 && self.has(read(&text[start - 1..start - 1 + WIDTH])) {
            start -= 1;
        }
        start
    }
}

#[inline]
pub(super) fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

/// Reads up to four bytes as a number.
#[inline]
pub(super) fn read(gram: &[u8]) -> u32 {
    if let Ok(four) = gram.try_into() {
        return u32::from_le_bytes(four);
    }
    let mut four = [0; WIDTH];
    four[..gram.len()].copy_from_slice(gram);
    u32::from_le_bytes(four)
}
