//! Which part of a needle is least likely to occur in a text that does not contain it.
//!
//! Judged by how common its bytes are in logs, and by how many needles share its windows.

use crate::mask::needles::Needles;
use crate::secret::Wiped;

use super::grams::{self, WIDTH};

/// The longest stride of a scan; a longer one would leave needles no choice of windows.
pub(super) const LONGEST_STRIDE: usize = 8;

/// The part of a long needle that is considered.
const CONSIDERED: usize = 256;

/// How often each window of four bytes occurs among the needles, by hash.
pub(super) struct Rarity {
    counts: Wiped<u8>,
    shift: u32,
}

impl Rarity {
    pub(super) fn of(needles: &Needles) -> Self {
        let slots = needles.bytes().len().next_power_of_two().clamp(64, 1 << 20);
        let mut rarity =
            Self { counts: Wiped::new(vec![0; slots]), shift: 32 - slots.trailing_zeros() };
        for needle in needles.all() {
            let bytes = needles.slice(needle);
            for gram in bytes[..bytes.len().min(CONSIDERED)].windows(WIDTH) {
                let slot = rarity.slot(gram);
                let count = &mut rarity.counts[slot];
                *count = count.saturating_add(1);
            }
        }
        rarity
    }

    /// The offset in `bytes` at which `stride` successive windows are rarest.
    pub(super) fn rarest(&self, bytes: &[u8], window: usize, stride: usize) -> u32 {
        let bytes = &bytes[..bytes.len().min(CONSIDERED)];
        let mut costs = [0; CONSIDERED];
        for (cost, window) in costs.iter_mut().zip(bytes.windows(window)) {
            *cost = self.cost(window);
        }
        let costs = &costs[..=bytes.len() - window];
        let mut sum: u32 = costs[..stride].iter().sum();
        let (mut best, mut least) = (0, sum);
        for (offset, (left, entered)) in (1..).zip(costs.iter().zip(&costs[stride..])) {
            sum = sum + entered - left;
            if sum < least {
                (best, least) = (offset, sum);
            }
        }
        best
    }

    fn cost(&self, window: &[u8]) -> u32 {
        let common = |&byte: &u8| u32::from(COMMONNESS[usize::from(byte)]);
        let shared =
            if window.len() == WIDTH { u32::from(self.counts[self.slot(window)]) } else { 0 };
        4 * shared + window.iter().map(common).sum::<u32>()
    }

    fn slot(&self, gram: &[u8]) -> usize {
        (grams::hash(grams::read(gram)) >> self.shift) as usize
    }
}

const COMMONNESS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = commonness(byte.to_le_bytes()[0]);
        byte += 1;
    }
    table
};

/// How common a byte is in logs, from 0 to 6.
const fn commonness(byte: u8) -> u8 {
    match byte {
        b' ' | b'e' | b'0' | b'1' | b'2' => 6,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' | b'3'..=b'9' => 5,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'u' | b'.' | b':' | b'-' | b'/' | b'=' => 4,
        b'a'..=b'z' | b'"' | b',' | b'_' | b'\n' => 3,
        b'A'..=b'Z' => 1,
        _ => 0,
    }
}
