//! A value within a longer text that was encoded as base64 or base32 (RFC 4648).
//!
//! The bytes before the value shift it by some bits, so each alignment has different characters.
//! The needle consists of the characters that carry bits of the value only. The characters at its
//! edges, which also carry bits of a neighbor, and the padding are masked if they fit.

use crate::mask::base64_edges::{Alphabet, EdgeCharacter};
use crate::mask::needles::{Label, MatchRules, Needles};
use crate::secret::Secret;

/// Adds the needle of `value` after `before` other bytes.
pub(super) fn add(
    needles: &mut Needles,
    label: Label<'_>,
    alphabet: Alphabet,
    before: usize,
    value: &[u8],
    rules: MatchRules,
) {
    let bits = usize::from(alphabet.bits());
    let (start, end) = (before * 8, (before + value.len()) * 8);
    let (first, last) = (start.div_ceil(bits), end / bits);
    if first >= last {
        return;
    }
    let character = |index: usize| read(value, start, index * bits, bits);
    let rules = MatchRules {
        lead: (start % bits != 0).then(|| lead(alphabet, character(first - 1), start % bits)),
        trail: (end % bits != 0).then(|| trail(alphabet, character(last), end % bits)),
        padding: padding(alphabet, end.div_ceil(bits)),
        ..rules
    };
    needles.spell(label, rules, |out: &mut Secret| {
        for index in first..last {
            out.extend(&[alphabet.characters()[usize::from(character(index))]]);
        }
    });
}

/// Returns how many `=` follow this many characters. A group has four characters, or eight.
fn padding(alphabet: Alphabet, characters: usize) -> u8 {
    let group = if alphabet == Alphabet::Base32 { 8 } else { 4 };
    let lacking = characters.next_multiple_of(group) - characters;
    u8::try_from(lacking).expect("less than a group")
}

/// Returns the edge character whose first `foreign` bits belong to the byte before the value.
fn lead(alphabet: Alphabet, value: u8, foreign: usize) -> EdgeCharacter {
    EdgeCharacter {
        alphabet,
        value,
        mask: (1 << (usize::from(alphabet.bits()) - foreign)) - 1,
    }
}

/// Returns the edge character of which only the first `own` bits belong to the value.
fn trail(alphabet: Alphabet, value: u8, own: usize) -> EdgeCharacter {
    let bits = usize::from(alphabet.bits());
    EdgeCharacter {
        alphabet,
        value,
        mask: ((1 << own) - 1) << (bits - own),
    }
}

/// Reads `count` bits, beginning with bit `from`, of a stream in which `value` begins at bit
/// `start` and every other bit is zero.
fn read(value: &[u8], start: usize, from: usize, count: usize) -> u8 {
    (from..from + count).fold(0, |read, bit| {
        let own = bit.checked_sub(start).and_then(|bit| {
            let byte = value.get(bit / 8)?;
            Some(byte >> (7 - bit % 8) & 1)
        });
        read << 1 | own.unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine as _};

    /// The needle is the part of the encoded text that depends on the value only. The characters
    /// next to it fit the rules.
    #[test]
    fn needle_matches_the_encoder_at_every_alignment() {
        let value: Vec<u8> = (0..40).map(|byte: u8| byte.wrapping_mul(89)).collect();
        for length in 6..value.len() {
            for before in 0..3 {
                for after in [&b""[..], b"?", b"~>"] {
                    let value = &value[..length];
                    let text = [&b"xyz"[..before], value, after].concat();
                    check(
                        Alphabet::Base64,
                        &BASE64_STANDARD.encode(&text),
                        before,
                        value,
                    );
                    check(
                        Alphabet::Base64Url,
                        &BASE64_URL_SAFE.encode(&text),
                        before,
                        value,
                    );
                }
            }
        }
    }

    fn check(alphabet: Alphabet, text: &str, before: usize, value: &[u8]) {
        let mut needles = Needles::new();
        let label = Label {
            name: "A",
            form: "base64",
        };
        add(
            &mut needles,
            label,
            alphabet,
            before,
            value,
            MatchRules::default(),
        );
        let needle = needles.get(0);
        let rules = needle.rules;
        let (from, to) = ((before * 8).div_ceil(6), (before + value.len()) * 8 / 6);
        assert_eq!(&text.as_bytes()[from..to], needles.slice(needle));
        assert_eq!(rules.lead.is_some(), before > 0);
        assert!(
            rules
                .lead
                .is_none_or(|lead| lead.admits(text.as_bytes()[from - 1]))
        );
        assert!(
            rules
                .trail
                .is_none_or(|trail| trail.admits(text.as_bytes()[to]))
        );
        let padding = text.bytes().filter(|&byte| byte == b'=').count();
        let is_end = text.len() - padding == to + usize::from(rules.trail.is_some());
        assert!(!is_end || padding == usize::from(rules.padding), "{text}");
    }
}
