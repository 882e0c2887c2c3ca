//! Finds the needles that lie wholly within a text, looking only at every so many bytes.
//!
//! Needles are sorted into classes by length. In a class whose shortest needle has `m` bytes,
//! every needle registers the windows (of up to four bytes) at as many successive offsets as the
//! class's stride, which is at most `m` less the window plus one; so whatever the phase at which
//! it stands in the text, exactly one of them is looked at. Which offsets a needle registers is
//! its own choice: the ones that are rarest in logs and among the needles.
//!
//! Bytes that resemble needles cost a comparison each. When those add up to more than the text is
//! worth, the scan gives up, and the automaton takes over; that is what keeps the whole linear.

use crate::mask::needles::Needles;
use crate::secret::Wiped;

use super::grams::{self, Grams, WIDTH};
use super::rarity::{LONGEST_STRIDE, Rarity};

/// The classes: needles of at least so many bytes, and shorter than the class before.
const CLASSES: [usize; 3] = [11, 6, 1];

/// So much of a needle is compared before the rest.
const HEAD: usize = 64;

pub(super) struct Scan {
    passes: Vec<Pass>,
}

/// An occurrence: where it begins in the text, and the needle.
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

    /// Reports every occurrence in `text`, some perhaps twice. Nothing when it gave up.
    pub(super) fn run(
        &self,
        needles: &Needles,
        text: &[u8],
        found: &mut impl FnMut(Found),
    ) -> Option<()> {
        let mut budget = 8 * text.len() + 4096;
        for pass in &self.passes {
            pass.run(needles, text, &mut budget, found)?;
        }
        Some(())
    }
}

/// A window of a needle.
#[derive(Clone, Copy, Default)]
struct Entry {
    needle: u32,
    offset: u32,
}

struct Pass {
    window: usize,
    stride: usize,
    set: Grams,
    shift: u32,
    /// Per hash where its entries begin.
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

    /// Sorts the windows by their hash: counts them, then puts each where its count says.
    fn fill(&mut self, needles: &Needles, class: &[Entry]) {
        for first in class {
            for (gram, _) in self.windows(needles, *first) {
                let slot = (grams::hash(gram) >> self.shift) as usize;
                self.starts[slot] += 1;
                self.set.insert(gram);
            }
        }
        let mut end = 0;
        for start in self.starts.iter_mut() {
            end += *start;
            *start = end;
        }
        for first in class {
            for (gram, entry) in self.windows(needles, *first) {
                let slot = (grams::hash(gram) >> self.shift) as usize;
                self.starts[slot] -= 1;
                self.entries[self.starts[slot] as usize] = entry;
            }
        }
    }

    /// The windows that a needle registers, from its first one on.
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
            *budget = budget.checked_sub(8 + effort / 4)?;
        }
        Some(())
    }
}

/// Whether both are the same, and about how many bytes it took to say so.
fn compare(place: &[u8], needle: &[u8]) -> (usize, bool) {
    let head = needle.len().min(HEAD);
    if place[..head] != needle[..head] {
        return (head, false);
    }
    (needle.len(), place[head..] == needle[head..])
}
