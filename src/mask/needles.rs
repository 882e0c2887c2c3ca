//! The byte strings to look for, each with the secret and the form it stands for.
//!
//! Knows nothing of how they are made or found. All bytes lie in one [`Secret`], so that they are
//! wiped together; a needle is a range of it.

use crate::secret::Secret;

use super::base64_edges::EdgeCharacter;

/// What a needle stands for, as it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label<'a> {
    /// The name of the secret.
    pub name: &'a str,
    /// The name of the form, as in `docs/reference/masking.md`.
    pub form: &'static str,
}

/// How the surroundings of a needle decide whether, and how far, an occurrence is masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchRules {
    /// Also found when terminal sequences or line breaks run through it.
    pub gaps: Gaps,
    /// Where it counts.
    pub boundary: Boundary,
    /// The character before it that carries some of its first bits.
    pub lead: Option<EdgeCharacter>,
    /// The character after it that carries some of its last bits.
    pub trail: Option<EdgeCharacter>,
    /// At most so many `=` after it belong to it.
    pub padding: u8,
}

impl MatchRules {
    /// Whether a needle with these masks what the same needle with the others would.
    fn subsumes(&self, others: &Self) -> bool {
        let edge = |own: Option<EdgeCharacter>, other: Option<EdgeCharacter>| match (own, other) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own.includes(other),
        };
        (self.gaps == Gaps::Allowed || others.gaps == Gaps::Refused)
            && self.boundary == Boundary::Any
            && edge(self.lead, others.lead)
            && edge(self.trail, others.trail)
            && self.padding >= others.padding
            && (self.trail.is_none() || others.trail.is_some() || others.padding == 0)
    }
}

/// Whether transparent bytes may run through an occurrence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gaps {
    /// Only the bytes themselves count.
    #[default]
    Refused,
    /// Terminal sequences and line breaks with their indentation are looked through.
    Allowed,
}

/// Where an occurrence counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boundary {
    /// Everywhere.
    #[default]
    Any,
    /// Only when neither neighbour is a letter, a digit, `_` or part of a non-ASCII character.
    Token,
}

#[derive(Clone, Copy)]
pub(super) struct Needle {
    pub(super) offset: u32,
    pub(super) length: u32,
    name: u32,
    form: &'static str,
    pub(super) rules: MatchRules,
}

impl Needle {
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
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: Secret::with_capacity(0), names: Vec::new(), list: Vec::new() }
    }

    /// Adds the bytes exactly as they are; an empty needle is ignored.
    pub fn add(&mut self, label: Label<'_>, bytes: &[u8], rules: MatchRules) {
        self.spell(label, rules, |out| out.extend(bytes));
    }

    /// Adds what `write` appends; an empty needle is ignored.
    ///
    /// # Panics
    /// When all needles together exceed 2 GiB.
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
        self.list.push(Needle { offset, length, name, form: label.form, rules });
    }

    /// Adds all of `other`'s needles behind those that are there.
    pub fn append(&mut self, other: &Self) {
        for needle in &other.list {
            let label = other.label_of(needle);
            self.add(label, other.slice(needle), needle.rules);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The bytes of each needle with its label, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (Label<'_>, &[u8])> {
        self.list.iter().map(|needle| (self.label_of(needle), self.slice(needle)))
    }

    /// Of the needles from number `first` on, keeps the first of those that are alike, and no more
    /// than `most`. Their bytes are closed up, and what was behind them is wiped.
    pub(super) fn keep_distinct(&mut self, first: usize, most: usize) {
        let Some(base) = self.list.get(first).map(|needle| needle.offset as usize) else {
            return;
        };
        let added = self.list.split_off(first);
        let mut bytes = Secret::with_capacity(self.bytes.len() - base);
        bytes.extend(&self.bytes.expose()[base..]);
        self.bytes.truncate(base);
        for needle in added {
            let from = needle.offset as usize - base;
            let place = &bytes.expose()[from..from + needle.length as usize];
            let kept = &self.list[first..];
            if kept.len() < most && !kept.iter().any(|other| self.subsumes(other, place, &needle)) {
                let offset = u32::try_from(self.bytes.len()).expect("it only moves to the front");
                self.bytes.extend(place);
                self.list.push(Needle { offset, ..needle });
            }
        }
    }

    /// Whether wherever the other needle occurs, `needle` masks all that the other one would.
    fn subsumes(&self, needle: &Needle, bytes: &[u8], other: &Needle) -> bool {
        needle.rules.subsumes(&other.rules) && {
            let own = self.slice(needle);
            // Overlapping at both ends it covers the other one at every place.
            own == bytes
                || own.len() < bytes.len()
                    && bytes.len() < 2 * own.len()
                    && bytes.starts_with(own)
                    && bytes.ends_with(own)
        }
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
        Label { name: &self.names[needle.name as usize], form: needle.form }
    }

    fn name(&mut self, name: &str) -> u32 {
        // The needles of one secret follow each other.
        if self.names.last().is_none_or(|last| last != name) {
            self.names.push(name.to_owned());
        }
        u32::try_from(self.names.len() - 1).expect("fewer names than bytes")
    }
}
