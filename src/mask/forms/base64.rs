//! A value within a longer text that was encoded as base64 or base32 (RFC 4648).
//!
//! What stands before the value shifts it by some bits, so each alignment gives other characters.
//! Those that carry bits of the value alone are the needle; the characters at its edges, which
//! carry bits of a neighbour too, and the padding are masked when they fit.

use crate::mask::edges::{Alphabet, Mixed};
use crate::mask::needles::{Label, Needles, Traits};
use crate::secret::Secret;

/// Adds the needle of `value` with `before` bytes of something else in front of it.
pub(super) fn add(
    needles: &mut Needles,
    label: Label<'_>,
    alphabet: Alphabet,
    before: usize,
    value: &[u8],
    traits: Traits,
) {
    let bits = usize::from(alphabet.bits());
    let (start, end) = (before * 8, (before + value.len()) * 8);
    let (first, last) = (start.div_ceil(bits), end / bits);
    if first >= last {
        return;
    }
    let character = |index: usize| read(value, start, index * bits, bits);
    let traits = Traits {
        lead: (start % bits != 0).then(|| mixed(alphabet, character(first - 1), start % bits)),
        trail: (end % bits != 0).then(|| tail(alphabet, character(last), end % bits)),
        // Whole groups have 24 bits, or 40.
        padding: if alphabet == Alphabet::Base32 { 6 } else { 2 },
        ..traits
    };
    needles.spell(label, traits, |out: &mut Secret| {
        for index in first..last {
            out.extend(&[alphabet.characters()[usize::from(character(index))]]);
        }
    });
}

/// The character whose first `foreign` bits belong to what stands before the value.
fn mixed(alphabet: Alphabet, value: u8, foreign: usize) -> Mixed {
    Mixed {
        alphabet,
        value,
        mask: (1 << (usize::from(alphabet.bits()) - foreign)) - 1,
    }
}

/// The character of which only the first `own` bits belong to the value.
fn tail(alphabet: Alphabet, value: u8, own: usize) -> Mixed {
    let bits = usize::from(alphabet.bits());
    Mixed {
        alphabet,
        value,
        mask: ((1 << own) - 1) << (bits - own),
    }
}

/// The bits from `from` on of a stream in which `value` begins at bit `start`, zeros around it.
fn read(value: &[u8], start: usize, from: usize, count: usize) -> u8 {
    (from..from + count).fold(0, |read, bit| {
        let own = bit.checked_sub(start).and_then(|bit| {
            let byte = value.get(bit / 8)?;
            Some(byte >> (7 - bit % 8) & 1)
        });
        read << 1 | own.unwrap_or(0)
    })
}
