//! Needles: the byte strings to look for, each with the name of its secret and its form.
//!
//! Knows nothing about how needles are made or found. All bytes lie in one [`Secret`], so that they
//! are wiped together. A needle is a range of it.

use crate::secret::Secret;

use super::base64_edges::EdgeCharacter;

/// The secret and the form of a needle, as reports show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label<'a> {
    /// The name of the secret.
    pub name: &'a str,
    /// The name of the form, listed in `docs/reference/masking.md`.
    pub form: &'static str,
}

/// Decides, by the bytes around an occurrence, whether it is masked and how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchRules {
    /// Whether transparent bytes may interrupt it.
    pub gaps: Gaps,
    /// The borders at which it counts.
    pub boundary: Boundary,
    /// The character before it, which carries some of its first bits.
    pub lead: Option<EdgeCharacter>,
    /// The character after it, which carries some of its last bits.
    pub trail: Option<EdgeCharacter>,
    /// The most `=` characters after it that belong to it.
    pub padding: u8,
}

impl MatchRules {
    /// Returns whether a needle with these rules masks every byte that the same needle with the
    /// `other` rules masks.
    fn subsumes(&self, other: &Self) -> bool {
        let edge = |own: Option<EdgeCharacter>, other: Option<EdgeCharacter>| match (own, other) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own.includes(other),
        };
        // The last condition: padding counts only after the trailing edge character. So if only
        // this one expects such a character, it can miss padding that the other one masks.
        (self.gaps == Gaps::Allowed || other.gaps == Gaps::Refused)
            && self.boundary == Boundary::Any
            && edge(self.lead, other.lead)
            && edge(self.trail, other.trail)
            && self.padding >= other.padding
            && (self.trail.is_none() || other.trail.is_some() || other.padding == 0)
    }
}

/// Whether an occurrence may be interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gaps {
    /// The bytes must follow one another.
    #[default]
    Refused,
    /// Escape sequences, and line breaks with their indentation, may come between the bytes.
    Allowed,
}

/// The borders at which an occurrence counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boundary {
    /// Every border.
    #[default]
    Any,
    /// Token borders: neither neighbor is a letter, a digit, `_`, or part of a non-ASCII character.
    Token,
}

/// A needle, as a range of all bytes.
#[derive(Clone, Copy)]
pub(super) struct Needle {
    pub(super) offset: u32,
    pub(super) length: u32,
    name: u32,
    form: &'static str,
    pub(super) rules: MatchRules,
}

impl Needle {
    /// Returns whether the needle is also looked for with gaps. At token borders it never is.
    pub(super) fn allows_gaps(&self) -> bool {
        self.rules.gaps == Gaps::Allowed && self.rules.boundary == Boundary::Any
    }
}

/// The needles of any number of secrets.
pub struct Needles {
    bytes: Secret,
    names: Vec<String>,
    list: Vec<Needle>,
}

impl Default for Needles {
    fn default() -> Self {
        Self::new()
    }
}

