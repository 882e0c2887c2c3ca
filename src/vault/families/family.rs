//! Which family a name belongs to.
//!
//! A family refuses by prefix only if the prefix is the program's own; the rest is lists. No rule
//! uses suffixes: `FEATURE_FLAGS` may or may not be an option of some program. Case does not
//! matter, because a vault has one entry per name regardless of case, and some programs (npm) read
//! their names in any case.

use std::sync::LazyLock;

use super::{languages, packages, python, system, tools};

/// Names that one program, or a few that are alike, would take for instructions.
pub struct Family {
    /// Whose names they are.
    pub title: &'static str,
    /// Why such a name is refused, as the end of a sentence about it.
    pub reason: &'static str,
    /// Every name that begins with one of these.
    pub prefixes: &'static str,
    /// Names that have such a prefix and run no code: secrets that the program never reads, and
    /// harmless switches. One `*` means any text.
    pub except: &'static str,
    /// Names one by one.
    pub names: &'static str,
}

/// Every family, in the order of the documentation.
pub(super) const FAMILIES: [&[Family]; 5] = [
    &system::FAMILIES,
    &python::FAMILIES,
    &languages::FAMILIES,
    &packages::FAMILIES,
    &tools::FAMILIES,
];

/// The family of `name`, if it has one.
#[must_use]
pub fn family_of(name: &str) -> Option<&'static Family> {
    let mut listed = LISTED.bucket(name).iter();
    let found = listed.find(|(listed, _)| listed.eq_ignore_ascii_case(name));
    found.map(|(_, family)| *family).or_else(|| {
        let mut begun = PREFIXES
            .iter()
            .filter(|(prefix, _)| starts_with(name, prefix));
        begun
            .find(|(_, family)| !family.excepts(name))
            .map(|(_, family)| *family)
    })
}

/// All of them in a row.
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().copied().flatten()
}

/// A name with its family.
type Listed = (&'static str, &'static Family);

/// The listed names, sorted by [`bucket_of`].
struct Table {
    names: [Listed; COUNT],
    /// Where each bucket starts, and the last one ends.
    starts: [usize; BUCKETS + 1],
}

impl Table {
    fn bucket(&self, name: &str) -> &[Listed] {
        let bucket = bucket_of(name);
        &self.names[self.starts[bucket]..self.starts[bucket + 1]]
    }
}

/// Made by the compiler, because every `exec` needs it.
static LISTED: Table = table();

const BUCKETS: usize = 256;
/// How many names there are.
const COUNT: usize = table_starts()[BUCKETS];

/// Names that differ only in case have the same bucket. Few others do, because first letters and
/// lengths differ.
const fn bucket_of(name: &str) -> usize {
    let first = match name.as_bytes().first() {
        Some(first) => first.to_ascii_lowercase(),
        None => 0,
    };
    (first as usize * 7 + name.len() * 29) % BUCKETS
}

const fn table_starts() -> [usize; BUCKETS + 1] {
    let mut starts = [0; BUCKETS + 1];
    let mut words = Words::of_all();
    while let Some((name, _)) = words.next() {
        starts[bucket_of(name) + 1] += 1;
    }
    let mut bucket = 0;
    while bucket < BUCKETS {
        starts[bucket + 1] += starts[bucket];
        bucket += 1;
    }
    starts
}

#[expect(clippy::large_stack_arrays, reason = "only the compiler calls it")]
const fn table() -> Table {
    let starts = table_starts();
    let mut next = starts;
    let mut names = [("", &FAMILIES[0][0]); COUNT];
    let mut words = Words::of_all();
    while let Some((name, family)) = words.next() {
        let bucket = bucket_of(name);
        names[next[bucket]] = (name, family);
        next[bucket] += 1;
    }
    Table { names, starts }
}

/// The names of all families, one by one, for the compiler: iterators cannot run there.
struct Words {
    group: usize,
    family: usize,
    rest: &'static str,
}

impl Words {
    const fn of_all() -> Self {
        Self {
            group: 0,
            family: 0,
            rest: FAMILIES[0][0].names,
        }
    }

    const fn next(&mut self) -> Option<Listed> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if !self.rest.is_empty() {
                let bytes = self.rest.as_bytes();
                let mut end = 0;
                while end < bytes.len() && !bytes[end].is_ascii_whitespace() {
                    end += 1;
                }
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some((word, &FAMILIES[self.group][self.family]));
            }
            self.family += 1;
            if self.family == FAMILIES[self.group].len() {
                (self.group, self.family) = (self.group + 1, 0);
            }
            if self.group == FAMILIES.len() {
                return None;
            }
            self.rest = FAMILIES[self.group][self.family].names;
        }
    }
}

/// Each prefix with its family. The text of the table is split once, not once for each name.
static PREFIXES: LazyLock<Vec<(&str, &Family)>> = LazyLock::new(|| {
    let prefixes = |family: &'static Family| {
        family
            .prefixes
            .split_ascii_whitespace()
            .map(move |p| (p, family))
    };
    all().flat_map(prefixes).collect()
});

impl Family {
    fn excepts(&self, name: &str) -> bool {
        self.except
            .split_ascii_whitespace()
            .any(|pattern| is_like(name, pattern))
    }
}

/// Whether `name` is `pattern`, in which one `*` may mean any text.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name.eq_ignore_ascii_case(pattern),
        Some((start, end)) => {
            name.len() >= start.len() + end.len()
                && starts_with(name, start)
                && name[name.len() - end.len()..].eq_ignore_ascii_case(end)
        }
    }
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
