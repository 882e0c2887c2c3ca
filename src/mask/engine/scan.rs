//! Finds the needles that lie wholly within a text, and reads only a fraction of its bytes.
//!
//! Needles are sorted into classes by length, and each class makes a pass over the text. A pass
//! looks at a window of up to four bytes at every multiple of its stride. Each needle of the class
//! registers as many successive windows as the stride is long. So wherever an occurrence lies, the
//! pass looks at exactly one of its registered windows. The shortest needle must have that many
//! windows, which limits the stride. A longer needle can choose: it registers the windows that are
//! rarest in logs and among the needles.
//!
//! A window that a needle has registered costs a comparison. If the comparisons exceed a budget
//! that grows with the text, the scan gives up, and the automaton takes over. So the engine needs
//! linear time for every text.

use crate::mask::needles::Needles;
use crate::secret::Wiped;

use super::grams::{self, Grams, WIDTH};
use super::rarity::{LONGEST_STRIDE, Rarity};

/// The least length of each class. Needles of 11 bytes allow the longest stride.
const CLASSES: [usize; 3] = [11, 6, 1];

/// The number of bytes that are compared first, and charged if they differ.
const HEAD: usize = 64;

pub(super) struct Scan {
    passes: Vec<Pass>,
}

/// An occurrence: its offset in the text, and the number of the needle.
pub(super) type Found = (usize, u32);

impl Scan {
    pub(super) fn new(needles: &Needles) -> Self {
        let mut passes = Vec::new();
        let mut rarity = None;
        let mut above = usize::MAX;
        for least in CLASSES {
            let class = needles.all().iter().map(|needle| needle.length as usize);
            if let Some(shortest) = class.filter(|&l| least <= l && l < above).min() {
                let rarity = rarity.get_or_insert_with(|| Rarity::of(needles));
                passes.push(Pass::new(needles, shortest, above, rarity));
            }
            above = least;
        }
        Self { passes }
    }

    /// Reports every occurrence in `text`. Returns `None` if it gave up, after which some have been
    /// reported and others have not.
    pub(super) fn run(
        &self,
        needles: &Needles,
        text: &[u8],
        found: &mut impl FnMut(Found),
    ) -> Option<()> {
        // About one comparison per byte of text. The constant keeps short writes from giving up.
        let mut budget = 8 * text.len() + 4096;
        for pass in &self.passes {
            pass.run(needles, text, &mut budget, found)?;
        }
        Some(())
    }
}

/// A registered window: the number of the needle, and the offset of the window in it.
#[derive(Clone, Copy, Default)]
struct Entry {
    needle: u32,
    offset: u32,
}

/// The search for the needles of one class.
struct Pass {
    /// The length of a window.
    window: usize,
    stride: usize,
    /// The registered windows. It answers most questions without the entries, and is usually small
    /// enough to stay in the cache.
    set: Grams,
    shift: u32,
    /// For each hash, the index of its first entry. The entries of a hash end where those of the
    /// next one begin.
    starts: Wiped<u32>,
    entries: Vec<Entry>,
}

impl Pass {
    fn new(needles: &Needles, shortest: usize, above: usize, rarity: &mut Rarity) -> Self {
        let window = shortest.min(WIDTH);
        let stride = (shortest - window + 1).min(LONGEST_STRIDE);
        let class: Vec<Entry> = (0..)
            .zip(needles.all())
            .filter(|(_, needle)| (shortest..above).contains(&(needle.length as usize)))
            .map(|(index, needle)| Entry {
                needle: index,
                offset: rarity.rarest(needles.slice(needle), window, stride),
            })
            .collect();
        let count = class.len() * stride;
        let slots = count.next_power_of_two().max(2);
        let mut pass = Self {
            window,
            stride,
            set: Grams::with_room(count, 32),
            shift: 32 - slots.trailing_zeros(),
            starts: Wiped::new(vec![0; slots + 1]),
            entries: vec![Entry::default(); count],
        };
        pass.fill(needles, &class);
        pass
    }

    /// Sorts the windows by their hash with a counting sort.
    fn fill(&mut self, needles: &Needles, class: &[Entry]) {
        // Count the windows of each hash.
        for first in class {
            for (gram, _) in self.windows(needles, *first) {
                let slot = (grams::hash(gram) >> self.shift) as usize;
                self.starts[slot] += 1;
                self.set.insert(gram);
            }
        }
        // Turn the counts into the end of each hash's entries.
        let mut end = 0;
        for start in self.starts.iter_mut() {
            end += *start;
            *start = end;
        }
        // Fill each hash's entries from the end, which moves its end to its start.
        for first in class {
            for (gram, entry) in self.windows(needles, *first) {
                let slot = (grams::hash(gram) >> self.shift) as usize;
                self.starts[slot] -= 1;
                self.entries[self.starts[slot] as usize] = entry;
            }
        }
    }

    /// Returns the windows that a needle registers, beginning with `first`.
    fn windows<'a>(
        &self,
        needles: &'a Needles,
        first: Entry,
    ) -> impl Iterator<Item = (u32, Entry)> + use<'a> {
        let bytes = &needles.slice(needles.get(first.needle))[first.offset as usize..];
        let windows = bytes.windows(self.window).take(self.stride);
        (first.offset..)
            .zip(windows)
            .map(move |(offset, window)| (grams::read(window), Entry { offset, ..first }))
    }

    /// Looks at every window that the stride reaches. Nearly all are decided by the set alone.
    fn run(
        &self,
        needles: &Needles,
        text: &[u8],
        budget: &mut usize,
        found: &mut impl FnMut(Found),
    ) -> Option<()> {
        let mut at = 0;
        while at + self.window <= text.len() {
            let gram = grams::read(&text[at..at + self.window]);
            if self.set.has(gram) {
                self.verify(needles, text, at, gram, budget, found)?;
            }
            at += self.stride;
        }
        Some(())
    }

    /// Compares the text with every needle that has registered a window with the same hash. It is
    /// rarely called, and stays out of line to keep the loop in `run` small.
    #[cold]
    #[inline(never)]
    fn verify(
        &self,
        needles: &Needles,
        text: &[u8],
        at: usize,
        gram: u32,
        budget: &mut usize,
        found: &mut impl FnMut(Found),
    ) -> Option<()> {
        let slot = (grams::hash(gram) >> self.shift) as usize;
        let range = self.starts[slot] as usize..self.starts[slot + 1] as usize;
        for entry in &self.entries[range] {
            let needle = needles.get(entry.needle);
            // The occurrence would begin before the text, or end after it. The automaton finds
            // those that run across the border between two writes.
            let Some(start) = at.checked_sub(entry.offset as usize) else {
                continue;
            };
            let Some(place) = text.get(start..start + needle.length as usize) else {
                continue;
            };
            let (effort, equal) = compare(place, needles.slice(needle));
            if equal {
                found((start, entry.needle));
            }
            // A comparison has a fixed price, plus one that grows with the bytes compared.
            *budget = budget.checked_sub(8 + effort / 4)?;
        }
        Some(())
    }
}

/// Returns about how many bytes were compared, and whether the two are equal.
fn compare(place: &[u8], needle: &[u8]) -> (usize, bool) {
    let head = needle.len().min(HEAD);
    if place[..head] != needle[..head] {
        return (head, false);
    }
    (needle.len(), place[head..] == needle[head..])
}