impl Needles {
    /// Makes an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: Secret::with_capacity(0),
            names: Vec::new(),
            list: Vec::new(),
        }
    }

    /// Adds the bytes exactly as they are. An empty needle is ignored.
    pub fn add(&mut self, label: Label<'_>, bytes: &[u8], rules: MatchRules) {
        self.spell(label, rules, |out| out.extend(bytes));
    }

    /// Adds the bytes that `write` appends. An empty needle is ignored.
    ///
    /// # Panics
    /// Panics if all needles together exceed 2 GiB.
    pub fn spell(&mut self, label: Label<'_>, rules: MatchRules, write: impl FnOnce(&mut Secret)) {
        let offset = self.bytes.len();
        write(&mut self.bytes);
        let length = self.bytes.len() - offset;
        if length == 0 {
            return;
        }
        let name = self.name(label.name);
        let [offset, length] =
            [offset, length].map(|size| u32::try_from(size).expect("needles of at most 2 GiB"));
        assert!(self.bytes.len() < 1 << 31, "needles of more than 2 GiB");
        self.list.push(Needle {
            offset,
            length,
            name,
            form: label.form,
            rules,
        });
    }

    /// Adds all needles of `other`.
    pub fn append(&mut self, other: &Self) {
        for needle in &other.list {
            let label = other.label_of(needle);
            self.add(label, other.slice(needle), needle.rules);
        }
    }

    /// Returns the number of needles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the label and the bytes of each needle, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (Label<'_>, &[u8])> {
        self.list
            .iter()
            .map(|needle| (self.label_of(needle), self.slice(needle)))
    }

    /// Of the needles from number `first` on, removes those that earlier ones subsume, and keeps at
    /// most `most`. Moves the remaining bytes together, and wipes the freed space after them.
    pub(super) fn keep_distinct(&mut self, first: usize, most: usize) {
        let Some(base) = self.list.get(first).map(|needle| needle.offset as usize) else {
            return;
        };
        let added = self.list.split_off(first);
        // Write the needles again, one after another, from a copy of their bytes.
        let mut bytes = Secret::with_capacity(self.bytes.len() - base);
        bytes.extend(&self.bytes.expose()[base..]);
        self.bytes.truncate(base);
        for needle in added {
            let from = needle.offset as usize - base;
            let place = &bytes.expose()[from..from + needle.length as usize];
            let kept = &self.list[first..];
            if kept.len() < most
                && !kept
                    .iter()
                    .any(|other| self.subsumes(other, place, &needle))
            {
                let offset = u32::try_from(self.bytes.len()).expect("it only moves to the front");
                self.bytes.extend(place);
                self.list.push(Needle { offset, ..needle });
            }
        }
    }

    /// Returns whether `needle` masks every byte that `other`, with the bytes `bytes`, would mask.
    fn subsumes(&self, needle: &Needle, bytes: &[u8], other: &Needle) -> bool {
        needle.rules.subsumes(&other.rules) && self.slice(needle) == bytes
    }

    pub(super) fn get(&self, index: u32) -> &Needle {
        &self.list[index as usize]
    }

    pub(super) fn all(&self) -> &[Needle] {
        &self.list
    }

    pub(super) fn slice(&self, needle: &Needle) -> &[u8] {
        let offset = needle.offset as usize;
        &self.bytes.expose()[offset..offset + needle.length as usize]
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.expose()
    }

    fn label_of(&self, needle: &Needle) -> Label<'_> {
        Label {
            name: &self.names[needle.name as usize],
            form: needle.form,
        }
    }

    fn name(&mut self, name: &str) -> u32 {
        // The needles of one secret follow one another.
        if self.names.last().is_none_or(|last| last != name) {
            self.names.push(name.to_owned());
        }
        u32::try_from(self.names.len() - 1).expect("fewer names than bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::base64_edges::Alphabet;

    #[test]
    fn rules_subsume_equal_or_narrower_rules_only() {
        let edge = EdgeCharacter {
            alphabet: Alphabet::Base64,
            value: 0,
            mask: 0b11_0000,
        };
        let plain = MatchRules::default();
        let gaps = MatchRules {
            gaps: Gaps::Allowed,
            ..plain
        };
        let token = MatchRules {
            boundary: Boundary::Token,
            ..plain
        };
        let lead = MatchRules {
            lead: Some(edge),
            ..plain
        };
        let trail = MatchRules {
            trail: Some(edge),
            ..plain
        };
        let padding = MatchRules {
            padding: 2,
            ..plain
        };
        let padded_trail = MatchRules {
            trail: Some(edge),
            padding: 2,
            ..plain
        };
        for rules in [plain, gaps, lead, trail, padding, padded_trail] {
            assert!(rules.subsumes(&rules), "{rules:?}");
        }
        for (more, less) in [
            (gaps, plain),
            (plain, token),
            (lead, plain),
            (trail, plain),
            (padding, plain),
            (padded_trail, trail),
        ] {
            assert!(more.subsumes(&less), "{more:?} {less:?}");
            assert!(!less.subsumes(&more), "{less:?} {more:?}");
        }
        assert!(
            !padded_trail.subsumes(&padding),
            "the padding without the character"
        );
    }
}
