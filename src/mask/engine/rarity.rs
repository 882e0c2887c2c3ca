//! Finds the part of a needle that is least likely to occur in a text without the needle.
//!
//! It goes by how common the bytes are in logs, and by how many needles share the windows. A window
//! is a run of up to four bytes.

use crate::mask::needles::Needles;
use crate::secret::Wiped;

use super::grams::{self, WIDTH};

/// The longest stride of a scan. A longer one would leave needles no choice of windows.
pub(super) const LONGEST_STRIDE: usize = 8;

/// The number of bytes of a long needle that are considered.
const CONSIDERED: usize = 256;

/// The number of times that each window of four bytes occurs in the needles, by hash.
pub(super) struct Rarity {
    counts: Wiped<u8>,
    shift: u32,
}

impl Rarity {
    pub(super) fn of(needles: &Needles) -> Self {
        let slots = needles.bytes().len().next_power_of_two().clamp(64, 1 << 20);
        let mut rarity = Self {
            counts: Wiped::new(vec![0; slots]),
            shift: 32 - slots.trailing_zeros(),
        };
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

    /// Returns the offset in `needle` at which `stride` successive windows are rarest.
    pub(super) fn rarest(&self, needle: &[u8], window: usize, stride: usize) -> u32 {
        let bytes = &needle[..needle.len().min(CONSIDERED)];
        let mut room = [0; CONSIDERED];
        for (cost, window) in room.iter_mut().zip(bytes.windows(window)) {
            *cost = self.cost(window);
        }
        let costs = &room[..=bytes.len() - window];
        // The sum moves along the needle: one window enters on the right, one leaves on the left.
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

    /// Returns how common a window is. Each needle that contains it adds to the cost, because every
    /// match of the window is then compared with that needle too.
    fn cost(&self, window: &[u8]) -> u32 {
        let common = |&byte: &u8| u32::from(COMMONNESS[usize::from(byte)]);
        let shared = if window.len() == WIDTH {
            u32::from(self.counts[self.slot(window)])
        } else {
            0
        };
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

/// Returns how common a byte is in logs, from 0 to 6.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::needles::{Label, MatchRules};

    #[test]
    fn rarest_windows_are_of_uncommon_and_unshared_bytes() {
        let mut needles = Needles::new();
        let label = Label {
            name: "A",
            form: "raw",
        };
        for bytes in ["e 012KXQZ 012e", "JVWYQBGH", "JVWY1", "JVWY2"] {
            needles.add(label, bytes.as_bytes(), MatchRules::default());
        }
        let rarity = Rarity::of(&needles);
        for (needle, stride, offset) in [
            ("e 012KXQZ 012e", 1, 5),
            ("e 012KXQZ 012e", 3, 4),
            ("JVWYQBGH", 1, 1),
            ("JVWYQBGH", 5, 0),
        ] {
            assert_eq!(rarity.rarest(needle.as_bytes(), WIDTH, stride), offset);
        }
    }
}
